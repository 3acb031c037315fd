package verify_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"log"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/attest"
	"github.com/assaykit/assay/internal/testimage"
	"github.com/assaykit/assay/verify"
	"github.com/assaykit/assay/verify/report"
)

// replays shows that a report comes out of its record again, byte for byte: through a
// file, and whatever the number of workers. Every report that the tests ask for goes
// through it.
func replays(t testing.TB, r *verify.Report) {
	t.Helper()
	want := reportJSON(t, r)
	text := record(t, r)
	read, err := verify.ReadRecord("record.json", text)
	if err != nil {
		t.Fatal(err)
	}
	for _, workers := range []int{1, 7} {
		again, err := read.Replay(context.Background(), nil, verify.Workers(workers))
		if err != nil {
			t.Fatal(err)
		}
		if got := reportJSON(t, again); got != want {
			t.Fatalf("the replay differs:\n%s", cmp.Diff(want, got))
		}
		if got := record(t, again); !bytes.Equal(got, text) {
			t.Fatal("the record of the replay differs")
		}
	}
}

func reportJSON(t testing.TB, r *verify.Report) string {
	t.Helper()
	var b bytes.Buffer
	if err := report.JSON(&b, r); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func record(t testing.TB, r *verify.Report) []byte {
	t.Helper()
	rec, err := r.Record()
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	n, err := rec.WriteTo(&b)
	if err != nil || int(n) != b.Len() {
		t.Fatal(n, err)
	}
	return b.Bytes()
}

// A record that was changed does not give its report any more, or is no record.
func TestRecordThatWasChanged(t *testing.T) {
	f := newFixture(t)
	text := string(record(t, f.verify(t, f.genuine(t))))
	swap := func(from, to string) func(*testing.T) string {
		return func(t *testing.T) string {
			t.Helper()
			out := strings.Replace(text, from, to, 1)
			if out == text {
				t.Fatalf("the record has no %s", from)
			}
			return out
		}
	}
	edit := func(change func(doc map[string]any)) func(*testing.T) string {
		return func(t *testing.T) string {
			t.Helper()
			var doc map[string]any
			if err := json.Unmarshal([]byte(text), &doc); err != nil {
				t.Fatal(err)
			}
			change(doc)
			out, err := json.Marshal(doc)
			if err != nil {
				t.Fatal(err)
			}
			return string(out)
		}
	}
	image := func(doc map[string]any) map[string]any { return doc["images"].([]any)[0].(map[string]any) }
	for name, c := range map[string]struct {
		change func(*testing.T) string
		read   bool // reading refuses it
		says   string
	}{
		"schema":           {swap("assay/record/v0.1", "assay/record/v9"), true, "/schema"},
		"unknown member":   {swap(`{"schema"`, `{"extra":1,"schema"`), true, "extra"},
		"twice":            {swap(`{"schema"`, `{"at":"2026-01-01T00:00:00Z","schema"`), true, "at"},
		"trailing":         {func(*testing.T) string { return text + "{}" }, true, "record.json"},
		"other digest":     {edit(func(d map[string]any) { d["digest"] = assay.SumSHA256([]byte("x")).String() }), true, "/bundle/subject"},
		"weak digest":      {edit(func(d map[string]any) { d["digest"] = "md5:" + strings.Repeat("0", 32) }), true, "/digest"},
		"no time":          {edit(func(d map[string]any) { d["at"] = "0001-01-01T00:00:00Z" }), true, "/at"},
		"no image":         {edit(func(d map[string]any) { delete(d, "images") }), true, "nothing about"},
		"image twice":      {edit(func(d map[string]any) { d["images"] = append(d["images"].([]any), d["images"].([]any)[0]) }), true, "/images/1/digest"},
		"no inventory":     {edit(func(d map[string]any) { delete(image(d), "sbom") }), true, "/images/0"},
		"contents of none": {edit(func(d map[string]any) { image(d)["reason"] = "no-contents" }), true, "/images/0"},
		"made-up reason": {edit(func(d map[string]any) {
			d["images"] = []any{map[string]any{"digest": image(d)["digest"], "reason": "trust-me"}}
		}), true, "trust-me"},
		"bad key":        {swap("BEGIN PUBLIC KEY", "BEGIN PUBLIC KEI"), true, "/trust/keys/0"},
		"policy unknown": {edit(func(d map[string]any) { d["policy"].(map[string]any)["lenient"] = true }), true, "lenient"},

		"other time":   {edit(func(d map[string]any) { d["at"] = "2026-05-08T12:00:00Z" }), false, "report"},
		"other policy": {edit(func(d map[string]any) { d["policy"].(map[string]any)["stage"] = "secure" }), false, "report"},
		"other trust": {edit(func(d map[string]any) {
			pem, err := verify.ParseKey("", []byte(publicPEM(t, f.stranger.Public())))
			if err != nil {
				t.Fatal(err)
			}
			d["trust"] = map[string]any{"keys": []any{map[string]any{"public": publicPEM(t, pem.Public)}}}
		}), false, "report"},
		"envelope": {edit(func(d map[string]any) {
			b := d["bundle"].(map[string]any)
			b["envelopes"] = b["envelopes"].([]any)[1:]
		}), false, "report"},
		"verdict":  {edit(func(d map[string]any) { d["report"].(map[string]any)["verdict"].(map[string]any)["stage"] = "secure" }), false, "report"},
		"contents": {edit(func(d map[string]any) { image(d)["sbom"].(map[string]any)["components"] = []any{} }), false, "report"},
	} {
		t.Run(name, func(t *testing.T) {
			rec, err := verify.ReadRecord("record.json", []byte(c.change(t)))
			if err == nil && !c.read {
				_, err = rec.Replay(context.Background(), nil)
			} else if err == nil {
				t.Fatal("it was read")
			}
			want := assay.ErrInvalid
			if !c.read {
				want = assay.ErrRefuted
			}
			if !errors.Is(err, want) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v, want %v with %q", err, want, c.says)
			}
		})
	}
}

// With the image at hand, a record that says something else of its bytes is refuted,
// however well it fits its report.
func TestReplayReadsTheBytesAgain(t *testing.T) {
	f := newFixture(t)
	r := f.verify(t, f.genuine(t))
	rec, err := r.Record()
	if err != nil {
		t.Fatal(err)
	}
	again, err := rec.Replay(context.Background(), attest.FromImage(f.image))
	if err != nil || reportJSON(t, again) != reportJSON(t, r) {
		t.Errorf("the honest record: %v", err)
	}

	lie := strings.ReplaceAll(string(record(t, r)), `"diffId":"sha256:`+f.contents.Layers[0].DiffID.Hex(), `"diffId":"sha256:`+strings.Repeat("0", 64))
	rec, err = verify.ReadRecord("record.json", []byte(lie))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := rec.Replay(context.Background(), nil); err != nil {
		t.Errorf("by itself the record is consistent: %v", err)
	}
	if _, err := rec.Replay(context.Background(), attest.FromImage(f.image)); !errors.Is(err, assay.ErrRefuted) || !strings.Contains(err.Error(), "diffId") {
		t.Errorf("with the image: %v", err)
	}
	other := testimage.New(t, testimage.Layer{Files: []testimage.File{{Name: "x", Body: "y"}}})
	if _, err := rec.Replay(context.Background(), attest.FromImage(other)); !errors.Is(err, assay.ErrUnchecked) {
		t.Errorf("with another image: %v", err)
	}
}

// What was found can be judged by another policy, at another time.
func TestRecordAsSource(t *testing.T) {
	f := newFixture(t)
	r := f.verify(t, f.genuine(t))
	rec, err := verify.ReadRecord("record.json", record(t, r))
	if err != nil {
		t.Fatal(err)
	}
	if rec.Digest() != f.digest || !rec.At().Equal(at) || len(rec.Trust().Keys) != 1 || len(rec.Policy().Signers) != 1 {
		t.Errorf("digest %s, time %s, trust %v, policy %v", rec.Digest(), rec.At(), rec.Trust(), rec.Policy())
	}
	got := f.ask(t, f.policy(), nil, rec.Source(), attest.FromImage(f.image))
	if reportJSON(t, got) != reportJSON(t, r) {
		t.Error("the same trust, policy and time give another report")
	}
	stranger := f.policy()
	stranger.Signers[0].Key = f.stranger.Identity().Key
	if got := f.ask(t, stranger, nil, rec.Source(), attest.FromImage(f.image)); got.Verdict.Policy == assay.Proven {
		t.Error("a policy that knows no such signer is met")
	}
	found, err := rec.Source().Discover(context.Background(), assay.SumSHA256([]byte("other")))
	if err != nil || found.Bundle.Len() != 0 {
		t.Errorf("about another digest: %d envelopes, %v", found.Bundle.Len(), err)
	}
}

// Reports that were not made here have no record.
func TestNoRecord(t *testing.T) {
	f := newFixture(t)
	var b bytes.Buffer
	if err := report.JSON(&b, f.verify(t, f.genuine(t))); err != nil {
		t.Fatal(err)
	}
	r, err := report.Read("report.json", b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Record(); !errors.Is(err, assay.ErrAbsent) {
		t.Error(err)
	}
}

// Whatever trust there is, a record must keep all of it.
func TestRecordKeepsAllOfTrust(t *testing.T) {
	f := newFixture(t)
	want := f.trust()
	want.Keys[0].ValidFrom, want.Keys[0].ValidUntil = at.Add(-time.Hour).UTC(), at.Add(time.Hour).UTC()
	want.TransparencyLogs, want.TimestampAuthorities, want.CertificateTransparencyLogs = 0, 0, 0
	v := reflect.ValueOf(want)
	for i := range v.NumField() {
		switch name := v.Type().Field(i).Name; name {
		case "TrustedRoot", "Keys", "TransparencyLogs", "TimestampAuthorities", "CertificateTransparencyLogs":
		default:
			t.Errorf("Trust.%s: extend the form of records, and this test", name)
		}
	}
	verifier, err := verify.New(want, f.policy(), verify.At(at))
	if err != nil {
		t.Fatal(err)
	}
	r, err := verifier.Verify(context.Background(), f.digest, attest.FromEnvelopes(f.genuine(t)...))
	if err != nil {
		t.Fatal(err)
	}
	rec, err := verify.ReadRecord("record.json", record(t, r))
	if err != nil {
		t.Fatal(err)
	}
	if got := rec.Trust(); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
}

func FuzzReadRecord(f *testing.F) {
	fix := newFixture(f)
	text := record(f, fix.verify(f, fix.genuine(f)))
	f.Add(text)
	f.Add(record(f, fix.verify(f, nil)))
	f.Add([]byte(`{"schema":"` + verify.RecordSchema + `"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		rec, err := verify.ReadRecord("record.json", data)
		if err != nil {
			return
		}
		var first bytes.Buffer
		if _, err := rec.WriteTo(&first); err != nil {
			t.Fatal(err)
		}
		second, err := verify.ReadRecord("again.json", first.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if _, err := second.WriteTo(&b); err != nil || !bytes.Equal(b.Bytes(), first.Bytes()) {
			t.Fatalf("written twice, it differs: %v", err)
		}
		_, _ = rec.Replay(context.Background(), nil)
	})
}

func ExampleReport_Record() {
	digest, envelope, signer := exampleEvidence()
	verifier, err := verify.New(
		verify.Trust{Keys: []verify.Key{{Public: signer.Public()}}},
		verify.Policy{
			Signers: []verify.SignerRule{{Name: "ci", Key: signer.Identity().Key, Builders: []string{"https://builder.example/v1"}}},
			Require: []assay.Kind{assay.KindProvenance},
		})
	if err != nil {
		log.Fatal(err)
	}
	made, err := verifier.Verify(context.Background(), digest, attest.FromEnvelopes(envelope))
	if err != nil {
		log.Fatal(err)
	}

	// Beside the decision, keep what it rested on.
	rec, err := made.Record()
	if err != nil {
		log.Fatal(err)
	}
	var file bytes.Buffer
	if _, err := rec.WriteTo(&file); err != nil {
		log.Fatal(err)
	}

	// Years later, offline.
	rec, err = verify.ReadRecord("record.json", file.Bytes())
	if err != nil {
		log.Fatal(err)
	}
	again, err := rec.Replay(context.Background(), nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(again.Verdict.Policy, again.Verdict.Stage == made.Verdict.Stage)
	// Output: proven true
}

func publicPEM(t testing.TB, pub crypto.PublicKey) string {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(pub)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

// A file's name is any bytes; a report and its record are text.
func TestSourceNamesThatAreNoText(t *testing.T) {
	f := newFixture(t)
	e := f.sign(t, f.signer, f.sbom)
	r := f.verify(t, []assay.Envelope{assay.NewEnvelope(e.MediaType(), e.Raw(), "folder/\xff.json"),
		assay.NewAnnotatedEnvelope(assay.MediaTypeSimpleSigning, []byte("{}"), map[string]string{assay.AnnotationSignature: "AAAA"}, "folder/\xff.json")})
	if got := r.Attestations[0].Sources; len(got) != 1 || got[0] != "folder/\ufffd.json" {
		t.Errorf("sources %q", got)
	}
}
