package layers

import (
	"context"
	"math/bits"
	"slices"
	"sync"

	"golang.org/x/sync/semaphore"
)

// minBuffer is the smallest buffer that is made; nearly all files fit into it.
const minBuffer = 64 << 10

// memory lends buffers for contents, from the budget of one pass. Those that came
// back serve the next file as long as nobody waits for memory: a layer of
// executables would otherwise allocate about what it inflates to.
type memory struct {
	budget int64
	free   *semaphore.Weighted // the budget less what is lent or kept
	keep   int                 // how many buffers are kept, one for each worker

	mu      sync.Mutex
	kept    [][]byte // smallest first
	waiting int
}

func newMemory(budget int64, workers int) *memory {
	return &memory{budget: budget, free: semaphore.NewWeighted(budget), keep: workers}
}

// get lends a buffer of the size. One that is larger than the budget takes all of it,
// so that nobody else has any meanwhile. It holds what its last user left in it.
func (m *memory) get(ctx context.Context, size int64) ([]byte, error) {
	m.mu.Lock()
	for i, b := range m.kept {
		if int64(cap(b)) >= size {
			m.kept = slices.Delete(m.kept, i, i+1)
			m.mu.Unlock()
			return b[:size], nil
		}
	}
	m.mu.Unlock()
	takes := roundUp(size)
	if size <= m.budget {
		takes = min(takes, m.budget)
	}
	if err := m.take(ctx, takes); err != nil {
		return nil, err
	}
	return make([]byte, size, takes), nil
}

// take waits for a part of the budget, at most all of it.
func (m *memory) take(ctx context.Context, n int64) error {
	n = min(n, m.budget)
	m.mu.Lock()
	if m.free.TryAcquire(n) {
		m.mu.Unlock()
		return nil
	}
	m.waiting++
	for _, b := range m.kept {
		m.giveBack(int64(cap(b)))
	}
	m.kept = nil
	m.mu.Unlock()
	err := m.free.Acquire(ctx, n)
	m.mu.Lock()
	m.waiting--
	m.mu.Unlock()
	return err
}

func (m *memory) giveBack(n int64) { m.free.Release(min(n, m.budget)) }

// put takes back what get lent.
func (m *memory) put(b []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	// One giant file must not hold on to memory until the pass ends.
	if m.waiting > 0 || int64(cap(b)) > m.budget/4 {
		m.giveBack(int64(cap(b)))
		return
	}
	at, _ := slices.BinarySearchFunc(m.kept, cap(b), func(k []byte, size int) int { return cap(k) - size })
	m.kept = slices.Insert(m.kept, at, b)
	if len(m.kept) > m.keep {
		m.giveBack(int64(cap(m.kept[0])))
		m.kept = slices.Delete(m.kept, 0, 1)
	}
}

// roundUp makes sizes alike, so that files which grow little by little do not need a
// new buffer each: to eighths of a power of two, at most an eighth more.
func roundUp(size int64) int64 {
	if size <= minBuffer {
		return minBuffer
	}
	step := int64(1) << max(0, bits.Len64(uint64(size-1))-4)
	return (size + step - 1) &^ (step - 1)
}
