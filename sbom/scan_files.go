package sbom

import (
	"bytes"
	"context"
	"maps"
	"path"
	"slices"
	"strconv"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/layers"
	"github.com/assaykit/assay/sbom/internal/catalog"
	"github.com/assaykit/assay/sbom/internal/catalog/golang"
)

// The names of the visitors for [Options.Files]; components are found by the first.
const (
	filesName       = "files"
	executablesName = "files/executable"
	archivesName    = "files/archive"
)

// The properties of files, as the BSI names them for CycloneDX (TR-03183-2 v2.1.0,
// 8.2, and the property taxonomy that it refers to).
const (
	propFilename   = "bsi:component:filename"
	propExecutable = "bsi:component:executable"
	propArchive    = "bsi:component:archive"
	propStructured = "bsi:component:structured"
)

// visitors are those of the catalog, and those of files if they are wanted.
func (o Options) visitors(c *catalog.Catalog) []layers.Visitor {
	out := c.Visitors()
	if o.Files {
		out = append(out, hashVisitor{}, magicVisitor{executablesName, isExecutable}, magicVisitor{archivesName, isArchive})
	}
	if o.SHA512 {
		out = append(out, sha512Visitor{})
	}
	return out
}

// hashVisitor has every regular file hashed. The digests are in the tree.
type hashVisitor struct{}

func (hashVisitor) Name() string { return filesName }

func (hashVisitor) Match(f *layers.File) layers.Want {
	if f.Type != layers.Regular {
		return layers.WantNothing
	}
	return layers.WantHash | layers.WantAnyName
}

func (hashVisitor) Visit(context.Context, *layers.File, layers.Content) (any, error) {
	return nil, nil
}

// magicVisitor keeps which files begin as those of one kind do.
type magicVisitor struct {
	name string
	is   func(head []byte) bool
}

func (v magicVisitor) Name() string { return v.name }

func (magicVisitor) Match(f *layers.File) layers.Want {
	if f.Type != layers.Regular || f.Size < 4 {
		return layers.WantNothing
	}
	return layers.WantPeek | layers.WantAnyName
}

func (v magicVisitor) Peek(_ *layers.File, head []byte) layers.Want {
	if v.is(head) {
		return layers.WantVisit
	}
	return layers.WantNothing
}

func (v magicVisitor) Visit(context.Context, *layers.File, layers.Content) (any, error) {
	return v.name, nil
}

// isExecutable knows programs and libraries of Linux, Windows and macOS, and scripts
// that name their interpreter.
func isExecutable(head []byte) bool {
	return golang.IsExecutable(head) || bytes.HasPrefix(head, []byte("#!"))
}

// isArchive knows archives whose format says so in the first bytes: zip with its
// relatives, tar, ar (deb among them), rpm, cpio, 7z and xar. What is in a compressed
// file is not looked at.
func isArchive(head []byte) bool {
	for _, magic := range []string{"PK\x03\x04", "!<arch>\n", "\xed\xab\xee\xdb", "070701", "070702", "7z\xbc\xaf\x27\x1c", "xar!"} {
		if bytes.HasPrefix(head, []byte(magic)) {
			return true
		}
	}
	return len(head) > 262 && string(head[257:262]) == "ustar"
}

// addFiles adds a component for each regular file of the merged tree that is none
// yet, as executables that no package claims are, and its relation to the package
// that installed it, or to the root. What a file is is said where its first bytes
// prove it; that it is no executable or no archive never is, because a script or a
// self-extracting program need not look like one.
func addFiles(c *Contents) {
	root := c.SBOM.Root.ID
	taken := map[assay.ComponentID]int{root: 1}
	listed := make(map[string]int) // files that the catalog lists already, by path
	for i := range c.SBOM.Components {
		file := &c.SBOM.Components[i]
		taken[file.ID] = 1
		if file.Type == assay.TypeFile && file.PURL.IsZero() {
			for _, l := range file.Locations {
				listed[l.Path] = i
			}
		}
	}
	kinds := make(map[string][2]bool)
	for i, name := range []string{executablesName, archivesName} {
		for _, f := range c.res.Facts(name) {
			k := kinds[f.Path]
			k[i] = true
			kinds[f.Path] = k
		}
	}
	for f := range c.res.Tree.All() {
		if f.Type != layers.Regular {
			continue
		}
		name := assay.EscapePath(f.Path)
		says := map[string]string{propFilename: path.Base(name)}
		if kinds[f.Path][0] {
			says[propExecutable] = "executable"
		}
		if kinds[f.Path][1] {
			says[propArchive], says[propStructured] = "archive", "structured"
		}
		if i, ok := listed[name]; ok {
			file := &c.SBOM.Components[i]
			maps.Copy(says, file.Properties)
			file.Properties = says
			if file.Hashes.Get(assay.SHA256).IsZero() && !f.SHA256().IsZero() {
				file.Hashes = append(slices.Clone(file.Hashes), f.SHA256())
				slices.SortFunc(file.Hashes, assay.Digest.Compare)
			}
			continue
		}
		file := assay.Component{ID: freeFileID(name, taken), Type: assay.TypeFile, Name: name, FoundBy: filesName, Properties: says}
		if d := f.SHA256(); !d.IsZero() {
			file.Hashes = assay.DigestSet{d}
		}
		at := assay.Location{Path: name}
		if f.Layer >= 0 && f.Layer < len(c.Layers) {
			at.Layer = c.Layers[f.Layer].DiffID
		}
		file.Locations = []assay.Location{at}
		c.SBOM.Components = append(c.SBOM.Components, file)
		if owner, ok := c.inv.Owner(f); ok {
			c.SBOM.Relations = append(c.SBOM.Relations, assay.Relation{From: file.ID, Kind: assay.OwnedBy, To: owner})
		} else {
			c.SBOM.Relations = append(c.SBOM.Relations, assay.Relation{From: root, Kind: assay.Contains, To: file.ID})
		}
	}
}

// freeFileID counts where another component has the id of the file.
func freeFileID(name string, taken map[assay.ComponentID]int) assay.ComponentID {
	base := assay.ComponentID("file:" + name)
	id := base
	for taken[id] > 0 {
		taken[base]++
		id = base + "#" + assay.ComponentID(strconv.Itoa(taken[base]))
	}
	taken[id] = 1
	return id
}
