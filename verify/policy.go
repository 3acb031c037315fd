package verify

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/strictjson"
	"github.com/assaykit/assay/verify/layout"
	"github.com/assaykit/assay/vex/remediation"
)

// PolicySchema is the value of a policy file's schema member.
const PolicySchema = "https://github.com/assaykit/assay/policy/v0.1"

// Policy says who may state what about an image, and what must be proven.
//
// Beyond what is required here, nothing that is accepted may be false: an SBOM that
// a named signer signed and that does not describe the image's bytes fails every
// policy, and so does any other refuted join.
type Policy struct {
	// Schema is [PolicySchema]; a file must have it, a value in Go may leave it out.
	Schema string `json:"schema,omitempty"`
	// Signers are who may state what. REQUIRED, at least one, where there is no layout.
	Signers []SignerRule `json:"signers"`
	// Require are the kinds of evidence that must be there, from a signer that is
	// allowed to state them. With none and no Stage, one attestation of any kind must
	// be. Test results and verification summaries that are required must also be good
	// ones, and VEX must speak of the image.
	Require []assay.Kind `json:"require,omitempty"`
	// MinSigners is how many distinct signers must each have stated evidence of a kind;
	// the kind is required then. A signer counts once, by key or by issuer and subject,
	// however many documents it signed, and only if a rule lets it state the kind. That
	// they state the same is not asked: each document is held against the image.
	MinSigners map[assay.Kind]int `json:"minSigners,omitempty"`
	// Layouts are in-toto layouts that must be satisfied, each.
	Layouts []LayoutRule `json:"layouts,omitempty"`
	// Stage is what the image must reach.
	Stage assay.Stage `json:"stage,omitzero"`
	// Sources are the repositories that images may be built from, as in provenance,
	// without "git+" and ".git". With some, provenance of one is required. With none, the
	// source is never proven. It is believed of a signer that the policy ties to the
	// builder ([SignerRule.Builders]), and else if the certificate claims the same.
	Sources []string `json:"sources,omitempty"`
	// RefPattern is a pattern (RE2) that must match all of the fully qualified ref the
	// image was built from, such as "refs/tags/v[0-9.]+". Empty means any. With one, Sources
	// are needed as well for the source to be proven.
	RefPattern string `json:"refPattern,omitempty"`
	// BuildTypes are those that provenance may be of; empty means any. What a parameter
	// means depends on the build type, so name it where Parameters are expected.
	BuildTypes []string `json:"buildTypes,omitempty"`
	// Parameters are values that external parameters of the build must have, by JSON
	// pointer into externalParameters: "/workflow/path". With some, every parameter that
	// a provenance states must be under one of them, or it is not proven to be built as
	// expected. Null, "", {} and [] are as good as absent.
	Parameters map[string]json.RawMessage `json:"parameters,omitempty"`
	// MinBuildLevel is the level of SLSA's build track, 1 to 3, that one accepted
	// provenance must reach. BuildLevels says which signers are believed about which
	// builders, beside those of [provenance.WellKnownBuilders].
	MinBuildLevel int              `json:"minBuildLevel,omitzero"`
	BuildLevels   []BuildLevelRule `json:"buildLevels,omitempty"`
	// Summaries let verification summaries stand in for evidence.
	Summaries []SummaryRule `json:"summaries,omitempty"`
	// MinBuilders is how many builders, operated independently of each other, must have
	// made the image from one commit, each with provenance of its own: 2 or more. See
	// [provenance.ReproducedBy]. A builder counts if its signer may speak for it, by the
	// operator that [SignerRule.Operator] names. 0 asks for nothing.
	MinBuilders int `json:"minBuilders,omitzero"`
	// SourceLevel wants the commit to be vouched for by who controls its source.
	SourceLevel *SourceLevelRule `json:"sourceLevel,omitzero"`
	// SameRun are the kinds of evidence that must be signed in the run of the CI, and at
	// the commit, that provenance is of.
	SameRun []assay.Kind `json:"sameRun,omitempty"`
	// Nested wants the unsigned provenance that BuildKit puts beside an image to be there
	// and to name the commit that signed provenance names.
	Nested bool `json:"nested,omitzero"`
	// Bases are the manifest digests of the base images, of which one must be at the
	// bottom of the image. That of an index stands for the images that it lists for the
	// image's platform. With none, the images that provenance names are looked at, and
	// nothing is required.
	Bases []assay.Digest `json:"bases,omitempty"`
	// MinComponents is how many percent of the components, 1 to 100, must come from
	// verified source: see [Components] and [Coverage].FromSource. They are counted in the
	// image's bytes, and in an SBOM alone only with ContentsUnsafe. 0 asks for nothing.
	MinComponents int `json:"minComponents,omitzero"`
	// RebuildWithin is how long after its provenance was signed, by a witnessed time,
	// an image counts as rebuilt on schedule. 0 means [DefaultRebuildWithin]. Only
	// provenance signed with a certificate can show it; see [Key].
	RebuildWithin Duration `json:"rebuildWithin,omitzero"`
	// ScanWithin is how long a vulnerability scan counts after it was finished, and
	// DatabaseWithin how long the state of the database that it asked. 0 means
	// [DefaultScanWithin] and [DefaultDatabaseWithin].
	ScanWithin     Duration `json:"scanWithin,omitzero"`
	DatabaseWithin Duration `json:"databaseWithin,omitzero"`
	// ScanExempt are purl types of which it is known that no database has advisories,
	// such as "generic"; "" is for components without a package URL. That a scanner
	// cannot ask about others leaves open whether they are vulnerable.
	ScanExempt []string `json:"scanExempt,omitempty"`
	// VEXWithin is how long a VEX statement of fixed or not_affected closes a finding before
	// it has to be stated anew. An old document can be shown in place of one that took it
	// back, and nothing else gives that away. 0 is no limit.
	VEXWithin Duration `json:"vexWithin,omitzero"`
	// SLA are the deadlines that open vulnerabilities must be inside of, required if it is
	// given. With none, the deadlines of [remediation.ProfileDefault] are looked at. Where
	// the clock starts when a vulnerability is first seen, scans have to say when that was,
	// or a remediation record of the image's stream.
	SLA *remediation.Profile `json:"sla,omitempty"`
	// ExclusionDocuments are documents beside the accepted statements that bear out the
	// exclusions of remediation records: see [remediation.EvaluateAgainst]. An exclusion
	// that nothing bears out is not checked, and excludes nothing.
	ExclusionDocuments []remediation.Document `json:"exclusionDocuments,omitempty"`
	// ContentsUnsafe lets claims about contents pass without the image's bytes: what
	// an allowed signer claims of posture then counts as shown, and the SBOM check is
	// not required. It never lets a claim pass that the bytes refute.
	ContentsUnsafe bool `json:"contentsUnsafe,omitzero"`
}

// DefaultRebuildWithin is a nightly rebuild and half a day of grace, so that an
// image does not fall out of schedule while its successor is being built.
const DefaultRebuildWithin = 36 * time.Hour

// Duration is a [time.Duration] whose text is that of [time.ParseDuration].
type Duration time.Duration

// MarshalText implements [encoding.TextMarshaler].
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (d *Duration) UnmarshalText(b []byte) error {
	v, err := time.ParseDuration(string(b))
	if err == nil {
		*d = Duration(v)
	}
	return err
}

// ParsePolicy reads a policy file, JSON. Unknown members are errors: a misspelt one
// must not mean that nothing is required. The name is for errors.
func ParsePolicy(name string, data []byte) (Policy, error) {
	var p Policy
	if err := strictjson.Unmarshal(name, data, &p, strictjson.Limits{MaxBytes: 1 << 20, RejectUnknown: true}); err != nil {
		return Policy{}, err
	}
	if p.Schema != PolicySchema {
		return Policy{}, &assay.Error{Op: "read policy", Kind: assay.ErrInvalid, Subject: name, Field: "/schema", Value: p.Schema, Bound: PolicySchema}
	}
	if _, err := p.compile(); err != nil {
		if e, ok := errors.AsType[*assay.Error](err); ok && e.Subject == "" {
			e.Subject = name
		}
		return Policy{}, err
	}
	return p, nil
}

type compiledPolicy struct {
	Policy
	rules   []compiledRule
	layouts []*layout.Layout
	refs    *regexp.Regexp // nil: any
	levels  []compiledLevel
	sla     *remediation.Profile
	// sourceRefs is of the source level; nil: any.
	sourceRefs *regexp.Regexp
}

func (p Policy) compile() (*compiledPolicy, error) {
	bad := func(field, value, bound string) error {
		return &assay.Error{Op: "read policy", Kind: assay.ErrInvalid, Field: field, Value: value, Bound: bound}
	}
	c := &compiledPolicy{Policy: p}
	if p.Schema != "" && p.Schema != PolicySchema {
		return nil, bad("/schema", p.Schema, PolicySchema)
	}
	if len(p.Signers) == 0 && len(p.Layouts) == 0 {
		return nil, bad("/signers", "", "at least one signer, or a layout")
	}
	names := map[string]bool{}
	for i, s := range p.Signers {
		field := fmt.Sprintf("/signers/%d", i)
		r, err := s.compile(field)
		if err != nil {
			return nil, err
		}
		if names[s.Name] {
			return nil, bad(field+"/name", s.Name, "a name that no other signer has")
		}
		names[s.Name] = true
		c.rules = append(c.rules, r)
	}
	for i, r := range p.Layouts {
		field := fmt.Sprintf("/layouts/%d", i)
		l, err := r.compile(field)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(p.Layouts[:i], func(o LayoutRule) bool { return o.Name == r.Name }) {
			return nil, bad(field+"/name", r.Name, "a name that no other layout has")
		}
		c.layouts = append(c.layouts, l)
	}
	for i, k := range p.Require {
		field := fmt.Sprintf("/require/%d", i)
		if !slices.Contains(allKinds, k) || k == assay.KindOpaque {
			return nil, bad(field, string(k), "a kind of evidence")
		}
		if !slices.ContainsFunc(c.rules, func(r compiledRule) bool { return !r.ComponentsOnly && r.allows(k) }) {
			return nil, bad(field, string(k), "a kind that some signer may state")
		}
	}
	for _, k := range slices.Sorted(maps.Keys(p.MinSigners)) {
		field, n := "/minSigners/"+string(k), p.MinSigners[k]
		switch {
		case !slices.Contains(allKinds, k) || k == assay.KindOpaque:
			return nil, bad(field, string(k), "a kind of evidence")
		case n < 1:
			return nil, bad(field, fmt.Sprint(n), "1 or more")
		case !slices.ContainsFunc(c.rules, func(r compiledRule) bool { return !r.ComponentsOnly && r.allows(k) }):
			return nil, bad(field, string(k), "a kind that some signer may state")
		}
		if !slices.Contains(c.Require, k) {
			c.Require = append(slices.Clone(c.Require), k)
		}
	}
	if p.Stage < assay.None || p.Stage > assay.Secure {
		return nil, bad("/stage", p.Stage.String(), "none, minimal, hardened or secure")
	}
	if p.RebuildWithin < 0 {
		return nil, bad("/rebuildWithin", time.Duration(p.RebuildWithin).String(), "0 or more")
	}
	if p.RebuildWithin == 0 {
		c.RebuildWithin = Duration(DefaultRebuildWithin)
	}
	if p.ScanWithin < 0 || p.DatabaseWithin < 0 {
		return nil, bad("/scanWithin", time.Duration(min(p.ScanWithin, p.DatabaseWithin)).String(), "0 or more, as databaseWithin")
	}
	if p.VEXWithin < 0 {
		return nil, bad("/vexWithin", time.Duration(p.VEXWithin).String(), "0 or more")
	}
	c.ScanWithin = cmp.Or(p.ScanWithin, Duration(DefaultScanWithin))
	c.DatabaseWithin = cmp.Or(p.DatabaseWithin, Duration(DefaultDatabaseWithin))
	var err error
	if p.SLA == nil {
		if c.sla, err = remediation.Named(remediation.ProfileDefault); err != nil {
			return nil, err
		}
	} else if _, err := p.SLA.Encode(); err != nil { // which holds it to its rules
		return nil, bad("/sla", p.SLA.Name, err.Error())
	} else {
		c.sla = p.SLA
	}
	for i, d := range p.ExclusionDocuments {
		if err := d.Validate(); err != nil {
			return nil, bad(fmt.Sprintf("/exclusionDocuments/%d", i), d.Digest.String(), err.Error())
		}
	}
	for i, s := range p.Sources {
		if u, err := url.Parse(s); err != nil || u.Scheme == "" || canonicalRepository(s) != s {
			return nil, bad(fmt.Sprintf("/sources/%d", i), s, "an absolute URI without git+ and .git")
		}
	}
	if c.refs, err = anchored(p.RefPattern); err != nil {
		return nil, bad("/refPattern", p.RefPattern, err.Error())
	}
	if err := c.compileLevels(); err != nil {
		return nil, err
	}
	if err := c.compileSummaries(); err != nil {
		return nil, err
	}
	if err := c.compileSourceLevel(); err != nil {
		return nil, err
	}
	if p.MinBuilders < 0 || p.MinBuilders == 1 {
		return nil, bad("/minBuilders", fmt.Sprint(p.MinBuilders), "2 or more, because one reproduces nothing, or 0")
	}
	if p.MinComponents < 0 || p.MinComponents > 100 {
		return nil, bad("/minComponents", fmt.Sprint(p.MinComponents), "0 to 100 percent")
	}
	for i, t := range p.BuildTypes {
		if t == "" || slices.Contains(p.BuildTypes[:i], t) {
			return nil, bad(fmt.Sprintf("/buildTypes/%d", i), t, "a build type, once")
		}
	}
	for _, at := range slices.Sorted(maps.Keys(p.Parameters)) {
		if !strings.HasPrefix(at, "/") || len(at) == 1 || !json.Valid(p.Parameters[at]) {
			return nil, bad("/parameters", at, "a JSON pointer to a parameter, and a JSON value")
		}
	}
	for i, k := range p.SameRun {
		if k != assay.KindProvenance && k != assay.KindOpaque && slices.Contains(allKinds, k) && !slices.Contains(p.SameRun[:i], k) {
			continue
		}
		return nil, bad(fmt.Sprintf("/sameRun/%d", i), string(k), "a kind of evidence other than provenance, once")
	}
	for i, d := range p.Bases {
		if !d.Algorithm().Strong() || slices.Contains(p.Bases[:i], d) {
			return nil, bad(fmt.Sprintf("/bases/%d", i), d.String(), "the digest of an image, such as sha256, once")
		}
	}
	return c, nil
}

// rule finds a rule by its name; accepted evidence always has one.
func (p *compiledPolicy) rule(name string) *compiledRule {
	for i := range p.rules {
		if p.rules[i].Name == name {
			return &p.rules[i]
		}
	}
	return &compiledRule{}
}
