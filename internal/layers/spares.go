package layers

import (
	"sync"

	"github.com/klauspost/compress/zstd"

	"github.com/assaykit/assay/internal/layers/gunzip"
)

// spares is what the reading of one layer leaves for the next: hundreds of layers would
// allocate their buffers and windows hundreds of times, and the collector lets garbage
// grow to as much as there is in use. There is never more of it than was in use at once.
type spares struct {
	mu       sync.Mutex
	buffers  map[int][][]byte // by size
	decoders []*zstd.Decoder
	gunzips  []*gunzip.Reader
}

func (s *spares) buffer(size int) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.buffers[size]
	if len(b) == 0 {
		return make([]byte, size)
	}
	s.buffers[size] = b[:len(b)-1]
	return b[len(b)-1]
}

func (s *spares) keep(b []byte) {
	if b == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.buffers == nil {
		s.buffers = make(map[int][][]byte)
	}
	s.buffers[cap(b)] = append(s.buffers[cap(b)], b[:cap(b)])
}

// reclaim takes the buffers of a pipe that nobody writes to or reads from any more.
func (s *spares) reclaim(p *pipe) {
	for _, ch := range []chan []byte{p.free, p.full} {
		for more := true; more; {
			select {
			case b, ok := <-ch:
				s.keep(b)
				more = ok
			default:
				more = false
			}
		}
	}
}

// decoder gives a decoder that is not used, nil if there is none.
func (s *spares) decoder() *zstd.Decoder {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := len(s.decoders)
	if n == 0 {
		return nil
	}
	d := s.decoders[n-1]
	s.decoders = s.decoders[:n-1]
	return d
}

func (s *spares) keepDecoder(d *zstd.Decoder) {
	_ = d.Reset(nil) // lets go of the source
	s.mu.Lock()
	defer s.mu.Unlock()
	s.decoders = append(s.decoders, d)
}

// gunzip gives a reader to be reset.
func (s *spares) gunzip() *gunzip.Reader {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := len(s.gunzips)
	if n == 0 {
		return new(gunzip.Reader)
	}
	z := s.gunzips[n-1]
	s.gunzips = s.gunzips[:n-1]
	return z
}

func (s *spares) keepGunzip(z *gunzip.Reader) {
	_ = z.Reset(nil) // lets go of the source
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gunzips = append(s.gunzips, z)
}

// close ends what is kept.
func (s *spares) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range s.decoders {
		d.Close()
	}
	s.decoders, s.gunzips, s.buffers = nil, nil, nil
}
