package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// outputs are -o flags: a format, and optionally a file after "=".
type outputs []output

type output struct{ format, file string }

func (o *outputs) String() string { return "" }

func (o *outputs) Set(s string) error {
	format, file, hasFile := strings.Cut(s, "=")
	if format == "" || hasFile && file == "" {
		return misused("want FORMAT or FORMAT=FILE")
	}
	*o = append(*o, output{format, file})
	return nil
}

// or gives the default where nothing was asked for, and checks that every format is
// one of those known, before any work is done.
func (o outputs) or(known ...string) (outputs, error) {
	if len(o) == 0 {
		return outputs{{format: known[0]}}, nil
	}
	for _, x := range o {
		if !slices.Contains(known, x.format) {
			return nil, misused("-o %s: there are %s", x.format, strings.Join(known, ", "))
		}
	}
	return o, nil
}

// write renders each output whole before the first byte of it is written, and puts
// files in place by renaming: a reader sees all of a file or none.
func (o outputs) write(e env, render func(format string, w io.Writer) error) error {
	for _, x := range o {
		var b bytes.Buffer
		if err := render(x.format, &b); err != nil {
			return err
		}
		if x.file == "" {
			if _, err := e.stdout.Write(b.Bytes()); err != nil {
				return err
			}
			continue
		}
		if err := writeFile(x.file, b.Bytes()); err != nil {
			return err
		}
	}
	return nil
}

func writeFile(path string, data []byte) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name()) // the first error is the one to tell
		}
	}()
	if _, err := f.Write(data); err != nil {
		_ = f.Close()
		return err
	}
	if err := f.Chmod(0o644); err != nil {
		_ = f.Close()
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// list is a flag that may be given several times.
type list []string

func (l *list) String() string { return "" }

func (l *list) Set(s string) error {
	*l = append(*l, s)
	return nil
}
