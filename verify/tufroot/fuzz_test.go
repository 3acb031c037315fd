package tufroot

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// FuzzMetadata gives the same bytes to every role: whatever they are, none panics,
// and nothing that was not signed gets in.
func FuzzMetadata(f *testing.F) {
	for _, s := range []string{
		`{"signed":{"_type":"root","spec_version":"1.0.31","version":1,"expires":"2099-01-01T00:00:00Z","consistent_snapshot":true,"keys":{"a":{"keytype":"ed25519","scheme":"ed25519","keyval":{"public":"00"}}},"roles":{"root":{"keyids":["a"],"threshold":1}}},"signatures":[{"keyid":"a","sig":"00"}]}`,
		`{"signed":{"_type":"root","version":1,"expires":"2099-01-01T00:00:00Z","keys":{},"roles":{"root":{"keyids":["b"],"threshold":1}}},"signatures":[]}`,
		`{"signed":{"_type":"root","version":1,"expires":"2099-01-01T00:00:00Z","keys":{"a":{"keytype":"rsa","scheme":"rsassa-pss-sha256","keyval":{"public":"-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----"}}},"roles":{"root":{"keyids":["a","a"],"threshold":-1}}},"signatures":[{"keyid":"a","sig":""}]}`,
		`{"signed":{"_type":"timestamp","version":1,"expires":"2099-01-01T00:00:00Z","meta":{"snapshot.json":{"version":1,"length":1,"hashes":{"sha256":"00"}}}},"signatures":[]}`,
		`{"signed":{"_type":"timestamp","version":1,"expires":"2099-01-01T00:00:00Z","meta":{"snapshot.json":null}},"signatures":[]}`,
		`{"signed":{"_type":"snapshot","version":1,"expires":"2099-01-01T00:00:00Z","meta":{"targets.json":{"version":1}}},"signatures":[{"keyid":"a","sig":"zz"}]}`,
		`{"signed":{"_type":"targets","version":1,"expires":"2099-01-01T00:00:00Z","targets":{"x":{"length":1,"hashes":{}}},"delegations":{"keys":{},"roles":[{"name":"r","keyids":[],"threshold":1,"paths":["*"]}]}},"signatures":[]}`,
		`{"signed":null}`, `{"signed":{"_type":1}}`, `{}`, ``,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := newSet(data, time.Unix(1800000000, 0))
		if err != nil {
			return
		}
		// A root that signs itself, which no seed does by chance, is where trust
		// starts; what follows must be signed as well.
		for name, add := range map[string]func([]byte) error{"root": s.root, "timestamp": s.timestamp, "targets": s.targets,
			"snapshot": func(b []byte) error { return s.snapshot(b, false) }} {
			if add(data) == nil {
				t.Errorf("a root is a %s", name)
			}
		}
	})
}

// FuzzCache reads whatever is in the cache's file, and then the roles that are in it.
func FuzzCache(f *testing.F) {
	f.Add([]byte(`{"roots":{"2":"e30="},"seen":{"timestamp":"e30="},"complete":{"timestamp":"e30=","snapshot":"e30=","targets":"e30="},"files":{"trusted_root.json":"e30="},"checked":"2026-01-01T00:00:00Z"}`))
	f.Add([]byte(`{"roots":{"x":""}}`))
	f.Add([]byte(`{}`))
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, data []byte) {
		c := &Client{file: filepath.Join(dir, "cache.json")}
		if err := os.WriteFile(c.file, data, 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := c.load()
		if err != nil {
			return
		}
		if err := c.save(s); err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
		again, err := c.load()
		if err != nil || version(again.Seen.Timestamp) != version(s.Seen.Timestamp) || len(again.Roots) != len(s.Roots) || len(again.Files) != len(s.Files) {
			t.Errorf("read %+v, then %+v, %v", s, again, err)
		}
	})
}
