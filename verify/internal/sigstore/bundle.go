package sigstore

import (
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"

	protobundle "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"
	protocommon "github.com/sigstore/protobuf-specs/gen/pb-go/common/v1"
	protorekor "github.com/sigstore/protobuf-specs/gen/pb-go/rekor/v1"
	"google.golang.org/protobuf/encoding/protojson"
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

// ParseBundle takes a sigstore bundle apart: protobuf JSON of version 0.1 to 0.3
// (protobuf-specs, sigstore_bundle.proto). The caller has made sure that it is strict
// JSON.
func ParseBundle(raw []byte) (*Signed, error) {
	var b protobundle.Bundle
	if err := protojson.Unmarshal(raw, &b); err != nil {
		return nil, err
	}
	minor, err := bundleVersion(b.GetMediaType())
	if err != nil {
		return nil, err
	}
	s := &Signed{}
	vm := b.GetVerificationMaterial()
	if err := s.setSigner(vm, minor); err != nil {
		return nil, err
	}
	if err := s.setEntries(vm.GetTlogEntries(), minor); err != nil {
		return nil, err
	}
	stamps := vm.GetTimestampVerificationData().GetRfc3161Timestamps()
	if len(stamps) > MaxTimestamps {
		return nil, fmt.Errorf("%d timestamps, want %d at most", len(stamps), MaxTimestamps)
	}
	for _, t := range stamps {
		s.Timestamps = append(s.Timestamps, t.GetSignedTimestamp())
	}
	switch c := b.GetContent().(type) {
	case *protobundle.Bundle_DsseEnvelope:
		sigs := c.DsseEnvelope.GetSignatures()
		if len(sigs) != 1 {
			// sigstore_bundle.proto: exactly one.
			return nil, fmt.Errorf("dsseEnvelope has %d signatures, want exactly one", len(sigs))
		}
		if c.DsseEnvelope.GetPayload() == nil {
			return nil, errors.New("dsseEnvelope has no payload")
		}
		s.setDSSE(c.DsseEnvelope.GetPayloadType(), c.DsseEnvelope.GetPayload(), sigs[0].GetSig())
	case *protobundle.Bundle_MessageSignature:
		digest := c.MessageSignature.GetMessageDigest()
		h, ok := hashes[digest.GetAlgorithm()]
		if !ok || len(digest.GetDigest()) != h.Size() {
			return nil, fmt.Errorf("messageDigest is of %d bytes by %v, want a SHA-2 digest", len(digest.GetDigest()), digest.GetAlgorithm())
		}
		s.setMessage(h, digest.GetDigest(), c.MessageSignature.GetSignature())
	default:
		return nil, errors.New("neither a dsseEnvelope nor a messageSignature")
	}
	return s, nil
}

var hashes = map[protocommon.HashAlgorithm]crypto.Hash{
	protocommon.HashAlgorithm_SHA2_256: crypto.SHA256,
	protocommon.HashAlgorithm_SHA2_384: crypto.SHA384,
	protocommon.HashAlgorithm_SHA2_512: crypto.SHA512,
}

func (s *Signed) setSigner(vm *protobundle.VerificationMaterial, minor int) error {
	var der []byte
	switch c := vm.GetContent().(type) {
	case *protobundle.VerificationMaterial_X509CertificateChain:
		if minor >= 3 {
			return errors.New("an x509CertificateChain in a bundle of version 0.3")
		}
		// Only the leaf is taken: a chain that came along is trusted no more than any
		// other byte.
		chain := c.X509CertificateChain.GetCertificates()
		if len(chain) == 0 {
			return errors.New("an empty x509CertificateChain")
		}
		der = chain[0].GetRawBytes()
	case *protobundle.VerificationMaterial_Certificate:
		der = c.Certificate.GetRawBytes()
	case *protobundle.VerificationMaterial_PublicKey:
		s.Hint = c.PublicKey.GetHint()
		return nil
	default:
		return errors.New("verificationMaterial has neither a certificate nor a publicKey")
	}
	var err error
	s.Certificate, err = x509.ParseCertificate(der)
	return err
}

func (s *Signed) setEntries(entries []*protorekor.TransparencyLogEntry, minor int) error {
	if len(entries) > MaxEntries {
		return fmt.Errorf("%d tlogEntries, want %d at most", len(entries), MaxEntries)
	}
	promised, included := false, false
	for i, e := range entries {
		bad := func(what string) error { return fmt.Errorf("tlogEntries/%d: %s", i, what) }
		switch {
		case e.GetKindVersion() == nil:
			return bad("no kindVersion")
		case e.GetLogId().GetKeyId() == nil:
			return bad("no logId")
		case e.GetCanonicalizedBody() == nil:
			return bad("no canonicalizedBody")
		case e.GetLogIndex() < 0:
			return bad("a negative logIndex")
		}
		out := Entry{LogID: e.GetLogId().GetKeyId(), Index: e.GetLogIndex(), Time: e.GetIntegratedTime(),
			Body: e.GetCanonicalizedBody(), Promise: e.GetInclusionPromise().GetSignedEntryTimestamp()}
		if p := e.GetInclusionProof(); p != nil {
			if p.GetCheckpoint().GetEnvelope() == "" {
				return bad("an inclusionProof without a checkpoint")
			}
			out.Proof = &Proof{Index: p.GetLogIndex(), Size: p.GetTreeSize(), Root: p.GetRootHash(),
				Hashes: p.GetHashes(), Checkpoint: p.GetCheckpoint().GetEnvelope()}
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
