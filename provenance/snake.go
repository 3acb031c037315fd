package provenance

import (
	"bytes"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/strictjson"
)

// The JSON of the v1 predicate as encoding/json writes the Go structs of its protobuf
// messages. The specification's mapping (protojson) is another one.
type (
	snakeProvenance struct {
		BuildDefinition struct {
			BuildType            string     `json:"build_type"`
			ExternalParameters   parameters `json:"external_parameters"`
			InternalParameters   parameters `json:"internal_parameters"`
			ResolvedDependencies snakeList  `json:"resolved_dependencies"`
			Unknown              raws       `json:",embed"`
		} `json:"build_definition"`
		RunDetails struct {
			Builder struct {
				ID                  string            `json:"id"`
				Version             map[string]string `json:"version"`
				BuilderDependencies snakeList         `json:"builder_dependencies"`
				Unknown             raws              `json:",embed"`
			} `json:"builder"`
			Metadata struct {
				InvocationID string         `json:"invocation_id"`
				StartedOn    jsontext.Value `json:"started_on"`
				FinishedOn   jsontext.Value `json:"finished_on"`
				Unknown      raws           `json:",embed"`
			} `json:"metadata"`
			Byproducts snakeList `json:"byproducts"`
			Unknown    raws      `json:",embed"`
		} `json:"run_details"`
		Unknown raws `json:",embed"`
	}
	snakeResource struct {
		Name             string            `json:"name"`
		URI              string            `json:"uri"`
		Digest           map[string]string `json:"digest"`
		Content          []byte            `json:"content"`
		DownloadLocation string            `json:"download_location"`
		MediaType        string            `json:"media_type"`
		Annotations      raws              `json:"annotations"`
		Unknown          raws              `json:",embed"`
	}
)

// snakeMembers are what tells that form from the specification's.
var snakeMembers = []string{"build_definition", "run_details"}

// decodeV1 decodes a v1 predicate, in the form it is in.
func decodeV1(name string, predicate []byte, d *Document) (*wireProvenance, error) {
	// The structs are written in the order of their fields, so that the first member
	// tells, and nothing is decoded twice.
	if first, ok := bytes.CutPrefix(bytes.TrimLeft(predicate, " \t\r\n"), []byte("{")); ok && bytes.HasPrefix(bytes.TrimLeft(first, " \t\r\n"), []byte(`"build_definition"`)) {
		return decodeSnake(name, predicate, d)
	}
	var w wireProvenance
	if err := strictjson.Unmarshal(name, predicate, &w, strictjson.Limits{}); err != nil {
		return nil, err
	}
	for _, m := range snakeMembers {
		if _, ok := w.Unknown[m]; ok && w.BuildDefinition.BuildType == "" && w.RunDetails.Builder.ID == "" {
			return decodeSnake(name, predicate, d)
		}
	}
	return &w, nil
}

func decodeSnake(name string, predicate []byte, d *Document) (*wireProvenance, error) {
	var s snakeProvenance
	if err := strictjson.Unmarshal(name, predicate, &s, strictjson.Limits{}); err != nil {
		return nil, err
	}
	// A document in both forms could say one thing to us and another to a reader of the
	// specification.
	for _, m := range []string{"buildDefinition", "runDetails"} {
		if v, ok := s.Unknown[m]; ok && !isEmpty(v) {
			return nil, &assay.Error{Op: readOp, Kind: assay.ErrInvalid, Subject: name, Field: "/" + m, Bound: "no member of the specification beside build_definition and run_details", Rule: "in-toto S9"}
		}
	}
	d.Dialect = Witness
	d.deviate("/build_definition", "members are in snake_case, as encoding/json writes Go's protobuf structs (in-toto S9); read as those of the specification")
	def, run := &s.BuildDefinition, &s.RunDetails
	w := &wireProvenance{Unknown: s.Unknown}
	w.BuildDefinition = wireDefinition{BuildType: def.BuildType, ExternalParameters: def.ExternalParameters, InternalParameters: def.InternalParameters,
		ResolvedDependencies: wireList{read: def.ResolvedDependencies.read}, Unknown: def.Unknown}
	w.RunDetails = wireRun{
		Builder:    wireBuilder{ID: run.Builder.ID, Version: run.Builder.Version, BuilderDependencies: wireList{read: run.Builder.BuilderDependencies.read}, Unknown: run.Builder.Unknown},
		Metadata:   wireMetadata{InvocationID: run.Metadata.InvocationID, Unknown: run.Metadata.Unknown},
		Byproducts: wireList{read: run.Byproducts.read}, Unknown: run.Unknown,
	}
	var err error
	if w.RunDetails.Metadata.StartedOn, err = d.snakeTime(name, "/run_details/metadata/started_on", run.Metadata.StartedOn); err != nil {
		return nil, err
	}
	if w.RunDetails.Metadata.FinishedOn, err = d.snakeTime(name, "/run_details/metadata/finished_on", run.Metadata.FinishedOn); err != nil {
		return nil, err
	}
	return w, nil
}

// snakeTime gives a time of the form {seconds, nanos} as RFC 3339 text; text is as it is.
func (d *Document) snakeTime(name, field string, v jsontext.Value) (string, error) {
	if isEmpty(v) {
		return "", nil
	}
	var text string
	if v.Kind() == '"' {
		err := strictjson.Unmarshal(name, v, &text, strictjson.Limits{})
		return text, err
	}
	var t struct {
		Seconds int64 `json:"seconds"`
		Nanos   int64 `json:"nanos"`
		Unknown raws  `json:",embed"`
	}
	err := strictjson.Unmarshal(name, v, &t, strictjson.Limits{})
	// The bounds are those of google.protobuf.Timestamp: years 1 to 9999.
	if err != nil || len(t.Unknown) > 0 || t.Nanos < 0 || t.Nanos > 999_999_999 || t.Seconds < -62135596800 || t.Seconds > 253402300799 {
		return "", &assay.Error{Op: readOp, Kind: assay.ErrInvalid, Subject: name, Field: field, Value: clip(string(v)), Bound: "seconds of the years 1 to 9999 and nanos below 10⁹", Err: err}
	}
	d.deviate(field, "the time is {seconds, nanos}, and not as in RFC 3339; read as "+strconv.FormatInt(t.Seconds, 10)+" s after 1970")
	return formatTime(time.Unix(t.Seconds, t.Nanos)), nil
}

// clip keeps what an error quotes short.
func clip(s string) string {
	if len(s) > 64 {
		return s[:64] + "…"
	}
	return s
}
