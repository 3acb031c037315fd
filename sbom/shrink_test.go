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

// heavy has something to leave out for each step.
func heavy(t testing.TB) *assay.SBOM {
	doc := debian(t, 40)
	for i := range doc.Components {
		c := &doc.Components[i]
		c.CPEs = []string{"cpe:2.3:a:x:" + c.Name + ":1:*:*:*:*:*:*:*"}
		c.Properties = map[string]string{"assay:deb:state": "half-configured"}
		c.Hashes = assay.DigestSet{digest(assay.SHA256, i, 64)}
		if i%2 == 0 {
			c.Licenses = []assay.License{{Expression: "MIT"}, {Name: strings.Repeat("may be used by anybody ", 10)}}
		}
	}
	for i := range 100 {
		f := assay.Component{ID: assay.ComponentID(fmt.Sprintf("file:%d", i)), Type: assay.TypeFile, Name: fmt.Sprint("usr/share/", i), Hashes: assay.DigestSet{digest(assay.SHA256, i, 64)}}
		doc.Components = append(doc.Components, f)
		doc.Relations = append(doc.Relations, assay.Relation{From: f.ID, Kind: assay.OwnedBy, To: doc.Components[0].ID})
	}
	if err := doc.Normalize(); err != nil {
		t.Fatal(err)
	}
	return doc
}

func TestEncodeMaxBytes(t *testing.T) {
	for _, f := range formats {
		t.Run(string(f), func(t *testing.T) {
			doc := heavy(t)
			before := fmt.Sprint(*doc)
			full := encode(t, doc, f)
			data, lost, err := sbom.Encode(doc, f, sbom.EncodeOptions{MaxBytes: int64(len(full))})
			if err != nil || string(data) != string(full) {
				t.Fatalf("what fits was changed: %v %v", lost, err)
			}
			// One byte less than what the last step gave, until nothing is left.
			var steps []string
			size := int64(len(full))
			for {
				data, lost, err = sbom.Encode(doc, f, sbom.EncodeOptions{MaxBytes: size - 1})
				if err != nil {
					break
				}
				if int64(len(data)) >= size {
					t.Fatalf("%d bytes within %d", len(data), size-1)
				}
				if !strings.Contains(lost[0].Reason, fmt.Sprintf("within %d bytes", size-1)) {
					t.Errorf("loss %q", lost[0])
				}
				size = int64(len(data))
				back, err := sbom.Read("x", data)
				if err != nil {
					t.Fatal(err)
				}
				for i := range back.Components {
					c := &back.Components[i]
					was, _ := doc.Component(c.ID)
					if c.Name != was.Name || c.Version != was.Version || c.PURL != was.PURL || !c.Hashes.Equal(was.Hashes) || c.Supplier != was.Supplier || c.Source != was.Source {
						t.Fatalf("%s lost what must stay:\n%s", c.ID, cmp.Diff(*was, *c, equal))
					}
				}
				var fields []string
				for _, l := range lost {
					if strings.Contains(l.Reason, "left out to keep") {
						fields = append(fields, l.Field)
					}
				}
				steps = append(steps, strings.Join(fields, " "))
				if len(back.Components) != 40 || back.Root.Name != doc.Root.Name {
					t.Fatalf("%d components after %s", len(back.Components), fields)
				}
			}
			if !errors.Is(err, assay.ErrBound) || !strings.Contains(err.Error(), fmt.Sprintf("%d bytes", size)) || !strings.Contains(err.Error(), "MaxBytes") {
				t.Errorf("%v", err)
			}
			all := strings.Fields("components locations properties description cpes licenses locations foundBy")
			var want []string
			for n := range all {
				want = append(want, strings.Join(all[:n+1], " "))
			}
			if d := cmp.Diff(want, steps); d != "" {
				t.Errorf("steps (-want +got):\n%s", d)
			}
			if fmt.Sprint(*doc) != before {
				t.Error("the document was changed")
			}
		})
	}
}

// Components without a purl keep their CPEs, and what files leave behind is told to
// be incomplete.
func TestEncodeMaxBytesKeeps(t *testing.T) {
	doc := heavy(t)
	i := slices.IndexFunc(doc.Components, func(c assay.Component) bool { return c.Type == assay.TypeLibrary })
	doc.Components[i].PURL = assay.PURL{}
	doc.Components = append(doc.Components, assay.Component{ID: "z", Type: assay.TypeFile, Name: "z", PURL: purl(t, "pkg:generic/z@1")})
	_, _, err := sbom.Encode(doc, sbom.CycloneDXJSON, sbom.EncodeOptions{MaxBytes: 1})
	if !errors.Is(err, assay.ErrBound) {
		t.Fatal(err)
	}
	var size int64
	if _, err := fmt.Sscanf(err.Error()[strings.Index(err.Error(), `got "`)+5:], "%d", &size); err != nil {
		t.Fatal(err)
	}
	data, _, err := sbom.Encode(doc, sbom.CycloneDXJSON, sbom.EncodeOptions{MaxBytes: size})
	if err != nil || int64(len(data)) != size {
		t.Fatalf("the size that the error names does not do: %v", err)
	}
	back, err := sbom.Read("x", data)
	if err != nil {
		t.Fatal(err)
	}
	c, _ := back.Component(doc.Components[i].ID)
	if len(c.CPEs) != 1 {
		t.Errorf("no CPE of %s", c.ID)
	}
	if _, ok := back.Component("z"); !ok {
		t.Error("a file with a purl is gone")
	}
	found := false
	for _, s := range back.Completeness {
		found = found || s == assay.Completeness{Scope: "components", Aggregate: "incomplete"}
		if s.Scope == "components" && s.Aggregate == "complete" {
			t.Error("still complete")
		}
	}
	if !found {
		t.Errorf("not told to be incomplete: %v", back.Completeness)
	}
}
