package cyclonedx_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
)

func schemaDir(t testing.TB) string {
	t.Helper()
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/CycloneDX/cyclonedx-go").Output()
	dir := strings.TrimSpace(string(out))
	if err != nil || dir == "" {
		t.Skipf("the module github.com/CycloneDX/cyclonedx-go with the official schemas is not there: %v", err)
	}
	return filepath.Join(dir, "schema")
}

func jsonSchema(t testing.TB, version string) *jsonschema.Schema {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	add := func(url, file string) {
		f, err := os.Open(filepath.Join(schemaDir(t), file))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		v, err := jsonschema.UnmarshalJSON(f)
		if err != nil {
			t.Fatal(err)
		}
		if file == "bom-1.5.schema.json" {
			// The module's revision does not know the bom-ref of an expression yet,
			// which the specification's documents have.
			expression := v.(map[string]any)["definitions"].(map[string]any)["licenseChoice"].(map[string]any)["oneOf"].([]any)[1].(map[string]any)
			expression["items"].([]any)[0].(map[string]any)["properties"].(map[string]any)["bom-ref"] = map[string]any{"type": "string"}
		}
		if err := c.AddResource(url, v); err != nil {
			t.Fatal(err)
		}
	}
	add("http://cyclonedx.org/schema/bom-"+version+".schema.json", "bom-"+version+".schema.json")
	add("http://cyclonedx.org/schema/spdx.schema.json", "spdx.schema.json")
	add("http://cyclonedx.org/schema/jsf-0.82.schema.json", "jsf-0.82.schemax.json")
	// The module does not have the lists of algorithm families and curves of 1.7.
	any := map[string]any{"definitions": map[string]any{"algorithmFamiliesEnum": map[string]any{}, "ellipticCurvesEnum": map[string]any{}}}
	if err := c.AddResource("http://cyclonedx.org/schema/cryptography-defs.schema.json", any); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("http://cyclonedx.org/schema/bom-" + version + ".schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// validate leaves out the formats of values that are only carried: addresses of
// mail and of the web.
func validate(s *jsonschema.Schema, data []byte) error {
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		return err
	}
	if err := s.Validate(v); refuses(err) {
		return err
	}
	return nil
}

func refuses(err error) bool {
	v, ok := errors.AsType[*jsonschema.ValidationError](err)
	if !ok {
		return err != nil
	}
	if len(v.Causes) == 0 {
		f, ok := v.ErrorKind.(*kind.Format)
		return !ok || f.Want == "date-time" || f.Want == "date"
	}
	_, one := v.ErrorKind.(*kind.OneOf)
	_, any := v.ErrorKind.(*kind.AnyOf)
	count := 0
	for _, c := range v.Causes {
		if refuses(c) {
			count++
		}
	}
	if one || any {
		return count == len(v.Causes)
	}
	return count > 0
}

// xsd validates documents with xmllint against the official schemas; it is nil where
// there is no xmllint, and validates nothing.
type xsd struct{ dir string }

func newXSD(t testing.TB) *xsd {
	t.Helper()
	if _, err := exec.LookPath("xmllint"); err != nil {
		t.Log("XML is not held against the official schemas: there is no xmllint (Debian: libxml2-utils)")
		return nil
	}
	x := &xsd{t.TempDir()}
	// The schema of 1.7 imports that of licenses by its address.
	for _, version := range []string{"1.4", "1.5", "1.6", "1.7"} {
		data := load(t, filepath.Join(schemaDir(t), "bom-"+version+".xsd"))
		data = bytes.ReplaceAll(data, []byte(`schemaLocation="http://cyclonedx.org/schema/spdx"`), []byte(`schemaLocation="spdx.xsd"`))
		if err := os.WriteFile(filepath.Join(x.dir, "bom-"+version+".xsd"), data, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Mkdir(filepath.Join(x.dir, version), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(x.dir, "spdx.xsd"), load(t, filepath.Join(schemaDir(t), "spdx.xsd")), 0o600); err != nil {
		t.Fatal(err)
	}
	return x
}

func (x *xsd) add(t testing.TB, version, name string, data []byte) {
	if x == nil {
		return
	}
	name = strings.NewReplacer("/", "_", " ", "_").Replace(name) + ".xml"
	if err := os.WriteFile(filepath.Join(x.dir, version, name), data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// check validates the documents that were added of a version.
func (x *xsd) check(t testing.TB, version string) {
	t.Helper()
	if x == nil {
		return
	}
	files, err := filepath.Glob(filepath.Join(x.dir, version, "*.xml"))
	if err != nil || len(files) == 0 {
		return
	}
	var stderr bytes.Buffer
	cmd := exec.Command("xmllint", append([]string{"--noout", "--nonet", "--schema", filepath.Join(x.dir, "bom-"+version+".xsd")}, files...)...)
	cmd.Stderr = &stderr
	if err := cmd.Run(); err == nil {
		t.Log(strconv.Itoa(len(files)) + " documents are valid by the schema of XML")
		return
	}
	failed := 0
	for line := range strings.Lines(stderr.String()) {
		switch {
		case strings.HasSuffix(line, " validates\n"):
		case strings.HasSuffix(line, " fails to validate\n"):
			failed++
		case !outdated.MatchString(line):
			t.Error(strings.TrimPrefix(strings.TrimSpace(line), x.dir))
		}
	}
	t.Logf("%d documents are valid by the schema of XML, %d for what its revision does not have yet", len(files)-failed, failed)
}

// outdated are complaints of the module's revision of the schemas about what the
// specification's documents, which are newer, have themselves: lists that it allows
// one element of, and new members. Addresses are carried and not checked.
var outdated = regexp.MustCompile(`\}(user|useCase|technicalLimitation|performanceTradeoff|properties|data|cryptoRef|description)': This element is not expected` +
	`|1\.5\}expression', attribute 'bom-ref'` +
	`|is not a valid value of the atomic type 'xs:anyURI'`)
