package python

import (
	"encoding/hex"
	"net/url"
	"path"
	"strings"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/strictjson"
)

// ParseRecord gives the files that RECORD lists, relative to the folder that holds
// the dist-info folder, as written (packaging.python.org, Recording installed
// projects). Its digests are not read: the files are in the same image, which is
// verified as a whole.
func ParseRecord(data []byte) []string {
	var out []string
	for line := range strings.Lines(string(data)) {
		line = strings.TrimRight(line, "\r\n")
		var name string
		if rest, ok := strings.CutPrefix(line, `"`); ok {
			// A quoted field: a doubled quote is one (RFC 4180).
			var b strings.Builder
			for {
				part, after, found := strings.Cut(rest, `"`)
				b.WriteString(part)
				if !found || !strings.HasPrefix(after, `"`) {
					break
				}
				b.WriteByte('"')
				rest = after[1:]
			}
			name = b.String()
		} else {
			name, _, _ = strings.Cut(line, ",")
		}
		if name != "" {
			out = append(out, strings.Clone(name)) // a part would keep the whole text
		}
	}
	return out
}

// Resolve gives the clean path of a file of a record, relative to the root of the
// image, for the folder that it is relative to. It is "" for what leads out.
func Resolve(folder, file string) string {
	if strings.HasPrefix(file, "/") {
		file = path.Clean(file)
	} else {
		file = path.Join("/", folder, file)
	}
	if strings.IndexByte(file, 0) >= 0 {
		return ""
	}
	return file[1:]
}

// DirectURL is where a package came from that was not found by its name in an index
// (packaging.python.org, Direct URL Data Structure; PEP 610).
type DirectURL struct {
	// URL has no password. For a version control system it begins with its name and
	// "+" and ends in "@" and the revision, as pip takes it.
	URL string
	// VCS tells that URL is of a version control system.
	VCS bool
	// Editable packages are links to a folder.
	Editable bool
	// Hashes are of the archive.
	Hashes assay.DigestSet
}

// Size is about how many bytes it takes in memory.
func (d *DirectURL) Size() int { return 256 + len(d.URL) }

// ParseDirectURL reads direct_url.json. The name is for errors.
func ParseDirectURL(name string, data []byte) (*DirectURL, error) {
	var raw struct {
		URL string `json:"url"`
		VCS *struct {
			VCS    string `json:"vcs"`
			Commit string `json:"commit_id"`
		} `json:"vcs_info"`
		Archive *struct {
			Hash   string            `json:"hash"`
			Hashes map[string]string `json:"hashes"`
		} `json:"archive_info"`
		Dir *struct {
			Editable bool `json:"editable"`
		} `json:"dir_info"`
	}
	if err := strictjson.Unmarshal(name, data, &raw, strictjson.Limits{MaxBytes: 1 << 20, MaxDepth: 16}); err != nil {
		return nil, err
	}
	u, err := url.Parse(raw.URL)
	if err != nil || u.Scheme == "" || len(raw.URL) > maxField {
		return nil, &assay.Error{Op: "read direct_url.json", Kind: assay.ErrInvalid, Subject: name, Field: "/url", Bound: "a URL", Rule: "PEP 610"}
	}
	if u.User != nil {
		if _, secret := u.User.Password(); secret || u.Scheme != "ssh" && u.User.Username() != "git" {
			u.User = nil // PEP 610 asks for this; not all writers do it
		}
	}
	d := &DirectURL{URL: u.String()}
	if raw.VCS != nil && raw.VCS.VCS != "" {
		d.VCS = true
		d.URL = raw.VCS.VCS + "+" + d.URL
		if raw.VCS.Commit != "" {
			d.URL += "@" + raw.VCS.Commit
		}
	}
	if raw.Dir != nil {
		d.Editable = raw.Dir.Editable
	}
	if raw.Archive != nil {
		sums := raw.Archive.Hashes
		if alg, value, ok := strings.Cut(raw.Archive.Hash, "="); ok && len(sums) == 0 {
			sums = map[string]string{alg: value}
		}
		for alg, value := range sums {
			if _, err := hex.DecodeString(value); err != nil {
				continue
			}
			if one, err := assay.NewDigest(assay.Algorithm(alg), strings.ToLower(value)); err == nil {
				d.Hashes = append(d.Hashes, one)
			}
		}
		// Of one map there is one digest for each algorithm.
		if d.Hashes, err = assay.NewDigestSet(d.Hashes...); err != nil {
			d.Hashes = nil
		}
	}
	return d, nil
}
