package image

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/assaykit/assay"
)

// foreign is a store whose layers can be elsewhere: at the URLs that a manifest has
// for them (OCI image-spec v1.1, descriptor.md, "urls"; layer.md, non-distributable
// layers). What is fetched from there is verified like everything else.
type foreign struct {
	store
	hosts  []string
	client *http.Client // without credentials
}

func withForeign(s store, opts Options) store {
	return &foreign{s, opts.ForeignLayers, &http.Client{Transport: opts.Registry.NewTransport(), CheckRedirect: checkRedirect}}
}

// blob asks the store first: it may have been given the layer all the same.
func (f *foreign) blob(ctx context.Context, d v1.Descriptor, k kind) (io.ReadCloser, error) {
	rc, err := f.store.blob(ctx, d, k)
	if err == nil || k != aLayer || len(d.URLs) == 0 || ctx.Err() != nil {
		return rc, err
	}
	fail := func(value, bound string, cause error) error {
		return &assay.Error{Op: "read foreign layer", Kind: assay.ErrUnchecked, Subject: f.String(), Field: d.Digest.String(),
			Value: value, Bound: bound, Err: cause}
	}
	var tried []error
	for _, u := range d.URLs {
		if !f.allowed(u) {
			continue
		}
		rc, err := f.fetch(ctx, u)
		if err == nil {
			return rc, nil
		}
		tried = append(tried, cause(ctx, err))
		if ctx.Err() != nil {
			break
		}
	}
	if len(tried) == 0 {
		return nil, fail(strings.Join(d.URLs, " "), "a layer that "+f.String()+" has, or a URL of a host among Options.ForeignLayers", err)
	}
	return nil, fail(strings.Join(d.URLs, " "), "", errors.Join(append(tried, err)...))
}

// allowed reports whether a URL may be asked. Its host is compared with the port, as
// it is written; a URL with credentials is none that anybody should follow.
func (f *foreign) allowed(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.User == nil &&
		slices.ContainsFunc(f.hosts, func(h string) bool { return strings.EqualFold(h, u.Host) })
}

func (f *foreign) fetch(ctx context.Context, u string) (io.ReadCloser, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u, nil)
	if err != nil {
		return nil, err
	}
	resp, err := f.client.Do(req)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		resp.Body.Close()
		return nil, errors.New(u + ": status " + strconv.Itoa(resp.StatusCode))
	}
	return resp.Body, nil
}
