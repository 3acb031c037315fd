// Package golang reads what the Go linker leaves in an executable: which modules it
// was built of, and from which revision.
//
// Start with [IsExecutable] and [Parse], or [NewStream] for an executable that is too
// large to be held.
package golang

import (
	"bytes"
	"debug/buildinfo"
	"debug/elf"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"path"
	"runtime/debug"
	"strings"
	"time"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/sbom/internal/catalog/executable"
	"github.com/assaykit/assay/sbom/internal/catalog/sparse"
)

// IsExecutable reports whether a file that starts with head may be an executable or
// shared library of a format that Go links: ELF, PE, Mach-O, XCOFF. ELF objects
// that were not linked and core dumps are none.
func IsExecutable(head []byte) bool {
	if len(head) < 20 {
		return false
	}
	switch {
	case bytes.HasPrefix(head, []byte("\x7fELF")):
		var order binary.ByteOrder = binary.LittleEndian
		if head[elf.EI_DATA] == byte(elf.ELFDATA2MSB) {
			order = binary.BigEndian
		}
		t := elf.Type(order.Uint16(head[16:]))
		return t == elf.ET_EXEC || t == elf.ET_DYN
	case bytes.HasPrefix(head, []byte("MZ")):
		return true
	case bytes.HasPrefix(head, []byte("\xFE\xED\xFA")), bytes.HasPrefix(head[1:], []byte("\xFA\xED\xFE")):
		return true
	case bytes.HasPrefix(head, []byte("\xCA\xFE\xBA\xBE")), bytes.HasPrefix(head, []byte("\xCA\xFE\xBA\xBF")):
		// A universal binary has few architectures; a Java class file, which starts
		// with the same bytes, has its version there, 45 or more.
		return binary.BigEndian.Uint32(head[4:]) < 45
	case head[0] == 1 && (head[1] == 0xDF || head[1] == 0xF7):
		return true
	}
	return false
}

// Binary is what one executable says of itself.
type Binary struct {
	// Toolchain is the version of Go, such as "go1.26.8".
	Toolchain string
	// Package is the import path of the main package, "" for one built in the
	// repository of Go itself or from files.
	Package string
	// Main is the module of the main package; its Path is "" where there is none.
	Main Module
	// Deps are the modules that are linked in, in the order of the build.
	Deps []Module
	// Settings are the build settings of interest, by name.
	Settings map[string]string
}

// Size is about how many bytes the facts take in memory.
func (b *Binary) Size() int {
	n := 1024 + len(b.Package)
	for _, v := range b.Settings {
		n += len(v)
	}
	for _, m := range append(b.Deps[:len(b.Deps):len(b.Deps)], b.Main) {
		n += 512 + 2*len(m.Path) + 2*len(m.Version) + len(m.Sum) + len(m.Stated) + len(m.Folder)
	}
	return n
}

// Module is one module as it was built.
type Module struct {
	// Path and Version say whose code was built. Version is "" where nothing tells:
	// a module in development without version control, or one that was replaced by
	// a folder.
	Path, Version string
	// Sum is the "h1:" sum, "" if it is not recorded.
	Sum string
	// Stated is "path@version" as required, where a replacement took its place.
	Stated string
	// Folder is the local folder that replaced it. Its code may be anything.
	Folder string
	// Development tells a version that was made of the revision in version control.
	Development bool
}

// Hash is the sum as a digest, zero if there is none that is well-formed.
func (m Module) Hash() assay.Digest {
	b, ok := strings.CutPrefix(m.Sum, "h1:")
	if !ok {
		return assay.Digest{}
	}
	raw, err := base64.StdEncoding.DecodeString(b)
	if err != nil {
		return assay.Digest{}
	}
	d, err := assay.NewDigest(assay.DirHash, fmt.Sprintf("%x", raw))
	if err != nil {
		return assay.Digest{}
	}
	return d
}

// ErrNotGo: the executable was not linked by Go, as far as it shows.
var ErrNotGo = errors.New("not a Go executable")

// Parse reads the build information of an executable. The error is [ErrNotGo] for
// one that shows no sign of Go, and of kind [assay.ErrInvalid] for one that does
// and has no readable build information, because its modules are then unknown; or of
// which parts are missing that its headers tell, because it is not what was linked.
func Parse(content []byte) (_ *Binary, err error) {
	// debug/elf and its siblings say that they are not hardened against hostile
	// files.
	defer func() {
		if r := recover(); r != nil {
			err = unreadable(fmt.Errorf("reading it panicked: %v", r))
		}
	}()
	info, err := read(content)
	if errors.As(err, new(cut)) {
		return nil, unreadable(err)
	}
	if err != nil {
		if packed(content) {
			return nil, unreadable(errors.New("it is packed by UPX"))
		}
		if bytes.Contains(content, pclntab) && linkedByGo(sparse.Whole(content)) {
			return nil, unreadable(err)
		}
		return nil, ErrNotGo
	}
	return fromInfo(info), nil
}

// magic is the end of what the build information begins with. The two bytes before
// it occur everywhere in machine code, and searching for them would take ten times
// as long.
var magic = []byte("Go buildinf:")

// read spares nearly all executables the parsing of their headers.
func read(content []byte) (*debug.BuildInfo, error) {
	if !bytes.Contains(content, magic) {
		return nil, errNone
	}
	if err := damage(sparse.Whole(content)); err != nil {
		return nil, err
	}
	return fallback(bytes.NewReader(content))
}

// cut is the error about an executable of which parts are missing.
type cut struct{ error }

func (c cut) Unwrap() error { return c.error }

func damage(content *sparse.Content) error {
	if f, err := executable.OpenAt(content); err == nil && f.Damage() != nil {
		return cut{f.Damage()}
	}
	return nil
}

// fallback reads the build information of an ELF file by its segments, where it has no
// sections: a loader does not need them.
func fallback(r io.ReaderAt) (*debug.BuildInfo, error) {
	info, err := buildinfo.Read(r)
	if err == nil {
		return info, nil
	}
	head := make([]byte, 64)
	if _, short := r.ReadAt(head, 0); short != nil || !bytes.HasPrefix(head, []byte("\x7fELF")) {
		return nil, err
	}
	at, end, counts := 32, 36, 48 // e_shoff, and e_shnum with e_shstrndx
	if head[elf.EI_CLASS] == byte(elf.ELFCLASS64) {
		at, end, counts = 40, 48, 60
	}
	clear(head[at:end])
	clear(head[counts : counts+4])
	if info, without := buildinfo.Read(&headed{r, head}); without == nil {
		return info, nil
	}
	return nil, err
}

// headed is a content with another beginning.
type headed struct {
	r    io.ReaderAt
	head []byte
}

// ReadAt implements [io.ReaderAt].
func (h *headed) ReadAt(b []byte, at int64) (int, error) {
	n, err := h.r.ReadAt(b, at)
	if at >= 0 && at < int64(len(h.head)) {
		copy(b[:n], h.head[at:])
	}
	return n, err
}

func unreadable(err error) *assay.Error {
	return &assay.Error{Op: "read Go build information", Kind: assay.ErrInvalid, Err: err}
}

var upx = []byte("UPX!")

// packed reports whether the executable is compressed by UPX, which puts its mark
// right behind the program headers.
func packed(content []byte) bool { return bytes.Contains(content[:min(len(content), 1024)], upx) }

var pclntab = []byte(".gopclntab\x00")

// linkedByGo looks for the table that the runtime cannot do without, in a file that
// has its name.
func linkedByGo(content *sparse.Content) bool {
	f, err := executable.OpenAt(content)
	return err != nil || f.Kind != executable.ELF || f.Has(".gopclntab")
}

var settings = []string{
	"-buildmode", "-compiler", "-tags", "-trimpath", "CGO_ENABLED", "DefaultGODEBUG", "GOARCH", "GOFIPS140", "GOOS",
	"vcs", "vcs.modified", "vcs.revision", "vcs.time",
}

func fromInfo(info *debug.BuildInfo) *Binary {
	b := &Binary{Toolchain: info.GoVersion, Package: info.Path, Settings: map[string]string{}}
	for _, s := range info.Settings {
		for _, name := range settings {
			if s.Key == name && s.Value != "" {
				b.Settings[name] = s.Value
			}
		}
	}
	if info.Main.Path != "" {
		b.Main = module(&info.Main)
		if b.Main.Version == "" && b.Main.Folder == "" {
			b.Main.Version = pseudoVersion(b.Settings)
			b.Main.Development = b.Main.Version != ""
		}
	}
	for _, d := range info.Deps {
		if d.Path != "" {
			b.Deps = append(b.Deps, module(d))
		}
	}
	return b
}

func module(m *debug.Module) Module {
	out := Module{Path: m.Path, Version: m.Version, Sum: m.Sum}
	if r := m.Replace; r != nil {
		out = Module{Path: r.Path, Version: r.Version, Sum: r.Sum, Stated: m.Path + "@" + m.Version}
		// A folder has no version (go.dev/ref/mod#go-mod-file-replace). The module
		// keeps its name, because that is how it is imported.
		if r.Version == "" || isFolder(r.Path) {
			out = Module{Path: m.Path, Stated: out.Stated, Folder: r.Path}
		}
	}
	if out.Version == "(devel)" {
		out.Version = ""
	}
	return out
}

func isFolder(p string) bool {
	return strings.HasPrefix(p, "./") || strings.HasPrefix(p, "../") || path.IsAbs(p) || p == "." || p == ".." ||
		strings.Contains(p, `\`) || len(p) > 1 && p[1] == ':'
}

// pseudoVersion makes the version that go would give the revision if the
// repository had no tags (go.dev/ref/mod#pseudo-versions), "" if it is not known.
// Which tag came before is not recorded.
func pseudoVersion(s map[string]string) string {
	rev, when := s["vcs.revision"], s["vcs.time"]
	t, err := time.Parse(time.RFC3339Nano, when)
	if err != nil || len(rev) < 12 || strings.Trim(rev, "0123456789abcdef") != "" {
		return ""
	}
	v := "v0.0.0-" + t.UTC().Format("20060102150405") + "-" + rev[:12]
	if s["vcs.modified"] == "true" {
		v += "+dirty"
	}
	return v
}

// Stdlib is the version of the standard library: the toolchain's without "go" and
// without what follows a space, such as enabled experiments.
func (b *Binary) Stdlib() string {
	v, ok := strings.CutPrefix(b.Toolchain, "go")
	if !ok {
		return b.Toolchain // "devel go1.27-…": the whole of it is the version
	}
	v, _, _ = strings.Cut(v, " ")
	return v
}
