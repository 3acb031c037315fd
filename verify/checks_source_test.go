package verify_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/attest"
	"github.com/assaykit/assay/internal/testsigstore"
	"github.com/assaykit/assay/verify"
)

const sourceVerifier = "https://source.example/verifier"

// sourceStatement is a summary of the source track about the fixture's commit.
func sourceStatement(changes ...string) string {
	return strings.NewReplacer(changes...).Replace(`{"_type":"https://in-toto.io/Statement/v1",` +
		`"subject":[{"uri":"` + source + `/commit/` + commit + `","digest":{"gitCommit":"` + commit + `"},"annotations":{"sourceRefs":["refs/heads/main","refs/heads/next"]}}],` +
		`"predicateType":"https://slsa.dev/verification_summary/v1","predicate":{"verifier":{"id":"` + sourceVerifier + `"},"timeVerified":"` + at.Add(-time.Hour).Format(time.RFC3339) + `",` +
		`"resourceUri":"git+` + source + `","policy":{"uri":"https://source.example/policy"},"verificationResult":"PASSED",` +
		`"verifiedLevels":["SLSA_SOURCE_LEVEL_3","ORG_SOURCE_SCANNED"],"slsaVersion":"1.2"}}`)
}

func TestSourceLevel(t *testing.T) {
	f := newFixture(t)
	sigstore := testsigstore.NewVirtual(t)
	forge := testsigstore.Workflow{}.Identity("")
	by := func(t *testing.T, statement string, signed time.Time) assay.Envelope {
		t.Helper()
		e, err := virtualSigner{t, sigstore, forge, testsigstore.SignOptions{At: signed}}.Sign(t.Context(), []byte(statement))
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	built := f.sign(t, f.signer, builtBy(t, builderID, commit))
	ask := func(t *testing.T, change func(*verify.Policy), own []assay.Envelope, sources ...attest.Source) *verify.Report {
		t.Helper()
		policy := verify.Policy{
			Signers: append(f.policy().Signers, verify.SignerRule{Name: "forge", Issuer: testsigstore.GitHubIssuer, Subject: testsigstore.Workflow{}.SAN(),
				Kinds: []assay.Kind{assay.KindSummary}, Verifiers: []string{sourceVerifier}}),
			SourceLevel: &verify.SourceLevelRule{Verifier: sourceVerifier, Min: 2, MaxAge: verify.Duration(24 * time.Hour)},
		}
		if change != nil {
			change(&policy)
		}
		options := []verify.Option{verify.At(at.Add(time.Minute))}
		if len(sources) > 0 {
			options = append(options, verify.Revisions(sources...))
		}
		v, err := verify.New(verify.Trust{TrustedRoot: sigstore.TrustedRootJSON(), Keys: f.trust().Keys}, policy, options...)
		if err != nil {
			t.Fatal(err)
		}
		r, err := v.Verify(t.Context(), f.digest, attest.FromEnvelopes(own...), attest.FromImage(f.image))
		if err != nil {
			t.Fatal(err)
		}
		replays(t, r)
		return r
	}
	own := []assay.Envelope{built}
	genuine := by(t, sourceStatement(), at)
	given := func(e ...assay.Envelope) []attest.Source { return []attest.Source{attest.FromEnvelopes(e...)} }
	one := func(changes ...string) []attest.Source { return given(by(t, sourceStatement(changes...), at)) }
	stranger, err := f.stranger.Sign(t.Context(), []byte(sourceStatement()))
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		policy  func(*verify.Policy)
		own     []assay.Envelope
		sources []attest.Source
		state   assay.State
		reason  verify.Reason
		says    string
	}{
		"vouched for":        {nil, own, given(genuine), assay.Proven, verify.Holds, ""},
		"at the level":       {func(p *verify.Policy) { p.SourceLevel.Min = 3 }, own, given(genuine), assay.Proven, verify.Holds, ""},
		"lower":              {func(p *verify.Policy) { p.SourceLevel.Min = 4 }, own, given(genuine), assay.Refuted, verify.SummaryDiffers, "SLSA_SOURCE_LEVEL_3"},
		"beside a lower one": {nil, own, given(genuine, by(t, sourceStatement("LEVEL_3", "LEVEL_1"), at)), assay.Proven, verify.Holds, ""},
		"property":           {func(p *verify.Policy) { p.SourceLevel.Properties = []string{"ORG_SOURCE_SCANNED"} }, own, given(genuine), assay.Proven, verify.Holds, ""},
		"no such property": {func(p *verify.Policy) { p.SourceLevel.Properties = []string{"SLSA_SOURCE_TWO_PARTY_REVIEWED"} }, own, given(genuine),
			assay.Unknown, verify.NotStated, "TWO_PARTY"},
		"of a ref":                   {func(p *verify.Policy) { p.SourceLevel.RefPattern = "refs/heads/next" }, own, given(genuine), assay.Proven, verify.Holds, ""},
		"of another ref":             {func(p *verify.Policy) { p.SourceLevel.RefPattern = "refs/heads/mai" }, own, given(genuine), assay.Refuted, verify.RefNotAllowed, "refs/heads/main"},
		"of no ref":                  {func(p *verify.Policy) { p.SourceLevel.RefPattern = "refs/heads/main" }, own, one(`"refs/heads/main","refs/heads/next"`, ""), assay.Unknown, verify.NotStated, "no ref"},
		"by the policy":              {func(p *verify.Policy) { p.SourceLevel.Policy = "https://source.example/policy" }, own, given(genuine), assay.Proven, verify.Holds, ""},
		"by another policy":          {func(p *verify.Policy) { p.SourceLevel.Policy = "https://source.example/other" }, own, given(genuine), assay.Refuted, verify.SummaryDiffers, "policy"},
		"failed":                     {nil, own, one("PASSED", "FAILED"), assay.Refuted, verify.SummaryDiffers, "FAILED"},
		"of a fork":                  {nil, own, one("git+"+source, "git+https://git.example/fork/app"), assay.Refuted, verify.SummaryDiffers, "fork"},
		"with .git":                  {nil, own, one(`"git+`+source+`"`, `"git+`+source+`.git"`), assay.Proven, verify.Holds, ""},
		"old by its own word":        {nil, own, one(at.Add(-time.Hour).Format(time.RFC3339), at.Add(-25*time.Hour).Format(time.RFC3339)), assay.Refuted, verify.TooOld, ""},
		"old by its witness":         {func(p *verify.Policy) { p.SourceLevel.MaxAge = verify.Duration(90 * time.Minute) }, own, given(by(t, sourceStatement(), at.Add(-100*time.Minute))), assay.Refuted, verify.TooOld, "signed by"},
		"without time":               {nil, own, one(`"timeVerified":"`+at.Add(-time.Hour).Format(time.RFC3339)+`",`, ""), assay.Unknown, verify.NotStated, "timeVerified"},
		"of another commit":          {nil, own, one(commit, commit[1:]+commit[:1]), assay.Refuted, verify.Absent, "no summary"},
		"of the build track":         {nil, own, one("SLSA_SOURCE", "SLSA_BUILD", `,"ORG_SOURCE_SCANNED"`, ""), assay.Refuted, verify.Absent, "VSA V6"},
		"of a ref by its short name": {nil, own, one("refs/heads/main", "main"), assay.Refuted, verify.Absent, "VSA V6"},
		"by another verifier":        {nil, own, one(sourceVerifier, "https://other.example"), assay.Refuted, verify.Absent, "may not speak"},
		"by a stranger":              {nil, own, given(stranger), assay.Refuted, verify.Absent, "no summary"},
		"none":                       {nil, own, given(), assay.Refuted, verify.Absent, "no summary"},
		"not looked for":             {nil, own, nil, assay.Unknown, verify.NotStated, "not looked for"},
		"store down":                 {nil, own, []attest.Source{downSource{}}, assay.Unknown, verify.StoreUnreadable, "mirror"},
		"store down, and found":      {nil, own, append(given(genuine), downSource{}), assay.Proven, verify.Holds, ""},
		"store down, and lower":      {func(p *verify.Policy) { p.SourceLevel.Min = 4 }, own, append(given(genuine), downSource{}), assay.Unknown, verify.StoreUnreadable, "SLSA_SOURCE_LEVEL_3"},
		"no commit":                  {nil, []assay.Envelope{f.sign(t, f.signer, newProvenance())}, given(genuine), assay.Unknown, verify.NotStated, "does not name"},
		"no provenance":              {nil, nil, given(genuine), assay.Unknown, verify.NotStated, ""},
		"not asked for":              {func(p *verify.Policy) { p.SourceLevel = nil }, own, given(genuine), assay.Unknown, verify.NotStated, "says 3"},
	} {
		t.Run(name, func(t *testing.T) {
			r := ask(t, tt.policy, tt.own, tt.sources...)
			got := check(t, r, verify.CheckSourceLevel, tt.state, tt.reason)
			if !strings.Contains(strings.Join(got.Findings, "\n"), tt.says) {
				t.Errorf("findings are %q, want %q", got.Findings, tt.says)
			}
			if got.Required && (r.Err() == nil) != (tt.state == assay.Proven) || !got.Required && errors.Is(r.Err(), assay.ErrRefuted) {
				t.Errorf("required %v, error %v", got.Required, r.Err())
			}
		})
	}
	t.Run("report", func(t *testing.T) {
		r := ask(t, nil, own, given(genuine)...)
		want := verify.SourceLevel{Envelope: genuine.Digest(), Verifier: sourceVerifier, Repository: source, Level: 3}
		if len(r.SourceLevels) != 1 {
			t.Fatalf("got %+v", r.SourceLevels)
		}
		if got := r.SourceLevels[0]; got.Envelope != want.Envelope || got.Verifier != want.Verifier || got.Repository != want.Repository || got.Level != 3 || got.Commit.Hex() != commit ||
			!slices.Equal(got.Refs, []string{"refs/heads/main", "refs/heads/next"}) || !slices.Equal(got.Verified, []string{"ORG_SOURCE_SCANNED", "SLSA_SOURCE_LEVEL_3"}) || !got.SignedBy.Equal(at) || got.Signer.Subject != forge.SAN {
			t.Errorf("got %+v", got)
		}
		s, err := r.Summary(summaryOptions())
		if err != nil || !slices.ContainsFunc(s.Inputs, func(i assay.Resource) bool { return i.Digest.Has(genuine.Digest()) }) {
			t.Errorf("the summary does not rest on the source's: %+v, %v", s, err)
		}
	})
	// What vouches for a commit is no evidence of the image, and the other way round.
	t.Run("among the image's", func(t *testing.T) {
		r := ask(t, nil, []assay.Envelope{built, genuine})
		if a := attestation(t, r, genuine); a.Reason != verify.SubjectMismatch {
			t.Errorf("got %+v", a)
		}
		ofImage := by(t, sourceStatement(`"gitCommit":"`+commit+`"`, `"sha256":"`+f.digest.Hex()+`"`), at)
		check(t, ask(t, nil, own, attest.FromEnvelopes(ofImage)), verify.CheckSourceLevel, assay.Refuted, verify.Absent)
	})
	t.Run("record", func(t *testing.T) {
		text := string(record(t, ask(t, nil, own, given(genuine)...)))
		at := `"revisions":{"found":[{"digest":"gitCommit:` + commit + `"`
		twice := strings.Replace(text, at, at+`},{"digest":"gitCommit:`+commit+`"`, 1)
		if twice == text {
			t.Fatal("the record does not have the commit")
		}
		if _, err := verify.ReadRecord("record.json", []byte(twice)); !errors.Is(err, assay.ErrInvalid) || !strings.Contains(err.Error(), "/revisions/found/1/digest") {
			t.Errorf("got %v", err)
		}
	})
}

func TestSourceLevelRefused(t *testing.T) {
	f := newFixture(t)
	for field, change := range map[string]func(*verify.SourceLevelRule){
		"verifier":     func(r *verify.SourceLevelRule) { r.Verifier = "https://other.example" },
		"min":          func(r *verify.SourceLevelRule) { r.Min = 0 },
		"maxAge":       func(r *verify.SourceLevelRule) { r.MaxAge = 0 },
		"refPattern":   func(r *verify.SourceLevelRule) { r.RefPattern = ".*" },
		"properties/0": func(r *verify.SourceLevelRule) { r.Properties = []string{"SLSA_SOURCE_LEVEL_3"} },
		"properties/1": func(r *verify.SourceLevelRule) { r.Properties = []string{"ORG_SOURCE_A", "ORG_SOURCE_A"} },
	} {
		p := f.policy()
		p.Signers[0].Verifiers = []string{sourceVerifier}
		p.SourceLevel = &verify.SourceLevelRule{Verifier: sourceVerifier, Min: 1, MaxAge: verify.Duration(time.Hour)}
		if _, err := verify.New(f.trust(), p); err != nil {
			t.Fatal(err)
		}
		change(p.SourceLevel)
		if _, err := verify.New(f.trust(), p); !errors.Is(err, assay.ErrInvalid) || !strings.Contains(err.Error(), "/sourceLevel/"+field) {
			t.Errorf("%s: %v", field, err)
		}
	}
	if _, err := verify.New(f.trust(), f.policy(), verify.Revisions(nil)); !errors.Is(err, assay.ErrInvalid) {
		t.Errorf("got %v", err)
	}
}
