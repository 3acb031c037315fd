package cyclonedx_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/sbom/internal/cyclonedx"
)

// Documents are changed at random places, by values that they have at others. What
// is still read survives all that [checkDecode] does to it, as JSON and as XML, and
// what it becomes is valid by the official schema.
func TestMutations(t *testing.T) {
	rounds := 12
	if testing.Short() {
		rounds = 2
	}
	for _, to := range targets() {
		if to.XML {
			continue
		}
		t.Run(to.version, func(t *testing.T) {
			schema, xsd := jsonSchema(t, to.version), newXSD(t)
			read, refused := 0, 0
			for n, file := range corpus(t, to.version, "valid-*.json") {
				for round := range rounds {
					r := rand.New(rand.NewPCG(uint64(n), uint64(round)))
					var v, other any
					if err := errors.Join(json.Unmarshal(load(t, file), &v), json.Unmarshal(load(t, file), &other)); err != nil {
						t.Fatal(err)
					}
					var values []any
					gather(other, &values)
					mutate(r, &v, values)
					data, err := json.Marshal(v)
					if err != nil {
						t.Fatal(err)
					}
					doc, err := cyclonedx.Decode("mutated", data, false, ignore)
					if err != nil {
						refused++
						continue
					}
					read++
					checkDecode(t, data, false)
					out, err := cyclonedx.Encode(doc, to.Target, ignore)
					if err != nil {
						t.Fatal(err)
					}
					if err := validate(schema, out); err != nil && !bytes.Contains([]byte(err.Error()), []byte("are equal")) {
						t.Errorf("%s: %v\n%s", filepath.Base(file), err, data)
					}
					out, err = cyclonedx.Encode(doc, cyclonedx.Target{Version: to.Target.Version, XML: true}, func(string, assay.ComponentID, string) {})
					if err != nil {
						t.Fatal(err)
					}
					checkDecode(t, out, true)
					xsd.add(t, to.version, filepath.Base(file)+string(rune('a'+round)), out)
				}
			}
			xsd.check(t, to.version)
			t.Logf("%d read, %d refused", read, refused)
			if read < 10 || refused < 10 {
				t.Error("the mutations are not telling")
			}
		})
	}
}

func gather(v any, out *[]any) {
	*out = append(*out, v)
	switch v := v.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			gather(v[name], out)
		}
	case []any:
		for _, x := range v {
			gather(x, out)
		}
	}
}

// mutate changes one place, deeper rather than not.
func mutate(r *rand.Rand, v *any, values []any) {
	switch x := (*v).(type) {
	case map[string]any:
		names := slices.Sorted(maps.Keys(x))
		if len(names) == 0 {
			return
		}
		name := names[r.IntN(len(names))]
		switch r.IntN(12) {
		case 0:
			delete(x, name)
		case 1:
			x[name] = values[r.IntN(len(values))]
		default:
			child := x[name]
			mutate(r, &child, values)
			x[name] = child
		}
	case []any:
		if len(x) == 0 {
			return
		}
		i := r.IntN(len(x))
		switch r.IntN(8) {
		case 0:
			*v = slices.Delete(slices.Clone(x), i, i+1)
		case 1:
			*v = append(slices.Clone(x), x[i])
		default:
			mutate(r, &x[i], values)
		}
	case string:
		*v = []any{"", x + "\n x", "\u0001<&>\"", " " + x + "\t", "\ufffd\r", "MIT OR ISC", x + x}[r.IntN(7)]
	case float64:
		*v = []any{0.0, x / 3, -x, 1e-9, 1e21}[r.IntN(5)]
	case bool:
		*v = !x
	}
}
