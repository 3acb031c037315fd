package remediation_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/vex/remediation"
)

type (
	entry   = assay.RemediationEntry
	profile = remediation.Profile
)

// The dates are counted by hand. In 2026, 1 March is a Sunday.
func TestEvaluate(t *testing.T) {
	const (
		seven   = remediation.ProfileDefault
		high    = remediation.ProfileHighAsCritical
		fed     = remediation.ProfileFedRAMP
		kev     = remediation.ProfileCISAKEV
		working = remediation.ProfileSevenWorkingDays
	)
	severities := func(changes ...assay.SeverityChange) func(*entry) {
		return func(e *entry) { e.Severities = changes }
	}
	rate := func(r assay.Rating) func(*entry) { return severities(rated("2026-03-01 12:00", r)) }
	status := func(changes ...assay.StatusChange) func(*entry) { return func(e *entry) { e.VEX = changes } }
	not := func(d assay.Dated) assay.StatusChange {
		return assay.StatusChange{Status: assay.NotAffected, Justification: assay.ComponentNotPresent, At: d}
	}
	says := func(s assay.Status, d assay.Dated) assay.StatusChange { return assay.StatusChange{Status: s, At: d} }
	exclude := func(list ...assay.Exclusion) func(*entry) { return func(e *entry) { e.Exclusions = list } }
	accept := func(from assay.Dated, until string) assay.Exclusion {
		return assay.Exclusion{Reason: "risk-accepted", From: from, Until: at(until), Evidence: []assay.Resource{proof}}
	}
	fixedImage := func(e *entry) { e.FixedImage, e.FirstClean = imgB, claimed("2026-03-01 19:00") }
	both := func(fs ...func(*entry)) func(*entry) {
		return func(e *entry) {
			for _, f := range fs {
				f(e)
			}
		}
	}
	rule := func(r remediation.SeverityRule) func(*profile) { return func(p *profile) { p.SeverityChange = r } }
	allow := func(reason remediation.Reason, days int) func(*profile) {
		return func(p *profile) {
			p.Exclusions = append(p.Exclusions, remediation.ExclusionRule{Reason: reason, MaxDays: days})
		}
	}
	claims := func(p *profile) { p.AllowClaimedTimesUnsafe = true }
	tests := []struct {
		name    string
		profile string
		change  func(*profile)
		entry   func(*entry)
		signed  string // of image b; empty is unknown
		at      string // and the end of the record, where that is not 31 March
		want    string
	}{
		// Limits and their bounds.
		{"met", seven, nil, fixedImage, "2026-03-06 03:00", "2026-04-01", "critical met, deadline 2026-03-08 12:00, stopped 2026-03-06 03:00, patched-image-signed"},
		{"met at the instant", seven, nil, fixedImage, "2026-03-08 12:00", "2026-04-01", "critical met, deadline 2026-03-08 12:00, stopped 2026-03-08 12:00, patched-image-signed"},
		{"late by a second", seven, nil, fixedImage, "2026-03-08 12:00:01", "2026-04-01", "critical breached, deadline 2026-03-08 12:00, stopped 2026-03-08 12:00:01, since 2026-03-08 12:00, patched-image-signed"},
		{"still there", seven, nil, nil, "2026-03-02", "2026-04-01", "critical breached, deadline 2026-03-08 12:00, since 2026-03-08 12:00"},
		{"high has 14", seven, nil, rate("high"), "", "2026-04-01", "high breached, deadline 2026-03-15 12:00, since 2026-03-15 12:00"},
		{"high as critical", high, nil, rate("high"), "", "2026-04-01", "high breached, deadline 2026-03-08 12:00, since 2026-03-08 12:00"},
		{"medium", high, nil, rate("medium"), "", "2026-04-01", "medium breached, deadline 2026-03-15 12:00, since 2026-03-15 12:00"},
		{"none is as low", seven, nil, rate("none"), "", "2026-04-01", "none breached, deadline 2026-03-15 12:00, since 2026-03-15 12:00"},
		{"unknown is critical", seven, nil, rate(""), "", "2026-04-01", "critical breached, deadline 2026-03-08 12:00, since 2026-03-08 12:00"},
		{"no severities at all", seven, nil, severities(), "", "2026-04-01", "critical breached, deadline 2026-03-08 12:00, since 2026-03-08 12:00"},
		{"unknown is medium", seven, func(p *profile) { p.UnknownRating = "medium" }, rate(""), "", "2026-04-01", "medium breached, deadline 2026-03-15 12:00, since 2026-03-15 12:00"},
		{"by score", seven, nil, severities(assay.SeverityChange{Severities: []assay.Severity{{Source: "a", Score: 8.9}, {Source: "b", Score: 9}}}), "", "2026-04-01", "critical breached, deadline 2026-03-08 12:00, since 2026-03-08 12:00"},
		{"by a preferred source", seven, func(p *profile) { p.SeveritySources = []string{"c", "a"} }, severities(assay.SeverityChange{Severities: []assay.Severity{{Source: "a", Score: 8.9}, {Source: "b", Score: 9}}}), "", "2026-04-01", "high breached, deadline 2026-03-15 12:00, since 2026-03-15 12:00"},
		{"by vector", seven, nil, severities(assay.SeverityChange{Severities: []assay.Severity{{Vector: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:L/I:N/A:N"}}}), "", "2026-04-01", "medium breached, deadline 2026-03-15 12:00, since 2026-03-15 12:00"},
		{"by a vector that nobody can read", seven, nil, severities(assay.SeverityChange{Severities: []assay.Severity{{Vector: "CVSS:3.1/AV:N"}}}), "", "2026-04-01", "critical breached, deadline 2026-03-08 12:00, since 2026-03-08 12:00"},
		{"by a word that belittles its score", seven, nil, severities(assay.SeverityChange{Severities: []assay.Severity{{Score: 9.1, Rating: "low"}}}), "", "2026-04-01", "critical breached, deadline 2026-03-08 12:00, since 2026-03-08 12:00"},
		{"by a source that says nothing", seven, func(p *profile) { p.SeveritySources = []string{"c"} }, severities(assay.SeverityChange{Severities: []assay.Severity{{Source: "a", Score: 2}}}), "", "2026-04-01", "critical breached, deadline 2026-03-08 12:00, since 2026-03-08 12:00"},

		// What starts the clock.
		{"from the fix, if that is later", seven, nil, func(e *entry) { e.Fix.Available = advised("2026-03-11") }, "", "2026-04-01", "critical breached, deadline 2026-03-18, since 2026-03-18"},
		{"from the earliest", seven, func(p *profile) { p.Start.Pick = remediation.Earliest }, func(e *entry) { e.Fix.Available = advised("2026-03-11") }, "", "2026-04-01", "critical breached, deadline 2026-03-08 12:00, since 2026-03-08 12:00"},
		{"not published", seven, nil, func(e *entry) { e.Published = assay.Dated{} }, "2026-03-02", "2026-04-01", "critical unknown, deadline 2026-03-08 12:00; published: no date is known"},
		{"no date of the fix, and fixed", seven, nil, both(fixedImage, func(e *entry) { e.Fix.Available = assay.Dated{} }), "2026-03-02", "2026-04-01", "critical met, deadline 2026-03-08 12:00, stopped 2026-03-02, patched-image-signed; fix-available: no date is known"},
		{"published by hearsay", seven, nil, func(e *entry) { e.Published = unsigned("2026-03-01") }, "", "2026-04-01", "critical unknown, deadline 2026-03-08 12:00; published: its date is unsigned only"},
		{"FedRAMP from detection", fed, nil, nil, "", "2026-04-01", "critical breached, deadline 2026-03-31 18:00, since 2026-03-31 18:00"},
		{"FedRAMP moderate", fed, nil, rate("medium"), "", "2026-05-31", "medium breached, deadline 2026-05-30 18:00, since 2026-05-30 18:00"},
		{"FedRAMP low", fed, nil, rate("low"), "", "2026-04-01", "low open, deadline 2026-08-28 18:00"},
		{"FedRAMP never detected", fed, nil, func(e *entry) { e.FirstSeen = assay.Dated{} }, "", "2026-04-01", "critical unknown; first-seen: no date is known"},
		{"over a leap day", fed, nil, func(e *entry) { e.FirstSeen = claimed("2024-02-01") }, "", "2026-04-01", "critical breached, deadline 2024-03-02, since 2024-03-02"},
		{"over no leap day", fed, nil, func(e *entry) { e.FirstSeen = claimed("2025-02-01") }, "", "2026-04-01", "critical breached, deadline 2025-03-03, since 2025-03-03"},
		{"it came in when it was old", seven, nil, func(e *entry) { e.FirstSeen, e.LastSeen = claimed("2026-03-20"), claimed("2026-03-20") }, "", "2026-04-01", "critical breached, deadline 2026-03-08 12:00, since 2026-03-20"},

		// KEV.
		{"KEV", kev, nil, func(e *entry) {
			e.Exploited = []assay.Catalogued{{Catalogue: "CISA KEV", Added: advised("2026-03-02"), Due: advised("2026-03-23")}}
		}, "", "2026-04-01", "critical breached, deadline 2026-03-24, since 2026-03-24"},
		{"KEV, on the day", kev, nil, both(fixedImage, func(e *entry) {
			e.Exploited = []assay.Catalogued{{Catalogue: "CISA KEV", Added: advised("2026-03-02"), Due: advised("2026-03-23")}}
		}), "2026-03-23 23:59", "2026-04-01", "critical met, deadline 2026-03-24, stopped 2026-03-23 23:59, patched-image-signed"},
		{"not in KEV", kev, nil, func(e *entry) {
			e.Exploited = []assay.Catalogued{{Catalogue: "another", Due: advised("2026-03-03")}}
		}, "", "2026-04-01", "critical excluded, not-in-catalogue"},
		{"KEV without due date", kev, nil, func(e *entry) {
			e.Exploited = []assay.Catalogued{{Catalogue: "CISA KEV", Added: advised("2026-03-02")}}
		}, "", "2026-04-01", "critical unknown; due: no date is known"},
		{"due date beside limits", seven, func(p *profile) { p.Due = &remediation.Due{Catalogue: "CISA KEV"} }, func(e *entry) {
			e.Exploited = []assay.Catalogued{{Catalogue: "CISA KEV", Due: advised("2026-03-04")}}
		}, "", "2026-04-01", "critical breached, deadline 2026-03-05, since 2026-03-05"},
		{"later due date beside limits", seven, func(p *profile) { p.Due = &remediation.Due{Catalogue: "CISA KEV"} }, func(e *entry) {
			e.Exploited = []assay.Catalogued{{Catalogue: "CISA KEV", Due: advised("2026-05-04")}}
		}, "", "2026-04-01", "critical breached, deadline 2026-03-08 12:00, since 2026-03-08 12:00"},
		{"due date of what is unlimited", working, func(p *profile) { p.Due = &remediation.Due{Catalogue: "CISA KEV"} }, both(rate("low"), func(e *entry) {
			e.Exploited = []assay.Catalogued{{Catalogue: "CISA KEV", Due: advised("2026-03-04")}}
		}), "", "2026-04-01", "low breached, deadline 2026-03-05, since 2026-03-05"},
		{"due date does not stand in for a start", seven, func(p *profile) { p.Due = &remediation.Due{Catalogue: "CISA KEV"} }, func(e *entry) {
			e.Exploited = []assay.Catalogued{{Catalogue: "CISA KEV", Due: advised("2026-05-04")}}
			e.Published = assay.Dated{}
		}, "", "2026-04-01", "critical unknown, deadline 2026-03-08 12:00; published: no date is known"},

		// Working days: Sunday, then Monday 2 March to Tuesday 10 March are seven.
		{"working days", working, nil, nil, "", "2026-04-01", "critical breached, deadline 2026-03-11, since 2026-03-11"},
		{"working days over holidays", working, func(p *profile) { p.Calendar.Holidays = []string{"2026-03-05", "2026-03-08", "2026-03-10"} }, nil, "", "2026-04-01", "critical breached, deadline 2026-03-13, since 2026-03-13"},
		{"another weekend", working, func(p *profile) { p.Calendar.Weekend = []string{"friday", "saturday"} }, nil, "", "2026-04-01", "critical breached, deadline 2026-03-11, since 2026-03-11"},
		{"no weekend", working, func(p *profile) { p.Calendar.Weekend = []string{} }, nil, "", "2026-04-01", "critical breached, deadline 2026-03-09, since 2026-03-09"},
		{"from a working day", working, nil, func(e *entry) { e.Fix.Available = advised("2026-03-02 23:59") }, "", "2026-04-01", "critical breached, deadline 2026-03-12, since 2026-03-12"},
		{"no limit", working, nil, rate("medium"), "", "2026-04-01", "medium excluded, no-limit"},
		// Berlin is at +1 until 29 March, then at +2. The clock starts on 2 March there.
		{"working days in a zone", working, func(p *profile) { p.Calendar.Zone = "Europe/Berlin" }, func(e *entry) { e.Fix.Available = advised("2026-03-01 23:30") }, "", "2026-04-01", "critical breached, deadline 2026-03-11 23:00, since 2026-03-11 23:00"},
		{"working days over summer time", working, func(p *profile) { p.Calendar.Zone = "Europe/Berlin" }, func(e *entry) { e.Fix.Available = advised("2026-03-25 12:00") }, "", "2026-04-30", "critical breached, deadline 2026-04-03 22:00, since 2026-04-03 22:00"},
		{"days over summer time are 24 hours", seven, func(p *profile) { p.Calendar.Zone = "Europe/Berlin" }, func(e *entry) { e.Fix.Available = advised("2026-03-25 12:00") }, "", "2026-04-30", "critical breached, deadline 2026-04-01 12:00, since 2026-04-01 12:00"},
		{"ends of days over summer time", seven, func(p *profile) { p.Calendar.Zone, p.Calendar.EndOfDay = "Europe/Berlin", true }, func(e *entry) { e.Fix.Available = advised("2026-03-25 12:00") }, "", "2026-04-30", "critical breached, deadline 2026-04-01 22:00, since 2026-04-01 22:00"},
		// In Beirut the clocks go from 0:00 to 1:00 on 29 March 2026: the day begins at 1:00.
		{"a day without midnight", seven, func(p *profile) { p.Calendar.Zone, p.Calendar.EndOfDay = "Asia/Beirut", true }, func(e *entry) { e.Fix.Available = advised("2026-03-21 12:00") }, "", "2026-04-30", "critical breached, deadline 2026-03-28 22:00, since 2026-03-28 22:00"},

		// Times that count.
		{"claimed", seven, nil, both(fixedImage, func(e *entry) {}), "", "2026-04-01", "critical unknown, deadline 2026-03-08 12:00; patched-image-signed: no date is known"},
		{"claimed, and no time to be late", fed, nil, fixedImage, "", "2026-04-01", "critical unknown, deadline 2026-03-31 18:00; patched-image-signed: no date is known"},
		{"first clean scan", seven, func(p *profile) { p.Stop = []remediation.Stop{remediation.FirstClean} }, both(fixedImage, func(e *entry) { e.FirstClean = witnessed("2026-03-07") }), "", "2026-04-01", "critical met, deadline 2026-03-08 12:00, stopped 2026-03-07, first-clean-scan"},
		{"first clean scan, claimed", seven, func(p *profile) { p.Stop = []remediation.Stop{remediation.FirstClean} }, both(fixedImage, func(e *entry) { e.FirstClean = claimed("2026-03-07") }), "", "2026-04-01", "critical unknown, deadline 2026-03-08 12:00; first-clean-scan: its date is signed only"},
		{"first clean scan, claimed, allowed", seven, func(p *profile) { claims(p); p.Stop = []remediation.Stop{remediation.FirstClean} }, both(fixedImage, func(e *entry) { e.FirstClean = claimed("2026-03-07") }), "", "2026-04-01", "critical met, deadline 2026-03-08 12:00, stopped 2026-03-07, first-clean-scan"},
		{"unsigned is not claimed", seven, func(p *profile) { claims(p); p.Stop = []remediation.Stop{remediation.FirstClean} }, both(fixedImage, func(e *entry) { e.FirstClean = unsigned("2026-03-07") }), "", "2026-04-01", "critical unknown, deadline 2026-03-08 12:00; first-clean-scan: its date is unsigned only"},
		{"claimed to be late", seven, func(p *profile) { p.Stop = []remediation.Stop{remediation.FirstClean} }, both(fixedImage, func(e *entry) { e.FirstClean = claimed("2026-03-09") }), "", "2026-04-01", "critical breached, deadline 2026-03-08 12:00, since 2026-03-08 12:00; first-clean-scan: its date is signed only"},
		{"shown to be late, claimed to be in time", seven, func(p *profile) { p.Stop = append(p.Stop, remediation.FirstClean) }, both(fixedImage, func(e *entry) { e.FirstClean = claimed("2026-03-07") }), "2026-03-20", "2026-04-01", "critical unknown, deadline 2026-03-08 12:00, stopped 2026-03-20, patched-image-signed; first-clean-scan: its date is signed only"},
		{"the first of two", seven, func(p *profile) { p.Stop = append(p.Stop, remediation.FirstClean) }, both(fixedImage, func(e *entry) { e.FirstClean = witnessed("2026-03-07") }), "2026-03-20", "2026-04-01", "critical met, deadline 2026-03-08 12:00, stopped 2026-03-07, first-clean-scan"},

		// Changes of the severity.
		{"raised", seven, nil, severities(rated("2026-03-01", "high"), rated("2026-03-03", "critical")), "", "2026-04-01", "critical breached, deadline 2026-03-10, since 2026-03-10"},
		{"raised late", seven, nil, severities(rated("2026-03-01", "high"), rated("2026-03-12", "critical")), "", "2026-04-01", "high breached, deadline 2026-03-15 12:00, since 2026-03-15 12:00"},
		{"raised, and it restarts", seven, rule(remediation.Restart), severities(rated("2026-03-01", "high"), rated("2026-03-12", "critical")), "", "2026-04-01", "critical breached, deadline 2026-03-19, since 2026-03-19"},
		{"raised, as first rated", seven, rule(remediation.AsFirstRated), severities(rated("2026-03-01", "high"), rated("2026-03-03", "critical")), "", "2026-04-01", "high breached, deadline 2026-03-15 12:00, since 2026-03-15 12:00"},
		{"raised after the deadline", seven, rule(remediation.Restart), severities(rated("2026-03-01", "high"), rated("2026-03-20", "critical")), "", "2026-04-01", "high breached, deadline 2026-03-15 12:00, since 2026-03-15 12:00"},
		{"raised after it was fixed", seven, nil, both(fixedImage, severities(rated("2026-03-01", "high"), rated("2026-03-03", "critical"))), "2026-03-02", "2026-04-01", "high met, deadline 2026-03-15 12:00, stopped 2026-03-02, patched-image-signed"},
		{"lowered", seven, nil, severities(rated("2026-03-01", "critical"), rated("2026-03-03", "low")), "", "2026-04-01", "critical breached, deadline 2026-03-08 12:00, since 2026-03-08 12:00"},
		{"lowered, and it restarts", seven, rule(remediation.Restart), severities(rated("2026-03-01", "critical"), rated("2026-03-03", "low")), "", "2026-04-01", "low breached, deadline 2026-03-17, since 2026-03-17"},
		{"lowered before the clock started", seven, nil, severities(rated("2026-02-01", "critical"), rated("2026-02-03", "low")), "", "2026-04-01", "low breached, deadline 2026-03-15 12:00, since 2026-03-15 12:00"},
		{"rated at last", seven, nil, severities(rated("2026-03-01", ""), rated("2026-03-03", "low")), "", "2026-04-01", "low breached, deadline 2026-03-15 12:00, since 2026-03-15 12:00"},
		{"rated too late", seven, nil, severities(rated("2026-03-01", ""), rated("2026-03-09", "low")), "", "2026-04-01", "critical breached, deadline 2026-03-08 12:00, since 2026-03-08 12:00"},
		{"changed at no time", seven, nil, severities(rated("2026-03-01", "critical"), assay.SeverityChange{Severities: []assay.Severity{{Rating: "low"}}}), "", "2026-04-01", "low unknown; severity-change: no date is known"},
		{"limited when it was raised", working, nil, severities(rated("2026-03-01", "low"), rated("2026-03-16", "high")), "", "2026-04-01", "high breached, deadline 2026-03-26, since 2026-03-26"},
		{"unlimited when it was lowered", working, rule(remediation.Restart), severities(rated("2026-03-01", "high"), rated("2026-03-03", "low")), "", "2026-04-01", "low excluded, no-limit"},

		// VEX.
		{"not affected, whenever", seven, nil, status(not(witnessed("2026-03-20"))), "", "2026-04-01", "critical excluded, deadline 2026-03-08 12:00, vex-not-affected"},
		{"not affected, claimed", seven, nil, status(not(claimed("2026-03-02"))), "", "2026-04-01", "critical breached, deadline 2026-03-08 12:00, since 2026-03-08 12:00; vex-not-affected: its date is signed only"},
		{"not affected, revoked", seven, nil, status(not(witnessed("2026-03-02")), says(assay.Affected, witnessed("2026-03-20"))), "", "2026-04-01", "critical breached, deadline 2026-03-08 12:00, since 2026-03-08 12:00"},
		{"not affected, taken back", seven, nil, status(not(witnessed("2026-03-02")), says("", witnessed("2026-03-20"))), "", "2026-04-01", "critical breached, deadline 2026-03-08 12:00, since 2026-03-08 12:00"},
		{"under investigation", seven, nil, status(says(assay.UnderInvestigation, witnessed("2026-03-02"))), "", "2026-04-01", "critical breached, deadline 2026-03-08 12:00, since 2026-03-08 12:00"},
		{"not affected stops the clock", seven, func(p *profile) { p.Exclusions = nil; p.Stop = append(p.Stop, remediation.VEXNotAffected) }, status(not(witnessed("2026-03-02"))), "", "2026-04-01", "critical met, deadline 2026-03-08 12:00, stopped 2026-03-02, vex-not-affected"},
		{"not affected, for another reason", seven, func(p *profile) { p.Exclusions = nil; p.Stop = append(p.Stop, remediation.VEXNotAffected) }, status(not(witnessed("2026-03-02")),
			assay.StatusChange{Status: assay.NotAffected, Justification: assay.VulnerableCodeNotPresent, At: witnessed("2026-03-20")}), "", "2026-04-01", "critical met, deadline 2026-03-08 12:00, stopped 2026-03-02, vex-not-affected"},
		{"not affected, too late to stop the clock", seven, func(p *profile) { p.Exclusions = nil; p.Stop = append(p.Stop, remediation.VEXNotAffected) }, status(not(witnessed("2026-03-20"))), "", "2026-04-01", "critical breached, deadline 2026-03-08 12:00, stopped 2026-03-20, since 2026-03-08 12:00, vex-not-affected"},
		{"fixed says VEX", seven, nil, status(says(assay.Affected, witnessed("2026-03-02")), says(assay.Fixed, witnessed("2026-03-04"))), "", "2026-04-01", "critical met, deadline 2026-03-08 12:00, stopped 2026-03-04, vex-fixed"},

		// Exclusions.
		{"no fix", seven, nil, func(e *entry) { e.Fix = assay.RemediationFix{State: assay.FixNone} }, "", "2026-03-08", "critical excluded, deadline 2026-03-08 12:00, until 2026-03-08 18:00, no-fix-available; fix-available: no date is known"},
		{"no fix, seen long ago", seven, nil, func(e *entry) { e.Fix = assay.RemediationFix{State: assay.FixNone} }, "", "2026-03-09", "critical unknown, deadline 2026-03-08 12:00; fix-available: no date is known; no-fix-available: the last scan that says so is of 2026-03-01T18:00:00Z"},
		{"no fix, by hearsay", seven, nil, func(e *entry) {
			e.Fix, e.LastSeen = assay.RemediationFix{State: assay.FixNone}, unsigned("2026-03-01 18:00")
		}, "", "2026-03-08", "critical open, deadline 2026-03-08 12:00; fix-available: no date is known; no-fix-available: the scan that says so: its date is unsigned only"},
		{"a fix that was there once", seven, nil, func(e *entry) { e.Fix.State = assay.FixNone }, "", "2026-04-01", "critical breached, deadline 2026-03-08 12:00, since 2026-03-08 12:00"},
		{"nobody knows of a fix", seven, nil, func(e *entry) { e.Fix = assay.RemediationFix{} }, "", "2026-03-08", "critical open, deadline 2026-03-08 12:00; fix-available: no date is known"},
		{"nobody knows of a fix, later", seven, nil, func(e *entry) { e.Fix = assay.RemediationFix{} }, "", "2026-03-08 12:00:01", "critical unknown, deadline 2026-03-08 12:00; fix-available: no date is known"},
		{"disputed", seven, allow(remediation.Disputed, 0), exclude(assay.Exclusion{Reason: "disputed", From: witnessed("2026-03-20"), Evidence: []assay.Resource{proof}}), "", "2026-04-01", "critical excluded, deadline 2026-03-08 12:00, disputed"},
		{"disputed, not allowed", seven, nil, exclude(assay.Exclusion{Reason: "disputed", From: witnessed("2026-03-02"), Evidence: []assay.Resource{proof}}), "", "2026-04-01", "critical breached, deadline 2026-03-08 12:00, since 2026-03-08 12:00"},
		{"disputed without evidence", seven, allow(remediation.Disputed, 0), exclude(assay.Exclusion{Reason: "disputed", From: witnessed("2026-03-02"), Evidence: []assay.Resource{{URI: "https://x.example"}}}), "", "2026-04-01", "critical breached, deadline 2026-03-08 12:00, since 2026-03-08 12:00; disputed: its evidence has no digest"},
		{"end of life, ended", seven, allow(remediation.EndOfLife, 60), exclude(assay.Exclusion{Reason: "end-of-life", From: witnessed("2026-03-02"), Until: at("2026-03-20"), Evidence: []assay.Resource{proof}}), "", "2026-04-01", "critical breached, deadline 2026-03-08 12:00, since 2026-03-08 12:00"},
		{"end of life, for ever", seven, allow(remediation.EndOfLife, 60), exclude(assay.Exclusion{Reason: "end-of-life", From: witnessed("2026-03-02"), Evidence: []assay.Resource{proof}}), "", "2026-04-01", "critical breached, deadline 2026-03-08 12:00, since 2026-03-08 12:00; end-of-life: it is for longer than the profile allows"},
		{"risk accepted", fed, nil, exclude(accept(witnessed("2026-03-02"), "2026-06-01")), "", "2026-05-31", "critical excluded, deadline 2026-06-01, until 2026-06-01, risk-accepted"},
		{"risk accepted, expired", fed, nil, exclude(accept(witnessed("2026-03-02"), "2026-06-01")), "", "2026-06-02", "critical breached, deadline 2026-06-01, since 2026-06-01, until 2026-06-01, risk-accepted"},
		{"risk accepted again", fed, nil, exclude(accept(witnessed("2026-03-02"), "2026-06-01"), accept(witnessed("2026-03-30"), "2026-08-01")), "", "2026-06-02", "critical excluded, deadline 2026-08-01, until 2026-08-01, risk-accepted"},
		{"risk accepted, and fixed then", fed, nil, both(fixedImage, exclude(accept(witnessed("2026-03-02"), "2026-06-01"))), "2026-05-01", "2026-06-02", "critical met, deadline 2026-06-01, stopped 2026-05-01, until 2026-06-01, patched-image-signed, risk-accepted"},
		{"risk accepted, and fixed later", fed, nil, both(fixedImage, exclude(accept(witnessed("2026-03-02"), "2026-04-15"))), "2026-05-01", "2026-06-02", "critical breached, deadline 2026-04-15, stopped 2026-05-01, since 2026-04-15, until 2026-04-15, patched-image-signed, risk-accepted"},
		{"risk accepted too late", seven, allow(remediation.RiskAccepted, 365), exclude(accept(witnessed("2026-03-09"), "2026-06-01")), "", "2026-05-31", "critical breached, deadline 2026-03-08 12:00, since 2026-03-08 12:00; risk-accepted: it came after the deadline"},
		{"risk accepted, claimed", fed, nil, exclude(accept(claimed("2026-03-02"), "2026-06-01")), "", "2026-05-31", "critical breached, deadline 2026-03-31 18:00, since 2026-03-31 18:00; risk-accepted: its date is signed only"},
		{"risk accepted for too long", fed, nil, exclude(accept(witnessed("2026-03-02"), "2027-06-01")), "", "2026-05-31", "critical breached, deadline 2026-03-31 18:00, since 2026-03-31 18:00; risk-accepted: it is for longer than the profile allows"},

		// What is not known of the images.
		{"undecided, in time", seven, nil, func(e *entry) { e.Undecided = []assay.Undecided{{Image: imgB, Reason: "not scanned"}} }, "2026-03-02", "2026-03-08 12:00", "critical open, deadline 2026-03-08 12:00"},
		{"undecided", seven, nil, func(e *entry) { e.Undecided = []assay.Undecided{{Image: imgB, Reason: "not scanned"}} }, "2026-03-02", "2026-03-08 12:01", "critical unknown, deadline 2026-03-08 12:00; whether image " + imgB.String() + " still has it: not scanned"},
		{"undecided, but seen later", seven, nil, func(e *entry) {
			e.Undecided, e.LastSeen = []assay.Undecided{{Image: imgB, Reason: "not scanned"}}, claimed("2026-03-20")
		}, "2026-03-02", "2026-04-01", "critical breached, deadline 2026-03-08 12:00, since 2026-03-08 12:00"},
		{"it was gone before it started", seven, nil, both(fixedImage, func(e *entry) { e.FirstSeen, e.LastSeen = claimed("2026-03-20"), claimed("2026-03-20") }), "2026-02-28 03:00", "2026-04-01", "critical met, deadline 2026-03-08 12:00, stopped 2026-02-28 03:00, patched-image-signed"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := named(t, tt.profile)
			if tt.change != nil {
				tt.change(p)
			}
			e := found()
			if tt.entry != nil {
				tt.entry(&e)
			}
			asOf := "2026-03-31"
			if at(tt.at).Before(at(asOf)) {
				asOf = tt.at
			}
			if at("2026-05-01").Before(at(tt.at)) {
				asOf = tt.at
			}
			r := stream(asOf, tt.signed, e)
			res := evaluate(t, r, p, at(tt.at))
			if got := show(res.Findings[0]); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
			if s := res.Findings[0].Status; (s == remediation.Breached || s == remediation.Unknown) && res.State() == assay.Proven {
				t.Errorf("%s is proven", s)
			}
		})
	}
}

func TestRegression(t *testing.T) {
	first, again := fixed(), found()
	again.Occurrence, again.FirstImage, again.LastImage = 2, imgC, imgC
	again.FirstSeen, again.LastSeen = claimed("2026-03-20"), claimed("2026-03-20")
	r := stream("2026-03-21", "2026-03-05", again, first)
	r.Images = append(r.Images, assay.ImageBuild{Digest: imgC, Previous: imgB, Signed: witnessed("2026-03-19")})
	for rule, want := range map[remediation.RegressionRule]string{
		"":                       "critical breached, deadline 2026-03-08 12:00, since 2026-03-20",
		remediation.Original:     "critical breached, deadline 2026-03-08 12:00, since 2026-03-20",
		remediation.Reappearance: "critical open, deadline 2026-03-27",
	} {
		res := evaluate(t, r, named(t, "7-14", func(p *profile) { p.Regression = rule }), at("2026-03-21"))
		if got := show(res.Findings[0]); got != "critical met, deadline 2026-03-08 12:00, stopped 2026-03-05, patched-image-signed" {
			t.Errorf("%s: the first occurrence: %s", rule, got)
		}
		if got := show(res.Findings[1]); got != want {
			t.Errorf("%s: got %s, want %s", rule, got, want)
		}
	}
	r.Entries[0].FirstSeen = assay.Dated{}
	res := evaluate(t, r, named(t, "7-14", func(p *profile) { p.Regression = remediation.Reappearance }), at("2026-03-21"))
	if got, want := show(res.Findings[1]), "critical unknown, deadline 2026-03-08 12:00; first-seen: no date is known"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// A later clock turns what is open into a breach, and nothing else.
func TestLater(t *testing.T) {
	r := stream("2026-03-02", "", found())
	for when, want := range map[string]remediation.Status{
		"2026-03-02": remediation.Open, "2026-03-08 12:00": remediation.Open, "2026-03-08 12:00:01": remediation.Breached, "2030-01-01": remediation.Breached,
	} {
		if got := evaluate(t, r, named(t, "7-14"), at(when)).Findings[0].Status; got != want {
			t.Errorf("%s: got %s, want %s", when, got, want)
		}
	}
	_, err := remediation.Evaluate(r, named(t, "7-14"), at("2026-03-01 23:59"))
	var e *assay.Error
	if !errors.As(err, &e) || e.Kind != assay.ErrInvalid || e.Field != "/asOf" || !strings.Contains(err.Error(), "2026-03-01T23:59") {
		t.Errorf("a clock before the record: %v", err)
	}
}

func TestStream(t *testing.T) {
	var entries []entry
	names := []string{"CVE-2026-0001", "CVE-2026-0002", "CVE-2026-0003", "CVE-2026-0004", "CVE-2026-0005", "CVE-2026-0006"}
	for i, name := range names {
		e := fixed()
		e.Vulnerability.ID = assay.VulnID(name)
		// 5 days 12 hours before image b, then 6, 7, and so on.
		e.Published = advised("2026-01-01")
		e.Fix.Available = remediation.Claimed(at("2026-03-01").AddDate(0, 0, -i), proof)
		entries = append(entries, e)
	}
	open, excluded := found(), found()
	open.Vulnerability.ID, open.Fix.Available = "CVE-2026-0007", advised("2026-03-06")
	excluded.Vulnerability.ID = "CVE-2026-0008"
	excluded.VEX = []assay.StatusChange{{Status: assay.NotAffected, At: witnessed("2026-03-02")}}
	unknown := found()
	unknown.Vulnerability.ID, unknown.Published, unknown.Fix.Available = "CVE-2026-0009", assay.Dated{}, assay.Dated{}
	r := stream("2026-03-07", "2026-03-06 12:00", append(entries, open, excluded, unknown)...)
	res := evaluate(t, r, named(t, "7-14", func(p *profile) { p.Rebuild = nil }), at("2026-03-07"))
	if diff := cmp.Diff(remediation.Counts{Met: 2, Open: 1, Breached: 4, Late: 4, Excluded: 1, Unknown: 1}, res.Counts); diff != "" {
		t.Error(diff)
	}
	const day = 24 * time.Hour
	half := 12 * time.Hour
	// 5.5 to 10.5 days: the third, the sixth (5.4 rounded up) and the last of six.
	if diff := cmp.Diff(remediation.Achieved{Count: 6, P50: 7*day + half, P90: 10*day + half, Max: 10*day + half}, res.Achieved); diff != "" {
		t.Error(diff)
	}
	if share, ok := res.Counts.Share(); !ok || share != 2.0/7 {
		t.Errorf("share %v, %v", share, ok)
	}
	if _, ok := (remediation.Counts{Open: 1}).Share(); ok {
		t.Error("a share of nothing")
	}
	if res.State() != assay.Refuted || res.Current() != assay.Unknown {
		t.Errorf("state %s, current %s", res.State(), res.Current())
	}
	res = evaluate(t, stream("2026-03-06 13:00", "2026-03-06 12:00", entries...), named(t, "7-14", func(p *profile) { p.Rebuild = nil }), at("2026-03-07"))
	if res.State() != assay.Refuted || res.Current() != assay.Proven {
		t.Errorf("state %s, current %s", res.State(), res.Current())
	}
}

func TestRebuild(t *testing.T) {
	images := func(signed ...string) *assay.Remediation {
		r := &assay.Remediation{Stream: "s", AsOf: at("2026-03-10"), Entries: []entry{}}
		for i, s := range signed {
			b := assay.ImageBuild{Digest: image(string('a' + rune(i)))}
			switch {
			case i > 0:
				b.Previous = r.Images[i-1].Digest
			}
			switch {
			case strings.HasPrefix(s, "claimed "):
				b.Signed = claimed(strings.TrimPrefix(s, "claimed "))
			case s != "":
				b.Signed = witnessed(s)
			}
			r.Images = append(r.Images, b)
		}
		return r
	}
	for name, tt := range map[string]struct {
		r       *assay.Remediation
		at      string
		state   assay.State
		longest time.Duration
		missing int
	}{
		"nightly":             {images("2026-03-07 02:00", "2026-03-08 03:00", "2026-03-09 02:30"), "2026-03-10 02:30", assay.Proven, 25 * time.Hour, 0},
		"a night left out":    {images("2026-03-07 02:00", "2026-03-09 02:00"), "2026-03-10 02:00", assay.Refuted, 48 * time.Hour, 0},
		"left out long ago":   {images("2026-01-01", "2026-02-07 02:00", "2026-03-08 02:00", "2026-03-09 02:00"), "2026-03-10 02:00", assay.Refuted, 29 * 24 * time.Hour, 0},
		"beyond what counts":  {images("2026-01-01", "2026-02-01", "2026-03-09 02:00"), "2026-04-15", assay.Refuted, 36*24*time.Hour + 22*time.Hour, 0},
		"not since":           {images("2026-03-07 02:00", "2026-03-08 03:00"), "2026-03-10 02:00", assay.Refuted, 47 * time.Hour, 0},
		"at the limit":        {images("2026-03-08 20:00"), "2026-03-10 02:00", assay.Proven, 30 * time.Hour, 0},
		"one has no time":     {images("2026-03-07 02:00", "", "2026-03-09 02:00"), "2026-03-10 02:00", assay.Unknown, 48 * time.Hour, 1},
		"one is claimed":      {images("2026-03-07 02:00", "claimed 2026-03-08 02:00", "2026-03-09 02:00"), "2026-03-10 02:00", assay.Unknown, 48 * time.Hour, 1},
		"one too many is":     {images("2026-03-08 02:00", "claimed 2026-03-08 12:00", "2026-03-09 02:00"), "2026-03-10 02:00", assay.Proven, 24 * time.Hour, 1},
		"none has a time":     {images("", ""), "2026-03-10 02:00", assay.Unknown, 0, 2},
		"one, and far future": {images("2026-03-08 20:00"), "2126-03-10 02:00", assay.Refuted, at("2126-03-10 02:00").Sub(at("2026-03-08 20:00")), 0},
	} {
		got := evaluate(t, tt.r, named(t, "7-14"), at(tt.at)).Rebuild
		if got.State != tt.state || got.Longest != tt.longest || len(got.Missing) != tt.missing {
			t.Errorf("%s: got %s, longest %s, missing %d; want %s, %s, %d", name, got.State, got.Longest, len(got.Missing), tt.state, tt.longest, tt.missing)
		}
	}
	if got := evaluate(t, images("", ""), named(t, remediation.ProfileCISAKEV), at("2026-03-10")).Rebuild; got.State != assay.Proven {
		t.Errorf("without a rule: %s", got.State)
	}
	claimed := named(t, "7-14", func(p *profile) { p.AllowClaimedTimesUnsafe = true })
	if got := evaluate(t, images("claimed 2026-03-09 02:00"), claimed, at("2026-03-10")).Rebuild; got.State != assay.Proven {
		t.Errorf("claims allowed: %s", got.State)
	}
}
