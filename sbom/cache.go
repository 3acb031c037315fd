package sbom

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime/debug"
	"sync"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/layers"
	"github.com/assaykit/assay/sbom/internal/catalog"
)

// Cache keeps what scans found in layers, so that a layer that several images have,
// or several versions of one image, is read once. [NewMemoryCache] and [NewDiskCache]
// make one; it is used by several goroutines, and by several scans.
//
// A layer is known by its diffID. The manifest's digest vouches for the
// configuration, and that for the diffID, so what was found in bytes of that diffID
// holds for the image. But the blob is neither fetched nor compared with its digest:
// that a registry still has it, and has what the manifest says, is not checked. Of
// such layers [Layer.Cached] is set. To check a signed image leave it out if that
// matters.
//
// The key is made of the diffID, the digests of the modules that the program is built
// of (or of the program itself, if this one is not as it was released), the types of
// the facts, the catalogers in use and [Options.Bounds], so a cache can be shared and
// kept when any of them changes. It is not used with [Options.Catalogers], because
// nothing tells their versions. A cache is trusted: who can write what Get gives decides what a
// scan finds. What goes wrong with it is told to [Options.Logger], and the layer is
// read.
type Cache interface {
	// Get gives what was put under a key, and whether there is something. Data is bytes,
	// not text; it is a string because nobody changes it.
	Get(ctx context.Context, key string) (data string, found bool, err error)
	// Put keeps data under a key, or does not, as there is room.
	Put(ctx context.Context, key, data string) error
}

// cache is what the pass is given, nil if there is none.
func (o Options) cache(ctx context.Context, c *catalog.Catalog) (*layers.Cache, error) {
	if o.Cache == nil {
		return nil, nil
	}
	failed := func(layer int, err error) {
		if o.Logger != nil {
			o.Logger.LogAttrs(ctx, slog.LevelWarn, "cache", slog.Int("layer", layer), slog.Any("error", err))
		}
	}
	if len(o.Catalogers) > 0 {
		failed(-1, &assay.Error{Op: "use cache", Kind: assay.ErrUnchecked, Field: "Options.Catalogers", Value: o.Catalogers[0].Name(),
			Bound: "catalogers whose version is known, those of this module"})
		return nil, nil
	}
	codec, err := c.FactCodec()
	if err != nil {
		return nil, err
	}
	version, err := programVersion()
	if err != nil {
		failed(-1, &assay.Error{Op: "use cache", Kind: assay.ErrUnchecked, Field: "version of the catalogers", Err: err})
		return nil, nil
	}
	return &layers.Cache{Store: o.Cache, Codec: codec, Version: version + " " + codec.Version(), Failed: failed}, nil
}

// programVersion tells apart code that could find other things in the same bytes. It
// does not change while the program runs.
var programVersion = sync.OnceValues(func() (string, error) {
	if info, ok := debug.ReadBuildInfo(); ok {
		if v, ok := modulesVersion(info); ok {
			return v, nil
		}
	}
	// A program that was replaced while it runs is another file by that name.
	f, err := os.Open("/proc/self/exe")
	if err != nil {
		name, err := os.Executable()
		if err != nil {
			return "", err
		}
		if f, err = os.Open(name); err != nil {
			return "", err
		}
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return "program " + hex.EncodeToString(h.Sum(nil)), nil
})

// modulesVersion is made of the digests of all modules in a program, if this module is
// among them as it was released. Parsers of other modules and of Go itself count.
func modulesVersion(info *debug.BuildInfo) (string, bool) {
	h := sha256.New()
	fmt.Fprintf(h, "%s\n", info.GoVersion)
	found := false
	for _, d := range info.Deps {
		if d.Sum == "" || d.Replace != nil {
			return "", false
		}
		found = found || d.Path == modulePath
		fmt.Fprintf(h, "%s %s %s\n", d.Path, d.Version, d.Sum)
	}
	return "modules " + hex.EncodeToString(h.Sum(nil)), found
}
