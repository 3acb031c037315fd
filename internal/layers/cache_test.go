package layers

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/testimage"
)

// textCodec keeps facts that are strings or bytes.
type textCodec struct {
	limit int64 // of what can be charged; 0 for none
	mu    sync.Mutex
	took  map[int]int64
}

func (*textCodec) Append(b []byte, _ string, fact any) ([]byte, error) {
	switch v := fact.(type) {
	case string:
		return append(append(b, 's'), v...), nil
	case []byte:
		return append(append(b, 'b'), v...), nil
	}
	return nil, fmt.Errorf("a fact of type %T", fact)
}

func (*textCodec) Decode(_ string, _ *File, s string) (any, error) {
	switch {
	case strings.HasPrefix(s, "s"):
		return s[1:], nil
	case strings.HasPrefix(s, "b"):
		return []byte(s[1:]), nil
	}
	return nil, errors.New("no fact")
}

func (*textCodec) Charged(int) int64 { return 7 }

func (c *textCodec) Charge(layer int, n int64) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.limit > 0 && n > c.limit {
		return errors.New("too much")
	}
	if c.took == nil {
		c.took = map[int]int64{}
	}
	c.took[layer] = n
	return nil
}

// store keeps everything.
type store struct {
	mu   sync.Mutex
	data map[string]string
}

func (s *store) Get(_ context.Context, key string) (string, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, ok := s.data[key]
	return b, ok, nil
}

func (s *store) Put(_ context.Context, key, b string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.data[key] = b
	return nil
}

// contents keeps the content of all files of a name, under any name.
type contents struct{ any Want }

func (contents) Name() string { return "contents" }

func (c contents) Match(f *File) Want {
	if f.Base() == "wanted" || f.Type == Dir && f.Base() == "folder" {
		return WantVisit | WantContent | WantHash | WantOptional | c.any
	}
	return WantNothing
}

func (contents) Visit(_ context.Context, f *File, c Content) (any, error) {
	return f.Path + ": " + string(c.Bytes), nil
}

// difficult is an image with all that an entry can be.
func difficult(t testing.TB) *testimage.Image {
	return testimage.New(t,
		testimage.Layer{Files: []testimage.File{
			{Name: "etc/passwd", Body: "root:x:0:0"}, {Name: "dir/folder/"}, {Name: "dir/folder/wanted", Body: "one", Mode: 0o4755, UID: 5, GID: 6, Caps: testimage.CapNetBindService},
			testimage.HardLink("a/wanted", "dir/folder/wanted"), testimage.Symlink("b/wanted", "../plain"), {Name: "plain", Body: "plain"},
			testimage.Symlink("linked", "dir"), {Name: "big/wanted", Body: strings.Repeat("x", 100)}, {Name: "twice", Body: "1"}, {Name: "twice", Body: "2"},
			{Name: "empty/wanted"}, {Name: "gone/wanted", Body: "gone"}, {Name: "opaque/wanted", Body: "hidden"},
		}},
		testimage.Layer{Files: []testimage.File{
			testimage.Whiteout("gone/wanted"), testimage.Opaque("opaque"), {Name: "opaque/new"}, {Name: "linked/written/wanted", Body: "through a link"},
			testimage.HardLink("c/wanted", "plain"), {Name: "dir/folder/wanted", Body: "replaced"},
		}},
	)
}

func TestCache(t *testing.T) {
	img := difficult(t)
	for _, names := range []Want{0, WantAnyName} {
		opts := Options{Digest: img.ID(), Bounds: Bounds{File: 50}, Workers: 1}
		want, err := Pass(t.Context(), img, opts, contents{names})
		if err != nil {
			t.Fatal(err)
		}
		codec := &textCodec{}
		opts.Cache = &Cache{Store: &store{data: map[string]string{}}, Codec: codec, Version: "1", Failed: func(layer int, err error) { t.Errorf("layer %d: %v", layer, err) }}
		for _, cached := range []bool{false, true} {
			got, err := Pass(t.Context(), img, opts, contents{names})
			if err != nil {
				t.Fatal(err)
			}
			for i := range got.Layers {
				if got.Layers[i].Cached != cached {
					t.Errorf("layer %d cached: %t", i, got.Layers[i].Cached)
				}
				got.Layers[i].Cached = false
			}
			for name, pair := range map[string][2]any{
				"layers": {want.Layers, got.Layers}, "files": {want.Tree.files, got.Tree.files}, "history": {want.History, got.History},
				"skipped": {want.Skipped, got.Skipped}, "ambiguous": {want.Ambiguous, got.Ambiguous}, "facts": {want.facts, got.facts}, "past facts": {want.gone, got.gone},
			} {
				if !reflect.DeepEqual(pair[0], pair[1]) {
					t.Errorf("cached %t: %s differ:\n%+v\n%+v", cached, name, pair[0], pair[1])
				}
			}
			if got.facts["contents"] == nil || got.gone["contents"] == nil || got.Skipped == nil || got.Ambiguous == nil {
				t.Error("the image is not difficult enough")
			}
		}
		if codec.took[0] < 7 || codec.took[1] < 7 {
			t.Errorf("charged %v", codec.took)
		}
	}
}

// What cannot be kept, or no longer be charged, is read.
func TestCacheNotKept(t *testing.T) {
	img := difficult(t)
	s := &store{data: map[string]string{}}
	var failed []string
	cache := &Cache{Store: s, Codec: &textCodec{limit: 1}, Version: "1", Failed: func(_ int, err error) { failed = append(failed, err.Error()) }}
	opts := Options{Workers: 1, Cache: cache}
	for range 2 {
		res, err := Pass(t.Context(), img, opts, contents{})
		if err != nil || res.Layers[0].Cached {
			t.Fatalf("%+v, %v", res, err)
		}
	}
	if len(failed) != 2 || failed[0] != "too much" {
		t.Errorf("failed: %q", failed)
	}
	failed = nil
	if _, err := Pass(t.Context(), img, opts, numbers{}); err != nil {
		t.Fatal(err)
	}
	if len(failed) != 2 || !strings.Contains(failed[0], "a fact of type int") {
		t.Errorf("failed: %q", failed)
	}
	// Another version is another cache.
	cache.Codec, cache.Version = &textCodec{}, "2"
	if res, err := Pass(t.Context(), img, opts, contents{}); err != nil || res.Layers[0].Cached {
		t.Errorf("another version: %v", err)
	}
}

type numbers struct{ contents }

func (numbers) Name() string { return "numbers" }

func (numbers) Visit(context.Context, *File, Content) (any, error) { return 1, nil }

// FuzzCache reads layers that nobody kept. What is accepted is a layer: it can be
// merged, and kept again as the same bytes.
func FuzzCache(f *testing.F) {
	img := difficult(f)
	s := &store{data: map[string]string{}}
	opts := Options{Workers: 1, Bounds: Bounds{File: 50}, Cache: &Cache{Store: s, Codec: &textCodec{}}}
	res, err := Pass(f.Context(), img, opts, contents{})
	if err != nil {
		f.Fatal(err)
	}
	for _, b := range s.data {
		f.Add([]byte(b))
	}
	f.Add([]byte(cacheFormat))
	opts = opts.withDefaults()
	c, err := newCollector(opts, []Visitor{contents{}})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, l := range res.Layers {
			h := &harvest{}
			k, err := c.decodeLayer(l.DiffID, h, string(data))
			if err != nil {
				if assay.KindOf(err) == nil {
					t.Fatalf("an error without a kind: %v", err)
				}
				continue
			}
			str := &stream{diffID: l.DiffID, info: Layer{Inflated: k.inflated, Trailing: k.trailing}}
			str.entries.Store(int64(k.entries))
			again, err := c.encodeLayer(str, h)
			if err != nil {
				t.Fatal(err)
			}
			h2 := &harvest{}
			if _, err := c.decodeLayer(l.DiffID, h2, string(again)); err != nil {
				t.Fatal(err)
			}
			if !slices.EqualFunc(h.entries, h2.entries, func(a, b entry) bool { return a.op == b.op && reflect.DeepEqual(a.file, b.file) }) || len(h.facts) != len(h2.facts) {
				t.Fatal("it is not the same when it is kept again")
			}
			m := newMerger(opts.Bounds)
			if err := m.apply(0, "", h.entries); err == nil {
				m.finish()
			}
		}
	})
}
