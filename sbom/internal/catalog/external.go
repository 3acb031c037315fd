package catalog

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/layers"
)

// External is a cataloger that is not of this module.
type External struct {
	// Name is what its components are found by.
	Name string
	// Ecosystems are the package URL types of which it finds all components.
	Ecosystems []string
	// Match and Head say whether the content of a regular file is wanted. Without
	// Head all that match are.
	Match func(*layers.File) bool
	Head  func(f *layers.File, head []byte) bool
	// Visit makes finds of a content. If it reports later, it is [External.Late] that
	// does, after the pass. Errors are about the one file.
	Visit func(ctx context.Context, f *layers.File, content []byte) (finds []Find, later bool, err error)
	// Late is Visit with the merged tree's os-release, empty if there is none.
	Late func(ctx context.Context, f *layers.File, content, release []byte) ([]Find, error)
}

// Find is one component that an external cataloger found in one file.
type Find struct {
	Component assay.Component
	DependsOn []assay.PURL
}

// size is about what it takes in memory.
func (f *Find) size() int {
	c := &f.Component
	n := 512 + len(c.Name) + len(c.Version) + len(c.PURL.String()) + len(c.Supplier) + len(c.Creator) + len(c.Description) + len(c.Source.Name) + len(c.Source.Version)
	for _, s := range c.CPEs {
		n += 16 + len(s)
	}
	for _, l := range c.Licenses {
		n += 64 + len(l.Name) + len(l.Expression)
	}
	for k, v := range c.Properties {
		n += 64 + len(k) + len(v)
	}
	for _, p := range f.DependsOn {
		n += 16 + len(p.String())
	}
	return n + 128*len(c.Hashes)
}

// key tells the finds of one file apart.
func (f *Find) key() string {
	c := &f.Component
	if !c.PURL.IsZero() {
		return c.PURL.String()
	}
	return c.Name + "\x00" + c.Version
}

// externalFact is about a file that an external cataloger looked at.
type externalFact struct {
	finds []Find
	// content is kept for [External.Late], with a copy of what was known of the file.
	content []byte
	file    *layers.File
}

type externalVisitor struct {
	*External
	budget *budget
}

func (v externalVisitor) Name() string { return v.External.Name }

// Match takes no symbolic links: what they point to is matched under its own name.
func (v externalVisitor) Match(f *layers.File) layers.Want {
	if f.Type != layers.Regular || !v.External.Match(f) {
		return layers.WantNothing
	}
	if v.Head != nil {
		return layers.WantPeek
	}
	return layers.WantContent | layers.WantOptional
}

func (v externalVisitor) Peek(f *layers.File, head []byte) layers.Want {
	if !v.Head(f, head) {
		return layers.WantNothing
	}
	return layers.WantContent | layers.WantOptional
}

func (v externalVisitor) Visit(ctx context.Context, f *layers.File, c layers.Content) (any, error) {
	finds, later, err := v.External.Visit(ctx, f, c.Bytes)
	if err != nil {
		return faultyUnlessStopped(ctx, f, err)
	}
	if later {
		if err := v.budget.take(f, len(c.Bytes)); err != nil {
			return nil, err
		}
		file := *f
		return &externalFact{content: slices.Clone(c.Bytes), file: &file}, nil
	}
	if len(finds) == 0 {
		return nil, nil
	}
	return &externalFact{finds: finds}, takeFinds(v.budget, f, finds)
}

func takeFinds(b *budget, f *layers.File, finds []Find) error {
	size := 0
	for i := range finds {
		size += finds[i].size()
	}
	return b.take(f, size)
}

// faultyUnlessStopped tells a file that could not be understood, which hides nothing
// else, from a scan that was called off.
func faultyUnlessStopped(ctx context.Context, f *layers.File, err error) (any, error) {
	if cause := context.Cause(ctx); cause != nil {
		return nil, &assay.Error{Op: "catalog", Kind: assay.ErrUnchecked, Subject: f.Path, Err: cause}
	}
	return faulty{err}, nil
}

// ecosystems are those of this module and of the caller, whose components can explain
// executables like all others.
func (c *Catalog) ecosystems() []ecosystem {
	all := ecosystems()
	at := len(all)
	if i := slices.IndexFunc(all, func(e ecosystem) bool { return e.scope == "generic" }); i >= 0 {
		at = i
	}
	var external []ecosystem
	for i := range c.External {
		x := &c.External[i]
		external = append(external, ecosystem{
			name:    x.Name,
			visitor: func(b *budget) layers.Visitor { return externalVisitor{x, b} },
			take:    func(m *maker) error { return m.external(x) },
			// What was skipped counts for several ecosystems; see external.
			minor: func(string) bool { return true },
		})
	}
	return slices.Insert(all, at, external...)
}

// late makes the finds that had to wait for the distribution, by the facts that
// kept the contents.
func (c *Catalog) late(ctx context.Context, res *layers.Result) (map[*externalFact]any, error) {
	var release []byte
	for _, path := range []string{"etc/os-release", "usr/lib/os-release"} {
		if text, err := res.Content(path); err == nil {
			release = text
			break
		} else if !errors.Is(err, assay.ErrAbsent) {
			break // it is there, and is told to be skipped
		}
	}
	out := map[*externalFact]any{}
	for i := range c.External {
		x := &c.External[i]
		for _, facts := range [][]layers.Fact{res.HistoryFacts(x.Name), res.Facts(x.Name)} {
			for _, fact := range facts {
				f, ok := fact.Value.(*externalFact)
				if !ok || f.file == nil || out[f] != nil {
					continue
				}
				finds, err := x.Late(ctx, f.file, f.content, release)
				if err != nil {
					if out[f], err = faultyUnlessStopped(ctx, f.file, err); err != nil {
						return nil, err
					}
					continue
				}
				if err := takeFinds(c.budget, f.file, finds); err != nil {
					return nil, err
				}
				out[f] = &externalFact{finds: finds}
			}
		}
	}
	return out, nil
}

func (m *maker) external(x *External) error {
	settled := func(f layers.Fact) any {
		if late := m.late[asExternal(f.Value)]; late != nil {
			return late
		}
		return f.Value
	}
	skipped := slices.ContainsFunc(m.res.Skipped, func(s layers.Skipped) bool {
		f := m.res.Tree.Get(s.Path)
		return s.Visitor == x.Name && f != nil && f.Type == layers.Regular && f.ContentLayer == s.Layer && f.Size == s.Size
	})
	for _, facts := range [][]layers.Fact{m.res.Facts(x.Name), m.res.HistoryFacts(x.Name)} {
		for _, f := range facts {
			if bad, ok := settled(f).(faulty); ok {
				m.skip(x.Name, f, bad.err)
				skipped = skipped || f.Removed < 0
			}
		}
	}
	finds := func(f *externalFact) []Find {
		if late, ok := m.late[f].(*externalFact); ok {
			return late.finds
		}
		return f.finds
	}
	files := lineages(m.res, x.Name, func(f *externalFact) map[string]int {
		keys := map[string]int{}
		for i, one := range finds(f) {
			if _, again := keys[one.key()]; !again {
				keys[one.key()] = i
			}
		}
		return keys
	})

	byPURL := map[assay.PURL][]*node{}
	for _, n := range m.nodes {
		if !n.c.PURL.IsZero() {
			byPURL[n.c.PURL] = append(byPURL[n.c.PURL], n)
		}
	}
	types := map[string]bool{}
	var nodes []*node
	type dependent struct {
		node *node
		on   []assay.PURL
	}
	var dependents []dependent
	current(files, func(path string, layer int, f *externalFact, i int) {
		one := finds(f)[i]
		c := externalComponent(x, &one)
		if same := byPURL[c.PURL]; len(same) > 0 {
			c.Name = same[0].c.Name // one package URL, one component, however it is spelled
		}
		c.Locations = []assay.Location{m.location(path, layer)}
		before := len(m.nodes)
		n := m.add(c)
		if len(m.nodes) > before {
			nodes = append(nodes, n)
			if !c.PURL.IsZero() {
				byPURL[c.PURL] = append(byPURL[c.PURL], n)
			}
		} else {
			n.complete(&c)
		}
		if one.DependsOn != nil {
			dependents = append(dependents, dependent{n, one.DependsOn})
		}
		if !c.PURL.IsZero() {
			types[c.PURL.Type()] = true
		}
	})
	history(m, files, func(f *externalFact, i int) assay.Component { return externalComponent(x, &finds(f)[i]) })

	for t := range types {
		m.vouch(t, slices.Contains(x.Ecosystems, t))
	}
	for _, d := range dependents {
		for _, p := range d.on {
			if len(byPURL[p]) == 0 {
				m.partial["dependencies:"+d.node.c.PURL.Type()] = true
			}
			for _, to := range byPURL[p] {
				if err := m.relate(d.node, assay.DependsOn, to); err != nil {
					return err
				}
			}
		}
		if err := m.alive(); err != nil {
			return err
		}
	}
	if skipped {
		for t := range types {
			m.partial["components:"+t] = true
		}
		for _, t := range x.Ecosystems {
			m.vouch(t, true)
			m.partial["components:"+t] = true
		}
	}
	reach(nodes)
	return nil
}

func asExternal(v any) *externalFact {
	f, _ := v.(*externalFact)
	return f
}

// vouch makes statements on an ecosystem. What another cataloger says of it stands;
// of dependencies nobody knows whether an external one finds all.
func (m *maker) vouch(ecosystem string, all bool) {
	components, dependencies := "components:"+ecosystem, "dependencies:"+ecosystem
	if !m.found[ecosystem] {
		m.found[ecosystem] = true
		m.unknown[components], m.unknown[dependencies] = true, true
	}
	if all {
		delete(m.unknown, components)
	}
}

// complete takes over what was not known of a component before.
func (n *node) complete(c *assay.Component) {
	if n.c.Supplier == "" {
		n.c.Supplier = c.Supplier
	}
	if n.c.Creator == "" {
		n.c.Creator = c.Creator
	}
	if n.c.Description == "" {
		n.c.Description = c.Description
	}
	if n.c.Source == (assay.SourcePackage{}) {
		n.c.Source = c.Source
	}
	for _, cpe := range c.CPEs {
		if !slices.Contains(n.c.CPEs, cpe) {
			n.c.CPEs = append(slices.Clip(n.c.CPEs), cpe)
		}
	}
}

// externalComponent is a copy: facts outlive the inventory.
func externalComponent(x *External, f *Find) assay.Component {
	c := f.Component
	c.FoundBy, c.Locations, c.ID = x.Name, nil, ""
	c.Licenses, c.CPEs, c.Hashes, c.Properties = slices.Clone(c.Licenses), slices.Clone(c.CPEs), slices.Clone(c.Hashes), maps.Clone(c.Properties)
	c.References = slices.Clone(c.References)
	if c.Type == "" {
		c.Type = assay.TypeLibrary
	}
	if c.PURL.IsZero() {
		c.ID = assay.ComponentID(x.Name + ":" + c.Name + "@" + c.Version)
	}
	return c
}
