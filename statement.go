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

// NewStatement joins evidence to the payload that encodes it. The subjects must have
// digests, and the predicate type be one of the evidence's kind, or the evidence
// opaque. That the payload says the same is for the caller to know: package attest
// makes statements from evidence, and package verify from proven payloads; call this
// only where you have decoded the payload yourself.
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
	if isNil(evidence) {
		return Statement[E]{}, &Error{Op: "make statement", Kind: ErrInvalid, Field: "predicate", Bound: "evidence"}
	}
	// An Opaque may be of a known type: a document that is passed on unread.
	if k := evidence.Kind(); k != t.Kind() && k != KindOpaque {
		return Statement[E]{}, &Error{Op: "make statement", Kind: ErrInvalid, Field: "predicateType", Value: string(t), Bound: "a type of " + string(k) + " evidence"}
	}
	return Statement[E]{evidence, t, cloneSubjects(subjects), bytes.Clone(payload)}, nil
}

// isNil reports an interface without a value, or with a nil pointer.
func isNil(e Evidence) bool {
	switch e := e.(type) {
	case nil:
		return true
	case *SBOM:
		return e == nil
	case *Provenance:
		return e == nil
	case *VEX:
		return e == nil
	case *Scan:
		return e == nil
	case *Posture:
		return e == nil
	case *Remediation:
		return e == nil
	case *TestResult:
		return e == nil
	case *Summary:
		return e == nil
	case *Opaque:
		return e == nil
	}
	return false
}

func cloneSubjects(subjects []Subject) []Subject {
	out := slices.Clone(subjects)
	for i := range out {
		out[i].Digest = slices.Clone(out[i].Digest)
	}
	return out
}

// Evidence is the predicate, typed.
func (s Statement[E]) Evidence() E { return s.evidence }

// PredicateType is the type as the payload states it.
func (s Statement[E]) PredicateType() PredicateType { return s.predicateType }

// Subjects gives a copy of the subjects in the payload's order.
func (s Statement[E]) Subjects() []Subject { return cloneSubjects(s.subjects) }

// Payload gives a copy of the bytes that the signature covers.
func (s Statement[E]) Payload() []byte { return bytes.Clone(s.payload) }

// About finds the subject that has the digest, by a strong algorithm, and reports
// whether there is one. All subjects are looked at, not only the first.
func (s Statement[E]) About(d Digest) (Subject, bool) {
	for _, sub := range s.subjects {
		if sub.Digest.Has(d) {
			sub.Digest = slices.Clone(sub.Digest)
			return sub, true
		}
	}
	return Subject{}, false
}

// Any widens a statement of one kind, for lists of several kinds. [As] is the way
// back.
func (s Statement[E]) Any() Statement[Evidence] {
	return Statement[Evidence]{s.evidence, s.predicateType, s.subjects, s.payload}
}

// As narrows a statement of any evidence to one kind.
func As[E Evidence](s Statement[Evidence]) (Statement[E], bool) {
	e, ok := s.evidence.(E)
	if !ok {
		return Statement[E]{}, false
	}
	return Statement[E]{e, s.predicateType, s.subjects, s.payload}, true
}
