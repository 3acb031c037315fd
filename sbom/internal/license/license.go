// Package license decides whether a text is an SPDX licence expression.
//
// The lists of licence and exception ids come from go-spdx. Its parser is not
// used: it recurses once for each parenthesis of a hostile expression, takes
// "Apache-2.0-only" and "MIT ANDISC" for valid, and compiles a regular expression
// for every token, which dominates reading a document of thousands of packages.
//
// Start with [Parse] for what a document states as an expression, and with
// [Declared] for what package managers keep, who never checked it.
package license

import (
	"cmp"
	"slices"
	"strings"
	"sync"

	"github.com/github/go-spdx/v2/spdxexp/spdxlicenses"

	"github.com/assaykit/assay"
)

// Parse makes a license of a statement as it was found: an expression where it is
// a valid one, else a name.
func Parse(text string, concluded bool) assay.License {
	if Valid(text) {
		return assay.License{Expression: text, Concluded: concluded}
	}
	return assay.License{Name: text, Concluded: concluded}
}

// maxDeclared is far above any real expression. A longer text is a name.
const maxDeclared = 4096

// Declared makes a license of what a package's metadata declare: an expression, or
// a name as it was found. Other than [Parse] it forgives what is written there: ids
// are brought to the spelling of SPDX, operators to uppercase, white space to one
// blank; parentheses around all of it are left out.
func Declared(text string) assay.License {
	text = strings.TrimSpace(text)
	if text == "" {
		return assay.License{}
	}
	if len(text) > maxDeclared {
		return assay.License{Name: text}
	}
	words := strings.Fields(strings.ReplaceAll(strings.ReplaceAll(text, "(", " ( "), ")", " ) "))
	for i, w := range words {
		switch u := strings.ToUpper(w); u {
		case "AND", "OR", "WITH":
			words[i] = u
		default:
			words[i] = respell(w)
		}
	}
	expr := strings.ReplaceAll(strings.ReplaceAll(strings.Join(words, " "), "( ", "("), " )", ")")
	if !Valid(expr) {
		return assay.License{Name: text}
	}
	n := enclosing(expr)
	return assay.License{Expression: expr[n : len(expr)-n]}
}

// enclosing is how many pairs of parentheses are around all of a valid expression.
// In "(A) AND (B)" there are none.
func enclosing(expr string) int {
	inner := strings.TrimLeft(expr, "(")
	depth := len(expr) - len(inner)
	inner = strings.TrimRight(inner, ")")
	n := min(depth, len(expr)-depth-len(inner))
	for i := range len(inner) {
		switch inner[i] {
		case '(':
			depth++
		case ')':
			depth--
			n = min(n, depth)
		}
	}
	return n
}

// respell gives a listed id, with or without a "+", as SPDX spells it.
func respell(word string) string {
	low := strings.ToLower(word)
	if id := licenses().folded[low]; id != "" {
		return id
	}
	if id := exceptions().folded[low]; id != "" {
		return id
	}
	if base, plus := strings.CutSuffix(low, "+"); plus {
		if id := licenses().folded[base]; id != "" {
			return id + "+"
		}
	}
	return word
}

// list is the ids of one kind as they are spelt, and those by their lowercase form.
type list struct {
	exact  map[string]bool
	folded map[string]string
}

func (l *list) add(ids []string) {
	for _, id := range ids {
		l.exact[id] = true
		if low := strings.ToLower(id); l.folded[low] == "" {
			l.folded[low] = id
		}
	}
}

func newList() list { return list{make(map[string]bool), make(map[string]string)} }

var licenses = sync.OnceValue(func() list {
	l := newList()
	l.add(spdxlicenses.GetLicenses())
	l.add(spdxlicenses.GetDeprecated())
	return l
})

var exceptions = sync.OnceValue(func() list {
	l := newList()
	l.add(spdxlicenses.GetExceptions())
	// In the list that CycloneDX 1.6 enumerates, and withdrawn from SPDX since.
	l.add([]string{"Nokia-Qt-exception-1.1"})
	return l
})

// IsID reports whether id is the id of a licence, spelt as SPDX spells it.
func IsID(id string) bool { return licenses().exact[id] }

// IsListed reports whether id is that of a licence or an exception, spelt as SPDX
// spells it: what CycloneDX allows as license.id.
func IsListed(id string) bool { return IsID(id) || exceptions().exact[id] }

// Valid reports whether s is a licence expression (SPDX 2.3, Annex D). Ids are
// compared without regard to case and operators with, as the annex says.
func Valid(s string) bool {
	depth := 0
	const (
		operand = iota // a license or "(" must follow
		after          // an operator, WITH or ")" must follow
		closed         // as after, but WITH may not follow: it takes one license
		except         // an exception must follow
	)
	state := operand
	for s != "" {
		var tok string
		switch {
		case s[0] == ' ':
			s = s[1:]
			continue
		case s[0] == '(' || s[0] == ')':
			tok, s = s[:1], s[1:]
		default:
			n := strings.IndexAny(s, " ()")
			if n < 0 {
				n = len(s)
			}
			tok, s = s[:n], s[n:]
		}
		switch {
		case state == operand && tok == "(":
			depth++
		case state == operand && isLicense(tok):
			state = after
		case (state == after || state == closed) && tok == ")" && depth > 0:
			depth--
			state = closed
		case (state == after || state == closed) && (tok == "AND" || tok == "OR"):
			state = operand
		case state == after && tok == "WITH":
			state = except
		case state == except && exceptions().folded[strings.ToLower(tok)] != "":
			state = closed
		default:
			return false
		}
	}
	return depth == 0 && (state == after || state == closed)
}

func isLicense(tok string) bool {
	if doc, ref, ok := strings.Cut(tok, ":"); ok {
		id, isDoc := strings.CutPrefix(doc, "DocumentRef-")
		return isDoc && isIDString(id) && isRef(ref)
	}
	if isRef(tok) {
		return true
	}
	l := licenses()
	tok = strings.ToLower(tok)
	if l.folded[tok] != "" {
		return true
	}
	base, plus := strings.CutSuffix(tok, "+")
	return plus && l.folded[base] != ""
}

func isRef(tok string) bool {
	id, ok := strings.CutPrefix(tok, "LicenseRef-")
	return ok && isIDString(id)
}

// isIDString is the idstring of the annex.
func isIDString(s string) bool {
	for i := range len(s) {
		c := s[i]
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && c != '.' && c != '-' {
			return false
		}
	}
	return s != ""
}

// Refs gives the "LicenseRef-" ids of a valid expression that are not of another
// document, in order of appearance, repetitions included.
func Refs(expression string) []string {
	var out []string
	for tok := range strings.FieldsFuncSeq(expression, func(r rune) bool { return r == ' ' || r == '(' || r == ')' }) {
		if isRef(tok) {
			out = append(out, tok)
		}
	}
	return out
}

// IsCompound reports whether a valid expression holds an operator, so that it
// needs parentheses inside another expression.
func IsCompound(expression string) bool {
	return strings.ContainsAny(strings.Trim(expression, " "), " (")
}

// Compare orders licenses by expression, name, and whether they were concluded.
func Compare(a, b assay.License) int {
	ab, bb := 0, 0
	if a.Concluded {
		ab = 1
	}
	if b.Concluded {
		bb = 1
	}
	return cmp.Or(cmp.Compare(a.Expression, b.Expression), cmp.Compare(a.Name, b.Name), cmp.Compare(ab, bb))
}

// Sort brings licenses to one order, each once.
func Sort(list *[]assay.License) {
	slices.SortFunc(*list, Compare)
	*list = slices.Compact(*list)
}
