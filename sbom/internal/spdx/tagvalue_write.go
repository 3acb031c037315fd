package spdx

import (
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
	d, err := encode(doc, as, report)
	if err != nil {
		return nil, err
	}
	w := &tagWriter{b: make([]byte, 0, 1<<10*(len(d.Packages)+len(d.Files)+2))}
	w.line("SPDXVersion", d.SPDXVersion)
	w.line("DataLicense", d.DataLicense)
	w.line("SPDXID", d.SPDXID)
	w.line("DocumentName", d.Name)
	w.line("DocumentNamespace", d.DocumentNamespace)
	for _, c := range d.CreationInfo.Creators {
		w.line("Creator", c)
	}
	w.line("Created", d.CreationInfo.Created)
	// Files come before packages: those that follow a package are its own.
	for i := range d.Files {
		f := &d.Files[i]
		w.section()
		w.line("FileName", f.FileName)
		w.line("SPDXID", f.SPDXID)
		for _, c := range f.Checksums {
			w.line("FileChecksum", c.Algorithm+": "+c.Value)
		}
		w.line("LicenseConcluded", f.LicenseConcluded)
		for _, l := range f.LicenseInfos {
			w.line("LicenseInfoInFile", l)
		}
		w.line("FileCopyrightText", f.CopyrightText)
	}
	for i := range d.Packages {
		w.pkg(&d.Packages[i])
	}
	for _, x := range d.Extracted {
		w.section()
		w.line("LicenseID", x.ID)
		w.text("ExtractedText", x.Text)
		w.line("LicenseName", x.Name)
	}
	if len(d.Relationships) > 0 {
		w.section()
	}
	for _, r := range d.Relationships {
		w.line("Relationship", r.From+" "+r.Type+" "+r.To)
		w.text("RelationshipComment", r.Comment)
	}
	w.annotations(documentID, d.Annotations)
	for i := range d.Files {
		w.annotations(d.Files[i].SPDXID, d.Files[i].Annotations)
	}
	for i := range d.Packages {
		w.annotations(d.Packages[i].SPDXID, d.Packages[i].Annotations)
	}
	return w.b[:len(w.b)-1], nil
}

type tagWriter struct{ b []byte }

func (w *tagWriter) section() { w.b = append(w.b, '\n') }

// line writes a value that the dialect has made to fit; an empty one is left out.
func (w *tagWriter) line(tag, value string) {
	if value == "" {
		return
	}
	w.b = append(append(w.b, tag...), ": "...)
	w.b = append(append(w.b, value...), '\n')
}

func (w *tagWriter) text(tag, value string) {
	if value != "" {
		w.line(tag, "<text>"+value+"</text>")
	}
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
		w.line("PackageChecksum", c.Algorithm+": "+c.Value)
	}
	w.line("PackageHomePage", p.Homepage)
	w.line("PackageLicenseConcluded", p.LicenseConcluded)
	w.line("PackageLicenseDeclared", p.LicenseDeclared)
	w.line("PackageCopyrightText", p.CopyrightText)
	w.text("PackageDescription", p.Description)
	for _, x := range p.ExternalRefs {
		w.line("ExternalRef", x.Category+" "+x.Type+" "+x.Locator)
		w.text("ExternalRefComment", x.Comment)
	}
	w.line("PrimaryPackagePurpose", strings.ReplaceAll(p.Purpose, "_", "-"))
}

func (w *tagWriter) annotations(of string, list []annotation) {
	for _, a := range list {
		w.section()
		w.line("Annotator", a.Annotator)
		w.line("AnnotationDate", a.Date)
		w.line("AnnotationType", a.Type)
		w.line("SPDXREF", of)
		w.text("AnnotationComment", a.Comment)
	}
}
