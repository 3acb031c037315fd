package verify_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/attest"
	"github.com/assaykit/assay/verify"
)

const scannerURI = "https://scanner.example/v1"

// newScan is a scan of all that is in the fixture's image, which found nothing.
func (f *fixture) newScan(edit ...func(*assay.Scan)) *assay.Scan {
	var purls []assay.PURL
	for _, c := range f.sbom.Components {
		purls = append(purls, c.PURL)
	}
	s := &assay.Scan{
		Scanner:   assay.Scanner{URI: scannerURI, Version: "1.0", DBUpdated: at.Add(-3 * time.Hour)},
		StartedOn: at.Add(-2*time.Hour - time.Minute), FinishedOn: at.Add(-2 * time.Hour),
		Coverage: &assay.Coverage{Components: len(purls), Digest: assay.CoverageDigest(purls)},
	}
	for _, e := range edit {
		e(s)
	}
	return s
}

// scanned verifies the genuine evidence and scans.
func (f *fixture) scanned(t testing.TB, policy verify.Policy, scans ...*assay.Scan) *verify.Report {
	t.Helper()
	envelopes := f.genuine(t)
	for _, s := range scans {
		envelopes = append(envelopes, f.sign(t, f.signer, s))
	}
	return f.askAbout(t, policy, envelopes)
}

func TestScanFresh(t *testing.T) {
	f := newFixture(t)
	old := func(s *assay.Scan) {
		s.StartedOn, s.FinishedOn = at.Add(-37*time.Hour), at.Add(-37*time.Hour)
		s.Scanner.DBUpdated = at.Add(-38 * time.Hour)
	}
	staleDB := func(s *assay.Scan) { s.Scanner.DBUpdated = at.Add(-49 * time.Hour) }
	for _, tt := range []struct {
		name   string
		scans  []*assay.Scan
		state  assay.State
		reason verify.Reason
	}{
		{"none", nil, assay.Unknown, verify.NotStated},
		{"fresh", []*assay.Scan{f.newScan()}, assay.Proven, verify.Holds},
		{"old", []*assay.Scan{f.newScan(old)}, assay.Refuted, verify.TooOld},
		{"of an old database", []*assay.Scan{f.newScan(staleDB)}, assay.Refuted, verify.TooOld},
		{"old and fresh", []*assay.Scan{f.newScan(old), f.newScan()}, assay.Proven, verify.Holds},
		{"of tomorrow", []*assay.Scan{f.newScan(func(s *assay.Scan) { s.FinishedOn = at.Add(24 * time.Hour) })}, assay.Unknown, verify.FromTheFuture},
		{"before its database, beside a fresh one", []*assay.Scan{f.newScan(), f.newScan(func(s *assay.Scan) { s.Scanner.DBUpdated = at.Add(-time.Hour) })}, assay.Refuted, verify.Contradiction},
	} {
		t.Run(tt.name, func(t *testing.T) {
			policy := f.policy()
			policy.Require = append(slices.Clone(policy.Require), assay.KindScan)
			r := f.scanned(t, policy, tt.scans...)
			check(t, r, verify.CheckScan, tt.state, tt.reason)
			if (r.Verdict.Policy == assay.Proven) != (tt.state == assay.Proven) {
				t.Errorf("policy is %s", r.Verdict.Policy)
			}
		})
	}
}

// The ages are the policy's.
func TestScanWithin(t *testing.T) {
	f := newFixture(t)
	policy := f.policy()
	policy.ScanWithin, policy.DatabaseWithin = verify.Duration(time.Hour), verify.Duration(12*time.Hour)
	check(t, f.scanned(t, policy, f.newScan()), verify.CheckScan, assay.Refuted, verify.TooOld)
	policy.ScanWithin = verify.Duration(2 * time.Hour)
	check(t, f.scanned(t, policy, f.newScan()), verify.CheckScan, assay.Proven, verify.Holds)
	policy.DatabaseWithin = verify.Duration(3*time.Hour - time.Second)
	check(t, f.scanned(t, policy, f.newScan()), verify.CheckScan, assay.Refuted, verify.TooOld)
}

func TestScanCoverage(t *testing.T) {
	f := newFixture(t)
	unasked := func(purl string) func(*assay.Scan) {
		return func(s *assay.Scan) {
			s.Unevaluated = []assay.Unevaluated{{PURL: assay.MustPURL(purl), Reason: "no database of the ecosystem"}}
		}
	}
	for _, tt := range []struct {
		name   string
		scan   *assay.Scan
		exempt []string
		state  assay.State
		reason verify.Reason
	}{
		{"all", f.newScan(), nil, assay.Proven, verify.Holds},
		{"not said", f.newScan(func(s *assay.Scan) { s.Coverage = nil }), nil, assay.Unknown, verify.NotShown},
		{"one less", f.newScan(func(s *assay.Scan) {
			s.Coverage.Digest = assay.CoverageDigest([]assay.PURL{f.component(t, "libfoo").PURL})
		}), nil, assay.Unknown, verify.NotShown},
		{"one that could not be asked about", f.newScan(unasked("pkg:generic/app@1")), nil, assay.Unknown, verify.NotShown},
		{"one that need not be", f.newScan(unasked("pkg:generic/app@1")), []string{"generic"}, assay.Proven, verify.Holds},
		{"a database that lost records", f.newScan(func(s *assay.Scan) { s.Unevaluated = []assay.Unevaluated{{Reason: "3 records could not be read"}} }), []string{"", "generic"}, assay.Unknown, verify.NotShown},
		{"another that is not exempt", f.newScan(unasked("pkg:deb/debian/libfoo@2.0-1")), []string{"generic"}, assay.Unknown, verify.NotShown},
	} {
		t.Run(tt.name, func(t *testing.T) {
			policy := f.policy()
			policy.ScanExempt = tt.exempt
			check(t, f.scanned(t, policy, tt.scan), verify.CheckScanCoverage, tt.state, tt.reason)
		})
	}
}

// A scan of cosign's type need not say how old its database is, and is then of unknown age.
func TestScanOfUnknownDatabase(t *testing.T) {
	f := newFixture(t)
	scan := f.newScan(func(s *assay.Scan) { s.Scanner.DBUpdated = time.Time{} })
	stmt, err := attest.NewStatement(scan, attest.StatementOptions{PredicateType: assay.PredicateCosignVuln}, f.subject())
	if err != nil {
		t.Fatal(err)
	}
	env, err := attest.Sign(context.Background(), f.signer, stmt)
	if err != nil {
		t.Fatal(err)
	}
	r := f.askAbout(t, f.policy(), append(f.genuine(t), env))
	check(t, r, verify.CheckScan, assay.Unknown, verify.NotStated)
	check(t, r, verify.CheckFindings, assay.Unknown, verify.NotStated)
}
