package osv

import (
	"cmp"
	"context"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/sourcedate"
)

// MatchOptions are how [Match] asks. The zero value is a fine default.
type MatchOptions struct {
	// Time is when the scan is made, written as its start and finish. Zero means the
	// time of the environment variable SOURCE_DATE_EPOCH, or else now. Advisories
	// withdrawn later than that are not withdrawn yet.
	Time time.Time
	// Inputs are the documents the components come from, by digest.
	Inputs []assay.Resource
	// Scanner is who scans; without a URI it is this package. What identifies the
	// database is filled in.
	Scanner assay.Scanner
	// Platform is what the components run on, of which Go's advisories may say that it
	// is not affected. By default it is that of the binaries that a module is part of,
	// where the SBOM says so, and else any.
	Platform assay.Platform
	// Workers is how many components are asked about at once, of a database that must
	// allow it, as an [Index] does; zero means one for each processor. The result does
	// not depend on it.
	Workers int
}

// scannerURI names this package as a scanner.
const scannerURI = "https://github.com/assaykit/assay/vex/osv"

const matchOp = "match advisories"

// Match asks a database about the components of an SBOM by the evaluation algorithm of
// the OSV schema, completely: explicit versions, every range of every row for the
// component's release, limits, in the order of the ecosystem.
//
// There is one finding for each vulnerability of each component, under the name that
// most know it by (CVE, then GHSA, then that of an advisory), whatever number of
// records say so and under whichever of its names; Advisories lists them, and severity,
// the earliest publication and a fix come from all of them. A record about several
// vulnerabilities, as distributions write them, gives a finding for each.
//
// What cannot be decided is in Unevaluated, and never left out: a component that no
// question can be asked about ([Queries]), an ecosystem or a release that the database
// does not know, an advisory with a version that cannot be read, or with ranges of
// commits only; and records of the database that could not be read. The root is asked
// about where it has a package URL of a package. Not asked about are the operating
// system, files that a package owns, and components without a package URL that the SBOM
// has the parts of: their packages are asked about. Coverage counts and names the package
// URLs of all components but the root, those in Unevaluated among them.
//
// Advisories are of the release's own stream of updates. Those of Ubuntu Pro count where
// there are no others of the release, because what only Pro fixes is open without it;
// those of streams that Red Hat keeps up for longer (EUS and the like) and of its layered
// products do not. Streams of one of Red Hat's modules are not told apart: a package of
// one may be reported for a fix of another.
//
// The result depends on the arguments alone; see [MatchOptions] for the time. The error
// is of kind [assay.ErrUnchecked] when ctx ends, and else the database's or about the
// environment's time.
func Match(ctx context.Context, db Database, sbom *assay.SBOM, opts MatchOptions) (*assay.Scan, error) {
	now, err := matchTime(opts.Time)
	if err != nil {
		return nil, err
	}
	m := matcher{db: db, now: now, system: operatingSystem(sbom), shape: shapeOf(sbom, opts.Platform)}
	components := make([]*assay.Component, 0, len(sbom.Components)+1)
	if !sbom.Root.PURL.IsZero() && !isArtifact(&sbom.Root) {
		components = append(components, &sbom.Root)
	}
	for i := range sbom.Components {
		components = append(components, &sbom.Components[i])
	}
	workers, err := m.run(ctx, components, opts.Workers)
	if err != nil {
		return nil, err
	}
	scan := &assay.Scan{
		Scanner: opts.Scanner, StartedOn: now, FinishedOn: now, Inputs: slices.Clone(opts.Inputs), Coverage: coverage(sbom),
		Findings: []assay.Finding{},
	}
	info := db.Info()
	identify(&scan.Scanner, info)
	if info.Skipped > 0 {
		scan.Unevaluated = append(scan.Unevaluated, assay.Unevaluated{Reason: skippedReason(info.Skipped)})
	}
	for _, w := range workers {
		scan.Findings = append(scan.Findings, w.findings...)
		scan.Unevaluated = append(scan.Unevaluated, w.unevaluated...)
	}
	slices.SortFunc(scan.Findings, assay.Finding.Compare)
	slices.SortFunc(scan.Unevaluated, func(a, b assay.Unevaluated) int {
		return cmp.Or(cmp.Compare(a.Vulnerability, b.Vulnerability), a.PURL.Compare(b.PURL), cmp.Compare(a.Component, b.Component), cmp.Compare(a.Reason, b.Reason))
	})
	return scan, nil
}

func matchTime(t time.Time) (time.Time, error) {
	if !t.IsZero() {
		return t.UTC().Round(0), nil
	}
	t, err := sourcedate.Epoch()
	if err == nil && t.IsZero() {
		t = time.Now().UTC().Truncate(time.Second)
	}
	return t, err
}

// identify fills in what identifies the database.
func identify(s *assay.Scanner, info Info) {
	s.URI = cmp.Or(s.URI, scannerURI)
	if !info.Digest.IsZero() {
		s.DBDigest = assay.DigestSet{info.Digest}
	}
	s.DBUpdated = info.Updated
	if s.DBVersion == "" && !info.Modified.IsZero() {
		s.DBVersion = info.Modified.UTC().Format(time.RFC3339)
	}
}

// matcher is what all workers of one [Match] read.
type matcher struct {
	db     Database
	now    time.Time
	system *assay.Component
	shape  shape
}

// worker is what one of them found.
type worker struct {
	*matcher
	findings    []assay.Finding
	unevaluated []assay.Unevaluated
	// records are those of the database that were read, nil for names without one.
	records map[assay.VulnID]*Advisory
	// releases are those that were asked about, and whether the database covers them.
	releases map[releaseKey]bool
	err      error
}

// run asks about components, several at once, and ends at the first error.
func (m *matcher) run(ctx context.Context, components []*assay.Component, n int) ([]*worker, error) {
	if n <= 0 {
		n = runtime.GOMAXPROCS(0)
	}
	n = max(1, min(n, len(components)))
	// Neighbors, which often are of one source, are asked about by the same worker,
	// which reads what they have in common once.
	const batch = 16
	var next atomic.Int64
	var failed atomic.Bool
	var wg sync.WaitGroup
	workers := make([]*worker, n)
	for i := range workers {
		w := &worker{matcher: m, records: map[assay.VulnID]*Advisory{}, releases: map[releaseKey]bool{}}
		workers[i] = w
		wg.Go(func() {
			for w.err == nil && !failed.Load() {
				from := int(next.Add(batch)) - batch
				if from >= len(components) {
					return
				}
				for _, c := range components[from:min(from+batch, len(components))] {
					if w.err = w.component(ctx, c); w.err != nil {
						failed.Store(true)
						return
					}
				}
			}
		})
	}
	wg.Wait()
	for _, w := range workers {
		if w.err != nil {
			return nil, w.err
		}
	}
	return workers, nil
}

// releaseKey is an ecosystem and a release of it.
type releaseKey struct{ ecosystem, release string }

func (m *worker) cannot(c *assay.Component, id assay.VulnID, reason string) {
	m.unevaluated = append(m.unevaluated, assay.Unevaluated{Vulnerability: id, Component: c.ID, PURL: c.PURL, Reason: reason})
}

// component asks about one component.
func (m *worker) component(ctx context.Context, c *assay.Component) error {
	if err := ctx.Err(); err != nil {
		return &assay.Error{Op: matchOp, Kind: assay.ErrUnchecked, Subject: c.PURL.String(), Err: err}
	}
	if m.shape.isWhole(c) {
		return nil
	}
	queries, err := Queries(c, m.system)
	if err != nil {
		m.cannot(c, "", err.Error())
		return nil
	}
	if e := queries[0].Ecosystem; !m.db.Knows(e) {
		m.cannot(c, "", unasked(c, "ecosystem", e, "one that the database has advisories of").Error())
		return nil
	}
	if q := &queries[0]; !m.covers(q) {
		m.cannot(c, "", unasked(c, "distro", q.Release, "a release of "+q.Ecosystem+" that the database has advisories of").Error())
	}
	var hits []hit
	for i := range queries {
		if hits, err = m.ask(ctx, c, &queries[i], hits); err != nil {
			return err
		}
	}
	return m.report(ctx, c, hits)
}

// hit is an advisory that includes the component, or may.
type hit struct {
	advisory assay.VulnID
	evaluation
}

// ask evaluates what the database has on one question.
func (m *worker) ask(ctx context.Context, c *assay.Component, q *Query, hits []hit) ([]hit, error) {
	entries, err := m.db.Entries(ctx, q.Ecosystem, q.Name)
	if err != nil {
		return nil, err
	}
	s := subject{query: q}
	kubernetes := ofKubernetes(q)
	for i := range entries {
		e := &entries[i]
		if i%1024 == 1023 && ctx.Err() != nil {
			return nil, &assay.Error{Op: matchOp, Kind: assay.ErrUnchecked, Subject: c.PURL.String(), Err: ctx.Err()}
		}
		// An advisory that was withdrawn matches nothing.
		if !e.Withdrawn.IsZero() && !e.Withdrawn.After(m.now) {
			continue
		}
		chosen := m.shape.onPlatform(c, inModule(c, rows(q, e.Affected)))
		if len(chosen) == 0 {
			continue
		}
		of := &s
		if kubernetes != nil && countsFromOne(chosen) {
			of = kubernetes
		}
		if ev := of.evaluate(chosen); ev.verdict != unaffected {
			hits = append(hits, hit{e.Advisory, ev})
		}
	}
	return hits, nil
}

// covers reports whether the database has records about the release of a question, or
// only such as name no release. One that has none, because it is too old for the release
// or too new, says nothing of whether its packages are affected, not even of those that
// it has no records of for any release.
func (m *worker) covers(q *Query) bool {
	if q.Release == "" {
		return true
	}
	key := releaseKey{q.Ecosystem, q.Release}
	known, ok := m.releases[key]
	if !ok {
		all := m.db.Releases(q.Ecosystem)
		plain := Query{Ecosystem: q.Ecosystem, Release: q.Release}
		known = len(all) == 0 || slices.ContainsFunc(all, func(r string) bool {
			return len(rows(&plain, []Affected{{Ecosystem: q.Ecosystem + ":" + r}})) > 0
		})
		m.releases[key] = known
	}
	return known
}

// coverage is of all package URLs: those that no question could be put for are told to
// be without an answer, and not left out.
func coverage(sbom *assay.SBOM) *assay.Coverage {
	out := &assay.Coverage{}
	var asked []assay.PURL
	for i := range sbom.Components {
		p := sbom.Components[i].PURL
		if p.IsZero() {
			continue
		}
		asked = append(asked, p)
		if t := p.Type(); !slices.Contains(out.Ecosystems, t) {
			out.Ecosystems = append(out.Ecosystems, t)
		}
	}
	slices.Sort(out.Ecosystems)
	out.Components, out.Digest = len(asked), assay.CoverageDigest(asked)
	return out
}
