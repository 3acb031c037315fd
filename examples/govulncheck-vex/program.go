package main

import (
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/hex"
	"io"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/sbom"
	"github.com/assaykit/assay/vex"
)

// program is the product, and the modules that it is made of.
type program struct {
	product assay.Product
	modules []assay.PURL
}

// has reports whether the program is built of the module, at that version.
func (p *program) has(module assay.PURL) bool {
	return slices.ContainsFunc(p.modules, func(m assay.PURL) bool {
		// Versions are spelt with and without "v".
		return vex.Match(vex.PURLProduct(m), vex.PURLProduct(module)).OK()
	})
}

func (s step) program() (*program, error) {
	if s.binary != "" {
		return fromBinary(s.binary)
	}
	return fromSBOM(s.sbom, s.file)
}

// fromBinary reads the build information that Go writes into each executable.
func fromBinary(file string) (*program, error) {
	info, err := buildinfo.ReadFile(file)
	if err != nil {
		return nil, err
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return nil, err
	}
	digest, err := assay.NewDigest(assay.SHA256, hex.EncodeToString(h.Sum(nil)))
	if err != nil {
		return nil, err
	}
	own, err := module(info.Main.Path, strings.Trim(info.Main.Version, "()"))
	if err != nil {
		return nil, err
	}
	p := &program{product: vex.PURLProduct(own), modules: []assay.PURL{own}}
	p.product.Digests = assay.DigestSet{digest}
	release, _, _ := strings.Cut(info.GoVersion, " ") // experiments follow
	std, err := module("stdlib", strings.TrimPrefix(release, "go"))
	if err != nil {
		return nil, err
	}
	p.modules = append(p.modules, std)
	for _, d := range info.Deps {
		if d.Replace != nil {
			d = d.Replace
		}
		m, err := module(d.Path, d.Version)
		if err != nil {
			continue // replaced by a folder, which is no module that anybody advises on
		}
		p.modules = append(p.modules, m)
	}
	return p, nil
}

// module names a module; a version that was not released names none.
func module(name, version string) (assay.PURL, error) {
	parts := assay.PURLParts{Type: "golang", Name: path.Base(name), Version: version}
	if version == "devel" {
		parts.Version = ""
	}
	if dir := path.Dir(name); dir != "." {
		parts.Namespace = dir
	}
	return assay.NewPURL(parts)
}

// fromSBOM takes the program at a path, or what the SBOM describes if that is one
// program.
func fromSBOM(file, at string) (*program, error) {
	doc, err := sbom.ReadFile(file)
	if err != nil {
		return nil, err
	}
	absent := func(field, value, want string) error {
		return &assay.Error{Op: "find the program", Kind: assay.ErrAbsent, Subject: file, Field: field, Value: value, Bound: want}
	}
	p := &program{product: vex.ComponentProduct(doc.Root)}
	exe, own := assay.Component{}, assay.PURL{}
	files := map[string]bool{}
	for _, c := range doc.Components {
		inside := at == "" || slices.ContainsFunc(c.Locations, func(l assay.Location) bool { return l.Path == strings.TrimPrefix(at, "/") })
		if !inside {
			continue
		}
		if c.PURL.Type() == "golang" {
			p.modules = append(p.modules, c.PURL)
			for _, l := range c.Locations {
				files[l.Path] = true
			}
		}
		if c.Type == assay.TypeApplication && at != "" {
			exe = c
		}
	}
	if len(p.modules) == 0 {
		return nil, absent("-file", at, "a Go program that the SBOM lists")
	}
	if at == "" {
		if len(files) > 1 {
			// What govulncheck says of one program is not so of the others.
			return nil, &assay.Error{Op: "find the program", Kind: assay.ErrInvalid, Subject: file, Field: "-file",
				Bound: "the path of the program, because the SBOM has modules in " + strconv.Itoa(len(files)) + " files"}
		}
		if p.product.PURL.IsZero() && p.product.ID == "" {
			return nil, absent("root", doc.Root.Name, "a package URL; or name a program with -file")
		}
		return p, nil
	}
	// The main module is the one that the main package is in.
	pkg := exe.Properties["assay:go:package"]
	for _, m := range p.modules {
		name := strings.TrimPrefix(m.Package().String(), "pkg:golang/")
		if (pkg == name || strings.HasPrefix(pkg, name+"/")) && len(m.Package().String()) > len(own.Package().String()) {
			own = m
		}
	}
	if !exe.PURL.IsZero() {
		own = exe.PURL
	}
	if own.IsZero() {
		return nil, absent("-file", at, "an application with a package URL or a main module")
	}
	p.product = vex.PURLProduct(own)
	p.product.Digests = vex.ComponentProduct(exe).Digests
	return p, nil
}
