package layers

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/testimage"
	"github.com/assaykit/assay/internal/testtoc"
)

// ranged is an image whose layers give parts of their blobs.
type ranged struct {
	*testimage.Image
	// rangeOf, if not nil, answers in place of the blob.
	rangeOf func(blob []byte, offset, length int64) (io.ReadCloser, error)

	mu    sync.Mutex
	parts []part
	whole int // how often a blob was read whole
}

func (r *ranged) Layers() ([]v1.Layer, error) {
	ls, err := r.Image.Layers()
	for i := range ls {
		d, _ := ls[i].Digest()
		ls[i] = &rangedLayer{ls[i], r, r.Blob(d)}
	}
	return ls, err
}

type rangedLayer struct {
	v1.Layer
	r    *ranged
	blob []byte
}

func (l *rangedLayer) Blob(context.Context) (io.ReadCloser, error) {
	l.r.mu.Lock()
	l.r.whole++
	l.r.mu.Unlock()
	return body(l.blob)
}

func (l *rangedLayer) Range(_ context.Context, offset, length int64) (io.ReadCloser, error) {
	l.r.mu.Lock()
	l.r.parts = append(l.r.parts, part{offset, offset + length})
	l.r.mu.Unlock()
	if l.r.rangeOf != nil {
		return l.r.rangeOf(l.blob, offset, length)
	}
	return body(l.blob[offset : offset+length])
}

// tocForms are the ways in which a layer can have a table.
var tocForms = []struct {
	name string
	pack func([]byte, testtoc.Options) (*testtoc.Layer, error)
	o    testtoc.Options
}{
	{"estargz", testtoc.Stargz, testtoc.Options{Landmark: true}},
	{"estargz with chunks of 4 MiB", testtoc.Stargz, testtoc.Options{ChunkSize: 4 << 20}},
	{"estargz with several chunks in a member", testtoc.Stargz, testtoc.Options{MinMember: 20 << 10, ChunkSize: 3000}},
	{"zstd chunked", testtoc.Chunked, testtoc.Options{}},
	{"zstd chunked in small chunks", testtoc.Chunked, testtoc.Options{ChunkSize: 1000}},
	{"zstd chunked of old, by its footer", testtoc.Chunked, testtoc.Options{OldPrefix: true, NoPosition: true}},
}

func random(n int, seed uint64) string {
	b := make([]byte, n)
	r := rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8)})
	_, _ = r.Read(b)
	b[0] = 'r' // no magic number
	return string(b)
}

// tocFiles are files of all kinds; data is that of a large one that nobody wants.
func tocFiles(data int) []F {
	fs := []F{
		{Name: "etc/", Mode: 0o755}, {Name: "etc/os-release", Body: "ID=test\n"},
		{Name: "./bin/"}, {Name: "bin/tool", Mode: 0o4755, Body: "\x7fELF" + random(200_000, 1)},
		{Name: "bin/net", Mode: 0o755, Body: "\x7fELF" + random(900, 2), Caps: testimage.CapNetBindService, UID: 7, GID: 8},
		hard("bin/tool2", "bin/tool"), hard("second/status", "bin/net"), sym("bin/link", "../etc/os-release"), sym("d/status", "../var/status"),
		{Name: "empty"}, {Name: "data/large", Body: random(data, 3)},
		{Name: "zeros", Body: strings.Repeat("\x00", 100_000) + "end"},
		{Name: "elf-of-zeros", Body: "\x7fELF" + strings.Repeat("\x00", 150_000)},
		{Name: "dev/null", Type: '3'}, {Name: "fifo", Type: '6'},
		{Name: "var/status", Body: "status " + random(3000, 4)},
		{Name: "twice", Body: "\x7fELFfirst"}, {Name: "twice", Body: "\x7fELFsecond"},
	}
	for i := range 150 {
		fs = append(fs, F{Name: fmt.Sprintf("lib/f%d", i), Body: random(1+i*37%2500, uint64(100+i)), Mode: 0o644})
	}
	return append(fs, wh("gone"), testimage.Opaque("old"), F{Name: "lib/last", Body: "\x7fELFlast"})
}

func tocImage(t testing.TB, form int, o testtoc.Options, fs []F) (*ranged, *testtoc.Layer) {
	t.Helper()
	archive, err := testimage.Tar(fs...)
	if err != nil {
		t.Fatal(err)
	}
	l, err := tocForms[form].pack(archive, o)
	if err != nil {
		t.Fatal(err)
	}
	low := files(F{Name: "gone", Body: "\x7fELFgone"}, F{Name: "old/x", Body: "x"}, F{Name: "data/large", Body: "lower"})
	return &ranged{Image: testimage.NewWith(t, testimage.Options{Manifest: testtoc.Annotate(nil, l)}, low, l.Image())}, l
}

// elves wants all that begins as an executable does.
type elves struct{}

func (elves) Name() string { return "elves" }
func (elves) Match(f *File) Want {
	if f.Type == Regular && f.Size >= 4 {
		return WantPeek | WantAnyName
	}
	return WantNothing
}
func (elves) Peek(_ *File, head []byte) Want {
	if bytes.HasPrefix(head, []byte("\x7fELF")) {
		return WantContent | WantHash
	}
	return WantNothing
}
func (elves) Visit(_ context.Context, f *File, c Content) (any, error) {
	return fmt.Sprint(len(c.Bytes), c.SHA256), nil
}

// folders are visited without content.
type folders struct{}

func (folders) Name() string { return "folders" }
func (folders) Match(f *File) Want {
	if f.Type == Dir {
		return WantVisit
	}
	return WantNothing
}
func (folders) Visit(_ context.Context, f *File, _ Content) (any, error) { return f.Mode, nil }

// sums wants the digest of every file.
type sums struct{}

func (sums) Name() string { return "sums" }
func (sums) Match(f *File) Want {
	if f.Type == Regular {
		return WantHash | WantAnyName
	}
	return WantNothing
}
func (sums) Visit(_ context.Context, _ *File, c Content) (any, error) { return c.SHA256.String(), nil }

func tocVisitors() []Visitor {
	return []Visitor{elves{}, named{"status", 0}, folders{}, sums{}}
}

// told is all that a result says, but for how its layers were read.
func told(r *Result) []string {
	var out []string
	file := func(f *File) string {
		return fmt.Sprintf("%s %s %o %d:%d %d link %q hard %q caps %q layers %d %d sum %s", f.Path, f.Type, f.Mode, f.UID, f.GID, f.Size,
			f.Link, f.HardLink, f.Capabilities, f.Layer, f.ContentLayer, f.SHA256())
	}
	for f := range r.Tree.All() {
		out = append(out, file(f))
	}
	for _, h := range r.History {
		out = append(out, fmt.Sprint("removed by ", h.By, h.Deleted, " ", file(h.File)))
	}
	for _, v := range tocVisitors() {
		out = append(out, v.Name())
		out = append(out, facts(r.Facts(v.Name()))...)
		out = append(out, facts(r.HistoryFacts(v.Name()))...)
	}
	for _, l := range r.Layers {
		out = append(out, fmt.Sprint(l.Entries, " entries ", l.Digest, l.DiffID, l.Size))
	}
	return append(out, fmt.Sprint(r.Skipped, r.Ambiguous))
}

func TestTOC(t *testing.T) {
	for i, form := range tocForms {
		t.Run(form.name, func(t *testing.T) {
			data, most := 8<<20, int64(8) // the part of the blob that may be fetched
			if strings.Contains(form.name, "4 MiB") {
				data, most = 20<<20, 3 // the first chunk alone is a fifth of it
			}
			img, l := tocImage(t, i, form.o, tocFiles(data))
			whole, err := Pass(t.Context(), img, Options{}, tocVisitors()...)
			if err != nil {
				t.Fatal(err)
			}
			if len(img.parts) != 0 || !whole.Layers[1].TOC.IsZero() || whole.Layers[1].NoTOC != "" {
				t.Fatalf("a table was used that nobody trusts: %+v", whole.Layers[1])
			}
			img.whole = 0
			byTOC, err := Pass(t.Context(), img, Options{TrustTOC: true}, tocVisitors()...)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(told(whole), told(byTOC)); d != "" {
				t.Errorf("read whole and by table (-whole +table):\n%s", d)
			}
			got := byTOC.Layers[1]
			if got.TOC.IsZero() || got.NoTOC != "" || img.whole != 1 || got.Inflated != 0 {
				t.Errorf("layer %+v, %d blobs read whole", got, img.whole)
			}
			var sum int64
			for _, p := range img.parts {
				sum += p.to - p.from
			}
			tables := 0
			for _, p := range img.parts {
				if p.to == int64(l.Table[1]) || p.to == int64(len(l.Blob)) {
					tables++
				}
			}
			if sum != got.Fetched || tables < 2 {
				t.Errorf("%d bytes fetched, layer says %d; the table %d times, and second/status makes it two", sum, got.Fetched, tables)
			}
			t.Logf("%d requests for %d of %d bytes", len(img.parts), sum, len(l.Blob))
			if got.Fetched > int64(len(l.Blob))/most || got.Fetched < 200_000 {
				t.Errorf("%d of %d bytes fetched, want at most a part in %d", got.Fetched, len(l.Blob), most)
			}
			if len(img.parts) > 30 {
				t.Errorf("%d requests: %v", len(img.parts), img.parts)
			}
		})
	}
}

// TestTOCPeek holds that a peek costs what it shows, however small the chunks are.
func TestTOCPeek(t *testing.T) {
	for form := range tocForms {
		o := tocForms[form].o
		o.ChunkSize, o.MinMember = 300, 0
		img, l := tocImage(t, form, o, []F{{Name: "a", Body: random(600_000, 1)}, {Name: "b", Body: random(600_000, 2)}, {Name: "c", Body: "\x7fELF"}})
		res, err := Pass(t.Context(), img, Options{TrustTOC: true}, elves{})
		if err != nil {
			t.Fatal(err)
		}
		got := res.Layers[1]
		table := max(int64(l.Table[1]-l.Table[0]), 128<<10) // what is fetched at the end at once
		if len(img.parts) > 5 || got.Fetched > table+50_000 || len(res.Facts("elves")) != 2 {
			t.Errorf("%s: %d bytes in %v, table of %d", tocForms[form].name, got.Fetched, img.parts, table)
		}
	}
}

// TestTOCIndex holds that the entries of eStargz itself are in the tree, because who
// unpacks such a layer has them.
func TestTOCIndex(t *testing.T) {
	img, l := tocImage(t, 0, tocForms[0].o, tocFiles(1<<20))
	for _, trust := range []bool{false, true} {
		res, err := Pass(t.Context(), img, Options{TrustTOC: trust}, tocVisitors()...)
		if err != nil {
			t.Fatal(err)
		}
		if trust == res.Layers[1].TOC.IsZero() {
			t.Fatalf("%+v", res.Layers[1])
		}
		for path, sum := range map[string]string{
			"stargz.index.json":     l.Annotations["containerd.io/snapshot/stargz/toc.digest"],
			".no.prefetch.landmark": testimage.Sum([]byte{15}).String(),
		} {
			if f := res.Tree.Get(path); f == nil || f.SHA256().String() != sum {
				t.Errorf("trust %v: %s is %+v", trust, path, f)
			}
		}
	}
}

func TestTOCReadWhole(t *testing.T) {
	for _, tt := range []struct {
		name   string
		form   int
		change func(o *testtoc.Options, l *testtoc.Layer)
		edit   func(o *testtoc.Options)
		img    func(*ranged)
		files  []F
		opts   Options
		says   string
	}{
		{name: "nothing is saved", files: tocFiles(1000), says: "would save less than 40 % of the blob"},
		{name: "nothing is saved", form: 3, files: tocFiles(1000), says: "would save less than 40 % of the blob"},
		{name: "small", files: []F{{Name: "x", Body: "x"}}, says: "smaller than 262144 bytes"},
		{name: "no ranges", img: func(r *ranged) {
			r.rangeOf = func([]byte, int64, int64) (io.ReadCloser, error) { return nil, ErrNoRange }
		}, says: ErrNoRange.Error()},
		{name: "larger than the bound", opts: Options{Bounds: Bounds{TOC: 5000}}, says: "is larger than the bound of 5000 bytes"},
		{name: "larger than the bound", form: 3, opts: Options{Bounds: Bounds{TOC: 5000}}, says: "is larger than the bound of 5000 bytes"},
		{name: "name that is not UTF-8", edit: func(o *testtoc.Options) {
			o.Edit = func(t *testtoc.TOC) { t.Find("empty").Name = "n\uFFFD" }
		}, says: "a name that is not UTF-8"},
		{name: "chunk without a digest", edit: func(o *testtoc.Options) {
			o.Edit = func(t *testtoc.TOC) { t.Find("data/large").ChunkDigest = "" }
		}, says: "no digest of a chunk of data/large"},
		{name: "footer cut off", change: func(_ *testtoc.Options, l *testtoc.Layer) { l.Blob = l.Blob[:l.Table[1]] }, says: "not announced by a footer"},
		{name: "footer of elsewhere", change: func(_ *testtoc.Options, l *testtoc.Layer) {
			l.Blob = append(l.Blob[:l.Table[1]:l.Table[1]], testtoc.StargzFooter(1<<40)...)
		}, says: "is outside of the blob"},
		{name: "footer of a file", change: func(_ *testtoc.Options, l *testtoc.Layer) {
			l.Blob = append(l.Blob[:l.Table[1]:l.Table[1]], testtoc.StargzFooter(100)...)
		}, opts: Options{}, says: "table of contents"},
		{name: "position outside of the blob", form: 3, change: func(_ *testtoc.Options, l *testtoc.Layer) {
			l.Annotations["io.github.containers.zstd-chunked.manifest-position"] = "1099511627776:100:100:1"
		}, says: "is outside of the blob"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			fs := tt.files
			if fs == nil {
				fs = tocFiles(2 << 20)
			}
			archive, err := testimage.Tar(fs...)
			if err != nil {
				t.Fatal(err)
			}
			o := tocForms[tt.form].o
			if tt.edit != nil {
				tt.edit(&o)
			}
			l, err := tocForms[tt.form].pack(archive, o)
			if err != nil {
				t.Fatal(err)
			}
			if tt.change != nil {
				tt.change(&o, l)
			}
			img := &ranged{Image: testimage.NewWith(t, testimage.Options{Manifest: testtoc.Annotate(l)}, l.Image())}
			if tt.img != nil {
				tt.img(img)
			}
			whole, err := Pass(t.Context(), img, Options{}, tocVisitors()...)
			if err != nil {
				t.Fatal(err)
			}
			tt.opts.TrustTOC = true
			got, err := Pass(t.Context(), img, tt.opts, tocVisitors()...)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(got.Layers[0].NoTOC, tt.says) || !got.Layers[0].TOC.IsZero() {
				t.Errorf("NoTOC is %q, want %q", got.Layers[0].NoTOC, tt.says)
			}
			got.Layers[0].NoTOC = ""
			if d := cmp.Diff(told(whole), told(got)); d != "" {
				t.Error(d)
			}
			if d := cmp.Diff(whole.Layers, got.Layers, cmp.Comparer(func(a, b assay.Digest) bool { return a == b })); d != "" {
				t.Errorf("layers differ: %s", d)
			}
		})
	}
}

// TestTOCSource holds what becomes of sources that fail after the table was read.
func TestTOCSource(t *testing.T) {
	for _, form := range []int{0, 3} {
		for _, tt := range []struct {
			name string
			give func(b []byte) (io.ReadCloser, error)
			kind error
			says string
		}{
			{"truncated", func(b []byte) (io.ReadCloser, error) { return body(b[:len(b)/2]) }, assay.ErrUnchecked, "unexpected EOF"},
			{"nothing", func(b []byte) (io.ReadCloser, error) { return body(nil) }, assay.ErrUnchecked, "unexpected EOF"},
			{"other bytes", func(b []byte) (io.ReadCloser, error) {
				b = bytes.Clone(b)
				for i := range b {
					b[i] ^= 0x55
				}
				return body(b)
			}, assay.ErrRefuted, "chunk at"},
			{"no ranges any more", func([]byte) (io.ReadCloser, error) { return nil, ErrNoRange }, assay.ErrUnchecked, ErrNoRange.Error()},
			{"failing", func(b []byte) (io.ReadCloser, error) {
				return io.NopCloser(io.MultiReader(bytes.NewReader(b[:len(b)/2]), &failing{errors.New("cable cut")})), nil
			}, assay.ErrUnchecked, "cable cut"},
		} {
			t.Run(tocForms[form].name+" "+tt.name, func(t *testing.T) {
				img, l := tocImage(t, form, tocForms[form].o, tocFiles(2<<20))
				img.rangeOf = func(b []byte, offset, length int64) (io.ReadCloser, error) {
					part := b[offset : offset+length]
					if offset+length <= int64(l.Table[0]) {
						return tt.give(part)
					}
					return body(part)
				}
				_, err := Pass(t.Context(), img, Options{TrustTOC: true}, tocVisitors()...)
				if assay.KindOf(err) != tt.kind || !strings.Contains(err.Error(), tt.says) || !strings.Contains(err.Error(), "sha256:") {
					t.Errorf("got %v, want %v and %q", err, tt.kind, tt.says)
				}
			})
		}
	}
}

func TestTOCHangs(t *testing.T) {
	img, l := tocImage(t, 0, tocForms[0].o, tocFiles(2<<20))
	for _, from := range []int64{0, int64(l.Table[0])} {
		synctest.Test(t, func(t *testing.T) {
			img.rangeOf = func(b []byte, offset, length int64) (io.ReadCloser, error) {
				part := b[offset : offset+length]
				if offset+length > from && (from > 0) == (offset+length > int64(l.Table[0])) {
					return &hanging{bytes.NewReader(part[:len(part)/2]), make(chan struct{})}, nil
				}
				return body(part)
			}
			_, err := Pass(t.Context(), img, Options{TrustTOC: true, Stall: time.Minute}, tocVisitors()...)
			if !errors.Is(err, assay.ErrUnchecked) || !errors.Is(err, errStalled) {
				t.Errorf("got %v", err)
			}
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	img.rangeOf = func(b []byte, offset, length int64) (io.ReadCloser, error) {
		cancel()
		return body(b[offset : offset+length])
	}
	if _, err := Pass(ctx, img, Options{TrustTOC: true}, tocVisitors()...); !errors.Is(err, context.Canceled) || !errors.Is(err, assay.ErrUnchecked) {
		t.Errorf("canceled: %v", err)
	}
}

// TestTOCManyEntries holds that a table of very many entries costs no more than the
// bounds let it.
func TestTOCManyEntries(t *testing.T) {
	for _, tt := range []struct {
		many   int
		bounds Bounds
		whole  string
		says   string
	}{
		{many: 10_000_000, whole: "larger than the bound of 67108864 bytes"},
		{many: 100_002, bounds: Bounds{Entries: 100_000}, says: "at most Entries 100000"},
	} {
		o := testtoc.Options{JSON: func([]byte) []byte {
			b := []byte(`{"version":1,"entries":[`)
			for i := range tt.many {
				b = append(b, `{"type":"dir","name":"`...)
				b = append(strconv.AppendInt(b, int64(i), 10), `"},`...)
			}
			return append(b[:len(b)-1], "]}"...)
		}}
		archive, err := testimage.Tar(F{Name: "data", Body: random(1<<20, 9)})
		if err != nil {
			t.Fatal(err)
		}
		l, err := testtoc.Chunked(archive, o)
		if err != nil {
			t.Fatal(err)
		}
		img := &ranged{Image: testimage.NewWith(t, testimage.Options{Manifest: testtoc.Annotate(l)}, l.Image())}
		res, err := Pass(t.Context(), img, Options{TrustTOC: true, Bounds: tt.bounds})
		switch {
		case tt.says != "":
			if assay.KindOf(err) != assay.ErrBound || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("%d entries: got %v", tt.many, err)
			}
		case err != nil:
			t.Errorf("%d entries: %v", tt.many, err)
		case !strings.Contains(res.Layers[0].NoTOC, tt.whole):
			t.Errorf("%d entries: NoTOC is %q", tt.many, res.Layers[0].NoTOC)
		}
	}
}
