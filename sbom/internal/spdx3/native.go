package spdx3

import (
	"github.com/assaykit/assay"
)

var purposes = map[assay.ComponentType]string{
	assay.TypeApplication: "application", assay.TypeFramework: "framework", assay.TypeLibrary: "library", assay.TypeContainer: "container",
	assay.TypePlatform: "platform", assay.TypeOperatingSystem: "operatingSystem", assay.TypeDevice: "device", assay.TypeDeviceDriver: "deviceDriver",
	assay.TypeFirmware: "firmware", assay.TypeFile: "file", assay.TypeModel: "model", assay.TypeData: "data",
}

var typesByPurpose = reversed(purposes)

// typeOf reads a purpose; ok is false where it says something that the model's
// types do not. A package without one is a library, as in SPDX 2.
func typeOf(purpose string) (t assay.ComponentType, ok bool) {
	if t, ok := typesByPurpose[purpose]; ok {
		return t, true
	}
	return assay.TypeLibrary, purpose == ""
}

func purposeOf(t assay.ComponentType) string {
	if p, ok := purposes[t]; ok {
		return p
	}
	return "other"
}

// isFile tells what is written as a software_File, which has no member for a version.
func isFile(c *assay.Component) bool {
	return c.Type == assay.TypeFile && c.Version == "" && c.PURL.IsZero()
}

var algorithms = map[string]assay.Algorithm{
	"md5": assay.MD5, "sha1": assay.SHA1, "sha224": assay.SHA224, "sha256": assay.SHA256, "sha384": assay.SHA384, "sha512": assay.SHA512,
	"sha3_256": assay.SHA3_256, "sha3_384": assay.SHA3_384, "sha3_512": assay.SHA3_512, "blake2b512": assay.BLAKE2B, "blake3": assay.BLAKE3,
}

var algorithmNames = reversed(algorithms)

// sbomTypes are the lifecycles of the model that the format has a word for.
var sbomTypes = map[string]string{
	"design": "design", "pre-build": "source", "build": "build", "post-build": "analyzed", "operations": "deployed",
}

var lifecycles = reversed(sbomTypes)

func reversed[K, V comparable](m map[K]V) map[V]K {
	out := make(map[V]K, len(m))
	for k, v := range m {
		out[v] = k
	}
	return out
}

// relationType is how a type of relationship is read.
type relationType struct {
	kind     assay.RelationKind
	reversed bool // its ends are the other way around
	less     bool // the kind says less than the type
}

var relationTypes = map[string]relationType{
	"dependsOn": {kind: assay.DependsOn}, "contains": {kind: assay.Contains}, "generates": {kind: assay.GeneratedFrom, reversed: true},
	"descendantOf": {kind: assay.DescendantOf}, "ancestorOf": {kind: assay.DescendantOf, reversed: true},
	"hasPrerequisite": {assay.DependsOn, false, true}, "hasStaticLink": {assay.DependsOn, false, true}, "hasDynamicLink": {assay.DependsOn, false, true},
}

// The extension of an element is a list of properties, as CycloneDX has them. One
// of these names holds as JSON what the element has no member for; the names of a
// component's own properties that start like ours are escaped.
const (
	componentNote  = "assay:component/1"
	documentNote   = "assay:document/1"
	propertyEscape = "assay:property:"
)
