// Package envelope proves signatures: it opens an [assay.Envelope] and gives the
// payload only if somebody whom the caller trusts signed exactly these bytes.
//
// It is the one place where untrusted bytes become proven ones. Package verify
// builds on it; start there. What is proven is the signature, by whom and when;
// whether this signer may say such a thing about this image is policy, and not
// decided here.
package envelope

import (
	"cmp"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	protobundle "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"
	protocommon "github.com/sigstore/protobuf-specs/gen/pb-go/common/v1"
	protodsse "github.com/sigstore/protobuf-specs/gen/pb-go/dsse"
	protorekor "github.com/sigstore/protobuf-specs/gen/pb-go/rekor/v1"
	"github.com/sigstore/sigstore-go/pkg/bundle"
	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/verify"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/strictjson"
)

// MaxBytes bounds an envelope; an SBOM of 100,000 files fits.
const MaxBytes = 128 << 20

// Step is the part of the proof that failed. The steps are in the order in which
// they are taken.
type Step string

const (
	StepParse       Step = "envelope-malformed"
	StepUnsupported Step = "envelope-unsupported"
	StepTrust       Step = "signer-untrusted"
	StepLog         Step = "log-unproven"
	StepTime        Step = "time-unwitnessed"
	StepCertificate Step = "certificate-untrusted"
	StepSignature   Step = "signature-invalid"
	StepStatement   Step = "statement-malformed"
)

// Failure is why an envelope was not opened.
type Failure struct {
	Step Step
	Err  error
}

func (f *Failure) Error() string { return string(f.Step) + ": " + f.Err.Error() }

// Unwrap gives the cause.
func (f *Failure) Unwrap() error { return f.Err }

// Proven is what an envelope holds, after its signature was proven.
type Proven struct {
	// Payload is the signed payload, byte for byte.
	Payload []byte
	// PayloadType is the DSSE payload type, which the signature covers too.
	PayloadType string
	Signer      assay.Identity
	// Times are the witnessed times of the signature, sorted. Only a key may have
	// none.
	Times []Time
	// Logs are the transparency log entries that were proven, sorted. A bundle may
	// carry others, of logs that the trusted root does not list.
	Logs []LogEntry
}

// Time is one witness of when the signature existed.
type Time struct {
	// Witness is "transparency-log" or "timestamp-authority".
	Witness string
	// URI is the witness's, as the trusted root has it.
	URI string
	At  time.Time
}

// LogEntry points into a transparency log.
type LogEntry struct {
	// LogID is the hexadecimal key id of the log.
	LogID string
	Index int64
}

// Opener proves envelopes against fixed trust. It is safe for concurrent use and
// keeps nothing between envelopes.
type Opener struct {
	certificates *verify.Verifier // nil: no certificate is trusted
	logs         int              // that a certificate's signature must be in
	keys         []trustedKey
	material     root.TrustedMaterial // nil: no trusted root
}

// Open proves the envelope's signature. The error is always a [*Failure].
func (o *Opener) Open(e assay.Envelope) (*Proven, error) {
	return guard(e.Digest().String(), func() (*Proven, error) { return o.open(e) })
}

// guard makes a panic of the libraries that read hostile certificates, timestamps
// and log entries into a refusal: one envelope must not be able to end the process
// of a gate.
func guard(name string, open func() (*Proven, error)) (p *Proven, err error) {
	defer func() {
		if r := recover(); r != nil {
			p, err = nil, fail(StepParse, &assay.Error{Op: "verify signature", Kind: assay.ErrUnchecked, Subject: name, Value: fmt.Sprint(r), Bound: "no panic"})
		}
	}()
	return open()
}

func (o *Opener) open(e assay.Envelope) (*Proven, error) {
	b, err := parse(e)
	if err != nil {
		return nil, err
	}
	if b.content.Certificate() != nil {
		return o.openCertificate(b)
	}
	return o.openKey(b)
}

// entity is a bundle whose parts are taken apart once: the library asks for them in
// each step.
type entity struct {
	*bundle.Bundle
	content   verify.VerificationContent
	signature verify.SignatureContent
}

// VerificationContent gives the certificate or key hint.
func (e *entity) VerificationContent() (verify.VerificationContent, error) { return e.content, nil }

// SignatureContent gives the DSSE envelope.
func (e *entity) SignatureContent() (verify.SignatureContent, error) { return e.signature, nil }

func newEntity(b *bundle.Bundle) (*entity, error) {
	content, err := b.VerificationContent()
	if err != nil {
		return nil, err
	}
	signature, err := b.SignatureContent()
	if err != nil {
		return nil, err
	}
	return &entity{b, content, signature}, nil
}

// read takes the bytes for what they are. The media type is no part of what is
// signed, and whoever can write to a store can put the same bytes there under
// another one; it only says which of the two to try first.
func read(name, mediaType string, raw []byte) (*bundle.Bundle, error) {
	readers := []func(string, []byte) (*bundle.Bundle, error){readBundle, wrapDSSE}
	if mediaType == assay.MediaTypeDSSE {
		slices.Reverse(readers)
	}
	b, err := readers[0](name, raw)
	if err == nil {
		return b, nil
	}
	if b, err := readers[1](name, raw); err == nil {
		return b, nil
	}
	return nil, err
}

func readBundle(name string, raw []byte) (*bundle.Bundle, error) {
	b := new(bundle.Bundle)
	if err := b.UnmarshalJSON(raw); err != nil {
		if errors.Is(err, bundle.ErrUnsupportedMediaType) {
			return nil, fail(StepUnsupported, &assay.Error{Op: "read bundle", Kind: assay.ErrUnchecked, Subject: name, Err: err})
		}
		return nil, fail(StepParse, &assay.Error{Op: "read bundle", Kind: assay.ErrInvalid, Subject: name, Err: err})
	}
	return b, nil
}

func parse(e assay.Envelope) (*entity, error) {
	raw := e.Raw()
	name := e.Digest().String()
	// protojson keeps the last of two members with one name in places; check first.
	if err := strictjson.Check(name, raw, strictjson.Limits{MaxBytes: MaxBytes}); err != nil {
		return nil, fail(StepParse, err)
	}
	b, err := read(name, e.MediaType(), raw)
	if err != nil {
		return nil, err
	}
	env := b.GetDsseEnvelope()
	switch {
	case env == nil:
		return nil, fail(StepUnsupported, &assay.Error{Op: "read bundle", Kind: assay.ErrUnchecked, Subject: name,
			Field: "/messageSignature", Bound: "a bundle that holds a DSSE envelope"})
	case len(env.GetSignatures()) == 0:
		return nil, fail(StepParse, &assay.Error{Op: "read bundle", Kind: assay.ErrInvalid, Subject: name,
			Field: "/dsseEnvelope/signatures", Value: "0", Bound: "exactly one signature"})
	case len(env.GetSignatures()) > 1:
		return nil, fail(StepUnsupported, &assay.Error{Op: "read bundle", Kind: assay.ErrUnchecked, Subject: name,
			Field: "/dsseEnvelope/signatures", Value: fmt.Sprint(len(env.GetSignatures())), Bound: "exactly one signature"})
	case env.GetPayloadType() != assay.MediaTypeInToto:
		return nil, fail(StepUnsupported, &assay.Error{Op: "read bundle", Kind: assay.ErrUnchecked, Subject: name,
			Field: "/dsseEnvelope/payloadType", Value: env.GetPayloadType(), Bound: assay.MediaTypeInToto, Rule: "in-toto S7"})
	}
	out, err := newEntity(b)
	if err != nil {
		return nil, fail(StepParse, &assay.Error{Op: "read bundle", Kind: assay.ErrInvalid, Subject: name, Err: err})
	}
	return out, nil
}

// wrapDSSE puts a bare envelope into a bundle, as signed by a key: without a
// certificate and a witness no other proof is possible.
func wrapDSSE(name string, raw []byte) (*bundle.Bundle, error) {
	var in struct {
		Payload     *string `json:"payload"`
		PayloadType string  `json:"payloadType"`
		Signatures  []struct {
			KeyID string `json:"keyid"`
			Sig   string `json:"sig"`
		} `json:"signatures"`
	}
	if err := strictjson.Unmarshal(name, raw, &in, strictjson.Limits{MaxBytes: MaxBytes}); err != nil {
		return nil, fail(StepParse, err)
	}
	bad := func(field, bound string, err error) error {
		return fail(StepParse, &assay.Error{Op: "read envelope", Kind: assay.ErrInvalid, Subject: name, Field: field, Bound: bound, Err: err})
	}
	if in.Payload == nil {
		return nil, bad("/payload", "a DSSE envelope", nil)
	}
	payload, err := decodeBase64(*in.Payload)
	if err != nil {
		return nil, bad("/payload", "base64", err)
	}
	env := &protodsse.Envelope{Payload: payload, PayloadType: in.PayloadType}
	hint := ""
	for i, s := range in.Signatures {
		sig, err := decodeBase64(s.Sig)
		if err != nil {
			return nil, bad(fmt.Sprintf("/signatures/%d/sig", i), "base64", err)
		}
		env.Signatures = append(env.Signatures, &protodsse.Signature{Sig: sig, Keyid: s.KeyID})
		hint = s.KeyID
	}
	b, err := bundle.NewBundle(&protobundle.Bundle{
		MediaType: assay.MediaTypeSigstoreBundle,
		VerificationMaterial: &protobundle.VerificationMaterial{
			Content: &protobundle.VerificationMaterial_PublicKey{PublicKey: &protocommon.PublicKeyIdentifier{Hint: hint}},
		},
		Content: &protobundle.Bundle_DsseEnvelope{DsseEnvelope: env},
	})
	if err != nil {
		return nil, bad("/", "", err)
	}
	return b, nil
}

// decodeBase64 reads both alphabets, as a verifier must (DSSE v1.0.2, protocol.md).
func decodeBase64(s string) ([]byte, error) {
	if strings.ContainsAny(s, "-_") {
		return base64.URLEncoding.DecodeString(s)
	}
	return base64.StdEncoding.DecodeString(s)
}

func (o *Opener) openCertificate(b *entity) (*Proven, error) {
	if o.certificates == nil {
		return nil, fail(StepTrust, &assay.Error{Op: "verify signature", Kind: assay.ErrUnchecked,
			Bound: "a trusted root: the signature was made with a certificate"})
	}
	// The artifact is left out here, because subjects are matched by verify itself:
	// over all subjects, by strong algorithms only, on the raw payload. The identity
	// is left out because which signer may say what depends on the predicate.
	result, err := o.certificates.Verify(b, verify.NewPolicy(verify.WithoutArtifactUnsafe(), verify.WithoutIdentitiesUnsafe()))
	if err != nil {
		return nil, classify(o.certificates, o.material, b, err)
	}
	if result.Signature == nil || result.Signature.Certificate == nil {
		return nil, fail(StepSignature, errors.New("verified without a certificate"))
	}
	p := proven(b)
	if p.Signer, err = identity(result.Signature.Certificate, b.content.Certificate()); err != nil {
		return nil, fail(StepCertificate, err)
	}
	p.Times = times(result.VerifiedTimestamps)
	p.Logs = provenLogs(b, o.material, o.logs > 0)
	return p, nil
}

// classify finds the step that failed, by taking those that can be taken alone
// once more. It is only on the way to a refusal.
func classify(v *verify.Verifier, material root.TrustedMaterial, b *entity, cause error) *Failure {
	refuted := func(step Step, err error) *Failure {
		return fail(step, &assay.Error{Op: "verify signature", Kind: assay.ErrRefuted, Err: err})
	}
	stamps, err := v.VerifyTransparencyLogInclusion(b)
	if err != nil {
		return refuted(StepLog, err)
	}
	witnessed, err := v.VerifyObserverTimestamps(b, stamps)
	if err != nil {
		return refuted(StepTime, err)
	}
	for _, w := range witnessed {
		if leaf := b.content.Certificate(); leaf != nil {
			if _, err := verify.VerifyLeafCertificate(w.Timestamp, leaf, material); err != nil {
				return refuted(StepCertificate, fmt.Errorf("at %s: %w", w.Timestamp.UTC().Format(time.RFC3339), err))
			}
		} else if !b.content.ValidAtTime(w.Timestamp, material) {
			return refuted(StepTime, fmt.Errorf("%s is outside of the key's window", w.Timestamp.UTC().Format(time.RFC3339)))
		}
	}
	// The library reads the statement in the same call. What is signed as it should
	// be and cannot be read is a malformed statement, not a bad signature.
	if verify.VerifySignature(b.signature, b.content, material) == nil {
		return fail(StepStatement, &assay.Error{Op: "read statement", Kind: assay.ErrInvalid, Err: cause})
	}
	return refuted(StepSignature, cause)
}

// proven copies what the signature covers; call it after the proof.
func proven(b *entity) *Proven {
	env := b.GetDsseEnvelope()
	return &Proven{Payload: slices.Clone(env.GetPayload()), PayloadType: env.GetPayloadType()}
}

// provenLogs gives the entries that the material proves, each by itself: the library
// passes over those of logs that it does not know, and whoever stores a bundle can
// add such entries to it. With required, the proof so far took at least one.
func provenLogs(b *entity, material root.TrustedMaterial, required bool) []LogEntry {
	var out []LogEntry
	entries := b.GetVerificationMaterial().GetTlogEntries()
	for _, e := range entries {
		entry := LogEntry{hex.EncodeToString(e.GetLogId().GetKeyId()), e.GetLogIndex()}
		if required && len(entries) == 1 {
			return []LogEntry{entry}
		}
		one := *b
		one.Bundle = &bundle.Bundle{Bundle: &protobundle.Bundle{
			MediaType: b.GetMediaType(),
			VerificationMaterial: &protobundle.VerificationMaterial{
				Content: b.GetVerificationMaterial().GetContent(), TlogEntries: []*protorekor.TransparencyLogEntry{e}},
			Content: b.GetContent(),
		}}
		if _, err := verify.VerifyTlogEntry(&one, material, 1, false); err == nil {
			out = append(out, entry)
		}
	}
	slices.SortFunc(out, func(a, b LogEntry) int {
		return cmp.Or(cmp.Compare(a.LogID, b.LogID), cmp.Compare(a.Index, b.Index))
	})
	return out
}

func times(in []verify.TimestampVerificationResult) []Time {
	var out []Time
	for _, t := range in {
		w := "timestamp-authority"
		if t.Type == "Tlog" {
			w = "transparency-log"
		}
		out = append(out, Time{w, t.URI, t.Timestamp.UTC()})
	}
	slices.SortFunc(out, func(a, b Time) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Witness, b.Witness), cmp.Compare(a.URI, b.URI))
	})
	// Where a threshold of authorities is set, the library gives their times twice.
	return slices.Compact(out)
}

func fail(step Step, err error) *Failure { return &Failure{step, err} }
