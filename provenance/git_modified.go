package provenance

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"

	"github.com/assaykit/assay"
)

// maxSubmodules bounds clones in clones.
const maxSubmodules = 1000

// workTree is a clone, and the submodules that are counted.
type workTree struct {
	ctx        context.Context
	submodules int
}

// modified says whether files differ from the commit that is checked out, in the clone and
// in its submodules; unknown if git was told not to look at some of them. A submodule at
// another commit than the recorded one is a difference. One that is not checked out has no
// files, and none that differ.
func (w *workTree) modified(dir string) (assay.State, error) {
	top, err := git(w.ctx, dir, "rev-parse", "--show-toplevel")
	if err != nil {
		return assay.Unknown, err
	}
	off, err := w.filters(top)
	if err != nil {
		return assay.Unknown, err
	}
	// Of submodules only the commit: git would run in them what their own configuration
	// names, and one that is configured to be ignored would be.
	status, err := git(w.ctx, top, append(off, "status", "--porcelain=v1", "-z", "--untracked-files=normal", "--ignore-submodules=dirty")...)
	if err != nil {
		return assay.Unknown, err
	}
	if status != "" {
		return assay.Proven, nil
	}
	index, err := git(w.ctx, top, "ls-files", "-v", "--stage", "-z")
	if err != nil {
		return assay.Unknown, err
	}
	state := assay.Refuted
	for entry := range strings.SplitSeq(index, "\x00") {
		fields, path, ok := strings.Cut(entry, "\t")
		tag, rest, _ := strings.Cut(fields, " ")
		switch {
		case !ok:
			continue
		case tag != "H":
			// "S" is skipped, as in a sparse checkout; in lowercase, assumed to be unchanged.
			state = assay.Unknown
		case strings.HasPrefix(rest, "160000 "):
			below, err := w.submodule(top, path)
			if err != nil {
				return assay.Unknown, err
			}
			if below == assay.Proven {
				return below, nil
			}
			if below == assay.Unknown {
				state = assay.Unknown
			}
		}
	}
	return state, nil
}

func (w *workTree) submodule(top, path string) (assay.State, error) {
	if !filepath.IsLocal(path) {
		return assay.Unknown, nil
	}
	dir := filepath.Join(top, path)
	if _, err := os.Lstat(filepath.Join(dir, ".git")); err != nil {
		return assay.Refuted, nil
	}
	if w.submodules++; w.submodules > maxSubmodules {
		return assay.Unknown, &assay.Error{Op: gitOp, Kind: assay.ErrBound, Subject: top, Field: "submodules", Bound: "at most 1000"}
	}
	return w.modified(dir)
}

// filters gives options that turn off the programs which the clone's own configuration
// names for converting files: git runs them to compare what is in the work tree. Those of
// the user's configuration, such as that of Git LFS, stay.
func (w *workTree) filters(dir string) ([]string, error) {
	text, err := git(w.ctx, dir, "config", "--show-scope", "-z", "--get-regexp", `^filter\.`)
	if errors.Is(err, assay.ErrAbsent) {
		return nil, nil // there are none
	}
	if err != nil {
		return nil, err
	}
	var off []string
	fields := strings.Split(text, "\x00")
	for i := 0; i+1 < len(fields); i += 2 {
		key, _, _ := strings.Cut(fields[i+1], "\n")
		if scope := fields[i]; scope != "local" && scope != "worktree" {
			continue
		}
		switch {
		case strings.HasSuffix(key, ".required"):
			off = append(off, "-c", key+"=false")
		default:
			off = append(off, "-c", key+"=")
		}
	}
	return off, nil
}
