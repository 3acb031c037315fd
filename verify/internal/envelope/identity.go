package envelope

import (
	"crypto/x509"
	"encoding/asn1"

	"github.com/sigstore/sigstore-go/pkg/fulcio/certificate"

	"github.com/assaykit/assay"
)

// identity is whom the certificate names. The summary is the library's; it ends
// before the newest extensions, which are read here.
func identity(c *certificate.Summary, leaf *x509.Certificate) (assay.Identity, error) {
	environment, err := extension(leaf, 23)
	if err != nil {
		return assay.Identity{}, err
	}
	subject, err := extension(leaf, 24)
	if err != nil {
		return assay.Identity{}, err
	}
	return assay.Identity{
		Issuer:  c.Issuer,
		Subject: c.SubjectAlternativeName,
		Claims: assay.Claims{
			BuildSignerURI:                      c.BuildSignerURI,
			BuildSignerDigest:                   c.BuildSignerDigest,
			RunnerEnvironment:                   c.RunnerEnvironment,
			SourceRepositoryURI:                 c.SourceRepositoryURI,
			SourceRepositoryDigest:              c.SourceRepositoryDigest,
			SourceRepositoryRef:                 c.SourceRepositoryRef,
			SourceRepositoryIdentifier:          c.SourceRepositoryIdentifier,
			SourceRepositoryOwnerURI:            c.SourceRepositoryOwnerURI,
			SourceRepositoryOwnerIdentifier:     c.SourceRepositoryOwnerIdentifier,
			BuildConfigURI:                      c.BuildConfigURI,
			BuildConfigDigest:                   c.BuildConfigDigest,
			BuildTrigger:                        c.BuildTrigger,
			RunInvocationURI:                    c.RunInvocationURI,
			SourceRepositoryVisibilityAtSigning: c.SourceRepositoryVisibilityAtSigning,
			DeploymentEnvironment:               environment,
			TokenSubject:                        subject,
		},
	}, nil
}

// extension reads the claim under an arc of Fulcio's, a DER UTF8String (fulcio
// docs/oid-info.md); empty if the certificate has none.
func extension(leaf *x509.Certificate, arc int) (string, error) {
	oid := asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 57264, 1, arc}
	for _, e := range leaf.Extensions {
		if !e.Id.Equal(oid) {
			continue
		}
		var value string
		rest, err := asn1.UnmarshalWithParams(e.Value, &value, "utf8")
		if err != nil || len(rest) > 0 {
			return "", &assay.Error{Op: "read certificate", Kind: assay.ErrInvalid, Field: "extension " + oid.String(), Bound: "a UTF8String", Err: err}
		}
		return value, nil
	}
	return "", nil
}
