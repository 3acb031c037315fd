package sbom

import (
	"crypto/sha256"
	"strings"
	"testing"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/strictjson"
)

// ContentHashDiffers says what contentHash hashes other than the JSON of the SBOM.
func ContentHashDiffers(t testing.TB, doc *assay.SBOM) string {
	t.Helper()
	b, err := strictjson.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	if contentHash(doc) != sha256.Sum256(b) {
		return string(b)
	}
	return ""
}

func TestContentHash(t *testing.T) {
	odd := "Ünï <c> & \"q\" \\ \n\t\x01\u2028\x7f"
	a, b := assay.MustDigest("sha256:"+strings.Repeat("a", 64)), assay.MustDigest("sha512:"+strings.Repeat("b", 128))
	purl, err := assay.ParsePURL("pkg:npm/%40a/b@1?x=y")
	if err != nil {
		t.Fatal(err)
	}
	full := assay.Component{ID: "a", Type: assay.TypeLibrary, Name: odd, Version: odd, PURL: purl, CPEs: []string{odd, "b"},
		Licenses: []assay.License{{Name: odd, Concluded: true}, {Expression: "MIT"}, {}}, Hashes: assay.DigestSet{a, b}, Supplier: odd, Creator: odd, Description: odd,
		Source: assay.SourcePackage{Version: odd}, Locations: []assay.Location{{Path: odd}, {Layer: a, Path: "x"}},
		References: []assay.Reference{{Type: assay.RefVCS, URL: odd, Hashes: assay.DigestSet{b}, Comment: odd}, {Type: assay.RefOther, Hashes: assay.DigestSet{a, b}}},
		FoundBy:    odd, Properties: map[string]string{odd: odd, "": "", "\uffff": "1", "\U00010000": "2", "a": "3"}}
	many := &assay.SBOM{Root: full, Version: 3}
	for range 5000 { // more than is hashed at once
		many.Components = append(many.Components, full)
		many.Relations = append(many.Relations, assay.Relation{From: "a", Kind: assay.DependsOn, To: assay.ComponentID(odd)})
	}
	for _, doc := range []*assay.SBOM{
		{Components: []assay.Component{}},
		{Components: []assay.Component{{}}, Version: 1},
		{Root: full, Components: []assay.Component{full, full}, Relations: []assay.Relation{{From: "a", Kind: "b", To: "c"}, {}}, Authors: []string{odd, "b"},
			Tools: []assay.Tool{{Name: odd, Version: odd, Vendor: odd}, {}}, Lifecycle: odd, Layers: []assay.Digest{a, b},
			Completeness: []assay.Completeness{{Of: "a", Scope: "components", Aggregate: "complete"}, {}}},
		many,
	} {
		if d := ContentHashDiffers(t, doc); d != "" {
			t.Errorf("not the hash of %.2000s", d)
		}
	}
}
