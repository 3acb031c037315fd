// Package provenance states how an artifact was built, as SLSA provenance: from the
// environment of a CI job, and from what the go command left in an executable. It
// reads the provenance of others, of every version of the predicate, into the same
// type, [assay.Provenance].
//
// # Where to start
//
//   - [FromEnvironment] in a CI job: GitHub Actions, or a [CI] of your own.
//   - [FromGoBinary] and [FromBuildInfo] for a Go build: modules with their go.sum
//     hashes, toolchain, commit and flags.
//   - [LockFile] for what package managers pinned, and [FromDockerfile] for base images:
//     materials for [WithMaterials].
//   - [Combine] puts the materials of the second into the first; [WithMaterials] adds
//     any others, such as a base image.
//   - [Encode] gives the predicate, which package attest signs.
//   - [Read] decodes a predicate. What it gives is believed only after package verify
//     has proven the statement that it came in. [ReadDocument] and [ReadStatement] tell
//     as well where a document deviates from the specification.
//   - [Level] gives the build level of a proven signer and its builder, [Agree] holds the
//     claims of its certificate against the document, [ReproducedBy] compares builds,
//     [Hermetic] and [Reproducible] tell what a builder states of a build.
//   - [ReadSummary] and [EncodeSummary] are for verification summaries, [CheckSummary]
//     says whether one meets expectations, [ReadSourceSummary] reads those of sources.
//
// # What is promised
//
// Nothing is guessed: what a CI or an executable does not say is absent, and where it
// is required the result is an error. No variable, flag or path is carried over that
// is not listed below, so no secret is. The same input gives the same bytes. The rules
// of SLSA v1.2 (build-provenance.md) are numbered P1 to P10 here, and an error names
// the rule it is about:
//
//   - P1: the predicate type is https://slsa.dev/provenance/v1, whatever minor version.
//   - P2: buildType, externalParameters and builder.id are required.
//   - P3: null, empty and absent are the same.
//   - P4: unknown external parameters are refused, for build types known here.
//   - P5: no parameter is both external and internal.
//   - P6: the digests of what parameters name are among the resolved dependencies.
//   - P7: the level follows from signer and builder.id only; nothing here states one.
//   - P8: members beyond the specification are named vendor_field.
//   - P9: older versions are mapped as below, never passed off as v1.
//   - P10: the build does not finish before it starts.
//
// Those of in-toto's statements (spec/v1) are in-toto S1 to S9: the type of a statement,
// its subjects, the type of its predicate, digests, descriptors, members that are not
// known, envelopes, the two spellings of dirHash, and protobuf that is no JSON of
// protobuf.
//
// Those of verification summaries (verification_summary.md) are VSA V1 to V6:
//
//   - V1: verifier.id, resourceUri, policy.uri, verificationResult and verifiedLevels.
//   - V2: one level of each track; names of one's own do not start with "SLSA_".
//   - V3: each input attestation has a digest.
//   - V4: an empty object of dependency levels claims that there are no dependencies, its
//     absence claims nothing; counts are not negative.
//   - V5: verifier, resource, policy, result, levels and age are what is expected.
//   - V6: a summary of a source is about a git commit; its refs are fully qualified.
//
// The package imports no sigstore, cosign or registry client.
//
// # Build type of GitHub Actions
//
// [BuildTypeGitHub] is GitHub's own (https://actions.github.io/buildtypes/workflow/v1),
// stated as its attestations do:
//
//   - externalParameters.workflow: an object of "repository", the URI without .git,
//     "path", of the workflow's file in it, and "ref", fully qualified.
//   - internalParameters.github: an object of "event_name", "repository_id",
//     "repository_owner_id" and "runner_environment".
//   - resolvedDependencies: the commit, "git+" repository "@" ref, as gitCommit. It is
//     the Source.
//   - builder.id: the server's URL and the claim job_workflow_ref.
//   - metadata.invocationId: the URL of the run's attempt.
//   - metadata.assay_claims: "unverified" if all of this is from variables, see
//     Options.BuilderIDUnsafe; otherwise absent.
//
// # Build types of other CIs
//
// [BuildTypeGitLab], [BuildTypeBuildkite], [BuildTypeCircleCI], [BuildTypeCloudBuild],
// [BuildTypeCodeBuild], [BuildTypeAzure], [BuildTypeWoodpecker], [BuildTypeDrone] and
// [BuildTypeJenkins] describe a job of these:
//
//   - externalParameters.repository: the URI of the source, without .git, user and
//     password; "ref": fully qualified; "config": the URI of what defines the build.
//     The last two are absent if the CI does not say them.
//   - internalParameters.NAME, by the CI ("gitlab"): an object of strings with what
//     the CI says of the run besides.
//   - resolvedDependencies: the commit, "git+" repository "@" ref. It is the Source.
//   - builder.id: what Fulcio names as the signer of builds there, where a token of the
//     CI claims it (GitLab, Buildkite, CircleCI), else Options.BuilderIDUnsafe.
//   - metadata.assay_claims: "unverified" if a fact is from a variable and no token
//     claims it; metadata.assay_variables: an array of these variables. A token of
//     CircleCI does not claim the commit, and one of Buildkite not the repository.
//
// [BuildTypeTekton]: externalParameters "kind", "parameters" (the names alone),
// "definition" and "repository"; see [FromTekton]. [BuildTypeLocal]: "kind", which is
// "git", "repository" and "ref"; see [FromGit].
//
// # Build type of a Go build
//
// [BuildTypeGo] describes a run of "go build" or "go install", as recorded in the
// executable. Verifiers refuse external parameters other than these:
//
//   - externalParameters.package: string, import path of the main package.
//   - externalParameters.module: string, path of the main module; absent if the
//     package was in none.
//   - externalParameters.settings: object from the name of a build setting
//     ([runtime/debug.BuildSetting]) to its value: a string; or, for settings whose values
//     may hold paths or secrets (-ldflags, -gcflags, CGO_CFLAGS, -pgo and every name
//     that is not known), an object of "withheld", true if something of the value is not
//     told, and for -ldflags "flags", an array of those of -s, -w, -linkmode=internal,
//     -linkmode=external and -buildid= that were given.
//   - internalParameters.vcs: object of "system", "revision", "time" and "modified", as
//     recorded.
//   - internalParameters.localModules: array of the paths of modules that were folders
//     (of a workspace, or by a replace directive) and so have no digest.
//   - resolvedDependencies: for each module, a purl of type golang and its dirHash; a
//     module that replaces another has that one's purl as annotation assay_replaces.
//     pkg:golang/stdlib@VERSION is the standard library of a released toolchain. The
//     commit, if the system is git, is named "source" and has as annotation
//     assay_modified whether the work tree differed from it. It is the Source.
//   - builder.id is the caller's statement; builder.version.go is the toolchain.
//
// # Which material is the source
//
// Source is set where the build type says which material was built: the two above;
// the same GitHub build type at its former address, which npm writes; container-based
// builds and BuildKit, by the parameter that names it; the delegator of
// slsa-github-generator, whose only material it is; go-witness, the material that is a
// remote of its clone; Google Cloud Build, by sourceToBuild
// or buildConfigSource, and in its v0.1 the only material; GitLab's runner, by the
// parameter source; and, in v0.2 and v0.1, configSource and definedInMaterial. Commits under the digest name "sha1" count as commits where
// the URI is a git repository's. For other build types Source is zero, and its Ref is
// empty unless it starts with "refs/".
//
// # Older versions
//
// v0.2: parameters, and beside them "source" and "entryPoint" of configSource, become
// ExternalParameters; environment becomes InternalParameters; configSource joins the
// materials. v0.1: the recipe is read in the same way, arguments as parameters. An
// own parameter named "source" or "entryPoint" that differs is [assay.ErrUnchecked].
// buildConfig, completeness, reproducible and definedInMaterial have no place in v1 and are
// kept as Extensions. BuildType is as stated: Encode refuses to write it into a v1 predicate.
// [ToV1] converts, and says what v1 has no place for.
//
// # Dialects
//
// What builders write otherwise than the specification has it is read where it is known
// what they mean, and is always reported; see [ReadDocument] and [Dialect]. Nothing is
// guessed: provenance without a builder, as BuildKit's is by default, is of an unknown
// builder, which no policy can name and [Level] gives 0.
//
// # Claims of certificates
//
// [Agree] ties the claims that Fulcio certifies (fulcio v1.8.8, docs/oid-info.md, and
// config/identity/config.yaml for each CI) to these members, by build type:
//
//   - any: sourceRepositoryURI, sourceRepositoryDigest and sourceRepositoryRef are those
//     of Source; runInvocationURI is invocationId, where that is an address.
//   - [BuildTypeGitHub], and its former address: buildConfigURI is
//     externalParameters.workflow, "repository/path@ref"; buildTrigger, runnerEnvironment,
//     sourceRepositoryIdentifier and sourceRepositoryOwnerIdentifier are the members
//     event_name, runner_environment, repository_id and repository_owner_id of
//     internalParameters.github; sourceRepositoryOwnerURI is the owner of the source;
//     buildSignerURI is builder.id, but for the former address, which npm writes. The
//     five old claims of GitHub are the event, commit, repository and ref again; the
//     workflow's name is stated nowhere.
//   - slsa-github-generator, and npm v0.2: the same by the internal parameters
//     GITHUB_EVENT_NAME, _REPOSITORY_ID, _REPOSITORY_OWNER_ID, _WORKFLOW_REF,
//     _WORKFLOW_SHA (buildConfigDigest), _SHA, _REF, _REPOSITORY, _RUN_ID and
//     _RUN_ATTEMPT, in capitals or not; buildSignerURI is builder.id of the builders for
//     Go and containers and of the generic generator.
//   - [BuildTypeGitLab]: buildSignerURI is builder.id, buildConfigURI
//     externalParameters.config; sourceRepositoryIdentifier, sourceRepositoryOwnerIdentifier,
//     buildTrigger and runnerEnvironment are project_id, namespace_id, pipeline_source and
//     runner_environment of internalParameters.gitlab. GitLab's own runner: invocationId is
//     the job's number in runInvocationURI.
//   - [BuildTypeBuildkite]: buildTrigger and runnerEnvironment are build_source and
//     runner_environment of internalParameters.buildkite. Its certificates do not claim the
//     repository.
//   - [BuildTypeCircleCI]: buildSignerURI is builder.id; buildConfigURI names
//     internalParameters.circleci.pipeline_id; runnerEnvironment is "ssh-rerun" if ssh_rerun
//     is true, and two quotes if not. Its certificates do not claim the commit.
//   - Codefresh: no build type is known, and "any" above is all; sourceRepositoryRef is a
//     name of a branch or a tag.
//
// The other claims are stated by no provenance. Issuers of email addresses, of Kubernetes
// and of Chainguard's identities claim nothing of a build, and Buddy is none of Fulcio's.
package provenance
