package sigstore

import (
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"unicode/utf8"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/assaykit/assay"
)

// Fulcio's extensions are 1.3.6.1.4.1.57264.1.1 and on (fulcio docs/oid-info.md): up
// to 6 raw bytes, from 8 on DER strings.
var oidFulcio = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 57264, 1}

const (
	arcIssuerRaw = 1
	arcLastRaw   = 6
	arcOtherName = 7
	arcIssuer    = 8
)

// claim gives the field that an extension is kept in; nil for one that is not known.
func claim(c *assay.Claims, arc int) *string {
	fields := [...]*string{
		2: &c.GitHubWorkflowTrigger, 3: &c.GitHubWorkflowSHA, 4: &c.GitHubWorkflowName,
		5: &c.GitHubWorkflowRepository, 6: &c.GitHubWorkflowRef,
		9: &c.BuildSignerURI, 10: &c.BuildSignerDigest, 11: &c.RunnerEnvironment,
		12: &c.SourceRepositoryURI, 13: &c.SourceRepositoryDigest, 14: &c.SourceRepositoryRef,
		15: &c.SourceRepositoryIdentifier, 16: &c.SourceRepositoryOwnerURI, 17: &c.SourceRepositoryOwnerIdentifier,
		18: &c.BuildConfigURI, 19: &c.BuildConfigDigest, 20: &c.BuildTrigger, 21: &c.RunInvocationURI,
		22: &c.SourceRepositoryVisibilityAtSigning, 23: &c.DeploymentEnvironment, 24: &c.TokenSubject,
	}
	if arc < 0 || arc >= len(fields) {
		return nil
	}
	return fields[arc]
}

// Identity is whom a certificate of Fulcio's names, with all that its extensions say.
func Identity(c *x509.Certificate) (assay.Identity, error) {
	var id assay.Identity
	var issuerRaw string
	for _, e := range c.Extensions {
		if len(e.Id) != len(oidFulcio)+1 || !e.Id[:len(oidFulcio)].Equal(oidFulcio) {
			continue
		}
		arc := e.Id[len(oidFulcio)]
		value := string(e.Value)
		if arc > arcLastRaw {
			var err error
			if value, err = derString(e.Value); err != nil {
				if claim(&id.Claims, arc) == nil && arc != arcIssuer {
					continue // one that is not known may be anything
				}
				return assay.Identity{}, malformedExtension(e.Id, err)
			}
		}
		field := claim(&id.Claims, arc)
		switch {
		case arc == arcIssuerRaw:
			field = &issuerRaw
		case arc == arcIssuer:
			field = &id.Issuer
		}
		if field == nil {
			continue
		}
		if !utf8.ValidString(value) {
			return assay.Identity{}, malformedExtension(e.Id, errors.New("not UTF-8"))
		}
		*field = value
	}
	switch {
	case id.Issuer == "":
		id.Issuer = issuerRaw
	case issuerRaw != "" && issuerRaw != id.Issuer:
		return assay.Identity{}, &assay.Error{Op: "read certificate", Kind: assay.ErrInvalid, Field: "extension " + oidFulcio.String() + ".1",
			Value: issuerRaw, Bound: "the issuer of extension " + oidFulcio.String() + ".8"}
	}
	var err error
	id.Subject, id.SubjectKind, err = subject(c)
	return id, err
}

func malformedExtension(id asn1.ObjectIdentifier, err error) error {
	return &assay.Error{Op: "read certificate", Kind: assay.ErrInvalid, Field: "extension " + id.String(), Bound: "a string", Err: err}
}

// derString reads a string of any of the kinds that hold UTF-8 or a part of it.
func derString(der []byte) (string, error) {
	in := cryptobyte.String(der)
	var text cryptobyte.String
	var tag cbasn1.Tag
	if !in.ReadAnyASN1(&text, &tag) || !in.Empty() {
		return "", errors.New("not one value of DER")
	}
	switch tag {
	case cbasn1.UTF8String, cbasn1.IA5String, cbasn1.PrintableString:
		return string(text), nil
	}
	return "", fmt.Errorf("a value with the tag %d", tag)
}

// subject is the subject alternative name: a URI, else an email address, else the
// other name that Fulcio gives to usernames.
func subject(c *x509.Certificate) (string, assay.SubjectKind, error) {
	switch {
	case len(c.URIs) > 0:
		return c.URIs[0].String(), assay.SubjectURI, nil
	case len(c.EmailAddresses) > 0 && c.EmailAddresses[0] != "":
		return c.EmailAddresses[0], assay.SubjectEmail, nil
	}
	name, err := otherName(c)
	if err != nil {
		return "", "", &assay.Error{Op: "read certificate", Kind: assay.ErrInvalid, Field: "subject alternative name", Bound: "a URI, an email address or one of Fulcio's other names", Err: err}
	}
	return name, assay.SubjectOtherName, nil
}

// otherName reads the one otherName of the type id 1.3.6.1.4.1.57264.1.7, whose value
// is a UTF8String (RFC 5280, section 4.2.1.6).
func otherName(c *x509.Certificate) (string, error) {
	zero := cbasn1.Tag(0).Constructed().ContextSpecific()
	malformed := errors.New("malformed")
	var found []string
	for _, e := range c.Extensions {
		if !e.Id.Equal(oidSubjectAltName) {
			continue
		}
		in := cryptobyte.String(e.Value)
		var names cryptobyte.String
		if !in.ReadASN1(&names, cbasn1.SEQUENCE) || !in.Empty() {
			return "", malformed
		}
		for !names.Empty() {
			var name, value, text cryptobyte.String
			var tag cbasn1.Tag
			var id asn1.ObjectIdentifier
			if !names.ReadAnyASN1(&name, &tag) {
				return "", malformed
			}
			if tag != zero {
				continue
			}
			if !name.ReadASN1ObjectIdentifier(&id) || !name.ReadASN1(&value, zero) || !name.Empty() ||
				!value.ReadASN1(&text, cbasn1.UTF8String) || !value.Empty() || !utf8.Valid(text) {
				return "", malformed
			}
			if len(id) != len(oidFulcio)+1 || !id[:len(oidFulcio)].Equal(oidFulcio) || id[len(oidFulcio)] != arcOtherName {
				return "", fmt.Errorf("other name of type %v", id)
			}
			found = append(found, string(text))
		}
	}
	if len(found) != 1 || found[0] == "" {
		return "", fmt.Errorf("%d of them, want one", len(found))
	}
	return found[0], nil
}
