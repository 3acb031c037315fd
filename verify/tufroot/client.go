package tufroot

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"path/filepath"
	"strings"
	"time"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/request"
)

// Names of the targets that sigstore's repositories have.
const (
	TrustedRoot   = "trusted_root.json"
	SigningConfig = "signing_config.v0.2.json"
)

// Options are what a [Client] is made of. Mirror and Root are required.
type Options struct {
	// Mirror is the base URL of the repository: its metadata is there, its targets
	// in the folder targets below it.
	Mirror string
	// Root is a root.json that is trusted because the caller has it from a place that
	// they trust.
	Root []byte
	// Cache is a folder to remember in; it is made if it is missing. Empty remembers
	// nothing: see the package comment.
	Cache string
	// Offline asks nobody: what is in the cache is used, or nothing.
	Offline bool
	// StaleUnsafe accepts metadata from the cache that expired up to this long ago,
	// where the mirror does not answer. In this time, a key that the owners have
	// revoked is still trusted. Zero accepts none.
	StaleUnsafe time.Duration
	// Transport makes the requests; nil is [http.DefaultTransport].
	Transport http.RoundTripper
	// Timeout of each request: 30 seconds.
	Timeout time.Duration
	// Retries of each request that was throttled, failed in the server or got no
	// answer: 2. Negative is none.
	Retries int
	// Clock says what has expired; nil is [time.Now].
	Clock func() time.Time
}

// Client reads one repository. It is safe for concurrent use.
type Client struct {
	options Options
	http    request.Client
	file    string // of the cache; empty is none
	initial int64  // version of the root given
}

// Bounds on what is read.
const (
	maxRootBytes      = 512 << 10
	maxTimestampBytes = 16 << 10
	maxSnapshotBytes  = 2 << 20
	maxTargetsBytes   = 5 << 20
	maxFileBytes      = 16 << 20
	maxRotations      = 256
	maxCacheBytes     = 256 << 20
)

const op = "update trusted root"

// New checks the options and the root; it contacts nobody.
func New(o Options) (*Client, error) {
	if err := request.CheckURL(op, "Mirror", o.Mirror, false, true); err != nil {
		return nil, err
	}
	o.Mirror = strings.TrimSuffix(o.Mirror, "/")
	if o.Offline && o.Cache == "" {
		return nil, &assay.Error{Op: op, Kind: assay.ErrInvalid, Field: "Cache", Bound: "a folder, to read offline"}
	}
	if o.StaleUnsafe < 0 {
		return nil, &assay.Error{Op: op, Kind: assay.ErrInvalid, Field: "StaleUnsafe", Value: o.StaleUnsafe.String(), Bound: "0 or more"}
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	o.Root = bytes.Clone(o.Root)
	c := &Client{options: o, http: request.Client{Transport: o.Transport, Timeout: o.Timeout, Retries: o.Retries}}
	set, err := newSet(o.Root, o.Clock())
	if err != nil {
		return nil, err
	}
	c.initial = set.trusted.Root.Signed.Version
	if o.Cache != "" {
		// One repository's memory is nothing to another.
		c.file = filepath.Join(o.Cache, assay.SumSHA256([]byte(o.Mirror)).Hex()[:32]+".json")
	}
	return c, nil
}

// Result is what a repository says.
type Result struct {
	// Files are the targets that were asked for, by name: exactly the bytes that the
	// repository signs for.
	Files map[string][]byte
	// Root, Timestamp, Snapshot and Targets are the versions of the metadata that
	// they were verified by.
	Root, Timestamp, Snapshot, Targets int64
	// Expires is when the first of the metadata does: until then the result may be
	// used again without asking.
	Expires time.Time
	// Checked is when the mirror last answered with all of it. It is by the clock of
	// this machine.
	Checked time.Time
	// Unreached is why the mirror was not asked, or did not answer, and the cache was
	// used; nil if it answered.
	Unreached error
	// Stale says that Expires is past, which only Options.StaleUnsafe allows.
	Stale bool
}

// errOffline is [Result.Unreached] of [Options.Offline].
var errOffline = errors.New("offline was asked for")

// Fetch brings the metadata up to date and gives targets; none asked for is
// [TrustedRoot]. It is [assay.ErrRefuted] if what the mirror or the cache gives is
// not what was signed, or is older than what was seen; [assay.ErrUnchecked] if it
// has expired or the mirror does not answer and there is no cache to use;
// [assay.ErrAbsent] if the repository has no such target.
func (c *Client) Fetch(ctx context.Context, names ...string) (*Result, error) {
	if len(names) == 0 {
		names = []string{TrustedRoot}
	}
	for _, n := range names {
		if err := checkName(n); err != nil {
			return nil, err
		}
	}
	had, err := c.load()
	if err != nil {
		return nil, err
	}
	unreached := errOffline
	if !c.options.Offline {
		out, err := c.online(ctx, had, names)
		if err == nil {
			return out, nil
		}
		u, ok := errors.AsType[*unreachedError](err)
		if !ok || ctx.Err() != nil || c.file == "" {
			return nil, err
		}
		unreached = u.err
		// What was seen of a newer root, or timestamp, binds the cache, too.
		if had, err = c.load(); err != nil {
			return nil, err
		}
	}
	out, err := c.offline(had, names)
	if err != nil {
		return nil, errors.Join(err, unreached)
	}
	out.Unreached = unreached
	return out, nil
}

// unreachedError is a mirror that did not answer, as opposed to one that answered
// wrongly.
type unreachedError struct{ err error }

func (e *unreachedError) Error() string { return e.err.Error() }
func (e *unreachedError) Unwrap() error { return e.err }

// checkName refuses target paths that are not of one folder.
func checkName(n string) error {
	if n == "" || len(n) > 200 || strings.ContainsAny(n, "/\\%?#\x00") || strings.HasPrefix(n, ".") {
		return &assay.Error{Op: op, Kind: assay.ErrInvalid, Field: "target", Value: n, Bound: "a file name"}
	}
	return nil
}
