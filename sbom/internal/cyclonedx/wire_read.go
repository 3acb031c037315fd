package cyclonedx

import (
	"slices"

	"github.com/assaykit/assay/sbom/internal/quick"
)

// What reads the wire types from a document that was checked. A test compares it with
// decoding by their tags.

// readDocument reports false where the document is not what the check lets pass.
func readDocument(data []byte, d *document) bool {
	r := quick.NewReader(data)
	for r.Into('{'); r.More('}'); {
		switch string(r.Name()) {
		case "$schema":
			d.Schema = r.Text()
		case "bomFormat":
			d.BOMFormat = r.Text()
		case "specVersion":
			d.SpecVersion = r.Text()
		case "serialNumber":
			d.SerialNumber = r.Text()
		case "version":
			v := r.Int()
			d.Version = &v
		case "metadata":
			d.Metadata.read(r)
		case "components":
			d.Components = quick.List(r, readComponent)
		case "dependencies":
			d.Dependencies = quick.List(r, readDependency)
		case "compositions":
			d.Compositions = quick.List(r, readComposition)
		default:
			r.Skip()
		}
	}
	return !r.Bad()
}

func (m *metadata) read(r *quick.Reader) {
	for r.Into('{'); r.More('}'); {
		switch string(r.Name()) {
		case "timestamp":
			m.Timestamp = r.Text()
		case "lifecycles":
			m.Lifecycles = quick.List(r, readLifecycle)
		case "tools":
			m.Tools = slices.Clone(r.Raw())
		case "authors":
			m.Authors = quick.List(r, readContact)
		case "component":
			m.Component = new(component)
			readComponent(r, m.Component)
		case "manufacturer":
			m.Manufacturer = readMaker(r)
		case "properties":
			m.Properties = quick.List(r, readProperty)
		default:
			r.Skip()
		}
	}
}

func readLifecycle(r *quick.Reader, l *lifecycle) {
	for r.Into('{'); r.More('}'); {
		switch string(r.Name()) {
		case "phase":
			l.Phase = r.Text()
		case "name":
			l.Name = r.Text()
		default:
			r.Skip()
		}
	}
}

func readContact(r *quick.Reader, c *contact) {
	for r.Into('{'); r.More('}'); {
		switch string(r.Name()) {
		case "name":
			c.Name = r.Text()
		case "email":
			c.Email = r.Text()
		default:
			r.Skip()
		}
	}
}

func readMaker(r *quick.Reader) *maker {
	m := new(maker)
	for r.Into('{'); r.More('}'); {
		switch string(r.Name()) {
		case "name":
			m.Name = r.Text()
		case "url":
			m.URL = quick.Texts(r)
		case "contact":
			m.Contact = quick.List(r, readContact)
		default:
			r.Skip()
		}
	}
	return m
}

func readEntity(r *quick.Reader) *entity {
	e := new(entity)
	for r.Into('{'); r.More('}'); {
		switch string(r.Name()) {
		case "name":
			e.Name = r.Text()
		default:
			r.Skip()
		}
	}
	return e
}

func readComponent(r *quick.Reader, c *component) {
	for r.Into('{'); r.More('}'); {
		switch string(r.Name()) {
		case "type":
			c.Type = r.Text()
		case "bom-ref":
			c.BOMRef = r.Text()
		case "supplier":
			c.Supplier = readEntity(r)
		case "manufacturer":
			c.Manufacturer = readMaker(r)
		case "author":
			c.Author = r.Text()
		case "group":
			c.Group = r.Text()
		case "name":
			c.Name = r.Text()
		case "version":
			c.Version = r.Text()
		case "description":
			c.Description = r.Text()
		case "hashes":
			c.Hashes = quick.List(r, readHash)
		case "licenses":
			c.Licenses = quick.List(r, readLicenseChoice)
		case "cpe":
			c.CPE = r.Text()
		case "purl":
			c.PURL = r.Text()
		case "externalReferences":
			c.References = quick.List(r, readReference)
		case "components":
			c.Components = quick.List(r, readComponent)
		case "evidence":
			c.Evidence = readEvidence(r)
		case "properties":
			c.Properties = quick.List(r, readProperty)
		default:
			r.Skip()
		}
	}
}

func readHash(r *quick.Reader, h *hash) {
	for r.Into('{'); r.More('}'); {
		switch string(r.Name()) {
		case "alg":
			h.Alg = r.Text()
		case "content":
			h.Content = r.Text()
		default:
			r.Skip()
		}
	}
}

func readReference(r *quick.Reader, ref *reference) {
	for r.Into('{'); r.More('}'); {
		switch string(r.Name()) {
		case "url":
			ref.URL = r.Text()
		case "comment":
			ref.Comment = r.Text()
		case "type":
			ref.Type = r.Text()
		case "hashes":
			ref.Hashes = quick.List(r, readHash)
		default:
			r.Skip()
		}
	}
}

func readLicenseChoice(r *quick.Reader, l *licenseChoice) {
	for r.Into('{'); r.More('}'); {
		switch string(r.Name()) {
		case "license":
			l.License = readLicenseInfo(r)
		case "expression":
			l.Expression = r.Text()
		case "acknowledgement":
			l.Acknowledgement = r.Text()
		default:
			r.Skip()
		}
	}
}

func readLicenseInfo(r *quick.Reader) *licenseInfo {
	l := new(licenseInfo)
	for r.Into('{'); r.More('}'); {
		switch string(r.Name()) {
		case "id":
			l.ID = r.Text()
		case "name":
			l.Name = r.Text()
		case "acknowledgement":
			l.Acknowledgement = r.Text()
		default:
			r.Skip()
		}
	}
	return l
}

func readEvidence(r *quick.Reader) *evidence {
	e := new(evidence)
	for r.Into('{'); r.More('}'); {
		switch string(r.Name()) {
		case "occurrences":
			e.Occurrences = quick.List(r, readOccurrence)
		default:
			r.Skip()
		}
	}
	return e
}

func readOccurrence(r *quick.Reader, o *occurrence) {
	for r.Into('{'); r.More('}'); {
		switch string(r.Name()) {
		case "location":
			o.Location = r.Text()
		case "additionalContext":
			o.AdditionalContext = r.Text()
		default:
			r.Skip()
		}
	}
}

func readProperty(r *quick.Reader, p *property) {
	for r.Into('{'); r.More('}'); {
		switch string(r.Name()) {
		case "name":
			p.Name = r.Text()
		case "value":
			p.Value = r.Text()
		default:
			r.Skip()
		}
	}
}

func readDependency(r *quick.Reader, d *dependency) {
	for r.Into('{'); r.More('}'); {
		switch string(r.Name()) {
		case "ref":
			d.Ref = r.Text()
		case "dependsOn":
			d.DependsOn = quick.Texts(r)
		default:
			r.Skip()
		}
	}
}

func readComposition(r *quick.Reader, c *composition) {
	for r.Into('{'); r.More('}'); {
		switch string(r.Name()) {
		case "bom-ref":
			c.BOMRef = r.Text()
		case "aggregate":
			c.Aggregate = r.Text()
		case "assemblies":
			c.Assemblies = quick.Texts(r)
		case "dependencies":
			c.Dependencies = quick.Texts(r)
		default:
			r.Skip()
		}
	}
}
