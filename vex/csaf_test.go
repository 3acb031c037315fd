package vex_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/vex"
)

// csafDoc is a document of the kinds that vendors publish: branches, relationships,
// groups, several statuses.
const csafDoc = `{
  "document": {
    "category": "csaf_vex", "csaf_version": "2.0", "lang": "en", "title": "T",
    "publisher": {"category": "vendor", "name": "Vendor", "namespace": "https://vendor.example"},
    "tracking": {"id": "V-2026-1", "status": "final", "version": "2", "initial_release_date": "2026-10-01T00:00:00Z", "current_release_date": "2026-11-01T12:00:00Z",
      "revision_history": [{"date": "2026-10-01T00:00:00Z", "number": "1", "summary": "s"}, {"date": "2026-11-01T12:00:00Z", "number": "2", "summary": "s"}]}
  },
  "product_tree": {
    "branches": [{"category": "vendor", "name": "Vendor", "branches": [
      {"category": "product_version", "name": "os 9", "product": {"name": "os 9", "product_id": "os", "product_identification_helper": {"cpe": "cpe:/o:vendor:os:9"}}},
      {"category": "product_version", "name": "lib 1", "product": {"name": "lib 1", "product_id": "lib", "product_identification_helper": {"purl": "pkg:rpm/vendor/lib@1.0-1?arch=x86_64"}}},
      {"category": "product_name", "name": "named", "product": {"name": "named", "product_id": "a b"}}
    ]}],
    "full_product_names": [{"name": "app", "product_id": "app", "product_identification_helper": {"hashes": [{"filename": "app", "file_hashes": [{"algorithm": "sha256", "value": "HASH"}, {"algorithm": "tiger", "value": "00"}]}]}}],
    "product_groups": [{"group_id": "g", "product_ids": ["app", "os:lib"]}],
    "relationships": [{"category": "default_component_of", "product_reference": "lib", "relates_to_product_reference": "os", "full_product_name": {"name": "lib in os", "product_id": "os:lib"}}]
  },
  "vulnerabilities": [
    {
      "cve": "CVE-2026-0001", "ids": [{"system_name": "GitHub", "text": "GHSA-AAAA-bbbb-cccc"}, {"system_name": "x", "text": "no id"}],
      "notes": [{"category": "description", "text": "d"}, {"category": "faq", "text": "q"}],
      "product_status": {"known_not_affected": ["os:lib", "a b"], "known_affected": ["app"], "recommended": ["os"]},
      "flags": [{"label": "component_not_present", "date": "2026-10-15T00:00:00Z", "product_ids": ["os:lib"]}],
      "remediations": [{"category": "vendor_fix", "details": "Upgrade.", "url": "https://vendor.example/1", "group_ids": ["g"], "date": "2026-10-20T00:00:00Z"}]
    },
    {"ids": [{"system_name": "x", "text": "X-1"}], "product_status": {"first_fixed": ["os"], "under_investigation": ["lib"], "last_affected": ["app"]}}
  ]
}`

func csafInput() string { return strings.ReplaceAll(csafDoc, "HASH", hexA) }

func TestReadCSAF(t *testing.T) {
	v, losses, err := vex.ReadCSAF("csaf", []byte(csafInput()))
	if err != nil {
		t.Fatal(err)
	}
	if v.ID != "https://vendor.example/V-2026-1" || v.Author != "Vendor" || v.AuthorRole != "vendor" || v.Version != 2 || !v.LastUpdated.Equal(on(0)) || v.Format != "csaf/2.0" {
		t.Errorf("got %+v", v)
	}
	var got []string
	for _, s := range v.Statements {
		line := string(s.Vulnerability.ID) + " " + string(s.Status) + " " + s.Timestamp.Format("2006-01-02") + " " + string(s.Justification) + s.ActionStatement + ":"
		for _, p := range s.Products {
			line += " " + strings.Join(append(p.CPEs, p.PURL.String()), "")
			for _, d := range p.Digests {
				line += d.String()
			}
			for _, c := range p.Subcomponents {
				line += "/" + c.PURL.String()
			}
		}
		got = append(got, line)
	}
	want := []string{
		"CVE-2026-0001 affected 2026-10-20 vendor_fix: Upgrade. https://vendor.example/1: sha256:" + hexA,
		"CVE-2026-0001 not_affected 2026-10-15 component_not_present: cpe:/o:vendor:os:9/pkg:rpm/vendor/lib@1.0-1?arch=x86_64",
		"X-1 affected 2026-11-01 No remediation is stated.: sha256:" + hexA,
		"X-1 fixed 2026-11-01 : cpe:/o:vendor:os:9",
		"X-1 under_investigation 2026-11-01 : pkg:rpm/vendor/lib@1.0-1?arch=x86_64",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if a := v.Statements[0].Vulnerability; a.Description != "d" || len(a.Aliases) != 1 || a.Aliases[0] != "GHSA-aaaa-bbbb-cccc" {
		t.Errorf("got %+v", a)
	}
	var fields []string
	for _, l := range losses {
		fields = append(fields, l.Field)
	}
	for _, f := range []string{
		"/product_tree/branches/0/branches/2/product", "/product_tree/full_product_names/0/product_identification_helper/hashes",
		"/vulnerabilities/0/ids/1/text", "/vulnerabilities/0/notes/1", "/vulnerabilities/0/product_status/recommended",
		"/vulnerabilities/0/product_status/known_not_affected", "/vulnerabilities/1/product_status/known_affected",
	} {
		if !strings.Contains(strings.Join(fields, " ")+" ", f+" ") {
			t.Errorf("no loss at %s in %v", f, losses)
		}
	}
	// What is known of the part of one product is found in a question about it.
	asked := parts(assay.Product{CPEs: []string{"cpe:2.3:o:vendor:os:9:*:*:*:*:*:*:*"}}, vex.PURLProduct(assay.MustPURL("pkg:rpm/vendor/lib@1.0-1?arch=x86_64&distro=os-9")))
	if a := vex.StatusOf([]*assay.VEX{v}, asked, assay.Vulnerability{ID: "GHSA-aaaa-bbbb-cccc"}, on(1)); a.Status != assay.NotAffected {
		t.Errorf("got %q", a.Status)
	}
}

func csafInput21() string {
	return strings.NewReplacer(`"csaf_version": "2.0"`, `"csaf_version": "2.1", "distribution": {"tlp": {"label": "CLEAR"}}`,
		`"relationships": [{"category": "default_component_of", "product_reference": "lib", "relates_to_product_reference": "os", "full_product_name"`,
		`"product_paths": [{"beginning_product_reference": "lib", "subpaths": [{"category": "installed_with", "next_product_reference": "app"}, {"category": "default_component_of", "next_product_reference": "os"}], "full_product_name"`,
		`"purl": "pkg:rpm/vendor/lib@1.0-1?arch=x86_64"`, `"purls": ["pkg:rpm/vendor/lib@1.0-1?arch=x86_64", "pkg:rpm/vendor/lib@1.0-1?arch=noarch"]`,
		`{"system_name": "x", "text": "no id"}`, `{"system_name": "x", "text": "X-9", "product_ids": ["os"]}`,
		`"flags": [`, `"metrics": [{"content": {}, "products": ["os"]}], "flags": [`,
		`"group_ids": ["g"], "date"`, `"product_ids": ["app"], "date"`,
		`"recommended": ["os"]`, `"unknown": ["os"]`).Replace(csafInput())
}

// 2.1 has paths in place of relationships, several purls, identifiers for some products,
// and metrics.
func TestReadCSAF21(t *testing.T) {
	in := csafInput21()
	v, losses, err := vex.ReadCSAF("csaf", []byte(in))
	if err != nil {
		t.Fatal(err)
	}
	if v.Format != "csaf/2.1" || len(v.Statements) != 4 || len(v.Statements[0].Vulnerability.Aliases) != 1 {
		t.Errorf("got %+v", v)
	}
	var fields []string
	for _, l := range losses {
		fields = append(fields, l.Field)
	}
	for _, f := range []string{"/product_tree/product_paths/0/subpaths/0/category", "/product_tree/product_paths/0/subpaths/0/next_product_reference", "/vulnerabilities/0/product_status",
		"/vulnerabilities/0/ids/1/text", "/vulnerabilities/0/metrics", "/vulnerabilities/0/product_status/unknown",
		"/product_tree/branches/0/branches/1/product/product_identification_helper/purls"} {
		if !slices.Contains(fields, f) {
			t.Errorf("no loss at %s in %v", f, fields)
		}
	}
	for old, rule := range map[string]string{
		`"next_product_reference": "os"`: "CSAF 6.1.1", `"beginning_product_reference": "lib"`: "CSAF 6.1.1", `"installed_with"`: "CSAF 3.2.3.4",
		`"product_ids": ["os"]}`: "CSAF 6.1.1",
	} {
		_, _, err := vex.ReadCSAF("csaf", []byte(strings.Replace(in, old, strings.NewReplacer(`"os"`, `"z"`, `"lib"`, `"z"`, "installed_with", "beside").Replace(old), 1)))
		wantRule(t, err, assay.ErrInvalid, rule)
	}
	_, _, err = vex.ReadCSAF("csaf", []byte(strings.Replace(in, `"beginning_product_reference": "lib"`, `"beginning_product_reference": "os:lib"`, 1)))
	wantRule(t, err, assay.ErrInvalid, "CSAF 6.1.3", "os:lib")
}

func TestReadCSAFRefuses(t *testing.T) {
	for name, tt := range map[string]struct{ old, new, rule, says string }{
		"version":                {`"csaf_version": "2.0"`, `"csaf_version": "3.0"`, "CSAF 3.2.1.4", "3.0"},
		"no publisher":           {`"name": "Vendor", "namespace"`, `"name": " ", "namespace"`, "CSAF 3.2.1.8", "publisher"},
		"no tracking id":         {"V-2026-1", "", "CSAF 3.2.1.12", "/document/tracking/id"},
		"draft":                  {`"final"`, `"draft"`, "CSAF 3.2.1.12.7", "draft"},
		"no date":                {`"current_release_date": "2026-11-01T12:00:00Z"`, `"current_release_date": ""`, "CSAF 3.1", "current_release_date"},
		"bad date":               {`"current_release_date": "2026-11-01T12:00:00Z"`, `"current_release_date": "x"`, "OpenVEX 4", "current_release_date"},
		"dates swapped":          {`"current_release_date": "2026-11-01T12:00:00Z"`, `"current_release_date": "2026-09-01T12:00:00Z"`, "CSAF 3.2.1.12.1", "2026-09-01"},
		"defined twice":          {`"product_id": "lib"`, `"product_id": "os"`, "CSAF 6.1.2", "os"},
		"not defined":            {`"product_status": {"first_fixed": ["os"]`, `"product_status": {"first_fixed": ["z"]`, "CSAF 6.1.1", "z"},
		"end not defined":        {`"product_reference": "lib"`, `"product_reference": "z"`, "CSAF 6.1.1", "z"},
		"circle":                 {`"product_reference": "lib"`, `"product_reference": "os:lib"`, "CSAF 6.1.3", "os:lib"},
		"group not defined":      {`"group_ids": ["g"]`, `"group_ids": ["h"]`, "CSAF 6.1.4", "h"},
		"contradiction":          {`"first_fixed": ["os"]`, `"first_fixed": ["app"]`, "CSAF 6.1.6", "app"},
		"purl":                   {"pkg:rpm/vendor/lib@1.0-1?arch=x86_64", "rpm", "CSAF 6.1.13", "rpm"},
		"cpe":                    {"cpe:/o:vendor:os:9", "os", "CSAF 3.1.3.3.1", "os"},
		"hash":                   {hexA, "a1", "CSAF 3.1.3.3.2", "a1"},
		"vulnerability twice":    {`"ids": [{"system_name": "x", "text": "X-1"}]`, `"cve": "CVE-2026-0001"`, "CSAF 6.1.23", "CVE-2026-0001"},
		"no identifier":          {`"ids": [{"system_name": "x", "text": "X-1"}]`, `"ids": []`, "CSAF 6.1.27.8", "/vulnerabilities/1"},
		"flag of nothing":        {`, "product_ids": ["os:lib"]}`, `}`, "CSAF 6.1.32", "component_not_present"},
		"flag":                   {"component_not_present", "not_here", "CSAF 3.2.3.5", "not_here"},
		"not the last version":   {`"version": "2"`, `"version": "1"`, "CSAF 6.1.16", "/document/tracking/version"},
		"final version 0":        {`"version": "2"`, `"version": "0"`, "CSAF 6.1.17", "draft"},
		"not released":           {`"number": "1"`, `"number": "0"`, "CSAF 6.1.18", "0"},
		"pre-release":            {`"version": "2"`, `"version": "2.0.0-rc"`, "CSAF 6.1.20", "2.0.0-rc"},
		"version missing":        {`{"date": "2026-10-01T00:00:00Z", "number": "1", "summary": "s"}, `, ``, "CSAF 6.1.21", "0 or 1"},
		"version twice":          {`"number": "2"`, `"number": "1"`, "CSAF 6.1.22", "each version once"},
		"swapped":                {`{"date": "2026-10-01T00:00:00Z", "number": "1"`, `{"date": "2026-11-02T00:00:00Z", "number": "1"`, "CSAF 6.1.14", "earlier date"},
		"two ways to count":      {`"number": "1"`, `"number": "1.0.0"`, "CSAF 6.1.30", "1.0.0"},
		"no revision":            {`"revision_history": [`, `"x": [`, "CSAF 3.2.1.12.6", "revision_history"},
		"no version":             {`"number": "1"`, `"number": "one"`, "CSAF 3.1.11", "one"},
		"like a profile":         {`"csaf_vex"`, `"V_eX"`, "CSAF 6.1.26", "V_eX"},
		"reserved category":      {`"csaf_vex"`, `"CSAF_mine"`, "CSAF 6.1.26", "CSAF_mine"},
		"translator":             {`"category": "vendor", "name": "Vendor", "namespace"`, `"category": "translator", "name": "Vendor", "namespace"`, "CSAF 6.1.15", "source_lang"},
		"translated to the same": {`"lang": "en"`, `"lang": "en", "source_lang": "EN"`, "CSAF 6.1.28", "source_lang"},
		"group of nothing":       {`"product_ids": ["app", "os:lib"]`, `"product_ids": ["z"]`, "CSAF 6.1.1", "/product_tree/product_groups/0/product_ids/0"},
		"score of nothing":       {`"flags": [`, `"scores": [{"products": ["z"]}], "flags": [`, "CSAF 6.1.1", "/vulnerabilities/0/scores/0/products/0"},
		"remediation of nothing": {`"group_ids": ["g"], `, ``, "CSAF 6.1.29", "/vulnerabilities/0/remediations/0"},
		"two flags":              {`"flags": [`, `"flags": [{"label": "vulnerable_code_not_present", "group_ids": ["g"]}, `, "CSAF 6.1.33", "os:lib"},
		"party twice":            {`"flags": [`, `"involvements": [{"party": "vendor", "status": "open"}, {"party": "vendor", "status": "completed"}], "flags": [`, "CSAF 6.1.24", "vendor"},
		"hash twice":             {`{"algorithm": "tiger", "value": "00"}`, `{"algorithm": "SHA256", "value": "` + hexB + `"}`, "CSAF 6.1.25", hexB[:8]},
		"kind of relationship":   {"default_component_of", "near", "CSAF 3.2.2.4.1", "near"},
	} {
		t.Run(name, func(t *testing.T) {
			in := strings.Replace(csafInput(), tt.old, tt.new, 1)
			if in == csafInput() {
				t.Fatal("nothing was broken")
			}
			v, _, err := vex.ReadCSAF(name, []byte(in))
			if v != nil {
				t.Error("a document came with the error")
			}
			wantRule(t, err, assay.ErrInvalid, tt.rule, tt.says, name)
		})
	}
}

func TestCSAFRoundTrip(t *testing.T) {
	first, _, err := vex.ReadCSAF("csaf", []byte(csafInput()))
	if err != nil {
		t.Fatal(err)
	}
	data, losses, err := vex.EncodeCSAF(first, vex.CSAF{Namespace: "https://vendor.example"})
	if err != nil {
		t.Fatal(err)
	}
	back, _, err := vex.ReadCSAF("back", data)
	if err != nil {
		t.Fatalf("%v\n%s", err, data)
	}
	// The time of the action is the only one that CSAF adds.
	for i := range back.Statements {
		if first.Statements[i].ActionStatementTimestamp.IsZero() {
			back.Statements[i].ActionStatementTimestamp = first.Statements[i].ActionStatementTimestamp
		}
	}
	if d := cmp.Diff(first, back, equal); d != "" {
		t.Errorf("%s\n%v\n%s", d, losses, data)
	}
	// Every field that OpenVEX has and CSAF has not is named.
	v := everything(t)
	data, losses, err = vex.EncodeCSAF(v, vex.CSAF{})
	if err != nil {
		t.Fatal(err)
	}
	var fields []string
	for _, l := range losses {
		fields = append(fields, l.Field)
	}
	want := "/role /statements/0/vulnerability/@id /statements/0/@id /statements/0/supplier /statements/2/timestamp /statements/3/timestamp /statements/4/products/0/identifiers/cpe22 /statements/4/products/0/hashes/blake2b-256"
	if got := strings.Join(fields, " "); got != want {
		t.Errorf("losses\n%s\nwant\n%s", got, want)
	}
	if back, _, err = vex.ReadCSAF("back", data); err != nil || len(back.Statements) != len(v.Statements) {
		t.Error(back, err)
	}
	again, _, err := vex.EncodeCSAF(v, vex.CSAF{})
	if err != nil || string(again) != string(data) {
		t.Error("other bytes", err)
	}
}

func TestEncodeCSAFOverridden(t *testing.T) {
	v := vex.New("security@example.com", vex.Options{Time: on(1), ID: "urn:example:vex"})
	v.UnderInvestigation("CVE-2026-0001", image, other).Since(on(0))
	v.Fixed("CVE-2026-0001", image)
	data, losses, err := vex.EncodeCSAF(must(v.Build()), vex.CSAF{Namespace: "https://example.com", Category: "vendor"})
	if err != nil {
		t.Fatal(err)
	}
	found := false
	for _, l := range losses {
		found = found || l.Field == "/statements/0/products/0" && strings.Contains(l.Reason, "/statements/1")
	}
	if !found {
		t.Error(losses)
	}
	back, _, err := vex.ReadCSAF("back", data)
	if err != nil {
		t.Fatal(err)
	}
	for p, want := range map[string]assay.Status{digA.Hex(): assay.Fixed, digB.Hex(): assay.UnderInvestigation} {
		asked := assay.Product{Digests: assay.DigestSet{assay.MustDigest("sha256:" + p)}}
		if a := vex.StatusOf([]*assay.VEX{back}, asked, assay.Vulnerability{ID: "CVE-2026-0001"}, on(2)); a.Status != want {
			t.Errorf("%s: got %q, want %q", p, a.Status, want)
		}
	}
}

func TestEncodeCSAFRefuses(t *testing.T) {
	v := everything(t)
	v.ID = "urn:a:b"
	_, _, err := vex.EncodeCSAF(v, vex.CSAF{})
	wantRule(t, err, assay.ErrInvalid, "CSAF 3.2.1.8", "namespace")
	_, _, err = vex.EncodeCSAF(v, vex.CSAF{Namespace: "https://example.com", Category: "king"})
	wantRule(t, err, assay.ErrInvalid, "CSAF 3.2.1.8.1", "king")
	v.Version = 1001
	_, _, err = vex.EncodeCSAF(v, vex.CSAF{Namespace: "https://example.com"})
	wantRule(t, err, assay.ErrBound, "CSAF 6.1.21", "1001")
	v.Version = 0
	_, _, err = vex.EncodeCSAF(v, vex.CSAF{Namespace: "https://example.com"})
	wantRule(t, err, assay.ErrInvalid, "OpenVEX 5")
	v = everything(t)
	v.Statements[0].Timestamp = on(9)
	_, _, err = vex.EncodeCSAF(v, vex.CSAF{})
	wantRule(t, err, assay.ErrInvalid, "OpenVEX 4", "/statements/0/timestamp")
}

// What is read can be written as OpenVEX or is refused with a reason, and the way
// back from CSAF keeps every status.
func FuzzReadCSAF(f *testing.F) {
	f.Add([]byte(csafInput()))
	f.Add([]byte(strings.Replace(csafInput(), `"2.0"`, `"2.1"`, 1)))
	schema := csafSchema(f)
	f.Fuzz(func(t *testing.T, in []byte) {
		v, _, err := vex.ReadCSAF("fuzz", in)
		if err != nil {
			if e, ok := errors.AsType[*assay.Error](err); !ok || v != nil || e.Subject != "fuzz" || e.Kind == nil {
				t.Fatalf("got %v with the error %v", v, err)
			}
			return
		}
		if _, err := vex.Encode(v); err != nil {
			return
		}
		data, _, err := vex.EncodeCSAF(v, vex.CSAF{Namespace: "https://example.com"})
		if err != nil {
			if e, ok := errors.AsType[*assay.Error](err); !ok || e.Rule == "" {
				t.Fatal(err)
			}
			return
		}
		if err := refusal(t, schema, data); err != nil {
			t.Fatalf("%v\n%s", err, data)
		}
		back, _, err := vex.ReadCSAF("back", data)
		if err != nil {
			t.Fatalf("%v\n%s", err, data)
		}
		at := v.LastUpdated
		if at.IsZero() {
			at = v.Timestamp
		}
		was, is := vex.NewTimeline([]*assay.VEX{v}, at), vex.NewTimeline([]*assay.VEX{back}, at)
		for _, s := range v.Statements {
			for _, p := range s.Products {
				q := assay.Vulnerability{ID: s.Vulnerability.ID}
				if a, b := was.Status(p, q).Status, is.Status(p, q).Status; a != b && len(p.CPEs) == 0 {
					t.Fatalf("%s in %+v: %q became %q\n%s", q.ID, p, a, b, data)
				}
			}
		}
	})
}
