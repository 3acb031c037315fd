package verify_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/attest"
	"github.com/assaykit/assay/internal/testsigstore"
	"github.com/assaykit/assay/verify"
	"github.com/assaykit/assay/vex"
	"github.com/assaykit/assay/vex/remediation"
)

const day = 24 * time.Hour

// finding is a critical vulnerability in libfoo that was published, and could be fixed,
// that long ago.
func (f *fixture) finding(t testing.TB, id assay.VulnID, ago time.Duration, edit ...func(*assay.Finding)) assay.Finding {
	c := f.component(t, "libfoo")
	x := assay.Finding{
		Vulnerability: assay.Vulnerability{ID: id}, Component: c.ID, PURL: c.PURL,
		Severities: []assay.Severity{{Source: "nvd", Rating: assay.RatingCritical}},
		Published:  at.Add(-ago),
		Fix:        assay.Fix{Version: "2.1-1", State: assay.FixAvailable, Available: at.Add(-ago), AvailableBy: "advisory"},
	}
	for _, e := range edit {
		e(&x)
	}
	return x
}

func found(list ...assay.Finding) func(*assay.Scan) {
	return func(s *assay.Scan) { s.Findings = list }
}

// What is open is inside its deadline or not; what VEX closes has none; what cannot be
// dated passes nothing.
func TestRemediationOfFindings(t *testing.T) {
	f := newFixture(t)
	const id = "CVE-2026-2000"
	undecided := func(s *assay.Scan) {
		s.Unevaluated = []assay.Unevaluated{{Vulnerability: id, PURL: f.component(t, "libfoo").PURL, Reason: `version "2.0-1": no order`}}
	}
	absent := f.newVEX(t, func(d *vex.Draft, p assay.Product) {
		d.NotAffected(id, assay.ComponentNotPresent, p)
		d.NotAffected("CVE-2026-1000", assay.VulnerableCodeNotPresent, p)
	})
	stated := f.newVEX(t, func(d *vex.Draft, p assay.Product) { d.NotAffected(id, assay.VulnerableCodeNotInExecutePath, p) })
	for _, tt := range []struct {
		name          string
		scan          func(*assay.Scan)
		vex           *assay.VEX
		findings, sla assay.State
		why, due      verify.Reason
		detail        string
	}{
		{"nothing", found(), f.vex, assay.Proven, assay.Proven, verify.Holds, verify.Holds, "inside its deadline"},
		{"inside", found(f.finding(t, id, 6*day)), f.vex, assay.Proven, assay.Proven, verify.Holds, verify.Holds, "due on 2026-05-07T12:00:00Z"},
		{"passed", found(f.finding(t, id, 8*day)), f.vex, assay.Proven, assay.Refuted, verify.Holds, verify.TooOld, "was due on 2026-05-05T12:00:00Z"},
		{"passed, and not affected", found(f.finding(t, id, 8*day)), stated, assay.Proven, assay.Proven, verify.Holds, verify.Holds, "inside"},
		{"not present, and there", found(f.finding(t, id, 6*day)), absent, assay.Refuted, assay.Proven, verify.Contradiction, verify.Holds, "due on"},
		{"not rated, passed", found(f.finding(t, id, 8*day, func(x *assay.Finding) { x.Severities = nil })), f.vex, assay.Proven, assay.Refuted, verify.Holds, verify.TooOld, "was due"},
		{"not published, fixed of late", found(f.finding(t, id, 6*day, func(x *assay.Finding) { x.Published = time.Time{} })), f.vex, assay.Proven, assay.Proven, verify.Holds, verify.Holds, "due not before 2026-05-07"},
		{"not published, fixed long ago", found(f.finding(t, id, 8*day, func(x *assay.Finding) { x.Published = time.Time{} })), f.vex, assay.Proven, assay.Unknown, verify.Holds, verify.NotShown, "published"},
		{"no dates", found(f.finding(t, id, 6*day, func(x *assay.Finding) { x.Published, x.Fix.Available = time.Time{}, time.Time{} })), f.vex, assay.Proven, assay.Unknown, verify.Holds, verify.NotShown, "published"},
		{"not decided", undecided, f.vex, assay.Unknown, assay.Unknown, verify.NotShown, verify.NotShown, "no order"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			policy := f.policy()
			policy.Require = append(slices.Clone(policy.Require), assay.KindScan)
			profile, err := remediation.Named(remediation.ProfileDefault)
			if err != nil {
				t.Fatal(err)
			}
			policy.SLA = profile
			r := f.askAbout(t, policy, []assay.Envelope{f.sign(t, f.signer, f.sbom), f.sign(t, f.signer, f.provenance), f.sign(t, f.signer, f.posture),
				f.sign(t, f.signer, tt.vex), f.sign(t, f.signer, f.newScan(tt.scan))})
			check(t, r, verify.CheckFindings, tt.findings, tt.why)
			c := check(t, r, verify.CheckRemediation, tt.sla, tt.due)
			if text := c.Detail + "\n" + strings.Join(c.Findings, "\n"); !strings.Contains(text, tt.detail) {
				t.Errorf("%s\nlacks %q", text, tt.detail)
			}
			if pass := tt.findings == assay.Proven && tt.sla == assay.Proven; pass != (r.Verdict.Policy == assay.Proven) {
				t.Errorf("policy is %s: %v", r.Verdict.Policy, r.Err())
			}
		})
	}
}

// Whoever may not speak for an author closes nothing.
func TestFindingsIgnoreOtherAuthors(t *testing.T) {
	f := newFixture(t)
	policy := f.policy()
	policy.Signers[0].VEXAuthors = []string{"somebody-else@example.com"}
	doc := f.newVEX(t, func(d *vex.Draft, p assay.Product) {
		d.NotAffected("CVE-2026-2000", assay.VulnerableCodeNotInExecutePath, p)
	})
	r := f.askAbout(t, policy, []assay.Envelope{f.sign(t, f.signer, doc), f.sign(t, f.signer, f.newScan(found(f.finding(t, "CVE-2026-2000", 8*day))))})
	check(t, r, verify.CheckRemediation, assay.Refuted, verify.TooOld)
}

// A record of the stream tightens what one scan says, and hides nothing of it.
func TestRemediationRecord(t *testing.T) {
	f := newFixture(t)
	const id = "CVE-2026-2000"
	earlier := assay.SumSHA256([]byte("yesterday's image"))
	var purls []assay.PURL
	for _, c := range f.sbom.Components {
		purls = append(purls, c.PURL)
	}
	scanOf := func(when time.Time, list ...assay.Finding) remediation.Scan {
		s := f.newScan(found(list...))
		s.StartedOn, s.FinishedOn, s.Scanner.DBUpdated = time.Time{}, when, when.Add(-time.Hour)
		statement := remediation.Statement("scan", []byte(when.String()))
		return remediation.Scan{Scan: s, Statement: statement, Signed: remediation.Witnessed(when, statement), Components: purls}
	}
	witnessed := func(when time.Time) assay.Dated {
		return remediation.Witnessed(when, remediation.Statement("image", []byte(when.String())))
	}
	older := func(x *assay.Finding) {
		x.PURL = assay.MustPURL("pkg:deb/debian/libfoo@1.9-1?arch=amd64&distro=debian-12")
	}
	record := func(ends assay.Digest, list ...assay.Finding) *assay.Remediation {
		t.Helper()
		r, err := remediation.Record("registry.example/app:1", []remediation.Build{
			{Image: earlier, Signed: witnessed(at.Add(-30 * time.Hour)), Scans: []remediation.Scan{scanOf(at.Add(-29*time.Hour), f.finding(t, id, 8*day, older))}},
			{Image: ends, Signed: witnessed(at.Add(-6 * time.Hour)), Scans: []remediation.Scan{scanOf(at.Add(-5*time.Hour), list...)}},
		}, remediation.Options{})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	for _, tt := range []struct {
		name   string
		record *assay.Remediation
		scan   []assay.Finding
		state  assay.State
		reason verify.Reason
	}{
		{"fixed, late", record(f.digest), nil, assay.Proven, verify.Holds},
		{"still there", record(f.digest, f.finding(t, id, 8*day)), nil, assay.Refuted, verify.TooOld},
		{"said to be fixed, and there", record(f.digest), []assay.Finding{f.finding(t, id, 8*day)}, assay.Refuted, verify.TooOld},
		{"of another image", record(assay.SumSHA256([]byte("another"))), nil, assay.Unknown, verify.OtherImage},
	} {
		t.Run(tt.name, func(t *testing.T) {
			policy := f.policy()
			policy.Require = append(slices.Clone(policy.Require), assay.KindScan, assay.KindRemediation)
			r := f.askAbout(t, policy, append(f.genuine(t), f.sign(t, f.signer, f.newScan(found(tt.scan...))), f.sign(t, f.signer, tt.record)))
			c := check(t, r, verify.CheckRemediation, tt.state, tt.reason)
			if tt.state == assay.Proven && !strings.Contains(c.Detail, "0 remediated in time, 1 late") {
				t.Errorf("detail is %q", c.Detail)
			}
			if (tt.state == assay.Proven) != (r.Verdict.Policy == assay.Proven) {
				t.Errorf("policy is %s: %v", r.Verdict.Policy, r.Err())
			}
		})
	}
	// A record that leaves out what the scan found that it names is false.
	t.Run("not what its scan says", func(t *testing.T) {
		bad := f.finding(t, id, day)
		signed := f.newScan(found(bad))
		stmt, err := attest.NewStatement(signed, attest.StatementOptions{}, f.subject())
		if err != nil {
			t.Fatal(err)
		}
		statement := remediation.Statement("scan", stmt.Payload())
		lie := f.newScan()
		r, err := remediation.Record("registry.example/app:1", []remediation.Build{{Image: f.digest, Signed: witnessed(at.Add(-6 * time.Hour)),
			Scans: []remediation.Scan{{Scan: lie, Statement: statement, Signed: remediation.Claimed(lie.FinishedOn, statement), Components: purls}}}}, remediation.Options{AsOf: at})
		if err != nil {
			t.Fatal(err)
		}
		env, err := attest.Sign(context.Background(), f.signer, stmt)
		if err != nil {
			t.Fatal(err)
		}
		report := f.askAbout(t, f.policy(), append(f.genuine(t), env, f.sign(t, f.signer, r)))
		c := check(t, report, verify.CheckRemediation, assay.Refuted, verify.Contradiction)
		if !strings.Contains(strings.Join(c.Findings, "\n"), id) {
			t.Errorf("findings are %q", c.Findings)
		}
	})
	// A clock that starts when something is first seen needs somebody who looked before.
	t.Run("first seen", func(t *testing.T) {
		policy := f.policy()
		profile, err := remediation.Named(remediation.ProfileFedRAMP)
		if err != nil {
			t.Fatal(err)
		}
		policy.SLA = profile
		ask := func(s *assay.Scan, more ...assay.Evidence) *verify.Report {
			envelopes := append(f.genuine(t), f.sign(t, f.signer, s))
			for _, e := range more {
				envelopes = append(envelopes, f.sign(t, f.signer, e))
			}
			return f.askAbout(t, policy, envelopes)
		}
		open := f.finding(t, id, 90*day)
		check(t, ask(f.newScan(found(open))), verify.CheckRemediation, assay.Unknown, verify.NotStated)
		check(t, ask(f.newScan(found(open)), record(f.digest, open)), verify.CheckRemediation, assay.Proven, verify.Holds)
		open.FirstSeen = at.Add(-31 * day)
		check(t, ask(f.newScan(found(open))), verify.CheckRemediation, assay.Refuted, verify.TooOld)
	})
	t.Run("without a scan", func(t *testing.T) {
		r := f.askAbout(t, f.policy(), append(f.genuine(t), f.sign(t, f.signer, record(f.digest))))
		check(t, r, verify.CheckRemediation, assay.Unknown, verify.NotStated)
	})
}

// An image with all evidence is secure, and is no more when time goes by.
func TestSecure(t *testing.T) {
	f := newFixture(t)
	v := testsigstore.NewVirtual(t)
	run := testsigstore.Workflow{}
	ci := virtualSigner{t, v, run.Identity(""), testsigstore.SignOptions{At: at.Add(-time.Hour)}}
	f.provenance = workflowProvenance(t, run)
	policy := verify.Policy{
		Signers: []verify.SignerRule{{Name: "release", Issuer: testsigstore.GitHubIssuer, Subject: run.SAN(), VEXAuthors: []string{vexAuthor},
			Claims: assay.Claims{RunnerEnvironment: "github-hosted"}}},
		Sources: []string{run.Identity("").Extensions.SourceRepositoryURI},
		Stage:   assay.Secure,
	}
	var envelopes []assay.Envelope
	for _, e := range []assay.Evidence{f.sbom, f.provenance, f.vex, f.posture, f.newScan(found(f.finding(t, "CVE-2026-2000", 6*day)))} {
		envelopes = append(envelopes, f.sign(t, ci, e))
	}
	ask := func(after time.Duration) *verify.Report {
		t.Helper()
		return f.askWith(t, verify.Trust{TrustedRoot: v.TrustedRootJSON()}, policy, at.Add(after), envelopes)
	}
	r := ask(0)
	if !r.Verdict.Reaches(assay.Secure) || r.Err() != nil {
		t.Fatalf("%s: missing %v: %v", r.Verdict.Stage, r.Verdict.Missing, r.Err())
	}
	for _, tt := range []struct {
		after   time.Duration
		missing []string
	}{
		{23 * time.Hour, nil},
		{25 * time.Hour, []string{verify.CheckRemediation}},
		{36 * time.Hour, []string{verify.CheckRebuilt, verify.CheckScan, verify.CheckScanCoverage, verify.CheckFindings, verify.CheckRemediation}},
	} {
		r := ask(tt.after)
		missing := slices.Clone(r.Verdict.Missing)
		slices.Sort(missing)
		slices.Sort(tt.missing)
		if !slices.Equal(missing, tt.missing) || r.Verdict.Reaches(assay.Secure) != (tt.missing == nil) {
			t.Errorf("after %s: %s, missing %q, want %q", tt.after, r.Verdict.Stage, missing, tt.missing)
		}
	}
}
