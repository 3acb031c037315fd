package record

import (
	"errors"
	"reflect"

	"github.com/assaykit/assay"
)

// kinds are those of errors, by number; they may only be added to at the end.
var kinds = [...]error{nil, assay.ErrRefuted, assay.ErrUnchecked, assay.ErrInvalid, assay.ErrBound, assay.ErrAbsent}

// What an error is: none, an [assay.Error], or any other with what it says and the
// assay.Error in it, if there is one.
const (
	noError = iota
	ownError
	otherError
)

// told is an error of another type as it was read back.
type told struct {
	text  string
	cause error // the [assay.Error] in it, nil if there is none
}

func (e *told) Error() string { return e.text }

// Unwrap gives the cause with its kind.
func (e *told) Unwrap() error { return e.cause }

func writeErrorValue(w *writer, v reflect.Value, depth int) error {
	err, _ := v.Interface().(error)
	return writeError(w, err, depth)
}

func writeError(w *writer, err error, depth int) error {
	if deep := tooDeep(depth); deep != nil {
		return deep
	}
	if err == nil {
		w.b = append(w.b, noError)
		return nil
	}
	e, own := err.(*assay.Error)
	if !own {
		w.b = append(w.b, otherError)
		w.string(err.Error())
		var cause error
		if inner, ok := errors.AsType[*assay.Error](err); ok {
			cause = inner
		}
		return writeError(w, cause, depth+1)
	}
	kind := -1
	for i, k := range kinds {
		if e.Kind == k {
			kind = i
		}
	}
	if kind < 0 {
		return fail(e.Kind.Error(), "a kind of error that has a form")
	}
	w.b = append(w.b, ownError, byte(kind))
	for _, s := range [...]string{e.Op, e.Subject, e.Field, e.Value, e.Bound, e.Rule} {
		w.string(s)
	}
	return writeError(w, e.Err, depth+1)
}

func readErrorValue(r *reader, v reflect.Value, depth int) error {
	e, err := readError(r, depth)
	if err == nil && e != nil {
		v.Set(reflect.ValueOf(e))
	}
	return err
}

func readError(r *reader, depth int) (e, err error) {
	if err := tooDeep(depth); err != nil {
		return nil, err
	}
	switch r.uint() {
	case noError:
		if r.bad {
			return nil, errShort
		}
		return nil, nil
	case ownError:
		kind := r.uint()
		if kind >= uint64(len(kinds)) {
			return nil, fail("", "a kind of error")
		}
		e := &assay.Error{Kind: kinds[kind]}
		for _, s := range [...]*string{&e.Op, &e.Subject, &e.Field, &e.Value, &e.Bound, &e.Rule} {
			*s = r.string()
		}
		e.Err, err = readError(r, depth+1)
		return e, err
	case otherError:
		e := &told{text: r.string()}
		e.cause, err = readError(r, depth+1)
		return e, err
	}
	return nil, fail("", "an error that has a form")
}
