package verify

import (
	"fmt"
	"slices"
	"strings"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/provenance"
)

// builder answers whether each provenance names a builder that its signer may speak
// for (SLSA v1.2, verifying artifacts: the level comes from the pair of both).
func (v *Verifier) builder(c *subjectCase) Check {
	t := newTally(CheckBuilder)
	for _, p := range c.provenances {
		state, reason, finding := v.speaksFor(p)
		if finding == "" {
			t.add(state, reason, p.Envelope())
		} else {
			t.add(state, reason, p.Envelope(), finding)
		}
	}
	return t.done(words{
		holds:   "each signer may speak for the builder it names",
		refuted: "a signer names a builder it may not speak for",
		open:    "nothing ties a signer to the builder it names",
		nothing: "no provenance was accepted",
	})
}

// speaksFor tells whether the signer of provenance may speak for its builder.
func (v *Verifier) speaksFor(p Verified[*assay.Provenance]) (assay.State, Reason, string) {
	id := p.Evidence().Builder.ID
	workflow := p.Signer().Claims.BuildSignerURI
	allowed := v.policy.rule(p.Rule()).Builders
	switch {
	case workflow != "" && workflow == id, slices.Contains(allowed, id):
		return assay.Proven, Holds, ""
	case workflow == "" && len(allowed) == 0:
		return assay.Unknown, NotStated, fmt.Sprintf("the policy does not say whether %s may speak for builder %s", p.Signer(), id)
	}
	return assay.Refuted, BuilderNotAllowed, fmt.Sprintf("%s may not speak for builder %s", p.Signer(), id)
}

// signerClaims answers whether each provenance says of source and run what the
// certificate of its signer says: a workflow cannot vouch for another's build.
func (v *Verifier) signerClaims(c *subjectCase) Check {
	t := newTally(CheckSignerClaims)
	for _, p := range c.provenances {
		claims := buildClaims(p.Signer())
		if claims == (assay.Claims{}) {
			// There is nothing to compare. A signer that the policy ties to this
			// builder is taken at its word, as the policy says.
			if v.tied(p) {
				t.add(assay.Proven, Holds, p.Envelope())
			} else {
				t.add(assay.Unknown, NotStated, p.Envelope(), p.Signer().String()+" carries no claims about a build")
			}
			continue
		}
		state, wrong := v.agreement(p)
		switch state {
		case assay.Refuted:
			t.add(assay.Refuted, Contradiction, p.Envelope(), wrong...)
		case assay.Unknown:
			t.add(assay.Unknown, NotStated, p.Envelope(), "the provenance or the certificate does not name repository and commit")
		default:
			t.add(assay.Proven, Holds, p.Envelope())
		}
	}
	return t.done(words{
		holds:   "each provenance says what its signing certificate says, or the policy ties its signer to the builder",
		refuted: "a provenance contradicts its signing certificate",
		open:    "nothing ties a provenance to its signer's run",
		nothing: "no provenance was accepted",
	})
}

// agreement says whether provenance is of the run that its certificate is of, and what
// contradicts that. That a signer names another builder than itself is not for here, see
// [Verifier.builder].
func (v *Verifier) agreement(p Verified[*assay.Provenance]) (assay.State, []string) {
	a := provenance.Agree(buildClaims(p.Signer()), p.Evidence())
	a.Facts = slices.DeleteFunc(a.Facts, func(f provenance.Fact) bool { return f.Claim == "buildSignerURI" })
	var wrong []string
	for _, f := range a.Contradictions() {
		wrong = append(wrong, f.String())
	}
	return a.SameRun(), wrong
}

// believed tells whether the source that provenance names is more than the word of the
// job that signed it: the policy ties the signer to the builder, or the certificate claims
// repository and commit. Certificates of CircleCI and Codefresh do not claim the commit,
// those of Buildkite not the repository: a job could name any.
func (v *Verifier) believed(p Verified[*assay.Provenance]) bool {
	if v.tied(p) {
		return true
	}
	state, _ := v.agreement(p)
	return state == assay.Proven
}

// tied tells whether the policy lets the signer speak for the builder by its name.
func (v *Verifier) tied(p Verified[*assay.Provenance]) bool {
	return slices.Contains(v.policy.rule(p.Rule()).Builders, p.Evidence().Builder.ID)
}

// refBelieved is believed for the ref. A claim that is the name of a branch or of a tag,
// nobody knows which, does not vouch for either.
func (v *Verifier) refBelieved(p Verified[*assay.Provenance]) bool {
	return v.tied(p) || strings.HasPrefix(buildClaims(p.Signer()).SourceRepositoryRef, "refs/")
}

// unbelieved is what there is to say of a source that is not.
func unbelieved(what string, p Verified[*assay.Provenance]) string {
	return fmt.Sprintf("that %s is the provenance's own word: the certificate of %s does not claim it, and the policy does not tie the signer to builder %s", what, p.Signer(), p.Evidence().Builder.ID)
}

// source answers whether the image was built from a repository that the policy
// names, at a commit and a ref that its pattern matches, and not from files that are said
// to differ from it. Provenance that says nothing of modified files is taken to be of the
// commit: that of hosted builders never does.
func (v *Verifier) source(c *subjectCase) Check {
	t := newTally(CheckSource)
	for _, p := range c.provenances {
		s := p.Evidence().Source
		repository := canonicalRepository(s.Repository)
		switch {
		case repository == "" || s.Commit.IsZero():
			t.add(assay.Unknown, NotStated, p.Envelope(), "the provenance does not name repository and commit")
		case len(v.policy.Sources) == 0:
			t.add(assay.Unknown, NotStated, p.Envelope(), "the policy names no sources; built from "+repository)
		case !slices.Contains(v.policy.Sources, repository):
			t.add(assay.Refuted, SourceNotAllowed, p.Envelope(), "built from "+repository)
		case v.policy.refs != nil && s.Ref == "":
			t.add(assay.Unknown, NotStated, p.Envelope(), "the provenance does not name the ref; the policy wants "+v.policy.RefPattern)
		case v.policy.refs != nil && !v.policy.refs.MatchString(s.Ref):
			t.add(assay.Refuted, RefNotAllowed, p.Envelope(), "built from "+s.Ref+", the policy wants "+v.policy.RefPattern)
		case s.Modified == assay.Proven:
			t.add(assay.Refuted, SourceModified, p.Envelope(), "built from files that differ from commit "+s.Commit.Hex())
		case !v.believed(p):
			t.add(assay.Unknown, NotStated, p.Envelope(), unbelieved("it was built from "+repository+" at "+s.Commit.Hex(), p))
		case v.policy.refs != nil && !v.refBelieved(p):
			t.add(assay.Unknown, NotStated, p.Envelope(), unbelieved("it was built from "+s.Ref, p))
		default:
			t.add(assay.Proven, Holds, p.Envelope())
		}
	}
	return t.done(words{
		holds:   "built from a source that the policy names",
		refuted: "built from something else than the policy's sources, as committed",
		open:    "the source is not known, or the policy names none",
		nothing: "no provenance was accepted",
	})
}

// canonicalRepository takes off what tools add to a repository's URI.
func canonicalRepository(uri string) string {
	uri = strings.TrimPrefix(uri, "git+")
	// "git+https://host/repo@refs/heads/main": the ref is not part of the repository.
	uri, _, _ = strings.Cut(uri, "@refs/")
	return strings.TrimSuffix(strings.TrimSuffix(uri, "/"), ".git")
}
