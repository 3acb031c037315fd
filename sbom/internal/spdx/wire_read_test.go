package spdx

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/strictjson"
)

// What is read of a document that was checked is what its tags say.
func FuzzReadDocument(f *testing.F) {
	yes := true
	notes := []annotation{{"Tool: t", "2026-01-01T00:00:00Z", "OTHER", "a\"\\\n"}}
	all, err := strictjson.Marshal(document{SPDXVersion: "SPDX-2.3", DataLicense: "CC0-1.0", SPDXID: documentID, Name: "é", DocumentNamespace: "https://e.example/1",
		CreationInfo: creationInfo{"2026-01-01T00:00:00Z", []string{"Tool: t", "Person: p"}}, Describes: []string{"SPDXRef-p"},
		Packages: []pkg{{"SPDXRef-p", "n", "1", "Organization: s", "Person: o", "NONE", "https://h.example", &yes, "FILE", []checksum{{"SHA1", "00"}}, "MIT", "ISC", "(c)", "d",
			[]external{{"OTHER", "t", "l", "c"}}, []string{"SPDXRef-f"}, notes}},
		Files:     []file{{"SPDXRef-f", "f", []checksum{{"SHA1", "00"}}, "MIT", []string{"MIT"}, "(c)", notes}},
		Extracted: []extracted{{"LicenseRef-1", "n", "t"}}, Relationships: []relationship{{"SPDXRef-p", "CONTAINS", "SPDXRef-f", "c"}}, Annotations: notes})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(all)
	f.Add([]byte(`{"spdxVersion":"SPDX-2.2","dataLicense":"CC0-1.0","SPDXID":"SPDXRef-DOCUMENT","name":"n","comment":"c","creationInfo":{"comment":"c","created":"2026-01-01T00:00:00Z","creators":["Tool: t"]},"packages":[],"snippets":[{"a":[1,"]"]}]}`))
	files, _ := filepath.Glob(filepath.Join(os.Getenv("ASSAY_CORPORA"), "spdx-*", "*.json"))
	for _, name := range files {
		if data, err := os.ReadFile(name); err == nil {
			f.Add(data)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := check("fuzz", data, inJSON)
		if err != nil {
			return
		}
		var want, got document
		if err := strictjson.Unmarshal("fuzz", data, &want, strictjson.Limits{}); err != nil {
			t.Fatalf("taken, and not strict: %v\n%s", err, data)
		}
		if !readDocument(data, &got) {
			t.Fatalf("refused %s", data)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("(-tags +read) %s\n%s", diff, data)
		}
		if diff := cmp.Diff(want, *d.doc); diff != "" {
			t.Fatalf("(-tags +checked) %s\n%s", diff, data)
		}
	})
}

// What is wrong with the JSON comes before the version, and that before what is wrong
// with the document. Nothing of it gets past the one pass.
func TestCheckOrder(t *testing.T) {
	deep := []byte(`{"spdxVersion":"SPDX-2.3","snippets":`)
	for range 200 {
		deep = append(deep, '[')
	}
	for range 200 {
		deep = append(deep, ']')
	}
	for in, want := range map[string]error{
		`{"spdxVersion":"SPDX-2.3","name":"a","name":"b"}`:                       assay.ErrInvalid,
		`{"spdxVersion":"SPDX-2.3"} {}`:                                          assay.ErrInvalid,
		`{"spdxVersion":"SPDX-2.1","name":1}`:                                    assay.ErrInvalid,
		`{"spdxVersion":"SPDX-2.1"}`:                                             assay.ErrUnchecked,
		`{"spdxVersion":"SPDX-2.3","snippets":[{"a":1,"a":2}]}`:                  assay.ErrInvalid,
		"{\"spdxVersion\":\"SPDX-2.3\",\"snippets\":\"\xff\"}":                   assay.ErrInvalid,
		`{"spdxVersion":"SPDX-2.3","spdxVersion":"SPDX-2.2"}`:                    assay.ErrInvalid,
		string(append(deep, '}')):                                                assay.ErrBound,
		`{"packages":[{"name":"x","SPDXID":"y"}],"spdxVersion":"SPDX-2.3"}trail`: assay.ErrInvalid,
	} {
		if _, err := check("f", []byte(in), inJSON); !errors.Is(err, want) {
			t.Errorf("%.80s: %v", in, err)
		}
	}
}
