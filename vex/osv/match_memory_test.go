package osv_test

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/vex/osv"
)

// memory is a database of the records as they are, without an index, so that what
// matching does is told from what an index does.
type memory struct {
	records []osv.Advisory
	info    osv.Info
	fail    error
}

func (m *memory) Entries(_ context.Context, ecosystem, name string) ([]osv.Entry, error) {
	var out []osv.Entry
	for _, a := range m.records {
		e := osv.Entry{Advisory: a.ID, Withdrawn: a.Withdrawn}
		for _, row := range a.Affected {
			if base, _, _ := strings.Cut(row.Ecosystem, ":"); base == ecosystem && osv.NormalName(ecosystem, row.Name) == name {
				e.Affected = append(e.Affected, row)
			}
		}
		if len(e.Affected) > 0 {
			out = append(out, e)
		}
	}
	slices.SortFunc(out, func(a, b osv.Entry) int { return strings.Compare(string(a.Advisory), string(b.Advisory)) })
	return out, m.fail
}

func (m *memory) Advisory(_ context.Context, id assay.VulnID) (*osv.Advisory, error) {
	for _, a := range m.records {
		if a.ID == id {
			a.Affected = nil
			return &a, nil
		}
	}
	return nil, m.fail
}

func (m *memory) Knows(ecosystem string) bool {
	return slices.ContainsFunc(m.records, func(a osv.Advisory) bool {
		return slices.ContainsFunc(a.Affected, func(row osv.Affected) bool {
			base, _, _ := strings.Cut(row.Ecosystem, ":")
			return base == ecosystem
		})
	})
}

func (m *memory) Releases(ecosystem string) []string {
	var out []string
	for _, a := range m.records {
		for _, row := range a.Affected {
			if base, release, ok := strings.Cut(row.Ecosystem, ":"); ok && base == ecosystem {
				out = append(out, release)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func (m *memory) Info() osv.Info { return m.info }

// row is a row with one range: "introduced 0, fixed 1.2.0".
func row(ecosystem, name, events string) osv.Affected {
	r := osv.Range{Type: osv.RangeEcosystem}
	if ecosystem == "Go" || ecosystem == "npm" {
		r.Type = osv.RangeSemVer
	}
	for e := range strings.SplitSeq(events, ", ") {
		kind, version, _ := strings.Cut(e, " ")
		r.Events = append(r.Events, osv.Event{Kind: osv.EventKind(kind), Version: version})
	}
	return osv.Affected{Ecosystem: ecosystem, Name: name, Ranges: []osv.Range{r}}
}

// january is a day of January 2026.
func january(n int) time.Time { return time.Date(2026, 1, n, 0, 0, 0, 0, time.UTC) }

// sbomOf has a component for each package URL, which is its ID too.
func sbomOf(purls ...string) *assay.SBOM {
	s := &assay.SBOM{Root: assay.Component{ID: "root", Type: assay.TypeContainer, Name: "image"}}
	for _, p := range purls {
		u := assay.MustPURL(p)
		s.Components = append(s.Components, assay.Component{ID: assay.ComponentID(p), Type: assay.TypeLibrary, Name: u.Parts().Name, Version: u.Version(), PURL: u})
	}
	if err := s.Normalize(); err != nil {
		panic(err)
	}
	return s
}

// only is a database with one record of another.
type only struct {
	osv.Database
	id assay.VulnID
}

func (o only) Entries(ctx context.Context, ecosystem, name string) ([]osv.Entry, error) {
	all, err := o.Database.Entries(ctx, ecosystem, name)
	return slices.DeleteFunc(all, func(e osv.Entry) bool { return e.Advisory != o.id }), err
}
