package vex_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/vex"
)

var equal = cmp.Options{
	cmp.Comparer(func(a, b assay.PURL) bool { return a == b }),
	cmp.Comparer(func(a, b assay.Digest) bool { return a == b }),
}

// everything builds a document with each kind of statement.
func everything(t testing.TB) *assay.VEX {
	t.Helper()
	d := vex.New("security@example.com", vex.Options{Role: "maintainer", Tooling: "a & <b>", Time: day})
	d.NotAffected("CVE-2026-0001", assay.VulnerableCodeNotInExecutePath, parts(image, zlib, ssl), other).
		Notes("n").Impact("i").Supplier("s").Aliases("GHSA-aaaa-bbbb-cccc", "DSA-1-1").
		Describe("https://example.com/CVE-2026-0001", "d").ID("https://example.com/s/1")
	d.NotAffected("cve-2026-0002", "", image).Impact("never linked")
	d.Affected("CVE-2026-0003", "Upgrade to 1.4.2.", image).ActionTime(on(-1))
	d.Fixed("CVE-2026-0004", image).Since(on(-3))
	d.UnderInvestigation("CVE-2026-0005", assay.Product{CPEs: []string{"cpe:2.3:a:b:c:1:*:*:*:*:*:*:*", "cpe:/a:b:c:1"}, Digests: assay.DigestSet{
		assay.MustDigest("sha1:" + strings.Repeat("1", 40)), assay.MustDigest("blake2b_256:" + hexB), assay.MustDigest("sha3_224:" + strings.Repeat("c", 56))}})
	return must(d.Build())
}

func TestRoundTrip(t *testing.T) {
	docs := map[string]*assay.VEX{"built": everything(t)}
	for name, in := range map[string]string{"full": full, "minimal": minimal, "legacy": legacy} {
		v, _, err := vex.Read(name, []byte(in))
		if err != nil {
			t.Fatal(err)
		}
		docs[name] = v
	}
	for name, v := range docs {
		data, err := vex.Encode(v)
		if err != nil {
			t.Fatal(name, err)
		}
		back, _, err := vex.Read(name, data)
		if err != nil {
			t.Fatal(name, err)
		}
		want := *v
		want.Format = "openvex/0.2.0"
		if d := cmp.Diff(&want, back, equal); d != "" {
			t.Error(name, d)
		}
		if again := must(vex.Encode(back)); !bytes.Equal(data, again) {
			t.Errorf("%s: wrote\n%s\nthen\n%s", name, data, again)
		}
	}
}

func TestEncodeShape(t *testing.T) {
	data := string(must(vex.Encode(everything(t))))
	for _, s := range []string{`"a & <b>"`, `"@context": "https://openvex.dev/ns/v0.2.0"`, `"timestamp": "2026-10-29T12:00:00Z"`} {
		if !strings.Contains(data, s) {
			t.Errorf("%s is not in\n%s", s, data)
		}
	}
	if n := strings.Count(data, `"timestamp"`); n != 6 {
		t.Errorf("%d times for 1 document and 5 statements", n)
	}
	if !strings.HasSuffix(data, "}\n") {
		t.Error("no newline at the end")
	}
}

// Encode must not depend on the order in which sets were given, nor change what it
// is given.
func TestEncodeDeterministic(t *testing.T) {
	v := everything(t)
	want := must(vex.Encode(v))
	s := &v.Statements[0]
	s.Products[0], s.Products[1] = s.Products[1], s.Products[0]
	s.Vulnerability.Aliases[0], s.Vulnerability.Aliases[1] = s.Vulnerability.Aliases[1], s.Vulnerability.Aliases[0]
	s.Timestamp = s.Timestamp.In(time.FixedZone("x", 3600))
	first := s.Products[0].ID
	if got := must(vex.Encode(v)); !bytes.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if s.Products[0].ID != first {
		t.Error("Encode sorted its argument")
	}
}

func TestEncodeIsSchemaValid(t *testing.T) {
	dir := os.Getenv("ASSAY_CORPORA")
	if dir == "" {
		t.Skip("ASSAY_CORPORA is not set: no JSON schema to validate with")
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	schema, err := c.Compile(filepath.Join(dir, "openvex.schema.json"))
	if err != nil {
		t.Fatal(err)
	}
	check := func(name string, data []byte, valid bool) {
		t.Helper()
		v, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
		if err != nil {
			t.Fatal(name, err)
		}
		if err := schema.Validate(v); (err == nil) != valid {
			t.Errorf("%s: schema says %v", name, err)
		}
	}
	check("the schema refuses something", []byte(strings.Replace(minimal, status, `"status":"x"`, 1)), false)
	check("built", must(vex.Encode(everything(t))), true)
	for name, in := range map[string]string{"full": full, "minimal": minimal, "legacy": legacy} {
		v, _, err := vex.Read(name, []byte(in))
		if err != nil {
			t.Fatal(err)
		}
		check(name, must(vex.Encode(v)), true)
	}
	d := vex.Edit(everything(t), vex.Options{Time: on(1)})
	d.Fixed("CVE-2026-0005", image)
	check("edited", must(vex.Encode(must(d.Build()))), true)

	bare := everything(t)
	for i := range bare.Statements {
		bare.Statements[i].Products = nil
	}
	data, _, err := vex.EncodePredicate(bare, []assay.Subject{{Name: "app", Digest: assay.DigestSet{digA}}})
	if err != nil {
		t.Fatal(err)
	}
	check("predicate without products", data, true)
}

// TestEncodeRefuses breaks each rule in the typed form.
func TestEncodeRefuses(t *testing.T) {
	for name, tt := range map[string]struct {
		rule, field string
		edit        func(v *assay.VEX)
	}{
		"id":                  {"OpenVEX 2", "/@id", func(v *assay.VEX) { v.ID = "x" }},
		"statement id":        {"OpenVEX 2", "/statements/0/@id", func(v *assay.VEX) { v.Statements[0].ID = "x" }},
		"vulnerability iri":   {"OpenVEX 2", "/statements/0/vulnerability/@id", func(v *assay.VEX) { v.Statements[0].Vulnerability.IRI = "x" }},
		"product id":          {"OpenVEX 2", "/statements/0/products/0/@id", func(v *assay.VEX) { v.Statements[0].Products[0].ID = "x" }},
		"author":              {"OpenVEX 3", "/author", func(v *assay.VEX) { v.Author = "\t" }},
		"timestamp":           {"OpenVEX 4", "/timestamp", func(v *assay.VEX) { v.Timestamp = time.Time{} }},
		"year":                {"OpenVEX 4", "/last_updated", func(v *assay.VEX) { v.LastUpdated = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) }},
		"version":             {"OpenVEX 5", "/version", func(v *assay.VEX) { v.Version = 0 }},
		"statement version":   {"OpenVEX 5", "/statements/1/version", func(v *assay.VEX) { v.Statements[1].Version = -1 }},
		"no statements":       {"OpenVEX 6", "/statements", func(v *assay.VEX) { v.Statements = nil }},
		"statement twice":     {"OpenVEX 6", "/statements/5", func(v *assay.VEX) { v.Statements = append(v.Statements, v.Statements[3]) }},
		"product twice":       {"OpenVEX 6", "/statements/1/products/1", func(v *assay.VEX) { v.Statements[1].Products = append(v.Statements[1].Products, image) }},
		"alias twice":         {"OpenVEX 6", "/statements/0/vulnerability/aliases/1", func(v *assay.VEX) { v.Statements[0].Vulnerability.Aliases[1] = "DSA-1-1" }},
		"nested":              {"OpenVEX 6", "/statements/1/products/0/subcomponents/0/subcomponents", func(v *assay.VEX) { v.Statements[1].Products[0] = parts(image, parts(ssl, zlib)) }},
		"status":              {"OpenVEX 7", "/statements/3/status", func(v *assay.VEX) { v.Statements[3].Status = "" }},
		"justification":       {"OpenVEX 8", "/statements/1/justification", func(v *assay.VEX) { v.Statements[1].ImpactStatement = "" }},
		"justification label": {"OpenVEX 8", "/statements/0/justification", func(v *assay.VEX) { v.Statements[0].Justification = "x" }},
		"action":              {"OpenVEX 9", "/statements/2/action_statement", func(v *assay.VEX) { v.Statements[2].ActionStatement = "" }},
		"time of a statement": {"OpenVEX 10", "/statements/3/timestamp", func(v *assay.VEX) { v.Statements[3].Timestamp = time.Time{} }},
		"product":             {"OpenVEX 10", "/statements/3/products", func(v *assay.VEX) { v.Statements[3].Products = nil }},
		"empty product":       {"OpenVEX 10", "/statements/3/products/0", func(v *assay.VEX) { v.Statements[3].Products = []assay.Product{{}} }},
		"name":                {"OpenVEX 13", "/statements/3/vulnerability/name", func(v *assay.VEX) { v.Statements[3].Vulnerability.ID = "" }},
		"spelling":            {"OpenVEX 13", "/statements/3/vulnerability/name", func(v *assay.VEX) { v.Statements[3].Vulnerability.ID = "cve-2026-0004" }},
		"alias":               {"OpenVEX 13", "/statements/0/vulnerability/aliases/0", func(v *assay.VEX) { v.Statements[0].Vulnerability.Aliases[0] = "a b" }},
		"hash": {"OpenVEX 14", "/statements/3/products/0/hashes", func(v *assay.VEX) {
			v.Statements[3].Products[0].Digests = assay.DigestSet{assay.MustDigest("blake3:" + hexA)}
		}},
		"two of a kind": {"OpenVEX 14", "/statements/3/products/0/hashes", func(v *assay.VEX) { v.Statements[3].Products[0].Digests = assay.DigestSet{digA, digB} }},
		"cpe":           {"OpenVEX 14", "/statements/3/products/0/identifiers", func(v *assay.VEX) { v.Statements[3].Products[0].CPEs = []string{"openssl"} }},
		"two cpes": {"OpenVEX 14", "/statements/3/products/0/identifiers/cpe23", func(v *assay.VEX) {
			v.Statements[3].Products[0].CPEs = []string{"cpe:2.3:a", "cpe:2.3:b"}
		}},
		"purl and hash": {"OpenVEX 14", "/statements/3/products/0/hashes", func(v *assay.VEX) { v.Statements[3].Products[0].Digests = assay.DigestSet{digB} }},
		"hashes alone":  {"OpenVEX 15", "/statements/3/products/0", func(v *assay.VEX) { v.Statements[3].Products = []assay.Product{{Digests: assay.DigestSet{digA}}} }},
	} {
		t.Run(name, func(t *testing.T) {
			v := everything(t)
			tt.edit(v)
			data, err := vex.Encode(v)
			wantRule(t, err, assay.ErrInvalid, tt.rule, "write OpenVEX", tt.field+": ")
			if data != nil {
				t.Error("bytes came with the error")
			}
			wantRule(t, vex.Validate(v), assay.ErrInvalid, tt.rule, tt.field)
		})
	}
	v := everything(t)
	v.Tooling = "\xff"
	if _, err := vex.Encode(v); err == nil {
		t.Error("invalid UTF-8 was written")
	}
}
