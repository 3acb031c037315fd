package verify

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/attest"
	"github.com/assaykit/assay/internal/layers"
	"github.com/assaykit/assay/sbom"
)

// maxBases bounds how many images that are named as a base are asked for. A
// provenance may name any number of images.
const maxBases = 32

// baseImage is what was read of an image that may be the base of another, or of an index
// of such images: no more than a proof needs, as it was read, so that a [Record] can keep
// it and prove it again.
type baseImage struct {
	Digest    assay.Digest `json:"digest"`
	MediaType string       `json:"mediaType,omitempty"`
	Manifest  []byte       `json:"manifest,omitempty"`
	Config    []byte       `json:"config,omitempty"`
	// Index is there in place of both if the digest is that of an index.
	Index []byte `json:"index,omitempty"`
	// Detail is why the others are missing.
	Detail string `json:"detail,omitempty"`
}

// image gives the documents to who reads an image.
func (b baseImage) image() v1.Image { return documents{b: b} }

// documents is an image of which only the manifest and the configuration are at hand.
type documents struct {
	v1.Image // nil; nothing below is asked for more
	b        baseImage
}

func (d documents) RawManifest() ([]byte, error)   { return d.b.Manifest, nil }
func (d documents) RawConfigFile() ([]byte, error) { return d.b.Config, nil }
func (d documents) MediaType() (types.MediaType, error) {
	return types.MediaType(d.b.MediaType), nil
}

// Layers gives as many as there are, of which nobody reads one.
func (d documents) Layers() ([]v1.Layer, error) {
	m, err := layers.ParseManifest(d.b.Digest.String(), d.b.Manifest, d.b.MediaType)
	if err != nil {
		return nil, err
	}
	return make([]v1.Layer, len(m.Layers)), nil
}

// readBase asks the sources for the documents of an image, or for an index. That none
// has it is an answer; the error is for a cancelled context.
func readBase(ctx context.Context, sources []attest.Source, digest assay.Digest) (baseImage, error) {
	out := baseImage{Digest: digest, Detail: "no source has the image"}
	var problems []string
	for _, s := range sources {
		b, err := readBaseFrom(ctx, s, digest)
		if err := ctx.Err(); err != nil {
			return baseImage{}, &assay.Error{Op: "verify", Kind: assay.ErrUnchecked, Subject: digest.String(), Err: err}
		}
		switch {
		case err == nil:
			return b, nil
		case assay.KindOf(err) != assay.ErrAbsent:
			problems = append(problems, clip(err.Error()))
		}
	}
	if len(problems) > 0 {
		// Which source was asked first must not matter.
		out.Detail = slices.Min(problems)
	}
	return out, nil
}

// readBaseFrom asks one source. That it does not have it is an [assay.ErrAbsent].
func readBaseFrom(ctx context.Context, s attest.Source, digest assay.Digest) (baseImage, error) {
	absent := &assay.Error{Op: "open image", Kind: assay.ErrAbsent, Subject: digest.String()}
	src, ok := s.(ImageSource)
	if !ok {
		return baseImage{}, absent
	}
	img, err := src.Image(ctx, digest)
	switch {
	case err == nil && img != nil:
		var b baseImage
		if b, err = describeBase(ctx, img, digest); err == nil {
			return b, nil
		}
	case err == nil:
		err = &assay.Error{Op: "open image", Kind: assay.ErrUnchecked, Subject: digest.String(), Bound: "an image, or an error"}
	}
	indexes, ok := s.(IndexSource)
	if !ok {
		return baseImage{}, err
	}
	// It may be the digest of an index. Some sources then give an image out of it, which
	// is not what has the digest.
	b, indexErr := readBaseIndex(ctx, indexes, digest)
	if indexErr != nil && assay.KindOf(err) == assay.ErrAbsent {
		err = indexErr
	}
	if indexErr != nil {
		return baseImage{}, err
	}
	return b, nil
}

func describeBase(ctx context.Context, img v1.Image, digest assay.Digest) (baseImage, error) {
	// Describe bounds and hashes both documents.
	r, _, err := layers.Describe(ctx, img, layers.Options{Digest: digest})
	if err != nil {
		return baseImage{}, err
	}
	b := baseImage{Digest: digest, MediaType: r.MediaType}
	if b.Manifest, err = img.RawManifest(); err != nil {
		return baseImage{}, err
	}
	b.Config, err = img.RawConfigFile()
	return b, err
}

// namedBase is an image, or an index of images, that the policy or a provenance names, and
// whether the image is built on it.
type namedBase struct {
	digest assay.Digest
	// name is what a material calls it, and by are the provenances that name it.
	name    string
	by      []assay.Digest
	allowed bool // the policy names it
	baseAnswer
}

// baseAnswer is whether the image is built on another.
type baseAnswer struct {
	state  assay.State
	detail string
	// What follows is there if it is proven: how many layers it is, and the image of an
	// index that has them.
	layers  int
	through assay.Digest
}

// bases proves which of the images that are named this one is built on.
func (v *Verifier) bases(ctx context.Context, in inputs, c *subjectCase) error {
	named := map[assay.Digest]*namedBase{}
	get := func(d assay.Digest) *namedBase {
		if named[d] == nil {
			named[d] = &namedBase{digest: d}
		}
		return named[d]
	}
	for _, d := range v.policy.Bases {
		get(d).allowed = true
	}
	for _, p := range c.provenances {
		for _, m := range p.Evidence().Materials {
			d, name := imageMaterial(m)
			if d.IsZero() || slices.Contains(c.about, d) {
				continue
			}
			b := get(d)
			b.by = append(b.by, p.Envelope())
			if b.name == "" || name < b.name {
				b.name = name
			}
		}
	}
	search := baseSearch{v: v, in: in, c: c, left: maxBases}
	for i, d := range slices.SortedFunc(maps.Keys(named), assay.Digest.Compare) {
		b := named[d]
		c.bases = append(c.bases, b)
		switch {
		case c.contents.inspection == nil:
			b.detail = c.contents.detail
			continue
		case i >= maxBases && !b.allowed:
			b.detail = fmt.Sprintf("not asked for: more than %d images are named", maxBases)
			continue
		}
		var err error
		if b.baseAnswer, err = search.prove(ctx, d); err != nil {
			return err
		}
		if b.state == assay.Proven {
			c.baseLayers = max(c.baseLayers, b.layers)
		}
	}
	return ctx.Err()
}

// scanned gives the layers of an inspection to who compares them with another image's.
func (c contents) scanned(digest assay.Digest) *sbom.Contents {
	out := &sbom.Contents{Manifest: digest}
	for _, l := range c.layers {
		out.Layers = append(out.Layers, sbom.Layer{Digest: l.Digest, DiffID: l.DiffID, Cached: l.Cached})
	}
	return out
}

// imageMaterial gives the digest of a material that is a container image, and its name.
func imageMaterial(m assay.Resource) (assay.Digest, string) {
	if !isImageURI(m.URI) {
		return assay.Digest{}, ""
	}
	return m.Digest.Get(assay.SHA256), m.URI
}

func isImageURI(uri string) bool {
	return slices.ContainsFunc([]string{"pkg:docker/", "pkg:oci/", "oci://", "docker://", "docker-image://"}, func(prefix string) bool {
		return strings.HasPrefix(uri, prefix)
	})
}

// base answers whether the image is built on a base image that the policy names, or,
// if it names none, on one of those that its provenance names: whether the layers of
// that image are its lowest ones. An image among the materials that is not a base, such
// as that of a build stage, is no contradiction.
func (v *Verifier) base(c *subjectCase) Check {
	check := Check{ID: CheckBase}
	open, proven := false, ""
	for _, b := range c.bases {
		what := b.digest.String()
		if b.name != "" {
			what += " (" + b.name + ")"
		}
		if !b.through.IsZero() {
			what = b.through.String() + " in index " + what
		}
		check.Evidence = append(check.Evidence, b.by...)
		counts := b.allowed || len(v.policy.Bases) == 0
		switch {
		case b.state == assay.Proven && counts:
			if proven == "" {
				proven = fmt.Sprintf("the lowest %d layers are those of %s", b.layers, what)
			}
			check.Findings = append(check.Findings, fmt.Sprintf("built on %s: %d layers", what, b.layers))
		case b.state == assay.Proven:
			check.Findings = append(check.Findings, fmt.Sprintf("built on %s: %d layers; the policy does not name it", what, b.layers))
		case b.state == assay.Refuted:
			check.Findings = append(check.Findings, "not built on "+what+": "+b.detail)
		default:
			open = open || counts
			check.Findings = append(check.Findings, "not compared with "+what+": "+b.detail)
		}
	}
	switch {
	case len(c.bases) == 0:
		check.Reason, check.Detail = NotStated, "neither the policy nor a provenance names a base image by digest"
	case proven != "":
		check.State, check.Reason, check.Detail = assay.Proven, Holds, proven
	case c.contents.inspection == nil:
		check.Reason, check.Detail = c.contents.reason, "the image's layers are not known: "+c.contents.detail
	case len(v.policy.Bases) > 0 && !open:
		check.State, check.Reason, check.Detail = assay.Refuted, BaseNotAllowed, "the image is built on none of the base images that the policy names"
	default:
		check.Reason, check.Detail = NotShown, "the image is not shown to be built on an image that is named"
	}
	return check
}
