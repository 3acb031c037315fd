package remediation_test

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/vex/remediation"
)

// random makes a record and a profile that are valid, and otherwise anything.
func random(seed uint64) (*assay.Remediation, *remediation.Profile) {
	rng := rand.New(rand.NewPCG(seed, 1))
	start := at("2026-03-01")
	moment := func() time.Time { return start.Add(time.Duration(rng.IntN(60*24)) * time.Hour) }
	date := func() assay.Dated {
		switch t := moment(); rng.IntN(6) {
		case 0:
			return assay.Dated{}
		case 1:
			return remediation.Claimed(t, proof)
		case 2:
			return assay.Dated{Time: t, Basis: assay.BasisUnsigned}
		case 3:
			return assay.Dated{Time: t, Basis: assay.BasisAdvisory, Evidence: []assay.Resource{proof}}
		default:
			return remediation.Witnessed(t, log, proof)
		}
	}
	set := func() assay.Dated {
		for {
			if d := date(); !d.IsZero() {
				return d
			}
		}
	}
	r := &assay.Remediation{Stream: "s", AsOf: start.AddDate(0, 2, 0)}
	var signed []assay.Dated
	for range 4 {
		signed = append(signed, set())
	}
	slices.SortFunc(signed, func(a, b assay.Dated) int { return a.Time.Compare(b.Time) })
	for i, c := range []string{"a", "b", "c", "d"} {
		img := assay.ImageBuild{Digest: image(c), Signed: signed[i]}
		if rng.IntN(4) == 0 {
			img.Signed = assay.Dated{}
		}
		if i > 0 {
			img.Previous = r.Images[i-1].Digest
		}
		r.Images = append(r.Images, img)
	}
	ratings := []assay.Rating{"", "none", "low", "medium", "high", "critical"}
	for i := range 1 + rng.IntN(6) {
		e := assay.RemediationEntry{Vulnerability: assay.Vulnerability{ID: assay.VulnID("CVE-2026-000" + string('0'+rune(i)))}, Component: zlib, Occurrence: 1,
			Published: date(), FirstSeen: date(), FirstImage: imgA, LastImage: imgB}
		if !e.FirstSeen.IsZero() {
			e.LastSeen = remediation.Claimed(e.FirstSeen.Time.Add(time.Hour), proof)
			if e.LastSeen.Time.After(r.AsOf) {
				e.LastSeen = e.FirstSeen
			}
		}
		e.Fix.State = []assay.FixState{"", assay.FixAvailable, assay.FixNone}[rng.IntN(3)]
		if e.Fix.State == assay.FixAvailable {
			e.Fix.Available = date()
		}
		if rng.IntN(3) == 0 {
			e.Undecided = []assay.Undecided{{Image: imgC, Reason: "not scanned"}}
		}
		if rng.IntN(2) == 0 {
			e.FixedImage, e.FirstClean = image("d"), date()
		} else if rng.IntN(4) == 0 {
			e.Withdrawn = date()
		}
		var changes []assay.Dated
		for range rng.IntN(3) {
			changes = append(changes, set())
		}
		slices.SortFunc(changes, func(a, b assay.Dated) int { return a.Time.Compare(b.Time) })
		for _, at := range changes {
			e.Severities = append(e.Severities, assay.SeverityChange{Severities: []assay.Severity{{Source: "nvd", Rating: ratings[rng.IntN(6)], Score: 1}}, At: at})
		}
		for j, at := range changes {
			if j > 0 && !at.Time.After(changes[j-1].Time) {
				continue
			}
			status := []assay.Status{"", assay.Affected, assay.Fixed, assay.UnderInvestigation, assay.NotAffected}[rng.IntN(5)]
			e.VEX = append(e.VEX, assay.StatusChange{Status: status, At: at})
		}
		if rng.IntN(3) == 0 {
			e.Exploited = []assay.Catalogued{{Catalogue: "CISA KEV", Added: date(), Due: date()}}
		}
		if rng.IntN(3) == 0 {
			x := assay.Exclusion{Reason: []string{"end-of-life", "disputed", "risk-accepted"}[rng.IntN(3)], From: set(), Evidence: []assay.Resource{proof}}
			x.Until = x.From.Time.Add(time.Duration(1+rng.IntN(60)) * 24 * time.Hour)
			e.Exclusions = []assay.Exclusion{x}
		}
		r.Entries = append(r.Entries, e)
	}
	p, err := remediation.Named(remediation.Names()[rng.IntN(5)])
	if err != nil {
		panic(err)
	}
	p.SeverityChange = []remediation.SeverityRule{"", remediation.Restart, remediation.AsFirstRated}[rng.IntN(3)]
	p.Stop = []remediation.Stop{remediation.PatchedImageSigned, remediation.FirstClean, remediation.VEXFixed, remediation.VEXNotAffected}[:1+rng.IntN(4)]
	p.Start.Pick = []remediation.Pick{remediation.Latest, remediation.Earliest}[rng.IntN(2)]
	p.AllowClaimedTimesUnsafe = rng.IntN(4) == 0
	p.Exclusions = nil
	for _, reason := range []remediation.Reason{remediation.NoFix, remediation.EndOfLife, remediation.Disputed, remediation.RiskAccepted, remediation.NotAffected} {
		if rng.IntN(2) == 0 {
			x := remediation.ExclusionRule{Reason: reason}
			if reason == remediation.RiskAccepted || reason == remediation.NoFix {
				x.MaxDays = 90
			}
			p.Exclusions = append(p.Exclusions, x)
		}
	}
	return r, p
}

// turns are the ways in which a finding can change as time goes on.
var turns = map[remediation.Status][]remediation.Status{
	remediation.Met:      {remediation.Met},
	remediation.Open:     {remediation.Open, remediation.Breached, remediation.Unknown},
	remediation.Breached: {remediation.Breached},
	// Nothing that comes later makes something of what was nothing.
	remediation.Withdrawn: {remediation.Withdrawn},
	remediation.Unknown:   {remediation.Unknown},
	remediation.Excluded:  {remediation.Excluded, remediation.Open, remediation.Breached, remediation.Unknown},
}

// FuzzEvaluate: time goes one way, order does not matter, the record that is read
// gives the same answer as the one that was written, and allowing less is never kinder.
func FuzzEvaluate(f *testing.F) {
	for seed := range uint64(200) {
		f.Add(seed, uint16(seed), uint16(seed*7))
	}
	f.Fuzz(func(t *testing.T, seed uint64, hours, more uint16) {
		r, p := random(seed)
		first := r.AsOf.Add(time.Duration(hours) * time.Hour)
		before := evaluate(t, r, p, first)
		after := evaluate(t, r, p, first.Add(time.Duration(more)*time.Hour))
		sum := before.Counts
		if sum.Met+sum.Open+sum.Breached+sum.Excluded+sum.Withdrawn+sum.Unknown != len(r.Entries) {
			t.Errorf("counts %+v of %d", sum, len(r.Entries))
		}
		for i := range before.Findings {
			a, b := before.Findings[i], after.Findings[i]
			if !slices.Contains(turns[a.Status], b.Status) {
				t.Errorf("%s\nturned into\n%s", show(a), show(b))
			}
			if a.Status == remediation.Open && b.Status == remediation.Unknown && len(r.Entries[i].Undecided) == 0 && !a.Start.IsZero() {
				t.Errorf("%s\nturned into\n%s", show(a), show(b))
			}
			if !a.Deadline.Equal(b.Deadline) || !a.Start.Equal(b.Start) || !a.Stopped.Equal(b.Stopped) {
				t.Errorf("the dates of\n%s\nturned into\n%s", show(a), show(b))
			}
			switch met := a.Status == remediation.Met; {
			case met && (a.Stopped.IsZero() || a.Stopped.After(a.Deadline)):
				t.Errorf("met: %s", show(a))
			case a.Status == remediation.Open && first.After(a.Deadline), a.Status == remediation.Breached && !first.After(a.Deadline):
				t.Errorf("at %s: %s", first, show(a))
			case a.Status == remediation.Unknown && len(a.Missing) == 0:
				t.Errorf("unknown, and nothing is missing: %s", show(a))
			}
		}
		// With no evidence at hand nothing is excluded by it, and nothing is better for it.
		held := func(at time.Time) []remediation.Finding {
			return must(remediation.EvaluateAgainst(r, p, at, remediation.Held{})).Findings
		}
		later := held(first.Add(time.Duration(more) * time.Hour))
		for i, b := range held(first) {
			a := before.Findings[i]
			byItself := b.Exclusion == remediation.NoLimit || b.Exclusion == remediation.NotCatalogued
			switch {
			case b.Status == remediation.Excluded && !byItself, b.Status == remediation.Met && a.Status != remediation.Met && a.Status != remediation.Excluded,
				a.Status == remediation.Excluded && b.Status == remediation.Breached, a.Status != remediation.Excluded && a.Status != remediation.Met && a.Status != b.Status && !b.Unchecked,
				b.Unchecked && b.Status != remediation.Unknown:
				t.Errorf("%s\nis without evidence\n%s", show(a), show(b))
			}
			turned := turns[b.Status]
			if b.Unchecked {
				turned = []remediation.Status{remediation.Unknown, remediation.Breached}
			}
			if !slices.Contains(turned, later[i].Status) {
				t.Errorf("%s\nturned without evidence into\n%s", show(b), show(later[i]))
			}
		}
		shuffled := *r
		shuffled.Entries = slices.Clone(r.Entries)
		rng := rand.New(rand.NewPCG(seed, 2))
		rng.Shuffle(len(shuffled.Entries), func(i, j int) {
			shuffled.Entries[i], shuffled.Entries[j] = shuffled.Entries[j], shuffled.Entries[i]
		})
		data := must(remediation.Encode(&shuffled))
		read, err := remediation.Read("r", data)
		if err != nil {
			t.Fatalf("%v\n%s", err, data)
		}
		for name, other := range map[string]*assay.Remediation{"shuffled": &shuffled, "read": read} {
			if diff := cmp.Diff(before, evaluate(t, other, p, first), same); diff != "" {
				t.Errorf("%s: %s", name, diff)
			}
		}
		// Without the unsafe permission nothing becomes met.
		if p.AllowClaimedTimesUnsafe {
			p.AllowClaimedTimesUnsafe = false
			for i, b := range evaluate(t, r, p, first).Findings {
				if a := before.Findings[i]; b.Status == remediation.Met && a.Status != remediation.Met {
					t.Errorf("%s\nis without claims\n%s", show(a), show(b))
				}
			}
		}
	})
}

// FuzzRead: what is read is valid under the schema, is written as what it was, and can
// be evaluated.
func FuzzRead(f *testing.F) {
	f.Add(must(remediation.Encode(everything(f))))
	f.Add(must(remediation.Encode(record(f, nightly(), remediation.Options{}))))
	for seed := range uint64(5) {
		r, _ := random(seed)
		f.Add(must(remediation.Encode(r)))
	}
	f.Add([]byte(`{"stream":"s","asOf":"2026-03-01T00:00:00Z","images":[{"digest":"sha256:` + image("a").Hex() + `"}],"entries":[]}`))
	schema := compiled(f)
	profile := named(f, "7-14")
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := remediation.Read("f", data)
		if err != nil {
			return
		}
		if err := valid(schema, data); err != nil {
			t.Fatalf("the schema refuses what is read: %v", err)
		}
		again := must(remediation.Encode(r))
		back, err := remediation.Read("f", again)
		if err != nil {
			t.Fatalf("%v\n%s", err, again)
		}
		if third := must(remediation.Encode(back)); !bytes.Equal(again, third) {
			t.Fatalf("wrote\n%s\nthen\n%s", again, third)
		}
		if _, err := remediation.Evaluate(r, profile, r.AsOf); err != nil {
			t.Fatal(err)
		}
	})
}

// FuzzReadProfile: what is read is written as something that is read as the same.
func FuzzReadProfile(f *testing.F) {
	for _, name := range remediation.Names() {
		f.Add(must(named(f, name).Encode()))
	}
	f.Add([]byte(`{"name":"x","start":{"events":["kev-added"]},"due":{"catalogue":"CISA KEV","only":true},"stop":["vex-fixed"],"calendar":{"zone":"Asia/Beirut","weekend":[],"holidays":["2026-12-25"]}}`))
	r := stream("2026-03-31", "2026-03-06", fixed())
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := remediation.ReadProfile("f", data)
		if err != nil {
			return
		}
		again, err := remediation.ReadProfile("f", must(p.Encode()))
		if err != nil || !cmp.Equal(p, again) {
			t.Fatalf("%v, %s", err, cmp.Diff(p, again))
		}
		if _, err := remediation.Evaluate(r, p, r.AsOf); err != nil {
			t.Fatal(err)
		}
	})
}
