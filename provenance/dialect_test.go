package provenance_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	provpb "github.com/in-toto/attestation/go/predicates/provenance/v1"
	intoto "github.com/in-toto/attestation/go/v1"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/provenance"
)

const hash = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

// dialects are documents as their builders write them, cut down to one of each part.
var dialects = map[string]struct {
	t         assay.PredicateType
	predicate string
}{
	"BuildKit v1": {assay.PredicateSLSA1, `{
		"buildDefinition": {
			"buildType": "https://github.com/moby/buildkit/blob/master/docs/attestations/slsa-definitions.md",
			"externalParameters": {"configSource": {"uri": "https://github.com/o/r.git#refs/heads/main", "digest": {"sha1": "` + commit + `"}, "path": "Dockerfile"}, "request": {"frontend": "dockerfile.v0"}},
			"internalParameters": {"builderPlatform": "linux/amd64"},
			"resolvedDependencies": [
				{"uri": "https://github.com/o/r.git#refs/heads/main", "digest": {"sha1": "` + commit + `"}},
				{"uri": "pkg:docker/alpine@3.20?platform=linux%2Famd64", "digest": {"sha256": "` + hash + `"}}]},
		"runDetails": {
			"builder": {"id": ""},
			"metadata": {"invocationID": "n4x", "startedOn": "2026-11-23T10:00:00Z", "finishedOn": "2026-11-23T10:00:05.5Z", "buildkit_hermetic": true, "buildkit_reproducible": false,
				"buildkit_completeness": {"request": true, "resolvedDependencies": false}}}}`},
	"BuildKit v0.2": {assay.PredicateSLSA02, `{
		"builder": {"id": ""}, "buildType": "https://mobyproject.org/buildkit@v1",
		"materials": [{"uri": "pkg:docker/alpine@3.20?platform=linux%2Famd64", "digest": {"sha256": "` + hash + `"}}],
		"invocation": {"configSource": {"uri": "https://github.com/o/r.git#refs/heads/main", "digest": {"sha1": "` + commit + `"}, "entryPoint": "Dockerfile"},
			"parameters": {"frontend": "dockerfile.v0", "locals": [{"name": "context"}]}, "environment": {"platform": "linux/amd64"}},
		"buildConfig": {"llbDefinition": [{"id": "step0"}]},
		"metadata": {"buildInvocationID": "n4x", "buildStartedOn": "2026-11-23T10:00:00Z", "buildFinishedOn": "2026-11-23T10:00:05.5Z", "completeness": {"parameters": true, "environment": true, "materials": false},
			"reproducible": false, "https://mobyproject.org/buildkit@v1#hermetic": true, "https://mobyproject.org/buildkit@v1#metadata": {}}}`},
	"Cloud Build v1": {assay.PredicateSLSA1, `{
		"buildDefinition": {
			"buildType": "https://cloud.google.com/build/gcb-buildtypes/google-worker/v1",
			"externalParameters": {"substitutions": {}, "buildConfigSource": {"path": "cloudbuild.yaml", "ref": "refs/heads/main", "repository": "git+https://github.com/o/r"}},
			"internalParameters": {"systemSubstitutions": {"BUILD_ID": "5da"}, "triggerUri": "projects/1/locations/global/triggers/2"},
			"resolvedDependencies": [
				{"uri": "git+https://github.com/o/r@refs/heads/main", "digest": {"gitCommit": "` + commit + `"}},
				{"uri": "gcr.io/cloud-builders/docker@sha256:` + hash + `", "digest": {"sha256": "` + hash + `"}}]},
		"runDetails": {"builder": {"id": "https://cloudbuild.googleapis.com/GoogleHostedWorker"},
			"metadata": {"invocationId": "https://cloudbuild.googleapis.com/v1/projects/p/locations/l/builds/5da"}, "byproducts": [{}]}}`},
	"GitLab runner v1": {assay.PredicateSLSA1, `{
		"buildDefinition": {
			"buildType": "https://gitlab.com/gitlab-org/gitlab-runner/-/blob/18.3.0/PROVENANCE.md",
			"externalParameters": {"source": "https://gitlab.example.com/group/sub/project", "entryPoint": "build", "variables": {"CI": ""}},
			"internalParameters": {"executor": "docker", "architecture": "amd64", "job": "77", "name": "r"},
			"resolvedDependencies": [{"uri": "https://gitlab.example.com/group/sub/project", "digest": {"sha256": "` + commit + `"}}]},
		"runDetails": {"builder": {"id": "https://gitlab.example.com/group/sub/project/-/runners/3", "version": {"gitlab-runner": "18.3.0"}},
			"metadata": {"invocationId": "77", "startedOn": "2026-11-23T10:00:00Z", "finishedOn": "2026-11-23T10:00:01Z"}}}`},
	"GitLab runner v0.2": {assay.PredicateSLSA02, `{
		"buildType": "https://gitlab.com/gitlab-org/gitlab-runner/-/blob/15.1.0/PROVENANCE.md",
		"builder": {"id": "https://gitlab.example.com/group/project/-/runners/3"},
		"invocation": {"configSource": {"uri": "https://gitlab.example.com/group/project", "digest": {"sha256": "` + commit + `"}, "entryPoint": "build"}, "parameters": {"CI": ""}},
		"metadata": {"buildStartedOn": "2026-11-23T10:00:00Z"},
		"materials": [{"uri": "https://gitlab.example.com/group/project", "digest": {"sha256": "` + commit + `"}}]}`},
	"witness": {"https://slsa.dev/provenance/v1.0", `{
		"build_definition": {"build_type": "https://witness.dev/slsa-build@v0.1", "external_parameters": {"command": "make"}, "internal_parameters": {"env": {"CI": "true"}},
			"resolved_dependencies": [{"name": "https://github.com/o/r.git", "digest": {"sha1": "` + commit + `"}}, {"name": "main.go", "digest": {"gitoid:sha1": "x", "sha256": "` + hash + `"}, "media_type": "text/x-go", "download_location": "https://example.com/main.go"}]},
		"run_details": {"builder": {"id": "https://witness.dev/witness-default-builder@v0.1"}, "metadata": {"invocation_id": "i", "started_on": {"seconds": 1795428000, "nanos": 5000}, "finished_on": {"seconds": 1795428001}}}}`},
	"npm v0.2": {assay.PredicateSLSA02, `{
		"buildType": "https://github.com/npm/cli/gitlab/v0alpha1", "builder": {"id": "https://gitlab.com/o/r/-/runners/1"},
		"invocation": {"configSource": {"uri": "git+https://gitlab.com/o/r", "digest": {"sha1": "` + commit + `"}, "entryPoint": "deploy"}, "parameters": {"CI": "true"}, "environment": {"name": "r"}},
		"metadata": {"buildInvocationId": "https://gitlab.com/o/r/-/jobs/1", "completeness": {"parameters": true}, "reproducible": false},
		"materials": [{"uri": "git+https://gitlab.com/o/r", "digest": {"sha1": "` + commit + `"}}]}`},
}

func TestDialects(t *testing.T) {
	for name, want := range map[string]struct {
		dialect             provenance.Dialect
		builder, repository string
		deviations          []string // what each mentions, in order
		run                 string
	}{
		"BuildKit v1":   {provenance.BuildKit, "", "https://github.com/o/r", []string{"/runDetails/builder/id", "/runDetails/metadata/invocationID"}, "n4x"},
		"BuildKit v0.2": {provenance.BuildKit, "", "https://github.com/o/r", []string{"/builder/id", "/metadata/buildInvocationID"}, "n4x"},
		"Cloud Build v1": {provenance.CloudBuild, "https://cloudbuild.googleapis.com/GoogleHostedWorker", "https://github.com/o/r",
			[]string{"/runDetails/byproducts/0"}, "https://cloudbuild.googleapis.com/v1/projects/p/locations/l/builds/5da"},
		"GitLab runner v1": {provenance.GitLabRunner, "https://gitlab.example.com/group/sub/project/-/runners/3", "https://gitlab.example.com/group/sub/project",
			[]string{"/buildDefinition/resolvedDependencies/0/digest/sha256"}, "77"},
		"GitLab runner v0.2": {provenance.GitLabRunner, "https://gitlab.example.com/group/project/-/runners/3", "https://gitlab.example.com/group/project",
			[]string{"/materials/0/digest/sha256", "/invocation/configSource/digest/sha256"}, ""},
		"witness":  {provenance.Witness, "https://witness.dev/witness-default-builder@v0.1", "https://github.com/o/r", []string{"predicateType", "/build_definition", "started_on", "finished_on"}, "i"},
		"npm v0.2": {provenance.NPM, "https://gitlab.com/o/r/-/runners/1", "https://gitlab.com/o/r", nil, "https://gitlab.com/o/r/-/jobs/1"},
	} {
		t.Run(name, func(t *testing.T) {
			in := dialects[name]
			d, err := provenance.ReadDocument(name, in.t, []byte(in.predicate))
			if err != nil {
				t.Fatal(err)
			}
			p := d.Provenance
			if d.Dialect != want.dialect || p.Builder.ID != want.builder || p.Source.Repository != want.repository || p.InvocationID != want.run || string(d.Raw) != in.predicate {
				t.Errorf("got %s, %+v", d.Dialect, p)
			}
			if want.repository != "" && p.Source.Commit.Hex() != commit {
				t.Errorf("source: %+v", p.Source)
			}
			if len(d.Deviations) != len(want.deviations) {
				t.Fatalf("deviations: %v", d.Deviations)
			}
			for i, says := range want.deviations {
				if !strings.Contains(d.Deviations[i].String(), says) {
					t.Errorf("deviation %d: %v, want %s", i, d.Deviations[i], says)
				}
			}
			if _, err := provenance.Read(name, in.t, []byte(in.predicate)); err != nil {
				t.Errorf("Read: %v", err)
			}
			// What has no builder is never written, nor passes for sound.
			if err := provenance.Check(p); (err == nil) == (want.builder == "") {
				t.Errorf("Check: %v", err)
			}
		})
	}
}

func TestWitnessTimesAndDescriptors(t *testing.T) {
	in := dialects["witness"]
	p, err := provenance.Read("witness", in.t, []byte(in.predicate))
	if err != nil {
		t.Fatal(err)
	}
	if want := time.Unix(1795428000, 5000).UTC(); !p.StartedOn.Equal(want) || !p.FinishedOn.Equal(time.Unix(1795428001, 0)) {
		t.Errorf("%v to %v", p.StartedOn, p.FinishedOn)
	}
	if m := p.Materials[1]; m.Name != "main.go" || m.MediaType != "text/x-go" || m.DownloadLocation == "" || m.Digest.Get(assay.SHA256).Hex() != hash {
		t.Errorf("%+v", m)
	}
	if _, err := provenance.Encode(p); err != nil {
		t.Errorf("in the specification's form: %v", err)
	}
}

// go-witness names the remotes of its clone; which of several the commit is from it does
// not say.
func TestWitnessSource(t *testing.T) {
	in := dialects["witness"]
	remote := `{"name": "https://github.com/o/r.git", "digest": {"sha1": "` + commit + `"}}`
	other := strings.Repeat("b", 40)
	for name, tt := range map[string]struct{ remotes, repository, commit string }{
		"one":                      {remote, "https://github.com/o/r", commit},
		"with password":            {strings.Replace(remote, "https://", "https://me:secret@", 1), "https://github.com/o/r", commit},
		"twice":                    {remote + "," + remote, "https://github.com/o/r", commit},
		"two":                      {remote + "," + strings.Replace(remote, "o/r", "fork/r", 1), "", commit},
		"two commits":              {remote + "," + strings.Replace(remote, commit, other, 1), "", ""},
		"a file's path":            {strings.Replace(remote, "https://github.com/o/r.git", "git@github.com:o/r.git", 1), "", ""},
		"a file's digests":         {strings.Replace(remote, `{"sha1"`, `{"sha256": "`+hash+`", "sha1"`, 1), "", ""},
		"a remote on this machine": {strings.Replace(remote, "https://github.com/o/r.git", "file:///home/me/r", 1), "", ""},
	} {
		p, err := provenance.Read(name, in.t, []byte(strings.Replace(in.predicate, remote, tt.remotes, 1)))
		if err != nil {
			t.Fatal(err)
		}
		if s := p.Source; s.Repository != tt.repository || s.Commit.Hex() != tt.commit || s.Ref != "" || s.Modified != assay.Unknown {
			t.Errorf("%s: %+v", name, s)
		}
	}
	// Of another build type, a name is a name.
	p, err := provenance.Read("x", in.t, []byte(strings.Replace(in.predicate, "https://witness.dev/slsa-build@v0.1", "https://example.com/type", 1)))
	if err != nil || p.Source != (assay.Source{}) {
		t.Errorf("%+v, %v", p, err)
	}
}

// What a client says of a folder is a hint, and never the source.
func TestClientSource(t *testing.T) {
	const at = `"buildkit_hermetic": true`
	in := dialects["BuildKit v1"]
	local := strings.Replace(in.predicate, `{"uri": "https://github.com/o/r.git#refs/heads/main", "digest": {"sha1": "`+commit+`"}, "path": "Dockerfile"}`, `{"path": "Dockerfile"}`, 1)
	for name, tt := range map[string]struct {
		metadata string
		want     assay.Source
	}{
		"none":           {``, assay.Source{}},
		"extension":      {`"buildkit_metadata": {"vcs": {"source": "https://github.com/o/r.git", "revision": "` + commit + `"}},`, assay.Source{Repository: "https://github.com/o/r", Commit: assay.MustDigest("gitCommit:" + commit)}},
		"former name":    {`"https://mobyproject.org/buildkit@v1#metadata": {"vcs": {"source": "git@github.com:o/r.git", "revision": "` + commit + `"}},`, assay.Source{Repository: "ssh://github.com/o/r", Commit: assay.MustDigest("gitCommit:" + commit)}},
		"dirty":          {`"buildkit_metadata": {"vcs": {"revision": "` + commit + `-dirty"}},`, assay.Source{Commit: assay.MustDigest("gitCommit:" + commit), Modified: assay.Proven}},
		"no commit":      {`"buildkit_metadata": {"vcs": {"source": "/home/me/r", "revision": "main-dirty"}},`, assay.Source{}},
		"another member": {`"buildkit_metadata": {"vcs": [1]},`, assay.Source{}},
	} {
		p, err := provenance.Read(name, in.t, []byte(strings.Replace(local, at, tt.metadata+at, 1)))
		if err != nil {
			t.Fatal(err)
		}
		if got := provenance.ClientSource(p); got != tt.want || p.Source != (assay.Source{}) {
			t.Errorf("%s: %+v; the source is %+v", name, got, p.Source)
		}
	}
	if got := provenance.ClientSource(nil); got != (assay.Source{}) {
		t.Errorf("%+v", got)
	}
}

// What is forgiven one builder is not forgiven others, nor more than that.
func TestDialectsRefused(t *testing.T) {
	for _, tt := range []struct{ name, of, old, new, says string }{
		{"no builder elsewhere", "Cloud Build v1", `"id": "https://cloudbuild.googleapis.com/GoogleHostedWorker"`, `"id": ""`, "SLSA P2"},
		{"a builder that is no URI", "BuildKit v1", `"id": ""`, `"id": "x y"`, "SLSA P2"},
		{"a commit as SHA-256 elsewhere", "Cloud Build v1", `"gitCommit": "`, `"sha256": "`, "in-toto S4"},
		{"39 digits", "GitLab runner v1", commit, commit[1:], "in-toto S4"},
		{"no digits", "GitLab runner v1", commit, strings.Repeat("x", 40), "in-toto S4"},
		{"two runs", "BuildKit v1", `"invocationID": "n4x"`, `"invocationID": "n4x", "invocationId": "other"`, "the invocationId other"},
		{"both forms", "witness", `"build_definition"`, `"buildDefinition": {"buildType": "https://example.com"}, "build_definition"`, "/buildDefinition"},
		{"nanos of a second and more", "witness", `"nanos": 5000`, `"nanos": 1000000000`, "started_on"},
		{"a time beyond", "witness", `1795428001`, `253402300800`, "finished_on"},
		{"a time with more", "witness", `"nanos": 5000`, `"nano": 5000`, "started_on"},
		{"finished before", "witness", `1795428001`, `1795427001`, "SLSA P10"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in := dialects[tt.of]
			changed := strings.Replace(in.predicate, tt.old, tt.new, 1)
			if changed == in.predicate {
				t.Fatal("nothing was changed")
			}
			_, err := provenance.ReadDocument("changed.json", in.t, []byte(changed))
			if !errors.Is(err, assay.ErrInvalid) || !strings.Contains(err.Error(), tt.says) || !strings.Contains(err.Error(), "changed.json") {
				t.Errorf("got %v, want %s", err, tt.says)
			}
		})
	}
}

func TestReadStatement(t *testing.T) {
	statement := func(kind, subject string) string {
		return fmt.Sprintf(`{"_type": %q, "subject": [%s], "predicateType": "https://slsa.dev/provenance/v1", "predicate": %s}`, kind, subject, dialects["GitLab runner v1"].predicate)
	}
	const v01 = "https://in-toto.io/Statement/v0.1"
	good := `{"name": "app", "digest": {"sha256": "` + hash + `"}}`
	d, err := provenance.ReadStatement("s", []byte(statement(v01, good+`, {"name": "vm", "digest": {"gce_image_id": "12"}}`)))
	if err != nil {
		t.Fatal(err)
	}
	if len(d.Subjects) != 1 || d.Subjects[0].Name != "app" || len(d.Deviations) != 3 || d.Deviations[0].Field != "_type" || d.Deviations[1].Field != "/subject/1/digest" {
		t.Errorf("%+v", d)
	}
	d, err = provenance.ReadStatement("s", []byte(strings.Replace(statement("https://in-toto.io/Statement/v1", good), `"subject"`, `"slsaProvenance": {}, "subject"`, 1)))
	if err != nil || len(d.Deviations) != 2 || d.Deviations[0].Field != "slsaProvenance" {
		t.Errorf("%+v, %v", d, err)
	}
	for says, in := range map[string]string{
		"in-toto S1": statement("https://in-toto.io/Statement/v2", good),
		"in-toto S2": statement(v01, ""),
		"in-toto S3": strings.Replace(statement(v01, good), "https://slsa.dev/provenance/v1", " ", 1),
		"in-toto S4": statement(v01, strings.Replace(good, "aaa", "AAA", 1)),
		"SLSA P1":    strings.Replace(statement(v01, good), "provenance/v1", "provenance/v3", 1),
		"/predicate": `{"_type": "` + v01 + `", "predicateType": "https://slsa.dev/provenance/v1"}`,
	} {
		if _, err := provenance.ReadStatement("s", []byte(in)); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", says, err)
		}
	}
}

// A document that is read says the same once it is written in the specification's form.
func FuzzReadDocument(f *testing.F) {
	for _, d := range dialects {
		f.Add(string(d.t), d.predicate)
	}
	f.Add(string(assay.PredicateSLSA1), full)
	f.Fuzz(func(t *testing.T, kind, predicate string) {
		d, err := provenance.ReadDocument("fuzz", assay.PredicateType(kind), []byte(predicate))
		if err != nil {
			if _, ok := errors.AsType[*assay.Error](err); !ok || d != nil {
				t.Fatalf("untyped, or with a result: %v", err)
			}
			return
		}
		if d.Provenance.Builder.ID == "" && d.Dialect != provenance.BuildKit {
			t.Fatal("no builder")
		}
		if d.Provenance.Format != assay.PredicateSLSA1 || d.Provenance.Builder.ID == "" {
			return
		}
		b, err := provenance.Encode(d.Provenance)
		if err != nil {
			t.Fatalf("read, but not encoded: %v", err)
		}
		again, err := provenance.ReadDocument("again", assay.PredicateSLSA1, b)
		if err != nil {
			t.Fatalf("encoded, but not read: %v", err)
		}
		if s := diff(d.Provenance, again.Provenance); s != "" {
			t.Fatal(s)
		}
		if len(again.Deviations) > 0 {
			t.Fatalf("written with deviations: %v", again.Deviations)
		}
	})
}

func TestReadNPMPublish(t *testing.T) {
	const good = `{"name": "@scope/x", "version": "1.2.3", "registry": "https://registry.npmjs.org", "more": 1}`
	p, err := provenance.ReadNPMPublish("p", []byte(good))
	if err != nil || *p != (provenance.NPMPublish{Name: "@scope/x", Version: "1.2.3", Registry: "https://registry.npmjs.org"}) {
		t.Errorf("%+v, %v", p, err)
	}
	for old, says := range map[string]string{`"@scope/x"`: "/name", `"1.2.3"`: "/version", `"https://registry.npmjs.org"`: "/registry"} {
		if _, err := provenance.ReadNPMPublish("p", []byte(strings.Replace(good, old, `""`, 1))); !errors.Is(err, assay.ErrInvalid) || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", says, err)
		}
	}
	if _, err := provenance.ReadNPMPublish("p", []byte(strings.Replace(good, "https://", "", 1))); err == nil {
		t.Error("a registry that is no URL was read")
	}
}

// What go-witness does, done to the real messages: encoding/json instead of protojson.
// Both forms say the same.
func TestWitnessAgreesWithInToto(t *testing.T) {
	params, err := structpb.NewStruct(map[string]any{"command": "make <all>", "n": 1.0, "deep": map[string]any{"a_b": []any{"x"}}})
	if err != nil {
		t.Fatal(err)
	}
	note, err := structpb.NewStruct(map[string]any{"k_k": true})
	if err != nil {
		t.Fatal(err)
	}
	dep := func(name string) *intoto.ResourceDescriptor {
		return &intoto.ResourceDescriptor{Name: name, Uri: "https://example.com/" + name, Digest: map[string]string{"sha256": hash}, Content: []byte("x"),
			DownloadLocation: "https://example.com/d", MediaType: "text/plain", Annotations: note}
	}
	message := &provpb.Provenance{
		BuildDefinition: &provpb.BuildDefinition{BuildType: "https://witness.dev/slsa-build@v0.1", ExternalParameters: params, InternalParameters: note,
			ResolvedDependencies: []*intoto.ResourceDescriptor{dep("b"), dep("a")}},
		RunDetails: &provpb.RunDetails{
			Builder:    &provpb.Builder{Id: "https://witness.dev/b", Version: map[string]string{"w": "1"}, BuilderDependencies: []*intoto.ResourceDescriptor{dep("c")}},
			Metadata:   &provpb.BuildMetadata{InvocationId: "i", StartedOn: timestamppb.New(time.Unix(1795428000, 123456789)), FinishedOn: timestamppb.New(time.Unix(1795428001, 0))},
			Byproducts: []*intoto.ResourceDescriptor{dep("log")},
		},
	}
	wrong, err := json.Marshal(message)
	if err != nil {
		t.Fatal(err)
	}
	right, err := protojson.Marshal(message)
	if err != nil {
		t.Fatal(err)
	}
	d, err := provenance.ReadDocument("wrong", "https://slsa.dev/provenance/v1.0", wrong)
	if err != nil {
		t.Fatalf("%v: %s", err, wrong)
	}
	want, err := provenance.Read("right", assay.PredicateSLSA1, right)
	if err != nil {
		t.Fatal(err)
	}
	a, err := provenance.Encode(d.Provenance)
	if err != nil {
		t.Fatal(err)
	}
	b, err := provenance.Encode(want)
	if err != nil {
		t.Fatal(err)
	}
	if string(a) != string(b) || d.Dialect != provenance.Witness || len(d.Provenance.Extensions) > 0 {
		t.Errorf("read as\n%s\nwant\n%s\nfrom %s", a, b, wrong)
	}
}
