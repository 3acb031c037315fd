package sbom_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/sbom"
)

// FuzzDiskCache: whatever the file of an entry holds, the cache gives what was put, or
// nothing and an error; and it works on.
func FuzzDiskCache(f *testing.F) {
	ctx := context.Background()
	dir := f.TempDir()
	cache, err := sbom.NewDiskCache(dir, 1<<20)
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = cache.Close() })
	const value = "the value"
	put := func(tb testing.TB) (path string, sealed []byte) {
		if err := cache.Put(ctx, "key", value); err != nil {
			tb.Fatal(err)
		}
		names, err := filepath.Glob(filepath.Join(dir, "*"))
		if err != nil || len(names) != 1 {
			tb.Fatal(names, err)
		}
		sealed, err = os.ReadFile(names[0])
		if err != nil {
			tb.Fatal(err)
		}
		return names[0], sealed
	}
	path, sealed := put(f)
	f.Add(sealed)
	f.Add(sealed[:len(sealed)-1])
	f.Add(append(bytes.Clone(sealed), 0))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		got, ok, err := cache.Get(ctx, "key")
		switch {
		case bytes.Equal(data, sealed):
			if !ok || err != nil || got != value {
				t.Fatalf("%q, %t, %v", got, ok, err)
			}
		case ok || got != "" || !errors.Is(err, assay.ErrRefuted):
			t.Fatalf("%q, %t, %v", got, ok, err)
		}
		if _, again := put(t); !bytes.Equal(again, sealed) {
			t.Fatal("written again it is another one")
		}
	})
}
