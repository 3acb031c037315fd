package attest

import (
	"context"
	"net/http"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"github.com/assaykit/assay"
)

// Registry says how registries are reached.
type Registry struct {
	Keychain  authn.Keychain
	Transport http.RoundTripper
	PlainHTTP bool
	UserAgent string
}

func reach(ctx context.Context, reg Registry, repo name.Repository) (authn.Authenticator, http.RoundTripper, error) {
	keychain := reg.Keychain
	if keychain == nil {
		keychain = authn.DefaultKeychain
	}
	auth, err := authn.Resolve(ctx, keychain, repo)
	if err != nil {
		return nil, nil, err
	}
	inner := reg.Transport
	if inner == nil {
		inner = remote.DefaultTransport
	}
	return auth, transport.NewUserAgent(inner, reg.UserAgent), nil
}

func nameOptions(reg Registry) []name.Option {
	opts := []name.Option{name.StrictValidation}
	if reg.PlainHTTP {
		opts = append(opts, name.Insecure)
	}
	return opts
}

// parseReference reads a reference by tag or digest.
func parseReference(reg Registry, s string) (name.Reference, error) {
	ref, err := name.ParseReference(s, nameOptions(reg)...)
	if err != nil {
		return nil, &assay.Error{Op: "parse reference", Kind: assay.ErrInvalid, Value: s, Bound: "registry/repository:tag or @digest", Err: err}
	}
	return ref, nil
}

// parseRepository reads a repository; a tag or digest after it is dropped.
func parseRepository(reg Registry, s string) (name.Repository, error) {
	if repo, err := name.NewRepository(s, nameOptions(reg)...); err == nil {
		return repo, nil
	}
	ref, err := name.ParseReference(s, nameOptions(reg)...)
	if err != nil {
		return name.Repository{}, &assay.Error{Op: "parse repository", Kind: assay.ErrInvalid, Value: s, Bound: "registry/repository", Err: err}
	}
	return ref.Context(), nil
}

func openImage(ctx context.Context, reg Registry, ref name.Digest) (v1.Image, error) {
	auth, inner, err := reach(ctx, reg, ref.Context())
	if err != nil {
		return nil, err
	}
	return remote.Image(ref, remote.WithContext(ctx), remote.WithAuth(auth), remote.WithTransport(inner))
}
