package sbom

import (
	"cmp"
	"context"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/layers"
)

// IndexContents is what was found in all images of an index.
type IndexContents struct {
	// Digest is that of the index, recomputed.
	Digest assay.Digest
	// Images are in the order of the index, each platform and digest once.
	Images []IndexImage
	// SBOM is the inventory of all images together, with the index as its root and
	// each image as a component of it; see [Merge].
	SBOM *assay.SBOM
	// Conflicts are what the images disagree on, see [Merge].
	Conflicts []Conflict
}

// IndexImage is one image of an index.
type IndexImage struct {
	// Platform is what the index says, else what the image's configuration says.
	Platform assay.Platform
	// Digest is that of the image's manifest.
	Digest assay.Digest
	// Contents is what [Scan] found. Entries of one digest share it.
	Contents *Contents
}

// ScanIndex is [Scan] of every image of an index and of the indexes below it, one
// after the other. Each manifest is checked against the digest that the index above
// has for it, and the index against Options.Digest, which is the index's here.
//
// Left out is what no runtime would take for an image: entries of other media types,
// those for the platform unknown/unknown, as attestation manifests have it, and
// those without platform whose artifactType is none of an image. What the
// annotations of an entry say does not matter.
//
// There is no result beside an error: an image that cannot be read fails the whole.
// An index without images is [assay.ErrAbsent]; one of more than 1000 entries, or with
// indexes nested deeper than 4, is [assay.ErrBound]. The other kinds are those of
// Scan. The contents of all images are in memory together.
func ScanIndex(ctx context.Context, index v1.ImageIndex, opts Options) (*IndexContents, error) {
	created, err := opts.created()
	if err != nil {
		return nil, err
	}
	repository, err := opts.repository()
	if err != nil {
		return nil, err
	}
	w := &indexWalk{ctx: ctx, opts: opts, found: make(map[assay.Digest]*Contents)}
	digest, err := w.walk(index, opts.Digest, 0)
	if err != nil {
		return nil, err
	}
	if len(w.images) == 0 {
		return nil, &assay.Error{Op: "scan index", Kind: assay.ErrAbsent, Subject: digest.String(), Bound: "an image in the index"}
	}
	out := &IndexContents{Digest: digest, Images: w.images}
	var docs []*assay.SBOM
	for i, img := range w.images {
		if !slices.ContainsFunc(w.images[:i], func(o IndexImage) bool { return o.Contents == img.Contents }) {
			docs = append(docs, img.Contents.SBOM)
		}
	}
	if out.SBOM, out.Conflicts, err = Merge(MergeOptions{Root: opts.indexRoot(digest, repository), Created: created}, docs...); err != nil {
		return nil, err
	}
	if out.SBOM.Created.IsZero() {
		out.SBOM.Created = time.Unix(0, 0).UTC()
	}
	return out, nil
}

// indexRoot is the component that stands for the index.
func (o Options) indexRoot(digest assay.Digest, repository string) assay.Component {
	root := assay.Component{
		ID: assay.ComponentID("index:" + digest.String()), Type: assay.TypeContainer,
		Name: cmp.Or(o.RootName, path.Base(repository)), Version: cmp.Or(o.RootVersion, digest.String()), Hashes: assay.DigestSet{digest},
	}
	if root.Name == "." { // path.Base of nothing
		root.Name = digest.String()
		return root
	}
	p := assay.PURLParts{Type: "oci", Name: strings.ToLower(root.Name), Version: digest.String()}
	if repository != "" {
		p.Name, p.Qualifiers = strings.ToLower(path.Base(repository)), map[string]string{"repository_url": repository}
	}
	if purl, err := assay.NewPURL(p); err == nil {
		root.PURL = purl
	}
	return root
}

type indexWalk struct {
	ctx     context.Context
	opts    Options
	entries int
	found   map[assay.Digest]*Contents
	images  []IndexImage
}

func (w *indexWalk) fail(kind error, subject assay.Digest, field, value, bound string, err error) error {
	return &assay.Error{Op: "scan index", Kind: kind, Subject: subject.String(), Field: field, Value: value, Bound: bound, Err: err}
}

// source is an error of what the caller handed in; one that has a kind keeps it.
func (w *indexWalk) source(subject assay.Digest, field string, err error) error {
	kind := assay.KindOf(err)
	if kind == nil {
		kind = assay.ErrUnchecked
	}
	return w.fail(kind, subject, field, "", "", err)
}

// walk reads one index, whose digest must be the one wanted if that is not zero.
func (w *indexWalk) walk(index v1.ImageIndex, want assay.Digest, depth int) (assay.Digest, error) {
	if err := w.ctx.Err(); err != nil {
		return assay.Digest{}, w.fail(assay.ErrUnchecked, want, "", "", "", context.Cause(w.ctx))
	}
	if depth > layers.MaxIndexDepth {
		return assay.Digest{}, w.fail(assay.ErrBound, want, "nested indexes", strconv.Itoa(depth), "at most "+strconv.Itoa(layers.MaxIndexDepth), nil)
	}
	raw, err := index.RawManifest()
	if err != nil {
		return assay.Digest{}, w.source(want, "", err)
	}
	if len(raw) > maxIndexBytes {
		return assay.Digest{}, w.fail(assay.ErrBound, want, "", strconv.Itoa(len(raw))+" bytes", "at most 4 MiB", nil)
	}
	sum := assay.SumSHA256(raw)
	if want.IsZero() {
		stated, err := index.Digest()
		if err != nil {
			return assay.Digest{}, w.source(sum, "", err)
		}
		if want, err = assay.ParseDigest(stated.String()); err != nil {
			return assay.Digest{}, w.fail(assay.ErrInvalid, sum, "digest", stated.String(), "", err)
		}
	}
	if want != sum {
		if want.Algorithm() != assay.SHA256 {
			return assay.Digest{}, w.fail(assay.ErrUnchecked, want, "digest", string(want.Algorithm()), "sha256", nil)
		}
		return assay.Digest{}, w.fail(assay.ErrRefuted, want, "digest", sum.String(), want.String(), nil)
	}
	mediaType, err := index.MediaType()
	if err != nil {
		return assay.Digest{}, w.source(sum, "mediaType", err)
	}
	m, err := layers.ParseIndex(sum.String(), raw, string(mediaType))
	if err != nil {
		return assay.Digest{}, err
	}
	for _, d := range m.Manifests {
		if w.entries++; w.entries > layers.MaxIndexMembers {
			return assay.Digest{}, w.fail(assay.ErrBound, sum, "manifests", "more than "+strconv.Itoa(layers.MaxIndexMembers), "at most "+strconv.Itoa(layers.MaxIndexMembers), nil)
		}
		if layers.IsNoImage(d) {
			continue
		}
		digest, err := assay.ParseDigest(d.Digest.String())
		if err != nil {
			return assay.Digest{}, w.fail(assay.ErrInvalid, sum, "manifests", d.Digest.String(), "", err)
		}
		if d.MediaType.IsIndex() {
			below, err := index.ImageIndex(d.Digest)
			if err == nil {
				_, err = w.walk(below, digest, depth+1)
			}
			if err != nil {
				return assay.Digest{}, w.source(sum, digest.String(), err)
			}
			continue
		}
		if err := w.scan(index, d, digest); err != nil {
			return assay.Digest{}, w.source(sum, digest.String(), err)
		}
	}
	return sum, nil
}

// maxIndexBytes is the bound that manifests have as well.
const maxIndexBytes = 4 << 20

func (w *indexWalk) scan(index v1.ImageIndex, d v1.Descriptor, digest assay.Digest) error {
	c := w.found[digest]
	if c == nil {
		img, err := index.Image(d.Digest)
		if err != nil {
			return err
		}
		opts := w.opts
		opts.Digest = digest
		if c, err = Scan(w.ctx, img, opts); err != nil {
			return err
		}
		w.found[digest] = c
	}
	platform := c.Platform
	if p := d.Platform; p != nil {
		platform = assay.Platform{OS: p.OS, Architecture: p.Architecture, Variant: p.Variant, OSVersion: p.OSVersion}.Normalize()
	}
	if !slices.ContainsFunc(w.images, func(o IndexImage) bool { return o.Digest == digest && o.Platform == platform }) {
		w.images = append(w.images, IndexImage{Platform: platform, Digest: digest, Contents: c})
	}
	return nil
}
