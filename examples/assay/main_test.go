package main

import (
	"bytes"
	"errors"
	"fmt"
	"go/parser"
	"go/token"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/assaykit/assay"
)

// The package comment shows each command as help does.
func TestPackageComment(t *testing.T) {
	f, err := parser.ParseFile(token.NewFileSet(), "main.go", nil, parser.ParseComments|parser.PackageClauseOnly)
	if err != nil {
		t.Fatal(err)
	}
	doc := strings.Join(strings.Fields(f.Doc.Text()), " ")
	for _, c := range commands() {
		if want := "assay " + c.name + " " + c.args; !strings.Contains(doc, want) {
			t.Errorf("the package comment does not hold %q", want)
		}
	}
}

func TestExitCode(t *testing.T) {
	refuted := &assay.Error{Op: "verify", Kind: assay.ErrRefuted}
	unchecked := &assay.Error{Op: "verify", Kind: assay.ErrUnchecked}
	for _, test := range []struct {
		name string
		err  error
		want int
	}{
		{"nothing", nil, exitDone},
		{"usage", misused("no"), exitUsage},
		{"wrapped usage", fmt.Errorf("flag: %w", misused("no")), exitUsage},
		{"refuted", refuted, exitRefuted},
		{"refuted, and not written", errors.Join(os.ErrPermission, refuted), exitRefuted},
		{"unchecked", unchecked, exitUnchecked},
		{"unchecked because something is refuted", &assay.Error{Kind: assay.ErrUnchecked, Err: refuted}, exitUnchecked},
		{"invalid", &assay.Error{Kind: assay.ErrInvalid}, exitUnchecked},
		{"another", io.ErrUnexpectedEOF, exitUnchecked},
	} {
		if got := exitCode(test.err); got != test.want {
			t.Errorf("%s: %d, want %d", test.name, got, test.want)
		}
	}
}

// A second output that cannot be rendered keeps the first from being written.
func TestOutputsAreRenderedFirst(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a")
	var stdout bytes.Buffer
	boom := errors.New("boom")
	err := outputs{{"good", ""}, {"good", file}, {"bad", "b"}}.write(env{&stdout, io.Discard}, func(format string, w io.Writer) error {
		if format == "bad" {
			return boom
		}
		_, err := io.WriteString(w, "text")
		return err
	})
	if !errors.Is(err, boom) {
		t.Errorf("got %v, want %v", err, boom)
	}
	if _, err := os.Stat(file); !errors.Is(err, os.ErrNotExist) || stdout.Len() > 0 {
		t.Errorf("something was written: %q, %v", stdout.String(), err)
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, os.ErrClosed }

// What could not be printed was not done.
func TestClosedStandardOutput(t *testing.T) {
	for _, args := range [][]string{{"sbom", "dir:testdata"}, {"posture", "dir:testdata"}} {
		var stderr bytes.Buffer
		if got := execute(t.Context(), args, env{broken{}, &stderr}); got != exitUnchecked || !strings.Contains(stderr.String(), os.ErrClosed.Error()) {
			t.Errorf("%q exits with %d: %s", args, got, stderr.String())
		}
	}
}

// What is no terminal gets no progress.
func TestProgress(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "stderr"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, w := range []io.Writer{f, io.Discard} {
		if show, wipe := (env{stderr: w}).progress(); show != nil || wipe == nil {
			t.Errorf("%T shows progress", w)
		}
	}
}
