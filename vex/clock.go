package vex

import (
	"errors"
	"time"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/sourcedate"
)

// now gives the time to write into a document: the explicit one, else
// SOURCE_DATE_EPOCH (reproducible-builds.org/specs/source-date-epoch), else the
// clock, in whole seconds.
func now(explicit time.Time) (time.Time, *assay.Error) {
	if !explicit.IsZero() {
		return explicit.UTC().Round(0), nil
	}
	epoch, err := sourcedate.Epoch()
	if e, ok := errors.AsType[*assay.Error](err); ok {
		return time.Time{}, &assay.Error{Kind: assay.ErrInvalid, Field: e.Field, Value: e.Value, Bound: e.Bound, Rule: rule(4)}
	}
	if !epoch.IsZero() {
		return epoch, nil
	}
	return time.Now().UTC().Truncate(time.Second), nil
}

// parseTime reads an RFC 3339 time into UTC. Empty text is no time.
func parseTime(field, s string) (time.Time, *assay.Error) {
	if s == "" {
		return time.Time{}, nil
	}
	var t time.Time
	if err := t.UnmarshalText([]byte(s)); err != nil {
		e := broken(4, field, s, "an RFC 3339 time")
		e.Err = err
		return time.Time{}, e
	}
	t = t.UTC()
	if t.IsZero() {
		// The zero time is what writers emit that had none; it must not read as
		// "before everything".
		return time.Time{}, broken(4, field, s, "a time that is set")
	}
	return t, checkTime(field, t)
}

func checkTime(field string, t time.Time) *assay.Error {
	if y := t.UTC().Year(); y < 1 || y > 9999 {
		return broken(4, field, t.UTC().String(), "a year from 1 to 9999")
	}
	return nil
}

func formatTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}
