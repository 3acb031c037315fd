package provenance

import (
	"github.com/assaykit/assay"
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
// Dialects that break the specification are read as [ReadDocument] says, which reports
// each deviation; only they may leave builder.id empty, see there.
//
// Reading proves nothing: whether to believe the result is for package verify.
func Read(name string, t assay.PredicateType, predicate []byte) (*assay.Provenance, error) {
	d, err := ReadDocument(name, t, predicate)
	if err != nil {
		return nil, err
	}
	return d.Provenance, nil
}

func readV1(name string, predicate []byte, d *Document) (*assay.Provenance, error) {
	w, err := decodeV1(name, predicate, d)
	if err != nil {
		return nil, err
	}
	if err := d.deviationsV1(name, w); err != nil {
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
	if err := checkRead(name, p, d.builderMayBeUnknown()); err != nil {
		return nil, err
	}
	return p, nil
}

func (w *wireProvenance) typed(name string) (*assay.Provenance, error) {
	d, run := &w.BuildDefinition, &w.RunDetails
	p := &assay.Provenance{
		BuildType:          d.BuildType,
		ExternalParameters: orNil(d.ExternalParameters),
		InternalParameters: orNil(d.InternalParameters),
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
	ext := extensions(d.ResolvedDependencies.read, run.Builder.BuilderDependencies.read, run.Byproducts.read)
	for _, l := range []struct {
		at  string
		in  []descriptor
		out *[]assay.Resource
	}{
		{materialsAt, d.ResolvedDependencies.read, &p.Materials},
		{builderDepsAt, run.Builder.BuilderDependencies.read, &p.Builder.Dependencies},
		{byproductsAt, run.Byproducts.read, &p.Byproducts},
	} {
		if *l.out, err = typedList(name, l.at, l.in, false, ext); err != nil {
			return nil, err
		}
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

func orNil(p parameters) parameters {
	if len(p) == 0 {
		return nil
	}
	return p
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
