package spdx

import (
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/strictjson"
	"github.com/assaykit/assay/sbom/internal/license"
)

const timeFormat = "2006-01-02T15:04:05Z"

// Encode writes a document of SPDX 2.3 in JSON, or of 2.2 if it is to be old, without
// a newline at its end. The SBOM is in canonical form, as package sbom makes it, with
// a namespace in Serial and with Created set. Report is called for what cannot be
// written.
func Encode(doc *assay.SBOM, old bool, report func(field string, id assay.ComponentID, reason string)) ([]byte, error) {
	as := inJSON
	if old {
		as = as.as22()
	}
	e, d, err := begin(doc, as, report)
	if err != nil {
		return nil, err
	}
	return e.stream(d), nil
}

// begin makes a document without its elements and relationships.
func begin(doc *assay.SBOM, as *dialect, report func(field string, id assay.ComponentID, reason string)) (*encoder, *document, error) {
	if doc.Created.IsZero() {
		return nil, nil, &assay.Error{Op: "write SPDX", Kind: assay.ErrInvalid, Subject: doc.Root.Name, Field: "created",
			Bound: "a time, in the SBOM or in the options", Rule: "SPDX 2.3, 6.9"}
	}
	if doc.Created.Nanosecond() != 0 {
		report("created", "", "SPDX has whole seconds; the fraction is cut off")
	}
	e := &encoder{doc: doc, as: as, date: doc.Created.UTC().Truncate(time.Second).Format(timeFormat),
		ids: make(map[assay.ComponentID]string, len(doc.Components)+1), infos: make(map[string]extracted), refs: make(map[string]string)}
	out := &document{
		SPDXVersion: "SPDX-" + as.version(), DataLicense: "CC0-1.0", SPDXID: documentID, Name: as.line(doc.Root.Name), DocumentNamespace: doc.Serial,
		CreationInfo: creationInfo{Created: e.date, Creators: as.lines(creatorsOf(doc.Tools, doc.Authors))},
	}
	if out.Name == "" {
		out.Name = "unnamed"
	}
	if err := e.name(); err != nil {
		return nil, nil, err
	}
	for c := range e.components() {
		e.extract(c)
	}
	for _, info := range e.infos {
		out.Extracted = append(out.Extracted, info)
	}
	slices.SortFunc(out.Extracted, func(a, b extracted) int { return strings.Compare(a.ID, b.ID) })
	var err error
	out.Annotations, err = e.documentNote(out.CreationInfo.Creators)
	return e, out, err
}

// relationships gives what the document describes, then those of the components.
func (e *encoder) relationships(yield func(*relationship)) {
	for i, c := range e.order {
		if c == &e.doc.Root || e.doc.Root.ID == "" {
			yield(&relationship{From: documentID, Type: "DESCRIBES", To: e.names[i]})
		}
	}
	var from assay.ComponentID
	var fromID string
	for _, r := range e.doc.Relations {
		if r.From != from { // they are sorted by it
			from, fromID = r.From, e.ids[r.From]
		}
		rel := relationship{From: fromID, Type: written[r.Kind], To: e.ids[r.To]}
		if rel.Type == "" {
			rel.Type, rel.Comment = "OTHER", KindComment(r.Kind)
		}
		yield(&rel)
	}
}

type encoder struct {
	doc     *assay.SBOM
	as      *dialect
	date    string
	ids     map[assay.ComponentID]string
	order   []*assay.Component // with their SPDXIDs in names
	names   []string
	id      string               // the SPDXID of the one that is written
	infos   map[string]extracted // by LicenseRef
	refs    map[string]string    // LicenseRefs by what they stand for
	scratch []byte
	// analyzed is what every package says of its files: no.
	analyzed bool
}

// isFile tells what is written as a file: SPDX 2 has no member of a file for
// versions, who made it and external references, and requires a SHA1 (8.4).
func isFile(c *assay.Component) bool {
	return c.Type == assay.TypeFile && c.Version == "" && c.PURL.IsZero() && len(c.CPEs) == 0 && c.Supplier == "" && c.Creator == "" && c.Name != "" &&
		slices.ContainsFunc(c.Hashes, func(d assay.Digest) bool { return d.Algorithm() == assay.SHA1 })
}

// components gives the root, if there is one, and the others.
func (e *encoder) components() func(yield func(*assay.Component) bool) {
	return func(yield func(*assay.Component) bool) {
		for i, c := range e.order {
			if e.id = e.names[i]; !yield(c) {
				return
			}
		}
	}
}

// name gives each component its SPDXID.
func (e *encoder) name() error {
	taken := make(map[string]assay.ComponentID, len(e.doc.Components)+1)
	add := func(c *assay.Component) error {
		id := elementID(c.ID)
		if other, ok := taken[id]; ok {
			return &assay.Error{Op: "write SPDX", Kind: assay.ErrInvalid, Subject: e.doc.Root.Name, Field: "id", Value: string(c.ID),
				Bound: "an id whose SPDXID is not that of " + string(other)}
		}
		taken[id] = c.ID
		e.ids[c.ID] = id
		e.order, e.names = append(e.order, c), append(e.names, id)
		return nil
	}
	e.order, e.names = make([]*assay.Component, 0, len(e.doc.Components)+1), make([]string, 0, len(e.doc.Components)+1)
	if e.doc.Root.ID != "" {
		if err := add(&e.doc.Root); err != nil {
			return err
		}
	}
	for i := range e.doc.Components {
		if err := add(&e.doc.Components[i]); err != nil {
			return err
		}
	}
	return nil
}

func (e *encoder) licenseRef(name string) string {
	ref, ok := e.refs[name]
	if !ok {
		ref = LicenseRef(name)
		e.refs[name] = ref
	}
	return ref
}

// extract collects what LicenseRefs stand for. An expression may use some whose
// text nobody has told.
func (e *encoder) extract(c *assay.Component) {
	for _, l := range c.Licenses {
		if l.Expression == "" {
			ref := e.licenseRef(l.Name)
			e.infos[ref] = extracted{ID: ref, Name: e.as.name(l.Name), Text: e.as.text(l.Name)}
			continue
		}
		for _, ref := range license.Refs(l.Expression) {
			if _, ok := e.infos[ref]; !ok {
				e.infos[ref] = extracted{ID: ref, Text: noAssertion}
			}
		}
	}
}

// facts gives those of every element, and those that the dialect cannot hold.
func (e *encoder) facts(c *assay.Component, name, description string) ComponentFacts {
	f := ComponentFacts{Source: c.Source, Locations: c.Locations, FoundBy: c.FoundBy, Properties: c.Properties}
	if e.id[len(refPrefix):] != string(c.ID) {
		f.ID = c.ID
	}
	if name != c.Name {
		f.Name = &c.Name
	}
	if description != c.Description {
		f.Description = c.Description
	}
	return f
}

// survive reports whether a reader makes the licenses of the two expressions. It
// makes one of each, so that more need not be tried.
func (e *encoder) survive(list []assay.License, declared, concluded string) bool {
	n := [2]int{}
	for _, l := range list {
		i := 0
		if l.Concluded {
			i = 1
		}
		n[i]++
	}
	return n[0] <= 1 && n[1] <= 1 && (len(list) == 0 || slices.Equal(readLicenses(declared, concluded, e.infos, nil), list))
}

func (e *encoder) checksums(out []checksum, c *assay.Component, f *ComponentFacts) []checksum {
	for _, d := range c.Hashes {
		if name, ok := e.as.hasAlgorithm(d.Algorithm()); ok {
			out = append(out, checksum{name, d.Hex()})
		} else {
			f.Hashes = append(f.Hashes, d)
		}
	}
	return out
}

func (e *encoder) file(c *assay.Component) (file, ComponentFacts) {
	f := file{SPDXID: e.id, FileName: e.as.name(c.Name), CopyrightText: noAssertion}
	facts := e.facts(c, f.FileName, "")
	_, f.LicenseConcluded = licensesOf(c.Licenses, e.licenseRef)
	f.LicenseConcluded = e.as.line(f.LicenseConcluded)
	if !e.survive(c.Licenses, noAssertion, f.LicenseConcluded) {
		facts.Licenses = c.Licenses
	}
	f.LicenseInfos = []string{noAssertion}
	f.Checksums = e.checksums(nil, c, &facts)
	facts.References = c.References
	return f, facts
}

// pkg writes into p, whose lists it uses again, and gives what p has no member for.
func (e *encoder) pkg(c *assay.Component, p *pkg) ComponentFacts {
	sums, refs := p.Checksums[:0], p.ExternalRefs[:0]
	*p = pkg{
		SPDXID: e.id, Name: e.as.name(c.Name), VersionInfo: e.as.line(c.Version), Supplier: e.as.line(supplierOf(c.Supplier)), DownloadLocation: noAssertion,
		FilesAnalyzed: &e.analyzed, ExternalRefs: refs, Purpose: e.as.purpose(c.Type), Originator: e.as.line(supplierOf(c.Creator)), CopyrightText: noAssertion, Description: e.as.text(c.Description),
	}
	facts := e.facts(c, p.Name, p.Description)
	if t, ok := typeOf(p.Purpose); !ok || t != c.Type {
		facts.Type = c.Type
	}
	if p.VersionInfo != c.Version {
		facts.Version = c.Version
	}
	if agentName(p.Supplier) != c.Supplier {
		facts.Supplier = c.Supplier
	}
	if agentName(p.Originator) != c.Creator {
		facts.Creator = c.Creator
	}
	declared, concluded := licensesOf(c.Licenses, e.licenseRef)
	p.LicenseDeclared, p.LicenseConcluded = e.as.line(declared), e.as.line(concluded)
	if !e.survive(c.Licenses, p.LicenseDeclared, p.LicenseConcluded) {
		facts.Licenses = c.Licenses
	}
	p.Checksums = e.checksums(sums, c, &facts)
	if !c.PURL.IsZero() {
		p.ExternalRefs = append(p.ExternalRefs, external{e.as.packageManager(), "purl", c.PURL.String(), ""})
	}
	for _, cpe := range c.CPEs {
		switch {
		case e.as.tagValue && strings.ContainsFunc(cpe, isSpace):
			facts.CPEs = append(facts.CPEs, cpe)
		case strings.HasPrefix(cpe, "cpe:/"):
			p.ExternalRefs = append(p.ExternalRefs, external{"SECURITY", "cpe22Type", cpe, ""})
		default:
			p.ExternalRefs = append(p.ExternalRefs, external{"SECURITY", "cpe23Type", cpe, ""})
		}
	}
	e.references(c, p, &facts)
	return facts
}

// isSpace tells what cannot be inside of a word of a tag-value document.
func isSpace(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) || r == '<' }

func (e *encoder) documentNote(creators []string) ([]annotation, error) {
	doc := e.doc
	facts := DocumentFacts{NoRoot: doc.Root.ID == "", Lifecycle: doc.Lifecycle, Completeness: doc.Completeness, Layers: doc.Layers}
	if doc.Version != 1 {
		facts.Version = doc.Version
	}
	if tools, authors := readCreators(creators); !slices.Equal(tools, doc.Tools) || !slices.Equal(authors, doc.Authors) {
		facts.Creators = &CreatorFacts{Authors: doc.Authors, Tools: doc.Tools}
	}
	b, err := strictjson.Marshal(&facts)
	return e.note(documentNote, b), err
}
