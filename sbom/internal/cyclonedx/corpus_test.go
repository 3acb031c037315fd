package cyclonedx_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/sbom/internal/cyclonedx"
)

func TestCorpus(t *testing.T) {
	dir := os.Getenv("ASSAY_CORPORA")
	if dir == "" {
		t.Skip("ASSAY_CORPORA is not set")
	}
	for _, v := range []string{"1.2", "1.3", "1.4", "1.5", "1.6"} {
		files, _ := filepath.Glob(filepath.Join(dir, "cyclonedx-spec", v, "*.json"))
		ok, refused, bad := 0, 0, 0
		for _, f := range files {
			data, _ := os.ReadFile(f)
			_, err := cyclonedx.Decode(filepath.Base(f), data, func(string, assay.ComponentID, string) {})
			valid := strings.HasPrefix(filepath.Base(f), "valid")
			switch {
			case valid && err == nil:
				ok++
			case valid:
				t.Logf("VALID refused: %v", err)
			case err == nil:
				bad++
				t.Logf("INVALID read: %v", f)
			default:
				refused++
			}
		}
		t.Log(v, ok, refused, bad)
	}
}
