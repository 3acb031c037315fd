package osv

import (
	"cmp"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/strictjson"
)

// maxTracker bounds the JSON of a tracker. Debian's has some 80 MB.
const maxTracker = 1 << 30

// taker takes what a reader of several records finds.
type taker struct {
	add func(*Advisory) error
	// skip takes what could not be read: where, in the words of the format.
	skip func(where string, err error) error
}

// debianRecord is what the tracker says of one vulnerability in one source package.
type debianRecord struct {
	Description string                  `json:"description"`
	Releases    map[string]debianStatus `json:"releases"`
}

type debianStatus struct {
	Status       string `json:"status"`
	FixedVersion string `json:"fixed_version"`
	Urgency      string `json:"urgency"`
}

// readDebian reads the tracker's JSON: source packages, of each the vulnerabilities, of
// each the releases. Packages are read one after the other, and each gives its own part
// of a record: all parts of "DEBIAN-CVE-2026-0001" stand.
//
// Open is affected in all versions, resolved until the fixed version; a fixed version
// "0" is not affected, and is no record; undetermined is a range without events.
func readDebian(name string, r io.Reader, to taker) error {
	dec := jsontext.NewDecoder(&bounded{r: r, left: maxTracker})
	bad := func(field string, err error) error {
		var e *assay.Error
		if errors.As(err, &e) {
			return err
		}
		return &assay.Error{Op: readOp, Kind: kindOfRead(err), Subject: name, Field: field, Err: err}
	}
	if t, err := dec.ReadToken(); err != nil {
		return bad("/", err)
	} else if t.Kind() != '{' {
		return &assay.Error{Op: readOp, Kind: assay.ErrInvalid, Subject: name, Field: "/", Value: t.Kind().String(), Bound: "an object of source packages", Rule: "Debian tracker"}
	}
	for dec.PeekKind() == '"' {
		t, err := dec.ReadToken()
		if err != nil {
			return bad(string(dec.StackPointer()), err)
		}
		source := t.String()
		value, err := dec.ReadValue()
		if err != nil {
			return bad("/"+source, err)
		}
		if err := debianPackage(name, source, value, to); err != nil {
			return err
		}
	}
	if _, err := dec.ReadToken(); err != nil {
		return bad(string(dec.StackPointer()), err)
	}
	if _, err := dec.ReadToken(); err != io.EOF {
		return bad("/", cmpErr(err, "data after the object"))
	}
	return nil
}

// cmpErr is err, or one of those words if there is none.
func cmpErr(err error, words string) error {
	if err != nil {
		return err
	}
	return errors.New(words)
}

func debianPackage(name, source string, value jsontext.Value, to taker) error {
	var list map[string]jsontext.Value
	if source == "" || strings.ContainsRune(source, 0) {
		return to.skip("/"+source, recordReader{name}.bad("/", source, "the name of a source package", "Debian tracker"))
	}
	if err := strictjson.Unmarshal(name, value, &list, strictjson.Limits{MaxBytes: maxTracker}); err != nil {
		return to.skip("/"+source, err)
	}
	for _, id := range slices.Sorted(maps.Keys(list)) {
		a, err := debianAdvisory(name, source, id, list[id])
		if err != nil {
			err = to.skip("/"+source+"/"+id, err)
		} else if a != nil {
			err = to.add(a)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// debianAdvisory gives nil for what no release is affected by.
func debianAdvisory(name, source, id string, value jsontext.Value) (*Advisory, error) {
	field := "/" + source + "/" + id
	var w debianRecord
	if err := strictjson.Unmarshal(name, value, &w, strictjson.Limits{}); err != nil {
		return nil, err
	}
	upstream, err := assay.ParseVulnID(id)
	if err != nil {
		return nil, &assay.Error{Op: readOp, Kind: assay.ErrInvalid, Subject: name, Field: field, Rule: "Debian tracker", Err: err}
	}
	a := &Advisory{ID: trackerID("DEBIAN-", upstream), Summary: w.Description}
	if strings.HasPrefix(string(upstream), "CVE-") {
		a.Upstream = []assay.VulnID{upstream}
	}
	for _, codename := range slices.Sorted(maps.Keys(w.Releases)) {
		rel := w.Releases[codename]
		// Those without a number, such as experimental, keep their name.
		row := Affected{Ecosystem: "Debian:" + cmp.Or(debianRelease(codename), codename), Name: source}
		out := Range{Type: RangeEcosystem, Events: []Event{{Introduced, "0"}}}
		switch {
		case codename == "" || len(codename) > maxEcosystem/2 || strings.ContainsRune(codename, 0):
			return nil, recordReader{name}.bad(field+"/releases", codename, "the name of a release", "Debian tracker")
		case rel.Status == "resolved" && rel.FixedVersion == "0":
			continue
		case rel.Status == "resolved" && rel.FixedVersion != "":
			out.Events = append(out.Events, Event{Fixed, rel.FixedVersion})
		case rel.Status == "open":
		case rel.Status == "undetermined":
			out.Events = nil
		default:
			return nil, recordReader{name}.bad(field+"/releases/"+codename+"/status", rel.Status, "open, undetermined, or resolved with a fixed version", "Debian tracker")
		}
		row.Ranges = []Range{out}
		if rating := ratingOf(rel.Urgency); rating != "" {
			row.Severities = []assay.Severity{{Source: "debian", Rating: rating}}
		}
		a.Affected = append(a.Affected, row)
	}
	if a.Affected == nil {
		return nil, nil
	}
	return a, nil
}

// trackerID is the id of a distribution's record of a vulnerability, as osv.dev has it.
func trackerID(prefix string, id assay.VulnID) assay.VulnID {
	if strings.HasPrefix(string(id), prefix) {
		return id
	}
	return assay.VulnID(prefix) + id
}

// bounded refuses to read more than it may, which to cut off silently would hide.
type bounded struct {
	r    io.Reader
	left int64
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, &assay.Error{Op: readOp, Kind: assay.ErrBound, Bound: "a smaller file"}
	}
	n, err := b.r.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}
