// Sigstore-conformance speaks the command-line protocol of sigstore/sigstore-conformance
// (docs/cli_protocol.md there), so that sigstore's own test suite can be run against
// this library:
//
//	go build ./examples/sigstore-conformance
//	sigstore-conformance sign-bundle [--staging] [--in-toto] --identity-token TOKEN --bundle FILE [--trusted-root FILE] [--signing-config FILE] FILE
//	sigstore-conformance verify-bundle [--staging] --bundle FILE (--certificate-identity IDENTITY --certificate-oidc-issuer URL | --key FILE) [--trusted-root FILE] FILE_OR_DIGEST
//
// The answer is the exit code alone: 0 if the signature was made, or holds. Why it does
// not is on standard error.
//
// Without --trusted-root and --signing-config those of sigstore's public instance are
// fetched by TUF, or of its staging instance with --staging. That is the only time that
// verify-bundle uses the network.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
)

// options are those of both commands; the protocol has no others.
type options struct {
	staging, inToto            bool
	identityToken              string
	bundle                     string
	identity, issuer, key      string
	trustedRoot, signingConfig string
	artifact                   string
}

func parse(args []string) (command string, o options, err error) {
	if len(args) == 0 {
		return "", o, errors.New("want sign-bundle or verify-bundle")
	}
	f := flag.NewFlagSet(args[0], flag.ContinueOnError)
	f.SetOutput(io.Discard)
	f.BoolVar(&o.staging, "staging", false, "")
	f.StringVar(&o.bundle, "bundle", "", "")
	f.StringVar(&o.trustedRoot, "trusted-root", "", "")
	switch args[0] {
	case "sign-bundle":
		f.BoolVar(&o.inToto, "in-toto", false, "")
		f.StringVar(&o.identityToken, "identity-token", "", "")
		f.StringVar(&o.signingConfig, "signing-config", "", "")
	case "verify-bundle":
		f.StringVar(&o.identity, "certificate-identity", "", "")
		f.StringVar(&o.issuer, "certificate-oidc-issuer", "", "")
		f.StringVar(&o.key, "key", "", "")
	default:
		return "", o, fmt.Errorf("no command %q; want sign-bundle or verify-bundle", args[0])
	}
	if err := f.Parse(args[1:]); err != nil {
		return "", o, err
	}
	if f.NArg() != 1 || o.bundle == "" {
		return "", o, errors.New("want --bundle and one file or digest")
	}
	o.artifact = f.Arg(0)
	return args[0], o, nil
}

func run(ctx context.Context, args []string) error {
	command, o, err := parse(args)
	if err != nil {
		return err
	}
	if command == "sign-bundle" {
		return sign(ctx, o)
	}
	return verifyBundle(o)
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "sigstore-conformance:", err)
		os.Exit(1)
	}
}
