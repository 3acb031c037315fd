package vex

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/strictjson"
)

// EncodeCycloneDX writes what the document says of one product as CycloneDX 1.6 in
// JSON, with what could not be carried over. The product, its Subcomponents aside, is
// the component of the metadata and has to be one that the statements name; statements
// about others are a Loss, because CycloneDX says of one product, and of its parts,
// what OpenVEX can say of many.
//
// CycloneDX has one analysis for a vulnerability and component: what later statements
// override is left out as a Loss. Of the justifications, component_not_present becomes
// code_not_present, and vulnerable_code_cannot_be_controlled_by_adversary has no
// equal, so it goes before the detail. The serialNumber is the document's identifier
// where that is a urn:uuid, else a UUID derived from it. The document is held to the
// rules first, as by [Encode]. The same document gives the same bytes.
func EncodeCycloneDX(doc *assay.VEX, product assay.Product) ([]byte, []Loss, error) {
	fail := func(e *assay.Error) error {
		e.Op, e.Subject = "write CycloneDX VEX", doc.ID
		return e
	}
	if e := (&checker{complete: true}).document(doc); e != nil {
		return nil, nil, fail(e)
	}
	v := clone(doc)
	normalize(v)
	product = cloneProduct(product)
	product.Subcomponents = nil
	normalizeProduct(&product)
	w := &cdxWriter{product: product, refs: map[string]string{}}
	out, e := w.document(v)
	if e != nil {
		return nil, nil, fail(e)
	}
	data, err := strictjson.MarshalIndent(out)
	if err != nil {
		return nil, nil, fail(&assay.Error{Kind: assay.ErrInvalid, Err: err})
	}
	return append(data, '\n'), w.losses, nil
}

type cdxWriter struct {
	product    assay.Product
	losses     losses
	refs       map[string]string
	components []cdxComponent
}

func (w *cdxWriter) document(v *assay.VEX) (*cdxDocument, *assay.Error) {
	out := &cdxDocument{BOMFormat: "CycloneDX", SpecVersion: "1.6", SerialNumber: serialNumber(v.ID), Version: v.Version}
	if out.SerialNumber != v.ID {
		w.losses.add("/@id", v.ID, "a serialNumber is a UUID; one derived from it is written")
	}
	if v.AuthorRole != "" {
		w.losses.add("/role", v.AuthorRole, "CycloneDX has no place for it")
	}
	if v.Tooling != "" {
		w.losses.add("/tooling", v.Tooling, "CycloneDX names tools by component")
	}
	at := latest(v.Timestamp, v.LastUpdated)
	for i := range v.Statements {
		at = latest(at, latest(v.Statements[i].Timestamp, v.Statements[i].LastUpdated))
	}
	out.Metadata.Timestamp = formatTime(latest(v.Timestamp, v.LastUpdated))
	out.Metadata.Authors = []cdxContact{{Name: v.Author}}
	root := w.component("/product", w.product, "application")
	out.Metadata.Component = &root
	line := NewTimeline([]*assay.VEX{v}, at)
	for i := range v.Statements {
		s := &v.Statements[i]
		field := "/statements/" + strconv.Itoa(i)
		var refs []cdxAffects
		for j, p := range s.Products {
			whole := p
			whole.Subcomponents = nil
			here := field + "/products/" + strconv.Itoa(j)
			if compareProduct(whole, w.product) != 0 {
				w.losses.add(here, productName(p), "the document is about another product")
				continue
			}
			p, ok := w.losses.counting(line, here, i, s, p, "CycloneDX")
			if !ok {
				continue
			}
			if len(p.Subcomponents) == 0 {
				refs = append(refs, cdxAffects{Ref: root.Ref})
			}
			for k, sub := range p.Subcomponents {
				refs = append(refs, cdxAffects{Ref: w.part(here+"/subcomponents/"+strconv.Itoa(k), sub)})
			}
		}
		if len(refs) > 0 {
			out.Vulnerabilities = append(out.Vulnerabilities, w.vulnerability(field, s, refs))
		}
	}
	if len(out.Vulnerabilities) == 0 {
		return nil, broken(10, "product", productName(w.product), "a product that a statement is about")
	}
	out.Components = w.components
	return out, nil
}

// serialNumber is a UUID of version 8 (RFC 9562, section 5.8): of the SHA-256 of the
// identifier.
func serialNumber(id string) string {
	if rest, ok := strings.CutPrefix(id, "urn:uuid:"); ok && isUUID(rest) {
		return id
	}
	sum := sha256.Sum256([]byte(id))
	sum[6], sum[8] = sum[6]&0x0f|0x80, sum[8]&0x3f|0x80
	h := hex.EncodeToString(sum[:16])
	return "urn:uuid:" + strings.Join([]string{h[:8], h[8:12], h[12:16], h[16:20], h[20:]}, "-")
}

// isUUID reports whether the text is one as serialNumbers are spelt: in lower case.
func isUUID(s string) bool {
	parts := strings.Split(s, "-")
	if len(parts) != 5 {
		return false
	}
	for i, n := range [...]int{8, 4, 4, 4, 12} {
		if len(parts[i]) != n || strings.Trim(parts[i], "0123456789abcdef") != "" {
			return false
		}
	}
	return true
}

func (w *cdxWriter) part(at string, p assay.Product) string {
	key := fmt.Sprintf("%#v", p)
	if ref, ok := w.refs[key]; ok {
		return ref
	}
	c := w.component(at, p, "library")
	w.refs[key] = c.Ref
	w.components = append(w.components, c)
	return c.Ref
}

func (w *cdxWriter) component(at string, p assay.Product, kind string) cdxComponent {
	c := cdxComponent{Type: kind, Name: productName(p), PURL: p.PURL.String(), Ref: p.ID}
	if q := p.PURL.Parts(); q.Name != "" {
		c.Name, c.Version, c.Group = q.Name, q.Version, q.Namespace
	}
	if t := p.PURL.Type(); t == "oci" || t == "docker" {
		c.Type = "container"
	}
	// A product's IRI is its bom-ref. Two that share one, or have none, are numbered.
	for taken := true; taken; {
		taken = c.Ref == "" || c.Ref == w.product.ID && at != "/product" ||
			slices.ContainsFunc(w.components, func(o cdxComponent) bool { return o.Ref == c.Ref })
		if taken {
			if p.ID != "" {
				w.losses.add(at+"/@id", p.ID, "another component has the same; a number is its bom-ref")
			}
			c.Ref = "component-" + strconv.Itoa(len(w.components)+1)
			break
		}
	}
	if p.ID != "" && c.Ref == p.ID && p.ID != c.PURL && (c.PURL != "" || len(p.CPEs) > 0) {
		w.losses.add(at+"/@id", p.ID, "it is the bom-ref, which names a component in this document alone")
	}
	for _, s := range p.CPEs {
		if c.CPE == "" || strings.HasPrefix(s, prefixCPE23) {
			c.CPE = s
		}
	}
	for _, s := range p.CPEs {
		if s != c.CPE {
			w.losses.add(at+"/identifiers/cpe22", s, "CycloneDX has one CPE for a component")
		}
	}
	for _, d := range p.Digests {
		n := slices.IndexFunc(cdxHashNames[:], func(n [2]string) bool { return n[1] == hashLabel(d.Algorithm()) })
		if n < 0 {
			w.losses.add(at+"/hashes/"+hashLabel(d.Algorithm()), d.Hex(), "CycloneDX has no name for the algorithm")
			continue
		}
		c.Hashes = append(c.Hashes, cdxHash{cdxHashNames[n][0], d.Hex()})
	}
	return c
}

func (w *cdxWriter) vulnerability(at string, s *assay.VEXStatement, refs []cdxAffects) cdxVulnerability {
	v := cdxVulnerability{ID: string(s.Vulnerability.ID), Description: s.Vulnerability.Description, Affects: refs}
	for _, a := range s.Vulnerability.Aliases {
		v.References = append(v.References, cdxReference{string(a), cdxSource{Name: systemOf(a)}})
	}
	a := &cdxAnalysis{FirstIssued: formatTime(s.Timestamp), LastUpdated: formatTime(s.LastUpdated), Detail: s.StatusNotes}
	switch s.Status {
	case assay.Fixed:
		a.State = "resolved"
	case assay.UnderInvestigation:
		a.State = "in_triage"
	case assay.Affected:
		a.State, v.Recommendation = "exploitable", s.ActionStatement
	case assay.NotAffected:
		a.State, a.Detail = "not_affected", s.ImpactStatement
		switch s.Justification {
		case assay.ComponentNotPresent:
			a.Justification = "code_not_present"
			w.losses.add(at+"/justification", string(s.Justification), "CycloneDX does not tell a component that is not there from code that is not there")
		case assay.VulnerableCodeNotPresent:
			a.Justification = "code_not_present"
		case assay.VulnerableCodeNotInExecutePath:
			a.Justification = "code_not_reachable"
		case assay.InlineMitigationsAlreadyExist:
			a.Justification = "protected_by_mitigating_control"
		case assay.VulnerableCodeCannotBeControlledByAdversary:
			a.Detail = strings.TrimSpace(string(s.Justification) + " " + a.Detail)
			w.losses.add(at+"/justification", string(s.Justification), "CycloneDX has none like it; it is in the detail")
		}
	}
	v.Analysis = a
	lost := []struct{ field, value string }{{"/@id", s.ID}, {"/supplier", s.Supplier}, {"/vulnerability/@id", s.Vulnerability.IRI},
		{"/action_statement_timestamp", formatTime(s.ActionStatementTimestamp)}}
	if s.Version > 0 {
		lost = append(lost, struct{ field, value string }{"/version", strconv.Itoa(s.Version)})
	}
	if s.Status == assay.NotAffected {
		lost = append(lost, struct{ field, value string }{"/status_notes", s.StatusNotes})
	} else {
		lost = append(lost, struct{ field, value string }{"/justification", string(s.Justification)}, struct{ field, value string }{"/impact_statement", s.ImpactStatement})
	}
	if s.Status != assay.Affected {
		lost = append(lost, struct{ field, value string }{"/action_statement", s.ActionStatement})
	}
	for _, l := range lost {
		if l.value != "" {
			w.losses.add(at+l.field, l.value, "CycloneDX has no place for it")
		}
	}
	return v
}
