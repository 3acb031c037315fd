package remediation_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/vex"
	"github.com/assaykit/assay/vex/remediation"
)

// statements are what the record of these builds rests on, as a verifier has them.
func statements(builds []remediation.Build, docs ...remediation.VEX) []remediation.Known {
	var out []remediation.Known
	for _, b := range builds {
		about := []assay.Subject{{Name: "app", Digest: assay.DigestSet{b.Image}}}
		out = append(out, remediation.Known{Statement: b.Built.Evidence[0].Digest.Get(assay.SHA256), Subjects: about,
			Evidence: &assay.Provenance{FinishedOn: b.Built.Time}, Signed: b.Signed.Time})
		for _, s := range b.Scans {
			out = append(out, remediation.Known{Statement: s.Statement.Digest.Get(assay.SHA256), Subjects: about, Evidence: s.Scan, Signed: s.Signed.Time})
		}
	}
	for _, d := range docs {
		out = append(out, remediation.Known{Statement: d.Statement.Digest.Get(assay.SHA256), Evidence: d.Doc, Signed: d.Signed.Time})
	}
	return out
}

func TestCheckAgainst(t *testing.T) {
	builds := func() []remediation.Build {
		b := nightly()
		for i := range b {
			b[i].Built.Evidence = []assay.Resource{remediation.Statement("", []byte("provenance of "+b[i].Image.String()))}
		}
		return b
	}
	make := func() (*assay.Remediation, []remediation.Known) {
		doc := remediation.VEX{Doc: notAffected(imgB, "2026-03-02"), Statement: remediation.Statement("", []byte("vex")), Signed: witnessed("2026-03-02 03:00")}
		return record(t, builds(), remediation.Options{Repository: repository, VEX: []remediation.VEX{doc}}), statements(builds(), doc)
	}
	r, known := make()
	if g := must(remediation.CheckAgainst(r, known)); g.State() != assay.Proven || g.Proven != 13 {
		t.Errorf("got %+v", g)
	}
	// Of the last image alone, the rest is not known.
	if g := must(remediation.CheckAgainst(r, known[4:6])); g.State() != assay.Unknown || g.Proven != 4 || g.Unknown != 7 {
		t.Errorf("got %+v", g)
	}
	if g := must(remediation.CheckAgainst(r, nil)); g.State() != assay.Unknown || g.Proven != 0 {
		t.Errorf("got %+v", g)
	}
	entry := func(r *assay.Remediation) *assay.RemediationEntry { return &r.Entries[0] }
	later := func(d *assay.Dated, by time.Duration) { d.Time = d.Time.Add(by) }
	for name, tt := range map[string]struct {
		change      func(*assay.Remediation, []remediation.Known)
		field, says string
	}{
		"build finished earlier": {func(r *assay.Remediation, _ []remediation.Known) { later(&r.Images[2].Built, -time.Hour) }, "/images/2/built", "the provenance has 2026-03-03T01:00"},
		"provenance of another":  {func(_ *assay.Remediation, k []remediation.Known) { k[4].Subjects = k[0].Subjects }, "/images/2/built", "of another image"},
		"another scanner":        {func(r *assay.Remediation, _ []remediation.Known) { r.Images[2].Scans[0].Scanner = "x" }, "/images/2/scans/0", "the scanner was"},
		"another database": {func(r *assay.Remediation, _ []remediation.Known) {
			r.Images[2].Scans[0].DBDigest = assay.DigestSet{imgA}
		}, "/images/2/scans/0", "the database was another"},
		"a newer database": {func(r *assay.Remediation, _ []remediation.Known) {
			r.Images[2].Scans[0].DBUpdated = at("2026-03-03 12:00")
		}, "/images/2/scans/0", "the database was of"},
		"another end":           {func(r *assay.Remediation, _ []remediation.Known) { later(&r.Images[2].Scans[0].Finished, -time.Hour) }, "/images/2/scans/0", "the scan ended at"},
		"another coverage":      {func(r *assay.Remediation, _ []remediation.Known) { r.Images[2].Scans[0].Coverage.Digest = imgA }, "/images/2/scans/0", "covers something else"},
		"scan witnessed later":  {func(_ *assay.Remediation, k []remediation.Known) { k[5].Signed = at("2026-03-09") }, "/images/2/scans/0", "witnessed later"},
		"scan never witnessed":  {func(_ *assay.Remediation, k []remediation.Known) { k[5].Signed = time.Time{} }, "/images/2/scans/0", "nobody witnessed"},
		"scan of another image": {func(_ *assay.Remediation, k []remediation.Known) { k[5].Subjects = k[0].Subjects }, "/images/2/scans/0", "of another image"},
		"no scan":               {func(_ *assay.Remediation, k []remediation.Known) { k[5].Evidence = &assay.TestResult{} }, "/images/2/scans/0", "is no scan"},
		"a finding left out":    {func(r *assay.Remediation, _ []remediation.Known) { r.Entries = []assay.RemediationEntry{} }, "/images/0/scans/0", "it found CVE-2026-0001 in pkg:deb/debian/zlib1g@1.2"},
		"gone too early": {func(r *assay.Remediation, _ []remediation.Known) {
			e := entry(r)
			e.LastImage, e.FixedImage = imgA, imgB
		}, "/images/1/scans/0", "no entry has it"},
		"published later": {func(r *assay.Remediation, _ []remediation.Known) { later(&entry(r).Published, time.Hour) }, "/entries/0", "an earlier date, published 2026-03-01T12:00"},
		"fixable later":   {func(r *assay.Remediation, _ []remediation.Known) { later(&entry(r).Fix.Available, time.Hour) }, "/entries/0", "an earlier date, fix 2026-03-01T12:00"},
		"seen later":      {func(r *assay.Remediation, _ []remediation.Known) { later(&entry(r).FirstSeen, time.Hour) }, "/entries/0", "an earlier date, first seen 2026-03-01T18:00"},
		"clean earlier":   {func(r *assay.Remediation, _ []remediation.Known) { later(&entry(r).FirstClean, -time.Hour) }, "/entries/0/firstClean", "witnessed later"},
		"not clean": {func(_ *assay.Remediation, k []remediation.Known) {
			k[5].Evidence.(*assay.Scan).Findings = []assay.Finding{bug()}
		}, "/entries/0/firstClean", "the scan found it"},
		"another status": {func(r *assay.Remediation, _ []remediation.Known) {
			entry(r).VEX[0] = assay.StatusChange{Status: assay.Fixed, At: entry(r).VEX[0].At}
		}, "/entries/0/vex/0", "does not say fixed"},
		"status of another component": {func(_ *assay.Remediation, k []remediation.Known) {
			v := k[6].Evidence.(*assay.VEX)
			v.Statements[0].Products[0].Subcomponents = []assay.Product{vex.PURLProduct(curl)}
		}, "/entries/0/vex/0", "does not say not_affected"},
		"status of another image": {func(_ *assay.Remediation, k []remediation.Known) {
			v := k[6].Evidence.(*assay.VEX)
			v.Statements[0].Products = []assay.Product{must(vex.ImageProduct(imgC, repository, v.Statements[0].Products[0].Subcomponents...))}
		}, "/entries/0/vex/0", "does not say not_affected"},
		"status earlier": {func(r *assay.Remediation, _ []remediation.Known) { later(&entry(r).VEX[0].At, -time.Hour) }, "/entries/0/vex/0", "witnessed later"},
		"image signed by a later statement": {func(r *assay.Remediation, k []remediation.Known) {
			r.Images[2].Signed.Evidence = []assay.Resource{{Digest: assay.DigestSet{k[4].Statement}}}
			k[4].Signed = at("2026-03-09")
		}, "/images/2/signed", "witnessed later"},
	} {
		t.Run(name, func(t *testing.T) {
			r, known := make()
			tt.change(r, known)
			g, err := remediation.CheckAgainst(r, known)
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range g.Refuted {
				if c.Field == tt.field && strings.Contains(c.Says, tt.says) && !c.Statement.IsZero() && g.State() == assay.Refuted {
					return
				}
			}
			t.Errorf("got %+v, want %s: %s", g, tt.field, tt.says)
		})
	}
	if g, err := remediation.CheckAgainst(nil, nil); g != nil || !errors.Is(err, assay.ErrInvalid) {
		t.Errorf("nil: %v", err)
	}
}
