package verify_test

import (
	"context"
	"strings"
	"testing"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/attest"
	"github.com/assaykit/assay/internal/testimage"
	"github.com/assaykit/assay/sbom"
	"github.com/assaykit/assay/verify"
)

// incompleteFixture is a fixture of another image, with the SBOM that a scan of it
// gives.
func incompleteFixture(t *testing.T, files ...testimage.File) *fixture {
	t.Helper()
	f := newFixture(t)
	files = append([]testimage.File{{Name: "etc/os-release", Body: "ID=debian\nVERSION_ID=\"12\"\n"}}, files...)
	f.image = testimage.New(t, testimage.Layer{Files: files})
	f.digest = f.image.ID()
	var err error
	if f.contents, err = sbom.Scan(context.Background(), f.image, sbom.Options{Repository: "registry.example/app"}); err != nil {
		t.Fatal(err)
	}
	f.sbom = f.contents.SBOM
	return f
}

func askContents(t *testing.T, f *fixture, opts ...verify.Option) *verify.Report {
	t.Helper()
	p := verify.Policy{Signers: f.policy().Signers, Require: []assay.Kind{assay.KindSBOM}}
	return f.ask(t, p, opts, attest.FromEnvelopes(f.sign(t, f.signer, f.sbom)), attest.FromImage(f.image))
}

// An image whose package database is broken on purpose makes no SBOM pass: neither one
// that lists what the broken record hides, nor one that leaves it out.
func TestBrokenDatabaseProvesNothing(t *testing.T) {
	broken := strings.Replace(status, "Package: libfoo", "Package libfoo", 1)
	if broken == status {
		t.Fatal("the fixture has changed")
	}
	database := testimage.File{Name: "var/lib/dpkg/status", Body: broken}
	lib := assay.Component{ID: "x", Type: assay.TypeLibrary, Name: "libfoo", Version: "2.0-1", PURL: purl("pkg:deb/debian/libfoo@2.0-1?arch=amd64")}
	for name, tt := range map[string]struct {
		change func(*assay.SBOM)
		state  assay.State
		reason verify.Reason
		says   string
	}{
		"as it was read": {func(*assay.SBOM) {}, assay.Unknown, verify.ContentsIncomplete, "components:deb of the image could not all be read"},
		"said to be all": {func(s *assay.SBOM) {
			s.Completeness = []assay.Completeness{{Scope: "components", Aggregate: "complete"}}
		}, assay.Unknown, verify.ContentsIncomplete, "components:deb"},
		"with the package":      {func(s *assay.SBOM) { s.Components = append(s.Components, lib) }, assay.Unknown, verify.ContentsIncomplete, "not found: " + lib.PURL.String()},
		"without what was read": {func(s *assay.SBOM) { drop(s, "app") }, assay.Refuted, verify.ContentsDiffer, "missing: pkg:deb/debian/app@1.2.3-1"},
		"with another package": {func(s *assay.SBOM) {
			other := lib
			other.PURL = purl("pkg:npm/x@1")
			s.Components = append(s.Components, other)
		}, assay.Refuted, verify.ContentsDiffer, "phantom: pkg:npm/x@1"},
		"with nothing at all": {func(s *assay.SBOM) { s.Components, s.Relations, s.Completeness = nil, nil, nil }, assay.Refuted, verify.ContentsDiffer, "missing"},
		"with another version of it": {func(s *assay.SBOM) {
			for i := range s.Components {
				if s.Components[i].Name == "app" {
					s.Components[i].Version, s.Components[i].PURL = "9", purl("pkg:deb/debian/app@9?arch=amd64")
				}
			}
		}, assay.Refuted, verify.ContentsDiffer, "changed"},
	} {
		t.Run(name, func(t *testing.T) {
			f := incompleteFixture(t, database)
			tt.change(f.sbom)
			r := askContents(t, f)
			c := check(t, r, verify.CheckSBOMContents, tt.state, tt.reason)
			if !strings.Contains(strings.Join(c.Findings, "\n"), tt.says) {
				t.Errorf("findings are %q", c.Findings)
			}
			if r.Verdict.Policy != tt.state {
				t.Errorf("policy is %s", r.Verdict.Policy)
			}
		})
	}

	// Whoever wants no half answers says so, and is told which file it is.
	f := incompleteFixture(t, database)
	r := askContents(t, f, verify.Scanning(sbom.Options{Strict: true}))
	c := check(t, r, verify.CheckSBOMContents, assay.Unknown, verify.ContentsUnreadable)
	if !strings.Contains(strings.Join(c.Findings, "\n")+c.Detail, "var/lib/dpkg/status") {
		t.Errorf("strict: %+v", c)
	}
}

// A database that is all rubbish, one that was cut, and one that is too large prove no
// more than one broken record.
func TestUnreadableDatabases(t *testing.T) {
	for name, tt := range map[string]struct {
		file testimage.File
		opts sbom.Options
	}{
		"rubbish":   {testimage.File{Name: "var/lib/dpkg/status", Body: "\x00\x01\x02"}, sbom.Options{}},
		"cut":       {testimage.File{Name: "var/lib/dpkg/status", Body: status[:len(status)-9]}, sbom.Options{}},
		"too large": {testimage.File{Name: "var/lib/dpkg/status", Body: status}, sbom.Options{Bounds: sbom.Bounds{File: 64}}},
		"apk":       {testimage.File{Name: "lib/apk/db/installed", Body: "P:a\nV:1\n\nP:b\n"}, sbom.Options{}},
	} {
		t.Run(name, func(t *testing.T) {
			f := incompleteFixture(t, tt.file)
			r := askContents(t, f, verify.Scanning(tt.opts))
			if c := check(t, r, verify.CheckSBOMContents, assay.Unknown, verify.ContentsIncomplete); len(c.Findings) == 0 || r.Verdict.Policy != assay.Unknown {
				t.Errorf("policy %s: %+v", r.Verdict.Policy, c)
			}
		})
	}
}

// An SBOM of another tool lists no executables of no package, and claims nothing about
// them. It is not false for that, and does not describe all that runs.
func TestUndescribedExecutables(t *testing.T) {
	files := []testimage.File{
		{Name: "var/lib/dpkg/status", Body: status},
		{Name: "srv/agent", Mode: 0o755, Body: "#!/bin/sh\nexit\n"},
	}
	strays := func(s *assay.SBOM) {
		drop(s, "srv/agent")
		s.Completeness = nil
	}
	f := incompleteFixture(t, files...)
	check(t, askContents(t, f), verify.CheckSBOMContents, assay.Proven, verify.Holds)

	strays(f.sbom)
	r := askContents(t, f)
	c := check(t, r, verify.CheckSBOMContents, assay.Unknown, verify.NotDescribed)
	if all := strings.Join(c.Findings, "\n"); !strings.Contains(all, "1 executables of no package") || !strings.Contains(all, "not described: srv/agent") {
		t.Errorf("findings are %q", c.Findings)
	}
	if r.Verdict.Policy != assay.Unknown {
		t.Errorf("policy is %s", r.Verdict.Policy)
	}

	// One that says there is nothing else is false.
	f.sbom.Completeness = []assay.Completeness{{Scope: "components", Aggregate: "complete"}}
	c = check(t, askContents(t, f), verify.CheckSBOMContents, assay.Refuted, verify.ContentsDiffer)
	if !strings.Contains(strings.Join(c.Findings, "\n"), "missing: srv/agent") {
		t.Errorf("findings are %q", c.Findings)
	}
}

// finder finds one package in one file.
type finder struct{}

func (finder) Name() string           { return "finder" }
func (finder) Match(f sbom.File) bool { return f.Path == "opt/found" }
func (finder) Visit(context.Context, sbom.File, []byte) ([]sbom.Found, error) {
	return []sbom.Found{{Component: assay.Component{Name: "found", Version: "1", PURL: purl("pkg:generic/found@1")}}}, nil
}

// What catalogers of the caller's find is in the image like anything else, on both
// sides: an SBOM that was made with them needs them, one made without lacks it.
func TestVerifyCatalogers(t *testing.T) {
	f := incompleteFixture(t, testimage.File{Name: "opt/found", Body: "x"})
	with := verify.Scanning(sbom.Options{Catalogers: []sbom.Cataloger{finder{}}})
	check(t, askContents(t, f), verify.CheckSBOMContents, assay.Proven, verify.Holds)
	check(t, askContents(t, f, with), verify.CheckSBOMContents, assay.Refuted, verify.ContentsDiffer)
	contents, err := sbom.Scan(context.Background(), f.image, sbom.Options{Catalogers: []sbom.Cataloger{finder{}}})
	if err != nil {
		t.Fatal(err)
	}
	f.sbom = contents.SBOM
	check(t, askContents(t, f, with), verify.CheckSBOMContents, assay.Proven, verify.Holds)
	check(t, askContents(t, f), verify.CheckSBOMContents, assay.Refuted, verify.ContentsDiffer)
}

// A lock file says what somebody wanted to install. It makes no SBOM true.
func TestVerifyIgnoresLockFiles(t *testing.T) {
	f := incompleteFixture(t, testimage.File{Name: "app/yarn.lock", Body: "a@^1:\n  version \"1.0.0\"\n  resolved \"https://registry.yarnpkg.com/a/-/a-1.0.0.tgz\"\n"})
	contents, err := sbom.Scan(context.Background(), f.image, sbom.Options{LockFiles: true})
	if err != nil {
		t.Fatal(err)
	}
	f.sbom = contents.SBOM
	c := check(t, askContents(t, f, verify.Scanning(sbom.Options{LockFiles: true})), verify.CheckSBOMContents, assay.Refuted, verify.ContentsDiffer)
	if !strings.Contains(strings.Join(c.Findings, "\n"), "phantom: pkg:npm/a@1.0.0") {
		t.Errorf("findings are %q", c.Findings)
	}
}
