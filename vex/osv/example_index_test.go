package osv_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"testing/fstest"
	"time"

	"github.com/assaykit/assay/vex/osv"
)

// An index is built of the dumps of osv.dev, and of the catalogue of what is known to
// be exploited. Here the sources are in memory; mostly they are files:
//
//	osv.Source{Name: "osv/npm", Format: osv.FormatOSV, Path: "npm/all.zip"}
func ExampleUpdate() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "advisories")

	records := fstest.MapFS{
		"GHSA-aaaa-bbbb-cccc.json": {Data: []byte(`{
			"id": "GHSA-aaaa-bbbb-cccc", "aliases": ["CVE-2026-0001"], "published": "2026-03-01T00:00:00Z",
			"affected": [{"package": {"ecosystem": "PyPI", "name": "Zope.Interface"},
				"ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "5.1"}]}]}]}`)},
		"broken.json": {Data: []byte(`{"id": "PYSEC-2026-1", "id": "PYSEC-2026-2"}`)},
	}
	kev := fstest.MapFS{"kev.json": {Data: []byte(`{"vulnerabilities": [
		{"cveID": "CVE-2026-0001", "dateAdded": "2026-03-02", "dueDate": "2026-03-23"}]}`)}}
	report, err := osv.Update(ctx, path, osv.BuildOptions{Time: time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)},
		osv.Source{Name: "osv/PyPI", Format: osv.FormatOSV, FS: records},
		osv.Source{Name: "kev", Format: osv.FormatKEV, FS: kev})
	if err != nil {
		log.Fatal(err)
	}
	for _, s := range report.Skipped {
		fmt.Printf("%s: %s\n", s.Source, s.Reason)
	}

	index, err := osv.Open(path)
	if err != nil {
		log.Fatal(err)
	}
	defer index.Close()
	entries, err := index.Entries(ctx, "PyPI", osv.NormalName("PyPI", "zope_interface"))
	if err != nil {
		log.Fatal(err)
	}
	for _, e := range entries {
		advisory, err := index.Advisory(ctx, e.Advisory)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(advisory.ID, advisory.Aliases, "published", advisory.Published.Format(time.DateOnly), "due", advisory.Exploited.Due.Format(time.DateOnly))
		for _, a := range e.Affected {
			fmt.Println(a.Name, a.Ranges[0].Events)
		}
	}
	// Output:
	// osv/PyPI: read JSON: broken.json: /id: invalid: got "id", want each member name once
	// GHSA-aaaa-bbbb-cccc [CVE-2026-0001] published 2026-03-01 due 2026-03-23
	// Zope.Interface [{introduced 0} {fixed 5.1}]
}

func ExampleReadAdvisory() {
	a, err := osv.ReadAdvisory("GO-2026-0001.json", []byte(`{"id": "GO-2026-0001", "aliases": ["cve-2026-0001"], "published": "0001-01-01T00:00:00Z"}`))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(a.ID, a.Aliases, a.Published.IsZero())
	_, err = osv.ReadAdvisory("GO-2026-0002.json", []byte(`{"id": "GO-2026-0002", "affected": [{"package": {"ecosystem": "Go", "name": "example.com/m"},
		"ranges": [{"type": "SEMVER", "events": [{"fixed": "1.2.0"}]}]}]}`))
	fmt.Println(err)
	// Output:
	// GO-2026-0001 [CVE-2026-0001] true
	// read advisory: GO-2026-0002.json: /affected/0/ranges/0/events: invalid, want an introduced event (OSV affected[].ranges[].events)
}
