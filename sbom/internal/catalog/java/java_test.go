package java

import (
	"archive/zip"
	"bytes"
	"crypto/sha1"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assaykit/assay"
)

// file is an entry of an archive to be made.
type file struct{ name, body string }

// jar makes an archive. With store the contents are not compressed.
func jar(tb testing.TB, store bool, files ...file) string {
	tb.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, f := range files {
		h := &zip.FileHeader{Name: f.name, Method: zip.Deflate}
		if store {
			h.Method = zip.Store
		}
		e, err := w.CreateHeader(h)
		if err != nil {
			tb.Fatal(err)
		}
		if _, err := io.WriteString(e, f.body); err != nil {
			tb.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return b.String()
}

func properties(group, artifact, version string) file {
	return file{"META-INF/maven/" + group + "/" + artifact + "/pom.properties",
		"#Created by Apache Maven\ngroupId=" + group + "\nartifactId=" + artifact + "\r\nversion = " + version + "\n"}
}

func parse(tb testing.TB, content string, l Limits) *Archive {
	tb.Helper()
	a, err := Parse([]byte(content), assay.SumSHA256([]byte(content)), l)
	if err != nil {
		tb.Fatal(err)
	}
	return a
}

func TestIdentity(t *testing.T) {
	manifest := func(lines ...string) file {
		return file{"META-INF/MANIFEST.MF", "Manifest-Version: 1.0\r\n" + strings.Join(lines, "\r\n") + "\r\n\r\nName: a/\r\nImplementation-Version: 9\r\n"}
	}
	pom := func(text string) file {
		return file{"META-INF/maven/g/a/pom.xml", "<?xml version='1.0'?><project>" + text + "</project>"}
	}
	for name, c := range map[string]struct {
		file  string
		files []file
		want  Identity
	}{
		"properties":             {"app.jar", []file{properties("com.example", "thing", "1.2")}, Identity{"com.example", "thing", "1.2", FromProperties, false, 0}},
		"one that was merged in": {"app-3.jar", []file{properties("com.example", "thing", "1.2")}, Identity{"", "app", "3", FromName, false, -1}},
		"one that was merged into a bundle": {"guice.jar", []file{properties("cglib", "cglib", "3.2.12"), manifest("Bundle-SymbolicName: com.google.inject", "Bundle-Version: 4.2.3", "Automatic-Module-Name: com.google.guice")},
			Identity{"", "guice", "4.2.3", FromManifest, false, -1}},
		"a bundle of another file name":                   {"utils2.jar", []file{properties("org.x", "x-utils", "1.26"), manifest("Bundle-SymbolicName: org.x.utils", "Bundle-Version: 1.26.0")}, Identity{"org.x", "x-utils", "1.26", FromProperties, false, 0}},
		"of several the one that the file is named after": {"b-2.jar", []file{properties("x", "a", "1"), properties("x", "b", "2"), properties("x", "b-api", "2")}, Identity{"x", "b", "2", FromProperties, false, 1}},
		"of several the one that the manifest names":      {"app.jar", []file{properties("x", "a", "1"), properties("x.y", "b", "2"), manifest("Bundle-SymbolicName: x.y.b;singleton:=true")}, Identity{"x.y", "b", "2", FromProperties, false, 1}},
		"of several none":                                 {"app.jar", []file{properties("x", "a", "1"), properties("x", "b", "2")}, Identity{"", "app", "", FromName, false, -1}},
		"parent and properties of a pom": {"a.jar", []file{pom("<parent><groupId>org.p</groupId><version>3</version></parent><artifactId>a-${kind}</artifactId><properties><kind>${more}</kind><more>x</more></properties>")},
			Identity{"org.p", "a-x", "3", FromPOM, false, 0}},
		"what a pom does not state":  {"a-1.5.jar", []file{pom("<groupId>g</groupId><artifactId>a</artifactId><version>${revision}</version>")}, Identity{"g", "a", "1.5", FromPOM, false, 0}},
		"plugin of Jenkins":          {"git.hpi", []file{manifest("Group-Id: org.jenkins-ci.plugins", "Short-Name: git", "Plugin-Version: 5.2.1 (private)")}, Identity{"org.jenkins-ci.plugins", "git", "5.2.1", FromManifest, false, -1}},
		"vendor id":                  {"axis-1.4.jar", []file{manifest("Implementation-Vendor-Id: org.apache.axis", "Implementation-Version: 1.4")}, Identity{"org.apache.axis", "axis", "1.4", FromManifest, false, -1}},
		"bundle of Eclipse":          {"org.eclipse.sisu.inject-0.3.5.jar", []file{manifest("Bundle-SymbolicName: org.eclipse.sisu.inject", "Bundle-Version: 0.3.5")}, Identity{"org.eclipse.sisu", "org.eclipse.sisu.inject", "0.3.5", FromManifest, true, -1}},
		"bundle of Maven":            {"commons-lang3-3.12.0.jar", []file{manifest("Bundle-SymbolicName: org.apache.commons.lang3", "Bundle-Version: 3.12.0")}, Identity{"org.apache.commons", "commons-lang3", "3.12.0", FromManifest, true, -1}},
		"bundle whose group repeats": {"maven-core-3.jar", []file{manifest("Bundle-SymbolicName: org.apache.maven.core")}, Identity{"org.apache.maven", "maven-core", "3", FromName, true, -1}},
		"a value on two lines":       {"x.jar", []file{manifest("Implementation-Title: my-", " title", "Implementation-Version: 4")}, Identity{"", "my-title", "4", FromManifest, false, -1}},
		"title in words":             {"x.jar", []file{manifest("Implementation-Title: My Title", "Implementation-Version: build four")}, Identity{"", "x", "", FromName, false, -1}},
		"name alone":                 {"guava-31.1-jre.jar", []file{{"a.class", ""}}, Identity{"", "guava", "31.1-jre", FromName, false, -1}},
	} {
		t.Run(name, func(t *testing.T) {
			if d := cmp.Diff(c.want, parse(t, jar(t, false, c.files...), Limits{}).Identity(c.file)); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestSplitName(t *testing.T) {
	for name, want := range map[string][2]string{
		"guava-31.1-jre.jar": {"guava", "31.1-jre"}, "log4j-1.2-api-2.14.1.jar": {"log4j-1.2-api", "2.14.1"}, "a.jar": {"a", ""},
		"x-1.0-20230101.120000-1.war": {"x", "1.0-20230101.120000-1"}, "commons-lang3-3.12.0.jar": {"commons-lang3", "3.12.0"},
		"lib/netty-all-4.1.0.Final.jar": {"netty-all", "4.1.0.Final"}, "a-SNAPSHOT.jar": {"a-SNAPSHOT", ""}, "-1.jar": {"", "1"}, "": {".", ""},
	} {
		if s, v := SplitName(name); s != want[0] || v != want[1] {
			t.Errorf("%q: %q %q", name, s, v)
		}
	}
}

func TestProject(t *testing.T) {
	a := parse(t, jar(t, true, properties("g", "a", "1"), file{"META-INF/maven/g/a/pom.xml", `<?xml version="1.0" encoding="ISO-8859-1"?>
<project xmlns="http://maven.apache.org/POM/4.0.0"><properties><site>a</site></properties><name>An A</name><url>https://${site}.example/</url><scm><url>https://x.example/r</url></scm><issueManagement><url>i</url></issueManagement><organization><name>Org</name></organization>
<licenses><license><name>The Apache License,
  Version 2.0</name><url>x</url></license></licenses>
<dependencies>
 <dependency><groupId>${project.groupId}</groupId><artifactId>b</artifactId><version>2</version></dependency>
 <dependency><groupId>g</groupId><artifactId>o</artifactId><optional>true</optional></dependency>
 <dependency><groupId>g</groupId><artifactId>t</artifactId><scope>test</scope></dependency>
 <dependency><groupId>g</groupId><artifactId>p</artifactId><scope>provided</scope></dependency>
 <dependency><groupId>g</groupId><artifactId>r</artifactId><scope>runtime</scope></dependency>
</dependencies>
<dependencyManagement><dependencies><dependency><groupId>g</groupId><artifactId>m</artifactId></dependency></dependencies></dependencyManagement>
</project>`}), Limits{})
	want := []Project{{Group: "g", Artifact: "a", Version: "1", Properties: true, XML: true, Name: "An A", Organization: "Org", URL: "https://a.example/", SCM: "https://x.example/r", Issues: "i", Licenses: []string{"The Apache License,\n  Version 2.0"},
		Depends: []Dependency{{"", "b", "2", false}, {"g", "o", "", true}, {"g", "r", "", false}}}}
	if d := cmp.Diff(want, a.Projects); d != "" {
		t.Error(d)
	}
	if got := License(a.Projects[0].Licenses[0]); got != "Apache-2.0" {
		t.Errorf("licence %q", got)
	}
	for _, bad := range []string{"", "<project>", "<project></x></project>", "<a/>", "<project/><project/>", "<project>" + strings.Repeat("<a>", 100), "<project>&undefined;</project>"} {
		a := parse(t, jar(t, false, file{"META-INF/maven/g/a/pom.xml", bad}, properties("h", "b", "1")), Limits{})
		if len(a.Faults) != 1 || a.Faults[0].Path != "META-INF/maven/g/a/pom.xml" {
			t.Errorf("%q: faults %v", bad, a.Faults)
		}
		if id := a.Identity("b.jar"); id.Artifact != "b" {
			t.Errorf("%q hides the rest: %+v", bad, id)
		}
	}
}

func TestNested(t *testing.T) {
	for _, store := range []bool{true, false} {
		inner := jar(t, false, properties("g", "inner", "1"))
		lib := jar(t, false, properties("g", "lib", "2"), file{"META-INF/inner.jar", inner})
		app := "#!/bin/sh\nexec java -jar $0\n" + jar(t, store, properties("g", "app", "3"), file{"BOOT-INF/lib/lib-2.jar", lib}, file{"text.jar", "no archive"}, file{"a/b.class", "x"})
		if !IsArchive("app.jar", []byte(app[:512])) || IsArchive("app.sh", []byte(app[:512])) {
			t.Error("a program before the archive")
		}
		a := parse(t, app, Limits{})
		if len(a.Faults) > 0 || len(a.Nested) != 1 || a.Nested[0].Path != "BOOT-INF/lib/lib-2.jar" || len(a.Nested[0].Nested) != 1 || !a.Classes {
			t.Fatalf("%+v", a)
		}
		if got := a.Nested[0].Nested[0]; got.SHA256 != assay.SumSHA256([]byte(inner)) || got.Identity("inner.jar").Artifact != "inner" || got.SHA1.IsZero() {
			t.Errorf("%+v", got)
		}
	}
}

// What exceeds a bound is named, and the rest is read.
func TestBounds(t *testing.T) {
	deep := jar(t, false, properties("g", "core", "1"))
	for i := range 100 {
		deep = jar(t, false, properties("g", fmt.Sprint("shell", 99-i), "1"), file{"nested.jar", deep})
	}
	bomb := jar(t, false, properties("g", "bomb", "1"), file{"big.jar", "PK\x03\x04" + strings.Repeat("\x00", 80<<20)})
	wide := []file{properties("g", "wide", "1")}
	for i := range 30 {
		wide = append(wide, file{fmt.Sprintf("%d.jar", i), jar(t, false, properties("g", "x", fmt.Sprint(i)))})
	}
	text := jar(t, false, properties("g", "ok", "1"), file{"META-INF/MANIFEST.MF", strings.Repeat("x", 5<<20)})
	many := []file{}
	for i := range 20 {
		many = append(many, properties("g", fmt.Sprint("p", i), "1"))
	}
	for name, c := range map[string]struct {
		content string
		limits  Limits
		bound   string
	}{
		"depth":    {deep, Limits{}, "Depth 16"},
		"live":     {bomb, Limits{}, "Live 33554432"},
		"inflated": {jar(t, false, wide...), Limits{Inflated: 1000}, "Inflated 1000"},
		"archives": {jar(t, false, wide...), Limits{Archives: 10}, "Archives 10"},
		"text":     {text, Limits{}, "Text 4194304"},
		"projects": {jar(t, false, many...), Limits{Projects: 5}, "Projects 5"},
	} {
		t.Run(name, func(t *testing.T) {
			a := parse(t, c.content, c.limits)
			for at := a; at != nil; {
				for _, f := range at.Faults {
					if errors.Is(f.Err, assay.ErrBound) && strings.Contains(f.Err.Error(), c.bound) {
						if id := a.Identity("x.jar"); name != "projects" && id.Artifact == "" {
							t.Errorf("the archive itself: %+v", id)
						}
						return
					}
				}
				if len(at.Nested) == 0 {
					break
				}
				at = at.Nested[0]
			}
			t.Errorf("no fault names %s", c.bound)
		})
	}
}

func TestBroken(t *testing.T) {
	good := jar(t, false, properties("g", "a", "1"), file{"META-INF/MANIFEST.MF", "Implementation-Version: 1\n" + strings.Repeat("X-Filler: y\n", 100)})
	for _, n := range []int{0, 10, len(good) / 2, len(good) - 1} {
		if _, err := Parse([]byte(good[:n]), assay.Digest{}, Limits{}); !errors.Is(err, assay.ErrInvalid) {
			t.Errorf("cut at %d: %v", n, err)
		}
	}
	// A byte of the compressed manifest is another one.
	spoilt := []byte(good)
	spoilt[bytes.Index(spoilt, []byte("META-INF/MANIFEST.MF"))+40] ^= 0x10
	a, err := Parse(spoilt, assay.Digest{}, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if len(a.Faults) != 1 || a.Faults[0].Path != "META-INF/MANIFEST.MF" || a.Identity("x.jar").Artifact != "a" {
		t.Errorf("%+v", a)
	}
}

// TestScalibr reads the archives that come with osv-scalibr; what is in them, unzip
// says.
func TestScalibr(t *testing.T) {
	dir := os.Getenv("ASSAY_SCALIBR")
	if dir == "" {
		t.Skip("ASSAY_SCALIBR names no folder with the module github.com/google/osv-scalibr")
	}
	unzip, err := exec.LookPath("unzip")
	if err != nil {
		t.Skip("there is no unzip")
	}
	files, err := filepath.Glob(filepath.Join(dir, "extractor/filesystem/language/java/archive/testdata/*.jar"))
	if err != nil || len(files) < 8 {
		t.Fatal(err, files)
	}
	seen := 0
	for _, f := range files {
		content, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if !IsArchive(f, content[:min(len(content), 512)]) {
			continue
		}
		a := parse(t, string(content), Limits{})
		var want Manifest
		if text, err := exec.Command(unzip, "-p", f, "META-INF/MANIFEST.MF").Output(); err == nil {
			for _, line := range strings.Split(strings.ReplaceAll(strings.ReplaceAll(string(text), "\r", ""), "\n ", ""), "\n") {
				if k, v, ok := strings.Cut(line, ": "); ok && kept[strings.ToLower(k)] != "" {
					if want == nil {
						want = Manifest{}
					}
					want[k] = strings.TrimSpace(v)
				}
			}
		}
		if want == nil {
			want = a.Manifest
		}
		if d := cmp.Diff(want, a.Manifest); d != "" {
			t.Errorf("%s: %s", f, d)
		}
		seen++
	}
	guava := filepath.Join(dir, "extractor/filesystem/language/java/archive/testdata/guava-31.1-jre.jar")
	content, err := os.ReadFile(guava)
	if err != nil {
		t.Fatal(err)
	}
	a := parse(t, string(content), Limits{})
	if id := a.Identity("renamed.jar"); id.Group != "com.google.guava" || id.Artifact != "guava" || id.Version != "31.1-jre" || len(a.Projects[0].Depends) != 6 {
		t.Errorf("%+v", id)
	}
	t.Logf("%d archives", seen)
}

// FuzzParse: any bytes give an archive or an error, the same every time, and never
// more than the bounds.
func FuzzParse(f *testing.F) {
	inner := jar(f, false, properties("g", "inner", "1"))
	f.Add([]byte(jar(f, false, properties("g", "a", "1"), file{"META-INF/MANIFEST.MF", "Bundle-SymbolicName: g.a\nBundle-Version: 1\n"}, file{"lib/inner-1.jar", inner})))
	f.Add([]byte(jar(f, true, file{"META-INF/maven/g/a/pom.xml", "<project><artifactId>a</artifactId></project>"}, file{"x.war", inner})))
	f.Add([]byte("PK\x05\x06" + strings.Repeat("\x00", 18)))
	f.Fuzz(func(t *testing.T, b []byte) {
		limits := Limits{Inflated: 1 << 20, Live: 1 << 19, Archives: 20, Depth: 3, Projects: 5, Faults: 5, Text: 1 << 16}
		a, err := Parse(b, assay.Digest{}, limits)
		if err != nil {
			if a != nil || !errors.Is(err, assay.ErrInvalid) {
				t.Fatal(a, err)
			}
			return
		}
		_ = a.Identity("x-1.jar")
		again, err := Parse(b, assay.Digest{}, limits)
		if err != nil || a.Size() != again.Size() {
			t.Fatal("differs", err)
		}
	})
}

// BenchmarkParse reads a fat jar of 200 stored jars. The floor is what its digests
// take: SHA-1 of all bytes on both levels, SHA-256 of those in it.
func BenchmarkParse(b *testing.B) {
	files := []file{properties("g", "app", "1")}
	for i := range 200 {
		files = append(files, file{fmt.Sprintf("BOOT-INF/lib/l-%d.jar", i), jar(b, true, properties("g", "l", fmt.Sprint(i)), file{"a.class", strings.Repeat("some class ", 5000)})})
	}
	content := []byte(jar(b, true, files...))
	b.SetBytes(int64(len(content)))
	var floor, spent time.Duration
	for b.Loop() {
		start := time.Now()
		_ = sha1.Sum(content)
		_ = sha1.Sum(content)
		_ = sha256.Sum256(content)
		middle := time.Now()
		if _, err := Parse(content, assay.Digest{}, Limits{}); err != nil {
			b.Fatal(err)
		}
		floor, spent = floor+middle.Sub(start), spent+time.Since(middle)
	}
	b.ReportMetric(float64(spent)/float64(floor), "x-floor")
}

// Archives in an archive are inflated into the same memory one after the other, and
// nothing that was found in one changes with the next.
func TestNestedMemory(t *testing.T) {
	const count, size = 24, 1 << 20
	var files []file
	var want []Project
	for i := range count {
		p := Project{Group: "g", Artifact: fmt.Sprint("a", i), Version: "1", Properties: true}
		want = append(want, p)
		files = append(files, file{fmt.Sprintf("%d.jar", i), jar(t, true, properties(p.Group, p.Artifact, p.Version), file{"pad", strings.Repeat("\x00", size)})})
	}
	content := []byte(jar(t, false, file{"many.jar", jar(t, false, files...)}))
	shared := new(Shared)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range 2 {
		a, err := shared.Parse(content, assay.SumSHA256(content), Limits{})
		if err != nil {
			t.Fatal(err)
		}
		var got []Project
		for _, n := range a.Nested[0].Nested {
			got = append(got, n.Projects...)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Error(d)
		}
	}
	runtime.ReadMemStats(&after)
	if got := after.TotalAlloc - before.TotalAlloc; got > count*size {
		t.Errorf("%d MB for %d archives of %d MB", got>>20, 2*count, size>>20)
	}
}
