package provenance

import (
	"encoding/json"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/assaykit/assay"
)

// Check reports the first rule of SLSA v1 that the provenance breaks, as
// [assay.ErrInvalid] with the rule's name and the place in the v1 document:
//
//   - P2: buildType, externalParameters and builder.id are set (empty is unset, P3),
//     and the two that are URIs are absolute.
//   - P4: where the build type is one of those in the package documentation, it has
//     no external parameters beyond the documented ones. Nothing is known of the
//     parameters of other build types, and nothing is checked.
//   - P5: no parameter is both external and internal.
//   - P6: the commit of Source is a digest of one of the materials.
//   - P10: the build did not finish before it started.
//   - in-toto S5: each descriptor has a URI, a digest or content.
//
// Provenance that was read from SLSA v0.2 or v0.1 is held to P2 (where buildType
// need not be a URI, and external parameters may be empty), P10 and S5, which are
// all that those versions ask.
//
// P1 is the business of [Read], P8 and P9 of [Encode]. P7 says that the build level
// follows from signer and builder.id alone, so there is nothing here to state one.
func Check(p *assay.Provenance) error { return check("check provenance", "", p) }

func check(op, name string, p *assay.Provenance) error { return checkRules(op, name, p, false) }

func checkRead(name string, p *assay.Provenance, builderMayBeUnknown bool) error {
	return checkRules(readOp, name, p, builderMayBeUnknown)
}

func checkRules(op, name string, p *assay.Provenance, builderMayBeUnknown bool) error {
	fail := func(field, value, bound, rule string) error {
		return &assay.Error{Op: op, Kind: assay.ErrInvalid, Subject: name, Field: field, Value: value, Bound: bound, Rule: rule}
	}
	old := p.Format == assay.PredicateSLSA02 || p.Format == assay.PredicateSLSA01
	switch {
	case p.BuildType == "":
		return fail(buildTypeAt, "", "a URI", "SLSA P2")
	case !old && !isURI(p.BuildType):
		return fail(buildTypeAt, p.BuildType, "a URI", "SLSA P2")
	case !old && len(p.ExternalParameters) == 0:
		return fail(externalAt, "", "at least one parameter", "SLSA P2")
	case p.Builder.ID == "" && builderMayBeUnknown:
	case p.Builder.ID == "":
		return fail(builderIDAt, "", "a URI", "SLSA P2")
	case !old && !isURI(p.Builder.ID):
		return fail(builderIDAt, p.Builder.ID, "a URI", "SLSA P2")
	}
	if !old {
		if known, ok := externalParameters[p.BuildType]; ok {
			for _, k := range slices.Sorted(maps.Keys(p.ExternalParameters)) {
				if !slices.Contains(known, k) {
					return fail(externalAt+"/"+escape(k), k, "one of "+strings.Join(known, ", "), "SLSA P4")
				}
			}
		}
		for _, k := range slices.Sorted(maps.Keys(p.ExternalParameters)) {
			if _, twice := p.InternalParameters[k]; twice {
				return fail(internalAt+"/"+escape(k), k, "a name that no external parameter has", "SLSA P5")
			}
		}
		if c := p.Source.Commit; !c.IsZero() && !slices.ContainsFunc(p.Materials, func(r assay.Resource) bool { return hasCommit(r, c) }) {
			return fail(materialsAt, "", "a material with the digest of the source, "+c.String(), "SLSA P6")
		}
	}
	if !p.StartedOn.IsZero() && !p.FinishedOn.IsZero() && p.FinishedOn.Before(p.StartedOn) {
		return fail(finishedAt, formatTime(p.FinishedOn), "not before startedOn "+formatTime(p.StartedOn), "SLSA P10")
	}
	for _, l := range []struct {
		at   string
		list []assay.Resource
	}{{materialsAt, p.Materials}, {builderDepsAt, p.Builder.Dependencies}, {byproductsAt, p.Byproducts}} {
		for i, r := range l.list {
			if r.Validate() != nil {
				return fail(l.at+"/"+strconv.Itoa(i), r.Name, "a uri, digest or content", "in-toto S5")
			}
		}
	}
	return nil
}

// checkGenerated adds what binds only those who write (rule P8): members that the
// specification does not define carry the name of their vendor.
func checkGenerated(op string, ext map[string]json.RawMessage) error {
	for _, at := range slices.Sorted(maps.Keys(ext)) {
		if strings.Contains(at, "/digest/") {
			continue
		}
		name := unescape(at[strings.LastIndexByte(at, '/')+1:])
		if vendor, field, ok := strings.Cut(name, "_"); !ok || vendor == "" || field == "" {
			return &assay.Error{Op: op, Kind: assay.ErrInvalid, Field: at, Value: name, Bound: "a name of the form vendor_field", Rule: "SLSA P8"}
		}
	}
	return nil
}

func isURI(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.Scheme != "" && (u.Host != "" || u.Path != "" || u.Opaque != "") && strings.TrimSpace(s) == s
}
