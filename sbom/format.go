package sbom

import (
	"bytes"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/sbom/internal/cyclonedx"
	"github.com/assaykit/assay/sbom/internal/spdx"
	"github.com/assaykit/assay/sbom/internal/spdx3"
)

// Format is a document format that SBOMs are written in and read from.
type Format string

const (
	// CycloneDXJSON is CycloneDX in JSON: written as 1.6 (ECMA-424), read from 1.2
	// to 1.7. Other versions are written where the format names one: from
	// "cyclonedx-json@1.4" to "cyclonedx-json@1.7".
	CycloneDXJSON Format = "cyclonedx-json"
	// CycloneDXXML is CycloneDX in XML: written as 1.6, read from 1.0 to 1.7. It
	// names another version to write as CycloneDXJSON does.
	CycloneDXXML Format = "cyclonedx-xml"
	// SPDXJSON is SPDX 2 in JSON: written as 2.3, or as 2.2 where the format names it,
	// "spdx-json@2.2"; read from 2.2 and 2.3.
	SPDXJSON Format = "spdx-json"
	// SPDXTagValue is SPDX 2 as tag-value, in the same versions.
	SPDXTagValue Format = "spdx-tag-value"
	// SPDX3JSON is SPDX 3 in JSON-LD: written as 3.0.1, read from 3.0.0 and 3.0.1.
	SPDX3JSON Format = "spdx3-json"
	// Table is text for people, as [WriteTable] writes it. It is not read, and what
	// it leaves out is not listed as lost.
	Table Format = "table"
)

// report is told of what is lost.
type report = func(field string, id assay.ComponentID, reason string)

// codec is how a format is written and read.
type codec struct {
	format    Format
	version   string // that is written
	mediaType string
	predicate assay.PredicateType
	// valid tells whether a serial can stand in the format; others are replaced.
	valid  func(serial string) bool
	encode func(doc *assay.SBOM, lost report) ([]byte, error)
	// indent brings what encode gives to one member a line; nil if it is so anyway.
	indent func(data []byte) ([]byte, error)
	decode func(name string, data []byte, lost report) (*assay.SBOM, error)
}

// codecs are the formats of documents, in the order that they are listed in.
func codecs() []codec {
	return []codec{
		cycloneDX(CycloneDXJSON, cyclonedx.Target{Version: cyclonedx.DefaultVersion}),
		cycloneDX(CycloneDXXML, cyclonedx.Target{Version: cyclonedx.DefaultVersion, XML: true}),
		spdx2(SPDXJSON, "2.3"),
		spdx2(SPDXTagValue, "2.3"),
		{SPDX3JSON, "3.0.1", "application/spdx+json", assay.PredicateSPDX, spdx.ValidNamespace, spdx3.Encode, indentJSON, remembering(spdx3.Decode)},
	}
}

func spdx2(f Format, version string) codec {
	c := codec{format: f, version: version, mediaType: "application/spdx+json", predicate: assay.PredicateSPDX, valid: spdx.ValidNamespace,
		encode: func(doc *assay.SBOM, lost report) ([]byte, error) { return spdx.Encode(doc, version == "2.2", lost) },
		indent: indentJSON, decode: remembering(spdx.Decode)}
	if f.family() == SPDXTagValue {
		c.mediaType, c.predicate, c.indent, c.decode = "text/spdx", "", nil, remembering(spdx.DecodeTagValue)
		c.encode = func(doc *assay.SBOM, lost report) ([]byte, error) {
			return spdx.EncodeTagValue(doc, version == "2.2", lost)
		}
	}
	return c
}

func cycloneDX(f Format, to cyclonedx.Target) codec {
	c := codec{format: f, version: "1." + strconv.Itoa(to.Version), mediaType: "application/vnd.cyclonedx+json", predicate: assay.PredicateCycloneDX, valid: cyclonedx.ValidSerial,
		encode: func(doc *assay.SBOM, lost report) ([]byte, error) { return cyclonedx.Encode(doc, to, lost) },
		indent: indentJSON,
		decode: func(name string, data []byte, lost report) (*assay.SBOM, error) {
			return cyclonedx.Decode(name, data, to.XML, lost)
		}}
	if to.XML {
		c.mediaType, c.predicate, c.indent = "application/vnd.cyclonedx+xml", "", cyclonedx.IndentXML
	}
	return c
}

// family is the format without the version that it names.
func (f Format) family() Format {
	name, _, _ := strings.Cut(string(f), "@")
	return Format(name)
}

func (f Format) isCycloneDX() bool {
	return f.family() == CycloneDXJSON || f.family() == CycloneDXXML
}

func (f Format) codec() (codec, bool) {
	if family, version, ok := strings.Cut(string(f), "@"); ok && f.isCycloneDX() {
		n, ok := cyclonedx.ParseVersion(version)
		return cycloneDX(f, cyclonedx.Target{Version: n, XML: Format(family) == CycloneDXXML}), ok
	} else if ok && (Format(family) == SPDXJSON || Format(family) == SPDXTagValue) {
		return spdx2(f, version), version == "2.2" || version == "2.3"
	}
	for _, c := range codecs() {
		if c.format == f {
			return c, true
		}
	}
	return codec{}, false
}

// Formats are those that [Encode] writes, [Table] the last. Those that can name a
// version are listed without one.
func Formats() []Format {
	var out []Format
	for _, c := range codecs() {
		out = append(out, c.format)
	}
	return append(out, Table)
}

// ParseFormat reads the name of a format, such as a flag's value.
func ParseFormat(s string) (Format, error) {
	all := Formats()
	if f := Format(s); slices.Contains(all, f) {
		return f, nil
	} else if _, ok := f.codec(); ok {
		return f, nil
	}
	names := make([]string, len(all))
	for i, f := range all {
		names[i] = string(f)
	}
	return "", &assay.Error{Op: "parse SBOM format", Kind: assay.ErrInvalid, Value: s, Bound: "one of " + strings.Join(names, ", ")}
}

// MediaType is the format's registered media type, "" for an unknown format.
func (f Format) MediaType() string {
	if f == Table {
		return "text/plain; charset=utf-8"
	}
	c, _ := f.codec()
	return c.mediaType
}

// PredicateType is the type of in-toto statements about documents of the format. It
// is "" for a format that is not JSON, which a predicate must be, and for an unknown
// one. The versions of a format share their type: SPDX 3 is told from SPDX 2 by its
// content (in-toto attestation v1.2, spec/predicates/spdx.md).
func (f Format) PredicateType() assay.PredicateType {
	c, _ := f.codec()
	return c.predicate
}

func (f Format) String() string { return string(f) }

// sniff tells the format by what the document says of itself, up to the first
// member that does. The reader of the format holds the document to it.
func sniff(name string, data []byte) (Format, error) {
	fail := func(kind error, value, want string) (Format, error) {
		return "", &assay.Error{Op: "read SBOM", Kind: kind, Subject: name, Value: value, Bound: want}
	}
	trimmed := bytes.TrimLeft(data, " \t\r\n")
	const want = "CycloneDX or SPDX"
	switch {
	case len(trimmed) == 0:
		return fail(assay.ErrInvalid, "an empty file", want)
	case trimmed[0] == '<' && bytes.Contains(trimmed[:min(len(trimmed), 4096)], []byte("cyclonedx.org/schema/bom")):
		return CycloneDXXML, nil
	case trimmed[0] == '<' && bytes.Contains(trimmed[:min(len(trimmed), 4096)], []byte("spdx.org/rdf")):
		return fail(assay.ErrUnchecked, "SPDX RDF", want)
	case isTagValue(trimmed):
		return SPDXTagValue, nil
	case trimmed[0] != '{':
		return fail(assay.ErrInvalid, "a file that starts with "+string(bytes.ToValidUTF8(trimmed[:min(len(trimmed), 16)], []byte("?"))), want)
	}
	dec := jsontext.NewDecoder(bytes.NewReader(data))
	if _, err := dec.ReadToken(); err != nil {
		return "", syntax(name, err)
	}
	var members []string
	for dec.PeekKind() == '"' {
		tok, err := dec.ReadToken()
		if err != nil {
			return "", syntax(name, err)
		}
		member := tok.String()
		switch member {
		case "bomFormat":
			return CycloneDXJSON, nil
		case "spdxVersion":
			return SPDXJSON, nil
		}
		value, err := dec.ReadValue()
		if err != nil {
			return "", syntax(name, err)
		}
		if member == "@context" && bytes.Contains(value, []byte("spdx.org/rdf/")) {
			return SPDX3JSON, nil
		}
		if len(members) < 8 {
			members = append(members, member)
		}
	}
	if _, err := dec.ReadToken(); err != nil {
		return "", syntax(name, err)
	}
	return fail(assay.ErrInvalid, "a JSON object of the members "+strings.Join(members, ", "), want+", which has bomFormat, spdxVersion or @context")
}

// isTagValue looks past comments for the tag that comes first.
func isTagValue(data []byte) bool {
	for {
		data = bytes.TrimLeft(data, " \t\r\n")
		if len(data) == 0 || data[0] != '#' {
			return bytes.HasPrefix(data, []byte("SPDXVersion:"))
		}
		_, data, _ = bytes.Cut(data, []byte("\n"))
	}
}

func syntax(name string, err error) error {
	return &assay.Error{Op: "read SBOM", Kind: assay.ErrInvalid, Subject: name, Err: err}
}
