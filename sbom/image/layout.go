package image

import (
	"cmp"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/layers"
	"github.com/assaykit/assay/internal/strictjson"
)

const refNameAnnotation = "org.opencontainers.image.ref.name"

// files gives the members of a layout or archive by their path.
type files interface {
	open(path string) (io.ReadCloser, error)
	String() string
	Close() error
}

// folder is a folder of files. Links are not followed out of it.
type folder struct {
	path string
	root *os.Root
}

func (f *folder) String() string { return f.path }
func (f *folder) Close() error   { return f.root.Close() }

func (f *folder) open(path string) (io.ReadCloser, error) {
	file, err := f.root.OpenFile(filepath.FromSlash(path), os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err == nil {
		info, statErr := file.Stat()
		if statErr == nil && info.Mode().IsRegular() {
			return file, nil
		}
		file.Close()
		if err = statErr; err == nil {
			return nil, &assay.Error{Op: "read layout", Kind: assay.ErrInvalid, Subject: f.path, Field: path, Bound: "a regular file"}
		}
	}
	return nil, fileError(f.path, path, err)
}

// fileError is the error for a member that cannot be opened. Only what does not
// exist is absent.
func fileError(subject, path string, err error) error {
	is := assay.ErrUnchecked
	if errors.Is(err, fs.ErrNotExist) {
		is = assay.ErrAbsent
	}
	return &assay.Error{Op: "read layout", Kind: is, Subject: subject, Field: path, Err: err}
}

// layoutStore is an OCI image layout (image-spec v1.1, image-layout.md).
type layoutStore struct{ files }

// blob implements store. A blob that is missing makes a layout broken, not empty.
func (s layoutStore) blob(_ context.Context, d v1.Descriptor, _ kind) (io.ReadCloser, error) {
	if digestOf(d.Digest).IsZero() { // else the path could be anything
		return nil, &assay.Error{Op: "read layout", Kind: assay.ErrInvalid, Subject: s.String(), Value: d.Digest.String(), Bound: "a digest"}
	}
	path := "blobs/" + d.Digest.Algorithm + "/" + d.Digest.Hex
	rc, err := s.open(path)
	if errors.Is(err, assay.ErrAbsent) {
		err = &assay.Error{Op: "read layout", Kind: assay.ErrUnchecked, Subject: s.String(), Field: path, Err: fs.ErrNotExist}
	}
	return rc, err
}

// top reads oci-layout and index.json.
func (s layoutStore) top() (*index, error) {
	raw, err := s.small("oci-layout")
	if err != nil {
		return nil, notLayout(s.String(), err)
	}
	var version struct {
		Version string `json:"imageLayoutVersion"`
	}
	name := s.String() + "/oci-layout"
	if err := strictjson.Unmarshal(name, raw, &version, strictjson.Limits{}); err != nil {
		return nil, err
	}
	if version.Version != "1.0.0" {
		return nil, &assay.Error{Op: "read layout", Kind: assay.ErrInvalid, Subject: name, Field: "/imageLayoutVersion", Value: version.Version, Bound: "1.0.0"}
	}
	if raw, err = s.small("index.json"); err != nil {
		return nil, notLayout(s.String(), err)
	}
	m, err := layers.ParseIndex(s.String()+"/index.json", raw, "")
	if err != nil {
		return nil, err
	}
	h, err := sum(v1.Hash{Algorithm: "sha256"}, raw)
	if err != nil {
		return nil, err
	}
	return &index{s: s, desc: v1.Descriptor{MediaType: m.MediaType, Digest: h, Size: int64(len(raw))}, raw: raw, manifest: m}, nil
}

// notLayout turns the absence of a file that every layout has into what it means.
func notLayout(subject string, err error) error {
	if errors.Is(err, assay.ErrAbsent) {
		return &assay.Error{Op: "read layout", Kind: assay.ErrInvalid, Subject: subject, Bound: "an OCI image layout with oci-layout and index.json"}
	}
	return err
}

func (s layoutStore) small(path string) ([]byte, error) {
	return smallFile(s.files, path)
}

func smallFile(f files, path string) ([]byte, error) {
	rc, err := f.open(path)
	if err != nil {
		return nil, err
	}
	defer rc.Close()
	raw, err := readAll(rc, maxManifest)
	if err != nil {
		return nil, fileError(f.String(), path, err)
	}
	if len(raw) > maxManifest {
		return nil, &assay.Error{Op: "read layout", Kind: assay.ErrBound, Subject: f.String(), Field: path, Bound: "at most 4 MiB"}
	}
	return raw, nil
}

// find gives the descriptor that tag and digest name. Without either, a layout of
// one image is unambiguous; one of several is an index if each states a platform.
func (s layoutStore) find(ctx context.Context, top *index, tag string, digest assay.Digest) (v1.Descriptor, bool, error) {
	fail := func(kind error, field, value, bound string) (v1.Descriptor, bool, error) {
		return v1.Descriptor{}, false, &assay.Error{Op: "open image", Kind: kind, Subject: s.String(), Field: field, Value: value, Bound: bound}
	}
	among := top.manifest.Manifests
	if tag != "" {
		var tagged []v1.Descriptor
		for _, d := range among {
			if d.Annotations[refNameAnnotation] == tag {
				tagged = append(tagged, d)
			}
		}
		tagged = distinct(tagged)
		switch {
		case len(tagged) == 0:
			return fail(assay.ErrAbsent, "tag", tag, "one of "+strings.Join(tags(among), ", "))
		case len(tagged) > 1:
			return fail(assay.ErrInvalid, "tag", tag, "a tag that one image has")
		case digest.IsZero() || tagged[0].Digest == hashOf(digest):
			return tagged[0], false, nil
		}
		among = tagged
	}
	if !digest.IsZero() {
		w := &walker{s: s}
		d, ok, err := w.search(ctx, among, hashOf(digest), 0)
		switch {
		case err != nil:
			return v1.Descriptor{}, false, err
		case ok:
			return d, false, nil
		case tag != "":
			return fail(assay.ErrRefuted, "tag "+tag, among[0].Digest.String(), digest.String())
		}
		// What the index does not list can be there all the same, attestations for
		// instance.
		d = v1.Descriptor{Digest: hashOf(digest), Size: unknownSize}
		rc, err := s.open("blobs/" + d.Digest.Algorithm + "/" + d.Digest.Hex)
		if err != nil {
			return v1.Descriptor{}, false, err
		}
		rc.Close()
		return d, false, nil
	}
	images := distinct(slices.DeleteFunc(slices.Clone(among), isNoImage))
	switch {
	case len(images) == 0:
		return fail(assay.ErrAbsent, "index.json", "", "an image")
	case len(images) == 1:
		return images[0], false, nil
	case slices.ContainsFunc(images, func(d v1.Descriptor) bool { return d.Platform == nil || d.MediaType.IsIndex() }):
		return fail(assay.ErrInvalid, "index.json", "", "a tag or digest to tell its images apart: "+strings.Join(tags(among), ", "))
	}
	return top.desc, true, nil
}

func distinct(ds []v1.Descriptor) []v1.Descriptor {
	slices.SortStableFunc(ds, func(a, b v1.Descriptor) int { return cmp.Compare(a.Digest.String(), b.Digest.String()) })
	return slices.CompactFunc(ds, func(a, b v1.Descriptor) bool { return a.Digest == b.Digest })
}

func tags(ds []v1.Descriptor) []string {
	var ts []string
	for _, d := range ds {
		if t := d.Annotations[refNameAnnotation]; t != "" {
			ts = append(ts, t)
		} else {
			ts = append(ts, d.Digest.String())
		}
	}
	slices.Sort(ts)
	if len(ts) > 20 {
		ts = append(ts[:20], "…")
	}
	return slices.Compact(ts)
}
