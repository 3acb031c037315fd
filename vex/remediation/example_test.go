package remediation_test

import (
	"fmt"
	"time"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/vex/remediation"
)

// Three nightly images of a stream; a vulnerability that is public since the first of
// March is gone from the image of the sixth, which is day 5.
func Example() {
	openssl := func(version string) assay.PURL {
		return assay.MustPURL("pkg:deb/debian/openssl@" + version + "?distro=debian-12")
	}
	night := func(day int, version string, findings ...assay.Finding) remediation.Build {
		signed := time.Date(2026, 3, day, 2, 0, 0, 0, time.UTC)
		components := []assay.PURL{openssl(version)}
		scan := &assay.Scan{
			Scanner:    assay.Scanner{URI: "https://scanner.example", DBUpdated: signed.Add(-time.Hour)},
			StartedOn:  signed.Add(time.Minute),
			FinishedOn: signed.Add(2 * time.Minute),
			Coverage:   &assay.Coverage{Components: 1, Digest: assay.CoverageDigest(components)},
			Findings:   findings,
		}
		// What the statements and the entries of the log are known by.
		statement := remediation.Statement("scan", fmt.Appendf(nil, "the payload of scan %d", day))
		entry := assay.Resource{URI: fmt.Sprintf("https://log.example/entries/%d", day)}
		return remediation.Build{
			Image:  assay.SumSHA256(fmt.Appendf(nil, "image %d", day)),
			Signed: remediation.Witnessed(signed, entry),
			Scans:  []remediation.Scan{{Scan: scan, Statement: statement, Signed: remediation.Witnessed(scan.FinishedOn, entry), Components: components}},
		}
	}
	finding := assay.Finding{
		Vulnerability: assay.Vulnerability{ID: "CVE-2026-0001"},
		PURL:          openssl("3.0.1"),
		Severities:    []assay.Severity{{Source: "nvd", Score: 9.8}},
		Published:     time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC),
		Fix: assay.Fix{Version: "3.0.2", State: assay.FixAvailable,
			Available: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), AvailableBy: "release"},
	}
	builds := []remediation.Build{night(4, "3.0.1", finding), night(5, "3.0.1", finding), night(6, "3.0.2")}

	record, err := remediation.Record("registry.example/app:1", builds, remediation.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	profile, err := remediation.Named(remediation.ProfileDefault)
	if err != nil {
		fmt.Println(err)
		return
	}
	result, err := remediation.Evaluate(record, profile, time.Date(2026, 3, 6, 12, 0, 0, 0, time.UTC))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, f := range result.Findings {
		took, _ := f.Took()
		fmt.Printf("%s in %s: %s (%s), %s after the clock started, due %s\n", f.Vulnerability, f.Component, f.Status, f.Rating, took, f.Deadline.Format(time.DateTime))
	}
	fmt.Printf("%+v\n", result.Counts)
	fmt.Printf("half within %s, nine of ten within %s, all within %s\n", result.Achieved.P50, result.Achieved.P90, result.Achieved.Max)
	fmt.Printf("rebuilt within %s: %s\n", result.Rebuild.Longest, result.Rebuild.State)
	fmt.Println("every deadline kept:", result.State())
	// Output:
	// CVE-2026-0001 in pkg:deb/debian/openssl: met (critical), 110h0m0s after the clock started, due 2026-03-08 12:00:00
	// {Met:1 Open:0 Breached:0 Late:0 Excluded:0 Withdrawn:0 Unknown:0}
	// half within 110h0m0s, nine of ten within 110h0m0s, all within 110h0m0s
	// rebuilt within 24h0m0s: proven
	// every deadline kept: proven
}

// A profile of one's own: ten working days from detection, as claims that nobody
// witnessed do not count.
func ExampleReadProfile() {
	profile, err := remediation.ReadProfile("ours.json", []byte(`{
	  "name": "ours",
	  "start": {"events": ["first-seen"]},
	  "limits": {"critical": {"workingDays": 10}, "high": {"workingDays": 10}, "medium": {"unlimited": true}, "low": {"unlimited": true}},
	  "stop": ["first-clean-scan"],
	  "calendar": {"zone": "UTC", "holidays": ["2026-12-25", "2026-12-28"]}
	}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(profile.Name, profile.Limits[assay.RatingCritical].WorkingDays)
	_, err = remediation.ReadProfile("theirs.json", []byte(`{"name": "theirs", "starts": {}}`))
	fmt.Println(err)
	// Output:
	// ours 10
	// read JSON: theirs.json: /starts: invalid: got "starts", want a member that is known here
}

// A record is the predicate of a statement: written one way, and read in no other.
func ExampleRead() {
	signed := time.Date(2026, 3, 4, 2, 0, 0, 0, time.UTC)
	record, err := remediation.Record("registry.example/app:1", []remediation.Build{{
		Image: assay.SumSHA256([]byte("image")), Signed: remediation.Witnessed(signed, assay.Resource{URI: "https://log.example/entries/1"}),
	}}, remediation.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	predicate, err := remediation.Encode(record)
	if err != nil {
		fmt.Println(err)
		return
	}
	read, err := remediation.Read("predicate", predicate)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(read.Stream, len(read.Images), read.Images[0].Signed.Basis)
	_, err = remediation.Read("predicate", []byte(`{"stream": "a", "stream": "b"}`))
	fmt.Println(err)
	// Output:
	// registry.example/app:1 1 witnessed
	// read JSON: predicate: /stream: invalid: got "stream", want each member name once
}

// Profiles are data: those that are built in are files like one's own.
func ExampleNames() {
	for _, name := range remediation.Names() {
		p, err := remediation.Named(name)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(p.Name)
	}
	// Output:
	// 7/14
	// 7/14 with high as critical
	// 7 working days
	// CISA KEV
	// FedRAMP Rev 5
}

// What a record says of statements that are at hand is proven or refuted by them; the
// rest is unknown.
func ExampleCheckAgainst() {
	image := assay.SumSHA256([]byte("image"))
	signed := time.Date(2026, 3, 4, 2, 0, 0, 0, time.UTC)
	components := []assay.PURL{assay.MustPURL("pkg:npm/left-pad@1.3.0")}
	scan := &assay.Scan{
		Scanner:    assay.Scanner{URI: "https://scanner.example", DBUpdated: signed.Add(-time.Hour)},
		StartedOn:  signed.Add(time.Minute),
		FinishedOn: signed.Add(2 * time.Minute),
		Coverage:   &assay.Coverage{Components: 1, Digest: assay.CoverageDigest(components)},
	}
	payload := []byte("the signed bytes of the scan's statement")
	witness := assay.Resource{URI: "https://log.example/entries/1"}
	record, err := remediation.Record("registry.example/app:1", []remediation.Build{{
		Image: image, Signed: remediation.Witnessed(signed, witness),
		Scans: []remediation.Scan{{Scan: scan, Statement: remediation.Statement("scan", payload), Signed: remediation.Witnessed(scan.FinishedOn, witness), Components: components}},
	}}, remediation.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	known := remediation.Known{Statement: assay.SumSHA256(payload), Subjects: []assay.Subject{{Digest: assay.DigestSet{image}}}, Evidence: scan, Signed: scan.FinishedOn}
	another := *scan
	another.Scanner.URI = "https://another.example"
	contradicts := known
	contradicts.Evidence = &another
	for _, at := range [][]remediation.Known{{known}, {contradicts}, nil} {
		grounds, err := remediation.CheckAgainst(record, at)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(grounds.State(), grounds.Proven, grounds.Unknown, len(grounds.Refuted))
	}
	// Output:
	// unknown 1 1 0
	// refuted 0 1 1
	// unknown 0 2 0
}

// A record says that a risk was accepted. That excludes nothing until the decision is at
// hand: as a VEX statement that was verified, or as a document that whoever asks has read.
func ExampleEvaluateAgainst() {
	day := func(n int) time.Time { return time.Date(2026, 3, n, 0, 0, 0, 0, time.UTC) }
	image, decision := assay.SumSHA256([]byte("image")), assay.SumSHA256([]byte("minutes of the board"))
	log := assay.Resource{URI: "https://log.example/entries/1", Digest: assay.DigestSet{decision}}
	record := &assay.Remediation{
		Stream: "registry.example/app:1", AsOf: day(20), Images: []assay.ImageBuild{{Digest: image}},
		Entries: []assay.RemediationEntry{{
			Vulnerability: assay.Vulnerability{ID: "CVE-2026-0001"}, Component: assay.MustPURL("pkg:deb/debian/openssl"), Occurrence: 1,
			FirstSeen: remediation.Claimed(day(1).AddDate(0, -1, -10), log), FirstImage: image, LastImage: image,
			Exclusions: []assay.Exclusion{{Reason: "risk-accepted", From: remediation.Witnessed(day(1).AddDate(0, -1, 0), log), Until: day(31), Evidence: []assay.Resource{log}}},
		}},
	}
	profile, err := remediation.Named(remediation.ProfileFedRAMP)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, held := range []remediation.Held{{}, {Documents: []remediation.Document{{Digest: decision, Vulnerabilities: []assay.VulnID{"CVE-2026-0001"},
		Reason: remediation.RiskAccepted, From: day(1).AddDate(0, -1, 0), Until: day(31)}}}} {
		result, err := remediation.EvaluateAgainst(record, profile, day(20), held)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(result.Findings[0].Status, result.Findings[0].Exclusion, result.Findings[0].Missing)
	}
	// Output:
	// unknown  [risk-accepted: its evidence is not at hand]
	// excluded risk-accepted []
}
