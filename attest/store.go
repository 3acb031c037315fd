package attest

import (
	"context"
	"errors"

	"github.com/assaykit/assay"
)

// place is where manifests and blobs are: a repository, or a layout. What it gives
// by digest has that digest.
type place interface {
	// String is its name in faults and sources.
	String() string
	// manifest gives a manifest by digest.
	manifest(ctx context.Context, d assay.Digest) (descriptor, []byte, error)
	// tagged gives the manifests under a tag. There is more than one in a layout
	// that says so twice.
	tagged(ctx context.Context, tag string) ([]tagged, error)
	blob(ctx context.Context, d descriptor) ([]byte, error)
	stores() []store
}

type tagged struct {
	descriptor
	body []byte
}

// store is a way in which a place lists what is about a digest.
type store struct {
	// name is what is asked of the place, for faults.
	name func(assay.Digest) string
	// list gives what it lists. Beside an error it is what could be read. An
	// [assay.ErrAbsent] says that nothing is listed.
	list func(context.Context, assay.Digest) ([]listed, error)
}

// listed is an artifact: a manifest whose layers may be envelopes.
type listed struct {
	digest assay.Digest
	// kind is the artifact type as the list has it; empty if it does not say.
	kind string
	// source is where an envelope in it was found.
	source string
	// refers tells that the manifest has to name the digest as its subject. It does
	// not in cosign's tags and in an index.
	refers bool
	// body is the manifest, if the list had it.
	body      []byte
	mediaType string // that body was served under
}

// referring are artifacts that name their subject.
func referring(p place, list []descriptor) []listed {
	out := make([]listed, len(list))
	for i, d := range list {
		out[i] = listed{digest: d.Digest, kind: d.ArtifactType, source: p.String() + "@" + d.Digest.String(), refers: true}
	}
	return out
}

// maxTag is the longest that a tag can be (OCI distribution-spec v1.1, Pulling
// Manifests). cosign does not shorten the digest in its tags.
const maxTag = 128

// tagStores are the stores that are tags made of the digest.
func tagStores(p place) []store {
	return []store{
		{fallbackTag, func(ctx context.Context, d assay.Digest) ([]listed, error) { return fallbackReferrers(ctx, p, d) }},
		cosignTag(p, "att"),
		cosignTag(p, "sig"),
	}
}

// fallbackReferrers reads the index under the fallback tag.
func fallbackReferrers(ctx context.Context, p place, d assay.Digest) ([]listed, error) {
	tag := fallbackTag(d)
	all, err := p.tagged(ctx, tag)
	if err != nil {
		return nil, err
	}
	var out []listed
	var errs []error
	for _, t := range all {
		list, err := readIndex(p.String()+":"+tag, t.body)
		out = append(out, referring(p, list)...)
		errs = append(errs, err)
	}
	return out, errors.Join(errs...)
}

// cosignTag is the tag that cosign keeps attestations or signatures under: an image
// each layer of which is one. Nothing but its name says what it is about.
func cosignTag(p place, suffix string) store {
	name := func(d assay.Digest) string { return string(d.Algorithm()) + "-" + d.Hex() + "." + suffix }
	return store{name, func(ctx context.Context, d assay.Digest) ([]listed, error) {
		tag := name(d)
		if len(tag) > maxTag {
			return nil, nil // nothing can be there
		}
		all, err := p.tagged(ctx, tag)
		if err != nil {
			return nil, err
		}
		var out []listed
		for _, t := range all {
			out = append(out, listed{digest: t.Digest, source: p.String() + ":" + tag, body: t.body, mediaType: t.MediaType})
		}
		return out, nil
	}}
}

// ordered calls read for 0 up to n, window of them at a time at most, and then what
// it gives, one after the other and in order. It stops early when stop says so, and
// gives how many it called.
func ordered(n, window int, stop func() bool, read func(i int) (then func())) int {
	results := make(chan chan func(), max(window-1, 0))
	go func() {
		defer close(results)
		for i := range n {
			if stop() {
				return
			}
			out := make(chan func(), 1)
			results <- out
			go func() { out <- read(i) }()
		}
	}()
	done := 0
	for out := range results {
		if then := <-out; then != nil {
			then()
		}
		done++
	}
	return done
}
