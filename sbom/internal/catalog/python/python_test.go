package python

import (
	"archive/zip"
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/testscalibr"
)

var unexported = cmp.Options{cmp.AllowUnexported(Marker{}, operand{}), cmp.Comparer(func(a, b assay.Digest) bool { return a == b })}

func TestMetadataOfOthers(t *testing.T) {
	cases := testscalibr.Cases(t, "extractor/filesystem/language/python/wheelegg")
	if len(cases) < 12 {
		t.Errorf("%d cases", len(cases))
	}
	for _, c := range cases {
		t.Run(filepath.Base(c.File), func(t *testing.T) {
			data, err := os.ReadFile(c.File)
			if err != nil {
				t.Fatal(err)
			}
			parse := ParseMetadata
			if ext := filepath.Ext(c.File); ext == ".whl" || ext == ".egg" {
				parse = ParseArchive
			}
			p, err := parse(c.File, data)
			var got []string
			switch {
			case err == nil:
				got = []string{p.Name + "@" + p.Version}
			case errors.Is(err, ErrNoMetadata):
			case !c.Fails:
				t.Fatal(err)
			}
			if d := cmp.Diff(c.Packages, got); d != "" && len(c.Packages)+len(got) > 0 {
				t.Error("packages (-osv-scalibr +here):\n" + d)
			}
		})
	}
}

func TestParseMetadata(t *testing.T) {
	const text = `Metadata-Version: 2.4
name: Zope.Interface_X
Version: 1.0+local
Version: 2.0
Summary: one
  two
Author: A
Author-email: a@example.org
Maintainer-email: M <m@example.org>
Home-page: https://x.example/
Download-URL: UNKNOWN
Project-URL: Bug Tracker, https://x.example/issues?a=1,2
Project-URL: no url
License-Expression: mit or Apache-2.0
License: Proprietary
Classifier: License :: OSI Approved :: MIT License
Requires-Dist: Requests[socks,Security] (>=2.0) ; python_version < "3.8"
Requires-Dist: x @ https://example.org/x;1.zip ; extra == 'test'
Requires-Dist: y;os_name=="nt" and (extra=="a" or extra=="b")
Requires-Dist: !

Name: not a header
`
	got, err := ParseMetadata("METADATA", []byte(strings.ReplaceAll(text, "\n", "\r\n")))
	if err != nil {
		t.Fatal(err)
	}
	eq := func(l, r string) *Marker { return &Marker{op: "==", left: operand{name: l}, right: operand{text: r}} }
	want := &Package{
		Name: "Zope.Interface_X", Version: "1.0+local", Summary: "one", Supplier: "M <m@example.org>", Author: "A <a@example.org>",
		HomePage: "https://x.example/", Links: []Link{{"Bug Tracker", "https://x.example/issues?a=1,2"}},
		Licenses: []assay.License{{Expression: "MIT OR Apache-2.0"}}, Partial: true,
		Requires: []Requirement{
			{Name: "requests", Extras: []string{"socks", "security"}, Marker: &Marker{op: "<", left: operand{name: "python_version"}, right: operand{text: "3.8"}}},
			{Name: "x", Marker: eq("extra", "test")},
			{Name: "y", Marker: &Marker{op: "and", kids: []*Marker{eq("os_name", "nt"), {op: "or", kids: []*Marker{eq("extra", "a"), eq("extra", "b")}}}}},
		},
	}
	if d := cmp.Diff(want, got, unexported); d != "" {
		t.Error(d)
	}
	if NormalName(want.Name) != "zope-interface-x" {
		t.Error(NormalName(want.Name))
	}
	for _, bad := range []string{"", "Name: a\n", "Version: 1\n", "Name: a\n\nVersion: 1\n", "Name:\nVersion: 1\n", "no header\nName: a\nVersion: 1\n"} {
		if p, err := ParseMetadata("x/METADATA", []byte(bad)); p != nil || !errors.Is(err, assay.ErrInvalid) || !strings.Contains(err.Error(), "x/METADATA") {
			t.Errorf("%q: %v, %v", bad, p, err)
		}
	}
	if p, err := ParseMetadata("x", []byte("Name: a\nVersion: 1\n"+strings.Repeat("Requires-Dist: b\n", maxRequires+1))); p != nil || !errors.Is(err, assay.ErrBound) {
		t.Errorf("%v", err)
	}
}

func TestLicenses(t *testing.T) {
	expr := func(s string) []assay.License { return []assay.License{{Expression: s}} }
	for title, c := range map[string]struct {
		header string
		want   []assay.License
	}{
		"expression":          {"License-Expression: bsd-3-clause", expr("BSD-3-Clause")},
		"field":               {"License: Apache-2.0", expr("Apache-2.0")},
		"classifier wins":     {"License: MIT licence\nClassifier: License :: OSI Approved :: MIT License", expr("MIT")},
		"ambiguous":           {"Classifier: License :: OSI Approved :: BSD License", []assay.License{{Name: "BSD License"}}},
		"two":                 {"Classifier: License :: OSI Approved :: MIT License\nClassifier: License :: OSI Approved :: Mozilla Public License 2.0 (MPL 2.0)", []assay.License{{Expression: "MIT"}, {Expression: "MPL-2.0"}}},
		"text":                {"License: Copyright me\n  all rights", []assay.License{{Name: "Copyright me"}}},
		"approved is nothing": {"License: UNKNOWN\nClassifier: License :: OSI Approved", nil},
	} {
		p, err := ParseMetadata("x", []byte("Name: a\nVersion: 1\n"+c.header+"\n"))
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(c.want, p.Licenses); d != "" {
			t.Errorf("%s: %s", title, d)
		}
	}
}

func TestMarkers(t *testing.T) {
	env := Environment{"python_version": "3.11", "os_name": "posix", "sys_platform": "linux", "platform_machine": "x86_64"}
	for text, want := range map[string]Truth{
		`python_version >= "3.8"`:                          True,
		`python_version < '3.9'`:                           False,
		`"3.9" <= python_version`:                          True,
		`python_version == "3.*"`:                          True,
		`python_version != "3.1.*"`:                        True,
		`python_version ~= "3.10"`:                         True,
		`python_version ~= "2.7"`:                          False,
		`python_version in "2.7 3.1"`:                      False,
		`python_version not in "2.7 3.1"`:                  True,
		`python_version > "3.7b1"`:                         Unknown,
		`python_full_version < "3.11.4"`:                   Unknown,
		`python_full_version < "3.10.4"`:                   False,
		`python_full_version >= "3.7"`:                     True,
		`sys_platform == "win32"`:                          False,
		`sys.platform != "win32"`:                          True,
		`sys_platform > "a"`:                               Unknown,
		`implementation_name == "pypy"`:                    Unknown,
		`extra == "test"`:                                  False,
		`extra == "Want_it"`:                               True,
		`extra != "test"`:                                  True,
		`"x" in extra`:                                     Unknown,
		`implementation_name == "a" and os_name == "nt"`:   False,
		`implementation_name == "a" or os_name == "posix"`: True,
		`implementation_name == "a" or os_name == "nt"`:    Unknown,
		`(os_name == "nt" or os_name == "posix") and platform_machine in "x86_64 aarch64"`: True,
	} {
		m, err := ParseMarker(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := m.Holds(env, "want-it"); got != want {
			t.Errorf("%s: %d, want %d", text, got, want)
		}
	}
	if (*Marker)(nil).Holds(nil, "") != True {
		t.Error("no marker does not hold")
	}
	for _, bad := range []string{"", "a == 'b'", "os_name", "os_name == ", "os_name = 'x'", "os_name == 'x' and", "(os_name == 'x'", "os_name == 'x", "os_name == 'x' os_name == 'y'",
		strings.Repeat("(", 40) + "os_name == 'x'" + strings.Repeat(")", 40)} {
		if m, err := ParseMarker(bad); m != nil || !errors.Is(err, assay.ErrInvalid) {
			t.Errorf("%q: %v, %v", bad, m, err)
		}
	}
}

func TestParseRequires(t *testing.T) {
	got, partial := ParseRequires([]byte("a>=1\n\n[:python_version < '3']\nb\n\n[test]\nc; os_name == 'nt'\n\n[bad:x]\nd\n"))
	extra := &Marker{op: "==", left: operand{name: "extra"}, right: operand{text: "test"}}
	want := []Requirement{
		{Name: "a"}, {Name: "b", Marker: &Marker{op: "<", left: operand{name: "python_version"}, right: operand{text: "3"}}},
		{Name: "c", Marker: &Marker{op: "and", kids: []*Marker{extra, {op: "==", left: operand{name: "os_name"}, right: operand{text: "nt"}}}}},
	}
	if d := cmp.Diff(want, got, unexported); d != "" || !partial {
		t.Error(partial, d)
	}
}

func TestRecord(t *testing.T) {
	got := ParseRecord([]byte("a/b.py,sha256=x,1\r\n\"c,\"\"d\"\"\",,\n../../../bin/x,,\n\n/abs,,\n"))
	if d := cmp.Diff([]string{"a/b.py", `c,"d"`, "../../../bin/x", "/abs"}, got); d != "" {
		t.Error(d)
	}
	for file, want := range map[string]string{"a": "usr/lib/p/a", "../../bin/x": "usr/bin/x", "/abs": "abs", "../../../../../x": "x", "a\x00": ""} {
		if got := Resolve("usr/lib/p", file); got != want {
			t.Errorf("%q: %q", file, got)
		}
	}
}

func TestParseDirectURL(t *testing.T) {
	const sum = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	hashes := assay.DigestSet{assay.MustDigest("sha256:" + sum)}
	for text, want := range map[string]DirectURL{
		`{"url":"https://u:p@x.test/a.git","vcs_info":{"vcs":"git","commit_id":"abc","requested_revision":"main"}}`: {URL: "git+https://x.test/a.git@abc", VCS: true},
		`{"url":"https://x.test/a.whl","archive_info":{"hash":"sha256=` + sum + `"}}`:                               {URL: "https://x.test/a.whl", Hashes: hashes},
		`{"url":"https://x.test/a.whl","archive_info":{"hashes":{"sha256":"` + sum + `","x":"1"}}}`:                 {URL: "https://x.test/a.whl", Hashes: hashes},
		`{"url":"file:///src","dir_info":{"editable":true}}`:                                                        {URL: "file:///src", Editable: true},
		`{"url":"ssh://git@x.test/a","vcs_info":{"vcs":"git","commit_id":"1"}}`:                                     {URL: "git+ssh://git@x.test/a@1", VCS: true},
	} {
		got, err := ParseDirectURL("x", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(&want, got, unexported); d != "" {
			t.Error(d)
		}
	}
	for _, bad := range []string{"", "{}", `{"url":"x"}`, `{"url":"https://a","url":"https://b"}`, `{"url":1}`} {
		if d, err := ParseDirectURL("d/direct_url.json", []byte(bad)); d != nil || !errors.Is(err, assay.ErrInvalid) || !strings.Contains(err.Error(), "d/direct_url.json") {
			t.Errorf("%q: %v, %v", bad, d, err)
		}
	}
}

// archive makes a zip file of names and contents, after a prefix.
func archive(tb testing.TB, prefix string, files ...string) []byte {
	tb.Helper()
	var b bytes.Buffer
	b.WriteString(prefix)
	w := zip.NewWriter(&b)
	w.SetOffset(int64(len(prefix)))
	for i := 0; i < len(files); i += 2 {
		f, err := w.Create(files[i])
		if err == nil {
			_, err = f.Write([]byte(files[i+1]))
		}
		if err != nil {
			tb.Fatal(err)
		}
	}
	if err := w.SetComment("a comment"); err != nil {
		tb.Fatal(err)
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

const metadata = "Name: a\nVersion: 1\n"

func TestParseArchive(t *testing.T) {
	wheel := archive(t, "", "a/__init__.py", "x", "a-1.dist-info/METADATA", metadata, "deep/b-1.dist-info/METADATA", "Name: b\nVersion: 1\n")
	if p, err := ParseArchive("a.whl", wheel); err != nil || p.Name != "a" {
		t.Errorf("%v, %v", p, err)
	}
	egg := archive(t, "#!/usr/bin/env python\n", "EGG-INFO/PKG-INFO", metadata, "EGG-INFO/requires.txt", "b\n")
	if p, err := ParseArchive("a.egg", egg); err != nil || len(p.Requires) != 1 {
		t.Errorf("%v, %v", p, err)
	}
	if p, err := ParseArchive("a.egg", archive(t, "", "x.py", "")); p != nil || !errors.Is(err, ErrNoMetadata) {
		t.Errorf("%v, %v", p, err)
	}
	swapped := bytes.Clone(wheel)
	i := bytes.Index(swapped, []byte("PK\x03\x04"))
	j := bytes.Index(swapped[i+4:], []byte("METADATA")) + i + 4
	swapped[j+12] ^= 0xff // the content
	for title, data := range map[string][]byte{
		"cut":         wheel[:len(wheel)-40],
		"no zip":      []byte("PK\x03\x04 nothing"),
		"content":     swapped,
		"twice":       archive(t, "", "a-1.dist-info/METADATA", metadata, "b-1.dist-info/METADATA", metadata),
		"no metadata": archive(t, "", "a-1.dist-info/METADATA", "x"),
	} {
		if p, err := ParseArchive("dir/a.whl", data); p != nil || !errors.Is(err, assay.ErrInvalid) || !strings.Contains(err.Error(), "dir/a.whl") {
			t.Errorf("%s: %v, %v", title, p, err)
		}
	}
	bomb := archive(t, "", "a-1.dist-info/METADATA", metadata+strings.Repeat("\n", maxMetadata))
	if p, err := ParseArchive("dir/a.whl", bomb); p != nil || !errors.Is(err, assay.ErrBound) {
		t.Errorf("bomb: %v, %v", p, err)
	}
}

func FuzzParseMetadata(f *testing.F) {
	f.Add([]byte(metadata + "License: MIT\nRequires-Dist: b[c] (>1); extra == 'x' and (python_version < '3')\n\nText"))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := ParseMetadata("x", data)
		if (p == nil) == (err == nil) {
			t.Fatalf("%v, %v", p, err)
		}
		if p == nil {
			if !errors.Is(err, assay.ErrInvalid) && !errors.Is(err, assay.ErrBound) {
				t.Fatal(err)
			}
			return
		}
		if p.Name == "" || p.Version == "" || p.Size() < len(p.Name) {
			t.Fatalf("%+v", p)
		}
		for _, r := range p.Requires {
			if !ValidName(r.Name) || NormalName(r.Name) != r.Name {
				t.Fatalf("%q", r.Name)
			}
			r.Marker.Holds(Environment{"python_version": "3.11"}, "")
		}
	})
}

func FuzzParseMarker(f *testing.F) {
	f.Add(`(os_name == "nt" or 'x' in platform_machine) and extra != "y"`, "3.11")
	f.Fuzz(func(t *testing.T, text, version string) {
		m, err := ParseMarker(text)
		if (m == nil) == (err == nil) {
			t.Fatalf("%v, %v", m, err)
		}
		if m == nil {
			return
		}
		known := m.Holds(Environment{"python_version": version, "os_name": version}, "")
		// What is decided without knowing anything stays so when more is known.
		if nothing := m.Holds(nil, ""); nothing != Unknown && nothing != known {
			t.Fatalf("%q: %d without an environment, %d with one", text, nothing, known)
		}
	})
}

func FuzzParseRecord(f *testing.F) {
	f.Add([]byte("a,sha256=x,1\n\"b\"\"\",,\n"), []byte("a\n[b:os_name=='nt']\nc\n"), []byte(`{"url":"https://a","vcs_info":{"vcs":"git"}}`))
	f.Fuzz(func(t *testing.T, record, requires, direct []byte) {
		for _, name := range ParseRecord(record) {
			if p := Resolve("usr/lib", name); strings.HasPrefix(p, "/") || strings.HasPrefix(p, "../") || p == ".." {
				t.Fatalf("%q leads to %q", name, p)
			}
		}
		list, _ := ParseRequires(requires)
		for _, r := range list {
			if !ValidName(r.Name) {
				t.Fatalf("%q", r.Name)
			}
			r.Marker.Holds(nil, "")
		}
		if d, err := ParseDirectURL("x", direct); (d == nil) == (err == nil) {
			t.Fatalf("%v, %v", d, err)
		}
	})
}

// FuzzParseArchive: there is a package or an error.
func FuzzParseArchive(f *testing.F) {
	f.Add(archive(f, "", "a-1.dist-info/METADATA", metadata, "x", "y"))
	f.Add(archive(f, "#!x\n", "EGG-INFO/PKG-INFO", metadata, "EGG-INFO/requires.txt", "b"))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := ParseArchive("x", data)
		if (p == nil) == (err == nil) {
			t.Fatalf("%v, %v", p, err)
		}
	})
}

func BenchmarkParseMetadata(b *testing.B) {
	text := []byte(metadata + "License: MIT\n" + strings.Repeat("Requires-Dist: requests (>=2.0) ; python_version < \"3.8\"\n", 20) + "\n" + strings.Repeat("A description of many words.\n", 500))
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParseMetadata("x", text); err != nil {
			b.Fatal(err)
		}
	}
}
