package golang

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assaykit/assay/sbom/internal/catalog/sparse"
)

// stream reads a content as it goes by, in pieces that pick gives the length of, and
// again as often as it asks. It gives the number of readings, 0 if it gave up.
func stream(content []byte, pick func() int) (*Binary, int, error) {
	var wanted []sparse.Range
	for n := 1; n <= 4; n++ {
		s := NewStream(int64(len(content)), wanted)
		for rest := content; len(rest) > 0; {
			k := min(len(rest), pick())
			s.Write(rest[:k])
			rest = rest[k:]
		}
		b, missing, full, err := s.Parse()
		if len(missing) == 0 {
			return b, n, err
		}
		if full {
			return nil, 0, nil
		}
		wanted = append(wanted, missing...)
	}
	return nil, 0, nil
}

func same(t *testing.T, name string, content []byte, seed uint64) (readings int) {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 1))
	want, wantErr := Parse(content)
	got, n, err := stream(content, func() int { return 1 + r.IntN(100_000) })
	if n == 0 {
		return 0
	}
	if errors.Is(wantErr, ErrNotGo) != errors.Is(err, ErrNotGo) || (wantErr == nil) != (err == nil) {
		t.Errorf("%s: %v, held %v", name, err, wantErr)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("%s: %s", name, d)
	}
	return n
}

// Programs show the same whether they are held or go by.
func TestStream(t *testing.T) {
	content := own(t)
	if n := same(t, "own", content, 1); n != 1 {
		t.Errorf("own executable: %d readings", n)
	}
	magic := []byte("\xff Go buildinf:")
	same(t, "hidden", bytes.ReplaceAll(content, magic, []byte("\xff No buildinf:")), 2)
	same(t, "cut", content[:len(content)/2], 3)
	same(t, "tiny", tiny(), 4)
	same(t, "with more of its marks", append(bytes.Clone(content), bytes.Repeat([]byte("Go buildinf:"), 20)...), 5)
	// The information in the format before Go 1.18: pointers to texts.
	if n := same(t, "old", old(), 6); n != 1 && n != 2 {
		t.Errorf("old format: %d readings", n)
	}
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, pattern := range []string{"bin/*", "pkg/tool/*/*", "src/debug/*/testdata/*"} {
		files, err := filepath.Glob(filepath.Join(strings.TrimSpace(string(root)), pattern))
		if err != nil {
			t.Fatal(err)
		}
		for i, file := range files {
			if b, err := os.ReadFile(file); err == nil && IsExecutable(b) {
				if n := same(t, file, b, uint64(i)); n == 0 || n > 1 && strings.HasPrefix(pattern, "bin") {
					t.Errorf("%s: %d readings", file, n)
				}
			}
		}
	}
}

// TestStreamLinked links a program for several systems, with and without symbols.
func TestStreamLinked(t *testing.T) {
	dir := t.TempDir()
	for name, body := range map[string]string{
		"go.mod":  "module example.org/tool\n\ngo 1.20\n",
		"main.go": "package main\n\nfunc main() { println(\"Go buildinf:\") }\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(body), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct{ os, arch, flags string }{
		{"linux", "amd64", ""}, {"linux", "amd64", "-s -w"}, {"windows", "amd64", ""}, {"darwin", "arm64", ""},
	} {
		out := filepath.Join(dir, "tool")
		cmd := exec.Command("go", "build", "-ldflags="+c.flags, "-o", out, ".")
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GOOS="+c.os, "GOARCH="+c.arch, "CGO_ENABLED=0", "GOFLAGS=", "GOWORK=off")
		if text, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, text)
		}
		b, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := Parse(b); err != nil || got.Main.Path != "example.org/tool" {
			t.Fatalf("%s: %+v, %v", c.os, got, err)
		}
		n := same(t, c.os+" "+c.flags, b, 7)
		t.Logf("%s %s: %d readings", c.os, c.flags, n)
		if n == 0 || c.os == "linux" && n != 1 {
			t.Errorf("%s %s: %d readings", c.os, c.flags, n)
		}
	}
}

// old is tiny with the texts elsewhere, as linkers before Go 1.18 left them.
func old() []byte {
	const addr, at = 0x400000, 128
	b := tiny()
	info := make([]byte, 32, 200)
	copy(info, "\xff Go buildinf:\x08\x00")
	text := func(s string) uint64 {
		p := uint64(len(info))
		info = binary.LittleEndian.AppendUint64(info, addr+p+16)
		info = binary.LittleEndian.AppendUint64(info, uint64(len(s)))
		info = append(info, s...)
		for len(info)%8 != 0 {
			info = append(info, 0)
		}
		return addr + p
	}
	binary.LittleEndian.PutUint64(info[16:], text("go1.16"))
	binary.LittleEndian.PutUint64(info[24:], text(strings.Repeat("x", 16)+"path\texample.org/tool\n"+strings.Repeat("y", 16)))
	b = append(b[:at], info...)
	binary.LittleEndian.PutUint64(b[64+32:], uint64(len(info)))
	binary.LittleEndian.PutUint64(b[64+40:], uint64(len(info)))
	return b
}

func FuzzStream(f *testing.F) {
	f.Add(tiny(), uint16(3))
	f.Add(old(), uint16(70))
	f.Add(append(tiny(), "\x00\x00.gopclntab\x00"...), uint16(1))
	f.Fuzz(func(t *testing.T, b []byte, piece uint16) {
		want, wantErr := Parse(b)
		got, n, err := stream(b, func() int { return int(piece) + 1 })
		if n == 0 {
			return
		}
		// Of headers that contradict each other either half may be believed.
		if want != nil && got != nil && !cmp.Equal(want, got) {
			t.Errorf("%+v, held %+v", got, want)
		}
		_, _ = err, wantErr
	})
}
