package verify

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/verify/internal/envelope"
)

// SignatureVerifier verifies single signatures on anything that has a digest: files
// that "cosign sign-blob" signed, releases, and statements about them. For an image and
// all that is said of it use [Verifier]. It is safe for concurrent use, and what it
// keeps between signatures is bounded.
type SignatureVerifier struct {
	opener *envelope.Opener
	policy *compiledPolicy
}

// NewSignatureVerifier checks the trust and the rules and makes a verifier of them.
// Both are needed.
func NewSignatureVerifier(trust Trust, signers ...SignerRule) (*SignatureVerifier, error) {
	opener, err := trust.opener()
	if err != nil {
		return nil, err
	}
	policy, err := Policy{Signers: signers}.compile()
	if err != nil {
		return nil, err
	}
	return &SignatureVerifier{opener, policy}, nil
}

// Signature is what one signature proves.
type Signature struct {
	// Subject is what was signed: the digest, or the subject of the statement that has
	// it.
	Subject assay.Subject
	// Kind is [assay.KindSignature], or what the statement states; PredicateType is
	// empty without a statement.
	Kind          assay.Kind
	PredicateType assay.PredicateType
	// Signers are those proven ones whom Rule names.
	Signers []assay.Identity
	Rule    string
	// SignedBy is the earliest of the times of Witnesses, which are sorted; zero for a
	// key's signature without a witness.
	SignedBy   time.Time
	Witnesses  []Witness
	LogEntries []LogEntry
}

// Verify proves that one of the signers signed the digest, or stated something about
// it. An error is an [*assay.Error] of one of the kinds: refuted and invalid for a
// signature that is false, foreign or malformed, unchecked for one that could not be
// checked.
func (v *SignatureVerifier) Verify(e assay.Envelope, digest assay.Digest) (*Signature, error) {
	if !digest.Algorithm().Strong() {
		return nil, &assay.Error{Op: "verify signature", Kind: assay.ErrInvalid, Field: "digest", Value: digest.String(), Bound: "a digest that identifies content, such as sha256"}
	}
	return v.verify(e, nil, digest)
}

// VerifyContent is Verify for content that is at hand. What an Ed25519 key signed can
// be verified only so.
func (v *SignatureVerifier) VerifyContent(e assay.Envelope, content []byte) (*Signature, error) {
	s256, s384, s512 := sha256.Sum256(content), sha512.Sum384(content), sha512.Sum512(content)
	var about []assay.Digest
	for _, d := range []struct {
		algorithm assay.Algorithm
		sum       []byte
	}{{assay.SHA256, s256[:]}, {assay.SHA384, s384[:]}, {assay.SHA512, s512[:]}} {
		digest, err := assay.NewDigest(d.algorithm, hex.EncodeToString(d.sum))
		if err != nil {
			return nil, err
		}
		about = append(about, digest)
	}
	if content == nil {
		content = []byte{}
	}
	return v.verify(e, content, about...)
}

func (v *SignatureVerifier) verify(e assay.Envelope, content []byte, about ...assay.Digest) (*Signature, error) {
	name := e.Digest().String()
	proven, err := v.opener.OpenMessage(e, content)
	if err != nil {
		f, ok := errors.AsType[*envelope.Failure](err)
		kind := assay.ErrUnchecked
		if ok && stateOf(f.Err) == assay.Refuted {
			kind = assay.ErrRefuted
		}
		return nil, &assay.Error{Op: "verify signature", Kind: kind, Subject: name, Err: err}
	}
	s, err := whatIsSaid(name, proven)
	if err != nil {
		return nil, err
	}
	out := &Signature{Kind: s.kind, PredicateType: s.header.PredicateType}
	var ok bool
	if out.Subject, ok = ofImage.match(s.header.Subjects, about); !ok {
		return nil, &assay.Error{Op: "verify signature", Kind: assay.ErrRefuted, Subject: name, Field: "subject",
			Value: subjects(s.header.Subjects), Bound: about[0].String()}
	}
	rule, by, ok := v.policy.signerFor(proven.Signers, s.kind, ofImage)
	if !ok {
		return nil, &assay.Error{Op: "verify signature", Kind: assay.ErrRefuted, Subject: name, Field: "signer",
			Value: names(proven.Signers), Bound: fmt.Sprintf("a signer of %s whom a rule names", s.kind)}
	}
	out.Rule, out.Signers = rule.Name, by
	out.Witnesses, out.LogEntries = witnesses(proven)
	if len(out.Witnesses) > 0 {
		out.SignedBy = out.Witnesses[0].At
	}
	return out, nil
}

func witnesses(p *envelope.Proven) ([]Witness, []LogEntry) {
	var times []Witness
	for _, t := range p.Times {
		times = append(times, Witness{Kind: t.Witness, URI: t.URI, At: t.At})
	}
	var logs []LogEntry
	for _, l := range p.Logs {
		logs = append(logs, LogEntry(l))
	}
	return times, logs
}
