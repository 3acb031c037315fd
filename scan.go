package assay

import (
	"cmp"
	"time"
)

// Scan is what a vulnerability scanner found in an artifact (in-toto vulns v0.2).
type Scan struct {
	Scanner    Scanner   `json:"scanner"`
	StartedOn  time.Time `json:"startedOn,omitzero"`
	FinishedOn time.Time `json:"finishedOn,omitzero"`
	// Findings are sorted by vulnerability, then component.
	Findings []Finding `json:"findings"`
}

// Scanner is the tool and the database it asked.
type Scanner struct {
	URI     string `json:"uri"`
	Version string `json:"version,omitempty"`
	DBURI   string `json:"dbUri,omitempty"`
	// DBVersion and DBDigest identify the database.
	DBVersion string    `json:"dbVersion,omitempty"`
	DBDigest  DigestSet `json:"dbDigest,omitempty"`
	// DBUpdated is when the database was last changed.
	DBUpdated time.Time `json:"dbLastUpdate,omitzero"`
}

// Finding is one vulnerability in one component.
type Finding struct {
	Vulnerability Vulnerability `json:"vulnerability"`
	// Component points into an SBOM; PURL is what it joins by.
	Component  ComponentID `json:"component,omitempty"`
	PURL       PURL        `json:"purl,omitzero"`
	Severities []Severity  `json:"severities,omitempty"`
	// Published is when the vulnerability became public.
	Published time.Time `json:"published,omitzero"`
	Fix       Fix       `json:"fix,omitzero"`
	// FirstSeen is when a scan first reported it for this image's lineage.
	FirstSeen time.Time `json:"firstSeen,omitzero"`
}

// Rating is a qualitative severity (CVSS v4.0, section 6).
type Rating string

const (
	RatingNone     Rating = "none"
	RatingLow      Rating = "low"
	RatingMedium   Rating = "medium"
	RatingHigh     Rating = "high"
	RatingCritical Rating = "critical"
)

// Severity is one source's rating of a vulnerability.
type Severity struct {
	// Source is who rated: "nvd", "ghsa", a distribution.
	Source string `json:"source,omitempty"`
	// Vector is the CVSS vector, with its version prefix where it has one.
	Vector string `json:"vector,omitempty"`
	// Score is the CVSS score, 0 to 10. Zero says that none was given, unless Rating
	// is [RatingNone]; see [Severity.Scored].
	Score  float64 `json:"score,omitzero"`
	Rating Rating  `json:"rating,omitempty"`
}

// Scored reports whether a score was given. A vulnerability of unknown severity is
// not one of severity zero.
func (s Severity) Scored() bool { return s.Score > 0 || s.Rating == RatingNone }

// Compare orders findings by vulnerability, package URL and component.
func (f Finding) Compare(o Finding) int {
	return cmp.Or(cmp.Compare(f.Vulnerability.ID, o.Vulnerability.ID), f.PURL.Compare(o.PURL), cmp.Compare(f.Component, o.Component))
}

// Fix is the release that removes a vulnerability from a component.
type Fix struct {
	// Version is the first fixed version; empty if none is known.
	Version string `json:"version,omitempty"`
	// Available is when it could first be had, zero if not known, and AvailableBy
	// what says so: "advisory", "release", "commit", "first-observed".
	Available   time.Time `json:"available,omitzero"`
	AvailableBy string    `json:"availableBy,omitempty"`
}
