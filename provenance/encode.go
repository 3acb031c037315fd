package provenance

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/strictjson"
)

const encodeOp = "encode provenance"

// Encode gives the JSON of the SLSA v1 predicate, for a statement of type
// [assay.PredicateSLSA1]. The same provenance gives the same bytes: members and
// descriptors are sorted, times are RFC 3339 in UTC, what is empty is left out.
// Parameters keep their values, without insignificant space.
//
// The rules of [Check] hold first. Besides, extensions of provenance that was
// generated are named vendor_field (SLSA P8), no extension stands where the
// specification defines a member, and provenance read from v0.2 or v0.1 is refused
// (SLSA P9): another version of the predicate needs another build type, and only
// its owner can say which.
//
// Source is not a member of the predicate. It is read back where the build type
// says which material is the source, see the package documentation.
func Encode(p *assay.Provenance) ([]byte, error) {
	if p == nil {
		return nil, &assay.Error{Op: encodeOp, Kind: assay.ErrInvalid, Bound: "a provenance"}
	}
	switch p.Format {
	case "":
		if err := checkGenerated(encodeOp, p.Extensions); err != nil {
			return nil, err
		}
	case assay.PredicateSLSA1:
	default:
		return nil, &assay.Error{Op: encodeOp, Kind: assay.ErrInvalid, Field: buildTypeAt, Value: p.BuildType,
			Bound: "a build type for " + string(assay.PredicateSLSA1) + ", not for " + string(p.Format), Rule: "SLSA P9"}
	}
	if err := check(encodeOp, "", p); err != nil {
		return nil, err
	}
	w, err := toWire(p)
	if err != nil {
		return nil, err
	}
	b, err := strictjson.Marshal(w)
	if err != nil {
		return nil, &assay.Error{Op: encodeOp, Kind: assay.ErrInvalid, Bound: "parameters, annotations and extensions that are JSON values", Err: err}
	}
	return b, nil
}

func toWire(p *assay.Provenance) (*wireProvenance, error) {
	for field, t := range map[string]string{startedAt: formatTime(p.StartedOn), finishedAt: formatTime(p.FinishedOn)} {
		if _, err := parseTime("", field, t); err != nil {
			return nil, err
		}
	}
	w := &wireProvenance{
		BuildDefinition: wireDefinition{
			BuildType:          p.BuildType,
			ExternalParameters: p.ExternalParameters,
			InternalParameters: p.InternalParameters,
		},
		RunDetails: wireRun{
			Builder:  wireBuilder{ID: p.Builder.ID, Version: p.Builder.Version},
			Metadata: wireMetadata{InvocationID: p.InvocationID, StartedOn: formatTime(p.StartedOn), FinishedOn: formatTime(p.FinishedOn)},
		},
	}
	for at, params := range map[string]parameters{externalAt: w.BuildDefinition.ExternalParameters, internalAt: w.BuildDefinition.InternalParameters} {
		for k, v := range params {
			if len(v) == 0 {
				return nil, &assay.Error{Op: encodeOp, Kind: assay.ErrInvalid, Field: at + "/" + escape(k), Bound: "a JSON value"}
			}
		}
	}
	lists := map[string][]item{materialsAt: itemsOf(p.Materials), builderDepsAt: itemsOf(p.Builder.Dependencies), byproductsAt: itemsOf(p.Byproducts)}
	for _, at := range slices.Sorted(maps.Keys(p.Extensions)) {
		if err := w.place(at, p.Extensions[at], lists); err != nil {
			return nil, err
		}
	}
	w.BuildDefinition.ResolvedDependencies.write = wires(lists[materialsAt])
	w.RunDetails.Builder.BuilderDependencies.write = wires(lists[builderDepsAt])
	w.RunDetails.Byproducts.write = wires(lists[byproductsAt])
	return w, nil
}

// place puts an extension back where its pointer says.
func (w *wireProvenance) place(at string, v json.RawMessage, lists map[string][]item) error {
	fail := func(bound, rule string) error {
		return &assay.Error{Op: encodeOp, Kind: assay.ErrInvalid, Field: at, Bound: bound, Rule: rule}
	}
	i := strings.LastIndexByte(at, '/')
	if i < 0 {
		return fail("a JSON pointer to a member", "")
	}
	parent, name := at[:i], unescape(at[i+1:])
	set := func(into *raws, defined string) error {
		if slices.Contains(strings.Fields(defined), name) {
			return fail("no extension in place of a member that the specification defines", "SLSA P8")
		}
		if len(v) == 0 {
			return fail("a JSON value", "")
		}
		// Copied, because the map may be shared with the caller's value.
		m := raws{name: jsontext.Value(v)}
		maps.Copy(m, *into)
		*into = m
		return nil
	}
	switch parent {
	case "":
		return set(&w.Unknown, "buildDefinition runDetails")
	case definitionAt:
		return set(&w.BuildDefinition.Unknown, "buildType externalParameters internalParameters resolvedDependencies")
	case runAt:
		return set(&w.RunDetails.Unknown, "builder metadata byproducts")
	case builderAt:
		return set(&w.RunDetails.Builder.Unknown, "id version builderDependencies")
	case metadataAt:
		return set(&w.RunDetails.Metadata.Unknown, "invocationId invocationID startedOn finishedOn")
	}
	list, index, digest := parent, "", false
	if l, ok := strings.CutSuffix(list, "/digest"); ok {
		list, digest = l, true
	}
	if j := strings.LastIndexByte(list, '/'); j >= 0 {
		list, index = list[:j], list[j+1:]
	}
	items, ok := lists[list]
	n, err := strconv.Atoi(index)
	if !ok || err != nil || n < 0 || n >= len(items) || strconv.Itoa(n) != index {
		return fail("a pointer into an object or a descriptor of the v1 predicate", "")
	}
	if !digest {
		return set(&items[n].unknown, "name uri digest content downloadLocation mediaType annotations")
	}
	var hex string
	if err := strictjson.Unmarshal("extension", v, &hex, strictjson.Limits{}); err != nil || hex == "" {
		return fail("a digest", "in-toto S4")
	}
	if assay.Algorithm(name).Known() || name == "dirHash1" {
		return fail("no extension in place of a digest that is known", "SLSA P8")
	}
	if items[n].digests == nil {
		items[n].digests = map[string]string{}
	}
	items[n].digests[name] = hex
	return nil
}

func itemsOf(list []assay.Resource) []item {
	items := make([]item, len(list))
	for i, r := range list {
		items[i].r = r
	}
	return items
}

func wires(items []item) []wireResource {
	sortItems(items)
	out := make([]wireResource, len(items))
	for i, it := range items {
		out[i] = it.wire()
	}
	return out
}
