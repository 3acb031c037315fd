package osv

import (
	"github.com/go-json-experiment/json/jsontext"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/strictjson"
)

// wireRecord is what is read of a record (OSV schema 1.7). All else, such as details
// and references, has to be JSON and is left out.
type wireRecord struct {
	Schema    string         `json:"schema_version"`
	ID        string         `json:"id"`
	Modified  string         `json:"modified"`
	Published string         `json:"published"`
	Withdrawn string         `json:"withdrawn"`
	Aliases   []string       `json:"aliases"`
	Upstream  []string       `json:"upstream"`
	Related   []string       `json:"related"`
	Summary   string         `json:"summary"`
	Severity  []wireSeverity `json:"severity"`
	Affected  []wireAffected `json:"affected"`
	Specific  wireSpecific   `json:"database_specific"`
}

type wireSeverity struct {
	Type   string `json:"type"`
	Score  string `json:"score"`
	Source string `json:"source"`
}

type wireAffected struct {
	Package   *wirePackage   `json:"package"`
	Severity  []wireSeverity `json:"severity"`
	Ranges    []wireRange    `json:"ranges"`
	Versions  []string       `json:"versions"`
	Ecosystem wireSpecific   `json:"ecosystem_specific"`
	Specific  wireSpecific   `json:"database_specific"`
}

type wirePackage struct {
	Ecosystem string `json:"ecosystem"`
	Name      string `json:"name"`
	PURL      string `json:"purl"`
}

type wireRange struct {
	Type   string      `json:"type"`
	Repo   string      `json:"repo"`
	Events []wireEvent `json:"events"`
}

type wireEvent struct {
	Introduced   *string `json:"introduced"`
	Fixed        *string `json:"fixed"`
	LastAffected *string `json:"last_affected"`
	Limit        *string `json:"limit"`
}

type wireImport struct {
	Path    string   `json:"path"`
	Symbols []string `json:"symbols"`
	GOOS    []string `json:"goos"`
	GOARCH  []string `json:"goarch"`
}

// wireSpecific is what databases put where each may put what it likes: the members that
// are known, where they are of the type that is known.
type wireSpecific struct {
	Severity string
	Module   string
	Imports  jsontext.Value
}

// UnmarshalJSONFrom takes the known members and passes over the others, whatever they
// are.
func (s *wireSpecific) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	if d.PeekKind() != '{' {
		return d.SkipValue()
	}
	if _, err := d.ReadToken(); err != nil {
		return err
	}
	for d.PeekKind() != '}' {
		name, err := d.ReadToken()
		if err != nil {
			return err
		}
		switch member, kind := name.String(), d.PeekKind(); {
		case member == "severity" && kind == '"':
			v, err := d.ReadToken()
			if err != nil {
				return err
			}
			s.Severity = v.String()
		case member == "rpm_modularity" && kind == '"':
			v, err := d.ReadToken()
			if err != nil {
				return err
			}
			s.Module = v.String()
		case member == "imports" && kind == '[':
			v, err := d.ReadValue()
			if err != nil {
				return err
			}
			s.Imports = v.Clone()
		default:
			if err := d.SkipValue(); err != nil {
				return err
			}
		}
	}
	_, err := d.ReadToken()
	return err
}

// imports are those of the Go vulnerability database. What does not read as such is no
// import, and none are all.
func (s *wireSpecific) imports(name string) []assay.Import {
	if len(s.Imports) == 0 {
		return nil
	}
	var list []wireImport
	if strictjson.Unmarshal(name, s.Imports, &list, strictjson.Limits{}) != nil {
		return nil
	}
	out := make([]assay.Import, len(list))
	for i, w := range list {
		if w.Path == "" {
			return nil
		}
		out[i] = assay.Import(w)
	}
	return out
}
