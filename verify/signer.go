package verify

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/assaykit/assay"
)

// SignerRule says who may state what. A signature counts only if a rule matches
// its proven signer and the kind of its predicate.
//
// A rule names a key, several keys, or a certificate identity: an issuer and a
// subject, each exact or by pattern. Patterns are regular expressions (RE2) that must
// match all of what they are held against.
type SignerRule struct {
	// Name is for reports. REQUIRED, unique.
	Name string `json:"name"`
	// Kinds are the kinds of evidence the signer may state; empty means all.
	Kinds []assay.Kind `json:"kinds,omitempty"`

	// Key is the [attest.KeyID] of a key. A rule whose key the [Trust] does not have
	// matches nobody: one policy may serve where not every key is trusted.
	Key assay.Digest `json:"key,omitzero"`
	// Keys are several, of which Threshold distinct ones must have signed the same
	// DSSE envelope; 0 means one. A key counts once, however often it signed.
	Keys      []assay.Digest `json:"keys,omitempty"`
	Threshold int            `json:"threshold,omitzero"`

	// Issuer is the OIDC issuer, IssuerPattern a pattern for it.
	Issuer        string `json:"issuer,omitempty"`
	IssuerPattern string `json:"issuerPattern,omitempty"`
	// Subject is the certificate's subject alternative name, SubjectPattern a pattern
	// for it. SubjectKind is the kind of name it must be; empty means any.
	Subject        string            `json:"subject,omitempty"`
	SubjectPattern string            `json:"subjectPattern,omitempty"`
	SubjectKind    assay.SubjectKind `json:"subjectKind,omitempty"`
	// Claims are CI claims the certificate must carry, and ClaimPatterns patterns for
	// them; empty ones are not looked at.
	Claims        assay.Claims `json:"claims,omitzero"`
	ClaimPatterns assay.Claims `json:"claimPatterns,omitzero"`

	// Builders are the builder.id values the signer may speak for in provenance. A
	// signer whose certificate names its workflow may always speak for that one.
	Builders []string `json:"builders,omitempty"`
	// Operator is who runs the builders that the signer speaks for, in any words: builds of
	// one operator do not show that an image can be reproduced. Empty is the host of the
	// certificate's issuer, where the certificate claims a run on a machine of the CI's own;
	// all others need it to count. See [Policy.MinBuilders] and [provenance.ReproducedBy].
	Operator string `json:"operator,omitempty"`
	// ComponentsOnly lets the signer state things about the components of an image, and
	// its base, and not about the image: who makes a library does not vouch for who uses
	// it. See [Components].
	ComponentsOnly bool `json:"componentsOnly,omitzero"`
	// Verifiers are the verifier.id values the signer may speak for in verification
	// summaries. Only a signer with some can make one that stands in for evidence, see
	// [Policy.Summaries]; empty means any where a summary is merely required.
	Verifiers []string `json:"verifiers,omitempty"`
	// VEXAuthors are the authors of VEX documents the signer may speak for. With none,
	// nothing ties the author of a document to its signer, and it closes no finding.
	VEXAuthors []string `json:"vexAuthors,omitempty"`
}

type compiledRule struct {
	SignerRule
	issuer, subject *regexp.Regexp   // nil: exact
	claims          []*regexp.Regexp // as in claimList; nil: not looked at
}

var allKinds = []assay.Kind{assay.KindSBOM, assay.KindProvenance, assay.KindVEX, assay.KindScan, assay.KindPosture,
	assay.KindRemediation, assay.KindTestResult, assay.KindSummary, assay.KindSignature, assay.KindOpaque}

func (r SignerRule) compile(field string) (compiledRule, error) {
	bad := func(f, value, bound string) (compiledRule, error) {
		return compiledRule{}, &assay.Error{Op: "read policy", Kind: assay.ErrInvalid, Subject: r.Name, Field: field + "/" + f, Value: value, Bound: bound}
	}
	if r.Name == "" {
		return bad("name", "", "a name")
	}
	// A builder that nobody named is read as an empty one, and must not be anybody's.
	for f, list := range map[string][]string{"builders": r.Builders, "verifiers": r.Verifiers, "vexAuthors": r.VEXAuthors} {
		if i := slices.Index(list, ""); i >= 0 {
			return bad(fmt.Sprintf("%s/%d", f, i), "", "an identifier")
		}
	}
	for i, k := range r.Kinds {
		if !slices.Contains(allKinds, k) {
			return bad(fmt.Sprintf("kinds/%d", i), string(k), "a kind of evidence")
		}
	}
	hasIssuer, hasSubject := r.Issuer != "" || r.IssuerPattern != "", r.Subject != "" || r.SubjectPattern != ""
	hasCertificate := hasIssuer || hasSubject || r.SubjectKind != "" || r.Claims != assay.Claims{} || r.ClaimPatterns != assay.Claims{}
	c := compiledRule{SignerRule: r}
	switch {
	case !r.Key.IsZero() && hasCertificate:
		return bad("key", r.Key.String(), "a key, or an issuer, subject and claims, not both")
	case len(r.Keys) > 0 && (hasCertificate || !r.Key.IsZero()):
		return bad("keys", r.Keys[0].String(), "keys, or one key, or an issuer, subject and claims")
	case len(r.Keys) > 0 || !r.Key.IsZero():
		for i, k := range c.allKeys() {
			if k.Algorithm() != assay.SHA256 {
				return bad("key", k.String(), "a sha256 digest")
			}
			if slices.Contains(c.allKeys()[:i], k) {
				return bad(fmt.Sprintf("keys/%d", i), k.String(), "each key once")
			}
		}
		if r.Threshold < 0 || r.Threshold > len(c.allKeys()) {
			return bad("threshold", fmt.Sprint(r.Threshold), "at most as many as there are keys")
		}
		return c, nil
	case r.Threshold != 0:
		return bad("threshold", fmt.Sprint(r.Threshold), "none, without keys")
	case !slices.Contains([]assay.SubjectKind{"", assay.SubjectEmail, assay.SubjectURI, assay.SubjectOtherName}, r.SubjectKind):
		return bad("subjectKind", string(r.SubjectKind), "email, uri or otherName")
	case !hasIssuer:
		return bad("issuer", "", "an issuer, or a key")
	case !hasSubject:
		return bad("subject", "", "a subject, or a key")
	case r.Issuer != "" && r.IssuerPattern != "":
		return bad("issuerPattern", r.IssuerPattern, "an issuer or a pattern, not both")
	case r.Subject != "" && r.SubjectPattern != "":
		return bad("subjectPattern", r.SubjectPattern, "a subject or a pattern, not both")
	}
	var err error
	if c.issuer, err = anchored(r.IssuerPattern); err != nil {
		return bad("issuerPattern", r.IssuerPattern, err.Error())
	}
	if c.subject, err = anchored(r.SubjectPattern); err != nil {
		return bad("subjectPattern", r.SubjectPattern, err.Error())
	}
	exact := claimList(r.Claims)
	for i, p := range claimList(r.ClaimPatterns) {
		if p.value != "" && exact[i].value != "" {
			return bad("claimPatterns/"+p.name, p.value, "a claim or a pattern, not both")
		}
		re, err := anchored(p.value)
		if err != nil {
			return bad("claimPatterns/"+p.name, p.value, err.Error())
		}
		c.claims = append(c.claims, re)
	}
	return c, nil
}

func (r *compiledRule) allKeys() []assay.Digest {
	if len(r.Keys) == 0 && !r.Key.IsZero() {
		return []assay.Digest{r.Key}
	}
	return r.Keys
}

// anchored compiles a pattern that must match all of a string. One that matches
// anything at all is no rule about a signer.
func anchored(pattern string) (*regexp.Regexp, error) {
	if pattern == "" {
		return nil, nil
	}
	// By itself first: "a)|(?:b" is none, and would break out of the anchors.
	if _, err := regexp.Compile(pattern); err != nil {
		return nil, fmt.Errorf("a regular expression: %w", err)
	}
	re, err := regexp.Compile(`\A(?:` + pattern + `)\z`)
	if err != nil {
		return nil, fmt.Errorf("a regular expression: %w", err)
	}
	if re.MatchString("") || re.MatchString("x") && re.MatchString("https://attacker.example/") {
		return nil, fmt.Errorf("a pattern that does not match everything")
	}
	return re, nil
}

func (r *compiledRule) allows(kind assay.Kind) bool {
	return len(r.Kinds) == 0 || slices.Contains(r.Kinds, kind)
}

// is reports whether the rule names the proven signers of one envelope.
func (r *compiledRule) is(signers ...assay.Identity) bool { return len(r.among(signers)) > 0 }

// among gives those of the proven signers whom the rule names, if they are enough.
// The signers are distinct.
func (r *compiledRule) among(signers []assay.Identity) []assay.Identity {
	var out []assay.Identity
	for _, id := range signers {
		if r.names(id) {
			out = append(out, id)
		}
	}
	if len(out) < max(1, r.Threshold) {
		return nil
	}
	return out
}

func (r *compiledRule) names(id assay.Identity) bool {
	keys := r.allKeys()
	if len(keys) > 0 || !id.Key.IsZero() {
		return !id.Key.IsZero() && slices.Contains(keys, id.Key)
	}
	if r.SubjectKind != "" && r.SubjectKind != id.SubjectKind {
		return false
	}
	for i, c := range claimList(id.Claims) {
		if i < len(r.claims) && r.claims[i] != nil && !r.claims[i].MatchString(c.value) {
			return false
		}
	}
	return matches(r.issuer, r.Issuer, id.Issuer) && matches(r.subject, r.Subject, id.Subject) && claimed(r.Claims, id.Claims)
}

// scope is what evidence is about.
type scope int

const (
	ofImage scope = iota
	ofComponent
	ofSource
)

// identifies reports whether a match of the algorithm alone shows that a statement is
// about something. Of a component it may be the sum of a Go module, in go.sum: SHA-256
// over the SHA-256 of each of its files. A revision of a source has its git commit alone,
// SHA-1 in most repositories; it is what provenance itself names.
func (of scope) identifies(a assay.Algorithm) bool {
	return a.Strong() || of == ofComponent && a == assay.DirHash || of == ofSource && a == assay.GitCommit
}

// match finds the first subject that has one of the digests.
func (of scope) match(subjects []assay.Subject, about []assay.Digest) (assay.Subject, bool) {
	for _, s := range subjects {
		if slices.ContainsFunc(about, func(d assay.Digest) bool { return of.identifies(d.Algorithm()) && slices.Contains(s.Digest, d) }) {
			return s, true
		}
	}
	return assay.Subject{}, false
}

// signerFor finds the first rule, in the policy's order, that lets the signers state
// the kind of evidence, and those of them whom it names.
func (p *compiledPolicy) signerFor(signers []assay.Identity, kind assay.Kind, of scope) (*compiledRule, []assay.Identity, bool) {
	for i := range p.rules {
		r := &p.rules[i]
		if by := r.among(signers); len(by) > 0 && r.allows(kind) && (of == ofComponent || !r.ComponentsOnly) {
			return r, by, true
		}
	}
	return nil, nil, false
}

func matches(re *regexp.Regexp, exact, got string) bool {
	if re != nil {
		return re.MatchString(got)
	}
	return got != "" && got == exact
}

// claimed reports whether got has every claim that want states.
func claimed(want, got assay.Claims) bool {
	g := claimList(got)
	for i, w := range claimList(want) {
		if w.value != "" && w.value != g[i].value {
			return false
		}
	}
	return true
}

// gitHubIssuer is the issuer of GitHub Actions' tokens; an enterprise on github.com may have
// its own below it (docs.github.com, "Switching to a unique token URL").
const gitHubIssuer = "https://token.actions.githubusercontent.com"

// buildClaims are what a certificate says of a build. Those from before 2023 say it in
// the deprecated claims, and have no others.
//
// The deprecated repository (OID 1.3.6.1.4.1.57264.1.5) "contains the repository claim from
// the GitHub OIDC Identity token" (fulcio, docs/oid-info.md): OWNER/NAME without the host.
// It names a repository as much as sourceRepositoryURI does, which Fulcio makes of the same
// claim of the token, but only together with the issuer, which says which GitHub it is. Of
// any other issuer than github.com's it is therefore not asked: a GitHub of somebody's own
// has an OWNER/NAME too.
func buildClaims(id assay.Identity) assay.Claims {
	c := id.Claims
	if id.Issuer != gitHubIssuer && !strings.HasPrefix(id.Issuer, gitHubIssuer+"/") {
		c.GitHubWorkflowRepository = ""
		return c
	}
	old := assay.Claims{GitHubWorkflowTrigger: c.GitHubWorkflowTrigger, GitHubWorkflowSHA: c.GitHubWorkflowSHA, GitHubWorkflowName: c.GitHubWorkflowName,
		GitHubWorkflowRepository: c.GitHubWorkflowRepository, GitHubWorkflowRef: c.GitHubWorkflowRef}
	if c != old || c.GitHubWorkflowRepository == "" {
		return c
	}
	c.SourceRepositoryURI = "https://github.com/" + c.GitHubWorkflowRepository
	c.SourceRepositoryDigest, c.SourceRepositoryRef, c.BuildTrigger = c.GitHubWorkflowSHA, c.GitHubWorkflowRef, c.GitHubWorkflowTrigger
	return c
}

type claim struct{ name, value string }

// claimList gives the claims in the order of their OIDs.
func claimList(c assay.Claims) []claim {
	return []claim{
		{"githubWorkflowTrigger", c.GitHubWorkflowTrigger}, {"githubWorkflowSHA", c.GitHubWorkflowSHA},
		{"githubWorkflowName", c.GitHubWorkflowName}, {"githubWorkflowRepository", c.GitHubWorkflowRepository},
		{"githubWorkflowRef", c.GitHubWorkflowRef},
		{"buildSignerURI", c.BuildSignerURI}, {"buildSignerDigest", c.BuildSignerDigest},
		{"runnerEnvironment", c.RunnerEnvironment},
		{"sourceRepositoryURI", c.SourceRepositoryURI}, {"sourceRepositoryDigest", c.SourceRepositoryDigest},
		{"sourceRepositoryRef", c.SourceRepositoryRef}, {"sourceRepositoryIdentifier", c.SourceRepositoryIdentifier},
		{"sourceRepositoryOwnerURI", c.SourceRepositoryOwnerURI}, {"sourceRepositoryOwnerIdentifier", c.SourceRepositoryOwnerIdentifier},
		{"buildConfigURI", c.BuildConfigURI}, {"buildConfigDigest", c.BuildConfigDigest},
		{"buildTrigger", c.BuildTrigger}, {"runInvocationURI", c.RunInvocationURI},
		{"sourceRepositoryVisibilityAtSigning", c.SourceRepositoryVisibilityAtSigning},
		{"deploymentEnvironment", c.DeploymentEnvironment}, {"tokenSubject", c.TokenSubject},
	}
}
