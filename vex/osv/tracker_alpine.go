package osv

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/strictjson"
)

// alpineDatabase is one repository of one release.
type alpineDatabase struct {
	DistroVersion string         `json:"distroversion"`
	Packages      jsontext.Value `json:"packages"`
}

type alpinePackage struct {
	Package struct {
		Name string `json:"name"`
		// SecFixes are vulnerabilities by the version that fixes them.
		SecFixes alpineFixes `json:"secfixes"`
	} `json:"pkg"`
}

// alpineList is a list. One that is empty is written as an empty object now and then: the
// program that writes the database has one kind of table for both.
type alpineList[T any] []T

// UnmarshalJSONFrom takes an empty object for no elements.
func (l *alpineList[T]) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	if d.PeekKind() == '{' {
		return alpineEmpty(d, '}')
	}
	return json.UnmarshalDecode(d, (*[]T)(l))
}

// alpineFixes is an object, which is written as an empty list where it is empty.
type alpineFixes map[string]alpineList[string]

// UnmarshalJSONFrom takes an empty list for no members.
func (f *alpineFixes) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	if d.PeekKind() == '[' {
		return alpineEmpty(d, ']')
	}
	return json.UnmarshalDecode(d, (*map[string]alpineList[string])(f))
}

// alpineEmpty reads a value of the other kind, which must be empty: one that is not would
// have fixes in a form that is not known.
func alpineEmpty(d *jsontext.Decoder, end jsontext.Kind) error {
	if _, err := d.ReadToken(); err != nil {
		return err
	}
	if d.PeekKind() != end {
		return &assay.Error{Op: readOp, Kind: assay.ErrInvalid, Field: string(d.StackPointer()), Bound: "nothing in it, or the other kind of value", Rule: "Alpine secdb"}
	}
	_, err := d.ReadToken()
	return err
}

// readAlpine reads one file of Alpine's secdb. A version fixes what is listed with it; "0"
// was never affected, and is no record. Of a vulnerability that several versions fix,
// as when it came back, all that is before any of them is affected. The id of the record
// is that of osv.dev: "ALPINE-CVE-2026-0001".
func readAlpine(name string, data []byte, to taker) error {
	var w alpineDatabase
	if err := strictjson.Unmarshal(name, data, &w, strictjson.Limits{}); err != nil {
		return err
	}
	r := recordReader{name}
	if w.DistroVersion == "" || len(w.DistroVersion) > maxEcosystem/2 || strings.ContainsRune(w.DistroVersion, 0) {
		return r.bad("/distroversion", w.DistroVersion, `a release, such as "v3.22" or "edge"`, "Alpine secdb")
	}
	if len(w.Packages) == 0 {
		return r.bad("/packages", "", "a list of packages", "Alpine secdb")
	}
	var packages alpineList[jsontext.Value]
	if err := strictjson.Unmarshal(name, w.Packages, &packages, strictjson.Limits{}); err != nil {
		return &assay.Error{Op: readOp, Kind: assay.ErrInvalid, Subject: name, Field: "/packages", Rule: "Alpine secdb", Err: err}
	}
	byID := map[assay.VulnID]*Advisory{}
	for i, value := range packages {
		field := "/packages/" + strconv.Itoa(i) + "/pkg"
		var p alpinePackage
		err := strictjson.Unmarshal(name, value, &p, strictjson.Limits{})
		if err == nil && (p.Package.Name == "" || strings.ContainsRune(p.Package.Name, 0)) {
			err = r.bad(field+"/name", p.Package.Name, "the name of a package", "Alpine secdb")
		}
		if err != nil {
			if err := to.skip(field, err); err != nil {
				return err
			}
			continue
		}
		rows := map[assay.VulnID]int{}
		for _, version := range slices.Sorted(maps.Keys(p.Package.SecFixes)) {
			for _, entry := range p.Package.SecFixes[version] {
				ids, err := alpineIDs(entry)
				if err == nil && version == "" {
					err = r.bad(field+"/secfixes", version, "a version", "Alpine secdb")
				}
				if err != nil {
					if err := to.skip(field+"/secfixes/"+version, err); err != nil {
						return err
					}
					continue
				}
				if version == "0" {
					continue
				}
				fixed := Range{Type: RangeEcosystem, Events: []Event{{Introduced, "0"}, {Fixed, version}}}
				for _, id := range ids {
					a := byID[id]
					if a == nil {
						a = &Advisory{ID: trackerID("ALPINE-", id)}
						if a.ID != id {
							a.Upstream = []assay.VulnID{id}
						}
						byID[id] = a
					}
					at, ok := rows[id]
					if !ok {
						at = len(a.Affected)
						rows[id] = at
						a.Affected = append(a.Affected, Affected{Ecosystem: "Alpine:" + w.DistroVersion, Name: p.Package.Name})
					}
					a.Affected[at].Ranges = append(a.Affected[at].Ranges, fixed)
				}
			}
		}
	}
	for _, id := range slices.Sorted(maps.Keys(byID)) {
		if err := to.add(byID[id]); err != nil {
			return err
		}
	}
	return nil
}

// alpineIDs reads an entry: an identifier, then more of them, or words about it.
func alpineIDs(entry string) ([]assay.VulnID, error) {
	words := strings.Fields(entry)
	if len(words) == 0 || !strings.ContainsRune(words[0], '-') {
		return nil, &assay.Error{Op: readOp, Kind: assay.ErrInvalid, Value: entry, Bound: "an identifier of a vulnerability", Rule: "Alpine secdb"}
	}
	var out []assay.VulnID
	for i, word := range words {
		id, err := assay.ParseVulnID(word)
		switch {
		case i == 0 && err != nil:
			return nil, err
		case err == nil && (i == 0 || strings.HasPrefix(string(id), "CVE-") || strings.HasPrefix(string(id), "GHSA-")):
			out = append(out, id)
		}
	}
	return unique(out), nil
}
