package vex_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/vex"
)

func subject(name string, d ...assay.Digest) assay.Subject {
	return assay.Subject{Name: name, Digest: must(assay.NewDigestSet(d...))}
}

func TestPredicateTypes(t *testing.T) {
	for typ, want := range map[assay.PredicateType]bool{
		"https://openvex.dev/ns/v0.2.0": true, "https://openvex.dev/ns": true, "text/vex": true,
		"https://openvex.dev/ns/v0.3.0": false, "https://openvex.dev/ns/": false, "https://cyclonedx.org/bom": false, "": false,
	} {
		if got := vex.IsPredicateType(typ); got != want {
			t.Errorf("%s: got %t", typ, got)
		}
		_, err := vex.ReadPredicate("p", typ, []byte(minimal), []assay.Subject{subject("pkg:npm/a@1", digA)})
		if want && err != nil {
			t.Error(err)
		}
		if !want {
			wantRule(t, err, assay.ErrInvalid, "OpenVEX 18", "predicateType", string(typ))
		}
	}
}

func TestInheritSubjects(t *testing.T) {
	sha512A, sha512B := assay.MustDigest("sha512:"+hexA+hexA), assay.MustDigest("sha512:"+hexB+hexB)
	named := vex.PURLProduct(must(assay.ParsePURL("pkg:apk/distro/git@2.39.0-r1?arch=armv7")))
	wide := vex.PURLProduct(must(assay.ParsePURL("pkg:apk/distro/git")))
	with := func(p assay.Product, d ...assay.Digest) assay.Product {
		p.Digests = must(assay.NewDigestSet(append(d, p.Digests...)...))
		return p
	}
	hash := func(d ...assay.Digest) assay.Product { return assay.Product{Digests: must(assay.NewDigestSet(d...))} }
	for name, tt := range map[string]struct {
		products []assay.Product
		subjects []assay.Subject
		want     []assay.Product // nil: ignored
		ignored  int
	}{
		"none: one subject":            {nil, []assay.Subject{subject("app", digA)}, []assay.Product{hash(digA)}, 0},
		"none: two subjects":           {nil, []assay.Subject{subject("b", digB), subject("a", digA)}, []assay.Product{hash(digA), hash(digB)}, 0},
		"none: the subject's purl":     {nil, []assay.Subject{subject(named.ID, digA)}, []assay.Product{with(named, digA)}, 0},
		"none: one subject twice":      {nil, []assay.Subject{subject("a", digA), subject("b", digA)}, []assay.Product{hash(digA)}, 0},
		"none: a weak subject":         {nil, []assay.Subject{subject("a", assay.MustDigest("sha1:"+hexA[:40]))}, nil, 1},
		"none: no subject":             {nil, nil, nil, 1},
		"by purl's digest":             {[]assay.Product{{ID: image.ID, PURL: image.PURL}}, []assay.Subject{subject("x", digA)}, []assay.Product{image}, 0},
		"by hash":                      {[]assay.Product{hash(digA)}, []assay.Subject{subject("x", digA, sha512A)}, []assay.Product{hash(digA, sha512A)}, 0},
		"one of two":                   {[]assay.Product{image, other}, []assay.Subject{subject("x", digB)}, []assay.Product{other}, 1},
		"both":                         {[]assay.Product{image, other}, []assay.Subject{subject("x", digB), subject("y", digA)}, []assay.Product{image, other}, 0},
		"neither":                      {[]assay.Product{image, other}, []assay.Subject{subject("x", assay.MustDigest("sha256:"+strings.Repeat("0", 64)))}, nil, 3},
		"one digest equal, one not":    {[]assay.Product{hash(digA, sha512A)}, []assay.Subject{subject("x", digA, sha512B)}, nil, 2},
		"purl's digest differs":        {[]assay.Product{{PURL: image.PURL, Digests: assay.DigestSet{sha512A}}}, []assay.Subject{subject("x", digB, sha512A)}, nil, 2},
		"a weak digest equal":          {[]assay.Product{with(wide, assay.MustDigest("sha1:"+hexA[:40]))}, []assay.Subject{subject("x", digA, assay.MustDigest("sha1:"+hexA[:40]))}, nil, 2},
		"by name":                      {[]assay.Product{named}, []assay.Subject{subject(named.ID, digA)}, []assay.Product{with(named, digA)}, 0},
		"by name, twice":               {[]assay.Product{named}, []assay.Subject{subject(named.ID, digA), subject(named.ID, digB)}, []assay.Product{with(named, digA), with(named, digB)}, 0},
		"name alike, digest differs":   {[]assay.Product{with(named, digB)}, []assay.Subject{subject(named.ID, digA)}, nil, 2},
		"name is a pattern of it only": {[]assay.Product{wide}, []assay.Subject{subject(named.ID, digA)}, nil, 2},
		"its purl contradicts itself":  {[]assay.Product{{PURL: image.PURL, Digests: assay.DigestSet{digB}}}, []assay.Subject{subject("x", digA), subject("y", digB)}, nil, 2},
	} {
		t.Run(name, func(t *testing.T) {
			doc := &assay.VEX{ID: "urn:x:y", Statements: []assay.VEXStatement{{
				Vulnerability: assay.Vulnerability{ID: "CVE-2026-0001"}, Products: tt.products, Timestamp: day, Status: assay.Fixed}}}
			before := must(json.Marshal(doc))
			got, ignored := vex.InheritSubjects(doc, tt.subjects)
			if (len(got.Statements) == 1) != (tt.want != nil) || len(ignored) != tt.ignored {
				t.Fatalf("got %+v, ignored %v", got.Statements, ignored)
			}
			if tt.want != nil {
				if d := cmp.Diff(tt.want, got.Statements[0].Products, equal); d != "" {
					t.Error(d)
				}
			} else if !ignored[len(ignored)-1].Whole {
				t.Error("nothing is left, and that is not said")
			}
			for _, i := range ignored {
				if s := i.String(); !strings.Contains(s, "CVE-2026-0001") || !strings.Contains(s, "/statements/0") || !strings.Contains(s, "OpenVEX 17") {
					t.Errorf("got %q", s)
				}
			}
			if string(must(json.Marshal(doc))) != string(before) {
				t.Error("the document was changed")
			}
		})
	}
}

func TestPredicateRoundTrip(t *testing.T) {
	doc := must(vex.New("a@example.com", vex.Options{Time: day}).Fixed("CVE-2026-0001", image).Build())
	subjects := []assay.Subject{subject("registry.example/team/app", digA)}
	data, typ, err := vex.EncodePredicate(doc, subjects)
	if err != nil || typ != assay.PredicateOpenVEX || strings.Contains(string(data), "\n") {
		t.Fatal(err, typ, string(data))
	}
	p, err := vex.ReadPredicate("p", typ, data, subjects)
	if err != nil || len(p.Ignored)+len(p.Warnings) > 0 {
		t.Fatal(err, p)
	}
	if d := cmp.Diff(doc, p.VEX, equal); d != "" {
		t.Error(d)
	}

	// The other spelling carries the same.
	again, err := vex.EncodePredicateAs(doc, subjects, vex.PredicateTypeUnversioned)
	if err != nil || string(again) != string(data) {
		t.Error(string(again), err)
	}
	if p, err := vex.ReadPredicate("p", vex.PredicateTypeUnversioned, again, subjects); err != nil || len(p.VEX.Statements) != 1 {
		t.Error(p, err)
	}
	_, err = vex.EncodePredicateAs(doc, subjects, "text/vex")
	wantRule(t, err, assay.ErrInvalid, "OpenVEX 18", "text/vex")

	// Without product it says the same of the subject.
	doc.Statements[0].Products = nil
	if _, err := vex.Encode(doc); err == nil {
		t.Error("an incomplete document was written")
	}
	data, typ, err = vex.EncodePredicate(doc, subjects)
	if err != nil {
		t.Fatal(err)
	}
	p, err = vex.ReadPredicate("p", typ, data, subjects)
	if err != nil || len(p.Warnings) > 0 {
		t.Fatal(err, p)
	}
	if a := vex.StatusOf([]*assay.VEX{p.VEX}, image, assay.Vulnerability{ID: "CVE-2026-0001"}, day); a.Status != assay.Fixed {
		t.Errorf("got %+v", a)
	}
}

func TestEncodePredicateRefuses(t *testing.T) {
	doc := must(vex.New("a@example.com", vex.Options{Time: day}).Fixed("CVE-2026-0001", image, other).Build())
	_, _, err := vex.EncodePredicate(doc, []assay.Subject{subject("app", digA)})
	wantRule(t, err, assay.ErrInvalid, "OpenVEX 17", "/statements/0/products/1", "pkg:oci/app@sha256:"+hexB)
	_, _, err = vex.EncodePredicate(doc, nil)
	wantRule(t, err, assay.ErrInvalid, "in-toto S2")
	_, _, err = vex.EncodePredicate(doc, []assay.Subject{{Name: "x"}})
	wantRule(t, err, assay.ErrInvalid, "in-toto S2", "x")
	_, err = vex.ReadPredicate("p", vex.PredicateType, []byte(minimal), nil)
	wantRule(t, err, assay.ErrInvalid, "in-toto S2")
	_, err = vex.ReadPredicate("p", vex.PredicateType, []byte("{}"), []assay.Subject{subject("app", digA)})
	wantRule(t, err, assay.ErrInvalid, "OpenVEX 1")
	doc.Author = ""
	_, _, err = vex.EncodePredicate(doc, []assay.Subject{subject("app", digA), subject("b", digB)})
	wantRule(t, err, assay.ErrInvalid, "OpenVEX 3")
}
