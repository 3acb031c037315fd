package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/attest"
)

func discoverCommand(fs *flag.FlagSet) action {
	var apis repeated
	fs.Var(&apis, "github", githubUsage)
	return func(ctx context.Context, e env, ref string) (err error) {
		if isLocal(ref) && !isLayout(ref) {
			return misused("%s: discover reads registries and layouts; name IMAGE@DIGEST in one, or oci:PATH", ref)
		}
		others, err := fromGitHub(apis)
		if err != nil {
			return err
		}
		l, err := locate(ctx, ref)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, l.close()) }()
		found, err := attest.Join(append(others, l.source)...).Discover(ctx, l.digest)
		if err != nil {
			return err
		}
		var b bytes.Buffer
		fmt.Fprintln(&b, "nothing here is verified")
		list(&b, found.Bundle, "")
		for _, i := range found.Ignored {
			fmt.Fprintf(&b, "ignored %d of %q in %s\n", i.Count, i.Type, i.Store)
		}
		if _, err := e.stdout.Write(b.Bytes()); err != nil {
			return err
		}
		for _, f := range found.Faults {
			if f.Kind == attest.Absent {
				e.note("%v", f.Err)
			}
		}
		if err := found.Err(); err != nil {
			return &assay.Error{Op: "discover", Kind: assay.ErrUnchecked, Subject: l.digest.String(), Err: err}
		}
		return nil
	}
}

// list writes the envelopes about one digest, then those about each platform below.
func list(w io.Writer, b *assay.Bundle, indent string) {
	fmt.Fprintf(w, "%s%s: %d envelopes\n", indent, b.Subject(), b.Len())
	for x := range b.Envelopes() {
		claims, signature := describe(x)
		fmt.Fprintf(w, "%s  %s\n", indent, x.Digest())
		fmt.Fprintf(w, "%s    claims  %s\n", indent, claims)
		fmt.Fprintf(w, "%s    signed  %s\n", indent, signature)
		fmt.Fprintf(w, "%s    stored  %q, %d bytes, in %s\n", indent, x.MediaType(), x.Size(), strings.Join(x.Sources(), ", "))
	}
	for p := range b.Platforms() {
		fmt.Fprintf(w, "%s%q\n", indent, p.Platform)
		list(w, p.Bundle, indent+"  ")
	}
}

// describe tells what an envelope says of itself: the type of its predicate, and how
// it is signed. Whoever wrote it may have made all of it up, so it is quoted, and
// good for nothing but to look at.
func describe(x assay.Envelope) (claims, signature string) {
	u, err := attest.ReadUnverified(x)
	if err != nil {
		return "nothing that can be read", fmt.Sprintf("%q", err.Error())
	}
	claims = string("a " + u.Format)
	if u.PredicateType != "" {
		claims = fmt.Sprintf("%q", u.PredicateType)
	}
	if len(u.Signatures) == 0 {
		return claims, "not at all"
	}
	s := u.Signatures[0]
	switch {
	case s.Certificate && len(s.Names) == 0:
		signature = "with a certificate for somebody"
	case s.Certificate:
		signature = fmt.Sprintf("with a certificate for %q", s.Names)
	default:
		signature = fmt.Sprintf("with key %q", s.KeyHint)
	}
	return claims, fmt.Sprintf("%s, %d log entries, %d timestamps", signature, u.LogEntries, u.Timestamps)
}
