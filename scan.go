package assay

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Scan is what a vulnerability scanner found in an artifact (in-toto vulns v0.2).
type Scan struct {
	Scanner    Scanner   `json:"scanner"`
	StartedOn  time.Time `json:"startedOn,omitzero"`
	FinishedOn time.Time `json:"finishedOn,omitzero"`
	// Inputs are the documents that were scanned, such as an SBOM, by digest.
	Inputs []Resource `json:"inputs,omitempty"`
	// Coverage is what the scanner asked about; nil where it does not say.
	Coverage *Coverage `json:"coverage,omitempty"`
	// Findings are sorted by vulnerability, then component.
	Findings []Finding `json:"findings"`
	// Unevaluated is what the scanner could not decide, in the same order. It is no
	// finding, and no proof that there is none.
	Unevaluated []Unevaluated `json:"unevaluated,omitempty"`
}

// Coverage is what a scanner was given: all of an inventory. What of it could not be
// asked about is [Scan].Unevaluated.
type Coverage struct {
	// Components counts the components that have a package URL, without the root.
	Components int `json:"components"`
	// Digest is [CoverageDigest] of these package URLs.
	Digest Digest `json:"digest,omitzero"`
	// Ecosystems are the purl types that were asked about, sorted.
	Ecosystems []string `json:"ecosystems,omitempty"`
}

// Unevaluated is a question that has no answer: of a component that the database
// cannot be asked about, or of one vulnerability in it.
type Unevaluated struct {
	Vulnerability VulnID      `json:"vulnerability,omitempty"`
	Component     ComponentID `json:"component,omitempty"`
	PURL          PURL        `json:"purl,omitzero"`
	// Reason is for people, and names the value that could not be read.
	Reason string `json:"reason"`
}

// CoverageDigest is the SHA-256 of package URLs in canonical form, sorted, each once
// and ended by a newline: what two lists of components have in common when they ask
// the same questions.
func CoverageDigest(components []PURL) Digest {
	lines := make([]string, 0, len(components))
	for _, p := range components {
		if !p.IsZero() {
			lines = append(lines, p.String()+"\n")
		}
	}
	slices.Sort(lines)
	return SumSHA256([]byte(strings.Join(slices.Compact(lines), "")))
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
	// Exploited says that the vulnerability is known to be in use; nil if it is not
	// known to be.
	Exploited *Exploited `json:"exploited,omitempty"`
	// Advisories are the records that the finding rests on, sorted; empty where it is
	// the vulnerability's own.
	Advisories []VulnID `json:"advisories,omitempty"`
	// Imports are the packages of the component that have the vulnerable code, where the
	// advisories say, sorted by path: a program that uses none of them is not affected.
	// Empty is not known, and may be all of the component.
	Imports []Import `json:"imports,omitempty"`
	// Reachable says whether the vulnerable code can be reached from the program, where
	// something analyzed that; Unknown otherwise.
	Reachable State `json:"reachable,omitzero"`
	// FirstSeen is when a scan first reported it for this image's lineage.
	FirstSeen time.Time `json:"firstSeen,omitzero"`
}

// Import is a package that has vulnerable code. It says so of Go's, by its import path.
type Import struct {
	Path string `json:"path"`
	// Symbols are the functions and methods that are vulnerable, "Type.Method"; none are
	// all of the package.
	Symbols []string `json:"symbols,omitempty"`
	// GOOS and GOARCH are where it is; none are all.
	GOOS   []string `json:"goos,omitempty"`
	GOARCH []string `json:"goarch,omitempty"`
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

// Exploited is an entry of a catalogue of vulnerabilities that are in use, such as
// CISA's KEV.
type Exploited struct {
	// Catalogue is who says so: "CISA KEV".
	Catalogue string    `json:"catalogue"`
	Added     time.Time `json:"added,omitzero"`
	// Due is when it has to be remediated by that catalogue's rules.
	Due time.Time `json:"due,omitzero"`
}

// FixState is what a database says of a fix.
type FixState string

const (
	FixUnknown   FixState = ""
	FixAvailable FixState = "fixed"
	FixNone      FixState = "not-fixed"
	FixRefused   FixState = "wont-fix"
)

// Fix is the release that removes a vulnerability from a component.
type Fix struct {
	// Version is the first fixed version; empty if none is known.
	Version string   `json:"version,omitempty"`
	State   FixState `json:"state,omitempty"`
	// Available is when it could first be had, zero if not known, and AvailableBy
	// what says so: "advisory", "release", "commit", "first-observed" and the like.
	Available   time.Time `json:"available,omitzero"`
	AvailableBy string    `json:"availableBy,omitempty"`
}
