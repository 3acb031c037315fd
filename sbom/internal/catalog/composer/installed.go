// Package composer reads what Composer, the package manager of PHP, keeps of the
// packages that it installed.
//
// Start with [ParseInstalled].
package composer

import (
	"bytes"
	"maps"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/strictjson"
	"github.com/assaykit/assay/sbom/internal/license"
)

// Package is one installed package.
type Package struct {
	// Name is "vendor/name", as written.
	Name, Version string
	Description   string
	// Type is "library", "metapackage", "composer-plugin" and so on.
	Type     string
	Supplier string // the first author
	Licenses []assay.License
	// Source is the version control system's URL and revision, "" if unknown.
	Source, Revision string
	// Dist is the URL of the archive, Hashes are of it.
	Dist   string
	Hashes assay.DigestSet
	// Homepage is a URL, Support what else the package points to, sorted: "issues",
	// "source", "docs" and so on.
	Homepage string
	Support  []Link
	// Path is where the package is, relative to the folder of installed.json. It is
	// "" for a metapackage, which has no files, and where it is not stated (Composer
	// 1): then it is "../" and the name.
	Path string
	// Requires, Provides and Replaces are names of packages, lowercase and sorted.
	// Requirements of the platform (php, ext-*, lib-*) are left out.
	Requires, Provides, Replaces []string
	// Dev tells that only development requires the package.
	Dev bool
}

// Link is a place with the label that the package gives it.
type Link struct{ Label, URL string }

// maxLinks bounds what is kept of support: the schema has nine.
const maxLinks = 32

// Size is about how many bytes the package takes in memory.
func (p *Package) Size() int {
	n := 512
	for _, s := range []string{p.Name, p.Version, p.Description, p.Type, p.Supplier, p.Source, p.Revision, p.Dist, p.Path, p.Homepage} {
		n += len(s)
	}
	for _, list := range [][]string{p.Requires, p.Provides, p.Replaces} {
		for _, s := range list {
			n += 16 + len(s)
		}
	}
	for _, l := range p.Support {
		n += 32 + len(l.Label) + len(l.URL)
	}
	for _, l := range p.Licenses {
		n += len(l.Name) + len(l.Expression)
	}
	return n
}

var limits = strictjson.Limits{MaxBytes: 64 << 20, MaxDepth: 64}

// ParseInstalled reads vendor/composer/installed.json: an object with the packages
// (Composer 2), or the list of them (Composer 1). The packages are in the order of
// the file. Fields of a wrong type count as missing, but a package without name and
// version is an error. The name is for errors.
func ParseInstalled(name string, data []byte) ([]Package, error) {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	if err := strictjson.Check(name, data, limits); err != nil {
		return nil, err
	}
	raw := jsontext.Value(bytes.TrimLeft(data, " \t\r\n"))
	dev := map[string]bool{}
	if raw.Kind() == '{' {
		doc := members(raw)
		for _, n := range texts(doc["dev-package-names"]) {
			dev[strings.ToLower(n)] = true
		}
		raw = doc["packages"]
	}
	var list []jsontext.Value
	if raw.Kind() != '[' || json.Unmarshal(raw, &list) != nil {
		return nil, &assay.Error{Op: "read installed.json", Kind: assay.ErrInvalid, Subject: name, Field: "/packages", Bound: "a list of packages"}
	}
	out := make([]Package, 0, min(len(list), 1<<16))
	for _, one := range list {
		m := members(one)
		p := Package{
			Name: text(m["name"]), Version: text(m["version"]), Description: text(m["description"]), Type: text(m["type"]),
			Licenses: licenses(m["license"]), Path: text(m["install-path"]), Homepage: text(m["homepage"]), Support: links(m["support"]),
			Requires: packages(m["require"]), Provides: packages(m["provide"]), Replaces: packages(m["replace"]),
		}
		if vendor, base, ok := strings.Cut(p.Name, "/"); !ok || vendor == "" || base == "" || strings.ContainsAny(base, "/\x00") || p.Version == "" {
			return nil, &assay.Error{Op: "read installed.json", Kind: assay.ErrInvalid, Subject: name, Field: "/packages",
				Value: p.Name + " " + p.Version, Bound: `a package with "vendor/name" and version`}
		}
		p.Dev = dev[strings.ToLower(p.Name)]
		source, dist := members(m["source"]), members(m["dist"])
		p.Source, p.Revision, p.Dist = text(source["url"]), text(source["reference"]), text(dist["url"])
		if p.Revision == "" {
			p.Revision = text(dist["reference"])
		}
		if sum := text(dist["shasum"]); sum != "" {
			if d, err := assay.NewDigest(assay.SHA1, strings.ToLower(sum)); err == nil {
				p.Hashes = assay.DigestSet{d}
			}
		}
		if p.Path == "" && p.Type != "metapackage" {
			p.Path = "../" + p.Name
		}
		var authors []jsontext.Value
		if v := m["authors"]; v.Kind() == '[' && json.Unmarshal(v, &authors) == nil && len(authors) > 0 {
			a := members(authors[0])
			p.Supplier = text(a["name"])
			if mail := text(a["email"]); mail != "" {
				p.Supplier = strings.TrimSpace(p.Supplier + " <" + mail + ">")
			}
		}
		out = append(out, p)
	}
	return out, nil
}

func links(v jsontext.Value) []Link {
	var out []Link
	m := members(v)
	for _, label := range slices.Sorted(maps.Keys(m)) {
		if u := text(m[label]); u != "" && label != "email" && len(out) < maxLinks {
			out = append(out, Link{label, u})
		}
	}
	return out
}

// packages gives the names of the packages of a map of links, without those of the
// platform (getcomposer.org, Basic usage, platform packages).
func packages(v jsontext.Value) []string {
	var out []string
	for n := range maps.Keys(members(v)) {
		if strings.Contains(n, "/") {
			out = append(out, strings.ToLower(n))
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// licenses reads a licence or a list of them, which offers a choice (getcomposer.org,
// The composer.json schema, license).
func licenses(v jsontext.Value) []assay.License {
	names := texts(v)
	if v.Kind() == '"' {
		names = []string{text(v)}
	}
	names = slices.DeleteFunc(names, func(s string) bool { return strings.TrimSpace(s) == "" })
	if len(names) == 0 {
		return nil
	}
	if len(names) > 1 {
		for i, n := range names {
			if strings.Contains(n, " ") {
				names[i] = "(" + n + ")"
			}
		}
	}
	return []assay.License{license.Declared(strings.Join(names, " OR "))}
}

func text(v jsontext.Value) string {
	var s string
	if v.Kind() != '"' || json.Unmarshal(v, &s) != nil {
		return ""
	}
	return s
}

func texts(v jsontext.Value) []string {
	var list []jsontext.Value
	if v.Kind() != '[' || json.Unmarshal(v, &list) != nil {
		return nil
	}
	var out []string
	for _, e := range list {
		if s := text(e); s != "" {
			out = append(out, s)
		}
	}
	return out
}

// members gives the members of an object. PHP writes an empty one as a list.
func members(v jsontext.Value) map[string]jsontext.Value {
	var m map[string]jsontext.Value
	if v.Kind() != '{' || json.Unmarshal(v, &m) != nil {
		return nil
	}
	return m
}
