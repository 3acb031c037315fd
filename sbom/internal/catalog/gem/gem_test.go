package gem

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/testscalibr"
)

// What RubyGems wrote is read as another tool reads it. Gemspecs that people wrote
// take their version from other files, which is no part of what RubyGems writes:
// they are refused, or read as they are.
func TestSpecsOfOthers(t *testing.T) {
	read := 0
	for _, c := range testscalibr.Cases(t, "extractor/filesystem/language/ruby/gemspec") {
		t.Run(filepath.Base(c.File), func(t *testing.T) {
			data, err := os.ReadFile(c.File)
			if err != nil {
				t.Fatal(err)
			}
			s, err := ParseSpec(c.File, data)
			if err != nil {
				if !errors.Is(err, assay.ErrInvalid) || strings.Contains(string(data), "# stub: ") {
					t.Error(err)
				}
				return
			}
			read++
			if d := cmp.Diff(c.Packages, []string{s.Name + "@" + s.Version}); d != "" {
				t.Error("packages (-osv-scalibr +here):\n" + d)
			}
		})
	}
	if read < 2 {
		t.Errorf("read %d", read)
	}
}

const generated = `# -*- encoding: utf-8 -*-
# stub: other 9 ruby lib
# stub: ext/x/extconf.rb

Gem::Specification.new do |s|
  s.name = "net-x".freeze
  s.version = "1.2.0.pre1"
  s.platform = "x86_64-linux".freeze

  s.required_rubygems_version = Gem::Requirement.new(">= 0".freeze) if s.respond_to? :required_rubygems_version=
  s.metadata = { "a" => "s.name = \"no\"", "source_code_uri".freeze => "https://x.example/s", "bug_tracker_uri" => "b", } if s.respond_to? :metadata=
  s.authors = ["A \u00e9\u{1F600 41}".freeze, 'B'.freeze]
  s.description = "first
  s.name = no
last \"quoted\" \#{x} \x41\101\n".freeze
  s.licenses = ["MIT".freeze, "Ruby".freeze]
  s.homepage = "https://example.org".freeze
  s.summary = "sum".freeze

  s.installed_by_version = "3.3.7" if s.respond_to? :installed_by_version

  if s.respond_to? :specification_version then
    s.specification_version = 4

    if Gem::Version.new(Gem::VERSION) >= Gem::Version.new('1.2.0') then
      s.add_runtime_dependency(%q<rack>.freeze, ["~> 2.0".freeze, ">= 2.0.1".freeze])
      s.add_development_dependency(%q<rake>.freeze, [">= 0"])
    else
      s.add_dependency(%q<rack>.freeze, ["~> 2.0"])
      s.add_dependency(%q<rake>.freeze, [">= 0"])
    end
  else
    s.add_dependency(%q<rake>.freeze, [">= 0"])
  end
  s.add_dependency "plain", ">= 1", "< 3"
end
`

func TestParseSpec(t *testing.T) {
	got, err := ParseSpec("x.gemspec", []byte(generated))
	if err != nil {
		t.Fatal(err)
	}
	want := &Spec{
		Name: "net-x", Version: "1.2.0.pre1", Platform: "x86_64-linux", Summary: "sum", Homepage: "https://example.org",
		Links:   []Link{{"bug_tracker_uri", "b"}, {"source_code_uri", "https://x.example/s"}},
		Authors: []string{"A é😀A", "B"}, Licenses: []string{"MIT", "Ruby"},
		Requires: []Dependency{{"rack", []string{"~> 2.0", ">= 2.0.1"}}, {"plain", []string{">= 1", "< 3"}}},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if got.FullName() != "net-x-1.2.0.pre1-x86_64-linux" {
		t.Error(got.FullName())
	}
	stub := "# stub: a 1.0 java lib\nGem::Specification.new do |spec|\n  spec.name = NAME\n  spec.version = A::VERSION\n  spec.add_dependency name, '1'\nend\n"
	if got, err = ParseSpec("x", []byte(stub)); err != nil || got.Name != "a" || got.Version != "1.0" || got.Platform != "java" || !got.Partial {
		t.Errorf("%+v, %v", got, err)
	}
	for _, bad := range []string{"", "Gem::Specification.new do |s|\n  s.name = \"a\"\nend\n", "Gem::Specification.new do |s|\n  s.name = \"a#{b}\"\n  s.version = \"1\"\nend",
		"Gem::Specification.new do |1|\n", "Gem::Specification.new do |s|\n  s.name = \"a\"\n  s.version = \"1\" + x\nend", "Gem::Specification.new do |s|\n  s.name = \"../a\"\n  s.version = \"1\"\nend"} {
		if s, err := ParseSpec("d/x.gemspec", []byte(bad)); s != nil || !errors.Is(err, assay.ErrInvalid) || !strings.Contains(err.Error(), "d/x.gemspec") {
			t.Errorf("%q: %v, %v", bad, s, err)
		}
	}
	if s, err := ParseSpec("x", []byte(strings.Repeat("\n", maxStatements+2))); s != nil || !errors.Is(err, assay.ErrBound) {
		t.Errorf("%v, %v", s, err)
	}
}

func TestVersions(t *testing.T) {
	ordered := []string{"0.9", "1.0.a", "1.0.a.2", "1.0.b1", "1.0.rc1", "1.0", "1.0.1", "1.2", "1.10", "1.10.0.1", "2", "10"}
	for i, a := range ordered {
		for j, b := range ordered {
			if got := Compare(a, b); got < 0 != (i < j) || got > 0 != (i > j) {
				t.Errorf("%s, %s: %d", a, b, got)
			}
		}
	}
	if Compare("1.0", "1") != 0 || Compare("1.0.0-x", "1.0.0.pre.x") != 0 || Compare("1.01", "1.1") != 0 {
		t.Error("equal versions differ")
	}
	for _, c := range []struct {
		version string
		allowed string
		want    bool
	}{
		{"1.2.3", "~> 1.2", true}, {"2.0", "~> 1.2", false}, {"1.2.9", "~> 1.2.3", true}, {"1.3", "~> 1.2.3", false}, {"1.9.9", "~> 1", true}, {"2", "~> 1", false},
		{"10.0", "~> 9.9", false}, {"9.10", "~> 9.9", true}, {"1", "= 1.0", true}, {"1", "1.0", true}, {"1", "!= 1", false}, {"2", "> 1", true}, {"1", "< 1", false},
		{"1", "<= 1", true}, {"1", ">= 0", true}, {"2.0.a", "~> 1.0", false}, {"1", "?? 1", false}, {"1", ">=", false},
	} {
		if got := Satisfies(c.version, []string{c.allowed}); got != c.want {
			t.Errorf("%s %s: %t", c.version, c.allowed, got)
		}
	}
	if Satisfies("3", []string{">= 1", "< 3"}) || !Satisfies("2", []string{">= 1", "< 3"}) || !Satisfies("1", nil) {
		t.Error("several requirements")
	}
}

func FuzzParseSpec(f *testing.F) {
	f.Add([]byte(generated))
	f.Add([]byte("# stub: a 1 ruby lib\x00x\nGem::Specification.new do |s|\ns.licenses = ['x', %q<y<z>>]\ns.add_dependency(%q<a>, [\"\\u{41}\"])\nend"))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := ParseSpec("x", data)
		if (s == nil) == (err == nil) {
			t.Fatalf("%v, %v", s, err)
		}
		if s == nil {
			if !errors.Is(err, assay.ErrInvalid) && !errors.Is(err, assay.ErrBound) {
				t.Fatal(err)
			}
			return
		}
		if s.Name == "" || s.Version == "" || strings.Contains(s.FullName(), "/") && !strings.Contains(s.Platform, "/") {
			t.Fatalf("%+v", s)
		}
		for _, d := range s.Requires {
			Satisfies(s.Version, d.Allowed)
		}
	})
}

// FuzzCompare: the order of versions is one.
func FuzzCompare(f *testing.F) {
	f.Add("1.0.rc1", "1.0", "1.a-b")
	f.Fuzz(func(t *testing.T, a, b, c string) {
		if Compare(a, b) != -Compare(b, a) || Compare(a, a) != 0 {
			t.Fatalf("%q, %q: %d, %d", a, b, Compare(a, b), Compare(b, a))
		}
		if Compare(a, b) <= 0 && Compare(b, c) <= 0 && Compare(a, c) > 0 {
			t.Fatalf("%q <= %q <= %q", a, b, c)
		}
		Satisfies(a, []string{"~> " + b, c})
	})
}

func BenchmarkParseSpec(b *testing.B) {
	b.SetBytes(int64(len(generated)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParseSpec("x", []byte(generated)); err != nil {
			b.Fatal(err)
		}
	}
}
