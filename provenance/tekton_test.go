package provenance_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/provenance"
)

const hexA = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

func tektonRun(kind, results string) string {
	return `{"apiVersion":"tekton.dev/v1","kind":"` + kind + `","metadata":{"name":"build-1","namespace":"ci","uid":"0e1f"},` +
		`"spec":{"params":[{"name":"password","value":"secret"},{"name":"CHAINS-GIT_URL","value":"https://git.example/org/app.git"},{"name":"baseARTIFACT_INPUTS","value":{"uri":"oci://base","digest":"sha256:` + hexA + `"}}]},` +
		`"status":{"startTime":"2026-01-02T03:04:05Z","completionTime":"2026-01-02T03:05:05Z","conditions":[{"type":"Succeeded","status":"True"}],` +
		`"steps":[{"imageID":"docker-pullable://reg.example/go@sha256:` + hexA + `"}],` +
		`"provenance":{"refSource":{"uri":"git+https://git.example/org/tasks","digest":{"sha1":"` + commit + `"},"entryPoint":"build.yaml"}},` +
		`"results":[{"name":"CHAINS-GIT_COMMIT","value":"` + commit + `\n"}` + results + `]}}`
}

func TestFromTekton(t *testing.T) {
	opts := provenance.BuildOptions{BuilderID: "https://tekton.example/controller"}
	for name, c := range map[string]struct {
		results string
		want    []string
	}{
		"pair":     {`,{"name":"app-IMAGE_URL","value":"reg.example/app\n"},{"name":"app-IMAGE_DIGEST","value":"sha256:` + hexA + `"}`, []string{"reg.example/app"}},
		"artifact": {`,{"name":"jarARTIFACT_URI","value":"https://repo/a.jar"},{"name":"jarARTIFACT_DIGEST","value":"sha256:` + hexA + `"}`, []string{"https://repo/a.jar"}},
		"outputs":  {`,{"name":"imgARTIFACT_OUTPUTS","type":"object","value":{"uri":"reg.example/app","digest":"sha256:` + hexA + `"}}`, []string{"reg.example/app"}},
		"images":   {`,{"name":"IMAGES","value":"reg.example/b@sha256:` + hexA + `,\nreg.example/a@sha256:` + hexA + `"}`, []string{"reg.example/a", "reg.example/b"}},
		"half":     {`,{"name":"app-IMAGE_URL","value":"reg.example/app"}`, nil},
		"other":    {`,{"name":"log","value":["a","b"]}`, nil},
	} {
		run, err := provenance.FromTekton("run.json", []byte(tektonRun("TaskRun", c.results)), opts)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var got []string
		for _, s := range run.Subjects {
			got = append(got, s.Name)
			if len(s.Digest) != 1 || s.Digest[0].Hex() != hexA {
				t.Errorf("%s: %v", name, s.Digest)
			}
		}
		if strings.Join(got, " ") != strings.Join(c.want, " ") {
			t.Errorf("%s: subjects %v, want %v", name, got, c.want)
		}
		p := run.Provenance
		if p.Source.Repository != "https://git.example/org/app" || p.Source.Commit.Hex() != commit || len(p.Materials) != 4 || p.FinishedOn.IsZero() || p.InvocationID != "0e1f" {
			t.Errorf("%s: %+v", name, p)
		}
		text, err := provenance.Encode(p)
		if err != nil || strings.Contains(string(text), "secret") {
			t.Errorf("%s: %s, %v", name, text, err)
		}
		if read, err := provenance.Read("p", assay.PredicateSLSA1, text); err != nil || read.Source != p.Source {
			t.Errorf("%s: read back %+v, %v", name, read, err)
		}
	}

	// Who asks for an artifact with what password is not a part of its address.
	told := strings.NewReplacer(`"oci://base"`, `"https://me:secret@reg.example/base?token=secret"`, "git+https://git.example/org/tasks", "git+https://me:secret@git.example/org/tasks",
		`"https://git.example/org/app.git"`, `"https://me:secret@git.example/org/app.git"`).Replace(tektonRun("TaskRun", `,{"name":"IMAGES","value":"https://me:secret@reg.example/a@sha256:`+hexA+`"}`))
	run, err := provenance.FromTekton("run.json", []byte(told), opts)
	if err != nil {
		t.Fatal(err)
	}
	text, err := provenance.Encode(run.Provenance)
	if err != nil || strings.Contains(string(text), "secret") || run.Subjects[0].Name != "https://reg.example/a" {
		t.Errorf("told a secret: %s, %v, %v", text, run.Subjects, err)
	}

	ok := tektonRun("PipelineRun", "")
	for name, c := range map[string]struct {
		object string
		kind   error
		says   string
	}{
		"failed":            {strings.Replace(ok, `"True"`, `"False"`, 1), assay.ErrAbsent, "conditions"},
		"running":           {strings.Replace(ok, `[{"type":"Succeeded","status":"True"}]`, `[]`, 1), assay.ErrAbsent, "conditions"},
		"other kind":        {strings.Replace(ok, "PipelineRun", "Pod", 1), assay.ErrInvalid, "/kind"},
		"other API":         {strings.Replace(ok, "tekton.dev/v1", "v1", 1), assay.ErrInvalid, "/apiVersion"},
		"commit is none":    {strings.Replace(ok, commit+`\n`, "main", 1), assay.ErrInvalid, "main"},
		"two commits":       {strings.Replace(ok, `{"name":"CHAINS-GIT_COMMIT"`, `{"name":"CHAINS-GIT_COMMIT","value":"`+strings.Repeat("1", 40)+`"},{"name":"CHAINS-GIT_COMMIT"`, 1), assay.ErrInvalid, "CHAINS-GIT_COMMIT"},
		"image of a user":   {tektonRun("TaskRun", `,{"name":"IMAGES","value":"https://me:pw@reg.example/app"}`), assay.ErrInvalid, "IMAGES"},
		"image, no digest":  {tektonRun("TaskRun", `,{"name":"IMAGES","value":"reg.example/app"}`), assay.ErrInvalid, "IMAGES"},
		"input, no digest":  {strings.Replace(ok, `"digest":"sha256:`+hexA+`"}}]`, `"digest":"latest"}}]`, 1), assay.ErrInvalid, "ARTIFACT_INPUTS"},
		"finished too soon": {strings.Replace(ok, "03:05:05", "02:00:00", 1), assay.ErrInvalid, "P10"},
		"truncated":         {ok[:len(ok)-2], assay.ErrInvalid, "run.json"},
	} {
		if run, err := provenance.FromTekton("run.json", []byte(c.object), opts); run != nil || !errors.Is(err, c.kind) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want %v with %q", name, err, c.kind, c.says)
		}
	}
}

func FuzzFromTekton(f *testing.F) {
	f.Add([]byte(tektonRun("TaskRun", `,{"name":"IMAGES","value":"a@sha256:`+hexA+`"}`)))
	f.Add([]byte(tektonRun("PipelineRun", `,{"name":"xARTIFACT_OUTPUTS","value":{"uri":"u","digest":"sha256:`+hexA+`"}}`)))
	f.Fuzz(func(t *testing.T, data []byte) {
		run, err := provenance.FromTekton("run.json", data, provenance.BuildOptions{BuilderID: "https://b.example/"})
		if err != nil {
			return
		}
		text, err := provenance.Encode(run.Provenance)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := provenance.Read("p", assay.PredicateSLSA1, text); err != nil {
			t.Fatal(err)
		}
	})
}
