package verify_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/attest"
	"github.com/assaykit/assay/internal/testimage"
	"github.com/assaykit/assay/internal/testregistry"
	"github.com/assaykit/assay/sbom"
	"github.com/assaykit/assay/sbom/image"
	"github.com/assaykit/assay/verify"
)

// For an index every platform counts: one without evidence is not hidden by the
// others, and what is said of the index is said of each.
func TestIndex(t *testing.T) {
	f := newFixture(t)
	arm := testimage.New(t, testimage.Layer{Files: []testimage.File{{Name: "app", Mode: 0o755, Body: "arm"}}})
	index := testimage.NewIndex(t,
		testimage.Member{Image: f.image, Platform: assay.Platform{OS: "linux", Architecture: "amd64"}},
		testimage.Member{Image: arm, Platform: assay.Platform{OS: "linux", Architecture: "arm64"}},
		testimage.Member{Image: arm, Attests: arm})
	home := testregistry.InProcess(t, testregistry.Options{})
	ref := testimage.PushIndex(t, home.Ref("app:v1"), index)
	publish := func(digest assay.Digest, evidence ...assay.Evidence) {
		t.Helper()
		if _, err := attest.Publish(context.Background(), f.signer, ref.Context().Name()+"@"+digest.String(), attest.PublishOptions{}, evidence...); err != nil {
			t.Fatal(err)
		}
	}
	publish(f.digest, f.sbom)
	publish(index.ID(), newProvenance())

	policy := verify.Policy{Signers: f.policy().Signers, Require: []assay.Kind{assay.KindSBOM, assay.KindProvenance}}
	v, err := verify.New(f.trust(), policy, verify.At(at))
	if err != nil {
		t.Fatal(err)
	}
	ask := func() *verify.Report {
		t.Helper()
		r, err := v.Verify(context.Background(), index.ID(), attest.FromRegistry(ref.Context().Name(), image.Registry{}))
		if err != nil {
			t.Fatal(err)
		}
		if len(r.Platforms) != 2 {
			t.Fatalf("%d platforms", len(r.Platforms))
		}
		replays(t, r)
		return r
	}

	r := ask()
	amd64, arm64 := r.Platforms[0], r.Platforms[1]
	if amd64.Platform.Architecture != "amd64" || arm64.Platform.Architecture != "arm64" {
		t.Fatalf("platforms are %s, %s", amd64.Platform, arm64.Platform)
	}
	check(t, amd64, "evidence/sbom", assay.Proven, verify.Holds)
	check(t, amd64, "evidence/provenance", assay.Proven, verify.Holds)
	check(t, arm64, "evidence/provenance", assay.Proven, verify.Holds)
	check(t, arm64, "evidence/sbom", assay.Refuted, verify.Absent)
	// What one platform lacks stands at the top, and is what is said first.
	check(t, r, "evidence/provenance", assay.Proven, verify.Holds)
	lacking := check(t, r, "evidence/sbom", assay.Refuted, verify.Absent)
	if !slices.Equal(lacking.Findings, []string{"linux/arm64 has no SBOM"}) || !lacking.Required || !strings.Contains(r.Err().Error(), "linux/arm64 has no SBOM") {
		t.Errorf("%+v; %v", lacking, r.Err())
	}
	if amd64.Verdict.Policy != assay.Proven || r.Verdict.Policy != assay.Refuted || !errors.Is(r.Err(), assay.ErrRefuted) {
		t.Errorf("policies %s, %s: %v", amd64.Verdict.Policy, r.Verdict.Policy, r.Err())
	}

	contents, err := sbom.Scan(context.Background(), arm, sbom.Options{})
	if err != nil {
		t.Fatal(err)
	}
	publish(arm.ID(), contents.SBOM)
	r = ask()
	if r.Verdict.Policy != assay.Proven || r.Err() != nil {
		t.Errorf("policy %s: %v", r.Verdict.Policy, r.Err())
	}
	if c := check(t, r, "evidence/sbom", assay.Proven, verify.Holds); len(c.Evidence) != 2 || len(c.Findings) != 0 {
		t.Errorf("%+v", c)
	}

	// Where a store of one platform cannot be read, it may lack anything.
	front := testregistry.Front(t, home, testregistry.Fault{Path: "/referrers/" + arm.ID().String(), Status: 403})
	r, err = v.Verify(context.Background(), index.ID(), attest.FromRegistry(front.Ref("app"), image.Registry{}))
	if err != nil {
		t.Fatal(err)
	}
	if c := check(t, r, "evidence/sbom", assay.Unknown, verify.StoreUnreadable); !slices.Equal(c.Findings, []string{"linux/arm64 may have no SBOM: store-unreadable"}) {
		t.Errorf("%+v", c)
	}
}

// An envelope about an index is opened once, however many images are in it.
func TestIndexOpensOnce(t *testing.T) {
	f := newFixture(t)
	var members []testimage.Member
	for i := range 6 {
		members = append(members, testimage.Member{Image: f.image, Platform: assay.Platform{OS: "linux", Architecture: fmt.Sprintf("a%d", i)}})
	}
	index := testimage.NewIndex(t, members...)
	home := testregistry.InProcess(t, testregistry.Options{})
	ref := testimage.PushIndex(t, home.Ref("app:v1"), index)
	if _, err := attest.Publish(context.Background(), f.signer, ref.String(), attest.PublishOptions{}, newProvenance(), f.sbom); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	v, err := verify.New(f.trust(), verify.Policy{Signers: f.policy().Signers, Require: []assay.Kind{assay.KindSBOM}}, verify.At(at), verify.Workers(1),
		verify.Logger(slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))))
	if err != nil {
		t.Fatal(err)
	}
	r, err := v.Verify(context.Background(), index.ID(), attest.FromRegistry(ref.Context().Name(), image.Registry{}))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range r.Platforms {
		check(t, p, "evidence/sbom", assay.Proven, verify.Holds)
		if len(p.Attestations) != 2 {
			t.Errorf("%s: %d attestations", p.Platform, len(p.Attestations))
		}
	}
	if n := strings.Count(log.String(), "msg=opening"); n != 2 || len(r.Platforms) != 6 {
		t.Errorf("opened %d times for %d platforms", n, len(r.Platforms))
	}
}

// What BuildKit puts into an index is shown as what it is: a statement that nobody
// signed. It takes the place of nothing.
func TestIndexOfBuildKit(t *testing.T) {
	f := newFixture(t)
	statement := fmt.Sprintf(`{"_type":"https://in-toto.io/Statement/v1","subject":[{"digest":{"sha256":%q}}],"predicateType":"https://spdx.dev/Document","predicate":{}}`, f.digest.Hex())
	unsigned := assay.NewEnvelope(assay.MediaTypeInToto, []byte(statement), "an index")
	v, err := verify.New(f.trust(), verify.Policy{Signers: f.policy().Signers, Require: []assay.Kind{assay.KindSBOM}}, verify.At(at))
	if err != nil {
		t.Fatal(err)
	}
	r, err := v.Verify(context.Background(), f.digest, attest.FromEnvelopes(unsigned), attest.FromImage(f.image))
	if err != nil {
		t.Fatal(err)
	}
	check(t, r, "evidence/sbom", assay.Refuted, verify.Absent)
	if a := r.Attestations[0]; a.State != assay.Refuted || a.Reason != verify.Unsigned || !strings.Contains(a.Detail, "https://spdx.dev/Document") || a.PredicateType != "" {
		t.Errorf("%+v", a)
	}
}

// An SBOM of an index lists what is in any of its images. It must not leave out what
// is in this one.
func TestSBOMOfIndex(t *testing.T) {
	f := newFixture(t)
	index := testimage.NewIndex(t, testimage.Member{Image: f.image, Platform: assay.Platform{OS: "linux", Architecture: "amd64"}})
	home := testregistry.InProcess(t, testregistry.Options{})
	ref := testimage.PushIndex(t, home.Ref("app:v1"), index)
	for name, tt := range map[string]struct {
		change func(*assay.SBOM)
		state  assay.State
		reason verify.Reason
	}{
		"more": {func(s *assay.SBOM) {
			s.Components = append(s.Components, assay.Component{ID: "x", Type: assay.TypeLibrary, Name: "other", Version: "1", PURL: purl("pkg:deb/debian/other@1?arch=arm64")})
		}, assay.Proven, verify.Holds},
		"less": {func(s *assay.SBOM) { drop(s, "libfoo") }, assay.Refuted, verify.ContentsDiffer},
	} {
		t.Run(name, func(t *testing.T) {
			f.sbom = newFixture(t).sbom
			tt.change(f.sbom)
			e := f.sign(t, f.signer, f.sbom, assay.Subject{Name: "index", Digest: assay.DigestSet{index.ID()}})
			place := ref.Context().Name()
			v, err := verify.New(f.trust(), verify.Policy{Signers: f.policy().Signers}, verify.At(at))
			if err != nil {
				t.Fatal(err)
			}
			r, err := v.Verify(context.Background(), index.ID(), attest.FromRegistry(place, image.Registry{}), aboutIndex{index.ID(), e})
			if err != nil {
				t.Fatal(err)
			}
			check(t, r.Platforms[0], verify.CheckSBOMContents, tt.state, tt.reason)
		})
	}
}

// aboutIndex is a source with an envelope about one digest.
type aboutIndex struct {
	digest   assay.Digest
	envelope assay.Envelope
}

func (s aboutIndex) Discover(_ context.Context, d assay.Digest) (*attest.Found, error) {
	b := assay.NewBundle(d)
	if d == s.digest {
		b.Add(s.envelope)
	}
	return &attest.Found{Bundle: b}, nil
}

// An index of which a part was not read, or hides an image behind an annotation that
// no runtime looks at, proves nothing about what a cluster would run.
func TestIndexIsWhole(t *testing.T) {
	f := newFixture(t)
	root := testimage.New(t, testimage.Layer{Files: []testimage.File{{Name: "bin/sh", Mode: 0o755, Body: "shell"}}})
	hidden := testimage.NewIndex(t,
		testimage.Member{Image: f.image, Platform: assay.Platform{OS: "linux", Architecture: "amd64"}},
		testimage.Member{Image: root, Platform: assay.Platform{OS: "linux", Architecture: "arm64"}, Annotations: map[string]string{
			"vnd.docker.reference.type":   "attestation-manifest",
			"vnd.docker.reference.digest": f.digest.String(),
		}})
	home := testregistry.InProcess(t, testregistry.Options{})
	ref := testimage.PushIndex(t, home.Ref("app:v1"), hidden)
	at := ref.Context().Name() + "@" + f.digest.String()
	if _, err := attest.Publish(context.Background(), f.signer, at, attest.PublishOptions{}, f.sbom, f.provenance, f.vex, f.posture); err != nil {
		t.Fatal(err)
	}
	ask := func(source attest.Source) *verify.Report {
		t.Helper()
		v, err := verify.New(f.trust(), f.policy())
		if err != nil {
			t.Fatal(err)
		}
		r, err := v.Verify(context.Background(), hidden.ID(), source)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	source := attest.FromRegistry(ref.Context().Name(), image.Registry{})
	r := ask(source)
	if len(r.Platforms) != 2 || r.Verdict.Policy != assay.Refuted || r.Verdict.Stage != assay.None {
		t.Errorf("%d platforms, policy %s, stage %s", len(r.Platforms), r.Verdict.Policy, r.Verdict.Stage)
	}
	check(t, r, verify.CheckPlatforms, assay.Proven, verify.Holds)

	r = ask(source.WithLimits(attest.Limits{Platforms: 1}))
	check(t, r, verify.CheckPlatforms, assay.Unknown, verify.StoreUnreadable)
	if r.Verdict.Policy == assay.Proven || r.Verdict.Stage != assay.None || r.Err() == nil {
		t.Errorf("policy %s, stage %s: %v", r.Verdict.Policy, r.Verdict.Stage, r.Err())
	}
}
