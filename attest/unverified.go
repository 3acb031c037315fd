package attest

import (
	"crypto/x509"
	"encoding/asn1"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"strconv"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/strictjson"
)

// Unverified is what an envelope says of itself, to show it to people and to find
// one among many. Whoever could write to the store may have made up all of it:
// nothing here was checked against a signature, and a decision that rests on it
// rests on nothing. It holds no predicate and no [assay.Identity]; for evidence, and
// for who signed, there is package verify.
type Unverified struct {
	// Format is how the envelope is built.
	Format UnverifiedFormat
	// PredicateType is empty where there is no statement, as in [FormatCosign] and in
	// a bundle over a file.
	PredicateType assay.PredicateType
	// Subjects are what the statement, or the signed payload, says that it is about.
	Subjects []assay.Subject
	// Signatures are in the envelope's order; none in [FormatStatement].
	Signatures []UnverifiedSignature
	// LogEntries and Timestamps count what is there to witness the signatures.
	LogEntries, Timestamps int
}

// UnverifiedSignature says who somebody says has signed.
type UnverifiedSignature struct {
	// KeyHint names the key, in any form.
	KeyHint string
	// Certificate tells whether there is one. Names are the subject alternative names
	// in it, and Issuer the identity provider that it names (Fulcio's OIDs
	// 1.3.6.1.4.1.57264.1.8 and .1.1).
	Certificate bool
	Names       []string
	Issuer      string
}

// UnverifiedFormat is how an envelope is built.
type UnverifiedFormat string

// The formats of envelopes.
const (
	// FormatBundle is a sigstore bundle.
	FormatBundle UnverifiedFormat = "sigstore bundle"
	// FormatDSSE is a DSSE envelope, with what belongs to it in annotations if cosign
	// stored it.
	FormatDSSE UnverifiedFormat = "DSSE envelope"
	// FormatCosign is a payload that names an image, with the signature in annotations.
	FormatCosign UnverifiedFormat = "cosign signature"
	// FormatStatement is a statement that nobody signed, as BuildKit attaches it. It
	// can never become evidence.
	FormatStatement UnverifiedFormat = "unsigned statement"
)

// maxUnverifiedSignatures bounds what is listed of an envelope.
const maxUnverifiedSignatures = 100

// ReadUnverified reads what an envelope says of itself. It proves nothing; see
// [Unverified]. What cannot be read is an [assay.ErrInvalid].
func ReadUnverified(e assay.Envelope) (*Unverified, error) {
	r := &unverifiedReader{name: e.Digest().String(), annotations: e.Annotations()}
	var doc struct {
		Statement string          `json:"_type"`
		Bundled   *dsseJSON       `json:"dsseEnvelope"`
		Message   *messageJSON    `json:"messageSignature"`
		Critical  json.RawMessage `json:"critical"`
		Material  *materialJSON   `json:"verificationMaterial"`
		dsseJSON
	}
	if err := strictjson.Unmarshal(r.name, e.Raw(), &doc, strictjson.Limits{}); err != nil {
		return nil, err
	}
	var err error
	switch {
	case doc.Bundled != nil:
		r.out.Format = FormatBundle
		r.material(doc.Material)
		err = r.dsse("/dsseEnvelope", doc.Bundled, doc.Material)
	case doc.Message != nil:
		r.out.Format = FormatBundle
		r.material(doc.Material)
		err = r.message(doc.Message, doc.Material)
	case doc.Payload != "" || doc.PayloadType != "":
		r.out.Format = FormatDSSE
		r.beside()
		err = r.dsse("", &doc.dsseJSON, nil)
	case doc.Statement != "":
		r.out.Format = FormatStatement
		err = r.statement(e.Raw())
	case doc.Critical != nil:
		r.out.Format = FormatCosign
		r.beside()
		err = r.cosign(doc.Critical)
	default:
		err = r.bad("", "a bundle, a DSSE envelope, a statement or a payload of cosign", nil)
	}
	if err != nil {
		return nil, err
	}
	return &r.out, nil
}

type certificateJSON struct {
	RawBytes string `json:"rawBytes"`
}

// materialJSON is the verification material of a bundle, as far as it is shown.
type materialJSON struct {
	PublicKey *struct {
		Hint string `json:"hint"`
	} `json:"publicKey"`
	Certificate *certificateJSON `json:"certificate"`
	Chain       *struct {
		Certificates []certificateJSON `json:"certificates"`
	} `json:"x509CertificateChain"`
	LogEntries []json.RawMessage `json:"tlogEntries"`
	Timestamps struct {
		RFC3161 []json.RawMessage `json:"rfc3161Timestamps"`
	} `json:"timestampVerificationData"`
}

// messageJSON is a signature over a file.
type messageJSON struct {
	Digest struct {
		Algorithm string `json:"algorithm"`
		Digest    string `json:"digest"`
	} `json:"messageDigest"`
}

type unverifiedReader struct {
	name        string
	annotations map[string]string
	out         Unverified
}

func (r *unverifiedReader) bad(field, bound string, err error) error {
	return &assay.Error{Op: "read envelope", Kind: assay.ErrInvalid, Subject: r.name, Field: field, Bound: bound, Err: err}
}

func (r *unverifiedReader) material(m *materialJSON) {
	if m != nil {
		r.out.LogEntries, r.out.Timestamps = len(m.LogEntries), len(m.Timestamps.RFC3161)
	}
}

// beside counts what cosign keeps in annotations.
func (r *unverifiedReader) beside() {
	if r.annotations[assay.AnnotationRekorBundle] != "" {
		r.out.LogEntries = 1
	}
	if r.annotations[assay.AnnotationTimestamp] != "" {
		r.out.Timestamps = 1
	}
}

func (r *unverifiedReader) dsse(at string, env *dsseJSON, m *materialJSON) error {
	for i, s := range env.Signatures {
		if i == maxUnverifiedSignatures {
			break
		}
		u := UnverifiedSignature{KeyHint: s.KeyID}
		r.signed(&u, m)
		r.out.Signatures = append(r.out.Signatures, u)
	}
	if !statementPayload(env.PayloadType) {
		return nil // signed, and no statement
	}
	payload, err := decodeBase64(env.Payload)
	if err != nil {
		return r.bad(at+"/payload", "base64", err)
	}
	return r.statement(payload)
}

func (r *unverifiedReader) statement(payload []byte) error {
	h, err := ParseStatement(r.name, payload)
	if err != nil {
		return err
	}
	r.out.PredicateType, r.out.Subjects = h.PredicateType, h.Subjects
	return nil
}

func (r *unverifiedReader) message(m *messageJSON, material *materialJSON) error {
	u := UnverifiedSignature{}
	r.signed(&u, material)
	r.out.Signatures = []UnverifiedSignature{u}
	if m.Digest.Algorithm != "SHA2_256" {
		return nil
	}
	sum, err := decodeBase64(m.Digest.Digest)
	if err != nil {
		return r.bad("/messageSignature/messageDigest/digest", "base64", err)
	}
	d, err := assay.NewDigest(assay.SHA256, hex.EncodeToString(sum))
	if err != nil {
		return r.bad("/messageSignature/messageDigest/digest", "a SHA-256", err)
	}
	r.out.Subjects = []assay.Subject{{Digest: assay.DigestSet{d}}}
	return nil
}

// cosign reads the payload of a signature (cosign specs/SIGNATURE_SPEC.md).
func (r *unverifiedReader) cosign(critical []byte) error {
	var doc struct {
		Identity struct {
			Reference string `json:"docker-reference"`
		} `json:"identity"`
		Image struct {
			Digest string `json:"docker-manifest-digest"`
		} `json:"image"`
	}
	if err := strictjson.Unmarshal(r.name, critical, &doc, strictjson.Limits{}); err != nil {
		return err
	}
	d, err := assay.ParseDigest(doc.Image.Digest)
	if err != nil {
		return r.bad("/critical/image/docker-manifest-digest", "a digest", err)
	}
	r.out.Subjects = []assay.Subject{{Name: doc.Identity.Reference, Digest: assay.DigestSet{d}}}
	if r.annotations[assay.AnnotationSignature] != "" {
		u := UnverifiedSignature{}
		r.signed(&u, nil)
		r.out.Signatures = []UnverifiedSignature{u}
	}
	return nil
}

// signed fills in what stands beside a signature.
func (r *unverifiedReader) signed(u *UnverifiedSignature, m *materialJSON) {
	var der []byte
	switch {
	case m == nil:
		if block, _ := pem.Decode([]byte(r.annotations[assay.AnnotationCertificate])); block != nil {
			der = block.Bytes
		}
	case m.Certificate != nil:
		der, _ = decodeBase64(m.Certificate.RawBytes)
		u.Certificate = true
	case m.Chain != nil && len(m.Chain.Certificates) > 0:
		der, _ = decodeBase64(m.Chain.Certificates[0].RawBytes)
		u.Certificate = true
	case m.PublicKey != nil && u.KeyHint == "":
		u.KeyHint = m.PublicKey.Hint
	}
	if r.annotations[assay.AnnotationCertificate] != "" {
		u.Certificate = true
	}
	// One that cannot be read is shown as one without names.
	if c, err := x509.ParseCertificate(der); err == nil {
		u.Names, u.Issuer = names(c), issuer(c)
	}
}

func names(c *x509.Certificate) []string {
	out := append([]string(nil), c.EmailAddresses...)
	for _, u := range c.URIs {
		out = append(out, u.String())
	}
	return append(out, c.DNSNames...)
}

func issuer(c *x509.Certificate) string {
	v1 := ""
	for _, x := range c.Extensions {
		switch x.Id.String() {
		case "1.3.6.1.4.1.57264.1.8":
			var s string
			if rest, err := asn1.Unmarshal(x.Value, &s); err == nil && len(rest) == 0 {
				return s
			}
		case "1.3.6.1.4.1.57264.1.1":
			v1 = string(x.Value)
		}
	}
	return v1
}

// String is one line: what, about what, and by whom, all of it claimed and quoted.
func (u *Unverified) String() string {
	s := "unverified " + string(u.Format)
	if u.PredicateType != "" {
		s += " of " + strconv.Quote(string(u.PredicateType))
	}
	if len(u.Subjects) > 0 && len(u.Subjects[0].Digest) > 0 {
		s += " about " + u.Subjects[0].Digest[0].String()
		if n := len(u.Subjects) - 1; n > 0 {
			s += " and " + strconv.Itoa(n) + " more"
		}
	}
	switch {
	case len(u.Signatures) == 0:
		return s + ", not signed"
	case u.Signatures[0].Certificate && len(u.Signatures[0].Names) > 0:
		return s + ", by " + strconv.Quote(u.Signatures[0].Names[0])
	case u.Signatures[0].Certificate:
		return s + ", by somebody with a certificate"
	case u.Signatures[0].KeyHint != "":
		return s + ", by key " + strconv.Quote(u.Signatures[0].KeyHint)
	}
	return s + ", by a key"
}
