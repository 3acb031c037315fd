// Assay drives the library from a shell, so that scripts can call it and people can
// try it. It is thin: flags in, one call, output out.
//
//	assay sbom      IMAGE [-o FORMAT[=FILE]]...
//	assay posture   IMAGE [-o FORMAT[=FILE]]...
//	assay attest    IMAGE@DIGEST --type TYPE --predicate FILE (--key KEY | --keyless --signing-config FILE) [--to registry | --to FILE]
//	assay discover  IMAGE@DIGEST
//	assay verify    IMAGE@DIGEST --policy FILE [--bundle FILE]... [--trusted-root FILE] [--key KEY]... [--at TIME] [-o FORMAT[=FILE]]...
//
// IMAGE is a registry reference, oci:PATH[:TAG][@DIGEST], oci-archive:PATH,
// docker-archive:PATH or dir:PATH. An -o without a file goes to standard output;
// messages go to standard error.
//
// It exits with 0 if it did what was asked (for verify: every required check is
// proven), 1 if something could not be checked or read, 2 for wrong usage, and 3 if
// a claim is false or the policy is not met.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"

	"github.com/assaykit/assay"
)

const (
	exitDone      = 0
	exitUnchecked = 1
	exitUsage     = 2
	exitRefuted   = 3
)

func main() { os.Exit(mainExit()) }

func mainExit() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	return execute(ctx, os.Args[1:], os.Stdout, os.Stderr)
}

// command is one verb. It gets its flags parsed and its one argument.
type command struct {
	usage string
	setup func(*flag.FlagSet) func(context.Context, env, string) error
}

// env is where a command writes to.
type env struct{ stdout, stderr io.Writer }

// note tells of something that was left out.
func (e env) note(format string, a ...any) { fmt.Fprintf(e.stderr, "assay: "+format+"\n", a...) }

func commands() map[string]command {
	return map[string]command{
		"sbom":     {"IMAGE [-o FORMAT[=FILE]]... [--platform OS/ARCH]", sbomCommand},
		"posture":  {"IMAGE [-o FORMAT[=FILE]]... [--platform OS/ARCH]", postureCommand},
		"attest":   {"IMAGE@DIGEST --type TYPE --predicate FILE (--key KEY | --keyless --signing-config FILE) [--to registry | --to FILE]", attestCommand},
		"discover": {"IMAGE@DIGEST", discoverCommand},
		"verify":   {"IMAGE@DIGEST --policy FILE [--bundle FILE]... [--trusted-root FILE] [--key KEY]... [--at TIME] [-o FORMAT[=FILE]]...", verifyCommand},
	}
}

var verbs = []string{"sbom", "posture", "attest", "discover", "verify"}

func execute(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	say := func(format string, a ...any) { fmt.Fprintf(stderr, "assay: "+format+"\n", a...) }
	if len(args) == 0 {
		usage(stderr)
		return exitUsage
	}
	cmd, ok := commands()[args[0]]
	if !ok {
		if args[0] == "help" || args[0] == "-h" || args[0] == "--help" {
			usage(stdout)
			return exitDone
		}
		say("unknown command %q; there are %s", args[0], strings.Join(verbs, ", "))
		return exitUsage
	}
	fs := flag.NewFlagSet(args[0], flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.Usage = func() {
		fmt.Fprintf(stderr, "usage: assay %s %s\n", args[0], cmd.usage)
		fs.PrintDefaults()
	}
	run := cmd.setup(fs)
	positional, err := parse(fs, args[1:])
	switch {
	case errors.Is(err, flag.ErrHelp):
		return exitDone
	case err != nil:
		return exitUsage // the flag package has said why
	case len(positional) != 1:
		say("%s takes one argument, got %d", args[0], len(positional))
		fs.Usage()
		return exitUsage
	}
	err = run(ctx, env{stdout, stderr}, positional[0])
	if err != nil {
		say("%v", err)
	}
	return exitCode(err)
}

// parse takes flags and arguments in any order.
func parse(fs *flag.FlagSet, args []string) ([]string, error) {
	var positional []string
	for {
		if err := fs.Parse(args); err != nil {
			return nil, err
		}
		if fs.NArg() == 0 {
			return positional, nil
		}
		positional = append(positional, fs.Arg(0))
		args = fs.Args()[1:]
	}
}

// usageError is the caller's mistake on the command line.
type usageError struct{ message string }

func (e usageError) Error() string { return e.message }

func misused(format string, a ...any) error { return usageError{fmt.Sprintf(format, a...)} }

func exitCode(err error) int {
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, new(usageError)):
		return exitUsage
	case errors.Is(err, assay.ErrRefuted):
		return exitRefuted
	}
	return exitUnchecked
}

func usage(w io.Writer) {
	fmt.Fprintln(w, "usage:")
	for _, v := range verbs {
		fmt.Fprintf(w, "  assay %s %s\n", v, commands()[v].usage)
	}
}
