package sbom_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/testimage"
	"github.com/assaykit/assay/sbom"
)

// A binary that an upper layer broke is a known unknown, out of a cache too, and an
// offence where strictness is demanded.
func TestScanBrokenBinaries(t *testing.T) {
	t.Parallel()
	exe := goExecutable(t)
	img := testimage.New(t,
		testimage.Layer{Files: []file{{Name: "cut", Body: exe, Mode: 0o755}, {Name: "garbage", Body: exe}}, Compression: testimage.None},
		testimage.Layer{Files: []file{{Name: "cut", Body: exe[:len(exe)/2], Mode: 0o755}, {Name: "garbage", Body: "garbage"}}, Compression: testimage.None})
	cache := sbom.NewMemoryCache(0)
	var first *sbom.Contents
	for range 2 {
		c, err := sbom.Scan(context.Background(), img, sbom.Options{Cache: cache})
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = c
		} else if !c.Layers[0].Cached {
			t.Error("read again")
		}
		if d := cmp.Diff(mustJSON(t, first.SBOM), mustJSON(t, c.SBOM)) + cmp.Diff(first.Skipped, c.Skipped); d != "" {
			t.Error(d)
		}
	}
	paths := map[string]bool{}
	for _, s := range first.Skipped {
		paths[s.Path] = s.Layer == 1 && !s.History
	}
	if d := cmp.Diff(map[string]bool{"cut": true, "garbage": true}, paths); d != "" || len(first.History) > 0 || aggregates(first)["components:golang"] != "incomplete" {
		t.Error(d, first.History, aggregates(first))
	}
	if got := found(first); len(got) != 1 || got["cut@"] == nil {
		t.Errorf("found %v", got) // an executable that nobody claims
	}
	c, err := sbom.Scan(context.Background(), img, sbom.Options{Cache: cache, Strict: true})
	if c != nil || !errors.Is(err, assay.ErrInvalid) || !strings.Contains(err.Error(), "garbage") || !strings.Contains(err.Error(), "cut") {
		t.Errorf("strict: %v, %v", c, err)
	}
}
