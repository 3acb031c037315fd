package predicate

import (
	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/strictjson"
)

// EncodeTestResult writes in-toto test-result v0.1.
func EncodeTestResult(r *assay.TestResult) ([]byte, error) {
	if err := checkTestResult("", r); err != nil {
		return nil, err
	}
	return strictjson.Marshal(r)
}

// DecodeTestResult reads in-toto test-result v0.1.
func DecodeTestResult(name string, data []byte) (*assay.TestResult, error) {
	var r assay.TestResult
	if err := strictjson.Unmarshal(name, data, &r, strictjson.Limits{}); err != nil {
		return nil, err
	}
	if err := checkTestResult(name, &r); err != nil {
		return nil, err
	}
	return &r, nil
}

func checkTestResult(name string, r *assay.TestResult) error {
	if r == nil {
		return &assay.Error{Op: "check test result", Kind: assay.ErrInvalid, Subject: name, Bound: "a test result"}
	}
	switch r.Result {
	case "PASSED", "WARNED", "FAILED":
	default:
		return &assay.Error{Op: "check test result", Kind: assay.ErrInvalid, Subject: name, Field: "/result", Value: r.Result, Bound: "PASSED, WARNED or FAILED"}
	}
	if r.Configuration == nil {
		return &assay.Error{Op: "check test result", Kind: assay.ErrInvalid, Subject: name, Field: "/configuration", Bound: "a list of what was tested with"}
	}
	return checkResources("check test result", name, "/configuration", r.Configuration)
}
