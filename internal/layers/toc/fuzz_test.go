package toc_test

import (
	"errors"
	"testing"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/layers/toc"
	"github.com/assaykit/assay/internal/testtoc"
)

// kinds fails the test for an error of a kind that is not documented.
func kinds(t *testing.T, err error) {
	t.Helper()
	_, unusable := errors.AsType[toc.Unusable](err)
	if !unusable && !errors.Is(err, assay.ErrInvalid) && !errors.Is(err, assay.ErrBound) && !errors.Is(err, assay.ErrRefuted) {
		t.Fatalf("error of no kind: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	for _, o := range []testtoc.Options{{}, {ChunkSize: 32}, {ChunkSize: 16, MinMember: 60}} {
		keep := o
		keep.JSON = func(b []byte) []byte { f.Add(b, int64(1<<20)); return b }
		for _, pack := range []func([]byte, testtoc.Options) (*testtoc.Layer, error){testtoc.Stargz, testtoc.Chunked} {
			if _, err := pack(sample(f), keep); err != nil {
				f.Fatal(err)
			}
		}
	}
	f.Add([]byte(`{"version":1,"entries":[{"type":"reg","name":"a","size":9,"offset":1,"innerOffset":1125899906842624,"chunkType":"zeros"},{"type":"chunk"}]}`), int64(10))
	f.Add([]byte(`{"version":1,"entries":null}`), int64(0))
	f.Add([]byte(`{"version":1,"Entries":[]}`), int64(0))
	f.Fuzz(func(t *testing.T, data []byte, end int64) {
		table, err := toc.Parse("layer", data, max(0, end), limits)
		if err != nil {
			kinds(t, err)
			return
		}
		check(t, table)
		for i := range table.Files {
			if h := table.Files[i].Header(); h.Size < 0 || h.Uid < 0 || h.Gid < 0 || h.Mode < 0 {
				t.Fatalf("header %+v", h)
			}
		}
	})
}

// FuzzRead changes the end of a blob, where footer and table are, and where the
// annotations say the table is.
func FuzzRead(f *testing.F) {
	for _, pack := range []func([]byte, testtoc.Options) (*testtoc.Layer, error){testtoc.Stargz, testtoc.Chunked} {
		l, err := pack(sample(f), testtoc.Options{ChunkSize: 32})
		if err != nil {
			f.Fatal(err)
		}
		at, _, err := toc.Locate("layer", l.Zstd, l.Annotations)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(l.Blob, l.Zstd, at.Position.Offset, at.Position.Length, at.Position.Inflated)
		f.Add(l.Blob, l.Zstd, int64(0), int64(0), int64(0))
		f.Add(l.Blob[:len(l.Blob)-4], l.Zstd, int64(0), int64(0), int64(0))
	}
	f.Add(testtoc.StargzFooter(1<<49), false, int64(0), int64(0), int64(0))
	f.Add([]byte("\x50\x2a\x4d\x18\x28\x00\x00\x00aaaaaaaabbbbbbbbccccccccddddddddGnUlInUx"), true, int64(0), int64(0), int64(0))
	f.Fuzz(func(t *testing.T, data []byte, zstd bool, offset, length, inflated int64) {
		if offset < 0 || length < 0 || inflated < 0 || max(offset, length, inflated) > 1<<50 {
			return // Locate gives no such position
		}
		// Without a digest everything goes on to the parser; Locate never gives that.
		table, err := toc.Read(t.Context(), blob(data), "layer", int64(len(data)),
			toc.Locator{Zstd: zstd, Position: toc.Position{Offset: offset, Length: length, Inflated: inflated}}, limits)
		if err != nil {
			kinds(t, err)
			return
		}
		check(t, table)
		if table.End > int64(len(data)) || table.Fetched > 2*int64(len(data)) {
			t.Fatalf("contents end at %d of %d, %d fetched", table.End, len(data), table.Fetched)
		}
	})
}

func FuzzLocate(f *testing.F) {
	f.Add("sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "1:2:3:1", "4:5:6", true)
	f.Add("sha256:x", "01:2:3:1", "4:5", true)
	f.Add("", "99999999999999999999:1:1:1", "", false)
	f.Fuzz(func(t *testing.T, digest, position, split string, zstd bool) {
		const prefix = "io.github.containers.zstd-chunked."
		l, ok, err := toc.Locate("layer", zstd, map[string]string{
			"containerd.io/snapshot/stargz/toc.digest": digest, prefix + "manifest-checksum": digest,
			prefix + "manifest-position": position, prefix + "tarsplit-position": split})
		if err != nil {
			kinds(t, err)
			return
		}
		if p := l.Position; ok && l.JSON.IsZero() && l.Packed.IsZero() || p.Offset < 0 || p.Length < 0 || p.Inflated < 0 || max(p.Offset, p.Length, p.Inflated) > 1<<50 {
			t.Fatalf("%+v", l)
		}
	})
}
