package spdx3

import (
	"github.com/assaykit/assay/sbom/internal/spdx"
)

// open starts an element. Members follow in the order of their names.
func (e *encoder) open() {
	if c := e.b[len(e.b)-1]; c != '[' {
		e.b = append(e.b, ',')
	}
	e.b = append(e.b, '{')
}

func (e *encoder) close() { e.b = append(e.b, '}') }

// raw writes a member whose name and value need no escaping.
func (e *encoder) raw(name, value string) {
	e.member(name)
	e.b = append(e.b, '"')
	e.b = append(e.b, value...)
	e.b = append(e.b, '"')
}

func (e *encoder) member(name string) {
	if c := e.b[len(e.b)-1]; c != '{' {
		e.b = append(e.b, ',')
	}
	e.b = append(e.b, '"')
	e.b = append(e.b, name...)
	e.b = append(e.b, '"', ':')
}

func (e *encoder) text(name, value string) {
	e.member(name)
	e.b = spdx.AppendQuoted(e.b, value)
}

func (e *encoder) optional(name, value string) {
	if value != "" {
		e.text(name, value)
	}
}

// iri writes an spdxId, or a word of the model. Ids have escapes of their own; only
// the document's may need those of JSON.
func (e *encoder) iri(name, value string) {
	e.member(name)
	e.appendIRI(value)
}

func (e *encoder) appendIRI(value string) {
	if !e.clean {
		e.b = spdx.AppendQuoted(e.b, value)
		return
	}
	e.b = append(e.b, '"')
	e.b = append(e.b, value...)
	e.b = append(e.b, '"')
}

// list writes IRIs and words, or nothing if there are none.
func (e *encoder) list(name string, values ...string) {
	if len(values) == 0 {
		return
	}
	e.member(name)
	e.b = append(e.b, '[')
	for i, v := range values {
		if i > 0 {
			e.b = append(e.b, ',')
		}
		e.appendIRI(v)
	}
	e.b = append(e.b, ']')
}
