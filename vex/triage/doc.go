// Package triage decides what is to be done about each finding of a vulnerability
// scan, by what VEX documents say and by what the image's contents show of it.
//
// # Where to start
//
// [Triage] joins a scan, the VEX documents of a time and an SBOM:
//
//	line := vex.NewTimeline(docs, time.Now())
//	r, err := triage.Triage(scan, line, inventory, triage.Options{Image: image})
//	for _, d := range r.Remaining() {
//		fmt.Println(d.Finding.Vulnerability.ID, d.State, d.Detail)
//	}
//
// [Draft] begins the VEX document for what is left. [ReadGovulncheck] reads govulncheck's
// JSON, and [Reachability] brings what it says of called code into a scan.
//
// # What is promised
//
//   - Every finding gets exactly one [State], and every question that the scan could not
//     decide stays in [Result.Unevaluated].
//   - Only fixed and not_affected close a finding. Statements that are older than the
//     policy allows, that speak of a part of the ways to a component, that give no reason
//     or one that cannot be looked up close nothing.
//   - What a statement claims is held against the SBOM, the contents of the image and the
//     reachability of the code; where they refute it, the finding is contradicted.
//   - The same input gives the same result. No clock is read.
//
// Documents count as they come: give only those whose authors may speak of the image,
// and whose signatures were verified.
package triage
