package image

import (
	"archive/tar"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"strconv"
	"strings"

	"github.com/assaykit/assay"
)

// archive is a tar archive of files. It is indexed once, by its headers, and read
// in place.
type archive struct {
	path    string
	file    *os.File
	members map[string]member
}

type member struct {
	at, size int64
	link     string // the name it leads to, if it is a link
	twice    bool
}

// maxMembers bounds the index of an archive.
const maxMembers = 100_000

func openArchive(ctx context.Context, file string) (*archive, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, fileError(file, "", err)
	}
	a := &archive{path: file, file: f, members: make(map[string]member)}
	if err := a.index(ctx); err != nil {
		f.Close()
		return nil, err
	}
	return a, nil
}

func (a *archive) index(ctx context.Context) error {
	invalid := func(field, value, bound string, err error) error {
		return &assay.Error{Op: "read archive", Kind: assay.ErrInvalid, Subject: a.path, Field: field, Value: value, Bound: bound, Err: err}
	}
	info, err := a.file.Stat()
	if err != nil {
		return fileError(a.path, "", err)
	}
	if !info.Mode().IsRegular() {
		return invalid("", info.Mode().Type().String(), "a regular file", nil)
	}
	var magic [4]byte
	n, err := a.file.ReadAt(magic[:], 0)
	if err != nil && err != io.EOF {
		return fileError(a.path, "", err)
	}
	switch head := string(magic[:n]); {
	case strings.HasPrefix(head, "\x1f\x8b"):
		return invalid("", "gzip", "an uncompressed archive, since its members are read in place; unpack it with gunzip", nil)
	case head == "\x28\xb5\x2f\xfd":
		return invalid("", "zstd", "an uncompressed archive, since its members are read in place; unpack it with unzstd", nil)
	}
	sr := io.NewSectionReader(a.file, 0, info.Size())
	tr := tar.NewReader(sr)
	for count := 0; ; count++ {
		if count%256 == 0 && ctx.Err() != nil {
			return &assay.Error{Op: "read archive", Kind: assay.ErrUnchecked, Subject: a.path, Err: context.Cause(ctx)}
		}
		h, err := tr.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil && !errors.Is(err, tar.ErrInsecurePath) {
			return invalid("entry "+strconv.Itoa(count), "", "", err)
		}
		if count >= maxMembers {
			return &assay.Error{Op: "read archive", Kind: assay.ErrBound, Subject: a.path, Field: "entries", Value: "more than " + strconv.Itoa(maxMembers), Bound: "at most " + strconv.Itoa(maxMembers)}
		}
		at, err := sr.Seek(0, io.SeekCurrent)
		if err != nil {
			return fileError(a.path, h.Name, err)
		}
		name := strings.TrimPrefix(path.Clean("/"+h.Name), "/")
		m := member{at: at, size: h.Size}
		switch h.Typeflag {
		case tar.TypeReg:
			if at+h.Size > info.Size() {
				return invalid(name, "", "an archive that is not cut off", io.ErrUnexpectedEOF)
			}
			if isSparse(h) {
				return invalid(name, "sparse file", "a plain one", nil)
			}
		case tar.TypeSymlink:
			m.link = strings.TrimPrefix(path.Clean("/"+path.Join(path.Dir(name), h.Linkname)), "/")
		case tar.TypeLink:
			m.link = strings.TrimPrefix(path.Clean("/"+h.Linkname), "/")
		default:
			continue
		}
		_, m.twice = a.members[name]
		a.members[name] = m
	}
}

// isSparse reports whether the content is not stored as one piece.
func isSparse(h *tar.Header) bool {
	for k := range h.PAXRecords {
		if strings.HasPrefix(k, "GNU.sparse.") {
			return true
		}
	}
	return false
}

func (a *archive) String() string { return a.path }
func (a *archive) Close() error   { return a.file.Close() }

// stat finds a member, following links as far as there are.
func (a *archive) stat(name string) (member, error) {
	at := name
	for range 10 {
		m, ok := a.members[at]
		switch {
		case !ok:
			return member{}, fileError(a.path, name, fs.ErrNotExist)
		case m.twice && !strings.Contains(at, "/"):
			// Which of two documents counts, readers disagree about. Blobs are
			// known by their digests.
			return member{}, &assay.Error{Op: "read archive", Kind: assay.ErrInvalid, Subject: a.path, Field: at, Bound: "a member that is there once"}
		case m.link == "":
			return m, nil
		}
		at = m.link
	}
	return member{}, &assay.Error{Op: "read archive", Kind: assay.ErrInvalid, Subject: a.path, Field: name, Bound: "no loop of links"}
}

func (a *archive) open(name string) (io.ReadCloser, error) {
	m, err := a.stat(name)
	if err != nil {
		return nil, err
	}
	return io.NopCloser(io.NewSectionReader(a.file, m.at, m.size)), nil
}
