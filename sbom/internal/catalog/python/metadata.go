// Package python reads what is installed for Python: core metadata (METADATA and
// PKG-INFO), the records beside them, and wheels and eggs.
//
// Start with [ParseMetadata] and [ParseArchive]; [ParseRecord], [ParseDirectURL] and
// [ParseRequires] read the files beside metadata. All parsers are pure: bytes in,
// facts out.
package python

import (
	"bytes"
	"strings"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/sbom/internal/license"
)

// Package is what one file of core metadata says (packaging.python.org, Core
// metadata specifications, 2.4).
type Package struct {
	// Name and Version are as written, and never empty.
	Name, Version string
	Summary       string
	// Supplier is the maintainer, else the author, with the address in angle
	// brackets where both are stated.
	Supplier string
	// Author is who made it, in the same form.
	Author string
	// HomePage and Download are URLs; Links are of Project-URL, in order.
	HomePage, Download string
	Links              []Link
	// Licenses are of License-Expression; without it of License, if that is an SPDX
	// expression; else of the license classifiers; else the first line of License.
	Licenses []assay.License
	// Requires are the dependencies, in order.
	Requires []Requirement
	// Partial tells that not all of Requires is known: the header ended at a line
	// that is no header, where Python stops reading too, or a dependency could not
	// be understood.
	Partial bool
}

// Link is a URL with the label that the project gives it.
type Link struct{ Label, URL string }

// maxLinks bounds the links of one package.
const maxLinks = 64

// Size is about how many bytes the package takes in memory.
func (p *Package) Size() int {
	n := 512 + len(p.Name) + len(p.Version) + len(p.Summary) + len(p.Supplier) + len(p.Author) + len(p.HomePage) + len(p.Download)
	for _, l := range p.Links {
		n += 32 + len(l.Label) + len(l.URL)
	}
	for _, l := range p.Licenses {
		n += 64 + len(l.Name) + len(l.Expression)
	}
	for i := range p.Requires {
		n += p.Requires[i].Size()
	}
	return n
}

// NormalName is a name as the index compares it: lowercase, with "-" for each run
// of "-", "_" and "." (PEP 503).
func NormalName(name string) string {
	var b strings.Builder
	run := false
	for i := range len(name) {
		switch c := name[i]; {
		case c == '-' || c == '_' || c == '.':
			if !run {
				b.WriteByte('-')
			}
			run = true
		case 'A' <= c && c <= 'Z':
			b.WriteByte(c + 'a' - 'A')
			run = false
		default:
			b.WriteByte(c)
			run = false
		}
	}
	return b.String()
}

// maxRequires bounds the dependencies of one package, far above any real one.
const maxRequires = 10_000

// maxField bounds what is kept of a field. Long values are texts, not facts.
const maxField = 4096

// ParseMetadata reads core metadata the way Python's email parser does: names of
// fields in any case, the first of repeated fields counts, and the first line that
// is neither a field nor a continuation ends the header. The name is for errors,
// which are of kind [assay.ErrInvalid] or [assay.ErrBound].
func ParseMetadata(name string, data []byte) (*Package, error) {
	p := &Package{}
	var field, value string
	var license0, expression, author, authorMail, maintainer, maintainerMail string
	var classifiers []string
	first := func(to *string) {
		if *to == "" {
			*to = strings.TrimSpace(value)
		}
	}
	keep := func() error {
		switch field {
		case "name":
			first(&p.Name)
		case "version":
			first(&p.Version)
		case "summary":
			first(&p.Summary)
		case "home-page":
			first(&p.HomePage)
		case "download-url":
			first(&p.Download)
		case "project-url":
			// "Label, URL": the label has no comma.
			if label, u, ok := strings.Cut(firstLine(value), ","); ok && len(p.Links) < maxLinks {
				p.Links = append(p.Links, Link{strings.TrimSpace(label), strings.TrimSpace(u)})
			}
		case "license":
			first(&license0)
		case "license-expression":
			first(&expression)
		case "author":
			first(&author)
		case "author-email":
			first(&authorMail)
		case "maintainer":
			first(&maintainer)
		case "maintainer-email":
			first(&maintainerMail)
		case "classifier":
			if c, ok := strings.CutPrefix(strings.TrimSpace(value), "License :: "); ok && len(classifiers) < 64 {
				classifiers = append(classifiers, c)
			}
		case "requires-dist":
			if len(p.Requires) >= maxRequires {
				return &assay.Error{Op: "read Python metadata", Kind: assay.ErrBound, Subject: name, Field: "Requires-Dist",
					Value: "more dependencies", Bound: "at most 10000"}
			}
			r, err := ParseRequirement(value)
			if err != nil {
				p.Partial = true
				return nil
			}
			p.Requires = append(p.Requires, r)
		}
		return nil
	}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	for len(data) > 0 {
		line := data
		if i := bytes.IndexByte(data, '\n'); i >= 0 {
			line, data = data[:i], data[i+1:]
		} else {
			data = nil
		}
		line = bytes.TrimSuffix(line, []byte("\r"))
		if len(line) == 0 {
			break // the description follows
		}
		if line[0] == ' ' || line[0] == '\t' {
			if len(value) < 1<<20 {
				value += "\n" + string(line)
			}
			continue
		}
		if err := keep(); err != nil {
			return nil, err
		}
		i := bytes.IndexByte(line, ':')
		if i <= 0 || bytes.ContainsFunc(line[:i], func(r rune) bool { return r <= ' ' || r > '~' }) {
			field, p.Partial = "", true
			break
		}
		field, value = strings.ToLower(string(line[:i])), string(line[i+1:])
	}
	if err := keep(); err != nil {
		return nil, err
	}
	for _, required := range []struct{ field, value string }{{"Name", p.Name}, {"Version", p.Version}} {
		if required.value == "" || len(required.value) > maxField || strings.ContainsAny(required.value, "\n\x00") {
			return nil, &assay.Error{Op: "read Python metadata", Kind: assay.ErrInvalid, Subject: name, Field: required.field,
				Value: required.value, Bound: "a value on one line", Rule: "core metadata: required"}
		}
	}
	p.Summary, p.HomePage, p.Download = firstLine(p.Summary), firstLine(p.HomePage), firstLine(p.Download)
	p.Author = contact(author, authorMail)
	if p.Supplier = contact(maintainer, maintainerMail); p.Supplier == "" {
		p.Supplier = p.Author
	}
	p.Licenses = licenses(expression, license0, classifiers)
	return p, nil
}

// contact joins a name and an address. "UNKNOWN" is what old tools wrote for nothing.
func contact(who, mail string) string {
	who, mail = firstLine(who), firstLine(mail)
	switch {
	case mail == "":
		return who
	case who == "", strings.ContainsAny(mail, "<,"): // "Name <address>" by itself
		return mail
	}
	return who + " <" + mail + ">"
}

func firstLine(s string) string {
	s, _, _ = strings.Cut(strings.TrimSpace(s), "\n")
	if s = strings.TrimSpace(s); s == "UNKNOWN" {
		return ""
	}
	return s[:min(len(s), maxField)]
}

func licenses(expression, text string, classifiers []string) []assay.License {
	if expression != "" {
		return []assay.License{license.Declared(firstLine(expression))}
	}
	if !strings.Contains(text, "\n") && text != "UNKNOWN" {
		if l := license.Declared(text); l.Expression != "" {
			return []assay.License{l}
		}
	}
	var out []assay.License
	for _, c := range classifiers {
		last := c[strings.LastIndex(c, ":: ")+1:]
		last = strings.TrimSpace(strings.TrimPrefix(last, ": "))
		if last == "" || last == "OSI Approved" {
			continue // says nothing
		}
		l := assay.License{Name: last}
		if id := classified(last); id != "" {
			l = license.Declared(id)
		}
		if !contains(out, l) {
			out = append(out, l)
		}
	}
	if len(out) == 0 {
		if l := firstLine(text); l != "" {
			out = append(out, assay.License{Name: l})
		}
	}
	return out
}

func contains(list []assay.License, l assay.License) bool {
	for _, one := range list {
		if one == l {
			return true
		}
	}
	return false
}

// classified gives the SPDX id of a license classifier (pypi.org/classifiers) that
// means exactly one. Most do not: "BSD License" is of several, "Apache Software
// License" says no version.
func classified(c string) string {
	switch c {
	case "MIT License":
		return "MIT"
	case "MIT No Attribution License (MIT-0)":
		return "MIT-0"
	case "ISC License (ISCL)":
		return "ISC"
	case "The Unlicense (Unlicense)":
		return "Unlicense"
	case "Mozilla Public License 1.0 (MPL)":
		return "MPL-1.0"
	case "Mozilla Public License 1.1 (MPL 1.1)":
		return "MPL-1.1"
	case "Mozilla Public License 2.0 (MPL 2.0)":
		return "MPL-2.0"
	case "GNU General Public License v2 (GPLv2)":
		return "GPL-2.0-only"
	case "GNU General Public License v2 or later (GPLv2+)":
		return "GPL-2.0-or-later"
	case "GNU General Public License v3 (GPLv3)":
		return "GPL-3.0-only"
	case "GNU General Public License v3 or later (GPLv3+)":
		return "GPL-3.0-or-later"
	case "GNU Lesser General Public License v2 (LGPLv2)":
		return "LGPL-2.0-only"
	case "GNU Lesser General Public License v2 or later (LGPLv2+)":
		return "LGPL-2.0-or-later"
	case "GNU Lesser General Public License v3 (LGPLv3)":
		return "LGPL-3.0-only"
	case "GNU Lesser General Public License v3 or later (LGPLv3+)":
		return "LGPL-3.0-or-later"
	case "GNU Affero General Public License v3":
		return "AGPL-3.0-only"
	case "GNU Affero General Public License v3 or later (AGPLv3+)":
		return "AGPL-3.0-or-later"
	case "Boost Software License 1.0 (BSL-1.0)":
		return "BSL-1.0"
	case "European Union Public Licence 1.2 (EUPL 1.2)":
		return "EUPL-1.2"
	case "zlib/libpng License":
		return "Zlib"
	case "CC0 1.0 Universal (CC0 1.0) Public Domain Dedication":
		return "CC0-1.0"
	case "Blue Oak Model License (BlueOak-1.0.0)":
		return "BlueOak-1.0.0"
	case "Universal Permissive License (UPL)":
		return "UPL-1.0"
	}
	return ""
}
