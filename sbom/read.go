package sbom

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/strictjson"
)

// Read reads a document of any [Format], told by its content. The name, of the
// file or blob, is for errors.
//
// Documents that break the grammar or the rules of their format are
// [assay.ErrInvalid]; those of a format or version that is known and cannot be
// read (CycloneDX later than 1.7, SPDX 3.1) are [assay.ErrUnchecked];
// those larger than 128 MiB or nested deeper than 128 levels are
// [assay.ErrBound]. The package comment says which rules are checked. One byte order
// mark is passed over before XML (XML 1.0, 4.3.3) and before tag-value, which editors
// put there; JSON must not have one (RFC 8259, 8.1).
//
// The SBOM is a view of the bytes, which remain the evidence. What it leaves out,
// [ReadReport] tells; it is carried along in Rest, and is there again when the SBOM
// is written in a format of the same family, see [Encode].
func Read(name string, data []byte) (*assay.SBOM, error) {
	return read(name, data, func(string, assay.ComponentID, string) {})
}

// ReadReport is [Read], and tells what of the document the SBOM does not hold, by
// JSON pointer and in order of appearance. A member whose value was lost is
// reported once, not again for what is inside of it.
func ReadReport(name string, data []byte) (*assay.SBOM, []Loss, error) {
	var lost losses
	doc, err := read(name, data, lost.add)
	if err != nil {
		return nil, nil, err
	}
	return doc, lost, nil
}

func read(name string, data []byte, lost report) (*assay.SBOM, error) {
	if len(data) > strictjson.DefaultMaxBytes {
		return nil, tooLarge(name, int64(len(data)))
	}
	text, marked := bytes.CutPrefix(data, []byte("\xef\xbb\xbf"))
	f, err := sniff(name, text)
	if err != nil {
		return nil, err
	}
	c, _ := f.codec()
	if marked && c.predicate != "" {
		return nil, &assay.Error{Op: "read SBOM", Kind: assay.ErrInvalid, Subject: name, Value: "a byte order mark", Bound: "JSON", Rule: "RFC 8259 8.1"}
	}
	return c.decode(name, text, lost)
}

func tooLarge(name string, size int64) error {
	return &assay.Error{Op: "read SBOM", Kind: assay.ErrBound, Subject: name,
		Value: fmt.Sprintf("%d bytes", size), Bound: fmt.Sprintf("at most %d bytes", strictjson.DefaultMaxBytes)}
}

// ReadFile is [Read] of a file. A file that does not exist is [assay.ErrAbsent],
// one that cannot be read is [assay.ErrUnchecked].
func ReadFile(path string) (*assay.SBOM, error) {
	fail := func(err error) (*assay.SBOM, error) {
		kind := assay.ErrUnchecked
		if errors.Is(err, fs.ErrNotExist) {
			kind = assay.ErrAbsent
		}
		return nil, &assay.Error{Op: "read SBOM", Kind: kind, Subject: path, Err: err}
	}
	f, err := os.Open(path)
	if err != nil {
		return fail(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return fail(err)
	}
	if info.Mode().IsRegular() && info.Size() > strictjson.DefaultMaxBytes {
		return nil, tooLarge(path, info.Size())
	}
	data, err := io.ReadAll(io.LimitReader(f, strictjson.DefaultMaxBytes+1))
	if err != nil {
		return fail(err)
	}
	return Read(path, data)
}
