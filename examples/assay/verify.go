package main

import (
	"context"
	"errors"
	"flag"
	"io"
	"os"
	"time"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/attest"
	"github.com/assaykit/assay/sbom"
	"github.com/assaykit/assay/verify"
	"github.com/assaykit/assay/verify/report"
)

func verifyCommand(fs *flag.FlagSet) action {
	var out outputs
	var bundles, keys, apis, components, revisions repeated
	policyFile := fs.String("policy", "", "policy `FILE` (JSON)")
	rootFile := fs.String("trusted-root", "", "sigstore trusted_root.json `FILE`")
	at := fs.String("at", "", "ask as of `TIME` (RFC 3339) in place of now")
	fs.Var(&bundles, "bundle", "also read evidence from `FILE` (.json, .jsonl) or folder; may be repeated")
	fs.Var(&components, "components", "read provenance of what is in the image from `FILE` (.json, .jsonl) or folder; may be repeated")
	fs.Var(&revisions, "revisions", "read summaries of the source's commits from `FILE` (.json, .jsonl) or folder; may be repeated")
	fs.Var(&apis, "github", githubUsage)
	fs.Var(&keys, "key", "trust the public key in `FILE` (PEM); may be repeated")
	fs.Var(&out, "o", "`FORMAT[=FILE]`: text, json, or record (the report with all that it rests on, for replay); may be repeated")
	return func(ctx context.Context, e env, ref string) (err error) {
		out, err := out.or("text", "json", "record")
		if err != nil {
			return err
		}
		switch {
		case *policyFile == "":
			return misused("verify needs --policy")
		case *rootFile == "" && len(keys) == 0:
			return misused("verify needs --trusted-root, --key, or both")
		case isLocal(ref) && !isLayout(ref) && len(bundles)+len(apis) == 0:
			return misused("%s: evidence is not read out of archives of images; name it with --bundle", ref)
		}
		others, err := fromGitHub(apis)
		if err != nil {
			return err
		}
		show, wipe := e.progress()
		opts := []verify.Option{verify.Scanning(sbom.Options{Progress: show})}
		if *at != "" {
			t, err := time.Parse(time.RFC3339, *at)
			if err != nil {
				return misused("--at %s: want RFC 3339, such as 2026-01-02T15:04:05Z", *at)
			}
			opts = append(opts, verify.At(t))
		}
		for _, about := range []struct {
			files repeated
			read  func(...attest.Source) verify.Option
		}{{components, verify.Components}, {revisions, verify.Revisions}} {
			if len(about.files) == 0 {
				continue
			}
			envelopes, err := attest.ReadFiles(ctx, about.files...)
			if err != nil {
				return err
			}
			opts = append(opts, about.read(attest.FromEnvelopes(envelopes...)))
		}
		v, err := newVerifier(*rootFile, keys, *policyFile, opts)
		if err != nil {
			return err
		}
		l, err := locate(ctx, ref)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, l.close()) }()
		sources := append(others, l.source)
		for _, b := range bundles {
			// What was named must be there and be read: evidence that somebody forgot to
			// copy is not evidence that does not exist.
			envelopes, err := attest.ReadFiles(ctx, b)
			if err != nil {
				return err
			}
			if len(envelopes) == 0 {
				e.note("%s holds no envelope", b)
			}
			sources = append(sources, attest.FromEnvelopes(envelopes...))
		}
		r, err := v.Verify(ctx, l.digest, sources...)
		wipe()
		if err != nil {
			return err
		}
		return errors.Join(writeReport(e, out, r), r.Err())
	}
}

func writeReport(e env, out outputs, r *verify.Report) error {
	return out.write(e, func(format string, w io.Writer) error {
		switch format {
		case "json":
			return report.JSON(w, r)
		case "record":
			rec, err := r.Record()
			if err != nil {
				return err
			}
			_, err = rec.WriteTo(w)
			return err
		}
		return report.Text(w, r)
	})
}

// replayCommand verifies again what a record holds. The trust and the policy are the
// record's, so their digests are shown: whoever relies on it must know them.
func replayCommand(fs *flag.FlagSet) action {
	var out outputs
	imageRef := fs.String("image", "", "read the bytes of `IMAGE` again in place of what the record says of them")
	fs.Var(&out, "o", "`FORMAT[=FILE]`: text or json; may be repeated")
	return func(ctx context.Context, e env, file string) (err error) {
		out, err := out.or("text", "json")
		if err != nil {
			return err
		}
		data, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		rec, err := verify.ReadRecord(file, data)
		if err != nil {
			return err
		}
		var images verify.ImageSource
		if *imageRef != "" {
			l, err := locate(ctx, *imageRef)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, l.close()) }()
			src, ok := l.source.(verify.ImageSource)
			if !ok {
				return misused("%s has no images", *imageRef)
			}
			images = src
		}
		r, err := rec.Replay(ctx, images)
		if err != nil {
			return err
		}
		trust := rec.Trust()
		if len(trust.TrustedRoot) > 0 {
			e.note("trusted root %s", assay.SumSHA256(trust.TrustedRoot))
		}
		for _, k := range trust.Keys {
			id, err := attest.KeyID(k.Public)
			if err != nil {
				return err
			}
			e.note("trusted key %s", id)
		}
		return errors.Join(writeReport(e, out, r), r.Err())
	}
}

func newVerifier(rootFile string, keys []string, policyFile string, opts []verify.Option) (*verify.Verifier, error) {
	var trust verify.Trust
	var err error
	if rootFile != "" {
		if trust.TrustedRoot, err = os.ReadFile(rootFile); err != nil {
			return nil, err
		}
	}
	for _, file := range keys {
		data, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		key, err := verify.ParseKey(file, data)
		if err != nil {
			return nil, err
		}
		trust.Keys = append(trust.Keys, key)
	}
	data, err := os.ReadFile(policyFile)
	if err != nil {
		return nil, err
	}
	policy, err := verify.ParsePolicy(policyFile, data)
	if err != nil {
		return nil, err
	}
	return verify.New(trust, policy, opts...)
}
