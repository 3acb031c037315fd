package cyclonedx

import (
	"encoding/hex"
	"regexp"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/assaykit/assay/sbom/internal/license"
	"github.com/assaykit/assay/sbom/internal/shape"
)

// Labels of strings that the walk hands over.
const (
	labelDefined = "bom-ref"   // defines a reference
	labelUsed    = "reference" // must be defined in the document
)

var (
	serialPattern = regexp.MustCompile(`^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)
	mimePattern   = regexp.MustCompile(`^[-+a-z0-9.]+/[-+a-z0-9.]+$`)
)

func isTime(s string) bool {
	_, err := time.Parse(time.RFC3339, s)
	return err == nil
}

func isDigest(s string) bool {
	switch len(s) {
	case 32, 40, 64, 96, 128:
		_, err := hex.DecodeString(s)
		return err == nil
	}
	return false
}

func nonEmpty(s string) bool { return s != "" }

// grammar is CycloneDX 1.6 (ECMA-424), and what 1.2 to 1.5 have besides. Members
// that an earlier version does not know are accepted in it.
//
// What is inside of modelCard, cryptoProperties, formulation, declarations,
// definitions and signature is not checked.
var grammar = sync.OnceValue(func() *shape.Node {
	type m = shape.Members
	str, flag, drop := shape.String(), shape.Bool(), shape.Drop
	strs := shape.List(str)
	opaque := drop(shape.Any())
	ref := shape.Text("a reference of one character or more", nonEmpty)
	defined, used := ref.Label(labelDefined), ref.Label(labelUsed)
	instant := shape.Text("a date and time of RFC 3339", isTime)
	version := shape.Text("at most 1024 characters", func(s string) bool { return utf8.RuneCountInString(s) <= 1024 })
	property := shape.Object(m{"name!": str, "value": str})
	properties := shape.List(property)

	attachment := shape.Object(m{"contentType": str, "encoding": shape.Enum("base64"), "content!": str})
	contact := shape.Object(m{"bom-ref": drop(defined), "name": str, "email": str, "phone": drop(str)})
	address := shape.Object(m{"bom-ref": defined, "country": str, "region": str, "locality": str, "postOfficeBoxNumber": str, "postalCode": str, "streetAddress": str})
	entity := shape.Object(m{"bom-ref": drop(defined), "name": str, "address": drop(address), "url": drop(strs), "contact": drop(shape.List(contact))})
	hash := shape.Object(m{
		"alg!":     shape.Enum("MD5", "SHA-1", "SHA-256", "SHA-384", "SHA-512", "SHA3-256", "SHA3-384", "SHA3-512", "BLAKE2b-256", "BLAKE2b-384", "BLAKE2b-512", "BLAKE3"),
		"content!": shape.Text("a hexadecimal digest", isDigest),
	})
	hashes := shape.List(hash)
	external := shape.Object(m{"url!": str, "comment": str, "hashes": hashes, "type!": shape.Enum(
		"vcs", "issue-tracker", "website", "advisories", "bom", "mailing-list", "social", "chat", "documentation", "support",
		"source-distribution", "distribution", "distribution-intake", "license", "build-meta", "build-system", "release-notes",
		"security-contact", "model-card", "log", "configuration", "evidence", "formulation", "attestation", "threat-model",
		"adversary-model", "risk-assessment", "vulnerability-assertion", "exploitability-statement", "pentest-report",
		"static-analysis-report", "dynamic-analysis-report", "runtime-analysis-report", "component-analysis-report",
		"maturity-report", "certification-report", "codified-infrastructure", "quality-metrics", "poam",
		"electronic-signature", "digital-signature", "rfc-9116", "other")})
	externals := shape.List(external)

	party := shape.Object(m{"organization": entity, "individual": contact}).ExactlyOne("organization", "individual")
	acknowledgement := shape.Enum(declared, concluded)
	licensing := shape.Object(m{"altIds": strs, "licensor": party, "licensee": party, "purchaser": party, "purchaseOrder": str,
		"licenseTypes": shape.List(shape.Enum("academic", "appliance", "client-access", "concurrent-user", "core-points", "custom-metric", "device",
			"evaluation", "named-user", "node-locked", "oem", "perpetual", "processor-points", "subscription", "user", "other")),
		"lastRenewal": instant, "expiration": instant})
	licenses := shape.List(shape.Object(m{
		"license": shape.Object(m{
			"bom-ref": drop(defined), "id": shape.Text("the id of a licence on the SPDX list", license.IsListed), "name": str,
			"acknowledgement": acknowledgement, "text": drop(attachment), "url": drop(str), "licensing": drop(licensing), "properties": drop(properties),
		}).ExactlyOne("id", "name"),
		"expression": str, "acknowledgement": acknowledgement, "bom-ref": drop(defined),
	}).ExactlyOne("license", "expression"))

	action := shape.Object(m{"timestamp": instant, "name": str, "email": str})
	issue := shape.Object(m{"type!": shape.Enum("defect", "enhancement", "security"), "id": str, "name": str, "description": str,
		"source": shape.Object(m{"name": str, "url": str}), "references": strs})
	patch := shape.Object(m{"type!": shape.Enum("unofficial", "monkey", "backport", "cherry-pick"),
		"diff": shape.Object(m{"text": attachment, "url": str}), "resolves": shape.List(issue)})
	commit := shape.Object(m{"uid": str, "url": str, "author": action, "committer": action, "message": str})
	swid := shape.Object(m{"tagId!": str, "name!": str, "version": str, "tagVersion": shape.Integer(-1 << 53), "patch": flag, "text": attachment, "url": str})
	notes := shape.Object(m{"type!": str, "title": str, "featuredImage": str, "socialImage": str, "description": str, "timestamp": instant,
		"aliases": strs, "tags": strs, "resolves": shape.List(issue),
		"notes":      shape.List(shape.Object(m{"locale": str, "text!": attachment})),
		"properties": properties})
	responsible := shape.Object(m{"organization": entity, "contact": contact}).ExactlyOne("organization", "contact")
	governance := shape.Object(m{"custodians": shape.List(responsible), "stewards": shape.List(responsible), "owners": shape.List(responsible)})
	data := shape.Object(m{"bom-ref": defined, "type!": shape.Enum("source-code", "configuration", "dataset", "definition", "other"), "name": str,
		"contents":       shape.Object(m{"attachment": attachment, "url": str, "properties": properties}),
		"classification": str, "sensitiveData": strs, "graphics": opaque, "description": str, "governance": governance})

	confidence := shape.Between(0, 1)
	identity := shape.Object(m{
		"field!":     shape.Enum("group", "name", "version", "purl", "cpe", "omniborId", "swhid", "swid", "hash"),
		"confidence": confidence, "concludedValue": str, "tools": shape.List(ref),
		"methods": shape.List(shape.Object(m{"technique!": shape.Enum("source-code-analysis", "binary-analysis", "manifest-analysis", "ast-fingerprint",
			"hash-comparison", "instrumentation", "dynamic-analysis", "filename", "attestation", "other"), "confidence!": confidence, "value": str}))})
	position := shape.Integer(0)
	line := shape.Integer(-1 << 53)
	evidence := shape.Object(m{
		"identity": drop(shape.List(identity).Or(identity)),
		"occurrences": shape.List(shape.Object(m{"bom-ref": drop(defined), "location!": str, "line": drop(position), "offset": drop(position),
			"symbol": drop(str), "additionalContext": str})),
		"callstack": drop(shape.Object(m{"frames": shape.List(shape.Object(m{"package": str, "module!": str, "function": str,
			"parameters": strs, "line": line, "column": line, "fullFilename": str}))})),
		"licenses":  drop(licenses),
		"copyright": drop(shape.List(shape.Object(m{"text!": str}))),
	})

	var component shape.Node
	components := shape.List(&component)
	component.Fill(shape.Object(m{
		"type!": shape.Enum(componentTypes...), "mime-type": drop(shape.Text("type/subtype", mimePattern.MatchString)), "bom-ref": defined,
		"supplier": entity, "manufacturer": drop(entity), "authors": drop(shape.List(contact)), "author": drop(str), "publisher": drop(str),
		"group": str, "name!": str, "version": version, "description": str, "scope": drop(shape.Enum("required", "optional", "excluded")),
		"hashes": hashes, "licenses": licenses, "copyright": drop(str), "cpe": str, "purl": str, "omniborId": drop(strs), "swhid": drop(strs),
		"swid": drop(swid), "modified": drop(flag),
		"pedigree": drop(shape.Object(m{"ancestors": components, "descendants": components, "variants": components,
			"commits": shape.List(commit), "patches": shape.List(patch), "notes": str})),
		"externalReferences": drop(externals), "components": components, "evidence": evidence, "releaseNotes": drop(notes),
		"modelCard": opaque, "data": drop(shape.List(data)), "cryptoProperties": opaque, "properties": properties, "tags": drop(strs), "signature": opaque,
	}))

	var service shape.Node
	services := shape.List(&service)
	direction := shape.Enum("inbound", "outbound", "bi-directional", "unknown")
	service.Fill(shape.Object(m{
		"bom-ref": defined, "provider": entity, "group": str, "name!": str, "version": version, "description": str, "endpoints": strs,
		"authenticated": flag, "x-trust-boundary": flag, "trustZone": str,
		"data": shape.List(shape.Object(m{"flow!": direction, "classification!": str, "name": str, "description": str,
			"governance": governance, "source": strs, "destination": strs})),
		"licenses": licenses, "externalReferences": externals, "services": services, "releaseNotes": notes,
		"properties": properties, "tags": strs, "signature": opaque,
	}))

	// Of the components that are tools, name, version and who made them are kept.
	var toolMembers = m{"manufacturer": entity}
	for _, name := range []string{"mime-type", "supplier", "authors", "author", "publisher", "description", "scope", "hashes", "licenses", "copyright", "cpe", "purl",
		"omniborId", "swhid", "swid", "modified", "pedigree", "externalReferences", "components", "evidence", "releaseNotes", "modelCard", "data",
		"cryptoProperties", "properties", "tags", "signature"} {
		toolMembers[name] = drop(component.Member(name))
	}
	for _, name := range []string{"bom-ref", "group", "version"} {
		toolMembers[name] = component.Member(name)
	}
	toolMembers["type!"], toolMembers["name!"] = component.Member("type"), component.Member("name")
	toolMembers["supplier"] = component.Member("supplier")
	tools := shape.Object(m{"components": shape.List(shape.Object(toolMembers)), "services": drop(services)}).
		Or(shape.List(shape.Object(m{"vendor": str, "name": str, "version": version, "hashes": drop(hashes), "externalReferences": drop(externals)})))
	anyTools := shape.Object(m{"components": components, "services": services}).
		Or(shape.List(shape.Object(m{"vendor": str, "name": str, "version": version, "hashes": hashes, "externalReferences": externals})))

	source := shape.Object(m{"url": str, "name": str})
	affected := shape.List(shape.Object(m{"version": version, "range": str, "status": shape.Enum("affected", "unaffected", "unknown")}).ExactlyOne("version", "range"))
	vulnerability := shape.Object(m{"bom-ref": defined, "id": str, "source": source,
		"references": shape.List(shape.Object(m{"id!": str, "source!": source})),
		"ratings": shape.List(shape.Object(m{"source": source, "score": shape.Number(),
			"severity": shape.Enum("critical", "high", "medium", "low", "info", "none", "unknown"),
			"method":   shape.Enum("CVSSv2", "CVSSv3", "CVSSv31", "CVSSv4", "OWASP", "SSVC", "other"), "vector": str, "justification": str})),
		"cwes": shape.List(shape.Integer(1)), "description": str, "detail": str, "recommendation": str, "workaround": str,
		"proofOfConcept": shape.Object(m{"reproductionSteps": str, "environment": str, "supportingMaterial": shape.List(attachment)}).Open(),
		"advisories":     shape.List(shape.Object(m{"title": str, "url!": str})),
		"created":        instant, "published": instant, "updated": instant, "rejected": instant,
		"credits": shape.Object(m{"organizations": shape.List(entity), "individuals": shape.List(contact)}),
		"tools":   anyTools,
		"analysis": shape.Object(m{
			"state": shape.Enum("resolved", "resolved_with_pedigree", "exploitable", "in_triage", "false_positive", "not_affected"),
			"justification": shape.Enum("code_not_present", "code_not_reachable", "requires_configuration", "requires_dependency", "requires_environment",
				"protected_by_compiler", "protected_at_runtime", "protected_at_perimeter", "protected_by_mitigating_control"),
			"response": shape.List(shape.Enum("can_not_fix", "will_not_fix", "update", "rollback", "workaround_available")),
			"detail":   str, "firstIssued": instant, "lastUpdated": instant}),
		"affects":    shape.List(shape.Object(m{"ref!": ref, "versions": affected})),
		"properties": properties})
	annotation := shape.Object(m{"bom-ref": defined, "subjects!": shape.List(ref), "timestamp!": instant, "text!": str, "signature": opaque,
		"annotator!": shape.Object(m{"organization": entity, "individual": contact, "component": &component, "service": &service}).
			ExactlyOne("organization", "individual", "component", "service")})

	return shape.Object(m{
		"$schema": str, "bomFormat!": shape.Enum("CycloneDX"), "specVersion!": shape.Enum(versions...),
		"serialNumber": shape.Text("urn:uuid: and a UUID in lower case", serialPattern.MatchString), "version": shape.Integer(1),
		"metadata": shape.Object(m{
			"timestamp": instant,
			"lifecycles": shape.List(shape.Object(m{
				"phase": shape.Enum(phases...), "name": str, "description": drop(str)}).ExactlyOne("phase", "name")),
			"tools": tools, "manufacturer": drop(entity), "authors": shape.List(contact), "component": &component, "manufacture": drop(entity),
			"supplier": drop(entity), "licenses": drop(licenses), "properties": properties,
		}),
		"components": components, "services": drop(services), "externalReferences": drop(externals),
		"dependencies": shape.List(shape.Object(m{"ref!": used, "dependsOn": shape.List(used), "provides": drop(shape.List(used))})),
		"compositions": shape.List(shape.Object(m{
			"bom-ref": defined,
			"aggregate!": shape.Enum("complete", "incomplete", "incomplete_first_party_only", "incomplete_first_party_proprietary_only",
				"incomplete_first_party_opensource_only", "incomplete_third_party_only", "incomplete_third_party_proprietary_only",
				"incomplete_third_party_opensource_only", "unknown", "not_specified"),
			"assemblies": shape.List(ref), "dependencies": shape.List(str), "vulnerabilities": drop(strs), "signature": opaque})),
		"vulnerabilities": drop(shape.List(vulnerability)), "annotations": drop(shape.List(annotation)), "formulation": opaque,
		"declarations": opaque, "definitions": opaque, "properties": drop(properties), "signature": opaque,
	})
})

var (
	versions       = []string{"1.2", "1.3", "1.4", "1.5", "1.6"}
	phases         = []string{"design", "pre-build", "build", "post-build", "operations", "discovery", "decommission"}
	componentTypes = []string{"application", "framework", "library", "container", "platform", "operating-system", "device", "device-driver",
		"firmware", "file", "machine-learning-model", "data", "cryptographic-asset"}
)
