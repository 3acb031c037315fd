package cyclonedx

import (
	"bytes"
	"strconv"

	"github.com/assaykit/assay/internal/strictjson"
)

// maxNested is far above any real nesting of components, and far below what is bounded.
const maxNested = 16

func (x *wireXML) bom(d *document) {
	t := grammar()
	found := x.attributes(t, func(m *member, value []byte) {
		if x.d.version == "" {
			x.fail() // the namespace comes first, or is another one
			return
		}
		switch m.name {
		case "serialNumber":
			d.SerialNumber = x.keep(m.typ.scalar, value)
		case "version":
			n, err := strconv.Atoi(string(value))
			if err != nil || n < 1 || strconv.Itoa(n) != string(value) {
				x.fail()
			}
			d.Version = &n
		default:
			x.fail()
		}
	})
	if d.SpecVersion = x.d.version; d.SpecVersion == "" {
		x.fail()
	}
	x.elements(t, "bom", found, func(m *member) {
		switch m.name {
		case "metadata":
			x.metadata(m, &d.Metadata)
		case "components":
			d.Components = items(x, m, func(c *component) { x.component("component", m.typ, c) })
		case "dependencies":
			d.Dependencies = items(x, m, func(v *dependency) { x.dependency(m, v) })
		case "compositions":
			d.Compositions = items(x, m, func(c *composition) { x.composition(m, c) })
		default:
			x.fail()
		}
	})
}

func (x *wireXML) metadata(of *member, v *metadata) {
	found := x.attributes(of.typ, nil)
	x.elements(of.typ, of.xml, found, func(m *member) {
		switch m.name {
		case "timestamp":
			v.Timestamp = x.text(m)
		case "lifecycles":
			v.Lifecycles = items(x, m, func(l *lifecycle) { x.lifecycle(m, l) })
		case "tools":
			v.Tools = x.tools(m)
		case "authors":
			v.Authors = items(x, m, func(c *contact) { x.contact(m.item, m.typ, c) })
		case "component":
			v.Component = new(component)
			x.component(m.xml, m.typ, v.Component)
		case "manufacturer":
			v.Manufacturer = x.maker(m)
		case "properties":
			v.Properties = x.properties(m)
		default:
			x.fail()
		}
	})
}

func (x *wireXML) lifecycle(of *member, v *lifecycle) {
	found := x.attributes(of.typ, nil)
	x.elements(of.typ, of.item, found, func(m *member) {
		found |= 1 << m.order
		switch m.name {
		case "phase":
			v.Phase = x.text(m)
		case "name":
			v.Name = x.text(m)
		default:
			x.fail()
		}
	})
	x.exactlyOne(of.typ, found)
}

// exactlyOne is the rule of that name.
func (x *wireXML) exactlyOne(t *typ, found uint64) {
	count := 0
	for _, name := range t.one {
		if found&(1<<t.byName[name].order) != 0 {
			count++
		}
	}
	if count != 1 {
		x.fail()
	}
}

// tools are few, and are brought to the form that they have in JSON.
func (x *wireXML) tools(of *member) (raw []byte) {
	var err error
	start := *x
	x.attributes(nil, nil)
	child := string(x.open())
	*x = start
	switch {
	case x.odd:
	case child == of.item:
		raw, err = strictjson.Marshal(items(x, of, func(t *legacyTool) {
			found := x.attributes(of.typ, nil)
			x.elements(of.typ, of.item, found, func(m *member) {
				switch m.name {
				case "vendor":
					t.Vendor = x.text(m)
				case "name":
					t.Name = x.text(m)
				case "version":
					t.Version = x.text(m)
				default:
					x.fail()
				}
			})
		}))
	case child == "components" && x.version >= of.objectSince:
		var t tools
		x.attributes(nil, nil)
		x.elements(of.object, of.xml, 0, func(m *member) {
			if m.name != "components" {
				x.fail()
				return
			}
			t.Components = items(x, m, func(c *component) { x.component("component", m.typ, c) })
		})
		raw, err = strictjson.Marshal(&t)
	default:
		x.fail()
	}
	if err != nil {
		x.fail()
	}
	return raw
}

func (x *wireXML) contact(name string, t *typ, v *contact) {
	found := x.attributes(t, nil)
	x.elements(t, name, found, func(m *member) {
		switch m.name {
		case "name":
			v.Name = x.text(m)
		case "email":
			v.Email = x.text(m)
		default:
			x.fail()
		}
	})
}

func (x *wireXML) entity(of *member) *entity {
	v := new(entity)
	found := x.attributes(of.typ, nil)
	x.elements(of.typ, of.xml, found, func(m *member) {
		if m.name != "name" {
			x.fail()
			return
		}
		v.Name = x.text(m)
	})
	return v
}

func (x *wireXML) maker(of *member) *maker {
	v := new(maker)
	found := x.attributes(of.typ, nil)
	x.elements(of.typ, of.xml, found, func(m *member) {
		switch m.name {
		case "name":
			v.Name = x.text(m)
		case "url":
			x.path = append(x.path, step{item: len(v.URL)})
			v.URL = append(v.URL, x.text(m))
			x.path = x.path[:len(x.path)-1]
		case "contact":
			x.path = append(x.path, step{item: len(v.Contact)})
			v.Contact = append(v.Contact, contact{})
			x.contact(m.xml, m.typ, &v.Contact[len(v.Contact)-1])
			x.path = x.path[:len(x.path)-1]
		default:
			x.fail()
		}
	})
	return v
}

func (x *wireXML) properties(of *member) []property {
	return items(x, of, func(p *property) {
		found := x.attributes(of.typ, func(m *member, value []byte) { p.Name = x.keep(m.typ.scalar, value) })
		if found == 0 {
			x.fail() // XML requires the name
		}
		p.Value = x.keep(of.typ.content.typ.scalar, x.content(of.item))
	})
}

func (x *wireXML) hashes(of *member) []hash {
	return items(x, of, func(h *hash) {
		found := x.attributes(of.typ, func(m *member, value []byte) { h.Alg = x.keep(m.typ.scalar, value) })
		if found == 0 {
			x.fail()
		}
		h.Content = x.keep(of.typ.content.typ.scalar, x.content(of.item))
	})
}

func (x *wireXML) component(name string, t *typ, c *component) {
	if x.nested++; x.nested > maxNested {
		x.fail()
	}
	found := x.attributes(t, func(m *member, value []byte) {
		switch m.name {
		case "type":
			c.Type = x.keep(m.typ.scalar, value)
		case "bom-ref":
			c.BOMRef = x.keep(m.typ.scalar, value)
		default:
			x.fail()
		}
	})
	x.elements(t, name, found, func(m *member) {
		switch m.name {
		case "supplier":
			c.Supplier = x.entity(m)
		case "manufacturer":
			c.Manufacturer = x.maker(m)
		case "author":
			c.Author = x.text(m)
		case "group":
			c.Group = x.text(m)
		case "name":
			c.Name = x.text(m)
		case "version":
			c.Version = x.text(m)
		case "description":
			c.Description = x.text(m)
		case "hashes":
			c.Hashes = x.hashes(m)
		case "licenses":
			c.Licenses = x.licenses(m)
		case "cpe":
			c.CPE = x.text(m)
		case "purl":
			c.PURL = x.text(m)
		case "externalReferences":
			c.References = items(x, m, func(r *reference) { x.external(m, r) })
		case "properties":
			c.Properties = x.properties(m)
		case "components":
			c.Components = items(x, m, func(c *component) { x.component("component", t, c) })
		case "evidence":
			c.Evidence = x.evidence(m)
		default:
			x.fail()
		}
	})
	x.nested--
}

func (x *wireXML) external(of *member, v *reference) {
	found := x.attributes(of.typ, func(m *member, value []byte) { v.Type = x.keep(m.typ.scalar, value) })
	x.elements(of.typ, of.item, found, func(m *member) {
		switch m.name {
		case "url":
			v.URL = x.text(m)
		case "comment":
			v.Comment = x.text(m)
		case "hashes":
			v.Hashes = x.hashes(m)
		default:
			x.fail()
		}
	})
}

func (x *wireXML) evidence(of *member) *evidence {
	v := new(evidence)
	found := x.attributes(of.typ, nil)
	x.elements(of.typ, of.xml, found, func(m *member) {
		if m.name != "occurrences" {
			x.fail()
			return
		}
		v.Occurrences = items(x, m, func(o *occurrence) {
			found := x.attributes(m.typ, nil)
			x.elements(m.typ, m.item, found, func(m *member) {
				switch m.name {
				case "location":
					o.Location = x.text(m)
				case "additionalContext":
					o.AdditionalContext = x.text(m)
				default:
					x.fail()
				}
			})
		})
	})
	return v
}

// licenses reads licenses, or expressions.
func (x *wireXML) licenses(of *member) []licenseChoice {
	out := []licenseChoice{}
	expressions := 0
	x.attributes(nil, nil)
	for !x.empty {
		child := x.open()
		if child == nil {
			break
		}
		x.path = append(x.path, step{item: len(out)})
		out = append(out, licenseChoice{})
		l := &out[len(out)-1]
		a := &of.typ.alts[0]
		switch {
		case string(child) == a.elem:
			x.path = append(x.path, step{name: a.elem})
			l.License = x.license(a)
			x.path = x.path[:len(x.path)-1]
		case string(child) == "expression":
			expressions++
			t := of.typ.alts[2].typ
			x.attributes(t, func(m *member, value []byte) { l.Acknowledgement = x.keep(m.typ.scalar, value) })
			l.Expression = x.keep(t.content.typ.scalar, x.content("expression"))
		default:
			x.fail()
			return out
		}
		x.path = x.path[:len(x.path)-1]
	}
	if x.empty {
		x.empty = false
	} else if !x.odd {
		x.end(of.xml)
	}
	if expressions > 0 && len(out) > 1 && exclusive(x.version, true) {
		x.fail()
	}
	return out
}

func (x *wireXML) license(a *alternative) *licenseInfo {
	v := new(licenseInfo)
	found := x.attributes(a.typ, func(m *member, value []byte) { v.Acknowledgement = x.keep(m.typ.scalar, value) })
	x.elements(a.typ, a.elem, found, func(m *member) {
		found |= 1 << m.order
		switch m.name {
		case "id":
			v.ID = x.text(m)
		case "name":
			v.Name = x.text(m)
		default:
			x.fail()
		}
	})
	x.exactlyOne(a.typ, found)
	return v
}

// dependency reads the entry of one component, without what is nested deeper.
func (x *wireXML) dependency(of *member, v *dependency) {
	s := of.typ.byName["ref"].typ.scalar
	if x.attributes(refType, func(_ *member, value []byte) { v.Ref = x.keep(s, value) }) == 0 {
		x.fail()
	}
	for !x.empty {
		child := x.open()
		if child == nil {
			break
		}
		if !bytes.Equal(child, []byte("dependency")) {
			x.fail()
			return
		}
		if v.DependsOn == nil {
			v.DependsOn = []string{}
		}
		v.DependsOn = append(v.DependsOn, x.reference("dependency", s))
	}
	if x.empty {
		x.empty = false
	} else if !x.odd {
		x.end("dependency")
	}
}

func (x *wireXML) composition(of *member, v *composition) {
	found := x.attributes(of.typ, func(m *member, value []byte) { v.BOMRef = x.keep(m.typ.scalar, value) })
	x.elements(of.typ, of.item, found, func(m *member) {
		switch m.name {
		case "aggregate":
			v.Aggregate = x.text(m)
		case "assemblies":
			v.Assemblies = x.references(m)
		case "dependencies":
			v.Dependencies = x.references(m)
		default:
			x.fail()
		}
	})
}
