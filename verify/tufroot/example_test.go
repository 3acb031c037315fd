package tufroot_test

import (
	"context"
	"fmt"
	"os"
	"testing"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/testsigstore"
	"github.com/assaykit/assay/verify"
	"github.com/assaykit/assay/verify/tufroot"
)

// exampleTB is what an example is without a test.
type exampleTB struct{ testing.TB }

func (exampleTB) Helper()                   {}
func (exampleTB) Cleanup(func())            {}
func (exampleTB) Fatal(args ...any)         { panic(fmt.Sprint(args...)) }
func (exampleTB) Fatalf(f string, a ...any) { panic(fmt.Sprintf(f, a...)) }

// What a repository gives is what verify.Trust takes.
func Example() {
	// A repository on loopback. The root of TUF is from a place that is trusted: it
	// is compiled into the program, say.
	repo := newRepository(exampleTB{}, map[string]string{
		tufroot.TrustedRoot: string(testsigstore.NewVirtual(exampleTB{}).TrustedRootJSON())})
	rootOfTUF := repo.get("1.root.json")
	cache, err := os.MkdirTemp("", "tuf")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(cache)

	client, err := tufroot.New(tufroot.Options{Mirror: repo.url, Root: rootOfTUF, Cache: cache})
	if err != nil {
		panic(err)
	}
	got, err := client.Fetch(context.Background())
	if err != nil {
		panic(err)
	}
	_, err = verify.New(
		verify.Trust{TrustedRoot: got.Files[tufroot.TrustedRoot]},
		verify.Policy{
			Signers: []verify.SignerRule{{Name: "ci", Issuer: "https://issuer.example", Subject: "ci@example.com"}},
			Require: []assay.Kind{assay.KindProvenance},
		})
	fmt.Println("root", got.Root, "fresh", got.Unreached == nil, "stale", got.Stale, err)
	// Output: root 1 fresh true stale false <nil>
}
