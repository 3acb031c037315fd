package layers_test

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/layers"
	"github.com/assaykit/assay/internal/testimage"
)

// everyContent has the content of every file hashed.
type everyContent struct{}

func (everyContent) Name() string { return "everything" }

func (everyContent) Match(f *layers.File) layers.Want {
	if f.Type != layers.Regular {
		return layers.WantNothing
	}
	return layers.WantHash | layers.WantAnyName
}

func (everyContent) Visit(context.Context, *layers.File, layers.Content) (any, error) {
	return nil, nil
}

// describe is a line that says all that is compared of a file.
func describe(path, kind string, mode uint32, uid, gid int, content string) string {
	if kind == "symlink" {
		mode = 0 // means nothing
	}
	return fmt.Sprintf("%s %s %o %d:%d %s", path, kind, mode, uid, gid, content)
}

func merged(res *layers.Result) []string {
	var out []string
	for f := range res.Tree.All() {
		if f.Path == "." {
			continue // a runtime makes its own
		}
		content := f.Link
		if f.Type == layers.Regular {
			content = f.SHA256().String()
		}
		out = append(out, describe(f.Path, f.Type.String(), f.Mode, f.UID, f.GID, content))
	}
	slices.Sort(out)
	return out
}

// unpacked has umoci unpack the image and describes what is on disk then. The error
// is that umoci refuses.
func unpacked(t *testing.T, umoci string, img *testimage.Image) ([]string, error) {
	t.Helper()
	layout := testimage.WriteLayout(t, testimage.Layout{Images: map[string]*testimage.Image{"it": img}})
	bundle := filepath.Join(t.TempDir(), "bundle")
	if out, err := exec.CommandContext(t.Context(), umoci, "unpack", "--image", layout+":it", bundle).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("umoci: %w: %s", err, out)
	}
	root := filepath.Join(bundle, "rootfs")
	var lines []string
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil || p == root {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, p)
		if err != nil {
			return err
		}
		st := info.Sys().(*syscall.Stat_t)
		kind, content := layers.Regular, ""
		switch info.Mode().Type() {
		case 0:
			b, err := os.ReadFile(p)
			if err != nil {
				return err
			}
			sum := sha256.Sum256(b)
			content = "sha256:" + hex.EncodeToString(sum[:])
		case fs.ModeDir:
			kind = layers.Dir
		case fs.ModeSymlink:
			kind = layers.Symlink
			if content, err = os.Readlink(p); err != nil {
				return err
			}
		case fs.ModeNamedPipe:
			kind = layers.Fifo
		default:
			return fmt.Errorf("%s is a %s", rel, info.Mode())
		}
		lines = append(lines, describe(rel, kind.String(), st.Mode&0o7777, int(st.Uid), int(st.Gid), content))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(lines)
	return lines, nil
}

func umociPath(t *testing.T) string {
	t.Helper()
	umoci := os.Getenv("ASSAY_UMOCI")
	if umoci == "" {
		t.Skip("ASSAY_UMOCI names no umoci")
	}
	if os.Getuid() != 0 {
		t.Skip("umoci can give files to others only as root, which ASSAY_UMOCI asks for")
	}
	return umoci
}

func content(n int) string { return fmt.Sprintf("content %d", n) }

// TestUmoci compares the merged tree with what umoci unpacks of images that are made
// to be difficult.
func TestUmoci(t *testing.T) {
	umoci := umociPath(t)
	type F = testimage.File
	type ls = [][]F
	wh, opq, sym, hard := testimage.Whiteout, testimage.Opaque, testimage.Symlink, testimage.HardLink
	for _, tt := range []struct {
		name   string
		layers ls
	}{
		{"modes and owners", ls{{{Name: "a", Body: "1", Mode: 0o4755, UID: 10, GID: 20}, {Name: "d/", Mode: 0o1777}, {Name: "e/", Mode: 0o2750, UID: 7}, {Name: "e/f", Mode: 0o600, UID: 1000}},
			{{Name: "d/", Mode: 0o700, UID: 3}, {Name: "a", Body: "1", Mode: 0o644}}}},
		{"opaque first", ls{{{Name: "d/a", Body: "1"}, {Name: "d/s/b"}}, {opq("d"), {Name: "d/c", Body: "2"}}}},
		{"opaque last", ls{{{Name: "d/"}, {Name: "d/a"}, {Name: "d/s/"}, {Name: "d/s/b"}}, {{Name: "d/"}, {Name: "d/c"}, {Name: "d/s/"}, {Name: "d/s/x"}, opq("d")}}},
		{"opaque in the middle", ls{{{Name: "d/"}, {Name: "d/a"}, {Name: "d/k"}}, {{Name: "d/b"}, opq("d"), {Name: "d/k", Body: "new"}}}},
		{"opaque twice", ls{{{Name: "d/a"}}, {opq("d"), {Name: "d/b"}}, {opq("d"), {Name: "d/c"}}}},
		{"opaque below an opaque", ls{{{Name: "d/e/a"}, {Name: "d/b"}}, {opq("d/e"), {Name: "d/e/n"}, opq("d")}}},
		{"whiteout before and after its name", ls{{{Name: "a", Body: "0"}, {Name: "b", Body: "0"}}, {wh("a"), {Name: "a", Body: "1"}, {Name: "b", Body: "1"}, wh("b")}}},
		{"whiteout of a folder, and into it", ls{{{Name: "d/", Mode: 0o700}, {Name: "d/a"}, {Name: "d/s/b"}}, {wh("d"), {Name: "d/"}, {Name: "d/n", Body: "n"}}}},
		{"whiteout of nothing", ls{{{Name: "a"}}, {wh("b"), wh("c/d")}}},
		{"deletion and creation again", ls{{{Name: "a", Body: "0", Mode: 0o4755}, {Name: "d/"}, {Name: "d/x"}}, {wh("a"), wh("d")}, {{Name: "a", Body: "2"}, {Name: "d/"}, {Name: "d/y"}}}},
		{"file over folder and back", ls{{{Name: "d/"}, {Name: "d/a"}, {Name: "d/s/"}, {Name: "d/s/b"}}, {{Name: "d", Body: "file"}}, {{Name: "d/"}, {Name: "d/c"}}}},
		{"folder to link and back", ls{{{Name: "d/"}, {Name: "d/a"}, {Name: "e/"}, {Name: "e/b"}}, {sym("d", "e")}, {{Name: "d/"}, {Name: "d/c"}}}},
		{"link to file and back", ls{{{Name: "t", Body: "target"}, sym("a", "t")}, {{Name: "a", Body: "a file"}}, {sym("a", "t")}}},
		{"link replaced keeps its target", ls{{{Name: "t", Body: "target"}, sym("a", "t")}, {{Name: "a", Body: "new"}}}},
		{"link whited out keeps its target", ls{{{Name: "d/"}, {Name: "d/t", Body: "x"}, sym("l", "d")}, {wh("l")}}},
		{"links out of the root and in circles", ls{{sym("up", "../../../../etc/passwd"), sym("abs", "/etc/shadow"), sym("x", "y"), sym("y", "x"), sym("self", "self")}, {wh("x"), {Name: "self", Body: "s"}}}},
		{"hard links in a layer", ls{{{Name: "a", Body: "x"}, hard("b", "a"), {Name: "d/"}, hard("d/c", "b")}}},
		{"hard link to a lower layer", ls{{{Name: "a", Body: "x", Mode: 0o755, UID: 5}}, {{Name: "d/"}, {Name: "d/b", Type: tar.TypeLink, Link: "a", Mode: 0o755, UID: 5}}}},
		{"hard link whose target is replaced", ls{{{Name: "a", Body: "old"}, hard("b", "a")}, {{Name: "a", Body: "new"}}}},
		{"hard link whose target is deleted", ls{{{Name: "a", Body: "old"}}, {hard("b", "a")}, {wh("a")}}},
		{"hard link to a hard link across layers", ls{{{Name: "a", Body: "0"}}, {hard("b", "a")}, {hard("c", "b"), {Name: "a", Body: "2"}}, {hard("a", "c")}}},
		{"hard link over a file", ls{{{Name: "a", Body: "A"}, {Name: "b", Body: "B"}}, {hard("b", "a")}}},
		{"hard link to a symbolic link", ls{{sym("a", "nowhere"), hard("b", "a")}}},
		{"twice in a layer", ls{{{Name: "a", Body: "secret"}, {Name: "a", Body: "x"}, {Name: "b/"}, {Name: "b/x"}, sym("b2", "b"), {Name: "b2", Body: "f"}}}},
		{"spellings", ls{{{Name: "./"}, {Name: "./a", Body: "1"}, {Name: "/b"}, {Name: "c/./d"}, {Name: "e//f"}}}},
		{"fifo over a file", ls{{{Name: "p", Body: "x"}}, {{Name: "p", Type: tar.TypeFifo}}, {{Name: "q", Type: tar.TypeFifo}}}},
		{"deep", ls{{{Name: strings.Repeat("d/", 60) + "f", Body: "deep"}}, {opq(strings.TrimSuffix(strings.Repeat("d/", 30), "/"))}, {{Name: strings.Repeat("d/", 40) + "g"}}}},
		{"names", ls{{{Name: "a b\n\xff", Body: "x"}, {Name: ".wh"}, {Name: "x.wh.y"}, {Name: "ä/"}, {Name: "ä/ö"}}, {wh("ä/ö"), wh("a b\n\xff")}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var list []testimage.Layer
			for i, files := range tt.layers {
				list = append(list, testimage.Layer{Files: files, Compression: []testimage.Compression{testimage.Gzip, testimage.None}[i%2]})
			}
			img := testimage.New(t, list...)
			res, err := layers.Pass(t.Context(), img, layers.Options{}, everyContent{})
			if err != nil {
				t.Fatal(err)
			}
			want, err := unpacked(t, umoci, img)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(want, merged(res)); d != "" {
				t.Errorf("-umoci +merged:\n%s", d)
			}
		})
	}
}

// TestUmociAmbiguous has the cases in which runtimes differ. They are named in the
// result, and umoci takes the same way or refuses the image.
func TestUmociAmbiguous(t *testing.T) {
	umoci := umociPath(t)
	type F = testimage.File
	for _, tt := range []struct {
		name   string
		layers [][]F
		named  string
		refuse bool
	}{
		{"written through a link", [][]F{{{Name: "usr/lib/"}, testimage.Symlink("lib", "usr/lib")}, {{Name: "lib/x"}}}, "lib/x", false},
		{"deleted through a link", [][]F{{{Name: "usr/lib/x"}, testimage.Symlink("lib", "usr/lib")}, {testimage.Whiteout("lib/x")}}, "lib/x", false},
		{"file in what was a file", [][]F{{{Name: "f"}}, {{Name: "f/x"}}}, "f/x", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var list []testimage.Layer
			for _, files := range tt.layers {
				list = append(list, testimage.Layer{Files: files})
			}
			img := testimage.New(t, list...)
			res, err := layers.Pass(t.Context(), img, layers.Options{}, everyContent{})
			if err != nil {
				t.Fatal(err)
			}
			want, err := unpacked(t, umoci, img)
			if refused := err != nil; refused != tt.refuse {
				t.Errorf("umoci refuses: %v", err)
			} else if d := cmp.Diff(want, merged(res)); !refused && d != "" {
				t.Errorf("-umoci +merged:\n%s", d)
			}
			if !slices.ContainsFunc(res.Ambiguous, func(a layers.Ambiguity) bool { return a.Path == tt.named }) {
				t.Errorf("%s is not named: %+v", tt.named, res.Ambiguous)
			}
		})
	}
}

// TestUmociRandom compares images of random layers over few names, so that each
// meets what the lower ones left.
func TestUmociRandom(t *testing.T) {
	umoci := umociPath(t)
	names := []string{"a", "b", "d", "d/a", "d/b", "d/e", "d/e/a", "f", "f/a"}
	compared := 0
	for seed := range uint64(150) {
		r := rand.New(rand.NewPCG(seed, 1))
		var list []testimage.Layer
		for layer := range 2 + r.IntN(3) {
			var files []testimage.File
			written := map[string]bool{}
			for range 1 + r.IntN(6) {
				name := names[r.IntN(len(names))]
				f := testimage.File{Name: name, Body: content(layer), Mode: []int64{0o644, 0o600, 0o4755}[r.IntN(3)], UID: r.IntN(3)}
				switch r.IntN(7) {
				case 0:
					f = testimage.Whiteout(name)
				case 1:
					f = testimage.Opaque(name)
				case 2:
					f = testimage.Symlink(name, names[r.IntN(len(names))])
				case 3, 4:
					f = testimage.File{Name: name + "/", Mode: []int64{0o755, 0o700}[r.IntN(2)], UID: r.IntN(3)}
				}
				// No build writes one name twice into a layer, or into what it wrote as a file.
				clash := written[name]
				for p := range written {
					clash = clash || strings.HasPrefix(p, name+"/") || strings.HasPrefix(name, p+"/")
				}
				if clash {
					continue
				}
				written[name] = true
				files = append(files, f)
			}
			list = append(list, testimage.Layer{Files: files})
		}
		img := testimage.New(t, list...)
		res, err := layers.Pass(t.Context(), img, layers.Options{}, everyContent{})
		if errors.Is(err, assay.ErrInvalid) && strings.Contains(err.Error(), "want no loop of symbolic links") {
			continue // written into a link that leads nowhere
		} else if err != nil {
			t.Fatal(seed, err)
		}
		want, err := unpacked(t, umoci, img)
		if err != nil && len(res.Ambiguous) > 0 {
			continue // what it refuses is named
		}
		compared++
		if err != nil {
			t.Fatal(seed, err)
		}
		if d := cmp.Diff(want, merged(res)); d != "" {
			t.Errorf("seed %d: -umoci +merged:\n%s", seed, d)
			for i, l := range list {
				for _, f := range l.Files {
					t.Logf("layer %d: %q %q link %q mode %o", i, f.Name, f.Body, f.Link, f.Mode)
				}
			}
		}
	}
	t.Logf("%d images compared", compared)
	if compared < 100 {
		t.Errorf("only %d images compared", compared)
	}
}
