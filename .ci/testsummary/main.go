// Command testsummary reads the output of "go test -json" on standard input and
// says what a person needs of it.
//
// It prints the output of what failed, why tests skipped, and counts. It fails if
// anything failed, if no test ran, or if a test skipped and said something with the
// text of -refuse, but for the words in -allow: a run that has all real parts means
// to run the tests that need them.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
)

// event is a line of the stream (go doc test2json).
type event struct {
	Action, Package, Test, ImportPath, Output string
}

type key struct{ pkg, test string }

type summary struct {
	output           map[key]*strings.Builder
	build            strings.Builder
	packages         map[string]bool
	passed, failures int
	skips            map[string]int // by reason
	failed           strings.Builder
}

func main() {
	refuse := flag.String("refuse", "", "text that no reason for a skip may have")
	allow := flag.String("allow", "", "space-separated words with that text that it may have")
	flag.Parse()
	if err := run(os.Stdin, os.Stdout, *refuse, strings.Fields(*allow)); err != nil {
		fmt.Fprintln(os.Stderr, "testsummary:", err)
		os.Exit(1)
	}
}

func run(in io.Reader, out io.Writer, refuse string, allow []string) error {
	s := &summary{output: map[key]*strings.Builder{}, packages: map[string]bool{}, skips: map[string]int{}}
	r := bufio.NewReader(in)
	for {
		line, err := r.ReadBytes('\n')
		if len(line) > 0 {
			s.line(line)
		}
		if errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return err
		}
	}
	return s.report(out, refuse, allow)
}

func (s *summary) line(line []byte) {
	var e event
	if json.Unmarshal(line, &e) != nil {
		s.build.Write(line) // the go command itself
		return
	}
	k := key{e.Package, e.Test}
	switch e.Action {
	case "build-output":
		s.build.WriteString(e.Output)
	case "output":
		if s.output[k] == nil {
			s.output[k] = new(strings.Builder)
		}
		s.output[k].WriteString(e.Output)
	case "fail":
		s.failures++
		fmt.Fprintf(&s.failed, "FAIL %s %s\n%s", e.Package, e.Test, s.text(k))
	case "pass", "skip":
		if e.Test == "" {
			break
		}
		s.packages[e.Package] = true
		if e.Action == "pass" {
			s.passed++
		} else {
			s.skips[reason(s.text(k))]++
		}
	}
	if e.Action == "pass" || e.Action == "skip" || e.Action == "fail" {
		delete(s.output, k)
	}
}

func (s *summary) text(k key) string {
	if b := s.output[k]; b != nil {
		return b.String()
	}
	return ""
}

// reason is what a test that skipped said, without where it said so.
func reason(output string) string {
	var said []string
	for line := range strings.Lines(output) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "=== ") || strings.HasPrefix(line, "--- ") {
			continue
		}
		if file, rest, ok := strings.Cut(line, ": "); ok && strings.Contains(file, ".go:") {
			line = rest
		}
		said = append(said, line)
	}
	if len(said) == 0 {
		return "(no reason given)"
	}
	return strings.Join(said, " ")
}

func (s *summary) report(out io.Writer, refuse string, allow []string) error {
	var errs []error
	skipped := 0
	for _, why := range slices.Sorted(maps.Keys(s.skips)) {
		skipped += s.skips[why]
		fmt.Fprintf(out, "%d skipped: %s\n", s.skips[why], why)
		rest := why
		for _, a := range allow {
			rest = strings.ReplaceAll(rest, a, "")
		}
		if refuse != "" && strings.Contains(rest, refuse) {
			errs = append(errs, fmt.Errorf("%d tests skipped for want of what this run has: %s", s.skips[why], why))
		}
	}
	if s.failures > 0 {
		fmt.Fprint(out, s.build.String(), s.failed.String())
		errs = append(errs, fmt.Errorf("%d failures", s.failures))
	} else if s.passed == 0 {
		fmt.Fprint(out, s.build.String())
		errs = append(errs, errors.New("no test ran"))
	}
	fmt.Fprintf(out, "%d tests passed, %d failed, %d skipped in %d packages\n", s.passed, s.failures, skipped, len(s.packages))
	return errors.Join(errs...)
}
