package vex_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/vex"
)

// What is read and not refused for writing survives a round trip whole, and the
// second writing gives the first's bytes. Errors are typed and name the input.
func FuzzRead(f *testing.F) {
	f.Add([]byte(full))
	f.Add([]byte(minimal))
	f.Add([]byte(legacy))
	f.Add([]byte(strings.Replace(minimal, "/ns/v0.2.0", "/ns", 1)))
	for _, s := range []string{
		`"status":"not_affected","impact_statement":"x"`, `"status":"affected","action_statement":"x","action_statement_timestamp":"2026-11-01T12:00:00+23:59"`,
		`"status":"fixed","@id":"s","version":0`, `"status":"fixed","timestamp":"9999-12-31T23:59:59.999999999-01:00"`, `"status":"fixed","status_notes":null`,
	} {
		f.Add([]byte(strings.Replace(minimal, status, s, 1)))
	}
	for _, p := range []string{
		`{"hashes":{"sha-256":"SHA256:` + hexA + `"}}`, `{"@id":"pkg:oci/a@sha256%3A` + hexA + `","hashes":{"sha-256":"` + hexB + `"}}`,
		`{"identifiers":{"purl":"pkg:npm/%40a/b@1","cpe22":"cpe:/a","cpe23":"cpe:2.3:a"}}`, `{"@id":"pkg:x"}`, `{"@id":"nginx","subcomponents":[{"@id":"urn:a:b"},{}]}`,
		``, `{"@id":"pkg:npm/a@1"},{"@id":"pkg:npm/A@1"}`,
	} {
		f.Add([]byte(strings.Replace(minimal, `{"@id":"pkg:npm/a@1"}`, p, 1)))
	}
	subjects := []assay.Subject{{Name: "pkg:npm/a@1", Digest: assay.DigestSet{digA}}, {Name: "b", Digest: assay.DigestSet{digB}}}
	f.Fuzz(func(t *testing.T, in []byte) {
		v, warnings, err := vex.Read("fuzz", in)
		if err != nil {
			if e, ok := errors.AsType[*assay.Error](err); !ok || e.Subject != "fuzz" || v != nil || e.Kind == nil {
				t.Fatalf("got %v with the error %v", v, err)
			}
			return
		}
		inherited, ignored := vex.InheritSubjects(v, subjects)
		for _, s := range inherited.Statements {
			if len(s.Products) == 0 {
				t.Fatal("an incomplete statement was kept")
			}
			vex.StatusOf([]*assay.VEX{inherited}, s.Products[0], s.Vulnerability, s.Timestamp)
		}
		if len(inherited.Statements) < len(v.Statements) && len(ignored) == 0 {
			t.Fatal("statements were lost in silence")
		}
		data, err := vex.Encode(v)
		if err != nil {
			if len(warnings) == 0 {
				t.Fatalf("read without a warning, not written: %v", err)
			}
			return
		}
		back, _, err := vex.Read("back", data)
		if err != nil {
			t.Fatalf("%v\n%s", err, data)
		}
		want := *v
		want.Format = "openvex/0.2.0"
		if d := cmp.Diff(&want, back, equal); d != "" {
			t.Fatal(d)
		}
		if again, err := vex.Encode(back); err != nil || !bytes.Equal(again, data) {
			t.Fatalf("wrote\n%s\nthen\n%s\n%v", data, again, err)
		}
		if err := vex.CheckUpdate(v, back); err != nil {
			t.Fatal(err)
		}
	})
}
