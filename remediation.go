package assay

import (
	"cmp"
	"time"
)

// Remediation is the record of how vulnerabilities in the images of one stream were
// remediated over time: the evidence of a maintained image. It holds dates and what
// each of them rests on; whether a deadline was kept is computed from it, by package
// vex/remediation, and is no part of it.
type Remediation struct {
	// Stream names the lineage of images, such as a repository and tag. REQUIRED.
	Stream string `json:"stream"`
	// AsOf is the end of the time the record covers; no date of what happened is
	// later. REQUIRED.
	AsOf time.Time `json:"asOf"`
	// Images are the builds of the stream, oldest first. REQUIRED.
	Images []ImageBuild `json:"images"`
	// Entries are sorted by vulnerability, component and occurrence.
	Entries []RemediationEntry `json:"entries"`
}

// Basis says what a date rests on, because not all dates can be believed equally.
type Basis string

const (
	// BasisUnknown is the basis of no date.
	BasisUnknown Basis = ""
	// BasisWitnessed: somebody else than the author vouches for the time, such as a
	// transparency log or a timestamp authority.
	BasisWitnessed Basis = "witnessed"
	// BasisSigned: a signed statement claims it, in the words of its author.
	BasisSigned Basis = "signed"
	// BasisAdvisory: a vulnerability database has it.
	BasisAdvisory Basis = "advisory"
	// BasisUnsigned: something that nobody signed claims it.
	BasisUnsigned Basis = "unsigned"
)

// Dated is a time with what it rests on. The zero value is a time that is not known,
// which is before or after nothing.
type Dated struct {
	Time  time.Time `json:"time,omitzero"`
	Basis Basis     `json:"basis,omitempty"`
	// Evidence is where it can be looked up, sorted: the log entry, the statement by
	// the digest of its signed bytes, the database.
	Evidence []Resource `json:"evidence,omitempty"`
}

// IsZero reports whether the time is not known.
func (d Dated) IsZero() bool { return d.Time.IsZero() && d.Basis == "" && len(d.Evidence) == 0 }

// ImageBuild is one image of a stream.
type ImageBuild struct {
	Digest Digest `json:"digest"`
	// Previous is the image that this one replaces; zero for the first.
	Previous Digest `json:"previous,omitzero"`
	// Built is when the build finished, a claim of the provenance.
	Built Dated `json:"built,omitzero"`
	// Signed is when the image was signed.
	Signed Dated `json:"signed,omitzero"`
	// Scans are sorted by their end.
	Scans []ImageScan `json:"scans,omitempty"`
}

// ImageScan is one scan of an image; what it found is in the entries.
type ImageScan struct {
	// Statement is the scan as it was stated, by the digest of the signed bytes.
	Statement Resource `json:"statement"`
	// Scanner is the URI of the tool, and DBDigest and DBUpdated what it asked.
	Scanner   string    `json:"scanner"`
	DBDigest  DigestSet `json:"dbDigest,omitempty"`
	DBUpdated time.Time `json:"dbUpdated,omitzero"`
	// Finished is when it ended by its own word, and Signed when that was signed.
	Finished Dated `json:"finished,omitzero"`
	Signed   Dated `json:"signed,omitzero"`
	// Coverage is what the scan was shown to have asked about; nil if it was not.
	Coverage *Coverage `json:"coverage,omitempty"`
}

// RemediationEntry is the life of one vulnerability in one component, from the first
// image that has it to the first that is shown not to.
type RemediationEntry struct {
	// Vulnerability has the identifiers that scans gave, unified.
	Vulnerability Vulnerability `json:"vulnerability"`
	// Component is the package URL without version, qualifiers and subpath. Where the
	// scan names none it is zero and ComponentID, which joins by its text, is set.
	Component   PURL        `json:"component,omitzero"`
	ComponentID ComponentID `json:"componentId,omitempty"`
	// Occurrence counts from 1; a vulnerability that comes back is an entry of its own.
	Occurrence int `json:"occurrence"`
	// Versions are those found to have it, sorted.
	Versions []string `json:"versions,omitempty"`
	// Severities are what the sources said over time, oldest first.
	Severities []SeverityChange `json:"severities,omitempty"`
	// Published is when the vulnerability became public.
	Published Dated          `json:"published,omitzero"`
	Fix       RemediationFix `json:"fix,omitzero"`
	// Exploited are the catalogues of vulnerabilities in use that list it, sorted.
	Exploited []Catalogued `json:"exploited,omitempty"`
	// FirstSeen and LastSeen are the ends of the first and last scan that reported it.
	FirstSeen Dated `json:"firstSeen,omitzero"`
	LastSeen  Dated `json:"lastSeen,omitzero"`
	// FirstImage and LastImage are the first and last that are known to have it.
	FirstImage Digest `json:"firstImage"`
	LastImage  Digest `json:"lastImage"`
	// FixedImage is the first later one that was shown not to; zero while there is none.
	FixedImage Digest `json:"fixedImage,omitzero"`
	// FirstClean is when the first scan that shows it was signed, or ended.
	FirstClean Dated `json:"firstClean,omitzero"`
	// Withdrawn is when every scanner that reported it, asked again about a version that
	// it had reported and with newer advisories, reported it no more: the advisory was
	// withdrawn or corrected, and nothing was fixed.
	Withdrawn Dated `json:"withdrawn,omitzero"`
	// Undecided are the images after LastImage, and before FixedImage, of which nothing
	// shows whether they have it.
	Undecided []Undecided `json:"undecided,omitempty"`
	// VEX are the changes of its status in the stream's images, oldest first.
	VEX        []StatusChange `json:"vex,omitempty"`
	Exclusions []Exclusion    `json:"exclusions,omitempty"`
	// Doubts name dates that were left out because they cannot be true. For people.
	Doubts []string `json:"doubts,omitempty"`
}

// SeverityChange is what the sources say of the severity from a time on.
type SeverityChange struct {
	// Severities are sorted by source; empty says that nobody rates it.
	Severities []Severity `json:"severities,omitempty"`
	At         Dated      `json:"at,omitzero"`
}

// RemediationFix is the release that removes the vulnerability, as [Fix] with what
// its date rests on.
type RemediationFix struct {
	State   FixState `json:"state,omitempty"`
	Version string   `json:"version,omitempty"`
	// Available is when it could first be had, and AvailableBy the kind of event that
	// says so: "advisory", "release", "commit", "first-observed" and the like.
	Available   Dated  `json:"available,omitzero"`
	AvailableBy string `json:"availableBy,omitempty"`
}

// Catalogued is an entry of a catalogue of vulnerabilities in use, as [Exploited]
// with what its dates rest on.
type Catalogued struct {
	Catalogue string `json:"catalogue"`
	Added     Dated  `json:"added,omitzero"`
	Due       Dated  `json:"due,omitzero"`
}

// Undecided is an image of which it is not known whether it has a vulnerability.
type Undecided struct {
	Image Digest `json:"image"`
	// Reason is for people.
	Reason string `json:"reason"`
}

// StatusChange is the VEX status of a vulnerability from a time on.
type StatusChange struct {
	// Status is empty where a statement was taken back and none is left.
	Status        Status        `json:"status,omitempty"`
	Justification Justification `json:"justification,omitempty"`
	// At is when it came to hold, as far as it is shown: a document's own time is its
	// author's claim.
	At Dated `json:"at"`
}

// Exclusion is a reason why no deadline applies. Whether it counts is up to whoever
// evaluates the record.
type Exclusion struct {
	// Reason is one of the words of package vex/remediation: "risk-accepted".
	Reason string `json:"reason"`
	From   Dated  `json:"from"`
	// Until is when it expires; zero is never.
	Until time.Time `json:"until,omitzero"`
	// Evidence is what supports it, sorted.
	Evidence []Resource `json:"evidence,omitempty"`
	Note     string     `json:"note,omitempty"`
}

// Compare orders entries by vulnerability, component and occurrence.
func (e *RemediationEntry) Compare(o *RemediationEntry) int {
	return cmp.Or(cmp.Compare(e.Vulnerability.ID, o.Vulnerability.ID), e.Component.Compare(o.Component),
		cmp.Compare(e.ComponentID, o.ComponentID), cmp.Compare(e.Occurrence, o.Occurrence))
}
