package provenance_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"strings"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/provenance"
)

// A lock file says what a build was pinned to, and how much it does not pin.
func ExampleLockFile() {
	materials, unpinned, err := provenance.LockFile("app/requirements.txt", []byte("click==8.1.7 \\\n    --hash=sha256:"+strings.Repeat("a", 64)+"\nflask>=2\n"))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(materials[0].URI, unpinned)
	// Output: pkg:pypi/click@8.1.7 1
}

// What a Dockerfile names without a digest identifies nothing that stays the same.
func ExampleFromDockerfile() {
	dockerfile := "ARG TAG\nFROM golang:${TAG} AS build\nRUN go build -o /app\nFROM registry.example/base@sha256:" + strings.Repeat("b", 64) + "\nCOPY --from=build /app /app\n"
	images, err := provenance.FromDockerfile("Dockerfile", []byte(dockerfile), map[string]string{"TAG": "1.26"})
	if err != nil {
		log.Fatal(err)
	}
	for _, i := range images {
		material, err := i.Material()
		fmt.Printf("line %d, final %t: %s%s\n", i.Line, i.Final, material.URI, map[bool]string{true: "resolve " + i.Reference}[errors.Is(err, assay.ErrAbsent)])
	}
	// Output:
	// line 2, final false: resolve golang:1.26
	// line 4, final true: oci://registry.example/base
}

// A run of Tekton is read as the cluster has it, which no step of it can change.
func ExampleFromTekton() {
	object := `{"apiVersion":"tekton.dev/v1","kind":"TaskRun","metadata":{"name":"build-1","namespace":"ci","uid":"0e1f"},
		"spec":{"params":[{"name":"CHAINS-GIT_URL","value":"https://git.example/org/app.git"},{"name":"password","value":"hidden"}]},
		"status":{"conditions":[{"type":"Succeeded","status":"True"}],"results":[
			{"name":"CHAINS-GIT_COMMIT","value":"1234567890123456789012345678901234567890"},
			{"name":"IMAGES","value":"registry.example/app@sha256:` + strings.Repeat("a", 64) + `"}]}}`
	run, err := provenance.FromTekton("taskrun.json", []byte(object), provenance.BuildOptions{BuilderID: "https://tekton.example/controller"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(run.Subjects[0].Name)
	fmt.Println(run.Provenance.Source.Repository, run.Provenance.Source.Commit)
	fmt.Println(string(run.Provenance.ExternalParameters["parameters"]))
	// Output:
	// registry.example/app
	// https://git.example/org/app gitCommit:1234567890123456789012345678901234567890
	// ["CHAINS-GIT_URL","password"]
}

// A build by hand is stated from the clone that it is made in, and from nothing else.
func ExampleFromGit() {
	dir, err := os.MkdirTemp("", "clone")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	p, err := provenance.FromGit(context.Background(), dir, provenance.BuildOptions{BuilderID: "https://example.com/jane/laptop"})
	switch {
	case errors.Is(err, assay.ErrAbsent):
		fmt.Println("no clone")
	case err != nil:
		log.Fatal(err)
	case p.Source.Modified != assay.Refuted:
		fmt.Println("not as committed")
	}
	// Output: no clone
}

// What older versions say and v1 has no place for is told, and kept as extensions.
func ExampleToV1() {
	old, err := provenance.Read("old.json", assay.PredicateSLSA02, []byte(`{"builder":{"id":"https://ci.example/b"},"buildType":"https://ci.example/workflow@v0","invocation":{"parameters":{"target":"app"}},"metadata":{"reproducible":true}}`))
	if err != nil {
		log.Fatal(err)
	}
	p, losses, err := provenance.ToV1(old, "https://ci.example/workflow/v1")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(p.BuildType)
	for _, l := range losses {
		fmt.Println(l)
	}
	// Output:
	// https://ci.example/workflow/v1
	// /buildType: v1 has another build type, https://ci.example/workflow/v1
	// /metadata/reproducible: v1 has no such member; kept in /runDetails/metadata/slsa02_reproducible
}

// The members that must be there are; what the summary says is to be compared.
func ExampleReadSummary() {
	s, err := provenance.ReadSummary("summary.json", []byte(`{"verifier":{"id":"https://verifier.example/v1"},"timeVerified":"2026-01-02T03:04:05Z","resourceUri":"pkg:oci/app",
		"policy":{"uri":"https://verifier.example/policy"},"verificationResult":"PASSED","verifiedLevels":["SLSA_BUILD_LEVEL_2"],"dependencyLevels":{}}`))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(s.Passed, s.Levels, s.DependencyLevels != nil)
	_, err = provenance.ReadSummary("summary.json", []byte(`{"verifier":{"id":"https://verifier.example/v1"}}`))
	fmt.Println(err)
	// Output:
	// true [SLSA_BUILD_LEVEL_2] true
	// check verification summary: summary.json: /resourceUri: invalid, want a URI (VSA V1)
}

// BuildKit cannot see where a folder is from that its client sends; the client says it.
func ExampleClientSource() {
	p, err := provenance.Read("buildkit.json", assay.PredicateSLSA1, []byte(`{
		"buildDefinition":{"buildType":"https://github.com/moby/buildkit/blob/master/docs/attestations/slsa-definitions.md",
			"externalParameters":{"configSource":{"path":"Dockerfile"},"request":{"locals":[{"name":"context"}]}}},
		"runDetails":{"builder":{"id":""},"metadata":{"buildkit_metadata":{"vcs":{
			"source":"https://git.example/org/app.git","revision":"1234567890123456789012345678901234567890-dirty"}}}}}`))
	if err != nil {
		log.Fatal(err)
	}
	s := provenance.ClientSource(p)
	fmt.Println(p.Source.Repository == "", s.Repository, s.Modified)
	// Output: true https://git.example/org/app proven
}

func ExampleReproducible() {
	p, err := provenance.Read("old.json", assay.PredicateSLSA02, []byte(`{"builder":{"id":"https://ci.example/b"},"buildType":"https://ci.example/workflow@v0","invocation":{"parameters":{"target":"app"}},"metadata":{"reproducible":true}}`))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(provenance.Reproducible(p).State, "by the builder's own word")
	// Output: proven by the builder's own word
}

// Google signs its provenance with keys, which whoever relies on it must have.
func ExampleGoogleCloudBuild() {
	key := assay.SumSHA256([]byte("the public key of Google's, as attest.KeyID gives it"))
	p := &assay.Provenance{Builder: assay.Builder{ID: "https://cloudbuild.googleapis.com/GoogleHostedWorker"}}
	fmt.Println(provenance.Level(assay.KeyIdentity(key), p, []provenance.TrustedBuilder{provenance.GoogleCloudBuild(key)}))
	fmt.Println(provenance.Level(assay.KeyIdentity(key), p, provenance.WellKnownBuilders()))
	// Output:
	// SLSA_BUILD_LEVEL_3
	// SLSA_BUILD_LEVEL_1
}
