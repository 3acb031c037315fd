package attest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/strictjson"
)

// A registry lets the last writer have a tag: there is no "if it is still what I
// read". So a writer reads the list again after it wrote it, and once more after
// the time in which another writer, who had read before, would have written.
const (
	listTries  = 24
	listSettle = 150 * time.Millisecond
)

// fallbackList is the index under the fallback tag. Entries are kept as they are
// found, members that are not known here included.
type fallbackList struct {
	entries map[assay.Digest]json.RawMessage
}

// readList reads the index. Under the tag may be nothing else: something else is
// never overwritten.
func (a *attacher) readList(ctx context.Context) (*fallbackList, error) {
	list := &fallbackList{entries: map[assay.Digest]json.RawMessage{}}
	name := a.client.repo.Name() + ":" + a.tag
	d, body, err := a.client.manifest(ctx, a.tag)
	if errors.Is(err, assay.ErrAbsent) {
		return list, nil
	} else if err != nil {
		return nil, err
	}
	m, err := parseManifest(name, d.MediaType, body)
	if err != nil {
		return nil, err
	}
	if m.Manifests == nil {
		return nil, &assay.Error{Op: "read list of referrers", Kind: assay.ErrInvalid, Subject: name, Field: "/mediaType", Value: d.MediaType, Bound: typeIndex}
	}
	var raw struct {
		Manifests []json.RawMessage `json:"manifests"`
	}
	if err := strictjson.Unmarshal(name, body, &raw, strictjson.Limits{}); err != nil {
		return nil, err
	}
	for i, r := range *m.Manifests {
		e, err := r.parse(name, "/manifests/"+strconv.Itoa(i))
		if err != nil {
			return nil, err
		}
		list.entries[e.Digest] = raw.Manifests[i]
	}
	return list, nil
}

// add puts the artifacts into the list and reports whether any was missing.
func (a *attacher) add(list *fallbackList) (bool, error) {
	var changed bool
	for _, p := range a.artifacts {
		if list.entries[p.Manifest] != nil {
			continue
		}
		changed = true
		d := descriptor{MediaType: typeManifest, Digest: p.Manifest, Size: int64(len(p.manifest)), ArtifactType: p.envelope.MediaType()}
		var m artifact
		if err := strictjson.Unmarshal("manifest", p.manifest, &m, strictjson.Limits{}); err != nil {
			return false, err
		}
		d.Annotations = m.Annotations
		raw, err := strictjson.Marshal(d)
		if err != nil {
			return false, err
		}
		list.entries[p.Manifest] = raw
	}
	return changed, nil
}

func (l *fallbackList) encode() ([]byte, error) {
	digests := make([]assay.Digest, 0, len(l.entries))
	for d := range l.entries {
		digests = append(digests, d)
	}
	slices.SortFunc(digests, assay.Digest.Compare)
	var b bytes.Buffer
	b.WriteString(`{"schemaVersion":2,"mediaType":"` + typeIndex + `","manifests":[`)
	for i, d := range digests {
		if i > 0 {
			b.WriteByte(',')
		}
		b.Write(l.entries[d])
	}
	b.WriteString("]}")
	if b.Len() > maxManifestBytes {
		return nil, &assay.Error{Op: "write list of referrers", Kind: assay.ErrBound, Value: strconv.Itoa(b.Len()) + " bytes", Bound: "at most " + strconv.Itoa(maxManifestBytes)}
	}
	return b.Bytes(), nil
}

// list keeps the artifacts in the list under the fallback tag. One write makes all
// of them visible.
func (a *attacher) list(ctx context.Context) error {
	name := a.client.repo.Name() + ":" + a.tag
	settle := listSettle
	seen := 0 // readings in a row that had all artifacts
	wrote := false
	for range listTries {
		start := time.Now()
		list, err := a.readList(ctx)
		if err != nil {
			return err
		}
		missing, err := a.add(list)
		if err != nil {
			return err
		}
		if !missing {
			// A list that had everything before we wrote is not in a race with us.
			if seen++; !wrote || seen == 2 {
				return nil
			}
		} else {
			seen = 0
			body, err := list.encode()
			if err != nil {
				return err
			}
			if _, err := a.client.putManifest(ctx, a.tag, typeIndex, body); err != nil {
				return err
			}
			wrote = true
			a.log.InfoContext(ctx, "listed", "tag", name, "referrers", len(list.entries))
			// Another writer's time between reading and writing is about ours.
			settle = max(settle, 4*time.Since(start))
		}
		if err := sleep(ctx, settle/2+rand.N(settle)); err != nil {
			return &assay.Error{Op: "write list of referrers", Kind: assay.ErrUnchecked, Subject: name, Err: err}
		}
	}
	return &assay.Error{Op: "write list of referrers", Kind: assay.ErrUnchecked, Subject: name,
		Value: "other writers took entries out " + strconv.Itoa(listTries) + " times", Bound: "a list that keeps what is written"}
}

// unlist takes entries out again that this call may have put in.
func (a *attacher) unlist(ctx context.Context, made []assay.Digest) error {
	list, err := a.readList(ctx)
	if err != nil {
		return err
	}
	n := len(list.entries)
	for _, d := range made {
		delete(list.entries, d)
	}
	if len(list.entries) == n {
		return nil
	}
	body, err := list.encode()
	if err != nil {
		return err
	}
	_, err = a.client.putManifest(ctx, a.tag, typeIndex, body)
	return err
}
