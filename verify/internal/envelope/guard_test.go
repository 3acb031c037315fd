package envelope

import (
	"errors"
	"testing"

	"github.com/assaykit/assay"
)

// CVE-2026-44310: a panic must become neither a proof nor the end of the process.
func TestPanicIsARefusal(t *testing.T) {
	p, err := guard("sha256:00", func() (*Proven, error) { panic("index out of range") })
	f, ok := errors.AsType[*Failure](err)
	if p != nil || !ok || !errors.Is(f, assay.ErrUnchecked) {
		t.Errorf("got %v, %v", p, err)
	}
}
