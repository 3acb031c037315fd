package cyclonedx

import "fmt"

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
func Differ(a, b []byte, xml bool) string { return differ(load(a, xml), load(b, xml), "") }

// DifferTwins compares a document in JSON with one in XML.
func DifferTwins(json, xml []byte) string {
	a, b := load(json, false), load(xml, true)
	a.remove("$schema")
	return differ(a, b, "")
}

func differ(a, b *tree, pointer string) string {
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
			if d := differ(f.value, b.get(f.name), pointer+"/"+f.name); d != "" {
				return d
			}
		}
		for _, f := range b.fields {
			if !a.has(f.name) {
				return differ(nil, f.value, pointer+"/"+f.name)
			}
		}
	case a.kind == '[' && b.kind == '[' && len(a.items) == len(b.items):
		for i := range a.items {
			if d := differ(a.items[i], b.items[i], fmt.Sprint(pointer, "/", i)); d != "" {
				return d
			}
		}
	}
	return fmt.Sprintf("%s: %s and %s, foreign %v and %v", pointer, a.append(nil), b.append(nil), a.foreign, b.foreign)
}
