// Package license reads the statements on licences that package managers keep.
//
// Start with [Parse].
package license

import (
	"strings"
	"sync"

	"github.com/github/go-spdx/v2/spdxexp/spdxlicenses"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/sbom/internal/license"
)

// maxExpression is far above any real expression. A longer text is a name.
const maxExpression = 4096

// spelling gives an identifier as SPDX spells it, by its lowercase form.
var spelling = sync.OnceValue(func() map[string]string {
	m := map[string]string{}
	for _, ids := range [][]string{spdxlicenses.GetDeprecated(), spdxlicenses.GetLicenses(), spdxlicenses.GetExceptions()} {
		for _, id := range ids {
			m[strings.ToLower(id)] = id
		}
	}
	return m
})

// Parse gives the licence that s declares: a valid SPDX expression (SPDX 2.3 annex
// D), or a name as it is found. Identifiers are brought to the spelling of SPDX
// and operators to uppercase, since package managers never checked either.
func Parse(s string) assay.License {
	s = strings.TrimSpace(s)
	if s == "" {
		return assay.License{}
	}
	if len(s) > maxExpression {
		return assay.License{Name: s}
	}
	words := strings.Fields(strings.NewReplacer("(", " ( ", ")", " ) ").Replace(s))
	for i, w := range words {
		switch u := strings.ToUpper(w); u {
		case "AND", "OR", "WITH":
			words[i] = u
			continue
		}
		id, plus := strings.CutSuffix(strings.ToLower(w), "+")
		if known := spelling()[strings.ToLower(w)]; known != "" {
			words[i] = known
		} else if known := spelling()[id]; known != "" && plus {
			words[i] = known + "+"
		}
	}
	text := strings.NewReplacer("( ", "(", " )", ")").Replace(strings.Join(words, " "))
	if !license.Valid(text) {
		return assay.License{Name: s}
	}
	// One pair of parentheses around all of it says nothing.
	if inner := strings.TrimSuffix(strings.TrimPrefix(text, "("), ")"); len(inner) == len(text)-2 && license.Valid(inner) {
		text = inner
	}
	return assay.License{Expression: text}
}
