package provenance

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/strictjson"
)

// Build is provenance with who signed it, as package verify has proven both.
type Build struct {
	Provenance *assay.Provenance
	Subjects   []assay.Subject
	Signer     assay.Identity
	// Operator is who runs the build platform, as the caller knows it. Empty is the host
	// that vouches for the signer, if the certificate claims a run on a machine that
	// belongs to the platform; see [ReproducedBy]. For others it has to be given: for a
	// signer with a key, for a person, and for what ran on somebody's own machine.
	Operator string
}

// Reproduction is what several builds show about one artifact.
type Reproduction struct {
	// State is proven or unknown: that builds agree shows that the artifact can be
	// reproduced, and that there are none to compare shows nothing.
	State assay.State
	// Builders are those that agree with an independent one, sorted.
	Builders []string
	// Independent is how many builds of one commit are independent of each other, each of
	// all others: the most that can be picked. It is 0 if no build counts.
	Independent int
	// Reasons say of each build why it counts or does not.
	Reasons []string
}

// ReproducedBy says whether builders that are operated independently made the artifact
// with this digest from the same source. It is the condition of [BuildReproduced]
// (SLSA v1.2, verified-properties.md): each has its own attestation of the digest that
// says what was built, and the digests are the same.
//
// A build counts if its statement is about the digest, by a strong algorithm, and names
// a builder and the commit of its source. Two are independent if both builders and
// operators differ: two workflows of one CI are not. Which builders are trusted at all,
// the caller has decided by giving them.
//
// Where no operator is given it is the host of the certificate's issuer, because CIs have
// issuers for each of their customers at one host (https://oidc.circleci.com/org/…,
// https://token.actions.githubusercontent.com/…). It is believed if the certificate claims
// a run, and a runner other than "self-hosted": who issues tokens to persons, to clusters
// or to jobs on others' machines does not operate what builds. Machines that a CI's tokens
// do not tell apart from its own, as CircleCI's do not, need an operator. If it is given
// for some signers of a host, the other signers of that host do not count.
func ReproducedBy(artifact assay.Digest, builds ...Build) Reproduction {
	type candidate struct{ builder, operator, commit string }
	var all []candidate
	var r Reproduction
	given := map[string]bool{} // hosts of which some signer's operator is
	for _, b := range builds {
		if b.Operator != "" && b.Signer.Issuer != "" {
			given[issuerHost(b.Signer.Issuer)] = true
		}
	}
	for i, b := range builds {
		c, why := candidate{operator: b.Operator}, ""
		unsaid := ""
		if c.operator == "" {
			c.operator, unsaid = platform(b.Signer, given)
		}
		switch {
		case b.Provenance == nil || b.Provenance.Builder.ID == "":
			why = "it names no builder"
		case b.Signer.Validate() != nil:
			why = "nobody signed it"
		case c.operator == "":
			why = "nobody says who operates " + b.Provenance.Builder.ID + ": " + unsaid
		case !slices.ContainsFunc(b.Subjects, func(s assay.Subject) bool { return s.Digest.Has(artifact) }):
			why = "it is not about " + artifact.String()
		case b.Provenance.Source.Commit.IsZero():
			why = "it does not name the commit that was built"
		}
		if why != "" {
			r.Reasons = append(r.Reasons, fmt.Sprintf("build %d does not count: %s", i+1, why))
			continue
		}
		c.builder, c.commit = b.Provenance.Builder.ID, b.Provenance.Source.Commit.Hex()
		all = append(all, c)
		r.Reasons = append(r.Reasons, fmt.Sprintf("build %d: %s, operated by %s, made it from %s", i+1, c.builder, c.operator, c.commit))
	}
	for _, c := range all {
		if slices.ContainsFunc(all, func(o candidate) bool {
			return o.commit == c.commit && o.builder != c.builder && o.operator != c.operator
		}) {
			r.State = assay.Proven
			r.Builders = append(r.Builders, c.builder)
		}
	}
	slices.Sort(r.Builders)
	r.Builders = slices.Compact(r.Builders)
	pairs := map[string]map[string][]string{} // of each commit, the operators of each builder
	for _, c := range all {
		if pairs[c.commit] == nil {
			pairs[c.commit] = map[string][]string{}
		}
		pairs[c.commit][c.builder] = append(pairs[c.commit][c.builder], c.operator)
	}
	for _, operators := range pairs {
		r.Independent = max(r.Independent, independent(operators))
	}
	if r.State != assay.Proven {
		r.Reasons = append(r.Reasons, "no two independent builds of one commit")
	}
	return r
}

// platform gives who operates the platform that the certificate is of, or why it does not
// say.
func platform(signer assay.Identity, given map[string]bool) (operator, why string) {
	host := issuerHost(signer.Issuer)
	switch claims := signer.Claims; {
	case signer.Issuer == "":
		return "", "it is signed by a key"
	case claims.RunInvocationURI == "" && claims.BuildSignerURI == "":
		return "", "the certificate claims no run"
	case claims.RunnerEnvironment == "" || claims.RunnerEnvironment == "self-hosted":
		return "", "the certificate does not claim a machine of the platform"
	case given[host]:
		return "", "it is given for another signer of " + host
	}
	return host, ""
}

// issuerHost gives the host of an issuer, or all of what is no address.
func issuerHost(issuer string) string {
	if u, err := url.Parse(issuer); err == nil && u.Host != "" {
		return strings.ToLower(u.Hostname())
	}
	return issuer
}

// independent counts the most builders that can be picked so that each has an operator of
// its own: the size of a maximum matching.
func independent(operators map[string][]string) int {
	of := map[string]string{} // operator to builder
	var pick func(builder string, tried map[string]bool) bool
	pick = func(builder string, tried map[string]bool) bool {
		for _, o := range operators[builder] {
			if tried[o] {
				continue
			}
			tried[o] = true
			if other, taken := of[o]; !taken || pick(other, tried) {
				of[o] = builder
				return true
			}
		}
		return false
	}
	n := 0
	for builder := range operators {
		if pick(builder, map[string]bool{}) {
			n++
		}
	}
	return n
}

// Stated is what a builder says of a build that cannot be seen from its result.
type Stated struct {
	// State is proven if the provenance says so, refuted if it says the contrary, unknown
	// if it says nothing. It is the builder's word, whatever the name: believe it as far
	// as the builder ([Level]).
	State assay.State
	// Supports and Against are what else in the document speaks for it and against it.
	Supports, Against []string
}

// members of a predicate that builders state these in, by version and builder.
var (
	hermeticAt     = []string{metadataAt + "/buildkit_hermetic", metadataAt + "/https:~1~1mobyproject.org~1buildkit@v1#hermetic", "/metadata/https:~1~1mobyproject.org~1buildkit@v1#hermetic"}
	reproducibleAt = []string{metadataAt + "/buildkit_reproducible", metadataAt + "/https:~1~1mobyproject.org~1buildkit@v1#reproducible", metadataAt + "/slsa02_reproducible", "/metadata/reproducible"}
	completenessAt = []string{metadataAt + "/buildkit_completeness", metadataAt + "/https:~1~1mobyproject.org~1buildkit@v1#completeness", metadataAt + "/slsa02_completeness", "/metadata/completeness"}
)

// Hermetic says whether the builder states that the build reached nothing but its
// materials. BuildKit does, of builds without network. For it speaks that the list of
// materials is stated to be complete and that each has a digest; against it, a material
// without one.
func Hermetic(p *assay.Provenance) Stated {
	if p == nil {
		return Stated{}
	}
	s := Stated{State: stated(p, hermeticAt)}
	for _, at := range completenessAt {
		var complete struct {
			Materials *bool `json:"materials"`
			Resolved  *bool `json:"resolvedDependencies"`
			Unknown   raws  `json:",embed"`
		}
		raw, ok := p.Extensions[at]
		if !ok || strictjson.Unmarshal(at, raw, &complete, strictjson.Limits{}) != nil {
			continue
		}
		for _, b := range []*bool{complete.Materials, complete.Resolved} {
			switch {
			case b != nil && *b:
				s.Supports = append(s.Supports, "the materials are stated to be complete, in "+at)
			case b != nil:
				s.Against = append(s.Against, "the materials are stated to be incomplete, in "+at)
			}
		}
	}
	var loose []string
	for _, m := range p.Materials {
		pinned := func(d assay.Digest) bool { return d.Algorithm().Strong() || d.Algorithm() == assay.DirHash }
		if !slices.ContainsFunc(m.Digest, pinned) && commitOf(m).IsZero() && len(m.Content) == 0 {
			loose = append(loose, m.URI+m.Name)
		}
	}
	switch {
	case len(loose) > 0:
		s.Against = append(s.Against, "materials without a digest: "+strings.Join(loose, ", "))
	case len(p.Materials) > 0:
		s.Supports = append(s.Supports, fmt.Sprintf("each of %d materials has a digest", len(p.Materials)))
	}
	return s
}

// Reproducible says whether the builder states that the build is meant to give the same
// bytes again. Nothing in one document supports that: [ReproducedBy] proves it.
func Reproducible(p *assay.Provenance) Stated { return Stated{State: stated(p, reproducibleAt)} }

func stated(p *assay.Provenance, members []string) assay.State {
	if p == nil {
		return assay.Unknown
	}
	for _, at := range members {
		var b *bool
		if raw, ok := p.Extensions[at]; !ok || strictjson.Unmarshal(at, raw, &b, strictjson.Limits{}) != nil || b == nil {
			continue
		}
		if *b {
			return assay.Proven
		}
		return assay.Refuted
	}
	return assay.Unknown
}
