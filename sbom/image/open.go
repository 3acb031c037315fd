package image

import (
	"context"
	"os"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/layers"
)

// Options of [Open]. The zero value is safe.
type Options struct {
	// Platform is the image to take from an index; it must be there. Zero takes the
	// only image that an index has, else that for linux and the architecture of
	// this machine. If what is opened is no index, a platform that is given must
	// be the image's.
	Platform assay.Platform
	// Registry is how registries are accessed.
	Registry Registry
	// ForeignLayers are the hosts, with port if the URL has one, that layers may be
	// fetched from which the source does not have, and the manifest has a URL for.
	// They are asked over Registry's transport, without credentials, and may redirect
	// to other hosts; a redirect from a public host to a private IP address is refused,
	// one to a name that resolves to such an address is not. Default none:
	// who writes a manifest should not choose what this machine talks to.
	ForeignLayers []string
}

// Opened is an image that was found, or a folder. Close it when the image and all
// that was opened from it is done with.
type Opened struct {
	ref      string
	folder   string
	image    *img
	index    *index
	platform assay.Platform
	walk     *walker
	s        store
	closer   interface{ Close() error }
}

// Open finds what a reference names; see the package comment for the grammar. The
// context bounds the opening; what is opened takes one of its own for reading, or
// none where the interfaces of go-containerregistry have no place for it. Layers
// that the source does not have because they are to be fetched from URLs in the
// manifest (foreign layers) are fetched from hosts among Options.ForeignLayers only;
// reading others is [assay.ErrUnchecked].
//
// Errors: [assay.ErrInvalid] for a reference or document against the rules,
// [assay.ErrAbsent] if the source answers that there is no such image or platform,
// [assay.ErrRefuted] if it gives other bytes than those of the digest,
// [assay.ErrUnchecked] if it cannot be asked, [assay.ErrBound] for documents that are
// too large.
func Open(ctx context.Context, ref string, opts Options) (*Opened, error) {
	l, err := parse(ref)
	if err != nil {
		return nil, err
	}
	o := &Opened{ref: ref}
	switch l.scheme {
	case schemeFolder:
		err = o.openFolder(l)
	case schemeLayout:
		var root *os.Root
		if root, err = os.OpenRoot(l.path); err != nil {
			return nil, fileError(l.path, "", err)
		}
		err = o.openLayout(ctx, l, &folder{l.path, root}, opts)
	case schemeArchive, schemeDocker:
		var a *archive
		if a, err = openArchive(ctx, l.path); err != nil {
			return nil, err
		}
		if l.scheme == schemeArchive {
			err = o.openLayout(ctx, l, a, opts)
			break
		}
		o.closer = a
		if o.image, err = openDocker(ctx, a, l.tag); err == nil {
			o.s = o.image.s
			err = o.checkPlatform(opts.Platform)
		}
	default:
		err = o.openRemote(ctx, l.path, opts)
	}
	if err != nil {
		_ = o.Close()
		return nil, err
	}
	return o, nil
}

func (o *Opened) openFolder(l location) error {
	info, err := os.Stat(l.path)
	if err != nil {
		return fileError(l.path, "", err)
	}
	if !info.IsDir() {
		return &assay.Error{Op: "open image", Kind: assay.ErrInvalid, Subject: l.path, Value: info.Mode().Type().String(), Bound: "a folder"}
	}
	o.folder = l.path
	return nil
}

func (o *Opened) openLayout(ctx context.Context, l location, f files, opts Options) error {
	o.closer = f
	s := layoutStore{f}
	o.s = withForeign(s, opts)
	top, err := s.top()
	if err != nil {
		return err
	}
	d, isTop, err := s.find(ctx, top, l.tag, l.digest)
	if err != nil {
		return err
	}
	if isTop {
		top.s = o.s
		o.index = top
		return o.selectPlatform(ctx, opts.Platform)
	}
	raw, err := document(ctx, s, d, aManifest, maxManifest)
	if err != nil {
		return err
	}
	return o.read(ctx, d, raw, opts.Platform)
}

func (o *Opened) openRemote(ctx context.Context, ref string, opts Options) error {
	s, d, raw, _, err := openRegistry(ctx, opts.Registry, ref)
	if err != nil {
		return err
	}
	o.s = withForeign(s, opts)
	return o.read(ctx, d, raw, opts.Platform)
}

// read takes what a reference led to, an index or an image.
func (o *Opened) read(ctx context.Context, d v1.Descriptor, raw []byte, platform assay.Platform) error {
	isIndex, err := layers.IsIndex(d.Digest.String(), raw, string(d.MediaType))
	if err != nil {
		return err
	}
	if isIndex {
		if o.index, err = readIndex(ctx, o.s, d, raw); err != nil {
			return err
		}
		return o.selectPlatform(ctx, platform)
	}
	if o.image, err = readImage(ctx, o.s, d, raw); err != nil {
		return err
	}
	return o.checkPlatform(platform)
}

func (o *Opened) selectPlatform(ctx context.Context, want assay.Platform) error {
	w := &walker{s: o.s}
	if err := w.collect(ctx, o.index.manifest.Manifests, 0); err != nil {
		return err
	}
	o.walk = w
	v, err := choose(o.ref, w.variants, want)
	if err != nil {
		return err
	}
	if o.image, err = readImage(ctx, o.s, v.desc, nil); err != nil {
		return err
	}
	o.platform = v.Platform
	return nil
}

func (o *Opened) checkPlatform(want assay.Platform) error {
	o.platform = o.image.platform()
	if !want.IsZero() && !satisfies(o.platform, want.Normalize()) {
		return &assay.Error{Op: "select platform", Kind: assay.ErrAbsent, Subject: o.ref, Value: want.String(), Bound: o.platform.String()}
	}
	return nil
}

// Reference is what was opened, as it was written.
func (o *Opened) Reference() string { return o.ref }

// Folder is the path of a plain folder, "" for an image.
func (o *Opened) Folder() string { return o.folder }

// Image is the image, of the platform that was selected; nil for a folder.
func (o *Opened) Image() v1.Image {
	if o.image == nil {
		return nil
	}
	return o.image
}

// Digest is that of the image's manifest, recomputed; zero for a folder. For a
// docker archive, which has none, it is that of one that was made for it.
func (o *Opened) Digest() assay.Digest {
	if o.image == nil {
		return assay.Digest{}
	}
	return digestOf(o.image.desc.Digest)
}

// Index is the index that the reference named, nil if it named no index.
func (o *Opened) Index() v1.ImageIndex {
	if o.index == nil {
		return nil
	}
	return o.index
}

// IndexDigest is that of the index, recomputed; zero if there is none. For a layout
// whose index.json itself lists the platforms, it is that of index.json.
func (o *Opened) IndexDigest() assay.Digest {
	if o.index == nil {
		return assay.Digest{}
	}
	return digestOf(o.index.desc.Digest)
}

// Platform is that of the image: what the index says, else what its configuration
// says; zero for a folder.
func (o *Opened) Platform() assay.Platform { return o.platform }

// Platforms are the images of the index and of those below it, in their order, and
// of one that is no index itself. Attestation manifests are not among them.
func (o *Opened) Platforms() []Variant {
	switch {
	case o.walk != nil:
		return slices.Clone(o.walk.variants)
	case o.image != nil:
		return []Variant{{Platform: o.platform, Digest: o.Digest(), desc: o.image.desc}}
	}
	return nil
}

// Variant opens another image of the index.
func (o *Opened) Variant(ctx context.Context, v Variant) (v1.Image, error) {
	if v.Digest == o.Digest() && o.image != nil {
		return o.image, nil
	}
	if !slices.ContainsFunc(o.Platforms(), func(w Variant) bool { return w.Digest == v.Digest }) {
		return nil, &assay.Error{Op: "open image", Kind: assay.ErrAbsent, Subject: o.ref, Value: v.Digest.String(), Bound: "one of Platforms"}
	}
	i, err := readImage(ctx, o.s, v.desc, nil)
	if err != nil {
		return nil, err
	}
	return i, nil
}

// Attestations are the BuildKit attestation manifests of the index.
func (o *Opened) Attestations() []Attestation {
	if o.walk == nil {
		return nil
	}
	return slices.Clone(o.walk.attestations)
}

// Attestation opens an attestation manifest as what it is packed as, an image.
func (o *Opened) Attestation(ctx context.Context, a Attestation) (v1.Image, error) {
	if !slices.ContainsFunc(o.Attestations(), func(b Attestation) bool { return b.Digest == a.Digest }) {
		return nil, &assay.Error{Op: "open attestation", Kind: assay.ErrAbsent, Subject: o.ref, Value: a.Digest.String(), Bound: "one of Attestations"}
	}
	i, err := readImage(ctx, o.s, a.desc, nil)
	if err != nil {
		return nil, err
	}
	return i, nil
}

// Close closes the file that the image is in. Images and layers that were opened
// from it cannot be read any more.
func (o *Opened) Close() error {
	if o.closer == nil {
		return nil
	}
	return o.closer.Close()
}
