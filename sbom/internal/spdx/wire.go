// Package spdx reads and writes SPDX 2.2 and 2.3, in JSON and as tag-value, as the evidence
// model.
//
// The wire types are our own. Those of tools-golang decode identifiers, suppliers
// and creators without resolving JSON escapes, so that "Caf\u00e9" and "Café" are
// two suppliers and a quotation mark changes the value. Tests hold tools-golang
// against what is written here.
package spdx

type document struct {
	SPDXVersion       string         `json:"spdxVersion"`
	DataLicense       string         `json:"dataLicense"`
	SPDXID            string         `json:"SPDXID"`
	Name              string         `json:"name"`
	DocumentNamespace string         `json:"documentNamespace,omitempty"`
	CreationInfo      creationInfo   `json:"creationInfo"`
	Describes         []string       `json:"documentDescribes,omitempty"` // read only, of 2.2
	Packages          []pkg          `json:"packages,omitempty"`
	Files             []file         `json:"files,omitempty"`
	Extracted         []extracted    `json:"hasExtractedLicensingInfos,omitempty"`
	Relationships     []relationship `json:"relationships,omitempty"`
	Annotations       []annotation   `json:"annotations,omitempty"`
}

type creationInfo struct {
	Created  string   `json:"created"`
	Creators []string `json:"creators"`
}

type pkg struct {
	SPDXID           string       `json:"SPDXID"`
	Name             string       `json:"name"`
	VersionInfo      string       `json:"versionInfo,omitempty"`
	Supplier         string       `json:"supplier,omitempty"`
	Originator       string       `json:"originator,omitempty"`
	DownloadLocation string       `json:"downloadLocation"`
	Homepage         string       `json:"homepage,omitempty"`
	FilesAnalyzed    *bool        `json:"filesAnalyzed,omitempty"`
	Purpose          string       `json:"primaryPackagePurpose,omitempty"`
	Checksums        []checksum   `json:"checksums,omitempty"`
	LicenseConcluded string       `json:"licenseConcluded,omitempty"`
	LicenseDeclared  string       `json:"licenseDeclared,omitempty"`
	CopyrightText    string       `json:"copyrightText,omitempty"`
	Description      string       `json:"description,omitempty"`
	ExternalRefs     []external   `json:"externalRefs,omitempty"`
	HasFiles         []string     `json:"hasFiles,omitempty"` // read only
	Annotations      []annotation `json:"annotations,omitempty"`
}

type file struct {
	SPDXID           string       `json:"SPDXID"`
	FileName         string       `json:"fileName"`
	Checksums        []checksum   `json:"checksums"`
	LicenseConcluded string       `json:"licenseConcluded,omitempty"`
	LicenseInfos     []string     `json:"licenseInfoInFiles,omitempty"`
	CopyrightText    string       `json:"copyrightText,omitempty"`
	Annotations      []annotation `json:"annotations,omitempty"`
}

type checksum struct {
	Algorithm string `json:"algorithm"`
	Value     string `json:"checksumValue"`
}

type external struct {
	Category string `json:"referenceCategory"`
	Type     string `json:"referenceType"`
	Locator  string `json:"referenceLocator"`
	Comment  string `json:"comment,omitempty"`
}

type extracted struct {
	ID   string `json:"licenseId"`
	Name string `json:"name,omitempty"`
	Text string `json:"extractedText"`
}

type relationship struct {
	From    string `json:"spdxElementId"`
	Type    string `json:"relationshipType"`
	To      string `json:"relatedSpdxElement"`
	Comment string `json:"comment,omitempty"`
}

type annotation struct {
	Annotator string `json:"annotator"`
	Date      string `json:"annotationDate"`
	Type      string `json:"annotationType"`
	Comment   string `json:"comment"`
}

const (
	noAssertion = "NOASSERTION"
	none        = "NONE"
	refPrefix   = "SPDXRef-"
	documentID  = "SPDXRef-DOCUMENT"
)
