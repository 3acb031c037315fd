package sparse

import (
	"bytes"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What is kept is what went by, however it is cut and whatever is wanted meanwhile.
func TestContentModel(t *testing.T) {
	for seed := range uint64(400) {
		r := rand.New(rand.NewPCG(seed, 1))
		data := make([]byte, 1+r.IntN(4000))
		for i := range data {
			data[i] = byte(r.Uint32())
		}
		c := New(int64(len(data)), 1<<20)
		kept := make([]bool, len(data)) // what must be there
		for at := 0; at < len(data); {
			for range r.IntN(3) {
				from := r.IntN(len(data))
				to := from + r.IntN(300)
				if !c.Want(Range{uint64(from), uint64(to)}) {
					t.Fatal("full")
				}
				for i := max(from, at-reach); i < min(to, len(data)); i++ {
					kept[i] = true
				}
			}
			n := 1 + r.IntN(min(200, len(data)-at))
			c.Write(data[at : at+n])
			at += n
		}
		for range 200 {
			from := r.IntN(len(data))
			n := 1 + r.IntN(100)
			all := from+n <= len(data)
			for i := from; i < min(from+n, len(data)); i++ {
				all = all && kept[i]
			}
			got := c.Kept(uint64(from), uint64(n))
			if all != (got != nil) || all && !bytes.Equal(got, data[from:from+n]) {
				t.Fatalf("seed %d: %d bytes at %d: kept %t, got %d bytes", seed, n, from, all, len(got))
			}
		}
	}
}

func TestContentMissing(t *testing.T) {
	c := New(100_000, 1000)
	if !c.Want(Range{0, 10}) || c.Want(Range{500, 5000}) || !c.Full() {
		t.Error("the limit does not hold")
	}
	c.Write(bytes.Repeat([]byte{7}, 100_000))
	var b [10]byte
	if n, err := c.ReadAt(b[:], 0); n != 10 || err != nil || b[9] != 7 || c.Missing() != nil {
		t.Errorf("%d, %v, %v", n, err, b)
	}
	if c.Slice(5, 10) != nil || c.Slice(50_000, 1) != nil || c.Slice(99_999, 2) != nil {
		t.Error("it gave what it has not")
	}
	if n, err := c.ReadAt(b[:], 99_995); n != 5 || err != io.EOF || b[0] != 0 {
		t.Errorf("%d, %v, %v", n, err, b)
	}
	want := []Range{{5, 15}, {50_000, 50_001}, {99_995, 100_000}}
	if d := cmp.Diff(want, c.Missing()); d != "" {
		t.Error(d)
	}
	w := Whole([]byte("hello"))
	if string(w.Slice(1, 3)) != "ell" || w.Slice(1, 5) != nil || w.Missing() != nil {
		t.Error("a whole content lacks something")
	}
}

func TestDrop(t *testing.T) {
	c := New(100, 20)
	c.Want(Range{0, 10})
	c.Want(Range{20, 30})
	c.Write(make([]byte, 10))
	if c.Want(Range{40, 50}) {
		t.Error("more than the limit")
	}
	c.Drop(Range{0, 10})
	if !c.Want(Range{40, 50}) {
		t.Error("what was dropped counts")
	}
	c.Write(make([]byte, 90))
	if c.Kept(0, 1) != nil || c.Kept(20, 10) == nil || c.Kept(40, 10) == nil {
		t.Error("the wrong parts were kept")
	}
}
