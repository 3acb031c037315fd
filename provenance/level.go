package provenance

import (
	"fmt"
	"regexp"
	"strconv"

	"github.com/assaykit/assay"
)

// TrustedBuilder says up to which level a signer is believed about a builder (SLSA v1.2,
// verifying-artifacts.md, "Step 1: Check SLSA Build level"). An entry must name a
// builder and a signer; one that does not matches nothing.
type TrustedBuilder struct {
	// Name is for reasons. Source is the URL that says so.
	Name, Source string
	// Level is 1 to 3.
	Level int
	// Builder is a regular expression (RE2) that must match all of builder.id.
	Builder string
	// BuilderIsSubject wants builder.id to be the signer's subject as well.
	BuilderIsSubject bool
	// Issuer and Subject are the signer with a certificate: the exact OIDC issuer, and a
	// regular expression for all of the URI. Key is the signer with a key.
	Issuer, Subject string
	Key             assay.Digest
	// Runner is the runner environment that the certificate must claim; empty is any.
	// RunnerMayBeUnclaimed accepts certificates from before that claim.
	Runner               string
	RunnerMayBeUnclaimed bool
	// Reusable wants the certificate to claim that another workflow called this one.
	Reusable bool
}

// BuildLevel is a level of SLSA's build track, and why.
type BuildLevel struct {
	// N is 0 to 3.
	N int
	// Reasons are what it follows from, in the order of the table.
	Reasons []string
}

// String gives "SLSA_BUILD_LEVEL_2".
func (l BuildLevel) String() string { return "SLSA_BUILD_LEVEL_" + strconv.Itoa(l.N) }

const (
	githubTokens  = "https://token.actions.githubusercontent.com"
	githubHosted  = "github-hosted"
	generatorPath = `https://github\.com/slsa-framework/slsa-github-generator/\.github/workflows/`
	releaseTag    = `@refs/tags/v[0-9]+\.[0-9]+\.[0-9]+`
)

// Level gives the build level from the pair of signer and builder.id alone (SLSA P7), by
// the highest entry of the table that matches both. A pair that is in no entry has
// level 1: there is provenance, and who made it is nobody's to tell. Without a builder
// the level is 0. Nothing else that the document says counts.
//
// The signer must be proven, by package verify, as must be that its claims agree with the
// document ([Agree]). The table is the caller's: [WellKnownBuilders] and what the caller
// vouches for.
func Level(signer assay.Identity, p *assay.Provenance, table []TrustedBuilder) BuildLevel {
	if p == nil || p.Builder.ID == "" {
		return BuildLevel{0, []string{"the provenance names no builder"}}
	}
	l := BuildLevel{N: 1, Reasons: []string{"there is provenance, of the builder " + p.Builder.ID}}
	for _, e := range table {
		about, ok, why := e.match(signer, p.Builder.ID)
		switch {
		case ok:
			l.Reasons = append(l.Reasons, fmt.Sprintf("%s is %s, level %d: %s", signer, e.Name, e.Level, e.Source))
			l.N = max(l.N, e.Level)
		case about:
			l.Reasons = append(l.Reasons, fmt.Sprintf("not %s, level %d: %s", e.Name, e.Level, why))
		}
	}
	if l.N == 1 {
		l.Reasons = append(l.Reasons, "no entry of the table is for this signer and this builder together")
	}
	return l
}

// match says whether the entry is about the builder, whether it holds, and if not why.
func (e TrustedBuilder) match(signer assay.Identity, builder string) (about, ok bool, why string) {
	switch {
	case e.Level < 1 || e.Level > 3:
		return true, false, "the table's level is none of 1 to 3"
	case e.Builder == "":
		return true, false, "the entry names no builder"
	}
	if is, err := wholly(e.Builder, builder); err != nil {
		return true, false, "the table's pattern of builders is broken: " + err.Error()
	} else if !is {
		return false, false, ""
	}
	switch {
	case !e.Key.IsZero():
		if signer.Key != e.Key {
			return true, false, fmt.Sprintf("%s is not the key %s", signer, e.Key)
		}
		return true, true, ""
	case e.Issuer == "" || e.Subject == "":
		return true, false, "the entry names no signer"
	case signer.Issuer != e.Issuer || signer.SubjectKind != assay.SubjectURI:
		return true, false, fmt.Sprintf("%s is not vouched for by %s", signer, e.Issuer)
	}
	if is, err := wholly(e.Subject, signer.Subject); err != nil {
		return true, false, "the table's pattern of subjects is broken: " + err.Error()
	} else if !is {
		return true, false, signer.Subject + " may not speak for it"
	}
	claims := signer.Claims
	switch {
	case e.BuilderIsSubject && builder != signer.Subject:
		return true, false, fmt.Sprintf("%s speaks for itself, and not for %s", signer.Subject, builder)
	case e.Runner != "" && claims.RunnerEnvironment == "" && !e.RunnerMayBeUnclaimed:
		return true, false, "the certificate does not claim where it ran"
	case e.Runner != "" && claims.RunnerEnvironment != "" && claims.RunnerEnvironment != e.Runner:
		return true, false, fmt.Sprintf("it ran %s, not %s", claims.RunnerEnvironment, e.Runner)
	case e.Reusable && (claims.BuildConfigURI == "" || claims.BuildConfigURI == signer.Subject):
		return true, false, "no other workflow called it"
	}
	return true, true, ""
}

func wholly(pattern, s string) (bool, error) {
	// By itself first: "a)|(?:b" is none, and would break out of the anchors.
	if _, err := regexp.Compile(pattern); err != nil {
		return false, err
	}
	re, err := regexp.Compile(`\A(?:` + pattern + `)\z`)
	if err != nil {
		return false, err
	}
	return re.MatchString(s), nil
}

// WellKnownBuilders are those whose operators publish what they are good for:
//
//   - The builders and generators of slsa-github-generator, at the tag of a release and
//     on runners that GitHub hosts: level 3. So are those that its delegator speaks for
//     in the same repository. (slsa-framework/slsa-github-generator, README.)
//   - Any workflow of GitHub Actions on a runner that GitHub hosts, whose builder is that
//     workflow, as actions/attest states it: level 2 (docs.github.com, "Artifact
//     attestations"). A reusable workflow can reach level 3; whether one does, nobody
//     knows who has not read it, so that the caller names it: [ReusableWorkflow].
//
// Google Cloud Build signs with keys, which the caller must have: [GoogleCloudBuild].
// What GitLab calls level 3 is an experiment of GitLab.com that is not for production
// (docs.gitlab.com/ci/pipeline_security/slsa/level_3), and its runner signs nothing: none
// of it is here, nor anything of CIs whose operators claim no level.
func WellKnownBuilders() []TrustedBuilder {
	const generator = "https://github.com/slsa-framework/slsa-github-generator"
	return []TrustedBuilder{
		{
			Name: "a builder of slsa-github-generator", Source: generator, Level: 3,
			Builder: generatorPath + `(?:builder|generator)_[a-z-]+_slsa3\.yml` + releaseTag, BuilderIsSubject: true,
			Issuer: githubTokens, Subject: generatorPath + `(?:builder|generator)_[a-z-]+_slsa3\.yml` + releaseTag,
			Runner: githubHosted, RunnerMayBeUnclaimed: true,
		},
		{
			Name: "the delegator of slsa-github-generator, for a builder beside it", Source: generator, Level: 3,
			Builder: generatorPath + `builder_[a-z-]+_slsa3\.yml` + releaseTag,
			Issuer:  githubTokens, Subject: generatorPath + `delegator_(?:generic|lowperms-generic)_slsa3\.yml` + releaseTag,
			Runner: githubHosted, RunnerMayBeUnclaimed: true,
		},
		{
			Name: "a workflow on a runner of GitHub's", Source: "https://docs.github.com/actions/concepts/security/artifact-attestations", Level: 2,
			Builder: `https://github\.com/[^/@]+/[^/@]+/\.github/workflows/[^/@]+@.+`, BuilderIsSubject: true,
			Issuer: githubTokens, Subject: `https://github\.com/[^/@]+/[^/@]+/\.github/workflows/[^/@]+@.+`,
			Runner: githubHosted,
		},
	}
}

// ReusableWorkflow is an entry of level 3 for a reusable workflow of GitHub Actions that
// the caller has read and found to isolate the build from whoever calls it
// (docs.github.com, "Using artifact attestations and reusable workflows to achieve SLSA v1
// Build Level 3"). It is given whole with its ref, which must be one that only the
// workflow's owner can move:
// "https://github.com/OWNER/REPO/.github/workflows/build.yml@refs/tags/v1".
func ReusableWorkflow(uri string) TrustedBuilder {
	exact := regexp.QuoteMeta(uri)
	return TrustedBuilder{
		Name: "the reusable workflow that the caller vouches for", Level: 3,
		Source:  "https://docs.github.com/actions/security-guides/using-artifact-attestations-and-reusable-workflows-to-achieve-slsa-v1-build-level-3",
		Builder: exact, BuilderIsSubject: true, Issuer: githubTokens, Subject: exact, Runner: githubHosted, Reusable: true,
	}
}

// GoogleCloudBuild is an entry of level 3 for the hosted workers of Google Cloud Build,
// with a key of Google's that the caller trusts to sign for them: those of the project
// "verified-builder" (cloud.google.com/build/docs/securing-builds/view-build-provenance).
func GoogleCloudBuild(key assay.Digest) TrustedBuilder {
	return TrustedBuilder{
		Name: "a hosted worker of Google Cloud Build", Level: 3,
		Source:  "https://cloud.google.com/build/docs/securing-builds/view-build-provenance",
		Builder: `https://cloudbuild\.googleapis\.com/GoogleHostedWorker(?:@v0\.[23])?`, Key: key,
	}
}
