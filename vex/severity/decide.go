package severity

import (
	"slices"
	"strings"

	"github.com/assaykit/assay"
)

// Preference chooses between the severities of a finding. The zero value takes the
// worst of all.
type Preference struct {
	// Sources are names of sources, the most trusted first: "nvd", "ghsa", "debian".
	// The first that rated decides, by the worst of what it says. Where none of them
	// did, the worst of all others decides. Case does not count.
	Sources []string
	// OnlySources leaves a finding that none of the Sources rated without a rating.
	OnlySources bool
}

// Decision is the rating of a finding.
type Decision struct {
	// Rating is empty if nothing that can be read says one, or if something that
	// cannot be read might be worse.
	Rating assay.Rating
	// Severity is what it rests on, as [Rate] gives it; zero without a Rating.
	Severity assay.Severity
	// Least is the worst that can be read. It differs from Rating only where there are
	// Errors.
	Least assay.Rating
	// Errors are why severities could not be read, in their order.
	Errors []error
}

// Of gives the rating of a finding and whose it is, by the zero [Preference]. It is
// false if the rating is not known, which is no rating of none: a policy treats it as
// the worst that it tells apart.
func Of(f assay.Finding) (rating assay.Rating, source string, ok bool) {
	d := Preference{}.Decide(f.Severities)
	return d.Rating, d.Severity.Source, d.Rating != ""
}

// Decide goes through the severities of one vulnerability:
//
//  1. Only those of the most preferred source that says anything count; all, without
//     a preference.
//  2. A vector of CVSS v2.0 counts only if its source has none of a later version,
//     which it means to be in its place. Versions 3.x and 4.0 are in use side by side,
//     and both count.
//  3. The rating of each is the worst of its word, its score and its vector.
//  4. The worst of all decides. Of those as bad the one with the highest score is
//     named, then the first.
//
// A severity that cannot be read, and says nothing else, may be worse than all
// others: unless one is critical, the rating is not known then.
func (p Preference) Decide(severities []assay.Severity) Decision {
	var d Decision
	chosen := p.choose(severities)
	later := map[string]bool{} // sources with a vector of version 3 or later
	for _, s := range chosen {
		if newer(s.Vector) {
			later[strings.ToLower(s.Source)] = true
		}
	}
	var worst assay.Severity
	for _, s := range chosen {
		if s.Vector != "" && !newer(s.Vector) && later[strings.ToLower(s.Source)] {
			continue
		}
		rated, err := worstOf(s)
		if err != nil {
			d.Errors = append(d.Errors, err)
		}
		if c := Compare(rated.Rating, worst.Rating); c > 0 || c == 0 && rated.Score > worst.Score {
			worst = rated
		}
	}
	d.Least = worst.Rating
	if len(d.Errors) == 0 || worst.Rating == assay.RatingCritical {
		d.Rating = worst.Rating
		if d.Rating != "" {
			d.Severity = worst
		}
	}
	return d
}

// newer tells versions by the prefix, which a vector that cannot be read may have.
func newer(vector string) bool {
	return strings.HasPrefix(vector, "CVSS:") && !strings.HasPrefix(vector, "CVSS:2.0/")
}

// choose gives the severities of the first source that says anything.
func (p Preference) choose(severities []assay.Severity) []assay.Severity {
	for _, source := range p.Sources {
		var of []assay.Severity
		for _, s := range severities {
			if strings.EqualFold(s.Source, source) && (s.Vector != "" || s.Score != 0 || s.Rating != "") {
				of = append(of, s)
			}
		}
		if len(of) > 0 {
			return of
		}
	}
	if p.OnlySources {
		return nil
	}
	return slices.Clone(severities)
}

// worstOf rates by the worst of word, score and vector. It is an error if one of them
// cannot be read and no other speaks for the severity.
func worstOf(s assay.Severity) (assay.Severity, error) {
	rated, err := Rate(s)
	if err != nil {
		// What is left when each part that cannot be read is taken away.
		rest := s
		if !Known(rest.Rating) {
			rest.Rating = ""
		}
		if _, bad := OfScore(rest.Score); bad != nil {
			rest.Score = 0
		}
		if _, bad := Parse(rest.Vector); bad != nil {
			rest.Vector = ""
		}
		if rated, _ = Rate(rest); rated.Rating == "" {
			return assay.Severity{}, err
		}
		rated.Vector = s.Vector
		s = rest
	}
	if r, bad := OfScore(s.Score); bad == nil && s.Score > 0 && Compare(r, rated.Rating) > 0 {
		rated.Rating = r
	}
	if v, bad := Parse(s.Vector); bad == nil {
		if r, _ := OfScore(v.Score); Compare(r, rated.Rating) > 0 {
			rated.Rating = r
			rated.Score = v.Score
		}
	}
	return rated, nil
}
