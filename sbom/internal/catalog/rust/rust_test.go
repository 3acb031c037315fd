package rust

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zlib"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/sbom/internal/catalog/executable"
)

func deflate(tb testing.TB, text string) []byte {
	tb.Helper()
	var b bytes.Buffer
	z := zlib.NewWriter(&b)
	if _, err := z.Write([]byte(text)); err != nil {
		tb.Fatal(err)
	}
	if err := z.Close(); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

// elf makes a 64-bit ELF file with one section.
func elf(name string, data []byte) []byte {
	names := "\x00" + name + "\x00.shstrtab\x00"
	b := make([]byte, 64)
	copy(b, "\x7fELF\x02\x01\x01")
	o := binary.LittleEndian
	o.PutUint16(b[16:], 3)
	o.PutUint16(b[52:], 64)
	o.PutUint16(b[58:], 64)
	o.PutUint16(b[60:], 3)
	o.PutUint16(b[62:], 2)
	section := func(at, typ int, from, n int) []byte {
		h := make([]byte, 64)
		o.PutUint32(h, uint32(at))
		o.PutUint32(h[4:], uint32(typ))
		o.PutUint64(h[24:], uint64(from))
		o.PutUint64(h[32:], uint64(n))
		return h
	}
	from := len(b)
	b = append(append(b, data...), names...)
	o.PutUint64(b[40:], uint64(len(b)))
	b = append(b, make([]byte, 64)...)
	b = append(b, section(1, 1, from, len(data))...)
	return append(b, section(len(name)+2, 3, from+len(data), len(names))...)
}

func parse(tb testing.TB, content []byte) ([]Crate, error) {
	tb.Helper()
	f, err := executable.Open(content)
	if err != nil {
		tb.Fatal(err)
	}
	return Parse(f)
}

const list = `{"packages":[{"name":"app","version":"0.1.0","source":"local","dependencies":[1,2],"root":true},` +
	`{"name":"serde","version":"1.0.1","source":"crates.io","features":["std"]},{"name":"cc","version":"1.0.0","source":"crates.io","kind":"build"}],"format":8}`

func TestParse(t *testing.T) {
	got, err := parse(t, elf(section, deflate(t, list)))
	if err != nil {
		t.Fatal(err)
	}
	want := []Crate{{"app", "0.1.0", "local", "", []int{1, 2}, true}, {"serde", "1.0.1", "crates.io", "", nil, false}, {"cc", "1.0.0", "crates.io", "build", nil, false}}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if !got[2].Build() || got[1].Build() {
		t.Error("which crates are of the build")
	}
	if got, err := parse(t, elf(".text", []byte("x"))); got != nil || err != nil {
		t.Error("an executable without a list", got, err)
	}
}

func TestParseRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		data  []byte
		kind  error
		names string
	}{
		"no zlib":    {[]byte("x"), assay.ErrInvalid, section},
		"cut":        {deflate(t, list)[:40], assay.ErrInvalid, section},
		"no JSON":    {deflate(t, "x"), assay.ErrInvalid, ""},
		"empty":      {deflate(t, "{}"), assay.ErrInvalid, "/packages"},
		"no name":    {deflate(t, `{"packages":[{"version":"1"}]}`), assay.ErrInvalid, "/packages/0/name"},
		"bad edge":   {deflate(t, `{"packages":[{"name":"a","dependencies":[1]}]}`), assay.ErrInvalid, "/packages/0/dependencies"},
		"two values": {deflate(t, `{"packages":[],"packages":[]}`), assay.ErrInvalid, "packages"},
		"bomb":       {deflate(t, strings.Repeat(" ", maxJSON+1)), assay.ErrBound, "16777216"},
		"many":       {deflate(t, `{"packages":[`+strings.Repeat(`{"name":"a"},`, maxPackages)+`{"name":"a"}]}`), assay.ErrBound, "100000"},
	} {
		if got, err := parse(t, elf(section, c.data)); got != nil || !errors.Is(err, c.kind) || !strings.Contains(err.Error(), c.names) {
			t.Errorf("%s: %v with %d crates", name, err, len(got))
		}
	}
}

// TestScalibr reads executables that cargo-auditable made.
func TestScalibr(t *testing.T) {
	dir := os.Getenv("ASSAY_SCALIBR")
	if dir == "" {
		t.Skip("ASSAY_SCALIBR names no folder with the module github.com/google/osv-scalibr")
	}
	for name, want := range map[string][]string{
		"no_deps/no_deps":                 {"no_deps@0.1.0 <- "},
		"uses_serde_json/uses_serde_json": {"uses_json@0.1.0 <- [5 7] root true local", "serde_json@1.0.135 <- [0 1 4 5]", "serde@1.0.217", "itoa@", "ryu@"},
	} {
		content, err := os.ReadFile(filepath.Join(dir, "extractor/filesystem/language/rust/cargoauditable/testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		crates, err := parse(t, content)
		if err != nil {
			t.Fatal(err)
		}
		var all strings.Builder
		for _, c := range crates {
			fmt.Fprintf(&all, "%s@%s <- %v root %v %s\n", c.Name, c.Version, c.Depends, c.Root, c.Source)
		}
		for _, w := range want {
			if !strings.Contains(all.String(), w) {
				t.Errorf("%s: no %q in\n%s", name, w, &all)
			}
		}
		t.Log(all.String())
	}
}

// FuzzParse: any section gives crates whose edges are inside of the list, or an
// error.
func FuzzParse(f *testing.F) {
	f.Add([]byte(list), true)
	f.Add(deflate(f, list), false)
	f.Fuzz(func(t *testing.T, data []byte, pack bool) {
		if pack {
			data = deflate(t, string(data))
		}
		crates, err := parse(t, elf(section, data))
		if err != nil && !errors.Is(err, assay.ErrInvalid) && !errors.Is(err, assay.ErrBound) {
			t.Fatal(err)
		}
		for _, c := range crates {
			for _, d := range c.Depends {
				if d < 0 || d >= len(crates) {
					t.Fatalf("%+v", c)
				}
			}
		}
	})
}
