package posture_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	scai "github.com/in-toto/attestation/go/predicates/scai/v0"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/attest/posture"
	"github.com/assaykit/assay/internal/testimage"
)

var digests = cmp.Comparer(func(a, b assay.Digest) bool { return a == b })

func sample() *assay.Posture {
	sum := assay.SumSHA256([]byte("x"))
	return &assay.Posture{
		Facts: []assay.Fact{
			{Attribute: "POSTURE_A", State: assay.Proven, Stage: assay.Minimal, Reason: "none", Standards: []string{"cis-docker-1.6.0:4.3"}},
			{Attribute: "POSTURE_B", State: assay.Refuted, Stage: assay.Hardened, Reason: "1 file", Found: []assay.Location{{Layer: sum, Path: "bin/sh"}}, FoundTotal: 2},
			{Attribute: "POSTURE_C", Stage: assay.Minimal, Reason: "no configuration"},
		},
		Platform: assay.Platform{OS: "linux", Architecture: "arm64"}, Config: sum, Assessed: time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC),
		Producer: assay.Tool{Name: "tool", Version: "1", Vendor: "somebody"},
	}
}

// The oracle for what a SCAI predicate is: in-toto's own types and validation.
func protoReport(t *testing.T, data []byte) *scai.AttributeReport {
	t.Helper()
	var r scai.AttributeReport
	if err := (protojson.UnmarshalOptions{DiscardUnknown: false}).Unmarshal(data, &r); err != nil {
		t.Fatalf("%s: %v", data, err)
	}
	if err := r.Validate(); err != nil {
		t.Fatalf("%s: %v", data, err)
	}
	return &r
}

func TestEncode(t *testing.T) {
	files, config := good()
	for name, p := range map[string]*assay.Posture{
		"sample": sample(), "nothing": {}, "good": assess(t, scan(t, config, testimage.Layer{Files: files})),
		"odd producer":  {Producer: assay.Tool{Name: "a/b c", Vendor: "v"}},
		"bare producer": {Producer: assay.Tool{Version: "1"}},
	} {
		t.Run(name, func(t *testing.T) {
			data, err := posture.Encode(p)
			if err != nil {
				t.Fatal(err)
			}
			r := protoReport(t, data)
			var claimed []string
			for _, a := range r.GetAttributes() {
				claimed = append(claimed, a.GetAttribute())
			}
			want := []string{"POSTURE_ASSESSED"}
			for _, f := range p.Facts {
				if f.State == assay.Proven {
					want = append(want, string(f.Attribute))
				}
			}
			if diff := cmp.Diff(want, claimed); diff != "" {
				t.Errorf("attributes: %s", diff)
			}
			back, err := posture.Read("file", data)
			if err != nil {
				t.Fatal(err)
			}
			want2 := *p
			if want2.Facts == nil {
				want2.Facts = []assay.Fact{}
			}
			if diff := cmp.Diff(&want2, back, digests); diff != "" {
				t.Errorf("lost (-) or made up (+): %s", diff)
			}
			again, err := posture.Encode(back)
			if err != nil || !bytes.Equal(again, data) {
				t.Errorf("not the same bytes: %v\n%s\n%s", err, data, again)
			}
		})
	}
}

func TestEncodeWrites(t *testing.T) {
	data, err := posture.Encode(sample())
	if err != nil {
		t.Fatal(err)
	}
	r := protoReport(t, data)
	got := r.GetAttributes()[1].GetConditions().AsMap()
	want := map[string]any{
		"scope": "image", "stage": "minimal", "standards": []any{"cis-docker-1.6.0:4.3"}, "assessed": "2026-11-23T00:00:00Z",
		"platform": map[string]any{"os": "linux", "architecture": "arm64"}, "config": assay.SumSHA256([]byte("x")).String(),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if uri := r.GetProducer().GetUri(); uri != "pkg:generic/tool@1" {
		t.Errorf("producer %s", uri)
	}
	if e := r.GetAttributes()[0].GetEvidence(); e.GetMediaType() != posture.MediaTypeReport || len(e.GetContent()) == 0 {
		t.Errorf("evidence %v", e)
	}
}

func TestEncodeRefuses(t *testing.T) {
	fact := func(a assay.Attribute) assay.Fact { return assay.Fact{Attribute: a} }
	for name, p := range map[string]*assay.Posture{
		"nil": nil, "no name": {Facts: []assay.Fact{{}}}, "twice": {Facts: []assay.Fact{fact("A"), fact("A")}}, "order": {Facts: []assay.Fact{fact("B"), fact("A")}},
		"reserved": {Facts: []assay.Fact{fact(posture.Assessed)}}, "total": {Facts: []assay.Fact{{Attribute: "A", Found: make([]assay.Location, 2), FoundTotal: 1}}},
		"proven and refuted": {Facts: []assay.Fact{{Attribute: "A", State: assay.Proven, FoundTotal: 1}}},
		"no such state":      {Facts: []assay.Fact{{Attribute: "A", State: 9}}},
	} {
		if data, err := posture.Encode(p); !errors.Is(err, assay.ErrInvalid) || data != nil {
			t.Errorf("%s: got %s, %v", name, data, err)
		}
	}
}

// A predicate of another producer, who knows nothing of reports.
func TestReadForeign(t *testing.T) {
	p, err := posture.Read("file", []byte(`{"attributes":[
		{"attribute":"WITH_STACK_PROTECTION","target":{"name":"a","digest":{"sha256":"`+strings.Repeat("a", 64)+`"}},"conditions":{"flags":"-fstack"}},
		{"attribute":"Z","conditions":{"stage":"hardened","platform":{"os":"linux"}},"future":1},
		{"attribute":"A","target":{"uri":"https://a"}},{"attribute":"A"},
		{"attribute":"POSTURE_ASSESSED","evidence":{"uri":"https://reports/1"}}],
		"producer":{"uri":"https://producer"},"future":{}}`))
	if err != nil {
		t.Fatal(err)
	}
	want := &assay.Posture{
		Facts: []assay.Fact{
			{Attribute: "A", State: assay.Proven},
			{Attribute: "WITH_STACK_PROTECTION", Reason: "claimed of a part, not of the image"},
			{Attribute: "Z", State: assay.Proven, Stage: assay.Hardened},
		},
		Platform: assay.Platform{OS: "linux"}, Producer: assay.Tool{Name: "https://producer"},
	}
	if diff := cmp.Diff(want, p, digests); diff != "" {
		t.Error(diff)
	}
}

func TestReadRefuses(t *testing.T) {
	good, err := posture.Encode(sample())
	if err != nil {
		t.Fatal(err)
	}
	report := func(json string) string {
		return `{"attributes":[{"attribute":"POSTURE_ASSESSED","evidence":{"mediaType":"` + posture.MediaTypeReport + `","content":"` + base64.StdEncoding.EncodeToString([]byte(json)) +
			`","digest":{"sha256":"` + assay.SumSHA256([]byte(json)).Hex() + `"}}}]}`
	}
	if _, err := posture.Read("f", []byte(report(`{"facts":[]}`))); err != nil {
		t.Fatal(err)
	}
	edit := func(old, new string) string {
		out := strings.Replace(string(good), old, new, 1)
		if out == string(good) {
			t.Fatalf("no %q in %s", old, good)
		}
		return out
	}
	for name, tt := range map[string]struct {
		in, says string
		kind     error
	}{
		"no JSON":              {`{`, "f.json", assay.ErrInvalid},
		"duplicate member":     {`{"attributes":[],"attributes":[]}`, "/attributes", assay.ErrInvalid},
		"no attributes":        {`{"attributes":[]}`, "at least one attribute", assay.ErrInvalid},
		"empty":                {`{}`, "at least one attribute", assay.ErrInvalid},
		"no name":              {`{"attributes":[{"attribute":""}]}`, "/attributes/0/attribute", assay.ErrInvalid},
		"target without id":    {`{"attributes":[{"attribute":"A","target":{"name":"a"}}]}`, "/attributes/0/target", assay.ErrInvalid},
		"evidence without id":  {`{"attributes":[{"attribute":"A","evidence":{"name":"a"}}]}`, "/attributes/0/evidence", assay.ErrInvalid},
		"too many":             {`{"attributes":[` + strings.Repeat(`{"attribute":"A"},`, 1024) + `{"attribute":"A"}]}`, "at most 1024", assay.ErrBound},
		"claim not in report":  {edit(`{"attribute":"POSTURE_A"`, `{"attribute":"POSTURE_0"},{"attribute":"POSTURE_A"`), "POSTURE_0", assay.ErrInvalid},
		"refuted and claimed":  {edit(`{"attribute":"POSTURE_A"`, `{"attribute":"POSTURE_B"},{"attribute":"POSTURE_A"`), "POSTURE_B", assay.ErrInvalid},
		"proven and unclaimed": {edit(`"POSTURE_A","cond`, `"POSTURE_C","cond`), "POSTURE_A", assay.ErrInvalid},
		"report changed":       {edit(`"sha256":"`, `"sha256":"00`), "sha256", assay.ErrInvalid},
		"digest of another":    {strings.Replace(report(`{}`), assay.SumSHA256([]byte(`{}`)).Hex(), strings.Repeat("0", 64), 1), "/evidence/digest", assay.ErrInvalid},
		"two reports":          {strings.Replace(report(`{}`), `[`, `[`+strings.TrimSuffix(strings.TrimPrefix(report(`{}`), `{"attributes":[`), `]}`)+`,`, 1), "one report", assay.ErrInvalid},
		"report is no JSON":    {report(`{`), "report", assay.ErrInvalid},
		"report not in order":  {report(`{"facts":[{"attribute":"B","state":"unknown","stage":"none"},{"attribute":"A","state":"unknown","stage":"none"}]}`), "in order", assay.ErrInvalid},
		"report, odd state":    {report(`{"facts":[{"attribute":"B","state":"maybe","stage":"none"}]}`), "maybe", assay.ErrInvalid},
	} {
		p, err := posture.Read("f.json", []byte(tt.in))
		if !errors.Is(err, tt.kind) || p != nil || !strings.Contains(err.Error(), tt.says) || !strings.Contains(err.Error(), "f.json") {
			t.Errorf("%s: got %v, %v, want one that says %q", name, p, err, tt.says)
		}
	}
}

func TestCompare(t *testing.T) {
	claimed := func(change func(*assay.Posture)) *assay.Posture {
		p := sample()
		for i := range p.Facts {
			p.Facts[i] = assay.Fact{Attribute: p.Facts[i].Attribute, State: assay.Proven}
		}
		if change != nil {
			change(p)
		}
		return p
	}
	for name, tt := range map[string]struct {
		claimed, actual *assay.Posture
		want            []string
	}{
		"same":      {sample(), sample(), nil},
		"says less": {&assay.Posture{}, sample(), nil},
		"false":     {claimed(nil), sample(), []string{"POSTURE_B refuted: 1 file, the first is bin/sh", "POSTURE_C unknown: no configuration"}},
		"no rule":   {&assay.Posture{Facts: []assay.Fact{{Attribute: "X", State: assay.Proven}}}, sample(), []string{"X unknown: nothing here answers for this attribute"}},
		"no actual": {sample(), nil, []string{"POSTURE_A unknown: nothing here answers for this attribute"}},
		"no claim":  {nil, sample(), nil},
		"config": {claimed(func(p *assay.Posture) { p.Facts = nil; p.Config = assay.SumSHA256([]byte("y")) }), sample(),
			[]string{"posture refuted: claimed of the configuration " + assay.SumSHA256([]byte("y")).String() + ", this is " + assay.SumSHA256([]byte("x")).String()}},
		"platform": {claimed(func(p *assay.Posture) { p.Facts = nil; p.Platform.Architecture = "amd64" }), sample(),
			[]string{"posture refuted: claimed of the platform linux/amd64, this is linux/arm64"}},
	} {
		var got []string
		for _, d := range posture.Compare(tt.claimed, tt.actual) {
			got = append(got, d.String())
			if d.State == assay.Proven {
				t.Errorf("%s: a difference that is proven: %v", name, d)
			}
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	hostile := posture.Difference{Attribute: "A", Found: []assay.Location{{Path: "a\nb"}}}
	if s := hostile.String(); strings.Contains(s, "\n") {
		t.Errorf("a file name breaks the line: %s", s)
	}
}

// A signed claim that is not true of the bytes, end to end but for the signature.
func TestFalseClaim(t *testing.T) {
	files, config := good()
	honest, err := posture.Encode(assess(t, scan(t, config, testimage.Layer{Files: files})))
	if err != nil {
		t.Fatal(err)
	}
	claimed, err := posture.Read("claim", honest)
	if err != nil {
		t.Fatal(err)
	}
	actual := assess(t, scan(t, config, testimage.Layer{Files: append(files, file{Name: "bin/sh", Mode: 0o755})}))
	differences := posture.Compare(claimed, actual)
	// The configuration differs too: it lists the diffIDs of the layers.
	if len(differences) != 2 || differences[1].Attribute != posture.NoShell || differences[1].State != assay.Refuted || differences[1].FoundTotal != 1 {
		t.Errorf("got %v", differences)
	}
}

// FuzzRead: what is read is sound, is written again, and reads back the same.
func FuzzRead(f *testing.F) {
	data, err := posture.Encode(sample())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte(`{"attributes":[{"attribute":"A","conditions":{"stage":"minimal"}}],"producer":{"uri":"x","annotations":{"version":"\u0000"}}}`))
	f.Add([]byte(`{"attributes":[{"attribute":"A","target":{"uri":"x"}},{"attribute":"A"}]}`))
	f.Add([]byte(`{"attributes":[{"attribute":"POSTURE_ASSESSED"}]}`))
	f.Fuzz(func(t *testing.T, in []byte) {
		p, err := posture.Read("fuzz", in)
		if err != nil {
			var e *assay.Error
			if !errors.As(err, &e) || p != nil {
				t.Fatalf("got %v, %v", p, err)
			}
			return
		}
		out, err := posture.Encode(p)
		if err != nil {
			var clock bool // a time that RFC 3339 cannot write
			_, jerr := json.Marshal(p)
			if clock = jerr != nil; !clock {
				t.Fatalf("read, and not written: %v", err)
			}
			return
		}
		again, err := posture.Read("again", out)
		if err != nil {
			t.Fatalf("%s: %v", out, err)
		}
		twice, err := posture.Encode(again)
		if err != nil || !bytes.Equal(out, twice) {
			t.Fatalf("not stable:\n%s\n%s", out, twice)
		}
	})
}
