package vex_test

import (
	"fmt"
	"log"
	"os"
	"time"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/vex"
)

var issued = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func exampleImage() assay.Product {
	digest := assay.MustDigest("sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
	openssl, err := assay.ParsePURL("pkg:deb/debian/libssl3@3.0.15?arch=amd64")
	if err != nil {
		log.Fatal(err)
	}
	p, err := vex.ImageProduct(digest, "registry.example/team/app", vex.PURLProduct(openssl))
	if err != nil {
		log.Fatal(err)
	}
	return p
}

func exampleDocument() *assay.VEX {
	doc, err := vex.New("security@example.com", vex.Options{Time: issued}).
		NotAffected("CVE-2026-0001", assay.VulnerableCodeNotInExecutePath, exampleImage()).Build()
	if err != nil {
		log.Fatal(err)
	}
	return doc
}

func ExampleNew() {
	d := vex.New("security@example.com", vex.Options{Base: "https://example.com/vex/", Time: issued})
	d.NotAffected("CVE-2026-0001", assay.VulnerableCodeNotInExecutePath, exampleImage()).
		Notes("No caller of X509_verify_cert.")
	d.Affected("CVE-2026-0002", "Upgrade to 1.4.2.", exampleImage())
	doc, err := d.Build()
	if err != nil {
		log.Fatal(err)
	}
	data, err := vex.Encode(doc)
	if err != nil {
		log.Fatal(err)
	}
	os.Stdout.Write(data)
	// Output:
	// {
	//   "@context": "https://openvex.dev/ns/v0.2.0",
	//   "@id": "https://example.com/vex/vex-07e72700b725e0033a0f3e07ddeb4f6d5ddd0f4270eb82622cfe5f6cf1904bcf",
	//   "author": "security@example.com",
	//   "timestamp": "2026-11-23T12:00:00Z",
	//   "version": 1,
	//   "statements": [
	//     {
	//       "vulnerability": {
	//         "name": "CVE-2026-0001"
	//       },
	//       "timestamp": "2026-11-23T12:00:00Z",
	//       "products": [
	//         {
	//           "@id": "pkg:oci/app@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855?repository_url=registry.example%2Fteam%2Fapp",
	//           "identifiers": {
	//             "purl": "pkg:oci/app@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855?repository_url=registry.example%2Fteam%2Fapp"
	//           },
	//           "hashes": {
	//             "sha-256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	//           },
	//           "subcomponents": [
	//             {
	//               "@id": "pkg:deb/debian/libssl3@3.0.15?arch=amd64",
	//               "identifiers": {
	//                 "purl": "pkg:deb/debian/libssl3@3.0.15?arch=amd64"
	//               }
	//             }
	//           ]
	//         }
	//       ],
	//       "status": "not_affected",
	//       "status_notes": "No caller of X509_verify_cert.",
	//       "justification": "vulnerable_code_not_in_execute_path"
	//     },
	//     {
	//       "vulnerability": {
	//         "name": "CVE-2026-0002"
	//       },
	//       "timestamp": "2026-11-23T12:00:00Z",
	//       "products": [
	//         {
	//           "@id": "pkg:oci/app@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855?repository_url=registry.example%2Fteam%2Fapp",
	//           "identifiers": {
	//             "purl": "pkg:oci/app@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855?repository_url=registry.example%2Fteam%2Fapp"
	//           },
	//           "hashes": {
	//             "sha-256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	//           },
	//           "subcomponents": [
	//             {
	//               "@id": "pkg:deb/debian/libssl3@3.0.15?arch=amd64",
	//               "identifiers": {
	//                 "purl": "pkg:deb/debian/libssl3@3.0.15?arch=amd64"
	//               }
	//             }
	//           ]
	//         }
	//       ],
	//       "status": "affected",
	//       "action_statement": "Upgrade to 1.4.2."
	//     }
	//   ]
	// }
}

func ExampleDraft_Build() {
	d := vex.New("security@example.com", vex.Options{Time: issued, ID: "https://example.com/vex/1"})
	d.Fixed("CVE-2026-0001", exampleImage())
	d.NotAffected("CVE-2026-0002", "", exampleImage()) // says not why
	_, err := d.Build()
	fmt.Println(err)
	// Output:
	// build OpenVEX: https://example.com/vex/1: /statements/1/justification: invalid, want a justification label, or an impact statement, with not_affected (OpenVEX 8)
}

func ExampleImageProduct() {
	digest := assay.MustDigest("sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
	p, err := vex.ImageProduct(digest, "registry.example/team/app")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(p.PURL)
	// Output:
	// pkg:oci/app@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855?repository_url=registry.example%2Fteam%2Fapp
}

func ExampleComponentProduct() {
	purl, err := assay.ParsePURL("pkg:golang/golang.org/x/net@v0.57.0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(vex.ComponentProduct(assay.Component{Name: "golang.org/x/net", PURL: purl}).ID)
	// Output:
	// pkg:golang/golang.org/x/net@v0.57.0
}

func ExampleRead() {
	doc, warnings, err := vex.Read("app.vex.json", []byte(`{
		"@context": "https://openvex.dev/ns/v0.2.0",
		"@id": "https://example.com/vex/1",
		"author": "security@example.com",
		"timestamp": "2026-11-23T12:00:00Z",
		"version": 1,
		"statements": [{
			"@id": "statement-1",
			"vulnerability": {"name": "CVE-2026-0001"},
			"products": [{"@id": "pkg:npm/left-pad@1.3.0"}],
			"status": "under_investigation"
		}]
	}`))
	if err != nil {
		log.Fatal(err)
	}
	for _, w := range warnings {
		fmt.Println("warning:", w)
	}
	for _, s := range doc.Statements {
		fmt.Println(s.Vulnerability.ID, s.Status, s.Timestamp.Format(time.DateOnly), s.Products[0].PURL)
	}
	_, _, err = vex.Read("empty.json", []byte(`{}`))
	fmt.Println(err)
	// Output:
	// warning: app.vex.json: /statements/0/@id: odd: got "statement-1", want an absolute IRI (OpenVEX 2)
	// CVE-2026-0001 under_investigation 2026-11-23 pkg:npm/left-pad@1.3.0
	// read OpenVEX: empty.json: /@context: invalid, want https://openvex.dev/ns/v0.2.0, or https://openvex.dev/ns for v0.0.1 (OpenVEX 1)
}

func ExampleValidate() {
	doc := exampleDocument()
	doc.Statements[0].Status = "wontfix"
	fmt.Println(vex.Validate(doc))
	// Output:
	// check OpenVEX: https://openvex.dev/docs/public/vex-54e36f6bb834dc185105fac8179ab86d8b6230102ea453dad5e88f1b90d0fa93: /statements/0/status: invalid: got "wontfix", want not_affected, affected, fixed or under_investigation (OpenVEX 7)
}

func ExampleEncode() {
	data, err := vex.Encode(exampleDocument())
	if err != nil {
		log.Fatal(err)
	}
	back, _, err := vex.Read("app.vex.json", data)
	fmt.Println(back.Statements[0].Status, err)
	// Output:
	// not_affected <nil>
}

func ExampleEdit() {
	old := exampleDocument()
	d := vex.Edit(old, vex.Options{Time: issued.AddDate(0, 0, 1)})
	d.Affected("CVE-2026-0001", "Upgrade to 1.4.2.", exampleImage())
	next, err := d.Build()
	if err != nil {
		log.Fatal(err)
	}
	for _, s := range next.Statements {
		fmt.Println(next.Version, s.Timestamp.Format(time.DateOnly), s.Status)
	}
	fmt.Println(vex.CheckUpdate(old, next))
	// Output:
	// 2 2026-11-23 not_affected
	// 2 2026-11-24 affected
	// <nil>
}

func ExampleCheckUpdate() {
	old := exampleDocument()
	next := *old
	next.Statements = append([]assay.VEXStatement{}, old.Statements...)
	next.Statements[0].Status = assay.Fixed
	fmt.Println(vex.CheckUpdate(old, &next))
	// Output:
	// check OpenVEX update: https://openvex.dev/docs/public/vex-54e36f6bb834dc185105fac8179ab86d8b6230102ea453dad5e88f1b90d0fa93: /version: refuted: got "1", want more than 1, because the content differs (OpenVEX 5)
}

func ExampleInheritSubjects() {
	doc := exampleDocument()
	doc.Statements[0].Products = nil // the attestation says about what
	subjects := []assay.Subject{{Name: "registry.example/team/app", Digest: exampleImage().Digests}}
	complete, ignored := vex.InheritSubjects(doc, subjects)
	fmt.Println(complete.Statements[0].Products[0].Digests[0], len(ignored))

	other := []assay.Subject{{Name: "other", Digest: assay.DigestSet{assay.MustDigest("sha512:" + fmt.Sprintf("%0128d", 0))}}}
	_, ignored = vex.InheritSubjects(exampleDocument(), other)
	fmt.Println(len(ignored), ignored[1].Whole, ignored[1].Reason)
	// Output:
	// sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 0
	// 2 true no product of it is a subject
}

func ExampleEncodePredicate() {
	doc := exampleDocument()
	subjects := []assay.Subject{{Name: "registry.example/team/app", Digest: exampleImage().Digests}}
	predicate, predicateType, err := vex.EncodePredicate(doc, subjects)
	if err != nil {
		log.Fatal(err)
	}
	p, err := vex.ReadPredicate("attestation", predicateType, predicate, subjects)
	fmt.Println(predicateType, len(p.VEX.Statements), err)

	_, err = vex.ReadPredicate("attestation", "https://example.com/vex", predicate, subjects)
	fmt.Println(err)
	// Output:
	// https://openvex.dev/ns/v0.2.0 1 <nil>
	// read OpenVEX: attestation: predicateType: invalid: got "https://example.com/vex", want https://openvex.dev/ns/v0.2.0 (OpenVEX 18)
}

func ExampleMatch() {
	image := exampleImage()
	asked := image
	asked.Subcomponents = nil
	fmt.Println(vex.Match(image, asked).OK()) // a statement on libssl3 is not about the whole image
	m := vex.Match(image, image)
	fmt.Println(m.OK(), m.Product, m.Component)
	// Output:
	// false
	// true digest purl
}

func ExampleStatusOf() {
	first := exampleDocument()
	d := vex.Edit(first, vex.Options{Time: issued.AddDate(0, 0, 7)})
	d.Affected("CVE-2026-0001", "Upgrade to 1.4.2.", exampleImage())
	second, err := d.Build()
	if err != nil {
		log.Fatal(err)
	}
	docs := []*assay.VEX{second, first}
	for _, days := range []int{-1, 0, 7} {
		a := vex.StatusOf(docs, exampleImage(), assay.Vulnerability{ID: "CVE-2026-0001"}, issued.AddDate(0, 0, days))
		fmt.Printf("day %d: %q\n", days, a.Status)
	}
	// Output:
	// day -1: ""
	// day 0: "not_affected"
	// day 7: "affected"
}

func ExampleNewTimeline() {
	line := vex.NewTimeline([]*assay.VEX{exampleDocument()}, issued)
	for _, id := range []assay.VulnID{"CVE-2026-0001", "CVE-2026-0002"} {
		fmt.Printf("%s %q\n", id, line.Status(exampleImage(), assay.Vulnerability{ID: id}).Status)
	}
	// Output:
	// CVE-2026-0001 "not_affected"
	// CVE-2026-0002 ""
}

// Older statements spell the type of the predicate otherwise; both carry the same.
func ExampleEncodePredicateAs() {
	subjects := []assay.Subject{{Name: "registry.example/team/app", Digest: exampleImage().Digests}}
	for _, t := range []assay.PredicateType{assay.PredicateOpenVEX, "https://openvex.dev/ns", "https://example.com/vex"} {
		predicate, err := vex.EncodePredicateAs(exampleDocument(), subjects, t)
		fmt.Println(vex.IsPredicateType(t), len(predicate) > 0, err)
	}
	// Output:
	// true true <nil>
	// true true <nil>
	// false false write OpenVEX: https://openvex.dev/docs/public/vex-54e36f6bb834dc185105fac8179ab86d8b6230102ea453dad5e88f1b90d0fa93: predicateType: invalid: got "https://example.com/vex", want https://openvex.dev/ns/v0.2.0 or https://openvex.dev/ns (OpenVEX 18)
}
