package strictjson_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/strictjson"
)

type doc struct {
	Name string         `json:"name"`
	Sub  map[string]int `json:"sub"`
}

func TestRefused(t *testing.T) {
	for name, tt := range map[string]struct {
		in   string
		l    strictjson.Limits
		kind error
		says []string
	}{
		"duplicate":        {`{"name":"a","name":"b"}`, strictjson.Limits{}, assay.ErrInvalid, []string{"f.json", "/name", `"name"`}},
		"nested duplicate": {`{"sub":{"x":1,"x":2}}`, strictjson.Limits{}, assay.ErrInvalid, []string{"/sub/x"}},
		"escaped twin":     {`{"name":"a","n\u0061me":"b"}`, strictjson.Limits{}, assay.ErrInvalid, []string{"/name"}},
		"trailing value":   {`{"name":"a"} {}`, strictjson.Limits{}, assay.ErrInvalid, []string{"nothing after"}},
		"trailing garbage": {`{"name":"a"}x`, strictjson.Limits{}, assay.ErrInvalid, []string{"f.json", "offset"}},
		"empty":            {``, strictjson.Limits{}, assay.ErrInvalid, []string{"f.json"}},
		"truncated":        {`{"name":`, strictjson.Limits{}, assay.ErrInvalid, []string{"f.json"}},
		"invalid utf-8":    {"{\"name\":\"\xff\"}", strictjson.Limits{}, assay.ErrInvalid, []string{"UTF-8"}},
		"wrong type":       {`{"name":7}`, strictjson.Limits{}, assay.ErrInvalid, []string{"/name", "string"}},
		"too deep":         {strings.Repeat("[", 129) + strings.Repeat("]", 129), strictjson.Limits{}, assay.ErrBound, []string{"depth 129", "at most 128"}},
		"too large":        {`{"name":"aaaaaaaaaa"}`, strictjson.Limits{MaxBytes: 10}, assay.ErrBound, []string{"21 bytes", "at most 10"}},
		"unknown member":   {`{"nmae":"a"}`, strictjson.Limits{RejectUnknown: true}, assay.ErrInvalid, []string{"/nmae"}},
	} {
		t.Run(name, func(t *testing.T) {
			var d doc
			err := strictjson.Unmarshal("f.json", []byte(tt.in), &d, tt.l)
			if !errors.Is(err, tt.kind) {
				t.Fatalf("got %v, want %v", err, tt.kind)
			}
			for _, s := range tt.says {
				if !strings.Contains(err.Error(), s) {
					t.Errorf("%q does not say %q", err, s)
				}
			}
		})
	}
}

func TestNamesAreCaseSensitive(t *testing.T) {
	var d doc
	if err := strictjson.Unmarshal("f", []byte(`{"NAME":"a"}`), &d, strictjson.Limits{}); err != nil {
		t.Fatal(err)
	}
	if d.Name != "" {
		t.Errorf("NAME was read as name: %q", d.Name)
	}
}

func TestReadGivesExactBytes(t *testing.T) {
	in := " {\"name\" : \"a\"}\n"
	var d doc
	got, err := strictjson.Read("f", strings.NewReader(in), &d, strictjson.Limits{})
	if err != nil || string(got) != in || d.Name != "a" {
		t.Errorf("got %q, %+v, %v", got, d, err)
	}
	if _, err := strictjson.Read("f", strings.NewReader(in), &d, strictjson.Limits{MaxBytes: 3}); !errors.Is(err, assay.ErrBound) {
		t.Errorf("got %v, want a bound", err)
	}
}

func TestMarshalIsDeterministic(t *testing.T) {
	m := map[string]int{"b": 1, "a": 2, "<": 3}
	for range 20 {
		got, err := strictjson.Marshal(m)
		if err != nil || string(got) != `{"<":3,"a":2,"b":1}` {
			t.Fatalf("got %s, %v", got, err)
		}
	}
}

// What is accepted here must be accepted by encoding/json, which is the oracle
// for syntax; the reverse does not hold, that is the point of the package.
func FuzzCheck(f *testing.F) {
	for _, s := range []string{`{}`, `{"a":[1,2,{"b":null}]}`, `{"a":1,"a":2}`, `"\ud800"`, `1e999`, "[\xff]", ` [] `, `[]]`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		err := strictjson.Check("fuzz", in, strictjson.Limits{})
		if err == nil && !json.Valid(in) {
			t.Errorf("accepted what encoding/json refuses: %q", in)
		}
		if err != nil {
			if _, ok := errors.AsType[*assay.Error](err); !ok {
				t.Errorf("untyped error %v", err)
			}
		}
	})
}

// Unmarshal reads a document once, and must still refuse all that Check refuses, in
// members that are kept raw, that have a type, and that are not known.
func FuzzUnmarshalChecks(f *testing.F) {
	for _, s := range []string{`{}`, `{"raw":{"a":1,"a":2}}`, `{"other":{"a":1,"a":2}}`, `{"any":[{"a":1,"a":2}]}`, "{\"raw\":\"\xff\"}", "{\"other\":\"\xff\"}",
		`{"raw":"\ud800"}`, `{"other":1}x`, `{"a":1,"\u0061":2}`, `{"raw":[[[[[[[[["["]]]]]]]]]}`, `{"text":"\"[[[[[[[[[["}`, `{"text":"\\"}`, `]]]]]]]]]]]]]`} {
		f.Add([]byte(s))
	}
	limits := strictjson.Limits{MaxDepth: 8}
	f.Fuzz(func(t *testing.T, in []byte) {
		var v struct {
			Raw  json.RawMessage `json:"raw"`
			Any  any             `json:"any"`
			Text string          `json:"text"`
		}
		var any any
		want := strictjson.Check("fuzz", in, limits)
		if err := strictjson.Unmarshal("fuzz", in, &v, limits); want != nil && (err == nil || err.Error() != want.Error()) {
			t.Errorf("%q: got %v, want %v", in, err, want)
		}
		// Numbers that no float holds are the one other thing to refuse.
		if err := strictjson.Unmarshal("fuzz", in, &any, limits); want != nil && (err == nil || err.Error() != want.Error()) {
			t.Errorf("%q: got %v, want %v", in, err, want)
		}
	})
}

func BenchmarkCheck(b *testing.B) {
	in := []byte("[" + strings.Repeat(`{"name":"libssl3","purl":"pkg:deb/debian/libssl3@3.0.15","n":[1,2,3]},`, 20000) + "{}]")
	start := time.Now()
	const rounds = 5
	for range rounds {
		var v any
		if err := json.Unmarshal(in, &v); err != nil {
			b.Fatal(err)
		}
	}
	floor := time.Since(start) / rounds
	b.SetBytes(int64(len(in)))
	for b.Loop() {
		if err := strictjson.Check("bench", in, strictjson.Limits{}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(floor.Nanoseconds()), "x-encoding/json")
}
