package posture

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/sbom"
)

// DefaultMaxFound is how many findings a fact lists by default.
const DefaultMaxFound = 20

// Options of [Assess]. The zero value is fine.
type Options struct {
	// Assessed is written down as the time of the assessment. By default none is:
	// the same image gives the same bytes, and a signature has its own time.
	Assessed time.Time
	// MaxFound is how many findings each fact lists; all are counted. Default
	// [DefaultMaxFound]; negative lists all.
	MaxFound int
	// Producer says who assessed. Default this package, with [RulesVersion].
	Producer assay.Tool
}

func (o Options) maxFound() int { return cmp.Or(o.MaxFound, DefaultMaxFound) }

// Assess answers every rule from the contents of an image or folder, as
// sbom.Scan gives them. It reads nothing else and answers the same every time.
//
// The only error is one of kind [assay.ErrInvalid], for contents that are no result
// of a scan.
func Assess(contents *sbom.Contents, opts Options) (*assay.Posture, error) {
	if contents == nil || contents.SBOM == nil {
		return nil, &assay.Error{Op: "assess posture", Kind: assay.ErrInvalid, Subject: "contents", Bound: "the result of a scan"}
	}
	im := newImage(contents)
	rules := table()
	findings := make([]finding, len(rules))
	for i := range findings {
		findings[i].max = opts.maxFound()
	}
	e := &entry{}
	for f := range contents.Files() {
		e.File, e.base, e.names = f, path.Base(f.Path), e.names[:0]
		if isLoader(e.base) && !f.Mode.IsDir() {
			im.loaders = append(im.loaders, f.Path)
		}
		for i := range rules {
			if rules[i].file != nil && rules[i].file(im, e) {
				findings[i].add(f.Location())
			}
		}
	}
	p := &assay.Posture{Platform: contents.Platform.Normalize(), Config: contents.ConfigDigest, Producer: opts.Producer}
	if !opts.Assessed.IsZero() {
		p.Assessed = opts.Assessed.UTC().Truncate(time.Second)
	}
	if p.Producer == (assay.Tool{}) {
		p.Producer = assay.Tool{Name: defaultProducer, Version: RulesVersion, Vendor: "assaykit"}
	}
	for i := range rules {
		p.Facts = append(p.Facts, rules[i].fact(im, &findings[i]))
	}
	slices.SortFunc(p.Facts, func(a, b assay.Fact) int { return compare(a.Attribute, b.Attribute) })
	return p, nil
}

const defaultProducer = "github.com/assaykit/assay/attest/posture"

func compare(a, b assay.Attribute) int { return strings.Compare(string(a), string(b)) }

// fact settles the answer of one rule, after all files were seen.
func (r *rule) fact(im *image, found *finding) assay.Fact {
	f := assay.Fact{Attribute: r.Attribute, Stage: r.Stage, Standards: r.Standards}
	var a answer
	switch {
	case im.foreign != "":
		a = answer{assay.Unknown, "the rules are for Linux, the image is for " + im.foreign}
		found = &finding{}
	case r.file == nil:
		a = r.judge(im, found)
	case found.total > 0:
		a = answer{assay.Refuted, fmt.Sprintf("%s: %d", r.found, found.total)}
	default:
		a = answer{assay.Proven, r.clean}
	}
	if a.state == assay.Proven && im.ambiguous != "" && r.needsFiles() {
		a = answer{assay.Unknown, "container runtimes differ in what they unpack: " + im.ambiguous}
	}
	if a.state == assay.Proven && im.table != "" && !r.configOnly() {
		a = answer{assay.Unknown, im.table + " was read by its table of contents, so that nothing is proven of its files"}
	}
	f.State, f.Reason = a.state, a.reason
	if f.State != assay.Proven {
		f.Found, f.FoundTotal = found.sorted(), found.total
	}
	return f
}

// needsFiles tells rules that depend on the merged file system from those about the
// configuration or single layers.
func (r *rule) needsFiles() bool { return !r.configOnly() && r.Attribute != NoDeletedFiles }

// configOnly tells rules that look at nothing but the configuration.
func (r *rule) configOnly() bool { return r.Attribute == NumericUser || r.Attribute == NoEnvSecrets }

// finding is what refutes an attribute, cut at max.
type finding struct {
	list  []assay.Location
	total int
	max   int
}

func (f *finding) add(l assay.Location) {
	f.total++
	l.Path = strings.ToValidUTF8(l.Path, "\uFFFD") // evidence is JSON
	if f.max < 0 || len(f.list) < f.max {
		f.list = append(f.list, l)
	}
}

// addAll adds locations in order of their path, each once.
func (f *finding) addAll(list []assay.Location) {
	slices.SortFunc(list, assay.Location.Compare)
	for _, l := range slices.Compact(list) {
		f.add(l)
	}
}

func (f *finding) sorted() []assay.Location {
	slices.SortFunc(f.list, assay.Location.Compare)
	return f.list
}

// quote keeps a file name of unknown origin from breaking a line.
func quote(s string) string {
	if strconv.Quote(s) == `"`+s+`"` {
		return s
	}
	return strconv.Quote(s)
}
