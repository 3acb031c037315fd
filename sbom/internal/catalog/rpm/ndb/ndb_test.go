package ndb_test

import (
	"encoding/binary"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/sbom/internal/catalog/rpm/ndb"
	"github.com/assaykit/assay/sbom/internal/catalog/rpm/rpmtest"
)

var values = [][]byte{[]byte("short"), []byte(strings.Repeat("0123456789", 300)), {}}

func read(data []byte) (map[uint32]string, error) {
	out := map[uint32]string{}
	err := ndb.Each(data, func(n uint32, v []byte) error { out[n] = string(v); return nil })
	return out, err
}

func TestEach(t *testing.T) {
	got, err := read(rpmtest.NDB(values...))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(map[uint32]string{1: string(values[0]), 2: string(values[1]), 3: ""}, got); d != "" {
		t.Error(d)
	}
}

func TestEachRefuses(t *testing.T) {
	le := binary.LittleEndian
	for name, c := range map[string]struct {
		damage func(b []byte) []byte
		want   string
		kind   error
	}{
		"empty":          {func(b []byte) []byte { return nil }, "0 bytes", assay.ErrInvalid},
		"magic":          {func(b []byte) []byte { b[0] = 'X'; return b }, "XpmP", assay.ErrInvalid},
		"version":        {func(b []byte) []byte { b[4] = 9; return b }, "version 9", assay.ErrInvalid},
		"absurd slots":   {func(b []byte) []byte { le.PutUint32(b[12:], 1<<31); return b }, "pages of slots", assay.ErrInvalid},
		"no slots":       {func(b []byte) []byte { le.PutUint32(b[12:], 0); return b }, "0 pages", assay.ErrInvalid},
		"format changes": {func(b []byte) []byte { copy(b[64:], "SQLite format 3\x00"); return b }, "slot 4", assay.ErrInvalid},
		"truncated":      {func(b []byte) []byte { return b[:len(b)-16] }, "slot 4", assay.ErrInvalid},
		"shared":         {func(b []byte) []byte { copy(b[64+8:64+16], b[48+8:]); return b }, "slot 4", assay.ErrInvalid},
		"twice":          {func(b []byte) []byte { b[64+4] = 2; return b }, "package 2 again", assay.ErrInvalid},
		"checksum":       {func(b []byte) []byte { b[4096+16] ^= 1; return b }, "checksum", assay.ErrRefuted},
		"length":         {func(b []byte) []byte { le.PutUint32(b[4096+12:], 1<<30); return b }, "length", assay.ErrInvalid},
		"blob magic":     {func(b []byte) []byte { b[4096] = 0; return b }, "BlbS", assay.ErrInvalid},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := read(c.damage(rpmtest.NDB(values...)))
			if !errors.Is(err, c.kind) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v; want an error with %q", err, c.want)
			}
		})
	}
}

// FuzzEach: values never add up to more than the database.
func FuzzEach(f *testing.F) {
	f.Add(rpmtest.NDB([]byte("short"), []byte("other")))
	f.Add(rpmtest.NDB())
	f.Fuzz(func(t *testing.T, data []byte) {
		n := 0
		err := ndb.Each(data, func(_ uint32, v []byte) error { n += len(v); return nil })
		if n > len(data) {
			t.Fatalf("%d bytes of values in %d", n, len(data))
		}
		if err != nil && !errors.Is(err, assay.ErrInvalid) && !errors.Is(err, assay.ErrRefuted) {
			t.Fatal(err)
		}
	})
}
