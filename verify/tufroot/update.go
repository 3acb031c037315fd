package tufroot

import (
	"context"
	"encoding/hex"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/request"
)

// get reads a file of the mirror. Only where there is no answer, or one that says to
// come again, is it unreached: another is the mirror's word, and no cache is used in
// its place.
func (c *Client) get(ctx context.Context, path string, most int64) ([]byte, error) {
	resp, err := c.http.Do(ctx, request.Request{Op: op, URL: c.options.Mirror + "/" + path, Max: most})
	if err != nil {
		status := request.Status(err)
		if assay.KindOf(err) == assay.ErrUnchecked && (status == 0 || status >= 500 || status == http.StatusTooManyRequests) {
			err = &unreachedError{err}
		}
		return nil, err
	}
	return resp.Body, nil
}

// online is the workflow of TUF 1.0.34, section 5, from the root given.
func (c *Client) online(ctx context.Context, had *state, names []string) (*Result, error) {
	now := c.options.Clock()
	s, err := newSet(c.options.Root, now)
	if err != nil {
		return nil, err
	}
	next := had.clone()
	if err := c.roots(ctx, s, next); err != nil {
		return nil, err
	}
	if err := c.freshTimestamp(ctx, s, next); err != nil {
		return nil, err
	}
	if err := c.freshSnapshot(ctx, s, next); err != nil {
		return nil, err
	}
	if err := c.freshTargets(ctx, s, next); err != nil {
		return nil, err
	}
	out := s.result()
	next.Complete = next.Seen
	next.Checked = now.UTC().Truncate(time.Second)
	files := map[string][]byte{}
	for _, name := range names {
		if out.Files[name], err = c.freshFile(ctx, s, had, name); err != nil {
			return nil, err
		}
		files[name] = out.Files[name]
	}
	// What was had before and is still what is signed stays for who is offline.
	for name, data := range had.Files {
		if info, err := s.target(name); err == nil && files[name] == nil && isTarget(name, info, data) == nil {
			files[name] = data
		}
	}
	next.Files = files
	out.Checked = next.Checked
	if err := c.save(next); err != nil {
		return nil, err
	}
	return out, nil
}

// roots follows the roots one by one (section 5.3).
func (c *Client) roots(ctx context.Context, s *set, next *state) error {
	for range maxRotations {
		version := s.trusted.Root.Signed.Version + 1
		data, cached := next.Roots[version], true
		if data == nil {
			cached = false
			var err error
			data, err = c.get(ctx, strconv.FormatInt(version, 10)+".root.json", maxRootBytes)
			if errors.Is(err, assay.ErrAbsent) {
				return nil
			} else if err != nil {
				return err
			}
		}
		if err := s.root(data); err != nil {
			return err
		}
		if !cached {
			next.Roots[version] = data
			// Keys that were revoked stay revoked, whatever comes next.
			if err := c.save(next); err != nil {
				return err
			}
		}
	}
	return &assay.Error{Op: op, Kind: assay.ErrBound, Subject: "root.json", Value: "more rotations", Bound: "at most " + strconv.Itoa(maxRotations)}
}

// seenTimestamp adds the timestamp of the cache, which need not be valid any more
// to say what must not be rolled back. One that the root does not verify any more
// was signed by a key that was rotated: it is forgotten, or an attacker who had that
// key could have made this client wait for a version that never comes (section
// 5.3.11).
func seenTimestamp(s *set, next *state) error {
	if next.Seen.Timestamp == nil {
		return nil
	}
	if err := s.timestamp(next.Seen.Timestamp); err != nil && s.trusted.Timestamp == nil {
		if s.trusted.Root.Signed.IsExpired(s.trusted.RefTime) {
			return err
		}
		next.Seen = roles{}
	}
	return nil
}

func (c *Client) freshTimestamp(ctx context.Context, s *set, next *state) error {
	if err := seenTimestamp(s, next); err != nil {
		return err
	}
	data, err := c.get(ctx, "timestamp.json", maxTimestampBytes)
	if err != nil {
		return err
	}
	before := s.trusted.Timestamp
	if err := s.timestamp(data); err != nil {
		return err
	}
	if s.trusted.Timestamp != before {
		next.Seen.Timestamp = data
		if err := c.save(next); err != nil {
			return err
		}
	}
	return nil
}

// consistent gives the name of metadata with its version before it, where the
// repository has those (section 6.2).
func (s *set) consistent(version int64, name string) string {
	if s.trusted.Root.Signed.ConsistentSnapshot {
		return strconv.FormatInt(version, 10) + "." + name
	}
	return name
}

// bound is the length that is signed, and otherwise the most.
func bound(length, most int64) int64 {
	if length > 0 {
		return min(length, most)
	}
	return most
}

func (c *Client) freshSnapshot(ctx context.Context, s *set, next *state) error {
	if next.Seen.Snapshot != nil && s.snapshot(next.Seen.Snapshot, true) == nil {
		return nil
	}
	meta := s.trusted.Timestamp.Signed.Meta["snapshot.json"]
	data, err := c.get(ctx, s.consistent(meta.Version, "snapshot.json"), bound(meta.Length, maxSnapshotBytes))
	if err != nil {
		return err
	}
	if err := s.snapshot(data, false); err != nil {
		return err
	}
	next.Seen.Snapshot = data
	return nil
}

func (c *Client) freshTargets(ctx context.Context, s *set, next *state) error {
	if next.Seen.Targets != nil && s.targets(next.Seen.Targets) == nil {
		return nil
	}
	meta := s.trusted.Snapshot.Signed.Meta["targets.json"]
	data, err := c.get(ctx, s.consistent(meta.Version, "targets.json"), bound(meta.Length, maxTargetsBytes))
	if err != nil {
		return err
	}
	if err := s.targets(data); err != nil {
		return err
	}
	next.Seen.Targets = data
	return nil
}

func (c *Client) freshFile(ctx context.Context, s *set, had *state, name string) ([]byte, error) {
	info, err := s.target(name)
	if err != nil {
		return nil, err
	}
	if data := had.Files[name]; data != nil && isTarget(name, info, data) == nil {
		return data, nil
	}
	path := "targets/" + name
	if s.trusted.Root.Signed.ConsistentSnapshot {
		path = "targets/" + hex.EncodeToString(info.Hashes["sha256"]) + "." + name
	}
	data, err := c.get(ctx, path, info.Length)
	if err != nil {
		return nil, err
	}
	return data, isTarget(name, info, data)
}

// offline verifies the cache as if a mirror had given it, at this time.
func (c *Client) offline(had *state, names []string) (*Result, error) {
	if had.Complete.Timestamp == nil {
		return nil, &assay.Error{Op: op, Kind: assay.ErrUnchecked, Subject: c.file, Bound: "a cache that a repository has filled"}
	}
	now := c.options.Clock()
	out, err := c.cached(had, names, now)
	if err == nil || !expired(err) || c.options.StaleUnsafe == 0 {
		return out, err
	}
	// When it expired is read of the cache as it was when the mirror last answered.
	out, then := c.cached(had, names, had.Checked)
	if then != nil {
		return nil, err
	}
	if now.Sub(out.Expires) > c.options.StaleUnsafe {
		return nil, err
	}
	out.Stale = true
	return out, nil
}

func (c *Client) cached(had *state, names []string, at time.Time) (*Result, error) {
	s, err := newSet(c.options.Root, at)
	if err != nil {
		return nil, err
	}
	for {
		data := had.Roots[s.trusted.Root.Signed.Version+1]
		if data == nil {
			break
		}
		if err := s.root(data); err != nil {
			return nil, err
		}
	}
	if err := s.timestamp(had.Complete.Timestamp); err != nil {
		return nil, err
	}
	if err := s.snapshot(had.Complete.Snapshot, false); err != nil {
		return nil, err
	}
	if err := s.targets(had.Complete.Targets); err != nil {
		return nil, err
	}
	out := s.result()
	out.Checked = had.Checked
	for _, name := range names {
		info, err := s.target(name)
		if err != nil {
			return nil, err
		}
		data := had.Files[name]
		if data == nil {
			return nil, &assay.Error{Op: op, Kind: assay.ErrUnchecked, Subject: c.file, Field: name, Bound: "a target that was fetched before"}
		}
		if err := isTarget(name, info, data); err != nil {
			return nil, err
		}
		out.Files[name] = data
	}
	return out, nil
}
