package verify

import (
	"bytes"
	"crypto"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/verify/layout"
)

// CheckLayout is the ID of the check of a layout, before its name.
const CheckLayout = "layout/"

// LayoutRule is an in-toto layout that the links about an image must satisfy. Links are
// signed by the functionaries that the layout names, who need no [SignerRule] and no
// [Trust]: the layout is the trust in them, and its owners' keys are the trust in it.
// See package layout for what is proven, and for what is not.
type LayoutRule struct {
	// Name is for reports. REQUIRED, unique.
	Name string `json:"name"`
	// Layout is the signed layout, as its owners published it. REQUIRED.
	Layout json.RawMessage `json:"layout"`
	// Owners are the public keys, PEM, that must all have signed the layout. REQUIRED.
	Owners []string `json:"owners"`
	// Parameters replace "{name}" in the layout's rules.
	Parameters map[string]string `json:"parameters,omitempty"`
	// SkipInspections judges a layout by its steps alone. Inspections are commands, and
	// none is ever run; without this a layout that has some is refused.
	SkipInspections bool `json:"skipInspections,omitzero"`
}

func (r LayoutRule) compile(field string) (*layout.Layout, error) {
	bad := func(f, value, bound string, err error) error {
		return &assay.Error{Op: "read policy", Kind: assay.ErrInvalid, Subject: r.Name, Field: field + "/" + f, Value: value, Bound: bound, Err: err}
	}
	if r.Name == "" {
		return nil, bad("name", "", "a name", nil)
	}
	var owners []crypto.PublicKey
	for i, text := range r.Owners {
		k, err := ParseKey(r.Name, []byte(text))
		if err != nil {
			return nil, bad(fmt.Sprintf("owners/%d", i), "", "a public key in PEM", err)
		}
		owners = append(owners, k.Public)
	}
	l, err := layout.Open(r.Name, r.Layout, owners, layout.Options{Parameters: r.Parameters, SkipInspections: r.SkipInspections})
	if err != nil {
		return nil, bad("layout", "", "", err)
	}
	return l, nil
}

func (r LayoutRule) clone() LayoutRule {
	r.Layout, r.Owners = bytes.Clone(r.Layout), slices.Clone(r.Owners)
	return r
}

// layouts answers whether the links satisfy each layout of the policy, and marks the
// envelopes of those that count.
func (v *Verifier) layouts(r *Report, all *assay.Bundle) []Check {
	var out []Check
	for i, l := range v.policy.layouts {
		name := v.policy.Layouts[i].Name
		res := l.Verify(r.Digest, r.At, all.Envelopes())
		c := Check{ID: CheckLayout + name, State: res.State, Reason: Holds, Detail: res.Detail, Evidence: res.Used, Required: true}
		switch {
		case res.State == assay.Refuted:
			c.Reason = ShownFalse
		case res.State == assay.Unknown && len(r.Faults) > 0:
			c.Reason = StoreUnreadable
			c.Detail += ", and a store could not be read: " + r.Faults[0].Store
		case res.State == assay.Unknown:
			// Every store was read: the links that are missing are not there.
			c.State, c.Reason = assay.Refuted, Absent
		}
		for _, d := range res.Used {
			if k, ok := slices.BinarySearchFunc(r.Attestations, d, func(a Attestation, d assay.Digest) int { return a.Envelope.Compare(d) }); ok && r.Attestations[k].State != assay.Proven {
				a := &r.Attestations[k]
				a.State, a.Reason, a.Detail, a.Rule = assay.Proven, Holds, "a link of the layout", CheckLayout+name
			}
		}
		out = append(out, c.finish())
	}
	return out
}
