package sbom_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	cyclonedx "github.com/CycloneDX/cyclonedx-go"
	"github.com/google/go-cmp/cmp"
	"github.com/spdx/tools-golang/spdx/v2/v2_3"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/sbom"
)

// cyclonedx-go is an implementation of its own: what is written here it reads, to
// the same values, and what it writes of that is read here.
func TestCycloneDXGo(t *testing.T) {
	for seed := range uint64(30) {
		doc := rich(t, seed, 8)
		var bom cyclonedx.BOM
		if err := cyclonedx.NewBOMDecoder(bytes.NewReader(encode(t, doc, sbom.CycloneDXJSON)), cyclonedx.BOMFileFormatJSON).Decode(&bom); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if bom.SpecVersion != cyclonedx.SpecVersion1_6 || bom.SerialNumber != doc.Serial || len(*bom.Components) != len(doc.Components) {
			t.Fatalf("seed %d: got %v %s, %d components", seed, bom.SpecVersion, bom.SerialNumber, len(*bom.Components))
		}
		for i, c := range *bom.Components {
			want := doc.Components[i]
			got := []string{c.BOMRef, string(c.Type), c.Name, c.Version, c.Description, c.PackageURL}
			if d := cmp.Diff([]string{string(want.ID), string(want.Type), want.Name, want.Version, want.Description, want.PURL.String()}, got); d != "" {
				t.Errorf("seed %d: %s", seed, d)
			}
		}
		if bom.Dependencies != nil {
			for _, dep := range *bom.Dependencies {
				for _, to := range *orNone(dep.Dependencies) {
					r := assay.Relation{From: assay.ComponentID(dep.Ref), Kind: assay.DependsOn, To: assay.ComponentID(to)}
					if !slices.Contains(doc.Relations, r) {
						t.Errorf("seed %d: cyclonedx-go reads a relation %v that was not written", seed, r)
					}
				}
			}
		}
		var out bytes.Buffer
		if err := cyclonedx.NewBOMEncoder(&out, cyclonedx.BOMFileFormatJSON).Encode(&bom); err != nil {
			t.Fatal(err)
		}
		back, err := sbom.Read("cyclonedx-go", out.Bytes())
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		doc.Format = back.Format
		if d := cmp.Diff(doc, back, equal); d != "" {
			t.Errorf("seed %d: through cyclonedx-go:\n%s", seed, d)
		}
	}
}

func orNone(s *[]string) *[]string {
	if s == nil {
		return &[]string{}
	}
	return s
}

func TestToolsGolang(t *testing.T) {
	for seed := range uint64(30) {
		doc := rich(t, seed, 8)
		var got v2_3.Document
		if err := json.Unmarshal(encode(t, doc, sbom.SPDXJSON), &got); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if got.DocumentNamespace != doc.Serial || len(got.Packages) != len(doc.Components)+1 {
			t.Fatalf("seed %d: got %s, %d packages", seed, got.DocumentNamespace, len(got.Packages))
		}
		for i, p := range got.Packages {
			want := doc.Root
			if i > 0 {
				want = doc.Components[i-1]
			}
			purl := ""
			for _, r := range p.PackageExternalReferences {
				if r.RefType == "purl" {
					purl = r.Locator
				}
			}
			if d := cmp.Diff([]string{want.Name, want.Version, want.Description, want.PURL.String()}, []string{p.PackageName, p.PackageVersion, p.PackageDescription, purl}); d != "" {
				t.Errorf("seed %d: %s", seed, d)
			}
		}
		if n := len(doc.Relations) + 1; len(got.Relationships) != n {
			t.Errorf("seed %d: tools-golang reads %d relationships, %d were written", seed, len(got.Relationships), n)
		}
	}
}

// The samples that the libraries' modules ship.
func TestSamples(t *testing.T) {
	t.Run("tools-golang", func(t *testing.T) {
		for name, want := range map[string]struct{ components, relations int }{
			"SPDXJSONExample-v2.2.spdx.json": {8, 6}, "SPDXJSONExample-v2.3.spdx.json": {9, 4},
		} {
			data, err := os.ReadFile(filepath.Join(moduleDir(t, "github.com/spdx/tools-golang"), "examples", "sample-docs", "json", name))
			if err != nil {
				t.Fatal(err)
			}
			doc, lost, err := sbom.ReadReport(name, data)
			if err != nil {
				t.Fatal(err)
			}
			if len(doc.Components) != want.components || len(doc.Relations) != want.relations || doc.Root.ID != "" {
				t.Errorf("%s: root %q, %d components, %d relations", name, doc.Root.ID, len(doc.Components), len(doc.Relations))
			}
			c, ok := doc.Component("Package")
			if !ok || c.Name != "glibc" || c.Version != "2.11.1" || c.Licenses[0].Expression != "(LGPL-2.0-only AND LicenseRef-3)" || len(c.CPEs) != 1 {
				t.Errorf("%s: got %+v", name, c)
			}
			for _, field := range []string{"/snippets", "/externalDocumentRefs", "/comment"} {
				if !slices.ContainsFunc(lost, func(l sbom.Loss) bool { return l.Field == field }) {
					t.Errorf("%s: the loss of %s is not told", name, field)
				}
			}
		}
	})
	t.Run("cyclonedx-go", func(t *testing.T) {
		files, err := filepath.Glob(filepath.Join(moduleDir(t, "github.com/CycloneDX/cyclonedx-go"), "testdata", "valid-*.json"))
		if err != nil || len(files) == 0 {
			t.Fatal(files, err)
		}
		// Two samples depend on bom-refs that they do not define.
		dangling := map[string]string{"valid-compositions.json": "pkg:maven/acme/library@3.0", "valid-service.json": "pkg:maven/com.acme/stock-java-client@1.0.12"}
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			name := filepath.Base(file)
			_, err = sbom.Read(name, data)
			if ref := dangling[name]; ref != "" {
				if err == nil || !strings.Contains(err.Error(), ref) {
					t.Errorf("%s: got %v, want it to name %s", name, err, ref)
				}
			} else if err != nil {
				t.Error(err)
			}
		}
	})
}
