package provenance

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/strictjson"
)

// BuildTypeTekton is the run of a Tekton task or pipeline, told from its object in the
// cluster. It is what [FromTekton] writes.
const BuildTypeTekton = "https://github.com/assaykit/assay/provenance/tekton/v1"

const (
	tektonOp = "state provenance of a Tekton run"
	// maxTekton bounds the object: etcd holds none larger.
	maxTekton = 8 << 20
)

// TektonRun is what the object of a run tells.
type TektonRun struct {
	Provenance *assay.Provenance
	// Subjects are what the run brought forth, by its results: the artifacts that the
	// provenance is about. They are sorted.
	Subjects []assay.Subject
}

// tektonObject is a TaskRun or PipelineRun (tekton.dev/v1, and v1beta1).
type tektonObject struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Metadata   struct {
		Name      string `json:"name"`
		Namespace string `json:"namespace"`
		UID       string `json:"uid"`
	} `json:"metadata"`
	Spec struct {
		Params      []tektonValue   `json:"params"`
		TaskRef     json.RawMessage `json:"taskRef"`
		PipelineRef json.RawMessage `json:"pipelineRef"`
	} `json:"spec"`
	Status struct {
		StartTime       time.Time     `json:"startTime"`
		CompletionTime  time.Time     `json:"completionTime"`
		Results         []tektonValue `json:"results"`
		TaskResults     []tektonValue `json:"taskResults"`     // v1beta1
		PipelineResults []tektonValue `json:"pipelineResults"` // v1beta1
		Conditions      []struct {
			Type   string `json:"type"`
			Status string `json:"status"`
		} `json:"conditions"`
		Provenance struct {
			RefSource struct {
				URI        string            `json:"uri"`
				Digest     map[string]string `json:"digest"`
				EntryPoint string            `json:"entryPoint"`
			} `json:"refSource"`
		} `json:"provenance"`
		Steps []struct {
			ImageID string `json:"imageID"`
		} `json:"steps"`
	} `json:"status"`
}

// tektonValue is a parameter or a result: a string, an array or an object.
type tektonValue struct {
	Name  string          `json:"name"`
	Value json.RawMessage `json:"value"`
}

// FromTekton states the provenance of a Tekton run, of type [BuildTypeTekton], from the
// JSON of its TaskRun or PipelineRun as the cluster has it: a step cannot see it, and
// cannot be trusted to tell it. The name is for errors. BuilderID in opts is REQUIRED;
// Repository and Ref are not looked at.
//
// What went in and came out is read by the names that Tekton Chains documents as type
// hints, of parameters and results:
//
//   - CHAINS-GIT_URL and CHAINS-GIT_COMMIT: the source, which becomes Source.
//   - *ARTIFACT_INPUTS: an object of uri and digest, a material.
//   - *IMAGE_URL with *IMAGE_DIGEST, *ARTIFACT_URI with *ARTIFACT_DIGEST, and
//     *ARTIFACT_OUTPUTS, an object of uri and digest: subjects.
//   - IMAGES: subjects, NAME@DIGEST, separated by commas or lines.
//
// Images of steps and the source of the definition are materials too. Values of
// parameters may be secrets, so of parameters the names alone are told, and of addresses
// in hints no user, password or query. Hints that
// break their form are [assay.ErrInvalid]; a run that is not done, or failed, is
// [assay.ErrAbsent], as nothing was brought forth.
func FromTekton(name string, object []byte, opts BuildOptions) (*TektonRun, error) {
	bad := func(kind error, field, value, bound string) error {
		return &assay.Error{Op: tektonOp, Kind: kind, Subject: name, Field: field, Value: value, Bound: bound}
	}
	var o tektonObject
	if err := strictjson.Unmarshal(name, object, &o, strictjson.Limits{MaxBytes: maxTekton}); err != nil {
		return nil, err
	}
	if !slices.Contains([]string{"tekton.dev/v1", "tekton.dev/v1beta1"}, o.APIVersion) {
		return nil, bad(assay.ErrInvalid, "/apiVersion", o.APIVersion, "tekton.dev/v1 or tekton.dev/v1beta1")
	}
	if o.Kind != "TaskRun" && o.Kind != "PipelineRun" {
		return nil, bad(assay.ErrInvalid, "/kind", o.Kind, "TaskRun or PipelineRun")
	}
	succeeded := ""
	for _, c := range o.Status.Conditions {
		if c.Type == "Succeeded" {
			succeeded = c.Status
		}
	}
	if succeeded != "True" {
		return nil, bad(assay.ErrAbsent, "/status/conditions", succeeded, "a run that succeeded")
	}
	p := &assay.Provenance{
		BuildType:          BuildTypeTekton,
		ExternalParameters: map[string]json.RawMessage{"kind": encoded(o.Kind)},
		InternalParameters: map[string]json.RawMessage{},
		Builder:            assay.Builder{ID: opts.BuilderID},
		InvocationID:       cmp.Or(opts.InvocationID, o.Metadata.UID),
		StartedOn:          o.Status.StartTime.UTC(),
		FinishedOn:         o.Status.CompletionTime.UTC(),
	}
	var params []string
	for _, v := range o.Spec.Params {
		params = append(params, v.Name)
	}
	if slices.Sort(params); len(params) > 0 {
		p.ExternalParameters["parameters"] = encoded(slices.Compact(params))
	}
	run := map[string]string{}
	for k, v := range map[string]string{"name": o.Metadata.Name, "namespace": o.Metadata.Namespace} {
		if v != "" {
			run[k] = v
		}
	}
	if len(run) > 0 {
		p.InternalParameters["run"] = encoded(run)
	}
	results := slices.Concat(o.Status.Results, o.Status.TaskResults, o.Status.PipelineResults)
	h := hints{name: name}
	h.read(o.Spec.Params, false)
	h.read(results, true)
	if h.err != nil {
		return nil, h.err
	}
	if err := h.source(p); err != nil {
		return nil, err
	}
	p.Materials = append(p.Materials, h.materials...)
	if src := o.Status.Provenance.RefSource; src.URI != "" {
		set, err := digestSet(src.Digest)
		if err != nil {
			return nil, bad(assay.ErrInvalid, "/status/provenance/refSource/digest", "", "digests of known algorithms")
		}
		uri := withoutSecrets(src.URI)
		p.Materials = append(p.Materials, assay.Resource{URI: uri, Digest: set})
		p.ExternalParameters["definition"] = encoded(map[string]string{"uri": uri, "entryPoint": src.EntryPoint})
	}
	for _, s := range o.Status.Steps {
		if at, digest, ok := strings.Cut(strings.TrimPrefix(s.ImageID, "docker-pullable://"), "@"); ok {
			d, err := assay.ParseDigest(digest)
			if err != nil {
				return nil, bad(assay.ErrInvalid, "/status/steps/imageID", s.ImageID, "an image by digest")
			}
			p.Materials = append(p.Materials, assay.Resource{URI: "oci://" + at, Digest: assay.DigestSet{d}})
		}
	}
	if len(p.InternalParameters) == 0 {
		p.InternalParameters = nil
	}
	p, err := WithMaterials(p)
	if err != nil {
		return nil, err
	}
	if err := check(tektonOp, name, p); err != nil {
		return nil, err
	}
	slices.SortFunc(h.subjects, func(a, b assay.Subject) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), slices.CompareFunc(a.Digest, b.Digest, assay.Digest.Compare))
	})
	subjects := slices.CompactFunc(h.subjects, func(a, b assay.Subject) bool { return a.Name == b.Name && slices.Equal(a.Digest, b.Digest) })
	return &TektonRun{Provenance: p, Subjects: subjects}, nil
}

// hints collects what names of parameters and results say, until one breaks its form.
type hints struct {
	name          string
	url, commit   string
	materials     []assay.Resource
	subjects      []assay.Subject
	uris, digests map[string]string // of pairs, by what stands before the suffix
	err           error
}

func (h *hints) fail(field, value, bound string) {
	if h.err == nil {
		h.err = &assay.Error{Op: tektonOp, Kind: assay.ErrInvalid, Subject: h.name, Field: field, Value: value, Bound: bound}
	}
}

func (h *hints) read(values []tektonValue, results bool) {
	h.uris, h.digests = map[string]string{}, map[string]string{}
	for _, v := range values {
		text, isText := h.text(v)
		switch {
		case v.Name == "CHAINS-GIT_URL" && isText:
			h.same(&h.url, v.Name, text)
		case v.Name == "CHAINS-GIT_COMMIT" && isText:
			h.same(&h.commit, v.Name, text)
		case strings.HasSuffix(v.Name, "ARTIFACT_INPUTS"):
			if at, d, ok := h.object(v); ok {
				h.materials = append(h.materials, assay.Resource{URI: at, Digest: assay.DigestSet{d}})
			}
		case !results:
		case strings.HasSuffix(v.Name, "ARTIFACT_OUTPUTS"):
			if at, d, ok := h.object(v); ok {
				h.subjects = append(h.subjects, assay.Subject{Name: at, Digest: assay.DigestSet{d}})
			}
		case v.Name == "IMAGES" && isText:
			for _, image := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == '\n' || r == ' ' || r == '\r' }) {
				at, digest := image, ""
				if i := strings.LastIndexByte(image, '@'); i >= 0 {
					at, digest = image[:i], image[i+1:]
				}
				h.subject(v.Name, at, digest)
			}
		case isText:
			for _, pair := range [][2]string{{"IMAGE_URL", "IMAGE_DIGEST"}, {"ARTIFACT_URI", "ARTIFACT_DIGEST"}} {
				if key, ok := strings.CutSuffix(v.Name, pair[0]); ok {
					h.uris[key+pair[1]] = strings.TrimSpace(text)
				}
				if strings.HasSuffix(v.Name, pair[1]) {
					h.digests[v.Name] = strings.TrimSpace(text)
				}
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(h.digests)) {
		digest := h.digests[name]
		if at, ok := h.uris[name]; ok { // one without the other says nothing
			h.subject(name, at, digest)
		}
	}
}

// text gives a value that is a string.
func (h *hints) text(v tektonValue) (string, bool) {
	var s string
	if len(v.Value) == 0 || v.Value[0] != '"' {
		return "", false
	}
	if err := strictjson.Unmarshal(h.name, v.Value, &s, strictjson.Limits{}); err != nil {
		h.fail(v.Name, "", "a string")
		return "", false
	}
	return s, true
}

// same takes a value that may be stated twice, and then must not differ.
func (h *hints) same(into *string, field, text string) {
	text = strings.TrimSpace(text)
	if *into != "" && *into != text {
		h.fail(field, text, "what is stated elsewhere, "+*into)
		return
	}
	*into = text
}

// object reads an object of uri and digest.
func (h *hints) object(v tektonValue) (string, assay.Digest, bool) {
	var o struct {
		URI    string `json:"uri"`
		Digest string `json:"digest"`
	}
	if err := strictjson.Unmarshal(h.name, v.Value, &o, strictjson.Limits{}); err != nil || o.URI == "" {
		h.fail(v.Name, "", "an object of uri and digest")
		return "", assay.Digest{}, false
	}
	d, err := assay.ParseDigest(o.Digest)
	if err != nil {
		h.fail(v.Name+".digest", o.Digest, "algorithm:hex")
		return "", assay.Digest{}, false
	}
	return withoutSecrets(o.URI), d, true
}

func (h *hints) subject(field, at, digest string) {
	at = withoutSecrets(at)
	d, err := assay.ParseDigest(digest)
	if err != nil || at == "" {
		h.fail(field, at+"@"+digest, "a name and a digest")
		return
	}
	h.subjects = append(h.subjects, assay.Subject{Name: at, Digest: assay.DigestSet{d}})
}

// source makes Source and its material of the git hints.
func (h *hints) source(p *assay.Provenance) error {
	if h.url == "" || h.commit == "" {
		return nil
	}
	repository, err := publicURI(strings.TrimPrefix(h.url, "git+"))
	if err != nil {
		return &assay.Error{Op: tektonOp, Kind: assay.ErrInvalid, Subject: h.name, Field: "CHAINS-GIT_URL", Bound: "an absolute URI"}
	}
	if err := goSource(p, map[string]string{"system": "git", "revision": h.commit}, BuildOptions{Repository: repository}); err != nil {
		return err
	}
	p.ExternalParameters["repository"] = encoded(repository)
	return nil
}

func digestSet(m map[string]string) (assay.DigestSet, error) {
	var out assay.DigestSet
	for _, alg := range slices.Sorted(maps.Keys(m)) {
		hex := m[alg]
		d, err := assay.NewDigest(assay.Algorithm(alg), hex)
		if err != nil {
			return nil, err
		}
		out = append(out, d)
	}
	slices.SortFunc(out, assay.Digest.Compare)
	return out, nil
}
