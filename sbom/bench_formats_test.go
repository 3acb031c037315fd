package sbom_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/assaykit/assay/sbom"
)

// versioned are the formats in every version that they are written in.
func versioned() []sbom.Format {
	var out []sbom.Format
	for _, f := range []sbom.Format{sbom.CycloneDXJSON, sbom.CycloneDXXML} {
		for _, v := range []string{"1.4", "1.5", "1.6", "1.7"} {
			out = append(out, f+sbom.Format("@"+v))
		}
	}
	for _, f := range []sbom.Format{sbom.SPDXJSON, sbom.SPDXTagValue} {
		out = append(out, f+"@2.2", f+"@2.3")
	}
	return append(out, sbom.SPDX3JSON)
}

// inJSON is the format in JSON that says the same in the same version.
func inJSON(f sbom.Format) sbom.Format {
	name, version, _ := strings.Cut(string(f), "@")
	switch sbom.Format(name) {
	case sbom.CycloneDXXML:
		return sbom.CycloneDXJSON + sbom.Format("@"+version)
	case sbom.SPDXTagValue:
		return sbom.SPDXJSON + sbom.Format("@"+version)
	}
	return f
}

// structs gives the structs for a document of the format in JSON.
func structs(f sbom.Format) any {
	switch name, _, _ := strings.Cut(string(f), "@"); sbom.Format(name) {
	case sbom.CycloneDXJSON:
		return new(plainCycloneDX)
	case sbom.SPDXJSON:
		return new(plainSPDX)
	}
	return new(plainSPDX3)
}

const manyPackages = 12000

// BenchmarkFormats has as its floor encoding/json over plain structs with the same
// members. What is not JSON is held against the document in JSON that says the same.
func BenchmarkFormats(b *testing.B) {
	doc := debian(b, manyPackages)
	for _, f := range versioned() {
		data, floor := encode(b, doc, f), encode(b, doc, inJSON(f))
		v := structs(inJSON(f))
		if err := json.Unmarshal(floor, v); err != nil {
			b.Fatal(err)
		}
		b.Run("write/"+string(f), func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			against(b, func() error { _, _, err := sbom.Encode(doc, f, sbom.EncodeOptions{}); return err },
				func() error { _, err := json.Marshal(v); return err })
		})
		b.Run("read/"+string(f), func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			against(b, func() error { _, err := sbom.Read("bench", data); return err },
				func() error { return json.Unmarshal(floor, structs(inJSON(f))) })
		})
	}
}

// BenchmarkSerial writes a document as a scan leaves it, whose serial is derived of all
// that is in it.
func BenchmarkSerial(b *testing.B) {
	doc := debian(b, manyPackages)
	for _, f := range []sbom.Format{sbom.CycloneDXJSON, sbom.CycloneDXXML, sbom.SPDXJSON, sbom.SPDXTagValue, sbom.SPDX3JSON} {
		twin := twin(f)
		v := structs(twin)
		if err := json.Unmarshal(encode(b, doc, twin), v); err != nil {
			b.Fatal(err)
		}
		bare := *doc
		bare.Serial = ""
		b.Run(string(f), func(b *testing.B) {
			against(b, func() error { _, _, err := sbom.Encode(&bare, f, sbom.EncodeOptions{}); return err },
				func() error { _, err := json.Marshal(v); return err })
		})
	}
}

// A floor that left out members would be no floor.
func TestPlainStructsHoldDocuments(t *testing.T) {
	doc := debian(t, 20)
	for _, f := range versioned() {
		if f != inJSON(f) {
			continue
		}
		data := encode(t, doc, f)
		v := structs(f)
		if err := json.Unmarshal(data, v); err != nil {
			t.Fatal(err)
		}
		again, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		var want, got any
		if json.Unmarshal(data, &want) != nil || json.Unmarshal(again, &got) != nil || !reflect.DeepEqual(want, got) {
			t.Errorf("%s: the plain structs hold\n%s\nof\n%s", f, again, data)
		}
	}
}
