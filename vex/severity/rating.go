package severity

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/assaykit/assay"
)

// ratings in order.
var ratings = [...]assay.Rating{assay.RatingNone, assay.RatingLow, assay.RatingMedium, assay.RatingHigh, assay.RatingCritical}

// Compare orders ratings from none to critical. What is not one of them, the empty
// rating included, is before all.
func Compare(a, b assay.Rating) int {
	return slices.Index(ratings[:], a) - slices.Index(ratings[:], b)
}

// Known reports whether r is one of the five ratings.
func Known(r assay.Rating) bool { return slices.Contains(ratings[:], r) }

// OfScore gives the rating of a score by the scale of CVSS v4.0, section 6, which is
// that of version 3: none 0.0, low to 3.9, medium to 6.9, high to 8.9, critical to
// 10.0. Version 2.0 defines no scale; its scores are rated by the same, so that a
// score of 10 is critical. A score between two steps counts as the next tenth.
func OfScore(score float64) (assay.Rating, error) {
	// Written so that what is not a number is refused.
	if !(score >= 0 && score <= 10) {
		return "", &assay.Error{Op: "rate score", Kind: assay.ErrInvalid, Value: strconv.FormatFloat(score, 'g', -1, 64), Bound: "0 to 10"}
	}
	tenths := math.Ceil(score*10 - 1e-6)
	switch {
	case score == 0:
		return assay.RatingNone, nil
	case tenths < 40:
		return assay.RatingLow, nil
	case tenths < 70:
		return assay.RatingMedium, nil
	case tenths < 90:
		return assay.RatingHigh, nil
	}
	return assay.RatingCritical, nil
}

// Word gives the rating that a database or a distribution means by a word, in any
// case: those of CVSS, "moderate" of GitHub, Red Hat and SUSE, "important" of Red
// Hat, SUSE, Amazon and Microsoft, the urgencies of Debian's tracker with the
// asterisks of the automatic ones, and the "negligible", "minor" and "unimportant"
// for which somebody still keeps a record, which are low.
//
// It is false for words that say that nobody rated ("unknown", "untriaged", "not yet
// assigned", "end-of-life") and for all that are not known here.
func Word(word string) (assay.Rating, bool) {
	switch w := strings.ToLower(strings.TrimRight(strings.TrimSpace(word), "*")); w {
	case "none":
		return assay.RatingNone, true
	case "low", "minor", "negligible", "unimportant", "info", "informational":
		return assay.RatingLow, true
	case "medium", "moderate":
		return assay.RatingMedium, true
	case "high", "important":
		return assay.RatingHigh, true
	case "critical":
		return assay.RatingCritical, true
	}
	return "", false
}

// Rate fills in what is missing: the score of the vector, then the rating of the
// score. What a source says itself is kept, also where its score is not that of its
// vector; [Of] then goes by the worse. A severity that has neither vector, score nor
// rating stays as it is.
//
// A vector that cannot be read, a score outside of 0 to 10 and a rating that is none
// of the five are errors, and the severity comes back as it was.
func Rate(s assay.Severity) (assay.Severity, error) {
	if s.Rating != "" && !Known(s.Rating) {
		return s, &assay.Error{Op: "rate severity", Kind: assay.ErrInvalid, Subject: s.Source, Field: "rating", Value: string(s.Rating), Bound: "none, low, medium, high or critical"}
	}
	if _, err := OfScore(s.Score); err != nil {
		return s, named(s, "score", err)
	}
	out := s
	if s.Vector != "" {
		v, err := Parse(s.Vector)
		if err != nil {
			return s, named(s, "vector", err)
		}
		if !s.Scored() {
			out.Score = v.Score
		}
		if out.Rating == "" && out.Score == 0 {
			out.Rating = assay.RatingNone
		}
	}
	if out.Rating == "" && out.Score > 0 {
		out.Rating, _ = OfScore(out.Score)
	}
	return out, nil
}

func named(s assay.Severity, field string, err error) error {
	return &assay.Error{Op: "rate severity", Kind: assay.KindOf(err), Subject: s.Source, Field: field, Err: err}
}

// Unrated reports whether a word, in any case, says that nobody rated.
func Unrated(word string) bool {
	switch strings.ToLower(strings.TrimSpace(word)) {
	case "", "unknown", "undefined", "undetermined", "unrated", "unassigned", "untriaged", "not yet assigned", "pending", "end-of-life", "n/a":
		return true
	}
	return false
}
