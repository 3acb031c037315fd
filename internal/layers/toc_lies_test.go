package layers

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/testimage"
	"github.com/assaykit/assay/internal/testtoc"
)

// tocLies are tables that tell of something else than the blob has, or break a rule.
var tocLies = []struct {
	name string
	form int
	edit func(*testtoc.TOC)
	json func([]byte) []byte
	lie  func(*testtoc.Layer)
	opts Options
	kind error
	says []string
}{
	{name: "another table", lie: func(l *testtoc.Layer) {
		l.Annotations["containerd.io/snapshot/stargz/toc.digest"] = testimage.Sum(nil).String()
	}, kind: assay.ErrRefuted, says: []string{"table of contents digest", testimage.Sum(nil).String()}},
	{name: "another table", form: 3, lie: func(l *testtoc.Layer) {
		l.Annotations["io.github.containers.zstd-chunked.manifest-checksum"] = testimage.Sum(nil).String()
	}, kind: assay.ErrRefuted, says: []string{"table of contents, compressed, digest"}},
	{name: "another table inside", form: 3, lie: func(l *testtoc.Layer) {
		l.Annotations["containerd.io/snapshot/stargz/toc.digest"] = testimage.Sum(nil).String()
	}, kind: assay.ErrRefuted, says: []string{"table of contents digest"}},
	{name: "digest that is none", lie: func(l *testtoc.Layer) {
		l.Annotations["containerd.io/snapshot/stargz/toc.digest"] = "sha256:1"
	}, kind: assay.ErrInvalid, says: []string{"annotation containerd.io/snapshot/stargz/toc.digest", "sha256:1"}},
	{name: "position that is none", form: 3, lie: func(l *testtoc.Layer) {
		l.Annotations["io.github.containers.zstd-chunked.manifest-position"] = "-5:1:1:1"
	}, kind: assay.ErrInvalid, says: []string{"manifest-position", "-5:1:1:1"}},
	{name: "tar-split position that is none", form: 3, lie: func(l *testtoc.Layer) {
		l.Annotations["io.github.containers.zstd-chunked.tarsplit-position"] = "1:x:1"
	}, kind: assay.ErrInvalid, says: []string{"tarsplit-position", "1:x:1"}},
	{name: "inflated size", form: 3, lie: func(l *testtoc.Layer) {
		p := strings.Split(l.Annotations["io.github.containers.zstd-chunked.manifest-position"], ":")
		p[2] = "7"
		l.Annotations["io.github.containers.zstd-chunked.manifest-position"] = strings.Join(p, ":")
	}, kind: assay.ErrInvalid, says: []string{"inflated size", `"8", want 7`}},

	{name: "chunk of another digest", edit: func(t *testtoc.TOC) { t.Find("bin/tool").ChunkDigest = testimage.Sum(nil).String() },
		kind: assay.ErrRefuted, says: []string{"bin/tool chunk at", testimage.Sum(nil).String()}},
	{name: "chunk of another digest", form: 4, edit: func(t *testtoc.TOC) { t.Find("bin/tool").ChunkDigest = testimage.Sum(nil).String() },
		kind: assay.ErrRefuted, says: []string{"bin/tool chunk at", testimage.Sum(nil).String()}},
	{name: "chunk that is only peeked at", edit: func(t *testtoc.TOC) { t.Find("data/large").ChunkDigest = testimage.Sum(nil).String() },
		kind: assay.ErrRefuted, says: []string{"data/large chunk at"}},
	{name: "file of another digest", edit: func(t *testtoc.TOC) { t.Find("bin/tool").Digest = testimage.Sum(nil).String() },
		kind: assay.ErrRefuted, says: []string{"bin/tool digest"}},
	{name: "file of another digest", form: 3, edit: func(t *testtoc.TOC) { t.Find("var/status").Digest = testimage.Sum(nil).String() },
		kind: assay.ErrRefuted, says: []string{"var/status chunk at"}},
	{name: "only chunk of another digest", edit: func(t *testtoc.TOC) { t.Find("var/status").ChunkDigest = testimage.Sum(nil).String() },
		kind: assay.ErrInvalid, says: []string{"/chunkDigest", "the digest of the file"}},
	{name: "digest of an empty file", edit: func(t *testtoc.TOC) { t.Find("empty").Digest = testimage.Sum([]byte("x")).String() },
		kind: assay.ErrInvalid, says: []string{"/digest", "the digest of an empty file"}},
	{name: "digest by MD5", edit: func(t *testtoc.TOC) { t.Find("bin/tool").Digest = "md5:d41d8cd98f00b204e9800998ecf8427e" },
		kind: assay.ErrInvalid, says: []string{"/digest", "md5:"}},
	{name: "zeros that are none", form: 4, edit: func(t *testtoc.TOC) { t.Find("bin/tool").ChunkType = "zeros" },
		kind: nil}, // the head is zeros then, and the file no executable
	{name: "zeros in a file that is read", form: 4, edit: func(t *testtoc.TOC) { t.Find("var/status").ChunkType = "zeros" },
		kind: assay.ErrRefuted, says: []string{"var/status digest"}},
	{name: "chunk type", form: 4, edit: func(t *testtoc.TOC) { t.Find("bin/tool").ChunkType = "ones" },
		kind: assay.ErrInvalid, says: []string{"/chunkType", "ones"}},

	{name: "chunk outside of the blob", edit: func(t *testtoc.TOC) { t.Find("data/large").Offset = 1 << 40 },
		kind: assay.ErrInvalid, says: []string{"/offset", "1099511627776", "before the end of the contents"}},
	{name: "chunk in the table", form: 3, edit: func(t *testtoc.TOC) { t.Find("lib/last").EndOffset += 600 },
		kind: assay.ErrInvalid, says: []string{"/offset", "before the end of the contents"}},
	{name: "negative offset", edit: func(t *testtoc.TOC) { t.Find("data/large").Offset = -1 },
		kind: assay.ErrInvalid, says: []string{"/offset", `"-1"`}},
	{name: "no offset", edit: func(t *testtoc.TOC) { t.Find("bin/tool").Offset = 0 },
		kind: assay.ErrInvalid, says: []string{"/offset", `"0"`}},
	{name: "overlap", edit: func(t *testtoc.TOC) { t.Find("data/large").Offset = t.Find("bin/tool").Offset },
		kind: assay.ErrInvalid, says: []string{"/offset", "a place after the chunk before it"}},
	{name: "overlap inside of a member", form: 2, edit: func(t *testtoc.TOC) {
		t.Find("lib/f3").InnerOffset = t.Find("lib/f2").InnerOffset + 1
	}, kind: assay.ErrInvalid, says: []string{"/offset", "a place after the chunk before it"}},
	{name: "overlap by the end", form: 3, edit: func(t *testtoc.TOC) { t.Find("var/status").EndOffset = t.Find("lib/f4").EndOffset },
		kind: assay.ErrInvalid, says: []string{"chunks that do not overlap"}},
	{name: "end before the offset", form: 3, edit: func(t *testtoc.TOC) { t.Find("var/status").EndOffset = 1 },
		kind: assay.ErrInvalid, says: []string{"/endOffset", "an end after the offset"}},
	{name: "offset that is no member", edit: func(t *testtoc.TOC) { t.Find("bin/tool").Offset++ },
		kind: assay.ErrRefuted, says: []string{"chunk at"}},
	{name: "offset inside of the member", edit: func(t *testtoc.TOC) { t.Find("var/status").InnerOffset = 1 << 30 },
		kind: assay.ErrRefuted, says: []string{"chunk at"}},
	{name: "gap between chunks", edit: func(t *testtoc.TOC) { t.Find("bin/tool").ChunkSize-- },
		kind: assay.ErrInvalid, says: []string{"/chunkOffset", "the end of the chunk before it"}},
	{name: "chunk that is too long", edit: func(t *testtoc.TOC) { t.Find("bin/tool").ChunkSize = 1 << 40 },
		kind: assay.ErrInvalid, says: []string{"/chunkSize", "to the end of the file"}},
	{name: "file that is longer than its chunks", form: 4, edit: func(t *testtoc.TOC) { t.Find("bin/tool").Size++ },
		kind: assay.ErrInvalid, says: []string{"bin/tool", "200004 bytes in chunks", "200005"}},
	{name: "file that is longer than its chunk", form: 3, edit: func(t *testtoc.TOC) { t.Find("var/status").Size++ },
		kind: assay.ErrRefuted, says: []string{"chunk at"}},
	{name: "chunk before any file", edit: func(t *testtoc.TOC) { t.Entries = slices.Insert(t.Entries, 0, &testtoc.Entry{Type: "chunk"}) },
		kind: assay.ErrInvalid, says: []string{"/entries/0/type", "a file before its chunks"}},
	{name: "chunk of another file", edit: func(t *testtoc.TOC) {
		for _, e := range t.Entries {
			if e.Type == "chunk" {
				e.Name = "other"
			}
		}
	}, kind: assay.ErrInvalid, says: []string{"/name", "a chunk of the file before it"}},

	{name: "out of the root", edit: func(t *testtoc.TOC) { t.Find("empty").Name = "../../empty" },
		kind: assay.ErrInvalid, says: []string{"../../empty", "a name inside the root"}},
	{name: "hard link out of the root", edit: func(t *testtoc.TOC) { t.Find("bin/tool2").LinkName = "../../etc/shadow" },
		kind: assay.ErrInvalid, says: []string{"a hard link to a name inside the root"}},
	{name: "hard link to nothing", edit: func(t *testtoc.TOC) { t.Find("bin/tool2").LinkName = "nothing" },
		kind: assay.ErrInvalid, says: []string{"a hard link to a file that exists"}},
	{name: "hard links in a circle", edit: func(t *testtoc.TOC) {
		t.Entries = append(t.Entries, &testtoc.Entry{Type: "hardlink", Name: "a", LinkName: "b"}, &testtoc.Entry{Type: "hardlink", Name: "b", LinkName: "a"})
	}, kind: assay.ErrInvalid, says: []string{"a hard link to a file that exists"}},
	{name: "hard link to itself", edit: func(t *testtoc.TOC) {
		t.Entries = append(t.Entries, &testtoc.Entry{Type: "hardlink", Name: "bin/tool", LinkName: "bin/tool"})
	}, kind: assay.ErrInvalid, says: []string{"a hard link to another name"}},
	{name: "type", edit: func(t *testtoc.TOC) { t.Find("empty").Type = "socket" },
		kind: assay.ErrInvalid, says: []string{"/type", "socket"}},
	{name: "version", edit: func(t *testtoc.TOC) { t.Version = 2 }, kind: assay.ErrInvalid, says: []string{"/version"}},
	{name: "owner", edit: func(t *testtoc.TOC) { t.Find("empty").UID = -1 }, kind: assay.ErrInvalid, says: []string{"/uid", "-1"}},
	{name: "mode", edit: func(t *testtoc.TOC) { t.Find("empty").Mode = -1 }, kind: assay.ErrInvalid, says: []string{"/mode"}},

	{name: "member twice", json: func(b []byte) []byte {
		return bytes.Replace(b, []byte(`"version"`), []byte(`"version": 1, "version"`), 1)
	},
		kind: assay.ErrInvalid, says: []string{"version"}},
	{name: "member in another case", json: func(b []byte) []byte { return bytes.Replace(b, []byte(`"mode"`), []byte(`"MODE": 493, "mode"`), 1) },
		kind: assay.ErrInvalid, says: []string{"MODE"}},
	{name: "entries in another case", json: func(b []byte) []byte {
		return bytes.Replace(b, []byte(`"entries"`), []byte(`"Entries": [], "entries"`), 1)
	},
		kind: assay.ErrInvalid, says: []string{"Entries"}},
	{name: "something after it", json: func(b []byte) []byte { return append(b, "{}"...) }, kind: assay.ErrInvalid, says: []string{"nothing after the value"}},
	{name: "no JSON", json: func(b []byte) []byte { return b[:len(b)/2] }, kind: assay.ErrInvalid, says: []string{"table of contents"}},

	{name: "too many entries", opts: Options{Bounds: Bounds{Entries: 100}}, kind: assay.ErrBound, says: []string{"at most Entries 100"}},
	{name: "too many entries of all layers", opts: Options{Bounds: Bounds{TotalEntries: 100}}, kind: assay.ErrBound, says: []string{"at most TotalEntries 100"}},
	{name: "too much content", edit: func(t *testtoc.TOC) {
		t.Entries = append(t.Entries, &testtoc.Entry{Type: "reg", Name: "bomb", Size: 1 << 45, ChunkType: "zeros", Digest: testimage.Sum(nil).String()})
	}, kind: assay.ErrBound, says: []string{"bytes of content", "Inflated"}},
	{name: "too much inflated", opts: Options{Bounds: Bounds{TotalInflated: 100_000}}, kind: assay.ErrBound, says: []string{"TotalInflated 100000"}},
}

func TestTOCLies(t *testing.T) {
	for _, tt := range tocLies {
		t.Run(tt.name, func(t *testing.T) {
			o := tocForms[tt.form].o
			o.Edit, o.JSON = tt.edit, tt.json
			archive, err := testimage.Tar(tocFiles(1 << 20)...)
			if err != nil {
				t.Fatal(err)
			}
			l, err := tocForms[tt.form].pack(archive, o)
			if err != nil {
				t.Fatal(err)
			}
			if tt.lie != nil {
				tt.lie(l)
			}
			img := &ranged{Image: testimage.NewWith(t, testimage.Options{Manifest: testtoc.Annotate(l)}, l.Image())}
			tt.opts.TrustTOC = true
			res, err := Pass(t.Context(), img, tt.opts, elves{}, named{"status", 0})
			if tt.kind == nil {
				if err != nil || res.Layers[0].TOC.IsZero() {
					t.Fatalf("got %v", err)
				}
				return
			}
			if err == nil {
				t.Fatalf("accepted; NoTOC %q", res.Layers[0].NoTOC)
			}
			if res != nil || assay.KindOf(err) != tt.kind {
				t.Errorf("error of kind %v, want %v: %v", assay.KindOf(err), tt.kind, err)
			}
			for _, s := range tt.says {
				if !strings.Contains(err.Error(), s) {
					t.Errorf("%q does not name %q", err, s)
				}
			}
		})
	}
}
