package testimage

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"io"
	"log"
	"maps"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/assaykit/assay"
)

const refName = "org.opencontainers.image.ref.name"

// Member is an entry of an index.
type Member struct {
	Image    *Image
	Platform assay.Platform
	// Attests makes the member a BuildKit attestation manifest of that image.
	Attests *Image
	// Annotations of the descriptor.
	Annotations map[string]string
}

// Index is an image index with its images.
type Index struct {
	Raw     []byte
	Members []Member
}

// NewIndex builds an image index.
func NewIndex(t testing.TB, members ...Member) *Index {
	t.Helper()
	m := v1.IndexManifest{SchemaVersion: 2, MediaType: types.OCIImageIndex, Manifests: []v1.Descriptor{}}
	for _, e := range members {
		d := e.Image.Descriptor()
		d.Annotations = e.Annotations
		p := e.Platform
		if e.Attests != nil {
			p = assay.Platform{OS: "unknown", Architecture: "unknown"}
			d.Annotations = map[string]string{
				"vnd.docker.reference.type":   "attestation-manifest",
				"vnd.docker.reference.digest": e.Attests.ID().String(),
			}
		}
		if !p.IsZero() {
			d.Platform = &v1.Platform{OS: p.OS, Architecture: p.Architecture, Variant: p.Variant, OSVersion: p.OSVersion}
		}
		m.Manifests = append(m.Manifests, d)
	}
	return &Index{Raw: marshal(t, m), Members: members}
}

// ID is the digest of the index.
func (x *Index) ID() assay.Digest { return assay.MustDigest(Sum(x.Raw).String()) }

// Descriptor describes the index.
func (x *Index) Descriptor() v1.Descriptor {
	return v1.Descriptor{MediaType: types.OCIImageIndex, Digest: Sum(x.Raw), Size: int64(len(x.Raw))}
}

// Descriptor describes the image's manifest.
func (i *Image) Descriptor() v1.Descriptor {
	return v1.Descriptor{MediaType: i.parsed.MediaType, Digest: Sum(i.manifest), Size: int64(len(i.manifest))}
}

// all gives every blob, manifests included.
func (i *Image) all() map[v1.Hash][]byte {
	m := map[v1.Hash][]byte{Sum(i.manifest): i.manifest}
	for h, b := range i.blobs {
		m[h] = b
	}
	return m
}

// Layout holds images and indexes to write as an OCI image layout.
type Layout struct {
	// Images and Indexes by tag; the tag "" gives none.
	Images  map[string]*Image
	Indexes map[string]*Index
}

// Files gives the contents of the layout by path.
func (l Layout) Files(t testing.TB) map[string][]byte {
	t.Helper()
	files := map[string][]byte{"oci-layout": []byte(`{"imageLayoutVersion":"1.0.0"}`)}
	top := v1.IndexManifest{SchemaVersion: 2, MediaType: types.OCIImageIndex, Manifests: []v1.Descriptor{}}
	put := func(img *Image) {
		for h, b := range img.all() {
			files["blobs/"+h.Algorithm+"/"+h.Hex] = b
		}
	}
	list := func(tag string, d v1.Descriptor) {
		if tag != "" {
			d.Annotations = map[string]string{refName: tag}
		}
		top.Manifests = append(top.Manifests, d)
	}
	for _, tag := range sortedKeys(l.Images) {
		put(l.Images[tag])
		list(tag, l.Images[tag].Descriptor())
	}
	for _, tag := range sortedKeys(l.Indexes) {
		x := l.Indexes[tag]
		for _, m := range x.Members {
			put(m.Image)
		}
		files["blobs/sha256/"+Sum(x.Raw).Hex] = x.Raw
		list(tag, x.Descriptor())
	}
	files["index.json"] = marshal(t, top)
	return files
}

// WriteLayout writes an OCI image layout into a new folder and gives its path.
func WriteLayout(t testing.TB, l Layout) string {
	t.Helper()
	dir := t.TempDir()
	for path, data := range l.Files(t) {
		WriteFile(t, filepath.Join(dir, filepath.FromSlash(path)), data)
	}
	return dir
}

// WriteArchive writes an OCI image layout as a tar archive and gives its path.
func WriteArchive(t testing.TB, l Layout) string {
	t.Helper()
	return writeTar(t, l.Files(t))
}

// WriteDocker writes images as "docker save" did before it wrote OCI layouts, with
// uncompressed layers as they come, and gives the path. Tags are "name:tag".
func WriteDocker(t testing.TB, images map[string]*Image) string {
	t.Helper()
	type item struct {
		Config   string
		RepoTags []string
		Layers   []string
	}
	files := make(map[string][]byte)
	var items []item
	for _, tag := range sortedKeys(images) {
		img := images[tag]
		it := item{Config: Sum(img.config).Hex + ".json"}
		if tag != "" {
			it.RepoTags = []string{tag}
		}
		files[it.Config] = img.config
		for _, l := range img.layers {
			path := Sum(l.blob).Hex + "/layer.tar"
			files[path] = l.blob
			it.Layers = append(it.Layers, path)
		}
		items = append(items, it)
	}
	files["manifest.json"] = marshal(t, items)
	return writeTar(t, files)
}

func writeTar(t testing.TB, files map[string][]byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "image.tar")
	WriteFile(t, path, TarOf(t, files))
	return path
}

// TarOf gives a tar archive of files, by path.
func TarOf(t testing.TB, files map[string][]byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, path := range sortedKeys(files) {
		if err := w.WriteHeader(&tar.Header{Name: path, Mode: 0o644, Size: int64(len(files[path])), Typeflag: tar.TypeReg}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(files[path]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// WriteFile writes a file and the folders above it.
func WriteFile(t testing.TB, path string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

// Registry starts a registry in this process, with the referrers API, and gives its
// host. It ends with the test.
func Registry(t testing.TB) string {
	t.Helper()
	s := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0)), registry.WithReferrersSupport(true)))
	t.Cleanup(s.Close)
	return strings.TrimPrefix(s.URL, "http://")
}

// Push puts an image into a registry, under "host/repository:tag", and gives its
// reference by digest.
func Push(t testing.TB, ref string, img v1.Image) name.Digest {
	t.Helper()
	r, err := name.ParseReference(ref)
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.Write(r, img); err != nil {
		t.Fatal(err)
	}
	h, err := img.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return r.Context().Digest(h.String())
}

// PushIndex puts an index and its images into a registry, see [Push].
func PushIndex(t testing.TB, ref string, x *Index) name.Digest {
	t.Helper()
	r, err := name.ParseReference(ref)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range x.Members {
		Push(t, r.Context().Digest(m.Image.ID().String()).String(), m.Image)
	}
	if err := remote.Put(r, rawManifest{x.Raw, types.OCIImageIndex}); err != nil {
		t.Fatal(err)
	}
	return r.Context().Digest(x.ID().String())
}

type rawManifest struct {
	raw []byte
	mt  types.MediaType
}

func (r rawManifest) RawManifest() ([]byte, error)        { return r.raw, nil }
func (r rawManifest) MediaType() (types.MediaType, error) { return r.mt, nil }

func marshal(t testing.TB, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
