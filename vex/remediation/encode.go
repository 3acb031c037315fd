package remediation

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/strictjson"
)

// PredicateType is that of a record in a statement.
const PredicateType = assay.PredicateRemediation

//go:embed schema.json
var schema []byte

// Schema is the JSON schema (2020-12) of the predicate. What it refuses [Read] refuses;
// Read also holds the parts of a record to each other, which a schema cannot.
func Schema() []byte { return bytes.Clone(schema) }

// Encode writes a record as the predicate of a statement: JSON, entries sorted, the
// same bytes for the same record. What breaks a rule of the package is an error.
func Encode(r *assay.Remediation) ([]byte, error) {
	if e := check(r); e != nil {
		return nil, e
	}
	out := *r
	if !slices.IsSortedFunc(r.Entries, compareEntries) {
		out.Entries = slices.Clone(r.Entries)
		slices.SortFunc(out.Entries, compareEntries)
	}
	return strictjson.Marshal(&out)
}

func compareEntries(a, b assay.RemediationEntry) int { return a.Compare(&b) }

// limits of a predicate: a record of many years is large.
var limits = strictjson.Limits{MaxBytes: 1 << 30, MaxDepth: 32, RejectUnknown: true}

// Read reads the predicate of a statement. It refuses members that are unknown, twice
// there, null or empty, entries that are not sorted, and whatever [Encode] would write
// otherwise; the order of members and the space between them are free. So two readers
// of the same bytes cannot see different records. The name, of the file or blob, is
// for errors.
func Read(name string, data []byte) (*assay.Remediation, error) {
	var r assay.Remediation
	if err := strictjson.Unmarshal(name, data, &r, limits); err != nil {
		return nil, err
	}
	if e := check(&r); e != nil {
		e.Op, e.Subject = "read remediation record", name
		return nil, e
	}
	if !slices.IsSortedFunc(r.Entries, compareEntries) {
		e := broken("R6", "/entries", "", "sorted by vulnerability, component and occurrence")
		e.Op, e.Subject = "read remediation record", name
		return nil, e
	}
	again, err := strictjson.Marshal(&r)
	if err != nil {
		return nil, err
	}
	if bytes.Equal(data, again) {
		return &r, nil
	}
	// Somebody else's writer, or a value that is not the one that is written.
	var got, want any
	if err := strictjson.Unmarshal(name, data, &got, limits); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(again, &want); err != nil {
		return nil, &assay.Error{Op: "read remediation record", Kind: assay.ErrUnchecked, Subject: name, Err: err}
	}
	if field, value, bound := differ("", got, want); bound != "" {
		e := broken("R11", field, value, bound)
		e.Op, e.Subject = "read remediation record", name
		return nil, e
	}
	return &r, nil
}

// differ finds the first place where a value is not the one that would be written;
// bound is empty where there is none.
func differ(field string, got, want any) (at, value, bound string) {
	switch w := want.(type) {
	case map[string]any:
		g, ok := got.(map[string]any)
		if !ok {
			break
		}
		for _, k := range slices.Sorted(maps.Keys(g)) {
			if _, ok := w[k]; !ok {
				return field + "/" + k, text(g[k]), "no member where there is no value"
			}
			if at, value, bound := differ(field+"/"+k, g[k], w[k]); bound != "" {
				return at, value, bound
			}
		}
		for _, k := range slices.Sorted(maps.Keys(w)) {
			if _, ok := g[k]; !ok {
				return field + "/" + k, "", text(w[k])
			}
		}
		return "", "", ""
	case []any:
		g, ok := got.([]any)
		if !ok || len(g) != len(w) {
			break
		}
		for i := range w {
			if at, value, bound := differ(field+"/"+strconv.Itoa(i), g[i], w[i]); bound != "" {
				return at, value, bound
			}
		}
		return "", "", ""
	default:
		if got == want {
			return "", "", ""
		}
	}
	return field, text(got), text(want)
}

func text(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(b)
}

// refuseNull finds a null, which is neither a value nor its absence.
func refuseNull(op, name string, data []byte) error {
	if !bytes.Contains(data, []byte("null")) {
		return nil
	}
	var v any
	if err := strictjson.Unmarshal(name, data, &v, strictjson.Limits{}); err != nil {
		return err
	}
	if at, ok := findNull("", v); ok {
		return &assay.Error{Op: op, Kind: assay.ErrInvalid, Subject: name, Field: at, Value: "null", Bound: "a value, or no member"}
	}
	return nil
}

func findNull(field string, v any) (string, bool) {
	switch v := v.(type) {
	case nil:
		return field, true
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(v)) {
			if at, ok := findNull(field+"/"+k, v[k]); ok {
				return at, true
			}
		}
	case []any:
		for i := range v {
			if at, ok := findNull(field+"/"+strconv.Itoa(i), v[i]); ok {
				return at, true
			}
		}
	}
	return "", false
}
