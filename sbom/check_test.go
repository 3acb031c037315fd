package sbom_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/testimage"
	"github.com/assaykit/assay/sbom"
)

// flawless has no defect under any profile.
func flawless(t testing.TB) *assay.SBOM {
	file := func(id, name string) assay.Component {
		return assay.Component{ID: assay.ComponentID(id), Type: assay.TypeApplication, Name: name, Version: "1", PURL: purl(t, "pkg:generic/"+name+"@1"), Supplier: "Acme <it@acme.example>",
			Licenses: []assay.License{{Expression: "MIT"}, {Expression: "MIT", Concluded: true}}, Hashes: assay.DigestSet{digest(assay.SHA512, 1, 128)},
			References: []assay.Reference{{Type: assay.RefDistribution, URL: "https://acme.example/" + name}, {Type: assay.RefSource, URL: "https://acme.example/src"}},
			Properties: map[string]string{"bsi:component:filename": name, "bsi:component:executable": "executable", "bsi:component:archive": "no archive", "bsi:component:structured": "unstructured"}}
	}
	root := file("root", "image")
	root.Type = assay.TypeContainer
	return &assay.SBOM{
		Root: root, Components: []assay.Component{file("a", "app"), file("b", "lib.so")},
		Relations: []assay.Relation{{From: "a", Kind: assay.DependsOn, To: "b"}, {From: "root", Kind: assay.Contains, To: "a"}},
		Serial:    "urn:uuid:3e671687-395b-41f5-a30f-a58921a69b79", Created: time.Unix(1.7e9, 0), Authors: []string{"Jane <jane@acme.example>"},
		Tools: []assay.Tool{{Name: "assay", Version: "1"}}, Version: 1, Lifecycle: "post-build", Format: "cyclonedx-json/1.6",
		Completeness: []assay.Completeness{{Scope: "components", Aggregate: "complete"}, {Scope: "dependencies", Aggregate: "incomplete"}},
	}
}

func TestCheck(t *testing.T) {
	const ntia, cisa, now, bsi = sbom.NTIA2021, sbom.CISA2025, sbom.CISA2026, sbom.BSI210
	a := func(d *assay.SBOM) *assay.Component { return &d.Components[0] }
	without := func(name string) func(*assay.SBOM) { return func(d *assay.SBOM) { delete(a(d).Properties, name) } }
	with := func(name, value string) func(*assay.SBOM) {
		return func(d *assay.SBOM) { a(d).Properties[name] = value }
	}
	format := func(f string) func(*assay.SBOM) { return func(d *assay.SBOM) { d.Format = f } }
	// Defects are "element/component/field", with "?" where the state is unknown.
	type defects = map[sbom.Profile][]string
	for name, tt := range map[string]struct {
		change func(*assay.SBOM)
		want   defects
	}{
		"flawless":         {func(*assay.SBOM) {}, nil},
		"no supplier":      {func(d *assay.SBOM) { a(d).Supplier = "" }, defects{ntia: {"Supplier Name/a/supplier"}, cisa: {"Software Producer/a/creator"}, now: {"Component Producer/a/creator"}, bsi: {"Component creator/a/creator"}}},
		"no contact":       {func(d *assay.SBOM) { a(d).Supplier = "Acme" }, defects{bsi: {"Component creator/a/creator"}}},
		"creator alone":    {func(d *assay.SBOM) { a(d).Supplier, a(d).Creator = "", "Acme <https://acme.example>" }, nil},
		"creator by name":  {func(d *assay.SBOM) { a(d).Creator = "Acme" }, defects{bsi: {"Component creator/a/creator"}}},
		"no source":        {func(d *assay.SBOM) { a(d).References = a(d).References[:1] }, defects{bsi: {"Source code URI/a/references/source-distribution?"}}},
		"a repository":     {func(d *assay.SBOM) { a(d).References[1].Type = assay.RefVCS }, nil},
		"odd source":       {func(d *assay.SBOM) { a(d).References[1].URL = "the source" }, defects{bsi: {"Source code URI/a/references/source-distribution"}}},
		"no distribution":  {func(d *assay.SBOM) { a(d).References = a(d).References[1:] }, defects{bsi: {"URI of the deployable form of the component/a/references/distribution?"}}},
		"odd distribution": {func(d *assay.SBOM) { a(d).References[0].URL = "there" }, defects{bsi: {"URI of the deployable form of the component/a/references/distribution"}}},
		"odd security.txt": {func(d *assay.SBOM) {
			a(d).References = append(a(d).References, assay.Reference{Type: assay.RefSecurityTxt, URL: "x"})
		},
			defects{bsi: {"URL of the security.txt/a/references/rfc-9116"}}},
		"effective licence":     {with("bsi:component:effectiveLicence", "MIT"), nil},
		"odd effective licence": {with("bsi:component:effectiveLicence", "any"), defects{bsi: {"Effective licence/a/properties/bsi:component:effectiveLicence"}}},
		"as the table names it": {with("bsi:component:effectiveLicense", "any"), defects{bsi: {"Effective licence/a/properties/bsi:component:effectiveLicense"}}},
		"vulnerabilities": {func(d *assay.SBOM) {
			d.Rest = assay.Rest{Format: "cyclonedx-json/1.6", Data: []byte(`{"bomFormat":"CycloneDX","specVersion":"1.6","vulnerabilities":[{"id":"CVE-2026-0001"}]}`)}
		}, defects{bsi: {"No vulnerability information//rest"}}},
		"vulnerabilities of SPDX": {func(d *assay.SBOM) {
			d.Rest = assay.Rest{Format: "spdx3-json/3.0.1", Data: []byte(spdx3Documents[0])}
		}, defects{bsi: {"No vulnerability information//rest"}}},
		"something else": {func(d *assay.SBOM) {
			d.Rest = assay.Rest{Format: "cyclonedx-json/1.6", Data: []byte(`{"bomFormat":"CycloneDX","specVersion":"1.6","services":[{"name":"s"}]}`)}
		}, nil},
		"broken rest":                {func(d *assay.SBOM) { d.Rest = assay.Rest{Format: "cyclonedx-json/1.6", Data: []byte(`{`)} }, defects{bsi: {"No vulnerability information//rest?"}}},
		"no tool version":            {func(d *assay.SBOM) { d.Tools[0].Version = "" }, defects{now: {"SBOM Tool Version//tools"}}},
		"no version of the document": {func(d *assay.SBOM) { d.Version = 0 }, defects{now: {"SBOM Version//version?"}}},
		"hash of the distribution": {func(d *assay.SBOM) {
			a(d).Hashes, a(d).References[0].Hashes = assay.DigestSet{digest(assay.SHA256, 1, 64)}, a(d).Hashes
		}, nil},
		"a URL":               {func(d *assay.SBOM) { a(d).Supplier = "Acme (https://acme.example)" }, nil},
		"no name":             {func(d *assay.SBOM) { a(d).Name = "" }, defects{ntia: {"Component Name/a/name"}, cisa: {"Component Name/a/name"}, now: {"Component Name/a/name"}, bsi: {"Component name/a/name"}}},
		"a name of nothing":   {func(d *assay.SBOM) { a(d).Name = " \t" }, defects{ntia: {"Component Name/a/name"}, cisa: {"Component Name/a/name"}, now: {"Component Name/a/name"}, bsi: {"Component name/a/name"}}},
		"a supplier declined": {func(d *assay.SBOM) { a(d).Supplier = "NOASSERTION" }, defects{ntia: {"Supplier Name/a/supplier"}, cisa: {"Software Producer/a/creator"}, now: {"Component Producer/a/creator"}, bsi: {"Component creator/a/creator"}}},
		"a version declined": {func(d *assay.SBOM) { a(d).Version = "NOASSERTION"; a(d).PURL = purl(t, "pkg:generic/app") },
			defects{ntia: {"Version of the Component/a/version"}, cisa: {"Component Version/a/version"}, now: {"Component Version/a/version"}, bsi: {"Component version/a/version"}}},
		"nobody":              {func(d *assay.SBOM) { d.Authors = []string{" "} }, defects{cisa: {"SBOM Author//authors"}, now: {"SBOM Author//authors"}, bsi: {"Creator of the SBOM//authors"}}},
		"version of the purl": {func(d *assay.SBOM) { a(d).Version = "" }, nil},
		"no version": {func(d *assay.SBOM) { a(d).Version = ""; a(d).PURL = purl(t, "pkg:generic/app") },
			defects{ntia: {"Version of the Component/a/version"}, cisa: {"Component Version/a/version"}, now: {"Component Version/a/version"}, bsi: {"Component version/a/version"}}},
		"no identifier": {func(d *assay.SBOM) { a(d).PURL = assay.PURL{} },
			defects{ntia: {"Other Unique Identifiers/a/purl?"}, cisa: {"Software Identifiers/a/purl"}, now: {"Component Identifiers/a/purl"}, bsi: {"Other unique identifiers/a/purl?"}}},
		"CPE": {func(d *assay.SBOM) { a(d).PURL = assay.PURL{}; a(d).CPEs = []string{"cpe:/a:acme:app:1"} }, nil},
		"alone": {func(d *assay.SBOM) { d.Relations = []assay.Relation{{From: "root", Kind: assay.Contains, To: "a"}} },
			defects{ntia: {"Dependency Relationship/b/relations"}, cisa: {"Dependency Relationship/b/relations"}, now: {"Component Dependency Relationship/b/relations"}, bsi: {"Dependencies on other components/b/relations"}}},
		"root alone": {func(d *assay.SBOM) { d.Relations = d.Relations[:1] },
			defects{ntia: {"Depth//relations", "Dependency Relationship/root/relations"}, cisa: {"Dependency Relationship/root/relations"}, now: {"Component Dependency Relationship/root/relations"}, bsi: {"Dependencies on other components/root/relations"}}},
		"no root": {func(d *assay.SBOM) { d.Root = assay.Component{}; d.Relations = d.Relations[:1] },
			defects{ntia: {"Dependency Relationship//root"}, cisa: {"Dependency Relationship//root"}, now: {"Component Dependency Relationship//root"}, bsi: {"Dependencies on other components//root"}}},
		"no author":              {func(d *assay.SBOM) { d.Authors = nil }, defects{cisa: {"SBOM Author//authors"}, now: {"SBOM Author//authors"}, bsi: {"Creator of the SBOM//authors"}}},
		"author without contact": {func(d *assay.SBOM) { d.Authors = []string{"Jane"} }, defects{bsi: {"Creator of the SBOM//authors"}}},
		"neither author nor tool": {func(d *assay.SBOM) { d.Authors, d.Tools = nil, []assay.Tool{{Vendor: "x"}} },
			defects{ntia: {"Author of SBOM Data//authors"}, cisa: {"SBOM Author//authors", "Tool Name//tools"}, now: {"SBOM Author//authors", "SBOM Tool Name//tools", "SBOM Tool Version//tools"}, bsi: {"Creator of the SBOM//authors"}}},
		"no tool":        {func(d *assay.SBOM) { d.Tools = nil }, defects{cisa: {"Tool Name//tools"}, now: {"SBOM Tool Name//tools", "SBOM Tool Version//tools"}}},
		"no time":        {func(d *assay.SBOM) { d.Created = time.Time{} }, defects{ntia: {"Timestamp//created"}, cisa: {"Timestamp//created"}, now: {"SBOM Timestamp//created"}, bsi: {"Timestamp//created"}}},
		"in no document": {format(""), defects{ntia: {"Automation Support//format?"}, cisa: {"Automation Support//format?"}, now: {"Machine-Processable Data//format?", "SBOM Data Format Name//format?", "SBOM Data Format Version//format?"}, bsi: {"SBOM format//format?"}}},
		"CycloneDX 1.5":  {format("cyclonedx-json/1.5"), defects{bsi: {"SBOM format//format"}}},
		"CycloneDX 1.10": {format("cyclonedx-xml/1.10"), nil},
		"SPDX 2.3":       {format("spdx-json/2.3"), defects{bsi: {"SBOM format//format"}}},
		"SPDX 3.0":       {format("spdx3-json/3.0.0"), defects{bsi: {"SBOM format//format"}}},
		"SPDX 3.0.1":     {format("spdx3-json/3.0.1"), nil},
		"SPDX tag-value": {format("spdx-tag-value/3.0.1"), defects{bsi: {"SBOM format//format"}}},
		"another format": {format("swid/1"), defects{ntia: {"Automation Support//format?"}, cisa: {"Automation Support//format?"}, now: {"Machine-Processable Data//format?"}, bsi: {"SBOM format//format"}}},
		"no dependencies stated": {func(d *assay.SBOM) { d.Completeness = d.Completeness[:1] },
			defects{ntia: {"Known Unknowns//completeness"}, cisa: {"Known Unknowns//completeness"}, now: {"Explicitly Identifying Unknown Information//completeness"},
				bsi: {"Dependencies on other components/a/completeness", "Dependencies on other components/b/completeness"}}},
		"dependencies of one stated": {func(d *assay.SBOM) {
			d.Completeness[1] = assay.Completeness{Of: "a", Scope: "dependencies", Aggregate: "unknown"}
		}, defects{bsi: {"Dependencies on other components/b/completeness"}}},
		"only of the components of one stated": {func(d *assay.SBOM) {
			d.Completeness = []assay.Completeness{{Of: "a", Scope: "components", Aggregate: "unknown"}, {Of: "b", Scope: "dependencies", Aggregate: "unknown"}}
		}, defects{cisa: {"Coverage//completeness?"}, now: {"Coverage//completeness?"}, bsi: {"Level of detail//completeness?", "Dependencies on other components/root/completeness"}}},
		"dependencies of an ecosystem stated": {func(d *assay.SBOM) {
			d.Completeness[1] = assay.Completeness{Scope: "dependencies:generic", Aggregate: "unknown"}
		}, nil},
		"components unknown": {func(d *assay.SBOM) { d.Completeness[0].Aggregate = "unknown" },
			defects{cisa: {"Coverage//completeness?"}, now: {"Coverage//completeness?"}, bsi: {"Level of detail//completeness?"}}},
		"components incomplete": {func(d *assay.SBOM) { d.Completeness[0].Aggregate = "incomplete" },
			defects{cisa: {"Coverage//completeness"}, now: {"Coverage//completeness"}, bsi: {"Level of detail//completeness"}}},
		"no hash": {func(d *assay.SBOM) { a(d).Hashes = nil },
			defects{cisa: {"Component Hash/a/hashes"}, now: {"Component Hash Value/a/hashes", "Component Hash Algorithm/a/hashes?"}, bsi: {"Hash value of the deployable component/a/references/distribution"}}},
		"SHA-256": {func(d *assay.SBOM) { a(d).Hashes = assay.DigestSet{digest(assay.SHA256, 1, 64)} },
			defects{bsi: {"Hash value of the deployable component/a/references/distribution"}}},
		"MD5": {func(d *assay.SBOM) { a(d).Hashes = assay.DigestSet{digest(assay.MD5, 1, 32)} },
			defects{cisa: {"Component Hash/a/hashes?"}, now: {"Component Hash Algorithm/a/hashes?"}, bsi: {"Hash value of the deployable component/a/references/distribution"}}},
		"no license": {func(d *assay.SBOM) { a(d).Licenses = nil },
			defects{cisa: {"License/a/licenses?"}, now: {"Component License/a/licenses?"}, bsi: {"Distribution licences/a/licenses", "Original licences/a/licenses?"}}},
		"declared alone":  {func(d *assay.SBOM) { a(d).Licenses = a(d).Licenses[:1] }, defects{bsi: {"Distribution licences/a/licenses"}}},
		"concluded alone": {func(d *assay.SBOM) { a(d).Licenses = a(d).Licenses[1:] }, defects{bsi: {"Original licences/a/licenses?"}}},
		"named declared":  {func(d *assay.SBOM) { a(d).Licenses[0] = assay.License{Name: "Acme 1"} }, defects{bsi: {"Original licences/a/licenses"}}},
		"named concluded": {func(d *assay.SBOM) { a(d).Licenses[1] = assay.License{Name: "Acme 1", Concluded: true} }, defects{bsi: {"Distribution licences/a/licenses"}}},
		"LicenseRef":      {func(d *assay.SBOM) { a(d).Licenses[1].Expression = "LicenseRef-acme-1 OR MIT" }, nil},
		"no lifecycle":    {func(d *assay.SBOM) { d.Lifecycle = "" }, defects{cisa: {"Generation Context//lifecycle"}, now: {"SBOM Generation Context//lifecycle"}}},
		"own lifecycle":   {func(d *assay.SBOM) { d.Lifecycle = "mine" }, defects{cisa: {"Generation Context//lifecycle?"}, now: {"SBOM Generation Context//lifecycle?"}}},
		"no filename":     {without("bsi:component:filename"), defects{bsi: {"Filename of the component/a/properties/bsi:component:filename"}}},
		"a path":          {with("bsi:component:filename", "usr/app"), defects{bsi: {"Filename of the component/a/properties/bsi:component:filename"}}},
		"not executable":  {with("bsi:component:executable", "non-executable"), nil},
		"no executable":   {without("bsi:component:executable"), defects{bsi: {"Executable property/a/properties/bsi:component:executable"}}},
		"odd archive":     {with("bsi:component:archive", "maybe"), defects{bsi: {"Archive property/a/properties/bsi:component:archive"}}},
		"no structured":   {without("bsi:component:structured"), defects{bsi: {"Structured property/a/properties/bsi:component:structured"}}},
		"logical": {func(d *assay.SBOM) { a(d).Type, a(d).Properties, a(d).Hashes = assay.TypeOperatingSystem, nil, nil },
			defects{cisa: {"Component Hash/a/hashes"}, now: {"Component Hash Value/a/hashes", "Component Hash Algorithm/a/hashes?"}}},
		"no serial":  {func(d *assay.SBOM) { d.Serial = "" }, defects{bsi: {"SBOM-URI//serial?"}}},
		"odd serial": {func(d *assay.SBOM) { d.Serial = "no uri" }, defects{bsi: {"SBOM-URI//serial"}}},
	} {
		t.Run(name, func(t *testing.T) {
			for _, p := range sbom.Profiles() {
				doc := flawless(t)
				tt.change(doc)
				got := check(t, doc, p)
				want := slices.Sorted(slices.Values(tt.want[p]))
				if d := cmp.Diff(want, got); d != "" {
					t.Errorf("%s: %s", p, d)
				}
			}
		})
	}
}

func check(t testing.TB, doc *assay.SBOM, p sbom.Profile) []string {
	t.Helper()
	found, err := sbom.Check(doc, p)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, d := range found {
		s := d.Element + "/" + string(d.Component) + "/" + d.Field
		if d.State == assay.Unknown {
			s += "?"
		} else if d.State != assay.Refuted {
			t.Errorf("state %v of %v", d.State, d)
		}
		if d.Profile != p || d.Section == "" || d.Missing == "" || !strings.Contains(d.String(), d.Section) || !strings.Contains(d.String(), d.Missing) {
			t.Errorf("unclear: %v", d)
		}
		out = append(out, s)
	}
	slices.Sort(out)
	return out
}

// Every element is decided by a rule that TestCheck breaks, or says why it is not.
func TestProfileElements(t *testing.T) {
	empty := &assay.SBOM{Components: []assay.Component{{ID: "a", Licenses: []assay.License{{Name: "x"}}}, {ID: "b"}}, Serial: "no uri",
		Rest: assay.Rest{Format: "cyclonedx-json/1.6", Data: []byte("{")}}
	empty.Components[0].Properties = map[string]string{"bsi:component:effectiveLicence": "x"}
	empty.Components[0].References = []assay.Reference{{Type: assay.RefSecurityTxt, URL: "x"}}
	for _, p := range sbom.Profiles() {
		broken := make(map[string]bool)
		for _, doc := range []*assay.SBOM{empty, {Root: assay.Component{ID: "r"}, Components: empty.Components}} {
			found, err := sbom.Check(doc, p)
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range found {
				broken[d.Element] = true
			}
		}
		seen := make(map[string]bool)
		for _, e := range p.Elements() {
			if seen[e.Name] {
				t.Errorf("%s: %s twice", p, e.Name)
			}
			seen[e.Name] = true
			if broken[e.Name] == (e.Undecided != "") || e.Section == "" {
				t.Errorf("%s: %s in %q: broken %v, undecided %q", p, e.Name, e.Section, broken[e.Name], e.Undecided)
			}
		}
	}
	if sbom.Profile("x").Elements() != nil {
		t.Error("elements of an unknown profile")
	}
}

func TestCheckInvalid(t *testing.T) {
	for name, doc := range map[string]*assay.SBOM{
		"same id":      {Components: []assay.Component{{ID: "a"}, {ID: "a"}}},
		"no id":        {Components: []assay.Component{{Name: "a"}}},
		"edge to none": {Components: []assay.Component{{ID: "a"}}, Relations: []assay.Relation{{From: "a", Kind: assay.DependsOn, To: "b"}}},
	} {
		if _, err := sbom.Check(doc, sbom.NTIA2021); !errors.Is(err, assay.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := sbom.Check(flawless(t), "iso"); !errors.Is(err, assay.ErrInvalid) || !strings.Contains(err.Error(), `"iso"`) || !strings.Contains(err.Error(), "ntia-2021") {
		t.Error(err)
	}
	if p, err := sbom.ParseProfile("ntia-2021"); p != sbom.NTIA2021 || err != nil {
		t.Error(p, err)
	}
}

// What is written and read again has the same defects.
func TestCheckAfterReading(t *testing.T) {
	doc := flawless(t)
	read, err := sbom.Read("x", encode(t, doc, sbom.CycloneDXJSON))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range sbom.Profiles() {
		if got := check(t, read, p); got != nil {
			t.Errorf("%s: %v", p, got)
		}
	}
}

// What our own documents lack is known, element by element, so that none is lost
// unseen.
func TestCheckScan(t *testing.T) {
	c, err := sbom.Scan(context.Background(), testimage.New(t, layersOf([]file{
		{Name: "etc/os-release", Body: osRelease}, dpkgStatus("a 1 Depends: b", "b 1"),
		{Name: "usr/share/doc/a/copyright", Body: "Format: copyright-format/1.0\n\nFiles: *\nLicense: Expat\n"},
		{Name: "usr/share/doc/b/copyright", Body: "Format: copyright-format/1.0\n\nFiles: *\nLicense: Expat\n"},
		{Name: "app/node_modules/ms/package.json", Body: `{"name":"ms","version":"2.1.3","license":"MIT"}`},
	})...), sbom.Options{Repository: "registry.example/app", Authors: []string{"Acme <it@acme.example>"}})
	if err != nil {
		t.Fatal(err)
	}
	doc, err := sbom.Read("x", encode(t, c.SBOM, sbom.CycloneDXJSON))
	if err != nil {
		t.Fatal(err)
	}
	got := make(map[string]string)
	for _, p := range sbom.Profiles() {
		lack := make(map[string]map[string]bool)
		found, err := sbom.Check(doc, p)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range found {
			what := "document"
			if c, ok := doc.Component(d.Component); ok && d.Component != "" {
				what = string(c.Type)
				if t := c.PURL.Type(); t != "" {
					what = t
				}
			}
			if lack[d.Element] == nil {
				lack[d.Element] = make(map[string]bool)
			}
			lack[d.Element][what] = true
		}
		var all []string
		for _, e := range p.Elements() {
			if lack[e.Name] != nil {
				all = append(all, fmt.Sprint(e.Name, " ", slices.Sorted(maps.Keys(lack[e.Name]))))
			}
		}
		got[string(p)] = strings.Join(all, "\n")
	}
	want := map[string]string{
		"ntia-2021":       "Supplier Name [npm oci operating-system]",
		"cisa-2025-draft": "Software Producer [npm oci operating-system]\nComponent Hash [deb npm operating-system]\nLicense [oci operating-system]\nCoverage [document]",
		"cisa-2026": "SBOM Tool Version [document]\nComponent Producer [npm oci operating-system]\nComponent Hash Value [deb npm operating-system]\n" +
			"Component Hash Algorithm [deb npm operating-system]\nComponent License [oci operating-system]\nCoverage [document]",
		"bsi-tr-03183-2-2.1.0": "Level of detail [document]\nComponent creator [npm oci operating-system]\nFilename of the component [deb npm]\n" +
			"Distribution licences [deb npm oci operating-system]\nHash value of the deployable component [deb npm]\n" +
			"Executable property [deb npm]\nArchive property [deb npm]\nStructured property [deb npm]\nSource code URI [deb npm]\n" +
			"URI of the deployable form of the component [deb npm]\nOriginal licences [oci operating-system]",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}
