package sbom_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/testimage"
	"github.com/assaykit/assay/sbom"
)

func TestProveBase(t *testing.T) {
	one := testimage.Layer{Files: []file{{Name: "etc/os-release", Body: osRelease}, dpkgStatus("a 1")}}
	two := testimage.Layer{Files: []file{{Name: "two"}}}
	other := testimage.Layer{Files: []file{{Name: "other"}}}
	zstd := one
	zstd.Compression = testimage.Zstd
	lying := one
	lying.DiffID = testimage.Sum([]byte("something else"))
	unlike := one
	unlike.DiffID = v1.Hash{Algorithm: "sha512", Hex: strings.Repeat("0", 128)}
	unlike.Blob = []byte("of no matter")
	img := testimage.New(t, one, two, testimage.Layer{Files: []file{{Name: "app/node_modules/ms/package.json", Body: `{"name":"ms","version":"2.1.3"}`}}})
	c, err := sbom.Scan(t.Context(), img, sbom.Options{Digest: img.ID()})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name   string
		layers []testimage.Layer
		state  assay.State
		n      int
		packed []int
		says   []string
	}{
		{"one layer", []testimage.Layer{one}, assay.Proven, 1, nil, nil},
		{"two layers", []testimage.Layer{one, two}, assay.Proven, 2, nil, nil},
		{"packed again", []testimage.Layer{zstd, two}, assay.Proven, 2, []int{0}, nil},
		{"another second layer", []testimage.Layer{one, other}, assay.Refuted, 1, nil, []string{"layer 1", c.Layers[1].DiffID.String()}},
		{"the other way round", []testimage.Layer{two, one}, assay.Refuted, 0, nil, []string{"layer 0"}},
		{"not from the bottom", []testimage.Layer{two}, assay.Refuted, 0, nil, []string{"layer 0"}},
		{"built on the image", []testimage.Layer{one, two, {Files: []file{{Name: "app/node_modules/ms/package.json", Body: `{"name":"ms","version":"2.1.3"}`}}}, other}, assay.Refuted, 3, nil, []string{"3 layers", "4"}},
		{"one blob of two diffIDs", []testimage.Layer{lying}, assay.Refuted, 0, nil, []string{"same blob", c.Layers[0].DiffID.String()}},
		{"diffIDs of two algorithms", []testimage.Layer{unlike}, assay.Unknown, 0, nil, []string{"sha512", "sha256"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			base := testimage.New(t, tt.layers...)
			p, err := sbom.ProveBase(t.Context(), c, base, base.ID())
			if err != nil {
				t.Fatal(err)
			}
			want := sbom.BaseProof{State: tt.state, Base: base.ID(), Image: img.ID(), Layers: tt.n, Repacked: tt.packed, Reason: p.Reason}
			if diff := cmp.Diff(want, p, cmp.Comparer(func(a, b assay.Digest) bool { return a == b })); diff != "" {
				t.Error(diff)
			}
			for _, s := range tt.says {
				if !strings.Contains(p.Reason, s) {
					t.Errorf("%q does not say %q", p.Reason, s)
				}
			}
			if (p.Reason == "") != (p.State == assay.Proven) {
				t.Errorf("%s: %q", p.State, p.Reason)
			}
		})
	}
}

func TestProveBaseErrors(t *testing.T) {
	img := testimage.New(t, layersOf([]file{{Name: "a"}})...)
	c, err := sbom.Scan(t.Context(), img, sbom.Options{})
	if err != nil {
		t.Fatal(err)
	}
	folder, err := sbom.ScanFolder(t.Context(), t.TempDir(), sbom.Options{})
	if err != nil {
		t.Fatal(err)
	}
	empty := testimage.New(t)
	other := testimage.New(t, layersOf([]file{{Name: "b"}})...)
	for _, tt := range []struct {
		name string
		c    *sbom.Contents
		base *testimage.Image
		want assay.Digest
		kind error
		says string
	}{
		{"no digest", c, img, assay.Digest{}, assay.ErrInvalid, "base digest"},
		{"a folder", folder, img, img.ID(), assay.ErrInvalid, "contents of an image"},
		{"a base without layers", c, empty, empty.ID(), assay.ErrInvalid, "/layers"},
		{"another base", c, img, other.ID(), assay.ErrRefuted, other.ID().String()},
	} {
		if _, err := sbom.ProveBase(t.Context(), tt.c, tt.base, tt.want); !errors.Is(err, tt.kind) || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

func TestFromBase(t *testing.T) {
	ms := func(version string) file {
		return file{Name: "app/node_modules/ms/package.json", Body: `{"name":"ms","version":"` + version + `"}`}
	}
	c := scan(t, sbom.Options{},
		[]file{{Name: "etc/os-release", Body: osRelease}, dpkgStatus("a 1", "b 1"), ms("1.0.0")},
		[]file{dpkgStatus("a 1", "b 2", "c 3"), ms("2.0.0")})
	names := func(n int) string {
		var out []string
		from := c.FromBase(n)
		for _, comp := range c.SBOM.Components {
			if from[comp.ID] && comp.Type != assay.TypeOperatingSystem {
				out = append(out, comp.Name+"@"+comp.Version)
			}
		}
		return strings.Join(out, " ")
	}
	for n, want := range []string{"", "a@1", "a@1 b@2 c@3 ms@2.0.0"} {
		if got := names(n); got != want {
			t.Errorf("%d layers: got %q, want %q", n, got, want)
		}
	}
}

// What of an image is the base's, and what was added.
func ExampleProveBase() {
	bottom := testimage.Layer{Files: []testimage.File{dpkgStatus("libc6 2.36")}}
	top := testimage.Layer{Files: []testimage.File{{Name: "app/node_modules/ms/package.json", Body: `{"name":"ms","version":"2.1.3"}`}}}
	base, err := testimage.Build(testimage.Options{}, bottom)
	if err != nil {
		log.Fatal(err)
	}
	img, err := testimage.Build(testimage.Options{}, bottom, top)
	if err != nil {
		log.Fatal(err)
	}

	c, err := sbom.Scan(context.Background(), img, sbom.Options{Digest: img.ID()})
	if err != nil {
		log.Fatal(err)
	}
	p, err := sbom.ProveBase(context.Background(), c, base, base.ID())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(p.State, p.Layers)
	from := c.FromBase(p.Layers)
	var added bytes.Buffer
	for _, comp := range c.SBOM.Components {
		if !from[comp.ID] {
			fmt.Fprintln(&added, comp.Name)
		}
	}
	fmt.Print("added: ", added.String())
	// Output:
	// proven 1
	// added: ms
}
