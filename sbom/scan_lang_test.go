package sbom_test

import (
	"archive/zip"
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/testimage"
	"github.com/assaykit/assay/sbom"
)

// past gives what is gone as "name@version layer by".
func past(c *sbom.Contents) []string {
	var out []string
	for _, p := range c.History {
		out = append(out, fmt.Sprintf("%s@%s %d %d", p.Component.Name, p.Component.Version, p.Layer, p.By))
	}
	slices.Sort(out)
	return out
}

func component(t *testing.T, c *sbom.Contents, name string) assay.Component {
	t.Helper()
	for _, comp := range c.SBOM.Components {
		if comp.Name == name {
			return comp
		}
	}
	t.Fatalf("no %s", name)
	return assay.Component{}
}

func zipped(t *testing.T, name, content string) string {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	f, err := w.Create(name)
	if err == nil {
		_, err = f.Write([]byte(content))
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestScanPython(t *testing.T) {
	const site, venv = "usr/local/lib/python3.12/site-packages/", "opt/v/lib/python3.12/site-packages/"
	meta := func(name, version, more string) string {
		return "Metadata-Version: 2.1\nName: " + name + "\nVersion: " + version + "\n" + more + "\n\nText\n"
	}
	c := scan(t, sbom.Options{},
		[]file{
			{Name: "usr/local/bin/python3.12", Body: "x"},
			{Name: site + "Web_App-1.0.dist-info/METADATA", Body: meta("Web_App", "1.0", "License-Expression: MIT\nRequires-Dist: lib.x[fast]\n"+
				"Requires-Dist: win; sys_platform == 'win32'\nRequires-Dist: old; python_version < '3'\nRequires-Dist: test; extra == 'test'\nRequires-Dist: cffi; platform_python_implementation != 'PyPy'")},
			{Name: site + "Web_App-1.0.dist-info/RECORD", Body: "web/app.so,sha256=x,1\n../../../bin/web,,\nWeb_App-1.0.dist-info/METADATA,,\n"},
			{Name: site + "web/app.so"}, {Name: "usr/local/bin/web"},
			{Name: site + "lib_x-1.dist-info/METADATA", Body: meta("lib-x", "1", "Requires-Dist: speed; extra == 'Fast'")},
			{Name: site + "lib_x-1.dist-info/direct_url.json", Body: `{"url":"https://x.test/lib.git","vcs_info":{"vcs":"git","commit_id":"abc"}}`},
			{Name: site + "speed-2.egg-info", Body: meta("speed", "2", "")},
			{Name: site + "cffi-3.egg-info/PKG-INFO", Body: meta("cffi", "3", "")},
			{Name: site + "cffi-3.egg-info/requires.txt", Body: "pycparser\n"},
			{Name: site + "pycparser-4-py3.12.egg", Body: zipped(t, "EGG-INFO/PKG-INFO", meta("pycparser", "4", ""))},
			{Name: "opt/v/pyvenv.cfg"}, {Name: "opt/v/bin/python3.12"},
			{Name: venv + "alone-1.dist-info/METADATA", Body: meta("alone", "1", "Requires-Dist: cffi")},
			{Name: "wheels/speed-2-py3-none-any.whl", Body: zipped(t, "speed-2.dist-info/METADATA", meta("speed", "2", ""))},
			{Name: "wheels/plain.whl", Body: "not a zip file"},
			{Name: site + "gone-1.dist-info/METADATA", Body: meta("gone", "1", "")},
			{Name: site + "broken-1.dist-info/METADATA", Body: "nothing"},
		},
		[]file{
			testimage.Whiteout(site + "gone-1.dist-info"),
			{Name: site + "lib_x-1.dist-info/METADATA", Body: meta("lib-x", "1", "Requires-Dist: speed; extra == 'fast'")},
		},
	)
	want := map[string][]string{
		"Web_App@1.0": {"0 " + site + "Web_App-1.0.dist-info/METADATA"},
		"lib-x@1":     {"0 " + site + "lib_x-1.dist-info/METADATA"},
		"speed@2":     {"0 " + site + "speed-2.egg-info", "0 wheels/speed-2-py3-none-any.whl"},
		"cffi@3":      {"0 " + site + "cffi-3.egg-info/PKG-INFO"},
		"pycparser@4": {"0 " + site + "pycparser-4-py3.12.egg"},
		"alone@1":     {"0 " + venv + "alone-1.dist-info/METADATA"},
	}
	got := found(c)
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	edges := []string{"Web_App dependsOn cffi", "Web_App dependsOn lib-x", "cffi dependsOn pycparser", "lib-x dependsOn speed", "root contains Web_App", "root contains alone"}
	if d := cmp.Diff(edges, relations(c)); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"gone@1 0 1"}, past(c)); d != "" {
		t.Error(d)
	}
	// A virtual environment does not see the packages of the system; one file is broken.
	if a := aggregates(c); a["components:pypi"] != "incomplete" || a["dependencies:pypi"] != "incomplete" {
		t.Error(a)
	}
	if len(c.Skipped) != 1 || c.Skipped[0].Path != site+"broken-1.dist-info/METADATA" {
		t.Errorf("%+v", c.Skipped)
	}
	if p := component(t, c, "Web_App"); p.PURL.String() != "pkg:pypi/web-app@1.0" || !slices.Equal(p.Licenses, []assay.License{{Expression: "MIT"}}) {
		t.Errorf("%+v", p)
	}
	if p := component(t, c, "lib-x"); p.PURL.Qualifier("vcs_url") != "git+https://x.test/lib.git@abc" {
		t.Errorf("%+v", p)
	}
	if p := component(t, c, "speed"); p.Hashes.Get(assay.SHA256).IsZero() || p.Properties["assay:pypi:archive"] != "whl" {
		t.Errorf("%+v", p)
	}
	for _, f := range []string{site + "web/app.so", "usr/local/bin/web"} {
		if id, ok := c.Owner(f); !ok || id != "pkg:pypi/web-app@1.0" {
			t.Errorf("%s is owned by %q", f, id)
		}
	}
}

// What a distribution's package installed belongs to it.
func TestScanPythonOwned(t *testing.T) {
	c := scan(t, sbom.Options{}, []file{
		dpkgStatus("python3-six 1.16-1"),
		{Name: "var/lib/dpkg/info/python3-six.list", Body: "/usr/lib/python3/dist-packages/six-1.egg-info/PKG-INFO\n/usr/share/gems/specifications/rake-1.gemspec\n"},
		{Name: "usr/lib/python3/dist-packages/six-1.egg-info/PKG-INFO", Body: "Name: six\nVersion: 1\n"},
		{Name: "usr/share/gems/specifications/rake-1.gemspec", Body: "# stub: rake 1 ruby lib\n"},
	})
	if d := cmp.Diff([]string{"rake ownedBy python3-six", "root contains python3-six", "root contains rake", "root contains six", "six ownedBy python3-six"}, relations(c)); d != "" {
		t.Error(d)
	}
}

func TestScanGems(t *testing.T) {
	spec := func(name, version, platform, more string) string {
		return fmt.Sprintf("# -*- encoding: utf-8 -*-\n\nGem::Specification.new do |s|\n  s.name = %q.freeze\n  s.version = %q\n  s.platform = %q\n%s\nend\n", name, version, platform, more)
	}
	const home = "usr/local/bundle/"
	c := scan(t, sbom.Options{},
		[]file{
			{Name: home + "specifications/rack-2.2.gemspec", Body: spec("rack", "2.2", "ruby", `  s.licenses = ["MIT".freeze]`)},
			{Name: home + "specifications/rack-3.0.gemspec", Body: spec("rack", "3.0", "ruby", "")},
			{Name: home + "cache/rack-2.2.gem", Body: "the gem"},
			{Name: home + "specifications/app-1-x86_64-linux.gemspec", Body: spec("app", "1", "x86_64-linux", "  s.add_dependency(%q<rack>.freeze, [\"~> 2.0\".freeze])\n  s.add_dependency(%q<json>.freeze, [\">= 0\"])\n  s.add_dependency(%q<none>, [])")},
			{Name: "usr/local/lib/ruby/gems/3.3.0/specifications/default/json-2.7.gemspec", Body: spec("json", "2.7", "ruby", "")},
			{Name: home + "bundler/gems/mine-0123456789ab/mine.gemspec", Body: spec("mine", "0.1", "ruby", "")},
			{Name: home + "bundler/gems/theirs-0123456789ab/theirs.gemspec", Body: "Gem::Specification.new do |s|\n s.name = 'theirs'\n s.version = VERSION\nend\n"},
			{Name: home + "gems/rack-2.2/rack.gemspec", Body: "not read"},
		},
		[]file{testimage.Whiteout(home + "specifications/rack-3.0.gemspec")},
	)
	names := []string{}
	for n := range found(c) {
		names = append(names, n)
	}
	slices.Sort(names)
	if d := cmp.Diff([]string{"app@1", "json@2.7", "mine@0.1", "rack@2.2"}, names); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"app dependsOn json", "app dependsOn rack", "root contains app", "root contains mine"}, relations(c)); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"rack@3.0 0 1"}, past(c)); d != "" {
		t.Error(d)
	}
	rack := component(t, c, "rack")
	if rack.Hashes.Get(assay.SHA256) != assay.SumSHA256([]byte("the gem")) || !slices.Equal(rack.Licenses, []assay.License{{Expression: "MIT"}}) {
		t.Errorf("%+v", rack)
	}
	if app := component(t, c, "app"); app.PURL.String() != "pkg:gem/app@1?platform=x86_64-linux" {
		t.Error(app.PURL)
	}
	if mine := component(t, c, "mine"); mine.Properties["assay:gem:revision"] != "0123456789ab" {
		t.Errorf("%+v", mine)
	}
	if a := aggregates(c); a["components:gem"] != "incomplete" || a["dependencies:gem"] != "incomplete" || len(c.Skipped) != 1 {
		t.Error(a, c.Skipped)
	}
}

func TestScanComposer(t *testing.T) {
	pkg := func(name, version, more string) string {
		return fmt.Sprintf(`{"name":%q,"version":%q,"type":"library","install-path":"../%s"%s}`, name, version, name, more)
	}
	list := func(pkgs ...string) file {
		return file{Name: "app/vendor/composer/installed.json", Body: `{"packages":[` + strings.Join(pkgs, ",") + `]}`}
	}
	app := pkg("acme/app", "2.0.0", `,"require":{"php":">=8","psr/log":"^3","virtual/thing":"1","not/there":"1"},"license":["MIT"]`)
	c := scan(t, sbom.Options{},
		[]file{
			list(app, pkg("psr/log", "1.0.0", ""), pkg("old/one", "1", "")),
			{Name: "app/vendor/acme/app/x.php"}, {Name: "app/vendor/psr/log/x.php"}, {Name: "app/vendor/old/one/x.php"}, {Name: "app/vendor/gives/it/x.php"},
		},
		[]file{
			list(app, pkg("psr/log", "3.0.0", `,"dist":{"shasum":"da39a3ee5e6b4b0d3255bfef95601890afd80709"}`), pkg("gives/it", "1", `,"provide":{"virtual/thing":"1"}`), pkg("old/one", "1", "")),
			testimage.Whiteout("app/vendor/old"),
		},
	)
	const file = "app/vendor/composer/installed.json"
	if d := cmp.Diff(map[string][]string{"acme/app@2.0.0": {"0 " + file}, "psr/log@3.0.0": {"1 " + file}, "gives/it@1": {"1 " + file}}, found(c)); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"acme/app dependsOn gives/it", "acme/app dependsOn psr/log", "root contains acme/app"}, relations(c)); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"old/one@1 0 1", "psr/log@1.0.0 0 1"}, past(c)); d != "" {
		t.Error(d)
	}
	if a := aggregates(c); a["components:composer"] != "complete" || a["dependencies:composer"] != "incomplete" || len(c.Skipped) > 0 {
		t.Error(a, c.Skipped)
	}
	if log := component(t, c, "psr/log"); log.PURL.String() != "pkg:composer/psr/log@3.0.0" || log.Hashes.Get(assay.SHA1).IsZero() {
		t.Errorf("%+v", log)
	}
}

const emptySHA512 = "sha512-z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg=="

// A lock file names what was resolved. Its digests are those of installed packages;
// it makes components only where that is asked for.
func TestScanLockFiles(t *testing.T) {
	layer := []file{
		{Name: "y/package.json", Body: `{"name":"y","version":"1.0.0","dependencies":{"a":"^1"}}`},
		{Name: "y/yarn.lock", Body: "# yarn lockfile v1\n\na@^1:\n  version \"1.0.0\"\n  integrity " + emptySHA512 + "\n  dependencies:\n    b \"^2\"\n\nb@^2:\n  version \"2.0.0\"\n"},
		{Name: "y/node_modules/a/package.json", Body: `{"name":"a","version":"1.0.0"}`},
		{Name: "y/node_modules/a/yarn.lock", Body: "not read"},
		{Name: "p/pnpm-lock.yaml", Body: "lockfileVersion: '9.0'\npackages:\n  c@3.0.0:\n    resolution: {integrity: " + emptySHA512 + "}\n  d@4.0.0:\n    resolution: {integrity: x}\nsnapshots:\n  c@3.0.0:\n    dependencies:\n      d: 4.0.0\n  d@4.0.0: {}\n"},
		{Name: "p/node_modules/.pnpm/lock.yaml", Body: "lockfileVersion: '9.0'\npackages:\n  e@5.0.0:\n    resolution: {integrity: " + emptySHA512 + "}\n"},
		{Name: "p/node_modules/.pnpm/e@5.0.0/node_modules/e/package.json", Body: `{"name":"e","version":"5.0.0"}`},
		testimage.Symlink("p/node_modules/e", ".pnpm/e@5.0.0/node_modules/e"),
		{Name: "n/package-lock.json", Body: `{"lockfileVersion":3,"packages":{"node_modules/f":{"version":"6.0.0","dev":true,"resolved":"https://x.test/f.tgz"}}}`},
		{Name: "bad/yarn.lock", Body: "a: b: c"},
	}
	names := func(c *sbom.Contents) []string {
		out := []string{}
		for n := range found(c) {
			out = append(out, n)
		}
		slices.Sort(out)
		return out
	}
	c := scan(t, sbom.Options{}, layer)
	if d := cmp.Diff([]string{"a@1.0.0", "e@5.0.0", "y@1.0.0"}, names(c)); d != "" {
		t.Error(d)
	}
	for _, n := range []string{"a", "e"} {
		if component(t, c, n).Hashes.Get(assay.SHA512).IsZero() {
			t.Errorf("no integrity of %s", n)
		}
	}
	if len(c.Skipped) != 1 || c.Skipped[0].Path != "bad/yarn.lock" || aggregates(c)["components:npm"] != "complete" {
		t.Errorf("%+v %v", c.Skipped, aggregates(c))
	}
	c = scan(t, sbom.Options{LockFiles: true}, layer)
	if d := cmp.Diff([]string{"a@1.0.0", "b@2.0.0", "c@3.0.0", "d@4.0.0", "e@5.0.0", "f@6.0.0", "y@1.0.0"}, names(c)); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"c dependsOn d", "root contains b", "root contains c", "root contains e", "root contains f", "root contains y", "y dependsOn a"}, relations(c)); d != "" {
		t.Error(d)
	}
	f := component(t, c, "f")
	if d := cmp.Diff(map[string]string{"assay:npm:lock": "n/package-lock.json", "assay:lifecycle": "pre-build", "assay:npm:dev": "true", "assay:npm:resolved": "https://x.test/f.tgz"}, f.Properties); d != "" {
		t.Error(d)
	}
}
