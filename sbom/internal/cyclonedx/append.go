package cyclonedx

import (
	"bytes"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/assaykit/assay/sbom/internal/quote"
)

// writer appends the wire types as compact JSON, in the order of their fields and
// without the empty ones, as the tags say. Nearly all of a document are short
// strings in small objects, for which a general encoder takes several times as long.
type writer struct {
	b []byte
	// If want is not nil, what is written is compared with it and forgotten.
	want   []byte
	differ bool

	depends bool // the list of dependencies is open, and not that of the components
}

// flush compares what was written up to now, all but the last byte, which tells the
// next member whether it needs a comma.
func (w *writer) flush() {
	n := len(w.b) - 1
	if w.want == nil || n <= 0 {
		return
	}
	if w.differ || !bytes.HasPrefix(w.want, w.b[:n]) {
		w.differ = true
	} else {
		w.want = w.want[n:]
	}
	w.b = append(w.b[:0], w.b[n])
}

func (w *writer) open() { w.b = append(w.b, '{') }

// key starts a member. It is a constant that needs no escapes.
func (w *writer) key(name string) {
	if w.b[len(w.b)-1] != '{' {
		w.b = append(w.b, ',')
	}
	w.b = append(w.b, '"')
	w.b = append(w.b, name...)
	w.b = append(w.b, '"', ':')
}

func (w *writer) member(name, value string) {
	w.key(name)
	w.string(value)
}

func (w *writer) optional(name, value string) {
	if value != "" {
		w.member(name, value)
	}
}

func (w *writer) string(s string) { w.b = quote.AppendJSON(w.b, s) }

func (w *writer) strings(name string, list []string) {
	if len(list) > 0 {
		array(w, name, list, func(s *string) { w.string(*s) })
	}
}

func array[T any](w *writer, name string, list []T, item func(*T)) {
	w.key(name)
	w.b = append(w.b, '[')
	for i := range list {
		if i > 0 {
			w.b = append(w.b, ',')
		}
		item(&list[i])
	}
	w.b = append(w.b, ']')
}

func (w *writer) close() { w.b = append(w.b, '}') }

// head writes what comes before the components.
func (w *writer) head(d *document, _ toolList) {
	w.open()
	w.optional("$schema", d.Schema)
	w.member("bomFormat", d.BOMFormat)
	w.member("specVersion", d.SpecVersion)
	w.optional("serialNumber", d.SerialNumber)
	if d.Version != nil {
		w.key("version")
		w.b = strconv.AppendInt(w.b, int64(*d.Version), 10)
	}
	w.metadata(&d.Metadata)
	w.key("components")
	w.b = append(w.b, '[')
}

func (w *writer) item(c *component) {
	w.comma()
	w.component(c)
	w.flush()
}

func (w *writer) comma() {
	if w.b[len(w.b)-1] != '[' {
		w.b = append(w.b, ',')
	}
}

func (w *writer) edges(d *dependency) {
	if !w.depends {
		w.depends = true
		w.b = append(w.b, `],"dependencies":[`...)
	}
	w.comma()
	w.open()
	w.member("ref", d.Ref)
	w.strings("dependsOn", d.DependsOn)
	w.close()
	w.flush()
}

// tail writes what comes after the components and what they depend on.
func (w *writer) tail(list []composition) {
	w.b = append(w.b, ']')
	if len(list) > 0 {
		array(w, "compositions", list, func(c *composition) {
			w.open()
			w.optional("bom-ref", c.BOMRef)
			w.member("aggregate", c.Aggregate)
			w.strings("assemblies", c.Assemblies)
			w.strings("dependencies", c.Dependencies)
			w.close()
		})
	}
	w.close()
}

func (w *writer) metadata(m *metadata) {
	if m.Timestamp == "" && len(m.Lifecycles) == 0 && len(m.Tools) == 0 && len(m.Authors) == 0 && m.Component == nil && m.Manufacturer == nil && len(m.Properties) == 0 {
		return
	}
	w.key("metadata")
	w.open()
	w.optional("timestamp", m.Timestamp)
	if len(m.Lifecycles) > 0 {
		array(w, "lifecycles", m.Lifecycles, func(l *lifecycle) {
			w.open()
			w.optional("phase", l.Phase)
			w.optional("name", l.Name)
			w.close()
		})
	}
	if len(m.Tools) > 0 {
		w.key("tools")
		w.b = append(w.b, jsontext.Value(m.Tools)...)
	}
	if len(m.Authors) > 0 {
		array(w, "authors", m.Authors, w.contact)
	}
	if m.Component != nil {
		w.key("component")
		w.component(m.Component)
	}
	w.maker(m.Manufacturer)
	w.properties(m.Properties)
	w.close()
}

func (w *writer) properties(list []property) {
	if len(list) > 0 {
		array(w, "properties", list, func(p *property) {
			w.open()
			w.member("name", p.Name)
			w.member("value", p.Value)
			w.close()
		})
	}
}

func (w *writer) entity(name string, e *entity) {
	if e != nil {
		w.key(name)
		w.open()
		w.member("name", e.Name)
		w.close()
	}
}

func (w *writer) contact(c *contact) {
	w.open()
	w.optional("name", c.Name)
	w.optional("email", c.Email)
	w.close()
}

func (w *writer) maker(m *maker) {
	if m == nil {
		return
	}
	w.key("manufacturer")
	w.open()
	w.optional("name", m.Name)
	w.strings("url", m.URL)
	if len(m.Contact) > 0 {
		array(w, "contact", m.Contact, w.contact)
	}
	w.close()
}

func (w *writer) hashes(list []hash) {
	if len(list) > 0 {
		array(w, "hashes", list, func(h *hash) {
			w.open()
			w.member("alg", h.Alg)
			w.member("content", h.Content)
			w.close()
		})
	}
}

func (w *writer) component(c *component) {
	w.open()
	w.member("type", c.Type)
	w.optional("bom-ref", c.BOMRef)
	w.entity("supplier", c.Supplier)
	w.maker(c.Manufacturer)
	w.optional("author", c.Author)
	w.member("name", c.Name)
	w.optional("version", c.Version)
	w.optional("description", c.Description)
	w.hashes(c.Hashes)
	if len(c.Licenses) > 0 {
		array(w, "licenses", c.Licenses, w.license)
	}
	w.optional("cpe", c.CPE)
	w.optional("purl", c.PURL)
	if len(c.References) > 0 {
		array(w, "externalReferences", c.References, func(r *reference) {
			w.open()
			w.member("url", r.URL)
			w.optional("comment", r.Comment)
			w.member("type", r.Type)
			w.hashes(r.Hashes)
			w.close()
		})
	}
	if c.Evidence != nil {
		w.key("evidence")
		w.open()
		array(w, "occurrences", c.Evidence.Occurrences, func(o *occurrence) {
			w.open()
			w.member("location", o.Location)
			w.optional("additionalContext", o.AdditionalContext)
			w.close()
		})
		w.close()
	}
	w.properties(c.Properties)
	w.close()
}

func (w *writer) license(l *licenseChoice) {
	w.open()
	if l.License != nil {
		w.key("license")
		w.open()
		w.optional("id", l.License.ID)
		w.optional("name", l.License.Name)
		w.optional("acknowledgement", l.License.Acknowledgement)
		w.close()
	}
	w.optional("expression", l.Expression)
	w.optional("acknowledgement", l.Acknowledgement)
	w.close()
}
