package layers

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/testimage"
)

// rangesOf is a visitor that needs as many readings as the file's name says, and then
// has the digest of what it was given.
type rangesOf struct {
	want   Want
	beyond bool
	open   *atomic.Int64
}

func (rangesOf) Name() string { return "ranges" }

func (v rangesOf) Match(f *File) Want {
	if f.Type == Symlink || strings.HasPrefix(f.Path, "f") {
		return WantContent | WantHash | v.want
	}
	return WantNothing
}

func (rangesOf) Visit(_ context.Context, f *File, c Content) (any, error) {
	return fmt.Sprintf("held %s %s %s", f.Path, assay.SumSHA256(c.Bytes), c.SHA256), nil
}

type rangesStream struct {
	rangesOf
	readings int
	bytes.Buffer
}

func (v rangesOf) Stream(_ *File, asked any) Stream {
	n, _ := asked.(int)
	v.open.Add(1)
	return &rangesStream{rangesOf: v, readings: n + 1}
}

func (s *rangesStream) Write(b []byte) { _, _ = s.Buffer.Write(b) }

func (s *rangesStream) Visit(_ context.Context, f *File, c Content) (fact, ask any, err error) {
	if s.beyond {
		return "ignored", Beyond("is too much"), nil
	}
	if need := int(f.Path[1] - '0'); s.readings < need {
		return "ignored", s.readings, nil
	}
	return fmt.Sprintf("read %d times %s %s %s", s.readings, f.Path, assay.SumSHA256(s.Bytes()), c.SHA256), nil, nil
}

func (s *rangesStream) Close() { s.open.Add(-1) }

func streamFacts(t *testing.T, res *Result) (out []string) {
	t.Helper()
	for f, v := range Facts[string](res, "ranges") {
		out = append(out, f.Path+": "+v)
	}
	for _, f := range res.HistoryFacts("ranges") {
		out = append(out, "gone "+f.Path+": "+f.Value.(string))
	}
	for _, s := range res.Skipped {
		out = append(out, "skipped "+s.Path+" "+s.Reason)
	}
	return out
}

func TestStream(t *testing.T) {
	body := strings.Repeat("0123456789", 30_000)
	sum := assay.SumSHA256([]byte(body)).String()
	sums := " " + sum + " " + sum
	files := []testimage.File{
		{Name: "f1", Body: body}, {Name: "f2", Body: body}, {Name: "f3gone", Body: body}, {Name: "f9", Body: body}, {Name: "f0small", Body: "x"},
		{Name: "other", Body: body},
	}
	img := testimage.New(t, testimage.Layer{Files: files}, testimage.Layer{Files: []testimage.File{
		{Name: ".wh.f3gone"}, {Name: "f2late", Type: '1', Link: "f1"}, {Name: "l2", Type: '2', Link: "other"},
	}})
	x := assay.SumSHA256([]byte("x")).String()
	want := []string{
		"f0small: held f0small " + x + " " + x,
		"f1: read 1 times f1" + sums,
		"f2: read 2 times f2" + sums,
		"f2late: read 2 times f2late" + sums,
		"l2: read 2 times l2" + sums,
		"gone f3gone: read 3 times f3gone" + sums,
		"skipped f9 has its parts in an order that takes more than 4 readings",
	}
	for _, workers := range []int{1, 8} {
		v := rangesOf{want: WantOptional, open: new(atomic.Int64)}
		s := &store{data: map[string]string{}}
		for range 2 { // read, then from the cache
			opts := Options{Whole: 1000, Workers: workers, Cache: &Cache{Store: s, Codec: &textCodec{}, Failed: func(_ int, err error) { t.Error(err) }}}
			res, err := Pass(t.Context(), img, opts, v)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(want, streamFacts(t, res)); d != "" {
				t.Error(d)
			}
			if n := v.open.Load(); n != 0 {
				t.Errorf("%d streams were not closed", n)
			}
		}
	}
	// The same of a folder, where a hard link is a file of its own.
	dir := t.TempDir()
	for _, f := range files {
		if err := os.WriteFile(filepath.Join(dir, f.Name), []byte(f.Body), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	v := rangesOf{want: WantOptional, open: new(atomic.Int64)}
	res, err := PassFolder(t.Context(), dir, Options{Whole: 1000}, v)
	if err != nil {
		t.Fatal(err)
	}
	want = []string{want[0], want[1], want[2], "f3gone: read 3 times f3gone" + sums, want[6]}
	if d := cmp.Diff(want, streamFacts(t, res)); d != "" {
		t.Error(d)
	}
}

func TestStreamBeyond(t *testing.T) {
	img := testimage.New(t, testimage.Layer{Files: []testimage.File{{Name: "f1", Body: strings.Repeat("x", 5000)}}})
	v := rangesOf{want: WantOptional, beyond: true, open: new(atomic.Int64)}
	res, err := Pass(t.Context(), img, Options{Whole: 1000}, v)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"skipped f1 is too much"}, streamFacts(t, res)); d != "" {
		t.Error(d)
	}
	v.want = 0
	if _, err = Pass(t.Context(), img, Options{Whole: 1000}, v); !errors.Is(err, assay.ErrBound) || !strings.Contains(err.Error(), "f1") {
		t.Errorf("a content that cannot be done without: %v", err)
	}
	// Somebody has to hold it: then it is held for all.
	v = rangesOf{open: new(atomic.Int64)}
	res, err = Pass(t.Context(), img, Options{Whole: 1000}, v, holder{})
	if err != nil || !strings.Contains(streamFacts(t, res)[0], "held") {
		t.Errorf("%v, %v", streamFacts(t, res), err)
	}
	// And who cannot read it as a stream does without, if nobody may hold it.
	res, err = Pass(t.Context(), img, Options{Bounds: Bounds{File: 1000}}, v, holder{})
	if err != nil || len(res.Skipped) != 1 || res.Skipped[0].Visitor != "holder" || !strings.Contains(streamFacts(t, res)[0], "read 1 times") {
		t.Errorf("%v, %v", res.Skipped, err)
	}
}

type holder struct{}

func (holder) Name() string     { return "holder" }
func (holder) Match(*File) Want { return WantContent | WantOptional }
func (holder) Visit(_ context.Context, f *File, c Content) (any, error) {
	return int64(len(c.Bytes)) == f.Size, nil
}

// A file that is larger than the default budget is held while nothing else is.
func TestMemoryOfLargeFiles(t *testing.T) {
	m := newMemory(1<<20, 2)
	b, err := m.get(t.Context(), 5<<20)
	if err != nil || len(b) != 5<<20 {
		t.Fatal(len(b), err)
	}
	if m.free.TryAcquire(1) {
		t.Error("there is budget left beside it")
	}
	m.put(b)
	if !m.free.TryAcquire(1 << 20) {
		t.Error("the budget did not come back")
	}
}
