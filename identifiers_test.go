package assay_test

import (
	"encoding/json"
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assaykit/assay"
)

func TestParsePredicateType(t *testing.T) {
	for s, want := range map[string]assay.Kind{
		"https://cyclonedx.org/bom":                          assay.KindSBOM,
		"https://cyclonedx.org/bom/v1.5":                     assay.KindSBOM,
		"https://spdx.dev/Document":                          assay.KindSBOM,
		"https://spdx.dev/Document/v2.3":                     assay.KindSBOM,
		"https://spdx.dev/Document/v3.0.1":                   assay.KindSBOM,
		"https://slsa.dev/provenance/v1":                     assay.KindProvenance,
		"https://slsa.dev/provenance/v1.0":                   assay.KindProvenance,
		"https://slsa.dev/provenance/v1.1":                   assay.KindOpaque,
		"https://slsa.dev/provenance/v0.2":                   assay.KindProvenance,
		"https://slsa.dev/provenance/v0.1":                   assay.KindProvenance,
		"https://openvex.dev/ns/v0.2.0":                      assay.KindVEX,
		"https://openvex.dev/ns":                             assay.KindVEX,
		"https://in-toto.io/attestation/vulns/v0.2":          assay.KindScan,
		"https://in-toto.io/attestation/vulns/v0.1":          assay.KindScan,
		"https://cosign.sigstore.dev/attestation/vuln/v1":    assay.KindScan,
		"https://in-toto.io/attestation/scai/v0.3":           assay.KindPosture,
		"https://in-toto.io/attestation/test-result/v0.1":    assay.KindTestResult,
		"https://slsa.dev/verification_summary/v1":           assay.KindSummary,
		"https://github.com/assaykit/assay/remediation/v0.1": assay.KindRemediation,
		"https://cyclonedx.org/bomb":                         assay.KindOpaque,
		"https://slsa.dev/provenance/v1/":                    assay.KindOpaque,
		"HTTPS://slsa.dev/provenance/v1":                     assay.KindOpaque,
		"urn:example:type":                                   assay.KindOpaque,
	} {
		p, err := assay.ParsePredicateType(s)
		if err != nil || p.String() != s || p.Kind() != want {
			t.Errorf("%s: got %s (%s), %v, want %s", s, p, p.Kind(), err, want)
		}
		testText(t, p, `"`+s+`"`)
	}
	for _, s := range []string{"", "slsaprovenance", "/path", " https://a/b", "https://a/b\n", "https://", ":", "://x", "https:"} {
		if p, err := assay.ParsePredicateType(s); !errors.Is(err, assay.ErrInvalid) || p != "" {
			t.Errorf("%q: got %q, %v", s, p, err)
		}
	}
	testText(t, assay.PredicateType(""), `""`)
	var p assay.PredicateType
	if err := json.Unmarshal([]byte(`"custom"`), &p); !errors.Is(err, assay.ErrInvalid) || p != "" {
		t.Errorf("got %q, %v", p, err)
	}
}

func TestParsePlatform(t *testing.T) {
	for s, want := range map[string]assay.Platform{
		"linux/amd64":                   {OS: "linux", Architecture: "amd64"},
		"linux/x86_64":                  {OS: "linux", Architecture: "amd64"},
		"Linux/AArch64":                 {OS: "linux", Architecture: "arm64"},
		"linux/arm64/v8":                {OS: "linux", Architecture: "arm64"},
		"linux/arm64/8":                 {OS: "linux", Architecture: "arm64"},
		"linux/arm64/v9":                {OS: "linux", Architecture: "arm64", Variant: "v9"},
		"linux/amd64/v1":                {OS: "linux", Architecture: "amd64"},
		"linux/amd64/v3":                {OS: "linux", Architecture: "amd64", Variant: "v3"},
		"linux/arm/v7":                  {OS: "linux", Architecture: "arm", Variant: "v7"},
		"linux/arm/7":                   {OS: "linux", Architecture: "arm", Variant: "v7"},
		"linux/armhf":                   {OS: "linux", Architecture: "arm", Variant: "v7"},
		"linux/armel":                   {OS: "linux", Architecture: "arm", Variant: "v6"},
		"linux/i386":                    {OS: "linux", Architecture: "386"},
		"macos/arm64":                   {OS: "darwin", Architecture: "arm64"},
		"windows:10.0.17763.1234/amd64": {OS: "windows", Architecture: "amd64", OSVersion: "10.0.17763.1234"},
	} {
		p, err := assay.ParsePlatform(s)
		if err != nil || p != want {
			t.Errorf("%s: got %+v, %v", s, p, err)
		}
		if again, err := assay.ParsePlatform(p.String()); err != nil || again != p {
			t.Errorf("%s: %s reads as %+v, %v", s, p, again, err)
		}
	}
	for _, s := range []string{"", "linux", "linux/", "/amd64", "a/b/c/d", "linux/am d64", "linux/amd64/", ":1/amd64", "linux:/amd64", "a:b:c/amd64", "linux/a:b", "linux/ä"} {
		if p, err := assay.ParsePlatform(s); !errors.Is(err, assay.ErrInvalid) || !p.IsZero() {
			t.Errorf("%q: got %+v, %v", s, p, err)
		}
	}
	if s := (assay.Platform{OS: "linux"}).String(); s != "linux/unknown" {
		t.Errorf("got %s", s)
	}
	if s := (assay.Platform{}).String(); s != "" {
		t.Errorf("got %s", s)
	}
	data, err := json.Marshal(assay.Platform{OS: "windows", Architecture: "amd64", OSVersion: "10.0"})
	if want := `{"os":"windows","architecture":"amd64","os.version":"10.0"}`; err != nil || string(data) != want {
		t.Errorf("got %s, %v, want %s", data, err, want)
	}
}

func TestPlatformCovers(t *testing.T) {
	amd, arm := assay.Platform{OS: "linux", Architecture: "amd64"}, assay.Platform{OS: "linux", Architecture: "arm", Variant: "v7"}
	for _, tt := range []struct {
		p, q assay.Platform
		want bool
	}{
		{assay.Platform{}, amd, true}, {amd, amd, true}, {amd, arm, false}, {assay.Platform{OS: "linux", Architecture: "arm"}, arm, true},
		{arm, assay.Platform{OS: "linux", Architecture: "arm"}, false}, {assay.Platform{OS: "linux", Architecture: "x86_64"}, amd, true},
		{assay.Platform{OSVersion: "1"}, amd, false},
	} {
		if got := tt.p.Covers(tt.q); got != tt.want {
			t.Errorf("%s covers %s: got %v", tt.p, tt.q, got)
		}
	}
	list := []assay.Platform{arm, amd, {}}
	slices.SortFunc(list, assay.Platform.Compare)
	if diff := cmp.Diff([]assay.Platform{{}, amd, arm}, list); diff != "" {
		t.Error(diff)
	}
}

func TestParseVulnID(t *testing.T) {
	for s, want := range map[string]assay.VulnID{
		"CVE-2026-0001":       "CVE-2026-0001",
		"cve-2026-123456":     "CVE-2026-123456",
		"GHSA-ABCD-efgh-2345": "GHSA-abcd-efgh-2345",
		"ghsa-abcd-efgh-2345": "GHSA-abcd-efgh-2345",
		"GO-2026-0001":        "GO-2026-0001",
		"DSA-5000-1":          "DSA-5000-1",
		"https://nvd.nist.gov/vuln/detail/CVE-2021-44228": "https://nvd.nist.gov/vuln/detail/CVE-2021-44228",
	} {
		v, err := assay.ParseVulnID(s)
		if err != nil || v != want || v.String() != string(want) {
			t.Errorf("%s: got %s, %v, want %s", s, v, err, want)
		}
		testText(t, v, `"`+string(want)+`"`)
	}
	for name, s := range map[string]string{
		"empty": "", "space": "a b", "control": "a\nb", "quote": `a"b`, "angle": "a<b", "CVE alone": "CVE", "CVE year": "CVE-26-0001", "CVE short": "CVE-2026-001",
		"CVE letters": "CVE-2026-00x1", "CVE digits of other scripts": "CVE-2026-００01", "GHSA short": "GHSA-abcd-efgh", "GHSA shape": "GHSA-abcde-fgh-2345",
		"GHSA signs": "GHSA-ab!d-efgh-2345", "not UTF-8": "a\xff", "bidi control": "CVE-2026-0001\u202e", "too long": hexOf("a", 513),
	} {
		if v, err := assay.ParseVulnID(s); !errors.Is(err, assay.ErrInvalid) || v != "" {
			t.Errorf("%s: got %q, %v", name, v, err)
		}
	}
	// U+017F, whose upper case is S, makes no GHSA identifier.
	if v, err := assay.ParseVulnID("GH\u017fA-abcd-efgh-2345"); err != nil || v == "GHSA-abcd-efgh-2345" {
		t.Errorf("got %s, %v", v, err)
	}
	testText(t, assay.VulnID(""), `""`)
	var v assay.VulnID
	if err := json.Unmarshal([]byte(`"CVE-1"`), &v); !errors.Is(err, assay.ErrInvalid) || v != "" {
		t.Errorf("got %q, %v", v, err)
	}
	vuln := assay.Vulnerability{ID: "CVE-2026-0001", Aliases: []assay.VulnID{"GO-2026-0001"}}
	if !vuln.Is("CVE-2026-0001") || !vuln.Is("GO-2026-0001") || vuln.Is("CVE-2026-0002") {
		t.Error("Is")
	}
}

func TestIdentity(t *testing.T) {
	person := assay.Identity{Subject: "a@example.com", Issuer: "https://issuer"}
	key := assay.KeyIdentity(sha("a"))
	for _, tt := range []struct {
		id    assay.Identity
		text  string
		valid bool
	}{
		{person, "a@example.com (https://issuer)", true},
		{key, "key " + sha("a").String(), true},
		{assay.Identity{Subject: "a"}, "a", false},
		{assay.Identity{Issuer: "https://issuer"}, " (https://issuer)", false},
		{assay.Identity{Subject: "a", Issuer: "i", Key: sha("a")}, "key " + sha("a").String(), false},
		{assay.Identity{Key: sha("a"), Claims: assay.Claims{BuildTrigger: "push"}}, "key " + sha("a").String(), false},
		{assay.Identity{}, "", false},
	} {
		if tt.id.String() != tt.text {
			t.Errorf("got %q, want %q", tt.id, tt.text)
		}
		if err := tt.id.Validate(); (err == nil) != tt.valid || err != nil && !errors.Is(err, assay.ErrInvalid) {
			t.Errorf("%s: got %v", tt.text, err)
		}
	}
	if !(assay.Identity{}).IsZero() || person.IsZero() || key.IsZero() {
		t.Error("IsZero")
	}
	claimed := person
	claimed.Claims = assay.Claims{BuildTrigger: "push", DeploymentEnvironment: "production", TokenSubject: "repo:a/b"}
	got := assay.DistinctIdentities([]assay.Identity{claimed, key, person, key})
	if diff := cmp.Diff([]assay.Identity{key, claimed}, got, cmp.Comparer(func(a, b assay.Identity) bool { return a == b })); diff != "" {
		t.Error(diff)
	}
	testText(t, claimed, `{"issuer":"https://issuer","subject":"a@example.com","claims":{"buildTrigger":"push","deploymentEnvironment":"production","tokenSubject":"repo:a/b"}}`)
	testText(t, key, `{"key":"`+sha("a").String()+`"}`)
}

func TestState(t *testing.T) {
	p, r, u := assay.Proven, assay.Refuted, assay.Unknown
	for _, tt := range []struct{ a, b, want assay.State }{
		{p, p, p}, {p, r, r}, {r, p, r}, {r, r, r}, {p, u, u}, {u, p, u}, {u, u, u}, {u, r, r}, {r, u, r}, {p, 7, u}, {r, 7, r},
	} {
		if got := tt.a.And(tt.b); got != tt.want {
			t.Errorf("%s and %s: got %s, want %s", tt.a, tt.b, got, tt.want)
		}
	}
	var zero assay.State
	if zero != assay.Unknown {
		t.Error("the zero state is not unknown")
	}
	testText(t, p, `"proven"`)
	testText(t, r, `"refuted"`)
	testText(t, u, `"unknown"`)
	if s := assay.State(7).String(); s != "invalid" {
		t.Errorf("got %s", s)
	}
	for _, in := range []string{`"Proven"`, `""`, `"invalid"`, `1`} {
		v := assay.Refuted
		if err := json.Unmarshal([]byte(in), &v); err == nil || v != assay.Refuted {
			t.Errorf("%s: got %s, %v", in, v, err)
		}
	}
}

func TestStage(t *testing.T) {
	for s, want := range map[assay.Stage]string{assay.None: `"none"`, assay.Minimal: `"minimal"`, assay.Hardened: `"hardened"`, assay.Secure: `"secure"`} {
		testText(t, s, want)
	}
	if assay.None >= assay.Minimal || assay.Minimal >= assay.Hardened || assay.Hardened >= assay.Secure {
		t.Error("stages are not in order")
	}
	if _, err := json.Marshal(assay.Stage(9)); !errors.Is(err, assay.ErrInvalid) {
		t.Errorf("a stage without a name encodes: %v", err)
	}
	if _, err := json.Marshal(assay.State(-1)); !errors.Is(err, assay.ErrInvalid) {
		t.Errorf("a state without a name encodes: %v", err)
	}
}

// FuzzParsePredicateType: a type is kept as it is.
func FuzzParsePredicateType(f *testing.F) {
	for _, s := range []string{"https://slsa.dev/provenance/v1", "urn:x", "a:", " a:b", "https://a\x00", "https://[::1", "%zz:"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, err := assay.ParsePredicateType(s)
		if err != nil {
			if !errors.Is(err, assay.ErrInvalid) || p != "" {
				t.Fatalf("got %q, %v", p, err)
			}
			return
		}
		if p.String() != s || p.Kind() == "" {
			t.Fatalf("%q became %q (%s)", s, p, p.Kind())
		}
	})
}

// FuzzParsePlatform: what parses is canonical, and reads back as itself.
func FuzzParsePlatform(f *testing.F) {
	for _, s := range []string{"linux/amd64", "linux/arm/7", "windows:10.0/x86_64", "linux/armhf/v6", "a/b/c", "linux:/x", "macos/aarch64/8"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, err := assay.ParsePlatform(s)
		if err != nil {
			if !errors.Is(err, assay.ErrInvalid) || !p.IsZero() {
				t.Fatalf("got %s, %v", p, err)
			}
			return
		}
		if again, err := assay.ParsePlatform(p.String()); err != nil || again != p || p.Normalize() != p || !p.Covers(p) {
			t.Fatalf("%q: %s reads as %s, %v", s, p, again, err)
		}
	})
}

// FuzzParseVulnID: what parses is canonical.
func FuzzParseVulnID(f *testing.F) {
	for _, s := range []string{"CVE-2026-0001", "cve-1999-99999", "ghsa-abcd-efgh-2345", "GO-2026-1", "https://x/CVE-2026-0001", "GHSA-----", "CVE", "GH\u017fA-"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		v, err := assay.ParseVulnID(s)
		if err != nil {
			if !errors.Is(err, assay.ErrInvalid) || v != "" {
				t.Fatalf("got %q, %v", v, err)
			}
			return
		}
		if again, err := assay.ParseVulnID(v.String()); err != nil || again != v {
			t.Fatalf("%q: %q reads as %q, %v", s, v, again, err)
		}
	})
}
