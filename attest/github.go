package attest

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/klauspost/compress/s2"

	"github.com/assaykit/assay"
	web "github.com/assaykit/assay/internal/request"
	"github.com/assaykit/assay/internal/strictjson"
)

// GitHubOptions say how GitHub's API is asked. The zero value asks for what is public.
type GitHubOptions struct {
	// Token is sent to the endpoint, and to no other host. It needs to read the
	// attestations; without one GitHub answers for public repositories only.
	Token string
	// Transport makes the requests; nil is [http.DefaultTransport].
	Transport http.RoundTripper
	// Limits bound what is read.
	Limits Limits
}

// GitHubSource reads the attestations that GitHub keeps.
type GitHubSource struct {
	endpoint, of string
	opts         GitHubOptions
}

// FromGitHub reads from GitHub's attestations API. The endpoint is
// "https://api.github.com", or "https://HOST/api/v3" of a GitHub Enterprise server. Of
// says whose attestations they are: "repos/OWNER/NAME", "orgs/NAME" or "users/NAME".
func FromGitHub(endpoint, of string, opts GitHubOptions) *GitHubSource {
	return &GitHubSource{endpoint: endpoint, of: of, opts: opts}
}

// AsksByDigest implements [ByDigest].
func (s *GitHubSource) AsksByDigest() {}

const (
	githubVersion  = "2022-11-28"
	githubPerPage  = 100
	githubParallel = 4 // bundles, of up to [Limits.BlobBytes] each
)

// Discover implements [Source]: "List attestations" of GitHub's REST API, all pages of
// it. A bundle that the list does not hold is fetched from where the list says, without
// the token, and decompressed; from an https URL only, and not from a private address
// unless the endpoint is at one. Redirects are not followed.
//
// GitHub answers 404 both where there is no attestation and where the token may not
// look. So the repository, organization or user itself is asked for then: only if it
// is there are the attestations [Absent]. Of an organization or user, GitHub leaves out
// what is in repositories that the token may not read, and does not say so.
func (s *GitHubSource) Discover(ctx context.Context, subject assay.Digest) (*Found, error) {
	base, err := s.base()
	if err != nil {
		return nil, err
	}
	if subject.IsZero() {
		return nil, &assay.Error{Op: "discover", Kind: assay.ErrInvalid, Subject: base.String(), Field: "subject", Bound: "a digest"}
	}
	f := newFinder(s.opts.Limits, base.String()+"/attestations")
	ctx, cancel := f.limits.withTime(ctx)
	defer cancel()
	g := &github{finder: f, base: base, token: s.opts.Token, subject: subject, client: web.Client{Transport: s.opts.Transport}}
	b := assay.NewBundle(subject)
	if f.namesNothing(subject) {
		return f.found(b), nil
	}
	if subject.Algorithm() != assay.SHA256 {
		f.fault(subject.String(), &assay.Error{Op: "list attestations", Kind: assay.ErrUnchecked, Subject: f.name, Value: string(subject.Algorithm()), Bound: "sha256, which the API is asked by"})
		return f.found(b), nil
	}
	entries, whole := g.list(ctx)
	if len(entries) == 0 && whole {
		f.fault(subject.String(), &assay.Error{Op: "list attestations", Kind: assay.ErrAbsent, Subject: f.name, Field: subject.String()})
	}
	g.bundles(ctx, b, entries)
	return f.found(b), nil
}

// base is the URL of what has attestations.
func (s *GitHubSource) base() (*url.URL, error) {
	if err := web.CheckURL("discover", "endpoint", s.endpoint, s.opts.Token != "", false); err != nil {
		return nil, err
	}
	u, err := url.Parse(s.endpoint)
	if err != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, &assay.Error{Op: "discover", Kind: assay.ErrInvalid, Field: "endpoint", Value: web.Name(s.endpoint), Bound: "a URL without query"}
	}
	parts := strings.Split(s.of, "/")
	ok := len(parts) == 3 && parts[0] == "repos" || len(parts) == 2 && (parts[0] == "orgs" || parts[0] == "users")
	for _, p := range parts {
		ok = ok && p != "" && p != "." && p != ".." && strings.Trim(p, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") == ""
	}
	if !ok {
		return nil, &assay.Error{Op: "discover", Kind: assay.ErrInvalid, Field: "of", Value: s.of, Bound: "repos/OWNER/NAME, orgs/NAME or users/NAME"}
	}
	return u.JoinPath(parts...), nil
}

// github is one call of Discover.
type github struct {
	*finder
	base    *url.URL
	token   string
	subject assay.Digest
	client  web.Client
}

// attestation is an entry of the list.
type attestation struct {
	reference string
	Bundle    json.RawMessage `json:"bundle"`
	BundleURL string          `json:"bundle_url"`
}

func (g *github) get(ctx context.Context, u string) (*web.Response, error) {
	header := map[string]string{"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": githubVersion, "User-Agent": "assay"}
	if g.token != "" {
		header["Authorization"] = "Bearer " + g.token
	}
	return g.client.Do(ctx, web.Request{Op: "list attestations", URL: u, Header: header, Max: g.limits.BlobBytes, Secrets: []string{g.token}})
}

// list reads all pages; whole is whether that succeeded. Entries that were read are
// given whatever becomes of later ones.
func (g *github) list(ctx context.Context) (all []attestation, whole bool) {
	failed := func(err error) ([]attestation, bool) {
		g.fault(g.subject.String(), withStatus(err))
		return all, false
	}
	seen := map[string]bool{}
	left := g.limits.TotalBytes
	next := g.base.JoinPath("attestations", g.subject.String()).String() + "?per_page=" + strconv.Itoa(githubPerPage)
	for page := 1; next != ""; page++ {
		seen[next] = true
		resp, err := g.get(ctx, next)
		if page == 1 && errors.Is(err, assay.ErrAbsent) {
			if _, err := g.get(ctx, g.base.String()); err != nil {
				if errors.Is(err, assay.ErrAbsent) {
					err = &statusError{status: http.StatusNotFound} // which is not to say that there is nothing
				}
				return failed(&assay.Error{Op: "list attestations", Kind: assay.ErrUnchecked, Subject: g.name, Bound: "something that the token may read", Err: withStatus(err)})
			}
			return nil, true
		}
		if errors.Is(err, assay.ErrAbsent) {
			err = &assay.Error{Op: "list attestations", Kind: assay.ErrUnchecked, Subject: g.name, Field: "page " + strconv.Itoa(page), Err: &statusError{status: http.StatusNotFound}}
		}
		if err != nil {
			return failed(err)
		}
		left -= int64(len(resp.Body))
		entries, err := readAttestations(g.name+" page "+strconv.Itoa(page), resp.Body)
		if err != nil {
			return failed(err)
		}
		for i, e := range entries {
			e.reference = g.subject.String() + " page " + strconv.Itoa(page) + " entry " + strconv.Itoa(i)
			all = append(all, e)
		}
		if next, err = nextPage(g.base, resp.Header); err == nil && seen[next] {
			err = &assay.Error{Op: "list attestations", Kind: assay.ErrInvalid, Subject: g.name, Field: "Link", Value: web.Name(next), Bound: "a page that was not read yet"}
		}
		if err == nil && (len(all) > g.limits.Referrers || left < 0 || len(seen) == maxPages && next != "") {
			err = &assay.Error{Op: "list attestations", Kind: assay.ErrBound, Subject: g.name, Value: "more",
				Bound: "at most " + strconv.Itoa(g.limits.Referrers) + " attestations, " + strconv.Itoa(maxPages) + " pages and " + strconv.FormatInt(g.limits.TotalBytes, 10) + " bytes"}
		}
		if err != nil {
			return failed(err)
		}
	}
	return all, true
}

// readAttestations reads one page.
func readAttestations(name string, body []byte) ([]attestation, error) {
	var doc struct {
		Attestations *[]attestation `json:"attestations"`
	}
	if err := strictjson.Unmarshal(name, body, &doc, strictjson.Limits{}); err != nil {
		return nil, err
	}
	if doc.Attestations == nil {
		return nil, &assay.Error{Op: "list attestations", Kind: assay.ErrInvalid, Subject: name, Field: "/attestations", Bound: "a list"}
	}
	return *doc.Attestations, nil
}

// bundles reads what the entries hold or point to.
func (g *github) bundles(ctx context.Context, b *assay.Bundle, entries []attestation) {
	if most := g.limits.Referrers; len(entries) > most {
		entries = entries[:most] // which is a fault already
	}
	left := g.limits.TotalBytes
	var full atomic.Bool
	stop := func() bool { return full.Load() || ctx.Err() != nil }
	done := ordered(len(entries), min(githubParallel, g.limits.Concurrency), stop, func(i int) func() {
		e := entries[i]
		raw, mediaType, err := g.bundle(ctx, e)
		return func() {
			if left -= int64(len(raw)); left < 0 && !full.Load() {
				full.Store(true)
				g.fault("attestations of "+g.subject.String(), &assay.Error{Op: "read bundles", Kind: assay.ErrBound, Subject: g.name, Value: "more", Bound: "at most " + strconv.FormatInt(g.limits.TotalBytes, 10) + " bytes"})
			}
			switch {
			case full.Load():
			case err != nil:
				g.unreadable(e.reference, withStatus(err))
			default:
				b.Add(assay.NewEnvelope(mediaType, raw, g.name+"/"+g.subject.String()))
			}
		}
	})
	g.interrupted(ctx, "attestations of "+g.subject.String(), len(entries)-done)
}

func (g *github) bundle(ctx context.Context, e attestation) ([]byte, string, error) {
	name := g.name + " " + e.reference
	if len(e.Bundle) > 0 && string(e.Bundle) != "null" {
		mediaType, err := bundleType(name, e.Bundle, g.limits.BlobBytes)
		return e.Bundle, mediaType, err
	}
	if err := g.checkBundleURL(e.BundleURL); err != nil {
		return nil, "", err
	}
	resp, err := g.client.Do(ctx, web.Request{Op: "read bundle", URL: e.BundleURL, Header: map[string]string{"User-Agent": "assay"}, Max: g.limits.BlobBytes})
	if err != nil {
		return nil, "", err
	}
	return unpackBundle(name, resp.Body, g.limits.BlobBytes)
}

func (g *github) checkBundleURL(raw string) error {
	bad := &assay.Error{Op: "read bundle", Kind: assay.ErrInvalid, Subject: g.name, Field: "/bundle_url", Value: web.Name(raw), Bound: "a bundle, or the https URL of one"}
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.User != nil {
		return bad
	}
	if u.Scheme != "https" && (u.Scheme != "http" || g.base.Scheme != "http") {
		return bad
	}
	if isPrivate(u.Hostname()) && !isPrivate(g.base.Hostname()) {
		bad.Bound = "a host that is not private"
		return bad
	}
	return nil
}

// unpackBundle decompresses what is not JSON: one block of snappy.
func unpackBundle(name string, body []byte, most int64) ([]byte, string, error) {
	if len(body) > 0 && body[0] == '{' {
		// '{' could be the length of a block of 123 bytes, too.
		if mediaType, err := bundleType(name, body, most); err == nil {
			return body, mediaType, nil
		}
	}
	n, err := s2.DecodedLen(body)
	switch {
	case err != nil:
		return nil, "", &assay.Error{Op: "read bundle", Kind: assay.ErrInvalid, Subject: name, Bound: "JSON, or JSON in a block of snappy", Err: err}
	case int64(n) > most:
		return nil, "", &assay.Error{Op: "read bundle", Kind: assay.ErrBound, Subject: name, Value: strconv.Itoa(n) + " bytes", Bound: "at most " + strconv.FormatInt(most, 10) + " bytes"}
	}
	raw, err := s2.Decode(nil, body)
	if err != nil {
		return nil, "", &assay.Error{Op: "read bundle", Kind: assay.ErrInvalid, Subject: name, Bound: "JSON, or JSON in a block of snappy", Err: err}
	}
	mediaType, err := bundleType(name, raw, most)
	return raw, mediaType, err
}

// bundleType is the media type of a bundle; nothing else is expected.
func bundleType(name string, raw []byte, most int64) (string, error) {
	mediaType, err := sniff(name, raw, most)
	if err == nil && !strings.HasPrefix(mediaType, bundleTypePrefix) {
		err = &assay.Error{Op: "read bundle", Kind: assay.ErrInvalid, Subject: name, Field: "/mediaType", Bound: "a sigstore bundle"}
	}
	return mediaType, err
}

// withStatus makes the status of a [web.StatusError] one that faults show.
func withStatus(err error) error {
	if s, ok := errors.AsType[*web.StatusError](err); ok {
		kind := assay.KindOf(err)
		out := &assay.Error{Op: "read attestations", Kind: kind, Err: &statusError{status: s.Status, detail: s.Detail}}
		if e, ok := errors.AsType[*assay.Error](err); ok {
			out.Op, out.Subject = e.Op, e.Subject
		}
		return out
	}
	return err
}
