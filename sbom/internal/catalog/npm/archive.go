package npm

import (
	"archive/zip"
	"bytes"
	"io"
	"strconv"
	"strings"

	"github.com/assaykit/assay"
)

// Bounds of an archive of Yarn.
const (
	maxArchiveFiles = 50_000
	maxArchived     = 16 << 20 // bytes of its package.json
)

// ParseArchive reads the package.json in an archive of Yarn's cache
// (".yarn/cache/NAME-npm-VERSION-….zip"), from which Plug'n'Play runs a package
// without unpacking it. It is nil without an error for an archive that holds no
// package. Errors are of kind [assay.ErrInvalid], [assay.ErrBound] or, for a
// compression that is not read here, [assay.ErrUnchecked].
func ParseArchive(name string, data []byte) (*Manifest, error) {
	fail := func(kind error, field, value, bound string, err error) error {
		return &assay.Error{Op: "read archive of Yarn", Kind: kind, Subject: name, Field: field, Value: value, Bound: bound, Err: err}
	}
	// The reader makes something of each entry, before anyone can count them.
	if n := bytes.Count(data, []byte("PK\x01\x02")); n > maxArchiveFiles {
		return nil, fail(assay.ErrBound, "", strconv.Itoa(n)+" files", "at most "+strconv.Itoa(maxArchiveFiles), nil)
	}
	r, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, fail(assay.ErrInvalid, "", "", "", err)
	}
	var found *zip.File
	for _, f := range r.File {
		inner, ok := strings.CutPrefix(f.Name, "node_modules/")
		if pkg, is := strings.CutSuffix(inner, "/package.json"); !ok || !is || !ValidName(pkg) {
			continue
		}
		if found != nil {
			return nil, fail(assay.ErrInvalid, f.Name, "", "one package", nil)
		}
		found = f
	}
	if found == nil {
		return nil, nil
	}
	if found.Method != zip.Store && found.Method != zip.Deflate {
		return nil, fail(assay.ErrUnchecked, found.Name, "compression "+strconv.Itoa(int(found.Method)), "deflate", nil)
	}
	content, err := found.Open()
	if err != nil {
		return nil, fail(assay.ErrInvalid, found.Name, "", "", err)
	}
	defer content.Close()
	text, err := io.ReadAll(io.LimitReader(content, maxArchived+1))
	if err != nil { // of a wrong checksum too
		return nil, fail(assay.ErrInvalid, found.Name, "", "", err)
	}
	if len(text) > maxArchived {
		return nil, fail(assay.ErrBound, found.Name, "more bytes", "at most "+strconv.Itoa(maxArchived), nil)
	}
	return ParseManifest(name+"!/"+found.Name, text)
}
