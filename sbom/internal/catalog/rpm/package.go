// Package rpm reads what the RPM package manager keeps of installed packages: the
// headers in its database, whichever format that has.
//
// Start with [ParsePackage] for one header. The formats of the database are in the
// packages bdb, ndb and sqlite; [NewIndex] tells what satisfies a dependency.
package rpm

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"iter"
	"strconv"
	"strings"

	"github.com/assaykit/assay"
)

// Package is one installed package.
type Package struct {
	Name, Version, Release string
	// Epoch is a decimal number, "" if there is none, which orders as 0.
	Epoch string
	// Arch is such as "x86_64" or "noarch", "" if the header does not say.
	Arch string
	// SourceRPM is the file name of the source package.
	SourceRPM string
	// License, Vendor, Packager, URL, Summary are as they are.
	License, Vendor, Packager, URL, Summary string
	// Modularity is the label "name:stream:version:context" of a package of a
	// module.
	Modularity string
	// HeaderDigest is what the header says of itself, and was compared with it; zero
	// if it says nothing. Nothing here compares a signature.
	HeaderDigest assay.Digest
	// PayloadDigest is of the compressed payload, zero if the header has none.
	PayloadDigest assay.Digest
	// SigMD5 is the MD5 digest of header and payload, in hexadecimal.
	SigMD5 string
	// Signatures names the signatures that came with the package: "rsa" and "dsa" of
	// the header, "pgp" and "gpg" of header and payload, "openpgp" of rpm 6.
	Signatures []string
	// Provides and Requires are in the order of the header, each once.
	Provides, Requires []Dependency

	dirs   []string
	bases  []byte // each with NUL at its end
	index  []byte // of dirs, four bytes for each base
	states []byte // one byte for each base, or none
	old    []string
	size   int
}

// maxDependencies of one package: kernels provide some ten thousand names.
const maxDependencies = 500_000

// maxPath is the longest path of Linux, in bytes.
const maxPath = 4096

// EVR is epoch, version and release as rpm writes them: "1:2.0-3".
func (p *Package) EVR() string {
	v := p.Version + "-" + p.Release
	if p.Epoch != "" {
		v = p.Epoch + ":" + v
	}
	return v
}

// IsKey reports whether this is one of the keys that rpm keeps as if it were a
// package.
func (p *Package) IsKey() bool { return p.Name == "gpg-pubkey" }

// Size is about how many bytes the package takes in memory.
func (p *Package) Size() int { return p.size }

// Source takes SourceRPM apart, zero if it is no name of a source package.
func (p *Package) Source() assay.SourcePackage {
	s, ok := strings.CutSuffix(p.SourceRPM, ".src.rpm")
	if !ok {
		if s, ok = strings.CutSuffix(p.SourceRPM, ".nosrc.rpm"); !ok {
			return assay.SourcePackage{}
		}
	}
	i := strings.LastIndexByte(s, '-')
	if i <= 0 {
		return assay.SourcePackage{}
	}
	j := strings.LastIndexByte(s[:i], '-')
	if j <= 0 {
		return assay.SourcePackage{}
	}
	return assay.SourcePackage{Name: s[:j], Version: s[j+1:]}
}

// Files gives the paths of the package's files, without a leading slash, folders
// among them: but for those that it did not install (excluded documentation,
// another architecture's) and those that another package replaced.
func (p *Package) Files() iter.Seq[string] {
	return func(yield func(string) bool) {
		rest := p.bases
		for i := 0; len(rest) > 0; i++ {
			end := bytes.IndexByte(rest, 0)
			base := rest[:end]
			rest = rest[end+1:]
			if i < len(p.states) && p.states[i] != 0 {
				continue
			}
			dir := p.dirs[binary.BigEndian.Uint32(p.index[4*i:])]
			if len(dir)+len(base) > maxPath {
				continue // no file system has it
			}
			name := strings.Trim(dir+string(base), "/")
			if name != "" && !yield(name) {
				return
			}
		}
		for i, f := range p.old {
			if i < len(p.states) && p.states[i] != 0 {
				continue
			}
			if f = strings.Trim(f, "/"); f != "" && !yield(f) {
				return
			}
		}
	}
}

// ParsePackage reads a header as the database has it. It keeps nothing of blob. An
// error is of kind [assay.ErrInvalid], [assay.ErrBound] or, if the header does not
// match its own digest, [assay.ErrRefuted]; it names the tag. Of a header that does
// not match there is a package beside the error: rpm would not list it, and its
// files are there.
func ParsePackage(blob []byte) (*Package, error) {
	h, err := parseHeader(blob)
	if err != nil {
		return nil, err
	}
	p := &Package{}
	for _, t := range []struct {
		tag uint32
		to  *string
	}{
		{tagName, &p.Name}, {tagVersion, &p.Version}, {tagRelease, &p.Release}, {tagArch, &p.Arch}, {tagSourceRPM, &p.SourceRPM},
		{tagLicense, &p.License}, {tagVendor, &p.Vendor}, {tagPackager, &p.Packager}, {tagURL, &p.URL}, {tagSummary, &p.Summary},
		{tagModularity, &p.Modularity},
	} {
		if *t.to, err = h.text(t.tag); err != nil {
			return nil, err
		}
	}
	for _, f := range []struct {
		tag uint32
		v   string
	}{{tagName, p.Name}, {tagVersion, p.Version}, {tagRelease, p.Release}} {
		if f.v == "" || strings.ContainsAny(f.v, " \t\r\n/") {
			return nil, h.fault(f.tag, f.v, "a name without spaces and slashes")
		}
	}
	if epoch, err := h.numbers(tagEpoch); err != nil {
		return nil, err
	} else if len(epoch) >= 4 {
		p.Epoch = strconv.FormatUint(uint64(binary.BigEndian.Uint32(epoch)), 10)
	}
	if p.Provides, err = h.dependencies(p.Name, tagProvideName, tagProvideFlags, tagProvideVersion); err != nil {
		return nil, err
	}
	if p.Requires, err = h.dependencies(p.Name, tagRequireName, tagRequireFlags, tagRequireVersion); err != nil {
		return nil, err
	}
	if err := h.files(p); err != nil {
		return nil, err
	}
	if err := h.signatures(p); err != nil {
		return nil, err
	}
	p.size = 1024 + 4*len(p.Name) + len(p.SourceRPM) + len(p.License) + len(p.Vendor) + len(p.Packager) + len(p.URL) + len(p.Summary) +
		len(p.bases) + len(p.index) + len(p.states)
	for _, list := range [][]Dependency{p.Provides, p.Requires} {
		for _, d := range list {
			p.size += 48 + len(d.Name) + len(d.EVR)
		}
	}
	for _, list := range [][]string{p.dirs, p.old} {
		for _, s := range list {
			p.size += 24 + len(s)
		}
	}
	if p.HeaderDigest, err = h.digest(); err != nil && !errors.Is(err, assay.ErrRefuted) {
		return nil, err
	}
	return p, err
}

func (h *header) dependencies(pkg string, name, flags, version uint32) ([]Dependency, error) {
	names, err := h.texts(name)
	if err != nil || len(names) == 0 {
		return nil, err
	}
	if len(names) > maxDependencies {
		return nil, &assay.Error{Op: "read rpm header", Kind: assay.ErrBound, Subject: pkg, Field: "tag " + strconv.FormatUint(uint64(name), 10),
			Value: strconv.Itoa(len(names)) + " names", Bound: "at most " + strconv.Itoa(maxDependencies)}
	}
	f, err := h.numbers(flags)
	if err != nil {
		return nil, err
	}
	v, err := h.texts(version)
	if err != nil {
		return nil, err
	}
	// Packages of rpm 3 provide without flags and versions.
	if len(f) != 0 && len(f) != 4*len(names) || len(v) != 0 && len(v) != len(names) {
		return nil, h.fault(name, strconv.Itoa(len(names))+" names, "+strconv.Itoa(len(f)/4)+" flags and "+strconv.Itoa(len(v))+" versions", "as many of each")
	}
	out := make([]Dependency, 0, len(names))
	seen := make(map[Dependency]bool, len(names))
	for i, n := range names {
		d := Dependency{Name: n}
		if len(f) > 0 {
			d.Flags = Sense(binary.BigEndian.Uint32(f[4*i:])) & senseKept
		}
		if len(v) > 0 {
			d.EVR = v[i]
		}
		if !seen[d] {
			seen[d] = true
			out = append(out, d)
		}
	}
	return out, nil
}

func (h *header) files(p *Package) error {
	bases, n, err := h.lines(tagBaseNames)
	if err != nil {
		return err
	}
	if p.dirs, err = h.texts(tagDirNames); err != nil {
		return err
	}
	index, err := h.numbers(tagDirIndexes)
	if err != nil {
		return err
	}
	if len(index) != 4*n {
		return h.fault(tagDirIndexes, strconv.Itoa(len(index)/4)+" folders", strconv.Itoa(n)+", as many as files")
	}
	for i := range n {
		if d := binary.BigEndian.Uint32(index[4*i:]); uint64(d) >= uint64(len(p.dirs)) {
			return h.fault(tagDirIndexes, strconv.FormatUint(uint64(d), 10), "less than the "+strconv.Itoa(len(p.dirs))+" folders")
		}
	}
	if p.old, err = h.texts(tagOldFileNames); err != nil {
		return err
	}
	states, err := h.array(tagFileStates, typeChar, 1)
	if err != nil {
		return err
	}
	p.bases, p.index, p.states = bytes.Clone(bases), bytes.Clone(index), bytes.Clone(states)
	return nil
}

func (h *header) signatures(p *Package) error {
	for _, s := range []struct {
		tag  uint32
		name string
	}{{tagSigDSA, "dsa"}, {tagSigGPG, "gpg"}, {tagSigOpenPGP, "openpgp"}, {tagSigPGP, "pgp"}, {tagSigRSA, "rsa"}} {
		if h.has(s.tag) {
			p.Signatures = append(p.Signatures, s.name)
		}
	}
	md5, err := h.array(tagSigMD5, typeBinary, 1)
	if err != nil {
		return err
	}
	p.SigMD5 = hex.EncodeToString(md5)
	sum, err := h.text(tagPayloadDigest)
	if err != nil || sum == "" {
		return err
	}
	alg, err := h.numbers(tagPayloadAlgorithm)
	if err != nil {
		return err
	}
	if len(alg) < 4 {
		return nil
	}
	// Numbers of OpenPGP (RFC 9580, 9.5).
	name := map[uint32]assay.Algorithm{2: assay.SHA1, 8: assay.SHA256, 9: assay.SHA384, 10: assay.SHA512}[binary.BigEndian.Uint32(alg)]
	if name == "" {
		return nil
	}
	p.PayloadDigest, err = assay.NewDigest(name, sum)
	return err
}
