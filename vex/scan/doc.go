// Package scan reads and writes what vulnerability scanners found: as predicates that
// are signed, and as the reports of the scanners themselves.
//
// Start with [ReadReport] for a report of Grype, Trivy or OSV-Scanner, with [Read] for
// a predicate, and with [Encode] to write one. [Diff] compares two scans.
//
// Unknown is not "not vulnerable": what a report says and cannot be read is an error
// or an [assay.Unevaluated], and a scan that does not tell what it asked about has no
// Coverage. What a scanner leaves out of its report is not in the scan either; each
// reader says what that is.
package scan
