package assay

import (
	"bytes"
	"cmp"
	"iter"
	"slices"
)

// Envelope is a signed statement as it travels: bytes, and where they were found.
// It is untrusted, and there is no way to read evidence out of it here: package
// verify does, after it has proven the signature.
type Envelope struct {
	mediaType string
	raw       []byte
	digest    Digest
	sources   []string
}

// The media types of envelopes.
const (
	// MediaTypeSigstoreBundle is a sigstore bundle, protobuf JSON.
	MediaTypeSigstoreBundle = "application/vnd.dev.sigstore.bundle.v0.3+json"
	// MediaTypeDSSE is a bare DSSE envelope, without certificate or log entry.
	MediaTypeDSSE = "application/vnd.dsse.envelope.v1+json"
	// MediaTypeInToto is the payload type of in-toto statements in DSSE.
	MediaTypeInToto = "application/vnd.in-toto+json"
)

// NewEnvelope keeps a copy of raw. Sources say where it was found, such as
// "registry.example/app@sha256:…" or a file name.
func NewEnvelope(mediaType string, raw []byte, sources ...string) Envelope {
	e := Envelope{mediaType, bytes.Clone(raw), SumSHA256(raw), slices.Clone(sources)}
	slices.Sort(e.sources)
	e.sources = slices.Compact(e.sources)
	return e
}

// MediaType says how to read the bytes.
func (e Envelope) MediaType() string { return e.mediaType }

// Raw gives a copy of the bytes.
func (e Envelope) Raw() []byte { return bytes.Clone(e.raw) }

// Size is the number of bytes.
func (e Envelope) Size() int { return len(e.raw) }

// Digest is the SHA-256 of the bytes; it identifies the envelope.
func (e Envelope) Digest() Digest { return e.digest }

// Sources are the places it was found in, sorted.
func (e Envelope) Sources() []string { return slices.Clone(e.sources) }

// Bundle is all evidence found about one digest and, for an index, about each
// platform below it. The order of envelopes and the place they were found in never
// matter: they are kept by digest, each once.
type Bundle struct {
	subject   Digest
	envelopes []Envelope // sorted by digest
	platforms []PlatformBundle
}

// PlatformBundle is the evidence about one platform of an index.
type PlatformBundle struct {
	Platform Platform
	Bundle   *Bundle
}

// NewBundle collects envelopes about the subject. An envelope that is given twice
// is kept once, with the sources of both.
func NewBundle(subject Digest, envelopes ...Envelope) *Bundle {
	b := &Bundle{subject: subject}
	b.Add(envelopes...)
	return b
}

// Subject is the digest the bundle is about.
func (b *Bundle) Subject() Digest { return b.subject }

// Add puts envelopes into the bundle.
func (b *Bundle) Add(envelopes ...Envelope) {
	for _, e := range envelopes {
		i, ok := slices.BinarySearchFunc(b.envelopes, e.digest, func(e Envelope, d Digest) int { return e.digest.Compare(d) })
		if !ok {
			b.envelopes = slices.Insert(b.envelopes, i, e)
			continue
		}
		have := &b.envelopes[i]
		sources := append(slices.Clone(have.sources), e.sources...)
		slices.Sort(sources)
		have.sources = slices.Compact(sources)
		// The same bytes under two media types: keep the one that sorts first, so
		// that the order of adding does not decide, and any rather than none.
		if have.mediaType == "" || e.mediaType != "" && e.mediaType < have.mediaType {
			have.mediaType = e.mediaType
		}
	}
}

// AddPlatform puts a copy of the evidence about one platform of the index below
// it. For a platform and subject that is there already, the envelopes are added.
func (b *Bundle) AddPlatform(p Platform, below *Bundle) {
	i, ok := slices.BinarySearchFunc(b.platforms, PlatformBundle{p, below}, func(x, y PlatformBundle) int {
		return cmp.Or(x.Platform.Compare(y.Platform), x.Bundle.subject.Compare(y.Bundle.subject))
	})
	if !ok {
		b.platforms = slices.Insert(b.platforms, i, PlatformBundle{p, NewBundle(below.subject)})
	}
	b.platforms[i].Bundle.add(below)
}

// add takes over all that is in a bundle about the same subject.
func (b *Bundle) add(other *Bundle) {
	b.Add(other.envelopes...)
	for _, p := range other.platforms {
		b.AddPlatform(p.Platform, p.Bundle)
	}
}

// Envelopes gives those about the subject itself, sorted by digest.
func (b *Bundle) Envelopes() iter.Seq[Envelope] { return slices.Values(b.envelopes) }

// Len counts the envelopes about the subject itself.
func (b *Bundle) Len() int { return len(b.envelopes) }

// Platforms gives the bundles below an index, sorted by platform.
func (b *Bundle) Platforms() iter.Seq[PlatformBundle] { return slices.Values(b.platforms) }

// Merge adds all that other holds about the same subject, the platforms below it
// included. A bundle about another subject is an error and changes nothing.
func (b *Bundle) Merge(other *Bundle) error {
	if b.subject != other.subject {
		return &Error{Op: "merge bundles", Kind: ErrInvalid, Field: "subject", Value: other.subject.String(), Bound: b.subject.String()}
	}
	b.add(other)
	return nil
}
