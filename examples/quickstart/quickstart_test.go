package main

import (
	"bytes"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/assaykit/assay/internal/testimage"
)

func mustMatch(t *testing.T, out string, patterns ...string) {
	t.Helper()
	for _, p := range patterns {
		if !regexp.MustCompile(p).MatchString(out) {
			t.Errorf("the output does not match %s", p)
		}
	}
	if t.Failed() {
		t.Log(out)
	}
}

// The program's own executable is hardened, and each tampering is refused for the
// reason that it was made for.
func TestOwnExecutable(t *testing.T) {
	var out bytes.Buffer
	if err := run(t.Context(), &out, nil); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	mustMatch(t, out.String(),
		`(?m)^verdict: hardened$`,
		`(?m)^policy:  proven$`,
		`(?m)^another image's SBOM: policy refuted\n(  .*\n)*  attestation \S+ refuted: subject-mismatch: `,
		`(?m)^another image's SBOM: policy refuted\n(  .*\n)*  check evidence/sbom refuted: absent: `,
		`(?m)^a changed component: policy refuted\n(  .*\n)*  check sbom/contents refuted: contents-differ: `,
		`(?m)^a wrong signer: policy refuted\n(  .*\n)*  attestation \S+ refuted: signature-invalid: `,
		`(?m)^a wrong signer: policy refuted\n(  .*\n)*  check evidence/provenance refuted: absent: `,
		`(?m)^a removed provenance: policy refuted\n(  .*\n)*  check evidence/provenance refuted: absent: `,
		`(?m)^a scan of last week: policy refuted\n(  .*\n)*  check scan/fresh refuted: too-old: `,
		`(?m)^  proven   scan/coverage .*the scan was of all \d+ components`,
		`(?m)^  proven   remediation/sla `,
	)
	asInREADME(t, out.String())
}

// asInREADME holds what the README shows to what the program prints: part by part the
// same lines, but for what differs from run to run, and fewer only where it says so.
func asInREADME(t *testing.T, out string) {
	t.Helper()
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, block, _ := strings.Cut(string(readme), "This is what the first command printed")
	_, block, _ = strings.Cut(block, "```\n")
	block, _, _ = strings.Cut(block, "```\n")
	printed, shown := parts(out), parts(block)
	if len(shown) < 10 {
		t.Fatalf("the README shows %d parts", len(shown))
	}
	if d := cmp.Diff(slices.Sorted(maps.Keys(printed)), slices.Sorted(maps.Keys(shown))); d != "" {
		t.Errorf("parts of the output (-printed +in the README):\n%s", d)
	}
	for head, lines := range shown {
		whole := true
		for _, l := range lines {
			if strings.HasPrefix(l, "  …") {
				whole = false
			} else if !slices.Contains(printed[head], l) {
				t.Errorf("README, %s: %s\nis not printed, but\n%s", head, l, strings.Join(printed[head], "\n"))
			}
		}
		if whole && len(lines) != len(printed[head]) {
			t.Errorf("README, %s: %d lines of %d, and it does not say that there are more", head, len(lines), len(printed[head]))
		}
	}
}

var varies = regexp.MustCompile(`pkg:\S+|127\.0\.0\.1:\d+|[0-9a-f]{64}|\b[0-9a-f]{12}\b|\d{4}-\d\d-\d\dT[0-9:]+Z|\b\d+ (components|relations|materials)`)

// parts gives the lines of each part, without what differs from run to run. A part
// begins after an empty line.
func parts(text string) map[string][]string {
	all := map[string][]string{}
	for part := range strings.SplitSeq(strings.TrimSpace(varies.ReplaceAllString(text, "~")), "\n\n") {
		lines := strings.Split(part, "\n")
		all[lines[0]] = lines[1:]
	}
	return all
}

// An image that is given has no provenance of ours, and need not be hardened.
func TestGivenImage(t *testing.T) {
	layout := testimage.WriteLayout(t, testimage.Layout{Images: map[string]*testimage.Image{
		"latest": testimage.NewWith(t, testimage.Options{Config: func(c *v1.ConfigFile) { c.Config.Entrypoint = []string{"/bin/sh"} }},
			testimage.Layer{Files: []testimage.File{
				{Name: "etc/os-release", Body: "ID=debian\nVERSION_ID=\"12\"\n"},
				{Name: "var/lib/dpkg/status", Body: "Package: app\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1.2.3-1\nMaintainer: Somebody <somebody@example.com>\n"},
				{Name: "bin/sh", Mode: 0o755, Body: "a shell"},
			}}),
	}})
	var out bytes.Buffer
	if err := run(t.Context(), &out, []string{"oci:" + layout}); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	mustMatch(t, out.String(),
		`(?m)^oci:`+regexp.QuoteMeta(layout)+`$`,
		`(?m)^verdict: none$`,
		`(?m)^policy:  proven$`,
		`(?m)^another image's SBOM: policy refuted$`,
		`(?m)^a changed component: policy refuted\n(  .*\n)*  check sbom/contents refuted: contents-differ: `,
		`(?m)^a wrong signer: policy refuted$`,
	)
	if regexp.MustCompile(`(?m)^provenance `).Match(out.Bytes()) {
		t.Errorf("provenance of an image that somebody else built:\n%s", out.String())
	}
}

func TestWrongArguments(t *testing.T) {
	for _, args := range [][]string{{"oci:missing"}, {"dir:."}, {"a", "b"}} {
		var out bytes.Buffer
		if err := run(t.Context(), &out, args); err == nil {
			t.Errorf("%q is accepted", args)
		}
	}
}
