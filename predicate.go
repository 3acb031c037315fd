package assay

import (
	"net/url"
	"strings"
)

// PredicateType is the URI that says how to read a statement's predicate
// (in-toto attestation v1.2, spec/v1/predicate.md). Types are compared whole.
type PredicateType string

// The predicate types that become typed evidence. Where several spellings are in
// use, the first is written and all are read; see [PredicateType.Kind].
const (
	PredicateCycloneDX  PredicateType = "https://cyclonedx.org/bom"
	PredicateSPDX       PredicateType = "https://spdx.dev/Document"
	PredicateSLSA1      PredicateType = "https://slsa.dev/provenance/v1"
	PredicateSLSA02     PredicateType = "https://slsa.dev/provenance/v0.2"
	PredicateSLSA01     PredicateType = "https://slsa.dev/provenance/v0.1"
	PredicateOpenVEX    PredicateType = "https://openvex.dev/ns/v0.2.0"
	PredicateVulns02    PredicateType = "https://in-toto.io/attestation/vulns/v0.2"
	PredicateVulns01    PredicateType = "https://in-toto.io/attestation/vulns/v0.1"
	PredicateCosignVuln PredicateType = "https://cosign.sigstore.dev/attestation/vuln/v1"
	PredicateSCAI       PredicateType = "https://in-toto.io/attestation/scai/v0.3"
	PredicateTest       PredicateType = "https://in-toto.io/attestation/test-result/v0.1"
	PredicateVSA        PredicateType = "https://slsa.dev/verification_summary/v1"
	// PredicateRemediation is private to this project, because no standard type can
	// carry when a vulnerability was published, fixable, first seen and fixed.
	PredicateRemediation PredicateType = "https://github.com/assaykit/assay/remediation/v0.1"
)

// Kind says what evidence a predicate becomes.
type Kind string

// The kinds of evidence, one for each type of the [Evidence] sum.
const (
	KindSBOM        Kind = "sbom"
	KindProvenance  Kind = "provenance"
	KindVEX         Kind = "vex"
	KindScan        Kind = "scan"
	KindPosture     Kind = "posture"
	KindRemediation Kind = "remediation"
	KindTestResult  Kind = "test-result"
	KindSummary     Kind = "summary"
	KindOpaque      Kind = "opaque"

	// KindSignature is the kind of a signature on the digest itself, as "cosign sign"
	// makes it. It states nothing about the image, and is no type of the sum.
	KindSignature Kind = "signature"
)

// ParsePredicateType requires an absolute URI without surrounding space, as the
// specification's TypeURI (in-toto attestation v1.2, spec/v1/field_types.md).
func ParsePredicateType(s string) (PredicateType, error) {
	u, err := url.Parse(s)
	if err != nil || u.Scheme == "" || u.Host == "" && u.Opaque == "" && u.Path == "" || strings.TrimSpace(s) != s {
		return "", &Error{Op: "parse predicate type", Kind: ErrInvalid, Value: s, Bound: "a URI", Rule: "in-toto S3", Err: err}
	}
	return PredicateType(s), nil
}

// Kind gives the kind of evidence, [KindOpaque] for types that are not known.
func (t PredicateType) Kind() Kind {
	switch t {
	case PredicateCycloneDX, PredicateSPDX:
		return KindSBOM
	case PredicateSLSA1, "https://slsa.dev/provenance/v1.0", PredicateSLSA02, PredicateSLSA01:
		return KindProvenance
	case PredicateOpenVEX, "https://openvex.dev/ns":
		return KindVEX
	case PredicateVulns02, PredicateVulns01, PredicateCosignVuln:
		return KindScan
	case PredicateSCAI:
		return KindPosture
	case PredicateTest:
		return KindTestResult
	case PredicateVSA:
		return KindSummary
	case PredicateRemediation:
		return KindRemediation
	}
	// "https://cyclonedx.org/bom/v1.5", "https://spdx.dev/Document/v2.3": the version
	// is in the document as well.
	for _, versioned := range [...]string{string(PredicateCycloneDX) + "/v1.", string(PredicateSPDX) + "/v2.", string(PredicateSPDX) + "/v3."} {
		if strings.HasPrefix(string(t), versioned) {
			return KindSBOM
		}
	}
	return KindOpaque
}

func (t PredicateType) String() string { return string(t) }

// MarshalText implements [encoding.TextMarshaler].
func (t PredicateType) MarshalText() ([]byte, error) { return []byte(t), nil }

// UnmarshalText implements [encoding.TextUnmarshaler] by [ParsePredicateType];
// empty text is none.
func (t *PredicateType) UnmarshalText(b []byte) error {
	if len(b) == 0 {
		*t = ""
		return nil
	}
	v, err := ParsePredicateType(string(b))
	if err == nil {
		*t = v
	}
	return err
}
