package image

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/layers"
	"github.com/assaykit/assay/internal/testimage"
	"github.com/assaykit/assay/internal/testregistry"
	"github.com/assaykit/assay/internal/testtoc"
)

// tableImage is an image of one layer with a table, most of which nobody needs.
func tableImage(t *testing.T) (*testimage.Image, *testtoc.Layer) {
	t.Helper()
	data := make([]byte, 3<<20)
	_, _ = rand.NewChaCha8([32]byte{1}).Read(data)
	archive, err := testimage.Tar(testimage.File{Name: "etc/os-release", Body: "ID=test\n"}, testimage.File{Name: "data", Body: string(data)},
		testimage.File{Name: "etc/passwd", Body: "root:x:0:0::/:/bin/sh\n"})
	if err != nil {
		t.Fatal(err)
	}
	l, err := testtoc.Stargz(archive, testtoc.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return testimage.NewWith(t, testimage.Options{Manifest: testtoc.Annotate(l)}, l.Image()), l
}

// byTable reads an image by its tables.
func byTable(ctx context.Context, ref string, r Registry) (*layers.Result, error) {
	o, err := Open(ctx, ref, Options{Registry: r})
	if err != nil {
		return nil, err
	}
	defer o.Close()
	return layers.Pass(ctx, o.Image(), layers.Options{TrustTOC: true, Digest: o.Digest()})
}

// isRange tells the requests for a part of a blob.
func isRange(r *http.Request) bool {
	return strings.Contains(r.URL.Path, "/blobs/") && r.Header.Get("Range") != ""
}

func TestRange(t *testing.T) {
	img, l := tableImage(t)
	ref := push(t, serve(t, nil), "app:v1", img)
	o, err := Open(t.Context(), ref, Options{Registry: quick()})
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	ls, err := o.Image().Layers()
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range [][2]int64{{0, 1}, {100, 5000}, {int64(len(l.Blob)) - 10, 10}, {0, int64(len(l.Blob))}} {
		rc, err := ls[0].(layers.Ranger).Range(t.Context(), at[0], at[1])
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(rc)
		rc.Close()
		if err != nil || string(got) != string(l.Blob[at[0]:at[0]+at[1]]) {
			t.Errorf("%d bytes from %d: %d other ones, %v", at[1], at[0], len(got), err)
		}
	}
}

func TestByTable(t *testing.T) {
	img, l := tableImage(t)
	for _, tt := range []struct {
		name   string
		change func(w http.ResponseWriter, r *http.Request, next http.Handler)
		// whole is why the layer is to be read whole.
		whole string
		kind  error
		says  string
	}{
		{name: "right"},
		{name: "range ignored", change: func(w http.ResponseWriter, r *http.Request, next http.Handler) {
			r.Header.Del("Range")
			next.ServeHTTP(w, r)
		}, whole: layers.ErrNoRange.Error()},
		{name: "range refused", change: status(http.StatusRequestedRangeNotSatisfiable), whole: layers.ErrNoRange.Error()},
		{name: "another range", change: func(w http.ResponseWriter, r *http.Request, next http.Handler) {
			r.Header.Set("Range", "bytes=0-50")
			next.ServeHTTP(w, r)
		}, whole: layers.ErrNoRange.Error()},
		{name: "size of another blob", change: rewritten(func(h http.Header) {
			h.Set("Content-Range", strings.Replace(h.Get("Content-Range"), "/", "/9", 1))
		}), whole: layers.ErrNoRange.Error()},
		{name: "no content range", change: rewritten(func(h http.Header) { h.Del("Content-Range") }), whole: layers.ErrNoRange.Error()},
		{name: "another length", change: func(w http.ResponseWriter, r *http.Request, next http.Handler) {
			rec := httptest.NewRecorder()
			next.ServeHTTP(rec, r)
			w.Header().Set("Content-Range", rec.Header().Get("Content-Range"))
			w.Header().Set("Content-Length", fmt.Sprint(rec.Body.Len()+1))
			w.WriteHeader(http.StatusPartialContent)
			_, _ = w.Write(append(rec.Body.Bytes(), 'x'))
		}, whole: layers.ErrNoRange.Error()},
		{name: "encoded", change: rewritten(func(h http.Header) { h.Set("Content-Encoding", "br") }), whole: layers.ErrNoRange.Error()},
		{name: "size of the blob not known", change: rewritten(func(h http.Header) {
			at, _, _ := strings.Cut(h.Get("Content-Range"), "/")
			h.Set("Content-Range", at+"/*")
		})},
		{name: "busy once", change: once(status(http.StatusServiceUnavailable))},
		{name: "not there", change: status(http.StatusNotFound), kind: assay.ErrUnchecked, says: "status 404"},
		{name: "forbidden", change: status(http.StatusForbidden), kind: assay.ErrUnchecked, says: "status 403"},
		{name: "in trouble", change: status(http.StatusInternalServerError), kind: assay.ErrUnchecked, says: "status 500"},
		{name: "cut off", change: func(w http.ResponseWriter, r *http.Request, next http.Handler) {
			rec := httptest.NewRecorder()
			next.ServeHTTP(rec, r)
			w.Header().Set("Content-Range", rec.Header().Get("Content-Range"))
			w.Header().Set("Content-Length", fmt.Sprint(rec.Body.Len()))
			w.WriteHeader(http.StatusPartialContent)
			_, _ = w.Write(rec.Body.Bytes()[:rec.Body.Len()/2])
			panic(http.ErrAbortHandler)
		}, kind: assay.ErrUnchecked, says: "EOF"},
		{name: "other bytes", change: spoiled(0), whole: "not announced by a footer"},
		{name: "other bytes of the contents", change: spoiled(l.Table[0]), kind: assay.ErrRefuted, says: "chunk at"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			host := serve(t, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
				if tt.change == nil || !isRange(r) {
					next.ServeHTTP(w, r)
					return
				}
				tt.change(w, r, next)
			})
			res, err := byTable(t.Context(), push(t, host, "app:v1", img), func() Registry { r := quick(); r.Retries = 1; return r }())
			if tt.kind != nil {
				if res != nil || assay.KindOf(err) != tt.kind || !strings.Contains(err.Error(), tt.says) {
					t.Errorf("got %v, want %v and %q", err, tt.kind, tt.says)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			layer := res.Layers[0]
			if layer.TOC.IsZero() != (tt.whole != "") || !strings.Contains(layer.NoTOC, tt.whole) {
				t.Errorf("layer %+v, want it whole because %q", layer, tt.whole)
			}
			if c, err := res.Content("etc/passwd"); err != nil || string(c) != "root:x:0:0::/:/bin/sh\n" {
				t.Errorf("content %q, %v", c, err)
			}
		})
	}
}

func status(code int) func(http.ResponseWriter, *http.Request, http.Handler) {
	return func(w http.ResponseWriter, _ *http.Request, _ http.Handler) { w.WriteHeader(code) }
}

// once changes the first answer only.
func once(change func(http.ResponseWriter, *http.Request, http.Handler)) func(http.ResponseWriter, *http.Request, http.Handler) {
	var n atomic.Int64
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if n.Add(1) == 1 {
			change(w, r, next)
			return
		}
		next.ServeHTTP(w, r)
	}
}

// rewritten changes the header of the right answer.
func rewritten(change func(http.Header)) func(http.ResponseWriter, *http.Request, http.Handler) {
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		rec := httptest.NewRecorder()
		next.ServeHTTP(rec, r)
		change(rec.Header())
		for k, v := range rec.Header() {
			w.Header()[k] = v
		}
		w.WriteHeader(rec.Code)
		_, _ = w.Write(rec.Body.Bytes())
	}
}

// spoiled changes the bytes of answers that end before an offset; 0 is all answers.
func spoiled(before int) func(http.ResponseWriter, *http.Request, http.Handler) {
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		var from, to int
		_, _ = fmt.Sscanf(r.Header.Get("Range"), "bytes=%d-%d", &from, &to)
		rec := httptest.NewRecorder()
		next.ServeHTTP(rec, r)
		for k, v := range rec.Header() {
			w.Header()[k] = v
		}
		w.WriteHeader(rec.Code)
		b := rec.Body.Bytes()
		if before == 0 || to < before {
			for i := range b {
				b[i] ^= 0x55
			}
		}
		_, _ = w.Write(b)
	}
}

// Blobs are often elsewhere: the range is asked for there, too, without credentials.
func TestRangeRedirected(t *testing.T) {
	img, l := tableImage(t)
	var mu sync.Mutex
	var asked []string
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		asked = append(asked, r.Header.Get("Range")+r.Header.Get("Authorization"))
		mu.Unlock()
		var from, to int
		if _, err := fmt.Sscanf(r.Header.Get("Range"), "bytes=%d-%d", &from, &to); err != nil {
			t.Errorf("range %q", r.Header.Get("Range"))
			return
		}
		w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, to, len(l.Blob)))
		w.WriteHeader(http.StatusPartialContent)
		_, _ = w.Write(l.Blob[from : to+1])
	}))
	t.Cleanup(elsewhere.Close)
	host := serve(t, func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if isRange(r) {
			http.Redirect(w, r, strings.Replace(elsewhere.URL, "127.0.0.1", "localhost", 1)+"/signed", http.StatusTemporaryRedirect)
			return
		}
		next.ServeHTTP(w, r)
	})
	res, err := byTable(t.Context(), push(t, host, "app:v1", img), quick())
	if err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	defer mu.Unlock()
	if res.Layers[0].TOC.IsZero() || len(asked) < 2 || strings.Contains(strings.Join(asked, ""), "Basic") {
		t.Errorf("layer %+v, asked elsewhere for %q", res.Layers[0], asked)
	}
}

type account struct{ user, password string }

func (a account) Resolve(authn.Resource) (authn.Authenticator, error) {
	return &authn.Basic{Username: a.user, Password: a.password}, nil
}

func TestRangeWithCredentials(t *testing.T) {
	img, _ := tableImage(t)
	r := testregistry.InProcess(t, testregistry.Options{User: "u", Password: "p"})
	front := testregistry.Front(t, r, testregistry.Fault{Path: "nothing", Status: http.StatusTeapot})
	ref := front.Ref("app:v1")
	at, err := Registry{}.ParseReference(ref)
	if err == nil {
		err = remote.Write(at, img, remote.WithAuth(&authn.Basic{Username: "u", Password: "p"}))
	}
	if err != nil {
		t.Fatal(err)
	}
	config := Registry{Keychain: account{"u", "p"}}
	res, err := byTable(t.Context(), ref, config)
	if err != nil {
		t.Fatal(err)
	}
	if res.Layers[0].TOC.IsZero() {
		t.Errorf("layer %+v", res.Layers[0])
	}
	// By way of a mirror.
	upstream := "registry.example"
	config.Mirrors = map[string][]string{upstream: {front.Host}}
	d, _ := img.Digest()
	if res, err = byTable(t.Context(), upstream+"/app@"+d.String(), config); err != nil || res.Layers[0].TOC.IsZero() {
		t.Errorf("by a mirror: %v", err)
	}
	config.Keychain = anonymous{}
	if _, err := byTable(t.Context(), ref, config); !errors.Is(err, assay.ErrUnchecked) {
		t.Errorf("without credentials: %v", err)
	}
}

// Layers of files are read whole: that is what the digest is checked by, and costs no
// network.
func TestNoRangeOfFiles(t *testing.T) {
	img, _ := tableImage(t)
	l := testimage.Layout{Images: map[string]*testimage.Image{"": img}}
	res, err := byTable(t.Context(), "oci:"+testimage.WriteLayout(t, l), Registry{})
	if err != nil {
		t.Fatal(err)
	}
	if got := res.Layers[0]; !got.TOC.IsZero() || got.NoTOC != layers.ErrNoRange.Error() {
		t.Errorf("%+v", got)
	}
}

// The real registry answers ranges.
func TestRangeDistribution(t *testing.T) {
	r := testregistry.Start(t, testregistry.Options{})
	img, _ := tableImage(t)
	ref := testimage.Push(t, r.Ref("app:v1"), img).Name()
	res, err := byTable(t.Context(), ref, quick())
	if err != nil {
		t.Fatal(err)
	}
	if res.Layers[0].TOC.IsZero() {
		t.Errorf("layer %+v", res.Layers[0])
	}
}
