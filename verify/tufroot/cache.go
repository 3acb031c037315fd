package tufroot

import (
	"bytes"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"time"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/strictjson"
)

// roles are the bytes of metadata.
type roles struct {
	Timestamp []byte `json:"timestamp,omitempty"`
	Snapshot  []byte `json:"snapshot,omitempty"`
	Targets   []byte `json:"targets,omitempty"`
}

// state is what is remembered of a repository: the one file of the cache.
type state struct {
	// Roots are root metadata by version, without the root given.
	Roots map[int64][]byte `json:"roots"`
	// Seen is the newest metadata that verified. It may be half of an update that
	// failed, and is there to not be rolled back.
	Seen roles `json:"seen"`
	// Complete is the newest metadata that verified as a whole, with its files.
	Complete roles             `json:"complete"`
	Files    map[string][]byte `json:"files"`
	Checked  time.Time         `json:"checked"`

	base []byte // Seen.Timestamp as it was in the file when it was read or written last
}

func (s *state) clone() *state {
	c := *s
	c.Roots, c.Files = maps.Clone(s.Roots), maps.Clone(s.Files)
	if c.Roots == nil {
		c.Roots = map[int64][]byte{}
	}
	return &c
}

// load reads the cache. One that is broken is an error: it is written whole, so
// somebody else broke it, and forgetting what it said would let an old repository be
// taken for the newest.
func (c *Client) load() (*state, error) {
	s := &state{}
	if c.file == "" {
		return s, nil
	}
	f, err := os.Open(c.file)
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	} else if err != nil {
		return nil, &assay.Error{Op: op, Kind: assay.ErrUnchecked, Subject: c.file, Err: err}
	}
	defer f.Close()
	if _, err := strictjson.Read(c.file, f, s, strictjson.Limits{MaxBytes: maxCacheBytes, RejectUnknown: true}); err != nil {
		return nil, err
	}
	s.base = s.Seen.Timestamp
	return s, nil
}

// save replaces the cache, unless another process has written what is newer
// meanwhile. Older metadata than in the file is written only where it was read from
// there and dropped: see seenTimestamp.
func (c *Client) save(s *state) (err error) {
	if c.file == "" {
		return nil
	}
	defer func() {
		if err != nil {
			err = &assay.Error{Op: op, Kind: assay.ErrUnchecked, Subject: c.file, Err: err}
		}
	}()
	if now, err := c.load(); err != nil {
		return err
	} else if !bytes.Equal(now.Seen.Timestamp, s.base) && newer(now.Seen.Timestamp, s.Seen.Timestamp) {
		return nil
	}
	data, err := strictjson.Marshal(s)
	if err != nil {
		return err
	}
	dir := filepath.Dir(c.file)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	tmp, err := os.CreateTemp(dir, ".tuf-*")
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
	// Without this a crash could leave the new name with no content.
	if err := tmp.Sync(); err != nil {
		return err
	}
	if err := tmp.Close(); err != nil {
		return err
	}
	if err := os.Rename(tmp.Name(), c.file); err != nil {
		return err
	}
	s.base = s.Seen.Timestamp
	return nil
}

// newer compares the versions of timestamps, which were verified when they were
// written.
func newer(a, b []byte) bool {
	return version(a) > version(b)
}

func version(timestamp []byte) int64 {
	var doc struct {
		Signed struct {
			Version int64 `json:"version"`
		} `json:"signed"`
	}
	if strictjson.Unmarshal("timestamp.json", timestamp, &doc, strictjson.Limits{MaxBytes: maxTimestampBytes}) != nil {
		return 0
	}
	return doc.Signed.Version
}
