package sbom

import "github.com/assaykit/assay"

// Conversion is a document in another format, with what was lost on the way.
type Conversion struct {
	// Data is the new document, as [Encode] writes it.
	Data []byte
	// SBOM is what both documents say.
	SBOM *assay.SBOM
	// Unread is what the SBOM does not hold of the document that was read, as
	// [ReadReport] tells it: the fields are JSON pointers into that document. From
	// CycloneDX to CycloneDX it is empty, since nothing is lost in between.
	Unread []Loss
	// Unwritten is what the new document does not hold of the SBOM, as [Encode]
	// tells it: the fields are those of the SBOM.
	Unwritten []Loss
}

// Lossless reports whether nothing was lost.
func (c *Conversion) Lossless() bool { return len(c.Unread)+len(c.Unwritten) == 0 }

// Convert reads a document of any format, told by its content, and writes it as
// another. It is [ReadReport], then [Encode], with the errors of both; the name is
// for errors. A document without a time needs [EncodeOptions.Created] to become one
// of a format that requires it, as SPDX does.
//
// The identifier of the document is kept where the format allows it; otherwise the
// new one is derived from the content, and that is among the losses. A signature of
// the document that was read says nothing about the new one.
func Convert(name string, data []byte, to Format, opts EncodeOptions) (*Conversion, error) {
	if _, ok := to.codec(); !ok { // Table is written, and no document
		return nil, &assay.Error{Op: "convert SBOM", Kind: assay.ErrInvalid, Subject: name, Field: "to", Value: string(to), Bound: "a format of documents"}
	}
	doc, unread, err := ReadReport(name, data)
	if err != nil {
		return nil, err
	}
	switch {
	case doc.Rest.Format == "":
	case to.isCycloneDX():
		unread = nil // it is in Rest, and Encode tells what of that is not written
	default:
		doc.Rest = assay.Rest{} // of which all is told by then
	}
	out, unwritten, err := Encode(doc, to, opts)
	if err != nil {
		return nil, err
	}
	return &Conversion{Data: out, SBOM: doc, Unread: unread, Unwritten: unwritten}, nil
}
