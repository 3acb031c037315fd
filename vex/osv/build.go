package osv

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/sourcedate"
)

// ErrBusy is among the causes of the error of a [Build] or [Update] that found another
// at work on the same index.
var ErrBusy = errors.New("another process is writing the index")

// BuildOptions are how an index is built.
type BuildOptions struct {
	// Time is when the sources are read, for [SourceInfo]; zero means that of the
	// environment variable SOURCE_DATE_EPOCH, or else now.
	Time time.Time
	// Progress, if not nil, is called when a stage begins and every few thousand
	// records in between, in the order of the work and by one goroutine at a time.
	Progress func(Progress)
	// Workers is how many records are read at once; zero means one for each processor.
	Workers int

	sortMemory int // of tests
}

// Stage is a part of building an index.
type Stage string

const (
	StageKeep    Stage = "keep"    // records of a source that is not replaced are copied
	StageRead    Stage = "read"    // a source is read
	StageIndex   Stage = "index"   // all records are there, and their tables are written
	StagePublish Stage = "publish" // the file is whole, and will be put in its place
)

// Progress is how far building is.
type Progress struct {
	Stage Stage
	// Source is the name of the source; Records and Skipped count what was read of it.
	Source  string
	Records int
	Skipped int
}

// Report is what a [Build] or [Update] did.
type Report struct {
	Info Info
	// Read counts the records that were read, Kept those that are in the index as they
	// were before: because their source was not replaced, or has them unchanged.
	// Gone counts those of the index before that are not in this one as they were.
	Read, Kept, Gone int
	// Skipped is [Index.Skipped], and Apart is [Index.Apart].
	Skipped, Apart []Skipped
}

// Build writes an index of the sources to a file, in place of any that is there. See
// [Update], which needs less time where there is one.
func Build(ctx context.Context, path string, opts BuildOptions, sources ...Source) (*Report, error) {
	return write(ctx, path, opts, sources, false)
}

// Update brings an index up to date: the sources that are given replace those of the
// same names, other sources stay as they are. Of a source that is replaced, records
// that are unchanged are not read again, and those that it has no more are gone. If
// there is no index at that path it is built.
//
// The new index is written beside the old one (path with ".new", and for large ones
// ".sort" while it is written) and takes its place when it is whole and on the disk: at
// any time there is an old index or a new one, also when the process is killed. Who has
// the old one open keeps it. One writer at a time can do this; path with ".lock" is
// locked while it does, and stays. Another gets an error with [ErrBusy] as a cause.
//
// A record that cannot be read is left out, counted and reported ([Info], [Skipped]). A
// source that cannot be read to its end, or has no record that can, is an error, and
// nothing is written: of kind [assay.ErrInvalid] for one that is cut off or malformed,
// [assay.ErrUnchecked] for a failure to read or write, and when ctx ends. So is an index
// that is damaged, or of another format: [Build] replaces it.
//
// The same sources at the same time give the same bytes; [Info] has a digest over what
// the records say. Memory is bounded by the number of names that have aliases, and by
// the largest records: some 100 bytes for each name, and some 100 MiB besides.
func Update(ctx context.Context, path string, opts BuildOptions, sources ...Source) (*Report, error) {
	return write(ctx, path, opts, sources, true)
}

const buildOp = "build advisory index"

func failed(path string, err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*assay.Error](err); ok {
		return err
	}
	return &assay.Error{Op: buildOp, Kind: assay.ErrUnchecked, Subject: path, Err: err}
}

func write(ctx context.Context, path string, opts BuildOptions, sources []Source, keep bool) (_ *Report, err error) {
	sources = slices.Clone(sources)
	slices.SortFunc(sources, func(a, b Source) int { return cmp.Compare(a.Name, b.Name) })
	for i, s := range sources {
		if !s.Format.known() {
			return nil, &assay.Error{Op: buildOp, Kind: assay.ErrInvalid, Subject: path, Field: "format", Value: string(s.Format), Bound: "a known format"}
		}
		if s.Name == "" || len(s.Name) > 512 || !utf8.ValidString(s.Name) || strings.ContainsFunc(s.Name, func(r rune) bool { return !unicode.IsPrint(r) }) {
			return nil, &assay.Error{Op: buildOp, Kind: assay.ErrInvalid, Subject: path, Field: "source", Value: s.Name, Bound: "a printable name"}
		}
		if i > 0 && s.Name == sources[i-1].Name {
			return nil, &assay.Error{Op: buildOp, Kind: assay.ErrInvalid, Subject: path, Field: "source", Value: s.Name, Bound: "each name once"}
		}
	}
	if opts.Time.IsZero() {
		if opts.Time, err = sourcedate.Epoch(); err != nil {
			return nil, err
		}
		if opts.Time.IsZero() {
			opts.Time = time.Now()
		}
	}
	opts.Time = opts.Time.UTC().Truncate(time.Second)
	opts.sortMemory = cmp.Or(opts.sortMemory, sortMemory)

	lock, err := os.OpenFile(path+".lock", os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, failed(path, err)
	}
	defer lock.Close()
	if ok, err := tryLock(lock); err != nil {
		return nil, failed(path+".lock", err)
	} else if !ok {
		return nil, failed(path, ErrBusy)
	}

	var old *Index
	if keep {
		if old, err = Open(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		if err == nil {
			defer old.Close()
		}
	}
	if old == nil && len(sources) == 0 {
		return nil, &assay.Error{Op: buildOp, Kind: assay.ErrInvalid, Subject: path, Field: "source", Bound: "at least one source"}
	}
	temp := path + ".new"
	file, err := os.OpenFile(temp, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return nil, failed(path, err)
	}
	defer func() {
		if err != nil {
			file.Close()
			os.Remove(temp)
		}
	}()
	w, err := newWriter(file, path+".sort", opts.sortMemory)
	if err != nil {
		return nil, failed(path, err)
	}
	defer func() { err = errors.Join(err, failed(path, w.sort.close())) }()
	b := &builder{ctx: ctx, opts: opts, writer: w, old: old, report: &Report{}}
	if err := b.run(sources); err != nil {
		return nil, failed(path, err)
	}
	if err := errors.Join(file.Sync(), file.Close(), os.Rename(temp, path), syncFolder(filepath.Dir(path))); err != nil {
		return nil, failed(path, err)
	}
	b.report.Info, b.report.Skipped, b.report.Apart = w.meta.Info, w.meta.Skipped, w.meta.Apart
	return b.report, nil
}

// syncFolder makes a new name in a folder last. Where folders cannot be written to the
// disk by themselves it is the system's to do.
func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	if err := d.Sync(); err != nil && !errors.Is(err, errors.ErrUnsupported) && !errors.Is(err, fs.ErrPermission) && !errors.Is(err, fs.ErrInvalid) {
		return err
	}
	return nil
}

// builder is one build. Its context is that of the call it lives in.
type builder struct {
	ctx    context.Context
	opts   BuildOptions
	writer *writer
	old    *Index
	report *Report
	was    Progress
}

// run writes old and new sources in the order of their names.
func (b *builder) run(sources []Source) error {
	var olds []SourceInfo
	var extents []metaExtent
	if b.old != nil {
		olds, extents = b.old.meta.Info.Sources, b.old.meta.Extents
	}
	for len(olds) > 0 || len(sources) > 0 {
		switch {
		case len(sources) == 0 || len(olds) > 0 && olds[0].Name < sources[0].Name:
			if err := b.keep(olds[0], extents[0]); err != nil {
				return err
			}
			olds, extents = olds[1:], extents[1:]
		default:
			var was *metaExtent
			if len(olds) > 0 && olds[0].Name == sources[0].Name {
				was, olds, extents = &extents[0], olds[1:], extents[1:]
			}
			if err := b.read(sources[0], was); err != nil {
				return err
			}
			sources = sources[1:]
		}
	}
	if err := b.progress(Progress{Stage: StageIndex, Records: int(b.writer.records)}); err != nil {
		return err
	}
	if err := b.writer.finish(b.ctx); err != nil {
		return err
	}
	return b.progress(Progress{Stage: StagePublish, Records: int(b.writer.records)})
}

// progress tells what is done, and whether to go on.
func (b *builder) progress(p Progress) error {
	if b.opts.Progress != nil && p != b.was {
		b.opts.Progress(p)
		b.was = p
	}
	return b.ctx.Err()
}

// every is how many records there are between two calls of Progress.
const every = 4096

// counted tells of the current source.
func (b *builder) counted(stage Stage) error {
	s, e := b.writer.current()
	if n := e.Records + e.Skipped; n%every != 0 {
		return nil
	}
	return b.progress(Progress{stage, s.Name, e.Records, e.Skipped})
}

// keep copies the records of a source that is not replaced.
func (b *builder) keep(s SourceInfo, e metaExtent) error {
	b.writer.source(s)
	b.writer.unread(e.Skipped)
	for _, skipped := range b.old.meta.Skipped {
		if skipped.Source == s.Name {
			b.writer.note(skipped)
		}
	}
	if err := b.progress(Progress{Stage: StageKeep, Source: s.Name}); err != nil {
		return err
	}
	return b.old.records(e, func(record []byte, _ extent) error {
		b.report.Kept++
		if err := b.writer.add(record); err != nil {
			return err
		}
		return b.counted(StageKeep)
	})
}

// read reads a source; was is where the index before has its records.
func (b *builder) read(s Source, was *metaExtent) error {
	b.writer.source(SourceInfo{Name: s.Name, Format: string(s.Format), Read: b.opts.Time})
	if err := b.progress(Progress{Stage: StageRead, Source: s.Name}); err != nil {
		return err
	}
	kept := b.report.Kept
	read := b.readTracker
	if s.Format == FormatOSV {
		read = b.readOSV
	}
	if err := read(s, was); err != nil {
		return err
	}
	if was != nil {
		b.report.Gone += was.Records - (b.report.Kept - kept)
	}
	_, e := b.writer.current()
	if e.Records == 0 {
		err := &assay.Error{Op: "read advisories", Kind: assay.ErrInvalid, Subject: cmp.Or(s.Path, s.Name), Value: strconv.Itoa(e.Skipped) + " skipped", Bound: "at least one record that can be read"}
		if list := b.writer.meta.Skipped; e.Skipped > 0 && len(list) > 0 {
			last := list[len(list)-1]
			err.Field, err.Err = last.File, errors.New(last.Reason)
		}
		return err
	}
	return b.progress(Progress{StageRead, s.Name, e.Records, e.Skipped})
}

// skip leaves a record out.
func (b *builder) skip(file string, err error) error {
	b.writer.skip(file, err.Error())
	return b.counted(StageRead)
}

func tooLarge(name string, size, most int64) error {
	return &assay.Error{Op: readOp, Kind: assay.ErrBound, Subject: name, Value: strconv.FormatInt(size, 10) + " bytes", Bound: "at most " + strconv.FormatInt(most, 10)}
}
