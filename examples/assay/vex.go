package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/vex"
)

// claimFlags are what a statement says.
type claimFlags struct {
	id, status, justification, impact, action, notes string
	aliases, parts                                   repeated
}

func (c *claimFlags) register(fs *flag.FlagSet) {
	fs.StringVar(&c.id, "id", "", "vulnerability `ID`")
	fs.Var(&c.aliases, "alias", "another `ID` of it; may be repeated")
	fs.StringVar(&c.status, "status", "", "`STATUS`: not_affected, affected, fixed or under_investigation")
	fs.StringVar(&c.justification, "justification", "", "`LABEL` why the product is not affected")
	fs.StringVar(&c.impact, "impact", "", "`TEXT` why the product is not affected")
	fs.StringVar(&c.action, "action", "", "`TEXT` what to do about it, where the product is affected")
	fs.StringVar(&c.notes, "notes", "", "`TEXT` how the status was found")
	fs.Var(&c.parts, "part", "purl of the `PART` of the product that it is about; may be repeated")
}

// namedProduct is the thing stated about: an image by its digest, or a purl; and the
// parts of it through which the statement is about it.
func namedProduct(ref string, purls ...string) (assay.Product, error) {
	var parts []assay.Product
	for _, p := range purls {
		purl, err := assay.ParsePURL(p)
		if err != nil {
			return assay.Product{}, err
		}
		parts = append(parts, vex.PURLProduct(purl))
	}
	if strings.HasPrefix(ref, "pkg:") {
		purl, err := assay.ParsePURL(ref)
		p := vex.PURLProduct(purl)
		p.Subcomponents = parts
		return p, err
	}
	repository, digest, ok := strings.Cut(ref, "@")
	if !ok {
		return assay.Product{}, misused("%s: want a purl, or REPOSITORY@DIGEST", ref)
	}
	d, err := assay.ParseDigest(digest)
	if err != nil {
		return assay.Product{}, err
	}
	return vex.ImageProduct(d, repository, parts...)
}

// add puts the statement into a document. What is missing is for the document's own
// rules to find.
func (c *claimFlags) add(d *vex.Draft, ref string) error {
	product, err := namedProduct(ref, c.parts...)
	if err != nil {
		return err
	}
	id, err := assay.ParseVulnID(c.id)
	if err != nil {
		return err
	}
	status, err := assay.ParseStatus(c.status)
	if err != nil {
		return err
	}
	var claim *vex.Claim
	switch status {
	case assay.NotAffected:
		var why assay.Justification
		if c.justification != "" {
			if why, err = assay.ParseJustification(c.justification); err != nil {
				return err
			}
		}
		claim = d.NotAffected(id, why, product)
		if c.impact != "" {
			claim.Impact(c.impact)
		}
	case assay.Affected:
		claim = d.Affected(id, c.action, product)
	case assay.Fixed:
		claim = d.Fixed(id, product)
	default:
		claim = d.UnderInvestigation(id, product)
	}
	if status != assay.NotAffected && c.justification+c.impact != "" || status != assay.Affected && c.action != "" {
		return misused("--justification and --impact go with not_affected, --action with affected")
	}
	for _, a := range c.aliases {
		alias, err := assay.ParseVulnID(a)
		if err != nil {
			return err
		}
		claim.Aliases(alias)
	}
	if c.notes != "" {
		claim.Notes(c.notes)
	}
	return nil
}

// vexCreateCommand writes a document with one statement about PRODUCT.
func vexCreateCommand(fs *flag.FlagSet) action {
	var out outputs
	var claim claimFlags
	claim.register(fs)
	author := fs.String("author", "", "`WHO` answers for the document; one that goes with the signature")
	fs.Var(&out, "o", "`FORMAT[=FILE]`: openvex; may be repeated")
	return func(_ context.Context, e env, ref string) error {
		out, err := out.or("openvex")
		if err != nil {
			return err
		}
		d := vex.New(*author, vex.Options{})
		if err := claim.add(d, ref); err != nil {
			return err
		}
		doc, err := d.Build()
		if err != nil {
			return err
		}
		return writeVEX(e, out, doc, "")
	}
}

// vexAddCommand adds a statement to the document in FILE, as its next version.
func vexAddCommand(fs *flag.FlagSet) action {
	var out outputs
	var claim claimFlags
	claim.register(fs)
	product := fs.String("product", "", "purl, or REPOSITORY@DIGEST, of the `PRODUCT`")
	fs.Var(&out, "o", "`FORMAT[=FILE]`: openvex; may be repeated")
	return func(_ context.Context, e env, file string) error {
		out, err := out.or("openvex")
		if err != nil {
			return err
		}
		doc, err := readVEX(e, file, "openvex", "", "")
		if err != nil {
			return err
		}
		d := vex.Edit(doc, vex.Options{})
		if err := claim.add(d, *product); err != nil {
			return err
		}
		if doc, err = d.Build(); err != nil {
			return err
		}
		return writeVEX(e, out, doc, "")
	}
}

// vexMergeCommand compiles documents into one, in the name of an author.
func vexMergeCommand(fs *flag.FlagSet) action {
	var out outputs
	var with repeated
	author := fs.String("author", "", "`WHO` answers for the whole")
	fs.Var(&with, "with", "another document in `FILE`; may be repeated")
	fs.Var(&out, "o", "`FORMAT[=FILE]`: openvex; may be repeated")
	return func(_ context.Context, e env, file string) error {
		out, err := out.or("openvex")
		if err != nil {
			return err
		}
		docs, err := readDocuments(e, append([]string{file}, with...))
		if err != nil {
			return err
		}
		doc, contradictions, err := vex.Compile(*author, docs, vex.Options{})
		if err != nil {
			return err
		}
		for _, c := range contradictions {
			e.note("contradiction: %s", c)
		}
		return writeVEX(e, out, doc, "")
	}
}

// vexConvertCommand turns one format into another, and says what is lost.
func vexConvertCommand(fs *flag.FlagSet) action {
	var out outputs
	from := fs.String("from", "openvex", "`FORMAT` of FILE: openvex, csaf, cyclonedx or govulncheck")
	author := fs.String("author", "", "`WHO` answers for it, where the document names nobody")
	product := fs.String("product", "", "purl, or REPOSITORY@DIGEST, of the `PRODUCT`: what govulncheck looked at, or what cyclonedx is written about")
	fs.Var(&out, "o", "`FORMAT[=FILE]`: openvex, csaf or cyclonedx; may be repeated")
	return func(_ context.Context, e env, file string) error {
		out, err := out.or("openvex", "csaf", "cyclonedx")
		if err != nil {
			return err
		}
		doc, err := readVEX(e, file, *from, *author, *product)
		if err != nil {
			return err
		}
		return writeVEX(e, out, doc, *product)
	}
}

// vexCheckCommand holds a document to the rules of its format.
func vexCheckCommand(fs *flag.FlagSet) action {
	from := fs.String("from", "openvex", "`FORMAT` of FILE: openvex, csaf or cyclonedx")
	author := fs.String("author", "", "`WHO` answers for it, where the document names nobody")
	return func(_ context.Context, e env, file string) error {
		doc, err := readVEX(e, file, *from, *author, "")
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(e.stdout, "%s\nid         %s\nauthor     %s\nversion    %d\nstatements %d\n", doc.Format, doc.ID, doc.Author, doc.Version, len(doc.Statements))
		return err
	}
}

// vexStatusCommand says what documents say of a product and a vulnerability at a time.
func vexStatusCommand(fs *flag.FlagSet) action {
	var with, parts repeated
	id := fs.String("id", "", "vulnerability `ID`")
	fs.Var(&parts, "part", "purl of the `PART` of the product that is asked about; may be repeated")
	product := fs.String("product", "", "purl, or REPOSITORY@DIGEST, of the `PRODUCT`")
	at := fs.String("at", "", "ask as of `TIME`, RFC 3339, instead of now")
	fs.Var(&with, "with", "another document in `FILE`; may be repeated")
	return func(_ context.Context, e env, file string) error {
		asked, err := namedProduct(*product, parts...)
		if err != nil {
			return err
		}
		v, err := assay.ParseVulnID(*id)
		if err != nil {
			return err
		}
		asOf := time.Now()
		if *at != "" {
			if asOf, err = time.Parse(time.RFC3339, *at); err != nil {
				return misused("--at: %v", err)
			}
		}
		docs, err := readDocuments(e, append([]string{file}, with...))
		if err != nil {
			return err
		}
		a := vex.StatusOf(docs, asked, assay.Vulnerability{ID: v}, asOf)
		for _, c := range a.Contradictions {
			e.note("contradiction: %s", c)
		}
		if a.Status == "" {
			return &assay.Error{Op: "ask status", Kind: assay.ErrAbsent, Subject: *product, Value: *id, Bound: "a statement that holds at " + when(asOf)}
		}
		s := a.Statement
		why := strings.TrimSpace(strings.Join([]string{string(s.Justification), s.ImpactStatement, s.ActionStatement}, " "))
		_, err = fmt.Fprintf(e.stdout, "%s\nsince  %s\nby     %s, %s version %d\nwhy    %s\n", a.Status, when(s.Timestamp),
			a.Source.Document.Author, a.Source.Document.ID, a.Source.Document.Version, why)
		return err
	}
}

// readVEX reads a document of any format, and notes what is odd or lost.
func readVEX(e env, file, format, author, product string) (*assay.VEX, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var doc *assay.VEX
	var warnings []vex.Warning
	var losses []vex.Loss
	switch format {
	case "openvex":
		doc, warnings, err = vex.Read(file, data)
	case "csaf":
		doc, losses, err = vex.ReadCSAF(file, data)
	case "cyclonedx":
		doc, losses, err = vex.ReadCycloneDX(file, data, vex.CycloneDX{Author: author})
	case "govulncheck":
		var p assay.Product
		if p, err = namedProduct(product); err == nil {
			doc, warnings, err = vex.ReadGovulncheck(file, data, vex.Govulncheck{Product: p, Author: author})
		}
	default:
		return nil, misused("--from: no format %q", format)
	}
	for _, w := range warnings {
		e.note("%s", w)
	}
	for _, l := range losses {
		e.note("%s: %s", file, l)
	}
	return doc, err
}

func writeVEX(e env, out outputs, doc *assay.VEX, product string) error {
	return out.write(e, func(format string, w io.Writer) error {
		var text []byte
		var losses []vex.Loss
		var err error
		switch format {
		case "openvex":
			text, err = vex.Encode(doc)
		case "csaf":
			text, losses, err = vex.EncodeCSAF(doc, vex.CSAF{})
		case "cyclonedx":
			var p assay.Product
			if p, err = aboutProduct(doc, product); err == nil {
				text, losses, err = vex.EncodeCycloneDX(doc, p)
			}
		}
		for _, l := range losses {
			e.note("%s: %s", format, l)
		}
		if err != nil {
			return err
		}
		_, err = w.Write(append(bytes.TrimRight(text, "\n"), '\n'))
		return err
	})
}

// aboutProduct is what a CycloneDX document is written about: CycloneDX says of one
// product what OpenVEX can say of many.
func aboutProduct(doc *assay.VEX, named string) (assay.Product, error) {
	if named != "" {
		return namedProduct(named)
	}
	for _, s := range doc.Statements {
		for _, p := range s.Products {
			p.Subcomponents = nil
			return p, nil
		}
	}
	return assay.Product{}, misused("-o cyclonedx: the document names no product; name it with --product")
}
