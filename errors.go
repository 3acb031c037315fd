package assay

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// The kinds of failure. Every error of this module that is about evidence wraps
// exactly one of them, so that errors.Is tells a caller what to do next.
var (
	// ErrRefuted: the claim was checked and is false. More trying will not help.
	ErrRefuted = errors.New("refuted")
	// ErrUnchecked: the claim could not be checked (a network failure, a missing
	// input, something this version cannot do). It says nothing about the claim.
	ErrUnchecked = errors.New("could not be checked")
	// ErrInvalid: the input breaks the grammar or the rules of its specification.
	ErrInvalid = errors.New("invalid")
	// ErrBound: the input exceeds a bound on size, count or depth.
	ErrBound = errors.New("exceeds a bound")
	// ErrAbsent: the store was read and does not hold what was asked for. A store
	// that could not be read is ErrUnchecked, never ErrAbsent.
	ErrAbsent = errors.New("absent")
)

// Error is the one struct type of failures. Its zero fields are left out of the
// message.
type Error struct {
	// Op is what was being done, in words: "read layer", "parse purl".
	Op string
	// Kind is one of [ErrRefuted], [ErrUnchecked], [ErrInvalid], [ErrBound],
	// [ErrAbsent].
	Kind error
	// Subject is what it was done to: a file, a reference, a digest.
	Subject string
	// Field is where in the subject: a JSON pointer, a path in an archive.
	Field string
	// Value is the offending value. Long values are cut in the message only.
	Value string
	// Bound is the bound that was exceeded, or what was wanted in place of Value.
	Bound string
	// Rule names the rule of a specification that was broken, such as
	// "OpenVEX 8" or "in-toto S2".
	Rule string
	// Err is the cause, if another error is.
	Err error
}

// maxValueInMessage keeps a hostile value from flooding a log.
const maxValueInMessage = 120

// Error gives one line: operation, subject, field, kind, value, bound, rule, cause.
func (e *Error) Error() string {
	var b strings.Builder
	if e.Op != "" {
		b.WriteString(e.Op)
		b.WriteString(": ")
	}
	if e.Subject != "" {
		b.WriteString(e.Subject)
		b.WriteString(": ")
	}
	if e.Field != "" {
		b.WriteString(e.Field)
		b.WriteString(": ")
	}
	if e.Kind != nil {
		b.WriteString(e.Kind.Error())
	} else {
		b.WriteString("failed")
	}
	if e.Value != "" {
		v := e.Value
		if len(v) > maxValueInMessage {
			v = v[:maxValueInMessage] + "…"
		}
		b.WriteString(": got ")
		b.WriteString(strconv.Quote(v))
	}
	if e.Bound != "" {
		b.WriteString(", want ")
		b.WriteString(e.Bound)
	}
	if e.Rule != "" {
		fmt.Fprintf(&b, " (%s)", e.Rule)
	}
	if e.Err != nil {
		b.WriteString(": ")
		b.WriteString(e.Err.Error())
	}
	return b.String()
}

// Unwrap gives the kind and the cause, so that errors.Is and errors.As find both.
func (e *Error) Unwrap() []error {
	var errs []error
	if e.Kind != nil {
		errs = append(errs, e.Kind)
	}
	if e.Err != nil {
		errs = append(errs, e.Err)
	}
	return errs
}
