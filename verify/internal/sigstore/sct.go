package sigstore

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

var oidSCTList = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 11129, 2, 4, 2}

// maxSCTs bounds the promises in one certificate; one to three are usual.
const maxSCTs = 32

// sct is a signed certificate timestamp (RFC 6962, section 3.2), version 1.
type sct struct {
	log        [32]byte
	timestamp  uint64 // milliseconds
	extensions []byte
	hash, alg  uint8
	signature  []byte
}

// parseSCTs reads the list in the extension of a certificate.
func parseSCTs(extension []byte) ([]sct, error) {
	malformed := errors.New("the certificate's list of SCTs is malformed")
	in := cryptobyte.String(extension)
	var octets, list cryptobyte.String
	if !in.ReadASN1(&octets, cbasn1.OCTET_STRING) || !in.Empty() || !octets.ReadUint16LengthPrefixed(&list) || !octets.Empty() {
		return nil, malformed
	}
	var out []sct
	for !list.Empty() {
		var one, extensions, signature cryptobyte.String
		var version uint8
		if !list.ReadUint16LengthPrefixed(&one) || !one.ReadUint8(&version) {
			return nil, malformed
		}
		if version != 0 {
			continue // of a version that is not known; RFC 6962, section 3.3
		}
		var s sct
		if !one.CopyBytes(s.log[:]) || !one.ReadUint64(&s.timestamp) || !one.ReadUint16LengthPrefixed(&extensions) ||
			!one.ReadUint8(&s.hash) || !one.ReadUint8(&s.alg) || !one.ReadUint16LengthPrefixed(&signature) || !one.Empty() {
			return nil, malformed
		}
		if len(out) == maxSCTs {
			return nil, fmt.Errorf("more than %d SCTs in the certificate", maxSCTs)
		}
		s.extensions, s.signature = extensions, signature
		out = append(out, s)
	}
	return out, nil
}

// withoutSCTs is the certificate as the logs saw it: its signed part without the list
// of their promises (RFC 6962, section 3.2).
func withoutSCTs(tbs []byte) ([]byte, error) {
	malformed := errors.New("the certificate's extensions are malformed")
	in := cryptobyte.String(tbs)
	var fields cryptobyte.String
	if !in.ReadASN1(&fields, cbasn1.SEQUENCE) || !in.Empty() {
		return nil, malformed
	}
	extensionsTag := cbasn1.Tag(3).Constructed().ContextSpecific()
	var out cryptobyte.Builder
	found := false
	out.AddASN1(cbasn1.SEQUENCE, func(out *cryptobyte.Builder) {
		for !fields.Empty() {
			var field cryptobyte.String
			var tag cbasn1.Tag
			if !fields.ReadAnyASN1Element(&field, &tag) {
				out.SetError(malformed)
				return
			}
			if tag != extensionsTag {
				out.AddBytes(field)
				continue
			}
			var explicit, list cryptobyte.String
			if !field.ReadASN1(&explicit, extensionsTag) || !explicit.ReadASN1(&list, cbasn1.SEQUENCE) {
				out.SetError(malformed)
				return
			}
			out.AddASN1(extensionsTag, func(out *cryptobyte.Builder) {
				out.AddASN1(cbasn1.SEQUENCE, func(out *cryptobyte.Builder) {
					for !list.Empty() {
						var element, inner cryptobyte.String
						var id asn1.ObjectIdentifier
						if !list.ReadASN1Element(&element, cbasn1.SEQUENCE) {
							out.SetError(malformed)
							return
						}
						whole := element
						if !element.ReadASN1(&inner, cbasn1.SEQUENCE) || !inner.ReadASN1ObjectIdentifier(&id) {
							out.SetError(malformed)
							return
						}
						if id.Equal(oidSCTList) {
							found = true
							continue
						}
						out.AddBytes(whole)
					}
				})
			})
		}
	})
	b, err := out.Bytes()
	if err == nil && !found {
		err = errors.New("the certificate has no SCTs")
	}
	return b, err
}

// promised proves that certificate transparency logs of the trusted root, that many
// distinct ones, promised to record the certificate, when their keys were valid.
func (r *Root) promised(leaf *x509.Certificate, issuers []*x509.Certificate, need int) error {
	var extension []byte
	for _, e := range leaf.Extensions {
		if e.Id.Equal(oidSCTList) {
			extension = e.Value
		}
	}
	if extension == nil {
		return errors.New("the certificate has no SCTs")
	}
	list, err := parseSCTs(extension)
	if err != nil {
		return err
	}
	tbs, err := withoutSCTs(leaf.RawTBSCertificate)
	if err != nil {
		return err
	}
	seen := map[[sha256.Size]byte]bool{}
	for i := range list {
		l, ok := r.ctLogs[list[i].log]
		if !ok || seen[l.unique] || list[i].timestamp > 1<<53 || !l.valid.has(time.UnixMilli(int64(list[i].timestamp))) {
			continue
		}
		for _, issuer := range issuers {
			if list[i].verify(l.key, tbs, issuer) == nil {
				seen[l.unique] = true
				break
			}
		}
	}
	if len(seen) < need {
		return fmt.Errorf("%d certificate transparency logs promised to record the certificate, want %d", len(seen), need)
	}
	return nil
}

// verify checks the signature over the precertificate.
func (s *sct) verify(key crypto.PublicKey, tbs []byte, issuer *x509.Certificate) error {
	const sha256Algorithm, rsaAlgorithm, ecdsaAlgorithm = 4, 1, 3 // RFC 5246, section 7.4.1.4.1
	var want uint8
	switch k := key.(type) {
	case *rsa.PublicKey:
		want = rsaAlgorithm
	case *ecdsa.PublicKey:
		if k.Curve != elliptic.P256() { // RFC 6962, section 2.1.4
			return errors.New("a log's key of another curve than P-256")
		}
		want = ecdsaAlgorithm
	}
	if s.hash != sha256Algorithm || s.alg != want {
		return errors.New("an SCT by an algorithm that RFC 6962 does not allow")
	}
	issuerKey := sha256.Sum256(issuer.RawSubjectPublicKeyInfo)
	b := cryptobyte.NewBuilder(make([]byte, 0, 64+len(tbs)+len(s.extensions)))
	b.AddUint8(0) // version 1
	b.AddUint8(0) // certificate_timestamp
	b.AddUint64(s.timestamp)
	b.AddUint16(1) // precert_entry
	b.AddBytes(issuerKey[:])
	b.AddUint24LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(tbs) })
	b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(s.extensions) })
	message, err := b.Bytes()
	if err != nil {
		return err
	}
	return verifyMessage(key, message, s.signature)
}
