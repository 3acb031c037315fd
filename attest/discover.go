package attest

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strconv"

	"github.com/assaykit/assay"
)

// maxIndexDepth bounds indexes in indexes.
const maxIndexDepth = 3

// finder is one call of Discover on one [place].
type finder struct {
	place  place
	name   string // of the place
	limits Limits
	slots  chan struct{} // requests at a time

	nodes map[assay.Digest]*node
	order []*node // as they were met

	faults  []Fault
	ignored map[string]int
}

// node is a manifest that there may be evidence about.
type node struct {
	subject assay.Digest
	index   []descriptor // of an index, what is in it
	lists   []list
	listed  []listed
	bundle  *assay.Bundle // the envelopes, without what is below
}

// position is a place in an index. The same manifest may be in many.
type position struct {
	platform assay.Platform
	node     *node
	below    []*position
}

// list is the answer of one store.
type list struct {
	name   string
	listed []listed
	err    error
}

func newFinder(l Limits, name string) *finder {
	l = l.withDefaults()
	return &finder{name: name, limits: l, slots: make(chan struct{}, l.Concurrency), nodes: map[assay.Digest]*node{}}
}

func (f *finder) found(b *assay.Bundle) *Found {
	out := &Found{Bundle: b, Faults: f.faults}
	slices.SortFunc(out.Faults, Fault.Compare)
	for t, n := range f.ignored {
		out.Ignored = append(out.Ignored, Ignored{f.name, t, n})
	}
	slices.SortFunc(out.Ignored, compareIgnored)
	return out
}

func (f *finder) fault(reference string, err error) {
	kind := Unreadable
	if errors.Is(err, assay.ErrAbsent) {
		kind = Absent
	}
	f.faults = append(f.faults, Fault{f.name, reference, kind, statusOf(err), err})
}

// unreadable is a fault of something that is known to be there.
func (f *finder) unreadable(reference string, err error) {
	if errors.Is(err, assay.ErrAbsent) {
		err = &assay.Error{Op: "read what is listed", Kind: assay.ErrUnchecked, Subject: f.name, Field: reference, Err: &statusError{status: statusOf(err)}}
	}
	f.fault(reference, err)
}

func (f *finder) ignore(what string) {
	if f.ignored == nil {
		f.ignored = map[string]int{}
	}
	f.ignored[what]++
}

// request does what asks the place, when it is its turn.
func (f *finder) request(do func()) {
	f.slots <- struct{}{}
	defer func() { <-f.slots }()
	do()
}

// each reads n things of the place; what is done with them is done in order.
func (f *finder) each(n int, stop func() bool, read func(i int) (then func())) int {
	return ordered(n, 2*f.limits.Concurrency, stop, func(i int) (then func()) {
		f.request(func() { then = read(i) })
		return then
	})
}

func never() bool { return false }

// discover reads the digest, all that is below it if it is an index, and what is
// attached to any of them.
func (f *finder) discover(ctx context.Context, subject assay.Digest) *assay.Bundle {
	if f.namesNothing(subject) {
		return assay.NewBundle(subject)
	}
	first, _ := f.node(subject)
	root := &position{node: first}
	level, fresh := []*position{root}, []*node{first}
	left := f.limits.Platforms
	for depth := 0; len(level) > 0; depth++ {
		f.read(ctx, fresh)
		var next []*position
		fresh = nil
		seen := map[*node]bool{}
		for _, p := range level {
			again := seen[p.node]
			seen[p.node] = true
			switch {
			case p.node.index == nil:
				continue
			case depth < maxIndexDepth:
				fresh = append(fresh, f.descend(p, &left, again)...)
				next = append(next, p.below...)
			case !again:
				f.tooMuch(p.node, "an index in "+strconv.Itoa(depth)+" others", "at most "+strconv.Itoa(maxIndexDepth))
			}
		}
		level = next
	}
	f.artifacts(ctx)
	return root.tree()
}

// namesNothing reports a digest that no artifact can have or name as its subject, because
// its algorithm is none of OCI's (image-spec v1.1, descriptor.md#registered-algorithms): that
// of a Go module, or a git commit.
func (f *finder) namesNothing(d assay.Digest) bool {
	switch d.Algorithm() {
	case assay.DirHash, assay.GitCommit, assay.GitTree, assay.GitBlob, assay.GitTag:
		f.fault(d.String(), &assay.Error{Op: "discover", Kind: assay.ErrAbsent, Subject: f.name, Value: string(d.Algorithm()), Bound: "a digest of an artifact, such as sha256"})
		return true
	}
	return false
}

// tooMuch is the fault of an index of which a part is not read.
func (f *finder) tooMuch(n *node, value, bound string) {
	f.fault(n.subject.String(), &assay.Error{Op: "read index", Kind: assay.ErrBound, Subject: f.name + "@" + n.subject.String(), Value: value, Bound: bound})
}

// node gives the node of a digest, and whether it is a new one.
func (f *finder) node(d assay.Digest) (*node, bool) {
	if n := f.nodes[d]; n != nil {
		return n, false
	}
	n := &node{subject: d, bundle: assay.NewBundle(d)}
	f.nodes[d] = n
	f.order = append(f.order, n)
	return n, true
}

// tree gives the bundle with those below it.
func (p *position) tree() *assay.Bundle {
	b := assay.NewBundle(p.node.subject, slices.Collect(p.node.bundle.Envelopes())...)
	for _, c := range p.below {
		b.AddPlatform(c.platform, c.tree())
	}
	return b
}

// read reads the manifests and the lists of what is attached to them, all at once.
func (f *finder) read(ctx context.Context, nodes []*node) {
	stores := f.place.stores()
	tasks := 1 + len(stores)
	f.each(tasks*len(nodes), never, func(i int) func() {
		n := nodes[i/tasks]
		if i%tasks == 0 {
			d, body, err := f.place.manifest(ctx, n.subject)
			return func() { f.manifest(n, d, body, err) }
		}
		s := stores[i%tasks-1]
		l := list{name: s.name(n.subject)}
		l.listed, l.err = s.list(ctx, n.subject)
		return func() { n.lists = append(n.lists, l) }
	})
	for _, n := range nodes {
		f.merge(n)
	}
}

// manifest looks what is below a node.
func (f *finder) manifest(n *node, d descriptor, body []byte, err error) {
	name := f.name + "@" + n.subject.String()
	if err != nil {
		f.fault(n.subject.String(), err)
		return
	}
	m, err := parseManifest(name, d.MediaType, body)
	if err != nil {
		f.fault(n.subject.String(), err)
		return
	}
	if m.Manifests == nil {
		return
	}
	if n.index, err = readIndex(name, body); err != nil {
		f.fault(n.subject.String(), err)
	}
}

// merge makes one list of those of all stores, each artifact once.
func (f *finder) merge(n *node) {
	whole := true
	for _, l := range n.lists {
		n.listed = append(n.listed, l.listed...)
		if l.err != nil && !errors.Is(l.err, assay.ErrAbsent) {
			whole = false
			f.fault(l.name, l.err)
		}
	}
	n.lists = nil
	n.listed = distinctListed(n.listed)
	switch {
	case len(n.listed) == 0 && whole:
		f.fault(n.subject.String(), &assay.Error{Op: "discover", Kind: assay.ErrAbsent, Subject: f.name + "@" + n.subject.String(), Field: "attached artifacts"})
	case len(n.listed) > f.limits.Referrers:
		n.listed = n.listed[:f.limits.Referrers]
		f.fault("artifacts of "+n.subject.String(), &assay.Error{Op: "list referrers", Kind: assay.ErrBound, Subject: f.name + "@" + n.subject.String(),
			Value: "more", Bound: "at most " + strconv.Itoa(f.limits.Referrers)})
	}
}

// distinctListed sorts, and keeps of each artifact one for each place it was found in.
// The type in a list decides whether an artifact is read: where the lists differ, the
// one that is read comes first. What one list had of it, the others need not ask for.
func distinctListed(list []listed) []listed {
	slices.SortStableFunc(list, func(a, b listed) int {
		return cmp.Or(a.digest.Compare(b.digest), cmp.Compare(a.source, b.source),
			-compareBool(mayCarry(a.kind), mayCarry(b.kind)), -compareBool(a.body != nil, b.body != nil), cmp.Compare(a.kind, b.kind))
	})
	list = slices.CompactFunc(list, func(a, b listed) bool { return a.digest == b.digest && a.source == b.source })
	bodies := map[assay.Digest]listed{}
	for _, l := range list {
		if l.body != nil {
			bodies[l.digest] = l
		}
	}
	for i, l := range list {
		if have, ok := bodies[l.digest]; ok {
			list[i].body, list[i].mediaType = have.body, have.mediaType
		}
	}
	return list
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

// descend takes what is in an index: the images go below it, as many as are left, and
// the attestations of BuildKit to the images that they are about. It gives the nodes
// that are new. What is below the same index in another place is below it again.
func (f *finder) descend(p *position, left *int, again bool) []*node {
	var fresh []*node
	type entry struct {
		platform string
		digest   assay.Digest
	}
	seen := map[entry]bool{}
	for _, d := range p.node.index {
		if isUnknownPlatform(d) {
			continue
		}
		var platform assay.Platform
		if d.Platform != nil {
			platform = d.Platform.Normalize()
		}
		if e := (entry{platform.String(), d.Digest}); seen[e] {
			continue
		} else {
			seen[e] = true
		}
		if *left == 0 {
			f.tooMuch(p.node, "more", "at most "+strconv.Itoa(f.limits.Platforms)+" platforms")
			break
		}
		*left--
		n, isNew := f.node(d.Digest)
		if isNew {
			fresh = append(fresh, n)
		}
		p.below = append(p.below, &position{platform: platform, node: n})
	}
	if !again {
		f.buildKit(p)
	}
	return fresh
}
