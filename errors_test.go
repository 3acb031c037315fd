package assay_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/assaykit/assay"
)

func TestErrorMessage(t *testing.T) {
	for _, tt := range []struct {
		err  assay.Error
		want string
	}{
		{assay.Error{Op: "read layer", Kind: assay.ErrRefuted, Subject: "layer.tar", Field: "/0/digest", Value: "a", Bound: "b", Rule: "OCI 1", Err: io.EOF},
			`read layer: layer.tar: /0/digest: refuted: got "a", want b (OCI 1): EOF`},
		{assay.Error{}, "failed"},
		{assay.Error{Kind: assay.ErrAbsent, Subject: "bom.json"}, "bom.json: absent"},
		{assay.Error{Op: "scan", Kind: assay.ErrBound, Value: "9 bytes", Bound: "at most 8"}, `scan: exceeds a bound: got "9 bytes", want at most 8`},
		{assay.Error{Kind: assay.ErrUnchecked, Err: errors.Join(io.EOF, io.ErrUnexpectedEOF)}, "could not be checked: EOF; unexpected EOF"},
		{assay.Error{Kind: assay.ErrInvalid, Subject: "a\nb", Field: "x\x1b[31m"}, `"a\nb": "x\x1b[31m": invalid`},
		{assay.Error{Kind: assay.ErrInvalid, Value: strings.Repeat("é", 100)}, `invalid: got "` + strings.Repeat("é", 60) + `…"`},
		{assay.Error{Kind: assay.ErrInvalid, Value: "a" + strings.Repeat("é", 100)}, `invalid: got "a` + strings.Repeat("é", 59) + `…"`},
	} {
		if got := tt.err.Error(); got != tt.want {
			t.Errorf("got  %s\nwant %s", got, tt.want)
		}
	}
	long := &assay.Error{Subject: strings.Repeat("s", 1<<20), Field: strings.Repeat("f", 1<<20), Value: strings.Repeat("v", 1<<20), Bound: strings.Repeat("b", 1<<20)}
	if n := len(long.Error()); n > 2000 {
		t.Errorf("a message of %d bytes", n)
	}
}

func TestErrorIs(t *testing.T) {
	kinds := []error{assay.ErrRefuted, assay.ErrUnchecked, assay.ErrInvalid, assay.ErrBound, assay.ErrAbsent}
	for _, kind := range kinds {
		err := fmt.Errorf("outer: %w", &assay.Error{Kind: kind, Field: "/a", Err: io.ErrUnexpectedEOF})
		for _, other := range kinds {
			if errors.Is(err, other) != (kind == other) {
				t.Errorf("%v is %v", err, other)
			}
		}
		if !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%v: the cause is lost", err)
		}
		var e *assay.Error
		if !errors.As(err, &e) || e.Field != "/a" {
			t.Errorf("%v: not found by errors.As", err)
		}
		if got := assay.KindOf(err); got != kind {
			t.Errorf("KindOf: got %v, want %v", got, kind)
		}
	}
	nested := &assay.Error{Kind: assay.ErrUnchecked, Err: &assay.Error{Kind: assay.ErrRefuted}}
	if got := assay.KindOf(nested); got != assay.ErrUnchecked {
		t.Errorf("got %v, want the outer kind", got)
	}
	if got := assay.KindOf(&assay.Error{Op: "x", Err: nested}); got != assay.ErrUnchecked {
		t.Errorf("got %v, want that of the cause", got)
	}
	if assay.KindOf(nil) != nil || assay.KindOf(io.EOF) != nil || assay.KindOf(&assay.Error{}) != nil {
		t.Error("a kind out of nothing")
	}
}
