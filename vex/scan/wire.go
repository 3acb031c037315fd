package scan

import (
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/assaykit/assay"
)

// wirePredicate is the object of all three predicate types; result is where they
// differ.
type wirePredicate[R any] struct {
	Invocation *wireInvocation `json:"invocation,omitzero"`
	Scanner    *wireScanner[R] `json:"scanner"`
	Metadata   *wireMetadata   `json:"metadata"`
	// Extra is what the standard has no member for.
	Extra *wireExtra `json:"assay_scan,omitzero"`
}

// wireInvocation is written because cosign's specification has no word of leaving it
// out. What others write into it has no place in a scan.
type wireInvocation struct {
	Parameters jsontext.Value `json:"parameters"`
	URI        string         `json:"uri"`
	EventID    string         `json:"event_id"`
	BuilderID  string         `json:"builder.id"`
}

type wireScanner[R any] struct {
	URI     string  `json:"uri"`
	Version string  `json:"version,omitzero"`
	DB      *wireDB `json:"db,omitzero"`
	Result  R       `json:"result"`
}

type wireDB struct {
	URI        string   `json:"uri,omitzero"`
	Version    string   `json:"version,omitzero"`
	LastUpdate wireTime `json:"lastUpdate,omitzero"`
}

type wireMetadata struct {
	Started  wireTime `json:"scanStartedOn,omitzero"`
	Finished wireTime `json:"scanFinishedOn,omitzero"`
}

// wireTime takes the empty text of cosign's template for no time.
type wireTime struct{ at time.Time }

func (t wireTime) IsZero() bool { return t.at.IsZero() }

func (t wireTime) MarshalText() ([]byte, error) { return t.at.MarshalText() }

func (t *wireTime) UnmarshalText(b []byte) error {
	if len(b) == 0 {
		*t = wireTime{}
		return nil
	}
	return t.at.UnmarshalText(b)
}

type wireResult struct {
	ID          string           `json:"id"`
	Severity    []wireSeverity   `json:"severity"`
	Annotations []wireAnnotation `json:"annotations,omitzero"`
	// Nested is the member by which the text of v0.1 has the rest; its example and v0.2
	// do without.
	Nested *wireResult `json:"vulnerability,omitzero"`
}

type wireSeverity struct {
	Method string `json:"method"`
	Score  string `json:"score"`
}

// wireAnnotation is what the standard has no member for; other members are not ours.
type wireAnnotation struct {
	Finding *assay.Finding `json:"assay_finding,omitzero"`
}

type wireExtra struct {
	DBDigest    assay.DigestSet     `json:"dbDigest,omitempty"`
	Inputs      []assay.Resource    `json:"inputs,omitempty"`
	Coverage    *assay.Coverage     `json:"coverage,omitempty"`
	Unevaluated []assay.Unevaluated `json:"unevaluated,omitempty"`
}

// ownResult is what Encode writes where cosign's specification has "{}".
type ownResult struct {
	Vulnerabilities []wireResult `json:"vulnerabilities"`
}
