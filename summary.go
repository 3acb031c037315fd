package assay

import "time"

// Summary is a verification summary: somebody verified the artifact and vouches
// for levels (SLSA v1.2, verification_summary.md).
type Summary struct {
	// Verifier is the URI of who verified. REQUIRED.
	Verifier        string            `json:"verifier"`
	VerifierVersion map[string]string `json:"verifierVersion,omitempty"`
	TimeVerified    time.Time         `json:"timeVerified,omitzero"`
	// ResourceURI is where the artifact is to be found. REQUIRED.
	ResourceURI string `json:"resourceUri"`
	// Policy is what it was verified against. REQUIRED, with a URI.
	Policy Resource `json:"policy"`
	// Inputs are all attestations it rests on, each with a digest; empty means the
	// list was not given.
	Inputs []Resource `json:"inputAttestations,omitempty"`
	// Passed is the verificationResult.
	Passed bool `json:"passed"`
	// Levels are the verified levels, at most one of each track.
	Levels []string `json:"verifiedLevels"`
	// DependencyLevels counts dependencies by level. Nil makes no claim; empty
	// claims that there are none.
	DependencyLevels map[string]int `json:"dependencyLevels,omitzero"`
	SLSAVersion      string         `json:"slsaVersion,omitempty"`
}
