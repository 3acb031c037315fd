package spdx

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/strictjson"
)

// What is appended by hand is what the encoder of package strictjson writes.
func TestAppend(t *testing.T) {
	name, odd := "", "Ünï <c> & \"q\" \\ \n\t\x01\u2028 </text>"
	digest := assay.MustDigest("gitCommit:" + strings.Repeat("a", 40))
	layer := assay.MustDigest("sha256:" + strings.Repeat("b", 64))
	for _, f := range []ComponentFacts{
		{},
		{Name: &name},
		{Source: assay.SourcePackage{Version: "1"}},
		{
			ID: "a b", Type: assay.TypeCrypto, Name: &odd, Version: odd, Supplier: odd, Description: odd, CPEs: []string{odd, "b"},
			Licenses: []assay.License{{Expression: "MIT"}, {Name: odd, Concluded: true}, {}}, Hashes: assay.DigestSet{layer, digest},
			Source: assay.SourcePackage{Name: odd, Version: "1"}, Locations: []assay.Location{{Path: odd}, {Layer: layer, Path: "x"}}, FoundBy: "dpkg", Creator: odd,
			References: []assay.Reference{{Type: assay.RefVCS, URL: odd, Comment: odd, Hashes: assay.DigestSet{layer, digest}}, {Type: assay.RefOther, URL: "u"}},
			Properties: map[string]string{"b": odd, "a": "", odd: "c"},
		},
	} {
		want, err := strictjson.Marshal(&f)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(string(want), string(f.Append(nil))); d != "" {
			t.Error(d)
		}
	}
	doc := &assay.SBOM{Serial: "https://e.example/1", Created: time.Unix(0, 0), Version: 1, Tools: []assay.Tool{{Name: odd}},
		Root: assay.Component{ID: "r", Type: assay.TypeContainer, Name: odd, Licenses: []assay.License{{Name: odd}, {Expression: "LicenseRef-x"}}},
		Components: []assay.Component{
			{ID: "a", Type: assay.TypeFile, Name: "f", Hashes: assay.DigestSet{assay.MustDigest("sha1:" + strings.Repeat("1", 40))}, FoundBy: "x"},
			{ID: "b", Type: assay.TypeLibrary, Name: "b", CPEs: []string{odd}, Supplier: odd, Creator: odd, Hashes: assay.DigestSet{layer},
				References: []assay.Reference{{Type: assay.RefDistribution, URL: "https://e.example/\""}, {Type: assay.RefOther, URL: "x", Comment: odd}, {Type: assay.RefWebsite, URL: "https://e.example/?a&b"}}},
		},
		Relations: []assay.Relation{{From: "r", Kind: assay.Contains, To: "a"}, {From: "r", Kind: assay.RelationKind(odd), To: "b"}},
	}
	for _, as := range []*dialect{inJSON, inTagValue, inJSON.as22(), inTagValue.as22()} {
		d, err := encode(doc, as, func(string, assay.ComponentID, string) {})
		if err != nil {
			t.Fatal(err)
		}
		want, err := strictjson.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(string(want), string(d.append(nil))); d != "" {
			t.Error(d)
		}
		if as.tagValue {
			continue
		}
		streamed, err := Encode(doc, as.old, func(string, assay.ComponentID, string) {})
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(string(want), string(streamed)); d != "" {
			t.Error(d)
		}
	}
}
