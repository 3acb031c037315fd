package image

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/google/go-containerregistry/pkg/v1/validate"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/layers"
	"github.com/assaykit/assay/internal/testimage"
)

func sample(t testing.TB, what string) *testimage.Image {
	t.Helper()
	return platformed(t, what, assay.Platform{OS: "linux", Architecture: "amd64"})
}

func platformed(t testing.TB, what string, p assay.Platform) *testimage.Image {
	t.Helper()
	return testimage.NewWith(t, testimage.Options{Config: func(c *v1.ConfigFile) {
		c.OS, c.Architecture, c.Variant = p.OS, p.Architecture, p.Variant
	}}, testimage.Layer{Files: []testimage.File{{Name: "what", Body: what}}},
		testimage.Layer{Files: []testimage.File{{Name: "more", Body: what}}})
}

// opened opens and scans, which verifies everything.
func opened(t *testing.T, ref string, opts Options) *Opened {
	t.Helper()
	o, err := Open(t.Context(), ref, opts)
	if err != nil {
		t.Fatalf("%s: %v", ref, err)
	}
	t.Cleanup(func() { o.Close() })
	if o.Image() != nil {
		if _, err := layers.Pass(t.Context(), o.Image(), layers.Options{Digest: o.Digest()}); err != nil {
			t.Errorf("%s: %v", ref, err)
		}
	}
	return o
}

// refused wants an error of one kind that names things, and nothing else.
func refused(t *testing.T, ref string, opts Options, kind error, says ...string) {
	t.Helper()
	o, err := Open(t.Context(), ref, opts)
	if err == nil || o != nil || !errors.Is(err, kind) {
		t.Errorf("%s: got %v, %v, want %v", ref, o, err, kind)
		return
	}
	for _, other := range []error{assay.ErrRefuted, assay.ErrUnchecked, assay.ErrInvalid, assay.ErrBound, assay.ErrAbsent} {
		if other != kind && errors.Is(err, other) {
			t.Errorf("%s: %v is %v too", ref, err, other)
		}
	}
	for _, s := range says {
		if !strings.Contains(err.Error(), s) {
			t.Errorf("%s: %q does not name %q", ref, err, s)
		}
	}
}

func twoPlatforms(t testing.TB) (*testimage.Index, *testimage.Image, *testimage.Image) {
	a := platformed(t, "a", assay.Platform{OS: "linux", Architecture: "amd64"})
	b := platformed(t, "b", assay.Platform{OS: "linux", Architecture: "arm", Variant: "v7"})
	att := testimage.New(t, testimage.Layer{Compression: testimage.None, Blob: []byte("{}"), MediaType: "application/vnd.in-toto+json"})
	return testimage.NewIndex(t,
		testimage.Member{Image: att, Attests: a},
		testimage.Member{Image: a, Platform: assay.Platform{OS: "linux", Architecture: "amd64"}},
		testimage.Member{Image: b, Platform: assay.Platform{OS: "linux", Architecture: "arm", Variant: "v7"}},
	), a, b
}

func TestLayouts(t *testing.T) {
	x, a, b := twoPlatforms(t)
	one, two := sample(t, "one"), sample(t, "two")
	arm := assay.Platform{OS: "linux", Architecture: "arm"}
	several := testimage.Layout{Images: map[string]*testimage.Image{"v1": one, "v2": two}, Indexes: map[string]*testimage.Index{"x": x}}
	single := testimage.Layout{Images: map[string]*testimage.Image{"": one}}
	missing := assay.MustDigest("sha256:" + strings.Repeat("0", 64)).String()
	for scheme, write := range map[string]func(testing.TB, testimage.Layout) string{
		"oci:": testimage.WriteLayout, "oci-archive:": testimage.WriteArchive,
	} {
		t.Run(scheme, func(t *testing.T) {
			many, alone := scheme+write(t, several), scheme+write(t, single)
			amd := assay.Platform{OS: "linux", Architecture: "amd64"}
			for _, tt := range []struct {
				ref  string
				p    assay.Platform
				want assay.Digest
			}{
				{alone, assay.Platform{}, one.ID()},
				{alone + "@" + one.ID().String(), assay.Platform{}, one.ID()},
				{many + ":v1", assay.Platform{}, one.ID()},
				{many + ":v2", amd, two.ID()},
				{many + ":v2@" + two.ID().String(), assay.Platform{}, two.ID()},
				{many + "@" + two.ID().String(), assay.Platform{}, two.ID()},
				{many + "@" + b.ID().String(), assay.Platform{}, b.ID()},
				{many + ":x@" + b.ID().String(), assay.Platform{}, b.ID()},
				{many + ":x", arm, b.ID()},
				{many + ":x", amd, a.ID()},
				{many + "@" + x.ID().String(), amd, a.ID()},
			} {
				if o := opened(t, tt.ref, Options{Platform: tt.p}); o.Digest() != tt.want {
					t.Errorf("%s: got %s, want %s", tt.ref, o.Digest(), tt.want)
				}
			}
			o := opened(t, many+":x", Options{Platform: arm})
			if o.IndexDigest() != x.ID() || len(o.Platforms()) != 2 || len(o.Attestations()) != 1 || o.Attestations()[0].Subject != a.ID() || o.Platform().String() != "linux/arm/v7" {
				t.Errorf("index: %s %+v %+v %s", o.IndexDigest(), o.Platforms(), o.Attestations(), o.Platform())
			}
			if other, err := o.Variant(t.Context(), o.Platforms()[0]); err != nil {
				t.Error(err)
			} else if h, _ := other.Digest(); h.String() != a.ID().String() {
				t.Errorf("variant: %s", h)
			}
			if att, err := o.Attestation(t.Context(), o.Attestations()[0]); err != nil {
				t.Error(err)
			} else if ls, _ := att.Layers(); len(ls) != 1 {
				t.Errorf("attestation: %v", ls)
			}
			if child, err := o.Index().Image(hashOf(b.ID())); err != nil {
				t.Error(err)
			} else if err := validate.Image(child); err != nil {
				t.Error(err)
			}
			refused(t, many, Options{}, assay.ErrInvalid, "tag or digest", "v1", "v2")
			refused(t, many+":v3", Options{}, assay.ErrAbsent, "v3", "v1, v2")
			refused(t, many+":v1@"+two.ID().String(), Options{}, assay.ErrRefuted, "v1", one.ID().String(), two.ID().String())
			refused(t, many+"@"+missing, Options{}, assay.ErrAbsent, missing[7:])
			refused(t, many+":x", Options{Platform: assay.Platform{OS: "windows", Architecture: "amd64"}}, assay.ErrAbsent, "windows/amd64", "linux/amd64, linux/arm/v7")
			refused(t, alone, Options{Platform: arm}, assay.ErrAbsent, "linux/arm", "linux/amd64")
			refused(t, alone+"x", Options{}, assay.ErrAbsent)
			refused(t, alone+":", Options{}, assay.ErrInvalid, "tag")
			refused(t, alone+"x@sha256:0", Options{}, assay.ErrInvalid, "digest")
			refused(t, scheme, Options{}, assay.ErrInvalid, "PATH")
		})
	}
	refused(t, "", Options{}, assay.ErrInvalid)
}

// An index.json that lists the platforms itself is an index.
func TestFlatLayout(t *testing.T) {
	x, a, b := twoPlatforms(t)
	files := testimage.Layout{Indexes: map[string]*testimage.Index{"x": x}}.Files(t)
	files["index.json"] = x.Raw
	dir := writeAll(t, files)
	o := opened(t, "oci:"+dir, Options{Platform: assay.Platform{OS: "linux", Architecture: "amd64"}})
	if o.Digest() != a.ID() || o.IndexDigest() != x.ID() {
		t.Errorf("got %s of %s", o.Digest(), o.IndexDigest())
	}
	if o := opened(t, "oci:"+dir, Options{Platform: assay.Platform{OS: "linux", Architecture: "arm", Variant: "v7"}}); o.Digest() != b.ID() {
		t.Errorf("got %s", o.Digest())
	}
}

func writeAll(t testing.TB, files map[string][]byte) string {
	t.Helper()
	dir := t.TempDir()
	for p, b := range files {
		testimage.WriteFile(t, filepath.Join(dir, filepath.FromSlash(p)), b)
	}
	return dir
}

func TestBadLayouts(t *testing.T) {
	img := sample(t, "x")
	m, _ := img.Manifest()
	manifest := "blobs/sha256/" + img.ID().Hex()
	config := "blobs/sha256/" + m.Config.Digest.Hex
	first := "blobs/sha256/" + m.Layers[0].Digest.Hex
	for _, tt := range []struct {
		name   string
		change func(map[string][]byte)
		kind   error
		says   string
	}{
		{"no oci-layout", func(f map[string][]byte) { delete(f, "oci-layout") }, assay.ErrInvalid, "oci-layout"},
		{"another version", func(f map[string][]byte) { f["oci-layout"] = []byte(`{"imageLayoutVersion":"2.0.0"}`) }, assay.ErrInvalid, "/imageLayoutVersion"},
		{"no index", func(f map[string][]byte) { delete(f, "index.json") }, assay.ErrInvalid, "index.json"},
		{"duplicate members", func(f map[string][]byte) {
			f["index.json"] = bytes.Replace(f["index.json"], []byte("{"), []byte(`{"manifests":[],`), 1)
		}, assay.ErrInvalid, "manifests"},
		{"trailing data", func(f map[string][]byte) { f["index.json"] = append(f["index.json"], "x"...) }, assay.ErrInvalid, "index.json"},
		{"spelling", func(f map[string][]byte) {
			f["index.json"] = bytes.Replace(f["index.json"], []byte("{"), []byte(`{"Manifests":[],`), 1)
		}, assay.ErrInvalid, "/Manifests"},
		{"no images", func(f map[string][]byte) { f["index.json"] = []byte(`{"schemaVersion":2,"manifests":[]}`) }, assay.ErrAbsent, "index.json"},
		{"a digest that is a path", func(f map[string][]byte) {
			f["index.json"] = []byte(`{"schemaVersion":2,"manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","size":3,"digest":"sha256:../../../../etc/passwd"}]}`)
		}, assay.ErrInvalid, ""},
		{"no manifest", func(f map[string][]byte) { delete(f, manifest) }, assay.ErrUnchecked, img.ID().Hex()},
		{"changed manifest", func(f map[string][]byte) { f[manifest] = bytes.Replace(f[manifest], []byte("2"), []byte("3"), 1) }, assay.ErrRefuted, img.ID().String()},
		{"longer manifest", func(f map[string][]byte) { f[manifest] = append(f[manifest], ' ') }, assay.ErrRefuted, img.ID().String()},
		{"changed config", func(f map[string][]byte) {
			f[config] = bytes.Replace(f[config], []byte("linux"), []byte("Linux"), 1)
		}, assay.ErrRefuted, m.Config.Digest.String()},
		{"changed layer", func(f map[string][]byte) { f[first][20] ^= 1 }, assay.ErrRefuted, m.Layers[0].Digest.String()},
		{"no layer", func(f map[string][]byte) { delete(f, first) }, assay.ErrUnchecked, m.Layers[0].Digest.Hex},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := testimage.Layout{Images: map[string]*testimage.Image{"v1": img}}.Files(t)
			for p, b := range f {
				f[p] = bytes.Clone(b)
			}
			tt.change(f)
			archive := filepath.Join(t.TempDir(), "a.tar")
			testimage.WriteFile(t, archive, testimage.TarOf(t, f))
			for _, ref := range []string{"oci:" + writeAll(t, f), "oci-archive:" + archive} {
				o, err := Open(t.Context(), ref, Options{})
				if err == nil {
					defer o.Close()
					_, err = layers.Pass(t.Context(), o.Image(), layers.Options{Digest: img.ID()})
				}
				if !errors.Is(err, tt.kind) || !strings.Contains(err.Error(), tt.says) {
					t.Errorf("%s: got %v, want %v naming %q", ref, err, tt.kind, tt.says)
				}
			}
		})
	}
}

// What reads a layer by go-containerregistry's interfaces is told of lies too.
func TestCompressedVerifies(t *testing.T) {
	img := sample(t, "x")
	m, _ := img.Manifest()
	f := testimage.Layout{Images: map[string]*testimage.Image{"": img}}.Files(t)
	p := "blobs/sha256/" + m.Layers[0].Digest.Hex
	dir := writeAll(t, f)
	o, err := Open(t.Context(), "oci:"+dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	if err := validate.Image(o.Image()); err != nil {
		t.Error(err)
	}
	for _, b := range [][]byte{append(bytes.Clone(f[p]), 0), f[p][:10], bytes.Repeat([]byte("x"), len(f[p]))} {
		testimage.WriteFile(t, filepath.Join(dir, p), b)
		ls, _ := o.Image().Layers()
		rc, err := ls[0].Compressed()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := readAll(rc, 1<<20); !errors.Is(err, assay.ErrRefuted) {
			t.Errorf("got %v", err)
		}
		rc.Close()
	}
}

func TestLinksOutOfLayout(t *testing.T) {
	f := testimage.Layout{Images: map[string]*testimage.Image{"": sample(t, "x")}}.Files(t)
	outside := filepath.Join(t.TempDir(), "index.json")
	testimage.WriteFile(t, outside, f["index.json"])
	delete(f, "index.json")
	dir := writeAll(t, f)
	if err := os.Symlink(outside, filepath.Join(dir, "index.json")); err != nil {
		t.Skip(err)
	}
	refused(t, "oci:"+dir, Options{}, assay.ErrUnchecked, "index.json")
}

func TestDockerArchive(t *testing.T) {
	one := testimage.NewWith(t, testimage.Options{Docker: true},
		testimage.Layer{Compression: testimage.None, Files: []testimage.File{{Name: "a"}}},
		testimage.Layer{Files: []testimage.File{{Name: "b"}}},
		testimage.Layer{Compression: testimage.Zstd, MediaType: dockerZstd, Files: []testimage.File{{Name: "c"}}})
	two := sample(t, "two")
	alone := testimage.WriteDocker(t, map[string]*testimage.Image{"example.com/one:v1": one})
	o := opened(t, "docker-archive:"+alone, Options{})
	if o.Digest() != one.ID() {
		t.Errorf("the manifest that is made is %s, and one that was %s", o.Digest(), one.ID())
	}
	many := testimage.WriteDocker(t, map[string]*testimage.Image{"example.com/one:v1": one, "two:latest": two})
	for tag, want := range map[string]*testimage.Image{"example.com/one:v1": one, "two": two, "docker.io/library/two:latest": two} {
		got, _ := opened(t, "docker-archive:"+many+":"+tag, Options{}).Image().ConfigName()
		if name, _ := want.ConfigName(); got != name {
			t.Errorf("%s: got %s", tag, got)
		}
	}
	refused(t, "docker-archive:"+many, Options{}, assay.ErrInvalid, "example.com/one:v1", "two:latest")
	refused(t, "docker-archive:"+many+":three", Options{}, assay.ErrAbsent, "three", "two:latest")
	refused(t, "docker-archive:"+testimage.WriteArchive(t, testimage.Layout{Images: map[string]*testimage.Image{"": two}}), Options{}, assay.ErrInvalid, "manifest.json")
	data, err := os.ReadFile(alone)
	if err != nil {
		t.Fatal(err)
	}
	packed, _ := testimage.Compress(testimage.Gzip, data)
	for name, tt := range map[string]struct {
		data []byte
		says string
	}{"gzip": {packed, "gunzip"}, "cut": {data[:len(data)-3000], ""}, "garbage": {bytes.Repeat([]byte("garbage "), 500), "entry 0"}} {
		p := filepath.Join(t.TempDir(), name)
		testimage.WriteFile(t, p, tt.data)
		if name == "cut" {
			if o, err := Open(t.Context(), "docker-archive:"+p, Options{}); !errors.Is(err, assay.ErrInvalid) {
				t.Errorf("cut: %v, %v", o, err)
			}
			continue
		}
		refused(t, "docker-archive:"+p, Options{}, assay.ErrInvalid, tt.says)
	}
}

// "docker save" wrote links for layers that it had written before, and writes OCI
// layouts with a manifest.json today.
func TestDockerArchiveShapes(t *testing.T) {
	layer, err := testimage.Tar(testimage.File{Name: "a"})
	if err != nil {
		t.Fatal(err)
	}
	img := testimage.New(t, testimage.Layer{Tar: layer, Compression: testimage.None}, testimage.Layer{Tar: layer, Compression: testimage.None})
	config, _ := img.RawConfigFile()
	h, _ := img.ConfigName()
	archive, err := testimage.Tar(
		testimage.File{Name: "one/layer.tar", Body: string(layer)},
		testimage.Symlink("two/layer.tar", "../one/layer.tar"),
		testimage.Symlink("loop", "loop"),
		testimage.File{Name: h.Hex + ".json", Body: string(config)},
		testimage.File{Name: "manifest.json", Body: `[{"Config":"` + h.Hex + `.json","RepoTags":null,"Layers":["one/layer.tar","two/layer.tar"]}]`},
	)
	if err != nil {
		t.Fatal(err)
	}
	p := filepath.Join(t.TempDir(), "a.tar")
	testimage.WriteFile(t, p, archive)
	opened(t, "docker-archive:"+p, Options{})
	for _, old := range []string{"one/layer.tar\",", h.Hex + ".json\","} {
		testimage.WriteFile(t, p, bytes.Replace(archive, []byte(old), []byte(strings.Repeat("x", len(old)-2)+`",`), 1))
		refused(t, "docker-archive:"+p, Options{}, assay.ErrInvalid, "xxx")
	}
	testimage.WriteFile(t, p, bytes.Replace(archive, []byte(`"one/layer.tar"`), []byte(`"loop"         `), 1))
	refused(t, "docker-archive:"+p, Options{}, assay.ErrInvalid, "loop")
	testimage.WriteFile(t, p, bytes.Replace(archive, []byte(`"os":"linux"`), []byte(`"os":"linus"`), 1))
	refused(t, "docker-archive:"+p, Options{}, assay.ErrRefuted, h.String())

	gz := sample(t, "x")
	files := testimage.Layout{Images: map[string]*testimage.Image{"v1": gz}}.Files(t)
	m, _ := gz.Manifest()
	blob := func(h v1.Hash) string { return `"blobs/sha256/` + h.Hex + `"` }
	files["manifest.json"] = []byte(`[{"Config":` + blob(m.Config.Digest) + `,"RepoTags":["x:v1"],"Layers":[` + blob(m.Layers[0].Digest) + `,` + blob(m.Layers[1].Digest) + `]}]`)
	testimage.WriteFile(t, p, testimage.TarOf(t, files))
	o := opened(t, "docker-archive:"+p, Options{})
	ls, _ := o.Image().Layers()
	if d, _ := ls[0].Digest(); d != m.Layers[0].Digest {
		t.Errorf("layer: %s", d)
	}
	if o := opened(t, "oci-archive:"+p, Options{}); o.Digest() != gz.ID() {
		t.Errorf("as layout: %s", o.Digest())
	}
}

func TestFolder(t *testing.T) {
	dir := t.TempDir()
	o := opened(t, "dir:"+dir, Options{})
	if o.Folder() != dir || o.Image() != nil || o.Index() != nil || !o.Digest().IsZero() || o.Platforms() != nil {
		t.Errorf("got %+v", o)
	}
	file := filepath.Join(dir, "f")
	testimage.WriteFile(t, file, nil)
	refused(t, "dir:"+file, Options{}, assay.ErrInvalid, "folder")
	refused(t, "dir:"+file+"x", Options{}, assay.ErrAbsent)
}

func TestPathsWithColons(t *testing.T) {
	img := sample(t, "x")
	f := testimage.Layout{Images: map[string]*testimage.Image{"v1": img}}.Files(t)
	dir := filepath.Join(t.TempDir(), "a:v1")
	for p, b := range f {
		testimage.WriteFile(t, filepath.Join(dir, filepath.FromSlash(p)), b)
	}
	for ref, want := range map[string]location{
		"oci:" + dir:         {scheme: "oci", path: dir},
		"oci:" + dir + ":v1": {scheme: "oci", path: dir, tag: "v1"},
		"oci:" + dir + ":v1@" + img.ID().String(): {scheme: "oci", path: dir, tag: "v1", digest: img.ID()},
		"example.com:5000/a:v1":                   {path: "example.com:5000/a:v1"},
		"docker-archive:" + dir + ":a/b:c":        {scheme: "docker-archive", path: dir, tag: "a/b:c"},
	} {
		got, err := parse(ref)
		if d := cmp.Diff(want, got, cmp.AllowUnexported(location{}), cmp.Comparer(func(a, b assay.Digest) bool { return a == b })); err != nil || d != "" {
			t.Errorf("%s: %v\n%s", ref, err, d)
		}
	}
}

func TestChoose(t *testing.T) {
	v := func(p string) Variant {
		q, err := assay.ParsePlatform(p)
		if err != nil {
			t.Fatal(err)
		}
		return Variant{Platform: q, Digest: assay.MustDigest(testimage.Sum([]byte(p)).String())}
	}
	all := []Variant{v("linux/arm/v6"), v("linux/arm/v7"), v("linux/arm64"), v("linux/amd64"), v("windows/amd64")}
	for want, is := range map[string]string{"linux/arm/v7": "linux/arm/v7", "linux/arm": "linux/arm/v6", "linux/arm64/v8": "linux/arm64", "linux/x86_64": "linux/amd64"} {
		p, _ := assay.ParsePlatform(want)
		if got, err := choose("x", all, p); err != nil || got.Platform.String() != is {
			t.Errorf("%s: got %s, %v", want, got.Platform, err)
		}
	}
	if got, err := choose("x", all[4:], assay.Platform{}); err != nil || got.Platform.OS != "windows" {
		t.Errorf("the only one: %v, %v", got, err)
	}
	if _, err := choose("x", nil, assay.Platform{}); !errors.Is(err, assay.ErrAbsent) {
		t.Errorf("none: %v", err)
	}
	for _, d := range []v1.Descriptor{
		{MediaType: "application/vnd.oci.artifact"},
		{MediaType: types.OCIManifestSchema1, ArtifactType: "application/vnd.dev.sigstore.bundle.v0.3+json"},
		{MediaType: types.OCIManifestSchema1, Platform: &v1.Platform{OS: "unknown", Architecture: "unknown"}},
	} {
		if !isNoImage(d) {
			t.Errorf("%+v is taken for an image", d)
		}
	}
}
