package attest

import (
	"context"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"golang.org/x/sync/errgroup"

	"github.com/assaykit/assay"
)

// EnvelopeSource is envelopes that the caller holds.
type EnvelopeSource struct{ envelopes []assay.Envelope }

// FromEnvelopes gives the envelopes, whatever they are about.
func FromEnvelopes(envelopes ...assay.Envelope) *EnvelopeSource {
	return &EnvelopeSource{slices.Clone(envelopes)}
}

// Discover implements [Source].
func (s *EnvelopeSource) Discover(_ context.Context, subject assay.Digest) (*Found, error) {
	return &Found{Bundle: assay.NewBundle(subject, s.envelopes...)}, nil
}

// ImageSource is an image that the caller holds. It has no envelopes.
type ImageSource struct{ image v1.Image }

// FromImage gives the bytes of an image to whoever checks evidence against them.
func FromImage(image v1.Image) *ImageSource { return &ImageSource{image} }

// Discover implements [Source]; it finds nothing.
func (s *ImageSource) Discover(_ context.Context, subject assay.Digest) (*Found, error) {
	return &Found{Bundle: assay.NewBundle(subject)}, nil
}

// Image gives the image if its manifest has the digest; another is an
// [assay.ErrAbsent].
func (s *ImageSource) Image(_ context.Context, digest assay.Digest) (v1.Image, error) {
	if s.image == nil {
		return nil, &assay.Error{Op: "open image", Kind: assay.ErrInvalid, Field: "image", Bound: "an image"}
	}
	manifest, err := s.image.RawManifest()
	if err != nil {
		return nil, &assay.Error{Op: "open image", Kind: assay.ErrUnchecked, Subject: digest.String(), Err: err}
	}
	got, err := hashBy(digest.Algorithm(), manifest)
	if err != nil {
		return nil, err
	}
	if got != digest {
		return nil, &assay.Error{Op: "open image", Kind: assay.ErrAbsent, Subject: digest.String(), Value: got.String(), Bound: "the image with the digest"}
	}
	return s.image, nil
}

// JoinedSource is several sources read as one.
type JoinedSource struct{ sources []Source }

// Join reads all sources, at once, and merges what they hold: each envelope is there
// once, with all the places it was found in, and the order of the sources does not
// matter to what is found.
//
// A source that is [ByDigest] is asked again for each platform of an index that
// another source lists and it does not.
func Join(sources ...Source) *JoinedSource {
	out := &JoinedSource{}
	for _, s := range sources {
		if inner, ok := s.(*JoinedSource); ok && inner != nil {
			out.sources = append(out.sources, inner.sources...)
		} else {
			out.sources = append(out.sources, s)
		}
	}
	return out
}

// joinConcurrency is how many questions are asked at a time, beside what each source
// does at a time.
const joinConcurrency = 8

// Discover implements [Source]. An error of one source is an error of all: evidence
// of the others, without what it would have said, is half an answer.
func (s *JoinedSource) Discover(ctx context.Context, subject assay.Digest) (*Found, error) {
	questions := make([]question, len(s.sources))
	for i, src := range s.sources {
		questions[i] = question{source: src, about: subject}
	}
	if err := ask(ctx, questions); err != nil {
		return nil, err
	}
	out := &Found{Bundle: assay.NewBundle(subject)}
	for _, q := range questions {
		if err := out.Bundle.Merge(q.found.Bundle); err != nil {
			return nil, err
		}
	}
	more := missing(questions, out.Bundle)
	if err := ask(ctx, more); err != nil {
		return nil, err
	}
	if len(more) > 0 {
		answers := map[assay.Digest][]*assay.Bundle{}
		for _, q := range more {
			answers[q.about] = append(answers[q.about], q.found.Bundle)
		}
		out.Bundle = graft(out.Bundle, answers)
	}
	ignored := map[Ignored]int{}
	for i, q := range append(questions, more...) {
		for _, f := range q.found.Faults {
			// That a source does not have an image that it was not known to have is
			// no news.
			if i < len(questions) || f.Kind == Unreadable {
				out.Faults = append(out.Faults, f)
			}
		}
		for _, x := range q.found.Ignored {
			n := x.Count
			x.Count = 0
			ignored[x] += n
		}
	}
	for x, n := range ignored {
		x.Count = n
		out.Ignored = append(out.Ignored, x)
	}
	slices.SortFunc(out.Ignored, compareIgnored)
	slices.SortFunc(out.Faults, Fault.Compare)
	return out, nil
}

// question is one that a source is asked.
type question struct {
	source Source
	about  assay.Digest
	found  *Found
}

// ask fills in the answers.
func ask(ctx context.Context, questions []question) error {
	for _, q := range questions {
		if q.source == nil {
			return &assay.Error{Op: "discover", Kind: assay.ErrInvalid, Subject: q.about.String(), Field: "sources", Value: "nil", Bound: "a source"}
		}
	}
	errs := make([]error, len(questions))
	var g errgroup.Group
	g.SetLimit(joinConcurrency)
	for i := range questions {
		g.Go(func() error {
			q := &questions[i]
			q.found, errs[i] = q.source.Discover(ctx, q.about)
			switch {
			case errs[i] != nil:
			case q.found == nil || q.found.Bundle == nil:
				errs[i] = &assay.Error{Op: "discover", Kind: assay.ErrUnchecked, Subject: q.about.String(), Bound: "a source that gives a bundle, or an error"}
			case q.found.Bundle.Subject() != q.about:
				errs[i] = &assay.Error{Op: "discover", Kind: assay.ErrUnchecked, Subject: q.about.String(), Value: q.found.Bundle.Subject().String(), Bound: "a source that answers what it was asked"}
			}
			return nil
		})
	}
	_ = g.Wait() // the first error by order is given, whichever came first
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// missing are the questions that are still to be asked: each source that can answer
// them about each manifest below the index that it did not list itself.
func missing(asked []question, merged *assay.Bundle) []question {
	var out []question
	all := below(merged, nil)
	for _, q := range asked {
		if _, ok := q.source.(ByDigest); !ok {
			continue
		}
		own := below(q.found.Bundle, nil)
		for _, d := range all {
			if !slices.Contains(own, d) {
				out = append(out, question{source: q.source, about: d})
			}
		}
	}
	return out
}

// below are the digests below an index, each once, in order.
func below(b *assay.Bundle, out []assay.Digest) []assay.Digest {
	for p := range b.Platforms() {
		if d := p.Bundle.Subject(); !slices.Contains(out, d) {
			out = append(out, d)
		}
		out = below(p.Bundle, out)
	}
	return out
}

// graft adds the envelopes of the answers to each place that their subject is in. What
// an answer says is below its subject is not taken: who listed the subject read it.
func graft(b *assay.Bundle, answers map[assay.Digest][]*assay.Bundle) *assay.Bundle {
	out := assay.NewBundle(b.Subject(), slices.Collect(b.Envelopes())...)
	for _, a := range answers[b.Subject()] {
		out.Add(slices.Collect(a.Envelopes())...)
	}
	for p := range b.Platforms() {
		out.AddPlatform(p.Platform, graft(p.Bundle, answers))
	}
	return out
}

// Image asks the sources that can open images, in their order, and gives the first
// that has it. It is [assay.ErrAbsent] only if all that can open images say so.
func (s *JoinedSource) Image(ctx context.Context, digest assay.Digest) (v1.Image, error) {
	return first(s.sources, "open image", digest, func(src Source) (v1.Image, bool, error) {
		opener, ok := src.(interface {
			Image(context.Context, assay.Digest) (v1.Image, error)
		})
		if !ok {
			return nil, false, nil
		}
		img, err := opener.Image(ctx, digest)
		return img, true, err
	})
}
