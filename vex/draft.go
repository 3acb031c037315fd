package vex

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/strictjson"
)

// DefaultBase is the shared namespace that the specification offers to anybody who
// needs a valid IRI (OPENVEX-SPEC.md, Public IRI Namespaces). Give your own in
// [Options] where people are to find the document under its identifier.
const DefaultBase = "https://openvex.dev/docs/public/"

// Options are what a document says of itself. The zero value is useful.
type Options struct {
	// ID is the document's IRI. Default: Base and "vex-" and the SHA-256 of the
	// document's compact encoding without identifier, so that the same content has
	// the same identifier everywhere.
	ID string
	// Base is the IRI that a derived ID is below. Default: [DefaultBase].
	Base string
	// Role is the author's role, such as "maintainer".
	Role string
	// Tooling says how the document is made.
	Tooling string
	// Time is when it is issued. Default: the environment's SOURCE_DATE_EPOCH, else
	// the clock, in whole seconds.
	Time time.Time
}

// Draft collects statements for a document. It is for one goroutine.
type Draft struct {
	author string
	opts   Options
	base   *assay.VEX // what is edited; nil for a new document
	claims []*Claim
	// changes are to statements of base.
	changes []change
}

// New begins a document in the name of author: a person or organization, best an
// IRI or email address, and one that goes with the signature (OPENVEX-SPEC.md,
// Document Struct Fields).
func New(author string, o Options) *Draft { return &Draft{author: author, opts: o} }

// NotAffected says that the products need no remediation, and why. Without a label
// (why is "") an [Claim.Impact] is required, which no program can act on.
func (d *Draft) NotAffected(id assay.VulnID, why assay.Justification, products ...assay.Product) *Claim {
	c := d.claim(id, assay.NotAffected, products)
	c.s.Justification = why
	return c
}

// Affected says that the products are affected, and what to do about it.
func (d *Draft) Affected(id assay.VulnID, action string, products ...assay.Product) *Claim {
	c := d.claim(id, assay.Affected, products)
	c.s.ActionStatement = action
	return c
}

// Fixed says that the products contain a fix.
func (d *Draft) Fixed(id assay.VulnID, products ...assay.Product) *Claim {
	return d.claim(id, assay.Fixed, products)
}

// UnderInvestigation says that it is not known yet.
func (d *Draft) UnderInvestigation(id assay.VulnID, products ...assay.Product) *Claim {
	return d.claim(id, assay.UnderInvestigation, products)
}

func (d *Draft) claim(id assay.VulnID, status assay.Status, products []assay.Product) *Claim {
	c := &Claim{draft: d, s: assay.VEXStatement{
		Vulnerability: assay.Vulnerability{ID: id}, Status: status, Products: cloneProducts(products),
	}}
	d.claims = append(d.claims, c)
	return c
}

// Build gives the document, held to every rule; the error names the first that is
// broken, and the statement. A Draft can go on after it and be built again.
func (d *Draft) Build() (*assay.VEX, error) {
	v, e := d.build()
	if e != nil {
		e.Op, e.Subject = "build OpenVEX", d.opts.ID
		if d.base != nil {
			e.Subject = d.base.ID
		}
		return nil, e
	}
	return v, nil
}

func (d *Draft) build() (*assay.VEX, *assay.Error) {
	t, e := now(d.opts.Time)
	if e != nil {
		return nil, e
	}
	v := &assay.VEX{
		ID: d.opts.ID, Author: d.author, AuthorRole: d.opts.Role, Timestamp: t, Version: 1,
		Tooling: d.opts.Tooling, Format: format020,
	}
	if d.base != nil {
		if v, e = d.successor(t); e != nil {
			return nil, e
		}
	}
	for _, c := range d.claims {
		s := cloneStatement(&c.s)
		if s.Timestamp.IsZero() {
			s.Timestamp = t
		}
		// What does not parse is left for the check to name.
		s.Vulnerability.ID = canonical(s.Vulnerability.ID)
		for i, a := range s.Vulnerability.Aliases {
			s.Vulnerability.Aliases[i] = canonical(a)
		}
		v.Statements = append(v.Statements, s)
	}
	check := checker{complete: true}
	derive := v.ID == ""
	if derive {
		if v.ID, e = baseIRI(d.opts.Base); e != nil {
			return nil, e
		}
	}
	if e := check.document(v); e != nil {
		return nil, e
	}
	normalize(v)
	if derive {
		if e := deriveID(v); e != nil {
			return nil, e
		}
	}
	return v, nil
}

// baseIRI gives the IRI that derived identifiers are below, ready to be added to.
func baseIRI(base string) (string, *assay.Error) {
	if base == "" {
		base = DefaultBase
	}
	if !isIRI(base) {
		return "", broken(2, "base", base, "an absolute IRI")
	}
	if !strings.HasSuffix(base, "/") && !strings.HasSuffix(base, "#") && !strings.HasSuffix(base, ":") {
		base += "/"
	}
	return base, nil
}

// deriveID completes the identifier of a document that was checked and normalized,
// and has a base as identifier so far.
func deriveID(v *assay.VEX) *assay.Error {
	w := toWire(v)
	w.ID = ""
	data, err := strictjson.Marshal(w)
	if err != nil {
		return &assay.Error{Kind: assay.ErrInvalid, Err: err}
	}
	sum := sha256.Sum256(data)
	v.ID += "vex-" + hex.EncodeToString(sum[:])
	return nil
}

func canonical(id assay.VulnID) assay.VulnID {
	if c, err := assay.ParseVulnID(string(id)); err == nil {
		return c
	}
	return id
}

// Claim is a statement of a [Draft], still open to be told more. Its methods give
// the Claim back, so that they chain.
type Claim struct {
	draft *Draft
	s     assay.VEXStatement
}

// Notes says how the status was determined.
func (c *Claim) Notes(s string) *Claim { c.s.StatusNotes = s; return c }

// Impact says in words why products are not affected.
func (c *Claim) Impact(s string) *Claim { c.s.ImpactStatement = s; return c }

// ActionTime is when the action statement was issued.
func (c *Claim) ActionTime(t time.Time) *Claim { c.s.ActionStatementTimestamp = t; return c }

// Aliases are other names of the vulnerability.
func (c *Claim) Aliases(ids ...assay.VulnID) *Claim {
	c.s.Vulnerability.Aliases = append(slices.Clone(c.s.Vulnerability.Aliases), ids...)
	return c
}

// Describe describes the vulnerability, and gives an IRI that identifies it; either
// may be empty.
func (c *Claim) Describe(iri, text string) *Claim {
	c.s.Vulnerability.IRI, c.s.Vulnerability.Description = iri, text
	return c
}

// Supplier names who supplies the products.
func (c *Claim) Supplier(s string) *Claim { c.s.Supplier = s; return c }

// ID gives the statement an IRI.
func (c *Claim) ID(iri string) *Claim { c.s.ID = iri; return c }

// Since is when the statement was known to be true. Default: the document's time.
func (c *Claim) Since(t time.Time) *Claim { c.s.Timestamp = t; return c }

// Build is [Draft.Build] of the draft that the claim is in, for documents of one
// statement.
func (c *Claim) Build() (*assay.VEX, error) { return c.draft.Build() }
