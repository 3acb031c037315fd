package attest

import (
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/strictjson"
)

// wrappedEnvelope is one of several envelopes in a document around them.
type wrappedEnvelope struct {
	// at is its JSON pointer in the document.
	at  string
	raw []byte
}

// unwrap gives the envelopes in what services answer and tools save: npm's registry and
// GitHub's API ({"attestations":[{"bundle":…}]}), and "gcloud artifacts docker images
// describe --show-provenance" ({"provenance_summary":{"provenance":[{"envelope":…}]}}).
// What such documents say beside the envelopes nobody signed, and it is not looked at.
// Another document has none.
func unwrap(name string, data []byte, max int64) ([]wrappedEnvelope, error) {
	limits := strictjson.Limits{MaxBytes: max}
	var doc struct {
		Attestations []struct {
			Bundle    jsontext.Value `json:"bundle"`
			BundleURL string         `json:"bundle_url"`
		} `json:"attestations"`
		Summary struct {
			Provenance []struct {
				Envelope jsontext.Value `json:"envelope"`
			} `json:"provenance"`
		} `json:"provenance_summary"`
	}
	if strictjson.Unmarshal(name, data, &doc, limits) != nil {
		return nil, nil // of another form, and of no concern
	}
	var out []wrappedEnvelope
	for i, a := range doc.Attestations {
		at := "/attestations/" + strconv.Itoa(i) + "/bundle"
		if len(a.Bundle) == 0 || a.Bundle.Kind() == 'n' {
			if a.BundleURL == "" {
				continue
			}
			// It is evidence all the same, and is not here.
			return nil, &assay.Error{Op: "read file", Kind: assay.ErrUnchecked, Subject: name, Field: at, Value: a.BundleURL, Bound: "the bundle itself"}
		}
		out = append(out, wrappedEnvelope{at, a.Bundle})
	}
	for i, p := range doc.Summary.Provenance {
		if len(p.Envelope) > 0 && p.Envelope.Kind() != 'n' {
			out = append(out, wrappedEnvelope{"/provenance_summary/provenance/" + strconv.Itoa(i) + "/envelope", p.Envelope})
		}
	}
	return out, nil
}
