package sbom

import (
	"context"
	"errors"
	"slices"
	"unicode"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/layers"
	"github.com/assaykit/assay/sbom/internal/catalog"
)

// Cataloger finds packages that this package does not know, in the one pass over the
// layers, see [Options.Catalogers]. Package sbom/scalibr, a module of its own, makes
// one of any extractor of osv-scalibr.
//
// Files of all layers are matched and visited, those too that an upper layer
// replaced or removed, because a layer is read before that is known: what the
// container sees becomes components, the rest [Contents.History]. Layers are read
// in parallel, so the methods are called from several goroutines at once, in no
// order. A cataloger answers for the one file that it is given and keeps nothing.
//
// Optional abilities are [HeadMatcher], [LateCataloger] and [CompleteCataloger].
type Cataloger interface {
	// Name is what components are found by ([assay.Component.FoundBy]) and what
	// [Skipped] calls it.
	Name() string
	// Match reports whether the content of the regular file is wanted. It is called
	// for all files of all layers, several times for some, so it must be quick. DiffID
	// of the file is not known yet.
	Match(f File) bool
	// Visit gives what is found in the content, which is valid during the call only.
	// A file larger than [Bounds.File] is not visited but listed in
	// [Contents.Skipped]; so is one for which Visit gives an error.
	Visit(ctx context.Context, f File, content []byte) ([]Found, error)
}

// HeadMatcher is a [Cataloger] that knows its files by how they begin.
type HeadMatcher interface {
	Cataloger
	// MatchHead decides on files that Match accepts, by their first 512 bytes. It must
	// not keep head.
	MatchHead(f File, head []byte) bool
}

// ErrLater is what Visit of a [LateCataloger] returns to be asked again.
var ErrLater = errors.New("the distribution must be known first")

// LateCataloger is a [Cataloger] whose packages are named after the distribution,
// which is known when all layers are read. Where its Visit returns [ErrLater] the
// content is kept, which counts against [Options.Memory], and VisitLater is called
// after the pass.
type LateCataloger interface {
	Cataloger
	// VisitLater is Visit with the text of os-release(5) of the merged file system,
	// empty if there is none. Calls do not overlap.
	VisitLater(ctx context.Context, f File, content, osRelease []byte) ([]Found, error)
}

// CompleteCataloger is a [Cataloger] that answers for finding everything of some
// ecosystems. What it finds of others has a completeness of "unknown", unless
// another cataloger makes a statement on it.
type CompleteCataloger interface {
	Cataloger
	// Ecosystems are package URL types, such as "cargo". The components of these are
	// stated to be complete unless something was skipped.
	Ecosystems() []string
}

// Found is one package that a [Cataloger] found in a file.
//
// It becomes a component whose ID is made of its package URL, or of name and
// version if it has none. Finds of one package URL become one component, whoever
// made them: where they differ, those of the built-in catalogers stand, then those
// of the first cataloger in [Options.Catalogers]; digests, licenses, CPEs and
// locations add up. Two whose digests contradict each other stay two.
type Found struct {
	// Component needs a Name. Its Type is by default [assay.TypeLibrary]; ID, FoundBy
	// and Locations are set by the scan.
	Component assay.Component
	// DependsOn are the package URLs of what it depends on, exactly as the components
	// have them. One that is not in the image makes the dependencies of the
	// component's ecosystem incomplete.
	DependsOn []assay.PURL
}

// external checks the caller's catalogers and prepares them for the pass.
func (o Options) external(builtin []layers.Visitor) ([]catalog.External, error) {
	names := map[string]bool{"os-release": true, filesName: true, executablesName: true, archivesName: true}
	for _, v := range builtin {
		names[v.Name()] = true
	}
	var out []catalog.External
	for _, c := range o.Catalogers {
		bad := func(value, bound string) error {
			return &assay.Error{Op: "scan", Kind: assay.ErrInvalid, Field: "Options.Catalogers", Value: value, Bound: bound}
		}
		if c == nil {
			return nil, bad("nil", "a cataloger")
		}
		name := c.Name()
		if name == "" || names[name] {
			return nil, bad(name, "a name that no other cataloger has")
		}
		if slices.ContainsFunc([]rune(name), func(r rune) bool { return r == unicode.ReplacementChar || !unicode.IsPrint(r) }) {
			return nil, bad(name, "a name of printable characters")
		}
		names[name] = true
		out = append(out, externalOf(name, c))
	}
	return out, nil
}

func externalOf(name string, c Cataloger) catalog.External {
	var none Contents
	late, isLate := c.(LateCataloger)
	x := catalog.External{
		Name:  name,
		Match: func(f *layers.File) bool { return c.Match(none.file(f)) },
		Visit: func(ctx context.Context, f *layers.File, content []byte) ([]catalog.Find, bool, error) {
			found, err := c.Visit(ctx, none.file(f), content)
			if isLate && errors.Is(err, ErrLater) {
				return nil, true, nil
			}
			return checked(found, err), false, checkFound(found, err)
		},
		Late: func(ctx context.Context, f *layers.File, content, release []byte) ([]catalog.Find, error) {
			found, err := late.VisitLater(ctx, none.file(f), content, release)
			return checked(found, err), checkFound(found, err)
		},
	}
	if h, ok := c.(HeadMatcher); ok {
		x.Head = func(f *layers.File, head []byte) bool { return h.MatchHead(none.file(f), head) }
	}
	if e, ok := c.(CompleteCataloger); ok {
		x.Ecosystems = e.Ecosystems()
	}
	return x
}

// checkFound refuses finds that nobody could refer to.
func checkFound(found []Found, err error) error {
	if err != nil {
		return err
	}
	for i := range found {
		if found[i].Component.Name == "" {
			return &assay.Error{Op: "catalog", Kind: assay.ErrInvalid, Field: "Found.Component.Name", Value: found[i].Component.PURL.String(), Bound: "a name"}
		}
	}
	return nil
}

func checked(found []Found, err error) []catalog.Find {
	if err != nil {
		return nil
	}
	out := make([]catalog.Find, 0, len(found))
	for _, f := range found {
		out = append(out, catalog.Find(f))
	}
	return out
}
