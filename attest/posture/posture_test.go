package posture_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/attest/posture"
	"github.com/assaykit/assay/internal/testimage"
	"github.com/assaykit/assay/sbom"
)

type file = testimage.File

// good is an image that every rule proves: one static program, run by uid 65532.
func good() ([]file, v1.Config) {
	return []file{
		{Name: "etc/passwd", Body: "root:x:0:0:root:/root:/sbin/nologin\napp:x:65532:65532:app:/home/app:/sbin/nologin\n"},
		{Name: "etc/group", Body: "root:x:0:\napp:x:65532:\nextra:x:77:app\n"},
		{Name: "usr/share/doc/app/copyright", Body: "licence"},
		{Name: "var/lib/dpkg/status.d/app", Body: "Package: app\nStatus: install ok installed\nVersion: 1\nArchitecture: amd64\nMaintainer: a\nDescription: a\n\n"},
		{Name: "tmp/", Mode: 0o1777},
		{Name: "usr/bin/app", Mode: 0o755, Body: "\x7fELF"},
	}, v1.Config{User: "65532:65532", Entrypoint: []string{"/usr/bin/app"}, Env: []string{"PATH=/usr/local/bin:/usr/bin", "SSL_CERT_FILE=/etc/ssl/certs.pem"}}
}

func scan(t testing.TB, config v1.Config, layers ...testimage.Layer) *sbom.Contents {
	t.Helper()
	img := testimage.NewWith(t, testimage.Options{Config: func(c *v1.ConfigFile) { c.Config = config }}, layers...)
	contents, err := sbom.Scan(context.Background(), img, sbom.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return contents
}

func assess(t testing.TB, c *sbom.Contents) *assay.Posture {
	t.Helper()
	p, err := posture.Assess(c, posture.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func paths(f assay.Fact) []string {
	var out []string
	for _, l := range f.Found {
		out = append(out, l.Path)
	}
	return out
}

func TestGoodImage(t *testing.T) {
	files, config := good()
	contents := scan(t, config, testimage.Layer{Files: files})
	p := assess(t, contents)
	if len(p.Facts) != len(posture.Rules()) {
		t.Errorf("%d facts of %d rules", len(p.Facts), len(posture.Rules()))
	}
	for _, f := range p.Facts {
		if f.State != assay.Proven || len(f.Found) != 0 || f.Reason == "" {
			t.Errorf("%s: %s, %s, %v", f.Attribute, f.State, f.Reason, f.Found)
		}
	}
	if p.Config != contents.ConfigDigest || p.Platform.String() != "linux/amd64" || p.Producer.Version != posture.RulesVersion {
		t.Errorf("got %+v", p)
	}
}

// TestRules changes the good image in one way at a time. Exactly the rules that are
// named must say so, and all others stay proven.
func TestRules(t *testing.T) {
	add := func(f ...file) func(*[]file, *v1.Config) {
		return func(files *[]file, _ *v1.Config) { *files = append(*files, f...) }
	}
	config := func(change func(*v1.Config)) func(*[]file, *v1.Config) {
		return func(_ *[]file, c *v1.Config) { change(c) }
	}
	env := func(kv ...string) func(*[]file, *v1.Config) {
		return config(func(c *v1.Config) { c.Env = append(c.Env, kv...) })
	}
	exe := func(name string) file { return file{Name: name, Mode: 0o755} }
	type want map[assay.Attribute]string // state, then found paths
	for name, tt := range map[string]struct {
		change func(*[]file, *v1.Config)
		want   want
	}{
		"shell":                  {add(exe("bin/sh")), want{posture.NoShell: "refuted bin/sh"}},
		"shell in an odd folder": {add(exe("busybox/busybox")), want{posture.NoShell: "refuted busybox/busybox"}},
		"link to a program":      {add(exe("opt/thing"), testimage.Symlink("bin/sh", "/opt/thing")), want{posture.NoShell: "refuted bin/sh"}},
		"relative link":          {add(exe("opt/thing"), testimage.Symlink("bin/bash", "../opt/thing")), want{posture.NoShell: "refuted bin/bash"}},
		"hard link to busybox":   {add(exe("bin/busybox"), testimage.HardLink("bin/x", "bin/busybox")), want{posture.NoShell: "refuted bin/busybox bin/x"}},
		"version in the name":    {add(exe("bin/bash5.2")), want{posture.NoShell: "refuted bin/bash5.2"}},
		"dangling link":          {add(testimage.Symlink("bin/sh", "/nowhere")), want{}},
		"link in a circle":       {add(testimage.Symlink("bin/sh", "dash"), testimage.Symlink("bin/dash", "sh")), want{}},
		"no execute bit":         {add(file{Name: "usr/share/bash-completion/completions/curl", Mode: 0o644}), want{}},
		"folder named so":        {add(file{Name: "usr/lib/apt/"}), want{}},
		"like a shell":           {add(exe("usr/bin/shuffle"), exe("usr/bin/push"), exe("usr/bin/2")), want{}},
		"package manager":        {add(exe("usr/bin/apt-get")), want{posture.NoPackageManager: "refuted usr/bin/apt-get"}},
		"pip":                    {add(exe("usr/local/bin/pip3.11")), want{posture.NoPackageManager: "refuted usr/local/bin/pip3.11"}},
		"pip as a module":        {add(file{Name: "usr/lib/python3/site-packages/pip/__main__.py"}), want{posture.NoPackageManager: "refuted usr/lib/python3/site-packages/pip/__main__.py"}},
		"database alone":         {add(file{Name: "lib/apk/db/installed", Body: ""}), want{}},
		"compiler":               {add(exe("usr/bin/x86_64-linux-gnu-gcc-12")), want{posture.NoCompiler: "refuted usr/bin/x86_64-linux-gnu-gcc-12"}},
		"loader is no linker":    {add(exe("lib64/ld-linux-x86-64.so.2")), want{}},
		"debugger":               {add(exe("usr/bin/strace")), want{posture.NoDebugTools: "refuted usr/bin/strace"}},
		"network tools":          {add(exe("usr/bin/curl"), exe("usr/sbin/sshd")), want{posture.NoNetworkTools: "refuted usr/bin/curl usr/sbin/sshd"}},
		"workers of apt":         {add(exe("usr/lib/apt/methods/ssh")), want{}},
		"docs":                   {add(file{Name: "usr/share/man/man1/app.1.gz"}, file{Name: "usr/share/doc/app/README"}), want{posture.NoDocs: "refuted usr/share/doc/app/README usr/share/man/man1/app.1.gz"}},
		"licences":               {add(file{Name: "usr/share/doc/b/LICENSE.txt"}, file{Name: "usr/share/doc/b/copyright"}, file{Name: "usr/share/doc/b/NOTICE"}), want{}},
		"apt lists":              {add(file{Name: "var/lib/apt/lists/deb.debian.org_InRelease", Body: "x"}, file{Name: "var/lib/apt/lists/lock"}), want{posture.NoCache: "refuted var/lib/apt/lists/deb.debian.org_InRelease"}},
		"cache folder":           {add(file{Name: "root/.cache/pip/a", Body: "x"}), want{posture.NoCache: "refuted root/.cache/pip/a"}},
		"byte code":              {add(file{Name: "app/__pycache__/a.pyc", Body: "x"}), want{}},
		"VCS":                    {add(file{Name: "src/.git/HEAD"}), want{posture.NoVCS: "refuted src/.git"}},
		"gitignore":              {add(file{Name: "src/.gitignore"}), want{}},
		"setuid":                 {add(file{Name: "usr/bin/su", Mode: 0o4755}, file{Name: "usr/bin/wall", Mode: 0o2755}), want{posture.NoSetuid: "refuted usr/bin/su usr/bin/wall"}},
		"setgid folder":          {add(file{Name: "var/mail/", Mode: 0o2755}), want{}},
		"capability":             {add(file{Name: "usr/bin/x", Mode: 0o755, Caps: testimage.CapNetBindService}), want{posture.NoFileCapabilities: "refuted usr/bin/x"}},
		"unreadable capability":  {add(file{Name: "usr/bin/x", Mode: 0o755, Caps: "zzzz"}), want{posture.NoFileCapabilities: "refuted usr/bin/x"}},
		"world-writable":         {add(file{Name: "srv/data", Mode: 0o666}, file{Name: "srv/open/", Mode: 0o777}, file{Name: "srv/sticky/", Mode: 0o1777}), want{posture.NoWorldWritable: "refuted srv/data srv/open"}},
		"world-writable in tmp":  {add(file{Name: "tmp/x", Mode: 0o666}, file{Name: "run/x", Mode: 0o666}), want{}},
		"beside tmp":             {add(file{Name: "tmpx/y", Mode: 0o666}), want{posture.NoWorldWritable: "refuted tmpx/y"}},
		"in a volume": {func(f *[]file, c *v1.Config) {
			*f = append(*f, file{Name: "data/x", Mode: 0o666})
			c.Volumes = map[string]struct{}{"/data/": {}}
		}, want{}},
		"volume of everything": {func(f *[]file, c *v1.Config) {
			*f = append(*f, file{Name: "data/x", Mode: 0o666})
			c.Volumes = map[string]struct{}{"/": {}}
		}, want{posture.NoWorldWritable: "refuted data/x"}},
		"volume over usr": {func(f *[]file, c *v1.Config) {
			*f = append(*f, file{Name: "usr/x", Mode: 0o666})
			c.Volumes = map[string]struct{}{"/usr": {}}
		}, want{posture.NoWorldWritable: "refuted usr/x"}},
		"no user":                  {config(func(c *v1.Config) { c.User = "" }), want{posture.NonRootUser: "refuted #/config/User", posture.NumericUser: "refuted #/config/User", posture.NoUserWritableExecutionPath: "refuted #/config/User"}},
		"root by number":           {config(func(c *v1.Config) { c.User = "0:65532" }), want{posture.NonRootUser: "refuted #/config/User", posture.NoUserWritableExecutionPath: "refuted #/config/User"}},
		"user by name":             {config(func(c *v1.Config) { c.User = "app" }), want{posture.NumericUser: "refuted #/config/User"}},
		"unknown name":             {config(func(c *v1.Config) { c.User = "nobody" }), want{posture.NonRootUser: "refuted #/config/User", posture.NumericUser: "refuted #/config/User", posture.NoUserWritableExecutionPath: "unknown"}},
		"program owned by user":    {add(file{Name: "usr/bin/app", Mode: 0o555, UID: 65532}), want{posture.NoUserWritableExecutionPath: "refuted usr/bin/app"}},
		"program of the group":     {add(file{Name: "usr/bin/app", Mode: 0o775, GID: 65532}), want{posture.NoUserWritableExecutionPath: "refuted usr/bin/app"}},
		"program of another group": {add(file{Name: "usr/bin/app", Mode: 0o775, GID: 77}), want{posture.NoUserWritableExecutionPath: "refuted usr/bin/app"}}, // app is in extra
		"program of a third group": {add(file{Name: "usr/bin/app", Mode: 0o775, GID: 78}), want{}},
		"folder of the user":       {add(file{Name: "usr/bin/", Mode: 0o755, UID: 65532}), want{posture.NoUserWritableExecutionPath: "refuted usr/bin"}},
		"PATH folder of the user":  {add(file{Name: "usr/local/bin/", Mode: 0o755, UID: 65532}), want{posture.NoUserWritableExecutionPath: "refuted usr/local/bin"}},
		"PATH folder to be made":   {add(file{Name: "usr/local/", Mode: 0o755, UID: 65532}), want{posture.NoUserWritableExecutionPath: "refuted usr/local"}},
		"relative PATH":            {env("PATH=bin:/usr/bin"), want{posture.NoUserWritableExecutionPath: "refuted #/config/Env/PATH"}},
		"library path": {func(f *[]file, c *v1.Config) {
			*f = append(*f, file{Name: "opt/lib/", UID: 65532})
			c.Env = append(c.Env, "LD_LIBRARY_PATH=/opt/lib")
		}, want{posture.NoUserWritableExecutionPath: "refuted opt/lib"}},
		"loader of the user": {add(file{Name: "lib64/ld-linux-x86-64.so.2", Mode: 0o755, UID: 65532}), want{posture.NoUserWritableExecutionPath: "refuted lib64/ld-linux-x86-64.so.2"}},
		"script argument": {func(f *[]file, c *v1.Config) {
			*f = append(*f, file{Name: "srv/app/main.js", UID: 65532})
			c.Cmd, c.WorkingDir = []string{"main.js"}, "/srv/app"
		}, want{posture.NoUserWritableExecutionPath: "refuted srv/app/main.js"}},
		"command through a link": {func(f *[]file, c *v1.Config) {
			*f = append(*f, testimage.Symlink("home/app/run", "/usr/bin/app"), file{Name: "home/app/", UID: 65532})
			c.Entrypoint = []string{"/home/app/run"}
		}, want{posture.NoUserWritableExecutionPath: "refuted home/app"}},
		"command by PATH":   {config(func(c *v1.Config) { c.Entrypoint, c.Cmd = nil, []string{"app"} }), want{}},
		"no command":        {config(func(c *v1.Config) { c.Entrypoint = nil }), want{posture.NoUserWritableExecutionPath: "unknown"}},
		"command not there": {config(func(c *v1.Config) { c.Entrypoint = []string{"/nope"} }), want{posture.NoUserWritableExecutionPath: "unknown"}},
		"secret by name":    {env("DB_PASSWORD=hunter2", "X_API_KEY=abc"), want{posture.NoEnvSecrets: "refuted #/config/Env/DB_PASSWORD #/config/Env/X_API_KEY"}},
		"secret by value":   {env("A=AKIAIOSFODNN7EXAMPLE", "B=postgres://u:p4ss@db/x"), want{posture.NoEnvSecrets: "refuted #/config/Env/A #/config/Env/B"}},
		"no secrets": {env("GPG_KEY=7169605F62C751356D054A26A821E680E5FA6305", "TOKENIZERS_PARALLELISM=true", "PASSWORD_FILE=/run/secrets/x", "DB_PASSWORD=", "API_TOKEN=/run/secrets/t",
			"PWD=/srv", "ALLOW_EMPTY_PASSWORD=yes", "TOKEN_TTL=3600", "KEYCLOAK_URL=https://a/b", "SECRET=${SECRET}", "URL=https://user@host/"), want{}},
	} {
		t.Run(name, func(t *testing.T) {
			files, config := good()
			tt.change(&files, &config)
			for _, f := range assess(t, scan(t, config, testimage.Layer{Files: files})).Facts {
				want := "proven"
				if w, ok := tt.want[f.Attribute]; ok {
					want = w
				}
				if got := strings.TrimSpace(f.State.String() + " " + strings.Join(paths(f), " ")); got != want {
					t.Errorf("%s: got %s, want %s (%s)", f.Attribute, got, want, f.Reason)
				}
				if f.Reason == "" || f.State != assay.Proven && f.FoundTotal != len(f.Found) {
					t.Errorf("%s: reason %q, %d of %d", f.Attribute, f.Reason, len(f.Found), f.FoundTotal)
				}
				if strings.Contains(fmt.Sprint(f), "hunter2") || strings.Contains(fmt.Sprint(f), "p4ss") {
					t.Errorf("%s gives a secret away: %v", f.Attribute, f)
				}
			}
		})
	}
}

func TestUser(t *testing.T) {
	for name, tt := range map[string]struct {
		user, passwd, group string
		state               assay.State
		says                string
	}{
		"number without files":    {"1000", "", "", assay.Proven, "uid 1000, gid 0"},
		"number and group":        {"1000:1000", "", "", assay.Proven, "uid 1000, gid 1000"},
		"number in passwd":        {"1000", "app:x:1000:50::/:", "", assay.Proven, "gid 50"},
		"name":                    {"app", "app:x:1000:50::/:", "", assay.Proven, "uid 1000, gid 50"},
		"name and group name":     {"app:grp", "app:x:1000:50::/:", "grp:x:60:", assay.Proven, "gid 60"},
		"root by name":            {"root", "root:x:0:0::/:", "", assay.Refuted, "root"},
		"alias of root":           {"toor", "toor:x:0:0::/:", "", assay.Refuted, "uid 0"},
		"zero":                    {"0", "", "", assay.Refuted, "uid 0"},
		"zeros":                   {"000", "", "", assay.Refuted, "uid 0"},
		"plus zero":               {"+0", "", "", assay.Refuted, "uid 0"},
		"first line counts":       {"app", "app:x:0:0::/:\napp:x:1000:50::/:", "", assay.Refuted, "uid 0"},
		"number that is not read": {"app", "app:x:abc:1::/:", "", assay.Refuted, "uid 0"},
		"short line":              {"app", "app", "", assay.Refuted, "uid 0"},
		"number is a name":        {"1000", "1000:x:0:0::/:", "", assay.Refuted, "runtimes differ"},
		"unknown name":            {"app", "root:x:0:0::/:", "", assay.Refuted, "not in etc/passwd"},
		"commented":               {"app", "#app:x:1000:50::/:", "", assay.Refuted, "not in etc/passwd"},
		"unknown group":           {"1000:grp", "", "", assay.Refuted, "not in etc/group"},
		"too large":               {"4294967295", "", "", assay.Refuted, "neither"},
		"negative":                {"-1", "", "", assay.Refuted, "neither"},
		"group only":              {":5", "", "", assay.Refuted, "neither"},
	} {
		t.Run(name, func(t *testing.T) {
			files := []file{{Name: "app", Mode: 0o755}}
			if tt.passwd != "" {
				files = append(files, file{Name: "etc/passwd", Body: tt.passwd})
			}
			if tt.group != "" {
				files = append(files, file{Name: "etc/group", Body: tt.group})
			}
			f, _ := assess(t, scan(t, v1.Config{User: tt.user}, testimage.Layer{Files: files})).Fact(posture.NonRootUser)
			if f.State != tt.state || !strings.Contains(f.Reason, tt.says) {
				t.Errorf("got %s, %s; want %s, %s", f.State, f.Reason, tt.state, tt.says)
			}
		})
	}
	// A passwd that is too large to be kept was not read: nothing is known.
	big := file{Name: "etc/passwd", Body: strings.Repeat("a:x:1:1::/:\n", 1<<17)}
	f, _ := assess(t, scan(t, v1.Config{User: "app"}, testimage.Layer{Files: []file{big}})).Fact(posture.NonRootUser)
	if f.State != assay.Unknown {
		t.Errorf("got %s, %s", f.State, f.Reason)
	}
}

func TestLayers(t *testing.T) {
	files, config := good()
	secret := file{Name: "srv/secret", Body: "s", Mode: 0o600}
	contents := scan(t, config, testimage.Layer{Files: append(files, secret, file{Name: "bin/sh", Mode: 0o4755})},
		testimage.Layer{Files: []file{testimage.Whiteout("srv/secret"), testimage.Whiteout("bin/sh"), {Name: "etc/group", Body: "root:x:0:\n"}}})
	p := assess(t, contents)
	f, _ := p.Fact(posture.NoDeletedFiles)
	want := []assay.Location{{Layer: contents.Layers[0].DiffID, Path: "bin/sh"}, {Layer: contents.Layers[0].DiffID, Path: "srv/secret"}}
	if diff := cmp.Diff(want, f.Found, cmp.Comparer(func(a, b assay.Digest) bool { return a == b })); diff != "" || f.State != assay.Refuted {
		t.Errorf("%s %s", f.State, diff)
	}
	for _, a := range []assay.Attribute{posture.NoShell, posture.NoSetuid} {
		if f, _ := p.Fact(a); f.State != assay.Proven {
			t.Errorf("%s counts a deleted file: %v", a, f)
		}
	}
}

func TestFolder(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "bin"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "bin", "sh"), nil, 0o755); err != nil {
		t.Fatal(err)
	}
	contents, err := sbom.ScanFolder(context.Background(), dir, sbom.Options{Created: time.Unix(0, 0)})
	if err != nil {
		t.Fatal(err)
	}
	p := assess(t, contents)
	for a, want := range map[assay.Attribute]assay.State{
		posture.NoShell: assay.Refuted, posture.NoSetuid: assay.Proven, posture.NonRootUser: assay.Unknown, posture.NumericUser: assay.Unknown,
		posture.NoUserWritableExecutionPath: assay.Unknown, posture.NoEnvSecrets: assay.Unknown, posture.NoDeletedFiles: assay.Unknown,
	} {
		if f, _ := p.Fact(a); f.State != want {
			t.Errorf("%s: got %s, want %s (%s)", a, f.State, want, f.Reason)
		}
	}
}

func TestAmbiguousIsNotProven(t *testing.T) {
	files, config := good()
	contents := scan(t, config, testimage.Layer{Files: files})
	contents.Ambiguous = []sbom.Ambiguity{{Path: "lib/\xffx", Reason: "through a link"}}
	p := assess(t, contents)
	for _, f := range p.Facts {
		want := assay.Unknown
		switch f.Attribute {
		case posture.NumericUser, posture.NoEnvSecrets, posture.NoDeletedFiles:
			want = assay.Proven
		}
		if f.State != want {
			t.Errorf("%s: got %s, want %s", f.Attribute, f.State, want)
		}
	}
	if _, err := posture.Encode(p); err != nil {
		t.Error(err)
	}
}

// A table of contents that says that there is no shell proves nothing of the archive; one
// that says that there is one is believed.
func TestTableIsNoProof(t *testing.T) {
	files, config := good()
	for _, tt := range []struct {
		files []file
		shell assay.State
	}{{files, assay.Unknown}, {append(slices.Clone(files), file{Name: "bin/sh", Mode: 0o755}), assay.Refuted}} {
		contents := scan(t, config, testimage.Layer{Files: tt.files}, testimage.Layer{Files: []file{{Name: "x"}}})
		contents.Layers[1].TOC = assay.SumSHA256([]byte("table"))
		for _, f := range assess(t, contents).Facts {
			want := assay.Unknown
			switch f.Attribute {
			case posture.NumericUser, posture.NoEnvSecrets:
				want = assay.Proven
			case posture.NoShell:
				want = tt.shell
			}
			if f.State != want || want == assay.Unknown && !strings.Contains(f.Reason, "layer 1 was read by its table of contents") {
				t.Errorf("%s: got %s (%s), want %s", f.Attribute, f.State, f.Reason, want)
			}
		}
	}
}

func TestOtherPlatform(t *testing.T) {
	files, _ := good()
	img := testimage.NewWith(t, testimage.Options{Config: func(c *v1.ConfigFile) { c.OS = "windows" }}, testimage.Layer{Files: append(files, file{Name: "bin/sh", Mode: 0o755})})
	contents, err := sbom.Scan(context.Background(), img, sbom.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range assess(t, contents).Facts {
		if f.State != assay.Unknown || !strings.Contains(f.Reason, "windows") || f.FoundTotal != 0 {
			t.Errorf("%+v", f)
		}
	}
}

func TestFoundIsCut(t *testing.T) {
	var files []file
	for i := range 50 {
		files = append(files, file{Name: fmt.Sprintf("s/%02d/bash", i), Mode: 0o755})
	}
	files = append(files, file{Name: "s/\xff/bash", Mode: 0o755})
	contents := scan(t, v1.Config{}, testimage.Layer{Files: files})
	for maxFound, want := range map[int]int{0: posture.DefaultMaxFound, 3: 3, -1: 51} {
		p, err := posture.Assess(contents, posture.Options{MaxFound: maxFound})
		if err != nil {
			t.Fatal(err)
		}
		f, _ := p.Fact(posture.NoShell)
		if len(f.Found) != want || f.FoundTotal != 51 || f.Found[0].Path != "s/00/bash" {
			t.Errorf("%d: listed %d of %d", maxFound, len(f.Found), f.FoundTotal)
		}
		if _, err := posture.Encode(p); err != nil {
			t.Error(err)
		}
	}
}

func TestAssessRefuses(t *testing.T) {
	for _, c := range []*sbom.Contents{nil, {}} {
		if p, err := posture.Assess(c, posture.Options{}); !errors.Is(err, assay.ErrInvalid) || p != nil {
			t.Errorf("got %v, %v", p, err)
		}
	}
}

func TestRulesTable(t *testing.T) {
	rules := posture.Rules()
	doc, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range rules {
		if i > 0 && rules[i-1].Attribute >= r.Attribute {
			t.Errorf("%s is not in order", r.Attribute)
		}
		if r.Title == "" || r.Stage != assay.Minimal && r.Stage != assay.Hardened || !slices.IsSorted(r.Standards) {
			t.Errorf("%+v", r)
		}
		if !strings.Contains(string(doc), string(r.Attribute)) {
			t.Errorf("the package comment does not explain %s", r.Attribute)
		}
	}
	rules[0].Standards[0] = "x"
	if posture.Rules()[0].Standards[0] == "x" {
		t.Error("the table can be changed from outside")
	}
}
