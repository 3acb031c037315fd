package npm

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/hex"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/strictjson"
)

// Lock is what a lock file says.
type Lock struct {
	// Packages are sorted by path, name and version.
	Packages []Locked
	// Partial tells that some entries name no package, or require one that has no
	// entry.
	Partial bool
}

// Size is about how many bytes the lock takes in memory.
func (l *Lock) Size() int {
	n := 64
	for i := range l.Packages {
		p := &l.Packages[i]
		n += 288 + len(p.Path) + len(p.Name) + len(p.Version) + len(p.Resolved) + 8*len(p.Depends)
	}
	return n
}

// Locked is what a lock file says of one package.
type Locked struct {
	// Path is the package's folder relative to the lock file's, such as
	// "node_modules/a/node_modules/@s/b", in a lock file of npm; "" in others.
	Path string
	// Name is that of the package, which differs from its folder's for an alias.
	Name string
	// Version is "" where a URL stands in its place.
	Version string
	// Resolved is where it came from, a URL; "" for Yarn's default registry.
	Resolved string
	// Integrity are the digests of the archive that was installed.
	Integrity assay.DigestSet
	// Dev tells that only development requires it, where that is stated.
	Dev bool
	// Depends are indexes of Packages, sorted.
	Depends []int
}

// Registry reports whether the package is of the public registry, as far as the lock
// file says.
func (l *Locked) Registry() bool { return l.Resolved == "" || isRegistry(l.Resolved) }

type lockEntry struct {
	Name         string                    `json:"name"`
	Version      string                    `json:"version"`
	Resolved     jsontext.Value            `json:"resolved"`
	Integrity    string                    `json:"integrity"`
	Link         bool                      `json:"link"`
	Dev          bool                      `json:"dev"`
	Dependencies map[string]jsontext.Value `json:"dependencies"`
	Optional     map[string]jsontext.Value `json:"optionalDependencies"`
	Requires     jsontext.Value            `json:"requires"` // true, at the top
}

// ParseLock reads package-lock.json, npm-shrinkwrap.json (lockfileVersion 1, 2
// and 3) or node_modules/.package-lock.json. A package in the result need not be
// installed.
func ParseLock(name string, data []byte) (*Lock, error) {
	var lock struct {
		LockfileVersion int                       `json:"lockfileVersion"`
		Packages        map[string]jsontext.Value `json:"packages"`
		Dependencies    map[string]jsontext.Value `json:"dependencies"`
	}
	if err := strictjson.Unmarshal(name, bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")), &lock, lockLimits); err != nil {
		return nil, err
	}
	t := tree{b: newBuilder(name), requires: map[string][]string{}, optional: map[string][]string{}}
	if lock.Packages == nil {
		if err := t.version1("", lock.Dependencies); err != nil {
			return nil, err
		}
		return t.lock(), nil
	}
	for _, path := range slices.Sorted(maps.Keys(lock.Packages)) {
		// In "packages" the member "dependencies" has version ranges, not entries.
		var e lockEntry
		if err := strictjson.Unmarshal(name, lock.Packages[path], &e, lockLimits); err != nil {
			return nil, err
		}
		i := strings.LastIndex("/"+path, "/node_modules/")
		if path == "" || e.Link || !validPath(path) || i < 0 {
			t.b.local(path)
			continue
		}
		p := Locked{Path: path, Name: e.Name, Version: e.Version, Resolved: str(e.Resolved), Integrity: ParseIntegrity(e.Integrity), Dev: e.Dev}
		if p.Name == "" {
			p.Name = path[i+len("node_modules/"):]
		}
		if err := t.add(p, slices.Collect(maps.Keys(e.Dependencies)), slices.Collect(maps.Keys(e.Optional))); err != nil {
			return nil, err
		}
	}
	return t.lock(), nil
}

var lockLimits = strictjson.Limits{MaxBytes: 64 << 20, MaxDepth: 128}

// tree is the packages of a lock file of npm, in which a package requires others by
// name and finds them as Node.js does.
type tree struct {
	b                  *builder
	requires, optional map[string][]string // names, by path
}

func (t *tree) add(p Locked, requires, optional []string) error {
	t.requires[p.Path], t.optional[p.Path] = requires, optional
	return t.b.add(p, p.Path)
}

func (t *tree) lock() *Lock {
	for from := range t.b.byKey {
		for i, names := range [][]string{t.requires[from], t.optional[from]} {
			for _, n := range names {
				var at []string
				for dir := from; ; {
					at = append(at, strings.TrimPrefix(dir+"/node_modules/"+n, "/"))
					if dir == "" {
						break
					}
					if dir = dir[:max(0, strings.LastIndexByte(dir, '/'))]; strings.HasSuffix("/"+dir, "/node_modules") {
						dir = strings.TrimSuffix(strings.TrimSuffix(dir, "node_modules"), "/")
					}
				}
				t.b.want(from, i == 1, at...)
			}
		}
	}
	return t.b.lock()
}

// version1 walks the nested form, in which each level is a node_modules folder.
func (t *tree) version1(dir string, deps map[string]jsontext.Value) error {
	for _, n := range slices.Sorted(maps.Keys(deps)) {
		var e lockEntry
		if err := strictjson.Unmarshal(t.b.name, deps[n], &e, lockLimits); err != nil {
			return err
		}
		if !ValidName(n) {
			continue
		}
		path := dir + "node_modules/" + n
		p := Locked{Path: path, Name: n, Version: e.Version, Resolved: str(e.Resolved), Integrity: ParseIntegrity(e.Integrity), Dev: e.Dev}
		// The version of an alias is "npm:name@version".
		if alias, ok := strings.CutPrefix(p.Version, "npm:"); ok {
			if i := strings.LastIndexByte(alias, '@'); i > 0 {
				p.Name, p.Version = alias[:i], alias[i+1:]
			}
		}
		if strings.Contains(p.Version, ":") { // a URL, or a path
			p.Resolved, p.Version = p.Version, ""
		}
		if err := t.add(p, slices.Collect(maps.Keys(members(e.Requires))), nil); err != nil {
			return err
		}
		if err := t.version1(path+"/", e.Dependencies); err != nil {
			return err
		}
	}
	return nil
}

// builder gathers the packages of a lock file, and resolves what they require when
// all are known.
type builder struct {
	name  string
	all   []Locked
	byKey map[string]int
	same  map[string]int // by what tells packages apart
	wants []wanted
	part  bool
}

type wanted struct {
	from     string
	optional bool
	keys     []string // the first that there is counts
}

func newBuilder(name string) *builder {
	return &builder{name: name, byKey: map[string]int{}, same: map[string]int{}}
}

// add takes a package under its keys. One without a valid name is none.
func (b *builder) add(p Locked, keys ...string) error {
	if !ValidName(p.Name) || p.Version == "" && p.Resolved == "" || strings.IndexByte(p.Version, 0) >= 0 {
		b.part = true
		return nil
	}
	if len(b.all) >= maxLocked {
		return &assay.Error{Op: "read lock file", Kind: assay.ErrBound, Subject: b.name, Value: "more packages", Bound: "at most " + strconv.Itoa(maxLocked)}
	}
	id := strings.Join([]string{p.Path, p.Name, p.Version, p.Resolved}, "\x00")
	i, ok := b.same[id]
	if !ok {
		i = len(b.all)
		// A part of the file's text would keep all of it.
		p.Path, p.Name, p.Version, p.Resolved = strings.Clone(p.Path), strings.Clone(p.Name), strings.Clone(p.Version), strings.Clone(p.Resolved)
		b.all = append(b.all, p)
		b.same[id] = i
	}
	for _, k := range keys {
		b.byKey[k] = i
	}
	return nil
}

// local notes the keys of a folder of the project itself, which is no package.
func (b *builder) local(keys ...string) {
	for _, k := range keys {
		b.byKey[k] = -1
	}
}

func (b *builder) want(from string, optional bool, keys ...string) {
	b.wants = append(b.wants, wanted{from, optional, keys})
}

func (b *builder) lock() *Lock {
	for _, w := range b.wants {
		from, ok := b.byKey[w.from]
		if !ok || from < 0 {
			continue
		}
		found := false
		for _, k := range w.keys {
			if to, ok := b.byKey[k]; ok {
				if found = true; to >= 0 {
					b.all[from].Depends = append(b.all[from].Depends, to)
				}
				break
			}
		}
		b.part = b.part || !found && !w.optional
	}
	order := make([]int, len(b.all)) // new to old
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int {
		x, y := &b.all[i], &b.all[j]
		return cmp.Or(cmp.Compare(x.Path, y.Path), cmp.Compare(x.Name, y.Name), cmp.Compare(x.Version, y.Version), cmp.Compare(x.Resolved, y.Resolved))
	})
	place := make([]int, len(order)) // old to new
	for now, old := range order {
		place[old] = now
	}
	out := &Lock{Partial: b.part}
	for _, old := range order {
		p := b.all[old]
		for i := range p.Depends {
			p.Depends[i] = place[p.Depends[i]]
		}
		slices.Sort(p.Depends)
		p.Depends = slices.Compact(p.Depends)
		out.Packages = append(out.Packages, p)
	}
	return out
}

func validPath(p string) bool {
	for part := range strings.SplitSeq(p, "/") {
		if part == "" || part == "." || part == ".." {
			return false
		}
	}
	return true
}

// ParseIntegrity reads subresource integrity metadata (W3C SRI 3.5; npm writes one
// or several, separated by spaces). What is malformed, or of an unknown algorithm,
// is left out, and so is an algorithm with two different digests, which means that
// either will do.
func ParseIntegrity(s string) assay.DigestSet {
	var all []assay.Digest
	for word := range strings.FieldsSeq(s) {
		alg, value, ok := strings.Cut(word, "-")
		if !ok {
			continue
		}
		value, _, _ = strings.Cut(value, "?")
		raw, err := base64.StdEncoding.DecodeString(value)
		if err != nil {
			continue
		}
		switch assay.Algorithm(alg) {
		case assay.SHA1, assay.SHA256, assay.SHA384, assay.SHA512:
			if d, err := assay.NewDigest(assay.Algorithm(alg), hex.EncodeToString(raw)); err == nil {
				all = append(all, d)
			}
		}
	}
	count := map[assay.Algorithm]int{}
	slices.SortFunc(all, assay.Digest.Compare)
	all = slices.Compact(all)
	for _, d := range all {
		count[d.Algorithm()]++
	}
	all = slices.DeleteFunc(all, func(d assay.Digest) bool { return count[d.Algorithm()] > 1 })
	set, err := assay.NewDigestSet(all...)
	if err != nil {
		return nil
	}
	return set
}
