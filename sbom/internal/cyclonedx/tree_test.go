package cyclonedx

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"
)

// A tree says what it was read from.
func FuzzParseTree(f *testing.F) {
	for _, s := range []string{`{}`, `[]`, `""`, ` { "a" : [ 1 , -2.5e+3 , true , false , null ] , "b\n\"\\" : "é😀\\" } `, `{"a":{"b":[[],{}]}}`,
		`{"a"}`, `{"a":}`, `[1,]`, `{"a":1,}`, `"\`, `"\"`, `tru`, `1 2`, `{`, `[`, `"`, strings.Repeat("[", 2000)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		tree, err := parseTree([]byte(s))
		// It is for JSON that was checked: text, without halves of characters.
		var want any
		dec := json.NewDecoder(strings.NewReader(s))
		dec.UseNumber()
		if dec.Decode(&want) != nil || !json.Valid([]byte(s)) || !utf8.ValidString(s) || strings.Contains(s, `\u`) {
			return
		}
		if err != nil {
			if strings.Count(s, "[")+strings.Count(s, "{") <= maxTreeDepth {
				t.Fatalf("%v: %q", err, s)
			}
			return
		}
		var got any
		again := tree.append(nil)
		dec = json.NewDecoder(strings.NewReader(string(again)))
		dec.UseNumber()
		if err := dec.Decode(&got); err != nil {
			t.Fatalf("%v: %q", err, again)
		}
		if !repeats(tree) && !reflect.DeepEqual(want, got) {
			t.Fatalf("%q became %q", s, again)
		}
	})
}

// repeats reports whether a name is there twice, which checked JSON does not have.
func repeats(t *tree) bool {
	names := make(map[string]bool)
	for _, f := range t.fields {
		if names[f.name] || repeats(f.value) {
			return true
		}
		names[f.name] = true
	}
	for _, v := range t.items {
		if repeats(v) {
			return true
		}
	}
	return false
}
