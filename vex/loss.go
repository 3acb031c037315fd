package vex

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
