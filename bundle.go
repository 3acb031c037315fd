package assay

import (
	"bytes"
	"cmp"
	"iter"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Envelope is a signed statement as it travels: bytes, and where they were found.
// It is untrusted, and there is no way to read evidence out of it here: package
// verify does, after it has proven the signature.
type Envelope struct {
	mediaType   string
	raw         []byte
	annotations map[string]string
	digest      Digest
	sources     []string
}

// The media types of envelopes.
const (
	// MediaTypeSigstoreBundle is a sigstore bundle, protobuf JSON.
	MediaTypeSigstoreBundle = "application/vnd.dev.sigstore.bundle.v0.3+json"
	// MediaTypeDSSE is a bare DSSE envelope, without certificate or log entry.
	MediaTypeDSSE = "application/vnd.dsse.envelope.v1+json"
	// MediaTypeInToto is the payload type of in-toto statements in DSSE.
	MediaTypeInToto = "application/vnd.in-toto+json"
	// MediaTypeLink is an in-toto link in the format before DSSE, which has no media type
	// of its own; the name is ours, and never leaves the process.
	MediaTypeLink = "application/vnd.in-toto.link+json"
	// MediaTypeSimpleSigning is what cosign signs of an image in a ".sig" tag. The
	// bytes are the payload, and the signature is in the annotations.
	MediaTypeSimpleSigning = "application/vnd.dev.cosign.simplesigning.v1+json"
)

// The annotations of a layer in which cosign's older formats keep what belongs to
// the signature (cosign specs/SIGNATURE_SPEC.md).
const (
	AnnotationSignature   = "dev.cosignproject.cosign/signature"   // base64; empty beside a DSSE envelope
	AnnotationCertificate = "dev.sigstore.cosign/certificate"      // PEM
	AnnotationChain       = "dev.sigstore.cosign/chain"            // PEM
	AnnotationRekorBundle = "dev.sigstore.cosign/bundle"           // JSON: a signed entry timestamp of Rekor v1
	AnnotationTimestamp   = "dev.sigstore.cosign/rfc3161timestamp" // JSON: an RFC 3161 answer
	annotationsCosign     = "dev.cosignproject.cosign/"            // the prefixes of
	annotationsSigstore   = "dev.sigstore.cosign/"                 // all that are kept
)

// NewEnvelope keeps a copy of raw. Sources say where it was found, such as
// "registry.example/app@sha256:…" or a file name.
func NewEnvelope(mediaType string, raw []byte, sources ...string) Envelope {
	e := Envelope{mediaType: mediaType, raw: bytes.Clone(raw), digest: SumSHA256(raw), sources: slices.Clone(sources)}
	slices.Sort(e.sources)
	e.sources = slices.Compact(e.sources)
	return e
}

// NewAnnotatedEnvelope is NewEnvelope for a layer of cosign's older formats, whose
// signature, certificate or witnesses are in the annotations beside it. Of those,
// the ones are kept that such a layer can be verified with: whose names begin with
// "dev.cosignproject.cosign/" or "dev.sigstore.cosign/" and which are not empty.
// Without any it is the same as NewEnvelope.
func NewAnnotatedEnvelope(mediaType string, raw []byte, annotations map[string]string, sources ...string) Envelope {
	e := NewEnvelope(mediaType, raw, sources...)
	for k, v := range annotations {
		if v != "" && (strings.HasPrefix(k, annotationsCosign) || strings.HasPrefix(k, annotationsSigstore)) {
			if e.annotations == nil {
				e.annotations = map[string]string{}
			}
			e.annotations[k] = v
		}
	}
	if e.annotations != nil {
		// Many signatures are over the same payload, so the bytes alone do not tell
		// the envelopes apart.
		id := strconv.AppendQuote([]byte("annotated envelope\n"), e.digest.String())
		for _, k := range slices.Sorted(maps.Keys(e.annotations)) {
			id = strconv.AppendQuote(append(id, '\n'), k)
			id = strconv.AppendQuote(append(id, ' '), e.annotations[k])
		}
		e.digest = SumSHA256(id)
	}
	return e
}

// Annotations gives a copy of the annotations that belong to the envelope; none but
// in cosign's older formats.
func (e Envelope) Annotations() map[string]string { return maps.Clone(e.annotations) }

// MediaType says how to read the bytes.
func (e Envelope) MediaType() string { return e.mediaType }

// Raw gives a copy of the bytes.
func (e Envelope) Raw() []byte { return bytes.Clone(e.raw) }

// Size is the number of bytes.
func (e Envelope) Size() int { return len(e.raw) }

// Digest identifies the envelope: it is the SHA-256 of the bytes, and covers the
// annotations where there are any.
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
