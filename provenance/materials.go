package provenance

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/assaykit/assay"
)

const addOp = "add materials"

// WithMaterials gives a copy of p that has the materials as well, such as the Go
// modules of an executable besides the commit that the CI states. The list is
// sorted; a descriptor that says no more than another of the same URI is dropped.
//
// Two descriptors of one URI with different digests of one algorithm contradict
// each other: that is [assay.ErrRefuted], and nothing is combined. A descriptor that
// identifies nothing is [assay.ErrInvalid] (in-toto S5). p is not changed.
func WithMaterials(p *assay.Provenance, materials ...assay.Resource) (*assay.Provenance, error) {
	for i, m := range materials {
		if m.Validate() != nil {
			return nil, &assay.Error{Op: addOp, Kind: assay.ErrInvalid, Field: strconv.Itoa(i), Value: m.Name, Bound: "a uri, digest or content", Rule: "in-toto S5"}
		}
	}
	prefix := materialsAt
	if p.Format == assay.PredicateSLSA02 || p.Format == assay.PredicateSLSA01 {
		prefix = "/materials"
	}
	out := clone(p)
	items := itemsOf(p.Materials)
	// Extensions point at materials by index; they move with them.
	for at, v := range p.Extensions {
		if i, rest, ok := indexed(at, prefix); ok && i < len(items) {
			it := &items[i]
			if alg, isDigest := strings.CutPrefix(rest, "digest/"); isDigest {
				var hex string
				if json.Unmarshal(v, &hex) == nil {
					it.digests = mapWith(it.digests, unescape(alg), hex)
				}
			} else {
				it.unknown = mapWith(it.unknown, unescape(rest), []byte(v))
			}
			delete(out.Extensions, at)
		}
	}
	items = append(items, itemsOf(materials)...)
	sortItems(items)
	items = compactItems(items)
	if err := contradiction(items); err != nil {
		return nil, err
	}
	if out.Extensions == nil {
		out.Extensions = map[string]json.RawMessage{}
	}
	out.Materials = resources(dropSubsumed(items), prefix, out.Extensions)
	if len(out.Extensions) == 0 {
		out.Extensions = nil
	}
	return out, nil
}

// Combine gives a copy of p that has the materials of the others as well, under the
// rules of [WithMaterials]. It is for several views of one build: p is what the CI
// states and stays the frame, the others are what the results of the build tell
// ([FromGoBinary]), and the clone that was built ([FromGit]). Parameters, builder, and run
// of the others are not taken over.
//
// If p and another both state the commit of the source, the commits must be equal,
// and so must the repositories, by whatever scheme they are fetched, else the error is
// [assay.ErrRefuted]. Whether the work tree was
// modified is taken over, as an annotation of p's material.
func Combine(p *assay.Provenance, others ...*assay.Provenance) (*assay.Provenance, error) {
	out := clone(p)
	for _, o := range others {
		a, b := out.Source, o.Source
		switch {
		case !a.Commit.IsZero() && !b.Commit.IsZero() && a.Commit != b.Commit:
			return nil, &assay.Error{Op: addOp, Kind: assay.ErrRefuted, Subject: o.BuildType, Field: "source commit", Value: b.Commit.String(), Bound: a.Commit.String()}
		case a.Repository != "" && b.Repository != "" && !sameAddress(a.Repository, b.Repository):
			return nil, &assay.Error{Op: addOp, Kind: assay.ErrRefuted, Subject: o.BuildType, Field: "source repository", Value: b.Repository, Bound: a.Repository}
		}
		add := slices.Clone(o.Materials)
		if !a.Commit.IsZero() && a.Commit == b.Commit {
			// The same source: p's descriptor says where it is, so it stays.
			add = slices.DeleteFunc(add, func(r assay.Resource) bool {
				_, marked := r.Annotations[modifiedAnnotation]
				return commitOf(r) == b.Commit && (marked || r.URI == "" || r.Name == "source")
			})
			if state := worse(a.Modified, b.Modified); state != a.Modified {
				out.Source.Modified = state
				mark(out, state == assay.Proven)
			}
		}
		next, err := WithMaterials(out, add...)
		if err != nil {
			return nil, err
		}
		out = next
	}
	return out, nil
}

// sameAddress compares where repositories are, whatever scheme they are fetched by.
func sameAddress(a, b string) bool {
	at := anyScheme(a)
	return a == b || at != "" && at == anyScheme(b)
}

// worse keeps the knowledge that a work tree was modified.
func worse(a, b assay.State) assay.State {
	if a == assay.Proven || b == assay.Proven {
		return assay.Proven
	}
	if a == assay.Unknown {
		return b
	}
	return a
}

// mark notes on the material of the source whether the work tree was modified.
func mark(p *assay.Provenance, modified bool) {
	for i, r := range p.Materials {
		if commitOf(r) == p.Source.Commit {
			p.Materials[i].Annotations = mapWith(r.Annotations, modifiedAnnotation, json.RawMessage(strconv.FormatBool(modified)))
		}
	}
}

// contradiction reports two digests of one algorithm for one URI. The items are
// sorted by URI.
func contradiction(items []item) error {
	seen := map[assay.Algorithm]assay.Digest{}
	for i, it := range items {
		if i > 0 && it.r.URI != items[i-1].r.URI {
			clear(seen)
		}
		if it.r.URI == "" {
			continue
		}
		for _, d := range it.r.Digest {
			if e, ok := seen[d.Algorithm()]; ok && e != d {
				return &assay.Error{Op: addOp, Kind: assay.ErrRefuted, Subject: it.r.URI, Field: "digest", Value: d.String(), Bound: e.String()}
			}
			seen[d.Algorithm()] = d
		}
	}
	return nil
}

// maxGroup bounds the comparisons among descriptors of one URI; more than a few do
// not occur, and keeping what could be dropped is no error.
const maxGroup = 64

// dropSubsumed drops a descriptor that is another of the same URI with fewer
// digests and nothing else. The items are sorted and free of contradiction.
func dropSubsumed(items []item) []item {
	var out []item
	for len(items) > 0 {
		n := 1
		for n < len(items) && items[n].r.URI == items[0].r.URI {
			n++
		}
		group := items[:n]
		items = items[n:]
		for _, a := range group {
			if a.r.URI == "" || n > maxGroup || !bare(a) || !slices.ContainsFunc(group, func(b item) bool { return subsumes(b, a) }) {
				out = append(out, a)
			}
		}
	}
	return out
}

func subsumes(b, a item) bool {
	return len(b.r.Digest) > len(a.r.Digest) && (a.r.Name == "" || a.r.Name == b.r.Name) &&
		!slices.ContainsFunc(a.r.Digest, func(d assay.Digest) bool { return !slices.Contains(b.r.Digest, d) })
}

func bare(a item) bool {
	return len(a.r.Content) == 0 && a.r.DownloadLocation == "" && a.r.MediaType == "" &&
		len(a.r.Annotations) == 0 && len(a.unknown) == 0 && len(a.digests) == 0
}

// compactItems drops the second of two sorted items that are the same throughout.
func compactItems(items []item) []item {
	return slices.CompactFunc(items, func(a, b item) bool {
		return compareItems(&a, &b) == 0
	})
}

// indexed takes "prefix/3/rest" apart.
func indexed(at, prefix string) (i int, rest string, ok bool) {
	tail, ok := strings.CutPrefix(at, prefix+"/")
	if !ok {
		return 0, "", false
	}
	index, rest, ok := strings.Cut(tail, "/")
	if !ok {
		return 0, "", false
	}
	i, err := strconv.Atoi(index)
	return i, rest, err == nil && i >= 0
}

func mapWith[M ~map[string]V, V any](m M, k string, v V) M {
	out := maps.Clone(m)
	if out == nil {
		out = M{}
	}
	out[k] = v
	return out
}

// clone copies what this package changes.
func clone(p *assay.Provenance) *assay.Provenance {
	out := *p
	out.Materials = slices.Clone(p.Materials)
	out.Extensions = maps.Clone(p.Extensions)
	return &out
}
