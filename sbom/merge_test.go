package sbom_test

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/sbom"
)

// imageOf is [listing] with a root of its own that contains everything.
func imageOf(t testing.TB, name string, items ...string) *assay.SBOM {
	t.Helper()
	doc := listing(t, items...)
	doc.Root = assay.Component{ID: assay.ComponentID("image:" + name), Type: assay.TypeContainer, Name: name, Version: "1"}
	for _, c := range doc.Components {
		doc.Relations = append(doc.Relations, assay.Relation{From: doc.Root.ID, Kind: assay.Contains, To: c.ID})
	}
	if err := doc.Normalize(); err != nil {
		t.Fatal(err)
	}
	return doc
}

func merge(t testing.TB, opts sbom.MergeOptions, docs ...*assay.SBOM) (*assay.SBOM, []sbom.Conflict) {
	t.Helper()
	before := fmt.Sprint(deref(docs))
	out, conflicts, err := sbom.Merge(opts, docs...)
	if err != nil {
		t.Fatal(err)
	}
	if after := fmt.Sprint(deref(docs)); after != before {
		t.Fatalf("the documents were changed:\n%s\n%s", before, after)
	}
	again, _, _ := sbom.Merge(opts, docs...)
	if d := cmp.Diff(out, again, equal); d != "" {
		t.Fatalf("not the same twice:\n%s", d)
	}
	return out, conflicts
}

func deref(docs []*assay.SBOM) []assay.SBOM {
	var out []assay.SBOM
	for _, d := range docs {
		out = append(out, *d)
	}
	return out
}

// inventory gives the components of a document as "id name@version hashes", and its
// relations.
func inventory(doc *assay.SBOM) string {
	var b strings.Builder
	for _, c := range doc.Components {
		fmt.Fprintf(&b, "%s %s@%s", c.ID, c.Name, c.Version)
		for _, h := range c.Hashes {
			fmt.Fprintf(&b, " %s:%.1s", h.Algorithm(), h.Hex())
		}
		b.WriteByte('\n')
	}
	for _, r := range doc.Relations {
		fmt.Fprintf(&b, "%s %s %s\n", r.From, r.Kind, r.To)
	}
	return b.String()
}

func TestMergeJoins(t *testing.T) {
	type list = []string
	for name, tt := range map[string]struct {
		a, b list
		want int // components, roots not counted
		told string
	}{
		"same purl":                   {list{"pkg:npm/a@1"}, list{"pkg:npm/a@1"}, 1, ""},
		"other version":               {list{"pkg:npm/a@1"}, list{"pkg:npm/a@2"}, 2, ""},
		"other qualifier":             {list{"pkg:deb/debian/a@1?arch=amd64"}, list{"pkg:deb/debian/a@1?arch=arm64"}, 2, ""},
		"a hash more":                 {list{"pkg:npm/a@1"}, list{"pkg:npm/a@1 #1"}, 1, ""},
		"same hash":                   {list{"pkg:npm/a@1 #1"}, list{"pkg:npm/a@1 #1"}, 1, ""},
		"contradicting hash":          {list{"pkg:npm/a@1 #1"}, list{"pkg:npm/a@1 #2"}, 2, "hash sha256"},
		"system without purl":         {list{"operating-system debian 12"}, list{"operating-system debian 12"}, 1, ""},
		"library without version":     {list{"library a"}, list{"library a"}, 1, ""}, // equal in every field
		"file without hash":           {list{"file /a"}, list{"file /a"}, 1, ""},
		"file with same hash":         {list{"file /a #1"}, list{"file /a #1"}, 1, ""},
		"file with other hash":        {list{"file /a #1"}, list{"file /a #2"}, 2, "hash sha256"},
		"file with a hash on one":     {list{"file /a #1"}, list{"file /a"}, 2, ""},
		"twice in one document":       {list{"pkg:npm/a@1", "pkg:npm/a@1"}, list{"pkg:npm/a@1"}, 2, ""},
		"twice in both":               {list{"pkg:npm/a@1", "pkg:npm/a@1"}, list{"pkg:npm/a@1", "pkg:npm/a@1"}, 2, ""},
		"purl on one side":            {list{"library a 1"}, list{"pkg:npm/a@1"}, 2, ""},
		"digest decides which":        {list{"pkg:npm/a@1 #1", "pkg:npm/a@1 #2"}, list{"pkg:npm/a@1 #2", "pkg:npm/a@1 #3"}, 3, "hash sha256"},
		"nothing":                     {nil, nil, 0, ""},
		"purl without version":        {list{"pkg:npm/a"}, list{"pkg:npm/a"}, 1, ""},
		"library of another type":     {list{"library a 1"}, list{"application a 1"}, 2, ""},
		"file and directory of names": {list{"file /a 1"}, list{"file /a 1"}, 1, ""},
	} {
		t.Run(name, func(t *testing.T) {
			out, conflicts := merge(t, sbom.MergeOptions{}, imageOf(t, "x", tt.a...), imageOf(t, "x", tt.b...))
			if len(out.Components) != tt.want || out.Root.ID != "image:x" {
				t.Errorf("%d components, want %d, under %q:\n%s", len(out.Components), tt.want, out.Root.ID, inventory(out))
			}
			if len(out.Relations) != tt.want { // the root contains each
				t.Errorf("%d relations, want %d:\n%s", len(out.Relations), tt.want, inventory(out))
			}
			fields := ""
			for _, c := range conflicts {
				fields += c.Field
			}
			if fields != tt.told {
				t.Errorf("conflicts %v, want %q", conflicts, tt.told)
			}
		})
	}
}

func TestMergeFields(t *testing.T) {
	a, b := imageOf(t, "x", "pkg:npm/a@1"), imageOf(t, "x", "pkg:npm/a@1")
	x, y := &a.Components[0], &b.Components[0]
	layer := digest(assay.SHA256, 7, 64)
	x.Supplier, y.Supplier = "Me", "You"
	x.Description, y.Description = "", "text"
	x.Source, y.Source = assay.SourcePackage{Name: "src"}, assay.SourcePackage{Name: "src", Version: "2"}
	x.Locations, y.Locations = []assay.Location{{Path: "b"}}, []assay.Location{{Path: "a", Layer: layer}, {Path: "b"}}
	x.CPEs, y.CPEs = []string{"cpe:2.3:a:x"}, []string{"cpe:2.3:a:y", "cpe:2.3:a:x"}
	x.Licenses = []assay.License{{Expression: "MIT"}}
	y.Licenses = []assay.License{{Expression: "Apache-2.0"}, {Expression: "MIT", Concluded: true}}
	x.Hashes, y.Hashes = assay.DigestSet{digest(assay.SHA256, 1, 64)}, assay.DigestSet{digest(assay.SHA1, 2, 40)}
	x.Properties, y.Properties = map[string]string{"p": "1", "q": "1"}, map[string]string{"p": "1", "q": "2", "r": "3"}
	a.Lifecycle, b.Lifecycle = "build", "post-build"
	a.Tools, b.Tools = []assay.Tool{{Name: "t"}}, []assay.Tool{{Name: "u"}, {Name: "t"}}
	a.Authors, b.Authors = []string{"A"}, []string{"A", "B"}
	a.Created, b.Created = time.Unix(10, 0).UTC(), time.Unix(20, 0).UTC()
	a.Layers, b.Layers = []assay.Digest{layer}, []assay.Digest{layer, digest(assay.SHA256, 8, 64)}

	out, conflicts := merge(t, sbom.MergeOptions{}, a, b)
	want := assay.Component{
		ID: "0", Type: assay.TypeLibrary, Name: "a", Version: "1", PURL: purl(t, "pkg:npm/a@1"), Supplier: "Me", Description: "text",
		Source:     assay.SourcePackage{Name: "src", Version: "2"},
		Locations:  []assay.Location{{Path: "a", Layer: layer}, {Path: "b"}},
		CPEs:       []string{"cpe:2.3:a:x", "cpe:2.3:a:y"},
		Licenses:   []assay.License{{Expression: "MIT"}, {Expression: "MIT", Concluded: true}},
		Hashes:     assay.DigestSet{digest(assay.SHA1, 2, 40), digest(assay.SHA256, 1, 64)},
		Properties: map[string]string{"p": "1", "q": "1", "r": "3"},
	}
	if d := cmp.Diff([]assay.Component{want}, out.Components, equal); d != "" {
		t.Error(d)
	}
	var told []string
	for _, c := range conflicts {
		told = append(told, c.String())
	}
	if d := cmp.Diff([]string{"lifecycle: not stated, not build, not post-build", "0: licenses: MIT, not Apache-2.0", "0: property q: 1, not 2", "0: supplier: Me, not You"}, told); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]assay.Tool{{Name: "t"}, {Name: "u"}}, out.Tools); d != "" {
		t.Error(d)
	}
	if !slices.Equal(out.Authors, []string{"A", "B"}) || !out.Created.Equal(b.Created) || !slices.Equal(out.Layers, b.Layers) || out.Lifecycle != "" {
		t.Errorf("header %v %v %v %q", out.Authors, out.Created, out.Layers, out.Lifecycle)
	}
	opts := sbom.MergeOptions{Authors: []string{"C"}, Tools: []assay.Tool{{Name: "v"}}, Created: time.Unix(5, 0)}
	out, _ = merge(t, opts, a, b)
	if !slices.Equal(out.Authors, opts.Authors) || !slices.Equal(out.Tools, opts.Tools) || !out.Created.Equal(opts.Created) {
		t.Errorf("options did not stand: %v %v %v", out.Authors, out.Tools, out.Created)
	}
}

func TestMergeRoots(t *testing.T) {
	a, b := imageOf(t, "a", "pkg:npm/x@1", "pkg:npm/y@1"), imageOf(t, "b", "pkg:npm/x@1")
	a.Layers, b.Layers = []assay.Digest{digest(assay.SHA256, 1, 64)}, []assay.Digest{digest(assay.SHA256, 2, 64), digest(assay.SHA256, 3, 64)}
	a.Relations = append(a.Relations, assay.Relation{From: "0", Kind: assay.DependsOn, To: "1"})
	index := assay.Component{ID: "index", Type: assay.TypeContainer, Name: "both"}
	out, conflicts := merge(t, sbom.MergeOptions{Root: index}, a, b)
	want := "" +
		"0 x@1\n1 y@1\nimage:a a@1\nimage:b b@1\n" +
		"0 dependsOn 1\nimage:a contains 0\nimage:a contains 1\nimage:b contains 0\nindex contains image:a\nindex contains image:b\n"
	if d := cmp.Diff(want, inventory(out)); d != "" || out.Root.ID != "index" || len(conflicts) > 0 {
		t.Errorf("%s\nroot %s, %v", d, out.Root.ID, conflicts)
	}
	image, _ := out.Component("image:b")
	if got := image.Properties["assay:image:layers"]; got != b.Layers[0].String()+" "+b.Layers[1].String() || out.Layers != nil {
		t.Errorf("layers %q and %v", got, out.Layers)
	}
	// Without a root there is none, as there are two.
	out, _ = merge(t, sbom.MergeOptions{}, a, b)
	if out.Root.ID != "" || len(out.Components) != 4 {
		t.Errorf("root %q of\n%s", out.Root.ID, inventory(out))
	}
	// Documents of the single layers of one image.
	b.Root = a.Root
	b.Relations[0].From = a.Root.ID
	out, _ = merge(t, sbom.MergeOptions{}, a, b)
	if !slices.Equal(out.Layers, slices.Concat(a.Layers, b.Layers)) || out.Root.ID != "image:a" {
		t.Errorf("layers %v under %s", out.Layers, out.Root.ID)
	}
	// The same id for different things.
	b = imageOf(t, "b", "pkg:npm/z@1")
	out, _ = merge(t, sbom.MergeOptions{Root: index}, a, b)
	if c, ok := out.Component("0#2"); !ok || c.Name != "z" {
		t.Errorf("no z:\n%s", inventory(out))
	}
}

func TestMergeCompleteness(t *testing.T) {
	type statements = []assay.Completeness
	for name, tt := range map[string]struct {
		items     []string
		other     []string
		same      bool // one root
		a, b      statements
		want      []string
		conflicts int
	}{
		"complete if all are": {items: []string{"pkg:deb/debian/a@1"}, other: []string{"pkg:deb/debian/b@1"}, same: true,
			a: statements{{Scope: "components:deb", Aggregate: "complete"}}, b: statements{{Scope: "components:deb", Aggregate: "complete"}},
			want: []string{" components:deb complete"}},
		"unknown if one is silent": {items: []string{"pkg:deb/debian/a@1"}, same: true,
			a: statements{{Scope: "components:deb", Aggregate: "complete"}}, want: []string{" components:deb unknown"}},
		"incomplete if one is": {same: true,
			a: statements{{Scope: "components", Aggregate: "complete"}}, b: statements{{Scope: "components", Aggregate: "incomplete"}},
			want: []string{" components incomplete"}, conflicts: 1},
		"all components are those of an ecosystem": {same: true,
			a: statements{{Scope: "components:deb", Aggregate: "complete"}}, b: statements{{Scope: "components", Aggregate: "complete"}},
			want: []string{" components unknown", " components:deb complete"}},
		"dependencies of what is not there": {items: []string{"pkg:deb/debian/a@1"}, other: []string{"pkg:npm/b@1"}, same: true,
			a: statements{{Scope: "dependencies:deb", Aggregate: "complete"}}, b: statements{{Scope: "dependencies:npm", Aggregate: "incomplete"}},
			want: []string{" dependencies:deb complete", " dependencies:npm incomplete"}},
		"dependencies of what is silent": {items: []string{"pkg:deb/debian/a@1"}, other: []string{"pkg:deb/debian/b@1"}, same: true,
			a: statements{{Scope: "dependencies:deb", Aggregate: "complete"}}, want: []string{" dependencies:deb unknown"}},
		"of two images": {items: []string{"pkg:deb/debian/a@1"}, other: []string{"pkg:deb/debian/b@1"},
			a: statements{{Scope: "components", Aggregate: "complete"}}, b: statements{{Scope: "components", Aggregate: "incomplete"}},
			want: []string{" components incomplete", "image:a components complete", "image:b components incomplete"}},
		"of one component": {items: []string{"pkg:deb/debian/a@1"}, other: []string{"pkg:deb/debian/a@1"}, same: true,
			a: statements{{Of: "0", Scope: "dependencies", Aggregate: "complete"}}, b: statements{{Of: "0", Scope: "dependencies", Aggregate: "incomplete"}},
			want: []string{"0 dependencies incomplete"}, conflicts: 1},
		"of one component, covered in the other": {items: []string{"pkg:deb/debian/a@1"}, other: []string{"pkg:deb/debian/a@1"}, same: true,
			a: statements{{Of: "0", Scope: "dependencies", Aggregate: "complete"}}, b: statements{{Scope: "dependencies:deb", Aggregate: "complete"}},
			want: []string{" dependencies:deb unknown", "0 dependencies complete"}},
		"of one component, silent in the other": {items: []string{"pkg:deb/debian/a@1"}, other: []string{"pkg:deb/debian/a@1"}, same: true,
			a: statements{{Of: "0", Scope: "dependencies", Aggregate: "complete"}}, want: []string{"0 dependencies unknown"}},
		"contradicting itself": {same: true, a: statements{{Scope: "components", Aggregate: "complete"}, {Scope: "components", Aggregate: "unknown"}},
			b: statements{{Scope: "components", Aggregate: "complete"}}, want: []string{" components unknown"}},
	} {
		t.Run(name, func(t *testing.T) {
			second := "b"
			if tt.same {
				second = "a"
			}
			a, b := imageOf(t, "a", tt.items...), imageOf(t, second, tt.other...)
			a.Completeness, b.Completeness = tt.a, tt.b
			opts := sbom.MergeOptions{}
			if !tt.same {
				opts.Root = assay.Component{ID: "index", Type: assay.TypeContainer, Name: "index"}
			}
			out, conflicts := merge(t, opts, a, b)
			var got []string
			for _, s := range out.Completeness {
				got = append(got, fmt.Sprintf("%s %s %s", s.Of, s.Scope, s.Aggregate))
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Error(d)
			}
			if len(conflicts) != tt.conflicts {
				t.Errorf("conflicts %v", conflicts)
			}
		})
	}
}

// Merging with itself gives the document, whatever is in it.
func TestMergeItself(t *testing.T) {
	for seed := range uint64(40) {
		doc := rich(t, seed, 8)
		if doc.Root.ID == "" {
			continue
		}
		once, _, err := sbom.Merge(sbom.MergeOptions{}, doc)
		if err != nil {
			t.Fatal(err)
		}
		twice, _, err := sbom.Merge(sbom.MergeOptions{}, doc, doc)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(once, twice, equal); d != "" {
			t.Errorf("seed %d (-once +twice):\n%s", seed, d)
		}
		if d := sbom.Compare(doc, twice); !d.Empty() {
			t.Errorf("seed %d: %s", seed, d)
		}
	}
}

func TestMergeInvalid(t *testing.T) {
	good := imageOf(t, "a", "pkg:npm/a@1")
	with := func(change func(*assay.SBOM)) *assay.SBOM {
		doc := imageOf(t, "b", "pkg:npm/b@1")
		change(doc)
		return doc
	}
	for name, tt := range map[string]struct {
		docs []*assay.SBOM
		opts sbom.MergeOptions
		want string
	}{
		"none":         {nil, sbom.MergeOptions{}, "documents"},
		"nil":          {[]*assay.SBOM{good, nil}, sbom.MergeOptions{}, "document 1"},
		"nameless id":  {[]*assay.SBOM{good, with(func(d *assay.SBOM) { d.Components[0].ID = "" })}, sbom.MergeOptions{}, "document 1: components/0/id"},
		"same id":      {[]*assay.SBOM{with(func(d *assay.SBOM) { d.Components[0].ID = d.Root.ID })}, sbom.MergeOptions{}, "components/0/id"},
		"edge to none": {[]*assay.SBOM{with(func(d *assay.SBOM) { d.Relations[0].To = "nobody" })}, sbom.MergeOptions{}, `relations/0: invalid: got "nobody"`},
		"of none":      {[]*assay.SBOM{with(func(d *assay.SBOM) { d.Completeness = []assay.Completeness{{Of: "nobody"}} })}, sbom.MergeOptions{}, "completeness/0/of"},
		"root id":      {[]*assay.SBOM{with(func(d *assay.SBOM) { d.Root.ID = "" })}, sbom.MergeOptions{}, "root.id"},
		"options":      {[]*assay.SBOM{good}, sbom.MergeOptions{Root: assay.Component{Name: "x"}}, "Root.ID"},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := sbom.Merge(tt.opts, tt.docs...)
			if !errors.Is(err, assay.ErrInvalid) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want invalid and %q", err, tt.want)
			}
		})
	}
}

// Many components of one purl cost no square of their number: ten times as many cost
// some ten times as much, and not a hundred times.
func TestMergeHostile(t *testing.T) {
	merge := func(n int) time.Duration {
		doc := &assay.SBOM{Root: assay.Component{ID: "r", Type: assay.TypeContainer, Name: "r", Version: "1"}}
		p := purl(t, "pkg:npm/a@1")
		for i := range n {
			doc.Components = append(doc.Components, assay.Component{ID: assay.ComponentID(fmt.Sprint(i)), Type: assay.TypeLibrary, Name: "a", Version: "1", PURL: p,
				Hashes: assay.DigestSet{digest(assay.SHA256, i, 64)}})
		}
		runtime.GC()
		start := cpuTime()
		out, _, err := sbom.Merge(sbom.MergeOptions{}, doc, doc, doc)
		if err != nil || len(out.Components) != n {
			t.Fatalf("%v", err)
		}
		return cpuTime() - start
	}
	merge(1000) // what is made once
	few, many := merge(3000), merge(30000)
	t.Logf("3,000 in %s, 30,000 in %s of processor time", few, many)
	if many > 50*max(few, time.Millisecond) {
		t.Errorf("3,000 took %s, 30,000 took %s of processor time", few, many)
	}
}
