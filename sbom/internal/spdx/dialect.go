package spdx

import (
	"encoding/json"
	"strings"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/strictjson"
	"github.com/assaykit/assay/sbom/internal/quote"
)

// dialect is how a value looks in one serialization. What a serialization cannot
// hold is changed by these functions, and then told exactly in an annotation; a
// reader of the same dialect applies them again to check that both agree.
type dialect struct {
	format   string
	tagValue bool
	old      bool                // SPDX 2.2
	line     func(string) string // of values on one line
	text     func(string) string // of values that span lines
}

func (d *dialect) version() string {
	if d.old {
		return "2.2"
	}
	return "2.3"
}

// as22 is the dialect in SPDX 2.2.
func (d *dialect) as22() *dialect {
	out := *d
	out.old = true
	return &out
}

// purpose is what a type is written as: 2.2 has no member for it.
func (d *dialect) purpose(t assay.ComponentType) string {
	if d.old {
		return ""
	}
	return purposeOf(t)
}

// hasAlgorithm reports whether the version has a name for the algorithm.
func (d *dialect) hasAlgorithm(a assay.Algorithm) (name string, ok bool) {
	name, ok = algorithmNames[a]
	return name, ok && !(d.old && strings.ContainsAny(name, "-B")) // SHA3 and BLAKE
}

func same(s string) string { return s }

var inJSON = &dialect{format: "spdx-json", line: same, text: same}

// inTagValue has no way to escape: a line ends its value, and so does "</text>".
var inTagValue = &dialect{format: "spdx-tag-value", tagValue: true, line: tagLine, text: tagText}

// name is line for values that must be there.
func (d *dialect) name(s string) string {
	if s = d.line(s); s == "" && d.tagValue {
		return "unnamed"
	}
	return s
}

func (d *dialect) lines(list []string) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = d.line(s)
	}
	return out
}

func tagLine(s string) string {
	if isPlain(s, "") {
		return strings.TrimSpace(s)
	}
	s = strings.Map(func(r rune) rune {
		if isControl(r) || r == '\n' || r == '\t' {
			return ' '
		}
		return r
	}, s)
	return strings.TrimSpace(breakTags(s))
}

func tagText(s string) string {
	if isPlain(s, "\n\t") {
		return s
	}
	return breakTags(strings.Map(func(r rune) rune {
		if isControl(r) {
			return ' '
		}
		return r
	}, s))
}

// isPlain reports whether a text is of ASCII without control characters other than
// these, and without what breakTags changes.
func isPlain(s, but string) bool {
	for i := quote.IndexMarkup(s, 0); i < len(s); i = quote.IndexMarkup(s, i+1) {
		switch c := s[i]; {
		case c >= 0x7f || c < ' ' && strings.IndexByte(but, c) < 0:
			return false
		case c == '<' && strings.Contains(s[i:], "text>"):
			return false
		}
	}
	return true
}

// note gives the text of an annotation of facts as the dialect can hold it.
func (d *dialect) note(s string) string {
	if d.tagValue && (strings.Contains(s, "text>") || strings.Contains(s, "\x7f")) {
		s = strings.NewReplacer("<", `\u003c`, "\x7f", `\u007f`).Replace(s)
	}
	return s
}

// isControl tells what is refused in a tag-value document. A carriage return is
// one: whether it survives depends on who has copied the file.
func isControl(r rune) bool { return r < 0x20 && r != '\n' && r != '\t' || r == 0x7f }

// breakTags keeps a value from starting or ending a block of text.
func breakTags(s string) string {
	if !strings.Contains(s, "text>") {
		return s
	}
	return strings.NewReplacer("<text>", "< text>", "</text>", "</ text>").Replace(s)
}

// kindComment starts the comment of a relationship OTHER that stands for one of the
// model's kinds.
const kindComment = "assay:relation:"

// KindComment gives that comment: the kind as it is, or in quotation marks where a
// serialization could not hold it.
func KindComment(kind assay.RelationKind) string {
	s := string(kind)
	if s[0] != '"' && tagLine(s) == s {
		return kindComment + s
	}
	quoted, err := strictjson.Marshal(s)
	if err != nil {
		return kindComment + s // not UTF-8, which package canon refuses
	}
	return kindComment + strings.NewReplacer("<", `\u003c`, "\x7f", `\u007f`).Replace(string(quoted))
}

// KindOf is the reverse.
func KindOf(comment string) (assay.RelationKind, bool) {
	s, ok := strings.CutPrefix(comment, kindComment)
	if ok && strings.HasPrefix(s, `"`) && json.Unmarshal([]byte(s), &s) != nil {
		return "", false
	}
	return assay.RelationKind(s), ok && s != "" && KindComment(assay.RelationKind(s)) == comment
}
