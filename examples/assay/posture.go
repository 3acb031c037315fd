package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/attest/posture"
)

func postureCommand(fs *flag.FlagSet) action {
	var out outputs
	platform := fs.String("platform", "", "`OS/ARCH[/VARIANT]` to take out of an index")
	fs.Var(&out, "o", "`FORMAT[=FILE]`: text, or json for the in-toto SCAI predicate; may be repeated")
	return func(ctx context.Context, e env, ref string) error {
		out, err := out.or("text", "json")
		if err != nil {
			return err
		}
		contents, err := scan(ctx, e, ref, *platform)
		if err != nil {
			return err
		}
		p, err := posture.Assess(contents, posture.Options{})
		if err != nil {
			return err
		}
		return out.write(e, func(format string, w io.Writer) error {
			if format == "text" {
				return postureText(w, p)
			}
			b, err := posture.Encode(p)
			if err != nil {
				return err
			}
			_, err = w.Write(append(b, '\n'))
			return err
		})
	}
}

func postureText(w io.Writer, p *assay.Posture) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, f := range p.Facts {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", f.State, f.Stage, f.Attribute, f.Reason)
		for _, l := range f.Found {
			fmt.Fprintf(t, "\t\t\t- %q\n", l.Path)
		}
	}
	return t.Flush()
}
