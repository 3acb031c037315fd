package assay_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assaykit/assay"
)

// hexOf gives n hexadecimal digits.
func hexOf(c string, n int) string { return strings.Repeat(c, n) }

func sha(c string) assay.Digest { return assay.MustDigest("sha256:" + hexOf(c, 64)) }

func TestParseDigest(t *testing.T) {
	for _, s := range []string{
		"sha256:" + hexOf("a", 64), "sha384:" + hexOf("1", 96), "sha512:" + hexOf("f", 128), "sha224:" + hexOf("0", 56),
		"sha3_224:" + hexOf("0", 56), "sha3_256:" + hexOf("a", 64), "sha3_384:" + hexOf("a", 96), "sha3_512:" + hexOf("a", 128),
		"blake2b:" + hexOf("a", 128), "blake2b_256:" + hexOf("a", 64), "blake2s:" + hexOf("a", 64), "blake3:" + hexOf("a", 64),
		"sha1:" + hexOf("a", 40), "md5:" + hexOf("a", 32), "gitCommit:" + hexOf("a", 40), "gitCommit:" + hexOf("a", 64),
		"gitTree:" + hexOf("a", 40), "gitBlob:" + hexOf("a", 40), "gitTag:" + hexOf("a", 64), "dirHash:" + hexOf("a", 64),
	} {
		d, err := assay.ParseDigest(s)
		if err != nil || d.String() != s {
			t.Errorf("%s: got %s, %v", s, d, err)
		}
		if !d.Algorithm().Known() || string(d.Algorithm())+":"+d.Hex() != s || d.IsZero() {
			t.Errorf("%s: parts %s %s", s, d.Algorithm(), d.Hex())
		}
		testText(t, d, `"`+s+`"`)
	}
	for name, tt := range map[string]struct{ in, says string }{
		"empty":             {"", "algorithm:hex"},
		"no colon":          {hexOf("a", 64), "algorithm:hex"},
		"unknown algorithm": {"sha257:" + hexOf("a", 64), "sha257"},
		"upper-case name":   {"SHA256:" + hexOf("a", 64), "SHA256"},
		"upper-case hex":    {"sha256:" + hexOf("A", 64), "lowercase"},
		"not hex":           {"sha256:" + hexOf("g", 64), "lowercase hexadecimal"},
		"too short":         {"sha256:" + hexOf("a", 63), "64 hexadecimal digits"},
		"too long":          {"sha256:" + hexOf("a", 65), "64 hexadecimal digits"},
		"no hex":            {"sha256:", "64 hexadecimal digits"},
		"git between":       {"gitCommit:" + hexOf("a", 50), "40 or 64"},
	} {
		d, err := assay.ParseDigest(tt.in)
		if !errors.Is(err, assay.ErrInvalid) || !d.IsZero() || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: got %s, %v", name, d, err)
		}
	}
	testText(t, assay.Digest{}, `""`)
	var d assay.Digest
	if err := json.Unmarshal([]byte(`"sha256:x"`), &d); !errors.Is(err, assay.ErrInvalid) || !d.IsZero() {
		t.Errorf("got %s, %v", d, err)
	}
}

func TestMustDigestPanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	assay.MustDigest("sha256:x")
}

func TestStrong(t *testing.T) {
	for alg, want := range map[assay.Algorithm]bool{
		assay.SHA256: true, assay.SHA384: true, assay.SHA512: true, assay.SHA3_256: true, assay.BLAKE2B: true, assay.BLAKE2B256: true, assay.BLAKE3: true,
		assay.SHA1: false, assay.MD5: false, assay.SHA224: false, assay.GitCommit: false, assay.DirHash: false, "other": false,
	} {
		if alg.Strong() != want {
			t.Errorf("%s: want %v", alg, want)
		}
	}
}

func TestSumSHA256(t *testing.T) {
	if got, want := assay.SumSHA256(nil).String(), "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestDigestSet(t *testing.T) {
	a, b, md := sha("a"), sha("b"), assay.MustDigest("md5:"+hexOf("c", 32))
	set, err := assay.NewDigestSet(a, md, a)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{md.String(), a.String()}, []string{set[0].String(), set[1].String()}); diff != "" || len(set) != 2 {
		t.Errorf("not sorted, or repeated: %v", set)
	}
	if set.Get(assay.MD5) != md || !set.Get(assay.SHA512).IsZero() {
		t.Error("Get")
	}
	if !set.Has(a) || set.Has(b) || set.Has(md) {
		t.Error("Has: MD5 must not identify, SHA-256 must")
	}
	other, _ := assay.NewDigestSet(md)
	if set.Match(other) || other.Match(other) || !set.Match(set) {
		t.Error("Match: only by strong digests")
	}
	if !set.Equal(set) || set.Equal(other) || set.Equal(nil) {
		t.Error("Equal")
	}
	for name, in := range map[string][]assay.Digest{"contradiction": {a, b}, "no digest": {{}}, "one of them none": {a, {}}} {
		if s, err := assay.NewDigestSet(in...); !errors.Is(err, assay.ErrInvalid) || s != nil {
			t.Errorf("%s: got %v, %v", name, s, err)
		}
	}
	for _, none := range [][]assay.Digest{nil, {}} {
		if s, err := assay.NewDigestSet(none...); s != nil || err != nil {
			t.Errorf("got %v, %v, want nil", s, err)
		}
	}
}

func TestDigestSetJSON(t *testing.T) {
	type doc struct {
		D assay.DigestSet `json:"d,omitempty"`
		E assay.DigestSet `json:"e"`
	}
	for in, want := range map[string]string{
		`{}`:                    `{"e":{}}`,
		`{"d":{},"e":null}`:     `{"e":{}}`,
		`{"d":{"future":"Zz"}}`: `{"e":{}}`,
		`{"d":{"sha256":"` + hexOf("a", 64) + `","md5":"` + hexOf("b", 32) + `"}}`: `{"d":{"md5":"` + hexOf("b", 32) + `","sha256":"` + hexOf("a", 64) + `"},"e":{}}`,
		`{"d":{"dirHash1":"` + hexOf("a", 64) + `"}}`:                              `{"d":{"dirHash":"` + hexOf("a", 64) + `"},"e":{}}`,
	} {
		var d doc
		if err := json.Unmarshal([]byte(in), &d); err != nil {
			t.Errorf("%s: %v", in, err)
		}
		if got, err := json.Marshal(d); err != nil || string(got) != want {
			t.Errorf("%s: got %s, %v, want %s", in, got, err, want)
		}
		if len(d.D) == 0 && d.D != nil {
			t.Errorf("%s: an empty set is not nil", in)
		}
	}
	for _, in := range []string{`{"sha256":"zz"}`, `{"sha256":1}`, `[]`, `{"dirHash":"` + hexOf("a", 64) + `","dirHash1":"` + hexOf("b", 64) + `"}`} {
		var s assay.DigestSet
		if err := json.Unmarshal([]byte(in), &s); err == nil || s != nil {
			t.Errorf("%s: got %v, %v", in, s, err)
		}
	}
	// Of several errors, the same one each time.
	for range 20 {
		_, err := assay.ParseDigestSet(map[string]string{"sha512": "x", "sha256": "y", "md5": "z"})
		if !strings.Contains(err.Error(), "md5") {
			t.Fatalf("got %v, want the one of md5", err)
		}
	}
}

// FuzzParseDigest: what parses is written as it was read.
func FuzzParseDigest(f *testing.F) {
	for _, s := range []string{"sha256:" + hexOf("a", 64), "md5:" + hexOf("0", 32), "gitCommit:" + hexOf("f", 40), "sha256:", ":", "a:b:c", "SHA1:" + hexOf("A", 40)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := assay.ParseDigest(s)
		if err != nil {
			if !errors.Is(err, assay.ErrInvalid) || !d.IsZero() {
				t.Fatalf("got %s, %v", d, err)
			}
			return
		}
		if d.String() != s {
			t.Fatalf("%q is written as %q", s, d)
		}
	})
}
