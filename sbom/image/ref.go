package image

import (
	"errors"
	"io/fs"
	"os"
	"strings"

	"github.com/assaykit/assay"
)

// The schemes of the reference grammar. A reference without one is of a registry.
const (
	schemeLayout  = "oci"
	schemeArchive = "oci-archive"
	schemeDocker  = "docker-archive"
	schemeFolder  = "dir"
)

// location is a reference, taken apart.
type location struct {
	scheme string // "" for a registry
	path   string // of the file or folder; the whole reference for a registry
	tag    string
	digest assay.Digest
}

// parse reads a reference. A colon can be in a path as well as before a tag: the
// longest beginning that exists is the path.
func parse(ref string) (location, error) {
	scheme, rest, ok := strings.Cut(ref, ":")
	switch {
	case ok && (scheme == schemeLayout || scheme == schemeArchive || scheme == schemeDocker || scheme == schemeFolder):
	case ref == "":
		return location{}, &assay.Error{Op: "parse image reference", Kind: assay.ErrInvalid, Bound: "a reference"}
	default:
		return location{path: ref}, nil
	}
	l := location{scheme: scheme, path: rest}
	if rest == "" {
		return location{}, &assay.Error{Op: "parse image reference", Kind: assay.ErrInvalid, Value: ref, Bound: scheme + ":PATH"}
	}
	if scheme == schemeFolder {
		return l, nil
	}
	if scheme != schemeDocker {
		if at := strings.LastIndexByte(l.path, '@'); at >= 0 {
			d, err := assay.ParseDigest(l.path[at+1:])
			switch {
			case err == nil:
				l.path, l.digest = l.path[:at], d
			case strings.Contains(l.path[at+1:], ":") && !exists(l.path):
				return location{}, &assay.Error{Op: "parse image reference", Kind: assay.ErrInvalid, Value: ref, Field: "digest", Err: err}
			}
		}
	}
	for end := len(l.path); end > 0; end = strings.LastIndexByte(l.path[:end], ':') {
		if exists(l.path[:end]) {
			if end < len(l.path) {
				l.tag = l.path[end+1:]
				if l.tag == "" {
					return location{}, &assay.Error{Op: "parse image reference", Kind: assay.ErrInvalid, Value: ref, Field: "tag", Bound: "a tag after the colon"}
				}
			}
			l.path = l.path[:end]
			return l, nil
		}
	}
	return location{}, &assay.Error{Op: "open image", Kind: assay.ErrAbsent, Subject: ref, Err: fs.ErrNotExist}
}

// exists leaves files that cannot be looked at to the one who opens them.
func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil || !errors.Is(err, fs.ErrNotExist) && !isNotFolder(err)
}

// isNotFolder is the error for a path that goes through a file, as "image.tar:v1/x"
// can.
func isNotFolder(err error) bool { return errors.Is(err, errNotFolder) }
