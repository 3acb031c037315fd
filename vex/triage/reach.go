package triage

import (
	"slices"

	"github.com/assaykit/assay"
)

// Run is a run of govulncheck on a program of an image.
type Run struct {
	Result *Govulncheck
	// File is the program's path in the image, as in [assay.Location]. Empty: the run is
	// about the program that the whole scan is about, and what it says holds for all of
	// it.
	File string
}

// Reachability gives a copy of the scan whose findings say whether the vulnerable code
// can be reached, as [Govulncheck.Reach] has it for the finding's component. Code that
// one program reaches is reachable. Code is not reachable only if every file that the
// SBOM found the component in was analyzed, and none of them reaches it; without an
// SBOM only runs without File can show that. What a finding says already stays where
// the runs say nothing, and that it can be reached stays always.
func Reachability(scan *assay.Scan, doc *assay.SBOM, runs ...Run) (*assay.Scan, error) {
	if scan == nil {
		return nil, missing("scan")
	}
	for _, r := range runs {
		if r.Result == nil {
			return nil, missing("run")
		}
	}
	in := newShown(doc)
	out := *scan
	out.Findings = slices.Clone(scan.Findings)
	for i := range out.Findings {
		f := &out.Findings[i]
		if s, _ := reachOf(*f, in, runs); s != assay.Unknown && f.Reachable != assay.Proven {
			f.Reachable = s
		}
	}
	return &out, nil
}

// reachOf joins what all runs say of a finding.
func reachOf(f assay.Finding, in *shown, runs []Run) (assay.State, assay.Justification) {
	if f.PURL.Type() != "golang" {
		return assay.Unknown, ""
	}
	label := assay.VulnerableCodeNotPresent
	covered := map[string]bool{}
	refuted, whole, linked := false, false, false
	for _, r := range runs {
		s, why, contained := r.Result.reachIn(f.Vulnerability, f.PURL)
		switch {
		case s == assay.Proven:
			return s, ""
		case contained:
			linked = true
		case s == assay.Refuted:
			refuted = true
			covered[r.File] = true
			whole = whole || r.File == ""
			if why == assay.VulnerableCodeNotInExecutePath {
				label = why // holds for code that is not present as well
			}
		}
	}
	// Code that the linker kept is called by something, whatever was analyzed besides.
	if !refuted || linked {
		return assay.Unknown, ""
	}
	parts := in.find(f)
	if whole {
		return assay.Refuted, label
	}
	if len(parts) == 0 {
		return assay.Unknown, ""
	}
	for _, c := range parts {
		if len(c.Locations) == 0 {
			return assay.Unknown, ""
		}
		for _, l := range c.Locations {
			if !covered[l.Path] {
				return assay.Unknown, ""
			}
		}
	}
	return assay.Refuted, label
}
