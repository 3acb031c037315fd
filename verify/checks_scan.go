package verify

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/assaykit/assay"
)

// Defaults of how old scans and what they asked may be: scanned nightly, with half a day
// of grace, by a database of the last two days.
const (
	DefaultScanWithin     = 36 * time.Hour
	DefaultDatabaseWithin = 48 * time.Hour
)

// scanAge is what the times of a scan come to.
type scanAge struct {
	state  assay.State
	reason Reason
	detail string
}

// fresh says whether a scan is of now, as far as the policy wants.
//
// When a scan ran, and how old its database is, only its signer can say, and whoever may
// state scans is believed; an old scan cannot be made to look younger without his key. A
// witness bounds the other end: a signature is not older than what it signs.
func (v *Verifier) fresh(at time.Time, s Verified[*assay.Scan]) scanAge {
	scan := s.Evidence()
	finished, updated := scan.FinishedOn, scan.Scanner.DBUpdated
	switch witnessed := s.SignedBy(); {
	case finished.IsZero():
		return scanAge{assay.Unknown, NotStated, "does not say when it was finished"}
	case updated.IsZero():
		return scanAge{assay.Unknown, NotStated, "does not say when its database was updated"}
	case !witnessed.IsZero() && finished.After(witnessed.Add(clockSkew)):
		return scanAge{assay.Refuted, Contradiction, fmt.Sprintf("was finished on %s, after it was signed, by %s", stamp(finished), stamp(witnessed))}
	case updated.After(finished.Add(clockSkew)):
		return scanAge{assay.Refuted, Contradiction, fmt.Sprintf("asked a database of %s, and was finished before, on %s", stamp(updated), stamp(finished))}
	case finished.After(at.Add(clockSkew)):
		return scanAge{assay.Unknown, FromTheFuture, "was finished on " + stamp(finished)}
	}
	for _, d := range []struct {
		what   string
		of     time.Time
		within Duration
	}{{"was finished on", finished, v.policy.ScanWithin}, {"asked a database of", updated, v.policy.DatabaseWithin}} {
		if due := d.of.Add(time.Duration(d.within)); at.After(due) {
			return scanAge{assay.Refuted, TooOld, fmt.Sprintf("%s %s, good until %s", d.what, stamp(d.of), stamp(due))}
		}
	}
	return scanAge{assay.Proven, Holds, "finished on " + stamp(finished) + " with a database of " + stamp(updated)}
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// currentScans are the newest scan of each scanner that is fresh. What an older one of
// the same scanner found is superseded: advisories are withdrawn and corrected.
func (v *Verifier) currentScans(c *subjectCase) []Verified[*assay.Scan] {
	newest := map[string]Verified[*assay.Scan]{}
	for _, s := range c.scans {
		if v.fresh(c.report.At, s).state != assay.Proven {
			continue
		}
		uri := s.Evidence().Scanner.URI
		if have, ok := newest[uri]; !ok || newerScan(s, have) {
			newest[uri] = s
		}
	}
	var out []Verified[*assay.Scan]
	for _, s := range newest {
		out = append(out, s)
	}
	slices.SortFunc(out, func(a, b Verified[*assay.Scan]) int { return a.Envelope().Compare(b.Envelope()) })
	return out
}

func newerScan(a, b Verified[*assay.Scan]) bool {
	return cmp.Or(a.Evidence().FinishedOn.Compare(b.Evidence().FinishedOn), a.Evidence().Scanner.DBUpdated.Compare(b.Evidence().Scanner.DBUpdated),
		a.Envelope().Compare(b.Envelope())) > 0
}

// scanned answers whether the image was scanned lately, by a database that is not old.
// One fresh scan is enough; one that contradicts itself is false, whatever others say.
func (v *Verifier) scanned(c *subjectCase) Check {
	check := Check{ID: CheckScan, Reason: NotStated, Detail: "no vulnerability scan was accepted"}
	best := scanAge{}
	for i, s := range c.scans {
		age := v.fresh(c.report.At, s)
		check.Findings = append(check.Findings, fmt.Sprintf("scan by %s: %s", s.Evidence().Scanner.URI, age.detail))
		check.Evidence = append(check.Evidence, s.Envelope())
		if i == 0 || rankAge(age) > rankAge(best) {
			best = age
		}
	}
	if len(c.scans) > 0 {
		check.State, check.Reason, check.Detail = best.state, best.reason, "the newest scan "+best.detail
		if best.state == assay.Proven {
			check.Detail = best.detail
		}
	}
	return check
}

// rankAge puts first what decides: a false scan, then a fresh one, then one of unknown age.
func rankAge(a scanAge) int {
	switch {
	case a.reason == Contradiction:
		return 4
	case a.state == assay.Proven:
		return 3
	case a.state == assay.Unknown:
		return 2
	}
	return 1
}

// scanCoverage answers whether fresh scans were of all components there are: of the same
// set of package URLs as the inventory's, and together of every inventory's where several
// were signed and the image's bytes are not at hand. A component that the scanner's
// database cannot be asked about leaves it open, unless the policy expects that of its
// type.
func (v *Verifier) scanCoverage(c *subjectCase) Check {
	check := Check{ID: CheckScanCoverage, Reason: NotStated, Detail: "no fresh scan was accepted"}
	inventories := purlsOf(c.inventories())
	all := map[assay.PURL]bool{}
	for _, list := range inventories {
		for _, p := range list {
			all[p] = true
		}
	}
	left := maps.Clone(all)
	asked := ""
	for _, s := range v.currentScans(c) {
		check.Evidence = append(check.Evidence, s.Envelope())
		covered, detail := coveredBy(s.Evidence(), inventories, all)
		open := v.unasked(s.Evidence())
		switch {
		case len(inventories) == 0:
			check.Reason, check.Detail = NotStated, "there is no inventory to compare with"
		case covered == nil:
			check.Reason, check.Detail = NotShown, detail
			check.Findings = append(check.Findings, detail)
		case len(open) > 0:
			check.Reason, check.Detail = NotShown, plural(len(open), "component")+" could not be asked about: "+open[0]
			check.Findings = append(check.Findings, open...)
		default:
			asked = detail
			for _, p := range covered {
				delete(left, p)
			}
		}
	}
	switch {
	case asked == "":
	case len(left) == 0:
		check.State, check.Reason, check.Detail = assay.Proven, Holds, asked
	default:
		first := slices.SortedFunc(maps.Keys(left), assay.PURL.Compare)[0]
		check.Reason, check.Detail = NotShown, fmt.Sprintf("no scan was of %s of another inventory, such as %s", plural(len(left), "component"), first)
	}
	return check
}

// purlsOf gives the package URLs of each inventory.
func purlsOf(inventories []*assay.SBOM) [][]assay.PURL {
	var out [][]assay.PURL
	for _, inv := range inventories {
		purls := make([]assay.PURL, 0, len(inv.Components))
		for i := range inv.Components {
			if !inv.Components[i].PURL.IsZero() {
				purls = append(purls, inv.Components[i].PURL)
			}
		}
		out = append(out, purls)
	}
	return out
}

// coveredBy gives the package URLs that a scan was of: those of an inventory, or of all
// together; nil if it was of others.
func coveredBy(scan *assay.Scan, inventories [][]assay.PURL, all map[assay.PURL]bool) ([]assay.PURL, string) {
	if scan.Coverage == nil || scan.Coverage.Digest.IsZero() {
		return nil, "scan by " + scan.Scanner.URI + ": does not say which components it was of"
	}
	most := 0
	for _, purls := range append(slices.Clip(inventories), slices.Collect(maps.Keys(all))) {
		if len(inventories) > 0 && assay.CoverageDigest(purls) == scan.Coverage.Digest {
			return append([]assay.PURL{}, purls...), fmt.Sprintf("the scan was of all %d components of the inventory", len(purls))
		}
		most = max(most, len(purls))
	}
	return nil, fmt.Sprintf("scan by %s: of %d components, and not of the %d of the inventory", scan.Scanner.URI, scan.Coverage.Components, most)
}

// unasked are the components that the scanner could put no question for, but those of
// types that the policy exempts.
func (v *Verifier) unasked(scan *assay.Scan) []string {
	var out []string
	for _, u := range scan.Unevaluated {
		// A vulnerability that was not decided is a finding. What is about no component is
		// about the database, and nothing exempts that.
		ofDatabase := u.Component == "" && u.PURL.IsZero()
		if u.Vulnerability != "" || !ofDatabase && slices.Contains(v.policy.ScanExempt, u.PURL.Type()) {
			continue
		}
		out = append(out, cmp.Or(u.PURL.String(), string(u.Component), "the database")+": "+u.Reason)
	}
	slices.Sort(out)
	return slices.Compact(out)
}
