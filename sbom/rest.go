package sbom

import (
	"bytes"
	"slices"
	"strings"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/strictjson"
	"github.com/assaykit/assay/sbom/internal/canon"
)

type decoder = func(name string, data []byte, lost report) (*assay.SBOM, error)

// remembering makes a decoder keep a document that says more than the SBOM does.
func remembering(decode decoder) decoder {
	return func(name string, data []byte, lost report) (*assay.SBOM, error) {
		whole := true
		doc, err := decode(name, data, func(field string, id assay.ComponentID, reason string) {
			whole = false
			lost(field, id, reason)
		})
		if err == nil && !whole {
			doc.Rest = assay.Rest{Format: doc.Format, Data: slices.Clone(data)}
		}
		return doc, err
	}
}

// recallSPDX gives the document of SPDX that the SBOM was read from, if it is of the
// format and version to write and says what the SBOM does: then it is written back
// as it was. Otherwise it reports what is lost with it, and gives nil.
func recallSPDX(form *assay.SBOM, f Format, lost report) ([]byte, error) {
	name, _, _ := strings.Cut(form.Rest.Format, "/")
	from, ok := Format(name).codec()
	if !ok || !strings.HasPrefix(name, "spdx") {
		return nil, nil
	}
	var rest losses
	was, err := from.decode("the document that was read", form.Rest.Data, rest.add)
	if err != nil {
		return nil, err
	}
	if to, _ := f.codec(); form.Rest.Format == to.written() {
		same, err := sameContents(was, form)
		if err != nil {
			return nil, err
		}
		if same {
			return append(bytes.TrimRight(slices.Clone(form.Rest.Data), "\n"), '\n'), nil
		}
	}
	for _, l := range rest {
		lost(l.Field, l.Component, l.Reason)
	}
	return nil, nil
}

// written is the Format of documents that the codec writes.
func (c codec) written() string { return string(c.format.family()) + "/" + c.version }

// sameContents compares an SBOM that was read with one in canonical form.
func sameContents(was, form *assay.SBOM) (bool, error) {
	was, err := canon.Form(was, func(string, assay.ComponentID, string) {})
	if err != nil {
		return false, err
	}
	then, err := strictjson.Marshal(was)
	if err != nil {
		return false, err
	}
	now, err := strictjson.Marshal(form)
	return bytes.Equal(then, now), err
}
