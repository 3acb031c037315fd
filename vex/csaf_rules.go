package vex

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/assaykit/assay"
)

// csafRules holds a document to the mandatory tests of CSAF 2.0 (section 6.1) that are
// about what is read of it: products and groups, statuses, flags and remediations, the
// revisions, languages and the category. Those about scores and weaknesses (6.1.7 to
// 6.1.11), which are not read, are not among them; 6.1.2 and 6.1.5 are the tree's, 6.1.13
// and 6.1.25 the identification helper's, and 6.1.27 and 6.1.31 are a Loss.
func csafRules(w *csafDocument, groups map[string][]string) *assay.Error {
	if e := csafMeta(w); e != nil {
		return e
	}
	if e := csafRevisions(&w.Document.Tracking); e != nil {
		return e
	}
	if e := csafReferences(w, groups); e != nil {
		return e
	}
	for i := range w.Vulnerabilities {
		if e := csafVulnerabilityRules("/vulnerabilities/"+strconv.Itoa(i), &w.Vulnerabilities[i], groups); e != nil {
			return e
		}
	}
	if w.Document.CSAFVersion != "2.0" {
		return csafRules21(w, groups)
	}
	return nil
}

// csafProfiles are the categories that name a profile.
func csafProfiles(version string) []string {
	list := []string{"csaf_base", "csaf_security_incident_response", "csaf_informational_advisory", "csaf_security_advisory", "csaf_vex"}
	if version != "2.0" {
		list = append(list, "csaf_deprecated_security_advisory", "csaf_withdrawn", "csaf_superseded")
	}
	return list
}

func csafMeta(w *csafDocument) *assay.Error {
	d := &w.Document
	// Whatever it looks like, a dash, an underscore or a space is one.
	plain := func(s string) string {
		return strings.Map(func(r rune) rune {
			if unicode.In(r, unicode.Pd, unicode.Pc, unicode.White_Space) || r == '\u2212' {
				return -1
			}
			return unicode.ToLower(r)
		}, s)
	}
	if profiles := csafProfiles(d.CSAFVersion); !slices.Contains(profiles, d.Category) {
		name := plain(d.Category)
		taken := strings.HasPrefix(strings.ToLower(d.Category), "csaf_")
		for _, p := range profiles[1:] {
			taken = taken || name == plain(p) || name == plain(strings.TrimPrefix(p, "csaf_"))
		}
		if taken {
			return csafBroken("6.1.26", "/document/category", d.Category, "a name that is not like that of a profile")
		}
	}
	switch {
	case d.Publisher.Category == "translator" && d.SourceLang == "":
		return csafBroken("6.1.15", "/document/source_lang", "", "the language that was translated")
	case d.SourceLang != "" && strings.EqualFold(d.SourceLang, d.Lang):
		return csafBroken("6.1.28", "/document/source_lang", d.SourceLang, "another language than the document's")
	}
	return nil
}

// csafNumber is a version by integer or semantic versioning.
type csafNumber struct {
	text       string
	major      int
	semantic   bool
	preRelease bool
	semver     semver
}

func parseCSAFNumber(field, s string) (csafNumber, *assay.Error) {
	n := csafNumber{text: s}
	bad := csafBroken("3.1.11", field, s, "an integer or semantic version")
	if allDigits(s) {
		v, err := strconv.Atoi(s)
		if err != nil || len(s) > 1 && s[0] == '0' {
			return n, bad
		}
		n.major = v
		return n, nil
	}
	v, ok := parseSemver(s)
	if !ok {
		return n, bad
	}
	major, err := strconv.Atoi(v.core[0])
	if err != nil {
		return n, bad
	}
	n.major, n.semantic, n.preRelease, n.semver = major, true, len(v.pre) > 0, v
	return n, nil
}

func (n csafNumber) compare(o csafNumber) int {
	if n.semantic && o.semantic {
		return compareSemver(n.semver, o.semver)
	}
	return cmp.Compare(n.major, o.major)
}

// csafRevisions are tests 6.1.14, 6.1.16 to 6.1.22 and 6.1.30.
func csafRevisions(t *csafTracking) *assay.Error {
	const at, version = "/document/tracking/revision_history", "/document/tracking/version"
	type revision struct {
		date   time.Time
		number csafNumber
		field  string
	}
	current, e := parseCSAFNumber(version, t.Version)
	if e != nil {
		return e
	}
	final := t.Status == "final" || t.Status == "interim"
	switch {
	case final && current.major == 0:
		return csafBroken("6.1.17", "/document/tracking/status", t.Status, "draft, with version "+t.Version)
	case final && current.preRelease:
		return csafBroken("6.1.20", version, t.Version, "no pre-release part with status "+t.Status)
	}
	var all []revision
	seen := map[string]bool{}
	for i, r := range t.RevisionHistory {
		field := at + "/" + strconv.Itoa(i)
		n, e := parseCSAFNumber(field+"/number", r.Number)
		if e != nil {
			return e
		}
		date, e := csafTime(field+"/date", r.Date, true)
		if e != nil {
			return e
		}
		switch key, _, _ := strings.Cut(r.Number, "+"); {
		case n.semantic != current.semantic:
			return csafBroken("6.1.30", field+"/number", r.Number, "a version of the kind that the document's is, "+t.Version)
		case n.preRelease:
			return csafBroken("6.1.19", field+"/number", r.Number, "no pre-release part")
		case final && n.major == 0:
			return csafBroken("6.1.18", field+"/number", r.Number, "no version 0 with status "+t.Status)
		case seen[key]:
			return csafBroken("6.1.22", field+"/number", r.Number, "each version once")
		default:
			seen[key] = true
		}
		all = append(all, revision{date, n, field + "/number"})
	}
	if len(all) == 0 {
		return csafBroken("3.2.1.12.6", at, "", "at least one revision")
	}
	slices.SortStableFunc(all, func(a, b revision) int { return cmp.Or(a.date.Compare(b.date), a.number.compare(b.number)) })
	for i := range all[1:] {
		if was, r := all[i], all[i+1]; was.number.compare(r.number) > 0 {
			return csafBroken("6.1.14", r.field, r.number.text, "a version above "+was.number.text+", which is of an earlier date")
		}
	}
	if first := all[0]; first.number.major > 1 {
		return csafBroken("6.1.21", first.field, first.number.text, "0 or 1 as the first version")
	}
	for i := range all[1:] {
		if was, r := all[i], all[i+1]; r.number.major > was.number.major+1 {
			return csafBroken("6.1.21", r.field, r.number.text, "the version that follows on "+was.number.text)
		}
	}
	if last := all[len(all)-1].number; last.compare(current) != 0 {
		return csafBroken("6.1.16", version, t.Version, last.text+", as the last revision")
	}
	return nil
}

// csafReferences are tests 6.1.1, 6.1.3 and 6.1.4: every product and group that is
// spoken of is defined, and nothing by itself.
func csafReferences(w *csafDocument, groups map[string][]string) *assay.Error {
	defined := map[string][]string{} // with what it is made of
	for i := range w.ProductTree.FullProductNames {
		defined[w.ProductTree.FullProductNames[i].ProductID] = nil
	}
	var branches func([]csafBranch)
	branches = func(bs []csafBranch) {
		for i := range bs {
			if bs[i].Product != nil {
				defined[bs[i].Product.ProductID] = nil
			}
			branches(bs[i].Branches)
		}
	}
	branches(w.ProductTree.Branches)
	type ref struct{ field, id string }
	var refs []ref
	ids := func(field string, list []string) {
		for i, id := range list {
			refs = append(refs, ref{field + "/" + strconv.Itoa(i), id})
		}
	}
	for i := range w.ProductTree.Relationships {
		r := &w.ProductTree.Relationships[i]
		at := "/product_tree/relationships/" + strconv.Itoa(i)
		defined[r.Product.ProductID] = []string{r.Reference, r.RelatesTo}
		refs = append(refs, ref{at + "/product_reference", r.Reference}, ref{at + "/relates_to_product_reference", r.RelatesTo})
	}
	for i := range w.ProductTree.Paths {
		p := &w.ProductTree.Paths[i]
		at := "/product_tree/product_paths/" + strconv.Itoa(i)
		refs = append(refs, ref{at + "/beginning_product_reference", p.Beginning})
		made := []string{p.Beginning}
		for j, s := range p.Subpaths {
			refs = append(refs, ref{at + "/subpaths/" + strconv.Itoa(j) + "/next_product_reference", s.Next})
			made = append(made, s.Next)
		}
		defined[p.Product.ProductID] = made
	}
	for i, g := range w.ProductTree.ProductGroups {
		ids("/product_tree/product_groups/"+strconv.Itoa(i)+"/product_ids", g.ProductIDs)
	}
	for i := range w.Vulnerabilities {
		v := &w.Vulnerabilities[i]
		at := "/vulnerabilities/" + strconv.Itoa(i)
		for _, l := range v.Status.lists() {
			ids(at+"/product_status/"+l.field, l.ids)
		}
		for j, s := range v.Scores {
			ids(at+"/scores/"+strconv.Itoa(j)+"/products", s.Products)
		}
		for j, s := range v.Metrics {
			ids(at+"/metrics/"+strconv.Itoa(j)+"/products", s.Products)
		}
		for _, a := range v.abouts() {
			ids(at+a.field+"/product_ids", a.about.ProductIDs)
			for _, g := range a.about.GroupIDs {
				if _, ok := groups[g]; !ok {
					return csafBroken("6.1.4", at+a.field+"/group_ids", g, "a group that the product tree defines")
				}
			}
		}
	}
	for _, r := range refs {
		if _, ok := defined[r.id]; !ok {
			return csafBroken("6.1.1", r.field, r.id, "a product that the product tree defines")
		}
	}
	return acyclic(defined)
}

// acyclic is test 6.1.3.
func acyclic(made map[string][]string) *assay.Error {
	done := map[string]int{} // 1 while it is looked at, 2 after
	names := make([]string, 0, len(made))
	for id := range made {
		names = append(names, id)
	}
	slices.Sort(names)
	type step struct {
		id   string
		next int
	}
	for _, id := range names {
		stack := []step{{id, 0}}
		for len(stack) > 0 {
			s := &stack[len(stack)-1]
			if s.next == 0 {
				if done[s.id] == 2 {
					stack = stack[:len(stack)-1]
					continue
				}
				done[s.id] = 1
			}
			if s.next == len(made[s.id]) {
				done[s.id] = 2
				stack = stack[:len(stack)-1]
				continue
			}
			to := made[s.id][s.next]
			s.next++
			if done[to] == 1 {
				return csafBroken("6.1.3", "/product_tree", to, "relationships without circle")
			}
			stack = append(stack, step{to, 0})
		}
	}
	return nil
}

// csafVulnerabilityRules are tests 6.1.6, 6.1.24, 6.1.29, 6.1.32 and 6.1.33.
func csafVulnerabilityRules(at string, v *csafVulnerability, groups map[string][]string) *assay.Error {
	status := map[string]string{}
	for _, l := range v.Status.lists() {
		if l.kind == "" {
			continue
		}
		for i, id := range l.ids {
			if was, ok := status[id]; ok && was != l.kind {
				return csafBroken("6.1.6", at+"/product_status/"+l.field+"/"+strconv.Itoa(i), id, was+", as stated besides")
			}
			status[id] = l.kind
		}
	}
	for i, m := range v.Remediations {
		if len(m.GroupIDs) == 0 && len(m.ProductIDs) == 0 {
			return csafBroken("6.1.29", at+"/remediations/"+strconv.Itoa(i), m.Details, "the products that the remediation is about")
		}
	}
	flagged := map[string]string{}
	for i, f := range v.Flags {
		field := at + "/flags/" + strconv.Itoa(i)
		if len(f.GroupIDs) == 0 && len(f.ProductIDs) == 0 {
			return csafBroken("6.1.32", field, f.Label, "the products that the flag is about")
		}
		own := map[string]bool{}
		for _, id := range f.ProductIDs {
			own[id] = true
		}
		for _, g := range f.GroupIDs {
			for _, id := range groups[g] {
				own[id] = true
			}
		}
		if _, err := assay.ParseJustification(f.Label); err != nil {
			continue
		}
		for _, id := range slices.Sorted(maps.Keys(own)) {
			if was, ok := flagged[id]; ok {
				return csafBroken("6.1.33", field, id, "one justification for a product, which has "+was)
			}
			flagged[id] = f.Label
		}
	}
	type involved struct{ party, date string }
	parties := map[involved]bool{}
	for i, n := range v.Involvements {
		k := involved{n.Party, n.Date}
		if t, err := time.Parse(time.RFC3339, n.Date); err == nil {
			k.date = formatTime(t)
		}
		if parties[k] {
			return csafBroken("6.1.24", at+"/involvements/"+strconv.Itoa(i), n.Party, "each party once at a date")
		}
		parties[k] = true
	}
	return nil
}
