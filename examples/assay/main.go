// Assay drives the library from a shell, so that scripts can call it and people can
// try it. It is thin: flags in, one call, output out.
//
//	assay sbom      IMAGE [-o FORMAT[=FILE]]... [--platform OS/ARCH]
//	assay posture   IMAGE [-o FORMAT[=FILE]]... [--platform OS/ARCH]
//	assay attest    IMAGE@DIGEST --type TYPE --predicate FILE (--key FILE | --keyless --signing-config FILE) [--to registry | --to FILE]
//	assay provenance generate DIR [--builder-id URI] [--lock FILE]... [--dockerfile FILE] [--binary FILE] [-o FORMAT[=FILE]]...
//	assay provenance check    FILE [--type URI]
//	assay provenance convert  FILE --build-type URI [--type URI] [-o FORMAT[=FILE]]...
//	assay vex create  PRODUCT --author WHO --id ID --status STATUS [--justification LABEL] [--action TEXT] [--part PURL]... [-o FORMAT[=FILE]]...
//	assay vex add     FILE --product PRODUCT --id ID --status STATUS [-o FORMAT[=FILE]]...
//	assay vex merge   FILE --author WHO [--with FILE]... [-o FORMAT[=FILE]]...
//	assay vex convert FILE [--from FORMAT] [--product PRODUCT] [-o FORMAT[=FILE]]...
//	assay vex check   FILE [--from FORMAT]
//	assay vex status  FILE --product PRODUCT [--part PURL]... --id ID [--with FILE]... [--at TIME]
//	assay db build  DB --source [NAME=][FORMAT:]PATH...
//	assay db update DB --source [NAME=][FORMAT:]PATH...
//	assay db info   DB [--check]
//	assay scan      (IMAGE --db DB | REPORT --report) [--vex FILE]... [-o FORMAT[=FILE]]... [--platform OS/ARCH]
//	assay discover  IMAGE@DIGEST [--github URL]...
//	assay verify    IMAGE@DIGEST --policy FILE [--trusted-root FILE] [--key FILE]... [--bundle FILE]... [--github URL]... [--at TIME] [-o FORMAT[=FILE]]...
//	assay replay    RECORD [--image IMAGE@DIGEST] [-o FORMAT[=FILE]]...
//
// IMAGE is a registry reference, oci:PATH[:TAG][@DIGEST],
// oci-archive:PATH[:TAG][@DIGEST], docker-archive:PATH[:NAME:TAG] or, for sbom and
// posture, dir:PATH. What is attached to an image is read from registries and from
// layouts in folders; evidence about one in an archive is named with --bundle.
//
// DB is an index of advisories: dumps in the OSV format, as folders or zip archives, the
// trackers of Debian and Alpine, and CISA's catalogue. For scan, IMAGE may be sbom:FILE;
// its formats are text and vulns, an in-toto predicate to attest.
//
// PRODUCT is a purl, or REPOSITORY@DIGEST of an image. VEX formats are openvex, csaf and
// cyclonedx; govulncheck's is read.
//
// SBOM formats are cyclonedx-json, cyclonedx-xml, spdx-json, spdx-tag-value,
// spdx3-json and table; posture and report formats are text and json, and verify
// writes a record for replay, too. An -o without
// a file goes to standard output. A file is replaced whole or not at all. Messages
// go to standard error, and so does, on a terminal, a line that shows how far a
// scan is.
//
//	exit  meaning
//	0     done; for verify, every required check is proven
//	1     something could not be checked, read or written
//	2     wrong usage
//	3     refuted: a claim is false, or the policy is not met
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/assaykit/assay"
)

const (
	exitDone      = 0
	exitUnchecked = 1
	exitUsage     = 2
	exitRefuted   = 3
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second interrupt ends the process at once
	os.Exit(execute(ctx, os.Args[1:], env{os.Stdout, os.Stderr}))
}

// env is where a command writes to.
type env struct{ stdout, stderr io.Writer }

// note writes a message.
func (e env) note(format string, a ...any) { fmt.Fprintf(e.stderr, "assay: "+format+"\n", a...) }

// action is a command with its flags parsed, on its one argument.
type action func(ctx context.Context, e env, ref string) error

type command struct {
	name, args string
	setup      func(*flag.FlagSet) action
}

func commands() []command {
	return []command{
		{"sbom", "IMAGE [-o FORMAT[=FILE]]... [--platform OS/ARCH]", sbomCommand},
		{"posture", "IMAGE [-o FORMAT[=FILE]]... [--platform OS/ARCH]", postureCommand},
		{"attest", "IMAGE@DIGEST --type TYPE --predicate FILE (--key FILE | --keyless --signing-config FILE) [--to registry | --to FILE]", attestCommand},
		{"provenance generate", "DIR [--builder-id URI] [--lock FILE]... [--dockerfile FILE] [--binary FILE] [-o FORMAT[=FILE]]...", generateCommand},
		{"provenance check", "FILE [--type URI]", checkProvenanceCommand},
		{"provenance convert", "FILE --build-type URI [--type URI] [-o FORMAT[=FILE]]...", convertProvenanceCommand},
		{"vex create", "PRODUCT --author WHO --id ID --status STATUS [--justification LABEL] [--action TEXT] [--part PURL]... [-o FORMAT[=FILE]]...", vexCreateCommand},
		{"vex add", "FILE --product PRODUCT --id ID --status STATUS [-o FORMAT[=FILE]]...", vexAddCommand},
		{"vex merge", "FILE --author WHO [--with FILE]... [-o FORMAT[=FILE]]...", vexMergeCommand},
		{"vex convert", "FILE [--from FORMAT] [--product PRODUCT] [-o FORMAT[=FILE]]...", vexConvertCommand},
		{"vex check", "FILE [--from FORMAT]", vexCheckCommand},
		{"vex status", "FILE --product PRODUCT [--part PURL]... --id ID [--with FILE]... [--at TIME]", vexStatusCommand},
		{"db build", "DB --source [NAME=][FORMAT:]PATH...", dbBuildCommand},
		{"db update", "DB --source [NAME=][FORMAT:]PATH...", dbUpdateCommand},
		{"db info", "DB [--check]", dbInfoCommand},
		{"scan", "(IMAGE --db DB | REPORT --report) [--vex FILE]... [-o FORMAT[=FILE]]... [--platform OS/ARCH]", scanCommand},
		{"discover", "IMAGE@DIGEST [--github URL]...", discoverCommand},
		{"verify", "IMAGE@DIGEST --policy FILE [--trusted-root FILE] [--key FILE]... [--bundle FILE]... [--github URL]... [--at TIME] [-o FORMAT[=FILE]]...", verifyCommand},
		{"replay", "RECORD [--image IMAGE@DIGEST] [-o FORMAT[=FILE]]...", replayCommand},
	}
}

// execute runs one command and gives the exit code.
func execute(ctx context.Context, args []string, e env) int {
	if len(args) == 0 {
		usage(e.stderr)
		return exitUsage
	}
	if slices.Contains([]string{"help", "-h", "-help", "--help"}, args[0]) {
		usage(e.stdout)
		return exitDone
	}
	var names []string
	for _, c := range commands() {
		words := strings.Fields(c.name)
		if len(args) >= len(words) && slices.Equal(args[:len(words)], words) {
			return c.execute(ctx, args[len(words):], e)
		}
		names = append(names, c.name)
	}
	e.note("unknown command %q; there are %s", args[0], strings.Join(names, ", "))
	return exitUsage
}

func (c command) execute(ctx context.Context, args []string, e env) int {
	fs := flag.NewFlagSet(c.name, flag.ContinueOnError)
	fs.SetOutput(io.Discard) // messages and help go to different places, below
	act := c.setup(fs)
	positional, err := parse(fs, args)
	if errors.Is(err, flag.ErrHelp) {
		c.help(fs, e.stdout)
		return exitDone
	}
	if err == nil && len(positional) != 1 {
		err = fmt.Errorf("want one argument, got %d", len(positional))
	}
	if err != nil {
		e.note("%s: %v", c.name, err)
		c.help(fs, e.stderr)
		return exitUsage
	}
	err = act(ctx, e, positional[0])
	if err != nil {
		e.note("%v", err)
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
	if err == nil {
		return exitDone
	}
	if _, ok := errors.AsType[usageError](err); ok {
		return exitUsage
	}
	// The kind of the error itself counts, not that of its causes: what could not be
	// checked because of something that is false was not checked.
	if assay.KindOf(err) == assay.ErrRefuted {
		return exitRefuted
	}
	return exitUnchecked
}

func usage(w io.Writer) {
	fmt.Fprintln(w, "usage:")
	for _, c := range commands() {
		fmt.Fprintf(w, "  assay %-9s %s\n", c.name, c.args)
	}
	fmt.Fprintln(w, "assay COMMAND -h lists the flags of a command.")
}

func (c command) help(fs *flag.FlagSet, w io.Writer) {
	fmt.Fprintf(w, "usage: assay %s %s\n", c.name, c.args)
	fs.SetOutput(w)
	fs.PrintDefaults()
}
