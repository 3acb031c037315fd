// Package tool recognizes language runtimes, servers, tools and libraries in
// executables that no package manager installed, by texts that the source of the
// program puts into it. The name of the file plays no part.
//
// Start with [Patterns], which is the table of what is recognized, and [New]. A
// [Scanner] is made once; [Scanner.Scan] takes one pass over the texts of a file,
// whatever the number of patterns.
package tool

import (
	"bytes"
	"cmp"
	"regexp"
	"slices"
	"strings"
)

// Pattern is how one program shows itself.
type Pattern struct {
	// Name is that of the package URL, pkg:generic/Name@version.
	Name string
	// Vendor and Product are those of the CPE.
	Vendor, Product string
	// Library tells what is linked into other programs from what is run.
	Library bool
	// Anchor is the text that is searched for, of 7 bytes or more.
	Anchor string
	// Version is what follows the anchor, Before what it follows; the first group
	// of the one that is set is the version.
	Version, Before string
	// Also are texts that the file must have besides, so that a program that only
	// speaks of another one is not taken for it.
	Also []string
	// Whole finds the version where the anchor tells a part of it, or nothing; ""
	// if it does not.
	Whole func(texts [][]byte, part string) string
	// Folders are where the program keeps files of its own, from the parent of the
	// folder that it is in; "{minor}" stands for the first two numbers of its version.
	Folders []string
}

// CPE is the name of the program in the Common Platform Enumeration 2.3, "" if the
// version cannot be a part of one.
func (p *Pattern) CPE(version string) string {
	if p.Vendor == "" || version == "" || strings.Trim(version, "0123456789.abcdefghijklmnopqrstuvwxyz_-+") != "" {
		return ""
	}
	escape := strings.NewReplacer("+", `\+`, "-", `\-`)
	return "cpe:2.3:a:" + p.Vendor + ":" + p.Product + ":" + escape.Replace(version) + ":*:*:*:*:*:*:*"
}

// Found is a program in a file.
type Found struct {
	// Pattern is the index of what recognized it in [Patterns].
	Pattern int
	Version string
}

// Compare orders by pattern, then by version.
func (f Found) Compare(o Found) int {
	return cmp.Or(cmp.Compare(f.Pattern, o.Pattern), cmp.Compare(f.Version, o.Version))
}

const (
	// minAnchor is what the skipping of the search depends on.
	minAnchor = 7
	// maxTries bounds the places that one pattern looks at in one file: a hostile
	// file can consist of anchors.
	maxTries = 512
	// maxVersions bounds the versions that one pattern finds in one file. A program
	// has one; more than that is a list of versions and no evidence.
	maxVersions = 3
	// window is how much of what follows an anchor is looked at.
	window = 200
)

// Scanner searches for all anchors at once (Wu and Manber, A fast algorithm for
// multi-pattern searching, 1994, with blocks of three bytes): where the last block
// of the window occurs in no beginning of an anchor it skips ahead.
type Scanner struct {
	patterns []Pattern
	versions []*regexp.Regexp
	// blocks says of each block, by its hash, how far to skip, or which of starts
	// to look at: zero is the first.
	blocks [1 << hashBits]int8
	starts [][]int // indices of patterns
}

// New makes a scanner for [Patterns]. It can be used by several goroutines.
func New() *Scanner {
	s := &Scanner{patterns: Patterns()}
	for i := range s.blocks {
		s.blocks[i] = -(minAnchor - 2)
	}
	for i, p := range s.patterns {
		expr := `^(?:` + p.Version + `)`
		if p.Before != "" {
			expr = `(?:` + p.Before + `)$`
		}
		s.versions = append(s.versions, regexp.MustCompile(expr))
		for at := 2; at < minAnchor-1; at++ {
			b := hash(p.Anchor[at-2], p.Anchor[at-1], p.Anchor[at])
			s.blocks[b] = max(s.blocks[b], int8(at+1-minAnchor))
		}
		b := hash(p.Anchor[minAnchor-3], p.Anchor[minAnchor-2], p.Anchor[minAnchor-1])
		if s.blocks[b] < 0 {
			s.blocks[b] = int8(len(s.starts))
			s.starts = append(s.starts, nil)
		}
		s.starts[s.blocks[b]] = append(s.starts[s.blocks[b]], i)
	}
	return s
}

const hashBits = 15

func hash(a, b, c byte) uint32 {
	return (uint32(a) | uint32(b)<<8 | uint32(c)<<16) * 0x9E3779B1 >> (32 - hashBits)
}

// Scan gives the programs that the texts of a file show, by pattern and version.
func (s *Scanner) Scan(texts [][]byte) []Found {
	var out []Found
	var tries []int // by pattern; made when there is something to count
	for _, text := range texts {
		for p := minAnchor - 1; p < len(text); {
			b := s.blocks[hash(text[p-2], text[p-1], text[p])]
			if b < 0 {
				p -= int(b)
				continue
			}
			from := p - minAnchor + 1
			p++
			for _, i := range s.starts[b] {
				anchor := s.patterns[i].Anchor
				if start := text[from:]; len(start) < len(anchor) || string(start[:len(anchor)]) != anchor {
					continue
				}
				if tries == nil {
					tries = make([]int, len(s.patterns))
				}
				if tries[i]++; tries[i] > maxTries {
					continue
				}
				near := text[from+len(anchor):]
				near = near[:min(len(near), window)]
				if s.patterns[i].Before != "" {
					near = text[max(0, from-window):from]
				}
				if m := s.versions[i].FindSubmatch(near); m != nil {
					out = append(out, Found{i, string(m[1])})
				}
			}
		}
	}
	if len(out) == 0 {
		return nil
	}
	return s.settle(out, texts)
}

// settle keeps what the rest of the file confirms.
func (s *Scanner) settle(found []Found, texts [][]byte) []Found {
	slices.SortFunc(found, Found.Compare)
	found = slices.Compact(found)
	var out []Found
	for len(found) > 0 {
		p := s.patterns[found[0].Pattern]
		n := 1
		for n < len(found) && found[n].Pattern == found[0].Pattern {
			n++
		}
		group := found[:n]
		found = found[n:]
		if n > maxVersions || slices.ContainsFunc(p.Also, func(t string) bool { return !has(texts, t) }) {
			continue
		}
		for _, f := range group {
			if p.Whole != nil {
				if f.Version = p.Whole(texts, f.Version); f.Version == "" {
					continue
				}
			}
			out = append(out, f)
		}
	}
	slices.SortFunc(out, Found.Compare)
	return slices.Compact(out)
}

func has(texts [][]byte, t string) bool {
	return slices.ContainsFunc(texts, func(b []byte) bool { return bytes.Contains(b, []byte(t)) })
}
