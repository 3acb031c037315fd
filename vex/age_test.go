package vex_test

import (
	"testing"
	"time"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/vex"
)

func TestStale(t *testing.T) {
	const day = 24 * time.Hour
	a := said("a", says(0, "CVE-2026-0001", assay.UnderInvestigation), says(0, "CVE-2026-0002", assay.UnderInvestigation),
		says(20, "CVE-2026-0003", assay.UnderInvestigation), says(0, "CVE-2026-0004", assay.NotAffected))
	b := said("b", says(3, "CVE-2026-0002", assay.Fixed))
	at := on(30)
	line := vex.NewTimeline([]*assay.VEX{a, b}, at)
	got := line.Stale(vex.Ages{UnderInvestigation: 14 * day, NotAffected: 25 * day})
	if len(got) != 2 || got[0].Entry.Index != 0 || !got[0].Since.Equal(on(14)) || got[1].Entry.Index != 3 || !got[1].Since.Equal(on(25)) {
		t.Errorf("got %+v", got)
	}
	if n := len(line.Stale(vex.Ages{})); n != 0 {
		t.Error("no limit, and", n, "are stale")
	}
	answer := line.Status(image, assay.Vulnerability{ID: "CVE-2026-0004"})
	for limit, want := range map[time.Duration]bool{0: false, 29 * day: true, 30 * day: false, 31 * day: false} {
		if _, got := answer.Expired(vex.Ages{NotAffected: limit}, at); got != want {
			t.Errorf("after %v: got %v", limit, got)
		}
	}
	if _, got := (vex.Answer{}).Expired(vex.Ages{NotAffected: 1}, at); got {
		t.Error("nothing expired")
	}
}

func TestContradictionsListed(t *testing.T) {
	a := said("a", says(0, "CVE-2026-0001", assay.Affected), says(0, "CVE-2026-0002", assay.Affected))
	b := said("b", says(1, "CVE-2026-0001", assay.NotAffected, image, other), says(1, "CVE-2026-0002", assay.Affected))
	for range 5 { // maps are ranged over
		got := vex.NewTimeline([]*assay.VEX{a, b}, on(2)).Contradictions()
		if len(got) != 1 || got[0].SameTime || got[0].Counts.Document != b || got[0].Other.Document != a || got[0].Other.Index != 0 {
			t.Fatalf("got %v", got)
		}
	}
}
