package spdx3

import (
	"slices"
	"strings"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/sbom/internal/canon"
	"github.com/assaykit/assay/sbom/internal/license"
	"github.com/assaykit/assay/sbom/internal/spdx"
)

// packages reads packages and files, in the order of the document.
func (d *decoder) packages() error {
	m := model()
	artifact := func(o *object) bool {
		return o.class != nil && (o.class.is(m["software_Package"]) || o.class == m["software_File"])
	}
	// An id in the namespace gives way to an element of another one that has the same
	// as its IRI.
	foreign := make(map[assay.ComponentID]bool)
	for _, o := range d.objects {
		if id := assay.ComponentID(o.id); artifact(o) && d.ns.id(o.id) == id {
			foreign[id] = true
		}
	}
	for _, o := range d.objects {
		if !artifact(o) || d.used[o.id] { // which is the file of another
			continue
		}
		id := d.ns.id(o.id)
		if id != assay.ComponentID(o.id) && foreign[id] {
			id = assay.ComponentID(o.id)
		}
		id = assay.ComponentID(strings.Clone(string(id)))
		d.components[o.id] = id
		c, err := d.component(o, id)
		if err != nil {
			return err
		}
		d.out.Components = append(d.out.Components, c)
	}
	return nil
}

func (d *decoder) component(o *object, id assay.ComponentID) (assay.Component, error) {
	c := assay.Component{ID: id, Name: o.text("name"), Description: o.text("description")}
	text, properties, err := d.properties(o, componentNote, id)
	if err != nil {
		return c, err
	}
	var facts spdx.ComponentFacts
	if text != "" {
		if err := d.unmarshal(o, text, &facts); err != nil {
			return c, err
		}
	}
	contradiction := func(field string) error {
		return d.invalid(o.place.member("extension"), field, "what the element itself says")
	}
	if facts.ID != "" || facts.Name != nil || facts.Version != "" || facts.Supplier != "" || facts.Creator != "" || facts.Description != "" || facts.Licenses != nil || facts.Properties != nil {
		return c, contradiction("a member that the element has itself")
	}
	c.Source, c.FoundBy, c.Locations, c.CPEs, c.Properties = facts.Source, facts.FoundBy, facts.Locations, facts.CPEs, properties
	slices.SortFunc(c.Locations, assay.Location.Compare)
	c.Locations = slices.Compact(c.Locations)
	if err := d.purpose(o, &facts, &c); err != nil {
		return c, err
	}
	if c.Hashes, err = d.hashes(o, id, facts.Hashes); err != nil {
		return c, err
	}
	if err := d.identifiers(o, &c); err != nil {
		return c, err
	}
	if by := o.node.get("suppliedBy"); by != nil {
		iri, to := d.target(by)
		a, ok := d.agent(to)
		c.Supplier = a.author()
		switch {
		case !ok:
			d.lose(o.place.member("suppliedBy"), id, "a supplier that the document does not name: "+iri)
		case a.class != "Organization" || a.name == "":
			d.lose(o.place.member("suppliedBy"), id, "the model does not tell persons from organisations")
		}
	}
	for i, it := range o.node.get("originatedBy").values() {
		at := func() place { return o.place.member("originatedBy").at(i) }
		iri, to := d.target(&it.value)
		a, ok := d.agent(to)
		switch {
		case !ok:
			d.lose(at(), id, "a creator that the document does not name: "+iri)
		case c.Creator != "":
			d.lose(at(), id, "the model has one creator of a component, the first")
		default:
			if c.Creator = a.author(); agentOf(c.Creator) != a {
				d.lose(at(), id, "the model does not tell persons from organisations")
			}
		}
	}
	if err := d.references(o, facts.References, &c); err != nil {
		return c, err
	}
	if err := d.artifact(o, &c); err != nil {
		return c, err
	}
	read := []string{"description", "extension", "externalIdentifier", "externalRef", "originatedBy", "verifiedUsing", "suppliedBy", "software_downloadLocation",
		"software_homePage", "software_primaryPurpose", "software_packageVersion", "software_packageUrl"}
	if v := o.node.get("software_copyrightText"); v != nil && (v.text == "NOASSERTION" || v.text == "NONE" || v.text == "") {
		read = append(read, "software_copyrightText")
	}
	d.rest(o, id, read...)
	return c, nil
}

func (d *decoder) purpose(o *object, facts *spdx.ComponentFacts, c *assay.Component) error {
	purpose := o.enum("software_primaryPurpose")
	var ok bool
	c.Type, ok = typeOf(purpose)
	switch o.class.name {
	case "software_File":
		c.Type, ok = assay.TypeFile, purpose == "" || purpose == "file"
	case "ai_AIPackage":
		c.Type, ok = assay.TypeModel, purpose == "" || purpose == "model"
	case "dataset_DatasetPackage":
		c.Type, ok = assay.TypeData, purpose == "" || purpose == "data"
	}
	if facts.Type != "" {
		if !canon.ValidType(facts.Type) || o.class.name != "software_Package" || purposeOf(facts.Type) != purpose {
			return d.invalid(o.place.member("extension"), "type", "what the element itself says")
		}
		c.Type, ok = facts.Type, true
	}
	if !ok {
		d.lose(o.place.member("software_primaryPurpose"), c.ID, "the model has no such type of component; read as "+string(c.Type))
	}
	if o.class.name == "ai_AIPackage" || o.class.name == "dataset_DatasetPackage" {
		d.lose(o.place.member("type"), c.ID, "read as a package of data or a model, which says less than "+o.class.name)
	}
	c.Version = o.text("software_packageVersion")
	return nil
}

func (d *decoder) hashes(o *object, id assay.ComponentID, more assay.DigestSet) (assay.DigestSet, error) {
	list := o.node.get("verifiedUsing").values()
	if len(list)+len(more) == 0 {
		return nil, nil
	}
	out := slices.Clone([]assay.Digest(more))
	for i, it := range list {
		at := func() place { return o.place.member("verifiedUsing").at(i) }
		h := object{node: d.object(&it.value)}
		if h.node == nil || className(scalar(typeOfNode(h.node))) != "Hash" {
			d.lose(at(), id, noPlace)
			continue
		}
		name, value := h.enum("algorithm"), h.text("hashValue")
		alg, ok := algorithms[name]
		if !ok || alg == assay.BLAKE3 && len(value) != 64 {
			d.lose(at(), id, "the model has no such digest of "+name)
			continue
		}
		digest, err := assay.NewDigest(alg, strings.ToLower(value))
		if err != nil {
			return nil, d.invalid(at().member("hashValue"), value, "a digest of the length of "+name)
		}
		if h.node.get("comment") != nil {
			d.lose(at().member("comment"), id, noPlace)
		}
		out = append(out, digest)
	}
	set, err := assay.NewDigestSet(out...)
	if err != nil {
		return nil, &assay.Error{Op: opRead, Kind: assay.ErrInvalid, Subject: d.name, Field: o.place.member("verifiedUsing").String(), Err: err}
	}
	return set, nil
}

// identifiers reads the purl and the CPEs.
func (d *decoder) identifiers(o *object, c *assay.Component) error {
	purl := func(at func() place, text string) error {
		p, err := assay.ParsePURL(text)
		if err != nil {
			return &assay.Error{Op: opRead, Kind: assay.ErrInvalid, Subject: d.name, Field: at().String(), Value: text, Bound: "a package URL", Err: err}
		}
		if c.PURL.IsZero() {
			c.PURL = p
		} else if c.PURL != p {
			d.lose(at(), c.ID, "the model has one purl of a component, the first")
		}
		return nil
	}
	if text := o.text("software_packageUrl"); text != "" {
		if err := purl(func() place { return o.place.member("software_packageUrl") }, text); err != nil {
			return err
		}
	}
	for i, it := range o.node.get("externalIdentifier").values() {
		at := func() place { return o.place.member("externalIdentifier").at(i) }
		x := object{node: d.object(&it.value)}
		if x.node == nil {
			d.lose(at(), c.ID, noPlace)
			continue
		}
		kind, value := x.enum("externalIdentifierType"), x.text("identifier")
		switch {
		case kind == "packageUrl":
			// The same text twice is the usual case.
			if c.PURL.IsZero() || c.PURL.String() != value {
				if err := purl(func() place { return at().member("identifier") }, value); err != nil {
					return err
				}
			}
		case (kind == "cpe22" || kind == "cpe23") && value != "":
			c.CPEs = append(c.CPEs, value)
		default:
			d.lose(at(), c.ID, "the model has no place for identifiers of type "+kind)
			continue
		}
		if len(x.node.items) > 3 {
			x.place = at()
			d.rest(&x, c.ID, "externalIdentifierType", "identifier")
		}
	}
	slices.Sort(c.CPEs)
	c.CPEs = slices.Compact(c.CPEs)
	return nil
}

// relationships reads all of them.
func (d *decoder) relationships() error {
	licenses := make(map[assay.ComponentID][]assay.License)
	m := model()
	for _, o := range d.objects {
		if o.class == nil || !o.class.is(m["Relationship"]) {
			continue
		}
		kind := o.enum("relationshipType")
		fromIRI, fromObject := d.target(o.node.get("from"))
		from, known := d.components[fromIRI]
		if o.class != m["Relationship"] && o.class != m["LifecycleScopedRelationship"] {
			d.lose(o.place, from, "the model has no place for a "+o.class.name+" here")
			continue
		}
		switch {
		case d.distributions[o]:
			d.rest(o, from, "from", "to", "relationshipType", "completeness")
		case kind == "describes" && fromObject != nil && fromObject.class != nil && fromObject.class.is(m["ElementCollection"]):
			for _, it := range o.node.get("to").values() {
				iri, _ := d.target(&it.value)
				d.described = append(d.described, iri)
			}
			d.rest(o, "", "from", "to", "relationshipType", "completeness")
		case !known:
			d.lose(o.place, "", "a relation of what is not a package or file of the document: "+fromIRI)
		case kind == "hasDeclaredLicense" || kind == "hasConcludedLicense":
			d.licensed(o, from, kind == "hasConcludedLicense", licenses)
		default:
			d.relation(o, from, kind)
		}
	}
	for i := range d.out.Components {
		c := &d.out.Components[i]
		if list := licenses[c.ID]; list != nil {
			license.Sort(&list)
			c.Licenses = list
		}
	}
	return nil
}

func (d *decoder) licensed(o *object, from assay.ComponentID, concluded bool, into map[assay.ComponentID][]assay.License) {
	for i, it := range o.node.get("to").values() {
		iri, to := d.target(&it.value)
		if iri == noAssertionLicense {
			continue
		}
		l, ok := d.licenseOf(iri, to, concluded, 16)
		switch {
		case ok:
			into[from] = append(into[from], l)
		case to != nil && to.class != nil && to.text("simplelicensing_licenseExpression") == "NOASSERTION":
		default:
			d.lose(o.place.member("to").at(i), from, "a license that the model cannot hold: "+iri)
		}
	}
	d.rest(o, from, "from", "to", "relationshipType")
}

func (d *decoder) relation(o *object, from assay.ComponentID, kind string) {
	rel := relationTypes[kind]
	comment := o.text("comment")
	if own, ok := spdx.KindOf(comment); ok && kind == "other" {
		rel.kind, comment = own, ""
	}
	if rel.kind == "" {
		d.lose(o.place, from, "the model has no relation "+kind)
		return
	}
	to := o.node.get("to").values()
	none := ""
	for i, it := range to {
		iri, _ := d.target(&it.value)
		id, ok := d.components[iri]
		switch {
		case ok:
			r := assay.Relation{From: from, Kind: rel.kind, To: id}
			if rel.reversed {
				r.From, r.To = id, from
			}
			d.out.Relations = append(d.out.Relations, r)
		case iri == noneElement || iri == noAssertionElement:
			none = iri
		default:
			d.lose(o.place.member("to").at(i), from, "a relation to what is not a package or file of the document: "+iri)
		}
	}
	if rel.less {
		d.lose(o.place.member("relationshipType"), from, "read as "+string(rel.kind)+", which says less than "+kind)
	}
	read := []string{"from", "to", "relationshipType"}
	if comment == "" {
		read = append(read, "comment")
	}
	aggregate := readAggregate(o.enum("completeness"))
	switch {
	case rel.reversed || rel.less || rel.kind != assay.Contains && rel.kind != assay.DependsOn:
		if aggregate == "unknown" || aggregate == "" {
			read = append(read, "completeness") // says nothing
		}
	default:
		read = append(read, "completeness")
		if aggregate == "" && none == noneElement {
			aggregate = "complete"
		} else if aggregate == "" && none == noAssertionElement {
			aggregate = "unknown"
		}
		key := claim{from, rel.kind, aggregate}
		d.ends[key] = append(d.ends[key], o.place.String())
	}
	d.rest(o, from, read...)
}
