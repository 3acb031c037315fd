package osv_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"testing/fstest"
	"time"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/vex/osv"
)

// Findings are what is decided, and what is not decided is told beside them.
func ExampleMatch() {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)

	// Two records of one vulnerability, as folders and dumps of osv.dev have them.
	dump := fstest.MapFS{
		"GO-2026-0001.json": {Data: []byte(`{"id": "GO-2026-0001", "modified": "2026-03-02T00:00:00Z", "aliases": ["CVE-2026-1234"],
			"affected": [{"package": {"ecosystem": "Go", "name": "example.com/yaml"},
				"ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}, {"fixed": "1.3.0"}]}]}]}`)},
		"GHSA-aaaa-bbbb-cccc.json": {Data: []byte(`{"id": "GHSA-aaaa-bbbb-cccc", "modified": "2026-03-03T00:00:00Z", "published": "2026-03-01T00:00:00Z",
			"aliases": ["CVE-2026-1234"], "severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H"}],
			"affected": [{"package": {"ecosystem": "Go", "name": "example.com/yaml"},
				"ranges": [{"type": "SEMVER", "events": [{"introduced": "1.0.0"}, {"fixed": "1.3.0"}]}]}]}`)},
	}
	index := filepath.Join(dir, "advisories")
	if _, err := osv.Build(context.Background(), index, osv.BuildOptions{}, osv.Source{Name: "Go", Format: osv.FormatOSV, FS: dump}); err != nil {
		log.Fatal(err)
	}
	db, err := osv.Open(index)
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()

	// What sbom.Scan gives, or sbom.Read.
	doc := &assay.SBOM{Components: []assay.Component{
		{ID: "1", Type: assay.TypeLibrary, Name: "example.com/yaml", PURL: assay.MustPURL("pkg:golang/example.com/yaml@v1.2.0")},
		{ID: "2", Type: assay.TypeLibrary, Name: "redis", PURL: assay.MustPURL("pkg:generic/redis@7.2.0")},
	}}
	scan, err := osv.Match(context.Background(), db, doc, osv.MatchOptions{Time: time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC)})
	if err != nil {
		log.Fatal(err) // nothing was found out: see the kinds of errors
	}
	for _, f := range scan.Findings {
		fmt.Println(f.Vulnerability.ID, "in", f.PURL)
		fmt.Println("  told by", f.Advisories, "since", f.Published.Format(time.DateOnly))
		fmt.Println("  rated", f.Severities[0].Rating, f.Severities[0].Score)
		fmt.Println("  fixed in", f.Fix.Version)
	}
	for _, u := range scan.Unevaluated {
		fmt.Println("not decided:", u.Reason)
	}
	// Output:
	// CVE-2026-1234 in pkg:golang/example.com/yaml@v1.2.0
	//   told by [GHSA-aaaa-bbbb-cccc GO-2026-0001] since 2026-03-01
	//   rated high 7.5
	//   fixed in 1.3.0
	// not decided: ask for advisories: pkg:generic/redis@7.2.0: type: could not be checked: got "generic", want a type that advisories are written for
}

// Distributions order their versions in ways of their own.
func ExampleCompare() {
	for _, v := range [][3]string{
		{"Debian:12", "1.0~rc1-1", "1.0-1"},
		{"npm", "1.10.0", "1.9.0"},
		{"Go", "go1.22rc1", "v1.22.0"},
	} {
		order, err := osv.Compare(v[0], v[1], v[2])
		fmt.Println(order, err)
	}
	// Output:
	// -1 <nil>
	// 1 <nil>
	// -1 <nil>
}

// A package of a distribution is asked for by its source, and in the release that the
// advisories are written for.
func ExampleQueries() {
	for _, p := range []string{"pkg:deb/debian/libcurl4@7.88.1-10?distro=debian-12&upstream=curl", "pkg:npm/%40scope/name@1.2.3", "pkg:generic/redis@7.2.0"} {
		queries, err := osv.Queries(&assay.Component{PURL: assay.MustPURL(p)}, nil)
		for _, q := range queries {
			fmt.Printf("%s %q: %s %s\n", q.Ecosystem, q.Release, q.Name, q.Version)
		}
		if err != nil {
			fmt.Println(err)
		}
	}
	// Output:
	// Debian "12": curl 7.88.1-10
	// npm "": @scope/name 1.2.3
	// ask for advisories: pkg:generic/redis@7.2.0: type: could not be checked: got "generic", want a type that advisories are written for
}
