package license

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assaykit/assay"
)

func TestParse(t *testing.T) {
	for in, want := range map[string]assay.License{
		"":                     {},
		"mit":                  {Expression: "MIT"},
		" MIT ":                {Expression: "MIT"},
		"(MIT OR apache-2.0)":  {Expression: "MIT OR Apache-2.0"},
		"(MIT) AND (ISC)":      {Expression: "(MIT) AND (ISC)"},
		"MIT and BSD-3-Clause": {Expression: "MIT AND BSD-3-Clause"},
		"gpl-2.0+":             {Expression: "GPL-2.0+"},
		"GPL-2.0-only with classpath-exception-2.0": {Expression: "GPL-2.0-only WITH Classpath-exception-2.0"},
		"SEE LICENSE IN LICENSE":                    {Name: "SEE LICENSE IN LICENSE"},
		"UNLICENSED":                                {Name: "UNLICENSED"},
		"GPL2 BSD":                                  {Name: "GPL2 BSD"},
		"MIT AND":                                   {Name: "MIT AND"},
		"LicenseRef-x":                              {Expression: "LicenseRef-x"},
	} {
		if d := cmp.Diff(want, Parse(in)); d != "" {
			t.Errorf("%q: %s", in, d)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("(MIT or gpl-2.0+) WITH x")
	f.Fuzz(func(t *testing.T, s string) {
		l := Parse(s)
		if l.Expression != "" && Parse(l.Expression) != l {
			t.Fatalf("%q gives %+v, which gives %+v", s, l, Parse(l.Expression))
		}
	})
}
