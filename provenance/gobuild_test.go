package provenance_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/provenance"
)

const (
	h1    = "h1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
	h1Hex = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
)

func buildInfo() *debug.BuildInfo {
	return &debug.BuildInfo{
		GoVersion: "go1.26.3",
		Path:      "github.com/octo/repo/cmd/app",
		Main:      debug.Module{Path: "github.com/octo/repo", Version: "(devel)"},
		Deps: []*debug.Module{
			{Path: "golang.org/x/text", Version: "v0.20.0", Sum: h1},
			{Path: "example.com/a", Version: "v1.0.0", Replace: &debug.Module{Path: "example.com/fork/a", Version: "v1.0.1", Sum: h1}},
			{Path: "example.com/b", Version: "v1.0.0", Replace: &debug.Module{Path: "/home/me/secret-project/b"}},
			{Path: "example.com/work", Version: "(devel)"},
			{Path: "example.com/nosum", Version: "v2.0.0+incompatible"},
		},
		Settings: []debug.BuildSetting{
			{Key: "-ldflags", Value: "-s -X main.token=hunter2 -w"},
			{Key: "-tags", Value: "netgo"}, {Key: "-pgo", Value: "/home/me/default.pgo"},
			{Key: "CGO_CFLAGS", Value: "-I/home/me/include"}, {Key: "CGO_LDFLAGS", Value: ""},
			{Key: "GOOS", Value: "linux"}, {Key: "GOFUTURE", Value: "hunter2"},
			{Key: "vcs", Value: "git"}, {Key: "vcs.revision", Value: commit}, {Key: "vcs.time", Value: "2026-11-23T09:00:00Z"}, {Key: "vcs.modified", Value: "false"},
		},
	}
}

func TestFromBuildInfo(t *testing.T) {
	got, err := provenance.FromBuildInfo(buildInfo(), provenance.BuildOptions{
		BuilderID: "https://example.com/builder", Repository: "https://github.com/octo/repo", Ref: "refs/heads/main",
	})
	if err != nil {
		t.Fatal(err)
	}
	sha, sum := assay.MustDigest("gitCommit:"+commit), assay.DigestSet{assay.MustDigest("dirHash:" + h1Hex)}
	want := &assay.Provenance{
		BuildType: provenance.BuildTypeGo,
		ExternalParameters: map[string]json.RawMessage{
			"package":  json.RawMessage(`"github.com/octo/repo/cmd/app"`),
			"module":   json.RawMessage(`"github.com/octo/repo"`),
			"settings": json.RawMessage(`{"-ldflags":{"flags":["-s","-w"],"withheld":true},"-pgo":{"withheld":true},"-tags":"netgo","CGO_CFLAGS":{"withheld":true},"GOFUTURE":{"withheld":true},"GOOS":"linux"}`),
		},
		InternalParameters: map[string]json.RawMessage{
			"localModules": json.RawMessage(`["example.com/b","example.com/work"]`),
			"vcs":          json.RawMessage(`{"modified":"false","revision":"` + commit + `","system":"git","time":"2026-11-23T09:00:00Z"}`),
		},
		Materials: []assay.Resource{
			{Name: "source", URI: "git+https://github.com/octo/repo@refs/heads/main", Digest: assay.DigestSet{sha}, Annotations: ext("assay_modified", "false")},
			{URI: "pkg:golang/example.com/fork/a@v1.0.1", Digest: sum, Annotations: ext("assay_replaces", `"pkg:golang/example.com/a@v1.0.0"`)},
			{URI: "pkg:golang/example.com/nosum@v2.0.0%2Bincompatible"},
			{URI: "pkg:golang/golang.org/x/text@v0.20.0", Digest: sum},
			{URI: "pkg:golang/stdlib@1.26.3"},
		},
		Builder: assay.Builder{ID: "https://example.com/builder", Version: map[string]string{"go": "go1.26.3"}},
		Source:  assay.Source{Repository: "https://github.com/octo/repo", Commit: sha, Ref: "refs/heads/main", Modified: assay.Refuted},
	}
	if d := diff(want, got); d != "" {
		t.Error(d)
	}
	b, err := provenance.Encode(got)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"hunter2", "/home/me"} {
		if bytes.Contains(b, []byte(secret)) {
			t.Errorf("%q came out: %s", secret, b)
		}
	}
	again, err := provenance.Read("again", assay.PredicateSLSA1, b)
	if err != nil {
		t.Fatal(err)
	}
	again.Format = ""
	if d := diff(got, again); d != "" {
		t.Errorf("read back: %s", d)
	}
}

func TestBuildSettingsDisclosed(t *testing.T) {
	for in, want := range map[string]string{
		"-s -w":                   `{"flags":["-s","-w"]}`,
		"-extldflags -s":          `{"withheld":true}`,
		"-X 'main.motto=be -s q'": `{"withheld":true}`,
		"-X main.v=1 -w":          `{"flags":["-w"],"withheld":true}`,
	} {
		info := buildInfo()
		info.Settings = []debug.BuildSetting{{Key: "-ldflags", Value: in}}
		p, err := provenance.FromBuildInfo(info, provenance.BuildOptions{BuilderID: "https://example.com/b"})
		if err != nil {
			t.Fatal(err)
		}
		if got := string(p.ExternalParameters["settings"]); got != `{"-ldflags":`+want+`}` {
			t.Errorf("%q gives %s, want %s", in, got, want)
		}
		p, err = provenance.FromBuildInfo(info, provenance.BuildOptions{BuilderID: "https://example.com/b", DiscloseUnsafe: []string{"-ldflags"}})
		if err != nil || !strings.Contains(string(p.ExternalParameters["settings"]), in) {
			t.Errorf("%q is not disclosed: %v", in, err)
		}
	}
}

func TestSourceOfGoBuild(t *testing.T) {
	for name, tt := range map[string]struct {
		settings []debug.BuildSetting
		want     assay.Source
	}{
		"modified": {[]debug.BuildSetting{{Key: "vcs", Value: "git"}, {Key: "vcs.revision", Value: commit}, {Key: "vcs.modified", Value: "true"}},
			assay.Source{Commit: assay.MustDigest("gitCommit:" + commit), Modified: assay.Proven}},
		"not said": {[]debug.BuildSetting{{Key: "vcs", Value: "git"}, {Key: "vcs.revision", Value: commit}},
			assay.Source{Commit: assay.MustDigest("gitCommit:" + commit)}},
		"mercurial": {[]debug.BuildSetting{{Key: "vcs", Value: "hg"}, {Key: "vcs.revision", Value: commit}}, assay.Source{}},
		"none":      {nil, assay.Source{}},
	} {
		info := buildInfo()
		info.Settings = tt.settings
		p, err := provenance.FromBuildInfo(info, provenance.BuildOptions{BuilderID: "https://example.com/b"})
		if err != nil {
			t.Fatal(err)
		}
		b, err := provenance.Encode(p)
		if err != nil {
			t.Fatal(err)
		}
		again, err := provenance.Read("again", assay.PredicateSLSA1, b)
		if err != nil || p.Source != tt.want || again.Source != tt.want {
			t.Errorf("%s: got %+v, read back %+v, %v; want %+v", name, p.Source, again.Source, err, tt.want)
		}
	}
}

func TestFromBuildInfoRefused(t *testing.T) {
	for name, tt := range map[string]struct {
		mutate func(*debug.BuildInfo, *provenance.BuildOptions)
		kind   error
		says   string
	}{
		"no builder":     {func(_ *debug.BuildInfo, o *provenance.BuildOptions) { o.BuilderID = "" }, assay.ErrInvalid, "SLSA P2"},
		"builder no URI": {func(_ *debug.BuildInfo, o *provenance.BuildOptions) { o.BuilderID = "me" }, assay.ErrInvalid, "SLSA P2"},
		"sum cut":        {func(i *debug.BuildInfo, _ *provenance.BuildOptions) { i.Deps[0].Sum = "h1:AAAA" }, assay.ErrInvalid, "golang.org/x/text@v0.20.0"},
		"sum of other":   {func(i *debug.BuildInfo, _ *provenance.BuildOptions) { i.Deps[0].Sum = "h2" + h1[2:] }, assay.ErrInvalid, "h2:"},
		"two sums": {func(i *debug.BuildInfo, _ *provenance.BuildOptions) {
			i.Deps = append(i.Deps, &debug.Module{Path: "golang.org/x/text", Version: "v0.20.0", Sum: "h1:" + strings.Repeat("A", 43) + "="})
		}, assay.ErrRefuted, "golang.org/x/text"},
		"revision": {func(i *debug.BuildInfo, _ *provenance.BuildOptions) {
			i.Settings = []debug.BuildSetting{{Key: "vcs", Value: "git"}, {Key: "vcs.revision", Value: "main"}}
		}, assay.ErrInvalid, "vcs.revision"},
		"repository .git": {func(_ *debug.BuildInfo, o *provenance.BuildOptions) {
			o.Repository = "https://github.com/octo/repo.git"
		}, assay.ErrInvalid, "Repository"},
		"ref not full":     {func(_ *debug.BuildInfo, o *provenance.BuildOptions) { o.Ref = "main" }, assay.ErrInvalid, "Ref"},
		"not UTF-8":        {func(i *debug.BuildInfo, _ *provenance.BuildOptions) { i.Deps[0].Path = "example.com/\xff" }, assay.ErrInvalid, "UTF-8"},
		"secret not UTF-8": {func(i *debug.BuildInfo, _ *provenance.BuildOptions) { i.Settings[0].Value += "\xff" }, assay.ErrInvalid, "build -ldflags: invalid, want UTF-8"},
		"nothing in there": {func(i *debug.BuildInfo, _ *provenance.BuildOptions) { *i = debug.BuildInfo{} }, assay.ErrAbsent, "build information"},
	} {
		info, opts := buildInfo(), provenance.BuildOptions{BuilderID: "https://example.com/b"}
		tt.mutate(info, &opts)
		p, err := provenance.FromBuildInfo(info, opts)
		if p != nil || !errors.Is(err, tt.kind) || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: got %v, %v; want %v, %q", name, p, err, tt.kind, tt.says)
		}
	}
	if _, err := provenance.FromBuildInfo(nil, provenance.BuildOptions{}); !errors.Is(err, assay.ErrAbsent) {
		t.Errorf("nil gives %v", err)
	}
}

// run runs a tool where it exists, away from the configuration of this machine's user.
func run(t *testing.T, dir, tool string, args ...string) string {
	t.Helper()
	if _, err := exec.LookPath(tool); err != nil {
		t.Skipf("no %s to compare with", tool)
	}
	cmd := exec.Command(tool, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOPROXY=off", "GOFLAGS=-mod=mod", "GOWORK=off", "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", tool, args, err, out)
	}
	return string(out)
}

// go version -m and git are the native answers to what an executable is made of.
func TestFromGoBinaryAgreesWithGo(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a program")
	}
	dir := t.TempDir()
	sums, err := os.ReadFile("../go.sum")
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{
		"go.mod":  "module example.com/app\n\ngo 1.26.0\n\nrequire github.com/package-url/packageurl-go v0.1.7\n",
		"go.sum":  string(sums),
		"main.go": "package main\n\nimport packageurl \"github.com/package-url/packageurl-go\"\n\nfunc main() { println(packageurl.TypeOCI) }\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	run(t, dir, "git", "init", "-q")
	run(t, dir, "git", "add", ".")
	run(t, dir, "git", "-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "-q", "-m", "m")
	head := strings.TrimSpace(run(t, dir, "git", "rev-parse", "HEAD"))
	app := filepath.Join(t.TempDir(), "app")
	run(t, dir, "go", "build", "-buildvcs=true", "-ldflags=-s -w", "-o", app, ".")

	want := map[string]string{}
	for line := range strings.Lines(run(t, dir, "go", "version", "-m", app)) {
		if f := strings.Fields(line); len(f) == 4 && f[0] == "dep" {
			want["pkg:golang/"+f[1]+"@"+f[2]] = f[3]
		}
	}
	f, err := os.Open(app)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	p, err := provenance.FromGoBinary(f, provenance.BuildOptions{BuilderID: "https://example.com/b", Repository: "https://example.com/app"})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, m := range p.Materials {
		if d := m.Digest.Get(assay.DirHash); !d.IsZero() {
			sum, _ := hex.DecodeString(d.Hex())
			got[m.URI] = "h1:" + base64.StdEncoding.EncodeToString(sum)
		}
	}
	if d := diff(want, got); d != "" || len(want) == 0 {
		t.Errorf("%d modules by go version -m: %s", len(want), d)
	}
	if s := p.Source; s.Commit.Hex() != head || s.Modified != assay.Refuted || s.Repository != "https://example.com/app" {
		t.Errorf("got source %+v, want commit %s, unmodified", s, head)
	}
	b, err := provenance.Encode(p)
	if err != nil {
		t.Fatal(err)
	}
	agree(t, p, b)
	if bytes.Contains(b, []byte(dir)) {
		t.Errorf("a path of this machine came out: %s", b)
	}
}

func TestFromGoBinaryRefused(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(self)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	opts := provenance.BuildOptions{BuilderID: "https://example.com/b"}
	for name, tt := range map[string]struct {
		in   io.ReaderAt
		kind error
	}{
		"text":         {strings.NewReader("#!/bin/sh\necho this is not an executable, whatever it says\n"), assay.ErrAbsent},
		"empty":        {strings.NewReader(""), assay.ErrAbsent},
		"header alone": {io.NewSectionReader(f, 0, 100), assay.ErrInvalid},
		"failing disk": {failing{}, assay.ErrUnchecked},
	} {
		if p, err := provenance.FromGoBinary(tt.in, opts); p != nil || !errors.Is(err, tt.kind) {
			t.Errorf("%s: got %v, %v; want %v", name, p, err, tt.kind)
		}
	}
}

type failing struct{}

func (failing) ReadAt([]byte, int64) (int, error) { return 0, errors.New("input/output error") }

func TestCombine(t *testing.T) {
	opts := provenance.BuildOptions{BuilderID: "https://example.com/builder"}
	binary, err := provenance.FromBuildInfo(buildInfo(), opts)
	if err != nil {
		t.Fatal(err)
	}
	ci := githubWant()
	got, err := provenance.Combine(ci, binary)
	if err != nil {
		t.Fatal(err)
	}
	var uris []string
	for _, m := range got.Materials {
		uris = append(uris, m.URI)
	}
	want := "git+https://github.com/octo/repo@refs/tags/pkg@v1 pkg:golang/example.com/fork/a@v1.0.1 pkg:golang/example.com/nosum@v2.0.0%2Bincompatible pkg:golang/golang.org/x/text@v0.20.0 pkg:golang/stdlib@1.26.3"
	if s := strings.Join(uris, " "); s != want {
		t.Errorf("got %s\nwant %s", s, want)
	}
	if got.Builder.ID != ci.Builder.ID || got.Source.Modified != assay.Refuted {
		t.Errorf("got builder %v, source %+v", got.Builder, got.Source)
	}
	if d := diff(githubWant(), ci); d != "" {
		t.Errorf("the first was changed: %s", d)
	}
	twice, err := provenance.Combine(got, binary, binary)
	if err != nil {
		t.Fatal(err)
	}
	if d := diff(got, twice); d != "" {
		t.Errorf("combining again changes it: %s", d)
	}
	// The state of the work tree survives the wire.
	b, err := provenance.Encode(got)
	if err != nil {
		t.Fatal(err)
	}
	again, err := provenance.Read("again", assay.PredicateSLSA1, b)
	if err != nil || again.Source != got.Source {
		t.Errorf("read back %+v, %v; want %+v", again.Source, err, got.Source)
	}

	info := buildInfo()
	info.Settings = []debug.BuildSetting{{Key: "vcs", Value: "git"}, {Key: "vcs.revision", Value: strings.Repeat("f", 40)}}
	foreign, err := provenance.FromBuildInfo(info, opts)
	if err != nil {
		t.Fatal(err)
	}
	if p, err := provenance.Combine(ci, foreign); p != nil || !errors.Is(err, assay.ErrRefuted) || !strings.Contains(err.Error(), commit) {
		t.Errorf("another commit: %v, %v", p, err)
	}
}

func TestWithMaterials(t *testing.T) {
	p, err := provenance.Read("full.json", assay.PredicateSLSA1, []byte(full))
	if err != nil {
		t.Fatal(err)
	}
	sum := assay.MustDigest("sha256:" + h1Hex)
	got, err := provenance.WithMaterials(p,
		assay.Resource{URI: "pkg:docker/base@1", Digest: assay.DigestSet{sum}},
		assay.Resource{URI: "a:first"}, assay.Resource{URI: "pkg:docker/base@1"}, assay.Resource{URI: "a:first"})
	if err != nil {
		t.Fatal(err)
	}
	var uris []string
	for _, m := range got.Materials {
		uris = append(uris, m.URI)
	}
	if s := strings.Join(uris, " "); s != " a:first git+https://example.com/repo@refs/heads/main pkg:docker/base@1 pkg:golang/example.com/z@v1.0.0" {
		t.Errorf("got %s", s)
	}
	// Extensions point where they did.
	if v := string(got.Extensions["/buildDefinition/resolvedDependencies/2/vendor_x"]); v != "true" || len(got.Extensions) != len(p.Extensions) {
		t.Errorf("extensions are %v", got.Extensions)
	}
	if _, err := provenance.Encode(got); err != nil {
		t.Error(err)
	}
	other := assay.MustDigest("sha256:" + strings.Repeat("f", 64))
	if p, err := provenance.WithMaterials(got, assay.Resource{URI: "pkg:docker/base@1", Digest: assay.DigestSet{other}}); p != nil || !errors.Is(err, assay.ErrRefuted) || !strings.Contains(err.Error(), h1Hex) || !strings.Contains(err.Error(), "ffff") {
		t.Errorf("a contradiction gives %v, %v", p, err)
	}
	if p, err := provenance.WithMaterials(got, assay.Resource{Name: "x"}); p != nil || !errors.Is(err, assay.ErrInvalid) {
		t.Errorf("a name alone gives %v, %v", p, err)
	}
}

// Whatever build information says, what is made of it can be written and read back.
func FuzzFromBuildInfo(f *testing.F) {
	f.Add(buildInfo().String(), "https://github.com/octo/repo")
	f.Add("go\tgo1.26.3 X:jsonv2\npath\tcommand-line-arguments\nbuild\tvcs=git\nbuild\tvcs.revision="+commit+"\nbuild\tvcs.modified=true\n", "")
	f.Add("path\ta\nmod\ta\tv1.0.0\t"+h1+"\ndep\tb\tv1.0.0\t\n=>\t./b\t\t\n", "git://h/r")
	f.Fuzz(func(t *testing.T, text, repository string) {
		info, err := debug.ParseBuildInfo(text)
		if err != nil {
			t.Skip()
		}
		p, err := provenance.FromBuildInfo(info, provenance.BuildOptions{BuilderID: "https://example.com/b", Repository: repository})
		if err != nil {
			if _, ok := errors.AsType[*assay.Error](err); !ok || p != nil {
				t.Fatalf("got %v with untyped error %v", p, err)
			}
			return
		}
		b, err := provenance.Encode(p)
		if err != nil {
			t.Fatalf("made, but not encoded: %v", err)
		}
		again, err := provenance.Read("again", assay.PredicateSLSA1, b)
		if err != nil {
			t.Fatalf("encoded as %s, which is refused: %v", b, err)
		}
		again.Format = ""
		if d := diff(p, again); d != "" {
			t.Fatalf("read back: %s", d)
		}
	})
}
