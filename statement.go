package assay

import (
	"bytes"
	"slices"
)

// Statement binds evidence to the artifacts it is about (in-toto attestation v1.2,
// spec/v1/statement.md). It keeps the exact bytes that are, or were, signed: those
// are the evidence, and the typed form is a view of them that is never encoded
// again to verify anything.
//
// A Statement says nothing of trust. One that somebody else made is evidence only
// inside a Verified value of package verify.
type Statement[E Evidence] struct {
	evidence      E
	predicateType PredicateType
	subjects      []Subject
	payload       []byte
}

// NewStatement joins evidence to the payload that encodes it. Package attest makes
// statements from evidence, and package verify from proven payloads; call this only
// where you have decoded the payload yourself.
func NewStatement[E Evidence](payload []byte, t PredicateType, subjects []Subject, evidence E) (Statement[E], error) {
	if len(payload) == 0 {
		return Statement[E]{}, &Error{Op: "make statement", Kind: ErrInvalid, Field: "payload", Bound: "the bytes that are signed"}
	}
	if _, err := ParsePredicateType(string(t)); err != nil {
		return Statement[E]{}, err
	}
	if len(subjects) == 0 {
		return Statement[E]{}, &Error{Op: "make statement", Kind: ErrInvalid, Field: "subject", Bound: "at least one subject", Rule: "in-toto S2"}
	}
	for _, s := range subjects {
		if err := s.Validate(); err != nil {
			return Statement[E]{}, err
		}
	}
	return Statement[E]{evidence, t, slices.Clone(subjects), bytes.Clone(payload)}, nil
}

// Evidence is the predicate, typed.
func (s Statement[E]) Evidence() E { return s.evidence }

// PredicateType is the type as the payload states it.
func (s Statement[E]) PredicateType() PredicateType { return s.predicateType }

// Subjects gives a copy of the subjects in the payload's order.
func (s Statement[E]) Subjects() []Subject { return slices.Clone(s.subjects) }

// Payload gives a copy of the bytes that the signature covers.
func (s Statement[E]) Payload() []byte { return bytes.Clone(s.payload) }

// About finds the subject that has the digest, by a strong algorithm, and reports
// whether there is one. All subjects are looked at, not only the first.
func (s Statement[E]) About(d Digest) (Subject, bool) {
	for _, sub := range s.subjects {
		if sub.Digest.Has(d) {
			return sub, true
		}
	}
	return Subject{}, false
}

// As narrows a statement of any evidence to one kind.
func As[E Evidence](s Statement[Evidence]) (Statement[E], bool) {
	e, ok := s.evidence.(E)
	if !ok {
		return Statement[E]{}, false
	}
	return Statement[E]{e, s.predicateType, s.subjects, s.payload}, true
}
