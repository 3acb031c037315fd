package spdx

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/strictjson"
	"github.com/assaykit/assay/sbom/internal/canon"
	"github.com/assaykit/assay/sbom/internal/license"
	"github.com/assaykit/assay/sbom/internal/quick"
	"github.com/assaykit/assay/sbom/internal/shape"
)

const opRead = "read SPDX"

// Decode reads a document of SPDX 2.2 or 2.3 in JSON. It calls report for everything
// in it that the model has no home for.
func Decode(name string, data []byte, report func(field string, id assay.ComponentID, reason string)) (*assay.SBOM, error) {
	return decode(name, data, inJSON, report)
}

func decode(name string, data []byte, as *dialect, report func(field string, id assay.ComponentID, reason string)) (*assay.SBOM, error) {
	d, err := check(name, data, as)
	if err != nil {
		return nil, err
	}
	return d.finish(report)
}

// finish makes the SBOM of a document that was checked.
func (d *decoder) finish(report func(field string, id assay.ComponentID, reason string)) (*assay.SBOM, error) {
	out, err := d.sbom(d.doc)
	if err != nil {
		return nil, err
	}
	for _, l := range d.lost {
		report(l.pointer, d.owner(l.pointer), l.reason)
	}
	return out, nil
}

// check holds the document to strict JSON and to the grammar, in one pass if it is
// right. What is wrong with one that is not, the passes after each other say: what is
// wrong with the JSON comes first.
func check(name string, data []byte, as *dialect) (*decoder, error) {
	if v := versionOf(data); known(v) && len(data) <= strictjson.DefaultMaxBytes {
		d := newDecoder(name, v, as)
		if d.walk(data) == nil && readDocument(data, d.doc) && d.doc.SPDXVersion == v {
			return d, nil
		}
	}
	var doc document
	if err := strictjson.Unmarshal(name, data, &doc, strictjson.Limits{}); err != nil {
		return nil, err
	}
	if v := doc.SPDXVersion; strings.HasPrefix(v, "SPDX-") && !known(v) {
		return nil, &assay.Error{Op: opRead, Kind: assay.ErrUnchecked, Subject: name, Field: "/spdxVersion", Value: v, Bound: "a version that can be read: SPDX-2.2, SPDX-2.3"}
	}
	d := newDecoder(name, doc.SPDXVersion, as)
	d.doc = &doc
	return d, d.walk(data)
}

func known(version string) bool { return version == "SPDX-2.2" || version == "SPDX-2.3" }

// versionOf gives the version that a document, not checked yet, seems to be of.
func versionOf(data []byte) string {
	r := quick.NewReader(data)
	for r.Into('{'); r.More('}'); {
		if string(r.Name()) == "spdxVersion" {
			return r.Text()
		}
		r.Skip()
	}
	return ""
}

func newDecoder(name, version string, as *dialect) *decoder {
	d := &decoder{name: name, as: as, version: strings.TrimPrefix(version, "SPDX-"), doc: new(document), defined: make(map[string]bool)}
	if d.version == "2.2" {
		d.as = as.as22()
	}
	return d
}

func (d *decoder) walk(data []byte) error {
	return shape.Walk(opRead, d.name, data, grammar(d.as.old), shape.Visitor{
		Dropped: func(pointer string) { d.lose(pointer, "the model has no place for it") },
		AnyName: "SPDXID", // of snippets
		Any:     func(id string) { d.defined[id] = true },
		Labeled: func(_, value string, pointer func() string) error {
			if d.defined[value] || value == documentID {
				return &assay.Error{Field: pointer(), Value: value, Bound: "an SPDXID that is unique in the document"}
			}
			d.defined[value] = true
			return nil
		},
	})
}

type decoder struct {
	name    string
	as      *dialect
	version string
	doc     *document
	ids     map[string]assay.ComponentID // by SPDXID
	defined map[string]bool
	infos   map[string]extracted
	lost    []lost
}

type lost struct{ pointer, reason string }

func (d *decoder) lose(pointer, reason string) { d.lost = append(d.lost, lost{pointer, reason}) }

// owner finds the component that a pointer leads into.
func (d *decoder) owner(pointer string) assay.ComponentID {
	part := strings.SplitN(pointer, "/", 4)
	if len(part) < 3 {
		return ""
	}
	i, err := strconv.Atoi(part[2])
	switch {
	case err != nil || i < 0:
	case part[1] == "packages" && i < len(d.doc.Packages):
		return d.ids[d.doc.Packages[i].SPDXID]
	case part[1] == "files" && i < len(d.doc.Files):
		return d.ids[d.doc.Files[i].SPDXID]
	}
	return ""
}

func (d *decoder) invalid(field, value, want string) error {
	return &assay.Error{Op: opRead, Kind: assay.ErrInvalid, Subject: d.name, Field: field, Value: value, Bound: want}
}

func (d *decoder) sbom(doc *document) (*assay.SBOM, error) {
	out := &assay.SBOM{Serial: doc.DocumentNamespace, Version: 1, Components: []assay.Component{},
		Format: d.as.format + "/" + d.version}
	created, err := time.Parse(time.RFC3339, doc.CreationInfo.Created)
	if err != nil {
		return nil, d.invalid("/creationInfo/created", doc.CreationInfo.Created, "a date and time")
	}
	out.Created = created.UTC()
	d.ids = make(map[string]assay.ComponentID, len(doc.Packages)+len(doc.Files))
	d.infos = make(map[string]extracted, len(doc.Extracted))
	var facts DocumentFacts
	found, err := readNote(d.name, "/annotations", documentNote, doc.Annotations, &facts, d.annotation("/annotations"))
	if err != nil {
		return nil, err
	}
	if err := d.creators(doc, &facts, out); err != nil {
		return nil, err
	}
	if found {
		out.Lifecycle, out.Layers, out.Completeness = facts.Lifecycle, facts.Layers, facts.Completeness
		if facts.Version < 0 {
			return nil, d.invalid("/annotations", fmt.Sprint(facts.Version), "a version of 1 or more")
		}
		out.Version = max(1, facts.Version)
		if slices.ContainsFunc(out.Layers, assay.Digest.IsZero) {
			return nil, d.invalid("/annotations", "layers", "digests")
		}
	}
	if err := d.packages(doc, out); err != nil {
		return nil, err
	}
	described, err := d.relations(doc, out)
	if err != nil {
		return nil, err
	}
	if err := d.root(doc, &facts, described, out); err != nil {
		return nil, err
	}
	if doc.Name != d.as.line(out.Root.Name) && !(d.as.line(out.Root.Name) == "" && doc.Name == "unnamed") {
		d.lose("/name", "the model has the name of the root component only")
	}
	if err := out.Normalize(); err != nil {
		return nil, &assay.Error{Op: opRead, Kind: assay.ErrInvalid, Subject: d.name, Err: err}
	}
	out.Completeness = slices.Compact(out.Completeness)
	for _, s := range out.Completeness {
		if _, ok := out.Component(s.Of); !canon.ValidCompleteness(s) || s.Of != "" && !ok {
			return nil, d.invalid("/annotations", s.Scope+" "+s.Aggregate, "a statement of completeness about a component")
		}
	}
	return out, nil
}

func (d *decoder) creators(doc *document, facts *DocumentFacts, out *assay.SBOM) error {
	out.Tools, out.Authors = readCreators(doc.CreationInfo.Creators)
	out.Tools = canon.Unique(out.Tools)
	if f := facts.Creators; f != nil {
		if !slices.Equal(d.as.lines(creatorsOf(f.Tools, f.Authors)), doc.CreationInfo.Creators) || slices.Contains(f.Authors, "") {
			return d.invalid("/annotations", "creators", "what /creationInfo/creators says")
		}
		out.Tools, out.Authors = canon.Unique(f.Tools), f.Authors
		return nil
	}
	for i, c := range doc.CreationInfo.Creators {
		if back := creatorsOf(readCreators([]string{c})); !slices.Equal(back, []string{c}) {
			d.lose(shape.Pointer("/creationInfo/creators", i), "the model does not tell persons from organisations; it would be written as "+back[0])
		}
	}
	return nil
}

func (d *decoder) packages(doc *document, out *assay.SBOM) error {
	used := make(map[string]bool) // LicenseRefs whose text is kept as a name
	for i, info := range doc.Extracted {
		if _, ok := d.infos[info.ID]; ok {
			return d.invalid(shape.Pointer("/hasExtractedLicensingInfos", i), info.ID, "a licenseId that is unique in the document")
		}
		d.infos[info.ID] = info
	}
	taken := make(map[assay.ComponentID]bool, len(doc.Packages)+len(doc.Files))
	out.Components = make([]assay.Component, 0, len(doc.Packages)+len(doc.Files))
	add := func(pointer, spdxID string, c assay.Component) error {
		if taken[c.ID] || c.ID == "" {
			return d.invalid(pointer, string(c.ID), "an id that is unique in the document")
		}
		taken[c.ID] = true
		d.ids[spdxID] = c.ID
		out.Components = append(out.Components, c)
		return nil
	}
	for i := range doc.Packages {
		pointer := shape.Pointer("/packages", i)
		c, err := d.component(&doc.Packages[i], pointer, used)
		if err == nil {
			err = add(pointer, doc.Packages[i].SPDXID, c)
		}
		if err != nil {
			return err
		}
	}
	for i := range doc.Files {
		pointer := shape.Pointer("/files", i)
		c, err := d.file(&doc.Files[i], pointer, used)
		if err == nil {
			err = add(pointer, doc.Files[i].SPDXID, c)
		}
		if err != nil {
			return err
		}
	}
	for i, info := range doc.Extracted {
		if !used[info.ID] && !(info.Name == "" && info.Text == noAssertion) {
			d.lose(shape.Pointer("/hasExtractedLicensingInfos", i), "the model keeps the name of a license that stands alone only")
		} else if info.Text != noAssertion && info.Name != "" && d.as.name(info.Text) != info.Name {
			d.lose(shape.Pointer("/hasExtractedLicensingInfos", i)+"/extractedText", "the model has no place for it")
		}
	}
	return nil
}

// annotation gives what to do with an annotation that is not one of ours.
func (d *decoder) annotation(pointer string) func(i int) {
	return func(i int) { d.lose(shape.Pointer(pointer, i), "the model has no place for it") }
}

// element is what packages and files have in common.
type element struct {
	pointer, spdxID, name, description string
	facts                              ComponentFacts
}

func (d *decoder) contradiction(e *element, field string) error {
	return d.invalid(e.pointer+"/annotations", field, "what the element itself says")
}

// read gives a component with what is the same for packages and files.
func (d *decoder) read(e *element, annotations []annotation, sums []checksum) (c assay.Component, err error) {
	f := &e.facts
	if _, err := readNote(d.name, e.pointer+"/annotations", componentNote, annotations, f, d.annotation(e.pointer+"/annotations")); err != nil {
		return c, err
	}
	c = assay.Component{ID: assay.ComponentID(strings.TrimPrefix(e.spdxID, refPrefix)), Name: e.name, Description: e.description,
		Source: f.Source, FoundBy: f.FoundBy, Properties: f.Properties, Locations: f.Locations}
	if f.ID != "" {
		if elementID(f.ID) != e.spdxID {
			return c, d.contradiction(e, "id")
		}
		c.ID = f.ID
	}
	if f.Name != nil {
		if d.as.name(*f.Name) != e.name {
			return c, d.contradiction(e, "name")
		}
		c.Name = *f.Name
	}
	if f.Description != "" {
		if e.description != "" && d.as.text(f.Description) != e.description {
			return c, d.contradiction(e, "description")
		}
		c.Description = f.Description
	}
	slices.SortFunc(c.Locations, assay.Location.Compare)
	c.Locations = slices.Compact(c.Locations)
	c.Hashes, err = d.checksums(sums, e.pointer+"/checksums", f.Hashes)
	return c, err
}

// licenses are those of the element's expressions, which the facts may tell apart.
func (d *decoder) licenses(e *element, declared, concluded string, used map[string]bool) ([]assay.License, error) {
	list := e.facts.Licenses
	if list == nil {
		return readLicenses(declared, concluded, d.infos, d.licenseLoss(e.pointer, used)), nil
	}
	wantDeclared, wantConcluded := licensesOf(list, LicenseRef)
	if d.as.line(wantConcluded) != concluded || declared != "" && d.as.line(wantDeclared) != declared {
		return nil, d.contradiction(e, "licenses")
	}
	for _, l := range list {
		if l != license.Parse(l.Expression+l.Name, l.Concluded) || l.Expression+l.Name == "" {
			return nil, d.contradiction(e, "licenses")
		}
		if l.Name == "" {
			continue
		}
		ref := LicenseRef(l.Name)
		if d.infos[ref].Name != d.as.name(l.Name) {
			return nil, d.contradiction(e, "licenses")
		}
		used[ref] = true
	}
	license.Sort(&list)
	return list, nil
}

func (d *decoder) file(f *file, pointer string, used map[string]bool) (assay.Component, error) {
	e := &element{pointer: pointer, spdxID: f.SPDXID, name: f.FileName}
	c, err := d.read(e, f.Annotations, f.Checksums)
	if err != nil {
		return c, err
	}
	c.Type = assay.TypeFile
	if x := &e.facts; x.Type != "" || x.Version != "" || x.Supplier != "" || x.Creator != "" || len(x.CPEs) > 0 {
		return c, d.contradiction(e, "facts of a package")
	}
	if stated(f.CopyrightText) {
		d.lose(pointer+"/copyrightText", "the model has no place for it")
	}
	if slices.ContainsFunc(f.LicenseInfos, func(s string) bool { return s != noAssertion }) {
		d.lose(pointer+"/licenseInfoInFiles", "the model has no place for it")
	}
	if err := d.known(e, nil, &c); err != nil {
		return c, err
	}
	c.Licenses, err = d.licenses(e, "", f.LicenseConcluded, used)
	return c, err
}

func (d *decoder) component(p *pkg, pointer string, used map[string]bool) (assay.Component, error) {
	e := &element{pointer: pointer, spdxID: p.SPDXID, name: p.Name, description: p.Description}
	c, err := d.read(e, p.Annotations, p.Checksums)
	if err != nil {
		return c, err
	}
	facts := &e.facts
	c.Version, c.Supplier, c.CPEs = p.VersionInfo, agentName(p.Supplier), facts.CPEs
	if facts.Description != "" && p.Description == "" && d.as.text(facts.Description) != "" {
		return c, d.contradiction(e, "description")
	}
	if facts.Version != "" {
		if d.as.line(facts.Version) != p.VersionInfo {
			return c, d.contradiction(e, "version")
		}
		c.Version = facts.Version
	}
	var ok bool
	if c.Type, ok = typeOf(p.Purpose); facts.Type != "" {
		if !canon.ValidType(facts.Type) || d.as.purpose(facts.Type) != p.Purpose {
			return c, d.contradiction(e, "type")
		}
		c.Type = facts.Type
	} else if !ok {
		d.lose(pointer+"/primaryPackagePurpose", "the model has no such type of component; read as library")
	}
	if facts.Supplier != "" {
		if d.as.line(supplierOf(facts.Supplier)) != p.Supplier {
			return c, d.contradiction(e, "supplier")
		}
		c.Supplier = facts.Supplier
	} else if isPerson(p.Supplier) {
		d.lose(pointer+"/supplier", "the model does not tell persons from organisations")
	}
	c.Creator = agentName(p.Originator)
	if facts.Creator != "" {
		if d.as.line(supplierOf(facts.Creator)) != p.Originator {
			return c, d.contradiction(e, "creator")
		}
		c.Creator = facts.Creator
	} else if isPerson(p.Originator) {
		d.lose(pointer+"/originator", "the model does not tell persons from organisations")
	}
	if c.Licenses, err = d.licenses(e, p.LicenseDeclared, p.LicenseConcluded, used); err != nil {
		return c, err
	}
	found, err := d.externals(p.ExternalRefs, pointer+"/externalRefs", &c)
	if err != nil {
		return c, err
	}
	if err := d.references(e, p, found, &c); err != nil {
		return c, err
	}
	if stated(p.CopyrightText) {
		d.lose(pointer+"/copyrightText", "the model has no place for it")
	}
	if p.FilesAnalyzed != nil && *p.FilesAnalyzed {
		d.lose(pointer+"/filesAnalyzed", "the model has no place for it")
	}
	return c, nil
}

// licenseLoss gives what readLicenses calls: for a text that is no expression, and
// for a LicenseRef of which the name is kept.
func (d *decoder) licenseLoss(pointer string, used map[string]bool) func(member, text string, l assay.License, valid bool) {
	return func(member, text string, l assay.License, valid bool) {
		switch {
		case text == none:
			d.lose(pointer+"/"+member, "the model does not tell 'no license' from 'none stated'")
		case !valid:
			d.lose(pointer+"/"+member, "not a valid SPDX expression; kept as a name")
		case l.Expression != text:
			used[strings.TrimSpace(text)] = true
		}
	}
}

// readLicenses gives what the two expressions of an element state.
func readLicenses(declared, concluded string, infos map[string]extracted, seen func(member, text string, l assay.License, valid bool)) []assay.License {
	var out []assay.License
	for _, m := range []struct {
		member, text string
		concluded    bool
	}{{"licenseDeclared", declared, false}, {"licenseConcluded", concluded, true}} {
		if !stated(m.text) {
			if m.text == none && seen != nil {
				seen(m.member, m.text, assay.License{}, true)
			}
			continue
		}
		l, valid := readLicense(m.text, m.concluded, infos)
		if seen != nil {
			seen(m.member, m.text, l, valid)
		}
		out = append(out, l)
	}
	license.Sort(&out)
	return out
}

func (d *decoder) checksums(list []checksum, pointer string, more assay.DigestSet) (assay.DigestSet, error) {
	out := slices.Clone([]assay.Digest(more))
	for i, c := range list {
		here := shape.Pointer(pointer, i)
		alg, ok := algorithms[c.Algorithm]
		switch {
		case !ok:
			d.lose(here, "the model has no algorithm "+c.Algorithm)
			continue
		case alg == assay.BLAKE3 && len(c.Value) != 64:
			d.lose(here, "the model has BLAKE3 of 256 bits only")
			continue
		}
		digest, err := assay.NewDigest(alg, strings.ToLower(c.Value))
		if err != nil {
			return nil, d.invalid(here+"/checksumValue", c.Value, "a digest of the length of "+c.Algorithm)
		}
		out = append(out, digest)
	}
	set, err := assay.NewDigestSet(out...)
	if err != nil {
		return nil, &assay.Error{Op: opRead, Kind: assay.ErrInvalid, Subject: d.name, Field: pointer, Err: err}
	}
	return set, nil
}

// relations gives the SPDXIDs that the document says it describes.
func (d *decoder) relations(doc *document, out *assay.SBOM) (described []string, err error) {
	out.Relations = make([]assay.Relation, 0, len(doc.Relationships))
	for i, ref := range doc.Describes {
		if !d.defined[ref] {
			return nil, d.invalid(shape.Pointer("/documentDescribes", i), ref, "the SPDXID of an element")
		}
		described = append(described, ref)
	}
	for i := range doc.Packages {
		for j, ref := range doc.Packages[i].HasFiles {
			to, ok := d.ids[ref]
			if !ok {
				return nil, d.invalid(shape.Pointer(shape.Pointer("/packages", i)+"/hasFiles", j), ref, "the SPDXID of a file")
			}
			out.Relations = append(out.Relations, assay.Relation{From: d.ids[doc.Packages[i].SPDXID], Kind: assay.Contains, To: to})
		}
	}
	for i, r := range doc.Relationships {
		here := shape.Pointer("/relationships", i)
		for _, end := range []struct{ member, ref string }{{"/spdxElementId", r.From}, {"/relatedSpdxElement", r.To}} {
			if strings.HasPrefix(end.ref, refPrefix) && end.ref != documentID && !d.defined[end.ref] {
				return nil, d.invalid(here+end.member, end.ref, "the SPDXID of an element")
			}
		}
		from, to := r.From, r.To
		if r.Type == "DESCRIBED_BY" {
			from, to = to, from
		}
		if (r.Type == "DESCRIBES" || r.Type == "DESCRIBED_BY") && from == documentID && d.defined[to] {
			described = append(described, to)
			continue
		}
		rel := relationTypes[r.Type]
		kind := rel.kind
		if rel.reversed {
			from, to = to, from
		}
		comment := r.Comment
		if name, ok := KindOf(comment); ok && r.Type == "OTHER" {
			kind, comment = name, ""
		}
		a, okA := d.ids[from]
		b, okB := d.ids[to]
		switch {
		case kind == "":
			d.lose(here, "the model has no relation "+r.Type)
			continue
		case !okA || !okB:
			d.lose(here, "a relation to what is not a package or file of the document")
			continue
		}
		if comment != "" {
			d.lose(here+"/comment", "the model has no place for it")
		}
		if rel.less {
			d.lose(here+"/relationshipType", "read as "+string(kind)+", which says less than "+r.Type)
		}
		out.Relations = append(out.Relations, assay.Relation{From: a, Kind: kind, To: b})
	}
	slices.Sort(described)
	return slices.Compact(described), nil
}

// root moves the one component that is described out of the list.
func (d *decoder) root(doc *document, facts *DocumentFacts, described []string, out *assay.SBOM) error {
	if facts.NoRoot {
		if len(described) != len(out.Components) {
			return d.invalid("/annotations", "noRoot", "a document that describes all its packages")
		}
		return nil
	}
	if len(described) == 0 && len(out.Components) == 1 {
		described = []string{doc.onlyID()} // SPDX 2.3, 11.1: implied then
	}
	if len(described) != 1 {
		d.lose("/relationships", fmt.Sprintf("the model has one root, and the document describes %d elements", len(described)))
		return nil
	}
	id, ok := d.ids[described[0]]
	if !ok {
		d.lose("/relationships", "the document describes "+described[0]+", which is not a package or file")
		return nil
	}
	i := slices.IndexFunc(out.Components, func(c assay.Component) bool { return c.ID == id })
	out.Root = out.Components[i]
	out.Components = slices.Delete(out.Components, i, i+1)
	return nil
}

func (d *document) onlyID() string {
	if len(d.Packages) == 1 {
		return d.Packages[0].SPDXID
	}
	return d.Files[0].SPDXID
}
