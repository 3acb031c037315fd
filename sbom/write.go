package sbom

import (
	"bytes"
	"crypto/sha1"
	"encoding/hex"
	"encoding/json"
	"io"
	"time"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/sbom/internal/canon"
	"github.com/assaykit/assay/sbom/internal/cyclonedx"
)

// EncodeOptions are choices of [Encode]. The zero value writes compact documents.
type EncodeOptions struct {
	// Created is written for an SBOM whose own Created is zero. SPDX requires one;
	// CycloneDX is written without a timestamp if both are zero.
	Created time.Time
	// Indent writes one member a line, for people. Compact documents are half the
	// size, which matters where they are attached to an image: registries and
	// builders bound what they accept.
	Indent bool
	// MaxBytes, if positive, keeps the document within that many bytes, for stores
	// and builders that refuse larger ones. What is least important is left out, one
	// kind after the other until the rest fits, and told as losses first: Rest,
	// components of type file (see [Filter]) that have no purl and are no executables
	// that no package claims, locations beyond the
	// first of each component, properties, descriptions, references other than to the
	// component and its source code, CPEs beside a purl, all
	// licenses of a component of which one is a text and no expression, all
	// locations, names of catalogers. Components, names, versions, purls, hashes,
	// suppliers, creators, other references, source packages, other licenses, relations and all of the root never
	// are: a document that does not fit with them alone is [assay.ErrBound].
	MaxBytes int64
}

// Encode writes an SBOM as a document of the format, ending in one newline. The
// same SBOM, in whatever order its parts are, gives the same bytes; doc itself is
// not changed.
//
// An empty Serial is replaced by one derived from the content: a UUID of version 5,
// the same for the same contents whenever and in whatever format they are written.
// (CycloneDX would rather have a new one for each document, which no reproducible
// build can give; set Serial for that.) To derive it takes about half as long as to
// write the rest.
//
// An SBOM that was read from CycloneDX and is written as CycloneDX says all that the
// document did, in whatever version and encoding can: what the model has no place for
// is in Rest. Nothing is added to it then, neither a serial. A component that was
// changed since is written as it is now, with the members of the document's component
// that the change does not touch. Signatures inside of a document are kept only where
// what they are over is; an XML document with one is written back byte for byte if
// nothing was changed.
//
// An SBOM that was read from SPDX and is not changed is written back byte for byte in
// the same format and version, if the document says more than the SBOM. Once it is
// changed, what the model has no place for is lost, and told.
//
// The losses are what the document does not say, or says in a form that other
// readers will take for less. An SBOM that breaks a rule of the model, such as an
// edge to a component that is not there, is [assay.ErrInvalid].
func Encode(doc *assay.SBOM, f Format, opts EncodeOptions) ([]byte, []Loss, error) {
	if opts.MaxBytes > 0 {
		return encodeWithin(doc, f, opts)
	}
	c, ok := f.codec()
	if f == Table {
		var out bytes.Buffer
		err := WriteTable(&out, doc)
		return out.Bytes(), nil, err
	}
	if !ok {
		_, err := ParseFormat(string(f))
		return nil, nil, err
	}
	var lost losses
	form, err := canon.Form(doc, lost.add)
	if err != nil {
		return nil, nil, err
	}
	if form.Created.IsZero() {
		form.Created = opts.Created
	}
	kept := f.isCycloneDX() && cyclonedx.Keeps(form)
	if !kept {
		if err := cyclonedx.NotKept(form, lost.add); err != nil {
			return nil, nil, err
		}
	}
	if back, err := recallSPDX(form, f, lost.add); back != nil || err != nil {
		return back, lost, err
	}
	if !c.valid(form.Serial) && !(kept && form.Serial == "") {
		if form.Serial != "" {
			lost.add("serial", "", f.String()+" cannot have "+form.Serial+"; one derived from the content is written")
		}
		form.Serial = serial(form)
	}
	data, err := c.encode(form, lost.add)
	if err != nil {
		return nil, nil, err
	}
	if opts.Indent && c.indent != nil {
		if data, err = c.indent(data); err != nil {
			return nil, nil, &assay.Error{Op: "write SBOM", Kind: assay.ErrInvalid, Subject: doc.Root.Name, Err: err}
		}
	}
	return append(data, '\n'), lost, nil
}

func indentJSON(data []byte) ([]byte, error) {
	var out bytes.Buffer
	out.Grow(2 * len(data))
	err := json.Indent(&out, data, "", "  ")
	return out.Bytes(), err
}

// Write is [Encode] to w. Nothing is written if there is an error in the SBOM.
func Write(w io.Writer, doc *assay.SBOM, f Format, opts EncodeOptions) ([]Loss, error) {
	data, lost, err := Encode(doc, f, opts)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(data); err != nil {
		return nil, &assay.Error{Op: "write SBOM", Kind: assay.ErrUnchecked, Subject: doc.Root.Name, Err: err}
	}
	return lost, nil
}

// serialSpace is the namespace of derived serials, itself the UUID of version 5 of
// the URL https://github.com/assaykit/assay/sbom (RFC 9562, 5.5).
var serialSpace = uuid5([16]byte{0x6b, 0xa7, 0xb8, 0x11, 0x9d, 0xad, 0x11, 0xd1, 0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30, 0xc8}, []byte("https://github.com/assaykit/assay/sbom"))

// serial derives a "urn:uuid:" from all of the SBOM but Serial, Created, Format and
// Rest.
func serial(form *assay.SBOM) string {
	sum := contentHash(form)
	id := uuid5(serialSpace, sum[:])
	h := hex.EncodeToString(id[:])
	return "urn:uuid:" + h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// uuid5 is a UUID of version 5, which SHA-1 is part of; what it names here is a
// SHA-256, and nothing is trusted for having a serial.
func uuid5(space [16]byte, name []byte) (id [16]byte) {
	h := sha1.New()
	h.Write(space[:])
	h.Write(name)
	copy(id[:], h.Sum(nil))
	id[6] = id[6]&0x0f | 0x50
	id[8] = id[8]&0x3f | 0x80
	return id
}
