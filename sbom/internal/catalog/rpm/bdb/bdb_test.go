package bdb_test

import (
	"encoding/binary"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/sbom/internal/catalog/rpm/bdb"
	"github.com/assaykit/assay/sbom/internal/catalog/rpm/rpmtest"
)

func read(data []byte) (map[uint32]string, error) {
	out := map[uint32]string{}
	err := bdb.Each(data, func(n uint32, v []byte) error { out[n] = string(v); return nil })
	return out, err
}

var (
	long   = strings.Repeat("0123456789", 300)
	values = [][]byte{[]byte("short"), []byte(long), {}, []byte(long[7:])}
)

func many() [][]byte {
	var out [][]byte
	for i := range 200 {
		out = append(out, []byte(long[:i]))
	}
	return out
}

func TestEach(t *testing.T) {
	for name, values := range map[string][][]byte{"few": values, "many": many(), "none": nil} {
		for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
			got, err := read(rpmtest.BDB(order, values...))
			if err != nil {
				t.Fatal(name, order, err)
			}
			want := map[uint32]string{}
			for i, v := range values {
				want[uint32(i+1)] = string(v)
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Error(name, order, d)
			}
		}
	}
}

func TestEachRefuses(t *testing.T) {
	le := binary.LittleEndian
	for name, c := range map[string]struct {
		damage func(b []byte) []byte
		want   string
	}{
		"empty":            {func(b []byte) []byte { return nil }, "0 bytes"},
		"other magic":      {func(b []byte) []byte { b[12] = 9; return b }, "magic"},
		"btree":            {func(b []byte) []byte { le.PutUint32(b[12:], 0x053162); return b }, "btree"},
		"version":          {func(b []byte) []byte { b[16] = 3; return b }, "version 3"},
		"encrypted":        {func(b []byte) []byte { b[24] = 1; return b }, "encryption"},
		"page size":        {func(b []byte) []byte { b[20] = 1; return b }, "page size 513"},
		"truncated":        {func(b []byte) []byte { return b[:len(b)-1] }, "at least"},
		"absurd buckets":   {func(b []byte) []byte { le.PutUint32(b[72:], 1<<31); return b }, "last bucket"},
		"bucket beyond":    {func(b []byte) []byte { le.PutUint32(b[96:], 1<<20); return b }, "page 1048576"},
		"bucket to itself": {func(b []byte) []byte { le.PutUint32(b[512+16:], 1); return b }, "belongs to two"},
		"circle":           {func(b []byte) []byte { le.PutUint32(b[3*512+16:], 2); return b }, "belongs to two"},
		"items":            {func(b []byte) []byte { le.PutUint16(b[512+20:], 3); return b }, "3 items"},
		"item":             {func(b []byte) []byte { le.PutUint16(b[512+26:], 2); return b }, "item 0 at 2"},
		"type":             {func(b []byte) []byte { b[512+25] = 5; return b }, "type 5"},
		"value length":     {func(b []byte) []byte { le.PutUint16(b[2*512+22:], 600); return b }, "600 bytes"},
		"format changes":   {func(b []byte) []byte { copy(b[2*512:], "SQLite format 3\x00"); b[2*512+25] = 1; return b }, "page 2"},
		"page number":      {func(b []byte) []byte { le.PutUint32(b[2*512+8:], 7); return b }, "page number 7"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := read(c.damage(rpmtest.BDB(le, values...)))
			if !errors.Is(err, assay.ErrInvalid) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v; want an error with %q", err, c.want)
			}
		})
	}
}

// FuzzEach: values never add up to more than the database.
func FuzzEach(f *testing.F) {
	// Small ones: the fuzzer spends its time on making larger ones small.
	f.Add(rpmtest.BDB(binary.LittleEndian, []byte("short"), []byte(long[:600])))
	f.Add(rpmtest.BDB(binary.BigEndian, many()[50:58]...))
	f.Fuzz(func(t *testing.T, data []byte) {
		n := 0
		err := bdb.Each(data, func(_ uint32, v []byte) error { n += len(v); return nil })
		if n > len(data) {
			t.Fatalf("%d bytes of values in %d", n, len(data))
		}
		if err != nil && !errors.Is(err, assay.ErrInvalid) {
			t.Fatal(err)
		}
	})
}
