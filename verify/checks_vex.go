package verify

import (
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/vex"
)

// aboutThis gives what a VEX document says about this image alone, and the index it
// is in, where the statement that carries it has several subjects, and how many of
// its statements are about the others. What is about no subject at all was left out
// when it was read. What is said of the index is said of this image, and named so.
func (c *subjectCase) aboutThis(v Verified[*assay.VEX]) (*assay.VEX, int) {
	var ours []assay.Subject
	for _, s := range v.Statement().Subjects() {
		if slices.ContainsFunc(c.about, s.Digest.Has) {
			ours = append(ours, s)
		}
	}
	doc, ignored := vex.InheritSubjects(v.Evidence(), ours)
	for i := range doc.Statements {
		for j := range doc.Statements[i].Products {
			p := &doc.Statements[i].Products[j]
			*p = assay.Product{Digests: assay.DigestSet{c.about[0]}, Subcomponents: p.Subcomponents}
		}
	}
	whole := 0
	for _, i := range ignored {
		if i.Whole {
			whole++
		}
	}
	return doc, whole
}

// vexProducts answers whether each VEX document is about this image. Statements
// about other products are ignored, as OpenVEX's ATTESTING.md asks; a document of
// which nothing is left was attached to the wrong image. One that is about other
// subjects of its statement, such as the other images of an index, is none for this
// image, and not a false one.
func (c *subjectCase) vexProducts() Check {
	t := newTally(CheckVEXProducts)
	for _, v := range c.vexes {
		doc, others := c.aboutThis(v)
		switch {
		case len(doc.Statements) == 0 && len(v.Evidence().Statements) > 0:
			continue
		case len(doc.Statements) == 0:
			t.add(assay.Refuted, OtherImage, v.Envelope(), v.Evidence().ID+": no statement is about this image")
		case others > 0:
			t.add(assay.Proven, Holds, v.Envelope(), fmt.Sprintf("%s: %d statements about other subjects were left out", v.Evidence().ID, others))
		default:
			t.add(assay.Proven, Holds, v.Envelope())
		}
	}
	return t.done(words{
		holds:   "each VEX document is about this image",
		refuted: "a VEX document is about another image",
		open:    "a VEX document may be about another image",
		nothing: "no VEX about this image was accepted",
	})
}

// vexSubcomponents answers whether the parts that VEX statements name are in the
// image, and those that are said not to be are not.
func (c *subjectCase) vexSubcomponents() Check {
	t := newTally(CheckVEXSubcomponent)
	inventories := c.inventories()
	for _, v := range c.vexes {
		doc, _ := c.aboutThis(v)
		if len(inventories) == 0 {
			t.add(assay.Unknown, NotStated, v.Envelope(), "there is no inventory to look in")
			continue
		}
		state, reason := assay.Proven, Holds
		var findings []string
		for _, s := range doc.Statements {
			for _, p := range s.Products {
				for _, sub := range p.Subcomponents {
					part := string(s.Vulnerability.ID) + ": " + productLabel(sub)
					if sub.PURL.IsZero() && len(sub.Digests) == 0 && len(sub.CPEs) == 0 {
						state, reason = state.And(assay.Unknown), first(state, assay.Unknown, reason, NotStated)
						findings = append(findings, part+" has no identifier to look for")
						continue
					}
					found := present(inventories, sub)
					notPresent := s.Status == assay.NotAffected && s.Justification == assay.ComponentNotPresent
					switch {
					case found && notPresent:
						state, reason = assay.Refuted, Contradiction
						findings = append(findings, part+" is said not to be present, and is")
					case !found && !exhaustive(inventories, sub.PURL):
						// That a list does not have it is no proof where the list does not
						// claim to have all of its kind.
						state, reason = state.And(assay.Unknown), first(state, assay.Unknown, reason, NotShown)
						findings = append(findings, part+" was not found, and the inventory does not claim to list all of its kind")
					case !found && !notPresent:
						state, reason = assay.Refuted, Contradiction
						findings = append(findings, part+" is not in the image")
					}
				}
			}
		}
		t.add(state, reason, v.Envelope(), findings...)
	}
	return t.done(words{
		holds:   "the parts that VEX names are in the image, or not, as it says",
		refuted: "VEX says of the image's parts what is not so",
		open:    "the parts that VEX names could not all be looked up",
		nothing: "no VEX was accepted",
	})
}

// first keeps the reason of the state that a sum of answers already had.
func first(before, add assay.State, have, reason Reason) Reason {
	if before.And(add) == before {
		return have
	}
	return reason
}

func present(inventories []*assay.SBOM, sub assay.Product) bool {
	for _, inv := range inventories {
		for i := range inv.Components {
			if vex.Match(sub, vex.ComponentProduct(inv.Components[i])).Product != vex.NoMatch {
				return true
			}
		}
	}
	return false
}

// exhaustive reports whether an inventory states that it lists all components of the
// purl's type.
func exhaustive(inventories []*assay.SBOM, p assay.PURL) bool {
	for _, inv := range inventories {
		for _, c := range inv.Completeness {
			if c.Aggregate == "complete" && (c.Of == "" || c.Of == inv.Root.ID) &&
				(c.Scope == "components" || !p.IsZero() && c.Scope == "components:"+p.Type()) {
				return true
			}
		}
	}
	return false
}

func productLabel(p assay.Product) string {
	switch {
	case !p.PURL.IsZero():
		return p.PURL.String()
	case p.ID != "":
		return p.ID
	case len(p.Digests) > 0:
		return p.Digests[0].String()
	case len(p.CPEs) > 0:
		return p.CPEs[0]
	}
	return "?"
}

// dated says whether a VEX document can be of the times that it bears. They are its
// author's claim, and decide which of two statements counts; but none can be of a time
// after it was signed, to take effect when it suits, and none counts before its time.
func dated(at time.Time, v Verified[*assay.VEX]) (assay.State, Reason, string) {
	doc := v.Evidence()
	newest := doc.Timestamp
	for i := range doc.Statements {
		for _, t := range []time.Time{doc.LastUpdated, doc.Statements[i].Timestamp, doc.Statements[i].LastUpdated} {
			if t.After(newest) {
				newest = t
			}
		}
	}
	switch signed := v.SignedBy(); {
	case !signed.IsZero() && newest.After(signed.Add(clockSkew)):
		return assay.Refuted, Contradiction, fmt.Sprintf("%s says something as of %s, and was signed by %s", doc.ID, stamp(newest), stamp(signed))
	case newest.After(at.Add(clockSkew)):
		return assay.Unknown, FromTheFuture, doc.ID + " says something as of " + stamp(newest)
	}
	return assay.Proven, Holds, ""
}

// vexConsistent answers whether the VEX documents contradict each other, or one
// itself, on this image at the time of asking; whether they can be of the times that
// they bear; and whether each version of a document is one.
func (c *subjectCase) vexConsistent() Check {
	t := newTally(CheckVEXConsistent)
	var docs []*assay.VEX
	for i, v := range c.vexes {
		doc, _ := c.aboutThis(v)
		docs = append(docs, doc)
		state, reason, detail := dated(c.report.At, v)
		var findings []string
		if detail != "" {
			findings = []string{detail}
		}
		t.add(state, reason, v.Envelope(), findings...)
		for _, o := range c.vexes[:i] {
			a, b := o.Evidence(), v.Evidence()
			if a.ID == b.ID && a.Author == b.Author && a.Version == b.Version && !sameVEX(a, b) {
				t.add(assay.Refuted, Contradiction, assay.Digest{}, fmt.Sprintf("there are two documents %s by %s of version %d", a.ID, a.Author, a.Version))
			}
		}
	}
	timeline := vex.NewTimeline(docs, c.report.At)
	for _, doc := range docs {
		for _, s := range doc.Statements {
			for _, p := range s.Products {
				for _, x := range timeline.Status(p, s.Vulnerability).Contradictions {
					t.add(assay.Refuted, Contradiction, assay.Digest{}, x.String())
				}
			}
		}
	}
	return t.done(words{
		holds:   "no two statements contradict each other",
		refuted: "VEX statements contradict each other",
		open:    "VEX statements could not be compared",
		nothing: "no VEX was accepted",
	})
}

// sameVEX reports whether two documents say the same, whatever they inherit from the
// statements that carry them.
func sameVEX(a, b *assay.VEX) bool {
	plain := func(v *assay.VEX) *assay.VEX {
		c := *v
		c.Format = ""
		c.Statements = slices.Clone(v.Statements)
		for i := range c.Statements {
			c.Statements[i].Products = nil
		}
		return &c
	}
	return reflect.DeepEqual(plain(a), plain(b))
}

// vexAuthor answers whether each VEX document's author is one its signer may speak
// for (OpenVEX ATTESTING.md: the author should be tied to the signer).
func (v *Verifier) vexAuthor(c *subjectCase) Check {
	t := newTally(CheckVEXAuthor)
	for _, e := range c.vexes {
		authors := v.policy.rule(e.Rule()).VEXAuthors
		author := e.Evidence().Author
		switch {
		case len(authors) == 0:
			t.add(assay.Unknown, NotStated, e.Envelope(), "the policy names no authors; the author is "+author)
		case !slices.Contains(authors, author):
			t.add(assay.Refuted, SignerNotAllowed, e.Envelope(), fmt.Sprintf("%s may not speak for author %s", e.Signer(), author))
		default:
			t.add(assay.Proven, Holds, e.Envelope())
		}
	}
	return t.done(words{
		holds:   "each author is one its signer may speak for",
		refuted: "an author is not one its signer may speak for",
		open:    "nothing ties an author to its signer",
		nothing: "no VEX was accepted",
	})
}
