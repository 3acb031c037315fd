// Package vex writes, reads and evaluates OpenVEX documents: who says that which
// product is, or is not, affected by which vulnerability, and why.
//
// # Where to start
//
// Author a document with [New], add statements, and [Draft.Build] it:
//
//	app, err := vex.ImageProduct(digest, "registry.example/team/app")
//	d := vex.New("security@example.com", vex.Options{})
//	d.NotAffected("CVE-2026-0001", assay.VulnerableCodeNotPresent, app).Notes("built without the parser")
//	d.Affected("CVE-2026-0002", "Upgrade to 1.4.2.", app)
//	doc, err := d.Build()
//	data, err := vex.Encode(doc)
//
// Read one with [Read], or with [ReadPredicate] where it travels in an in-toto
// statement; [ReadCSAF] and [ReadCycloneDX] read the other formats, [EncodeCSAF] and
// [EncodeCycloneDX] write them, and [ReadGovulncheck] mends what govulncheck writes.
// Ask what holds for a product at a time with [StatusOf], or of many with a
// [Timeline]: of a component, on all ways through an SBOM that lead to it, with
// [Timeline.StatusIn]; what is overdue, with [Timeline.Stale]; who disagrees, with
// [Timeline.Contradictions]. Add to a document, or correct it, with [Edit]; bring
// many together with [Merge]; check that somebody else's new version is a fair
// successor of the old with [CheckUpdate]. Package vex/triage holds statements against
// findings and contents.
//
// The typed document is [assay.VEX]. Its statements are complete: what they inherit
// from the document is filled in when it is read, and written out when it is
// written, so no later edit of the document's own time can change what an old
// statement said.
//
// # What is promised
//
//   - Nothing is written that breaks a rule below, and nothing that breaks one is
//     read without an error or a [Warning] that names it in its Rule: "OpenVEX 8".
//     What [Encode] writes is valid under the JSON schema of v0.2.0.
//   - The same document and the same clock give the same bytes, identifier included.
//   - JSON with repeated or unknown members, nulls, trailing data, or beyond 512 MiB
//     or 128 levels is refused.
//   - Unknown is not "not affected": where statements tie, the worst one counts; a
//     statement about a part says nothing of the whole; a digest that differs
//     overrules a name that agrees. MD5 and SHA-1 match nothing.
//
// # Rules
//
// S is the specification v0.2.0 (OPENVEX-SPEC.md), J its JSON schema, A is
// ATTESTING.md. "Odd" marks what [Read] accepts with a Warning, because documents
// in circulation have it, and [Encode] refuses.
//
//	OpenVEX 1   S    @context is https://openvex.dev/ns/v0.2.0; without a version, or with
//	                 v0.0.1, the document is read by the rules of that version. Others are
//	                 refused. v0.2.0 structs under an unversioned @context are a Warning
//	OpenVEX 2   S J  @id of the document is an absolute IRI; so is every other @id (odd)
//	OpenVEX 3   S    author is not blank
//	OpenVEX 4   S J  the document has a timestamp; timestamps are RFC 3339, years 1 to 9999
//	OpenVEX 5   S J  version is 1 or more, and rises with any change (Edit, CheckUpdate); a
//	                 statement's version too, where it has one
//	OpenVEX 6   J    1 or more statements; statements, products, subcomponents and aliases
//	                 are unique; unknown members and nulls are refused
//	OpenVEX 7   S    status is one of the four labels
//	OpenVEX 8   S    not_affected has one of the five justifications, or an impact statement
//	                 (a Warning: no program can act on it). With another status they are
//	                 a Warning
//	OpenVEX 9   S    affected has an action statement. With another status it is a Warning
//	OpenVEX 10  S    every statement is complete: vulnerability, status, time, product. A
//	                 missing product is a Warning of Read, because a predicate inherits it
//	                 (see rule 17); Encode refuses it
//	OpenVEX 11  S    the statement's own time and products go before inherited ones
//	OpenVEX 12  S    editing keeps the times of statements that are not touched
//	OpenVEX 13  S    vulnerability.name is there; names and aliases parse as assay.VulnID
//	OpenVEX 14  S J  hash labels are those of Appendix A, values their hexadecimal digests
//	                 (an "alg:" prefix or upper case is a Warning, and repaired); identifiers
//	                 are purl, cpe22 and cpe23, one of each, and parse. A purl whose digest
//	                 differs from the hashes, or an @id "pkg:" that is no purl, is odd
//	OpenVEX 15  S≠J  a product has an @id or an identifier; S allows hashes alone, J does
//	                 not, so that is odd
//	OpenVEX 16  S    later statements override earlier ones, and keep what only those say
//	                 (StatusOf says how, and what happens to ties)
//	OpenVEX 17  A    in a predicate, statements without product are about the subjects;
//	                 products that are no subject are ignored when read (InheritSubjects)
//	                 and refused when written (EncodePredicate)
//	OpenVEX 18  A    predicate types read are https://openvex.dev/ns/v0.2.0,
//	                 https://openvex.dev/ns and text/vex; the first is written, or the
//	                 second where it is asked for (EncodePredicateAs)
//
// That the author is who signed (rule 17, SHOULD) is for package verify to decide.
package vex
