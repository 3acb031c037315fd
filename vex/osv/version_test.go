package osv_test

import (
	"bufio"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/vex/osv"
)

// semanticCases is how many cases osv-scalibr v0.5.3 has: lines of its test data that
// are neither empty nor comments.
const semanticCases = 71818

// semanticData calls f for each case of osv-scalibr's test data, with all ecosystems of
// the order. The answers are those of the ecosystems' own tools.
func semanticData(tb testing.TB, f func(ecosystems []string, a string, want int, b string)) {
	tb.Helper()
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/google/osv-scalibr").Output()
	if err != nil {
		tb.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(strings.TrimSpace(string(out)), "semantic", "testdata", "*.txt"))
	if err != nil || len(files) == 0 {
		tb.Fatal("no test data: ", err)
	}
	ecosystems := map[string][]string{
		"alpine": {"Alpine", "Wolfi"}, "cran": {"CRAN"}, "debian": {"Debian", "Ubuntu"}, "hackage": {"Hackage"}, "maven": {"Maven"},
		"nuget": {"NuGet"}, "packagist": {"Packagist"}, "pub": {"Pub"}, "pypi": {"PyPI"}, "redhat": {"Red Hat", "SUSE"},
		"rubygems": {"RubyGems"}, "semver": {"npm", "crates.io", "Go", "Hex"},
	}
	for _, file := range files {
		kind, _, _ := strings.Cut(filepath.Base(file), "-")
		if ecosystems[kind] == nil {
			tb.Fatalf("%s: of which ecosystem?", file)
		}
		r, err := os.Open(file)
		if err != nil {
			tb.Fatal(err)
		}
		lines := bufio.NewScanner(r)
		for lines.Scan() {
			line := lines.Text()
			if line == "" || strings.HasPrefix(line, "# ") || strings.HasPrefix(line, "// ") {
				continue
			}
			fields := strings.Split(line, " ")
			want := strings.Index("<=>", fields[1]) - 1
			if len(fields) != 3 || want < -1 {
				tb.Fatalf("%s: %q", file, line)
			}
			f(ecosystems[kind], fields[0], want, fields[2])
		}
		if err := errors.Join(lines.Err(), r.Close()); err != nil {
			tb.Fatal(err)
		}
	}
}

func TestCompareAgreesWithNativeTools(t *testing.T) {
	lines, wrong := 0, 0
	semanticData(t, func(ecosystems []string, a string, want int, b string) {
		lines++
		for _, e := range ecosystems {
			got, err := osv.Compare(e, a, b)
			back, errBack := osv.Compare(e+":12", b, a)
			if err != nil || errBack != nil || got != want || back != -want {
				if wrong++; wrong <= 20 {
					t.Errorf("%s: Compare(%q, %q) = %d, %v, and the other way %d, %v; want %d", e, a, b, got, err, back, errBack, want)
				}
			}
		}
	})
	if lines != semanticCases || wrong > 0 {
		t.Errorf("%d of %d cases are wrong, want 0 of %d", wrong, lines, semanticCases)
	}
}

func TestCompare(t *testing.T) {
	for _, tt := range []struct {
		ecosystem, a, b string
		want            int
	}{
		{"Go", "v1.2.3", "1.2.3", 0},
		{"Go", "go1.22rc1", "1.22.0-rc.1", 0},
		{"Go", "go1.22", "1.22.0", 0},
		{"Go", "go1.22.1 X:boringcrypto", "1.22.1", 0},
		{"Go", "1.22.0-0", "go1.22beta1", -1},
		{"Go", "0.0.0-20200124225646-8b5121be2f68", "v0.0.0-20210921155107-089bfa567519", -1},
		{"Go", "v2.0.0+incompatible", "2.0.0", 0},
		{"npm", "1.0.0-alpha.beta", "1.0.0-alpha.1", +1},
		{"npm", "1.0.0-99999999999999999999999", "1.0.0-100000000000000000000000", -1},
		{"npm", "10.0.0", "9.0.0", +1},
		{"npm", "1.0", "1.0.1-rc", -1},
		{"crates.io", "1.0.0--1", "1.0.0-0", +1}, // "-1" is no number
		{"Debian:12", "1.0~rc1-1", "1.0-1", -1},
		{"Debian:12", "1:0.1", "9", +1},
		{"Ubuntu:22.04:LTS", "3.0.2-0ubuntu1.9", "3.0.2-0ubuntu1.10", -1},
		{"Alpine:v3.20", "3.3.1-r0", "3.3.1-r1", -1},
		{"Wolfi", "1.0_rc1", "1.0", -1},
		{"Rocky Linux:9", "0:3.0.7-6.el9", "3.0.7-24.el9", -1},
		{"Photon OS:5.0", "1.0~1", "1.0", -1},
		{"PyPI", "1.0.post1", "1.0", +1},
		{"PyPI", "1!0.1", "2024.1", +1},
		{"Maven", "1.0-SNAPSHOT", "1.0", -1},
		{"CleanStart", "3.3.1_p1-r0", "3.3.1-r1", +1},
		{"Echo", "1.0~1", "1.0", -1},
		{"Echo:PyPI", "1.0.post1+echo.1", "1.0", +1},
		{"Root:Debian:12", "1.0~1", "1.0", -1},
		{"Root:Alpine:3.18", "1.0_rc1-r0", "1.0-r0", -1},
		{"Root:npm", "7.5.2-root.io.1", "7.5.2", -1},
		{"Root:PyPI", "2.31.0+root.io.1", "2.31.0", +1},
		{"Root:alpine", "1.0_rc1-r0", "1.0-r0", -1},
		{"TuxCare:Red Hat", "1.2.3-1.el8", "1.2.3-2.el8", -1},
		{"TuxCare:Ubuntu:22.04:LTS", "1.0~1", "1.0", -1},
		{"Docker Hardened Images:Alpine:3.23", "1.0_rc1-r0", "1.0-r0", -1},
		{"Docker Hardened Images:Debian:trixie", "1.0~1", "1.0", -1},
	} {
		if got, err := osv.Compare(tt.ecosystem, tt.a, tt.b); err != nil || got != tt.want {
			t.Errorf("Compare(%q, %q, %q) = %d, %v, want %d", tt.ecosystem, tt.a, tt.b, got, err, tt.want)
		}
	}
}

func TestCompareErrors(t *testing.T) {
	long := strings.Repeat("1", osv.MaxVersion+1)
	for _, tt := range []struct {
		ecosystem, a, b string
		kind            error
		says            string
	}{
		{"GitHub Actions", "1", "2", assay.ErrUnchecked, "GitHub Actions"},
		{"Nobody's:1", "1", "2", assay.ErrUnchecked, "Nobody's:1"},
		{"", "1", "2", assay.ErrUnchecked, "ecosystem"},
		{"Root", "1", "2", assay.ErrUnchecked, "Root"},
		{"Root:Nobody's:1", "1", "2", assay.ErrUnchecked, "Nobody's"},
		{"TuxCare:TuxCare:npm", "1", "2", assay.ErrUnchecked, "TuxCare"},
		{"Docker Hardened Images", "1", "2", assay.ErrUnchecked, "Docker"},
		{"npm", "", "2", assay.ErrInvalid, "version"},
		{"npm", "2", "", assay.ErrInvalid, "version"},
		{"npm", long, "2", assay.ErrBound, "512 bytes"},
		{"Debian", "x:1", "2", assay.ErrInvalid, "x:1"},
		{"CRAN", "1.0", "1.x", assay.ErrInvalid, "1.x"},
		{"Hackage", "1.0-rc", "1.0", assay.ErrInvalid, "1.0-rc"},
	} {
		got, err := osv.Compare(tt.ecosystem, tt.a, tt.b)
		if !errors.Is(err, tt.kind) || got != 0 || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("Compare(%q, %q, %q) = %d, %v, want %v naming %q", tt.ecosystem, tt.a, tt.b, got, err, tt.kind, tt.says)
		}
	}
}

// ecosystems has one of each order.
var ecosystems = []string{"npm", "Go", "Alpine", "CRAN", "Debian", "Hackage", "Maven", "NuGet", "Packagist", "Pub", "PyPI", "Red Hat", "RubyGems"}

func FuzzCompare(f *testing.F) {
	n := 0
	semanticData(f, func(like []string, a string, _ int, b string) {
		if n++; n%997 == 0 {
			f.Add(uint8(slices.Index(ecosystems, like[0])), a, b)
		}
	})
	f.Add(uint8(1), "go1.2rc3", "v1.2.0-rc.3")
	f.Add(uint8(2), "1_p", ".1")
	f.Fuzz(func(t *testing.T, e uint8, a, b string) {
		ecosystem := ecosystems[int(e)%len(ecosystems)]
		ab, err := osv.Compare(ecosystem, a, b)
		ba, errBack := osv.Compare(ecosystem, b, a)
		if (err == nil) != (errBack == nil) {
			t.Fatalf("%s: %q and %q: %v, and the other way %v", ecosystem, a, b, err, errBack)
		}
		if err != nil {
			if assay.KindOf(err) == nil {
				t.Fatalf("%s: %q and %q: an error of no kind: %v", ecosystem, a, b, err)
			}
			return
		}
		if ab != -ba {
			t.Errorf("%s: %q and %q: %d, and the other way %d", ecosystem, a, b, ab, ba)
		}
		if aa, err := osv.Compare(ecosystem, a, a); err != nil || aa != 0 {
			t.Errorf("%s: %q and itself: %d, %v", ecosystem, a, aa, err)
		}
	})
}
