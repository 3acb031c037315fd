package assay_test

import (
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assaykit/assay"
)

func sampleSBOM() *assay.SBOM {
	loc := func(p string) assay.Location { return assay.Location{Layer: sha("1"), Path: p} }
	return &assay.SBOM{
		Root: assay.Component{ID: "root", Name: "app"},
		Components: []assay.Component{
			{ID: "c", Name: "c", Locations: []assay.Location{loc("b"), loc("a"), loc("b")}, CPEs: []string{"y", "x", "y"}},
			{ID: "a", Name: "a"}, {ID: "b", Name: "b"},
		},
		Relations: []assay.Relation{
			{From: "root", Kind: assay.Contains, To: "c"}, {From: "a", Kind: assay.DependsOn, To: "b"},
			{From: "a", Kind: assay.DependsOn, To: "b"}, {From: "a", Kind: assay.Contains, To: "b"},
		},
		Completeness: []assay.Completeness{
			{Of: "a", Scope: "dependencies", Aggregate: "complete"}, {Scope: "components", Aggregate: "complete"}, {Scope: "components", Aggregate: "complete"},
		},
	}
}

func TestNormalizeSBOM(t *testing.T) {
	want := sampleSBOM()
	if err := want.Normalize(); err != nil {
		t.Fatal(err)
	}
	ids := []assay.ComponentID{}
	for _, c := range want.Components {
		ids = append(ids, c.ID)
	}
	if diff := cmp.Diff([]assay.ComponentID{"a", "b", "c"}, ids); diff != "" {
		t.Error(diff)
	}
	if n := len(want.Relations); n != 3 {
		t.Errorf("got %d relations, want 3", n)
	}
	if n := len(want.Completeness); n != 2 {
		t.Errorf("got %d statements of completeness, want 2", n)
	}
	c, ok := want.Component("c")
	if !ok || len(c.Locations) != 2 || c.Locations[0].Path != "a" || !slices.Equal(c.CPEs, []string{"x", "y"}) {
		t.Errorf("got %+v", c)
	}
	if root, ok := want.Component("root"); !ok || root != &want.Root {
		t.Error("Root is not found")
	}
	if _, ok := want.Component("d"); ok {
		t.Error("found what is not there")
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		got := sampleSBOM()
		rng.Shuffle(len(got.Components), func(i, j int) { got.Components[i], got.Components[j] = got.Components[j], got.Components[i] })
		rng.Shuffle(len(got.Relations), func(i, j int) { got.Relations[i], got.Relations[j] = got.Relations[j], got.Relations[i] })
		rng.Shuffle(len(got.Completeness), func(i, j int) {
			got.Completeness[i], got.Completeness[j] = got.Completeness[j], got.Completeness[i]
		})
		for range 2 {
			if err := got.Normalize(); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b assay.Digest) bool { return a == b }), cmp.Comparer(func(a, b assay.PURL) bool { return a == b })); diff != "" {
				t.Fatal(diff)
			}
		}
	}
}

func TestNormalizeSBOMRefuses(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(*assay.SBOM)
		says   string
	}{
		"duplicate":             {func(s *assay.SBOM) { s.Components[0].ID = "a" }, `id: invalid: got "a"`},
		"root's id":             {func(s *assay.SBOM) { s.Components[0].ID = "root" }, `got "root"`},
		"no id":                 {func(s *assay.SBOM) { s.Components[0].ID = "" }, "a unique id"},
		"edge from nowhere":     {func(s *assay.SBOM) { s.Relations[0].From = "x" }, `relation contains: invalid: got "x"`},
		"edge to nowhere":       {func(s *assay.SBOM) { s.Relations[0].To = "y" }, `got "y"`},
		"edge to nothing":       {func(s *assay.SBOM) { s.Root.ID, s.Relations[0].From, s.Relations[0].To = "", "a", "" }, "the id of a component"},
		"completeness of what?": {func(s *assay.SBOM) { s.Completeness[0].Of = "z" }, `completeness of dependencies: invalid: got "z"`},
	} {
		s := sampleSBOM()
		tt.change(s)
		if err := s.Normalize(); !errors.Is(err, assay.ErrInvalid) || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: got %v, want %s", name, err, tt.says)
		}
	}
}
