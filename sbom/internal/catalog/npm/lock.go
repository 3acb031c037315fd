package npm

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"maps"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/strictjson"
)

// Locked is what a lock file says of one installed package.
type Locked struct {
	// Path is the package's folder relative to the lock file's, such as
	// "node_modules/a/node_modules/@s/b".
	Path    string
	Version string
	// Resolved is where it came from, a URL.
	Resolved string
	// Integrity are the digests of the archive that was installed.
	Integrity assay.DigestSet
}

// Size is about how many bytes the entry takes in memory.
func (l *Locked) Size() int { return 256 + len(l.Path) + len(l.Version) + len(l.Resolved) }

type lockEntry struct {
	Version      string                    `json:"version"`
	Resolved     jsontext.Value            `json:"resolved"`
	Integrity    string                    `json:"integrity"`
	Link         bool                      `json:"link"`
	Dependencies map[string]jsontext.Value `json:"dependencies"`
}

// ParseLock reads package-lock.json, npm-shrinkwrap.json (lockfileVersion 1, 2
// and 3) or node_modules/.package-lock.json, and gives the entries sorted by path.
// A package in the result need not be installed.
func ParseLock(name string, data []byte) ([]Locked, error) {
	var lock struct {
		LockfileVersion int                       `json:"lockfileVersion"`
		Packages        map[string]jsontext.Value `json:"packages"`
		Dependencies    map[string]jsontext.Value `json:"dependencies"`
	}
	if err := strictjson.Unmarshal(name, bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")), &lock, lockLimits); err != nil {
		return nil, err
	}
	if lock.Packages == nil {
		return version1(nil, name, "", lock.Dependencies, 0)
	}
	var out []Locked
	for _, path := range slices.Sorted(maps.Keys(lock.Packages)) {
		// In "packages" the member "dependencies" has version ranges, not entries.
		var e struct {
			Version   string         `json:"version"`
			Resolved  jsontext.Value `json:"resolved"`
			Integrity string         `json:"integrity"`
			Link      bool           `json:"link"`
		}
		if err := strictjson.Unmarshal(name, lock.Packages[path], &e, lockLimits); err != nil {
			return nil, err
		}
		if path == "" || e.Link || !validPath(path) {
			continue
		}
		out = append(out, Locked{path, e.Version, str(e.Resolved), ParseIntegrity(e.Integrity)})
	}
	return out, nil
}

var lockLimits = strictjson.Limits{MaxBytes: 64 << 20, MaxDepth: 128}

// version1 walks the nested form, in which each level is a node_modules folder.
func version1(out []Locked, name, dir string, deps map[string]jsontext.Value, depth int) ([]Locked, error) {
	for _, n := range slices.Sorted(maps.Keys(deps)) {
		var e lockEntry
		if err := strictjson.Unmarshal(name, deps[n], &e, lockLimits); err != nil {
			return nil, err
		}
		if !ValidName(n) {
			continue
		}
		path := dir + "node_modules/" + n
		// The version of an alias is "npm:name@version".
		version := e.Version
		if alias, ok := strings.CutPrefix(version, "npm:"); ok {
			if i := strings.LastIndexByte(alias, '@'); i > 0 {
				version = alias[i+1:]
			}
		}
		out = append(out, Locked{path, version, str(e.Resolved), ParseIntegrity(e.Integrity)})
		var err error
		if out, err = version1(out, name, path+"/", e.Dependencies, depth+1); err != nil {
			return nil, err
		}
	}
	return out, nil
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
