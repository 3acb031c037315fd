package layers

import (
	"errors"
	"testing"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/testimage"
	"github.com/assaykit/assay/internal/testtoc"
)

// FuzzTOC reads a blob by a table that says anything: whatever it does, the engine
// gives a result or an error of a kind, and what visitors saw had the digests that the
// table says.
func FuzzTOC(f *testing.F) {
	archive, err := testimage.Tar(
		F{Name: "etc/os-release", Body: "ID=test\n"}, F{Name: "bin/x", Body: "\x7fELF" + random(3000, 1), Mode: 0o755},
		F{Name: "data", Body: random(400_000, 2)}, hard("h/status", "bin/x"), sym("l", "etc"), wh("gone"))
	if err != nil {
		f.Fatal(err)
	}
	var packed []*testtoc.Layer
	for _, pack := range []func([]byte, testtoc.Options) (*testtoc.Layer, error){testtoc.Stargz, testtoc.Chunked} {
		for _, o := range []testtoc.Options{{}, {ChunkSize: 1000}, {ChunkSize: 1000, MinMember: 4000}} {
			o.JSON = func(b []byte) []byte { f.Add(b, byte(len(packed))); return b }
			l, err := pack(archive, o)
			if err != nil {
				f.Fatal(err)
			}
			packed = append(packed, l)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte, which byte) {
		l, err := packed[int(which)%len(packed)].Retable(data)
		if err != nil {
			t.Fatal(err)
		}
		img := &ranged{Image: testimage.NewWith(t, testimage.Options{Manifest: testtoc.Annotate(l)}, l.Image())}
		res, err := Pass(t.Context(), img, Options{TrustTOC: true, Bounds: Bounds{Inflated: 8 << 20, Entries: 1000}}, tocVisitors()...)
		if err != nil {
			if res != nil || !errors.Is(err, assay.ErrInvalid) && !errors.Is(err, assay.ErrBound) && !errors.Is(err, assay.ErrRefuted) {
				t.Fatalf("error of no kind: %v", err)
			}
			return
		}
		if (res.Layers[0].TOC.IsZero()) == (res.Layers[0].NoTOC == "") {
			t.Fatalf("layer %+v", res.Layers[0])
		}
	})
}
