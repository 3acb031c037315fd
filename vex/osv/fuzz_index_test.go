package osv

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"hash/crc32"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/assaykit/assay"
)

// typed fails if an error is not one that says what is wrong.
func typed(t *testing.T, err error) {
	t.Helper()
	if _, ok := errors.AsType[*assay.Error](err); err != nil && (!ok || assay.KindOf(err) == nil) {
		t.Errorf("not typed: %v", err)
	}
}

// stored fails if an advisory is not read from its record as it was written there.
func stored(t *testing.T, a *Advisory) {
	t.Helper()
	record := encodeRecord(a, sha256.Sum256(nil))
	x := &Index{path: "fuzz"}
	whole, err := x.nextRecord(bytes.NewReader(record), nil, 0, int64(len(record)))
	if err != nil || !bytes.Equal(whole, record) {
		t.Fatalf("%+v: %v", a, err)
	}
	n := int(record[0])<<24 | int(record[1])<<16 | int(record[2])<<8 | int(record[3])
	h, ok := decodeHead(record[:n])
	if !ok {
		t.Fatalf("%+v does not read", a)
	}
	same := []cmp.Option{cmpopts.EquateComparable(assay.PURL{}), cmpopts.EquateEmpty()}
	want := *a
	want.Affected = nil
	if d := cmp.Diff(&want, h.advisory, same...); d != "" {
		t.Error(d)
	}
	rest := record[n:]
	var keys []string
	rows := 0
	for _, size := range h.parts {
		key, e, ok := decodePart(rest[:size])
		if !ok || e.Advisory != a.ID || !e.Withdrawn.Equal(a.Withdrawn) {
			t.Fatalf("%+v: part %q does not read", a, key)
		}
		if k, ok := partKey(rest[:size-crcSize]); !ok || k != key {
			t.Errorf("got key %q, want %q", k, key)
		}
		keys = append(keys, key)
		rows += len(e.Affected)
		for _, row := range e.Affected {
			if !slices.ContainsFunc(a.Affected, func(w Affected) bool { return cmp.Equal(w, row, same...) && slices.Contains(w.keys(), key) }) {
				t.Errorf("%q: %+v is not in the record", key, row)
			}
		}
		rest = rest[size:]
	}
	wantRows := 0
	for i := range a.Affected {
		wantRows += len(a.Affected[i].keys())
	}
	if rows != wantRows || len(rest) != 0 || !slices.IsSorted(keys) {
		t.Errorf("%d rows of %d, %d bytes left", rows, wantRows, len(rest))
	}
}

const fuzzRecord = `{"id":"GHSA-aaaa-bbbb-cccc","modified":"2026-03-02T10:00:00Z","published":"0001-01-01T00:00:00Z","withdrawn":"2026-03-03T00:00:00Z","aliases":["CVE-2026-0001"],
	"severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:N"}],"affected":[{"package":{"ecosystem":"Debian:12","name":"A","purl":"pkg:deb/debian/a"},"versions":["1"],
	"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"2"}]},{"type":"GIT","repo":"r","events":[{"introduced":"0"},{"limit":"f"}]}]},
	{"ranges":[{"type":"GIT","repo":"r","events":[{"introduced":"0"},{"last_affected":"f"}]}],"ecosystem_specific":{"imports":[{"path":"p"}],"severity":"LOW"}},
	{"package":{"ecosystem":"Go","name":"m"},"ecosystem_specific":{"imports":[{"path":"p","symbols":["F"],"goos":["linux"],"goarch":["arm"]}]}}],"database_specific":{"severity":"MODERATE"}}`

const fuzzModule = `{"id":"ALSA-2026:1","summary":"Important: nodejs:18 security update","affected":[{"package":{"ecosystem":"AlmaLinux:8","name":"nodejs"},
	"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"1:18.20.4-1.module_el8.10.0+3882+a"}]}]},
	{"package":{"ecosystem":"Red Hat:enterprise_linux:8::appstream","name":"a","purl":"pkg:rpm/redhat/a?rpmmod=a:1:2:3"},"ecosystem_specific":{"rpm_modularity":"b:2"}}]}`

func FuzzReadAdvisory(f *testing.F) {
	for _, s := range []string{fuzzRecord, `{}`, `{"id":"X-1"}`, fuzzModule, `{"id":"X-1","affected":[{}]}`, `{"id":"X-1","affected":null,"database_specific":[1]}`, `{"id":`, `[]`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		a, err := ReadAdvisory("fuzz.json", data)
		typed(t, err)
		if (a == nil) == (err == nil) {
			t.Fatalf("got %+v, %v", a, err)
		}
		if a != nil {
			stored(t, a)
		}
	})
}

func fuzzTracker(f *testing.F, read func(data []byte, to taker) error, seeds ...string) {
	for _, s := range append(seeds, `{}`, `[]`, `{"a":`, `{"a":{"a":{"a":{}}}}`) {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		typed(t, read(data, taker{
			add:  func(a *Advisory) error { stored(t, a); return nil },
			skip: func(_ string, err error) error { typed(t, err); return nil },
		}))
	})
}

func FuzzDebianTracker(f *testing.F) {
	fuzzTracker(f, func(data []byte, to taker) error { return readDebian("fuzz.json", bytes.NewReader(data), to) },
		`{"bash":{"CVE-2026-0001":{"description":"d","releases":{"bookworm":{"status":"resolved","fixed_version":"5","urgency":"high**"},"sid":{"status":"undetermined"},"trixie":{"status":"open"},"buster":{"status":"resolved","fixed_version":"0"}}},"TEMP-1-A":{"releases":{"odd":{"status":"odd"}}}}}`)
}

func FuzzAlpineSecDB(f *testing.F) {
	fuzzTracker(f, func(data []byte, to taker) error { return readAlpine("fuzz.json", data, to) },
		`{"distroversion":"v3.22","packages":[{"pkg":{"name":"a","secfixes":{"1":["CVE-2026-0001 CVE-2026-0002 (+)","ALPINE-1"],"2":["CVE-2026-0001",""],"0":["XSA-1"]}}},{"pkg":null},7]}`)
}

func FuzzKEV(f *testing.F) {
	fuzzTracker(f, func(data []byte, to taker) error { return readKEV("fuzz.json", data, to) },
		`{"count":2,"vulnerabilities":[{"cveID":"CVE-2026-0001","vulnerabilityName":"n","dateAdded":"2026-01-01","dueDate":"2026-01-22"},{"cveID":"CVE-2026-0002","dueDate":"never"}]}`)
}

func crcOf(data []byte, e extent) uint32 {
	return crc32.Checksum(data[e.at:e.at+e.n], castagnoli)
}

type inMemory struct{ *bytes.Reader }

func (inMemory) Close() error { return nil }

// exercise asks an index all it can be asked. It may say anything, but not panic, and
// no error without a type.
func exercise(t *testing.T, x *Index) {
	check := x.Check(t.Context())
	typed(t, check)
	for _, q := range [][2]string{{"npm", "a"}, {"Go", "m"}, {"Debian", "a"}, {"GIT", "r"}, {"", ""}} {
		_, err := x.Entries(t.Context(), q[0], q[1])
		typed(t, err)
		if check == nil && err != nil {
			t.Errorf("Check finds nothing, and Entries %v", err)
		}
		x.Knows(q[0])
	}
	for _, id := range []assay.VulnID{"GHSA-aaaa-bbbb-cccc", "CVE-2026-0001", "X-1", ""} {
		_, err := x.Advisory(t.Context(), id)
		typed(t, err)
		if check == nil && err != nil {
			t.Errorf("Check finds nothing, and Advisory %v", err)
		}
		_, err = x.Names(id)
		typed(t, err)
	}
	x.Info()
	x.Skipped()
	x.Ecosystems()
}

func fuzzIndex(f *testing.F) []byte {
	path := filepath.Join(f.TempDir(), "index")
	fsys := fstest.MapFS{"a.json": {Data: []byte(fuzzRecord)}, "b.json": {Data: []byte(`{"id":"X-1","affected":[{"package":{"ecosystem":"npm","name":"a"}}]}`)}, "c.json": {}}
	kev := fstest.MapFS{"k.json": {Data: []byte(`{"vulnerabilities":[{"cveID":"CVE-2026-0001"}]}`)}}
	if _, err := Build(f.Context(), path, BuildOptions{Time: time.Unix(0, 0)}, Source{Name: "s", Format: FormatOSV, FS: fsys}, Source{Name: "k", Format: FormatKEV, FS: kev}); err != nil {
		f.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	return data
}

// An index whose bytes are anything is refused, or asked without harm.
func FuzzOpen(f *testing.F) {
	whole := fuzzIndex(f)
	f.Add(whole)
	f.Add(whole[:len(whole)-1])
	f.Add(whole[:len(whole)/2])
	f.Add([]byte(magic))
	f.Add(header())
	f.Fuzz(func(t *testing.T, data []byte) {
		x, err := open("fuzz", inMemory{bytes.NewReader(data)}, int64(len(data)))
		typed(t, err)
		if err == nil {
			exercise(t, x)
		}
	})
}

// An index that somebody changed and computed the checksums of anew is read without
// harm too: the checksums keep out accidents, the decoders everything else.
func FuzzForged(f *testing.F) {
	whole := fuzzIndex(f)
	foot, err := readFooter("fuzz", bytes.NewReader(whole), int64(len(whole)))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(uint8(0), uint16(0), []byte{0xff})
	for piece := range uint8(8) {
		f.Add(piece, uint16(4), []byte{0, 0xff, 0xff, 0xff, 0xff, 0x0f})
		f.Add(piece, uint16(40), []byte{1})
	}
	f.Fuzz(func(t *testing.T, piece uint8, at uint16, patch []byte) {
		data := slices.Clone(whole)
		over := func(e extent) bool {
			if e.n == 0 {
				return false
			}
			return copy(data[e.at+int64(at)%e.n:e.at+e.n], patch) > 0
		}
		x, err := open("fuzz", inMemory{bytes.NewReader(whole)}, int64(len(whole)))
		if err != nil {
			t.Fatal(err)
		}
		foot := foot
		switch piece {
		case 0:
			over(foot.top)
		case 1:
			over(foot.meta)
		case 2: // where top and meta are
			over(extent{int64(len(data) - footerSize), 44})
		default:
			// The pieces with a checksum behind them: blocks, heads, parts, groups.
			pieces := pieces(t, x)
			e := pieces[int(piece)%len(pieces)]
			over(extent{e.at, e.n - crcSize})
			copy(data[e.at:e.at+e.n], appendCRC(slices.Clone(data[e.at:e.at+e.n-crcSize]), 0))
		}
		if piece != 2 {
			foot.topCRC, foot.metaCRC = crcOf(data, foot.top), crcOf(data, foot.meta)
			copy(data[len(data)-footerSize:], foot.encode())
		} else {
			from := len(data) - footerSize
			copy(data[from:], appendCRC(slices.Clone(data[from:len(data)-len(magic)-crcSize]), 0))
		}
		x, err = open("fuzz", inMemory{bytes.NewReader(data)}, int64(len(data)))
		typed(t, err)
		if err == nil {
			exercise(t, x)
		}
	})
}

// pieces are those of a good index that have a checksum of their own.
func pieces(t *testing.T, x *Index) []extent {
	t.Helper()
	var out []extent
	for i := range x.table.blocks {
		out = append(out, x.table.blocks[i].extent)
		err := x.table.entries(i, func(key, value []byte) bool {
			list, err := x.table.pointers(value, x.end)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, list...)
			return true
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return out
}
