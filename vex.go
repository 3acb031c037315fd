package assay

import (
	"cmp"
	"slices"
	"time"
)

// VEX says whether products are affected by vulnerabilities, and why not (OpenVEX
// v0.2.0). CSAF and CycloneDX VEX are read into the same fields.
type VEX struct {
	// ID is the IRI of the document.
	ID         string    `json:"id"`
	Author     string    `json:"author"`
	AuthorRole string    `json:"role,omitempty"`
	Timestamp  time.Time `json:"timestamp"`
	// LastUpdated is zero if the document was never changed.
	LastUpdated time.Time `json:"lastUpdated,omitzero"`
	// Version is 1 or more and rises with any change.
	Version    int            `json:"version"`
	Tooling    string         `json:"tooling,omitempty"`
	Statements []VEXStatement `json:"statements"`
	// Format is the document format it was read from, such as "openvex/0.2.0".
	Format string `json:"format,omitempty"`
}

// Status is the impact of a vulnerability on a product (OpenVEX v0.2.0, Status
// Labels).
type Status string

const (
	NotAffected        Status = "not_affected"
	Affected           Status = "affected"
	Fixed              Status = "fixed"
	UnderInvestigation Status = "under_investigation"
)

// ParseStatus accepts the four labels.
func ParseStatus(s string) (Status, error) {
	switch v := Status(s); v {
	case NotAffected, Affected, Fixed, UnderInvestigation:
		return v, nil
	}
	return "", &Error{Op: "parse VEX status", Kind: ErrInvalid, Value: s, Bound: "not_affected, affected, fixed or under_investigation", Rule: "OpenVEX 7"}
}

// Justification is why a product is not affected (OpenVEX v0.2.0, Status
// Justifications).
type Justification string

const (
	ComponentNotPresent                         Justification = "component_not_present"
	VulnerableCodeNotPresent                    Justification = "vulnerable_code_not_present"
	VulnerableCodeNotInExecutePath              Justification = "vulnerable_code_not_in_execute_path"
	VulnerableCodeCannotBeControlledByAdversary Justification = "vulnerable_code_cannot_be_controlled_by_adversary"
	InlineMitigationsAlreadyExist               Justification = "inline_mitigations_already_exist"
)

// ParseJustification accepts the five labels.
func ParseJustification(s string) (Justification, error) {
	switch v := Justification(s); v {
	case ComponentNotPresent, VulnerableCodeNotPresent, VulnerableCodeNotInExecutePath,
		VulnerableCodeCannotBeControlledByAdversary, InlineMitigationsAlreadyExist:
		return v, nil
	}
	return "", &Error{Op: "parse VEX justification", Kind: ErrInvalid, Value: s, Bound: "one of the five justification labels", Rule: "OpenVEX 8"}
}

// VEXStatement is the status of one vulnerability in some products. Inherited
// fields are filled in: a statement is complete by itself.
type VEXStatement struct {
	// ID is the IRI of the statement; many documents have none.
	ID            string        `json:"id,omitempty"`
	Version       int           `json:"version,omitzero"`
	Vulnerability Vulnerability `json:"vulnerability"`
	Timestamp     time.Time     `json:"timestamp"`
	LastUpdated   time.Time     `json:"lastUpdated,omitzero"`
	// Products are sorted; empty only while the document inherits them from the
	// subjects of the statement that carries it.
	Products                 []Product     `json:"products,omitempty"`
	Status                   Status        `json:"status"`
	StatusNotes              string        `json:"statusNotes,omitempty"`
	Justification            Justification `json:"justification,omitempty"`
	ImpactStatement          string        `json:"impactStatement,omitempty"`
	ActionStatement          string        `json:"actionStatement,omitempty"`
	ActionStatementTimestamp time.Time     `json:"actionStatementTimestamp,omitzero"`
	Supplier                 string        `json:"supplier,omitempty"`
}

// Vulnerability names one vulnerability.
type Vulnerability struct {
	// IRI is the optional identifier of the struct itself.
	IRI string `json:"iri,omitempty"`
	// ID is the name. REQUIRED.
	ID          VulnID   `json:"id"`
	Aliases     []VulnID `json:"aliases,omitempty"`
	Description string   `json:"description,omitempty"`
}

// Is reports whether id is the vulnerability's name or an alias.
func (v Vulnerability) Is(id VulnID) bool { return v.ID == id || slices.Contains(v.Aliases, id) }

// Product is a piece of software that a VEX statement is about. At least one of
// ID, PURL, CPEs and Digests is set.
type Product struct {
	// ID is the IRI as the document has it; a purl here is in PURL too.
	ID      string    `json:"id,omitempty"`
	PURL    PURL      `json:"purl,omitzero"`
	CPEs    []string  `json:"cpes,omitempty"`
	Digests DigestSet `json:"digests,omitempty"`
	// Subcomponents are the parts of the product through which it is, or is not,
	// affected. Their own Subcomponents are empty.
	Subcomponents []Product `json:"subcomponents,omitempty"`
}

// Compare orders products by ID, purl, digests, CPEs and subcomponents; it is 0 for
// equal ones only.
func (p Product) Compare(o Product) int {
	return cmp.Or(cmp.Compare(p.ID, o.ID), p.PURL.Compare(o.PURL), slices.CompareFunc(p.Digests, o.Digests, Digest.Compare),
		slices.Compare(p.CPEs, o.CPEs), slices.CompareFunc(p.Subcomponents, o.Subcomponents, Product.Compare))
}
