package sbom

import (
	"container/list"
	"context"
	"sync"
)

// MemoryCache is a [Cache] that ends with the program. What was not asked for the
// longest goes first when it is full.
type MemoryCache struct {
	limit int64

	mu    sync.Mutex
	size  int64
	order *list.List // of *kept, the last used in front
	byKey map[string]*list.Element
}

type kept struct {
	key  string
	data string
}

// keptOverhead is about what one entry takes beside key and data.
const keptOverhead = 256

// NewMemoryCache makes a cache of up to about maxBytes. A layer takes some 100 bytes
// for each file in it, and what its package databases and executables say. Zero
// means 256 MiB; a negative number keeps nothing.
func NewMemoryCache(maxBytes int64) *MemoryCache {
	if maxBytes == 0 {
		maxBytes = defaultCache
	}
	return &MemoryCache{limit: maxBytes, order: list.New(), byKey: make(map[string]*list.Element)}
}

const defaultCache = 256 << 20

// Get implements [Cache].
func (c *MemoryCache) Get(_ context.Context, key string) (string, bool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.byKey[key]
	if !ok {
		return "", false, nil
	}
	c.order.MoveToFront(e)
	return e.Value.(*kept).data, true, nil
}

// Put implements [Cache].
func (c *MemoryCache) Put(_ context.Context, key, data string) error {
	k := &kept{key, data}
	if k.size() > c.limit {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := c.byKey[key]; ok {
		c.remove(e)
	}
	c.byKey[key] = c.order.PushFront(k)
	for c.size += k.size(); c.size > c.limit; {
		c.remove(c.order.Back())
	}
	return nil
}

func (c *MemoryCache) remove(e *list.Element) {
	k := c.order.Remove(e).(*kept)
	delete(c.byKey, k.key)
	c.size -= k.size()
}

func (k *kept) size() int64 { return int64(len(k.data)+len(k.key)) + keptOverhead }

// Bytes is about what the cache takes now.
func (c *MemoryCache) Bytes() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.size
}
