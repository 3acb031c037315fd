package spdx

import (
	"bytes"
	"strings"

	"github.com/assaykit/assay"
)

// EncodeTagValue writes a document of SPDX 2.3 as tag-value, or of 2.2 if it is to be
// old, without a newline at its end. It takes and reports what [Encode] does.
func EncodeTagValue(doc *assay.SBOM, old bool, report func(field string, id assay.ComponentID, reason string)) ([]byte, error) {
	as := inTagValue
	if old {
		as = as.as22()
	}
	e, d, err := begin(doc, as, report)
	if err != nil {
		return nil, err
	}
	w := &tagWriter{b: make([]byte, 0, e.size(d)/5*4)} // less than JSON takes
	w.line("SPDXVersion", d.SPDXVersion)
	w.line("DataLicense", d.DataLicense)
	w.line("SPDXID", d.SPDXID)
	w.line("DocumentName", d.Name)
	w.line("DocumentNamespace", d.DocumentNamespace)
	for _, c := range d.CreationInfo.Creators {
		w.line("Creator", c)
	}
	w.line("Created", d.CreationInfo.Created)
	notes := &tagWriter{b: make([]byte, 0, 768*len(e.order))} // which come last
	// Files come before packages: those that follow a package are its own.
	for c := range e.components() {
		if isFile(c) {
			f, facts := e.file(c)
			w.file(&f)
			e.tagNote(notes, f.SPDXID, &facts)
		}
	}
	var p pkg
	for c := range e.components() {
		if !isFile(c) {
			facts := e.pkg(c, &p)
			w.pkg(&p)
			e.tagNote(notes, p.SPDXID, &facts)
		}
	}
	for _, x := range d.Extracted {
		w.section()
		w.line("LicenseID", x.ID)
		w.text("ExtractedText", x.Text)
		w.line("LicenseName", x.Name)
	}
	before := len(w.b)
	w.section()
	e.relationships(func(r *relationship) {
		w.words("Relationship", r.From, " ", r.Type, " ", r.To)
		w.text("RelationshipComment", r.Comment)
	})
	if len(w.b) == before+1 {
		w.b = w.b[:before]
	}
	for _, a := range d.Annotations {
		w.annotation(documentID, a.Date, a.Comment)
	}
	w.b = append(w.b, notes.b...)
	return w.b[:len(w.b)-1], nil
}

// tagNote writes what annotate gives, without making it first.
func (e *encoder) tagNote(w *tagWriter, of string, f *ComponentFacts) {
	e.scratch = f.Append(append(e.scratch[:0], componentNote...))
	if len(e.scratch) == len(componentNote)+len("{}") {
		return
	}
	if bytes.Contains(e.scratch, []byte("text>")) || bytes.IndexByte(e.scratch, 0x7f) >= 0 {
		e.scratch = append(e.scratch[:0], e.as.note(string(e.scratch))...)
	}
	w.noted(of, e.date)
	w.tag("AnnotationComment")
	w.b = append(append(append(w.b, "<text>"...), e.scratch...), "</text>\n"...)
}

type tagWriter struct{ b []byte }

func (w *tagWriter) section() { w.b = append(w.b, '\n') }

func (w *tagWriter) tag(tag string) { w.b = append(append(w.b, tag...), ": "...) }

// line writes a value that the dialect has made to fit; an empty one is left out.
func (w *tagWriter) line(tag, value string) {
	if value != "" {
		w.words(tag, value)
	}
}

// words writes a value that is not empty in parts.
func (w *tagWriter) words(tag string, parts ...string) {
	w.tag(tag)
	for _, s := range parts {
		w.b = append(w.b, s...)
	}
	w.b = append(w.b, '\n')
}

func (w *tagWriter) text(tag, value string) {
	if value != "" {
		w.words(tag, "<text>", value, "</text>")
	}
}

func (w *tagWriter) file(f *file) {
	w.section()
	w.line("FileName", f.FileName)
	w.line("SPDXID", f.SPDXID)
	for _, c := range f.Checksums {
		w.words("FileChecksum", c.Algorithm, ": ", c.Value)
	}
	w.line("LicenseConcluded", f.LicenseConcluded)
	for _, l := range f.LicenseInfos {
		w.line("LicenseInfoInFile", l)
	}
	w.line("FileCopyrightText", f.CopyrightText)
}

func (w *tagWriter) pkg(p *pkg) {
	w.section()
	w.line("PackageName", p.Name)
	w.line("SPDXID", p.SPDXID)
	w.line("PackageVersion", p.VersionInfo)
	w.line("PackageSupplier", p.Supplier)
	w.line("PackageOriginator", p.Originator)
	w.line("PackageDownloadLocation", p.DownloadLocation)
	w.line("FilesAnalyzed", "false")
	for _, c := range p.Checksums {
		w.words("PackageChecksum", c.Algorithm, ": ", c.Value)
	}
	w.line("PackageHomePage", p.Homepage)
	w.line("PackageLicenseConcluded", p.LicenseConcluded)
	w.line("PackageLicenseDeclared", p.LicenseDeclared)
	w.line("PackageCopyrightText", p.CopyrightText)
	w.text("PackageDescription", p.Description)
	for _, x := range p.ExternalRefs {
		w.words("ExternalRef", x.Category, " ", x.Type, " ", x.Locator)
		w.text("ExternalRefComment", x.Comment)
	}
	w.line("PrimaryPackagePurpose", strings.ReplaceAll(p.Purpose, "_", "-"))
}

func (w *tagWriter) annotation(of, date, comment string) {
	w.noted(of, date)
	w.text("AnnotationComment", comment)
}

// noted writes an annotation up to its comment.
func (w *tagWriter) noted(of, date string) {
	w.section()
	w.line("Annotator", annotator)
	w.line("AnnotationDate", date)
	w.line("AnnotationType", "OTHER")
	w.line("SPDXREF", of)
}
