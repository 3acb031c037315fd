package main

import (
	"context"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/attest"
	"github.com/assaykit/assay/attest/cosign"
	"github.com/assaykit/assay/attest/keyless"
)

// predicateTypes are short names for --type; a URI is taken as it is.
var predicateTypes = map[string]assay.PredicateType{
	"cyclonedx":      assay.PredicateCycloneDX,
	"spdx":           assay.PredicateSPDX,
	"slsaprovenance": assay.PredicateSLSA1,
	"openvex":        assay.PredicateOpenVEX,
	"scai":           assay.PredicateSCAI,
	"vsa":            assay.PredicateVSA,
	"vuln":           assay.PredicateVulns02,
	"remediation":    assay.PredicateRemediation,
}

// signing are the flags that say who signs.
type signing struct {
	key, config, token, trustedRoot string
	keyless                         bool
}

func attestCommand(fs *flag.FlagSet) action {
	var s signing
	typ := fs.String("type", "", "predicate `TYPE`: cyclonedx, spdx, slsaprovenance, openvex, scai, vsa, vuln, remediation or a URI")
	predicate := fs.String("predicate", "", "predicate `FILE` (JSON)")
	to := fs.String("to", "registry", "`registry`, or a .json or .jsonl file, which is replaced")
	fs.StringVar(&s.key, "key", "", "private key `FILE`: cosign's (password in COSIGN_PASSWORD) or PEM PKCS #8")
	fs.BoolVar(&s.keyless, "keyless", false, "sign with a certificate for the identity of a token")
	fs.StringVar(&s.config, "signing-config", "", "sigstore signing_config.v0.2.json `FILE`, for --keyless")
	fs.StringVar(&s.trustedRoot, "trusted-root", "", "trusted_root.json `FILE`: verify what was signed, for --keyless")
	fs.StringVar(&s.token, "identity-token", "", "`FILE` with an OIDC token, for --keyless; without it, the one of what this runs in: SIGSTORE_ID_TOKEN, GitHub Actions, GitLab CI, Buildkite, a SPIFFE workload, Google Cloud")
	return func(ctx context.Context, e env, ref string) (err error) {
		if *typ == "" || *predicate == "" {
			return misused("attest needs --type and --predicate")
		}
		t, ok := predicateTypes[*typ]
		if !ok {
			if t, err = assay.ParsePredicateType(*typ); err != nil {
				return misused("--type: %v", err)
			}
		}
		switch {
		case *to == "registry" && isLocal(ref):
			return misused("%s is in no registry; name a file with --to", ref)
		case *to != "registry" && !slices.Contains([]string{".json", ".jsonl"}, filepath.Ext(*to)):
			return misused("--to %s: want registry, or a .json or .jsonl file", *to)
		}
		signer, err := s.signer()
		if err != nil {
			return err
		}
		body, err := os.ReadFile(*predicate)
		if err != nil {
			return err
		}
		// The document is signed as it is, after its reader has accepted it.
		document := &assay.Opaque{Type: t, Predicate: body}
		l, err := locate(ctx, ref)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, l.close()) }()
		if *to == "registry" {
			attached, err := attest.Publish(ctx, signer, l.repository+"@"+l.digest.String(), attest.PublishOptions{}, document)
			if err != nil {
				return err
			}
			for _, r := range attached.Referrers {
				if _, err := fmt.Fprintf(e.stdout, "%s@%s\n", attached.Repository, r.Manifest); err != nil {
					return err
				}
			}
			return nil
		}
		stmt, err := attest.NewStatement(document, attest.StatementOptions{}, assay.Subject{Name: l.repository, Digest: assay.DigestSet{l.digest}})
		if err != nil {
			return err
		}
		envelope, err := attest.Sign(ctx, signer, stmt)
		if err != nil {
			return err
		}
		return attest.WriteFile(*to, envelope)
	}
}

func (s signing) signer() (attest.Signer, error) {
	switch {
	case (s.key != "") == s.keyless:
		return nil, misused("attest needs --key or --keyless, and not both")
	case !s.keyless && s.config+s.trustedRoot+s.token != "":
		return nil, misused("--signing-config, --trusted-root and --identity-token are for --keyless")
	case s.key != "":
		return keySigner(s.key)
	case s.config == "":
		return nil, misused("--keyless needs --signing-config")
	}
	o := keyless.Options{Token: keyless.Ambient(keyless.AmbientOptions{})}
	var err error
	if o.SigningConfig, err = os.ReadFile(s.config); err != nil {
		return nil, err
	}
	if s.trustedRoot != "" {
		if o.TrustedRoot, err = os.ReadFile(s.trustedRoot); err != nil {
			return nil, err
		}
	}
	if s.token != "" {
		token, err := os.ReadFile(s.token)
		if err != nil {
			return nil, err
		}
		o.Token = keyless.StaticToken(strings.TrimSpace(string(token)))
	}
	return keyless.New(o)
}

// keySigner reads a key by what its PEM block says it is.
func keySigner(file string) (attest.Signer, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(data)
	if block == nil || block.Type != "PRIVATE KEY" {
		return cosign.LoadSigner(file, data, []byte(os.Getenv("COSIGN_PASSWORD")))
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, &assay.Error{Op: "read private key", Kind: assay.ErrInvalid, Subject: file, Err: err}
	}
	key, ok := parsed.(crypto.Signer)
	if !ok {
		return nil, &assay.Error{Op: "read private key", Kind: assay.ErrInvalid, Subject: file, Bound: "a key that signs"}
	}
	return attest.NewKeySigner(key)
}
