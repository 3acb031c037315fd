package attest_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/attest"
)

var sameDigest = cmpopts.EquateComparable(assay.Digest{})

func write(t testing.TB, path, body string) string {
	t.Helper()
	if err := os.WriteFile(path, []byte(body), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func sortedDigests(envelopes ...assay.Envelope) []assay.Digest {
	return digests(assay.NewBundle(digestA, envelopes...))
}

func TestFiles(t *testing.T) {
	dir := t.TempDir()
	s := newSigner(t)
	a, b := envelope(t, s, digestA, "a"), envelope(t, s, digestB, "b")
	lines := filepath.Join(dir, "evidence.jsonl")
	if err := attest.WriteFile(lines, b, a, b); err != nil {
		t.Fatal(err)
	}
	one := filepath.Join(dir, "one.sigstore.json")
	if err := attest.WriteFile(one, a); err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(dir, "folder")
	for range 2 {
		if err := attest.WriteFolder(folder, a, b); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		path string
		want []assay.Digest
	}{
		{lines, sortedDigests(a, b)}, {one, sortedDigests(a)}, {folder, sortedDigests(a, b)}, {dir, sortedDigests(a, b)},
	} {
		got, err := attest.ReadFiles(t.Context(), tt.path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tt.want, sortedDigests(got...), sameDigest); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.path, diff)
		}
		for _, src := range []attest.Source{attest.FromFiles(tt.path), attest.FromFolder(tt.path)} {
			found := discover(t, src, digestA)
			if diff := cmp.Diff(tt.want, digests(found.Bundle), sameDigest); diff != "" || !found.Complete() {
				t.Errorf("%s, faults %v (-want +got):\n%s", tt.path, found.Faults, diff)
			}
		}
	}
	// Nothing but what was written is left, and everybody may read it.
	entries, err := os.ReadDir(folder)
	if err != nil || len(entries) != 2 {
		t.Errorf("folder has %v, %v", entries, err)
	}
	if info, err := os.Stat(one); err != nil || info.Mode().Perm() != 0o644 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

func TestFilesFoundAndNot(t *testing.T) {
	dir := t.TempDir()
	s := newSigner(t)
	a, b := envelope(t, s, digestA, "a"), envelope(t, s, digestA, "b")
	dsse := `{"payloadType":"application/vnd.in-toto+json","payload":"e30","signatures":[{"sig":"AA"}]}`
	path := write(t, filepath.Join(dir, "e.jsonl"), string(a.Raw())+"\r\n\n{\"unknown\":true}\n[1]\n{broken\n"+dsse+"\n"+string(b.Raw()))
	found := discover(t, attest.FromFiles(path, filepath.Join(dir, "none.json")), digestA)
	if diff := cmp.Diff(sortedDigests(a, b, assay.NewEnvelope(assay.MediaTypeDSSE, []byte(dsse))), digests(found.Bundle), sameDigest); diff != "" {
		t.Errorf("envelopes (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]attest.Ignored{{Store: path, Type: "JSON that is not an envelope", Count: 2}}, found.Ignored); diff != "" {
		t.Errorf("ignored (-want +got):\n%s", diff)
	}
	if len(found.Faults) != 2 || found.Faults[0].Reference != "line 5" || !errors.Is(found.Faults[0].Err, assay.ErrInvalid) || !strings.Contains(found.Faults[0].Err.Error(), "e.jsonl line 5") {
		t.Errorf("faults %v", found.Faults)
	}
	if f := found.Faults[1]; f.Kind != attest.Absent || !errors.Is(f.Err, assay.ErrAbsent) || !strings.HasSuffix(f.Store, "none.json") {
		t.Errorf("fault %+v", f)
	}
	if got, err := attest.ReadFiles(t.Context(), path); got != nil || !errors.Is(err, assay.ErrInvalid) {
		t.Errorf("read %d envelopes, %v", len(got), err)
	}
	if _, err := attest.ReadFiles(t.Context(), filepath.Join(dir, "none.json")); !errors.Is(err, assay.ErrAbsent) {
		t.Errorf("no file: %v", err)
	}
	for _, l := range []attest.Limits{{Referrers: 1}, {BlobBytes: 20}, {TotalBytes: 20}} {
		if f := discover(t, attest.FromFiles(path).WithLimits(l), digestA); !errors.Is(f.Err(), assay.ErrBound) {
			t.Errorf("%+v: faults %v", l, f.Faults)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if f, err := attest.FromFolder(dir).Discover(ctx, digestA); err != nil || f.Complete() {
		t.Errorf("canceled: %v", err)
	}
}

// A statement that nobody signed stays one, in a file as well.
func TestFileOfStatement(t *testing.T) {
	e := assay.NewEnvelope(assay.MediaTypeInToto, []byte(`{"_type":"https://in-toto.io/Statement/v1","predicateType":"https://example.com/p"}`))
	dir := t.TempDir()
	if err := errors.Join(attest.WriteFolder(dir, e), attest.WriteFile(filepath.Join(dir, "x.jsonl"), e)); err != nil {
		t.Fatal(err)
	}
	got, err := attest.ReadFiles(t.Context(), dir)
	if err != nil || len(got) != 1 || got[0].MediaType() != assay.MediaTypeInToto || got[0].Digest() != e.Digest() || len(got[0].Sources()) != 2 {
		t.Errorf("read %v, %v", got, err)
	}
}

func TestWriteFileRefuses(t *testing.T) {
	dir := t.TempDir()
	// The signature of this one is beside its bytes.
	for _, e := range []assay.Envelope{
		assay.NewAnnotatedEnvelope(assay.MediaTypeDSSE, []byte("{}"), map[string]string{assay.AnnotationTimestamp: "x"}), assay.NewEnvelope(assay.MediaTypeSimpleSigning, []byte("{}")),
	} {
		for _, err := range []error{attest.WriteFile(filepath.Join(dir, "x.json"), e), attest.WriteFolder(filepath.Join(dir, "x"), e)} {
			if !errors.Is(err, assay.ErrInvalid) || !strings.Contains(err.Error(), "annotations") {
				t.Errorf("a part of an envelope: %v", err)
			}
		}
	}
	s := newSigner(t)
	a, b := envelope(t, s, digestA, "a"), envelope(t, s, digestA, "b")
	old := write(t, filepath.Join(dir, "old.json"), "old")
	if err := attest.WriteFile(old, a, b); !errors.Is(err, assay.ErrInvalid) || !strings.Contains(err.Error(), "2 envelopes") {
		t.Errorf("two in one .json: %v", err)
	}
	if err := attest.WriteFile(filepath.Join(dir, "x.jsonl"), assay.NewEnvelope("", []byte("{\n"))); !errors.Is(err, assay.ErrInvalid) {
		t.Errorf("not JSON: %v", err)
	}
	if err := attest.WriteFile(filepath.Join(dir, "x.txt"), a); !errors.Is(err, assay.ErrInvalid) {
		t.Errorf("another name: %v", err)
	}
	if err := attest.WriteFile(filepath.Join(dir, "none", "x.json"), a); !errors.Is(err, assay.ErrUnchecked) {
		t.Errorf("no folder: %v", err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Errorf("left %v, %v", entries, err)
	}
	// What has line breaks is one line in a .jsonl file.
	path := filepath.Join(dir, "p.jsonl")
	if err := attest.WriteFile(path, assay.NewEnvelope("", []byte("{\n \"payload\": \"\", \"payloadType\": \"\", \"signatures\": []}")), a); err != nil {
		t.Fatal(err)
	}
	if got, err := attest.ReadFiles(t.Context(), path); err != nil || len(got) != 2 {
		t.Errorf("read %d, %v", len(got), err)
	}
}

func TestJoin(t *testing.T) {
	dir := t.TempDir()
	s := newSigner(t)
	a, b, c := envelope(t, s, digestA, "a"), envelope(t, s, digestA, "b"), envelope(t, s, digestA, "c")
	path := filepath.Join(dir, "x.jsonl")
	if err := attest.WriteFile(path, a, b); err != nil {
		t.Fatal(err)
	}
	bad := write(t, filepath.Join(dir, "bad.json"), "{")
	sources := []attest.Source{attest.FromFiles(path, bad), attest.FromEnvelopes(b, c), attest.FromEnvelopes()}
	first := discover(t, attest.Join(sources...), digestA)
	slices.Reverse(sources)
	second := discover(t, attest.Join(sources...), digestA)
	if diff := cmp.Diff(sortedDigests(a, b, c), digests(first.Bundle), sameDigest); diff != "" {
		t.Errorf("envelopes (-want +got):\n%s", diff)
	}
	for e := range first.Bundle.Envelopes() {
		for o := range second.Bundle.Envelopes() {
			if e.Digest() == o.Digest() && !slices.Equal(e.Sources(), o.Sources()) {
				t.Errorf("sources %v and %v", e.Sources(), o.Sources())
			}
		}
	}
	if first.Complete() || len(first.Faults) != 1 || len(second.Faults) != 1 || first.Faults[0].Compare(second.Faults[0]) != 0 {
		t.Errorf("faults %v and %v", first.Faults, second.Faults)
	}
	if _, err := attest.Join(attest.FromEnvelopes(), broken{}).Discover(t.Context(), digestA); err == nil {
		t.Error("a source that fails was left out")
	}
}

type broken struct{}

func (broken) Discover(context.Context, assay.Digest) (*attest.Found, error) {
	return nil, errors.New("broken")
}

// Whatever a file holds: no panic, and what is read is written and read the same.
// What services answer has envelopes in it, each of which is read as it is.
func TestFilesOfServices(t *testing.T) {
	s := newSigner(t)
	a, b := string(envelope(t, s, digestA, "a").Raw()), string(envelope(t, s, digestB, "b").Raw())
	of := func(bundles ...string) string { return `{"attestations":[` + strings.Join(bundles, ",") + `]}` }
	bundle := func(raw string) string {
		return `{"predicateType":"https://slsa.dev/provenance/v1","bundle":` + raw + `,"more":{}}`
	}
	for name, tt := range map[string]struct {
		body    string
		want    []string
		says    string
		ignored int
	}{
		"npm":            {of(bundle(a), bundle(b)), []string{a, b}, "", 0},
		"GitHub":         {`{"attestations":[{"repository_id":7,"bundle":` + a + `,"bundle_url":"https://b.example","initiator":"user"}]}`, []string{a}, "", 0},
		"gcloud":         {`{"image_summary":{"digest":"x"},"provenance_summary":{"provenance":[{"kind":"BUILD","envelope":` + a + `},{"envelope":` + b + `},{"kind":"BUILD"}]}}`, []string{a, b}, "", 0},
		"GitHub, a link": {`{"attestations":[{"bundle":null,"bundle_url":"https://b.example"}]}`, nil, "/attestations/0/bundle", 0},
		"nothing":        {of(), nil, "", 1},
		"no bundle":      {of("{}"), nil, "", 1},
		"no envelope":    {of(bundle(`{"x":1}`), bundle(a)), []string{a}, "", 1},
		"another list":   {`{"attestations":"none"}`, nil, "", 1},
		"twice":          {`{"attestations":[],"attestations":[` + bundle(a) + `]}`, nil, "attestations", 0},
		"of another":     {of(bundle(of(bundle(a)))), nil, "", 1},
	} {
		t.Run(name, func(t *testing.T) {
			path := write(t, filepath.Join(t.TempDir(), "answer.json"), tt.body)
			found, err := attest.FromFiles(path).Discover(t.Context(), assay.Digest{})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for e := range found.Bundle.Envelopes() {
				got = append(got, string(e.Raw()))
				if !strings.HasPrefix(e.Sources()[0], path+" /") {
					t.Errorf("found in %q", e.Sources())
				}
			}
			slices.Sort(got)
			want := slices.Sorted(slices.Values(tt.want))
			if !slices.Equal(got, want) {
				t.Errorf("got %d envelopes, want %d", len(got), len(want))
			}
			if (len(found.Faults) > 0) != (tt.says != "") || tt.says != "" && !strings.Contains(found.Faults[0].Err.Error(), tt.says) {
				t.Errorf("faults are %v", found.Faults)
			}
			ignored := 0
			for _, i := range found.Ignored {
				ignored += i.Count
			}
			if ignored != tt.ignored {
				t.Errorf("ignored %v", found.Ignored)
			}
		})
	}
	// A bound holds inside of a document as well.
	path := write(t, filepath.Join(t.TempDir(), "many.json"), of(bundle(a), bundle(b)))
	found, err := attest.FromFiles(path).WithLimits(attest.Limits{Referrers: 1}).Discover(t.Context(), assay.Digest{})
	if err != nil || len(found.Faults) != 1 || !errors.Is(found.Faults[0].Err, assay.ErrBound) {
		t.Errorf("faults are %v, %v", found.Faults, err)
	}
}

func FuzzReadFiles(f *testing.F) {
	f.Add([]byte(`{"attestations":[{"bundle":{"payload":"","payloadType":"","signatures":[]}}]}`))
	f.Add([]byte(`{"provenance_summary":{"provenance":[{"envelope":{"payload":"","payloadType":"","signatures":[]}},{"envelope":null}]}}`))
	s := newSigner(f)
	f.Add(envelope(f, s, digestA, "a").Raw())
	f.Add([]byte(`{"payloadType":"x","payload":"e30","signatures":[]}` + "\n" + `{"mediaType":"application/vnd.dev.sigstore.bundle+json;version=0.3"}`))
	f.Add([]byte("[1]\nnull\n\"x\"\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		dir := t.TempDir()
		for _, name := range []string{"x.jsonl", "x.json"} {
			path := write(t, filepath.Join(dir, name), string(data))
			found, err := attest.FromFiles(path).Discover(t.Context(), digestA)
			if err != nil {
				t.Fatal(err)
			}
			all := slices.Collect(found.Bundle.Envelopes())
			again := filepath.Join(dir, "again.jsonl")
			if err := attest.WriteFile(again, all...); err != nil {
				t.Fatal(err)
			}
			got, err := attest.ReadFiles(t.Context(), again)
			if err != nil {
				t.Fatalf("cannot read what was written: %v", err)
			}
			if len(got) > len(all) || len(all) > 0 && len(got) == 0 {
				t.Fatalf("read %d, wrote %d", len(got), len(all))
			}
			for _, e := range all {
				if !strings.ContainsAny(string(e.Raw()), "\r\n") && !slices.ContainsFunc(got, func(g assay.Envelope) bool { return g.Digest() == e.Digest() }) {
					t.Fatalf("lost %s", e.Raw())
				}
			}
		}
	})
}

// Whatever an envelope holds, attaching it is refused or its statement is about the
// image: nothing panics before the first request.
func FuzzAttachRefuses(f *testing.F) {
	s := newSigner(f)
	f.Add(envelope(f, s, digestA, "a").Raw(), true)
	f.Add([]byte(`{"payloadType":"application/vnd.in-toto+json","payload":"e30=","signatures":[{"sig":"AA=="}]}`), false)
	f.Fuzz(func(t *testing.T, raw []byte, bundle bool) {
		mediaType := assay.MediaTypeDSSE
		if bundle {
			mediaType = assay.MediaTypeSigstoreBundle
		}
		h, err := attest.Peek(assay.NewEnvelope(mediaType, raw))
		if (h == nil) == (err == nil) {
			t.Fatalf("header %v, error %v", h, err)
		}
	})
}
