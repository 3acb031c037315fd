package sbom_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/sbom"
)

func formatName(f sbom.Format) string {
	return map[sbom.Format]string{
		sbom.CycloneDXJSON: "cyclonedx-json/1.6",
		sbom.CycloneDXXML:  "cyclonedx-xml/1.6",
		sbom.SPDXJSON:      "spdx-json/2.3",
		sbom.SPDXTagValue:  "spdx-tag-value/2.3",
		sbom.SPDX3JSON:     "spdx3-json/3.0.1",
		oldSPDXJSON:        "spdx-json/2.2",
		oldTagValue:        "spdx-tag-value/2.2",
	}[f]
}

func TestRoundTrip(t *testing.T) {
	for _, f := range formats {
		for seed := range uint64(200) {
			want := rich(t, seed, 12)
			data := encode(t, want, f)
			got, lost, err := sbom.ReadReport("doc.json", data)
			if err != nil {
				t.Fatalf("%s seed %d: %v\n%s", f, seed, err, data)
			}
			if f == sbom.CycloneDXJSON || want.Root.Name != "" {
				for _, l := range lost {
					t.Errorf("%s seed %d: lost on reading what was written: %v", f, seed, l)
				}
			}
			want.Format = formatName(f)
			if d := cmp.Diff(want, got, equal); d != "" {
				t.Fatalf("%s seed %d (-wrote +read):\n%s\n%s", f, seed, d, data)
			}
		}
	}
}

// From every format to every other: the evidence stays the same.
func TestAcrossFormats(t *testing.T) {
	for seed := range uint64(30) {
		want := rich(t, seed, 8)
		for _, from := range formats {
			first, err := sbom.Read("a", encode(t, want, from))
			if err != nil {
				t.Fatal(err)
			}
			for _, to := range formats {
				second, err := sbom.Read("b", encode(t, first, to))
				if err != nil {
					t.Fatal(err)
				}
				want.Format = formatName(to)
				if d := cmp.Diff(want, second, equal); d != "" {
					t.Fatalf("seed %d, %s to %s:\n%s", seed, from, to, d)
				}
			}
		}
	}
}

func TestDeterministic(t *testing.T) {
	for _, f := range formats {
		doc := rich(t, 3, 20)
		doc.Serial = ""
		want := encode(t, doc, f)
		for i := range uint64(20) {
			shuffled := shuffle(doc, i)
			before := cmp.Diff(nil, shuffled, equal)
			if got := encode(t, shuffled, f); !bytes.Equal(got, want) {
				t.Fatalf("%s: other bytes in another order", f)
			}
			if after := cmp.Diff(nil, shuffled, equal); after != before {
				t.Errorf("%s: Encode changed its input", f)
			}
		}
	}
}

func shuffle(doc *assay.SBOM, seed uint64) *assay.SBOM {
	r := rand.New(rand.NewPCG(seed, 2))
	out := *doc
	out.Components = slices.Clone(doc.Components)
	for i := range out.Components {
		c := &out.Components[i]
		c.Licenses, c.Locations, c.CPEs, c.Hashes = slices.Clone(c.Licenses), slices.Clone(c.Locations), slices.Clone(c.CPEs), slices.Clone(c.Hashes)
		mix(r, c.Licenses)
		mix(r, c.Locations)
		mix(r, c.CPEs)
		mix(r, c.Hashes)
	}
	mix(r, out.Components)
	out.Relations = append(slices.Clone(doc.Relations), doc.Relations...)
	mix(r, out.Relations)
	out.Completeness = slices.Clone(doc.Completeness)
	mix(r, out.Completeness)
	return &out
}

func mix[T any](r *rand.Rand, s []T) { r.Shuffle(len(s), func(i, j int) { s[i], s[j] = s[j], s[i] }) }

func TestSchema(t *testing.T) {
	t.Run("CycloneDX", func(t *testing.T) {
		s := cyclonedxSchema(t, "1.6")
		for seed := range uint64(100) {
			data := encode(t, rich(t, seed, 10), sbom.CycloneDXJSON)
			if err := validate(s, data); err != nil {
				t.Fatalf("seed %d: %v\n%s", seed, err, data)
			}
		}
	})
	for version, f := range map[string]sbom.Format{"2.2.1": oldSPDXJSON, "2.2.2": oldSPDXJSON, "2.3": sbom.SPDXJSON, "2.3.1": sbom.SPDXJSON, "3.0.1": sbom.SPDX3JSON} {
		t.Run("SPDX "+version, func(t *testing.T) {
			s := spdxSchema(t, version)
			for seed := range uint64(30) {
				data := encode(t, rich(t, seed, 10), f)
				if err := validate(s, data); err != nil {
					t.Fatalf("seed %d: %v\n%s", seed, err, data)
				}
			}
		})
	}
}

func TestDerivedSerial(t *testing.T) {
	doc := small(t)
	doc.Serial = ""
	serial := func(doc *assay.SBOM, f sbom.Format) string {
		t.Helper()
		out, err := sbom.Read("doc", encode(t, doc, f))
		if err != nil {
			t.Fatal(err)
		}
		return out.Serial
	}
	want := serial(doc, sbom.CycloneDXJSON)
	if want[:len("urn:uuid:")+15][len("urn:uuid:")+14:] != "5" {
		t.Errorf("%s is not a UUID of version 5", want)
	}
	if got := serial(doc, sbom.SPDXJSON); got != want {
		t.Errorf("the same contents have %s in SPDX and %s in CycloneDX", got, want)
	}
	later := *doc
	later.Created = doc.Created.Add(time.Hour)
	if got := serial(&later, sbom.SPDXJSON); got != want {
		t.Errorf("the serial depends on the time")
	}
	// Each field counts.
	for name, change := range map[string]func(*assay.SBOM){
		"root":         func(d *assay.SBOM) { d.Root.Version = "x" },
		"component":    func(d *assay.SBOM) { d.Components[0].FoundBy = "x" },
		"property":     func(d *assay.SBOM) { d.Components[0].Properties = map[string]string{"a": "b"} },
		"relation":     func(d *assay.SBOM) { d.Relations = d.Relations[1:] },
		"lifecycle":    func(d *assay.SBOM) { d.Lifecycle = "build" },
		"author":       func(d *assay.SBOM) { d.Authors = []string{"x"} },
		"layer":        func(d *assay.SBOM) { d.Layers = nil },
		"completeness": func(d *assay.SBOM) { d.Completeness = nil },
		"version":      func(d *assay.SBOM) { d.Version = 2 },
	} {
		other := *doc
		other.Components = slices.Clone(doc.Components)
		change(&other)
		if serial(&other, sbom.CycloneDXJSON) == want {
			t.Errorf("the serial does not depend on the %s", name)
		}
	}
}

func TestLosses(t *testing.T) {
	doc := small(t)
	doc.Created = doc.Created.Add(time.Millisecond)
	doc.Components[0].Licenses = []assay.License{{Expression: "MIT OR ISC"}, {Name: "GPL"}}
	doc.Components[1].Name = "lib\xffc"
	doc.Components[1].Licenses = []assay.License{{Expression: "no such license"}}
	for f, want := range map[sbom.Format][]string{
		sbom.CycloneDXJSON: {"base-files: licenses: CycloneDX 1.6 has", "libc6: name: bytes that are not UTF-8", "libc6: licenses: not a valid SPDX expression", "serial: "},
		sbom.SPDXJSON:      {"created: SPDX has whole seconds", "libc6: name: bytes that are not UTF-8", "libc6: licenses: not a valid SPDX expression"},
		sbom.SPDXTagValue:  {"created: SPDX has whole seconds", "libc6: name: bytes that are not UTF-8", "libc6: licenses: not a valid SPDX expression"},
		sbom.SPDX3JSON:     {"created: SPDX has whole seconds", "libc6: name: bytes that are not UTF-8", "libc6: licenses: not a valid SPDX expression"},
	} {
		doc.Serial = "https://example.com/sbom/1"
		data, lost, err := sbom.Encode(doc, f, sbom.EncodeOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range want {
			if !slices.ContainsFunc(lost, func(l sbom.Loss) bool { return strings.HasPrefix(l.String(), w) }) {
				t.Errorf("%s: no loss %q in %v", f, w, lost)
			}
		}
		if len(lost) != len(want) {
			t.Errorf("%s: got %v", f, lost)
		}
		back, err := sbom.Read("doc", data)
		if err != nil {
			t.Fatal(err)
		}
		if c, _ := back.Component("libc6"); c.Name != "lib\uFFFDc" {
			t.Errorf("%s: name %q", f, c.Name)
		}
	}
}

func TestRefusedToWrite(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(*assay.SBOM)
		f      sbom.Format
		says   string
	}{
		"unknown format":       {func(*assay.SBOM) {}, "xml", "xml"},
		"no time in SPDX":      {func(d *assay.SBOM) { d.Created = time.Time{} }, sbom.SPDXJSON, "created"},
		"duplicate id":         {func(d *assay.SBOM) { d.Components[1].ID = d.Components[0].ID }, sbom.CycloneDXJSON, "base-files"},
		"dangling edge":        {func(d *assay.SBOM) { d.Relations[0].To = "nobody" }, sbom.SPDXJSON, "nobody"},
		"no type":              {func(d *assay.SBOM) { d.Components[0].Type = "" }, sbom.CycloneDXJSON, "base-files.type"},
		"root without id":      {func(d *assay.SBOM) { d.Root.ID, d.Relations = "", nil }, sbom.CycloneDXJSON, "root.id"},
		"unknown aggregate":    {func(d *assay.SBOM) { d.Completeness[0].Aggregate = "most" }, sbom.SPDXJSON, "most"},
		"unknown scope":        {func(d *assay.SBOM) { d.Completeness[0].Scope = "files" }, sbom.SPDXJSON, "files"},
		"completeness of none": {func(d *assay.SBOM) { d.Completeness[0].Of = "nobody" }, sbom.SPDXJSON, "nobody"},
		"no kind of relation":  {func(d *assay.SBOM) { d.Relations[0].Kind = "" }, sbom.SPDXJSON, "relation"},
		"year":                 {func(d *assay.SBOM) { d.Created = time.Date(20000, 1, 1, 0, 0, 0, 0, time.UTC) }, sbom.CycloneDXJSON, "20000"},
	} {
		t.Run(name, func(t *testing.T) {
			doc := small(t)
			tt.change(doc)
			data, _, err := sbom.Encode(doc, tt.f, sbom.EncodeOptions{})
			if !errors.Is(err, assay.ErrInvalid) || !strings.Contains(err.Error(), tt.says) || data != nil {
				t.Errorf("got %d bytes and %v, want it to say %q", len(data), err, tt.says)
			}
		})
	}
}

func TestOptions(t *testing.T) {
	doc := small(t)
	doc.Created = time.Time{}
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, f := range formats {
		data, _, err := sbom.Encode(doc, f, sbom.EncodeOptions{Created: at, Indent: true})
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Count(data, []byte("\n")) < 20 || !bytes.HasSuffix(data, []byte("\n")) {
			t.Errorf("%s: not indented: %q", f, data[:40])
		}
		back, err := sbom.Read("doc", data)
		if err != nil || !back.Created.Equal(at) {
			t.Errorf("%s: got %v, %v", f, back, err)
		}
	}
	data := encode(t, doc, sbom.CycloneDXJSON)
	if bytes.Contains(data, []byte("timestamp")) || bytes.Count(data, []byte("\n")) != 1 {
		t.Errorf("got %s", data)
	}
}

// A document without a root is written as one that describes all it has.
func TestNoRoot(t *testing.T) {
	for n := range 3 {
		doc := rich(t, 5, n)
		doc.Root, doc.Relations, doc.Completeness = assay.Component{}, nil, nil
		for _, f := range formats {
			got, err := sbom.Read("doc", encode(t, doc, f))
			if err != nil {
				t.Fatal(err)
			}
			want := *doc
			want.Format = formatName(f)
			if d := cmp.Diff(&want, got, equal); d != "" {
				t.Errorf("%s, %d components:\n%s", f, n, d)
			}
		}
	}
}
