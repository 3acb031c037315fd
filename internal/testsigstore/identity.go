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
// sigstore/fulcio): raw bytes for the deprecated arcs 1.1 to 1.6, DER UTF8String
// for all that follow.
func (id Identity) render() ([]pkix.Extension, error) {
	e := id.Extensions
	e.Issuer = id.Issuer
	var out []pkix.Extension
	for _, x := range []struct {
		oid   asn1.ObjectIdentifier
		value string
	}{
		{certificate.OIDIssuer, e.Issuer}, //nolint:staticcheck // Fulcio writes the deprecated ones too
		{certificate.OIDGitHubWorkflowTrigger, e.GithubWorkflowTrigger},
		{certificate.OIDGitHubWorkflowSHA, e.GithubWorkflowSHA},
		{certificate.OIDGitHubWorkflowName, e.GithubWorkflowName},
		{certificate.OIDGitHubWorkflowRepository, e.GithubWorkflowRepository},
		{certificate.OIDGitHubWorkflowRef, e.GithubWorkflowRef},
	} {
		if x.value != "" {
			out = append(out, pkix.Extension{Id: x.oid, Value: []byte(x.value)})
		}
	}
	for _, x := range []struct {
		oid   asn1.ObjectIdentifier
		value string
	}{
		{certificate.OIDIssuerV2, e.Issuer},
		{certificate.OIDBuildSignerURI, e.BuildSignerURI},
		{certificate.OIDBuildSignerDigest, e.BuildSignerDigest},
		{certificate.OIDRunnerEnvironment, e.RunnerEnvironment},
		{certificate.OIDSourceRepositoryURI, e.SourceRepositoryURI},
		{certificate.OIDSourceRepositoryDigest, e.SourceRepositoryDigest},
		{certificate.OIDSourceRepositoryRef, e.SourceRepositoryRef},
		{certificate.OIDSourceRepositoryIdentifier, e.SourceRepositoryIdentifier},
		{certificate.OIDSourceRepositoryOwnerURI, e.SourceRepositoryOwnerURI},
		{certificate.OIDSourceRepositoryOwnerIdentifier, e.SourceRepositoryOwnerIdentifier},
		{certificate.OIDBuildConfigURI, e.BuildConfigURI},
		{certificate.OIDBuildConfigDigest, e.BuildConfigDigest},
		{certificate.OIDBuildTrigger, e.BuildTrigger},
		{certificate.OIDRunInvocationURI, e.RunInvocationURI},
		{certificate.OIDSourceRepositoryVisibilityAtSigning, e.SourceRepositoryVisibilityAtSigning},
	} {
		if x.value == "" {
			continue
		}
		der, err := asn1.MarshalWithParams(x.value, "utf8")
		if err != nil {
			return nil, fmt.Errorf("extension %v: %w", x.oid, err)
		}
		out = append(out, pkix.Extension{Id: x.oid, Value: der})
	}
	return out, nil
}
