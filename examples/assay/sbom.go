package main

import (
	"context"
	"flag"
	"io"
	"strings"

	"github.com/assaykit/assay/sbom"
)

func sbomCommand(fs *flag.FlagSet) action {
	var out outputs
	platform := fs.String("platform", "", "`OS/ARCH[/VARIANT]` to take out of an index")
	var formats []string
	for _, f := range sbom.Formats() {
		formats = append(formats, string(f))
	}
	fs.Var(&out, "o", "`FORMAT[=FILE]`: "+strings.Join(formats, ", ")+"; may be repeated")
	return func(ctx context.Context, e env, ref string) error {
		out, err := out.or(formats...)
		if err != nil {
			return err
		}
		contents, err := scan(ctx, e, ref, *platform)
		if err != nil {
			return err
		}
		for _, s := range contents.Skipped {
			if !s.History {
				e.note("not read: %s: %s", s.Path, s.Reason)
			}
		}
		return out.write(e, func(format string, w io.Writer) error {
			loss, err := sbom.Write(w, contents.SBOM, sbom.Format(format), sbom.EncodeOptions{})
			for _, l := range loss {
				e.note("lost in %s: %s", format, l)
			}
			return err
		})
	}
}
