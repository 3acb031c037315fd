package verify_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/attest"
	"github.com/assaykit/assay/internal/testimage"
	"github.com/assaykit/assay/internal/testregistry"
	"github.com/assaykit/assay/internal/testsigstore"
	"github.com/assaykit/assay/sbom/image"
	"github.com/assaykit/assay/verify"
	"github.com/assaykit/assay/vex"
	"github.com/assaykit/assay/vex/remediation"
)

// What is said of an index closes findings in its images, beside what is said of them.
func TestVEXOfAnIndexClosesFindings(t *testing.T) {
	f := newFixture(t)
	other := testimage.New(t, testimage.Layer{Files: []testimage.File{{Name: "app", Mode: 0o755, Body: "arm"}}})
	index := testimage.NewIndex(t,
		testimage.Member{Image: f.image, Platform: assay.Platform{OS: "linux", Architecture: "amd64"}},
		testimage.Member{Image: other, Platform: assay.Platform{OS: "linux", Architecture: "arm64"}})
	home := testregistry.InProcess(t, testregistry.Options{})
	ref := testimage.PushIndex(t, home.Ref("app:v1"), index)
	publish := func(digest assay.Digest, evidence ...assay.Evidence) {
		t.Helper()
		if _, err := attest.Publish(context.Background(), f.signer, ref.Context().Name()+"@"+digest.String(), attest.PublishOptions{}, evidence...); err != nil {
			t.Fatal(err)
		}
	}
	part := vex.ComponentProduct(f.component(t, "libfoo"))
	say := func(id assay.VulnID) func(*vex.Draft, assay.Product) {
		return func(d *vex.Draft, p assay.Product) { d.NotAffected(id, assay.VulnerableCodeNotInExecutePath, p) }
	}
	publish(f.digest, f.newScan(found(f.finding(t, "CVE-2026-2000", 8*day), f.finding(t, "CVE-2026-2001", 8*day))))
	publish(f.digest, newVEXAbout(t, f.digest, say("CVE-2026-2000"), part))
	ask := func() *verify.Report {
		t.Helper()
		v, err := verify.New(f.trust(), verify.Policy{Signers: f.policy().Signers, Require: []assay.Kind{assay.KindScan}}, verify.At(at))
		if err != nil {
			t.Fatal(err)
		}
		r, err := v.Verify(context.Background(), index.ID(), attest.FromRegistry(ref.Context().Name(), image.Registry{}))
		if err != nil {
			t.Fatal(err)
		}
		replays(t, r)
		return r.Platforms[0]
	}
	if c := check(t, ask(), verify.CheckRemediation, assay.Refuted, verify.TooOld); len(c.Findings) != 1 || !strings.HasPrefix(c.Findings[0], "CVE-2026-2001") {
		t.Errorf("got %q", c.Findings)
	}
	publish(index.ID(), newVEXAbout(t, index.ID(), say("CVE-2026-2001"), part))
	check(t, ask(), verify.CheckRemediation, assay.Proven, verify.Holds)
	// And contradicts what is said of an image, under either name.
	publish(index.ID(), newVEXAbout(t, index.ID(), func(d *vex.Draft, p assay.Product) { d.Affected("CVE-2026-2000", "Upgrade.", p) }, part))
	check(t, ask(), verify.CheckVEXConsistent, assay.Refuted, verify.Contradiction)
}

// Times in a document are its author's claim, but none is of a time after its signature,
// or after now.
func TestVEXTimes(t *testing.T) {
	f := newFixture(t)
	v := testsigstore.NewVirtual(t)
	run := testsigstore.Workflow{}
	signed := at.Add(-30 * day)
	ci := virtualSigner{t, v, run.Identity(""), testsigstore.SignOptions{At: signed}}
	policy := verify.Policy{Signers: []verify.SignerRule{{Name: "release", Issuer: testsigstore.GitHubIssuer, Subject: run.SAN(), VEXAuthors: []string{vexAuthor}}}, Require: []assay.Kind{assay.KindVEX}}
	scanner := virtualSigner{t, v, run.Identity(""), testsigstore.SignOptions{At: at.Add(-time.Hour)}}
	say := func(id string, when time.Time, version int, do func(*vex.Draft, assay.Product)) *assay.VEX {
		doc := f.newVEX(t, do)
		doc.ID, doc.Timestamp, doc.Version = id, when, version
		for i := range doc.Statements {
			doc.Statements[i].Timestamp = when
		}
		return doc
	}
	not := func(d *vex.Draft, p assay.Product) {
		d.NotAffected("CVE-2026-2000", assay.VulnerableCodeNotInExecutePath, p)
	}
	affected := func(d *vex.Draft, p assay.Product) { d.Affected("CVE-2026-2000", "Upgrade.", p) }
	const a, b = "https://vex.example/a", "https://vex.example/b"
	late := func(edit func(*assay.VEX)) *assay.VEX {
		doc := say(a, signed, 1, not)
		edit(doc)
		return doc
	}
	for _, tt := range []struct {
		name       string
		docs       []*assay.VEX
		consistent assay.State
		why        verify.Reason
		sla        assay.State
	}{
		{"of its time", []*assay.VEX{say(a, signed, 1, not)}, assay.Proven, verify.Holds, assay.Proven},
		{"back-dated before an earlier word", []*assay.VEX{say(a, signed.Add(-day), 1, not), say(b, signed, 1, affected)}, assay.Proven, verify.Holds, assay.Refuted},
		{"signed to take effect later", []*assay.VEX{say(a, signed.Add(day), 1, not)}, assay.Refuted, verify.Contradiction, assay.Refuted},
		{"a statement that takes effect later", []*assay.VEX{late(func(v *assay.VEX) { v.Statements[0].Timestamp = signed.Add(day) })}, assay.Refuted, verify.Contradiction, assay.Refuted},
		{"an update that takes effect later", []*assay.VEX{late(func(v *assay.VEX) { v.Statements[0].LastUpdated = signed.Add(day) })}, assay.Refuted, verify.Contradiction, assay.Refuted},
		{"updated after it was signed", []*assay.VEX{late(func(v *assay.VEX) { v.LastUpdated = signed.Add(day) })}, assay.Refuted, verify.Contradiction, assay.Refuted},
		{"a newer version", []*assay.VEX{say(a, signed.Add(-day), 1, affected), say(a, signed, 2, not)}, assay.Proven, verify.Holds, assay.Proven},
		{"an older version that was signed as well", []*assay.VEX{say(a, signed.Add(-day), 1, not), say(a, signed, 2, affected)}, assay.Proven, verify.Holds, assay.Refuted},
		{"two of one version", []*assay.VEX{say(a, signed.Add(-day), 1, affected), say(a, signed, 1, not)}, assay.Refuted, verify.Contradiction, assay.Proven},
	} {
		t.Run(tt.name, func(t *testing.T) {
			envelopes := []assay.Envelope{f.sign(t, scanner, f.newScan(found(f.finding(t, "CVE-2026-2000", 8*day))))}
			for _, doc := range tt.docs {
				envelopes = append(envelopes, f.sign(t, ci, doc))
			}
			r := f.askWith(t, verify.Trust{TrustedRoot: v.TrustedRootJSON()}, policy, at, envelopes)
			check(t, r, verify.CheckVEXConsistent, tt.consistent, tt.why)
			if c, _ := r.Check(verify.CheckRemediation); c.State != tt.sla {
				t.Errorf("remediation is %s: %q", c.State, c.Findings)
			}
			if tt.consistent == assay.Refuted && r.Verdict.Policy != assay.Refuted {
				t.Errorf("policy is %s", r.Verdict.Policy)
			}
		})
	}
	// Without a witness there is the time of asking.
	doc := say(a, at.Add(day), 1, not)
	r := f.askAbout(t, f.policy(), []assay.Envelope{f.sign(t, f.signer, doc), f.sign(t, f.signer, f.newScan(found(f.finding(t, "CVE-2026-2000", 8*day))))})
	check(t, r, verify.CheckVEXConsistent, assay.Unknown, verify.FromTheFuture)
	check(t, r, verify.CheckRemediation, assay.Refuted, verify.TooOld)
	doc = say(a, at.Add(-day), 1, not)
	doc.Statements[0].Timestamp = at.Add(day)
	r = f.askAbout(t, f.policy(), []assay.Envelope{f.sign(t, f.signer, doc), f.sign(t, f.signer, f.newScan(found(f.finding(t, "CVE-2026-2000", 8*day))))})
	check(t, r, verify.CheckVEXConsistent, assay.Unknown, verify.FromTheFuture)
	check(t, r, verify.CheckRemediation, assay.Refuted, verify.TooOld)
}

// A scanner that asked one database about one image twice, and found less, is not believed.
func TestFindingsThatWereDropped(t *testing.T) {
	f := newFixture(t)
	db := func(s string) func(*assay.Scan) {
		return func(x *assay.Scan) { x.Scanner.DBDigest = assay.DigestSet{assay.SumSHA256([]byte(s))} }
	}
	earlier := func(s *assay.Scan) {
		s.StartedOn, s.FinishedOn = s.StartedOn.Add(-15*time.Minute), s.FinishedOn.Add(-15*time.Minute)
	}
	bad := f.finding(t, "CVE-2026-2000", 6*day)
	policy := f.policy()
	policy.Require = append(slices.Clone(policy.Require), assay.KindScan)
	for _, tt := range []struct {
		name   string
		first  *assay.Scan
		second *assay.Scan
		state  assay.State
		reason verify.Reason
	}{
		{"dropped", f.newScan(earlier, db("a"), found(bad)), f.newScan(db("a"), found()), assay.Refuted, verify.Contradiction},
		{"found since", f.newScan(earlier, db("a"), found()), f.newScan(db("a"), found(bad)), assay.Proven, verify.Holds},
		{"the same", f.newScan(earlier, db("a"), found(bad)), f.newScan(db("a"), found(bad)), assay.Proven, verify.Holds},
		{"with another database", f.newScan(earlier, db("a"), found(bad)), f.newScan(db("b"), found()), assay.Proven, verify.Holds},
		{"undecided", f.newScan(earlier, db("a"), found(bad)), f.newScan(db("a"), found(), func(s *assay.Scan) {
			s.Unevaluated = []assay.Unevaluated{{Vulnerability: bad.Vulnerability.ID, Component: bad.Component, PURL: bad.PURL, Reason: "no order"}}
		}), assay.Unknown, verify.NotShown},
		{"by another version of the scanner", f.newScan(earlier, db("a"), found(bad)), f.newScan(db("a"), found(), func(s *assay.Scan) { s.Scanner.Version = "1.1" }), assay.Proven, verify.Holds},
		{"of other components", f.newScan(earlier, db("a"), found(bad), func(s *assay.Scan) { s.Coverage.Digest = f.digest }), f.newScan(db("a"), found()), assay.Proven, verify.Holds},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := f.scanned(t, policy, tt.first, tt.second)
			check(t, r, verify.CheckFindings, tt.state, tt.reason)
			if (tt.state == assay.Proven) != (r.Verdict.Policy == assay.Proven) {
				t.Errorf("policy is %s: %v", r.Verdict.Policy, r.Err())
			}
		})
	}
}

// A database that moves its dates gives no time that was not there before.
func TestDatesThatMove(t *testing.T) {
	f := newFixture(t)
	old := f.newScan(found(f.finding(t, "CVE-2026-2000", 8*day)), func(s *assay.Scan) {
		s.StartedOn, s.FinishedOn, s.Scanner.DBUpdated = at.Add(-8*day), at.Add(-8*day), at.Add(-8*day)
	})
	now := f.newScan(found(f.finding(t, "CVE-2026-2000", 2*day)))
	check(t, f.scanned(t, f.policy(), now), verify.CheckRemediation, assay.Proven, verify.Holds)
	check(t, f.scanned(t, f.policy(), now, old), verify.CheckRemediation, assay.Refuted, verify.TooOld)
	// Nor is there no fix where there was one.
	none := f.newScan(found(f.finding(t, "CVE-2026-2000", 8*day, func(x *assay.Finding) { x.Fix = assay.Fix{State: assay.FixNone} })))
	check(t, f.scanned(t, f.policy(), none), verify.CheckRemediation, assay.Proven, verify.Holds)
	check(t, f.scanned(t, f.policy(), none, old), verify.CheckRemediation, assay.Refuted, verify.TooOld)
}

// streamRecord is a record that ends with the fixture's image, which has CVE-2026-2000
// since long ago; edit makes it say something else.
func (f *fixture) streamRecord(t *testing.T, edit func(*assay.Remediation, *assay.RemediationEntry)) *assay.Remediation {
	t.Helper()
	image := remediation.Statement("image", []byte("image"))
	scanned := func(when time.Time) assay.Dated {
		return remediation.Claimed(when, remediation.Statement("scan", []byte(when.String())))
	}
	c := f.component(t, "libfoo")
	earlier := assay.SumSHA256([]byte("before"))
	r := &assay.Remediation{
		Stream: "registry.example/app:1", AsOf: at.Add(-time.Hour),
		Images: []assay.ImageBuild{{Digest: earlier, Signed: remediation.Witnessed(at.Add(-100*day), image)}, {Digest: f.digest, Previous: earlier, Signed: remediation.Witnessed(at.Add(-day), image)}},
		Entries: []assay.RemediationEntry{{
			Vulnerability: assay.Vulnerability{ID: "CVE-2026-2000"}, Component: c.PURL.Package(), Occurrence: 1, Versions: []string{c.PURL.Version()},
			FirstSeen: scanned(at.Add(-40 * day)), LastSeen: scanned(at.Add(-2 * time.Hour)), FirstImage: earlier, LastImage: f.digest,
		}},
	}
	edit(r, &r.Entries[0])
	return r
}

// Where the clock starts when something is first seen, no record gives more time by what
// it leaves out, calls remediated, or excludes for reasons that nobody sees.
func TestRecordThatHidesWhenItWasSeen(t *testing.T) {
	f := newFixture(t)
	policy := f.policy()
	profile, err := remediation.Named(remediation.ProfileFedRAMP)
	if err != nil {
		t.Fatal(err)
	}
	policy.SLA = profile
	proof := []assay.Resource{remediation.Statement("x", []byte("x"))}
	accept := func(evidence []assay.Resource) func(*assay.Remediation, *assay.RemediationEntry) {
		return func(_ *assay.Remediation, e *assay.RemediationEntry) {
			e.Exclusions = []assay.Exclusion{{Reason: "risk-accepted", From: remediation.Witnessed(at.Add(-20*day), proof...), Until: at.Add(20 * day), Evidence: evidence}}
		}
	}
	minutes := assay.SumSHA256([]byte("minutes"))
	document := remediation.Document{Digest: minutes, Vulnerabilities: []assay.VulnID{"CVE-2026-2000"}, Reason: remediation.RiskAccepted, From: at.Add(-20 * day), Until: at.Add(20 * day)}
	for _, tt := range []struct {
		name      string
		edit      func(*assay.Remediation, *assay.RemediationEntry)
		documents []remediation.Document
		state     assay.State
		reason    verify.Reason
		says      string
	}{
		{"as it is", func(*assay.Remediation, *assay.RemediationEntry) {}, nil, assay.Refuted, verify.TooOld, "was due on"},
		{"left out", func(r *assay.Remediation, _ *assay.RemediationEntry) { r.Entries = []assay.RemediationEntry{} }, nil, assay.Unknown, verify.NotStated, "neither the scan nor"},
		{"of another component", func(_ *assay.Remediation, e *assay.RemediationEntry) {
			e.Component = assay.MustPURL("pkg:deb/debian/other")
			e.FirstSeen = e.LastSeen
		}, nil, assay.Unknown, verify.NotStated, "neither the scan nor"},
		{"fixed by this very image", func(_ *assay.Remediation, e *assay.RemediationEntry) {
			e.LastImage, e.FixedImage, e.FirstClean = e.FirstImage, f.digest, remediation.Claimed(at.Add(-2*time.Hour), proof...)
		}, nil, assay.Unknown, verify.NotStated, "neither the scan nor"},
		{"withdrawn", func(_ *assay.Remediation, e *assay.RemediationEntry) {
			e.Withdrawn = remediation.Witnessed(at.Add(-2*time.Hour), proof...)
		}, nil, assay.Unknown, verify.NotStated, "neither the scan nor"},
		{"not affected, by a document that nobody has", func(_ *assay.Remediation, e *assay.RemediationEntry) {
			e.VEX = []assay.StatusChange{{Status: assay.NotAffected, At: remediation.Witnessed(at.Add(-39*day), proof...)}}
		}, nil, assay.Unknown, verify.NotShown, "vex-not-affected: no document at hand says so"},
		{"fixed, by a document that nobody has", func(_ *assay.Remediation, e *assay.RemediationEntry) {
			e.VEX = []assay.StatusChange{{Status: assay.Fixed, At: remediation.Witnessed(at.Add(-39*day), proof...)}}
		}, nil, assay.Unknown, verify.NotStated, "neither the scan nor"},
		{"accepted, by evidence that nobody has", accept(proof), nil, assay.Unknown, verify.NotShown, "risk-accepted: its evidence is not at hand"},
		{"accepted, by a document", accept([]assay.Resource{{Digest: assay.DigestSet{minutes}}}), []remediation.Document{document}, assay.Unknown, verify.NotStated, "excluded: risk-accepted"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			policy := policy
			policy.ExclusionDocuments = tt.documents
			envelopes := append(f.genuine(t), f.sign(t, f.signer, f.newScan(found(f.finding(t, "CVE-2026-2000", 90*day)))), f.sign(t, f.signer, f.streamRecord(t, tt.edit)))
			r := f.askAbout(t, policy, envelopes)
			c := check(t, r, verify.CheckRemediation, tt.state, tt.reason)
			if !strings.Contains(strings.Join(c.Findings, "\n"), tt.says) {
				t.Errorf("findings are %q", c.Findings)
			}
			if r.Verdict.Policy == assay.Proven {
				t.Error("the policy holds")
			}
		})
	}
}

// An old document can be shown in place of one that took it back: a policy can want it to
// be stated anew.
func TestVEXThatWasNotRenewed(t *testing.T) {
	f := newFixture(t)
	doc := f.newVEX(t, func(d *vex.Draft, p assay.Product) {
		d.NotAffected("CVE-2026-2000", assay.VulnerableCodeNotInExecutePath, p)
	})
	doc.Timestamp, doc.Statements[0].Timestamp = at.Add(-40*day), at.Add(-40*day)
	envelopes := []assay.Envelope{f.sign(t, f.signer, doc), f.sign(t, f.signer, f.newScan(found(f.finding(t, "CVE-2026-2000", 8*day))))}
	policy := f.policy()
	for within, want := range map[time.Duration]assay.State{0: assay.Proven, 41 * day: assay.Proven, 40 * day: assay.Proven, 39 * day: assay.Refuted} {
		policy.VEXWithin = verify.Duration(within)
		r := f.askAbout(t, policy, envelopes)
		if c, _ := r.Check(verify.CheckRemediation); c.State != want {
			t.Errorf("within %s: %s: %q", within, c.State, c.Findings)
		}
		if c, _ := r.Check(verify.CheckFindings); (c.State == assay.Proven) != (want == assay.Proven) {
			t.Errorf("within %s: findings %s: %q", within, c.State, c.Findings)
		}
	}
}

func TestPolicyOfVulnerabilitiesRefused(t *testing.T) {
	f := newFixture(t)
	for field, change := range map[string]func(*verify.Policy){
		"/vexWithin": func(p *verify.Policy) { p.VEXWithin = -1 },
		"/exclusionDocuments/1": func(p *verify.Policy) {
			good := remediation.Document{Digest: f.digest, Vulnerabilities: []assay.VulnID{"CVE-2026-2000"}, Reason: remediation.Disputed, From: at}
			bad := good
			bad.Vulnerabilities = nil
			p.ExclusionDocuments = []remediation.Document{good, bad}
		},
	} {
		p := f.policy()
		change(&p)
		_, err := verify.New(f.trust(), p)
		if e, ok := errors.AsType[*assay.Error](err); !ok || !errors.Is(err, assay.ErrInvalid) || e.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
}

// Where the bytes are not at hand, an SBOM that leaves something out, and a scan of what
// is left, cover nothing: another SBOM has more.
func TestScanOfHalfAnInventory(t *testing.T) {
	f := newFixture(t)
	half := *f.sbom
	lib := f.component(t, "libfoo")
	half.Components = slices.DeleteFunc(slices.Clone(half.Components), func(c assay.Component) bool { return c.ID == lib.ID })
	half.Relations = slices.DeleteFunc(slices.Clone(half.Relations), func(r assay.Relation) bool { return r.From == lib.ID || r.To == lib.ID })
	of := func(uri string, components []assay.Component) *assay.Scan {
		return f.newScan(func(s *assay.Scan) {
			var purls []assay.PURL
			for _, c := range components {
				purls = append(purls, c.PURL)
			}
			s.Scanner.URI, s.Coverage = uri, &assay.Coverage{Components: len(purls), Digest: assay.CoverageDigest(purls)}
		})
	}
	other := *f.sbom
	other.Components = []assay.Component{lib}
	other.Relations, other.Completeness = nil, nil
	for _, tt := range []struct {
		name  string
		sboms []*assay.SBOM
		scans []*assay.Scan
		state assay.State
	}{
		{"one SBOM, and a scan of it", []*assay.SBOM{&half}, []*assay.Scan{of("https://a.example", half.Components)}, assay.Proven},
		{"another that has more", []*assay.SBOM{&half, f.sbom}, []*assay.Scan{of("https://a.example", half.Components)}, assay.Unknown},
		{"a scan of the one that has more", []*assay.SBOM{&half, f.sbom}, []*assay.Scan{of("https://a.example", f.sbom.Components)}, assay.Proven},
		{"two halves, one scanned", []*assay.SBOM{&half, &other}, []*assay.Scan{of("https://a.example", half.Components)}, assay.Unknown},
		{"two halves, both scanned", []*assay.SBOM{&half, &other}, []*assay.Scan{of("https://a.example", half.Components), of("https://b.example", other.Components)}, assay.Proven},
		{"two halves, scanned together", []*assay.SBOM{&half, &other}, []*assay.Scan{of("https://a.example", f.sbom.Components)}, assay.Proven},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var envelopes []assay.Envelope
			for _, s := range tt.sboms {
				envelopes = append(envelopes, f.sign(t, f.signer, s))
			}
			for _, s := range tt.scans {
				envelopes = append(envelopes, f.sign(t, f.signer, s))
			}
			r := f.ask(t, verify.Policy{Signers: f.policy().Signers, Require: []assay.Kind{assay.KindScan}, ContentsUnsafe: true}, nil, attest.FromEnvelopes(envelopes...))
			c, _ := r.Check(verify.CheckScanCoverage)
			if c.State != tt.state || (r.Verdict.Policy == assay.Proven) != (tt.state == assay.Proven) {
				t.Errorf("%s: %s %q; policy %s: %v", c.State, c.Detail, c.Findings, r.Verdict.Policy, r.Err())
			}
		})
	}
}

// A component is not absent because one of the SBOMs leaves it out.
func TestComponentThatOneSBOMLeavesOut(t *testing.T) {
	f := newFixture(t)
	half := *f.sbom
	lib := f.component(t, "libfoo")
	half.Components = slices.DeleteFunc(slices.Clone(half.Components), func(c assay.Component) bool { return c.ID == lib.ID })
	half.Relations = slices.DeleteFunc(slices.Clone(half.Relations), func(r assay.Relation) bool { return r.From == lib.ID || r.To == lib.ID })
	half.Completeness = []assay.Completeness{{Scope: "components", Aggregate: "complete"}}
	scan := f.newScan(found(f.finding(t, "CVE-2026-2000", 8*day)))
	doc := newVEXAbout(t, f.digest, func(d *vex.Draft, p assay.Product) { d.NotAffected("CVE-2026-2000", assay.ComponentNotPresent, p) })
	ask := func(sboms ...*assay.SBOM) verify.Check {
		t.Helper()
		envelopes := []assay.Envelope{f.sign(t, f.signer, scan), f.sign(t, f.signer, doc)}
		for _, s := range sboms {
			envelopes = append(envelopes, f.sign(t, f.signer, s))
		}
		r := f.ask(t, verify.Policy{Signers: f.policy().Signers, Require: []assay.Kind{assay.KindScan}, ContentsUnsafe: true}, nil, attest.FromEnvelopes(envelopes...))
		c, _ := r.Check(verify.CheckFindings)
		return c
	}
	if c := ask(&half); c.State != assay.Proven || !strings.Contains(c.Detail, "1 not_affected") {
		t.Errorf("by itself: %s: %s %q", c.State, c.Detail, c.Findings)
	}
	for _, sboms := range [][]*assay.SBOM{{&half, f.sbom}, {f.sbom, &half}} {
		if c := ask(sboms...); c.State != assay.Refuted || !strings.Contains(strings.Join(c.Findings, ";"), "stated not to be present, but it is") {
			t.Errorf("beside another: %s: %s %q", c.State, c.Detail, c.Findings)
		}
	}
}
