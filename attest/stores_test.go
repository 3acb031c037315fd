package attest_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/attest"
	"github.com/assaykit/assay/internal/testregistry"
	"github.com/assaykit/assay/sbom/image"
)

type layerJSON struct {
	mediaType, blob string
	annotations     map[string]string
}

// layered is a manifest without a subject, as cosign keeps under its tags.
func layered(layers ...layerJSON) string {
	var list []string
	for _, l := range layers {
		var notes []string
		for _, k := range slices.Sorted(maps.Keys(l.annotations)) {
			notes = append(notes, strconv.Quote(k)+":"+strconv.Quote(l.annotations[k]))
		}
		list = append(list, fmt.Sprintf(`{"mediaType":%q,"digest":%q,"size":%d,"annotations":{%s}}`, l.mediaType, at(l.blob), len(l.blob), strings.Join(notes, ",")))
	}
	return `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"` +
		at("{}") + `","size":2},"layers":[` + strings.Join(list, ",") + `]}`
}

func tagOf(d assay.Digest, suffix string) string {
	return "/manifests/" + string(d.Algorithm()) + "-" + d.Hex() + suffix
}

const payloadA = `{"critical":{"identity":{"docker-reference":"app"},"image":{"docker-manifest-digest":"sha256:aa"},"type":"cosign container image signature"},"optional":null}`

// Signatures and attestations in cosign's tags are found, with all that belongs to
// them: two signatures over the same payload are two.
func TestCosignTags(t *testing.T) {
	dsse := `{"payloadType":"application/vnd.in-toto+json","payload":"e30=","signatures":[{"sig":"AA=="}]}`
	one := map[string]string{assay.AnnotationSignature: "b25l", assay.AnnotationCertificate: "PEM", assay.AnnotationRekorBundle: `{"x":1}`}
	two := map[string]string{assay.AnnotationSignature: "dHdv"}
	sig := layered(layerJSON{assay.MediaTypeSimpleSigning, payloadA, one}, layerJSON{assay.MediaTypeSimpleSigning, payloadA, two})
	att := layered(layerJSON{assay.MediaTypeDSSE, dsse, map[string]string{assay.AnnotationSignature: "", "predicateType": "x", assay.AnnotationTimestamp: "stamp"}},
		layerJSON{"text/plain", "no envelope", nil})
	image := layered()
	repo := scripted(t, map[string]string{
		"/manifests/" + at(image): image, tagOf(assay.MustDigest(at(image)), ".sig"): sig, tagOf(assay.MustDigest(at(image)), ".att"): att,
		"/blobs/" + at(payloadA): payloadA, "/blobs/" + at(dsse): dsse,
	}, nil)
	digest := assay.MustDigest(at(image))
	found := discover(t, attest.FromRegistry(repo, fast), digest)
	if !found.Complete() || len(found.Faults) != 0 {
		t.Errorf("faults %v", found.Faults)
	}
	want := assay.NewBundle(digest,
		assay.NewAnnotatedEnvelope(assay.MediaTypeSimpleSigning, []byte(payloadA), one),
		assay.NewAnnotatedEnvelope(assay.MediaTypeSimpleSigning, []byte(payloadA), two),
		assay.NewAnnotatedEnvelope(assay.MediaTypeDSSE, []byte(dsse), map[string]string{assay.AnnotationTimestamp: "stamp"}))
	if diff := cmp.Diff(digests(want), digests(found.Bundle), sameDigest); diff != "" {
		t.Fatalf("envelopes (-want +got):\n%s", diff)
	}
	for e := range found.Bundle.Envelopes() {
		place := repo + ":sha256-" + digest.Hex() + ".sig"
		if e.MediaType() == assay.MediaTypeDSSE {
			place = repo + ":sha256-" + digest.Hex() + ".att"
		}
		if diff := cmp.Diff([]string{place}, e.Sources()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", e.MediaType(), diff)
		}
		if e.MediaType() == assay.MediaTypeSimpleSigning && string(e.Raw()) != payloadA {
			t.Errorf("raw is %s", e.Raw())
		}
	}
}

// What cosign stores as an OCI 1.1 referrer is found as well; the same artifact in two
// lists is asked for once, and both are places it was found in.
func TestOneArtifactInManyStores(t *testing.T) {
	sigType := "application/vnd.dev.cosign.artifact.sig.v1+json"
	m := strings.Replace(artifactJSON(digestA.String(), sigType, assay.MediaTypeSimpleSigning, payloadA), `}],"subject"`,
		`,"annotations":{"dev.cosignproject.cosign/signature":"b25l"}}],"subject"`, 1)
	answers := map[string]string{
		"/manifests/" + digestA.String():     layered(),
		"/referrers/" + digestA.String():     index(entry(m, sigType)),
		"/manifests/sha256-" + digestA.Hex(): index(entry(m, sigType)),
		tagOf(digestA, ".sig"):               m,
		"/manifests/" + at(m):                m,
		"/blobs/" + at(payloadA):             payloadA,
	}
	var mu sync.Mutex
	asked := map[string]int{}
	repo := scripted(t, answers, func(_ http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, "/blobs/") || strings.HasSuffix(r.URL.Path, at(m)) {
			mu.Lock()
			defer mu.Unlock()
			asked[r.URL.Path]++
		}
	})
	found := discover(t, attest.FromRegistry(repo, image.Registry{Retries: -1}).WithLimits(attest.Limits{Concurrency: 1}), digestA)
	envelopes := slices.Collect(found.Bundle.Envelopes())
	if len(envelopes) != 1 {
		t.Fatalf("found %d envelopes, faults %v", len(envelopes), found.Faults)
	}
	if diff := cmp.Diff([]string{repo + ":sha256-" + digestA.Hex() + ".sig", repo + "@" + at(m)}, envelopes[0].Sources()); diff != "" {
		t.Errorf("places (-want +got):\n%s", diff)
	}
	if envelopes[0].Annotations()[assay.AnnotationSignature] != "b25l" {
		t.Errorf("annotations %v", envelopes[0].Annotations())
	}
	mu.Lock()
	defer mu.Unlock()
	for path, n := range asked {
		if n != 1 {
			t.Errorf("%s was asked for %d times", path, n)
		}
	}
	if len(asked) != 1 { // the manifest came with the tag
		t.Errorf("asked for %v", asked)
	}
}

// buildKitIndex is an index of two platforms with an attestation manifest for each,
// and one that names none of them.
func buildKitIndex() (body string, platforms []string, attestations []string, statements []string, files map[string]string) {
	files = map[string]string{}
	var entries []string
	for _, arch := range []string{"amd64", "arm64"} {
		m := layered(layerJSON{"application/vnd.oci.image.layer.v1.tar+gzip", arch, nil})
		platforms = append(platforms, m)
		files["/manifests/"+at(m)] = m
		entries = append(entries, strings.Replace(entry(m, ""), `"artifactType":""`, `"platform":{"os":"linux","architecture":"`+arch+`"}`, 1))
	}
	for i, about := range []string{at(platforms[0]), at(platforms[1]), digestB.String()} {
		statement := fmt.Sprintf(`{"_type":"https://in-toto.io/Statement/v0.1","predicateType":"https://spdx.dev/Document","subject":[{"name":"_","digest":{"sha256":%q}}],"predicate":{"n":%d}}`, strings.TrimPrefix(about, "sha256:"), i)
		m := layered(layerJSON{assay.MediaTypeInToto, statement, map[string]string{"in-toto.io/predicate-type": "https://spdx.dev/Document"}})
		attestations, statements = append(attestations, m), append(statements, statement)
		files["/manifests/"+at(m)], files["/blobs/"+at(statement)] = m, statement
		entries = append(entries, strings.Replace(entry(m, ""), `"artifactType":""`, fmt.Sprintf(
			`"platform":{"os":"unknown","architecture":"unknown"},"annotations":{"vnd.docker.reference.type":"attestation-manifest","vnd.docker.reference.digest":%q}`, about), 1))
	}
	body = index(entries...)
	files["/manifests/"+at(body)] = body
	return body, platforms, attestations, statements, files
}

func checkBuildKit(t *testing.T, found *attest.Found, place string, platforms, attestations, statements []string) {
	t.Helper()
	if !found.Complete() || len(found.Ignored) != 0 {
		t.Errorf("faults %v, ignored %v", found.Faults, found.Ignored)
	}
	got := map[string]*assay.Bundle{digestB.String(): found.Bundle}
	for p := range found.Bundle.Platforms() {
		got[p.Bundle.Subject().String()] = p.Bundle
	}
	for i, about := range []string{at(platforms[0]), at(platforms[1]), digestB.String()} {
		b := got[about]
		if b == nil {
			t.Fatalf("no bundle for %s", about)
		}
		envelopes := slices.Collect(b.Envelopes())
		if len(envelopes) != 1 || string(envelopes[0].Raw()) != statements[i] || envelopes[0].MediaType() != assay.MediaTypeInToto {
			t.Fatalf("%s: envelopes %v", about, envelopes)
		}
		if diff := cmp.Diff([]string{place + "@" + at(attestations[i])}, envelopes[0].Sources()); diff != "" {
			t.Error(diff)
		}
		u, err := attest.ReadUnverified(envelopes[0])
		if err != nil || u.Format != attest.FormatStatement || len(u.Signatures) != 0 || u.PredicateType != "https://spdx.dev/Document" {
			t.Errorf("described as %+v, %v", u, err)
		}
	}
}

// BuildKit's statements are found with the platform that they are about, and nothing
// signed them.
func TestBuildKit(t *testing.T) {
	body, platforms, attestations, statements, files := buildKitIndex()
	repo := scripted(t, files, nil)
	checkBuildKit(t, discover(t, attest.FromRegistry(repo, fast), assay.MustDigest(at(body))), repo, platforms, attestations, statements)

	// One that is listed and not there is a store that cannot be read.
	delete(files, "/manifests/"+at(attestations[0]))
	if found := discover(t, attest.FromRegistry(repo, fast), assay.MustDigest(at(body))); found.Complete() || !strings.Contains(found.Err().Error(), at(attestations[0])) {
		t.Errorf("faults %v", found.Faults)
	}
}

// An index that is in itself over and over, or many times in another, takes no more
// than what it may have of platforms.
func TestIndexBomb(t *testing.T) {
	files := map[string]string{}
	inner := layered()
	files["/manifests/"+at(inner)] = inner
	for range 3 {
		var entries []string
		for i := range 400 {
			entries = append(entries, strings.Replace(entry(inner, ""), `"artifactType":""`, fmt.Sprintf(`"platform":{"os":"linux","architecture":"a%d"}`, i), 1))
		}
		inner = index(entries...)
		files["/manifests/"+at(inner)] = inner
	}
	repo := scripted(t, files, nil)
	start := time.Now()
	found := discover(t, attest.FromRegistry(repo, fast), assay.MustDigest(at(inner)))
	if !errors.Is(found.Err(), assay.ErrBound) || !strings.Contains(found.Err().Error(), "at most 256 platforms") {
		t.Errorf("faults %v", found.Faults)
	}
	count := 0
	var walk func(b *assay.Bundle)
	walk = func(b *assay.Bundle) {
		for p := range b.Platforms() {
			count++
			walk(p.Bundle)
		}
	}
	walk(found.Bundle)
	if count != attest.DefaultPlatforms {
		t.Errorf("%d places", count)
	}
	t.Logf("took %s", time.Since(start))
}

// An image in two places of one index, and under two platforms, is in each.
func TestSameImageTwice(t *testing.T) {
	m := layered()
	blob := `{"n":1}`
	a := artifactJSON(at(m), bundleType, bundleType, blob)
	arch := func(s string) string {
		return strings.Replace(entry(m, ""), `"artifactType":""`, `"platform":{"os":"linux","architecture":"`+s+`"}`, 1)
	}
	body := index(arch("amd64"), arch("amd64"), arch("arm64"))
	repo := scripted(t, map[string]string{"/manifests/" + at(m): m, "/manifests/" + at(body): body, "/referrers/" + at(m): index(entry(a, bundleType)),
		"/manifests/" + at(a): a, "/blobs/" + at(blob): blob}, nil)
	found := discover(t, attest.FromRegistry(repo, fast), assay.MustDigest(at(body)))
	var names []string
	for p := range found.Bundle.Platforms() {
		if p.Bundle.Len() != 1 {
			t.Errorf("%s has %d envelopes", p.Platform, p.Bundle.Len())
		}
		names = append(names, p.Platform.String())
	}
	if diff := cmp.Diff([]string{"linux/amd64", "linux/arm64"}, names); diff != "" {
		t.Errorf("platforms (-want +got):\n%s", diff)
	}
}

// Each object is asked for once, and nothing else is.
func TestOneRequestForEach(t *testing.T) {
	for _, tt := range registries {
		t.Run(tt.name, func(t *testing.T) {
			back := tt.start(t)
			idx, platforms := pushIndex(t, back)
			signer := newSigner(t)
			const each = 6
			for _, d := range append(slices.Clone(platforms), idx) {
				var all []assay.Envelope
				for i := range each {
					all = append(all, envelope(t, signer, d, strconv.Itoa(i)))
				}
				if _, err := attest.Attach(t.Context(), back.Ref("app@"+d.String()), attest.AttachOptions{}, all...); err != nil {
					t.Fatal(err)
				}
			}
			r := testregistry.Front(t, back)
			found := discover(t, attest.FromRegistry(r.Ref("app"), fast), idx)
			n := found.Bundle.Len()
			for p := range found.Bundle.Platforms() {
				n += p.Bundle.Len()
			}
			if n != 3*each || !found.Complete() {
				t.Fatalf("found %d envelopes, faults %v", n, found.Faults)
			}
			seen := map[string]int{}
			for _, q := range r.Requests() {
				seen[q.Method+" "+q.Path+"?"+q.Query]++
			}
			for q, n := range seen {
				if n != 1 {
					t.Errorf("%s: %d times", q, n)
				}
			}
			// The handshake; for index and platforms their manifest and four lists; each
			// artifact and each envelope; and what stands for platform unknown/unknown. Where
			// the registry lists referrers itself, the artifact of each set as well.
			want := 1 + 3*5 + 2*3*each + 1
			if tt.api {
				want += 3
			}
			if len(seen) != want {
				t.Errorf("%d requests, want %d", len(seen), want)
			}
		})
	}
}

// delayed is a registry before another that takes its time for each request, and
// notes how many it had at once.
func delayed(t testing.TB, back *testregistry.Registry, delay time.Duration) (repo string, most *atomic.Int64, total *atomic.Int64) {
	t.Helper()
	most, total = new(atomic.Int64), new(atomic.Int64)
	var now atomic.Int64
	pass := httputil.NewSingleHostReverseProxy(must(url.Parse(back.URL)))
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		total.Add(1)
		n := now.Add(1)
		for {
			m := most.Load()
			if n <= m || most.CompareAndSwap(m, n) {
				break
			}
		}
		time.Sleep(delay)
		now.Add(-1) // once it has the answer, the client may already ask for the next
		pass.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	return strings.TrimPrefix(s.URL, "http://") + "/app", most, total
}

// Requests are made at once, and not more of them than is allowed.
func TestConcurrency(t *testing.T) {
	back := testregistry.InProcess(t, testregistry.Options{})
	digest := pushEverything(t, back)
	want := everything(discover(t, attest.FromRegistry(back.Ref("app"), fast), digest))
	for _, limit := range []int{1, 3, 8} {
		// On a machine that is busy a request may be over before the next one comes; then
		// they take longer.
		for delay := 20 * time.Millisecond; ; delay *= 4 {
			repo, most, _ := delayed(t, back, delay)
			found := discover(t, attest.FromRegistry(repo, fast).WithLimits(attest.Limits{Concurrency: limit}), digest)
			if !cmp.Equal(want, everything(found)) {
				t.Errorf("faults %v", found.Faults)
			}
			n := most.Load()
			if n < int64(min(limit, 4)) && delay < time.Second {
				continue
			}
			if n > int64(limit) || n < int64(min(limit, 4)) {
				t.Errorf("%d requests at once, allowed are %d", n, limit)
			}
			break
		}
	}
}

// The floor is what the rounds of requests take that have to wait for each other: the
// handshake, the image with its lists, the artifacts, the envelopes; each eight at a
// time. The six attestations of an image take three of these.
func BenchmarkDiscover(b *testing.B) {
	const delay, each, atOnce = 20 * time.Millisecond, 6, 8
	back := testregistry.InProcess(b, testregistry.Options{})
	ref, digest := pushImage(b, back)
	signer := newSigner(b)
	var all []assay.Envelope
	for i := range each {
		all = append(all, envelope(b, signer, digest, strconv.Itoa(i)))
	}
	if _, err := attest.Attach(context.Background(), ref, attest.AttachOptions{}, all...); err != nil {
		b.Fatal(err)
	}
	repo, _, total := delayed(b, back, delay)
	source := attest.FromRegistry(repo, fast)
	for b.Loop() {
		if found := discover(b, source, digest); found.Bundle.Len() != each {
			b.Fatalf("found %d, faults %v", found.Bundle.Len(), found.Faults)
		}
	}
	rounds := 1 + 1 + (each+atOnce-1)/atOnce + (each+atOnce-1)/atOnce
	b.ReportMetric(float64(b.Elapsed())/float64(b.N)/float64(time.Duration(rounds)*delay), "x-floor")
	b.ReportMetric(float64(total.Load())/float64(b.N), "requests")
}
