package attest_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/attest"
)

// writeLayout writes a layout of the files of a scripted registry and of entries of
// index.json.
func writeLayout(t testing.TB, files map[string]string, entries ...string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "blobs", "sha256"), 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "oci-layout"), `{"imageLayoutVersion":"1.0.0"}`)
	write(t, filepath.Join(dir, "index.json"), index(entries...))
	for _, body := range files {
		write(t, filepath.Join(dir, "blobs", "sha256", strings.TrimPrefix(at(body), "sha256:")), body)
	}
	return dir
}

// noted is an entry of an index with an annotation.
func noted(body, key, value string) string {
	return strings.Replace(entry(body, ""), `"artifactType":""`, fmt.Sprintf(`"annotations":{%q:%q}`, key, value), 1)
}

const refName = "org.opencontainers.image.ref.name"

// Each way in which a layout keeps what belongs to an image is read.
func TestLayout(t *testing.T) {
	img := layered(layerJSON{"application/vnd.oci.image.layer.v1.tar+gzip", "x", nil})
	digest := assay.MustDigest(at(img))
	tag := "sha256-" + digest.Hex()
	blobs := map[string]string{"img": img}
	bundle := func(name string) string {
		blobs[name] = `{"of":"` + name + `"}`
		return blobs[name]
	}
	referrer := artifactJSON(at(img), bundleType, bundleType, bundle("referrer"))
	listed := artifactJSON(at(img), bundleType, bundleType, bundle("listed"))
	list := index(entry(listed, bundleType))
	other := artifactJSON(digestB.String(), bundleType, bundleType, bundle("another image"))
	att := layered(layerJSON{assay.MediaTypeDSSE, bundle("att"), nil})
	sig := layered(layerJSON{assay.MediaTypeSimpleSigning, bundle("sig"), map[string]string{assay.AnnotationSignature: "AA=="}})
	saved := layered(layerJSON{assay.MediaTypeSimpleSigning, bundle("saved"), map[string]string{assay.AnnotationSignature: "BB=="}})
	for i, m := range []string{referrer, listed, list, other, att, sig, saved} {
		blobs[fmt.Sprint("m", i)] = m
	}
	dir := writeLayout(t, blobs, noted(img, "kind", "dev.cosignproject.cosign/image"), entry(referrer, bundleType), entry(other, ""),
		noted(list, refName, tag), noted(att, refName, tag+".att"), noted(sig, refName, "registry.example/app:"+tag+".sig"),
		noted(saved, "kind", "dev.cosignproject.cosign/sigs"))
	found := discover(t, attest.FromLayout(dir), digest)
	if !found.Complete() {
		t.Errorf("faults %v", found.Faults)
	}
	got := map[string][]string{}
	for e := range found.Bundle.Envelopes() {
		got[string(e.Raw())] = e.Sources()
	}
	want := map[string][]string{
		blobs["referrer"]: {dir + "@" + at(referrer)}, blobs["listed"]: {dir + "@" + at(listed)}, blobs["saved"]: {dir + "@" + at(saved)},
		blobs["att"]: {dir + ":" + tag + ".att"}, blobs["sig"]: {dir + ":" + tag + ".sig"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("envelopes (-want +got):\n%s", diff)
	}

	// What it does not have is absent.
	found = discover(t, attest.FromLayout(dir), digestA)
	if !found.Complete() || found.Bundle.Len() != 0 || len(found.Faults) != 2 {
		t.Errorf("faults %v", found.Faults)
	}
	found = discover(t, attest.FromLayout(filepath.Join(dir, "none")), digest)
	if !found.Complete() || len(found.Faults) != 1 || found.Faults[0].Kind != attest.Absent {
		t.Errorf("faults %v", found.Faults)
	}
	// Evidence about an image of which the layout does not have the bytes.
	if found = discover(t, attest.FromLayout(dir), digestB); found.Bundle.Len() != 1 {
		t.Errorf("found %d, faults %v", found.Bundle.Len(), found.Faults)
	}

	// Each file that is gone, or is not what it is called, is a fault.
	for name, body := range blobs {
		if name == "another image" {
			continue
		}
		path := filepath.Join(dir, "blobs", "sha256", strings.TrimPrefix(at(body), "sha256:"))
		for _, change := range []func() error{
			func() error { return os.WriteFile(path, []byte(strings.Replace(body, `"`, ` `, 1)), 0o600) },
			func() error { return os.WriteFile(path, []byte(body+" "), 0o600) },
			func() error { return os.Remove(path) },
			func() error { return os.Symlink("/etc/passwd", path) },
		} {
			if err := change(); err != nil {
				t.Fatal(err)
			}
			found := discover(t, attest.FromLayout(dir), digest)
			if name == "img" && found.Faults[0].Kind == attest.Absent {
				continue // it has what is attached to it and not the image
			}
			if found.Complete() || found.Bundle.Len() > len(want) {
				t.Errorf("%s: found %d, faults %v", name, found.Bundle.Len(), found.Faults)
			}
		}
		if err := errors.Join(os.Remove(path), os.WriteFile(path, []byte(body), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	for _, l := range []attest.Limits{{Referrers: 1}, {Envelopes: 1}, {TotalBytes: 10}, {BlobBytes: 5}} {
		if found := discover(t, attest.FromLayout(dir).WithLimits(l), digest); !errors.Is(found.Err(), assay.ErrBound) {
			t.Errorf("%+v: faults %v", l, found.Faults)
		}
	}
}

// A folder that is no layout is not one that holds nothing.
func TestLayoutBroken(t *testing.T) {
	for name, change := range map[string]func(dir string) error{
		"no oci-layout": func(dir string) error { return os.Remove(filepath.Join(dir, "oci-layout")) },
		"no index.json": func(dir string) error { return os.Remove(filepath.Join(dir, "index.json")) },
		"version 2": func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "oci-layout"), []byte(`{"imageLayoutVersion":"2"}`), 0o600)
		},
		"no JSON": func(dir string) error { return os.WriteFile(filepath.Join(dir, "index.json"), []byte(`{`), 0o600) },
		"a bad digest": func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "index.json"), []byte(index(`{"digest":"sha256:..","size":1}`)), 0o600)
		},
		"a folder there": func(dir string) error {
			return errors.Join(os.Remove(filepath.Join(dir, "index.json")), os.Mkdir(filepath.Join(dir, "index.json"), 0o700))
		},
	} {
		dir := writeLayout(t, nil)
		if err := change(dir); err != nil {
			t.Fatal(err)
		}
		found := discover(t, attest.FromLayout(dir), digestA)
		if found.Complete() || found.Err() == nil || errors.Is(found.Err(), assay.ErrAbsent) {
			t.Errorf("%s: faults %v", name, found.Faults)
		}
	}
	if _, err := attest.FromLayout(t.TempDir()).Discover(t.Context(), assay.Digest{}); !errors.Is(err, assay.ErrInvalid) {
		t.Errorf("no digest: %v", err)
	}
}

func TestLayoutOfBuildKit(t *testing.T) {
	body, platforms, attestations, statements, files := buildKitIndex()
	dir := writeLayout(t, files, strings.Replace(entry(body, ""), "manifest.v1", "index.v1", 1))
	checkBuildKit(t, discover(t, attest.FromLayout(dir), assay.MustDigest(at(body))), dir, platforms, attestations, statements)

	// The same where index.json lists the platforms itself.
	dir = writeLayout(t, files)
	write(t, filepath.Join(dir, "index.json"), body)
	checkBuildKit(t, discover(t, attest.FromLayout(dir), assay.MustDigest(at(body))), dir, platforms, attestations, statements)
}

// Evidence in one place about an index in another.
func TestJoinAsksForPlatforms(t *testing.T) {
	body, platforms, _, _, files := buildKitIndex()
	repo := scripted(t, files, nil)
	blob := `{"kept":"apart"}`
	referrer := artifactJSON(at(platforms[1]), bundleType, bundleType, blob)
	dir := writeLayout(t, map[string]string{"": referrer, "b": blob}, entry(referrer, bundleType))
	inner := attest.Join(attest.FromLayout(dir))
	found := discover(t, attest.Join(inner, attest.FromRegistry(repo, fast)), assay.MustDigest(at(body)))
	if !found.Complete() {
		t.Errorf("faults %v", found.Faults)
	}
	n := 0
	for p := range found.Bundle.Platforms() {
		for e := range p.Bundle.Envelopes() {
			if string(e.Raw()) == blob && p.Bundle.Subject().String() == at(platforms[1]) && p.Platform.Architecture == "arm64" {
				n++
			}
		}
	}
	if n != 1 {
		t.Errorf("found %d times", n)
	}
	// What could not be asked there is a fault.
	if err := os.Remove(filepath.Join(dir, "blobs", "sha256", strings.TrimPrefix(at(blob), "sha256:"))); err != nil {
		t.Fatal(err)
	}
	if found := discover(t, attest.Join(inner, attest.FromRegistry(repo, fast)), assay.MustDigest(at(body))); found.Complete() {
		t.Error("complete")
	}
}

// Whatever index.json and a blob hold: no panic, and nothing that is not there is found.
func FuzzLayout(f *testing.F) {
	m := artifactJSON(digestA.String(), bundleType, bundleType, "{}")
	f.Add(index(entry(m, bundleType)), m)
	f.Add(index(noted(layered(), refName, "sha256-"+digestA.Hex()+".att")), layered(layerJSON{assay.MediaTypeDSSE, "{}", nil}))
	f.Add(index(noted(m, "kind", "dev.cosignproject.cosign/sigs"), noted(m, "kind", "dev.cosignproject.cosign/image")), m)
	f.Fuzz(func(t *testing.T, top, manifest string) {
		dir := writeLayout(t, map[string]string{"": manifest, "b": "{}"})
		write(t, filepath.Join(dir, "index.json"), top)
		for _, d := range []assay.Digest{digestA, assay.MustDigest(at(manifest)), assay.MustDigest(at(top))} {
			found, err := attest.FromLayout(dir).Discover(t.Context(), d)
			if err != nil {
				t.Fatal(err)
			}
			for e := range found.Bundle.Envelopes() {
				if raw := string(e.Raw()); raw != "{}" && raw != manifest && raw != top {
					t.Fatalf("found %q", raw)
				}
			}
		}
	})
}
