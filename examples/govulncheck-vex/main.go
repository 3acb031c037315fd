// Govulncheck-vex writes the VEX document that govulncheck's findings call for, valid and
// about the right product: what "govulncheck -format openvex" leaves out.
//
//	govulncheck -mode binary -format json ./app > govulncheck.json
//	go run ./examples/govulncheck-vex -author security@example.com -binary ./app -o app.vex.json govulncheck.json
//
// It takes govulncheck's JSON or its OpenVEX, of a binary or of source. The product is
// the program, named by its main module and its digest: from the executable (-binary),
// or from an SBOM that has it (-sbom, with -file for the program's path where there are
// several). Findings of modules that the program does not have are refused: they are
// another program's.
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/vex"
	"github.com/assaykit/assay/vex/triage"
)

// step is what is asked for.
type step struct {
	author, base       string
	binary, sbom, file string
	input              string
}

// document gives the VEX document, nil if there is nothing to state, and notes what was
// mended.
func (s step) document(notes io.Writer) ([]byte, error) {
	p, err := s.program()
	if err != nil {
		return nil, err
	}
	data, err := os.ReadFile(s.input)
	if err != nil {
		return nil, err
	}
	var doc *assay.VEX
	if bytes.Contains(data[:min(len(data), 200)], []byte(`"@context"`)) {
		if doc, err = s.mended(data, p, notes); err != nil {
			return nil, err
		}
	} else if doc, err = s.drafted(data, p); err != nil || doc == nil {
		return nil, err
	}
	for _, st := range doc.Statements {
		for _, product := range st.Products {
			for _, c := range product.Subcomponents {
				if !p.has(c.PURL) {
					return nil, &assay.Error{Op: "join govulncheck with the program", Kind: assay.ErrRefuted, Subject: s.input,
						Field: string(st.Vulnerability.ID), Value: c.PURL.String(), Bound: "a module of " + p.product.ID}
				}
			}
		}
	}
	// Encode holds the document to every rule of OpenVEX, by name.
	return vex.Encode(doc)
}

// mended is govulncheck's own OpenVEX, with what it gets wrong put right.
func (s step) mended(data []byte, p *program, notes io.Writer) (*assay.VEX, error) {
	doc, warnings, err := vex.ReadGovulncheck(s.input, data, vex.Govulncheck{Product: p.product, Author: s.author, Base: s.base})
	for _, w := range warnings {
		fmt.Fprintln(notes, w)
	}
	return doc, err
}

// drafted is what the JSON calls for. It says more: fixed versions, and how far
// govulncheck looked.
func (s step) drafted(data []byte, p *program) (*assay.VEX, error) {
	g, err := triage.ReadGovulncheck(s.input, bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	o := triage.DraftOptions{
		Document: vex.Options{Base: s.base, Tooling: g.Scanner.URI + "@" + g.Scanner.Version},
		Runs:     []triage.Run{{Result: g}},
	}
	// Nothing is stated yet, so all findings are open.
	r, err := triage.Triage(g.Scan(), vex.NewTimeline(nil, o.Document.Time), nil, triage.Options{})
	if err != nil {
		return nil, err
	}
	d, err := triage.Draft(r, s.author, p.product, o)
	if errors.Is(err, assay.ErrAbsent) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	return d.Build()
}

func main() {
	if err := run(os.Args[1:], os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "govulncheck-vex:", err)
		os.Exit(1)
	}
}

func run(args []string, notes io.Writer) error {
	var s step
	fs := flag.NewFlagSet("govulncheck-vex", flag.ContinueOnError)
	fs.SetOutput(notes)
	fs.StringVar(&s.author, "author", "", "who answers for the statements, best an email address or IRI; required")
	fs.StringVar(&s.base, "base", "", "derive the document's identifier below this `IRI`")
	fs.StringVar(&s.binary, "binary", "", "the program is this executable `FILE`")
	fs.StringVar(&s.sbom, "sbom", "", "the program is in the SBOM in `FILE`")
	fs.StringVar(&s.file, "file", "", "the program's `PATH` in the image that the SBOM describes")
	out := fs.String("o", "vex.json", "write the document to `FILE`")
	if err := fs.Parse(args); err != nil {
		return err
	}
	if fs.NArg() != 1 || s.author == "" || (s.binary == "") == (s.sbom == "") {
		return errors.New("want -author, one of -binary and -sbom, and govulncheck's output")
	}
	s.input = fs.Arg(0)
	data, err := s.document(notes)
	if err != nil {
		return err
	}
	if data == nil {
		// A document without statements is none, and would say nothing.
		fmt.Fprintln(notes, "govulncheck found nothing to state; no document is written")
		return nil
	}
	return os.WriteFile(*out, data, 0o644)
}
