package cyclonedx

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/strictjson"
	spdxlicense "github.com/assaykit/assay/sbom/internal/license"
)

// algorithms are those that have a name in the format.
var algorithms = map[string]assay.Algorithm{
	"MD5": assay.MD5, "SHA-1": assay.SHA1, "SHA-256": assay.SHA256, "SHA-384": assay.SHA384, "SHA-512": assay.SHA512,
	"SHA3-256": assay.SHA3_256, "SHA3-384": assay.SHA3_384, "SHA3-512": assay.SHA3_512,
	"BLAKE2b-512": assay.BLAKE2B, "BLAKE3": assay.BLAKE3,
}

// algorithmNames is the reverse.
var algorithmNames = func() map[assay.Algorithm]string {
	m := make(map[assay.Algorithm]string, len(algorithms))
	for name, alg := range algorithms {
		m[alg] = name
	}
	return m
}()

var emailPattern = regexp.MustCompile(`^[^@\s<>]+@[A-Za-z0-9][-.A-Za-z0-9]*$`)

// ValidSerial reports whether s can be a serialNumber.
func ValidSerial(s string) bool { return serialPattern.MatchString(s) }

// Encode writes a document of specification version 1.6, without a newline at its
// end. The SBOM is in canonical form: normalized, and with valid values; package
// sbom sees to that. Report is called for what is not written as the format means
// it to be.
func Encode(doc *assay.SBOM, report func(field string, id assay.ComponentID, reason string)) ([]byte, error) {
	e := &encoder{relations: make(map[assay.ComponentID][]assay.Relation), report: report}
	out := document{
		Schema: "http://cyclonedx.org/schema/bom-1.6.schema.json", BOMFormat: "CycloneDX", SpecVersion: "1.6",
		SerialNumber: doc.Serial, Version: &doc.Version, Components: make([]component, 0, len(doc.Components)),
	}
	depends := make(map[assay.ComponentID][]string)
	for _, r := range doc.Relations {
		if r.Kind == assay.DependsOn {
			depends[r.From] = append(depends[r.From], string(r.To))
		} else {
			e.relations[r.From] = append(e.relations[r.From], r)
		}
	}
	if err := e.metadata(doc, &out.Metadata); err != nil {
		return nil, err
	}
	for i := range doc.Components {
		out.Components = append(out.Components, e.component(&doc.Components[i]))
	}
	depend := func(c *assay.Component) {
		if on := depends[c.ID]; c.ID != "" && (len(on) > 0 || coversDependencies(doc.Completeness, c)) {
			out.Dependencies = append(out.Dependencies, dependency{Ref: string(c.ID), DependsOn: on})
		}
	}
	depend(&doc.Root)
	for i := range doc.Components {
		depend(&doc.Components[i])
	}
	for _, s := range doc.Completeness {
		out.Compositions = append(out.Compositions, compositionOf(s, doc))
	}
	return strictjson.Marshal(&out)
}

type encoder struct {
	relations map[assay.ComponentID][]assay.Relation // by From, without dependsOn
	report    func(field string, id assay.ComponentID, reason string)
}

func (e *encoder) metadata(doc *assay.SBOM, m *metadata) error {
	if !doc.Created.IsZero() {
		m.Timestamp = doc.Created.UTC().Format(time.RFC3339Nano)
	}
	switch {
	case slices.Contains(phases, doc.Lifecycle):
		m.Lifecycles = []lifecycle{{Phase: doc.Lifecycle}}
	case doc.Lifecycle != "":
		m.Lifecycles = []lifecycle{{Name: doc.Lifecycle}}
	}
	for _, a := range doc.Authors {
		m.Authors = append(m.Authors, parseContact(a))
	}
	for _, l := range doc.Layers {
		m.Properties = append(m.Properties, property{propLayer, l.String()})
	}
	if doc.Root.ID != "" {
		c := e.component(&doc.Root)
		m.Component = &c
	}
	if len(doc.Tools) == 0 {
		return nil
	}
	var t tools
	for _, tool := range doc.Tools {
		c := component{Type: string(assay.TypeApplication), Name: tool.Name, Version: tool.Version}
		if tool.Vendor != "" {
			c.Manufacturer = &entity{tool.Vendor}
		}
		t.Components = append(t.Components, c)
	}
	raw, err := strictjson.Marshal(&t)
	m.Tools = json.RawMessage(raw)
	return err
}

// parseContact takes apart what contact.String puts together.
func parseContact(author string) contact {
	if rest, ok := strings.CutSuffix(author, ">"); ok {
		if name, email, ok := strings.Cut(rest, "<"); ok && emailPattern.MatchString(email) {
			if name == "" {
				return contact{Email: email}
			}
			if name, ok := strings.CutSuffix(name, " "); ok && name != "" {
				return contact{Name: name, Email: email}
			}
		}
	}
	return contact{Name: author}
}

func (e *encoder) component(c *assay.Component) component {
	out := component{
		Type: string(c.Type), BOMRef: string(c.ID), Name: c.Name, Version: c.Version, Description: c.Description,
		PURL: c.PURL.String(), Licenses: e.licenses(c),
	}
	if c.Supplier != "" {
		out.Supplier = &entity{c.Supplier}
	}
	if len(c.Locations) > 0 {
		out.Evidence = &evidence{Occurrences: make([]occurrence, len(c.Locations))}
		for i, l := range c.Locations {
			out.Evidence.Occurrences[i] = occurrence{Location: l.Path, AdditionalContext: l.Layer.String()}
		}
	}
	add := func(name, value string) { out.Properties = append(out.Properties, property{name, value}) }
	for i, cpe := range c.CPEs {
		if i == 0 && cpe != "" {
			out.CPE = cpe
		} else {
			add(propCPE, cpe)
		}
	}
	if c.FoundBy != "" {
		add(propFoundBy, c.FoundBy)
	}
	for _, d := range c.Hashes {
		if name, ok := algorithmNames[d.Algorithm()]; ok {
			out.Hashes = append(out.Hashes, hash{name, d.Hex()})
		} else {
			add(propHash+string(d.Algorithm()), d.Hex())
		}
	}
	for _, r := range e.relations[c.ID] {
		add(propRelation+string(r.Kind), string(r.To))
	}
	if c.Source.Name != "" {
		add(propSourceName, c.Source.Name)
	}
	if c.Source.Version != "" {
		add(propSourceVersion, c.Source.Version)
	}
	for _, name := range slices.Sorted(maps.Keys(c.Properties)) {
		add(escape(name), c.Properties[name])
	}
	return out
}

// escape keeps a property of the component from being read as one of ours.
func escape(name string) string {
	switch name {
	case propFoundBy, propSourceName, propSourceVersion, propCPE:
		return propEscape + name
	}
	for _, prefix := range []string{propHash, propRelation, propEscape} {
		if strings.HasPrefix(name, prefix) {
			return propEscape + name
		}
	}
	return name
}

func (e *encoder) licenses(c *assay.Component) []licenseChoice {
	var out []licenseChoice
	acknowledge := func(l assay.License) string {
		if l.Concluded {
			return concluded
		}
		return declared
	}
	for _, l := range c.Licenses {
		switch {
		case spdxlicense.IsID(l.Expression):
			out = append(out, licenseChoice{License: &licenseInfo{ID: l.Expression, Acknowledgement: acknowledge(l)}})
		case l.Expression != "" && len(c.Licenses) == 1:
			out = append(out, licenseChoice{Expression: l.Expression, Acknowledgement: acknowledge(l)})
		case l.Expression != "":
			e.report("licenses", c.ID, "CycloneDX 1.6 has an expression only where there is no other license: "+l.Expression+" is written as a name")
			out = append(out, licenseChoice{License: &licenseInfo{Name: l.Expression, Acknowledgement: acknowledge(l)}})
		default:
			out = append(out, licenseChoice{License: &licenseInfo{Name: l.Name, Acknowledgement: acknowledge(l)}})
		}
	}
	return out
}
