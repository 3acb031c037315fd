package cyclonedx

import (
	"fmt"
	"strings"

	"github.com/google/go-cmp/cmp"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/strictjson"
)

func load(data []byte, xml bool) *tree {
	var t *tree
	var err error
	if xml {
		t, err = readXML("test", data)
	} else {
		t, err = parseTree(data)
	}
	if err != nil {
		panic(err)
	}
	return t
}

// Differ says where two documents of one encoding are not the same.
func Differ(a, b []byte, xml bool) string { return difference(load(a, xml), load(b, xml), "") }

// DifferTwins compares a document in JSON with one in XML.
func DifferTwins(json, xml []byte) string {
	a, b := load(json, false), load(xml, true)
	a.remove("$schema")
	return difference(a, b, "")
}

// DifferWithout says what a document that gained a component lost. The order of what
// has none, the ids of components without, and how nested ones are written, do not
// count; nor does the signature of the whole.
func DifferWithout(a, b []byte, xml bool, added string) string {
	before, after := load(a, xml), load(b, xml)
	before.remove("signature")
	if before.foreign != nil {
		before.foreign, after.foreign = nil, nil
	}
	was, now := make(map[string]*tree), make(map[string]*tree)
	nested := false
	var collect func(list *tree, pointer string, out map[string]*tree)
	collect = func(list *tree, pointer string, out map[string]*tree) {
		if list == nil {
			return
		}
		for i, c := range list.items {
			here := fmt.Sprint(pointer, "/", i)
			collect(c.get("components"), here+"/components", out)
			nested = nested || c.has("components")
			c.remove("components")
			id := c.str("bom-ref")
			if id == "" {
				id = "#" + here
			}
			out[id] = c
			if strings.HasPrefix(id, "#") {
				c.remove("bom-ref")
			}
		}
	}
	root := before.get("metadata").get("component")
	if root != nil {
		collect(root.get("components"), "/metadata/component/components", was)
		root.remove("components")
	}
	collect(before.get("components"), "/components", was)
	collect(after.get("components"), "/components", now)
	if now[added] == nil {
		return "the component is missing"
	}
	delete(now, added)
	for id, c := range was {
		if nested {
			c.remove("properties")
			if now[id] != nil {
				now[id].remove("properties")
			}
		}
		if d := difference(c, now[id], "/components/"+id); d != "" {
			return d
		}
	}
	if len(was) != len(now) {
		return fmt.Sprintf("%d components, and %d", len(was), len(now))
	}
	for _, t := range []*tree{before, after} {
		t.remove("components")
		if c := t.get("metadata").get("component"); c != nil && nested {
			c.remove("properties")
			c.remove("bom-ref")
		}
	}
	return difference(before, after, "")
}

func difference(a, b *tree, pointer string) string {
	if a.equal(b) {
		return ""
	}
	switch {
	case a == nil:
		return fmt.Sprintf("%s: only in the second: %s", pointer, b.append(nil))
	case b == nil:
		return fmt.Sprintf("%s: only in the first: %s", pointer, a.append(nil))
	case a.kind == '{' && b.kind == '{':
		for _, f := range a.fields {
			if d := difference(f.value, b.get(f.name), pointer+"/"+f.name); d != "" {
				return d
			}
		}
		for _, f := range b.fields {
			if !a.has(f.name) {
				return difference(nil, f.value, pointer+"/"+f.name)
			}
		}
	case a.kind == '[' && b.kind == '[' && len(a.items) == len(b.items):
		for i := range a.items {
			if d := difference(a.items[i], b.items[i], fmt.Sprint(pointer, "/", i)); d != "" {
				return d
			}
		}
	}
	return fmt.Sprintf("%s: %s and %s, foreign %v and %v", pointer, a.append(nil), b.append(nil), a.foreign, b.foreign)
}

// WireDiffers says what is read of a document that was checked other than its tags say.
func WireDiffers(data []byte) string {
	var want, got document
	if err := strictjson.Unmarshal("test", data, &want, strictjson.Limits{}); err != nil {
		return err.Error()
	}
	if !readDocument(data, &got) {
		return "refused"
	}
	return cmp.Diff(want, got)
}

// WireXMLDiffers says what the reader of plain XML into the wire types takes other than
// those that it stands for do one after the other, and whether it takes the document.
func WireXMLDiffers(data []byte) (differs string, taken bool) {
	quickly := newDecoder("test", true)
	got, ok := quickly.readWire(data)
	if !ok {
		return "", false
	}
	t, err := readXML("test", data)
	if err != nil {
		return err.Error(), true
	}
	d := newDecoder("test", true)
	whole := t.append(nil)
	d.version = specVersion(whole)
	if err := d.check(whole); err != nil {
		return err.Error(), true
	}
	var want document
	if !readDocument(whole, &want) {
		return "refused", true
	}
	for _, doc := range []*document{got, &want} { // the members that are empty in one of them
		m := &doc.Metadata
		var either any = new(tools)
		if len(m.Tools) > 0 && m.Tools[0] == '[' {
			either = new([]legacyTool)
		}
		if len(m.Tools) > 0 {
			if err := strictjson.Unmarshal("tools", m.Tools, either, strictjson.Limits{}); err != nil {
				return err.Error(), true
			}
			m.Tools, _ = strictjson.Marshal(either)
		}
	}
	return cmp.Diff(want, *got) + cmp.Diff(d.lost, quickly.lost, cmp.AllowUnexported(lost{})) + cmp.Diff(d.refs, quickly.refs) + cmp.Diff(d.version, quickly.version), true
}

// PlainDiffers says what the scanner of plain XML takes other than that of all XML.
func PlainDiffers(data []byte) string {
	got, err := readXMLBy(&scanner{name: "test", data: data, plain: newPlainXML(data)})
	if err != nil {
		return ""
	}
	want, err := readXMLBy(newScanner("test", data))
	if err != nil {
		return err.Error()
	}
	return difference(want, got, "")
}

// DirectXMLDiffers says what is written as XML at once other than by way of the tree,
// and whether it was.
func DirectXMLDiffers(doc *assay.SBOM, version int) (differs string, direct bool) {
	var told [2][]string
	tell := func(i int) Report {
		return func(field string, id assay.ComponentID, reason string) {
			told[i] = append(told[i], field+" "+string(id)+" "+reason)
		}
	}
	got, ok := encodeXML(doc, version, tell(0))
	if !ok {
		return "", false
	}
	now, err := encode(doc, version, tell(1))
	if err != nil {
		return err.Error(), true
	}
	t, err := parseTree(now)
	if err != nil {
		return err.Error(), true
	}
	fit := &fitter{version: version, xml: true, report: func(pointer, owner, reason string) { tell(1)(pointer, assay.ComponentID(owner), reason) }}
	if !fit.document(t) {
		return "it does not fit", true
	}
	return cmp.Diff(string(writeXML(t, version, 0)), string(got)) + cmp.Diff(told[1], told[0]), true
}

// Document is what is written, for the floor of the benchmarks.
type Document = document
