package layers

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"syscall"

	"github.com/assaykit/assay"
)

// PassFolder reads a folder as if it were an image of one layer: the same visitors,
// the same bounds, and a [Result] that has no digests. Symbolic links are not
// followed out of it; within, they mean what they would mean to a process that has
// the folder as its root. Sockets are left out. Hard links are not recognized: each
// name is a file of its own.
//
// Nothing proves what is in a folder, and it can change while it is read. A file
// that cannot be read and whose content is wanted is [assay.ErrUnchecked]; a folder
// that does not exist is [assay.ErrAbsent].
func PassFolder(ctx context.Context, folder string, opts Options, visitors ...Visitor) (*Result, error) {
	opts = opts.withDefaults()
	c, err := newCollector(opts, visitors)
	if err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(folder)
	if err != nil {
		return nil, folderError(folder, "", err)
	}
	defer root.Close()
	h := &harvest{subject: folder}
	w := &folderWalk{c: c, h: h, root: root}
	if err := fs.WalkDir(root.FS(), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return folderError(folder, path, err)
		}
		if ctx.Err() != nil {
			return h.fail("read folder", assay.ErrUnchecked, path, "", "", context.Cause(ctx))
		}
		return w.entry(ctx, path, d)
	}); err != nil {
		return nil, err
	}
	if err := h.settle(func(only map[int][]request) error { return w.again(ctx, 0, only) }); err != nil {
		return nil, err
	}
	res := &Result{Layers: []Layer{{Entries: w.n}}}
	merged := newMerging(opts.Bounds, 1)
	merged.add(ctx, 0, h)
	if err := c.finish(ctx, res, merged, w.again); err != nil {
		return nil, err
	}
	return res, nil
}

func folderError(folder, path string, err error) error {
	out := &assay.Error{Op: "read folder", Kind: assay.ErrUnchecked, Subject: folder, Field: path, Err: err}
	if _, ok := errors.AsType[*assay.Error](err); ok {
		return err
	}
	if path == "" && errors.Is(err, fs.ErrNotExist) {
		out.Kind = assay.ErrAbsent
	}
	return out
}

type folderWalk struct {
	c    *collector
	h    *harvest
	root *os.Root
	n    int
}

// entry is what walk and first are to a tar stream.
func (w *folderWalk) entry(ctx context.Context, path string, d fs.DirEntry) error {
	b, h := w.c.opts.Bounds, w.h
	pos := w.n
	if w.n++; pos >= min(b.Entries, b.TotalEntries) {
		return h.fail("read folder", assay.ErrBound, "entries", "more than "+strconv.Itoa(pos), "at most Entries "+strconv.Itoa(pos), nil)
	}
	path = filepath.ToSlash(path)
	if err := checkPath(path, b, h.subject); err != nil {
		return err
	}
	info, err := d.Info()
	if err != nil {
		return folderError(h.subject, path, err)
	}
	f := h.newFile()
	*f = File{Path: path, Mode: modeBits(info.Mode()), pos: pos}
	f.UID, f.GID = owner(info)
	switch m := info.Mode(); m.Type() {
	case 0:
		f.Size = info.Size()
	case fs.ModeDir:
		f.Type = Dir
	case fs.ModeSymlink:
		f.Type = Symlink
		if f.Link, err = w.root.Readlink(path); err != nil {
			return folderError(h.subject, path, err)
		}
		f.Link = filepath.ToSlash(f.Link)
	case fs.ModeNamedPipe:
		f.Type = Fifo
	case fs.ModeDevice:
		f.Type = BlockDevice
	case fs.ModeDevice | fs.ModeCharDevice:
		f.Type = CharDevice
	default:
		return nil
	}
	h.entries = append(h.entries, entry{opAdd, f})
	if f.Executable() {
		// Without the right to read it, there is no telling; it is no error because
		// no visitor asked.
		if file, err := w.open(f); err == nil {
			f.Capabilities = fileCapabilities(file)
			file.Close()
		}
	}
	content := &lazyFile{open: func() (*os.File, error) { return w.open(f) }}
	defer content.Close()
	if err := w.c.match(ctx, h, f, content); err != nil {
		return w.readError(f, content, err)
	}
	return nil
}

// readError tells a file that could not be read from the other failures: what is an
// invalid archive in a layer is a file that changed or is not ours to read.
func (w *folderWalk) readError(f *File, content *lazyFile, err error) error {
	if content.err != nil && content.err != io.EOF {
		return folderError(w.h.subject, f.Path, content.err)
	}
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return folderError(w.h.subject, f.Path, errors.New("the file became shorter while it was read"))
	}
	return err
}

// open opens a file that was a regular one, without waiting if it is now a pipe.
func (w *folderWalk) open(f *File) (*os.File, error) {
	file, err := w.root.OpenFile(filepath.FromSlash(f.Path), os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("the file is no regular file any more")
	}
	if err != nil {
		file.Close()
		return nil, err
	}
	return file, nil
}

// again serves what was wanted under the names of symbolic links, and what streams
// asked for.
func (w *folderWalk) again(ctx context.Context, _ int, only map[int][]request) error {
	for _, wishes := range only {
		f := wishes[0].content()
		content := &lazyFile{open: func() (*os.File, error) { return w.open(f) }}
		err := w.c.show(ctx, w.h, f, wishes, content)
		content.Close()
		if err != nil {
			return w.readError(f, content, err)
		}
	}
	return nil
}

// lazyFile opens the file at the first read.
type lazyFile struct {
	open func() (*os.File, error)
	file *os.File
	err  error
}

func (l *lazyFile) Read(b []byte) (int, error) {
	if l.file == nil && l.err == nil {
		l.file, l.err = l.open()
	}
	if l.err != nil {
		return 0, l.err
	}
	n, err := l.file.Read(b)
	l.err = err
	return n, err
}

func (l *lazyFile) Close() {
	if l.file != nil {
		l.file.Close()
	}
}

func modeBits(m fs.FileMode) uint32 {
	bits := uint32(m.Perm())
	if m&fs.ModeSetuid != 0 {
		bits |= ModeSetuid
	}
	if m&fs.ModeSetgid != 0 {
		bits |= ModeSetgid
	}
	if m&fs.ModeSticky != 0 {
		bits |= ModeSticky
	}
	return bits
}
