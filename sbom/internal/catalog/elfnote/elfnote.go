// Package elfnote reads the note that distributions put into executables to say
// which package they were built for (systemd.io/ELF_PACKAGE_METADATA,
// uapi-group.org, Package Metadata for Executable Files).
package elfnote

import (
	"bytes"

	"github.com/assaykit/assay/internal/strictjson"
	"github.com/assaykit/assay/sbom/internal/catalog/executable"
)

const (
	owner = "FDO"
	typ   = 0xcafe1a7e // FDO_PACKAGING_METADATA
)

// Package is what the note says. All of it is a claim of who built the file.
type Package struct {
	Type         string `json:"type"` // "deb", "rpm", "apk"
	OS           string `json:"os"`   // ID of os-release
	OSVersion    string `json:"osVersion"`
	Name         string `json:"name"` // usually that of the source package
	Version      string `json:"version"`
	Architecture string `json:"architecture"`
	OSCPE        string `json:"osCpe"`
	DebugInfoURL string `json:"debugInfoUrl"`
}

// maxNote bounds the text of one note.
const maxNote = 64 << 10

// Parse gives the package of the first such note, nil if there is none. The error
// is of kind [assay.ErrInvalid] or, for a note of more than 64 KiB,
// [assay.ErrBound].
func Parse(f *executable.File) (p *Package, err error) {
	f.Notes(func(n executable.Note) bool {
		if n.Owner != owner || n.Type != typ {
			return true
		}
		text := bytes.TrimRight(n.Desc, "\x00")
		var out Package
		if err = strictjson.Unmarshal(".note.package", text, &out, strictjson.Limits{MaxBytes: maxNote}); err == nil {
			p = &out
		}
		return false
	})
	return p, err
}
