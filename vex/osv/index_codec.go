package osv

import (
	"encoding/binary"
	"math"
	"slices"
	"time"

	"github.com/assaykit/assay"
)

// encoder appends to b. Numbers are varints, texts and lists are preceded by their
// length.
type encoder struct{ b []byte }

func (e *encoder) uint(v int) { e.b = binary.AppendUvarint(e.b, uint64(v)) }

// offset writes a place in the file, which can be more than an int is.
func (e *encoder) offset(v int64) { e.b = binary.AppendUvarint(e.b, uint64(v)) }

func (e *encoder) text(s string) {
	e.uint(len(s))
	e.b = append(e.b, s...)
}

func (e *encoder) time(t time.Time) {
	if t.IsZero() {
		e.uint(0)
		return
	}
	e.uint(1)
	e.b = binary.AppendVarint(e.b, t.Unix())
	e.uint(t.Nanosecond())
}

// texts writes a list of anything that is a string.
func texts[T ~string](e *encoder, list []T) {
	e.uint(len(list))
	for _, s := range list {
		e.text(string(s))
	}
}

func (e *encoder) severities(list []assay.Severity) {
	e.uint(len(list))
	for _, s := range list {
		e.text(s.Source)
		e.text(s.Vector)
		e.b = binary.BigEndian.AppendUint64(e.b, math.Float64bits(s.Score))
		e.text(string(s.Rating))
	}
}

// advisory writes all but the affected packages.
func (e *encoder) advisory(a *Advisory) {
	e.text(string(a.ID))
	texts(e, a.Aliases)
	texts(e, a.Upstream)
	texts(e, a.Related)
	e.text(a.Summary)
	e.time(a.Published)
	e.time(a.Modified)
	e.time(a.Withdrawn)
	e.severities(a.Severities)
	e.text(a.Fix.Version)
	e.text(string(a.Fix.State))
	e.time(a.Fix.Available)
	e.text(a.Fix.AvailableBy)
	if a.Exploited == nil {
		e.uint(0)
		return
	}
	e.uint(1)
	e.text(a.Exploited.Catalogue)
	e.time(a.Exploited.Added)
	e.time(a.Exploited.Due)
}

// In the file these are numbers.
var (
	rangeTypes = []RangeType{RangeSemVer, RangeEcosystem, RangeGit}
	eventKinds = []EventKind{Introduced, Fixed, LastAffected, Limit}
)

func (e *encoder) affected(a *Affected) {
	e.text(a.Ecosystem)
	e.text(a.Name)
	if a.PURL.IsZero() {
		e.text("")
	} else {
		e.text(a.PURL.String())
	}
	texts(e, a.Versions)
	e.uint(len(a.Ranges))
	for _, r := range a.Ranges {
		e.uint(slices.Index(rangeTypes, r.Type))
		e.text(r.Repo)
		e.uint(len(r.Events))
		for _, v := range r.Events {
			e.uint(slices.Index(eventKinds, v.Kind))
			e.text(v.Version)
		}
	}
	e.severities(a.Severities)
	e.uint(len(a.Imports))
	for _, i := range a.Imports {
		e.text(i.Path)
		texts(e, i.Symbols)
		texts(e, i.GOOS)
		texts(e, i.GOARCH)
	}
	texts(e, a.Modules)
}

// decoder reads what an encoder wrote. Once something does not fit it is bad, and all
// that it gives is zero. The texts that it gives share the memory of s.
type decoder struct {
	s   string
	bad bool
	// The purl of the row before: rows of one package have the same.
	purlText string
	purl     assay.PURL
}

func (d *decoder) fail() {
	d.s, d.bad = "", true
}

func (d *decoder) uvarint() uint64 {
	var v uint64
	for i := 0; i < len(d.s) && i < binary.MaxVarintLen64; i++ {
		c := d.s[i]
		if c < 0x80 {
			if i == binary.MaxVarintLen64-1 && c > 1 {
				break
			}
			d.s = d.s[i+1:]
			return v | uint64(c)<<(7*i)
		}
		v |= uint64(c&0x7f) << (7 * i)
	}
	d.fail()
	return 0
}

// uint reads a number that is at most most.
func (d *decoder) uint(most int) int {
	if s := d.s; len(s) > 0 && s[0] < 0x80 && int(s[0]) <= most { // nearly all are so small
		d.s = s[1:]
		return int(s[0])
	}
	v := d.uvarint()
	if v > uint64(most) {
		d.fail()
		return 0
	}
	return int(v)
}

func (d *decoder) offset() int64 { return int64(d.uvarint() & math.MaxInt64) }

// count reads the length of a list whose elements take at least least bytes each, so
// that a forged length takes no memory that the file has no bytes for.
func (d *decoder) count(least int) int { return d.uint(len(d.s) / least) }

func (d *decoder) text() string {
	n := d.uint(len(d.s))
	if n > len(d.s) {
		d.fail()
		return ""
	}
	s := d.s[:n]
	d.s = d.s[n:]
	return s
}

func (d *decoder) time() time.Time {
	if d.uint(1) == 0 {
		return time.Time{}
	}
	u := d.uvarint()
	sec := int64(u >> 1)
	if u&1 != 0 {
		sec = ^sec
	}
	nsec := d.uint(999_999_999)
	if d.bad {
		return time.Time{}
	}
	return time.Unix(sec, int64(nsec)).UTC()
}

func (d *decoder) score() float64 {
	if len(d.s) < 8 {
		d.fail()
		return 0
	}
	v := math.Float64frombits(binary.BigEndian.Uint64([]byte(d.s[:8])))
	d.s = d.s[8:]
	return v
}

func textsOf[T ~string](d *decoder) []T {
	n := d.count(1)
	if n == 0 {
		return nil
	}
	out := make([]T, n)
	for i := range out {
		out[i] = T(d.text())
	}
	return out
}

func (d *decoder) severities() []assay.Severity {
	n := d.count(11)
	if n == 0 {
		return nil
	}
	out := make([]assay.Severity, n)
	for i := range out {
		out[i] = assay.Severity{Source: d.text(), Vector: d.text(), Score: d.score(), Rating: assay.Rating(d.text())}
	}
	return out
}

func (d *decoder) advisory() *Advisory {
	a := &Advisory{
		ID: assay.VulnID(d.text()), Aliases: textsOf[assay.VulnID](d), Upstream: textsOf[assay.VulnID](d), Related: textsOf[assay.VulnID](d),
		Summary: d.text(), Published: d.time(), Modified: d.time(), Withdrawn: d.time(), Severities: d.severities(),
		Fix: assay.Fix{Version: d.text(), State: assay.FixState(d.text()), Available: d.time(), AvailableBy: d.text()},
	}
	if d.uint(1) == 1 {
		a.Exploited = &assay.Exploited{Catalogue: d.text(), Added: d.time(), Due: d.time()}
	}
	return a
}

func (d *decoder) affected(a *Affected) {
	a.Ecosystem, a.Name = d.text(), d.text()
	a.PURL = d.packageURL()
	a.Versions = textsOf[string](d)
	if n := d.count(3); n > 0 {
		a.Ranges = make([]Range, n)
		for i := range a.Ranges {
			r := &a.Ranges[i]
			r.Type, r.Repo = rangeTypes[d.uint(len(rangeTypes)-1)], d.text()
			if m := d.count(2); m > 0 {
				r.Events = make([]Event, m)
			}
			for j := range r.Events {
				r.Events[j] = Event{eventKinds[d.uint(len(eventKinds)-1)], d.text()}
			}
		}
	}
	a.Severities = d.severities()
	if n := d.count(4); n > 0 {
		a.Imports = make([]assay.Import, n)
		for i := range a.Imports {
			a.Imports[i] = assay.Import{Path: d.text(), Symbols: textsOf[string](d), GOOS: textsOf[string](d), GOARCH: textsOf[string](d)}
		}
	}
	a.Modules = textsOf[string](d)
}

func (d *decoder) packageURL() assay.PURL {
	s := d.text()
	if s == "" || s == d.purlText {
		if s == "" {
			return assay.PURL{}
		}
		return d.purl
	}
	p, err := assay.ParsePURL(s)
	if err != nil {
		d.fail()
		return assay.PURL{}
	}
	d.purlText, d.purl = s, p
	return p
}
