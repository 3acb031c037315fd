package assay

import (
	"cmp"
	"strings"
)

// ComponentID identifies a component inside one [SBOM] (CycloneDX bom-ref, SPDX
// SPDXID). It means nothing outside of it.
type ComponentID string

// ComponentType says what a component is, by the words of CycloneDX 1.6.
type ComponentType string

const (
	TypeApplication     ComponentType = "application"
	TypeLibrary         ComponentType = "library"
	TypeFramework       ComponentType = "framework"
	TypeContainer       ComponentType = "container"
	TypeOperatingSystem ComponentType = "operating-system"
	TypeFile            ComponentType = "file"
	TypeFirmware        ComponentType = "firmware"
	TypePlatform        ComponentType = "platform"
	TypeDevice          ComponentType = "device"
	TypeDeviceDriver    ComponentType = "device-driver"
	TypeModel           ComponentType = "machine-learning-model"
	TypeData            ComponentType = "data"
	TypeCrypto          ComponentType = "cryptographic-asset"
)

// Component is a part of an image: a package, a module, a file, the operating
// system, the image itself.
type Component struct {
	ID      ComponentID   `json:"id"`
	Type    ComponentType `json:"type"`
	Name    string        `json:"name"`
	Version string        `json:"version,omitempty"`
	// PURL is what joins with other documents; zero where no package manager or
	// registry names the component.
	PURL PURL     `json:"purl,omitzero"`
	CPEs []string `json:"cpes,omitempty"`
	// Licenses are in the order of their text; several mean all of them apply.
	Licenses []License `json:"licenses,omitempty"`
	// Hashes are of the component as distributed or installed, where known.
	Hashes DigestSet `json:"hashes,omitempty"`
	// Supplier is who distributes it: a distribution's maintainer field, a vendor.
	Supplier string `json:"supplier,omitempty"`
	// Creator is who made it, as opposed to who distributes it: a name, and in angle
	// brackets an email address or a URL, where known: "Jane Doe <jane@example.com>".
	Creator     string `json:"creator,omitempty"`
	Description string `json:"description,omitempty"`
	// Source names the source package and its version where the ecosystem builds
	// several packages of one source, because advisories are about the source.
	Source SourcePackage `json:"source,omitzero"`
	// Locations are where it was found, sorted.
	Locations []Location `json:"locations,omitempty"`
	// References are places that say more of it, or have it, sorted.
	References []Reference `json:"references,omitempty"`
	// FoundBy names the cataloger: "dpkg", "apk", "go", "npm".
	FoundBy string `json:"foundBy,omitempty"`
	// Properties are further facts by name, such as a Go module's "h1:" sum. Names
	// are namespaced with colons, as CycloneDX property names are.
	Properties map[string]string `json:"properties,omitempty"`
}

// SourcePackage is what a binary package was built from.
type SourcePackage struct {
	Name    string `json:"name"`
	Version string `json:"version,omitempty"`
}

// Location is a file of the image, and the layer that brought it.
type Location struct {
	// Layer is the diffID (digest of the uncompressed layer); zero for a folder.
	Layer Digest `json:"layer,omitzero"`
	// Path is slash-separated, relative to the root of the image. It is UTF-8: other
	// bytes are written as [EscapePath] does.
	Path string `json:"path"`
}

// Compare orders locations by path, then layer.
func (l Location) Compare(o Location) int {
	return cmp.Or(cmp.Compare(l.Path, o.Path), l.Layer.Compare(o.Layer))
}

// License is one licence of a component. One of Expression and Name is set.
type License struct {
	// Expression is a valid SPDX licence expression.
	Expression string `json:"expression,omitempty"`
	// Name is a statement that is not a valid SPDX expression, as it was found.
	Name string `json:"name,omitempty"`
	// Concluded tells a licence that the author of the SBOM concluded from one
	// that the component declares.
	Concluded bool `json:"concluded,omitzero"`
}

// RelationKind says how one component relates to another.
type RelationKind string

const (
	// DependsOn: From needs To to be built or to run.
	DependsOn RelationKind = "dependsOn"
	// Contains: To is a part of From.
	Contains RelationKind = "contains"
	// OwnedBy: the files of From are installed by the package To.
	OwnedBy RelationKind = "ownedBy"
	// GeneratedFrom: From was built out of To.
	GeneratedFrom RelationKind = "generatedFrom"
	// DescendantOf: From is a modified To.
	DescendantOf RelationKind = "descendantOf"
)

// Relation is an edge between two components of one [SBOM].
type Relation struct {
	From ComponentID  `json:"from"`
	Kind RelationKind `json:"kind"`
	To   ComponentID  `json:"to"`
}

// Compare orders relations by from, kind, to.
func (r Relation) Compare(o Relation) int {
	// Not by cmp.Or, which compares everything: there are many relations to sort.
	if c := strings.Compare(string(r.From), string(o.From)); c != 0 {
		return c
	}
	if c := strings.Compare(string(r.Kind), string(o.Kind)); c != 0 {
		return c
	}
	return strings.Compare(string(r.To), string(o.To))
}
