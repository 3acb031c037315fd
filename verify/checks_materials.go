package verify

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/assaykit/assay"
)

// packageDigests are the types of packages whose digests are of the archive as it was
// published, so that a material and a component of one package can be compared. The
// digest of a Go module is that of go.sum; others are of its zip, or of a program.
var packageDigests = []string{"alpm", "apk", "cargo", "composer", "deb", "gem", "golang", "maven", "npm", "nuget", "pypi", "rpm"}

// artifactQualifiers tell the archives of one version of a package apart.
var artifactQualifiers = []string{"arch", "classifier", "file_name", "platform", "type"}

// releases is what one side says of a package: all that it names of it, by version.
type releases map[string][]named

type named struct {
	purl   assay.PURL
	digest assay.DigestSet
}

// packages sorts what has a package URL with a version.
type packages map[assay.PURL]releases

func (p packages) add(purl assay.PURL, digest assay.DigestSet) {
	if purl.IsZero() || purl.Version() == "" {
		return
	}
	key := purl.Package()
	if p[key] == nil {
		p[key] = releases{}
	}
	p[key][purl.Version()] = append(p[key][purl.Version()], named{purl, digest})
}

// materials answers whether provenance and inventory agree on what went in, in both
// directions. A package that both name is of a version that both name, and of one digest
// where both state one by the same algorithm; else they contradict each other. What only
// one of them names is listed: a build needs more than what it ships, and a base image
// brings what is no material by itself. Packages of the layers of a proven base are
// therefore not held against the materials.
func (c *subjectCase) materials() Check {
	t := newTally(CheckMaterials)
	image := packages{}
	for _, inv := range c.inventories() {
		for i := range inv.Components {
			if comp := &inv.Components[i]; !c.fromBase(comp) {
				image.add(comp.PURL, comp.Hashes)
			}
		}
	}
	for _, p := range c.provenances {
		materials := packages{}
		for _, m := range p.Evidence().Materials {
			if purl, err := assay.ParsePURL(m.URI); err == nil && !isImageURI(m.URI) {
				materials.add(purl, m.Digest)
			}
		}
		state, reason, findings := reconcile(materials, image)
		t.add(state, reason, p.Envelope(), findings...)
	}
	return t.done(words{
		holds:   "the packages that both name are the same in provenance and inventory",
		refuted: "provenance and inventory contradict each other",
		open:    "there is nothing to compare",
		nothing: "no provenance was accepted",
	})
}

// reconcile compares the packages of both sides.
func reconcile(materials, image packages) (assay.State, Reason, []string) {
	state, reason := assay.Unknown, NotStated
	var findings []string
	types := map[string]bool{}
	both, onlyMaterials, onlyImage := 0, 0, 0
	differs := func(format string, args ...any) {
		state, reason = assay.Refuted, Contradiction
		findings = append(findings, "differs: "+fmt.Sprintf(format, args...))
	}
	for key, stated := range materials {
		types[key.Type()] = true
		found := image[key]
		if found == nil {
			onlyMaterials++
			findings = append(findings, fmt.Sprintf("material only: %s is not in the inventory, in version %s", key, versions(stated)))
			continue
		}
		both++
		if state == assay.Unknown {
			state, reason = assay.Proven, Holds
		}
		common := 0
		for version, list := range stated {
			if found[version] == nil {
				continue
			}
			common++
			for _, have := range found[version] {
				if problem := disagree(list, have); problem != "" {
					differs("%s", problem)
				}
			}
		}
		if common == 0 {
			differs("%s: the provenance has version %s, the inventory %s", key, versions(stated), versions(found))
			continue
		}
		for version := range found {
			if stated[version] == nil {
				findings = append(findings, fmt.Sprintf("image only: %s in version %s is in no material, which have version %s", key, version, versions(stated)))
			}
		}
	}
	for key, found := range image {
		// Where no material is of a type, the provenance does not speak of it.
		if types[key.Type()] && materials[key] == nil {
			onlyImage++
			findings = append(findings, fmt.Sprintf("image only: %s in version %s is in no material", key, versions(found)))
		}
	}
	if state == assay.Unknown {
		return state, reason, append(findings, "provenance and inventory name no package in common")
	}
	return state, reason, append(findings, fmt.Sprintf("total: %d packages in both, %d in the image only, %d among the materials only", both, onlyImage, onlyMaterials))
}

// disagree says how a component contradicts all materials that may be the same archive,
// or "". Of several archives of one version, any may be what was installed.
func disagree(stated []named, have named) string {
	if !slices.Contains(packageDigests, have.purl.Type()) {
		return ""
	}
	for _, listed := range have.digest {
		if (have.purl.Type() == "golang") != (listed.Algorithm() == assay.DirHash) {
			continue
		}
		var other []string
		same := false
		for _, s := range stated {
			if d := s.digest.Get(listed.Algorithm()); !d.IsZero() && sameArtifact(s.purl, have.purl) {
				other = append(other, d.String())
				same = same || d == listed
			}
		}
		if len(other) > 0 && !same {
			slices.Sort(other)
			return fmt.Sprintf("%s: provenance has %s, the inventory %s", have.purl, strings.Join(slices.Compact(other), ", "), listed)
		}
	}
	return ""
}

// sameArtifact reports whether no qualifier that both have tells them apart.
func sameArtifact(a, b assay.PURL) bool {
	for _, q := range artifactQualifiers {
		if x, y := a.Qualifier(q), b.Qualifier(q); x != "" && y != "" && x != y {
			return false
		}
	}
	return true
}

func versions(p releases) string {
	return strings.Join(slices.Sorted(maps.Keys(p)), ", ")
}

// fromBase reports whether all of a component is in the layers of a proven base.
func (c *subjectCase) fromBase(comp *assay.Component) bool {
	if c.baseLayers == 0 || len(comp.Locations) == 0 || c.contents.inspection == nil {
		return false
	}
	for _, l := range comp.Locations {
		i := slices.IndexFunc(c.contents.layers, func(x inspectedLayer) bool { return x.DiffID == l.Layer })
		if i < 0 || i >= c.baseLayers {
			return false
		}
	}
	return true
}
