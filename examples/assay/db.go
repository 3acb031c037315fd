package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/assaykit/assay/vex/osv"
)

// sources are --source flags: [NAME=][FORMAT:]PATH.
type sources []osv.Source

func (s *sources) String() string { return "" }

// Set implements [flag.Value].
func (s *sources) Set(text string) error {
	src := osv.Source{Format: osv.FormatOSV, Path: text}
	if name, rest, ok := strings.Cut(text, "="); ok {
		src.Name, src.Path = name, rest
	}
	for _, f := range []osv.Format{osv.FormatOSV, osv.FormatDebian, osv.FormatAlpine, osv.FormatKEV} {
		if rest, ok := strings.CutPrefix(src.Path, string(f)+":"); ok {
			src.Format, src.Path = f, rest
		}
	}
	if src.Path == "" {
		return misused("want [NAME=][FORMAT:]PATH")
	}
	if src.Name == "" {
		src.Name = filepath.Base(src.Path)
	}
	*s = append(*s, src)
	return nil
}

// dbBuildCommand writes an index of the sources; dbUpdateCommand replaces those of the
// same names in one.
func dbBuildCommand(fs *flag.FlagSet) action  { return dbWrite(fs, osv.Build) }
func dbUpdateCommand(fs *flag.FlagSet) action { return dbWrite(fs, osv.Update) }

type indexWriter func(context.Context, string, osv.BuildOptions, ...osv.Source) (*osv.Report, error)

func dbWrite(fs *flag.FlagSet, write indexWriter) action {
	var from sources
	fs.Var(&from, "source", "`[NAME=][FORMAT:]PATH` of a folder, file or zip of advisories; FORMAT is osv, debian-tracker, alpine-secdb or cisa-kev; may be repeated")
	return func(ctx context.Context, e env, file string) error {
		if len(from) == 0 {
			return misused("--source: name at least one")
		}
		r, err := write(ctx, file, osv.BuildOptions{}, from...)
		if err != nil {
			return err
		}
		for _, s := range r.Skipped {
			e.note("%s: %s: skipped: %s", s.Source, s.File, s.Reason)
		}
		e.note("%s: %d advisories read, %d kept, %d gone", file, r.Read, r.Kept, r.Gone)
		return printInfo(e, r.Info)
	}
}

// dbInfoCommand says what is in an index.
func dbInfoCommand(fs *flag.FlagSet) action {
	check := fs.Bool("check", false, "read all of it, and compare its digest")
	return func(ctx context.Context, e env, file string) (err error) {
		x, err := osv.Open(file)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, x.Close()) }()
		if *check {
			if err := x.Check(ctx); err != nil {
				return err
			}
		}
		if err := printInfo(e, x.Info()); err != nil {
			return err
		}
		return printReleases(e, x)
	}
}

// printReleases says which releases of distributions the index is about: of any other a
// scan knows nothing.
func printReleases(e env, x *osv.Index) error {
	for _, ecosystem := range x.Ecosystems() {
		if releases := x.Releases(ecosystem); len(releases) > 0 {
			if _, err := fmt.Fprintf(e.stdout, "releases   %s: %s\n", ecosystem, strings.Join(releases, ", ")); err != nil {
				return err
			}
		}
	}
	return nil
}

func printInfo(e env, i osv.Info) error {
	_, err := fmt.Fprintf(e.stdout, "digest     %s\nupdated    %s\nmodified   %s\nadvisories %d\nskipped    %d\n", i.Digest, when(i.Updated), when(i.Modified), i.Advisories, i.Skipped)
	for _, s := range i.Sources {
		if err == nil {
			_, err = fmt.Fprintf(e.stdout, "source     %s %s %s, %d advisories, %d skipped\n", s.Name, s.Format, when(s.Read), s.Advisories, s.Skipped)
		}
	}
	return err
}
