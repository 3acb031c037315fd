package attest

import (
	"net/http"

	"github.com/google/go-containerregistry/pkg/authn"
)

// Registry says how registries are reached.
type Registry struct {
	Keychain  authn.Keychain
	Transport http.RoundTripper
	PlainHTTP bool
	UserAgent string
}
