package npm

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assaykit/assay"
)

func TestParseManifest(t *testing.T) {
	expr := func(s string) []assay.License { return []assay.License{{Expression: s}} }
	name := func(s string) []assay.License { return []assay.License{{Name: s}} }
	for title, c := range map[string]struct {
		text string
		want Manifest
	}{
		"all": {`{"name":"@s/a","version":"v1.2.3","description":"d","license":"MIT","private":true,"author":"Jane <j@e.example>","homepage":"https://x.test/","repository":{"type":"git","url":"git+https://x.test/a.git"},"bugs":"https://x.test/i",
			"dependencies":{"b":"^1","c":"1"},"optionalDependencies":{"c":"1","d":"1"},
			"peerDependencies":{"p":"1","q":"1","b":"1"},"peerDependenciesMeta":{"q":{"optional":true},"p":7},
			"devDependencies":{"t":"1"}}`,
			Manifest{Name: "@s/a", Version: "1.2.3", Description: "d", Author: "Jane <j@e.example>", Homepage: "https://x.test/", Repository: "git+https://x.test/a.git", Bugs: "https://x.test/i", Private: true, Licenses: expr("MIT"),
				Depends: []Dependency{{"b", false}, {"c", true}, {"d", true}, {"p", false}, {"q", true}}, Dev: []string{"t"}}},
		"byte order mark":     {"\xef\xbb\xbf{\"name\":\"a\"}", Manifest{Name: "a"}},
		"wrong types":         {`{"name":1,"version":[],"dependencies":["a"],"license":false,"private":"true"}`, Manifest{}},
		"case counts":         {`{"Name":"a"}`, Manifest{}},
		"names that climb":    {`{"dependencies":{"../x":"1","@a/../b":"1","@a":"1",".b":"1","a/b":"1","node_modules":"1","ok":"1"}}`, Manifest{Depends: []Dependency{{"ok", false}}}},
		"licence object":      {`{"license":{"type":"BSD-3-Clause","url":"x"}}`, Manifest{Licenses: expr("BSD-3-Clause")}},
		"licence list":        {`{"licenses":[{"type":"MIT"},"Apache-2.0",{"type":"MIT"}]}`, Manifest{Licenses: expr("MIT OR Apache-2.0")}},
		"list under license":  {`{"license":["MIT","GPL-2.0-only OR ISC"]}`, Manifest{Licenses: expr("MIT OR (GPL-2.0-only OR ISC)")}},
		"list of unknown":     {`{"licenses":["MIT","Mine"]}`, Manifest{Licenses: name("MIT OR Mine")}},
		"see file":            {`{"license":"SEE LICENSE IN X"}`, Manifest{Licenses: name("SEE LICENSE IN X")}},
		"license before list": {`{"license":"ISC","licenses":["MIT"]}`, Manifest{Licenses: expr("ISC")}},
	} {
		t.Run(title, func(t *testing.T) {
			got, err := ParseManifest("package.json", []byte(c.text))
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(&c.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestParseManifestRefuses(t *testing.T) {
	for _, text := range []string{"", "null", "[]", "{", `{"name":"a","name":"b"}`, `{} {}`, "{\"name\":\"\xff\"}", strings.Repeat(`{"a":`, 100) + "1" + strings.Repeat("}", 100)} {
		if m, err := ParseManifest("x/package.json", []byte(text)); m != nil || !errors.Is(err, assay.ErrInvalid) && !errors.Is(err, assay.ErrBound) || !strings.Contains(err.Error(), "x/package.json") {
			t.Errorf("%.20q: %v, %v", text, m, err)
		}
	}
}

const (
	sri1   = "sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk="                                                               // of nothing
	sri512 = "sha512-z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg==" // of nothing
)

func TestParseLock(t *testing.T) {
	set := ParseIntegrity(sri512)
	if set.Get(assay.SHA512).Hex()[:8] != "cf83e135" {
		t.Fatal(set)
	}
	for title, c := range map[string]struct {
		text string
		want Lock
	}{
		"version 1": {`{"lockfileVersion":1,"requires":true,"dependencies":{
			"b":{"version":"2.0.0","integrity":"` + sri512 + `","resolved":"u","requires":{"@s/a":"1","c":"3"},
				"dependencies":{"@s/a":{"version":"npm:z@1.0.0","resolved":false}}},
			"c":{"version":"git+https://x.test/c.git#1","dev":true,"requires":{"b":"2"}},
			"../x":{"version":"1"}}}`,
			Lock{Packages: []Locked{
				{Path: "node_modules/b", Name: "b", Version: "2.0.0", Resolved: "u", Integrity: set, Depends: []int{1, 2}},
				{Path: "node_modules/b/node_modules/@s/a", Name: "z", Version: "1.0.0"},
				{Path: "node_modules/c", Name: "c", Resolved: "git+https://x.test/c.git#1", Dev: true, Depends: []int{0}}}}},
		"version 3": {`{"lockfileVersion":3,"packages":{"":{"name":"x","dependencies":{"b":"^2"}},
			"node_modules/b":{"version":"2.0.0","integrity":"` + sri512 + `","resolved":"u","dependencies":{"c":"1"},"optionalDependencies":{"o":"1"}},
			"node_modules/d":{"name":"real","version":"1.0.0","dependencies":{"b":"2"}},
			"node_modules/link":{"resolved":"packages/l","link":true},"../up":{"version":"1"},"packages/l":{"version":"1"}},"dependencies":{"b":{"version":"9"}}}`,
			Lock{Partial: true, Packages: []Locked{
				{Path: "node_modules/b", Name: "b", Version: "2.0.0", Resolved: "u", Integrity: set},
				{Path: "node_modules/d", Name: "real", Version: "1.0.0", Depends: []int{0}}}}},
	} {
		t.Run(title, func(t *testing.T) {
			got, err := ParseLock("package-lock.json", []byte(c.text))
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(&c.want, got, cmp.Comparer(func(a, b assay.Digest) bool { return a == b })); d != "" {
				t.Error(d)
			}
		})
	}
	for _, text := range []string{"", "{", `{"packages":{"node_modules/a":1}}`, `{"dependencies":{"a":{"version":1}}}`} {
		if got, err := ParseLock("l.json", []byte(text)); got != nil || !errors.Is(err, assay.ErrInvalid) {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
}

func TestParseIntegrity(t *testing.T) {
	if got := ParseIntegrity(sri1 + " " + sri512 + "?opt md5-xx sha512-short none"); len(got) != 2 {
		t.Error(got)
	}
	if got := ParseIntegrity(sri1 + " sha1-" + strings.Repeat("A", 27) + "="); len(got) != 0 {
		t.Error("two digests of one algorithm:", got)
	}
}

func TestAuthor(t *testing.T) {
	for in, want := range map[string]string{
		`"Jane Doe <jane@example.com> (https://example.com)"`:        "Jane Doe <jane@example.com>",
		`"Jane Doe (https://example.com/~jane)"`:                     "Jane Doe <https://example.com/~jane>",
		`"Jane Doe<jane@example.com>"`:                               "Jane Doe <jane@example.com>",
		`"  Acme Inc.  "`:                                            "Acme Inc.",
		`{"name":"Jane","email":"jane@example.com"}`:                 "Jane <jane@example.com>",
		`{"name":"Jane","email":"nowhere","url":"http://e.example"}`: "Jane <http://e.example>",
		`{"name":"Jane","url":"javascript:alert(1)"}`:                "Jane",
		`"Jane (at) example"`:                                        "",
		`"Jane <jane at example>"`:                                   "Jane",
		`"<jane@example.com>"`:                                       "",
		`"(https://example.com)"`:                                    "",
		`"Jane\u001b[2J"`:                                            "",
		`{"email":"jane@example.com"}`:                               "",
		`["Jane"]`:                                                   "", `7`: "", `null`: "", `""`: "",
	} {
		m, err := ParseManifest("package.json", []byte(`{"author":`+in+`}`))
		if err != nil || m.Author != want {
			t.Errorf("%s gives %q, %v; want %q", in, m.Author, err, want)
		}
	}
}

func FuzzParseManifest(f *testing.F) {
	f.Add([]byte(`{"name":"a","version":"1","licenses":[{"type":"MIT"},[]],"dependencies":{"b":"1"},"peerDependenciesMeta":{"b":null}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := ParseManifest("x", data)
		if (m == nil) == (err == nil) {
			t.Fatalf("%v, %v", m, err)
		}
		if m == nil {
			return
		}
		if !json.Valid([]byte(strings.TrimPrefix(string(data), "\xef\xbb\xbf"))) {
			t.Fatal("read what is not JSON")
		}
		for _, d := range m.Depends {
			if strings.Contains(d.Name, "..") && strings.ContainsAny(d.Name, "/\\") && !ValidName(d.Name) {
				t.Fatalf("%q", d.Name)
			}
		}
	})
}

func FuzzParseLock(f *testing.F) {
	f.Add([]byte(`{"packages":{"node_modules/a":{"version":"1","integrity":"` + sri512 + `"}}}`))
	f.Add([]byte(`{"dependencies":{"a":{"version":"npm:b@1","dependencies":{"c":{}}}}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := ParseLock("x", data)
		if err != nil && got != nil {
			t.Fatal("entries with an error")
		}
		checkLock(t, got, err)
		if got != nil {
			for _, l := range got.Packages {
				if !validPath(l.Path) {
					t.Fatalf("%q", l.Path)
				}
			}
		}
	})
}
