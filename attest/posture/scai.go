package posture

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"time"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/strictjson"
)

// Assessed is the attribute that stands for the assessment itself: the rules of the
// producer were run on the image. It carries the report as its evidence, and is no
// fact about the image.
const Assessed assay.Attribute = "POSTURE_ASSESSED"

// MediaTypeReport is the media type of the report: the JSON form of [assay.Posture].
const MediaTypeReport = "application/vnd.assaykit.posture.v1+json"

// MaxAttributes bounds the attributes that [Read] takes.
const MaxAttributes = 1024

// wire is the predicate (in-toto attestation v1.2, spec/predicates/scai.md, v0.3).
type wire struct {
	Attributes []assertion     `json:"attributes"`
	Producer   *assay.Resource `json:"producer,omitempty"`
}

type assertion struct {
	Attribute  assay.Attribute `json:"attribute"`
	Target     *assay.Resource `json:"target,omitempty"`
	Conditions json.RawMessage `json:"conditions,omitempty"`
	Evidence   *assay.Resource `json:"evidence,omitempty"`
}

// conditions say under which the attribute arises. They are repeated in each
// assertion, because consumers look at one at a time.
type conditions struct {
	// Scope is "image": what a runtime adds or forbids is not looked at.
	Scope     string         `json:"scope,omitempty"`
	Stage     assay.Stage    `json:"stage,omitzero"`
	Standards []string       `json:"standards,omitempty"`
	Platform  assay.Platform `json:"platform,omitzero"`
	Config    assay.Digest   `json:"config,omitzero"`
	Assessed  time.Time      `json:"assessed,omitzero"`
}

// Encode writes a posture as a SCAI v0.3 predicate.
//
// in-toto wants predicates to be monotonic: leaving something out must never make
// a policy more content. So the attributes are the proven facts, each a positive
// statement, and what is refuted or unknown is not an attribute: a missing one is not
// shown. To tell people why, all facts are in a report, which is the evidence
// (content and SHA-256) of the attribute [Assessed]. That one is always there, so an
// image of which nothing is proven has a valid predicate too, that claims nothing
// else.
//
// Each attribute has conditions: "scope" ("image"), "stage", "standards", "platform",
// "config" (the digest of the image configuration) and "assessed". The facts must be
// sorted, each attribute once, as [Assess] gives them; otherwise the error is of kind
// [assay.ErrInvalid]. The same posture gives the same bytes.
func Encode(p *assay.Posture) ([]byte, error) {
	if err := check("posture", p); err != nil {
		return nil, err
	}
	report, err := strictjson.Marshal(p)
	if err != nil {
		return nil, &assay.Error{Op: "encode posture", Kind: assay.ErrInvalid, Err: err}
	}
	sum := assay.SumSHA256(report)
	add := func(w *wire, a assertion, c conditions) error {
		c.Scope, c.Platform, c.Config, c.Assessed = "image", p.Platform, p.Config, p.Assessed
		var err error
		a.Conditions, err = strictjson.Marshal(c)
		w.Attributes = append(w.Attributes, a)
		return err
	}
	w := &wire{Producer: producer(p.Producer)}
	err = add(w, assertion{Attribute: Assessed, Evidence: &assay.Resource{
		Name: "report", Digest: assay.DigestSet{sum}, Content: report, MediaType: MediaTypeReport,
	}}, conditions{})
	for _, f := range p.Facts {
		if err == nil && f.State == assay.Proven {
			err = add(w, assertion{Attribute: f.Attribute}, conditions{Stage: f.Stage, Standards: f.Standards})
		}
	}
	if err != nil {
		return nil, &assay.Error{Op: "encode posture", Kind: assay.ErrInvalid, Err: err}
	}
	return strictjson.Marshal(w)
}

// producer gives the tool as a resource descriptor, which needs a URI.
func producer(t assay.Tool) *assay.Resource {
	if t == (assay.Tool{}) {
		return nil
	}
	r := &assay.Resource{Name: t.Name, URI: "https://" + defaultProducer, Annotations: map[string]json.RawMessage{}}
	if t.Name != defaultProducer {
		p, err := assay.NewPURL(assay.PURLParts{Type: "generic", Name: t.Name, Version: t.Version})
		if err != nil {
			p = assay.MustPURL("pkg:generic/unknown")
		}
		r.URI = p.String()
	}
	for name, value := range map[string]string{"version": t.Version, "vendor": t.Vendor} {
		if text, err := json.Marshal(value); err == nil && value != "" {
			r.Annotations[name] = text
		}
	}
	return r
}

// Read reads a SCAI v0.3 predicate, of this package or of another producer. The name,
// of the file or blob, is for errors.
//
// If there is a report, the posture is the report, which must say the same as the
// attributes: a fact is proven in it exactly if its attribute is claimed. Without one
// the facts are the attributes, proven as far as the producer is to be believed. An
// attribute with a target is about that, and not about the image: it becomes an
// unknown fact. Members that are not known are ignored, as the specification asks.
//
// Errors are of kind [assay.ErrInvalid] (not strict JSON, no attributes, a report
// that its digest or the attributes contradict) or [assay.ErrBound].
func Read(name string, data []byte) (*assay.Posture, error) {
	var w wire
	if err := strictjson.Unmarshal(name, data, &w, strictjson.Limits{}); err != nil {
		return nil, err
	}
	invalid := func(field, value, bound string) error {
		return &assay.Error{Op: "read posture", Kind: assay.ErrInvalid, Subject: name, Field: field, Value: value, Bound: bound, Rule: "SCAI v0.3"}
	}
	if len(w.Attributes) == 0 {
		return nil, invalid("/attributes", "", "at least one attribute")
	}
	if len(w.Attributes) > MaxAttributes {
		return nil, &assay.Error{Op: "read posture", Kind: assay.ErrBound, Subject: name, Field: "/attributes",
			Value: strconv.Itoa(len(w.Attributes)), Bound: "at most " + strconv.Itoa(MaxAttributes)}
	}
	claimed := &assay.Posture{}
	var report *assay.Posture
	for i, a := range w.Attributes {
		at := "/attributes/" + strconv.Itoa(i)
		if a.Attribute == "" {
			return nil, invalid(at+"/attribute", "", "a name")
		}
		if a.Target != nil && a.Target.Validate() != nil {
			return nil, invalid(at+"/target", a.Target.Name, "a uri, digest or content")
		}
		if a.Evidence != nil && a.Evidence.Validate() != nil {
			return nil, invalid(at+"/evidence", a.Evidence.Name, "a uri, digest or content")
		}
		// Conditions are the producer's; those of another are no error.
		var c conditions
		if len(a.Conditions) > 0 && strictjson.Unmarshal(name, a.Conditions, &c, strictjson.Limits{}) != nil {
			c = conditions{}
		}
		if a.Attribute == Assessed && a.Target == nil {
			if a.Evidence == nil || a.Evidence.MediaType != MediaTypeReport {
				continue
			}
			if report != nil {
				return nil, invalid(at, string(Assessed), "one report")
			}
			var err error
			if report, err = readReport(name, at+"/evidence", a.Evidence); err != nil {
				return nil, err
			}
			continue
		}
		addClaim(claimed, a, c)
	}
	slices.SortFunc(claimed.Facts, func(a, b assay.Fact) int { return compare(a.Attribute, b.Attribute) })
	if report == nil {
		claimed.Producer = readProducer(w.Producer)
		return claimed, nil
	}
	for _, f := range report.Facts {
		c, _ := claimed.Fact(f.Attribute)
		if (c.State == assay.Proven) != (f.State == assay.Proven) {
			return nil, invalid("/attributes", string(f.Attribute), "an attribute exactly if the report proves it")
		}
	}
	for _, f := range claimed.Facts {
		if _, ok := report.Fact(f.Attribute); !ok {
			return nil, invalid("/attributes", string(f.Attribute), "an attribute of the report")
		}
	}
	return report, nil
}

// addClaim makes a fact of an attribute. Of several claims of one attribute, one
// about the image as a whole counts.
func addClaim(p *assay.Posture, a assertion, c conditions) {
	f := assay.Fact{Attribute: a.Attribute, State: assay.Proven, Stage: c.Stage, Standards: c.Standards}
	if a.Target != nil {
		f = assay.Fact{Attribute: a.Attribute, Reason: "claimed of a part, not of the image"}
	}
	if f.State == assay.Proven && p.Config.IsZero() && p.Platform.IsZero() {
		p.Config, p.Platform, p.Assessed = c.Config, c.Platform, c.Assessed
	}
	i := slices.IndexFunc(p.Facts, func(g assay.Fact) bool { return g.Attribute == f.Attribute })
	switch {
	case i < 0:
		p.Facts = append(p.Facts, f)
	case f.State == assay.Proven:
		p.Facts[i] = f
	}
}

func readReport(name, at string, r *assay.Resource) (*assay.Posture, error) {
	sum := assay.SumSHA256(r.Content)
	if len(r.Content) == 0 || !r.Digest.Has(sum) {
		return nil, &assay.Error{Op: "read posture", Kind: assay.ErrInvalid, Subject: name, Field: at + "/digest", Value: r.Digest.Get(assay.SHA256).String(), Bound: "that of the content, " + sum.String()}
	}
	report := &assay.Posture{}
	if err := strictjson.Unmarshal(name+": report", r.Content, report, strictjson.Limits{}); err != nil {
		return nil, err
	}
	if err := check(name, report); err != nil {
		return nil, err
	}
	return report, nil
}

// check holds what Encode writes and Read gives to what [assay.Posture] promises.
func check(name string, p *assay.Posture) error {
	if p == nil {
		return &assay.Error{Op: "check posture", Kind: assay.ErrInvalid, Subject: name, Bound: "a posture"}
	}
	for i, f := range p.Facts {
		bad := &assay.Error{Op: "check posture", Kind: assay.ErrInvalid, Subject: name, Field: "/facts/" + strconv.Itoa(i), Value: string(f.Attribute)}
		switch {
		case f.Attribute == "" || f.Attribute == Assessed:
			bad.Bound = "an attribute"
		case i > 0 && f.Attribute <= p.Facts[i-1].Attribute:
			bad.Bound = "attributes in order, each once"
		case f.FoundTotal < len(f.Found):
			bad.Field, bad.Bound = bad.Field+"/foundTotal", "no less than what is listed"
		case f.State == assay.Proven && f.FoundTotal > 0:
			bad.Field, bad.Bound = bad.Field+"/found", "nothing that refutes a proven attribute"
		default:
			continue
		}
		return bad
	}
	return nil
}

func readProducer(r *assay.Resource) assay.Tool {
	if r == nil {
		return assay.Tool{}
	}
	text := func(name string) string {
		var s string
		if v := r.Annotations[name]; bytes.HasPrefix(v, []byte(`"`)) && json.Unmarshal(v, &s) != nil {
			return ""
		}
		return s
	}
	t := assay.Tool{Name: r.Name, Version: text("version"), Vendor: text("vendor")}
	if t.Name == "" {
		t.Name = r.URI
	}
	return t
}
