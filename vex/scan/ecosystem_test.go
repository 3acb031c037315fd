package scan

import (
	"testing"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/vex/osv"
)

// TestEcosystems makes a package URL of what every ecosystem calls a package, and asks what
// it is called: the same in the same ecosystem.
func TestEcosystems(t *testing.T) {
	for ecosystem, name := range map[string]string{
		"Go": "example.com/m", "npm": "@scope/a", "PyPI": "a-b", "Maven": "org.example:a", "NuGet": "a", "Hex": "a", "Pub": "a", "CRAN": "A", "Hackage": "A",
		"crates.io": "a-b", "RubyGems": "A", "Packagist": "a/b", "ConanCenter": "a", "SwiftURL": "github.com/a/b", "GitHub Actions": "a/b", "Bitnami": "a", "Bioconductor": "A", "opam": "A",
		"Debian": "a", "Ubuntu": "a", "Echo": "a", "Alpine": "a", "Alpaquita": "a", "BellSoft Hardened Containers": "a", "Chainguard": "a", "CleanStart": "a", "Wolfi": "a", "MinimOS": "a",
		"Red Hat": "A", "Rocky Linux": "A", "AlmaLinux": "A", "Mageia": "A", "openEuler": "A", "openSUSE": "A", "SUSE": "A", "Photon OS": "A", "Azure Linux": "A",
	} {
		p := ecosystemPURL(ecosystem+":1", name, "1.0")
		if p.IsZero() {
			t.Errorf("%s: no package URL", ecosystem)
			continue
		}
		version := map[string]string{"Ubuntu": "22.04", "Alpine": "3.20", "openSUSE": "opensuse-leap-15.6", "SUSE": "sles-15.5"}[ecosystem]
		if version == "" {
			version = "12"
		}
		parts := p.Parts()
		switch parts.Type {
		case "deb", "apk", "rpm":
			parts.Qualifiers = map[string]string{"distro": version}
		}
		full, err := assay.NewPURL(parts)
		if err != nil {
			t.Fatal(err)
		}
		queries, err := osv.Queries(&assay.Component{PURL: full}, nil)
		if err != nil || queries[0].Ecosystem != ecosystem || queries[0].Name != name || queries[0].Version != "1.0" {
			t.Errorf("%s: %s is asked for as %+v, %v", ecosystem, full, queries, err)
		}
		if ecosystemOf(parts.Type) == "" && ecosystem != "opam" {
			t.Errorf("%s: versions of %s have no order", ecosystem, parts.Type)
		}
	}
	for _, none := range []string{"Android", "Linux", "OSS-Fuzz", "FreeBSD:ports", "Julia", "Nobody's", ""} {
		if p := ecosystemPURL(none, "a", "1"); !p.IsZero() {
			t.Errorf("%s: got %s", none, p)
		}
	}
}
