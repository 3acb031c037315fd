package java

import (
	"sync"
	"weak"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/sbom/internal/catalog/sparse"
)

// Shared is what readings that run at once share, so that together they take the memory
// of one: large archives in archives are inflated one at a time, into the memory of
// those before. The zero value is ready.
type Shared struct {
	large sync.Mutex
	mu    sync.Mutex
	spare weak.Pointer[[]byte] // weak: what nobody uses is the collector's
}

// pooled is the smallest content that is inflated into memory that was used before.
const pooled = 64 << 10

// buffer gives memory for n bytes, with anything in it.
func (s *Shared) buffer(n uint64) []byte {
	if n >= pooled {
		s.mu.Lock()
		b := s.spare.Value()
		s.spare = weak.Pointer[[]byte]{}
		s.mu.Unlock()
		if b != nil && uint64(cap(*b)) >= n {
			return (*b)[:n]
		}
	}
	return make([]byte, n)
}

// done takes memory back of which nothing is used any more.
func (s *Shared) done(b []byte) {
	if cap(b) >= pooled {
		s.mu.Lock()
		s.spare = weak.Make(&b)
		s.mu.Unlock()
	}
}

// Parse reads an archive whose SHA-256 digest is given. The error is of kind
// [assay.ErrInvalid]: it is no zip file, or its directory is broken.
func (s *Shared) Parse(content []byte, sum assay.Digest, limits Limits) (*Archive, error) {
	r := &reader{limits: limits.filled(), shared: s}
	a, err := r.archive(sparse.Whole(content), "", sum, 1)
	if err != nil {
		return nil, &assay.Error{Op: "read archive", Kind: assay.ErrInvalid, Err: err}
	}
	return a, nil
}

// lock waits until no other reading has a large archive in memory.
func (r *reader) lock() {
	if !r.locked {
		r.shared.large.Lock()
		r.locked = true
	}
}

func (r *reader) unlock() {
	if r.locked {
		r.locked = false
		r.shared.large.Unlock()
	}
}
