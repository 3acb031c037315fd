package vex_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/vex"
)

var (
	hexA  = strings.Repeat("a1", 32)
	hexB  = strings.Repeat("b2", 32)
	digA  = assay.MustDigest("sha256:" + hexA)
	digB  = assay.MustDigest("sha256:" + hexB)
	day   = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	image = must(vex.ImageProduct(digA, "registry.example/team/app"))
	other = must(vex.ImageProduct(digB, "registry.example/team/app"))
	ssl   = vex.PURLProduct(must(assay.ParsePURL("pkg:deb/debian/libssl3@3.0.15?arch=amd64")))
	zlib  = vex.PURLProduct(must(assay.ParsePURL("pkg:deb/debian/zlib1g@1.2.13")))
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func on(days int) time.Time { return day.AddDate(0, 0, days) }

// wantRule demands an error of the kind that names the rule and says all of says.
func wantRule(t *testing.T, err error, kind error, rule string, says ...string) {
	t.Helper()
	e, ok := errors.AsType[*assay.Error](err)
	if !ok {
		t.Fatalf("got %v, want a breach of %s", err, rule)
	}
	if e.Rule != rule || !errors.Is(err, kind) {
		t.Errorf("got rule %q, %v; want %q, %v", e.Rule, err, rule, kind)
	}
	for _, s := range says {
		if !strings.Contains(err.Error(), s) {
			t.Errorf("%q does not say %q", err, s)
		}
	}
}

// parts returns p with subcomponents.
func parts(p assay.Product, subs ...assay.Product) assay.Product {
	p.Subcomponents = subs
	return p
}
