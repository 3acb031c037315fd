package java

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"errors"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assaykit/assay"
)

// stream reads an archive as it goes by, in pieces that pick gives the length of, and
// again as often as it asks. It gives the number of readings, 0 if it gave up.
func stream(content []byte, l Limits, pick func() int) (*Archive, int, error) {
	var shared Shared
	var asked *Asked
	for n := 1; n <= 4; n++ {
		s := NewStream(int64(len(content)), l, asked, &shared)
		for rest := content; len(rest) > 0; {
			k := min(len(rest), pick())
			s.Write(rest[:k])
			rest = rest[k:]
		}
		a, more, full, err := s.Parse(assay.SumSHA256(content))
		s.Close()
		if !shared.large.TryLock() {
			return nil, 0, errors.New("the mutex is held")
		}
		shared.large.Unlock()
		if full {
			return nil, 0, nil
		}
		if more == nil {
			return a, n, err
		}
		asked = more
	}
	return nil, 0, nil
}

var (
	sameError  = cmp.Comparer(func(a, b error) bool { return fmt.Sprint(a) == fmt.Sprint(b) })
	sameDigest = cmp.Comparer(func(a, b assay.Digest) bool { return a == b })
)

func same(t *testing.T, name string, content []byte, seed uint64) int {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 1))
	want, wantErr := Parse(content, assay.SumSHA256(content), Limits{})
	got, n, err := stream(content, Limits{}, func() int { return 1 + r.IntN(5000) })
	if n == 0 {
		t.Errorf("%s: it gave up, %v", name, err)
		return 0
	}
	if (wantErr == nil) != (err == nil) {
		t.Errorf("%s: %v, held %v", name, err, wantErr)
	}
	if d := cmp.Diff(want, got, sameError, sameDigest); d != "" {
		t.Errorf("%s: %s", name, d)
	}
	return n
}

// sized is jar with the sizes in the local headers, as tools for Java write what they
// store.
func sized(tb testing.TB, store bool, files ...file) string {
	tb.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, f := range files {
		h := &zip.FileHeader{Name: f.name, Method: zip.Store, CRC32: crc32.ChecksumIEEE([]byte(f.body)), UncompressedSize64: uint64(len(f.body))}
		raw := []byte(f.body)
		if !store {
			var packed bytes.Buffer
			z, err := flate.NewWriter(&packed, 6)
			if err != nil {
				tb.Fatal(err)
			}
			_, _ = z.Write(raw)
			_ = z.Close()
			h.Method, raw = zip.Deflate, packed.Bytes()
		}
		h.CompressedSize64 = uint64(len(raw))
		e, err := w.CreateRaw(h)
		if err != nil {
			tb.Fatal(err)
		}
		_, _ = e.Write(raw)
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return b.String()
}

// noise is bytes that do not compress.
func noise(r *rand.Rand, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return string(b)
}

func randomJar(tb testing.TB, r *rand.Rand, depth int) string {
	var files []file
	for i := range 1 + r.IntN(6) {
		switch r.IntN(7) {
		case 0:
			files = append(files, file{"META-INF/MANIFEST.MF", "Manifest-Version: 1.0\r\nImplementation-Version: " + fmt.Sprint(i) + "\r\n\r\n"})
		case 1:
			files = append(files, properties("com.example", fmt.Sprint("thing", i), "1.2"))
		case 2:
			files = append(files, file{fmt.Sprintf("META-INF/maven/g/a%d/pom.xml", i), "<project><groupId>g</groupId><artifactId>a</artifactId><!--" + strings.Repeat("x", r.IntN(40_000)) + "--></project>"})
		case 3:
			files = append(files, file{fmt.Sprintf("a/C%d.class", i), noise(r, r.IntN(100_000))})
		case 4:
			files = append(files, file{fmt.Sprintf("lib/b%d.jar", i), "PK\x03\x04 is no archive"})
		default:
			if depth > 0 {
				files = append(files, file{fmt.Sprintf("BOOT-INF/lib/n%d-1.%d.jar", i, i), randomJar(tb, r, depth-1)})
			}
		}
	}
	make := jar
	if r.IntN(2) == 0 {
		make = sized
	}
	return make(tb, r.IntN(2) == 0, files...)
}

// Archives show the same whether they are held or go by.
func TestStream(t *testing.T) {
	readings := map[int]int{}
	for seed := range uint64(150) {
		r := rand.New(rand.NewPCG(seed, 2))
		content := randomJar(t, r, 3)
		switch r.IntN(6) {
		case 0:
			content = "#!/bin/sh\nexec java -jar $0\n" + strings.Repeat("# PK\x03\x04\n", r.IntN(10)) + content
		case 1:
			content = content[:len(content)-r.IntN(40)] // cut
		case 2:
			b := []byte(content)
			for range 1 + r.IntN(5) { // of bytes that changed, what the directory says counts
				b[r.IntN(len(b))]++
			}
			content = string(b)
		}
		readings[same(t, fmt.Sprint("seed ", seed), []byte(content), seed)]++
	}
	t.Log("readings: ", readings)
	if readings[1] == 0 || readings[2] == 0 {
		t.Error("the archives do not take one reading and more")
	}
	// What a plugin of Spring makes takes one: the sizes of what is stored are known.
	r := rand.New(rand.NewPCG(1, 2))
	var libs []file
	for i := range 30 {
		libs = append(libs, file{fmt.Sprintf("BOOT-INF/lib/lib%d-1.0.jar", i), jar(t, false, properties("g", fmt.Sprint("lib", i), "1.0"), file{"a/B.class", noise(r, 300_000)})})
	}
	fat := sized(t, true, append(libs, properties("g", "app", "1"), file{"org/springframework/boot/Main.class", noise(r, 5000)})...)
	if n := same(t, "fat", []byte(fat), 1); n != 1 {
		t.Errorf("%d readings", n)
	}
	if n := same(t, "not sized", []byte(jar(t, true, libs...)), 1); n != 2 {
		t.Errorf("%d readings", n)
	}
}

// TestStreamReal reads the archives of Java below a folder both ways.
func TestStreamReal(t *testing.T) {
	dir := os.Getenv("ASSAY_JARS")
	if dir == "" {
		t.Skip("ASSAY_JARS names no folder with archives of Java")
	}
	archives := 0
	err := filepath.WalkDir(dir, func(p string, d os.DirEntry, err error) error {
		if err != nil || !HasExtension(p) || !d.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(p)
		if err == nil {
			archives++
			t.Log(p, len(b), same(t, p, b, uint64(len(b))))
		}
		return err
	})
	if err != nil || archives == 0 {
		t.Fatal(archives, err)
	}
}

// An archive in one that goes by is held, so there is a bound on it.
func TestStreamLive(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	content := []byte(sized(t, true, file{"lib/big-1.jar", jar(t, true, properties("g", "big", "1"), file{"x", noise(r, 100_000)})}, properties("g", "app", "1")))
	a, n, err := stream(content, Limits{Live: 50_000}, func() int { return 777 })
	if err != nil || n != 1 || len(a.Faults) != 1 || !errors.Is(a.Faults[0].Err, assay.ErrBound) || !strings.Contains(a.Faults[0].Err.Error(), "Live 50000") || len(a.Projects) != 1 {
		t.Errorf("%d readings, %v, %+v", n, err, a)
	}
}

func FuzzStream(f *testing.F) {
	r := rand.New(rand.NewPCG(1, 2))
	f.Add([]byte(randomJar(f, r, 1)), uint16(100))
	f.Add([]byte(sized(f, true, file{"a.jar", jar(f, false, properties("g", "a", "1"))})), uint16(3))
	f.Add([]byte(jar(f, true, file{"a.jar", jar(f, false, properties("g", "a", "1"))})), uint16(1000))
	f.Fuzz(func(t *testing.T, b []byte, piece uint16) {
		want, wantErr := Parse(b, assay.SumSHA256(b), Limits{})
		got, n, err := stream(b, Limits{}, func() int { return int(piece) + 1 })
		if n == 0 {
			if err != nil {
				t.Fatal(err)
			}
			return // headers in one another: it is skipped, and said to be
		}
		if (wantErr == nil) != (err == nil) {
			t.Fatalf("%v, held %v", err, wantErr)
		}
		// Of headers that contradict each other, one way sees one half and the other the
		// other: what is wrong is named alike, why it is wrong need not be.
		samePlace := cmp.Comparer(func(a, b Fault) bool { return a.Path == b.Path })
		if d := cmp.Diff(want, got, samePlace, sameError, sameDigest); d != "" {
			t.Fatal(d)
		}
	})
}
