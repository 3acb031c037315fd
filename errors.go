package assay

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The kinds of failure. Every error of this module that is about evidence has
// exactly one of them, which tells a caller what to do next. errors.Is finds the
// kinds of causes as well (a claim could not be checked because a document is
// invalid); [KindOf] gives that of the error itself.
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

// KindOf gives the kind of the outermost [Error] in err that has one, nil if there
// is none. It is what an exit code depends on.
func KindOf(err error) error {
	for err != nil {
		e, ok := errors.AsType[*Error](err)
		if !ok {
			return nil
		}
		if e.Kind != nil {
			return e.Kind
		}
		err = e.Err
	}
	return nil
}

// A message shows values of unknown origin. These bounds and clean keep them from
// flooding a log, breaking its lines or steering a terminal.
const (
	maxValueInMessage = 120
	maxNameInMessage  = 512
)

// clean gives a name as it is if it is printable, and quoted if not.
func clean(s string) string {
	s = cut(s, maxNameInMessage)
	if strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) || r == utf8.RuneError }) {
		return strconv.Quote(s)
	}
	return s
}

func cut(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	for limit > 0 && !utf8.RuneStart(s[limit]) {
		limit--
	}
	return s[:limit] + "…"
}

// Error gives one line: operation, subject, field, kind, value, bound, rule, cause.
// Names that are not printable are quoted, long ones are cut.
func (e *Error) Error() string {
	var b strings.Builder
	if e.Op != "" {
		b.WriteString(e.Op)
		b.WriteString(": ")
	}
	if e.Subject != "" {
		b.WriteString(clean(e.Subject))
		b.WriteString(": ")
	}
	if e.Field != "" {
		b.WriteString(clean(e.Field))
		b.WriteString(": ")
	}
	if e.Kind != nil {
		b.WriteString(e.Kind.Error())
	} else {
		b.WriteString("failed")
	}
	if e.Value != "" {
		b.WriteString(": got ")
		b.WriteString(strconv.Quote(cut(e.Value, maxValueInMessage)))
	}
	if e.Bound != "" {
		b.WriteString(", want ")
		b.WriteString(clean(e.Bound))
	}
	if e.Rule != "" {
		fmt.Fprintf(&b, " (%s)", e.Rule)
	}
	if e.Err != nil {
		b.WriteString(": ")
		b.WriteString(strings.ReplaceAll(e.Err.Error(), "\n", "; ")) // errors.Join breaks lines
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
