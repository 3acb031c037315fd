package predicate

import (
	"strconv"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/provenance"
)

// EncodeSummary is package provenance's.
func EncodeSummary(s *assay.Summary) ([]byte, error) { return provenance.EncodeSummary(s) }

// DecodeSummary is package provenance's.
func DecodeSummary(name string, data []byte) (*assay.Summary, error) {
	return provenance.ReadSummary(name, data)
}

// checkResources applies in-toto rule S5 to a list.
func checkResources(op, name, field string, list []assay.Resource) error {
	for i, r := range list {
		if r.Validate() != nil {
			return &assay.Error{Op: op, Kind: assay.ErrInvalid, Subject: name, Field: field + "/" + strconv.Itoa(i),
				Value: r.Name, Bound: "a uri, digest or content", Rule: "in-toto S5"}
		}
	}
	return nil
}
