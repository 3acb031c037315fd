// Package tool recognizes language runtimes, servers, tools and libraries in
// executables that no package manager installed, by texts that the source of the
// program puts into it. The name of the file plays no part.
//
// Start with [Patterns], which is the table of what is recognized, and [New]. A
// [Scanner] is made once; [Scanner.Scan] takes one pass over the texts of a file,
// whatever the number of patterns. [Scanner.Begin] is for a file that goes by.
package tool

import (
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
	// speaks of another one is not taken for it; None are such that it must not have. They
	// have 7 bytes or more.
	Also, None []string
	// Whole finds the version where the anchor tells a part of it, or nothing; ""
	// if it does not. It is shown what begins in the file as versions do, in order: see
	// [version].
	Whole func(versions [][]byte, part string) string
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
	// maxText bounds the texts that are searched for.
	maxText = 32
)

// Scanner searches for all anchors at once (Wu and Manber, A fast algorithm for
// multi-pattern searching, 1994, with blocks of three bytes): where the last block
// of the window occurs in no beginning of an anchor it skips ahead.
type Scanner struct {
	patterns []Pattern
	versions []*regexp.Regexp
	// texts are the anchors of the patterns, then what patterns want besides.
	texts []string
	// also and none are of each pattern, as indices of texts.
	also, none [][]int
	// blocks says of each block, by its hash, how far to skip, or which of starts
	// to look at: zero is the first.
	blocks [1 << hashBits]int8
	starts [][]int // indices of texts
}

// New makes a scanner for [Patterns]. It can be used by several goroutines.
func New() *Scanner {
	s := &Scanner{patterns: Patterns()}
	for _, p := range s.patterns {
		expr := `^(?:` + p.Version + `)`
		if p.Before != "" {
			expr = `(?:` + p.Before + `)$`
		}
		s.versions = append(s.versions, regexp.MustCompile(expr))
		s.texts = append(s.texts, p.Anchor)
	}
	for _, p := range s.patterns {
		s.also = append(s.also, s.besides(p.Also))
		s.none = append(s.none, s.besides(p.None))
	}
	for i := range s.blocks {
		s.blocks[i] = -(minAnchor - 2)
	}
	for i, text := range s.texts {
		for at := 2; at < minAnchor-1; at++ {
			b := hash(text[at-2], text[at-1], text[at])
			s.blocks[b] = max(s.blocks[b], int8(at+1-minAnchor))
		}
		b := hash(text[minAnchor-3], text[minAnchor-2], text[minAnchor-1])
		if s.blocks[b] < 0 {
			s.blocks[b] = int8(len(s.starts))
			s.starts = append(s.starts, nil)
		}
		s.starts[s.blocks[b]] = append(s.starts[s.blocks[b]], i)
	}
	return s
}

// besides gives the indices of texts.
func (s *Scanner) besides(texts []string) []int {
	var out []int
	for _, t := range texts {
		i := slices.Index(s.texts[len(s.patterns):], t)
		if i < 0 {
			i = len(s.texts) - len(s.patterns)
			s.texts = append(s.texts, t)
		}
		out = append(out, i+len(s.patterns))
	}
	return out
}

const hashBits = 15

func hash(a, b, c byte) uint32 {
	return (uint32(a) | uint32(b)<<8 | uint32(c)<<16) * 0x9E3779B1 >> (32 - hashBits)
}

// search calls found for each text that begins in buf at from or after it and before
// to, and gives where the next search starts. What follows to may be looked at.
func (s *Scanner) search(buf []byte, from, to int, found func(text, at int)) int {
	p := from + minAnchor - 1
	for end := min(to+minAnchor-1, len(buf)); p < end; {
		b := s.blocks[hash(buf[p-2], buf[p-1], buf[p])]
		if b < 0 {
			p -= int(b)
			continue
		}
		at := p - minAnchor + 1
		p++
		for _, i := range s.starts[b] {
			if t := s.texts[i]; len(buf)-at >= len(t) && string(buf[at:at+len(t)]) == t {
				found(i, at)
			}
		}
	}
	return p - minAnchor + 1
}

// Scan gives the programs that the texts of a file show, by pattern and version.
func (s *Scanner) Scan(texts [][]byte) []Found {
	e := evidence{s: s}
	for _, t := range texts {
		s.search(t, 0, len(t), func(i, at int) {
			end := at + len(s.texts[i])
			e.add(i, t[max(0, at-window):at], t[end:min(len(t), end+window)])
		})
	}
	return e.settle(func() [][]byte {
		v := versions{}
		for _, t := range texts {
			findVersions(t, 0, len(t), func(from, to int) { v.add(t[from:to]) })
		}
		return v.all
	})
}

// evidence is what was found of one file.
type evidence struct {
	s     *Scanner
	found []Found
	tries []int  // by text; made when there is something to count
	has   uint64 // texts besides the anchors
}

// add takes an anchor, or a text besides, with what is before and after it in the same
// part of the file.
func (e *evidence) add(text int, before, after []byte) {
	if n := len(e.s.patterns); text >= n {
		e.has |= 1 << (text - n)
		return
	}
	if e.tries == nil {
		e.tries = make([]int, len(e.s.patterns))
	}
	if e.tries[text]++; e.tries[text] > maxTries {
		return
	}
	near := after
	if e.s.patterns[text].Before != "" {
		near = before
	}
	if m := e.s.versions[text].FindSubmatch(near); m != nil {
		e.found = append(e.found, Found{text, string(m[1])})
	}
}

func (e *evidence) lacks(text int) bool { return e.has&(1<<(text-len(e.s.patterns))) == 0 }

// settle keeps what the rest of the file confirms.
func (e *evidence) settle(versions func() [][]byte) []Found {
	var out []Found
	var all [][]byte
	found := e.found
	slices.SortFunc(found, Found.Compare)
	found = slices.Compact(found)
	for len(found) > 0 {
		i := found[0].Pattern
		p := e.s.patterns[i]
		n := 1
		for n < len(found) && found[n].Pattern == i {
			n++
		}
		group := found[:n]
		found = found[n:]
		if n > maxVersions || slices.ContainsFunc(e.s.also[i], e.lacks) || slices.ContainsFunc(e.s.none[i], func(t int) bool { return !e.lacks(t) }) {
			continue
		}
		for _, f := range group {
			if p.Whole != nil {
				if all == nil {
					all = versions()
				}
				if f.Version = p.Whole(all, f.Version); f.Version == "" {
					continue
				}
			}
			out = append(out, f)
		}
	}
	slices.SortFunc(out, Found.Compare)
	return slices.Compact(out)
}
