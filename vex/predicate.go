package vex

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/strictjson"
)

const (
	// PredicateType is the type of the in-toto statements that carry what is written.
	PredicateType = assay.PredicateOpenVEX
	// PredicateTypeUnversioned is the spelling that others write and look for: cosign's
	// "openvex", vexctl, and what asks a registry as they do.
	PredicateTypeUnversioned assay.PredicateType = contextUnversioned
)

// IsPredicateType reports whether statements of this type carry OpenVEX (rule 18).
// "text/vex" is in the example of ATTESTING.md; it is read and never written.
func IsPredicateType(t assay.PredicateType) bool {
	return t == PredicateType || t == PredicateTypeUnversioned || t == "text/vex"
}

// Ignored is something in a predicate that says nothing about its subjects.
type Ignored struct {
	// Statement is the index in the document as it was read.
	Statement     int
	Vulnerability assay.VulnID
	// Product is the one that is no subject; zero if the whole statement is
	// ignored for another reason.
	Product assay.Product
	// Whole says that nothing of the statement is left.
	Whole  bool
	Reason string
}

// String gives one line.
func (i Ignored) String() string {
	s := "/statements/" + strconv.Itoa(i.Statement) + " (" + string(i.Vulnerability) + ")"
	if n := productName(i.Product); n != "" {
		s += ": product " + n
	}
	if i.Whole {
		s += ": statement ignored"
	}
	return s + ": " + i.Reason + " (" + rule(17) + ")"
}

// Predicate is what an attestation says about its subjects.
type Predicate struct {
	VEX      *assay.VEX
	Warnings []Warning
	Ignored  []Ignored
}

// ReadPredicate reads the predicate of an in-toto statement: [Read], then
// [InheritSubjects]. A predicate type other than those of [IsPredicateType] is an
// error (rule 18), and so are subjects without digest (in-toto S2).
func ReadPredicate(name string, t assay.PredicateType, predicate []byte, subjects []assay.Subject) (*Predicate, error) {
	if !IsPredicateType(t) {
		return nil, &assay.Error{Op: "read OpenVEX", Subject: name, Kind: assay.ErrInvalid, Field: "predicateType",
			Value: string(t), Bound: string(PredicateType), Rule: rule(18)}
	}
	if err := checkSubjects(subjects); err != nil {
		return nil, err
	}
	doc, warnings, err := Read(name, predicate)
	if err != nil {
		return nil, err
	}
	doc, ignored := InheritSubjects(doc, subjects)
	// What was incomplete is complete now, or ignored.
	warnings = slices.DeleteFunc(warnings, func(w Warning) bool { return w.Rule == rule(10) })
	return &Predicate{doc, warnings, ignored}, nil
}

// EncodePredicate writes the document as predicate of an in-toto statement about the
// subjects, compact, and gives the predicate type. Statements may be without
// product: they are about the subjects. A product that is there must be one of the
// subjects, or whoever reads the attestation would ignore it (ATTESTING.md, The VEX
// Product and the Attestation's Subject; rule 17).
func EncodePredicate(doc *assay.VEX, subjects []assay.Subject) ([]byte, assay.PredicateType, error) {
	if err := checkSubjects(subjects); err != nil {
		return nil, "", err
	}
	if e := (&checker{}).document(doc); e != nil {
		return nil, "", encodeError(doc, e)
	}
	index := indexSubjects(subjects)
	for i := range doc.Statements {
		for j, p := range doc.Statements[i].Products {
			if len(index.of(p)) == 0 {
				e := broken(17, "", productName(p), "one of the subjects of the attestation")
				return nil, "", encodeError(doc, within(within(e, "products", j), "statements", i))
			}
		}
	}
	data, err := strictjson.Marshal(toWire(doc))
	if err != nil {
		return nil, "", &assay.Error{Op: "write OpenVEX", Subject: doc.ID, Kind: assay.ErrInvalid, Err: err}
	}
	return data, PredicateType, nil
}

// EncodePredicateAs is [EncodePredicate] for statements of either spelling of the type;
// any other is an error (rule 18). The document is the same.
func EncodePredicateAs(doc *assay.VEX, subjects []assay.Subject, t assay.PredicateType) ([]byte, error) {
	if t != PredicateType && t != PredicateTypeUnversioned {
		return nil, &assay.Error{Op: "write OpenVEX", Subject: doc.ID, Kind: assay.ErrInvalid, Field: "predicateType",
			Value: string(t), Bound: string(PredicateType) + " or " + string(PredicateTypeUnversioned), Rule: rule(18)}
	}
	data, _, err := EncodePredicate(doc, subjects)
	return data, err
}

func checkSubjects(subjects []assay.Subject) error {
	if len(subjects) == 0 {
		return &assay.Error{Op: "check subjects", Kind: assay.ErrInvalid, Bound: "at least one subject", Rule: "in-toto S2"}
	}
	for _, s := range subjects {
		if err := s.Validate(); err != nil {
			return err
		}
	}
	return nil
}

// InheritSubjects gives what the document, as predicate of a statement about the
// subjects, says about them (ATTESTING.md; rule 17). The document given is not
// changed; the one returned has complete statements only, which can be none.
//
//   - A statement without product gets the subjects as products. The name of a
//     subject becomes the product's ID where it is an IRI.
//   - Of a statement with products those are kept that are a subject, each with the
//     digests of that subject, once for each subject that it is. The rest are
//     ignored, and so is a statement of which nothing is left.
//
// A product is a subject if they share a digest of a strong algorithm and no digest
// contradicts another; an image's purl has its digest as version. A product that has
// no strong digest is a subject if its @id or purl is the subject's name, all of it:
// the names are the attester's own, on both sides of the comparison. Subjects
// without strong digest identify nothing, and inherit nothing.
func InheritSubjects(doc *assay.VEX, subjects []assay.Subject) (*assay.VEX, []Ignored) {
	out := clone(doc)
	out.Statements = nil
	var ignored []Ignored
	index := indexSubjects(subjects)
	var whole []assay.Product
	for _, s := range index.subjects {
		whole = append(whole, subjectProduct(s))
	}
	whole = distinct(whole)
	for i := range doc.Statements {
		s := cloneStatement(&doc.Statements[i])
		ignore := func(p assay.Product, whole bool, reason string) {
			ignored = append(ignored, Ignored{i, s.Vulnerability.ID, p, whole, reason})
		}
		if len(s.Products) == 0 {
			if len(whole) == 0 {
				ignore(assay.Product{}, true, "no subject has a digest of a strong algorithm")
				continue
			}
			s.Products = cloneProducts(whole)
			out.Statements = append(out.Statements, s)
			continue
		}
		var kept []assay.Product
		for _, p := range s.Products {
			are := index.of(p)
			if len(are) == 0 {
				ignore(p, false, "not a subject of the attestation")
			}
			kept = append(kept, are...)
		}
		if len(kept) == 0 {
			ignore(assay.Product{}, true, "no product of it is a subject")
			continue
		}
		s.Products = distinct(kept)
		out.Statements = append(out.Statements, s)
	}
	return out, ignored
}

func strong(s assay.DigestSet) bool {
	return slices.ContainsFunc(s, func(d assay.Digest) bool { return d.Algorithm().Strong() })
}

func subjectProduct(s assay.Subject) assay.Product {
	p := assay.Product{Digests: slices.Clone(s.Digest)}
	if isIRI(s.Name) {
		p.ID = s.Name
		if q, err := assay.ParsePURL(s.Name); err == nil {
			p.PURL = q
		}
	}
	return p
}

func distinct(ps []assay.Product) []assay.Product {
	return slices.CompactFunc(sorted(ps, compareProduct), func(a, b assay.Product) bool { return compareProduct(a, b) == 0 })
}

// subjectIndex finds the subjects that a product can be, so that a document with
// many products and many subjects takes no time that is their product.
type subjectIndex struct {
	subjects []assay.Subject // those with a strong digest, each once
	digest   map[assay.Digest][]int
	name     map[string][]int
	purl     map[assay.PURL][]int
}

func indexSubjects(subjects []assay.Subject) *subjectIndex {
	x := &subjectIndex{digest: map[assay.Digest][]int{}, name: map[string][]int{}, purl: map[assay.PURL][]int{}}
	for _, s := range subjects {
		if strong(s.Digest) {
			x.subjects = append(x.subjects, s)
		}
	}
	compare := func(a, b assay.Subject) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), slices.CompareFunc(a.Digest, b.Digest, assay.Digest.Compare))
	}
	slices.SortFunc(x.subjects, compare)
	x.subjects = slices.CompactFunc(x.subjects, func(a, b assay.Subject) bool { return compare(a, b) == 0 })
	for i, s := range x.subjects {
		for _, d := range s.Digest {
			if d.Algorithm().Strong() {
				x.digest[d] = append(x.digest[d], i)
			}
		}
		if s.Name == "" {
			continue
		}
		x.name[s.Name] = append(x.name[s.Name], i)
		if p, err := assay.ParsePURL(s.Name); err == nil {
			x.purl[p] = append(x.purl[p], i)
		}
	}
	return x
}

// of gives the product once for each subject that it is, with that subject's
// digests; none if it is no subject.
func (x *subjectIndex) of(p assay.Product) []assay.Product {
	own, ok := digests(p)
	if !ok {
		return nil
	}
	var found []int
	if strong(own) {
		for _, d := range own {
			found = append(found, x.digest[d]...)
		}
	} else {
		// Absent members are in neither map.
		found = append(found, x.name[p.ID]...)
		found = append(found, x.purl[p.PURL]...)
	}
	slices.Sort(found)
	var are []assay.Product
	for _, i := range slices.Compact(found) {
		s := x.subjects[i]
		if _, contradict := compareDigests(own, s.Digest); contradict {
			continue
		}
		all, err := assay.NewDigestSet(append(slices.Clone(p.Digests), s.Digest...)...)
		if err != nil { // a weak digest differs
			continue
		}
		q := cloneProduct(p)
		q.Digests = all
		are = append(are, q)
	}
	return are
}
