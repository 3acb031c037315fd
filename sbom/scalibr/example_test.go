package scalibr_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	cpb "github.com/google/osv-scalibr/binary/proto/config_go_proto"
	"github.com/google/osv-scalibr/extractor/filesystem/language/dart/pubspec"

	"github.com/assaykit/assay/sbom"
	"github.com/assaykit/assay/sbom/scalibr"
)

// Dart is not built in; osv-scalibr reads its lock files.
func ExampleNew() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	lock := "packages:\n  collection:\n    dependency: \"direct main\"\n    source: hosted\n    version: \"1.18.0\"\n"
	if err := os.WriteFile(filepath.Join(dir, "pubspec.lock"), []byte(lock), 0o644); err != nil {
		log.Fatal(err)
	}

	extractor, err := pubspec.New(&cpb.PluginConfig{})
	if err != nil {
		log.Fatal(err)
	}
	dart, err := scalibr.New(extractor)
	if err != nil {
		log.Fatal(err)
	}
	found, err := sbom.ScanFolder(context.Background(), dir, sbom.Options{Catalogers: []sbom.Cataloger{dart}})
	if err != nil {
		log.Fatal(err)
	}
	for _, c := range found.SBOM.Components {
		fmt.Println(c.ID, "found by", c.FoundBy)
	}
	// Output:
	// pkg:pub/collection@1.18.0 found by scalibr:dart/pubspec
}
