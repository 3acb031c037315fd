package layers

import (
	"context"
	"testing"

	"github.com/assaykit/assay/internal/testimage"
)

func TestSmoke(t *testing.T) {
	for _, c := range []testimage.Compression{testimage.Gzip, testimage.Zstd, testimage.None} {
		img := testimage.New(t, testimage.Layer{Compression: c, Files: []testimage.File{
			{Name: "etc/"}, {Name: "etc/passwd", Body: "root:x:0:0::/root:/bin/sh\n"}}},
			testimage.Layer{Compression: c, Files: []testimage.File{
				{Name: "etc/x", Body: "1"}, testimage.Whiteout("etc/passwd"), testimage.HardLink("etc/y", "etc/x")}})
		res, err := Pass(context.Background(), img, Options{Digest: img.ID()})
		if err != nil {
			t.Fatal(err)
		}
		for f := range res.Tree.All() {
			t.Logf("%+v", *f)
		}
		t.Logf("%+v", res.History)
		t.Logf("%+v", res.HistoryFacts(retainerName))
	}
}
