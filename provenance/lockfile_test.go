package provenance_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/provenance"
)

const (
	sri  = "sha512-z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg==" // of nothing
	sum1 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	sum2 = "5feceb66ffc86f38d952786c6d696c79c2dbc239dd4e91b46729d73a27fb57e9"
)

func TestLockFile(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       []string
		unpinned   int
	}{
		{"go.sum", "example.com/m/v2 v2.0.1 h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\nexample.com/m/v2 v2.0.1/go.mod h1:X+zrZv/IbzjZUnhsbWlsecLbwjndTpG0ZynXOif7V+k=\n",
			[]string{"pkg:golang/example.com/m/v2@v2.0.1 dirHash:" + sum1, "pkg:golang/example.com/m/v2@v2.0.1#go.mod dirHash:" + sum2}, 0},
		{"app/package-lock.json", `{"lockfileVersion":3,"packages":{"":{"version":"1.0.0"},"node_modules/@s/a":{"version":"1.2.3","integrity":"` + sri + `"},` +
			`"node_modules/b/node_modules/c":{"version":"2.0.0","integrity":"` + sri + `"},"node_modules/git":{"version":"1.0.0"},"node_modules/w":{"link":true},"packages/w":{"version":"1.0.0"},` +
			`"node_modules/alias":{"name":"real","version":"3.0.0","integrity":"` + sri + `"}}}`,
			[]string{"pkg:npm/%40s/a@1.2.3 sha512:", "pkg:npm/c@2.0.0 sha512:", "pkg:npm/real@3.0.0 sha512:"}, 1},
		{"npm-shrinkwrap.json", `{"lockfileVersion":1,"dependencies":{"a":{"version":"1.0.0","integrity":"` + sri + `","dependencies":{"b":{"version":"2.0.0","integrity":"sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk="}}},"g":{"version":"git+ssh://git@git.example/g.git#abc"}}}`,
			[]string{"pkg:npm/a@1.0.0 sha512:", "pkg:npm/b@2.0.0 sha1:da39a3ee5e6b4b0d3255bfef95601890afd80709"}, 1},
		{"requirements.txt", "# comment\n-i https://pypi.example/simple\nPyYAML==6.0 \\\n    --hash=sha256:" + sum1 + " \\\n    --hash=sha256:" + sum2 + "\nrequests[socks]==2.31.0 ; python_version > '3' --hash=sha256:" + sum1 + "  # why\nflask>=2\nclick==8.0\n",
			[]string{"pkg:pypi/pyyaml@6.0?checksum=sha256:" + sum2 + " sha256:" + sum2, "pkg:pypi/pyyaml@6.0?checksum=sha256:" + sum1 + " sha256:" + sum1, "pkg:pypi/requests@2.31.0 sha256:" + sum1}, 2},
		{"Cargo.lock", "version = 3\n[[package]]\nname = \"app\"\nversion = \"0.1.0\"\n[[package]]\nname = \"serde\"\nversion = \"1.0.1\"\nsource = \"registry+https://github.com/rust-lang/crates.io-index\"\nchecksum = \"" + sum1 + "\"\n" +
			"[[package]]\nname = \"g\"\nversion = \"0.2.0\"\nsource = \"git+https://git.example/g?branch=main#" + commit + "\"\n",
			[]string{"git+https://git.example/g gitCommit:" + commit, "pkg:cargo/serde@1.0.1 sha256:" + sum1}, 0},
		{"Cargo.lock", "[[package]]\nname = \"serde\"\nversion = \"1.0.1\"\nsource = \"registry+https://github.com/rust-lang/crates.io-index\"\n[metadata]\n\"checksum serde 1.0.1 (registry+https://github.com/rust-lang/crates.io-index)\" = \"" + sum1 + "\"\n",
			[]string{"pkg:cargo/serde@1.0.1 sha256:" + sum1}, 0},
		{"package-lock.json", `{"lockfileVersion":3,"packages":{"node_modules/g":{"version":"1.0.0","resolved":"git+ssh://git:secret@git.example/o/g.git#` + commit + `"},` +
			`"node_modules/two":{"version":"1.0.0","integrity":"sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk= sha1-AAAAAAAAAAAAAAAAAAAAAAAAAAA="}}}`,
			[]string{"git+ssh://git.example/o/g gitCommit:" + commit, "pkg:npm/two@1.0.0?checksum=sha1:" + strings.Repeat("0", 40) + " sha1:", "pkg:npm/two@1.0.0?checksum=sha1:da39a3ee5e6b4b0d3255bfef95601890afd80709 sha1:"}, 0},
		{"dev-requirements.txt", "\xef\xbb\xbf-e git+https://git.example/x@main#egg=x\n--editable .\n-r other.txt\na==1 --hash=sha256:" + sum1 + "\n", []string{"pkg:pypi/a@1 sha256:" + sum1}, 2},
		{"Cargo.lock", "version = 4\n[[package]]\nname = \"serde\"\nversion = \"1.0.1\"\nsource = \"sparse+https://me:secret@crates.example/index/\"\nchecksum = \"" + sum1 + "\"\n" +
			"[[package]]\nname = \"g\"\nversion = \"0.2.0\"\nsource = \"git+https://me:secret@git.example/g?token=secret#" + commit + "\"\n",
			[]string{"git+https://git.example/g gitCommit:" + commit, "pkg:cargo/serde@1.0.1?repository_url=https:%2F%2Fcrates.example%2Findex sha256:" + sum1}, 0},
		{"lockfile.json", `{"dependencies":[{"groupId":"org.a","artifactId":"b","version":"1","checksumAlgorithm":"SHA-256","checksum":"` + sum1 + `","included":true,"selectedVersion":"1"},` +
			`{"groupId":"org.a","artifactId":"b","version":"1","classifier":"sources","checksumAlgorithm":"SHA-256","checksum":"` + sum2 + `","included":true,"selectedVersion":"1","children":[` +
			`{"groupId":"org.a","artifactId":"c","version":"1","checksumAlgorithm":"SHA-256","checksum":"` + sum1 + `","included":false,"selectedVersion":"2"}]}],` +
			`"mavenExtensions":[{"groupId":"org.a","artifactId":"e","version":"1","type":"zip","checksumAlgorithm":"SHA-512","checksum":"` + sum1 + sum2 + `"}]}`,
			[]string{"pkg:maven/org.a/b@1 sha256:" + sum1, "pkg:maven/org.a/b@1?classifier=sources sha256:" + sum2, "pkg:maven/org.a/e@1?type=zip sha512:" + sum1}, 0},
		{"lockfile.json", `{"dependencies":[{"groupId":"org.a","artifactId":"b","version":"1","checksumAlgorithm":"SHA-256","checksum":"` + strings.ToUpper(sum1) + `","children":[{"groupId":"org.a","artifactId":"c","version":"2"}]}]}`,
			[]string{"pkg:maven/org.a/b@1 sha256:" + sum1}, 1},
		{"gradle/verification-metadata.xml", `<?xml version="1.0"?><verification-metadata><components><component group="org.a" name="b" version="1"><artifact name="b-1.jar"><sha256 value="` + sum1 + `"/></artifact>` +
			`<artifact name="b-1-sources.jar"><sha256 value="` + sum2 + `"/></artifact></component><component group="org.a" name="c" version="2"/></components></verification-metadata>`,
			[]string{"pkg:maven/org.a/b@1?classifier=sources&type=jar sha256:" + sum2, "pkg:maven/org.a/b@1?type=jar sha256:" + sum1}, 1},
		{"verification-metadata.xml", `<c><component group="org.a" name="b" version="1"><artifact name="b-1.jar"><sha256 value="` + sum1 + `"><also-trust value="` + sum2 + `"/></sha256></artifact></component></c>`,
			[]string{"pkg:maven/org.a/b@1?checksum=sha256:" + sum2 + "&type=jar sha256:" + sum2, "pkg:maven/org.a/b@1?checksum=sha256:" + sum1 + "&type=jar sha256:" + sum1}, 0},
	} {
		got, unpinned, err := provenance.LockFile(c.name, []byte(c.text))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if unpinned != c.unpinned || len(got) != len(c.want) {
			t.Errorf("%s: %d not pinned, want %d; %v", c.name, unpinned, c.unpinned, got)
			continue
		}
		for i, m := range got {
			if s := m.URI + " " + m.Digest[0].String(); !strings.HasPrefix(s, c.want[i]) {
				t.Errorf("%s: %s, want %s", c.name, s, c.want[i])
			}
		}
		p, err := provenance.WithMaterials(&assay.Provenance{}, got...)
		if err != nil || len(p.Materials) != len(got) {
			t.Errorf("%s: as materials: %v", c.name, err)
		}
	}
}

// Our own go.sum, line by line.
func TestOwnGoSum(t *testing.T) {
	text, err := os.ReadFile("../go.sum")
	if err != nil {
		t.Fatal(err)
	}
	got, unpinned, err := provenance.LockFile("go.sum", text)
	if err != nil || unpinned != 0 || len(got) != bytes.Count(text, []byte("\n")) {
		t.Errorf("%d materials of %d lines, %d not pinned, %v", len(got), bytes.Count(text, []byte("\n")), unpinned, err)
	}
}

func TestBrokenLockFiles(t *testing.T) {
	for _, c := range []struct {
		name, text string
		kind       error
		says       string
	}{
		{"yarn.toml", "", assay.ErrUnchecked, "yarn.toml"},
		{"go.sum", "example.com/m v1.0.0\n", assay.ErrInvalid, "line 1"},
		{"go.sum", "example.com/m v1.0.0 h1:AAAA\n", assay.ErrInvalid, "h1:AAAA"},
		{"go.sum", strings.Repeat("a", 2<<20), assay.ErrInvalid, "lines"},
		{"package-lock.json", `{"lockfileVersion":9}`, assay.ErrInvalid, "/lockfileVersion"},
		{"package-lock.json", `{"lockfileVersion":3,"packages":{"node_modules/a":{"version":"1","integrity":"md4-AAAA"}}}`, assay.ErrInvalid, "md4"},
		{"package-lock.json", `{"lockfileVersion":3,"lockfileVersion":2}`, assay.ErrInvalid, "lockfileVersion"},
		{"requirements.txt", "a==1 --hash=sha256:zz\n", assay.ErrInvalid, "line 1"},
		{"go.sum", "example.com/m v1.0.0 h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFV=\n", assay.ErrInvalid, "h1: sum"},
		{"Cargo.lock", "[[package]]\nname=\"a\"\nversion=\"1\"\nsource=\"git+https://me:pw@h/g#main\"\n", assay.ErrInvalid, "git+https://h/g#main"},
		{"Cargo.lock", "[[package]]\nname=\"a\"\nversion=\"1\"\nsource=\"other\"\nchecksum=\"" + sum1 + "\"\n", assay.ErrInvalid, "registry"},
		{"verification-metadata.xml", `<c><component group="a" name="b" version="1"><artifact name="b-1.jar"><sha256 value="` + sum1 + `"><also-trust value="z"/></sha256></artifact></component></c>`, assay.ErrInvalid, "also-trust"},
		{"Cargo.lock", "[[package]\n", assay.ErrInvalid, "TOML"},
		{"Cargo.lock", "version = 3\n[[package]]\nname=\"a\"\nversion=\"1\"\nsource=\"registry+https://github.com/rust-lang/crates.io-index\"\nchecksum=\"12\"\n", assay.ErrInvalid, "checksum"},
		{"lockfile.json", `{"dependencies":[{"groupId":"a","artifactId":"b","checksum":"zz","checksumAlgorithm":"SHA-256"}]}`, assay.ErrInvalid, "/dependencies/0/checksum"},
		{"verification-metadata.xml", "<a><b></a>", assay.ErrInvalid, "XML"},
		{"verification-metadata.xml", "<!DOCTYPE a [<!ENTITY b 'c'>]><a/>", assay.ErrInvalid, "document type"},
		{"verification-metadata.xml", strings.Repeat("<a>", 100), assay.ErrInvalid, "deep"},
	} {
		if got, _, err := provenance.LockFile(c.name, []byte(c.text)); got != nil || !errors.Is(err, c.kind) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want %v with %q", c.name, err, c.kind, c.says)
		}
	}
}

func FuzzLockFile(f *testing.F) {
	names := []string{"go.sum", "package-lock.json", "requirements.txt", "Cargo.lock", "lockfile.json", "verification-metadata.xml"}
	f.Add(0, []byte("example.com/m v1.0.0 h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"))
	f.Add(1, []byte(`{"lockfileVersion":3,"packages":{"node_modules/a":{"version":"1.0.0","integrity":"`+sri+`"}}}`))
	f.Add(2, []byte("a==1 \\\n --hash=sha256:"+sum1+" --hash=sha256:"+sum2+"\n"))
	f.Add(3, []byte("[[package]]\nname=\"a\"\nversion=\"1\"\nsource=\"registry+https://github.com/rust-lang/crates.io-index\"\nchecksum=\""+sum1+"\"\n"))
	f.Add(4, []byte(`{"dependencies":[{"groupId":"a","artifactId":"b","version":"1","checksum":"`+sum1+`","checksumAlgorithm":"SHA-256"}]}`))
	f.Add(5, []byte(`<c><component group="a" name="b" version="1"><artifact name="b-1.jar"><sha256 value="`+sum1+`"/></artifact></component></c>`))
	f.Fuzz(func(t *testing.T, which int, data []byte) {
		name := names[(which%len(names)+len(names))%len(names)]
		got, unpinned, err := provenance.LockFile(name, data)
		if err != nil && (got != nil || unpinned != 0) {
			t.Fatal("a result and an error")
		}
		again, _, _ := provenance.LockFile(name, data)
		if fmt.Sprint(got) != fmt.Sprint(again) {
			t.Fatal("two answers to one question")
		}
		for _, m := range got {
			if err := m.Validate(); err != nil || len(m.Digest) == 0 {
				t.Fatalf("%v: %v", m, err)
			}
		}
	})
}
