package sigstore

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"time"
)

// Logged is a proven log entry.
type Logged struct {
	// LogID is hexadecimal.
	LogID string
	// Index is over all shards of the log where the log signed that, which is so with
	// an inclusion promise and for Rekor v2; else it is that in the shard.
	Index int64
	// URI is the log's, as the trusted root has it.
	URI string
	// At is when the log took the entry in, where it signed that; else zero.
	At time.Time

	log *transparencyLog
}

// DistinctLogs counts the logs, each once: by their keys, because a trusted root may
// list one under two names.
func DistinctLogs(logged []Logged) int {
	n := 0
	for i, l := range logged {
		n++
		for _, o := range logged[:i] {
			if o.log.unique == l.log.unique {
				n--
				break
			}
		}
	}
	return n
}

// Logs proves the log entries: that logs of the trusted root have them, and that they
// are about this signature by this key. The time that an entry states must be one at
// which the key was valid.
//
// Entries of logs that the root does not list are passed over: anybody can add them,
// and they prove nothing. So is one whose promise is not the log's, as if it were not
// there. Any other fault in an entry of a listed log refuses the signature.
func (r *Root) Logs(s *Signed, key Key, valid func(time.Time) bool) ([]Logged, error) {
	var out []Logged
	for i := range s.Entries {
		e := &s.Entries[i]
		for _, o := range s.Entries[:i] {
			if o.Index == e.Index && bytes.Equal(o.LogID, e.LogID) {
				return nil, errors.New("the same log entry twice")
			}
		}
		l, ok := r.logs[string(e.LogID)]
		if !ok {
			continue
		}
		logged, ok, err := r.entry(s, e, l, key, valid)
		if err != nil {
			return nil, fmt.Errorf("log entry %d: %w", e.Index, err)
		}
		if ok {
			out = append(out, logged)
		}
	}
	return out, nil
}

func (r *Root) entry(s *Signed, e *Entry, l *transparencyLog, key Key, valid func(time.Time) bool) (Logged, bool, error) {
	none := Logged{}
	b, err := parseBody(e.Body)
	switch {
	case err != nil:
		return none, false, err
	case e.Proof == nil && (b.v2 || len(e.Promise) == 0):
		return none, false, errors.New("no proof of inclusion")
	}
	// What costs nothing first: most entries that are refused are of something else.
	if err := b.matches(s, key); err != nil {
		return none, false, err
	}
	out := Logged{LogID: hex.EncodeToString(l.id), Index: e.Index, URI: l.uri, log: l}
	at := time.Unix(e.Time, 0).UTC()
	if e.Time != 0 && !valid(at) {
		return none, false, fmt.Errorf("the integrated time %s is outside of the validity of the key", at.Format(time.RFC3339))
	}
	if len(e.Promise) > 0 {
		if b.v2 || l.promise(e.promised(), at, e.Promise) != nil {
			return none, false, nil
		}
		out.At = at
	}
	if e.Proof != nil {
		if err := e.verifyInclusion(l); err != nil {
			return none, false, err
		}
		if !b.v2 && len(e.Promise) == 0 {
			out.Index = e.Proof.Index
		}
	}
	return out, true, nil
}

// promised is what Rekor v1 signs in an inclusion promise: canonical JSON (RFC 8785)
// of the entry.
func (e *Entry) promised() []byte {
	b := make([]byte, 0, 160+base64.StdEncoding.EncodedLen(len(e.Body)))
	b = append(b, `{"body":"`...)
	b = base64.StdEncoding.AppendEncode(b, e.Body)
	b = append(b, `","integratedTime":`...)
	b = strconv.AppendInt(b, e.Time, 10)
	b = append(b, `,"logID":"`...)
	b = hex.AppendEncode(b, e.LogID)
	b = append(b, `","logIndex":`...)
	b = strconv.AppendInt(b, e.Index, 10)
	return append(b, '}')
}
