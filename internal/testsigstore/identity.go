package testsigstore

import (
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"

	"github.com/sigstore/sigstore-go/pkg/fulcio/certificate"
)

// Identity is whom a certificate is issued to.
type Identity struct {
	// SAN is the subject alternative name: a URI if it has a scheme
	// ("https://..."), an email address otherwise.
	SAN string
	// Issuer is the OIDC issuer, a URL.
	Issuer string
	// Extensions are the CI claims of the certificate. Their Issuer is replaced
	// with the one above; fields left empty get no extension.
	Extensions certificate.Extensions
}

// Email is the identity of a person.
func Email(address, issuer string) Identity {
	return Identity{SAN: address, Issuer: issuer}
}

// render gives the extensions that Fulcio writes (docs/oid-info.md of
// sigstore/fulcio): raw bytes for the deprecated arcs 1 to 6 of
// 1.3.6.1.4.1.57264.1, DER UTF8String from 8 on.
func (id Identity) render() ([]pkix.Extension, error) {
	e := id.Extensions
	e.Issuer = id.Issuer
	var out []pkix.Extension
	for _, x := range []struct {
		arc   int
		value string
	}{
		{1, e.Issuer},
		{2, e.GithubWorkflowTrigger},
		{3, e.GithubWorkflowSHA},
		{4, e.GithubWorkflowName},
		{5, e.GithubWorkflowRepository},
		{6, e.GithubWorkflowRef},
		{8, e.Issuer},
		{9, e.BuildSignerURI},
		{10, e.BuildSignerDigest},
		{11, e.RunnerEnvironment},
		{12, e.SourceRepositoryURI},
		{13, e.SourceRepositoryDigest},
		{14, e.SourceRepositoryRef},
		{15, e.SourceRepositoryIdentifier},
		{16, e.SourceRepositoryOwnerURI},
		{17, e.SourceRepositoryOwnerIdentifier},
		{18, e.BuildConfigURI},
		{19, e.BuildConfigDigest},
		{20, e.BuildTrigger},
		{21, e.RunInvocationURI},
		{22, e.SourceRepositoryVisibilityAtSigning},
	} {
		if x.value == "" {
			continue
		}
		value := []byte(x.value)
		if x.arc >= 8 {
			der, err := asn1.MarshalWithParams(x.value, "utf8")
			if err != nil {
				return nil, fmt.Errorf("extension 1.3.6.1.4.1.57264.1.%d: %w", x.arc, err)
			}
			value = der
		}
		out = append(out, pkix.Extension{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 57264, 1, x.arc}, Value: value})
	}
	return out, nil
}
