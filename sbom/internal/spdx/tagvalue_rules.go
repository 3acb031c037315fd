package spdx

import "strings"

// tagRule says what becomes of a tag.
type tagRule struct {
	member string
	list   bool
	text   bool // may span lines
	// json appends the value, or says what it should have been.
	json func(b []byte, value string) (out []byte, want string)
}

func plain(b []byte, value string) ([]byte, string) { return AppendQuoted(b, value), "" }

func one(member string) tagRule  { return tagRule{member, false, false, plain} }
func text(member string) tagRule { return tagRule{member, false, true, plain} }
func many(member string) tagRule { return tagRule{member, true, true, plain} }

func checksumOf(b []byte, value string) ([]byte, string) {
	alg, sum, ok := strings.Cut(value, ":")
	if !ok {
		return nil, "an algorithm, a colon and a digest"
	}
	b = AppendQuoted(append(b, `{"algorithm":`...), strings.TrimSpace(alg))
	return append(AppendQuoted(append(b, `,"checksumValue":`...), strings.TrimSpace(sum)), '}'), ""
}

func boolOf(b []byte, value string) ([]byte, string) {
	if value != "true" && value != "false" {
		return nil, "true or false"
	}
	return append(b, value...), ""
}

// three splits a value at white space into so many words.
func three(value string) (words [3]string, ok bool) {
	n := 0
	for w := range strings.FieldsSeq(value) {
		if n == len(words) {
			return words, false
		}
		words[n] = w
		n++
	}
	return words, n == len(words)
}

func externalOf(b []byte, value string) ([]byte, string) {
	w, ok := three(value)
	if !ok {
		return nil, "a category, a type and a locator"
	}
	b = AppendQuoted(append(b, `{"referenceCategory":`...), w[0])
	b = AppendQuoted(append(b, `,"referenceType":`...), w[1])
	return append(AppendQuoted(append(b, `,"referenceLocator":`...), w[2]), '}'), ""
}

func verificationOf(b []byte, value string) ([]byte, string) {
	code, files, excluded := strings.Cut(value, "(excludes:")
	b = AppendQuoted(append(b, `{"packageVerificationCodeValue":`...), strings.TrimSpace(code))
	if excluded {
		file, ok := strings.CutSuffix(strings.TrimSpace(files), ")")
		if !ok {
			return nil, "a digest, and files to exclude in parentheses"
		}
		b = append(b, `,"packageVerificationCodeExcludedFiles":[`...)
		for i, f := range strings.Split(file, ",") {
			b = AppendQuoted(comma(b, i), strings.TrimSpace(f))
		}
		b = append(b, ']')
	}
	return append(b, '}'), ""
}

func purposeTag(b []byte, value string) ([]byte, string) {
	return AppendQuoted(b, strings.ReplaceAll(value, "-", "_")), ""
}

func documentRefOf(b []byte, value string) ([]byte, string) {
	w := strings.Fields(value)
	if len(w) < 3 {
		return nil, "a DocumentRef, the URI of the document and its checksum"
	}
	b = AppendQuoted(append(b, `{"externalDocumentId":`...), w[0])
	b = AppendQuoted(append(b, `,"spdxDocument":`...), w[1])
	b, want := checksumOf(append(b, `,"checksum":`...), strings.Join(w[2:], " "))
	return append(b, '}'), want
}

func projectOf(b []byte, value string) ([]byte, string) {
	return append(AppendQuoted(append(b, `{"name":`...), value), '}'), ""
}

// tagRules are the tags of SPDX 2.3 and 2.2 by section.
var tagRules = map[string]map[string]tagRule{
	"document": {
		"SPDXVersion": one("spdxVersion"), "DataLicense": one("dataLicense"), "SPDXID": one("SPDXID"), "DocumentName": one("name"),
		"DocumentNamespace": one("documentNamespace"), "DocumentComment": text("comment"), "Creator": {"creationInfo/creators", true, false, plain},
		"Created": one("creationInfo/created"), "CreatorComment": text("creationInfo/comment"), "LicenseListVersion": one("creationInfo/licenseListVersion"),
		"ExternalDocumentRef": {"externalDocumentRefs", true, false, documentRefOf},
	},
	"package": {
		"PackageName": one("name"), "SPDXID": one("SPDXID"), "PackageVersion": one("versionInfo"), "PackageFileName": one("packageFileName"),
		"PackageSupplier": one("supplier"), "PackageOriginator": one("originator"), "PackageDownloadLocation": one("downloadLocation"),
		"FilesAnalyzed": {"filesAnalyzed", false, false, boolOf}, "PackageVerificationCode": {"packageVerificationCode", false, false, verificationOf},
		"PackageChecksum": {"checksums", true, false, checksumOf}, "PackageHomePage": one("homepage"), "PackageSourceInfo": text("sourceInfo"),
		"PackageLicenseConcluded": one("licenseConcluded"), "PackageLicenseInfoFromFiles": many("licenseInfoFromFiles"), "PackageLicenseDeclared": one("licenseDeclared"),
		"PackageLicenseComments": text("licenseComments"), "PackageCopyrightText": text("copyrightText"), "PackageSummary": text("summary"),
		"PackageDescription": text("description"), "PackageComment": text("comment"), "ExternalRef": {"externalRefs", true, false, externalOf},
		"PackageAttributionText": many("attributionTexts"), "PrimaryPackagePurpose": {"primaryPackagePurpose", false, false, purposeTag},
		"ReleaseDate": one("releaseDate"), "BuiltDate": one("builtDate"), "ValidUntilDate": one("validUntilDate"),
	},
	"file": {
		"FileName": one("fileName"), "SPDXID": one("SPDXID"), "FileType": many("fileTypes"), "FileChecksum": {"checksums", true, false, checksumOf},
		"LicenseConcluded": one("licenseConcluded"), "LicenseInfoInFile": many("licenseInfoInFiles"), "LicenseComments": text("licenseComments"),
		"FileCopyrightText": text("copyrightText"), "FileComment": text("comment"), "FileNotice": text("noticeText"), "FileContributor": many("fileContributors"),
		"FileAttributionText": many("attributionTexts"), "FileDependency": many("fileDependencies"), "ArtifactOfProjectName": {"artifactOfs", true, false, projectOf},
	},
	"snippet": {
		"SnippetSPDXID": one("SPDXID"), "SnippetFromFileSPDXID": one("snippetFromFile"), "SnippetByteRange": one("byteRange"), "SnippetLineRange": one("lineRange"),
		"SnippetLicenseConcluded": one("licenseConcluded"), "LicenseInfoInSnippet": many("licenseInfoInSnippets"), "SnippetLicenseComments": text("licenseComments"),
		"SnippetCopyrightText": text("copyrightText"), "SnippetComment": text("comment"), "SnippetName": one("name"), "SnippetAttributionText": many("attributionTexts"),
	},
	"license": {
		"LicenseID": one("licenseId"), "ExtractedText": text("extractedText"), "LicenseName": one("name"), "LicenseCrossReference": {"seeAlsos", true, false, plain},
		"LicenseComment": text("comment"),
	},
	"relationship": {"RelationshipComment": text("comment")},
	"annotation":   {"Annotator": one("annotator"), "AnnotationDate": one("annotationDate"), "AnnotationType": one("annotationType"), "AnnotationComment": text("comment")},
	"review":       {"Reviewer": one("reviewer"), "ReviewDate": one("reviewDate"), "ReviewComment": text("comment")},
}
