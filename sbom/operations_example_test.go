package sbom_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/sbom"
)

// What does not survive the way from one format to another is told, on both halves
// of it.
func ExampleConvert() {
	in := `{"bomFormat":"CycloneDX","specVersion":"1.6","version":1,"components":[{"type":"library","bom-ref":"ms","name":"ms","version":"2.1.3","purl":"pkg:npm/ms@2.1.3","copyright":"Vercel"}]}`
	c, err := sbom.Convert("bom.json", []byte(in), sbom.SPDXJSON, sbom.EncodeOptions{Created: time.Unix(0, 0)})
	if err != nil {
		log.Fatal(err)
	}
	for _, l := range c.Unread {
		fmt.Println(l.Field)
	}
	fmt.Println(strings.Contains(string(c.Data), `"referenceLocator":"pkg:npm/ms@2.1.3"`))
	// Output:
	// /components/0/copyright
	// true
}

// An index of two platforms from their SBOMs.
func ExampleMerge() {
	of := func(arch, digest string) *assay.SBOM {
		ms := assay.Component{ID: "ms", Type: assay.TypeLibrary, Name: "ms", Version: "2.1.3", PURL: assay.MustPURL("pkg:npm/ms@2.1.3"),
			Hashes: assay.DigestSet{assay.MustDigest("sha256:" + strings.Repeat(digest, 64))}}
		root := assay.Component{ID: assay.ComponentID("image-" + arch), Type: assay.TypeContainer, Name: "app", Version: arch}
		return &assay.SBOM{Root: root, Components: []assay.Component{ms}, Relations: []assay.Relation{{From: root.ID, Kind: assay.Contains, To: "ms"}}}
	}
	index := assay.Component{ID: "index", Type: assay.TypeContainer, Name: "app"}
	for _, digest := range []string{"1", "2"} { // that of the second image
		doc, conflicts, err := sbom.Merge(sbom.MergeOptions{Root: index}, of("amd64", "1"), of("arm64", digest))
		if err != nil {
			log.Fatal(err)
		}
		for _, c := range doc.Components {
			fmt.Println(c.ID)
		}
		fmt.Println("conflicts:", len(conflicts))
	}
	// Output:
	// image-amd64
	// image-arm64
	// ms
	// conflicts: 0
	// image-amd64
	// image-arm64
	// ms
	// ms#sha256:2222222222222222222222222222222222222222222222222222222222222222
	// conflicts: 1
}

// All platforms of an index, one SBOM each and one of all.
func ExampleScanIndex() {
	index := v1.ImageIndex(empty.Index)
	for _, arch := range []string{"amd64", "arm64"} {
		img, err := mutate.ConfigFile(empty.Image, &v1.ConfigFile{OS: "linux", Architecture: arch, RootFS: v1.RootFS{Type: "layers"}})
		if err != nil {
			log.Fatal(err)
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: img, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: arch}}})
	}
	found, err := sbom.ScanIndex(context.Background(), index, sbom.Options{Repository: "registry.example/team/app"})
	if err != nil {
		log.Fatal(err)
	}
	for _, img := range found.Images {
		fmt.Println(img.Platform, img.Contents.SBOM.Root.ID == assay.ComponentID("image:"+img.Digest.String()))
	}
	fmt.Println(found.SBOM.Root.ID == assay.ComponentID("index:"+found.Digest.String()), len(found.SBOM.Components))
	// Output:
	// linux/amd64 true
	// linux/arm64 true
	// true 2
}

func ExampleDiff() {
	release := func(items ...string) *assay.SBOM {
		doc := &assay.SBOM{Root: assay.Component{ID: "app", Type: assay.TypeContainer, Name: "app"}}
		for _, item := range items {
			p := assay.MustPURL(item)
			doc.Components = append(doc.Components, assay.Component{ID: assay.ComponentID(item), Type: assay.TypeLibrary, Name: p.Parts().Name, Version: p.Version(), PURL: p})
		}
		return doc
	}
	monday := release("pkg:deb/debian/libssl3@3.0.15-1", "pkg:npm/ms@2.1.3", "pkg:npm/left-pad@1.3.0")
	tuesday := release("pkg:deb/debian/libssl3@3.0.16-1", "pkg:npm/ms@2.1.2", "pkg:npm/debug@4.4.0")
	tuesday.Components[0].Licenses = []assay.License{{Expression: "Apache-2.0"}}
	fmt.Print(sbom.Diff(monday, tuesday))
	// Output:
	// + pkg:npm/debug@4.4.0
	// - pkg:npm/left-pad@1.3.0
	// ~ pkg:deb/debian/libssl3@3.0.15-1: version 3.0.15-1 -> 3.0.16-1 (up)
	// ~ pkg:deb/debian/libssl3@3.0.15-1: licenses - -> Apache-2.0
	// ~ pkg:npm/ms@2.1.3: version 2.1.3 -> 2.1.2 (down)
}

func ExampleFilter() {
	doc := exampleSBOM()
	out := sbom.Filter(doc, func(c *assay.Component) bool { return c.PURL.Type() != "deb" })
	fmt.Println(len(out.Components), "components of", out.Root.Name)
	for _, s := range out.Completeness {
		fmt.Printf("%q %s %s\n", s.Of, s.Scope, s.Aggregate)
	}
	// Output:
	// 0 components of registry.example/app
	// "" components incomplete
	// "" components:deb incomplete
	// "image" dependencies incomplete
}

// A store that takes no more than some bytes.
func ExampleEncode_maxBytes() {
	doc := exampleSBOM()
	doc.Components[0].Description = strings.Repeat("Secure Sockets Layer toolkit - shared libraries. ", 20)
	data, losses, err := sbom.Encode(doc, sbom.CycloneDXJSON, sbom.EncodeOptions{MaxBytes: 1000})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(data) <= 1000)
	for _, l := range losses {
		fmt.Println(l)
	}
	_, _, err = sbom.Encode(doc, sbom.CycloneDXJSON, sbom.EncodeOptions{MaxBytes: 100})
	fmt.Println(errors.Is(err, assay.ErrBound))
	// Output:
	// true
	// description: descriptions left out to keep the document within 1000 bytes: 1
	// true
}

func ExampleCheck() {
	doc := exampleSBOM()
	doc.Created = time.Unix(1.7e9, 0)
	defects, err := sbom.Check(doc, sbom.NTIA2021)
	if err != nil {
		log.Fatal(err)
	}
	for _, d := range defects {
		if d.State == assay.Refuted {
			fmt.Println(d)
		}
	}
	// Output:
	// ntia-2021, IV, Data Fields, Author of SBOM Data: authors: want an author or a tool
	// ntia-2021, IV, Practices and Processes, Known Unknowns: completeness: want a statement on whether the dependencies are all listed
	// ntia-2021, IV, Data Fields, Supplier Name: image: supplier: want a name
	// ntia-2021, IV, Data Fields, Version of the Component: image: version: want a version
	// ntia-2021, IV, Data Fields, Supplier Name: libssl3: supplier: want a name
}

// Formats by name, as a flag has them, with a version where there are several.
func ExampleParseFormat() {
	for _, name := range []string{"cyclonedx-json", "cyclonedx-json@1.5", "spdx-yaml"} {
		f, err := sbom.ParseFormat(name)
		fmt.Println(f, err)
	}
	fmt.Println(sbom.Formats())
	// Output:
	// cyclonedx-json <nil>
	// cyclonedx-json@1.5 <nil>
	//  parse SBOM format: invalid: got "spdx-yaml", want one of cyclonedx-json, cyclonedx-xml, spdx-json, spdx-tag-value, spdx3-json, table
	// [cyclonedx-json cyclonedx-xml spdx-json spdx-tag-value spdx3-json table]
}

func ExampleParseProfile() {
	for _, name := range []string{"ntia-2021", "house-rules"} {
		p, err := sbom.ParseProfile(name)
		fmt.Println(p, err)
	}
	fmt.Println(sbom.Profiles())
	// Output:
	// ntia-2021 <nil>
	//  parse profile: invalid: got "house-rules", want one of ntia-2021, cisa-2025-draft, cisa-2026, bsi-tr-03183-2-2.1.0
	// [ntia-2021 cisa-2025-draft cisa-2026 bsi-tr-03183-2-2.1.0]
}

// What "setcap cap_net_bind_service=ep" writes on an executable.
func ExampleDecodeCapabilities() {
	c, err := sbom.DecodeCapabilities([]byte("\x01\x00\x00\x02\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"))
	fmt.Println(c.Names(), c.Effective, c.Revision, err)
	// Output:
	// [cap_net_bind_service] true 2 <nil>
}
