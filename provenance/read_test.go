package provenance_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"
	provpb "github.com/in-toto/attestation/go/predicates/provenance/v1"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/provenance"
)

const commit = "1234567890123456789012345678901234567890"

// full has every member of the specification, extensions at every level, and lists
// out of order.
const full = `{
  "vendor_top": [1, 2],
  "buildDefinition": {
    "buildType": "https://example.com/build/v1",
    "externalParameters": {"target": {"b": 1, "a": "x"}, "n": null},
    "internalParameters": {"seed": 7},
    "resolvedDependencies": [
      {"uri": "pkg:golang/example.com/z@v1.0.0", "digest": {"dirHash1": "aa00000000000000000000000000000000000000000000000000000000000000"}},
      {},
      {"uri": "git+https://example.com/repo@refs/heads/main", "digest": {"gitCommit": "` + commit + `", "newHash": "00FF"}, "vendor_x": true},
      {"name": "inline", "content": "aGVsbG8=", "mediaType": "text/plain", "downloadLocation": "https://example.com/i", "annotations": {"k": [1]}}
    ],
    "vendor_def": {"x": 1}
  },
  "runDetails": {
    "builder": {"id": "https://example.com/builder", "version": {"runner": "2"}, "builderDependencies": [{"uri": "https://example.com/tool"}], "vendor_b": "y"},
    "metadata": {"invocationId": "https://example.com/run/1", "startedOn": "2026-11-23T10:00:00+01:00", "finishedOn": "2026-11-23T09:00:01.5Z", "vendor_m/x~y": 0},
    "byproducts": [{}],
    "vendor_run": "z"
  }
}`

func TestReadFull(t *testing.T) {
	got, err := provenance.Read("full.json", assay.PredicateSLSA1, []byte(full))
	if err != nil {
		t.Fatal(err)
	}
	want := &assay.Provenance{
		BuildType: "https://example.com/build/v1",
		ExternalParameters: map[string]json.RawMessage{
			"target": json.RawMessage(`{"b": 1, "a": "x"}`), "n": json.RawMessage(`null`),
		},
		InternalParameters: map[string]json.RawMessage{"seed": json.RawMessage(`7`)},
		Materials: []assay.Resource{
			{Name: "inline", Content: []byte("hello"), MediaType: "text/plain", DownloadLocation: "https://example.com/i", Annotations: map[string]json.RawMessage{"k": json.RawMessage(`[1]`)}},
			{URI: "git+https://example.com/repo@refs/heads/main", Digest: assay.DigestSet{assay.MustDigest("gitCommit:" + commit)}},
			{URI: "pkg:golang/example.com/z@v1.0.0", Digest: assay.DigestSet{assay.MustDigest("dirHash:aa" + strings.Repeat("0", 62))}},
		},
		Builder:      assay.Builder{ID: "https://example.com/builder", Version: map[string]string{"runner": "2"}, Dependencies: []assay.Resource{{URI: "https://example.com/tool"}}},
		InvocationID: "https://example.com/run/1",
		StartedOn:    time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC),
		FinishedOn:   time.Date(2026, 11, 23, 9, 0, 1, 5e8, time.UTC),
		Extensions: map[string]json.RawMessage{
			"/vendor_top":                 json.RawMessage(`[1, 2]`),
			"/buildDefinition/vendor_def": json.RawMessage(`{"x": 1}`),
			"/buildDefinition/resolvedDependencies/1/vendor_x":       json.RawMessage(`true`),
			"/buildDefinition/resolvedDependencies/1/digest/newHash": json.RawMessage(`"00FF"`),
			"/runDetails/vendor_run":                                 json.RawMessage(`"z"`),
			"/runDetails/builder/vendor_b":                           json.RawMessage(`"y"`),
			"/runDetails/metadata/vendor_m~1x~0y":                    json.RawMessage(`0`),
		},
		Format: assay.PredicateSLSA1,
	}
	if d := diff(want, got); d != "" {
		t.Error(d)
	}
	encoded, err := provenance.Encode(got)
	if err != nil {
		t.Fatal(err)
	}
	again, err := provenance.Read("again.json", assay.PredicateSLSA1, encoded)
	if err != nil {
		t.Fatal(err)
	}
	if d := diff(got, again); d != "" {
		t.Errorf("round trip: %s", d)
	}
}

// diff compares raw JSON without regard to insignificant space.
func diff(want, got any) string {
	return cmp.Diff(want, got, cmp.Comparer(func(a, b assay.Digest) bool { return a == b }), cmp.Comparer(func(a, b json.RawMessage) bool {
		// cmp also hands []byte to this, such as Content.
		x, y := jsontext.Value(bytes.Clone(a)), jsontext.Value(bytes.Clone(b))
		return bytes.Equal(a, b) || x.Format() == nil && y.Format() == nil && bytes.Equal(x, y)
	}))
}

// minimal is the least that v1 asks, with places for mutations.
func minimal(mutations ...string) string {
	return strings.NewReplacer(mutations...).Replace(`{"buildDefinition":{"buildType":"https://example.com/b","externalParameters":{"p":1},"resolvedDependencies":[{"uri":"https://example.com/d"}]},"runDetails":{"builder":{"id":"https://example.com/id"}}}`)
}

func TestReadRefused(t *testing.T) {
	if _, err := provenance.Read("m", assay.PredicateSLSA1, []byte(minimal())); err != nil {
		t.Fatalf("the unmutated document: %v", err)
	}
	for name, tt := range map[string]struct {
		in   string
		t    assay.PredicateType
		kind error
		says []string
	}{
		"minor version":      {minimal(), "https://slsa.dev/provenance/v1.1", assay.ErrUnchecked, []string{"SLSA P1", "v1.1"}},
		"release candidate":  {minimal(), "https://slsa.dev/provenance/v1-rc1", assay.ErrUnchecked, []string{"SLSA P1"}},
		"no JSON":            {"nope", "", assay.ErrInvalid, nil},
		"array":              {"[]", "", assay.ErrInvalid, nil},
		"null":               {"null", "", assay.ErrInvalid, []string{"SLSA P2"}},
		"repeated member":    {minimal(`"buildType"`, `"buildType":"https://example.com/other","buildType"`), "", assay.ErrInvalid, []string{"/buildDefinition/buildType", "each member name once"}},
		"trailing data":      {minimal() + "{}", "", assay.ErrInvalid, []string{"nothing after"}},
		"no build type":      {minimal(`"https://example.com/b"`, `""`), "", assay.ErrInvalid, []string{"/buildDefinition/buildType", "SLSA P2"}},
		"other case":         {minimal(`"buildType"`, `"BuildType"`), "", assay.ErrInvalid, []string{"/buildDefinition/buildType", "SLSA P2"}},
		"build type no URI":  {minimal(`"https://example.com/b"`, `"make"`), "", assay.ErrInvalid, []string{`"make"`, "SLSA P2"}},
		"no parameters":      {minimal(`{"p":1}`, `{}`), "", assay.ErrInvalid, []string{"externalParameters", "SLSA P2"}},
		"null parameters":    {minimal(`{"p":1}`, `null`), "", assay.ErrInvalid, []string{"externalParameters", "SLSA P2"}},
		"no builder id":      {minimal(`"https://example.com/id"`, `""`), "", assay.ErrInvalid, []string{"/runDetails/builder/id", "SLSA P2"}},
		"unknown parameter":  {minimal("https://example.com/b", provenance.BuildTypeGitHub), "", assay.ErrInvalid, []string{"/buildDefinition/externalParameters/p", "SLSA P4"}},
		"parameter twice":    {minimal(`{"p":1},`, `{"p":1},"internalParameters":{"p":2},`), "", assay.ErrInvalid, []string{"internalParameters/p", "SLSA P5"}},
		"name only":          {minimal(`"uri"`, `"name"`), "", assay.ErrInvalid, []string{"resolvedDependencies/0", "in-toto S5"}},
		"uppercase digest":   {minimal(`"uri"`, `"digest":{"sha1":"ABCDEF7890123456789012345678901234567890"},"uri"`), "", assay.ErrInvalid, []string{"resolvedDependencies/0/digest/sha1", "ABCDEF", "in-toto S4"}},
		"sha1 under sha256":  {minimal(`"uri"`, `"digest":{"sha256":"`+commit+`"},"uri"`), "", assay.ErrInvalid, []string{"digest/sha256", commit, "in-toto S4"}},
		"only unknown hash":  {minimal(`"uri":"https://example.com/d"`, `"digest":{"newHash":"00"}`), "", assay.ErrUnchecked, []string{"newHash", "in-toto S4"}},
		"two dirHashes":      {minimal(`"uri"`, `"digest":{"dirHash":"`+strings.Repeat("a", 64)+`","dirHash1":"`+strings.Repeat("b", 64)+`"},"uri"`), "", assay.ErrInvalid, []string{"in-toto S8"}},
		"time without zone":  {minimal(`"builder"`, `"metadata":{"startedOn":"2026-11-23T09:00:00"},"builder"`), "", assay.ErrInvalid, []string{"/runDetails/metadata/startedOn", "2026-11-23T09:00:00", "RFC 3339"}},
		"year beyond UTC":    {minimal(`"builder"`, `"metadata":{"startedOn":"9999-12-31T23:59:59-01:00"},"builder"`), "", assay.ErrInvalid, []string{"/runDetails/metadata/startedOn"}},
		"ends before start":  {minimal(`"builder"`, `"metadata":{"startedOn":"2026-11-23T09:00:00Z","finishedOn":"2026-11-23T08:59:59Z"},"builder"`), "", assay.ErrInvalid, []string{"finishedOn", "SLSA P10"}},
		"source not in deps": {minimal("https://example.com/b", "https://slsa.dev/container-based-build/v0.1?draft", `"p":1`, `"source":{"uri":"git+https://example.com/r","digest":{"sha1":"`+commit+`"}}`), "", assay.ErrInvalid, []string{"resolvedDependencies", commit, "SLSA P6"}},
		"wrong workflow":     {minimal("https://example.com/b", provenance.BuildTypeGitHub, `"p":1`, `"workflow":[]`), "", assay.ErrInvalid, []string{"externalParameters/workflow"}},
		"v0.2 no builder":    {`{"buildType":"https://example.com/b","builder":{}}`, assay.PredicateSLSA02, assay.ErrInvalid, []string{"SLSA P2"}},
		"v0.2 collision":     {`{"buildType":"https://example.com/b","builder":{"id":"https://example.com/i"},"invocation":{"configSource":{"uri":"git+https://example.com/r"},"parameters":{"source":1}}}`, assay.PredicateSLSA02, assay.ErrUnchecked, []string{"/invocation/parameters/source", "SLSA P9"}},
		"v0.2 two run ids":   {`{"buildType":"https://example.com/b","builder":{"id":"https://example.com/i"},"metadata":{"buildInvocationID":"1","buildInvocationId":"2"}}`, assay.PredicateSLSA02, assay.ErrInvalid, []string{"buildInvocationID"}},
		"v0.1 index":         {`{"builder":{"id":"https://example.com/i"},"recipe":{"type":"https://example.com/b","definedInMaterial":1},"materials":[{"uri":"a:b"}]}`, assay.PredicateSLSA01, assay.ErrInvalid, []string{"/recipe/definedInMaterial", "1 materials"}},
	} {
		t.Run(name, func(t *testing.T) {
			if tt.t == "" {
				tt.t = assay.PredicateSLSA1
			}
			p, err := provenance.Read("f.json", tt.t, []byte(tt.in))
			if p != nil || !errors.Is(err, tt.kind) {
				t.Fatalf("got %v, %v; want %v", p, err, tt.kind)
			}
			if _, ok := errors.AsType[*assay.Error](err); !ok {
				t.Errorf("untyped: %v", err)
			}
			for _, s := range append(tt.says, "f.json") {
				if !strings.Contains(err.Error(), s) {
					t.Errorf("%q does not say %q", err, s)
				}
			}
		})
	}
}

func TestEmptyIsAbsent(t *testing.T) {
	want, err := provenance.Read("a", assay.PredicateSLSA1, []byte(minimal()))
	if err != nil {
		t.Fatal(err)
	}
	got, err := provenance.Read("b", assay.PredicateSLSA1, []byte(minimal(
		`"resolvedDependencies"`, `"internalParameters":{},"vendor_x":null,"resolvedDependencies"`,
		`{"uri":"https://example.com/d"}`, `null,{"uri":"https://example.com/d","name":"","digest":{"sha256":""},"content":"","annotations":{}}`,
		`"builder":{`, `"metadata":{"startedOn":null,"invocationId":""},"byproducts":[{},{"digest":{}}],"builder":{"version":{},"builderDependencies":[],`)))
	if err != nil {
		t.Fatal(err)
	}
	if d := diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestOrderDoesNotMatter(t *testing.T) {
	a := `{"uri":"https://example.com/d","annotations":{"k":1}}`
	b := `{"uri":"https://example.com/d","annotations":{"k":2}}`
	c := `{"uri":"https://example.com/d","digest":{"sha256":"` + strings.Repeat("0", 64) + `"},"vendor_x":1}`
	var first []byte
	for _, order := range [][]string{{a, b, c}, {c, b, a}, {b, c, a}} {
		p, err := provenance.Read("m", assay.PredicateSLSA1, []byte(minimal(`{"uri":"https://example.com/d"}`, strings.Join(order, ","))))
		if err != nil {
			t.Fatal(err)
		}
		got, err := provenance.Encode(p)
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = got
		}
		if !bytes.Equal(got, first) {
			t.Errorf("order %v gives\n%s, want\n%s", order, got, first)
		}
	}
}

func TestReadOldVersions(t *testing.T) {
	source := assay.Source{Repository: "https://github.com/o/r", Commit: assay.MustDigest("gitCommit:" + commit), Ref: "refs/tags/v1@2"}
	material := assay.Resource{URI: "git+https://github.com/o/r@refs/tags/v1@2", Digest: assay.DigestSet{assay.MustDigest("sha1:" + commit)}}
	for name, tt := range map[string]struct {
		t    assay.PredicateType
		in   string
		want *assay.Provenance
	}{
		"v0.2": {assay.PredicateSLSA02, `{"buildType":"tekton.dev/v1/TaskRun","builder":{"id":"https://example.com/i"},
			"invocation":{"configSource":{"uri":"git+https://github.com/o/r@refs/tags/v1@2","digest":{"sha1":"` + commit + `"},"entryPoint":"build.yml"},"parameters":{"p":1},"environment":{"e":2}},
			"buildConfig":{"steps":[1]},"metadata":{"buildInvocationID":"7","buildStartedOn":"2026-01-01T00:00:00Z","completeness":{"materials":true},"reproducible":false},
			"materials":[{"uri":"https://example.com/tool","x_y":1},{"uri":"git+https://github.com/o/r@refs/tags/v1@2","digest":{"sha1":"` + commit + `"}}]}`,
			&assay.Provenance{
				BuildType:          "tekton.dev/v1/TaskRun",
				ExternalParameters: map[string]json.RawMessage{"p": json.RawMessage("1"), "source": json.RawMessage(`"git+https://github.com/o/r@refs/tags/v1@2"`), "entryPoint": json.RawMessage(`"build.yml"`)},
				InternalParameters: map[string]json.RawMessage{"e": json.RawMessage("2")},
				Materials:          []assay.Resource{material, {URI: "https://example.com/tool"}},
				Builder:            assay.Builder{ID: "https://example.com/i"}, InvocationID: "7",
				StartedOn: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), Source: source, Format: assay.PredicateSLSA02,
				Extensions: map[string]json.RawMessage{
					"/buildConfig": json.RawMessage(`{"steps":[1]}`), "/metadata/completeness": json.RawMessage(`{"materials":true}`),
					"/metadata/reproducible": json.RawMessage(`false`), "/materials/1/x_y": json.RawMessage("1"),
				},
			}},
		"v0.1": {assay.PredicateSLSA01, `{"builder":{"id":"https://example.com/i"},"recipe":{"type":"https://example.com/b","definedInMaterial":1,"entryPoint":"make","arguments":["all"]},
			"metadata":{"buildInvocationId":"7"},"materials":[{"uri":"https://example.com/tool"},{"uri":"git+https://github.com/o/r@refs/tags/v1@2","digest":{"sha1":"` + commit + `"}}]}`,
			&assay.Provenance{
				BuildType:          "https://example.com/b",
				ExternalParameters: map[string]json.RawMessage{"arguments": json.RawMessage(`["all"]`), "source": json.RawMessage(`"git+https://github.com/o/r@refs/tags/v1@2"`), "entryPoint": json.RawMessage(`"make"`)},
				Materials:          []assay.Resource{material, {URI: "https://example.com/tool"}},
				Builder:            assay.Builder{ID: "https://example.com/i"}, InvocationID: "7", Source: source, Format: assay.PredicateSLSA01,
				Extensions: map[string]json.RawMessage{"/recipe/definedInMaterial": json.RawMessage("1")},
			}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := provenance.Read("f", tt.t, []byte(tt.in))
			if err != nil {
				t.Fatal(err)
			}
			if d := diff(tt.want, got); d != "" {
				t.Error(d)
			}
			// P9: another version needs another build type.
			if _, err := provenance.Encode(got); !errors.Is(err, assay.ErrInvalid) || !strings.Contains(err.Error(), "SLSA P9") {
				t.Errorf("encoding gives %v", err)
			}
		})
	}
}

// What in-toto's own types make of our JSON is an oracle that we did not write.
func TestEncodeAgreesWithInToto(t *testing.T) {
	p, err := provenance.Read("full.json", assay.PredicateSLSA1, []byte(full))
	if err != nil {
		t.Fatal(err)
	}
	b, err := provenance.Encode(p)
	if err != nil {
		t.Fatal(err)
	}
	agree(t, p, b)
}

func agree(t *testing.T, p *assay.Provenance, b []byte) {
	t.Helper()
	var pb provpb.Provenance
	if err := (protojson.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(b, &pb); err != nil {
		t.Fatalf("in-toto's types refuse it: %v", err)
	}
	def, run := pb.GetBuildDefinition(), pb.GetRunDetails()
	var uris []string
	digests := map[string]string{}
	for _, d := range def.GetResolvedDependencies() {
		if d.GetUri() == "" && len(d.GetDigest()) == 0 && len(d.GetContent()) == 0 {
			continue
		}
		uris = append(uris, d.GetUri())
		maps.Copy(digests, d.GetDigest())
	}
	slices.Sort(uris)
	var ours []string
	for _, r := range p.Materials {
		ours = append(ours, r.URI)
		for _, d := range r.Digest {
			if got := digests[string(d.Algorithm())]; got != d.Hex() && len(p.Materials) == 1 {
				t.Errorf("digest %s: in-toto reads %q", d, got)
			}
		}
	}
	slices.Sort(ours)
	for _, x := range []struct{ what, got, want string }{
		{"buildType", p.BuildType, def.GetBuildType()},
		{"builder.id", p.Builder.ID, run.GetBuilder().GetId()},
		{"invocationId", p.InvocationID, run.GetMetadata().GetInvocationId()},
		{"materials", strings.Join(ours, " "), strings.Join(uris, " ")},
		{"external", strings.Join(slices.Sorted(maps.Keys(p.ExternalParameters)), " "), strings.Join(slices.Sorted(maps.Keys(def.GetExternalParameters().AsMap())), " ")},
		{"internal", strings.Join(slices.Sorted(maps.Keys(p.InternalParameters)), " "), strings.Join(slices.Sorted(maps.Keys(def.GetInternalParameters().AsMap())), " ")},
	} {
		if x.got != x.want {
			t.Errorf("%s: %q, in-toto reads %q", x.what, x.got, x.want)
		}
	}
	if s := run.GetMetadata().GetStartedOn(); s != nil && !s.AsTime().Equal(p.StartedOn) || s == nil && !p.StartedOn.IsZero() {
		t.Errorf("startedOn: %v, in-toto reads %v", p.StartedOn, s)
	}
}

func TestEncodeRefused(t *testing.T) {
	base := func() *assay.Provenance {
		return &assay.Provenance{
			BuildType: "https://example.com/b", ExternalParameters: map[string]json.RawMessage{"p": json.RawMessage("1")},
			Builder: assay.Builder{ID: "https://example.com/i"}, Materials: []assay.Resource{{URI: "https://example.com/m"}},
		}
	}
	if _, err := provenance.Encode(base()); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		mutate func(*assay.Provenance)
		says   string
	}{
		"no builder":       {func(p *assay.Provenance) { p.Builder.ID = "" }, "SLSA P2"},
		"source elsewhere": {func(p *assay.Provenance) { p.Source.Commit = assay.MustDigest("gitCommit:" + commit) }, "SLSA P6"},
		"unnamed vendor":   {func(p *assay.Provenance) { p.Extensions = ext("/runDetails/reproducible", "true") }, "SLSA P8"},
		"defined member": {func(p *assay.Provenance) {
			p.Format = assay.PredicateSLSA1
			p.Extensions = ext("/buildDefinition/buildType", `"x"`)
		}, "SLSA P8"},
		"known digest": {func(p *assay.Provenance) {
			p.Extensions = ext("/buildDefinition/resolvedDependencies/0/digest/sha256", `"x"`)
		}, "SLSA P8"},
		"nowhere":            {func(p *assay.Provenance) { p.Extensions = ext("/elsewhere/a_b", "1") }, "/elsewhere/a_b"},
		"index out of range": {func(p *assay.Provenance) { p.Extensions = ext("/runDetails/byproducts/0/a_b", "1") }, "/byproducts/0"},
		"no pointer":         {func(p *assay.Provenance) { p.Extensions = ext("a_b", "1") }, "JSON pointer"},
		"extension no JSON":  {func(p *assay.Provenance) { p.Extensions = ext("/a_b", "{") }, "JSON"},
		"extension twice":    {func(p *assay.Provenance) { p.Extensions = ext("/a_b", `{"a":1,"a":2}`) }, "JSON"},
		"no parameter value": {func(p *assay.Provenance) { p.ExternalParameters["p"] = nil }, "externalParameters/p"},
		"name only":          {func(p *assay.Provenance) { p.Byproducts = []assay.Resource{{Name: "x"}} }, "in-toto S5"},
		"ends before start": {func(p *assay.Provenance) {
			p.FinishedOn, p.StartedOn = time.Unix(1, 0), time.Unix(2, 0)
		}, "SLSA P10"},
		"year 10000": {func(p *assay.Provenance) { p.StartedOn = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) }, "startedOn"},
	} {
		t.Run(name, func(t *testing.T) {
			p := base()
			tt.mutate(p)
			b, err := provenance.Encode(p)
			if b != nil || !errors.Is(err, assay.ErrInvalid) || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("got %s, %v; want %q", b, err, tt.says)
			}
		})
	}
	if _, err := provenance.Encode(nil); !errors.Is(err, assay.ErrInvalid) {
		t.Errorf("nil gives %v", err)
	}
}

func ext(at, v string) map[string]json.RawMessage {
	return map[string]json.RawMessage{at: json.RawMessage(v)}
}

func FuzzRead(f *testing.F) {
	for _, s := range []string{full, minimal(), minimal("https://example.com/b", provenance.BuildTypeGitHub, `"p":1`, `"workflow":{"repository":"https://example.com/d"}`)} {
		f.Add(uint8(0), []byte(s))
	}
	f.Add(uint8(1), []byte(`{"buildType":"b:c","builder":{"id":"i:d"},"invocation":{"configSource":{"uri":"git+https://h/r@refs/x","digest":{"sha1":"`+commit+`"}},"parameters":{"p":1}},"materials":[{"uri":"u:v"}]}`))
	f.Add(uint8(2), []byte(`{"builder":{"id":"i:d"},"recipe":{"type":"b:c","definedInMaterial":"0","arguments":[1]},"materials":[{"uri":"u:v","digest":{"sha256":"","x":"y"}}]}`))
	f.Fuzz(func(t *testing.T, version uint8, in []byte) {
		pt := []assay.PredicateType{assay.PredicateSLSA1, assay.PredicateSLSA02, assay.PredicateSLSA01}[version%3]
		p, err := provenance.Read("fuzz", pt, in)
		if err != nil {
			if _, ok := errors.AsType[*assay.Error](err); !ok || p != nil {
				t.Fatalf("got %v with untyped error %v", p, err)
			}
			return
		}
		b, err := provenance.Encode(p)
		if pt != assay.PredicateSLSA1 {
			if err == nil {
				t.Fatal("an old version was written as v1")
			}
			return
		}
		if err != nil {
			t.Fatalf("read, but not encoded: %v", err)
		}
		again, err := provenance.Read("again", pt, b)
		if err != nil {
			t.Fatalf("encoded as %s, which is refused: %v", b, err)
		}
		if d := diff(p, again); d != "" {
			t.Fatalf("round trip: %s", d)
		}
		if b2, err := provenance.Encode(again); err != nil || !bytes.Equal(b, b2) {
			t.Fatalf("encodes as\n%s, then as\n%s, %v", b, b2, err)
		}
	})
}
