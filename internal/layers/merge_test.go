package layers

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/testimage"
)

type (
	L = testimage.Layer
	F = testimage.File
)

var (
	wh   = testimage.Whiteout
	opq  = testimage.Opaque
	sym  = testimage.Symlink
	hard = testimage.HardLink
)

func files(fs ...F) L { return L{Files: fs} }

// names gives a tree in the shortest form: folders end in a slash, links show their
// target, contents are the layers they are from.
func names(t *Tree) []string {
	var out []string
	for f := range t.All() {
		s := f.Path
		switch {
		case f.Path == ".":
			continue
		case f.Type == Dir:
			s += "/"
		case f.Type == Symlink:
			s += "->" + f.Link
		default:
			s += fmt.Sprintf("@%d", f.ContentLayer)
		}
		out = append(out, s)
	}
	return out
}

func history(r *Result) []string {
	var out []string
	for _, h := range r.History {
		how := "replaced"
		if h.Deleted {
			how = "deleted"
		}
		out = append(out, fmt.Sprintf("%s@%d %s %d", h.File.Path, h.File.Layer, how, h.By))
	}
	return out
}

func TestMerge(t *testing.T) {
	for _, tt := range []struct {
		name    string
		layers  []L
		want    []string
		history []string
		odd     int
	}{
		{name: "no layers"},
		{name: "empty layer", layers: []L{files()}},
		{name: "spellings", layers: []L{files(F{Name: "./"}, F{Name: "./a"}, F{Name: "/b"}, F{Name: "c//d"}, F{Name: "e/./f"}, F{Name: "g/../h"})},
			want: []string{"a@0", "b@0", "c/", "c/d@0", "e/", "e/f@0", "h@0"}},
		{name: "whiteout", layers: []L{files(F{Name: "d/"}, F{Name: "d/a"}, F{Name: "d/b"}), files(wh("d/a"))},
			want: []string{"d/", "d/b@0"}, history: []string{"d/a@0 deleted 1"}},
		{name: "whiteout of a folder", layers: []L{files(F{Name: "d/e/a"}, F{Name: "d/b"}), files(wh("d"))},
			history: []string{"d/b@0 deleted 1", "d/e/a@0 deleted 1"}},
		{name: "whiteout of nothing", layers: []L{files(F{Name: "a"}), files(wh("b"), wh("c/d"), opq("e"))}, want: []string{"a@0"}},
		{name: "whiteout does not hide its own layer, before", layers: []L{files(F{Name: "a"}), files(wh("a"), F{Name: "a"})},
			want: []string{"a@1"}, history: []string{"a@0 deleted 1"}},
		{name: "whiteout does not hide its own layer, after", layers: []L{files(F{Name: "a"}), files(F{Name: "a"}, wh("a"))},
			want: []string{"a@1"}, history: []string{"a@0 replaced 1"}},
		{name: "whiteout of a folder that the layer writes into", layers: []L{files(F{Name: "d/", Mode: 0o700}, F{Name: "d/a"}), files(F{Name: "d/b"}, wh("d"))},
			want: []string{"d/", "d/b@1"}, history: []string{"d@0 deleted 1", "d/a@0 deleted 1"}},
		{name: "opaque first", layers: []L{files(F{Name: "d/a"}, F{Name: "d/s/b"}), files(opq("d"), F{Name: "d/c"})},
			want: []string{"d/", "d/c@1"}, history: []string{"d/a@0 deleted 1", "d/s/b@0 deleted 1"}},
		{name: "opaque last", layers: []L{files(F{Name: "d/a"}, F{Name: "d/s/b"}), files(F{Name: "d/c"}, F{Name: "d/s/x"}, opq("d"))},
			want: []string{"d/", "d/c@1", "d/s/", "d/s/x@1"}, history: []string{"d/a@0 deleted 1", "d/s/b@0 deleted 1"}},
		{name: "opaque root", layers: []L{files(F{Name: "a"}, F{Name: "d/b"}), files(F{Name: ".wh..wh..opq"}, F{Name: "c"})},
			want: []string{"c@1"}, history: []string{"a@0 deleted 1", "d/b@0 deleted 1"}},
		{name: "deleted and written again", layers: []L{files(F{Name: "a"}), files(wh("a")), files(F{Name: "a"})},
			want: []string{"a@2"}, history: []string{"a@0 deleted 1"}},
		{name: "replaced", layers: []L{files(F{Name: "a"}), files(F{Name: "a"})}, want: []string{"a@1"}, history: []string{"a@0 replaced 1"}},
		{name: "twice in a layer", layers: []L{files(F{Name: "a", Body: "secret"}, F{Name: "./a"})}, want: []string{"a@0"}, history: []string{"a@0 replaced 0"}},
		{name: "folder replaced by a file", layers: []L{files(F{Name: "d/"}, F{Name: "d/a"}), files(F{Name: "d"})},
			want: []string{"d@1"}, history: []string{"d@0 replaced 1", "d/a@0 replaced 1"}},
		{name: "folder replaced by a link", layers: []L{files(F{Name: "d/a"}, F{Name: "e/b"}), files(sym("d", "e"))},
			want: []string{"d->e", "e/", "e/b@0"}, history: []string{"d/a@0 replaced 1"}},
		{name: "link replaced by a folder", layers: []L{files(F{Name: "e/b"}, sym("d", "e")), files(F{Name: "d/"}, F{Name: "d/a"})},
			want: []string{"d/", "d/a@1", "e/", "e/b@0"}, history: []string{"d@0 replaced 1"}},
		{name: "folder keeps what it holds", layers: []L{files(F{Name: "d/"}, F{Name: "d/a"}), files(F{Name: "d/", Mode: 0o700})},
			want: []string{"d/", "d/a@0"}},
		{name: "written through a link", layers: []L{files(F{Name: "usr/lib/"}, sym("lib", "usr/lib")), files(F{Name: "lib/x"})},
			want: []string{"lib->usr/lib", "usr/", "usr/lib/", "usr/lib/x@1"}, odd: 1},
		{name: "written through links that climb", layers: []L{files(F{Name: "a/b/"}, sym("a/up", "../../../.."), sym("abs", "/a/b")), files(F{Name: "a/up/x"}, F{Name: "abs/y"})},
			want: []string{"a/", "a/b/", "a/b/y@1", "a/up->../../../..", "abs->/a/b", "x@1"}, odd: 2},
		{name: "written through a dangling link", layers: []L{files(sym("l", "new/dir")), files(F{Name: "l/x"})},
			want: []string{"l->new/dir", "new/", "new/dir/", "new/dir/x@1"}, odd: 1},
		{name: "deleted through a link", layers: []L{files(F{Name: "usr/lib/x"}, sym("lib", "usr/lib")), files(wh("lib/x"))},
			want: []string{"lib->usr/lib", "usr/", "usr/lib/"}, history: []string{"usr/lib/x@0 deleted 1"}, odd: 1},
		{name: "emptied through a link", layers: []L{files(F{Name: "usr/lib/x"}, sym("lib", "usr/lib")), files(opq("lib"))},
			want: []string{"lib->usr/lib", "usr/", "usr/lib/"}, history: []string{"usr/lib/x@0 deleted 1"}, odd: 1},
		{name: "file in what was a file", layers: []L{files(F{Name: "f"}), files(F{Name: "f/x"})},
			want: []string{"f/", "f/x@1"}, history: []string{"f@0 replaced 1"}, odd: 1},
		{name: "hard link", layers: []L{files(F{Name: "a", Body: "x"}, hard("b", "./a"))}, want: []string{"a@0", "b@0"}},
		{name: "hard link to a lower layer", layers: []L{files(F{Name: "a"}), files(hard("d/b", "/a"), wh("a"))},
			want: []string{"d/", "d/b@0"}, history: []string{"a@0 deleted 1"}},
		{name: "hard link to a hard link", layers: []L{files(F{Name: "a"}), files(hard("b", "a")), files(hard("c", "b"), F{Name: "a"})},
			want: []string{"a@2", "b@0", "c@0"}, history: []string{"a@0 replaced 2"}},
		{name: "hard link to a symbolic link", layers: []L{files(sym("a", "x"), hard("b", "a"))}, want: []string{"a->x", "b->x"}},
		{name: "hard link through a linked folder", layers: []L{files(F{Name: "d/a"}, sym("l", "d")), files(hard("b", "l/a"))},
			want: []string{"b@0", "d/", "d/a@0", "l->d"}},
		{name: "what AUFS kept", layers: []L{files(F{Name: ".wh..wh.plnk/"}, F{Name: ".wh..wh.aufs"}, F{Name: "a"})}, want: []string{"a@0"}},
		{name: "devices", layers: []L{files(F{Name: "null", Type: tar.TypeChar}, F{Name: "sda", Type: tar.TypeBlock}, F{Name: "p", Type: tar.TypeFifo})},
			want: []string{"null@0", "p@0", "sda@0"}},
		{name: "long names", layers: []L{files(F{Name: strings.Repeat("d/", 100) + strings.Repeat("x", 200)})},
			want: append(slices.Collect(prefixes(100)), strings.Repeat("d/", 100)+strings.Repeat("x", 200)+"@0")},
		{name: "odd bytes", layers: []L{files(F{Name: "a\xff\n b"}, F{Name: ".wh"}, F{Name: "x.wh.y"})}, want: []string{".wh@0", "a\xff\n b@0", "x.wh.y@0"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			res, err := Pass(t.Context(), testimage.New(t, tt.layers...), Options{})
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tt.want, names(res.Tree)); d != "" {
				t.Errorf("tree (-want +got):\n%s", d)
			}
			if d := cmp.Diff(tt.history, history(res)); d != "" {
				t.Errorf("history (-want +got):\n%s", d)
			}
			if len(res.Ambiguous) != tt.odd {
				t.Errorf("ambiguous: got %+v, want %d", res.Ambiguous, tt.odd)
			}
		})
	}
}

func prefixes(n int) func(func(string) bool) {
	return func(yield func(string) bool) {
		for i := 1; i <= n; i++ {
			if !yield(strings.Repeat("d/", i)) {
				return
			}
		}
	}
}

func TestRefusedEntries(t *testing.T) {
	for _, tt := range []struct {
		name   string
		layers []L
		want   string
	}{
		{"escape", []L{files(F{Name: "../x"})}, "../x"},
		{"escape in the middle", []L{files(F{Name: "a/../../x"})}, "a/../../x"},
		{"hard link escapes", []L{files(hard("a", "../x"))}, "../x"},
		{"hard link to nothing", []L{files(hard("a", "b"))}, "hard link to a file that exists"},
		{"hard link forward", []L{files(hard("a", "b"), F{Name: "b"})}, "exists"},
		{"hard link to a folder", []L{files(F{Name: "d/"}, hard("a", "d"))}, "folder"},
		{"hard link to itself", []L{files(F{Name: "a"}, hard("a", "a"))}, "another name"},
		{"hard link to the root", []L{files(hard("a", "/"))}, "a file"},
		{"bare whiteout", []L{files(F{Name: "d/.wh."})}, "d/.wh."},
		{"whiteout of the folder itself", []L{files(F{Name: "d/.wh.."})}, "d/.wh.."},
		{"whiteout of the parent", []L{files(F{Name: "d/.wh..."})}, "d/.wh..."},
		{"loop of links", []L{files(sym("a", "b"), sym("b", "a"), F{Name: "a/x"})}, "loop"},
		{"file in a file of its layer", []L{files(F{Name: "f"}, F{Name: "f/x"})}, "f/x"},
		{"root that is a file", []L{files(sym(".", "x"))}, "root"},
		{"type that nobody knows", []L{files(F{Name: "x", Type: 'Z'})}, "type"},
		{"negative owner", []L{files(F{Name: "x", UID: -5})}, "owner"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			img := testimage.New(t, tt.layers...)
			res, err := Pass(t.Context(), img, Options{})
			if !errors.Is(err, assay.ErrInvalid) || res != nil {
				t.Fatalf("got %v, %v, want invalid", res, err)
			}
			m, _ := img.Manifest()
			if s := err.Error(); !strings.Contains(s, tt.want) || !strings.Contains(s, m.Layers[0].Digest.String()) {
				t.Errorf("message %q does not name %q and the layer", s, tt.want)
			}
		})
	}
}

func TestAttributes(t *testing.T) {
	img := testimage.New(t, files(
		F{Name: "bin/su", Mode: 0o4755, UID: 0, GID: 5, Body: "x"},
		F{Name: "tmp/", Mode: 0o1777},
		F{Name: "wall", Mode: 0o2755, Caps: testimage.CapNetBindService},
		F{Name: "plain", Mode: 0o644},
		F{Name: "big", UID: 4_000_000_000, Mode: testimage.NoMode},
		F{Name: "link", Type: tar.TypeLink, Link: "plain", Mode: 0o4755, UID: 7},
	))
	res, err := Pass(t.Context(), img, Options{})
	if err != nil {
		t.Fatal(err)
	}
	got := func(p string) string {
		f := res.Tree.Get(p)
		return fmt.Sprintf("%04o %d:%d %d %t", f.Mode, f.UID, f.GID, f.Size, f.Capabilities == testimage.CapNetBindService)
	}
	for p, want := range map[string]string{
		"bin/su": "4755 0:5 1 false",
		"tmp":    "1777 0:0 0 false",
		"wall":   "2755 0:0 0 true",
		"big":    "0000 4000000000:0 0 false",
		"link":   "4755 7:0 0 false",
		"plain":  "4755 7:0 0 false", // a name of the same file
		"bin":    "0755 0:0 0 false",
	} {
		if g := got(p); g != want {
			t.Errorf("%s: got %s, want %s", p, g, want)
		}
	}
	if !res.Tree.Get("bin").Implied || res.Tree.Get("tmp").Implied {
		t.Error("implied folders are not told from others")
	}
}

func TestLookup(t *testing.T) {
	res, err := Pass(t.Context(), testimage.New(t, files(
		F{Name: "usr/bin/dash", Body: "x"}, sym("bin", "usr/bin"), sym("usr/bin/sh", "dash"), sym("abs", "/bin/../bin/sh"),
		sym("out", "../../../../usr"), sym("loop", "loop"), sym("dangling", "nowhere"),
	)), Options{})
	if err != nil {
		t.Fatal(err)
	}
	for p, want := range map[string]string{
		"bin/sh": "usr/bin/dash", "/abs": "usr/bin/dash", "out/bin/../bin/sh": "usr/bin/dash", "bin": "usr/bin", "": ".", "../..": ".",
	} {
		f, err := res.Tree.Lookup(p)
		if err != nil || f.Path != want {
			t.Errorf("%s: got %v, %v, want %s", p, f, err, want)
		}
	}
	for p, kind := range map[string]error{"loop/x": assay.ErrInvalid, "dangling": assay.ErrAbsent, "bin/sh/x": assay.ErrInvalid, "usr/nothing": assay.ErrAbsent} {
		if _, err := res.Tree.Lookup(p); !errors.Is(err, kind) {
			t.Errorf("%s: got %v, want %v", p, err, kind)
		}
	}
	if got := slices.Collect(res.Tree.Under("usr/bin")); len(got) != 2 || got[0].Path != "usr/bin/dash" {
		t.Errorf("under usr/bin: %v", got)
	}
	if got := slices.Collect(res.Tree.Under(".")); len(got) != res.Tree.Len()-1 {
		t.Errorf("under .: %d of %d", len(got), res.Tree.Len())
	}
	if got := slices.Collect(res.Tree.Under("abs")); got != nil {
		t.Errorf("under a link: %v", got)
	}
}

// FuzzMerge compares the tree with that of a model that knows only maps of paths
// and is written from the specification: no links to folders, no hard links.
func FuzzMerge(f *testing.F) {
	f.Add([]byte{0, 1, 2, 3, 200, 4, 5, 6, 7})
	f.Add([]byte{0x01, 0x12, 0x23, 0xff, 0x81, 0x92, 0xa3, 0xff, 0x41, 0x52})
	f.Add([]byte{0, 9, 18, 255, 64, 73, 128, 255, 192, 201, 3, 12})
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 200 {
			return
		}
		paths := []string{"a", "b", "a/a", "a/b", "b/a", "a/a/a", "a/b/c", "b/a/c", "c"}
		var layers [][]entry
		layers = append(layers, nil)
		type step struct {
			op   op
			path string
			dir  bool
		}
		steps := [][]step{nil}
		for i, b := range data {
			if b == 255 {
				layers, steps = append(layers, nil), append(steps, nil)
				continue
			}
			s := step{path: paths[int(b&63)%len(paths)]}
			switch b >> 6 {
			case 1:
				s.dir = true
			case 2:
				s.op = opHide
			case 3:
				s.op = opOpaque
			}
			n := len(layers) - 1
			file := &File{Path: s.path, Layer: n, ContentLayer: n, pos: i}
			if s.dir {
				file.Type = Dir
			}
			layers[n] = append(layers[n], entry{s.op, file})
			steps[n] = append(steps[n], s)
		}
		m := newMerger(Options{}.withDefaults().Bounds)
		// The model: what each layer alone has, then upper over lower.
		model := map[string]bool{} // path to whether it is a folder
		for n := range layers {
			own := map[string]bool{}
			fails := false
			for _, s := range steps[n] {
				if s.op != opAdd {
					continue
				}
				for p := path.Dir(s.path); p != "."; p = path.Dir(p) {
					if dir, ok := own[p]; ok && !dir {
						fails = true
					}
				}
				if fails {
					break
				}
				if !s.dir {
					for p := range own {
						if strings.HasPrefix(p, s.path+"/") {
							delete(own, p)
						}
					}
				}
				own[s.path] = s.dir
				for p := path.Dir(s.path); p != "."; p = path.Dir(p) {
					own[p] = true
				}
			}
			err := m.apply(n, "layer", layers[n])
			if fails != (err != nil) {
				t.Fatalf("layer %d: got %v, the model fails: %t", n, err, fails)
			}
			if fails {
				return
			}
			for _, s := range steps[n] {
				for p := range model {
					under := strings.HasPrefix(p, s.path+"/")
					if s.op == opHide && (p == s.path || under) || s.op == opOpaque && under {
						delete(model, p)
					}
					if s.op == opAdd && (!s.dir && under) {
						delete(model, p) // a file is where a folder was
					}
				}
			}
			for p, dir := range own {
				if dir {
					if was, ok := model[p]; ok && !was {
						delete(model, p)
					}
				}
				model[p] = dir
			}
			// What lies below a lower file that became nothing else stays only if
			// its folder does.
			for p := range model {
				for q := path.Dir(p); q != "."; q = path.Dir(q) {
					if dir, ok := model[q]; !ok || !dir {
						t.Fatalf("the model is broken at %s", p)
					}
				}
			}
		}
		tree, _, _ := m.finish()
		got := map[string]bool{}
		for file := range tree.All() {
			if file.Path != "." {
				got[file.Path] = file.Type == Dir
			}
		}
		if d := cmp.Diff(model, got); d != "" {
			t.Errorf("(-model +got):\n%s", d)
		}
	})
}

func TestCanceledMerge(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := Pass(ctx, testimage.New(t, files(F{Name: "a"})), Options{})
	if !errors.Is(err, assay.ErrUnchecked) || !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
