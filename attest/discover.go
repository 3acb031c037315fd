package attest

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strconv"
	"sync"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/sbom/image"
)

// RegistrySource reads envelopes that are attached to images of one repository.
type RegistrySource struct {
	repository string
	registry   image.Registry
	limits     Limits
}

// FromRegistry reads from a repository, "registry.example/app". A tag or digest
// after it is accepted and ignored: what is discovered is about the digest that is
// asked for.
func FromRegistry(repository string, registry image.Registry) *RegistrySource {
	return &RegistrySource{repository: repository, registry: registry}
}

// WithLimits gives a source that is bounded by l.
func (s *RegistrySource) WithLimits(l Limits) *RegistrySource {
	c := *s
	c.limits = l
	return &c
}

// maxIndexDepth bounds indexes in indexes.
const maxIndexDepth = 3

// Discover implements [Source]. It reads the list of the referrers API and the one
// under the fallback tag, and merges them; an artifact is evidence of this digest
// only if its own manifest names the digest as subject. Artifacts that carry a
// sigstore bundle, a DSSE envelope or an in-toto document become envelopes; others
// are counted in [Found.Ignored].
//
// For an index, the same is done for each platform below it, and the attestation
// manifests that BuildKit puts there are counted as ignored.
//
// A registry that does not answer in ctx's time is a [Fault]; so is an answer with
// the status 401, 403, 429 or 5xx, one that is not what its digest says, and a list
// that exceeds a limit. Where the registry answers, and holds nothing, there is a
// Fault of kind [Absent].
func (s *RegistrySource) Discover(ctx context.Context, subject assay.Digest) (*Found, error) {
	if subject.IsZero() {
		return nil, &assay.Error{Op: "discover", Kind: assay.ErrInvalid, Subject: s.repository, Field: "subject", Bound: "a digest"}
	}
	repo, err := parseRepository(s.registry, s.repository)
	if err != nil {
		return nil, err
	}
	limits := s.limits.withDefaults()
	f := &finder{store: repo.Name(), limits: limits, slots: make(chan struct{}, limits.Concurrency), platforms: limits.Platforms}
	if f.client, err = newClient(ctx, repo, s.registry, "pull"); err != nil {
		f.fault("", err)
		return f.found(assay.NewBundle(subject)), nil
	}
	return f.found(f.tree(ctx, subject, 0)), nil
}

// Image opens the image with the digest. Its manifest is hashed against the digest;
// who reads its layers hashes those.
func (s *RegistrySource) Image(ctx context.Context, digest assay.Digest) (v1.Image, error) {
	repo, err := parseRepository(s.registry, s.repository)
	if err != nil {
		return nil, err
	}
	img, err := openImage(ctx, s.registry, repo, digest)
	if err != nil {
		err = unreached("open image", repo.Name()+"@"+digest.String(), err)
		if e, ok := errors.AsType[*assay.Error](err); ok && statusOf(err) == 404 {
			e.Kind = assay.ErrAbsent
		}
		return nil, err
	}
	return img, nil
}

// finder is one call of Discover.
type finder struct {
	client *client
	store  string
	limits Limits
	slots  chan struct{} // requests at a time

	bytes     int64 // of envelopes
	platforms int   // that may still be read

	mu      sync.Mutex
	faults  []Fault
	ignored map[string]int
}

func (f *finder) found(b *assay.Bundle) *Found {
	out := &Found{Bundle: b, Faults: f.faults}
	slices.SortFunc(out.Faults, Fault.Compare)
	for t, n := range f.ignored {
		out.Ignored = append(out.Ignored, Ignored{f.store, t, n})
	}
	slices.SortFunc(out.Ignored, func(a, b Ignored) int { return cmp.Compare(a.Type, b.Type) })
	return out
}

func (f *finder) fault(reference string, err error) {
	kind := Unreadable
	if errors.Is(err, assay.ErrAbsent) {
		kind = Absent
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.faults = append(f.faults, Fault{f.store, reference, kind, statusOf(err), err})
}

func (f *finder) ignore(what string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.ignored == nil {
		f.ignored = map[string]int{}
	}
	f.ignored[what]++
}

// tree reads what is attached to a manifest and, if it is an index, to those below.
func (f *finder) tree(ctx context.Context, subject assay.Digest, depth int) *assay.Bundle {
	b := assay.NewBundle(subject)
	f.attached(ctx, b)
	d, body, err := f.client.manifest(ctx, subject.String())
	if err != nil {
		f.fault(subject.String(), err)
		return b
	}
	m, err := parseManifest(f.store+"@"+subject.String(), d.MediaType, body)
	if err != nil {
		f.fault(subject.String(), err)
		return b
	}
	if m.Manifests == nil {
		return b
	}
	if depth == maxIndexDepth {
		f.fault(subject.String(), &assay.Error{Op: "read index", Kind: assay.ErrBound, Subject: f.store + "@" + subject.String(),
			Value: "an index in " + strconv.Itoa(depth) + " others", Bound: "at most " + strconv.Itoa(maxIndexDepth)})
		return b
	}
	list, err := readIndex(f.store+"@"+subject.String(), body)
	if err != nil {
		f.fault(subject.String(), err)
	}
	f.below(ctx, b, list, depth)
	return b
}

func (f *finder) below(ctx context.Context, b *assay.Bundle, list []descriptor, depth int) {
	done := map[assay.Digest]*assay.Bundle{}
	for _, d := range list {
		// BuildKit's attestation manifests are for a platform that no runtime asks
		// for. The annotation alone must not hide an image that one would run.
		if d.Platform != nil && d.Platform.OS == "unknown" && d.Platform.Architecture == "unknown" {
			f.ignore("manifest for platform unknown/unknown")
			continue
		}
		below, ok := done[d.Digest]
		if !ok {
			if f.platforms--; f.platforms < 0 {
				f.fault(b.Subject().String(), &assay.Error{Op: "read index", Kind: assay.ErrBound, Subject: f.store + "@" + b.Subject().String(),
					Value: "more", Bound: "at most " + strconv.Itoa(f.limits.Platforms) + " platforms"})
				return
			}
			below = f.tree(ctx, d.Digest, depth+1)
			done[d.Digest] = below
		}
		var p assay.Platform
		if d.Platform != nil {
			p = d.Platform.Normalize()
		}
		b.AddPlatform(p, below)
	}
}

// attached puts the envelopes that are attached to b's subject into b.
func (f *finder) attached(ctx context.Context, b *assay.Bundle) {
	list, ok := f.list(ctx, b.Subject())
	if len(list) == 0 && ok {
		f.fault(b.Subject().String(), &assay.Error{Op: "discover", Kind: assay.ErrAbsent, Subject: f.store + "@" + b.Subject().String(), Field: "referrers"})
		return
	}
	var wg sync.WaitGroup
	each := func(do func()) {
		f.slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-f.slots }()
			do()
		})
	}
	carried := make([][]carried, len(list))
	for i, d := range list {
		if !mayCarry(d.ArtifactType) {
			f.ignore(d.ArtifactType)
			continue
		}
		each(func() { carried[i] = f.artifact(ctx, b, d) })
	}
	wg.Wait()
	// Which envelopes fit into the budget is decided in the order of the list, and
	// not by which answer comes first.
	for _, c := range slices.Concat(carried...) {
		if f.bytes+c.layer.Size > f.limits.TotalBytes {
			f.unreadable(c.artifact.String(), &assay.Error{Op: "read envelopes", Kind: assay.ErrBound, Subject: f.store + "@" + c.artifact.String(),
				Value: "more", Bound: "at most " + strconv.FormatInt(f.limits.TotalBytes, 10) + " bytes of envelopes"})
			continue
		}
		f.bytes += c.layer.Size
		each(func() { f.envelope(ctx, b, c) })
	}
	wg.Wait()
}

// carried is an envelope that an artifact says it carries.
type carried struct {
	artifact  assay.Digest
	mediaType string
	layer     descriptor
}

// list merges the two lists of referrers; ok is whether both could be read.
func (f *finder) list(ctx context.Context, subject assay.Digest) (list []descriptor, ok bool) {
	ok = true
	list, _, err := f.client.referrers(ctx, subject, f.limits.Referrers)
	if err != nil {
		ok = false
		f.fault("referrers of "+subject.String(), err)
	}
	tag := fallbackTag(subject)
	_, body, err := f.client.manifest(ctx, tag)
	if err == nil {
		var entries []descriptor
		entries, err = readIndex(f.store+":"+tag, body)
		list = append(list, entries...)
	}
	if err != nil && !errors.Is(err, assay.ErrAbsent) {
		ok = false
		f.fault(tag, err)
	}
	// The type decides whether an artifact is read. Where the lists differ, the one
	// that is read comes first.
	slices.SortFunc(list, func(a, b descriptor) int {
		return cmp.Or(a.Digest.Compare(b.Digest), -compareBool(mayCarry(a.ArtifactType), mayCarry(b.ArtifactType)), cmp.Compare(a.ArtifactType, b.ArtifactType))
	})
	list = slices.CompactFunc(list, func(a, b descriptor) bool { return a.Digest == b.Digest })
	if len(list) > f.limits.Referrers {
		ok = false
		list = list[:f.limits.Referrers]
		f.fault(tag, &assay.Error{Op: "list referrers", Kind: assay.ErrBound, Subject: f.store + ":" + tag, Value: "more", Bound: "at most " + strconv.Itoa(f.limits.Referrers)})
	}
	return list, ok
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

// artifact reads the manifest of one referrer.
func (f *finder) artifact(ctx context.Context, b *assay.Bundle, d descriptor) []carried {
	name := f.store + "@" + d.Digest.String()
	served, body, err := f.client.manifest(ctx, d.Digest.String())
	if err != nil {
		// It was listed, so that it is not there is a store that cannot be read.
		f.unreadable(d.Digest.String(), err)
		return nil
	}
	m, err := parseManifest(name, served.MediaType, body)
	if err != nil {
		f.unreadable(d.Digest.String(), err)
		return nil
	}
	switch {
	case m.Subject == nil || m.Subject.Digest != b.Subject().String():
		got := "no subject"
		if m.Subject != nil {
			got = m.Subject.Digest
		}
		f.unreadable(d.Digest.String(), &assay.Error{Op: "read artifact", Kind: assay.ErrRefuted, Subject: name, Field: "/subject/digest", Value: got, Bound: b.Subject().String()})
		return nil
	case m.Layers == nil:
		f.ignore(m.kind())
		return nil
	}
	var any bool
	var out []carried
	for i, r := range *m.Layers {
		mediaType, ok := envelopeType(r.MediaType)
		if !ok {
			continue
		}
		any = true
		l, err := f.layer(name, r, i)
		if err != nil {
			f.unreadable(d.Digest.String(), err)
			continue
		}
		out = append(out, carried{d.Digest, mediaType, l})
	}
	if !any {
		f.ignore(m.kind())
	}
	return out
}

// unreadable is a fault of something that is known to be there.
func (f *finder) unreadable(reference string, err error) {
	if errors.Is(err, assay.ErrAbsent) {
		err = &assay.Error{Op: "read what is listed", Kind: assay.ErrUnchecked, Subject: f.store, Field: reference, Err: &statusError{status: statusOf(err)}}
	}
	f.fault(reference, err)
}

// layer checks what a manifest says of one of its layers.
func (f *finder) layer(name string, r rawDescriptor, i int) (descriptor, error) {
	field := "/layers/" + strconv.Itoa(i)
	l, err := r.parse(name, field)
	if err != nil {
		return descriptor{}, err
	}
	if l.Size > f.limits.BlobBytes {
		return descriptor{}, &assay.Error{Op: "read envelope", Kind: assay.ErrBound, Subject: name, Field: field + "/size",
			Value: strconv.FormatInt(l.Size, 10), Bound: "at most " + strconv.FormatInt(f.limits.BlobBytes, 10) + " bytes"}
	}
	return l, nil
}

// envelope reads what an artifact carries.
func (f *finder) envelope(ctx context.Context, b *assay.Bundle, c carried) {
	raw, err := f.client.blob(ctx, c.layer)
	if err != nil {
		f.unreadable(c.artifact.String(), err)
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	b.Add(assay.NewEnvelope(c.mediaType, raw, f.store+"@"+c.artifact.String()))
}
