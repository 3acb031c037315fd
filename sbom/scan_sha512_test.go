package sbom_test

import (
	"crypto/sha512"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/sbom"
)

func TestScanSHA512(t *testing.T) {
	elf := "\x7fELF\x02\x01\x01" + strings.Repeat("\x00", 9) + "\x02" + strings.Repeat("\x00", 47)
	want := func(body string) assay.Digest {
		sum := sha512.Sum512([]byte(body))
		return assay.MustDigest("sha512:" + hex.EncodeToString(sum[:]))
	}
	big := strings.Repeat("large enough for several reads ", 1<<13)
	layers := [][]file{
		{dpkgStatus("a 1"), {Name: "usr/bin/x", Body: elf, Mode: 0o755}, {Name: "same", Body: "old"}},
		{{Name: "same", Body: "new"}, {Name: "empty"}, {Name: "big", Body: big}},
	}
	plain := scan(t, sbom.Options{Files: true}, layers...)
	for _, cache := range []sbom.Cache{nil, sbom.NewMemoryCache(0)} {
		for range 2 { // the second time from the cache, if there is one
			c := scan(t, sbom.Options{Files: true, SHA512: true, Cache: cache}, layers...)
			bodies := map[string]string{"file:usr/bin/x": elf, "file:same": "new", "file:empty": "", "file:big": big}
			for i := range c.SBOM.Components {
				x := &c.SBOM.Components[i]
				if body, ok := bodies[string(x.ID)]; ok {
					r, _ := x.Reference(assay.RefDistribution)
					if d := want(body); x.Hashes.Get(assay.SHA512) != d || !r.Hashes.Has(d) || r.URL != "" {
						t.Errorf("%s: %v, %v", x.ID, x.Hashes, r)
					}
					delete(bodies, string(x.ID))
				}
				if x.Type != assay.TypeFile && !x.Hashes.Get(assay.SHA512).IsZero() {
					t.Errorf("%s is no file", x.ID)
				}
			}
			if len(bodies) > 0 {
				t.Errorf("not listed: %v", bodies)
			}
			// Nothing else changes, and only what is asked for is listed.
			if d := sbom.Compare(plain.SBOM, c.SBOM); !d.Empty() {
				t.Error(d)
			}
		}
	}
	c := scan(t, sbom.Options{SHA512: true}, layers...)
	n := 0
	for _, x := range c.SBOM.Components {
		if !x.Hashes.Get(assay.SHA512).IsZero() {
			n++
		}
	}
	if n != 1 {
		t.Errorf("%d components have the digest, want the one executable", n)
	}
}
