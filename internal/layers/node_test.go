package layers

import (
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
)

// A folder is what a map of names would be, whatever its size and in whatever order
// names come and go.
func TestFolder(t *testing.T) {
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 1))
		size := []int{few / 2, few * 2, many / 2, many + 2, 3 * many}[seed%5]
		name := func(i int) string { return strconv.Itoa(i * 7919 % 10_000) }
		if seed%2 == 0 {
			name = func(i int) string { return strconv.Itoa(10_000 + i) } // mostly sorted
		}
		n, model, next := &node{}, map[string]*File{}, 0
		check := func() {
			for i := range size {
				k := n.kid(name(i))
				if f := model[name(i)]; (k == nil) != (f == nil) || k != nil && (k.file != f || k.name != name(i)) {
					t.Fatalf("seed %d: %s: %+v, want %v", seed, name(i), k, f)
				}
			}
		}
		for step := range 4 * size {
			i := r.IntN(size)
			if step < size { // at first all, one after the other
				i, next = next, next+1
			}
			switch k := n.kid(name(i)); {
			case k == nil:
				model[name(i)] = &File{pos: step}
				if k := n.put(&node{name: name(i), file: model[name(i)]}); k != n.kid(name(i)) {
					t.Fatalf("seed %d: %s is not what was put", seed, name(i))
				}
			case r.IntN(3) > 0:
				delete(model, name(i))
				n.remove(k)
			case r.IntN(2) == 0:
				model[name(i)] = &File{pos: step}
				k.become(model[name(i)])
			}
			switch {
			case r.IntN(size) > 0:
			case r.IntN(2) == 0:
				n.tidy()
			default:
				if len(n.living()) != len(model) {
					t.Fatalf("seed %d: %d kids, want %d", seed, len(n.living()), len(model))
				}
			}
		}
		check()
		var names []string
		for _, k := range n.tidy() {
			names = append(names, k.name)
		}
		if want := slices.Sorted(maps.Keys(model)); !slices.Equal(names, want) {
			t.Fatalf("seed %d: %q, want %q", seed, names, want)
		}
		check()
	}
}
