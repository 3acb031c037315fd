package vex

import (
	"strconv"
	"strings"
	"time"

	"github.com/assaykit/assay"
)

// Validate holds a document to every rule that [Encode] demands, and reports the
// first breach as [*assay.Error].
func Validate(doc *assay.VEX) error {
	c := checker{complete: true}
	if e := c.document(doc); e != nil {
		e.Op, e.Subject = "check OpenVEX", doc.ID
		return e
	}
	return nil
}

// checker holds the typed form to the rules, for reading and for writing.
type checker struct {
	// odd takes breaches that are accepted on reading; nil refuses them.
	odd func(*assay.Error)
	// complete demands products.
	complete bool
}

// wants reports a breach that is odd.
func (c *checker) wants(e *assay.Error) *assay.Error {
	if c.odd == nil {
		return e
	}
	c.odd(e)
	return nil
}

// iri demands an IRI; empty is absent.
func (c *checker) iri(prefix, s string) *assay.Error {
	if s == "" || isIRI(s) {
		return nil
	}
	return c.wants(broken(2, prefix+"/@id", s, "an absolute IRI"))
}

func (c *checker) document(v *assay.VEX) *assay.Error {
	switch {
	case !isIRI(v.ID):
		return broken(2, "/@id", v.ID, "an absolute IRI")
	case strings.TrimSpace(v.Author) == "":
		return broken(3, "/author", v.Author, "who makes the statements")
	case v.Timestamp.IsZero():
		return broken(4, "/timestamp", "", "when the document was issued")
	case v.Version < 1:
		return broken(5, "/version", strconv.Itoa(v.Version), "1 or more")
	case len(v.Statements) == 0:
		return broken(6, "/statements", "", "at least one statement")
	}
	for _, t := range []struct {
		field string
		time  time.Time
	}{{"/timestamp", v.Timestamp}, {"/last_updated", v.LastUpdated}} {
		if e := checkTimeSet(t.field, t.time); e != nil {
			return e
		}
	}
	for i := range v.Statements {
		sub := *c
		if c.odd != nil {
			sub.odd = func(e *assay.Error) { c.odd(within(e, "statements", i)) }
		}
		if e := sub.statement(&v.Statements[i]); e != nil {
			return within(e, "statements", i)
		}
	}
	return uniqueStatements(v.Statements)
}

func checkTimeSet(field string, t time.Time) *assay.Error {
	if t.IsZero() {
		return nil
	}
	return checkTime(field, t)
}

func (c *checker) statement(s *assay.VEXStatement) *assay.Error {
	if e := c.iri("", s.ID); e != nil {
		return e
	}
	if s.Version < 0 {
		return broken(5, "/version", strconv.Itoa(s.Version), "1 or more")
	}
	if e := c.vulnerability(&s.Vulnerability); e != nil {
		return e
	}
	if s.Timestamp.IsZero() {
		return broken(10, "/timestamp", "", "a time, of its own or the document's")
	}
	for _, t := range []struct {
		field string
		time  time.Time
	}{{"/timestamp", s.Timestamp}, {"/last_updated", s.LastUpdated}, {"/action_statement_timestamp", s.ActionStatementTimestamp}} {
		if e := checkTimeSet(t.field, t.time); e != nil {
			return e
		}
	}
	if e := c.status(s); e != nil {
		return e
	}
	if len(s.Products) == 0 {
		e := broken(10, "/products", "", "a product, of its own or inherited from the subjects of an attestation")
		if c.complete {
			return e
		}
		if c.odd != nil {
			c.odd(e)
		}
	}
	for i := range s.Products {
		if e := c.product(&s.Products[i], i); e != nil {
			return e
		}
	}
	if i := repeated(s.Products); i >= 0 {
		return broken(6, "/products/"+strconv.Itoa(i), productName(s.Products[i]), "each product once")
	}
	return nil
}

func (c *checker) vulnerability(v *assay.Vulnerability) *assay.Error {
	if e := c.iri("/vulnerability", v.IRI); e != nil {
		return e
	}
	// Canonical spelling is what comparing identifiers relies on.
	if id, err := assay.ParseVulnID(string(v.ID)); err != nil || id != v.ID {
		e := broken(13, "/vulnerability/name", string(v.ID), "the identifier of a vulnerability, in canonical spelling")
		e.Err = err
		return e
	}
	seen := make(map[assay.VulnID]bool, len(v.Aliases))
	for i, a := range v.Aliases {
		at := "/vulnerability/aliases/" + strconv.Itoa(i)
		if id, err := assay.ParseVulnID(string(a)); err != nil || id != a {
			e := broken(13, at, string(a), "the identifier of a vulnerability, in canonical spelling")
			e.Err = err
			return e
		}
		if seen[a] {
			return broken(6, at, string(a), "each alias once")
		}
		seen[a] = true
	}
	return nil
}

// status holds the texts that go with a status to rules 7, 8 and 9.
func (c *checker) status(s *assay.VEXStatement) *assay.Error {
	if _, err := assay.ParseStatus(string(s.Status)); err != nil {
		return broken(7, "/status", string(s.Status), "not_affected, affected, fixed or under_investigation")
	}
	if s.Justification != "" {
		if _, err := assay.ParseJustification(string(s.Justification)); err != nil {
			return broken(8, "/justification", string(s.Justification), "one of the five justification labels")
		}
	}
	if s.Status == assay.NotAffected {
		switch {
		case s.Justification == "" && strings.TrimSpace(s.ImpactStatement) == "":
			return broken(8, "/justification", "", "a justification label, or an impact statement, with not_affected")
		case s.Justification == "" && c.odd != nil:
			c.odd(broken(8, "/justification", "", "a label as well as the impact statement"))
		}
	} else if c.odd != nil {
		if s.Justification != "" {
			c.odd(broken(8, "/justification", string(s.Justification), "none with status "+string(s.Status)))
		}
		if s.ImpactStatement != "" {
			c.odd(broken(8, "/impact_statement", s.ImpactStatement, "none with status "+string(s.Status)))
		}
	}
	switch {
	case s.Status == assay.Affected && strings.TrimSpace(s.ActionStatement) == "":
		return broken(9, "/action_statement", "", "what to do, with affected")
	case s.Status != assay.Affected && s.ActionStatement != "" && c.odd != nil:
		c.odd(broken(9, "/action_statement", s.ActionStatement, "none with status "+string(s.Status)))
	}
	return nil
}

func (c *checker) product(p *assay.Product, i int) *assay.Error {
	sub := *c
	if c.odd != nil {
		sub.odd = func(e *assay.Error) { c.odd(within(e, "products", i)) }
	}
	if e := sub.component(p); e != nil {
		return within(e, "products", i)
	}
	for j := range p.Subcomponents {
		deep := sub
		if sub.odd != nil {
			deep.odd = func(e *assay.Error) { sub.odd(within(e, "subcomponents", j)) }
		}
		e := deep.component(&p.Subcomponents[j])
		if e == nil && len(p.Subcomponents[j].Subcomponents) > 0 {
			e = broken(6, "/subcomponents", "", "subcomponents without subcomponents of their own")
		}
		if e != nil {
			return within(within(e, "subcomponents", j), "products", i)
		}
	}
	if j := repeated(p.Subcomponents); j >= 0 {
		return within(broken(6, "/subcomponents/"+strconv.Itoa(j), productName(p.Subcomponents[j]), "each subcomponent once"), "products", i)
	}
	return nil
}

func (c *checker) component(p *assay.Product) *assay.Error {
	if e := c.iri("", p.ID); e != nil {
		return e
	}
	if p.ID == "" && p.PURL.IsZero() && len(p.CPEs) == 0 {
		if len(p.Digests) == 0 {
			return broken(10, "", "", "an @id, an identifier or a hash")
		}
		if e := c.wants(broken(15, "", p.Digests[0].String(), "an @id or an identifier besides the hashes")); e != nil {
			return e
		}
	}
	if strings.HasPrefix(p.ID, "pkg:") && p.PURL.IsZero() {
		if e := c.wants(broken(14, "/@id", p.ID, "a package URL, as the scheme says")); e != nil {
			return e
		}
	}
	seen := map[string]bool{}
	for _, cpe := range p.CPEs {
		label := "cpe22"
		if strings.HasPrefix(cpe, prefixCPE23) {
			label = "cpe23"
		} else if !strings.HasPrefix(cpe, prefixCPE22) {
			return broken(14, "/identifiers", cpe, "a name that begins with "+prefixCPE22+" or "+prefixCPE23)
		}
		if seen[label] {
			return broken(14, "/identifiers/"+label, cpe, "one name of each kind")
		}
		seen[label] = true
	}
	for _, d := range p.Digests {
		if hashLabel(d.Algorithm()) == "" {
			return broken(14, "/hashes", d.String(), "an algorithm of Appendix A")
		}
	}
	if set, err := assay.NewDigestSet(p.Digests...); err != nil || len(set) != len(p.Digests) {
		e := broken(14, "/hashes", "", "one digest for each algorithm")
		e.Err = err
		return e
	}
	if d := purlDigest(p.PURL); !d.IsZero() {
		if have := p.Digests.Get(d.Algorithm()); !have.IsZero() && have != d {
			return c.wants(broken(14, "/hashes", have.String(), d.String()+", as the purl says"))
		}
	}
	return nil
}
