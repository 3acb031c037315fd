package verify_test

import (
	"strings"
	"testing"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/sbom"
	"github.com/assaykit/assay/verify"
)

// A table of contents says what is in a layer, and evidence is held against what is.
func TestScanningRefusesTrustTOC(t *testing.T) {
	f := newFixture(t)
	v, err := verify.New(f.trust(), f.policy(), verify.Scanning(sbom.Options{TrustTOC: true}))
	if v != nil || assay.KindOf(err) != assay.ErrInvalid || !strings.Contains(err.Error(), "TrustTOC") {
		t.Errorf("got %v", err)
	}
}
