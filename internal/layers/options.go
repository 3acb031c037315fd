package layers

import (
	"cmp"
	"math"
	"runtime"
	"time"

	"github.com/assaykit/assay"
)

// Options of a pass. The zero value is safe.
type Options struct {
	// Digest is the digest of the manifest that was asked for. Without it the
	// image's own is taken, which proves nothing about where the image came from.
	Digest assay.Digest
	// Workers is how many layers are read at once. Default GOMAXPROCS.
	Workers int
	// Memory is the budget for buffered file contents of all layers together, in
	// bytes; nothing larger is buffered. Default 32 MiB, and then a file that somebody
	// must have whole and that is larger is buffered all the same, up to [Bounds.File],
	// while no other one is.
	Memory int64
	// Whole is the largest content that a [Streamer] is shown whole, in bytes. Default
	// 8 MiB, and never more than [Bounds.File].
	Whole int64
	// Stall is how long a source may give no byte before it counts as hanging.
	// Default two minutes; negative means for ever, or until the context ends.
	Stall time.Duration
	// Bounds on what is read. Zero fields take their defaults.
	Bounds Bounds
	// Progress, if not nil, is told how far each layer is. Calls do not overlap.
	// It must be quick.
	Progress func(Progress)
	// Cache, if not nil, spares reading layers that were read before.
	Cache *Cache
	// TrustTOC reads a layer that has a table of contents (eStargz, zstd:chunked) by
	// that table, if its source is a [Ranger] and much of the blob need not be fetched:
	// see [Layer.TOC] for what is not verified then.
	TrustTOC bool
}

// Bounds limit what a hostile image can cost. A field that is zero takes its
// default; one that is negative is no bound.
type Bounds struct {
	// Layers of one image. Default 1000.
	Layers int
	// Entries of one layer, whiteouts included. Default 1,000,000.
	Entries int
	// TotalEntries of all layers. Default 2,000,000; one takes some 300 bytes of
	// memory as long as the result lives.
	TotalEntries int
	// PathLength of a name or link target, in bytes. Default 4096.
	PathLength int
	// PathDepth is the number of parts of a name. Default 256.
	PathDepth int
	// Header is the size of all extended header records of one entry, in bytes.
	// Default 1 MiB; more than that is refused in any case.
	Header int64
	// File is the largest content that is buffered, in bytes. Default 256 MiB, and
	// never more than [Options.Memory] where that is set.
	File int64
	// Retained is the largest content of each of [RetainedPaths]. Default 1 MiB.
	Retained int64
	// Inflated is the size of one uncompressed layer. Default 64 GiB.
	Inflated int64
	// TotalInflated is the size of all uncompressed layers. Default 128 GiB.
	TotalInflated int64
	// Manifest is the size of the image's manifest. Default 4 MiB.
	Manifest int64
	// Config is the size of the image configuration. Default 8 MiB.
	Config int64
	// Window is the memory one zstd decoder may take. Default 128 MiB.
	Window int64
	// TOC is the size of a layer's table of contents, uncompressed. A layer with a
	// larger one is read whole. Default 64 MiB.
	TOC int64
	// Ambiguities that are recorded. Default 10,000.
	Ambiguities int
}

// Progress is how far the reading of one layer is.
type Progress struct {
	// Layer is its index, Digest that of its blob.
	Layer  int
	Digest assay.Digest
	// Done of Total bytes of the blob were read.
	Done, Total int64
	// Entries were read so far.
	Entries int
	// Finished is set once, when the layer was verified.
	Finished bool
}

func (o Options) withDefaults() Options {
	if o.Workers <= 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	memory := o.Memory
	if o.Memory <= 0 {
		o.Memory, memory = 32<<20, math.MaxInt64
	}
	o.Stall = cmp.Or(o.Stall, 2*time.Minute)
	b := &o.Bounds
	bound(&b.Layers, 1000)
	bound(&b.Entries, 1_000_000)
	bound(&b.TotalEntries, 2_000_000)
	bound(&b.PathLength, 4096)
	bound(&b.PathDepth, 256)
	bound(&b.Header, 1<<20)
	bound(&b.File, 256<<20)
	b.File = min(b.File, memory)
	bound(&o.Whole, 8<<20)
	o.Whole = min(o.Whole, b.File)
	bound(&b.Retained, 1<<20)
	bound(&b.Inflated, 64<<30)
	bound(&b.TotalInflated, 128<<30)
	bound(&b.Manifest, 4<<20)
	bound(&b.Config, 8<<20)
	bound(&b.Window, 128<<20)
	bound(&b.TOC, 64<<20)
	bound(&b.Ambiguities, 10_000)
	return o
}

// bound puts the default in place of zero and the largest value in place of a
// negative one, so that what follows only ever compares.
func bound[T int | int64](v *T, def T) {
	switch {
	case *v == 0:
		*v = def
	case *v < 0:
		*v = T(math.MaxInt)
	}
}
