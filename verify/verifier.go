package verify

import (
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/attest"
	"github.com/assaykit/assay/sbom"
	"github.com/assaykit/assay/verify/internal/envelope"
)

// Verifier verifies images under one trust and one policy. It is safe for
// concurrent use and keeps nothing between images.
type Verifier struct {
	trust   Trust
	opener  *envelope.Opener
	policy  *compiledPolicy
	now     func() time.Time
	workers int
	scan    sbom.Options
	// components has the evidence on components; nil if it is not looked for.
	components attest.Source
	// revisions has the summaries of the source; nil if they are not looked for.
	revisions attest.Source
	log       *slog.Logger
}

// Option changes a [Verifier] that is being made.
type Option func(*Verifier) error

// At asks as of a time in place of now. Attestations that were witnessed later do
// not count.
func At(t time.Time) Option {
	return func(v *Verifier) error {
		if t.IsZero() {
			return &assay.Error{Op: "set up verifier", Kind: assay.ErrInvalid, Field: "At", Bound: "a time"}
		}
		v.now = func() time.Time { return t }
		return nil
	}
}

// Workers bounds how many envelopes, and layers, are worked on at once. The
// default is GOMAXPROCS. The report does not depend on it.
func Workers(n int) Option {
	return func(v *Verifier) error {
		if n < 1 {
			return &assay.Error{Op: "set up verifier", Kind: assay.ErrInvalid, Field: "Workers", Value: fmt.Sprint(n), Bound: "1 or more"}
		}
		v.workers, v.scan.Workers = n, n
		return nil
	}
}

// Scanning says how the image's bytes are read: memory, bounds, progress, cache. The
// digest and the document fields of the options are set by the verifier. A layer that
// the cache has is not read again: whoever can write to the cache can say what is in
// it, so it must be as private as the program. TrustTOC is an error: evidence is held
// against bytes, not against what a table says of them.
//
// Catalogers of the options count as those that are built in do: what they find is
// in the image, so an SBOM must list it, and what an SBOM's maker found with some must
// be looked for with them too, or it is taken for something that is not there. With
// Strict an image whose package databases cannot all be read is one whose contents are
// unreadable; without it the checks that this leaves open say so one by one. LockFiles
// is always off.
func Scanning(o sbom.Options) Option {
	return func(v *Verifier) error {
		if o.TrustTOC {
			return &assay.Error{Op: "set up verifier", Kind: assay.ErrInvalid, Field: "Scanning", Value: "TrustTOC", Bound: "layers that are read whole"}
		}
		v.scan = o
		return nil
	}
}

// Logger gets what happens, at debug level, and what is refused, at info level. By
// default nothing is logged.
func Logger(l *slog.Logger) Option {
	return func(v *Verifier) error {
		if l != nil {
			v.log = l
		}
		return nil
	}
}

// New checks the trust and the policy and makes a verifier of them. Both are
// needed; an error names what is wrong in them. A policy of layouts alone needs no
// trust, because it brings its own: then no other signature is proven.
func New(trust Trust, policy Policy, opts ...Option) (*Verifier, error) {
	var opener *envelope.Opener
	if len(trust.TrustedRoot)+len(trust.Keys)+len(policy.Signers) > 0 || len(policy.Layouts) == 0 {
		var err error
		if opener, err = trust.opener(); err != nil {
			return nil, err
		}
	}
	compiled, err := policy.compile()
	if err != nil {
		return nil, err
	}
	v := &Verifier{trust: trust, opener: opener, policy: compiled, now: time.Now, workers: runtime.GOMAXPROCS(0), log: slog.New(slog.DiscardHandler)}
	for _, o := range opts {
		if err := o(v); err != nil {
			return nil, err
		}
	}
	return v, nil
}

// ImageSource is a source of evidence that also has the image. [attest.FromRegistry]
// is one; sources that are not are asked for evidence only.
type ImageSource interface {
	// Image opens the image whose manifest has the digest.
	Image(ctx context.Context, digest assay.Digest) (v1.Image, error)
}

// Verify reports what the evidence in the sources proves about the digest. The
// digest may be an image's or an index's; for an index each image below it has a
// report of its own, to which evidence about the index counts as well.
//
// The error means that nothing could be looked at: a digest that cannot identify an
// image, a cancelled context, no source. A store that could not be read is a fault
// in the report. Use [Report.Err] for the policy's answer.
func (v *Verifier) Verify(ctx context.Context, digest assay.Digest, sources ...attest.Source) (*Report, error) {
	if !digest.Algorithm().Strong() {
		return nil, &assay.Error{Op: "verify", Kind: assay.ErrInvalid, Field: "digest", Value: digest.String(), Bound: "a digest that identifies content, such as sha256"}
	}
	if len(sources) == 0 {
		return nil, &assay.Error{Op: "verify", Kind: assay.ErrUnchecked, Subject: digest.String(), Bound: "at least one source of evidence"}
	}
	at := v.now().UTC()
	found, err := attest.Join(sources...).Discover(ctx, digest)
	if err != nil {
		return nil, &assay.Error{Op: "discover", Kind: assay.ErrUnchecked, Subject: digest.String(), Err: err}
	}
	var faults []Fault
	for _, f := range found.Faults {
		if f.Kind == attest.Unreadable {
			faults = append(faults, Fault{Store: joinStore(f.Store, f.Reference), Detail: detail(f)})
			v.log.InfoContext(ctx, "store could not be read", "store", f.Store, "reference", f.Reference, "error", f.Err)
		}
	}
	b := &basis{trust: v.trust, policy: v.policy.Policy, at: at, bundle: found.Bundle, faults: sortFaults(faults), skipped: skipped(found.Ignored),
		unread: unreadManifests(found.Faults), images: map[assay.Digest]contents{}, bases: map[assay.Digest]baseImage{}}
	if v.components != nil {
		b.components = map[assay.Digest]componentEvidence{}
	}
	if v.revisions != nil {
		b.revisions = map[assay.Digest]componentEvidence{}
	}
	return v.judge(ctx, b, sources)
}

// judge answers from the basis alone, but for images that are not in it yet: they are
// asked of the sources.
func (v *Verifier) judge(ctx context.Context, b *basis, sources []attest.Source) (*Report, error) {
	r, err := v.tree(ctx, inputs{basis: b, sources: sources}, b.bundle, assay.Platform{})
	if err != nil {
		return nil, err
	}
	r.basis, r.Skipped = b, b.skipped
	return r, nil
}

func skipped(list []attest.Ignored) []Skipped {
	var out []Skipped
	for _, i := range list {
		out = append(out, Skipped{clip(i.Store), clip(i.Type), i.Count})
	}
	return out
}

// unreadManifests are the references of which a part could not be read.
func unreadManifests(faults []attest.Fault) map[string]string {
	unread := map[string]string{}
	for _, f := range faults {
		if f.Kind == attest.Unreadable {
			unread[clip(f.Reference)] = clip(detail(f))
		}
	}
	return unread
}

func detail(f attest.Fault) string {
	if f.Err == nil {
		return "no reason was given"
	}
	return f.Err.Error()
}

func joinStore(store, reference string) string {
	if reference == "" {
		return store
	}
	return store + " " + reference
}

// basis is everything that the reports of one call rest on: the same basis gives the
// same report. What is added to it here must be added to the form of a [Record].
type basis struct {
	trust  Trust
	policy Policy
	at     time.Time
	// bundle is what was found, of an index with the tree below it.
	bundle  *assay.Bundle
	faults  []Fault
	skipped []Skipped
	// unread are the manifests that could not be read whole, and why.
	unread map[string]string
	// images are what was seen of each image's bytes.
	images map[assay.Digest]contents
	// bases are what was read of images that are named as a base.
	bases map[assay.Digest]baseImage
	// components are what was found of each component; nil if it was not looked for.
	components map[assay.Digest]componentEvidence
	// revisions are what was found of each commit; nil if it was not looked for.
	revisions map[assay.Digest]componentEvidence
}

// inputs are what all reports of one call share.
type inputs struct {
	*basis
	sources []attest.Source
	// about are the digests of the indexes above, and inherited the envelopes about
	// them: what is said of an index is said of each image in it.
	about     []assay.Digest
	inherited []assay.Envelope
	shared    openings // of those
}

// tree reports on a bundle and on all below it.
func (v *Verifier) tree(ctx context.Context, in inputs, b *assay.Bundle, platform assay.Platform) (*Report, error) {
	below := false
	for range b.Platforms() {
		below = true
	}
	if !below {
		return v.image(ctx, in, b, platform)
	}
	r := &Report{Schema: ReportSchema, Digest: b.Subject(), Platform: platform, At: in.at, Faults: in.faults}
	next := in
	next.inherited = slices.Clone(in.inherited)
	next.about = append(append([]assay.Digest(nil), in.about...), b.Subject())
	for e := range b.Envelopes() {
		next.inherited = append(next.inherited, e)
	}
	next.shared = in.shared.with(next.inherited)
	for p := range b.Platforms() {
		sub, err := v.tree(ctx, next, p.Bundle, p.Platform)
		if err != nil {
			return nil, err
		}
		r.Platforms = append(r.Platforms, sub)
	}
	r.Checks = append([]Check{complete(b.Subject(), len(r.Platforms), in.unread)}, everywhere(r.Platforms)...)
	r.conclude()
	return r, nil
}

// complete answers whether the reports below an index are on all of its images. One
// that was not read could be anything.
func complete(index assay.Digest, platforms int, unread map[string]string) Check {
	c := Check{ID: CheckPlatforms, State: assay.Proven, Reason: Holds, Stage: assay.Minimal, Required: true,
		Detail: plural(platforms, "platform") + " listed"}
	if why, ok := unread[index.String()]; ok {
		c.State, c.Reason, c.Detail = assay.Unknown, StoreUnreadable, "the manifest could not be read whole, and may list images: "+why
	}
	return c.finish()
}

// image reports on one image.
func (v *Verifier) image(ctx context.Context, in inputs, b *assay.Bundle, platform assay.Platform) (*Report, error) {
	r := &Report{Schema: ReportSchema, Digest: b.Subject(), Platform: platform, At: in.at, Faults: in.faults}
	all := assay.NewBundle(b.Subject(), in.inherited...)
	for e := range b.Envelopes() {
		all.Add(e)
	}
	about := append([]assay.Digest{b.Subject()}, in.about...)
	accepted, err := v.openAll(ctx, r, all, about, in.shared)
	if err != nil {
		return nil, err
	}
	r.evidence = accepted
	c, seen := in.images[b.Subject()]
	if !seen {
		if c, err = v.contents(ctx, in.sources, b.Subject()); err != nil {
			return nil, err
		}
		in.images[b.Subject()] = c
	}
	layouts := v.layouts(r, all)
	subject := newCase(r, c, about)
	subject.unsigned = unsignedProvenances(r, all, about)
	if err := v.bases(ctx, in, subject); err != nil {
		return nil, err
	}
	r.BuildLevels = v.buildLevels(subject)
	if r.Components, err = v.coverage(ctx, in, subject); err != nil {
		return nil, err
	}
	if err := v.findRevisions(ctx, in, subject); err != nil {
		return nil, err
	}
	r.Checks = append(v.checks(subject), layouts...)
	if _, ok := in.unread[b.Subject().String()]; ok {
		// It may be an index of images that nobody looked at.
		r.Checks = append(r.Checks, complete(b.Subject(), 0, in.unread))
	}
	r.conclude()
	return r, nil
}
