package main

import (
	"bytes"
	"regexp"
	"testing"

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
