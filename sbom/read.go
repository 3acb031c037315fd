package sbom

import (
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
// [assay.ErrBound]. The package comment says which rules are checked.
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
		return nil, &assay.Error{Op: "read SBOM", Kind: assay.ErrBound, Subject: name,
			Value: fmt.Sprintf("%d bytes", len(data)), Bound: fmt.Sprintf("at most %d bytes", strictjson.DefaultMaxBytes)}
	}
	f, err := sniff(name, data)
	if err != nil {
		return nil, err
	}
	c, _ := f.codec()
	return c.decode(name, data, lost)
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
	data, err := io.ReadAll(io.LimitReader(f, strictjson.DefaultMaxBytes+1))
	if err != nil {
		return fail(err)
	}
	return Read(path, data)
}
