package cyclonedx

import (
	"slices"
	"strings"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/sbom/internal/canon"
	"github.com/assaykit/assay/sbom/internal/license"
	"github.com/assaykit/assay/sbom/internal/shape"
)

func (d *decoder) components(list []component, pointer string, parent assay.ComponentID, out *assay.SBOM) error {
	out.Components = slices.Grow(out.Components, len(list))
	for i := range list {
		c, err := d.component(&list[i], shape.Pointer(pointer, i), parent, out)
		if err != nil {
			return err
		}
		out.Components = append(out.Components, c)
	}
	return nil
}

// component converts one, and appends those that are nested in it.
func (d *decoder) component(c *component, pointer string, parent assay.ComponentID, out *assay.SBOM) (assay.Component, error) {
	id := c.BOMRef
	if id == "" {
		// Without a bom-ref nothing refers to it, so that any id will do. The
		// place in the document is one that is the same each time.
		for id = "#" + pointer; d.refs[id]; {
			id += "'"
		}
		d.refs[id] = true
	}
	oc := assay.Component{ID: assay.ComponentID(id), Type: assay.ComponentType(c.Type), Name: c.fullName(), Version: c.Version, Description: c.Description}
	d.ids[pointer] = oc.ID
	d.made[oc.ID] = true
	if parent != "" {
		out.Relations = append(out.Relations, assay.Relation{From: parent, Kind: assay.Contains, To: oc.ID})
	}
	if c.Supplier != nil {
		oc.Supplier = c.Supplier.Name
	}
	if c.Manufacturer != nil {
		oc.Creator = d.maker(c.Manufacturer, pointer+"/manufacturer")
	}
	switch {
	case c.Author == "":
	case c.Manufacturer == nil: // which versions before 1.6 do not have
		oc.Creator = c.Author
	default:
		d.lose(pointer+"/author", "the model has one creator of a component, the manufacturer")
	}
	if err := d.references(c.References, pointer+"/externalReferences", &oc); err != nil {
		return oc, err
	}
	if c.CPE != "" {
		oc.CPEs = append(oc.CPEs, c.CPE)
	}
	if c.PURL != "" {
		var err error
		if oc.PURL, err = assay.ParsePURL(c.PURL); err != nil {
			return oc, &assay.Error{Op: opRead, Kind: assay.ErrInvalid, Subject: d.name, Field: pointer + "/purl", Value: c.PURL, Bound: "a package URL", Err: err}
		}
	}
	if err := d.licenses(c.Licenses, pointer+"/licenses", &oc); err != nil {
		return oc, err
	}
	if c.Evidence != nil {
		for i, o := range c.Evidence.Occurrences {
			l := assay.Location{Path: o.Location}
			if o.AdditionalContext != "" {
				var err error
				if l.Layer, err = assay.ParseDigest(o.AdditionalContext); err != nil {
					d.lose(shape.Pointer(pointer+"/evidence/occurrences", i)+"/additionalContext", "it is not the digest of a layer")
				}
			}
			oc.Locations = append(oc.Locations, l)
		}
	}
	hashes, err := d.hashes(c.Hashes, pointer+"/hashes")
	if err != nil {
		return oc, err
	}
	more, err := d.properties(c.Properties, pointer+"/properties", &oc, out)
	if err != nil {
		return oc, err
	}
	if oc.Hashes, err = assay.NewDigestSet(append(hashes, more...)...); err != nil {
		return oc, &assay.Error{Op: opRead, Kind: assay.ErrInvalid, Subject: d.name, Field: pointer + "/hashes", Err: err}
	}
	// Those of the root are not sorted by Normalize.
	slices.SortFunc(oc.Locations, assay.Location.Compare)
	oc.Locations = slices.Compact(oc.Locations)
	slices.Sort(oc.CPEs)
	oc.CPEs = slices.Compact(oc.CPEs)
	return oc, d.components(c.Components, pointer+"/components", oc.ID, out)
}

func (d *decoder) licenses(list []licenseChoice, pointer string, oc *assay.Component) error {
	for i, l := range list {
		here := func() string { return shape.Pointer(pointer, i) }
		switch {
		case l.License == nil:
			if l.Expression == "" {
				d.lose(here()+"/expression", "an empty expression")
				continue
			}
			if !license.Valid(l.Expression) {
				d.lose(here()+"/expression", "not a valid SPDX expression; kept as a name")
			}
			oc.Licenses = append(oc.Licenses, license.Parse(l.Expression, l.Acknowledgement == concluded))
		default:
			text := l.License.ID + l.License.Name // one of them is there
			if text == "" {
				d.lose(here()+"/license/name", "an empty name")
				continue
			}
			oc.Licenses = append(oc.Licenses, license.Parse(text, l.License.Acknowledgement == concluded))
		}
	}
	license.Sort(&oc.Licenses)
	return nil
}

func (d *decoder) hashes(list []hash, pointer string) ([]assay.Digest, error) {
	var out []assay.Digest
	for i, h := range list {
		here := func() string { return shape.Pointer(pointer, i) }
		alg, ok := algorithms[h.Alg]
		switch {
		case !ok:
			d.lose(here(), "the model has no algorithm "+h.Alg)
			continue
		case alg == assay.BLAKE3 && len(h.Content) != 64:
			d.lose(here(), "the model has BLAKE3 of 256 bits only")
			continue
		}
		digest, err := assay.NewDigest(alg, strings.ToLower(h.Content))
		if err != nil {
			return nil, d.invalid(here()+"/content", h.Content, "a digest of the length of "+h.Alg)
		}
		out = append(out, digest)
	}
	return out, nil
}

func (d *decoder) references(list []reference, pointer string, oc *assay.Component) error {
	if len(list) == 0 {
		return nil
	}
	oc.References = make([]assay.Reference, 0, len(list))
	for i, r := range list {
		here := shape.Pointer(pointer, i)
		hashes, err := d.hashes(r.Hashes, here+"/hashes")
		if err != nil {
			return err
		}
		set, err := assay.NewDigestSet(hashes...)
		if err != nil {
			return &assay.Error{Op: opRead, Kind: assay.ErrInvalid, Subject: d.name, Field: here + "/hashes", Err: err}
		}
		switch word := canon.Word(r.URL); {
		case word == "" && len(set) == 0:
			d.lose(here, "a reference to nothing")
			continue
		case word != r.URL:
			d.lose(here+"/url", canon.Encoded)
			r.URL = word
		}
		oc.References = append(oc.References, assay.Reference{Type: assay.ReferenceType(r.Type), URL: r.URL, Hashes: set, Comment: r.Comment})
	}
	oc.References = assay.SortReferences(oc.References)
	return nil
}

// properties sorts out those that carry members of the model, and gives the hashes
// among them.
func (d *decoder) properties(list []property, pointer string, oc *assay.Component, out *assay.SBOM) ([]assay.Digest, error) {
	var hashes []assay.Digest
	var once []string
	for i, p := range list {
		here := func() string { return shape.Pointer(pointer, i) }
		var target *string
		switch p.Name {
		case propFoundBy:
			target = &oc.FoundBy
		case propSourceName:
			target = &oc.Source.Name
		case propSourceVersion:
			target = &oc.Source.Version
		}
		kind, isRelation := strings.CutPrefix(p.Name, propRelation)
		alg, isHash := strings.CutPrefix(p.Name, propHash)
		switch {
		case target != nil:
			if slices.Contains(once, p.Name) {
				return nil, d.invalid(here(), p.Name, "the property once")
			}
			once = append(once, p.Name)
			*target = p.Value
		case p.Name == propCPE:
			oc.CPEs = append(oc.CPEs, p.Value)
		case isRelation && kind != "":
			if !d.refs[p.Value] {
				return nil, d.invalid(here()+"/value", p.Value, "a bom-ref that the document defines")
			}
			out.Relations = append(out.Relations, assay.Relation{From: oc.ID, Kind: assay.RelationKind(kind), To: assay.ComponentID(p.Value)})
		case isHash && assay.Algorithm(alg).Known():
			digest, err := assay.NewDigest(assay.Algorithm(alg), p.Value)
			if err != nil {
				return nil, d.invalid(here()+"/value", p.Value, "a digest of the length of "+alg)
			}
			hashes = append(hashes, digest)
		default:
			name := strings.TrimPrefix(p.Name, propEscape)
			if old, ok := oc.Properties[name]; ok {
				if old != p.Value {
					d.lose(here(), "the model has one value of a property, the first")
				}
				continue
			}
			if oc.Properties == nil {
				oc.Properties = make(map[string]string)
			}
			oc.Properties[name] = p.Value
		}
	}
	return hashes, nil
}

// maker reads who made something, with one address.
func (d *decoder) maker(m *maker, pointer string) string {
	c := canon.Contact{Name: m.Name}
	use := func(address, pointer string, into *string) {
		*into = address
		if c.Email+c.URL != address || canon.ParseContact(c.String()) != c {
			*into = ""
			d.lose(pointer, "the model has one address of who made something, of mail or of the web")
		}
	}
	for i, x := range m.Contact {
		here := shape.Pointer(pointer+"/contact", i)
		if x.Name != "" {
			d.lose(here+"/name", "the model has no contacts by name")
		}
		switch {
		case x.Email == "":
		case c.Email == "":
			use(x.Email, here+"/email", &c.Email)
		default:
			d.lose(here+"/email", "the model has one address of who made something, of mail or of the web")
		}
	}
	for i, u := range m.URL {
		here := shape.Pointer(pointer+"/url", i)
		if c.URL != "" || c.Email != "" {
			d.lose(here, "the model has one address of who made something, of mail or of the web")
			continue
		}
		use(u, here, &c.URL)
	}
	return c.String()
}
