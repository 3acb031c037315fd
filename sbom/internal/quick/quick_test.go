package quick_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assaykit/assay/internal/strictjson"
	"github.com/assaykit/assay/sbom/internal/quick"
)

// value reads any value, as encoding/json does.
func value(r *quick.Reader, v *any) {
	raw := *r
	switch text := raw.Raw(); {
	case len(text) == 0:
		r.Skip()
	case text[0] == '{':
		m := make(map[string]any)
		for r.Into('{'); r.More('}'); {
			name := string(r.Name())
			var inner any
			value(r, &inner)
			m[name] = inner
		}
		*v = m
	case text[0] == '[':
		*v = quick.List(r, value)
	case text[0] == '"':
		*v = r.Text()
	case text[0] == 't' || text[0] == 'f':
		*v = r.Bool()
	case text[0] == 'n':
		r.Skip()
	default:
		*v = json.Number(r.Raw())
	}
}

func FuzzReader(f *testing.F) {
	for _, s := range []string{`{}`, ` [ ] `, `{"a":[1,-2.5e3,{"b\"\\":"c\\\"\u00e9\ud83d\ude00"},[],{}, null ,true,false],"":""}`, "\t\"\\\\\"\n", `"`, `{"a"`, `[1,`, `{"a":"\`,
		`["` + strings.Repeat("x", 3000) + `","` + strings.Repeat(`y","`, 9000) + `"]`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var got any
		r := quick.NewReader(data)
		value(r, &got)
		skip := quick.NewReader(data)
		skip.Skip()
		if strictjson.Check("fuzz", data, strictjson.Limits{}) != nil {
			return
		}
		if r.Bad() || skip.Bad() {
			t.Fatalf("refused %s", data)
		}
		var want any
		dec := json.NewDecoder(strings.NewReader(string(data)))
		dec.UseNumber()
		if err := dec.Decode(&want); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Fatalf("(-want +got) %s\n%s", d, data)
		}
	})
}

// What is of another kind than it is asked for is bad, and nothing is read from then on.
func TestBad(t *testing.T) {
	for in, read := range map[string]func(r *quick.Reader){
		`1`: func(r *quick.Reader) { r.Text() }, `""`: func(r *quick.Reader) { r.Int() }, `1.5`: func(r *quick.Reader) { r.Int() },
		`null`: func(r *quick.Reader) { r.Bool() }, `{}`: func(r *quick.Reader) { quick.Texts(r) }, `[1]`: func(r *quick.Reader) { quick.Texts(r) },
		`["a"`: func(r *quick.Reader) { quick.Texts(r) }, `"\x"`: func(r *quick.Reader) { r.Text() }, ``: func(r *quick.Reader) { r.Skip() },
		`{"a"}`: func(r *quick.Reader) { r.Into('{'); r.More('}'); r.Name() }, `[[]`: func(r *quick.Reader) { r.Raw() },
	} {
		r := quick.NewReader([]byte(in))
		if read(r); !r.Bad() {
			t.Errorf("%s: taken", in)
		}
		if got := r.Text(); got != "" {
			t.Errorf("%s: then %q", in, got)
		}
	}
}
