package osv

import (
	"crypto/sha256"
	"errors"
	"strconv"

	"github.com/assaykit/assay"
)

// readTracker reads files that have many records each. What is not JSON is not whole:
// that is an error of the source, as nothing tells what would have followed.
func (b *builder) readTracker(s Source, _ *metaExtent) error {
	list, err := s.open()
	if err != nil {
		return err
	}
	defer list.close() // it was only read
	var buf []byte
	return list.each(func(in input) error {
		to := taker{add: b.add, skip: func(where string, err error) error { return b.skip(in.name+where, err) }}
		if s.Format == FormatDebian {
			r, err := in.open()
			if err != nil {
				return s.unreadable(kindOfRead(err), in.name, err)
			}
			defer r.Close()
			return readDebian(in.name, r, to)
		}
		data, err := s.readInput(in, buf, maxRecord)
		if whole, ok := errors.AsType[*sourceError](err); ok {
			return whole.error
		}
		if err != nil {
			return err
		}
		buf = data
		if s.Format == FormatAlpine {
			return readAlpine(in.name, data, to)
		}
		return readKEV(in.name, data, to)
	})
}

// add writes an advisory that was read.
func (b *builder) add(a *Advisory) error {
	b.report.Read++
	record := encodeRecord(a, [sha256.Size]byte{})
	if len(record) > maxChunk {
		return b.skip(string(a.ID), tooLongInIndex(string(a.ID), record))
	}
	if err := b.writer.add(record); err != nil {
		return err
	}
	return b.counted(StageRead)
}

func tooLongInIndex(name string, record []byte) error {
	return &assay.Error{Op: readOp, Kind: assay.ErrBound, Subject: name, Value: strconv.Itoa(len(record)) + " bytes in the index", Bound: "at most " + strconv.Itoa(maxChunk)}
}
