package sbom_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/sbom"
)

func TestConvertDocuments(t *testing.T) {
	doc := small(t)
	for _, from := range formats {
		for _, to := range formats {
			c, err := sbom.Convert("in", encode(t, doc, from), to, sbom.EncodeOptions{})
			if err != nil {
				t.Fatalf("%s to %s: %v", from, to, err)
			}
			back, err := sbom.Read("out", c.Data)
			if err != nil {
				t.Fatalf("%s to %s: %v", from, to, err)
			}
			if d := sbom.Diff(doc, back); !d.Empty() {
				t.Errorf("%s to %s: %s", from, to, d)
			}
			if d := sbom.Diff(doc, c.SBOM); !d.Empty() {
				t.Errorf("%s to %s: %s", from, to, d)
			}
			if !slices.Equal(back.Layers, doc.Layers) || !slices.Equal(back.Relations, doc.Relations) || !slices.Equal(back.Completeness, doc.Completeness) {
				t.Errorf("%s to %s: %+v", from, to, back)
			}
			if family := func(f sbom.Format) string { s, _, _ := strings.Cut(string(f), "-"); return s }; family(from) == family(to) && !c.Lossless() {
				t.Errorf("%s to %s: lost %v %v", from, to, c.Unread, c.Unwritten)
			}
		}
	}
}

func TestConvertTellsLosses(t *testing.T) {
	in := `{"bomFormat":"CycloneDX","specVersion":"1.6","serialNumber":"urn:uuid:3e671687-395b-41f5-a30f-a58921a69b79","version":1,"components":[{"type":"library","bom-ref":"a","name":"a","copyright":"2026 Acme"}]}`
	_, err := sbom.Convert("in.json", []byte(in), sbom.SPDXJSON, sbom.EncodeOptions{})
	if !errors.Is(err, assay.ErrInvalid) || !strings.Contains(err.Error(), "created") {
		t.Errorf("no time, and %v", err)
	}
	c, err := sbom.Convert("in.json", []byte(in), sbom.SPDXJSON, sbom.EncodeOptions{Created: time.Unix(0, 0)})
	if err != nil {
		t.Fatal(err)
	}
	told := fmt.Sprint(c.Unread, c.Unwritten)
	if c.Lossless() || !strings.Contains(told, "/components/0/copyright") {
		t.Errorf("losses %s", told)
	}
	for name, tt := range map[string]struct {
		in   string
		to   sbom.Format
		want string
	}{
		"no document":   {"{}", sbom.SPDXJSON, "in.json"},
		"unknown":       {in, "swid", `"swid"`},
		"table":         {in, sbom.Table, `"table"`},
		"broken inside": {strings.Replace(in, `"library"`, `"libary"`, 1), sbom.SPDXJSON, "/components/0/type"},
	} {
		if c, err := sbom.Convert("in.json", []byte(tt.in), tt.to, sbom.EncodeOptions{Created: time.Unix(0, 0)}); c != nil || !errors.Is(err, assay.ErrInvalid) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Whatever is converted can be read, and says what the source said.
func FuzzConvert(f *testing.F) {
	for i, from := range formats {
		f.Add(encode(f, small(f), from), uint8(i+1))
		f.Add(encode(f, rich(f, uint64(i), 3), from), uint8(i+2))
	}
	f.Add([]byte(`{"bomFormat":"CycloneDX","specVersion":"1.4","version":1,"components":[{"type":"file","name":"a","hashes":[{"alg":"MD5","content":"d41d8cd98f00b204e9800998ecf8427e"}]}]}`), uint8(1))
	f.Fuzz(func(t *testing.T, data []byte, n uint8) {
		to := formats[int(n)%len(formats)]
		c, err := sbom.Convert("fuzz", data, to, sbom.EncodeOptions{Created: time.Unix(0, 0)})
		if err != nil {
			if assay.KindOf(err) == nil {
				t.Fatalf("untyped error %v", err)
			}
			return
		}
		back, err := sbom.Read("again", c.Data)
		if err != nil {
			t.Fatalf("cannot read what was written as %s: %v\n%s", to, err, c.Data)
		}
		if d := sbom.Diff(c.SBOM, back); !d.Empty() {
			t.Fatalf("%s: %s\n%s", to, d, c.Data)
		}
		if !slices.Equal(back.Relations, c.SBOM.Relations) {
			t.Fatalf("%s: relations %v, not %v", to, back.Relations, c.SBOM.Relations)
		}
		// What can be read can be merged with itself, and filtered.
		if _, _, err := sbom.Merge(sbom.MergeOptions{}, back, c.SBOM); err != nil {
			t.Fatal(err)
		}
		small := sbom.Filter(back, func(c *assay.Component) bool { return len(c.Name)%2 == 0 })
		if _, _, err := sbom.Encode(small, to, sbom.EncodeOptions{Created: time.Unix(0, 0)}); err != nil {
			t.Fatal(err)
		}
		for _, p := range sbom.Profiles() {
			if _, err := sbom.Check(back, p); err != nil {
				t.Fatal(err)
			}
		}
	})
}
