// Package scalibr runs the extractors of osv-scalibr (github.com/google/osv-scalibr)
// in the one pass over an image that package sbom makes, for ecosystems that sbom does
// not know.
//
// Start with [New] and put the result into sbom.Options.Catalogers. The package is a
// module of its own, so that nobody else depends on what osv-scalibr depends on.
//
// # What an extractor sees
//
// An extractor gets one file, in memory, and a file system that has that file and
// os-release and nothing else: other files of the image have not been read yet, or
// are in layers that are read at the same time. One that looks for another file does
// not find it. What it would have done with it is lost, as for an extractor that
// reads the licenses from beside a lock file. Extractors that cannot work so are
// refused by [New]: those that want the running system, direct access to its files,
// network or folders, or that are unsafe on hostile files.
//
// # What becomes of its packages
//
// Each is a component with the package URL that osv-scalibr gives, which has other
// qualifiers than those of the built-in catalogers for some ecosystems. An extractor
// for what is built in (dpkg, apk) lists those packages again under other package
// URLs: leave it out, or use it to compare. Dependencies are those that the
// extractor states within one file. Whether an extractor finds all of an ecosystem
// nobody knows, so its completeness is "unknown".
//
// Extractors print by the logger of osv-scalibr, which is set there
// (log.SetLogger).
package scalibr

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"

	"github.com/google/osv-scalibr/extractor"
	"github.com/google/osv-scalibr/extractor/filesystem"
	"github.com/google/osv-scalibr/plugin"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/sbom"
)

// Cataloger is an extractor of osv-scalibr. It implements [sbom.Cataloger].
type Cataloger struct {
	extractor filesystem.Extractor
	name      string
}

var _ sbom.LateCataloger = (*Cataloger)(nil)

// New gives a cataloger that runs the extractor. Components are found by
// "scalibr:" and the extractor's name.
//
// The error is of kind [assay.ErrInvalid] if the extractor needs more than one file.
func New(e filesystem.Extractor) (*Cataloger, error) {
	if e == nil {
		return nil, &assay.Error{Op: "adapt extractor", Kind: assay.ErrInvalid, Field: "extractor", Value: "nil", Bound: "an extractor"}
	}
	// One for any system is what an image of any system can be read by. What an
	// extractor for Linux, say, demands is the system that files are from, not the one
	// that it runs on, unless it wants that too.
	can := &plugin.Capabilities{Network: plugin.NetworkOffline}
	if r := e.Requirements(); r != nil {
		can.OS = r.OS
		if r.OS == plugin.OSUnix {
			can.OS = plugin.OSLinux
		}
	}
	err := plugin.ValidateRequirements(e, can)
	if r := e.Requirements(); err == nil && r != nil && r.ExtractFromDirs {
		err = errors.New("needs folders")
	}
	if err != nil {
		return nil, &assay.Error{Op: "adapt extractor", Kind: assay.ErrInvalid, Field: "extractor", Value: e.Name(), Bound: "one that needs a single file", Err: err}
	}
	return &Cataloger{e, "scalibr:" + e.Name()}, nil
}

// Name implements [sbom.Cataloger].
func (c *Cataloger) Name() string { return c.name }

// Match implements [sbom.Cataloger]. A file that the extractor panics over is
// matched, so that Visit tells of it.
func (c *Cataloger) Match(f sbom.File) (want bool) {
	defer func() {
		if recover() != nil {
			want = true
		}
	}()
	return c.extractor.FileRequired(api{f})
}

// Visit implements [sbom.Cataloger]. It gives [sbom.ErrLater] for files of which the
// extractor wants to know the distribution.
func (c *Cataloger) Visit(ctx context.Context, f sbom.File, content []byte) ([]sbom.Found, error) {
	return c.extract(ctx, &view{file: f, content: content})
}

// VisitLater implements [sbom.LateCataloger].
func (c *Cataloger) VisitLater(ctx context.Context, f sbom.File, content, osRelease []byte) ([]sbom.Found, error) {
	return c.extract(ctx, &view{file: f, content: content, osRelease: osRelease, late: true})
}

// extract turns a panic into an error, because extractors meet files that their
// authors did not think of, and one of them must not end the program.
func (c *Cataloger) extract(ctx context.Context, v *view) (found []sbom.Found, err error) {
	defer func() {
		if p := recover(); p != nil && v.asked {
			found, err = nil, sbom.ErrLater
		} else if p != nil {
			found, err = nil, fmt.Errorf("%s panicked: %v", c.name, p)
		}
	}()
	inv, err := c.extractor.Extract(ctx, &filesystem.ScanInput{
		FS: v, Path: v.file.Path, Info: info{v.file}, Reader: bytes.NewReader(v.content),
	})
	if v.asked {
		return nil, sbom.ErrLater
	}
	if err != nil {
		return nil, err
	}
	byID := map[string]int{}
	for _, p := range inv.Packages {
		if p == nil || p.Name == "" {
			return nil, errors.New("a package without a name")
		}
		if p.ID != "" {
			byID[p.ID] = len(found)
		}
		found = append(found, sbom.Found{Component: component(p)})
	}
	for i, p := range inv.Packages {
		for _, id := range slices.Sorted(maps.Keys(p.ParentIDs)) {
			parent, ok := byID[id]
			if on := found[i].Component.PURL; ok && !on.IsZero() {
				found[parent].DependsOn = append(found[parent].DependsOn, on)
			}
		}
	}
	return found, nil
}

// component is without package URL if what osv-scalibr makes of the package is none:
// one odd name must not hide the rest of a file.
func component(p *extractor.Package) assay.Component {
	c := assay.Component{Type: assay.TypeLibrary, Name: p.Name, Version: p.Version}
	if u := p.PURL(); u != nil && u.Type != "" {
		if parsed, err := assay.NormalizePURL(u.String()); err == nil {
			c.PURL = parsed
		}
	}
	for _, l := range p.Licenses {
		if l != "" && !slices.Contains(c.Licenses, assay.License{Name: l}) {
			c.Licenses = append(c.Licenses, assay.License{Name: l})
		}
	}
	if s := p.SourceCode; s != nil {
		c.Properties = map[string]string{}
		for k, v := range map[string]string{"assay:scalibr:repository": s.Repo, "assay:scalibr:commit": s.Commit} {
			if v != "" {
				c.Properties[k] = v
			}
		}
	}
	return c
}

// api is what an extractor decides on.
type api struct{ file sbom.File }

func (a api) Path() string               { return a.file.Path }
func (a api) Stat() (fs.FileInfo, error) { return info(a), nil }
