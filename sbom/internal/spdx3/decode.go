package spdx3

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/strictjson"
	"github.com/assaykit/assay/sbom/internal/canon"
	"github.com/assaykit/assay/sbom/internal/spdx"
)

// Decode reads a document of SPDX 3.0.0 or 3.0.1. It calls report for everything in
// it that the model has no home for.
func Decode(name string, data []byte, report func(field string, id assay.ComponentID, reason string)) (*assay.SBOM, error) {
	root, err := parse(name, data)
	if err != nil {
		return nil, err
	}
	g, err := check(name, root)
	if err != nil {
		return nil, err
	}
	d := &decoder{graph: g, report: report, components: make(map[string]assay.ComponentID), used: make(map[string]bool),
		ends: make(map[claim][]string)}
	return d.sbom()
}

type decoder struct {
	*graph
	report       func(field string, id assay.ComponentID, reason string)
	ns           namespace
	out          *assay.SBOM
	components   map[string]assay.ComponentID // by spdxId
	document     *object
	boms         []*object
	creation     string // id of the document's CreationInfo
	creationNode *node
	used         map[string]bool // ids of agents, tools and licenses that the model keeps
	ends         map[claim][]string
	described    []string
	// The files that components are distributed as, by the spdxId of the component,
	// and the relationships that say so.
	artifacts     map[string]*object
	distributions map[*object]bool
}

// claim is a statement of completeness on one relationship.
type claim struct {
	of        assay.ComponentID
	kind      assay.RelationKind
	aggregate string
}

const noPlace = "the model has no place for it"

func (d *decoder) lose(at place, id assay.ComponentID, reason string) {
	d.report(at.String(), id, reason)
}

// rest reports the members of an object that are not among those that are read.
func (d *decoder) rest(o *object, id assay.ComponentID, read ...string) {
	for i := range o.node.items {
		name := o.node.items[i].name
		switch name {
		case "type", "@type", "spdxId", "@id", "creationInfo", "name":
			continue
		}
		if !slices.Contains(read, name) {
			d.lose(o.place.member(name), id, noPlace)
		}
	}
}

// text is a string member, or "".
func (o *object) text(name string) string {
	return scalar(o.node.get(name))
}

func scalar(n *node) string {
	if n == nil {
		return ""
	}
	if n.kind == '[' && len(n.items) == 1 {
		n = &n.items[0].value
	}
	return strings.Clone(n.text)
}

// enum is the value of an enumeration.
func (o *object) enum(name string) string {
	_, value := term(o.text(name))
	return value
}

// target is what a value refers to: the IRI, and the object if it is here.
func (d *decoder) target(n *node) (string, *object) {
	if n == nil {
		return "", nil
	}
	if n.kind == '[' && len(n.items) == 1 {
		n = &n.items[0].value
	}
	if n.kind == '{' {
		id := n.get("spdxId")
		if id == nil {
			id = n.get("@id")
		}
		if id == nil {
			return "", &object{class: model()[className(scalar(typeOfNode(n)))], node: n}
		}
		n = id
	}
	iri := d.iri(n.text)
	if namespace, name := term(iri); namespace != "" && slices.Contains(individuals, className(iri)) {
		iri = className(namespaced(namespace, name))
	}
	return iri, d.byID[iri]
}

func namespaced(namespace, name string) string { return "spdx:" + namespace + "/" + name }

func typeOfNode(n *node) *node {
	if t := n.get("type"); t != nil {
		return t
	}
	return n.get("@type")
}

func (d *decoder) sbom() (*assay.SBOM, error) {
	m := model()
	for _, o := range d.objects {
		switch {
		case o.class == m["SpdxDocument"]:
			if d.document != nil {
				return nil, d.invalid(o.place, o.id, "one SpdxDocument")
			}
			d.document = o
		case o.class != nil && o.class.is(m["Bundle"]):
			d.boms = append(d.boms, o)
		}
	}
	d.out = &assay.SBOM{Version: 1, Components: []assay.Component{}, Format: "spdx3-json/" + d.version}
	main := d.document
	if main == nil && len(d.boms) > 0 {
		main = d.boms[0]
	}
	if main != nil {
		base, _, cut := strings.Cut(main.id, "#")
		if d.document == nil || !spdx.ValidNamespace(base) {
			base = ""
		} else if cut {
			d.lose(main.place.member("spdxId"), "", "the model has the IRI of a document without the part after #")
		}
		d.out.Serial, d.ns.base = strings.Clone(base), base
	}
	var facts spdx.DocumentFacts
	found, err := d.documentFacts(&facts)
	if err != nil {
		return nil, err
	}
	if err := d.created(main, &facts); err != nil {
		return nil, err
	}
	d.findArtifacts()
	if err := d.packages(); err != nil {
		return nil, err
	}
	if err := d.relationships(); err != nil {
		return nil, err
	}
	if err := d.collections(); err != nil {
		return nil, err
	}
	if err := d.lifecycle(&facts); err != nil {
		return nil, err
	}
	if err := d.root(&facts); err != nil {
		return nil, err
	}
	if found {
		if facts.Version < 0 || slices.ContainsFunc(facts.Layers, assay.Digest.IsZero) {
			return nil, d.invalid(d.document.place.member("extension"), documentNote, "a version of 1 or more and digests of layers")
		}
		d.out.Version, d.out.Layers = max(1, facts.Version), facts.Layers
	}
	if err := d.completeness(found, &facts); err != nil {
		return nil, err
	}
	d.unread()
	if d.document != nil && d.document.node.get("name") != nil && d.document.text("name") != d.out.Root.Name {
		d.lose(d.document.place.member("name"), "", "the model has the name of the root component only")
	}
	if err := d.out.Normalize(); err != nil {
		return nil, &assay.Error{Op: opRead, Kind: assay.ErrInvalid, Subject: d.name, Err: err}
	}
	return d.out, nil
}

// created reads who made the document, when and with what.
func (d *decoder) created(main *object, facts *spdx.DocumentFacts) error {
	if main == nil {
		i := slices.IndexFunc(d.objects, func(o *object) bool { return o.class != nil && o.class.element })
		if i < 0 {
			return nil
		}
		main = d.objects[i]
	}
	id, info := d.target(main.node.get("creationInfo"))
	d.creation = id
	if info == nil {
		d.lose(main.place.member("creationInfo"), "", "a creation that is not in the document: "+id)
		return nil
	}
	d.creationNode = info.node
	if info.id == "" {
		info.place = main.place.member("creationInfo")
	}
	at := info.place
	when, err := time.Parse(timeFormat, info.text("created"))
	if err != nil {
		return d.invalid(at.member("created"), info.text("created"), "a date and time")
	}
	d.out.Created = when.UTC()
	if v := info.text("specVersion"); !strings.HasPrefix(v, "3.0.") {
		return d.invalid(at.member("specVersion"), v, "the version of the context, "+d.version)
	}
	d.rest(info, "", "created", "createdBy", "createdUsing", "specVersion")
	var agents, tools []agent
	for i, it := range info.node.get("createdBy").values() {
		iri, o := d.target(&it.value)
		a, ok := d.agent(o)
		switch {
		case !ok:
			d.lose(at.member("createdBy").at(i), "", "an agent that the document does not name: "+iri)
		case a == ourselves && o.id != "" && strings.HasPrefix(o.id, d.ns.own("agent/")):
			agents = append(agents, a)
		case a.class == "SoftwareAgent":
			d.lose(at.member("createdBy").at(i), "", "the model has persons and organizations as authors only")
		default:
			agents = append(agents, a)
		}
	}
	for i, it := range info.node.get("createdUsing").values() {
		iri, o := d.target(&it.value)
		if a, ok := d.agent(o); ok {
			tools = append(tools, a)
		} else {
			d.lose(at.member("createdUsing").at(i), "", "a tool that the document does not name: "+iri)
		}
	}
	d.out.Tools, d.out.Authors = readCreators(agents, tools)
	d.out.Tools = canon.Unique(d.out.Tools)
	if f := facts.Creators; f != nil {
		wantAgents, wantTools := creators(&assay.SBOM{Authors: f.Authors, Tools: f.Tools})
		if !slices.Equal(wantAgents, agents) || !slices.Equal(wantTools, tools) || slices.Contains(f.Authors, "") {
			return d.invalid(d.document.place.member("extension"), "creators", "what the CreationInfo says")
		}
		d.out.Tools, d.out.Authors = canon.Unique(f.Tools), f.Authors
	}
	return nil
}

// agent reads an agent or a tool, and false for one without a name.
func (d *decoder) agent(o *object) (agent, bool) {
	if o == nil || o.class == nil {
		return agent{}, false
	}
	a := agent{class: o.class.name, name: o.text("name")}
	for _, it := range o.node.get("externalIdentifier").values() {
		x := object{node: d.object(&it.value)}
		if x.node == nil || a.email+a.url != "" {
			continue
		}
		switch value := x.text("identifier"); x.enum("externalIdentifierType") {
		case "email":
			if a.email = value; a.class == "Organization" && canon.ParseContact(a.author()).Email == "" {
				a.email = ""
			}
		case "urlScheme", "other":
			if a.url = value; a.class != "Organization" || canon.ParseContact(a.author()).URL == "" {
				a.url = ""
			}
		}
	}
	if a.name == "" && a.email == "" && a.url == "" {
		return a, false
	}
	d.used[o.id] = true
	return a, true
}

// object follows a reference to an object that is no element.
func (d *decoder) object(n *node) *node {
	if n.kind == '{' {
		return n
	}
	if o := d.byID[d.iri(n.text)]; o != nil {
		return o.node
	}
	return nil
}

// properties gives the extension's properties, those of ours apart.
func (d *decoder) properties(o *object, note string, id assay.ComponentID) (facts string, properties map[string]string, err error) {
	found := false
	for i, it := range o.node.get("extension").values() {
		at := func() place { return o.place.member("extension").at(i) }
		n := d.object(&it.value)
		if n == nil || className(scalar(typeOfNode(n))) != "extension_CdxPropertiesExtension" {
			d.lose(at(), id, noPlace)
			continue
		}
		for j, entry := range n.get("extension_cdxProperty").values() {
			at := func() place { return at().member("extension_cdxProperty").at(j) }
			e := object{node: d.object(&entry.value)}
			if e.node == nil {
				d.lose(at(), id, noPlace)
				continue
			}
			name, value := e.text("extension_cdxPropName"), e.text("extension_cdxPropValue")
			if name == note {
				if found {
					return "", nil, d.invalid(at(), name, "one such property")
				}
				found, facts = true, value
				continue
			}
			if rest, ok := strings.CutPrefix(name, propertyEscape); ok && (rest == componentNote || rest == documentNote || strings.HasPrefix(rest, propertyEscape)) {
				name = rest
			}
			if _, twice := properties[name]; twice {
				d.lose(at(), id, "the model has one property of a name, the first")
				continue
			}
			if properties == nil {
				properties = make(map[string]string)
			}
			properties[name] = value
		}
	}
	return facts, properties, nil
}

func (d *decoder) unmarshal(o *object, text string, facts any) error {
	if err := strictjson.Unmarshal(d.name, []byte(text), facts, strictjson.Limits{RejectUnknown: true}); err != nil {
		return &assay.Error{Op: opRead, Kind: assay.ErrInvalid, Subject: d.name, Field: o.place.member("extension").String(), Err: err}
	}
	return nil
}

func (d *decoder) documentFacts(facts *spdx.DocumentFacts) (found bool, err error) {
	if d.document == nil {
		return false, nil
	}
	text, others, err := d.properties(d.document, documentNote, "")
	if err != nil || text == "" {
		if len(others) > 0 {
			d.lose(d.document.place.member("extension"), "", noPlace)
		}
		return false, err
	}
	if len(others) > 0 {
		d.lose(d.document.place.member("extension"), "", noPlace)
	}
	return true, d.unmarshal(d.document, text, facts)
}

// collections reads the document and the SBOM, which say what they are about.
func (d *decoder) collections() error {
	follow := func(o *object) {
		for _, it := range o.node.get("rootElement").values() {
			iri, to := d.target(&it.value)
			if to == nil || to.class == nil || !to.class.is(model()["ElementCollection"]) {
				d.described = append(d.described, iri)
			}
		}
	}
	read := []string{"element", "rootElement", "extension"}
	if d.document != nil {
		follow(d.document)
		if l := d.document.text("dataLicense"); l == licensePrefix+"CC0-1.0" || l == licensePrefix+"CC0-1.0.html" || d.isCC0(d.document) {
			read = append(read, "dataLicense")
		}
		if !slices.ContainsFunc(d.document.node.get("profileConformance").values(), func(it item) bool {
			_, name := term(it.value.text)
			return !slices.Contains(profiles, name) && name != "lite"
		}) {
			read = append(read, "profileConformance")
		}
		d.rest(d.document, "", read...)
	}
	for i, o := range d.boms {
		if o.class != model()["software_Sbom"] && o.class != model()["Bom"] || i > 0 {
			d.lose(o.place, "", "the model has one inventory, and no collections in it")
			if i > 0 {
				continue
			}
		}
		follow(o)
		d.rest(o, "", "element", "rootElement", "software_sbomType", "profileConformance")
	}
	for _, o := range append([]*object{d.document}, d.boms...) {
		if o == nil {
			continue
		}
		for i, it := range o.node.get("element").values() {
			if iri, to := d.target(&it.value); to == nil {
				d.lose(o.place.member("element").at(i), "", "an element of another document: "+iri)
			}
		}
	}
	return nil
}

func (d *decoder) isCC0(o *object) bool {
	_, to := d.target(o.node.get("dataLicense"))
	if to == nil || to.class == nil || to.text("simplelicensing_licenseExpression") != "CC0-1.0" {
		return false
	}
	d.used[to.id] = true
	return true
}

func (d *decoder) lifecycle(facts *spdx.DocumentFacts) error {
	d.out.Lifecycle = facts.Lifecycle
	if len(d.boms) == 0 {
		return nil
	}
	for i, it := range d.boms[0].node.get("software_sbomType").values() {
		at := d.boms[0].place.member("software_sbomType").at(i)
		_, name := term(it.value.text)
		phase, ok := lifecycles[name]
		switch {
		case facts.Lifecycle != "":
			return d.invalid(at, name, "what the document's extension says: "+facts.Lifecycle)
		case d.out.Lifecycle != "":
			d.lose(at, "", "the model has one lifecycle, the first")
		case !ok:
			d.out.Lifecycle = "operations"
			d.lose(at, "", "read as operations, which says less than "+name)
		default:
			d.out.Lifecycle = phase
		}
	}
	return nil
}

// root moves the one component that is described out of the list.
func (d *decoder) root(facts *spdx.DocumentFacts) error {
	slices.Sort(d.described)
	described := slices.Compact(d.described)
	if facts.NoRoot {
		if len(described) != len(d.out.Components) {
			return d.invalid(d.document.place.member("extension"), "noRoot", "a document whose root elements are all its components")
		}
		return nil
	}
	at := place{-1, "/@graph"}
	if len(described) != 1 {
		if len(described) > 0 || len(d.out.Components) > 0 {
			d.lose(at, "", fmt.Sprintf("the model has one root, and the document has %d", len(described)))
		}
		return nil
	}
	id, ok := d.components[described[0]]
	if !ok {
		d.lose(at, "", "the root is "+described[0]+", which is not a package or file of the document")
		return nil
	}
	i := slices.IndexFunc(d.out.Components, func(c assay.Component) bool { return c.ID == id })
	d.out.Root = d.out.Components[i]
	d.out.Components = slices.Delete(d.out.Components, i, i+1)
	return nil
}

// completeness takes the document's own statements, and holds them to what the
// relationships say: nobody shall sign one document that says both. Without any,
// the relationships are read.
func (d *decoder) completeness(found bool, facts *spdx.DocumentFacts) error {
	scope := map[assay.RelationKind]string{assay.Contains: "components", assay.DependsOn: "dependencies"}
	if !found {
		for c := range d.ends {
			if c.aggregate != "" {
				d.out.Completeness = append(d.out.Completeness, assay.Completeness{Of: c.of, Scope: scope[c.kind], Aggregate: c.aggregate})
			}
		}
		return nil
	}
	d.out.Completeness = facts.Completeness
	at := d.document.place.member("extension")
	for _, s := range facts.Completeness {
		if !canon.ValidCompleteness(s) {
			return d.invalid(at, s.Scope+" "+s.Aggregate, "a statement of completeness")
		}
	}
	said := claimsOf(d.out)
	byID := make(map[assay.ComponentID]*assay.Component, len(d.out.Components)+1)
	for i := range d.out.Components {
		byID[d.out.Components[i].ID] = &d.out.Components[i]
	}
	byID[d.out.Root.ID] = &d.out.Root
	for c, places := range d.ends {
		if want, _ := said.about(byID[c.of], c.kind); want != c.aggregate {
			return d.invalid(at, "completeness", "what the relationship at "+places[0]+" says: "+c.aggregate)
		}
	}
	for id, c := range byID {
		if id == "" {
			continue
		}
		if want, always := said.about(c, assay.DependsOn); always && len(d.ends[claim{id, assay.DependsOn, want}]) == 0 {
			return d.invalid(at, "completeness of "+string(id), "a relationship dependsOn that says so")
		}
	}
	return nil
}

// unread reports the objects that nothing was taken from.
func (d *decoder) unread() {
	m := model()
	creation := make(map[string]bool)
	for _, o := range d.objects {
		if o.class == nil {
			continue
		}
		if c := o.node.get("creationInfo"); c != nil {
			id, info := d.target(c)
			if other := id != d.creation || id == "" && !reflect.DeepEqual(info.node, d.creationNode); other && (id == "" || !creation[id]) {
				creation[id] = true
				at := o.place.member("creationInfo")
				if info != nil && id != "" {
					at = info.place
				}
				d.lose(at, "", "the model has the creation of the document only")
			}
		}
		switch {
		case d.used[o.id], !o.class.element, o == d.document, slices.Contains(d.boms, o), o.class.is(m["Relationship"]):
		default:
			if _, ok := d.components[o.id]; !ok {
				d.lose(o.place, "", "the model has no place for a "+o.class.name+" here")
			}
		}
		if d.used[o.id] && (o.class.is(m["Agent"]) || o.class == m["Tool"]) {
			d.restOfAgent(o)
		}
	}
	for _, at := range d.unknown {
		d.lose(at, "", "the model has no place for a class that is not of SPDX")
	}
}

// restOfAgent reports what the model does not have of an agent: of its identifiers it
// has the one that is in the agent's name.
func (d *decoder) restOfAgent(o *object) {
	a, _ := d.agent(o)
	kept := false
	for i, it := range o.node.get("externalIdentifier").values() {
		x := object{node: d.object(&it.value)}
		if !kept && x.node != nil && a.email+a.url != "" && x.text("identifier") == a.email+a.url {
			kept = true
			if kind := x.enum("externalIdentifierType"); kind == "other" || kind == "email" && a.class != "Person" {
				d.lose(o.place.member("externalIdentifier").at(i), "", "the model does not tell persons from organisations, nor kinds of addresses")
			}
			continue
		}
		d.lose(o.place.member("externalIdentifier").at(i), "", noPlace)
	}
	d.rest(o, "", "externalIdentifier")
}
