package tool

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assaykit/assay/sbom/internal/catalog/sparse"
)

// words are what a file is made of in the tests: what is found, and parts of it.
func words(s *Scanner) []string {
	out := []string{
		"node.js/v20.11.0\x00", "cpython-311\x00", "\x003.11.2\x00", "\x003.40.1\x00", "SQLite format 3\x00", "PERL5LIB\x00", "\x00v5.36.0\x00",
		"retry-max-time\x00", "curl 8.5.0 (x86_64-pc-linux-gnu) %s", "GIT_USER_AGENT\x00", "git/2.39.2\x00", "redis_git_sha1:%s",
		"\x007.2.3\x00", "\x007.2.3buildkitsandbox-1699000000000000000000000000\x00", " revision ", "\x00ruby 3.2.2 (2023-03-30 revision e51014f9c0)",
		"BusyBox v1.36.1 (x)", "1.2.3", "\x00", "v", strings.Repeat("x", 100), strings.Repeat("\x00", 150), " deflate 1.3.1 Copyright 1995-2024 ",
		"OpenSSL 3.0.11 19 Sep 2023\x00",
	}
	return append(out, s.texts...)
}

// A file that goes by shows what it shows when it is held, however it is cut, and
// whether it was known where its texts are or not.
func TestStream(t *testing.T) {
	s := New()
	all := words(s)
	seen := map[string]bool{}
	for seed := range uint64(600) {
		r := rand.New(rand.NewPCG(seed, 3))
		var b bytes.Buffer
		for range 1 + r.IntN(60) {
			b.WriteString(all[r.IntN(len(all))])
			if r.IntN(30) == 0 {
				b.Write(bytes.Repeat([]byte{'.', 'a'}, r.IntN(60_000)))
			}
		}
		file := b.Bytes()
		var texts, more []sparse.Range
		for at := 0; at < len(file); {
			from := at + r.IntN(50)*r.IntN(2)
			to := min(len(file), from+r.IntN(len(file)))
			if from >= to {
				break
			}
			texts = append(texts, sparse.Range{From: uint64(from), To: uint64(to)})
			// Something before and after it is looked at too.
			a, z := max(at, from-r.IntN(40)), min(len(file), to+r.IntN(40))
			if n := len(more); n > 0 && more[n-1].To >= uint64(a) {
				more[n-1].To = uint64(z)
			} else {
				more = append(more, sparse.Range{From: uint64(a), To: uint64(z)})
			}
			at = z + 1
		}
		var held [][]byte
		for _, p := range texts {
			held = append(held, file[p.From:p.To])
		}
		want := s.Scan(held)
		for _, n := range names(s, want) {
			seen[n] = true
		}
		for _, exact := range []bool{true, false} {
			parts := more
			if exact {
				parts = texts
			}
			st := s.Begin(parts, exact)
			for rest := file; len(rest) > 0; {
				n := 1 + r.IntN(min(len(rest), 1+r.IntN(100_000)))
				st.Write(rest[:n])
				rest = rest[n:]
			}
			got, ok := st.End(texts)
			if d := cmp.Diff(want, got); d != "" || !ok {
				t.Fatalf("seed %d, exact %t, told %t: %s", seed, exact, ok, d)
			}
		}
	}
	if len(seen) < 12 {
		t.Errorf("the files show only %v", seen)
	}
}

// What is not looked at, or not kept, is not taken for what is not there.
func TestStreamTells(t *testing.T) {
	s := New()
	file := []byte(strings.Repeat("BusyBox v", 2*maxHits) + "x")
	whole := []sparse.Range{{From: 0, To: uint64(len(file))}}
	st := s.Begin(whole, false)
	st.Write(file)
	if _, ok := st.End(whole); ok {
		t.Error("more hits than are kept")
	}
	st = s.Begin([]sparse.Range{{From: 0, To: 100}}, false)
	st.Write(file)
	if _, ok := st.End([]sparse.Range{{From: 50, To: 101}}); ok {
		t.Error("a text that was not looked at")
	}
	file = []byte("SQLite format 3\x00sqlite_master\x00" + strings.Repeat("\x001.2\x00", maxVersionTexts) + "\x003.40.1\x00")
	whole = []sparse.Range{{From: 0, To: uint64(len(file))}}
	st = s.Begin(whole, false)
	st.Write(file)
	if found, ok := st.End(whole); ok {
		t.Error("more versions than are kept, and found ", found)
	}
	if got := s.Scan([][]byte{file}); got != nil {
		t.Error("a regular expression swept more than it may: ", got)
	}
}

// BenchmarkStream looks at bytes without texts, which go by.
func BenchmarkStream(b *testing.B) {
	s := New()
	r := rand.New(rand.NewPCG(1, 2))
	file := make([]byte, 32<<20)
	for i := range file {
		file[i] = byte(r.Uint32())
	}
	parts := []sparse.Range{{From: 0, To: uint64(len(file))}}
	b.SetBytes(int64(len(file)))
	for b.Loop() {
		st := s.Begin(parts, false)
		for at := 0; at < len(file); at += 64 << 10 {
			st.Write(file[at : at+64<<10])
		}
		if _, ok := st.End(parts); !ok {
			b.Fatal("it could not tell")
		}
	}
}
