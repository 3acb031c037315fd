package catalog

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/layers"
	"github.com/assaykit/assay/sbom/internal/catalog/osrelease"
)

// node is a component in the making.
type node struct {
	c    assay.Component
	top  bool
	to   map[*node]assay.RelationKind // at most one kind between two
	rank int                          // in the order of IDs, when all have one
}

// relate adds an edge. Nothing relates to itself. The error is of kind
// [assay.ErrBound] if there are too many edges, [assay.ErrUnchecked] if the context
// ended.
func (m *maker) relate(n *node, kind assay.RelationKind, to *node) error {
	if n == to {
		return nil
	}
	if n.to == nil {
		n.to = map[*node]assay.RelationKind{}
	}
	if _, ok := n.to[to]; !ok {
		m.relations++
	}
	n.to[to] = kind
	if m.relations > maxRelations {
		return tooManyRelations()
	}
	return m.alive()
}

// maker gathers nodes, then makes an inventory of them.
type maker struct {
	pulse
	relations int

	res     *layers.Result
	nodes   []*node
	byKey   map[key][]*node
	byHash  map[hashed]*node
	skipped []Skipped
	past    []past
	found   map[string]bool // ecosystem: something of it was found
	partial map[string]bool // scope of a completeness statement: not all
	unknown map[string]bool // scope of a completeness statement: nobody knows
	late    map[*externalFact]any
	release osrelease.Release
	// lockFiles is Catalog.LockFiles.
	lockFiles bool
	ownership *ownership
	noting    chan error // of [maker.installing], nil if nothing goes on
	failed    error      // of it
	// claims are what explains files that no file list has, by path and by folder.
	claims, folderClaims map[string]*node
	// copyrights are by the file of the merged tree.
	copyrights map[*layers.File][]assay.License
}

func newMaker(stopped func() error, res *layers.Result) *maker {
	return &maker{
		pulse: pulse{stopped: stopped}, res: res, byKey: map[key][]*node{}, byHash: map[hashed]*node{},
		found: map[string]bool{}, partial: map[string]bool{}, unknown: map[string]bool{},
	}
}

// past is a component of a version of a file that is gone.
type past struct {
	c         assay.Component
	layer, by int
}

// Inventory makes an inventory of the facts of a pass. What was not understood is in
// it. An error is of kind [assay.ErrBound]: there are too many packages or relations;
// or of kind [assay.ErrUnchecked]: the context ended.
func (c *Catalog) Inventory(ctx context.Context, res *layers.Result) (*Inventory, error) {
	m := newMaker(func() error { return context.Cause(ctx) }, res)
	m.lockFiles = c.LockFiles
	m.ownership = newOwnership(res.Tree, m.stopped)
	defer m.installs() // nothing goes on after the end
	var err error
	if m.late, err = c.late(ctx, res); err != nil {
		return nil, err
	}
	m.os()
	all := c.ecosystems()
	aside := m.takeApart(all)
	defer func() {
		for _, a := range aside {
			<-a.done
		}
	}()
	for _, e := range all {
		if a := aside[e.name]; a != nil {
			if joined, err := m.join(a); err != nil {
				return nil, err
			} else if joined {
				continue
			}
		}
		if err := e.take(m); err != nil {
			return nil, err
		}
	}
	for _, e := range all {
		if err := m.owned(e); err != nil {
			return nil, err
		}
		m.skippedByEngine(e)
	}
	if m.installs(); m.failed != nil {
		return nil, m.failed
	}
	return m.finish(), nil
}

// identity is what makes two finds one component: the package URL, and the name as
// it is written, which the package URLs of some types fold to lowercase.
func identity(c *assay.Component) string {
	if c.PURL.IsZero() {
		return string(c.ID)
	}
	return c.PURL.String() + "\x00" + c.Name
}

// key is [identity], comparable without making a text of it: of a component with a
// package URL that and the name, of others the ID.
type key struct {
	purl assay.PURL
	text string
}

func keyOf(c *assay.Component) key {
	if c.PURL.IsZero() {
		return key{text: string(c.ID)}
	}
	return key{c.PURL, c.Name}
}

// hashed is a component by one of its digests.
type hashed struct {
	key
	digest assay.Digest
}

// add gives the node of the component, merged with what was found before.
func (m *maker) add(c assay.Component) *node {
	key := keyOf(&c)
	if n := m.match(key, c); n != nil {
		return n
	}
	n := &node{c: c}
	m.nodes = append(m.nodes, n)
	m.byKey[key] = append(m.byKey[key], n)
	for _, h := range c.Hashes {
		m.byHash[hashed{key, h}] = n
	}
	return n
}

// match finds the node to merge the component with, and does. It looks for one with
// the same digest, then at a few: an image can be made to have very many that
// contradict one another.
func (m *maker) match(key key, c assay.Component) *node {
	for _, h := range c.Hashes {
		if n := m.byHash[hashed{key, h}]; n != nil && n.merge(c) {
			return n
		}
	}
	nodes := m.byKey[key]
	for _, n := range nodes[:min(len(nodes), 8)] {
		if n.merge(c) {
			for _, h := range c.Hashes {
				m.byHash[hashed{key, h}] = n
			}
			return n
		}
	}
	return nil
}

// merge adds another find of the component, unless their digests contradict.
func (n *node) merge(c assay.Component) bool {
	hashes, err := assay.NewDigestSet(append(slices.Clone(n.c.Hashes), c.Hashes...)...)
	if err != nil {
		return false
	}
	n.c.Hashes = hashes
	n.c.Locations = append(n.c.Locations, c.Locations...)
	for _, l := range c.Licenses {
		if !slices.Contains(n.c.Licenses, l) {
			n.c.Licenses = append(slices.Clip(n.c.Licenses), l) // a fact may share them
		}
	}
	addReferences(&n.c, c.References...)
	for k, v := range c.Properties {
		n.c.Properties = withProperty(n.c.Properties, k, v)
	}
	return true
}

// withProperty sets a property. Where the finds of a component differ the value is
// the list of all.
func withProperty(m map[string]string, k, v string) map[string]string {
	if v == "" {
		return m
	}
	if m == nil {
		m = map[string]string{}
	}
	if old := m[k]; old != "" && old != v {
		all := append(strings.Split(old, ", "), v)
		slices.Sort(all)
		v = strings.Join(slices.Compact(all), ", ")
	}
	m[k] = v
	return m
}

func (m *maker) location(path string, layer int) assay.Location {
	loc := assay.Location{Path: path}
	if layer >= 0 && layer < len(m.res.Layers) {
		loc.Layer = m.res.Layers[layer].DiffID
	}
	return loc
}

// skip records a file that was not understood.
func (m *maker) skip(visitor string, f layers.Fact, err error) {
	m.skipped = append(m.skipped, notUnderstood(visitor, f, err))
}

func notUnderstood(visitor string, f layers.Fact, err error) Skipped {
	return Skipped{Visitor: visitor, Path: f.Path, Layer: f.Layer, Reason: reason(err), History: f.Removed >= 0, Err: err}
}

// reason leaves out what Skipped says already.
func reason(err error) string {
	if e, ok := errors.AsType[*assay.Error](err); ok {
		short := *e
		short.Subject = ""
		return short.Error()
	}
	return err.Error()
}

// skippedByEngine takes over what the engine left out, such as files too large.
func (m *maker) skippedByEngine(e ecosystem) {
	for _, s := range m.res.Skipped {
		if s.Visitor != e.name {
			continue
		}
		f := m.res.Tree.Get(s.Path)
		there := f != nil && f.Type == layers.Regular && f.ContentLayer == s.Layer && f.Size == s.Size
		m.skipped = append(m.skipped, Skipped{s.Visitor, s.Path, s.Layer, s.Size, s.Reason, !there, &assay.Error{Kind: assay.ErrBound, Value: s.Reason}})
		if there && (e.minor == nil || !e.minor(s.Path)) {
			m.partial["components:"+e.scope] = true
			m.found[e.scope] = true
		}
	}
}

// owned relates what lies in the files of another package to it, if all of its
// locations do. No owned of an ecosystem means all of its components.
func (m *maker) owned(e ecosystem) error {
	for _, n := range m.nodes {
		if n.c.FoundBy != e.name || e.owned != nil && !e.owned(&n.c) {
			continue
		}
		var owners []*node
		for _, l := range n.c.Locations {
			o := m.owner(l.Path)
			if o == nil || o == n {
				owners = nil
				break
			}
			owners = append(owners, o)
		}
		for _, o := range owners {
			if err := m.relate(n, assay.OwnedBy, o); err != nil {
				return err
			}
		}
	}
	return nil
}

// finish gives the nodes their IDs.
func (m *maker) finish() *Inventory {
	inv := &Inventory{Release: m.release, Skipped: m.skipped, ownership: m.ownership}
	used := map[assay.ComponentID]bool{}
	for _, n := range m.nodes {
		readable(&n.c)
		id := n.c.ID
		if id == "" {
			id = assay.ComponentID(n.c.PURL.String())
		}
		if used[id] {
			id = distinct(id, n, used)
		}
		used[id] = true
		n.c.ID = id
	}
	inv.list(m)
	m.ownersUnknown()
	m.ownership.done()
	for _, eco := range slices.Sorted(maps.Keys(m.found)) {
		for _, scope := range []string{"components:" + eco, "dependencies:" + eco} {
			a := "complete"
			switch {
			case m.partial[scope]:
				a = "incomplete"
			case m.unknown[scope]:
				a = "unknown"
			}
			inv.Completeness = append(inv.Completeness, assay.Completeness{Scope: scope, Aggregate: a})
		}
	}
	for _, n := range m.nodes {
		// What a distribution as such depends on nothing says; its packages do not, they
		// are what it consists of.
		if n.c.Type == assay.TypeOperatingSystem {
			inv.Completeness = append(inv.Completeness, assay.Completeness{Of: n.c.ID, Scope: "dependencies", Aggregate: "unknown"})
		}
	}
	inv.Past = m.gone()
	return inv
}

// list gives components and relations in order: to sort the ends of the relations of
// one component by number takes much less time than to sort all relations by text.
func (inv *Inventory) list(m *maker) {
	sorted := slices.Clone(m.nodes)
	slices.SortFunc(sorted, func(a, b *node) int { return strings.Compare(string(a.c.ID), string(b.c.ID)) })
	for i, n := range sorted {
		n.rank = i
	}
	inv.Components = make([]assay.Component, 0, len(sorted))
	inv.Relations = make([]assay.Relation, 0, m.relations)
	var ends []*node
	for _, n := range sorted {
		inv.Components = append(inv.Components, n.c)
		if n.top {
			inv.Top = append(inv.Top, n.c.ID)
		}
		ends = ends[:0]
		for to := range n.to {
			ends = append(ends, to)
		}
		slices.SortFunc(ends, func(a, b *node) int {
			if c := strings.Compare(string(n.to[a]), string(n.to[b])); c != 0 {
				return c
			}
			return a.rank - b.rank
		})
		for _, to := range ends {
			inv.Relations = append(inv.Relations, assay.Relation{From: n.c.ID, Kind: n.to[to], To: to.c.ID})
		}
	}
	for _, n := range sorted {
		n.to = nil // owners keep the nodes
	}
}

// readable makes all text UTF-8, which is what document formats carry. Names of files
// are escaped, so that they can be told apart and found; in what people wrote, U+FFFD
// stands for other bytes: old packages have maintainers in Latin-1.
func readable(c *assay.Component) {
	fix := func(s *string) { *s = strings.ToValidUTF8(*s, "\uFFFD") }
	if c.Type == assay.TypeFile {
		c.ID, c.Name = assay.ComponentID(assay.EscapePath(string(c.ID))), assay.EscapePath(c.Name)
	}
	c.ID = assay.ComponentID(strings.ToValidUTF8(string(c.ID), "\uFFFD"))
	for _, s := range []*string{&c.Name, &c.Version, &c.Supplier, &c.Creator, &c.Description, &c.Source.Name, &c.Source.Version} {
		fix(s)
	}
	for i := range c.CPEs {
		fix(&c.CPEs[i])
	}
	c.References = assay.SortReferences(c.References)
	for i := range c.Locations {
		c.Locations[i].Path = assay.EscapePath(c.Locations[i].Path)
	}
	if slices.ContainsFunc(c.Licenses, func(l assay.License) bool { return !utf8.ValidString(l.Name) }) {
		c.Licenses = slices.Clone(c.Licenses) // a fact may share them
		for i := range c.Licenses {
			fix(&c.Licenses[i].Name)
		}
	}
	for k, v := range c.Properties {
		c.Properties[k] = strings.ToValidUTF8(v, "\uFFFD")
	}
}

// distinct makes an ID for the second component of one package URL: of its digest,
// of its name, or counted.
func distinct(id assay.ComponentID, n *node, used map[assay.ComponentID]bool) assay.ComponentID {
	for _, h := range n.c.Hashes {
		if d := id + "#" + assay.ComponentID(h.String()); !used[d] {
			return d
		}
	}
	if d := id + "#" + assay.ComponentID(n.c.Name); !used[d] {
		return d
	}
	for i := 2; ; i++ {
		if d := id + "#" + assay.ComponentID(strconv.Itoa(i)); !used[d] {
			return d
		}
	}
}

// gone keeps of the past what is not there any more.
func (m *maker) gone() []Past {
	if len(m.past) == 0 {
		return nil
	}
	present := map[string]assay.ComponentID{} // by package URL without version
	for _, n := range m.nodes {
		if k := unversioned(&n.c); k != "" && (present[k] == "" || n.c.ID < present[k]) {
			present[k] = n.c.ID
		}
	}
	var out []Past
	for _, p := range m.past {
		if m.byKey[keyOf(&p.c)] != nil {
			continue
		}
		readable(&p.c)
		if p.c.ID == "" {
			p.c.ID = assay.ComponentID(p.c.PURL.String())
		}
		out = append(out, Past{p.c, p.layer, p.by, present[unversioned(&p.c)]})
	}
	slices.SortStableFunc(out, func(a, b Past) int {
		return cmp.Or(cmp.Compare(a.Component.ID, b.Component.ID), cmp.Compare(a.Layer, b.Layer), cmp.Compare(a.By, b.By))
	})
	// One component at several paths is gone once.
	return slices.CompactFunc(out, func(a, b Past) bool {
		return a.Component.ID == b.Component.ID && a.Layer == b.Layer && a.By == b.By
	})
}

func unversioned(c *assay.Component) string {
	if c.PURL.IsZero() {
		return ""
	}
	return c.PURL.Package().String() + "?" + c.PURL.Qualifier("arch")
}

func sum256(b []byte) assay.Digest {
	s := sha256.Sum256(b)
	d, _ := assay.NewDigest(assay.SHA256, hex.EncodeToString(s[:])) // of the right length by type
	return d
}

// purl makes a package URL of what a database says. A name that makes none, such
// as an empty one, gives a component without.
func purl(typ, namespace, name, version string, qualifiers map[string]string) assay.PURL {
	maps.DeleteFunc(qualifiers, func(_, v string) bool { return v == "" })
	p, err := assay.NewPURL(assay.PURLParts{Type: typ, Namespace: namespace, Name: name, Version: version, Qualifiers: qualifiers})
	if err != nil {
		return assay.PURL{}
	}
	return p
}
