package assay

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
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
	sum := sha256.Sum256(raw)
	e := Envelope{mediaType, bytes.Clone(raw), Digest{SHA256, hex.EncodeToString(sum[:])}, slices.Clone(sources)}
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
		// that the order of adding does not decide.
		have.mediaType = min(have.mediaType, e.mediaType)
	}
}

// AddPlatform puts the evidence about one platform of the index below it.
func (b *Bundle) AddPlatform(p Platform, below *Bundle) {
	b.platforms = append(b.platforms, PlatformBundle{p, below})
	slices.SortFunc(b.platforms, func(x, y PlatformBundle) int {
		return cmp.Or(cmp.Compare(x.Platform.String(), y.Platform.String()), x.Bundle.subject.Compare(y.Bundle.subject))
	})
}

// Envelopes gives those about the subject itself, sorted by digest.
func (b *Bundle) Envelopes() iter.Seq[Envelope] { return slices.Values(b.envelopes) }

// Len counts the envelopes about the subject itself.
func (b *Bundle) Len() int { return len(b.envelopes) }

// Platforms gives the bundles below an index, sorted by platform.
func (b *Bundle) Platforms() iter.Seq[PlatformBundle] { return slices.Values(b.platforms) }

// Merge adds all that other holds about the same subject.
func (b *Bundle) Merge(other *Bundle) error {
	if b.subject != other.subject {
		return &Error{Op: "merge bundles", Kind: ErrInvalid, Field: "subject", Value: other.subject.String(), Bound: b.subject.String()}
	}
	b.Add(other.envelopes...)
	for _, p := range other.platforms {
		i := slices.IndexFunc(b.platforms, func(q PlatformBundle) bool {
			return q.Platform == p.Platform && q.Bundle.subject == p.Bundle.subject
		})
		if i < 0 {
			b.AddPlatform(p.Platform, p.Bundle)
		} else if err := b.platforms[i].Bundle.Merge(p.Bundle); err != nil {
			return err
		}
	}
	return nil
}
