// Package predicate is the one place that knows which package encodes and decodes
// which kind of evidence.
//
// Start with [Encode] and [Decode]. Neither proves anything: package verify decodes
// what it has verified, and nothing else may.
package predicate

import (
	"encoding/json"
	"reflect"
	"time"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/attest/posture"
	"github.com/assaykit/assay/internal/strictjson"
	"github.com/assaykit/assay/provenance"
	"github.com/assaykit/assay/vex"
	"github.com/assaykit/assay/vex/remediation"
	"github.com/assaykit/assay/vex/scan"
)

// Options choose between the encodings of one kind of evidence.
type Options struct {
	// Type is the predicate type to write; empty is the first of the kind.
	Type assay.PredicateType
	// Subjects are those of the statement. VEX is about them.
	Subjects []assay.Subject
	// Created is for documents that must say when they were made, and do not.
	Created time.Time
}

// Encode writes evidence as the predicate of a statement.
func Encode(ev assay.Evidence, o Options) (assay.PredicateType, []byte, error) {
	if ev == nil || reflect.ValueOf(ev).IsNil() {
		subject := ""
		if ev != nil {
			subject = string(ev.Kind())
		}
		return "", nil, &assay.Error{Op: "encode evidence", Kind: assay.ErrInvalid, Subject: subject, Bound: "evidence, not nil"}
	}
	switch e := ev.(type) {
	case *assay.SBOM:
		return encodeSBOM(e, o)
	case *assay.Posture:
		return one(assay.PredicateSCAI, o, func() ([]byte, error) { return posture.Encode(e) })
	case *assay.Provenance:
		return one(assay.PredicateSLSA1, o, func() ([]byte, error) { return provenance.Encode(e) })
	case *assay.VEX:
		if o.Type != vex.PredicateTypeUnversioned {
			return one(vex.PredicateType, o, func() ([]byte, error) { return vex.EncodePredicateAs(e, o.Subjects, vex.PredicateType) })
		}
		return one(o.Type, o, func() ([]byte, error) { return vex.EncodePredicateAs(e, o.Subjects, o.Type) })
	case *assay.Summary:
		return one(assay.PredicateVSA, o, func() ([]byte, error) { return EncodeSummary(e) })
	case *assay.TestResult:
		return one(assay.PredicateTest, o, func() ([]byte, error) { return EncodeTestResult(e) })
	case *assay.Remediation:
		return one(remediation.PredicateType, o, func() ([]byte, error) { return remediation.Encode(e) })
	case *assay.Scan:
		if o.Type == "" {
			o.Type = assay.PredicateVulns02
		} else if o.Type.Kind() != assay.KindScan {
			return "", nil, wrongType(o.Type, string(assay.PredicateVulns02))
		}
		return one(o.Type, o, func() ([]byte, error) { return scan.Encode(e, o.Type) })
	case *assay.Opaque:
		return encodeOpaque(e, o)
	}
	return "", nil, &assay.Error{Op: "encode evidence", Kind: assay.ErrUnchecked, Subject: string(ev.Kind()),
		Bound: "a kind of evidence that this version encodes"}
}

// one is for kinds with a single encoding.
func one(t assay.PredicateType, o Options, encode func() ([]byte, error)) (assay.PredicateType, []byte, error) {
	if o.Type != "" && o.Type != t {
		return "", nil, wrongType(o.Type, string(t))
	}
	body, err := encode()
	if err != nil {
		return "", nil, err
	}
	return t, body, nil
}

func wrongType(got assay.PredicateType, want string) error {
	return &assay.Error{Op: "encode evidence", Kind: assay.ErrInvalid, Field: "predicateType", Value: string(got), Bound: want}
}

// encodeOpaque keeps a document that somebody else encoded, if the reader of its
// type accepts it.
func encodeOpaque(e *assay.Opaque, o Options) (assay.PredicateType, []byte, error) {
	t, err := assay.ParsePredicateType(string(e.Type))
	if err != nil {
		return "", nil, err
	}
	if o.Type != "" && o.Type != t {
		return "", nil, wrongType(o.Type, string(t))
	}
	if _, err := Decode("predicate", t, e.Predicate, o.Subjects...); err != nil {
		return "", nil, err
	}
	return t, e.Predicate, nil
}

// Decode reads a predicate by its type. The name, of the file or blob, is for
// errors. A type that nothing here reads gives an [*assay.Opaque].
//
// VEX is read as the predicate of a statement about the subjects: what it says of
// other products is left out (package vex, ReadPredicate, gives what that was).
// Without subjects it is read as a document by itself.
func Decode(name string, t assay.PredicateType, predicate []byte, subjects ...assay.Subject) (assay.Evidence, error) {
	switch t.Kind() {
	case assay.KindSBOM:
		return evidence(decodeSBOM(name, t, predicate))
	case assay.KindPosture:
		return evidence(posture.Read(name, predicate))
	case assay.KindProvenance:
		return evidence(provenance.Read(name, t, predicate))
	case assay.KindVEX:
		if len(subjects) == 0 {
			doc, _, err := vex.Read(name, predicate)
			return evidence(doc, err)
		}
		p, err := vex.ReadPredicate(name, t, predicate, subjects)
		if err != nil {
			return nil, err
		}
		return p.VEX, nil
	case assay.KindSummary:
		return evidence(DecodeSummary(name, predicate))
	case assay.KindTestResult:
		return evidence(DecodeTestResult(name, predicate))
	case assay.KindRemediation:
		return evidence(remediation.Read(name, predicate))
	case assay.KindScan:
		return evidence(scan.Read(name, t, predicate))
	}
	if err := strictjson.Check(name, predicate, strictjson.Limits{}); err != nil {
		return nil, err
	}
	return &assay.Opaque{Type: t, Predicate: json.RawMessage(predicate)}, nil
}

// evidence keeps a nil pointer from becoming an Evidence that is not nil.
func evidence[E assay.Evidence](e E, err error) (assay.Evidence, error) {
	if err != nil {
		return nil, err
	}
	return e, nil
}
