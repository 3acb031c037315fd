package sbom

import "github.com/assaykit/assay"

// Loss is something that did not survive a step between a document and the model.
type Loss struct {
	// Field is what was lost: in a document that was read, its JSON pointer; of an
	// SBOM that was written, the name of the field as in the JSON of [assay.SBOM].
	Field string
	// Component is the one that Field belongs to, empty for the document.
	Component assay.ComponentID
	// Reason says why, and what was done instead.
	Reason string
}

func (l Loss) String() string {
	s := l.Field
	if l.Component != "" {
		s = string(l.Component) + ": " + s
	}
	return s + ": " + l.Reason
}

// losses collects them.
type losses []Loss

func (l *losses) add(field string, id assay.ComponentID, reason string) {
	*l = append(*l, Loss{field, id, reason})
}
