package cyclonedx_test

import (
	"encoding/xml"
	"testing"

	"github.com/assaykit/assay/sbom/internal/cyclonedx"
)

// plainXML has the members that the inventory is written with, and nothing else: what
// it takes to get the bytes in and out without understanding them.
type plainXML struct {
	XMLName  xml.Name `xml:"http://cyclonedx.org/schema/bom/1.6 bom"`
	Serial   string   `xml:"serialNumber,attr"`
	Version  int      `xml:"version,attr"`
	Metadata struct {
		Timestamp  string          `xml:"timestamp"`
		Tools      []plainXMLPart  `xml:"tools>components>component"`
		Component  plainXMLPart    `xml:"component"`
		Properties []plainProperty `xml:"properties>property"`
	} `xml:"metadata"`
	Components   []plainXMLPart `xml:"components>component"`
	Dependencies []struct {
		Ref       string     `xml:"ref,attr"`
		DependsOn []plainRef `xml:"dependency"`
	} `xml:"dependencies>dependency"`
	Compositions []struct {
		BOMRef       string     `xml:"bom-ref,attr,omitempty"`
		Aggregate    string     `xml:"aggregate"`
		Assemblies   []plainRef `xml:"assemblies>assembly"`
		Dependencies []plainRef `xml:"dependencies>dependency"`
	} `xml:"compositions>composition"`
}

type plainRef struct {
	Ref string `xml:"ref,attr"`
}

type plainProperty struct {
	Name  string `xml:"name,attr"`
	Value string `xml:",chardata"`
}

type plainXMLPart struct {
	Type        string      `xml:"type,attr"`
	BOMRef      string      `xml:"bom-ref,attr,omitempty"`
	Supplier    *plainNamed `xml:"supplier"`
	Name        string      `xml:"name"`
	Version     string      `xml:"version,omitempty"`
	Description string      `xml:"description,omitempty"`
	Hashes      []struct {
		Alg   string `xml:"alg,attr"`
		Value string `xml:",chardata"`
	} `xml:"hashes>hash"`
	Licenses []struct {
		Acknowledgement string `xml:"acknowledgement,attr,omitempty"`
		ID              string `xml:"id,omitempty"`
		Name            string `xml:"name,omitempty"`
	} `xml:"licenses>license"`
	PURL        string          `xml:"purl,omitempty"`
	Properties  []plainProperty `xml:"properties>property"`
	Occurrences []struct {
		Location string `xml:"location"`
		Context  string `xml:"additionalContext,omitempty"`
	} `xml:"evidence>occurrences>occurrence"`
}

type plainNamed struct {
	Name string `xml:"name"`
}

// BenchmarkXML has as its floor encoding/xml with the same document as plain structs.
func BenchmarkXML(b *testing.B) {
	form := inventory(b, packages)
	to := cyclonedx.Target{Version: 6, XML: true}
	data, err := cyclonedx.Encode(form, to, ignore)
	if err != nil {
		b.Fatal(err)
	}
	plain := new(plainXML)
	if err := xml.Unmarshal(data, plain); err != nil {
		b.Fatal(err)
	}
	if len(plain.Components) != packages || len(plain.Components[9].Occurrences) != 2 || len(plain.Components[9].Licenses) != 2 || len(plain.Dependencies) == 0 {
		b.Fatal("the plain structs do not hold the document")
	}
	b.Run("encode", func(b *testing.B) {
		b.SetBytes(int64(len(data)))
		against(b, func() error { _, err := cyclonedx.Encode(form, to, ignore); return err },
			func() error { _, err := xml.Marshal(plain); return err })
	})
	b.Run("decode", func(b *testing.B) {
		b.SetBytes(int64(len(data)))
		against(b, func() error { _, err := cyclonedx.Decode("bench", data, true, ignore); return err },
			func() error { return xml.Unmarshal(data, new(plainXML)) })
	})
}
