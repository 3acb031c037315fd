package canon

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/assaykit/assay"
)

// referenceTypes are those of CycloneDX 1.7, which are the model's.
var referenceTypes = strings.Fields(`vcs issue-tracker website advisories bom mailing-list social chat documentation support
	source-distribution distribution distribution-intake license build-meta build-system release-notes security-contact model-card log
	configuration evidence formulation attestation threat-model adversary-model risk-assessment vulnerability-assertion
	exploitability-statement pentest-report static-analysis-report dynamic-analysis-report runtime-analysis-report
	component-analysis-report maturity-report certification-report codified-infrastructure quality-metrics poam
	electronic-signature digital-signature rfc-9116 patent patent-family patent-assertion citation other`)

// ValidReference reports whether the model knows the type.
func ValidReference(t assay.ReferenceType) bool { return slices.Contains(referenceTypes, string(t)) }

// Encoded says that a URL is not as it was.
const Encoded = "characters that no URI has are percent-encoded"

// references gives a sorted copy. A URL becomes one word, as a URI is.
func (f *former) references(c *assay.Component) []assay.Reference {
	if len(c.References) == 0 {
		return nil
	}
	out := make([]assay.Reference, 0, len(c.References))
	for _, r := range c.References {
		if r.URL == "" && len(r.Hashes) == 0 {
			f.report("references", c.ID, "a reference of type "+string(r.Type)+" without a URL and digests")
			continue
		}
		r.URL = f.utf8("references", c.ID, r.URL)
		r.Comment = f.utf8("references", c.ID, r.Comment)
		if word := Word(r.URL); word != r.URL {
			f.report("references", c.ID, Encoded+": "+word)
			r.URL = word
		}
		r.Hashes = sorted(r.Hashes)
		out = append(out, r)
	}
	return assay.SortReferences(out)
}

func noURI(r rune) bool { return r <= ' ' || r == 0x7f || r == '<' || r == '>' || unicode.IsSpace(r) }

// Word gives a URL as one word: characters that no URI has are percent-encoded.
func Word(s string) string {
	if !strings.ContainsFunc(s, noURI) {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if !noURI(r) {
			b.WriteRune(r)
			continue
		}
		for _, c := range []byte(string(r)) {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}
