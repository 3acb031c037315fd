package layers

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/testimage"
)

// named wants files by their base name, as catalogers of package databases do.
type named struct {
	base  string
	flags Want
}

func (named) Name() string { return "named" }
func (n named) Match(f *File) Want {
	if f.Base() == n.base && f.Type != Dir {
		return WantContent | n.flags
	}
	return WantNothing
}
func (named) Visit(_ context.Context, f *File, c Content) (any, error) {
	return f.Path + "=" + string(c.Bytes), nil
}

func facts(fs []Fact) []string {
	var out []string
	for _, f := range fs {
		out = append(out, fmt.Sprintf("%s %v layer %d removed %d file %s", f.Path, f.Value, f.Layer, f.Removed, f.File.Path))
	}
	return out
}

func TestFacts(t *testing.T) {
	for _, tt := range []struct {
		name       string
		flags      Want
		layers     []L
		here, gone []string
	}{
		{name: "there", layers: []L{files(F{Name: "d/status", Body: "1"}, F{Name: "other", Body: "2"})},
			here: []string{"d/status d/status=1 layer 0 removed -1 file d/status"}},
		{name: "replaced and deleted", layers: []L{
			files(F{Name: "a/status", Body: "1"}, F{Name: "b/status", Body: "2"}),
			files(F{Name: "a/status", Body: "3"}), files(wh("b"))},
			here: []string{"a/status a/status=3 layer 1 removed -1 file a/status"},
			gone: []string{"a/status a/status=1 layer 0 removed 1 file a/status", "b/status b/status=2 layer 0 removed 2 file b/status"}},
		{name: "hidden behind a hard link", layers: []L{files(F{Name: "x", Body: "1"}, hard("d/status", "x"))},
			here: []string{"d/status d/status=1 layer 0 removed -1 file d/status"}},
		{name: "hidden behind a hard link into a lower layer", layers: []L{files(F{Name: "x", Body: "1"}), files(hard("d/status", "x"), wh("x"))},
			here: []string{"d/status d/status=1 layer 0 removed -1 file d/status"}},
		{name: "hidden behind a symbolic link", layers: []L{files(F{Name: "x", Body: "1"}), files(sym("status", "../../x"))},
			here: []string{"status status=1 layer 0 removed -1 file x"}},
		{name: "symbolic link to what is seen anyhow", layers: []L{files(F{Name: "d/status", Body: "1"}, sym("status", "d/status"))},
			here: []string{"d/status d/status=1 layer 0 removed -1 file d/status"}},
		{name: "symbolic link to nothing", layers: []L{files(sym("status", "x"))}},
		{name: "hidden behind a linked folder", layers: []L{files(F{Name: "d/"}, sym("l", "d")), files(F{Name: "l/status", Body: "1"})},
			here: []string{"d/status l/status=1 layer 1 removed -1 file d/status"}},
		{name: "hard links are names of their own", layers: []L{files(F{Name: "a/status", Body: "1"}, hard("b/status", "a/status"))},
			here: []string{"a/status a/status=1 layer 0 removed -1 file a/status", "b/status b/status=1 layer 0 removed -1 file b/status"}},
		{name: "unless the name does not matter", flags: WantAnyName, layers: []L{files(F{Name: "a/status", Body: "1"}, hard("b/status", "a/status"), hard("other", "a/status"))},
			here: []string{"a/status a/status=1 layer 0 removed -1 file a/status", "b/status a/status=1 layer 0 removed -1 file b/status"}},
		{name: "survives under another name", flags: WantAnyName, layers: []L{files(F{Name: "a/status", Body: "1"}, hard("b/status", "a/status")), files(wh("a/status"))},
			here: []string{"b/status a/status=1 layer 0 removed -1 file b/status"}},
		{name: "does not survive under a name that nobody wants", flags: WantAnyName, layers: []L{files(F{Name: "a/status", Body: "1"}, hard("b/other", "a/status")), files(wh("a/status"))},
			gone: []string{"a/status a/status=1 layer 0 removed 1 file a/status"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			res, err := Pass(t.Context(), testimage.New(t, tt.layers...), Options{}, named{"status", tt.flags})
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tt.here, facts(res.Facts("named"))); d != "" {
				t.Errorf("facts (-want +got):\n%s", d)
			}
			if d := cmp.Diff(tt.gone, facts(res.HistoryFacts("named"))); d != "" {
				t.Errorf("history (-want +got):\n%s", d)
			}
		})
	}
}

func TestPeek(t *testing.T) {
	img := testimage.New(t, files(
		F{Name: "bin/go", Mode: 0o755, Body: "\x7fELF" + strings.Repeat("x", 2000)},
		F{Name: "bin/big", Mode: 0o755, Body: "\x7fELF" + strings.Repeat("x", 5000)},
		F{Name: "bin/sh", Mode: 0o755, Body: "#!"},
		F{Name: "bin/empty", Mode: 0o755},
		F{Name: "lib.so", Body: "\x7fELF"},
	))
	res, err := Pass(t.Context(), img, Options{Bounds: Bounds{File: 4000}}, optional{})
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"bin/go 2004 layer 0 removed -1 file bin/go"}, facts(res.Facts("executables"))); d != "" {
		t.Error(d)
	}
	want := []Skipped{{Visitor: "executables", Path: "bin/big", Size: 5004, Reason: "is larger than the bound: at most File 4000 bytes"}}
	if d := cmp.Diff(want, res.Skipped); d != "" {
		t.Error(d)
	}
}

// optional can do without what is too large.
type optional struct{ executables }

func (optional) Peek(f *File, head []byte) Want {
	return executables{}.Peek(f, head) | WantOptional
}

func TestVisitorFails(t *testing.T) {
	broken := errors.New("no such database")
	img := testimage.New(t, files(F{Name: "a"}))
	res, err := Pass(t.Context(), img, Options{}, failingVisitor{broken})
	if !errors.Is(err, broken) || res != nil || !strings.Contains(err.Error(), "failing: layer sha256:") || !strings.Contains(err.Error(), ": a: ") {
		t.Errorf("got %v, %v", res, err)
	}
	// Bytes that are not the image's explain any failure.
	lie := &lying{Image: img, manifest: nil, blob: nil}
	lie.Image = testimage.New(t, L{Files: []F{{Name: "a"}}, DiffID: testimage.Sum(nil)})
	if _, err := Pass(t.Context(), lie, Options{}, failingVisitor{broken}); !errors.Is(err, assay.ErrRefuted) {
		t.Errorf("got %v", err)
	}
	if _, err := Pass(t.Context(), img, Options{}, all{}, all{}); !errors.Is(err, assay.ErrInvalid) {
		t.Errorf("two visitors of one name: %v", err)
	}
}

type failingVisitor struct{ err error }

func (failingVisitor) Name() string     { return "failing" }
func (failingVisitor) Match(*File) Want { return WantVisit }
func (v failingVisitor) Visit(context.Context, *File, Content) (any, error) {
	return nil, v.err
}

func TestRetained(t *testing.T) {
	res, err := Pass(t.Context(), testimage.New(t,
		files(F{Name: "etc/passwd", Body: "old"}, F{Name: "etc/group", Body: strings.Repeat("g", 100)}, F{Name: "usr/lib/os-release", Body: "ID=x"}, sym("etc/os-release", "../usr/lib/os-release"), F{Name: "real", Body: "shells"}, sym("etc/shells", "/real")),
		files(F{Name: "etc/passwd", Body: "new"})), Options{Bounds: Bounds{Retained: 50}})
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{"etc/passwd": "new", "etc/os-release": "ID=x", "usr/lib/os-release": "ID=x", "etc/shells": "shells"} {
		if got, err := res.Content(path); err != nil || string(got) != want {
			t.Errorf("%s: got %q, %v, want %q", path, got, err, want)
		}
	}
	for path, kind := range map[string]error{"etc/shadow": assay.ErrAbsent, "etc/group": assay.ErrBound, "etc/motd": assay.ErrInvalid} {
		if _, err := res.Content(path); !errors.Is(err, kind) {
			t.Errorf("%s: got %v, want %v", path, err, kind)
		}
	}
}

func TestResult(t *testing.T) {
	img := testimage.NewWith(t, testimage.Options{Config: func(c *v1.ConfigFile) {
		c.Config.User = "65532"
		c.Config.Healthcheck = &v1.HealthConfig{Test: []string{"CMD", "x"}, Interval: 3_000_000_000}
		c.History = append([]v1.History{{CreatedBy: "ENV x", EmptyLayer: true}}, c.History...)
	}}, files(F{Name: "a"}), L{CreatedBy: "RUN x", Compression: testimage.Zstd, Files: []F{wh("a")}})
	var mu sync.Mutex
	finished := map[int]Progress{}
	res, err := Pass(t.Context(), img, Options{Digest: img.ID(), Progress: func(p Progress) {
		mu.Lock()
		defer mu.Unlock()
		if p.Finished {
			finished[p.Layer] = p
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	m, _ := img.Manifest()
	l := res.Layers[1]
	if l.Digest.String() != m.Layers[1].Digest.String() || l.CreatedBy != "RUN x" || l.Entries != 1 || l.Size != m.Layers[1].Size || l.Inflated != 1536 {
		t.Errorf("layer: %+v", l)
	}
	if res.Manifest != img.ID() || res.ConfigDigest.String() != m.Config.Digest.String() || res.Platform.String() != "linux/amd64" || res.Config.Config.User != "65532" || res.Config.Config.Healthcheck.Interval != 3_000_000_000 {
		t.Errorf("result: %+v", res)
	}
	if len(finished) != 2 || finished[1].Done != m.Layers[1].Size || finished[1].Total != m.Layers[1].Size {
		t.Errorf("progress: %+v", finished)
	}
}

// Runtimes read configurations without regard to case.
func TestConfigNames(t *testing.T) {
	for _, bad := range []string{
		`{"config":{"User":"1000","user":"0"},"rootfs":{"type":"layers","diff_ids":[]}}`,
		`{"config":{"user":"0"},"rootfs":{"type":"layers","diff_ids":[]}}`,
		`{"config":{},"Config":{"User":"0"},"rootfs":{"type":"layers","diff_ids":[]}}`,
		`{"rootfs":{"type":"layers","diff_ids":[],"Diff_IDs":["sha256:00"]}}`,
		`{"rootfs":{"type":"layers","diff_ids":[]},"rootfs":{}}`,
		`{"rootfs":{"type":"other"}}`, `{} x`, `[]`, `{"rootfs":{"diff_ids":["md5:00"]}}`,
	} {
		if c, err := ParseConfig("config", []byte(bad)); !errors.Is(err, assay.ErrInvalid) {
			t.Errorf("%s: got %+v, %v", bad, c, err)
		}
	}
}

func FuzzParseManifest(f *testing.F) {
	raw, _ := honest(f).RawManifest()
	f.Add(raw)
	f.Add([]byte(`{"schemaVersion":2,"manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:00","size":-1}]}`))
	f.Add([]byte(`{"schemaVersion":2,"layers":[],"Layers":[]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := ParseManifest("m", data, "")
		x, err2 := ParseIndex("m", data, "")
		if err == nil && len(m.Layers) > 0 && err2 == nil && len(x.Manifests) > 0 {
			t.Fatal("a manifest and an index")
		}
		_, _ = IsIndex("m", data, "")
		_, _ = ParseConfig("c", data)
	})
}

func TestPassFolder(t *testing.T) {
	dir := t.TempDir()
	outside := filepath.Join(t.TempDir(), "outside")
	testimage.WriteFile(t, outside, []byte("outside"))
	testimage.WriteFile(t, filepath.Join(dir, "etc/passwd"), []byte("root:x:0:0::/:/bin/sh\n"))
	testimage.WriteFile(t, filepath.Join(dir, "d/status"), []byte("1"))
	testimage.WriteFile(t, filepath.Join(dir, "x"), []byte("2"))
	for link, to := range map[string]string{"e/status": "../x", "f/status": outside, "g/status": "../../../../../../x"} {
		testimage.WriteFile(t, filepath.Join(dir, filepath.Dir(link), "keep"), nil)
		if err := os.Symlink(to, filepath.Join(dir, link)); err != nil {
			t.Skip(err)
		}
	}
	if runtime.GOOS != "windows" {
		if err := os.Chmod(filepath.Join(dir, "x"), 0o755|os.ModeSetuid); err != nil {
			t.Fatal(err)
		}
	}
	res, err := PassFolder(t.Context(), dir, Options{}, named{"status", 0}, all{})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"d/status d/status=1 layer 0 removed -1 file d/status",
		"e/status e/status=2 layer 0 removed -1 file x",
		"g/status g/status=2 layer 0 removed -1 file x", // as a process with this root sees it
	}
	if d := cmp.Diff(want, facts(res.Facts("named"))); d != "" {
		t.Error(d)
	}
	if b, err := res.Content("etc/passwd"); err != nil || !strings.HasPrefix(string(b), "root") {
		t.Errorf("passwd: %q, %v", b, err)
	}
	x := res.Tree.Get("x")
	if runtime.GOOS != "windows" && (x.Mode != 0o4755 || x.UID != os.Getuid()) {
		t.Errorf("x: %+v", x)
	}
	if x.SHA256().String() != testimage.Sum([]byte("2")).String() {
		t.Errorf("x: %s", x.SHA256())
	}
	if _, err := PassFolder(t.Context(), filepath.Join(dir, "nothing"), Options{}); !errors.Is(err, assay.ErrAbsent) {
		t.Errorf("no folder: %v", err)
	}
	if _, err := PassFolder(t.Context(), dir, Options{Bounds: Bounds{Entries: 3}}); !errors.Is(err, assay.ErrBound) {
		t.Errorf("bound: %v", err)
	}
	if os.Getuid() != 0 {
		if err := os.Chmod(filepath.Join(dir, "d/status"), 0); err != nil {
			t.Fatal(err)
		}
		if _, err := PassFolder(t.Context(), dir, Options{}, all{}); !errors.Is(err, assay.ErrUnchecked) || !strings.Contains(err.Error(), "d/status") {
			t.Errorf("unreadable: %v", err)
		}
	}
}
