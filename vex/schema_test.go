package vex_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/vex"
)

// csafSchema compiles OASIS's schema of CSAF 2.0, which a module of Go ships; nil if
// there is none.
func csafSchema(t testing.TB) *jsonschema.Schema {
	t.Helper()
	dir := os.Getenv("ASSAY_CSAF")
	if dir == "" {
		return nil
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	c.UseRegexpEngine(func(s string) (jsonschema.Regexp, error) {
		// The pattern of categories looks ahead, which Go's expressions cannot; what it
		// refuses are names that are like those of profiles (test 6.1.26).
		if strings.Contains(s, "(?!") {
			s = `^[^\s\-_\.](.*[^\s\-_\.])?$`
		}
		return regexp.Compile(s)
	})
	schemas := filepath.Join(dir, "csaf", "schema")
	for url, file := range map[string]string{
		"https://docs.oasis-open.org/csaf/csaf/v2.0/csaf_json_schema.json": "csaf_json_schema.json",
		"https://www.first.org/cvss/cvss-v2.0.json":                        "cvss-v2.0.json",
		"https://www.first.org/cvss/cvss-v3.0.json":                        "cvss-v3.0.json",
		"https://www.first.org/cvss/cvss-v3.1.json":                        "cvss-v3.1.json",
	} {
		addSchema(t, c, url, filepath.Join(schemas, file))
	}
	s, err := c.Compile("https://docs.oasis-open.org/csaf/csaf/v2.0/csaf_json_schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// cyclonedxSchema compiles the official schema of CycloneDX 1.6, which cyclonedx-go
// ships.
func cyclonedxSchema(t testing.TB) *jsonschema.Schema {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", "github.com/CycloneDX/cyclonedx-go").Output()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(strings.TrimSpace(string(out)), "schema")
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	for url, file := range map[string]string{
		"http://cyclonedx.org/schema/bom-1.6.schema.json":  "bom-1.6.schema.json",
		"http://cyclonedx.org/schema/spdx.schema.json":     "spdx.schema.json",
		"http://cyclonedx.org/schema/jsf-0.82.schema.json": "jsf-0.82.schemax.json",
	} {
		addSchema(t, c, url, filepath.Join(dir, file))
	}
	s, err := c.Compile("http://cyclonedx.org/schema/bom-1.6.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func addSchema(t testing.TB, c *jsonschema.Compiler, url, file string) {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	v, err := jsonschema.UnmarshalJSON(f)
	if err != nil {
		t.Fatal(file, err)
	}
	if err := c.AddResource(url, v); err != nil {
		t.Fatal(err)
	}
}

// refusal is what the schema says of a document; nil without schema.
func refusal(t testing.TB, s *jsonschema.Schema, data []byte) error {
	t.Helper()
	if s == nil {
		return nil
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return s.Validate(v)
}

// written are documents of which every field and form is written.
func written(t *testing.T) map[string]*assay.VEX {
	t.Helper()
	odd := vex.New("größer@example.com", vex.Options{Time: day, Base: "https://example.com/größe", Role: "vendor", Tooling: "x"})
	strange := assay.Product{
		ID: "https://example.com/größe#1", CPEs: []string{"cpe:/a:x:y:1", "cpe:2.3:a:x:y:1:*"}, Digests: assay.DigestSet{digA},
	}
	odd.NotAffected("CVE-2026-0001", "", strange).Impact(" i ")
	odd.Affected("X-1", "Do.", parts(strange, zlib, assay.Product{ID: "urn:x:y", CPEs: []string{"cpe:2.3:a:vendor with space:y:1:*:*:*:*:*:*:*"}}))
	odd.Fixed("GHSA-aaaa-bbbb-cccc", vex.PURLProduct(assay.MustPURL("pkg:generic/größe@1?download_url=https://x/y%20z"))).Aliases("CVE-2026-0002", "X-2")
	parted := vex.New("a", vex.Options{Time: on(1), ID: "urn:uuid:00000000-0000-4000-8000-000000000001"})
	parted.Affected("CVE-2026-0001", "Do.", parts(image, zlib, ssl)).Since(day)
	parted.Fixed("CVE-2026-0001", parts(image, ssl))
	csaf, _, err := vex.ReadCSAF("csaf", []byte(csafInput()))
	if err != nil {
		t.Fatal(err)
	}
	cdx, _, err := vex.ReadCycloneDX("cdx", []byte(cdxDoc), vex.CycloneDX{})
	if err != nil {
		t.Fatal(err)
	}
	return map[string]*assay.VEX{
		"everything": everything(t), "odd": must(odd.Build()), "of parts": must(parted.Build()), "csaf": csaf, "cyclonedx": cdx,
		"merged": must(vex.Merge(mergeable(), vex.Options{})).Documents[0],
	}
}

func TestCSAFIsSchemaValid(t *testing.T) {
	schema := csafSchema(t)
	if schema == nil {
		t.Skip("ASSAY_CSAF is not set: the folder of github.com/gocsaf/csaf/v3, which has the schema")
	}
	if refusal(t, schema, []byte(strings.Replace(csafInput(), `"title": "T",`, "", 1))) == nil {
		t.Error("the schema refuses nothing")
	}
	for name, v := range written(t) {
		data, losses, err := vex.EncodeCSAF(v, vex.CSAF{Namespace: "https://example.com"})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if err := refusal(t, schema, data); err != nil {
			t.Errorf("%s: %v\n%s\n%v", name, err, data, losses)
		}
		if _, _, err := vex.ReadCSAF(name, data); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCycloneDXIsSchemaValid(t *testing.T) {
	schema := cyclonedxSchema(t)
	if refusal(t, schema, []byte(strings.Replace(cdxDoc, `"CycloneDX"`, `"X"`, 1))) == nil {
		t.Error("the schema refuses nothing")
	}
	for name, v := range written(t) {
		seen := 0
		for _, s := range v.Statements {
			for _, p := range s.Products {
				p.Subcomponents = nil
				data, losses, err := vex.EncodeCycloneDX(v, p)
				if err != nil {
					continue // all that is said of it was overridden
				}
				seen++
				if err := refusal(t, schema, data); err != nil {
					t.Errorf("%s: %v\n%s\n%v", name, err, data, losses)
				}
				if _, _, err := vex.ReadCycloneDX(name, data, vex.CycloneDX{}); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			}
		}
		if seen == 0 {
			t.Errorf("%s: nothing was written", name)
		}
	}
}

// What a later statement says of one of the parts holds for that part alone.
func TestConvertOverriddenPart(t *testing.T) {
	v := written(t)["of parts"]
	csaf, _, err := vex.EncodeCSAF(v, vex.CSAF{Namespace: "https://example.com"})
	if err != nil {
		t.Fatal(err)
	}
	cdx, losses, err := vex.EncodeCycloneDX(v, image)
	if err != nil {
		t.Fatal(err)
	}
	if len(losses) == 0 {
		t.Error("what was overridden is no loss")
	}
	for name, read := range map[string]func() (*assay.VEX, []vex.Loss, error){
		"csaf":      func() (*assay.VEX, []vex.Loss, error) { return vex.ReadCSAF("back", csaf) },
		"cyclonedx": func() (*assay.VEX, []vex.Loss, error) { return vex.ReadCycloneDX("back", cdx, vex.CycloneDX{}) },
	} {
		back, _, err := read()
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for part, want := range map[string]assay.Status{zlib.ID: assay.Affected, ssl.ID: assay.Fixed} {
			asked := parts(image, vex.PURLProduct(assay.MustPURL(part)))
			if got := vex.StatusOf([]*assay.VEX{back}, asked, assay.Vulnerability{ID: "CVE-2026-0001"}, on(2)).Status; got != want {
				t.Errorf("%s: %s is %q, want %q", name, part, got, want)
			}
		}
	}
}
