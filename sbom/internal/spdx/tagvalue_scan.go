package spdx

import (
	"bytes"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/assaykit/assay"
)

const opTagValue = "read SPDX tag-value"

// tagScanner gives the tags and values of a document, each with its line.
type tagScanner struct {
	name string
	rest []byte
	next int // number of the line that rest starts with
	// The pair that scan has read.
	tag, value string
	line       int
}

func (s *tagScanner) fail(line int, value, want string) error {
	return &assay.Error{Op: opTagValue, Kind: assay.ErrInvalid, Subject: s.name, Field: "line " + strconv.Itoa(line), Value: value, Bound: want}
}

// cut takes one line off, without its end.
func (s *tagScanner) cut() ([]byte, error) {
	line, rest, _ := bytes.Cut(s.rest, []byte{'\n'})
	s.rest = rest
	s.next++
	line, _ = bytes.CutSuffix(line, []byte{'\r'})
	if !utf8.Valid(line) {
		return nil, s.fail(s.next-1, clip(string(bytes.ToValidUTF8(line, []byte("?")))), "UTF-8")
	}
	if i := bytes.IndexFunc(line, isControl); i >= 0 {
		return nil, s.fail(s.next-1, clip(string(line)), "no control characters")
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
		line := strings.TrimSpace(string(raw))
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
		_, value, _ := strings.Cut(string(raw), ":")
		block, isBlock := strings.CutPrefix(strings.TrimLeft(value, " \t"), open)
		if !isBlock {
			s.value = strings.TrimSpace(value)
			if strings.Contains(s.value, open) || strings.Contains(s.value, end) {
				return false, s.fail(s.line, clip(s.value), open+" at the start of the value, and "+end+" at its end")
			}
			return true, nil
		}
		var text strings.Builder
		for {
			inside, after, closed := strings.Cut(block, end)
			text.WriteString(inside)
			if closed {
				if strings.TrimSpace(after) != "" {
					return false, s.fail(s.next-1, clip(after), "nothing after "+end)
				}
				break
			}
			if len(s.rest) == 0 {
				return false, s.fail(s.line, tag, end+" at the end of the text")
			}
			text.WriteByte('\n')
			raw, err := s.cut()
			if err != nil {
				return false, err
			}
			block = string(raw)
		}
		s.value = text.String()
		return true, nil
	}
	return false, nil
}
