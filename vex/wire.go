package vex

// The structs of an OpenVEX v0.2.0 document, member by member, in the order they
// are written. github.com/openvex/go-vex is not used for them: its types have no
// statement version or supplier, cannot refuse unknown members, cut timestamps of
// documents to seconds, and bring protobuf, in-toto and YAML into every program that
// wants a VEX document. The tests hold this package against it.

const (
	// Context is the @context of the documents that are written.
	Context = "https://openvex.dev/ns/v0.2.0"

	contextUnversioned = "https://openvex.dev/ns"
	context001         = "https://openvex.dev/ns/v0.0.1"

	// The values of assay.VEX.Format.
	format020 = "openvex/0.2.0"
	format001 = "openvex/0.0.1"
)

type wireDocument struct {
	Context     string          `json:"@context"`
	ID          string          `json:"@id"`
	Author      string          `json:"author"`
	Role        string          `json:"role,omitempty"`
	Timestamp   string          `json:"timestamp"`
	LastUpdated string          `json:"last_updated,omitempty"`
	Version     *int            `json:"version"`
	Tooling     string          `json:"tooling,omitempty"`
	Statements  []wireStatement `json:"statements"`
}

type wireStatement struct {
	ID                       string            `json:"@id,omitempty"`
	Version                  *int              `json:"version,omitempty"`
	Vulnerability            wireVulnerability `json:"vulnerability"`
	Timestamp                string            `json:"timestamp,omitempty"`
	LastUpdated              string            `json:"last_updated,omitempty"`
	Products                 []wireProduct     `json:"products,omitempty"`
	Status                   string            `json:"status"`
	Supplier                 string            `json:"supplier,omitempty"`
	StatusNotes              string            `json:"status_notes,omitempty"`
	Justification            *string           `json:"justification,omitempty"`
	ImpactStatement          string            `json:"impact_statement,omitempty"`
	ActionStatement          string            `json:"action_statement,omitempty"`
	ActionStatementTimestamp string            `json:"action_statement_timestamp,omitempty"`
}

type wireVulnerability struct {
	ID          string   `json:"@id,omitempty"`
	Name        string   `json:"name"`
	Description string   `json:"description,omitempty"`
	Aliases     []string `json:"aliases,omitempty"`
}

type wireComponent struct {
	ID          string            `json:"@id,omitempty"`
	Identifiers *wireIdentifiers  `json:"identifiers,omitempty"`
	Hashes      map[string]string `json:"hashes,omitempty"`
}

type wireIdentifiers struct {
	PURL  string `json:"purl,omitempty"`
	CPE22 string `json:"cpe22,omitempty"`
	CPE23 string `json:"cpe23,omitempty"`
}

type wireProduct struct {
	wireComponent
	Subcomponents []wireComponent `json:"subcomponents,omitempty"`
}
