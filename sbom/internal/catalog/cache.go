package catalog

import (
	"github.com/assaykit/assay/internal/layers"
	"github.com/assaykit/assay/sbom/internal/catalog/composer"
	"github.com/assaykit/assay/sbom/internal/catalog/gem"
	"github.com/assaykit/assay/sbom/internal/catalog/pacman"
	"github.com/assaykit/assay/sbom/internal/catalog/python"
	"github.com/assaykit/assay/sbom/internal/record"
)

// cacheVersion is raised when a parser makes other facts of the same bytes and their
// types stay. Released versions of the module, and unreleased builds of it, are told
// apart by package sbom besides; this is for those who build with their own.
const cacheVersion = "6"

// factTypes has an example of each type of fact that a visitor keeps. A layer with a
// fact of another type is not cached.
func factTypes() []any {
	return []any{
		[]byte(nil), // retained files
		"",          // of visitors that only say yes
		faulty{},
		dpkgDB{}, fileList(""), sumList(""), diversions(""), copyright(nil),
		apkDB{},
		(*rpmDB)(nil), (*rpmTable)(nil), rpmLogged(nil),
		(*pacman.Package)(nil), pacmanFiles(""),
		opkgDB{}, opkgControl{},
		goBinary{},
		lockFile(nil), manifest(nil), npmArchive{},
		(*python.Package)(nil), (*python.DirectURL)(nil), pyArchive{}, pyRecord(nil), pyRequires{},
		(*gem.Spec)(nil), gemArchive{},
		[]composer.Package(nil),
		javaArchive(nil),
		dotnetDeps{},
		(*program)(nil), home{},
	}
}

// FactCodec keeps facts of one pass, for [layers.Cache].
type FactCodec struct {
	codec  *record.Codec
	budget *budget
}

// FactCodec is for a pass with the visitors of [Catalog.Visitors] but the external
// ones, and others that keep facts of type string.
func (c *Catalog) FactCodec() (*FactCodec, error) {
	codec, err := record.New(factTypes()...)
	if err != nil {
		return nil, err
	}
	return &FactCodec{codec, c.budget}, nil
}

// Version tells apart what facts are and how they are made.
func (c *FactCodec) Version() string { return cacheVersion + " " + c.codec.Fingerprint() }

// Append implements [layers.Codec].
func (c *FactCodec) Append(b []byte, _ string, fact any) ([]byte, error) {
	return c.codec.Append(b, fact)
}

// Decode implements [layers.Codec].
func (c *FactCodec) Decode(_ string, _ *layers.File, s string) (any, error) {
	return c.codec.Decode(s)
}

// Charged implements [layers.Codec].
func (c *FactCodec) Charged(layer int) int64 {
	c.budget.mu.Lock()
	defer c.budget.mu.Unlock()
	return c.budget.taken[layer]
}

// Charge implements [layers.Codec].
func (c *FactCodec) Charge(layer int, n int64) error {
	if err := c.budget.take(&layers.File{Path: "a cached layer", Layer: layer}, int(n)); err != nil {
		_ = c.budget.take(&layers.File{Layer: layer}, -int(n)) // gives it back
		return err
	}
	return nil
}
