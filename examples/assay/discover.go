package main

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"strings"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/attest"
)

func discoverCommand(*flag.FlagSet) action {
	return func(ctx context.Context, e env, ref string) error {
		if isLocal(ref) {
			return misused("%s: discover reads registries; name IMAGE@DIGEST in one", ref)
		}
		l, err := locate(ctx, ref)
		if err != nil {
			return err
		}
		found, err := l.source.Discover(ctx, l.digest)
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
	type dsse struct {
		Payload    []byte
		Signatures []struct{ KeyID string }
	}
	type certificate struct{ RawBytes []byte }
	var doc struct { // a sigstore bundle, or a bare DSSE envelope
		dsse
		DSSEEnvelope         *dsse
		VerificationMaterial struct {
			PublicKey                 *struct{ Hint string }
			Certificate               *certificate
			X509CertificateChain      struct{ Certificates []certificate }
			TlogEntries               []struct{}
			TimestampVerificationData struct{ RFC3161Timestamps []struct{} }
		}
	}
	if err := json.Unmarshal(x.Raw(), &doc); err != nil {
		return "nothing that can be read", fmt.Sprintf("%q", err.Error())
	}
	if doc.DSSEEnvelope != nil {
		doc.dsse = *doc.DSSEEnvelope
	}
	claims = "nothing that can be read"
	if h, err := attest.ParseStatement(x.Digest().String(), doc.Payload); err == nil {
		claims = fmt.Sprintf("%q", h.PredicateType)
	}
	m := doc.VerificationMaterial
	if m.Certificate == nil && len(m.X509CertificateChain.Certificates) > 0 {
		m.Certificate = &m.X509CertificateChain.Certificates[0]
	}
	switch {
	case m.Certificate != nil:
		signature = "with a certificate for " + holder(m.Certificate.RawBytes)
	case m.PublicKey != nil:
		signature = fmt.Sprintf("with key %q", m.PublicKey.Hint)
	case len(doc.Signatures) > 0:
		signature = fmt.Sprintf("with key %q", doc.Signatures[0].KeyID)
	default:
		return claims, "not at all"
	}
	return claims, fmt.Sprintf("%s, %d log entries, %d timestamps", signature, len(m.TlogEntries), len(m.TimestampVerificationData.RFC3161Timestamps))
}

func holder(der []byte) string {
	c, err := x509.ParseCertificate(der)
	if err != nil {
		return "somebody"
	}
	names := c.EmailAddresses
	for _, u := range c.URIs {
		names = append(names, u.String())
	}
	return fmt.Sprintf("%q", names)
}
