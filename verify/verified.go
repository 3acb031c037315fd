package verify

import (
	"slices"
	"time"

	"github.com/assaykit/assay"
)

// Verified is a statement whose signature was proven, by a signer whom the policy
// lets say this, about the digest that was asked for. Only this package makes
// one; the zero value holds nothing.
type Verified[E assay.Evidence] struct {
	statement assay.Statement[E]
	proof     proof
}

type proof struct {
	signer   assay.Identity
	rule     string
	times    []Witness
	logs     []LogEntry
	subject  assay.Subject
	envelope assay.Digest
}

// Witness is who saw a signature, and when.
type Witness struct {
	// Kind is "transparency-log" or "timestamp-authority".
	Kind string `json:"kind"`
	// URI is the witness's, as the trusted root has it.
	URI string    `json:"uri,omitempty"`
	At  time.Time `json:"at"`
}

// LogEntry is a proven entry of a transparency log.
type LogEntry struct {
	// LogID is the hexadecimal key id of the log.
	LogID string `json:"logId"`
	Index int64  `json:"index"`
}

// Evidence is the predicate, typed.
func (v Verified[E]) Evidence() E { return v.statement.Evidence() }

// Statement gives the statement with the bytes that were signed.
func (v Verified[E]) Statement() assay.Statement[E] { return v.statement }

// Signer is who signed, as proven.
func (v Verified[E]) Signer() assay.Identity { return v.proof.signer }

// Rule names the rule of the policy that let the signer say this.
func (v Verified[E]) Rule() string { return v.proof.rule }

// SignedBy is the earliest witnessed time: the signature existed then. It is the
// zero time for a key's signature without a witness. The earliest counts, because
// a later witness of an old signature must not make it look fresh. That of a key can
// be witnessed anew at any time, so that it may be older than this.
func (v Verified[E]) SignedBy() time.Time {
	if len(v.proof.times) == 0 {
		return time.Time{}
	}
	return v.proof.times[0].At
}

// Witnesses are all who proved a time, earliest first.
func (v Verified[E]) Witnesses() []Witness { return slices.Clone(v.proof.times) }

// LogEntries are the proven transparency log entries.
func (v Verified[E]) LogEntries() []LogEntry { return slices.Clone(v.proof.logs) }

// Subject is the subject that the digest matched.
func (v Verified[E]) Subject() assay.Subject { return v.proof.subject }

// Envelope is the digest of the envelope as it was found.
func (v Verified[E]) Envelope() assay.Digest { return v.proof.envelope }

// narrow gives v as one kind of evidence.
func narrow[E assay.Evidence](v Verified[assay.Evidence]) (Verified[E], bool) {
	s, ok := assay.As[E](v.statement)
	return Verified[E]{s, v.proof}, ok
}
