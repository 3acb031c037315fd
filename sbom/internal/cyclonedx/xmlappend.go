package cyclonedx

import (
	"bytes"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/assaykit/assay/sbom/internal/quote"
)

// xmlAppender writes the wire types as XML, in the order of the schema. What is written
// in nearly all documents needs nothing but escapes: for the rest odd is set, and what
// was written is not to be used.
type xmlAppender struct {
	b       []byte
	version int
	odd     bool
	rules   *xmlRules
	list    xmlList // whose items are being written
	// As in writer.
	want   []byte
	differ bool
}

type xmlList uint8

const (
	noItems      xmlList = iota // the start tag of components is still open
	someItems                   // in components
	dependencies                // in dependencies
)

// xmlRules are those of values that the fitter looks at.
type xmlRules struct {
	class, ref, used, alg, digest, acknowledgement, id, version, serial, time, phase, aggregate, external, assembly *scalar
}

var xmlRulesOf = sync.OnceValue(func() *xmlRules {
	at := func(t *typ, names ...string) *scalar {
		for _, name := range names {
			if t = t.byName[name].typ; t.alts != nil {
				t = t.alts[0].typ
			}
		}
		return t.scalar
	}
	bom := grammar()
	return &xmlRules{
		class: at(bom, "components", "type"), ref: at(bom, "components", "bom-ref"), used: at(bom, "dependencies", "ref"),
		alg: at(bom, "components", "hashes", "alg"), digest: at(bom, "components", "hashes", "content"),
		acknowledgement: at(bom, "components", "licenses", "acknowledgement"), id: at(bom, "components", "licenses", "id"),
		version: at(bom, "components", "version"), serial: at(bom, "serialNumber"), time: at(bom, "metadata", "timestamp"),
		phase: at(bom, "metadata", "lifecycles", "phase"), aggregate: at(bom, "compositions", "aggregate"),
		external: at(bom, "components", "externalReferences", "type"), assembly: at(bom, "compositions", "assemblies"),
	}
})

func newXMLAppender(version int) *xmlAppender {
	return &xmlAppender{version: version, rules: xmlRulesOf()}
}

// flush is that of writer. White space between elements does not count.
func (w *xmlAppender) flush() {
	if w.want == nil {
		return
	}
	if bytes.HasPrefix(w.want, w.b) {
		w.want = w.want[len(w.b):]
	} else {
		w.compare()
	}
	w.b = w.b[:0]
}

func (w *xmlAppender) compare() {
	for i := 0; i < len(w.b); {
		n := 0
		for i+n < len(w.b) && n < len(w.want) && w.b[i+n] == w.want[n] {
			n++
		}
		i, w.want = i+n, w.want[n:]
		if i == len(w.b) {
			return
		}
		rest := bytes.TrimLeft(w.want, " \t\n")
		if w.b[i] != '<' || len(rest) == len(w.want) || len(rest) == 0 || rest[0] != '<' {
			w.differ = true
			return
		}
		w.want = rest
	}
}

func (w *xmlAppender) raw(s string) { w.b = append(w.b, s...) }

// hold notes a value that the format does not have as it is.
func (w *xmlAppender) hold(s *scalar, value string) string {
	if s.ok != nil && !s.ok(value, w.version) {
		w.odd = true
	}
	return value
}

// word notes a value whose white space does not count in XML.
func (w *xmlAppender) word(s string) string {
	if !isWord(s) && strings.Join(strings.Fields(s), " ") != s {
		w.odd = true
	}
	return s
}

func (w *xmlAppender) escaped(s string, attr bool) {
	var ok bool
	if w.b, ok = appendXML(w.b, s, attr); !ok {
		w.odd = true
	}
}

// attr writes one after a start tag that is open.
func (w *xmlAppender) attr(name, value string) {
	w.raw(" ")
	w.raw(name)
	w.raw(`="`)
	w.escaped(value, true)
	w.raw(`"`)
}

// elem writes one with text in it.
func (w *xmlAppender) elem(name, text string) {
	w.raw("<")
	w.raw(name)
	w.raw(">")
	w.text(name, text)
}

// text writes what is in an element whose start tag is written, and its end.
func (w *xmlAppender) text(name, text string) {
	w.escaped(text, false)
	w.end(name)
}

func (w *xmlAppender) end(name string) {
	w.raw("</")
	w.raw(name)
	w.raw(">")
}

func (w *xmlAppender) optional(name, text string) {
	if text != "" {
		w.elem(name, text)
	}
}

// within writes an element with elements in it, if there are some.
func within[T any](w *xmlAppender, name string, list []T, item func(*T)) {
	if len(list) == 0 {
		return
	}
	w.raw("<")
	w.raw(name)
	w.raw(">")
	for i := range list {
		item(&list[i])
	}
	w.end(name)
}

// close ends an element whose start tag is open, and whose elements were written
// behind it; start is where its ">" is.
func (w *xmlAppender) close(name string, start int) {
	if len(w.b) == start+1 {
		w.b = append(w.b[:start], "/>"...)
		return
	}
	w.end(name)
}

// open writes a start tag, and gives where its ">" is.
func (w *xmlAppender) open(name string) int {
	w.raw("<")
	w.raw(name)
	w.raw(">")
	return len(w.b) - 1
}

func (w *xmlAppender) head(d *document, t toolList) {
	w.raw(`<?xml version="1.0" encoding="UTF-8"?><bom xmlns="` + namespace + d.SpecVersion + `"`)
	if d.SerialNumber != "" {
		w.attr("serialNumber", w.hold(w.rules.serial, d.SerialNumber))
	}
	if d.Version == nil || *d.Version < 1 {
		w.odd = true
	} else {
		w.attr("version", strconv.Itoa(*d.Version))
	}
	w.raw(">")
	w.metadata(&d.Metadata, t)
	w.raw("<components")
}

func (w *xmlAppender) metadata(m *metadata, t toolList) {
	start := w.open("metadata")
	if m.Timestamp != "" {
		w.elem("timestamp", w.hold(w.rules.time, m.Timestamp))
	}
	within(w, "lifecycles", m.Lifecycles, func(l *lifecycle) {
		w.raw("<lifecycle>")
		if (l.Phase == "") == (l.Name == "") {
			w.odd = true
		}
		if l.Phase != "" {
			w.elem("phase", w.hold(w.rules.phase, l.Phase))
		}
		w.optional("name", l.Name)
		w.end("lifecycle")
	})
	within(w, "tools", t.legacy, func(t *legacyTool) {
		w.raw("<tool>")
		w.elem("vendor", t.Vendor)
		w.elem("name", t.Name)
		w.elem("version", w.hold(w.rules.version, t.Version))
		w.end("tool")
	})
	if len(t.tools) > 0 {
		w.raw("<tools>")
		within(w, "components", t.tools, func(c *component) { w.component("component", c) })
		w.end("tools")
	}
	within(w, "authors", m.Authors, func(c *contact) { w.contact("author", c) })
	if m.Component != nil {
		w.component("component", m.Component)
	}
	w.maker(m.Manufacturer)
	w.properties(m.Properties)
	if len(w.b) == start+1 {
		w.b = w.b[:start-len("<metadata")]
		return
	}
	w.end("metadata")
}

func (w *xmlAppender) item(c *component) {
	if w.list == noItems {
		w.list = someItems
		w.raw(">")
	}
	w.component("component", c)
	w.flush()
}

// endItems ends the list that is being written.
func (w *xmlAppender) endItems() {
	switch w.list {
	case noItems:
		w.raw("/>")
	case someItems:
		w.end("components")
	case dependencies:
		w.end("dependencies")
	}
}

func (w *xmlAppender) edges(d *dependency) {
	if w.list != dependencies {
		w.endItems()
		w.raw("<dependencies>")
		w.list = dependencies
	}
	w.raw("<dependency")
	w.attr("ref", w.hold(w.rules.used, d.Ref))
	if len(d.DependsOn) == 0 {
		w.raw("/>")
	} else {
		w.raw(">")
		for _, to := range d.DependsOn {
			w.reference("dependency", w.hold(w.rules.used, to))
		}
		w.end("dependency")
	}
	w.flush()
}

func (w *xmlAppender) reference(name, ref string) {
	w.raw("<")
	w.raw(name)
	w.attr("ref", ref)
	w.raw("/>")
}

func (w *xmlAppender) tail(list []composition) {
	w.endItems()
	within(w, "compositions", list, func(c *composition) {
		w.raw("<composition")
		if c.BOMRef != "" {
			w.attr("bom-ref", w.hold(w.rules.ref, c.BOMRef))
		}
		w.raw(">")
		w.elem("aggregate", w.hold(w.rules.aggregate, c.Aggregate))
		within(w, "assemblies", c.Assemblies, func(ref *string) { w.reference("assembly", w.hold(w.rules.assembly, *ref)) })
		within(w, "dependencies", c.Dependencies, func(ref *string) { w.reference("dependency", *ref) })
		w.end("composition")
	})
	w.end("bom")
	w.flush()
}

func (w *xmlAppender) contact(name string, c *contact) {
	start := w.open(name)
	w.optional("name", c.Name)
	w.optional("email", c.Email)
	w.close(name, start)
}

func (w *xmlAppender) maker(m *maker) {
	if m == nil {
		return
	}
	start := w.open("manufacturer")
	w.optional("name", m.Name)
	for _, u := range m.URL {
		w.elem("url", w.word(u))
	}
	for i := range m.Contact {
		w.contact("contact", &m.Contact[i])
	}
	w.close("manufacturer", start)
}

func (w *xmlAppender) properties(list []property) {
	within(w, "properties", list, func(p *property) {
		w.raw("<property")
		w.attr("name", p.Name)
		w.raw(">")
		w.text("property", p.Value)
	})
}

func (w *xmlAppender) hashes(list []hash) {
	within(w, "hashes", list, func(h *hash) {
		w.raw("<hash")
		w.attr("alg", w.hold(w.rules.alg, h.Alg))
		w.raw(">")
		w.text("hash", w.hold(w.rules.digest, h.Content))
	})
}

func (w *xmlAppender) component(name string, c *component) {
	w.raw("<")
	w.raw(name)
	w.attr("type", w.hold(w.rules.class, c.Type))
	if c.BOMRef != "" {
		w.attr("bom-ref", w.hold(w.rules.ref, c.BOMRef))
	}
	w.raw(">")
	if c.Supplier != nil {
		w.raw("<supplier>")
		w.elem("name", c.Supplier.Name)
		w.end("supplier")
	}
	w.maker(c.Manufacturer)
	w.optional("author", c.Author)
	w.elem("name", c.Name)
	if c.Version != "" {
		w.elem("version", w.hold(w.rules.version, c.Version))
	}
	w.optional("description", c.Description)
	w.hashes(c.Hashes)
	if len(c.Licenses) > 0 {
		w.raw("<licenses>")
		for i := range c.Licenses {
			w.license(&c.Licenses[i], len(c.Licenses) > 1)
		}
		w.end("licenses")
	}
	w.optional("cpe", c.CPE)
	if c.PURL != "" {
		w.elem("purl", w.word(c.PURL))
	}
	within(w, "externalReferences", c.References, func(r *reference) {
		w.raw("<reference")
		w.attr("type", w.hold(w.rules.external, r.Type))
		w.raw(">")
		w.elem("url", w.word(r.URL))
		w.optional("comment", r.Comment)
		w.hashes(r.Hashes)
		w.end("reference")
	})
	w.properties(c.Properties)
	if c.Evidence != nil {
		w.raw("<evidence>")
		within(w, "occurrences", c.Evidence.Occurrences, func(o *occurrence) {
			w.raw("<occurrence>")
			w.elem("location", o.Location)
			w.optional("additionalContext", o.AdditionalContext)
			w.end("occurrence")
		})
		w.end("evidence")
	}
	w.end(name)
}

func (w *xmlAppender) license(l *licenseChoice, several bool) {
	name, acknowledgement := "expression", l.Acknowledgement
	if l.License != nil {
		name, acknowledgement = "license", l.License.Acknowledgement
	}
	w.raw("<")
	w.raw(name)
	if acknowledgement != "" {
		w.attr("acknowledgement", w.hold(w.rules.acknowledgement, acknowledgement))
	}
	w.raw(">")
	switch {
	case l.License == nil:
		if several && exclusive(w.version, true) || l.Expression == "" {
			w.odd = true
		}
		w.escaped(l.Expression, false)
	case (l.License.ID == "") == (l.License.Name == ""):
		w.odd = true
	case l.License.ID != "":
		w.elem("id", w.hold(w.rules.id, l.License.ID))
	default:
		w.elem("name", l.License.Name)
	}
	w.end(name)
}

// appendXML appends text so that a reader gets it as it is: what XML would normalize
// is written by its number. Characters that XML does not have become U+FFFD, and it
// gives false.
func appendXML(b []byte, s string, attr bool) ([]byte, bool) {
	ok, last := true, 0
	for i := quote.IndexMarkup(s, 0); i < len(s); {
		c, size := s[i], 1
		esc := ""
		switch {
		case c >= utf8.RuneSelf:
			var r rune
			if r, size = utf8.DecodeRuneInString(s[i:]); !xmlRune(r) {
				esc, ok = "\ufffd", false
			}
		case c == '&':
			esc = "&amp;"
		case c == '<':
			esc = "&lt;"
		case c == '>':
			esc = "&gt;"
		case c == '"' && attr:
			esc = "&quot;"
		case c >= ' ':
		case c == '\r':
			esc = "&#xD;"
		case (c == '\n' || c == '\t') && attr:
			esc = "&#x" + strconv.FormatInt(int64(c), 16) + ";"
		case c != '\n' && c != '\t':
			esc, ok = "\ufffd", false
		}
		if esc != "" {
			b = append(append(b, s[last:i]...), esc...)
			last = i + size
		}
		i = quote.IndexMarkup(s, i+size)
	}
	return append(b, s[last:]...), ok
}
