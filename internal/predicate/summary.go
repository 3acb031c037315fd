package predicate

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/strictjson"
)

// summaryJSON is the predicate of SLSA v1.2, verification_summary.md. Pointers tell
// what is missing from what is empty; omitzero keeps an empty map, which claims that
// there are no dependencies, apart from none, which claims nothing.
type summaryJSON struct {
	Verifier           *verifierJSON    `json:"verifier"`
	TimeVerified       time.Time        `json:"timeVerified,omitzero"`
	ResourceURI        string           `json:"resourceUri"`
	Policy             *assay.Resource  `json:"policy"`
	InputAttestations  []assay.Resource `json:"inputAttestations,omitempty"`
	VerificationResult string           `json:"verificationResult"`
	VerifiedLevels     *[]string        `json:"verifiedLevels"`
	DependencyLevels   map[string]int   `json:"dependencyLevels,omitzero"`
	SLSAVersion        string           `json:"slsaVersion,omitempty"`
}

type verifierJSON struct {
	ID      string            `json:"id"`
	Version map[string]string `json:"version,omitempty"`
}

// EncodeSummary writes a verification summary (SLSA v1.2, verification_summary.md),
// under the rules that [DecodeSummary] reads by; besides, a level that starts with
// "SLSA_" must be one of the form that SLSA defines.
func EncodeSummary(s *assay.Summary) ([]byte, error) {
	if s == nil {
		return nil, badSummary("", "", "", "a summary", "")
	}
	for i, level := range s.Levels {
		if _, ok := track(level); strings.HasPrefix(level, "SLSA_") && !ok {
			return nil, badSummary("", "/verifiedLevels/"+strconv.Itoa(i), level, "SLSA_<TRACK>_LEVEL_<N>, or a name without that prefix", "VSA V2")
		}
	}
	levels := slices.Clone(s.Levels)
	if levels != nil {
		slices.Sort(levels)
	}
	doc := summaryJSON{
		Verifier:           &verifierJSON{ID: s.Verifier, Version: s.VerifierVersion},
		TimeVerified:       s.TimeVerified.UTC(),
		ResourceURI:        s.ResourceURI,
		Policy:             &s.Policy,
		InputAttestations:  slices.SortedFunc(slices.Values(s.Inputs), assay.Resource.Compare),
		VerificationResult: "FAILED",
		VerifiedLevels:     &levels,
		DependencyLevels:   s.DependencyLevels,
		SLSAVersion:        s.SLSAVersion,
	}
	if s.Passed {
		doc.VerificationResult = "PASSED"
	}
	if s.TimeVerified.IsZero() {
		doc.TimeVerified = time.Time{}
	}
	if levels == nil {
		doc.VerifiedLevels = nil
	}
	if err := checkSummary("", &doc); err != nil {
		return nil, err
	}
	return strictjson.Marshal(doc)
}

// DecodeSummary reads a verification summary of version 1. It requires verifier.id,
// resourceUri, policy.uri, verificationResult and verifiedLevels (rule V1), at most
// one level of each track (V2), a digest for each input (V3) and counts that are
// not negative (V4).
func DecodeSummary(name string, data []byte) (*assay.Summary, error) {
	var doc summaryJSON
	if err := strictjson.Unmarshal(name, data, &doc, strictjson.Limits{}); err != nil {
		return nil, err
	}
	if err := checkSummary(name, &doc); err != nil {
		return nil, err
	}
	return &assay.Summary{
		Verifier:         doc.Verifier.ID,
		VerifierVersion:  doc.Verifier.Version,
		TimeVerified:     doc.TimeVerified,
		ResourceURI:      doc.ResourceURI,
		Policy:           *doc.Policy,
		Inputs:           doc.InputAttestations,
		Passed:           doc.VerificationResult == "PASSED",
		Levels:           *doc.VerifiedLevels,
		DependencyLevels: doc.DependencyLevels,
		SLSAVersion:      doc.SLSAVersion,
	}, nil
}

func badSummary(name, field, value, bound, rule string) error {
	return &assay.Error{Op: "check verification summary", Kind: assay.ErrInvalid, Subject: name, Field: field, Value: value, Bound: bound, Rule: rule}
}

func checkSummary(name string, doc *summaryJSON) error {
	switch {
	case doc.Verifier == nil || doc.Verifier.ID == "":
		return badSummary(name, "/verifier/id", "", "the URI of who verified", "VSA V1")
	case doc.ResourceURI == "":
		return badSummary(name, "/resourceUri", "", "a URI", "VSA V1")
	case doc.Policy == nil || doc.Policy.URI == "":
		return badSummary(name, "/policy/uri", "", "the URI of the policy", "VSA V1")
	case doc.VerificationResult != "PASSED" && doc.VerificationResult != "FAILED":
		return badSummary(name, "/verificationResult", doc.VerificationResult, "PASSED or FAILED", "VSA V1")
	case doc.VerifiedLevels == nil:
		return badSummary(name, "/verifiedLevels", "", "a list of levels", "VSA V1")
	}
	seen := map[string]string{}
	for i, level := range *doc.VerifiedLevels {
		field := "/verifiedLevels/" + strconv.Itoa(i)
		if level == "" {
			return badSummary(name, field, "", "a level", "VSA V2")
		}
		key, ok := track(level)
		if !ok {
			key = level
		}
		if other, ok := seen[key]; ok {
			return badSummary(name, field, level, "one level of each track, beside "+other, "VSA V2")
		}
		seen[key] = level
	}
	if err := checkResources("check verification summary", name, "/inputAttestations", doc.InputAttestations); err != nil {
		return err
	}
	for i, in := range doc.InputAttestations {
		if len(in.Digest) == 0 {
			return badSummary(name, "/inputAttestations/"+strconv.Itoa(i)+"/digest", in.URI, "a digest", "VSA V3")
		}
	}
	for _, level := range slices.Sorted(maps.Keys(doc.DependencyLevels)) {
		if n := doc.DependencyLevels[level]; n < 0 {
			return badSummary(name, "/dependencyLevels/"+level, strconv.Itoa(n), "a count", "VSA V4")
		}
	}
	return nil
}

// track splits "SLSA_BUILD_LEVEL_3" into "SLSA_BUILD" and its level.
func track(level string) (string, bool) {
	t, n, ok := strings.Cut(level, "_LEVEL_")
	if !ok || !strings.HasPrefix(t, "SLSA_") || len(t) == len("SLSA_") {
		return "", false
	}
	if n == "UNEVALUATED" {
		return t, true
	}
	_, err := strconv.ParseUint(n, 10, 8)
	return t, err == nil
}

// checkResources applies in-toto rule S5 to a list.
func checkResources(op, name, field string, list []assay.Resource) error {
	for i, r := range list {
		if r.Validate() != nil {
			return &assay.Error{Op: op, Kind: assay.ErrInvalid, Subject: name, Field: field + "/" + strconv.Itoa(i),
				Value: r.Name, Bound: "a uri, digest or content", Rule: "in-toto S5"}
		}
	}
	return nil
}
