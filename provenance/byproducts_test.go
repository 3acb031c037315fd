package provenance_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/provenance"
)

func TestByproducts(t *testing.T) {
	text := "building\n"
	logged, err := provenance.Byproduct("build.log", "https://ci.example/1/log", "text/plain", strings.NewReader(text))
	if err != nil || logged.Digest[0] != assay.SumSHA256([]byte(text)) {
		t.Fatalf("%+v, %v", logged, err)
	}
	report, err := provenance.Byproduct("a-report", "", "", strings.NewReader(""))
	if err != nil {
		t.Fatal(err)
	}
	p := by("https://builder.example/v1")
	p.BuildType, p.ExternalParameters = "https://builder.example/t", map[string]json.RawMessage{"a": json.RawMessage("1")}
	var texts []string
	for _, order := range [][]assay.Resource{{logged, report}, {report, logged, report}} {
		out, err := provenance.WithByproducts(p, order...)
		if err != nil || len(out.Byproducts) != 2 || len(p.Byproducts) != 0 {
			t.Fatalf("%+v, %v", out, err)
		}
		encoded, err := provenance.Encode(out)
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, string(encoded))
		read, err := provenance.Read("p", assay.PredicateSLSA1, encoded)
		if err != nil || len(read.Byproducts) != 2 || read.Byproducts[1].MediaType+read.Byproducts[0].MediaType != "text/plain" {
			t.Errorf("%+v, %v", read, err)
		}
		// What was read can have more.
		if more, err := provenance.WithByproducts(read, logged); err != nil || len(more.Byproducts) != 2 {
			t.Errorf("%+v, %v", more, err)
		}
	}
	if texts[0] != texts[1] || strings.Contains(texts[0], "building") {
		t.Errorf("%s\n%s", texts[0], texts[1])
	}

	if _, err := provenance.Byproduct("", "", "", strings.NewReader("")); !errors.Is(err, assay.ErrInvalid) {
		t.Error(err)
	}
	if _, err := provenance.Byproduct("x", "", "", iotest.ErrReader(errors.New("gone"))); !errors.Is(err, assay.ErrUnchecked) {
		t.Error(err)
	}
	old, kept := *p, *p
	old.Format = assay.PredicateSLSA02
	kept.Extensions = map[string]json.RawMessage{"/runDetails/byproducts/0/more": json.RawMessage("1")}
	for name, c := range map[string]struct {
		p    *assay.Provenance
		add  assay.Resource
		says string
	}{
		"nothing":   {p, assay.Resource{Name: "log"}, "in-toto S5"},
		"old":       {&old, logged, "SLSA P9"},
		"extension": {&kept, logged, "/runDetails/byproducts/0/more"},
	} {
		if out, err := provenance.WithByproducts(c.p, c.add); out != nil || !errors.Is(err, assay.ErrInvalid) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, %v", name, out, err)
		}
	}
}

func ExampleWithByproducts() {
	p := &assay.Provenance{Builder: assay.Builder{ID: "https://builder.example/v1"}}
	logged, err := provenance.Byproduct("build.log", "https://ci.example/jobs/1/log", "text/plain", strings.NewReader("building\n"))
	if err != nil {
		log.Fatal(err)
	}
	if p, err = provenance.WithByproducts(p, logged); err != nil {
		log.Fatal(err)
	}
	fmt.Println(p.Byproducts[0].URI, p.Byproducts[0].Digest.Get(assay.SHA256).Hex()[:8])
	// Output: https://ci.example/jobs/1/log efa19f8f
}
