package sbom_test

// The floor of these benchmarks is encoding/json over plain structs of the same
// members: what it takes to get the bytes in and out without understanding them.

type plainSPDX struct {
	SPDXVersion       string        `json:"spdxVersion"`
	DataLicense       string        `json:"dataLicense"`
	SPDXID            string        `json:"SPDXID"`
	Name              string        `json:"name"`
	DocumentNamespace string        `json:"documentNamespace"`
	CreationInfo      plainCreation `json:"creationInfo"`
	Packages          []struct {
		SPDXID           string      `json:"SPDXID"`
		Name             string      `json:"name"`
		VersionInfo      string      `json:"versionInfo,omitempty"`
		Supplier         string      `json:"supplier,omitempty"`
		DownloadLocation string      `json:"downloadLocation"`
		FilesAnalyzed    bool        `json:"filesAnalyzed"`
		Purpose          string      `json:"primaryPackagePurpose,omitempty"`
		Checksums        []plainHash `json:"checksums,omitempty"`
		LicenseConcluded string      `json:"licenseConcluded"`
		LicenseDeclared  string      `json:"licenseDeclared"`
		CopyrightText    string      `json:"copyrightText"`
		Description      string      `json:"description,omitempty"`
		ExternalRefs     []struct {
			Category string `json:"referenceCategory"`
			Type     string `json:"referenceType"`
			Locator  string `json:"referenceLocator"`
		} `json:"externalRefs,omitempty"`
		Annotations []plainNote `json:"annotations,omitempty"`
	} `json:"packages"`
	Extracted []struct {
		ID   string `json:"licenseId"`
		Name string `json:"name"`
		Text string `json:"extractedText"`
	} `json:"hasExtractedLicensingInfos"`
	Relationships []struct {
		From string `json:"spdxElementId"`
		Type string `json:"relationshipType"`
		To   string `json:"relatedSpdxElement"`
	} `json:"relationships"`
	Annotations []plainNote `json:"annotations"`
}

type plainCreation struct {
	Created  string   `json:"created"`
	Creators []string `json:"creators"`
}

type plainHash struct {
	Algorithm string `json:"algorithm"`
	Value     string `json:"checksumValue"`
}

type plainNote struct {
	Annotator string `json:"annotator"`
	Date      string `json:"annotationDate"`
	Type      string `json:"annotationType"`
	Comment   string `json:"comment"`
}

type plainSPDX3 struct {
	Context string `json:"@context"`
	Graph   []struct {
		ID           string   `json:"@id,omitempty"`
		Comment      string   `json:"comment,omitempty"`
		Completeness string   `json:"completeness,omitempty"`
		Created      string   `json:"created,omitempty"`
		CreatedBy    []string `json:"createdBy,omitempty"`
		CreatedUsing []string `json:"createdUsing,omitempty"`
		CreationInfo string   `json:"creationInfo,omitempty"`
		DataLicense  string   `json:"dataLicense,omitempty"`
		Description  string   `json:"description,omitempty"`
		Element      []string `json:"element,omitempty"`
		Extension    []struct {
			Property []struct {
				Name  string `json:"extension_cdxPropName"`
				Value string `json:"extension_cdxPropValue"`
				Type  string `json:"type"`
			} `json:"extension_cdxProperty"`
			Type string `json:"type"`
		} `json:"extension,omitempty"`
		ExternalIdentifier []struct {
			Kind       string `json:"externalIdentifierType"`
			Identifier string `json:"identifier"`
			Type       string `json:"type"`
		} `json:"externalIdentifier,omitempty"`
		From             string   `json:"from,omitempty"`
		Name             string   `json:"name,omitempty"`
		Profiles         []string `json:"profileConformance,omitempty"`
		RelationshipType string   `json:"relationshipType,omitempty"`
		RootElement      []string `json:"rootElement,omitempty"`
		Custom           []struct {
			Key   string `json:"key"`
			Type  string `json:"type"`
			Value string `json:"value"`
		} `json:"simplelicensing_customIdToUri,omitempty"`
		Expression    string   `json:"simplelicensing_licenseExpression,omitempty"`
		Text          string   `json:"simplelicensing_licenseText,omitempty"`
		PURL          string   `json:"software_packageUrl,omitempty"`
		Version       string   `json:"software_packageVersion,omitempty"`
		Purpose       string   `json:"software_primaryPurpose,omitempty"`
		SbomType      []string `json:"software_sbomType,omitempty"`
		SpdxID        string   `json:"spdxId,omitempty"`
		SpecVersion   string   `json:"specVersion,omitempty"`
		SuppliedBy    string   `json:"suppliedBy,omitempty"`
		To            []string `json:"to,omitempty"`
		Type          string   `json:"type"`
		VerifiedUsing []struct {
			Algorithm string `json:"algorithm"`
			Value     string `json:"hashValue"`
			Type      string `json:"type"`
		} `json:"verifiedUsing,omitempty"`
	} `json:"@graph"`
}
