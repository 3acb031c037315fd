package tufroot

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/theupdateframework/go-tuf/v2/metadata"
	"github.com/theupdateframework/go-tuf/v2/metadata/trustedmetadata"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/strictjson"
)

// guard makes a panic of what reads metadata an error of the metadata.
func guard(name string, f func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = &assay.Error{Op: op, Kind: assay.ErrInvalid, Subject: name, Bound: "metadata that can be read", Err: fmt.Errorf("panic: %v", r)}
		}
	}()
	return f()
}

// set is metadata that has been verified, role by role (TUF 1.0.34, section 5).
type set struct {
	trusted *trustedmetadata.TrustedMetadata
}

func newSet(root []byte, now time.Time) (*set, error) {
	if err := check("root.json", root, maxRootBytes, "root"); err != nil {
		return nil, err
	}
	var t *trustedmetadata.TrustedMetadata
	err := guard("root.json", func() (err error) {
		t, err = trustedmetadata.New(root)
		return err
	})
	if err != nil {
		return nil, refuse("root.json", err)
	}
	t.RefTime = now.UTC()
	return &set{t}, nil
}

func (s *set) root(data []byte) error {
	if err := check("root.json", data, maxRootBytes, "root"); err != nil {
		return err
	}
	return refuse("root.json", guard("root.json", func() error {
		_, err := s.trusted.UpdateRoot(data)
		return err
	}))
}

// timestamp adds timestamp metadata. One that has expired is added, and an error:
// it still says what must not be rolled back. One of the version that is there is
// neither added nor an error.
func (s *set) timestamp(data []byte) error {
	if err := check("timestamp.json", data, maxTimestampBytes, "timestamp"); err != nil {
		return err
	}
	err := guard("timestamp.json", func() error {
		_, err := s.trusted.UpdateTimestamp(data)
		return err
	})
	if errors.Is(err, &metadata.ErrEqualVersionNumber{}) {
		return nil
	}
	return refuse("timestamp.json", err)
}

// snapshot adds snapshot metadata; known is one that was verified before, which is
// not the one that the timestamp names by now.
func (s *set) snapshot(data []byte, known bool) error {
	if err := check("snapshot.json", data, maxSnapshotBytes, "snapshot"); err != nil {
		return err
	}
	return refuse("snapshot.json", guard("snapshot.json", func() error {
		_, err := s.trusted.UpdateSnapshot(data, known)
		return err
	}))
}

func (s *set) targets(data []byte) error {
	if err := check("targets.json", data, maxTargetsBytes, "targets"); err != nil {
		return err
	}
	return refuse("targets.json", guard("targets.json", func() error {
		_, err := s.trusted.UpdateTargets(data)
		return err
	}))
}

// target gives what is signed about a file. Roles that targets.json delegates to are
// not asked: sigstore's repositories have none for these files.
func (s *set) target(name string) (*metadata.TargetFiles, error) {
	info := s.trusted.Targets[metadata.TARGETS].Signed.Targets[name]
	if info == nil {
		return nil, &assay.Error{Op: op, Kind: assay.ErrAbsent, Subject: "targets.json", Field: "/signed/targets/" + name, Bound: "a target of this name"}
	}
	bad := func(kind error, field, value, bound string) error {
		return &assay.Error{Op: op, Kind: kind, Subject: "targets.json", Field: "/signed/targets/" + name + field, Value: value, Bound: bound}
	}
	if len(info.Hashes["sha256"]) != sha256.Size {
		return nil, bad(assay.ErrInvalid, "/hashes/sha256", "", "a SHA-256")
	}
	if info.Length < 0 || info.Length > maxFileBytes {
		return nil, bad(assay.ErrBound, "/length", strconv.FormatInt(info.Length, 10), "at most "+strconv.Itoa(maxFileBytes))
	}
	return info, nil
}

// isTarget checks the bytes of a file.
func isTarget(name string, info *metadata.TargetFiles, data []byte) error {
	if err := info.VerifyLengthHashes(data); err != nil {
		return refuse(name, err)
	}
	if sum := sha256.Sum256(data); !bytes.Equal(sum[:], info.Hashes["sha256"]) {
		return &assay.Error{Op: op, Kind: assay.ErrRefuted, Subject: name, Field: "sha256", Bound: "the digest that is signed"}
	}
	return nil
}

// expires is when the first of the four does.
func (s *set) expires() time.Time {
	t := s.trusted.Root.Signed.Expires
	for _, other := range []time.Time{s.trusted.Timestamp.Signed.Expires, s.trusted.Snapshot.Signed.Expires, s.trusted.Targets[metadata.TARGETS].Signed.Expires} {
		if other.Before(t) {
			t = other
		}
	}
	return t
}

func (s *set) result() *Result {
	return &Result{
		Files: map[string][]byte{}, Expires: s.expires(),
		Root: s.trusted.Root.Signed.Version, Timestamp: s.trusted.Timestamp.Signed.Version,
		Snapshot: s.trusted.Snapshot.Signed.Version, Targets: s.trusted.Targets[metadata.TARGETS].Signed.Version,
	}
}

// check reads metadata before go-tuf does, which reads JSON as encoding/json does,
// and follows references to entries without looking whether they are there.
func check(name string, data []byte, most int64, role string) error {
	if err := strictjson.Check(name, data, strictjson.Limits{MaxBytes: most}); err != nil {
		return err
	}
	bad := func(field, value, bound string) error {
		return &assay.Error{Op: op, Kind: assay.ErrInvalid, Subject: name, Field: field, Value: value, Bound: bound}
	}
	d := jsontext.NewDecoder(bytes.NewReader(data))
	for {
		t, err := d.ReadToken()
		if err != nil {
			break // its end: it was checked above
		}
		if t.Kind() == 'n' {
			return bad(string(d.StackPointer()), "null", "a value")
		}
	}
	var doc struct {
		Signed struct {
			Type    string                     `json:"_type"`
			Version int64                      `json:"version"`
			Expires time.Time                  `json:"expires"`
			Meta    map[string]json.RawMessage `json:"meta"`
			Keys    map[string]struct {
				Type  string `json:"keytype"`
				Value struct {
					Public string `json:"public"`
				} `json:"keyval"`
			} `json:"keys"`
		} `json:"signed"`
	}
	if err := strictjson.Unmarshal(name, data, &doc, strictjson.Limits{MaxBytes: most}); err != nil {
		return err
	}
	needs := map[string]string{"timestamp": "snapshot.json", "snapshot": "targets.json"}[role]
	switch {
	case doc.Signed.Type != role:
		return bad("/signed/_type", doc.Signed.Type, role)
	case doc.Signed.Version < 1:
		return bad("/signed/version", strconv.FormatInt(doc.Signed.Version, 10), "1 or more")
	case doc.Signed.Expires.IsZero():
		return bad("/signed/expires", "", "a time")
	case needs != "" && doc.Signed.Meta[needs] == nil:
		return bad("/signed/meta/"+needs, "", "what is signed about it")
	}
	for id, k := range doc.Signed.Keys {
		// crypto/ed25519 panics at a key of another length.
		if raw, err := hex.DecodeString(k.Value.Public); k.Type == metadata.KeyTypeEd25519 && (err != nil || len(raw) != ed25519.PublicKeySize) {
			return bad("/signed/keys/"+id+"/keyval/public", k.Value.Public, "32 bytes, in hexadecimal")
		}
	}
	return nil
}

// refuse gives an error of go-tuf's its kind: what is not signed, or was signed
// before, is false; what has expired may be true.
func refuse(name string, err error) error {
	if _, ours := errors.AsType[*assay.Error](err); err == nil || ours {
		return err
	}
	out := &assay.Error{Op: op, Kind: assay.ErrInvalid, Subject: name, Err: err}
	switch {
	case errors.Is(err, &metadata.ErrExpiredMetadata{}):
		out.Kind, out.Bound = assay.ErrUnchecked, "metadata that has not expired"
	case errors.Is(err, &metadata.ErrUnsignedMetadata{}):
		out.Kind, out.Bound = assay.ErrRefuted, "signatures of enough keys of the role"
	case errors.Is(err, &metadata.ErrBadVersionNumber{}):
		out.Kind, out.Bound = assay.ErrRefuted, "the version that is due"
	case errors.Is(err, &metadata.ErrLengthOrHashMismatch{}):
		out.Kind, out.Bound = assay.ErrRefuted, "the bytes that are signed"
	}
	return out
}

func expired(err error) bool { return errors.Is(err, &metadata.ErrExpiredMetadata{}) }
