package assay

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"unicode/utf8"

	packageurl "github.com/package-url/packageurl-go"
)

// Here is what packageurl-go leaves open or does otherwise than the specification
// and its test suite.

const typeGit = "git" // not among packageurl-go's types

var errNotUTF8 = errors.New("a part is not UTF-8")

// canonicalPURL applies the rules below to what packageurl-go has normalized. The
// source is for error messages.
func canonicalPURL(source string, p packageurl.PackageURL) (PURL, error) {
	if p.Type == typeGit {
		if err := splitGit(&p); err != nil {
			return PURL{}, invalidPURL(source, err)
		}
	}
	if p.Subpath != "" {
		segments := strings.FieldsFunc(p.Subpath, func(r rune) bool { return r == '/' })
		for _, s := range segments {
			// A subpath that climbs out of the package is somebody's attempt, and
			// dropping the dots would name another file than was written.
			if s == "." || s == ".." {
				return PURL{}, invalidPURL(source, fmt.Errorf("segment %q in the subpath", s))
			}
		}
		p.Subpath = strings.Join(segments, "/")
	}
	return PURL{p.ToString()}, nil
}

// splitName takes "namespace/name" apart, encoded or not. The name is the last
// segment; in a git purl it is all that follows the host (git-definition.json).
func splitName(typ, path string) (namespace, name string) {
	i := strings.LastIndexByte(path, '/')
	if typ == typeGit {
		i = strings.IndexByte(path, '/')
	}
	if i < 0 {
		return "", path
	}
	return path[:i], path[i+1:]
}

// splitGit moves all but the last segment of a git purl to the namespace, because
// packageurl-go writes the separators there and encodes those in a name.
func splitGit(p *packageurl.PackageURL) error {
	path := strings.FieldsFunc(p.Namespace+"/"+p.Name, func(r rune) bool { return r == '/' })
	if len(path) < 2 {
		return errors.New("a git purl needs a host and a path")
	}
	last := len(path) - 1
	p.Namespace, p.Name = strings.Join(path[:last], "/"), path[last]
	return nil
}

// foldGit brings a git path to lower case where the host takes both spellings for
// the same repository. "github" and "bitbucket" are what the purl types of these
// names use.
func foldGit(p *packageurl.PackageURL) {
	if p.Type != typeGit {
		return
	}
	host, _, _ := strings.Cut(strings.Trim(p.Namespace, "/"), "/")
	switch strings.ToLower(host) {
	case "github", "github.com", "bitbucket", "bitbucket.org", "gitlab.com", "codeberg.org":
		p.Namespace, p.Name = strings.ToLower(p.Namespace), strings.ToLower(p.Name)
	}
}

// checkSpelling refuses in the text of a purl what is lost once it is parsed.
func checkSpelling(s, typ string) error {
	if err := checkText(s); err != nil {
		return err
	}
	s, _, _ = strings.Cut(s, "#")
	_, qualifiers, _ := strings.Cut(s, "?")
	for pair := range strings.SplitSeq(qualifiers, "&") {
		key, _, _ := strings.Cut(pair, "=")
		if lower := strings.ToLower(key); key != lower && !anyCase(lower) {
			return fmt.Errorf("qualifier key %q is not in lower case (type %s)", key, typ)
		}
	}
	return nil
}

// anyCase reports keys that are read in any case. The specification wants lower
// case of all keys, and its test suite reads repository_url in any; the keys that
// it defines for all types are treated alike.
func anyCase(key string) bool {
	switch key {
	case "repository_url", "download_url", "vcs_url", "file_name", "checksum", "vers":
		return true
	}
	return false
}

// checkText refuses what would make different purls equal: bytes that are not
// UTF-8, which become one replacement character where case is folded, and an
// encoded slash in a segment of namespace or subpath, which becomes a separator.
func checkText(s string) error {
	if !utf8.ValidString(decode(s)) {
		return errNotUTF8
	}
	if !strings.Contains(s, "%2F") && !strings.Contains(s, "%2f") {
		return nil
	}
	path, subpath, _ := strings.Cut(s, "#")
	path, _, _ = strings.Cut(path, "?")
	if i := strings.LastIndexByte(path, '@'); i > 0 {
		path = path[:i]
	}
	namespace := path[:strings.LastIndexByte(path, '/')+1]
	for _, part := range [...]string{namespace, subpath} {
		if strings.Contains(part, "%2F") || strings.Contains(part, "%2f") {
			return errors.New("an encoded slash in a segment of namespace or subpath")
		}
	}
	return nil
}

// decode takes off the percent-encoding.
func decode(s string) string {
	if strings.IndexByte(s, '%') < 0 {
		return s
	}
	v, err := url.PathUnescape(s)
	if err != nil { // it was parsed before: its escapes are whole
		return s
	}
	return v
}
