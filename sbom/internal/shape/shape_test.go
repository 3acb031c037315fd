package shape_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/sbom/internal/shape"
)

func grammar() *shape.Node {
	str := shape.String()
	var tree shape.Node
	tree.Fill(shape.Object(shape.Members{"name!": str, "below": shape.List(&tree)}))
	return shape.Object(shape.Members{
		"id!":    str.Label("id"),
		"kind":   shape.Enum("a", "b"),
		"tree":   &tree,
		"flag":   shape.Bool(),
		"count":  shape.Integer(1),
		"score":  shape.Between(0, 1),
		"some":   shape.NonEmpty(str),
		"either": shape.Object(shape.Members{"x": str, "y": str}).ExactlyOne("x", "y"),
		"both":   shape.List(str).Or(shape.Object(shape.Members{"x": str})),
		"open":   shape.Object(shape.Members{"x": str}).Open(),
		"lost":   shape.Drop(shape.List(shape.Object(shape.Members{"id": str.Label("id"), "also": shape.Drop(str)}))),
		"any":    shape.Drop(shape.Any()),
	})
}

func TestRefused(t *testing.T) {
	for in, says := range map[string][]string{
		`[]`:                       {"/: invalid", "an object"},
		`{}`:                       {`a member "id"`},
		`{"id":1}`:                 {"/id", `"1"`, "a string"},
		`{"id":null}`:              {"/id", "null"},
		`{"id":"","nmae":""}`:      {"/nmae", `"nmae"`},
		`{"id":"","n\u006dae":""}`: {`"nmae"`},
		`{"id":"","kind":"c"}`:     {"/kind", `"c"`, "one of a, b"},
		`{"id":"","tree":{}}`:      {"/tree", `"name"`},
		`{"id":"","tree":{"name":"","below":[{"name":"","below":[{}]}]}}`: {"/tree/below/0/below/0", `"name"`},
		`{"id":"","flag":"true"}`:            {"/flag", "a boolean"},
		`{"id":"","count":1.5}`:              {"/count", "1.5", "whole"},
		`{"id":"","count":0}`:                {"/count", `"0"`},
		`{"id":"","count":1e400}`:            {"/count"},
		`{"id":"","score":1.1}`:              {"/score", "1.1"},
		`{"id":"","some":[]}`:                {"/some", "1 members or more"},
		`{"id":"","some":[1]}`:               {"/some/0"},
		`{"id":"","either":{}}`:              {"/either", "exactly one", "x, y"},
		`{"id":"","either":{"x":"","y":""}}`: {"/either", "2 of them"},
		`{"id":"","both":1}`:                 {"/both", "an object or an array"},
		`{"id":"","lost":[{"other":1}]}`:     {"/lost/0/other"},
		`{"id":"","lost":[{"id":"twice"}]}`:  {"/lost/0/id", "twice"},
		`{"id":"`:                            {"f"},
	} {
		err := shape.Walk("test", "f", []byte(in), grammar(), shape.Visitor{Dropped: func(string) {}, Labeled: func(_, v string, p func() string) error {
			if v == "twice" {
				return &assay.Error{Field: p(), Value: v}
			}
			return nil
		}})
		if !errors.Is(err, assay.ErrInvalid) {
			t.Errorf("%s: got %v", in, err)
			continue
		}
		for _, s := range append(says, "test: f: ") {
			if !strings.Contains(err.Error(), s) {
				t.Errorf("%s: %q does not say %q", in, err, s)
			}
		}
	}
}

func TestVisited(t *testing.T) {
	in := `{"id":"i","tree":{"name":"n"},"flag":true,"count":3,"score":0.5,"some":[""],"either":{"y":""},"both":{"x":""},
		"open":{"x":"","more":[1,{"id":"deep"}]},"lost":[{"id":"j","also":""}],"any":{"a":[{"id":"k"},"id"],"id":"l"}}`
	var got []string
	err := shape.Walk("test", "f", []byte(in), grammar(), shape.Visitor{
		Dropped: func(p string) { got = append(got, "drop "+p) },
		Labeled: func(l, v string, p func() string) error {
			got = append(got, fmt.Sprintf("%s %s %s", l, v, p()))
			return nil
		},
		AnyName: "id",
		Any:     func(v string) { got = append(got, "any "+v) },
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(got)
	want := []string{"any deep", "any k", "any l", "drop /any", "drop /lost", "drop /open/more", "id i /id", "id j /lost/0/id"}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}
