package remediation

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/assaykit/assay"
)

// aliases unites the identifiers of one vulnerability.
type aliases struct {
	parent map[assay.VulnID]assay.VulnID
	all    map[assay.VulnID][]assay.VulnID // by root, sorted
}

func (a *aliases) find(v assay.VulnID) assay.VulnID {
	for {
		p, ok := a.parent[v]
		if !ok || p == v {
			return v
		}
		if next, ok := a.parent[p]; ok {
			a.parent[v] = next
		}
		v = p
	}
}

func isCVE(v assay.VulnID) bool { return strings.HasPrefix(string(v), "CVE-") }

// prefer orders identifiers by how well they are known.
func prefer(a, b assay.VulnID) int {
	if isCVE(a) != isCVE(b) {
		if isCVE(a) {
			return -1
		}
		return 1
	}
	return cmp.Compare(a, b)
}

// unite joins what findings say is one, but nothing by way of an identifier that is
// joined to several CVEs: a distribution's advisory is an alias of each that it is
// about.
func unite(vulnerabilities []assay.Vulnerability) aliases {
	cves := map[assay.VulnID]map[assay.VulnID]bool{}
	link := func(from, to assay.VulnID) {
		if isCVE(to) && !isCVE(from) {
			if cves[from] == nil {
				cves[from] = map[assay.VulnID]bool{}
			}
			cves[from][to] = true
		}
	}
	for _, v := range vulnerabilities {
		for _, alias := range v.Aliases {
			link(v.ID, alias)
			link(alias, v.ID)
		}
	}
	a := aliases{parent: map[assay.VulnID]assay.VulnID{}, all: map[assay.VulnID][]assay.VulnID{}}
	for _, v := range vulnerabilities {
		a.parent[v.ID] = cmp.Or(a.parent[v.ID], v.ID)
		for _, alias := range v.Aliases {
			if alias == "" || len(cves[v.ID]) > 1 || len(cves[alias]) > 1 {
				continue
			}
			a.parent[alias] = cmp.Or(a.parent[alias], alias)
			x, y := a.find(v.ID), a.find(alias)
			if prefer(x, y) > 0 {
				x, y = y, x
			}
			a.parent[y] = x
		}
	}
	for v := range a.parent {
		root := a.find(v)
		a.all[root] = append(a.all[root], v)
	}
	for _, list := range a.all {
		slices.SortFunc(list, prefer)
	}
	return a
}

// key is what a finding is joined by.
type key struct {
	vulnerability assay.VulnID // the root of its aliases
	component     assay.PURL
	id            assay.ComponentID
}

func (k key) compare(o key) int {
	return cmp.Or(cmp.Compare(k.vulnerability, o.vulnerability), k.component.Compare(o.component), cmp.Compare(k.id, o.id))
}

func (r *recorder) key(f *assay.Finding) key {
	k := key{vulnerability: r.names.find(f.Vulnerability.ID), component: f.PURL.Package()}
	if k.component.IsZero() {
		k.id = f.Component
	}
	return k
}

// report is what one scan says of one key.
type report struct {
	scan     *scanned
	findings []*assay.Finding
}

// history are the reports of one key, by image.
type history struct {
	reports map[int][]*report
}

// join collects the findings of all scans by what they are joined by.
func (r *recorder) join() {
	var vulnerabilities []assay.Vulnerability
	for _, scans := range r.scans {
		for _, s := range scans {
			for i := range s.Scan.Scan.Findings {
				vulnerabilities = append(vulnerabilities, s.Scan.Scan.Findings[i].Vulnerability)
			}
		}
	}
	r.names = unite(vulnerabilities)
	r.found = map[key]*history{}
	for _, scans := range r.scans {
		for _, s := range scans {
			for i := range s.Scan.Scan.Findings {
				f := &s.Scan.Scan.Findings[i]
				k := r.key(f)
				h := r.found[k]
				if h == nil {
					h = &history{reports: map[int][]*report{}}
					r.found[k] = h
				}
				list := h.reports[s.image]
				if n := len(list); n > 0 && list[n-1].scan == s {
					list[n-1].findings = append(list[n-1].findings, f)
				} else {
					h.reports[s.image] = append(list, &report{s, []*assay.Finding{f}})
				}
			}
		}
	}
}

// life is one occurrence of a key.
type life struct {
	key         key
	occurrence  int
	first, last int
	reports     []*report
	fixed       int // 0 while it is not
	clean       *scanned
	withdrawn   *scanned // that shows the advisory to be; nil while it is not
	undecided   []assay.Undecided
}

// lives follows each key through the images.
func (r *recorder) lives() []*life {
	var out []*life
	for _, k := range slices.SortedFunc(maps.Keys(r.found), key.compare) {
		h := r.found[k]
		var open *life
		n := 0
		for i := range r.builds {
			if reports := h.reports[i]; len(reports) > 0 {
				if open == nil {
					n++
					open = &life{key: k, occurrence: n, first: i}
					out = append(out, open)
				}
				open.last, open.undecided = i, nil
				open.reports = append(open.reports, reports...)
				if open.withdrawn, _ = r.withdrawn(open, i); open.withdrawn != nil {
					open = nil
				}
				continue
			}
			if open == nil {
				continue
			}
			clean, why := r.clean(open, i)
			switch {
			case clean != nil && !r.remains(open, i):
				open.fixed, open.clean = i, clean
				open = nil
				continue
			case clean != nil:
				if open.withdrawn, why = r.withdrawn(open, i); open.withdrawn != nil {
					open = nil
					continue
				}
			}
			open.undecided = append(open.undecided, assay.Undecided{Image: r.builds[i].Image, Reason: why})
		}
	}
	return out
}

// clean finds the first scan of an image that shows that it does not have it any
// more, or says why there is none.
func (r *recorder) clean(l *life, image int) (*scanned, string) {
	why := "the image was not scanned"
	var best *scanned
	for _, s := range r.scans[image] {
		if bad := r.blind(l, s); bad != "" {
			if best == nil {
				why = bad
			}
			continue
		}
		if best == nil || s.shown().Time.Before(best.shown().Time) || best.shown().IsZero() && !s.shown().IsZero() {
			best = s
		}
	}
	return best, why
}

// shown is when a scan could be seen by others, else when it ended.
func (s *scanned) shown() assay.Dated {
	if s.Signed.Basis == assay.BasisWitnessed {
		return normal(s.Signed)
	}
	return s.finished
}

// blind says why a scan that does not report something cannot show that it is gone.
func (r *recorder) blind(l *life, s *scanned) string {
	if !s.covered {
		return s.why
	}
	if l.key.component.IsZero() {
		return "the component has no package URL to ask by"
	}
	known, dated := false, false
	for _, report := range l.reports {
		before := report.scan
		if before.record.Scanner != s.record.Scanner {
			continue
		}
		known = true
		if before.record.DBDigest.Match(s.record.DBDigest) ||
			!before.record.DBUpdated.IsZero() && !s.record.DBUpdated.Before(before.record.DBUpdated) {
			dated = true
			break
		}
	}
	switch {
	case !known:
		return "no scanner that reported it scanned this image"
	case !dated:
		return "the database is not shown to be as new as the one that reported it"
	}
	for _, u := range s.Scan.Scan.Unevaluated {
		component := u.PURL.IsZero() && u.Component == "" || u.PURL.Package() == l.key.component
		if component && (u.Vulnerability == "" || r.names.find(u.Vulnerability) == l.key.vulnerability) {
			return "the scan could not decide: " + cmp.Or(strings.TrimSpace(u.Reason), "no reason is given")
		}
	}
	return ""
}
