package record_test

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/sbom/internal/record"
)

type (
	tree struct {
		Name string
		kids []tree
		next *tree
	}
	everything struct {
		Bool    bool
		ints    []int64
		small   int8
		Uint    uint32
		Float   float64
		text    string
		bytes   []byte
		array   [3]uint16
		Map     map[string]int
		inner   map[[2]byte][]string
		pointer *tree
		digest  assay.Digest
		when    time.Time
		err     error
		errs    []error
		left    func() `record:"-"`
	}
	list string
)

func (t *tree) RecordFields() []any { return []any{&t.kids, &t.next} }

func (e *everything) RecordFields() []any {
	return []any{&e.ints, &e.small, &e.text, &e.bytes, &e.array, &e.inner, &e.pointer, &e.digest, &e.when, &e.err, &e.errs}
}

// What gives other fields than it has.
type (
	forgets struct{ a, b int }
	repeats struct{ a, b int }
	swaps   struct{ a, b int }
	adds    struct{ a int }
	closed  struct{ a int }
)

var _ = [...]int{forgets{}.b, repeats{}.b, closed{}.a} // which RecordFields leaves out

func (x *forgets) RecordFields() []any { return []any{&x.a} }
func (x *repeats) RecordFields() []any { return []any{&x.a, &x.a} }
func (x *swaps) RecordFields() []any   { return []any{&x.b, &x.a} }
func (x *adds) RecordFields() []any    { return []any{&x.a, &x.a} }

func sample() everything {
	return everything{
		Bool: true, ints: []int64{0, -1, 1 << 62, -1 << 63}, small: -128, Uint: 1<<32 - 1, Float: 1.5, text: "a\x00\xff", bytes: []byte("xyz"),
		array: [3]uint16{1, 2, 65535}, Map: map[string]int{"b": 2, "a": 1, "": 0}, inner: map[[2]byte][]string{{1, 2}: {"x", ""}, {0, 9}: nil},
		pointer: &tree{Name: "a", kids: []tree{{Name: "b", kids: []tree{}}}, next: &tree{}},
		errs:    []error{nil}, left: nil,
		digest: assay.MustDigest("sha256:" + strings.Repeat("ab", 32)), when: time.Unix(1e9, 5).UTC(),
		err: &assay.Error{Op: "o", Kind: assay.ErrBound, Subject: "s", Field: "f", Value: "v", Bound: "b", Rule: "r"},
	}
}

func codec(t testing.TB) *record.Codec {
	t.Helper()
	c, err := record.New(everything{}, list(""), []tree{}, &tree{})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestRoundTrip(t *testing.T) {
	c := codec(t)
	for _, v := range []any{everything{}, sample(), list("a list"), list(""), []tree(nil), []tree{}, []tree{{Name: "x"}}, (*tree)(nil), &tree{kids: []tree{{}}}} {
		b, err := c.Append([]byte("before"), v)
		if err != nil {
			t.Fatalf("%+v: %v", v, err)
		}
		for range 20 { // maps have no order
			if again, _ := c.Append([]byte("before"), v); !bytes.Equal(b, again) {
				t.Fatalf("%+v: other bytes the second time", v)
			}
		}
		got, err := c.Decode(string(b[len("before"):]))
		if err != nil || !reflect.DeepEqual(got, v) {
			t.Errorf("got %+v, %v, want %+v", got, err, v)
		}
		// Whatever is cut off is missed.
		for n := len("before"); n < len(b); n++ {
			if got, err := c.Decode(string(b[len("before"):n])); err == nil {
				t.Errorf("%T of %d of %d bytes: %+v", v, n, len(b), got)
			}
		}
		if _, err := c.Decode(string(b[len("before"):]) + "x"); !errors.Is(err, assay.ErrInvalid) {
			t.Errorf("%T with more after it: %v", v, err)
		}
	}
}

func TestErrors(t *testing.T) {
	c := codec(t)
	bound := &assay.Error{Op: "o", Kind: assay.ErrBound, Err: errors.New("inside")}
	for _, err := range []error{nil, bound, &assay.Error{Op: "no kind"}, errors.New("plain"), fmt.Errorf("around %w", bound),
		&assay.Error{Kind: assay.ErrInvalid, Err: fmt.Errorf("a %w", bound)}, errors.Join(errors.New("x"), bound)} {
		b, failed := c.Append(nil, everything{err: err})
		if failed != nil {
			t.Fatal(failed)
		}
		v, failed := c.Decode(string(b))
		if failed != nil {
			t.Fatal(failed)
		}
		got := reflect.ValueOf(v).FieldByName("err")
		if got.IsNil() != (err == nil) {
			t.Fatalf("%v: nil %t", err, got.IsNil())
		}
		if err == nil {
			continue
		}
		e := v.(everything).err
		if e.Error() != err.Error() || assay.KindOf(e) != assay.KindOf(err) || errors.Is(e, assay.ErrBound) != errors.Is(err, assay.ErrBound) {
			t.Errorf("got %v (%v), want %v", e, assay.KindOf(e), err)
		}
	}
}

func TestRefused(t *testing.T) {
	for _, x := range []any{func() {}, struct{ c chan int }{}, struct{ m sync.Mutex }{}, struct{ any any }{}, struct{}{}, []struct{}{},
		forgets{}, repeats{}, swaps{}, adds{}, closed{}, []closed{}} {
		if _, err := record.New(x); !errors.Is(err, assay.ErrInvalid) {
			t.Errorf("%T: %v", x, err)
		}
	}
	c := codec(t)
	if _, err := c.Append(nil, "a string"); !errors.Is(err, assay.ErrInvalid) || !strings.Contains(err.Error(), "string") {
		t.Errorf("a type that is not registered: %v", err)
	}
	circle := &tree{}
	circle.next = circle
	if _, err := c.Append(nil, circle); !errors.Is(err, assay.ErrInvalid) {
		t.Errorf("a circle: %v", err)
	}
	if _, err := c.Decode("\x02" + strings.Repeat("\x02\x00", 1<<20)); !errors.Is(err, assay.ErrInvalid) {
		t.Errorf("nested too deep: %v", err)
	}
}

func TestFingerprint(t *testing.T) {
	type a struct{ X int }
	one, _ := record.New(a{})
	two, _ := record.New(struct{ Y int }{})
	if same := codec(t).Fingerprint(); same != codec(t).Fingerprint() || one.Fingerprint() == two.Fingerprint() || one.Fingerprint() == same {
		t.Error("fingerprints do not tell types apart")
	}
}

// What is read and written again is the same bytes, or not read.
func FuzzDecode(f *testing.F) {
	c := codec(f)
	for _, v := range []any{sample(), everything{}, list("x"), []tree{{Name: "x"}}, &tree{next: &tree{}}} {
		b, err := c.Append(nil, v)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(b))
	}
	f.Fuzz(func(t *testing.T, s string) {
		v, err := c.Decode(s)
		if err != nil {
			return
		}
		b, err := c.Append(nil, v)
		if err != nil {
			t.Fatal(err)
		}
		again, err := c.Decode(string(b))
		if err != nil {
			t.Fatal(err)
		}
		if b2, err := c.Append(nil, again); err != nil || !bytes.Equal(b, b2) {
			t.Fatalf("%q became %q, %v", b, b2, err)
		}
	})
}
