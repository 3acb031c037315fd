package sbom

import (
	"cmp"
	"context"
	"log/slog"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/layers"
	"github.com/assaykit/assay/sbom/internal/catalog"
)

// Scan reads an image once and gives its SBOM with all that it saw on the way.
//
// # What is found
//
// Packages of dpkg (var/lib/dpkg/status and status.d), of apk, and of rpm, pacman and
// opkg, modules of Go
// executables (any ELF, PE or Mach-O file with build information, whatever its
// name and mode), and packages of npm that are installed in a node_modules folder;
// and the distribution (os-release). Only the merged file system counts: what an
// upper layer removed is in [Contents.History].
//
//   - A Debian package is a component in every state in which its files are on
//     disk; a state other than installed is the property "assay:deb:state".
//     Removed packages whose configuration is left (config-files) are none.
//     Licences are those of the copyright file: SPDX expressions where it is
//     machine-readable, otherwise names of the texts that it refers to.
//   - Packages of rpm are those of the databases in var/lib/rpm,
//     usr/lib/sysimage/rpm and usr/share/rpm, of all three formats (Berkeley DB, ndb,
//     SQLite with its write-ahead log). The version has the epoch, the package URL
//     has it as a qualifier; its namespace is the distribution, but "redhat", "suse"
//     and "opensuse" for those vendors' own. Each header is compared with the digest
//     that came with it; signatures are named ("assay:rpm:signatures") and not
//     verified. Keys (gpg-pubkey) are no components.
//   - Packages of pacman are those of var/lib/pacman/local, of opkg those of
//     status in usr/lib/opkg or var/lib/opkg, or its control files if there is no
//     status.
//   - A database that cannot be read to its end, or a record of it, is in
//     [Contents.Skipped], with the packages that could be read beside it as
//     components, and the ecosystem is incomplete. So is dpkg's own status file, and
//     apk's, if it does not end with a line break: it was cut, and its last line does
//     not count. Where it was cut between two lines nothing shows that.
//   - An executable that lacks parts that its headers tell, or that an upper layer
//     replaced by something that is neither an executable nor an archive, is in
//     [Contents.Skipped] too; what the lower layer had in its place is no component, and
//     no history, because nobody knows what of it is left. So are archives.
//   - A Go executable is an application with its SHA-256 digest; it depends on its
//     main module, the modules linked in and the standard library
//     ("pkg:golang/stdlib@1.26.8"). A module that was replaced is the one that
//     replaced it ("assay:go:replaces" has the other). A main module that was built
//     from version control without a version has the pseudo-version of the
//     revision. The "h1:" sum is a hash of algorithm [assay.DirHash]. Executables
//     without build information are not seen; one that Go linked all the same, or
//     that is packed by UPX, is in [Contents.Skipped].
//   - An npm package is a package.json directly in a folder of node_modules, or of
//     a folder linked into one, that has a name and a version; dependencies are
//     resolved as Node.js does. Hashes are the integrity that a lock file has for
//     that folder and version: of the archive as published, and not compared with
//     the files; Yarn's checksums since version 2 are of other archives and left
//     out. A lock file alone makes no component, see [Options.LockFiles]. A
//     package.json beside a node_modules folder is an application; it has no package
//     URL if it is private. Archives in .yarn/cache and .yarn/berry/cache, out of which
//     Yarn's Plug'n'Play runs, are packages too ("assay:npm:archive"); what depends on
//     what is then in yarn.lock. The creator is the author that package.json names.
//   - A Python package is a dist-info or egg-info folder (or an egg-info file) with a
//     name and a version, wherever it lies; or a wheel or egg, whose SHA-256 digest it
//     then has ("assay:pypi:archive"), installed or not. Name and version are as
//     written, the name in the package URL is normalized (PEP 503). What was installed
//     from a URL says so ("assay:pypi:direct-url"; PEP 610) and has it in its package
//     URL. A dependency counts if its marker is true of the platform of the image and
//     of the interpreter whose folder it is, as far as that can be told; extras count
//     where another package asks for them. A virtual environment sees its own
//     packages only.
//   - A gem is a specification that RubyGems wrote ("specifications/NAME.gemspec", in
//     default too), or that of a gem that Bundler checked out, if it says name and
//     version plainly; Ruby is not run. Its digest is that of the .gem file in the
//     cache folder beside it, if that is left. A dependency is the newest gem that
//     meets it, in any folder of gems.
//   - A Composer package is one of vendor/composer/installed.json whose folder is
//     there; where an upper layer removed that, it is history. Several licences of it
//     are a choice; those of a gem are listed one by one.
//   - A Java archive (jar, war, ear, Jenkins plugin) is known by what is in it: Maven
//     coordinates, else the manifest, else the name of its file; the property
//     "assay:java:evidence" says which. Without a group, stated or implied by the name
//     of its bundle or module, it has no package URL. It has the SHA-1 and SHA-256
//     digests of its bytes. Archives in it, 16 deep, and projects merged into it are
//     contained in it; their location is "app.jar!/lib/inner.jar". What its pom.xml
//     lists is a dependency if it is in the same archive or folder.
//   - A .NET library is one that a NAME.deps.json lists for the target that runs, and
//     of which a file is there; the SHA-512 digest is of the package as published. The
//     runtime that comes with a program is one of them. Projects have no package URL.
//   - A Rust executable that cargo-auditable built is an application with its SHA-256
//     digest, and the crates in it with their dependencies. Crates that ran at build
//     time only are the property "assay:cargo:build-dependencies".
//   - Programs that no distribution's package installed are recognized by texts that
//     their source puts into them, whatever their name: node, python, ruby, php, perl,
//     openjdk, lua, luajit, nginx, httpd, postgresql, redis, memcached, haproxy,
//     mariadb, openssh, dropbear, busybox, bash, curl, git; and openssl, libcurl,
//     expat, zlib, libpng, sqlite and glibc, also where they are linked into another
//     one, which then contains them. Go and Java also say so in a file at the top of
//     their folder. They are "pkg:generic/NAME@VERSION" with a CPE. An executable that
//     carries a package note (ELF_PACKAGE_METADATA) is that package.
//   - An executable (ELF, PE, Mach-O; a script if somebody may execute it) that none of
//     all these has installed, is or explains is a component of type file with its
//     SHA-256 digest and the property "assay:unclaimed". One that an upper layer wrote
//     over the file of a distribution's package, which is not of that layer, is not that
//     package's any more, whatever its list of files says: it has "assay:replaces" with
//     the package URL. Only what is in /etc may be changed. Where no list of files says
//     what belongs to a package, all in its folder does: npm packages, gems, Composer
//     packages, and the folder of a runtime's own library.
//
// References are what the metadata of a package says: website, repository, issues,
// documentation, where it was downloaded from by a lock file or direct_url.json. Only
// absolute URLs of places in a network are, of at most 2048 bytes, without a password or
// a user that could be a token; npm's, Git's and Maven's short forms of repositories are
// written out. What a distribution states as a website and is no such URL is a property,
// such as "assay:deb:homepage". The creator is the author, where one is stated.
//
// The relations are Contains, from the image to what no other component brings;
// DependsOn; and OwnedBy, from an npm package or Go executable to the Debian or
// Alpine package in whose file list all its locations are, and so for the other
// languages. The RECORD of a Python package is a file list too, for files that no
// distribution's package has. Of several alternatives
// of a Debian dependency all that are installed count.
//
// The document's [assay.Completeness] says "complete" of an ecosystem's components
// if nothing of it was skipped, and of its dependencies if every one that was
// stated and not optional is installed. Of the components as a whole it says
// "unknown": software of other ecosystems, or of none, is not looked for.
// Lifecycle is "post-build". Serial is left to the writer, which derives it of the
// content, so that the same image gives the same document.
//
// # Errors
//
// There is no result beside an error. Its kinds are [assay.ErrRefuted] (a digest
// does not match the bytes, or not Options.Digest), [assay.ErrInvalid] (the image
// breaks its format), [assay.ErrBound] and [assay.ErrUnchecked] (the source failed).
//
// A package database that breaks its format, in whole or in some of its records, is no
// error, because it must not hide what else is in the image: what it says that can be
// understood is in the SBOM, what is left out is in [Contents.Skipped], and the
// completeness of its ecosystem is "incomplete". With [Options.Strict] it is an error.
func Scan(ctx context.Context, img v1.Image, opts Options) (*Contents, error) {
	return scan(ctx, opts, func(c *catalog.Catalog) (*layers.Result, error) {
		o, visitors := opts.layers(), opts.visitors(c)
		var err error
		if o.Cache, err = opts.cache(ctx, c); err != nil {
			return nil, err
		}
		return layers.Pass(ctx, img, o, visitors...)
	}, nil)
}

// ScanFolder is [Scan] of a folder, as if it were the file system of an image. There
// are no digests, layers or configuration, so nothing but the folder is vouched for.
// Symbolic links are not followed out of it.
func ScanFolder(ctx context.Context, dir string, opts Options) (*Contents, error) {
	return scan(ctx, opts, func(c *catalog.Catalog) (*layers.Result, error) {
		return layers.PassFolder(ctx, dir, opts.layers(), opts.visitors(c)...)
	}, &dir)
}

func scan(ctx context.Context, opts Options, pass func(*catalog.Catalog) (*layers.Result, error), dir *string) (*Contents, error) {
	created, err := opts.created()
	if err != nil {
		return nil, err
	}
	repository, err := opts.repository()
	if err != nil {
		return nil, err
	}
	cat := catalog.New(opts.Memory)
	cat.LockFiles = opts.LockFiles
	if cat.External, err = opts.external(cat.Visitors()); err != nil {
		return nil, err
	}
	res, err := pass(cat)
	if err != nil {
		return nil, err
	}
	inv, err := cat.Inventory(ctx, res)
	if err != nil {
		return nil, err
	}
	if opts.Strict {
		if err := nothingSkipped(inv.Skipped); err != nil {
			return nil, err
		}
	}
	c := newContents(res, inv)
	root := opts.root(c, repository, dir)
	if created.IsZero() {
		switch {
		case dir != nil:
			created = time.Now().UTC().Truncate(time.Second)
		case c.Config.Created.IsZero():
			created = time.Unix(0, 0).UTC()
		default:
			created = c.Config.Created.UTC().Truncate(time.Second)
		}
	}
	c.SBOM = &assay.SBOM{
		Root: root, Components: inv.Components, Relations: inv.Relations, Created: created,
		Authors: slices.Clone(opts.Authors), Tools: []assay.Tool{opts.tool()}, Lifecycle: "post-build",
		Completeness: append(inv.Completeness, assay.Completeness{Scope: "components", Aggregate: "unknown"}),
	}
	top := make([]assay.Relation, len(inv.Top))
	for i, id := range inv.Top {
		top[i] = assay.Relation{From: root.ID, Kind: assay.Contains, To: id}
	}
	// Where they belong, so that nothing is left to sort.
	at, _ := slices.BinarySearchFunc(c.SBOM.Relations, root.ID, func(r assay.Relation, id assay.ComponentID) int { return cmp.Compare(r.From, id) })
	c.SBOM.Relations = slices.Insert(c.SBOM.Relations, at, top...)
	for _, l := range c.Layers {
		if !l.DiffID.IsZero() {
			c.SBOM.Layers = append(c.SBOM.Layers, l.DiffID)
		}
	}
	if opts.Files {
		addFiles(c)
	}
	if opts.SHA512 {
		addSHA512(c)
	}
	if err := c.SBOM.Normalize(); err != nil {
		return nil, err
	}
	if opts.Logger != nil {
		for _, s := range c.Skipped {
			opts.Logger.LogAttrs(ctx, slog.LevelWarn, "skipped", slog.String("visitor", s.Visitor), slog.String("path", s.Path),
				slog.Int("layer", s.Layer), slog.String("reason", s.Reason), slog.Bool("history", s.History))
		}
	}
	return c, nil
}

func newContents(res *layers.Result, inv *catalog.Inventory) *Contents {
	c := &Contents{
		Manifest: res.Manifest, ConfigDigest: res.ConfigDigest, Annotations: res.Annotations, Platform: res.Platform,
		res: res, inv: inv,
	}
	if res.Config != nil {
		c.Config = *res.Config
	}
	for _, l := range res.Layers {
		c.Layers = append(c.Layers, Layer(l))
	}
	for _, a := range res.Ambiguous {
		c.Ambiguous = append(c.Ambiguous, Ambiguity(a))
	}
	for _, s := range inv.Skipped {
		c.Skipped = append(c.Skipped, Skipped{Visitor: s.Visitor, Path: s.Path, Layer: s.Layer, Size: s.Size, Reason: s.Reason, History: s.History})
	}
	slices.SortFunc(c.Skipped, func(a, b Skipped) int {
		return cmp.Or(cmp.Compare(a.Layer, b.Layer), cmp.Compare(a.Path, b.Path), cmp.Compare(a.Visitor, b.Visitor), cmp.Compare(a.Reason, b.Reason))
	})
	for _, p := range inv.Past {
		c.History = append(c.History, Past(p))
	}
	return c
}

// repository reads Options.Repository as references are read everywhere, so that
// "debian" is index.docker.io/library/debian.
func (o Options) repository() (string, error) {
	if o.Repository == "" {
		return "", nil
	}
	r, err := name.NewRepository(o.Repository)
	if err != nil {
		return "", &assay.Error{Op: "scan", Kind: assay.ErrInvalid, Field: "Options.Repository", Value: o.Repository,
			Bound: "a repository without tag and digest", Err: err}
	}
	return r.Name(), nil
}

// root is the component that stands for what was scanned.
func (o Options) root(c *Contents, repository string, dir *string) assay.Component {
	if dir != nil {
		base := *dir
		if abs, err := filepath.Abs(base); err == nil {
			base = abs
		}
		return assay.Component{ID: "folder", Type: assay.TypeFile, Name: cmp.Or(o.RootName, filepath.Base(base)), Version: o.RootVersion}
	}
	digest := c.Manifest.String()
	root := assay.Component{
		ID: assay.ComponentID("image:" + digest), Type: assay.TypeContainer,
		Name: cmp.Or(o.RootName, path.Base(repository)), Version: cmp.Or(o.RootVersion, digest),
		Hashes: assay.DigestSet{c.Manifest},
	}
	if root.Name == "." { // path.Base of nothing
		root.Name = digest
	}
	if n := path.Base(repository); repository != "" || o.RootName != "" {
		if repository == "" {
			n = o.RootName
		}
		q := map[string]string{}
		if repository != "" {
			q["repository_url"] = repository
		}
		if a := c.Platform.Architecture; a != "" {
			q["arch"] = a
		}
		if p, err := assay.NewPURL(assay.PURLParts{Type: "oci", Name: strings.ToLower(n), Version: digest, Qualifiers: q}); err == nil {
			root.PURL = p
		}
	}
	root.Properties = map[string]string{"assay:image:config": c.ConfigDigest.String()}
	if p := c.Platform.String(); p != "" {
		root.Properties["assay:image:platform"] = p
	}
	c.annotate(&root)
	return root
}
