package sbom_test

import (
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/sbom"
)

// What is read must be written, and then read as the same SBOM, in every format.
func checkRead(t *testing.T, data []byte) {
	doc, _, err := sbom.ReadReport("fuzz", data)
	if err != nil {
		if _, ok := errors.AsType[*assay.Error](err); !ok {
			t.Fatalf("untyped error %v", err)
		}
		return
	}
	for _, f := range formats {
		again, lost, err := sbom.Encode(doc, f, sbom.EncodeOptions{Created: time.Unix(0, 0)})
		if err != nil {
			t.Fatalf("%s: cannot write what was read: %v\n%s", f, err, data)
		}
		back, err := sbom.Read("again", again)
		if err != nil {
			t.Fatalf("%s: cannot read what was written: %v\n%s", f, err, again)
		}
		want := *doc
		want.Format = back.Format
		for _, l := range lost {
			if l.Field == "created" {
				want.Created = want.Created.Truncate(time.Second)
			}
		}
		if want.Created.IsZero() {
			want.Created = time.Unix(0, 0).UTC()
		}
		want.Serial = back.Serial // one of the other format is replaced
		if f == sbom.CycloneDXXML && slices.ContainsFunc(lost, func(l sbom.Loss) bool { return strings.Contains(l.Reason, "XML does not have all of its characters") }) {
			continue
		}
		if d := cmp.Diff(&want, back, equal); d != "" {
			t.Fatalf("%s (-read +read again):\n%s\n%s\n%s", f, d, data, again)
		}
	}
}

func seedFuzz(f *testing.F, format sbom.Format) {
	f.Add(encode(f, small(f), format))
	for seed := range uint64(6) {
		f.Add(encode(f, rich(f, seed, 3), format))
	}
	dir := os.Getenv("ASSAY_CORPORA")
	ext := map[sbom.Format]string{sbom.CycloneDXJSON: "json", sbom.CycloneDXXML: "xml"}[format]
	if dir == "" || ext == "" {
		return
	}
	files, _ := filepath.Glob(filepath.Join(dir, "cyclonedx-spec", "1.[0-7]", "*."+ext))
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
}

func FuzzReadCycloneDX(f *testing.F) {
	seedFuzz(f, sbom.CycloneDXJSON)
	for _, s := range []string{
		`{"bomFormat":"CycloneDX","specVersion":"1.6"}`,
		`{"bomFormat":"CycloneDX","specVersion":"1.5","version":1,"metadata":{"tools":[{"vendor":"v","name":"n"}]},"components":[{"type":"library","group":"g","name":"a","components":[{"type":"file","name":"b"}]}]}`,
		`{"bomFormat":"CycloneDX","specVersion":"1.6","components":[{"type":"library","bom-ref":"a","name":"a","purl":"pkg:npm/a@1"}],"dependencies":[{"ref":"a","dependsOn":[]}],"compositions":[{"aggregate":"not_specified","assemblies":["a"]}]}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(checkRead)
}

func FuzzReadCycloneDXXML(f *testing.F) {
	seedFuzz(f, sbom.CycloneDXXML)
	const ns = `<bom xmlns="http://cyclonedx.org/schema/bom/`
	for _, s := range []string{
		ns + `1.6"/>`,
		ns + `1.0" version="1"><components><component type="library"><name>a</name><version>1</version><modified>false</modified></component></components></bom>`,
		ns + `1.5" xmlns:x="urn:x" x:a="1" version="1"><components y="2"><component type="library" bom-ref="a"><name>a</name><x:e><b/></x:e></component></components><dependencies><dependency ref="a"><dependency ref="a"><dependency ref="a"/></dependency></dependency></dependencies></bom>`,
		ns + `1.7"><metadata><tools><components><component type="application"><name>t</name></component></components></tools></metadata><components><component type="data" isExternal="true"><name>&#x9;a&amp;<![CDATA[]]></name><versionRange>vers:x/*</versionRange><licenses><license><id>MIT</id></license><expression>MIT OR ISC</expression></licenses></component></components></bom>`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(checkRead)
}

func FuzzReadSPDX(f *testing.F) {
	seedFuzz(f, sbom.SPDXJSON)
	f.Add([]byte(`{"spdxVersion":"SPDX-2.3","dataLicense":"CC0-1.0","SPDXID":"SPDXRef-DOCUMENT","name":"n","creationInfo":{"created":"2026-01-01T00:00:00Z","creators":["Person: a (b@c)"]},"packages":[{"SPDXID":"SPDXRef-a","name":"a","downloadLocation":"NONE","licenseDeclared":"LicenseRef-1","hasFiles":["SPDXRef-f"]}],"files":[{"SPDXID":"SPDXRef-f","fileName":"./f","checksums":[{"algorithm":"SHA1","checksumValue":"da39a3ee5e6b4b0d3255bfef95601890afd80709"}]}],"hasExtractedLicensingInfos":[{"licenseId":"LicenseRef-1","extractedText":"text"}],"documentDescribes":["SPDXRef-a"]}`))
	f.Fuzz(checkRead)
}

func FuzzReadTagValue(f *testing.F) {
	seedFuzz(f, sbom.SPDXTagValue)
	head := "# c\nSPDXVersion: SPDX-2.2\nDataLicense: CC0-1.0\nSPDXID: SPDXRef-DOCUMENT\nDocumentName: n\nDocumentNamespace: https://e.example/1\nCreator: Person: a (b@c)\nCreated: 2026-01-01T00:00:00Z\n"
	for _, s := range []string{
		head + "FileName: ./f\nSPDXID: SPDXRef-f\nFileChecksum: SHA1: da39a3ee5e6b4b0d3255bfef95601890afd80709\nFileCopyrightText: <text>a\n b\r\n</text>\nSnippetSPDXID: SPDXRef-s\nSnippetFromFileSPDXID: SPDXRef-f\nSnippetByteRange: 1:2\n",
		head + "PackageName: p\nSPDXID: SPDXRef-p\nPackageDownloadLocation: NONE\nFilesAnalyzed: true\nPackageVerificationCode: d6a770ba38583ed4bb4525bd96e50461655d2758 (excludes: ./a)\nExternalRef: PACKAGE-MANAGER purl pkg:npm/a@1\nExternalRefComment: c\nFileName: ./f\nSPDXID: SPDXRef-f\nFileChecksum: SHA1: da39a3ee5e6b4b0d3255bfef95601890afd80709\nLicenseID: LicenseRef-1\nExtractedText: <text></text>\nRelationship: SPDXRef-DOCUMENT DESCRIBES SPDXRef-p\nRelationshipComment: x\nAnnotator: Tool: t\nAnnotationDate: 2026-01-01T00:00:00Z\nAnnotationType: OTHER\nSPDXREF: SPDXRef-p\nAnnotationComment: y\nReviewer: Person: r\nReviewDate: 2026-01-01T00:00:00Z\n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(checkRead)
}

func FuzzReadSPDX3(f *testing.F) {
	seedFuzz(f, sbom.SPDX3JSON)
	for _, s := range spdx3Documents {
		f.Add([]byte(s))
	}
	f.Fuzz(checkRead)
}

func FuzzCompare(f *testing.F) {
	f.Add(uint64(1), uint64(2))
	f.Fuzz(func(t *testing.T, x, y uint64) {
		a, b := rich(t, x, 6), rich(t, y, 6)
		if d := sbom.Compare(a, reorder(a, y)); !d.Empty() {
			t.Errorf("an SBOM differs from itself: %v", d)
		}
		d, e := sbom.Compare(a, b), sbom.Compare(reorder(a, y), reorder(b, x))
		if diff := cmp.Diff(d.String(), e.String()); diff != "" {
			t.Errorf("the order matters:\n%s", diff)
		}
		// What is open on one side only is told apart; without such statements both
		// directions tell the same.
		for _, p := range d.Unproven {
			if !p.Claimed {
				t.Errorf("missing and not proven, without a file that no package has: %+v", p)
			}
		}
		a.Completeness, b.Completeness = nil, nil
		d = sbom.Compare(a, b)
		back := sbom.Compare(b, a)
		if len(back.Missing) != len(d.Phantom) || len(back.Phantom) != len(d.Missing) || len(back.Changed) != len(d.Changed) {
			t.Errorf("other counts the other way around:\n%v\n%v", d, back)
		}
	})
}

// reorder shuffles the components only.
func reorder(doc *assay.SBOM, seed uint64) *assay.SBOM {
	out := *doc
	out.Components = slices.Clone(doc.Components)
	mix(rand.New(rand.NewPCG(seed, 3)), out.Components)
	return &out
}
