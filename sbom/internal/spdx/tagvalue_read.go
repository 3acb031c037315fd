package spdx

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/assaykit/assay"
)

// DecodeTagValue reads a document of SPDX 2.2 or 2.3 as tag-value. It is brought to
// the form it has in JSON and read as that, so that both are held to one grammar
// and mean the same; errors and losses name the lines.
func DecodeTagValue(name string, data []byte, report func(field string, id assay.ComponentID, reason string)) (*assay.SBOM, error) {
	r := &tagReader{tagScanner: tagScanner{name: name, rest: data, next: 1}, byID: make(map[string]*section)}
	if err := r.read(); err != nil {
		return nil, err
	}
	doc, err := decode(name, r.json(), inTagValue, func(pointer string, id assay.ComponentID, reason string) {
		report(r.where(pointer), id, reason)
	})
	if e, ok := errors.AsType[*assay.Error](err); ok {
		out := *e
		out.Op = opTagValue
		if strings.HasPrefix(out.Field, "/") {
			out.Field = r.where(out.Field)
		}
		return nil, &out
	}
	return doc, err
}

// tagReader sorts the pairs of a document into sections.
type tagReader struct {
	tagScanner
	document, creation                                          section
	packages, files, snippets, licenses, relationships, reviews []*section
	annotations                                                 []*section
	current, pkg, note, relation                                *section
	stage                                                       int
	byID                                                        map[string]*section
}

// The order of sections, of which packages, files and snippets may alternate.
const (
	inCreation = iota
	inElements
	inLicenses
	inReviews
)

// section is what becomes one JSON object.
type section struct {
	kind    string
	line    int
	id      string
	members []member
	of      string // SPDXID that an annotation is about
}

// member is a member of the object: a value, or the values of an array.
type member struct {
	name   string
	list   bool
	values [][]byte
	lines  []int
}

func (s *section) member(name string) *member {
	for i := range s.members {
		if s.members[i].name == name {
			return &s.members[i]
		}
	}
	return nil
}

func (s *section) add(name string, list bool, value []byte, line int) bool {
	m := s.member(name)
	if m == nil {
		s.members = append(s.members, member{name: name, list: list})
		m = &s.members[len(s.members)-1]
	} else if !list {
		return false
	}
	m.values, m.lines = append(m.values, value), append(m.lines, line)
	return true
}

func (r *tagReader) open(list *[]*section, kind string) *section {
	s := &section{kind: kind, line: r.line}
	*list = append(*list, s)
	return s
}

func (r *tagReader) read() error {
	r.document.kind, r.document.line = "document", 1
	r.current = &r.document
	for first := true; ; first = false {
		ok, err := r.scan()
		if err != nil || !ok {
			if err == nil && first {
				err = r.fail(1, "", "a document that starts with SPDXVersion")
			}
			if err != nil {
				return err
			}
			return r.attach()
		}
		if first && r.tag != "SPDXVersion" {
			return r.fail(r.line, r.tag, "SPDXVersion, which comes first")
		}
		if err := r.pair(); err != nil {
			return err
		}
	}
}

// enter starts a section of a kind that may not follow one of a later stage.
func (r *tagReader) enter(stage int) error {
	if stage < r.stage {
		return r.fail(r.line, r.tag, "packages, files and snippets before other licenses, and those before reviews")
	}
	r.stage = stage
	return nil
}

func (r *tagReader) pair() error {
	switch r.tag {
	case "PackageName":
		r.current = r.open(&r.packages, "package")
		r.pkg = r.current
		if err := r.enter(inElements); err != nil {
			return err
		}
	case "FileName":
		r.current = r.open(&r.files, "file")
		if err := r.enter(inElements); err != nil {
			return err
		}
	case "SnippetSPDXID", "SnippetSPDXIdentifier":
		r.tag = "SnippetSPDXID"
		r.current = r.open(&r.snippets, "snippet")
		if err := r.enter(inElements); err != nil {
			return err
		}
	case "LicenseID":
		r.current = r.open(&r.licenses, "license")
		if err := r.enter(inLicenses); err != nil {
			return err
		}
	case "Reviewer":
		r.current = r.open(&r.reviews, "review")
		if err := r.enter(inReviews); err != nil {
			return err
		}
	case "Relationship":
		r.relation = r.open(&r.relationships, "relationship")
		return r.relationship()
	case "RelationshipComment":
		return r.put(r.relation, "relationship")
	case "Annotator":
		r.note = r.open(&r.annotations, "annotation")
		return r.put(r.note, "annotation")
	case "AnnotationDate", "AnnotationType", "AnnotationComment":
		return r.put(r.note, "annotation")
	case "SPDXREF":
		if r.note == nil || r.note.of != "" || r.value == "" {
			return r.fail(r.line, "SPDXREF: "+r.value, "one element, after an Annotator")
		}
		r.note.of = r.value
		return nil
	case "ExternalRefComment":
		refs := r.current.member("externalRefs")
		if r.current.kind != "package" || refs == nil {
			return r.fail(r.line, r.tag, "an ExternalRef before it")
		}
		last := &refs.values[len(refs.values)-1]
		if strings.Contains(string(*last), `,"comment":`) {
			return r.fail(r.line, r.tag, "one comment of an ExternalRef")
		}
		*last = append(AppendQuoted(append((*last)[:len(*last)-1], `,"comment":`...), r.value), '}')
		return nil
	case "ArtifactOfProjectHomePage", "ArtifactOfProjectURI":
		if r.current.kind != "file" || r.current.member("artifactOfs") == nil {
			return r.fail(r.line, r.tag, "an ArtifactOfProjectName before it")
		}
		return nil // told as lost with the project
	}
	return r.put(r.current, r.current.kind)
}

// put adds the pair to a section, by the table of its tags.
func (r *tagReader) put(s *section, kind string) error {
	rule, ok := tagRules[kind][r.tag]
	if !ok || s == nil {
		return r.fail(r.line, r.tag, "a tag that is known in this place, which is in "+kind+" information")
	}
	if !rule.text && strings.Contains(r.value, "\n") {
		return r.fail(r.line, r.tag, "a value on one line")
	}
	value, want := rule.json(r.value)
	if value == nil {
		return r.fail(r.line, r.tag+": "+clip(r.value), want)
	}
	if !s.add(rule.member, rule.list, value, r.line) {
		return r.fail(r.line, r.tag, "the tag once in its section")
	}
	if rule.member != "SPDXID" || kind == "document" {
		return nil
	}
	s.id = r.value
	if r.byID[s.id] == nil {
		r.byID[s.id] = s
	}
	// Files that follow a package are in it (SPDX 2.3, 8.1).
	if kind == "file" && r.pkg != nil {
		r.pkg.add("hasFiles", true, value, r.line)
	}
	return nil
}

func (r *tagReader) relationship() error {
	words := strings.Fields(r.value)
	if len(words) != 3 {
		return r.fail(r.line, "Relationship: "+clip(r.value), "an element, a type and an element")
	}
	for i, name := range []string{"spdxElementId", "relationshipType", "relatedSpdxElement"} {
		r.relation.add(name, false, quote(words[i]), r.line)
	}
	return nil
}

// attach gives annotations to what they are about.
func (r *tagReader) attach() error {
	for _, a := range r.annotations {
		to := &r.document
		if a.of != "" && a.of != documentID {
			if to = r.byID[a.of]; to == nil {
				return r.fail(a.line, "SPDXREF: "+a.of, "the SPDXID of an element of the document")
			}
		}
		if to.kind == "snippet" {
			continue // told as lost with the snippet
		}
		to.add("annotations", true, a.json(), a.line)
	}
	return nil
}

func quote(s string) []byte { return AppendQuoted(nil, s) }

func (s *section) json() []byte {
	b := []byte{'{'}
	for i, m := range s.members {
		b = AppendQuoted(comma(b, i), m.name)
		b = append(b, ':')
		if m.list {
			b = append(b, '[')
		}
		for i, v := range m.values {
			b = append(comma(b, i), v...)
		}
		if m.list {
			b = append(b, ']')
		}
	}
	return append(b, '}')
}

// sections are the arrays of the document.
func (r *tagReader) sections() []namedSections {
	return []namedSections{{"packages", r.packages}, {"files", r.files}, {"snippets", r.snippets},
		{"hasExtractedLicensingInfos", r.licenses}, {"relationships", r.relationships}, {"revieweds", r.reviews}}
}

type namedSections struct {
	name string
	list []*section
}

func (r *tagReader) json() []byte {
	// The grammar of JSON has creation information in an object of its own.
	var creation section
	r.document.members = slices.DeleteFunc(r.document.members, func(m member) bool {
		name, ok := strings.CutPrefix(m.name, "creationInfo/")
		if ok {
			m.name = name
			creation.members = append(creation.members, m)
		}
		return ok
	})
	r.document.add("creationInfo", false, creation.json(), 1)
	b := r.document.json()
	b = b[:len(b)-1]
	for _, s := range r.sections() {
		if len(s.list) == 0 {
			continue
		}
		b = append(b, `,"`+s.name+`":[`...)
		for i, item := range s.list {
			b = append(comma(b, i), item.json()...)
		}
		b = append(b, ']')
	}
	r.creation = creation
	return append(b, '}')
}

// where gives the line that a JSON pointer is about.
func (r *tagReader) where(pointer string) string {
	parts := strings.Split(strings.TrimPrefix(pointer, "/"), "/")
	s, rest := &r.document, parts
	if parts[0] == "creationInfo" {
		s, rest = &r.creation, parts[1:]
	}
	for _, named := range r.sections() {
		if parts[0] != named.name {
			continue
		}
		i := 0
		if len(parts) > 1 {
			i, _ = strconv.Atoi(parts[1])
		}
		if i < len(named.list) {
			s, rest = named.list[i], parts[min(2, len(parts)):]
		}
	}
	line := max(1, s.line)
	if len(rest) > 0 {
		if m := s.member(rest[0]); m != nil {
			line = m.lines[0]
			if m.list && len(rest) > 1 {
				if i, err := strconv.Atoi(rest[1]); err == nil && i < len(m.lines) {
					line = m.lines[i]
				}
			}
		}
	}
	return fmt.Sprintf("line %d (%s)", line, pointer)
}

// tagRule says what becomes of a tag.
type tagRule struct {
	member string
	list   bool
	text   bool // may span lines
	json   func(value string) (json []byte, want string)
}

func plain(value string) ([]byte, string) { return quote(value), "" }

func one(member string) tagRule  { return tagRule{member, false, false, plain} }
func text(member string) tagRule { return tagRule{member, false, true, plain} }
func many(member string) tagRule { return tagRule{member, true, true, plain} }

func checksumOf(value string) ([]byte, string) {
	alg, sum, ok := strings.Cut(value, ":")
	if !ok {
		return nil, "an algorithm, a colon and a digest"
	}
	b := AppendQuoted([]byte(`{"algorithm":`), strings.TrimSpace(alg))
	return append(AppendQuoted(append(b, `,"checksumValue":`...), strings.TrimSpace(sum)), '}'), ""
}

func boolOf(value string) ([]byte, string) {
	if value != "true" && value != "false" {
		return nil, "true or false"
	}
	return []byte(value), ""
}

func externalOf(value string) ([]byte, string) {
	w := strings.Fields(value)
	if len(w) != 3 {
		return nil, "a category, a type and a locator"
	}
	b := AppendQuoted([]byte(`{"referenceCategory":`), w[0])
	b = AppendQuoted(append(b, `,"referenceType":`...), w[1])
	return append(AppendQuoted(append(b, `,"referenceLocator":`...), w[2]), '}'), ""
}

func verificationOf(value string) ([]byte, string) {
	code, files, excluded := strings.Cut(value, "(excludes:")
	b := AppendQuoted([]byte(`{"packageVerificationCodeValue":`), strings.TrimSpace(code))
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

func purposeTag(value string) ([]byte, string) {
	return quote(strings.ReplaceAll(value, "-", "_")), ""
}

func documentRefOf(value string) ([]byte, string) {
	w := strings.Fields(value)
	if len(w) < 3 {
		return nil, "a DocumentRef, the URI of the document and its checksum"
	}
	sum, want := checksumOf(strings.Join(w[2:], " "))
	if sum == nil {
		return nil, want
	}
	b := AppendQuoted([]byte(`{"externalDocumentId":`), w[0])
	b = AppendQuoted(append(b, `,"spdxDocument":`...), w[1])
	return append(append(append(b, `,"checksum":`...), sum...), '}'), ""
}

func projectOf(value string) ([]byte, string) {
	return append(AppendQuoted([]byte(`{"name":`), value), '}'), ""
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
