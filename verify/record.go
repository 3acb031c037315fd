package verify

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/attest"
	"github.com/assaykit/assay/internal/strictjson"
)

// RecordSchema names the version of a record's JSON.
const RecordSchema = "https://github.com/assaykit/assay/record/v0.1"

// MaxRecordBytes bounds a record that is read.
const MaxRecordBytes = 1 << 30

// Record is a report and everything that it rests on: trusted root and keys, policy,
// time of asking, every envelope with the places it was found in, the stores that
// could not be read, and what was seen of each image's bytes. It makes the same report
// again, offline, whenever it is asked.
//
// A record is no proof of itself. Who made it chose the trust and the policy in it, and
// wrote down what the bytes of the image showed. To rely on one that comes from
// somebody else, compare [Record.Trust] and [Record.Policy] with one's own, or judge
// the envelopes by one's own with [Record.Source], and give [Record.Replay] the image.
type Record struct {
	basis  *basis
	digest assay.Digest
	report []byte // JSON
}

// Record gives the record of a report that [Verifier.Verify] made. A report that was
// read from a file, or is one of the [Report.Platforms] of another, has none, which is
// an [assay.ErrAbsent].
func (r *Report) Record() (*Record, error) {
	if r.basis == nil {
		return nil, &assay.Error{Op: "record report", Kind: assay.ErrAbsent, Subject: r.Digest.String(), Bound: "a report that Verify made"}
	}
	text, err := strictjson.Marshal(r)
	if err != nil {
		return nil, &assay.Error{Op: "record report", Kind: assay.ErrInvalid, Subject: r.Digest.String(), Err: err}
	}
	return &Record{basis: r.basis, digest: r.Digest, report: text}, nil
}

// Digest is what was asked for.
func (r *Record) Digest() assay.Digest { return r.digest }

// At is the time of asking.
func (r *Record) At() time.Time { return r.basis.at }

// Trust is what signatures were proven against.
func (r *Record) Trust() Trust {
	t := r.basis.trust
	t.TrustedRoot, t.Keys = bytes.Clone(t.TrustedRoot), slices.Clone(t.Keys)
	return t
}

// Policy is what was asked.
func (r *Record) Policy() Policy { return r.basis.policy.clone() }

// Source gives what was found, untrusted, to whom wants to judge it by another trust,
// policy or time. It answers for the digest of the record; about any other it has
// nothing. It has no images.
func (r *Record) Source() attest.Source { return recordSource{r.basis, r.digest} }

type recordSource struct {
	*basis
	digest assay.Digest
}

// Discover implements [attest.Source].
func (s recordSource) Discover(_ context.Context, subject assay.Digest) (*attest.Found, error) {
	found := &attest.Found{Bundle: assay.NewBundle(subject)}
	if subject != s.digest {
		return found, nil
	}
	if err := found.Bundle.Merge(s.bundle); err != nil {
		return nil, err
	}
	unreadable := func(store, reference, why string) {
		found.Faults = append(found.Faults, attest.Fault{Store: store, Reference: reference, Kind: attest.Unreadable,
			Err: &assay.Error{Op: "read recorded store", Kind: assay.ErrUnchecked, Subject: store, Value: why}})
	}
	for _, f := range s.faults {
		unreadable(f.Store, "", f.Detail)
	}
	for _, i := range s.skipped {
		found.Ignored = append(found.Ignored, attest.Ignored(i))
	}
	for _, ref := range slices.Sorted(maps.Keys(s.unread)) {
		unreadable("record", ref, s.unread[ref])
	}
	return found, nil
}

// Replay verifies again, by the trust, the policy and the time in the record, and gives
// the report. It equals the recorded one byte for byte, whatever the number of workers;
// if not, the error is an [assay.ErrRefuted] that names what differs.
//
// With images the bytes of each image are read again and must show what the record says
// of them. With nil, what the record says of them counts; the signatures are verified
// in any case. The options [At] and [Scanning] change nothing of a replay but how the
// bytes are read.
func (r *Record) Replay(ctx context.Context, images ImageSource, opts ...Option) (*Report, error) {
	v, err := New(r.basis.trust, r.basis.policy, opts...)
	if err != nil {
		return nil, err
	}
	b := *r.basis
	if images != nil {
		if b.images, err = v.again(ctx, r.basis.images, images); err != nil {
			return nil, err
		}
	}
	report, err := v.judge(ctx, &b, nil)
	if err != nil {
		return nil, err
	}
	text, err := strictjson.Marshal(report)
	if err != nil {
		return nil, &assay.Error{Op: "replay", Kind: assay.ErrInvalid, Subject: r.digest.String(), Err: err}
	}
	if !bytes.Equal(text, r.report) {
		return nil, &assay.Error{Op: "replay", Kind: assay.ErrRefuted, Subject: r.digest.String(), Field: "report", Value: difference(r.report, text), Bound: "the recorded report"}
	}
	return report, nil
}

// again reads the bytes of the images that a record has seen.
func (v *Verifier) again(ctx context.Context, recorded map[assay.Digest]contents, images ImageSource) (map[assay.Digest]contents, error) {
	out := maps.Clone(recorded)
	for _, digest := range slices.SortedFunc(maps.Keys(recorded), assay.Digest.Compare) {
		old := recorded[digest]
		if old.inspection == nil {
			continue // they were not at hand then, and the report says so
		}
		now, err := v.contents(ctx, []attest.Source{onlyImages{images}}, digest)
		if err != nil {
			return nil, err
		}
		if now.inspection == nil {
			return nil, &assay.Error{Op: "replay", Kind: assay.ErrUnchecked, Subject: digest.String(), Field: "image", Value: now.detail}
		}
		for i := range min(len(now.layers), len(old.layers)) {
			// That a layer came out of a cache then is no property of the image.
			now.layers[i].Cached = old.layers[i].Cached
		}
		was, err := old.form(digest)
		if err != nil {
			return nil, err
		}
		is, err := now.form(digest)
		if err != nil {
			return nil, err
		}
		if !bytes.Equal(was, is) {
			return nil, &assay.Error{Op: "replay", Kind: assay.ErrRefuted, Subject: digest.String(), Field: "image", Value: difference(was, is), Bound: "what the record says of the image's bytes"}
		}
		out[digest] = now
	}
	return out, nil
}

// onlyImages is a source of images and of no envelope.
type onlyImages struct{ ImageSource }

// Discover implements [attest.Source].
func (onlyImages) Discover(_ context.Context, subject assay.Digest) (*attest.Found, error) {
	return &attest.Found{Bundle: assay.NewBundle(subject)}, nil
}

// difference shows where two texts part.
func difference(want, got []byte) string {
	at := 0
	for at < min(len(want), len(got)) && want[at] == got[at] {
		at++
	}
	around := func(b []byte) string {
		return string(bytes.ToValidUTF8(b[max(0, min(at, len(b))-40):min(len(b), at+40)], []byte("?")))
	}
	return fmt.Sprintf("at byte %d: %s, recorded as %s", at, around(got), around(want))
}

// WriteTo writes the record as one JSON object and a newline. The same record gives the
// same bytes. It implements [io.WriterTo].
func (r *Record) WriteTo(w io.Writer) (int64, error) {
	form, err := r.form()
	if err != nil {
		return 0, err
	}
	text, err := strictjson.Marshal(form)
	if err != nil {
		return 0, &assay.Error{Op: "write record", Kind: assay.ErrInvalid, Subject: r.digest.String(), Err: err}
	}
	n, err := w.Write(append(text, '\n'))
	return int64(n), err
}

// ReadRecord reads a record that [Record.WriteTo] wrote, of at most [MaxRecordBytes].
// Members that this version does not know are errors: a report may rest on them. The
// name is for errors. Nothing in it is verified before [Record.Replay] does.
func ReadRecord(name string, data []byte) (*Record, error) {
	var form recordForm
	if err := strictjson.Unmarshal(name, data, &form, strictjson.Limits{MaxBytes: MaxRecordBytes, RejectUnknown: true}); err != nil {
		return nil, err
	}
	r, err := form.record(name)
	if err != nil {
		return nil, err
	}
	return r, nil
}
