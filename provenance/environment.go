package provenance

import (
	"context"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/assaykit/assay"
)

// Options are for [FromEnvironment]. The zero value is for a job of a CI that is
// known here.
type Options struct {
	// Env looks up a variable of the environment; nil means [os.LookupEnv].
	Env func(key string) (value string, ok bool)
	// HTTPClient fetches the CI's identity token and the keys to check it; nil means
	// one with a timeout of 30 seconds. Redirects are refused whatever the client says.
	HTTPClient *http.Client
	// CIs are tried first, in this order, then those known here.
	CIs []CI
	// Issuer is the OIDC issuer that must have signed the token. Empty means the one
	// that belongs to the CI's server; set it where an enterprise has its own.
	Issuer string
	// Audience is what the token is requested for, "assay" if empty. No service
	// should accept this audience: the token is only read.
	Audience string
	// Token gives the job's identity token where the CI has it asked for by a program of
	// its own, such as "buildkite-agent oidc request-token". It is not asked on GitHub,
	// nor where a variable holds the token.
	Token func(ctx context.Context, audience string) (string, error)
	// BuilderIDUnsafe is the builder.id to state where the job has no permission to
	// request a token, or the CI has none. All facts then come from variables, which any
	// step of the job may have set, and the result says so in the extension
	// /runDetails/metadata/assay_claims. Without it such a job is an error. Where
	// there is a token, its claims must agree.
	BuilderIDUnsafe string
	// StartedOn and FinishedOn are the times of the build, where the caller knows
	// them; no CI known here tells, and none is made up.
	StartedOn, FinishedOn time.Time
	// Now is the clock that the token's validity is checked by; nil means [time.Now].
	Now func() time.Time
	// Logger receives what was detected and fetched, never a token; nil discards.
	Logger *slog.Logger
}

// CI states the provenance of the job it runs in. Implement it for a CI that is not
// known here, and list it in [Options].
type CI interface {
	// Name is for messages, such as "GitHub Actions".
	Name() string
	// Detect reports whether this process runs in a job of the CI, by the variables
	// that the CI documents for the purpose.
	Detect(env func(key string) (value string, ok bool)) bool
	// Provenance gives what the CI says of the job. What it does not say stays
	// empty. opts is filled in: Env, HTTPClient, Now and Logger are not nil.
	Provenance(ctx context.Context, opts Options) (*assay.Provenance, error)
}

// FromEnvironment states the provenance of the CI job that this process runs in, in
// the form of SLSA v1. The CIs that are known are those of [Known]; others are added
// through Options.CIs. The first that detects itself is asked, and its result checked
// by [Check].
//
// Outside of any CI the error is [assay.ErrAbsent], as it is where the CI leaves out what is
// needed; [Detect] tells the one from the other. Where the CI's claims could not be
// had or checked it is [assay.ErrUnchecked], where claims and environment contradict
// each other, or the token is not genuine, [assay.ErrRefuted], and where they break
// the CI's documented form [assay.ErrInvalid]. Nothing is ever guessed to fill a gap.
//
// The result states a builder that is trusted only if the CI itself, not the job,
// signs it: see SLSA v1.2, build-track-basics.md, for what each level asks.
func FromEnvironment(ctx context.Context, opts Options) (*assay.Provenance, error) {
	opts = opts.filled()
	ci, ok := Detect(opts)
	if !ok {
		return nil, &assay.Error{Op: environmentOp, Kind: assay.ErrAbsent, Subject: "CI", Bound: "a job of " + names(Known()) + ", or of a CI among the options that detects itself"}
	}
	opts.Logger.DebugContext(ctx, "provenance: detected CI", "ci", ci.Name())
	p, err := ci.Provenance(ctx, opts)
	if err != nil {
		return nil, err
	}
	if p == nil {
		return nil, &assay.Error{Op: environmentOp, Kind: assay.ErrUnchecked, Subject: ci.Name(), Bound: "a provenance"}
	}
	if err := check(environmentOp, ci.Name(), p); err != nil {
		return nil, err
	}
	return p, nil
}

// Detect gives the CI that [FromEnvironment] would ask, or false outside of any. Ask it
// before [FromGit]: a job whose CI leaves out what is needed is also [assay.ErrAbsent], and
// is no build by hand.
func Detect(opts Options) (CI, bool) {
	opts = opts.filled()
	for _, ci := range append(opts.CIs[:len(opts.CIs):len(opts.CIs)], Known()...) {
		if ci.Detect(opts.Env) {
			return ci, true
		}
	}
	return nil, false
}

func names(list []CI) string {
	var out []string
	for _, ci := range list {
		out = append(out, ci.Name())
	}
	return strings.Join(out, ", ")
}

const environmentOp = "state provenance of this job"

const defaultTimeout = 30 * time.Second

func (o Options) filled() Options {
	if o.Env == nil {
		o.Env = os.LookupEnv
	}
	if o.HTTPClient == nil {
		o.HTTPClient = &http.Client{Timeout: defaultTimeout}
	}
	if o.Audience == "" {
		o.Audience = "assay"
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}
