package vex

import (
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/assaykit/assay"
)

func (r *csafReader) define(field string, p *csafProduct, n csafNamed) *assay.Error {
	if p.ProductID == "" {
		return csafBroken("3.1.8", field+"/product_id", "", "an identifier")
	}
	if _, ok := r.products[p.ProductID]; ok {
		return csafBroken("6.1.2", field+"/product_id", p.ProductID, "each product defined once")
	}
	var named bool
	var e *assay.Error
	if n.product, named, e = r.helper(field+"/product_identification_helper", p.Helper); e != nil {
		return e
	}
	if n.versions != "" && named {
		r.confine(field, &n.product, n.versions)
	}
	switch {
	case named:
		n.inner, n.outer = "", ""
		if n.product.ID == "" && len(n.product.CPEs) == 0 {
			// Hashes alone are no name to OpenVEX (rule 15).
			n.product.ID = r.id + "#" + url.PathEscape(p.ProductID)
		}
	case n.inner == "":
		n.product = assay.Product{ID: r.id + "#" + url.PathEscape(p.ProductID)}
		r.losses.add(field, p.Name, "the product has only a name; its IRI here is of this document alone")
	}
	n.field = field
	r.products[p.ProductID] = n
	return nil
}

func (r *csafReader) helper(field string, h *csafHelper) (p assay.Product, named bool, e *assay.Error) {
	if h == nil {
		return p, false, nil
	}
	purls := h.PURLs
	if h.PURL != "" {
		purls = append([]string{h.PURL}, purls...)
	}
	for i, s := range purls {
		if i > 0 {
			r.losses.add(field+"/purls", s, "OpenVEX has one purl for a product")
			continue
		}
		q, err := assay.ParsePURL(s)
		if err != nil {
			e := csafBroken("6.1.13", field+"/purl", s, "a package URL")
			e.Err = err
			return p, false, e
		}
		p.PURL = q
	}
	if h.CPE != "" {
		if !strings.HasPrefix(h.CPE, prefixCPE22) && !strings.HasPrefix(h.CPE, prefixCPE23) {
			return p, false, csafBroken("3.1.3.3.1", field+"/cpe", h.CPE, "a CPE name")
		}
		p.CPEs = []string{h.CPE}
	}
	switch {
	case len(h.Hashes) > 1:
		r.losses.add(field+"/hashes", "", "the hashes are of several files, and OpenVEX has those of one")
	case len(h.Hashes) == 1:
		for _, f := range h.Hashes[0].FileHashes {
			label := ""
			for _, n := range csafHashNames {
				if n[0] == strings.ToLower(f.Algorithm) {
					label = n[1]
				}
			}
			alg, ok := hashAlgorithm(label)
			if !ok {
				r.losses.add(field+"/hashes", f.Algorithm, "OpenVEX has no label for the algorithm")
				continue
			}
			d, err := assay.NewDigest(alg, strings.ToLower(f.Value))
			switch {
			case err != nil:
				return p, false, csafBroken("3.1.3.3.2", field+"/hashes", f.Value, "a digest in hexadecimal")
			case !p.Digests.Get(alg).IsZero():
				return p, false, csafBroken("6.1.25", field+"/hashes", f.Value, "one digest of each algorithm")
			}
			p.Digests = append(p.Digests, d)
		}
	}
	for i, u := range h.URIs {
		if !isIRI(u.URI) || p.ID != "" {
			r.losses.add(field+"/x_generic_uris/"+strconv.Itoa(i), u.URI, "OpenVEX has one IRI for a product")
			continue
		}
		p.ID = u.URI
	}
	if p.ID == "" {
		p.ID = p.PURL.String()
	}
	return p, p.ID != "" || len(p.CPEs) > 0 || len(p.Digests) > 0, nil
}

// confine keeps a product to a range of versions: by its package URL, or by leaving out
// what would name every version.
func (r *csafReader) confine(field string, p *assay.Product, versions string) {
	lost := func(what string) {
		r.losses.add(field, what, "it names every version, and the range "+strconv.Quote(versions)+" cannot be stated with it; left out")
	}
	everything := versions == "vers:all/*"
	if u := p.PURL; !u.IsZero() && u.Version() == "" && u.Parts().Qualifiers["vers"] == "" && !everything {
		var ranged assay.PURL
		if _, _, ok := parseVers(versions); ok {
			parts := u.Parts()
			qualifiers := map[string]string{"vers": versions}
			maps.Copy(qualifiers, parts.Qualifiers)
			parts.Qualifiers = qualifiers
			ranged, _ = assay.NewPURL(parts)
		}
		if ranged.IsZero() {
			lost(u.String())
		}
		if p.ID == u.String() {
			p.ID = ranged.String()
		}
		p.PURL = ranged
	}
	p.CPEs = slices.DeleteFunc(p.CPEs, func(s string) bool {
		n, ok := parseCPE(s)
		if !ok || everything || n[cpeVersion] != "*" {
			return false
		}
		lost(s)
		return true
	})
}

// tree collects what is defined.
func (r *csafReader) tree(t *csafTree) *assay.Error {
	for i := range t.FullProductNames {
		if e := r.define("/product_tree/full_product_names/"+strconv.Itoa(i), &t.FullProductNames[i], csafNamed{}); e != nil {
			return e
		}
	}
	if e := r.branches("/product_tree", t.Branches, ""); e != nil {
		return e
	}
	for i := range t.Relationships {
		rel := &t.Relationships[i]
		at := "/product_tree/relationships/" + strconv.Itoa(i)
		if !csafRelation(rel.Category) {
			return csafBroken("3.2.2.4.1", at+"/category", rel.Category, "one of the five categories")
		}
		if rel.Reference == "" || rel.RelatesTo == "" {
			return csafBroken("3.2.2.4", at, "", "two products")
		}
		if e := r.define(at+"/full_product_name", &rel.Product, csafNamed{inner: rel.Reference, outer: rel.RelatesTo}); e != nil {
			return e
		}
		if rel.Category != "default_component_of" {
			r.losses.add(at+"/category", rel.Category, "OpenVEX says only that it is a part")
		}
	}
	for i := range t.Paths {
		if e := r.path("/product_tree/product_paths/"+strconv.Itoa(i), &t.Paths[i]); e != nil {
			return e
		}
	}
	for i, g := range t.ProductGroups {
		at := "/product_tree/product_groups/" + strconv.Itoa(i)
		if _, ok := r.groups[g.GroupID]; ok {
			return csafBroken("6.1.5", at+"/group_id", g.GroupID, "each group defined once")
		}
		r.groups[g.GroupID] = g.ProductIDs
	}
	return nil
}

func csafRelation(category string) bool {
	return slices.Contains([]string{"default_component_of", "optional_component_of", "external_component_of", "installed_on", "installed_with"}, category)
}

// path is what 2.1 has in place of relationships: a product, what it is part of, what
// that is part of, and so on. OpenVEX has the first and the last; see between.
func (r *csafReader) path(at string, p *csafPath) *assay.Error {
	if p.Beginning == "" || len(p.Subpaths) == 0 {
		return csafBroken("3.2.3.4", at, "", "at least two products")
	}
	for i, s := range p.Subpaths {
		here := at + "/subpaths/" + strconv.Itoa(i)
		switch {
		case !csafRelation(s.Category):
			return csafBroken("3.2.3.4", here+"/category", s.Category, "one of the five categories")
		case s.Next == "":
			return csafBroken("3.2.3.4", here+"/next_product_reference", "", "a product")
		case s.Category != "default_component_of":
			r.losses.add(here+"/category", s.Category, "OpenVEX says only that it is a part")
		}
		if i < len(p.Subpaths)-1 {
			r.losses.add(here+"/next_product_reference", s.Next, "OpenVEX has no products between the part and the whole")
		}
	}
	return r.define(at+"/full_product_name", &p.Product, csafNamed{inner: p.Beginning, outer: p.Subpaths[len(p.Subpaths)-1].Next, long: len(p.Subpaths) > 1})
}

// hasRange is the test that CSAF holds to be enough.
func hasRange(name string) bool {
	name = strings.ToLower(name)
	return slices.ContainsFunc([]string{"<", ">", "after", "all", "before", "earlier", "later", "prior", "versions"}, func(s string) bool { return strings.Contains(name, s) })
}

// branches defines the products of branches; versions is the range that they are below.
func (r *csafReader) branches(at string, bs []csafBranch, versions string) *assay.Error {
	for i := range bs {
		here := at + "/branches/" + strconv.Itoa(i)
		if bs[i].Product != nil {
			within := versions
			switch {
			case bs[i].Category == "product_version_range":
				within = bs[i].Name
			case bs[i].Category == "product_version" && hasRange(bs[i].Name):
				within = bs[i].Name
				r.losses.add(here+"/name", bs[i].Name, "a version that reads like a range (CSAF 6.1.31)")
			}
			if e := r.define(here+"/product", bs[i].Product, csafNamed{versions: within}); e != nil {
				return e
			}
		}
		below := versions
		if bs[i].Category == "product_version_range" {
			below = bs[i].Name
		}
		if e := r.branches(here, bs[i].Branches, below); e != nil {
			return e
		}
	}
	return nil
}

// resolve gives the product that a product_id stands for.
func (r *csafReader) resolve(field, id string) (assay.Product, *assay.Error) {
	n, ok := r.products[id]
	if !ok {
		return assay.Product{}, csafBroken("6.1.1", field, id, "a product that the product tree defines")
	}
	if n.inner == "" {
		return cloneProduct(n.product), nil
	}
	inner, e := r.end(n.field, id, func(n csafNamed) string { return n.inner })
	if e != nil {
		return assay.Product{}, e
	}
	outer, e := r.end(n.field, id, func(n csafNamed) string { return n.outer })
	if e != nil {
		return assay.Product{}, e
	}
	outer.Subcomponents = []assay.Product{inner}
	return outer, nil
}

// between reports whether a product_id stands for a part of a part of something, which
// OpenVEX can only call a part of the whole: elsewhere in it the same may not be so.
func (r *csafReader) between(id string) bool {
	n := r.products[id]
	return n.inner != "" && (n.long || r.products[n.inner].inner != "" || r.products[n.outer].inner != "")
}

// end follows relationships on one side to a product that is none.
func (r *csafReader) end(field, id string, next func(csafNamed) string) (assay.Product, *assay.Error) {
	for range len(r.products) + 1 {
		n, ok := r.products[id]
		if !ok {
			return assay.Product{}, csafBroken("6.1.1", field, id, "a product that the product tree defines")
		}
		if n.inner == "" {
			return cloneProduct(n.product), nil
		}
		id = next(n)
	}
	return assay.Product{}, csafBroken("6.1.3", field, id, "relationships without circle")
}
