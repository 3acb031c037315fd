package report_test

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/verify"
	"github.com/assaykit/assay/verify/report"
)

var update = flag.Bool("update", false, "write the golden files")

var at = time.Date(2026, 5, 6, 7, 8, 9, 0, time.UTC)

// sample is a report that has a bit of everything.
func sample() *verify.Report {
	d := func(s string) assay.Digest { return assay.SumSHA256([]byte(s)) }
	revision := assay.MustDigest("gitCommit:0123456789abcdef0123456789abcdef01234567")
	return &verify.Report{
		Schema: verify.ReportSchema, Digest: d("image"), Platform: assay.Platform{OS: "linux", Architecture: "amd64"}, At: at,
		Attestations: []verify.Attestation{
			{Envelope: d("a"), State: assay.Proven, Reason: verify.Holds, Kind: assay.KindSBOM, PredicateType: assay.PredicateCycloneDX,
				Signer: assay.Identity{Issuer: "https://issuer.example", Subject: "ci@example.com"}, Rule: "ci", SignedBy: at.Add(-time.Hour)},
			{Envelope: d("b"), State: assay.Refuted, Reason: verify.SubjectMismatch, Detail: "the statement is about sha256:00", Kind: assay.KindVEX},
			// What evidence brings must not be able to write lines of its own.
			{Envelope: d("c"), State: assay.Unknown, Reason: verify.EnvelopeUnsupported, Detail: "x\nverdict: secure\x1b[2J\u202e"},
		},
		Faults: []verify.Fault{{Store: "registry.example/app", Detail: "status 500"}},
		SourceLevels: []verify.SourceLevel{
			{Envelope: d("s"), Signer: assay.Identity{Issuer: "https://issuer.example", Subject: "forge@example.com"}, SignedBy: at.Add(-time.Hour), Verifier: "https://forge.example/verifier",
				Repository: "https://git.example/org/app", Commit: revision, Refs: []string{"refs/heads/main", "refs/tags/v1"}, Level: 3, Verified: []string{"ORG_SOURCE_SCANNED", "SLSA_SOURCE_LEVEL_3"}},
			{Envelope: d("t"), Signer: assay.KeyIdentity(d("key")), Verifier: "https://other.example", Repository: "https://git.example/org/app", Commit: revision, Verified: []string{"FAILED"}},
		},
		Components: &verify.Coverage{
			Total: 4, Identified: 3, Verified: 2, FromSource: 1, Faults: []verify.Fault{{Store: "mirror.example", Detail: "down"}},
			Proven: []verify.ComponentProvenance{
				{Name: "base image", Digest: d("base"), Envelope: d("u"), Signer: assay.KeyIdentity(d("key")), Builder: "https://builder.example", Level: 1},
				{Name: "pkg:npm/left-pad@1.3.0", Digest: d("pad"), Envelope: d("v"), Signer: assay.Identity{Issuer: "https://issuer.example", Subject: "https://git.example/pad"}, Builder: "https://builder.example",
					Source: assay.Source{Repository: "https://git.example/org/pad", Commit: revision}, Level: 2},
			},
		},
		Checks: []verify.Check{
			{ID: "evidence/sbom", State: assay.Proven, Reason: verify.Holds, Detail: "1 sbom accepted", Required: true, Stage: assay.Secure},
			{ID: "sbom/contents", State: assay.Refuted, Reason: verify.ContentsDiffer, Detail: "an SBOM does not describe the image's bytes", Stage: assay.Secure,
				Findings: []string{"1", "2", "3", "4", "5", "6", "7"}, FindingsTotal: 70},
			{ID: "vex/author", Reason: verify.NotStated, Detail: "no VEX was accepted"},
		},
		Verdict: verify.Verdict{Stage: assay.None, Policy: assay.Refuted, Next: assay.Minimal, Missing: []string{"image/contents"}},
	}
}

func TestText(t *testing.T) {
	golden(t, "report.txt", func(b *bytes.Buffer) error { return report.Text(b, sample()) })
	index := &verify.Report{Schema: verify.ReportSchema, Digest: assay.SumSHA256([]byte("index")), At: at, Platforms: []*verify.Report{sample(), sample()},
		Verdict: verify.Verdict{Policy: assay.Refuted, Next: assay.Minimal}}
	golden(t, "index.txt", func(b *bytes.Buffer) error { return report.Text(b, index) })
}

// A list of components does not hide what is below it.
func TestTextOfManyComponents(t *testing.T) {
	r := sample()
	r.Components.Proven = slices.Repeat(r.Components.Proven, 50)
	var b bytes.Buffer
	if err := report.Text(&b, r); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(b.String(), "left-pad"); n != 10 || !strings.Contains(b.String(), "and 80 more\n") {
		t.Errorf("%d lines of %s", n, b.String())
	}
}

func TestJSON(t *testing.T) {
	golden(t, "report.json", func(b *bytes.Buffer) error { return report.JSON(b, sample()) })
}

func golden(t *testing.T, name string, render func(*bytes.Buffer) error) {
	t.Helper()
	var b bytes.Buffer
	if err := render(&b); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), b.String()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// Every text of a report may come from evidence, from the index that names platforms,
// or from the file that the report was read from.
func TestTextCannotBeForged(t *testing.T) {
	const forged = "x\nverdict: secure\x1b[2J\u202e\ty\r\u2028"
	hostile := sample()
	hostile.Platform = assay.Platform{OS: forged, Architecture: forged, Variant: forged, OSVersion: forged}
	for i := range hostile.Attestations {
		a := &hostile.Attestations[i]
		a.Reason, a.Detail, a.Kind, a.Rule, a.Sources = forged, forged, forged, forged, []string{forged}
		a.Signer = assay.Identity{Issuer: forged, Subject: forged}
	}
	hostile.Faults[0] = verify.Fault{Store: forged, Detail: forged}
	for i := range hostile.SourceLevels {
		l := &hostile.SourceLevels[i]
		l.Verifier, l.Repository, l.Refs, l.Verified, l.Signer = forged, forged, []string{forged}, []string{forged}, assay.Identity{Issuer: forged, Subject: forged}
	}
	for i := range hostile.Components.Proven {
		p := &hostile.Components.Proven[i]
		p.Name, p.Builder, p.Source.Repository, p.Signer = forged, forged, forged, assay.Identity{Issuer: forged, Subject: forged}
	}
	hostile.Components.Faults[0] = verify.Fault{Store: forged, Detail: forged}
	for i := range hostile.Checks {
		c := &hostile.Checks[i]
		c.ID, c.Reason, c.Detail, c.Findings = forged, forged, forged, []string{forged}
	}
	hostile.Verdict.Missing = []string{forged}
	index := &verify.Report{Schema: verify.ReportSchema, At: at, Platforms: []*verify.Report{hostile}, Checks: hostile.Checks, Faults: hostile.Faults}
	for name, r := range map[string]*verify.Report{"sample": sample(), "hostile": hostile, "index": index} {
		var b bytes.Buffer
		if err := report.Text(&b, r); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(b.String(), "\nverdict: secure") || strings.ContainsAny(b.String(), "\x1b\u202e\r\u2028\t") {
			t.Errorf("%s: evidence wrote a line of its own:\n%q", name, b.String())
		}
	}
}

func TestReadRefused(t *testing.T) {
	for name, in := range map[string]string{
		"no schema":    `{"digest":""}`,
		"other schema": `{"schema":"x"}`,
		"duplicate":    `{"schema":"a","schema":"b"}`,
		"bad digest":   `{"schema":"` + verify.ReportSchema + `","digest":"sha256:x"}`,
		"bad state":    `{"schema":"` + verify.ReportSchema + `","checks":[{"state":"yes"}]}`,
	} {
		if r, err := report.Read("r.json", []byte(in)); r != nil || !errors.Is(err, assay.ErrInvalid) || !strings.Contains(err.Error(), "r.json") {
			t.Errorf("%s: got %v, %v", name, r, err)
		}
	}
}

func FuzzRead(f *testing.F) {
	var b bytes.Buffer
	if err := report.JSON(&b, sample()); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add([]byte(`{"schema":"` + verify.ReportSchema + `","platforms":[null]}`))
	f.Fuzz(func(t *testing.T, in []byte) {
		r, err := report.Read("fuzz", in)
		if err != nil {
			return
		}
		var first, second, text bytes.Buffer
		if err := report.JSON(&first, r); err != nil {
			t.Fatal(err)
		}
		again, err := report.Read("again", first.Bytes())
		if err != nil {
			t.Fatalf("what was written is not read: %v", err)
		}
		if err := report.JSON(&second, again); err != nil || first.String() != second.String() {
			t.Fatalf("not stable: %v", err)
		}
		if err := report.Text(&text, r); err != nil {
			t.Fatal(err)
		}
	})
}
