package assay_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/strictjson"
)

// kinds are all types of the sum; fill makes a value of each with every field set.
func kinds() []assay.Evidence {
	return []assay.Evidence{
		&assay.SBOM{}, &assay.Provenance{}, &assay.VEX{}, &assay.Scan{}, &assay.Posture{},
		&assay.Remediation{}, &assay.TestResult{}, &assay.Summary{}, &assay.Opaque{},
	}
}

// fill sets every exported field under v to something that differs from its zero
// value and from other fields, so that a field that JSON loses or mixes up shows.
// It knows the types with a grammar; a new field of a new kind makes it panic.
func fill(v reflect.Value, n *int, depth int) {
	*n++
	text := fmt.Sprintf("text-%d", *n)
	switch v.Interface().(type) {
	case time.Time:
		v.Set(reflect.ValueOf(time.Date(2026, 11, 23, 1, 2, 3, 4000**n, time.UTC)))
		return
	case assay.Digest:
		v.Set(reflect.ValueOf(assay.SumSHA256([]byte(text))))
		return
	case assay.DigestSet:
		v.Set(reflect.ValueOf(assay.DigestSet{assay.MustDigest("md5:" + hexOf("a", 32)), assay.SumSHA256([]byte(text))}))
		return
	case assay.PURL:
		v.Set(reflect.ValueOf(assay.MustPURL("pkg:generic/" + text + "@1?a=b")))
		return
	case assay.PredicateType:
		v.SetString("https://example.com/" + text)
		return
	case assay.State:
		v.SetInt(int64(assay.Refuted))
		return
	case assay.Stage:
		v.SetInt(int64(assay.Hardened))
		return
	case json.RawMessage:
		v.SetBytes([]byte(`{"` + text + `":[1,null,"<"]}`))
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
	case reflect.Int:
		v.SetInt(int64(*n))
	case reflect.Float64:
		v.SetFloat(float64(*n) + 0.5)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Slice:
		if depth > 6 { // Product holds Products
			return
		}
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range 2 {
			fill(v.Index(i), n, depth+1)
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		for range 2 {
			value := reflect.New(v.Type().Elem()).Elem()
			fill(value, n, depth+1)
			v.SetMapIndex(reflect.ValueOf(fmt.Sprintf("key-%d", *n)), value)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i), n, depth+1)
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), n, depth+1)
	case reflect.Uint8:
		v.SetUint(uint64(*n % 256))
	default:
		panic("fill: " + v.Type().String())
	}
}

var sameValues = cmp.Options{
	cmp.Comparer(func(a, b assay.Digest) bool { return a == b }),
	cmp.Comparer(func(a, b assay.PURL) bool { return a == b }),
	// encoding/json compacts and escapes raw messages; they are the same value.
	cmp.FilterPath(func(p cmp.Path) bool { return p.Last().Type() == reflect.TypeFor[json.RawMessage]() },
		cmp.FilterValues(func(a, b json.RawMessage) bool { return len(a)+len(b) > 0 },
			cmp.Comparer(func(a, b json.RawMessage) bool {
				var x, y any
				return json.Unmarshal(a, &x) == nil && json.Unmarshal(b, &y) == nil && reflect.DeepEqual(x, y)
			}))),
}

// codecs are the two JSON packages that evidence goes through.
var codecs = []struct {
	name      string
	marshal   func(any) ([]byte, error)
	unmarshal func([]byte, any) error
	equal     cmp.Options
}{
	{"encoding/json", json.Marshal, json.Unmarshal, sameValues},
	// This one writes a nil slice that must be there as [].
	{"strictjson", strictjson.Marshal, func(b []byte, v any) error {
		return strictjson.Unmarshal("test", b, v, strictjson.Limits{RejectUnknown: true})
	}, append(cmp.Options{cmpopts.EquateEmpty()}, sameValues...)},
}

func TestEvidenceJSON(t *testing.T) {
	for _, e := range kinds() {
		full := reflect.New(reflect.TypeOf(e).Elem())
		n := 0
		fill(full.Elem(), &n, 0)
		for name, v := range map[string]any{"full": full.Interface(), "zero": e} {
			if name == "zero" && e.Kind() == assay.KindOpaque {
				continue // no predicate is no JSON
			}
			for _, c := range codecs {
				t.Run(fmt.Sprintf("%s/%s/%s", e.Kind(), name, c.name), func(t *testing.T) {
					data, err := c.marshal(v)
					if err != nil {
						t.Fatal(err)
					}
					back := reflect.New(reflect.TypeOf(e).Elem()).Interface()
					if err := c.unmarshal(data, back); err != nil {
						t.Fatalf("%s: %v", data, err)
					}
					if diff := cmp.Diff(v, back, c.equal...); diff != "" {
						t.Errorf("lost (-) or made up (+) on the way: %s", diff)
					}
					again, err := c.marshal(back)
					if err != nil || !bytes.Equal(again, data) {
						t.Errorf("not the same bytes again:\n%s\n%s", data, again)
					}
				})
			}
		}
	}
}

// What is not there is not written: no zero time, no empty digest set.
func TestEvidenceJSONOmits(t *testing.T) {
	for _, c := range codecs {
		for want, v := range map[string]any{
			`{"id":"","type":"","name":""}`: assay.Component{},
			`{"repository":""}`:             assay.Source{},
			`{}`:                            assay.Resource{Digest: assay.DigestSet{}},
			`{"digest":""}`:                 assay.ImageBuild{},
			`{"attribute":"","state":"unknown","stage":"none"}`: assay.Fact{},
			`{"digest":{}}`:               assay.Subject{},
			`{"vulnerability":{"id":""}}`: assay.Finding{},
		} {
			if got, err := c.marshal(v); err != nil || string(got) != want {
				t.Errorf("%s: got %s, %v, want %s", c.name, got, err, want)
			}
		}
		// Nil makes no claim, empty claims none: both must come back as they went.
		for want, in := range map[string]map[string]int{"nil": nil, "empty": {}} {
			data, err := c.marshal(assay.Summary{DependencyLevels: in})
			if err != nil {
				t.Fatal(err)
			}
			var back assay.Summary
			if err := c.unmarshal(data, &back); err != nil || (back.DependencyLevels == nil) != (in == nil) {
				t.Errorf("%s: %s came back as %v, %v", c.name, want, back.DependencyLevels, err)
			}
		}
	}
}

func TestSeverityScored(t *testing.T) {
	for _, tt := range []struct {
		s    assay.Severity
		want bool
	}{
		{assay.Severity{}, false}, {assay.Severity{Rating: assay.RatingHigh}, false}, {assay.Severity{Rating: assay.RatingNone}, true}, {assay.Severity{Score: 0.1}, true},
	} {
		if tt.s.Scored() != tt.want {
			t.Errorf("%+v: want %v", tt.s, tt.want)
		}
	}
}

// FuzzEvidenceJSON: what decodes encodes, and decodes to the same again.
func FuzzEvidenceJSON(f *testing.F) {
	for i, e := range kinds() {
		full := reflect.New(reflect.TypeOf(e).Elem())
		n := 0
		fill(full.Elem(), &n, 3)
		data, err := json.Marshal(full.Interface())
		if err != nil {
			f.Fatal(err)
		}
		f.Add(uint8(i), data)
		f.Add(uint8(i), []byte(`{}`))
	}
	f.Fuzz(func(t *testing.T, kind uint8, data []byte) {
		all := kinds()
		typ := reflect.TypeOf(all[int(kind)%len(all)]).Elem()
		v := reflect.New(typ).Interface()
		if strictjson.Unmarshal("fuzz", data, v, strictjson.Limits{}) != nil {
			return
		}
		once, err := strictjson.Marshal(v)
		if err != nil {
			return // a time out of RFC 3339's range cannot be written
		}
		back := reflect.New(typ).Interface()
		if err := strictjson.Unmarshal("again", once, back, strictjson.Limits{}); err != nil {
			t.Fatalf("%s: %v", once, err)
		}
		twice, err := strictjson.Marshal(back)
		if err != nil || !bytes.Equal(once, twice) {
			t.Fatalf("not stable:\n%s\n%s\n%v", once, twice, err)
		}
	})
}
