package layers

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"

	"github.com/assaykit/assay"
)

// Cache keeps what layers gave, so that a layer is read once for all images that
// have it. A layer is known by its diffID, which the chain from manifest to
// configuration vouches for, and its facts were computed from bytes that had that
// diffID. So its blob is not read, and the digest of the blob not verified:
// [Layer.Cached] says so.
//
// The store is trusted to give back what was put there.
type Cache struct {
	Store Store
	Codec Codec
	// Version tells facts apart that other code computed: that of the visitors, and of
	// the types of their facts.
	Version string
	// Failed, if not nil, is told what went wrong with the store or the codec. Nothing
	// of that fails a pass: the layer is read.
	Failed func(layer int, err error)
}

// Store is where the cache is. It is used by several goroutines.
type Store interface {
	// Get gives what was put under a key, and whether there is something.
	Get(ctx context.Context, key string) (data string, ok bool, err error)
	// Put keeps data under a key, or not.
	Put(ctx context.Context, key, data string) error
}

// Codec writes facts, and what visitors share about a layer beside them.
type Codec interface {
	// Append writes a fact of a visitor. An error says that the layer cannot be kept.
	Append(b []byte, visitor string, fact any) ([]byte, error)
	// Decode reads it; s can be kept.
	Decode(visitor string, f *File, s string) (any, error)
	// Charged is what the facts of a layer took of a budget that the visitors share,
	// and Charge takes it for a layer that is not read. If it fails it took nothing, and
	// the layer is read: facts that layers share can take less then.
	Charged(layer int) int64
	Charge(layer int, n int64) error
}

// cacheFormat changes when the form of what is kept does.
const cacheFormat = "assay layer 1"

// key is all that what a layer gives depends on.
func (c *collector) key(diffID assay.Digest) string {
	h := sha256.New()
	fmt.Fprintf(h, "%s\n%s\n%s\n%+v %d\n", cacheFormat, diffID, c.opts.Cache.Version, c.opts.Bounds, c.opts.Whole)
	for _, v := range c.visitors {
		fmt.Fprintf(h, "%q\n", v.Name())
	}
	return hex.EncodeToString(h.Sum(nil))
}

func (c *collector) cacheFailed(layer int, err error) {
	if f := c.opts.Cache.Failed; f != nil {
		f(layer, err)
	}
}

// restore takes a layer from the cache. It reports whether it was there. An error is
// of a bound on the whole image.
func (c *collector) restore(ctx context.Context, s *stream, h *harvest) (bool, error) {
	cache := c.opts.Cache
	if cache == nil {
		return false, nil
	}
	data, ok, err := cache.Store.Get(ctx, c.key(s.diffID))
	if err != nil {
		c.cacheFailed(s.index, err)
	}
	if err != nil || !ok {
		return false, nil
	}
	kept, err := c.decodeLayer(s.diffID, h, data)
	if err == nil {
		err = cache.Codec.Charge(s.index, max(kept.charged, kept.facts))
	}
	if err != nil {
		*h = harvest{index: h.index, subject: h.subject}
		c.cacheFailed(s.index, err)
		return false, nil
	}
	b := c.opts.Bounds
	if c.entries.Add(int64(kept.entries)) > int64(b.TotalEntries) {
		return false, h.fail("read layer", assay.ErrBound, "entries of all layers", "more than "+strconv.Itoa(b.TotalEntries), "at most TotalEntries "+strconv.Itoa(b.TotalEntries), nil)
	}
	if s.total.Add(kept.inflated) > b.TotalInflated {
		return false, s.tooMuch("TotalInflated", b.TotalInflated)
	}
	s.entries.Store(int64(kept.entries))
	s.info = Layer{
		Digest: digestOf(s.desc.Digest), DiffID: s.diffID, Size: s.desc.Size, Inflated: kept.inflated, Trailing: kept.trailing, Cached: true,
	}
	return true, nil
}

// keep puts a layer that was read and verified into the cache. The merge has not yet
// changed its entries.
func (c *collector) keep(ctx context.Context, s *stream, h *harvest) {
	cache := c.opts.Cache
	if cache == nil {
		return
	}
	data, err := c.encodeLayer(s, h)
	if err == nil {
		err = cache.Store.Put(ctx, c.key(s.diffID), string(data))
	}
	if err != nil {
		c.cacheFailed(s.index, err)
	}
}
