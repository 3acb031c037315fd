package sbom_test

import (
	"bytes"
	"context"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assaykit/assay/internal/testimage"
	"github.com/assaykit/assay/sbom"
)

// tinyGo is an executable that holds the build information of Go and nothing else,
// where a real one would make an image large.
func tinyGo(modinfo string) string {
	const addr, at = 0x400000, 128
	sized := func(s string) string { return string(binary.AppendUvarint(nil, uint64(len(s)))) + s }
	frame := strings.Repeat("-", 16) // what is between the marks is the text
	info := "\xff Go buildinf:\x08\x02" + strings.Repeat("\x00", 16) + sized("go1.26.0") + sized(frame+modinfo+frame) + strings.Repeat("\x00", 512)
	var b bytes.Buffer
	_ = binary.Write(&b, binary.LittleEndian, elf.Header64{
		Ident: [16]byte{0x7f, 'E', 'L', 'F', byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), 1},
		Type:  uint16(elf.ET_EXEC), Machine: uint16(elf.EM_X86_64), Version: 1, Phoff: 64, Ehsize: 64, Phentsize: 56, Phnum: 1,
	})
	_ = binary.Write(&b, binary.LittleEndian, elf.Prog64{
		Type: uint32(elf.PT_LOAD), Flags: uint32(elf.PF_R | elf.PF_W), Off: at, Vaddr: addr, Filesz: uint64(len(info)), Memsz: uint64(len(info)),
	})
	b.Write(make([]byte, at-b.Len()))
	return b.String() + info
}

// However many layers are read at once, and whichever is done first, the documents
// are the same bytes.
func TestScanDeterministic(t *testing.T) {
	t.Parallel()
	var ls []testimage.Layer
	for i := range 12 {
		exe := tinyGo(fmt.Sprintf("path\texample.org/cmd/c%d\nmod\texample.org/cmd\tv1.0.%d\ndep\texample.org/dep\tv1.%d.0\n", i%3, i%2, i%4))
		ls = append(ls, testimage.Layer{Files: []file{
			dpkgStatus(fmt.Sprintf("a %d Depends: b", i), fmt.Sprintf("b %d", i/2), fmt.Sprintf("only%d 1", i)),
			{Name: fmt.Sprintf("bin/x%d", i), Body: exe}, {Name: "bin/same", Body: exe},
			pkgJSON(fmt.Sprintf("node_modules/p%d", i%5), fmt.Sprintf("p%d", i%5), fmt.Sprintf("1.0.%d", i), `"dependencies":{"p0":"1"}`),
			{Name: "node_modules/broken/package.json", Body: "{" + strings.Repeat(" ", i)},
			{Name: "data", Body: strings.Repeat("x", (12-i)<<14)},
			testimage.Symlink(fmt.Sprintf("usr/lib/link%d.json", i), "../../node_modules/p0/package.json"),
		}})
		if i > 2 {
			ls[i].Files = append(ls[i].Files, testimage.Whiteout(fmt.Sprintf("bin/x%d", i-2)))
		}
	}
	img := testimage.New(t, ls...)
	documents := func(workers int) string {
		c, err := sbom.Scan(context.Background(), img, sbom.Options{Workers: workers})
		if err != nil {
			t.Fatal(err)
		}
		if len(c.History) < 12 || len(c.Skipped) == 0 {
			t.Fatalf("the image shows too little: %d components, %d in history, %d skipped", len(c.SBOM.Components), len(c.History), len(c.Skipped))
		}
		out := mustJSON(t, c.SBOM) + mustJSON(t, c.History) + mustJSON(t, c.Skipped)
		for _, f := range []sbom.Format{sbom.CycloneDXJSON, sbom.SPDXJSON} {
			b, _, err := sbom.Encode(c.SBOM, f, sbom.EncodeOptions{})
			if err != nil {
				t.Fatal(err)
			}
			out += string(b)
		}
		return out
	}
	first := documents(1)
	for _, workers := range []int{8, 1, 8, 3, 8, 12, 8} {
		if got := documents(workers); got != first {
			t.Fatalf("%d workers: %s", workers, cmp.Diff(first, got))
		}
	}
}
