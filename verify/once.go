package verify

import (
	"context"
	"sync"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/attest"
	"github.com/assaykit/assay/internal/predicate"
	"github.com/assaykit/assay/verify/internal/envelope"
)

// opening is an envelope on its way to evidence. What does not depend on the image
// that is asked about is done once: an envelope about an index is looked at for each
// image in it.
type opening struct {
	envelope assay.Envelope

	once      sync.Once
	proven    *envelope.Proven
	provenErr error
	said      said
	saidErr   error

	decoding    sync.Once
	evidence    assay.Evidence
	evidenceErr error
}

// prove checks the signature, and then reads what was signed.
func (o *opening) prove(ctx context.Context, v *Verifier) {
	o.once.Do(func() {
		v.log.DebugContext(ctx, "opening", "envelope", o.envelope.Digest())
		if v.opener == nil {
			o.provenErr = &envelope.Failure{Step: envelope.StepTrust, Err: &assay.Error{Op: "verify signature", Kind: assay.ErrUnchecked,
				Subject: o.envelope.Digest().String(), Bound: "a trust"}}
			return
		}
		if o.proven, o.provenErr = v.opener.Open(o.envelope); o.provenErr == nil {
			o.said, o.saidErr = whatIsSaid(o.envelope.Digest().String(), o.proven)
		}
	})
}

// decode reads the predicate of a statement that was proven.
func (o *opening) decode() (assay.Evidence, error) {
	o.decoding.Do(func() {
		h := o.said.header
		o.evidence, o.evidenceErr = predicate.Decode(o.envelope.Digest().String(), h.PredicateType, h.Predicate, h.Subjects...)
	})
	return o.evidence, o.evidenceErr
}

// unsigned reports whether nobody signed the envelope, and the type of its predicate.
func (o *opening) unsigned() (assay.PredicateType, bool) {
	u, err := attest.ReadUnverified(o.envelope)
	if err != nil || u.Format != attest.FormatStatement {
		return "", false
	}
	return u.PredicateType, true
}

// openings are those that are shared by the images below an index.
type openings map[assay.Digest]*opening

func (s openings) of(e assay.Envelope) *opening {
	if o := s[e.Digest()]; o != nil {
		return o
	}
	return &opening{envelope: e}
}

// with gives s and one more for each envelope.
func (s openings) with(envelopes []assay.Envelope) openings {
	out := openings{}
	for _, e := range envelopes {
		out[e.Digest()] = s.of(e)
	}
	return out
}
