package spdx

import (
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/assaykit/assay/sbom/internal/shape"
)

// labelID marks strings that define an element.
const labelID = "SPDXID"

// uriPattern is of an absolute URI without a fragment.
var uriPattern = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+.-]*:[^#\s]+$`)

func isIDString(s string) bool {
	for i := range len(s) {
		if !isIDByte(s[i]) {
			return false
		}
	}
	return s != ""
}

func isIDByte(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '.' || c == '-'
}

func isPrefixed(prefix string) func(string) bool {
	return func(s string) bool {
		rest, ok := strings.CutPrefix(s, prefix)
		return ok && isIDString(rest)
	}
}

var isElement, isDocument, isLicenseRef = isPrefixed(refPrefix), isPrefixed("DocumentRef-"), isPrefixed("LicenseRef-")

// isReference is what either end of a relationship may be.
func isReference(s string) bool {
	if s == none || s == noAssertion || isElement(s) {
		return true
	}
	doc, element, ok := strings.Cut(s, ":")
	return isDocument(doc) && (!ok || isElement(element))
}

func isHex(s string) bool {
	for i := range len(s) {
		if c := s[i] | 0x20; (c < '0' || c > '9' || c != s[i]) && (c < 'a' || c > 'f') {
			return false
		}
	}
	return s != ""
}

// isAgent makes a test for "Kind: name" of one of the kinds.
func isAgent(kinds ...string) func(string) bool {
	return func(s string) bool {
		kind, name, ok := strings.Cut(s, ":")
		return ok && slices.Contains(kinds, kind) && strings.TrimSpace(name) != ""
	}
}

// ValidNamespace reports whether s can be a documentNamespace: an absolute URI
// without a fragment (SPDX 2.3, 6.5).
func ValidNamespace(s string) bool { return uriPattern.MatchString(s) }

func isTime(s string) bool {
	_, err := time.Parse(time.RFC3339, s)
	return err == nil
}

var (
	grammar23 = sync.OnceValue(func() *shape.Node { return makeGrammar(false) })
	grammar22 = sync.OnceValue(func() *shape.Node { return makeGrammar(true) })
)

func grammar(old bool) *shape.Node {
	if old {
		return grammar22()
	}
	return grammar23()
}

// makeGrammar gives SPDX 2.3 in JSON, or 2.2, which lacks some members and words, and
// requires what both of its published schemas do (2.2.1 and 2.2.2). Snippets, cross
// references and artifactOf are not checked.
func makeGrammar(old bool) *shape.Node {
	type m = shape.Members
	since23 := func(list, more []string) []string {
		if old {
			return list
		}
		return append(list, more...)
	}
	str, drop := shape.String(), shape.Drop
	strs := shape.List(str)
	supplier, creator := isAgent("Person", "Organization"), isAgent("Person", "Organization", "Tool")
	id := shape.Text("SPDXRef- and letters, digits, '.' and '-'", isElement).Label(labelID)
	ref := shape.Text("an SPDX element reference", isReference)
	instant := shape.Text("a date and time of RFC 3339", isTime)
	agent := shape.Text("Person: or Organization: and a name, or NOASSERTION", func(s string) bool { return s == noAssertion || supplier(s) })
	annotation := shape.Object(m{"annotationDate!": instant, "annotationType!": shape.Enum("OTHER", "REVIEW"),
		"annotator!": shape.Text("Person:, Organization: or Tool: and a name", creator), "comment!": str})
	checksum := shape.Object(m{
		"algorithm!": shape.Enum(since23([]string{"SHA1", "SHA224", "SHA256", "SHA384", "SHA512", "MD2", "MD4", "MD5", "MD6"},
			[]string{"SHA3-256", "SHA3-384", "SHA3-512", "BLAKE2b-256", "BLAKE2b-384", "BLAKE2b-512", "BLAKE3", "ADLER32"})...),
		"checksumValue!": shape.Text("a hexadecimal digest", isHex)})
	checksums := shape.List(checksum)
	extracted := shape.Object(m{"licenseId!": shape.Text("LicenseRef- and letters, digits, '.' and '-'", isLicenseRef),
		"extractedText!": str, "name": str, "comment": drop(str), "crossRefs": drop(shape.Any()), "seeAlsos": drop(strs)})
	external := shape.Object(m{"comment": str, "referenceLocator!": str, "referenceType!": str,
		"referenceCategory!": shape.Enum("SECURITY", "PACKAGE-MANAGER", "PACKAGE_MANAGER", "PERSISTENT-ID", "PERSISTENT_ID", "OTHER")})
	members := m{
		"SPDXID!": id, "name!": str, "downloadLocation!": str, "annotations": shape.List(annotation), "attributionTexts": drop(strs),
		"builtDate": drop(instant), "checksums": checksums, "comment": drop(str), "copyrightText": str, "description": str,
		"externalRefs": shape.List(external), "filesAnalyzed": shape.Bool(), "hasFiles": shape.List(ref), "homepage": str, "licenseComments": drop(str),
		"licenseConcluded": str, "licenseDeclared": str, "licenseInfoFromFiles": drop(strs), "originator": agent, "packageFileName": drop(str),
		"packageVerificationCode": drop(shape.Object(m{"packageVerificationCodeValue!": str, "packageVerificationCodeExcludedFiles": strs})),
		"primaryPackagePurpose": shape.Enum("APPLICATION", "FRAMEWORK", "LIBRARY", "CONTAINER", "OPERATING_SYSTEM", "OPERATING-SYSTEM", "DEVICE",
			"FIRMWARE", "SOURCE", "ARCHIVE", "FILE", "INSTALL", "OTHER"),
		"releaseDate": drop(instant), "sourceInfo": drop(str), "summary": drop(str), "supplier": agent, "validUntilDate": drop(instant), "versionInfo": str,
	}
	fileMembers := m{
		"SPDXID!": id, "fileName!": str, "checksums!": shape.NonEmpty(checksum), "annotations": shape.List(annotation), "artifactOfs": drop(shape.Any()),
		"attributionTexts": drop(strs), "comment": drop(str), "copyrightText": str, "fileContributors": drop(strs), "fileDependencies": drop(strs),
		"fileTypes":       drop(shape.List(shape.Enum("SOURCE", "BINARY", "ARCHIVE", "APPLICATION", "AUDIO", "IMAGE", "TEXT", "VIDEO", "DOCUMENTATION", "SPDX", "OTHER"))),
		"licenseComments": drop(str), "licenseConcluded": str, "licenseInfoInFiles": strs, "noticeText": drop(str),
	}
	if old {
		for _, name := range []string{"builtDate", "primaryPackagePurpose", "releaseDate", "validUntilDate"} {
			delete(members, name)
		}
		for _, of := range []m{members, fileMembers} {
			for _, name := range []string{"copyrightText", "licenseConcluded", "licenseDeclared"} {
				if node := of[name]; node != nil {
					delete(of, name)
					of[name+"!"] = node
				}
			}
		}
	}
	pkg, file := shape.Object(members), shape.Object(fileMembers)
	relationship := shape.Object(m{"spdxElementId!": ref, "relatedSpdxElement!": ref, "comment": str, "relationshipType!": shape.Enum(since23([]string{
		"AMENDS", "ANCESTOR_OF", "BUILD_DEPENDENCY_OF", "BUILD_TOOL_OF", "CONTAINED_BY", "CONTAINS", "COPY_OF", "DATA_FILE_OF", "DEPENDENCY_MANIFEST_OF",
		"DEPENDENCY_OF", "DEPENDS_ON", "DESCENDANT_OF", "DESCRIBED_BY", "DESCRIBES", "DEV_DEPENDENCY_OF", "DEV_TOOL_OF", "DISTRIBUTION_ARTIFACT",
		"DOCUMENTATION_OF", "DYNAMIC_LINK", "EXAMPLE_OF", "EXPANDED_FROM_ARCHIVE", "FILE_ADDED", "FILE_DELETED", "FILE_MODIFIED", "GENERATED_FROM",
		"GENERATES", "HAS_PREREQUISITE", "METAFILE_OF", "OPTIONAL_COMPONENT_OF", "OPTIONAL_DEPENDENCY_OF", "OTHER", "PACKAGE_OF", "PATCH_APPLIED",
		"PATCH_FOR", "PREREQUISITE_FOR", "PROVIDED_DEPENDENCY_OF", "RUNTIME_DEPENDENCY_OF", "STATIC_LINK", "TEST_CASE_OF", "TEST_DEPENDENCY_OF", "TEST_OF", "TEST_TOOL_OF", "VARIANT_OF"}, []string{"REQUIREMENT_DESCRIPTION_FOR", "SPECIFICATION_FOR"})...)})
	return shape.Object(m{
		"spdxVersion!": shape.Enum("SPDX-2.2", "SPDX-2.3"), "dataLicense!": shape.Enum("CC0-1.0"),
		"SPDXID!": shape.Enum(documentID), "name!": str,
		// 2.3 in JSON does not require what its text says is mandatory (6.5).
		"documentNamespace": shape.Text("an absolute URI without a fragment", ValidNamespace),
		"creationInfo!": shape.Object(m{"comment": drop(str), "created!": instant, "licenseListVersion": drop(str),
			"creators!": shape.NonEmpty(shape.Text("Person:, Organization: or Tool: and a name", creator))}),
		"comment":                    drop(str),
		"externalDocumentRefs":       drop(shape.List(shape.Object(m{"checksum!": checksum, "externalDocumentId!": str, "spdxDocument!": str}))),
		"hasExtractedLicensingInfos": shape.List(extracted), "documentDescribes": shape.List(ref), "packages": shape.List(pkg), "files": shape.List(file),
		"snippets": drop(shape.Any()), "relationships": shape.List(relationship), "annotations": shape.List(annotation),
		"revieweds": drop(shape.List(shape.Object(m{"comment": str, "reviewDate!": instant, "reviewer": str}))),
	})
}
