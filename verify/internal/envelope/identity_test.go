package envelope

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"reflect"
	"testing"

	"github.com/sigstore/sigstore-go/pkg/fulcio/certificate"

	"github.com/assaykit/assay"
)

// A claim that is not carried over could not be matched by any policy.
func TestIdentityCarriesEveryClaim(t *testing.T) {
	var c certificate.Summary
	e := reflect.ValueOf(&c.Extensions).Elem()
	for i := range e.NumField() {
		e.Field(i).SetString(e.Type().Field(i).Name)
	}
	utf8 := func(s string) []byte {
		b, err := asn1.MarshalWithParams(s, "utf8")
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	leaf := &x509.Certificate{Extensions: []pkix.Extension{
		{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 57264, 1, 23}, Value: utf8("DeploymentEnvironment")},
		{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 57264, 1, 24}, Value: utf8("TokenSubject")},
	}}
	id, err := identity(&c, leaf)
	if err != nil {
		t.Fatal(err)
	}
	claims := reflect.ValueOf(id.Claims)
	for i := range claims.NumField() {
		if name := claims.Type().Field(i).Name; claims.Field(i).String() != name {
			t.Errorf("claim %s is %q", name, claims.Field(i))
		}
	}
	leaf.Extensions[0].Value = []byte{0x0c, 0x05, 'x'}
	if _, err := identity(&c, leaf); !errors.Is(err, assay.ErrInvalid) {
		t.Errorf("a truncated extension: got %v", err)
	}
}
