package npm

import (
	"bytes"
	"encoding/hex"
	"net/url"
	"strconv"
	"strings"

	"github.com/assaykit/assay"
)

// ParseYarn reads yarn.lock: of Yarn 1, or of later versions, which is YAML. The
// workspaces of the project itself are left out. The checksums of later versions are
// not of the package but of Yarn's own archive of it, so they are no integrity. The
// name is for errors, which are of kind [assay.ErrInvalid] or [assay.ErrBound].
func ParseYarn(name string, data []byte) (*Lock, error) {
	if bytes.HasPrefix(data, []byte("__metadata:")) || bytes.Contains(data, []byte("\n__metadata:")) {
		return yarnBerry(name, data)
	}
	return yarn1(name, data)
}

func yarnBerry(name string, data []byte) (*Lock, error) {
	b := newBuilder(name)
	var keys []string
	var p Locked
	flush := func() error {
		if len(keys) == 0 {
			return nil
		}
		ks := keys
		q := p
		keys, p = nil, Locked{}
		n, ref := splitPattern(q.Resolved)
		if strings.HasPrefix(ref, "workspace:") || strings.HasPrefix(ref, "link:") || strings.HasPrefix(ref, "portal:") {
			b.local(ks...)
			return nil
		}
		q.Name = n
		if v, ok := strings.CutPrefix(ref, "npm:"); ok {
			q.Resolved = ""
			if v, _, _ = strings.Cut(v, "::"); q.Version == "" {
				q.Version = v
			}
		} else {
			q.Resolved = ref
		}
		return b.add(q, ks...)
	}
	err := readYAML(name, data, func(path []string, value string) error {
		if len(path) == 1 {
			if err := flush(); err != nil {
				return err
			}
			if path[0] != "__metadata" {
				keys = patterns(path[0])
			}
			return nil
		}
		if len(keys) == 0 {
			return nil
		}
		switch {
		case len(path) == 2 && path[1] == "version":
			p.Version = value
		case len(path) == 2 && path[1] == "resolution":
			p.Resolved = value
		case len(path) == 3 && (path[1] == "dependencies" || path[1] == "optionalDependencies"):
			b.want(keys[0], path[1] == "optionalDependencies", path[2]+"@"+value, path[2]+"@npm:"+value)
		}
		return nil
	})
	if err == nil {
		err = flush()
	}
	if err != nil {
		return nil, err
	}
	return b.lock(), nil
}

// patterns splits the key of an entry, "a@^1, a@^2".
func patterns(key string) []string {
	var out []string
	for one := range strings.SplitSeq(key, ",") {
		if one = strings.TrimSpace(one); one != "" {
			out = append(out, one)
		}
	}
	return out
}

// splitPattern takes "name@range" apart; the name may have a scope.
func splitPattern(s string) (name, rest string) {
	if s == "" {
		return "", ""
	}
	i := strings.IndexByte(s[1:], '@')
	if i < 0 {
		return s, ""
	}
	return s[:i+1], s[i+2:]
}

// yarn1 reads the format of Yarn 1: entries of patterns and a colon, below them
// fields and values divided by a blank, indented by two, and below dependencies names
// and ranges, indented by four.
func yarn1(name string, data []byte) (*Lock, error) {
	b := newBuilder(name)
	var keys []string
	var p Locked
	var section string
	n := 0
	bad := func(value, want string) error {
		return &assay.Error{Op: "read yarn.lock", Kind: assay.ErrInvalid, Subject: name, Field: "line " + strconv.Itoa(n), Value: value, Bound: want}
	}
	flush := func() error {
		if len(keys) == 0 {
			return nil
		}
		ks, q := keys, p
		keys, p, section = nil, Locked{}, ""
		alias, ref := splitPattern(ks[0])
		if strings.HasPrefix(ref, "link:") {
			b.local(ks...)
			return nil
		}
		q.Name = alias
		for _, k := range ks {
			if _, ref := splitPattern(k); strings.HasPrefix(ref, "npm:") {
				if real, _ := splitPattern(ref[4:]); ValidName(real) {
					q.Name = real
				}
			}
		}
		// Before it had integrity the digest was the fragment of the URL.
		if u, frag, ok := strings.Cut(q.Resolved, "#"); ok && len(frag) == 40 && strings.HasSuffix(u, ".tgz") {
			if _, err := hex.DecodeString(frag); err == nil {
				q.Resolved = u
				if len(q.Integrity) == 0 {
					if d, err := assay.NewDigest(assay.SHA1, frag); err == nil {
						q.Integrity = assay.DigestSet{d}
					}
				}
			}
		}
		return b.add(q, ks...)
	}
	for line := range strings.Lines(strings.TrimPrefix(string(data), "\xef\xbb\xbf")) {
		n++
		line = strings.TrimRight(line, " \r\n")
		text := strings.TrimLeft(line, " ")
		if text == "" || text[0] == '#' {
			continue
		}
		switch indent := len(line) - len(text); {
		case indent == 0:
			if err := flush(); err != nil {
				return nil, err
			}
			list, ok := strings.CutSuffix(text, ":")
			if !ok {
				return nil, bad(text, "an entry that ends in a colon")
			}
			for rest := list; ; {
				var one string
				if one, rest, ok = yarnWord(rest); !ok || one == "" {
					return nil, bad(text, "patterns divided by commas")
				}
				keys = append(keys, one)
				if rest = strings.TrimLeft(rest, " "); rest == "" {
					break
				}
				if rest, ok = strings.CutPrefix(rest, ","); !ok {
					return nil, bad(text, "patterns divided by commas")
				}
				rest = strings.TrimLeft(rest, " ")
			}
		case len(keys) == 0:
			return nil, bad(text, "an entry before its fields")
		case indent == 2:
			if s, ok := strings.CutSuffix(text, ":"); ok && !strings.Contains(s, " ") {
				section = strings.Trim(s, `"`)
				continue
			}
			section = ""
			field, rest, ok := yarnWord(text)
			value, after, found := yarnWord(strings.TrimLeft(rest, " "))
			if !ok || !found || rest == "" || strings.TrimSpace(after) != "" && field != "integrity" {
				return nil, bad(text, "a field and its value")
			}
			switch field {
			case "version":
				p.Version = value
			case "resolved":
				p.Resolved = value
			case "integrity":
				p.Integrity = ParseIntegrity(strings.Trim(strings.TrimSpace(rest), `"`))
			}
		case indent == 4 && section != "":
			dep, rest, ok := yarnWord(text)
			value, _, found := yarnWord(strings.TrimLeft(rest, " "))
			if !ok || !found || rest == "" {
				return nil, bad(text, "a name and a range")
			}
			if section == "dependencies" || section == "optionalDependencies" {
				b.want(keys[0], section == "optionalDependencies", dep+"@"+value)
			}
		default:
			return nil, bad(text, "an indentation of 0, 2 or 4")
		}
	}
	if err := flush(); err != nil {
		return nil, err
	}
	return b.lock(), nil
}

// yarnWord reads a word, or a text in quotes as JSON has them.
func yarnWord(s string) (word, rest string, ok bool) {
	if !strings.HasPrefix(s, `"`) {
		i := strings.IndexAny(s, " ,")
		if i < 0 {
			i = len(s)
		}
		return s[:i], s[i:], true
	}
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			w, err := strconv.Unquote(s[:i+1])
			return w, s[i+1:], err == nil
		}
	}
	return "", "", false
}

// isRegistry reports whether a package came from the public registry, under either
// of its names.
func isRegistry(resolved string) bool {
	u, err := url.Parse(resolved)
	return err == nil && u.Scheme == "https" && (u.Host == "registry.npmjs.org" || u.Host == "registry.yarnpkg.com")
}
