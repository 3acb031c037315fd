package elfnote

import (
	"encoding/binary"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/sbom/internal/catalog/executable"
)

// program makes an ELF file with one segment of notes. Fedora's executables have the
// note in such a segment even where the sections were stripped.
func program(o binary.ByteOrder, wide bool, notes []byte) []byte {
	head, ph := 64, 56
	if !wide {
		head, ph = 52, 32
	}
	b := make([]byte, head+ph)
	copy(b, "\x7fELF\x01\x01\x01")
	if wide {
		b[4] = 2
	}
	if o == binary.BigEndian {
		b[5] = 2
	}
	o.PutUint16(b[16:], 3)
	h := b[head:]
	o.PutUint32(h, 4)
	if wide {
		o.PutUint64(b[32:], uint64(head))
		o.PutUint16(b[54:], uint16(ph))
		o.PutUint16(b[56:], 1)
		o.PutUint64(h[8:], uint64(len(b)))
		o.PutUint64(h[32:], uint64(len(notes)))
	} else {
		o.PutUint32(b[28:], uint32(head))
		o.PutUint16(b[42:], uint16(ph))
		o.PutUint16(b[44:], 1)
		o.PutUint32(h[4:], uint32(len(b)))
		o.PutUint32(h[16:], uint32(len(notes)))
	}
	return append(b, notes...)
}

func note(o binary.ByteOrder, owner string, typ uint32, desc string) []byte {
	b := make([]byte, 12)
	o.PutUint32(b, uint32(len(owner)+1))
	o.PutUint32(b[4:], uint32(len(desc)))
	o.PutUint32(b[8:], typ)
	for _, s := range []string{owner + "\x00", desc} {
		b = append(b, s...)
		b = append(b, make([]byte, -len(s)&3)...)
	}
	return b
}

func parse(t *testing.T, content []byte) (*Package, error) {
	t.Helper()
	f, err := executable.Open(content)
	if err != nil {
		t.Fatal(err)
	}
	return Parse(f)
}

const fedora = `{"type":"rpm","name":"coreutils","version":"9.4-6.fc40","architecture":"x86_64","osCpe":"cpe:/o:fedoraproject:fedora:40","later":"fields are fine"}`

func TestParse(t *testing.T) {
	want := &Package{Type: "rpm", Name: "coreutils", Version: "9.4-6.fc40", Architecture: "x86_64", OSCPE: "cpe:/o:fedoraproject:fedora:40"}
	for _, o := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		for _, wide := range []bool{true, false} {
			notes := append(note(o, "GNU", 3, "build"), note(o, owner, typ, fedora+"\x00\x00")...)
			got, err := parse(t, program(o, wide, notes))
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("%s, wide %v: %s", o, wide, d)
			}
		}
	}
}

func TestParseRefuses(t *testing.T) {
	o := binary.LittleEndian
	for name, c := range map[string]struct {
		notes []byte
		kind  error
	}{
		"another type":  {note(o, owner, 1, fedora), nil},
		"another owner": {note(o, "GNU", typ, fedora), nil},
		"cut":           {note(o, owner, typ, fedora)[:60], nil},
		"none":          {nil, nil},
		"no JSON":       {note(o, owner, typ, "x"), assay.ErrInvalid},
		"twice":         {note(o, owner, typ, `{"name":"a","name":"b"}`), assay.ErrInvalid},
		"long":          {note(o, owner, typ, strings.Repeat(" ", maxNote+1)), assay.ErrBound},
	} {
		got, err := parse(t, program(o, true, c.notes))
		if got != nil || (c.kind == nil) != (err == nil) || c.kind != nil && !errors.Is(err, c.kind) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(note(binary.LittleEndian, owner, typ, fedora))
	f.Add(append(note(binary.LittleEndian, "GNU", 3, "x"), "\x04\x00\x00\x00\xff\xff\xff\xff"...))
	f.Fuzz(func(t *testing.T, notes []byte) {
		got, err := parse(t, program(binary.LittleEndian, true, notes))
		if err != nil && (got != nil || !errors.Is(err, assay.ErrInvalid) && !errors.Is(err, assay.ErrBound)) {
			t.Fatal(got, err)
		}
	})
}
