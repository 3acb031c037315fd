package provenance_test

import (
	"fmt"
	"strings"
	"time"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/provenance"
)

// BuildKit does not say who built. It is read, and says so.
func ExampleReadDocument() {
	predicate := `{
	  "buildDefinition": {
	    "buildType": "https://github.com/moby/buildkit/blob/master/docs/attestations/slsa-definitions.md",
	    "externalParameters": {"request": {"frontend": "dockerfile.v0"}}
	  },
	  "runDetails": {"builder": {"id": ""}, "metadata": {"invocationID": "vmofpyr0"}}
	}`
	d, err := provenance.ReadDocument("provenance.json", assay.PredicateSLSA1, []byte(predicate))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(d.Dialect, d.Provenance.InvocationID)
	for _, x := range d.Deviations {
		fmt.Println(x)
	}
	fmt.Println(provenance.Level(assay.Identity{}, d.Provenance, provenance.WellKnownBuilders()))
	// Output:
	// buildkit vmofpyr0
	// /runDetails/builder/id: empty, and required (SLSA P2): the builder is unknown, and no policy can allow it
	// /runDetails/metadata/invocationID: the name is invocationId; read as that
	// SLSA_BUILD_LEVEL_0
}

func ExampleReadStatement() {
	statement := `{
	  "_type": "https://in-toto.io/Statement/v0.1", "predicateType": "https://slsa.dev/provenance/v1",
	  "subject": [{"name": "app", "digest": {"sha256": "` + strings.Repeat("a", 64) + `"}}],
	  "predicate": {
	    "buildDefinition": {"buildType": "https://example.com/build/v1", "externalParameters": {"target": "app"}},
	    "runDetails": {"builder": {"id": "https://example.com/builder"}}
	  }
	}`
	d, err := provenance.ReadStatement("statement.json", []byte(statement))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(d.Subjects[0].Name, d.Provenance.Builder.ID)
	fmt.Println(d.Deviations)
	// Output:
	// app https://example.com/builder
	// [_type: a statement of v0.1 with a predicate of v1]
}

func ExampleReadNPMPublish() {
	p, err := provenance.ReadNPMPublish("publish.json", []byte(`{"name": "@scope/app", "version": "1.0.0", "registry": "https://registry.npmjs.org"}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(p.Name, p.Version, p.Registry)
	// Output: @scope/app 1.0.0 https://registry.npmjs.org
}

// The level follows from who signed and which builder is named, and from nothing else.
func ExampleLevel() {
	const workflow = "https://github.com/octo/repo/.github/workflows/release.yml@refs/tags/v1"
	signer := assay.Identity{ // as package verify proves it
		Issuer: "https://token.actions.githubusercontent.com", Subject: workflow, SubjectKind: assay.SubjectURI,
		Claims: assay.Claims{RunnerEnvironment: "github-hosted"},
	}
	l := provenance.Level(signer, &assay.Provenance{Builder: assay.Builder{ID: workflow}}, provenance.WellKnownBuilders())
	fmt.Println(l)
	for _, reason := range l.Reasons {
		fmt.Println("-", reason)
	}
	// Output:
	// SLSA_BUILD_LEVEL_2
	// - there is provenance, of the builder https://github.com/octo/repo/.github/workflows/release.yml@refs/tags/v1
	// - https://github.com/octo/repo/.github/workflows/release.yml@refs/tags/v1 (https://token.actions.githubusercontent.com) is a workflow on a runner of GitHub's, level 2: https://docs.github.com/actions/concepts/security/artifact-attestations
}

// A workflow that the caller has read, and a key that the caller trusts.
func ExampleReusableWorkflow() {
	const shared = "https://github.com/octo/ci/.github/workflows/image.yml@refs/tags/v1"
	table := append(provenance.WellKnownBuilders(),
		provenance.ReusableWorkflow(shared),
		provenance.GoogleCloudBuild(assay.MustDigest("sha256:"+strings.Repeat("a", 64))))
	signer := assay.Identity{
		Issuer: "https://token.actions.githubusercontent.com", Subject: shared, SubjectKind: assay.SubjectURI,
		Claims: assay.Claims{RunnerEnvironment: "github-hosted", BuildConfigURI: "https://github.com/octo/repo/.github/workflows/release.yml@refs/tags/v1"},
	}
	fmt.Println(provenance.Level(signer, &assay.Provenance{Builder: assay.Builder{ID: shared}}, table))
	// Output: SLSA_BUILD_LEVEL_3
}

func ExampleAgree() {
	p := &assay.Provenance{
		BuildType: provenance.BuildTypeGitHub,
		Source:    assay.Source{Repository: "https://github.com/octo/repo", Commit: assay.MustDigest("gitCommit:" + commit)},
	}
	a := provenance.Agree(assay.Claims{SourceRepositoryURI: "https://github.com/octo/fork", SourceRepositoryDigest: commit, BuildTrigger: "push"}, p)
	fmt.Println(a.SameRun())
	for _, f := range a.Facts {
		fmt.Println(f)
	}
	// Output:
	// refuted
	// githubWorkflowSHA: the certificate does not claim it; provenance says 1234567890123456789012345678901234567890 in source.commit
	// githubWorkflowRepository: the certificate does not claim it; provenance says octo/repo in source.repository
	// sourceRepositoryURI: provenance says https://github.com/octo/repo in source.repository, the certificate https://github.com/octo/fork
	// sourceRepositoryDigest: both say 1234567890123456789012345678901234567890
	// sourceRepositoryOwnerURI: the certificate does not claim it; provenance says https://github.com/octo in source.repository
	// buildTrigger: the provenance does not state it; the certificate says push
}

func ExampleReproducedBy() {
	artifact := assay.MustDigest("sha256:" + strings.Repeat("a", 64))
	build := func(builder, issuer, operator string) provenance.Build {
		return provenance.Build{
			Provenance: &assay.Provenance{Builder: assay.Builder{ID: builder}, Source: assay.Source{Commit: assay.MustDigest("gitCommit:" + commit)}},
			Subjects:   []assay.Subject{{Digest: assay.DigestSet{artifact}}},
			Signer:     assay.Identity{Issuer: issuer, Subject: builder},
			Operator:   operator,
		}
	}
	r := provenance.ReproducedBy(artifact, build("https://one.example/builder", "https://one.example", "the project"), build("https://two.example/builder", "https://two.example", "a distribution"))
	fmt.Println(r.State, r.Builders)
	// Output: proven [https://one.example/builder https://two.example/builder]
}

func ExampleHermetic() {
	p, err := provenance.Read("p", dialects["BuildKit v1"].t, []byte(dialects["BuildKit v1"].predicate))
	if err != nil {
		fmt.Println(err)
		return
	}
	h := provenance.Hermetic(p)
	fmt.Println(h.State, h.Supports, h.Against)
	fmt.Println(provenance.Reproducible(p).State)
	// Output:
	// proven [each of 2 materials has a digest] [the materials are stated to be incomplete, in /runDetails/metadata/buildkit_completeness]
	// refuted
}

func ExampleEncodeSummary() {
	b, err := provenance.EncodeSummary(&assay.Summary{
		Verifier: "https://verifier.example/v1", TimeVerified: time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC),
		ResourceURI: "pkg:oci/app", Policy: assay.Resource{URI: "https://policy.example/1"}, Passed: true,
		Levels: []string{"SLSA_BUILD_LEVEL_3"}, DependencyLevels: map[string]int{},
	})
	fmt.Println(string(b), err)
	// Output:
	// {"verifier":{"id":"https://verifier.example/v1"},"timeVerified":"2026-11-23T09:00:00Z","resourceUri":"pkg:oci/app","policy":{"uri":"https://policy.example/1"},"verificationResult":"PASSED","verifiedLevels":["SLSA_BUILD_LEVEL_3"],"dependencyLevels":{}} <nil>
}

// A summary of yesterday does not do where one of the last hour is asked for.
func ExampleCheckSummary() {
	s, err := provenance.ReadSummary("vsa.json", []byte(`{
	  "verifier": {"id": "https://verifier.example/v1"}, "timeVerified": "2026-11-22T09:00:00Z", "resourceUri": "pkg:oci/app",
	  "policy": {"uri": "https://policy.example/1"}, "verificationResult": "PASSED", "verifiedLevels": ["SLSA_BUILD_LEVEL_3"]
	}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	want := provenance.SummaryExpectations{
		Verifier: "https://verifier.example/v1", Resource: "pkg:oci/app", Policy: assay.Resource{URI: "https://policy.example/1"},
		Levels: []string{"SLSA_BUILD_LEVEL_2"}, MaxAge: 48 * time.Hour, Now: time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC),
	}
	fmt.Println(provenance.CheckSummary(s, want))
	want.MaxAge = time.Hour
	fmt.Println(provenance.CheckSummary(s, want))
	// Output:
	// <nil>
	// check verification summary: /timeVerified: refuted: got "2026-11-22T09:00:00Z", want at most 1h0m0s before 2026-11-23T09:00:00Z (VSA V5)
}

func ExampleReadSourceSummary() {
	s, err := provenance.ReadSourceSummary("source.json", []byte(`{
	  "_type": "https://in-toto.io/Statement/v1", "predicateType": "https://slsa.dev/verification_summary/v1",
	  "subject": [{"digest": {"gitCommit": "`+commit+`"}, "annotations": {"sourceRefs": ["refs/heads/main"]}}],
	  "predicate": {"verifier": {"id": "https://github.com"}, "resourceUri": "git+https://github.com/octo/repo", "policy": {"uri": "https://policy.example/source"},
	    "verificationResult": "PASSED", "verifiedLevels": ["SLSA_SOURCE_LEVEL_3"]}
	}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(s.Commit, s.Refs, s.Level)
	// Output: gitCommit:1234567890123456789012345678901234567890 [refs/heads/main] 3
}
