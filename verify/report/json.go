package report

import (
	"io"
	"strconv"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/strictjson"
	"github.com/assaykit/assay/verify"
)

// JSON writes the report as one indented JSON object and a newline. Its schema
// member names the version ([verify.ReportSchema]); members may be added within a
// version, none changes its meaning.
func JSON(w io.Writer, r *verify.Report) error {
	b, err := strictjson.MarshalIndent(r)
	if err != nil {
		return &assay.Error{Op: "render report", Kind: assay.ErrInvalid, Subject: r.Digest.String(), Err: err}
	}
	_, err = w.Write(append(b, '\n'))
	return err
}

// Read reads a report that [JSON] wrote. What comes back can be rendered again; it
// holds no evidence, because a file is nobody's proof.
func Read(name string, data []byte) (*verify.Report, error) {
	var r verify.Report
	if err := strictjson.Unmarshal(name, data, &r, strictjson.Limits{}); err != nil {
		return nil, err
	}
	if err := complete(name, "", &r); err != nil {
		return nil, err
	}
	return &r, nil
}

// complete holds every report of the tree to the schema; a null among the platforms
// is none.
func complete(name, field string, r *verify.Report) error {
	switch {
	case r == nil:
		return &assay.Error{Op: "read report", Kind: assay.ErrInvalid, Subject: name, Field: field, Value: "null", Bound: "a report"}
	case r.Schema != verify.ReportSchema:
		return &assay.Error{Op: "read report", Kind: assay.ErrInvalid, Subject: name, Field: field + "/schema", Value: r.Schema, Bound: verify.ReportSchema}
	}
	for i, p := range r.Platforms {
		if err := complete(name, field+"/platforms/"+strconv.Itoa(i), p); err != nil {
			return err
		}
	}
	return nil
}
