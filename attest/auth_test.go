package attest_test

import (
	"errors"
	"testing"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/attest"
	"github.com/assaykit/assay/internal/testregistry"
	"github.com/assaykit/assay/sbom/image"
)

type keychain authn.AuthConfig

func (k keychain) Resolve(authn.Resource) (authn.Authenticator, error) {
	return authn.FromConfig(authn.AuthConfig(k)), nil
}

// Credentials come from the keychain, or from the Docker configuration without one;
// with wrong ones nothing is called absent.
func TestCredentials(t *testing.T) {
	for _, start := range []func(testing.TB, testregistry.Options) *testregistry.Registry{testregistry.InProcess, testregistry.Start} {
		r := start(t, testregistry.Options{User: "me", Password: "secret"})
		right := keychain{Username: "me", Password: "secret"}
		img, err := random.Image(64, 1)
		if err != nil {
			t.Fatal(err)
		}
		if err := remote.Write(mustRef(t, r.Ref("app:latest")), img, remote.WithAuthFromKeychain(right)); err != nil {
			t.Fatal(err)
		}
		h, err := img.Digest()
		if err != nil {
			t.Fatal(err)
		}
		digest := assay.MustDigest(h.String())
		signer := newSigner(t)
		with := func(k authn.Keychain) image.Registry { return image.Registry{Keychain: k} }
		publish := func(reg image.Registry) error {
			_, err := attest.Publish(t.Context(), signer, r.Ref("app:latest"), attest.PublishOptions{AttachOptions: attest.AttachOptions{Registry: reg}}, testResult("a"))
			return err
		}
		if err := publish(with(right)); err != nil {
			t.Fatal(err)
		}
		t.Setenv("DOCKER_CONFIG", r.DockerConfig(t))
		if err := publish(image.Registry{}); err != nil {
			t.Errorf("Docker configuration: %v", err)
		}
		found := discover(t, attest.FromRegistry(r.Ref("app"), image.Registry{}), digest)
		if found.Bundle.Len() != 1 || !found.Complete() {
			t.Errorf("found %d, faults %v", found.Bundle.Len(), found.Faults)
		}
		for name, k := range map[string]authn.Keychain{"wrong": keychain{Username: "me", Password: "other"}, "none": keychain{}} {
			if err := publish(with(k)); !errors.Is(err, assay.ErrUnchecked) || errors.Is(err, assay.ErrAbsent) {
				t.Errorf("%s credentials: %v", name, err)
			}
			found := discover(t, attest.FromRegistry(r.Ref("app"), with(k)), digest)
			if found.Bundle.Len() != 0 || found.Complete() || found.Faults[0].Status != 401 {
				t.Errorf("%s credentials: found %d, faults %v", name, found.Bundle.Len(), found.Faults)
			}
		}
	}
}
