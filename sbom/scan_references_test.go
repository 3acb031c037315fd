package sbom_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/sbom"
)

// What packages say of where they come from and who made them is in the document, in
// each format, as far as it is a URL that anybody can follow.
func TestScanReferences(t *testing.T) {
	const site, gems = "usr/lib/python3.11/site-packages/", "usr/share/rubygems-integration/all/"
	c := scan(t, sbom.Options{}, []file{
		dpkgStatus("deb 1 Homepage: https://deb.example/", "bad 1 Homepage: javascript:alert(1)"),
		{Name: "lib/apk/db/installed", Body: "P:alpine\nV:1\nA:x86_64\nU:http://apk.example\n\n"},
		{Name: "srv/node_modules/npm/package.json", Body: `{"name":"npm","version":"1","author":"N <n@npm.example>","homepage":"https://npm.example","repository":"o/npm","bugs":{"url":"https://npm.example/i"}}`},
		{Name: "srv/package-lock.json", Body: `{"lockfileVersion":3,"packages":{"node_modules/npm":{"version":"1","resolved":"https://registry.npmjs.org/npm/-/npm-1.tgz"}}}`},
		{Name: site + "py-1.dist-info/METADATA", Body: "Name: py\nVersion: 1\nMaintainer: M\nAuthor: A\nProject-URL: Issues, https://py.example/i\nProject-URL: Fund, https://py.example/f\nHome-page: https://u:p@py.example/\n\n"},
		{Name: gems + "specifications/gem-1.gemspec", Body: "Gem::Specification.new do |s|\n  s.name = \"gem\"\n  s.version = \"1\"\n  s.authors = [\"G\", \"H\"]\n  s.homepage = \"https://gem.example\"\n" +
			"  s.metadata = { \"source_code_uri\" => \"https://gem.example/s\" } if s.respond_to? :metadata=\nend\n"},
		{Name: "app/vendor/composer/installed.json", Body: `{"packages":[{"name":"o/php","version":"1","type":"metapackage","homepage":"https://php.example","authors":[{"name":"P"}],
			"source":{"type":"git","url":"https://php.example/p.git","reference":"abc"},"dist":{"type":"zip","url":"https://php.example/p.zip"},"support":{"docs":"https://php.example/d"}}]}`},
		{Name: "app/a.jar", Body: zipOf(t, projectOf("jar"), zipFile{"META-INF/maven/g/jar/pom.xml", strings.NewReader(
			"<project><url>https://jar.example</url><scm><url>scm:git:git@jar.example:o/r</url></scm><organization><name>J</name></organization></project>")})},
	})
	type facts struct {
		Creator    string
		References []string
	}
	of := func(doc *assay.SBOM) map[string]facts {
		out := map[string]facts{}
		for _, comp := range doc.Components {
			if comp.Type != assay.TypeLibrary {
				continue
			}
			f := facts{Creator: comp.Creator}
			for _, r := range comp.References {
				s := string(r.Type) + " " + r.URL
				if r.Comment != "" {
					s += " " + r.Comment
				}
				f.References = append(f.References, s)
			}
			out[comp.Name] = f
		}
		return out
	}
	want := map[string]facts{
		"deb":    {"", []string{"website https://deb.example/"}},
		"bad":    {},
		"alpine": {"", []string{"website http://apk.example"}},
		"npm": {"N <n@npm.example>", []string{"distribution https://registry.npmjs.org/npm/-/npm-1.tgz", "issue-tracker https://npm.example/i",
			"vcs https://github.com/o/npm", "website https://npm.example"}},
		"py":    {"A", []string{"issue-tracker https://py.example/i", "other https://py.example/f Fund"}},
		"gem":   {"G, H", []string{"vcs https://gem.example/s", "website https://gem.example"}},
		"o/php": {"P", []string{"distribution https://php.example/p.zip", "documentation https://php.example/d", "vcs https://php.example/p.git", "website https://php.example"}},
		"jar":   {"J", []string{"vcs ssh://git@jar.example/o/r", "website https://jar.example"}},
	}
	if d := cmp.Diff(want, of(c.SBOM)); d != "" {
		t.Error(d)
	}
	for _, comp := range c.SBOM.Components {
		if comp.Name == "bad" && comp.Properties["assay:deb:homepage"] != "javascript:alert(1)" {
			t.Errorf("%v", comp.Properties)
		}
	}
	for _, f := range formats {
		data, _, err := sbom.Encode(c.SBOM, f, sbom.EncodeOptions{})
		if err != nil {
			t.Fatal(err)
		}
		back, err := sbom.Read("x", data)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, of(back)); d != "" {
			t.Errorf("%s: %s", f, d)
		}
	}
}
