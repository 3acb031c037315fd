package verify

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/attest"
	"github.com/assaykit/assay/provenance"
)

// maxComponents bounds how many components provenance is looked for, of one image.
const maxComponents = 20_000

// Components looks for the provenance of what is in the image, too, in these sources: of
// each component that the inventory has a digest of, and of the base image that the
// image is proven to be built on. It is proven by the same trust and policy, by the rules
// of [SignerRule]s with or without ComponentsOnly. What is found is in
// [Report.Components], and is no evidence of the image itself.
//
// A component is matched by its digest alone: of a file that is a program or an archive,
// that of its bytes; of an npm package, that of the archive as its lock file states it; of
// a Go module, its sum in go.sum ([assay.DirHash]), as the program that it is linked into
// says: who built that program can have written anything there. A component without such a
// digest, or with MD5 or SHA-1 alone, is counted and not found. Each source is asked for
// each digest.
//
// A [Record] keeps of what is found the envelopes that were accepted, and the stores that
// could not be read. What was refused then is not asked again by [Record.Replay].
func Components(sources ...attest.Source) Option {
	return func(v *Verifier) error {
		if len(sources) == 0 || slices.Contains(sources, nil) {
			return &assay.Error{Op: "set up verifier", Kind: assay.ErrInvalid, Field: "Components", Bound: "at least one source of evidence"}
		}
		v.components = attest.Join(sources...)
		return nil
	}
}

// Coverage is how much of what is in an image comes from a build and a source that
// somebody whom the policy names vouches for.
type Coverage struct {
	// Total counts the packages, programs and archives of the inventory, copies once, and
	// the base image if it is proven; Identified those that have a digest to look for.
	Total      int `json:"total"`
	Identified int `json:"identified"`
	// Verified counts those whose provenance was accepted, by a signer who may speak for
	// the builder, and FromSource those of them of which it names repository and commit.
	Verified   int `json:"verified"`
	FromSource int `json:"fromSource"`
	// Proven are those that are verified, sorted by name, then digest.
	Proven []ComponentProvenance `json:"proven,omitempty"`
	// Faults are the stores that could not be read, sorted.
	Faults []Fault `json:"faults,omitempty"`

	// levels are of each part, -1 of what is not verified.
	levels map[string]int
}

// ComponentProvenance is what the accepted provenance of a component shows. Of several,
// it is that of the highest build level.
type ComponentProvenance struct {
	// Name is the package URL or else the name of the component, or of the base image.
	Name string `json:"name"`
	// Digest is what the provenance is about.
	Digest assay.Digest `json:"digest"`
	// Envelope has it, and Signer signed it.
	Envelope assay.Digest   `json:"envelope"`
	Signer   assay.Identity `json:"signer"`
	Builder  string         `json:"builder"`
	// Source is what it was built from; zero if the provenance does not say, or if that is
	// its own word: neither does the certificate claim repository and commit, nor does the
	// policy tie the signer to the builder.
	Source assay.Source `json:"source,omitzero"`
	// Level is that of SLSA's build track, 0 to 3.
	Level int `json:"level"`
}

// componentEvidence is what was found about one component and is about it, whatever else
// the sources have.
type componentEvidence struct {
	envelopes []assay.Envelope
	faults    []Fault
}

// part is something in the image of which there may be provenance.
type part struct {
	name    string
	digests []assay.Digest
}

// key is the same for the same part, of one image or of two. What has a digest is the same
// by whatever name: a hundred copies of a file are one thing that is verified.
func (p part) key() string {
	if ids := p.identity(); len(ids) > 0 {
		return fmt.Sprint(ids)
	}
	return p.name + "\x00" + fmt.Sprint(p.digests)
}

// parts lists them, each once.
func (c *subjectCase) parts() []part {
	var out []part
	seen := map[string]int{}
	add := func(name string, digests ...assay.Digest) {
		p := part{name, digests}
		key := p.key()
		i, twice := seen[key]
		switch {
		case !twice:
			seen[key] = len(out)
			out = append(out, p)
		case name < out[i].name:
			out[i].name = name
		}
	}
	// An image has one base: that of the most layers. Those below it, and images with the
	// same layers, are not more of what is in the image.
	name, found := "", []assay.Digest(nil)
	for _, b := range c.bases {
		if b.state == assay.Proven && b.layers == c.baseLayers {
			if name == "" || b.name != "" && b.name < name {
				name = b.name
			}
			// Provenance may be of the index, or of the image in it.
			found = append(found, slices.DeleteFunc([]assay.Digest{b.digest, b.through}, assay.Digest.IsZero)...)
		}
	}
	if len(found) > 0 {
		slices.SortFunc(found, assay.Digest.Compare)
		add(cmp.Or(name, "base image"), slices.Compact(found)...)
	}
	for _, inv := range c.inventories() {
		for i := range inv.Components {
			if comp := &inv.Components[i]; comp.Type != assay.TypeOperatingSystem {
				add(label(*comp), comp.Hashes...)
			}
		}
	}
	slices.SortFunc(out, func(a, b part) int {
		if n := strings.Compare(a.name, b.name); n != 0 {
			return n
		}
		return slices.CompareFunc(a.digests, b.digests, assay.Digest.Compare)
	})
	return out
}

// identity gives the digests that identify a part.
func (p part) identity() []assay.Digest {
	var out []assay.Digest
	for _, d := range p.digests {
		if ofComponent.identifies(d.Algorithm()) {
			out = append(out, d)
		}
	}
	return out
}

// coverage looks for the provenance of everything in the image, and proves it.
func (v *Verifier) coverage(ctx context.Context, in inputs, c *subjectCase) (*Coverage, error) {
	if in.components == nil {
		return nil, nil
	}
	out := &Coverage{levels: map[string]int{}}
	parts := c.parts()
	var ask []assay.Digest
	for _, p := range parts {
		for _, d := range p.identity() {
			if _, seen := in.components[d]; !seen {
				ask = append(ask, d)
			}
		}
	}
	slices.SortFunc(ask, assay.Digest.Compare)
	ask = slices.Compact(ask)
	shared := openings{}
	if err := v.discoverAbout(ctx, v.components, ofComponent, ask[:min(len(ask), maxComponents)], shared, in.components, c.report.At); err != nil {
		return nil, err
	}
	for _, p := range parts {
		out.Total++
		ids := p.identity()
		if len(ids) > 0 {
			out.Identified++
		}
		var best *ComponentProvenance
		for _, d := range ids {
			found := in.components[d]
			out.Faults = append(out.Faults, found.faults...)
			for _, e := range found.envelopes {
				if got := v.componentProvenance(ctx, shared.of(e), p.name, d, c.report); got != nil && (best == nil || got.Level > best.Level) {
					best = got
				}
			}
		}
		out.levels[p.key()] = -1
		if best == nil {
			continue
		}
		out.levels[p.key()] = best.Level
		out.Verified++
		if best.Source.Repository != "" && !best.Source.Commit.IsZero() {
			out.FromSource++
		}
		out.Proven = append(out.Proven, *best)
	}
	out.Faults = sortFaults(out.Faults)
	return out, ctx.Err()
}

// discoverAbout asks a source for what is not known yet of the digests, and keeps of it
// what is accepted about them: whoever answers with all that they have is not taken at it.
func (v *Verifier) discoverAbout(ctx context.Context, source attest.Source, of scope, ask []assay.Digest, shared openings, into map[assay.Digest]componentEvidence, at time.Time) error {
	if source == nil {
		return nil // a replay: what was not found then is not there
	}
	found := make([]*attest.Found, len(ask))
	g, group := errgroup.WithContext(ctx)
	g.SetLimit(v.workers)
	for i, d := range ask {
		g.Go(func() (err error) {
			if found[i], err = source.Discover(group, d); err != nil {
				err = &assay.Error{Op: "discover", Kind: assay.ErrUnchecked, Subject: d.String(), Err: err}
			}
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	for i, d := range ask {
		var e componentEvidence
		for envelope := range found[i].Bundle.Envelopes() {
			o := shared.of(envelope)
			shared[envelope.Digest()] = o
			if a, _ := v.open(ctx, o, []assay.Digest{d}, at, of); a.State == assay.Proven {
				e.envelopes = append(e.envelopes, envelope)
			}
		}
		for _, f := range found[i].Faults {
			if f.Kind == attest.Unreadable {
				e.faults = append(e.faults, Fault{Store: joinStore(f.Store, f.Reference), Detail: detail(f)})
			}
		}
		e.faults = sortFaults(e.faults)
		into[d] = e
	}
	return nil
}

// componentProvenance proves one envelope about a component, and gives nil if it shows
// nothing.
func (v *Verifier) componentProvenance(ctx context.Context, o *opening, name string, digest assay.Digest, r *Report) *ComponentProvenance {
	a, verified := v.open(ctx, o, []assay.Digest{digest}, r.At, ofComponent)
	if a.State != assay.Proven || verified == nil {
		return nil
	}
	p, ok := narrow[*assay.Provenance](*verified)
	if !ok {
		return nil
	}
	if state, _, _ := v.speaksFor(p); state != assay.Proven {
		return nil
	}
	l := v.levelOf(p)
	if l.Level == 0 {
		return nil
	}
	out := &ComponentProvenance{Name: clip(name), Digest: digest, Envelope: p.Envelope(), Signer: p.Signer(), Builder: l.Builder, Level: l.Level}
	if v.believed(p) {
		out.Source = p.Evidence().Source
	}
	return out
}

// dependencyLevels counts the parts of the image, or of all images of an index, by level,
// as summaries do: each part once, in however many images it is (VSA V4). It is nil if
// nobody looked.
func (r *Report) dependencyLevels() map[string]int {
	var levels map[string]int
	var add func(*Report)
	add = func(r *Report) {
		if r.Components != nil {
			if levels == nil {
				levels = map[string]int{}
			}
			for key, n := range r.Components.levels {
				if before, twice := levels[key]; !twice || n < before {
					levels[key] = n
				}
			}
		}
		for _, p := range r.Platforms {
			add(p)
		}
	}
	if add(r); levels == nil {
		return nil
	}
	out := map[string]int{}
	for _, n := range levels {
		if n < 0 {
			out["SLSA_BUILD_LEVEL_UNEVALUATED"]++
		} else {
			out[provenance.BuildLevel{N: n}.String()]++
		}
	}
	return out
}

// openScopes are those of which the inventory says that there is more in the image.
func (c *subjectCase) openScopes() []string {
	var out []string
	for _, inv := range c.inventories() {
		for _, s := range inv.Completeness {
			if s.Aggregate == "incomplete" && strings.HasPrefix(s.Scope, "components") && (s.Of == "" || s.Of == inv.Root.ID) {
				out = append(out, s.Scope)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// covered answers whether as much of the image comes from verified source as the policy
// wants.
func (v *Verifier) covered(c *subjectCase) Check {
	check := Check{ID: CheckComponents}
	got := c.report.Components
	if got == nil {
		check.Reason, check.Detail = NotStated, "provenance of components was not looked for"
		return check
	}
	for _, p := range got.Proven {
		check.Evidence = append(check.Evidence, p.Envelope)
	}
	check.Detail = fmt.Sprintf("%d of %d components have verified provenance, %d from a named source; %d have a digest to look for", got.Verified, got.Total, got.FromSource, got.Identified)
	want, open := v.policy.MinComponents, c.openScopes()
	enough := got.FromSource*100 >= want*got.Total && (want > 0 || got.FromSource == got.Total)
	switch {
	case got.Total == 0:
		check.Reason = NotStated
	case enough && c.contents.inspection == nil && !v.policy.ContentsUnsafe:
		// Whoever made the SBOM may have left out what has no provenance.
		check.Reason = c.contents.reason
		check.Detail += "; that there are no others is the word of the SBOM: " + c.contents.detail
	case enough && len(open) > 0:
		check.Reason = ContentsIncomplete
		check.Detail += "; there may be others: " + strings.Join(open, ", ") + " of the image could not all be read"
	case enough:
		check.State, check.Reason = assay.Proven, Holds
	case len(got.Faults) > 0:
		check.Reason = StoreUnreadable
		check.Detail += "; a store could not be read: " + got.Faults[0].Store
	case want == 0:
		check.Reason = NotShown
	default:
		check.State, check.Reason = assay.Refuted, CoverageTooLow
		check.Detail += fmt.Sprintf("; the policy wants %d %%", want)
	}
	return check
}
