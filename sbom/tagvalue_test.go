package sbom_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/sbom"
)

const (
	tagHead = "SPDXVersion: SPDX-2.3\nDataLicense: CC0-1.0\nSPDXID: SPDXRef-DOCUMENT\nDocumentName: n\nDocumentNamespace: https://e.example/1\nCreator: Tool: t\nCreated: 2026-01-01T00:00:00Z\n"
	tagPkg  = "PackageName: a\nSPDXID: SPDXRef-a\nPackageDownloadLocation: NONE\n"
	tagFile = "FileName: ./f\nSPDXID: SPDXRef-f\nFileChecksum: SHA1: da39a3ee5e6b4b0d3255bfef95601890afd80709\n"
)

func TestTagValue(t *testing.T) {
	in := "# a comment\n\n" + strings.ReplaceAll(tagHead, "\n", "\r\n") + tagPkg +
		"PackageDescription: <text>two\n\n  lines: and # no comment</text>\n" + "  ExternalRef: SECURITY cpe23Type cpe:2.3:a:x:a:1:*:*:*:*:*:*:*\nPrimaryPackagePurpose: OPERATING-SYSTEM\n" + tagFile +
		"LicenseConcluded: MIT\nRelationship: SPDXRef-DOCUMENT DESCRIBES SPDXRef-a\nRelationship: SPDXRef-f GENERATED_FROM SPDXRef-a\nRelationshipComment: <text>why</text>\n" +
		"Annotator: Person: J\nAnnotationDate: 2026-01-01T00:00:00Z\nAnnotationType: OTHER\nSPDXREF: SPDXRef-f\nAnnotationComment: seen\n"
	doc, lost, err := sbom.ReadReport("f.spdx", []byte(in))
	if err != nil {
		t.Fatal(err)
	}
	want := &assay.SBOM{Serial: "https://e.example/1", Version: 1, Created: doc.Created, Tools: []assay.Tool{{Name: "t"}}, Format: "spdx-tag-value/2.3",
		Root: assay.Component{ID: "a", Type: assay.TypeOperatingSystem, Name: "a", Description: "two\n\n  lines: and # no comment", CPEs: []string{"cpe:2.3:a:x:a:1:*:*:*:*:*:*:*"}},
		Components: []assay.Component{{ID: "f", Type: assay.TypeFile, Name: "./f", Licenses: []assay.License{{Expression: "MIT", Concluded: true}},
			Hashes: assay.DigestSet{assay.MustDigest("sha1:da39a3ee5e6b4b0d3255bfef95601890afd80709")}}},
		Relations: []assay.Relation{{From: "a", Kind: assay.Contains, To: "f"}, {From: "f", Kind: assay.GeneratedFrom, To: "a"}},
	}
	if d := cmp.Diff(want, doc, equal); d != "" {
		t.Error(d)
	}
	var got []string
	for _, l := range lost {
		got = append(got, string(l.Component)+" "+l.Field)
	}
	if d := cmp.Diff([]string{"f line 25 (/files/0/annotations/0)", " line 24 (/relationships/1/comment)", " line 6 (/name)"}, got); d != "" {
		t.Error(d)
	}
}

func TestRefusedTagValue(t *testing.T) {
	for name, tt := range map[string]struct {
		in   string
		says []string
	}{
		"first tag":             {strings.Replace(tagHead, "SPDXVersion: SPDX-2.3\n", "", 1) + "SPDXVersion: SPDX-2.3\n", nil},
		"no colon":              {tagHead + "PackageName\n", []string{"line 8", "PackageName"}},
		"unknown tag":           {tagHead + tagPkg + "PackageColor: red\n", []string{"line 11", "PackageColor", "package information"}},
		"tag of another place":  {tagHead + tagPkg + "FileType: SOURCE\n", []string{"line 11", "FileType"}},
		"document tag later":    {tagHead + tagPkg + "Created: 2026-01-01T00:00:00Z\n", []string{"line 11", "Created"}},
		"tag twice":             {tagHead + tagPkg + "PackageVersion: 1\nPackageVersion: 2\n", []string{"line 12", "once"}},
		"package after license": {tagHead + "LicenseID: LicenseRef-1\nExtractedText: <text>a</text>\n" + tagPkg, []string{"line 10", "PackageName"}},
		"open text":             {tagHead + tagPkg + "PackageComment: <text>a\nb\n", []string{"line 11", "</text>"}},
		"text in the middle":    {tagHead + tagPkg + "PackageComment: a <text>b</text>\n", []string{"line 11", "<text>"}},
		"after text":            {tagHead + tagPkg + "PackageComment: <text>a\nb</text> c\n", []string{"line 12", "nothing after"}},
		"lines in a name":       {tagHead + "PackageName: <text>a\nb</text>\n", []string{"line 8", "one line"}},
		"not UTF-8":             {tagHead + "PackageName: a\xff\n", []string{"line 8", "UTF-8"}},
		"control character":     {tagHead + "PackageName: a\x00b\n", []string{"line 8", "control"}},
		"no name":               {tagHead + "PackageName: a\nSPDXID: SPDXRef-a\n", []string{"line 8", "downloadLocation"}},
		"SPDXID":                {tagHead + strings.Replace(tagPkg, "SPDXRef-a", "a", 1), []string{"line 9", "SPDXRef-"}},
		"SPDXID twice":          {tagHead + tagPkg + tagPkg, []string{"line 12", "SPDXRef-a", "unique"}},
		"dangling":              {tagHead + tagPkg + "Relationship: SPDXRef-a CONTAINS SPDXRef-b\n", []string{"line 11", "SPDXRef-b"}},
		"relationship":          {tagHead + tagPkg + "Relationship: SPDXRef-a CONTAINS\n", []string{"line 11", "a type and an element"}},
		"relationship type":     {tagHead + tagPkg + "Relationship: SPDXRef-a HAS SPDXRef-a\n", []string{"line 11", "HAS"}},
		"comment of nothing":    {tagHead + "RelationshipComment: a\n", []string{"line 8"}},
		"annotation of nothing": {tagHead + "AnnotationComment: a\n", []string{"line 8"}},
		"annotation of nobody":  {tagHead + "Annotator: Tool: t\nAnnotationDate: 2026-01-01T00:00:00Z\nAnnotationType: OTHER\nSPDXREF: SPDXRef-x\nAnnotationComment: a\n", []string{"line 8", "SPDXRef-x"}},
		"annotation of two":     {tagHead + tagPkg + "Annotator: Tool: t\nSPDXREF: SPDXRef-a\nSPDXREF: SPDXRef-a\n", []string{"line 13"}},
		"checksum":              {tagHead + tagPkg + "PackageChecksum: SHA256\n", []string{"line 11", "SHA256"}},
		"digest":                {tagHead + tagPkg + "PackageChecksum: SHA256: ab\n", []string{"line 11", `"ab"`}},
		"external reference":    {tagHead + tagPkg + "ExternalRef: OTHER x\n", []string{"line 11"}},
		"purl":                  {tagHead + tagPkg + "ExternalRef: PACKAGE-MANAGER purl npm/a\n", []string{"line 11", "npm/a"}},
		"reference comment":     {tagHead + tagPkg + "ExternalRefComment: a\n", []string{"line 11"}},
		"files analyzed":        {tagHead + tagPkg + "FilesAnalyzed: maybe\n", []string{"line 11", "maybe"}},
		"creator":               {strings.Replace(tagHead, "Tool: t", "t", 1), []string{"line 6", "Person:"}},
		"created":               {strings.Replace(tagHead, "2026-01-01T", "2026-01-01 ", 1), []string{"line 7"}},
		"data license":          {strings.Replace(tagHead, "CC0-1.0", "MIT", 1), []string{"line 2", "MIT"}},
		"lying version":         {tagHead + tagPkg + "PackageVersion: 1\nAnnotator: Tool: assay\nAnnotationDate: 2026-01-01T00:00:00Z\nAnnotationType: OTHER\nSPDXREF: SPDXRef-a\nAnnotationComment: <text>assay:component/1 {\"version\":\"2\"}</text>\n", []string{"line 12", "version"}},
	} {
		t.Run(name, func(t *testing.T) {
			doc, err := sbom.Read("f.spdx", []byte(tt.in))
			if !errors.Is(err, assay.ErrInvalid) || doc != nil {
				t.Fatalf("got %+v, %v", doc, err)
			}
			for _, s := range append(tt.says, "f.spdx") {
				if !strings.Contains(err.Error(), s) {
					t.Errorf("%q does not say %q", err, s)
				}
			}
		})
	}
}
