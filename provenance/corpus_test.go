package provenance_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/provenance"
)

// refusedInCorpus are the files whose provenance is not read, with what the error
// must say. Every other statement must be read.
var refusedInCorpus = map[string]string{}

// notJSON are the files that are broken on purpose, with where.
var notJSON = map[string]string{
	"gcb_container/v0.2/gcloud-container-no-signature.json": "invalid character",
	"gcb_container/v0.3/gcloud-container-no-signature.json": "invalid character",
}

// Every DSSE envelope of slsa-verifier's test data, which real builders made.
func TestCorpusSLSAVerifier(t *testing.T) {
	root := os.Getenv("ASSAY_CORPORA")
	if root == "" {
		t.Skip("ASSAY_CORPORA is not set")
	}
	root = filepath.Join(root, "slsa-verifier")
	read, withSource := map[assay.PredicateType]int{}, map[assay.PredicateType]int{}
	var refused, unparsed []string
	kinds, deviating := map[string]int{}, map[provenance.Dialect]int{}
	converted := map[bool]int{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || slices.Contains([]string{".tsv", ".pem"}, filepath.Ext(path)) {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, _ := filepath.Rel(root, path)
		dec := json.NewDecoder(strings.NewReader(string(data)))
		for {
			var v any
			if err := dec.Decode(&v); err == io.EOF {
				return nil
			} else if err != nil {
				if reason := notJSON[name]; reason == "" || !strings.Contains(err.Error(), reason) {
					t.Errorf("%s: %v", name, err)
				}
				unparsed = append(unparsed, name)
				return nil
			}
			for _, payload := range payloads(v) {
				var st struct {
					PredicateType assay.PredicateType `json:"predicateType"`
					Predicate     json.RawMessage     `json:"predicate"`
				}
				if err := json.Unmarshal(payload, &st); err != nil {
					t.Errorf("%s: a payload that is no statement: %v", name, err)
					continue
				}
				kinds[string(st.PredicateType)]++
				switch {
				case st.PredicateType == provenance.PredicateNPMPublish:
					if p, err := provenance.ReadNPMPublish(name, st.Predicate); err != nil || p.Registry != "https://registry.npmjs.org" {
						t.Errorf("%s: %+v, %v", name, p, err)
					}
					continue
				case st.PredicateType.Kind() == assay.KindSummary:
					if s, err := provenance.ReadSummary(name, st.Predicate); err != nil || !s.Passed || !slices.Contains(s.Levels, "SLSA_BUILD_LEVEL_2") {
						t.Errorf("%s: %+v, %v", name, s, err)
					}
					continue
				case st.PredicateType.Kind() != assay.KindProvenance:
					t.Errorf("%s: nothing reads %s", name, st.PredicateType)
					continue
				}
				if d, err := provenance.ReadStatement(name, payload); err == nil {
					if len(d.Deviations) > 0 {
						deviating[d.Dialect]++
					}
				} else if _, known := refusedInCorpus[name]; !known {
					t.Errorf("statement: %v", err)
				}
				p, err := provenance.Read(name, st.PredicateType, st.Predicate)
				if err != nil {
					if _, ok := errors.AsType[*assay.Error](err); !ok {
						t.Errorf("%s: untyped %v", name, err)
					}
					if want, ok := refusedInCorpus[name]; !ok || !strings.Contains(err.Error(), want) {
						t.Errorf("refused: %v", err)
					}
					refused = append(refused, name)
					continue
				}
				read[st.PredicateType]++
				if !p.Source.Commit.IsZero() && p.Source.Repository != "" {
					withSource[st.PredicateType]++
				}
				if st.PredicateType != assay.PredicateSLSA1 {
					converted[convertible(t, name, p)]++
					continue
				}
				agree(t, p, st.Predicate)
				b, err := provenance.Encode(p)
				if err != nil {
					t.Errorf("%s: read, but not encoded: %v", name, err)
					continue
				}
				again, err := provenance.Read(name, st.PredicateType, b)
				if err != nil {
					t.Errorf("%s: %v", name, err)
				} else if d := diff(p, again); d != "" {
					t.Errorf("%s: round trip: %s", name, d)
				}
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, pt := range []assay.PredicateType{assay.PredicateSLSA1, assay.PredicateSLSA02, assay.PredicateSLSA01} {
		t.Logf("%s: %d statements read, %d with a source", pt, read[pt], withSource[pt])
		if read[pt] == 0 {
			t.Errorf("no statement of %s: the corpus was not looked at", pt)
		}
	}
	t.Logf("older ones converted to v1: %d; %d do not say what v1 requires", converted[true], converted[false])
	if converted[true] == 0 {
		t.Error("nothing was converted")
	}
	if n := withSource[assay.PredicateSLSA1]; n != read[assay.PredicateSLSA1] {
		t.Errorf("%d of %d v1 statements have no source", read[assay.PredicateSLSA1]-n, read[assay.PredicateSLSA1])
	}
	all := 0
	for _, k := range slices.Sorted(maps.Keys(kinds)) {
		t.Logf("%d statements of %s", kinds[k], k)
		all += kinds[k]
	}
	t.Logf("%d statements in all; %v with deviations, by dialect", all, deviating)
	if all < 250 || kinds[string(provenance.PredicateNPMPublish)] == 0 || kinds[string(assay.PredicateVSA)] == 0 || deviating[provenance.CloudBuild] == 0 {
		t.Error("not all kinds of statements were looked at")
	}
	for name := range notJSON {
		if !slices.Contains(unparsed, name) {
			t.Errorf("%s is listed as no JSON, and was read", name)
		}
	}
	t.Logf("refused: %q; files that are no JSON: %q", refused, unparsed)
	for name := range refusedInCorpus {
		if !slices.Contains(refused, name) {
			t.Errorf("%s is listed as refused, and was read", name)
		}
	}
}

// payloads finds what DSSE envelopes carry, however deep they are wrapped.
func payloads(v any) [][]byte {
	var out [][]byte
	switch v := v.(type) {
	case map[string]any:
		if s, ok := v["payload"].(string); ok && v["payloadType"] != nil {
			s = strings.NewReplacer("-", "+", "_", "/", "=", "").Replace(s)
			if b, err := base64.RawStdEncoding.DecodeString(s); err == nil {
				out = append(out, b)
			}
		}
		for _, x := range v {
			out = append(out, payloads(x)...)
		}
	case []any:
		for _, x := range v {
			out = append(out, payloads(x)...)
		}
	}
	return out
}

// convertible converts provenance of an older version and reads it back. What it says
// must be there; one that says too little for v1 (P2) cannot be converted.
func convertible(t *testing.T, name string, p *assay.Provenance) bool {
	t.Helper()
	out, losses, err := provenance.ToV1(p, "https://example.com/converted/v1")
	if err != nil {
		if !strings.Contains(err.Error(), "SLSA P2") || len(p.ExternalParameters) > 0 {
			t.Errorf("%s: not converted: %v", name, err)
		}
		return false
	}
	if len(losses) == 0 {
		t.Errorf("%s: no loss, and not even the build type is the same", name)
	}
	text, err := provenance.Encode(out)
	if err != nil {
		t.Errorf("%s: converted, but not encoded: %v", name, err)
		return false
	}
	read, err := provenance.Read(name, assay.PredicateSLSA1, text)
	if err != nil {
		t.Errorf("%s: converted, but not read: %v", name, err)
		return false
	}
	out.Source = assay.Source{}
	if d := diff(out, read); d != "" {
		t.Errorf("%s: round trip of what was converted: %s", name, d)
	}
	return true
}
