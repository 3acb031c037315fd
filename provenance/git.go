package provenance

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"strings"

	"github.com/assaykit/assay"
)

// BuildTypeLocal is a build by hand from a clone of a git repository, which no CI
// vouches for. It is what [FromGit] writes.
const BuildTypeLocal = "https://github.com/assaykit/assay/provenance/local/v1"

const gitOp = "state provenance of a clone"

// FromGit states the provenance of a local build, of type [BuildTypeLocal], from the
// clone in dir: its commit, whether files differ from it, and, unless opts say them,
// the URL of the remote "origin" and the ref that is checked out: the branch, or else the
// tag, if there is one of the commit and no other. Files that git
// ignores are not looked at; those of submodules that are checked out are. Where git was
// told to skip files, as in a sparse checkout, or to assume that they are unchanged, and
// no other differs, it is unknown whether any does. A user and password in the URL are
// left out. The clone may be shallow, or a linked work tree, with object ids of SHA-1 or
// SHA-256.
//
// It runs git, which must be installed, with what a repository's own configuration
// could make it execute turned off: hooks, watchers, and filters of files. A folder that
// is no clone is [assay.ErrAbsent], git missing or failing, or a clone without files,
// [assay.ErrUnchecked].
func FromGit(ctx context.Context, dir string, opts BuildOptions) (*assay.Provenance, error) {
	commit, err := git(ctx, dir, "rev-parse", "--verify", "--quiet", "HEAD^{commit}")
	if err != nil {
		return nil, err
	}
	state, err := (&workTree{ctx: ctx}).modified(dir)
	if err != nil {
		return nil, err
	}
	repository, ref := opts.Repository, opts.Ref
	if repository == "" {
		// Without a remote there is none, and that is not a failure.
		if at, err := git(ctx, dir, "remote", "get-url", "origin"); err == nil && at != "" {
			if repository, err = publicURI(at); err != nil {
				repository = "" // a path on this machine, which leads nowhere else
			}
		}
	}
	if ref == "" {
		if at, err := git(ctx, dir, "symbolic-ref", "--quiet", "HEAD"); err == nil {
			ref = at
		} else if tags, err := git(ctx, dir, "for-each-ref", "--points-at=HEAD", "--format=%(refname)", "refs/tags/"); err == nil && !strings.Contains(tags, "\n") {
			ref = tags // of several, any may have been meant
		}
	}
	p := &assay.Provenance{
		BuildType:          BuildTypeLocal,
		ExternalParameters: map[string]json.RawMessage{"kind": encoded("git")},
		InternalParameters: map[string]json.RawMessage{},
		Builder:            assay.Builder{ID: opts.BuilderID},
		InvocationID:       opts.InvocationID,
		StartedOn:          opts.StartedOn.UTC(),
		FinishedOn:         opts.FinishedOn.UTC(),
	}
	vcs := map[string]string{"system": "git", "revision": commit}
	switch state {
	case assay.Proven:
		vcs["modified"] = "true"
	case assay.Refuted:
		vcs["modified"] = "false"
	}
	if err := goSource(p, vcs, BuildOptions{Repository: repository, Ref: ref}); err != nil {
		return nil, err
	}
	if repository != "" {
		p.ExternalParameters["repository"] = encoded(repository)
	}
	if ref != "" {
		p.ExternalParameters["ref"] = encoded(ref)
	}
	if err := check(gitOp, dir, p); err != nil {
		return nil, err
	}
	return p, nil
}

// git runs one question. What it prints is bounded by what a clone has to say; only
// whether status is empty is looked at.
func git(ctx context.Context, dir string, args ...string) (string, error) {
	// A repository may name programs that watch it or run with it.
	base := []string{"-C", cmp.Or(dir, "."), "-c", "core.fsmonitor=false", "-c", "core.hooksPath=" + os.DevNull, "-c", "core.untrackedCache=false"}
	cmd := exec.CommandContext(ctx, "git", append(base, args...)...)
	for _, v := range os.Environ() {
		// GIT_DIR and its like would answer for another clone than the one asked about.
		if !strings.HasPrefix(v, "GIT_") {
			cmd.Env = append(cmd.Env, v)
		}
	}
	cmd.Env = append(cmd.Env, "GIT_OPTIONAL_LOCKS=0", "GIT_TERMINAL_PROMPT=0", "LC_ALL=C")
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if err == nil {
		return strings.TrimRight(stdout.String(), "\n\x00"), nil
	}
	kind := assay.ErrUnchecked
	if _, ok := errors.AsType[*exec.ExitError](err); ok && (strings.Contains(stderr.String(), "not a git repository") || stderr.Len() == 0) {
		kind = assay.ErrAbsent
	}
	return "", &assay.Error{Op: gitOp, Kind: kind, Subject: dir, Field: "git " + args[0], Value: firstLine(stderr.String()), Err: err}
}

func firstLine(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	return s
}
