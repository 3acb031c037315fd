package osv_test

import (
	"fmt"
	"testing"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/vex/osv"
)

// TestMatchModules tells streams of a module apart where both sides name them, and leaves
// nothing out where one does not.
func TestMatchModules(t *testing.T) {
	const (
		build18   = "1:18.20.4-1.module+el8.10.0+22202+761b9a65"
		installed = "1:18.19.0-1.module+el8.9.0+20000+761b9a65"
		plain     = "1:18.19.0-1.el8"
	)
	label := func(l string) map[string]string {
		return map[string]string{"assay:rpm:sigmd5": "00", "assay:rpm:modularity": l}
	}
	none := map[string]string{"assay:rpm:sigmd5": "00"}
	for _, tt := range []struct {
		name       string
		row        string // members of the row beside its package and range
		purl       string // of the row
		title      string
		fixed      string
		version    string
		properties map[string]string
		qualifier  string
		want       int
	}{
		{name: "the same stream, by title", title: "Important: nodejs:18 security update", version: installed, properties: label("nodejs:18:8090020240301110609:rhel8"), want: 1},
		{name: "another stream, by title", title: "Important: nodejs:20 security update", version: installed, properties: label("nodejs:18:8090020240301110609:rhel8"), want: 0},
		{name: "one of two streams, by title", title: "Red Hat Security Advisory: nodejs:18 and nodejs:20 security update", version: installed, properties: label("nodejs:18:1:2"), want: 1},
		{name: "a title with another module", title: "Important: virt:rhel security update", version: installed, properties: label("nodejs:18:1:2"), want: 1},
		{name: "a title without a stream", title: "Important: nodejs security update", version: installed, properties: label("nodejs:18:1:2"), want: 1},
		{name: "a title with words like streams", title: "Important: nodejs: security update (RHSA-2026:1234) nodejs:", version: installed, properties: label("nodejs:18:1:2"), want: 1},
		{name: "a title, and a fix that is of no module", title: "Important: nodejs:20 security update", fixed: "1:18.20.4-1.el8", version: installed, properties: label("nodejs:18:1:2"), want: 1},
		{name: "another stream, by the database", row: `,"ecosystem_specific":{"rpm_modularity":"nodejs:20"}`, version: installed, properties: label("nodejs:18:1:2"), want: 0},
		{name: "the same stream, by the database", row: `,"ecosystem_specific":{"rpm_modularity":"nodejs:18"}`, version: installed, properties: label("nodejs:18:1:2"), want: 1},
		{name: "another stream, by package URL", purl: "pkg:rpm/redhat/nodejs?rpmmod=nodejs:20:8100020240704072441:489197e6", version: installed, properties: label("nodejs:18:1:2"), want: 0},
		{name: "the same stream, by package URL", purl: "pkg:rpm/redhat/nodejs?rpmmod=nodejs:18:8100020240704072441:489197e6", title: "nodejs:20", version: installed, properties: label("nodejs:18:1:2"), want: 1},
		{name: "a package URL that names the stream of the component", title: "Important: nodejs:20 security update", version: installed, qualifier: "&rpmmod=nodejs:18:1:2", want: 0},
		{name: "a package URL of Trivy's", title: "Important: nodejs:20 security update", version: installed, qualifier: "&modularitylabel=nodejs:18:1:2", want: 0},
		{name: "Trivy's label", title: "Important: nodejs:20 security update", version: installed, properties: map[string]string{"aquasecurity:trivy:Modularitylabel": "nodejs:18:1:2"}, want: 0},
		{name: "Syft's label", title: "Important: nodejs:20 security update", version: installed, properties: map[string]string{"syft:metadata:modularityLabel": "nodejs:18:1:2"}, want: 0},
		{name: "a label that is none", title: "Important: nodejs:20 security update", version: installed, properties: label("nodejs"), want: 1},
		{name: "no label, by the mark of a module", title: "Important: nodejs:20 security update", version: installed, properties: none, want: 1},
		{name: "no module", title: "Important: nodejs:20 security update", version: plain, properties: none, want: 0},
		{name: "no module, and a fix of none", title: "Important: nodejs security update", fixed: "1:18.20.4-1.el8", version: plain, properties: none, want: 1},
		{name: "not known", title: "Important: nodejs:20 security update", version: plain, want: 1},
		{name: "not known, by the database", row: `,"ecosystem_specific":{"rpm_modularity":"nodejs:20"}`, version: plain, want: 1},
		{name: "a module that no label tells of", row: `,"ecosystem_specific":{"rpm_modularity":7}`, version: installed, properties: label("nodejs:18:1:2"), want: 1},
		{name: "listed", row: `,"versions":["` + plain + `"]`, version: plain, properties: none, want: 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.fixed == "" {
				tt.fixed = build18
			}
			for _, ecosystem := range []string{"Red Hat:enterprise_linux:8::appstream", "AlmaLinux:8", "Rocky Linux:8"} {
				distro := map[string]string{"Red Hat:enterprise_linux:8::appstream": "redhat/nodejs@%s?distro=rhel-8.10", "AlmaLinux:8": "almalinux/nodejs@%s?distro=almalinux-8.10", "Rocky Linux:8": "rocky/nodejs@%s?distro=rocky-8.10"}[ecosystem]
				x := built(t, records("s", fmt.Sprintf(`{"id":"X-2026:1","summary":%q,"affected":[{"package":{"ecosystem":%q,"name":"nodejs","purl":%q},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":%q}]}]%s}]}`,
					tt.title, ecosystem, tt.purl, tt.fixed, tt.row)))
				p := assay.MustPURL("pkg:rpm/" + fmt.Sprintf(distro, tt.version[2:]) + "&epoch=1" + tt.qualifier)
				sbom := &assay.SBOM{Root: assay.Component{ID: "root", Type: assay.TypeContainer, Name: "image"},
					Components: []assay.Component{{ID: "c", Type: assay.TypeLibrary, Name: "nodejs", Version: tt.version, PURL: p, Properties: tt.properties}}}
				scan := match(t, x, sbom)
				if len(scan.Findings) != tt.want || len(scan.Unevaluated) != 0 {
					t.Errorf("%s: got %v %v, want %d", ecosystem, found(scan), scan.Unevaluated, tt.want)
				}
			}
		})
	}
	// A module of another distribution is not told apart: nothing says that it is one.
	db := &memory{records: []osv.Advisory{{ID: "X-1", Affected: []osv.Affected{row("openEuler:24.03", "nodejs", "introduced 0, fixed 2")}}}}
	if scan := match(t, db, sbomOf("pkg:rpm/openeuler/nodejs@1?distro=openeuler-24.03")); len(scan.Findings) != 1 {
		t.Errorf("got %v", found(scan))
	}
}
