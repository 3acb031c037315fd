package attest_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/attest"
	"github.com/assaykit/assay/sbom/image"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// Evidence about an image is signed, attached to it, and found again.
func ExamplePublish() {
	ctx := context.Background()
	server := httptest.NewServer(registry.New(registry.WithReferrersSupport(true), registry.Logger(log.New(io.Discard, "", 0))))
	defer server.Close()
	ref := strings.TrimPrefix(server.URL, "http://") + "/app:v1"
	if err := remote.Write(must(name.ParseReference(ref)), empty.Image); err != nil {
		panic(err)
	}

	signer := must(attest.NewKeySigner(must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))))
	tests := &assay.TestResult{Result: "PASSED", Configuration: []assay.Resource{{URI: "https://ci.example/run/1"}}}
	attached := must(attest.Publish(ctx, signer, ref, attest.PublishOptions{}, tests))
	fmt.Println(attached.Subject)

	found := must(attest.FromRegistry(ref, image.Registry{}).Discover(ctx, attached.Subject))
	fmt.Println(found.Bundle.Len(), found.Complete())
	// Output:
	// sha256:732112270d7e59418a8c080b134b24cabd67d250d0d0147a97ed95ba5c280aa4
	// 1 true
}

func ExampleSign() {
	key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	signer := must(attest.NewKeySigner(key))
	subject := assay.Subject{Name: "app", Digest: assay.DigestSet{assay.MustDigest("sha256:" + strings.Repeat("a", 64))}}
	statement := must(attest.NewStatement(&assay.TestResult{Result: "FAILED", Configuration: []assay.Resource{}}, attest.StatementOptions{}, subject))
	envelope := must(attest.Sign(context.Background(), signer, statement))
	fmt.Println(statement.PredicateType())
	fmt.Println(envelope.MediaType())
	// Output:
	// https://in-toto.io/attestation/test-result/v0.1
	// application/vnd.dev.sigstore.bundle.v0.3+json
}

// Envelopes are kept in files as well, and read beside a registry.
func ExampleWriteFile() {
	dir := must(os.MkdirTemp("", "evidence"))
	defer os.RemoveAll(dir)
	digest := assay.MustDigest("sha256:" + strings.Repeat("a", 64))
	signer := must(attest.NewKeySigner(must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))))
	statement := must(attest.NewStatement(&assay.TestResult{Result: "PASSED", Configuration: []assay.Resource{}}, attest.StatementOptions{},
		assay.Subject{Digest: assay.DigestSet{digest}}))
	path := filepath.Join(dir, "evidence.jsonl")
	if err := attest.WriteFile(path, must(attest.Sign(context.Background(), signer, statement))); err != nil {
		panic(err)
	}
	found := must(attest.Join(attest.FromFiles(path), attest.FromFolder(dir)).Discover(context.Background(), digest))
	fmt.Println(found.Bundle.Len())
	// Output: 1
}

// Several statements are signed in one go: with one certificate, where the signer
// has one. All are signed, or none.
func ExampleSignAll() {
	signer := must(attest.NewKeySigner(must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))))
	subject := assay.Subject{Name: "app", Digest: assay.DigestSet{assay.MustDigest("sha256:" + strings.Repeat("a", 64))}}
	var statements []assay.Statement[assay.Evidence]
	for _, result := range []string{"PASSED", "WARNED"} {
		statements = append(statements, must(attest.NewStatement(&assay.TestResult{Result: result, Configuration: []assay.Resource{}}, attest.StatementOptions{}, subject)))
	}
	envelopes := must(attest.SignAll(context.Background(), signer, statements...))
	fmt.Println(len(envelopes))
	// Output: 2
}

// What is attached in one call becomes visible at once, or not at all.
func ExampleAttach() {
	ctx := context.Background()
	server := httptest.NewServer(registry.New(registry.WithReferrersSupport(true), registry.Logger(log.New(io.Discard, "", 0))))
	defer server.Close()
	ref := strings.TrimPrefix(server.URL, "http://") + "/app:v1"
	if err := remote.Write(must(name.ParseReference(ref)), empty.Image); err != nil {
		panic(err)
	}
	digest := must(empty.Image.Digest())
	signer := must(attest.NewKeySigner(must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))))
	subject := assay.Subject{Digest: assay.DigestSet{assay.MustDigest(digest.String())}}
	var envelopes []assay.Envelope
	for _, result := range []string{"PASSED", "WARNED"} {
		s := must(attest.NewStatement(&assay.TestResult{Result: result, Configuration: []assay.Resource{}}, attest.StatementOptions{}, subject))
		envelopes = append(envelopes, must(attest.Sign(ctx, signer, s)))
	}
	for range 2 { // the second changes nothing
		attached := must(attest.Attach(ctx, ref, attest.AttachOptions{}, envelopes...))
		fmt.Println(len(attached.Referrers), attached.Referrers[0].New, attached.Referrers[1].New)
	}
	// Output:
	// 2 true true
	// 2 false false
}

// A layout keeps what belongs to an image beside it; "cosign save" writes one.
func ExampleFromLayout() {
	dir := must(os.MkdirTemp("", "layout"))
	defer os.RemoveAll(dir)
	layout := must(layout.Write(dir, empty.Index))
	if err := layout.AppendImage(empty.Image); err != nil {
		panic(err)
	}
	digest := assay.MustDigest(must(empty.Image.Digest()).String())
	found := must(attest.FromLayout(dir).Discover(context.Background(), digest))
	fmt.Println(found.Bundle.Len(), found.Complete())
	// Output: 0 true
}

// Evidence of GitHub's is read beside what is attached to the image. The token goes to
// the endpoint alone.
func ExampleFromGitHub() {
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, `{"attestations":[{"bundle":{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json"}}]}`)
	}))
	defer api.Close()
	digest := assay.MustDigest("sha256:" + strings.Repeat("a", 64))
	github := attest.FromGitHub(api.URL, "repos/octo/app", attest.GitHubOptions{Token: "…"})
	found := must(attest.Join(attest.FromEnvelopes(), github).Discover(context.Background(), digest))
	fmt.Println(found.Bundle.Len(), found.Complete())
	// Output: 1 true
}

// Some stores hold it, one cannot be read, and one holds nothing: three different
// things.
func ExampleJoin() {
	dir := must(os.MkdirTemp("", "evidence"))
	defer os.RemoveAll(dir)
	if err := os.WriteFile(filepath.Join(dir, "broken.json"), []byte("{"), 0o600); err != nil {
		panic(err)
	}
	digest := assay.MustDigest("sha256:" + strings.Repeat("a", 64))
	held := assay.NewEnvelope(assay.MediaTypeDSSE, []byte("{}"), "by the caller")
	found := must(attest.Join(attest.FromEnvelopes(held), attest.FromFolder(dir), attest.FromFiles(filepath.Join(dir, "none.json"))).Discover(context.Background(), digest))
	fmt.Println(found.Bundle.Len(), found.Complete())
	for _, f := range found.Faults {
		fmt.Println(filepath.Base(f.Store), f.Kind)
	}
	// Output:
	// 1 false
	// broken.json unreadable
	// none.json absent
}

// What an envelope says of itself can be shown. Nobody has checked any of it.
func ExampleReadUnverified() {
	e := assay.NewEnvelope(assay.MediaTypeInToto, []byte(`{"_type":"https://in-toto.io/Statement/v0.1","predicateType":"https://spdx.dev/Document",
		"subject":[{"name":"app","digest":{"sha256":"`+strings.Repeat("a", 64)+`"}}],"predicate":{}}`))
	fmt.Println(must(attest.ReadUnverified(e)))
	// Output: unverified unsigned statement of "https://spdx.dev/Document" about sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa, not signed
}

// Envelopes are kept in a folder, one file each, and read back byte for byte. Reading is
// not verifying.
func ExampleWriteFolder() {
	dir := must(os.MkdirTemp("", "evidence"))
	defer os.RemoveAll(dir)
	signer := must(attest.NewKeySigner(must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))))
	statement := must(attest.NewStatement(&assay.TestResult{Result: "PASSED", Configuration: []assay.Resource{}}, attest.StatementOptions{},
		assay.Subject{Digest: assay.DigestSet{assay.MustDigest("sha256:" + strings.Repeat("a", 64))}}))
	envelope := must(attest.Sign(context.Background(), signer, statement))
	for range 2 { // writing again changes nothing
		if err := attest.WriteFolder(dir, envelope); err != nil {
			panic(err)
		}
	}
	read := must(attest.ReadFiles(context.Background(), dir))
	fmt.Println(len(read), read[0].Digest() == envelope.Digest())
	_, err := attest.ReadFiles(context.Background(), filepath.Join(dir, "missing"))
	fmt.Println(errors.Is(err, assay.ErrAbsent))
	// Output:
	// 1 true
	// true
}

// An image that is at hand, from wherever it was opened, is what evidence is held
// against; its evidence may be somewhere else.
func ExampleFromImage() {
	digest := assay.MustDigest(must(empty.Image.Digest()).String())
	signer := must(attest.NewKeySigner(must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))))
	statement := must(attest.NewStatement(&assay.TestResult{Result: "PASSED", Configuration: []assay.Resource{}}, attest.StatementOptions{}, assay.Subject{Digest: assay.DigestSet{digest}}))
	source := attest.Join(attest.FromImage(empty.Image), attest.FromEnvelopes(must(attest.Sign(context.Background(), signer, statement))))
	fmt.Println(must(source.Discover(context.Background(), digest)).Bundle.Len())
	// Output:
	// 1
}

// What a DSSE signature covers, for keys that another program holds.
func ExamplePAE() {
	fmt.Printf("%s\n", attest.PAE("application/vnd.in-toto+json", []byte("{}")))
	// Output:
	// DSSEv1 28 application/vnd.in-toto+json 2 {}
}

// A policy names a key by its id.
func ExampleKeyID() {
	key := ed25519.NewKeyFromSeed([]byte(strings.Repeat("k", 32)))
	fmt.Println(attest.KeyID(key.Public()))
	fmt.Println(must(attest.NewKeySigner(key)).Identity().Key == must(attest.KeyID(key.Public())))
	// Output:
	// sha256:b67d45dc2d72d307cdc1a74ae420fe27dee31c5e818cbd6cf7089739bc85687b <nil>
	// true
}

// An index, with the images that it lists: a base image may be named by the digest of
// one.
func ExampleFromIndex() {
	index := mutate.AppendManifests(empty.Index, mutate.IndexAddendum{Add: empty.Image})
	source := attest.FromIndex(index)
	found := must(source.Discover(context.Background(), assay.MustDigest(must(index.Digest()).String())))
	fmt.Println(found.Bundle.Len(), found.Complete())
	// Output:
	// 0 true
}
