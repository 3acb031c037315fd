package tufroot_test

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sigstore/sigstore/pkg/signature"
	"github.com/theupdateframework/go-tuf/v2/metadata"
)

// repository is a TUF repository that serves on loopback.
type repository struct {
	t    testing.TB
	keys map[string]ed25519.PrivateKey // by role

	root      *metadata.Metadata[metadata.RootType]
	timestamp *metadata.Metadata[metadata.TimestampType]
	snapshot  *metadata.Metadata[metadata.SnapshotType]
	targets   *metadata.Metadata[metadata.TargetsType]

	url string

	mu       sync.Mutex
	files    map[string][]byte
	requests []string
	answer   func(w http.ResponseWriter, r *http.Request) bool // in place of the files
}

var roleNames = []string{metadata.ROOT, metadata.TIMESTAMP, metadata.SNAPSHOT, metadata.TARGETS}

// newRepository has the files, and metadata that expires in a day; the root in a
// year.
func newRepository(t testing.TB, files map[string]string) *repository {
	t.Helper()
	r := &repository{t: t, keys: map[string]ed25519.PrivateKey{}, files: map[string][]byte{}}
	day := time.Now().Add(24 * time.Hour).UTC().Truncate(time.Second)
	r.root = metadata.Root(day.AddDate(1, 0, 0))
	r.timestamp, r.snapshot, r.targets = metadata.Timestamp(day), metadata.Snapshot(day), metadata.Targets(day)
	for _, role := range roleNames {
		r.addKey(role)
	}
	r.signRoot(nil)
	r.setFiles(files)
	r.publish()
	server := httptest.NewServer(r)
	t.Cleanup(server.Close)
	r.url = server.URL
	return r
}

func (r *repository) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

func (r *repository) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	r.mu.Lock()
	answer := r.answer
	r.requests = append(r.requests, req.URL.Path)
	data, ok := r.files[strings.TrimPrefix(req.URL.Path, "/")]
	r.mu.Unlock()
	switch {
	case answer != nil && answer(w, req):
	case !ok:
		http.NotFound(w, req)
	default:
		_, _ = w.Write(data)
	}
}

func (r *repository) addKey(role string) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	r.must(err)
	k, err := metadata.KeyFromPublicKey(key.Public())
	r.must(err)
	r.must(r.root.Signed.AddKey(k, role))
	r.keys[role] = key
}

// rotate replaces the key of a role.
func (r *repository) rotate(role string) ed25519.PrivateKey {
	old := r.keys[role]
	k, err := metadata.KeyFromPublicKey(old.Public())
	r.must(err)
	id, err := k.ID()
	r.must(err)
	r.must(r.root.Signed.RevokeKey(id, role))
	r.addKey(role)
	return old
}

func signed[T metadata.Roles](r *repository, m *metadata.Metadata[T], keys ...crypto.PrivateKey) []byte {
	r.t.Helper()
	m.ClearSignatures()
	for _, k := range keys {
		s, err := signature.LoadSigner(k, crypto.Hash(0))
		r.must(err)
		_, err = m.Sign(s)
		r.must(err)
	}
	b, err := m.ToBytes(false)
	r.must(err)
	return b
}

// signRoot signs the root with its key, and with the one that it replaces, and puts
// it where its version says.
func (r *repository) signRoot(old ed25519.PrivateKey) []byte {
	keys := []crypto.PrivateKey{r.keys[metadata.ROOT]}
	if old != nil {
		keys = append(keys, old)
	}
	b := signed(r, r.root, keys...)
	r.put(fmt.Sprintf("%d.root.json", r.root.Signed.Version), b)
	return b
}

func (r *repository) put(path string, b []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.files[path] = b
}

func (r *repository) get(path string) []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.files[path]
}

// answers has a function answer first; nil ends that.
func (r *repository) answers(f func(w http.ResponseWriter, req *http.Request) bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = f
}

// asked are the paths that were asked for since the last call.
func (r *repository) asked() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := r.requests
	r.requests = nil
	return out
}

func (r *repository) setFiles(files map[string]string) {
	for name, content := range files {
		info, err := metadata.TargetFile().FromBytes(name, []byte(content), "sha256")
		r.must(err)
		r.targets.Signed.Targets[name] = info
		sum := sha256.Sum256([]byte(content))
		r.put("targets/"+hex.EncodeToString(sum[:])+"."+name, []byte(content))
	}
}

// publish signs and puts what the timestamp leads to, as it is.
func (r *repository) publish() {
	r.put(fmt.Sprintf("%d.targets.json", r.targets.Signed.Version), signed(r, r.targets, r.keys[metadata.TARGETS]))
	r.snapshot.Signed.Meta["targets.json"] = metadata.MetaFile(r.targets.Signed.Version)
	r.put(fmt.Sprintf("%d.snapshot.json", r.snapshot.Signed.Version), signed(r, r.snapshot, r.keys[metadata.SNAPSHOT]))
	r.timestamp.Signed.Meta["snapshot.json"] = metadata.MetaFile(r.snapshot.Signed.Version)
	r.put("timestamp.json", signed(r, r.timestamp, r.keys[metadata.TIMESTAMP]))
}

// bump publishes the files under new versions of everything but the root.
func (r *repository) bump(files map[string]string) {
	r.setFiles(files)
	r.targets.Signed.Version++
	r.snapshot.Signed.Version++
	r.timestamp.Signed.Version++
	r.publish()
}
