package sbom_test

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/klauspost/compress/zstd"

	"github.com/assaykit/assay/internal/testimage"
	"github.com/assaykit/assay/sbom"
)

// maxScan is what a scan may take, in bytes.
const maxScan = 96 << 20

type zeroReader struct{}

func (zeroReader) Read(b []byte) (int, error) {
	clear(b)
	return len(b), nil
}

// sparseLayer has one executable: content, and zeros up to the size. Nothing ever holds
// the whole of it.
func sparseLayer(t *testing.T, name string, content []byte, size int64) testimage.Layer {
	t.Helper()
	var blob bytes.Buffer
	z, err := zstd.NewWriter(&blob, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1))
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.New()
	w := tar.NewWriter(io.MultiWriter(z, sum))
	if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o755, Size: size, Typeflag: tar.TypeReg}); err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(w, io.MultiReader(bytes.NewReader(content), io.LimitReader(zeroReader{}, size-int64(len(content))))); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return testimage.Layer{Blob: blob.Bytes(), Compression: testimage.Zstd, DiffID: v1.Hash{Algorithm: "sha256", Hex: fmt.Sprintf("%x", sum.Sum(nil))}}
}

// An executable of 600 MiB is read like all others, in bounded memory.
func TestScanMemoryExecutable(t *testing.T) {
	img := testimage.New(t, sparseLayer(t, "srv/app", []byte(goExecutable(t)), 600<<20))
	var c *sbom.Contents
	most := peak(func() {
		var err error
		if c, err = sbom.Scan(context.Background(), img, sbom.Options{}); err != nil {
			t.Fatal(err)
		}
	})
	t.Logf("%d bytes", most)
	if most > maxScan/2 {
		t.Errorf("the scan took %d bytes", most)
	}
	if len(c.Skipped) != 0 || aggregates(c)["components:golang"] != "complete" {
		t.Errorf("skipped %+v, %v", c.Skipped, aggregates(c))
	}
}

// What a scan takes does not grow with the number of layers, whose contents are not
// kept, even if several are read at once.
func TestScanMemoryLayers(t *testing.T) {
	const size, count = 3 << 20, 300
	elf := "\x7fELF\x02\x01\x01" + strings.Repeat("\x00", 9) + "\x02"
	one := sparseLayer(t, "srv/app", []byte(elf), size)
	ls := make([]testimage.Layer, count)
	for i := range ls {
		ls[i] = one
	}
	img := testimage.New(t, ls...)
	var c *sbom.Contents
	most := peak(func() {
		var err error
		if c, err = sbom.Scan(context.Background(), img, sbom.Options{Workers: 4}); err != nil {
			t.Fatal(err)
		}
	})
	t.Logf("%d bytes", most)
	if most > maxScan {
		t.Errorf("the scan of %d layers took %d bytes", count, most)
	}
	if len(c.Layers) != count || len(c.Skipped) != 0 {
		t.Errorf("%d layers, skipped %+v", len(c.Layers), c.Skipped)
	}
}
