package provenance

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/strictjson"
)

const (
	lockOp = "read lock file"
	// MaxLockFile bounds a lock file, in bytes.
	MaxLockFile = 64 << 20
)

// LockFile reads what a build was pinned to, as materials for [WithMaterials]. What is
// read is told by the base of the name:
//
//   - go.sum: modules and their go.mod files; the "h1:" sums as dirHash.
//   - package-lock.json, npm-shrinkwrap.json (lockfileVersion 1 to 3): packages from
//     registries, the integrity as sha512, sha384, sha256 or sha1; git repositories by
//     commit.
//   - requirements.txt and *-requirements.txt of pip: what is pinned with "==" and has
//     --hash; every hash that pip would accept is a material of its own, as any one of
//     them may have been taken.
//   - Cargo.lock (version 1 to 4): crates from registries, by their checksums; those of
//     others than crates.io with the qualifier repository_url. Git repositories by commit.
//   - pom.lock.json and lockfile.json of maven-lockfile: artifacts of dependencies, plugins
//     and extensions by their checksums; not its POMs.
//   - verification-metadata.xml of Gradle: artifacts by their checksums.
//
// Each material is a package URL, or the address of a git repository, with the digests that the file has. What the file does
// not pin by a digest is left out, and counted in the second result: a lock file that
// pins half of a build shows half of it. A lock file says what was allowed, not what
// was used; that a module is in go.sum does not make it a part of the program.
//
// A name that is none of these is [assay.ErrUnchecked], a file that breaks its form
// [assay.ErrInvalid], one larger than [MaxLockFile] [assay.ErrBound].
func LockFile(name string, data []byte) (materials []assay.Resource, unpinned int, err error) {
	if len(data) > MaxLockFile {
		return nil, 0, &assay.Error{Op: lockOp, Kind: assay.ErrBound, Subject: name, Value: fmt.Sprint(len(data)), Bound: fmt.Sprint(MaxLockFile)}
	}
	l := &lockReader{name: name}
	switch base := path.Base(strings.ReplaceAll(name, `\`, "/")); {
	case base == "go.sum":
		err = l.goSum(data)
	case base == "package-lock.json", base == "npm-shrinkwrap.json":
		err = l.npm(data)
	case base == "requirements.txt", strings.HasSuffix(base, "-requirements.txt"):
		err = l.pip(data)
	case base == "Cargo.lock":
		err = l.cargo(data)
	case base == "pom.lock.json", base == "lockfile.json":
		err = l.maven(data)
	case base == "verification-metadata.xml":
		err = l.gradle(data)
	default:
		return nil, 0, &assay.Error{Op: lockOp, Kind: assay.ErrUnchecked, Subject: name, Bound: "a lock file that is known by its name"}
	}
	if err != nil {
		return nil, 0, err
	}
	return dropSame(l.out), l.unpinned, nil
}

// dropSame sorts materials, and keeps each once.
func dropSame(list []assay.Resource) []assay.Resource {
	slices.SortFunc(list, func(a, b assay.Resource) int {
		if c := strings.Compare(a.URI, b.URI); c != 0 {
			return c
		}
		return slices.CompareFunc(a.Digest, b.Digest, assay.Digest.Compare)
	})
	return slices.CompactFunc(list, func(a, b assay.Resource) bool { return a.URI == b.URI && slices.Equal(a.Digest, b.Digest) })
}

type lockReader struct {
	name     string
	out      []assay.Resource
	unpinned int
}

func (l *lockReader) bad(field, value, bound string, err error) error {
	return &assay.Error{Op: lockOp, Kind: assay.ErrInvalid, Subject: l.name, Field: field, Value: value, Bound: bound, Err: err}
}

// add takes one package with its digests; without any it is counted as not pinned.
func (l *lockReader) add(field string, parts assay.PURLParts, digests ...assay.Digest) error {
	if len(digests) == 0 {
		l.unpinned++
		return nil
	}
	p, err := assay.NewPURL(parts)
	if err != nil {
		return l.bad(field, parts.Name, "a package URL", err)
	}
	slices.SortFunc(digests, assay.Digest.Compare)
	l.out = append(l.out, assay.Resource{URI: p.String(), Digest: digests})
	return nil
}

// goSum: go.dev/ref/mod#go-sum-files.
func (l *lockReader) goSum(data []byte) error {
	n := 0
	return l.lines(data, func(line string) error {
		n++
		f := strings.Fields(line)
		if len(f) == 0 {
			return nil
		}
		field := fmt.Sprintf("line %d", n)
		if len(f) != 3 {
			return l.bad(field, line, "module, version and sum", nil)
		}
		sum, ok := strings.CutPrefix(f[2], "h1:")
		raw, err := base64.StdEncoding.Strict().DecodeString(sum)
		if !ok || err != nil || len(raw) != 32 {
			return l.bad(field, f[2], "an h1: sum", err)
		}
		d, err := assay.NewDigest(assay.DirHash, hex.EncodeToString(raw))
		if err != nil {
			return l.bad(field, f[2], "an h1: sum", err)
		}
		version, isMod := strings.CutSuffix(f[1], "/go.mod")
		at, base := path.Split(f[0])
		parts := assay.PURLParts{Type: "golang", Namespace: strings.TrimSuffix(at, "/"), Name: base, Version: version}
		if isMod {
			parts.Subpath = "go.mod"
		}
		return l.add(field, parts, d)
	})
}

func (l *lockReader) lines(data []byte, each func(string) error) error {
	sc := bufio.NewScanner(bytes.NewReader(data))
	sc.Buffer(nil, 1<<20)
	for sc.Scan() {
		if err := each(sc.Text()); err != nil {
			return err
		}
	}
	if err := sc.Err(); err != nil {
		return l.bad("", "", "lines of at most 1 MiB", err)
	}
	return nil
}

type npmPackage struct {
	Version      string                `json:"version"`
	Integrity    string                `json:"integrity"`
	Dependencies map[string]npmPackage `json:"dependencies"`
}

// npm: docs.npmjs.com/cli/configuring-npm/package-lock-json.
func (l *lockReader) npm(data []byte) error {
	var doc struct {
		LockfileVersion int `json:"lockfileVersion"`
		Packages        map[string]struct {
			Version   string `json:"version"`
			Resolved  string `json:"resolved"`
			Integrity string `json:"integrity"`
			Link      bool   `json:"link"`
			Name      string `json:"name"`
		} `json:"packages"`
		Dependencies map[string]npmPackage `json:"dependencies"`
	}
	if err := strictjson.Unmarshal(l.name, data, &doc, strictjson.Limits{MaxBytes: MaxLockFile}); err != nil {
		return err
	}
	if doc.LockfileVersion < 1 || doc.LockfileVersion > 3 {
		return l.bad("/lockfileVersion", fmt.Sprint(doc.LockfileVersion), "1, 2 or 3", nil)
	}
	if doc.LockfileVersion == 1 {
		return l.npmTree("/dependencies", doc.Dependencies)
	}
	for _, at := range slices.Sorted(maps.Keys(doc.Packages)) {
		p := doc.Packages[at]
		i := strings.LastIndex(at, "node_modules/")
		if i < 0 || p.Link {
			continue // the project itself, or a folder of its workspace
		}
		name := at[i+len("node_modules/"):]
		if p.Name != "" {
			name = p.Name // an alias
		}
		field := "/packages/" + escape(at)
		if p.Integrity == "" && strings.HasPrefix(p.Resolved, "git+") {
			if err := l.git(field+"/resolved", p.Resolved, false); err != nil {
				return err
			}
			continue
		}
		if err := l.npmAdd(field, name, p.Version, p.Integrity); err != nil {
			return err
		}
	}
	return nil
}

func (l *lockReader) npmTree(field string, deps map[string]npmPackage) error {
	for _, name := range slices.Sorted(maps.Keys(deps)) {
		p := deps[name]
		at := field + "/" + escape(name)
		if p.Integrity == "" && strings.HasPrefix(p.Version, "git+") {
			if err := l.git(at+"/version", p.Version, false); err != nil {
				return err
			}
		} else if err := l.npmAdd(at, name, p.Version, p.Integrity); err != nil {
			return err
		}
		if err := l.npmTree(at+"/dependencies", p.Dependencies); err != nil {
			return err
		}
	}
	return nil
}

// git takes a source of the form "git+https://host/path?branch=main#commit". One without
// a commit is not pinned, nor one whose address leads nowhere. A whole one must be one.
func (l *lockReader) git(field, source string, whole bool) error {
	at, commit, _ := strings.Cut(source, "#")
	repository, err := publicURI(strings.TrimPrefix(at, "git+"))
	if err != nil || commit == "" {
		l.unpinned++
		return nil
	}
	d, err := assay.NewDigest(assay.GitCommit, commit)
	if err != nil && !whole {
		l.unpinned++ // a branch, or the start of a commit
		return nil
	}
	if err != nil {
		return l.bad(field, tellable(at)+"#"+commit, "a git commit", err)
	}
	l.out = append(l.out, assay.Resource{URI: "git+" + repository, Digest: assay.DigestSet{d}})
	return nil
}

// anyOf takes a package that may be one of several files: each is a material of its own.
func (l *lockReader) anyOf(field string, parts assay.PURLParts, digests []assay.Digest) error {
	if len(digests) < 2 {
		return l.add(field, parts, digests...)
	}
	qualifiers := parts.Qualifiers
	for _, d := range digests {
		// One URI has one digest; the qualifier tells the files of a release apart.
		parts.Qualifiers = mapWith(qualifiers, "checksum", d.String())
		if err := l.add(field, parts, d); err != nil {
			return err
		}
	}
	return nil
}

func (l *lockReader) npmAdd(field, name, version, integrity string) error {
	var digests []assay.Digest
	for _, s := range strings.Fields(integrity) {
		alg, text, ok := strings.Cut(s, "-")
		text, _, _ = strings.Cut(text, "?") // options (Subresource Integrity, section 3.5)
		raw, err := base64.StdEncoding.DecodeString(text)
		if !ok || err != nil {
			return l.bad(field+"/integrity", s, "algorithm-base64", err)
		}
		d, err := assay.NewDigest(assay.Algorithm(alg), hex.EncodeToString(raw))
		if err != nil {
			return l.bad(field+"/integrity", s, "sha512, sha384, sha256 or sha1", err)
		}
		digests = append(digests, d)
	}
	if strings.Contains(version, ":") {
		digests = nil // a URL or an alias where lockfileVersion 1 has a version
	}
	scope, base, scoped := strings.Cut(name, "/")
	if !scoped {
		scope, base = "", name
	}
	parts := assay.PURLParts{Type: "npm", Namespace: scope, Name: base, Version: version}
	if _, err := assay.NewDigestSet(digests...); err != nil { // two of one algorithm: either will do
		return l.anyOf(field, parts, digests)
	}
	return l.add(field, parts, digests...)
}

// pip: pip.pypa.io/en/stable/reference/requirements-file-format.
func (l *lockReader) pip(data []byte) error {
	var logical strings.Builder
	n := 0
	flush := func() error {
		line := logical.String()
		logical.Reset()
		if i := strings.Index(" "+line, " #"); i >= 0 {
			line = line[:i]
		}
		line = strings.TrimSpace(line)
		switch {
		case line == "":
			return nil
		case strings.HasPrefix(line, "-e"), strings.HasPrefix(line, "--editable"):
			l.unpinned++ // a folder, or the tip of a repository
			return nil
		case strings.HasPrefix(line, "-"):
			return nil // an option of the whole file, or another file
		}
		return l.requirement(fmt.Sprintf("line %d", n), line)
	}
	err := l.lines(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")), func(line string) error {
		n++
		more, continued := strings.CutSuffix(line, `\`)
		logical.WriteString(more)
		if continued {
			logical.WriteByte(' ')
			return nil
		}
		return flush()
	})
	if err != nil {
		return err
	}
	return flush()
}

func (l *lockReader) requirement(field, line string) error {
	spec, options, _ := strings.Cut(line, " --")
	spec, _, _ = strings.Cut(spec, ";")
	name, version, pinned := strings.Cut(spec, "==")
	name, _, _ = strings.Cut(name, "[")
	name, version = strings.TrimSpace(name), strings.TrimSpace(version)
	if !pinned || strings.ContainsAny(version, "*,= ") {
		l.unpinned++
		return nil
	}
	var digests []assay.Digest
	for o := range strings.SplitSeq("--"+options, "--") {
		text, ok := strings.CutPrefix(strings.TrimSpace(o), "hash")
		if !ok {
			continue
		}
		alg, sum, ok := strings.Cut(strings.TrimLeft(text, "= "), ":")
		d, err := assay.NewDigest(assay.Algorithm(alg), strings.TrimSpace(sum))
		if !ok || err != nil {
			return l.bad(field, o, "hash=algorithm:hex", err)
		}
		digests = append(digests, d)
	}
	return l.anyOf(field, assay.PURLParts{Type: "pypi", Name: name, Version: version}, digests)
}

// cargo: doc.rust-lang.org/cargo, "Cargo.lock".
func (l *lockReader) cargo(data []byte) error {
	var doc struct {
		Version  int `toml:"version"`
		Packages []struct {
			Name     string `toml:"name"`
			Version  string `toml:"version"`
			Source   string `toml:"source"`
			Checksum string `toml:"checksum"`
		} `toml:"package"`
		Metadata map[string]string `toml:"metadata"` // version 1: the checksums
	}
	if _, err := toml.NewDecoder(bytes.NewReader(data)).Decode(&doc); err != nil {
		return l.bad("", "", "TOML of a Cargo.lock", err)
	}
	if doc.Version > 4 || doc.Version < 0 {
		return l.bad("version", fmt.Sprint(doc.Version), "at most 4", nil)
	}
	for i, p := range doc.Packages {
		if p.Source == "" {
			continue // of the workspace itself
		}
		field := fmt.Sprintf("package %d", i)
		sum := p.Checksum
		if sum == "" {
			sum = doc.Metadata["checksum "+p.Name+" "+p.Version+" ("+p.Source+")"]
		}
		var digests []assay.Digest
		if sum != "" && sum != "<none>" {
			d, err := assay.NewDigest(assay.SHA256, sum)
			if err != nil {
				return l.bad(field+".checksum", sum, "a sha256 in hexadecimal", err)
			}
			digests = append(digests, d)
		} else if strings.HasPrefix(p.Source, "git+") {
			if err := l.git(field+".source", p.Source, true); err != nil {
				return err
			}
			continue
		}
		parts := assay.PURLParts{Type: "cargo", Name: p.Name, Version: p.Version}
		if !slices.Contains(cratesIO, p.Source) {
			// A crate of another registry is another crate, whatever its name.
			_, at, _ := strings.Cut(p.Source, "+")
			registry, err := publicURI(at)
			if err != nil {
				return l.bad(field+".source", "", "crates.io, or the address of a registry", nil)
			}
			parts.Qualifiers = map[string]string{"repository_url": registry}
		}
		if err := l.add(field, parts, digests...); err != nil {
			return err
		}
	}
	return nil
}

// cratesIO is the registry of its name, by its two protocols.
var cratesIO = []string{"registry+https://github.com/rust-lang/crates.io-index", "sparse+https://index.crates.io/"}

type mavenArtifact struct {
	GroupID    string          `json:"groupId"`
	ArtifactID string          `json:"artifactId"`
	Version    string          `json:"version"`
	Classifier string          `json:"classifier"`
	Type       string          `json:"type"`
	Selected   string          `json:"selectedVersion"`
	Included   *bool           `json:"included"`
	Algorithm  string          `json:"checksumAlgorithm"`
	Checksum   string          `json:"checksum"`
	Children   []mavenArtifact `json:"children"`
	Depends    []mavenArtifact `json:"dependencies"`
}

// maven: github.com/chains-project/maven-lockfile, the file that its plugin writes.
func (l *lockReader) maven(data []byte) error {
	var doc struct {
		Dependencies []mavenArtifact `json:"dependencies"`
		Plugins      []mavenArtifact `json:"mavenPlugins"`
		Extensions   []mavenArtifact `json:"mavenExtensions"`
	}
	if err := strictjson.Unmarshal(l.name, data, &doc, strictjson.Limits{MaxBytes: MaxLockFile}); err != nil {
		return err
	}
	var walk func(field string, list []mavenArtifact) error
	walk = func(field string, list []mavenArtifact) error {
		for i, a := range list {
			at := fmt.Sprintf("%s/%d", field, i)
			if a.Included != nil && !*a.Included && a.Selected != "" && a.Selected != a.Version {
				continue // another version was taken, and is in the file too
			}
			qualifiers := map[string]string{}
			if a.Classifier != "" {
				qualifiers["classifier"] = a.Classifier
			}
			if a.Type != "" && a.Type != "jar" {
				qualifiers["type"] = a.Type
			}
			var digests []assay.Digest
			if a.Checksum != "" {
				d, err := assay.NewDigest(plainAlgorithm(a.Algorithm), strings.ToLower(a.Checksum))
				if err != nil {
					return l.bad(at+"/checksum", a.Checksum, "a checksum of a known algorithm", err)
				}
				digests = append(digests, d)
			}
			if err := l.add(at, assay.PURLParts{Type: "maven", Namespace: a.GroupID, Name: a.ArtifactID, Version: a.Version, Qualifiers: qualifiers}, digests...); err != nil {
				return err
			}
			if err := walk(at+"/children", a.Children); err != nil {
				return err
			}
			if err := walk(at+"/dependencies", a.Depends); err != nil {
				return err
			}
		}
		return nil
	}
	if err := walk("/dependencies", doc.Dependencies); err != nil {
		return err
	}
	if err := walk("/mavenPlugins", doc.Plugins); err != nil {
		return err
	}
	return walk("/mavenExtensions", doc.Extensions)
}

// plainAlgorithm brings "SHA-256" to "sha256".
func plainAlgorithm(s string) assay.Algorithm {
	return assay.Algorithm(strings.ToLower(strings.ReplaceAll(s, "-", "")))
}

// gradle: docs.gradle.org/current/userguide/dependency_verification.html.
func (l *lockReader) gradle(data []byte) error {
	d := xml.NewDecoder(bytes.NewReader(data))
	d.Strict = true
	var component assay.PURLParts
	var inside []string
	var sums []assay.Digest // of the checksum that is open, any of which will do
	pinned := false
	for {
		t, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return l.bad("", "", "XML", err)
		}
		switch t := t.(type) {
		case xml.Directive:
			return l.bad("", "", "no document type", nil)
		case xml.StartElement:
			if inside = append(inside, t.Name.Local); len(inside) > 32 {
				return l.bad("", "", "at most 32 elements deep", nil)
			}
			attr := func(name string) string {
				for _, a := range t.Attr {
					if a.Name.Local == name {
						return a.Value
					}
				}
				return ""
			}
			switch t.Name.Local {
			case "artifact":
				component.Qualifiers = artifactQualifiers(attr("name"), component)
			case "component":
				component, pinned = assay.PURLParts{Type: "maven", Namespace: attr("group"), Name: attr("name"), Version: attr("version")}, false
			case "md5", "sha1", "sha256", "sha512":
				if !slices.Contains(inside, "artifact") {
					continue
				}
				sum, err := assay.NewDigest(assay.Algorithm(t.Name.Local), strings.ToLower(attr("value")))
				if err != nil {
					return l.bad(t.Name.Local, attr("value"), "a checksum", err)
				}
				pinned, sums = true, []assay.Digest{sum}
			case "also-trust":
				if len(sums) == 0 {
					continue
				}
				sum, err := assay.NewDigest(sums[0].Algorithm(), strings.ToLower(attr("value")))
				if err != nil {
					return l.bad(t.Name.Local, attr("value"), "a checksum", err)
				}
				sums = append(sums, sum)
			}
		case xml.EndElement:
			inside = inside[:len(inside)-1]
			switch t.Name.Local {
			case "component":
				if !pinned {
					l.unpinned++
				}
			case "md5", "sha1", "sha256", "sha512":
				if len(sums) > 0 {
					if err := l.anyOf("component", component, sums); err != nil {
						return err
					}
				}
				sums = nil
			}
		}
	}
	if len(inside) > 0 {
		return l.bad("", inside[len(inside)-1], "an end of every element", nil)
	}
	return nil
}

// artifactQualifiers tells the files of one component apart, as package URLs of type
// maven do: "app-1.0-sources.jar" is of type jar and classifier sources.
func artifactQualifiers(file string, p assay.PURLParts) map[string]string {
	rest, ok := strings.CutPrefix(file, p.Name+"-"+p.Version)
	ext := path.Ext(rest)
	if !ok || ext == "" {
		return map[string]string{"file_name": file}
	}
	q := map[string]string{"type": ext[1:]}
	if c := strings.TrimPrefix(strings.TrimSuffix(rest, ext), "-"); c != "" {
		q["classifier"] = c
	}
	return q
}
