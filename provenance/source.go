package provenance

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/strictjson"
)

// Build types whose parameters are understood here.
const (
	// BuildTypeGitHub is the run of a GitHub Actions workflow
	// (https://actions.github.io/buildtypes/workflow/v1). It is what
	// [FromEnvironment] writes there.
	BuildTypeGitHub = "https://actions.github.io/buildtypes/workflow/v1"
	// BuildTypeGo is a build by the go command, as the executable itself tells; see
	// the package documentation for its parameters. It is what [FromBuildInfo] writes.
	BuildTypeGo = "https://github.com/assaykit/assay/provenance/go-build/v1"

	// buildTypeGitHubOld is where the same build type was published before GitHub
	// adopted it; npm still writes it.
	buildTypeGitHubOld = "https://slsa-framework.github.io/github-actions-buildtypes/workflow/v1"
	buildTypeContainer = "https://slsa.dev/container-based-build/v0.1?draft"
	buildTypeDelegator = "https://github.com/slsa-framework/slsa-github-generator/delegator-generic@v0"
	buildTypeBuildKit  = "https://github.com/moby/buildkit/blob/master/docs/attestations/slsa-definitions.md"
)

// externalParameters are all that the build types define (rule P4).
var externalParameters = map[string][]string{
	BuildTypeGitHub:    {"inputs", "runner_environment", "vars", "workflow"},
	buildTypeGitHubOld: {"inputs", "vars", "workflow"},
	BuildTypeGo:        {"module", "package", "settings"},

	BuildTypeAzure: jobParameters, BuildTypeBuildkite: jobParameters, BuildTypeCircleCI: jobParameters,
	BuildTypeCloudBuild: jobParameters, BuildTypeCodeBuild: jobParameters, BuildTypeDrone: jobParameters,
	BuildTypeGitLab: jobParameters, BuildTypeJenkins: jobParameters, BuildTypeWoodpecker: jobParameters,
	BuildTypeLocal:  {"kind", "ref", "repository"},
	BuildTypeTekton: {"definition", "kind", "parameters", "repository"},
}

// jobParameters are those of the build types that [Known] CIs other than GitHub have.
var jobParameters = []string{"config", "ref", "repository"}

// modifiedAnnotation says, on the material that is the source, whether the work
// tree differed from that commit.
const modifiedAnnotation = "assay_modified"

// sourceOf finds the material that was built, where the build type says how.
func sourceOf(name string, p *assay.Provenance) (assay.Source, error) {
	switch p.BuildType {
	case BuildTypeGitHub, buildTypeGitHubOld:
		var wf struct {
			Repository string `json:"repository"`
		}
		if err := parameter(name, p, "workflow", &wf); err != nil {
			return assay.Source{}, err
		}
		return theOne(p.Materials, func(r assay.Resource) bool {
			repo, _ := splitGit(r.URI)
			return repo != "" && repo == trimGit(wf.Repository)
		}), nil
	case BuildTypeAzure, BuildTypeBuildkite, BuildTypeCircleCI, BuildTypeCloudBuild, BuildTypeCodeBuild, BuildTypeDrone,
		BuildTypeGitLab, BuildTypeJenkins, BuildTypeWoodpecker, BuildTypeTekton:
		var repository string
		if err := parameter(name, p, "repository", &repository); err != nil {
			return assay.Source{}, err
		}
		return theOne(p.Materials, func(r assay.Resource) bool {
			repo, _ := splitGit(r.URI)
			return repo != "" && repo == repository && !commitOf(r).IsZero()
		}), nil
	case BuildTypeLocal:
		return theOne(p.Materials, func(r assay.Resource) bool { return r.Name == "source" }), nil
	case buildTypeDelegator:
		return theOne(p.Materials, func(assay.Resource) bool { return true }), nil
	case buildTypeCloudBuildV1, buildTypeCloudTrigger:
		return cloudBuildSource(name, p)
	case buildTypeWitness:
		return witnessSource(p), nil
	case buildTypeContainer, buildTypeBuildKit, buildTypeBuildKitOld:
		key := "source"
		if p.BuildType != buildTypeContainer {
			key = "configSource"
		}
		var w wireResource
		if err := parameter(name, p, key, &w); err != nil {
			return assay.Source{}, err
		}
		src := w.descriptor()
		if src.empty() {
			return assay.Source{}, nil
		}
		if key == "configSource" && src.URI == "" && len(src.Digest) == 0 {
			// Of a folder that its client sent, BuildKit knows the Dockerfile's path alone;
			// see [ClientSource].
			return assay.Source{}, nil
		}
		it, err := toItem(name, externalAt+"/"+key, &src)
		if err != nil {
			return assay.Source{}, err
		}
		return sourceFrom(it.r), nil
	case BuildTypeGo:
		var vcs struct {
			System   string `json:"system"`
			Revision string `json:"revision"`
		}
		if raw, ok := p.InternalParameters["vcs"]; ok {
			if err := strictjson.Unmarshal(name, raw, &vcs, strictjson.Limits{}); err != nil {
				return assay.Source{}, &assay.Error{Op: readOp, Kind: assay.ErrInvalid, Subject: name, Field: internalAt + "/vcs", Bound: "what " + p.BuildType + " defines", Err: err}
			}
		}
		return theOne(p.Materials, func(r assay.Resource) bool {
			c := commitOf(r)
			return vcs.System == "git" && !c.IsZero() && c.Hex() == vcs.Revision
		}), nil
	}
	if dialectOf(p.BuildType) == GitLabRunner {
		return gitLabRunnerSource(name, p)
	}
	return assay.Source{}, nil
}

// cloudBuildSource: what is built is "sourceToBuild" if the build says it apart from
// where its configuration is, "buildConfigSource"
// (https://cloud.google.com/build/gcb-buildtypes/google-worker/v1).
func cloudBuildSource(name string, p *assay.Provenance) (assay.Source, error) {
	var from struct {
		Repository string `json:"repository"`
		Ref        string `json:"ref"`
	}
	for _, key := range []string{"sourceToBuild", "buildConfigSource"} {
		if err := parameter(name, p, key, &from); err != nil {
			return assay.Source{}, err
		}
		if from.Repository != "" {
			break
		}
	}
	return theOne(p.Materials, func(r assay.Resource) bool {
		repo, ref := splitGit(r.URI)
		return repo != "" && repo == trimGit(from.Repository) && (ref == "" || from.Ref == "" || ref == from.Ref) && !commitOf(r).IsZero()
	}), nil
}

// gitLabRunnerSource: the parameter "source" is the project's address, and so is the
// URI of the one material, whatever the server's name.
func gitLabRunnerSource(name string, p *assay.Provenance) (assay.Source, error) {
	var source string
	if err := parameter(name, p, "source", &source); err != nil {
		return assay.Source{}, err
	}
	pass := func(r assay.Resource) bool { return source != "" && r.URI == source && !commitOf(r).IsZero() }
	s := theOne(p.Materials, pass)
	if !s.Commit.IsZero() {
		s.Repository, s.Ref = trimGit(source), ""
	}
	return s, nil
}

// witnessSource: go-witness lists each remote of the clone that it ran in by its address as
// name, with the commit alone as digest (its attestation/slsa and attestation/git). Of
// several remotes nothing says which one the commit is from, so that the repository is not
// known. A remote without scheme ("git@host:path") could be a file's path, which comes from
// what was built, and is not taken; a path has no "//".
func witnessSource(p *assay.Provenance) assay.Source {
	var out assay.Source
	for _, m := range p.Materials {
		d := m.Digest.Get(assay.SHA1)
		if m.URI != "" || len(m.Digest) != 1 || d.IsZero() || !strings.Contains(m.Name, "://") {
			continue
		}
		repository, err := publicURI(m.Name)
		commit, err2 := assay.NewDigest(assay.GitCommit, d.Hex())
		switch {
		case err != nil || err2 != nil:
			continue
		case !out.Commit.IsZero() && out.Commit != commit:
			return assay.Source{}
		case !out.Commit.IsZero() && out.Repository != repository:
			repository = ""
		}
		out = assay.Source{Repository: repository, Commit: commit}
	}
	return out
}

// parameter decodes one external parameter; absence leaves v as it is.
func parameter(name string, p *assay.Provenance, key string, v any) error {
	raw, ok := p.ExternalParameters[key]
	if !ok {
		return nil
	}
	if err := strictjson.Unmarshal(name, raw, v, strictjson.Limits{}); err != nil {
		return &assay.Error{Op: readOp, Kind: assay.ErrInvalid, Subject: name, Field: externalAt + "/" + key, Bound: "what " + p.BuildType + " defines", Err: err}
	}
	return nil
}

// theOne gives the source if exactly one material passes; of two, neither is told
// apart as the source.
func theOne(materials []assay.Resource, pass func(assay.Resource) bool) assay.Source {
	i := slices.IndexFunc(materials, pass)
	if i < 0 || slices.ContainsFunc(materials[i+1:], pass) {
		return assay.Source{}
	}
	return sourceFrom(materials[i])
}

func sourceFrom(r assay.Resource) assay.Source {
	s := assay.Source{Commit: commitOf(r)}
	s.Repository, s.Ref = splitGit(r.URI)
	if !strings.HasPrefix(s.Ref, "refs/") {
		s.Ref = "" // a branch or a tag, or neither: not known
	}
	s.Modified = modified(r)
	return s
}

func modified(r assay.Resource) assay.State {
	var b bool
	switch raw, ok := r.Annotations[modifiedAnnotation]; {
	case !ok || json.Unmarshal(raw, &b) != nil:
		return assay.Unknown
	case b:
		return assay.Proven
	}
	return assay.Refuted
}

// commitOf gives the git commit among the digests. Many builders write it under
// "sha1", which is the same object id where the URI is a git repository's.
func commitOf(r assay.Resource) assay.Digest {
	if d := r.Digest.Get(assay.GitCommit); !d.IsZero() {
		return d
	}
	d := r.Digest.Get(assay.SHA1)
	if repo, _ := splitGit(r.URI); d.IsZero() || repo == "" {
		return assay.Digest{}
	}
	c, err := assay.NewDigest(assay.GitCommit, d.Hex())
	if err != nil { // both are 40 hexadecimal digits
		return assay.Digest{}
	}
	return c
}

// hasCommit reports whether the commit is a digest of the resource, under either name.
func hasCommit(r assay.Resource, c assay.Digest) bool {
	return r.Digest.Get(assay.GitCommit) == c || r.Digest.Get(assay.SHA1).Hex() == c.Hex()
}

// splitGit takes the URI of a git repository apart: the SPDX download location
// "git+https://host/path@ref", and BuildKit's "https://host/path.git#ref". For any
// other URI the repository is empty.
func splitGit(uri string) (repository, ref string) {
	rest, isGit := strings.CutPrefix(uri, "git+")
	scheme, path, ok := strings.Cut(rest, "://")
	if !ok {
		return "", ""
	}
	host, path, ok := strings.Cut(path, "/")
	if !ok || path == "" {
		return "", ""
	}
	if i := strings.IndexAny(path, "@#"); i >= 0 {
		path, ref = path[:i], path[i+1:]
	}
	trimmed := strings.TrimSuffix(path, ".git")
	switch {
	case isGit, scheme == "git", trimmed != path:
	case scheme == "https" && (host == "github.com" || host == "gitlab.com") && strings.Count(path, "/") == 1:
		// Google Cloud Build names the repository by the address of its page.
	default:
		return "", ""
	}
	if scheme == "git" {
		return "git://" + host + "/" + trimmed, ref
	}
	return scheme + "://" + host + "/" + trimmed, ref
}

func trimGit(repository string) string {
	return strings.TrimSuffix(strings.TrimPrefix(repository, "git+"), ".git")
}
