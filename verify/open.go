package verify

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/verify/internal/envelope"
)

// clockSkew is how far two of the clocks of signer, witness and asker may be apart.
const clockSkew = 5 * time.Minute

// openAll proves every envelope, writes what became of each into the report, and
// gives what is evidence. Both are in the order of the envelopes' digests, whatever
// the number of workers.
func (v *Verifier) openAll(ctx context.Context, r *Report, b *assay.Bundle, about []assay.Digest, shared openings) ([]Verified[assay.Evidence], error) {
	envelopes := slices.Collect(b.Envelopes())
	r.Attestations = make([]Attestation, len(envelopes))
	verified := make([]*Verified[assay.Evidence], len(envelopes))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(v.workers)
	for i, e := range envelopes {
		g.Go(func() error {
			if err := ctx.Err(); err != nil {
				return &assay.Error{Op: "verify", Kind: assay.ErrUnchecked, Subject: r.Digest.String(), Err: err}
			}
			r.Attestations[i], verified[i] = v.open(ctx, shared.of(e), about, r.At, ofImage)
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	var out []Verified[assay.Evidence]
	for i, a := range r.Attestations {
		if verified[i] != nil {
			out = append(out, *verified[i])
		}
		if a.State != assay.Proven {
			v.log.InfoContext(ctx, "attestation does not count", "envelope", a.Envelope, "reason", a.Reason, "detail", a.Detail)
		}
	}
	return out, nil
}

// open takes one envelope from bytes to evidence. Each step rests on the one before
// it, and nothing of the payload is looked at before the signature is proven.
func (v *Verifier) open(ctx context.Context, o *opening, about []assay.Digest, at time.Time, of scope) (Attestation, *Verified[assay.Evidence]) {
	e := o.envelope
	a := Attestation{Envelope: e.Digest(), Sources: clipAll(e.Sources())}
	refuse := func(state assay.State, reason Reason, detail string) (Attestation, *Verified[assay.Evidence]) {
		a.State, a.Reason, a.Detail = state, reason, clip(detail)
		return a, nil
	}

	o.prove(ctx, v)
	proven, err := o.proven, o.provenErr
	if err != nil {
		if t, ok := o.unsigned(); ok {
			return refuse(assay.Refuted, Unsigned, "nobody signed the statement, of type "+string(t))
		}
		f, ok := errors.AsType[*envelope.Failure](err)
		if !ok {
			return refuse(assay.Unknown, SignatureInvalid, err.Error())
		}
		return refuse(stateOf(f.Err), Reason(f.Step), f.Err.Error())
	}
	a.Signer, a.Cosigners = proven.Signers[0], proven.Signers[1:]
	a.Witnesses, a.LogEntries = witnesses(proven)
	if len(a.Witnesses) > 0 {
		a.SignedBy = a.Witnesses[0].At
	}

	said := o.said
	if err := o.saidErr; err != nil {
		return refuse(stateOf(err), StatementMalformed, err.Error())
	}
	header := said.header
	a.PredicateType, a.Kind, a.Signature = header.PredicateType, said.kind, said.signature
	subject, ok := of.match(header.Subjects, about)
	if !ok {
		return refuse(assay.Refuted, SubjectMismatch, "the statement is about "+subjects(header.Subjects))
	}
	rule, by, ok := v.policy.signerFor(proven.Signers, a.Kind, of)
	if !ok {
		return refuse(assay.Refuted, SignerNotAllowed, "no rule lets "+names(proven.Signers)+" state "+string(a.Kind))
	}
	a.Rule, a.Signer = rule.Name, by[0]
	a.Cosigners = slices.DeleteFunc(slices.Clone(proven.Signers), func(id assay.Identity) bool { return id == a.Signer })
	if a.SignedBy.After(at.Add(clockSkew)) {
		return refuse(assay.Unknown, FromTheFuture, "signed by "+a.SignedBy.Format(time.RFC3339)+", after the time of asking")
	}
	if a.Kind == assay.KindSignature {
		a.State, a.Reason = assay.Proven, Holds
		return a, nil
	}
	evidence, err := o.decode()
	if err != nil {
		return refuse(stateOf(err), PredicateMalformed, err.Error())
	}
	statement, err := assay.NewStatement(proven.Payload, header.PredicateType, header.Subjects, evidence)
	if err != nil {
		return refuse(stateOf(err), StatementMalformed, err.Error())
	}
	a.State, a.Reason = assay.Proven, Holds
	if evidence.Kind() == assay.KindOpaque {
		// Proven to be said, by somebody who may say anything; it proves nothing else.
		a.State, a.Reason = assay.Unknown, PredicateUnknown
		a.Detail = "predicates of this type are kept and not read"
	}
	return a, &Verified[assay.Evidence]{statement, proof{
		signer: a.Signer, rule: rule.Name, times: a.Witnesses, logs: a.LogEntries, subject: subject, envelope: e.Digest(),
	}}
}

// names lists identities for a message.
func names(ids []assay.Identity) string {
	out := make([]string, len(ids))
	for i, id := range ids {
		out[i] = id.String()
	}
	return strings.Join(out, " and ")
}

// stateOf tells what is false or malformed from what could not be checked.
func stateOf(err error) assay.State {
	switch assay.KindOf(err) {
	case assay.ErrRefuted, assay.ErrInvalid:
		return assay.Refuted
	}
	return assay.Unknown
}

// subjects names what a statement is about, for a message.
func subjects(list []assay.Subject) string {
	const most = 3
	out := ""
	for i, s := range list {
		if i == most {
			return out + ", …"
		}
		if i > 0 {
			out += ", "
		}
		if len(s.Digest) > 0 {
			out += s.Digest[0].String()
		}
	}
	return out
}
