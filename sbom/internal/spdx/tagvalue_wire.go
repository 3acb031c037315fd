package spdx

import (
	"slices"
	"strings"
	"sync"

	"github.com/assaykit/assay/sbom/internal/quick"
	"github.com/assaykit/assay/sbom/internal/shape"
)

// tagWire reads a tag-value document into the wire types, and holds it to the grammar on
// the way, as [tagReader], [decoder.walk] and [readDocument] do one after the other. It
// knows the members that the model has, and texts that it has not. At all else, and at
// all that is wrong, it stops: then the others say what there is.
type tagWire struct {
	tagScanner
	d     *decoder
	doc   *document
	kept  quick.Keeper
	rules map[string]*wireSection
	stage int
	// The section that tags go into, and the last relationship and annotation.
	section, relation, note openSection
	pkg                     int // the last package, or -1
	analyzed                *[2]bool
	ids                     map[string]elementAt
	noted                   []notedElement
	lost                    map[string][]lost // by the part of the document, in whose order they are told
	date                    string            // of an annotation, that was right
}

// openSection is one that is being read.
type openSection struct {
	rules *wireSection
	index int
	found uint64 // members, by their bits
}

// elementAt is where an element is, and notedElement to which one an annotation belongs.
type elementAt struct {
	file  bool
	index int
}

type notedElement struct {
	id   string // empty for the document
	note annotation
}

// wireSection are the tags of one.
type wireSection struct {
	kind, array string
	tags        map[string]*wireTag
	required    uint64
	types       *shape.Node // of relationships, which have no tags for their members
}

type wireTag struct {
	tagRule
	name  string      // of the tag
	node  *shape.Node // of one value
	drop  bool        // the model has no place for it
	bit   uint64
	plain bool // its value is a string as it is
}

var wireRules23, wireRules22 = sync.OnceValue(func() map[string]*wireSection { return makeWireRules(false) }),
	sync.OnceValue(func() map[string]*wireSection { return makeWireRules(true) })

// makeWireRules derives them from the tags and the grammar.
func makeWireRules(old bool) map[string]*wireSection {
	g := grammar(old)
	out := make(map[string]*wireSection)
	for _, s := range []struct {
		kind, array string
		node        *shape.Node
	}{{"document", "", g}, {"package", "packages", g.Member("packages").Item()}, {"file", "files", g.Member("files").Item()},
		{"license", "hasExtractedLicensingInfos", g.Member("hasExtractedLicensingInfos").Item()},
		{"relationship", "relationships", g.Member("relationships").Item()}, {"annotation", "", g.Member("annotations").Item()}} {
		sec := &wireSection{kind: s.kind, array: s.array, tags: make(map[string]*wireTag)}
		bits := make(map[string]uint64)
		for _, tag := range slices.Sorted(tagNames(s.kind)) {
			rule := tagRules[s.kind][tag]
			of, name := s.node, rule.member
			if inner, ok := strings.CutPrefix(name, "creationInfo/"); ok {
				of, name = g.Member("creationInfo"), inner
			}
			node := of.Member(name)
			if node == nil {
				continue // 2.2 does not have it
			}
			t := &wireTag{tagRule: rule, name: tag, node: node, drop: node.Dropped(), bit: 1 << len(bits)}
			bits[rule.member] = t.bit
			if rule.list {
				t.node = node.Item()
			}
			_, want := rule.json(nil, "a")
			converted, _ := rule.json(nil, "a-b")
			t.plain = want == "" && string(converted) == `"a-b"` && t.node.IsText()
			if t.plain || !t.drop {
				sec.tags[tag] = t
			}
		}
		for _, name := range s.node.Required() {
			sec.required |= bits[name]
		}
		switch s.kind {
		case "relationship":
			sec.types = s.node.Member("relationshipType")
		case "document": // of creationInfo, which is no tag
			sec.required |= bits["creationInfo/created"] | bits["creationInfo/creators"]
		}
		out[s.kind] = sec
	}
	return out
}

func tagNames(kind string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for tag := range tagRules[kind] {
			if !yield(tag) {
				return
			}
		}
	}
}

// readTagWire gives a decoder with the document, or false.
func readTagWire(name string, data []byte) (*decoder, bool) {
	x := &tagWire{tagScanner: tagScanner{name: name, rest: string(data), next: 1}, ids: make(map[string]elementAt), lost: make(map[string][]lost),
		pkg: -1, analyzed: &[2]bool{false, true}}
	for first := true; ; first = false {
		ok, err := x.scan()
		if err != nil || first && (!ok || !x.begin()) || ok && !x.pair() {
			return nil, false
		}
		if !ok {
			break
		}
	}
	if !x.section.complete() || !x.note.complete() || !x.attach() {
		return nil, false
	}
	for _, part := range []string{"", "creationInfo", "packages", "files", "hasExtractedLicensingInfos", "relationships"} {
		x.d.lost = append(x.d.lost, x.lost[part]...)
	}
	return x.d, true
}

// begin looks at the version, which comes first.
func (x *tagWire) begin() bool {
	if x.tag != "SPDXVersion" || !known(x.value) {
		return false
	}
	x.d = newDecoder(x.name, x.value, inTagValue)
	x.doc = x.d.doc
	x.rules = wireRules23()
	if x.d.as.old {
		x.rules = wireRules22()
	}
	x.section.rules = x.rules["document"]
	return true
}

// complete reports whether the section has what it must have.
func (s *openSection) complete() bool {
	return s.rules == nil || s.found&s.rules.required == s.rules.required
}

// enter starts a section.
func (x *tagWire) enter(kind string, stage, index int) bool {
	if stage < x.stage || !x.section.complete() {
		return false
	}
	x.stage = stage
	x.section = openSection{rules: x.rules[kind], index: index}
	return true
}

func (x *tagWire) pair() bool {
	ok := true
	switch x.tag {
	case "PackageName":
		x.doc.Packages = append(x.doc.Packages, pkg{})
		ok = x.enter("package", inElements, len(x.doc.Packages)-1)
		x.pkg = x.section.index
	case "FileName":
		x.doc.Files = append(x.doc.Files, file{})
		ok = x.enter("file", inElements, len(x.doc.Files)-1)
	case "LicenseID":
		x.doc.Extracted = append(x.doc.Extracted, extracted{})
		ok = x.enter("license", inLicenses, len(x.doc.Extracted)-1)
	case "Relationship":
		return x.related()
	case "RelationshipComment":
		return x.relation.rules != nil && x.into(&x.relation)
	case "Annotator":
		if !x.note.complete() {
			return false
		}
		x.noted = append(x.noted, notedElement{})
		x.note = openSection{rules: x.rules["annotation"], index: len(x.noted) - 1}
		return x.into(&x.note)
	case "AnnotationDate", "AnnotationType", "AnnotationComment":
		return x.note.rules != nil && x.into(&x.note)
	case "SPDXREF":
		if x.note.rules == nil || x.noted[x.note.index].id != "" || x.value == "" {
			return false
		}
		x.noted[x.note.index].id = x.keep(x.value)
		return true
	case "ExternalRefComment":
		return x.section.rules.kind == "package" && x.comment()
	}
	return ok && x.into(&x.section)
}

func (x *tagWire) keep(s string) string { return x.kept.KeepString(s, len(x.rest)) }

// into puts the pair into a section.
func (x *tagWire) into(s *openSection) bool {
	t := s.rules.tags[x.tag]
	if t == nil || !t.text && strings.Contains(x.value, "\n") || !t.list && s.found&t.bit != 0 {
		return false
	}
	again := s.found&t.bit != 0
	s.found |= t.bit
	if t.drop {
		if !again {
			x.lose(s, t)
		}
		return t.node.Allows(x.value)
	}
	switch {
	case !t.plain:
	case t.name == "AnnotationDate" && x.value == x.date: // of this document
	case !t.node.Allows(x.value):
		return false
	}
	switch s.rules.kind {
	case "document":
		return x.document(t)
	case "package":
		return x.packaged(&x.doc.Packages[s.index], t, s.index)
	case "file":
		return x.filed(&x.doc.Files[s.index], t, s.index)
	case "license":
		return x.licensed(&x.doc.Extracted[s.index], t)
	case "relationship":
		x.doc.Relationships[s.index].Comment = x.keep(x.value)
		return true
	}
	return x.annotated(&x.noted[s.index].note, t)
}

func (x *tagWire) lose(s *openSection, t *wireTag) {
	part, pointer := s.rules.array, "/"+t.member
	if part != "" {
		pointer = shape.Pointer("/"+part, s.index) + pointer
	} else if strings.HasPrefix(t.member, "creationInfo/") {
		part = "creationInfo"
	}
	x.lost[part] = append(x.lost[part], lost{pointer, "the model has no place for it"})
}

// attach gives annotations to what they are about.
func (x *tagWire) attach() bool {
	for _, n := range x.noted {
		to := &x.doc.Annotations
		if n.id != "" && n.id != documentID {
			at, ok := x.ids[n.id]
			switch {
			case !ok:
				return false
			case at.file:
				to = &x.doc.Files[at.index].Annotations
			default:
				to = &x.doc.Packages[at.index].Annotations
			}
		}
		*to = append(*to, n.note)
	}
	return true
}
