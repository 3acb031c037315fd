package sbom_test

import (
	"fmt"
	"os"
	"time"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/sbom"
)

func exampleSBOM() *assay.SBOM {
	openssl, _ := assay.ParsePURL("pkg:deb/debian/libssl3@3.0.15-1?arch=amd64")
	return &assay.SBOM{
		Root: assay.Component{ID: "image", Type: assay.TypeContainer, Name: "registry.example/app"},
		Components: []assay.Component{{
			ID: "libssl3", Type: assay.TypeLibrary, Name: "libssl3", Version: "3.0.15-1", PURL: openssl, FoundBy: "dpkg",
			Licenses:  []assay.License{{Expression: "Apache-2.0"}},
			Locations: []assay.Location{{Path: "var/lib/dpkg/status"}},
		}},
		Relations: []assay.Relation{{From: "image", Kind: assay.DependsOn, To: "libssl3"}},
	}
}

func ExampleEncode() {
	data, losses, err := sbom.Encode(exampleSBOM(), sbom.CycloneDXJSON, sbom.EncodeOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%s%d losses\n", data, len(losses))
	// Output:
	// {"$schema":"http://cyclonedx.org/schema/bom-1.6.schema.json","bomFormat":"CycloneDX","specVersion":"1.6","serialNumber":"urn:uuid:f0bf6979-a710-5f05-96a0-dc03f91ca549","version":1,"metadata":{"component":{"type":"container","bom-ref":"image","name":"registry.example/app"}},"components":[{"type":"library","bom-ref":"libssl3","name":"libssl3","version":"3.0.15-1","licenses":[{"license":{"id":"Apache-2.0","acknowledgement":"declared"}}],"purl":"pkg:deb/debian/libssl3@3.0.15-1?arch=amd64","evidence":{"occurrences":[{"location":"var/lib/dpkg/status"}]},"properties":[{"name":"assay:foundBy","value":"dpkg"}]}],"dependencies":[{"ref":"image","dependsOn":["libssl3"]}]}
	// 0 losses
}

// SPDX requires a time. A time of day is a choice of the caller, so that the same
// build gives the same document.
func ExampleWrite() {
	doc := exampleSBOM()
	doc.Lifecycle = "post-build"
	f, err := os.CreateTemp("", "*.spdx.json")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.Remove(f.Name())
	defer f.Close()
	if _, err := sbom.Write(f, doc, sbom.SPDXJSON, sbom.EncodeOptions{}); err != nil {
		fmt.Println(err)
	}
	built := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	if _, err := sbom.Write(f, doc, sbom.SPDXJSON, sbom.EncodeOptions{Created: built}); err != nil {
		fmt.Println(err)
		return
	}
	back, err := sbom.ReadFile(f.Name())
	fmt.Println(back.Format, back.Created, back.Lifecycle, err)
	// Output:
	// write SPDX: registry.example/app: created: invalid, want a time, in the SBOM or in the options (SPDX 2.3, 6.9)
	// spdx-json/2.3 2026-11-23 00:00:00 +0000 UTC post-build <nil>
}

func ExampleRead() {
	doc, err := sbom.Read("bom.json", []byte(`{
		"bomFormat": "CycloneDX", "specVersion": "1.6",
		"components": [
			{"type": "library", "bom-ref": "a", "name": "core", "group": "@angular", "purl": "pkg:npm/%40angular/core@17.0.0"},
			{"type": "library", "bom-ref": "b", "name": "tslib"}
		],
		"dependencies": [{"ref": "a", "dependsOn": ["b"]}]
	}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, c := range doc.Components {
		fmt.Printf("%s %q\n", c.Name, c.PURL)
	}
	fmt.Println(doc.Relations)

	_, err = sbom.Read("bom.json", []byte(`{"bomFormat": "CycloneDX", "specVersion": "1.6", "dependencies": [{"ref": "a"}]}`))
	fmt.Println(err)
	// Output:
	// @angular/core "pkg:npm/%40angular/core@17.0.0"
	// tslib ""
	// [{a dependsOn b}]
	// read CycloneDX: bom.json: /dependencies/0/ref: invalid: got "a", want a bom-ref that the document defines
}

func ExampleReadReport() {
	_, losses, err := sbom.ReadReport("bom.json", []byte(`{
		"bomFormat": "CycloneDX", "specVersion": "1.6",
		"components": [{"type": "library", "bom-ref": "a", "name": "core", "copyright": "Acme Inc."}],
		"services": [{"name": "clock"}]
	}`))
	for _, l := range losses {
		fmt.Println(l)
	}
	fmt.Println(err)
	// Output:
	// a: /components/0/copyright: the model has no place for it
	// /services: the model has no place for it
	// <nil>
}

func ExampleCompare() {
	component := func(id assay.ComponentID, purl string) assay.Component {
		p, err := assay.ParsePURL(purl)
		if err != nil {
			panic(err)
		}
		return assay.Component{ID: id, Type: assay.TypeLibrary, Name: p.Parts().Name, Version: p.Parts().Version, PURL: p}
	}
	signed := &assay.SBOM{Components: []assay.Component{
		component("1", "pkg:deb/debian/libssl3@3.0.15-1"),
		component("2", "pkg:npm/left-pad@1.3.0"),
		component("3", "pkg:npm/tslib@2.6.0"),
	}}
	scanned := &assay.SBOM{Components: []assay.Component{
		component("a", "pkg:deb/debian/libssl3@3.0.11-1?arch=amd64"),
		component("b", "pkg:npm/left-pad@1.3.0"),
		component("c", "pkg:npm/event-stream@3.3.6"),
	}}
	fmt.Print(sbom.Compare(signed, scanned))
	// Output:
	// missing pkg:npm/event-stream@3.3.6
	// phantom pkg:npm/tslib@2.6.0
	// changed pkg:deb/debian/libssl3@3.0.15-1 is pkg:deb/debian/libssl3@3.0.11-1?arch=amd64 (version)
}

func ExampleWriteTable() {
	if err := sbom.WriteTable(os.Stdout, exampleSBOM()); err != nil {
		fmt.Println(err)
	}
	// Output:
	// NAME     VERSION   KIND  LICENSES    LOCATION
	// libssl3  3.0.15-1  deb   Apache-2.0  var/lib/dpkg/status
	// 1 component
}
