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

func TestMatchPatterns(t *testing.T) {
	purl := func(s string) assay.Product { return vex.PURLProduct(must(assay.ParsePURL(s))) }
	cpe := func(s string) assay.Product { return assay.Product{CPEs: []string{s}} }
	vers := func(pkg, v string) assay.Product {
		p := must(assay.ParsePURL(pkg)).Parts()
		p.Qualifiers["vers"] = v
		return vex.PURLProduct(must(assay.NewPURL(p)))
	}
	const nginx = "cpe:2.3:a:f5:nginx:1.20.1:*:*:*:*:*:*:*"
	for name, tt := range map[string]struct {
		stated, asked assay.Product
		want          vex.Basis
	}{
		"stdlib without v":     {purl("pkg:golang/stdlib@1.22.1"), purl("pkg:golang/stdlib@v1.22.1"), vex.ByPURL},
		"stdlib with v":        {purl("pkg:golang/stdlib@v1.22.1"), purl("pkg:golang/stdlib@1.22.1"), vex.ByPURL},
		"stdlib with go":       {purl("pkg:golang/stdlib@go1.22.1"), purl("pkg:golang/stdlib@v1.22.1"), vex.ByPURL},
		"module, subpath":      {purl("pkg:golang/golang.org/x/net@0.1.0#html"), purl("pkg:golang/golang.org/x/net@v0.1.0#html"), vex.ByPURL},
		"module, its subpath":  {purl("pkg:golang/golang.org/x/net@0.1.0#html"), purl("pkg:golang/golang.org/x/net@v0.1.0"), vex.NoMatch},
		"module, qualifier":    {purl("pkg:golang/a.example/b@0.1.0?goos=linux"), purl("pkg:golang/a.example/b@v0.1.0?goos=windows"), vex.NoMatch},
		"another Go version":   {purl("pkg:golang/stdlib@1.22.1"), purl("pkg:golang/stdlib@v1.22.10"), vex.NoMatch},
		"v elsewhere":          {purl("pkg:npm/a@v1.0.0"), purl("pkg:npm/a@1.0.0"), vex.NoMatch},
		"in range":             {vers("pkg:npm/a", "vers:npm/>=1.0.0|<2.0.0"), purl("pkg:npm/a@1.9.9?x=y"), vex.ByPURL},
		"at its end":           {vers("pkg:npm/a", "vers:npm/>=1.0.0|<2.0.0"), purl("pkg:npm/a@2.0.0"), vex.NoMatch},
		"preview of its end":   {vers("pkg:npm/a", "vers:npm/>=1.0.0|<2.0.0"), purl("pkg:npm/a@2.0.0-rc.1"), vex.ByPURL},
		"below":                {vers("pkg:npm/a", "vers:npm/>=1.0.0|<2.0.0"), purl("pkg:npm/a@0.9.0"), vex.NoMatch},
		"between two ranges":   {vers("pkg:npm/a", "vers:npm/<1.0.0|>=2.0.0|<3.0.0"), purl("pkg:npm/a@1.5.0"), vex.NoMatch},
		"in the second":        {vers("pkg:npm/a", "vers:npm/<1.0.0|>=2.0.0|<3.0.0"), purl("pkg:npm/a@2.5.0"), vex.ByPURL},
		"one excluded":         {vers("pkg:npm/a", "vers:npm/>=1.0.0|!=1.5.0|<2.0.0"), purl("pkg:npm/a@1.5.0"), vex.NoMatch},
		"only exclusion":       {vers("pkg:npm/a", "vers:npm/!=1.5.0"), purl("pkg:npm/a@1.6.0"), vex.ByPURL},
		"list":                 {vers("pkg:pypi/a", "vers:pypi/1.0|1.5"), purl("pkg:pypi/a@1.5"), vex.ByPURL},
		"not on the list":      {vers("pkg:pypi/a", "vers:pypi/1.0|1.5"), purl("pkg:pypi/a@1.6"), vex.NoMatch},
		"pypi":                 {vers("pkg:pypi/a", "vers:pypi/<2"), purl("pkg:pypi/a@2.0rc1"), vex.ByPURL},
		"pypi spelling":        {vers("pkg:pypi/a", "vers:pypi/2.0"), purl("pkg:pypi/a@2.0.0"), vex.ByPURL},
		"pypi post":            {vers("pkg:pypi/a", "vers:pypi/<=2.0"), purl("pkg:pypi/a@2.0.post1"), vex.NoMatch},
		"apk":                  {vers("pkg:apk/alpine/a", "vers:alpine/<1.2.3-r4"), purl("pkg:apk/alpine/a@1.2.3_rc1-r9"), vex.ByPURL},
		"apk by its type":      {vers("pkg:apk/alpine/a", "vers:apk/<1.2.3-r4"), purl("pkg:apk/alpine/a@1.2.3-r10"), vex.NoMatch},
		"maven":                {vers("pkg:maven/g/a", "vers:maven/>=1.0|<2.0"), purl("pkg:maven/g/a@2.0-beta-1"), vex.ByPURL},
		"maven release":        {vers("pkg:maven/g/a", "vers:maven/<2.0"), purl("pkg:maven/g/a@2.0.ga"), vex.NoMatch},
		"gem":                  {vers("pkg:gem/a", "vers:gem/<1.10"), purl("pkg:gem/a@1.9.9"), vex.ByPURL},
		"gem preview":          {vers("pkg:gem/a", "vers:gem/<1.10"), purl("pkg:gem/a@1.10.pre1"), vex.ByPURL},
		"nuget":                {vers("pkg:nuget/a", "vers:nuget/<1.2.3.4"), purl("pkg:nuget/a@1.2.3.3"), vex.ByPURL},
		"composer":             {vers("pkg:composer/v/a", "vers:composer/<2.0.0"), purl("pkg:composer/v/a@v2.0.0-RC1"), vex.ByPURL},
		"cran":                 {vers("pkg:cran/a", "vers:cran/<1.10"), purl("pkg:cran/a@1.9-3"), vex.ByPURL},
		"hackage":              {vers("pkg:hackage/a", "vers:hackage/<1.10"), purl("pkg:hackage/a@1.9.1"), vex.ByPURL},
		"pub":                  {vers("pkg:pub/a", "vers:pub/<1.10.0"), purl("pkg:pub/a@1.9.0+2"), vex.ByPURL},
		"all versions":         {vers("pkg:pypi/a", "vers:pypi/*"), purl("pkg:pypi/a@1.6"), vex.ByPURL},
		"asked has no version": {vers("pkg:pypi/a", "vers:pypi/*"), purl("pkg:pypi/a"), vex.NoMatch},
		"no range at all":      {vers("pkg:npm/a", "<2"), purl("pkg:npm/a@1.0.0"), vex.NoMatch},
		"range of another":     {vers("pkg:npm/a", "vers:npm/<2.0.0"), purl("pkg:npm/b@1.0.0"), vex.NoMatch},
		"range, qualifier":     {vers("pkg:deb/debian/a?arch=amd64", "vers:deb/<2%3A1.0-1"), purl("pkg:deb/debian/a@1%3A9?arch=arm64"), vex.NoMatch},
		"deb epoch":            {vers("pkg:deb/debian/a?arch=amd64", "vers:deb/<2%3A1.0-1"), purl("pkg:deb/debian/a@1%3A9?arch=amd64"), vex.ByPURL},
		"deb tilde":            {vers("pkg:deb/debian/a", "vers:deb/<1.0"), purl("pkg:deb/debian/a@1.0~rc1-1"), vex.ByPURL},
		"rpm":                  {vers("pkg:rpm/fedora/a", "vers:rpm/<1.10-1"), purl("pkg:rpm/fedora/a@1.9-30"), vex.ByPURL},
		"go range":             {vers("pkg:golang/a.example/b", "vers:golang/<v0.4.0"), purl("pkg:golang/a.example/b@v0.3.9"), vex.ByPURL},
		"not semver":           {vers("pkg:npm/a", "vers:npm/<2.0.0"), purl("pkg:npm/a@1"), vex.NoMatch},

		"cpe any version":        {cpe("cpe:2.3:a:f5:nginx:*:*:*:*:*:*:*:*"), cpe(nginx), vex.ByCPE},
		"cpe the other way":      {cpe(nginx), cpe("cpe:2.3:a:f5:nginx:*:*:*:*:*:*:*:*"), vex.NoMatch},
		"cpe 2.2 for 2.3":        {cpe("cpe:/a:f5:nginx:1.20.1"), cpe(nginx), vex.ByCPE},
		"cpe 2.3 for 2.2":        {cpe(nginx), cpe("cpe:/a:f5:nginx:1.20.1"), vex.ByCPE},
		"cpe upper case":         {cpe("cpe:2.3:a:F5:NGINX:1.20.1:*:*:*:*:*:*:*"), cpe(nginx), vex.ByCPE},
		"cpe another version":    {cpe("cpe:/a:f5:nginx:1.20.10"), cpe(nginx), vex.NoMatch},
		"cpe wildcard":           {cpe("cpe:2.3:a:f5:nginx:1.20.*:*:*:*:*:*:*:*"), cpe(nginx), vex.ByCPE},
		"cpe question mark":      {cpe("cpe:2.3:a:f5:nginx:1.20.?:*:*:*:*:*:*:*"), cpe("cpe:2.3:a:f5:nginx:1.20.11:*:*:*:*:*:*:*"), vex.NoMatch},
		"cpe quoted star":        {cpe(`cpe:2.3:a:f5:nginx:1.20.\*:*:*:*:*:*:*:*`), cpe(nginx), vex.NoMatch},
		"cpe not applicable":     {cpe("cpe:2.3:a:f5:nginx:-:*:*:*:*:*:*:*"), cpe(nginx), vex.NoMatch},
		"cpe any is no match":    {cpe("cpe:2.3:a:f5:nginx:-:*:*:*:*:*:*:*"), cpe("cpe:2.3:a:f5:nginx:*:*:*:*:*:*:*:*"), vex.NoMatch},
		"cpe packed edition":     {cpe("cpe:/a:hp:insight:7.4:-:~-~online~win2003~x64~-"), cpe("cpe:2.3:a:hp:insight:7.4:-:-:*:online:win2003:x64:-"), vex.ByCPE},
		"cpe quoted needlessly":  {cpe(`cpe:2.3:a:f5:ng\inx:1\.20\.1:*:*:*:*:*:*:*`), cpe(nginx), vex.ByCPE},
		"cpe 2.2 escape":         {cpe("cpe:/a:f5:ng%2binx:1"), cpe(`cpe:2.3:a:f5:ng\+inx:1:*:*:*:*:*:*:*`), vex.ByCPE},
		"cpe 2.2 wildcard":       {cpe("cpe:/a:f5:nginx:1.20%02"), cpe(nginx), vex.ByCPE},
		"cpe of too few parts":   {cpe("cpe:2.3:a:f5:nginx"), cpe(nginx), vex.NoMatch},
		"cpe that ends in quote": {cpe(`cpe:2.3:a:f5:nginx:1:*:*:*:*:*:*:\`), cpe(nginx), vex.NoMatch},
	} {
		t.Run(name, func(t *testing.T) {
			if got := vex.Match(tt.stated, tt.asked).Product; got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			// The index finds what matching one by one finds, and nothing else.
			doc := said("a", says(0, "CVE-2026-0001", assay.Fixed, tt.stated))
			for i := range 20 {
				s := says(0, "CVE-2026-0001", assay.Fixed, vex.PURLProduct(must(assay.ParsePURL("pkg:npm/other@"+strings.Repeat("1", i+1)))))
				doc.Statements = append(doc.Statements, s)
			}
			a := vex.StatusOf([]*assay.VEX{doc}, tt.asked, assay.Vulnerability{ID: "CVE-2026-0001"}, on(1))
			if (a.Status == assay.Fixed) != (tt.want != vex.NoMatch) {
				t.Errorf("by index: %q", a.Status)
			}
		})
	}
}

// Where it cannot be told whether a version is in a range, that is no answer.
func TestMatchUndecided(t *testing.T) {
	purl := func(s string) assay.Product { return vex.PURLProduct(must(assay.ParsePURL(s))) }
	ranged := func(pkg, v string) assay.Product {
		p := must(assay.ParsePURL(pkg)).Parts()
		p.Qualifiers = map[string]string{"vers": v}
		return vex.PURLProduct(must(assay.NewPURL(p)))
	}
	app := purl("pkg:generic/app@1")
	for name, tt := range map[string]struct {
		stated, asked assay.Product
		want          bool
	}{
		"unknown scheme":        {ranged("pkg:generic/a", "vers:generic/<2"), purl("pkg:generic/a@1"), true},
		"no version of it":      {ranged("pkg:npm/a", "vers:npm/<2.0.0"), purl("pkg:npm/a@latest"), true},
		"pypi's branch":         {ranged("pkg:pypi/a", "vers:pypi/<2"), purl("pkg:pypi/a@main"), true},
		"composer's branch":     {ranged("pkg:composer/v/a", "vers:composer/<2"), purl("pkg:composer/v/a@1.x-dev"), true},
		"a bound is none":       {ranged("pkg:gem/a", "vers:gem/<soon"), purl("pkg:gem/a@1"), true},
		"too long":              {ranged("pkg:pypi/a", "vers:pypi/<2"), purl("pkg:pypi/a@1." + strings.Repeat("1", 600)), true},
		"no range":              {ranged("pkg:npm/a", "<2"), purl("pkg:npm/a@1.0.0"), true},
		"in a part":             {parts(app, ranged("pkg:generic/a", "vers:generic/<2")), parts(app, purl("pkg:generic/a@1")), true},
		"one part of two":       {parts(app, ranged("pkg:generic/a", "vers:generic/<2")), parts(app, purl("pkg:generic/a@1"), purl("pkg:generic/b@1")), false},
		"another product":       {parts(purl("pkg:generic/b@1"), ranged("pkg:generic/a", "vers:generic/<2")), parts(app, purl("pkg:generic/a@1")), false},
		"the bound itself":      {ranged("pkg:generic/a", "vers:generic/<2"), purl("pkg:generic/a@2"), false},
		"another package":       {ranged("pkg:generic/a", "vers:generic/<2"), purl("pkg:generic/b@1"), false},
		"a list":                {ranged("pkg:generic/a", "vers:generic/1|2"), purl("pkg:generic/a@3"), false},
		"no version":            {ranged("pkg:generic/a", "vers:generic/<2"), purl("pkg:generic/a"), false},
		"whole, stated of part": {parts(ranged("pkg:generic/a", "vers:generic/<2"), app), purl("pkg:generic/a@1"), false},
	} {
		t.Run(name, func(t *testing.T) {
			if m := vex.Match(tt.stated, tt.asked); m.Undecided != tt.want || m.Undecided && m.OK() {
				t.Errorf("got %+v", m)
			}
		})
	}
}

// A statement that may be about the version keeps an older one from closing, and closes
// nothing itself.
func TestStatusUndecided(t *testing.T) {
	const id = assay.VulnID("CVE-2026-0001")
	lib := assay.MustPURL("pkg:generic/lib@1")
	parts := lib.Parts()
	parts.Version, parts.Qualifiers = "", map[string]string{"vers": "vers:generic/<2"}
	ranged, whole := vex.PURLProduct(must(assay.NewPURL(parts))), vex.PURLProduct(lib)
	for name, tt := range map[string]struct {
		older, newer assay.VEXStatement
		want         assay.Status
		undecided    int
	}{
		"affected after fixed":      {says(0, id, assay.Fixed, whole), says(1, id, assay.Affected, ranged), "", 1},
		"looked into after fixed":   {says(0, id, assay.Fixed, whole), says(1, id, assay.UnderInvestigation, ranged), "", 1},
		"affected before fixed":     {says(0, id, assay.Affected, ranged), says(1, id, assay.Fixed, whole), assay.Fixed, 1},
		"fixed after affected":      {says(0, id, assay.Affected, whole), says(1, id, assay.Fixed, ranged), assay.Affected, 0},
		"fixed after not affected":  {says(0, id, assay.NotAffected, whole), says(1, id, assay.Fixed, ranged), assay.NotAffected, 1},
		"affected at the same time": {says(0, id, assay.Fixed, whole), says(0, id, assay.Affected, ranged), "", 1},
		"nothing else":              {says(0, id, assay.Fixed, other), says(1, id, assay.Fixed, ranged), "", 1},
	} {
		t.Run(name, func(t *testing.T) {
			doc := said("a", tt.older, tt.newer)
			a := vex.StatusOf([]*assay.VEX{doc}, whole, assay.Vulnerability{ID: id}, on(2))
			if a.Status != tt.want || len(a.Undecided) != tt.undecided || (a.Status == "") != (a.Source.Document == nil) {
				t.Errorf("got %q, undecided %v", a.Status, a.Undecided)
			}
		})
	}
	// Nor does one about a product keep what is said further in from being asked for in
	// vain: the way to it is open.
	s := graphSBOM("root>a a>b b>lib")
	for i := range s.Components {
		if s.Components[i].ID == "lib" {
			s.Components[i].PURL = lib
		}
	}
	b := vex.PURLProduct(assay.MustPURL("pkg:npm/b@1.0.0"))
	for name, p := range map[string]assay.Product{"a": vex.PURLProduct(assay.MustPURL("pkg:npm/a@1.0.0")), "root": vex.PURLProduct(assay.MustPURL("pkg:npm/root@1.0.0"))} {
		p.Subcomponents, b.Subcomponents = []assay.Product{ranged}, []assay.Product{whole}
		doc := said("a", says(0, id, assay.Affected, p), says(0, id, assay.Fixed, b))
		r := vex.NewTimeline([]*assay.VEX{doc}, on(1)).StatusIn(s, assay.Product{}, "lib", assay.Vulnerability{ID: id})
		if r.Status != "" || len(r.Undecided) != 1 || len(r.Uncovered) != 1 || r.Uncovered[0] != "a" {
			t.Errorf("%s: got %+v", name, r)
		}
	}
}
