package remediation

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	"github.com/assaykit/assay"
)

// Build is one image of a stream, with what is known of it.
type Build struct {
	// Image is its digest, of a strong algorithm. REQUIRED.
	Image assay.Digest
	// Built is when the build finished; its evidence is the provenance.
	Built assay.Dated
	// Signed is when the image was signed.
	Signed assay.Dated
	// Scans are those of this image, at whatever time, in any order.
	Scans []Scan
}

// Scan is one scan of an image, as it was stated.
type Scan struct {
	Scan *assay.Scan
	// Statement identifies it; see [Statement]. REQUIRED.
	Statement assay.Resource
	// Signed is when it was signed. Where it is zero nobody did, and its dates are
	// unsigned claims.
	Signed assay.Dated
	// Components are the package URLs of the image's SBOM, all of them. A scan that was
	// asked about these, as its coverage shows, can tell that something is gone.
	Components []assay.PURL
}

// VEX is one document, as it was stated.
type VEX struct {
	Doc *assay.VEX
	// Statement identifies it; see [Statement]. REQUIRED.
	Statement assay.Resource
	// Signed is when it was signed. If it is witnessed the document counts from then,
	// whatever time it bears itself; if it is zero nobody signed.
	Signed assay.Dated
}

// Exclusion is a reason why no deadline applies to a vulnerability.
type Exclusion struct {
	// Vulnerability is the identifier or an alias. REQUIRED.
	Vulnerability assay.VulnID
	// Component is the package, in any version; zero is each one.
	Component assay.PURL
	assay.Exclusion
}

// DefaultSkew is how far clocks of different machines may differ, and MaxSkew how far
// they may in any record.
const (
	DefaultSkew = 5 * time.Minute
	MaxSkew     = time.Hour
)

// Options of [Record]; the zero value is the safe default.
type Options struct {
	// AsOf is the end of the time the record covers; zero is the newest date of what
	// happened to the images.
	AsOf time.Time
	// Skew is how far clocks may differ; zero is [DefaultSkew], less is none, and more
	// than [MaxSkew] an [assay.ErrBound].
	Skew time.Duration
	// Repository names the images in VEX documents, beside their digest.
	Repository string
	// VEX are the documents whose authors may speak about the images, in any order.
	VEX        []VEX
	Exclusions []Exclusion
}

// Witnessed is a time that somebody else than the author vouches for, such as a log.
func Witnessed(t time.Time, evidence ...assay.Resource) assay.Dated {
	return dated(t, assay.BasisWitnessed, evidence...)
}

// Claimed is a time that a signed statement claims.
func Claimed(t time.Time, evidence ...assay.Resource) assay.Dated {
	return dated(t, assay.BasisSigned, evidence...)
}

// Statement identifies a statement by the SHA-256 of its signed bytes, the payload of
// its envelope; the name is for people.
func Statement(name string, payload []byte) assay.Resource {
	return assay.Resource{Name: name, Digest: assay.DigestSet{assay.SumSHA256(payload)}}
}

func dated(t time.Time, basis assay.Basis, evidence ...assay.Resource) assay.Dated {
	if t.IsZero() {
		return assay.Dated{}
	}
	evidence = slices.Clone(evidence)
	slices.SortFunc(evidence, assay.Resource.Compare)
	evidence = slices.CompactFunc(evidence, func(a, b assay.Resource) bool { return a.Compare(b) == 0 })
	return assay.Dated{Time: utc(t), Basis: basis, Evidence: evidence}
}

// normal is a date of the caller as it is written.
func normal(d assay.Dated) assay.Dated { return dated(d.Time, d.Basis, d.Evidence...) }

func utc(t time.Time) time.Time { return t.UTC().Round(0) }

// Record makes the record of a stream from its builds, oldest first.
//
// Findings are joined over time by vulnerability and component. Two are of the same
// vulnerability if one has the identifier of the other as identifier or alias; an
// advisory that is an alias of several CVEs joins nothing. The component is the purl
// without version, qualifiers and subpath.
//
// An image has a vulnerability if any scan of it says so. It has it no more if a later
// image's scan does not, and could have: a scan by a scanner that reported it, with a
// database that is no older than the one that did so first, that was shown to ask about
// all of the image's components, and that left nothing about this one undecided.
// Otherwise it is not known; that is recorded, and is no fix. Where the component is still
// there in a version that was reported, no scan shows a fix. If each scanner that
// reported it, asked again with a newer database, reports it no more, it was withdrawn.
// What comes back after it was fixed or withdrawn is another entry.
//
// Of several dates of publication, and of a fix, the earliest counts, which is never
// the one that gives more time. A date of an advisory that lies after the record is
// left out and named in the entry's doubts.
//
// A clock that jumps is an [assay.ErrInvalid] that names the date: a scan that ended
// before it began or before the image was built, what was signed before it was made,
// images out of order, anything that happened after AsOf; each beyond the skew. The
// same input gives the same record.
func Record(stream string, builds []Build, o Options) (*assay.Remediation, error) {
	r := recorder{stream: stream, skew: o.Skew, asOf: utc(o.AsOf), builds: builds, options: o}
	if r.skew == 0 {
		r.skew = DefaultSkew
	}
	r.skew = max(0, r.skew)
	if r.skew > MaxSkew {
		return nil, &assay.Error{Op: "record remediation", Kind: assay.ErrBound, Subject: stream, Field: "skew", Value: r.skew.String(), Bound: MaxSkew.String()}
	}
	if e := r.clocks(); e != nil {
		return nil, e
	}
	record := &assay.Remediation{Stream: stream, AsOf: r.asOf, Entries: []assay.RemediationEntry{}}
	for i := range builds {
		record.Images = append(record.Images, r.image(i))
	}
	r.join()
	lives := r.lives()
	for _, l := range lives {
		record.Entries = append(record.Entries, r.entry(l))
	}
	if e := r.statuses(record, lives); e != nil {
		return nil, e
	}
	slices.SortFunc(record.Entries, compareEntries)
	if e := check(record); e != nil {
		e.Op = "record remediation"
		return nil, e
	}
	return record, nil
}

type recorder struct {
	stream  string
	skew    time.Duration
	asOf    time.Time
	builds  []Build
	options Options

	scans  [][]*scanned // of each build, sorted
	names  aliases
	found  map[key]*history
	images []assay.ImageBuild
}

// scanned is a scan with what can be asked of it.
type scanned struct {
	*Scan
	image    int
	finished assay.Dated
	record   assay.ImageScan
	// covered says that all components were asked about; else why is why not.
	covered bool
	why     string
}

func (r *recorder) image(i int) assay.ImageBuild {
	b := &r.builds[i]
	img := assay.ImageBuild{Digest: b.Image, Built: normal(b.Built), Signed: normal(b.Signed)}
	if i > 0 {
		img.Previous = r.builds[i-1].Image
	}
	for _, s := range r.scans[i] {
		img.Scans = append(img.Scans, s.record)
	}
	r.images = append(r.images, img)
	return img
}

func (r *recorder) jump(field string, t time.Time, bound string) *assay.Error {
	return &assay.Error{Op: "record remediation", Kind: assay.ErrInvalid, Subject: r.stream, Field: field,
		Value: t.UTC().Format(time.RFC3339Nano), Bound: bound, Rule: "remediation R2"}
}

// clocks holds the dates of the builds to each other, and finds the end of the record.
func (r *recorder) clocks() *assay.Error {
	newest := r.asOf
	happened := func(field string, d assay.Dated) *assay.Error {
		if !r.asOf.IsZero() && d.Time.After(r.asOf.Add(r.skew)) {
			return r.jump(field, d.Time, "not after "+r.asOf.Format(time.RFC3339Nano)+", the end of the record")
		}
		if d.Time.After(newest) {
			newest = utc(d.Time)
		}
		return nil
	}
	// order wants b not before a.
	order := func(field string, a, b time.Time, what string) *assay.Error {
		if !a.IsZero() && !b.IsZero() && b.Before(a.Add(-r.skew)) {
			return r.jump(field, b, "not before "+a.UTC().Format(time.RFC3339Nano)+", when "+what)
		}
		return nil
	}
	var built, signed time.Time
	for i := range r.builds {
		b, at := &r.builds[i], "/builds/"+strconv.Itoa(i)
		var scans []*scanned
		for j := range b.Scans {
			s := &b.Scans[j]
			field := at + "/scans/" + strconv.Itoa(j)
			if s.Scan == nil {
				return &assay.Error{Op: "record remediation", Kind: assay.ErrInvalid, Subject: r.stream, Field: field, Bound: "a scan, not nil"}
			}
			scans = append(scans, r.open(s, i))
			for _, e := range [...]*assay.Error{
				order(field+"/finishedOn", s.Scan.StartedOn, s.Scan.FinishedOn, "it started"),
				order(field+"/finishedOn", b.Built.Time, s.Scan.FinishedOn, "the image was built"),
				order(field+"/signed", s.Scan.FinishedOn, s.Signed.Time, "the scan finished"),
				happened(field+"/finishedOn", scans[j].finished), happened(field+"/signed", s.Signed),
			} {
				if e != nil {
					return e
				}
			}
			if s.Scan.StartedOn.After(s.Scan.FinishedOn) && !s.Scan.FinishedOn.IsZero() { // one clock
				return r.jump(field+"/finishedOn", s.Scan.FinishedOn, "not before "+s.Scan.StartedOn.UTC().Format(time.RFC3339Nano)+", when it started")
			}
		}
		for _, e := range [...]*assay.Error{
			order(at+"/signed", b.Built.Time, b.Signed.Time, "it was built"),
			order(at+"/built", built, b.Built.Time, "the image before was built"),
			order(at+"/signed", signed, b.Signed.Time, "the image before was signed"),
			happened(at+"/built", b.Built), happened(at+"/signed", b.Signed),
		} {
			if e != nil {
				return e
			}
		}
		if t := b.Built.Time; t.After(built) {
			built = t
		}
		if t := b.Signed.Time; t.After(signed) {
			signed = t
		}
		slices.SortFunc(scans, func(a, b *scanned) int { return compareScans(a.record, b.record) })
		r.scans = append(r.scans, scans)
	}
	for i, v := range r.options.VEX {
		if v.Doc == nil {
			return &assay.Error{Op: "record remediation", Kind: assay.ErrInvalid, Subject: r.stream, Field: "/vex/" + strconv.Itoa(i), Bound: "a document, not nil"}
		}
		if e := happened("/vex/"+strconv.Itoa(i)+"/signed", v.Signed); e != nil {
			return e
		}
	}
	for i, x := range r.options.Exclusions {
		if e := happened("/exclusions/"+strconv.Itoa(i)+"/from", x.From); e != nil {
			return e
		}
	}
	r.asOf = newest
	return nil
}

// open says what a scan can be asked.
func (r *recorder) open(s *Scan, image int) *scanned {
	out := &scanned{Scan: s, image: image}
	basis := assay.BasisSigned
	if s.Signed.IsZero() {
		basis = assay.BasisUnsigned
	}
	out.finished = dated(s.Scan.FinishedOn, basis, s.Statement)
	out.record = assay.ImageScan{Statement: s.Statement, Scanner: s.Scan.Scanner.URI, DBDigest: s.Scan.Scanner.DBDigest, Finished: out.finished, Signed: normal(s.Signed)}
	// A database that is newer than the scan that asked it has no date.
	if t := utc(s.Scan.Scanner.DBUpdated); !s.Scan.FinishedOn.IsZero() && !t.After(s.Scan.FinishedOn) {
		out.record.DBUpdated = t
	}
	cov := s.Scan.Coverage
	switch {
	case cov == nil || cov.Digest.IsZero():
		out.why = "the scan does not say what it covers"
		return out
	case s.Components == nil:
		out.why = "the components of the image are not known"
		return out
	}
	if cov.Digest != assay.CoverageDigest(s.Components) {
		// What cannot be asked about may be listed as such in place.
		open := map[assay.PURL]bool{}
		for _, u := range s.Scan.Unevaluated {
			open[u.PURL] = true
		}
		if cov.Digest != assay.CoverageDigest(slices.DeleteFunc(slices.Clone(s.Components), func(p assay.PURL) bool { return open[p] })) {
			out.why = "the scan does not cover the components of the image"
			return out
		}
	}
	out.covered = true
	out.record.Coverage = &assay.Coverage{Components: cov.Components, Digest: cov.Digest}
	if len(cov.Ecosystems) > 0 {
		out.record.Coverage.Ecosystems = slices.Compact(slices.Sorted(slices.Values(cov.Ecosystems)))
	}
	return out
}

// advised is a date of a database, as a scan passes it on.
func (s *scanned) advised(t time.Time) assay.Dated {
	if s.Signed.IsZero() {
		return dated(t, assay.BasisUnsigned, s.Statement)
	}
	evidence := []assay.Resource{s.Statement}
	if c := s.Scan.Scan.Scanner; c.DBURI != "" || len(c.DBDigest) > 0 {
		evidence = append(evidence, assay.Resource{URI: c.DBURI, Digest: c.DBDigest})
	}
	return dated(t, assay.BasisAdvisory, evidence...)
}

// earliest is the earlier one of two dates, where both are known.
func earliest(a, b assay.Dated) assay.Dated {
	if a.IsZero() || !b.IsZero() && (b.Time.Before(a.Time) || b.Time.Equal(a.Time) && better(b, a)) {
		return b
	}
	return a
}

// better makes the choice among equal times the same in any order.
func better(a, b assay.Dated) bool {
	order := []assay.Basis{assay.BasisWitnessed, assay.BasisSigned, assay.BasisAdvisory, assay.BasisUnsigned}
	return cmp.Or(cmp.Compare(slices.Index(order, a.Basis), slices.Index(order, b.Basis)),
		slices.CompareFunc(a.Evidence, b.Evidence, assay.Resource.Compare)) < 0
}
