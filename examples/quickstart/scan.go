package main

import (
	"context"
	"embed"
	"errors"
	"os"
	"path/filepath"
	"time"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/vex/osv"
)

// advisories stand for the dumps of osv.dev, which are read alike.
//
//go:embed advisories
var advisories embed.FS

// scan matches the components to the advisories, by an index of them.
func scan(ctx context.Context, doc *assay.SBOM, at time.Time) (found *assay.Scan, err error) {
	dir, err := os.MkdirTemp("", "quickstart")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	file := filepath.Join(dir, "advisories.db")
	if _, err := osv.Build(ctx, file, osv.BuildOptions{Time: at}, osv.Source{Name: "embedded", Format: osv.FormatOSV, FS: advisories, Path: "advisories"}); err != nil {
		return nil, err
	}
	index, err := osv.Open(file)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, index.Close()) }()
	return osv.Match(ctx, index, doc, osv.MatchOptions{Time: at})
}
