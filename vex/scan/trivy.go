package scan

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/strictjson"
)

type trivyReport struct {
	SchemaVersion int
	Trivy         struct {
		Version string
	}
	CreatedAt    string
	ArtifactName string
	Metadata     struct {
		OS *struct {
			Family string
			Name   string
			EOSL   bool
		}
		RepoDigests []string
	}
	Results []trivyResult
}

type trivyResult struct {
	Target          string
	Class           string
	Vulnerabilities []trivyVulnerability
	Modified        []struct {
		Type    string
		Finding jsontext.Value
	} `json:"ExperimentalModifiedFindings"`
}

type trivyVulnerability struct {
	VulnerabilityID string
	VendorIDs       []string
	PkgID           string
	PkgName         string
	PkgIdentifier   struct {
		PURL   string
		BOMRef string
	}
	InstalledVersion string
	FixedVersion     string
	Status           string
	SeveritySource   string
	Severity         string
	VendorSeverity   map[string]int
	CVSS             map[string]struct {
		V2Vector, V3Vector, V40Vector string
		V2Score, V3Score, V40Score    float64
	}
	PublishedDate string
}

// trivyWords are the severities that Trivy's database has as numbers.
var trivyWords = [...]string{"UNKNOWN", "LOW", "MEDIUM", "HIGH", "CRITICAL"}

// ReadTrivy reads a report of Trivy, "trivy image --format json", of schema version
// 2; another version is an [assay.ErrUnchecked].
//
// Vulnerabilities that Trivy suppressed are findings like all others, where the report
// has them ("--show-suppressed"). An operating system without result, or past its end
// of support, is not evaluated, nor is an image in which nothing was recognized.
// Secrets, licenses and misconfigurations are no vulnerabilities, and are left out.
//
// The severities are those of all vendors that the report has, as rating and by CVSS.
// The fix is the first version after the installed one. The component of a scanned
// CycloneDX SBOM keeps its reference. A report tells no date of a fix, nothing of KEV,
// no other name of a vulnerability but the vendor's advisories, and no database. The
// time at which it was created is the end of the scan; an image that was pulled is an
// input, by its digest.
func ReadTrivy(name string, data []byte) (*assay.Scan, error) {
	var t trivyReport
	if err := strictjson.Unmarshal(name, data, &t, strictjson.Limits{}); err != nil {
		return nil, err
	}
	if t.SchemaVersion != 2 {
		return nil, &assay.Error{Op: reportOp, Kind: assay.ErrUnchecked, Subject: name, Field: "/SchemaVersion", Value: strconv.Itoa(t.SchemaVersion), Bound: "2"}
	}
	r := newReport(name, assay.Scanner{URI: "pkg:github/aquasecurity/trivy", Version: t.Trivy.Version})
	var err error
	if r.scan.FinishedOn, err = r.date("/CreatedAt", t.CreatedAt); err != nil {
		return nil, err
	}
	for _, ref := range t.Metadata.RepoDigests {
		repo, sum, _ := strings.Cut(ref, "@")
		d, err := assay.ParseDigest(sum)
		if err != nil {
			return nil, r.bad("/Metadata/RepoDigests", ref, "a reference with a digest", err)
		}
		r.scan.Inputs = append(r.scan.Inputs, assay.Resource{Name: repo, Digest: assay.DigestSet{d}})
	}
	if os := t.Metadata.OS; os != nil {
		if os.EOSL {
			r.unevaluated(assay.Finding{}, "the operating system "+os.Family+" "+os.Name+" is past its end of support, so that trivy's database has nothing new for it")
		}
		if !slices.ContainsFunc(t.Results, func(r trivyResult) bool { return r.Class == "os-pkgs" }) {
			r.unevaluated(assay.Finding{}, "trivy has no result for the packages of the operating system "+os.Family+" "+os.Name)
		}
	}
	if len(t.Results) == 0 {
		r.unevaluated(assay.Finding{}, "trivy recognized nothing in "+strconv.Quote(t.ArtifactName))
	}
	for i := range t.Results {
		if err := r.trivyResult("/Results/"+strconv.Itoa(i), &t.Results[i]); err != nil {
			return nil, err
		}
	}
	return r.done(), nil
}

func (r *report) trivyResult(field string, res *trivyResult) error {
	for i := range res.Vulnerabilities {
		if err := r.trivyVulnerability(field+"/Vulnerabilities/"+strconv.Itoa(i), &res.Vulnerabilities[i]); err != nil {
			return err
		}
	}
	for i, m := range res.Modified {
		at := field + "/ExperimentalModifiedFindings/" + strconv.Itoa(i)
		switch m.Type {
		case "vulnerability":
			if len(m.Finding) == 0 {
				return r.bad(at+"/Finding", "", "the finding that was modified", nil)
			}
			var v trivyVulnerability
			if err := strictjson.Unmarshal(r.name, m.Finding, &v, strictjson.Limits{}); err != nil {
				return r.bad(at+"/Finding", "", "a vulnerability", err)
			}
			if err := r.trivyVulnerability(at+"/Finding", &v); err != nil {
				return err
			}
		case "misconfiguration", "secret", "license":
		default:
			r.unevaluated(assay.Finding{}, "trivy modified a finding of type "+strconv.Quote(m.Type)+", which is not known, in "+strconv.Quote(res.Target))
		}
	}
	return nil
}

func (r *report) trivyVulnerability(field string, v *trivyVulnerability) error {
	var f assay.Finding
	component(&f, v.PkgIdentifier.PURL, v.PkgName, v.InstalledVersion)
	if v.PkgIdentifier.BOMRef != "" {
		f.Component = assay.ComponentID(v.PkgIdentifier.BOMRef)
	}
	ok, err := r.id(&f, field+"/VulnerabilityID", v.VulnerabilityID)
	if err != nil || !ok {
		return err
	}
	f.Advisories = r.ids(&f, v.VendorIDs...)
	if f.Published, err = r.date(field+"/PublishedDate", v.PublishedDate); err != nil {
		return err
	}
	addWord(&f, v.SeveritySource, v.Severity)
	for _, source := range slices.Sorted(maps.Keys(v.VendorSeverity)) {
		n := v.VendorSeverity[source]
		if n < 0 || n >= len(trivyWords) {
			return r.bad(field+"/VendorSeverity/"+source, strconv.Itoa(n), "0 to 4", nil)
		}
		addWord(&f, source, trivyWords[n])
	}
	for _, source := range slices.Sorted(maps.Keys(v.CVSS)) {
		c := v.CVSS[source]
		addScore(&f, source, c.V2Vector, c.V2Score)
		addScore(&f, source, c.V3Vector, c.V3Score)
		addScore(&f, source, c.V40Vector, c.V40Score)
	}
	sortSeverities(&f)
	f.Fix.Version = firstFix(ecosystemOf(f.PURL.Type()), v.InstalledVersion, listed(v.FixedVersion))
	switch v.Status {
	case "fixed":
		f.Fix.State = assay.FixAvailable
	case "affected", "fix_deferred":
		f.Fix.State = assay.FixNone
	case "will_not_fix", "end_of_life":
		f.Fix.State = assay.FixRefused
	case "", "unknown", "under_investigation", "not_affected":
		f.Fix.State = fixState(v.FixedVersion)
	default:
		r.unevaluated(f, "trivy reports the status "+strconv.Quote(v.Status)+", which is not known")
	}
	r.scan.Findings = append(r.scan.Findings, f)
	return nil
}

// listed reads "2.6.9, 3.1.0", and what is fixed of the constraints that some
// ecosystems have in its place: ">= 2.1.3, < 3.0.0", "~> 2.1.5".
func listed(versions string) (out []string) {
	for v := range strings.SplitSeq(versions, ",") {
		v = strings.TrimSpace(v)
		for _, from := range [...]string{">=", "~>", "^", "~", "="} {
			if rest, ok := strings.CutPrefix(v, from); ok {
				v = strings.TrimSpace(rest)
				break
			}
		}
		if v != "" && !strings.ContainsAny(v, "<>=!|* ") { // "~" and "^" are in versions of distributions
			out = append(out, v)
		}
	}
	return out
}
