package posture

import (
	"github.com/assaykit/assay"
)

// Difference is a claim that the bytes at hand do not bear out.
type Difference struct {
	// Attribute that was claimed; empty for a claim about the whole.
	Attribute assay.Attribute
	// State is [assay.Refuted] if the claim is false, and [assay.Unknown] if the
	// rules cannot tell.
	State assay.State
	// Reason says in words what was found.
	Reason string
	// Found are the locations that refute the claim; FoundTotal counts them all.
	Found      []assay.Location
	FoundTotal int
}

// String gives one line.
func (d Difference) String() string {
	s := string(d.Attribute)
	if s == "" {
		s = "posture"
	}
	s += " " + d.State.String() + ": " + d.Reason
	if len(d.Found) > 0 {
		s += ", the first is " + quote(d.Found[0].Path)
	}
	return s
}

// Compare holds what was claimed against what [Assess] says of the bytes, and gives
// what does not hold, sorted by attribute; nothing if all of it holds. Only what is
// claimed as proven counts: a claim is free to say less than it could. Without an
// actual posture every claim is unknown.
//
// A claim that is about another configuration is refuted as a whole, before its
// attributes. A claim of an attribute that the rules here do not know is unknown.
func Compare(claimed, actual *assay.Posture) []Difference {
	if claimed == nil {
		return nil
	}
	if actual == nil {
		actual = &assay.Posture{}
	}
	var out []Difference
	if !claimed.Config.IsZero() && !actual.Config.IsZero() && claimed.Config != actual.Config {
		out = append(out, Difference{State: assay.Refuted,
			Reason: "claimed of the configuration " + claimed.Config.String() + ", this is " + actual.Config.String()})
	}
	if !claimed.Platform.IsZero() && !actual.Platform.IsZero() && !claimed.Platform.Covers(actual.Platform) {
		out = append(out, Difference{State: assay.Refuted,
			Reason: "claimed of the platform " + claimed.Platform.String() + ", this is " + actual.Platform.String()})
	}
	for _, c := range claimed.Facts {
		if c.State != assay.Proven {
			continue
		}
		f, ok := actual.Fact(c.Attribute)
		switch {
		case !ok:
			out = append(out, Difference{Attribute: c.Attribute, Reason: "nothing here answers for this attribute"})
		case f.State != assay.Proven:
			out = append(out, Difference{c.Attribute, f.State, f.Reason, f.Found, f.FoundTotal})
		}
	}
	return out
}
