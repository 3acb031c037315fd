package sbom_test

import (
	"encoding/json"
	"errors"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"

	"github.com/assaykit/assay/sbom"
)

// Documents are changed at random places. What the official schema refuses then,
// the reader must refuse; what it reads must survive a round trip. The reader
// refuses more, as references and purls are beyond a schema.
func TestMutations(t *testing.T) {
	corpora(t)
	for _, tt := range []mutations{
		cyclonedxMutations(t, "1.4", 30), cyclonedxMutations(t, "1.5", 25), cyclonedxMutations(t, "1.6", 30), cyclonedxMutations(t, "1.7", 25),
		{"SPDX", func() *jsonschema.Schema { return spdxSchema(t, "2.3") }, func() (docs [][]byte) {
			for _, name := range []string{"SPDXJSONExample-v2.3.spdx.json"} {
				data, err := os.ReadFile(filepath.Join(moduleDir(t, "github.com/spdx/tools-golang"), "examples", "sample-docs", "json", name))
				if err != nil {
					t.Fatal(err)
				}
				docs = append(docs, data)
			}
			for seed := range uint64(8) {
				docs = append(docs, encode(t, rich(t, seed, 3), sbom.SPDXJSON))
			}
			return docs
		}, []string{"snippets", "crossRefs", "artifactOfs"}, 200},
	} {
		t.Run(tt.name, func(t *testing.T) {
			schema := tt.schema()
			refused, both, read := 0, 0, 0
			for n, doc := range tt.docs() {
				for round := range tt.rounds {
					var v any
					if err := json.Unmarshal(doc, &v); err != nil {
						t.Fatal(err)
					}
					path := mutateJSON(rand.New(rand.NewPCG(uint64(n), uint64(round))), &v, nil)
					data, err := json.Marshal(v)
					if err != nil {
						t.Fatal(err)
					}
					_, err = sbom.Read("mutated", data)
					switch invalid := schemaRefuses(schema.Validate(v)); {
					case err != nil:
						refused++
						if invalid {
							both++
						}
					case invalid && !slices.ContainsFunc(path, func(s string) bool { return slices.Contains(tt.opaque, s) }):
						t.Errorf("read what the schema refuses, at /%s: %v", strings.Join(path, "/"), schema.Validate(v))
					default:
						read++
						checkRead(t, data)
					}
				}
			}
			t.Logf("refused %d, of them %d by the schema too; read %d", refused, both, read)
			if both < 100 || read < 100 {
				t.Error("the mutations are not telling")
			}
		})
	}
}

type mutations struct {
	name   string
	schema func() *jsonschema.Schema
	docs   func() [][]byte
	opaque []string
	rounds int
}

func cyclonedxMutations(t *testing.T, version string, rounds int) mutations {
	return mutations{"CycloneDX " + version, func() *jsonschema.Schema { return cyclonedxSchema(t, version) }, func() (docs [][]byte) {
		files, _ := filepath.Glob(filepath.Join(corpora(t), "cyclonedx-spec", version, "valid-*.json"))
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			docs = append(docs, data)
		}
		for seed := range uint64(8) {
			data, _, err := sbom.Encode(rich(t, seed, 3), sbom.CycloneDXJSON+"@"+sbom.Format(version), sbom.EncodeOptions{})
			if err != nil {
				t.Fatal(err)
			}
			docs = append(docs, data)
		}
		return docs
	}, []string{"$schema"}, rounds} // a hint, of which up to 1.5 one value is allowed, and since then any
}

// schemaRefuses leaves out what the reader does not check: formats other than
// date-time (the members with one are not read), and that whole objects repeat.
func schemaRefuses(err error) bool {
	v, ok := errors.AsType[*jsonschema.ValidationError](err)
	if !ok {
		return false
	}
	if len(v.Causes) > 0 {
		switch v.ErrorKind.(type) {
		case *kind.OneOf, *kind.AnyOf:
			for _, c := range v.Causes {
				if !schemaRefuses(c) {
					return false
				}
			}
			return true
		}
		return slices.ContainsFunc(v.Causes, func(c *jsonschema.ValidationError) bool { return schemaRefuses(c) })
	}
	switch k := v.ErrorKind.(type) {
	case *kind.UniqueItems:
		return false
	case *kind.Format:
		return k.Want == "date-time"
	}
	return true
}

// mutateJSON changes one place, and gives the path to it.
func mutateJSON(r *rand.Rand, v *any, path []string) []string {
	switch x := (*v).(type) {
	case map[string]any:
		names := slices.Sorted(maps.Keys(x))
		if len(names) == 0 || r.IntN(8) == 0 {
			x[pickOne(r, "unexpected", "Name", "type", "bom-ref", "SPDXID", "version")] = oddValue(r)
			return path
		}
		name := names[r.IntN(len(names))]
		path = append(path, name)
		if r.IntN(6) == 0 {
			if r.IntN(2) == 0 {
				delete(x, name)
			} else {
				x[name] = oddValue(r)
			}
			return path
		}
		child := x[name]
		path = mutateJSON(r, &child, path)
		x[name] = child
		return path
	case []any:
		if len(x) == 0 || r.IntN(8) == 0 {
			*v = append(x, oddValue(r))
			return path
		}
		i := r.IntN(len(x))
		if r.IntN(10) == 0 {
			*v = append(x, x[i])
			return path
		}
		return mutateJSON(r, &x[i], path)
	case string:
		*v = pickOne[any](r, "", x+"x", strings.ToUpper(x), " "+x, "1", float64(1), nil, "SPDXRef-x", "NOASSERTION", "2026-01-01T00:00:00Z", []any{x})
		return path
	}
	*v = oddValue(r)
	return path
}

func oddValue(r *rand.Rand) any {
	return pickOne[any](r, nil, true, "", "x", float64(0), float64(-1), 1.5, map[string]any{}, []any{}, []any{"x"}, map[string]any{"name": "x"})
}

func pickOne[T any](r *rand.Rand, list ...T) T { return list[r.IntN(len(list))] }
