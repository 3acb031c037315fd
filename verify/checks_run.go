package verify

import (
	"fmt"
	"slices"
	"strings"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/attest"
	"github.com/assaykit/assay/provenance"
)

// run answers whether what was signed in a CI was signed in the run that provenance is
// of, and at its commit. Asked are the kinds that the policy names, and without them
// SBOMs, of which it is then told and not required. One run is of one commit.
//
// Runs that certificates name are the same if their issuers are, too: two servers of one
// kind of CI may well have runs of one address, because the authority writes it.
func (v *Verifier) run(c *subjectCase) Check {
	t := newTally(CheckRun)
	// A run without issuer is one that provenance alone names.
	type run struct{ issuer, uri string }
	commits := map[run]string{} // "" if it is not known
	for _, p := range c.provenances {
		claims := buildClaims(p.Signer())
		of, commit := run{p.Signer().Issuer, claims.RunInvocationURI}, claims.SourceRepositoryDigest
		if id := p.Evidence().InvocationID; of.uri == "" && strings.Contains(id, "://") {
			of, commit = run{uri: id}, p.Evidence().Source.Commit.Hex()
		}
		if of.uri == "" {
			continue
		}
		if old, ok := commits[of]; ok && old != "" && commit != "" && old != commit {
			t.add(assay.Refuted, Contradiction, p.Envelope(), fmt.Sprintf("run %s is of commit %s in one provenance and of %s in another", of.uri, min(old, commit), max(old, commit)))
		}
		commits[of] = max(commits[of], commit)
	}
	kinds := v.policy.SameRun
	if len(kinds) == 0 {
		kinds = []assay.Kind{assay.KindSBOM}
	}
	for _, e := range c.report.evidence {
		kind := e.Evidence().Kind()
		if !slices.Contains(kinds, kind) {
			continue
		}
		claims := buildClaims(e.Signer())
		uri := claims.RunInvocationURI
		commit, known := commits[run{e.Signer().Issuer, uri}]
		if !known {
			commit, known = commits[run{uri: uri}]
		}
		switch {
		case uri == "":
			t.add(assay.Unknown, NotStated, e.Envelope(), fmt.Sprintf("%s: the certificate of %s names no run", kind, e.Signer()))
		case !known && len(commits) == 0:
			t.add(assay.Unknown, NotStated, e.Envelope(), fmt.Sprintf("%s: signed in run %s, and no provenance names its run", kind, uri))
		case !known && len(v.policy.SameRun) == 0:
			t.add(assay.Unknown, NotShown, e.Envelope(), fmt.Sprintf("%s: signed in run %s, of which there is no provenance", kind, uri))
		case !known:
			t.add(assay.Refuted, OtherRun, e.Envelope(), fmt.Sprintf("%s: signed in run %s, of which there is no provenance", kind, uri))
		case commit == "" || claims.SourceRepositoryDigest == "":
			t.add(assay.Unknown, NotStated, e.Envelope(), fmt.Sprintf("%s: signed in run %s, of a commit that is not known", kind, uri))
		case commit != claims.SourceRepositoryDigest:
			t.add(assay.Refuted, Contradiction, e.Envelope(), fmt.Sprintf("%s: signed in run %s at commit %s, the provenance is of commit %s", kind, uri, claims.SourceRepositoryDigest, commit))
		default:
			t.add(assay.Proven, Holds, e.Envelope())
		}
	}
	return t.done(words{
		holds:   "signed in the run and at the commit that provenance is of",
		refuted: "not signed in the run that provenance is of",
		open:    "not shown to be signed in the run that provenance is of",
		nothing: "nothing was accepted that could be of the same run",
	})
}

// unsignedProvenance is what nobody signed, such as what BuildKit puts into the index of
// the image that it makes. It proves nothing; it can only be held against what does.
type unsignedProvenance struct {
	envelope assay.Digest
	doc      *assay.Provenance // nil with a problem
	problem  string
}

// unsignedProvenances reads those among the envelopes that are about the image.
func unsignedProvenances(r *Report, all *assay.Bundle, about []assay.Digest) []unsignedProvenance {
	var out []unsignedProvenance
	for e := range all.Envelopes() {
		i, ok := slices.BinarySearchFunc(r.Attestations, e.Digest(), func(a Attestation, d assay.Digest) int { return a.Envelope.Compare(d) })
		if !ok || r.Attestations[i].Reason != Unsigned {
			continue
		}
		name := e.Digest().String()
		h, err := attest.ParseStatement(name, e.Raw())
		if err != nil || h.PredicateType.Kind() != assay.KindProvenance {
			continue
		}
		if _, ok := ofImage.match(h.Subjects, about); !ok {
			continue
		}
		u := unsignedProvenance{envelope: e.Digest()}
		if u.doc, err = provenance.Read(name, h.PredicateType, h.Predicate); err != nil {
			u.doc, u.problem = nil, err.Error()
		}
		out = append(out, u)
	}
	return out
}

// nested answers whether the unsigned provenance beside an image, which tells how the
// image itself was made, names a commit that signed provenance of the image names: what
// a CI signs about a job must be about what the job built. Where BuildKit built a local
// folder, it is the commit that its client said the folder is of, which BuildKit did not
// verify.
func (c *subjectCase) nested() Check {
	t := newTally(CheckNested)
	type revision struct{ repository, commit string }
	var signed []revision
	for _, p := range c.provenances {
		if s := p.Evidence().Source; !s.Commit.IsZero() {
			signed = append(signed, revision{canonicalRepository(s.Repository), s.Commit.Hex()})
		}
	}
	for _, u := range c.unsigned {
		if u.doc == nil {
			t.add(assay.Unknown, NotStated, u.envelope, "it cannot be read: "+u.problem)
			continue
		}
		s := u.doc.Source
		if s.Commit.IsZero() {
			// Of a folder that its client sent, BuildKit tells what the client said of it.
			s = provenance.ClientSource(u.doc)
		}
		own := revision{canonicalRepository(s.Repository), s.Commit.Hex()}
		switch {
		case s.Commit.IsZero():
			t.add(assay.Unknown, NotStated, u.envelope, "it names no commit")
		case len(signed) == 0:
			t.add(assay.Unknown, NotStated, u.envelope, "no signed provenance names a commit")
		case !slices.ContainsFunc(signed, func(r revision) bool { return r.commit == own.commit }):
			t.add(assay.Refuted, NestedDiffers, u.envelope, fmt.Sprintf("it is of commit %s, the signed one of %s", own.commit, signed[0].commit))
		case !slices.ContainsFunc(signed, func(r revision) bool {
			return r.commit == own.commit && (r.repository == own.repository || r.repository == "" || own.repository == "")
		}):
			// A commit is in every fork of its repository.
			t.add(assay.Refuted, NestedDiffers, u.envelope, fmt.Sprintf("it is of %s, the signed one of %s", own.repository, signed[0].repository))
		case s.Modified == assay.Proven:
			t.add(assay.Refuted, SourceModified, u.envelope, fmt.Sprintf("it is of files that differ from commit %s", own.commit))
		default:
			t.add(assay.Proven, Holds, u.envelope)
		}
	}
	return t.done(words{
		holds:   "the unsigned provenance in the image's index names the commit that the signed one names",
		refuted: "the unsigned provenance in the image's index is not of the commit that the signed one names",
		open:    "the unsigned provenance in the image's index could not be compared with the signed one",
		nothing: "there is no unsigned provenance",
	})
}
