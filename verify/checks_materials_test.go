package verify_test

import (
	"encoding/hex"
	"strings"
	"testing"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/attest"
	"github.com/assaykit/assay/internal/testimage"
	"github.com/assaykit/assay/verify"
)

func TestMaterials(t *testing.T) {
	sum := func(alg assay.Algorithm, c byte) assay.DigestSet {
		size := map[assay.Algorithm]int{assay.SHA256: 32, assay.SHA512: 64, assay.DirHash: 32}[alg]
		d, err := assay.NewDigest(alg, hex.EncodeToString([]byte(strings.Repeat(string(c), size))))
		if err != nil {
			t.Fatal(err)
		}
		return assay.DigestSet{d}
	}
	type item struct {
		purl   string
		digest assay.DigestSet
	}
	for name, tt := range map[string]struct {
		image, materials []item
		state            assay.State
		reason           verify.Reason
		says             string // in a finding
	}{
		"npm, the same":            {[]item{{"pkg:npm/a@1.0.0", sum(assay.SHA512, 1)}}, []item{{"pkg:npm/a@1.0.0", sum(assay.SHA512, 1)}}, assay.Proven, verify.Holds, "total: 1 packages in both"},
		"npm, another version":     {[]item{{"pkg:npm/a@1.0.0", nil}}, []item{{"pkg:npm/a@1.0.1", nil}}, assay.Refuted, verify.Contradiction, "differs: pkg:npm/a: the provenance has version 1.0.1, the inventory 1.0.0"},
		"npm, another digest":      {[]item{{"pkg:npm/a@1.0.0", sum(assay.SHA512, 1)}}, []item{{"pkg:npm/a@1.0.0", sum(assay.SHA512, 2)}}, assay.Refuted, verify.Contradiction, "differs: pkg:npm/a@1.0.0: provenance has sha512:0202"},
		"npm, one of two versions": {[]item{{"pkg:npm/a@1.0.0", nil}, {"pkg:npm/a@2.0.0", nil}}, []item{{"pkg:npm/a@1.0.0", nil}, {"pkg:npm/a@3.0.0", nil}}, assay.Proven, verify.Holds, "image only: pkg:npm/a in version 2.0.0"},
		"pypi, one of two files":   {[]item{{"pkg:pypi/a@1", sum(assay.SHA256, 1)}}, []item{{"pkg:pypi/a@1", sum(assay.SHA256, 2)}, {"pkg:pypi/a@1", sum(assay.SHA256, 1)}}, assay.Proven, verify.Holds, "total"},
		"pypi, none of two files":  {[]item{{"pkg:pypi/a@1", sum(assay.SHA256, 3)}}, []item{{"pkg:pypi/a@1", sum(assay.SHA256, 2)}, {"pkg:pypi/a@1", sum(assay.SHA256, 1)}}, assay.Refuted, verify.Contradiction, "differs: pkg:pypi/a@1"},
		"cargo, another digest":    {[]item{{"pkg:cargo/a@1.0.0", sum(assay.SHA256, 1)}}, []item{{"pkg:cargo/a@1.0.0", sum(assay.SHA256, 2)}}, assay.Refuted, verify.Contradiction, "differs: pkg:cargo/a@1.0.0"},
		"maven, other classifier":  {[]item{{"pkg:maven/g/a@1?classifier=x", sum(assay.SHA256, 1)}}, []item{{"pkg:maven/g/a@1?classifier=y", sum(assay.SHA256, 2)}}, assay.Proven, verify.Holds, "total"},
		"maven, another digest":    {[]item{{"pkg:maven/g/a@1", sum(assay.SHA256, 1)}}, []item{{"pkg:maven/g/a@1", sum(assay.SHA256, 2)}}, assay.Refuted, verify.Contradiction, "differs: pkg:maven/g/a@1"},
		"deb, other architecture":  {[]item{{"pkg:deb/debian/a@1?arch=amd64", sum(assay.SHA256, 1)}}, []item{{"pkg:deb/debian/a@1?arch=arm64", sum(assay.SHA256, 2)}}, assay.Proven, verify.Holds, "total"},
		"deb, another version":     {[]item{{"pkg:deb/debian/a@1", nil}}, []item{{"pkg:deb/debian/a@2", nil}}, assay.Refuted, verify.Contradiction, "differs: pkg:deb/debian/a"},
		"golang, another sum":      {[]item{{"pkg:golang/a.example/b@v1.0.0", sum(assay.DirHash, 1)}}, []item{{"pkg:golang/a.example/b@v1.0.0", sum(assay.DirHash, 2)}}, assay.Refuted, verify.Contradiction, "differs: pkg:golang/a.example/b@v1.0.0"},
		"golang, digest of a zip":  {[]item{{"pkg:golang/a.example/b@v1.0.0", sum(assay.SHA256, 1)}}, []item{{"pkg:golang/a.example/b@v1.0.0", sum(assay.SHA256, 2)}}, assay.Proven, verify.Holds, "total"},
		"generic, of other things": {[]item{{"pkg:generic/a@1", sum(assay.SHA256, 1)}}, []item{{"pkg:generic/a@1", sum(assay.SHA256, 2)}}, assay.Proven, verify.Holds, "total"},
		"not in the image":         {[]item{{"pkg:npm/a@1.0.0", nil}}, []item{{"pkg:npm/a@1.0.0", nil}, {"pkg:npm/dev@1", nil}}, assay.Proven, verify.Holds, "material only: pkg:npm/dev"},
		"in no material":           {[]item{{"pkg:npm/a@1.0.0", nil}, {"pkg:npm/b@1", nil}}, []item{{"pkg:npm/a@1.0.0", nil}}, assay.Proven, verify.Holds, "image only: pkg:npm/b"},
		"nothing in common":        {[]item{{"pkg:npm/a@1.0.0", nil}}, []item{{"pkg:npm/b@1.0.0", nil}}, assay.Unknown, verify.NotStated, "no package in common"},
		"without version":          {[]item{{"pkg:npm/a@1.0.0", nil}}, []item{{"pkg:npm/a", nil}}, assay.Unknown, verify.NotStated, "no package in common"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			doc := &assay.SBOM{Root: f.sbom.Root}
			for i, c := range tt.image {
				doc.Components = append(doc.Components, assay.Component{ID: assay.ComponentID(rune('a' + i)), Name: "x", Version: purl(c.purl).Version(), Type: assay.TypeLibrary, PURL: purl(c.purl), Hashes: c.digest})
			}
			p := newProvenance()
			for _, m := range tt.materials {
				p.Materials = append(p.Materials, assay.Resource{URI: m.purl, Digest: m.digest})
			}
			policy := verify.Policy{Signers: f.policy().Signers, ContentsUnsafe: true}
			r := f.ask(t, policy, nil, attest.FromEnvelopes(f.sign(t, f.signer, doc), f.sign(t, f.signer, p)))
			c := check(t, r, verify.CheckMaterials, tt.state, tt.reason)
			if !strings.Contains(strings.Join(c.Findings, "\n"), tt.says) {
				t.Errorf("findings are %q, want %q", c.Findings, tt.says)
			}
			if (tt.state == assay.Refuted) != (r.Verdict.Policy == assay.Refuted) {
				t.Errorf("policy is %s", r.Verdict.Policy)
			}
		})
	}
}

// A package of the base image is of the version that the base has, whatever the
// application's lock file says of the same package.
func TestMaterialsOfABase(t *testing.T) {
	f := newFixture(t)
	base := testimage.New(t, baseLayer())
	p := newProvenance()
	libfoo := f.component(t, "libfoo").PURL.Package().String() + "@1.0-1"
	p.Materials = append(p.Materials, assay.Resource{URI: libfoo, Digest: assay.DigestSet{assay.SumSHA256([]byte("x"))}})
	policy := verify.Policy{Signers: f.policy().Signers, Bases: []assay.Digest{base.ID()}}
	sources := []attest.Source{attest.FromEnvelopes(f.sign(t, f.signer, p)), attest.FromImage(f.image)}
	check(t, f.ask(t, policy, nil, sources...), verify.CheckMaterials, assay.Refuted, verify.Contradiction)
	check(t, f.ask(t, policy, nil, append(sources, attest.FromImage(base))...), verify.CheckMaterials, assay.Unknown, verify.NotStated)
}
