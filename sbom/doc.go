// Package sbom makes, reads, writes and compares inventories of container images.
//
// # Where to start
//
//   - [Scan] makes the SBOM of an image in one pass over its layers, [ScanFolder]
//     that of a folder; [Contents].SBOM is the inventory. Package sbom/image opens
//     images wherever they are.
//   - [Encode] and [Write] write an SBOM as CycloneDX 1.4 to 1.7 in JSON and XML,
//     SPDX 2.2 and 2.3 in JSON and tag-value, or SPDX 3.0.1; [WriteTable] for people.
//   - [Read] and [ReadFile] read one, told by its content: CycloneDX 1.2 to 1.7
//     in JSON and 1.0 to 1.7 in XML, and SPDX 2.2, 2.3 and 3.0.1.
//   - [Compare] tells a claimed SBOM from what is really there, [Diff] what changed
//     from one to another.
//   - [Convert], [Merge] and [Filter] make documents of documents, [ScanIndex] one of
//     all platforms of an index; [EncodeOptions].MaxBytes keeps one small.
//   - [ProveBase] tells whether an image was built on another, and a [Cache] spares
//     reading layers that were read before. [Options.TrustTOC] lets a scan fetch only
//     what it needs of eStargz and zstd:chunked layers, at a price.
//   - [Check] holds an SBOM against the minimum elements of a standard.
//
// # What is promised
//
// An SBOM that is written and read again is the same SBOM, in every format, and so
// from any of them to any other. What a format has no member for is kept in the ways it
// has for extensions, below. What cannot be kept is told: [Loss].
//
// The same contents give the same bytes, whatever the order they are in; nothing
// random and no clock is in them.
//
// A document is read strictly or not at all. Refused are, with the JSON pointer of
// the offence: JSON that two readers could read differently (repeated names,
// trailing data); members and values that the format does not know where they
// stand; absent required members; references that are defined twice or not at all;
// digests whose length is not that of their algorithm, and two that contradict each
// other; purls that are none; licence ids that are not on the SPDX list; and
// extensions of ours that say otherwise than the document's own members, so that
// nobody can sign one document that says different things to different readers.
//
// A document of CycloneDX is held to the grammar of its own version, in all of its
// parts. Not checked are addresses (of the web and of mail), the values of $schema, of
// algorithmFamily and of ellipticCurve, and that whole objects do not repeat. Not
// checked in SPDX is what is inside of snippets, crossRefs and artifactOfs, which are
// left out of the SBOM and reported. A licence expression that is not valid is read
// as a name, and reported.
//
// XML is held to the same, and to the order of the elements; attributes that are there
// twice, prefixes that are not declared and document types (and with them entities)
// are refused. Errors name the place by its JSON pointer, or where there is none by
// the elements and the line.
//
// The typed SBOM is a view. The bytes of a document that was signed are the
// evidence, and remain with the caller.
//
// What a document of CycloneDX says beyond the model (services, vulnerabilities,
// annotations, formulation, pedigree and all else that
// [ReadReport] tells) is carried along in [assay.SBOM].Rest, and written again by
// [Encode] in every version and encoding of CycloneDX that has it. A document that is
// read and written in its own version and encoding loses nothing. What is not of
// CycloneDX in XML, elements and attributes of other namespaces, is carried to XML.
//
// # What a scan reads of each ecosystem
//
// Names and versions are read of all. "By folder" means that no list of files is kept,
// and all below the package's folder is taken for its own. Every ecosystem has a history
// ([Contents].History: what a lower layer holds and an upper one removes or replaces) and
// a statement of completeness of its components and of its dependencies, which is
// "incomplete" where something could not be read, or a dependency that is stated and not
// optional was not found.
//
//	purl      read                                        licences       files                         dependencies
//	deb       dpkg: status, status.d                      copyright      info/*.list, *.md5sums        Pre-Depends, Depends; Provides
//	apk       lib/apk/db/installed                        L              F, R                          D; p, commands, libraries, paths
//	rpm       Packages, Packages.db, rpmdb.sqlite and     License        the header's                  Requires (rich ones too); Provides,
//	          its log                                                                                  paths
//	alpm      pacman: local/*/desc                        %LICENSE%      files                         %DEPENDS%; %PROVIDES%
//	opkg      status, info/*.control                      License        info/*.list                   Depends; Provides
//	golang    build information of executables            not stated     the executable                of the executable alone: incomplete
//	npm       package.json in node_modules; archives in   license        by folder                     dependencies, optional and peer ones, as
//	          .yarn/cache and .yarn/berry/cache                                                        Node.js finds them; of archives by yarn.lock
//	pypi      *.dist-info, *.egg-info, *.whl, *.egg       License,       RECORD, installed-files.txt   Requires-Dist with markers and extras,
//	                                                      classifiers                                  requires.txt
//	gem       specifications/*.gemspec, checkouts         licenses       by folder                     runtime dependencies
//	composer  vendor/composer/installed.json              license        by folder                     require; provide, replace
//	maven     archives (jar, war, ear …), nested: pom,    pom, manifest  the archive                   the pom's, in the same archive or folder
//	          manifest, name
//	nuget     *.deps.json                                 not stated     runtime, native, resources    dependencies
//	cargo     audit data of executables                   not stated     the executable                as recorded
//	generic   texts and notes in executables, release     not stated     the executables               nothing states them: incomplete
//	          and VERSION of runtimes
//
// Lifecycle is "post-build": what is listed is what is in the image. What only a lock
// file names has the property "assay:lifecycle" with "pre-build", see
// [Options.LockFiles]. What the distribution itself depends on is stated to be unknown.
//
// # How the model is read from CycloneDX
//
// A component's group and name become one name, joined by "/". Nested components
// become a flat list with "contains" relations. A component without a bom-ref gets
// its JSON pointer as its id, after "#". Legacy tools are read as those of 1.5. Of
// the lifecycles the first is read. Services and all that is about them are left
// out.
//
// # Extensions in CycloneDX
//
// Locations are evidence.occurrences, with the layer's diffID in
// additionalContext. Statements of completeness are compositions; one about the
// whole document or about an ecosystem lists what it amounts to, and is itself in
// the bom-ref, as "assay:completeness:AGGREGATE:SCOPE@COMPONENT". Where all
// dependencies of a component are stated to be known, it is in the dependency
// graph even without any. The rest is in properties:
//
//	assay:layer             of metadata: the diffIDs, bottom first
//	assay:foundBy           the cataloger
//	assay:source:name       the source package
//	assay:source:version
//	assay:cpe               CPEs beyond the first
//	assay:hash:ALGORITHM    digests of algorithms that CycloneDX does not have
//	assay:relation:KIND     a relation other than dependsOn, to the bom-ref that is the value
//	assay:property:NAME     a property of the component whose name is one of these
//
// References are externalReferences. A component's Creator is its manufacturer, with
// the address of mail or of the web that is in it; its author, in versions before 1.6.
// The last author of the document is metadata.manufacturer if it has an address of the
// web, which authors cannot have. The BSI's properties of files and of the effective
// licence are properties of the component under the BSI's names.
//
// A licence expression is written as such only where it is the component's only
// licence, as versions before 1.7 have it; among others it is a license of that name.
//
// Types of references that a version does not know are written as other. Versions
// before 1.6 do not have the layers of locations, and that a license was
// concluded; those before 1.5 no locations, no lifecycle, and statements of
// completeness about single components only. Types that they do not know are written
// as others. Each is a [Loss].
//
// The SBOM has nothing of the format's namespaces: JSON and XML that say the same
// give the same SBOM.
//
// # How the model is read from SPDX
//
// Packages and files are components. What the document describes is the root, if it
// is one. A relationship that the model knows under another name, or the other way
// around, is read as that; one that says more, such as a static link, is read as
// dependsOn and reported. In tag-value, files that follow a package are in it.
// Errors and losses of a tag-value document name the line, and the JSON pointer that
// the value would have.
//
// SPDX 3 is read in whatever order and form its graph is: objects inline or by
// reference, one value or a list of one, classes and values as names or IRIs of the
// model, prefixes that the context defines. References to elements of other documents
// are reported, and so are classes that are not of SPDX 3. The IRI of the document is
// the Serial, and the ids of components are those of their IRIs after it and "#";
// other IRIs are ids as they are. Completeness of the relationships contains and
// dependsOn is that of the component.
//
// # Extensions in SPDX 2
//
// Every component is a package, with its id as SPDXID where that is possible; one of
// type file is a file if it has a SHA-1, which SPDX asks for, and neither version,
// purl, CPEs nor supplier, for which files have no member. Statements that are no
// licence expression are LicenseRefs with their text. A website is the homepage, what
// can be downloaded the downloadLocation, the Creator the originator; other references
// are externalRefs of category OTHER with the model's type, advisories of SECURITY. SPDX 2
// has no digests of what is elsewhere; such references are written without, and with
// them in the annotation. The image is what the document
// DESCRIBES; a document without a root describes all its packages. The relation
// ownedBy, and kinds of the caller's own, are OTHER with "assay:relation:KIND" as
// comment, the kind as a JSON string where it could not stand there as it is. The
// rest is JSON in one annotation by "Tool: assay" of each package and file, after
// "assay:component/1 ":
//
//	id, type, name, version, supplier, creator, description, licenses
//	                                only where the element's own members give others
//	cpes                            that a tag-value document cannot hold
//	hashes                          of algorithms that SPDX does not have
//	references                      with digests, and those of files
//	source, locations, foundBy, properties
//
// and of the document, after "assay:document/1 ": noRoot, version, creators (only
// where the creators give others), lifecycle, completeness and layers. Tag-value has
// no way to escape line ends, control characters and "</text>": values with them are
// written with spaces there, and as they are in the annotation.
//
// SPDX 2.2 has no purpose of a package and fewer algorithms of digests: what it lacks is
// in the annotation. A document of 2.2 is held to what both of its schemas require.
//
// Persons and organizations are one thing to the model: authors with an email
// address are written as Person, others as Organization.
//
// # Extensions in SPDX 3
//
// A document is in the canonical serialization, without indentation. Components are
// software_Package, those of type file without version and purl software_File.
// Statements that are no licence expression are texts, with an expression that maps
// its LicenseRef to them. All that a component relates to in one way is one
// relationship. It says how complete it is where the SBOM states that of
// dependencies, or of what a component contains; where all dependencies of a
// component are known and there are none, it depends on NoneElement. The lifecycle is
// the sbomType where there is one: pre-build is source, post-build analyzed,
// operations deployed. GeneratedFrom is written the other way around, as generates;
// ownedBy and other kinds as in SPDX 2. Properties, and the rest as JSON under the
// same names as in SPDX 2, are CdxPropertiesExtension:
//
//	assay:component/1       of a package or file: type, cpes, hashes, source, locations, references, foundBy
//	assay:document/1        of the document
//	assay:property:NAME     a property of the component whose name is one of these
//
// A component's Creator is its originatedBy, a website its homePage, what can be
// downloaded its downloadLocation; other references are externalRefs of the type that
// means the same (source-distribution is sourceArtifact, rfc-9116 securityOther). What is
// known of a component as a file, by the BSI's properties or by a reference of type
// distribution with digests, is a software_File that it hasDistributionArtifact, as BSI
// TR-03183-2 maps it (8.2): its name, digests, binaryArtifact and additional purposes,
// with the guideline's comment where the purposes say all. Such a file of one component
// alone is read as that, and is no component. Where the source is is on the package
// itself: SoftwareArtifact, which the guideline names, is abstract.
//
// A document without authors names the SoftwareAgent assay as its creator, because
// there must be one.
package sbom
