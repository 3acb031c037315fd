package assay_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assaykit/assay"
)

func TestEnvelope(t *testing.T) {
	raw := []byte(`{"a":1}`)
	e := assay.NewEnvelope(assay.MediaTypeDSSE, raw, "b", "a", "b")
	raw[0] = 'x'
	if string(e.Raw()) != `{"a":1}` || e.Size() != 7 || e.MediaType() != assay.MediaTypeDSSE || e.Digest() != assay.SumSHA256([]byte(`{"a":1}`)) {
		t.Errorf("got %s, %d, %s, %s", e.Raw(), e.Size(), e.MediaType(), e.Digest())
	}
	e.Raw()[0] = 'x'
	e.Sources()[0] = "x"
	if string(e.Raw()) != `{"a":1}` {
		t.Error("the bytes were changed from outside")
	}
	if diff := cmp.Diff([]string{"a", "b"}, e.Sources()); diff != "" {
		t.Error(diff)
	}
}

// show writes a bundle down whole.
func show(b *assay.Bundle) []string {
	out := []string{"subject " + b.Subject().String()}
	for e := range b.Envelopes() {
		out = append(out, string(e.Raw())+" "+e.MediaType()+" "+cmp.Diff(nil, e.Sources()))
	}
	for p := range b.Platforms() {
		out = append(out, "platform "+p.Platform.String())
		out = append(out, show(p.Bundle)...)
	}
	return out
}

func permutations(n int, do func([]int)) {
	p := make([]int, n)
	for i := range p {
		p[i] = i
	}
	var rec func(int)
	rec = func(k int) {
		if k == n {
			do(p)
			return
		}
		for i := k; i < n; i++ {
			p[k], p[i] = p[i], p[k]
			rec(k + 1)
			p[k], p[i] = p[i], p[k]
		}
	}
	rec(0)
}

// In cosign's older formats many signatures are over the same bytes: what tells the
// envelopes apart is in the annotations.
func TestAnnotatedEnvelope(t *testing.T) {
	raw := []byte(`{"critical":{}}`)
	plain := assay.NewEnvelope(assay.MediaTypeSimpleSigning, raw)
	annotated := func(a map[string]string) assay.Envelope {
		return assay.NewAnnotatedEnvelope(assay.MediaTypeSimpleSigning, raw, a, "here")
	}
	one := annotated(map[string]string{assay.AnnotationSignature: "YQ==", "predicateType": "x", assay.AnnotationChain: ""})
	if diff := cmp.Diff(map[string]string{assay.AnnotationSignature: "YQ=="}, one.Annotations()); diff != "" {
		t.Error(diff)
	}
	for name, other := range map[string]assay.Envelope{
		"without":   plain,
		"another":   annotated(map[string]string{assay.AnnotationSignature: "Yg=="}),
		"more":      annotated(map[string]string{assay.AnnotationSignature: "YQ==", assay.AnnotationChain: "c"}),
		"as a name": annotated(map[string]string{assay.AnnotationSignature + "\" \"YQ==": "x"}),
	} {
		if one.Digest() == other.Digest() {
			t.Errorf("%s: the same digest", name)
		}
		if b := assay.NewBundle(assay.SumSHA256(nil), one, other, one); b.Len() != 2 {
			t.Errorf("%s: %d envelopes are left, want 2", name, b.Len())
		}
	}
	if annotated(map[string]string{assay.AnnotationSignature: ""}).Digest() != plain.Digest() {
		t.Error("annotations without a value make another envelope")
	}
	one.Annotations()[assay.AnnotationSignature] = "changed"
	if one.Annotations()[assay.AnnotationSignature] != "YQ==" {
		t.Error("the annotations are not a copy")
	}
}

func TestBundleOrderDoesNotMatter(t *testing.T) {
	envelopes := []assay.Envelope{
		assay.NewEnvelope(assay.MediaTypeDSSE, []byte("one"), "file"),
		assay.NewEnvelope(assay.MediaTypeSigstoreBundle, []byte("one"), "registry"),
		assay.NewEnvelope("", []byte("one"), "cache"),
		assay.NewEnvelope(assay.MediaTypeDSSE, []byte("two")),
		assay.NewEnvelope(assay.MediaTypeDSSE, []byte("three"), "file"),
		assay.NewEnvelope(assay.MediaTypeDSSE, []byte("three"), "file"),
	}
	want := assay.NewBundle(sha("a"), envelopes...)
	if want.Len() != 3 {
		t.Fatalf("got %d envelopes, want 3", want.Len())
	}
	permutations(len(envelopes), func(p []int) {
		whole, halves, other := assay.NewBundle(sha("a")), assay.NewBundle(sha("a")), assay.NewBundle(sha("a"))
		for i, k := range p {
			whole.Add(envelopes[k])
			if i%2 == 0 {
				halves.Add(envelopes[k])
			} else {
				other.Add(envelopes[k])
			}
		}
		if err := halves.Merge(other); err != nil {
			t.Fatal(err)
		}
		for _, got := range []*assay.Bundle{whole, halves} {
			if diff := cmp.Diff(show(want), show(got)); diff != "" {
				t.Fatalf("order %v: %s", p, diff)
			}
		}
	})
}

func TestBundlePlatforms(t *testing.T) {
	amd, arm := assay.Platform{OS: "linux", Architecture: "amd64"}, assay.Platform{OS: "linux", Architecture: "arm64"}
	env := func(s string) assay.Envelope { return assay.NewEnvelope(assay.MediaTypeDSSE, []byte(s), s) }
	steps := []func(*assay.Bundle){
		func(b *assay.Bundle) { b.AddPlatform(arm, assay.NewBundle(sha("c"), env("c1"))) },
		func(b *assay.Bundle) { b.AddPlatform(amd, assay.NewBundle(sha("b"), env("b1"))) },
		func(b *assay.Bundle) { b.AddPlatform(amd, assay.NewBundle(sha("b"), env("b2"))) },
		func(b *assay.Bundle) { b.AddPlatform(amd, assay.NewBundle(sha("d"))) },
		func(b *assay.Bundle) { b.Add(env("index")) },
	}
	want := assay.NewBundle(sha("a"))
	for _, s := range steps {
		s(want)
	}
	if n := len(slices.Collect(want.Platforms())); n != 3 {
		t.Fatalf("got %d platforms, want 3", n)
	}
	permutations(len(steps), func(p []int) {
		b, other := assay.NewBundle(sha("a")), assay.NewBundle(sha("a"))
		for i, k := range p {
			steps[k]([]*assay.Bundle{b, other}[i%2])
		}
		if err := b.Merge(other); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(show(want), show(b)); diff != "" {
			t.Fatalf("order %v: %s", p, diff)
		}
	})
}

func TestBundleMerge(t *testing.T) {
	env := func(s string) assay.Envelope { return assay.NewEnvelope(assay.MediaTypeDSSE, []byte(s)) }
	b := assay.NewBundle(sha("a"), env("one"))
	before := show(b)
	if err := b.Merge(assay.NewBundle(sha("b"), env("two"))); !errors.Is(err, assay.ErrInvalid) {
		t.Errorf("got %v", err)
	}
	if diff := cmp.Diff(before, show(b)); diff != "" {
		t.Errorf("a refused merge changed the bundle: %s", diff)
	}
	if err := b.Merge(b); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff(before, show(b)); diff != "" {
		t.Errorf("merging with itself: %s", diff)
	}
	// What is merged is a copy: adding to it leaves the other alone.
	other := assay.NewBundle(sha("a"))
	other.AddPlatform(assay.Platform{OS: "linux", Architecture: "amd64"}, assay.NewBundle(sha("c"), env("two")))
	untouched := show(other)
	if err := b.Merge(other); err != nil {
		t.Fatal(err)
	}
	for p := range b.Platforms() {
		p.Bundle.Add(env("three"))
	}
	if diff := cmp.Diff(untouched, show(other)); diff != "" {
		t.Error(diff)
	}
}
