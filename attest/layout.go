package attest

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/strictjson"
)

// LayoutSource reads envelopes from an OCI image layout in a folder.
type LayoutSource struct {
	dir    string
	limits Limits
}

// FromLayout reads from an OCI image layout (image-spec v1.1, image-layout.md) in a
// folder: what BuildKit, "cosign save", and tools that copy an image with all that is
// attached to it write. An archive has to be unpacked before.
func FromLayout(dir string) *LayoutSource { return &LayoutSource{dir: dir} }

// WithLimits gives a source that is bounded by l.
func (s *LayoutSource) WithLimits(l Limits) *LayoutSource {
	c := *s
	c.limits = l
	return &c
}

// AsksByDigest implements [ByDigest]: a layout may hold what is attached to an image
// without the index that the image is in.
func (s *LayoutSource) AsksByDigest() {}

// Discover implements [Source]. The subject may be that of a manifest in the layout,
// or the digest of its index.json. These stores are read, for it and all that is below
// it:
//
//   - manifests that index.json lists and that name the digest as their subject;
//   - the referrers fallback tag and cosign's tags ".att" and ".sig", where index.json
//     has them as org.opencontainers.image.ref.name;
//   - the signatures and attestations that "cosign save" keeps beside one image;
//   - the attestation manifests that BuildKit puts into an index.
//
// They are taken as [RegistrySource.Discover] takes them. Links that lead out of the
// folder are not followed.
func (s *LayoutSource) Discover(ctx context.Context, subject assay.Digest) (*Found, error) {
	if subject.IsZero() {
		return nil, &assay.Error{Op: "discover", Kind: assay.ErrInvalid, Subject: s.dir, Field: "subject", Bound: "a digest"}
	}
	f := newFinder(s.limits, s.dir)
	ctx, cancel := f.limits.withTime(ctx)
	defer cancel()
	root, err := os.OpenRoot(s.dir)
	if err != nil {
		f.fault("", readError(s.dir, err))
		return f.found(assay.NewBundle(subject)), nil
	}
	defer root.Close()
	p := &layoutPlace{dir: s.dir, root: root, referrers: map[assay.Digest][]listed{}, tags: map[string][]descriptor{}, saved: map[assay.Digest][]listed{}}
	if err := p.open(ctx, f); err != nil {
		f.unreadable("index.json", err)
		return f.found(assay.NewBundle(subject)), nil
	}
	f.place = p
	return f.found(f.discover(ctx, subject)), nil
}

// Annotations of the entries of index.json.
const (
	annotationRefName = "org.opencontainers.image.ref.name"
	// What "cosign save" writes: one image or index, and what belongs to it.
	annotationKind   = "kind"
	kindCosignPrefix = "dev.cosignproject.cosign/"
)

// layoutPlace is a layout as a [place]. Its index.json is read once.
type layoutPlace struct {
	dir       string
	root      *os.Root
	top       []byte // index.json
	topDigest assay.Digest
	referrers map[assay.Digest][]listed // by subject
	tags      map[string][]descriptor
	saved     map[assay.Digest][]listed // by cosign, by image
}

func (p *layoutPlace) String() string { return p.dir }

// open reads index.json and the manifests in it. One of them that cannot be read is a
// fault: it could be about anything.
func (p *layoutPlace) open(ctx context.Context, f *finder) error {
	version, err := p.file("oci-layout", maxManifestBytes)
	if err != nil {
		return err
	}
	var doc struct {
		Version string `json:"imageLayoutVersion"`
	}
	if err := strictjson.Unmarshal(p.dir+"/oci-layout", version, &doc, strictjson.Limits{}); err != nil {
		return err
	}
	if doc.Version != "1.0.0" {
		return &assay.Error{Op: "read layout", Kind: assay.ErrInvalid, Subject: p.dir + "/oci-layout", Field: "/imageLayoutVersion", Value: doc.Version, Bound: "1.0.0"}
	}
	if p.top, err = p.file("index.json", maxManifestBytes); err != nil {
		return err
	}
	p.topDigest = assay.SumSHA256(p.top)
	list, err := readIndex(p.dir+"/index.json", p.top)
	if err != nil {
		f.fault("index.json", err)
	}
	if most := f.limits.Referrers; len(list) > most {
		f.fault("index.json", &assay.Error{Op: "read layout", Kind: assay.ErrBound, Subject: p.dir, Field: "index.json", Value: strconv.Itoa(len(list)) + " entries", Bound: "at most " + strconv.Itoa(most)})
		list = list[:most]
	}
	var images []assay.Digest
	var saved []listed
	for _, d := range list {
		if ctx.Err() != nil {
			return &assay.Error{Op: "read layout", Kind: assay.ErrUnchecked, Subject: p.dir, Err: context.Cause(ctx)}
		}
		if name := d.Annotations[annotationRefName]; name != "" {
			// Some write the whole reference.
			name = name[strings.LastIndex(name, ":")+1:]
			p.tags[name] = append(p.tags[name], d)
		}
		switch kind, _ := strings.CutPrefix(d.Annotations[annotationKind], kindCosignPrefix); kind {
		case "image", "imageIndex":
			images = append(images, d.Digest)
		case "sigs", "atts":
			saved = append(saved, listed{digest: d.Digest, source: p.dir + "@" + d.Digest.String()})
			continue
		}
		if d.MediaType != typeIndex && d.MediaType != typeDockerList && mayCarry(d.ArtifactType) {
			if err := p.subject(ctx, d); err != nil {
				f.unreadable(d.Digest.String(), err)
			}
		}
	}
	for _, d := range images {
		p.saved[d] = saved
	}
	return nil
}

// subject notes what a manifest in index.json refers to.
func (p *layoutPlace) subject(ctx context.Context, d descriptor) error {
	served, body, err := p.manifest(ctx, d.Digest)
	if err != nil {
		return err
	}
	m, err := parseManifest(p.dir+"@"+d.Digest.String(), served.MediaType, body)
	if err != nil || m.Subject == nil {
		return err
	}
	about, err := m.Subject.parse(p.dir+"@"+d.Digest.String(), "/subject")
	if err != nil {
		return err
	}
	p.referrers[about.Digest] = append(p.referrers[about.Digest], referring(p, []descriptor{d})...)
	return nil
}

func (p *layoutPlace) stores() []store {
	from := func(by map[assay.Digest][]listed) func(context.Context, assay.Digest) ([]listed, error) {
		return func(_ context.Context, d assay.Digest) ([]listed, error) { return by[d], nil }
	}
	name := func(d assay.Digest) string { return "index.json about " + d.String() }
	return append([]store{{name, from(p.referrers)}, {name, from(p.saved)}}, tagStores(p)...)
}

func (p *layoutPlace) manifest(_ context.Context, d assay.Digest) (descriptor, []byte, error) {
	if d == p.topDigest {
		return descriptor{MediaType: typeIndex, Digest: d, Size: int64(len(p.top))}, p.top, nil
	}
	body, err := p.content(d, maxManifestBytes)
	return descriptor{Digest: d, Size: int64(len(body))}, body, err
}

func (p *layoutPlace) tagged(ctx context.Context, tag string) ([]tagged, error) {
	var out []tagged
	var errs []error
	for _, d := range p.tags[tag] {
		t := tagged{}
		var err error
		if t.descriptor, t.body, err = p.manifest(ctx, d.Digest); errors.Is(err, assay.ErrAbsent) {
			err = &assay.Error{Op: "read layout", Kind: assay.ErrUnchecked, Subject: p.dir, Field: tag, Value: d.Digest.String(), Bound: "a manifest that is there", Err: fs.ErrNotExist}
		}
		if err != nil {
			errs = append(errs, err)
			continue
		}
		out = append(out, t)
	}
	return out, errors.Join(errs...)
}

func (p *layoutPlace) blob(_ context.Context, d descriptor) ([]byte, error) {
	body, err := p.content(d.Digest, d.Size)
	if err != nil {
		return nil, err
	}
	if n := int64(len(body)); n != d.Size {
		return nil, &assay.Error{Op: "read blob", Kind: assay.ErrRefuted, Subject: p.dir + "@" + d.Digest.String(), Field: "size",
			Value: strconv.FormatInt(n, 10), Bound: strconv.FormatInt(d.Size, 10) + " bytes, as the manifest says"}
	}
	return body, nil
}

// content reads a blob, and hashes it.
func (p *layoutPlace) content(d assay.Digest, most int64) ([]byte, error) {
	body, err := p.file("blobs/"+string(d.Algorithm())+"/"+d.Hex(), most)
	if err != nil {
		return nil, err
	}
	sum, err := hashBy(d.Algorithm(), body)
	if err != nil {
		return nil, err
	}
	if sum != d {
		return nil, &assay.Error{Op: "read layout", Kind: assay.ErrRefuted, Subject: p.dir + "@" + d.String(), Field: "digest", Value: sum.String(), Bound: d.String()}
	}
	return body, nil
}

// file reads a file in the layout. A pipe, or a file that grows, does not hold it up.
func (p *layoutPlace) file(path string, most int64) ([]byte, error) {
	at := p.dir + "/" + path
	file, err := p.root.OpenFile(filepath.FromSlash(path), os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, readError(at, err)
	}
	defer file.Close()
	if info, err := file.Stat(); err != nil {
		return nil, readError(at, err)
	} else if !info.Mode().IsRegular() {
		return nil, &assay.Error{Op: "read file", Kind: assay.ErrInvalid, Subject: at, Value: info.Mode().String(), Bound: "a regular file"}
	}
	body, err := io.ReadAll(io.LimitReader(file, most+1))
	if err != nil {
		return nil, readError(at, err)
	}
	if int64(len(body)) > most {
		return nil, &assay.Error{Op: "read file", Kind: assay.ErrBound, Subject: at, Value: "more", Bound: "at most " + strconv.FormatInt(most, 10) + " bytes"}
	}
	return body, nil
}
