package cyclonedx

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/strictjson"
	"github.com/assaykit/assay/sbom/internal/canon"
	spdxlicense "github.com/assaykit/assay/sbom/internal/license"
)

// algorithms are those that have a name in the format.
var algorithms = map[string]assay.Algorithm{
	"MD5": assay.MD5, "SHA-1": assay.SHA1, "SHA-256": assay.SHA256, "SHA-384": assay.SHA384, "SHA-512": assay.SHA512,
	"SHA3-256": assay.SHA3_256, "SHA3-384": assay.SHA3_384, "SHA3-512": assay.SHA3_512,
	"BLAKE2b-512": assay.BLAKE2B, "BLAKE3": assay.BLAKE3,
}

// algorithmNames is the reverse.
var algorithmNames = func() map[assay.Algorithm]string {
	m := make(map[assay.Algorithm]string, len(algorithms))
	for name, alg := range algorithms {
		m[alg] = name
	}
	return m
}()

// ValidSerial reports whether s can be a serialNumber.
func ValidSerial(s string) bool { return serialPattern.MatchString(s) }

// Target is what to write.
type Target struct {
	Version int // 4 to 7, for 1.4 to 1.7
	XML     bool
}

// DefaultVersion is the newest that most readers know.
const DefaultVersion = 6

// ParseVersion reads a version that can be written.
func ParseVersion(s string) (version int, ok bool) {
	version = minor(s)
	return version, version >= 4
}

// Encode writes a document, without a newline at its end. The SBOM is in canonical
// form: normalized, and with valid values; package sbom sees to that. What the SBOM
// keeps of a document of CycloneDX that it was read from is merged in, and fitted to
// the version. Report is called for what is not written as the format means it to be.
func Encode(doc *assay.SBOM, to Target, report Report) ([]byte, error) {
	type loss struct {
		field  string
		id     assay.ComponentID
		reason string
	}
	var typed []loss // of what the model has
	hold := func(field string, id assay.ComponentID, reason string) {
		typed = append(typed, loss{field, id, reason})
	}
	tell := func() {
		for _, l := range typed {
			report(l.field, l.id, l.reason)
		}
	}
	if to.XML && !Keeps(doc) {
		if data, ok := encodeXML(doc, to.Version, hold); ok {
			tell()
			return data, nil
		}
		typed = nil
	}
	now, err := encode(doc, to.Version, hold)
	if err != nil {
		return nil, err
	}
	fit := &fitter{version: to.Version, xml: to.XML, report: func(pointer, owner, reason string) { report(pointer, assay.ComponentID(owner), reason) }}
	var t *tree
	if Keeps(doc) {
		changed := false
		if t, changed, err = recall(doc, now, to, fit.report); err != nil {
			return nil, err
		}
		if changed {
			tell()
		}
		if raw, ok := signedXML(doc, t, to); ok && !changed {
			return raw, nil // of another version it has no signature any more
		}
	} else {
		tell()
		if !to.XML {
			return now, nil
		}
		if t, err = parseTree(now); err != nil {
			return nil, err
		}
	}
	lost := false
	count := fit.report
	fit.report = func(pointer, owner, reason string) { lost = true; count(pointer, owner, reason) }
	if !fit.document(t) {
		return nil, &assay.Error{Op: "write CycloneDX", Kind: assay.ErrInvalid, Subject: doc.Root.Name, Bound: "a document that CycloneDX 1." + strconv.Itoa(to.Version) + " can have"}
	}
	if lost {
		unsign(t, count)
	}
	if to.XML {
		return writeXML(t, to.Version, len(now)), nil
	}
	return t.append(nil), nil
}

// Report is told what is lost, where, of which component, and why.
type Report = func(field string, id assay.ComponentID, reason string)

// Keeps reports whether the SBOM carries the document of CycloneDX that it is from.
func Keeps(doc *assay.SBOM) bool { return strings.HasPrefix(doc.Rest.Format, "cyclonedx-") }

// NotKept reports what of a document of CycloneDX, which the SBOM was read from, is
// lost in another format.
func NotKept(doc *assay.SBOM, report Report) error {
	if !Keeps(doc) {
		return nil
	}
	d, _, err := decode("the document that was read", doc.Rest.Data, strings.HasPrefix(doc.Rest.Format, "cyclonedx-xml/"))
	if err != nil {
		return err
	}
	for _, l := range d.lost {
		report(l.pointer, d.owner(l.pointer), l.reason)
	}
	return nil
}

// recall gives the document that the SBOM was read from with what the SBOM says
// now, and whether that is something else.
func recall(doc *assay.SBOM, now []byte, to Target, report func(pointer, owner, reason string)) (t *tree, changed bool, err error) {
	const name = "the document that was read"
	xml := strings.HasPrefix(doc.Rest.Format, "cyclonedx-xml/")
	d, t, err := decode(name, doc.Rest.Data, xml)
	if err != nil {
		return nil, false, err
	}
	if t == nil {
		if t, err = readTree(name, doc.Rest.Data, xml); err != nil {
			return nil, false, err
		}
	}
	ignore := func(string, assay.ComponentID, string) {}
	was, err := canon.Form(d.doc, ignore)
	if err != nil {
		return nil, false, err
	}
	then, err := encode(was, to.Version, ignore)
	if err != nil {
		return nil, false, err
	}
	version := "1." + strconv.Itoa(to.Version)
	if changed, err = differ(was, doc, ignore); err != nil {
		return nil, false, err
	}
	if !bytes.Equal(then, now) {
		thenTree, err := parseTree(then)
		if err != nil {
			return nil, false, err
		}
		nowTree, err := parseTree(now)
		if err != nil {
			return nil, false, err
		}
		m := &merger{ids: make(map[string]string, len(d.ids)), report: report}
		for pointer, id := range d.ids {
			m.ids[pointer] = string(id)
		}
		m.document(t, thenTree, nowTree)
	}
	if t.str("specVersion") != version {
		unsign(t, report)
		t.set("specVersion", newString(version))
		if t.has("$schema") {
			t.set("$schema", newString(schemaOf(to.Version)))
		}
	}
	return t, changed, nil
}

// differ compares what the newest version says of two, which has all of the model.
func differ(a, b *assay.SBOM, ignore Report) (bool, error) {
	x, err := encode(a, newest, ignore)
	if err != nil {
		return false, err
	}
	y, err := encode(b, newest, ignore)
	return !bytes.Equal(x, y), err
}

// signedXML gives the document as it was where it has a signature in it, which is
// over the white space too.
func signedXML(doc *assay.SBOM, t *tree, to Target) ([]byte, bool) {
	signed := doc.Rest.Format == formatName(true, "1."+strconv.Itoa(to.Version)) && to.XML && t.foreign != nil && slices.ContainsFunc(t.foreign.elements, isXMLSignature)
	return bytes.TrimSpace(doc.Rest.Data), signed
}

func isXMLSignature(element string) bool {
	tag, _, _ := strings.Cut(element, ">")
	return strings.Contains(tag, "http://www.w3.org/2000/09/xmldsig#")
}

// unsign removes the signature of a document that is no longer what was signed.
func unsign(t *tree, report func(pointer, owner, reason string)) {
	const reason = "it is over the document as it was read"
	if t.has("signature") {
		t.remove("signature")
		report("/signature", "", reason)
	}
	if t.foreign == nil {
		return
	}
	count := len(t.foreign.elements)
	if t.foreign.elements = slices.DeleteFunc(t.foreign.elements, isXMLSignature); len(t.foreign.elements) < count {
		report("/signature", "", reason)
	}
	if len(t.foreign.elements)+len(t.foreign.attrs) == 0 {
		t.foreign = nil
	}
}

func schemaOf(version int) string {
	return "http://cyclonedx.org/schema/bom-1." + strconv.Itoa(version) + ".schema.json"
}

func formatName(xml bool, version string) string {
	if xml {
		return "cyclonedx-xml/" + version
	}
	return "cyclonedx-json/" + version
}

// encode writes what the model has.
func encode(doc *assay.SBOM, version int, report Report) ([]byte, error) {
	w := &writer{b: make([]byte, 0, 512+1536*len(doc.Components))}
	err := encodeTo(w, doc, version, report)
	return w.b, err
}

// encodeXML is encode to XML, as [fitter] and [xmlWriter] would bring it there. It
// gives false where one of them would have something to change.
func encodeXML(doc *assay.SBOM, version int, report Report) ([]byte, bool) {
	w := newXMLAppender(version)
	w.b = make([]byte, 0, 512+1792*len(doc.Components))
	err := encodeTo(w, doc, version, report)
	return w.b, err == nil && !w.odd
}

// sink is where the wire types go, in the order of the methods. They are valid until
// the method returns.
type sink interface {
	head(d *document, t toolList)
	item(c *component)
	edges(d *dependency)
	tail(list []composition)
}

// toolList is what metadata.tools is.
type toolList struct {
	legacy []legacyTool // up to 1.4
	tools  []component
}

func encodeTo(w sink, doc *assay.SBOM, version int, report Report) error {
	e := &encoder{doc: doc, version: version, report: report, lacking: make(map[string]string)}
	out := document{
		Schema: schemaOf(version), BOMFormat: "CycloneDX", SpecVersion: "1." + strconv.Itoa(version),
		SerialNumber: doc.Serial, Version: &doc.Version,
	}
	made, err := e.metadata(doc, &out.Metadata)
	if err != nil {
		return err
	}
	w.head(&out, made)
	for i := range doc.Components {
		w.item(e.component(&doc.Components[i]))
	}
	stated := newCoverage(doc.Completeness)
	depend := func(c *assay.Component) {
		d := dependency{Ref: string(c.ID), DependsOn: e.dependsOn[:0]}
		for _, r := range e.from(c.ID) {
			if r.Kind == assay.DependsOn {
				d.DependsOn = append(d.DependsOn, string(r.To))
			}
		}
		e.dependsOn = d.DependsOn
		if c.ID != "" && (len(d.DependsOn) > 0 || stated.covers(c)) {
			w.edges(&d)
		}
	}
	depend(&doc.Root)
	for i := range doc.Components {
		depend(&doc.Components[i])
	}
	var list compositions
	for _, s := range doc.Completeness {
		c := compositionOf(s, doc)
		if version < 5 && c.BOMRef != "" {
			c.BOMRef = ""
			if len(c.Assemblies)+len(c.Dependencies) == 0 {
				report("completeness", s.Of, e.lacks("bom-refs of compositions")+", which "+s.Scope+" would be in")
				continue
			}
			report("completeness", s.Of, e.lacks("bom-refs of compositions")+": "+s.Scope+" is written of each component")
		}
		list.add(c)
	}
	w.tail(list.list)
	return nil
}

// encoder makes the wire types, one after the other in the same room.
type encoder struct {
	doc     *assay.SBOM
	version int
	next    int // of the relations, which are in the order of the components
	report  func(field string, id assay.ComponentID, reason string)

	out       component
	supplier  entity
	evidence  evidence
	licensed  []licenseInfo
	dependsOn []string
	layer     assay.Digest // the last one, and its text
	layerText string
	lacking   map[string]string // what was said of it
}

// from gives the relations from a component.
func (e *encoder) from(id assay.ComponentID) []assay.Relation {
	list := e.doc.Relations
	if e.next > 0 && list[e.next-1].From >= id { // the root is asked for out of turn
		e.next, _ = slices.BinarySearchFunc(list, id, func(r assay.Relation, id assay.ComponentID) int { return strings.Compare(string(r.From), string(id)) })
	}
	for e.next < len(list) && list[e.next].From < id {
		e.next++
	}
	start := e.next
	for e.next < len(list) && list[e.next].From == id {
		e.next++
	}
	return list[start:e.next]
}

func (e *encoder) textOf(layer assay.Digest) string {
	if layer != e.layer {
		e.layer, e.layerText = layer, layer.String()
	}
	return e.layerText
}

func (e *encoder) lacks(what string) string {
	text, ok := e.lacking[what]
	if !ok {
		text = "CycloneDX 1." + strconv.Itoa(e.version) + " has no " + what
		e.lacking[what] = text
	}
	return text
}

func (e *encoder) metadata(doc *assay.SBOM, m *metadata) (made toolList, err error) {
	if !doc.Created.IsZero() {
		m.Timestamp = doc.Created.UTC().Format(time.RFC3339Nano)
	}
	switch {
	case doc.Lifecycle != "" && e.version < 5:
		e.report("lifecycle", "", e.lacks("lifecycles"))
	case slices.Contains(phases, doc.Lifecycle):
		m.Lifecycles = []lifecycle{{Phase: doc.Lifecycle}}
	case doc.Lifecycle != "":
		m.Lifecycles = []lifecycle{{Name: doc.Lifecycle}}
	}
	for i, a := range doc.Authors {
		c := canon.ParseContact(a)
		switch {
		case c.URL == "":
			m.Authors = append(m.Authors, contact{Name: c.Name, Email: c.Email})
		case i == len(doc.Authors)-1 && e.version >= 6:
			m.Manufacturer = makerOf(a)
		default: // authors have no such address
			m.Authors = append(m.Authors, contact{Name: a})
		}
	}
	for _, l := range doc.Layers {
		m.Properties = append(m.Properties, property{propLayer, l.String()})
	}
	if doc.Root.ID != "" {
		m.Component = e.component(&doc.Root)
	}
	if len(doc.Tools) == 0 {
		return made, nil
	}
	if e.version < 5 {
		for _, tool := range doc.Tools {
			made.legacy = append(made.legacy, legacyTool{Vendor: tool.Vendor, Name: tool.Name, Version: tool.Version})
		}
		raw, err := strictjson.Marshal(made.legacy)
		m.Tools = json.RawMessage(raw)
		return made, err
	}
	for _, tool := range doc.Tools {
		c := component{Type: string(assay.TypeApplication), Name: tool.Name, Version: tool.Version}
		switch {
		case tool.Vendor != "" && e.version < 6: // which has no manufacturer
			c.Supplier = &entity{tool.Vendor}
		case tool.Vendor != "":
			c.Manufacturer = &maker{Name: tool.Vendor}
		}
		made.tools = append(made.tools, c)
	}
	raw, err := strictjson.Marshal(&tools{Components: made.tools})
	m.Tools = json.RawMessage(raw)
	return made, err
}

func makerOf(s string) *maker {
	c := canon.ParseContact(s)
	m := &maker{Name: c.Name}
	if c.URL != "" {
		m.URL = []string{c.URL}
	}
	if c.Email != "" {
		m.Contact = []contact{{Email: c.Email}}
	}
	return m
}

func (e *encoder) component(c *assay.Component) *component {
	out := &e.out
	*out = component{
		Type: string(c.Type), BOMRef: string(c.ID), Name: c.Name, Version: c.Version, Description: c.Description,
		PURL: c.PURL.String(), Licenses: e.licenses(c, out.Licenses[:0]), Hashes: out.Hashes[:0], Properties: out.Properties[:0],
	}
	if c.Supplier != "" {
		e.supplier.Name = c.Supplier
		out.Supplier = &e.supplier
	}
	switch {
	case c.Creator != "" && e.version >= 6:
		out.Manufacturer = makerOf(c.Creator)
	case c.Creator != "":
		out.Author = c.Creator
	}
	if len(c.References) > 0 {
		out.References = e.references(c)
	}
	if fallback := typeFallbacks[out.Type]; fallback != "" && (e.version < 5 || e.version < 6 && c.Type == assay.TypeCrypto) {
		e.report("type", c.ID, e.lacks(out.Type)+"; written as "+fallback)
		out.Type = fallback
	}
	switch {
	case len(c.Locations) > 0 && e.version < 5:
		e.report("locations", c.ID, e.lacks("occurrences"))
	case len(c.Locations) > 0:
		out.Evidence = &e.evidence
		e.evidence.Occurrences = e.evidence.Occurrences[:0]
		for _, l := range c.Locations {
			o := occurrence{Location: l.Path}
			if e.version >= 6 {
				o.AdditionalContext = e.textOf(l.Layer)
			} else if !l.Layer.IsZero() {
				e.report("locations", c.ID, e.lacks("context of an occurrence")+": the layer of "+l.Path+" is not written")
			}
			e.evidence.Occurrences = append(e.evidence.Occurrences, o)
		}
	}
	add := func(name, value string) { out.Properties = append(out.Properties, property{name, value}) }
	for i, cpe := range c.CPEs {
		if i == 0 && cpe != "" {
			out.CPE = cpe
		} else {
			add(propCPE, cpe)
		}
	}
	if c.FoundBy != "" {
		add(propFoundBy, c.FoundBy)
	}
	for _, d := range c.Hashes {
		if name, ok := algorithmNames[d.Algorithm()]; ok {
			out.Hashes = append(out.Hashes, hash{name, d.Hex()})
		} else {
			add(propHash+string(d.Algorithm()), d.Hex())
		}
	}
	for _, r := range e.from(c.ID) {
		if r.Kind != assay.DependsOn {
			add(propRelation+string(r.Kind), string(r.To))
		}
	}
	if c.Source.Name != "" {
		add(propSourceName, c.Source.Name)
	}
	if c.Source.Version != "" {
		add(propSourceVersion, c.Source.Version)
	}
	if len(c.Properties) > 0 {
		for _, name := range slices.Sorted(maps.Keys(c.Properties)) {
			add(escape(name), c.Properties[name])
		}
	}
	return out
}

// references are written as they are, as far as the version has their type, and the
// format the algorithms of their digests.
func (e *encoder) references(c *assay.Component) []reference {
	out := make([]reference, 0, len(c.References))
	types := grammar().byName["components"].typ.byName["externalReferences"].typ.byName["type"].typ.scalar
	for _, r := range c.References {
		w := reference{URL: r.URL, Comment: r.Comment, Type: string(r.Type)}
		if !types.ok(w.Type, e.version) {
			e.report("references", c.ID, e.lacks("reference of type "+w.Type)+"; written as other: "+r.URL)
			w.Type = string(assay.RefOther)
		}
		for _, d := range r.Hashes {
			if name, ok := algorithmNames[d.Algorithm()]; ok {
				w.Hashes = append(w.Hashes, hash{name, d.Hex()})
			} else {
				e.report("references", c.ID, e.lacks("digest by "+string(d.Algorithm()))+": that of "+r.URL+" is not written")
			}
		}
		out = append(out, w)
	}
	return out
}

// escape keeps a property of the component from being read as one of ours.
func escape(name string) string {
	switch name {
	case propFoundBy, propSourceName, propSourceVersion, propCPE:
		return propEscape + name
	}
	for _, prefix := range []string{propHash, propRelation, propEscape} {
		if strings.HasPrefix(name, prefix) {
			return propEscape + name
		}
	}
	return name
}

func (e *encoder) licenses(c *assay.Component, out []licenseChoice) []licenseChoice {
	e.licensed = slices.Grow(e.licensed[:0], len(c.Licenses)) // which pointers lead into
	acknowledge := func(l assay.License) string {
		if e.version < 6 {
			if l.Concluded {
				e.report("licenses", c.ID, e.lacks("acknowledgement")+": "+l.Expression+l.Name+" was concluded")
			}
			return ""
		}
		if l.Concluded {
			return concluded
		}
		return declared
	}
	info := func(l licenseInfo) licenseChoice {
		e.licensed = append(e.licensed, l)
		return licenseChoice{License: &e.licensed[len(e.licensed)-1]}
	}
	for _, l := range c.Licenses {
		switch {
		case spdxlicense.IsID(l.Expression):
			out = append(out, info(licenseInfo{ID: l.Expression, Acknowledgement: acknowledge(l)}))
		case l.Expression != "" && (len(c.Licenses) == 1 || e.version >= 7):
			out = append(out, licenseChoice{Expression: l.Expression, Acknowledgement: acknowledge(l)})
		case l.Expression != "":
			e.report("licenses", c.ID, "CycloneDX 1."+strconv.Itoa(e.version)+" has an expression only where there is no other license: "+l.Expression+" is written as a name")
			out = append(out, info(licenseInfo{Name: l.Expression, Acknowledgement: acknowledge(l)}))
		default:
			out = append(out, info(licenseInfo{Name: l.Name, Acknowledgement: acknowledge(l)}))
		}
	}
	return out
}
