package verify

import (
	"bytes"
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/assaykit/assay"
)

func (p *compiledPolicy) expectsParameters() bool { return len(p.BuildTypes)+len(p.Parameters) > 0 }

// parameters answers whether the image was built as the policy expects: by a build type
// that it names, with the external parameters that it names, and with no others. For
// build types that are known here, provenance with parameters that they do not define
// was not accepted at all (SLSA P4).
func (v *Verifier) parameters(c *subjectCase) Check {
	t := newTally(CheckParameters)
	for _, p := range c.provenances {
		e := p.Evidence()
		switch {
		case !v.policy.expectsParameters():
			t.add(assay.Unknown, NotStated, p.Envelope(), "the policy expects no parameters; the build type is "+e.BuildType)
			continue
		case len(v.policy.BuildTypes) > 0 && !slices.Contains(v.policy.BuildTypes, e.BuildType):
			t.add(assay.Refuted, ParameterNotAllowed, p.Envelope(), "the build type is "+e.BuildType)
			continue
		}
		state, reason := assay.Proven, Holds
		var findings []string
		for _, at := range slices.Sorted(maps.Keys(v.policy.Parameters)) {
			want := v.policy.Parameters[at]
			got, ok := lookUp(e.ExternalParameters, at)
			switch {
			case sameJSON(got, want), !ok && emptyJSON(want):
			case !ok:
				state, reason = assay.Refuted, ParameterNotAllowed
				findings = append(findings, at+" is not stated; the policy wants "+string(want))
			default:
				state, reason = assay.Refuted, ParameterNotAllowed
				findings = append(findings, at+" is "+string(got)+", the policy wants "+string(want))
			}
		}
		if len(v.policy.Parameters) > 0 {
			for _, name := range slices.Sorted(maps.Keys(e.ExternalParameters)) {
				if emptyJSON(e.ExternalParameters[name]) || v.policy.namesParameter(name) {
					continue
				}
				if state == assay.Proven {
					state, reason = assay.Unknown, NotStated
				}
				findings = append(findings, "the policy says nothing about parameter "+strconv.Quote(name))
			}
		}
		t.add(state, reason, p.Envelope(), findings...)
	}
	return t.done(words{
		holds:   "built with the parameters that the policy expects",
		refuted: "not built as the policy expects",
		open:    "the parameters of the build are not all expected",
		nothing: "no provenance was accepted",
	})
}

// namesParameter reports whether an expectation is about the parameter, or in it.
func (p *compiledPolicy) namesParameter(name string) bool {
	for at := range p.Parameters {
		if first, _, _ := strings.Cut(at[1:], "/"); unescapePointer(first) == name {
			return true
		}
	}
	return false
}

// lookUp finds a value by JSON pointer (RFC 6901) into the parameters.
func lookUp(parameters map[string]json.RawMessage, pointer string) (json.RawMessage, bool) {
	name, rest, more := strings.Cut(pointer[1:], "/")
	value, ok := parameters[unescapePointer(name)]
	for ok && more {
		name, rest, more = strings.Cut(rest, "/")
		var object map[string]json.RawMessage
		var list []json.RawMessage
		switch {
		case json.Unmarshal(value, &object) == nil && object != nil:
			value, ok = object[unescapePointer(name)]
		case json.Unmarshal(value, &list) == nil:
			i, err := strconv.ParseUint(name, 10, 31)
			if ok = err == nil && int(i) < len(list) && strconv.FormatUint(i, 10) == name; ok {
				value = list[i]
			}
		default:
			ok = false
		}
	}
	return value, ok
}

func unescapePointer(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(s, "~1", "/"), "~0", "~")
}

// sameJSON reports whether two JSON values are equal; numbers are if they are written
// in the same way.
func sameJSON(a, b json.RawMessage) bool {
	x, err := decodeJSON(a)
	y, err2 := decodeJSON(b)
	return err == nil && err2 == nil && reflect.DeepEqual(x, y)
}

func decodeJSON(raw json.RawMessage) (any, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	err := d.Decode(&v)
	return v, err
}

func emptyJSON(raw json.RawMessage) bool {
	switch string(bytes.TrimSpace(raw)) {
	case "", "null", `""`, "{}", "[]":
		return true
	}
	return false
}
