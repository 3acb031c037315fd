package main

import (
	"encoding/json"
	"errors"
	"os"
	"strings"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/verify"
)

// maxBundle bounds the file that is read.
const maxBundle = 64 << 20

func verifyBundle(o options) error {
	info, err := os.Stat(o.bundle)
	if err != nil {
		return err
	}
	if info.Size() > maxBundle {
		return errors.New("the bundle is too large")
	}
	raw, err := os.ReadFile(o.bundle)
	if err != nil {
		return err
	}
	root, err := trustedRoot(o)
	if err != nil {
		return err
	}
	trust := verify.Trust{TrustedRoot: root}
	rule := verify.SignerRule{Name: "expected", Issuer: o.issuer, Subject: o.identity}
	if o.key != "" {
		if trust, rule, err = trustKey(o.key, root); err != nil {
			return err
		}
	}
	v, err := verify.NewSignatureVerifier(trust, rule)
	if err != nil {
		return err
	}
	envelope := assay.NewEnvelope(assay.MediaTypeSigstoreBundle, raw, o.bundle)
	if digest, ok := asDigest(o.artifact); ok {
		_, err = v.Verify(envelope, digest)
		return err
	}
	content, err := os.ReadFile(o.artifact)
	if err != nil {
		return err
	}
	_, err = v.VerifyContent(envelope, content)
	return err
}

// asDigest takes "sha256:…" for a digest unless it is a file, as the protocol says.
func asDigest(s string) (assay.Digest, bool) {
	if !strings.HasPrefix(s, "sha256:") {
		return assay.Digest{}, false
	}
	if _, err := os.Stat(s); err == nil {
		return assay.Digest{}, false
	}
	d, err := assay.ParseDigest(s)
	return d, err == nil
}

// trustKey trusts a key alone. Where the trusted root has a log, the signature must be
// in it: the suite's bundles are.
func trustKey(file string, root []byte) (verify.Trust, verify.SignerRule, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return verify.Trust{}, verify.SignerRule{}, err
	}
	key, err := verify.ParseKey(file, text)
	if err != nil {
		return verify.Trust{}, verify.SignerRule{}, err
	}
	var lists struct {
		Tlogs []json.RawMessage `json:"tlogs"`
	}
	if err := json.Unmarshal(root, &lists); err != nil {
		return verify.Trust{}, verify.SignerRule{}, err
	}
	if len(lists.Tlogs) > 0 {
		key.TransparencyLogs = 1
	}
	id, err := key.ID()
	if err != nil {
		return verify.Trust{}, verify.SignerRule{}, err
	}
	return verify.Trust{TrustedRoot: root, Keys: []verify.Key{key}}, verify.SignerRule{Name: "expected", Key: id}, nil
}
