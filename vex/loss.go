package vex

import (
	"strconv"

	"github.com/assaykit/assay"
)

// Loss is something that a conversion could not carry over, or had to fill in.
type Loss struct {
	// Field is the JSON pointer of it: in the document that was read; of a document
	// that is written, in its OpenVEX form.
	Field string
	// Value is what was there; empty if something was missing.
	Value string
	// Reason says why, and what was done instead.
	Reason string
}

// String gives one line.
func (l Loss) String() string {
	if l.Value == "" {
		return l.Field + ": " + l.Reason
	}
	return l.Field + ": " + quoteShort(l.Value) + ": " + l.Reason
}

func quoteShort(s string) string {
	const most = 80
	if len(s) > most {
		s = s[:most] + "..."
	}
	return "\"" + s + "\""
}

// losses collects them.
type losses []Loss

func (l *losses) add(field, value, reason string) { *l = append(*l, Loss{field, value, reason}) }

// counting gives what of a product's parts the statement still counts for, by itself
// where it has none; what later statements override is a loss.
func (l *losses) counting(line *Timeline, at string, index int, s *assay.VEXStatement, p assay.Product, format string) (assay.Product, bool) {
	v := assay.Vulnerability{ID: s.Vulnerability.ID}
	overridden := func(at string, named, asked assay.Product) bool {
		src := line.Status(asked, v).Source
		if src.Document == nil || src.Index == index {
			return false // nothing else is known to count
		}
		l.add(at, productName(named), "overridden by /statements/"+strconv.Itoa(src.Index)+"; "+format+" has no history of statements")
		return true
	}
	if len(p.Subcomponents) == 0 {
		return p, !overridden(at, p, p)
	}
	kept := p
	kept.Subcomponents = nil
	for i, sub := range p.Subcomponents {
		asked := p
		asked.Subcomponents = p.Subcomponents[i : i+1]
		if !overridden(at+"/subcomponents/"+strconv.Itoa(i), sub, asked) {
			kept.Subcomponents = append(kept.Subcomponents, sub)
		}
	}
	return kept, len(kept.Subcomponents) > 0
}
