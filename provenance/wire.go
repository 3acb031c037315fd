package provenance

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	jsonx "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/strictjson"
)

// raws are members of an object whose meaning is not known here.
type raws = map[string]jsontext.Value

// parameters are members of an object whose values are kept as they are.
type parameters map[string]json.RawMessage

// MarshalJSONTo writes the object.
func (p parameters) MarshalJSONTo(enc *jsontext.Encoder) error {
	return jsonx.MarshalEncode(enc, toRaws(p))
}

// UnmarshalJSONFrom reads the object, copied once.
func (p *parameters) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	if dec.PeekKind() != '{' {
		var none raws // null, or an error
		return jsonx.UnmarshalDecode(dec, &none)
	}
	v, err := dec.ReadValue()
	if err == nil {
		*p = membersOf(v.Clone())
	}
	return err
}

// The JSON of the SLSA v1 predicate. Every object has an embedded fallback, so that
// nothing that was stated is lost without notice.
type (
	wireProvenance struct {
		BuildDefinition wireDefinition `json:"buildDefinition"`
		RunDetails      wireRun        `json:"runDetails"`
		Unknown         raws           `json:",embed"`
	}
	wireDefinition struct {
		BuildType            string     `json:"buildType"`
		ExternalParameters   parameters `json:"externalParameters"`
		InternalParameters   parameters `json:"internalParameters,omitempty"`
		ResolvedDependencies wireList   `json:"resolvedDependencies,omitzero"`
		Unknown              raws       `json:",embed"`
	}
	wireRun struct {
		Builder    wireBuilder  `json:"builder"`
		Metadata   wireMetadata `json:"metadata,omitzero"`
		Byproducts wireList     `json:"byproducts,omitzero"`
		Unknown    raws         `json:",embed"`
	}
	wireBuilder struct {
		ID                  string            `json:"id"`
		Version             map[string]string `json:"version,omitempty"`
		BuilderDependencies wireList          `json:"builderDependencies,omitzero"`
		Unknown             raws              `json:",embed"`
	}
	wireMetadata struct {
		InvocationID string `json:"invocationId,omitempty"`
		// The spelling of in-toto-golang v0.9, and so of what was built with it. Never written.
		InvocationIDCaps string `json:"invocationID,omitempty"`
		StartedOn        string `json:"startedOn,omitempty"`
		FinishedOn       string `json:"finishedOn,omitempty"`
		Unknown          raws   `json:",embed"`
	}
	wireResource struct {
		Name             string            `json:"name,omitempty"`
		URI              string            `json:"uri,omitempty"`
		Digest           map[string]string `json:"digest,omitempty"`
		Content          []byte            `json:"content,omitempty"`
		DownloadLocation string            `json:"downloadLocation,omitempty"`
		MediaType        string            `json:"mediaType,omitempty"`
		Annotations      raws              `json:"annotations,omitempty"`
		Unknown          raws              `json:",embed"`
	}
)

// IsZero lets "metadata" be left out when it says nothing.
func (m wireMetadata) IsZero() bool {
	return m.InvocationID == "" && m.InvocationIDCaps == "" && m.StartedOn == "" && m.FinishedOn == "" && len(m.Unknown) == 0
}

// item is a descriptor together with what the typed form has no member for.
type item struct {
	r       assay.Resource
	unknown raws              // members beyond the specification
	digests map[string]string // digests by algorithms that are not known here
	tie     []byte            // made once two items compare equal otherwise
}

func (it item) wire() wireResource {
	w := wireResource{
		Name: it.r.Name, URI: it.r.URI, Content: it.r.Content, DownloadLocation: it.r.DownloadLocation,
		MediaType: it.r.MediaType, Annotations: toRaws(it.r.Annotations), Unknown: it.unknown,
	}
	if len(it.r.Digest)+len(it.digests) > 0 {
		w.Digest = it.r.Digest.Map()
		maps.Copy(w.Digest, it.digests)
	}
	return w
}

// sortItems orders by [assay.Resource.Compare], then by the encoded form, so that
// the order never depends on the order in the document.
func sortItems(items []item) {
	if len(items) < 2 {
		return
	}
	order := make([]*item, len(items))
	for i := range items {
		order[i] = &items[i]
	}
	slices.SortFunc(order, compareItems) // what compares equal is encoded alike
	out := make([]item, len(items))
	for i, it := range order {
		out[i] = *it
	}
	copy(items, out)
}

func compareItems(a, b *item) int {
	if c := a.r.Compare(b.r); c != 0 || a.compared() && b.compared() {
		return c
	}
	return bytes.Compare(a.encoded(), b.encoded())
}

// compared says that [assay.Resource.Compare] leaves nothing out.
func (it *item) compared() bool {
	return len(it.r.Annotations)+len(it.unknown)+len(it.digests) == 0
}

func (it *item) encoded() []byte {
	if it.tie == nil {
		b, err := strictjson.Marshal(it.wire())
		if err != nil { // an annotation that is no JSON; Encode reports it
			b = []byte(it.r.Name)
		}
		it.tie = b
	}
	return it.tie
}

// resources gives the typed list, and puts into ext, below the pointer prefix,
// what the type has no member for. Indices count in the sorted list.
func resources(items []item, prefix string, ext map[string]json.RawMessage) []assay.Resource {
	if len(items) == 0 {
		return nil
	}
	out := make([]assay.Resource, len(items))
	for i := range items {
		out[i] = items[i].r
		items[i].keep(prefix, i, ext)
	}
	return out
}

// keep puts members that are not known into the extensions.
func keep(ext map[string]json.RawMessage, prefix string, unknown raws) {
	for k, v := range unknown {
		if !isEmpty(v) {
			ext[prefix+"/"+escape(k)] = json.RawMessage(v)
		}
	}
}

// isEmpty reports the values that mean "unset" (rule P3).
func isEmpty(v []byte) bool {
	v = bytes.TrimSpace(v)
	switch string(v) {
	case "", "null", `""`:
		return true
	}
	if len(v) >= 2 && (v[0] == '{' || v[0] == '[') {
		return len(bytes.TrimSpace(v[1:len(v)-1])) == 0
	}
	return false
}

func fromRaws(m raws) map[string]json.RawMessage {
	if len(m) == 0 {
		return nil
	}
	out := make(map[string]json.RawMessage, len(m))
	for k, v := range m {
		out[k] = json.RawMessage(v)
	}
	return out
}

func toRaws(m map[string]json.RawMessage) raws {
	if len(m) == 0 {
		return nil
	}
	out := make(raws, len(m))
	for k, v := range m {
		out[k] = jsontext.Value(v)
	}
	return out
}

// parseTime reads an RFC 3339 time strictly, into UTC.
func parseTime(name, field, s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	var t time.Time
	err := t.UnmarshalText([]byte(s))
	t = t.UTC()
	if err == nil && (t.Year() < 0 || t.Year() > 9999) {
		err = strconv.ErrRange
	}
	if err != nil {
		return time.Time{}, &assay.Error{Op: readOp, Kind: assay.ErrInvalid, Subject: name, Field: field, Value: s, Bound: "a time as in RFC 3339", Err: err}
	}
	return t, nil
}

func formatTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}

var (
	escaper   = strings.NewReplacer("~", "~0", "/", "~1")
	unescaper = strings.NewReplacer("~1", "/", "~0", "~")
)

// escape makes a member name a token of a JSON pointer (RFC 6901, section 3).
func escape(s string) string {
	if !strings.ContainsAny(s, "~/") {
		return s
	}
	return escaper.Replace(s)
}

func unescape(s string) string { return unescaper.Replace(s) }
