package osv_test

import (
	"strings"
	"testing"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/vex/osv"
)

// TestMatchRoot asks about packages that Root patched. A database without Root's records
// knows nothing of what it did.
func TestMatchRoot(t *testing.T) {
	root := osv.Advisory{ID: "ROOT-OS-DEBIAN-12-CVE-2026-0001", Upstream: []assay.VulnID{"CVE-2026-0001"}, Affected: []osv.Affected{row("Root:Debian:12", "rootio-curl", "introduced 0, fixed 7.88-1.root.io.2")}}
	base := osv.Advisory{ID: "DEBIAN-CVE-2026-0002", Upstream: []assay.VulnID{"CVE-2026-0002"}, Affected: []osv.Affected{row("Debian:12", "curl", "introduced 0, fixed 7.88-2")}}
	other := osv.Advisory{ID: "ROOT-OS-DEBIAN-11-CVE-2026-0003", Affected: []osv.Affected{row("Root:Debian:11", "rootio-curl", "introduced 0")}}
	for _, tt := range []struct {
		name, version string
		records       []osv.Advisory
		want, unknown string
	}{
		{"not patched enough", "7.88-1.root.io.1", []osv.Advisory{root, base}, "CVE-2026-0001 CVE-2026-0002", ""},
		{"patched", "7.88-1.root.io.2", []osv.Advisory{root, base}, "CVE-2026-0002", ""},
		{"patched and newer", "7.88-2.root.io.1", []osv.Advisory{root, base}, "", ""},
		{"without Root's records", "7.88-1.root.io.1", []osv.Advisory{base}, "", `got "Root"`},
		{"Root's records of another release", "7.88-1.root.io.2", []osv.Advisory{other, base}, "CVE-2026-0002", `got "Debian:12"`},
	} {
		scan := match(t, &memory{records: tt.records}, sbomOf("pkg:deb/debian/rootio-curl@"+tt.version+"?distro=debian-12"))
		var got []string
		for _, f := range scan.Findings {
			got = append(got, string(f.Vulnerability.ID))
		}
		if strings.Join(got, " ") != tt.want {
			t.Errorf("%s: got %v, want %s", tt.name, got, tt.want)
		}
		if (len(scan.Unevaluated) == 0) != (tt.unknown == "") || tt.unknown != "" && !strings.Contains(scan.Unevaluated[0].Reason, tt.unknown) {
			t.Errorf("%s: got %v, want %s", tt.name, scan.Unevaluated, tt.unknown)
		}
	}
}
