// Package layout holds the links of a supply chain against its in-toto layout: who may
// perform each step, and which artifacts may go in and come out (in-toto specification
// v1.0).
//
// # Where to start
//
// [Open] proves a layout with its owners' keys, [Layout.Verify] the links about an
// image with the functionaries' keys that the layout names. Package verify does both
// for the layouts of a policy.
//
// # What is promised
//
//   - Nothing is read of a layout or a link before its signature is proven. What a
//     signature of the older format covers is made canonical from the document's own
//     members, whatever this version knows of them.
//   - Functionaries are counted by their keys, whatever ids a layout gives them.
//   - The image is what came out of the last step: one of its products has the image's
//     digest. Names prove nothing.
//   - No command is ever run. A layout with inspections, which are commands, is proven
//     but for them, and only if the caller says so: [Options.SkipInspections].
//
// # Limits
//
// Functionaries that a layout knows by certificate constraints alone do not count, and
// a layout in place of a link (a sublayout) is no link. Both leave a step without
// enough links, and never the other way around. The command that a link tells is not
// compared with the expected one: in-toto makes that a warning.
package layout

import (
	"bytes"
	"context"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/in-toto/in-toto-golang/in_toto"
	"github.com/secure-systems-lab/go-securesystemslib/signerverifier"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/internal/strictjson"
)

// Layout is a layout whose owners' signatures were proven.
type Layout struct {
	layout  in_toto.Layout
	expires time.Time
	steps   []step
	skips   bool
}

// step is a step with the keys of its functionaries.
type step struct {
	in_toto.Step
	functionaries []functionary
}

// functionary is a key that may sign for a step.
type functionary struct {
	keyID string
	// identity tells keys apart by what they are, not by what they are called.
	identity string
	verifier verifier
}

type verifier interface {
	Verify(ctx context.Context, data, sig []byte) error
}

// Options of a layout. The zero value is safe.
type Options struct {
	// Parameters replace "{name}" in rules and commands.
	Parameters map[string]string
	// SkipInspections judges a layout by its steps alone. Without it a layout that has
	// inspections is an [assay.ErrInvalid]: they are commands, and none is run here.
	SkipInspections bool
}

// MaxBytes bounds a layout and a link.
const MaxBytes = 16 << 20

// Open reads a signed layout, in DSSE or in the older format, that all owners must have
// signed. The name is for errors: [assay.ErrRefuted] if a signature is missing or
// wrong, [assay.ErrInvalid] for what is no layout.
func Open(name string, data []byte, owners []crypto.PublicKey, o Options) (*Layout, error) {
	bad := func(field, value, bound string, err error) error {
		return &assay.Error{Op: "open layout", Kind: assay.ErrInvalid, Subject: name, Field: field, Value: value, Bound: bound, Err: err}
	}
	if len(owners) == 0 {
		return nil, bad("owners", "", "at least one key", nil)
	}
	m, err := parse(name, data)
	if err != nil {
		return nil, err
	}
	for i, pub := range owners {
		v, err := ownerVerifier(pub)
		if err != nil {
			return nil, bad(fmt.Sprintf("owners/%d", i), "", "a key for ECDSA, Ed25519 or RSA", err)
		}
		// Ids of keys are hints; what counts is that the key made one of the signatures.
		if !slices.ContainsFunc(m.signatures, func(s signature) bool { return v.Verify(context.Background(), m.covered, s.sig) == nil }) {
			return nil, &assay.Error{Op: "open layout", Kind: assay.ErrRefuted, Subject: name, Field: fmt.Sprintf("owners/%d", i), Bound: "a signature by this key"}
		}
	}
	l := &Layout{skips: o.SkipInspections}
	if err := strictjson.Unmarshal(name, m.payload, &l.layout, strictjson.Limits{RejectUnknown: true}); err != nil {
		return nil, err
	}
	for i, s := range l.layout.Steps {
		for _, rules := range [][][]string{s.ExpectedMaterials, s.ExpectedProducts} {
			if slices.ContainsFunc(rules, func(r []string) bool { return len(r) == 0 }) {
				return nil, bad(fmt.Sprintf("/steps/%d", i), s.Name, "rules that are not empty", nil)
			}
		}
	}
	if err := in_toto.ValidateMetablock(in_toto.Metablock{Signed: l.layout}); err != nil {
		return nil, bad("", "", "a layout", err)
	}
	switch {
	case len(l.layout.Steps) == 0:
		return nil, bad("/steps", "", "at least one step", nil)
	case len(l.layout.Inspect) > 0 && !o.SkipInspections:
		return nil, bad("/inspect", strconv.Itoa(len(l.layout.Inspect)), "no inspections: commands are not run", nil)
	}
	if l.expires, err = time.Parse(in_toto.ISO8601DateSchema, l.layout.Expires); err != nil {
		return nil, bad("/expires", l.layout.Expires, in_toto.ISO8601DateSchema, err)
	}
	if l.layout, err = in_toto.SubstituteParameters(l.layout, o.Parameters); err != nil {
		return nil, bad("parameters", "", "names of letters, digits, _ and -", err)
	}
	return l, l.prepare(bad)
}

// prepare makes the verifiers of all functionaries.
func (l *Layout) prepare(bad func(field, value, bound string, err error) error) error {
	for i, s := range l.layout.Steps {
		field := fmt.Sprintf("/steps/%d", i)
		if s.Threshold < 1 {
			return bad(field+"/threshold", strconv.Itoa(s.Threshold), "1 or more", nil)
		}
		st := step{Step: s}
		for _, id := range s.PubKeys {
			key, ok := l.layout.Keys[id]
			if !ok {
				return bad(field+"/pubkeys", id, "the id of a key of the layout", nil)
			}
			v, err := keyVerifier(key)
			if err != nil {
				return bad("/keys/"+id, key.KeyType, "a key for ECDSA, Ed25519 or RSA", err)
			}
			st.functionaries = append(st.functionaries, functionary{id, identity(key), v})
		}
		l.steps = append(l.steps, st)
	}
	return nil
}

func ownerVerifier(pub crypto.PublicKey) (verifier, error) {
	der, err := x509.MarshalPKIXPublicKey(pub)
	if err != nil {
		return nil, err
	}
	key, err := signerverifier.LoadKey(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
	if err != nil {
		return nil, err
	}
	return sslibVerifier(*key)
}

func keyVerifier(k in_toto.Key) (verifier, error) {
	return sslibVerifier(signerverifier.SSLibKey{KeyID: k.KeyID, KeyIDHashAlgorithms: k.KeyIDHashAlgorithms, KeyType: k.KeyType, Scheme: k.Scheme,
		KeyVal: signerverifier.KeyVal{Public: k.KeyVal.Public}})
}

func sslibVerifier(k signerverifier.SSLibKey) (verifier, error) {
	switch k.KeyType {
	case signerverifier.RSAKeyType:
		return signerverifier.NewRSAPSSSignerVerifierFromSSLibKey(&k)
	case signerverifier.ED25519KeyType:
		return signerverifier.NewED25519SignerVerifierFromSSLibKey(&k)
	case signerverifier.ECDSAKeyType:
		return signerverifier.NewECDSASignerVerifierFromSSLibKey(&k)
	}
	return nil, fmt.Errorf("key type %q", k.KeyType)
}

// identity of a key: of one in PEM its DER, however the PEM is written.
func identity(k in_toto.Key) string {
	if block, _ := pem.Decode([]byte(k.KeyVal.Public)); block != nil {
		return string(block.Bytes)
	}
	return string(bytes.ToLower([]byte(k.KeyVal.Public)))
}
