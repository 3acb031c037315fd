package main

import (
	"context"
	"flag"
	"fmt"
	"strings"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/attest"
)

func discoverCommand(*flag.FlagSet) func(context.Context, env, string) error {
	return func(ctx context.Context, e env, ref string) error {
		l, err := locate(ctx, ref)
		if err != nil {
			return err
		}
		defer l.close()
		found, err := attest.Join(l.sources...).Discover(ctx, l.digest)
		if err != nil {
			return err
		}
		fmt.Fprintln(e.stdout, "nothing here is verified")
		show(e, found.Bundle, "")
		for _, i := range found.Ignored {
			fmt.Fprintf(e.stdout, "ignored  %d of %q in %s\n", i.Count, i.Type, i.Store)
		}
		return found.Err()
	}
}

// show prints the envelopes about one digest, then those about each platform below.
func show(e env, b *assay.Bundle, indent string) {
	fmt.Fprintf(e.stdout, "%s%s: %d envelopes\n", indent, b.Subject(), b.Len())
	for x := range b.Envelopes() {
		fmt.Fprintf(e.stdout, "%s  %s  %s  %d bytes  %s\n", indent, x.Digest(), x.MediaType(), x.Size(), strings.Join(x.Sources(), ", "))
	}
	for p := range b.Platforms() {
		fmt.Fprintf(e.stdout, "%s%s\n", indent, p.Platform)
		show(e, p.Bundle, indent+"  ")
	}
}
