package provenance_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime/debug"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/provenance"
)

// In a job of GitHub Actions that has the permission "id-token: write", the zero
// Options do.
func ExampleFromEnvironment() {
	noCI := provenance.Options{Env: func(string) (string, bool) { return "", false }}
	_, err := provenance.FromEnvironment(context.Background(), noCI)
	fmt.Println(errors.Is(err, assay.ErrAbsent))
	fmt.Println(err)
	// Output:
	// true
	// state provenance of this job: CI: absent, want a job of GitHub Actions, GitLab CI, Buildkite, CircleCI, Google Cloud Build, AWS CodeBuild, Azure Pipelines, Woodpecker, Drone, Jenkins, or of a CI among the options that detects itself
}

// Jenkins as a CI, from the variables that it documents.
type jenkins struct{}

func (jenkins) Name() string { return "Jenkins" }

func (jenkins) Detect(env func(string) (string, bool)) bool {
	_, ok := env("JENKINS_URL")
	return ok
}

func (jenkins) Provenance(_ context.Context, opts provenance.Options) (*assay.Provenance, error) {
	server, _ := opts.Env("JENKINS_URL")
	run, _ := opts.Env("BUILD_URL")
	job, _ := opts.Env("JOB_NAME")
	return &assay.Provenance{
		BuildType:          "https://example.com/jenkins-build/v1",
		ExternalParameters: map[string]json.RawMessage{"job": json.RawMessage(fmt.Sprintf("%q", job))},
		Builder:            assay.Builder{ID: server},
		InvocationID:       run,
	}, nil
}

func ExampleCI() {
	env := map[string]string{"JENKINS_URL": "https://ci.example.com/", "BUILD_URL": "https://ci.example.com/job/app/7/", "JOB_NAME": "app"}
	p, err := provenance.FromEnvironment(context.Background(), provenance.Options{
		Env: func(k string) (string, bool) { v, ok := env[k]; return v, ok },
		CIs: []provenance.CI{jenkins{}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(p.Builder.ID, p.InvocationID)
	// Output:
	// https://ci.example.com/ https://ci.example.com/job/app/7/
}

func ExampleFromBuildInfo() {
	info := &debug.BuildInfo{ // debug.ReadBuildInfo() gives that of this program
		GoVersion: "go1.26.3",
		Path:      "example.com/app",
		Deps:      []*debug.Module{{Path: "golang.org/x/text", Version: "v0.20.0", Sum: "h1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="}},
		Settings:  []debug.BuildSetting{{Key: "-ldflags", Value: "-s -X main.key=secret"}, {Key: "GOOS", Value: "linux"}},
	}
	p, err := provenance.FromBuildInfo(info, provenance.BuildOptions{BuilderID: "https://example.com/builder"})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, m := range p.Materials {
		fmt.Println(m.URI, m.Digest)
	}
	fmt.Printf("%s\n", p.ExternalParameters["settings"])
	// Output:
	// pkg:golang/golang.org/x/text@v0.20.0 [dirHash:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f]
	// pkg:golang/stdlib@1.26.3 []
	// {"-ldflags":{"flags":["-s"],"withheld":true},"GOOS":"linux"}
}

func ExampleFromGoBinary() {
	_, err := provenance.FromGoBinary(script{}, provenance.BuildOptions{BuilderID: "https://example.com/builder"})
	fmt.Println(err)
	// Output:
	// state provenance of Go build: build information: absent: unrecognized file format
}

// script is a file that is no executable.
type script struct{}

func (script) ReadAt(p []byte, off int64) (int, error) {
	return copy(p, "#!/bin/sh -e\nexit 0\n"[off:]), nil
}

func ExampleRead() {
	predicate := `{
	  "buildDefinition": {
	    "buildType": "https://actions.github.io/buildtypes/workflow/v1",
	    "externalParameters": {"workflow": {"repository": "https://github.com/octo/repo", "ref": "refs/heads/main", "path": ".github/workflows/ci.yml"}},
	    "resolvedDependencies": [{
	      "uri": "git+https://github.com/octo/repo@refs/heads/main",
	      "digest": {"gitCommit": "1234567890123456789012345678901234567890"}
	    }]
	  },
	  "runDetails": {"builder": {"id": "https://github.com/octo/repo/.github/workflows/ci.yml@refs/heads/main"}, "byproducts": [{}]}
	}`
	p, err := provenance.Read("provenance.json", assay.PredicateSLSA1, []byte(predicate))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(p.Source.Repository, p.Source.Ref, p.Source.Commit)
	_, err = provenance.Read("broken.json", assay.PredicateSLSA1, []byte(`{"buildDefinition": {"buildType": ""}}`))
	fmt.Println(err)
	// Output:
	// https://github.com/octo/repo refs/heads/main gitCommit:1234567890123456789012345678901234567890
	// read provenance: broken.json: /buildDefinition/buildType: invalid, want a URI (SLSA P2)
}

func ExampleEncode() {
	b, err := provenance.Encode(&assay.Provenance{
		BuildType:          "https://example.com/make/v1",
		ExternalParameters: map[string]json.RawMessage{"target": json.RawMessage(`"all"`)},
		Builder:            assay.Builder{ID: "https://example.com/builder"},
	})
	fmt.Printf("%s %v\n", b, err)
	// Output:
	// {"buildDefinition":{"buildType":"https://example.com/make/v1","externalParameters":{"target":"all"}},"runDetails":{"builder":{"id":"https://example.com/builder"}}} <nil>
}

func ExampleCheck() {
	fmt.Println(provenance.Check(&assay.Provenance{
		BuildType:          "https://example.com/make/v1",
		ExternalParameters: map[string]json.RawMessage{"target": json.RawMessage(`"all"`)},
		InternalParameters: map[string]json.RawMessage{"target": json.RawMessage(`"all"`)},
		Builder:            assay.Builder{ID: "https://example.com/builder"},
	}))
	// Output:
	// check provenance: /buildDefinition/internalParameters/target: invalid: got "target", want a name that no external parameter has (SLSA P5)
}

func ExampleCombine() {
	commit := assay.MustDigest("gitCommit:1234567890123456789012345678901234567890")
	ci := &assay.Provenance{ // from FromEnvironment
		BuildType: "https://example.com/ci/v1",
		Builder:   assay.Builder{ID: "https://example.com/ci"},
		Materials: []assay.Resource{{URI: "git+https://example.com/app@refs/heads/main", Digest: assay.DigestSet{commit}}},
		Source:    assay.Source{Repository: "https://example.com/app", Commit: commit, Ref: "refs/heads/main"},
	}
	binary := &assay.Provenance{ // from FromGoBinary
		Materials: []assay.Resource{{URI: "pkg:golang/stdlib@1.26.3"}},
		Source:    assay.Source{Commit: commit},
	}
	p, err := provenance.Combine(ci, binary)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, m := range p.Materials {
		fmt.Println(m.URI)
	}
	// Output:
	// git+https://example.com/app@refs/heads/main
	// pkg:golang/stdlib@1.26.3
}

func ExampleWithMaterials() {
	base := func(hex string) assay.Resource {
		return assay.Resource{URI: "pkg:oci/debian?tag=12", Digest: assay.DigestSet{assay.MustDigest("sha256:" + hex)}}
	}
	const one, two = "0000000000000000000000000000000000000000000000000000000000000001", "0000000000000000000000000000000000000000000000000000000000000002"
	p, err := provenance.WithMaterials(&assay.Provenance{}, base(one))
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = provenance.WithMaterials(p, base(two))
	fmt.Println(len(p.Materials), errors.Is(err, assay.ErrRefuted))
	// Output:
	// 1 true
}

// Who wants a CI of its own tried as well adds it to these.
func ExampleKnown() {
	for _, ci := range provenance.Known() {
		fmt.Println(ci.Name())
	}
	// Output:
	// GitHub Actions
	// GitLab CI
	// Buildkite
	// CircleCI
	// Google Cloud Build
	// AWS CodeBuild
	// Azure Pipelines
	// Woodpecker
	// Drone
	// Jenkins
}
