package assay_test

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/assaykit/assay"
)

// Identifiers are parsed once; from then on == and maps do the joining.
func Example() {
	image := assay.MustDigest("sha256:b5b2b2c507a0944348e0303114d8d93aaaa081732b86451d9bce1f432a537bc7")
	sbom := &assay.SBOM{
		Root: assay.Component{ID: "image", Type: assay.TypeContainer, Name: "app"},
		Components: []assay.Component{
			{ID: "curl", Type: assay.TypeLibrary, Name: "curl", PURL: assay.MustPURL("pkg:deb/debian/curl@7.88.1-10?distro=debian-12&arch=amd64")},
		},
		Relations: []assay.Relation{{From: "image", Kind: assay.Contains, To: "curl"}},
	}
	if err := sbom.Normalize(); err != nil {
		fmt.Println(err)
		return
	}
	advisory := assay.MustPURL("pkg:deb/debian/curl")
	for _, c := range sbom.Components {
		if advisory.Matches(c.PURL) {
			fmt.Println(c.PURL, "of", image.Algorithm(), "image")
		}
	}
	// Output:
	// pkg:deb/debian/curl@7.88.1-10?arch=amd64&distro=debian-12 of sha256 image
}

func ExampleParseDigest() {
	_, err := assay.ParseDigest("sha256:E3B0")
	fmt.Println(err)
	fmt.Println(errors.Is(err, assay.ErrInvalid))
	// Output:
	// parse digest: sha256: invalid: got "E3B0", want 64 hexadecimal digits
	// true
}

func ExampleDigestSet() {
	var set assay.DigestSet
	err := json.Unmarshal([]byte(`{"sha256":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","md5":"d41d8cd98f00b204e9800998ecf8427e"}`), &set)
	fmt.Println(set.Has(assay.SumSHA256(nil)), err)
	fmt.Println(set.Has(set.Get(assay.MD5))) // not strong enough to identify
	// Output:
	// true <nil>
	// false
}

func ExampleParsePURL() {
	p, err := assay.ParsePURL("pkg:NPM/@angular/core@17.0.1?b=2&a=1")
	fmt.Println(p, err)
	fmt.Println(p.Type(), p.Parts().Namespace, p.Version(), p.Package())
	// Output:
	// pkg:npm/%40angular/core@17.0.1?a=1&b=2 <nil>
	// npm @angular 17.0.1 pkg:npm/%40angular/core
}

func ExampleNormalizePURL() {
	_, err := assay.ParsePURL("pkg:rpm/fedora/curl@7.50.3?Arch=i386")
	fmt.Println(err)
	fmt.Println(assay.NormalizePURL("pkg:rpm/fedora/curl@7.50.3?Arch=i386"))
	// Output:
	// parse purl: invalid: got "pkg:rpm/fedora/curl@7.50.3?Arch=i386": qualifier key "Arch" is not in lower case (type rpm)
	// pkg:rpm/fedora/curl@7.50.3?arch=i386 <nil>
}

func ExampleParsePredicateType() {
	t, err := assay.ParsePredicateType("https://cyclonedx.org/bom/v1.6")
	fmt.Println(t.Kind(), err)
	fmt.Println(assay.PredicateType("https://example.com/custom").Kind())
	// Output:
	// sbom <nil>
	// opaque
}

func ExampleParsePlatform() {
	p, err := assay.ParsePlatform("linux/aarch64/v8")
	fmt.Println(p, err)
	// Output:
	// linux/arm64 <nil>
}

func ExampleParseVulnID() {
	fmt.Println(assay.ParseVulnID("cve-2021-44228"))
	fmt.Println(assay.ParseVulnID("CVE-21-1"))
	// Output:
	// CVE-2021-44228 <nil>
	//  parse vulnerability id: invalid: got "CVE-21-1", want CVE-YYYY-NNNN
}

// An envelope that was found in several places is one envelope.
func ExampleNewBundle() {
	subject := assay.SumSHA256([]byte("the image's manifest"))
	b := assay.NewBundle(subject,
		assay.NewEnvelope(assay.MediaTypeSigstoreBundle, []byte("{…}"), "registry.example/app"),
		assay.NewEnvelope(assay.MediaTypeSigstoreBundle, []byte("{…}"), "evidence.jsonl"),
	)
	for e := range b.Envelopes() {
		fmt.Println(b.Len(), e.Sources())
	}
	// Output:
	// 1 [evidence.jsonl registry.example/app]
}

func ExampleNewStatement() {
	image := assay.SumSHA256([]byte("the image's manifest"))
	s, err := assay.NewStatement([]byte(`{"_type":"https://in-toto.io/Statement/v1"}`), assay.PredicateOpenVEX,
		[]assay.Subject{{Name: "app", Digest: assay.DigestSet{image}}}, &assay.VEX{ID: "https://example.com/vex/1"})
	if err != nil {
		fmt.Println(err)
		return
	}
	_, ok := s.About(image)
	fmt.Println(s.Evidence().ID, ok)
	_, ok = s.About(assay.SumSHA256([]byte("another image's")))
	fmt.Println(ok)
	// Output:
	// https://example.com/vex/1 true
	// false
}

// A gate tells a false claim from one that nobody could check.
func ExampleError() {
	err := error(&assay.Error{
		Op: "check posture", Kind: assay.ErrRefuted, Subject: "image", Field: "POSTURE_NO_SHELL",
		Value: "bin/sh", Bound: "no shell",
	})
	fmt.Println(err)
	switch assay.KindOf(err) {
	case assay.ErrRefuted:
		fmt.Println("do not run it")
	case assay.ErrUnchecked:
		fmt.Println("try again")
	}
	// Output:
	// check posture: image: POSTURE_NO_SHELL: refuted: got "bin/sh", want no shell
	// do not run it
}

func ExampleState_And() {
	fmt.Println(assay.Proven.And(assay.Unknown), assay.Unknown.And(assay.Refuted))
	// Output:
	// unknown refuted
}

// What is read of a signed statement is evidence of any kind; a program wants one.
func ExampleAs() {
	subject := assay.Subject{Digest: assay.DigestSet{assay.SumSHA256([]byte("manifest"))}}
	s, err := assay.NewStatement[assay.Evidence]([]byte("{}"), "https://in-toto.io/attestation/test-result/v0.1", []assay.Subject{subject}, &assay.TestResult{Result: "PASSED"})
	if err != nil {
		fmt.Println(err)
		return
	}
	tests, ok := assay.As[*assay.TestResult](s)
	fmt.Println(tests.Evidence().Result, ok)
	_, ok = assay.As[*assay.SBOM](s)
	fmt.Println(ok)
	// Output:
	// PASSED true
	// false
}

func ExampleNewPURL() {
	p, err := assay.NewPURL(assay.PURLParts{Type: "pypi", Name: "Zope.Interface", Version: "5.1"})
	fmt.Println(p, err)
	// Output:
	// pkg:pypi/zope.interface@5.1 <nil>
}

// Names of files are bytes, and documents have UTF-8 only.
func ExampleEscapePath() {
	name := "caf\xe9.so"
	escaped := assay.EscapePath(name)
	fmt.Println(escaped, assay.UnescapePath(escaped) == name)
	// Output:
	// caf\xe9.so true
}

// A quorum counts each signer once.
func ExampleDistinctIdentities() {
	key := assay.KeyIdentity(assay.SumSHA256([]byte("a public key")))
	other := assay.KeyIdentity(assay.SumSHA256([]byte("another one")))
	fmt.Println(len(assay.DistinctIdentities([]assay.Identity{key, other, key})))
	// Output:
	// 2
}

// A statement's subject may have several digests. Those of algorithms that are not known
// prove nothing, and are left out.
func ExampleParseDigestSet() {
	hex := assay.SumSHA256([]byte("manifest")).Hex()
	set, err := assay.ParseDigestSet(map[string]string{"sha256": hex, "whirlpool": "00"})
	fmt.Println(len(set), err)
	d, err := assay.NewDigest(assay.SHA256, hex)
	fmt.Println(d == set[0], err)
	_, err = assay.NewDigestSet(d, assay.SumSHA256([]byte("another manifest")))
	fmt.Println(errors.Is(err, assay.ErrInvalid))
	// Output:
	// 1 <nil>
	// true <nil>
	// true
}

// What cosign kept beside a payload, in the annotations of a layer, stays with it.
func ExampleNewAnnotatedEnvelope() {
	e := assay.NewAnnotatedEnvelope(assay.MediaTypeSimpleSigning, []byte(`{"critical":{}}`),
		map[string]string{assay.AnnotationSignature: "MEUCIQ==", "org.opencontainers.image.title": "a title"}, "registry.example/app:sha256-aa.sig")
	fmt.Println(e.MediaType(), e.Size(), len(e.Annotations()), e.Sources())
	// Output:
	// application/vnd.dev.cosign.simplesigning.v1+json 15 1 [registry.example/app:sha256-aa.sig]
}

func ExampleParseStatus() {
	fmt.Println(assay.ParseStatus("not_affected"))
	fmt.Println(assay.ParseJustification("component_not_present"))
	_, err := assay.ParseStatus("harmless")
	fmt.Println(errors.Is(err, assay.ErrInvalid))
	// Output:
	// not_affected <nil>
	// component_not_present <nil>
	// true
}
