package npm

import (
	"archive/zip"
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/assaykit/assay"
)

func archive(t testing.TB, files ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for i := 0; i < len(files); i += 2 {
		f, err := w.Create(files[i])
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write([]byte(files[i+1])); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestParseArchive(t *testing.T) {
	const manifest = `{"name":"@s/a","version":"1.0.0"}`
	good := archive(t, "node_modules/@s/a/", "", "node_modules/@s/a/index.js", "x", "node_modules/@s/a/package.json", manifest, "node_modules/@s/a/lib/package.json", "{", "package.json", "{")
	if m, err := ParseArchive("a.zip", good); err != nil || m.Name != "@s/a" || m.Version != "1.0.0" {
		t.Errorf("%+v, %v", m, err)
	}
	if m, err := ParseArchive("a.zip", archive(t, "x", "y")); m != nil || err != nil {
		t.Errorf("%+v, %v", m, err)
	}
	flipped := bytes.Replace(bytes.Clone(good), []byte("PK\x03\x04"), []byte("PK\x03\x05"), 1)
	for name, tt := range map[string]struct {
		data []byte
		kind error
	}{
		"no zip":         {[]byte("text"), assay.ErrInvalid},
		"cut":            {good[:len(good)-30], assay.ErrInvalid},
		"two packages":   {archive(t, "node_modules/a/package.json", "{}", "node_modules/b/package.json", "{}"), assay.ErrInvalid},
		"no JSON":        {archive(t, "node_modules/a/package.json", "{"), assay.ErrInvalid},
		"too large":      {archive(t, "node_modules/a/package.json", strings.Repeat(" ", maxArchived+1)), assay.ErrBound},
		"too many files": {bytes.Repeat([]byte("PK\x01\x02"), maxArchiveFiles+1), assay.ErrBound},
	} {
		if m, err := ParseArchive("dir/a.zip", tt.data); m != nil || !errors.Is(err, tt.kind) || !strings.Contains(err.Error(), "dir/a.zip") {
			t.Errorf("%s: %+v, %v", name, m, err)
		}
	}
	if _, err := ParseArchive("a.zip", flipped); err != nil && !errors.Is(err, assay.ErrInvalid) {
		t.Error(err)
	}
}
