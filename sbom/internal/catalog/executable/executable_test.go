package executable

import (
	"bytes"
	"debug/elf"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/assaykit/assay"
)

func TestKindOf(t *testing.T) {
	pad := strings.Repeat("\x00", 60)
	for name, c := range map[string]struct {
		head string
		want Kind
	}{
		"ELF program":    {"\x7fELF\x02\x01\x01" + pad[:9] + "\x02\x00" + pad, ELF},
		"ELF shared":     {"\x7fELF\x02\x01\x01" + pad[:9] + "\x03\x00" + pad, ELF},
		"big-endian ELF": {"\x7fELF\x02\x02\x01" + pad[:9] + "\x00\x03" + pad, ELF},
		"ELF object":     {"\x7fELF\x02\x01\x01" + pad[:9] + "\x01\x00" + pad, ""},
		"core dump":      {"\x7fELF\x02\x01\x01" + pad[:9] + "\x04\x00" + pad, ""},
		"PE":             {"MZ" + pad[:58] + "\x80\x00\x00\x00" + pad, PE},
		"a text":         {"MZ" + pad, ""},
		"Mach-O":         {"\xCF\xFA\xED\xFE" + pad, MachO},
		"universal":      {"\xCA\xFE\xBA\xBE\x00\x00\x00\x02" + pad, MachO},
		"Java class":     {"\xCA\xFE\xBA\xBE\x00\x00\x00\x41" + pad, ""},
		"script":         {"#!/bin/sh\n", Script},
		"Rust source":    {"#![no_std]\n", ""},
		"nothing":        {"", ""},
	} {
		if got := KindOf([]byte(c.head)); got != c.want {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestInterpreter(t *testing.T) {
	for head, want := range map[string]string{
		"#!/bin/sh -e\n:": "/bin/sh", "#! /usr/bin/env python3\n": "python3", "#!/usr/bin/env -S A=b node --x\n": "node", "#!/usr/bin/env": "/usr/bin/env",
		"#!\n": "", "#!sh\n": "", "x": "", "#!/bin/s\x00h": "/bin/s\x00h",
	} {
		if got := Interpreter([]byte(head)); got != want {
			t.Errorf("%q: %q", head, got)
		}
	}
}

const words = "these words are to be found"

// Sections are those that debug/elf finds, in this program and in what the standard
// library is tested with, and the strings of a program are in what is given as such.
func TestOpen(t *testing.T) {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	files := []string{exe}
	if root, err := exec.Command("go", "env", "GOROOT").Output(); err == nil {
		for _, format := range []string{"elf", "pe", "macho"} {
			more, err := filepath.Glob(filepath.Join(strings.TrimSpace(string(root)), "src/debug", format, "testdata/*"))
			if err != nil {
				t.Fatal(err)
			}
			files = append(files, more...)
		}
	}
	seen := map[Kind]int{}
	for _, path := range files {
		content, err := os.ReadFile(path)
		if err != nil {
			continue // a folder
		}
		if strings.HasSuffix(path, ".base64") { // lest scanners for viruses complain
			if content, err = base64.StdEncoding.DecodeString(string(content)); err != nil {
				t.Fatal(err)
			}
		}
		kind := KindOf(content)
		if kind == "" || kind == Script {
			continue
		}
		f, err := Open(content)
		if err != nil {
			if !strings.Contains(path, "-bad-") {
				t.Errorf("%s: %v", path, err)
			}
			continue
		}
		seen[kind]++
		total, found := 0, false
		for _, s := range f.Strings() {
			total += len(s)
			found = found || bytes.Contains(s, []byte(words))
		}
		if total == 0 || total > len(content) || path == exe && (!found || total == len(content)) {
			t.Errorf("%s: found %v in %d of %d bytes", path, found, total, len(content))
		}
		if f.Kind != ELF {
			continue
		}
		e, err := elf.NewFile(bytes.NewReader(content))
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range e.Sections {
			if s.Type == elf.SHT_NOBITS || s.Size == 0 || !strings.HasPrefix(s.Name, ".") || s.Flags&elf.SHF_COMPRESSED != 0 {
				continue
			}
			want, err := s.Data()
			if err != nil {
				t.Fatal(err)
			}
			if got := f.Section(s.Name); !bytes.Equal(want, got) {
				t.Errorf("%s: section %s: %d bytes, want %d", path, s.Name, len(got), len(want))
			}
		}
		id := path != exe
		f.Notes(func(n Note) bool {
			id = id || n.Owner == "Go" && n.Type == 4 && len(n.Desc) > 0
			return true
		})
		if !id && runtime.GOOS == "linux" {
			t.Errorf("%s: no note of Go's build id", path)
		}
	}
	t.Logf("%v", seen)
}

// What the headers of a hostile file say is bounded by its size.
func TestOverlap(t *testing.T) {
	o := binary.LittleEndian
	b := make([]byte, 64)
	copy(b, "\x7fELF\x02\x01\x01")
	o.PutUint16(b[16:], 2)
	o.PutUint64(b[40:], 64)
	o.PutUint16(b[58:], 64)
	o.PutUint16(b[60:], 5000)
	size := 64 + 5000*64
	for range 5000 {
		h := make([]byte, 64)
		o.PutUint32(h[4:], 1)
		o.PutUint64(h[8:], 2)
		o.PutUint64(h[32:], uint64(size))
		b = append(b, h...)
	}
	f, err := Open(b)
	if err != nil {
		t.Fatal(err)
	}
	if got := f.Strings(); len(got) != 1 || len(got[0]) != size {
		t.Errorf("%d parts", len(got))
	}
	if _, err := Open([]byte("text")); !errors.Is(err, assay.ErrInvalid) {
		t.Error(err)
	}
	if _, err := Open(b[:40]); !errors.Is(err, assay.ErrInvalid) {
		t.Error(err)
	}
}

// FuzzOpen: whatever the headers say, what is given is part of the file, and no
// byte twice.
func FuzzOpen(f *testing.F) {
	exe, err := os.Executable()
	if err != nil {
		f.Fatal(err)
	}
	b, err := os.ReadFile(exe)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b[:min(len(b), 8192)])
	f.Add([]byte("MZ" + strings.Repeat("\x00", 58) + "\x40\x00\x00\x00PE\x00\x00" + strings.Repeat("\x00", 40)))
	f.Add([]byte("\xCA\xFE\xBA\xBE\x00\x00\x00\x01" + strings.Repeat("\x00", 40)))
	f.Add([]byte("\xCF\xFA\xED\xFE" + strings.Repeat("\x00", 60)))
	f.Fuzz(func(t *testing.T, b []byte) {
		file, err := Open(slices.Clone(b))
		if err != nil {
			if !errors.Is(err, assay.ErrInvalid) {
				t.Fatal(err)
			}
			return
		}
		total := 0
		for _, s := range file.Strings() {
			total += len(s)
		}
		if total > len(b) {
			t.Fatalf("%d bytes of %d", total, len(b))
		}
		file.Notes(func(Note) bool { return true })
		_ = file.Section(".x")
	})
}
