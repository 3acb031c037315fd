package posture

import (
	"errors"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/sbom"
)

// image is what the rules ask.
type image struct {
	*sbom.Contents
	config *v1.Config // nil for a folder
	user   user
	// foreign is the operating system if it is not Linux; ambiguous the first entry
	// that runtimes differ on.
	foreign, ambiguous string
	// table is the first layer that was read by its table of contents, "" if none was.
	table string
	// volumes are the declared ones that writable files may be in.
	volumes []string
	// loaders are the paths of dynamic loaders, complete after all files were seen.
	loaders []string
}

// entry is a file with what several rules need of it.
type entry struct {
	sbom.File
	base  string
	names []string // see toolNames
}

func newImage(c *sbom.Contents) *image {
	im := &image{Contents: c}
	if os := c.Platform.Normalize().OS; os != "" && os != "linux" {
		im.foreign = os
	}
	if len(c.Ambiguous) > 0 {
		im.ambiguous = quote(strings.ToValidUTF8(c.Ambiguous[0].Path, "\uFFFD")) + " (" + c.Ambiguous[0].Reason + ")"
	}
	if i := slices.IndexFunc(c.Layers, func(l sbom.Layer) bool { return !l.TOC.IsZero() }); i >= 0 {
		im.table = "layer " + strconv.Itoa(i)
	}
	if c.ConfigDigest.IsZero() {
		return im
	}
	im.config = &c.Config.Config
	im.user = resolveUser(im.config.User, c.ReadSmall)
	for v := range im.config.Volumes {
		if v = rel(v); !systemFolder(v) {
			im.volumes = append(im.volumes, v)
		}
	}
	return im
}

// rel is a path in the form of sbom.File.Path.
func rel(p string) string {
	p = strings.TrimPrefix(path.Clean("/"+p), "/")
	if p == "" {
		return "."
	}
	return p
}

// under reports whether a path is a folder or in it.
func under(p, folder string) bool {
	return p == folder || strings.HasPrefix(p, folder) && len(p) > len(folder) && p[len(folder)] == '/'
}

// systemFolder reports paths where a volume excuses nothing: what is there belongs
// to the image, and Kubernetes does not mount declared volumes at all.
func systemFolder(p string) bool {
	first, _, _ := strings.Cut(p, "/")
	switch first {
	case ".", "bin", "boot", "etc", "lib", "lib32", "lib64", "libx32", "sbin", "usr":
		return true
	}
	return false
}

// executable gives the file that executing a name runs: a regular file with an
// execute bit, or a symbolic link that leads to one.
func (im *image) executable(e *entry) bool {
	if e.Executable() {
		return true
	}
	if e.Mode&fs.ModeSymlink == 0 {
		return false
	}
	target, err := im.Lookup(e.Path)
	return err == nil && target.Executable()
}

const maxLinks = 255

// walk follows a path as the kernel does and gives every folder and file on the way,
// those that links lead through included. The error says where it ends.
func (im *image) walk(p string) ([]sbom.File, error) {
	var seen []sbom.File
	if root, ok := im.Get("."); ok {
		seen = append(seen, root)
	}
	at, links := ".", 0
	todo := strings.Split(strings.Trim(p, "/"), "/")
	for len(todo) > 0 {
		part := todo[0]
		todo = todo[1:]
		switch part {
		case "", ".":
			continue
		case "..":
			at = path.Dir(at)
			continue
		}
		next := path.Join(at, part)
		f, ok := im.Get(next)
		if !ok {
			return seen, &assay.Error{Op: "follow path", Kind: assay.ErrAbsent, Subject: p, Field: next}
		}
		if f.Mode&fs.ModeSymlink == 0 {
			if len(todo) > 0 && !f.Mode.IsDir() {
				return seen, &assay.Error{Op: "follow path", Kind: assay.ErrAbsent, Subject: p, Field: next, Bound: "a folder"}
			}
			seen = append(seen, f)
			at = next
			continue
		}
		if links++; links > maxLinks {
			return seen, &assay.Error{Op: "follow path", Kind: assay.ErrInvalid, Subject: p, Bound: "at most 255 symbolic links"}
		}
		if strings.HasPrefix(f.Link, "/") {
			at = "."
		}
		todo = append(strings.Split(strings.Trim(f.Link, "/"), "/"), todo...)
	}
	return seen, nil
}

func absent(err error) bool { return errors.Is(err, assay.ErrAbsent) }
