package verify

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/assaykit/assay"
)

var key = assay.MustDigest("sha256:" + strings.Repeat("ab", 32))

const schema = `"schema":"https://github.com/assaykit/assay/policy/v0.1"`

func TestParsePolicy(t *testing.T) {
	p, err := ParsePolicy("p.json", []byte(`{`+schema+`,
		"signers":[{"name":"ci","issuer":"https://issuer.example","subjectPattern":"https://github\\.com/org/.*","kinds":["provenance"],"claims":{"runnerEnvironment":"github-hosted"},"builders":["https://b.example"]},
		           {"name":"sec","key":"`+key.String()+`","vexAuthors":["a@example.com"]}],
		"require":["sbom","provenance"],"stage":"hardened","sources":["https://github.com/org/app"],"rebuildWithin":"36h"}`))
	if err != nil {
		t.Fatal(err)
	}
	if p.Stage != assay.Hardened || time.Duration(p.RebuildWithin) != 36*time.Hour || len(p.Signers) != 2 || p.Signers[1].Key != key || p.Signers[0].Claims.RunnerEnvironment != "github-hosted" {
		t.Errorf("got %+v", p)
	}
}

func TestParsePolicyRefused(t *testing.T) {
	signer := `"signers":[{"name":"k","key":"` + key.String() + `"}]`
	for name, tt := range map[string]struct{ in, says string }{
		"unknown member":           {`{` + schema + `,` + signer + `,"requires":["sbom"]}`, "/requires"},
		"unknown member in signer": {`{` + schema + `,"signers":[{"name":"k","key":"` + key.String() + `","subjectRegexp":"x"}]}`, "subjectRegexp"},
		"no schema":                {`{` + signer + `}`, "/schema"},
		"other schema":             {`{"schema":"v9",` + signer + `}`, "v9"},
		"no signers":               {`{` + schema + `}`, "/signers"},
		"signer without name":      {`{` + schema + `,"signers":[{"key":"` + key.String() + `"}]}`, "/signers/0/name"},
		"signer twice":             {`{` + schema + `,"signers":[{"name":"k","key":"` + key.String() + `"},{"name":"k","key":"` + key.String() + `"}]}`, "/signers/1/name"},
		"signer without identity":  {`{` + schema + `,"signers":[{"name":"k"}]}`, "/signers/0/issuer"},
		"issuer alone":             {`{` + schema + `,"signers":[{"name":"k","issuer":"https://i"}]}`, "/signers/0/subject"},
		"subject alone":            {`{` + schema + `,"signers":[{"name":"k","subject":"a@b"}]}`, "/signers/0/issuer"},
		"key and subject":          {`{` + schema + `,"signers":[{"name":"k","key":"` + key.String() + `","subject":"a@b"}]}`, "/signers/0/key"},
		"key and claims":           {`{` + schema + `,"signers":[{"name":"k","key":"` + key.String() + `","claims":{"buildTrigger":"push"}}]}`, "/signers/0/key"},
		"key of another algorithm": {`{` + schema + `,"signers":[{"name":"k","key":"sha512:` + strings.Repeat("ab", 64) + `"}]}`, "sha256"},
		"pattern matches all":      {`{` + schema + `,"signers":[{"name":"k","issuer":"https://i","subjectPattern":".*"}]}`, "does not match everything"},
		"pattern matches all, one": {`{` + schema + `,"signers":[{"name":"k","issuerPattern":".+","subject":"a@b"}]}`, "does not match everything"},
		"pattern out of anchors":   {`{` + schema + `,"signers":[{"name":"k","issuer":"https://i","subjectPattern":"x)|(?:https://github.com/org/.*"}]}`, "/signers/0/subjectPattern"},
		"pattern is none":          {`{` + schema + `,"signers":[{"name":"k","issuer":"https://i","subjectPattern":"("}]}`, "/signers/0/subjectPattern"},
		"subject twice":            {`{` + schema + `,"signers":[{"name":"k","issuer":"https://i","subject":"a","subjectPattern":"a"}]}`, "not both"},
		"unknown kind":             {`{` + schema + `,` + signer + `,"require":["sboms"]}`, "/require/0"},
		"opaque":                   {`{` + schema + `,` + signer + `,"require":["opaque"]}`, "/require/0"},
		"kind nobody may state":    {`{` + schema + `,"signers":[{"name":"k","key":"` + key.String() + `","kinds":["vex"]}],"require":["sbom"]}`, "some signer"},
		"unknown stage":            {`{` + schema + `,` + signer + `,"stage":"safe"}`, "/stage"},
		"bad duration":             {`{` + schema + `,` + signer + `,"rebuildWithin":"nightly"}`, "/rebuildWithin"},
		"negative duration":        {`{` + schema + `,` + signer + `,"rebuildWithin":"-1h"}`, "/rebuildWithin"},
		"source with git+":         {`{` + schema + `,` + signer + `,"sources":["git+https://github.com/o/r"]}`, "/sources/0"},
		"relative source":          {`{` + schema + `,` + signer + `,"sources":["github.com/o/r"]}`, "/sources/0"},
		"ref pattern matches all":  {`{` + schema + `,` + signer + `,"refPattern":".*"}`, "/refPattern"},
		"base by a weak digest":    {`{` + schema + `,` + signer + `,"bases":["md5:` + strings.Repeat("ab", 16) + `"]}`, "/bases/0"},
		"build type twice":         {`{` + schema + `,` + signer + `,"buildTypes":["a:b","a:b"]}`, "/buildTypes/1"},
		"parameter by no pointer":  {`{` + schema + `,` + signer + `,"parameters":{"workflow":1}}`, "JSON pointer"},
		"same run as itself":       {`{` + schema + `,` + signer + `,"sameRun":["provenance"]}`, "/sameRun/0"},
		"level that is none":       {`{` + schema + `,` + signer + `,"minBuildLevel":4}`, "/minBuildLevel"},
		"level of nobody":          {`{` + schema + `,` + signer + `,"buildLevels":[{"signer":"x","builder":"a:b","level":3}]}`, "/buildLevels/0/signer"},
		"level of no builder":      {`{` + schema + `,` + signer + `,"buildLevels":[{"signer":"k","level":3}]}`, "/buildLevels/0/builder"},
		"level of any builder":     {`{` + schema + `,` + signer + `,"buildLevels":[{"signer":"k","builderPattern":".*","level":3}]}`, "/buildLevels/0/builderPattern"},
		"level 4":                  {`{` + schema + `,` + signer + `,"buildLevels":[{"signer":"k","builder":"a:b","level":4}]}`, "/buildLevels/0/level"},
		"summary of nobody":        {`{` + schema + `,"signers":[{"name":"k","key":"` + key.String() + `","verifiers":["v:v"]}],"summaries":[{"verifier":"v:w","resource":"r","policy":"p","maxAge":"1h","for":["sbom"]}]}`, "/summaries/0/verifier"},
		"summary of no resource":   {`{` + schema + `,"signers":[{"name":"k","key":"` + key.String() + `","verifiers":["v:v"]}],"summaries":[{"verifier":"v:v","policy":"p","maxAge":"1h","for":["sbom"]}]}`, "/summaries/0/resource"},
		"summary of no policy":     {`{` + schema + `,"signers":[{"name":"k","key":"` + key.String() + `","verifiers":["v:v"]}],"summaries":[{"verifier":"v:v","resource":"r","maxAge":"1h","for":["sbom"]}]}`, "/summaries/0/policy"},
		"summary of any age":       {`{` + schema + `,"signers":[{"name":"k","key":"` + key.String() + `","verifiers":["v:v"]}],"summaries":[{"verifier":"v:v","resource":"r","policy":"p","maxAge":"0s","for":["sbom"]}]}`, "/summaries/0/maxAge"},
		"summary for nothing":      {`{` + schema + `,"signers":[{"name":"k","key":"` + key.String() + `","verifiers":["v:v"]}],"summaries":[{"verifier":"v:v","resource":"r","policy":"p","maxAge":"1h","for":[]}]}`, "/summaries/0/for"},
		"summary for a summary":    {`{` + schema + `,"signers":[{"name":"k","key":"` + key.String() + `","verifiers":["v:v"]}],"summaries":[{"verifier":"v:v","resource":"r","policy":"p","maxAge":"1h","for":["summary"]}]}`, "/summaries/0/for/0"},
		"one builder":              {`{` + schema + `,` + signer + `,"minBuilders":1}`, "/minBuilders"},
		"source level of nobody":   {`{` + schema + `,` + signer + `,"sourceLevel":{"verifier":"v:v","min":2,"maxAge":"1h"}}`, "/sourceLevel/verifier"},
		"more than all":            {`{` + schema + `,` + signer + `,"minComponents":101}`, "/minComponents"},
		"kind of components only":  {`{` + schema + `,"signers":[{"name":"k","key":"` + key.String() + `","componentsOnly":true}],"require":["sbom"]}`, "/require/0"},
		"duplicate member":         {`{` + schema + `,` + signer + `,` + signer + `}`, "/signers"},
		"trailing data":            {`{` + schema + `,` + signer + `}{}`, "p.json"},
		"other case":               {`{` + schema + `,"Signers":[]}`, "/Signers"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ParsePolicy("p.json", []byte(tt.in))
			if !errors.Is(err, assay.ErrInvalid) || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("got %v, want one that says %q", err, tt.says)
			}
		})
	}
}

func TestSignerRules(t *testing.T) {
	workflow := assay.Identity{Issuer: "https://token.example", Subject: "https://github.com/org/app/.github/workflows/ci.yml@refs/heads/main",
		Claims: assay.Claims{SourceRepositoryURI: "https://github.com/org/app", RunnerEnvironment: "github-hosted"}}
	for name, tt := range map[string]struct {
		rule SignerRule
		id   assay.Identity
		want bool
	}{
		"exact":                          {SignerRule{Issuer: workflow.Issuer, Subject: workflow.Subject}, workflow, true},
		"other issuer":                   {SignerRule{Issuer: "https://other.example", Subject: workflow.Subject}, workflow, false},
		"pattern":                        {SignerRule{Issuer: workflow.Issuer, SubjectPattern: `https://github\.com/org/.+`}, workflow, true},
		"pattern is anchored at the end": {SignerRule{Issuer: workflow.Issuer, SubjectPattern: `https://github\.com/org/app`}, workflow, false},
		// slsa-verifier once matched https://github.com.evil/.
		"pattern is anchored at the start": {SignerRule{Issuer: workflow.Issuer, SubjectPattern: `github\.com/org/.+`}, workflow, false},
		"alternatives are anchored":        {SignerRule{Issuer: workflow.Issuer, SubjectPattern: `x|https://github\.com/o`}, workflow, false},
		"claims":                           {SignerRule{Issuer: workflow.Issuer, Subject: workflow.Subject, Claims: assay.Claims{RunnerEnvironment: "github-hosted"}}, workflow, true},
		"other claim":                      {SignerRule{Issuer: workflow.Issuer, Subject: workflow.Subject, Claims: assay.Claims{RunnerEnvironment: "self-hosted"}}, workflow, false},
		"missing claim":                    {SignerRule{Issuer: workflow.Issuer, Subject: workflow.Subject, Claims: assay.Claims{BuildTrigger: "push"}}, workflow, false},
		"key":                              {SignerRule{Key: key}, assay.KeyIdentity(key), true},
		"key for a certificate":            {SignerRule{Key: key}, workflow, false},
		// GHSA-fx35-mq7g-6g98: a bare key where a certificate identity is asked for.
		"certificate for a key": {SignerRule{IssuerPattern: "|https://i", SubjectPattern: "|a@b"}, assay.KeyIdentity(key), false},
	} {
		t.Run(name, func(t *testing.T) {
			tt.rule.Name = "r"
			c, err := tt.rule.compile("/signers/0")
			if name == "certificate for a key" {
				if err == nil {
					t.Error("a pattern that matches the empty string was accepted")
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := c.is(tt.id); got != tt.want {
				t.Errorf("got %t", got)
			}
		})
	}
}

// A claim that the list forgot would be one that no rule can ask for.
func TestEveryClaimIsCompared(t *testing.T) {
	typ := reflect.TypeFor[assay.Claims]()
	if got, want := len(claimList(assay.Claims{})), typ.NumField(); got != want {
		t.Fatalf("%d claims are compared, there are %d", got, want)
	}
	for i := range typ.NumField() {
		var want assay.Claims
		reflect.ValueOf(&want).Elem().Field(i).SetString("x")
		if claimed(want, assay.Claims{}) {
			t.Errorf("%s is not compared", typ.Field(i).Name)
		}
		name, _, _ := strings.Cut(typ.Field(i).Tag.Get("json"), ",")
		if claimList(want)[i] != (claim{name, "x"}) {
			t.Errorf("%s is at another place, or named %q", typ.Field(i).Name, claimList(want)[i].name)
		}
	}
}

func TestNewNeedsTrustAndPolicy(t *testing.T) {
	policy := Policy{Signers: []SignerRule{{Name: "k", Key: key}}}
	if _, err := New(Trust{}, policy); !errors.Is(err, assay.ErrInvalid) {
		t.Errorf("no trust: got %v", err)
	}
	if _, err := New(Trust{TransparencyLogs: -1}, policy); !errors.Is(err, assay.ErrInvalid) {
		t.Errorf("negative threshold: got %v", err)
	}
}

func FuzzParsePolicy(f *testing.F) {
	f.Add([]byte(`{` + schema + `,"signers":[{"name":"k","key":"` + key.String() + `"}],"require":["sbom"],"stage":"minimal","rebuildWithin":"1h"}`))
	f.Add([]byte(`{` + schema + `,"signers":[{"name":"k","issuerPattern":"a+","subjectPattern":"b+"}]}`))
	f.Add([]byte(`{` + schema + `,"signers":[{"name":"k","key":"` + key.String() + `","operator":"o","verifiers":["v:v"]}],"minBuilders":2,"sourceLevel":{"verifier":"v:v","min":2,"properties":["ORG_SOURCE_A"],"refPattern":"refs/heads/m.+","maxAge":"24h"}}`))
	f.Fuzz(func(t *testing.T, in []byte) {
		p, err := ParsePolicy("fuzz", in)
		if err != nil {
			return
		}
		// What was accepted can be used, and names at least one signer.
		if c, err := p.compile(); err != nil || len(c.rules) == 0 {
			t.Errorf("accepted and not usable: %v", err)
		}
	})
}

// Nobody may be let speak for a builder, a verifier or an author that has no name.
func TestNobodyHasNoName(t *testing.T) {
	for field, r := range map[string]SignerRule{
		"/signers/0/builders/1":   {Name: "r", Key: key, Builders: []string{"https://b.example", ""}},
		"/signers/0/verifiers/0":  {Name: "r", Key: key, Verifiers: []string{""}},
		"/signers/0/vexAuthors/0": {Name: "r", Key: key, VEXAuthors: []string{""}},
	} {
		if _, err := r.compile("/signers/0"); !errors.Is(err, assay.ErrInvalid) || !strings.Contains(err.Error(), field) {
			t.Errorf("%s: %v", field, err)
		}
	}
}
