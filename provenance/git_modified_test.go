package provenance_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/provenance"
)

func write(t testing.TB, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// source states the provenance of a clone, and gives its source.
func source(t testing.TB, dir string) assay.Source {
	t.Helper()
	p, err := provenance.FromGit(t.Context(), dir, provenance.BuildOptions{BuilderID: "https://builder.example/laptop"})
	if err != nil {
		t.Fatal(err)
	}
	if want := gitIn(t, dir, "rev-parse", "HEAD"); p.Source.Commit.Hex() != want {
		t.Errorf("commit is %s, want %s", p.Source.Commit, want)
	}
	return p.Source
}

func TestFromGitSubmodules(t *testing.T) {
	library, dir := newClone(t), newClone(t)
	gitIn(t, dir, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", library, "lib")
	gitIn(t, dir, "commit", "--quiet", "-m", "with a submodule")
	sub := filepath.Join(dir, "lib")
	state := func(what string, want assay.State) {
		t.Helper()
		if got := source(t, dir).Modified; got != want {
			t.Errorf("%s: modified is %s, want %s", what, got, want)
		}
	}
	state("as committed", assay.Refuted)

	write(t, sub, "main.go", "package other\n")
	state("changed in the submodule", assay.Proven)
	gitIn(t, sub, "checkout", "--quiet", ".")
	write(t, sub, "extra.go", "package main\n")
	state("a file more in the submodule", assay.Proven)
	// A repository may ask for its submodules to be left alone.
	gitIn(t, dir, "config", "submodule.lib.ignore", "all")
	gitIn(t, dir, "config", "diff.ignoreSubmodules", "all")
	state("ignored by configuration", assay.Proven)
	gitIn(t, sub, "add", ".")
	gitIn(t, sub, "commit", "--quiet", "-m", "second")
	state("another commit of the submodule", assay.Proven)
	gitIn(t, dir, "config", "--unset", "submodule.lib.ignore")
	gitIn(t, dir, "config", "--unset", "diff.ignoreSubmodules")
	gitIn(t, dir, "add", "lib")
	gitIn(t, dir, "commit", "--quiet", "-m", "newer")
	state("committed", assay.Refuted)

	// Not checked out, it has no files.
	gitIn(t, dir, "submodule", "--quiet", "deinit", "--force", "lib")
	state("not checked out", assay.Refuted)
}

func TestFromGitForms(t *testing.T) {
	dir := newClone(t)
	write(t, dir, "main.go", "package main\n\n")
	gitIn(t, dir, "commit", "--quiet", "-am", "second")
	both := func(t *testing.T, clone string) {
		t.Helper()
		if got := source(t, clone).Modified; got != assay.Refuted {
			t.Errorf("modified is %s", got)
		}
		write(t, clone, "main.go", "package changed\n")
		if got := source(t, clone).Modified; got != assay.Proven {
			t.Errorf("changed, modified is %s", got)
		}
	}
	t.Run("shallow", func(t *testing.T) {
		clone := filepath.Join(t.TempDir(), "clone")
		gitIn(t, dir, "clone", "--quiet", "--depth=1", "file://"+dir, clone)
		if gitIn(t, clone, "rev-parse", "--is-shallow-repository") != "true" {
			t.Fatal("the clone is not shallow")
		}
		both(t, clone)
		// A path on this machine is no address, under any scheme.
		if s := source(t, clone); s.Repository != "" {
			t.Errorf("repository is %s", s.Repository)
		}
	})
	t.Run("linked work tree", func(t *testing.T) {
		tree := filepath.Join(t.TempDir(), "tree")
		gitIn(t, dir, "worktree", "add", "--quiet", "-b", "topic", tree)
		gitIn(t, dir, "remote", "add", "origin", "git@git.example:org/app.git")
		if s := source(t, tree); s.Ref != "refs/heads/topic" || s.Repository != "ssh://git.example/org/app" {
			t.Errorf("got %+v", s)
		}
		both(t, tree)
		if got := source(t, dir).Modified; got != assay.Refuted {
			t.Errorf("a change in one work tree is one of another: %s", got)
		}
	})
	t.Run("SHA-256", func(t *testing.T) {
		clone := t.TempDir()
		gitIn(t, clone, "init", "--quiet", "--object-format=sha256", "--initial-branch=main")
		write(t, clone, "main.go", "package main\n")
		gitIn(t, clone, "add", ".")
		gitIn(t, clone, "commit", "--quiet", "-m", "first")
		if s := source(t, clone); len(s.Commit.Hex()) != 64 {
			t.Errorf("commit is %s", s.Commit)
		}
		both(t, clone)
	})
	t.Run("folder in a clone", func(t *testing.T) {
		clone := newClone(t)
		below := filepath.Join(clone, "cmd")
		if err := os.Mkdir(below, 0o755); err != nil {
			t.Fatal(err)
		}
		if got := source(t, below).Modified; got != assay.Refuted {
			t.Errorf("modified is %s", got)
		}
		write(t, clone, "main.go", "package changed\n")
		if got := source(t, below).Modified; got != assay.Proven {
			t.Errorf("changed above, modified is %s", got)
		}
	})
	t.Run("assumed unchanged", func(t *testing.T) {
		clone := newClone(t)
		gitIn(t, clone, "update-index", "--assume-unchanged", "main.go")
		write(t, clone, "main.go", "package changed\n")
		if got := source(t, clone).Modified; got != assay.Unknown {
			t.Errorf("modified is %s", got)
		}
		write(t, clone, "extra.go", "package main\n")
		if got := source(t, clone).Modified; got != assay.Proven {
			t.Errorf("with another file, modified is %s", got)
		}
	})
	t.Run("skipped", func(t *testing.T) {
		clone := newClone(t)
		gitIn(t, clone, "update-index", "--skip-worktree", "main.go")
		if got := source(t, clone).Modified; got != assay.Unknown {
			t.Errorf("modified is %s", got)
		}
	})
	t.Run("bare", func(t *testing.T) {
		clone := filepath.Join(t.TempDir(), "clone.git")
		gitIn(t, dir, "clone", "--quiet", "--bare", dir, clone)
		if p, err := provenance.FromGit(t.Context(), clone, provenance.BuildOptions{BuilderID: "https://b.example"}); !errors.Is(err, assay.ErrUnchecked) {
			t.Errorf("got %+v, %v", p, err)
		}
	})
	t.Run("no commit yet", func(t *testing.T) {
		clone := t.TempDir()
		gitIn(t, clone, "init", "--quiet")
		if p, err := provenance.FromGit(t.Context(), clone, provenance.BuildOptions{BuilderID: "https://b.example"}); !errors.Is(err, assay.ErrAbsent) {
			t.Errorf("got %+v, %v", p, err)
		}
	})
}

// What a clone's configuration names to convert files is not run, in the clone or in its
// submodules.
func TestFromGitRunsNothing(t *testing.T) {
	library, dir := newClone(t), newClone(t)
	gitIn(t, dir, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", library, "lib")
	gitIn(t, dir, "commit", "--quiet", "-m", "with a submodule")
	ran := filepath.Join(t.TempDir(), "ran")
	for _, clone := range []string{dir, filepath.Join(dir, "lib")} {
		write(t, clone, ".gitattributes", "*.go filter=evil\n")
		gitIn(t, clone, "add", ".")
		gitIn(t, clone, "commit", "--quiet", "-m", "attributes")
		gitIn(t, clone, "config", "filter.evil.clean", "touch "+ran+"; cat")
		gitIn(t, clone, "config", "filter.evil.smudge", "touch "+ran+"; cat")
		gitIn(t, clone, "config", "filter.evil.required", "true")
		gitIn(t, clone, "config", "core.fsmonitor", "touch "+ran)
	}
	gitIn(t, dir, "-c", "core.fsmonitor=false", "commit", "--quiet", "-am", "newer")
	_ = os.Remove(ran)
	// The same length, another time: only the contents can tell.
	write(t, filepath.Join(dir, "lib"), "main.go", "package niam\n")
	if got := source(t, dir).Modified; got != assay.Proven {
		t.Errorf("modified is %s", got)
	}
	write(t, dir, "main.go", strings.Repeat("x", len("package main\n")))
	if got := source(t, dir).Modified; got != assay.Proven {
		t.Errorf("modified is %s", got)
	}
	if _, err := os.Stat(ran); err == nil {
		t.Error("a program that the clone names was run")
	}
}
