package verify

import (
	"fmt"
	"time"

	"github.com/assaykit/assay"
)

// rebuilt answers whether the image was built recently enough, by the witnessed time
// of its provenance. A build that was attested late counts from when it was first
// witnessed, which is never earlier than the build.
//
// A witness proves that a signature is not younger than it says; it may be older.
// A certificate that lived for minutes bounds the other end. A key does not: whoever
// holds an old provenance can take the witnesses off it and have it witnessed again
// today, so that nothing signed by a key is shown to be fresh.
func (v *Verifier) rebuilt(c *subjectCase) Check {
	check := Check{ID: CheckRebuilt, Reason: NotStated, Detail: "no provenance was accepted"}
	var newest time.Time
	for _, p := range c.provenances {
		check.Evidence = append(check.Evidence, p.Envelope())
		check.Detail = "no witness proves when the provenance was signed"
		if !p.Signer().Key.IsZero() {
			check.Detail = "the provenance was signed by a key, and an old signature of a key can be witnessed anew"
			continue
		}
		if p.SignedBy().After(newest) {
			newest = p.SignedBy()
		}
	}
	if newest.IsZero() {
		return check
	}
	within := time.Duration(v.policy.RebuildWithin)
	deadline := newest.Add(within)
	if c.report.At.After(deadline) {
		check.State, check.Reason = assay.Refuted, TooOld
		check.Detail = fmt.Sprintf("last built by %s, and the next build was due %s later, on %s", newest.Format(time.RFC3339), within, deadline.Format(time.RFC3339))
		return check
	}
	check.State, check.Reason = assay.Proven, Holds
	check.Detail = fmt.Sprintf("built by %s; the next build is due on %s", newest.Format(time.RFC3339), deadline.Format(time.RFC3339))
	return check
}
