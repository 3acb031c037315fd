package envelope_test

import (
	"bytes"
	"crypto/elliptic"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	sgbundle "github.com/sigstore/sigstore-go/pkg/bundle"
	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/verify"
	"github.com/sigstore/sigstore/pkg/signature"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/testsigstore"
	"github.com/assaykit/assay/verify/internal/envelope"
)

// oracle is sigstore's own verifier, with the thresholds that are the defaults here.
type oracle struct {
	certificates, keys *verify.Verifier
}

func newOracle(t testing.TB, trustedRoot []byte, pub any) *oracle {
	t.Helper()
	tr, err := root.NewTrustedRootFromJSON(trustedRoot)
	if err != nil {
		t.Fatal(err)
	}
	opts := []verify.VerifierOption{verify.WithObserverTimestamps(1)}
	if len(tr.RekorLogs()) > 0 {
		opts = append(opts, verify.WithTransparencyLog(1))
	}
	if len(tr.CTLogs()) > 0 {
		opts = append(opts, verify.WithSignedCertificateTimestamps(1))
	}
	o := &oracle{}
	if o.certificates, err = verify.NewVerifier(tr, opts...); err != nil {
		t.Fatal(err)
	}
	if pub != nil {
		material := root.TrustedMaterialCollection{tr, root.NewTrustedPublicKeyMaterial(func(string) (root.TimeConstrainedVerifier, error) {
			v, err := signature.LoadDefaultVerifier(pub)
			if err != nil {
				return nil, err
			}
			return root.NewExpiringKey(v, time.Time{}, time.Time{}), nil
		})}
		if o.keys, err = verify.NewVerifier(material, verify.WithTransparencyLog(1), verify.WithNoObserverTimestamps()); err != nil {
			t.Fatal(err)
		}
	}
	return o
}

func (o *oracle) open(raw []byte) error {
	b := new(sgbundle.Bundle)
	if err := b.UnmarshalJSON(raw); err != nil {
		return err
	}
	artifact := verify.WithoutArtifactUnsafe()
	if m := b.GetMessageSignature(); m != nil {
		artifact = verify.WithArtifactDigest("sha256", m.GetMessageDigest().GetDigest())
	}
	v, with := o.certificates, verify.WithoutIdentitiesUnsafe()
	if b.GetVerificationMaterial().GetPublicKey() != nil {
		if o.keys == nil {
			return fmt.Errorf("no key is trusted")
		}
		v, with = o.keys, verify.WithKey()
	}
	_, err := v.Verify(b, verify.NewPolicy(artifact, with))
	return err
}

func corpora(t testing.TB) string {
	t.Helper()
	dir := os.Getenv("ASSAY_CORPORA")
	if dir == "" {
		t.Skip("ASSAY_CORPORA is not set: it names the folder of public corpora")
	}
	return dir
}

func read(t testing.TB, path ...string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(path...))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Every bundle of sigstore's conformance suite and of slsa-verifier's tests gets the
// verdict that sigstore's verifier gives it.
func TestSameVerdictsOnCorpora(t *testing.T) {
	dir := corpora(t)
	public := read(t, dir, "sigstore-public-good.trusted_root.json")
	proven := 0
	same := func(name string, trusted, raw []byte) {
		t.Helper()
		if _, err := root.NewTrustedRootFromJSON(trusted); err != nil {
			if _, err := envelope.New(envelope.Trust{TrustedRoot: trusted}); err == nil {
				t.Errorf("%s: sigstore refuses the trusted root", name)
			}
			return
		}
		_, got := opener(t, envelope.Trust{TrustedRoot: trusted}).Open(assay.NewEnvelope(assay.MediaTypeSigstoreBundle, raw))
		want := newOracle(t, trusted, nil).open(raw)
		if (got == nil) != (want == nil) {
			t.Errorf("%s: got %v, sigstore says %v", name, got, want)
		}
		if got == nil {
			proven++
		}
	}
	cases, err := filepath.Glob(filepath.Join(dir, "sigstore-conformance", "bundle-verify", "*", "bundle.sigstore.json"))
	if err != nil || len(cases) != 70 {
		t.Fatalf("%d cases, %v", len(cases), err)
	}
	for _, c := range cases {
		trusted := public
		if b, err := os.ReadFile(filepath.Join(filepath.Dir(c), "trusted_root.json")); err == nil {
			trusted = b
		}
		same(filepath.Base(filepath.Dir(c)), trusted, read(t, c))
	}
	slsa := slsaBundles(t, dir)
	if len(slsa) < 80 {
		t.Fatalf("%d bundles of slsa-verifier", len(slsa))
	}
	for _, name := range sortedKeys(slsa) {
		same(name, public, slsa[name])
	}
	if proven < 100 {
		t.Errorf("only %d bundles were proven", proven)
	}
}

func sortedKeys(m map[string][]byte) []string {
	var out []string
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// slsaBundles are the sigstore bundles among slsa-verifier's test data, each once.
func slsaBundles(t testing.TB, dir string) map[string][]byte {
	t.Helper()
	out, seen := map[string][]byte{}, map[assay.Digest]bool{}
	err := filepath.WalkDir(filepath.Join(dir, "slsa-verifier"), func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		for i, line := range bytes.Split(read(t, path), []byte("\n")) {
			var head struct {
				MediaType string `json:"mediaType"`
			}
			if json.Unmarshal(line, &head) != nil || !strings.HasPrefix(head.MediaType, "application/vnd.dev.sigstore.bundle") || seen[assay.SumSHA256(line)] {
				continue
			}
			seen[assay.SumSHA256(line)] = true
			out[fmt.Sprintf("%s:%d", path, i+1)] = line
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// mutants of valid bundles: one for each kind.
func validBundles(t testing.TB) (*envelope.Opener, *oracle, map[string][]byte) {
	t.Helper()
	v := testsigstore.NewVirtual(t)
	k := newKey(t, elliptic.P256())
	id := testsigstore.Workflow{}.Identity("https://token.actions.example")
	return opener(t, envelope.Trust{TrustedRoot: v.TrustedRootJSON(), Keys: []envelope.Key{{Public: k.Public()}}}),
		newOracle(t, v.TrustedRootJSON(), k.Public()),
		map[string][]byte{
			"rekor v2": v.SignDSSE(t, id, assay.MediaTypeInToto, payload),
			"rekor v1": v.SignDSSEWith(t, id, assay.MediaTypeInToto, payload, testsigstore.SignOptions{Rekor: testsigstore.RekorV1}),
			"set only": edit(t, v.SignDSSEWith(t, id, assay.MediaTypeInToto, payload, testsigstore.SignOptions{Rekor: testsigstore.RekorV1, NoTimestamp: true}), func(m map[string]any) {
				vm := m["verificationMaterial"].(map[string]any)
				delete(vm["tlogEntries"].([]any)[0].(map[string]any), "inclusionProof")
				vm["x509CertificateChain"] = map[string]any{"certificates": []any{vm["certificate"]}}
				delete(vm, "certificate")
				m["mediaType"] = "application/vnd.dev.sigstore.bundle+json;version=0.1"
			}),
			"key": signed(t, k).Raw(),
		}
}

// Every single byte of a valid bundle is changed in turn: what comes of it is refused,
// or proves what the bundle itself does, and no more. It may be less by a witness that
// is not needed: whoever changes its bytes could as well have left it out.
func TestEveryByteChanged(t *testing.T) {
	o, _, bundles := validBundles(t)
	for name, raw := range bundles {
		t.Run(name, func(t *testing.T) {
			want, err := o.Open(bundle(raw))
			if err != nil {
				t.Fatal(err)
			}
			refused := 0
			for i := range raw {
				for _, flip := range []byte{0x20, byte(1 + i%255)} {
					mutant := bytes.Clone(raw)
					mutant[i] ^= flip
					got, err := o.Open(bundle(mutant))
					if err != nil {
						refused++
						continue
					}
					less := *want
					less.Times = slices.DeleteFunc(slices.Clone(want.Times), func(t envelope.Time) bool { return !slices.Contains(got.Times, t) })
					if !reflect.DeepEqual(got, &less) {
						t.Fatalf("byte %d, …%s…, changed to %q: proved %+v, want %+v", i, raw[max(0, i-60):min(len(raw), i+20)], mutant[i], got, want)
					}
				}
			}
			if refused < len(raw)*3/2 {
				t.Errorf("only %d of %d mutants were refused", refused, 2*len(raw))
			}
		})
	}
}

// The same changes get sigstore's verdict, but for those that are listed in
// [deliberate].
func TestSameVerdictsOnMutants(t *testing.T) {
	o, sigstore, bundles := validBundles(t)
	for name, raw := range bundles {
		if name == "key" {
			continue // without a log entry sigstore's verifier has nothing to say about keys
		}
		t.Run(name, func(t *testing.T) {
			if err := sigstore.open(raw); err != nil {
				t.Fatal(err)
			}
			agreed := 0
			for i := 0; i < len(raw); i += 3 {
				mutant := bytes.Clone(raw)
				mutant[i] ^= byte(1 + i%127)
				_, got := o.Open(bundle(mutant))
				want := sigstore.open(mutant)
				if (got == nil) == (want == nil) {
					agreed++
				} else if !deliberate(raw, mutant, got) {
					t.Errorf("byte %d, …%s… changed to %q: got %v, sigstore says %v", i, raw[max(0, i-60):min(len(raw), i+20)], mutant[i], got, want)
				}
			}
			if agreed < len(raw)/3*9/10 {
				t.Errorf("only %d of %d verdicts agree", agreed, len(raw)/3)
			}
		})
	}
}

// deliberate tells where the verdict on a changed bundle is meant to differ: always
// because more is refused.
func deliberate(raw, mutant []byte, got error) bool {
	if got == nil {
		return false
	}
	fields := func(raw []byte) (m map[string]any, entry, proof map[string]any) {
		if json.Unmarshal(raw, &m) != nil {
			return nil, nil, nil
		}
		entries, _ := m["verificationMaterial"].(map[string]any)["tlogEntries"].([]any)
		if len(entries) == 0 {
			return m, nil, nil
		}
		entry, _ = entries[0].(map[string]any)
		proof, _ = entry["inclusionProof"].(map[string]any)
		return m, entry, proof
	}
	_, was, wasProof := fields(raw)
	m, is, isProof := fields(mutant)
	switch {
	case m == nil:
		// encoding/json, and so this test, reads less than protobuf's JSON does: what is
		// not strict JSON is refused before anything looks at it.
		return true
	case is == nil || isProof == nil && wasProof != nil:
		return false
	case stampOf(raw) != stampOf(mutant):
		// It does not look at the type of what a timestamp's signature is over, and reads
		// BER. Here a timestamp is what RFC 3161 says, in DER.
		return true
	case was["canonicalizedBody"] != is["canonicalizedBody"]:
		// sigstore's verifier makes up the body that Rekor v2 must have logged, and does
		// not look at the one that is there. Here what is there must be in the log.
		return true
	case isProof != nil && fmt.Sprint(wasProof["treeSize"]) != fmt.Sprint(isProof["treeSize"]):
		// It takes the size of Rekor v1's tree from the proof, which nobody signed. Here
		// it must be the checkpoint's.
		return true
	}
	return false
}

func stampOf(raw []byte) string {
	_, after, _ := strings.Cut(string(raw), `"signedTimestamp":"`)
	stamp, _, _ := strings.Cut(after, `"`)
	return stamp
}

// What differs from sigstore's verifier on purpose, each with the reason.
func TestDeliberateDifferences(t *testing.T) {
	v, foreign := testsigstore.NewVirtual(t), testsigstore.NewVirtual(t)
	k := newKey(t, elliptic.P256())
	o := opener(t, envelope.Trust{TrustedRoot: v.TrustedRootJSON(), Keys: []envelope.Key{{Public: k.Public()}}})
	sigstore := newOracle(t, v.TrustedRootJSON(), k.Public())
	id := testsigstore.Email("dev@example.com", "https://accounts.example")
	good := v.SignDSSE(t, id, assay.MediaTypeInToto, payload)
	entries := func(raw []byte) []any {
		var m map[string]any
		if err := json.Unmarshal(raw, &m); err != nil {
			t.Fatal(err)
		}
		return m["verificationMaterial"].(map[string]any)["tlogEntries"].([]any)
	}
	with := func(raw []byte, entry any) []byte {
		return edit(t, raw, func(m map[string]any) {
			vm := m["verificationMaterial"].(map[string]any)
			list, _ := vm["tlogEntries"].([]any)
			vm["tlogEntries"] = append(list, entry)
		})
	}
	later := entries(foreign.SignDSSE(t, id, assay.MediaTypeInToto, payload))[0]
	body := base64.StdEncoding.EncodeToString([]byte(`{"apiVersion":"9.9.9","kind":"later","spec":{}}`))
	later.(map[string]any)["canonicalizedBody"] = body
	for name, tt := range map[string]struct {
		raw  []byte
		want bool
		why  string
	}{
		"an entry of an unknown log, of a kind that is not known yet": {with(good, later), true,
			"what is not counted need not be understood, or the first bundle in a new log would be refused everywhere"},
		"a key's signature with an entry of an unknown log": {with(signed(t, k).Raw(), entries(foreign.SignDSSE(t, id, assay.MediaTypeInToto, payload))[0]), true,
			"a key's signature stands by itself; a policy that wants a log says so with the key"},
		"a key's signature without any log": {signed(t, k).Raw(), true,
			"the same"},
		"two members with one name": {append([]byte(`{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json",`), good[1:]...), false,
			"two readers could take it for two things"},
	} {
		_, got := o.Open(bundle(tt.raw))
		if (got == nil) != tt.want {
			t.Errorf("%s: got %v, and it is meant that way because %s", name, got, tt.why)
		}
		if err := sigstore.open(tt.raw); name != "two members with one name" && (err == nil) == tt.want {
			t.Errorf("%s: this is no difference", name)
		}
	}
}

// A log that nobody trusts adds nothing, and one that a key needs must be there.
func TestKeyThresholds(t *testing.T) {
	v := testsigstore.NewVirtual(t)
	k := newKey(t, elliptic.P256())
	for name, key := range map[string]envelope.Key{
		"a log":        {Public: k.Public(), Logs: 1},
		"an authority": {Public: k.Public(), Authorities: 1},
	} {
		o := opener(t, envelope.Trust{TrustedRoot: v.TrustedRootJSON(), Keys: []envelope.Key{key}})
		if p, err := o.Open(signed(t, k)); err == nil {
			t.Errorf("%s: got %+v", name, p)
		}
		if _, err := envelope.New(envelope.Trust{Keys: []envelope.Key{key}}); err == nil {
			t.Errorf("%s, without a trusted root: accepted", name)
		}
	}
}
