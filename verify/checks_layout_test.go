package verify_test

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/attest"
	"github.com/assaykit/assay/verify"
)

// functionary signs in-toto metadata.
type functionary struct{ key ed25519.PrivateKey }

func newFunctionary(t testing.TB) functionary {
	t.Helper()
	_, k, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return functionary{k}
}

func (f functionary) public() ed25519.PublicKey { return f.key.Public().(ed25519.PublicKey) }

func (f functionary) id() string { return hex.EncodeToString(f.public()) }

func (f functionary) sign(t testing.TB, payload string) []byte {
	t.Helper()
	sig := ed25519.Sign(f.key, attest.PAE(assay.MediaTypeInToto, []byte(payload)))
	doc, err := json.Marshal(map[string]any{"payloadType": assay.MediaTypeInToto, "payload": base64.StdEncoding.EncodeToString([]byte(payload)),
		"signatures": []any{map[string]string{"keyid": f.id(), "sig": base64.StdEncoding.EncodeToString(sig)}}})
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// A layout is one more thing that an image must satisfy, by links that its own
// functionaries signed.
func TestLayout(t *testing.T) {
	f := newFixture(t)
	owner, builder := newFunctionary(t), newFunctionary(t)
	document := `{"_type":"layout","expires":"2030-01-01T00:00:00Z","readme":"","inspect":[],` +
		`"keys":{"` + builder.id() + `":{"keyid":"` + builder.id() + `","keyid_hash_algorithms":["sha256"],"keytype":"ed25519","scheme":"ed25519","keyval":{"public":"` + builder.id() + `"}}},` +
		`"steps":[{"_type":"step","name":"build","pubkeys":["` + builder.id() + `"],"threshold":1,"expected_command":[],` +
		`"expected_materials":[["DISALLOW","*"]],"expected_products":[["ALLOW","image"],["DISALLOW","*"]]}]}`
	policy := f.policy()
	policy.Layouts = []verify.LayoutRule{{Name: "pipeline", Layout: owner.sign(t, document), Owners: []string{publicPEM(t, owner.public())}}}
	link := func(digest assay.Digest, by functionary) assay.Envelope {
		return assay.NewEnvelope(assay.MediaTypeDSSE, by.sign(t, `{"_type":"link","name":"build","materials":{},"products":{"image":{"sha256":"`+digest.Hex()+`"}},"byproducts":{},"command":[],"environment":{}}`))
	}
	ask := func(policy verify.Policy, sources ...attest.Source) *verify.Report {
		t.Helper()
		sources = append(sources, attest.FromEnvelopes(f.genuine(t)...), attest.FromImage(f.image))
		return f.ask(t, policy, nil, sources...)
	}

	honest := link(f.digest, builder)
	r := ask(policy, attest.FromEnvelopes(honest))
	c := check(t, r, "layout/pipeline", assay.Proven, verify.Holds)
	if len(c.Evidence) != 1 || c.Evidence[0] != honest.Digest() || !c.Required || r.Err() != nil {
		t.Errorf("evidence %v, required %v, %v", c.Evidence, c.Required, r.Err())
	}
	if a := attestation(t, r, honest); a.State != assay.Proven || a.Rule != "layout/pipeline" {
		t.Errorf("the link is %s by %q", a.State, a.Rule)
	}

	for name, c := range map[string]struct {
		report *verify.Report
		state  assay.State
		reason verify.Reason
	}{
		"no link":       {ask(policy), assay.Refuted, verify.Absent},
		"no store":      {ask(policy, failing{}), assay.Unknown, verify.StoreUnreadable},
		"a stranger":    {ask(policy, attest.FromEnvelopes(link(f.digest, owner))), assay.Refuted, verify.Absent},
		"another image": {ask(policy, attest.FromEnvelopes(link(assay.SumSHA256(nil), builder))), assay.Refuted, verify.ShownFalse},
	} {
		t.Run(name, func(t *testing.T) {
			check(t, c.report, "layout/pipeline", c.state, c.reason)
			if c.report.Verdict.Policy != c.state {
				t.Errorf("policy %s", c.report.Verdict.Policy)
			}
		})
	}

	// By itself it is a policy, and nothing else has to be there.
	alone := verify.Policy{Layouts: policy.Layouts}
	if r := ask(alone, attest.FromEnvelopes(honest)); r.Err() != nil {
		t.Error(r.Err())
	}
	text, err := json.Marshal(struct {
		Schema  string              `json:"schema"`
		Layouts []verify.LayoutRule `json:"layouts"`
	}{verify.PolicySchema, policy.Layouts})
	if err != nil {
		t.Fatal(err)
	}
	if p, err := verify.ParsePolicy("policy.json", text); err != nil || len(p.Layouts) != 1 {
		t.Error(err)
	}

	for name, change := range map[string]func(*verify.LayoutRule){
		"name":     func(l *verify.LayoutRule) { l.Name = "" },
		"owners/0": func(l *verify.LayoutRule) { l.Owners = []string{"none"} },
		"owners":   func(l *verify.LayoutRule) { l.Owners = nil },
		"layout":   func(l *verify.LayoutRule) { l.Layout = builder.sign(t, document) },
	} {
		p := f.policy()
		p.Layouts = []verify.LayoutRule{policy.Layouts[0]}
		change(&p.Layouts[0])
		if _, err := verify.New(f.trust(), p); !errors.Is(err, assay.ErrInvalid) || !strings.Contains(err.Error(), "/layouts/0/"+name) && name != "owners" {
			t.Errorf("%s: %v", name, err)
		}
	}
	p := f.policy()
	p.Layouts = append(policy.Layouts, policy.Layouts...)
	if _, err := verify.New(f.trust(), p); !errors.Is(err, assay.ErrInvalid) {
		t.Errorf("twice the same name: %v", err)
	}
}

// failing is a store that cannot be read.
type failing struct{}

// Discover implements [attest.Source].
func (failing) Discover(_ context.Context, d assay.Digest) (*attest.Found, error) {
	return &attest.Found{Bundle: assay.NewBundle(d), Faults: []attest.Fault{{Store: "store", Kind: attest.Unreadable, Err: errors.New("down")}}}, nil
}

// The demonstration of in-toto's own library, found in its folder: a layout in each
// format, and the links that its functionaries signed.
func TestLayoutOfAFolder(t *testing.T) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/in-toto/in-toto-golang").Output()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(strings.TrimSpace(string(out)), "test", "data")
	read := func(name string) []byte {
		t.Helper()
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	product := assay.MustDigest("sha256:52947cb78b91ad01fe81cd6aef42d1f6817e92b9e6936c1e5aabb7c98514f355")
	policy := verify.Policy{Layouts: []verify.LayoutRule{
		{Name: "old", Layout: read("demo.layout"), Owners: []string{string(read("alice.pub"))}, SkipInspections: true},
		{Name: "new", Layout: read("demo.dsse.layout"), Owners: []string{string(read("alice.pub"))}, SkipInspections: true},
	}}
	if _, err := verify.New(verify.Trust{}, verify.Policy{}); !errors.Is(err, assay.ErrInvalid) {
		t.Errorf("neither trust nor layouts: %v", err)
	}
	v, err := verify.New(verify.Trust{}, policy, verify.At(at))
	if err != nil {
		t.Fatal(err)
	}
	r, err := v.Verify(context.Background(), product, attest.FromFolder(dir))
	if err != nil {
		t.Fatal(err)
	}
	replays(t, r)
	for _, id := range []string{"layout/old", "layout/new"} {
		if c := check(t, r, id, assay.Proven, verify.Holds); len(c.Evidence) != 2 {
			t.Errorf("%s rests on %v", id, c.Evidence)
		}
	}
	for _, a := range r.Attestations {
		if a.State == assay.Proven && a.Rule == "" {
			t.Errorf("%s is proven by no trust", a.Envelope)
		}
	}
}
