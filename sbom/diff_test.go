package sbom_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/sbom"
)

func TestDiff(t *testing.T) {
	type list = []string
	for name, tt := range map[string]struct {
		old, new list
		want     string
	}{
		"same":           {list{"pkg:npm/a@1", "library b 2"}, list{"library b 2", "pkg:npm/a@1"}, ""},
		"added":          {nil, list{"pkg:npm/a@1"}, "+ pkg:npm/a@1\n"},
		"removed":        {list{"pkg:npm/a@1"}, nil, "- pkg:npm/a@1\n"},
		"up":             {list{"pkg:npm/a@1.9.0"}, list{"pkg:npm/a@1.10.0"}, "~ pkg:npm/a@1.9.0: version 1.9.0 -> 1.10.0 (up)\n"},
		"down":           {list{"pkg:deb/debian/a@1:1-1"}, list{"pkg:deb/debian/a@2-1"}, "~ pkg:deb/debian/a@1:1-1: version 1:1-1 -> 2-1 (down)\n"},
		"unknown":        {list{"pkg:pypi/a@1.0rc1"}, list{"pkg:pypi/a@1.0"}, "~ pkg:pypi/a@1.0rc1: version 1.0rc1 -> 1.0 (unknown)\n"},
		"numbers":        {list{"pkg:pypi/a@1.9"}, list{"pkg:pypi/a@1.10.1"}, "~ pkg:pypi/a@1.9: version 1.9 -> 1.10.1 (up)\n"},
		"zeros":          {list{"pkg:pypi/a@1"}, list{"pkg:pypi/a@1.0"}, "~ pkg:pypi/a@1: version 1 -> 1.0 (unknown)\n"},
		"prerelease":     {list{"pkg:golang/example.com/a@v1.0.0"}, list{"pkg:golang/example.com/a@v1.0.0-rc.1"}, "~ pkg:golang/example.com/a@v1.0.0: version v1.0.0 -> v1.0.0-rc.1 (down)\n"},
		"one of two":     {list{"pkg:npm/a@1", "pkg:npm/a@2"}, list{"pkg:npm/a@2", "pkg:npm/a@3"}, "~ pkg:npm/a@1: version 1 -> 3 (up)\n"},
		"one more":       {list{"pkg:npm/a@1"}, list{"pkg:npm/a@1", "pkg:npm/a@1"}, "+ pkg:npm/a@1\n"},
		"architectures":  {list{"pkg:deb/debian/a@1?arch=arm64", "pkg:deb/debian/a@1?arch=amd64"}, list{"pkg:deb/debian/a@2?arch=amd64", "pkg:deb/debian/a@2?arch=arm64"}, "~ pkg:deb/debian/a@1?arch=amd64: version 1 -> 2 (up)\n~ pkg:deb/debian/a@1?arch=arm64: version 1 -> 2 (up)\n"},
		"distribution":   {list{"pkg:deb/debian/a@1?arch=amd64&distro=debian-12"}, list{"pkg:deb/debian/a@1?arch=amd64&distro=debian-13"}, "~ pkg:deb/debian/a@1?arch=amd64&distro=debian-12: purl pkg:deb/debian/a?arch=amd64&distro=debian-12 -> pkg:deb/debian/a?arch=amd64&distro=debian-13\n"},
		"hash":           {list{"pkg:npm/a@1 #1"}, list{"pkg:npm/a@1 #2"}, "~ pkg:npm/a@1: hash sha256 " + strings.Repeat("1", 64) + " -> " + strings.Repeat("2", 64) + "\n"},
		"hash gone":      {list{"pkg:npm/a@1 #1"}, list{"pkg:npm/a@1"}, "~ pkg:npm/a@1: hash sha256 " + strings.Repeat("1", 64) + " -> -\n"},
		"hashes swapped": {list{"pkg:npm/a@1 #1", "pkg:npm/a@1 #2"}, list{"pkg:npm/a@1 #2", "pkg:npm/a@1 #1"}, ""},
		"epoch":          {list{"pkg:rpm/fedora/a@1-2?epoch=3"}, list{"pkg:rpm/fedora/a@3:1-2"}, ""},
		"system":         {list{"operating-system debian 11"}, list{"operating-system debian 12"}, "~ operating-system debian 11: version 11 -> 12 (up)\n"},
		"other type":     {list{"library a 1"}, list{"application a 1"}, "+ application a 1\n- library a 1\n"},
		"hostile":        {list{"library \x1b[2J 1"}, nil, "- library \uFFFD[2J 1\n"},
	} {
		t.Run(name, func(t *testing.T) {
			d := sbom.Diff(listing(t, tt.old...), listing(t, tt.new...))
			if diff := cmp.Diff(tt.want, d.String()); diff != "" {
				t.Error(diff)
			}
			if d.Empty() != (tt.want == "") {
				t.Errorf("Empty is %v", d.Empty())
			}
			back := sbom.Diff(listing(t, tt.new...), listing(t, tt.old...))
			if len(back.Added) != len(d.Removed) || len(back.Removed) != len(d.Added) || len(back.Changed) != len(d.Changed) {
				t.Errorf("other counts the other way around: %v\n%v", d, back)
			}
		})
	}
}

func TestDiffDirection(t *testing.T) {
	for typ, versions := range map[string][]string{ // in order (semver.org 2.0.0, 11; deb-version(7))
		"npm":    {"1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0-rc.1", "1.0.0", "1.0.1", "1.2.0", "1.10.0", "2.0.0-0", "2.0.0"},
		"golang": {"v0.0.0-20200101000000-0123456789ab", "v0.0.0-20210101000000-0123456789ab", "v0.1.0", "v1.0.0+incompatible"},
		"deb":    {"1.0~rc1-1", "1.0-1", "1.0-1+deb12u1", "1.0-2", "1:0.1-1"},
		"pypi":   {"1.2", "1.2.3", "1.10", "2", "20261123.1", "99999999999999999999999"},
	} {
		version := func(v string) *assay.SBOM {
			return &assay.SBOM{Components: []assay.Component{{ID: "a", Name: "a", Version: v, PURL: purl(t, "pkg:"+typ+"/a")}}}
		}
		for i, old := range versions {
			for j, new := range versions {
				d := sbom.Diff(version(old), version(new))
				switch {
				case i == j && !d.Empty(), i != j && len(d.Changed) != 1:
					t.Fatalf("%s to %s: %v", old, new, d)
				case i < j && d.Changed[0].Fields[0].Direction != sbom.Up, i > j && d.Changed[0].Fields[0].Direction != sbom.Down:
					t.Errorf("%s: %v", typ, d)
				}
			}
		}
	}
	for _, tt := range [][3]string{{"npm", "1.0", "1.0.0-1"}, {"npm", "1.0.0-", "1.0.0"}, {"npm", "1.0.0+a", "1.0.0+b"}, {"pypi", "1.0", "1.0.0"}, {"pypi", "1.a", "1.b"}, {"rpm", "1-2.fc40", "1-3.fc40"}, {"npm", "", "1.0.0"}} {
		d := sbom.Diff(&assay.SBOM{Components: []assay.Component{{ID: "a", Name: "a", Version: tt[1], PURL: purl(t, "pkg:"+tt[0]+"/a")}}},
			&assay.SBOM{Components: []assay.Component{{ID: "a", Name: "a", Version: tt[2], PURL: purl(t, "pkg:"+tt[0]+"/a")}}})
		if len(d.Changed) != 1 || d.Changed[0].Fields[0].Direction != sbom.UnknownDirection {
			t.Errorf("%v: %v", tt, d)
		}
	}
}

func TestDiffFields(t *testing.T) {
	base := func() *assay.SBOM { return rich(t, 3, 0) }
	component := func() assay.Component {
		return assay.Component{ID: "c", Type: assay.TypeLibrary, Name: "c", Version: "1", PURL: purl(t, "pkg:npm/c@1"),
			Locations: []assay.Location{{Path: "a", Layer: digest(assay.SHA256, 1, 64)}}, Properties: map[string]string{"p": "1"}}
	}
	for want, change := range map[string]func(*assay.Component){
		"":                                   func(c *assay.Component) { c.ID = "other"; c.Locations[0].Layer = digest(assay.SHA256, 2, 64) },
		"type library -> file":               func(c *assay.Component) { c.Type = assay.TypeFile },
		"name c -> C":                        func(c *assay.Component) { c.Name = "C" },
		"licenses - -> GPL, MIT":             func(c *assay.Component) { c.Licenses = []assay.License{{Expression: "MIT"}, {Name: "GPL"}} },
		"concluded licenses - -> MIT":        func(c *assay.Component) { c.Licenses = []assay.License{{Expression: "MIT", Concluded: true}} },
		"supplier - -> S":                    func(c *assay.Component) { c.Supplier = "S" },
		"description - -> D":                 func(c *assay.Component) { c.Description = "D" },
		"source - -> s 1":                    func(c *assay.Component) { c.Source = assay.SourcePackage{Name: "s", Version: "1"} },
		"locations a -> a, b":                func(c *assay.Component) { c.Locations = append(c.Locations, assay.Location{Path: "b"}) },
		"foundBy - -> npm":                   func(c *assay.Component) { c.FoundBy = "npm" },
		"property p 1 -> 2":                  func(c *assay.Component) { c.Properties = map[string]string{"p": "2"} },
		"property p 1 -> -":                  func(c *assay.Component) { c.Properties = nil },
		"cpes - -> cpe:/a:x":                 func(c *assay.Component) { c.CPEs = []string{"cpe:/a:x"} },
		"purl pkg:npm/c -> pkg:npm/c?arch=x": func(c *assay.Component) { c.PURL = purl(t, "pkg:npm/c@1?arch=x") },
		"hash sha1 - -> " + strings.Repeat("0", 39) + "1": func(c *assay.Component) { c.Hashes = assay.DigestSet{digest(assay.SHA1, 1, 40)} },
	} {
		old, new := base(), base()
		old.Components = []assay.Component{component()}
		c := component()
		change(&c)
		new.Components = []assay.Component{c}
		got := ""
		for _, x := range sbom.Diff(old, new).Changed {
			for _, f := range x.Fields {
				got += f.String()
			}
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Error(d)
		}
		// The same about the root.
		old.Root, new.Root, old.Components, new.Components = component(), c, nil, nil
		got = ""
		for _, f := range sbom.Diff(old, new).Root {
			got += f.String()
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("root: %s", d)
		}
	}
}

func TestDiffJSON(t *testing.T) {
	old, new := listing(t, "pkg:npm/a@1"), listing(t, "pkg:npm/a@2")
	new.Completeness = []assay.Completeness{{Scope: "components", Aggregate: "complete"}}
	d := sbom.Diff(old, new)
	data, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"added":[],"removed":[],"changed":[{"old":{"id":"0","type":"library","name":"a","version":"1","purl":"pkg:npm/a@1"},"new":{"id":"0","type":"library","name":"a","version":"2","purl":"pkg:npm/a@2"},"fields":[{"field":"version","old":"1","new":"2","direction":"up"}]}],"completeness":[{"field":"components","old":"","new":"complete"}]}`
	if d := cmp.Diff(want, string(data)); d != "" {
		t.Error(d)
	}
	var back sbom.Delta
	if err := json.Unmarshal(data, &back); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(d, back, equal); diff != "" {
		t.Error(diff)
	}
	if s := d.String(); !strings.Contains(s, "~ completeness: components - -> complete\n") {
		t.Error(s)
	}
}

// Nothing differs from itself in another order, and what Compare finds Diff finds.
func TestDiffOrder(t *testing.T) {
	for seed := range uint64(30) {
		a, b := rich(t, seed, 8), rich(t, seed+100, 8)
		if d := sbom.Diff(a, reorder(a, seed)); !d.Empty() {
			t.Errorf("seed %d: differs from itself: %s", seed, d)
		}
		d, e := sbom.Diff(a, b), sbom.Diff(reorder(a, seed), reorder(b, seed))
		if diff := cmp.Diff(d, e, equal); diff != "" {
			t.Errorf("seed %d: the order matters: %s", seed, diff)
		}
		if len(a.Components) != len(d.Removed)+same(a, d) || len(b.Components) != len(d.Added)+same(a, d) {
			t.Errorf("seed %d: %d and %d components, but %d added, %d removed", seed, len(a.Components), len(b.Components), len(d.Added), len(d.Removed))
		}
	}
}

func same(old *assay.SBOM, d sbom.Delta) int { return len(old.Components) - len(d.Removed) }

// Many components of one name cost no square of their number.
func TestDiffHostile(t *testing.T) {
	a, b := &assay.SBOM{}, &assay.SBOM{}
	for i := range 40000 {
		a.Components = append(a.Components, assay.Component{Type: assay.TypeLibrary, Name: "x", Version: strings.Repeat("1", 1+i%7) + ".0"})
		b.Components = append(b.Components, assay.Component{Type: assay.TypeLibrary, Name: "x", Version: strings.Repeat("2", 1+i%7) + ".0"})
	}
	if d := sbom.Diff(a, b); len(d.Changed) != 40000 {
		t.Errorf("%d changed", len(d.Changed))
	}
}
