package image

import (
	"cmp"
	"context"
	"runtime"
	"slices"
	"strconv"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/layers"
)

// Bounds on the tree of indexes below one.
const (
	maxIndexDepth  = layers.MaxIndexDepth
	maxDescriptors = layers.MaxIndexMembers
)

// The annotations of BuildKit's attestation manifests.
const (
	referenceType   = "vnd.docker.reference.type"
	referenceDigest = "vnd.docker.reference.digest"
)

// isNoImage and isNowhere are the rule that all who read an index share.
func isNoImage(d v1.Descriptor) bool { return layers.IsNoImage(d) }
func isNowhere(d v1.Descriptor) bool { return layers.IsNowhere(d) }

// Variant is one image of an index.
type Variant struct {
	Platform assay.Platform
	// Digest is that of the image's manifest.
	Digest assay.Digest

	desc v1.Descriptor
}

// Attestation is a BuildKit attestation manifest in an index: an image manifest
// whose layers are in-toto statements. Nothing about it is verified but its digest.
type Attestation struct {
	// Digest is that of the attestation manifest, Subject that of the image manifest
	// that it says it is about.
	Digest, Subject assay.Digest

	desc v1.Descriptor
}

// walker goes through an index and those below it.
type walker struct {
	s            store
	count        int
	variants     []Variant
	attestations []Attestation
}

func (w *walker) bound(what, value, bound string) error {
	return &assay.Error{Op: "read index", Kind: assay.ErrBound, Subject: w.s.String(), Field: what, Value: value, Bound: bound}
}

func (w *walker) counted(depth int) error {
	if w.count++; w.count > maxDescriptors {
		return w.bound("manifests", "more than "+strconv.Itoa(maxDescriptors), "at most "+strconv.Itoa(maxDescriptors))
	}
	if depth > maxIndexDepth {
		return w.bound("nested indexes", "deeper than "+strconv.Itoa(maxIndexDepth), "at most "+strconv.Itoa(maxIndexDepth))
	}
	return nil
}

// collect finds all images and attestations.
func (w *walker) collect(ctx context.Context, ds []v1.Descriptor, depth int) error {
	for _, d := range ds {
		if err := w.counted(depth); err != nil {
			return err
		}
		if d.Annotations[referenceType] == "attestation-manifest" && d.MediaType.IsImage() && isNowhere(d) {
			subject, err := assay.ParseDigest(d.Annotations[referenceDigest])
			if err != nil {
				return &assay.Error{Op: "read index", Kind: assay.ErrInvalid, Subject: w.s.String(), Field: d.Digest.String() + " annotation " + referenceDigest, Err: err}
			}
			w.attestations = append(w.attestations, Attestation{Digest: digestOf(d.Digest), Subject: subject, desc: d})
			continue
		}
		if isNoImage(d) {
			continue
		}
		if d.MediaType.IsIndex() {
			x, err := readIndex(ctx, w.s, d, nil)
			if err != nil {
				return err
			}
			if err := w.collect(ctx, x.manifest.Manifests, depth+1); err != nil {
				return err
			}
			continue
		}
		v := Variant{Digest: digestOf(d.Digest), desc: d}
		if d.Platform != nil {
			v.Platform = assay.Platform{OS: d.Platform.OS, Architecture: d.Platform.Architecture, Variant: d.Platform.Variant, OSVersion: d.Platform.OSVersion}.Normalize()
		} else {
			i, err := readImage(ctx, w.s, d, nil)
			if err != nil {
				return err
			}
			v.Platform = i.platform()
		}
		if !slices.ContainsFunc(w.variants, func(o Variant) bool { return o.Digest == v.Digest && o.Platform == v.Platform }) {
			w.variants = append(w.variants, v)
		}
	}
	return nil
}

// search finds a descriptor by its digest, at any depth.
func (w *walker) search(ctx context.Context, ds []v1.Descriptor, h v1.Hash, depth int) (v1.Descriptor, bool, error) {
	for _, d := range ds {
		if err := w.counted(depth); err != nil {
			return v1.Descriptor{}, false, err
		}
		if d.Digest == h {
			return d, true, nil
		}
	}
	for _, d := range ds {
		if !d.MediaType.IsIndex() {
			continue
		}
		x, err := readIndex(ctx, w.s, d, nil)
		if err != nil {
			return v1.Descriptor{}, false, err
		}
		if found, ok, err := w.search(ctx, x.manifest.Manifests, h, depth+1); ok || err != nil {
			return found, ok, err
		}
	}
	return v1.Descriptor{}, false, nil
}

// choose picks the image for a platform. Zero takes the only one there is, else
// linux on this machine's architecture.
func choose(subject string, variants []Variant, want assay.Platform) (Variant, error) {
	if len(variants) == 0 {
		return Variant{}, &assay.Error{Op: "select platform", Kind: assay.ErrAbsent, Subject: subject, Bound: "an image in the index"}
	}
	if want.IsZero() {
		if len(variants) == 1 {
			return variants[0], nil
		}
		want = assay.Platform{OS: "linux", Architecture: runtime.GOARCH}
	}
	want = want.Normalize()
	// An exact match first, then the first that has no less than what is wanted:
	// image-spec v1.1, image-index.md, has the first of several count.
	for _, v := range variants {
		if v.Platform == want {
			return v, nil
		}
	}
	for _, v := range variants {
		if satisfies(v.Platform, want) {
			return v, nil
		}
	}
	var have []string
	for _, v := range variants {
		have = append(have, v.Platform.String())
	}
	slices.Sort(have)
	return Variant{}, &assay.Error{Op: "select platform", Kind: assay.ErrAbsent, Subject: subject, Value: want.String(), Bound: "one of " + strings.Join(slices.Compact(have), ", ")}
}

// satisfies reports whether an image of platform p is what was asked for; what was
// not said may be anything.
func satisfies(p, want assay.Platform) bool {
	return p.OS == want.OS && p.Architecture == want.Architecture &&
		cmp.Or(want.Variant, p.Variant) == p.Variant && cmp.Or(want.OSVersion, p.OSVersion) == p.OSVersion
}
