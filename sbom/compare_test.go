package sbom_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/sbom"
)

// listing makes an SBOM of purls, or "type name version" where there is none, each
// optionally with " #" and one digit of a digest.
func listing(t testing.TB, items ...string) *assay.SBOM {
	t.Helper()
	doc := &assay.SBOM{Root: assay.Component{ID: "root", Type: assay.TypeContainer, Name: "image"}}
	for i, item := range items {
		item, hash, _ := strings.Cut(item, " #")
		c := assay.Component{ID: assay.ComponentID(fmt.Sprint(i)), Type: assay.TypeLibrary}
		if strings.HasPrefix(item, "pkg:") {
			c.PURL = purl(t, item)
			c.Name, c.Version = c.PURL.Parts().Name, c.PURL.Parts().Version
		} else {
			f := append(strings.Fields(item), "", "")
			c.Type, c.Name, c.Version = assay.ComponentType(f[0]), f[1], f[2]
		}
		if hash != "" {
			c.Hashes = assay.DigestSet{assay.MustDigest("sha256:" + strings.Repeat(hash, 64))}
		}
		doc.Components = append(doc.Components, c)
	}
	return doc
}

func TestCompare(t *testing.T) {
	type list = []string
	for name, tt := range map[string]struct {
		claimed, actual list
		want            string
	}{
		"same":                      {list{"pkg:npm/a@1", "library b 2"}, list{"library b 2", "pkg:npm/a@1"}, ""},
		"nothing":                   {nil, nil, ""},
		"missing":                   {nil, list{"pkg:npm/a@1"}, "missing pkg:npm/a@1\n"},
		"phantom":                   {list{"pkg:npm/a@1"}, nil, "phantom pkg:npm/a@1\n"},
		"version":                   {list{"pkg:npm/a@1"}, list{"pkg:npm/a@2"}, "changed pkg:npm/a@1 is pkg:npm/a@2 (version)\n"},
		"one version of two":        {list{"pkg:npm/a@1", "pkg:npm/a@2"}, list{"pkg:npm/a@2", "pkg:npm/a@3"}, "changed pkg:npm/a@1 is pkg:npm/a@3 (version)\n"},
		"a version more":            {list{"pkg:npm/a@1"}, list{"pkg:npm/a@1", "pkg:npm/a@2"}, "missing pkg:npm/a@2\n"},
		"twice there, claimed once": {list{"pkg:npm/a@1"}, list{"pkg:npm/a@1", "pkg:npm/a@1"}, ""},
		"other type":                {list{"pkg:npm/a@1"}, list{"pkg:pypi/a@1"}, "missing pkg:pypi/a@1\nphantom pkg:npm/a@1\n"},
		"other namespace":           {list{"pkg:deb/debian/a@1"}, list{"pkg:deb/ubuntu/a@1"}, "missing pkg:deb/ubuntu/a@1\nphantom pkg:deb/debian/a@1\n"},
		"less detail":               {list{"pkg:deb/debian/a@1"}, list{"pkg:deb/debian/a@1?arch=amd64&distro=debian-12"}, ""},
		"more detail":               {list{"pkg:deb/debian/a@1?arch=amd64&distro=debian-12"}, list{"pkg:deb/debian/a@1?arch=amd64"}, ""},
		"other detail":              {list{"pkg:deb/debian/a@1?arch=arm64"}, list{"pkg:deb/debian/a@1?arch=amd64"}, "changed pkg:deb/debian/a@1?arch=arm64 is pkg:deb/debian/a@1?arch=amd64 (purl qualifier arch)\n"},
		"versions by architecture": {list{"pkg:deb/debian/a@1?arch=arm64", "pkg:deb/debian/a@1?arch=amd64"}, list{"pkg:deb/debian/a@2?arch=amd64", "pkg:deb/debian/a@2?arch=arm64"},
			"changed pkg:deb/debian/a@1?arch=amd64 is pkg:deb/debian/a@2?arch=amd64 (version)\nchanged pkg:deb/debian/a@1?arch=arm64 is pkg:deb/debian/a@2?arch=arm64 (version)\n"},
		"epoch":         {list{"pkg:rpm/fedora/a@1-2?epoch=3"}, list{"pkg:rpm/fedora/a@3:1-2"}, ""},
		"epoch 0":       {list{"pkg:rpm/fedora/a@1-2"}, list{"pkg:rpm/fedora/a@0:1-2"}, ""},
		"other epoch":   {list{"pkg:rpm/fedora/a@1-2?epoch=3"}, list{"pkg:rpm/fedora/a@1-2"}, "changed pkg:rpm/fedora/a@1-2?epoch=3 is pkg:rpm/fedora/a@1-2 (version)\n"},
		"same hash":     {list{"pkg:npm/a@1 #1"}, list{"pkg:npm/a@1 #1"}, ""},
		"other hash":    {list{"pkg:npm/a@1 #1"}, list{"pkg:npm/a@1 #2"}, "changed pkg:npm/a@1 is pkg:npm/a@1 (hash sha256)\n"},
		"a hash more":   {list{"pkg:npm/a@1"}, list{"pkg:npm/a@1 #2"}, ""},
		"without purl":  {list{"library a 1"}, list{"library a 2"}, "changed library a 1 is library a 2 (version)\n"},
		"purl only one": {list{"library a 1"}, list{"pkg:npm/a@1"}, "missing pkg:npm/a@1\nphantom library a 1\n"},
		"files on one side": {list{"pkg:npm/a@1"}, list{"pkg:npm/a@1", "file /a", "operating-system debian 12", "container base"},
			"not compared container: 0 claimed, 1 actual\nnot compared file: 0 claimed, 1 actual\nnot compared operating-system: 0 claimed, 1 actual\n"},
		"files on both sides": {list{"file /a", "file /b"}, list{"file /a", "file /c"}, "missing file /c\nphantom file /b\n"},
		"renamed file":        {list{"file ./a #1", "file b #2"}, list{"file /a #1", "file c #3"}, "missing file c\nphantom file b\n"},
		"renamed library":     {list{"library a 1 #1"}, list{"library b 1 #1"}, "missing library b 1\nphantom library a 1\n"},
		"other system":        {list{"operating-system debian 11"}, list{"operating-system debian 12"}, "changed operating-system debian 11 is operating-system debian 12 (version)\n"},
		"hostile name":        {list{"library \x1b[2J 1"}, nil, "phantom library \uFFFD[2J 1\n"},
	} {
		t.Run(name, func(t *testing.T) {
			d := sbom.Compare(listing(t, tt.claimed...), listing(t, tt.actual...))
			if diff := cmp.Diff(tt.want, d.String()); diff != "" {
				t.Error(diff)
			}
			if d.Empty() != (tt.want == "" || strings.HasPrefix(tt.want, "not compared")) {
				t.Errorf("Empty is %v", d.Empty())
			}
		})
	}
}

// Two documents of many components of one name take no time of the square of it.
func TestCompareHostile(t *testing.T) {
	const n = 40000
	a, b := &assay.SBOM{}, &assay.SBOM{}
	for i := range n {
		a.Components = append(a.Components, assay.Component{Type: assay.TypeLibrary, Name: "x", Version: fmt.Sprint(i)})
		b.Components = append(b.Components, assay.Component{Type: assay.TypeLibrary, Name: "x", Version: fmt.Sprint(i + 1)})
	}
	if d := sbom.Compare(a, b); len(d.Changed) != 1 || len(d.Missing)+len(d.Phantom) != 0 {
		t.Errorf("%d changed, %d missing, %d phantom", len(d.Changed), len(d.Missing), len(d.Phantom))
	}
}

func TestWriteTable(t *testing.T) {
	doc := small(t)
	doc.Components = append(doc.Components, assay.Component{ID: "x", Type: assay.TypeFile, Name: "a\x1b[31m\n"})
	var out bytes.Buffer
	if err := sbom.WriteTable(&out, doc); err != nil {
		t.Fatal(err)
	}
	want := "" +
		"NAME        VERSION  KIND  LICENSES       LOCATION\n" +
		"base-files  12.4     deb   -              -\n" +
		"libc6       2.36-9   deb   LGPL-2.1-only  var/lib/dpkg/status\n" +
		"a\uFFFD[31m\uFFFD     -        file  -              -\n" +
		"3 components\n"
	if d := cmp.Diff(want, out.String()); d != "" {
		t.Error(d)
	}
}

// A scan lists the executables that no package has. That is no statement about the
// files of packages, which other tools list.
func TestCompareStrayExecutables(t *testing.T) {
	file := func(name, kind string) assay.Component {
		c := assay.Component{ID: assay.ComponentID("file:" + name), Type: assay.TypeFile, Name: name}
		if kind != "" {
			c.Properties = map[string]string{"assay:executable": kind}
		}
		return c
	}
	doc := func(c ...assay.Component) *assay.SBOM { return &assay.SBOM{Components: c} }
	ours := doc(file("srv/app", "elf"))
	if d := sbom.Compare(doc(file("bin/ls", ""), file("etc/passwd", "")), ours); !d.Empty() || len(d.Uncompared) != 1 || d.Uncompared[0] != (sbom.Uncompared{Type: assay.TypeFile, Claimed: 2, Actual: 1}) {
		t.Errorf("files of packages: %+v", d)
	}
	if d := sbom.Compare(doc(file("srv/other", "elf")), ours); len(d.Changed) > 0 || len(d.Missing) != 1 || len(d.Phantom) != 1 {
		t.Errorf("another executable: %+v", d)
	}
	if d := sbom.Compare(doc(), ours); !d.Empty() || len(d.Uncompared) != 1 {
		t.Errorf("no files: %+v", d)
	}
}

// What the actual SBOM could not read refutes nothing and proves nothing.
func TestCompareIncomplete(t *testing.T) {
	partial := func(doc *assay.SBOM, scopes ...string) *assay.SBOM {
		for _, s := range scopes {
			doc.Completeness = append(doc.Completeness, assay.Completeness{Scope: s, Aggregate: "incomplete"})
		}
		return doc
	}
	stray := func(doc *assay.SBOM, name string) *assay.SBOM {
		c := assay.Component{ID: assay.ComponentID("file:" + name), Type: assay.TypeFile, Name: name, Hashes: assay.DigestSet{assay.SumSHA256([]byte(name))},
			Locations: []assay.Location{{Path: name}}, Properties: map[string]string{"assay:executable": "elf", "assay:unclaimed": "true"}}
		doc.Components = append(doc.Components, c)
		return doc
	}
	says := func(doc *assay.SBOM, scope, aggregate string) *assay.SBOM {
		doc.Completeness = append(doc.Completeness, assay.Completeness{Scope: scope, Aggregate: aggregate})
		return doc
	}
	deb := "pkg:deb/debian/a@1"
	for name, tt := range map[string]struct {
		claimed, actual *assay.SBOM
		empty           bool
		want            string
	}{
		"phantom of what was not read": {listing(t, deb), partial(listing(t), "components:deb"), true,
			"not found and not proven phantom " + deb + "\nincomplete components:deb\n"},
		"agrees in what was read": {listing(t, deb), partial(listing(t, deb), "components:deb"), true, "incomplete components:deb\n"},
		"missing all the same":    {listing(t), partial(listing(t, deb), "components:deb"), false, "missing " + deb + "\nincomplete components:deb\n"},
		"another version":         {listing(t, "pkg:deb/debian/a@2"), partial(listing(t, deb), "components:deb"), false, "changed pkg:deb/debian/a@2 is " + deb + " (version)\nincomplete components:deb\n"},
		"of another ecosystem":    {listing(t, "pkg:npm/a@1"), partial(listing(t), "components:deb"), false, "phantom pkg:npm/a@1\nincomplete components:deb\n"},
		"without a package URL":   {listing(t, "library a 1"), partial(listing(t), "components:maven"), true, "not found and not proven phantom library a 1\nincomplete components:maven\n"},
		"of the whole":            {listing(t, "pkg:npm/a@1"), partial(listing(t), "components"), true, "not found and not proven phantom pkg:npm/a@1\nincomplete components\n"},
		"dependencies only":       {listing(t, deb), partial(listing(t, deb), "dependencies:deb"), true, ""},
		"an executable of unread packages": {says(listing(t), "components", "complete"), stray(partial(listing(t, "pkg:generic/python@3"), "components:deb", "components:generic"), "bin/x"), true,
			"found and not proven missing file bin/x at bin/x\nfound and not proven missing pkg:generic/python@3\nincomplete components:deb\nincomplete components:generic\nnot compared file: 0 claimed, 1 actual\n"},
		"no files, nothing said": {says(listing(t, deb), "components", "unknown"), stray(listing(t, deb), "bin/x"), true,
			"not described file bin/x at bin/x\nnot compared file: 0 claimed, 1 actual\n"},
		"no files, said to be all": {says(listing(t, deb), "components", "complete"), stray(listing(t, deb), "bin/x"), false,
			"missing file bin/x at bin/x\nnot compared file: 0 claimed, 1 actual\n"},
		"no files, all of no package manager": {says(says(listing(t, deb), "components:generic", "complete"), "components:deb", "unknown"), stray(listing(t, deb), "bin/x"), false,
			"missing file bin/x at bin/x\nnot compared file: 0 claimed, 1 actual\n"},
		"described by its place": {listing(t, deb, "file ./bin/x"), stray(listing(t, deb), "bin/x"), true, "not compared file: 1 claimed, 1 actual\n"},
		"files of packages":      {listing(t, deb, "file /bin/ls"), stray(listing(t, deb), "bin/x"), true, "not described file bin/x at bin/x\nnot compared file: 1 claimed, 1 actual\n"},
		"described by a package": {func() *assay.SBOM {
			doc := listing(t, "pkg:generic/x@1")
			doc.Components[0].Hashes = assay.DigestSet{assay.SumSHA256([]byte("bin/x"))}
			return doc
		}(), stray(listing(t, "pkg:generic/x@1"), "bin/x"), true, "not compared file: 0 claimed, 1 actual\n"},
		"strays on both sides": {stray(listing(t), "bin/x"), stray(stray(listing(t), "bin/x"), "bin/y"), false, "missing file bin/y at bin/y\n"},
	} {
		t.Run(name, func(t *testing.T) {
			d := sbom.Compare(tt.claimed, tt.actual)
			if diff := cmp.Diff(tt.want, d.String()); diff != "" {
				t.Error(diff)
			}
			agrees := tt.want == "" || tt.want == "not compared file: 0 claimed, 1 actual\n"
			if d.Empty() != tt.empty || d.Agrees() != agrees {
				t.Errorf("Empty is %v, Agrees %v", d.Empty(), d.Agrees())
			}
		})
	}
}
