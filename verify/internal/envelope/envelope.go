// Package envelope proves signatures: it opens an [assay.Envelope] and gives the
// payload only if somebody whom the caller trusts signed exactly these bytes.
//
// It is the one place where untrusted bytes become proven ones. Package verify
// builds on it; start there. What is proven is the signature, by whom and when;
// whether this signer may say such a thing about this image is policy, and not
// decided here. The checks themselves are package sigstore's.
package envelope

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/strictjson"
	"github.com/assaykit/assay/verify/internal/sigstore"
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
	// Payload is the signed payload, byte for byte; nil where only the digest of what
	// was signed is known.
	Payload []byte
	// PayloadType is the DSSE payload type, which the signature covers too;
	// [assay.MediaTypeSimpleSigning] for cosign's payloads, and empty for others.
	PayloadType string
	// Digest is of the message that was signed; zero for a DSSE envelope.
	Digest assay.Digest
	// Signers are all who are proven to have signed, each once: one certificate, or
	// one key and more, sorted.
	Signers []assay.Identity
	// Times are the witnessed times of the signature, sorted. Only a key may have
	// none, and an envelope with several signatures brings none along.
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

// Opener proves envelopes against fixed trust. It is safe for concurrent use, and
// what it keeps between envelopes is bounded.
type Opener struct {
	root                      *sigstore.Root // nil: no certificate and no witness is trusted
	logs, authorities, ctLogs int            // that a certificate needs
	keys                      []trustedKey
}

// Open proves the envelope's signature. The error is always a [*Failure].
func (o *Opener) Open(e assay.Envelope) (*Proven, error) { return o.OpenMessage(e, nil) }

// OpenMessage is Open with the message at hand that the envelope may be a signature
// of. Most signatures need no more of it than the digest, which they bring along.
func (o *Opener) OpenMessage(e assay.Envelope, message []byte) (*Proven, error) {
	return guard(e.Digest().String(), func() (*Proven, error) { return o.open(e, message) })
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

func (o *Opener) open(e assay.Envelope, message []byte) (*Proven, error) {
	raw := e.Raw()
	signed, err := parse(e, raw)
	if err != nil {
		return nil, err
	}
	first := signed[0]
	p := &Proven{}
	switch {
	case first.IsDSSE():
		p.Payload, p.PayloadType = first.Payload, first.PayloadType
	case e.MediaType() == assay.MediaTypeSimpleSigning:
		p.Payload, p.PayloadType, message = raw, assay.MediaTypeSimpleSigning, raw
	}
	if !first.IsDSSE() {
		if p.Digest, err = first.MessageDigest(); err != nil {
			return nil, fail(StepParse, err)
		}
	}
	if first.Certificate != nil {
		err = o.certificate(p, first, message)
	} else {
		err = o.key(p, signed, message)
	}
	if err != nil {
		return nil, err
	}
	p.sort()
	return p, nil
}

// parse takes the bytes for what they are. The media type is no part of what is
// signed, and whoever can write to a store can put the same bytes there under
// another one; it only says what to try first.
func parse(e assay.Envelope, raw []byte) ([]*sigstore.Signed, error) {
	name, limits := e.Digest().String(), strictjson.Limits{MaxBytes: MaxBytes}
	annotations := e.Annotations()
	if len(annotations) > 0 || e.MediaType() == assay.MediaTypeSimpleSigning {
		s, err := sigstore.ParseCosign(name, e.MediaType(), raw, annotations, limits)
		if err != nil {
			return nil, fail(StepParse, err)
		}
		return supported(name, []*sigstore.Signed{s})
	}
	bundle := func() ([]*sigstore.Signed, error) {
		s, err := sigstore.ParseBundle(name, raw, limits)
		switch {
		case errors.Is(err, sigstore.ErrUnsupported):
			return nil, fail(StepUnsupported, &assay.Error{Op: "read bundle", Kind: assay.ErrUnchecked, Subject: name, Err: err})
		case err != nil:
			return nil, fail(StepParse, &assay.Error{Op: "read bundle", Kind: assay.ErrInvalid, Subject: name, Err: err})
		}
		return []*sigstore.Signed{s}, nil
	}
	dsse := func() ([]*sigstore.Signed, error) {
		list, err := sigstore.ParseDSSE(name, raw, limits)
		if err != nil {
			return nil, fail(StepParse, err)
		}
		return list, nil
	}
	first, second := bundle, dsse
	if e.MediaType() == assay.MediaTypeDSSE {
		first, second = dsse, bundle
	}
	list, err := first()
	if err != nil {
		other, otherErr := second()
		if otherErr != nil {
			return nil, err
		}
		list = other
	}
	return supported(name, list)
}

func supported(name string, list []*sigstore.Signed) ([]*sigstore.Signed, error) {
	if list[0].IsDSSE() && !isStatement(list[0].PayloadType) {
		return nil, fail(StepUnsupported, &assay.Error{Op: "read bundle", Kind: assay.ErrUnchecked, Subject: name,
			Field: "/dsseEnvelope/payloadType", Value: list[0].PayloadType, Bound: assay.MediaTypeInToto, Rule: "in-toto S7"})
	}
	return list, nil
}

// isStatement accepts the payload types of in-toto attestation v1.2, spec/v1/envelope.md.
func isStatement(payloadType string) bool {
	return payloadType == assay.MediaTypeInToto ||
		strings.HasPrefix(payloadType, "application/vnd.in-toto.") && strings.HasSuffix(payloadType, "+json")
}

func (o *Opener) certificate(p *Proven, s *sigstore.Signed, message []byte) error {
	refuted := func(step Step, err error) error {
		return fail(step, &assay.Error{Op: "verify signature", Kind: assay.ErrRefuted, Err: err})
	}
	if o.root == nil || !o.root.HasAuthorities() {
		return fail(StepTrust, &assay.Error{Op: "verify signature", Kind: assay.ErrUnchecked,
			Bound: "a trusted root: the signature was made with a certificate"})
	}
	leaf := s.Certificate
	logged, err := o.root.Logs(s, sigstore.CertificateKey(leaf), func(t time.Time) bool {
		return !t.Before(leaf.NotBefore) && !t.After(leaf.NotAfter)
	})
	if err != nil {
		return refuted(StepLog, err)
	}
	if n := sigstore.DistinctLogs(logged); n < o.logs {
		return refuted(StepLog, fmt.Errorf("%d transparency logs prove the entry, want %d", n, o.logs))
	}
	stamped, faults := o.root.Times(s)
	p.witness(logged, stamped)
	if len(stamped) < o.authorities || len(p.Times) == 0 {
		return refuted(StepTime, errors.Join(append([]error{fmt.Errorf("%d times are witnessed, %d of them by timestamp authorities, want %d by those and one at all",
			len(p.Times), len(stamped), o.authorities)}, faults...)...))
	}
	times := make([]time.Time, len(p.Times))
	for i, t := range p.Times {
		times[i] = t.At
	}
	if err := o.root.Certificate(s, times, o.ctLogs); err != nil {
		return refuted(StepCertificate, err)
	}
	id, err := sigstore.Identity(leaf)
	if err != nil {
		return fail(StepCertificate, err)
	}
	if err := s.Verify(leaf.PublicKey, message); err != nil {
		return refuted(StepSignature, err)
	}
	p.Signers = []assay.Identity{id}
	return nil
}

// witness notes what was proven about the time.
func (p *Proven) witness(logged []sigstore.Logged, stamped []sigstore.Stamped) {
	for i, l := range logged {
		p.Logs = append(p.Logs, LogEntry{l.LogID, l.Index})
		// One time of each log, as one of each authority.
		first := !slices.ContainsFunc(logged[:i], func(o sigstore.Logged) bool { return !o.At.IsZero() && o.LogID == l.LogID })
		if !l.At.IsZero() && first {
			p.Times = append(p.Times, Time{"transparency-log", l.URI, l.At})
		}
	}
	for _, s := range stamped {
		p.Times = append(p.Times, Time{"timestamp-authority", s.URI, s.At})
	}
}

func (p *Proven) sort() {
	p.Signers = assay.DistinctIdentities(p.Signers)
	slices.SortFunc(p.Times, func(a, b Time) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Witness, b.Witness), cmp.Compare(a.URI, b.URI))
	})
	slices.SortFunc(p.Logs, func(a, b LogEntry) int {
		return cmp.Or(cmp.Compare(a.LogID, b.LogID), cmp.Compare(a.Index, b.Index))
	})
}

func fail(step Step, err error) *Failure { return &Failure{step, err} }
