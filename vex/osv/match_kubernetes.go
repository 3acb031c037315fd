package osv

import "strings"

// ofKubernetes gives the question that records of Kubernetes answer about one of its
// modules, nil for what is none. The modules are published as 0.26.3 from the tree of
// Kubernetes 1.26.3, and its records count as Kubernetes does.
func ofKubernetes(q *Query) *subject {
	rest, ok := strings.CutPrefix(q.Version, "0.")
	if q.Ecosystem != "Kubernetes" || !ok {
		return nil
	}
	released := *q
	released.Version = "1." + rest
	return &subject{query: &released}
}

// countsFromOne reports rows with a version that no module of Kubernetes has.
func countsFromOne(rows []*Affected) bool {
	above := func(v string) bool {
		v = strings.TrimPrefix(v, "v")
		return v != "0" && v != "" && !strings.HasPrefix(v, "0.")
	}
	for _, row := range rows {
		for _, v := range row.Versions {
			if above(v) {
				return true
			}
		}
		for _, r := range row.Ranges {
			for _, e := range r.Events {
				if r.Type != RangeGit && above(e.Version) {
					return true
				}
			}
		}
	}
	return false
}
