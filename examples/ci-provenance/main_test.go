package main

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/provenance"
)

const (
	commit = "0123456789abcdef0123456789abcdef01234567"
	sum    = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
)

func write(t *testing.T, name, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

func job(env map[string]string) provenance.Options {
	return provenance.Options{BuilderIDUnsafe: "https://ci.example/builder", Env: func(k string) (string, bool) { v, ok := env[k]; return v, ok }}
}

func TestStep(t *testing.T) {
	s := step{
		options: job(map[string]string{"CI": "woodpecker", "CI_REPO_URL": "https://git.example/org/app", "CI_COMMIT_SHA": commit, "CI_COMMIT_REF": "refs/heads/main",
			"CI_PIPELINE_URL": "https://ci.example/1"}),
		dockerfile: write(t, "Dockerfile", "ARG BASE=other\nFROM golang:1.26 AS build\nFROM ${BASE}@sha256:"+sum+"\n"),
		buildArgs:  map[string]string{"BASE": "reg.example/base"}, log: write(t, "build.log", "building, with secret\n"),
		lockFiles: []string{write(t, "go.sum", "example.com/m v1.0.0 h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"),
			write(t, "requirements.txt", "flask>=2\n")},
	}
	var notes bytes.Buffer
	predicate, err := s.predicate(t.Context(), &notes)
	if err != nil {
		t.Fatal(err)
	}
	p, err := provenance.Read("provenance.json", assay.PredicateSLSA1, predicate)
	if err != nil {
		t.Fatal(err)
	}
	var uris []string
	for _, m := range p.Materials {
		uris = append(uris, m.URI)
	}
	if got := strings.Join(uris, " "); got != "git+https://git.example/org/app@refs/heads/main oci://reg.example/base pkg:golang/example.com/m@v1.0.0" {
		t.Errorf("materials: %s", got)
	}
	if len(p.Byproducts) != 1 || p.Byproducts[0].Name != "build.log" || len(p.Byproducts[0].Digest) != 1 || strings.Contains(string(predicate), "secret") {
		t.Errorf("by-products: %+v", p.Byproducts)
	}
	for _, want := range []string{"Dockerfile:2: golang:1.26 has no digest", "requirements.txt: 1 packages have no digest"} {
		if !strings.Contains(notes.String(), want) {
			t.Errorf("no %q in %q", want, notes.String())
		}
	}

	s.options = job(nil)
	if _, err := s.predicate(t.Context(), &notes); !errors.Is(err, assay.ErrAbsent) {
		t.Errorf("outside of a CI: %v", err)
	}
}

// What is built is what is in the clone, and no other commit.
func TestClone(t *testing.T) {
	dir := t.TempDir()
	git := func(args ...string) string {
		t.Helper()
		cmd := exec.Command("git", append([]string{"-C", dir, "-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false"}, args...)...)
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("git %v: %v", args, err)
		}
		return strings.TrimSpace(string(out))
	}
	git("init", "--quiet")
	git("commit", "--quiet", "--allow-empty", "-m", "first")
	env := map[string]string{"CI": "woodpecker", "CI_REPO_URL": "https://git.example/org/app", "CI_COMMIT_SHA": git("rev-parse", "HEAD"), "CI_COMMIT_REF": "refs/heads/main",
		"CI_PIPELINE_URL": "https://ci.example/1"}
	s := step{options: job(env), clone: dir}
	for _, c := range []struct {
		change func()
		want   assay.State
		note   string
	}{
		{func() {}, assay.Refuted, ""},
		{func() {
			if err := os.WriteFile(filepath.Join(dir, "new.go"), []byte("package x\n"), 0o644); err != nil {
				t.Fatal(err)
			}
		}, assay.Proven, "refuted"},
	} {
		c.change()
		var notes bytes.Buffer
		predicate, err := s.predicate(t.Context(), &notes)
		if err != nil {
			t.Fatal(err)
		}
		p, err := provenance.Read("provenance.json", assay.PredicateSLSA1, predicate)
		if err != nil || p.Source.Modified != c.want || !strings.Contains(notes.String(), c.note) || (c.note == "") != (notes.Len() == 0) {
			t.Errorf("modified is %v, want %v; %q, %v", p.Source.Modified, c.want, &notes, err)
		}
	}
	env["CI_COMMIT_SHA"] = commit
	if _, err := s.predicate(t.Context(), io.Discard); !errors.Is(err, assay.ErrRefuted) {
		t.Errorf("another commit: %v", err)
	}
}
