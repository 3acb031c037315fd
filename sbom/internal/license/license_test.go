package license_test

import (
	"strings"
	"testing"

	"github.com/github/go-spdx/v2/spdxexp"
	"github.com/google/go-cmp/cmp"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/sbom/internal/license"
)

func TestValid(t *testing.T) {
	for s, want := range map[string]bool{
		"MIT":                         true,
		"mit":                         true,
		" MIT ":                       true,
		"GPL-2.0+":                    true,
		"Apache-2.0+":                 true,
		"MIT OR (Apache-2.0 AND ISC)": true,
		"((MIT))":                     true,
		"MIT  AND  ISC":               true,
		"LicenseRef-x.Y-1":            true,
		"DocumentRef-a:LicenseRef-b":  true,
		"GPL-2.0-only WITH Classpath-exception-2.0":                         true,
		"(GPL-2.0-only WITH Classpath-exception-2.0) OR MIT":                true,
		"MIT AND GPL-2.0-or-later WITH Bison-exception-2.2 OR BSD-2-Clause": true,

		"":                                   false,
		" ":                                  false,
		"()":                                 false,
		"MIT AND":                            false,
		"AND MIT":                            false,
		"MIT and ISC":                        false,
		"MIT ISC":                            false,
		"MIT/ISC":                            false,
		"MIT +":                              false,
		"MIT++":                              false,
		"(MIT":                               false,
		"MIT)":                               false,
		"(MIT OR ISC":                        false,
		"MIT ANDISC":                         false,
		"Apache-2.0-only":                    false,
		"MIT\nOR ISC":                        false,
		"LicenseRef-":                        false,
		"LicenseRef-a_b":                     false,
		"DocumentRef-a:MIT":                  false,
		"DocumentRef-:LicenseRef-b":          false,
		"MIT WITH Foo":                       false,
		"MIT WITH MIT":                       false,
		"(MIT) WITH Classpath-exception-2.0": false,
		"MIT WITH Classpath-exception-2.0 WITH Classpath-exception-2.0": false,
		"NONE":        false,
		"NOASSERTION": false,
	} {
		if got := license.Valid(s); got != want {
			t.Errorf("Valid(%q) = %v", s, got)
		}
	}
}

// A parser that recurses dies here; the process cannot recover from it.
func TestDeepNesting(t *testing.T) {
	const n = 4 << 20
	if !license.Valid(strings.Repeat("(", n) + "MIT" + strings.Repeat(")", n)) {
		t.Error("balanced parentheses refused")
	}
}

func TestParse(t *testing.T) {
	got := []assay.License{license.Parse("MIT OR ISC", false), license.Parse("GPL", true)}
	want := []assay.License{{Expression: "MIT OR ISC"}, {Name: "GPL", Concluded: true}}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestDeclared(t *testing.T) {
	long := strings.Repeat("MIT OR ", 1000) + "MIT"
	for in, want := range map[string]assay.License{
		"":                     {},
		"mit":                  {Expression: "MIT"},
		" MIT ":                {Expression: "MIT"},
		"MIT\tor\n ISC":        {Expression: "MIT OR ISC"},
		"(MIT OR apache-2.0)":  {Expression: "MIT OR Apache-2.0"},
		"((MIT))":              {Expression: "MIT"},
		"((MIT) OR (ISC))":     {Expression: "(MIT) OR (ISC)"},
		"((MIT OR ISC))":       {Expression: "MIT OR ISC"},
		"(MIT) AND (ISC)":      {Expression: "(MIT) AND (ISC)"},
		"MIT and BSD-3-Clause": {Expression: "MIT AND BSD-3-Clause"},
		"gpl-2.0+":             {Expression: "GPL-2.0+"},
		"GPL-2.0-only with classpath-exception-2.0": {Expression: "GPL-2.0-only WITH Classpath-exception-2.0"},
		"SEE LICENSE IN LICENSE":                    {Name: "SEE LICENSE IN LICENSE"},
		"UNLICENSED":                                {Name: "UNLICENSED"},
		"GPL2 BSD":                                  {Name: "GPL2 BSD"},
		"MIT AND":                                   {Name: "MIT AND"},
		"LicenseRef-x":                              {Expression: "LicenseRef-x"},
		long:                                        {Name: long},
	} {
		if d := cmp.Diff(want, license.Declared(in)); d != "" {
			t.Errorf("%.80q: %s", in, d)
		}
	}
}

// What Declared gives as an expression is one, and is settled.
func FuzzDeclared(f *testing.F) {
	for _, s := range []string{"(MIT or gpl-2.0+) WITH x", "((mit))", "(MIT) and (ISC)", "GPL-2.0-only\twith classpath-exception-2.0"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		l := license.Declared(s)
		if l.Expression != "" && (!license.Valid(l.Expression) || license.Declared(l.Expression) != l) {
			t.Fatalf("%q gives %+v, which gives %+v", s, l, license.Declared(l.Expression))
		}
	})
}

func TestRefs(t *testing.T) {
	got := license.Refs("(LicenseRef-a OR MIT) AND DocumentRef-d:LicenseRef-b AND LicenseRef-c")
	if d := cmp.Diff([]string{"LicenseRef-a", "LicenseRef-c"}, got); d != "" {
		t.Error(d)
	}
}

// What is valid here must be valid to go-spdx, an implementation of its own. The
// reverse does not hold; the package comment says where.
func FuzzValid(f *testing.F) {
	for _, s := range []string{"MIT", "(MIT OR ISC) AND GPL-2.0+", "LicenseRef-a", "DocumentRef-a:LicenseRef-b", "GPL-2.0-only WITH Classpath-exception-2.0", "MIT and", "(("} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if strings.Count(s, "(") > 100 {
			t.Skip()
		}
		if !license.Valid(s) {
			return
		}
		if strings.Contains(strings.ToLower(s), "nokia") {
			return // withdrawn; see exceptions
		}
		if ok, _ := spdxexp.ValidateLicenses([]string{s}); !ok {
			t.Errorf("go-spdx refuses %q", s)
		}
	})
}

func BenchmarkValid(b *testing.B) {
	const s = "MIT OR (Apache-2.0 AND GPL-2.0-only WITH Classpath-exception-2.0)"
	license.Valid(s)
	for b.Loop() {
		if !license.Valid(s) {
			b.Fatal(s)
		}
	}
}
