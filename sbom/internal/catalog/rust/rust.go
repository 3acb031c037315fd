// Package rust reads the list of crates that cargo-auditable puts into executables
// (github.com/rust-secure-code/cargo-auditable, PARSING.md: a zlib stream of JSON
// in the section ".dep-v0").
package rust

import (
	"bytes"
	"errors"
	"io"
	"strconv"

	"github.com/klauspost/compress/zlib"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/strictjson"
	"github.com/assaykit/assay/sbom/internal/catalog/executable"
)

const section = ".dep-v0"

// Bounds: the largest known list has some thousand crates in less than 200 KiB.
const (
	maxJSON     = 16 << 20
	maxPackages = 100_000
)

// Crate is one package of the list.
type Crate struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	// Source is "crates.io", "git", "local", "registry", or something else.
	Source string `json:"source"`
	// Kind is "runtime", which is the default, or "build" for what ran at build
	// time only.
	Kind string `json:"kind"`
	// Depends are indices of the list.
	Depends []int `json:"dependencies"`
	// Root is the package that was built.
	Root bool `json:"root"`
}

// Build reports whether the crate is no part of the executable.
func (c *Crate) Build() bool { return c.Kind == "build" }

// Parse gives the crates of an executable, nil if it has no list. The error is of
// kind [assay.ErrInvalid] or, for a list of more than 16 MiB or 100,000 crates,
// [assay.ErrBound].
func Parse(f *executable.File) ([]Crate, error) {
	raw := f.Section(section)
	if raw == nil {
		return nil, nil
	}
	z, err := zlib.NewReader(bytes.NewReader(raw))
	if err != nil {
		return nil, fail(assay.ErrInvalid, "", "", "", err)
	}
	text, err := io.ReadAll(io.LimitReader(z, maxJSON+1))
	if err != nil {
		return nil, fail(assay.ErrInvalid, "", "", "", err)
	}
	if len(text) > maxJSON {
		return nil, fail(assay.ErrBound, "", "more than "+strconv.Itoa(maxJSON)+" bytes inflated", "at most "+strconv.Itoa(maxJSON), nil)
	}
	return parseJSON(text)
}

func parseJSON(text []byte) ([]Crate, error) {
	var doc struct {
		Packages []Crate `json:"packages"`
	}
	if err := strictjson.Unmarshal(section, text, &doc, strictjson.Limits{MaxBytes: maxJSON}); err != nil {
		return nil, err
	}
	switch n := len(doc.Packages); {
	case n == 0:
		return nil, fail(assay.ErrInvalid, "/packages", "", "a package", errors.New("the list is empty"))
	case n > maxPackages:
		return nil, fail(assay.ErrBound, "/packages", strconv.Itoa(n)+" packages", "at most "+strconv.Itoa(maxPackages), nil)
	}
	for i := range doc.Packages {
		c := &doc.Packages[i]
		at := "/packages/" + strconv.Itoa(i)
		if c.Name == "" {
			return nil, fail(assay.ErrInvalid, at+"/name", "", "a name", nil)
		}
		for _, d := range c.Depends {
			if d < 0 || d >= len(doc.Packages) {
				return nil, fail(assay.ErrInvalid, at+"/dependencies", strconv.Itoa(d), "an index of the list", nil)
			}
		}
	}
	return doc.Packages, nil
}

func fail(kind error, field, value, bound string, err error) error {
	return &assay.Error{Op: "read list of crates", Kind: kind, Field: section + field, Value: value, Bound: bound, Err: err}
}
