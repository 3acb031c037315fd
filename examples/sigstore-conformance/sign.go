package main

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/sigstore/sigstore-go/pkg/root"
	sigstore "github.com/sigstore/sigstore-go/pkg/sign"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/assaykit/assay/attest/keyless"
)

func sign(ctx context.Context, o options) error {
	if o.identityToken == "" {
		return errors.New("want --identity-token")
	}
	content, err := os.ReadFile(o.artifact)
	if err != nil {
		return err
	}
	trusted, err := trustedRoot(o)
	if err != nil {
		return err
	}
	config, err := signingConfig(o)
	if err != nil {
		return err
	}
	var bundle []byte
	if o.inToto {
		bundle, err = signStatement(ctx, content, o.identityToken, config, trusted)
	} else {
		bundle, err = signFile(ctx, content, o.identityToken, config, trusted)
	}
	if err != nil {
		return err
	}
	return os.WriteFile(o.bundle, bundle, 0o600)
}

// signStatement signs an in-toto statement; the bundle is verified before it is given.
func signStatement(ctx context.Context, statement []byte, token string, config, trusted []byte) ([]byte, error) {
	s, err := keyless.New(keyless.Options{SigningConfig: config, TrustedRoot: trusted, Token: keyless.StaticToken(token)})
	if err != nil {
		return nil, err
	}
	e, err := s.Sign(ctx, statement)
	if err != nil {
		return nil, err
	}
	return e.Raw(), nil
}

const timeout = 30 * time.Second

// signFile signs any file. The library signs statements alone, so that what it signs
// says what it is about; the protocol wants this too, and sigstore's client does it.
func signFile(ctx context.Context, content []byte, token string, config, trusted []byte) ([]byte, error) {
	c, err := root.NewSigningConfigFromJSON(config)
	if err != nil {
		return nil, err
	}
	material, err := root.NewTrustedRootFromJSON(trusted)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	ca, err := root.SelectService(c.FulcioCertificateAuthorityURLs(), sigstore.FulcioAPIVersions, now)
	if err != nil {
		return nil, err
	}
	logs, err := root.SelectServices(c.RekorLogURLs(), c.RekorLogURLsConfig(), sigstore.RekorAPIVersions, now)
	if err != nil {
		return nil, err
	}
	opts := sigstore.BundleOptions{
		Context:                    ctx,
		CertificateProvider:        sigstore.NewFulcio(&sigstore.FulcioOptions{BaseURL: ca.URL, Timeout: timeout}),
		CertificateProviderOptions: &sigstore.CertificateProviderOptions{IDToken: token},
		TrustedRoot:                material,
	}
	for _, l := range logs {
		opts.TransparencyLogs = append(opts.TransparencyLogs, sigstore.NewRekor(&sigstore.RekorOptions{BaseURL: l.URL, Timeout: timeout, Version: l.MajorAPIVersion}))
	}
	if urls := c.TimestampAuthorityURLs(); len(urls) > 0 {
		tsas, err := root.SelectServices(urls, c.TimestampAuthorityURLsConfig(), sigstore.TimestampAuthorityAPIVersions, now)
		if err != nil {
			return nil, err
		}
		for _, t := range tsas {
			opts.TimestampAuthorities = append(opts.TimestampAuthorities, sigstore.NewTimestampAuthority(&sigstore.TimestampAuthorityOptions{URL: t.URL, Timeout: timeout}))
		}
	}
	key, err := sigstore.NewEphemeralKeypair(nil)
	if err != nil {
		return nil, err
	}
	bundle, err := sigstore.Bundle(&sigstore.PlainData{Data: content}, key, opts)
	if err != nil {
		return nil, err
	}
	raw, err := protojson.Marshal(bundle)
	if err != nil {
		return nil, err
	}
	text := jsontext.Value(raw)
	err = text.Compact() // protojson puts spaces in at random
	return text, err
}
