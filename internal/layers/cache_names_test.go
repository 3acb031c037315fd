package layers

import (
	"math/rand/v2"
	"strings"
	"testing"
)

// Names of a kept layer are checked folder by folder, to the same end as one by one.
func TestKeptNames(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	parts := []string{"a", "b", "usr", ".", "..", "", "a\x00b", "lib", strings.Repeat("n", 9)}
	b := Bounds{PathLength: 24, PathDepth: 5}
	good, bad := 0, 0
	for range 2_000 {
		k := keptNames{bounds: b}
		for range 20 {
			var path []string
			for range 1 + r.IntN(6) {
				n := len(parts)
				if r.IntN(4) > 0 {
					n = 3 // mostly good ones, many in one folder
				}
				path = append(path, parts[r.IntN(n)])
			}
			name := strings.Join(path, "/")
			clean, ok := cleanName(name)
			want := ok && clean == name && checkPath(name, b, "") == nil
			if got := k.ok(name); got != want {
				t.Fatalf("%q after one in %q: got %t, want %t", name, k.folder, got, want)
			}
			if want {
				good++
			} else {
				bad++
			}
		}
	}
	if good < 1_000 || bad < 1_000 {
		t.Errorf("%d good, %d bad", good, bad)
	}
}
