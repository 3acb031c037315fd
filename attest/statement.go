package attest

import (
	"bytes"
	"cmp"
	"encoding/json"
	"slices"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/predicate"
	"github.com/assaykit/assay/internal/strictjson"
)

// The types of in-toto statements that are read; the first is written.
const (
	StatementV1  = "https://in-toto.io/Statement/v1"
	StatementV01 = "https://in-toto.io/Statement/v0.1"
)

// Bounds on a statement's subjects. They are those of sigstore-go's verifier: what
// exceeds them could be signed, but not verified.
const (
	MaxSubjects       = 1024
	MaxSubjectDigests = 32
)

// StatementOptions choose how evidence is encoded. The zero value writes the first
// type of each kind: CycloneDX for an SBOM, SLSA v1 for provenance, OpenVEX for VEX,
// in-toto vulns v0.2 for a scan.
type StatementOptions struct {
	// PredicateType asks for another encoding of the evidence's kind, such as
	// [assay.PredicateSPDX] for an SBOM, which is SPDX 2.3; with "/v3.0.1" after it,
	// it is that.
	PredicateType assay.PredicateType
	// Created is written into an SBOM that does not say when it was made. SPDX
	// requires a time.
	Created time.Time
}

// NewStatement encodes the evidence as a predicate and binds it to the subjects
// (in-toto attestation v1.2, spec/v1/statement.md). The payload is canonical: the
// subjects are sorted, each once, and nothing is indented.
//
// An [*assay.Opaque] of a type that this module reads is checked by that reader and
// then kept byte for byte, but for whitespace: this is how a document that another
// tool made is signed as it is. What a format cannot say of an SBOM is left out;
// package sbom, Encode, tells what that is. A scan must say when its database was last
// updated, and when it started and ended; package vex/scan, Encode, tells how the rest
// of it is written.
func NewStatement(ev assay.Evidence, opts StatementOptions, subjects ...assay.Subject) (assay.Statement[assay.Evidence], error) {
	none := assay.Statement[assay.Evidence]{}
	subjects, err := canonicalSubjects(subjects)
	if err != nil {
		return none, err
	}
	t, body, err := predicate.Encode(ev, predicate.Options{Type: opts.PredicateType, Subjects: subjects, Created: opts.Created})
	if err != nil {
		return none, err
	}
	payload, err := encodeStatement(t, body, subjects)
	if err != nil {
		return none, err
	}
	return assay.NewStatement(payload, t, subjects, ev)
}

func canonicalSubjects(subjects []assay.Subject) ([]assay.Subject, error) {
	if len(subjects) > MaxSubjects {
		return nil, &assay.Error{Op: "make statement", Kind: assay.ErrBound, Field: "/subject",
			Value: strconv.Itoa(len(subjects)) + " subjects", Bound: "at most " + strconv.Itoa(MaxSubjects)}
	}
	out := make([]assay.Subject, 0, len(subjects))
	for _, s := range subjects {
		set, err := assay.NewDigestSet(s.Digest...)
		if err != nil {
			return nil, err
		}
		out = append(out, assay.Subject{Name: s.Name, Digest: set})
	}
	compare := func(a, b assay.Subject) int {
		return cmp.Or(slices.CompareFunc(a.Digest, b.Digest, assay.Digest.Compare), cmp.Compare(a.Name, b.Name))
	}
	slices.SortFunc(out, compare)
	return slices.CompactFunc(out, func(a, b assay.Subject) bool { return compare(a, b) == 0 }), nil
}

// encodeStatement writes the members in the order of the specification.
func encodeStatement(t assay.PredicateType, body []byte, subjects []assay.Subject) ([]byte, error) {
	value := jsontext.Value(bytes.Clone(body))
	if err := value.Compact(); err != nil {
		return nil, &assay.Error{Op: "make statement", Kind: assay.ErrInvalid, Field: "/predicate", Err: err}
	}
	subject, err := strictjson.Marshal(subjects)
	if err != nil {
		return nil, &assay.Error{Op: "make statement", Kind: assay.ErrInvalid, Field: "/subject", Err: err}
	}
	typ, err := strictjson.Marshal(string(t))
	if err != nil {
		return nil, &assay.Error{Op: "make statement", Kind: assay.ErrInvalid, Field: "/predicateType", Err: err}
	}
	var b bytes.Buffer
	b.Grow(len(value) + len(subject) + 160)
	b.WriteString(`{"_type":"` + StatementV1 + `","subject":`)
	b.Write(subject)
	b.WriteString(`,"predicateType":`)
	b.Write(typ)
	b.WriteString(`,"predicate":`)
	b.Write(value)
	b.WriteByte('}')
	return b.Bytes(), nil
}

// Header is a statement whose predicate has not been read.
type Header struct {
	// Type is [StatementV1] or [StatementV01].
	Type string
	// Subjects are those with a digest of a known algorithm, in the payload's order.
	Subjects []assay.Subject
	// Unmatchable counts the subjects that have digests of unknown algorithms only.
	// They are well formed, and nothing can be matched with them.
	Unmatchable   int
	PredicateType assay.PredicateType
	// Predicate is the JSON value, byte for byte; nil where the payload has none.
	Predicate json.RawMessage
}

// ParseStatement reads the payload of an envelope by the rules of in-toto
// attestation v1.2, spec/v1: the exact _type, at least one subject, a digest for
// each, lowercase digests of the right length, a predicate type that is a URI.
// Unknown members are ignored. The name, of the file or blob, is for errors.
//
// It proves nothing. Call it on a payload whose signature has been verified; it
// gives no [assay.Evidence].
func ParseStatement(name string, payload []byte) (*Header, error) {
	var doc struct {
		Type          string          `json:"_type"`
		Subject       []statedSubject `json:"subject"`
		PredicateType string          `json:"predicateType"`
		Predicate     json.RawMessage `json:"predicate"`
	}
	if err := strictjson.Unmarshal(name, payload, &doc, strictjson.Limits{}); err != nil {
		return nil, err
	}
	bad := func(kind error, field, value, bound, rule string, cause error) error {
		return &assay.Error{Op: "read statement", Kind: kind, Subject: name, Field: field, Value: value, Bound: bound, Rule: rule, Err: cause}
	}
	if doc.Type != StatementV1 && doc.Type != StatementV01 {
		return nil, bad(assay.ErrInvalid, "/_type", doc.Type, StatementV1, "in-toto S1", nil)
	}
	t, err := assay.ParsePredicateType(doc.PredicateType)
	if err != nil {
		return nil, bad(assay.ErrInvalid, "/predicateType", doc.PredicateType, "a URI", "in-toto S3", nil)
	}
	if n := len(doc.Subject); n == 0 {
		return nil, bad(assay.ErrInvalid, "/subject", "", "at least one subject", "in-toto S2", nil)
	} else if n > MaxSubjects {
		return nil, bad(assay.ErrBound, "/subject", strconv.Itoa(n)+" subjects", "at most "+strconv.Itoa(MaxSubjects), "", nil)
	}
	h := &Header{Type: doc.Type, PredicateType: t, Predicate: doc.Predicate}
	for i, s := range doc.Subject {
		field := "/subject/" + strconv.Itoa(i) + "/digest"
		if n := len(s.Digest); n == 0 {
			return nil, bad(assay.ErrInvalid, field, "", "at least one digest", "in-toto S2", nil)
		} else if n > MaxSubjectDigests {
			return nil, bad(assay.ErrBound, field, strconv.Itoa(n)+" digests", "at most "+strconv.Itoa(MaxSubjectDigests), "", nil)
		}
		for alg, hex := range s.Digest {
			if hex == "" {
				return nil, bad(assay.ErrInvalid, field+"/"+alg, "", "a digest", "in-toto S2", nil)
			}
		}
		set, err := assay.ParseDigestSet(s.Digest)
		if err != nil {
			return nil, bad(assay.ErrInvalid, field, "", "lowercase hexadecimal digests", "in-toto S4", err)
		}
		if len(set) == 0 {
			h.Unmatchable++
			continue
		}
		h.Subjects = append(h.Subjects, assay.Subject{Name: s.Name, Digest: set})
	}
	if len(h.Subjects) == 0 {
		return nil, bad(assay.ErrUnchecked, "/subject", "", "a subject with a digest of a known algorithm", "in-toto S4", nil)
	}
	return h, nil
}

type statedSubject struct {
	Name   string            `json:"name"`
	Digest map[string]string `json:"digest"`
}
