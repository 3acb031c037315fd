package sbom

import (
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/layers"
	"github.com/assaykit/assay/internal/sourcedate"
)

// Options of [Scan] and [ScanFolder]. The zero value is safe.
type Options struct {
	// Digest is the digest of the image's manifest that was asked for. An image of
	// another digest is refused with [assay.ErrRefuted]. Without it the image's own
	// is taken, which proves nothing about where the image came from.
	Digest assay.Digest

	// Created is the document's time. By default it is that of the environment
	// variable SOURCE_DATE_EPOCH (seconds since 1970; reproducible-builds.org
	// specification); without it, for an image, when its configuration says the
	// image was created, and 1970-01-01 if it says nothing, so that scanning an
	// image twice gives the same document; for a folder, the current time.
	Created time.Time
	// Tool is what the document says it was made by. Default "assay", with the
	// version of this module in the running program.
	Tool assay.Tool
	// Authors are the people and organisations that answer for the document.
	Authors []string

	// Repository is where the image is distributed, without tag and digest:
	// "registry.example/team/app". With it the image gets a package URL
	// ("pkg:oci/app@sha256:…?repository_url=registry.example/team/app").
	Repository string
	// RootName and RootVersion are name and version of what is scanned. By default
	// the last part of Repository, or the image's digest, or the folder's name;
	// and the image's digest.
	RootName, RootVersion string

	// Files adds a component of type file for every regular file of the merged tree,
	// with its SHA-256 digest, location and owner. Such documents are ten times as
	// large; without it the SBOM lists packages only. All files are hashed then,
	// which an image of one big layer waits for.
	Files bool

	// SHA512 adds the SHA-512 digest of what is a file: of those that Files lists, of
	// executables that no package claims, and of archives that are packages, such as
	// jars. It is among the hashes and, as BSI TR-03183-2 maps the hash of the
	// deployable component, those of a reference of type distribution. All files are
	// hashed then with SHA-512, which takes two to three times as long as SHA-256.
	SHA512 bool

	// LockFiles makes components of what package-lock.json, npm-shrinkwrap.json,
	// pnpm-lock.yaml and yarn.lock name and nothing below them has installed. Such a
	// file says what was resolved when it was written, not what is in the image, so
	// this is off by default; package verify, which compares an SBOM with the contents
	// of its image, has it off. The components have the property "assay:npm:lock", the
	// file's path, and "assay:lifecycle" with the value "pre-build"; "assay:npm:dev"
	// is "true" for what only development needs.
	LockFiles bool

	// Strict makes an error of all that a scan would otherwise leave out and list in
	// [Contents.Skipped]: package databases and other metadata of the merged file
	// system that break their format, were cut or removed, or are larger than the
	// bounds. The error names the file and what is wrong with it. It is of kind
	// [assay.ErrInvalid], [assay.ErrBound], or, where what is wrong is another thing,
	// [assay.ErrUnchecked]. Files that an upper layer removed or replaced are left out
	// all the same; [Skipped.History] tells them.
	Strict bool

	// Catalogers find further packages in the same pass. Their names must differ from
	// one another and from those of what is built in.
	Catalogers []Cataloger

	// TrustTOC lets layers of an image in a registry be read by the table of contents
	// that eStargz and zstd:chunked give them: of such a layer only the table is fetched,
	// and the parts that have files of interest. It weakens what a scan proves, and so
	// is off by default. The manifest vouches for the table (an annotation has its
	// digest), and the table for the files and for what is fetched of them; all that is
	// verified. The digest of the blob and the diffID are not: a table that tells of
	// other files than the archive it is in goes unnoticed, and a runtime that unpacks
	// the archive then runs what no scan has seen. SHA-256 digests of files that nobody
	// reads are the table's. [Layer.TOC] is set for layers that were read so, and
	// nothing in the SBOM itself tells it: package verify refuses this option, package
	// attest/posture and [ProveBase] prove nothing of such layers, and [Compare] cannot
	// know.
	//
	// A layer without a table, of another source, or of which most would have to be
	// fetched all the same, is read whole and verified as ever; [Layer.NoTOC] says why.
	// Most is needed where files are small, because every file is looked at for being an
	// executable: what it saves are large files that are none. If a registry gives the
	// table and then does not answer requests for parts of the blob, the scan fails with
	// [assay.ErrUnchecked]; it can be made again without this option.
	TrustTOC bool

	// Workers is how many layers are read at once. Default GOMAXPROCS.
	Workers int
	// Memory is the budget in bytes for contents that are buffered while they are
	// read, and again for package databases that are kept until the end. Default
	// 32 MiB for the former, and as much as one file takes that must be read whole, a
	// package database of more than that; 256 MiB for the latter. Executables and
	// archives of Java of more than 8 MiB are read as they go by, whatever their size.
	// Besides, each worker takes 1 to 2 MiB, and the window of its zstd decoder.
	Memory int64
	// Stall is how long a source may give no byte before it counts as hanging.
	// Default two minutes; negative means until the context ends.
	Stall time.Duration
	// Bounds on what is read. Zero fields take their defaults.
	Bounds Bounds
	// Progress, if not nil, is told how far each layer is. Calls do not overlap.
	// It must be quick.
	Progress func(Progress)
	// Cache spares reading layers that were read before, see [Cache] for what is not
	// checked then. Nil reads every layer.
	Cache Cache
	// Logger is told what was skipped, and what failed of Cache. Nil discards.
	Logger *slog.Logger
}

// Bounds limit what a hostile image can cost. A field that is zero takes its
// default; one that is negative is no bound. Exceeding one is an error of kind
// [assay.ErrBound] that names it, but for File and Retained.
type Bounds struct {
	// Layers of one image. Default 1000.
	Layers int
	// Entries of one layer, whiteouts included. Default 1,000,000.
	Entries int
	// TotalEntries of all layers. Default 2,000,000.
	TotalEntries int
	// PathLength of a name or link target, in bytes. Default 4096.
	PathLength int
	// PathDepth is the number of parts of a name. Default 256.
	PathDepth int
	// Header is the size of all extended header records of one entry, in bytes.
	// Default 1 MiB; more than that is refused in any case.
	Header int64
	// File is the largest content that is buffered, in bytes. Default 256 MiB, and
	// never more than [Options.Memory] where that is set. A larger package.json is
	// listed in [Contents.Skipped]; so is a larger package database.
	File int64
	// Retained is the largest content of each of [SmallFiles]. Default 1 MiB.
	// Reading a larger one from the [Contents] is an error.
	Retained int64
	// Inflated is the size of one uncompressed layer. Default 64 GiB.
	Inflated int64
	// TotalInflated is the size of all uncompressed layers. Default 128 GiB.
	TotalInflated int64
	// Manifest is the size of the image's manifest. Default 4 MiB.
	Manifest int64
	// Config is the size of the image configuration. Default 8 MiB.
	Config int64
	// Window is the memory one zstd decoder may take. Default 128 MiB.
	Window int64
	// TOC is the size of a layer's table of contents, uncompressed. A layer with a
	// larger one is read whole. Default 64 MiB.
	TOC int64
	// Ambiguities that are recorded. Default 10,000.
	Ambiguities int
}

// Progress is how far the reading of one layer is.
type Progress struct {
	// Layer is its index, Digest that of its blob.
	Layer  int
	Digest assay.Digest
	// Done of Total bytes of the blob were read.
	Done, Total int64
	// Entries were read so far.
	Entries int
	// Finished is set once, when the layer was verified.
	Finished bool
}

func (o Options) layers() layers.Options {
	out := layers.Options{
		Digest: o.Digest, Workers: o.Workers, Memory: o.Memory, Stall: o.Stall, Bounds: layers.Bounds(o.Bounds), TrustTOC: o.TrustTOC,
	}
	if o.Progress != nil {
		out.Progress = func(p layers.Progress) { o.Progress(Progress(p)) }
	}
	return out
}

// created settles the document's time before anything is read, as far as it can;
// zero leaves it to what is scanned.
func (o Options) created() (time.Time, error) {
	if !o.Created.IsZero() {
		return o.Created.UTC().Truncate(time.Second), nil
	}
	return sourcedate.Epoch()
}

func (o Options) tool() assay.Tool {
	if o.Tool.Name != "" {
		return o.Tool
	}
	return assay.Tool{Name: "assay", Vendor: "assaykit", Version: moduleVersion()}
}

const modulePath = "github.com/assaykit/assay"

// moduleVersion is the version of this module in the running program, "" if it was
// not built from a released one.
func moduleVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	mod := &info.Main
	for _, d := range info.Deps {
		if d.Path == modulePath {
			mod = d
		}
	}
	if mod.Path != modulePath || mod.Version == "(devel)" {
		return ""
	}
	return mod.Version
}
