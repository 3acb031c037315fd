package layout_test

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/in-toto/in-toto-golang/in_toto"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/attest"
	"github.com/assaykit/assay/verify/layout"
)

var at = time.Date(2026, 5, 6, 12, 0, 0, 0, time.UTC)

// demo is a file of the demonstration that comes with in-toto's Go library: layouts
// and links that other implementations signed.
func demo(t testing.TB, name string) []byte {
	t.Helper()
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/in-toto/in-toto-golang").Output()
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(out)), "test", "data", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func alice(t testing.TB) []crypto.PublicKey {
	t.Helper()
	block, _ := pem.Decode(demo(t, "alice.pub"))
	pub, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return []crypto.PublicKey{pub}
}

func envelopes(raw ...[]byte) []assay.Envelope {
	var out []assay.Envelope
	for _, b := range raw {
		out = append(out, assay.NewEnvelope("", b))
	}
	return out
}

func sha(t testing.TB, hex string) assay.Digest {
	t.Helper()
	d, err := assay.NewDigest(assay.SHA256, hex)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// The demonstration verifies, in both formats, and each part of it is needed.
func TestDemonstration(t *testing.T) {
	product := sha(t, "52947cb78b91ad01fe81cd6aef42d1f6817e92b9e6936c1e5aabb7c98514f355")
	write, pack := demo(t, "write-code.b7d643de.link"), demo(t, "package.d3ffd108.link")
	for _, file := range []string{"demo.layout", "demo.dsse.layout"} {
		t.Run(file, func(t *testing.T) {
			l, err := layout.Open(file, demo(t, file), alice(t), layout.Options{SkipInspections: true})
			if err != nil {
				t.Fatal(err)
			}
			ask := func(d assay.Digest, at time.Time, raw ...[]byte) layout.Result {
				return l.Verify(d, at, slices.Values(envelopes(raw...)))
			}
			r := ask(product, at, pack, []byte(`{"other":"file"}`), write)
			if r.State != assay.Proven || len(r.Used) != 2 || !strings.Contains(r.Detail, "1 inspection not run") {
				t.Errorf("%+v", r)
			}
			for name, c := range map[string]struct {
				got   layout.Result
				state assay.State
				says  string
			}{
				"no links":         {ask(product, at), assay.Unknown, "write-code"},
				"one link":         {ask(product, at, write), assay.Unknown, `"package"`},
				"other product":    {ask(sha(t, strings.Repeat("0", 64)), at, write, pack), assay.Refuted, "did not bring forth"},
				"expired":          {ask(product, at.AddDate(10, 0, 0), write, pack), assay.Refuted, "expired"},
				"changed link":     {ask(product, at, []byte(strings.Replace(string(write), "74dc37", "74dc38", 1)), pack), assay.Unknown, "write-code"},
				"links of another": {ask(product, at, demo(t, "clone-dsse.776a00e2.link"), pack), assay.Unknown, "write-code"},
			} {
				if c.got.State != c.state || !strings.Contains(c.got.Detail, c.says) {
					t.Errorf("%s: %+v", name, c.got)
				}
			}
		})
	}
}

// Three steps in DSSE alone.
func TestDemonstrationInDSSE(t *testing.T) {
	l, err := layout.Open("dsse-only.root.layout", demo(t, "dsse-only.root.layout"), alice(t), layout.Options{})
	if err != nil {
		t.Fatal(err)
	}
	links := envelopes(demo(t, "clone-dsse.776a00e2.link"), demo(t, "update-version-dsse.776a00e2.link"), demo(t, "package-dsse.2f89b927.link"))
	r := l.Verify(sha(t, "0c5c56be1f4d8707fe981f07b0d35a4a1a50e898e3ebc8b1fa12c7c6f364bb7b"), at, slices.Values(links))
	if r.State != assay.Proven || len(r.Used) != 3 {
		t.Errorf("%+v", r)
	}
}

func TestRefusedLayouts(t *testing.T) {
	other, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	whole := string(demo(t, "demo.layout"))
	for name, c := range map[string]struct {
		data   string
		owners []crypto.PublicKey
		o      layout.Options
		kind   error
		says   string
	}{
		"inspections":    {whole, alice(t), layout.Options{}, assay.ErrInvalid, "/inspect"},
		"no owner":       {whole, nil, layout.Options{SkipInspections: true}, assay.ErrInvalid, "owners"},
		"another owner":  {whole, []crypto.PublicKey{other}, layout.Options{}, assay.ErrRefuted, "owners/0"},
		"one of two":     {whole, append(alice(t), other), layout.Options{}, assay.ErrRefuted, "owners/1"},
		"changed":        {strings.Replace(whole, `"threshold": 1`, `"threshold": 2`, 1), alice(t), layout.Options{}, assay.ErrRefuted, "owners/0"},
		"added":          {strings.Replace(whole, `"_type": "layout"`, `"_type": "layout", "extra": 1`, 1), alice(t), layout.Options{}, assay.ErrRefuted, "owners/0"},
		"a link":         {string(demo(t, "package.d3ffd108.link")), alice(t), layout.Options{}, assay.ErrRefuted, "owners/0"},
		"unsigned":       {string(demo(t, "super.layout")), alice(t), layout.Options{}, assay.ErrInvalid, "/signatures"},
		"twice a member": {strings.Replace(whole, `"signed"`, `"signed": {}, "signed"`, 1), alice(t), layout.Options{}, assay.ErrInvalid, "signed"},
		"bad parameter":  {whole, alice(t), layout.Options{SkipInspections: true, Parameters: map[string]string{"a b": "c"}}, assay.ErrInvalid, "parameters"},
		"empty":          {"", alice(t), layout.Options{}, assay.ErrInvalid, "demo"},
	} {
		_, err := layout.Open("demo", []byte(c.data), c.owners, c.o)
		if !errors.Is(err, c.kind) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want %v with %q", name, err, c.kind, c.says)
		}
	}
}

// functionaryKey is a key by the name that a layout has for it.
type functionaryKey struct {
	id  string
	key ed25519.PrivateKey
}

func newKey(t testing.TB, id string) functionaryKey {
	t.Helper()
	_, k, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return functionaryKey{id, k}
}

func (k functionaryKey) public() ed25519.PublicKey { return k.key.Public().(ed25519.PublicKey) }

func (k functionaryKey) form() in_toto.Key {
	return in_toto.Key{KeyID: k.id, KeyIDHashAlgorithms: []string{"sha256", "sha512"}, KeyType: "ed25519", Scheme: "ed25519",
		KeyVal: in_toto.KeyVal{Public: hex.EncodeToString(k.public())}}
}

// sign makes a DSSE envelope.
func sign(t testing.TB, payload any, keys ...functionaryKey) []byte {
	t.Helper()
	text, err := json.Marshal(payload)
	if err != nil {
		t.Fatal(err)
	}
	doc := map[string]any{"payloadType": assay.MediaTypeInToto, "payload": base64.StdEncoding.EncodeToString(text)}
	var sigs []map[string]string
	for _, k := range keys {
		sig := ed25519.Sign(k.key, attest.PAE(assay.MediaTypeInToto, text))
		sigs = append(sigs, map[string]string{"keyid": k.id, "sig": base64.StdEncoding.EncodeToString(sig)})
	}
	doc["signatures"] = sigs
	out, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func build(threshold int, keys ...functionaryKey) in_toto.Layout {
	l := in_toto.Layout{Type: "layout", Expires: "2030-01-01T00:00:00Z", Keys: map[string]in_toto.Key{}, Inspect: []in_toto.Inspection{}}
	s := in_toto.Step{Type: "step", Threshold: threshold, ExpectedCommand: []string{}, SupplyChainItem: in_toto.SupplyChainItem{Name: "build",
		ExpectedMaterials: [][]string{{"ALLOW", "src/*"}, {"DISALLOW", "*"}}, ExpectedProducts: [][]string{{"CREATE", "{name}"}, {"DISALLOW", "*"}}}}
	for _, k := range keys {
		l.Keys[k.id] = k.form()
		s.PubKeys = append(s.PubKeys, k.id)
	}
	l.Steps = []in_toto.Step{s}
	return l
}

func built(digest assay.Digest, materials ...string) in_toto.Link {
	l := in_toto.Link{Type: "link", Name: "build", Materials: map[string]in_toto.HashObj{}, Products: map[string]in_toto.HashObj{"app": {"sha256": digest.Hex()}},
		ByProducts: map[string]any{}, Command: []string{}, Environment: map[string]any{}}
	for _, m := range materials {
		l.Materials[m] = in_toto.HashObj{"sha256": assay.SumSHA256([]byte(m)).Hex()}
	}
	return l
}

// Signatures count by the key that made them, not by documents or ids.
func TestThresholds(t *testing.T) {
	owner, a, b, stranger := newKey(t, "00"), newKey(t, "aa"), newKey(t, "bb"), newKey(t, "cc")
	alias := functionaryKey{"ad", a.key}
	digest := assay.SumSHA256([]byte("image"))
	honest := built(digest, "src/main.go")
	attested := map[string]any{"_type": attest.StatementV1, "predicateType": layout.PredicateType,
		"subject":   []any{map[string]any{"name": "app", "digest": map[string]string{"sha256": digest.Hex()}}},
		"predicate": map[string]any{"name": "build", "command": []string{"make"}, "materials": []any{map[string]any{"name": "src/main.go", "digest": honest.Materials["src/main.go"]}}}}
	spoiled := built(digest, "src/main.go", "src/extra.go")
	for name, c := range map[string]struct {
		layout in_toto.Layout
		links  [][]byte
		state  assay.State
		says   string
	}{
		"one of one":               {build(1, a), [][]byte{sign(t, honest, a)}, assay.Proven, "1 step"},
		"two of two":               {build(2, a, b), [][]byte{sign(t, honest, a), sign(t, honest, b)}, assay.Proven, ""},
		"two on one document":      {build(2, a, b), [][]byte{sign(t, honest, a, b)}, assay.Proven, ""},
		"as an attestation":        {build(2, a, b), [][]byte{sign(t, honest, a), sign(t, attested, b)}, assay.Proven, ""},
		"one of two":               {build(2, a, b), [][]byte{sign(t, honest, a)}, assay.Unknown, "has those of 1"},
		"one twice":                {build(2, a, b), [][]byte{sign(t, honest, a), sign(t, honest, a, a)}, assay.Unknown, "has those of 1"},
		"one under two ids":        {build(2, a, alias), [][]byte{sign(t, honest, a, alias)}, assay.Unknown, "has those of 1"},
		"a stranger":               {build(1, a), [][]byte{sign(t, honest, stranger)}, assay.Unknown, "has those of 0"},
		"a stranger under the id":  {build(1, a), [][]byte{sign(t, honest, functionaryKey{"aa", stranger.key})}, assay.Unknown, "has those of 0"},
		"no id":                    {build(1, a), [][]byte{sign(t, honest, functionaryKey{"", a.key})}, assay.Proven, ""},
		"they disagree":            {build(1, a, b), [][]byte{sign(t, honest, a), sign(t, spoiled, b)}, assay.Refuted, "different artifacts"},
		"a material not allowed":   {build(1, a), [][]byte{sign(t, built(digest, "etc/passwd"), a)}, assay.Refuted, "etc/passwd"},
		"another image":            {build(1, a), [][]byte{sign(t, built(assay.SumSHA256(nil)), a)}, assay.Refuted, "did not bring forth"},
		"an unsigned attestation":  {build(1, a), [][]byte{sign(t, attested)}, assay.Unknown, "0 links found"},
		"a layout for a link":      {build(1, a), [][]byte{sign(t, build(1, a), a)}, assay.Unknown, "0 links found"},
		"unknown member of a link": {build(1, a), [][]byte{sign(t, map[string]any{"_type": "link", "name": "build", "void": true}, a)}, assay.Unknown, "0 links found"},
	} {
		t.Run(name, func(t *testing.T) {
			l, err := layout.Open("layout", sign(t, c.layout, owner), []crypto.PublicKey{owner.public()}, layout.Options{Parameters: map[string]string{"name": "app"}})
			if err != nil {
				t.Fatal(err)
			}
			r := l.Verify(digest, at, slices.Values(envelopes(c.links...)))
			if r.State != c.state || !strings.Contains(r.Detail, c.says) {
				t.Errorf("%+v, want %s with %q", r, c.state, c.says)
			}
		})
	}
}

// in-toto-golang's own advisories: names that climb out of what a rule allows
// (CVE-2021-41087), and negated sets of characters (GHSA-pmwq).
func TestRulesOfNames(t *testing.T) {
	owner, a := newKey(t, "00"), newKey(t, "aa")
	digest := assay.SumSHA256([]byte("image"))
	for name, c := range map[string]struct {
		materials [][]string
		given     []string
		state     assay.State
	}{
		"below":             {[][]string{{"ALLOW", "src/*"}, {"DISALLOW", "*"}}, []string{"src/a", "./src/b"}, assay.Proven},
		"climbs out":        {[][]string{{"ALLOW", "src/*"}, {"DISALLOW", "*"}}, []string{"src/../etc/passwd"}, assay.Refuted},
		"climbs, twice":     {[][]string{{"ALLOW", "src/*"}, {"DISALLOW", "*"}}, []string{"src/a/../../etc"}, assay.Refuted},
		"in the set":        {[][]string{{"DISALLOW", "[!b]*"}, {"ALLOW", "*"}}, []string{"app"}, assay.Refuted},
		"not in the set":    {[][]string{{"DISALLOW", "[!b]*"}, {"ALLOW", "*"}}, []string{"bpp"}, assay.Proven},
		"without a last no": {[][]string{{"ALLOW", "src/*"}}, []string{"etc/passwd"}, assay.Proven}, // the specification has it so
	} {
		doc := build(1, a)
		doc.Steps[0].ExpectedMaterials = c.materials
		l, err := layout.Open("layout", sign(t, doc, owner), []crypto.PublicKey{owner.public()}, layout.Options{Parameters: map[string]string{"name": "app"}})
		if err != nil {
			t.Fatal(err)
		}
		if r := l.Verify(digest, at, slices.Values(envelopes(sign(t, built(digest, c.given...), a)))); r.State != c.state {
			t.Errorf("%s: %+v, want %s", name, r, c.state)
		}
	}
}

// A layout that owners signed can still be none that can be judged.
func TestSignedNonsense(t *testing.T) {
	owner, a := newKey(t, "00"), newKey(t, "aa")
	for name, c := range map[string]struct {
		change func(*in_toto.Layout)
		says   string
	}{
		"no steps":      {func(l *in_toto.Layout) { l.Steps = nil }, "/steps"},
		"no threshold":  {func(l *in_toto.Layout) { l.Steps[0].Threshold = 0 }, "/steps/0/threshold"},
		"unknown key":   {func(l *in_toto.Layout) { l.Steps[0].PubKeys = []string{"ff"} }, "/steps/0/pubkeys"},
		"empty rule":    {func(l *in_toto.Layout) { l.Steps[0].ExpectedProducts = [][]string{{}} }, "/steps/0"},
		"nonsense rule": {func(l *in_toto.Layout) { l.Steps[0].ExpectedProducts = [][]string{{"PERMIT", "*"}} }, "layout"},
		"no expiry":     {func(l *in_toto.Layout) { l.Expires = "" }, "layout"},
		"two of a name": {func(l *in_toto.Layout) { l.Steps = append(l.Steps, l.Steps[0]) }, "layout"},
	} {
		doc := build(1, a)
		c.change(&doc)
		_, err := layout.Open("layout", sign(t, doc, owner), []crypto.PublicKey{owner.public()}, layout.Options{})
		if !errors.Is(err, assay.ErrInvalid) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want %q", name, err, c.says)
		}
	}
}

// What a functionary signs is still untrusted input.
func FuzzVerify(f *testing.F) {
	owner, a := newKey(f, "00"), newKey(f, "aa")
	digest := assay.SumSHA256([]byte("image"))
	l, err := layout.Open("layout", sign(f, build(1, a), owner), []crypto.PublicKey{owner.public()}, layout.Options{Parameters: map[string]string{"name": "app"}})
	if err != nil {
		f.Fatal(err)
	}
	for _, k := range []in_toto.Link{built(digest, "src/a"), built(digest, "x"), {}} {
		text, err := json.Marshal(k)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Add(demo(f, "demo.layout"))
	f.Add(demo(f, "package-dsse.2f89b927.link"))
	f.Fuzz(func(t *testing.T, data []byte) {
		l.Verify(digest, at, slices.Values(envelopes(data)))
		sig := base64.StdEncoding.EncodeToString(ed25519.Sign(a.key, attest.PAE(assay.MediaTypeInToto, data)))
		signed, err := json.Marshal(map[string]any{"payloadType": assay.MediaTypeInToto, "payload": base64.StdEncoding.EncodeToString(data),
			"signatures": []any{map[string]string{"keyid": "aa", "sig": sig}}})
		if err != nil {
			t.Fatal(err)
		}
		if r := l.Verify(digest, at, slices.Values(envelopes(signed))); r.State == assay.Proven && !strings.Contains(string(data), digest.Hex()) {
			t.Errorf("proven by %s", data)
		}
		_, _ = layout.Open("layout", data, []crypto.PublicKey{owner.public()}, layout.Options{})
	})
}
