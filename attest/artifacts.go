package attest

import (
	"context"
	"strconv"
	"sync/atomic"

	"github.com/assaykit/assay"
)

// maxLayers bounds the envelopes in one artifact; it is cosign's bound, too.
const maxLayers = 1000

// carried is an envelope that an artifact says it carries.
type carried struct {
	node        *node
	artifact    assay.Digest
	source      string
	mediaType   string
	layer       descriptor
	annotations map[string]string
}

// size is what keeping it takes.
func (c carried) size() int64 {
	n := c.layer.Size
	for k, v := range c.annotations {
		n += int64(len(k) + len(v))
	}
	return n
}

type task struct {
	node *node
	listed
}

// artifacts reads the artifacts of all nodes, and then the envelopes in them.
func (f *finder) artifacts(ctx context.Context) {
	var tasks []task
	for _, n := range f.order {
		for _, l := range n.listed {
			if mayCarry(l.kind) {
				tasks = append(tasks, task{n, l})
			} else {
				f.ignore(l.kind)
			}
		}
		n.listed = nil
	}
	f.envelopes(ctx, f.manifests(ctx, tasks))
}

// manifests gives what the artifacts carry, as much as the limits allow. Which that is
// is decided in the order of the tasks, and not by which answer comes first.
func (f *finder) manifests(ctx context.Context, tasks []task) []carried {
	var out []carried
	left := f.limits.TotalBytes
	var full atomic.Bool
	stop := func() bool { return full.Load() || ctx.Err() != nil }
	done := f.each(len(tasks), stop, func(i int) func() {
		t := tasks[i]
		body, mediaType := t.body, t.mediaType
		var err error
		if body == nil {
			var d descriptor
			d, body, err = f.place.manifest(ctx, t.digest)
			mediaType = d.MediaType
		}
		tasks[i].body = nil
		var m *parsedManifest
		if err == nil {
			m, err = parseManifest(f.name+"@"+t.digest.String(), mediaType, body)
		}
		return func() {
			if err != nil {
				// It was listed, so that it is not there is a store that cannot be read.
				f.unreadable(t.digest.String(), err)
				return
			}
			for _, c := range f.carries(t, m) {
				switch size := c.size(); {
				case full.Load():
				case len(out) == f.limits.Envelopes:
					full.Store(true)
					f.fault("envelopes", &assay.Error{Op: "read envelopes", Kind: assay.ErrBound, Subject: f.name,
						Value: "more", Bound: "at most " + strconv.Itoa(f.limits.Envelopes) + " envelopes"})
				case size > left:
					f.unreadable(c.artifact.String(), &assay.Error{Op: "read envelopes", Kind: assay.ErrBound, Subject: f.name + "@" + c.artifact.String(),
						Value: "more", Bound: "at most " + strconv.FormatInt(f.limits.TotalBytes, 10) + " bytes of envelopes"})
				default:
					left -= size
					out = append(out, c)
				}
			}
		}
	})
	f.interrupted(ctx, "artifacts", len(tasks)-done)
	return out
}

// interrupted says how much was not read because the time was over.
func (f *finder) interrupted(ctx context.Context, what string, left int) {
	if left > 0 && ctx.Err() != nil {
		f.fault(what, &assay.Error{Op: "read " + what, Kind: assay.ErrUnchecked, Subject: f.name, Value: strconv.Itoa(left) + " were not read", Err: context.Cause(ctx)})
	}
}

// carries gives the layers of an artifact that are envelopes.
func (f *finder) carries(t task, m *parsedManifest) []carried {
	name := f.name + "@" + t.digest.String()
	bad := func(kind error, field, value, bound string) {
		f.unreadable(t.digest.String(), &assay.Error{Op: "read artifact", Kind: kind, Subject: name, Field: field, Value: value, Bound: bound})
	}
	if t.refers {
		got := "no subject"
		if m.Subject != nil {
			got = m.Subject.Digest
		}
		if got != t.node.subject.String() {
			bad(assay.ErrRefuted, "/subject/digest", got, t.node.subject.String())
			return nil
		}
	}
	switch {
	case m.Manifests != nil && !t.refers:
		bad(assay.ErrInvalid, "/manifests", "an index", "a manifest with layers")
		return nil
	case m.Layers == nil:
		f.ignore(m.kind())
		return nil
	}
	var out []carried
	envelopes := 0
	for i, r := range *m.Layers {
		mediaType, ok := envelopeType(r.MediaType)
		if !ok {
			continue
		}
		if envelopes++; envelopes > maxLayers {
			bad(assay.ErrBound, "/layers", "more", "at most "+strconv.Itoa(maxLayers)+" envelopes")
			break
		}
		l, err := f.layer(name, r, i)
		if err != nil {
			f.unreadable(t.digest.String(), err)
			continue
		}
		c := carried{node: t.node, artifact: t.digest, source: t.source, mediaType: mediaType, layer: l}
		if mediaType == assay.MediaTypeDSSE || mediaType == assay.MediaTypeSimpleSigning {
			c.annotations = r.Annotations
		}
		out = append(out, c)
	}
	if envelopes == 0 {
		f.ignore(m.kind())
	}
	return out
}

// layer checks what a manifest says of one of its layers.
func (f *finder) layer(name string, r rawDescriptor, i int) (descriptor, error) {
	field := "/layers/" + strconv.Itoa(i)
	l, err := r.parse(name, field)
	if err != nil {
		return descriptor{}, err
	}
	if l.Size > f.limits.BlobBytes {
		return descriptor{}, &assay.Error{Op: "read envelope", Kind: assay.ErrBound, Subject: name, Field: field + "/size",
			Value: strconv.FormatInt(l.Size, 10), Bound: "at most " + strconv.FormatInt(f.limits.BlobBytes, 10) + " bytes"}
	}
	return l.plain(), nil
}

// envelopes reads the blobs, each once, whoever carries it.
func (f *finder) envelopes(ctx context.Context, all []carried) {
	type content struct {
		digest assay.Digest
		size   int64
	}
	var blobs []descriptor
	who := map[content][]carried{}
	for _, c := range all {
		k := content{c.layer.Digest, c.layer.Size}
		if who[k] == nil {
			blobs = append(blobs, c.layer)
		}
		who[k] = append(who[k], c)
	}
	stop := func() bool { return ctx.Err() != nil }
	done := f.each(len(blobs), stop, func(i int) func() {
		raw, err := f.place.blob(ctx, blobs[i])
		return func() {
			for _, c := range who[content{blobs[i].Digest, blobs[i].Size}] {
				if err != nil {
					f.unreadable(c.artifact.String(), err)
					continue
				}
				c.node.bundle.Add(assay.NewAnnotatedEnvelope(c.mediaType, raw, c.annotations, c.source))
			}
		}
	})
	f.interrupted(ctx, "envelopes", len(blobs)-done)
}
