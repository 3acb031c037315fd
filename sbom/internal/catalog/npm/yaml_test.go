package npm

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/assaykit/assay"
)

// readAll gives what is read as "key/key=value", in parts of about part bytes.
func readAll(data []byte, part, entry int) ([]string, error) {
	var out []string
	r := newYAMLReader("x", func(path []string, value string) error {
		out = append(out, strings.Join(path, "/")+"="+value)
		return nil
	})
	return out, r.read(data, part, entry)
}

func TestReadYAML(t *testing.T) {
	text := []byte(`# a comment
lockfileVersion: '9.0' # of pnpm

"a@npm:^1, b@^2":
  resolution: {integrity: sha512-x==, engines: {node: '>=1'}, empty: {}, none: , list: [1, {a: b}]}
  'it''s': "a \"b\"\n"
  # another
  deprecated: one
    two
  text: >-
    folded
      deeper
    x: y

  list:
    - a
    - 'e' # f
  same:
  - x
  last:
? long key
: version: 1
  other: 2
# the end of it
--- 
second: 1
# the end
`)
	want := []string{
		"lockfileVersion=9.0", "a@npm:^1, b@^2=", "a@npm:^1, b@^2/resolution=", "a@npm:^1, b@^2/resolution/integrity=sha512-x==",
		"a@npm:^1, b@^2/resolution/engines=", "a@npm:^1, b@^2/resolution/engines/node=>=1", "a@npm:^1, b@^2/resolution/empty=",
		"a@npm:^1, b@^2/resolution/none=", "a@npm:^1, b@^2/resolution/list=", "a@npm:^1, b@^2/it's=a \"b\"\n", "a@npm:^1, b@^2/deprecated=one two",
		"a@npm:^1, b@^2/text=folded\n  deeper\nx: y", "a@npm:^1, b@^2/list=", "a@npm:^1, b@^2/same=", "a@npm:^1, b@^2/last=",
		"long key=", "long key/version=1", "long key/other=2", "=", "second=1",
	}
	for _, sizes := range [][2]int{{yamlPart, maxYAMLEntry}, {1, maxYAMLEntry}, {1, 150}, {200, 100}} {
		for _, crlf := range []bool{false, true} {
			data := text
			if crlf {
				data = []byte(strings.ReplaceAll(string(text), "\n", "\r\n"))
			}
			got, err := readAll(data, sizes[0], sizes[1])
			if err != nil {
				t.Fatal(sizes, err)
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Error(sizes, crlf, d)
			}
		}
	}
	for _, bad := range []string{
		"a: 1\na: 2", "a:\n\tb: 1", "a: &x 1", "a: *x", "a: &x 1\nb: *x", "a: !!str 1", "&x a: 1", "a: {<<: {b: c}}", "a:\n  <<: {b: c}", "a: [b, &x c]", "a: [[*x]]", "- a", "[a]", "{a: b}", "a:\n  b: 1\n c: 2",
		"a: {b: 1", "a: {b: 1, b: 2}", "a:\n  b: 1\n  c: 2\n  b: 3", "a: 'x", "a: b: c", "a: \x00", "a: b\rc: d", "a: b\u0085c: d", "a: b\u2028c: d", "%YAML 1.2\n---\na: 1", "a", "a: \"\\q\"", "? [a]\n: b", "a: [1}", "a: \xff",
		"a: 'b'\n  c: d", "a: {}\n  c: d", "a: b\n  c: d", "a:\n  - b\n - c", "a:\n- [", "a:\n  - b\n  c: d", "a: {b: 1} c", strings.Repeat("a: {", 100), "--- a: b", "a: b\n... c", "a: b\n...\n", "a: b\n---c: d", " a: b\nc: d",
	} {
		for _, sizes := range [][2]int{{yamlPart, maxYAMLEntry}, {1, maxYAMLEntry}, {1, 4}} {
			got, err := readAll([]byte(bad), sizes[0], sizes[1])
			if !errors.Is(err, assay.ErrInvalid) && !errors.Is(err, assay.ErrBound) || !strings.Contains(err.Error(), ": line") {
				t.Errorf("%.20q in parts of %d: %v, %v", bad, sizes, got, err)
			}
		}
	}
}

// The line of an error is that of the file.
func TestReadYAMLLine(t *testing.T) {
	long := ""
	for i := range 100 {
		long += fmt.Sprintf("  k%d:\n    a: b\n", i)
	}
	for _, tt := range []struct{ text, want string }{
		{"x: 1\npackages:\n" + long + "  k7:\n    a: b\n", "line 203:"},
		{"x: 1\npackages:\n" + long + "  l:\n    a: *b\n", "lines "},
		{"x: 1\npackages:\n" + long + "  l:\n    a: b: c\n", "line 204:"},
		{"x: 1\npackages:\n" + long + "x: 2\n", "line 203:"},
	} {
		for _, sizes := range [][2]int{{yamlPart, maxYAMLEntry}, {100, 300}} {
			if _, err := readAll([]byte(tt.text), sizes[0], sizes[1]); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("in parts of %d: %v, want %s", sizes, err, tt.want)
			}
		}
	}
}

// What a file can cost is bounded, whatever is in it.
func TestReadYAMLBounds(t *testing.T) {
	var keys strings.Builder
	keys.WriteString("packages:\n")
	for i := range maxYAMLKeys + 1 {
		fmt.Fprintf(&keys, "  %d:\n", i)
	}
	for name, s := range map[string]string{
		"size":  strings.Repeat("a: b\n", maxYAMLBytes/5+1),
		"entry": "a: [" + strings.Repeat("b, ", maxYAMLEntry/3) + "]\n",
		"inner": "a:\n  b: [" + strings.Repeat("c, ", maxYAMLEntry/3) + "]\n",
		"text":  "a: |\n" + strings.Repeat("  b\n", maxYAMLEntry/4),
		"keys":  keys.String(),
		"depth": "a: " + strings.Repeat("{a: ", maxYAMLDepth) + "b" + strings.Repeat("}", maxYAMLDepth),
		"lists": "a: " + strings.Repeat("[", maxYAMLDepth) + strings.Repeat("]", maxYAMLDepth),
	} {
		t.Run(name, func(t *testing.T) {
			if err := readYAML("x", []byte(s), func([]string, string) error { return nil }); !errors.Is(err, assay.ErrBound) {
				t.Errorf("got %v", err)
			}
		})
	}
	// A tree of this one would take a gigabyte.
	var before, after runtime.MemStats
	hostile := []byte("packages:\n")
	for i := range 4000 {
		hostile = fmt.Appendf(hostile, "  k%d: [%s]\n", i, strings.Repeat("b,", 700))
	}
	runtime.GC()
	runtime.ReadMemStats(&before)
	var most uint64
	n := 0
	err := readYAML("x", hostile, func([]string, string) error {
		if n++; n%1000 == 0 {
			runtime.GC()
			runtime.ReadMemStats(&after)
			most = max(most, after.HeapAlloc-min(after.HeapAlloc, before.HeapAlloc))
		}
		return nil
	})
	if err != nil || n < 4000 {
		t.Fatal(n, err)
	}
	if limit := uint64(len(hostile)) + 16<<20; most > limit {
		t.Errorf("%d bytes are kept while %d are read, want at most %d", most, len(hostile), limit)
	}
}

// FuzzReadYAML: what is read in parts is what the parser sees in the whole.
func FuzzReadYAML(f *testing.F) {
	add := func(s string) { f.Add([]byte(s), uint8(1), uint8(8)) }
	add("a: 1\nb:\n  c: 'd'\n  e: {f: g, h: [i, j]}\n")
	add("? a\n: b: c\n  d: \"e\\n\"\nf: >-\n  g\n  h\ni:\n- j\nk: l\n  m\n")
	for _, found := range []string{"0: \x040", "0: {0:}", "0: >0", "0: >\n  \n 0", "0: \"\\\n\"", "a: b\n#c\n  d", strings.Repeat("a", 1025) + ": b",
		"a: {b: c, ?: [d]}", "? a\n: b\n? c", "a: [b? c]", "--- a: b", "\t"} { // by fuzzing
		add(found)
	}
	add("'a''b': x # y\n\"c\": d#e\nf:\n  - g: h\n    i: j\n")
	add("a:\n  b: {\n  c: d}\n  e: 'f\n  g: h'\n")
	add("a: |1\n b\n#c\nd:\n   - e\n   -\n   f: g\n")
	f.Fuzz(func(t *testing.T, data []byte, part, entry uint8) {
		whole, err := readAll(data, maxYAMLBytes, maxYAMLBytes)
		parts, partErr := readAll(data, int(part), int(entry))
		if partErr == nil && (err != nil || !slices.Equal(whole, parts)) {
			t.Fatalf("in parts of %d and %d: %q; as a whole: %q, %v", part, entry, parts, whole, err)
		}
		if err != nil || slices.Contains(whole, "=") {
			return
		}
		var doc yaml.Node
		if err := yaml.Unmarshal(data, &doc); err != nil {
			t.Fatalf("read %q, which is not YAML: %v", whole, err)
		}
		var all []string
		var walk func(prefix string, n *yaml.Node)
		walk = func(prefix string, n *yaml.Node) {
			for i := 0; i+1 < len(n.Content); i += 2 {
				k, v := n.Content[i], n.Content[i+1]
				if v.Kind == yaml.ScalarNode {
					all = append(all, prefix+k.Value+"="+v.Value)
					continue
				}
				all = append(all, prefix+k.Value+"=")
				if v.Kind == yaml.MappingNode {
					walk(prefix+k.Value+"/", v)
				}
			}
		}
		if len(doc.Content) == 1 {
			walk("", doc.Content[0])
		}
		if !slices.Equal(whole, all) {
			t.Fatalf("read %q, YAML has %q", whole, all)
		}
	})
}
