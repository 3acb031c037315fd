package provenance_test

import (
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/provenance"
)

// contradicted are the files whose certificate is another's, made so to be refused.
var contradicted = []string{"bcr/MODULE-wrong-signer.bazel.intoto.jsonl"}

// Certificates that Fulcio issued over years agree with the provenance that was signed
// with them. (Nothing is verified here: package verify does.)
func TestCorpusClaims(t *testing.T) {
	root := os.Getenv("ASSAY_CORPORA")
	if root == "" {
		t.Skip("ASSAY_CORPORA is not set")
	}
	root = filepath.Join(root, "slsa-verifier")
	agreed, levels, total := map[string]int{}, map[int]int{}, 0
	same := map[assay.State]int{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || slices.Contains([]string{".tsv", ".pem"}, filepath.Ext(path)) {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, _ := filepath.Rel(root, path)
		for dec := json.NewDecoder(strings.NewReader(string(data))); ; {
			var v any
			if dec.Decode(&v) != nil {
				return nil
			}
			for _, s := range certifiedIn(v) {
				d, err := provenance.ReadStatement(name, s.payload)
				if err != nil {
					continue // the other corpus test says why
				}
				signer, err := signerOf(s.certificate)
				if err != nil {
					t.Errorf("%s: %v", name, err)
					continue
				}
				total++
				a := provenance.Agree(signer.Claims, d.Provenance)
				for _, f := range a.Agreed() {
					agreed[f.Claim]++
				}
				same[a.SameRun()]++
				if c := a.Contradictions(); (len(c) > 0) != slices.Contains(contradicted, name) {
					t.Errorf("%s: contradictions: %v", name, c)
				}
				l := provenance.Level(signer, d.Provenance, provenance.WellKnownBuilders())
				levels[l.N]++
				if generated := strings.Contains(signer.Subject, "slsa-framework/slsa-github-generator/") && strings.Contains(signer.Subject, "@refs/tags/v"); l.N == 3 && !generated {
					t.Errorf("%s: %s has level 3: %v", name, signer.Subject, l.Reasons)
				}
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d signed with certificates; same run: %v; levels: %v", total, same, levels)
	t.Logf("claims that agreed: %v", agreed)
	if total < 100 || levels[3] == 0 || levels[1] == 0 || same[assay.Proven] == 0 || agreed["runInvocationURI"] == 0 || agreed["buildConfigURI"] == 0 {
		t.Error("the corpus was not looked at")
	}
}

type certifiedPayload struct{ payload, certificate []byte }

// certifiedIn finds envelopes with the certificate in their signature, or beside them in
// a bundle.
func certifiedIn(v any) []certifiedPayload {
	var out []certifiedPayload
	switch v := v.(type) {
	case map[string]any:
		if s, ok := v["payload"].(string); ok {
			payload, err := base64.StdEncoding.DecodeString(s)
			sigs, _ := v["signatures"].([]any)
			for _, sig := range sigs {
				m, _ := sig.(map[string]any)
				text, _ := m["cert"].(string)
				if block, _ := pem.Decode([]byte(text)); block != nil && err == nil {
					out = append(out, certifiedPayload{payload, block.Bytes})
				}
			}
		}
		if m, ok := v["verificationMaterial"].(map[string]any); ok {
			if der := firstBytes(m); der != nil {
				for _, p := range payloads(v["dsseEnvelope"]) {
					out = append(out, certifiedPayload{p, der})
				}
			}
		}
		for _, x := range v {
			out = append(out, certifiedIn(x)...)
		}
	case []any:
		for _, x := range v {
			out = append(out, certifiedIn(x)...)
		}
	}
	return out
}

// firstBytes gives the leaf of a bundle's material.
func firstBytes(m map[string]any) []byte {
	leaf, _ := m["certificate"].(map[string]any)
	if chain, ok := m["x509CertificateChain"].(map[string]any); ok {
		if list, _ := chain["certificates"].([]any); len(list) > 0 {
			leaf, _ = list[0].(map[string]any)
		}
	}
	s, _ := leaf["rawBytes"].(string)
	der, err := base64.StdEncoding.DecodeString(s)
	if err != nil || s == "" {
		return nil
	}
	return der
}

// signerOf reads Fulcio's extensions: 2 to 6 are text, 9 to 24 DER.
func signerOf(der []byte) (assay.Identity, error) {
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return assay.Identity{}, err
	}
	id := assay.Identity{SubjectKind: assay.SubjectURI}
	for _, u := range cert.URIs {
		id.Subject = u.String()
	}
	claims := reflect.ValueOf(&id.Claims).Elem()
	for _, x := range cert.Extensions {
		if len(x.Id) != 9 || !x.Id[:8].Equal(asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 57264, 1}) {
			continue
		}
		arc, value := x.Id[8], string(x.Value)
		if arc >= 8 {
			if _, err := asn1.Unmarshal(x.Value, &value); err != nil {
				return id, err
			}
		}
		switch {
		case arc == 1, arc == 8:
			id.Issuer = value
		case arc >= 2 && arc <= 6:
			claims.Field(arc - 2).SetString(value)
		case arc >= 9 && arc <= 24:
			claims.Field(arc - 9 + 5).SetString(value)
		}
	}
	return id, nil
}
