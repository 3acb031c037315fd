package image

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/netip"
	"strconv"
	"strings"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/assaykit/assay"
)

// manifestTypes are what we can read, indexes first.
var manifestTypes = []types.MediaType{
	types.OCIImageIndex, types.DockerManifestList, types.OCIManifestSchema1, types.DockerManifestSchema2,
}

// remoteStore is one repository of a registry.
type remoteStore struct {
	r      Registry
	repo   name.Repository
	client *http.Client
}

// String names the repository.
func (s *remoteStore) String() string { return s.repo.String() }

// dial does the handshake with the repository's registry.
func dial(ctx context.Context, r Registry, rt http.RoundTripper, repo name.Repository) (*remoteStore, error) {
	r = r.withDefaults()
	ctx, cancel := limitTime(ctx, r)
	defer cancel()
	s := &remoteStore{r: r, repo: repo}
	auth, err := authn.Resolve(ctx, r.Keychain, repo)
	if err != nil {
		return nil, s.fail("credentials", fmt.Errorf("finding credentials: %w", err))
	}
	authorized, err := transport.NewWithContext(ctx, repo.Registry, auth, rt, []string{repo.Scope(transport.PullScope)})
	if err != nil {
		return nil, s.fail("handshake", cause(ctx, err))
	}
	s.client = &http.Client{Transport: authorized, CheckRedirect: checkRedirect}
	return s, nil
}

// limitTime is the bound on reading something small.
func limitTime(ctx context.Context, r Registry) (context.Context, context.CancelFunc) {
	if r.Timeout < 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeoutCause(ctx, r.Timeout, fmt.Errorf("the registry took longer than %s", r.Timeout))
}

// cause adds why the context ended to an error that may not say it.
func cause(ctx context.Context, err error) error {
	if c := context.Cause(ctx); c != nil && !errors.Is(err, c) {
		return fmt.Errorf("%w: %w", c, err)
	}
	return err
}

// checkRedirect keeps a registry from sending us into the network that we are in.
// Credentials are not sent along to another host: package transport binds them to
// the registry.
func checkRedirect(req *http.Request, via []*http.Request) error {
	if len(via) >= 10 {
		return errors.New("more than 10 redirects")
	}
	from, to := via[0].URL.Hostname(), req.URL.Hostname()
	if from == to {
		return nil
	}
	if a, err := netip.ParseAddr(to); err == nil && (a.IsLoopback() || a.IsPrivate() || a.IsLinkLocalUnicast() || a.IsUnspecified()) {
		if b, err := netip.ParseAddr(from); err != nil || !(b.IsLoopback() || b.IsPrivate()) {
			return fmt.Errorf("redirect from %s to the private address %s", from, to)
		}
	}
	return nil
}

// fail maps an error to what it says about the claim: nothing.
func (s *remoteStore) fail(what string, err error) error {
	out := &assay.Error{Op: "read registry", Kind: assay.ErrUnchecked, Subject: s.repo.String(), Field: what, Err: err}
	if e, ok := errors.AsType[*transport.Error](err); ok {
		out.Value = "status " + strconv.Itoa(e.StatusCode)
	}
	return out
}

// get makes one request and gives the response if it is of status 200.
func (s *remoteStore) get(ctx context.Context, endpoint, id string, accept []types.MediaType) (*http.Response, error) {
	url := s.repo.Scheme() + "://" + s.repo.RegistryStr() + "/v2/" + s.repo.RepositoryStr() + "/" + endpoint + "/" + id
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, s.fail(id, err)
	}
	for _, a := range accept {
		req.Header.Add("Accept", string(a))
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return nil, s.fail(id, cause(ctx, err))
	}
	if err := transport.CheckError(resp, http.StatusOK); err != nil {
		resp.Body.Close()
		// A blob that is missing is a broken image, not one that does not exist.
		if endpoint == "manifests" && resp.StatusCode == http.StatusNotFound {
			return nil, &assay.Error{Op: "read registry", Kind: assay.ErrAbsent, Subject: s.repo.String(), Field: id, Value: "status 404", Err: err}
		}
		return nil, s.fail(id, err)
	}
	return resp, nil
}

// resolve reads the manifest or index that a tag or digest names.
func (s *remoteStore) resolve(ctx context.Context, ref name.Reference) (v1.Descriptor, []byte, error) {
	ctx, cancel := limitTime(ctx, s.r)
	defer cancel()
	id := ref.Identifier()
	resp, err := s.get(ctx, "manifests", id, manifestTypes)
	if err != nil {
		return v1.Descriptor{}, nil, err
	}
	defer resp.Body.Close()
	raw, err := readAll(resp.Body, maxManifest)
	if err != nil {
		return v1.Descriptor{}, nil, s.fail(id, cause(ctx, err))
	}
	if len(raw) > maxManifest {
		return v1.Descriptor{}, nil, &assay.Error{Op: "read registry", Kind: assay.ErrBound, Subject: s.repo.String(), Field: id,
			Value: "more than " + strconv.Itoa(maxManifest) + " bytes", Bound: "at most " + strconv.Itoa(maxManifest) + " bytes"}
	}
	d := v1.Descriptor{Size: int64(len(raw)), MediaType: announced(resp)}
	if by, ok := ref.(name.Digest); ok {
		want, err := v1.NewHash(by.DigestStr())
		if err != nil {
			return v1.Descriptor{}, nil, &assay.Error{Op: "parse image reference", Kind: assay.ErrInvalid, Value: by.DigestStr(), Err: err}
		}
		got, err := sum(want, raw)
		if err != nil {
			return v1.Descriptor{}, nil, err
		}
		if got != want {
			return v1.Descriptor{}, nil, &assay.Error{Op: "read registry", Kind: assay.ErrRefuted, Subject: s.repo.String(), Field: "manifest digest", Value: got.String(), Bound: want.String()}
		}
		d.Digest = want
		return d, raw, nil
	}
	d.Digest, err = sum(v1.Hash{Algorithm: "sha256"}, raw)
	return d, raw, err
}

// announced is the media type of a response, "" if it is none of a manifest: there
// are registries that answer with a general one.
func announced(resp *http.Response) types.MediaType {
	mt, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if err != nil {
		return ""
	}
	m := types.MediaType(mt)
	if m.IsImage() || m.IsIndex() || m.IsSchema1() {
		return m
	}
	return ""
}

// blob implements store. Foreign layers are asked of the registry like the others,
// and only then of the URLs that a manifest has for them: see foreign.
func (s *remoteStore) blob(ctx context.Context, d v1.Descriptor, k kind) (io.ReadCloser, error) {
	switch k {
	case aManifest:
		return s.small(ctx, d, "manifests", manifestTypes)
	case aConfig:
		return s.small(ctx, d, "blobs", nil)
	}
	resp, err := s.get(ctx, "blobs", d.Digest.String(), nil)
	if err != nil {
		return nil, err
	}
	return resp.Body, nil
}

// small is a blob that has to be there in time.
func (s *remoteStore) small(ctx context.Context, d v1.Descriptor, endpoint string, accept []types.MediaType) (io.ReadCloser, error) {
	ctx, cancel := limitTime(ctx, s.r)
	resp, err := s.get(ctx, endpoint, d.Digest.String(), accept)
	if err != nil {
		cancel()
		return nil, err
	}
	return &timed{resp.Body, cancel}, nil
}

type timed struct {
	io.ReadCloser
	cancel context.CancelFunc
}

func (t *timed) Close() error {
	defer t.cancel()
	return t.ReadCloser.Close()
}

// openRegistry tries the mirrors of the reference's registry, then itself. It gives
// the error of the last, which is the registry.
func openRegistry(ctx context.Context, r Registry, s string) (*remoteStore, v1.Descriptor, []byte, name.Reference, error) {
	ref, err := r.ParseReference(s)
	if err != nil {
		return nil, v1.Descriptor{}, nil, nil, err
	}
	refs := []name.Reference{}
	for _, m := range r.Mirrors[ref.Context().RegistryStr()] {
		sep := ":"
		if _, ok := ref.(name.Digest); ok {
			sep = "@"
		}
		at, err := r.ParseReference(strings.TrimSuffix(m, "/") + "/" + ref.Context().RepositoryStr() + sep + ref.Identifier())
		if err != nil {
			return nil, v1.Descriptor{}, nil, nil, err
		}
		refs = append(refs, at)
	}
	refs = append(refs, ref)
	rt := r.NewTransport()
	var last error
	for _, at := range refs {
		store, err := dial(ctx, r, rt, at.Context())
		if err != nil {
			last = err
			continue
		}
		d, raw, err := store.resolve(ctx, at)
		if err == nil {
			return store, d, raw, ref, nil
		}
		last = err
	}
	return nil, v1.Descriptor{}, nil, nil, last
}
