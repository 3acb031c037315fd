package spdx

import (
	"strings"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/strictjson"
)

// Annotations of this annotator whose comment starts so hold, as JSON, what SPDX
// 2.3 has no member for. Package sbom documents them.
const (
	annotator     = "Tool: assay"
	componentNote = "assay:component/1 "
	documentNote  = "assay:document/1 "
)

// componentFacts are what a package has no member for. ID, Type, Supplier and
// Licenses are there only if the package's own members do not give them back.
type componentFacts struct {
	ID         assay.ComponentID   `json:"id,omitempty"`
	Type       assay.ComponentType `json:"type,omitempty"`
	Supplier   string              `json:"supplier,omitempty"`
	Licenses   []assay.License     `json:"licenses,omitempty"`
	Hashes     assay.DigestSet     `json:"hashes,omitempty"`
	Source     assay.SourcePackage `json:"source,omitzero"`
	Locations  []assay.Location    `json:"locations,omitempty"`
	FoundBy    string              `json:"foundBy,omitempty"`
	Properties map[string]string   `json:"properties,omitempty"`
}

// documentFacts are what a document has no member for. Tools and Authors are there
// only if the creators do not give them back.
type documentFacts struct {
	// NoRoot tells a document about several components from one about its only one.
	NoRoot       bool                 `json:"noRoot,omitzero"`
	Version      int                  `json:"version,omitzero"`
	Creators     *creatorFacts        `json:"creators,omitempty"`
	Lifecycle    string               `json:"lifecycle,omitempty"`
	Completeness []assay.Completeness `json:"completeness,omitempty"`
	Layers       []assay.Digest       `json:"layers,omitempty"`
}

type creatorFacts struct {
	Authors []string     `json:"authors"`
	Tools   []assay.Tool `json:"tools"`
}

// note writes facts as an annotation, or none if there are none.
func note[T any](prefix string, facts *T, date string) ([]annotation, error) {
	b, err := strictjson.Marshal(facts)
	if err != nil || string(b) == "{}" {
		return nil, err
	}
	return []annotation{{Annotator: annotator, Date: date, Type: "OTHER", Comment: prefix + string(b)}}, nil
}

// readNote finds the facts among annotations, and gives the indices of the others.
func readNote[T any](name, pointer, prefix string, list []annotation, facts *T) (found bool, others []int, err error) {
	for i, a := range list {
		text, ok := strings.CutPrefix(a.Comment, prefix)
		if !ok || a.Annotator != annotator {
			others = append(others, i)
			continue
		}
		if found {
			return false, nil, &assay.Error{Op: opRead, Kind: assay.ErrInvalid, Subject: name, Field: pointer, Value: prefix, Bound: "one such annotation"}
		}
		found = true
		if err := strictjson.Unmarshal(name, []byte(text), facts, strictjson.Limits{RejectUnknown: true}); err != nil {
			return false, nil, &assay.Error{Op: opRead, Kind: assay.ErrInvalid, Subject: name, Field: pointer, Err: err}
		}
	}
	return found, others, nil
}
