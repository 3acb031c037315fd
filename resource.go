package assay

import (
	"bytes"
	"cmp"
	"encoding/json"
	"slices"
)

// Resource describes an artifact that evidence refers to (in-toto attestation
// v1.2, spec/v1/resource_descriptor.md). At least one of URI, Digest and Content is
// set; a name alone identifies nothing.
type Resource struct {
	Name             string                     `json:"name,omitempty"`
	URI              string                     `json:"uri,omitempty"`
	Digest           DigestSet                  `json:"digest,omitempty"`
	Content          []byte                     `json:"content,omitempty"`
	DownloadLocation string                     `json:"downloadLocation,omitempty"`
	MediaType        string                     `json:"mediaType,omitempty"`
	Annotations      map[string]json.RawMessage `json:"annotations,omitempty"`
}

// Validate reports a descriptor that identifies nothing (in-toto rule S5).
func (r Resource) Validate() error {
	if r.URI == "" && len(r.Digest) == 0 && len(r.Content) == 0 {
		return &Error{Op: "check resource descriptor", Kind: ErrInvalid, Subject: r.Name, Bound: "a uri, digest or content", Rule: "in-toto S5"}
	}
	return nil
}

// Compare orders resources by URI, name, digest, then all else but annotations.
func (r Resource) Compare(o Resource) int {
	return cmp.Or(cmp.Compare(r.URI, o.URI), cmp.Compare(r.Name, o.Name), slices.CompareFunc(r.Digest, o.Digest, Digest.Compare),
		cmp.Compare(r.DownloadLocation, o.DownloadLocation), cmp.Compare(r.MediaType, o.MediaType), bytes.Compare(r.Content, o.Content))
}

// Subject is what a statement is about. Only the digests identify it: the name is
// for people, and nothing is matched by it (in-toto attestation v1.2,
// spec/v1/statement.md).
type Subject struct {
	Name   string    `json:"name,omitempty"`
	Digest DigestSet `json:"digest"`
}

// Validate requires a digest (in-toto rule S2).
func (s Subject) Validate() error {
	if len(s.Digest) == 0 {
		return &Error{Op: "check subject", Kind: ErrInvalid, Subject: s.Name, Field: "digest", Bound: "at least one digest of a known algorithm", Rule: "in-toto S2"}
	}
	return nil
}
