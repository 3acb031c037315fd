package attest

import (
	"crypto"
	_ "crypto/sha256" // for hashBy
	_ "crypto/sha512"
	"encoding/hex"
	"strconv"
	"strings"
	"time"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/strictjson"
)

// Media types of OCI image-spec v1.1 and of what came before it.
const (
	typeManifest       = "application/vnd.oci.image.manifest.v1+json"
	typeIndex          = "application/vnd.oci.image.index.v1+json"
	typeDockerManifest = "application/vnd.docker.distribution.manifest.v2+json"
	typeDockerList     = "application/vnd.docker.distribution.manifest.list.v2+json"
	typeEmpty          = "application/vnd.oci.empty.v1+json"
	typeImageConfig    = "application/vnd.oci.image.config.v1+json"
)

// Annotations of the artifacts, as sigstore's own clients write them.
const (
	annotationContent       = "dev.sigstore.bundle.content"
	annotationPredicateType = "dev.sigstore.bundle.predicateType"
	annotationCreated       = "org.opencontainers.image.created"
)

// emptyConfig is the blob that typeEmpty stands for (OCI image-spec v1.1,
// manifest.md#guidance-for-an-empty-descriptor).
const emptyConfig = "{}"

// descriptor is OCI image-spec v1.1, descriptor.md, as far as it is used.
type descriptor struct {
	MediaType    string            `json:"mediaType"`
	Digest       assay.Digest      `json:"digest"`
	Size         int64             `json:"size"`
	ArtifactType string            `json:"artifactType,omitempty"`
	Annotations  map[string]string `json:"annotations,omitempty"`
	Platform     *assay.Platform   `json:"platform,omitempty"`
}

// plain is the descriptor without what is not of the content.
func (d descriptor) plain() descriptor {
	return descriptor{MediaType: d.MediaType, Digest: d.Digest, Size: d.Size}
}

// artifact is an image manifest that carries evidence.
type artifact struct {
	SchemaVersion int               `json:"schemaVersion"`
	MediaType     string            `json:"mediaType,omitempty"`
	ArtifactType  string            `json:"artifactType,omitempty"`
	Config        descriptor        `json:"config"`
	Layers        []descriptor      `json:"layers"`
	Subject       *descriptor       `json:"subject,omitempty"`
	Annotations   map[string]string `json:"annotations,omitempty"`
}

// newArtifact describes one envelope about the subject.
func newArtifact(subject descriptor, e assay.Envelope, t assay.PredicateType, created time.Time) ([]byte, error) {
	a := emptyArtifact(subject, e.MediaType(), created)
	a.Layers = []descriptor{layerOf(e)}
	if t != "" {
		a.Annotations[annotationPredicateType] = string(t)
	}
	return strictjson.Marshal(a)
}

// newSet describes all envelopes, in the order of the artifacts, as one artifact.
func newSet(subject descriptor, artifacts []pushed, created time.Time) ([]byte, error) {
	a := emptyArtifact(subject, artifacts[0].envelope.MediaType(), created)
	for _, p := range artifacts {
		a.Layers = append(a.Layers, layerOf(p.envelope))
	}
	return strictjson.Marshal(a)
}

func layerOf(e assay.Envelope) descriptor {
	return descriptor{MediaType: e.MediaType(), Digest: e.Digest(), Size: int64(e.Size())}
}

func emptyArtifact(subject descriptor, mediaType string, created time.Time) artifact {
	a := artifact{
		SchemaVersion: 2,
		MediaType:     typeManifest,
		ArtifactType:  mediaType,
		Config:        descriptor{MediaType: typeEmpty, Digest: assay.SumSHA256([]byte(emptyConfig)), Size: int64(len(emptyConfig))},
		Subject:       &subject,
		Annotations:   map[string]string{annotationContent: "dsse-envelope"},
	}
	if !created.IsZero() {
		a.Annotations[annotationCreated] = created.UTC().Format(time.RFC3339)
	}
	return a
}

// parsedManifest is any manifest, read to learn what it is.
type parsedManifest struct {
	SchemaVersion int               `json:"schemaVersion"`
	MediaType     string            `json:"mediaType"`
	ArtifactType  string            `json:"artifactType"`
	Config        *rawDescriptor    `json:"config"`
	Layers        *[]rawDescriptor  `json:"layers"`
	Manifests     *[]rawDescriptor  `json:"manifests"`
	Subject       *rawDescriptor    `json:"subject"`
	Annotations   map[string]string `json:"annotations"`
}

// rawDescriptor keeps the digest as text: one of an algorithm that is not known
// must not make the rest of a list unreadable.
type rawDescriptor struct {
	MediaType    string            `json:"mediaType"`
	Digest       string            `json:"digest"`
	Size         int64             `json:"size"`
	ArtifactType string            `json:"artifactType"`
	Annotations  map[string]string `json:"annotations"`
	Platform     *assay.Platform   `json:"platform"`
}

func (r rawDescriptor) parse(name, field string) (descriptor, error) {
	d, err := assay.ParseDigest(r.Digest)
	if err != nil {
		return descriptor{}, &assay.Error{Op: "read descriptor", Kind: assay.ErrInvalid, Subject: name, Field: field + "/digest", Value: r.Digest, Err: err}
	}
	if r.Size < 0 {
		return descriptor{}, &assay.Error{Op: "read descriptor", Kind: assay.ErrInvalid, Subject: name, Field: field + "/size", Value: strconv.FormatInt(r.Size, 10), Bound: "a size"}
	}
	return descriptor{r.MediaType, d, r.Size, r.ArtifactType, r.Annotations, r.Platform}, nil
}

// parseManifest reads a manifest and refuses one that two readers could take for
// different things (GHSA-77vh-xpmg-72qh).
func parseManifest(name, contentType string, body []byte) (*parsedManifest, error) {
	var m parsedManifest
	if err := strictjson.Unmarshal(name, body, &m, strictjson.Limits{MaxBytes: maxIndexBytes}); err != nil {
		return nil, err
	}
	bad := func(field, value, bound string) error {
		return &assay.Error{Op: "read manifest", Kind: assay.ErrInvalid, Subject: name, Field: field, Value: value, Bound: bound}
	}
	if m.SchemaVersion != 2 {
		return nil, bad("/schemaVersion", strconv.Itoa(m.SchemaVersion), "2")
	}
	if m.Manifests != nil && (m.Layers != nil || m.Config != nil) {
		return nil, bad("/manifests", "", "an image manifest or an index, not both")
	}
	if m.MediaType != "" && contentType != "" && m.MediaType != contentType && knownManifest(contentType) {
		return nil, bad("/mediaType", m.MediaType, contentType+", as it was served")
	}
	if index := m.MediaType == typeIndex || m.MediaType == typeDockerList; m.MediaType != "" && index != (m.Manifests != nil) && knownManifest(m.MediaType) {
		return nil, bad("/mediaType", m.MediaType, "the media type of what it holds")
	}
	return &m, nil
}

func knownManifest(t string) bool {
	switch t {
	case typeManifest, typeIndex, typeDockerManifest, typeDockerList:
		return true
	}
	return false
}

// kind is the artifact type of an image manifest (OCI image-spec v1.1,
// manifest.md#guidelines-for-artifact-usage).
func (m *parsedManifest) kind() string {
	switch {
	case m.ArtifactType != "":
		return m.ArtifactType
	case m.Config != nil:
		return m.Config.MediaType
	}
	return m.MediaType
}

// envelopeType reports whether a layer of this media type is an envelope, and the
// media type to keep it under. In BuildKit's attestation manifests the layers are
// statements, of [assay.MediaTypeInToto]; signed ones have a type like
// "application/vnd.in-toto.provenance+dsse".
func envelopeType(mediaType string) (string, bool) {
	switch {
	case mediaType == assay.MediaTypeSigstoreBundle, mediaType == assay.MediaTypeDSSE, mediaType == assay.MediaTypeInToto,
		mediaType == assay.MediaTypeSimpleSigning, strings.HasPrefix(mediaType, bundleTypePrefix):
		return mediaType, true
	case strings.HasPrefix(mediaType, "application/vnd.in-toto") && strings.HasSuffix(mediaType, "+dsse"):
		return assay.MediaTypeDSSE, true
	}
	return "", false
}

// mayCarry reports whether an artifact that a list says is of this type can carry
// envelopes, so that its manifest has to be read. Lists leave the type out, or give
// the type of the configuration in its place; cosign has types of its own.
func mayCarry(artifactType string) bool {
	switch artifactType {
	case "", typeEmpty, typeImageConfig:
		return true
	}
	_, ok := envelopeType(artifactType)
	return ok || strings.HasPrefix(artifactType, "application/vnd.dev.cosign.artifact.sig.") ||
		strings.HasPrefix(artifactType, "application/vnd.dev.cosign.artifact.att.")
}

// hashBy hashes with the algorithms that OCI registers and that are in the standard
// library.
func hashBy(alg assay.Algorithm, b []byte) (assay.Digest, error) {
	var h crypto.Hash
	switch alg {
	case assay.SHA256:
		h = crypto.SHA256
	case assay.SHA384:
		h = crypto.SHA384
	case assay.SHA512:
		h = crypto.SHA512
	default:
		return assay.Digest{}, &assay.Error{Op: "hash", Kind: assay.ErrUnchecked, Field: "algorithm", Value: string(alg), Bound: "sha256, sha384 or sha512"}
	}
	w := h.New()
	w.Write(b)
	return assay.NewDigest(alg, hex.EncodeToString(w.Sum(nil)))
}

// fallbackTag is the tag of the list of referrers in a registry without the
// referrers API (OCI distribution-spec v1.1, Referrers Tag Schema): the digest with
// a hyphen, algorithm cut to 32 and the rest to 64 characters.
func fallbackTag(d assay.Digest) string {
	alg, sum := string(d.Algorithm()), d.Hex()
	return alg[:min(len(alg), 32)] + "-" + sum[:min(len(sum), 64)]
}
