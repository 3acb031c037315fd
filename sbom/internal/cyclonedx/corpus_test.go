package cyclonedx_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/sbom/internal/canon"
	"github.com/assaykit/assay/sbom/internal/cyclonedx"
)

// corpus gives the specification's own documents of a version, and skips without.
func corpus(t testing.TB, version, pattern string) []string {
	t.Helper()
	dir := os.Getenv("ASSAY_CORPORA")
	if dir == "" {
		t.Skip("ASSAY_CORPORA is not set to the folder of the public corpora")
	}
	files, err := filepath.Glob(filepath.Join(dir, "cyclonedx-spec", version, pattern))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	return files
}

func load(t testing.TB, file string) []byte {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func ignore(string, assay.ComponentID, string) {}

func isXML(file string) bool { return strings.HasSuffix(file, ".xml") }

// All valid documents are read, all invalid ones refused.
func TestCorpus(t *testing.T) {
	for _, tt := range []struct {
		version, ext   string
		valid, invalid int
	}{
		{"1.0", "xml", 2, 0}, {"1.1", "xml", 12, 17}, {"1.2", "xml", 24, 23}, {"1.3", "xml", 29, 24},
		{"1.4", "xml", 31, 24}, {"1.5", "xml", 38, 24}, {"1.6", "xml", 47, 27}, {"1.7", "xml", 63, 30},
		{"1.2", "json", 21, 21}, {"1.3", "json", 26, 22}, {"1.4", "json", 29, 22}, {"1.5", "json", 36, 22}, {"1.6", "json", 45, 25}, {"1.7", "json", 61, 29},
	} {
		t.Run(tt.version+"/"+tt.ext, func(t *testing.T) {
			valid, invalid := 0, 0
			for _, file := range corpus(t, tt.version, "*."+tt.ext) {
				name := filepath.Base(file)
				_, err := cyclonedx.Decode(name, load(t, file), isXML(file), ignore)
				switch {
				case strings.HasPrefix(name, "valid") && err != nil:
					t.Error(err)
				case strings.HasPrefix(name, "valid"):
					valid++
				case !errors.Is(err, assay.ErrInvalid):
					t.Errorf("%s: got %v, want it refused as invalid", name, err)
				case !strings.Contains(err.Error(), name):
					t.Errorf("%v does not name %s", err, name)
				default:
					invalid++
				}
			}
			t.Logf("%d read, %d refused", valid, invalid)
			if valid != tt.valid || invalid != tt.invalid {
				t.Errorf("%d read and %d refused, want %d and %d", valid, invalid, tt.valid, tt.invalid)
			}
		})
	}
}

// reread gives the SBOM as it is written.
func reread(t testing.TB, name string, data []byte, xml bool) *assay.SBOM {
	t.Helper()
	doc, err := cyclonedx.Decode(name, data, xml, ignore)
	if err != nil {
		t.Fatalf("%v\n%s", err, data)
	}
	form, err := canon.Form(doc, ignore)
	if err != nil {
		t.Fatal(err)
	}
	return form
}

// Valid documents of 1.4 to 1.7 that are read and written back are the same in
// everything, and nothing is reported as lost.
func TestNothingIsLost(t *testing.T) {
	for _, version := range []string{"1.4", "1.5", "1.6", "1.7"} {
		n, _ := cyclonedx.ParseVersion(version)
		for _, ext := range []string{"json", "xml"} {
			t.Run(version+"/"+ext, func(t *testing.T) {
				files := corpus(t, version, "valid-*."+ext)
				for _, file := range files {
					data := load(t, file)
					form := reread(t, filepath.Base(file), data, ext == "xml")
					out, err := cyclonedx.Encode(form, cyclonedx.Target{Version: n, XML: ext == "xml"}, func(field string, id assay.ComponentID, reason string) {
						t.Errorf("%s: lost %s of %q: %s", filepath.Base(file), field, id, reason)
					})
					if err != nil {
						t.Errorf("%s: %v", file, err)
						continue
					}
					if d := cyclonedx.Differ(data, out, ext == "xml"); d != "" {
						t.Errorf("%s: %s", filepath.Base(file), d)
					}
				}
				t.Logf("%d written back", len(files))
			})
		}
	}
}

// The documents of these names do not say the same in JSON and in XML: other
// components, versions, purls, times, licenses, digests.
var unequalTwins = map[string][]string{
	"1.2": {"bom", "component-ref", "dependency", "license-expression", "license-id", "license-name", "metadata-timestamp"},
	"1.3": {"bom", "component-ref", "compositions", "dependency", "external-reference", "license-expression", "license-id", "license-name", "metadata-timestamp", "properties"},
	"1.4": {"bom", "component-ref", "compositions", "dependency", "external-reference", "license-expression", "license-id", "license-name", "metadata-timestamp", "properties"},
	"1.5": {"bom", "component-ref", "compositions", "dependency", "external-reference", "license-expression", "license-id", "license-name", "metadata-timestamp", "properties"},
	"1.6": nil,
	"1.7": {"component-external-with-version", "cryptography-implementation", "license-choice", "license-expression-with-text"},
}

var equalSBOM = cmp.Options{
	cmp.Comparer(func(x, y assay.PURL) bool { return x == y }),
	cmp.Comparer(func(x, y assay.Digest) bool { return x == y }),
	cmpopts.IgnoreFields(assay.SBOM{}, "Rest"), cmpopts.EquateEmpty(),
}

// Twins give the same evidence, and most of them the same document.
func TestTwins(t *testing.T) {
	for version, unequal := range unequalTwins {
		t.Run(version, func(t *testing.T) {
			twins, same := 0, 0
			for _, file := range corpus(t, version, "valid-*.json") {
				twin := strings.TrimSuffix(file, ".json") + ".xml"
				if _, err := os.Stat(twin); err != nil {
					continue // only one document has none, since its signatures are of JSON
				}
				twins++
				name := strings.TrimSuffix(filepath.Base(file), ".json")
				a, b := reread(t, name, load(t, file), false), reread(t, name, load(t, twin), true)
				d := cmp.Diff(a, b, equalSBOM)
				switch known := slices.Contains(unequal, strings.TrimSuffix(strings.TrimPrefix(name, "valid-"), "-"+version)); {
				case d != "" && !known:
					t.Errorf("%s: (-JSON +XML) %s", name, d)
				case d == "" && known:
					t.Errorf("%s: the twins are equal", name)
				}
				if d := cyclonedx.DifferTwins(load(t, file), load(t, twin)); d == "" {
					same++
				}
			}
			t.Logf("%d twins, %d of them with equal evidence, %d the same in everything", twins, twins-len(unequal), same)
		})
	}
}

// Every valid document is written in every version and encoding: each is valid by
// the official schema, gives the evidence that it was made of, and what it lacks is
// told.
func TestConversions(t *testing.T) {
	xsd := newXSD(t)
	for _, to := range targets() {
		t.Run(to.name, func(t *testing.T) {
			var schema *jsonschema.Schema
			if !to.XML {
				schema = jsonSchema(t, to.version)
			}
			count, losses := 0, 0
			for _, version := range []string{"1.0", "1.1", "1.2", "1.3", "1.4", "1.5", "1.6", "1.7"} {
				for _, file := range corpus(t, version, "valid-*") {
					if strings.HasSuffix(file, ".textproto") {
						continue
					}
					name := version + "/" + filepath.Base(file)
					form := reread(t, name, load(t, file), isXML(file))
					lost := 0
					out, err := cyclonedx.Encode(form, to.Target, func(string, assay.ComponentID, string) { lost++ })
					if err != nil {
						t.Errorf("%s: %v", name, err)
						continue
					}
					count, losses = count+1, losses+lost
					if to.XML {
						xsd.add(t, to.version, name, out)
					} else if err := validate(schema, out); err != nil {
						t.Errorf("%s: %v", name, err)
					}
					again := reread(t, name+" as "+to.name, out, to.XML)
					if d := cmp.Diff(form, again, equalSBOM); d != "" && lost == 0 {
						t.Errorf("%s: (-read +read again) without a loss: %s", name, d)
					}
				}
			}
			xsd.check(t, to.version)
			t.Logf("%d documents, %d losses", count, losses)
		})
	}
}

type target struct {
	name, version string
	cyclonedx.Target
}

func targets() (out []target) {
	for _, version := range []string{"1.4", "1.5", "1.6", "1.7"} {
		n, _ := cyclonedx.ParseVersion(version)
		out = append(out, target{version + " JSON", version, cyclonedx.Target{Version: n}}, target{version + " XML", version, cyclonedx.Target{Version: n, XML: true}})
	}
	return out
}

// A document that gains a component keeps all that it said.
func TestMerge(t *testing.T) {
	for _, version := range []string{"1.4", "1.5", "1.6", "1.7"} {
		n, _ := cyclonedx.ParseVersion(version)
		t.Run(version, func(t *testing.T) {
			for _, file := range corpus(t, version, "valid-*") {
				if strings.HasSuffix(file, ".textproto") {
					continue
				}
				name := filepath.Base(file)
				form := reread(t, name, load(t, file), isXML(file))
				form.Components = append(form.Components, assay.Component{ID: "~added", Type: assay.TypeLibrary, Name: "added"})
				out, err := cyclonedx.Encode(form, cyclonedx.Target{Version: n, XML: isXML(file)}, func(field string, id assay.ComponentID, reason string) {
					if field != "/signature" && !strings.Contains(reason, "nested") {
						t.Errorf("%s: lost %s of %q: %s", name, field, id, reason)
					}
				})
				if err != nil {
					t.Errorf("%s: %v", name, err)
					continue
				}
				if d := cmp.Diff(form, reread(t, name, out, isXML(file)), equalSBOM, cmpopts.IgnoreFields(assay.SBOM{}, "Version")); d != "" {
					t.Errorf("%s: (-want +got) %s", name, d)
				}
				if d := cyclonedx.DifferWithout(load(t, file), out, isXML(file), "~added"); d != "" {
					t.Errorf("%s: %s", name, d)
				}
			}
		})
	}
}
