package sbom_test

import (
	"encoding/json"
	"errors"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/sbom"
)

const (
	spdx3Head = `{"@context":"https://spdx.org/rdf/3.0.1/spdx-context.jsonld","@graph":[
		{"type":"CreationInfo","@id":"_:c","specVersion":"3.0.1","created":"2026-01-02T03:04:05Z","createdBy":["https://e.example/jane"],"createdUsing":["https://e.example/tool"]}`
	spdx3Agents = `,{"type":"Person","spdxId":"https://e.example/jane","creationInfo":"_:c","name":"Jane","externalIdentifier":[{"type":"ExternalIdentifier","externalIdentifierType":"email","identifier":"j@e.example"}]},
		{"type":"Tool","spdxId":"https://e.example/tool","creationInfo":"_:c","name":"gen-1.2"}`
	spdx3Pkg = `,{"type":"software_Package","spdxId":"https://e.example/doc#a","creationInfo":"_:c","name":"a"}`
	spdx3End = `]}`
)

// spdx3Documents are written as other tools write: in another order, with values
// inline and by reference, alone and in lists, with prefixes and IRIs of the model.
var spdx3Documents = []string{
	spdx3Head + `,
	{"type":"Relationship","spdxId":"https://e.example/doc#r1","creationInfo":"_:c","from":"https://e.example/doc#app","relationshipType":"contains","to":["https://e.example/doc#lib","https://e.example/other#x"],"completeness":"complete"},
	{"type":"LifecycleScopedRelationship","spdxId":"https://e.example/doc#r2","creationInfo":"_:c","from":"https://e.example/doc#app","relationshipType":"dependsOn","to":["https://e.example/doc#lib"],"scope":"runtime"},
	{"type":"Relationship","spdxId":"https://e.example/doc#r3","creationInfo":"_:c","from":"https://e.example/doc#lib","relationshipType":"dependsOn","to":["NoneElement"],"completeness":"complete"},
	{"type":"Relationship","spdxId":"https://e.example/doc#r4","creationInfo":"_:c","from":"https://e.example/doc#file","relationshipType":"generates","to":["https://e.example/doc#lib"]},
	{"type":"Relationship","spdxId":"https://e.example/doc#r5","creationInfo":"_:c","from":"https://e.example/doc#lib","relationshipType":"hasDeclaredLicense","to":["https://e.example/doc#mit","https://spdx.org/licenses/ISC"]},
	{"type":"Relationship","spdxId":"https://e.example/doc#r6","creationInfo":"_:c","from":"https://e.example/doc#lib","relationshipType":"hasConcludedLicense","to":["https://e.example/doc#own"]},
	{"type":"simplelicensing_LicenseExpression","spdxId":"https://e.example/doc#mit","creationInfo":"_:c","simplelicensing_licenseExpression":"MIT"},
	{"type":"simplelicensing_LicenseExpression","spdxId":"https://e.example/doc#own","creationInfo":"_:c","simplelicensing_licenseExpression":"LicenseRef-own","simplelicensing_customIdToUri":[{"type":"DictionaryEntry","key":"LicenseRef-own","value":"https://e.example/doc#text"}]},
	{"type":"simplelicensing_SimpleLicensingText","spdxId":"https://e.example/doc#text","creationInfo":"_:c","simplelicensing_licenseText":"do as you like"},
	{"type":"software_File","spdxId":"https://e.example/doc#file","creationInfo":"_:c","name":"main.c","verifiedUsing":[{"type":"Hash","algorithm":"sha1","hashValue":"DA39A3EE5E6B4B0D3255BFEF95601890AFD80709"}],"software_copyrightText":"me"},
	{"type":"software_Package","spdxId":"https://e.example/doc#lib","creationInfo":"_:c","name":"lib","software_packageVersion":"1","suppliedBy":"https://e.example/acme",
		"externalIdentifier":[{"type":"ExternalIdentifier","externalIdentifierType":"packageUrl","identifier":"pkg:npm/lib@1"},{"type":"ExternalIdentifier","externalIdentifierType":"cpe23","identifier":"cpe:2.3:a:x:lib:1:*:*:*:*:*:*:*"},{"type":"ExternalIdentifier","externalIdentifierType":"swid","identifier":"s"}]},
	{"type":"software_Package","spdxId":"https://e.example/doc#app","creationInfo":"_:c","name":"app","software_primaryPurpose":"application","software_packageUrl":"pkg:npm/app@1","software_homePage":"https://e.example"},
	{"type":"ai_EnergyConsumptionDescription","@id":"_:e","ai_energyQuantity":0.0000036,"ai_energyUnit":"kilowattHour"},
	{"type":"security_Vulnerability","spdxId":"https://e.example/doc#v","creationInfo":"_:c","name":"CVE-2026-0001"},
	{"type":"https://e.example/types/Widget","@id":"https://e.example/doc#w","anything":{"goes":[1]}},
	{"type":"Organization","spdxId":"https://e.example/acme","creationInfo":"_:c","name":"Acme"},
	{"type":"software_Sbom","spdxId":"https://e.example/doc#bom","creationInfo":"_:c","rootElement":["https://e.example/doc#app"],"element":["https://e.example/doc#app","https://e.example/doc#lib"],"software_sbomType":["build"]},
	{"type":"SpdxDocument","spdxId":"https://e.example/doc","creationInfo":"_:c","name":"app","rootElement":["https://e.example/doc#bom"],"dataLicense":"https://spdx.org/licenses/CC0-1.0"}` + spdx3Agents + spdx3End,

	`{"@context":["https://spdx.org/rdf/3.0.1/spdx-context.jsonld",{"d":"https://e.example/doc#"}],"@graph":[
	{"@type":"https://spdx.org/rdf/3.0.1/terms/Core/SpdxDocument","@id":"https://e.example/doc","creationInfo":"_:c","rootElement":"d:app","name":"app"},
	{"type":"spdx:Software/Package","spdxId":"d:app","name":"app","software_primaryPurpose":"spdx:Software/SoftwarePurpose/application",
		"creationInfo":{"type":"CreationInfo","@id":"_:c","specVersion":"3.0.1","created":"2026-01-02T03:04:05Z",
			"createdBy":{"type":"Person","spdxId":"https://e.example/jane","creationInfo":"_:c","name":"Jane","externalIdentifier":{"type":"ExternalIdentifier","externalIdentifierType":"email","identifier":"j@e.example"}},
			"createdUsing":{"type":"Tool","spdxId":"https://e.example/tool","creationInfo":"_:c","name":"gen-1.2"}},
		"software_packageUrl":["pkg:npm/app@1"],"verifiedUsing":"_:h"},
	{"type":"Hash","@id":"_:h","algorithm":"https://spdx.org/rdf/3.0.1/terms/Core/HashAlgorithm/sha1","hashValue":"da39a3ee5e6b4b0d3255bfef95601890afd80709"},
	{"type":"Relationship","spdxId":"d:r","creationInfo":"_:c","from":"d:app","relationshipType":"spdx:Core/RelationshipType/dependsOn","to":"https://spdx.org/rdf/3.0.1/terms/Core/NoAssertionElement"}]}`,

	`{"@context":"https://spdx.org/rdf/3.0.0/spdx-context.jsonld","type":"software_Package","spdxId":"https://e.example/a","name":"a",
		"creationInfo":{"type":"CreationInfo","specVersion":"3.0.0","created":"2026-01-02T03:04:05Z","createdBy":["https://e.example/jane"]}}`,
}

func TestForeignSPDX3(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	app := assay.Component{ID: "app", Type: assay.TypeApplication, Name: "app", PURL: purl(t, "pkg:npm/app@1")}
	sited := app
	sited.References = []assay.Reference{{Type: assay.RefWebsite, URL: "https://e.example"}}
	hash := assay.DigestSet{assay.MustDigest("sha1:da39a3ee5e6b4b0d3255bfef95601890afd80709")}
	tools, authors := []assay.Tool{{Name: "gen", Version: "1.2"}}, []string{"Jane <j@e.example>"}
	hashed := app
	hashed.Hashes = hash
	for i, tt := range []struct {
		want *assay.SBOM
		lost []string
	}{
		{&assay.SBOM{Root: sited, Serial: "https://e.example/doc", Version: 1, Created: at, Lifecycle: "build", Tools: tools, Authors: authors, Format: "spdx3-json/3.0.1",
			Components: []assay.Component{
				{ID: "file", Type: assay.TypeFile, Name: "main.c", Hashes: hash},
				{ID: "lib", Type: assay.TypeLibrary, Name: "lib", Version: "1", PURL: purl(t, "pkg:npm/lib@1"), CPEs: []string{"cpe:2.3:a:x:lib:1:*:*:*:*:*:*:*"}, Supplier: "Acme",
					Licenses: []assay.License{{Name: "do as you like", Concluded: true}, {Expression: "ISC"}, {Expression: "MIT"}}},
			},
			Relations:    []assay.Relation{{From: "app", Kind: assay.Contains, To: "lib"}, {From: "app", Kind: assay.DependsOn, To: "lib"}, {From: "lib", Kind: assay.GeneratedFrom, To: "file"}},
			Completeness: []assay.Completeness{{Of: "app", Scope: "components", Aggregate: "complete"}, {Of: "lib", Scope: "dependencies", Aggregate: "complete"}},
		}, []string{" /@graph/14", " /@graph/15", "app /@graph/1/to/1", "app /@graph/2/scope",
			"file /@graph/10/software_copyrightText", "lib /@graph/11/externalIdentifier/2"}},
		{&assay.SBOM{Root: hashed, Serial: "https://e.example/doc", Version: 1, Created: at, Tools: tools, Authors: authors, Format: "spdx3-json/3.0.1",
			Completeness: []assay.Completeness{{Of: "app", Scope: "dependencies", Aggregate: "unknown"}}}, nil},
		{&assay.SBOM{Version: 1, Created: at, Format: "spdx3-json/3.0.0", Components: []assay.Component{{ID: "https://e.example/a", Type: assay.TypeLibrary, Name: "a"}}},
			[]string{" /@graph", " /creationInfo/createdBy/0"}},
	} {
		doc, lost, err := sbom.ReadReport("f", []byte(spdx3Documents[i]))
		if err != nil {
			t.Fatal(err)
		}
		for j := range tt.want.Components {
			sortInside(&tt.want.Components[j])
		}
		if d := cmp.Diff(tt.want, doc, equal); d != "" {
			t.Errorf("%d: %s", i, d)
		}
		var got []string
		for _, l := range lost {
			got = append(got, string(l.Component)+" "+l.Field)
		}
		slices.Sort(got)
		if d := cmp.Diff(tt.lost, got); d != "" {
			t.Errorf("%d: %s\n%v", i, d, lost)
		}
	}
}

func TestRefusedSPDX3(t *testing.T) {
	graph := func(more string) string { return spdx3Head + spdx3Agents + more + spdx3End }
	ours := string(encode(t, small(t), sbom.SPDX3JSON))
	for name, tt := range map[string]struct {
		in   string
		kind error
		says []string
	}{
		"no context":         {`{"@graph":[],"@context":{"a":"https://spdx.org/rdf/"}}`, assay.ErrInvalid, []string{"/@context"}},
		"another context":    {strings.Replace(graph(""), "3.0.1/spdx-context.jsonld", "3.0.1/other.jsonld", 1), assay.ErrInvalid, []string{"/@context", "other.jsonld"}},
		"own terms":          {strings.Replace(graph(""), `"https://spdx.org/rdf/3.0.1/spdx-context.jsonld"`, `["https://spdx.org/rdf/3.0.1/spdx-context.jsonld",{"software_Package":"https://e.example/File"}]`, 1), assay.ErrInvalid, []string{"/@context/1/software_Package"}},
		"later":              {strings.Replace(graph(""), "3.0.1/spdx", "3.1.0/spdx", 1), assay.ErrUnchecked, []string{"3.1.0"}},
		"other version":      {strings.Replace(graph(""), `"specVersion":"3.0.1"`, `"specVersion":"2.3.0"`, 1), assay.ErrInvalid, nil},
		"other member":       {strings.Replace(graph(""), `"@graph"`, `"a":1,"@graph"`, 1), assay.ErrInvalid, []string{"/a"}},
		"no type":            {graph(`,{"spdxId":"https://e.example/x"}`), assay.ErrInvalid, []string{"/@graph/3", "type"}},
		"unknown type":       {graph(`,{"type":"software_Packet","spdxId":"https://e.example/x"}`), assay.ErrInvalid, []string{"/@graph/3/type", "software_Packet"}},
		"abstract type":      {graph(`,{"type":"Artifact","spdxId":"https://e.example/x","creationInfo":"_:c"}`), assay.ErrInvalid, []string{"/@graph/3/type"}},
		"no id":              {graph(`,{"type":"software_Package","creationInfo":"_:c"}`), assay.ErrInvalid, []string{"/@graph/3", "spdxId"}},
		"blank id":           {graph(`,{"type":"software_Package","spdxId":"_:p","creationInfo":"_:c"}`), assay.ErrInvalid, []string{"/@graph/3/spdxId", "_:p"}},
		"id twice":           {graph(spdx3Pkg + spdx3Pkg), assay.ErrInvalid, []string{"/@graph/4/spdxId", "#a"}},
		"unknown property":   {graph(strings.Replace(spdx3Pkg, `"name"`, `"Name"`, 1)), assay.ErrInvalid, []string{"/@graph/3/Name"}},
		"property of others": {graph(strings.Replace(spdx3Pkg, `"name"`, `"contentType"`, 1)), assay.ErrInvalid, []string{"/@graph/3/contentType"}},
		"missing property":   {graph(`,{"type":"Relationship","spdxId":"https://e.example/r","creationInfo":"_:c","from":"https://e.example/a","to":["https://e.example/a"]}`), assay.ErrInvalid, []string{"/@graph/3", "relationshipType"}},
		"empty to":           {graph(`,{"type":"Relationship","spdxId":"https://e.example/r","creationInfo":"_:c","from":"https://e.example/a","relationshipType":"contains","to":[]}`), assay.ErrInvalid, []string{"/@graph/3/to"}},
		"two from":           {graph(`,{"type":"Relationship","spdxId":"https://e.example/r","creationInfo":"_:c","from":["https://e.example/a","https://e.example/b"],"relationshipType":"contains","to":["https://e.example/a"]}`), assay.ErrInvalid, []string{"/@graph/3/from"}},
		"dangling blank":     {graph(strings.Replace(spdx3Pkg, "_:c", "_:d", 1)), assay.ErrInvalid, []string{"/@graph/3/creationInfo", "_:d"}},
		"class of reference": {graph(strings.Replace(spdx3Pkg, `"name"`, `"suppliedBy":"https://e.example/tool","name"`, 1)), assay.ErrInvalid, []string{"/@graph/3/suppliedBy", "Agent"}},
		"class of inline":    {graph(strings.Replace(spdx3Pkg, `"name"`, `"suppliedBy":{"type":"Tool","spdxId":"https://e.example/t2","creationInfo":"_:c"},"name"`, 1)), assay.ErrInvalid, []string{"/@graph/3/suppliedBy/type", "Agent"}},
		"no IRI":             {graph(strings.Replace(spdx3Pkg, `"name"`, `"suppliedBy":"jane","name"`, 1)), assay.ErrInvalid, []string{"/@graph/3/suppliedBy", "jane"}},
		"enumeration":        {graph(strings.Replace(spdx3Pkg, `"name"`, `"software_primaryPurpose":"lib","name"`, 1)), assay.ErrInvalid, []string{"/@graph/3/software_primaryPurpose", "library"}},
		"time":               {graph(strings.Replace(spdx3Pkg, `"name"`, `"builtTime":"2026-01-01","name"`, 1)), assay.ErrInvalid, []string{"/@graph/3/builtTime"}},
		"number as text":     {graph(strings.Replace(spdx3Pkg, `"name":"a"`, `"name":1`, 1)), assay.ErrInvalid, []string{"/@graph/3/name"}},
		"two documents": {graph(`,{"type":"SpdxDocument","spdxId":"https://e.example/1","creationInfo":"_:c"},{"type":"SpdxDocument","spdxId":"https://e.example/2","creationInfo":"_:c"}`),
			assay.ErrInvalid, []string{"/@graph/4", "one SpdxDocument"}},
		"purl":           {graph(strings.Replace(spdx3Pkg, `"name"`, `"software_packageUrl":"npm/a","name"`, 1)), assay.ErrInvalid, []string{"/@graph/3/software_packageUrl", "npm/a"}},
		"hash length":    {graph(strings.Replace(spdx3Pkg, `"name"`, `"verifiedUsing":[{"type":"Hash","algorithm":"sha256","hashValue":"ab"}],"name"`, 1)), assay.ErrInvalid, []string{"/@graph/3/verifiedUsing/0/hashValue"}},
		"member twice":   {graph(strings.Replace(spdx3Pkg, `"name"`, `"name":"b","name"`, 1)), assay.ErrInvalid, []string{"/@graph/3/name"}},
		"trailing data":  {graph("") + "x", assay.ErrInvalid, nil},
		"truncated":      {spdx3Head, assay.ErrInvalid, []string{"/@graph"}},
		"too deep":       {graph(`,{"type":"https://e.example/t","a":` + strings.Repeat("[", 130) + strings.Repeat("]", 130) + `}`), assay.ErrBound, []string{"depth"}},
		"lying type":     {strings.Replace(ours, `\"foundBy\":\"dpkg\"`, `\"type\":\"platform\"`, 1), assay.ErrInvalid, []string{"extension", "type"}},
		"lying name":     {strings.Replace(ours, `\"foundBy\":\"dpkg\"`, `\"name\":\"other\"`, 1), assay.ErrInvalid, []string{"extension"}},
		"unknown fact":   {strings.Replace(ours, `\"foundBy\":\"dpkg\"`, `\"found\":\"dpkg\"`, 1), assay.ErrInvalid, []string{"found"}},
		"lying claims":   {strings.Replace(ours, `\"aggregate\":\"complete\"`, `\"aggregate\":\"incomplete\"`, 1), assay.ErrInvalid, []string{"completeness"}},
		"silent claims":  {strings.Replace(ours, `"completeness":"complete",`, ``, 1), assay.ErrInvalid, []string{"completeness"}},
		"lying creators": {strings.Replace(ours, `assay:document/1","extension_cdxPropValue":"{`, `assay:document/1","extension_cdxPropValue":"{\"creators\":{\"tools\":[{\"name\":\"other\"}],\"authors\":[]},`, 1), assay.ErrInvalid, []string{"creators"}},
	} {
		t.Run(name, func(t *testing.T) {
			doc, err := sbom.Read("f.json", []byte(tt.in))
			if !errors.Is(err, tt.kind) || doc != nil {
				t.Fatalf("got %+v, %v; want %v", doc, err, tt.kind)
			}
			for _, s := range append(tt.says, "f.json") {
				if !strings.Contains(err.Error(), s) {
					t.Errorf("%q does not say %q", err, s)
				}
			}
		})
	}
}

// Documents are changed at random places. What the official schema refuses then, the
// reader must refuse; what it reads must survive a round trip.
func TestSPDX3Mutations(t *testing.T) {
	schema := spdxSchema(t, "3.0.1")
	doc := small(t)
	doc.Components[0].Properties = map[string]string{"a": "b"}
	doc.Components[0].CPEs = []string{"cpe:2.3:a:x:y:1:*:*:*:*:*:*:*"}
	base := encode(t, doc, sbom.SPDX3JSON)
	refused, both, read := 0, 0, 0
	for round := range uint64(150) {
		var v struct {
			Context string `json:"@context"`
			Graph   []any  `json:"@graph"`
		}
		if err := json.Unmarshal(base, &v); err != nil {
			t.Fatal(err)
		}
		r := rand.New(rand.NewPCG(round, 5))
		change(r, v.Graph[r.IntN(len(v.Graph))].(map[string]any))
		data, err := json.Marshal(&v)
		if err != nil {
			t.Fatal(err)
		}
		var generic any
		if err := json.Unmarshal(data, &generic); err != nil {
			t.Fatal(err)
		}
		_, err = sbom.Read("mutated", data)
		invalid := schema.Validate(generic) != nil
		switch {
		case err != nil:
			refused++
			if invalid {
				both++
			}
		case invalid:
			t.Errorf("round %d: read what the schema refuses: %s", round, data)
		default:
			read++
			checkRead(t, data)
		}
	}
	t.Logf("refused %d, of them %d by the schema too; read %d", refused, both, read)
	if both < 40 || read < 20 {
		t.Error("the mutations are not telling")
	}
}

// change alters one member of an object or of one inside of it. It does not make
// lists of single values or the reverse, which the reader takes and the schema not.
func change(r *rand.Rand, o map[string]any) {
	names := slices.Sorted(maps.Keys(o))
	name := names[r.IntN(len(names))]
	if list, ok := o[name].([]any); ok && len(list) > 0 && r.IntN(3) > 0 {
		i := r.IntN(len(list))
		if inner, ok := list[i].(map[string]any); ok {
			change(r, inner)
		} else {
			list[i] = pickOne[any](r, "x", "", 1.0, "https://e.example/x", "_:x", true)
		}
		return
	}
	switch r.IntN(4) {
	case 0:
		delete(o, name)
	case 1:
		o[pickOne(r, "Name", "comment", "software_homePage", "completeness", "scope", "summary")] = pickOne[any](r, "x", "complete", 1.0, nil)
	default:
		if name == "type" { // classes of others, which are IRIs, are read and told as lost
			o[name] = pickOne[any](r, "x", "", 1.0, "Tool", "Hash", "Relationship")
		} else if _, ok := o[name].([]any); !ok {
			o[name] = pickOne[any](r, "", "x", "https://e.example/x", "_:x", 1.0, true, nil, "complete", "library", "2026-01-01T00:00:00Z")
		} else {
			o[name] = []any{}
		}
	}
}

// The graph is flat, canonical and sorted, and every id follows from the contents.
func TestSPDX3Graph(t *testing.T) {
	doc := rich(t, 7, 30)
	var out struct {
		Graph []map[string]any `json:"@graph"`
	}
	data := encode(t, doc, sbom.SPDX3JSON)
	if err := json.Unmarshal(data, &out); err != nil {
		t.Fatal(err)
	}
	again, err := json.Marshal(map[string]any{"@context": "https://spdx.org/rdf/3.0.1/spdx-context.jsonld", "@graph": out.Graph})
	if err != nil {
		t.Fatal(err)
	}
	if unescaped := strings.NewReplacer(`\u003c`, "<", `\u003e`, ">", `\u0026`, "&", `\u2028`, "\u2028").Replace(string(again)); unescaped+"\n" != string(data) {
		t.Error("members are not in the order of their names")
	}
	var sections []string
	last := map[string]string{}
	edges := 0
	for _, e := range out.Graph {
		class, _ := e["type"].(string)
		id, _ := e["spdxId"].(string)
		section := class
		switch class {
		case "software_Package", "software_File":
			section = "component"
		case "Person", "Organization", "Tool", "SoftwareAgent":
			section = "agent"
		}
		if strings.Contains(id, "#/artifact/") {
			section = "artifact"
		}
		if len(sections) == 0 || sections[len(sections)-1] != section {
			sections = append(sections, section)
		}
		if id != "" && id <= last[section] {
			t.Errorf("%s comes after %s", id, last[section])
		}
		last[section] = id
		if class == "Relationship" {
			for _, to := range e["to"].([]any) {
				if kind := e["relationshipType"]; to != "NoneElement" && to != "NoAssertionElement" && kind != "hasDistributionArtifact" && kind != "hasDeclaredLicense" && kind != "hasConcludedLicense" {
					edges++
				}
			}
		}
	}
	if d := cmp.Diff([]string{"CreationInfo", "SpdxDocument", "agent", "simplelicensing_LicenseExpression", "simplelicensing_SimpleLicensingText", "component", "artifact", "Relationship", "software_Sbom"}, sections); d != "" {
		t.Error(d)
	}
	if edges != len(doc.Relations) {
		t.Errorf("%d relations are written, want %d", edges, len(doc.Relations))
	}
}

// What a document of SPDX says beyond the model is written back as long as nothing
// is changed, and told as lost after that.
func TestSPDXIsWrittenBack(t *testing.T) {
	note := `"annotations":[{"annotator":"Person: J","annotationDate":"2026-01-01T00:00:00Z","annotationType":"REVIEW","comment":"seen"}],`
	for f, in := range map[sbom.Format]string{
		sbom.SPDXJSON:  spdx + note + `"packages":[{` + pkgA + `}]}`,
		sbom.SPDX3JSON: spdx3Documents[0],
		sbom.SPDXTagValue: "SPDXVersion: SPDX-2.3\nDataLicense: CC0-1.0\nSPDXID: SPDXRef-DOCUMENT\nDocumentName: a\nDocumentNamespace: https://e.example/1\nCreator: Tool: t\nCreated: 2026-01-01T00:00:00Z\n" +
			"PackageName: a\nSPDXID: SPDXRef-a\nPackageDownloadLocation: https://e.example\nPackageComment: c\n",
		oldSPDXJSON: strings.Replace(spdx, "2.3", "2.2", 1) + note + `"packages":[{` + pkgA + `,"licenseConcluded":"NONE","licenseDeclared":"NOASSERTION","copyrightText":"me"}]}`,
		oldTagValue: "SPDXVersion: SPDX-2.2\nDataLicense: CC0-1.0\nSPDXID: SPDXRef-DOCUMENT\nDocumentName: a\nDocumentNamespace: https://e.example/1\nCreator: Tool: t\nCreated: 2026-01-01T00:00:00Z\n" +
			"PackageName: a\nSPDXID: SPDXRef-a\nPackageDownloadLocation: https://e.example\nPackageLicenseConcluded: MIT\nPackageLicenseDeclared: NONE\nPackageCopyrightText: me\n",
	} {
		doc, lost, err := sbom.ReadReport("f", []byte(in))
		if err != nil || len(lost) == 0 {
			t.Fatal(err, lost)
		}
		data, more, err := sbom.Encode(doc, f, sbom.EncodeOptions{})
		if err != nil || strings.TrimRight(string(data), "\n") != strings.TrimRight(in, "\n") || len(more) != 0 {
			t.Errorf("%s: not what was read: %s, %v, %v", f, data, more, err)
		}
		other := sbom.SPDXJSON
		if f == other {
			other = sbom.SPDX3JSON
		}
		if _, more, err = sbom.Encode(doc, other, sbom.EncodeOptions{}); err != nil || len(more) < len(lost) {
			t.Errorf("%s to %s: %v, %v", f, other, more, err)
		}
		doc.Root.Version, doc.Authors = "2", []string{"Acme"}
		data, more, err = sbom.Encode(doc, f, sbom.EncodeOptions{})
		if err != nil || string(data) == in || len(more) < len(lost) || more[len(more)-1].Field == "" {
			t.Errorf("%s, changed: %s, %v, %v", f, data, more, err)
		}
	}
}
