package catalog

import (
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/assaykit/assay"
)

const (
	// maxURL is the longest URL that is taken over, in bytes: what servers read.
	maxURL = 2048
	// maxComment is the longest label of one, in bytes.
	maxComment = 128
	// maxReferences is how many references of one component are kept.
	maxReferences = 64
)

// schemes are those of the places that metadata points to. Others, such as file and
// javascript, lead nowhere or somewhere else for whoever reads the SBOM.
var schemes = []string{"https", "http", "git", "git+https", "git+http", "git+ssh", "ssh", "ftp", "svn", "svn+ssh", "hg+https", "hg+http", "bzr+https"}

// link gives an absolute URL of a place in a network, as it is stated, "" for anything
// else. One with a password, or with a user where anybody may read, is not taken over:
// it could be a secret that was left there.
func link(s string) string {
	s = strings.TrimSpace(s)
	if s == "" || len(s) > maxURL || !urlText(s) {
		return ""
	}
	if isPlainURL(s) {
		return s
	}
	u, err := url.Parse(s)
	if err != nil || u.Hostname() == "" || !slices.Contains(schemes, u.Scheme) {
		return ""
	}
	if u.User != nil {
		if _, secret := u.User.Password(); secret || !strings.HasSuffix(u.Scheme, "ssh") && u.Scheme != "git" {
			return ""
		}
	}
	return s
}

// isPlainURL recognizes most URLs without taking them apart: of a host without user and
// port, with nothing that is escaped.
func isPlainURL(s string) bool {
	rest, ok := strings.CutPrefix(s, "https://")
	if !ok || rest == "" || rest[0] == '/' {
		return false
	}
	host := true
	for i := range len(rest) {
		switch c := rest[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '.', c == '-':
		case c == '/':
			host = false
		case !host && (c == '_' || c == '~' || c == '@' || c == '+'):
		default:
			return false
		}
	}
	return true
}

// urlText reports whether a text can be a URL as far as its letters go.
func urlText(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case c >= utf8.RuneSelf:
			return utf8.ValidString(s[i:]) && !strings.ContainsFunc(s[i:], noURL)
		case c <= ' ', c == 0x7f, c == '<', c == '>', c == '"', c == '\\', c == '^', c == '`', c == '{', c == '|', c == '}':
			return false
		}
	}
	return true
}

func noURL(r rune) bool {
	return r <= ' ' || strings.ContainsRune("<>\"\\^`{|}", r) || unicode.IsControl(r) || unicode.IsSpace(r) || unicode.Is(unicode.Cf, r)
}

// remote makes a URL of "user@host:path", as Git takes it for ssh (git-clone(1), Git
// URLs).
func remote(s string) string {
	user, rest, ok := strings.Cut(s, "@")
	host, path, found := strings.Cut(rest, ":")
	if !ok || !found || !strings.Contains(host, ".") || strings.HasPrefix(path, "/") || strings.ContainsAny(user, "/:") || strings.Contains(host, "/") {
		return s
	}
	return "ssh://" + user + "@" + host + "/" + path
}

// repository gives the URL of a repository of a version control system: Git's short
// form of ssh, and Maven's "scm:git:URL" (maven.apache.org/scm, SCM URL format), become
// URLs.
func repository(s string) string {
	s = strings.TrimSpace(s)
	if rest, ok := strings.CutPrefix(s, "scm:"); ok {
		if _, s, ok = strings.Cut(rest, ":"); !ok {
			return ""
		}
	}
	return link(remote(s))
}

// refer adds a reference, and reports whether s is a URL that can be one.
func refer(c *assay.Component, t assay.ReferenceType, s, comment string) bool {
	if t == assay.RefVCS {
		s = repository(s)
	} else {
		s = link(s)
	}
	if s == "" {
		return false
	}
	if len(comment) > maxComment || strings.ContainsFunc(comment, unicode.IsControl) {
		comment = ""
	}
	addReferences(c, assay.Reference{Type: t, URL: s, Comment: strings.ToValidUTF8(comment, "\uFFFD")})
	return true
}

// addReferences adds those that are not there.
func addReferences(c *assay.Component, list ...assay.Reference) {
	for _, r := range list {
		if len(c.References) < maxReferences && !slices.ContainsFunc(c.References, func(o assay.Reference) bool { return o.Compare(r) == 0 }) {
			c.References = append(c.References, r)
		}
	}
}

// referOr adds a reference, or where s is no URL that can be one a property, so that
// what was stated is not lost.
func referOr(c *assay.Component, t assay.ReferenceType, s, property string) {
	if !refer(c, t, s, "") && printable(s) {
		c.Properties = withProperty(c.Properties, property, s)
	}
}

// printable reports whether a text is one line, and none that may have a user or a
// password in it.
func printable(s string) bool {
	return len(s) <= maxURL && !strings.Contains(s, "@") && !strings.ContainsFunc(s, unicode.IsControl)
}

// meant gives the type that a project's label for a link means, "" for an unknown one:
// the well-known labels of Python (packaging.python.org, Well-known Project URLs in
// Metadata), which the keys of a gem's metadata consist of too (guides.rubygems.org,
// Specification reference), and those of Composer's support.
func meant(label string) assay.ReferenceType {
	switch label {
	case "homepage", "home", "website":
		return assay.RefWebsite
	case "source", "repository", "sourcecode", "github", "code":
		return assay.RefVCS
	case "download":
		return assay.RefDistribution
	case "changelog", "changes", "whatsnew", "history", "releasenotes":
		return "release-notes"
	case "documentation", "docs", "wiki":
		return assay.RefDocumentation
	case "issues", "issue", "bugs", "tracker", "issuetracker", "bugtracker":
		return assay.RefIssueTracker
	case "mailinglist":
		return "mailing-list"
	case "chat", "irc":
		return "chat"
	case "support", "forum":
		return "support"
	case "security", "advisories":
		return assay.RefAdvisories
	}
	return ""
}

// labeled adds a reference of the type that a label means, of type other with the
// label for one that is not known.
func labeled(c *assay.Component, label, s string) {
	known := strings.ToLower(strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || unicode.IsPunct(r) || unicode.IsSymbol(r) {
			return -1
		}
		return r
	}, label))
	if t := meant(known); t != "" {
		refer(c, t, s, "")
		return
	}
	refer(c, assay.RefOther, s, strings.TrimSpace(label))
}
