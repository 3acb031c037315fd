// Package java reads archives of Java programs (jar, war, ear, Jenkins plugins):
// the Maven coordinates that the build left in them, their manifests, and the
// archives in them.
//
// Start with [IsArchive] for the first bytes of a file, [HasExtension] for its
// name, and [Parse]. Which of the coordinates are the archive's own, and what to
// take where there are none, [Archive.Identity] says.
//
// Everything is read in memory, but for an archive that is too large for that, which
// [NewStream] is for. What a hostile archive can cost is bounded by
// [Limits]; what is beyond is in [Archive.Faults], and does not hide the rest.
package java

import (
	"bytes"
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"io"
	"path"
	"strconv"
	"strings"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/sbom/internal/catalog/sparse"
)

var extensions = map[string]bool{
	".jar": true, ".war": true, ".ear": true, ".par": true, ".sar": true, ".nar": true, ".kar": true, ".rar": true,
	".hpi": true, ".jpi": true, ".lpkg": true, ".aar": true,
}

// HasExtension reports whether archives of Java have such names.
func HasExtension(name string) bool {
	i := strings.LastIndexByte(name, '.')
	return i >= 0 && len(name)-i <= 5 && extensions[strings.ToLower(name[i:])]
}

// IsArchive reports whether a file of that name that starts with head may be an
// archive of Java: a zip file with such an extension, or one that starts with its
// manifest. With the extension a program may stand before the archive.
func IsArchive(name string, head []byte) bool {
	zip := bytes.HasPrefix(head, localMagic) || bytes.HasPrefix(head, endMagic)
	if HasExtension(name) {
		return zip || bytes.HasPrefix(head, []byte("#!")) || bytes.HasPrefix(head, []byte("MZ")) || bytes.HasPrefix(head, []byte("\x7fELF"))
	}
	return zip && len(head) > localSize && bytes.HasPrefix(head[localSize:], []byte("META-INF/"))
}

// Archive is one archive.
type Archive struct {
	// Path is where it is in the one that it is nested in; "" for the outermost.
	Path string
	// SHA1 and SHA256 are the digests of its bytes. Registries of jars index SHA-1.
	SHA1, SHA256 assay.Digest
	// Manifest is the main section of META-INF/MANIFEST.MF.
	Manifest Manifest
	// Projects are the Maven projects in it, in the order of the archive: its own,
	// and those that were merged into it.
	Projects []Project
	// Nested are the archives in it.
	Nested []*Archive
	// Faults are the parts that could not be read.
	Faults []Fault
	// Classes tells that it has classes of Java.
	Classes bool
}

// Fault is a part of an archive that could not be read.
type Fault struct {
	// Path is the entry; "" for the archive itself.
	Path string
	Err  error
}

// Limits bound what one outermost archive can cost. A field that is zero takes its
// default.
type Limits struct {
	// Depth of archives in one another, the outermost counted. Default 16.
	Depth int
	// Archives in all. Default 20,000.
	Archives int
	// Inflated is how many bytes are inflated in all. Default 1 GiB.
	Inflated int64
	// Live is how many inflated bytes are held at a time, and of an archive that goes by
	// how many bytes of an archive in it. Default 32 MiB.
	Live int64
	// Text is the size of a manifest, pom.xml or pom.properties. Default 4 MiB.
	Text int64
	// Projects in one archive. Default 4,000.
	Projects int
	// Faults that are recorded. Default 100.
	Faults int
}

func (l Limits) filled() Limits {
	set := func(v *int64, d int64) {
		if *v == 0 {
			*v = d
		}
	}
	n := func(v *int, d int) {
		if *v == 0 {
			*v = d
		}
	}
	n(&l.Depth, 16)
	n(&l.Archives, 20_000)
	set(&l.Inflated, 1<<30)
	set(&l.Live, 32<<20)
	set(&l.Text, 4<<20)
	n(&l.Projects, 4000)
	n(&l.Faults, 100)
	return l
}

// Parse is [Shared.Parse] of a reading that shares nothing.
func Parse(content []byte, sum assay.Digest, limits Limits) (*Archive, error) {
	return new(Shared).Parse(content, sum, limits)
}

// reader is what the archives in one another share.
type reader struct {
	limits Limits
	spent
	live     int64
	inflater io.ReadCloser
	shared   *Shared
	locked   bool // shared.large is, by this reader
	// went gives what was read of an archive in one that goes by.
	went func(zipEntry) (*Archive, error)
}

// spent is what has been taken of the limits on an outermost archive.
type spent struct {
	archives int
	inflated int64
	faults   int
}

func (s spent) less(o spent) spent {
	return spent{s.archives - o.archives, s.inflated - o.inflated, s.faults - o.faults}
}

func (s spent) more(o spent) spent {
	return spent{s.archives + o.archives, s.inflated + o.inflated, s.faults + o.faults}
}

func (r *reader) archive(content *sparse.Content, at string, sum assay.Digest, depth int) (*Archive, error) {
	r.archives++
	a := &Archive{Path: at, SHA256: sum}
	projects := map[string]int{} // by folder
	err := zipEntries(content, func(z zipEntry) error {
		switch name := z.name; {
		case len(name) == 0 || name[len(name)-1] == '/':
		case (bytes.HasPrefix(name, []byte("META-INF/")) || bytes.HasSuffix(name, []byte("pom.properties"))) && r.describes(a, z, content, projects):
		case HasExtension(string(name[max(0, len(name)-8):])):
			r.nested(a, z, content, depth)
		case !a.Classes && bytes.HasSuffix(name, []byte(".class")):
			a.Classes = true
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if whole := content.Kept(0, content.Size()); whole != nil {
		s := sha1.Sum(whole)
		a.SHA1, _ = assay.NewDigest(assay.SHA1, hex.EncodeToString(s[:])) // of the right length by type
	}
	return a, nil
}

// describes reads an entry, and reports whether it was one that says what the
// archive is. A pom.xml elsewhere than Maven puts it is that of a template.
func (r *reader) describes(a *Archive, z zipEntry, content *sparse.Content, projects map[string]int) bool {
	name := string(z.name[:min(len(z.name), 1024)])
	if name == "META-INF/MANIFEST.MF" {
		if text := r.text(a, z, content, name); text != nil && a.Manifest == nil {
			a.Manifest = parseManifest(text)
		}
		return true
	}
	dir, base := path.Split(name)
	if base != "pom.properties" && (base != "pom.xml" || !strings.HasPrefix(dir, "META-INF/maven/")) {
		return false
	}
	i, ok := projects[dir]
	if !ok {
		if len(a.Projects) >= r.limits.Projects {
			r.fault(a, name, &assay.Error{Op: "read archive", Kind: assay.ErrBound, Value: "more projects", Bound: "at most Projects " + strconv.Itoa(r.limits.Projects)})
			return true
		}
		i = len(a.Projects)
		projects[dir] = i
		a.Projects = append(a.Projects, Project{})
	}
	text := r.text(a, z, content, name)
	if text == nil {
		return true
	}
	p := &a.Projects[i]
	if base == "pom.properties" {
		p.properties(text)
		return true
	}
	if err := p.xml(text); err != nil {
		r.fault(a, name, err)
	}
	return true
}

// text gives the content of a small entry, nil if there is none.
func (r *reader) text(a *Archive, z zipEntry, content *sparse.Content, name string) []byte {
	if z.size > uint64(r.limits.Text) {
		r.fault(a, name, bound(z.size, "Text", r.limits.Text))
		return nil
	}
	if r.inflated += int64(z.size); r.inflated > r.limits.Inflated {
		r.fault(a, name, bound(uint64(r.inflated), "Inflated", r.limits.Inflated))
		return nil
	}
	b, _, err := z.open(content, &r.inflater, func(n uint64) []byte { return make([]byte, n) })
	if err != nil {
		r.fault(a, name, invalid(err))
		return nil
	}
	return b
}

// nested takes an archive in an archive.
func (r *reader) nested(a *Archive, z zipEntry, content *sparse.Content, depth int) {
	name := string(z.name[:min(len(z.name), 1024)])
	n, err := r.inner(name, z, content, depth)
	switch {
	case err != nil:
		r.fault(a, name, err)
	case n != nil:
		a.Nested = append(a.Nested, n)
	}
}

// inner reads an archive in an archive; nil is something else of such a name.
func (r *reader) inner(name string, z zipEntry, content *sparse.Content, depth int) (*Archive, error) {
	if r.went != nil && depth == 1 {
		return r.went(z) // it was read when it went by
	}
	switch {
	case depth >= r.limits.Depth:
		return nil, &assay.Error{Op: "read archive", Kind: assay.ErrBound, Value: "archives in one another " + strconv.Itoa(depth+1) + " deep", Bound: "at most Depth " + strconv.Itoa(r.limits.Depth)}
	case r.archives >= r.limits.Archives:
		return nil, r.tooMany()
	case z.method != stored && z.size > uint64(r.limits.Live-r.live):
		return nil, bound(z.size+uint64(r.live), "Live", r.limits.Live)
	}
	if r.inflated += int64(min(z.size, 1<<40)); r.inflated > r.limits.Inflated {
		return nil, bound(uint64(r.inflated), "Inflated", r.limits.Inflated)
	}
	if z.method != stored && z.size > largeMember && !r.locked {
		r.lock()
		defer r.unlock()
	}
	b, owned, err := z.open(content, &r.inflater, r.shared.buffer)
	if owned {
		defer r.shared.done(b) // facts have copies
	}
	if err != nil {
		return nil, invalid(err)
	}
	if !IsArchive(name, b[:min(len(b), 512)]) {
		return nil, nil // a text of that name, or an archive of another kind
	}
	if owned {
		r.live += int64(len(b))
		defer func() { r.live -= int64(len(b)) }()
	}
	n, err := r.archive(sparse.Whole(b), name, assay.SumSHA256(b), depth+1)
	if err != nil {
		return nil, invalid(err)
	}
	return n, nil
}

func (r *reader) fault(a *Archive, name string, err error) {
	if r.faults++; r.faults < r.limits.Faults {
		a.Faults = append(a.Faults, Fault{name, err})
	} else if r.faults == r.limits.Faults {
		a.Faults = append(a.Faults, Fault{name, errors.New("is one of more than " + strconv.Itoa(r.limits.Faults) + " faults; no more are listed")})
	}
}

func (r *reader) tooMany() error {
	return &assay.Error{Op: "read archive", Kind: assay.ErrBound, Value: "more archives", Bound: "at most Archives " + strconv.Itoa(r.limits.Archives)}
}

func invalid(err error) error {
	return &assay.Error{Op: "read archive", Kind: assay.ErrInvalid, Err: err}
}

func bound(value uint64, name string, limit int64) error {
	return &assay.Error{Op: "read archive", Kind: assay.ErrBound, Value: strconv.FormatUint(value, 10) + " bytes inflated", Bound: "at most " + name + " " + strconv.FormatInt(limit, 10)}
}

// Size is about how many bytes the facts take in memory.
func (a *Archive) Size() int {
	n := 512 + len(a.Path)
	for k, v := range a.Manifest {
		n += 32 + len(k) + len(v)
	}
	for i := range a.Projects {
		n += a.Projects[i].size()
	}
	for _, f := range a.Faults {
		n += 256 + len(f.Path)
	}
	for _, c := range a.Nested {
		n += c.Size()
	}
	return n
}
