// Package cyclonedx reads and writes CycloneDX, in JSON and XML, as the evidence
// model. Start with [Decode] and [Encode].
//
// XML is brought to the shape of JSON and back, so that there is one reader and one
// writer of both; grammar.txt says how. The versions are one format, of which each
// has its part: what is written is fitted to a version by the same grammar.
//
// The wire types are the part of the specification that the model has a home for.
// They are not those of cyclonedx-go: its decoder fails on valid documents
// (attestations in 1.6), compares names inside of tools and identities without
// regard to case, and decodes sections that nothing here reads. Tests hold
// cyclonedx-go against what is written here.
package cyclonedx

import (
	"encoding/json"
	"slices"
)

type document struct {
	Schema       string        `json:"$schema,omitempty"`
	BOMFormat    string        `json:"bomFormat"`
	SpecVersion  string        `json:"specVersion"`
	SerialNumber string        `json:"serialNumber,omitempty"`
	Version      *int          `json:"version,omitempty"`
	Metadata     metadata      `json:"metadata,omitzero"`
	Components   []component   `json:"components"`
	Dependencies []dependency  `json:"dependencies,omitempty"`
	Compositions []composition `json:"compositions,omitempty"`
}

type metadata struct {
	Timestamp  string      `json:"timestamp,omitempty"`
	Lifecycles []lifecycle `json:"lifecycles,omitempty"`
	// Tools is an array up to 1.4, and since 1.5 alternatively an object.
	Tools     json.RawMessage `json:"tools,omitempty"`
	Authors   []contact       `json:"authors,omitempty"`
	Component *component      `json:"component,omitempty"`
	// Manufacturer is the author that has an address of the web.
	Manufacturer *maker     `json:"manufacturer,omitempty"`
	Properties   []property `json:"properties,omitempty"`
}

type lifecycle struct {
	Phase string `json:"phase,omitempty"`
	Name  string `json:"name,omitempty"`
}

type tools struct {
	Components []component `json:"components,omitempty"`
}

type legacyTool struct {
	Vendor  string `json:"vendor"`
	Name    string `json:"name"`
	Version string `json:"version"`
}

type contact struct {
	Name  string `json:"name,omitempty"`
	Email string `json:"email,omitempty"`
}

type entity struct {
	Name string `json:"name"`
}

// maker is who made something.
type maker struct {
	Name    string    `json:"name,omitempty"`
	URL     []string  `json:"url,omitempty"`
	Contact []contact `json:"contact,omitempty"`
}

type component struct {
	Type         string          `json:"type"`
	BOMRef       string          `json:"bom-ref,omitempty"`
	Supplier     *entity         `json:"supplier,omitempty"`
	Manufacturer *maker          `json:"manufacturer,omitempty"`
	Author       string          `json:"author,omitempty"` // up to 1.5
	Group        string          `json:"group,omitempty"`  // read only
	Name         string          `json:"name"`
	Version      string          `json:"version,omitempty"`
	Description  string          `json:"description,omitempty"`
	Hashes       []hash          `json:"hashes,omitempty"`
	Licenses     []licenseChoice `json:"licenses,omitempty"`
	CPE          string          `json:"cpe,omitempty"`
	PURL         string          `json:"purl,omitempty"`
	References   []reference     `json:"externalReferences,omitempty"`
	Components   []component     `json:"components,omitempty"` // read only
	Evidence     *evidence       `json:"evidence,omitempty"`
	Properties   []property      `json:"properties,omitempty"`
}

type hash struct {
	Alg     string `json:"alg"`
	Content string `json:"content"`
}

type reference struct {
	URL     string `json:"url"`
	Comment string `json:"comment,omitempty"`
	Type    string `json:"type"`
	Hashes  []hash `json:"hashes,omitempty"`
}

type licenseChoice struct {
	License         *licenseInfo `json:"license,omitempty"`
	Expression      string       `json:"expression,omitempty"`
	Acknowledgement string       `json:"acknowledgement,omitempty"`
}

type licenseInfo struct {
	ID              string `json:"id,omitempty"`
	Name            string `json:"name,omitempty"`
	Acknowledgement string `json:"acknowledgement,omitempty"`
}

type evidence struct {
	Occurrences []occurrence `json:"occurrences,omitempty"`
}

type occurrence struct {
	Location          string `json:"location"`
	AdditionalContext string `json:"additionalContext,omitempty"`
}

type property struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type dependency struct {
	Ref       string   `json:"ref"`
	DependsOn []string `json:"dependsOn,omitempty"`
}

type composition struct {
	BOMRef       string   `json:"bom-ref,omitempty"`
	Aggregate    string   `json:"aggregate"`
	Assemblies   []string `json:"assemblies,omitempty"`
	Dependencies []string `json:"dependencies,omitempty"`
}

func (c composition) equal(d composition) bool {
	return c.BOMRef == d.BOMRef && c.Aggregate == d.Aggregate && slices.Equal(c.Assemblies, d.Assemblies) && slices.Equal(c.Dependencies, d.Dependencies)
}

const (
	declared  = "declared"
	concluded = "concluded"
)

// The names of properties that carry what the format has no member for. Package
// sbom documents them.
const (
	propFoundBy       = "assay:foundBy"
	propSourceName    = "assay:source:name"
	propSourceVersion = "assay:source:version"
	propCPE           = "assay:cpe"
	propLayer         = "assay:layer"
	propHash          = "assay:hash:"     // and the algorithm
	propRelation      = "assay:relation:" // and the kind
	propEscape        = "assay:property:" // and a name that would be one of these
)

// wholeRef starts the bom-ref of a composition that is about the whole document,
// or about one ecosystem: aggregate, scope and subject follow.
const wholeRef = "assay:completeness:"
