package image

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/layers"
	"github.com/assaykit/assay/internal/strictjson"
)

// dockerItem is one image in the manifest.json of "docker save".
type dockerItem struct {
	Config   string
	RepoTags []string
	Layers   []string
}

// dockerStore gives the blobs of an archive by the digests of the manifest that we
// make for it.
type dockerStore struct {
	*archive
	paths map[v1.Hash]string
}

func (s *dockerStore) blob(_ context.Context, d v1.Descriptor, _ kind) (io.ReadCloser, error) {
	return s.open(s.paths[d.Digest])
}

// openDocker makes an image of one item of the archive. Such an archive has no
// manifest, so one is made: its digest is that of no image in a registry. It
// depends on the archive's contents only.
func openDocker(ctx context.Context, a *archive, tag string) (*img, error) {
	raw, err := smallFile(a, "manifest.json")
	if err != nil {
		return nil, notDocker(a, err)
	}
	var items []dockerItem
	at := a.path + "/manifest.json"
	if err := strictjson.Unmarshal(at, raw, &items, strictjson.Limits{}); err != nil {
		return nil, err
	}
	item, err := pickItem(a, items, tag)
	if err != nil {
		return nil, err
	}
	s := &dockerStore{archive: a, paths: make(map[v1.Hash]string)}
	config, err := smallFile(a, item.Config)
	if err != nil {
		return nil, broken(a, item.Config, err)
	}
	h, err := sum(v1.Hash{Algorithm: "sha256"}, config)
	if err != nil {
		return nil, err
	}
	if stated, ok := statedDigest(item.Config); ok && stated != h {
		return nil, &assay.Error{Op: "read archive", Kind: assay.ErrRefuted, Subject: a.path, Field: item.Config, Value: h.String(), Bound: stated.String()}
	}
	s.paths[h] = item.Config
	file, err := layers.ParseConfig(a.path+"/"+item.Config, config)
	if err != nil {
		return nil, err
	}
	if len(file.RootFS.DiffIDs) != len(item.Layers) {
		return nil, &assay.Error{Op: "read archive", Kind: assay.ErrInvalid, Subject: a.path, Field: item.Config + " /rootfs/diff_ids",
			Value: strconv.Itoa(len(file.RootFS.DiffIDs)) + " diffIDs", Bound: strconv.Itoa(len(item.Layers)) + ", one for each layer"}
	}
	m := v1.Manifest{
		SchemaVersion: 2,
		MediaType:     types.DockerManifestSchema2,
		Config:        v1.Descriptor{MediaType: types.DockerConfigJSON, Digest: h, Size: int64(len(config))},
		Layers:        []v1.Descriptor{},
	}
	for i, p := range item.Layers {
		d, err := s.layer(ctx, p, file.RootFS.DiffIDs[i])
		if err != nil {
			return nil, err
		}
		s.paths[d.Digest] = p
		m.Layers = append(m.Layers, d)
	}
	manifest, err := json.Marshal(m)
	if err != nil {
		return nil, &assay.Error{Op: "read archive", Kind: assay.ErrInvalid, Subject: a.path, Err: err}
	}
	mh, err := sum(v1.Hash{Algorithm: "sha256"}, manifest)
	if err != nil {
		return nil, err
	}
	return &img{s: s, desc: v1.Descriptor{MediaType: m.MediaType, Digest: mh, Size: int64(len(manifest))},
		raw: manifest, config: config, manifest: &m, file: file}, nil
}

// layer describes a layer. The digest of an uncompressed one is its diffID, and one
// that is named by its digest says it; both are claims that reading the layer
// checks. Only a compressed layer of another name must be hashed to be named.
func (s *dockerStore) layer(ctx context.Context, p string, diffID v1.Hash) (v1.Descriptor, error) {
	m, err := s.stat(p)
	if err != nil {
		return v1.Descriptor{}, broken(s.archive, p, err)
	}
	rc, err := s.open(p)
	if err != nil {
		return v1.Descriptor{}, broken(s.archive, p, err)
	}
	defer rc.Close()
	var head [4]byte
	n, err := io.ReadFull(rc, head[:])
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return v1.Descriptor{}, fileError(s.path, p, err)
	}
	d := v1.Descriptor{Size: m.size}
	switch {
	case bytes.HasPrefix(head[:n], []byte("\x1f\x8b")):
		d.MediaType = types.DockerLayer
	case bytes.HasPrefix(head[:n], []byte("\x28\xb5\x2f\xfd")):
		d.MediaType = dockerZstd
	default:
		d.MediaType, d.Digest = types.DockerUncompressedLayer, diffID
		return d, nil
	}
	if stated, ok := statedDigest(p); ok && strings.HasPrefix(p, "blobs/") {
		d.Digest = stated
		return d, nil
	}
	h, err := hasher("sha256")
	if err != nil {
		return v1.Descriptor{}, err
	}
	h.Write(head[:n])
	buf := make([]byte, 128<<10)
	for {
		if ctx.Err() != nil {
			return v1.Descriptor{}, &assay.Error{Op: "read archive", Kind: assay.ErrUnchecked, Subject: s.path, Field: p, Err: context.Cause(ctx)}
		}
		n, err := rc.Read(buf)
		h.Write(buf[:n])
		if err == io.EOF {
			break
		}
		if err != nil {
			return v1.Descriptor{}, fileError(s.path, p, err)
		}
	}
	d.Digest = v1.Hash{Algorithm: "sha256", Hex: hex.EncodeToString(h.Sum(nil))}
	return d, nil
}

const dockerZstd types.MediaType = "application/vnd.docker.image.rootfs.diff.tar.zstd"

// statedDigest is the digest in a member's name: "HEX.json" or "blobs/sha256/HEX".
func statedDigest(p string) (v1.Hash, bool) {
	d, err := assay.NewDigest(assay.SHA256, strings.TrimSuffix(path.Base(p), ".json"))
	if err != nil {
		return v1.Hash{}, false
	}
	return hashOf(d), true
}

// pickItem finds the image of a tag; names are compared as Docker completes them.
func pickItem(a *archive, items []dockerItem, tag string) (dockerItem, error) {
	var all []string
	var found []dockerItem
	for _, it := range items {
		all = append(all, it.RepoTags...)
		if tag == "" || slices.ContainsFunc(it.RepoTags, func(t string) bool { return t == tag || complete(t) == complete(tag) }) {
			found = append(found, it)
		}
	}
	slices.Sort(all)
	fail := func(kind error, bound string) (dockerItem, error) {
		return dockerItem{}, &assay.Error{Op: "open image", Kind: kind, Subject: a.path, Field: "tag", Value: tag, Bound: bound}
	}
	switch {
	case len(items) == 0:
		return fail(assay.ErrAbsent, "an image in the archive")
	case len(found) == 0:
		return fail(assay.ErrAbsent, "one of "+strings.Join(all, ", "))
	case len(found) > 1 && tag == "":
		return fail(assay.ErrInvalid, "a tag to tell the archive's images apart: "+strings.Join(all, ", "))
	case len(found) > 1:
		return fail(assay.ErrInvalid, "a tag that one image has")
	}
	return found[0], nil
}

func complete(tag string) string {
	if t, err := name.NewTag(tag); err == nil {
		return t.Name()
	}
	return tag
}

func notDocker(a *archive, err error) error {
	if errors.Is(err, assay.ErrAbsent) {
		return &assay.Error{Op: "read archive", Kind: assay.ErrInvalid, Subject: a.path, Bound: "an archive of docker save, with manifest.json"}
	}
	return err
}

// broken is the error for a member that the archive names and does not have.
func broken(a *archive, p string, err error) error {
	if errors.Is(err, assay.ErrAbsent) {
		return &assay.Error{Op: "read archive", Kind: assay.ErrInvalid, Subject: a.path, Field: p, Bound: "a member that manifest.json names"}
	}
	return err
}
