package attest

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/assaykit/assay"
)

// noReferrersAPI are the statuses by which registries say that they do not know the
// API. Credentials, throttling and failures are none of them.
var noReferrersAPI = []int{http.StatusNotFound, http.StatusBadRequest, http.StatusMethodNotAllowed, http.StatusNotAcceptable, http.StatusNotImplemented}

// page gets one page of the referrers list; nil if the registry has no such API.
func (c *client) page(ctx context.Context, d assay.Digest, next string) (*response, error) {
	r := request{method: http.MethodGet, path: "/referrers/" + d.String(), url: next, accept: typeIndex, max: maxIndexBytes, want: []int{http.StatusOK}}
	resp, err := c.do(ctx, r)
	for _, status := range noReferrersAPI {
		if next == "" && statusOf(err) == status {
			return nil, nil
		}
	}
	if err != nil {
		return nil, err
	}
	// A server that answers every path with a page for people has no API here.
	if t, _, _ := strings.Cut(resp.header.Get("Content-Type"), ";"); next == "" && strings.HasPrefix(strings.TrimSpace(t), "text/html") {
		return nil, nil
	}
	return resp, nil
}

func (c *client) hasReferrersAPI(ctx context.Context, d assay.Digest) (bool, error) {
	resp, err := c.page(ctx, d, "")
	return resp != nil, err
}

// referrers gives the referrers API's list, all pages of it, up to a number of
// entries, and whether there is such an API. Entries that were read are given
// beside an error, which is then of a later page or of single entries.
func (c *client) referrers(ctx context.Context, d assay.Digest, most int) (list []descriptor, api bool, err error) {
	name := c.repo.Name() + " referrers of " + d.String()
	bound := func(bound string) error {
		return &assay.Error{Op: "list referrers", Kind: assay.ErrBound, Subject: name, Value: "more", Bound: bound}
	}
	var errs []error
	seen := map[string]bool{}
	left := int64(maxIndexBytes)
	for next := ""; ; {
		resp, err := c.page(ctx, d, next)
		if err != nil {
			return list, true, errors.Join(append(errs, err)...)
		}
		if resp == nil {
			return nil, false, nil
		}
		// Pages without entries could go on for ever, and each be another.
		if left -= int64(len(resp.body)); left < 0 || len(seen) == maxPages {
			return list, true, errors.Join(append(errs, bound("at most "+strconv.Itoa(maxPages)+" pages of "+strconv.Itoa(maxIndexBytes)+" bytes in all"))...)
		}
		entries, err := readIndex(name, resp.body)
		if err != nil {
			errs = append(errs, err)
		}
		list = append(list, entries...)
		if len(list) > most {
			return list[:most], true, errors.Join(append(errs, bound("at most "+strconv.Itoa(most)))...)
		}
		next, err = nextPage(&url.URL{Scheme: c.repo.Scheme(), Host: c.repo.RegistryStr(), Path: "/v2/"}, resp.header)
		if err == nil && seen[next] {
			err = &assay.Error{Op: "list referrers", Kind: assay.ErrInvalid, Subject: name, Field: "Link", Value: next, Bound: "a page that was not read yet"}
		}
		if err != nil || next == "" {
			if err != nil {
				errs = append(errs, err)
			}
			return list, true, errors.Join(errs...)
		}
		seen[next] = true
	}
}

// nextPage reads the Link header (OCI distribution-spec v1.1, Listing Referrers;
// RFC 8288). A page of another host is refused: credentials are for this one.
func nextPage(base *url.URL, h http.Header) (string, error) {
	for _, line := range h.Values("Link") {
		// There may be more than one link in a line.
		for len(line) > 0 {
			start := strings.IndexByte(line, '<')
			end := strings.IndexByte(line, '>')
			if start < 0 || end < start {
				break
			}
			target, params := line[start+1:end], line[end+1:]
			line = ""
			if i := strings.Index(params, ",<"); i >= 0 {
				params, line = params[:i], params[i+1:]
			} else if i := strings.Index(params, ", <"); i >= 0 {
				params, line = params[:i], params[i+2:]
			}
			if !isNext(params) {
				continue
			}
			u, err := base.Parse(target)
			if err != nil || u.Host != base.Host || u.User != nil {
				return "", &assay.Error{Op: "read pages", Kind: assay.ErrInvalid, Subject: base.Host + base.Path, Field: "Link", Value: target, Bound: "a URL of " + base.Host, Err: err}
			}
			u.Scheme = base.Scheme
			return u.String(), nil
		}
	}
	return "", nil
}

func isNext(params string) bool {
	for p := range strings.SplitSeq(params, ";") {
		if k, v, ok := strings.Cut(strings.TrimSpace(p), "="); ok && strings.EqualFold(strings.TrimSpace(k), "rel") {
			return slices.Contains(strings.Fields(strings.Trim(strings.TrimSpace(v), `"`)), "next")
		}
	}
	return false
}

// readIndex reads the descriptors of an index; one that is malformed is an error
// beside the others.
func readIndex(name string, body []byte) ([]descriptor, error) {
	m, err := parseManifest(name, "", body)
	if err != nil {
		return nil, err
	}
	if m.Manifests == nil {
		return nil, &assay.Error{Op: "read index", Kind: assay.ErrInvalid, Subject: name, Field: "/manifests", Bound: "a list of manifests"}
	}
	var list []descriptor
	var errs []error
	for i, r := range *m.Manifests {
		d, err := r.parse(name, "/manifests/"+strconv.Itoa(i))
		if err != nil {
			if len(errs) < 10 { // one message for each of 10,000 says no more
				errs = append(errs, err)
			}
			continue
		}
		list = append(list, d)
	}
	return list, errors.Join(errs...)
}

// lists reports whether the referrers API lists all artifacts.
func (c *client) lists(ctx context.Context, subject assay.Digest, artifacts []pushed) (bool, error) {
	list, api, err := c.referrers(ctx, subject, DefaultReferrers)
	if err != nil || !api {
		return false, err
	}
	have := map[assay.Digest]bool{}
	for _, d := range list {
		have[d.Digest] = true
	}
	for _, p := range artifacts {
		if !have[p.Manifest] {
			return false, nil
		}
	}
	return true, nil
}
