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

var decision = remediation.Statement("", []byte("minutes of the board"))

// accepted is found, with a risk that was accepted from 2 March to 1 May.
func accepted() assay.RemediationEntry {
	e := found()
	e.Exclusions = []assay.Exclusion{{Reason: "risk-accepted", From: witnessed("2026-03-02"), Until: at("2026-05-01"), Evidence: []assay.Resource{decision}}}
	return e
}

// noted is a statement of affected, with notes, about zlib 1.2 in the image.
func noted(t testing.TB, image assay.Digest, part, notes string) remediation.Known {
	t.Helper()
	product := must(vex.ImageProduct(image, repository, vex.PURLProduct(assay.MustPURL(part))))
	d := vex.New("security@example.com", vex.Options{Time: at("2026-03-02")})
	d.Affected("CVE-2026-0001", "Nothing yet.", product).Notes(notes)
	return remediation.Known{Statement: decision.Digest.Get(assay.SHA256), Evidence: must(d.Build()), Signed: at("2026-03-02")}
}

// An exclusion is as good as the evidence at hand, and no better: else the finding is
// unknown, neither excluded nor breached.
func TestEvaluateAgainst(t *testing.T) {
	board := func(edit ...func(*remediation.Document)) remediation.Held {
		d := remediation.Document{Digest: decision.Digest.Get(assay.SHA256), Vulnerabilities: []assay.VulnID{"CVE-2026-0001"},
			Reason: remediation.RiskAccepted, From: at("2026-03-02"), Until: at("2026-05-01")}
		for _, e := range edit {
			e(&d)
		}
		return remediation.Held{Documents: []remediation.Document{d}}
	}
	note := remediation.ExclusionNote(remediation.RiskAccepted, at("2026-05-01"))
	if note != "risk-accepted until 2026-05-01T00:00:00Z" {
		t.Errorf("note %q", note)
	}
	zlib12 := "pkg:deb/debian/zlib1g@1.2"
	said := func(k remediation.Known, edit ...func(*remediation.Known)) remediation.Held {
		for _, e := range edit {
			e(&k)
		}
		return remediation.Held{Statements: []remediation.Known{k}}
	}
	for name, tt := range map[string]struct {
		held remediation.Held
		want string // empty is excluded
	}{
		"nothing at hand": {remediation.Held{}, "its evidence is not at hand"},
		"a document":      {board(), ""},
		"by an alias, and for good": {board(func(d *remediation.Document) {
			d.Vulnerabilities = []assay.VulnID{"CVE-1", "GHSA-aaaa-bbbb-cccc"}
			d.Until = time.Time{}
		}), ""},
		"another document":            {board(func(d *remediation.Document) { d.Digest = imgA }), "its evidence is not at hand"},
		"of another vulnerability":    {board(func(d *remediation.Document) { d.Vulnerabilities = []assay.VulnID{"CVE-2026-0002"} }), "about other vulnerabilities"},
		"of another reason":           {board(func(d *remediation.Document) { d.Reason = remediation.Disputed }), "its evidence says disputed"},
		"decided later":               {board(func(d *remediation.Document) { d.From = at("2026-03-02").Add(1) }), "its evidence is of 2026-03-02T00:00:00.000000001Z"},
		"for less long":               {board(func(d *remediation.Document) { d.Until = at("2026-04-30") }), "its evidence ends at 2026-04-30"},
		"a statement":                 {said(noted(t, imgA, zlib12, note+": by the owner.")), ""},
		"of all versions":             {said(noted(t, imgA, "pkg:deb/debian/zlib1g", note)), ""},
		"that says something else":    {said(noted(t, imgA, zlib12, "we look into it")), "does not say risk-accepted until 2026-05-01"},
		"for longer":                  {said(noted(t, imgA, zlib12, note+"0")), "does not say risk-accepted until 2026-05-01"},
		"of another version":          {said(noted(t, imgA, zlib12+".1", note)), "does not say"},
		"of another component":        {said(noted(t, imgA, "pkg:deb/debian/curl@8.0", note)), "does not say"},
		"of an image without it":      {said(noted(t, imgB, zlib12, note)), "does not say"},
		"of an image that nobody has": {said(noted(t, imgC, zlib12, note)), "does not say"},
		"never witnessed":             {said(noted(t, imgA, zlib12, note), func(k *remediation.Known) { k.Signed = time.Time{} }), "nobody witnessed the statement"},
		"witnessed later":             {said(noted(t, imgA, zlib12, note), func(k *remediation.Known) { k.Signed = at("2026-03-20") }), "witnessed later"},
		"a scan":                      {said(noted(t, imgA, zlib12, note), func(k *remediation.Known) { k.Evidence = &assay.Scan{} }), "a statement that excludes nothing"},
		"taken back since": {func() remediation.Held {
			k := noted(t, imgA, zlib12, note)
			next := *k.Evidence.(*assay.VEX)
			next.Version++
			return remediation.Held{Statements: []remediation.Known{k, {Statement: imgA, Evidence: &next}}}
		}(), "a later version of its evidence"},
	} {
		e := accepted()
		e.Vulnerability.Aliases = []assay.VulnID{"GHSA-aaaa-bbbb-cccc"}
		f := against(t, e, remediation.ProfileFedRAMP, "2026-04-20", tt.held)
		switch {
		case tt.want == "":
			if f.Status != remediation.Excluded || f.Exclusion != remediation.RiskAccepted || f.Unchecked {
				t.Errorf("%s: got %s", name, show(f))
			}
		case f.Status != remediation.Unknown || !f.Unchecked || f.Exclusion != "" || !strings.Contains(strings.Join(f.Missing, ";"), "risk-accepted: ") || !strings.Contains(strings.Join(f.Missing, ";"), tt.want):
			t.Errorf("%s: got %s, want unknown: %s", name, show(f), tt.want)
		}
		// What is in time without it is in time, and what is late with it is late.
		if f := against(t, e, remediation.ProfileFedRAMP, "2026-03-31", tt.held); f.Status != remediation.Open && f.Status != remediation.Excluded || tt.want != "" && f.Status != remediation.Open {
			t.Errorf("%s, in time: got %s", name, show(f))
		}
		if f := against(t, e, remediation.ProfileFedRAMP, "2026-05-02", tt.held); f.Status != remediation.Breached {
			t.Errorf("%s, too late: got %s", name, show(f))
		}
	}
	// Evaluate takes the record's word.
	if f := evaluate(t, stream("2026-03-31", "", accepted()), named(t, remediation.ProfileFedRAMP), at("2026-04-20")).Findings[0]; f.Status != remediation.Excluded {
		t.Errorf("got %s", show(f))
	}
	// An acceptance that follows on one that cannot be checked is as doubtful.
	e := accepted()
	e.Exclusions = append(e.Exclusions, assay.Exclusion{Reason: "risk-accepted", From: witnessed("2026-03-30"), Until: at("2026-07-01"), Evidence: []assay.Resource{proof}})
	if f := against(t, e, remediation.ProfileFedRAMP, "2026-06-01", board()); f.Status != remediation.Unknown || !f.Unchecked {
		t.Errorf("got %s", show(f))
	}
	if f := against(t, e, remediation.ProfileFedRAMP, "2026-04-20", board()); f.Status != remediation.Excluded {
		t.Errorf("got %s", show(f))
	}
}

// against evaluates a record of the entry that ends on 31 March.
func against(t testing.TB, e assay.RemediationEntry, profile, when string, held remediation.Held) remediation.Finding {
	t.Helper()
	r := stream("2026-03-31", "", e)
	res, err := remediation.EvaluateAgainst(r, named(t, profile, func(p *remediation.Profile) { p.Rebuild = nil }), at(when), held)
	if err != nil {
		t.Fatal(err)
	}
	return res.Findings[0]
}

// The same holds for what VEX and scans exclude.
func TestEvaluateAgainstVEXAndScans(t *testing.T) {
	not := found()
	not.VEX = []assay.StatusChange{{Status: assay.NotAffected, At: witnessed("2026-03-20")}}
	say := func(image assay.Digest, status assay.Status) remediation.Held {
		product := must(vex.ImageProduct(image, repository, vex.PURLProduct(assay.MustPURL("pkg:deb/debian/zlib1g@1.2"))))
		d := vex.New("security@example.com", vex.Options{Time: at("2026-03-02")})
		if status == assay.NotAffected {
			d.NotAffected("CVE-2026-0001", assay.ComponentNotPresent, product)
		} else {
			d.Fixed("CVE-2026-0001", product)
		}
		return remediation.Held{Statements: []remediation.Known{{Statement: imgC, Evidence: must(d.Build())}}}
	}
	none := found()
	none.Fix = assay.RemediationFix{State: assay.FixNone}
	none.LastSeen = claimed("2026-04-01")
	none.LastSeen.Evidence = []assay.Resource{decision}
	none.LastSeen.Time = at("2026-03-31")
	scanned := func(state assay.FixState, id assay.VulnID) remediation.Held {
		s := scan("2026-03-31", []assay.PURL{zlib12}, bug())
		s.Scan.Findings[0].Fix, s.Scan.Findings[0].Vulnerability.ID = assay.Fix{State: state}, id
		return remediation.Held{Statements: []remediation.Known{{Statement: decision.Digest.Get(assay.SHA256), Evidence: s.Scan}}}
	}
	for name, tt := range map[string]struct {
		entry assay.RemediationEntry
		held  remediation.Held
		want  string
	}{
		"stated":                  {not, say(imgA, assay.NotAffected), ""},
		"stated of another image": {not, say(imgB, assay.NotAffected), "no document at hand says so of image sha256:aaaa"},
		"stated to be fixed":      {not, say(imgA, assay.Fixed), "no document at hand says so"},
		"nothing stated":          {not, remediation.Held{}, "no document at hand says so"},
		"no fix":                  {none, scanned(assay.FixNone, "CVE-2026-0001"), ""},
		"a fix after all":         {none, scanned(assay.FixAvailable, "CVE-2026-0001"), "the scan does not say so"},
		"no such finding":         {none, scanned(assay.FixNone, "CVE-2026-0002"), "the scan that says so is not at hand"},
		"no scan":                 {none, remediation.Held{}, "the scan that says so is not at hand"},
	} {
		f := against(t, tt.entry, "7-14", "2026-04-01", tt.held)
		if tt.want == "" && f.Status != remediation.Excluded || tt.want != "" && (f.Status != remediation.Unknown || !strings.Contains(strings.Join(f.Missing, ";"), tt.want)) {
			t.Errorf("%s: got %s, want %q", name, show(f), tt.want)
		}
	}
}

func TestDocumentsThatSayNothing(t *testing.T) {
	good := remediation.Document{Digest: imgA, Vulnerabilities: []assay.VulnID{"CVE-2026-0001"}, Reason: remediation.Disputed, From: at("2026-03-01")}
	if err := good.Validate(); err != nil {
		t.Error(err)
	}
	for field, change := range map[string]func(*remediation.Document){
		"/digest":          func(d *remediation.Document) { d.Digest = assay.MustDigest("sha1:" + strings.Repeat("a", 40)) },
		"/vulnerabilities": func(d *remediation.Document) { d.Vulnerabilities = nil },
		"/reason":          func(d *remediation.Document) { d.Reason = remediation.NoFix },
		"/from":            func(d *remediation.Document) { d.From = time.Time{} },
		"/until":           func(d *remediation.Document) { d.Until = d.From },
	} {
		d := good
		change(&d)
		var e *assay.Error
		_, err := remediation.EvaluateAgainst(stream("2026-03-31", "", found()), named(t, "7-14"), at("2026-04-01"), remediation.Held{Documents: []remediation.Document{d}})
		if !errors.As(err, &e) || e.Kind != assay.ErrInvalid || e.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
}
