package provenance

import (
	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/strictjson"
)

// PredicateNPMPublish is what the npm registry attests of a package that it published
// (github.com/npm/attestation, specs/publish/v0.1). It is no provenance: it says who
// serves the package, and comes beside the provenance that the publisher signed.
const PredicateNPMPublish assay.PredicateType = "https://github.com/npm/attestation/tree/main/specs/publish/v0.1"

// NPMPublish is the registry's statement.
type NPMPublish struct {
	// Name and Version are the package's; Name has its scope, "@scope/name".
	Name, Version string
	// Registry is the URL that published it.
	Registry string
}

// ReadNPMPublish reads a predicate of type [PredicateNPMPublish]. All three members are
// required; a document without one is [assay.ErrInvalid]. Reading proves nothing.
func ReadNPMPublish(name string, predicate []byte) (*NPMPublish, error) {
	var w struct {
		Name     string `json:"name"`
		Version  string `json:"version"`
		Registry string `json:"registry"`
		Unknown  raws   `json:",embed"` // in-toto S6
	}
	if err := strictjson.Unmarshal(name, predicate, &w, strictjson.Limits{}); err != nil {
		return nil, err
	}
	for _, m := range []struct{ at, v string }{{"/name", w.Name}, {"/version", w.Version}, {"/registry", w.Registry}} {
		if m.v == "" {
			return nil, &assay.Error{Op: "read npm publish attestation", Kind: assay.ErrInvalid, Subject: name, Field: m.at, Bound: "a value"}
		}
	}
	if !isURI(w.Registry) {
		return nil, &assay.Error{Op: "read npm publish attestation", Kind: assay.ErrInvalid, Subject: name, Field: "/registry", Value: w.Registry, Bound: "a URL"}
	}
	return &NPMPublish{Name: w.Name, Version: w.Version, Registry: w.Registry}, nil
}
