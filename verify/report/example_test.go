package report_test

import (
	"fmt"
	"log"
	"os"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/verify"
	"github.com/assaykit/assay/verify/report"
)

func ExampleText() {
	r := &verify.Report{
		Schema: verify.ReportSchema, Digest: assay.SumSHA256([]byte("image")), At: at,
		Checks:  []verify.Check{{ID: "evidence/sbom", State: assay.Refuted, Reason: verify.Absent, Detail: "every store was read, and no sbom was accepted", Required: true}},
		Verdict: verify.Verdict{Policy: assay.Refuted, Next: assay.Minimal},
	}
	if err := report.Text(os.Stdout, r); err != nil {
		log.Fatal(err)
	}
	// Output:
	// sha256:6105d6cc76af400325e94d588ce511be5bfdbb73b437dc51eca43917d7a43e3d
	// as of 2026-05-06T07:08:09Z
	//
	// verdict: none
	// policy:  refuted
	//
	// attestations: 0
	//
	// checks:
	//   refuted  evidence/sbom  required  absent: every store was read, and no sbom was accepted
}

func ExampleJSON() {
	r := &verify.Report{Schema: verify.ReportSchema, Digest: assay.SumSHA256([]byte("image")), At: at, Verdict: verify.Verdict{Stage: assay.Hardened, Policy: assay.Proven}}
	if err := report.JSON(os.Stdout, r); err != nil {
		log.Fatal(err)
	}
	// Output:
	// {
	//   "schema": "https://github.com/assaykit/assay/report/v0.1",
	//   "digest": "sha256:6105d6cc76af400325e94d588ce511be5bfdbb73b437dc51eca43917d7a43e3d",
	//   "at": "2026-05-06T07:08:09Z",
	//   "attestations": [],
	//   "checks": [],
	//   "verdict": {
	//     "stage": "hardened",
	//     "policy": "proven"
	//   }
	// }
}

// A report that was kept is shown again. It is nobody's proof: to verify anew there is
// verify.Record.
func ExampleRead() {
	r, err := report.Read("report.json", []byte(`{"schema": "https://github.com/assaykit/assay/report/v0.1",
		"digest": "sha256:6105d6cc76af400325e94d588ce511be5bfdbb73b437dc51eca43917d7a43e3d", "at": "2026-05-06T07:08:09Z",
		"attestations": [], "checks": [], "verdict": {"stage": "hardened", "policy": "proven"}}`))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(r.Verdict.Stage, r.Verdict.Policy)
	_, err = report.Read("report.json", []byte(`{"schema": "https://example.com/report/v9"}`))
	fmt.Println(err)
	// Output:
	// hardened proven
	// read report: report.json: /schema: invalid: got "https://example.com/report/v9", want https://github.com/assaykit/assay/report/v0.1
}
