package verify

import (
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/strictjson"
)

// recordForm is the JSON of a [Record].
type recordForm struct {
	Schema string       `json:"schema"`
	Digest assay.Digest `json:"digest"`
	At     time.Time    `json:"at"`
	Trust  trustForm    `json:"trust"`
	Policy Policy       `json:"policy"`
	Bundle bundleForm   `json:"bundle"`
	Faults []Fault      `json:"faults,omitempty"`
	// Skipped is what is beside the envelopes.
	Skipped []Skipped `json:"skipped,omitempty"`
	// Unread are the manifests that could not be read whole, and why.
	Unread map[string]string `json:"unread,omitempty"`
	// Images are sorted by digest.
	Images []json.RawMessage `json:"images,omitempty"`
	// Bases are what was read of base images, sorted by digest.
	Bases []baseImage `json:"bases,omitempty"`
	// Components are what was found of components, sorted by digest.
	Components *componentsForm `json:"components,omitzero"`
	// Revisions are what was found of commits, in the same way.
	Revisions *componentsForm `json:"revisions,omitzero"`
	Report    json.RawMessage `json:"report"`
}

type trustForm struct {
	TrustedRoot                 []byte    `json:"trustedRoot,omitempty"`
	Keys                        []keyForm `json:"keys,omitempty"`
	TransparencyLogs            int       `json:"transparencyLogs,omitzero"`
	TimestampAuthorities        int       `json:"timestampAuthorities,omitzero"`
	CertificateTransparencyLogs int       `json:"certificateTransparencyLogs,omitzero"`
}

type keyForm struct {
	Public     string    `json:"public"` // PEM, PKIX
	ValidFrom  time.Time `json:"validFrom,omitzero"`
	ValidUntil time.Time `json:"validUntil,omitzero"`

	TransparencyLogs     int `json:"transparencyLogs,omitzero"`
	TimestampAuthorities int `json:"timestampAuthorities,omitzero"`
}

type bundleForm struct {
	Subject   assay.Digest   `json:"subject"`
	Envelopes []envelopeForm `json:"envelopes,omitempty"`
	Platforms []platformForm `json:"platforms,omitempty"`
}

type envelopeForm struct {
	MediaType   string            `json:"mediaType,omitempty"`
	Raw         []byte            `json:"raw"`
	Annotations map[string]string `json:"annotations,omitempty"`
	Sources     []string          `json:"sources,omitempty"`
}

type componentsForm struct {
	Found []componentForm `json:"found,omitempty"`
}

// componentForm is there for each component of which there is something.
type componentForm struct {
	Digest    assay.Digest   `json:"digest"`
	Envelopes []envelopeForm `json:"envelopes,omitempty"`
	Faults    []Fault        `json:"faults,omitempty"`
}

type platformForm struct {
	Platform assay.Platform `json:"platform,omitzero"`
	Bundle   bundleForm     `json:"bundle"`
}

type imageForm struct {
	Digest assay.Digest `json:"digest"`
	Reason Reason       `json:"reason"`
	Detail string       `json:"detail,omitempty"`
	// What follows is there if the reason is that it holds.
	Platform     assay.Platform   `json:"platform,omitzero"`
	Layers       []inspectedLayer `json:"layers,omitempty"`
	SBOM         *assay.SBOM      `json:"sbom,omitempty"`
	Posture      *assay.Posture   `json:"posture,omitempty"`
	PostureError string           `json:"postureError,omitempty"`
}

func (r *Record) form() (*recordForm, error) {
	b := r.basis
	f := &recordForm{Schema: RecordSchema, Digest: r.digest, At: b.at, Policy: b.policy, Faults: b.faults, Skipped: b.skipped, Unread: b.unread, Report: r.report}
	f.Policy.Schema = PolicySchema
	f.Trust = trustForm{
		TrustedRoot: b.trust.TrustedRoot, TransparencyLogs: b.trust.TransparencyLogs,
		TimestampAuthorities: b.trust.TimestampAuthorities, CertificateTransparencyLogs: b.trust.CertificateTransparencyLogs,
	}
	for i, k := range b.trust.Keys {
		der, err := x509.MarshalPKIXPublicKey(k.Public)
		if err != nil {
			return nil, &assay.Error{Op: "write record", Kind: assay.ErrInvalid, Subject: r.digest.String(), Field: fmt.Sprintf("/trust/keys/%d", i), Err: err}
		}
		f.Trust.Keys = append(f.Trust.Keys, keyForm{string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})), k.ValidFrom, k.ValidUntil, k.TransparencyLogs, k.TimestampAuthorities})
	}
	f.Bundle = formOf(b.bundle)
	for _, digest := range slices.SortedFunc(maps.Keys(b.images), assay.Digest.Compare) {
		text, err := b.images[digest].form(digest)
		if err != nil {
			return nil, err
		}
		f.Images = append(f.Images, text)
	}
	for _, digest := range slices.SortedFunc(maps.Keys(b.bases), assay.Digest.Compare) {
		f.Bases = append(f.Bases, b.bases[digest])
	}
	f.Components, f.Revisions = formOfComponents(b.components), formOfComponents(b.revisions)
	return f, nil
}

func formOfComponents(found map[assay.Digest]componentEvidence) *componentsForm {
	if found == nil {
		return nil
	}
	f := &componentsForm{}
	for _, digest := range slices.SortedFunc(maps.Keys(found), assay.Digest.Compare) {
		e := found[digest]
		if len(e.envelopes)+len(e.faults) > 0 {
			f.Found = append(f.Found, componentForm{digest, envelopeForms(slices.Values(e.envelopes)), e.faults})
		}
	}
	return f
}

// read gives what was found; at is where a digest is that is none, or is there twice.
func (f *componentsForm) read() (found map[assay.Digest]componentEvidence, at int, ok bool) {
	if f == nil {
		return nil, 0, true
	}
	found = map[assay.Digest]componentEvidence{}
	for i, c := range f.Found {
		if _, twice := found[c.Digest]; twice || c.Digest.IsZero() {
			return nil, i, false
		}
		e := componentEvidence{faults: sortFaults(c.Faults)}
		for _, envelope := range c.Envelopes {
			e.envelopes = append(e.envelopes, envelope.envelope())
		}
		found[c.Digest] = e
	}
	return found, 0, true
}

func envelopeForms(list iter.Seq[assay.Envelope]) []envelopeForm {
	var out []envelopeForm
	for e := range list {
		out = append(out, envelopeForm{e.MediaType(), e.Raw(), e.Annotations(), clipAll(e.Sources())})
	}
	return out
}

func (f envelopeForm) envelope() assay.Envelope {
	return assay.NewAnnotatedEnvelope(f.MediaType, f.Raw, f.Annotations, f.Sources...)
}

func formOf(b *assay.Bundle) bundleForm {
	f := bundleForm{Subject: b.Subject(), Envelopes: envelopeForms(b.Envelopes())}
	for p := range b.Platforms() {
		f.Platforms = append(f.Platforms, platformForm{p.Platform, formOf(p.Bundle)})
	}
	return f
}

func (c contents) form(digest assay.Digest) ([]byte, error) {
	f := imageForm{Digest: digest, Reason: c.reason, Detail: c.detail}
	if i := c.inspection; i != nil {
		f.Platform, f.Layers, f.SBOM, f.Posture = i.platform, i.layers, i.sbom, i.posture
		if i.postureErr != nil {
			f.PostureError = i.postureErr.Error()
		}
	}
	text, err := strictjson.Marshal(f)
	if err != nil {
		return nil, &assay.Error{Op: "write record", Kind: assay.ErrInvalid, Subject: digest.String(), Field: "/images", Err: err}
	}
	return text, nil
}

func (f *recordForm) record(name string) (*Record, error) {
	bad := func(field, value, bound string, err error) error {
		return &assay.Error{Op: "read record", Kind: assay.ErrInvalid, Subject: name, Field: field, Value: value, Bound: bound, Err: err}
	}
	switch {
	case f.Schema != RecordSchema:
		return nil, bad("/schema", f.Schema, RecordSchema, nil)
	case !f.Digest.Algorithm().Strong():
		return nil, bad("/digest", f.Digest.String(), "a digest that identifies content, such as sha256", nil)
	case f.Bundle.Subject != f.Digest:
		return nil, bad("/bundle/subject", f.Bundle.Subject.String(), f.Digest.String(), nil)
	case f.At.IsZero():
		return nil, bad("/at", "", "a time", nil)
	case f.Policy.Schema != PolicySchema:
		return nil, bad("/policy/schema", f.Policy.Schema, PolicySchema, nil)
	}
	b := &basis{policy: f.Policy, at: f.At.UTC(), faults: sortFaults(f.Faults), skipped: f.Skipped, unread: f.Unread, images: map[assay.Digest]contents{}, bases: map[assay.Digest]baseImage{}}
	b.trust = Trust{
		TrustedRoot: f.Trust.TrustedRoot, TransparencyLogs: f.Trust.TransparencyLogs,
		TimestampAuthorities: f.Trust.TimestampAuthorities, CertificateTransparencyLogs: f.Trust.CertificateTransparencyLogs,
	}
	for i, k := range f.Trust.Keys {
		key, err := ParseKey(name, []byte(k.Public))
		if err != nil {
			return nil, bad(fmt.Sprintf("/trust/keys/%d/public", i), "", "", err)
		}
		key.ValidFrom, key.ValidUntil = k.ValidFrom, k.ValidUntil
		key.TransparencyLogs, key.TimestampAuthorities = k.TransparencyLogs, k.TimestampAuthorities
		b.trust.Keys = append(b.trust.Keys, key)
	}
	b.bundle = f.Bundle.bundle()
	for i, text := range f.Images {
		field := fmt.Sprintf("/images/%d", i)
		digest, c, err := readImage(name, text)
		if err != nil {
			return nil, bad(field, "", "what was seen of an image's bytes", err)
		}
		if _, twice := b.images[digest]; twice {
			return nil, bad(field+"/digest", digest.String(), "a digest that no other image has", nil)
		}
		b.images[digest] = c
	}
	for i, base := range f.Bases {
		if _, twice := b.bases[base.Digest]; twice || base.Digest.IsZero() || (base.Manifest == nil) != (base.Config == nil) || base.Manifest != nil && base.Index != nil {
			return nil, bad(fmt.Sprintf("/bases/%d", i), base.Digest.String(), "manifest and configuration of a base image, or an index, or neither, once", nil)
		}
		b.bases[base.Digest] = base
	}
	for _, part := range []struct {
		name string
		form *componentsForm
		into *map[assay.Digest]componentEvidence
	}{{"components", f.Components, &b.components}, {"revisions", f.Revisions, &b.revisions}} {
		found, i, ok := part.form.read()
		if !ok {
			return nil, bad(fmt.Sprintf("/%s/found/%d/digest", part.name, i), part.form.Found[i].Digest.String(), "a digest, once", nil)
		}
		*part.into = found
	}
	if err := allSeen(b, b.bundle); err != nil {
		return nil, bad("/images", "", "", err)
	}
	var report Report
	if err := strictjson.Unmarshal(name, f.Report, &report, strictjson.Limits{MaxBytes: MaxRecordBytes, RejectUnknown: true}); err != nil {
		return nil, bad("/report", "", "a report", err)
	}
	text, err := strictjson.Marshal(&report)
	if err != nil {
		return nil, bad("/report", "", "a report", err)
	}
	return &Record{basis: b, digest: f.Digest, report: text}, nil
}

func (f *bundleForm) bundle() *assay.Bundle {
	b := assay.NewBundle(f.Subject)
	for _, e := range f.Envelopes {
		b.Add(e.envelope())
	}
	for i := range f.Platforms {
		b.AddPlatform(f.Platforms[i].Platform, f.Platforms[i].Bundle.bundle())
	}
	return b
}

func readImage(name string, text []byte) (assay.Digest, contents, error) {
	var f imageForm
	if err := strictjson.Unmarshal(name, text, &f, strictjson.Limits{MaxBytes: MaxRecordBytes, RejectUnknown: true}); err != nil {
		return assay.Digest{}, contents{}, err
	}
	c := contents{reason: f.Reason, detail: f.Detail}
	switch {
	case f.Digest.IsZero():
		return assay.Digest{}, contents{}, errors.New("no digest")
	case f.Reason != Holds:
		if !f.Platform.IsZero() || f.SBOM != nil || f.Posture != nil || f.PostureError != "" || f.Layers != nil {
			return assay.Digest{}, contents{}, fmt.Errorf("%s, and contents all the same", f.Reason)
		}
		if f.Reason != NoContents && f.Reason != ContentsUnreadable && f.Reason != ContentsMismatch {
			return assay.Digest{}, contents{}, fmt.Errorf("reason %q", f.Reason)
		}
		return f.Digest, c, nil
	case f.SBOM == nil, (f.Posture == nil) == (f.PostureError == ""):
		return assay.Digest{}, contents{}, errors.New("no inventory, or not one of posture and why there is none")
	}
	c.inspection = &inspection{platform: f.Platform, layers: f.Layers, sbom: f.SBOM, posture: f.Posture}
	if f.PostureError != "" {
		c.postureErr = errors.New(f.PostureError)
	}
	return f.Digest, c, nil
}

// allSeen refuses a record that leaves out an image of the tree: it would be looked
// for, and there is nowhere to.
func allSeen(b *basis, tree *assay.Bundle) error {
	below := false
	for p := range tree.Platforms() {
		below = true
		if err := allSeen(b, p.Bundle); err != nil {
			return err
		}
	}
	if _, ok := b.images[tree.Subject()]; !ok && !below {
		return fmt.Errorf("nothing about %s", tree.Subject())
	}
	return nil
}

// clone copies a policy with the lists in it.
func (p Policy) clone() Policy {
	p.Signers = slices.Clone(p.Signers)
	for i := range p.Signers {
		s := &p.Signers[i]
		s.Kinds, s.Builders, s.VEXAuthors = slices.Clone(s.Kinds), slices.Clone(s.Builders), slices.Clone(s.VEXAuthors)
		s.Verifiers = slices.Clone(s.Verifiers)
	}
	p.Layouts = slices.Clone(p.Layouts)
	for i := range p.Layouts {
		p.Layouts[i] = p.Layouts[i].clone()
	}
	p.MinSigners = maps.Clone(p.MinSigners)
	p.ExclusionDocuments = slices.Clone(p.ExclusionDocuments)
	for i := range p.ExclusionDocuments {
		d := &p.ExclusionDocuments[i]
		d.Vulnerabilities = slices.Clone(d.Vulnerabilities)
	}
	p.Require, p.Sources = slices.Clone(p.Require), slices.Clone(p.Sources)
	p.Bases, p.BuildTypes, p.SameRun = slices.Clone(p.Bases), slices.Clone(p.BuildTypes), slices.Clone(p.SameRun)
	p.BuildLevels, p.Summaries = slices.Clone(p.BuildLevels), slices.Clone(p.Summaries)
	for i := range p.Summaries {
		r := &p.Summaries[i]
		r.Levels, r.For = slices.Clone(r.Levels), slices.Clone(r.For)
	}
	if p.SourceLevel != nil {
		r := *p.SourceLevel
		r.Properties = slices.Clone(r.Properties)
		p.SourceLevel = &r
	}
	p.Parameters = maps.Clone(p.Parameters)
	for at, value := range p.Parameters {
		p.Parameters[at] = slices.Clone(value)
	}
	return p
}
