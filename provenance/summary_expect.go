package provenance

import (
	"slices"
	"strings"
	"time"

	"github.com/assaykit/assay"
)

// SummaryExpectations are what a verification summary must say to stand for the
// evidence that its verifier saw (SLSA v1.2, verification_summary.md, "How to verify").
// The zero value is refused: a summary that may be of anything, by anyone, proves
// nothing.
type SummaryExpectations struct {
	// Verifier is the verifier.id that the signer may speak for. REQUIRED. That the
	// signer is this one is for package verify to prove.
	Verifier string
	// Resource is the resourceUri. REQUIRED, compared as text. Empty digests of subjects
	// do not matter here: the statement that it came in is about the artifact or is not.
	Resource string
	// Policy is what it was verified against: the URI is REQUIRED; if a digest is given
	// too, the summary must have it.
	Policy assay.Resource
	// Levels are what must have been verified. "SLSA_BUILD_LEVEL_2" is met by a level of
	// that track that is not lower; any other name by the same name. With none, that the
	// artifact passed is enough.
	Levels []string
	// MaxAge is how old the verification may be, at the time Now. Both are REQUIRED,
	// unless AnyAgeUnsafe says that it does not matter.
	MaxAge       time.Duration
	Now          time.Time
	AnyAgeUnsafe bool
}

// CheckSummary says whether a summary meets the expectations. It is about what the
// summary says, and nothing else: signature, signer and subject are for package verify.
//
// The error is the first that is not met, with its place and the rule VSA V5:
// [assay.ErrRefuted] if the summary says otherwise, [assay.ErrUnchecked] if it does not
// say, [assay.ErrInvalid] if the summary breaks a rule of [ReadSummary] or the
// expectations lack what they require.
func CheckSummary(s *assay.Summary, want SummaryExpectations) error {
	if _, err := summaryOf(s); err != nil {
		return err
	}
	fail := func(kind error, field, value, bound string) error {
		return &assay.Error{Op: summaryOp, Kind: kind, Field: field, Value: value, Bound: bound, Rule: "VSA V5"}
	}
	switch {
	case want.Verifier == "":
		return fail(assay.ErrInvalid, "verifier", "", "an expected verifier")
	case want.Resource == "":
		return fail(assay.ErrInvalid, "resource", "", "an expected resource")
	case want.Policy.URI == "":
		return fail(assay.ErrInvalid, "policy", "", "the URI of an expected policy")
	case !want.AnyAgeUnsafe && (want.MaxAge <= 0 || want.Now.IsZero()):
		return fail(assay.ErrInvalid, "maxAge", want.MaxAge.String(), "a time, and how old the summary may be then")
	}
	switch {
	case s.Verifier != want.Verifier:
		return fail(assay.ErrRefuted, "/verifier/id", s.Verifier, want.Verifier)
	case s.ResourceURI != want.Resource:
		return fail(assay.ErrRefuted, "/resourceUri", s.ResourceURI, want.Resource)
	case s.Policy.URI != want.Policy.URI:
		return fail(assay.ErrRefuted, "/policy/uri", s.Policy.URI, want.Policy.URI)
	case !s.Passed:
		return fail(assay.ErrRefuted, "/verificationResult", "FAILED", "PASSED")
	}
	if err := checkPolicyDigest(s.Policy.Digest, want.Policy.Digest, fail); err != nil {
		return err
	}
	for _, level := range want.Levels {
		if err := checkLevel(s.Levels, level, fail); err != nil {
			return err
		}
	}
	if want.AnyAgeUnsafe {
		return nil
	}
	at := s.TimeVerified
	switch {
	case at.IsZero():
		return fail(assay.ErrUnchecked, "/timeVerified", "", "a time, to know how old it is")
	case at.After(want.Now):
		return fail(assay.ErrRefuted, "/timeVerified", formatTime(at), "not after "+formatTime(want.Now))
	case want.Now.Sub(at) > want.MaxAge:
		return fail(assay.ErrRefuted, "/timeVerified", formatTime(at), "at most "+want.MaxAge.String()+" before "+formatTime(want.Now))
	}
	return nil
}

// checkPolicyDigest requires one strong digest in common, and none that differs.
func checkPolicyDigest(has, want assay.DigestSet, fail func(error, string, string, string) error) error {
	if len(want) == 0 {
		return nil
	}
	for _, d := range want {
		if got := has.Get(d.Algorithm()); !got.IsZero() && got != d {
			return fail(assay.ErrRefuted, "/policy/digest/"+string(d.Algorithm()), got.Hex(), d.Hex())
		}
	}
	if !has.Match(want) {
		return fail(assay.ErrUnchecked, "/policy/digest", "", want[0].String())
	}
	return nil
}

func checkLevel(levels []string, want string, fail func(error, string, string, string) error) error {
	least, ok := parseLevel(want)
	if !ok || least.n < 0 {
		switch {
		case want == "" || ok:
			return fail(assay.ErrInvalid, "levels", want, "a level, or the name of a property")
		case !slices.Contains(levels, want):
			return fail(assay.ErrUnchecked, "/verifiedLevels", strings.Join(levels, ", "), want)
		}
		return nil
	}
	for _, level := range levels {
		l, ok := parseLevel(level)
		switch {
		case !ok || l.track != least.track:
			continue
		case l.n < 0:
			return fail(assay.ErrUnchecked, "/verifiedLevels", level, want)
		case l.n < least.n:
			return fail(assay.ErrRefuted, "/verifiedLevels", level, "at least "+want)
		}
		return nil
	}
	return fail(assay.ErrUnchecked, "/verifiedLevels", strings.Join(levels, ", "), "at least "+want)
}
