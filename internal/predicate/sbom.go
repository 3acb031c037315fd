package predicate

import (
	"strings"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/sbom"
)

func encodeSBOM(doc *assay.SBOM, o Options) (assay.PredicateType, []byte, error) {
	f := sbom.CycloneDXJSON
	switch o.Type {
	case "", assay.PredicateCycloneDX:
	case assay.PredicateSPDX:
		f = sbom.SPDXJSON
	default:
		return "", nil, wrongType(o.Type, string(assay.PredicateCycloneDX)+" or "+string(assay.PredicateSPDX))
	}
	body, _, err := sbom.Encode(doc, f, sbom.EncodeOptions{Created: o.Created})
	if err != nil {
		return "", nil, err
	}
	return f.PredicateType(), body, nil
}

// decodeSBOM holds the document to the type that was signed: a reader who goes by
// the type and one who goes by the content must see the same.
func decodeSBOM(name string, t assay.PredicateType, predicate []byte) (*assay.SBOM, error) {
	doc, err := sbom.Read(name, predicate)
	if err != nil {
		return nil, err
	}
	want := sbom.CycloneDXJSON
	if strings.HasPrefix(string(t), string(assay.PredicateSPDX)) {
		want = sbom.SPDXJSON
	}
	if format, _, _ := strings.Cut(doc.Format, "/"); format != string(want) {
		return nil, &assay.Error{Op: "read SBOM", Kind: assay.ErrInvalid, Subject: name, Field: "predicateType", Value: doc.Format, Bound: "a document of type " + string(t), Rule: "in-toto S7"}
	}
	return doc, nil
}
