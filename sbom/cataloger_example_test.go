package sbom_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strings"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/sbom"
)

// vendored finds what a team's own build notes down in files called VENDORED, as
// "name version".
type vendored struct{}

func (vendored) Name() string { return "vendored" }

func (vendored) Match(f sbom.File) bool {
	return f.Path == "VENDORED" || strings.HasSuffix(f.Path, "/VENDORED")
}

func (vendored) Visit(_ context.Context, f sbom.File, content []byte) ([]sbom.Found, error) {
	var out []sbom.Found
	for line := range strings.Lines(string(content)) {
		name, version, ok := strings.Cut(strings.TrimSpace(line), " ")
		if !ok {
			return nil, fmt.Errorf("line %q has no version", line) // listed in Contents.Skipped
		}
		p, err := assay.NewPURL(assay.PURLParts{Type: "generic", Name: name, Version: version})
		if err != nil {
			return nil, err
		}
		out = append(out, sbom.Found{Component: assay.Component{Name: name, Version: version, PURL: p}})
	}
	return out, nil
}

// A cataloger of one's own runs in the same pass as those that are built in.
func ExampleCataloger() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	if err := os.WriteFile(filepath.Join(dir, "VENDORED"), []byte("openssl 3.0.15\nsqlite 3.46.1\n"), 0o644); err != nil {
		log.Fatal(err)
	}
	found, err := sbom.ScanFolder(context.Background(), dir, sbom.Options{Catalogers: []sbom.Cataloger{vendored{}}})
	if err != nil {
		log.Fatal(err)
	}
	for _, c := range found.SBOM.Components {
		fmt.Println(c.ID, "found by", c.FoundBy, "in", c.Locations[0].Path)
	}
	// Output:
	// pkg:generic/openssl@3.0.15 found by vendored in VENDORED
	// pkg:generic/sqlite@3.46.1 found by vendored in VENDORED
}
