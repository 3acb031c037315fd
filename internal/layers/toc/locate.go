package toc

import (
	"strconv"
	"strings"

	"github.com/assaykit/assay"
)

// The annotations of a layer's descriptor that a table has. Those of zstd:chunked had
// another prefix at first, which nerdctl still writes.
const (
	annotationStargz   = "containerd.io/snapshot/stargz/toc.digest"
	annotationChecksum = ".zstd-chunked.manifest-checksum"
	annotationPosition = ".zstd-chunked.manifest-position"
	annotationTarSplit = ".zstd-chunked.tarsplit-position"
)

var chunkedPrefixes = [...]string{"io.github.containers", "io.containers"}

// Locator is what the annotations of a layer say of its table.
type Locator struct {
	// Zstd tells zstd:chunked from eStargz.
	Zstd bool
	// JSON is the digest of the table as it is read, Packed that of the table as it is
	// stored, compressed. At least one of them is set.
	JSON, Packed assay.Digest
	// Position is where the table of zstd:chunked is stored. Zero leaves it to the
	// footer of the blob.
	Position Position
}

// Position is where a table is in a blob, in bytes.
type Position struct {
	Offset, Length int64
	// Inflated is its length uncompressed.
	Inflated int64
}

// Locate reads the annotations of a layer that is compressed with zstd, or with gzip.
// It reports false if they tell of no table for that compression, with a digest to
// verify it by. An error is of kind [assay.ErrInvalid]: an annotation against its
// grammar.
func Locate(subject string, zstd bool, annotations map[string]string) (Locator, bool, error) {
	l := Locator{Zstd: zstd}
	digest := func(key string) (assay.Digest, error) {
		text, ok := annotations[key]
		if !ok {
			return assay.Digest{}, nil
		}
		d, err := assay.ParseDigest(text)
		if err == nil && d.Algorithm() != assay.SHA256 {
			err = &assay.Error{Op: "parse digest", Kind: assay.ErrInvalid, Value: text, Bound: "a digest by sha256"}
		}
		if err != nil {
			return assay.Digest{}, invalid(subject, "annotation "+key, text, "a digest by sha256", err)
		}
		return d, nil
	}
	var err error
	if l.JSON, err = digest(annotationStargz); err != nil {
		return Locator{}, false, err
	}
	if !zstd {
		return l, !l.JSON.IsZero(), nil
	}
	for _, prefix := range chunkedPrefixes {
		if l.Packed, err = digest(prefix + annotationChecksum); err != nil {
			return Locator{}, false, err
		}
		if l.Packed.IsZero() {
			continue
		}
		if text, ok := annotations[prefix+annotationPosition]; ok {
			n, ok := numbers(text, 4)
			if !ok || n[3] != manifestType {
				return Locator{}, false, invalid(subject, "annotation "+prefix+annotationPosition, text, "OFFSET:LENGTH:INFLATED:1", nil)
			}
			l.Position = Position{Offset: n[0], Length: n[1], Inflated: n[2]}
		}
		if text, ok := annotations[prefix+annotationTarSplit]; ok {
			if _, ok := numbers(text, 3); !ok {
				return Locator{}, false, invalid(subject, "annotation "+prefix+annotationTarSplit, text, "OFFSET:LENGTH:INFLATED", nil)
			}
		}
		break
	}
	return l, !l.Packed.IsZero() || !l.JSON.IsZero(), nil
}

// numbers reads positive decimal numbers with colons between them.
func numbers(text string, count int) ([4]int64, bool) {
	var out [4]int64
	parts := strings.Split(text, ":")
	if len(parts) != count {
		return out, false
	}
	for i, p := range parts {
		n, err := strconv.ParseUint(p, 10, 50)
		if err != nil || n == 0 || p[0] == '0' {
			return out, false
		}
		out[i] = int64(n)
	}
	return out, true
}

func invalid(subject, field, value, bound string, err error) error {
	return &assay.Error{Op: "read table of contents", Kind: assay.ErrInvalid, Subject: subject, Field: field, Value: value, Bound: bound, Err: err}
}
