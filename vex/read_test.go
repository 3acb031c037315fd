package vex_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/vex"
)

// full has every member of the schema.
var full = `{
  "@context": "https://openvex.dev/ns/v0.2.0",
  "@id": "https://example.com/vex/1",
  "author": "Security Team <security@example.com>",
  "role": "maintainer",
  "timestamp": "2026-11-01T14:00:00.5+02:00",
  "last_updated": "2026-11-02T12:00:00Z",
  "version": 3,
  "tooling": "by <hand> & eye",
  "statements": [
    {
      "@id": "https://example.com/vex/1#s1",
      "version": 2,
      "vulnerability": {"@id": "https://example.com/CVE-2026-0001", "name": "CVE-2026-0001", "description": "d", "aliases": ["GHSA-AAAA-BBBB-CCCC", "DSA-1-1"]},
      "timestamp": "2026-10-01T00:00:00Z",
      "last_updated": "2026-10-02T00:00:00Z",
      "products": [
        {"@id": "pkg:oci/app@sha256%3A` + hexA + `", "hashes": {"sha-256": "` + hexA + `"},
         "subcomponents": [{"@id": "pkg:deb/debian/zlib1g@1.2.13"}, {"@id": "https://example.com/c", "identifiers": {"purl": "pkg:deb/debian/libssl3@3.0.15?arch=amd64", "cpe22": "cpe:/a:openssl:openssl:3.0.15", "cpe23": "cpe:2.3:a:openssl:openssl:3.0.15:*:*:*:*:*:*:*"}}]}
      ],
      "status": "not_affected",
      "supplier": "Debian",
      "status_notes": "n",
      "justification": "vulnerable_code_not_present",
      "impact_statement": "i"
    },
    {
      "vulnerability": {"name": "CVE-2026-0002"},
      "products": [{"@id": "pkg:golang/example.com/m@v1.2.3", "hashes": {"md5": "` + strings.Repeat("0", 32) + `", "blake2b-256": "` + hexB + `", "sha3-224": "` + strings.Repeat("c", 56) + `"}}],
      "status": "affected",
      "action_statement": "Upgrade.",
      "action_statement_timestamp": "2026-11-01T12:00:00Z"
    }
  ]
}`

func TestReadEverything(t *testing.T) {
	got, warnings, err := vex.Read("full", []byte(full))
	if err != nil || len(warnings) > 0 {
		t.Fatal(err, warnings)
	}
	oci := must(assay.ParsePURL("pkg:oci/app@sha256%3A" + hexA))
	mod := must(assay.ParsePURL("pkg:golang/example.com/m@v1.2.3"))
	want := &assay.VEX{
		ID: "https://example.com/vex/1", Author: "Security Team <security@example.com>", AuthorRole: "maintainer",
		Timestamp: day.Add(500 * time.Millisecond), LastUpdated: on(1), Version: 3, Tooling: "by <hand> & eye", Format: "openvex/0.2.0",
		Statements: []assay.VEXStatement{{
			ID: "https://example.com/vex/1#s1", Version: 2,
			Vulnerability: assay.Vulnerability{IRI: "https://example.com/CVE-2026-0001", ID: "CVE-2026-0001", Description: "d",
				Aliases: []assay.VulnID{"DSA-1-1", "GHSA-aaaa-bbbb-cccc"}},
			Timestamp:   time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC),
			LastUpdated: time.Date(2026, 10, 2, 0, 0, 0, 0, time.UTC),
			Products: []assay.Product{{ID: "pkg:oci/app@sha256%3A" + hexA, PURL: oci, Digests: assay.DigestSet{digA},
				Subcomponents: []assay.Product{
					{ID: "https://example.com/c", PURL: ssl.PURL, CPEs: []string{"cpe:/a:openssl:openssl:3.0.15", "cpe:2.3:a:openssl:openssl:3.0.15:*:*:*:*:*:*:*"}},
					zlib}}},
			Status: assay.NotAffected, Supplier: "Debian", StatusNotes: "n", Justification: assay.VulnerableCodeNotPresent, ImpactStatement: "i",
		}, {
			Vulnerability: assay.Vulnerability{ID: "CVE-2026-0002"},
			Timestamp:     day.Add(500 * time.Millisecond), // inherited: rule 11
			Products: []assay.Product{{ID: mod.String(), PURL: mod, Digests: assay.DigestSet{
				assay.MustDigest("blake2b_256:" + hexB), assay.MustDigest("md5:" + strings.Repeat("0", 32)), assay.MustDigest("sha3_224:" + strings.Repeat("c", 56))}}},
			Status: assay.Affected, ActionStatement: "Upgrade.", ActionStatementTimestamp: day,
		}},
	}
	if d := cmp.Diff(want, got, cmp.Comparer(func(a, b assay.PURL) bool { return a == b }), cmp.Comparer(func(a, b assay.Digest) bool { return a == b })); d != "" {
		t.Error(d)
	}
}

// minimal is valid; each case of the tables below changes one thing.
const minimal = `{"@context":"https://openvex.dev/ns/v0.2.0","@id":"https://example.com/v","author":"a@example.com","timestamp":"2026-11-01T12:00:00Z","version":1,` +
	`"statements":[{"vulnerability":{"name":"CVE-2026-0001"},"products":[{"@id":"pkg:npm/a@1"}],"status":"fixed"}]}`

func change(t *testing.T, old, new string) []byte {
	t.Helper()
	if strings.Count(minimal, old) != 1 {
		t.Fatalf("%q occurs %d times", old, strings.Count(minimal, old))
	}
	return []byte(strings.Replace(minimal, old, new, 1))
}

const status = `"status":"fixed"`

func TestReadRefuses(t *testing.T) {
	for name, tt := range map[string]struct {
		old, new string
		rule     string
		says     []string
	}{
		"context of the future":       {"ns/v0.2.0", "ns/v9.9.9", "OpenVEX 1", []string{"/@context", "v9.9.9"}},
		"context elsewhere":           {"https://openvex.dev/ns/v0.2.0", "https://openvex.example/ns/v0.2.0", "OpenVEX 1", []string{"openvex.example"}},
		"no context":                  {`"@context":"https://openvex.dev/ns/v0.2.0",`, ``, "OpenVEX 1", []string{"/@context"}},
		"context a list":              {`"https://openvex.dev/ns/v0.2.0"`, `["https://openvex.dev/ns/v0.2.0"]`, "OpenVEX 1", []string{"/@context"}},
		"id no IRI":                   {"https://example.com/v", "my-vexdoc", "OpenVEX 2", []string{"/@id", "my-vexdoc", "IRI"}},
		"id with space":               {"https://example.com/v", "https://example.com/a b", "OpenVEX 2", nil},
		"id with a bad escape":        {"https://example.com/v", "urn:x:%zz", "OpenVEX 2", nil},
		"no id":                       {`"@id":"https://example.com/v",`, ``, "OpenVEX 2", []string{"/@id"}},
		"no author":                   {`"author":"a@example.com",`, ``, "OpenVEX 3", []string{"/author"}},
		"blank author":                {`a@example.com`, ` `, "OpenVEX 3", []string{"/author"}},
		"author a number":             {`"a@example.com"`, `7`, "OpenVEX 3", []string{"/author"}},
		"no timestamp":                {`"timestamp":"2026-11-01T12:00:00Z",`, ``, "OpenVEX 4", []string{"/timestamp"}},
		"timestamp no RFC 3339":       {`2026-11-01T12:00:00Z`, `2026-11-01 12:00`, "OpenVEX 4", []string{"/timestamp", "2026-11-01 12:00"}},
		"timestamp of the zero value": {`2026-11-01T12:00:00Z`, `0001-01-01T00:00:00Z`, "OpenVEX 4", []string{"0001-01-01"}},
		"timestamp before year 1":     {`2026-11-01T12:00:00Z`, `0000-12-01T12:00:00Z`, "OpenVEX 4", []string{"year"}},
		"statement timestamp":         {status, status + `,"timestamp":"yesterday"`, "OpenVEX 4", []string{"/statements/0/timestamp", "yesterday"}},
		"statement last_updated":      {status, status + `,"last_updated":"x"`, "OpenVEX 4", []string{"/statements/0/last_updated"}},
		"no version":                  {`"version":1,`, ``, "OpenVEX 5", []string{"/version"}},
		"version 0":                   {`"version":1`, `"version":0`, "OpenVEX 5", []string{"/version", `"0"`}},
		"version text":                {`"version":1`, `"version":"1"`, "OpenVEX 5", []string{"/version"}},
		"version fraction":            {`"version":1`, `"version":1.5`, "OpenVEX 5", []string{"/version"}},
		"statement version":           {status, status + `,"version":-1`, "OpenVEX 5", []string{"/statements/0/version"}},
		"no statements":               {`{"vulnerability":{"name":"CVE-2026-0001"},"products":[{"@id":"pkg:npm/a@1"}],"status":"fixed"}`, ``, "OpenVEX 6", []string{"/statements"}},
		"unknown member":              {`"version":1`, `"version":1,"supplier":"x"`, "OpenVEX 6", []string{"/supplier"}},
		"unknown statement member":    {status, status + `,"Status":"affected"`, "OpenVEX 6", []string{"/statements/0/Status"}},
		"unknown member called name":  {`{"@id":"pkg:npm/a@1"}`, `{"@id":"pkg:npm/a@1","name":"a"}`, "OpenVEX 6", []string{"/statements/0/products/0/name"}},
		"null":                        {status, status + `,"status_notes":null`, "OpenVEX 6", []string{"/statements/0/status_notes", "null"}},
		"statement twice": {`{"vulnerability":{"name":"CVE-2026-0001"},"products":[{"@id":"pkg:npm/a@1"}],"status":"fixed"}`,
			`{"vulnerability":{"name":"CVE-2026-0001"},"products":[{"@id":"pkg:npm/a@1"}],"status":"fixed"},{"status":"fixed","vulnerability":{"name":"CVE-2026-0001"},"products":[{"@id":"pkg:npm/a@1"}],"timestamp":"2026-11-01T13:00:00+01:00"}`,
			"OpenVEX 6", []string{"/statements/1", "/statements/0"}},
		"product twice":           {`{"@id":"pkg:npm/a@1"}`, `{"@id":"pkg:npm/a@1"},{"@id":"pkg:npm/b@1"},{"@id":"pkg:npm/a@1"}`, "OpenVEX 6", []string{"/products/2", "pkg:npm/a@1"}},
		"subcomponent twice":      {`{"@id":"pkg:npm/a@1"}`, `{"@id":"pkg:npm/a@1","subcomponents":[{"@id":"pkg:npm/b@1"},{"@id":"pkg:npm/b@1"}]}`, "OpenVEX 6", []string{"/products/0/subcomponents/1"}},
		"nested subcomponents":    {`{"@id":"pkg:npm/a@1"}`, `{"@id":"pkg:npm/a@1","subcomponents":[{"@id":"pkg:npm/b@1","subcomponents":[]}]}`, "OpenVEX 6", []string{"/subcomponents/0/subcomponents"}},
		"alias twice":             {`"name":"CVE-2026-0001"`, `"name":"CVE-2026-0001","aliases":["X-1","X-1"]`, "OpenVEX 6", []string{"/vulnerability/aliases/1", "X-1"}},
		"member twice":            {status, status + `,"status":"affected"`, "OpenVEX 6", []string{"/statements/0/status"}},
		"status":                  {status, `"status":"wontfix"`, "OpenVEX 7", []string{"/statements/0/status", "wontfix"}},
		"status in capitals":      {status, `"status":"Fixed"`, "OpenVEX 7", nil},
		"no status":               {`,` + status, ``, "OpenVEX 7", []string{"/statements/0/status"}},
		"not_affected alone":      {status, `"status":"not_affected"`, "OpenVEX 8", []string{"/statements/0/justification"}},
		"not_affected, blank":     {status, `"status":"not_affected","impact_statement":" "`, "OpenVEX 8", nil},
		"justification":           {status, `"status":"not_affected","justification":"trust_me"`, "OpenVEX 8", []string{"trust_me"}},
		"justification empty":     {status, `"status":"not_affected","justification":"","impact_statement":"x"`, "OpenVEX 8", []string{"/justification"}},
		"justification elsewhere": {status, status + `,"justification":"trust_me"`, "OpenVEX 8", []string{"trust_me"}},
		"affected alone":          {status, `"status":"affected"`, "OpenVEX 9", []string{"/statements/0/action_statement"}},
		"product of nothing":      {`{"@id":"pkg:npm/a@1"}`, `{}`, "OpenVEX 10", []string{"/statements/0/products/0"}},
		"subcomponent of nothing": {`{"@id":"pkg:npm/a@1"}`, `{"@id":"pkg:npm/a@1","subcomponents":[{}]}`, "OpenVEX 10", []string{"/statements/0/products/0/subcomponents/0"}},
		"no vulnerability":        {`"vulnerability":{"name":"CVE-2026-0001"},`, ``, "OpenVEX 13", []string{"/statements/0/vulnerability/name"}},
		"no name":                 {`"name":"CVE-2026-0001"`, `"description":"x"`, "OpenVEX 13", []string{"/statements/0/vulnerability/name"}},
		"name with space":         {`CVE-2026-0001`, `the bad one`, "OpenVEX 13", []string{"the bad one"}},
		"bad alias":               {`"name":"CVE-2026-0001"`, `"name":"CVE-2026-0001","aliases":["X","CVE-1"]`, "OpenVEX 13", []string{"/aliases/1", "CVE-1"}},
		"hash label":              {`{"@id":"pkg:npm/a@1"}`, `{"@id":"pkg:npm/a@1","hashes":{"blake3":"` + strings60 + `"}}`, "OpenVEX 14", []string{"/products/0/hashes/blake3"}},
		"hash label of in-toto":   {`{"@id":"pkg:npm/a@1"}`, `{"@id":"pkg:npm/a@1","hashes":{"sha256":"` + strings60 + `"}}`, "OpenVEX 14", []string{"/products/0/hashes/sha256"}},
		"hash length":             {`{"@id":"pkg:npm/a@1"}`, `{"@id":"pkg:npm/a@1","hashes":{"sha-256":"abcd"}}`, "OpenVEX 14", []string{"/products/0/hashes/sha-256", "abcd"}},
		"hash of another prefix":  {`{"@id":"pkg:npm/a@1"}`, `{"@id":"pkg:npm/a@1","hashes":{"sha-256":"sha512:` + strings60 + `"}}`, "OpenVEX 14", nil},
		"identifier kind":         {`{"@id":"pkg:npm/a@1"}`, `{"identifiers":{"swid":"x"}}`, "OpenVEX 6", []string{"/identifiers/swid"}},
		"identifiers of nothing":  {`{"@id":"pkg:npm/a@1"}`, `{"@id":"pkg:npm/a@1","identifiers":{}}`, "OpenVEX 14", []string{"/products/0/identifiers"}},
		"purl":                    {`{"@id":"pkg:npm/a@1"}`, `{"identifiers":{"purl":"npm/a@1"}}`, "OpenVEX 14", []string{"/products/0/identifiers/purl", "npm/a@1"}},
		"cpe22":                   {`{"@id":"pkg:npm/a@1"}`, `{"identifiers":{"cpe22":"cpe:2.3:a:b:c"}}`, "OpenVEX 14", []string{"/identifiers/cpe22"}},
		"cpe23":                   {`{"@id":"pkg:npm/a@1"}`, `{"identifiers":{"cpe23":"cpe:/a:b:c"}}`, "OpenVEX 14", []string{"/identifiers/cpe23"}},
	} {
		t.Run(name, func(t *testing.T) {
			v, _, err := vex.Read("doc.json", change(t, tt.old, tt.new))
			wantRule(t, err, assay.ErrInvalid, tt.rule, append(tt.says, "doc.json")...)
			if v != nil {
				t.Error("a document came with the error")
			}
		})
	}
}

const strings60 = "a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1"

func TestReadRefusesBadJSON(t *testing.T) {
	for name, in := range map[string]string{
		"empty": "", "not JSON": "vex", "truncated": minimal[:100], "trailing": minimal + "{}", "list": "[]", "text": `"x"`, "null": "null",
		"twice": strings.Replace(minimal, status, status+`,"status":"affected"`, 1),
	} {
		if v, _, err := vex.Read(name, []byte(in)); !errors.Is(err, assay.ErrInvalid) || v != nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: got %v, %v", name, v, err)
		}
	}
	deep := strings.Replace(minimal, status, status+`,"status_notes":`+strings.Repeat("[", 200)+strings.Repeat("]", 200), 1)
	if _, _, err := vex.Read("deep", []byte(deep)); !errors.Is(err, assay.ErrBound) {
		t.Errorf("got %v", err)
	}
}

func TestReadWarns(t *testing.T) {
	for name, tt := range map[string]struct {
		old, new    string
		rule, field string
		refused     bool // by Encode
	}{
		"statement id":      {status, status + `,"@id":"s1"`, "OpenVEX 2", "/statements/0/@id", true},
		"product id":        {`pkg:npm/a@1`, `nginx`, "OpenVEX 2", "/statements/0/products/0/@id", true},
		"subcomponent id":   {`{"@id":"pkg:npm/a@1"}`, `{"@id":"pkg:npm/a@1","subcomponents":[{"@id":"x"}]}`, "OpenVEX 2", "/statements/0/products/0/subcomponents/0/@id", true},
		"vulnerability id":  {`"name":"CVE-2026-0001"`, `"name":"CVE-2026-0001","@id":"x"`, "OpenVEX 2", "/statements/0/vulnerability/@id", true},
		"statement version": {status, status + `,"version":0`, "OpenVEX 5", "/statements/0/version", false},
		"impact only":       {status, `"status":"not_affected","impact_statement":"x"`, "OpenVEX 8", "/statements/0/justification", false},
		"impact elsewhere":  {status, status + `,"impact_statement":"x"`, "OpenVEX 8", "/statements/0/impact_statement", false},
		"label elsewhere":   {status, status + `,"justification":"component_not_present"`, "OpenVEX 8", "/statements/0/justification", false},
		"action elsewhere":  {status, status + `,"action_statement":"x"`, "OpenVEX 9", "/statements/0/action_statement", false},
		"no products":       {`"products":[{"@id":"pkg:npm/a@1"}],`, ``, "OpenVEX 10", "/statements/0/products", true},
		"empty products":    {`{"@id":"pkg:npm/a@1"}`, ``, "OpenVEX 10", "/statements/0/products", true},
		"hash prefix":       {`{"@id":"pkg:npm/a@1"}`, `{"@id":"pkg:npm/a@1","hashes":{"sha-256":"sha256:` + strings60 + `"}}`, "OpenVEX 14", "/statements/0/products/0/hashes/sha-256", false},
		"hash in capitals":  {`{"@id":"pkg:npm/a@1"}`, `{"@id":"pkg:npm/a@1","hashes":{"sha-256":"` + strings.ToUpper(strings60) + `"}}`, "OpenVEX 14", "/statements/0/products/0/hashes/sha-256", false},
		"purl and hash": {`{"@id":"pkg:npm/a@1"}`, `{"@id":"pkg:oci/a@sha256:` + strings.Repeat("0", 64) + `","hashes":{"sha-256":"` + strings60 + `"}}`,
			"OpenVEX 14", "/statements/0/products/0/hashes", true},
		"pkg: that is none": {`pkg:npm/a@1`, `pkg:npm`, "OpenVEX 14", "/statements/0/products/0/@id", true},
		"hashes alone":      {`{"@id":"pkg:npm/a@1"}`, `{"hashes":{"sha-256":"` + strings60 + `"}}`, "OpenVEX 15", "/statements/0/products/0", true},
	} {
		t.Run(name, func(t *testing.T) {
			v, warnings, err := vex.Read("doc.json", change(t, tt.old, tt.new))
			if err != nil {
				t.Fatal(err)
			}
			if len(warnings) != 1 || warnings[0].Rule != tt.rule || warnings[0].Field != tt.field || warnings[0].Subject != "doc.json" {
				t.Errorf("got %q", warnings)
			}
			if s := warnings[0].String(); !strings.Contains(s, tt.rule) || !strings.Contains(s, tt.field) {
				t.Errorf("got %q", s)
			}
			if _, err = vex.Encode(v); tt.refused {
				wantRule(t, err, assay.ErrInvalid, tt.rule)
			} else if err != nil {
				t.Error(err)
			}
		})
	}
	if _, warnings, err := vex.Read("minimal", []byte(minimal)); err != nil || len(warnings) > 0 {
		t.Error(warnings, err)
	}
}

const legacy = `{"@context":"https://openvex.dev/ns","@id":"https://example.com/v","author":"a@example.com","timestamp":"2026-11-01T12:00:00Z","version":"2","supplier":"S",` +
	`"statements":[{"vulnerability":"CVE-2026-0001","vuln_description":"d","products":["pkg:npm/a@1","pkg:npm/b@1"],"subcomponents":["pkg:npm/c@1"],"status":"fixed"}]}`

func TestReadLegacy(t *testing.T) {
	c := vex.PURLProduct(must(assay.ParsePURL("pkg:npm/c@1")))
	want := &assay.VEX{
		ID: "https://example.com/v", Author: "a@example.com", Timestamp: day, Version: 2, Format: "openvex/0.0.1",
		Statements: []assay.VEXStatement{{
			Vulnerability: assay.Vulnerability{ID: "CVE-2026-0001", Description: "d"}, Timestamp: day, Status: assay.Fixed, Supplier: "S",
			Products: []assay.Product{
				parts(vex.PURLProduct(must(assay.ParsePURL("pkg:npm/a@1"))), c),
				parts(vex.PURLProduct(must(assay.ParsePURL("pkg:npm/b@1"))), c),
			},
		}},
	}
	for _, in := range []string{legacy, strings.Replace(legacy, `/ns"`, `/ns/v0.0.1"`, 1)} {
		got, warnings, err := vex.Read("legacy", []byte(in))
		if err != nil || len(warnings) > 0 {
			t.Fatal(err, warnings)
		}
		if d := cmp.Diff(want, got, cmp.Comparer(func(a, b assay.PURL) bool { return a == b })); d != "" {
			t.Error(d)
		}
	}
}

func TestReadLegacyRefuses(t *testing.T) {
	for name, tt := range map[string]struct {
		old, new, rule string
		says           []string
	}{
		"version":                {`"version":"2"`, `"version":"two"`, "OpenVEX 5", []string{"two"}},
		"version with sign":      {`"version":"2"`, `"version":"+2"`, "OpenVEX 5", nil},
		"version missing":        {`"version":"2",`, ``, "OpenVEX 5", nil},
		"unknown member":         {`"version":"2"`, `"version":"2","format":"text/vex+json"`, "OpenVEX 6", []string{"/format"}},
		"status":                 {`"fixed"`, `"patched"`, "OpenVEX 7", []string{"patched"}},
		"vulnerability a number": {`"CVE-2026-0001"`, `7`, "OpenVEX 6", []string{"/statements/0/vulnerability"}},
		"product a number":       {`"pkg:npm/b@1"`, `7`, "OpenVEX 6", []string{"/statements/0/products/1"}},
		"no vulnerability":       {`"vulnerability":"CVE-2026-0001",`, ``, "OpenVEX 13", nil},
		"parts of nothing":       {`"products":["pkg:npm/a@1","pkg:npm/b@1"],`, ``, "OpenVEX 10", []string{"/statements/0/subcomponents"}},
		"null":                   {`"status":"fixed"`, `"status":"fixed","status_notes":null`, "OpenVEX 6", nil},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := vex.Read("doc.json", []byte(strings.Replace(legacy, tt.old, tt.new, 1)))
			wantRule(t, err, assay.ErrInvalid, tt.rule, append(tt.says, "doc.json")...)
		})
	}
}

// Structs of v0.2.0 under the context without version are in ATTESTING.md; under
// v0.0.1 they are an error.
func TestReadMixed(t *testing.T) {
	mixed := strings.Replace(minimal, "/ns/v0.2.0", "/ns", 1)
	v, warnings, err := vex.Read("mixed", []byte(mixed))
	if err != nil || v.Statements[0].Vulnerability.ID != "CVE-2026-0001" || v.Statements[0].Products[0].ID != "pkg:npm/a@1" {
		t.Fatal(v, err)
	}
	if !slices.ContainsFunc(warnings, func(w vex.Warning) bool { return w.Rule == "OpenVEX 1" && w.Field == "/statements/0/vulnerability" }) {
		t.Error(warnings)
	}
	_, _, err = vex.Read("mixed", []byte(strings.Replace(minimal, "/ns/v0.2.0", "/ns/v0.0.1", 1)))
	wantRule(t, err, assay.ErrInvalid, "OpenVEX 1", "/statements/0/vulnerability")
}
