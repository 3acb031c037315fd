package layers

import (
	"bytes"
	"context"
	"slices"
	"strconv"

	"github.com/assaykit/assay"
)

// retainerName cannot be that of another visitor by accident.
const retainerName = "layers: retained files"

// retainer keeps the contents of [RetainedPaths].
type retainer struct{ limit int64 }

func (retainer) Name() string { return retainerName }

func (r retainer) Match(f *File) Want {
	if f.Size > r.limit || !slices.Contains(retainedPaths[:], f.Path) {
		return WantNothing
	}
	return WantContent | WantAnyName
}

func (retainer) Visit(_ context.Context, _ *File, c Content) (any, error) {
	return bytes.Clone(c.Bytes), nil
}

func (r *Result) retained(path string) ([]byte, error) {
	if !slices.Contains(retainedPaths[:], path) {
		return nil, &assay.Error{Op: "read retained file", Kind: assay.ErrInvalid, Subject: path, Bound: "one of RetainedPaths"}
	}
	f, err := r.Tree.Lookup(path)
	if err != nil {
		return nil, err
	}
	if f.Type != Regular {
		return nil, &assay.Error{Op: "read retained file", Kind: assay.ErrInvalid, Subject: path, Value: f.Type.String(), Bound: "a file"}
	}
	for _, fact := range r.facts[retainerName] {
		if fact.Path == path || fact.File == f {
			return fact.Value.([]byte), nil
		}
	}
	return nil, &assay.Error{Op: "read retained file", Kind: assay.ErrBound, Subject: path,
		Value: strconv.FormatInt(f.Size, 10) + " bytes", Bound: "at most Retained bytes"}
}
