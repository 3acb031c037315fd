package cyclonedx_test

import (
	"encoding/json"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/sbom/internal/canon"
	"github.com/assaykit/assay/sbom/internal/cyclonedx"
)

// inventory is an SBOM as an image with n packages has it, ready to be written.
func inventory(b testing.TB, n int) *assay.SBOM {
	b.Helper()
	layer := assay.MustDigest(fmt.Sprintf("sha256:%064x", 1))
	doc := &assay.SBOM{Root: assay.Component{ID: "root", Type: assay.TypeContainer, Name: "image"}, Version: 1, Layers: []assay.Digest{layer},
		Serial: "urn:uuid:3e671687-395b-41f5-a30f-a58921a69b79", Created: time.Unix(1767225600, 0).UTC(), Tools: []assay.Tool{{Name: "assay", Version: "1"}},
		Completeness: []assay.Completeness{{Scope: "components", Aggregate: "complete"}, {Scope: "dependencies:deb", Aggregate: "complete"}}}
	for i := range n {
		name := fmt.Sprintf("package-%05d", i)
		id := "pkg:deb/debian/" + name + "@1.2.3-4?arch=amd64"
		purl, err := assay.ParsePURL(id)
		if err != nil {
			b.Fatal(err)
		}
		hash, _ := assay.NewDigestSet(assay.MustDigest(fmt.Sprintf("sha256:%064x", i)))
		doc.Components = append(doc.Components, assay.Component{ID: assay.ComponentID(id), Type: assay.TypeLibrary, Name: name, Version: "1.2.3-4", PURL: purl, FoundBy: "dpkg",
			Supplier: "Debian Maintainers <debian@lists.debian.org>", Description: "package of the number " + name, Hashes: hash,
			Source:    assay.SourcePackage{Name: "source-" + name, Version: "1.2.3"},
			Licenses:  []assay.License{{Expression: "MIT"}, {Name: "public-domain-" + name}},
			Locations: []assay.Location{{Layer: layer, Path: "usr/share/doc/" + name + "/copyright"}, {Layer: layer, Path: "var/lib/dpkg/status"}}})
		doc.Relations = append(doc.Relations, assay.Relation{From: "root", Kind: assay.Contains, To: assay.ComponentID(id)})
		for j := range min(i, 4) {
			doc.Relations = append(doc.Relations, assay.Relation{From: assay.ComponentID(id), Kind: assay.DependsOn, To: doc.Components[i-j-1].ID})
		}
	}
	form, err := canon.Form(doc, ignore)
	if err != nil {
		b.Fatal(err)
	}
	return form
}

const packages = 12000

// BenchmarkEncode has as its floor encoding/json with the same document as plain
// structs.
func BenchmarkEncode(b *testing.B) {
	form := inventory(b, packages)
	plain := new(cyclonedx.Document)
	for _, to := range []target{{"JSON", "1.6", cyclonedx.Target{Version: 6}}, {"XML", "1.6", cyclonedx.Target{Version: 6, XML: true}}} {
		b.Run(to.name, func(b *testing.B) {
			data, err := cyclonedx.Encode(form, cyclonedx.Target{Version: 6}, ignore)
			if err != nil {
				b.Fatal(err)
			}
			if err := json.Unmarshal(data, plain); err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(len(data)))
			against(b, func() error { _, err := cyclonedx.Encode(form, to.Target, ignore); return err },
				func() error { _, err := json.Marshal(plain); return err })
		})
	}
}

// BenchmarkDecode has as its floor encoding/json reading the same document in JSON
// into plain structs.
func BenchmarkDecode(b *testing.B) {
	form := inventory(b, packages)
	floor, err := cyclonedx.Encode(form, cyclonedx.Target{Version: 6}, ignore)
	if err != nil {
		b.Fatal(err)
	}
	for _, to := range []target{{"JSON", "1.6", cyclonedx.Target{Version: 6}}, {"XML", "1.6", cyclonedx.Target{Version: 6, XML: true}}} {
		b.Run(to.name, func(b *testing.B) {
			data, err := cyclonedx.Encode(form, to.Target, ignore)
			if err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(len(data)))
			against(b, func() error { _, err := cyclonedx.Decode("bench", data, to.XML, ignore); return err },
				func() error { return json.Unmarshal(floor, new(cyclonedx.Document)) })
		})
	}
}

// against reports the ratio of the fastest run of work to the fastest run of the
// floor, in processor time, the collection of garbage included. They run in turn, so
// that a busy machine slows both.
func against(b *testing.B, work, floor func() error) {
	timed := func(f func() error, best *time.Duration) {
		runtime.GC()
		start := cpuTime()
		if err := f(); err != nil {
			b.Fatal(err)
		}
		*best = min(*best, cpuTime()-start)
	}
	const never = time.Duration(1 << 62)
	bestWork, bestFloor := never, never
	b.ReportAllocs()
	for b.Loop() {
		timed(work, &bestWork)
		b.StopTimer()
		timed(floor, &bestFloor)
		b.StartTimer()
	}
	b.ReportMetric(float64(bestWork)/float64(bestFloor), "x-floor")
}
