// Package npm reads what is installed for Node.js: package.json files, and the
// lock files beside them.
//
// Start with [ParseManifest]; [ParseLock], [ParsePnpm] and [ParseYarn] read the lock
// files of the package managers.
package npm

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

// Manifest is one package.json.
type Manifest struct {
	// Name has the scope: "@scope/name". Each of Name and Version may be "".
	Name, Version string
	Description   string
	// Author is who made it, "name <address or URL>"; "" if that is not said in a form
	// that can be read.
	Author string
	// Homepage and Bugs are URLs, Repository is one or "host:user/name", as npm takes it;
	// each "" if it is not stated.
	Homepage, Repository, Bugs string
	// Private packages are not to be published; their name means nothing outside.
	Private  bool
	Licenses []assay.License
	// Depends are the dependencies by the name they are required by, sorted. An
	// optional one may be missing.
	Depends []Dependency
	// Dev are the names of devDependencies, sorted. They mean something for the top
	// of an application only.
	Dev []string
}

// Size is about how many bytes the manifest takes in memory.
func (m *Manifest) Size() int {
	n := 512 + 2*len(m.Name) + 2*len(m.Version) + len(m.Description) + len(m.Author) + len(m.Homepage) + len(m.Repository) + len(m.Bugs)
	for _, l := range m.Licenses {
		n += len(l.Name) + len(l.Expression)
	}
	for _, d := range m.Depends {
		n += 32 + len(d.Name)
	}
	for _, d := range m.Dev {
		n += 32 + len(d)
	}
	return n
}

// Dependency is what a package requires.
type Dependency struct {
	Name     string
	Optional bool
}

var limits = strictjson.Limits{MaxBytes: 16 << 20, MaxDepth: 64}

// ParseManifest reads a package.json. Fields of a wrong type count as missing, as
// npm takes them, but what is not a JSON object is an error. So is an object with a
// repeated member, which npm takes, since readers differ in which one they use. A
// byte order mark is ignored as npm ignores it.
func ParseManifest(name string, data []byte) (*Manifest, error) {
	var raw map[string]jsontext.Value
	if err := strictjson.Unmarshal(name, bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")), &raw, limits); err != nil {
		return nil, err
	}
	if raw == nil {
		return nil, &assay.Error{Op: "read package.json", Kind: assay.ErrInvalid, Subject: name, Value: "null", Bound: "an object"}
	}
	m := &Manifest{
		Name: str(raw["name"]), Version: str(raw["version"]), Description: str(raw["description"]), Author: person(raw["author"]),
		Homepage: str(raw["homepage"]), Repository: place(raw["repository"]), Bugs: place(raw["bugs"]),
		Private:  raw["private"].Kind() == 't',
		Licenses: licenses(raw["license"], raw["licenses"]),
	}
	// npm takes a leading "v" or "=" off a version (node-semver, clean).
	m.Version = strings.TrimSpace(strings.TrimLeft(strings.TrimSpace(m.Version), "=v"))
	deps := map[string]bool{} // name to optional
	meta := members(raw["peerDependenciesMeta"])
	for n := range members(raw["peerDependencies"]) {
		var opt struct {
			Optional bool `json:"optional"`
		}
		if v, ok := meta[n]; ok {
			_ = json.Unmarshal(v, &opt) // of a wrong type: not optional
		}
		deps[n] = opt.Optional
	}
	for n := range members(raw["dependencies"]) {
		deps[n] = false
	}
	// npm: an optional dependency overrides a regular one of the same name.
	for n := range members(raw["optionalDependencies"]) {
		deps[n] = true
	}
	for _, n := range slices.Sorted(maps.Keys(deps)) {
		if ValidName(n) {
			m.Depends = append(m.Depends, Dependency{n, deps[n]})
		}
	}
	for _, n := range slices.Sorted(maps.Keys(members(raw["devDependencies"]))) {
		if ValidName(n) {
			m.Dev = append(m.Dev, n)
		}
	}
	return m, nil
}

// ValidName reports whether a name can be that of a folder in node_modules, or of
// one in a scope's folder there. It keeps names from leading anywhere else.
func ValidName(n string) bool {
	scope, rest, scoped := strings.Cut(n, "/")
	if scoped {
		return len(scope) > 1 && scope[0] == '@' && validPart(scope[1:]) && validPart(rest)
	}
	return validPart(n) && n[0] != '@'
}

func validPart(s string) bool {
	return s != "" && s[0] != '.' && !strings.ContainsAny(s, "/\\\x00 \t\r\n") && s != "node_modules"
}

func str(v jsontext.Value) string {
	var s string
	if v.Kind() != '"' || json.Unmarshal(v, &s) != nil {
		return ""
	}
	return s
}

// place reads a URL, or an object with one (docs.npmjs.com, package.json, repository
// and bugs).
func place(v jsontext.Value) string {
	if v.Kind() == '{' {
		v = members(v)["url"]
	}
	return str(v)
}

// members gives the members of an object; an array, as old packages have it, or
// anything else has none.
func members(v jsontext.Value) map[string]jsontext.Value {
	var m map[string]jsontext.Value
	if v.Kind() != '{' || json.Unmarshal(v, &m) != nil {
		return nil
	}
	return m
}

// licenses reads all forms that there have been: an expression, an object with a
// type, and an array of either. An array offers a choice (docs.npmjs.com,
// package.json, license).
func licenses(one, many jsontext.Value) []assay.License {
	names := licenseNames(one)
	if len(names) == 0 {
		names = licenseNames(many)
	}
	switch len(names) {
	case 0:
		return nil
	case 1:
		return []assay.License{license.Declared(names[0])}
	}
	parts := make([]string, len(names))
	for i, n := range names {
		if parts[i] = n; strings.Contains(n, " ") {
			parts[i] = "(" + n + ")"
		}
	}
	return []assay.License{license.Declared(strings.Join(parts, " OR "))}
}

func licenseNames(v jsontext.Value) []string {
	switch v.Kind() {
	case '"':
		if s := strings.TrimSpace(str(v)); s != "" {
			return []string{s}
		}
	case '{':
		m := members(v)
		if s := strings.TrimSpace(str(m["type"])); s != "" {
			return []string{s}
		}
		return licenseNames(m["name"])
	case '[':
		var list []jsontext.Value
		if json.Unmarshal(v, &list) != nil {
			return nil
		}
		var out []string
		for _, e := range list {
			if e.Kind() != '[' {
				for _, n := range licenseNames(e) {
					if !slices.Contains(out, n) {
						out = append(out, n)
					}
				}
			}
		}
		return out
	}
	return nil
}
