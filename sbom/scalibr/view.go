package scalibr

import (
	"bytes"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/assaykit/assay/sbom"
)

// view is a file system with one file and os-release.
type view struct {
	file    sbom.File
	content []byte

	// late is set when osRelease is known. Before that, asked notes that somebody
	// wanted it, and there is an empty one.
	late      bool
	asked     bool
	osRelease []byte
}

const release = "etc/os-release"

// find gives a file's facts and content; folders have none.
func (v *view) find(op, name string) (info, []byte, error) {
	if !fs.ValidPath(name) {
		return info{}, nil, &fs.PathError{Op: op, Path: name, Err: fs.ErrInvalid}
	}
	isRelease := name == release && v.file.Path != release
	if isRelease || name == "usr/lib/os-release" {
		v.asked = v.asked || !v.late
	}
	switch {
	case name == v.file.Path:
		return info{v.file}, v.content, nil
	case isRelease && (!v.late || len(v.osRelease) > 0):
		return info{sbom.File{Path: release, Mode: 0o644, Size: int64(len(v.osRelease))}}, v.osRelease, nil
	case name == ".", name == "etc", strings.HasPrefix(v.file.Path, name+"/"):
		return info{sbom.File{Path: name, Mode: fs.ModeDir | 0o755}}, nil, nil
	}
	return info{}, nil, &fs.PathError{Op: op, Path: name, Err: fs.ErrNotExist}
}

// Open implements [fs.FS]. What it gives for files has io.ReaderAt and io.Seeker,
// which extractors may demand.
func (v *view) Open(name string) (fs.File, error) {
	i, content, err := v.find("open", name)
	if err != nil {
		return nil, err
	}
	if i.IsDir() {
		entries, err := v.ReadDir(name)
		return &folder{info: i, entries: entries}, err
	}
	return &opened{Reader: bytes.NewReader(content), info: i}, nil
}

// Stat implements [fs.StatFS].
func (v *view) Stat(name string) (fs.FileInfo, error) {
	i, _, err := v.find("stat", name)
	if err != nil {
		return nil, err
	}
	return i, nil
}

// ReadDir implements [fs.ReadDirFS].
func (v *view) ReadDir(name string) ([]fs.DirEntry, error) {
	i, _, err := v.find("readdir", name)
	if err != nil {
		return nil, err
	}
	if !i.IsDir() {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: fs.ErrInvalid}
	}
	var out []fs.DirEntry
	for _, p := range []string{v.file.Path, release} {
		if name != "." {
			var in bool
			if p, in = strings.CutPrefix(p, name+"/"); !in {
				continue
			}
		}
		child, _, _ := strings.Cut(p, "/")
		i, _, err := v.find("readdir", path.Join(name, child))
		if err != nil || slices.ContainsFunc(out, func(e fs.DirEntry) bool { return e.Name() == child }) {
			continue // there is no os-release, or it is in a folder that is listed
		}
		out = append(out, fs.FileInfoToDirEntry(i))
	}
	slices.SortFunc(out, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return out, nil
}

// info is a file's facts as io/fs has them. Nothing knows the time: an SBOM must not
// depend on it.
type info struct{ file sbom.File }

func (i info) Name() string      { return path.Base(i.file.Path) }
func (i info) Size() int64       { return i.file.Size }
func (i info) Mode() fs.FileMode { return i.file.Mode }
func (info) ModTime() time.Time  { return time.Time{} }
func (i info) IsDir() bool       { return i.file.Mode.IsDir() }
func (info) Sys() any            { return nil }

// opened is an open file.
type opened struct {
	*bytes.Reader
	info info
}

func (o *opened) Stat() (fs.FileInfo, error) { return o.info, nil }
func (o *opened) Close() error               { return nil }

// folder is an open folder.
type folder struct {
	info    info
	entries []fs.DirEntry
}

func (f *folder) Stat() (fs.FileInfo, error) { return f.info, nil }
func (f *folder) Close() error               { return nil }

func (f *folder) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: f.info.file.Path, Err: fs.ErrInvalid}
}

// ReadDir implements [fs.ReadDirFile].
func (f *folder) ReadDir(n int) ([]fs.DirEntry, error) {
	if n <= 0 {
		n = len(f.entries)
	} else if len(f.entries) == 0 {
		return nil, io.EOF
	}
	n = min(n, len(f.entries))
	out := f.entries[:n]
	f.entries = f.entries[n:]
	return out, nil
}
