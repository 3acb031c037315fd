package scan

import (
	"strconv"
	"strings"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/vex/severity"
)

// The methods under which the parts of a severity are written: the first is that of
// the specification's example, the second is ours. A word is written under the name
// of its source.
const (
	methodScore  = "cvss_score"
	methodVector = "cvss_vector"
	methodWord   = "rating" // of no source
)

// standardSeverities writes what the standard can say of severities. It loses whose a
// score is; the finding in the annotations has that.
func standardSeverities(list []assay.Severity) []wireSeverity {
	out := []wireSeverity{}
	for _, s := range list {
		if s.Rating != "" {
			method := s.Source
			if method == "" {
				method = methodWord
			}
			out = append(out, wireSeverity{method, string(s.Rating)})
		}
		if s.Score != 0 {
			out = append(out, wireSeverity{methodScore, strconv.FormatFloat(s.Score, 'f', -1, 64)})
		}
		if s.Vector != "" {
			out = append(out, wireSeverity{methodVector, s.Vector})
		}
	}
	return out
}

// foreignSeverity reads a severity that another tool wrote. It is not ok if the entry
// tells nothing of severity: nobody rated, or it is a likelihood (EPSS).
func foreignSeverity(w wireSeverity) (s assay.Severity, ok bool) {
	method := strings.ToLower(w.Method)
	if strings.Contains(method, "epss") {
		return assay.Severity{}, false
	}
	cvss := strings.Contains(method, "cvss")
	if s.Source = w.Method; cvss || w.Method == methodWord {
		s.Source = ""
	}
	score, err := strconv.ParseFloat(w.Score, 64)
	if err != nil || !cvss && method != "nvd" {
		return wordOrVector(s.Source, w.Score)
	}
	if rating, err := severity.OfScore(score); err != nil {
		s.Vector = w.Score
	} else if s.Score = score; score == 0 {
		s.Rating = rating // a score of zero that was given
	}
	return s, true
}

// wordOrVector reads text as a word of severity. What is none is kept in the place of
// the vector, as it is: [severity.Rate] then says that it cannot be read, and no
// policy takes it for harmless.
func wordOrVector(source, text string) (assay.Severity, bool) {
	if rating, ok := severity.Word(text); ok {
		return assay.Severity{Source: source, Rating: rating}, true
	}
	if severity.Unrated(text) {
		return assay.Severity{}, false
	}
	return assay.Severity{Source: source, Vector: text}, true
}
