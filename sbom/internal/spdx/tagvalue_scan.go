package spdx

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/sbom/internal/quote"
)

const opTagValue = "read SPDX tag-value"

// tagScanner gives the tags and values of a document, each with its line. They are parts
// of the document.
type tagScanner struct {
	name string
	rest string
	next int // number of the line that rest starts with
	// The pair that scan has read.
	tag, value string
	line       int
}

func (s *tagScanner) fail(line int, value, want string) error {
	return &assay.Error{Op: opTagValue, Kind: assay.ErrInvalid, Subject: s.name, Field: "line " + strconv.Itoa(line), Value: value, Bound: want}
}

// cut takes one line off, without its end.
func (s *tagScanner) cut() (string, error) {
	line, rest, _ := strings.Cut(s.rest, "\n")
	s.rest = rest
	s.next++
	line, _ = strings.CutSuffix(line, "\r")
	plain, control := true, false
	for i := quote.IndexControl(line, 0); i < len(line); i = quote.IndexControl(line, i+1) { // which are single bytes in UTF-8
		c := line[i]
		plain = plain && c < utf8.RuneSelf
		control = control || isControl(rune(c))
	}
	switch {
	case !plain && !utf8.ValidString(line):
		return "", s.fail(s.next-1, clip(strings.ToValidUTF8(line, "?")), "UTF-8")
	case control:
		return "", s.fail(s.next-1, clip(line), "no control characters")
	}
	return line, nil
}

func clip(s string) string { return s[:min(len(s), 80)] }

// scan reads the next pair. It is false at the end.
func (s *tagScanner) scan() (bool, error) {
	const open, end = "<text>", "</text>"
	for len(s.rest) > 0 {
		raw, err := s.cut()
		if err != nil {
			return false, err
		}
		line := strings.TrimSpace(raw)
		if line == "" || line[0] == '#' {
			continue
		}
		s.line = s.next - 1
		tag, _, ok := strings.Cut(line, ":")
		tag = strings.TrimSpace(tag)
		if !ok || tag == "" {
			return false, s.fail(s.line, clip(line), "a tag, a colon and a value")
		}
		s.tag = tag
		// The end of the line belongs to a block of text, so white space there is
		// cut off only if there is none.
		_, value, _ := strings.Cut(raw, ":")
		block, isBlock := strings.CutPrefix(strings.TrimLeft(value, " \t"), open)
		if !isBlock {
			s.value = strings.TrimSpace(value)
			if strings.Contains(s.value, "text>") && (strings.Contains(s.value, open) || strings.Contains(s.value, end)) {
				return false, s.fail(s.line, clip(s.value), open+" at the start of the value, and "+end+" at its end")
			}
			return true, nil
		}
		s.value, err = s.block(block, end)
		return err == nil, err
	}
	return false, nil
}

// block reads the rest of a text that spans lines.
func (s *tagScanner) block(first, end string) (string, error) {
	var text strings.Builder
	for block := first; ; {
		inside, after, closed := strings.Cut(block, end)
		if closed {
			if strings.TrimSpace(after) != "" {
				return "", s.fail(s.next-1, clip(after), "nothing after "+end)
			}
			if text.Len() == 0 {
				return inside, nil
			}
			text.WriteString(inside)
			return text.String(), nil
		}
		if len(s.rest) == 0 {
			return "", s.fail(s.line, s.tag, end+" at the end of the text")
		}
		text.WriteString(inside)
		text.WriteByte('\n')
		var err error
		if block, err = s.cut(); err != nil {
			return "", err
		}
	}
}
