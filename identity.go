package assay

import (
	"cmp"
	"slices"
)

// Identity is who signed: the subject of a signing certificate and the issuer that
// vouched for it, or a key. Exactly one of Subject and Key is set.
type Identity struct {
	// Issuer is the OIDC issuer that authenticated the subject (Fulcio OID
	// 1.3.6.1.4.1.57264.1.8, or .1 in old certificates).
	Issuer string `json:"issuer,omitempty"`
	// Subject is the certificate's subject alternative name: an email address, a
	// workflow URI, a SPIFFE id. SubjectKind says which kind of name the certificate
	// has it as; the same characters may stand for others as another kind.
	Subject     string      `json:"subject,omitempty"`
	SubjectKind SubjectKind `json:"subjectKind,omitempty"`
	// Key is the SHA-256 of the public key's PKIX, DER form, where the signer is a
	// key that the caller trusts.
	Key Digest `json:"key,omitzero"`
	// Claims are the CI's statements about the run, as the certificate carries them.
	Claims Claims `json:"claims,omitzero"`
}

// SubjectKind is a kind of subject alternative name that Fulcio certifies.
type SubjectKind string

// The kinds of subject alternative names.
const (
	SubjectEmail     SubjectKind = "email"
	SubjectURI       SubjectKind = "uri"
	SubjectOtherName SubjectKind = "otherName" // a username, 1.3.6.1.4.1.57264.1.7
)

// Claims are what a CI's OIDC token said about a run, by the names of Fulcio's
// extensions (fulcio docs/oid-info.md, 1.3.6.1.4.1.57264.1.2 to .6, deprecated and all
// that certificates from before 2023 have, and .9 to .24). Empty is not claimed.
type Claims struct {
	GitHubWorkflowTrigger               string `json:"githubWorkflowTrigger,omitempty"`               // .2, the event
	GitHubWorkflowSHA                   string `json:"githubWorkflowSHA,omitempty"`                   // .3, the commit
	GitHubWorkflowName                  string `json:"githubWorkflowName,omitempty"`                  // .4
	GitHubWorkflowRepository            string `json:"githubWorkflowRepository,omitempty"`            // .5, "owner/name"
	GitHubWorkflowRef                   string `json:"githubWorkflowRef,omitempty"`                   // .6
	BuildSignerURI                      string `json:"buildSignerURI,omitempty"`                      // .9
	BuildSignerDigest                   string `json:"buildSignerDigest,omitempty"`                   // .10
	RunnerEnvironment                   string `json:"runnerEnvironment,omitempty"`                   // .11
	SourceRepositoryURI                 string `json:"sourceRepositoryURI,omitempty"`                 // .12
	SourceRepositoryDigest              string `json:"sourceRepositoryDigest,omitempty"`              // .13
	SourceRepositoryRef                 string `json:"sourceRepositoryRef,omitempty"`                 // .14
	SourceRepositoryIdentifier          string `json:"sourceRepositoryIdentifier,omitempty"`          // .15
	SourceRepositoryOwnerURI            string `json:"sourceRepositoryOwnerURI,omitempty"`            // .16
	SourceRepositoryOwnerIdentifier     string `json:"sourceRepositoryOwnerIdentifier,omitempty"`     // .17
	BuildConfigURI                      string `json:"buildConfigURI,omitempty"`                      // .18
	BuildConfigDigest                   string `json:"buildConfigDigest,omitempty"`                   // .19
	BuildTrigger                        string `json:"buildTrigger,omitempty"`                        // .20
	RunInvocationURI                    string `json:"runInvocationURI,omitempty"`                    // .21
	SourceRepositoryVisibilityAtSigning string `json:"sourceRepositoryVisibilityAtSigning,omitempty"` // .22
	DeploymentEnvironment               string `json:"deploymentEnvironment,omitempty"`               // .23
	TokenSubject                        string `json:"tokenSubject,omitempty"`                        // .24, the "sub" claim as it was
}

// Validate requires a subject with an issuer, or a key, and not both: an identity
// that nobody vouches for is none.
func (i Identity) Validate() error {
	bad := &Error{Op: "check identity", Kind: ErrInvalid, Value: i.String()}
	switch {
	case i.Subject == "" && i.Key.IsZero():
		bad.Bound = "a subject or a key"
	case i.Subject != "" && !i.Key.IsZero():
		bad.Bound = "a subject or a key, not both"
	case i.Subject != "" && i.Issuer == "":
		bad.Field, bad.Bound = "issuer", "the issuer that authenticated the subject"
	case i.Subject == "" && (i.Issuer != "" || i.SubjectKind != "" || i.Claims != Claims{}):
		bad.Field, bad.Bound = "issuer", "no issuer and no claims beside a key"
	default:
		return nil
	}
	return bad
}

// KeyIdentity is the identity of a bare key.
func KeyIdentity(key Digest) Identity { return Identity{Key: key} }

// String gives "subject (issuer)" or "key sha256:…".
func (i Identity) String() string {
	switch {
	case !i.Key.IsZero():
		return "key " + i.Key.String()
	case i.Issuer != "":
		return i.Subject + " (" + i.Issuer + ")"
	}
	return i.Subject
}

// Compare orders identities, and is 0 for the same signer: claims, which differ
// from run to run, do not count.
func (i Identity) Compare(o Identity) int {
	return cmp.Or(cmp.Compare(i.Subject, o.Subject), cmp.Compare(i.SubjectKind, o.SubjectKind), cmp.Compare(i.Issuer, o.Issuer), i.Key.Compare(o.Key))
}

// IsZero reports whether i is nobody.
func (i Identity) IsZero() bool { return i == Identity{} }

// DistinctIdentities sorts the identities and drops repetitions, so that a quorum
// of signers counts each once, whatever claims it signed with. Of those with
// different claims the one that was given first stays.
func DistinctIdentities(ids []Identity) []Identity {
	ids = slices.Clone(ids)
	slices.SortStableFunc(ids, Identity.Compare)
	return slices.CompactFunc(ids, func(a, b Identity) bool { return a.Compare(b) == 0 })
}
