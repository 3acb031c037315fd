// Ci-provenance is the step of a CI job that says how an image was built: it takes the
// facts from the CI, adds what lock files and the Dockerfile pin, and writes the SLSA v1
// predicate for the step that signs it.
//
//	go run ./examples/ci-provenance [-builder-id URI] [-clone DIR] [-dockerfile FILE] [-build-arg NAME=VALUE]... [-log FILE] [-o FILE] [LOCKFILE]...
//
// A CI whose jobs have an identity token is asked for it; others need -builder-id, and
// the result says that nobody vouches for its facts.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/provenance"
)

// step is what the job asks for.
type step struct {
	options    provenance.Options
	clone      string
	dockerfile string
	buildArgs  map[string]string
	log        string
	lockFiles  []string
}

// predicate gives the provenance, and notes what could not be pinned.
func (s step) predicate(ctx context.Context, notes io.Writer) ([]byte, error) {
	p, err := provenance.FromEnvironment(ctx, s.options)
	if err != nil {
		return nil, err
	}
	if s.clone != "" {
		if p, err = withClone(ctx, p, s.clone, notes); err != nil {
			return nil, err
		}
	}
	var materials []assay.Resource
	for _, file := range s.lockFiles {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		pinned, unpinned, err := provenance.LockFile(file, text)
		if err != nil {
			return nil, err
		}
		if unpinned > 0 {
			fmt.Fprintf(notes, "%s: %d packages have no digest, and are left out\n", file, unpinned)
		}
		materials = append(materials, pinned...)
	}
	if s.dockerfile != "" {
		text, err := os.ReadFile(s.dockerfile)
		if err != nil {
			return nil, err
		}
		images, err := provenance.FromDockerfile(s.dockerfile, text, s.buildArgs)
		if err != nil {
			return nil, err
		}
		for _, i := range images {
			m, err := i.Material()
			if errors.Is(err, assay.ErrAbsent) {
				fmt.Fprintf(notes, "%s:%d: %s has no digest, and is left out\n", s.dockerfile, i.Line, i.Reference)
				continue
			} else if err != nil {
				return nil, err
			}
			materials = append(materials, m)
		}
	}
	if p, err = provenance.WithMaterials(p, materials...); err != nil {
		return nil, err
	}
	if s.log != "" {
		if p, err = withLog(p, s.log); err != nil {
			return nil, err
		}
	}
	return provenance.Encode(p)
}

// withClone notes whether the files that are built are those of the commit that the CI
// names: another commit is an error, and files that differ are a part of the statement.
func withClone(ctx context.Context, p *assay.Provenance, dir string, notes io.Writer) (*assay.Provenance, error) {
	clone, err := provenance.FromGit(ctx, dir, provenance.BuildOptions{BuilderID: p.Builder.ID})
	if err != nil {
		return nil, err
	}
	if clone.Source.Modified != assay.Refuted {
		fmt.Fprintf(notes, "%s: that no file differs from the commit is %v\n", dir, notModified(clone.Source.Modified))
	}
	return provenance.Combine(p, clone)
}

func notModified(s assay.State) assay.State {
	if s == assay.Proven {
		return assay.Refuted
	}
	return s
}

// withLog names the log of the build by its digest; what is in it stays where it is.
func withLog(p *assay.Provenance, file string) (*assay.Provenance, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	r, err := provenance.Byproduct(filepath.Base(file), "", "text/plain", f)
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, err
	}
	return provenance.WithByproducts(p, r)
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "ci-provenance:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	var s step
	fs := flag.NewFlagSet("ci-provenance", flag.ContinueOnError)
	fs.StringVar(&s.options.BuilderIDUnsafe, "builder-id", "", "builder.id where the CI gives no token to show it")
	fs.StringVar(&s.clone, "clone", "", "note whether files in the git clone `DIR` differ from the commit")
	fs.StringVar(&s.dockerfile, "dockerfile", "", "read base images from `FILE`")
	fs.StringVar(&s.log, "log", "", "name the build's log in `FILE` by its digest")
	fs.Func("build-arg", "build argument `NAME=VALUE` of the Dockerfile; may be repeated", func(v string) error {
		name, value, ok := strings.Cut(v, "=")
		if !ok || name == "" {
			return errors.New("want NAME=VALUE")
		}
		if s.buildArgs == nil {
			s.buildArgs = map[string]string{}
		}
		s.buildArgs[name] = value
		return nil
	})
	out := fs.String("o", "provenance.json", "write the predicate to `FILE`")
	if err := fs.Parse(args); err != nil {
		return err
	}
	s.lockFiles = fs.Args()
	predicate, err := s.predicate(ctx, os.Stderr)
	if err != nil {
		return err
	}
	return os.WriteFile(*out, append(predicate, '\n'), 0o644)
}
