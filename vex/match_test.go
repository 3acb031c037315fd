package vex_test

import (
	"strings"
	"testing"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/vex"
)

func TestMatch(t *testing.T) {
	purl := func(s string) assay.Product { return vex.PURLProduct(must(assay.ParsePURL(s))) }
	hash := func(s ...string) assay.Product {
		var ds []assay.Digest
		for _, x := range s {
			ds = append(ds, assay.MustDigest(x))
		}
		return assay.Product{Digests: must(assay.NewDigestSet(ds...))}
	}
	both := func(p, q assay.Product) assay.Product { p.Digests = q.Digests; return p }
	sha256A, sha256B, sha512A, sha512B := "sha256:"+hexA, "sha256:"+hexB, "sha512:"+hexA+hexA, "sha512:"+hexB+hexB
	const no = vex.NoMatch
	for name, tt := range map[string]struct {
		stated, asked      assay.Product
		product, component vex.Basis
	}{
		"digest":                              {hash(sha256A), hash(sha256A), vex.ByDigest, vex.ByProduct},
		"digest in the purl":                  {purl("pkg:oci/app@" + sha256A), hash(sha256A), vex.ByDigest, vex.ByProduct},
		"digest in both purls, other repo":    {purl("pkg:oci/app@" + sha256A + "?repository_url=a.example/app"), purl("pkg:oci/app@" + sha256A + "?repository_url=b.example/app"), vex.ByDigest, vex.ByProduct},
		"another digest":                      {hash(sha256A), hash(sha256B), no, no},
		"same purl, another digest":           {both(purl("pkg:npm/a@1"), hash(sha256A)), both(purl("pkg:npm/a@1"), hash(sha256B)), no, no},
		"one digest equal, one not":           {hash(sha256A, sha512A), hash(sha256A, sha512B), no, no},
		"no digest in common":                 {both(purl("pkg:npm/a@1"), hash(sha256A)), both(purl("pkg:npm/a@1"), hash(sha512A)), vex.ByPURL, vex.ByProduct},
		"md5 is no match":                     {hash("md5:" + hexA[:32]), hash("md5:" + hexA[:32]), no, no},
		"sha1 is no match":                    {hash("sha1:" + hexA[:40]), hash("sha1:" + hexA[:40]), no, no},
		"stated contradicts itself":           {both(purl("pkg:oci/app@"+sha256A), hash(sha256B)), hash(sha256A), no, no},
		"contradicts itself, purls alike":     {both(purl("pkg:oci/app@"+sha256A), hash(sha256B)), purl("pkg:oci/app@" + sha256A), no, no},
		"asked contradicts itself, alike":     {purl("pkg:oci/app@" + sha256A), both(purl("pkg:oci/app@"+sha256A), hash(sha256B)), no, no},
		"asked contradicts itself":            {hash(sha256A), both(purl("pkg:oci/app@"+sha256A), hash(sha256B)), no, no},
		"purl":                                {purl("pkg:npm/a@1"), purl("pkg:npm/a@1"), vex.ByPURL, vex.ByProduct},
		"general purl":                        {purl("pkg:npm/a"), purl("pkg:npm/a@1?os=linux#x"), vex.ByPURL, vex.ByProduct},
		"particular purl":                     {purl("pkg:npm/a@1?os=linux"), purl("pkg:npm/a@1"), no, no},
		"another version":                     {purl("pkg:npm/a@1"), purl("pkg:npm/a@2"), no, no},
		"another subpath":                     {purl("pkg:npm/a@1#x"), purl("pkg:npm/a@1#y"), no, no},
		"purl beside another @id":             {assay.Product{ID: "https://example.com/a", PURL: must(assay.ParsePURL("pkg:npm/a@1"))}, purl("pkg:npm/a@1"), vex.ByPURL, vex.ByProduct},
		"purl as @id beside another purl":     {assay.Product{ID: "pkg:apk/wolfi/p@1", PURL: must(assay.ParsePURL("pkg:maven/g/a@2"))}, purl("pkg:apk/wolfi/p@1?arch=armv7"), vex.ByPURL, vex.ByProduct},
		"id":                                  {assay.Product{ID: "https://example.com/a"}, assay.Product{ID: "https://example.com/a"}, vex.ByID, vex.ByProduct},
		"another id":                          {assay.Product{ID: "https://example.com/a"}, assay.Product{ID: "https://example.com/b"}, no, no},
		"cpe":                                 {assay.Product{CPEs: []string{"cpe:/a:b:c"}}, assay.Product{CPEs: []string{"cpe:/a:b:d", "cpe:/a:b:c"}}, vex.ByCPE, vex.ByProduct},
		"nothing":                             {assay.Product{}, assay.Product{}, no, no},
		"whole stated, part asked":            {image, parts(image, ssl), vex.ByDigest, vex.ByProduct},
		"part stated, whole asked":            {parts(image, ssl), image, vex.ByDigest, no},
		"part":                                {parts(image, ssl), parts(image, ssl), vex.ByDigest, vex.ByPURL},
		"one of the parts":                    {parts(image, zlib, ssl), parts(image, ssl), vex.ByDigest, vex.ByPURL},
		"another part":                        {parts(image, zlib), parts(image, ssl), vex.ByDigest, no},
		"two asked, one stated":               {parts(image, zlib), parts(image, zlib, ssl), vex.ByDigest, no},
		"part of another product":             {parts(other, ssl), parts(image, ssl), no, no},
		"part as product, not as component":   {ssl, parts(image, ssl), no, no},
		"part by general purl":                {parts(image, purl("pkg:deb/debian/libssl3@3.0.15")), parts(image, ssl), vex.ByDigest, vex.ByPURL},
		"part by purl, its digest is another": {parts(image, both(ssl, hash(sha256A))), parts(image, both(ssl, hash(sha256B))), vex.ByDigest, no},
	} {
		t.Run(name, func(t *testing.T) {
			got := vex.Match(tt.stated, tt.asked)
			if want := (vex.Matching{Product: tt.product, Component: tt.component}); got != want {
				t.Errorf("got %+v, want %+v", got, want)
			}
			if got.OK() != (tt.product != no && tt.component != no) {
				t.Error("OK disagrees")
			}
		})
	}
}

// A hash value with a prefix is in circulation, and matches like any other.
func TestMatchPrefixedHash(t *testing.T) {
	in := strings.Replace(minimal, `{"@id":"pkg:npm/a@1"}`, `{"@id":"https://example.com/a","hashes":{"sha-256":"SHA256:`+hexA+`"}}`, 1)
	v, warnings, err := vex.Read("prefixed", []byte(in))
	if err != nil || len(warnings) != 1 {
		t.Fatal(warnings, err)
	}
	if m := vex.Match(v.Statements[0].Products[0], image); m.Product != vex.ByDigest {
		t.Errorf("got %+v", m)
	}
}
