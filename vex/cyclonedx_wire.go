package vex

// The members of a CycloneDX document (1.4 to 1.7, JSON) that a VEX document has a use
// for.
type cdxDocument struct {
	BOMFormat       string             `json:"bomFormat"`
	SpecVersion     string             `json:"specVersion"`
	SerialNumber    string             `json:"serialNumber,omitempty"`
	Version         int                `json:"version,omitempty"`
	Metadata        cdxMetadata        `json:"metadata"`
	Components      []cdxComponent     `json:"components,omitempty"`
	Vulnerabilities []cdxVulnerability `json:"vulnerabilities"`
}

type cdxMetadata struct {
	Timestamp    string        `json:"timestamp,omitempty"`
	Authors      []cdxContact  `json:"authors,omitempty"`
	Component    *cdxComponent `json:"component,omitempty"`
	Manufacturer *cdxContact   `json:"manufacturer,omitempty"`
	Supplier     *cdxContact   `json:"supplier,omitempty"`
}

type cdxContact struct {
	Name  string `json:"name,omitempty"`
	Email string `json:"email,omitempty"`
}

type cdxComponent struct {
	Type       string         `json:"type"`
	Ref        string         `json:"bom-ref,omitempty"`
	Group      string         `json:"group,omitempty"`
	Name       string         `json:"name"`
	Version    string         `json:"version,omitempty"`
	Hashes     []cdxHash      `json:"hashes,omitempty"`
	CPE        string         `json:"cpe,omitempty"`
	PURL       string         `json:"purl,omitempty"`
	Components []cdxComponent `json:"components,omitempty"`
}

type cdxHash struct {
	Alg     string `json:"alg"`
	Content string `json:"content"`
}

type cdxVulnerability struct {
	ID             string         `json:"id,omitempty"`
	Source         *cdxSource     `json:"source,omitempty"`
	References     []cdxReference `json:"references,omitempty"`
	Description    string         `json:"description,omitempty"`
	Recommendation string         `json:"recommendation,omitempty"`
	Workaround     string         `json:"workaround,omitempty"`
	Analysis       *cdxAnalysis   `json:"analysis,omitempty"`
	Affects        []cdxAffects   `json:"affects,omitempty"`
}

type cdxSource struct {
	Name string `json:"name,omitempty"`
	URL  string `json:"url,omitempty"`
}

type cdxReference struct {
	ID     string    `json:"id"`
	Source cdxSource `json:"source"`
}

type cdxAnalysis struct {
	State         string   `json:"state,omitempty"`
	Justification string   `json:"justification,omitempty"`
	Response      []string `json:"response,omitempty"`
	Detail        string   `json:"detail,omitempty"`
	FirstIssued   string   `json:"firstIssued,omitempty"`
	LastUpdated   string   `json:"lastUpdated,omitempty"`
}

type cdxAffects struct {
	Ref      string       `json:"ref"`
	Versions []cdxVersion `json:"versions,omitempty"`
}

type cdxVersion struct {
	Version string `json:"version,omitempty"`
	Range   string `json:"range,omitempty"`
	Status  string `json:"status,omitempty"`
}

// cdxHashNames pairs the names of algorithms with the labels of OpenVEX.
var cdxHashNames = [...][2]string{
	{"BLAKE2b-256", "blake2b-256"}, {"BLAKE2b-512", "blake2b-512"}, {"MD5", "md5"}, {"SHA-1", "sha1"}, {"SHA-256", "sha-256"},
	{"SHA-384", "sha-384"}, {"SHA-512", "sha-512"}, {"SHA3-256", "sha3-256"}, {"SHA3-384", "sha3-384"}, {"SHA3-512", "sha3-512"},
}
