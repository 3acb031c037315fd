package sbom

import (
	"bytes"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/assaykit/assay"
)

// Format is a document format that SBOMs are written in and read from.
type Format string

const (
	// CycloneDXJSON is CycloneDX in JSON: written as 1.6 (ECMA-424), read from 1.2
	// to 1.6.
	CycloneDXJSON Format = "cyclonedx-json"
	// SPDXJSON is SPDX in JSON: written as 2.3, read from 2.2 and 2.3.
	SPDXJSON Format = "spdx-json"
)

// ParseFormat reads the name of a format, such as a flag's value.
func ParseFormat(s string) (Format, error) {
	if f := Format(s); f == CycloneDXJSON || f == SPDXJSON {
		return f, nil
	}
	return "", &assay.Error{Op: "parse SBOM format", Kind: assay.ErrInvalid, Value: s, Bound: string(CycloneDXJSON) + " or " + string(SPDXJSON)}
}

// MediaType is the format's registered media type, "" for an unknown format.
func (f Format) MediaType() string {
	switch f {
	case CycloneDXJSON:
		return "application/vnd.cyclonedx+json"
	case SPDXJSON:
		return "application/spdx+json"
	}
	return ""
}

// PredicateType is the type of in-toto statements about documents of the format,
// "" for an unknown format.
func (f Format) PredicateType() assay.PredicateType {
	switch f {
	case CycloneDXJSON:
		return assay.PredicateCycloneDX
	case SPDXJSON:
		return assay.PredicateSPDX
	}
	return ""
}

func (f Format) String() string { return string(f) }

// sniff tells the format by what the document says of itself, up to the first
// member that does. The reader of the format holds the document to it.
func sniff(name string, data []byte) (Format, error) {
	fail := func(kind error, value, want string) (Format, error) {
		return "", &assay.Error{Op: "read SBOM", Kind: kind, Subject: name, Value: value, Bound: want}
	}
	trimmed := bytes.TrimLeft(data, " \t\r\n")
	const want = "CycloneDX JSON or SPDX JSON"
	switch {
	case len(trimmed) == 0:
		return fail(assay.ErrInvalid, "an empty file", want)
	case trimmed[0] == '<' && bytes.Contains(trimmed[:min(len(trimmed), 4096)], []byte("cyclonedx.org/schema/bom")):
		return fail(assay.ErrUnchecked, "CycloneDX XML", want)
	case trimmed[0] == '<' && bytes.Contains(trimmed[:min(len(trimmed), 4096)], []byte("spdx.org/rdf")):
		return fail(assay.ErrUnchecked, "SPDX RDF", want)
	case bytes.HasPrefix(trimmed, []byte("SPDXVersion:")):
		return fail(assay.ErrUnchecked, "SPDX tag-value", want)
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
		if member == "@context" && bytes.Contains(value, []byte("spdx.org/rdf/3")) {
			return fail(assay.ErrUnchecked, "SPDX 3 JSON-LD", want)
		}
		if len(members) < 8 {
			members = append(members, member)
		}
	}
	if _, err := dec.ReadToken(); err != nil {
		return "", syntax(name, err)
	}
	return fail(assay.ErrInvalid, "a JSON object of the members "+strings.Join(members, ", "), want+", which has bomFormat or spdxVersion")
}

func syntax(name string, err error) error {
	return &assay.Error{Op: "read SBOM", Kind: assay.ErrInvalid, Subject: name, Err: err}
}
