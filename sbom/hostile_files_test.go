package sbom_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/testimage"
	"github.com/assaykit/assay/sbom"
	"github.com/assaykit/assay/sbom/image"
)

// streamedImage is an image of one uncompressed layer that is made as it is read.
type streamedImage struct {
	v1.Image
	open func() io.Reader
}

func (s streamedImage) Layers() ([]v1.Layer, error) {
	ls, err := s.Image.Layers()
	if err != nil {
		return nil, err
	}
	return []v1.Layer{streamedLayer{ls[0], s.open}}, nil
}

type streamedLayer struct {
	v1.Layer
	open func() io.Reader
}

func (l streamedLayer) Compressed() (io.ReadCloser, error) { return io.NopCloser(l.open()), nil }

// endless is a file whose content is one beginning, and then a letter that repeats.
type endless struct {
	name, begin string
	size        int64
}

// layerOf is a tar archive of endless files, made as it is read.
func layerOf(t testing.TB, files ...endless) io.Reader {
	t.Helper()
	var parts []io.Reader
	for _, f := range files {
		var b bytes.Buffer
		if err := tar.NewWriter(&b).WriteHeader(&tar.Header{Name: f.name, Size: f.size, Mode: 0o644, Typeflag: tar.TypeReg}); err != nil {
			t.Fatal(err)
		}
		parts = append(parts, &b, strings.NewReader(f.begin), io.LimitReader(letters{}, f.size-int64(len(f.begin))), io.LimitReader(zeros{}, -f.size&511))
	}
	return io.MultiReader(append(parts, io.LimitReader(zeros{}, 1024))...)
}

type letters struct{}

var someLetters = bytes.Repeat([]byte("a"), 32<<10)

func (letters) Read(p []byte) (int, error) { return copy(p, someLetters), nil }

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func streamedOf(t testing.TB, files ...endless) v1.Image {
	t.Helper()
	hash := sha256.New()
	size, err := io.Copy(hash, layerOf(t, files...))
	if err != nil {
		t.Fatal(err)
	}
	digest := v1.Hash{Algorithm: "sha256", Hex: fmt.Sprintf("%x", hash.Sum(nil))}
	img := testimage.NewWith(t, testimage.Options{
		Config:   func(c *v1.ConfigFile) { c.RootFS.DiffIDs[0] = digest },
		Manifest: func(m *v1.Manifest) { m.Layers[0].Digest, m.Layers[0].Size = digest, size },
	}, testimage.Layer{Compression: testimage.None, Files: []file{{Name: "a"}}})
	return streamedImage{img, func() io.Reader { return layerOf(t, files...) }}
}

// A package.json of a gigabyte, and a package database as large, are passed over and
// named, and the rest of the image is listed. None of it is held.
func TestHostileGigabyte(t *testing.T) {
	img := streamedOf(t,
		endless{"srv/node_modules/big/package.json", `{"name":"`, 1 << 30},
		endless{"var/lib/dpkg/status", "Package: a\nStatus: install ok installed\nVersion: 1\nDescription: ", 300 << 20},
		endless{"srv/node_modules/p/package.json", `{"name":"p","version":"1"}`, int64(len(`{"name":"p","version":"1"}`))})
	var c *sbom.Contents
	peak := peak(func() {
		var err error
		if c, err = sbom.Scan(context.Background(), img, sbom.Options{}); err != nil {
			t.Fatal(err)
		}
	})
	if peak > 64<<20 {
		t.Errorf("%d MB of memory", peak>>20)
	}
	if got := found(c); len(got) != 1 || got["p@1"] == nil {
		t.Errorf("%v", got)
	}
	var skipped []string
	for _, s := range c.Skipped {
		skipped = append(skipped, s.Path)
		if !strings.Contains(s.Reason, "File") || !strings.Contains(s.Reason, "268435456") {
			t.Errorf("%+v does not name the bound", s)
		}
	}
	if !slices.Contains(skipped, "srv/node_modules/big/package.json") || !slices.Contains(skipped, "var/lib/dpkg/status") {
		t.Errorf("skipped %q", skipped)
	}
	if a := aggregates(c); a["components:npm"] != "incomplete" || a["components:deb"] != "incomplete" {
		t.Errorf("%v", a)
	}
	if c, err := sbom.Scan(context.Background(), img, sbom.Options{Strict: true}); c != nil || !errors.Is(err, assay.ErrBound) {
		t.Errorf("strict: %v, %v", c, err)
	}
}

// A document of a gigabyte is refused before it is read.
func TestHostileDocumentSize(t *testing.T) {
	for name, begin := range map[string]string{"bom.json": `{"bomFormat":"CycloneDX"`, "bom.xml": "<bom", "doc.spdx": "SPDXVersion: SPDX-2.3\n"} {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, []byte(begin), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(path, 1<<30); err != nil {
			t.Fatal(err)
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		doc, err := sbom.ReadFile(path)
		runtime.ReadMemStats(&after)
		if doc != nil || !errors.Is(err, assay.ErrBound) || !strings.Contains(err.Error(), "134217728") || !strings.Contains(err.Error(), name) {
			t.Errorf("%v, %v", doc, err)
		}
		if got := after.TotalAlloc - before.TotalAlloc; got > 16<<20 {
			t.Errorf("%s: %d bytes allocated", name, got)
		}
	}
}

type zipFile struct {
	name string
	body io.Reader
}

func zipOf(t testing.TB, files ...zipFile) string {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, f := range files {
		e, err := w.Create(f.name)
		if err == nil {
			_, err = io.Copy(e, f.body)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func projectOf(name string) zipFile {
	return zipFile{"META-INF/maven/g/" + name + "/pom.properties", strings.NewReader("groupId=g\nartifactId=" + name + "\nversion=1\n")}
}

// Archives that are made to cost: members that inflate to more than a thousand times
// their size, as an archive, as text and as metadata, one inside of another, and jars a
// hundred deep. What can be read of them is listed, what is not is named with the
// bound, and neither time nor memory is lost on it.
func TestHostileArchives(t *testing.T) {
	deep := zipOf(t, projectOf("core"))
	for i := range 100 {
		deep = zipOf(t, projectOf(fmt.Sprint("shell", 99-i)), zipFile{"nested.jar", strings.NewReader(deep)})
	}
	const huge = 200 << 20
	many := []zipFile{projectOf("many")}
	inner := zipOf(t, zipFile{"big.jar", io.LimitReader(zeros{}, 30<<20)})
	for i := range 40 {
		many = append(many, zipFile{fmt.Sprintf("%d.jar", i), strings.NewReader(inner)})
	}
	for name, tt := range map[string]struct {
		file  file
		found string
		bound string
	}{
		"a jar in a jar":     {file{Name: "bomb.jar", Body: zipOf(t, projectOf("bomb"), zipFile{"big.jar", io.LimitReader(zeros{}, huge)})}, "bomb@1", "Live"},
		"a manifest":         {file{Name: "text.jar", Body: zipOf(t, projectOf("text"), zipFile{"META-INF/MANIFEST.MF", io.LimitReader(letters{}, huge)})}, "text@1", "Text"},
		"jars 100 deep":      {file{Name: "deep.jar", Body: deep}, "shell0@1", "Depth 16"},
		"many jars in jars":  {file{Name: "many.jar", Body: zipOf(t, many...)}, "many@1", "Inflated 1073741824"},
		"metadata of Python": {file{Name: "w-1-py3-none-any.whl", Body: zipOf(t, zipFile{"w-1.dist-info/METADATA", io.LimitReader(letters{}, huge)})}, "", "16777216"},
	} {
		t.Run(name, func(t *testing.T) {
			if len(tt.file.Body) > huge/100 {
				t.Fatalf("%d bytes are no bomb", len(tt.file.Body))
			}
			img := testimage.New(t, testimage.Layer{Files: []file{tt.file, {Name: "srv/node_modules/p/package.json", Body: `{"name":"p","version":"1"}`}}})
			var c *sbom.Contents
			peak := peak(func() {
				var err error
				if c, err = sbom.Scan(context.Background(), img, sbom.Options{}); err != nil {
					t.Fatal(err)
				}
			})
			if peak > 128<<20 {
				t.Errorf("%d MB of memory", peak>>20)
			}
			got := found(c)
			if got["p@1"] == nil || tt.found != "" && got[tt.found] == nil {
				t.Errorf("found %v", got)
			}
			named := false
			for _, s := range c.Skipped {
				named = named || strings.HasPrefix(s.Path, tt.file.Name) && strings.Contains(s.Reason, tt.bound)
			}
			if !named {
				t.Errorf("no bound %s in %+v", tt.bound, c.Skipped)
			}
		})
	}
}

// A blob of a layout that is another one, of the same size even, gives no document.
func TestHostileSwappedBlob(t *testing.T) {
	img := testimage.New(t, layersOf([]file{dpkgStatus("honest 1")})...)
	other := testimage.New(t, layersOf([]file{dpkgStatus("hidden 1")})...)
	config, err := img.ConfigName()
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := img.Digest()
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		blob v1.Hash
		with func(old []byte) []byte
	}{
		"a layer":                  {img.Digests()[0], func([]byte) []byte { return other.Blob(other.Digests()[0]) }},
		"one bit of a layer":       {img.Digests()[0], func(old []byte) []byte { old[len(old)/2] ^= 1; return old }},
		"the configuration":        {config, func(old []byte) []byte { return bytes.Replace(old, []byte("linux"), []byte("plan9"), 1) }},
		"the manifest":             {manifest, func(old []byte) []byte { return append(old, ' ') }},
		"a layer that was cut off": {img.Digests()[0], func(old []byte) []byte { return old[:len(old)-1] }},
	} {
		t.Run(name, func(t *testing.T) {
			dir := testimage.WriteLayout(t, testimage.Layout{Images: map[string]*testimage.Image{"latest": img}})
			path := filepath.Join(dir, "blobs", tt.blob.Algorithm, tt.blob.Hex)
			old, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, tt.with(bytes.Clone(old)), 0o600); err != nil {
				t.Fatal(err)
			}
			ctx := context.Background()
			opened, err := image.Open(ctx, "oci:"+dir+":latest", image.Options{})
			var c *sbom.Contents
			if err == nil {
				defer opened.Close()
				c, err = sbom.Scan(ctx, opened.Image(), sbom.Options{})
			}
			if c != nil || !errors.Is(err, assay.ErrRefuted) {
				t.Errorf("%v, %v", c, err)
			}
		})
	}
}

// A folder is scanned as the root of an image: links in it lead nowhere else.
func TestHostileFolderLinks(t *testing.T) {
	outside, root := t.TempDir(), t.TempDir()
	body := []byte(dpkgStatus("outside 1").Body)
	if err := os.WriteFile(filepath.Join(outside, "status"), body, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{"var/lib/dpkg", "srv/node_modules/p"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for link, target := range map[string]string{
		"var/lib/dpkg/status": filepath.Join(outside, "status"), "lib": "lib", "srv/a": "b", "srv/b": "a", "srv/up": "..", "srv/out": outside,
		"srv/node_modules/p/package.json": "../../../../../../../../" + filepath.Join(outside, "status"),
	} {
		if err := os.Symlink(target, filepath.Join(root, link)); err != nil {
			t.Fatal(err)
		}
	}
	c, err := sbom.ScanFolder(context.Background(), root, sbom.Options{Files: true})
	if err != nil {
		t.Fatal(err)
	}
	if got := found(c); len(got) != 0 {
		t.Errorf("found %v", got)
	}
	for _, p := range []string{"lib", "srv/a", "srv/out/status", "var/lib/dpkg/status"} {
		if f, err := c.Lookup(p); err == nil {
			t.Errorf("%s is %+v", p, f)
		}
	}
}

// Names of files that are not UTF-8 are in every format, reversibly and apart.
func TestHostileNames(t *testing.T) {
	const pkg = `{"name":"p","version":"1"}`
	raw := []string{"srv/caf\xe9/node_modules/p/package.json", "srv/caf\xe8/node_modules/p/package.json", `srv/caf\xe9/node_modules/p/package.json`, "srv/\x01\x1b[2J/node_modules/p/package.json"}
	elf := "\x7fELF\x02\x01\x01" + strings.Repeat("\x00", 9) + "\x02" + strings.Repeat("\x00", 47)
	files := []file{{Name: "bin/\xff", Mode: 0o755, Body: elf}, {Name: "bin/\xfe", Mode: 0o755, Body: elf + "2"}}
	for i, name := range raw {
		files = append(files, file{Name: name, Body: strings.Replace(pkg, "p", fmt.Sprint("p", i), 1)})
	}
	c := scan(t, sbom.Options{Files: true}, files)
	paths := func(doc *assay.SBOM) []string {
		var out []string
		for _, comp := range doc.Components {
			for _, l := range comp.Locations {
				out = append(out, assay.UnescapePath(l.Path)+" "+comp.Hashes.Get(assay.SHA256).Hex()+" "+string(comp.Type))
			}
		}
		slices.Sort(out)
		return out
	}
	want := paths(c.SBOM)
	for _, name := range append(raw, "bin/\xff", "bin/\xfe") {
		if !slices.ContainsFunc(want, func(s string) bool { return strings.HasPrefix(s, name+" ") }) {
			t.Errorf("%q is not in %q", name, want)
		}
		if _, ok := c.Get(name); !ok {
			t.Errorf("no file %q", name)
		}
	}
	for _, body := range []string{elf, elf + "2"} {
		if !slices.ContainsFunc(want, func(s string) bool { return strings.Contains(s, sumOf(body).Hex()) }) {
			t.Errorf("no file has the digest %s", sumOf(body))
		}
	}
	for _, f := range formats {
		data, lost, err := sbom.Encode(c.SBOM, f, sbom.EncodeOptions{})
		if err != nil {
			t.Errorf("%s: %v", f, err)
			continue
		}
		back, err := sbom.Read("x", data)
		if err != nil {
			t.Errorf("%s: %v", f, err)
			continue
		}
		got := paths(back)
		// XML and tag-value have no way to write control characters, and say so.
		if !slices.Equal(want, got) && len(lost) == 0 {
			t.Errorf("%s: got %q, want %q, and nothing is said to be lost", f, got, want)
		}
		for _, w := range want {
			if !strings.Contains(w, "\x1b") && !slices.Contains(got, w) {
				t.Errorf("%s: %q is lost", f, w)
			}
		}
	}
}
