// Package dotnet reads the file that .NET writes beside a program, which says which
// libraries it needs (NAME.deps.json; github.com/dotnet/sdk, documentation/specs,
// runtime-configuration-file).
//
// Start with [Parse].
package dotnet

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/strictjson"
)

// Bounds of one file.
const (
	maxBytes     = 64 << 20
	maxLibraries = 100_000
)

// Library is one library of the target that the program runs on.
type Library struct {
	Name, Version string
	// Type is "package", "project", "reference", "runtimepack", and so on.
	Type string
	// SHA512 is the digest of the package as published, zero if there is none.
	SHA512 assay.Digest
	// Files are the paths of its files in the package: assemblies and native
	// libraries. A package without any has no part in the program.
	Files []string
	// Depends are indices of the list.
	Depends []int
	// Missing counts the dependencies that the file does not list.
	Missing int
}

// Size is about how many bytes the library takes in memory.
func (l *Library) Size() int {
	n := 256 + len(l.Name) + len(l.Version) + len(l.Type) + 8*len(l.Depends)
	for _, f := range l.Files {
		n += 16 + len(f)
	}
	return n
}

// Package is the name that the library has in a registry, "" if it is of none. Of
// what a runtime pack brings the first part is no part of its name.
func (l *Library) Package() string {
	switch l.Type {
	case "package":
		return l.Name
	case "runtimepack":
		return strings.TrimPrefix(l.Name, "runtimepack.")
	}
	return ""
}

type document struct {
	RuntimeTarget struct {
		Name string `json:"name"`
	} `json:"runtimeTarget"`
	Targets   map[string]map[string]target `json:"targets"`
	Libraries map[string]struct {
		Type   string `json:"type"`
		SHA512 string `json:"sha512"`
	} `json:"libraries"`
}

type target struct {
	Dependencies   map[string]string   `json:"dependencies"`
	Runtime        map[string]struct{} `json:"runtime"`
	Native         map[string]struct{} `json:"native"`
	Resources      map[string]struct{} `json:"resources"`
	RuntimeTargets map[string]struct{} `json:"runtimeTargets"`
}

// ErrNotDotnet: the file has this name by chance. JavaScript has such ones.
var ErrNotDotnet = errors.New("not a file of .NET")

// Parse gives the libraries, sorted by name and version: those of the target that
// the file names as the one to run. The error is [ErrNotDotnet] for JSON that shows
// no sign of .NET, or of kind [assay.ErrInvalid] or [assay.ErrBound].
func Parse(name string, content []byte) ([]Library, error) {
	if start := bytes.TrimLeft(content, " \t\r\n"); len(start) > 0 && start[0] == '[' {
		return nil, ErrNotDotnet
	}
	var doc document
	if err := strictjson.Unmarshal(name, content, &doc, strictjson.Limits{MaxBytes: maxBytes}); err != nil {
		return nil, err
	}
	if len(doc.Targets) == 0 && len(doc.Libraries) == 0 && doc.RuntimeTarget.Name == "" {
		return nil, ErrNotDotnet
	}
	if n := len(doc.Libraries); n > maxLibraries {
		return nil, fail(name, assay.ErrBound, "/libraries", strconv.Itoa(n)+" libraries", "at most "+strconv.Itoa(maxLibraries))
	}
	if len(doc.Targets) == 0 {
		return nil, fail(name, assay.ErrInvalid, "/targets", "", "a target")
	}
	run := doc.RuntimeTarget.Name
	entries, ok := doc.Targets[run]
	if !ok {
		if run != "" {
			return nil, fail(name, assay.ErrInvalid, "/runtimeTarget/name", run, "the name of a target")
		}
		run = slices.Sorted(maps.Keys(doc.Targets))[0]
		entries = doc.Targets[run]
	}
	if n := len(entries); n > maxLibraries {
		return nil, fail(name, assay.ErrBound, "/targets/"+run, strconv.Itoa(n)+" libraries", "at most "+strconv.Itoa(maxLibraries))
	}
	keys := slices.Sorted(maps.Keys(entries))
	out := make([]Library, 0, len(keys))
	index := map[string]int{} // by name, in lower case: NuGet does not tell case apart
	for _, key := range keys {
		n, v, ok := strings.Cut(key, "/")
		if !ok || n == "" {
			return nil, fail(name, assay.ErrInvalid, "/targets/"+run, key, `a name, "/" and a version`)
		}
		stated := doc.Libraries[key]
		l := Library{Name: n, Version: v, Type: stated.Type}
		if raw, ok := strings.CutPrefix(stated.SHA512, "sha512-"); ok {
			if b, err := base64.StdEncoding.DecodeString(raw); err == nil {
				l.SHA512, _ = assay.NewDigest(assay.SHA512, fmt.Sprintf("%x", b)) // zero if it is of another length
			}
		}
		t := entries[key]
		for _, files := range []map[string]struct{}{t.Runtime, t.Native, t.Resources, t.RuntimeTargets} {
			for f := range files {
				// "_._" stands for "supported, and nothing needed".
				if !strings.HasSuffix(f, "/_._") {
					l.Files = append(l.Files, f)
				}
			}
		}
		slices.Sort(l.Files)
		l.Files = slices.Compact(l.Files)
		index[strings.ToLower(n)] = len(out)
		out = append(out, l)
	}
	for i, key := range keys {
		for _, n := range slices.Sorted(maps.Keys(entries[key].Dependencies)) {
			if j, ok := index[strings.ToLower(n)]; !ok {
				out[i].Missing++
			} else if j != i {
				out[i].Depends = append(out[i].Depends, j)
			}
		}
	}
	return out, nil
}

func fail(name string, kind error, field, value, bound string) error {
	return &assay.Error{Op: "read .NET dependencies", Kind: kind, Subject: name, Field: field, Value: value, Bound: bound}
}
