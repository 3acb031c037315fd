package provenance_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/provenance"
)

// Whatever a builder of the corpus said is in what its provenance is converted to: every
// text, number and true of the older document, in whichever place; and what is reported as
// a loss was in the older document.
func TestCorpusConvertedWhole(t *testing.T) {
	root := os.Getenv("ASSAY_CORPORA")
	if root == "" {
		t.Skip("ASSAY_CORPORA is not set")
	}
	root = filepath.Join(root, "slsa-verifier")
	converted, losses := 0, 0
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || slices.Contains([]string{".tsv", ".pem"}, filepath.Ext(path)) {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, _ := filepath.Rel(root, path)
		for dec := json.NewDecoder(bytes.NewReader(data)); ; {
			var v any
			if err := dec.Decode(&v); err != nil {
				if err != io.EOF && notJSON[name] == "" {
					t.Errorf("%s: %v", name, err)
				}
				return nil
			}
			for _, payload := range payloads(v) {
				var st struct {
					PredicateType assay.PredicateType `json:"predicateType"`
					Predicate     json.RawMessage     `json:"predicate"`
				}
				if err := json.Unmarshal(payload, &st); err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				if st.PredicateType.Kind() != assay.KindProvenance {
					continue
				}
				converted++
				losses += convertedWhole(t, name, st.PredicateType, st.Predicate)
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d statements, %d losses", converted, losses)
	if converted < 260 || losses == 0 {
		t.Error("the corpus was not looked at")
	}
}

// convertedWhole converts one predicate, and gives the number of losses.
func convertedWhole(t *testing.T, name string, of assay.PredicateType, predicate []byte) int {
	t.Helper()
	p, err := provenance.Read(name, of, predicate)
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return 0
	}
	out, losses, err := provenance.ToV1(p, "https://example.com/converted/v1")
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return 0
	}
	text, err := provenance.Encode(out)
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return 0
	}
	said, kept := map[string]string{}, map[string]string{}
	before, after := decoded(t, predicate), decoded(t, text)
	scalars("", before, said)
	scalars("", after, kept)
	for s, at := range said {
		if _, ok := kept[s]; !ok {
			t.Errorf("%s: %s, %s, is gone", name, at, s)
		}
	}
	for _, l := range losses {
		if !has(before, l.Field) {
			t.Errorf("%s: there is no %s to be lost", name, l.Field)
		}
		if l.Reason == "" {
			t.Errorf("%s: %s has no reason", name, l.Field)
		}
	}
	return len(losses)
}

func decoded(t *testing.T, text []byte) any {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

// scalars gives where a value is; what is empty says nothing (SLSA P3).
func scalars(at string, v any, out map[string]string) {
	switch v := v.(type) {
	case map[string]any:
		for k, x := range v {
			scalars(at+"/"+k, x, out)
		}
	case []any:
		for i, x := range v {
			scalars(at+"/"+strconv.Itoa(i), x, out)
		}
	case nil:
	default:
		if s := fmt.Sprint(v); s != "" && s != "false" {
			out[s] = at
		}
	}
}

// has reports whether a JSON pointer leads somewhere.
func has(v any, pointer string) bool {
	for _, k := range strings.Split(pointer, "/")[1:] {
		m, ok := v.(map[string]any)
		if !ok {
			return false
		}
		if v, ok = m[strings.NewReplacer("~1", "/", "~0", "~").Replace(k)]; !ok {
			return false
		}
	}
	return true
}
