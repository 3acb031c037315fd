package provenance

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/strictjson"
)

const convertOp = "convert provenance"

// Loss is something of an older predicate that v1 has no member for.
type Loss struct {
	// Field is its JSON pointer in the older predicate.
	Field string
	// Reason says what became of it.
	Reason string
}

func (l Loss) String() string { return l.Field + ": " + l.Reason }

// legacyAt keeps what of an older predicate has no place in v1 and no name of its own:
// an object, by the JSON pointer in the older predicate.
const legacyAt = metadataAt + "/assay_legacy"

// definedAt is the index of the material that a v0.1 recipe is in.
const definedAt = "/recipe/definedInMaterial"

// renamed are the members of v0.2 and v0.1 that v1 dropped, and the extensions that
// they are kept as.
var renamed = map[string]string{
	"/buildConfig":           definitionAt + "/slsa02_buildConfig",
	"/metadata/completeness": metadataAt + "/slsa02_completeness",
	"/metadata/reproducible": metadataAt + "/slsa02_reproducible",
}

// ToV1 gives the SLSA v1 form of provenance read from v0.2 or v0.1, as the
// specification has it (SLSA v1.2, build-provenance.md, "Migrating from 0.2"), ready
// for [Encode]. The build type is another one in v1, and only its owner can say which
// (SLSA P9): it is given.
//
// What v1 has no place for is kept as extensions, which readers of v1 ignore, and is
// listed: so is the old build type, and the source, which a reader of v1 finds only
// if it knows the build type. Nothing is dropped. Provenance that is v1 already comes
// back as it is, without losses.
//
// Statements are signed as they are: what was converted has no signature any more, and
// proves nothing before somebody signs it who answers for it.
//
// The error is [assay.ErrInvalid] where v1 asks for what the older predicate does not
// say, and for a build type that is none, or the old one.
func ToV1(p *assay.Provenance, buildType string) (*assay.Provenance, []Loss, error) {
	if p == nil {
		return nil, nil, &assay.Error{Op: convertOp, Kind: assay.ErrInvalid, Bound: "a provenance"}
	}
	if p.Format == "" || p.Format == assay.PredicateSLSA1 {
		return p, nil, nil
	}
	if !isURI(buildType) || buildType == p.BuildType {
		return nil, nil, &assay.Error{Op: convertOp, Kind: assay.ErrInvalid, Field: buildTypeAt, Value: buildType,
			Bound: "the URI of a build type for " + string(assay.PredicateSLSA1) + ", other than " + p.BuildType, Rule: "SLSA P9"}
	}
	out := clone(p)
	out.Format, out.BuildType = assay.PredicateSLSA1, buildType
	out.Extensions = map[string]json.RawMessage{}
	typeAt, environmentAt := "/buildType", "/invocation/environment"
	if p.Format == assay.PredicateSLSA01 {
		typeAt, environmentAt = "/recipe/type", "/recipe/environment"
	}
	losses := []Loss{{typeAt, "v1 has another build type, " + buildType}}
	legacy := map[string]json.RawMessage{typeAt: encoded(p.BuildType)}

	// v1 has one name space for both kinds of parameters (P5).
	for _, k := range slices.Sorted(maps.Keys(p.InternalParameters)) {
		if _, twice := p.ExternalParameters[k]; !twice {
			continue
		}
		at := environmentAt + "/" + escape(k)
		legacy[at] = p.InternalParameters[k]
		delete(out.InternalParameters, k)
		losses = append(losses, Loss{at, "an external parameter has the name; kept in " + legacyAt})
	}
	for _, at := range slices.Sorted(maps.Keys(p.Extensions)) {
		v := p.Extensions[at]
		if rest, ok := strings.CutPrefix(at, "/materials/"); ok {
			out.Extensions[materialsAt+"/"+rest] = v // descriptors are the same in both
			continue
		}
		if to, ok := renamed[at]; ok {
			out.Extensions[to] = v
			losses = append(losses, Loss{at, "v1 has no such member; kept in " + to})
			continue
		}
		legacy[at] = v
		losses = append(losses, Loss{at, "v1 has no such member; kept in " + legacyAt})
	}
	text, err := strictjson.Marshal(legacy)
	if err != nil {
		return nil, nil, &assay.Error{Op: convertOp, Kind: assay.ErrInvalid, Bound: "extensions that are JSON values", Err: err}
	}
	out.Extensions[legacyAt] = text
	if len(out.InternalParameters) == 0 {
		out.InternalParameters = nil
	}
	if err := check(convertOp, "", out); err != nil {
		return nil, nil, err
	}
	if known, err := sourceOf("", out); err != nil || known != out.Source {
		at := "/invocation/configSource"
		if p.Format == assay.PredicateSLSA01 {
			at = "/materials" // of which definedInMaterial, or the build type, says which it is
		}
		losses = append(losses, Loss{at, "which material is the source, only who knows the build type can tell"})
	}
	slices.SortFunc(losses, func(a, b Loss) int { return strings.Compare(a.Field, b.Field) })
	return out, losses, nil
}
