package sbom_test

// plainCycloneDX has the members that the documents of the benchmarks are written
// with, as [plainSPDX] has them.
type plainCycloneDX struct {
	Schema       string `json:"$schema"`
	BOMFormat    string `json:"bomFormat"`
	SpecVersion  string `json:"specVersion"`
	SerialNumber string `json:"serialNumber"`
	Version      int    `json:"version"`
	Metadata     struct {
		Timestamp  string        `json:"timestamp"`
		Lifecycles []plainPhase  `json:"lifecycles,omitempty"`
		Tools      any           `json:"tools,omitempty"` // an array up to 1.4, and then an object
		Authors    []plainPerson `json:"authors,omitempty"`
		Component  plainPart     `json:"component"`
		Properties []plainPair   `json:"properties,omitempty"`
	} `json:"metadata"`
	Components   []plainPart `json:"components"`
	Dependencies []struct {
		Ref       string   `json:"ref"`
		DependsOn []string `json:"dependsOn,omitempty"`
	} `json:"dependencies"`
	Compositions []struct {
		BOMRef       string   `json:"bom-ref,omitempty"`
		Aggregate    string   `json:"aggregate"`
		Assemblies   []string `json:"assemblies,omitempty"`
		Dependencies []string `json:"dependencies,omitempty"`
	} `json:"compositions,omitempty"`
}

type plainPhase struct {
	Phase string `json:"phase"`
}

type plainPerson struct {
	Name  string `json:"name,omitempty"`
	Email string `json:"email,omitempty"`
}

type plainPair struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type plainSum struct {
	Alg     string `json:"alg"`
	Content string `json:"content"`
}

type plainPart struct {
	Type         string         `json:"type"`
	BOMRef       string         `json:"bom-ref,omitempty"`
	Supplier     *plainPerson   `json:"supplier,omitempty"`
	Manufacturer *plainMaker    `json:"manufacturer,omitempty"`
	Author       string         `json:"author,omitempty"`
	Name         string         `json:"name"`
	Version      string         `json:"version,omitempty"`
	Description  string         `json:"description,omitempty"`
	Hashes       []plainSum     `json:"hashes,omitempty"`
	Licenses     []plainLicense `json:"licenses,omitempty"`
	CPE          string         `json:"cpe,omitempty"`
	PURL         string         `json:"purl,omitempty"`
	References   []struct {
		URL     string     `json:"url"`
		Comment string     `json:"comment,omitempty"`
		Type    string     `json:"type"`
		Hashes  []plainSum `json:"hashes,omitempty"`
	} `json:"externalReferences,omitempty"`
	Evidence *struct {
		Occurrences []struct {
			Location string `json:"location"`
			Context  string `json:"additionalContext,omitempty"`
		} `json:"occurrences"`
	} `json:"evidence,omitempty"`
	Properties []plainPair `json:"properties,omitempty"`
}

type plainMaker struct {
	Name string   `json:"name,omitempty"`
	URL  []string `json:"url,omitempty"`
}

type plainLicense struct {
	License *struct {
		ID              string `json:"id,omitempty"`
		Name            string `json:"name,omitempty"`
		Acknowledgement string `json:"acknowledgement,omitempty"`
	} `json:"license,omitempty"`
	Expression      string `json:"expression,omitempty"`
	Acknowledgement string `json:"acknowledgement,omitempty"`
}
