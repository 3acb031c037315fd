package osv

import (
	"archive/zip"
	"cmp"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/assaykit/assay"
)

// Format is what the files of a source are.
type Format string

const (
	// FormatOSV is a record a file, as in the all.zip of an ecosystem of osv.dev.
	FormatOSV Format = "osv"
	// FormatDebian is the JSON of security-tracker.debian.org/tracker/data/json.
	FormatDebian Format = "debian-tracker"
	// FormatAlpine is the JSON of secdb.alpinelinux.org: main.json, community.json.
	FormatAlpine Format = "alpine-secdb"
	// FormatKEV is the JSON of CISA's catalogue of known exploited vulnerabilities.
	FormatKEV Format = "cisa-kev"
)

func (f Format) known() bool {
	return slices.Contains([]Format{FormatOSV, FormatDebian, FormatAlpine, FormatKEV}, f)
}

// Source is what an index is built of.
type Source struct {
	// Name is what an update replaces the source by: any printable text, as "osv/npm".
	Name   string
	Format Format
	// Path is a file, a folder that is read with all that is below it, or a zip
	// archive. In folders and archives the files named *.json are read, in the order
	// of their names and of the archive.
	Path string
	// FS is where Path is, the file system of the machine if nil. A zip archive in it
	// must be an [io.ReaderAt].
	FS fs.FS
}

// input is one file of a source.
type input struct {
	name string
	size int64 // -1 if it is not known before it is read
	open func() (io.ReadCloser, error)
}

// errNoFile is what a pipe, a socket or a device is refused for.
var errNoFile = errors.New("not a regular file, a folder or an archive")

// unreadable is the error of a source as a whole.
func (s Source) unreadable(kind error, file string, err error) error {
	if _, ok := errors.AsType[*assay.Error](err); ok {
		return err
	}
	return &assay.Error{Op: "read advisories", Kind: kind, Subject: cmp.Or(s.Path, s.Name), Field: file, Err: err}
}

// listing is a source that is open: its files can be opened until it is closed.
type listing struct {
	each  func(yield func(input) error) error
	close func() error
}

func (s Source) open() (*listing, error) {
	fsys, name := s.FS, cmp.Or(s.Path, ".")
	stat := os.Stat
	if fsys != nil {
		stat = func(name string) (fs.FileInfo, error) { return fs.Stat(fsys, name) }
	}
	info, err := stat(name)
	if err != nil {
		return nil, s.unreadable(assay.ErrUnchecked, "", err)
	}
	if info.IsDir() {
		if fsys == nil {
			fsys, name = os.DirFS(name), "."
		}
		return &listing{func(yield func(input) error) error { return s.folder(fsys, name, yield) }, func() error { return nil }}, nil
	}
	if !info.Mode().IsRegular() {
		return nil, s.unreadable(assay.ErrUnchecked, "", errNoFile)
	}
	open := func() (fs.File, error) {
		if fsys == nil {
			return os.Open(name)
		}
		return fsys.Open(name)
	}
	file, err := open()
	if err != nil {
		return nil, s.unreadable(assay.ErrUnchecked, "", err)
	}
	var head [4]byte
	n, err := io.ReadFull(file, head[:])
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		file.Close()
		return nil, s.unreadable(assay.ErrUnchecked, "", err)
	}
	if zipped := string(head[:n]) == "PK\x03\x04" || string(head[:n]) == "PK\x05\x06"; zipped || strings.HasSuffix(name, ".zip") {
		z, err := s.archive(file, info.Size())
		if err != nil {
			file.Close()
			return nil, err
		}
		return &listing{func(yield func(input) error) error { return archived(z, yield) }, file.Close}, nil
	}
	one := input{path.Base(filepath.ToSlash(name)), info.Size(), func() (io.ReadCloser, error) { return open() }}
	return &listing{func(yield func(input) error) error { return yield(one) }, file.Close}, nil
}

func (s Source) folder(fsys fs.FS, root string, yield func(input) error) error {
	return fs.WalkDir(fsys, root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return s.unreadable(assay.ErrUnchecked, name, err)
		}
		if d.IsDir() || !strings.HasSuffix(name, ".json") {
			return nil
		}
		if !d.Type().IsRegular() { // to open a pipe waits for whoever writes to it
			if info, err := fs.Stat(fsys, name); err != nil || !info.Mode().IsRegular() {
				return s.unreadable(assay.ErrUnchecked, name, cmp.Or(err, errNoFile))
			}
		}
		return yield(input{name, -1, func() (io.ReadCloser, error) { return fsys.Open(name) }})
	})
}

func (s Source) archive(file fs.File, size int64) (*zip.Reader, error) {
	r, ok := file.(io.ReaderAt)
	if !ok {
		return nil, s.unreadable(assay.ErrUnchecked, "", errors.New("an archive that can only be read from its beginning"))
	}
	z, err := zip.NewReader(r, size)
	if err != nil {
		return nil, s.unreadable(kindOfRead(err), "", err)
	}
	return z, nil
}

func archived(z *zip.Reader, yield func(input) error) error {
	for _, f := range z.File {
		if f.FileInfo().IsDir() || !strings.HasSuffix(f.Name, ".json") {
			continue
		}
		if err := yield(input{f.Name, int64(min(f.UncompressedSize64, 1<<62)), f.Open}); err != nil {
			return err
		}
	}
	return nil
}

// readInput reads one file whole, at most most bytes of it. An archive that was cut
// off or changed is known by that its pieces do not inflate, or not to what their
// checksums say: that is an error of the source and not of one record.
func (s Source) readInput(in input, buf []byte, most int64) ([]byte, error) {
	if in.size > most {
		return nil, tooLarge(in.name, in.size, most)
	}
	r, err := in.open()
	if err != nil {
		return nil, &sourceError{s.unreadable(kindOfRead(err), in.name, err)}
	}
	defer r.Close()
	buf = buf[:0]
	for {
		if len(buf) == cap(buf) {
			buf = append(buf, 0)[:len(buf)]
		}
		n, err := r.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		switch {
		case int64(len(buf)) > most:
			return nil, tooLarge(in.name, int64(len(buf)), most)
		case err == io.EOF:
			return buf, nil
		case err != nil:
			return nil, &sourceError{s.unreadable(kindOfRead(err), in.name, err)}
		}
	}
}

// sourceError is one that no record can be skipped for.
type sourceError struct{ error }

func (e *sourceError) Unwrap() error { return e.error }

// kindOfRead tells a file that is broken from one that could not be read.
func kindOfRead(err error) error {
	if _, ok := errors.AsType[*fs.PathError](err); ok {
		return assay.ErrUnchecked
	}
	return assay.ErrInvalid
}
