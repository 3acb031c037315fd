package version

import (
	"strings"
	"testing"

	"github.com/google/osv-scalibr/semantic"
)

func TestWellFormed(t *testing.T) {
	for o, tt := range map[Order]struct{ good, bad string }{
		SemVer:    {"1.2.3 v1.2.3 1.2 1 0.0.0-20200124225646-8b5121be2f68 1.2.3-rc.1+build.5 2.0.0+incompatible 1.0.0+dirty", "latest (devel) 1.2.3.4 1.1.1w 1.x 1..2 1. v -1 *  master 1.2.3- 1.2.3+ cci.20200203"},
		NuGet:     {"1.2.3.4 1.0 6.0.0-preview.1", "1.2.3.4.5 latest 1.*"},
		Pub:       {"1.2.3 1.2.3-dev.1+2", "1.2 any"},
		Alpine:    {"1.2.3-r0 3.1.4b-r12 2.0_rc1_p20240101-r0 0.7.0_git20200101~abc123-r1 20240226-r0", "1.8.31p1-r0 latest 1.2-r 1.2_foo -r1 1..2 1.2-r1-r2"},
		Debian:    {"1.2.3-4 1:2.0~rc1+dfsg-1ubuntu2.1 0 3.0.11-1~deb12u2", "latest 1.2_3 1.2/3 a:b 1:"},
		RPM:       {"3.0.7-24.el9 0:3.0.7-24.el9 1:1.2.3^git5-1 4.m+el9", "latest 1.2/3 1:"},
		CRAN:      {"1.2 1.2-3 1.2.3", "1.2.x 1. latest 1.2-"},
		Hackage:   {"1.2.3.4.5 0.1", "1.2-rc latest"},
		Maven:     {"1.0 r09 Finchley.SR2 1.0-SNAPSHOT 31.1-jre", "LATEST ${project.version} [1.0,2.0) unspecified"},
		Packagist: {"1.2.3 v1.2.3 1.0.0-beta1 6.4.x", "dev-main dev-master latest 6.4.x-dev"},
		RubyGems:  {"1.2.3 1.2.3.rc1 1.15.4-x86-linux 1.0", "latest"},
		PyPI:      {"1.0 v1.0 1!2.0 1.0a1 1.0.post1 1.0-1 1.0.dev3 1.0rc1.post2.dev3+local.1 1.0.alpha 2024.1.1 1.0C1", "latest 1.0-foo 1.0+ 1.0+a..b 1.0+a+b 1.0..1 2013-01-21t20:33:09 x!1 1.0.*"},
	} {
		for v := range strings.FieldsSeq(tt.good) {
			if _, err := ParseStrict(o, v); err != nil {
				t.Errorf("%s: %q: %v", o, v, err)
			}
		}
		for v := range strings.FieldsSeq(tt.bad) {
			if _, err := ParseStrict(o, v); err == nil || !strings.Contains(err.Error(), v) {
				t.Errorf("%s: %q: got %v, want an error that names it", o, v, err)
			}
		}
		for _, v := range []string{"", " 1.0.0", "1.0.0 ", "1.0.0\n", "1.0.0\x00", "1.0.0-é", strings.Repeat("1", Max+1)} {
			if _, err := ParseStrict(o, v); err == nil {
				t.Errorf("%s: %q is taken for a version", o, v)
			}
		}
	}
	if wellFormed("nobody's", "1.0") {
		t.Error("an order that is not known has a grammar")
	}
}

// What is read here without allocating is ordered as osv-scalibr orders it, but for
// identifiers like "-1", which it takes for numbers and SemVer 2.0.0 (section 9) does
// not.
func FuzzSemVer(f *testing.F) {
	f.Add("1.2.3", "1.2.3-rc.1")
	f.Add("1.0.0-alpha.beta+5", "1.0.0-alpha.1")
	f.Add("1.0.0-a-b", "1.0.0-a.b.c")
	f.Add("99999999999999999999.0.0", "100000000000000000000.0.0-0")
	f.Fuzz(func(t *testing.T, a, b string) {
		v, okV := parseSemVer(a)
		w, okW := parseSemVer(b)
		if okV && !wellFormed(SemVer, a) {
			t.Errorf("%q is SemVer, and not well formed", a)
		}
		if !okV || !okW || strings.Contains(v.pre+".", ".-") || strings.Contains(w.pre+".", ".-") || strings.HasPrefix(v.pre, "-") || strings.HasPrefix(w.pre, "-") {
			return
		}
		want, err := semantic.ParseSemverVersion(a).Compare(semantic.ParseSemverVersion(b))
		if got := v.compare(&w); err != nil || got != want {
			t.Errorf("%q and %q: got %d, and %d, %v from osv-scalibr", a, b, got, want, err)
		}
	})
}
