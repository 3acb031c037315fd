package spdx

import (
	"strings"
)

func (x *tagWire) document(t *wireTag) bool {
	d := x.doc
	switch t.name {
	case "SPDXVersion":
		d.SPDXVersion = x.keep(x.value)
	case "DataLicense":
		d.DataLicense = x.keep(x.value)
	case "SPDXID":
		d.SPDXID = x.keep(x.value)
	case "DocumentName":
		d.Name = x.keep(x.value)
	case "DocumentNamespace":
		d.DocumentNamespace = x.keep(x.value)
	case "Creator":
		d.CreationInfo.Creators = append(d.CreationInfo.Creators, x.keep(x.value))
	case "Created":
		d.CreationInfo.Created = x.keep(x.value)
	default:
		return false
	}
	return true
}

// defines notes the SPDXID of an element.
func (x *tagWire) defines(id string, at elementAt) bool {
	if x.d.defined[id] || id == documentID {
		return false
	}
	x.d.defined[id] = true
	x.ids[id] = at
	return true
}

func (x *tagWire) packaged(p *pkg, t *wireTag, index int) bool {
	switch t.name {
	case "PackageName":
		p.Name = x.keep(x.value)
	case "SPDXID":
		p.SPDXID = x.keep(x.value)
		return x.defines(p.SPDXID, elementAt{false, index})
	case "PackageVersion":
		p.VersionInfo = x.keep(x.value)
	case "PackageSupplier":
		p.Supplier = x.keep(x.value)
	case "PackageOriginator":
		p.Originator = x.keep(x.value)
	case "PackageDownloadLocation":
		p.DownloadLocation = x.shared(x.value)
	case "PackageHomePage":
		p.Homepage = x.keep(x.value)
	case "FilesAnalyzed":
		if p.FilesAnalyzed = &x.analyzed[0]; x.value == "true" {
			p.FilesAnalyzed = &x.analyzed[1]
		}
		return x.value == "true" || x.value == "false"
	case "PrimaryPackagePurpose":
		purpose := strings.ReplaceAll(x.value, "-", "_")
		p.Purpose = x.keep(purpose)
		return t.node.Allows(purpose)
	case "PackageChecksum":
		return x.checksum(&p.Checksums, t)
	case "PackageLicenseConcluded":
		p.LicenseConcluded = x.shared(x.value)
	case "PackageLicenseDeclared":
		p.LicenseDeclared = x.shared(x.value)
	case "PackageCopyrightText":
		p.CopyrightText = x.shared(x.value)
	case "PackageDescription":
		p.Description = x.keep(x.value)
	case "ExternalRef":
		w, ok := three(x.value)
		if !ok || !t.node.Member("referenceCategory").Allows(w[0]) {
			return false
		}
		p.ExternalRefs = append(p.ExternalRefs, external{x.keep(w[0]), x.keep(w[1]), x.keep(w[2]), ""})
	default:
		return false
	}
	return true
}

// shared is keep of what nearly always is the same.
func (x *tagWire) shared(s string) string {
	switch s {
	case noAssertion:
		return noAssertion
	case none:
		return none
	}
	return x.keep(s)
}

// comment is that of the last external reference.
func (x *tagWire) comment() bool {
	refs := x.doc.Packages[x.section.index].ExternalRefs
	if len(refs) == 0 || refs[len(refs)-1].Comment != "" || x.value == "" {
		return false // an empty one, and a second, are left to the other reader
	}
	refs[len(refs)-1].Comment = x.keep(x.value)
	return true
}

func (x *tagWire) checksum(list *[]checksum, t *wireTag) bool {
	alg, sum, ok := strings.Cut(x.value, ":")
	alg, sum = strings.TrimSpace(alg), strings.TrimSpace(sum)
	if !ok || !t.node.Member("algorithm").Allows(alg) || !t.node.Member("checksumValue").Allows(sum) {
		return false
	}
	*list = append(*list, checksum{x.keep(alg), x.keep(sum)})
	return true
}

func (x *tagWire) filed(f *file, t *wireTag, index int) bool {
	switch t.name {
	case "FileName":
		f.FileName = x.keep(x.value)
	case "SPDXID":
		f.SPDXID = x.keep(x.value)
		// Files that follow a package are in it (SPDX 2.3, 8.1).
		if x.pkg >= 0 {
			p := &x.doc.Packages[x.pkg]
			p.HasFiles = append(p.HasFiles, f.SPDXID)
		}
		return x.defines(f.SPDXID, elementAt{true, index})
	case "FileChecksum":
		return x.checksum(&f.Checksums, t)
	case "LicenseConcluded":
		f.LicenseConcluded = x.shared(x.value)
	case "LicenseInfoInFile":
		f.LicenseInfos = append(f.LicenseInfos, x.shared(x.value))
	case "FileCopyrightText":
		f.CopyrightText = x.shared(x.value)
	default:
		return false
	}
	return true
}

func (x *tagWire) licensed(l *extracted, t *wireTag) bool {
	switch t.name {
	case "LicenseID":
		l.ID = x.keep(x.value)
	case "LicenseName":
		l.Name = x.keep(x.value)
	case "ExtractedText":
		l.Text = x.keep(x.value)
	default:
		return false
	}
	return true
}

func (x *tagWire) related() bool {
	w, ok := three(x.value)
	if !ok || strings.Contains(x.value, "\n") {
		return false
	}
	s := x.rules["relationship"]
	list := x.doc.Relationships
	var last relationship
	if len(list) > 0 {
		last = list[len(list)-1]
	}
	// They come in the order of what they are from, and are of few types.
	r := relationship{From: last.From, Type: last.Type}
	if w[0] != r.From {
		r.From = x.keep(w[0])
		ok = isReference(r.From)
	}
	if w[1] != r.Type {
		r.Type = x.keep(w[1])
		ok = ok && s.types.Allows(r.Type)
	}
	r.To = x.keep(w[2])
	x.doc.Relationships = append(list, r)
	x.relation = openSection{rules: s, index: len(list)}
	return ok && isReference(r.To)
}

func (x *tagWire) annotated(a *annotation, t *wireTag) bool {
	switch t.name {
	case "Annotator":
		if a.Annotator = annotator; x.value != annotator {
			a.Annotator = x.keep(x.value)
		}
	case "AnnotationDate":
		if x.date != x.value {
			x.date = x.keep(x.value)
		}
		a.Date = x.date
	case "AnnotationType":
		a.Type = x.keep(x.value)
	case "AnnotationComment":
		a.Comment = x.keep(x.value)
	default:
		return false
	}
	return true
}
