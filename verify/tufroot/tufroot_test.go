package tufroot_test

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/theupdateframework/go-tuf/v2/metadata"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/verify/tufroot"
)

const (
	first  = `{"mediaType":"first"}`
	second = `{"mediaType":"second"}`
)

func newClient(t testing.TB, o tufroot.Options) *tufroot.Client {
	t.Helper()
	o.Retries = -1
	c, err := tufroot.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func fetch(t testing.TB, c *tufroot.Client, want string) *tufroot.Result {
	t.Helper()
	r, err := c.Fetch(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got := string(r.Files[tufroot.TrustedRoot]); got != want {
		t.Fatalf("got %s, want %s", got, want)
	}
	return r
}

func fails(t testing.TB, c *tufroot.Client, kind error, says ...string) error {
	t.Helper()
	r, err := c.Fetch(t.Context())
	if !errors.Is(err, kind) {
		t.Fatalf("got %v, want %v", err, kind)
	}
	for _, s := range says {
		if !strings.Contains(err.Error(), s) {
			t.Errorf("%q does not say %q", err, s)
		}
	}
	if r != nil {
		t.Error("a result beside an error")
	}
	return err
}

func TestFetch(t *testing.T) {
	for _, cache := range []bool{false, true} {
		t.Run(fmt.Sprintf("cache %v", cache), func(t *testing.T) {
			repo := newRepository(t, map[string]string{tufroot.TrustedRoot: first, tufroot.SigningConfig: "{}"})
			o := tufroot.Options{Mirror: repo.url + "/", Root: repo.get("1.root.json")}
			if cache {
				o.Cache = filepath.Join(t.TempDir(), "tuf")
			}
			c := newClient(t, o)
			r, err := c.Fetch(t.Context(), tufroot.TrustedRoot, tufroot.SigningConfig)
			if err != nil {
				t.Fatal(err)
			}
			want := map[string][]byte{tufroot.TrustedRoot: []byte(first), tufroot.SigningConfig: []byte("{}")}
			if diff := cmp.Diff(want, r.Files); diff != "" {
				t.Errorf("files (-want +got):\n%s", diff)
			}
			if r.Root != 1 || r.Timestamp != 1 || r.Snapshot != 1 || r.Targets != 1 || r.Unreached != nil || r.Stale || !r.Expires.Equal(repo.timestamp.Signed.Expires) {
				t.Errorf("result %+v", r)
			}
			// The keys of all roles are rotated, and the root twice.
			old := repo.rotate(metadata.ROOT)
			repo.root.Signed.Version++
			repo.signRoot(old)
			for _, role := range roleNames[1:] {
				repo.rotate(role)
			}
			repo.root.Signed.Version++
			repo.signRoot(nil)
			repo.bump(map[string]string{tufroot.TrustedRoot: second})
			if r := fetch(t, c, second); r.Root != 3 || r.Targets != 2 {
				t.Errorf("result %+v", r)
			}
			repo.asked()
			fetch(t, newClient(t, o), second)
			wantAsked := []string{"/2.root.json", "/3.root.json", "/4.root.json", "/timestamp.json", "/2.snapshot.json", "/2.targets.json"}
			if cache {
				wantAsked = []string{"/4.root.json", "/timestamp.json"}
			}
			got := repo.asked()
			if !cache {
				got = got[:len(got)-1] // the target, by its digest
			}
			if diff := cmp.Diff(wantAsked, got); diff != "" {
				t.Errorf("asked for (-want +got):\n%s", diff)
			}
		})
	}
}

// What the mirror must not do. Each change is made after a first fetch, unless it
// says so, with a cache.
func TestRefuses(t *testing.T) {
	tests := []struct {
		name string
		do   func(r *repository)
		kind error
		says string
	}{
		{"timestamp rolled back (CVE-2022-29173)", func(r *repository) {
			r.timestamp.Signed.Version--
			r.publish()
		}, assay.ErrRefuted, "timestamp.json"},
		{"snapshot rolled back", func(r *repository) {
			r.timestamp.Signed.Version++
			r.snapshot.Signed.Version--
			r.publish()
		}, assay.ErrRefuted, "timestamp.json"},
		{"targets rolled back", func(r *repository) {
			r.timestamp.Signed.Version++
			r.snapshot.Signed.Version++
			r.targets.Signed.Version--
			r.publish()
		}, assay.ErrRefuted, "snapshot.json"},
		{"timestamp expired (freeze)", func(r *repository) {
			r.timestamp.Signed.Expires = time.Now().Add(-time.Minute)
			r.timestamp.Signed.Version++
			r.publish()
		}, assay.ErrUnchecked, "timestamp.json is expired"},
		{"snapshot expired", func(r *repository) {
			r.snapshot.Signed.Expires = time.Now().Add(-time.Minute)
			r.bump(nil)
		}, assay.ErrUnchecked, "snapshot.json is expired"},
		{"targets expired", func(r *repository) {
			r.targets.Signed.Expires = time.Now().Add(-time.Minute)
			r.bump(nil)
		}, assay.ErrUnchecked, "targets is expired"},
		{"root expired", func(r *repository) {
			r.root.Signed.Expires = time.Now().Add(-time.Minute)
			r.root.Signed.Version++
			r.signRoot(nil)
		}, assay.ErrUnchecked, "root.json is expired"},
		{"root that the one before did not sign", func(r *repository) {
			r.rotate(metadata.ROOT)
			r.root.Signed.Version++
			r.signRoot(nil)
		}, assay.ErrRefuted, "root.json"},
		{"root that does not sign itself", func(r *repository) {
			old := r.rotate(metadata.ROOT)
			r.root.Signed.Version++
			r.put("3.root.json", signed(r, r.root, old))
		}, assay.ErrRefuted, "root.json"},
		{"root that skips a version", func(r *repository) {
			r.root.Signed.Version += 2
			r.put("3.root.json", signed(r, r.root, r.keys[metadata.ROOT]))
		}, assay.ErrRefuted, "root.json"},
		{"root that wants no signature (CVE-2026-23992)", func(r *repository) {
			r.root.Signed.Roles[metadata.TIMESTAMP].Threshold = 0
			r.root.Signed.Version++
			r.signRoot(nil)
			r.timestamp.Signed.Version++
			r.put("timestamp.json", signed(r, r.timestamp))
		}, assay.ErrInvalid, "threshold"},
		{"one signature twice for a threshold of two", func(r *repository) {
			r.root.Signed.Roles[metadata.TIMESTAMP].Threshold = 2
			r.root.Signed.Version++
			r.signRoot(nil)
			r.timestamp.Signed.Version++
			r.put("timestamp.json", signed(r, r.timestamp, r.keys[metadata.TIMESTAMP], r.keys[metadata.TIMESTAMP]))
		}, assay.ErrInvalid, "multiple signatures"},
		{"timestamp of another key", func(r *repository) {
			r.timestamp.Signed.Version++
			r.put("timestamp.json", signed(r, r.timestamp, r.keys[metadata.SNAPSHOT]))
		}, assay.ErrRefuted, "timestamp.json"},
		{"timestamp that names no snapshot", func(r *repository) {
			r.timestamp.Signed.Version++
			r.timestamp.Signed.Meta = map[string]*metadata.MetaFiles{}
			r.put("timestamp.json", signed(r, r.timestamp, r.keys[metadata.TIMESTAMP]))
		}, assay.ErrInvalid, "/signed/meta/snapshot.json"},
		{"a null", func(r *repository) {
			r.put("timestamp.json", []byte(`{"signed":{"_type":"timestamp","version":9,"expires":"2099-01-01T00:00:00Z","meta":{"snapshot.json":null}},"signatures":[]}`))
		}, assay.ErrInvalid, "/signed/meta/snapshot.json"},
		{"a member twice", func(r *repository) {
			r.put("timestamp.json", []byte(strings.Replace(string(r.get("timestamp.json")), `"version":2`, `"version":2,"version":2`, 1)))
		}, assay.ErrInvalid, "/version: invalid: got \"version\""},
		{"another role in its place (CVE-2026-23991)", func(r *repository) {
			r.put("timestamp.json", r.get("2.snapshot.json"))
		}, assay.ErrInvalid, "/signed/_type"},
		{"mixed snapshot", func(r *repository) {
			r.timestamp.Signed.Version++
			r.timestamp.Signed.Meta["snapshot.json"].Version++
			r.put("timestamp.json", signed(r, r.timestamp, r.keys[metadata.TIMESTAMP]))
			r.put("3.snapshot.json", r.get("2.snapshot.json"))
		}, assay.ErrRefuted, "snapshot.json"},
		{"another file", func(r *repository) {
			r.bump(map[string]string{tufroot.TrustedRoot: second})
			for path := range r.files {
				if strings.HasPrefix(path, "targets/") {
					r.put(path, []byte(strings.Repeat("x", len(second))))
				}
			}
		}, assay.ErrRefuted, tufroot.TrustedRoot},
		{"a file without end", func(r *repository) {
			r.bump(map[string]string{tufroot.TrustedRoot: second})
			r.answers(endless("/targets/"))
		}, assay.ErrBound, "more"},
		{"a root without end", func(r *repository) { r.answers(endless("root.json")) }, assay.ErrBound, "524288"},
		{"a timestamp without end", func(r *repository) { r.answers(endless("timestamp.json")) }, assay.ErrBound, "16384"},
		{"a snapshot without end", func(r *repository) {
			r.bump(nil)
			r.answers(endless("snapshot.json"))
		}, assay.ErrBound, "2097152"},
		{"no such file", func(r *repository) {
			delete(r.targets.Signed.Targets, tufroot.TrustedRoot)
			r.bump(nil)
		}, assay.ErrAbsent, tufroot.TrustedRoot},
		{"a redirect", func(r *repository) {
			r.answers(func(w http.ResponseWriter, req *http.Request) bool {
				http.Redirect(w, req, "https://elsewhere.example/", http.StatusFound)
				return true
			})
		}, assay.ErrUnchecked, "redirects are not followed"},
		{"forbidden", func(r *repository) {
			r.answers(func(w http.ResponseWriter, _ *http.Request) bool { w.WriteHeader(http.StatusForbidden); return true })
		}, assay.ErrUnchecked, "403"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			repo := newRepository(t, map[string]string{tufroot.TrustedRoot: first})
			trusted := repo.get("1.root.json")
			repo.bump(nil) // so that there is a version before
			repo.root.Signed.Version++
			repo.signRoot(nil)
			c := newClient(t, tufroot.Options{Mirror: repo.url, Root: trusted, Cache: t.TempDir()})
			fetch(t, c, first)
			tt.do(repo)
			fails(t, c, tt.kind, tt.says)
			// It is not a matter of having been asked once.
			fails(t, c, tt.kind, tt.says)
		})
	}
}

func endless(part string) func(w http.ResponseWriter, r *http.Request) bool {
	return func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.Contains(r.URL.Path, part) {
			return false
		}
		b := make([]byte, 64<<10)
		for {
			if _, err := w.Write(b); err != nil {
				return true
			}
		}
	}
}

// A key that signed a version far ahead is rotated: the next version is taken
// although its number is smaller (TUF, section 5.3.11).
func TestFastForward(t *testing.T) {
	repo := newRepository(t, map[string]string{tufroot.TrustedRoot: first})
	c := newClient(t, tufroot.Options{Mirror: repo.url, Root: repo.get("1.root.json"), Cache: t.TempDir()})
	repo.timestamp.Signed.Version = 1 << 50
	repo.publish()
	fetch(t, c, first)
	repo.rotate(metadata.TIMESTAMP)
	repo.root.Signed.Version++
	repo.signRoot(nil)
	repo.timestamp.Signed.Version = 1
	repo.bump(map[string]string{tufroot.TrustedRoot: second})
	if r := fetch(t, c, second); r.Timestamp != 2 {
		t.Errorf("timestamp %d", r.Timestamp)
	}
	// And it is remembered.
	repo.timestamp.Signed.Version = 1
	repo.publish()
	fails(t, c, assay.ErrRefuted, "timestamp.json")
}

func TestOffline(t *testing.T) {
	repo := newRepository(t, map[string]string{tufroot.TrustedRoot: first, tufroot.SigningConfig: "{}"})
	o := tufroot.Options{Mirror: repo.url, Root: repo.get("1.root.json"), Cache: t.TempDir()}
	off := o
	off.Offline = true
	fails(t, newClient(t, off), assay.ErrUnchecked, "a cache that a repository has filled")
	online := newClient(t, o)
	want := fetch(t, online, first)

	down := func(w http.ResponseWriter, _ *http.Request) bool { w.WriteHeader(http.StatusBadGateway); return true }
	repo.answers(down)
	repo.asked()
	for name, c := range map[string]*tufroot.Client{"offline": newClient(t, off), "unreached": newClient(t, o)} {
		got := fetch(t, c, first)
		if got.Unreached == nil || got.Stale || !got.Checked.Equal(want.Checked) || !got.Expires.Equal(want.Expires) {
			t.Errorf("%s: %+v", name, got)
		}
		if name == "unreached" && !strings.Contains(got.Unreached.Error(), "502") {
			t.Errorf("unreached: %v", got.Unreached)
		}
	}
	if _, err := newClient(t, off).Fetch(t.Context(), tufroot.SigningConfig); !errors.Is(err, assay.ErrUnchecked) || !strings.Contains(err.Error(), "fetched before") {
		t.Errorf("a file that is not in the cache: %v", err)
	}

	// The day after it has expired: refused, but for who wants it stale.
	late := off
	late.Clock = func() time.Time { return time.Now().Add(36 * time.Hour) }
	fails(t, newClient(t, late), assay.ErrUnchecked, "expired")
	late.StaleUnsafe = time.Hour
	fails(t, newClient(t, late), assay.ErrUnchecked, "expired")
	late.StaleUnsafe = 24 * time.Hour
	if got := fetch(t, newClient(t, late), first); !got.Stale {
		t.Errorf("not stale: %+v", got)
	}
	// A mirror that is there and gives what has expired is not one that is away.
	repo.answers(nil)
	late.Offline = false
	fails(t, newClient(t, late), assay.ErrUnchecked, "expired")

	// A newer root that was seen before the mirror went away binds the cache: its
	// keys are not those that signed what is in there.
	repo.rotate(metadata.TARGETS)
	repo.root.Signed.Version++
	repo.signRoot(nil)
	repo.answers(func(w http.ResponseWriter, r *http.Request) bool {
		if strings.HasSuffix(r.URL.Path, "root.json") {
			return false
		}
		return down(w, r)
	})
	fails(t, newClient(t, o), assay.ErrRefuted, "targets.json")
	fails(t, newClient(t, off), assay.ErrRefuted, "targets.json")
}

// What is in the cache is not believed.
func TestCacheIsVerified(t *testing.T) {
	repo := newRepository(t, map[string]string{tufroot.TrustedRoot: first})
	evil := newRepository(t, map[string]string{tufroot.TrustedRoot: second})
	dir, other := t.TempDir(), t.TempDir()
	o := tufroot.Options{Mirror: repo.url, Root: repo.get("1.root.json"), Cache: dir, Offline: true}
	fetch(t, newClient(t, tufroot.Options{Mirror: repo.url, Root: o.Root, Cache: dir}), first)
	fetch(t, newClient(t, tufroot.Options{Mirror: evil.url, Root: evil.get("1.root.json"), Cache: other}), second)
	file := func(dir string) string {
		all, err := filepath.Glob(filepath.Join(dir, "*"))
		if err != nil || len(all) != 1 {
			t.Fatalf("the cache has %v, %v", all, err)
		}
		return all[0]
	}
	mine := file(dir)
	good, err := os.ReadFile(mine)
	if err != nil {
		t.Fatal(err)
	}
	forged, err := os.ReadFile(file(other))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		data []byte
		kind error
	}{
		{"of another repository", forged, assay.ErrRefuted},
		{"cut", good[:len(good)/2], assay.ErrInvalid},
		{"empty", nil, assay.ErrInvalid},
		{"another file", []byte(strings.Replace(string(good), `"files":{"trusted_root.json":"`, `"files":{"trusted_root.json":"AAAA`, 1)), assay.ErrRefuted},
	} {
		if err := os.WriteFile(mine, tt.data, 0o600); err != nil {
			t.Fatal(err)
		}
		t.Run(tt.name, func(t *testing.T) { fails(t, newClient(t, o), tt.kind) })
	}
	// A process that died while it wrote leaves a file beside, which is nothing.
	if err := os.WriteFile(mine, good, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, ".tuf-1"), good[:10], 0o600); err != nil {
		t.Fatal(err)
	}
	fetch(t, newClient(t, o), first)
}

// Every place where an update can end leaves a cache that the next one goes on from.
func TestInterrupted(t *testing.T) {
	for n := 0; ; n++ {
		repo := newRepository(t, map[string]string{tufroot.TrustedRoot: first})
		o := tufroot.Options{Mirror: repo.url, Root: repo.get("1.root.json"), Cache: t.TempDir()}
		fetch(t, newClient(t, o), first)
		old := repo.rotate(metadata.ROOT)
		repo.root.Signed.Version++
		repo.signRoot(old)
		repo.bump(map[string]string{tufroot.TrustedRoot: second})
		var asked atomic.Int64 // by the server's goroutines
		repo.answers(func(http.ResponseWriter, *http.Request) bool {
			if asked.Add(1) > int64(n) {
				panic(http.ErrAbortHandler)
			}
			return false
		})
		r, err := newClient(t, o).Fetch(t.Context())
		if err != nil {
			t.Fatalf("cut at request %d: %v", n, err)
		}
		cut := asked.Load() > int64(n)
		if got := string(r.Files[tufroot.TrustedRoot]); cut && (got != first || r.Unreached == nil) || !cut && got != second {
			t.Errorf("cut at request %d: got %s, %v", n, got, r.Unreached)
		}
		repo.answers(nil)
		fetch(t, newClient(t, o), second)
		if !cut {
			if n < 5 {
				t.Errorf("an update of %d requests", n)
			}
			return
		}
	}
}

func TestConcurrently(t *testing.T) {
	repo := newRepository(t, map[string]string{tufroot.TrustedRoot: first})
	o := tufroot.Options{Mirror: repo.url, Root: repo.get("1.root.json"), Cache: t.TempDir()}
	one := newClient(t, o)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for _, c := range []*tufroot.Client{one, newClient(t, o)} {
				if r, err := c.Fetch(t.Context()); err != nil || string(r.Files[tufroot.TrustedRoot]) != first {
					t.Errorf("got %+v, %v", r, err)
				}
			}
		})
	}
	wg.Wait()
}

// A program that is older, or newer, than the cache reads it with the root it has.
func TestRootOfAnotherTime(t *testing.T) {
	repo := newRepository(t, map[string]string{tufroot.TrustedRoot: first})
	for range 2 {
		old := repo.rotate(metadata.ROOT)
		repo.root.Signed.Version++
		repo.signRoot(old)
	}
	dir := t.TempDir()
	for _, version := range []int{2, 3, 1, 2} {
		c := newClient(t, tufroot.Options{Mirror: repo.url, Root: repo.get(fmt.Sprintf("%d.root.json", version)), Cache: dir})
		if r := fetch(t, c, first); r.Root != 3 {
			t.Errorf("from root %d: root %d", version, r.Root)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	repo := newRepository(t, map[string]string{tufroot.TrustedRoot: first})
	root := repo.get("1.root.json")
	for _, tt := range []struct {
		name string
		o    tufroot.Options
		kind error
		says string
	}{
		{"no mirror", tufroot.Options{Root: root}, assay.ErrInvalid, "Mirror"},
		{"a folder", tufroot.Options{Mirror: "file:///x", Root: root}, assay.ErrInvalid, "Mirror"},
		{"no root", tufroot.Options{Mirror: repo.url}, assay.ErrInvalid, "root.json"},
		{"a timestamp", tufroot.Options{Mirror: repo.url, Root: repo.get("timestamp.json")}, assay.ErrInvalid, "/signed/_type"},
		{"unsigned", tufroot.Options{Mirror: repo.url, Root: signed(repo, repo.root)}, assay.ErrRefuted, "root.json"},
		{"offline without a cache", tufroot.Options{Mirror: repo.url, Root: root, Offline: true}, assay.ErrInvalid, "Cache"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := tufroot.New(tt.o); !errors.Is(err, tt.kind) || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("got %v, want %v that says %s", err, tt.kind, tt.says)
			}
		})
	}
	c := newClient(t, tufroot.Options{Mirror: repo.url, Root: root})
	for _, name := range []string{"", "../trusted_root.json", "a/b", `a\b`, ".x", "a?b", "%2e%2e"} {
		if _, err := c.Fetch(t.Context(), name); !errors.Is(err, assay.ErrInvalid) {
			t.Errorf("target %q (CVE-2026-24137): %v", name, err)
		}
	}
}
