package scan

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/strictjson"
	"github.com/assaykit/assay/vex/internal/imports"
	"github.com/assaykit/assay/vex/osv"
)

type osvReport struct {
	Results []struct {
		Packages []osvPackage `json:"packages"`
	} `json:"results"`
}

type osvPackage struct {
	Package struct {
		Name      string `json:"name"`
		OSName    string `json:"os_package_name"`
		Version   string `json:"version"`
		Ecosystem string `json:"ecosystem"`
		Commit    string `json:"commit"`
	} `json:"package"`
	Vulnerabilities []jsontext.Value `json:"vulnerabilities"`
	Groups          []struct {
		IDs      []string `json:"ids"`
		Aliases  []string `json:"aliases"`
		Analysis map[string]struct {
			Called      bool `json:"called"`
			Unimportant bool `json:"unimportant"`
		} `json:"experimental_analysis"`
	} `json:"groups"`
}

// ReadOSVScanner reads a report of OSV-Scanner version 2, "osv-scanner scan --format
// json".
//
// The records of OSV that the scanner takes for one vulnerability, a group, are one
// finding: its identifier is the first of them, the others and their aliases are its
// aliases, and it rests on all of them. Its severities are those of all the records,
// for the package where they say so; it was published when the first of them was. The
// fix is the first version after the installed one that a record has for the package.
// A record that cannot be read is not evaluated. What the scanner's call analysis says
// is never called is refuted to be reachable, which is no proof that the rest is.
//
// The package URL is made of ecosystem, name and version, for Linux distributions of
// the name of the binary package where the report has it, and without the release. The
// report tells neither the version of the scanner, nor its database, nor any time; of
// what the scanner's configuration ignored it has nothing.
func ReadOSVScanner(name string, data []byte) (*assay.Scan, error) {
	var o osvReport
	if err := strictjson.Unmarshal(name, data, &o, strictjson.Limits{}); err != nil {
		return nil, err
	}
	r := newReport(name, assay.Scanner{URI: "pkg:github/google/osv-scanner"})
	if o.Results == nil {
		return nil, r.bad("/results", "", "a list of results", nil)
	}
	for i, res := range o.Results {
		for j := range res.Packages {
			if err := r.osvPackage("/results/"+strconv.Itoa(i)+"/packages/"+strconv.Itoa(j), &res.Packages[j]); err != nil {
				return nil, err
			}
		}
	}
	return r.done(), nil
}

func (r *report) osvPackage(field string, p *osvPackage) error {
	var base assay.Finding
	name := p.Package.Name
	if p.Package.OSName != "" {
		name = p.Package.OSName
	}
	if base.PURL = ecosystemPURL(p.Package.Ecosystem, name, p.Package.Version); base.PURL.IsZero() {
		component(&base, "", strings.TrimPrefix(p.Package.Ecosystem+"/"+name, "/"), cmp.Or(p.Package.Version, p.Package.Commit))
	}
	// One record that is in several places is read once.
	records := map[assay.VulnID]*osv.Advisory{}
	grouped := map[assay.VulnID]bool{}
	for i, v := range p.Vulnerabilities {
		var head struct {
			ID string `json:"id"`
		}
		at := field + "/vulnerabilities/" + strconv.Itoa(i)
		if err := strictjson.Unmarshal(r.name, v, &head, strictjson.Limits{}); err != nil {
			return r.bad(at, "", "a record of OSV", err)
		}
		f := base
		ok, err := r.id(&f, at+"/id", head.ID)
		if err != nil {
			return err
		} else if !ok {
			continue
		}
		a, err := osv.ReadAdvisory(r.name, v)
		if err != nil {
			r.unevaluated(f, "the record of the vulnerability cannot be read: "+err.Error())
		}
		records[f.Vulnerability.ID] = a // nil keeps what the group says of it
	}
	for i, g := range p.Groups {
		at := field + "/groups/" + strconv.Itoa(i)
		if len(g.IDs) == 0 {
			return r.bad(at+"/ids", "", "an identifier", nil)
		}
		f := base
		ids := r.ids(&f, g.IDs...)
		if len(ids) == 0 {
			continue
		}
		f.Vulnerability.ID, f.Advisories = ids[0], ids
		f.Vulnerability.Aliases = slices.DeleteFunc(r.ids(&f, append(slices.Clone(g.Aliases), g.IDs...)...), func(id assay.VulnID) bool { return id == ids[0] })
		uncalled := len(ids) == len(g.IDs)
		for _, id := range ids {
			grouped[id] = true
			r.osvRecord(&f, p, records[id])
			a, ok := g.Analysis[string(id)]
			uncalled = uncalled && ok && !a.Called && !a.Unimportant
		}
		if uncalled {
			f.Reachable = assay.Refuted
		}
		r.osvFinish(&f)
	}
	// Every record is in a group; one that is not is a finding nevertheless.
	for id, a := range records {
		if !grouped[id] {
			f := base
			f.Vulnerability.ID = id
			if a != nil {
				f.Vulnerability.Aliases = a.Aliases
			}
			r.osvRecord(&f, p, a)
			r.osvFinish(&f)
		}
	}
	return nil
}

func (r *report) osvFinish(f *assay.Finding) {
	if len(f.Advisories) == 1 && f.Advisories[0] == f.Vulnerability.ID {
		f.Advisories = nil
	}
	sortSeverities(f)
	f.Imports = imports.Join(f.Imports)
	f.Fix.State = fixState(f.Fix.Version)
	r.scan.Findings = append(r.scan.Findings, *f)
}

// osvRecord adds what one record says of the package.
func (r *report) osvRecord(f *assay.Finding, p *osvPackage, a *osv.Advisory) {
	if a == nil {
		return
	}
	f.Published = earlier(f.Published, a.Published)
	if f.Exploited == nil {
		f.Exploited = a.Exploited
	}
	of := slices.Collect(func(yield func(osv.Affected) bool) {
		for _, x := range a.Affected {
			if x.Ecosystem == p.Package.Ecosystem && osv.NormalName(x.Ecosystem, x.Name) == osv.NormalName(x.Ecosystem, p.Package.Name) && !yield(x) {
				return
			}
		}
	})
	if !slices.ContainsFunc(of, func(x osv.Affected) bool { return len(x.Imports) == 0 }) {
		for _, x := range of {
			f.Imports = append(f.Imports, x.Imports...)
		}
	}
	var own []assay.Severity
	var fixed []string
	for _, x := range of {
		own = append(own, x.Severities...)
		for _, rg := range x.Ranges {
			if rg.Type == osv.RangeGit {
				continue
			}
			for _, e := range rg.Events {
				if e.Kind == osv.Fixed {
					fixed = append(fixed, e.Version)
				}
			}
		}
	}
	if len(own) == 0 {
		own = a.Severities
	}
	for _, s := range own {
		addSeverity(f, s)
	}
	if v := firstFix(p.Package.Ecosystem, p.Package.Version, fixed); v != "" {
		if f.Fix.Version != "" { // the same, or the earlier of two records
			v = firstFix(p.Package.Ecosystem, p.Package.Version, []string{f.Fix.Version, v})
		}
		f.Fix.Version = cmp.Or(v, f.Fix.Version)
	}
}
