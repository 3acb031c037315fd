package cyclonedx

import (
	"bytes"
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/strictjson"
	"github.com/assaykit/assay/sbom/internal/canon"
	"github.com/assaykit/assay/sbom/internal/quick"
	"github.com/assaykit/assay/sbom/internal/shape"
)

const opRead = "read CycloneDX"

// Decode reads a document of specification version 1.2 to 1.7 in JSON, or of 1.0 to
// 1.7 in XML. It calls report for everything in it that the model has no home for, in
// order of appearance in the JSON form. Where the SBOM would be written other than
// the document is, it keeps the document.
func Decode(name string, data []byte, xml bool, report Report) (*assay.SBOM, error) {
	d, t, err := decode(name, data, xml)
	if err != nil {
		return nil, err
	}
	for _, l := range d.lost {
		report(l.pointer, d.owner(l.pointer), l.reason)
	}
	if !d.exact(data, t) {
		d.doc.Rest = assay.Rest{Format: d.doc.Format, Data: slices.Clone(data)}
	}
	return d.doc, nil
}

// readTree gives a document that was read before as a tree.
func readTree(name string, data []byte, xml bool) (*tree, error) {
	if xml {
		return readXML(name, data)
	}
	return parseTree(data)
}

// exact reports whether writing the SBOM gives what was read.
func (d *decoder) exact(data []byte, t *tree) bool {
	version := minor(d.version)
	if len(d.lost) > 0 || version < 4 || t != nil && t.hasForeign() {
		return false
	}
	exact := true
	lost := func(string, assay.ComponentID, string) { exact = false }
	// What was decoded is in the form that is written.
	if t == nil && d.xml {
		w := newXMLAppender(version)
		w.want = bytes.TrimSpace(data)
		if err := encodeTo(w, d.doc, version, lost); err != nil || !exact {
			return false
		}
		if !w.odd && !w.differ && len(w.want) == 0 {
			return true
		}
	} else if t == nil {
		w := &writer{want: bytes.TrimSpace(data)}
		if err := encodeTo(w, d.doc, version, lost); err != nil || !exact {
			return false
		}
		if !w.differ && bytes.Equal(w.b, w.want) {
			return true
		}
	}
	if t == nil {
		var err error
		if t, err = readTree(d.name, data, d.xml); err != nil {
			return false
		}
	}
	again, err := encode(d.doc, version, lost)
	if err != nil || !exact {
		return false
	}
	r := quick.NewReader(again)
	without := ""
	if d.xml {
		without = "$schema"
	}
	return t.says(r, without) && !r.Bad()
}

func newDecoder(name string, xml bool) *decoder {
	return &decoder{name: name, xml: xml, ids: make(map[string]assay.ComponentID), refs: make(map[string]bool)}
}

// decode gives the SBOM, and the document as a tree where one was made.
func decode(name string, data []byte, xml bool) (*decoder, *tree, error) {
	d := newDecoder(name, xml)
	var t *tree
	if xml {
		if doc, ok := d.readWire(data); ok {
			var err error
			d.doc, err = d.sbom(doc)
			return d, nil, err
		}
		d = newDecoder(name, xml)
		var err error
		if t, err = readXML(name, data); err != nil {
			return nil, nil, err
		}
		data = t.append(make([]byte, 0, len(data)))
	}
	if d.version = specVersion(data); !xml && d.version != "" && !slices.Contains(versions, d.version) {
		if err := strictjson.Check(name, data, strictjson.Limits{}); err != nil {
			return nil, nil, err
		}
		return nil, nil, &assay.Error{Op: opRead, Kind: assay.ErrUnchecked, Subject: name, Field: "/specVersion", Value: d.version,
			Bound: "a version that can be read: " + strings.Join(versions, ", ")}
	}
	if err := d.check(data); err != nil {
		return nil, nil, err
	}
	var doc document
	if !readDocument(data, &doc) {
		doc = document{}
		if strict := strictjson.Unmarshal(name, data, &doc, strictjson.Limits{}); strict != nil {
			return nil, nil, strict
		}
	}
	if t != nil && t.hasForeign() {
		t.foreignPaths("", d.lose)
	}
	var err error
	d.doc, err = d.sbom(&doc)
	return d, t, err
}

// specVersion gives the version that the document says it is of, which decides on
// the grammar. It is "" where there is none, and where the document is not JSON.
func specVersion(data []byte) string {
	dec := jsontext.NewDecoder(bytes.NewBuffer(data))
	if tok, err := dec.ReadToken(); err != nil || tok.Kind() != '{' {
		return ""
	}
	for dec.PeekKind() == '"' {
		name, err := dec.ReadToken()
		if err != nil {
			return ""
		}
		if name.String() == "specVersion" {
			if tok, err := dec.ReadToken(); err == nil && tok.Kind() == '"' {
				return tok.String()
			}
			return ""
		}
		if err := dec.SkipValue(); err != nil {
			return ""
		}
	}
	return ""
}

type decoder struct {
	name    string
	version string
	xml     bool
	doc     *assay.SBOM
	ids     map[string]assay.ComponentID // by JSON pointer of the component
	refs    map[string]bool              // every bom-ref of the document
	made    map[assay.ComponentID]bool   // of the components
	lost    []lost
}

type lost struct{ pointer, reason string }

func (d *decoder) lose(pointer, reason string) { d.lost = append(d.lost, lost{pointer, reason}) }

// owner finds the component that a pointer leads into.
func (d *decoder) owner(pointer string) assay.ComponentID {
	for pointer != "" {
		if id, ok := d.ids[pointer]; ok {
			return id
		}
		pointer = pointer[:max(0, strings.LastIndexByte(pointer, '/'))]
	}
	return ""
}

func (d *decoder) invalid(field, value, want string) error {
	return &assay.Error{Op: opRead, Kind: assay.ErrInvalid, Subject: d.name, Field: field, Value: value, Bound: want}
}

// check holds the document against the grammar, and its references against each
// other: each bom-ref is defined once outside of the sections that are not checked,
// and dependencies name only defined ones.
func (d *decoder) check(data []byte) error {
	used := make(map[string]string) // and the pointer of its first use
	c := &checker{
		version: max(0, minor(d.version)), xml: d.xml,
		dropped: func(pointer string) { d.lose(pointer, "the model has no place for it") },
		labeled: func(label string, value []byte, loose bool, pointer func() string) error {
			switch known := d.refs[string(value)]; {
			case loose && (!d.xml || label != labelDefined):
				// Ids inside of formulations repeat even in the specification's examples
				// in JSON. The schema of XML does not allow it.
				if label == labelDefined {
					d.refs[string(value)] = true
				}
			case label == labelUsed:
				if _, ok := used[string(value)]; !ok && !known {
					used[string(value)] = pointer()
				}
			case known:
				return &assay.Error{Field: pointer(), Value: string(value), Bound: "a bom-ref that is unique in the document"}
			default:
				d.refs[string(value)] = true
			}
			return nil
		},
	}
	if err := c.check(d.name, data); err != nil {
		return err
	}
	var dangling []string
	for ref := range used {
		if !d.refs[ref] && !strings.HasPrefix(ref, "urn:cdx:") {
			dangling = append(dangling, ref)
		}
	}
	if len(dangling) > 0 {
		first := slices.Min(dangling)
		return d.invalid(used[first], first, "a bom-ref that the document defines")
	}
	return nil
}

func (d *decoder) sbom(doc *document) (*assay.SBOM, error) {
	out := &assay.SBOM{Serial: doc.SerialNumber, Version: 1, Format: formatName(d.xml, doc.SpecVersion), Components: []assay.Component{}}
	if doc.Version != nil {
		out.Version = *doc.Version
	}
	if err := d.metadata(&doc.Metadata, out); err != nil {
		return nil, err
	}
	d.made = make(map[assay.ComponentID]bool, len(doc.Components)+1)
	edges := 0
	for i := range doc.Dependencies {
		edges += len(doc.Dependencies[i].DependsOn)
	}
	out.Relations = make([]assay.Relation, 0, edges+len(doc.Components))
	if c := doc.Metadata.Component; c != nil {
		var err error
		if out.Root, err = d.component(c, "/metadata/component", "", out); err != nil {
			return nil, err
		}
	}
	if err := d.components(doc.Components, "/components", "", out); err != nil {
		return nil, err
	}
	empty := d.dependencies(doc.Dependencies, out)
	// Compositions are read last, because those about the whole list its components.
	if err := out.Normalize(); err != nil {
		return nil, d.normalized(err)
	}
	if err := d.compositions(doc.Compositions, out); err != nil {
		return nil, err
	}
	stated := newCoverage(out.Completeness)
	for _, e := range empty {
		if c, ok := out.Component(e.id); !ok || !stated.covers(c) {
			d.lose(e.pointer, "the model tells 'no dependencies' from 'none stated' by statements of completeness only")
		}
	}
	// All that is not sorted yet: the rest is, and every statement is of a component.
	slices.SortFunc(out.Completeness, func(a, b assay.Completeness) int {
		return cmp.Or(cmp.Compare(a.Of, b.Of), cmp.Compare(a.Scope, b.Scope), cmp.Compare(a.Aggregate, b.Aggregate))
	})
	out.Completeness = slices.Compact(out.Completeness)
	return out, nil
}

func (d *decoder) normalized(err error) error {
	return &assay.Error{Op: opRead, Kind: assay.ErrInvalid, Subject: d.name, Err: err}
}

func (d *decoder) metadata(m *metadata, out *assay.SBOM) error {
	if m.Timestamp != "" {
		t, err := time.Parse(time.RFC3339, m.Timestamp)
		if err != nil {
			return d.invalid("/metadata/timestamp", m.Timestamp, "a date and time of RFC 3339")
		}
		out.Created = t.UTC()
	}
	for i, l := range m.Lifecycles {
		if i > 0 {
			d.lose(shape.Pointer("/metadata/lifecycles", i), "the model has one lifecycle, the first")
			continue
		}
		out.Lifecycle = l.Phase + l.Name // one of them is set
	}
	for i, a := range m.Authors {
		if author := a.String(); author != "" {
			out.Authors = append(out.Authors, author)
		} else {
			d.lose(shape.Pointer("/metadata/authors", i), "an author without name and email")
		}
	}
	if m.Manufacturer != nil {
		if author := d.maker(m.Manufacturer, "/metadata/manufacturer"); author != "" {
			out.Authors = append(out.Authors, author)
		}
	}
	for i, p := range m.Properties {
		pointer := shape.Pointer("/metadata/properties", i)
		if p.Name != propLayer {
			d.lose(pointer, "the model has no place for properties of the document")
			continue
		}
		layer, err := assay.ParseDigest(p.Value)
		if err != nil {
			return d.invalid(pointer, p.Value, "a digest")
		}
		out.Layers = append(out.Layers, layer)
	}
	return d.tools(m.Tools, out)
}

func (d *decoder) tools(raw json.RawMessage, out *assay.SBOM) error {
	switch {
	case len(raw) == 0:
	case raw[0] == '[':
		var legacy []legacyTool
		if err := strictjson.Unmarshal(d.name, raw, &legacy, strictjson.Limits{}); err != nil {
			return err
		}
		for _, t := range legacy {
			out.Tools = append(out.Tools, assay.Tool{Name: t.Name, Version: t.Version, Vendor: t.Vendor})
		}
	default:
		var t tools
		if err := strictjson.Unmarshal(d.name, raw, &t, strictjson.Limits{}); err != nil {
			return err
		}
		for i, c := range t.Components {
			tool := assay.Tool{Name: c.fullName(), Version: c.Version}
			switch {
			case c.Manufacturer != nil:
				tool.Vendor = c.Manufacturer.Name
				if c.Supplier != nil {
					d.lose(shape.Pointer("/metadata/tools/components", i)+"/supplier", "the model has one vendor of a tool, the manufacturer")
				}
			case c.Supplier != nil:
				tool.Vendor = c.Supplier.Name
			}
			if c.Type != string(assay.TypeApplication) {
				d.lose(shape.Pointer("/metadata/tools/components", i)+"/type", "the model has no type of a tool")
			}
			out.Tools = append(out.Tools, tool)
		}
	}
	out.Tools = canon.Unique(out.Tools)
	return nil
}

// String is the form in which the model has an author.
func (c contact) String() string {
	switch {
	case c.Email == "":
		return c.Name
	case c.Name == "":
		return "<" + c.Email + ">"
	}
	return c.Name + " <" + c.Email + ">"
}

// fullName puts the group before the name, because "core" of the group "@angular"
// and "core" of "@vue" are different components.
func (c *component) fullName() string {
	if c.Group != "" {
		return c.Group + "/" + c.Name
	}
	return c.Name
}

type emptyDependency struct {
	id      assay.ComponentID
	pointer string
}

// dependencies gives the entries that state that there are none.
func (d *decoder) dependencies(list []dependency, out *assay.SBOM) (empty []emptyDependency) {
	for i, dep := range list {
		here := func() string { return shape.Pointer("/dependencies", i) }
		from := assay.ComponentID(dep.Ref)
		if !d.made[from] {
			d.lose(here(), "the dependencies of what is not a component")
			continue
		}
		if len(dep.DependsOn) == 0 {
			empty = append(empty, emptyDependency{from, here()})
		}
		for j, to := range dep.DependsOn {
			if !d.made[assay.ComponentID(to)] {
				d.lose(shape.Pointer(here()+"/dependsOn", j), "a dependency on what is not a component")
				continue
			}
			out.Relations = append(out.Relations, assay.Relation{From: from, Kind: assay.DependsOn, To: assay.ComponentID(to)})
		}
	}
	return empty
}

func (d *decoder) compositions(list []composition, out *assay.SBOM) error {
	for i, c := range list {
		here := shape.Pointer("/compositions", i)
		aggregate := c.Aggregate
		switch {
		case strings.HasPrefix(aggregate, "incomplete_"):
			aggregate = "incomplete"
			d.lose(here+"/aggregate", "the model has complete, incomplete and unknown; read as incomplete")
		case aggregate == "not_specified":
			aggregate = "unknown"
			d.lose(here+"/aggregate", "the model has complete, incomplete and unknown; read as unknown")
		}
		if s, ok := parseWhole(c.BOMRef); ok {
			if s.Of != "" && !d.made[s.Of] {
				return d.invalid(here+"/bom-ref", c.BOMRef, "the bom-ref of a component at its end")
			}
			want := compositionOf(s, out)
			if want.Aggregate != aggregate || !slices.Equal(want.Assemblies, c.Assemblies) || !slices.Equal(want.Dependencies, c.Dependencies) {
				return d.invalid(here, c.BOMRef, "a composition that says the same as its bom-ref")
			}
			out.Completeness = append(out.Completeness, s)
			continue
		}
		if c.BOMRef != "" {
			d.lose(here+"/bom-ref", "the model has no ids of compositions")
		}
		for _, part := range []struct {
			member, scope string
			refs          []string
		}{{"/assemblies", "components", c.Assemblies}, {"/dependencies", "dependencies", c.Dependencies}} {
			for j, ref := range part.refs {
				if !d.made[assay.ComponentID(ref)] {
					d.lose(shape.Pointer(here+part.member, j), "the completeness of what is not a component")
					continue
				}
				out.Completeness = append(out.Completeness, assay.Completeness{Of: assay.ComponentID(ref), Scope: part.scope, Aggregate: aggregate})
			}
		}
		if len(c.Assemblies)+len(c.Dependencies) == 0 {
			d.lose(here, "a composition of nothing")
		}
	}
	return nil
}
