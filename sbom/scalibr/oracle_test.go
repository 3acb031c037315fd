package scalibr_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	cpb "github.com/google/osv-scalibr/binary/proto/config_go_proto"
	"github.com/google/osv-scalibr/extractor/filesystem"
	"github.com/google/osv-scalibr/extractor/filesystem/language/golang/gobinary"
	"github.com/google/osv-scalibr/extractor/filesystem/language/javascript/packagejson"
	"github.com/google/osv-scalibr/extractor/filesystem/language/python/wheelegg"
	"github.com/google/osv-scalibr/extractor/filesystem/language/ruby/gemspec"
	"github.com/google/osv-scalibr/extractor/filesystem/os/apk"
	"github.com/google/osv-scalibr/extractor/filesystem/os/dpkg"
	"github.com/google/osv-scalibr/log"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/sbom"
	"github.com/assaykit/assay/sbom/image"
	"github.com/assaykit/assay/sbom/scalibr"
)

// apart keeps the finds of an extractor apart from those of the built-in cataloger,
// with which they would be one component otherwise.
type apart struct{ *scalibr.Cataloger }

func (a apart) Visit(ctx context.Context, f sbom.File, content []byte) ([]sbom.Found, error) {
	found, err := a.Cataloger.Visit(ctx, f, content)
	return withoutPURL(found), err
}

func (a apart) VisitLater(ctx context.Context, f sbom.File, content, osRelease []byte) ([]sbom.Found, error) {
	found, err := a.Cataloger.VisitLater(ctx, f, content, osRelease)
	return withoutPURL(found), err
}

func withoutPURL(found []sbom.Found) []sbom.Found {
	for i := range found {
		found[i].Component.PURL, found[i].DependsOn = assay.PURL{}, nil
	}
	return found
}

// oracle is one extractor, and how its finds compare with the cataloger's.
type oracle struct {
	foundBy string
	new     func(*cpb.PluginConfig) (filesystem.Extractor, error)
	// ours and theirs bring a find of either side to the form in which they are
	// compared; "" leaves it out, for the reason that is said there.
	ours, theirs func(c *assay.Component) string
}

func nameVersion(c *assay.Component) string { return c.Name + " " + c.Version }

// TestMain silences the extractors, which tell of each package that names no
// distribution.
func TestMain(m *testing.M) {
	log.SetLogger(quiet{})
	os.Exit(m.Run())
}

type quiet struct{ log.Logger }

func (quiet) Errorf(string, ...any) {}
func (quiet) Error(...any)          {}
func (quiet) Warnf(string, ...any)  {}
func (quiet) Warn(...any)           {}
func (quiet) Infof(string, ...any)  {}
func (quiet) Info(...any)           {}
func (quiet) Debugf(string, ...any) {}
func (quiet) Debug(...any)          {}

var oracles = []oracle{
	{"dpkg", dpkg.New, func(c *assay.Component) string {
		if c.Properties["assay:deb:state"] != "" {
			return "" // the extractor leaves out what is unpacked and not configured
		}
		return nameVersion(c)
	}, nameVersion},
	{"apk", apk.New, nameVersion, nameVersion},
	{"go", gobinary.New, func(c *assay.Component) string {
		if c.Type == assay.TypeApplication {
			return "" // the executable itself is no component there
		}
		if c.Properties["assay:go:replaces"] != "" {
			return "" // which of the two is named differs
		}
		return strings.ReplaceAll(nameVersion(c), " v", " ")
	}, func(c *assay.Component) string {
		name := c.Name
		if name == "go" {
			name = "stdlib" // as the advisories have it
		}
		return name + " " + c.Version
	}},
	{"npm", packagejson.New, func(c *assay.Component) string {
		if c.Type == assay.TypeApplication {
			return "" // beside a node_modules folder; below, only what is in one counts
		}
		return nameVersion(c)
	}, func(c *assay.Component) string {
		// The extractor takes every package.json for a package, also those that
		// only switch the module system in folders of a package.
		if !slices.ContainsFunc(c.Locations, func(l assay.Location) bool { return installedPackage(l.Path) }) {
			return ""
		}
		return nameVersion(c)
	}},
	{"python", wheelegg.New, pythonName, pythonName},
	{"gem", gemspec.New, nameVersion, nameVersion},
}

// pythonName folds the spellings of a name (Python packaging specifications, "Names
// and normalization"): METADATA and the folder may differ.
func pythonName(c *assay.Component) string {
	return strings.NewReplacer("_", "-", ".", "-").Replace(strings.ToLower(c.Name)) + " " + c.Version
}

// installedPackage tells node_modules/NAME/package.json and
// node_modules/@SCOPE/NAME/package.json.
func installedPackage(p string) bool {
	dir := filepath.ToSlash(filepath.Dir(p))
	parent := filepath.Dir(dir)
	if strings.HasPrefix(filepath.Base(parent), "@") {
		parent = filepath.Dir(parent)
	}
	return filepath.Base(parent) == "node_modules"
}

// TestOracle compares what the built-in catalogers find in real images with what
// osv-scalibr's extractors do: the same names and versions.
func TestOracle(t *testing.T) {
	refs := map[string][]string{} // image to what must be found in it
	if dir := os.Getenv("ASSAY_SCALIBR"); dir != "" {
		for _, name := range []string{"alpine.tar", "alpine-with-packages.tar"} {
			refs["docker-archive:"+filepath.Join(dir, "artifact/image/layerscanning/image/testdata", name)] = []string{"apk"}
		}
	}
	if dir := os.Getenv("ASSAY_DEBIAN_IMAGE"); dir != "" {
		refs["oci:"+filepath.Join(dir, "layout")] = []string{"dpkg", "go", "npm", "python", "gem"}
	}
	if os.Getenv("ASSAY_SCALIBR") == "" {
		t.Run("alpine", func(t *testing.T) {
			t.Skip("ASSAY_SCALIBR names no folder with the module github.com/google/osv-scalibr")
		})
	}
	if os.Getenv("ASSAY_DEBIAN_IMAGE") == "" {
		t.Run("debian", func(t *testing.T) { t.Skip("ASSAY_DEBIAN_IMAGE names no folder with a Debian image") })
	}
	var catalogers []sbom.Cataloger
	for _, o := range oracles {
		e, err := o.new(&cpb.PluginConfig{})
		if err != nil {
			t.Fatal(err)
		}
		c, err := scalibr.New(e)
		if err != nil {
			t.Fatal(err)
		}
		catalogers = append(catalogers, apart{c})
	}
	for ref, must := range refs {
		t.Run(filepath.Base(ref), func(t *testing.T) {
			opened, err := image.Open(context.Background(), ref, image.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer opened.Close()
			c, err := sbom.Scan(context.Background(), opened.Image(), sbom.Options{Catalogers: catalogers})
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range c.Skipped {
				t.Errorf("skipped %+v", s)
			}
			for i, o := range oracles {
				ours, theirs := map[string]bool{}, map[string]bool{}
				for _, one := range c.SBOM.Components {
					switch one.FoundBy {
					case o.foundBy:
						ours[o.ours(&one)] = true
					case catalogers[i].Name():
						theirs[o.theirs(&one)] = true
					}
				}
				delete(ours, "")
				delete(theirs, "")
				if slices.Contains(must, o.foundBy) && len(theirs) == 0 {
					t.Errorf("%s: the extractor finds nothing", o.foundBy)
				}
				t.Logf("%s: %d", o.foundBy, len(theirs))
				if d := cmp.Diff(theirs, ours); d != "" {
					t.Errorf("%s (-osv-scalibr +scan):\n%s", o.foundBy, d)
				}
			}
		})
	}
}
