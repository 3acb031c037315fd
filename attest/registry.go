package attest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
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
// asked for. The evidence may be in another repository than the image; then [Join]
// the two.
func FromRegistry(repository string, registry image.Registry) *RegistrySource {
	return &RegistrySource{repository: repository, registry: registry}
}

// WithLimits gives a source that is bounded by l.
func (s *RegistrySource) WithLimits(l Limits) *RegistrySource {
	c := *s
	c.limits = l
	return &c
}

// Discover implements [Source]. These stores are read, for the digest and, if it is
// that of an index, for each manifest below it:
//
//   - the list of the OCI 1.1 referrers API, all pages of it, and the one under the
//     referrers fallback tag. An artifact in them is taken only if its own manifest
//     names the digest as its subject.
//   - the tags ".att" and ".sig" that cosign writes, whose layers are DSSE envelopes
//     and signed payloads, with the signature and its proofs in the annotations
//     ([assay.Envelope.Annotations]).
//   - the attestation manifests that BuildKit puts into an index. Their statements
//     are not signed: they are given with the media type [assay.MediaTypeInToto], so
//     that whoever verifies can say so, and are evidence of nothing.
//
// Of what they list, sigstore bundles, DSSE envelopes, in-toto documents and signed
// payloads become envelopes; other artifacts are counted in [Found.Ignored] by their
// type. SBOMs that cosign attaches under the tag ".sbom" are not asked for: nobody
// signed them.
//
// Each manifest and blob is asked for once, [Limits.Concurrency] at a time: first the
// digest and its lists, then the same for what is below an index, then the artifacts,
// and then the envelopes. What is found does not depend on which answer comes first.
//
// A registry that does not answer in ctx's time or in [Limits.Time] is a [Fault]; so
// is an answer with the status 401, 403, 429 or 5xx, one that is not what its digest
// says, and a list that exceeds a limit. Where the registry answers, and holds
// nothing, there is a Fault of kind [Absent].
func (s *RegistrySource) Discover(ctx context.Context, subject assay.Digest) (*Found, error) {
	if subject.IsZero() {
		return nil, &assay.Error{Op: "discover", Kind: assay.ErrInvalid, Subject: s.repository, Field: "subject", Bound: "a digest"}
	}
	repo, err := parseRepository(s.registry, s.repository)
	if err != nil {
		return nil, err
	}
	f := newFinder(s.limits, repo.Name())
	ctx, cancel := f.limits.withTime(ctx)
	defer cancel()
	c, err := newClient(ctx, repo, s.registry, "pull")
	if err != nil {
		f.fault("", err)
		return f.found(assay.NewBundle(subject)), nil
	}
	f.place = &repositoryPlace{c, f.limits.Referrers}
	return f.found(f.discover(ctx, subject)), nil
}

// AsksByDigest implements [ByDigest]: evidence may be in another repository than the
// index.
func (s *RegistrySource) AsksByDigest() {}

// Image opens the image with the digest. Its manifest is hashed against the digest;
// who reads its layers hashes those. The digest of an index is an [assay.ErrInvalid].
func (s *RegistrySource) Image(ctx context.Context, digest assay.Digest) (v1.Image, error) {
	d, err := s.get(ctx, "open image", digest)
	if err != nil {
		return nil, err
	}
	if d.MediaType.IsIndex() {
		// It would be opened as the image in it that is for some platform.
		return nil, &assay.Error{Op: "open image", Kind: assay.ErrInvalid, Subject: digest.String(), Value: string(d.MediaType), Bound: "an image, not an index of images"}
	}
	img, err := d.Image()
	if err != nil {
		return nil, unreached("open image", digest.String(), err)
	}
	return img, nil
}

// repositoryPlace is a repository as a [place].
type repositoryPlace struct {
	client    *client
	referrers int // in one list
}

func (p *repositoryPlace) String() string { return p.client.repo.Name() }

func (p *repositoryPlace) manifest(ctx context.Context, d assay.Digest) (descriptor, []byte, error) {
	return p.client.manifest(ctx, d.String())
}

func (p *repositoryPlace) blob(ctx context.Context, d descriptor) ([]byte, error) {
	return p.client.blob(ctx, d)
}

func (p *repositoryPlace) tagged(ctx context.Context, tag string) ([]tagged, error) {
	d, body, err := p.client.manifest(ctx, tag)
	if err != nil {
		return nil, err
	}
	return []tagged{{d, body}}, nil
}

func (p *repositoryPlace) stores() []store {
	return append([]store{{
		name: func(d assay.Digest) string { return "referrers of " + d.String() },
		list: func(ctx context.Context, d assay.Digest) ([]listed, error) {
			list, _, err := p.client.referrers(ctx, d, p.referrers)
			return referring(p, list), err
		},
	}}, tagStores(p)...)
}

// reach gives the credentials for a repository and the transport to use them on.
func reach(ctx context.Context, reg image.Registry, repo name.Repository) (authn.Authenticator, http.RoundTripper, error) {
	keychain := reg.Keychain
	if keychain == nil {
		keychain = authn.DefaultKeychain
	}
	auth, err := authn.Resolve(ctx, keychain, repo)
	if err != nil {
		return nil, nil, err
	}
	return auth, reg.NewTransport(), nil
}

// parseRepository reads a repository; a tag or digest after it is dropped.
func parseRepository(reg image.Registry, s string) (name.Repository, error) {
	ref, err := reg.ParseReference(s)
	if err != nil {
		return name.Repository{}, err
	}
	return ref.Context(), nil
}

// checkRedirect keeps a registry on the outside from sending us to an address on the
// inside.
func checkRedirect(req *http.Request, via []*http.Request) error {
	if len(via) >= 10 {
		return errors.New("more than 10 redirects")
	}
	from, to := via[0].URL.Hostname(), req.URL.Hostname()
	if from != to && isPrivate(to) && !isPrivate(from) {
		return fmt.Errorf("redirect from %s to the private address %s", from, to)
	}
	return nil
}

func isPrivate(host string) bool {
	a, err := netip.ParseAddr(host)
	if err != nil {
		return host == "localhost"
	}
	a = a.Unmap()
	return a.IsLoopback() || a.IsPrivate() || a.IsLinkLocalUnicast() || a.IsUnspecified()
}
