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
	tagvalue "github.com/spdx/tools-golang/spdx/v2/v2_3/tagvalue/reader"
	"github.com/spdx/tools-golang/tagvalue/reader"

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

// tools-golang reads what is written here, in both forms, to the same values.
func TestToolsGolang(t *testing.T) {
	for seed := range uint64(40) {
		doc := rich(t, seed, 8)
		for _, f := range []sbom.Format{sbom.SPDXJSON, sbom.SPDXTagValue} {
			data := encode(t, doc, f)
			got, err := new(v2_3.Document), error(nil)
			if f == sbom.SPDXJSON {
				err = json.Unmarshal(data, got)
			} else {
				var pairs []reader.TagValuePair
				if pairs, err = reader.ReadTagValues(bytes.NewReader(data)); err == nil {
					got, err = tagvalue.ParseTagValues(pairs)
				}
			}
			if err != nil {
				t.Fatalf("%s seed %d: %v\n%s", f, seed, err, data)
			}
			if got.DocumentNamespace != doc.Serial || len(got.Packages)+len(got.Files) != len(doc.Components)+1 {
				t.Fatalf("%s seed %d: got %s, %d packages, %d files", f, seed, got.DocumentNamespace, len(got.Packages), len(got.Files))
			}
			if n := len(doc.Relations) + 1; len(got.Relationships) != n {
				t.Errorf("%s seed %d: tools-golang reads %d relationships, %d were written", f, seed, len(got.Relationships), n)
			}
			var want, read [][]string
			for _, c := range append(slices.Clone(doc.Components), doc.Root) {
				if isFile(&c) {
					want = append(want, []string{plain(c.Name, f), "", "", ""})
				} else {
					want = append(want, []string{plain(c.Name, f), plain(c.Version, f), strings.TrimSpace(c.Description), c.PURL.String()})
				}
			}
			for _, p := range got.Packages {
				purl := ""
				for _, r := range p.PackageExternalReferences {
					if r.RefType == "purl" {
						purl = r.Locator
					}
				}
				read = append(read, []string{p.PackageName, p.PackageVersion, strings.TrimSpace(p.PackageDescription), purl})
			}
			for _, x := range got.Files {
				read = append(read, []string{x.FileName, "", "", ""})
			}
			slices.SortFunc(want, slices.Compare)
			slices.SortFunc(read, slices.Compare)
			if d := cmp.Diff(want, read); d != "" {
				t.Errorf("%s seed %d: %s", f, seed, d)
			}
		}
	}
}

// plain is what is left of a value on one line of tag-value.
func plain(s string, f sbom.Format) string {
	if f == sbom.SPDXTagValue {
		return strings.TrimSpace(strings.NewReplacer("\n", " ", "\t", " ").Replace(s))
	}
	return s
}

func isFile(c *assay.Component) bool {
	return c.Type == assay.TypeFile && c.Version == "" && c.Supplier == "" && c.PURL.IsZero() && len(c.CPEs) == 0 &&
		slices.ContainsFunc(c.Hashes, func(d assay.Digest) bool { return d.Algorithm() == assay.SHA1 })
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
	t.Run("tag-value", func(t *testing.T) {
		files, err := filepath.Glob(filepath.Join(moduleDir(t, "github.com/spdx/tools-golang"), "examples", "sample-docs", "tv", "*.spdx"))
		if err != nil || len(files) != 4 {
			t.Fatal(files, err)
		}
		for _, file := range files {
			name := filepath.Base(file)
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			doc, lost, err := sbom.ReadReport(name, data)
			if err != nil {
				t.Error(err)
				continue
			}
			pairs, err := reader.ReadTagValues(bytes.NewReader(data))
			if err != nil {
				t.Fatal(err)
			}
			count := map[string]int{}
			for _, p := range pairs {
				count[p.Tag]++
			}
			components := len(doc.Components)
			if doc.Root.ID != "" {
				components++
			}
			if want := count["PackageName"] + count["FileName"]; components != want {
				t.Errorf("%s: %d components, want %d", name, components, want)
			}
			for _, l := range lost {
				if !strings.HasPrefix(l.Field, "line ") {
					t.Errorf("%s: %v does not name a line", name, l)
				}
			}
			if strings.HasPrefix(name, "SPDXTagExample") {
				c, ok := doc.Component("Package")
				if !ok || c.Name != "glibc" || c.Version != "2.11.1" || c.Licenses[0].Expression != "(LGPL-2.0-only AND LicenseRef-3)" || len(c.CPEs) != 1 || len(c.Hashes) != 3 {
					t.Errorf("%s: got %+v", name, c)
				}
			} else if doc.Root.Name != "hello" || len(doc.Relations) < 3 {
				t.Errorf("%s: root %q, relations %v", name, doc.Root.Name, doc.Relations)
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
