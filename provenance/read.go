package provenance

import (
	"encoding/json"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/strictjson"
)

const readOp = "read provenance"

// Read decodes the predicate of a provenance statement, whose predicateType is t.
// The name, of the file or blob, is for errors.
//
// SLSA v1 is read whole and checked by [Check]. SLSA v0.2 and v0.1 become the same
// fields, by the mapping in the package documentation. What the specification does
// not define is ignored (in-toto S6) and kept in Extensions by its JSON pointer;
// indices in these pointers count in the sorted lists of the result. Members that
// are null or empty count as absent (SLSA P3), and descriptors that say nothing
// are dropped.
//
// Errors are [*assay.Error]: [assay.ErrInvalid] if the document breaks JSON or a
// rule, which is named in Rule; [assay.ErrUnchecked] if the predicate type, or the
// only digest of a descriptor, is not understood here; [assay.ErrBound] for
// documents over 128 MiB or nested over 128 deep. Nothing is returned with an error.
//
// Reading proves nothing: whether to believe the result is for package verify.
func Read(name string, t assay.PredicateType, predicate []byte) (*assay.Provenance, error) {
	switch t {
	case assay.PredicateSLSA1:
		return readV1(name, predicate)
	case assay.PredicateSLSA02:
		return readV02(name, predicate)
	case assay.PredicateSLSA01:
		return readV01(name, predicate)
	}
	return nil, &assay.Error{Op: readOp, Kind: assay.ErrUnchecked, Subject: name, Field: "predicateType", Value: string(t),
		Bound: "one of " + string(assay.PredicateSLSA1) + ", /v0.2, /v0.1", Rule: "SLSA P1"}
}

func readV1(name string, predicate []byte) (*assay.Provenance, error) {
	var w wireProvenance
	if err := strictjson.Unmarshal(name, predicate, &w, strictjson.Limits{}); err != nil {
		return nil, err
	}
	p, err := w.typed(name)
	if err != nil {
		return nil, err
	}
	p.Format = assay.PredicateSLSA1
	if p.Source, err = sourceOf(name, p); err != nil {
		return nil, err
	}
	if err := check(readOp, name, p); err != nil {
		return nil, err
	}
	return p, nil
}

func (w *wireProvenance) typed(name string) (*assay.Provenance, error) {
	d, run := &w.BuildDefinition, &w.RunDetails
	p := &assay.Provenance{
		BuildType:          d.BuildType,
		ExternalParameters: fromRaws(d.ExternalParameters),
		InternalParameters: fromRaws(d.InternalParameters),
		Builder:            assay.Builder{ID: run.Builder.ID},
		InvocationID:       run.Metadata.InvocationID,
	}
	if len(run.Builder.Version) > 0 {
		p.Builder.Version = run.Builder.Version
	}
	var err error
	if p.StartedOn, err = parseTime(name, startedAt, run.Metadata.StartedOn); err != nil {
		return nil, err
	}
	if p.FinishedOn, err = parseTime(name, finishedAt, run.Metadata.FinishedOn); err != nil {
		return nil, err
	}
	ext := map[string]json.RawMessage{}
	for _, l := range []struct {
		at  string
		in  []wireResource
		out *[]assay.Resource
	}{
		{materialsAt, d.ResolvedDependencies, &p.Materials},
		{builderDepsAt, run.Builder.BuilderDependencies, &p.Builder.Dependencies},
		{byproductsAt, run.Byproducts, &p.Byproducts},
	} {
		items, err := toItems(name, l.at, l.in)
		if err != nil {
			return nil, err
		}
		*l.out = resources(items, l.at, ext)
	}
	keep(ext, "", w.Unknown)
	keep(ext, definitionAt, d.Unknown)
	keep(ext, runAt, run.Unknown)
	keep(ext, builderAt, run.Builder.Unknown)
	keep(ext, metadataAt, run.Metadata.Unknown)
	if len(ext) > 0 {
		p.Extensions = ext
	}
	return p, nil
}

// Where the parts of a v1 predicate are, as JSON pointers.
const (
	definitionAt  = "/buildDefinition"
	buildTypeAt   = definitionAt + "/buildType"
	externalAt    = definitionAt + "/externalParameters"
	internalAt    = definitionAt + "/internalParameters"
	materialsAt   = definitionAt + "/resolvedDependencies"
	runAt         = "/runDetails"
	builderAt     = runAt + "/builder"
	builderIDAt   = builderAt + "/id"
	builderDepsAt = builderAt + "/builderDependencies"
	metadataAt    = runAt + "/metadata"
	startedAt     = metadataAt + "/startedOn"
	finishedAt    = metadataAt + "/finishedOn"
	byproductsAt  = runAt + "/byproducts"
)
