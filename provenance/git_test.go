package provenance_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/provenance"
)

func gitIn(t testing.TB, dir string, args ...string) string {
	t.Helper()
	cmd := exec.Command("git", append([]string{"-C", dir, "-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false"}, args...)...)
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_SYSTEM="+os.DevNull)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %v: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

func newClone(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	gitIn(t, dir, "init", "--quiet", "--initial-branch=main")
	if err := os.WriteFile(filepath.Join(dir, "main.go"), []byte("package main\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	gitIn(t, dir, "add", ".")
	gitIn(t, dir, "commit", "--quiet", "-m", "first")
	return dir
}

func TestFromGit(t *testing.T) {
	dir := newClone(t)
	opts := provenance.BuildOptions{BuilderID: "https://builder.example/laptop"}
	head := assay.MustDigest("gitCommit:" + gitIn(t, dir, "rev-parse", "HEAD"))
	ask := func(want assay.Source) {
		t.Helper()
		p, err := provenance.FromGit(t.Context(), dir, opts)
		if err != nil {
			t.Fatal(err)
		}
		if p.Source != want {
			t.Errorf("source is %+v, want %+v", p.Source, want)
		}
		text, err := provenance.Encode(p)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), dir) || strings.Contains(string(text), "secret") {
			t.Errorf("it tells too much: %s", text)
		}
		if read, err := provenance.Read("p", assay.PredicateSLSA1, text); err != nil || read.Source != want {
			t.Errorf("read back %+v, %v", read, err)
		}
	}
	// Without a URI the material cannot carry the ref.
	ask(assay.Source{Commit: head, Modified: assay.Refuted})

	gitIn(t, dir, "remote", "add", "origin", "https://user:secret@git.example/org/app.git")
	ask(assay.Source{Repository: "https://git.example/org/app", Ref: "refs/heads/main", Commit: head, Modified: assay.Refuted})

	if err := os.WriteFile(filepath.Join(dir, "extra.go"), []byte("package main\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	ask(assay.Source{Repository: "https://git.example/org/app", Ref: "refs/heads/main", Commit: head, Modified: assay.Proven})

	gitIn(t, dir, "tag", "v1")
	gitIn(t, dir, "checkout", "--quiet", "v1")
	ask(assay.Source{Repository: "https://git.example/org/app", Ref: "refs/tags/v1", Commit: head, Modified: assay.Proven})

	// A clone may ask for programs to be run.
	ran := filepath.Join(t.TempDir(), "ran")
	gitIn(t, dir, "config", "core.fsmonitor", "touch "+ran)
	ask(assay.Source{Repository: "https://git.example/org/app", Ref: "refs/tags/v1", Commit: head, Modified: assay.Proven})
	if _, err := os.Stat(ran); err == nil {
		t.Error("a program that the clone names was run")
	}

	// The CI says what is built, and the clone whether that is what is there, by whatever
	// scheme the one was cloned.
	for name, c := range map[string]struct {
		url    string
		commit assay.Digest
		says   string
	}{
		"same":              {"https://git.example/org/app", head, ""},
		"other scheme":      {"git@git.example:org/app.git", head, ""},
		"other repository":  {"https://git.example/org/other", head, "source repository"},
		"other host":        {"git@git.other:org/app.git", head, "source repository"},
		"other commit":      {"https://git.example/org/app", assay.MustDigest("gitCommit:" + commit), "source commit"},
		"path on a machine": {"/srv/git/app", head, ""},
	} {
		gitIn(t, dir, "remote", "set-url", "origin", c.url)
		clone, err := provenance.FromGit(t.Context(), dir, opts)
		if err != nil {
			t.Fatal(err)
		}
		job, err := provenance.FromEnvironment(t.Context(), provenance.Options{BuilderIDUnsafe: opts.BuilderID, Env: lookup(map[string]string{
			"DRONE": "true", "DRONE_REPO_LINK": "https://git.example/org/app", "DRONE_COMMIT_SHA": c.commit.Hex(), "DRONE_COMMIT_REF": "refs/heads/main", "DRONE_BUILD_LINK": "https://ci.example/1"})})
		if err != nil {
			t.Fatal(err)
		}
		both, err := provenance.Combine(job, clone)
		if c.says != "" {
			if both != nil || !errors.Is(err, assay.ErrRefuted) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%s: %v, %v", name, both, err)
			}
			continue
		}
		if err != nil || both.Source.Modified != assay.Proven || len(both.Materials) != 1 || both.Materials[0].URI != "git+https://git.example/org/app@refs/heads/main" {
			t.Fatalf("%s: %+v, %v", name, both, err)
		}
		text, err := provenance.Encode(both)
		if err != nil {
			t.Fatal(err)
		}
		if read, err := provenance.Read("p", assay.PredicateSLSA1, text); err != nil || read.Source != both.Source {
			t.Errorf("%s: read back %+v, %v", name, read, err)
		}
	}
	gitIn(t, dir, "remote", "set-url", "origin", "https://user:secret@git.example/org/app.git")

	gitIn(t, dir, "tag", "-a", "-m", "second", "v1.0")
	ask(assay.Source{Repository: "https://git.example/org/app", Commit: head, Modified: assay.Proven})
	gitIn(t, dir, "tag", "-d", "v1")
	ask(assay.Source{Repository: "https://git.example/org/app", Ref: "refs/tags/v1.0", Commit: head, Modified: assay.Proven})

	if _, err := provenance.FromGit(t.Context(), t.TempDir(), opts); !errors.Is(err, assay.ErrAbsent) {
		t.Errorf("no clone: %v", err)
	}
	if _, err := provenance.FromGit(t.Context(), dir, provenance.BuildOptions{}); !errors.Is(err, assay.ErrInvalid) || !strings.Contains(err.Error(), "P2") {
		t.Errorf("no builder: %v", err)
	}
	t.Setenv("PATH", "")
	if _, err := provenance.FromGit(t.Context(), dir, opts); !errors.Is(err, assay.ErrUnchecked) {
		t.Errorf("no git: %v", err)
	}
}
