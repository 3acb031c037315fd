package dpkg

import (
	"iter"
	"strings"
)

// ListFiles gives the paths, without a leading slash, of a package's info/*.list
// file (dpkg-query --listfiles): folders among them. The root itself is left out.
func ListFiles(list string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for line := range strings.Lines(list) {
			if p := cleanPath(strings.TrimRight(line, "\r\n")); p != "" && !yield(p) {
				return
			}
		}
	}
}

// SumFiles gives the paths of a package's md5sums file (deb-md5sums(5)), which
// lists regular files only, configuration files excepted.
func SumFiles(sums string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for line := range strings.Lines(sums) {
			line = strings.TrimRight(line, "\r\n")
			if len(line) < 34 || line[32] != ' ' {
				continue
			}
			if p := cleanPath(line[34:]); p != "" && !yield(p) {
				return
			}
		}
	}
}

// CheckList reports a list that dpkg would refuse: one with an empty line, with a path
// that is no path of a file, or without a line break at its end, because it was cut. It
// gives the list without what was cut.
func CheckList(list string) (string, error) {
	n, at := 0, 0
	var err error
	for line := range strings.Lines(list) {
		n++
		name, ended := strings.CutSuffix(line, "\n")
		switch {
		case !ended:
			return list[:at], invalid(n, line, "a line break at the end of the file, which was cut")
		case err == nil && (name == "" || strings.IndexByte(name, 0) >= 0):
			err = invalid(n, name, "the path of a file")
		}
		at += len(line)
	}
	return list, err
}

// CheckSums is CheckList for md5sums files. Their makers are many, so blank lines, and
// a last line without its break, are none of the offences.
func CheckSums(sums string) error {
	n := 0
	for line := range strings.Lines(sums) {
		n++
		line = strings.TrimRight(line, "\r\n")
		if line != "" && (len(line) < 35 || line[32] != ' ' || strings.Trim(line[:32], "0123456789abcdef") != "" || strings.IndexByte(line, 0) >= 0) {
			return invalid(n, line, "a digest and the path of a file")
		}
	}
	return nil
}

// Diversion says that the file From of every package but Owner is stored as To
// (dpkg-divert(1)).
type Diversion struct{ From, To, Owner string }

// ParseDiversions reads var/lib/dpkg/diversions: path, new path and package on three
// lines each; the package is ":" for a diversion that the administrator made. An
// incomplete last record is ignored.
func ParseDiversions(data string) []Diversion {
	lines := strings.Split(data, "\n")
	var out []Diversion
	for i := 0; i+2 < len(lines); i += 3 {
		d := Diversion{cleanPath(lines[i]), cleanPath(lines[i+1]), strings.TrimSpace(lines[i+2])}
		if d.From != "" && d.To != "" && d.Owner != "" {
			out = append(out, d)
		}
	}
	return out
}

func cleanPath(p string) string {
	p = strings.TrimPrefix(p, "./")
	p = strings.Trim(p, "/")
	if p == "." {
		return ""
	}
	return p
}
