package spdx

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"github.com/assaykit/assay"
)

// DecodeTagValue reads a document of SPDX 2.2 or 2.3 as tag-value. It is brought to
// the form it has in JSON and read as that, so that both are held to one grammar
// and mean the same; errors and losses name the lines.
func DecodeTagValue(name string, data []byte, report func(field string, id assay.ComponentID, reason string)) (*assay.SBOM, error) {
	if d, ok := readTagWire(name, data); ok {
		// The lines are looked for only where there is something to tell of them.
		where := sync.OnceValue(func() func(string) string {
			r := newTagReader(name, data)
			if r.read() != nil {
				return func(pointer string) string { return pointer }
			}
			r.whole()
			return r.where
		})
		doc, err := d.finish(func(pointer string, id assay.ComponentID, reason string) { report(where()(pointer), id, reason) })
		if err != nil {
			return nil, inLines(err, func(pointer string) string { return where()(pointer) })
		}
		return doc, nil
	}
	r := newTagReader(name, data)
	if err := r.read(); err != nil {
		return nil, err
	}
	doc, err := decode(name, r.whole(), inTagValue, func(pointer string, id assay.ComponentID, reason string) {
		report(r.where(pointer), id, reason)
	})
	if err != nil {
		return nil, inLines(err, r.where)
	}
	return doc, nil
}

// inLines tells an error by the lines of the document.
func inLines(err error, where func(pointer string) string) error {
	e, ok := errors.AsType[*assay.Error](err)
	if !ok {
		return err
	}
	out := *e
	out.Op = opTagValue
	if strings.HasPrefix(out.Field, "/") {
		out.Field = where(out.Field)
	}
	return &out
}

func newTagReader(name string, data []byte) *tagReader {
	return &tagReader{tagStore: newTagStore(len(data)), tagScanner: tagScanner{name: name, rest: string(data), next: 1}, byID: make(map[string]*section)}
}

// tagReader sorts the pairs of a document into sections.
type tagReader struct {
	tagScanner
	tagStore
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

func (r *tagReader) open(list *[]*section, kind string) *section {
	s := r.section()
	s.kind, s.line = kind, r.line
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
		refs := r.find(r.current, "externalRefs")
		if r.current.kind != "package" || refs == nil {
			return r.fail(r.line, r.tag, "an ExternalRef before it")
		}
		last := &r.values[refs.last]
		old := r.json[last.start:last.end]
		if bytes.Contains(old, []byte(`,"comment":`)) {
			return r.fail(r.line, r.tag, "one comment of an ExternalRef")
		}
		last.start = len(r.json)
		r.json = append(append(r.json, old[:len(old)-1]...), `,"comment":`...)
		r.json = append(AppendQuoted(r.json, r.value), '}')
		last.end = len(r.json)
		return nil
	case "ArtifactOfProjectHomePage", "ArtifactOfProjectURI":
		if r.current.kind != "file" || r.find(r.current, "artifactOfs") == nil {
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
	start := len(r.json)
	json, want := rule.json(r.json, r.value)
	if want != "" {
		return r.fail(r.line, r.tag+": "+clip(r.value), want)
	}
	r.json = json
	value := span{start: start, end: len(json), line: r.line}
	if !r.add(s, rule.member, rule.list, value) {
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
		r.add(r.pkg, "hasFiles", true, value)
	}
	return nil
}

func (r *tagReader) relationship() error {
	words, ok := three(r.value)
	if !ok {
		return r.fail(r.line, "Relationship: "+clip(r.value), "an element, a type and an element")
	}
	for i, name := range [...]string{"spdxElementId", "relationshipType", "relatedSpdxElement"} {
		start := len(r.json)
		r.json = AppendQuoted(r.json, words[i])
		r.add(r.relation, name, false, span{start: start, end: len(r.json), line: r.line})
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
		start := len(r.json)
		r.json = r.object(r.json, a)
		r.add(to, "annotations", true, span{start: start, end: len(r.json), line: a.line})
	}
	return nil
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

// whole gives the document as JSON.
func (r *tagReader) whole() []byte {
	// The grammar of JSON has creation information in an object of its own.
	r.creation = r.split(&r.document, "creationInfo/")
	b := make([]byte, 0, len(r.json)+len(r.json)/2)
	b = r.members(append(b, '{'), &r.document) // at least SPDXVersion
	b = append(b, `,"creationInfo":`...)
	b = r.object(b, &r.creation)
	for _, s := range r.sections() {
		if len(s.list) == 0 {
			continue
		}
		b = append(b, `,"`...)
		b = append(b, s.name...)
		b = append(b, `":[`...)
		for i, item := range s.list {
			b = r.object(comma(b, i), item)
		}
		b = append(b, ']')
	}
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
		if m := r.find(s, rest[0]); m != nil {
			at := m.first
			if m.list && len(rest) > 1 {
				if i, err := strconv.Atoi(rest[1]); err == nil {
					for v := m.first; v != 0; v, i = r.values[v].next, i-1 {
						if i == 0 {
							at = v
						}
					}
				}
			}
			line = r.values[at].line
		}
	}
	return fmt.Sprintf("line %d (%s)", line, pointer)
}
