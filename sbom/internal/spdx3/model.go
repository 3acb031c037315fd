// Package spdx3 reads and writes SPDX 3.0.1 in JSON-LD as the evidence model.
//
// It is our own from the JSON up. The writer of tools-golang leaves out what is not
// reachable from the root element, which is most relationships of the
// specification's own documents, and gives other bytes for the same contents; its
// reader fails on references to elements of other documents.
//
// A document is held to the classes of the specification, which model.txt lists:
// the same rules as those of the official JSON schema, but that a single value may
// stand for a list of one and the reverse, as JSON-LD has it.
package spdx3

import (
	_ "embed"
	"slices"
	"strings"
	"sync"
)

// modelText has one class a line, "~" before abstract ones and its superclass after
// its name, and below it its properties: "!" marks required ones, "*" lists, "+"
// lists that are not empty, "@" objects or references of a class.
//
//go:embed model.txt
var modelText string

type class struct {
	name     string
	abstract bool
	super    *class
	element  bool             // it has an spdxId
	props    map[string]*prop // those of its superclasses included
	required []*prop
}

type prop struct {
	name     string
	required bool
	list     bool
	min      int
	kind     string // of a scalar; "" for enumerations and objects
	enum     map[string]bool
	class    *class
	anything bool // the class is Element
}

// is reports whether c is the class or one of its subclasses.
func (c *class) is(other *class) bool {
	for ; c != nil; c = c.super {
		if c == other {
			return true
		}
	}
	return false
}

type classes map[string]*class

func (m classes) get(name string) *class {
	c := m[name]
	if c == nil {
		c = &class{name: name, props: make(map[string]*prop)}
		m[name] = c
	}
	return c
}

// model is the table, read once.
var model = sync.OnceValue(func() classes {
	m := make(classes)
	own := make(map[*class][]*prop)
	var current *class
	for line := range strings.Lines(modelText) {
		line = strings.TrimRight(line, "\n")
		text, isProp := strings.CutPrefix(line, "\t")
		name, rest, _ := strings.Cut(text, " ")
		if !isProp {
			name, abstract := strings.CutPrefix(name, "~")
			current = m.get(name)
			current.abstract = abstract
			if rest != "" {
				current.super = m.get(rest)
			}
			continue
		}
		p := &prop{}
		p.name, p.required = strings.CutSuffix(name, "!")
		if t, ok := strings.CutPrefix(rest, "+"); ok {
			p.list, p.min, rest = true, 1, t
		} else if t, ok := strings.CutPrefix(rest, "*"); ok {
			p.list, rest = true, t
		}
		if t, ok := strings.CutPrefix(rest, "@"); ok {
			p.class, p.anything = m.get(t), t == "Element"
		} else if strings.Contains(rest, "|") {
			p.enum = make(map[string]bool)
			for value := range strings.SplitSeq(rest, "|") {
				p.enum[value] = true
			}
		} else {
			p.kind = rest
		}
		own[current] = append(own[current], p)
	}
	for _, c := range m {
		for super := c; super != nil; super = super.super {
			c.element = c.element || super.name == "Element"
			for _, p := range own[super] {
				c.props[p.name] = p
				if p.required {
					c.required = append(c.required, p)
				}
			}
		}
		slices.SortFunc(c.required, func(a, b *prop) int { return strings.Compare(a.name, b.name) })
	}
	return m
})

// The names of what is there once for all documents.
const (
	noneElement        = "NoneElement"
	noAssertionElement = "NoAssertionElement"
	noneLicense        = "expandedlicensing_NoneLicense"
	noAssertionLicense = "expandedlicensing_NoAssertionLicense"
	spdxOrganization   = "SpdxOrganization"
)

var individuals = []string{noneElement, noAssertionElement, noneLicense, noAssertionLicense, spdxOrganization}

const (
	timeFormat    = "2006-01-02T15:04:05Z"
	contextPrefix = "https://spdx.org/rdf/"
	contextSuffix = "/spdx-context.jsonld"
	licensePrefix = "https://spdx.org/licenses/"
)
