package osv

import (
	"context"
	"crypto/sha256"
	"errors"
	"runtime"
	"sync"
)

// A batch is read by one worker: several records, so that handing them over costs
// little, and few bytes, so that it bounds what is in memory.
const (
	batchRecords = 64
	batchBytes   = 4 << 20
)

// batch is files in their order, and what was made of them.
type batch struct {
	inputs  []input
	bytes   int64
	results []result
	done    chan struct{}
}

// result is a record, or where the index before has it, or why it is left out.
type result struct {
	record []byte
	kept   extent
	err    error
}

// readOSV reads files of one record each. Several are read at once, and written in
// their order.
func (b *builder) readOSV(s Source, was *metaExtent) error {
	before, err := b.before(was)
	if err != nil {
		return err
	}
	list, err := s.open()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(b.ctx)
	workers := b.opts.Workers
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	work := make(chan *batch)
	ordered := make(chan *batch, 2*workers)
	var wg sync.WaitGroup
	defer func() {
		cancel()
		wg.Wait()
		list.close() // it was only read
	}()
	for range workers {
		wg.Go(func() {
			var buf []byte
			for t := range work {
				t.results = make([]result, len(t.inputs))
				for i, in := range t.inputs {
					t.results[i], buf = s.record(in, buf, before)
					if ctx.Err() != nil {
						break
					}
				}
				close(t.done)
			}
		})
	}
	var listed error // written before ordered is closed
	wg.Go(func() {
		defer close(ordered)
		defer close(work)
		t := &batch{done: make(chan struct{})}
		send := func() error {
			if len(t.inputs) == 0 {
				return nil
			}
			select {
			case ordered <- t:
			case <-ctx.Done():
				return ctx.Err()
			}
			work <- t
			t = &batch{done: make(chan struct{})}
			return nil
		}
		listed = list.each(func(in input) error {
			t.inputs = append(t.inputs, in)
			if t.bytes += max(in.size, 0); len(t.inputs) < batchRecords && t.bytes < batchBytes {
				return nil
			}
			return send()
		})
		if listed == nil {
			listed = send()
		}
	})
	for t := range ordered {
		<-t.done
		if err == nil {
			if err = b.writeBatch(t); err != nil {
				cancel()
			}
		}
	}
	if err == nil {
		err = listed
	}
	return err
}

// writeBatch writes what was read, in its order.
func (b *builder) writeBatch(t *batch) error {
	for i, r := range t.results {
		var err error
		switch {
		case r.err != nil:
			if whole, ok := errors.AsType[*sourceError](r.err); ok {
				return whole.error
			}
			err = b.skip(t.inputs[i].name, r.err)
		case r.record == nil && r.kept.n == 0:
			return b.ctx.Err() // it was not read, as the context ended
		default:
			if r.record != nil {
				b.report.Read++
			} else {
				b.report.Kept++
				if r.record, err = b.old.recordAt(r.kept); err != nil {
					return err
				}
			}
			if err = b.writer.add(r.record); err == nil {
				err = b.counted(StageRead)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// before is where the index before has the records of a source, by the digest of what
// they were read from.
func (b *builder) before(was *metaExtent) (map[[sha256.Size]byte]extent, error) {
	if was == nil {
		return nil, nil
	}
	out := make(map[[sha256.Size]byte]extent, was.Records)
	err := b.old.records(*was, func(record []byte, at extent) error {
		if raw := rawDigest(record); raw != [sha256.Size]byte{} {
			out[raw] = at
		}
		return b.ctx.Err()
	})
	return out, err
}

// record reads one file. It gives the buffer back, which it may have made larger.
func (s Source) record(in input, buf []byte, before map[[sha256.Size]byte]extent) (result, []byte) {
	data, err := s.readInput(in, buf, maxRecord)
	if err != nil {
		return result{err: err}, buf
	}
	raw := sha256.Sum256(data)
	if at, ok := before[raw]; ok {
		return result{kept: at}, data
	}
	a, err := ReadAdvisory(in.name, data)
	if err != nil {
		return result{err: err}, data
	}
	record := encodeRecord(a, raw)
	if len(record) > maxChunk {
		return result{err: tooLongInIndex(in.name, record)}, data
	}
	return result{record: record}, data
}
