package vex

import (
	"encoding/json"
	"strconv"

	"github.com/assaykit/assay"
)

// The members of a CSAF document (CSAF 2.0, section 3) that a VEX document has a use
// for. Version 2.1 differs in few: purls, and CVSS that is not read here.
type csafDocument struct {
	Document struct {
		Category    string          `json:"category"`
		CSAFVersion string          `json:"csaf_version"`
		Lang        string          `json:"lang,omitempty"`
		Publisher   csafPublisher   `json:"publisher"`
		References  []csafReference `json:"references,omitempty"`
		SourceLang  string          `json:"source_lang,omitempty"`
		Title       string          `json:"title"`
		// Distribution is required from 2.1 on.
		Distribution json.RawMessage `json:"distribution,omitempty"`
		Tracking     csafTracking    `json:"tracking"`
	} `json:"document"`
	ProductTree     csafTree            `json:"product_tree"`
	Vulnerabilities []csafVulnerability `json:"vulnerabilities"`
}

type csafPublisher struct {
	Category         string `json:"category"`
	IssuingAuthority string `json:"issuing_authority,omitempty"`
	Name             string `json:"name"`
	Namespace        string `json:"namespace"`
}

type csafReference struct {
	Category string `json:"category,omitempty"`
	Summary  string `json:"summary"`
	URL      string `json:"url"`
}

type csafTracking struct {
	CurrentReleaseDate string         `json:"current_release_date"`
	Generator          *csafGenerator `json:"generator,omitempty"`
	ID                 string         `json:"id"`
	InitialReleaseDate string         `json:"initial_release_date"`
	RevisionHistory    []csafRevision `json:"revision_history"`
	Status             string         `json:"status"`
	Version            string         `json:"version"`
}

type csafGenerator struct {
	Date   string `json:"date,omitempty"`
	Engine struct {
		Name string `json:"name"`
	} `json:"engine"`
}

type csafRevision struct {
	Date    string `json:"date"`
	Number  string `json:"number"`
	Summary string `json:"summary"`
}

type csafTree struct {
	Branches         []csafBranch       `json:"branches,omitempty"`
	FullProductNames []csafProduct      `json:"full_product_names,omitempty"`
	ProductGroups    []csafGroup        `json:"product_groups,omitempty"`
	Relationships    []csafRelationship `json:"relationships,omitempty"`
	Paths            []csafPath         `json:"product_paths,omitempty"` // 2.1, in place of relationships
}

type csafBranch struct {
	Branches []csafBranch `json:"branches,omitempty"`
	Category string       `json:"category"`
	Name     string       `json:"name"`
	Product  *csafProduct `json:"product,omitempty"`
}

type csafProduct struct {
	Name      string      `json:"name"`
	ProductID string      `json:"product_id"`
	Helper    *csafHelper `json:"product_identification_helper,omitempty"`
}

type csafHelper struct {
	CPE    string       `json:"cpe,omitempty"`
	Hashes []csafHashes `json:"hashes,omitempty"`
	PURL   string       `json:"purl,omitempty"`
	PURLs  []string     `json:"purls,omitempty"` // 2.1
	URIs   []csafURI    `json:"x_generic_uris,omitempty"`
	// These are looked at, and not read.
	Models  []string `json:"model_numbers,omitempty"`
	Serials []string `json:"serial_numbers,omitempty"`
	SKUs    []string `json:"skus,omitempty"`
}

type csafHashes struct {
	FileHashes []csafHash `json:"file_hashes"`
	Filename   string     `json:"filename"`
}

type csafHash struct {
	Algorithm string `json:"algorithm"`
	Value     string `json:"value"`
}

type csafURI struct {
	Namespace string `json:"namespace"`
	URI       string `json:"uri"`
}

type csafGroup struct {
	GroupID    string   `json:"group_id"`
	ProductIDs []string `json:"product_ids"`
}

type csafRelationship struct {
	Category  string      `json:"category"`
	Product   csafProduct `json:"full_product_name"`
	Reference string      `json:"product_reference"`
	RelatesTo string      `json:"relates_to_product_reference"`
}

type csafPath struct {
	Beginning string        `json:"beginning_product_reference"`
	Product   csafProduct   `json:"full_product_name"`
	Subpaths  []csafSubpath `json:"subpaths"`
}

type csafSubpath struct {
	Category string `json:"category"`
	Next     string `json:"next_product_reference"`
}

type csafVulnerability struct {
	CVE          string         `json:"cve,omitempty"`
	Flags        []csafFlag     `json:"flags,omitempty"`
	IDs          []csafID       `json:"ids,omitempty"`
	Notes        []csafNote     `json:"notes,omitempty"`
	Status       csafStatus     `json:"product_status"`
	Remediations []csafRemedy   `json:"remediations,omitempty"`
	Threats      []csafThreat   `json:"threats,omitempty"`
	Involvements []csafInvolved `json:"involvements,omitempty"`
	Scores       []csafScore    `json:"scores,omitempty"`
	Metrics      []csafScore    `json:"metrics,omitempty"` // 2.1
	// These are looked at, and not read.
	Disclosed  string          `json:"disclosure_date,omitempty"` // 2.1
	Discovered string          `json:"discovery_date,omitempty"`
	Exploited  []csafExploited `json:"first_known_exploitation_dates,omitempty"` // 2.1
}

type csafExploited struct {
	Date      string `json:"date"`
	Exploited string `json:"exploitation_date"`
}

// csafScore is read for the products that it is about.
type csafScore struct {
	Products []string `json:"products"`
}

type csafInvolved struct {
	Party string `json:"party"`
	Date  string `json:"date,omitempty"`
}

// csafAt is what a flag, a threat or a remediation is about.
type csafAt struct {
	field string
	about csafAbout
}

func (v *csafVulnerability) abouts() []csafAt {
	var out []csafAt
	for i, f := range v.Flags {
		out = append(out, csafAt{"/flags/" + strconv.Itoa(i), f.csafAbout})
	}
	for i, id := range v.IDs {
		out = append(out, csafAt{"/ids/" + strconv.Itoa(i), id.csafAbout})
	}
	for i, m := range v.Remediations {
		out = append(out, csafAt{"/remediations/" + strconv.Itoa(i), m.csafAbout})
	}
	for i, t := range v.Threats {
		out = append(out, csafAt{"/threats/" + strconv.Itoa(i), t.csafAbout})
	}
	return out
}

type csafAbout struct {
	GroupIDs   []string `json:"group_ids,omitempty"`
	ProductIDs []string `json:"product_ids,omitempty"`
}

type csafFlag struct {
	Date string `json:"date,omitempty"`
	csafAbout
	Label string `json:"label"`
}

type csafID struct {
	csafAbout         // 2.1
	SystemName string `json:"system_name"`
	Text       string `json:"text"`
}

type csafNote struct {
	Category string `json:"category"`
	Text     string `json:"text"`
}

type csafStatus struct {
	FirstAffected      []string `json:"first_affected,omitempty"`
	FirstFixed         []string `json:"first_fixed,omitempty"`
	Fixed              []string `json:"fixed,omitempty"`
	KnownAffected      []string `json:"known_affected,omitempty"`
	KnownNotAffected   []string `json:"known_not_affected,omitempty"`
	LastAffected       []string `json:"last_affected,omitempty"`
	Recommended        []string `json:"recommended,omitempty"`
	UnderInvestigation []string `json:"under_investigation,omitempty"`
	Unknown            []string `json:"unknown,omitempty"` // 2.1
}

// csafList is the products of one status; kind is what must not be stated besides
// another, empty where anything may.
type csafList struct {
	field  string
	kind   string
	status assay.Status // that OpenVEX has for it
	ids    []string
}

func (s *csafStatus) lists() []csafList {
	return []csafList{
		{"known_affected", "affected", assay.Affected, s.KnownAffected}, {"first_affected", "affected", assay.Affected, s.FirstAffected},
		{"last_affected", "affected", assay.Affected, s.LastAffected}, {"known_not_affected", "not affected", assay.NotAffected, s.KnownNotAffected},
		{"fixed", "fixed", assay.Fixed, s.Fixed}, {"first_fixed", "fixed", assay.Fixed, s.FirstFixed},
		{"under_investigation", "under investigation", assay.UnderInvestigation, s.UnderInvestigation},
		{"recommended", "", "", s.Recommended}, {"unknown", "unknown", "", s.Unknown},
	}
}

type csafRemedy struct {
	Category string `json:"category"`
	Date     string `json:"date,omitempty"`
	Details  string `json:"details"`
	csafAbout
	URL string `json:"url,omitempty"`
}

type csafThreat struct {
	Category string `json:"category"`
	Date     string `json:"date,omitempty"`
	Details  string `json:"details"`
	csafAbout
}

// csafHashNames are the names that OpenSSL has for what OpenVEX has labels for.
var csafHashNames = [...][2]string{
	{"blake2b512", "blake2b-512"}, {"blake2s256", "blake2s-256"}, {"md5", "md5"}, {"sha1", "sha1"}, {"sha256", "sha-256"},
	{"sha3-224", "sha3-224"}, {"sha3-256", "sha3-256"}, {"sha3-384", "sha3-384"}, {"sha3-512", "sha3-512"}, {"sha384", "sha-384"},
	{"sha512", "sha-512"},
}
