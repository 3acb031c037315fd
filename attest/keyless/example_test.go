package keyless_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/attest"
	"github.com/assaykit/assay/attest/keyless"
	"github.com/assaykit/assay/internal/testsigstore"
)

// exampleTB is what an example is without a test.
type exampleTB struct{ testing.TB }

func (exampleTB) Helper()                   {}
func (exampleTB) Cleanup(func())            {}
func (exampleTB) Fatal(args ...any)         { panic(fmt.Sprint(args...)) }
func (exampleTB) Fatalf(f string, a ...any) { panic(fmt.Sprintf(f, a...)) }

// A job of GitHub Actions signs two statements with one certificate.
func Example() {
	stack := testsigstore.NewVirtual(exampleTB{}).Serve(exampleTB{}) // services on loopback
	env, err := stack.ActionsEnvironment(testsigstore.Workflow{})    // os.Getenv in a job
	if err != nil {
		panic(err)
	}
	signer, err := keyless.New(keyless.Options{
		SigningConfig: stack.SigningConfigJSON(),
		TrustedRoot:   stack.TrustedRootJSON(),
		Token:         keyless.Ambient(keyless.AmbientOptions{Env: func(k string) string { return env[k] }}),
	})
	if err != nil {
		panic(err)
	}
	subject := assay.Subject{Name: "app", Digest: assay.DigestSet{assay.SumSHA256([]byte("manifest"))}}
	var statements []assay.Statement[assay.Evidence]
	for _, result := range []string{"PASSED", "WARNED"} {
		s, err := attest.NewStatement(&assay.TestResult{Result: result, Configuration: []assay.Resource{}}, attest.StatementOptions{}, subject)
		if err != nil {
			panic(err)
		}
		statements = append(statements, s)
	}
	envelopes, err := attest.SignAll(context.Background(), signer, statements...)
	if err != nil {
		panic(err)
	}
	fmt.Println(len(envelopes), envelopes[0].MediaType())
	// Output: 2 application/vnd.dev.sigstore.bundle.v0.3+json
}

// Outside of any environment, the error says what was looked for.
func ExampleAmbient() {
	none := func(string) string { return "" }
	_, err := keyless.FirstOf(keyless.GitHubToken{Env: none}, keyless.GitLabToken{Env: none}).Token(context.Background(), "sigstore")
	fmt.Println(assay.KindOf(err) == assay.ErrAbsent)
	fmt.Println(err)
	// Output:
	// true
	// get OIDC token: absent, want an identity: get OIDC token: GitHub Actions: ACTIONS_ID_TOKEN_REQUEST_URL and ACTIONS_ID_TOKEN_REQUEST_TOKEN: absent, want a job with the permission "id-token: write"; get OIDC token: GitLab CI: GITLAB_CI: absent, want true
}

// A person logs in once, and signs as often as the token is valid.
func ExampleBrowserToken() {
	stack := testsigstore.NewVirtual(exampleTB{}).Serve(exampleTB{}) // services on loopback
	issuer, err := keyless.Issuer(stack.SigningConfigJSON(), time.Now())
	if err != nil {
		panic(err)
	}
	login := keyless.Reuse(keyless.BrowserToken{
		Issuer: issuer,
		Open:   browse, // a program prints the URL, or starts a browser
	}, nil)
	signer, err := keyless.New(keyless.Options{SigningConfig: stack.SigningConfigJSON(), Token: login})
	if err != nil {
		panic(err)
	}
	for range 2 {
		if _, err := signer.Sign(context.Background(), []byte(`{}`)); err != nil {
			panic(err)
		}
	}
	fmt.Println("signed twice")
	// Output: signed twice
}

// Where there is no browser, a person logs in on another machine.
func ExampleDeviceToken() {
	stack := testsigstore.NewVirtual(exampleTB{}).Serve(exampleTB{}) // services on loopback
	login := keyless.DeviceToken{
		Issuer: stack.Issuer(),
		Show: func(_ context.Context, p keyless.DevicePrompt) error {
			fmt.Println("enter", p.Code, "within", p.Expires)
			return nil
		},
	}
	token, err := login.Token(context.Background(), keyless.DefaultAudience)
	fmt.Println(token != "", err)
	// Output:
	// enter ABCD-EFGH within 1m0s
	// true <nil>
}
