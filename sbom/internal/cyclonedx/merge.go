package cyclonedx

import (
	"github.com/assaykit/assay/sbom/internal/shape"
)

// merger puts what an SBOM says now into the document that it was read from. A
// member stays as it was read where the SBOM says the same of it as then: base is
// the document, and then and now are what the model makes of it and of the SBOM.
type merger struct {
	ids    map[string]string // of the components of base, by pointer
	report func(pointer, owner, reason string)
	owner  string
}

func (m *merger) lose(pointer, reason string) { m.report(pointer, m.owner, reason) }

func index(list *tree, key string) map[string]*tree {
	out := make(map[string]*tree)
	if list != nil {
		for _, v := range list.items {
			out[v.str(key)] = v
		}
	}
	return out
}

func (m *merger) document(base, then, now *tree) {
	unsign(base, m.report)
	byID := make(map[string]*tree)
	m.collect(base.get("components"), "/components", byID)
	root := base.get("metadata").get("component")
	nested := false
	if root != nil {
		nested = root.has("components")
		m.collect(root.get("components"), "/metadata/component/components", byID)
	}
	if !nested && then.get("components").equal(now.get("components")) {
		then.remove("components")
		now.remove("components")
	} else {
		m.components(base, then, now, byID)
	}
	if nested {
		m.flatten(root, then.get("metadata").get("component"), now.get("metadata").get("component"))
	}
	m.dependencies(base, then, now)
	m.object(base, then, now, "")
}

// collect finds the components, those that are nested as well.
func (m *merger) collect(list *tree, pointer string, byID map[string]*tree) {
	if list == nil {
		return
	}
	for i, c := range list.items {
		here := shape.Pointer(pointer, i)
		byID[m.ids[here]] = c
		m.collect(c.get("components"), here+"/components", byID)
	}
}

// flatten takes out what is nested in a component. The relations say the same, in
// properties, so that these are written as they are now.
func (m *merger) flatten(base, then, now *tree) {
	if !base.has("components") {
		return
	}
	base.remove("components")
	if now == nil || then == nil {
		return
	}
	if b := base.get("properties"); b != nil && len(b.items) > len(then.get("properties").items) {
		m.lose("properties", "those that the model does not have are not written where the components nested in it have changed")
	}
	base.remove("properties")
	if p := now.get("properties"); p != nil {
		base.fields = append(base.fields, field{"properties", p})
	}
	then.remove("properties")
	now.remove("properties")
}

func (m *merger) components(base, then, now *tree, byID map[string]*tree) {
	was := index(then.get("components"), "bom-ref")
	list := &tree{kind: '['}
	for i, n := range now.get("components").items {
		id := n.str("bom-ref")
		b, t := byID[id], was[id]
		if b == nil || t == nil {
			list.items = append(list.items, n)
			continue
		}
		m.owner = id
		here := shape.Pointer("/components", i)
		same := !b.has("components") && t.equal(n)
		m.flatten(b, t, n)
		if !same {
			m.object(b, t, n, here)
			if b.has("signature") {
				b.remove("signature")
				m.lose(here+"/signature", "it is over the component as it was read")
			}
		}
		b.set("bom-ref", newString(id))
		list.items = append(list.items, b)
		m.owner = ""
	}
	base.set("components", list)
	then.remove("components")
	now.remove("components")
}

// dependencies adds to those of the SBOM what the document says of references that
// are not its components, as long as both ends are still there.
func (m *merger) dependencies(base, then, now *tree) {
	b, n := base.get("dependencies"), now.get("dependencies")
	if b == nil || then.get("dependencies").equal(n) {
		return
	}
	then.remove("dependencies")
	now.remove("dependencies")
	if n == nil {
		n = &tree{kind: '['}
	}
	// Whatever the document defines, other than components that are gone.
	known := make(map[string]bool)
	defined(base, known)
	known[now.get("metadata").get("component").str("bom-ref")] = true
	components := make(map[string]bool)
	for _, id := range m.ids {
		components[id] = true
	}
	entries := index(n, "ref")
	for _, entry := range b.items {
		ref := entry.str("ref")
		for _, name := range []string{"dependsOn", "provides"} {
			list := entry.get(name)
			if list == nil {
				continue
			}
			for _, to := range list.items {
				if !known[ref] || !known[to.text] || name == "dependsOn" && components[ref] && components[to.text] {
					continue
				}
				e := entries[ref]
				if e == nil {
					e = &tree{kind: '{', fields: []field{{"ref", newString(ref)}}}
					entries[ref] = e
					n.items = append(n.items, e)
				}
				out := e.get(name)
				if out == nil {
					out = &tree{kind: '['}
					e.fields = append(e.fields, field{name, out})
				}
				out.items = append(out.items, to)
			}
		}
	}
	base.set("dependencies", n)
}

func defined(t *tree, refs map[string]bool) {
	for _, f := range t.fields {
		if f.name == "bom-ref" && f.value.kind == '"' {
			refs[f.value.text] = true
		}
		defined(f.value, refs)
	}
	for _, v := range t.items {
		defined(v, refs)
	}
}

// object merges the members of one.
func (m *merger) object(base, then, now *tree, pointer string) {
	var names []string
	for _, t := range []*tree{then, now} {
		for _, f := range t.fields {
			names = append(names, f.name)
		}
	}
	for _, name := range names {
		b, t, n := base.get(name), then.get(name), now.get(name)
		here := pointer + "/" + escapePointer(name)
		switch {
		case t.equal(n): // also where the model writes what the document leaves out
		case n == nil && name == "evidence" && b != nil && t != nil:
			if m.object(b, t, &tree{kind: '{'}, here); len(b.fields) == 0 {
				base.remove(name)
			}
		case n == nil:
			base.remove(name)
		case b != nil && t != nil && (name == "evidence" || name == "metadata" || name == "component" && t.str("bom-ref") == n.str("bom-ref")):
			m.object(b, t, n, here)
		default:
			if b != nil && !b.equal(t) && !b.equal(n) {
				m.lose(here, "it was changed since it was read, and what else the document said here is not written")
			}
			base.set(name, n)
		}
	}
	// A creator that the SBOM has now stands in place of the one of old.
	if then.has("manufacturer") && !then.get("manufacturer").equal(now.get("manufacturer")) {
		base.remove("author")
	}
	// A name that the SBOM has now is all of the name.
	if t, n := then.get("name"), now.get("name"); base.has("group") && !t.equal(n) {
		base.remove("group")
	}
}
