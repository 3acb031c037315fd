package vex_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/vex"
)

func TestBuild(t *testing.T) {
	got, err := vex.New("a@example.com", vex.Options{Time: day, ID: "urn:example:1"}).
		NotAffected("cve-2026-0001", assay.ComponentNotPresent, parts(image, zlib, ssl)).Aliases("ghsa-AAAA-bbbb-cccc").Build()
	if err != nil {
		t.Fatal(err)
	}
	want := &assay.VEX{ID: "urn:example:1", Author: "a@example.com", Timestamp: day, Version: 1, Format: "openvex/0.2.0",
		Statements: []assay.VEXStatement{{
			Vulnerability: assay.Vulnerability{ID: "CVE-2026-0001", Aliases: []assay.VulnID{"GHSA-aaaa-bbbb-cccc"}},
			Timestamp:     day, Status: assay.NotAffected, Justification: assay.ComponentNotPresent,
			Products: []assay.Product{parts(image, ssl, zlib)},
		}}}
	if d := cmp.Diff(want, got, equal); d != "" {
		t.Error(d)
	}
}

func TestBuildRefuses(t *testing.T) {
	o := vex.Options{Time: day}
	for name, tt := range map[string]struct {
		claim *vex.Claim
		rule  string
		says  string
	}{
		"id":              {vex.New("a", vex.Options{Time: day, ID: "my doc"}).Fixed("X-1", image), "OpenVEX 2", "my doc"},
		"base":            {vex.New("a", vex.Options{Time: day, Base: "docs/"}).Fixed("X-1", image), "OpenVEX 2", "docs/"},
		"author":          {vex.New("", o).Fixed("X-1", image), "OpenVEX 3", "/author"},
		"product twice":   {vex.New("a", o).Fixed("X-1", image, other, image), "OpenVEX 6", "/statements/0/products/2"},
		"no reason":       {vex.New("a", o).NotAffected("X-1", "", image), "OpenVEX 8", "/statements/0/justification"},
		"bad reason":      {vex.New("a", o).NotAffected("X-1", "because", image), "OpenVEX 8", "because"},
		"no action":       {vex.New("a", o).Affected("X-1", "", image), "OpenVEX 9", "/statements/0/action_statement"},
		"no product":      {vex.New("a", o).UnderInvestigation("X-1"), "OpenVEX 10", "/statements/0/products"},
		"unnamed product": {vex.New("a", o).Fixed("X-1", vex.ComponentProduct(assay.Component{Name: "x"})), "OpenVEX 10", "/statements/0/products/0"},
		"no id":           {vex.New("a", o).Fixed("", image), "OpenVEX 13", "/statements/0/vulnerability/name"},
		"hash only":       {vex.New("a", o).Fixed("X-1", assay.Product{Digests: assay.DigestSet{digA}}), "OpenVEX 15", "/statements/0/products/0"},
	} {
		t.Run(name, func(t *testing.T) {
			v, err := tt.claim.Build()
			wantRule(t, err, assay.ErrInvalid, tt.rule, "build OpenVEX", tt.says)
			if v != nil {
				t.Error("a document came with the error")
			}
		})
	}
	_, err := vex.New("a", o).Build()
	wantRule(t, err, assay.ErrInvalid, "OpenVEX 6", "/statements")
}

func TestDerivedID(t *testing.T) {
	build := func(o vex.Options, notes string) string {
		o.Time = day
		return must(vex.New("a@example.com", o).Fixed("CVE-2026-0001", image).Notes(notes).Build()).ID
	}
	a := build(vex.Options{}, "n")
	if !strings.HasPrefix(a, vex.DefaultBase+"vex-") || len(a) != len(vex.DefaultBase)+4+64 {
		t.Errorf("got %s", a)
	}
	if b := build(vex.Options{}, "n"); b != a {
		t.Errorf("the same content has IDs %s and %s", a, b)
	}
	if b := build(vex.Options{}, "m"); b == a {
		t.Error("other content has the same ID")
	}
	if b := build(vex.Options{Base: "https://example.com/vex"}, "n"); b != "https://example.com/vex/"+strings.TrimPrefix(a, vex.DefaultBase) {
		t.Errorf("got %s", b)
	}
}

func TestClock(t *testing.T) {
	build := func(o vex.Options) (*assay.VEX, error) {
		return vex.New("a@example.com", o).Fixed("CVE-2026-0001", image).Build()
	}
	t.Setenv("SOURCE_DATE_EPOCH", "1700000000")
	if v := must(build(vex.Options{})); !v.Timestamp.Equal(time.Unix(1700000000, 0)) || !v.Statements[0].Timestamp.Equal(v.Timestamp) {
		t.Errorf("got %v", v.Timestamp)
	}
	if v := must(build(vex.Options{Time: day})); !v.Timestamp.Equal(day) {
		t.Errorf("the explicit time lost to the environment: %v", v.Timestamp)
	}
	for _, s := range []string{"tomorrow", "-1", "1.5"} {
		t.Setenv("SOURCE_DATE_EPOCH", s)
		_, err := build(vex.Options{})
		wantRule(t, err, assay.ErrInvalid, "OpenVEX 4", "SOURCE_DATE_EPOCH", s)
	}
	t.Setenv("SOURCE_DATE_EPOCH", "")
	before := time.Now().Truncate(time.Second)
	if v := must(build(vex.Options{})); v.Timestamp.Before(before) || v.Timestamp.After(time.Now()) || v.Timestamp.Nanosecond() != 0 {
		t.Errorf("got %v", v.Timestamp)
	}
}

// A draft is not changed by building, nor by what is done to its result.
func TestBuildTwice(t *testing.T) {
	d := vex.New("a@example.com", vex.Options{Time: day})
	products := []assay.Product{parts(image, ssl, zlib)}
	d.Fixed("CVE-2026-0001", products...).Aliases("B", "A")
	first := must(d.Build())
	id := first.ID
	first.Statements[0].Products[0].Subcomponents[0].ID = "changed"
	first.Statements[0].Vulnerability.Aliases[0] = "changed"
	products[0].Subcomponents[0].ID = "changed"
	if second := must(d.Build()); second.ID != id || second.Statements[0].Products[0].Subcomponents[0].ID == "changed" {
		t.Errorf("got %+v", second)
	}
}

func TestImageProduct(t *testing.T) {
	if want := "pkg:oci/app@sha256:" + hexA + "?repository_url=registry.example/team/app"; must(assay.ParsePURL(want)) != image.PURL ||
		image.ID != image.PURL.String() || image.Digests.Get(assay.SHA256) != digA {
		t.Errorf("got %+v", image)
	}
	for _, repo := range []string{"", "registry.example/app:1.0", "registry.example/", "https://registry.example/app", "registry.example/app@sha256:1", "a b/c"} {
		if _, err := vex.ImageProduct(digA, repo); err == nil || !strings.Contains(err.Error(), "repository") {
			t.Errorf("%q: got %v", repo, err)
		}
	}
	if _, err := vex.ImageProduct(digA, "registry.example:5000/team/app"); err != nil {
		t.Errorf("a port is no tag: %v", err)
	}
	for _, d := range []assay.Digest{{}, assay.MustDigest("sha1:" + strings.Repeat("1", 40)), assay.MustDigest("blake3:" + hexA)} {
		_, err := vex.ImageProduct(d, "registry.example/app")
		wantRule(t, err, assay.ErrInvalid, "OpenVEX 14")
	}
}

func TestComponentProduct(t *testing.T) {
	got := vex.ComponentProduct(assay.Component{PURL: ssl.PURL,
		CPEs:   []string{"cpe:2.3:a:x", "cpe:2.3:a:y", "cpe:/a:x", "junk"},
		Hashes: assay.DigestSet{assay.MustDigest("gitCommit:" + strings.Repeat("1", 40)), digA}})
	want := assay.Product{ID: ssl.ID, PURL: ssl.PURL, CPEs: []string{"cpe:2.3:a:x", "cpe:/a:x"}, Digests: assay.DigestSet{digA}}
	if d := cmp.Diff(want, got, equal); d != "" {
		t.Error(d)
	}
	if _, err := vex.New("a", vex.Options{Time: day}).Fixed("X-1", parts(image, got)).Build(); err != nil {
		t.Error(err)
	}
}
