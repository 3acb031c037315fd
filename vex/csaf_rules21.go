package vex

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/strictjson"
)

// csafRules21 holds a document to the mandatory tests that CSAF 2.1 adds to those of 2.0
// and that are about what is read: the depth and categories of branches, version ranges,
// package URLs, model numbers, remediations that contradict each other or a status, times,
// sharing groups, and the profiles. Not made are those about metrics and weaknesses
// (6.1.46 to 6.1.49, 6.1.51, 6.1.56), licenses (6.1.54, 6.1.55), notes and references of
// profiles (6.1.27.1, .2, .14, .16 to .19), extensions (6.1.60), and 6.1.27.13, which asks
// what corresponds to a product.
func csafRules21(w *csafDocument, groups map[string][]string) *assay.Error {
	switch w.Document.Category {
	case "csaf_withdrawn", "csaf_superseded":
		return csafBroken("6.1.27.15", "/product_tree", w.Document.Category, "a document that still holds: this one states nothing any more")
	}
	distribution, e := parseDistribution(w.Document.Distribution)
	if e != nil {
		return e
	}
	if e := csafSharing(distribution); e != nil {
		return e
	}
	b := csafBranches{}
	if e := b.walk("/product_tree", w.ProductTree.Branches, 1); e != nil {
		return e
	}
	if e := csafHelpers(&w.ProductTree, csafStars); e != nil {
		return e
	}
	if e := csafHelpers(&w.ProductTree, csafPURLs); e != nil {
		return e
	}
	newest := time.Time{}
	for _, r := range w.Document.Tracking.RevisionHistory {
		if t, err := time.Parse(time.RFC3339, r.Date); err == nil {
			newest = latest(newest, t)
		}
	}
	for i := range w.Vulnerabilities {
		v, at := &w.Vulnerabilities[i], "/vulnerabilities/"+strconv.Itoa(i)
		if w.Document.Category == "csaf_security_advisory" && len(v.Status.KnownAffected) == 0 {
			return csafBroken("6.1.27.12", at+"/product_status/known_affected", "", "a product that is affected")
		}
		if e := csafRemediations(at, v, groups); e != nil {
			return e
		}
		if e := csafPast(at, v, newest, distribution.TLP.Label == "CLEAR"); e != nil {
			return e
		}
	}
	return nil
}

const (
	csafMaxUUID = "ffffffff-ffff-ffff-ffff-ffffffffffff"
	csafNilUUID = "00000000-0000-0000-0000-000000000000"
	csafPublic  = "Public"
	csafPrivate = "No sharing allowed"
)

// csafDistribution is what tests 6.1.38 to 6.1.41 and 6.1.45 are about.
type csafDistribution struct {
	Group *struct {
		ID   string `json:"id"`
		Name string `json:"name"`
	} `json:"sharing_group"`
	TLP struct {
		Label string `json:"label"`
	} `json:"tlp"`
}

func parseDistribution(raw []byte) (d csafDistribution, _ *assay.Error) {
	if len(raw) == 0 {
		return d, nil
	}
	const at = "/document/distribution"
	if err := strictjson.Unmarshal(at, raw, &d, strictjson.Limits{}); err != nil {
		e := csafBroken("3.2.2.5", at, "", "a sharing group and a label as the schema has them")
		e.Err = err
		return d, e
	}
	return d, nil
}

func csafSharing(d csafDistribution) *assay.Error {
	const at = "/document/distribution"
	g := d.Group
	if g == nil {
		return nil
	}
	id := strings.ToLower(g.ID)
	names := map[string]string{csafMaxUUID: csafPublic, csafNilUUID: csafPrivate}
	switch want, reserved := names[id]; {
	case id == csafMaxUUID && d.TLP.Label != "CLEAR":
		return csafBroken("6.1.38", at+"/tlp/label", d.TLP.Label, "CLEAR, with a sharing group of everybody")
	case id != csafMaxUUID && d.TLP.Label == "CLEAR":
		return csafBroken("6.1.39", at+"/sharing_group/id", g.ID, csafMaxUUID+", with label CLEAR")
	case reserved && g.Name != want:
		return csafBroken("6.1.41", at+"/sharing_group/name", g.Name, want)
	case !reserved && (g.Name == csafPublic || g.Name == csafPrivate):
		return csafBroken("6.1.40", at+"/sharing_group/name", g.Name, "a name that is not reserved")
	}
	return nil
}

// csafBranches walks the tree for tests 6.1.34, 6.1.50, and 6.1.57 to 6.1.59.
type csafBranches struct{ path []string }

func (b *csafBranches) walk(at string, bs []csafBranch, depth int) *assay.Error {
	for i := range bs {
		branch, here := &bs[i], at+"/branches/"+strconv.Itoa(i)
		c := branch.Category
		switch {
		case branch.Product != nil && depth > 30:
			return csafBroken("6.1.34", here, strconv.Itoa(depth), "30 branches, one in the other")
		case c != "product_family" && slices.Contains(b.path, c):
			return csafBroken("6.1.57", here+"/category", c, "each category once on the way to a product")
		case c == "product_version" && slices.Contains(b.path, "product_version_range"), c == "product_version_range" && slices.Contains(b.path, "product_version"):
			return csafBroken("6.1.58", here+"/category", c, "a version or a range on the way to a product, not both")
		}
		if c == "product_version_range" {
			if e := csafRange(here+"/name", branch.Name); e != nil {
				return e
			}
		}
		b.path = append(b.path, c)
		e := b.walk(here, branch.Branches, depth+1)
		b.path = b.path[:len(b.path)-1]
		if e != nil {
			return e
		}
	}
	return nil
}

// csafRange holds the name of a range to the two spellings there are: VERS in canonical
// form, and its constraints alone.
func csafRange(field, name string) *assay.Error {
	bad := csafBroken("6.1.50", field, name, "a range such as vers:npm/>=2.0.0|<2.3.0, or its part behind the slash")
	list, scheme := name, ""
	if rest, ok := strings.CutPrefix(name, "vers:"); ok {
		if scheme, list, ok = strings.Cut(rest, "/"); !ok || scheme == "" || strings.ToLower(scheme) != scheme {
			return bad
		}
	}
	if strings.ContainsAny(name, " \t\n") || (scheme == "all" || list == "*") && name != "vers:all/*" && (scheme == "all" || scheme == "") {
		return bad
	}
	if list == "*" {
		return nil
	}
	var last string
	seen := map[string]bool{}
	parts := strings.Split(list, "|")
	for _, part := range parts {
		version := part
		for _, op := range []string{">=", "<=", "!=", "<", ">"} {
			if v, ok := strings.CutPrefix(part, op); ok {
				version = v
				break
			}
		}
		if version == "" || strings.ContainsAny(version[:1], "<>=!*") {
			return bad
		}
		if scheme != "" { // canonical is sorted, and has each version once
			if n, ok := compareVersions(scheme, last, version); seen[version] || last != "" && ok && n >= 0 {
				return bad
			}
		}
		last, seen[version] = version, true
	}
	if len(parts) == 1 && last == list {
		return csafBroken("6.1.59", field, name, "a range of more than one version")
	}
	return nil
}

// csafHelpers looks at what each product is identified by.
func csafHelpers(t *csafTree, look func(field string, h *csafHelper) *assay.Error) *assay.Error {
	one := func(field string, p *csafProduct) *assay.Error {
		if p == nil || p.Helper == nil {
			return nil
		}
		return look(field+"/product_identification_helper", p.Helper)
	}
	for i := range t.FullProductNames {
		if e := one("/product_tree/full_product_names/"+strconv.Itoa(i), &t.FullProductNames[i]); e != nil {
			return e
		}
	}
	for i := range t.Paths {
		if e := one("/product_tree/product_paths/"+strconv.Itoa(i)+"/full_product_name", &t.Paths[i].Product); e != nil {
			return e
		}
	}
	var branches func(at string, bs []csafBranch) *assay.Error
	branches = func(at string, bs []csafBranch) *assay.Error {
		for i := range bs {
			here := at + "/branches/" + strconv.Itoa(i)
			if e := one(here+"/product", bs[i].Product); e != nil {
				return e
			}
			if e := branches(here, bs[i].Branches); e != nil {
				return e
			}
		}
		return nil
	}
	return branches("/product_tree", t.Branches)
}

// csafStars are tests 6.1.43, 6.1.44 and 6.1.61.
func csafStars(field string, h *csafHelper) *assay.Error {
	for _, l := range []struct {
		rule, name string
		values     []string
	}{{"6.1.43", "model_numbers", h.Models}, {"6.1.44", "serial_numbers", h.Serials}, {"6.1.61", "skus", h.SKUs}} {
		for i, s := range l.values {
			stars := 0
			for j := 0; j < len(s); j++ {
				switch s[j] {
				case '\\':
					j++
				case '*':
					stars++
				}
			}
			if stars > 1 {
				return csafBroken(l.rule, field+"/"+l.name+"/"+strconv.Itoa(i), s, "one star that is not escaped")
			}
		}
	}
	return nil
}

// csafPURLs is test 6.1.42, after 6.1.13.
func csafPURLs(field string, h *csafHelper) *assay.Error {
	first := ""
	for i, s := range h.PURLs {
		at := field + "/purls/" + strconv.Itoa(i)
		p, err := assay.ParsePURL(s)
		if err != nil {
			e := csafBroken("6.1.13", at, s, "a package URL")
			e.Err = err
			return e
		}
		parts := p.Parts()
		parts.Qualifiers = nil
		if p, err = assay.NewPURL(parts); err != nil {
			return csafBroken("6.1.13", at, s, "a package URL")
		}
		if first = cmp.Or(first, p.String()); p.String() != first {
			return csafBroken("6.1.42", at, s, "a package URL that differs in qualifiers from "+first)
		}
	}
	return nil
}

// csafContradicts are the remediations that a product has not got besides (CSAF 2.1,
// section 3.2.4.14.1, table of combinations).
func csafContradicts(a, b string) bool {
	if a == b {
		return false
	}
	alone := []string{"optional_patch", "none_available"}
	final := []string{"vendor_fix", "fix_planned", "no_fix_planned"}
	return slices.Contains(alone, a) || slices.Contains(alone, b) || slices.Contains(final, a) && slices.Contains(final, b)
}

// csafExcludes says whether a remediation is for no product of the status.
func csafExcludes(kind, category string) bool {
	switch kind {
	case "affected":
		return category == "optional_patch"
	case "not affected":
		return slices.Contains([]string{"workaround", "mitigation", "vendor_fix", "none_available"}, category)
	case "fixed":
		return category != "optional_patch"
	}
	return false
}

// csafRemediations are tests 6.1.35 and 6.1.36.
func csafRemediations(at string, v *csafVulnerability, groups map[string][]string) *assay.Error {
	kinds := map[string]string{}
	for _, l := range v.Status.lists() {
		for _, id := range l.ids {
			if l.kind != "" {
				kinds[id] = l.kind
			}
		}
	}
	known := []string{"workaround", "mitigation", "vendor_fix", "optional_patch", "none_available", "fix_planned", "no_fix_planned"}
	has := map[string][]string{}
	for i, m := range v.Remediations {
		field := at + "/remediations/" + strconv.Itoa(i)
		if !slices.Contains(known, m.Category) {
			return csafBroken("3.2.4.14.1", field+"/category", m.Category, "one of "+strings.Join(known, ", "))
		}
		ids := slices.Clone(m.ProductIDs)
		for _, g := range m.GroupIDs {
			ids = append(ids, groups[g]...)
		}
		for _, id := range slices.Compact(slices.Sorted(slices.Values(ids))) {
			for _, was := range has[id] {
				if csafContradicts(was, m.Category) {
					return csafBroken("6.1.35", field, id, "no "+m.Category+" besides "+was)
				}
			}
			if csafExcludes(kinds[id], m.Category) {
				return csafBroken("6.1.36", field, id, "no "+m.Category+" for what is "+kinds[id])
			}
			has[id] = append(has[id], m.Category)
		}
	}
	return nil
}

// csafPast are tests 6.1.45, 6.1.52 and 6.1.53.
func csafPast(at string, v *csafVulnerability, newest time.Time, public bool) *assay.Error {
	parse := func(s string) time.Time {
		t, _ := time.Parse(time.RFC3339, s) // 6.1.37 has seen to it
		return t
	}
	if t := parse(v.Disclosed); public && t.After(newest) {
		return csafBroken("6.1.45", at+"/disclosure_date", v.Disclosed, "not after the last revision, "+formatTime(newest))
	}
	for i, x := range v.Exploited {
		field := at + "/first_known_exploitation_dates/" + strconv.Itoa(i)
		date, exploited := parse(x.Date), parse(x.Exploited)
		switch {
		case date.After(newest):
			return csafBroken("6.1.52", field+"/date", x.Date, "not after the last revision, "+formatTime(newest))
		case exploited.After(newest):
			return csafBroken("6.1.52", field+"/exploitation_date", x.Exploited, "not after the last revision, "+formatTime(newest))
		case exploited.After(date):
			return csafBroken("6.1.53", field+"/exploitation_date", x.Exploited, "not after "+x.Date)
		}
	}
	return nil
}

// csafTimes is test 6.1.37: RFC 3339 in upper case, and without leap seconds.
func csafTimes(w *csafDocument) *assay.Error {
	pattern := regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$`)
	var bad *assay.Error
	look := func(field, s string) {
		if s == "" || bad != nil {
			return
		}
		if _, err := time.Parse(time.RFC3339, s); err != nil || !pattern.MatchString(s) {
			bad = csafBroken("6.1.37", field, s, "a time such as 2026-01-02T15:04:05Z")
			bad.Err = err
		}
	}
	t := &w.Document.Tracking
	const tracking = "/document/tracking/"
	look(tracking+"current_release_date", t.CurrentReleaseDate)
	look(tracking+"initial_release_date", t.InitialReleaseDate)
	if t.Generator != nil {
		look(tracking+"generator/date", t.Generator.Date)
	}
	for i, r := range t.RevisionHistory {
		look(tracking+"revision_history/"+strconv.Itoa(i)+"/date", r.Date)
	}
	for i := range w.Vulnerabilities {
		v, at := &w.Vulnerabilities[i], "/vulnerabilities/"+strconv.Itoa(i)
		look(at+"/disclosure_date", v.Disclosed)
		look(at+"/discovery_date", v.Discovered)
		for j, x := range v.Exploited {
			field := at + "/first_known_exploitation_dates/" + strconv.Itoa(j)
			look(field+"/date", x.Date)
			look(field+"/exploitation_date", x.Exploited)
		}
		for j, x := range v.Flags {
			look(at+"/flags/"+strconv.Itoa(j)+"/date", x.Date)
		}
		for j, x := range v.Involvements {
			look(at+"/involvements/"+strconv.Itoa(j)+"/date", x.Date)
		}
		for j, x := range v.Remediations {
			look(at+"/remediations/"+strconv.Itoa(j)+"/date", x.Date)
		}
		for j, x := range v.Threats {
			look(at+"/threats/"+strconv.Itoa(j)+"/date", x.Date)
		}
	}
	return bad
}
