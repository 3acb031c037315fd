package provenance

import (
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/strictjson"
)

// SourceSummary is a verification summary of the source track: somebody, in most cases
// the source control system, vouches for a revision (SLSA v1.2, source-requirements.md,
// "Source verification summary attestation").
type SourceSummary struct {
	*assay.Summary
	// Commit is the revision, and Refs the branches and tags, fully qualified, that it
	// was verified on. Without Refs the summary is of no branch in particular.
	Commit assay.Digest
	Refs   []string
	// Level is the level of the source track, 0 if it has none.
	Level int
}

// ReadSourceSummary reads a whole statement with a summary of the source track. The refs
// are annotations of the subject, which no predicate has. Nobody has verified it.
//
// Beside the rules of [ReadSummary] it requires VSA V6: the predicate type
// [assay.PredicateVSA], one subject, with a gitCommit; refs that start with "refs/", each
// named once; one level of the source track, or a property of it.
func ReadSourceSummary(name string, statement []byte) (*SourceSummary, error) {
	var doc struct {
		Type    string `json:"_type"`
		Subject []struct {
			Digest      map[string]string `json:"digest"`
			Annotations struct {
				SourceRefs []string `json:"sourceRefs"`
				Unknown    raws     `json:",embed"`
			} `json:"annotations"`
			Unknown raws `json:",embed"`
		} `json:"subject"`
		PredicateType string         `json:"predicateType"`
		Predicate     jsontext.Value `json:"predicate"`
		Unknown       raws           `json:",embed"`
	}
	if err := strictjson.Unmarshal(name, statement, &doc, strictjson.Limits{}); err != nil {
		return nil, err
	}
	bad := func(field, value, bound, rule string) (*SourceSummary, error) {
		return nil, badSummary(name, field, value, bound, rule)
	}
	if doc.Type != "https://in-toto.io/Statement/v1" {
		return bad("/_type", doc.Type, "https://in-toto.io/Statement/v1", "in-toto S1")
	}
	if doc.PredicateType != string(assay.PredicateVSA) {
		return bad("/predicateType", doc.PredicateType, string(assay.PredicateVSA), "VSA V6")
	}
	s, err := ReadSummary(name, doc.Predicate)
	if err != nil {
		return nil, err
	}
	out := &SourceSummary{Summary: s}
	if len(doc.Subject) != 1 {
		return bad("/subject", strconv.Itoa(len(doc.Subject))+" subjects", "one revision", "VSA V6")
	}
	set, err := assay.ParseDigestSet(doc.Subject[0].Digest)
	if err != nil {
		return bad("/subject/0/digest", "", "lowercase hexadecimal digests", "in-toto S4")
	}
	if out.Commit = set.Get(assay.GitCommit); out.Commit.IsZero() {
		return bad("/subject/0/digest", "", "a gitCommit", "VSA V6")
	}
	seen := map[string]bool{}
	for i, ref := range doc.Subject[0].Annotations.SourceRefs {
		if !strings.HasPrefix(ref, "refs/") || strings.TrimPrefix(ref, "refs/") == "" || seen[ref] {
			return bad("/subject/0/annotations/sourceRefs/"+strconv.Itoa(i), ref, "a fully qualified ref, refs/…, once", "VSA V6")
		}
		seen[ref] = true
		out.Refs = append(out.Refs, ref)
	}
	about := false
	for _, level := range s.Levels {
		l, ok := parseLevel(level)
		if ok && l.track == "SLSA_SOURCE" {
			out.Level = max(l.n, 0)
		}
		about = about || ok && l.track == "SLSA_SOURCE" || strings.HasPrefix(level, "SLSA_SOURCE_") || strings.HasPrefix(level, "ORG_SOURCE_")
	}
	if !about {
		return bad("/verifiedLevels", strings.Join(s.Levels, ", "), "a level or a property of the source track", "VSA V6")
	}
	return out, nil
}
