package osv

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/strictjson"
	"github.com/assaykit/assay/vex/severity"
)

// maxRecord bounds one record. The largest in the wild, of kernels, have some 10 MB.
const maxRecord = 64 << 20

// ReadAdvisory reads one record in the OSV format (schema 1.7); name is for errors. It
// is strict where a mistake could hide a vulnerability: JSON that two readers could
// read differently, no id, a package without a name, a range without events or of a
// type that is not known, an event that is none or several, a date that is none. Such a
// record is an error of kind [assay.ErrInvalid] that names the member, or
// [assay.ErrBound] if it is larger than 64 MiB, [assay.ErrUnchecked] if it is of a
// schema of another major version.
//
// It is lenient where the wild is and nothing is hidden: an ecosystem of the schema has the
// schema's capitals, however the record writes it, so that it is found by them; dates before 1970 are not
// known; aliases that are no identifiers and package URLs that are none are left out;
// of what is specific to a database the severity is read ("MODERATE", as GitHub writes
// it, is medium), for Go the imports, and for rpm distributions the modules.
//
// The source of a severity is the database of the record by its id, in lower case:
// "ghsa", "cve", "ubuntu".
func ReadAdvisory(name string, data []byte) (*Advisory, error) {
	var w wireRecord
	if err := strictjson.Unmarshal(name, data, &w, strictjson.Limits{MaxBytes: maxRecord}); err != nil {
		return nil, err
	}
	r := recordReader{name: name}
	a := &Advisory{Aliases: vulnIDs(w.Aliases), Upstream: vulnIDs(w.Upstream), Related: vulnIDs(w.Related), Summary: w.Summary}
	var err error
	// A schema of another major version may say by other members what is affected.
	if major, _, _ := strings.Cut(w.Schema, "."); major != "" && major != "0" && major != "1" {
		return nil, &assay.Error{Op: readOp, Kind: assay.ErrUnchecked, Subject: name, Field: "/schema_version", Value: w.Schema, Bound: "1, with any minor version", Rule: "OSV schema_version"}
	}
	if w.ID == "" {
		return nil, r.bad("/id", "", "an identifier", "OSV id")
	}
	if a.ID, err = assay.ParseVulnID(w.ID); err != nil {
		return nil, &assay.Error{Op: readOp, Kind: assay.ErrInvalid, Subject: name, Field: "/id", Rule: "OSV id", Err: err}
	}
	a.Aliases = slices.DeleteFunc(a.Aliases, func(id assay.VulnID) bool { return id == a.ID })
	for _, d := range []struct {
		field, text string
		to          *time.Time
	}{{"/published", w.Published, &a.Published}, {"/modified", w.Modified, &a.Modified}, {"/withdrawn", w.Withdrawn, &a.Withdrawn}} {
		if *d.to, err = r.date(d.field, d.text); err != nil {
			return nil, err
		}
	}
	source := database(a.ID)
	a.Severities = severities(source, w.Severity)
	if rating := ratingOf(w.Specific.Severity); rating != "" {
		a.Severities = append(a.Severities, assay.Severity{Source: source, Rating: rating})
	}
	a.Affected = make([]Affected, len(w.Affected))
	for i := range w.Affected {
		row := &a.Affected[i]
		if err := r.affected(row, &w.Affected[i], source, "/affected/"+strconv.Itoa(i)); err != nil {
			return nil, err
		}
		row.Modules = modulesOf(row, w.Affected[i].Ecosystem.Module, a.Summary)
	}
	return a, nil
}

const readOp = "read advisory"

// recordReader knows what it reads for errors.
type recordReader struct{ name string }

func (r recordReader) bad(field, value, bound, rule string) error {
	return &assay.Error{Op: readOp, Kind: assay.ErrInvalid, Subject: r.name, Field: field, Value: value, Bound: bound, Rule: rule}
}

func (r recordReader) date(field, text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}, r.bad(field, text, "a time of RFC 3339", "OSV timestamps")
	}
	if t.Before(earliest) {
		return time.Time{}, nil
	}
	return t.UTC(), nil
}

func (r recordReader) affected(a *Affected, w *wireAffected, source, field string) error {
	if p := w.Package; p != nil {
		a.Ecosystem, a.Name = spelledEcosystem(p.Ecosystem), p.Name
		if base, _ := splitEcosystem(p.Ecosystem); base == "" || len(p.Ecosystem) > maxEcosystem || strings.ContainsRune(p.Ecosystem, 0) {
			return r.bad(field+"/package/ecosystem", p.Ecosystem, "an ecosystem", "OSV affected[].package")
		}
		if p.Name == "" || strings.ContainsRune(p.Name, 0) {
			return r.bad(field+"/package/name", p.Name, "the name of a package", "OSV affected[].package")
		}
		if p.PURL != "" {
			a.PURL, _ = assay.ParsePURL(p.PURL)
		}
	}
	a.Versions = w.Versions
	a.Severities = severities(source, w.Severity)
	for _, s := range []string{w.Ecosystem.Severity, w.Specific.Severity} {
		if rating := ratingOf(s); rating != "" {
			a.Severities = union(a.Severities, []assay.Severity{{Source: source, Rating: rating}})
		}
	}
	if base, _ := splitEcosystem(a.Ecosystem); base == "Go" {
		a.Imports = w.Ecosystem.imports(r.name)
	}
	repository := false
	for i, wr := range w.Ranges {
		at := field + "/ranges/" + strconv.Itoa(i)
		out := Range{Type: RangeType(wr.Type), Repo: wr.Repo}
		switch out.Type {
		case RangeSemVer, RangeEcosystem:
		case RangeGit:
			if wr.Repo == "" || strings.ContainsRune(wr.Repo, 0) {
				return r.bad(at+"/repo", wr.Repo, "a repository", "OSV affected[].ranges[].repo")
			}
			repository = true
		default:
			return r.bad(at+"/type", wr.Type, "SEMVER, ECOSYSTEM or GIT", "OSV affected[].ranges[].type")
		}
		if len(wr.Events) == 0 {
			return r.bad(at+"/events", "", "at least one event", "OSV affected[].ranges[].events")
		}
		out.Events = make([]Event, len(wr.Events))
		introduced := false
		for j, we := range wr.Events {
			e, ok := we.event()
			if !ok {
				return r.bad(at+"/events/"+strconv.Itoa(j), "", "one of introduced, fixed, last_affected, limit, with a version", "OSV affected[].ranges[].events")
			}
			introduced = introduced || e.Kind == Introduced
			out.Events[j] = e
		}
		if !introduced {
			return r.bad(at+"/events", "", "an introduced event", "OSV affected[].ranges[].events")
		}
		a.Ranges = append(a.Ranges, out)
	}
	if w.Package == nil && !repository {
		return r.bad(field, "", "a package, or a range of a repository", "OSV affected[]")
	}
	return nil
}

// event is the one that is given.
func (w *wireEvent) event() (e Event, ok bool) {
	n := 0
	for _, c := range []struct {
		kind EventKind
		v    *string
	}{{Introduced, w.Introduced}, {Fixed, w.Fixed}, {LastAffected, w.LastAffected}, {Limit, w.Limit}} {
		if c.v != nil {
			e = Event{c.kind, *c.v}
			n++
		}
	}
	return e, n == 1 && e.Version != ""
}

// vulnIDs leaves out what is none, and what is there twice.
func vulnIDs(list []string) []assay.VulnID {
	var out []assay.VulnID
	for _, s := range list {
		if id, err := assay.ParseVulnID(s); err == nil {
			out = append(out, id)
		}
	}
	return unique(out)
}

// database is who wrote a record, by its id.
func database(id assay.VulnID) string {
	prefix, _, _ := strings.Cut(string(id), "-")
	return strings.ToLower(prefix)
}

// severities takes CVSS vectors, and words where a database rates by them.
func severities(source string, list []wireSeverity) []assay.Severity {
	var out []assay.Severity
	for _, w := range list {
		s := assay.Severity{Source: source}
		if w.Source != "" {
			s.Source = strings.ToLower(w.Source)
		}
		if strings.HasPrefix(w.Type, "CVSS_") {
			s.Vector = w.Score
		} else {
			s.Rating = ratingOf(w.Score)
		}
		if s.Vector != "" || s.Rating != "" {
			out = append(out, s)
		}
	}
	return out
}

// ratingOf reads the words of GitHub and of distributions, "" for those that say that
// nobody rated.
func ratingOf(word string) assay.Rating {
	rating, _ := severity.Word(word)
	return rating
}
