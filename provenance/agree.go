package provenance

import (
	"fmt"
	"strings"

	"github.com/assaykit/assay"
)

// Fact is one claim of a certificate beside what provenance says of the same.
type Fact struct {
	// Claim is the member of [assay.Claims], by its JSON name: "sourceRepositoryURI".
	Claim string
	// Field is where the provenance states it: a JSON pointer into the v1 predicate, or
	// "source.repository", "source.commit" and "source.ref" of [assay.Source]. Empty if
	// the provenance does not state it.
	Field string
	// Claimed and Stated are the values as they are; empty is not said.
	Claimed, Stated string
	// State is proven if both say the same, refuted if they do not, and unknown if one
	// of them does not say.
	State assay.State
}

func (f Fact) String() string {
	switch f.State {
	case assay.Refuted:
		return fmt.Sprintf("%s: provenance says %s in %s, the certificate %s", f.Claim, f.Stated, f.Field, f.Claimed)
	case assay.Proven:
		return fmt.Sprintf("%s: both say %s", f.Claim, f.Claimed)
	}
	if f.Claimed == "" {
		return fmt.Sprintf("%s: the certificate does not claim it; provenance says %s in %s", f.Claim, f.Stated, f.Field)
	}
	return fmt.Sprintf("%s: the provenance does not state it; the certificate says %s", f.Claim, f.Claimed)
}

// Agreement is what certificate and provenance say of one run, in the order of Fulcio's
// extensions. What both leave out is not there.
type Agreement struct {
	Facts []Fact
}

// Contradictions are the facts that differ: none may, or the signer vouches for another
// build than its own.
func (a Agreement) Contradictions() []Fact { return a.of(assay.Refuted) }

// Agreed are the facts that both say.
func (a Agreement) Agreed() []Fact { return a.of(assay.Proven) }

// Unstated are the facts that only one of them says.
func (a Agreement) Unstated() []Fact { return a.of(assay.Unknown) }

func (a Agreement) of(s assay.State) []Fact {
	var out []Fact
	for _, f := range a.Facts {
		if f.State == s {
			out = append(out, f)
		}
	}
	return out
}

// SameRun says whether the provenance is of the source that the certificate vouches for:
// refuted if anything contradicts; proven if nothing does and repository and commit
// agree, since a commit is in every fork of its repository; otherwise unknown. Certificates
// from before 2023 claim both as GitHub's alone:
// "OWNER/NAME", of a repository on github.com.
func (a Agreement) SameRun() assay.State {
	var repository, commit bool
	for _, f := range a.Facts {
		switch {
		case f.State == assay.Refuted:
			return assay.Refuted
		case f.State != assay.Proven:
		case f.Claim == "sourceRepositoryURI", f.Claim == "githubWorkflowRepository":
			repository = true
		case f.Claim == "sourceRepositoryDigest", f.Claim == "githubWorkflowSHA":
			commit = true
		}
	}
	if repository && commit {
		return assay.Proven
	}
	return assay.Unknown
}

// Agree holds the claims of a signing certificate against provenance. Which member must
// equal which claim follows from the build type, see [the table] in the package
// documentation; of build types that are not known here, source and run alone are
// compared. The claims must be proven, by package verify. The old claim
// githubWorkflowRepository names no host and is taken to be of github.com: leave it out
// where the issuer is another, as package verify does.
//
// Values are compared as text, after what is spelled in several ways is brought to one:
// "git+" and ".git" of repositories, the scheme that CircleCI leaves out, the name of a
// ref without "refs/…" as Codefresh claims it, the run of GitHub as "RUN-ATTEMPT" or as
// its address, and doubled slashes in addresses of runs, which Fulcio writes for
// CircleCI.
//
// builder.id is compared with buildSignerURI for the build types of which the builder is
// the workflow that signs. A caller that allows a signer to speak for another builder
// leaves that fact out.
//
// [the table]: https://pkg.go.dev/github.com/assaykit/assay/provenance#hdr-Claims_of_certificates
func Agree(claims assay.Claims, p *assay.Provenance) Agreement {
	var a Agreement
	if p == nil {
		p = &assay.Provenance{}
	}
	for _, r := range claimTable {
		claimed := r.claimed(&claims)
		var places []place
		if r.stated != nil {
			places = r.stated(p, ciOf(p))
		}
		said := false
		for _, at := range places {
			if at.value == "" {
				continue
			}
			said = true
			f := Fact{Claim: r.name, Field: at.field, Claimed: claimed, Stated: at.value}
			switch {
			case claimed == "":
			case r.same(claimed, at.value):
				f.State = assay.Proven
			default:
				f.State = assay.Refuted
			}
			a.Facts = append(a.Facts, f)
		}
		if !said && claimed != "" {
			a.Facts = append(a.Facts, Fact{Claim: r.name, Claimed: claimed})
		}
	}
	return a
}

// sameRepository compares addresses of repositories.
func sameRepository(a, b string) bool { return plainRepository(a) == plainRepository(b) }

func plainRepository(uri string) string {
	uri, _, _ = strings.Cut(strings.TrimPrefix(uri, "git+"), "@refs/")
	uri = strings.TrimSuffix(strings.TrimSuffix(uri, "/"), ".git")
	if uri == "" {
		return ""
	}
	scheme, rest, _ := strings.Cut(withScheme(uri), "://")
	host, path, _ := strings.Cut(rest, "/")
	return strings.ToLower(scheme) + "://" + strings.ToLower(host) + "/" + path
}

// sameRef compares refs. A claim that is no full ref is a name of a branch or a tag.
func sameRef(claimed, stated string) bool {
	if strings.HasPrefix(claimed, "refs/") {
		return claimed == stated
	}
	return stated == "refs/heads/"+claimed || stated == "refs/tags/"+claimed
}

// sameRun compares the address of a run with what identifies it.
func sameRun(claimed, stated string) bool {
	if strings.Contains(stated, "://") {
		return singleSlashes(claimed) == singleSlashes(stated)
	}
	if id, attempt, ok := strings.Cut(stated, "-"); ok {
		return strings.HasSuffix(claimed, "/actions/runs/"+id+"/attempts/"+attempt)
	}
	return strings.HasSuffix(claimed, "/-/jobs/"+stated)
}

func singleSlashes(uri string) string {
	scheme, rest, ok := strings.Cut(uri, "://")
	if !ok {
		return uri
	}
	for strings.Contains(rest, "//") {
		rest = strings.ReplaceAll(rest, "//", "/")
	}
	return scheme + "://" + rest
}

// samePath compares an address with what comes after its host.
func samePath(claimed, stated string) bool {
	if strings.Contains(stated, "://") {
		return claimed == stated
	}
	_, rest, ok := strings.Cut(claimed, "://")
	_, path, found := strings.Cut(rest, "/")
	return ok && found && path == stated
}

func sameText(a, b string) bool { return a == b }
