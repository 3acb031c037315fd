package main

import (
	"context"
	"flag"
	"io"
	"os"
	"time"

	"github.com/assaykit/assay/attest"
	"github.com/assaykit/assay/verify"
	"github.com/assaykit/assay/verify/report"
)

func verifyCommand(fs *flag.FlagSet) func(context.Context, env, string) error {
	var out outputs
	var bundles, keys list
	policyFile := fs.String("policy", "", "policy `FILE` (JSON)")
	rootFile := fs.String("trusted-root", "", "sigstore trusted_root.json `FILE`")
	at := fs.String("at", "", "ask as of `TIME` (RFC 3339) in place of now")
	fs.Var(&bundles, "bundle", "also read bundles from `FILE` or folder; may be repeated")
	fs.Var(&keys, "key", "trust the public key in `FILE` (PEM); may be repeated")
	fs.Var(&out, "o", "`FORMAT[=FILE]`: text or json; may be repeated")
	return func(ctx context.Context, e env, ref string) error {
		out, err := out.or("text", "json")
		if err != nil {
			return err
		}
		if *policyFile == "" {
			return misused("verify needs --policy")
		}
		if *rootFile == "" && len(keys) == 0 {
			return misused("verify needs --trusted-root, --key, or both")
		}
		trust, policy, err := trustAndPolicy(*rootFile, keys, *policyFile)
		if err != nil {
			return err
		}
		var opts []verify.Option
		if *at != "" {
			t, err := time.Parse(time.RFC3339, *at)
			if err != nil {
				return misused("--at %s: want RFC 3339, such as 2026-01-02T15:04:05Z", *at)
			}
			opts = append(opts, verify.At(t))
		}
		v, err := verify.New(trust, policy, opts...)
		if err != nil {
			return err
		}
		files, err := evidenceFiles(bundles)
		if err != nil {
			return err
		}
		l, err := locate(ctx, ref)
		if err != nil {
			return err
		}
		defer l.close()
		r, err := v.Verify(ctx, l.digest, append(l.sources, files...)...)
		if err != nil {
			return err
		}
		if err := out.write(e, func(format string, w io.Writer) error {
			if format == "json" {
				return report.JSON(w, r)
			}
			return report.Text(w, r)
		}); err != nil {
			return err
		}
		return r.Err()
	}
}

func trustAndPolicy(rootFile string, keys []string, policyFile string) (verify.Trust, verify.Policy, error) {
	var trust verify.Trust
	if rootFile != "" {
		data, err := os.ReadFile(rootFile)
		if err != nil {
			return trust, verify.Policy{}, err
		}
		trust.TrustedRoot = data
	}
	for _, file := range keys {
		data, err := os.ReadFile(file)
		if err != nil {
			return trust, verify.Policy{}, err
		}
		key, err := verify.ParseKey(file, data)
		if err != nil {
			return trust, verify.Policy{}, err
		}
		trust.Keys = append(trust.Keys, key)
	}
	data, err := os.ReadFile(policyFile)
	if err != nil {
		return trust, verify.Policy{}, err
	}
	policy, err := verify.ParsePolicy(policyFile, data)
	return trust, policy, err
}

// evidenceFiles are the sources of --bundle flags.
func evidenceFiles(bundles []string) ([]attest.Source, error) {
	var sources []attest.Source
	for _, b := range bundles {
		info, err := os.Stat(b)
		if err != nil {
			return nil, err
		}
		if info.IsDir() {
			sources = append(sources, attest.FromFolder(b))
		} else {
			sources = append(sources, attest.FromFiles(b))
		}
	}
	return sources, nil
}
