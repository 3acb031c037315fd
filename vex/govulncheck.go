package vex

import (
	"strconv"
	"strings"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/strictjson"
)

const (
	govulncheckTooling = "https://pkg.go.dev/golang.org/x/vuln/cmd/govulncheck"
	govulncheckAuthor  = "Unknown Author"
	govulncheckProduct = "Unknown Product"
	govulncheckID      = "govulncheck/vex:"
)

// Govulncheck is what "govulncheck -format openvex" leaves for its caller to say.
type Govulncheck struct {
	// Product is what was scanned: the program or image. REQUIRED. What it has as
	// subcomponents is ignored; those are the vulnerable modules.
	Product assay.Product
	// Author answers for the statements. REQUIRED.
	Author string
	// Role and Base are as in Options.
	Role, Base string
	// Action gives the action statement for a vulnerability that affects the product
	// through modules. Default: to upgrade them to a version that the entry in the
	// Go vulnerability database lists as fixed.
	Action func(v assay.Vulnerability, modules []assay.Product) string
}

// ReadGovulncheck reads the OpenVEX output of govulncheck, which is no valid document
// (golang/go issues 68152 and 72827), and repairs it: its identifier, which is no
// IRI, is derived anew; the author and the product that it does not know are those
// given; the purls of modules, whose slashes it escapes, are spelt as everybody
// spells them; affected gets an action statement. Each repair is a Warning of the
// rule that was broken. Everything else is read as by [Read], and anything else that
// is wrong is an error.
//
// The output has one statement for each vulnerability of a module that the program
// requires at a vulnerable version, and none for others: its silence says nothing.
// A scan of source is about what that source calls, and one at package or module
// level states affected for what is merely imported or required. Its JSON tells the
// levels apart, and the fixed versions; package vex/triage reads it.
func ReadGovulncheck(name string, data []byte, o Govulncheck) (*assay.VEX, []Warning, error) {
	r := &reader{name: name, purls: map[string]assay.PURL{}}
	v, e, err := r.govulncheck(data, &o)
	if e != nil {
		err = r.fail(e)
	}
	if err != nil {
		return nil, nil, err
	}
	return v, r.warnings, nil
}

func (r *reader) govulncheck(data []byte, o *Govulncheck) (*assay.VEX, *assay.Error, error) {
	var w wireDocument
	if err := strictjson.Unmarshal(r.name, data, &w, strictjson.Limits{RejectUnknown: true}); err != nil {
		return nil, nil, ruled(err)
	}
	if e := refuseNull(data); e != nil {
		return nil, e, nil
	}
	switch {
	case w.Context != Context:
		return nil, broken(1, "/@context", w.Context, Context), nil
	case w.Tooling != govulncheckTooling:
		return nil, broken(10, "/tooling", w.Tooling, govulncheckTooling), nil
	case strings.TrimSpace(o.Author) == "" || o.Author == govulncheckAuthor:
		return nil, broken(3, "/author", w.Author, "the author, from whoever ran govulncheck"), nil
	}
	product := cloneProduct(o.Product)
	product.Subcomponents = nil
	if e := (&checker{complete: true}).component(&product); e != nil {
		e.Field = "product" + e.Field
		return nil, e, nil
	}
	fixed, e := baseIRI(o.Base)
	if e != nil {
		return nil, e, nil
	}
	derive := strings.HasPrefix(w.ID, govulncheckID)
	if derive {
		r.warn(broken(2, "/@id", w.ID, "an absolute IRI"))
		w.ID = fixed
	}
	if w.Author == govulncheckAuthor {
		r.warn(broken(3, "/author", w.Author, o.Author))
	}
	w.Author, w.Role = o.Author, o.Role
	unknown := make([]bool, len(w.Statements))
	for i := range w.Statements {
		s := &w.Statements[i]
		r.at = "/statements/" + strconv.Itoa(i)
		if len(s.Products) == 1 && s.Products[0].ID == govulncheckProduct {
			unknown[i] = true
			r.warn(broken(10, "/products/0/@id", govulncheckProduct, productName(product)))
			// In place of the product comes the one that was given, once it is read.
			s.Products[0].ID = "urn:unknown:product"
		}
		for j := range s.Products {
			for k := range s.Products[j].Subcomponents {
				r.module(&s.Products[j].Subcomponents[k], "/products/"+strconv.Itoa(j)+"/subcomponents/"+strconv.Itoa(k)+"/@id")
			}
		}
		if s.Status == string(assay.Affected) && strings.TrimSpace(s.ActionStatement) == "" {
			s.ActionStatement = r.action(s, o)
			r.warn(broken(9, "/action_statement", "", s.ActionStatement))
		}
	}
	r.at = ""
	v, err := r.document(w, format020)
	if err != nil {
		return nil, nil, err
	}
	for i := range v.Statements {
		if p := v.Statements[i].Products; unknown[i] {
			subs := p[0].Subcomponents
			p[0] = cloneProduct(product)
			p[0].Subcomponents = subs
		}
	}
	if e := (&checker{complete: true}).document(v); e != nil {
		return nil, e, nil
	}
	normalize(v)
	if derive {
		return v, deriveID(v), nil
	}
	return v, nil, nil
}

// module undoes the escapes of a module's path.
func (r *reader) module(c *wireComponent, field string) {
	rest, ok := strings.CutPrefix(c.ID, "pkg:golang/")
	path, version, _ := strings.Cut(rest, "@")
	if !ok || !strings.Contains(path, "%2F") || strings.Contains(path, "/") {
		return
	}
	path, ok = unescape(path)
	if !ok {
		return
	}
	parts := assay.PURLParts{Type: "golang", Name: path, Version: version}
	if i := strings.LastIndexByte(path, '/'); i >= 0 {
		parts.Namespace, parts.Name = path[:i], path[i+1:]
	}
	p, err := assay.NewPURL(parts)
	if err != nil {
		return
	}
	r.warn(broken(14, field, c.ID, p.String()))
	c.ID = p.String()
}

func (r *reader) action(s *wireStatement, o *Govulncheck) string {
	var modules []assay.Product
	var names []string
	for _, p := range s.Products {
		for _, c := range p.Subcomponents {
			q := assay.Product{ID: c.ID}
			q.PURL, _ = r.purl(c.ID)
			modules = append(modules, q)
			if name := strings.TrimPrefix(q.PURL.Package().String(), "pkg:golang/"); name != "" {
				names = append(names, name)
			}
		}
	}
	if o.Action != nil {
		v := assay.Vulnerability{IRI: s.Vulnerability.ID, ID: assay.VulnID(s.Vulnerability.Name), Description: s.Vulnerability.Description}
		for _, a := range s.Vulnerability.Aliases {
			v.Aliases = append(v.Aliases, assay.VulnID(a))
		}
		return o.Action(v, modules)
	}
	what := "the modules it is in"
	if len(names) > 0 {
		what = strings.Join(names, " and ")
	}
	where := s.Vulnerability.ID
	if where == "" {
		where = s.Vulnerability.Name
	}
	return "Upgrade " + what + " to a version that is listed as fixed: " + where
}
