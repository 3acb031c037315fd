package remediation_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/vex/remediation"
)

// builds makes a stream of images with scans of two components and three
// vulnerabilities, of which anything can be wrong.
func builds(rng *rand.Rand) ([]remediation.Build, remediation.Options) {
	chance := func(n int) bool { return rng.IntN(n) == 0 }
	ids := []assay.Vulnerability{{ID: "CVE-2026-0001"}, {ID: "CVE-2026-0002", Aliases: []assay.VulnID{"DSA-1-1"}}, {ID: "CVE-2026-0003", Aliases: []assay.VulnID{"DSA-1-1", "GHSA-aaaa-bbbb-cccc"}},
		{ID: "GHSA-aaaa-bbbb-cccc", Aliases: []assay.VulnID{"CVE-2026-0003", "CVE-2026-0001"}}, {ID: "GHSA-aaaa-bbbb-cccd", Aliases: []assay.VulnID{"CVE-2026-0001"}}}
	purls := []assay.PURL{zlib12, zlib13, curl}
	var out []remediation.Build
	var o remediation.Options
	for i := range 1 + rng.IntN(7) {
		night := at("2026-03-01 02:00").AddDate(0, 0, i)
		b := remediation.Build{Image: assay.SumSHA256([]byte{byte(i)})}
		if !chance(5) {
			b.Built = remediation.Claimed(night.Add(-time.Hour), proof)
		}
		if !chance(5) {
			b.Signed = remediation.Witnessed(night, log)
		}
		for j := range rng.IntN(3) {
			components := purls[:1+rng.IntN(3)]
			s := scan(night.Add(time.Duration(1+j+rng.IntN(72))*time.Hour).Format("2006-01-02 15:04"), components)
			s.Statement = remediation.Statement("", fmt.Append(nil, i, j))
			s.Scan.Scanner.URI = []string{"https://a.example", "https://b.example"}[rng.IntN(2)]
			if chance(6) {
				s.Scan.Scanner.DBUpdated = time.Time{}
			}
			if chance(6) {
				s.Scan.Coverage = nil
			}
			if chance(6) {
				s.Scan.Unevaluated = []assay.Unevaluated{{PURL: purls[rng.IntN(3)], Vulnerability: ids[rng.IntN(5)].ID, Reason: "r"}}
			}
			if chance(8) {
				s.Signed = assay.Dated{}
			}
			if chance(12) {
				s.Scan.FinishedOn = s.Scan.FinishedOn.Add(-2 * time.Minute) // before it began
			}
			if chance(12) {
				s.Scan.StartedOn, s.Scan.FinishedOn = time.Time{}, time.Time{}
			}
			for range rng.IntN(3) {
				f := bug()
				f.Vulnerability, f.PURL = ids[rng.IntN(5)], components[rng.IntN(len(components))]
				f.Severities[0].Rating = []assay.Rating{"", "low", "critical"}[rng.IntN(3)]
				if chance(6) {
					f.PURL, f.Component = assay.PURL{}, "c"
				}
				if chance(6) {
					f.Published = at("2031-01-01")
				}
				if chance(3) {
					f.Fix = assay.Fix{State: assay.FixNone}
				}
				if chance(6) {
					f.Exploited = &assay.Exploited{Catalogue: "CISA KEV", Added: at("2026-03-02"), Due: at("2026-03-20")}
				}
				if chance(6) {
					f.FirstSeen = at("2026-02-20")
				}
				s.Scan.Findings = append(s.Scan.Findings, f)
			}
			b.Scans = append(b.Scans, s)
		}
		out = append(out, b)
		if chance(3) {
			doc := notAffected(b.Image, night.Add(time.Duration(rng.IntN(48)-24)*time.Hour).Format("2006-01-02 15:04"))
			if chance(3) {
				doc = affected(b.Image, "2026-03-02")
			}
			v := remediation.VEX{Doc: doc, Statement: remediation.Statement("", []byte(doc.ID))}
			if chance(2) {
				v.Signed = remediation.Witnessed(doc.Timestamp.Add(time.Duration(rng.IntN(3))*time.Hour), log)
			}
			o.VEX = append(o.VEX, v)
		}
	}
	o.Repository = repository
	if chance(2) {
		o.AsOf = at("2026-03-20")
	}
	return out, o
}

// FuzzRecord: whatever the builds are, there is a typed error or a record that can be
// written and evaluated, is borne out by what it was made of, and in which nothing is
// fixed by an image of which some scan says that it is not.
func FuzzRecord(f *testing.F) {
	for seed := range uint64(200) {
		f.Add(seed)
	}
	profile := named(f, "7-14")
	f.Fuzz(func(t *testing.T, seed uint64) {
		b, o := builds(rand.New(rand.NewPCG(seed, 3)))
		r, err := remediation.Record("s", b, o)
		if err != nil {
			var e *assay.Error
			if !errors.As(err, &e) || r != nil || e.Rule != "remediation R2" {
				t.Fatalf("got %v", err)
			}
			return
		}
		data := must(remediation.Encode(r))
		if back := must(remediation.Read("r", data)); !bytes.Equal(data, must(remediation.Encode(back))) {
			t.Error("read as something else")
		}
		if _, err := remediation.Evaluate(r, profile, r.AsOf); err != nil {
			t.Error(err)
		}
		var known []remediation.Known
		at := map[assay.Digest]int{}
		for i, b := range b {
			at[b.Image] = i
			for _, s := range b.Scans {
				known = append(known, remediation.Known{Statement: s.Statement.Digest.Get(assay.SHA256), Subjects: []assay.Subject{{Digest: assay.DigestSet{b.Image}}}, Evidence: s.Scan, Signed: s.Signed.Time})
			}
		}
		for _, v := range o.VEX {
			known = append(known, remediation.Known{Statement: v.Statement.Digest.Get(assay.SHA256), Evidence: v.Doc, Signed: v.Signed.Time})
		}
		if g := must(remediation.CheckAgainst(r, known)); len(g.Refuted) > 0 {
			t.Errorf("refuted by what it was made of: %+v\n%s", g.Refuted, data)
		}
		for _, e := range r.Entries {
			if e.FixedImage.IsZero() {
				continue
			}
			scans := b[at[e.FixedImage]].Scans
			shown := slices.ContainsFunc(scans, func(s remediation.Scan) bool {
				return s.Scan.Coverage != nil && s.Scan.Coverage.Digest == assay.CoverageDigest(s.Components)
			})
			for _, s := range scans {
				for _, f := range s.Scan.Findings {
					if f.PURL.Package() == e.Component && e.Vulnerability.Is(f.Vulnerability.ID) {
						t.Errorf("%s is fixed by %s, which has it", e.Vulnerability.ID, e.FixedImage)
					}
				}
			}
			if !shown {
				t.Errorf("%s is fixed by %s, which no scan covers", e.Vulnerability.ID, e.FixedImage)
			}
		}
	})
}
