package vex

import (
	"strconv"

	"github.com/assaykit/assay"
)

// Warning is something in a document that its specification does not want, and
// that is understood nevertheless.
type Warning struct {
	// Rule names the rule, such as "OpenVEX 15"; package documentation has the table.
	Rule string
	// Subject is the name that was given to the reader.
	Subject string
	// Field is a JSON pointer into the document.
	Field string
	// Value is what is there; empty if something is missing.
	Value string
	// Want is what the rule wants in its place.
	Want string
}

// String gives one line, shaped like the message of an [assay.Error].
func (w Warning) String() string {
	e := assay.Error{Subject: w.Subject, Field: w.Field, Value: w.Value, Bound: w.Want, Rule: w.Rule, Kind: errOdd}
	return e.Error()
}

type oddError struct{}

func (oddError) Error() string { return "odd" }

var errOdd error = oddError{}

// rule gives the name of a rule as errors and warnings carry it.
func rule(n int) string { return "OpenVEX " + strconv.Itoa(n) }

// broken is a breach of rule n at a JSON pointer that is relative to whatever the
// caller is looking at; within prepends the rest on the way out.
func broken(n int, field, value, want string) *assay.Error {
	return &assay.Error{Kind: assay.ErrInvalid, Field: field, Value: value, Bound: want, Rule: rule(n)}
}

// within puts a list element's place before the field of err.
func within(err *assay.Error, list string, i int) *assay.Error {
	if err != nil {
		err.Field = "/" + list + "/" + strconv.Itoa(i) + err.Field
	}
	return err
}
