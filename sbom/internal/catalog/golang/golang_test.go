package golang

import (
	"bytes"
	"debug/buildinfo"
	"debug/elf"
	"encoding/binary"
	"errors"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assaykit/assay"
)

func own(tb testing.TB) []byte {
	tb.Helper()
	exe, err := os.Executable()
	if err != nil {
		tb.Fatal(err)
	}
	b, err := os.ReadFile(exe)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

func TestParseOwnExecutable(t *testing.T) {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		t.Fatal("no build information")
	}
	content := own(t)
	if !IsExecutable(content) {
		t.Fatal("not taken for an executable")
	}
	got, err := Parse(content)
	if err != nil {
		t.Fatal(err)
	}
	if got.Toolchain != runtime.Version() || got.Main.Path != info.Main.Path || got.Package != info.Path {
		t.Errorf("got %+v", got)
	}
	// go test records no dependencies (golang.org/issue/33976); the comparison holds
	// whenever it will.
	want := map[string]string{}
	for _, d := range info.Deps {
		want[d.Path+"@"+d.Version] = d.Sum
	}
	have := map[string]string{}
	for _, d := range got.Deps {
		have[d.Path+"@"+d.Version] = d.Sum
		if d.Hash().IsZero() {
			t.Errorf("%s: no hash of %q", d.Path, d.Sum)
		}
	}
	if d := cmp.Diff(want, have); d != "" {
		t.Error(d)
	}
	if got.Settings["GOARCH"] != runtime.GOARCH {
		t.Errorf("settings %v", got.Settings)
	}
}

// tiny is an executable of one segment that holds build information and no more.
func tiny() []byte {
	const addr, at = 0x400000, 128
	info := "\xff Go buildinf:\x08\x02" + strings.Repeat("\x00", 16) + "\x06go1.26" + strings.Repeat("\x00", 64)
	var b bytes.Buffer
	_ = binary.Write(&b, binary.LittleEndian, elf.Header64{
		Ident: [16]byte{0x7f, 'E', 'L', 'F', byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), 1},
		Type:  uint16(elf.ET_EXEC), Machine: uint16(elf.EM_X86_64), Version: 1, Phoff: 64, Ehsize: 64, Phentsize: 56, Phnum: 1,
	})
	_ = binary.Write(&b, binary.LittleEndian, elf.Prog64{
		Type: uint32(elf.PT_LOAD), Flags: uint32(elf.PF_R | elf.PF_W), Off: at, Vaddr: addr, Filesz: uint64(len(info)), Memsz: uint64(len(info)),
	})
	b.Write(make([]byte, at-b.Len()))
	b.WriteString(info)
	return b.Bytes()
}

func TestParseTiny(t *testing.T) {
	b, err := Parse(tiny())
	if err != nil || b.Toolchain != "go1.26" {
		t.Errorf("%+v, %v", b, err)
	}
}

func TestParseRefuses(t *testing.T) {
	content := own(t)
	if _, err := Parse(content[:4096]); err == nil {
		t.Error("a cut executable was read")
	}
	magic := []byte("\xff Go buildinf:")
	spoilt := bytes.ReplaceAll(content, magic, []byte("\xff No buildinf:"))
	if _, err := Parse(spoilt); !errors.Is(err, assay.ErrInvalid) || errors.Is(err, ErrNotGo) {
		t.Errorf("an executable that Go linked and that hides it: %v", err)
	}
	packed := append(bytes.Clone(spoilt[:200]), "\x00\x00UPX!"...)
	if _, err := Parse(append(packed, make([]byte, 1000)...)); err == nil || !strings.Contains(err.Error(), "UPX") {
		t.Errorf("a packed executable: %v", err)
	}
	for _, b := range []string{"", "x", "\x7fELF", strings.Repeat("MZ", 500), strings.Repeat("\xCA\xFE\xBA\xBE\x00\x00\x00\x02", 9)} {
		if _, err := Parse([]byte(b)); !errors.Is(err, ErrNotGo) {
			t.Errorf("%.8q: %v", b, err)
		}
	}
}

func TestIsExecutable(t *testing.T) {
	elfOf := func(typ elf.Type, big bool) string {
		b := make([]byte, 64)
		copy(b, "\x7fELF\x02\x01\x01")
		b[16] = byte(typ)
		if big {
			b[5], b[16], b[17] = 2, 0, byte(typ)
		}
		return string(b)
	}
	pad := strings.Repeat("\x00", 60)
	for name, c := range map[string]struct {
		head string
		want bool
	}{
		"ELF program":     {elfOf(elf.ET_EXEC, false), true},
		"ELF shared":      {elfOf(elf.ET_DYN, false), true},
		"big-endian ELF":  {elfOf(elf.ET_EXEC, true), true},
		"ELF object":      {elfOf(elf.ET_REL, false), false},
		"core dump":       {elfOf(elf.ET_CORE, true), false},
		"PE":              {"MZ" + pad, true},
		"Mach-O 64":       {"\xCF\xFA\xED\xFE" + pad, true},
		"Mach-O 32 big":   {"\xFE\xED\xFA\xCE" + pad, true},
		"universal":       {"\xCA\xFE\xBA\xBE\x00\x00\x00\x02" + pad, true},
		"Java class":      {"\xCA\xFE\xBA\xBE\x00\x00\x00\x41" + pad, false},
		"XCOFF":           {"\x01\xF7" + pad, true},
		"script":          {"#!/bin/sh\n" + pad, false},
		"too short an MZ": {"MZ", false},
	} {
		if got := IsExecutable([]byte(c.head)); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestFromInfo(t *testing.T) {
	const sum = "h1:RZuuSYhTvlDvtsK+NkutoCZ//C0X2ebLK8X8l3ULs84="
	b := fromInfo(&debug.BuildInfo{
		GoVersion: "go1.26.8 X:jsonv2", Path: "example.org/a/cmd/x", Main: debug.Module{Path: "example.org/a", Version: "(devel)"},
		Deps: []*debug.Module{
			{Path: "b", Version: "v1.0.0", Sum: sum},
			{Path: "c", Version: "v1.0.0", Replace: &debug.Module{Path: "example.org/fork", Version: "v1.1.0", Sum: sum}},
			{Path: "d", Version: "v1.0.0", Replace: &debug.Module{Path: "../d"}},
			{Path: "e", Version: "v1.0.0", Sum: "h1:???"},
		},
		Settings: []debug.BuildSetting{
			{Key: "vcs.revision", Value: "0123456789abcdef0123456789abcdef01234567"}, {Key: "vcs.time", Value: "2026-11-23T10:11:12Z"},
			{Key: "vcs.modified", Value: "true"}, {Key: "-ldflags", Value: "-X secret"},
		},
	})
	want := &Binary{
		Toolchain: "go1.26.8 X:jsonv2", Package: "example.org/a/cmd/x",
		Main: Module{Path: "example.org/a", Version: "v0.0.0-20261123101112-0123456789ab+dirty", Development: true},
		Deps: []Module{
			{Path: "b", Version: "v1.0.0", Sum: sum},
			{Path: "example.org/fork", Version: "v1.1.0", Sum: sum, Stated: "c@v1.0.0"},
			{Path: "d", Stated: "d@v1.0.0", Folder: "../d"},
			{Path: "e", Version: "v1.0.0", Sum: "h1:???"},
		},
		Settings: map[string]string{"vcs.revision": "0123456789abcdef0123456789abcdef01234567", "vcs.time": "2026-11-23T10:11:12Z", "vcs.modified": "true"},
	}
	if d := cmp.Diff(want, b); d != "" {
		t.Error(d)
	}
	if b.Stdlib() != "1.26.8" || (&Binary{Toolchain: "devel go1.27-0123 Mon"}).Stdlib() != "devel go1.27-0123 Mon" {
		t.Error("version of the standard library")
	}
	if got := b.Deps[0].Hash().String(); got != "dirHash:459bae498853be50efb6c2be364bada0267ffc2d17d9e6cb2bc5fc97750bb3ce" {
		t.Error(got)
	}
	if !b.Deps[3].Hash().IsZero() {
		t.Error("a hash of a malformed sum")
	}
}

// withoutSections clears what an ELF header says of sections.
func withoutSections(data []byte) []byte {
	out := bytes.Clone(data)
	if out[4] == 2 {
		clear(out[40:48])
		clear(out[60:64])
	} else {
		clear(out[32:36])
		clear(out[48:52])
	}
	return out
}

// A file whose table of sections is beyond its end runs all the same; one whose segments
// are does not, and is not what was linked.
func TestParseCut(t *testing.T) {
	lost := tiny()
	binary.LittleEndian.PutUint64(lost[40:], uint64(len(lost))+1000) // e_shoff
	lost[58], lost[60] = 64, 3
	if _, err := buildinfo.Read(bytes.NewReader(lost)); err == nil {
		t.Error("debug/buildinfo reads it too, so this shows nothing")
	}
	if b, err := Parse(lost); err != nil || b.Toolchain == "" {
		t.Errorf("sections beyond the end: %v, %v", b, err)
	}
	short := tiny()[:len(tiny())-1]
	if b, err := Parse(short); b != nil || !errors.Is(err, assay.ErrInvalid) || !strings.Contains(err.Error(), "cut") {
		t.Errorf("cut: %v, %v", b, err)
	}
}

func FuzzParse(f *testing.F) {
	lost := tiny()
	binary.LittleEndian.PutUint64(lost[40:], uint64(len(lost))+1000)
	lost[60], lost[58] = 3, 64
	f.Add(lost)
	f.Add(tiny()[:len(tiny())-1])
	f.Add([]byte("\x7fELF"))
	f.Add([]byte(strings.Repeat("MZ", 300)))
	f.Add(own(f)[:8192])
	f.Add(tiny())
	f.Add(bytes.Replace(tiny(), []byte("Go buildinf:"), []byte("No buildinf:"), 1))
	f.Fuzz(func(t *testing.T, data []byte) {
		b, err := Parse(data)
		if (b == nil) == (err == nil) {
			t.Fatalf("%v, %v", b, err)
		}
		IsExecutable(data)
		defer func() { _ = recover() }() // Parse answers for that
		_, direct := buildinfo.Read(bytes.NewReader(data))
		if direct != nil && len(data) >= 64 && bytes.HasPrefix(data, []byte("\x7fELF")) {
			// A loader does not need the table of sections.
			_, direct = buildinfo.Read(bytes.NewReader(withoutSections(data)))
		}
		if (direct == nil) != (err == nil) && !errors.As(err, new(cut)) {
			t.Fatalf("%v, while debug/buildinfo says %v", err, direct)
		}
	})
}
