package npm

import (
	"strings"

	"github.com/assaykit/assay"
)

// maxLocked bounds the packages of one lock file; the largest known have some ten
// thousands.
const maxLocked = 500_000

// ParsePnpm reads pnpm-lock.yaml, or node_modules/.pnpm/lock.yaml, of lockfileVersion
// 5 to 9. A package that is resolved several times, for different peers, is one. The
// name is for errors, which are of kind [assay.ErrInvalid] or [assay.ErrBound].
func ParsePnpm(name string, data []byte) (*Lock, error) {
	b := newBuilder(name)
	version := ""
	type pending struct {
		key                     string
		name, version, resolved string
		commit, integrity       string
		dev                     bool
	}
	cur := pending{}
	var some bool // anything but comments
	flush := func() error {
		if cur.key == "" {
			return nil
		}
		n, v := pnpmPath(cur.key, version)
		if cur.name != "" {
			n = cur.name
		}
		if cur.version != "" {
			v = cur.version
		}
		p := Locked{Name: n, Version: v, Resolved: cur.resolved, Integrity: ParseIntegrity(cur.integrity), Dev: cur.dev}
		if p.Resolved != "" && cur.commit != "" {
			p.Resolved += "#" + cur.commit
		}
		if v == "" {
			p.Name = "" // nothing says which version
		}
		key := cur.key
		cur = pending{}
		return b.add(p, key, pnpmKey(key, version))
	}
	err := readYAML(name, data, func(path []string, value string) error {
		if len(path) == 0 || path[0] != "packages" || len(path) > 1 && path[1] != cur.key {
			if err := flush(); err != nil {
				return err
			}
		}
		some = some || len(path) > 0
		switch {
		case len(path) == 0:
			version = ""
		case path[0] == "lockfileVersion":
			version = value
		case path[0] == "packages" && len(path) == 2:
			cur.key = path[1]
		case path[0] == "packages" && len(path) == 3:
			switch path[2] {
			case "name":
				cur.name = value
			case "version":
				cur.version = value
			case "dev":
				cur.dev = value == "true"
			}
		case (path[0] == "packages" || path[0] == "snapshots") && len(path) == 4:
			switch path[2] {
			case "resolution":
				switch path[3] {
				case "integrity":
					cur.integrity = value
				case "tarball", "repo", "directory":
					cur.resolved = value
				case "commit":
					cur.commit = value
				}
			case "dependencies", "optionalDependencies":
				// Of the form of a key, or of a version of that name.
				from := path[1]
				b.want(pnpmKey(from, version), path[2] == "optionalDependencies", pnpmWanted(path[3], value, version)...)
			}
		}
		return nil
	})
	if err == nil {
		err = flush()
	}
	if err != nil {
		return nil, err
	}
	if some && version == "" {
		return nil, &assay.Error{Op: "read lock file", Kind: assay.ErrInvalid, Subject: name, Field: "lockfileVersion", Bound: "a version"}
	}
	return b.lock(), nil
}

// pnpmOld tells the versions whose keys have a slash before the version.
func pnpmOld(version string) bool {
	major, _, _ := strings.Cut(version, ".")
	switch major {
	case "", "6", "7", "8", "9":
		return false
	}
	return true
}

// pnpmPath takes name and version out of a key of "packages". Each is "" where the
// key does not tell it.
func pnpmPath(key, version string) (name, v string) {
	key = pnpmKey(key, version)
	switch {
	case pnpmOld(version):
		// "[host]/name/version" or "[host]/@scope/name/version".
		switch parts := strings.Split(key, "/"); {
		case len(parts) == 3:
			return valid(parts[1], parts[2])
		case len(parts) == 4 && strings.HasPrefix(parts[1], "@"):
			return valid(parts[1]+"/"+parts[2], parts[3])
		}
		return "", ""
	case strings.HasPrefix(version, "6") || strings.HasPrefix(version, "7"):
		// "[host]/name@version" or "[host]/@scope/name@version".
		_, key, _ = strings.Cut(key, "/")
	}
	name, v = splitPattern(key)
	return valid(name, v)
}

// valid leaves out what can be no name or no version of a package.
func valid(name, version string) (string, string) {
	if !ValidName(name) {
		return "", ""
	}
	if version == "" || version[0] < '0' || version[0] > '9' || strings.ContainsAny(version, "/:") {
		version = ""
	}
	return name, version
}

// pnpmKey is a key without the peers it was resolved for.
func pnpmKey(key, version string) string {
	if pnpmOld(version) {
		// "/name/version_peers"; a name may have underscores too.
		at := strings.LastIndexByte(key, '/')
		if strings.HasPrefix(key, "file:") {
			return key
		}
		// Peers hold slashes only as "+".
		if i := strings.IndexByte(key[at+1:], '_'); i >= 0 {
			return key[:at+1+i]
		}
		return key
	}
	if i := strings.IndexByte(key, '('); i > 0 {
		return key[:i]
	}
	return key
}

// pnpmWanted are the keys that a dependency may have.
func pnpmWanted(name, value, version string) []string {
	if pnpmOld(version) {
		return []string{pnpmKey("/"+name+"/"+value, version), pnpmKey(value, version)}
	}
	value = pnpmKey(value, version)
	return []string{name + "@" + value, "/" + name + "@" + value, value}
}
