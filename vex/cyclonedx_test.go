package vex_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/vex"
)

const cdxDoc = `{
  "bomFormat": "CycloneDX", "specVersion": "1.6", "serialNumber": "urn:uuid:00000000-0000-4000-8000-000000000001", "version": 3,
  "metadata": {"timestamp": "2026-11-01T12:00:00Z", "authors": [{"name": "A"}, {"email": "b@example.com"}],
    "component": {"type": "application", "bom-ref": "app", "name": "app", "purl": "pkg:npm/app@1.0.0"}},
  "components": [{"type": "library", "bom-ref": "lib", "name": "lib", "purl": "pkg:npm/lib", "components": [
    {"type": "library", "bom-ref": "in ner", "name": "inner"}]}],
  "vulnerabilities": [
    {"id": "CVE-2026-0001", "references": [{"id": "GHSA-aaaa-bbbb-cccc", "source": {}}], "description": "d",
     "analysis": {"state": "not_affected", "justification": "code_not_reachable", "detail": "i", "firstIssued": "2026-10-01T00:00:00Z", "lastUpdated": "2026-10-02T00:00:00Z"},
     "affects": [{"ref": "lib", "versions": [{"range": "vers:npm/>=1.0.0|<2.0.0"}, {"version": "3.0.0", "status": "affected"}, {"version": "4.0.0", "status": "unaffected"}]}]},
    {"id": "CVE-2026-0002", "analysis": {"state": "exploitable", "response": ["update"]}, "recommendation": "Upgrade.", "affects": [{"ref": "app"}]},
    {"id": "CVE-2026-0003", "analysis": {"state": "resolved"}, "affects": [{"ref": "in ner"}]},
    {"id": "CVE-2026-0004", "analysis": {"state": "in_triage"}, "affects": [{"ref": "urn:cdx:00000000-0000-4000-8000-000000000002/1#x"}]},
    {"id": "CVE-2026-0005", "analysis": {"state": "false_positive", "detail": "another library"}, "affects": [{"ref": "lib"}]},
    {"id": "CVE-2026-0006", "analysis": {"state": "not_affected"}, "affects": [{"ref": "lib"}]},
    {"id": "CVE-2026-0007", "affects": [{"ref": "lib"}]},
    {"id": "CVE-2026-0008", "analysis": {"state": "not_affected", "justification": "requires_configuration"}, "affects": [{"ref": "app"}]}
  ]
}`

func TestReadCycloneDX(t *testing.T) {
	v, losses, err := vex.ReadCycloneDX("cdx", []byte(cdxDoc), vex.CycloneDX{})
	if err != nil {
		t.Fatal(err)
	}
	if v.ID != "urn:uuid:00000000-0000-4000-8000-000000000001" || v.Version != 3 || v.Author != "A, b@example.com" || !v.Timestamp.Equal(on(0)) || v.Format != "cyclonedx-json/1.6" {
		t.Errorf("got %+v", v)
	}
	var got []string
	for _, s := range v.Statements {
		line := fmt.Sprintf("%s %s %s%s %s:", s.Vulnerability.ID, s.Status, s.Justification, s.ActionStatement, s.ImpactStatement)
		for _, p := range s.Products {
			line += " " + p.ID
			for _, c := range p.Subcomponents {
				line += "/" + c.ID
			}
		}
		got = append(got, line)
	}
	want := []string{
		"CVE-2026-0001 not_affected vulnerable_code_not_in_execute_path i: pkg:npm/app@1.0.0/pkg:npm/lib?vers=vers:npm%2F%3E%3D1.0.0%7C%3C2.0.0/pkg:npm/lib@3.0.0",
		"CVE-2026-0002 affected Upgrade.\nResponse: update. : pkg:npm/app@1.0.0",
		"CVE-2026-0003 fixed  : pkg:npm/app@1.0.0/urn:x-bom-ref:in%20ner",
		"CVE-2026-0004 under_investigation  : urn:cdx:00000000-0000-4000-8000-000000000002/1#x",
		"CVE-2026-0005 not_affected  false_positive another library: pkg:npm/app@1.0.0/pkg:npm/lib",
		"CVE-2026-0008 not_affected  requires_configuration: pkg:npm/app@1.0.0",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	all := fmt.Sprint(losses)
	for _, f := range []string{"/vulnerabilities/0/affects/0/versions/2", "/vulnerabilities/3/affects/0/ref", "/vulnerabilities/4/analysis/state",
		"/vulnerabilities/5/analysis", "/vulnerabilities/6/analysis", "/vulnerabilities/7/analysis/justification"} {
		if !strings.Contains(all, f+":") {
			t.Errorf("no loss at %s in %v", f, losses)
		}
	}
	if s := v.Statements[0]; !s.Timestamp.Equal(time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)) || s.LastUpdated.Day() != 2 {
		t.Errorf("got %v %v", s.Timestamp, s.LastUpdated)
	}
	// The range that was given is what is asked.
	app := vex.PURLProduct(assay.MustPURL("pkg:npm/app@1.0.0"))
	for version, want := range map[string]assay.Status{"1.5.0": assay.NotAffected, "3.0.0": assay.NotAffected, "4.0.0": "", "2.0.0": ""} {
		asked := parts(app, vex.PURLProduct(assay.MustPURL("pkg:npm/lib@"+version)))
		if a := vex.StatusOf([]*assay.VEX{v}, asked, assay.Vulnerability{ID: "GHSA-aaaa-bbbb-cccc"}, on(1)); a.Status != want {
			t.Errorf("lib %s: got %q, want %q", version, a.Status, want)
		}
	}
	resolved, _, err := vex.ReadCycloneDX("cdx", []byte(cdxDoc), vex.CycloneDX{Resolve: func(string) (assay.Product, bool) { return image, true }})
	if err != nil || resolved.Statements[3].Products[0].ID != image.ID {
		t.Error(resolved, err)
	}
}

func TestReadCycloneDXRefuses(t *testing.T) {
	for name, tt := range map[string]struct{ old, new, rule, says string }{
		"format":        {`"CycloneDX"`, `"SPDX"`, "CycloneDX bomFormat", "SPDX"},
		"version":       {`"1.6"`, `"1.3"`, "CycloneDX specVersion", "1.3"},
		"no author":     {`"authors": [{"name": "A"}, {"email": "b@example.com"}]`, `"authors": []`, "OpenVEX 3", "/author"},
		"no time":       {`"timestamp": "2026-11-01T12:00:00Z", "authors"`, `"authors"`, "OpenVEX 4", "/timestamp"},
		"ref twice":     {`"bom-ref": "in ner"`, `"bom-ref": "lib"`, "CycloneDX components/0/components/0/bom-ref", "lib"},
		"dangling ref":  {`"ref": "in ner"`, `"ref": "outer"`, "CycloneDX vulnerabilities/2/affects/0/ref", "outer"},
		"state":         {`"in_triage"`, `"sleeping"`, "CycloneDX vulnerabilities/3/analysis/state", "sleeping"},
		"justification": {"code_not_reachable", "because", "CycloneDX vulnerabilities/0/analysis/justification", "because"},
		"purl":          {"pkg:npm/app@1.0.0", "npm", "CycloneDX metadata/component/purl", "npm"},
		"vulnerability": {"CVE-2026-0002", "CVE-1", "OpenVEX 13", "/vulnerabilities/1/id"},
		"serial":        {"urn:uuid:00000000", "no iri", "OpenVEX 2", "/@id"},
	} {
		t.Run(name, func(t *testing.T) {
			v, _, err := vex.ReadCycloneDX(name, []byte(strings.Replace(cdxDoc, tt.old, tt.new, 1)), vex.CycloneDX{})
			if v != nil {
				t.Error("a document came with the error")
			}
			wantRule(t, err, assay.ErrInvalid, tt.rule, tt.says, name)
		})
	}
}

func TestCycloneDXRoundTrip(t *testing.T) {
	d := vex.New("security@example.com", vex.Options{Time: day, ID: "urn:uuid:00000000-0000-4000-8000-000000000001"})
	d.NotAffected("CVE-2026-0001", assay.VulnerableCodeNotInExecutePath, parts(image, zlib, ssl)).Impact("i").Aliases("GHSA-aaaa-bbbb-cccc").Describe("", "d").Since(on(-1))
	d.Affected("CVE-2026-0002", "Upgrade.", image).Notes("n")
	d.Fixed("CVE-2026-0003", image)
	d.UnderInvestigation("CVE-2026-0004", parts(image, zlib))
	v := must(d.Build())
	data, losses, err := vex.EncodeCycloneDX(v, image)
	if err != nil || len(losses) > 0 {
		t.Fatal(losses, err)
	}
	back, losses, err := vex.ReadCycloneDX("back", data, vex.CycloneDX{})
	if err != nil || len(losses) > 0 {
		t.Fatal(losses, err)
	}
	back.Format = v.Format
	if d := cmp.Diff(v, back, equal); d != "" {
		t.Errorf("%s\n%s", d, data)
	}
	// Every field that CycloneDX has not is named.
	_, losses, err = vex.EncodeCycloneDX(everything(t), image)
	if err != nil {
		t.Fatal(err)
	}
	var fields []string
	for _, l := range losses {
		fields = append(fields, l.Field)
	}
	want := "/@id /role /tooling /statements/0/products/1 /statements/0/@id /statements/0/supplier /statements/0/vulnerability/@id /statements/0/status_notes /statements/2/action_statement_timestamp /statements/4/products/0"
	if got := strings.Join(fields, " "); got != want {
		t.Errorf("losses\n%s\nwant\n%s", got, want)
	}
	_, _, err = vex.EncodeCycloneDX(v, other)
	wantRule(t, err, assay.ErrInvalid, "OpenVEX 10", "product")
}

// The examples of the specification are read, or refused with a reason.
func TestReadCycloneDXCorpus(t *testing.T) {
	dir := os.Getenv("ASSAY_CORPORA")
	if dir == "" {
		t.Skip("ASSAY_CORPORA is not set")
	}
	files := must(filepath.Glob(filepath.Join(dir, "cyclonedx-spec", "1.[4-7]", "valid-vulnerability-*.json")))
	if len(files) < 4 {
		t.Fatalf("found %d files", len(files))
	}
	for _, f := range files {
		v, losses, err := vex.ReadCycloneDX(f, must(os.ReadFile(f)), vex.CycloneDX{Author: "a", Time: day})
		if err != nil {
			t.Errorf("%s: %v", f, err)
			continue
		}
		if len(v.Statements) != 1 || v.Statements[0].Status != assay.NotAffected || len(losses) == 0 {
			t.Errorf("%s: %+v %v", f, v.Statements, losses)
		}
		if _, err := vex.Encode(v); err != nil {
			t.Errorf("%s: %v", f, err)
		}
	}
}

// What is read and valid as OpenVEX survives the way through CycloneDX with its
// statuses.
// What is so of some versions is not so of a name that is of all.
func TestReadCycloneDXVersionsWithoutPURL(t *testing.T) {
	for cpe, want := range map[string]assay.Status{
		"cpe:2.3:a:v:lib:*:*:*:*:*:*:*:*": "", "cpe:2.3:a:v:lib:1.0:*:*:*:*:*:*:*": assay.Fixed, "cpe:/a:v:lib": "",
	} {
		for _, in := range []string{
			`{"bomFormat":"CycloneDX","specVersion":"1.5","version":1,"metadata":{"timestamp":"2026-11-01T00:00:00Z","authors":[{"name":"a"}]},"components":[{"type":"library","bom-ref":"lib","name":"lib","cpe":"` + cpe + `"}],` +
				`"vulnerabilities":[{"id":"CVE-2026-0001","analysis":{"state":"resolved"},"affects":[{"ref":"lib","versions":[{"range":"vers:semver/<1.1.0"}]}]}]}`,
			`{"bomFormat":"CycloneDX","specVersion":"1.5","version":1,"metadata":{"timestamp":"2026-11-01T00:00:00Z","authors":[{"name":"a"}],"component":{"type":"library","bom-ref":"lib","name":"lib","cpe":"` + cpe + `"}},` +
				`"vulnerabilities":[{"id":"CVE-2026-0001","analysis":{"state":"resolved"},"affects":[{"ref":"lib","versions":[{"range":"vers:semver/<1.1.0"}]}]}]}`,
		} {
			v, losses, err := vex.ReadCycloneDX("bom", []byte(in), vex.CycloneDX{})
			if err != nil {
				t.Fatal(err)
			}
			asked := assay.Product{CPEs: []string{"cpe:2.3:a:v:lib:1.0:*:*:*:*:*:*:*"}}
			if a := vex.StatusOf([]*assay.VEX{v}, asked, assay.Vulnerability{ID: "CVE-2026-0001"}, on(100)); a.Status != want || len(losses) == 0 {
				t.Errorf("%s: got %q, want %q; %v", cpe, a.Status, want, losses)
			}
		}
	}
}

// What is not affected in one place is not so in another that has the same.
func TestReadCycloneDXTwins(t *testing.T) {
	doc := func(state, hash string, refs ...string) string {
		var affects []string
		for _, r := range refs {
			affects = append(affects, `{"ref":"`+r+`"}`)
		}
		return `{"bomFormat":"CycloneDX","specVersion":"1.5","version":1,"metadata":{"timestamp":"2026-11-01T00:00:00Z","authors":[{"name":"a"}],"component":{"type":"application","bom-ref":"app","name":"app","purl":"pkg:npm/app@1.0.0"}},` +
			`"components":[{"type":"library","bom-ref":"a","name":"lib","purl":"pkg:npm/lib@1.0.0"` + hash + `},{"type":"library","bom-ref":"b","name":"lib","purl":"pkg:npm/lib@1.0.0"}],` +
			`"vulnerabilities":[{"id":"CVE-2026-0001","analysis":{"state":"` + state + `","justification":"code_not_reachable"},"affects":[` + strings.Join(affects, ",") + `]},` +
			`{"id":"CVE-2026-0002","analysis":{"state":"in_triage"},"affects":[{"ref":"app"}]}]}`
	}
	asked := parts(vex.PURLProduct(assay.MustPURL("pkg:npm/app@1.0.0")), vex.PURLProduct(assay.MustPURL("pkg:npm/lib@1.0.0")))
	for name, tt := range map[string]struct {
		in   string
		want assay.Status
		lost bool
	}{
		"one of two":            {doc("not_affected", "", "a"), "", true},
		"both":                  {doc("not_affected", "", "a", "b"), assay.NotAffected, false},
		"one of two, affected":  {doc("exploitable", "", "a"), assay.Affected, false},
		"one of two, by a hash": {doc("not_affected", `,"hashes":[{"alg":"SHA-256","content":"`+hexA+`"}]`, "a"), assay.NotAffected, false},
	} {
		v, losses, err := vex.ReadCycloneDX(name, []byte(tt.in), vex.CycloneDX{})
		if err != nil {
			t.Fatal(err)
		}
		a := vex.StatusOf([]*assay.VEX{v}, asked, assay.Vulnerability{ID: "CVE-2026-0001"}, on(100))
		lost := slices.ContainsFunc(losses, func(l vex.Loss) bool { return strings.Contains(l.Reason, "one of several places") })
		if a.Status != tt.want || lost != tt.lost {
			t.Errorf("%s: got %q, want %q; %v", name, a.Status, tt.want, losses)
		}
	}
}

func FuzzReadCycloneDX(f *testing.F) {
	f.Add([]byte(cdxDoc))
	f.Add([]byte(strings.Replace(cdxDoc, `"component"`, `"other"`, 1)))
	// Digits and dashes of a UUID, in other places.
	f.Add([]byte(strings.Replace(cdxDoc, "-0000-4000-", "-00000-400-", 1)))
	schema := cyclonedxSchema(f)
	f.Fuzz(func(t *testing.T, in []byte) {
		v, _, err := vex.ReadCycloneDX("fuzz", in, vex.CycloneDX{Author: "a", Time: day})
		if err != nil {
			if e, ok := errors.AsType[*assay.Error](err); !ok || v != nil || e.Subject != "fuzz" || e.Kind == nil {
				t.Fatalf("got %v with the error %v", v, err)
			}
			return
		}
		if _, err := vex.Encode(v); err != nil {
			return
		}
		whole := v.Statements[0].Products[0]
		whole.Subcomponents = nil
		data, _, err := vex.EncodeCycloneDX(v, whole)
		if err != nil {
			if e, ok := errors.AsType[*assay.Error](err); !ok || e.Rule == "" {
				t.Fatal(err)
			}
			return
		}
		if err := refusal(t, schema, data); err != nil {
			t.Fatalf("%v\n%s", err, data)
		}
		if _, _, err := vex.ReadCycloneDX("back", data, vex.CycloneDX{}); err != nil {
			t.Fatalf("%v\n%s", err, data)
		}
	})
}
