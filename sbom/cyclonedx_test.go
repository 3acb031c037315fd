package sbom_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/sbom"
)

// Every version and encoding is named, written, told by its content and read.
func TestCycloneDXVersions(t *testing.T) {
	for _, version := range []string{"1.4", "1.5", "1.6", "1.7"} {
		for family, prefix := range map[sbom.Format]string{sbom.CycloneDXJSON: "cyclonedx-json/", sbom.CycloneDXXML: "cyclonedx-xml/"} {
			f, err := sbom.ParseFormat(string(family) + "@" + version)
			if err != nil {
				t.Fatal(err)
			}
			if f.MediaType() != family.MediaType() || f.PredicateType() != family.PredicateType() {
				t.Errorf("%s: %s, %s", f, f.MediaType(), f.PredicateType())
			}
			for seed := range uint64(20) {
				doc := rich(t, seed, 6)
				data, lost, err := sbom.Encode(doc, f, sbom.EncodeOptions{Indent: seed%2 == 0})
				if err != nil {
					t.Fatal(err)
				}
				got, err := sbom.Read("f", data)
				if err != nil {
					t.Fatalf("%s: %v\n%s", f, err, data)
				}
				if got.Format != prefix+version {
					t.Errorf("%s is read as %s", f, got.Format)
				}
				want, err := sbom.Read("f", encode(t, doc, family))
				if err != nil {
					t.Fatal(err)
				}
				want.Format = got.Format
				// The fields that are told to be lost, and no others, are.
				for _, l := range lost {
					dropField(t, l, want, got)
				}
				want.Serial = got.Serial // where it is derived it is from all of the SBOM
				if d := cmp.Diff(want, got, equal); d != "" {
					t.Errorf("%s: seed %d: (-want +got) %s\nlost %v", f, seed, d, lost)
				}
			}
		}
	}
	for _, name := range []string{"cyclonedx-json@1.3", "cyclonedx-json@1.8", "cyclonedx-xml@", "cyclonedx@1.6", "spdx-json@2.1", "spdx3-json@3.0.1"} {
		if _, err := sbom.ParseFormat(name); !errors.Is(err, assay.ErrInvalid) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// dropField makes both alike in what was lost.
func dropField(t *testing.T, l sbom.Loss, docs ...*assay.SBOM) {
	for _, doc := range docs {
		c := &doc.Root
		if l.Component != "" {
			c, _ = doc.Component(l.Component)
		}
		switch l.Field {
		case "lifecycle":
			doc.Lifecycle = ""
		case "completeness":
			doc.Completeness = nil
		case "type":
			c.Type = ""
		case "locations":
			c.Locations = nil
		case "licenses":
			c.Licenses = nil
		case "references":
			c.References = nil
		case "created", "name", "version", "description":
		default:
			t.Errorf("unexpected %v", l)
		}
	}
}

func ExampleConvert_downgrade() {
	const in = `{"bomFormat": "CycloneDX", "specVersion": "1.6", "components": [{"type": "library", "bom-ref": "a", "name": "a",
		"scope": "required", "tags": ["x"], "licenses": [{"license": {"id": "MIT", "acknowledgement": "concluded"}}]}]}`
	c, err := sbom.Convert("in.json", []byte(in), sbom.CycloneDXXML+"@1.5", sbom.EncodeOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%s", c.Data)
	slices.SortFunc(c.Unwritten, func(a, b sbom.Loss) int { return strings.Compare(a.Field, b.Field) })
	for _, l := range c.Unwritten {
		fmt.Println(l)
	}
	// Output:
	// <?xml version="1.0" encoding="UTF-8"?><bom xmlns="http://cyclonedx.org/schema/bom/1.5"><components><component type="library" bom-ref="a"><name>a</name><scope>required</scope><licenses><license><id>MIT</id></license></licenses></component></components></bom>
	// a: /components/0/licenses/0/license/acknowledgement: CycloneDX 1.5 in XML has no such member
	// a: /components/0/tags: CycloneDX 1.5 in XML has no such member
}
