package osv

import (
	"context"
	"time"

	"github.com/assaykit/assay"
)

// Advisory is one record (OSV schema 1.7, https://ossf.github.io/osv-schema/).
type Advisory struct {
	ID assay.VulnID `json:"id"`
	// Aliases are names of the same vulnerability; Upstream are the vulnerabilities that
	// this record, mostly a distribution's, is about; Related says nothing of sameness.
	Aliases  []assay.VulnID `json:"aliases,omitempty"`
	Upstream []assay.VulnID `json:"upstream,omitempty"`
	Related  []assay.VulnID `json:"related,omitempty"`
	Summary  string         `json:"summary,omitempty"`
	// Published, Modified and Withdrawn are zero where the record does not say, or says
	// a year before 1970, which databases write for "not known".
	Published time.Time `json:"published,omitzero"`
	Modified  time.Time `json:"modified,omitzero"`
	Withdrawn time.Time `json:"withdrawn,omitzero"`
	// Severities hold for all that is affected, unless that has its own.
	Severities []assay.Severity `json:"severities,omitempty"`
	Affected   []Affected       `json:"affected,omitempty"`
	// Fix is when a fix could first be had, where the record tells.
	Fix assay.Fix `json:"fix,omitzero"`
	// Exploited says that the vulnerability is in a catalogue of those in use.
	Exploited *assay.Exploited `json:"exploited,omitempty"`
}

// Affected is what one advisory says of one package of one ecosystem.
type Affected struct {
	// Ecosystem is as the schema defines it, with the release: "Debian:12".
	Ecosystem string `json:"ecosystem"`
	// Name is as the record has it; of a distribution it is the source package.
	Name string     `json:"name"`
	PURL assay.PURL `json:"purl,omitzero"`
	// Versions are affected by themselves, Ranges besides.
	Versions   []string         `json:"versions,omitempty"`
	Ranges     []Range          `json:"ranges,omitempty"`
	Severities []assay.Severity `json:"severities,omitempty"`
	// Imports are the packages and symbols that the vulnerability is in; of Go only.
	Imports []assay.Import `json:"imports,omitempty"`
	// Modules are the module streams of an rpm distribution that the package is built
	// in, "nodejs:18"; empty where the record does not say.
	Modules []string `json:"modules,omitempty"`
}

// RangeType says how the versions of a range are ordered.
type RangeType string

const (
	RangeSemVer    RangeType = "SEMVER"
	RangeEcosystem RangeType = "ECOSYSTEM"
	RangeGit       RangeType = "GIT"
)

// Range is a list of events, in the order of the record. One without events says that
// the database does not know yet which versions are affected, as a tracker that has not
// come to it does: whoever asks about such a package is not told that it is not.
type Range struct {
	Type RangeType `json:"type"`
	// Repo is the repository of a [RangeGit].
	Repo   string  `json:"repo,omitempty"`
	Events []Event `json:"events"`
}

// EventKind says what begins or ends at a version.
type EventKind string

const (
	Introduced   EventKind = "introduced"
	Fixed        EventKind = "fixed"
	LastAffected EventKind = "last_affected"
	Limit        EventKind = "limit"
)

// Event is a point in a range. An Introduced "0" is before any version.
type Event struct {
	Kind    EventKind `json:"kind"`
	Version string    `json:"version"`
}

// Entry is what one advisory says of one package, in every release of the ecosystem.
type Entry struct {
	Advisory assay.VulnID
	// Withdrawn advisories match nothing.
	Withdrawn time.Time
	Affected  []Affected
}

// Database is what matching asks. [Index] is one.
type Database interface {
	// Entries gives what is known of a package, sorted by advisory. The ecosystem is
	// without a release ("Debian", not "Debian:12"); the name is in the ecosystem's
	// normal form ([NormalName]). The result is the caller's.
	Entries(ctx context.Context, ecosystem, name string) ([]Entry, error)
	// Advisory gives a record without its Affected; nil if there is none.
	Advisory(ctx context.Context, id assay.VulnID) (*Advisory, error)
	// Knows reports whether there is any record of the ecosystem, without a release.
	Knows(ecosystem string) bool
	// Releases are those of an ecosystem that records are about, sorted, as they write
	// them: "12" of Debian, "22.04:LTS" of Ubuntu. There are none where no record names
	// a release: then all are about every release.
	Releases(ecosystem string) []string
	Info() Info
}

// Info identifies the state of a database.
type Info struct {
	// Digest covers all records, and no dates.
	Digest assay.Digest `json:"digest"`
	// Updated is the newest time at which a source was read; Modified the newest
	// modification of a record.
	Updated    time.Time `json:"updated,omitzero"`
	Modified   time.Time `json:"modified,omitzero"`
	Advisories int       `json:"advisories"`
	// Skipped counts the records that could not be read. A database with any does not
	// know all that its sources say.
	Skipped int          `json:"skipped,omitzero"`
	Sources []SourceInfo `json:"sources,omitempty"`
}

// SourceInfo is one source of an index.
type SourceInfo struct {
	Name       string    `json:"name"`
	Format     string    `json:"format"`
	Advisories int       `json:"advisories"`
	Skipped    int       `json:"skipped,omitzero"`
	Read       time.Time `json:"read,omitzero"`
	Modified   time.Time `json:"modified,omitzero"`
}
