package attest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/assaykit/assay"
)

// Source is a place that envelopes are kept in.
type Source interface {
	// Discover reads all envelopes about the subject. What could not be read is in
	// [Found], as faults; the error is for a question that could not be asked.
	Discover(ctx context.Context, subject assay.Digest) (*Found, error)
}

// ByDigest is a [Source] that may hold evidence about an image below an index without
// knowing the index. [Join] asks it for each platform that another source lists.
type ByDigest interface {
	Source
	// AsksByDigest does nothing; it is how a source says that it is one.
	AsksByDigest()
}

// Found is what a [Source] holds about a digest. It is untrusted.
type Found struct {
	// Bundle is never nil. Its envelopes are proven by whoever uses them; that an
	// index has the platforms below it is the source's word, which must have read them
	// from bytes of the index's digest.
	Bundle *assay.Bundle
	// Faults are sorted. See [Found.Complete].
	Faults []Fault
	// Ignored counts what is attached or stored beside the envelopes and is not one,
	// by its type, sorted.
	Ignored []Ignored
}

// Complete reports whether every store could be read to its end. If not, missing
// evidence is unknown, not absent.
func (f *Found) Complete() bool {
	return !slices.ContainsFunc(f.Faults, func(x Fault) bool { return x.Kind == Unreadable })
}

// Err joins the errors of the faults that keep f from being complete.
func (f *Found) Err() error {
	var errs []error
	for _, x := range f.Faults {
		if x.Kind == Unreadable {
			errs = append(errs, x.Err)
		}
	}
	return errors.Join(errs...)
}

// FaultKind tells a store that holds nothing from one that could not be read.
type FaultKind int

const (
	// Unreadable: the store, or a part of it, could not be read or breaks its rules.
	Unreadable FaultKind = iota
	// Absent: the store was read and does not hold what was asked for.
	Absent
)

func (k FaultKind) String() string {
	switch k {
	case Unreadable:
		return "unreadable"
	case Absent:
		return "absent"
	}
	return "invalid"
}

// Fault is something that a [Source] did not give.
type Fault struct {
	// Store is the place: "registry.example/app", a folder, a file.
	Store string
	// Reference is what was asked of it: a digest, a tag, a line.
	Reference string
	Kind      FaultKind
	// Status is the HTTP status, if a registry answered with one that says why.
	Status int
	// Err wraps one kind of package assay, and the cause.
	Err error
}

// Compare orders faults by store, reference and message.
func (f Fault) Compare(o Fault) int {
	c := cmp.Or(cmp.Compare(f.Store, o.Store), cmp.Compare(f.Reference, o.Reference), cmp.Compare(f.Kind, o.Kind), cmp.Compare(f.Status, o.Status))
	if c == 0 && f.Err != nil && o.Err != nil {
		c = strings.Compare(f.Err.Error(), o.Err.Error())
	}
	return c
}

// Ignored is something that is not an envelope.
type Ignored struct {
	Store string
	// Type is the artifact type or media type, or why it was ignored.
	Type  string
	Count int
}

// The defaults of [Limits].
const (
	DefaultReferrers   = 10_000
	DefaultBlobBytes   = 64 << 20
	DefaultTotalBytes  = 512 << 20
	DefaultEnvelopes   = 20_000
	DefaultConcurrency = 8
	DefaultPlatforms   = 256
	DefaultTime        = 10 * time.Minute
)

// Limits bound what a [Source] reads. Zero fields mean the defaults.
type Limits struct {
	// Referrers is the number of artifacts attached to one digest, or of envelopes
	// in files.
	Referrers int
	// BlobBytes is the size of one envelope.
	BlobBytes int64
	// TotalBytes is the size of all envelopes that one call of Discover reads.
	TotalBytes int64
	// Envelopes is their number.
	Envelopes int
	// Concurrency is the number of requests at a time.
	Concurrency int
	// Platforms is the number of manifests below an index.
	Platforms int
	// Time is how long one call of Discover may take, in all. What was not read by
	// then is a [Fault], as it is when the context ends. It is for what waits for
	// others: registries and APIs.
	Time time.Duration
}

func (l Limits) withDefaults() Limits {
	if l.Referrers <= 0 {
		l.Referrers = DefaultReferrers
	}
	if l.BlobBytes <= 0 {
		l.BlobBytes = DefaultBlobBytes
	}
	if l.TotalBytes <= 0 {
		l.TotalBytes = DefaultTotalBytes
	}
	if l.Envelopes <= 0 {
		l.Envelopes = DefaultEnvelopes
	}
	if l.Time <= 0 {
		l.Time = DefaultTime
	}
	if l.Concurrency <= 0 {
		l.Concurrency = DefaultConcurrency
	}
	if l.Platforms <= 0 {
		l.Platforms = DefaultPlatforms
	}
	return l
}

// withTime is the bound on the time of a call.
func (l Limits) withTime(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, l.Time, fmt.Errorf("discovery took longer than %s: %w", l.Time, context.DeadlineExceeded))
}
