package sbom

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/assaykit/assay"
)

// MergeOptions are choices of [Merge]. The zero value is safe.
type MergeOptions struct {
	// Root is what the merged SBOM describes, such as an index or a product. It
	// contains the roots of the documents. Zero takes the root that all documents
	// have; if they have several the merged SBOM has none, and all of them are
	// components.
	Root assay.Component
	// Created is the time of the merged SBOM. Default: that of the newest document.
	Created time.Time
	// Authors and Tools, if given, stand for the merged SBOM in place of those of
	// all documents.
	Authors []string
	Tools   []assay.Tool
}

// Conflict is something on which merged documents disagree.
type Conflict struct {
	// Component is the one in the merged SBOM that it is about, empty for the
	// document.
	Component assay.ComponentID `json:"component,omitempty"`
	// Field is what differs: "supplier", "hash sha256", "completeness components".
	Field string `json:"field"`
	// Values are what the documents say, first the one that stands.
	Values []string `json:"values"`
}

func (c Conflict) String() string {
	s := c.Field
	if c.Component != "" {
		s = string(c.Component) + ": " + s
	}
	return printable(s + ": " + strings.Join(c.Values, ", not "))
}

// Merge makes one SBOM of several: of the layers of an image, of what several tools
// found in it, of the images of an index. The documents are not changed. The same
// documents in the same order give the same result; their order decides which value
// stands where they disagree, the first one, and nothing else about components that
// several of them list. Merging a document with itself gives that document.
//
// Components are joined whatever their ids: those with a purl by the whole purl and
// the name, others by type, name and version. They are kept apart if two digests of
// one algorithm differ, because one of them is not what it says; and without a purl,
// if nothing but the name speaks for them being one: files need a common strong
// digest, others that or a version. Two components of one document never become
// one. Of joined components locations, hashes, references and CPEs are united. For other fields
// the first one that is not empty stands. That goes for the declared licenses
// together, because a list of licenses means that all of them apply.
//
// Relations are united: what depends on one thing in one document and on another in
// a second depends on both. Each root that is not the merged one's stays a
// component, and the merged root contains it.
//
// Completeness is "complete" only where all documents say so: that hold the
// component that it is about, or, of dependencies in general, any component that it
// covers. It is "incomplete" if one document says so, else "unknown". What a
// document says of its components in general is kept as a statement about its own
// root. The layers of a root that became a component are in its property
// "assay:image:layers".
//
// Serial is left empty, for the writer to derive, and Rest as well. Disagreements are told, sorted by
// component and field. An error is of kind [assay.ErrInvalid], and names the document
// by its index and the rule of the model that it breaks.
func Merge(opts MergeOptions, docs ...*assay.SBOM) (*assay.SBOM, []Conflict, error) {
	m := newMerger(len(docs))
	if len(docs) == 0 {
		return nil, nil, m.invalid(-1, "documents", "0", "at least one")
	}
	var root *union
	if opts.Root.ID != "" {
		root = m.add(-1, &opts.Root)
	} else if opts.Root.Name != "" || opts.Root.Type != "" {
		return nil, nil, m.invalid(-1, "Root.ID", "", "the id of the root component")
	}
	for i, doc := range docs {
		if err := m.take(i, doc); err != nil {
			return nil, nil, err
		}
	}
	if root == nil && !slices.ContainsFunc(m.roots, func(u *union) bool { return u != m.roots[0] }) {
		root = m.roots[0] // nil if there is none in any of them
	}
	out := &assay.SBOM{Version: 1, Created: opts.Created}
	m.header(out, docs, opts)
	m.layers(out, docs, root)
	for _, u := range m.unions {
		if u == root {
			out.Root = u.c
		} else {
			out.Components = append(out.Components, u.c)
		}
	}
	for i, doc := range docs {
		for _, r := range doc.Relations {
			out.Relations = append(out.Relations, assay.Relation{From: m.ids[i][r.From].c.ID, Kind: r.Kind, To: m.ids[i][r.To].c.ID})
		}
		if own := m.roots[i]; own != nil && root != nil && own != root {
			out.Relations = append(out.Relations, assay.Relation{From: root.c.ID, Kind: assay.Contains, To: own.c.ID})
		}
	}
	out.Completeness = m.completeness(docs, root)
	if err := out.Normalize(); err != nil {
		return nil, nil, err
	}
	slices.SortStableFunc(m.conflicts, func(a, b Conflict) int {
		return cmp.Or(cmp.Compare(a.Component, b.Component), cmp.Compare(a.Field, b.Field))
	})
	return out, m.conflicts, nil
}

// union is one component in the making.
type union struct {
	c    assay.Component
	docs []int // that have it, ascending; -1 is the root of the options
}

func (u *union) has(doc int) bool {
	return len(u.docs) > 0 && u.docs[len(u.docs)-1] == doc // documents are taken one after the other
}

type merger struct {
	unions    []*union
	roots     []*union                       // by document, nil if it has none
	ids       []map[assay.ComponentID]*union // by document
	byKey     map[string][]*union
	byDigest  map[digestKey][]*union
	byID      map[assay.ComponentID]*union // the ids that are taken
	count     map[assay.ComponentID]int    // of ids that were asked for again
	conflicts []Conflict
}

type digestKey struct {
	key    string
	digest assay.Digest
}

func newMerger(docs int) *merger {
	return &merger{
		roots: make([]*union, docs), ids: make([]map[assay.ComponentID]*union, docs), byKey: make(map[string][]*union),
		byDigest: make(map[digestKey][]*union), byID: make(map[assay.ComponentID]*union), count: make(map[assay.ComponentID]int),
	}
}

func (m *merger) invalid(doc int, field, value, want string) error {
	subject := ""
	if doc >= 0 {
		subject = "document " + strconv.Itoa(doc)
	}
	return &assay.Error{Op: "merge SBOMs", Kind: assay.ErrInvalid, Subject: subject, Field: field, Value: value, Bound: want}
}

// take adds the components of one document.
func (m *merger) take(i int, doc *assay.SBOM) error {
	if doc == nil {
		return m.invalid(i, "", "nil", "an SBOM")
	}
	ids := make(map[assay.ComponentID]*union, len(doc.Components)+1)
	m.ids[i] = ids
	switch {
	case doc.Root.ID != "":
		m.roots[i] = m.add(i, &doc.Root)
		ids[doc.Root.ID] = m.roots[i]
	case doc.Root.Name != "" || doc.Root.Type != "":
		return m.invalid(i, "root.id", "", "the id of the root component")
	}
	for j := range doc.Components {
		c := &doc.Components[j]
		if c.ID == "" || ids[c.ID] != nil {
			return m.invalid(i, "components/"+strconv.Itoa(j)+"/id", string(c.ID), "a unique id")
		}
		ids[c.ID] = m.add(i, c)
	}
	for j, r := range doc.Relations {
		for _, end := range [...]assay.ComponentID{r.From, r.To} {
			if ids[end] == nil {
				return m.invalid(i, "relations/"+strconv.Itoa(j), string(end), "the id of a component")
			}
		}
	}
	for j, s := range doc.Completeness {
		if s.Of != "" && ids[s.Of] == nil {
			return m.invalid(i, "completeness/"+strconv.Itoa(j)+"/of", string(s.Of), "the id of a component")
		}
	}
	return nil
}

// mergeKey is what joined components have in common. The purls of some types fold
// the name to lowercase, so the name is in it.
func mergeKey(c *assay.Component) string {
	if c.PURL.IsZero() {
		return "\x00" + string(c.Type) + "\x00" + c.Name + "\x00" + c.Version
	}
	key := c.PURL.String() + "\x00" + c.Name
	if c.PURL.Version() == "" {
		key += "\x00" + c.Version
	}
	return key
}

// maxCandidates bounds how many components of one key are tried, beside the one of
// the same id and those of a common digest: documents can be made to have many.
const maxCandidates = 8

// add joins the component with one of another document, or keeps it.
func (m *merger) add(doc int, c *assay.Component) *union {
	key := mergeKey(c)
	var apart *union
	try := func(u *union) bool {
		if u == nil || u.has(doc) {
			return false
		}
		if d, _ := contradiction(u.c.Hashes, c.Hashes); !d.IsZero() {
			if apart == nil {
				apart = u
			}
			return false
		}
		return sameComponent(&u.c, c)
	}
	found := func() *union {
		if u := m.byID[c.ID]; u != nil && mergeKey(&u.c) == key && try(u) {
			return u
		}
		for _, d := range c.Hashes {
			if !d.Algorithm().Strong() {
				continue
			}
			list := m.byDigest[digestKey{key, d}]
			for _, u := range list[:min(len(list), maxCandidates)] {
				if try(u) {
					return u
				}
			}
		}
		list := m.byKey[key]
		for _, u := range list[:min(len(list), maxCandidates)] {
			if try(u) {
				return u
			}
		}
		return nil
	}
	u := found()
	if u == nil {
		u = &union{c: cloneComponent(c)}
		u.c.ID = m.freeID(c)
		m.byID[u.c.ID] = u
		m.unions = append(m.unions, u)
		m.byKey[key] = append(m.byKey[key], u)
		if apart != nil {
			had, has := contradiction(apart.c.Hashes, c.Hashes)
			m.conflicts = append(m.conflicts, Conflict{u.c.ID, "hash " + string(has.Algorithm()), []string{had.Hex() + " of " + string(apart.c.ID), has.Hex()}})
		}
	} else {
		m.join(u, c)
	}
	u.docs = append(u.docs, doc)
	for _, d := range c.Hashes {
		if k := (digestKey{key, d}); d.Algorithm().Strong() && !slices.Contains(m.byDigest[k], u) {
			m.byDigest[k] = append(m.byDigest[k], u)
		}
	}
	return u
}

// freeID gives the component's id, or one like it if that is taken.
func (m *merger) freeID(c *assay.Component) assay.ComponentID {
	if m.byID[c.ID] == nil {
		return c.ID
	}
	for _, d := range c.Hashes {
		if id := c.ID + "#" + assay.ComponentID(d.String()); m.byID[id] == nil {
			return id
		}
	}
	for {
		m.count[c.ID]++
		if id := c.ID + "#" + assay.ComponentID(strconv.Itoa(m.count[c.ID]+1)); m.byID[id] == nil {
			return id
		}
	}
}

// contradiction gives two digests of one algorithm that differ, zero if there are
// none.
func contradiction(a, b assay.DigestSet) (assay.Digest, assay.Digest) {
	for _, d := range a {
		if e := b.Get(d.Algorithm()); !e.IsZero() && e != d {
			return d, e
		}
	}
	return assay.Digest{}, assay.Digest{}
}

// sameComponent decides for two of one key whose digests do not contradict.
func sameComponent(a, b *assay.Component) bool {
	switch {
	case !a.PURL.IsZero(), a.Hashes.Match(b.Hashes), a.Type != assay.TypeFile && a.Version != "":
		return true
	}
	return compareComponents(*a, *b) == 0 && a.Supplier == b.Supplier && a.Creator == b.Creator && sameReferences(a, b) && a.Description == b.Description && a.Source == b.Source &&
		a.FoundBy == b.FoundBy && slices.Equal(a.CPEs, b.CPEs) && slices.Equal(a.Licenses, b.Licenses) && maps.Equal(a.Properties, b.Properties)
}

func sameReferences(a, b *assay.Component) bool {
	return slices.EqualFunc(a.References, b.References, func(x, y assay.Reference) bool { return x.Compare(y) == 0 })
}

func cloneComponent(c *assay.Component) assay.Component {
	out := *c
	out.CPEs, out.Licenses, out.Hashes, out.Locations = slices.Clone(c.CPEs), slices.Clone(c.Licenses), slices.Clone(c.Hashes), slices.Clone(c.Locations)
	out.References = slices.Clone(c.References)
	out.Properties = maps.Clone(c.Properties)
	return out
}

// join adds what a second document says of a component. Normalize sorts later.
func (m *merger) join(u *union, c *assay.Component) {
	keep := func(field string, have *string, other string) {
		switch {
		case *have == "":
			*have = other
		case other != "" && other != *have:
			m.conflicts = append(m.conflicts, Conflict{u.c.ID, field, []string{*have, other}})
		}
	}
	keep("type", (*string)(&u.c.Type), string(c.Type))
	keep("name", &u.c.Name, c.Name)
	keep("version", &u.c.Version, c.Version)
	keep("supplier", &u.c.Supplier, c.Supplier)
	keep("creator", &u.c.Creator, c.Creator)
	keep("description", &u.c.Description, c.Description)
	keep("foundBy", &u.c.FoundBy, c.FoundBy)
	switch {
	case u.c.Source == (assay.SourcePackage{}):
		u.c.Source = c.Source
	case u.c.Source.Name == c.Source.Name && u.c.Source.Version == "":
		u.c.Source.Version = c.Source.Version
	case c.Source != (assay.SourcePackage{}) && c.Source != u.c.Source && (c.Source.Name != u.c.Source.Name || c.Source.Version != ""):
		m.conflicts = append(m.conflicts, Conflict{u.c.ID, "source", []string{sourceText(u.c.Source), sourceText(c.Source)}})
	}
	for _, d := range c.Hashes {
		if !slices.Contains(u.c.Hashes, d) {
			u.c.Hashes = append(u.c.Hashes, d)
		}
	}
	slices.SortFunc(u.c.Hashes, assay.Digest.Compare)
	u.c.Locations = append(u.c.Locations, c.Locations...)
	u.c.CPEs = append(u.c.CPEs, c.CPEs...)
	u.c.References = append(u.c.References, c.References...)
	m.joinLicenses(u, c)
	for _, name := range slices.Sorted(maps.Keys(c.Properties)) {
		have, ok := u.c.Properties[name]
		if !ok {
			if u.c.Properties == nil {
				u.c.Properties = make(map[string]string)
			}
			u.c.Properties[name] = c.Properties[name]
		} else if have != c.Properties[name] {
			m.conflicts = append(m.conflicts, Conflict{u.c.ID, "property " + name, []string{have, c.Properties[name]}})
		}
	}
}

func sourceText(s assay.SourcePackage) string { return strings.TrimSpace(s.Name + " " + s.Version) }

// joinLicenses takes declared licenses together, and concluded ones.
func (m *merger) joinLicenses(u *union, c *assay.Component) {
	for _, concluded := range []bool{false, true} {
		have, other := licensesOf(&u.c, concluded), licensesOf(c, concluded)
		switch {
		case len(have) == 0:
			u.c.Licenses = append(u.c.Licenses, other...)
		case len(other) > 0 && licenseText(have) != licenseText(other):
			field := "licenses"
			if concluded {
				field = "concluded licenses"
			}
			m.conflicts = append(m.conflicts, Conflict{u.c.ID, field, []string{licenseText(have), licenseText(other)}})
		}
	}
}

func licensesOf(c *assay.Component, concluded bool) []assay.License {
	var out []assay.License
	for _, l := range c.Licenses {
		if l.Concluded == concluded {
			out = append(out, l)
		}
	}
	return out
}

// licenseText is the licenses as one text, the same in whatever order they are.
func licenseText(list []assay.License) string {
	var texts []string
	for _, l := range list {
		texts = append(texts, cmp.Or(l.Expression, l.Name))
	}
	slices.Sort(texts)
	return strings.Join(slices.Compact(texts), ", ")
}

// header merges what is said of the documents themselves.
func (m *merger) header(out *assay.SBOM, docs []*assay.SBOM, opts MergeOptions) {
	out.Authors, out.Tools = slices.Clone(opts.Authors), slices.Clone(opts.Tools)
	phases := []string{}
	for _, doc := range docs {
		for _, a := range doc.Authors {
			if len(opts.Authors) == 0 && !slices.Contains(out.Authors, a) {
				out.Authors = append(out.Authors, a)
			}
		}
		for _, t := range doc.Tools {
			if len(opts.Tools) == 0 && !slices.Contains(out.Tools, t) {
				out.Tools = append(out.Tools, t)
			}
		}
		if opts.Created.IsZero() && doc.Created.After(out.Created) {
			out.Created = doc.Created
		}
		if !slices.Contains(phases, doc.Lifecycle) {
			phases = append(phases, doc.Lifecycle)
		}
	}
	if len(phases) == 1 {
		out.Lifecycle = phases[0]
		return
	}
	for i, p := range phases {
		phases[i] = cmp.Or(p, "not stated")
	}
	// None stands: each of them is true of a part only.
	m.conflicts = append(m.conflicts, Conflict{"", "lifecycle", append([]string{"not stated"}, slices.DeleteFunc(phases, func(p string) bool { return p == "not stated" })...)})
}

// layers keeps the layers of the merged root, and those of others as a property.
func (m *merger) layers(out *assay.SBOM, docs []*assay.SBOM, root *union) {
	lists := make(map[*union][]assay.Digest)
	for i, doc := range docs {
		own := m.roots[i]
		have := lists[own]
		switch n := min(len(have), len(doc.Layers)); {
		case slices.Equal(have[:n], doc.Layers[:n]): // one is the start of the other
			if len(doc.Layers) > n {
				have = doc.Layers
			}
		case !slices.ContainsFunc(doc.Layers, func(d assay.Digest) bool { return slices.Contains(have, d) }):
			have = slices.Concat(have, doc.Layers) // documents of single layers, bottom first
		default:
			id := assay.ComponentID("")
			if own != nil {
				id = own.c.ID
			}
			m.conflicts = append(m.conflicts, Conflict{id, "layers", []string{join(have), join(doc.Layers)}})
		}
		lists[own] = have
	}
	seen := make(map[*union]bool)
	for _, own := range m.roots {
		switch list := slices.Clone(lists[own]); {
		case seen[own] || len(list) == 0:
		case own == root:
			out.Layers = list
		case own == nil:
			m.conflicts = append(m.conflicts, Conflict{"", "layers", []string{"not stated", join(list)}})
		default:
			if own.c.Properties == nil {
				own.c.Properties = make(map[string]string)
			}
			own.c.Properties["assay:image:layers"] = join(list)
		}
		seen[own] = true
	}
}

func join(list []assay.Digest) string {
	return strings.Trim(fmt.Sprint(list), "[]")
}
