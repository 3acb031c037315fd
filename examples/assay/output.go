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

// Set implements [flag.Value].
func (o *outputs) Set(s string) error {
	format, file, hasFile := strings.Cut(s, "=")
	if format == "" || hasFile && file == "" {
		return misused("want FORMAT or FORMAT=FILE")
	}
	for _, x := range *o {
		if x.file == file {
			return misused("a second output to the same place")
		}
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
			return nil, misused("-o: no format %q; there are %s", x.format, strings.Join(known, ", "))
		}
	}
	return o, nil
}

// write renders every output before the first byte of any is written.
func (o outputs) write(e env, render func(format string, w io.Writer) error) error {
	rendered := make([]bytes.Buffer, len(o))
	for i, x := range o {
		if err := render(x.format, &rendered[i]); err != nil {
			return err
		}
	}
	for i, x := range o {
		if x.file == "" {
			if _, err := e.stdout.Write(rendered[i].Bytes()); err != nil {
				return err
			}
		} else if err := writeFile(x.file, rendered[i].Bytes()); err != nil {
			return err
		}
	}
	return nil
}

// writeFile writes beside the file and renames: a reader sees all of it or none.
func writeFile(path string, data []byte) (err error) {
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	}
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return os.WriteFile(path, data, 0) // a device or a pipe is not to be replaced
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = f.Close() // the first error is the one to tell
			_ = os.Remove(f.Name())
		}
	}()
	if _, err := f.Write(data); err != nil {
		return err
	}
	if err := f.Chmod(0o644); err != nil { // CreateTemp's are for nobody else to read
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// repeated is a flag that may be given several times.
type repeated []string

func (r *repeated) String() string { return "" }

// Set implements [flag.Value].
func (r *repeated) Set(s string) error {
	*r = append(*r, s)
	return nil
}
