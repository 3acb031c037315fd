package assay

import "encoding/json"

// Evidence is one of [*SBOM], [*Provenance], [*VEX], [*Scan], [*Posture],
// [*Remediation], [*TestResult], [*Summary] and [*Opaque]; no other package can
// add to it, so a switch over these is complete.
type Evidence interface {
	// Kind tells the types apart without a type switch.
	Kind() Kind
	evidence()
}

// Opaque is a predicate of a type that is not known here. It is kept and counted,
// and proves nothing.
type Opaque struct {
	// Type is the predicate type as stated.
	Type PredicateType `json:"type"`
	// Predicate is the JSON value, byte for byte.
	Predicate json.RawMessage `json:"predicate"`
}

func (*SBOM) Kind() Kind        { return KindSBOM }
func (*Provenance) Kind() Kind  { return KindProvenance }
func (*VEX) Kind() Kind         { return KindVEX }
func (*Scan) Kind() Kind        { return KindScan }
func (*Posture) Kind() Kind     { return KindPosture }
func (*Remediation) Kind() Kind { return KindRemediation }
func (*TestResult) Kind() Kind  { return KindTestResult }
func (*Summary) Kind() Kind     { return KindSummary }
func (*Opaque) Kind() Kind      { return KindOpaque }

func (*SBOM) evidence()        {}
func (*Provenance) evidence()  {}
func (*VEX) evidence()         {}
func (*Scan) evidence()        {}
func (*Posture) evidence()     {}
func (*Remediation) evidence() {}
func (*TestResult) evidence()  {}
func (*Summary) evidence()     {}
func (*Opaque) evidence()      {}
