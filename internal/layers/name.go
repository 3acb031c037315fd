package layers

import (
	"strconv"
	"strings"

	"github.com/assaykit/assay"
)

// Names with a meaning, OCI image-spec v1.1, layer.md#whiteouts.
const (
	whiteoutPrefix = ".wh."
	whiteoutMeta   = ".wh..wh."
	whiteoutOpaque = ".wh..wh..opq"
)

// cleanName brings the name in a header to the form of [File.Path]. A name that
// climbs out of the root gives false; so does one with NUL, which no file can have.
func cleanName(name string) (string, bool) {
	if isClean(name) {
		return name, true
	}
	if strings.IndexByte(name, 0) >= 0 {
		return "", false
	}
	var parts []string
	for part := range strings.SplitSeq(name, "/") {
		switch part {
		case "", ".":
		case "..":
			if len(parts) == 0 {
				return "", false
			}
			parts = parts[:len(parts)-1]
		default:
			parts = append(parts, part)
		}
	}
	if len(parts) == 0 {
		return ".", true
	}
	return strings.Join(parts, "/"), true
}

// isClean reports whether cleanName would change nothing, for names other than ".".
func isClean(name string) bool {
	start := 0 // of the part
	for i := 0; i <= len(name); i++ {
		if i < len(name) && name[i] != '/' {
			if name[i] == 0 {
				return false
			}
			continue
		}
		switch name[start:i] {
		case "", ".", "..":
			return false
		}
		start = i + 1
	}
	return true
}

// checkPath applies the bounds on a clean path.
func checkPath(path string, b Bounds, subject string) error {
	if len(path) > b.PathLength {
		return &assay.Error{Op: "read layer", Kind: assay.ErrBound, Subject: subject, Field: path,
			Value: strconv.Itoa(len(path)) + " bytes", Bound: "at most PathLength " + strconv.Itoa(b.PathLength)}
	}
	if d := strings.Count(path, "/") + 1; d > b.PathDepth {
		return &assay.Error{Op: "read layer", Kind: assay.ErrBound, Subject: subject, Field: path,
			Value: strconv.Itoa(d) + " parts", Bound: "at most PathDepth " + strconv.Itoa(b.PathDepth)}
	}
	return nil
}

// whiteout tells what an entry of that clean name does: the operation and the path
// that it works on. An entry that no runtime unpacks gives skip; a whiteout of
// nothing gives an error text.
func whiteout(path string) (o op, target string, skip bool, bad string) {
	dir, base := ".", path
	if i := strings.LastIndexByte(path, '/'); i >= 0 {
		dir, base = path[:i], path[i+1:]
	}
	if !strings.HasPrefix(base, whiteoutPrefix) {
		return opAdd, path, false, ""
	}
	switch hidden := base[len(whiteoutPrefix):]; {
	case base == whiteoutOpaque:
		return opOpaque, dir, false, ""
	case strings.HasPrefix(base, whiteoutMeta):
		// What AUFS kept for itself; it hides a name that no file can have.
		return 0, "", true, ""
	case hidden == "" || hidden == "." || hidden == "..":
		return 0, "", false, "a whiteout that names a file"
	default:
		return opHide, join(dir, hidden), false, ""
	}
}
