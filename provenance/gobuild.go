package provenance

import (
	"debug/buildinfo"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"runtime/debug"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/strictjson"
)

const goOp = "state provenance of Go build"

// BuildOptions say what a Go executable cannot know of its own build.
type BuildOptions struct {
	// BuilderID is the URI of who ran the build. REQUIRED: nothing in an executable
	// says it.
	BuilderID string
	// Repository is the URI of the source repository, "https://github.com/owner/name";
	// an executable has the commit, but not where it is from. It may be empty.
	Repository string
	// Ref is fully qualified, "refs/tags/v1.0.0"; it may be empty.
	Ref string
	// InvocationID identifies the run; it may be empty.
	InvocationID string
	// StartedOn and FinishedOn are the times of the build, if known.
	StartedOn, FinishedOn time.Time
	// DiscloseUnsafe names build settings ("-ldflags") to record with their whole
	// value, although it may hold paths of the machine and secrets. Others of free
	// form are recorded as withheld.
	DiscloseUnsafe []string
}

// FromGoBinary states the provenance of a Go executable from the build information
// in it, by [FromBuildInfo]. Formats are those of [debug/buildinfo]: ELF, PE, Mach-O,
// XCOFF, Plan 9 and Wasm.
//
// What is not an executable, or has no build information, is [assay.ErrAbsent], a
// damaged executable [assay.ErrInvalid], a reader that fails [assay.ErrUnchecked].
func FromGoBinary(r io.ReaderAt, opts BuildOptions) (*assay.Provenance, error) {
	watched := &watchedReader{r: r}
	info, err := buildinfo.Read(watched)
	if err != nil {
		kind := assay.ErrInvalid
		switch {
		case watched.failed:
			kind = assay.ErrUnchecked
		// The package has no values to compare these two with.
		case err.Error() == "not a Go executable", err.Error() == "unrecognized file format" && !executable(r):
			kind = assay.ErrAbsent
		}
		return nil, &assay.Error{Op: goOp, Kind: kind, Subject: "build information", Err: err}
	}
	return FromBuildInfo(info, opts)
}

// executable reports a file that starts as an executable does; one that does not
// parse then is damaged, rather than something else.
func executable(r io.ReaderAt) bool {
	head := make([]byte, 4)
	n, _ := r.ReadAt(head, 0)
	s := string(head[:n])
	return strings.HasPrefix(s, "MZ") || slices.Contains([]string{"\x7fELF", "\xfe\xed\xfa\xce", "\xfe\xed\xfa\xcf", "\xce\xfa\xed\xfe", "\xcf\xfa\xed\xfe", "\x00asm"}, s)
}

// watchedReader tells a reader that fails from a file that does not parse.
type watchedReader struct {
	r      io.ReaderAt
	failed bool
}

func (w *watchedReader) ReadAt(p []byte, off int64) (int, error) {
	n, err := w.r.ReadAt(p, off)
	if err != nil && !errors.Is(err, io.EOF) && off >= 0 {
		w.failed = true
	}
	return n, err
}

// FromBuildInfo states the provenance of a Go build, of type [BuildTypeGo], from what
// the go command wrote into the executable ([runtime/debug.ReadBuildInfo] gives it for
// the running program).
//
// Each module becomes a material, its URI a purl and its digest the "h1:" sum of go.sum
// in hexadecimal, as dirHash. A replaced module is listed as what replaced it. The
// standard library is a material by its version. Modules of the workspace, or
// replaced by a folder, are identified by nothing and are listed by name under
// internalParameters.localModules. The commit becomes Source and a material, with
// its work tree's state: unmodified, modified, or unknown.
//
// Build information is not signed, and a step that can write the executable can write
// it: the result is worth what the builder named in opts, and its signature, are worth.
//
// Errors are [assay.ErrInvalid] for malformed sums and missing BuilderID (SLSA P2).
func FromBuildInfo(info *debug.BuildInfo, opts BuildOptions) (*assay.Provenance, error) {
	if info == nil {
		return nil, &assay.Error{Op: goOp, Kind: assay.ErrAbsent, Subject: "build information"}
	}
	if err := checkText(info, opts); err != nil {
		return nil, err
	}
	p := &assay.Provenance{
		BuildType:          BuildTypeGo,
		ExternalParameters: map[string]json.RawMessage{},
		InternalParameters: map[string]json.RawMessage{},
		Builder:            assay.Builder{ID: opts.BuilderID},
		InvocationID:       opts.InvocationID,
		StartedOn:          opts.StartedOn.UTC(),
		FinishedOn:         opts.FinishedOn.UTC(),
	}
	if info.Path == "" && info.Main.Path == "" {
		return nil, &assay.Error{Op: goOp, Kind: assay.ErrAbsent, Subject: "build information", Field: "path", Bound: "the main package or module"}
	}
	if info.Path != "" {
		p.ExternalParameters["package"] = encoded(info.Path)
	}
	if info.Main.Path != "" {
		p.ExternalParameters["module"] = encoded(info.Main.Path)
	}
	vcs := map[string]string{}
	settings := map[string]any{}
	for _, s := range info.Settings {
		if name, ok := strings.CutPrefix(s.Key, "vcs."); ok {
			vcs[name] = s.Value
		} else if s.Key == "vcs" {
			vcs["system"] = s.Value
		} else if s.Value != "" {
			settings[s.Key] = disclose(s.Key, s.Value, opts.DiscloseUnsafe)
		}
	}
	if len(settings) > 0 {
		p.ExternalParameters["settings"] = encoded(settings)
	}
	if err := goSource(p, vcs, opts); err != nil {
		return nil, err
	}
	if err := goMaterials(p, info); err != nil {
		return nil, err
	}
	p, err := WithMaterials(p)
	if err != nil {
		return nil, err
	}
	if len(p.InternalParameters) == 0 {
		p.InternalParameters = nil
	}
	if err := check(goOp, info.Path, p); err != nil {
		return nil, err
	}
	return p, nil
}

// goSource makes Source and its material of the vcs settings.
func goSource(p *assay.Provenance, vcs map[string]string, opts BuildOptions) error {
	if len(vcs) > 0 {
		p.InternalParameters["vcs"] = encoded(vcs)
	}
	if opts.Repository != "" {
		repo, _ := splitGit("git+" + opts.Repository)
		if repo != opts.Repository {
			return &assay.Error{Op: goOp, Kind: assay.ErrInvalid, Field: "Repository", Value: opts.Repository, Bound: "a URI without git+, .git and ref"}
		}
	}
	if opts.Ref != "" && !strings.HasPrefix(opts.Ref, "refs/") {
		return &assay.Error{Op: goOp, Kind: assay.ErrInvalid, Field: "Ref", Value: opts.Ref, Bound: "refs/…"}
	}
	if vcs["system"] != "git" || vcs["revision"] == "" {
		return nil // nothing that a gitCommit could state
	}
	commit, err := assay.NewDigest(assay.GitCommit, vcs["revision"])
	if err != nil {
		return &assay.Error{Op: goOp, Kind: assay.ErrInvalid, Field: "vcs.revision", Value: vcs["revision"], Bound: "a git commit"}
	}
	m := assay.Resource{Name: "source", Digest: assay.DigestSet{commit}}
	if opts.Repository != "" {
		m.URI = "git+" + opts.Repository
		if opts.Ref != "" {
			m.URI += "@" + opts.Ref
		}
	}
	switch v := vcs["modified"]; v {
	case "true", "false":
		m.Annotations = map[string]json.RawMessage{modifiedAnnotation: json.RawMessage(v)}
	case "":
	default:
		return &assay.Error{Op: goOp, Kind: assay.ErrInvalid, Field: "vcs.modified", Value: v, Bound: "true or false"}
	}
	p.Materials = append(p.Materials, m)
	p.Source = sourceFrom(m)
	return nil
}

func goMaterials(p *assay.Provenance, info *debug.BuildInfo) error {
	if info.GoVersion != "" {
		p.Builder.Version = map[string]string{"go": info.GoVersion}
	}
	// "go1.26.3 X:jsonv2" has the version 1.26.3; "devel go1.27-abcdef" has none.
	if v, ok := strings.CutPrefix(info.GoVersion, "go"); ok {
		v, _, _ = strings.Cut(v, " ")
		purl, err := modulePURL("stdlib", v)
		if err != nil {
			return err
		}
		p.Materials = append(p.Materials, assay.Resource{URI: purl})
	}
	local := map[string]bool{}
	// The main module has a version where it was built from the module cache; a
	// version that the go command made of the commit is the source again.
	if m := info.Main; m.Sum != "" {
		r, err := moduleMaterial(&m)
		if err != nil {
			return err
		}
		p.Materials = append(p.Materials, r)
	}
	for _, dep := range info.Deps {
		use := dep
		if dep.Replace != nil {
			use = dep.Replace
		}
		// "./fork", "/home/me/fork", and modules of the workspace: a folder.
		if use.Version == "" || use.Version == "(devel)" {
			local[dep.Path] = true
			continue
		}
		r, err := moduleMaterial(use)
		if err != nil {
			return err
		}
		if dep.Replace != nil {
			purl, err := modulePURL(dep.Path, dep.Version)
			if err != nil {
				return err
			}
			r.Annotations = map[string]json.RawMessage{"assay_replaces": encoded(purl)}
		}
		p.Materials = append(p.Materials, r)
	}
	if len(local) > 0 {
		p.InternalParameters["localModules"] = encoded(slices.Sorted(maps.Keys(local)))
	}
	return nil
}

func moduleMaterial(m *debug.Module) (assay.Resource, error) {
	purl, err := modulePURL(m.Path, m.Version)
	if err != nil {
		return assay.Resource{}, err
	}
	r := assay.Resource{URI: purl}
	if m.Sum == "" {
		return r, nil
	}
	b64, ok := strings.CutPrefix(m.Sum, "h1:")
	sum, err := base64.StdEncoding.Strict().DecodeString(b64)
	if !ok || err != nil || len(sum) != 32 {
		return assay.Resource{}, &assay.Error{Op: goOp, Kind: assay.ErrInvalid, Subject: m.Path + "@" + m.Version, Field: "sum", Value: m.Sum, Bound: "h1: and the base64 of 32 bytes", Rule: "in-toto S4"}
	}
	d, err := assay.NewDigest(assay.DirHash, hex.EncodeToString(sum))
	if err != nil {
		return assay.Resource{}, err
	}
	r.Digest = assay.DigestSet{d}
	return r, nil
}

func modulePURL(path, version string) (string, error) {
	parts := assay.PURLParts{Type: "golang", Name: path, Version: version}
	if i := strings.LastIndexByte(path, '/'); i >= 0 {
		parts.Namespace, parts.Name = path[:i], path[i+1:]
	}
	purl, err := assay.NewPURL(parts)
	if err != nil {
		return "", &assay.Error{Op: goOp, Kind: assay.ErrInvalid, Subject: path + "@" + version, Bound: "a module path", Err: err}
	}
	return purl.String(), nil
}

// plainSettings are those whose values the go command chose from a list or
// checked: nothing of the machine or its user can be in them.
var plainSettings = []string{
	"-asan", "-buildmode", "-compiler", "-cover", "-covermode", "-linkshared", "-mod", "-msan", "-race", "-tags", "-trimpath",
	"CGO_ENABLED", "DefaultGODEBUG",
	"GO386", "GOAMD64", "GOARCH", "GOARM", "GOARM64", "GOEXPERIMENT", "GOFIPS140", "GOMIPS", "GOMIPS64", "GOOS", "GOPPC64", "GORISCV64", "GOWASM",
}

// withheld stands for a value that was set and is not told.
type withheld struct {
	// Flags are those of the value that tell only what they do to the result.
	Flags    []string `json:"flags,omitempty"`
	Withheld bool     `json:"withheld,omitzero"`
}

func disclose(key, value string, whole []string) any {
	if slices.Contains(plainSettings, key) || slices.Contains(whole, key) {
		return value
	}
	if key != "-ldflags" {
		return withheld{Withheld: true}
	}
	// Linker flags tell whether symbols were stripped; everything else in them,
	// such as the values that -X sets, stays here. What follows another flag may be
	// its argument, and what has quotes may be a part of one: neither is taken for
	// a flag, as saying too little is better here than saying what is not so.
	w := withheld{}
	fields := strings.Fields(value)
	if strings.ContainsAny(value, "'\"") {
		return withheld{Withheld: true}
	}
	for i := 0; i < len(fields); i++ {
		switch f := fields[i]; f {
		case "-s", "-w", "-linkmode=internal", "-linkmode=external", "-buildid=":
			w.Flags = append(w.Flags, f)
		default:
			w.Withheld = true
			if !strings.Contains(f, "=") {
				i++
			}
		}
	}
	return w
}

// encoded is for strings that checkText has passed, which always encode.
func encoded(v any) json.RawMessage {
	b, _ := strictjson.Marshal(v)
	return b
}

// checkText refuses what JSON cannot hold, wherever it would come out.
func checkText(info *debug.BuildInfo, opts BuildOptions) error {
	fields := []struct{ name, value string }{
		{"go", info.GoVersion}, {"path", info.Path}, {"mod", info.Main.Path + info.Main.Version},
		{"BuilderID", opts.BuilderID}, {"Repository", opts.Repository}, {"Ref", opts.Ref}, {"InvocationID", opts.InvocationID},
	}
	for _, d := range info.Deps {
		fields = append(fields, struct{ name, value string }{"dep", d.Path + d.Version})
		if r := d.Replace; r != nil {
			fields = append(fields, struct{ name, value string }{"dep", r.Path + r.Version})
		}
	}
	for _, s := range info.Settings {
		if !utf8.ValidString(s.Key + s.Value) { // the value may be a secret
			return &assay.Error{Op: goOp, Kind: assay.ErrInvalid, Subject: "build information", Field: "build " + s.Key, Bound: "UTF-8"}
		}
	}
	for _, f := range fields {
		if !utf8.ValidString(f.value) {
			return &assay.Error{Op: goOp, Kind: assay.ErrInvalid, Subject: "build information", Field: f.name, Value: f.value, Bound: "UTF-8"}
		}
	}
	return nil
}
