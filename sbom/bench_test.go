package sbom_test

import (
	"encoding/json"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/sbom"
)

// debian is an SBOM as a Debian image with n packages has it.
func debian(b testing.TB, n int) *assay.SBOM {
	doc := small(b)
	doc.Components, doc.Relations = nil, nil
	for i := range n {
		name := fmt.Sprintf("package-%05d", i)
		id := assay.ComponentID("pkg:deb/debian/" + name + "@1.2.3-4?arch=amd64")
		doc.Components = append(doc.Components, assay.Component{
			ID: id, Type: assay.TypeLibrary, Name: name, Version: "1.2.3-4", PURL: purl(b, string(id)), FoundBy: "dpkg",
			Supplier: "Debian Maintainers <debian@lists.debian.org>", Description: "package of the number " + name,
			Source:    assay.SourcePackage{Name: "source-" + name, Version: "1.2.3"},
			Licenses:  []assay.License{{Expression: "MIT"}, {Name: "public-domain-" + name}},
			Locations: []assay.Location{{Layer: doc.Layers[0], Path: "var/lib/dpkg/status"}, {Layer: doc.Layers[0], Path: "usr/share/doc/" + name + "/copyright"}},
		})
		doc.Relations = append(doc.Relations, assay.Relation{From: doc.Root.ID, Kind: assay.Contains, To: id})
		for j := range min(i, 4) {
			doc.Relations = append(doc.Relations, assay.Relation{From: id, Kind: assay.DependsOn, To: doc.Components[i-j-1].ID})
		}
	}
	if err := doc.Normalize(); err != nil {
		b.Fatal(err)
	}
	return doc
}

const packages = 2000

// twin is the format in JSON of the same specification, whose floor stands for one
// that encoding/json cannot read: the same facts in another syntax.
func twin(f sbom.Format) sbom.Format {
	switch f {
	case sbom.CycloneDXXML:
		return sbom.CycloneDXJSON
	case sbom.SPDXTagValue:
		return sbom.SPDXJSON
	case oldTagValue:
		return oldSPDXJSON
	}
	return f
}

// BenchmarkEncode has as its floor encoding/json with the same document, or its twin
// in JSON, as maps.
func BenchmarkEncode(b *testing.B) {
	doc := debian(b, packages)
	for _, f := range formats {
		b.Run(string(f), func(b *testing.B) {
			data := encode(b, doc, f)
			var v any
			if err := json.Unmarshal(encode(b, doc, twin(f)), &v); err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(len(data)))
			against(b, func() error { _, _, err := sbom.Encode(doc, f, sbom.EncodeOptions{}); return err },
				func() error { _, err := json.Marshal(v); return err })
		})
	}
}

// BenchmarkRead has as its floor encoding/json reading the same bytes, or those of
// its twin in JSON, into maps.
func BenchmarkRead(b *testing.B) {
	doc := debian(b, packages)
	for _, f := range formats {
		b.Run(string(f), func(b *testing.B) {
			data := encode(b, doc, f)
			floor := encode(b, doc, twin(f))
			b.SetBytes(int64(len(data)))
			against(b, func() error { _, err := sbom.Read("bench", data); return err },
				func() error { var v any; return json.Unmarshal(floor, &v) })
		})
	}
}

func BenchmarkCompare(b *testing.B) {
	claimed, actual := debian(b, packages), debian(b, packages)
	against(b, func() error {
		if d := sbom.Compare(claimed, actual); !d.Empty() {
			return fmt.Errorf("%s", d)
		}
		return nil
	}, func() error { // each component looked up once by its purl
		byPURL := make(map[assay.PURL]*assay.Component)
		for i := range claimed.Components {
			byPURL[claimed.Components[i].PURL] = &claimed.Components[i]
		}
		for i := range actual.Components {
			if byPURL[actual.Components[i].PURL] == nil {
				return fmt.Errorf("no %s", actual.Components[i].PURL)
			}
		}
		return nil
	})
}

// against reports the ratio of the fastest run of work to the fastest run of the
// floor, in processor time, the collection of garbage included, and by the clock. They
// run in turn, so that a busy machine slows both.
func against(b *testing.B, work, floor func() error) {
	const never = time.Duration(1 << 62)
	type best struct{ cpu, wall time.Duration }
	timed := func(f func() error, t *best) {
		runtime.GC()
		began, start := time.Now(), cpuTime()
		if err := f(); err != nil {
			b.Fatal(err)
		}
		t.cpu, t.wall = min(t.cpu, cpuTime()-start), min(t.wall, time.Since(began))
	}
	bestWork, bestFloor := best{never, never}, best{never, never}
	b.ReportAllocs()
	for b.Loop() {
		timed(work, &bestWork)
		b.StopTimer()
		timed(floor, &bestFloor)
		b.StartTimer()
	}
	b.ReportMetric(float64(bestWork.cpu)/float64(bestFloor.cpu), "x-floor")
	b.ReportMetric(float64(bestWork.wall)/float64(bestFloor.wall), "x-wall")
}
