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

	"github.com/go-json-experiment/json/jsontext"

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
	Targets   map[string]map[string]jsontext.Value `json:"targets"`
	Libraries map[string]jsontext.Value            `json:"libraries"`
}

type stated struct {
	Type   string `json:"type"`
	SHA512 string `json:"sha512"`
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

// maxFaults is how many faults of one file are told one by one.
const maxFaults = 100

// Parse gives the libraries, sorted by name and version: those of the target that
// the file names as the one to run. The faults are entries that are no libraries, or
// of which something is not what it should be; the others stand. The error is
// [ErrNotDotnet] for JSON that shows no sign of .NET, or of kind [assay.ErrInvalid] or
// [assay.ErrBound].
func Parse(name string, content []byte) (libraries []Library, faults []error, err error) {
	if start := bytes.TrimLeft(content, " \t\r\n"); len(start) > 0 && start[0] == '[' {
		return nil, nil, ErrNotDotnet
	}
	var doc document
	if err := strictjson.Unmarshal(name, content, &doc, strictjson.Limits{MaxBytes: maxBytes}); err != nil {
		return nil, nil, err
	}
	if len(doc.Targets) == 0 && len(doc.Libraries) == 0 && doc.RuntimeTarget.Name == "" {
		return nil, nil, ErrNotDotnet
	}
	if n := len(doc.Libraries); n > maxLibraries {
		return nil, nil, fail(name, assay.ErrBound, "/libraries", strconv.Itoa(n)+" libraries", "at most "+strconv.Itoa(maxLibraries))
	}
	if len(doc.Targets) == 0 {
		return nil, nil, fail(name, assay.ErrInvalid, "/targets", "", "a target")
	}
	run := doc.RuntimeTarget.Name
	entries, ok := doc.Targets[run]
	if !ok {
		if run != "" {
			return nil, nil, fail(name, assay.ErrInvalid, "/runtimeTarget/name", run, "the name of a target")
		}
		run = slices.Sorted(maps.Keys(doc.Targets))[0]
		entries = doc.Targets[run]
	}
	if n := len(entries); n > maxLibraries {
		return nil, nil, fail(name, assay.ErrBound, "/targets/"+run, strconv.Itoa(n)+" libraries", "at most "+strconv.Itoa(maxLibraries))
	}
	fault := func(err error) {
		switch {
		case len(faults) < maxFaults:
			faults = append(faults, err)
		case len(faults) == maxFaults:
			faults = append(faults, fail(name, assay.ErrInvalid, "/targets/"+run, "more than "+strconv.Itoa(maxFaults)+" entries", "libraries"))
		}
	}
	// value reads an entry, which is zero where it is another thing than it should be.
	value := func(field, key string, raw jsontext.Value, to any) {
		if raw == nil {
			return
		}
		if err := strictjson.Unmarshal(name, raw, to, strictjson.Limits{MaxBytes: maxBytes}); err != nil {
			e := fail(name, assay.ErrInvalid, field+"/"+pointer(key), "", "")
			e.Err = err
			fault(e)
		}
	}
	keys := slices.Sorted(maps.Keys(entries))
	out := make([]Library, 0, len(keys))
	depends := make([]map[string]string, 0, len(keys))
	index := map[string]int{} // by name, in lower case: NuGet does not tell case apart
	for _, key := range keys {
		n, v, ok := strings.Cut(key, "/")
		if !ok || n == "" {
			fault(fail(name, assay.ErrInvalid, "/targets/"+pointer(run), key, `a name, "/" and a version`))
			continue
		}
		var stated stated
		value("/libraries", key, doc.Libraries[key], &stated)
		l := Library{Name: n, Version: v, Type: stated.Type}
		if raw, ok := strings.CutPrefix(stated.SHA512, "sha512-"); ok {
			if b, err := base64.StdEncoding.DecodeString(raw); err == nil {
				l.SHA512, _ = assay.NewDigest(assay.SHA512, fmt.Sprintf("%x", b)) // zero if it is of another length
			}
		}
		var t target
		value("/targets/"+pointer(run), key, entries[key], &t)
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
		out, depends = append(out, l), append(depends, t.Dependencies)
	}
	for i := range out {
		for _, n := range slices.Sorted(maps.Keys(depends[i])) {
			if j, ok := index[strings.ToLower(n)]; !ok {
				out[i].Missing++
			} else if j != i {
				out[i].Depends = append(out[i].Depends, j)
			}
		}
	}
	return out, faults, nil
}

// pointer escapes a member's name for a JSON pointer (RFC 6901, 3).
func pointer(key string) string {
	return strings.NewReplacer("~", "~0", "/", "~1").Replace(key)
}

func fail(name string, kind error, field, value, bound string) *assay.Error {
	return &assay.Error{Op: "read .NET dependencies", Kind: kind, Subject: name, Field: field, Value: value, Bound: bound}
}
