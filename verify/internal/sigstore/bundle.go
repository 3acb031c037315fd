package sigstore

import (
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"

	"github.com/assaykit/assay/internal/strictjson"
)

// ErrUnsupported marks what may be good, and is of a kind or version that is not
// known here.
var ErrUnsupported = errors.New("not supported")

const bundleType = "application/vnd.dev.sigstore.bundle"

// bundleVersion reads the media type: "application/vnd.dev.sigstore.bundle+json;version=0.1"
// and the like up to 0.3, and "application/vnd.dev.sigstore.bundle.v0.3+json" from then on.
func bundleVersion(mediaType string) (minor int, err error) {
	v, ok := strings.CutPrefix(mediaType, bundleType+"+json;version=")
	if !ok {
		v, ok = strings.CutPrefix(mediaType, bundleType+".v")
		if ok {
			v, ok = strings.CutSuffix(v, "+json")
		}
	}
	if ok {
		switch v {
		case "0.1", "0.1.0":
			return 1, nil
		case "0.2", "0.2.0":
			return 2, nil
		case "0.3", "0.3.0":
			return 3, nil
		}
	}
	return 0, fmt.Errorf("%w: media type %q, want a bundle of version 0.1, 0.2 or 0.3", ErrUnsupported, mediaType)
}

// ParseBundle takes a sigstore bundle of version 0.1 to 0.3 apart. The name is for
// errors.
func ParseBundle(name string, raw []byte, limits strictjson.Limits) (*Signed, error) {
	limits.RejectUnknown = true
	var b bundleForm
	if err := strictjson.Unmarshal(name, raw, &b, limits); err != nil {
		// A later version may have members that are not known.
		var head struct {
			MediaType string `json:"mediaType"`
		}
		limits.RejectUnknown = false
		if strictjson.Unmarshal(name, raw, &head, limits) == nil && strings.HasPrefix(head.MediaType, bundleType) {
			if _, unknown := bundleVersion(head.MediaType); unknown != nil {
				return nil, unknown
			}
		}
		return nil, err
	}
	minor, err := bundleVersion(b.MediaType)
	switch {
	case err != nil && strings.HasPrefix(b.MediaType, bundleType):
		return nil, err
	case err != nil:
		return nil, fmt.Errorf("media type %q, want a bundle's", b.MediaType)
	case b.VerificationMaterial == nil:
		return nil, errors.New("no verificationMaterial")
	case (b.DSSEEnvelope == nil) == (b.MessageSignature == nil):
		return nil, errors.New("want a dsseEnvelope or a messageSignature")
	}
	s, vm := &Signed{}, b.VerificationMaterial
	if err := s.setSigner(vm, minor); err != nil {
		return nil, err
	}
	if err := s.setEntries(vm.TlogEntries, minor); err != nil {
		return nil, err
	}
	stamps := vm.TimestampVerificationData.RFC3161Timestamps
	if len(stamps) > MaxTimestamps {
		return nil, fmt.Errorf("%d timestamps, want %d at most", len(stamps), MaxTimestamps)
	}
	for _, t := range stamps {
		s.Timestamps = append(s.Timestamps, t.SignedTimestamp)
	}
	if e := b.DSSEEnvelope; e != nil {
		switch {
		case len(e.Signatures) != 1:
			// sigstore_bundle.proto: exactly one.
			return nil, fmt.Errorf("dsseEnvelope has %d signatures, want exactly one", len(e.Signatures))
		case e.Payload == nil:
			return nil, errors.New("dsseEnvelope has no payload")
		}
		s.setDSSE(e.PayloadType, e.Payload, e.Signatures[0].Sig)
		return s, nil
	}
	digest, h := b.MessageSignature.MessageDigest.Digest, crypto.Hash(b.MessageSignature.MessageDigest.Algorithm)
	if h == 0 || len(digest) != h.Size() {
		return nil, fmt.Errorf("messageDigest is of %d bytes, want a SHA-2 digest", len(digest))
	}
	s.setMessage(h, digest, b.MessageSignature.Signature)
	return s, nil
}

func (s *Signed) setSigner(vm *materialForm, minor int) error {
	var der []byte
	chain, leaf, key := vm.X509CertificateChain, vm.Certificate, vm.PublicKey
	switch {
	case chain != nil && leaf == nil && key == nil:
		if minor >= 3 {
			return errors.New("an x509CertificateChain in a bundle of version 0.3")
		}
		// Only the leaf is taken: a chain that came along is trusted no more than any
		// other byte.
		if len(chain.Certificates) == 0 {
			return errors.New("an empty x509CertificateChain")
		}
		der = chain.Certificates[0].RawBytes
	case leaf != nil && chain == nil && key == nil:
		der = leaf.RawBytes
	case key != nil && leaf == nil && chain == nil:
		s.Hint = key.Hint
		return nil
	default:
		return errors.New("verificationMaterial must have one of certificate, x509CertificateChain and publicKey")
	}
	var err error
	s.Certificate, err = x509.ParseCertificate(der)
	return err
}

func (s *Signed) setEntries(entries []entryForm, minor int) error {
	if len(entries) > MaxEntries {
		return fmt.Errorf("%d tlogEntries, want %d at most", len(entries), MaxEntries)
	}
	promised, included := false, false
	for i := range entries {
		e := &entries[i]
		bad := func(what string) error { return fmt.Errorf("tlogEntries/%d: %s", i, what) }
		switch {
		case e.KindVersion == nil:
			return bad("no kindVersion")
		case e.LogID.KeyID == nil:
			return bad("no logId")
		case e.CanonicalizedBody == nil:
			return bad("no canonicalizedBody")
		case e.LogIndex < 0:
			return bad("a negative logIndex")
		}
		out := Entry{LogID: e.LogID.KeyID, Index: int64(e.LogIndex), Time: int64(e.IntegratedTime),
			Body: e.CanonicalizedBody, Promise: e.InclusionPromise.SignedEntryTimestamp}
		if p := e.InclusionProof; p != nil {
			if p.Checkpoint.Envelope == "" {
				return bad("an inclusionProof without a checkpoint")
			}
			out.Proof = &Proof{Index: int64(p.LogIndex), Size: int64(p.TreeSize), Root: p.RootHash, Checkpoint: p.Checkpoint.Envelope,
				Hashes: make([][]byte, len(p.Hashes))}
			for i, h := range p.Hashes {
				out.Proof.Hashes[i] = h
			}
		}
		promised = promised || len(out.Promise) > 0
		included = included || out.Proof != nil
		s.Entries = append(s.Entries, out)
	}
	switch {
	case len(entries) == 0:
	case minor == 1 && !promised:
		return errors.New("no inclusionPromise, which version 0.1 requires")
	case minor > 1 && !included:
		return errors.New("no inclusionProof, which versions from 0.2 on require")
	}
	return nil
}
