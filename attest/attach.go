package attest

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"golang.org/x/sync/errgroup"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/sourcedate"
	"github.com/assaykit/assay/sbom/image"
)

// AttachOptions say how envelopes are put beside an image. The zero value uses the
// Docker configuration's credentials and writes no time.
type AttachOptions struct {
	// Registry says how the registry is reached.
	Registry image.Registry
	// Created becomes the annotation org.opencontainers.image.created. Zero takes
	// SOURCE_DATE_EPOCH from the environment, and without it leaves the annotation
	// out: the time of day would make attaching again a different artifact.
	Created time.Time
	// OtherSubjectsUnsafe also attaches envelopes whose statement does not name the
	// image's digest. Nobody who verifies accepts them as evidence about the image.
	OtherSubjectsUnsafe bool
	// Logger is told what is pushed; nil discards.
	Logger *slog.Logger
}

// Attached says what [Attach] left in the registry.
type Attached struct {
	// Repository is "registry.example/app".
	Repository string
	// Subject is the image's digest.
	Subject assay.Digest
	// Referrers are sorted by manifest, each once.
	Referrers []Referrer
	// Set is the manifest of the artifact that carries all the envelopes; zero where
	// none was needed to make them visible at once.
	Set assay.Digest
	// FallbackTag is the tag of the list of referrers, where the registry has no
	// referrers API (OCI distribution-spec v1.1, Referrers Tag Schema); else empty.
	FallbackTag string
}

// Referrer is one envelope in the registry.
type Referrer struct {
	// Manifest is the digest of the artifact's manifest.
	Manifest assay.Digest
	// Envelope is the digest of the envelope.
	Envelope assay.Digest
	// PredicateType is as the envelope states it, unverified.
	PredicateType assay.PredicateType
	// New is false if the registry had the manifest already.
	New bool
}

const (
	pushConcurrency = 4
	cleanupTimeout  = 30 * time.Second
)

// Attach pushes the envelopes as referrers of the image, or index, that ref names
// by digest or by tag: an OCI 1.1 artifact for each, which carries the envelope as
// its one layer and the image as its subject. Where the registry has no referrers
// API, the list under the fallback tag is kept.
//
// All of them become visible at once, or none, even if this process ends halfway.
// Blobs are pushed first. Where the registry lists referrers by itself, each manifest
// is visible when it is pushed; so, of two or more, the first that is pushed is an
// artifact that carries them all ([Attached.Set]), and those for each, which other
// programs read, follow. Whoever reads every layer of an artifact, as [FromRegistry]
// does, sees all or nothing at any time; a program that reads one envelope of an
// artifact may see some of them meanwhile. Under the fallback tag, the one write of the
// list is what makes all visible, to everybody.
//
// When something fails after that, what this call made visible is deleted, the set
// last; the error says so where that failed too. Attaching again finishes what was
// begun, and changes nothing where all is there.
//
// Writers that attach to one image at the same time keep each other's evidence. With
// the referrers API the registry sees to it. The fallback tag is the last writer's,
// and no registry offers to write it only if it is unchanged; so it is read again
// after writing, twice, over a time of several round trips (150 ms at least), and
// written again where another writer took an entry out. A writer that stops for
// longer between its reading and its writing can still do that unseen; attaching
// again puts the entry back.
func Attach(ctx context.Context, ref string, opts AttachOptions, envelopes ...assay.Envelope) (*Attached, error) {
	created, err := opts.created()
	if err != nil {
		return nil, err
	}
	r, err := opts.Registry.ParseReference(ref)
	if err != nil {
		return nil, err
	}
	a := attacher{log: opts.Logger}
	if a.log == nil {
		a.log = slog.New(slog.DiscardHandler)
	}
	if a.client, err = newClient(ctx, r.Context(), opts.Registry, "push,pull,delete"); err != nil {
		return nil, err
	}
	if a.subject, err = a.client.resolve(ctx, r); err != nil {
		return nil, err
	}
	for _, e := range envelopes {
		if slices.ContainsFunc(a.artifacts, func(p pushed) bool { return p.envelope.Digest() == e.Digest() }) {
			continue
		}
		h, err := peek(e)
		if err != nil {
			return nil, err
		}
		about := slices.ContainsFunc(h.Subjects, func(s assay.Subject) bool { return s.Digest.Has(a.subject.Digest) })
		if !about && !opts.OtherSubjectsUnsafe {
			return nil, &assay.Error{Op: "attach", Kind: assay.ErrRefuted, Subject: e.Digest().String(), Field: "/subject",
				Value: h.Subjects[0].Digest[0].String(), Bound: a.subject.Digest.String(), Rule: "in-toto S2"}
		}
		body, err := newArtifact(a.subject.plain(), e, h.PredicateType, created)
		if err != nil {
			return nil, err
		}
		a.created = created
		a.artifacts = append(a.artifacts, pushed{Referrer{Manifest: assay.SumSHA256(body), Envelope: e.Digest(), PredicateType: h.PredicateType}, e, body})
	}
	slices.SortFunc(a.artifacts, func(x, y pushed) int { return x.Manifest.Compare(y.Manifest) })
	if err := a.push(ctx); err != nil {
		return nil, err
	}
	out := &Attached{Repository: r.Context().Name(), Subject: a.subject.Digest, FallbackTag: a.tag, Set: a.set}
	for _, p := range a.artifacts {
		out.Referrers = append(out.Referrers, p.Referrer)
	}
	return out, nil
}

func (o AttachOptions) created() (time.Time, error) {
	if !o.Created.IsZero() {
		return o.Created, nil
	}
	return sourcedate.Epoch()
}

// resolve reads the manifest that a reference names.
func (c *client) resolve(ctx context.Context, ref name.Reference) (descriptor, error) {
	d, body, err := c.manifest(ctx, ref.Identifier())
	if err != nil {
		return descriptor{}, err
	}
	m, err := parseManifest(ref.Name(), d.MediaType, body)
	if err != nil {
		return descriptor{}, err
	}
	if m.MediaType != "" {
		d.MediaType = m.MediaType
	}
	return d, nil
}

type pushed struct {
	Referrer
	envelope assay.Envelope
	manifest []byte
}

// attacher is one call of [Attach].
type attacher struct {
	client    *client
	log       *slog.Logger
	subject   descriptor
	artifacts []pushed // sorted by manifest
	created   time.Time
	set       assay.Digest // the artifact of all, where it is
	tag       string       // the fallback tag, where it was needed
}

func (a *attacher) push(ctx context.Context) error {
	if len(a.artifacts) == 0 {
		return nil
	}
	listed, err := a.client.hasReferrersAPI(ctx, a.subject.Digest)
	if err != nil {
		return err
	}
	if err := a.pushBlobs(ctx); err != nil {
		return err
	}
	var missing []*pushed
	for i := range a.artifacts {
		p := &a.artifacts[i]
		have, err := a.client.has(ctx, "manifests", p.Manifest)
		if err != nil {
			return err
		}
		if p.New = !have; p.New {
			missing = append(missing, p)
		}
	}
	var made []assay.Digest
	told := true // the registry said of each push that it lists it
	put := func(d assay.Digest, body []byte) error {
		// A push whose answer is lost may have been done: count it before.
		made = append(made, d)
		subject, err := a.client.putManifest(ctx, d.String(), typeManifest, body)
		if err != nil {
			return err
		}
		if subject == a.subject.Digest.String() {
			listed = true
		} else {
			told = false
		}
		return nil
	}
	err = func() error {
		if listed && len(a.artifacts) > 1 {
			body, err := newSet(a.subject.plain(), a.artifacts, a.created)
			if err != nil {
				return err
			}
			set := assay.SumSHA256(body)
			have, err := a.client.has(ctx, "manifests", set)
			if err != nil {
				return err
			}
			if have {
				a.set = set
			} else if len(missing) > 1 {
				if err := put(set, body); err != nil {
					return err
				}
				a.set = set
			}
		}
		for _, p := range missing {
			if err := put(p.Manifest, p.manifest); err != nil {
				return err
			}
			a.log.InfoContext(ctx, "pushed", "repository", a.client.repo.Name(), "manifest", p.Manifest, "predicateType", p.PredicateType)
		}
		if listed && !told {
			// The API is there, but whether it saw the subject is not known.
			if listed, err = a.client.lists(ctx, a.subject.Digest, a.artifacts); err != nil {
				return err
			}
		}
		if listed {
			return nil
		}
		a.tag = fallbackTag(a.subject.Digest)
		return a.list(ctx)
	}()
	if err != nil {
		return errors.Join(err, a.takeBack(ctx, made))
	}
	return nil
}

func (a *attacher) pushBlobs(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(pushConcurrency)
	g.Go(func() error { return a.client.putBlob(ctx, assay.SumSHA256([]byte(emptyConfig)), []byte(emptyConfig)) })
	for _, p := range a.artifacts {
		g.Go(func() error { return a.client.putBlob(ctx, p.envelope.Digest(), p.envelope.Raw()) })
	}
	return g.Wait()
}

// takeBack deletes manifests, even where the caller has given up.
func (a *attacher) takeBack(ctx context.Context, made []assay.Digest) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTimeout)
	defer cancel()
	var left []string
	var errs []error
	if a.tag != "" && len(made) > 0 {
		if err := a.unlist(ctx, made); err != nil {
			errs = append(errs, err)
			left = append(left, a.tag)
		}
	}
	// The set is the first that was made, and is what keeps the others whole.
	for _, d := range slices.Backward(made) {
		if err := a.client.deleteManifest(ctx, d); err != nil {
			left = append(left, d.String())
			errs = append(errs, err)
		}
	}
	if len(left) == 0 {
		return nil
	}
	return &assay.Error{Op: "take back what was attached", Kind: assay.ErrUnchecked, Subject: a.client.repo.Name(),
		Field: strings.Join(left, ", "), Bound: "no part of a set that could not be attached whole", Err: errors.Join(errs...)}
}

// PublishOptions say how evidence is encoded and attached.
type PublishOptions struct {
	AttachOptions
	// Statement says how the evidence is encoded.
	Statement StatementOptions
}

// Publish makes statements about the image, or index, that ref names, signs all of
// them, and then attaches them as [Attach] does. A tag is resolved once; what is
// signed is the digest. Nothing is pushed before everything is signed.
func Publish(ctx context.Context, signer Signer, ref string, opts PublishOptions, evidence ...assay.Evidence) (*Attached, error) {
	if signer == nil {
		return nil, &assay.Error{Op: "publish", Kind: assay.ErrInvalid, Field: "signer", Bound: "a signer"}
	}
	r, err := opts.Registry.ParseReference(ref)
	if err != nil {
		return nil, err
	}
	c, err := newClient(ctx, r.Context(), opts.Registry, "pull")
	if err != nil {
		return nil, err
	}
	target, err := c.resolve(ctx, r)
	if err != nil {
		return nil, err
	}
	subject := assay.Subject{Name: r.Context().Name(), Digest: assay.DigestSet{target.Digest}}
	statements := make([]assay.Statement[assay.Evidence], len(evidence))
	for i, ev := range evidence {
		// The type that was asked for is of one kind; evidence of others is written
		// as its own.
		o := opts.Statement
		if ev != nil && o.PredicateType.Kind() != ev.Kind() {
			o.PredicateType = ""
		}
		if statements[i], err = NewStatement(ev, o, subject); err != nil {
			return nil, err
		}
	}
	envelopes, err := SignAll(ctx, signer, statements...)
	if err != nil {
		return nil, err
	}
	return Attach(ctx, r.Context().Name()+"@"+target.Digest.String(), opts.AttachOptions, envelopes...)
}
