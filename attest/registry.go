package attest

import (
	"context"
	"net/http"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/sbom/image"
)

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

func openImage(ctx context.Context, reg image.Registry, repo name.Repository, digest assay.Digest) (v1.Image, error) {
	return remote.Image(repo.Digest(digest.String()), reg.RemoteOptions(ctx, reg.NewTransport())...)
}
