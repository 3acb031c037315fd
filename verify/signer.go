package verify

import (
	"fmt"
	"regexp"
	"slices"

	"github.com/assaykit/assay"
)

// SignerRule says who may state what. A signature counts only if a rule matches
// its proven signer and the kind of its predicate.
//
// A rule names either a key or a certificate identity: an issuer and a subject,
// each exact or by pattern.
type SignerRule struct {
	// Name is for reports. REQUIRED, unique.
	Name string `json:"name"`
	// Kinds are the kinds of evidence the signer may state; empty means all.
	Kinds []assay.Kind `json:"kinds,omitempty"`

	// Key is the [attest.KeyID] of a key. A rule whose key the [Trust] does not have
	// matches nobody: one policy may serve where not every key is trusted.
	Key assay.Digest `json:"key,omitzero"`

	// Issuer is the OIDC issuer, and IssuerPattern a regular expression (RE2) that
	// must match all of it.
	Issuer        string `json:"issuer,omitempty"`
	IssuerPattern string `json:"issuerPattern,omitempty"`
	// Subject is the certificate's subject alternative name, and SubjectPattern a
	// regular expression that must match all of it.
	Subject        string `json:"subject,omitempty"`
	SubjectPattern string `json:"subjectPattern,omitempty"`
	// Claims are CI claims the certificate must carry; empty ones are not looked at.
	Claims assay.Claims `json:"claims,omitzero"`

	// Builders are the builder.id values the signer may speak for in provenance. A
	// signer whose certificate names its workflow may always speak for that one.
	Builders []string `json:"builders,omitempty"`
	// VEXAuthors are the authors of VEX documents the signer may speak for; empty
	// means any.
	VEXAuthors []string `json:"vexAuthors,omitempty"`
}

type compiledRule struct {
	SignerRule
	issuer, subject *regexp.Regexp // nil: exact
}

var allKinds = []assay.Kind{assay.KindSBOM, assay.KindProvenance, assay.KindVEX, assay.KindScan, assay.KindPosture,
	assay.KindRemediation, assay.KindTestResult, assay.KindSummary, assay.KindOpaque}

func (r SignerRule) compile(field string) (compiledRule, error) {
	bad := func(f, value, bound string) (compiledRule, error) {
		return compiledRule{}, &assay.Error{Op: "read policy", Kind: assay.ErrInvalid, Subject: r.Name, Field: field + "/" + f, Value: value, Bound: bound}
	}
	if r.Name == "" {
		return bad("name", "", "a name")
	}
	for i, k := range r.Kinds {
		if !slices.Contains(allKinds, k) {
			return bad(fmt.Sprintf("kinds/%d", i), string(k), "a kind of evidence")
		}
	}
	hasIssuer, hasSubject := r.Issuer != "" || r.IssuerPattern != "", r.Subject != "" || r.SubjectPattern != ""
	c := compiledRule{SignerRule: r}
	switch {
	case !r.Key.IsZero() && (hasIssuer || hasSubject || r.Claims != assay.Claims{}):
		return bad("key", r.Key.String(), "a key, or an issuer, subject and claims, not both")
	case !r.Key.IsZero():
		if r.Key.Algorithm() != assay.SHA256 {
			return bad("key", r.Key.String(), "a sha256 digest")
		}
		return c, nil
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
	return c, nil
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

// is reports whether the rule names the proven signer.
func (r *compiledRule) is(id assay.Identity) bool {
	if !r.Key.IsZero() || !id.Key.IsZero() {
		return r.Key == id.Key
	}
	return matches(r.issuer, r.Issuer, id.Issuer) && matches(r.subject, r.Subject, id.Subject) && claimed(r.Claims, id.Claims)
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

type claim struct{ name, value string }

// claimList gives the claims in the order of their OIDs.
func claimList(c assay.Claims) []claim {
	return []claim{
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
