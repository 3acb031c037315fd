package layers

import (
	"testing"

	"github.com/assaykit/assay/internal/testimage"
)

// What looks up many files in one folder finds what paths lead to.
func TestTreeFolder(t *testing.T) {
	img := testimage.New(t, testimage.Layer{Files: []testimage.File{
		{Name: "usr/bin/a"}, {Name: "usr/bin/b"}, {Name: "usr/bin/d/e"}, testimage.Symlink("bin", "usr/bin"), testimage.Symlink("usr/bin/c", "a"),
		testimage.Symlink("loop", "loop"), {Name: "old"},
	}}, testimage.Layer{Files: []testimage.File{testimage.Whiteout("old")}})
	res, err := Pass(t.Context(), img, Options{Digest: img.ID()})
	if err != nil {
		t.Fatal(err)
	}
	tree := res.Tree
	for _, path := range []string{"bin", "/usr/bin", "usr/../bin/.", "usr//bin/"} {
		folder, ok := tree.Folder(path)
		if !ok {
			t.Fatalf("%s is no folder", path)
		}
		for _, name := range []string{"a", "b", "c", "d", "e", "b", "a", "", "..", "a"} {
			var want *File
			if name != "" && name != ".." {
				want = tree.Get("usr/bin/" + name)
			}
			if got := folder.Get(name); got != want {
				t.Errorf("%s in %s: %+v, want %+v", name, path, got, want)
			}
		}
		in := folder.In("d")
		if f := in.Get("e"); f == nil || f.Path != "usr/bin/d/e" {
			t.Errorf("d/e in %s: %+v", path, f)
		}
		for _, name := range []string{"a", "c", "gone"} {
			if in := folder.In(name); in.Get("e") != nil || in.Get("a") != nil {
				t.Errorf("%s in %s holds something", name, path)
			}
		}
	}
	for _, path := range []string{"loop", "usr/bin/a", "bin/a/b", "gone", "old", "bin/c"} {
		if folder, ok := tree.Folder(path); ok || folder.Get("a") != nil {
			t.Errorf("%s is a folder", path)
		}
	}
	at := 0
	for f := range tree.All() {
		if tree.Place(f) != at {
			t.Errorf("%s is at %d, not %d", f.Path, tree.Place(f), at)
		}
		at++
	}
	for _, f := range []*File{nil, {}, {place: 2}, res.History[0].File} {
		if tree.Place(f) != -1 {
			t.Errorf("%+v has a place", f)
		}
	}
}
