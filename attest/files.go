package attest

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/assaykit/assay"
)

// FileSource reads envelopes from files: one envelope in a .json file, one on each
// line of a .jsonl file (in-toto attestation v1.2, spec/v1/bundle.md). In place of an
// envelope there may be what npm's registry (/-/npm/v1/attestations/NAME@VERSION) and
// GitHub's API answer, or "gcloud artifacts docker images describe --show-provenance"
// prints: all envelopes in it are read.
type FileSource struct {
	paths  []string
	limits Limits
}

// FromFiles reads every envelope of the files, whatever it is about. A path may name
// a folder, too; see [FromFolder].
func FromFiles(paths ...string) *FileSource { return &FileSource{paths: slices.Clone(paths)} }

// FromFolder reads the .json, .jsonl and .link files in a folder and the folders below it,
// as [FromFiles] does. Links are not followed.
func FromFolder(dir string) *FileSource { return &FileSource{paths: []string{dir}} }

// WithLimits gives a source that is bounded by l.
func (s *FileSource) WithLimits(l Limits) *FileSource {
	c := *s
	c.limits = l
	return &c
}

// Discover implements [Source]. It gives all envelopes, because what they are about
// is known only when their signatures are verified. A statement that nobody signed is
// given as [assay.MediaTypeInToto], to be shown as that. A line or file of JSON that is
// neither is counted as ignored; what is not JSON is a [Fault]. A file that
// is not there is a Fault of kind [Absent].
func (s *FileSource) Discover(ctx context.Context, subject assay.Digest) (*Found, error) {
	r := &fileReader{limits: s.limits.withDefaults(), ignored: map[Ignored]int{}}
	for _, p := range s.paths {
		r.path(ctx, p)
	}
	out := &Found{Bundle: assay.NewBundle(subject, r.envelopes...), Faults: r.faults}
	slices.SortFunc(out.Faults, Fault.Compare)
	for i, n := range r.ignored {
		i.Count = n
		out.Ignored = append(out.Ignored, i)
	}
	slices.SortFunc(out.Ignored, compareIgnored)
	return out, nil
}

func compareIgnored(a, b Ignored) int {
	return cmp.Or(cmp.Compare(a.Store, b.Store), cmp.Compare(a.Type, b.Type))
}

// ReadFiles reads the envelopes of files, and of the files in folders. Any [Fault]
// is an error.
func ReadFiles(ctx context.Context, paths ...string) ([]assay.Envelope, error) {
	f, err := FromFiles(paths...).Discover(ctx, assay.Digest{})
	if err != nil {
		return nil, err
	}
	var errs []error
	for _, x := range f.Faults {
		errs = append(errs, x.Err)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return slices.Collect(f.Bundle.Envelopes()), nil
}

type fileReader struct {
	limits    Limits
	envelopes []assay.Envelope
	bytes     int64
	faults    []Fault
	ignored   map[Ignored]int
}

func (r *fileReader) fault(store, reference string, err error) {
	f := Fault{Store: store, Reference: reference, Err: err}
	if errors.Is(err, assay.ErrAbsent) {
		f.Kind = Absent
	}
	r.faults = append(r.faults, f)
}

func readError(path string, err error) error {
	kind := assay.ErrUnchecked
	if errors.Is(err, fs.ErrNotExist) {
		kind = assay.ErrAbsent
	}
	return &assay.Error{Op: "read file", Kind: kind, Subject: path, Err: err}
}

func (r *fileReader) path(ctx context.Context, path string) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		r.fault(path, "", readError(path, err))
	case info.IsDir():
		r.folder(ctx, path)
	case info.Mode().IsRegular():
		r.file(path)
	default:
		r.fault(path, "", &assay.Error{Op: "read file", Kind: assay.ErrInvalid, Subject: path, Value: info.Mode().String(), Bound: "a regular file or a folder"})
	}
}

func (r *fileReader) folder(ctx context.Context, dir string) {
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			r.fault(path, "", readError(path, err))
			return nil
		case !d.Type().IsRegular():
			return nil
		}
		switch filepath.Ext(path) {
		case ".json", ".jsonl", ".link":
			r.file(path)
		default:
			r.ignored[Ignored{Store: dir, Type: "file " + filepath.Ext(path)}]++
		}
		return nil
	})
	if err != nil {
		r.fault(dir, "", readError(dir, err))
	}
}

func (r *fileReader) file(path string) {
	file, err := os.Open(path)
	if err != nil {
		r.fault(path, "", readError(path, err))
		return
	}
	defer file.Close()
	left := r.limits.TotalBytes - r.bytes
	data, err := io.ReadAll(io.LimitReader(file, left+1))
	if err != nil {
		r.fault(path, "", readError(path, err))
		return
	}
	if int64(len(data)) > left {
		r.fault(path, "", &assay.Error{Op: "read files", Kind: assay.ErrBound, Subject: path, Value: "more", Bound: "at most " + strconv.FormatInt(r.limits.TotalBytes, 10) + " bytes"})
		return
	}
	r.bytes += int64(len(data))
	if filepath.Ext(path) != ".jsonl" {
		r.document(path, "", data)
		return
	}
	for n := 1; len(data) > 0; n++ {
		line, rest, _ := bytes.Cut(data, []byte{'\n'})
		if line = bytes.TrimSpace(line); len(line) > 0 {
			r.document(path, "line "+strconv.Itoa(n), line)
		}
		data = rest
	}
}

func (r *fileReader) document(path, reference string, data []byte) {
	name := path
	if reference != "" {
		name += " " + reference
	}
	mediaType, err := sniff(name, data, r.limits.BlobBytes)
	switch {
	case err != nil:
		r.fault(path, reference, err)
		return
	case mediaType != "":
		r.add(path, reference, name, mediaType, data)
		return
	}
	inside, err := unwrap(name, data, r.limits.BlobBytes)
	switch {
	case err != nil:
		r.fault(path, reference, err)
	case len(inside) == 0:
		r.ignored[Ignored{Store: path, Type: "JSON that is not an envelope"}]++
	}
	for _, e := range inside {
		mediaType, err := sniff(name+" "+e.at, e.raw, r.limits.BlobBytes)
		switch {
		case err != nil:
			r.fault(path, e.at, err)
		case mediaType == "":
			r.ignored[Ignored{Store: path, Type: "JSON that is not an envelope"}]++
		default:
			r.add(path, e.at, name+" "+e.at, mediaType, e.raw)
		}
	}
}

func (r *fileReader) add(path, reference, name, mediaType string, data []byte) {
	if len(r.envelopes) == r.limits.Referrers {
		r.fault(path, reference, &assay.Error{Op: "read files", Kind: assay.ErrBound, Subject: name, Value: "more", Bound: "at most " + strconv.Itoa(r.limits.Referrers) + " envelopes"})
		return
	}
	r.envelopes = append(r.envelopes, assay.NewEnvelope(mediaType, data, name))
}

// WriteFile writes envelopes: one envelope on each line to a .jsonl file, byte for
// byte where it has no line breaks; exactly one, byte for byte, to a .json file.
// They are sorted by digest, each once. The file is replaced whole or not at all.
//
// An envelope that is not whole without its annotations ([assay.Envelope.Annotations])
// is an [assay.ErrInvalid]: a file keeps the bytes alone. So is a payload without its
// signature.
func WriteFile(path string, envelopes ...assay.Envelope) error {
	sorted := slices.Collect(assay.NewBundle(assay.Digest{}, envelopes...).Envelopes())
	bad := func(value, bound string, err error) error {
		return &assay.Error{Op: "write envelopes", Kind: assay.ErrInvalid, Subject: path, Value: value, Bound: bound, Err: err}
	}
	if err := keepable(path, sorted); err != nil {
		return err
	}
	var b bytes.Buffer
	switch ext := filepath.Ext(path); {
	case ext == ".json" && len(sorted) == 1:
		b.Write(sorted[0].Raw())
	case ext == ".json":
		return bad(strconv.Itoa(len(sorted))+" envelopes", "one, or a .jsonl file", nil)
	case ext == ".jsonl":
		for _, e := range sorted {
			line := jsontext.Value(e.Raw())
			if bytes.ContainsAny(line, "\r\n") {
				if err := line.Compact(); err != nil {
					return bad(e.Digest().String(), "JSON", err)
				}
			}
			b.Write(line)
			b.WriteByte('\n')
		}
	default:
		return bad(ext, "a name that ends in .json or .jsonl", nil)
	}
	return replaceFile(path, b.Bytes())
}

// keepable refuses envelopes of which a file would keep a part.
func keepable(path string, envelopes []assay.Envelope) error {
	for _, e := range envelopes {
		if len(e.Annotations()) > 0 || e.MediaType() == assay.MediaTypeSimpleSigning {
			return &assay.Error{Op: "write envelopes", Kind: assay.ErrInvalid, Subject: path, Field: "annotations", Value: e.Digest().String(), Bound: "an envelope that is whole without annotations"}
		}
	}
	return nil
}

// WriteFolder writes each envelope, byte for byte, to a file of its own in the
// folder, which is made if it is missing. The name is the envelope's digest, so
// writing again changes nothing. What [WriteFile] refuses is refused before the first
// is written.
func WriteFolder(dir string, envelopes ...assay.Envelope) error {
	if err := keepable(dir, envelopes); err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return &assay.Error{Op: "write envelopes", Kind: assay.ErrUnchecked, Subject: dir, Err: err}
	}
	for _, e := range envelopes {
		suffix := ".sigstore.json"
		switch {
		case e.MediaType() == assay.MediaTypeInToto:
			suffix = ".intoto.json"
		case !strings.HasPrefix(e.MediaType(), bundleTypePrefix):
			suffix = ".dsse.json"
		}
		d := e.Digest()
		if err := replaceFile(filepath.Join(dir, string(d.Algorithm())+"-"+d.Hex()+suffix), e.Raw()); err != nil {
			return err
		}
	}
	return nil
}

// replaceFile writes beside the file and renames, so that no reader sees a part.
func replaceFile(path string, data []byte) (err error) {
	defer func() {
		if err != nil {
			err = &assay.Error{Op: "write file", Kind: assay.ErrUnchecked, Subject: path, Err: err}
		}
	}()
	tmp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			tmp.Close()
			os.Remove(tmp.Name())
		}
	}()
	if _, err := tmp.Write(data); err != nil {
		return err
	}
	// CreateTemp makes a file that nobody else can read; evidence is public.
	if err := tmp.Chmod(0o644); err != nil {
		return err
	}
	if err := tmp.Sync(); err != nil {
		return err
	}
	if err := tmp.Close(); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), path)
}
