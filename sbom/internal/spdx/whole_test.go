package spdx

import "github.com/assaykit/assay"

// encode makes the whole document, which is written one element after the other.
func encode(doc *assay.SBOM, as *dialect, report func(field string, id assay.ComponentID, reason string)) (*document, error) {
	e, out, err := begin(doc, as, report)
	if err != nil {
		return nil, err
	}
	out.Packages = make([]pkg, 0, len(e.ids))
	for c := range e.components() {
		if isFile(c) {
			f, facts := e.file(c)
			f.Annotations = e.annotate(&facts)
			out.Files = append(out.Files, f)
		} else {
			var p pkg
			facts := e.pkg(c, &p)
			p.Annotations = e.annotate(&facts)
			out.Packages = append(out.Packages, p)
		}
	}
	out.Relationships = make([]relationship, 0, len(doc.Relations)+1)
	e.relationships(func(r *relationship) { out.Relationships = append(out.Relationships, *r) })
	return out, nil
}

func (e *encoder) annotate(f *ComponentFacts) []annotation {
	e.scratch = f.Append(e.scratch[:0])
	return e.note(componentNote, e.scratch)
}

// append writes the document as JSON.
func (d *document) append(b []byte) []byte {
	w := &writer{b: b}
	w.head(d)
	each(w, "packages", d.Packages, (*writer).pkg)
	each(w, "files", d.Files, (*writer).file)
	w.extracted(d.Extracted)
	each(w, "relationships", d.Relationships, (*writer).relationship)
	w.annotations(d.Annotations)
	w.close('}')
	return w.b
}
