package provenance

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/strictjson"
)

// Dialect is a builder whose provenance is read although it breaks the
// specification, in ways that are known. Empty is none: the specification holds.
type Dialect string

// The dialects.
const (
	// BuildKit leaves builder.id empty unless it is told one, and versions of it spell
	// invocationId "invocationID". The subject is the manifest of one platform, never the index.
	BuildKit Dialect = "buildkit"
	// CloudBuild is Google Cloud Build's: empty descriptors among the by-products, and
	// in v0.1 its own statement beside the predicate.
	CloudBuild Dialect = "google-cloud-build"
	// GitLabRunner has git commits under the digest name "sha256", and v1 predicates in
	// statements of type v0.1.
	GitLabRunner Dialect = "gitlab-runner"
	// Witness is go-witness: predicate type ".../v1.0", members_in_snake_case and times
	// as {seconds, nanos}. Its materials have names and no URIs: the addresses of the
	// clone's remotes, with the commit as sha1, and paths.
	Witness Dialect = "witness"
	// NPM is npm's: v0.2 or v1, in which npm kept its own build types.
	NPM Dialect = "npm"
)

const (
	predicateSLSA1Dot0    = "https://slsa.dev/provenance/v1.0"
	buildTypeBuildKitOld  = "https://mobyproject.org/buildkit@v1"
	buildTypeCloudBuildV1 = "https://cloud.google.com/build/gcb-buildtypes/google-worker/v1"
	buildTypeCloudTrigger = "https://slsa-framework.github.io/gcb-buildtypes/triggered-build/v1"
	gitLabRunnerTypes     = "https://gitlab.com/gitlab-org/gitlab-runner/-/blob/"
	cloudBuildTypes       = "https://cloudbuild.googleapis.com/"
	buildTypeWitness      = "https://witness.dev/slsa-build@v0.1"
	npmTypes              = "https://github.com/npm/cli/"
)

// dialectOf tells a dialect by its build type. What is read leniently is so only in
// provenance that names the builder known for it.
func dialectOf(buildType string) Dialect {
	switch {
	case buildType == buildTypeBuildKit, buildType == buildTypeBuildKitOld:
		return BuildKit
	case buildType == buildTypeCloudBuildV1, buildType == buildTypeCloudTrigger, strings.HasPrefix(buildType, cloudBuildTypes):
		return CloudBuild
	case strings.HasPrefix(buildType, gitLabRunnerTypes):
		return GitLabRunner
	case strings.HasPrefix(buildType, npmTypes):
		return NPM
	}
	return ""
}

// Deviation is something that a document says otherwise than the specification has it.
type Deviation struct {
	// Field is the place, as a JSON pointer into the predicate, in the document's own
	// order and spelling; "_type" and "predicateType" are those of the statement.
	Field string
	// Reason says what is wrong, and how it was read.
	Reason string
}

func (d Deviation) String() string { return d.Field + ": " + d.Reason }

// Document is provenance as somebody else wrote it.
type Document struct {
	// Provenance is what it says. Of BuildKit's, Builder.ID may be empty: nobody knows
	// the builder, [Check] and [Encode] refuse it, and [Level] gives it level 0.
	Provenance *assay.Provenance
	// Dialect is the builder's; empty if the document is none that is known here.
	Dialect Dialect
	// Deviations are in the order of the document's parts. None means that nothing was
	// read otherwise than it was written.
	Deviations []Deviation
	// Subjects are those of the statement, where [ReadStatement] read it.
	Subjects []assay.Subject
	// Raw is the predicate, or the statement of [ReadStatement], byte for byte. It is
	// the caller's slice, not a copy.
	Raw []byte
}

// ReadDocument reads a predicate as [Read] does, and says where it deviates from the
// specification. These are read, in the provenance of the builders named and in no
// other:
//
//   - BuildKit (v0.2, v1): no builder.id. The builder is unknown.
//   - GitLab's runner (v0.2, v1): 40 hexadecimal digits as "sha256". They are the git
//     commit, and no SHA-256; Digest has them as gitCommit.
//   - go-witness, and what else writes Go's protobuf structs with encoding/json:
//     members_in_snake_case, if no member is in the specification's case, and times as
//     {seconds, nanos}.
//
// And in any: the predicate type ".../v1.0", the spelling "invocationID", and
// descriptors that say nothing. Everything else that breaks the specification is an
// error, as [Read] has it.
func ReadDocument(name string, t assay.PredicateType, predicate []byte) (*Document, error) {
	d := &Document{Raw: predicate}
	var err error
	switch t {
	case predicateSLSA1Dot0:
		d.deviate("predicateType", "the type is "+string(assay.PredicateSLSA1)+", whatever the minor version (SLSA P1); read as that")
		d.Provenance, err = readV1(name, predicate, d)
	case assay.PredicateSLSA1:
		d.Provenance, err = readV1(name, predicate, d)
	case assay.PredicateSLSA02:
		d.Provenance, err = readV02(name, predicate, d)
	case assay.PredicateSLSA01:
		d.Provenance, err = readV01(name, predicate, d)
	default:
		err = &assay.Error{Op: readOp, Kind: assay.ErrUnchecked, Subject: name, Field: "predicateType", Value: string(t),
			Bound: "one of " + string(assay.PredicateSLSA1) + ", /v0.2, /v0.1", Rule: "SLSA P1"}
	}
	if err != nil {
		return nil, err
	}
	return d, nil
}

// ReadStatement reads a whole in-toto statement with provenance, such as BuildKit puts
// beside an image (package image, AttachedProvenance). Nobody has verified it: for
// what is signed, use package verify.
//
// Both types of statements are read with every version of the predicate; a v1
// predicate in a statement of v0.1, as GitLab's runner writes it, is a deviation.
// Subjects without a digest that is known here are left out, and reported; there must
// be another (in-toto S2).
func ReadStatement(name string, statement []byte) (*Document, error) {
	var doc struct {
		Type    string `json:"_type"`
		Subject []struct {
			Name   string            `json:"name"`
			Digest map[string]string `json:"digest"`
		} `json:"subject"`
		PredicateType string          `json:"predicateType"`
		Predicate     json.RawMessage `json:"predicate"`
		Unknown       raws            `json:",embed"`
	}
	if err := strictjson.Unmarshal(name, statement, &doc, strictjson.Limits{}); err != nil {
		return nil, err
	}
	fail := func(field, value, bound, rule string) (*Document, error) {
		return nil, &assay.Error{Op: "read statement", Kind: assay.ErrInvalid, Subject: name, Field: field, Value: value, Bound: bound, Rule: rule}
	}
	const v1, v01 = "https://in-toto.io/Statement/v1", "https://in-toto.io/Statement/v0.1"
	if doc.Type != v1 && doc.Type != v01 {
		return fail("/_type", doc.Type, v1, "in-toto S1")
	}
	t, err := assay.ParsePredicateType(doc.PredicateType)
	if err != nil {
		return fail("/predicateType", doc.PredicateType, "a URI", "in-toto S3")
	}
	if len(doc.Predicate) == 0 {
		return fail("/predicate", "", "a predicate", "in-toto S3")
	}
	d, err := ReadDocument(name, t, doc.Predicate)
	if err != nil {
		return nil, err
	}
	d.Raw = statement
	var odd []Deviation
	if doc.Type == v01 && d.Provenance.Format == assay.PredicateSLSA1 {
		odd = append(odd, Deviation{"_type", "a statement of v0.1 with a predicate of v1"})
	}
	if _, ok := doc.Unknown["slsaProvenance"]; ok {
		odd = append(odd, Deviation{"slsaProvenance", "the predicate a second time, which the specification does not define; not read"})
	}
	for i, s := range doc.Subject {
		at := "/subject/" + strconv.Itoa(i) + "/digest"
		set, err := assay.ParseDigestSet(s.Digest)
		if err != nil {
			return fail(at, s.Name, "lowercase hexadecimal digests", "in-toto S4")
		}
		if len(set) == 0 {
			odd = append(odd, Deviation{at, "no digest of an algorithm that is known here; the subject is left out"})
			continue
		}
		d.Subjects = append(d.Subjects, assay.Subject{Name: s.Name, Digest: set})
	}
	if len(d.Subjects) == 0 {
		return fail("/subject", "", "a subject with a digest that is known here", "in-toto S2")
	}
	d.Deviations = append(odd, d.Deviations...)
	return d, nil
}

func (d *Document) deviate(field, reason string) {
	d.Deviations = append(d.Deviations, Deviation{field, reason})
}

// builderMayBeUnknown says that an empty builder.id is read: rule P2 is broken then, and
// reported.
func (d *Document) builderMayBeUnknown() bool { return d.Dialect == BuildKit }

// unknownBuilder reports a builder that is not stated, where that is read.
func (d *Document) unknownBuilder(field, id string) {
	if id == "" && d.builderMayBeUnknown() {
		d.deviate(field, "empty, and required (SLSA P2): the builder is unknown, and no policy can allow it")
	}
}

// descriptors reports those that say nothing, and puts a runner's commits where they
// belong.
func (d *Document) descriptors(field string, list []descriptor) {
	for i := range list {
		at := func() string { return field + "/" + strconv.Itoa(i) }
		if list[i].empty() {
			d.deviate(at(), "says nothing (SLSA P3); left out")
		}
		d.commitsOfGitLab(&list[i], at)
	}
}

// commitsOfGitLab moves a git commit that GitLab's runner calls a SHA-256 to its name.
// 40 digits cannot be a SHA-256, and what they are is known for this builder only.
func (d *Document) commitsOfGitLab(r *descriptor, at func() string) {
	if d.Dialect != GitLabRunner {
		return
	}
	hex := r.digest("sha256")
	if len(hex) != 40 || r.digest("gitCommit") != "" {
		return
	}
	r.Digest = slices.DeleteFunc(r.Digest, func(n namedDigest) bool { return n.alg == "sha256" || n.alg == "gitCommit" })
	r.Digest = append(r.Digest, namedDigest{"gitCommit", hex})
	d.deviate(at()+"/digest/sha256", "40 digits are no SHA-256; GitLab's runner writes the git commit there, and it is read as gitCommit")
}

// deviationsOld goes over the parts of an older predicate in their order.
func (d *Document) deviationsOld(materials string, list []descriptor, m *wireOldMetadata, builder string) {
	d.unknownBuilder("/builder/id", builder)
	if m.BuildInvocationIDCaps != "" {
		d.deviate("/metadata/buildInvocationID", "the name is buildInvocationId; read as that")
	}
	d.descriptors(materials, list)
}

// deviationsV1 goes over the parts of a v1 predicate in their order.
func (d *Document) deviationsV1(name string, w *wireProvenance) error {
	if d.Dialect == "" {
		d.Dialect = dialectOf(w.BuildDefinition.BuildType)
	}
	d.descriptors(materialsAt, w.BuildDefinition.ResolvedDependencies.read)
	run := &w.RunDetails
	d.unknownBuilder(builderIDAt, run.Builder.ID)
	d.descriptors(builderDepsAt, run.Builder.BuilderDependencies.read)
	if caps := run.Metadata.InvocationIDCaps; caps != "" {
		at := metadataAt + "/invocationID"
		if id := run.Metadata.InvocationID; id != "" && id != caps {
			return &assay.Error{Op: readOp, Kind: assay.ErrInvalid, Subject: name, Field: at, Value: caps, Bound: "the invocationId " + id}
		}
		d.deviate(at, "the name is invocationId; read as that")
		run.Metadata.InvocationID, run.Metadata.InvocationIDCaps = caps, ""
	}
	d.descriptors(byproductsAt, run.Byproducts.read)
	return nil
}
