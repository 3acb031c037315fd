package remediation_test

import (
	"strings"
	"testing"
	"time"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/vex/remediation"
)

// An advisory that scanners with newer ones report no more of the very same version was
// withdrawn: nothing was fixed, in time or late.
func TestWithdrawn(t *testing.T) {
	same := []assay.PURL{zlib12, curl}
	again := func(d, end string, edit ...func(*remediation.Scan)) remediation.Build {
		s := scan(end, same)
		for _, e := range edit {
			e(&s)
		}
		return build(image(d), end[:10]+" 02:00", s)
	}
	first := func() remediation.Build {
		return build(imgA, "2026-03-01 02:00", scan("2026-03-01 18:00", same, bug()))
	}
	other := func(s *remediation.Scan) { s.Scan.Scanner.URI = "https://other.example" }
	db := func(s *remediation.Scan) {
		s.Scan.Scanner.DBDigest = assay.DigestSet{assay.SumSHA256([]byte("db"))}
	}
	reports := func(s *remediation.Scan) { s.Scan.Findings = []assay.Finding{bug()} }
	for _, tt := range []struct {
		name   string
		builds []remediation.Build
		at     string // when it was withdrawn; empty if it is not
		why    string // what is undecided of the last image
	}{
		{"in the next image", []remediation.Build{first(), again("b", "2026-03-20 18:00")}, "2026-03-20 18:01", ""},
		{"in the same image", func() []remediation.Build {
			b := first()
			b.Scans = append(b.Scans, scan("2026-03-20 18:00", same))
			return []remediation.Build{b}
		}(), "2026-03-20 18:01", ""},
		{"and in the next", []remediation.Build{first(), again("b", "2026-03-20 18:00"), again("c", "2026-03-21 18:00")}, "2026-03-20 18:01", ""},
		{"reported again", func() []remediation.Build {
			b := first()
			b.Scans = append(b.Scans, scan("2026-03-20 18:00", same), scan("2026-03-21 18:00", same, bug()))
			return []remediation.Build{b}
		}(), "", ""},
		{"the advisories are the same", func() []remediation.Build {
			b := first()
			db(&b.Scans[0])
			return []remediation.Build{b, again("b", "2026-03-20 18:00", db)}
		}(), "", "takes that back"},
		{"the advisories are as old", []remediation.Build{first(), again("b", "2026-03-20 18:00", func(s *remediation.Scan) { s.Scan.Scanner.DBUpdated = at("2026-03-01") })}, "", "takes that back"},
		{"another scanner still reports it", func() []remediation.Build {
			b := first()
			s := scan("2026-03-01 19:00", same, bug())
			other(&s)
			b.Scans = append(b.Scans, s)
			return []remediation.Build{b, again("b", "2026-03-20 18:00")}
		}(), "", "takes that back"},
		{"both scanners take it back", func() []remediation.Build {
			b := first()
			s := scan("2026-03-01 19:00", same, bug())
			other(&s)
			b.Scans = append(b.Scans, s)
			b.Scans = append(b.Scans, again("a", "2026-03-20 18:00").Scans[0], again("a", "2026-03-21 18:00", other).Scans[0])
			return []remediation.Build{b}
		}(), "2026-03-21 18:01", ""},
		{"nobody asked about it", []remediation.Build{first(), again("b", "2026-03-20 18:00", func(s *remediation.Scan) { s.Scan.Coverage = nil })}, "", "does not say what it covers"},
		{"the scan could not decide", []remediation.Build{first(), again("b", "2026-03-20 18:00", func(s *remediation.Scan) {
			s.Scan.Unevaluated = []assay.Unevaluated{{PURL: zlib12, Reason: "no order"}}
		})}, "", "no order"},
		{"it is still found", []remediation.Build{first(), again("b", "2026-03-20 18:00", reports)}, "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := record(t, tt.builds, remediation.Options{})
			if len(r.Entries) != 1 {
				t.Fatalf("got %+v", r.Entries)
			}
			e := r.Entries[0]
			if !e.FixedImage.IsZero() {
				t.Error("it is fixed, and the same version is there")
			}
			f := evaluate(t, r, named(t, "7-14"), at("2026-04-01"))
			if tt.at == "" {
				if !e.Withdrawn.IsZero() || f.Findings[0].Status != remediation.Breached && f.Findings[0].Status != remediation.Unknown {
					t.Errorf("got %+v: %s", e, f.Findings[0].Status)
				}
				if tt.why != "" && (len(e.Undecided) != 1 || !strings.Contains(e.Undecided[0].Reason, tt.why)) {
					t.Errorf("undecided %+v, want %s", e.Undecided, tt.why)
				}
				return
			}
			if !e.Withdrawn.Time.Equal(at(tt.at)) || e.Withdrawn.Basis != assay.BasisWitnessed {
				t.Errorf("withdrawn %+v", e.Withdrawn)
			}
			if got := show(f.Findings[0]); got != "critical withdrawn, deadline 2026-03-08 12:00" {
				t.Errorf("got %s", got)
			}
			if c := f.Counts; c != (remediation.Counts{Withdrawn: 1}) || f.Achieved.Count != 0 {
				t.Errorf("got %+v, %+v", c, f.Achieved)
			}
			if _, ok := f.Counts.Share(); ok {
				t.Error("there is a share of what nobody had to do")
			}
		})
	}
	// What comes back is another occurrence, with the deadline that it always had.
	r := record(t, []remediation.Build{first(), again("b", "2026-03-03 18:00"), again("c", "2026-03-20 18:00", reports)}, remediation.Options{})
	f := evaluate(t, r, named(t, "7-14"), at("2026-04-01")).Findings
	if len(f) != 2 || f[0].Status != remediation.Withdrawn || f[1].Occurrence != 2 || show(f[1]) != "critical breached, deadline 2026-03-08 12:00, since 2026-03-20 18:00" {
		t.Errorf("got %+v", f)
	}
	// The word of nobody withdraws nothing, and what it rests on has to be there.
	for name, d := range map[string]assay.Dated{
		"unsigned": unsigned("2026-03-20"), "without digest": remediation.Witnessed(at("2026-03-20"), log),
	} {
		e := found()
		e.Withdrawn = d
		if f := evaluate(t, stream("2026-04-01", "", e), named(t, "7-14"), at("2026-04-01")).Findings[0]; f.Status != remediation.Unknown || !strings.Contains(strings.Join(f.Missing, ";"), "withdrawn: its") {
			t.Errorf("%s: got %s", name, show(f))
		}
	}
}

// A record cannot say that something was withdrawn where the scan still has it, is of
// another image, or came later.
func TestWithdrawnAgainst(t *testing.T) {
	same := []assay.PURL{zlib12, curl}
	builds := []remediation.Build{build(imgA, "2026-03-01 02:00", scan("2026-03-01 18:00", same, bug())), build(imgB, "2026-03-02 02:00", scan("2026-03-02 18:00", same))}
	for i := range builds {
		builds[i].Built.Evidence = []assay.Resource{remediation.Statement("", []byte("provenance of "+builds[i].Image.String()))}
	}
	for name, tt := range map[string]struct {
		change func(*assay.Remediation, []remediation.Known)
		says   string
	}{
		"so it is": {func(*assay.Remediation, []remediation.Known) {}, ""},
		"still there": {func(_ *assay.Remediation, k []remediation.Known) {
			k[3].Evidence.(*assay.Scan).Findings = []assay.Finding{bug()}
		}, "the scan found it"},
		"another": {func(_ *assay.Remediation, k []remediation.Known) {
			k[3].Subjects = []assay.Subject{{Digest: assay.DigestSet{imgC}}}
		}, "of another image"},
		"later": {func(_ *assay.Remediation, k []remediation.Known) { k[3].Signed = at("2026-03-09") }, "witnessed later"},
		"another time": {func(r *assay.Remediation, _ []remediation.Known) {
			r.Entries[0].Withdrawn.Time = r.Entries[0].Withdrawn.Time.Add(-time.Hour)
		}, "witnessed later"},
	} {
		r, known := record(t, builds, remediation.Options{}), statements(builds)
		scan := *builds[1].Scans[0].Scan
		known[3].Evidence = &scan
		tt.change(r, known)
		g := must(remediation.CheckAgainst(r, known))
		ok := tt.says == "" && g.State() == assay.Proven
		for _, c := range g.Refuted {
			ok = ok || tt.says != "" && c.Field == "/entries/0/withdrawn" && strings.Contains(c.Says, tt.says)
		}
		if !ok {
			t.Errorf("%s: got %+v", name, g)
		}
	}
}
