package remediation_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // so that the zones are there on any machine

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/vex/remediation"
)

var same = cmp.Options{cmpopts.EquateComparable(assay.Digest{}, assay.PURL{})}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// at reads "2026-03-01" or "2026-03-01 15:04" or with seconds, in UTC.
func at(s string) time.Time {
	for _, layout := range []string{time.DateOnly, "2006-01-02 15:04", time.DateTime} {
		if t, err := time.Parse(layout, s); err == nil {
			return t
		}
	}
	panic(s)
}

func image(c string) assay.Digest { return assay.MustDigest("sha256:" + strings.Repeat(c, 64)) }

var (
	imgA, imgB, imgC = image("a"), image("b"), image("c")
	proof            = remediation.Statement("", []byte("statement"))
	log              = assay.Resource{URI: "https://log.example/entries/1"}
	zlib             = assay.MustPURL("pkg:deb/debian/zlib1g")
)

func witnessed(s string) assay.Dated { return remediation.Witnessed(at(s), log, proof) }
func claimed(s string) assay.Dated   { return remediation.Claimed(at(s), proof) }
func advised(s string) assay.Dated {
	return assay.Dated{Time: at(s), Basis: assay.BasisAdvisory, Evidence: []assay.Resource{proof}}
}
func unsigned(s string) assay.Dated {
	return assay.Dated{Time: at(s), Basis: assay.BasisUnsigned}
}

func rated(s string, rating assay.Rating) assay.SeverityChange {
	c := assay.SeverityChange{At: claimed(s)}
	if rating != "" {
		c.Severities = []assay.Severity{{Source: "nvd", Rating: rating}}
	}
	return c
}

// found is a critical vulnerability of image a, public and fixable on 1 March at noon.
func found() assay.RemediationEntry {
	return assay.RemediationEntry{
		Vulnerability: assay.Vulnerability{ID: "CVE-2026-0001"}, Component: zlib, Occurrence: 1, Versions: []string{"1.2"},
		Severities: []assay.SeverityChange{rated("2026-03-01 12:00", assay.RatingCritical)},
		Published:  advised("2026-03-01 12:00"),
		Fix:        assay.RemediationFix{State: assay.FixAvailable, Version: "1.3", Available: advised("2026-03-01 12:00"), AvailableBy: "release"},
		FirstSeen:  claimed("2026-03-01 18:00"), LastSeen: claimed("2026-03-01 18:00"), FirstImage: imgA, LastImage: imgA,
	}
}

// fixed is found, and fixed by image b, signed at that time.
func fixed() assay.RemediationEntry {
	e := found()
	e.FixedImage, e.FirstClean = imgB, claimed("2026-03-01 19:00")
	return e
}

// stream is a record of images a, which is of 28 February, and b, signed at that time.
func stream(asOf, signed string, entries ...assay.RemediationEntry) *assay.Remediation {
	r := &assay.Remediation{Stream: "registry.example/app:1", AsOf: at(asOf), Entries: entries,
		Images: []assay.ImageBuild{{Digest: imgA, Signed: witnessed("2026-02-28")}, {Digest: imgB, Previous: imgA}}}
	if signed != "" {
		r.Images[1].Signed = witnessed(signed)
	}
	return r
}

func named(t testing.TB, name string, change ...func(*remediation.Profile)) *remediation.Profile {
	t.Helper()
	p, err := remediation.Named(name)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range change {
		c(p)
	}
	return p
}

func evaluate(t testing.TB, r *assay.Remediation, p *remediation.Profile, when time.Time) *remediation.Result {
	t.Helper()
	res, err := remediation.Evaluate(r, p, when)
	if err != nil {
		t.Fatal(err)
	}
	return res
}

// show is what a finding comes to, in a line.
func show(f remediation.Finding) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s", f.Rating, f.Status)
	for _, t := range []struct {
		name string
		time time.Time
	}{{"deadline", f.Deadline}, {"stopped", f.Stopped}, {"since", f.Since}, {"until", f.Until}} {
		if !t.time.IsZero() {
			fmt.Fprintf(&b, ", %s %s", t.name, strings.TrimSuffix(strings.TrimSuffix(t.time.Format(time.DateTime), ":00"), " 00:00"))
		}
	}
	for _, s := range []string{string(f.StoppedBy), string(f.Exclusion)} {
		if s != "" {
			fmt.Fprintf(&b, ", %s", s)
		}
	}
	for _, m := range f.Missing {
		fmt.Fprintf(&b, "; %s", m)
	}
	return b.String()
}
