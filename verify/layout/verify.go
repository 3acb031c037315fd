package layout

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/in-toto/in-toto-golang/in_toto"

	"github.com/assaykit/assay"
)

// Result is what links prove of a layout.
type Result struct {
	// State is proven if every step was performed as the layout wants and the image
	// came out of the last one; refuted if it was shown not to be so; unknown if links
	// are missing, which may be elsewhere.
	State assay.State
	// Detail says it in words, and names the step.
	Detail string
	// Used are the envelopes of the links that count, sorted.
	Used []assay.Digest
}

// Verify holds the links among the envelopes against the layout, as of a time: a layout
// that has expired by then is refuted. Envelopes that are no links are passed over.
func (l *Layout) Verify(digest assay.Digest, at time.Time, envelopes iter.Seq[assay.Envelope]) Result {
	if at.After(l.expires) {
		return Result{State: assay.Refuted, Detail: "the layout expired at " + l.layout.Expires}
	}
	byStep := map[string][]*link{}
	for e := range envelopes {
		if k, ok := readLink(e); ok {
			byStep[k.Name] = append(byStep[k.Name], &k)
		}
	}
	chosen := map[string]in_toto.Metadata{}
	var items []any
	var last *link
	used := map[assay.Digest]bool{}
	for i := range l.steps {
		s := &l.steps[i]
		good, r := s.accept(byStep[s.Name])
		if r.State != assay.Proven {
			return r
		}
		for _, k := range good {
			used[k.envelope] = true
		}
		last = good[0]
		chosen[s.Name] = &in_toto.Metablock{Signed: last.Link}
		items = append(items, s.Step)
	}
	if err := in_toto.VerifyArtifacts(items, chosen); err != nil {
		return Result{State: assay.Refuted, Detail: err.Error()}
	}
	if !last.has(digest) {
		return Result{State: assay.Refuted, Detail: fmt.Sprintf("step %q did not bring forth %s", last.Name, digest)}
	}
	r := Result{State: assay.Proven, Detail: plural(len(l.steps), "step") + " performed as the layout wants",
		Used: slices.SortedFunc(maps.Keys(used), assay.Digest.Compare)}
	if l.skips && len(l.layout.Inspect) > 0 {
		r.Detail += "; " + plural(len(l.layout.Inspect), "inspection") + " not run"
	}
	return r
}

// accept gives the links of a step that enough functionaries signed, at least one.
func (s *step) accept(links []*link) ([]*link, Result) {
	var good []*link
	signers := map[string]*link{} // by the identity of the key
	for _, k := range sorted(links) {
		for _, f := range s.functionaries {
			if !k.signedBy(f) {
				continue
			}
			if signers[f.identity] == nil {
				signers[f.identity] = k
			}
			if !slices.Contains(good, k) {
				good = append(good, k)
			}
		}
	}
	if len(signers) < s.Threshold {
		return nil, Result{State: assay.Unknown, Detail: fmt.Sprintf("step %q needs links of %s and has those of %d (%s found)",
			s.Name, plural(s.Threshold, "functionary"), len(signers), plural(len(links), "link"))}
	}
	for _, k := range good[1:] {
		if !k.agrees(good[0]) {
			return nil, Result{State: assay.Refuted, Detail: fmt.Sprintf("step %q: links %s and %s tell of different artifacts", s.Name, good[0].envelope, k.envelope)}
		}
	}
	return good, Result{State: assay.Proven}
}

// signedBy reports whether the functionary's key made one of the signatures. The id
// that a signature names is a hint; only where it names none are all tried.
func (k *link) signedBy(f functionary) bool {
	return slices.ContainsFunc(k.signatures, func(s signature) bool {
		return (s.keyID == "" || s.keyID == f.keyID) && f.verifier.Verify(context.Background(), k.covered, s.sig) == nil
	})
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	if what == "functionary" {
		return fmt.Sprintf("%d functionaries", n)
	}
	return fmt.Sprintf("%d %ss", n, what)
}
