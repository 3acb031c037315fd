package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/sbom"
	"github.com/assaykit/assay/vex"
	"github.com/assaykit/assay/vex/osv"
	vulnscan "github.com/assaykit/assay/vex/scan"
	"github.com/assaykit/assay/vex/severity"
	"github.com/assaykit/assay/vex/triage"
)

// scanCommand matches the components of an image, or of an SBOM in a file, to the
// advisories of an index. With VEX documents it says what is left to do.
func scanCommand(fs *flag.FlagSet) action {
	var out outputs
	var documents repeated
	db := fs.String("db", "", "`FILE` with the index of advisories; see assay db")
	report := fs.Bool("report", false, "the argument is a report of Grype, Trivy or OSV-Scanner: nothing is matched")
	platform := fs.String("platform", "", "`OS/ARCH[/VARIANT]` to take out of an index")
	fs.Var(&documents, "vex", "OpenVEX document in `FILE`, whose author is believed; may be repeated")
	fs.Var(&out, "o", "`FORMAT[=FILE]`: text or vulns; may be repeated")
	return func(ctx context.Context, e env, ref string) error {
		out, err := out.or("text", "vulns")
		if err != nil {
			return err
		}
		found, doc, err := findings(ctx, e, ref, *db, *platform, *report)
		if err != nil {
			return err
		}
		docs, err := readDocuments(e, documents)
		if err != nil {
			return err
		}
		decided, err := triage.Triage(found, vex.NewTimeline(docs, found.FinishedOn), doc, triage.Options{})
		if err != nil {
			return err
		}
		return out.write(e, func(format string, w io.Writer) error {
			if format == "text" {
				return printFindings(w, found, decided)
			}
			text, err := vulnscan.Encode(found, "")
			if err != nil {
				return err
			}
			_, err = w.Write(append(bytes.TrimRight(text, "\n"), '\n'))
			return err
		})
	}
}

// findings gives a scan of what ref names, and the components it was made of; those
// behind another tool's report are not known.
func findings(ctx context.Context, e env, ref, db, platform string, report bool) (found *assay.Scan, doc *assay.SBOM, err error) {
	if report {
		data, err := os.ReadFile(ref)
		if err != nil {
			return nil, nil, err
		}
		found, err := vulnscan.ReadReport(ref, data)
		return found, nil, err
	}
	if db == "" {
		return nil, nil, misused("--db: name the index of advisories")
	}
	x, err := osv.Open(db)
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, x.Close()) }()
	var o osv.MatchOptions
	if file, ok := strings.CutPrefix(ref, "sbom:"); ok {
		data, err := os.ReadFile(file)
		if err != nil {
			return nil, nil, err
		}
		if doc, err = sbom.Read(file, data); err != nil {
			return nil, nil, err
		}
		o.Inputs = []assay.Resource{{Name: file, Digest: assay.DigestSet{assay.SumSHA256(data)}}}
	} else {
		contents, err := scan(ctx, e, ref, platform)
		if err != nil {
			return nil, nil, err
		}
		doc = contents.SBOM
	}
	found, err = osv.Match(ctx, x, doc, o)
	return found, doc, err
}

func readDocuments(e env, files []string) ([]*assay.VEX, error) {
	var docs []*assay.VEX
	for _, f := range files {
		doc, err := readVEX(e, f, "openvex", "", "")
		if err != nil {
			return nil, err
		}
		docs = append(docs, doc)
	}
	return docs, nil
}

// printFindings writes a line for each finding, and for each question without answer.
func printFindings(w io.Writer, found *assay.Scan, r *triage.Result) error {
	fmt.Fprintf(w, "database %s of %s\n", cmp.Or(databaseDigest(found.Scanner), "unknown"), when(found.Scanner.DBUpdated))
	if c := found.Coverage; c != nil {
		fmt.Fprintf(w, "%d components\n", c.Components)
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, d := range r.Decisions {
		f := d.Finding
		rating, _, ok := severity.Of(f)
		if !ok {
			rating = "unknown"
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\tfixed in %s\tpublished %s\n", d.State, rating, f.Vulnerability.ID,
			cmp.Or(f.PURL.String(), string(f.Component)), cmp.Or(f.Fix.Version, "no known version"), dayOf(f.Published))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, u := range r.Unevaluated {
		fmt.Fprintf(w, "undecided  %s  %s\n", cmp.Or(strings.TrimSpace(string(u.Vulnerability)+" "+u.PURL.String()), string(u.Component), "the database"), u.Reason)
	}
	_, err := fmt.Fprintf(w, "%d findings, %d left to do, %d undecided\n", len(r.Decisions), len(r.Remaining()), len(r.Unevaluated))
	return err
}

func databaseDigest(s assay.Scanner) string {
	for _, d := range s.DBDigest {
		return d.String()
	}
	return ""
}

func dayOf(t time.Time) string {
	if t.IsZero() {
		return "unknown"
	}
	return t.UTC().Format(time.DateOnly)
}
