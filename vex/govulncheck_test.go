package vex_test

import (
	"strings"
	"testing"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/vex"
)

// govulncheckOutput has what govulncheck v1.6.0 writes, in its shape.
const govulncheckOutput = `{
  "@context": "https://openvex.dev/ns/v0.2.0",
  "@id": "govulncheck/vex:0f2fbc8e",
  "author": "Unknown Author",
  "timestamp": "2026-11-01T12:00:00.123456789Z",
  "version": 1,
  "tooling": "https://pkg.go.dev/golang.org/x/vuln/cmd/govulncheck",
  "statements": [
    {
      "vulnerability": {"@id": "https://pkg.go.dev/vuln/GO-2026-0001", "name": "GO-2026-0001", "description": "d", "aliases": ["CVE-2026-0001"]},
      "products": [{"@id": "Unknown Product", "subcomponents": [{"@id": "pkg:golang/example.com%2Fa%2Fb@v0.3.0"}]}],
      "status": "affected"
    },
    {
      "vulnerability": {"@id": "https://pkg.go.dev/vuln/GO-2026-0002", "name": "GO-2026-0002", "description": "d"},
      "products": [{"@id": "Unknown Product", "subcomponents": [{"@id": "pkg:golang/stdlib@v1.22.1"}]}],
      "status": "not_affected",
      "justification": "vulnerable_code_not_in_execute_path",
      "impact_statement": "i"
    }
  ]
}`

func TestReadGovulncheck(t *testing.T) {
	o := vex.Govulncheck{Product: image, Author: "security@example.com"}
	v, warnings, err := vex.ReadGovulncheck("govulncheck", []byte(govulncheckOutput), o)
	if err != nil {
		t.Fatal(err)
	}
	var rules []string
	for _, w := range warnings {
		rules = append(rules, strings.TrimPrefix(w.Rule, "OpenVEX ")+w.Field)
	}
	want := "2/@id 3/author 10/statements/0/products/0/@id 14/statements/0/products/0/subcomponents/0/@id 9/statements/0/action_statement 10/statements/1/products/0/@id"
	if got := strings.Join(rules, " "); got != want {
		t.Errorf("warnings\n%s\nwant\n%s", got, want)
	}
	if !strings.HasPrefix(v.ID, vex.DefaultBase) || v.Author != o.Author || len(v.ID) < 64 {
		t.Errorf("got %+v", v)
	}
	if s := v.Statements[0]; s.ActionStatement != "Upgrade example.com/a/b to a version that is listed as fixed: https://pkg.go.dev/vuln/GO-2026-0001" ||
		s.Products[0].Subcomponents[0].PURL != assay.MustPURL("pkg:golang/example.com/a/b@v0.3.0") || s.Products[0].Digests.Get(assay.SHA256) != digA {
		t.Errorf("got %+v", s)
	}
	// What an SBOM calls the standard library, and the image, finds the statement.
	lib := vex.PURLProduct(assay.MustPURL("pkg:golang/stdlib@1.22.1"))
	if a := vex.StatusOf([]*assay.VEX{v}, parts(image, lib), assay.Vulnerability{ID: "GO-2026-0002"}, on(1)); a.Status != assay.NotAffected {
		t.Errorf("got %q", a.Status)
	}
	data := must(vex.Encode(v))
	if _, warnings, err := vex.Read("back", data); err != nil || len(warnings) > 0 {
		t.Error(err, warnings)
	}
	again, _, err := vex.ReadGovulncheck("again", []byte(govulncheckOutput), o)
	if err != nil || again.ID != v.ID {
		t.Error("another identifier:", again, err)
	}
	o.Action = func(v assay.Vulnerability, modules []assay.Product) string {
		return string(v.Aliases[0]) + " " + modules[0].PURL.Version()
	}
	if v, _, err = vex.ReadGovulncheck("own", []byte(govulncheckOutput), o); err != nil || v.Statements[0].ActionStatement != "CVE-2026-0001 v0.3.0" {
		t.Error(v, err)
	}
}

func TestReadGovulncheckRefuses(t *testing.T) {
	good := vex.Govulncheck{Product: image, Author: "security@example.com"}
	for name, tt := range map[string]struct {
		old, new string
		o        vex.Govulncheck
		rule     string
		says     string
	}{
		"no author":       {"", "", vex.Govulncheck{Product: image}, "OpenVEX 3", "/author"},
		"no product":      {"", "", vex.Govulncheck{Author: "a"}, "OpenVEX 10", "product"},
		"bad product":     {"", "", vex.Govulncheck{Author: "a", Product: assay.Product{ID: "app"}}, "OpenVEX 2", "app"},
		"another tool":    {"cmd/govulncheck", "cmd/other", good, "OpenVEX 10", "/tooling"},
		"another context": {"v0.2.0", "v0.3.0", good, "OpenVEX 1", "v0.3.0"},
		"unknown status":  {`"affected"`, `"bad"`, good, "OpenVEX 7", "/statements/0/status"},
		"unknown member":  {`"version"`, `"x":1,"version"`, good, "OpenVEX 6", "/x"},
		"null":            {`"version": 1`, `"version": null`, good, "OpenVEX 6", "/version"},
		"base":            {"", "", vex.Govulncheck{Product: image, Author: "a", Base: "x y"}, "OpenVEX 2", "x y"},
	} {
		t.Run(name, func(t *testing.T) {
			in := strings.Replace(govulncheckOutput, tt.old, tt.new, 1)
			v, _, err := vex.ReadGovulncheck(name, []byte(in), tt.o)
			if v != nil {
				t.Error("a document came with the error")
			}
			wantRule(t, err, assay.ErrInvalid, tt.rule, tt.says)
		})
	}
}
