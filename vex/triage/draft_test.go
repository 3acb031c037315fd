package triage_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/vex"
	"github.com/assaykit/assay/vex/triage"
)

// draftAll drafts about everything that a scan found, and holds what comes out to the
// rules: never not_affected without evidence, and each finding spoken of.
func draftAll(t *testing.T, scan *assay.Scan) {
	t.Helper()
	r := must(triage.Triage(scan, vex.NewTimeline(nil, on(0)), nil, triage.Options{Image: image}))
	d, err := triage.Draft(r, "a@example.com", image, triage.DraftOptions{Document: vex.Options{Time: on(0)}})
	if len(scan.Findings) == 0 {
		wantError(t, err, assay.ErrAbsent)
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	v, err := d.Build()
	if err != nil {
		if e, ok := errors.AsType[*assay.Error](err); !ok || e.Rule == "" {
			t.Fatal(err)
		}
		return
	}
	if _, err := vex.Encode(v); err != nil {
		t.Fatal(err)
	}
	after := must(triage.Triage(scan, vex.NewTimeline([]*assay.VEX{v}, on(0)), nil, triage.Options{Image: image}))
	for i, d := range after.Decisions {
		if d.Reason == triage.NoStatement {
			t.Errorf("nothing was drafted about %v", d.Finding)
		}
		if d.State.Closed() && r.Decisions[i].Finding.Reachable != assay.Refuted {
			t.Errorf("%v is closed without evidence: %s", d.Finding, d.Detail)
		}
	}
}

func TestDraft(t *testing.T) {
	g := readGovulncheck(t, stream("symbol", "source"))
	scan := g.Scan()
	scan.Findings = append(scan.Findings, finding("ssl"), func() assay.Finding {
		f := finding("ssl")
		f.Vulnerability = assay.Vulnerability{ID: "CVE-2026-0005"}
		f.Fix = assay.Fix{Version: "3.0.16-1", State: assay.FixAvailable}
		return f
	}())
	same := scan.Findings[len(scan.Findings)-1]
	same.PURL = purl("pkg:deb/debian/libssl3@3.0.15-1?arch=arm64")
	scan.Findings = append(scan.Findings, same)
	draftAll(t, scan)
	o := triage.DraftOptions{Document: vex.Options{Time: on(0)}, Runs: []triage.Run{{Result: g}}}
	draft := func(o triage.DraftOptions, docs ...*assay.VEX) []string {
		r := must(triage.Triage(scan, vex.NewTimeline(docs, on(0)), nil, triage.Options{Image: image}))
		v := must(must(triage.Draft(r, "a@example.com", image, o)).Build())
		var out []string
		for _, s := range v.Statements {
			var parts []string
			for _, p := range s.Products[0].Subcomponents {
				parts = append(parts, p.PURL.String())
			}
			if s.Products[0].Digests.Get(assay.SHA256) != dig {
				t.Errorf("product %v", s.Products[0])
			}
			out = append(out, strings.Join([]string{string(s.Vulnerability.ID), string(s.Status), string(s.Justification) + s.ActionStatement, strings.Join(parts, " ")}, " | "))
		}
		return out
	}
	want := []string{
		"CVE-2026-0001 | under_investigation |  | pkg:deb/debian/libssl3@3.0.15-1?arch=amd64",
		"CVE-2026-0005 | affected | Upgrade libssl3 to version 3.0.16-1. | pkg:deb/debian/libssl3@3.0.15-1?arch=amd64 pkg:deb/debian/libssl3@3.0.15-1?arch=arm64",
		"GO-2026-0001 | affected | Upgrade example.com/lib to version 1.3.0. | pkg:golang/example.com/lib@v1.2.3",
		"GO-2026-0002 | not_affected | vulnerable_code_not_in_execute_path | pkg:golang/stdlib@1.26.3",
		"GO-2026-0003 | not_affected | vulnerable_code_not_present | pkg:golang/example.com/only@v1.2.3",
	}
	if d := cmp.Diff(want, draft(o)); d != "" {
		t.Error(d)
	}
	// Without the runs the label is the one that holds in both cases.
	if got := draft(triage.DraftOptions{Document: o.Document}); got[4] != strings.Replace(want[4], "not_present", "not_in_execute_path", 1) {
		t.Error(got[4])
	}
	o.Action = func(f assay.Finding) string { return "Do " + f.Fix.Version }
	if got := draft(o); !strings.Contains(got[1], "Do 3.0.16-1") {
		t.Error(got[1])
	}
	// What is stated already is not stated again, and what is closed stays closed.
	got := draft(o, statement("b@example.com", 0, assay.UnderInvestigation, "", image))
	if strings.Contains(strings.Join(got, "\n"), "CVE-2026-0001") {
		t.Error(got)
	}
	a := vex.New("b@example.com", vex.Options{Time: on(0)})
	a.Affected("CVE-2026-0005", "Wait.", image)
	a.NotAffected("GO-2026-0001", assay.InlineMitigationsAlreadyExist, image)
	// GO-2026-0001 is an alias of CVE-2026-0001.
	if got := draft(o, must(a.Build())); len(got) != 2 {
		t.Error(got)
	}
}

func TestDraftRefuses(t *testing.T) {
	_, err := triage.Draft(nil, "a", image, triage.DraftOptions{})
	wantError(t, err, assay.ErrInvalid, "result")
	_, err = triage.Draft(&triage.Result{}, "a", image, triage.DraftOptions{})
	wantError(t, err, assay.ErrAbsent, "decisions")
	f := assay.Finding{Vulnerability: assay.Vulnerability{ID: cve}, Component: "file-1"}
	r := must(triage.Triage(&assay.Scan{Findings: []assay.Finding{f}}, vex.NewTimeline(nil, on(0)), nil, triage.Options{}))
	_, err = triage.Draft(r, "a", image, triage.DraftOptions{})
	wantError(t, err, assay.ErrInvalid, "file-1", string(cve), "OpenVEX 10")
	// A CPE of the SBOM's names it as well.
	doc := &assay.SBOM{Components: []assay.Component{{ID: "file-1", CPEs: []string{"cpe:2.3:a:x:y:1:*:*:*:*:*:*:*"}}}}
	d := must(triage.Draft(r, "a", image, triage.DraftOptions{SBOM: doc, Document: vex.Options{Time: on(0)}}))
	if v := must(d.Build()); len(v.Statements[0].Products[0].Subcomponents[0].CPEs) != 1 {
		t.Errorf("got %+v", v.Statements[0])
	}
}
