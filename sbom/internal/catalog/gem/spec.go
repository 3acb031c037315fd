// Package gem reads what RubyGems keeps of installed gems: the specifications that
// it writes when it installs one.
//
// Start with [ParseSpec]. Nothing is evaluated: a gemspec is Ruby, and only the
// small part of Ruby that RubyGems itself writes is understood.
package gem

import (
	"strings"

	"github.com/assaykit/assay"
)

// Spec is one specification.
type Spec struct {
	// Name and Version are never empty. Platform is "" for the platform "ruby".
	Name, Version, Platform string
	Summary, Homepage       string
	// Links are the URLs of metadata by their keys, such as "source_code_uri", sorted.
	Links []Link
	// Authors and Licenses are in order.
	Authors, Licenses []string
	// Requires are the runtime dependencies, in order.
	Requires []Dependency
	// Partial tells that a statement about dependencies was not understood.
	Partial bool
}

// Dependency is a gem that is required.
type Dependency struct {
	Name string
	// Allowed are requirements such as "~> 1.2"; all must hold.
	Allowed []string
}

// Link is an entry of metadata whose key ends in "_uri".
type Link struct{ Key, URL string }

// FullName is what RubyGems calls files and folders of the gem.
func (s *Spec) FullName() string {
	if s.Platform == "" {
		return s.Name + "-" + s.Version
	}
	return s.Name + "-" + s.Version + "-" + s.Platform
}

// Size is about how many bytes the specification takes in memory.
func (s *Spec) Size() int {
	n := 512 + len(s.Name) + len(s.Version) + len(s.Platform) + len(s.Summary) + len(s.Homepage)
	for _, list := range [][]string{s.Authors, s.Licenses} {
		for _, e := range list {
			n += 16 + len(e)
		}
	}
	for _, l := range s.Links {
		n += 32 + len(l.Key) + len(l.URL)
	}
	for _, d := range s.Requires {
		n += 64 + len(d.Name)
		for _, a := range d.Allowed {
			n += 16 + len(a)
		}
	}
	return n
}

// maxStatements bounds the lines of one file, and the parts of one list.
const maxStatements = 10_000

// ParseSpec reads a .gemspec file as Gem::Specification#to_ruby writes it: a block
// of assignments of strings, lists and calls, each on a line of its own. The branch
// for old versions of RubyGems (after "else") is left out. Where name and version
// are not plain strings, as in a gemspec that a person wrote, those of the stub line
// ("# stub: NAME VERSION PLATFORM …") count, which RubyGems trusts too; without one
// the error is of kind [assay.ErrInvalid]. The name is for errors.
func ParseSpec(name string, data []byte) (*Spec, error) {
	s := &Spec{}
	var param string   // of the block: s in "do |s|"
	var branches []int // of the if statements that are open: 1 in the else branch
	skipping := 0
	var stub []string
	rest := string(data)
	for n := 0; rest != ""; n++ {
		if n > maxStatements {
			return nil, &assay.Error{Op: "read gemspec", Kind: assay.ErrBound, Subject: name, Value: "more lines", Bound: "at most 10000"}
		}
		begin := rest
		line, after, _ := strings.Cut(rest, "\n")
		trimmed := strings.TrimSpace(line)
		if param == "" {
			if fields, ok := strings.CutPrefix(trimmed, "# stub: "); ok && stub == nil {
				fields, _, _ = strings.Cut(fields, "\x00")
				if stub = strings.Fields(strings.Clone(fields)); len(stub) < 3 {
					stub = nil
				}
			}
			if _, block, ok := strings.Cut(trimmed, "Gem::Specification.new do |"); ok && trimmed[0] != '#' {
				if param, _, ok = strings.Cut(block, "|"); !ok || !isIdent(param) {
					return nil, s.invalid(name, "Gem::Specification.new", trimmed, "a block with one parameter")
				}
			}
			rest = after
			continue
		}
		rest = after
		switch {
		case strings.HasPrefix(trimmed, "if ") || strings.HasPrefix(trimmed, "unless "):
			branches = append(branches, 0)
			continue
		case trimmed == "else" && len(branches) > 0:
			if branches[len(branches)-1] == 0 {
				branches[len(branches)-1] = 1
				skipping++
			}
			continue
		case trimmed == "end" && len(branches) > 0:
			skipping -= branches[len(branches)-1]
			branches = branches[:len(branches)-1]
			continue
		}
		statement, ok := strings.CutPrefix(trimmed, param+".")
		if !ok || skipping > 0 {
			continue
		}
		// A string may run over lines, as descriptions of old gems do.
		p := parser{rest: strings.TrimLeft(begin, " \t\r\v\f")[len(param)+1:]}
		if s.statement(&p, statement) {
			rest = p.rest
			if i := strings.IndexByte(rest, '\n'); i >= 0 {
				rest = rest[i+1:]
			} else {
				rest = ""
			}
		}
	}
	if stub != nil {
		if s.Name == "" || s.Version == "" {
			s.Name, s.Version, s.Platform = stub[0], stub[1], stub[2]
		}
	}
	if s.Platform == "ruby" {
		s.Platform = ""
	}
	for _, f := range []struct{ field, value string }{{"name", s.Name}, {"version", s.Version}} {
		if f.value == "" || len(f.value) > 1024 || strings.ContainsAny(f.value, " \n\x00/") {
			return nil, s.invalid(name, f.field, f.value, "a plain string")
		}
	}
	return s, nil
}

func (s *Spec) invalid(subject, field, value, want string) *assay.Error {
	return &assay.Error{Op: "read gemspec", Kind: assay.ErrInvalid, Subject: subject, Field: field, Value: value, Bound: want}
}

// statement takes one statement in. It reports whether it took all of it from p.
func (s *Spec) statement(p *parser, text string) bool {
	attr := 0
	for attr < len(text) && isIdentByte(text[attr]) {
		attr++
	}
	name := text[:attr]
	p.rest = p.rest[attr:]
	switch name {
	case "add_runtime_dependency", "add_dependency":
		d, ok := p.dependency()
		if !ok || len(s.Requires) >= maxStatements {
			s.Partial = true
			return false
		}
		s.Requires = append(s.Requires, d)
		return true
	}
	p.space()
	if !strings.HasPrefix(p.rest, "=") || strings.HasPrefix(p.rest, "==") {
		return false
	}
	p.rest = p.rest[1:]
	one := func(to *string) bool {
		v, ok := p.text()
		if ok && p.ends() {
			*to = v
		}
		return ok
	}
	many := func(to *[]string) bool {
		v, ok := p.list()
		if ok {
			*to = v
		}
		return ok
	}
	switch name {
	case "name":
		return one(&s.Name)
	case "version":
		return one(&s.Version)
	case "platform":
		return one(&s.Platform)
	case "summary":
		return one(&s.Summary)
	case "description": // not kept, but may hold lines that look like statements
		var ignored string
		return one(&ignored)
	case "homepage":
		return one(&s.Homepage)
	case "metadata":
		links, ok := p.links()
		if ok {
			s.Links = links
		}
		return ok
	case "authors":
		return many(&s.Authors)
	case "author":
		var v string
		ok := one(&v)
		if ok && v != "" {
			s.Authors = []string{v}
		}
		return ok
	case "licenses":
		return many(&s.Licenses)
	case "license":
		var v string
		ok := one(&v)
		if ok && v != "" {
			s.Licenses = []string{v}
		}
		return ok
	}
	return false
}

func isIdentByte(c byte) bool {
	return c == '_' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

func isIdent(s string) bool {
	for i := range len(s) {
		if !isIdentByte(s[i]) {
			return false
		}
	}
	return s != "" && (s[0] < '0' || s[0] > '9')
}
