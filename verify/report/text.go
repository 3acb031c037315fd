package report

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/verify"
)

// Text writes the report for people: the verdict first, then why, line by line,
// each with its reason. It has no colours and no characters beyond what the
// evidence brings; control characters in those are made visible.
func Text(w io.Writer, r *verify.Report) error {
	var b bytes.Buffer
	text(&b, r)
	_, err := w.Write(b.Bytes())
	return err
}

func text(b *bytes.Buffer, r *verify.Report) {
	fmt.Fprintf(b, "%s%s\n", r.Digest, platform(r.Platform))
	fmt.Fprintf(b, "as of %s\n\n", r.At.UTC().Format(time.RFC3339))
	verdict(b, r)
	if len(r.Platforms) > 0 {
		faults(b, r)
		checks(b, r)
		for _, p := range r.Platforms {
			b.WriteString("\n----\n")
			text(b, p)
		}
		return
	}
	attestations(b, r)
	sourceLevels(b, r)
	components(b, r)
	faults(b, r)
	checks(b, r)
}

func platform(p assay.Platform) string {
	if p.IsZero() {
		return ""
	}
	return " (" + printable(p.String()) + ")"
}

func verdict(b *bytes.Buffer, r *verify.Report) {
	v := r.Verdict
	fmt.Fprintf(b, "verdict: %s\n", v.Stage)
	fmt.Fprintf(b, "policy:  %s\n", v.Policy)
	if len(v.Missing) > 0 {
		fmt.Fprintf(b, "missing to be %s: %s\n", v.Next, printable(strings.Join(v.Missing, ", ")))
	}
}

func attestations(b *bytes.Buffer, r *verify.Report) {
	fmt.Fprintf(b, "\nattestations: %d\n", len(r.Attestations))
	w := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	for _, a := range r.Attestations {
		what := printable(cmp.Or(string(a.Kind), "?"))
		if a.State == assay.Proven {
			by := a.Signer.String() + " as " + a.Rule + witnessed(a.SignedBy)
			fmt.Fprintf(w, "  accepted\t%s\t%s\t%s\n", what, short(a.Envelope), printable("signed by "+by))
			continue
		}
		word := "refused"
		if a.State == assay.Unknown {
			word = "unknown"
		}
		fmt.Fprintf(w, "  %s\t%s\t%s\t%s\n", word, what, short(a.Envelope), printable(string(a.Reason)+": "+a.Detail))
	}
	_ = w.Flush() // to a bytes.Buffer
}

// sourceLevels tells who vouches for the commits that the image was built from.
func sourceLevels(b *bytes.Buffer, r *verify.Report) {
	if len(r.SourceLevels) == 0 {
		return
	}
	b.WriteString("\nsource levels:\n")
	w := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	for _, l := range r.SourceLevels {
		of := l.Repository + " at " + l.Commit.Hex()
		if len(l.Refs) > 0 {
			of += ", on " + strings.Join(l.Refs, ", ")
		}
		fmt.Fprintf(w, "  level %d\t%s\t%s\t%s\n", l.Level, short(l.Envelope), printable(of),
			printable(strings.Join(l.Verified, ", ")+" by "+l.Verifier+", signed by "+l.Signer.String()+witnessed(l.SignedBy)))
	}
	_ = w.Flush() // to a bytes.Buffer
}

// components tells how much of the image comes from verified source.
func components(b *bytes.Buffer, r *verify.Report) {
	c := r.Components
	if c == nil {
		return
	}
	fmt.Fprintf(b, "\ncomponents: %d of %d with verified provenance, %d of a named source; %d have a digest to look for\n", c.Verified, c.Total, c.FromSource, c.Identified)
	w := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	for i, p := range c.Proven {
		if i == mostComponents {
			fmt.Fprintf(w, "  and %d more\n", len(c.Proven)-mostComponents)
			break
		}
		of := "of no named source"
		if p.Source.Repository != "" && !p.Source.Commit.IsZero() {
			of = "from " + p.Source.Repository + " at " + p.Source.Commit.Hex()
		}
		fmt.Fprintf(w, "  level %d\t%s\t%s\t%s\n", p.Level, short(p.Envelope), printable(p.Name), printable(of+", built by "+p.Builder+", signed by "+p.Signer.String()))
	}
	_ = w.Flush() // to a bytes.Buffer
	for _, f := range c.Faults {
		fmt.Fprintf(b, "  not read: %s: %s\n", printable(f.Store), printable(f.Detail))
	}
}

// mostComponents keeps an image with thousands of packages from hiding the checks; JSON
// has all.
const mostComponents = 20

func witnessed(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return ", witnessed " + at.UTC().Format(time.RFC3339)
}

func faults(b *bytes.Buffer, r *verify.Report) {
	if len(r.Faults) == 0 {
		return
	}
	b.WriteString("\nstores that could not be read:\n")
	for _, f := range r.Faults {
		fmt.Fprintf(b, "  %s: %s\n", printable(f.Store), printable(f.Detail))
	}
}

func checks(b *bytes.Buffer, r *verify.Report) {
	b.WriteString("\nchecks:\n")
	w := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	for _, c := range r.Checks {
		need := ""
		switch {
		case c.Required:
			need = "required"
		case c.Stage > assay.None:
			need = "for " + c.Stage.String()
		}
		fmt.Fprintf(w, "  %s\t%s\t%s\t%s\n", c.State, printable(c.ID), need, printable(string(c.Reason)+": "+c.Detail))
		if c.State == assay.Proven {
			continue
		}
		total := max(c.FindingsTotal, len(c.Findings))
		for i, f := range c.Findings {
			if i == mostFindings {
				fmt.Fprintf(w, "  \t\t\t  and %d more\n", total-mostFindings)
				break
			}
			fmt.Fprintf(w, "  \t\t\t- %s\n", printable(f))
		}
	}
	_ = w.Flush() // to a bytes.Buffer
}

// mostFindings keeps one check from hiding the others; JSON has more.
const mostFindings = 5

func short(d assay.Digest) string {
	const n = 12
	if h := d.Hex(); len(h) > n {
		return h[:n]
	}
	return d.Hex()
}

// printable makes a line of what evidence brought: one that holds a line break or an
// escape sequence could else write a verdict of its own.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' || unicode.In(r, unicode.Bidi_Control) {
			return '\ufffd'
		}
		return r
	}, s)
}
