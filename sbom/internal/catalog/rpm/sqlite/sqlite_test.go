package sqlite_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/sbom/internal/catalog/rpm/rpmtest"
	"github.com/assaykit/assay/sbom/internal/catalog/rpm/sqlite"
)

const pageSize = 512

func same(b []byte) []byte { return b }

func rows(data, log []byte) (map[int64]string, error) {
	db, err := sqlite.Open(data)
	if err != nil {
		return nil, err
	}
	// As the catalog does: kept first, and put together when all layers are read.
	db = db.Keep("Packages", bytes.Clone)
	if log != nil {
		l, err := sqlite.ParseLog(log, bytes.Clone)
		if err != nil {
			return nil, err
		}
		if db, err = db.With(l); err != nil {
			return nil, err
		}
	}
	out := map[int64]string{}
	err = db.Each("packages", func(row int64, c [][]byte) error { out[row] = string(c[1]); return nil })
	return out, err
}

func values(sizes ...int) [][]byte {
	var out [][]byte
	for i, n := range sizes {
		out = append(out, bytes.Repeat([]byte{byte('a' + i%26)}, n))
	}
	return out
}

func want(values [][]byte) map[int64]string {
	out := map[int64]string{}
	for i, v := range values {
		out[int64(i+1)] = string(v)
	}
	return out
}

func TestEach(t *testing.T) {
	for _, size := range []int{512, 1024, 4096, 32768} {
		// Around where a row stops to fit its page, and where it takes a page more.
		var sizes []int
		for n := range 12 {
			sizes = append(sizes, n+2, size-40+n, 2*size-50+n, 5*size+n, size*31/255+n)
		}
		for _, v := range [][][]byte{nil, values(5), values(sizes...)} {
			got, err := rows(rpmtest.SQLite(size, v...), nil)
			if err != nil {
				t.Fatal(size, err)
			}
			if d := cmp.Diff(want(v), got); d != "" {
				t.Error(size, d)
			}
		}
	}
}

func TestLog(t *testing.T) {
	le := binary.LittleEndian
	old := rpmtest.SQLite(pageSize, values(5, 900, 2000)...)
	middle := rpmtest.SQLite(pageSize, values(5, 901, 2000, 3000)...)
	last := rpmtest.SQLite(pageSize, values(6, 902)...)
	whole := rpmtest.Log(le, pageSize, old, middle, last)
	first := len(rpmtest.Log(le, pageSize, old, middle))
	flip := func(at int) []byte {
		b := bytes.Clone(whole)
		b[at] ^= 1
		return b
	}
	for name, c := range map[string]struct {
		log  []byte
		want []byte
	}{
		"no log":                       {nil, old},
		"empty":                        {[]byte{}, old},
		"header not written":           {make([]byte, 32), old},
		"header only":                  {whole[:32], old},
		"both transactions":            {whole, last},
		"other byte order":             {rpmtest.Log(binary.BigEndian, pageSize, old, middle, last), last},
		"first transaction":            {whole[:first], middle},
		"second not ended":             {whole[:len(whole)-pageSize-24], middle},
		"second torn":                  {whole[:len(whole)-1], middle},
		"first torn":                   {whole[:first-1], old},
		"page of second changed":       {flip(len(whole) - 1), middle},
		"checksum of second changed":   {flip(first + 20), middle},
		"salt of second changed":       {flip(first + 8), middle},
		"page of first changed":        {flip(32 + 24), old},
		"left over of an older log":    {append(bytes.Clone(whole[:first]), flip(first + 9)[first:]...), middle},
		"garbage behind the last page": {append(bytes.Clone(whole), bytes.Repeat([]byte("x"), 3000)...), last},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := rows(old, c.log)
			if err != nil {
				t.Fatal(err)
			}
			expect, err := rows(c.want, nil)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(expect, got); d != "" {
				t.Error(d)
			}
		})
	}
}

// A checkpoint that was interrupted leaves a file that only its log makes sound.
func TestLogOverTornFile(t *testing.T) {
	old, now := rpmtest.SQLite(pageSize, values(5, 2000)...), rpmtest.SQLite(pageSize, values(7, 9000, 30)...)
	torn := bytes.Clone(old)
	copy(torn[pageSize:], now[pageSize:4*pageSize])
	if _, err := rows(torn, nil); !errors.Is(err, assay.ErrInvalid) {
		t.Fatalf("the file alone: %v", err)
	}
	got, err := rows(torn, rpmtest.Log(binary.LittleEndian, pageSize, old, now))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want(values(7, 9000, 30)), got); d != "" {
		t.Error(d)
	}
}

func TestParseLogRefuses(t *testing.T) {
	be := binary.BigEndian
	a, b := rpmtest.SQLite(pageSize, values(5)...), rpmtest.SQLite(pageSize, values(6)...)
	for name, c := range map[string]struct {
		damage func(b []byte)
		want   string
	}{
		"magic":     {func(b []byte) { b[0] = 0 }, "magic"},
		"version":   {func(b []byte) { be.PutUint32(b[4:], 1) }, "version 1"},
		"page size": {func(b []byte) { be.PutUint32(b[8:], 1<<30) }, "page size"},
		"checksum":  {func(b []byte) { b[20] ^= 1 }, "checksum"},
	} {
		log := rpmtest.Log(binary.LittleEndian, pageSize, a, b)
		c.damage(log)
		if _, err := sqlite.ParseLog(log, same); !errors.Is(err, assay.ErrInvalid) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v; want an error with %q", name, err, c.want)
		}
	}
	log := rpmtest.Log(binary.LittleEndian, 1024, rpmtest.SQLite(1024), rpmtest.SQLite(1024, values(5)...))
	if _, err := rows(a, log); !errors.Is(err, assay.ErrInvalid) || !strings.Contains(err.Error(), "pages of 1024") {
		t.Errorf("other page size: %v", err)
	}
}

func TestRefuses(t *testing.T) {
	be := binary.BigEndian
	for name, c := range map[string]struct {
		damage func(b []byte) []byte
		want   string
		kind   error
	}{
		"empty":     {func(b []byte) []byte { return nil }, "0 bytes", assay.ErrInvalid},
		"magic":     {func(b []byte) []byte { b[0] = 'X'; return b }, "XQLite", assay.ErrInvalid},
		"page size": {func(b []byte) []byte { b[16] = 3; return b }, "page size 768", assay.ErrInvalid},
		"reserved":  {func(b []byte) []byte { b[20] = 200; return b }, "usable", assay.ErrInvalid},
		"encoding":  {func(b []byte) []byte { b[59] = 2; return b }, "encoding 2", assay.ErrInvalid},
		"version":   {func(b []byte) []byte { b[19] = 3; return b }, "format version 3", assay.ErrInvalid},
		"truncated": {func(b []byte) []byte { return b[:len(b)-1] }, "as the header says", assay.ErrInvalid},
		"no table":  {func(b []byte) []byte { return bytes.ReplaceAll(b, []byte("Packages"), []byte("Packagez")) }, "table packages", assay.ErrAbsent},
		"root":      {func(b []byte) []byte { i := bytes.Index(b, []byte("\x02CREATE")); b[i] = 1; return b }, "root page 1", assay.ErrInvalid},
		"absurd root": {func(b []byte) []byte { i := bytes.Index(b, []byte("\x02CREATE")); b[i] = 99; return b },
			"not there", assay.ErrInvalid},
		"format changes": {func(b []byte) []byte { copy(b[pageSize:], "RpmP"); return b }, "type 82", assay.ErrInvalid},
		"cells":          {func(b []byte) []byte { be.PutUint16(b[pageSize+3:], 60000); return b }, "60000 cells", assay.ErrInvalid},
		"cell":           {func(b []byte) []byte { be.PutUint16(b[pageSize+12:], 511); return b }, "", assay.ErrInvalid},
		"circle":         {func(b []byte) []byte { be.PutUint32(b[len(b)-pageSize:], 3); return b }, "", assay.ErrInvalid},
		"same row":       {func(b []byte) []byte { copy(b[pageSize+10:], b[pageSize+8:pageSize+10]); return b }, "ascending", assay.ErrInvalid},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := rows(c.damage(rpmtest.SQLite(pageSize, values(20, 30, 2000)...)), nil)
			if !errors.Is(err, c.kind) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v; want an error with %q", err, c.want)
			}
		})
	}
}

// FuzzDatabase: rows never add up to more than the database and the log, whatever is
// in them, and what is kept gives the same rows.
func FuzzDatabase(f *testing.F) {
	// Small ones: the fuzzer spends its time on making larger ones small.
	a, b := rpmtest.SQLite(pageSize, values(5, 600)...), rpmtest.SQLite(pageSize, values(6, 300, 300)...)
	f.Add(a, rpmtest.Log(binary.LittleEndian, pageSize, a, b))
	f.Add(b, rpmtest.Log(binary.BigEndian, pageSize, b, a, b))
	f.Add(b, []byte{})
	f.Fuzz(func(t *testing.T, data, wal []byte) {
		db, err := sqlite.Open(data)
		if err != nil {
			return
		}
		l, err := sqlite.ParseLog(wal, same)
		if err != nil {
			l = nil
		}
		with, err := db.With(l)
		if err != nil {
			with = db
		}
		for i, db := range []*sqlite.Database{db, with} {
			n := 0
			var all []string
			err := db.Each("Packages", func(_ int64, c [][]byte) error {
				for _, b := range c {
					n += len(b)
					all = append(all, string(b))
				}
				return nil
			})
			if n > len(data)+len(wal)+2000*len(all) {
				t.Fatalf("%d bytes in rows of %d", n, len(data)+len(wal))
			}
			if err != nil && !errors.Is(err, assay.ErrInvalid) && !errors.Is(err, assay.ErrAbsent) {
				t.Fatal(err)
			}
			if i == 1 {
				continue // only a file is kept
			}
			var again []string
			kept := db.Keep("Packages", bytes.Clone)
			_ = kept.Each("Packages", func(_ int64, c [][]byte) error {
				for _, b := range c {
					again = append(again, string(b))
				}
				return nil
			})
			if err == nil && !cmp.Equal(all, again) {
				t.Fatal("what is kept has other rows")
			}
		}
	})
}

// FuzzParseLog: what is read of a log is a part of it.
func FuzzParseLog(f *testing.F) {
	a, b := rpmtest.SQLite(pageSize, values(5)...), rpmtest.SQLite(pageSize, values(6)...)
	f.Add(rpmtest.Log(binary.LittleEndian, pageSize, a, b))
	f.Add(rpmtest.Log(binary.BigEndian, pageSize, b, a, b))
	f.Fuzz(func(t *testing.T, data []byte) {
		n := 0
		l, err := sqlite.ParseLog(data, func(p []byte) []byte { n += len(p); return p })
		if err != nil && (l != nil || !errors.Is(err, assay.ErrInvalid)) {
			t.Fatal(err)
		}
		if n > len(data) {
			t.Fatalf("%d bytes of pages in %d", n, len(data))
		}
	})
}

// SQLite itself is the judge of which rows a database and its log have.
func TestCommandLine(t *testing.T) {
	if os.Getenv("ASSAY_RPMDB") == "" {
		t.Skip("ASSAY_RPMDB is not set, so sqlite3 may not be there")
	}
	program, err := exec.LookPath("sqlite3")
	if err != nil {
		t.Fatal("ASSAY_RPMDB is set, and there is no sqlite3 to compare with:", err)
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "rpmdb.sqlite")
	run := func(script string) { t.Helper(); sqlite3(t, program, file, script) }
	run(`PRAGMA journal_mode=WAL; PRAGMA page_size=4096;
CREATE TABLE 'Packages' (hnum INTEGER PRIMARY KEY AUTOINCREMENT, blob BLOB NOT NULL);
CREATE TABLE 'Name' (key TEXT, hnum INTEGER);
WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n+1 FROM c WHERE n<300)
INSERT INTO Packages SELECT n, zeroblob(n*97) FROM c;`)
	// The connection that writes is stopped before it can put its log into the file;
	// one row is replaced by another of its length, which SQLite changes in place,
	// others go, others come, on pages that became free.
	const change = `PRAGMA wal_autocheckpoint=0;
INSERT OR REPLACE INTO Packages VALUES(200, CAST(substr(hex(zeroblob(9700)),1,19400) AS BLOB));
DELETE FROM Packages WHERE hnum BETWEEN 20 AND 120;
WITH RECURSIVE c(n) AS (SELECT 400 UNION ALL SELECT n+1 FROM c WHERE n<500)
INSERT INTO Packages SELECT n, CAST(printf('%.'||(n*31)||'c','x') AS BLOB) FROM c;
`
	before, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	run(change + ".shell cp " + file + " " + file + ".copy\n.shell cp " + file + "-wal " + file + ".copy-wal\n")
	data, err := os.ReadFile(file + ".copy")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(before, data) {
		t.Fatal("the file has changed, so the log proves nothing")
	}
	log, err := os.ReadFile(file + ".copy-wal")
	if err != nil {
		t.Fatal(err)
	}
	for name, log := range map[string][]byte{"without log": nil, "with log": log, "torn log": log[:len(log)-4096]} {
		t.Run(name, func(t *testing.T) { compare(t, program, data, log) })
	}
	// What the tests build is what SQLite takes for a database and its log.
	old, now := rpmtest.SQLite(1024, values(5, 900, 2000)...), rpmtest.SQLite(1024, values(4, 9000, 7, 12, 100, 988, 989, 990, 991)...)
	for name, log := range map[string][]byte{
		"generated": nil, "generated with log": rpmtest.Log(binary.LittleEndian, 1024, old, now), "big endian log": rpmtest.Log(binary.BigEndian, 1024, old, now, old, now),
	} {
		t.Run(name, func(t *testing.T) { compare(t, program, old, log) })
	}
}

func sqlite3(t *testing.T, program, file, script string) string {
	t.Helper()
	cmd := exec.Command(program, "-batch", file)
	cmd.Stdin = strings.NewReader(script)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return string(out)
}

// compare gives the program a copy, because it changes what it opens.
func compare(t *testing.T, program string, data, log []byte) {
	file := filepath.Join(t.TempDir(), "db")
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	if log != nil {
		if err := os.WriteFile(file+"-wal", log, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want := sqlite3(t, program, file, "PRAGMA integrity_check; SELECT hnum || ' ' || hex(blob) FROM Packages ORDER BY hnum;")
	got, err := rows(data, log)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	b.WriteString("ok\n")
	for _, n := range slices.Sorted(maps.Keys(got)) {
		fmt.Fprintf(&b, "%d %X\n", n, got[n])
	}
	if b.String() != want {
		t.Error("rows differ from those of sqlite3")
	}
	t.Logf("%d rows", len(got))
}
