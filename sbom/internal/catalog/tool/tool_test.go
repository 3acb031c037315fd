package tool

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assaykit/assay/sbom/internal/catalog/executable"
)

func names(s *Scanner, found []Found) []string {
	var out []string
	for _, f := range found {
		out = append(out, s.patterns[f.Pattern].Name+"@"+f.Version)
	}
	return out
}

func scan(s *Scanner, texts ...string) []string {
	return names(s, s.Scan([][]byte{[]byte("\x00" + strings.Join(texts, "\x00") + "\x00")}))
}

func TestScan(t *testing.T) {
	s := New()
	const ssl = "error:%08lX:%s:%s:%s\x00rsaEncryption"
	for name, c := range map[string]struct {
		texts []string
		want  []string
	}{
		"nothing":                         {[]string{"hello, world"}, nil},
		"node":                            {[]string{"node.js/v20.11.0"}, []string{"node@20.11.0"}},
		"node of the night":               {[]string{"node.js/v21.0.0-rc.1"}, []string{"node@21.0.0-rc.1"}},
		"python":                          {[]string{"cpython-311", "PYTHONHOME", "3.11.2"}, []string{"python@3.11.2"}},
		"python whose version is another": {[]string{"cpython-311", "PYTHONHOME", "3.12.2"}, nil},
		"what only loads modules":         {[]string{"cpython-311", "3.11.2"}, nil},
		"ruby":                            {[]string{"ruby 3.2.2 (2023-03-30 revision e51014f9c0) [x86_64-linux]"}, []string{"ruby@3.2.2"}},
		"old ruby":                        {[]string{"ruby 2.7.8p225 (2023-03-30 revision 1f4d455848) [x86_64-linux]"}, []string{"ruby@2.7.8"}},
		"openssl":                         {[]string{"OpenSSL 3.0.11 19 Sep 2023", ssl}, []string{"openssl@3.0.11"}},
		"openssl 1":                       {[]string{"OpenSSL 1.1.1w  11 Sep 2023", ssl}, []string{"openssl@1.1.1w"}},
		"who speaks of openssl":           {[]string{"needs OpenSSL 3.0.11 or later", "OpenSSL 3.0.11 19 Sep 2023", "error:%08lX:"}, nil},
		"java 8":                          {[]string{"OpenJDK 64-Bit Server VM (25.392-b08) for linux-amd64 JRE (1.8.0_392-b08), built on Oct 23 2023", "JNI_CreateJavaVM"}, []string{"openjdk@1.8.0_392"}},
		"java 17":                         {[]string{"OpenJDK 64-Bit Server VM (17.0.9+9) for linux-amd64 JRE (17.0.9+9), built on", "JNI_CreateJavaVM"}, []string{"openjdk@17.0.9"}},
		"redis":                           {[]string{"5.3.0", "7.2.3", "redis_git_sha1:%s\r\n", "7.2.3buildkitsandbox-1699000000000000000000000000"}, []string{"redis@7.2.3"}},
		"valkey":                          {[]string{"7.2.4", "redis_git_sha1:%s\r\n", "valkey_version", "7.2.4buildkitsandbox-1699000000000000000000000000"}, nil},
		"two that are linked":             {[]string{"nginx version: nginx/1.25.3", " deflate 1.3.1 Copyright 1995-2024 Jean-loup Gailly and Mark Adler "}, []string{"nginx@1.25.3", "zlib@1.3.1"}},
		"a list of versions":              {[]string{"BusyBox v1.1.1 ", "BusyBox v1.1.2 ", "BusyBox v1.1.3 ", "BusyBox v1.1.4 "}, nil},
		"many anchors":                    {[]string{strings.Repeat("BusyBox v", 5000), "BusyBox v1.36.1 (x)"}, nil},
		"postgres":                        {[]string{"postgres (PostgreSQL) 16.1\n"}, []string{"postgresql@16.1"}},
		"postgres before 10":              {[]string{"postgres (PostgreSQL) 9.6.24 (Debian)"}, []string{"postgresql@9.6.24"}},
	} {
		if d := cmp.Diff(c.want, scan(s, c.texts...)); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
}

func TestPatterns(t *testing.T) {
	for _, text := range New().texts {
		if len(text) < minAnchor || len(text) > maxText {
			t.Errorf("%q has %d bytes", text, len(text))
		}
	}
	if s := New(); len(s.texts)-len(s.patterns) > 64 {
		t.Errorf("%d texts besides, which are noted in 64 bits", len(s.texts)-len(s.patterns))
	}
	seen := map[string]bool{}
	for _, p := range Patterns() {
		if seen[p.Name] || (p.Version == "") == (p.Before == "") {
			t.Errorf("%s: anchor %q", p.Name, p.Anchor)
		}
		seen[p.Name] = true
		if cpe := p.CPE("1.2-3+4"); cpe != "cpe:2.3:a:"+p.Vendor+":"+p.Product+`:1.2\-3\+4:*:*:*:*:*:*:*` {
			t.Errorf("%s: %s", p.Name, cpe)
		}
		if p.CPE("1:2") != "" || p.CPE("") != "" {
			t.Errorf("%s: a CPE of no version", p.Name)
		}
	}
}

// TestDebian reads the executables of packages of Debian, moved: what is found must
// have the version of the package.
func TestDebian(t *testing.T) {
	dir := os.Getenv("ASSAY_DEBS")
	if dir == "" {
		t.Skip("ASSAY_DEBS names no folder with packages of Debian (*.deb)")
	}
	if _, err := exec.LookPath("dpkg-deb"); err != nil {
		t.Skip("there is no dpkg-deb")
	}
	// The package that has the program, by the name in the table.
	packages := map[string]string{
		"node": "libnode\\d+", "python": "python3\\.\\d+-minimal", "ruby": "libruby3\\.\\d", "php": "php8\\.\\d-cli", "perl": "perl-base", "openjdk": "openjdk-\\d+-jre-headless",
		"lua": "lua5\\.\\d", "nginx": "nginx", "httpd": "apache2-bin", "postgresql": "postgresql-\\d+", "redis": "redis-tools", "memcached": "memcached", "haproxy": "haproxy",
		"mariadb": "mariadb-server-core", "openssh": "openssh-server", "dropbear": "dropbear-bin", "busybox": "busybox-static", "bash": "bash", "curl": "curl", "git": "git",
		"openssl": "libssl3", "libcurl": "libcurl4", "expat": "libexpat1", "zlib": "zlib1g", "libpng": "libpng16-16", "sqlite": "libsqlite3-0", "glibc": "libc6",
	}
	debs, err := filepath.Glob(filepath.Join(dir, "*.deb"))
	if err != nil || len(debs) == 0 {
		t.Fatal(err, "no packages in ", dir)
	}
	s := New()
	checked := 0
	for _, name := range slices.Sorted(keys(packages)) {
		var deb, version string
		match := regexp.MustCompile(`^` + packages[name] + `_([^_]+)_`)
		for _, d := range debs {
			if m := match.FindStringSubmatch(filepath.Base(d)); m != nil {
				deb, version = d, strings.ReplaceAll(m[1], "%3a", ":")
			}
		}
		if deb == "" {
			t.Logf("%s: no package %s", name, packages[name])
			continue
		}
		to := t.TempDir()
		if out, err := exec.Command("dpkg-deb", "-x", deb, to).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v: %s", deb, err, out)
		}
		if _, v, ok := strings.Cut(version, ":"); ok {
			version = v
		}
		version = version[:strings.LastIndexByte(version, '-')]
		got := map[string]bool{}
		err := filepath.WalkDir(to, func(p string, d os.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() {
				return err
			}
			b, err := os.ReadFile(p)
			if err != nil || executable.KindOf(b) == "" || executable.KindOf(b) == executable.Script {
				return err
			}
			f, err := executable.Open(b)
			if err != nil {
				return err
			}
			for _, x := range s.Scan(f.Strings()) {
				if s.patterns[x.Pattern].Name == name {
					got[x.Version] = true
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		found := slices.Collect(keys(got))
		// Debian adds "+dfsg" and the like, and OpenSSH's "1p1".
		if len(found) != 1 || version != found[0] && !strings.HasPrefix(version, found[0]+".") && !strings.HasPrefix(version, found[0]+"+") && !strings.HasPrefix(version, found[0]+"~") {
			t.Errorf("%s: found %v, the package is %s", name, found, version)
		}
		checked++
	}
	t.Logf("%d programs", checked)
}

func keys[V any](m map[string]V) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// FuzzScan: the search skips no anchor that a plain one finds.
func FuzzScan(f *testing.F) {
	f.Add([]byte("node.js/v20.11.0\x00OpenSSL 3.0.11 19 Sep 2023"), uint16(9))
	f.Add([]byte("PERL5LIB\x00\x00v5.36.0\x00"), uint16(3))
	s := New()
	f.Fuzz(func(t *testing.T, b []byte, at uint16) {
		_ = s.Scan([][]byte{b})
		const probe = "BusyBox v1.36.1 ("
		if bytes.Contains(b, []byte("BusyBox v")) {
			t.Skip()
		}
		cut := int(at) % (len(b) + 1)
		with := slices.Concat(b[:cut], []byte(probe), b[cut:])
		if got := names(s, s.Scan([][]byte{with})); !slices.Contains(got, "busybox@1.36.1") {
			t.Fatalf("%q: %v", with, got)
		}
	})
}

// BenchmarkScan searches the texts of the program go. (This test's own has all the
// anchors in it.) The floor is one search of the standard library for each anchor.
func BenchmarkScan(b *testing.B) {
	exe, err := exec.LookPath("go")
	if err != nil {
		b.Skip(err)
	}
	content, err := os.ReadFile(exe)
	if err != nil {
		b.Fatal(err)
	}
	f, err := executable.Open(content)
	if err != nil {
		b.Fatal(err)
	}
	texts := f.Strings()
	n := 0
	for _, t := range texts {
		n += len(t)
	}
	s := New()
	b.SetBytes(int64(n))
	var floor, spent time.Duration
	for b.Loop() {
		start := time.Now()
		for _, p := range s.patterns {
			_ = slices.ContainsFunc(texts, func(t []byte) bool { return bytes.Contains(t, []byte(p.Anchor)) })
		}
		middle := time.Now()
		s.Scan(texts)
		floor, spent = floor+middle.Sub(start), spent+time.Since(middle)
	}
	b.ReportMetric(float64(spent)/float64(floor), "x-floor")
	b.ReportMetric(float64(n)/float64(len(content)), "of-file")
}
