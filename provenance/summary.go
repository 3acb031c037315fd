package provenance

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/strictjson"
)

const summaryOp = "check verification summary"

// Verified properties that SLSA defines beside the levels of its tracks (SLSA v1.2,
// verified-properties.md). A summary may have them among its levels.
const (
	// BuildReproduced says that builders which are operated independently made the same
	// artifact; see [ReproducedBy].
	BuildReproduced = "SLSA_BUILD_REPRODUCED"
	// TwoPartyReviewed says that two trusted persons reviewed the source.
	TwoPartyReviewed = "SLSA_SOURCE_TWO_PARTY_REVIEWED"
)

// wireSummary is the predicate of SLSA v1.2, verification_summary.md. Pointers tell
// what is missing from what is empty; omitzero keeps an empty map, which claims that
// there are no dependencies, apart from none, which claims nothing.
type wireSummary struct {
	Verifier           *wireVerifier    `json:"verifier"`
	TimeVerified       time.Time        `json:"timeVerified,omitzero"`
	ResourceURI        string           `json:"resourceUri"`
	Policy             *assay.Resource  `json:"policy"`
	InputAttestations  []assay.Resource `json:"inputAttestations,omitempty"`
	VerificationResult string           `json:"verificationResult"`
	VerifiedLevels     *[]string        `json:"verifiedLevels"`
	DependencyLevels   map[string]int   `json:"dependencyLevels,omitzero"`
	SLSAVersion        string           `json:"slsaVersion,omitempty"`
}

type wireVerifier struct {
	ID      string            `json:"id"`
	Version map[string]string `json:"version,omitempty"`
}

// ReadSummary reads the predicate of a verification summary of version 1
// ([assay.PredicateVSA]). The name, of the file or blob, is for errors. Members that
// the specification does not define are ignored.
//
// A document that breaks a rule is [assay.ErrInvalid] with the rule's name:
//
//   - VSA V1: verifier.id, resourceUri, policy.uri, verificationResult (PASSED or
//     FAILED) and verifiedLevels are required.
//   - VSA V2: at most one level of each track, and none twice.
//   - VSA V3: each input attestation has a digest.
//   - VSA V4: dependencies are counted, not below zero. Null makes no claim about them,
//     an empty object claims that there are none.
//
// Reading proves nothing: package verify proves who signed it, and [CheckSummary] that
// it says what is expected.
func ReadSummary(name string, predicate []byte) (*assay.Summary, error) {
	var doc wireSummary
	if err := strictjson.Unmarshal(name, predicate, &doc, strictjson.Limits{}); err != nil {
		return nil, err
	}
	if err := doc.check(name); err != nil {
		return nil, err
	}
	return &assay.Summary{
		Verifier:         doc.Verifier.ID,
		VerifierVersion:  doc.Verifier.Version,
		TimeVerified:     doc.TimeVerified.UTC(),
		ResourceURI:      doc.ResourceURI,
		Policy:           *doc.Policy,
		Inputs:           doc.InputAttestations,
		Passed:           doc.VerificationResult == "PASSED",
		Levels:           *doc.VerifiedLevels,
		DependencyLevels: doc.DependencyLevels,
		SLSAVersion:      doc.SLSAVersion,
	}, nil
}

// EncodeSummary gives the JSON of a verification summary: the same summary, the same
// bytes. The rules of [ReadSummary] hold; besides, verifier and policy are named by URIs
// (VSA V1), and no level and no dependency level starts with "SLSA_" that SLSA does not
// define (VSA V2).
func EncodeSummary(s *assay.Summary) ([]byte, error) {
	doc, err := summaryOf(s)
	if err != nil {
		return nil, err
	}
	for _, u := range []struct{ at, v string }{{"/verifier/id", s.Verifier}, {"/policy/uri", s.Policy.URI}} {
		if !isURI(u.v) {
			return nil, badSummary("", u.at, u.v, "a URI", "VSA V1")
		}
	}
	for i, level := range *doc.VerifiedLevels {
		if !mayBeWritten(level) {
			return nil, badSummary("", "/verifiedLevels/"+strconv.Itoa(i), level, "SLSA_<TRACK>_LEVEL_<N>, a property of SLSA, or a name without that prefix", "VSA V2")
		}
	}
	for _, level := range slices.Sorted(maps.Keys(doc.DependencyLevels)) {
		if !mayBeWritten(level) {
			return nil, badSummary("", "/dependencyLevels/"+escape(level), level, "SLSA_<TRACK>_LEVEL_<N>, a property of SLSA, or a name without that prefix", "VSA V2")
		}
	}
	b, err := strictjson.Marshal(doc)
	if err != nil {
		return nil, &assay.Error{Op: summaryOp, Kind: assay.ErrInvalid, Bound: "valid UTF-8, years 0 to 9999, and annotations that are JSON values", Err: err}
	}
	return b, nil
}

// summaryOf gives what is written, sorted, once the rules hold.
func summaryOf(s *assay.Summary) (*wireSummary, error) {
	if s == nil {
		return nil, badSummary("", "", "", "a summary", "")
	}
	doc := &wireSummary{
		Verifier:           &wireVerifier{ID: s.Verifier, Version: s.VerifierVersion},
		ResourceURI:        s.ResourceURI,
		Policy:             &s.Policy,
		InputAttestations:  slices.SortedFunc(slices.Values(s.Inputs), assay.Resource.Compare),
		VerificationResult: "FAILED",
		DependencyLevels:   s.DependencyLevels,
		SLSAVersion:        s.SLSAVersion,
	}
	if !s.TimeVerified.IsZero() {
		doc.TimeVerified = s.TimeVerified.UTC()
	}
	if s.Passed {
		doc.VerificationResult = "PASSED"
	}
	if s.Levels != nil {
		levels := slices.Sorted(slices.Values(s.Levels))
		if levels == nil {
			levels = []string{}
		}
		doc.VerifiedLevels = &levels
	}
	return doc, doc.check("")
}

func badSummary(name, field, value, bound, rule string) error {
	return &assay.Error{Op: summaryOp, Kind: assay.ErrInvalid, Subject: name, Field: field, Value: value, Bound: bound, Rule: rule}
}

func (doc *wireSummary) check(name string) error {
	bad := func(field, value, bound, rule string) error { return badSummary(name, field, value, bound, rule) }
	switch {
	case doc.Verifier == nil || doc.Verifier.ID == "":
		return bad("/verifier/id", "", "the URI of who verified", "VSA V1")
	case doc.ResourceURI == "":
		return bad("/resourceUri", "", "a URI", "VSA V1")
	case doc.Policy == nil || doc.Policy.URI == "":
		return bad("/policy/uri", "", "the URI of the policy", "VSA V1")
	case doc.VerificationResult != "PASSED" && doc.VerificationResult != "FAILED":
		return bad("/verificationResult", doc.VerificationResult, "PASSED or FAILED", "VSA V1")
	case doc.VerifiedLevels == nil:
		return bad("/verifiedLevels", "", "a list of levels", "VSA V1")
	}
	seen := map[string]string{}
	for i, level := range *doc.VerifiedLevels {
		field := "/verifiedLevels/" + strconv.Itoa(i)
		if level == "" {
			return bad(field, "", "a level", "VSA V2")
		}
		key := level
		if l, ok := parseLevel(level); ok {
			key = l.track
		}
		if other, ok := seen[key]; ok {
			return bad(field, level, "one level of each track, beside "+other, "VSA V2")
		}
		seen[key] = level
	}
	for i, in := range doc.InputAttestations {
		if in.Validate() != nil {
			return bad("/inputAttestations/"+strconv.Itoa(i), in.Name, "a uri, digest or content", "in-toto S5")
		}
		if len(in.Digest) == 0 {
			return bad("/inputAttestations/"+strconv.Itoa(i)+"/digest", in.URI, "a digest", "VSA V3")
		}
	}
	for _, level := range slices.Sorted(maps.Keys(doc.DependencyLevels)) {
		field := "/dependencyLevels/" + escape(level)
		if level == "" {
			return bad(field, "", "a level", "VSA V4")
		}
		if n := doc.DependencyLevels[level]; n < 0 {
			return bad(field, strconv.Itoa(n), "a count", "VSA V4")
		}
	}
	return nil
}

// trackLevel is "SLSA_BUILD_LEVEL_3", taken apart.
type trackLevel struct {
	track string // "SLSA_BUILD"
	// n is the level, and -1 for UNEVALUATED, which no level is below.
	n int
}

// parseLevel reads a level of a SLSA track: one spelling for each, so that no level is
// another's.
func parseLevel(level string) (trackLevel, bool) {
	t, n, ok := strings.Cut(level, "_LEVEL_")
	if !ok || !strings.HasPrefix(t, "SLSA_") || len(t) == len("SLSA_") {
		return trackLevel{}, false
	}
	if n == "UNEVALUATED" {
		return trackLevel{t, -1}, true
	}
	v, err := strconv.ParseUint(n, 10, 8)
	if err != nil || strconv.FormatUint(v, 10) != n {
		return trackLevel{}, false
	}
	return trackLevel{t, int(v)}, true
}

func mayBeWritten(level string) bool {
	_, ok := parseLevel(level)
	return ok || !strings.HasPrefix(level, "SLSA_") || level == BuildReproduced || level == TwoPartyReviewed
}
