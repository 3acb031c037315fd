package layout

import (
	"encoding/json"
	"maps"
	"slices"

	"github.com/in-toto/in-toto-golang/in_toto"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/strictjson"
)

// PredicateType is the in-toto attestation that a link is in its newer form: what came
// out are the subjects of the statement.
const PredicateType = "https://in-toto.io/attestation/link/v0.3"

// link is what a functionary states of a step.
type link struct {
	*metadata
	in_toto.Link
	envelope assay.Digest
}

// readLink reads a link in any of its forms, unproven. What is something else is none,
// and no error: evidence of all kinds stands beside links.
func readLink(e assay.Envelope) (link, bool) {
	name := e.Digest().String()
	m, err := parse(name, e.Raw())
	if err != nil {
		return link{}, false
	}
	var head struct {
		Type          string `json:"_type"`
		PredicateType string `json:"predicateType"`
	}
	if strictjson.Unmarshal(name, m.payload, &head, strictjson.Limits{MaxBytes: MaxBytes}) != nil {
		return link{}, false
	}
	l := link{metadata: m, envelope: e.Digest()}
	switch {
	case head.Type == "link":
		// A member that is not known here may change what the link means.
		err = strictjson.Unmarshal(name, m.payload, &l.Link, strictjson.Limits{MaxBytes: MaxBytes, RejectUnknown: true})
	case head.PredicateType == PredicateType:
		err = attested(name, m.payload, &l.Link)
	default:
		return link{}, false
	}
	if err != nil || in_toto.ValidateMetablock(in_toto.Metablock{Signed: l.Link}) != nil {
		return link{}, false
	}
	return l, true
}

// resource is a resource descriptor (in-toto attestation v1).
type resource struct {
	Name   string            `json:"name"`
	URI    string            `json:"uri"`
	Digest map[string]string `json:"digest"`
}

// attested reads a link out of a statement.
func attested(name string, payload []byte, l *in_toto.Link) error {
	var doc struct {
		Subject   []resource `json:"subject"`
		Predicate struct {
			Name        string          `json:"name"`
			Command     []string        `json:"command"`
			Materials   []resource      `json:"materials"`
			ByProducts  json.RawMessage `json:"byproducts"`
			Environment json.RawMessage `json:"environment"`
		} `json:"predicate"`
	}
	if err := strictjson.Unmarshal(name, payload, &doc, strictjson.Limits{MaxBytes: MaxBytes}); err != nil {
		return err
	}
	l.Type, l.Name, l.Command = "link", doc.Predicate.Name, doc.Predicate.Command
	var err error
	if l.Materials, err = artifacts(name, doc.Predicate.Materials); err != nil {
		return err
	}
	l.Products, err = artifacts(name, doc.Subject)
	return err
}

func artifacts(name string, list []resource) (map[string]in_toto.HashObj, error) {
	out := make(map[string]in_toto.HashObj, len(list))
	for _, r := range list {
		at := r.Name
		if at == "" {
			at = r.URI
		}
		if _, twice := out[at]; twice || at == "" || len(r.Digest) == 0 {
			return nil, &assay.Error{Op: "read link", Kind: assay.ErrInvalid, Subject: name, Field: "artifact", Value: at, Bound: "a name of its own, and a digest"}
		}
		out[at] = r.Digest
	}
	return out, nil
}

// agrees reports whether two links tell of the same artifacts.
func (l *link) agrees(o *link) bool {
	same := func(a, b map[string]in_toto.HashObj) bool { return maps.EqualFunc(a, b, maps.Equal[in_toto.HashObj]) }
	return same(l.Materials, o.Materials) && same(l.Products, o.Products)
}

// has reports whether one of the products is what the digest names.
func (l *link) has(digest assay.Digest) bool {
	for _, hashes := range l.Products {
		if hashes[string(digest.Algorithm())] == digest.Hex() {
			return true
		}
	}
	return false
}

// sorted gives links in the order of their envelopes.
func sorted(list []*link) []*link {
	slices.SortFunc(list, func(a, b *link) int { return a.envelope.Compare(b.envelope) })
	return list
}
