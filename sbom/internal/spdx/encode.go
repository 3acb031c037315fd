package spdx

import (
	"slices"
	"strings"
	"time"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/strictjson"
	"github.com/assaykit/assay/sbom/internal/license"
)

const timeFormat = "2006-01-02T15:04:05Z"

// Encode writes a document of SPDX 2.3, without a newline at its end. The SBOM is
// in canonical form, as package sbom makes it, with a namespace in Serial and with
// Created set. Report is called for what cannot be written.
func Encode(doc *assay.SBOM, report func(field string, id assay.ComponentID, reason string)) ([]byte, error) {
	if doc.Created.IsZero() {
		return nil, &assay.Error{Op: "write SPDX", Kind: assay.ErrInvalid, Subject: doc.Root.Name, Field: "created",
			Bound: "a time, in the SBOM or in the options", Rule: "SPDX 2.3, 6.9"}
	}
	if doc.Created.Nanosecond() != 0 {
		report("created", "", "SPDX has whole seconds; the fraction is cut off")
	}
	e := &encoder{doc: doc, date: doc.Created.UTC().Truncate(time.Second).Format(timeFormat), ids: make(map[assay.ComponentID]string), infos: make(map[string]extracted)}
	out := document{
		SPDXVersion: "SPDX-2.3", DataLicense: "CC0-1.0", SPDXID: documentID, Name: doc.Root.Name, DocumentNamespace: doc.Serial,
		CreationInfo: creationInfo{Created: e.date, Creators: creatorsOf(doc.Tools, doc.Authors)},
	}
	if out.Name == "" {
		out.Name = "unnamed"
	}
	if err := e.name(); err != nil {
		return nil, err
	}
	for c := range e.components() {
		e.extract(c)
	}
	out.Packages = make([]pkg, 0, len(e.ids))
	out.Relationships = make([]relationship, 0, len(doc.Relations)+1)
	for c := range e.components() {
		p, err := e.pkg(c)
		if err != nil {
			return nil, err
		}
		out.Packages = append(out.Packages, p)
		if c == &doc.Root || doc.Root.ID == "" {
			out.Relationships = append(out.Relationships, relationship{From: documentID, Type: "DESCRIBES", To: p.SPDXID})
		}
	}
	for _, r := range doc.Relations {
		rel := relationship{From: e.ids[r.From], Type: written[r.Kind], To: e.ids[r.To]}
		if rel.Type == "" {
			rel.Type, rel.Comment = "OTHER", kindComment+string(r.Kind)
		}
		out.Relationships = append(out.Relationships, rel)
	}
	for _, info := range e.infos {
		out.Extracted = append(out.Extracted, info)
	}
	slices.SortFunc(out.Extracted, func(a, b extracted) int { return strings.Compare(a.ID, b.ID) })
	var err error
	out.Annotations, err = e.documentNote(out.CreationInfo.Creators)
	if err != nil {
		return nil, err
	}
	return strictjson.Marshal(&out)
}

type encoder struct {
	doc   *assay.SBOM
	date  string
	ids   map[assay.ComponentID]string
	infos map[string]extracted // by LicenseRef
}

// components gives the root, if there is one, and the others.
func (e *encoder) components() func(yield func(*assay.Component) bool) {
	return func(yield func(*assay.Component) bool) {
		if e.doc.Root.ID != "" && !yield(&e.doc.Root) {
			return
		}
		for i := range e.doc.Components {
			if !yield(&e.doc.Components[i]) {
				return
			}
		}
	}
}

func (e *encoder) name() error {
	taken := make(map[string]assay.ComponentID)
	for c := range e.components() {
		id := elementID(c.ID)
		if other, ok := taken[id]; ok {
			return &assay.Error{Op: "write SPDX", Kind: assay.ErrInvalid, Subject: e.doc.Root.Name, Field: "id", Value: string(c.ID),
				Bound: "an id whose SPDXID is not that of " + string(other)}
		}
		taken[id] = c.ID
		e.ids[c.ID] = id
	}
	return nil
}

// extract collects what LicenseRefs stand for. An expression may use some whose
// text nobody has told.
func (e *encoder) extract(c *assay.Component) {
	for _, l := range c.Licenses {
		if l.Expression == "" {
			e.infos[licenseRef(l.Name)] = extracted{ID: licenseRef(l.Name), Name: l.Name, Text: l.Name}
			continue
		}
		for _, ref := range license.Refs(l.Expression) {
			if _, ok := e.infos[ref]; !ok {
				e.infos[ref] = extracted{ID: ref, Text: noAssertion}
			}
		}
	}
}

func (e *encoder) pkg(c *assay.Component) (pkg, error) {
	analyzed := false
	p := pkg{
		SPDXID: e.ids[c.ID], Name: c.Name, VersionInfo: c.Version, Supplier: supplierOf(c.Supplier), DownloadLocation: noAssertion, FilesAnalyzed: &analyzed,
		Purpose: purposeOf(c.Type), CopyrightText: noAssertion, Description: c.Description,
	}
	facts := componentFacts{Source: c.Source, Locations: c.Locations, FoundBy: c.FoundBy, Properties: c.Properties}
	if p.SPDXID != refPrefix+string(c.ID) {
		facts.ID = c.ID
	}
	if t, ok := typeOf(p.Purpose); !ok || t != c.Type {
		facts.Type = c.Type
	}
	if p.Supplier == noAssertion {
		facts.Supplier = c.Supplier
	}
	p.LicenseDeclared, p.LicenseConcluded = licensesOf(c.Licenses)
	if !slices.Equal(readLicenses(&p, e.infos, nil), c.Licenses) {
		facts.Licenses = c.Licenses
	}
	for _, d := range c.Hashes {
		if name, ok := algorithmNames[d.Algorithm()]; ok {
			p.Checksums = append(p.Checksums, checksum{name, d.Hex()})
		} else {
			facts.Hashes = append(facts.Hashes, d)
		}
	}
	if !c.PURL.IsZero() {
		p.ExternalRefs = append(p.ExternalRefs, external{"PACKAGE-MANAGER", "purl", c.PURL.String()})
	}
	for _, cpe := range c.CPEs {
		kind := "cpe23Type"
		if strings.HasPrefix(cpe, "cpe:/") {
			kind = "cpe22Type"
		}
		p.ExternalRefs = append(p.ExternalRefs, external{"SECURITY", kind, cpe})
	}
	var err error
	p.Annotations, err = note(componentNote, &facts, e.date)
	return p, err
}

func (e *encoder) documentNote(creators []string) ([]annotation, error) {
	doc := e.doc
	facts := documentFacts{NoRoot: doc.Root.ID == "", Lifecycle: doc.Lifecycle, Completeness: doc.Completeness, Layers: doc.Layers}
	if doc.Version != 1 {
		facts.Version = doc.Version
	}
	if tools, authors := readCreators(creators); !slices.Equal(tools, doc.Tools) || !slices.Equal(authors, doc.Authors) {
		facts.Creators = &creatorFacts{Authors: doc.Authors, Tools: doc.Tools}
	}
	return note(documentNote, &facts, e.date)
}
