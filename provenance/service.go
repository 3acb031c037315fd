package provenance

import (
	"context"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/go-jose/go-jose/v4"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/strictjson"
)

// service is a CI as a table: the facts of a job, where each is stated, and what they
// are in provenance. A claim of the job's OIDC token comes before the variable that
// states the same; where both are there they must agree.
type service struct {
	name      string
	buildType string
	internal  string // the internal parameter that holds the facts which are no input
	detect    func(env func(string) (string, bool)) bool
	// token says who signs the job's token and where the job finds it; nil for a CI
	// without one.
	token func(env func(string) string) tokenSource
	facts []fact
	// pairs gives what is stated under several names, in other forms; nil for none.
	pairs func(f map[string]string) []pair
	// compose gives what the facts are. A fact that is not stated is empty.
	compose func(f map[string]string) job
}

// fact is one thing that a CI states of a job.
type fact struct {
	name     string // among the facts
	claim    string // of the token; empty if it has none
	variable string // of the environment; empty if there is none
	required bool
}

// pair is one thing said twice. Where both are stated they must be equal.
type pair struct {
	variable, stated string // in the form of the claim
	claim, claimed   string
}

// tokenSource is where a job's token is, and who must have signed it for whom.
type tokenSource struct {
	issuer    string
	variables []string // the first that is set holds it
	audiences []string // besides that of the options
}

// job is what a CI says of a job. What it does not say is empty.
type job struct {
	repository string // URI without .git
	ref        string // fully qualified
	commit     string
	config     string // URI of what defines the build
	builder    string // URI
	run        string // URI of the run
	internal   map[string]string
}

// Name implements [CI].
func (s *service) Name() string { return s.name }

// Detect implements [CI].
func (s *service) Detect(env func(key string) (string, bool)) bool { return s.detect(env) }

// Provenance implements [CI].
func (s *service) Provenance(ctx context.Context, opts Options) (*assay.Provenance, error) {
	opts = opts.filled()
	env := func(k string) string { v, _ := opts.Env(k); return v }
	claims, err := s.claims(ctx, opts, env)
	if err != nil {
		return nil, err
	}
	if claims == nil && opts.BuilderIDUnsafe == "" {
		bound := "a builder that the caller names, because this CI gives a job no token to show who it is"
		if s.token != nil {
			bound = "a claim of the job's OIDC token, which the job must be given"
		}
		return nil, &assay.Error{Op: environmentOp, Kind: assay.ErrUnchecked, Subject: s.name, Field: "builder.id", Bound: bound}
	}
	facts, unverified, err := s.gather(claims, env)
	if err != nil {
		return nil, err
	}
	if s.pairs != nil {
		for _, p := range s.pairs(facts) {
			_, vouched := claims[p.claim]
			switch {
			case p.stated == "" || p.claimed == "":
			case p.stated != p.claimed && !vouched:
				return nil, &assay.Error{Op: environmentOp, Kind: assay.ErrRefuted, Subject: s.name, Field: p.variable,
					Value: tellable(p.stated), Bound: "what another variable says, " + tellable(p.claimed)}
			case p.stated != p.claimed:
				return nil, s.contradiction(p.variable, p.stated, p.claim, p.claimed)
			case vouched:
				unverified = slices.DeleteFunc(unverified, func(v string) bool { return v == p.variable })
			}
		}
	}
	return s.state(opts, s.compose(facts), unverified)
}

func (s *service) contradiction(variable, stated, claim, claimed string) error {
	return &assay.Error{Op: environmentOp, Kind: assay.ErrRefuted, Subject: s.name, Field: variable,
		Value: tellable(stated), Bound: "the OIDC token's claim " + claim + ", " + tellable(claimed)}
}

// claims gives those of the job's token once it is verified, or nil if it has none.
func (s *service) claims(ctx context.Context, opts Options, env func(string) string) (map[string]json.RawMessage, error) {
	if s.token == nil {
		return nil, nil
	}
	src := s.token(env)
	if opts.Issuer != "" {
		src.issuer = opts.Issuer
	}
	var text string
	for _, v := range src.variables {
		if text = env(v); text != "" {
			break
		}
	}
	if text == "" && opts.Token != nil {
		var err error
		if text, err = opts.Token(ctx, opts.Audience); err != nil {
			return nil, &assay.Error{Op: tokenOp, Kind: assay.ErrUnchecked, Subject: s.name, Bound: "a token", Err: err}
		}
	}
	if text == "" {
		return nil, nil
	}
	jws, err := jose.ParseSignedCompact(text, signatureAlgorithms)
	if err != nil {
		// The error of the parser may repeat the token.
		return nil, &assay.Error{Op: tokenOp, Kind: assay.ErrInvalid, Subject: s.name, Bound: "a signed token in compact form"}
	}
	return readClaims(ctx, opts, src.issuer, append([]string{opts.Audience}, src.audiences...), jws)
}

// gather collects the facts, and names those that no token vouches for.
func (s *service) gather(claims map[string]json.RawMessage, env func(string) string) (facts map[string]string, unverified []string, err error) {
	facts = map[string]string{}
	var missing []string
	for _, f := range s.facts {
		var claimed, stated string
		if raw, ok := claims[f.claim]; ok && f.claim != "" {
			if claimed, ok = scalar(raw); !ok {
				return nil, nil, &assay.Error{Op: environmentOp, Kind: assay.ErrInvalid, Subject: "OIDC token", Field: f.claim, Value: string(raw), Bound: "a string, a number or a boolean"}
			}
		}
		if f.variable != "" {
			stated = env(f.variable)
		}
		switch {
		case claimed != "" && stated != "" && claimed != stated:
			return nil, nil, s.contradiction(f.variable, stated, f.claim, claimed)
		case claimed != "":
			facts[f.name] = claimed
		case stated != "":
			facts[f.name] = stated
			unverified = append(unverified, f.variable)
		case f.required && (f.variable != "" || claims != nil):
			missing = append(missing, strings.Trim(f.claim+" or "+f.variable, " or"))
		}
		if !utf8.ValidString(facts[f.name]) {
			return nil, nil, &assay.Error{Op: environmentOp, Kind: assay.ErrInvalid, Subject: s.name, Field: f.name, Bound: "UTF-8"}
		}
	}
	if len(missing) > 0 {
		return nil, nil, &assay.Error{Op: environmentOp, Kind: assay.ErrAbsent, Subject: s.name, Bound: "what is missing: " + strings.Join(missing, ", ")}
	}
	return facts, unverified, nil
}

// scalar gives a claim as text.
func scalar(raw json.RawMessage) (string, bool) {
	var v any
	if strictjson.Unmarshal("OIDC token", raw, &v, strictjson.Limits{}) != nil {
		return "", false
	}
	switch v := v.(type) {
	case string:
		return v, true
	case nil:
		return "", true
	case bool, float64:
		return string(raw), true
	}
	return "", false
}

// state writes the job down in the form of the build type.
func (s *service) state(opts Options, j job, unverified []string) (*assay.Provenance, error) {
	fail := func(kind error, field, value, bound string) error {
		return &assay.Error{Op: environmentOp, Kind: kind, Subject: s.name, Field: field, Value: value, Bound: bound}
	}
	switch {
	case j.builder == "":
		j.builder = opts.BuilderIDUnsafe
	case opts.BuilderIDUnsafe != "" && opts.BuilderIDUnsafe != j.builder:
		return nil, fail(assay.ErrRefuted, "builder.id", opts.BuilderIDUnsafe, "what the CI says, "+j.builder)
	}
	if j.builder == "" {
		return nil, fail(assay.ErrUnchecked, "builder.id", "", "a builder that the caller names")
	}
	repository, err := publicURI(j.repository)
	if err != nil || strings.ContainsAny(repository, "#@") { // either would begin a ref
		return nil, fail(assay.ErrInvalid, "repository", "", "an absolute URI")
	}
	if j.ref != "" && !strings.HasPrefix(j.ref, "refs/") {
		return nil, fail(assay.ErrInvalid, "ref", j.ref, "refs/…")
	}
	commit, err := assay.NewDigest(assay.GitCommit, j.commit)
	if err != nil {
		return nil, fail(assay.ErrInvalid, "commit", j.commit, "a git commit")
	}
	p := &assay.Provenance{
		BuildType:          s.buildType,
		ExternalParameters: map[string]json.RawMessage{"repository": encoded(repository)},
		Builder:            assay.Builder{ID: j.builder},
		StartedOn:          opts.StartedOn.UTC(),
		FinishedOn:         opts.FinishedOn.UTC(),
		Source:             assay.Source{Repository: repository, Commit: commit, Ref: j.ref},
	}
	material := assay.Resource{URI: "git+" + repository, Digest: assay.DigestSet{commit}}
	if j.ref != "" {
		p.ExternalParameters["ref"] = encoded(j.ref)
		material.URI += "@" + j.ref
	}
	if strings.Contains(j.config, "://") {
		if j.config, err = publicURI(j.config); err != nil {
			return nil, fail(assay.ErrInvalid, "config", "", "an absolute URI, or a path")
		}
	}
	if j.config != "" {
		p.ExternalParameters["config"] = encoded(j.config)
	}
	p.Materials = []assay.Resource{material}
	if strings.HasPrefix(j.run, "arn:") {
		p.InvocationID = j.run // Amazon's, which holds no secret
	} else if j.run != "" {
		if p.InvocationID, err = publicURI(j.run); err != nil {
			return nil, fail(assay.ErrInvalid, "invocationId", "", "an absolute URI")
		}
	}
	internal := map[string]string{}
	for k, v := range j.internal {
		if v != "" {
			internal[k] = v
		}
	}
	if len(internal) > 0 {
		p.InternalParameters = map[string]json.RawMessage{s.internal: encoded(internal)}
	}
	if len(unverified) > 0 {
		slices.Sort(unverified)
		p.Extensions = map[string]json.RawMessage{
			metadataAt + "/assay_claims":    encoded("unverified"),
			metadataAt + "/assay_variables": encoded(slices.Compact(unverified)),
		}
	}
	return p, nil
}

// publicURI takes off what a URI in an environment may carry besides where it leads:
// a user with a password, a query, ".git".
func publicURI(s string) (string, error) {
	u, err := url.Parse(s)
	if err != nil || u.Scheme == "" || u.Host == "" {
		if host, path, ok := scpLike(s); ok {
			return "ssh://" + host + "/" + strings.TrimSuffix(path, ".git"), nil
		}
		return "", &assay.Error{Op: environmentOp, Kind: assay.ErrInvalid, Bound: "an absolute URI"}
	}
	u.User, u.RawQuery, u.ForceQuery = nil, "", false
	u.Host = strings.ToLower(u.Host)
	return strings.TrimSuffix(strings.TrimSuffix(u.String(), "/"), ".git"), nil
}

// tellable is text for an error: of an address, what may be a secret is left out.
func tellable(s string) string {
	if !strings.Contains(s, "://") {
		return s
	}
	if u, err := publicURI(s); err == nil {
		return u
	}
	return "an address"
}

// withoutSecrets takes off a URI what may be a secret: a user and password, and of what is
// fetched by HTTP the query. The rest is left as it is.
func withoutSecrets(uri string) string {
	scheme, rest, ok := strings.Cut(uri, "://")
	if !ok {
		return uri
	}
	if strings.HasSuffix(scheme, "http") || strings.HasSuffix(scheme, "https") {
		rest, _, _ = strings.Cut(rest, "?")
	}
	host, path := rest, ""
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		host, path = rest[:i], rest[i:]
	}
	return scheme + "://" + host[strings.LastIndexByte(host, '@')+1:] + path
}

// scpLike reads git's "user@host:path". What starts with a scheme is none, nor is a host of
// one letter, which may be a drive: "C:/work".
func scpLike(s string) (host, path string, ok bool) {
	if strings.Contains(s, "://") {
		return "", "", false
	}
	host, path, ok = strings.Cut(s, ":")
	if i := strings.LastIndexByte(host, '@'); i >= 0 {
		host = host[i+1:]
	}
	ok = ok && len(host) > 1 && path != "" && !strings.ContainsAny(host, "/ ") && !strings.ContainsAny(path, " ?#")
	return strings.ToLower(host), strings.TrimPrefix(path, "/"), ok
}
