package layers

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestMemoryReuses(t *testing.T) {
	m := newMemory(16<<20, 1)
	get := func(size int64) []byte {
		t.Helper()
		b, err := m.get(t.Context(), size)
		if err != nil || int64(len(b)) != size {
			t.Fatalf("%d bytes: got %d, %v", size, len(b), err)
		}
		return b
	}
	first := get(1_000_000)
	m.put(first)
	if again := get(10); &again[0] != &first[0] {
		t.Error("a buffer that fits was not used again")
	} else {
		m.put(again)
	}
	// A slightly larger file fits too, since sizes are rounded up.
	if again := get(1_010_000); &again[0] != &first[0] {
		t.Error("a slightly larger file got a new buffer")
	} else {
		m.put(again)
	}
	larger := get(3 << 20)
	m.put(larger)
	if again := get(10); &again[0] != &larger[0] {
		t.Error("the smaller buffer was kept, not the larger one")
	} else {
		m.put(again)
	}
	// More than a quarter of the budget is not kept, and all of it is to be had.
	m.put(get(16 << 20))
	if len(m.kept) != 0 {
		t.Errorf("%d buffers kept", len(m.kept))
	}
}

func TestMemoryGivesUpOnCancel(t *testing.T) {
	m := newMemory(1<<20, 1)
	all, err := m.get(t.Context(), 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if _, err := m.get(ctx, 1); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	m.put(all)
	b, err := m.get(t.Context(), 1<<20)
	if err != nil || m.waiting != 0 {
		t.Errorf("got %v, %d waiting", err, m.waiting)
	}
	m.put(b)
}

// What is lent and what is kept never exceed the budget together, everybody is
// served, and nobody is lent what another one has.
func TestMemoryBudget(t *testing.T) {
	const budget, workers = 2 << 20, 4
	m := newMemory(budget, workers)
	var lent atomic.Int64
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(1, uint64(w)))
			for range 100 {
				b, err := m.get(t.Context(), 1+r.Int64N(budget))
				if err != nil {
					t.Error(err)
					return
				}
				if now := lent.Add(int64(cap(b))); now > budget {
					t.Errorf("%d bytes lent", now)
				}
				b[0], b[len(b)-1] = byte(w), byte(w)
				if b[0] != byte(w) {
					t.Error("the buffer is somebody else's too")
				}
				lent.Add(-int64(cap(b)))
				m.put(b)
			}
		})
	}
	wg.Wait()
	var kept int64
	for _, b := range m.kept {
		kept += int64(cap(b))
	}
	if kept > budget || !m.free.TryAcquire(budget-kept) {
		t.Errorf("%d bytes kept, and what is free does not add up", kept)
	}
}

func TestRoundUp(t *testing.T) {
	for size := int64(1); size < 1<<40; size = size*9/8 + 1 {
		if got := roundUp(size); got < size || got > max(minBuffer, size+size/8+1) {
			t.Errorf("%d becomes %d", size, got)
		}
	}
}
