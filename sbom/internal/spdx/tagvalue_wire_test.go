package spdx

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/assaykit/assay"
)

// tagWireDiffers says what the reader into the wire types takes other than those that it
// stands for do one after the other, and whether it takes the document.
func tagWireDiffers(data []byte) (differs string, taken bool) {
	got, ok := readTagWire("test", data)
	if !ok {
		return "", false
	}
	r := newTagReader("test", data)
	if err := r.read(); err != nil {
		return err.Error(), true
	}
	want, err := check("test", r.whole(), inTagValue)
	if err != nil {
		return err.Error(), true
	}
	return cmp.Diff(want.doc, got.doc, cmpopts.EquateEmpty()) + cmp.Diff(want.lost, got.lost, cmp.AllowUnexported(lost{})) +
		cmp.Diff(want.defined, got.defined) + cmp.Diff(want.version, got.version), true
}

func tagValueSample() *assay.SBOM {
	layer := assay.MustDigest("sha256:" + strings.Repeat("b", 64))
	purl, _ := assay.ParsePURL("pkg:deb/debian/b@1")
	return &assay.SBOM{Serial: "https://e.example/1", Created: time.Unix(0, 0), Version: 1, Tools: []assay.Tool{{Name: "assay"}}, Layers: []assay.Digest{layer},
		Root: assay.Component{ID: "r", Type: assay.TypeContainer, Name: "r", Licenses: []assay.License{{Name: "a license"}, {Expression: "LicenseRef-x"}}},
		Components: []assay.Component{
			{ID: "a", Type: assay.TypeFile, Name: "f", Hashes: assay.DigestSet{assay.MustDigest("sha1:" + strings.Repeat("1", 40))}, FoundBy: "x"},
			{ID: "b", Type: assay.TypeLibrary, Name: "b", Version: "1", PURL: purl, CPEs: []string{"cpe:/b"}, Supplier: "Acme <a@e.example>", Creator: "Jane", Description: "two\nlines", Hashes: assay.DigestSet{layer},
				Locations: []assay.Location{{Layer: layer, Path: "x"}}, References: []assay.Reference{{Type: assay.RefDistribution, URL: "https://e.example/d"}, {Type: assay.RefOther, URL: "x", Comment: "why"}}},
		},
		Relations:    []assay.Relation{{From: "r", Kind: assay.Contains, To: "a"}, {From: "r", Kind: "odd kind", To: "b"}},
		Completeness: []assay.Completeness{{Scope: "components", Aggregate: "complete"}},
	}
}

func tagValue(t testing.TB, old bool) []byte {
	t.Helper()
	data, err := EncodeTagValue(tagValueSample(), old, func(string, assay.ComponentID, string) {})
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// What is written is read at once; whatever is not known or wrong is left.
func TestTagValueAtOnce(t *testing.T) {
	for _, old := range []bool{false, true} {
		data := string(tagValue(t, old))
		change := func(from, to string) string {
			if !strings.Contains(data, from) {
				t.Fatalf("no %q in\n%s", from, data)
			}
			return strings.Replace(data, from, to, 1)
		}
		for name, tt := range map[string]struct {
			in    string
			taken bool
		}{
			"as written":           {data, true},
			"carriage returns":     {strings.ReplaceAll(data, "\n", "\r\n"), true},
			"comments":             {"# a comment\n" + strings.ReplaceAll(data, "\nPackageName", "\n# another\nPackageName"), true},
			"lost texts":           {change("FilesAnalyzed: false\n", "FilesAnalyzed: false\nPackageComment: <text>a\nb</text>\nPackageSummary: s\nPackageAttributionText: a\nPackageAttributionText: b\n"), true},
			"lost of the document": {change("Created: ", "LicenseListVersion: 3.19\nDocumentComment: c\nCreatorComment: d\nCreated: "), true},
			"lost of a file":       {change("FileCopyrightText", "FileType: SOURCE\nFileComment: c\nFileCopyrightText"), true},
			"type of a file":       {change("FileCopyrightText", "FileType: ODD\nFileCopyrightText"), false},
			"other annotation":     {data + "\nAnnotator: Person: Jane\nAnnotationDate: 2026-01-01T00:00:00Z\nAnnotationType: REVIEW\nAnnotationComment: c\nSPDXREF: SPDXRef-b\n", true},
			"annotation of none":   {data + "\nAnnotator: Person: Jane\nAnnotationDate: 2026-01-01T00:00:00Z\nAnnotationType: REVIEW\nAnnotationComment: c\nSPDXREF: SPDXRef-c\n", false},
			"annotation cut":       {data + "\nAnnotator: Person: Jane\n", false},
			"version":              {change("SPDXVersion: SPDX-2.", "SPDXVersion: SPDX-1."), false},
			"a tag twice":          {change("PackageVersion: 1\n", "PackageVersion: 1\nPackageVersion: 2\n"), false},
			"an unknown tag":       {change("PackageVersion: 1\n", "PackageVersions: 1\n"), false},
			"two lines":            {change("PackageVersion: 1\n", "PackageVersion: <text>1\n2</text>\n"), false},
			"no name space":        {change("DocumentNamespace: https://e.example/1\n", "DocumentNamespace: none\n"), false},
			"no creators":          {change("Creator: Tool: assay\n", ""), false},
			"no location":          {strings.Replace(data, "PackageDownloadLocation: https://e.example/d\n", "", 1), false},
			"id twice":             {change("SPDXID: SPDXRef-b\n", "SPDXID: SPDXRef-a\n"), false},
			"id":                   {change("SPDXID: SPDXRef-b\n", "SPDXID: SPDXRef-b c\n"), false},
			"checksum":             {change("SHA256: ", "SHA256: x"), false},
			"relationship":         {change(" CONTAINS ", " HOLDS "), false},
			"order":                {data + "\nPackageName: x\nSPDXID: SPDXRef-z\nPackageDownloadLocation: NONE\n", false},
			"review":               {data + "\nReviewer: Person: Jane\nReviewDate: 2026-01-01T00:00:00Z\n", false},
			"control character":    {change("PackageVersion: 1", "PackageVersion: \x01"), false},
			"not UTF-8":            {change("PackageVersion: 1", "PackageVersion: \xff"), false},
			"files of a package":   {change("\nLicenseID", "\nFileName: g\nSPDXID: SPDXRef-g\nFileChecksum: SHA1: "+strings.Repeat("2", 40)+"\nLicenseConcluded: NONE\nLicenseInfoInFile: NONE\nFileCopyrightText: NONE\n\nLicenseID"), true},
		} {
			if d, taken := tagWireDiffers([]byte(tt.in)); d != "" || taken != tt.taken {
				t.Errorf("2.2 %t: %s: read at once: %t, want %t %s", old, name, taken, tt.taken, d)
			}
		}
	}
}

// Lines are those of the document, whichever way it was read.
func TestTagValueLines(t *testing.T) {
	data := bytes.Replace(tagValue(t, false), []byte("FilesAnalyzed: false\n"), []byte("FilesAnalyzed: false\nPackageComment: c\n"), 1)
	var told []string
	if _, err := DecodeTagValue("f.spdx", data, func(field string, id assay.ComponentID, reason string) { told = append(told, field) }); err != nil {
		t.Fatal(err)
	}
	line := 1 + bytes.Count(data[:bytes.Index(data, []byte("PackageComment"))], []byte("\n"))
	if want := fmt.Sprintf("line %d (/packages/0/comment)", line); len(told) != 1 || told[0] != want {
		t.Errorf("told %q, want %q", told, want)
	}
	data = bytes.Replace(data, []byte(" purl pkg:deb/"), []byte(" purl pkg:"), 1)
	line = 1 + bytes.Count(data[:bytes.Index(data, []byte(" purl "))], []byte("\n"))
	if _, err := DecodeTagValue("f.spdx", bytes.Replace(data, []byte(" purl pkg:"), []byte(" purl "), 1), func(string, assay.ComponentID, string) {}); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("line %d (/packages/1/externalRefs/0/referenceLocator)", line)) {
		t.Errorf("%v, want line %d", err, line)
	}
}

func FuzzTagValueAtOnce(f *testing.F) {
	for _, old := range []bool{false, true} {
		f.Add(tagValue(f, old))
	}
	f.Add([]byte("SPDXVersion: SPDX-2.3\nDataLicense: CC0-1.0\nSPDXID: SPDXRef-DOCUMENT\nDocumentName: a\nDocumentNamespace: https://e.example/1\nCreator: Tool: t\nCreated: 2026-01-01T00:00:00Z\n"))
	files, _ := filepath.Glob(filepath.Join(os.Getenv("ASSAY_CORPORA"), "*", "*.spdx"))
	for _, name := range files {
		if data, err := os.ReadFile(name); err == nil {
			f.Add(data)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if d, _ := tagWireDiffers(data); d != "" {
			t.Fatalf("(-in turn +at once) %s\n%s", d, data)
		}
	})
}
