package scan

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/strictjson"
)

type grypeReport struct {
	Matches []grypeMatch  `json:"matches"`
	Ignored []grypeMatch  `json:"ignoredMatches"`
	Alerts  []grypeAlerts `json:"alertsByPackage"`
	Source  struct {
		Type   string         `json:"type"`
		Target jsontext.Value `json:"target"`
	} `json:"source"`
	Descriptor struct {
		Name      string   `json:"name"`
		Version   string   `json:"version"`
		Timestamp string   `json:"timestamp"`
		DB        *grypeDB `json:"db"`
	} `json:"descriptor"`
}

// grypeDB is of version 6 of the database, with a status, or of version 5, without.
type grypeDB struct {
	Status *grypeStatus `json:"status"`
	grypeStatus
}

type grypeStatus struct {
	SchemaVersion jsontext.Value `json:"schemaVersion"` // a number in version 5
	From          string         `json:"from"`
	Built         string         `json:"built"`
	Checksum      string         `json:"checksum"` // of version 5
	Valid         *bool          `json:"valid"`
	Error         jsontext.Value `json:"error"` // null in version 5
}

type grypeMatch struct {
	Vulnerability grypeVulnerability   `json:"vulnerability"`
	Related       []grypeVulnerability `json:"relatedVulnerabilities"`
	Details       []struct {
		Fix *struct {
			Suggested string `json:"suggestedVersion"`
		} `json:"fix"`
	} `json:"matchDetails"`
	Artifact grypePackage `json:"artifact"`
}

type grypeVulnerability struct {
	ID        string `json:"id"`
	Namespace string `json:"namespace"`
	Severity  string `json:"severity"`
	CVSS      []struct {
		Source  string `json:"source"`
		Vector  string `json:"vector"`
		Metrics struct {
			BaseScore float64 `json:"baseScore"`
		} `json:"metrics"`
	} `json:"cvss"`
	Exploited []struct {
		Added string `json:"dateAdded"`
		Due   string `json:"dueDate"`
	} `json:"knownExploited"`
	Fix struct {
		Versions  []string `json:"versions"`
		State     string   `json:"state"`
		Available []struct {
			Version string `json:"version"`
			Date    string `json:"date"`
			Kind    string `json:"kind"`
		} `json:"available"`
	} `json:"fix"`
	Advisories []struct {
		ID string `json:"id"`
	} `json:"advisories"`
}

type grypePackage struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	PURL    string `json:"purl"`
}

type grypeAlerts struct {
	Package grypePackage `json:"package"`
	Alerts  []struct {
		Type    string `json:"type"`
		Message string `json:"message"`
	} `json:"alerts"`
}

// ReadGrype reads a report of Grype, "grype -o json", of databases of versions 5 and 6.
//
// Matches that Grype ignored, by rules or VEX, are findings like all others. A package
// that it has an alert for, such as one of a distribution past its end of life, is not
// evaluated, nor is anything if the database was not valid.
//
// A related vulnerability is another name of the vulnerability if there is one; an
// advisory of a distribution for several is a finding for each, which rests on that
// advisory. A severity has as source the first part of its namespace ("nvd",
// "debian", "ghsa" for "github"), or that of the CVSS vector. The fix is Grype's
// suggested version, or the first after the installed one; its date is that of the
// same version, with its kind. The entries of KEV count, with the earliest due date.
//
// A report tells no date of publication, and EPSS and risk have no place in a scan.
// The image that was scanned is an input, by the digest of its manifest.
func ReadGrype(name string, data []byte) (*assay.Scan, error) {
	var g grypeReport
	if err := strictjson.Unmarshal(name, data, &g, strictjson.Limits{}); err != nil {
		return nil, err
	}
	scanner := assay.Scanner{URI: "pkg:github/anchore/grype", Version: g.Descriptor.Version}
	if n := g.Descriptor.Name; n != "" && n != "grype" {
		scanner.URI = n
	}
	r := newReport(name, scanner)
	if g.Matches == nil {
		return nil, r.bad("/matches", "", "a list of matches", nil)
	}
	var err error
	if r.scan.FinishedOn, err = r.date("/descriptor/timestamp", g.Descriptor.Timestamp); err != nil {
		return nil, err
	}
	if err := r.grypeDB(g.Descriptor.DB); err != nil {
		return nil, err
	}
	r.grypeSource(g.Source.Type, g.Source.Target)
	r.scan.Findings = make([]assay.Finding, 0, len(g.Matches)+len(g.Ignored))
	for _, list := range []struct {
		field   string
		matches []grypeMatch
	}{{"/matches/", g.Matches}, {"/ignoredMatches/", g.Ignored}} {
		for i := range list.matches {
			if err := r.grypeMatch(list.field+strconv.Itoa(i), &list.matches[i]); err != nil {
				return nil, err
			}
		}
	}
	for _, a := range g.Alerts {
		var f assay.Finding
		component(&f, a.Package.PURL, a.Package.Name, a.Package.Version)
		for _, alert := range a.Alerts {
			r.unevaluated(f, "grype has an alert, "+alert.Type+": "+alert.Message)
		}
	}
	return r.done(), nil
}

func (r *report) grypeDB(db *grypeDB) error {
	if db == nil {
		return nil
	}
	status := db.grypeStatus
	if db.Status != nil {
		status = *db.Status
	}
	s := &r.scan.Scanner
	s.DBURI, s.DBVersion = status.From, strings.Trim(string(status.SchemaVersion), `"`)
	if s.DBVersion == "null" {
		s.DBVersion = ""
	}
	var err error
	if s.DBUpdated, err = r.date("/descriptor/db/built", status.Built); err != nil {
		return err
	}
	sum := status.Checksum
	if u, err := url.Parse(status.From); err == nil && sum == "" {
		sum = u.Query().Get("checksum")
	}
	if sum != "" {
		d, err := assay.ParseDigest(sum)
		if err != nil {
			return r.bad("/descriptor/db/from", sum, "a checksum", err)
		}
		s.DBDigest = assay.DigestSet{d}
	}
	failed := strings.Trim(string(status.Error), `"`)
	if failed != "" && failed != "null" || status.Valid != nil && !*status.Valid {
		r.unevaluated(assay.Finding{}, "the database of the scanner was not valid: "+failed)
	}
	return nil
}

// grypeSource keeps what identifies an image.
func (r *report) grypeSource(typ string, target jsontext.Value) {
	var image struct {
		Input  string `json:"userInput"`
		Digest string `json:"manifestDigest"`
	}
	if typ != "image" || strictjson.Unmarshal(r.name, target, &image, strictjson.Limits{}) != nil {
		return
	}
	if d, err := assay.ParseDigest(image.Digest); err == nil {
		r.scan.Inputs = append(r.scan.Inputs, assay.Resource{Name: image.Input, Digest: assay.DigestSet{d}})
	}
}

func (r *report) grypeMatch(field string, m *grypeMatch) error {
	var f assay.Finding
	component(&f, m.Artifact.PURL, m.Artifact.Name, m.Artifact.Version)
	v := &m.Vulnerability
	ok, err := r.id(&f, field+"/vulnerability/id", v.ID)
	if err != nil || !ok {
		return err
	}
	var advisories, related []string
	for _, a := range v.Advisories {
		if a.ID != "" && a.ID != v.ID {
			advisories = append(advisories, a.ID)
		}
	}
	for _, o := range m.Related {
		if o.ID != v.ID {
			related = append(related, o.ID)
		}
	}
	f.Advisories = r.ids(&f, advisories...)
	others := r.ids(&f, related...)
	if err := r.grypeDetails(&f, field+"/vulnerability", v); err != nil {
		return err
	}
	if err := r.grypeFix(&f, field+"/vulnerability/fix", m); err != nil {
		return err
	}
	if len(others) <= 1 {
		// One vulnerability, by one or two names.
		f.Vulnerability.Aliases = others
		for i := range m.Related {
			if err := r.grypeDetails(&f, field+"/relatedVulnerabilities/"+strconv.Itoa(i), &m.Related[i]); err != nil {
				return err
			}
		}
		sortSeverities(&f)
		r.scan.Findings = append(r.scan.Findings, f)
		return nil
	}
	for _, other := range others {
		one := f
		one.Vulnerability = assay.Vulnerability{ID: other}
		one.Advisories = slices.Compact(slices.Sorted(slices.Values(append(slices.Clone(f.Advisories), f.Vulnerability.ID))))
		one.Severities = slices.Clone(f.Severities)
		if f.Exploited != nil {
			e := *f.Exploited
			one.Exploited = &e
		}
		for i := range m.Related {
			if id, err := assay.ParseVulnID(m.Related[i].ID); err == nil && id == other {
				if err := r.grypeDetails(&one, field+"/relatedVulnerabilities/"+strconv.Itoa(i), &m.Related[i]); err != nil {
					return err
				}
			}
		}
		sortSeverities(&one)
		r.scan.Findings = append(r.scan.Findings, one)
	}
	return nil
}

// grypeDetails adds severities and what is known to be exploited.
func (r *report) grypeDetails(f *assay.Finding, field string, v *grypeVulnerability) error {
	addWord(f, grypeNamespace(v.Namespace), v.Severity)
	for i := range v.CVSS {
		c := &v.CVSS[i]
		source := c.Source
		if source == "" {
			source = grypeNamespace(v.Namespace)
		} else if source == "nvd@nist.gov" {
			source = "nvd"
		}
		addScore(f, source, c.Vector, c.Metrics.BaseScore)
	}
	for i, e := range v.Exploited {
		at := field + "/knownExploited/" + strconv.Itoa(i)
		added, err := r.date(at+"/dateAdded", e.Added)
		if err != nil {
			return err
		}
		due, err := r.date(at+"/dueDate", e.Due)
		if err != nil {
			return err
		}
		if f.Exploited == nil {
			f.Exploited = &assay.Exploited{Catalogue: "CISA KEV"}
		}
		f.Exploited.Added, f.Exploited.Due = earlier(f.Exploited.Added, added), earlier(f.Exploited.Due, due)
	}
	return nil
}

// earlier gives the earlier of two times that are known.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// grypeNamespace gives the source of "nvd:cpe", "debian:distro:debian:12" and
// "github:language:go".
func grypeNamespace(namespace string) string {
	source, _, _ := strings.Cut(namespace, ":")
	if source == "github" {
		return "ghsa"
	}
	return source
}

func (r *report) grypeFix(f *assay.Finding, field string, m *grypeMatch) error {
	fix := &m.Vulnerability.Fix
	for _, d := range m.Details {
		if d.Fix != nil && d.Fix.Suggested != "" {
			f.Fix.Version = d.Fix.Suggested
			break
		}
	}
	if f.Fix.Version == "" {
		f.Fix.Version = firstFix(ecosystemOf(f.PURL.Type()), m.Artifact.Version, fix.Versions)
	}
	switch fix.State {
	case "fixed":
		f.Fix.State = assay.FixAvailable
	case "not-fixed":
		f.Fix.State = assay.FixNone
	case "wont-fix":
		f.Fix.State = assay.FixRefused
	case "", "unknown":
		f.Fix.State = fixState(f.Fix.Version)
	default:
		r.unevaluated(*f, "grype reports a fix of state "+strconv.Quote(fix.State)+", which is not known")
	}
	for i, a := range fix.Available {
		date, err := r.date(field+"/available/"+strconv.Itoa(i)+"/date", a.Date)
		if err != nil {
			return err
		}
		if a.Version == f.Fix.Version && a.Version != "" && !date.IsZero() && (f.Fix.Available.IsZero() || date.Before(f.Fix.Available)) {
			f.Fix.Available, f.Fix.AvailableBy = date, a.Kind
		}
	}
	return nil
}
