package cyclonedx_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

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

// sorted gives a copy in which what has no order is sorted, so that documents can be
// compared: components, dependencies and their ends.
func reread(t *testing.T, name string, data []byte, xml bool) (*assay.SBOM, *assay.SBOM) {
	t.Helper()
	doc, err := cyclonedx.Decode(name, data, xml, ignore)
	if err != nil {
		t.Fatalf("%v\n%s", err, data)
	}
	form, err := canon.Form(doc, ignore)
	if err != nil {
		t.Fatal(err)
	}
	return doc, form
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
					_, form := reread(t, filepath.Base(file), data, ext == "xml")
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

// Twins give the same evidence, and the same document.
func TestTwins(t *testing.T) {
	for _, version := range []string{"1.2", "1.3", "1.4", "1.5", "1.6", "1.7"} {
		t.Run(version, func(t *testing.T) {
			twins, same := 0, 0
			for _, file := range corpus(t, version, "valid-*.json") {
				twin := strings.TrimSuffix(file, ".json") + ".xml"
				if _, err := os.Stat(twin); err != nil {
					continue
				}
				twins++
				a, fa := reread(t, filepath.Base(file), load(t, file), false)
				b, fb := reread(t, filepath.Base(twin), load(t, twin), true)
				_, _ = a, b
				fa.Rest, fb.Rest = assay.Rest{}, assay.Rest{}
				if d := cmp.Diff(fa, fb, cmp.Comparer(func(x, y assay.PURL) bool { return x == y }), cmp.Comparer(func(x, y assay.Digest) bool { return x == y })); d != "" {
					t.Errorf("%s: typed: %s", filepath.Base(file), d)
				}
				if d := cyclonedx.DifferTwins(load(t, file), load(t, twin)); d != "" {
					t.Logf("%s: %s", filepath.Base(file), d)
				} else {
					same++
				}
			}
			t.Logf("%d twins, %d of them the same in everything", twins, same)
		})
	}
}

var _ = slices.Contains[[]string]
