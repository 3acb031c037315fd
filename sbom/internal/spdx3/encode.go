package spdx3

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/strictjson"
	"github.com/assaykit/assay/sbom/internal/canon"
	"github.com/assaykit/assay/sbom/internal/spdx"
)

const creationID = "_:creation"

// Encode writes a document of SPDX 3.0.1 in its canonical serialization (SPDX
// 3.0.1, 4.3), without a newline at its end: one flat graph of the creation, the
// document, its agents and tools, licenses, components, the artifacts that they are
// distributed as, relationships and the SBOM,
// each sorted by spdxId. The SBOM is in canonical form, as package sbom makes it,
// with a namespace in Serial and with Created set. Report is called for what cannot
// be written.
func Encode(doc *assay.SBOM, report func(field string, id assay.ComponentID, reason string)) ([]byte, error) {
	if doc.Created.IsZero() {
		return nil, &assay.Error{Op: "write SPDX 3", Kind: assay.ErrInvalid, Subject: doc.Root.Name, Field: "created",
			Bound: "a time, in the SBOM or in the options", Rule: "SPDX 3.0.1, CreationInfo"}
	}
	if doc.Created.Nanosecond() != 0 {
		report("created", "", "SPDX has whole seconds; the fraction is cut off")
	}
	e := &encoder{doc: doc, ns: namespace{doc.Serial}, ids: make(map[assay.ComponentID]string, len(doc.Components)+1),
		agents: make(map[agent]string), licenses: make(map[string]string), claims: claimsOf(doc)}
	for c := range e.components() {
		e.ids[c.ID] = e.ns.iri(c.ID)
	}
	quoted := spdx.AppendQuoted(nil, doc.Serial)
	e.clean = len(quoted) == len(doc.Serial)+2
	e.register()
	e.b = make([]byte, 0, e.size())
	e.b = append(e.b, `{"@context":"`+contextPrefix+"3.0.1"+contextSuffix+`","@graph":[`...)
	e.creation()
	if err := e.document(); err != nil {
		return nil, err
	}
	e.writeAgents()
	e.writeLicenses()
	order := make([]*assay.Component, 0, len(e.ids))
	for c := range e.components() {
		order = append(order, c)
	}
	slices.SortFunc(order, func(a, b *assay.Component) int { return strings.Compare(e.ids[a.ID], e.ids[b.ID]) })
	for _, c := range order {
		e.component(c)
	}
	e.artifacts(order)
	e.relationships(order)
	e.sbom(order)
	e.b = append(e.b, ']', '}')
	return e.b, nil
}

// size is about as many bytes as the document takes.
func (e *encoder) size() int {
	id := len(e.ns.base) + 24
	n := 4096 + (len(e.agents)+len(e.licenses))*(2*id+200) + len(e.texts)*(5*id+500)
	for c := range e.components() {
		n += 420 + 4*id + 2*len(e.ids[c.ID]) + len(c.Name) + len(c.Version) + len(c.Description) + 2*len(c.PURL.String()) + 150*len(c.Hashes)
		for _, l := range c.Locations {
			n += 40 + len(l.Path)
			if !l.Layer.IsZero() {
				n += 90
			}
		}
		for name, value := range c.Properties {
			n += 110 + len(name) + len(value)
		}
		n += 100*len(c.CPEs) + len(c.Creator)
		for _, r := range c.References {
			n += 200 + len(r.URL) + len(r.Comment) + 150*len(r.Hashes)
		}
		if len(c.Licenses) > 0 {
			n += 5*id + 250
		}
	}
	last := assay.Relation{}
	for _, r := range e.doc.Relations {
		n += len(e.ids[r.To]) + 4
		if r.From != last.From || r.Kind != last.Kind {
			n += len(e.ids[r.From]) + 3*id + 250
		}
		last = r
	}
	return n
}

type encoder struct {
	doc      *assay.SBOM
	ns       namespace
	ids      map[assay.ComponentID]string
	agents   map[agent]string  // their spdxIds
	licenses map[string]string // spdxIds of expressions
	texts    []string          // names of licenses that are no expression
	claims   *claims
	clean    bool                         // IRIs need no escaping
	elements []string                     // spdxIds of all but components and relationships
	related  []string                     // spdxIds of relationships
	made     []string                     // and of artifacts
	files    map[assay.ComponentID]string // those of artifacts, by component
	b        []byte
}

// agent is who made or supplies components or made the document.
type agent struct{ class, name, email, url string }

// agentOf gives the agent of an author: a person has an address of mail, an
// organization may have one of the web.
func agentOf(author string) agent {
	if name, email, ok := spdx.SplitAuthor(author); ok {
		return agent{class: "Person", name: name, email: email}
	}
	if c := canon.ParseContact(author); c.URL != "" && c.Name != "" {
		return agent{class: "Organization", name: c.Name, url: c.URL}
	}
	return agent{class: "Organization", name: author}
}

func (a agent) author() string {
	if a.email != "" {
		return canon.Contact{Name: a.name, Email: a.email}.String()
	}
	return canon.Contact{Name: a.name, URL: a.url}.String()
}

// ourselves is the agent that made a document which names no author: there must be
// one.
var ourselves = agent{class: "SoftwareAgent", name: "assay"}

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

// creators gives the agents and tools of the document, each once.
func creators(doc *assay.SBOM) (agents, tools []agent) {
	for _, a := range doc.Authors {
		if x := agentOf(a); !slices.Contains(agents, x) {
			agents = append(agents, x)
		}
	}
	if agents == nil {
		agents = []agent{ourselves}
	}
	for _, t := range doc.Tools {
		if x := (agent{class: "Tool", name: spdx.ToolName(t)}); !slices.Contains(tools, x) {
			tools = append(tools, x)
		}
	}
	return agents, tools
}

// register gives ids to agents and licenses, in the order that they are written in.
func (e *encoder) register() {
	agents, tools := creators(e.doc)
	for _, a := range slices.Concat(agents, tools) {
		e.agents[a] = ""
	}
	texts := make(map[string]bool)
	for c := range e.components() {
		if c.Supplier != "" {
			e.agents[agent{class: "Organization", name: c.Supplier}] = ""
		}
		if c.Creator != "" {
			e.agents[agentOf(c.Creator)] = ""
		}
		for _, l := range c.Licenses {
			if l.Expression != "" {
				e.licenses[l.Expression] = ""
			} else {
				texts[l.Name] = true
			}
		}
	}
	e.texts = slices.Sorted(maps.Keys(texts))
	number(e, "agent", slices.SortedFunc(maps.Keys(e.agents), func(a, b agent) int {
		return cmp.Or(cmp.Compare(a.class, b.class), cmp.Compare(a.name, b.name), cmp.Compare(a.email, b.email), cmp.Compare(a.url, b.url))
	}), e.agents)
	number(e, "license", slices.Sorted(maps.Keys(e.licenses)), e.licenses)
}

// number gives ids whose order is that of the list.
func number[K comparable](e *encoder, name string, list []K, ids map[K]string) {
	for i, k := range list {
		ids[k] = e.ns.own(name + "/" + index(i, len(list)))
	}
}

func index(i, of int) string { return fmt.Sprintf("%0*d", len(fmt.Sprint(of)), i+1) }

func (e *encoder) creation() {
	agents, tools := creators(e.doc)
	ids := func(list []agent) (out []string) {
		for _, a := range list {
			out = append(out, e.agents[a])
		}
		return out
	}
	e.open()
	e.raw("@id", creationID)
	e.raw("created", e.doc.Created.UTC().Truncate(time.Second).Format(timeFormat))
	e.list("createdBy", ids(agents)...)
	e.list("createdUsing", ids(tools)...)
	e.raw("specVersion", "3.0.1")
	e.raw("type", "CreationInfo")
	e.close()
}

func (e *encoder) document() error {
	facts := spdx.DocumentFacts{NoRoot: e.doc.Root.ID == "", Completeness: e.doc.Completeness, Layers: e.doc.Layers}
	if e.doc.Version != 1 {
		facts.Version = e.doc.Version
	}
	if sbomTypes[e.doc.Lifecycle] == "" {
		facts.Lifecycle = e.doc.Lifecycle
	}
	if tools, authors := readCreators(creators(e.doc)); !slices.Equal(tools, e.doc.Tools) || !slices.Equal(authors, e.doc.Authors) {
		facts.Creators = &spdx.CreatorFacts{Authors: e.doc.Authors, Tools: e.doc.Tools}
	}
	note, err := strictjson.Marshal(&facts)
	if err != nil {
		return &assay.Error{Op: "write SPDX 3", Kind: assay.ErrInvalid, Subject: e.doc.Root.Name, Err: err}
	}
	e.open()
	e.raw("creationInfo", creationID)
	e.raw("dataLicense", licensePrefix+"CC0-1.0")
	e.extension(documentNote, note, nil)
	e.optional("name", e.doc.Root.Name)
	e.list("profileConformance", profiles...)
	e.list("rootElement", e.ns.own("sbom"))
	e.iri("spdxId", e.ns.base)
	e.raw("type", "SpdxDocument")
	e.close()
	return nil
}

// profiles are those that what is written conforms to.
var profiles = []string{"core", "extension", "simpleLicensing", "software"}

// readCreators is the reverse of creators.
func readCreators(agents, tools []agent) (ts []assay.Tool, authors []string) {
	for _, a := range agents {
		if a != ourselves {
			authors = append(authors, a.author())
		}
	}
	for _, t := range tools {
		ts = append(ts, spdx.ParseTool(t.name))
	}
	return ts, authors
}

// extension writes facts, if there are any, and properties.
func (e *encoder) extension(name string, facts []byte, properties map[string]string) {
	if string(facts) == "{}" {
		facts = nil
	}
	if facts == nil && len(properties) == 0 {
		return
	}
	e.member("extension")
	e.b = append(e.b, `[{"extension_cdxProperty":[`...)
	if facts != nil {
		e.entry(name)
		e.b = spdx.AppendQuoted(e.b, facts)
		e.b = append(e.b, `,"type":"extension_CdxPropertyEntry"}`...)
	}
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		value := properties[name]
		if name == componentNote || name == documentNote || strings.HasPrefix(name, propertyEscape) {
			name = propertyEscape + name
		}
		e.entry(name)
		e.b = spdx.AppendQuoted(e.b, value)
		e.b = append(e.b, `,"type":"extension_CdxPropertyEntry"}`...)
	}
	e.b = append(e.b, `],"type":"extension_CdxPropertiesExtension"}]`...)
}

func (e *encoder) entry(name string) {
	e.open()
	e.text("extension_cdxPropName", name)
	e.member("extension_cdxPropValue")
}

func (e *encoder) writeAgents() {
	for _, a := range slices.SortedFunc(maps.Keys(e.agents), func(a, b agent) int { return strings.Compare(e.agents[a], e.agents[b]) }) {
		e.open()
		e.raw("creationInfo", creationID)
		if a.email != "" {
			e.member("externalIdentifier")
			e.b = append(e.b, '[')
			e.identifier("email", a.email)
			e.b = append(e.b, ']')
		}
		if a.url != "" {
			e.member("externalIdentifier")
			e.b = append(e.b, '[')
			e.identifier("urlScheme", a.url)
			e.b = append(e.b, ']')
		}
		e.text("name", a.name)
		e.iri("spdxId", e.agents[a])
		e.raw("type", a.class)
		e.close()
		e.elements = append(e.elements, e.agents[a])
	}
}

func (e *encoder) identifier(kind, value string) {
	e.open()
	e.raw("externalIdentifierType", kind)
	e.text("identifier", value)
	e.raw("type", "ExternalIdentifier")
	e.close()
}

// writeLicenses writes expressions, and statements that are none as custom texts
// with an expression that names them.
func (e *encoder) writeLicenses() {
	write := func(id, expression, custom string) {
		e.open()
		e.raw("creationInfo", creationID)
		if custom != "" {
			e.b = append(e.b, `,"simplelicensing_customIdToUri":[{`...)
			e.raw("key", expression)
			e.raw("type", "DictionaryEntry")
			e.text("value", custom)
			e.b = append(e.b, "}]"...)
		}
		e.text("simplelicensing_licenseExpression", expression)
		e.iri("spdxId", id)
		e.raw("type", "simplelicensing_LicenseExpression")
		e.close()
		e.elements = append(e.elements, id)
	}
	for _, expression := range slices.Sorted(maps.Keys(e.licenses)) {
		write(e.licenses[expression], expression, "")
	}
	for i, name := range e.texts {
		n := index(i, len(e.texts))
		text := e.ns.own("text/" + n)
		write(e.ns.own("statement/"+n), spdx.LicenseRef(name), text)
		e.licenses["\x00"+name] = e.ns.own("statement/" + n)
	}
	for i, name := range e.texts {
		e.open()
		e.raw("creationInfo", creationID)
		e.text("name", name)
		e.text("simplelicensing_licenseText", name)
		e.iri("spdxId", e.ns.own("text/"+index(i, len(e.texts))))
		e.raw("type", "simplelicensing_SimpleLicensingText")
		e.close()
		e.elements = append(e.elements, e.ns.own("text/"+index(i, len(e.texts))))
	}
}

func (e *encoder) component(c *assay.Component) {
	facts := spdx.ComponentFacts{Source: c.Source, Locations: c.Locations, FoundBy: c.FoundBy}
	file := isFile(c)
	purpose := purposeOf(c.Type)
	if t, ok := typeOf(purpose); !ok || t != c.Type {
		facts.Type = c.Type
	}
	known := make([]assay.Digest, 0, 8)
	for _, d := range c.Hashes {
		if algorithmNames[d.Algorithm()] != "" {
			known = append(known, d)
		} else {
			facts.Hashes = append(facts.Hashes, d)
		}
	}
	cpes := make([]string, 0, 4)
	for _, cpe := range c.CPEs {
		if cpeType(cpe) != "" {
			cpes = append(cpes, cpe)
		} else {
			facts.CPEs = append(facts.CPEs, cpe)
		}
	}
	refs := e.refer(c)
	facts.References = refs.facts
	e.open()
	e.raw("creationInfo", creationID)
	e.optional("description", c.Description)
	var room [512]byte
	e.extension(componentNote, facts.Append(room[:0]), c.Properties)
	if len(cpes) > 0 || !c.PURL.IsZero() {
		e.member("externalIdentifier")
		e.b = append(e.b, '[')
		for _, cpe := range cpes {
			e.identifier(cpeType(cpe), cpe)
		}
		if !c.PURL.IsZero() {
			e.identifier("packageUrl", c.PURL.String())
		}
		e.b = append(e.b, ']')
	}
	e.externals(refs.external)
	e.optional("name", c.Name)
	if c.Creator != "" {
		e.list("originatedBy", e.agents[agentOf(c.Creator)])
	}
	if !file {
		e.optional("software_downloadLocation", refs.download)
		e.optional("software_homePage", refs.home)
		if !c.PURL.IsZero() {
			e.text("software_packageUrl", c.PURL.String())
		}
		e.optional("software_packageVersion", c.Version)
		e.raw("software_primaryPurpose", purpose)
	}
	e.iri("spdxId", e.ids[c.ID])
	if c.Supplier != "" {
		e.iri("suppliedBy", e.agents[agent{class: "Organization", name: c.Supplier}])
	}
	if file {
		e.raw("type", "software_File")
	} else {
		e.raw("type", "software_Package")
	}
	if len(known) > 0 {
		e.member("verifiedUsing")
		e.digests(known)
	}
	e.close()
}

func (e *encoder) digests(list []assay.Digest) {
	e.b = append(e.b, '[')
	for _, d := range list {
		e.open()
		e.raw("algorithm", algorithmNames[d.Algorithm()])
		e.raw("hashValue", d.Hex())
		e.raw("type", "Hash")
		e.close()
	}
	e.b = append(e.b, ']')
}

func cpeType(cpe string) string {
	switch {
	case strings.HasPrefix(cpe, "cpe:2.3:"):
		return "cpe23"
	case strings.HasPrefix(cpe, "cpe:/"):
		return "cpe22"
	}
	return ""
}

func (e *encoder) sbom(order []*assay.Component) {
	e.open()
	e.raw("creationInfo", creationID)
	all := make([]string, 0, len(e.elements)+len(order)+len(e.related))
	all = append(all, e.elements...)
	for _, c := range order {
		all = append(all, e.ids[c.ID])
	}
	e.list("element", slices.Concat(all, e.made, e.related)...)
	if e.doc.Root.ID != "" {
		e.list("rootElement", e.ids[e.doc.Root.ID])
	} else {
		e.list("rootElement", all[len(e.elements):]...)
	}
	if t := sbomTypes[e.doc.Lifecycle]; t != "" {
		e.list("software_sbomType", t)
	}
	e.iri("spdxId", e.ns.own("sbom"))
	e.raw("type", "software_Sbom")
	e.close()
}
