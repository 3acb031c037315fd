package spdx

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/strictjson"
	"github.com/assaykit/assay/sbom/internal/quote"
)

// Annotations of this annotator whose comment starts so hold, as JSON, what SPDX
// 2.3 has no member for. Package sbom documents them.
const (
	annotator     = "Tool: assay"
	componentNote = "assay:component/1 "
	documentNote  = "assay:document/1 "
)

// ComponentFacts are what a package or file has no member for. All but the last
// five are there only if the element's own members do not give them back.
type ComponentFacts struct {
	ID          assay.ComponentID   `json:"id,omitempty"`
	Type        assay.ComponentType `json:"type,omitempty"`
	Name        *string             `json:"name,omitzero"`
	Version     string              `json:"version,omitempty"`
	Supplier    string              `json:"supplier,omitempty"`
	Creator     string              `json:"creator,omitempty"`
	Description string              `json:"description,omitempty"`
	CPEs        []string            `json:"cpes,omitempty"`
	Licenses    []assay.License     `json:"licenses,omitempty"`
	Hashes      assay.DigestSet     `json:"hashes,omitempty"`
	Source      assay.SourcePackage `json:"source,omitzero"`
	Locations   []assay.Location    `json:"locations,omitempty"`
	References  []assay.Reference   `json:"references,omitempty"`
	FoundBy     string              `json:"foundBy,omitempty"`
	Properties  map[string]string   `json:"properties,omitempty"`
}

// DocumentFacts are what a document has no member for. Tools and Authors are there
// only if the creators do not give them back.
type DocumentFacts struct {
	// NoRoot tells a document about several components from one about its only one.
	NoRoot       bool                 `json:"noRoot,omitzero"`
	Version      int                  `json:"version,omitzero"`
	Creators     *CreatorFacts        `json:"creators,omitempty"`
	Lifecycle    string               `json:"lifecycle,omitempty"`
	Completeness []assay.Completeness `json:"completeness,omitempty"`
	Layers       []assay.Digest       `json:"layers,omitempty"`
}

// CreatorFacts are who made the document, and with what.
type CreatorFacts struct {
	Authors []string     `json:"authors"`
	Tools   []assay.Tool `json:"tools"`
}

// Append writes the facts as JSON, "{}" if there are none. It writes what
// strictjson.Marshal does, in a quarter of the time; a test compares them.
func (f *ComponentFacts) Append(b []byte) []byte {
	b = append(b, '{')
	member := func(name string) {
		if b[len(b)-1] != '{' {
			b = append(b, ',')
		}
		b = append(b, '"')
		b = append(b, name...)
		b = append(b, `":`...)
	}
	text := func(name, value string) {
		if value != "" {
			member(name)
			b = AppendQuoted(b, value)
		}
	}
	text("id", string(f.ID))
	text("type", string(f.Type))
	if f.Name != nil {
		member("name")
		b = AppendQuoted(b, *f.Name)
	}
	text("version", f.Version)
	text("supplier", f.Supplier)
	text("creator", f.Creator)
	text("description", f.Description)
	if len(f.CPEs) > 0 {
		member("cpes")
		b = append(b, '[')
		for i, cpe := range f.CPEs {
			b = AppendQuoted(comma(b, i), cpe)
		}
		b = append(b, ']')
	}
	if len(f.Licenses) > 0 {
		member("licenses")
		b = append(b, '[')
		for i, l := range f.Licenses {
			b = append(comma(b, i), '{')
			text("expression", l.Expression)
			text("name", l.Name)
			if l.Concluded {
				member("concluded")
				b = append(b, "true"...)
			}
			b = append(b, '}')
		}
		b = append(b, ']')
	}
	digests := func(list assay.DigestSet) {
		if len(list) == 0 {
			return
		}
		member("hashes")
		b = append(b, '{')
		list = slices.Clone(list)
		slices.SortFunc(list, func(a, b assay.Digest) int { return strings.Compare(string(a.Algorithm()), string(b.Algorithm())) })
		for _, d := range list {
			text(string(d.Algorithm()), d.Hex())
		}
		b = append(b, '}')
	}
	digests(f.Hashes)
	if f.Source != (assay.SourcePackage{}) {
		member("source")
		b = append(b, `{"name":`...)
		b = AppendQuoted(b, f.Source.Name)
		text("version", f.Source.Version)
		b = append(b, '}')
	}
	if len(f.Locations) > 0 {
		member("locations")
		b = append(b, '[')
		for i, l := range f.Locations {
			b = append(comma(b, i), '{')
			text("layer", l.Layer.String())
			member("path")
			b = append(AppendQuoted(b, l.Path), '}')
		}
		b = append(b, ']')
	}
	if len(f.References) > 0 {
		member("references")
		b = append(b, '[')
		for i, r := range f.References {
			b = append(comma(b, i), `{"type":`...)
			b = AppendQuoted(b, string(r.Type))
			text("url", r.URL)
			digests(r.Hashes)
			text("comment", r.Comment)
			b = append(b, '}')
		}
		b = append(b, ']')
	}
	text("foundBy", f.FoundBy)
	if len(f.Properties) > 0 {
		member("properties")
		b = append(b, '{')
		for i, name := range slices.Sorted(maps.Keys(f.Properties)) {
			b = append(AppendQuoted(comma(b, i), name), ':')
			b = AppendQuoted(b, f.Properties[name])
		}
		b = append(b, '}')
	}
	return append(b, '}')
}

func comma(b []byte, i int) []byte {
	if i > 0 {
		return append(b, ',')
	}
	return b
}

// AppendQuoted appends text as a JSON string. The text is UTF-8, as package canon
// makes it.
func AppendQuoted[T quote.String](b []byte, s T) []byte { return quote.AppendJSON(b, s) }

// note makes an annotation of facts, or none of "{}".
func (e *encoder) note(prefix string, facts []byte) []annotation {
	if string(facts) == "{}" {
		return nil
	}
	return []annotation{{Annotator: annotator, Date: e.date, Type: "OTHER", Comment: e.as.note(prefix + string(facts))}}
}

// readNote finds the facts among annotations, and calls other with the index of
// each of the others.
func readNote[T any](name, pointer, prefix string, list []annotation, facts *T, other func(i int)) (found bool, err error) {
	for i, a := range list {
		text, ok := strings.CutPrefix(a.Comment, prefix)
		if !ok || a.Annotator != annotator {
			other(i)
			continue
		}
		if found {
			return false, &assay.Error{Op: opRead, Kind: assay.ErrInvalid, Subject: name, Field: pointer, Value: prefix, Bound: "one such annotation"}
		}
		found = true
		if err := strictjson.Unmarshal(name, []byte(text), facts, strictjson.Limits{RejectUnknown: true}); err != nil {
			return false, &assay.Error{Op: opRead, Kind: assay.ErrInvalid, Subject: name, Field: pointer + "/" + strconv.Itoa(i), Err: err}
		}
	}
	return found, nil
}
