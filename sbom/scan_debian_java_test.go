package sbom_test

import (
	"encoding/json"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/assaykit/assay/sbom"
)

// A jar is what Python's zipfile reads in one: the main section of its manifest, and
// its pom.properties.
type jarFacts struct {
	Manifest map[string]string
	Projects []struct{ GroupID, ArtifactID, Version string }
}

// stated is the version that the manifest gives the jar's content, "" for none.
func (j jarFacts) stated() string {
	for _, k := range []string{"Implementation-Version", "Bundle-Version"} {
		if v := j.Manifest[k]; v != "" {
			return v
		}
	}
	return ""
}

// compareJars wants, of each jar in the image, each project that it carries, and the
// version that its manifest states; and no jar that is not there.
func compareJars(t *testing.T, c *sbom.Contents, dir string) {
	jars := map[string]jarFacts{}
	if err := json.Unmarshal([]byte(strings.Join(answer(t, dir, "jars.json"), "\n")), &jars); err != nil {
		t.Fatal(err)
	}
	type found struct{ projects, versions []string }
	got := map[string]*found{}
	for _, comp := range c.SBOM.Components {
		if comp.FoundBy != "java" {
			continue
		}
		id := comp.Name + " " + comp.Version
		if comp.PURL.String() != "" {
			id = comp.PURL.Parts().Namespace + " " + id
		}
		for _, l := range comp.Locations {
			p := "/" + l.Path
			if got[p] == nil {
				got[p] = &found{}
			}
			got[p].projects = append(got[p].projects, id)
			got[p].versions = append(got[p].versions, comp.Version)
		}
	}
	projects, files := 0, 0
	for p, j := range jars {
		g := got[p]
		if g == nil {
			t.Errorf("%s is not there", p)
			continue
		}
		var want []string
		for _, pr := range j.Projects {
			want = append(want, pr.GroupID+" "+pr.ArtifactID+" "+pr.Version)
			projects++
		}
		rest := slices.DeleteFunc(slices.Clone(g.projects), func(id string) bool { return slices.Contains(want, id) })
		have := slices.DeleteFunc(slices.Clone(g.projects), func(id string) bool { return slices.Contains(rest, id) })
		slices.Sort(want)
		slices.Sort(have)
		if d := cmp.Diff(want, have, cmpopts.EquateEmpty()); d != "" {
			t.Errorf("%s: projects (-pom.properties +scan):\n%s", p, d)
		}
		// Besides the projects there is the jar itself, if it is none of them.
		stem, _, _ := strings.Cut(strings.TrimSuffix(path.Base(p), ".jar"), "-")
		if len(rest) > 1 || len(rest) == 0 && len(want) == 0 || len(rest) == 1 && !strings.Contains(rest[0], stem) {
			t.Errorf("%s: besides its projects it is %q", p, rest)
		}
		if v := j.stated(); v != "" {
			files++
			// OSGi wants three numbers and a dot before the qualifier.
			same := func(w string) bool {
				w = strings.ReplaceAll(w, "-", ".")
				return w == v || w+".0" == v || w+".0.0" == v || strings.Replace(w, ".jre", ".0.jre", 1) == v
			}
			if !slices.ContainsFunc(g.versions, same) {
				t.Errorf("%s: its manifest states %s, found are %q", p, v, g.projects)
			}
		}
	}
	for p := range got {
		if _, ok := jars[p]; !ok {
			t.Errorf("%s is no jar of the image", p)
		}
	}
	if projects < 50 || files < 40 {
		t.Errorf("compared %d projects and %d manifests only", projects, files)
	}
	t.Logf("%d jars, %d projects, %d versions of manifests", len(jars), projects, files)
}
