package sigstore

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/binary"
	"errors"
	"math/big"
	"net/url"
	"reflect"
	"testing"
	"time"

	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"

	"github.com/assaykit/assay"
)

func TestRootOf(t *testing.T) {
	for size := uint64(1); size < 40; size++ {
		for index := uint64(0); index < size; index++ {
			for n := range 8 {
				var list [][]byte
				for i := range n {
					h := sha256.Sum256([]byte{byte(i)})
					list = append(list, h[:])
				}
				leaf := leafHash([]byte("leaf"))
				got, err := rootOf(index, size, leaf, list)
				want, wantErr := proof.RootFromInclusionProof(rfc6962.DefaultHasher, index, size, leaf[:], list)
				if (err == nil) != (wantErr == nil) || err == nil && !bytes.Equal(got[:], want) {
					t.Fatalf("%d of %d with %d hashes: got %x, %v, want %x, %v", index, size, n, got, err, want, wantErr)
				}
			}
		}
	}
	if _, err := rootOf(0, 2, leafHash(nil), [][]byte{{1}}); err == nil {
		t.Error("a hash of one byte was accepted")
	}
	if _, err := rootOf(3, 3, leafHash(nil), nil); err == nil {
		t.Error("an index outside of the tree was accepted")
	}
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func issue(t testing.TB, template, parent *x509.Certificate, pub crypto.PublicKey, by crypto.Signer) *x509.Certificate {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, parent, pub, by)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

var begin = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func caTemplate(serial int64, name string, from, until time.Time) *x509.Certificate {
	return &x509.Certificate{SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: name}, NotBefore: from, NotAfter: until,
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
}

func leafTemplate(extra ...pkix.Extension) *x509.Certificate {
	u, _ := url.Parse("https://ci.example/run")
	return &x509.Certificate{SerialNumber: big.NewInt(7), NotBefore: begin, NotAfter: begin.Add(10 * time.Minute), URIs: []*url.URL{u},
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning}, ExtraExtensions: extra}
}

// promise makes the extension with the promises of a log about a certificate.
func promise(t testing.TB, log *ecdsa.PrivateKey, id [32]byte, at time.Time, tbs []byte, issuer *x509.Certificate, extensions []byte) []byte {
	t.Helper()
	issuerKey := sha256.Sum256(issuer.RawSubjectPublicKeyInfo)
	signed := []byte{0, 0}
	signed = binary.BigEndian.AppendUint64(signed, uint64(at.UnixMilli()))
	signed = append(append(signed, 0, 1), issuerKey[:]...)
	signed = append(signed, byte(len(tbs)>>16), byte(len(tbs)>>8), byte(len(tbs)))
	signed = binary.BigEndian.AppendUint16(append(signed, tbs...), uint16(len(extensions)))
	digest := sha256.Sum256(append(signed, extensions...))
	sig, err := ecdsa.SignASN1(rand.Reader, log, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	one := append([]byte{0}, id[:]...)
	one = binary.BigEndian.AppendUint64(one, uint64(at.UnixMilli()))
	one = append(binary.BigEndian.AppendUint16(one, uint16(len(extensions))), extensions...)
	one = append(binary.BigEndian.AppendUint16(append(one, 4, 3), uint16(len(sig))), sig...)
	one = append(binary.BigEndian.AppendUint16(nil, uint16(len(one))), one...)
	list, err := asn1.Marshal(append(binary.BigEndian.AppendUint16(nil, uint16(len(one))), one...))
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestSCTs(t *testing.T) {
	caKey, leafKey, logKey, other := newKey(t), newKey(t), newKey(t), newKey(t)
	ca := issue(t, caTemplate(1, "ca", begin, begin.Add(time.Hour)), caTemplate(1, "ca", begin, begin.Add(time.Hour)), caKey.Public(), caKey)
	before := issue(t, leafTemplate(), ca, leafKey.Public(), caKey)
	id := [32]byte{1}
	root := func(k *ecdsa.PrivateKey, valid period) *Root {
		return &Root{ctLogs: map[[32]byte]*transparencyLog{id: {key: k.Public(), valid: valid}}}
	}
	always := period{}
	for name, tt := range map[string]struct {
		root       *Root
		id         [32]byte
		tbs        []byte
		issuer     *x509.Certificate
		extensions []byte
		want       bool
	}{
		"good":                     {root(logKey, always), id, before.RawTBSCertificate, ca, nil, true},
		"with extensions":          {root(logKey, always), id, before.RawTBSCertificate, ca, []byte("ext"), true},
		"another key":              {root(other, always), id, before.RawTBSCertificate, ca, nil, false},
		"another log":              {root(logKey, always), [32]byte{2}, before.RawTBSCertificate, ca, nil, false},
		"another certificate":      {root(logKey, always), id, ca.RawTBSCertificate, ca, nil, false},
		"another issuer":           {root(logKey, always), id, before.RawTBSCertificate, before, nil, false},
		"outside of the log's key": {root(logKey, period{until: begin.Add(-time.Hour)}), id, before.RawTBSCertificate, ca, nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			e := pkix.Extension{Id: oidSCTList, Value: promise(t, logKey, tt.id, begin, tt.tbs, tt.issuer, tt.extensions)}
			leaf := issue(t, leafTemplate(e), ca, leafKey.Public(), caKey)
			tbs, err := withoutSCTs(leaf.RawTBSCertificate)
			if err != nil || !bytes.Equal(tbs, before.RawTBSCertificate) {
				t.Fatalf("without its SCTs the certificate is not what it was: %v", err)
			}
			if err := tt.root.promised(leaf, []*x509.Certificate{ca}, 1); (err == nil) != tt.want {
				t.Errorf("got %v", err)
			}
			if err := tt.root.promised(leaf, []*x509.Certificate{ca}, 2); err == nil {
				t.Error("one log counted twice")
			}
		})
	}
	if err := root(logKey, always).promised(before, []*x509.Certificate{ca}, 1); err == nil {
		t.Error("a certificate without SCTs was accepted")
	}
}

// CVE-2026-24122 and more: every certificate of the chain must be valid at the time,
// and what an upper one forbids holds, though the chain above the issuer was verified
// before.
func TestAuthority(t *testing.T) {
	hour := func(n int) time.Time { return begin.Add(time.Duration(n) * time.Hour) }
	rootKey, issuerKey, leafKey := newKey(t), newKey(t), newKey(t)
	build := func(change func(root, issuer *x509.Certificate)) (*authority, *x509.Certificate) {
		rt, it := caTemplate(1, "root", hour(-2), hour(9)), caTemplate(2, "issuer", hour(-1), hour(1))
		it.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning}
		if change != nil {
			change(rt, it)
		}
		root := issue(t, rt, rt, rootKey.Public(), rootKey)
		issuer := issue(t, it, root, issuerKey.Public(), rootKey)
		template := leafTemplate()
		template.NotBefore, template.NotAfter = hour(-3), hour(10)
		return newAuthority(fulcio(root, issuer)), issue(t, template, issuer, leafKey.Public(), issuerKey)
	}
	for name, tt := range map[string]struct {
		change func(root, issuer *x509.Certificate)
		at     time.Time
		want   bool
	}{
		"good":                             {nil, begin, true},
		"good at the last moment":          {nil, hour(1), true},
		"issuer had expired":               {nil, hour(2), false},
		"issuer was not valid yet":         {nil, hour(-1).Add(-time.Minute), false},
		"root had expired":                 {func(r, i *x509.Certificate) { r.NotAfter, i.NotAfter = hour(1), hour(8) }, hour(2), false},
		"root allows no intermediate":      {func(r, _ *x509.Certificate) { r.MaxPathLenZero = true }, begin, false},
		"root allows one":                  {func(r, _ *x509.Certificate) { r.MaxPathLen = 1 }, begin, true},
		"root allows other names":          {func(r, _ *x509.Certificate) { r.PermittedURIDomains = []string{"other.example"} }, begin, false},
		"root allows this name":            {func(r, _ *x509.Certificate) { r.PermittedURIDomains = []string{"ci.example"} }, begin, true},
		"issuer allows other names":        {func(_, i *x509.Certificate) { i.PermittedURIDomains = []string{"other.example"} }, begin, false},
		"issuer is for something else":     {func(_, i *x509.Certificate) { i.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} }, begin, false},
		"root is for something else":       {func(r, _ *x509.Certificate) { r.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} }, begin, false},
		"issuer may not sign certificates": {func(_, i *x509.Certificate) { i.KeyUsage = x509.KeyUsageDigitalSignature }, begin, false},
	} {
		t.Run(name, func(t *testing.T) {
			a, leaf := build(tt.change)
			issuers, valid, err := a.verify(leaf, tt.at)
			if (err == nil) != tt.want {
				t.Fatalf("got %v", err)
			}
			if tt.want && (len(issuers) != 1 || !valid.has(tt.at)) {
				t.Errorf("got %d issuers, valid from %s to %s", len(issuers), valid.from, valid.until)
			}
			// The oracle: all of the chain at once.
			_, oracle := leaf.Verify(x509.VerifyOptions{Roots: a.roots, Intermediates: a.intermediates, CurrentTime: tt.at,
				KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning}})
			if (oracle == nil) != tt.want {
				t.Errorf("crypto/x509 says %v", oracle)
			}
		})
	}
}

func TestKnownSignersAreBounded(t *testing.T) {
	a := &stamper{known: map[[32]byte]knownSigner{}}
	for i := range 10 * maxKnownSigners {
		a.remember([32]byte{byte(i), byte(i >> 8)}, knownSigner{})
		if len(a.known) > maxKnownSigners {
			t.Fatalf("%d are kept", len(a.known))
		}
	}
}

// A claim that is not carried over could not be matched by any policy.
func TestIdentityCarriesEveryClaim(t *testing.T) {
	typ := reflect.TypeFor[assay.Claims]()
	seen := map[int]bool{}
	for arc := range 40 {
		var c assay.Claims
		field := claim(&c, arc)
		if field == nil {
			continue
		}
		*field = "x"
		for i := range typ.NumField() {
			if reflect.ValueOf(c).Field(i).String() == "x" {
				seen[i] = true
			}
		}
	}
	if len(seen) != typ.NumField() {
		t.Errorf("%d of %d claims are read", len(seen), typ.NumField())
	}
}

func extension(t testing.TB, arc int, value string) pkix.Extension {
	t.Helper()
	b := []byte(value)
	if arc > arcLastRaw {
		var err error
		if b, err = asn1.MarshalWithParams(value, "utf8"); err != nil {
			t.Fatal(err)
		}
	}
	return pkix.Extension{Id: append(append(asn1.ObjectIdentifier{}, oidFulcio...), arc), Value: b}
}

func TestIdentity(t *testing.T) {
	k := newKey(t)
	read := func(change func(*x509.Certificate), extra ...pkix.Extension) (assay.Identity, error) {
		template := leafTemplate(extra...)
		if change != nil {
			change(template)
		}
		return Identity(issue(t, template, template, k.Public(), k))
	}
	id, err := read(nil, extension(t, 1, "https://issuer.example"), extension(t, 2, "push"), extension(t, 5, "org/repo"), extension(t, 8, "https://issuer.example"),
		extension(t, 12, "https://git.example/org/repo"), extension(t, 24, "repo:org"), extension(t, 99, "later"))
	want := assay.Identity{Issuer: "https://issuer.example", Subject: "https://ci.example/run", SubjectKind: assay.SubjectURI, Claims: assay.Claims{
		GitHubWorkflowTrigger: "push", GitHubWorkflowRepository: "org/repo", SourceRepositoryURI: "https://git.example/org/repo", TokenSubject: "repo:org"}}
	if err != nil || id != want {
		t.Errorf("got %+v, %v", id, err)
	}
	if id, err := read(nil, extension(t, 1, "https://old.example")); err != nil || id.Issuer != "https://old.example" {
		t.Errorf("only the old issuer: got %+v, %v", id, err)
	}
	mail := func(c *x509.Certificate) { c.URIs, c.EmailAddresses = nil, []string{"a@b.example"} }
	if id, err := read(mail); err != nil || id.Subject != "a@b.example" || id.SubjectKind != assay.SubjectEmail {
		t.Errorf("email: got %+v, %v", id, err)
	}
	name, err := asn1.Marshal(struct {
		ID    asn1.ObjectIdentifier
		Value string `asn1:"utf8,explicit,tag:0"`
	}{append(append(asn1.ObjectIdentifier{}, oidFulcio...), arcOtherName), "someone!example"})
	if err != nil {
		t.Fatal(err)
	}
	name[0] = 0xa0
	names, err := asn1.Marshal([]asn1.RawValue{{FullBytes: name}})
	if err != nil {
		t.Fatal(err)
	}
	other := func(value []byte) func(*x509.Certificate) {
		return func(c *x509.Certificate) {
			c.URIs, c.ExtraExtensions = nil, []pkix.Extension{{Id: oidSubjectAltName, Critical: true, Value: value}}
		}
	}
	if id, err := read(other(names)); err != nil || id.Subject != "someone!example" || id.SubjectKind != assay.SubjectOtherName {
		t.Errorf("other name: got %+v, %v", id, err)
	}
	twice, err := asn1.Marshal([]asn1.RawValue{{FullBytes: name}, {FullBytes: name}})
	if err != nil {
		t.Fatal(err)
	}
	bad := extension(t, 9, "x")
	bad.Value = bad.Value[:1]
	for what, fails := range map[string]func() (assay.Identity, error){
		"two issuers":     func() (assay.Identity, error) { return read(nil, extension(t, 1, "a"), extension(t, 8, "b")) },
		"truncated":       func() (assay.Identity, error) { return read(nil, bad) },
		"no UTF-8":        func() (assay.Identity, error) { return read(nil, extension(t, 2, "\xff")) },
		"no name":         func() (assay.Identity, error) { return read(func(c *x509.Certificate) { c.URIs = nil }) },
		"two other names": func() (assay.Identity, error) { return read(other(twice)) },
		"a DNS name": func() (assay.Identity, error) {
			return read(func(c *x509.Certificate) { c.URIs, c.DNSNames = nil, []string{"x.example"} })
		},
		"a broken SAN list": func() (assay.Identity, error) {
			return Identity(&x509.Certificate{Extensions: []pkix.Extension{{Id: oidSubjectAltName, Value: []byte{0x30, 5}}}})
		},
	} {
		if id, err := fails(); !errors.Is(err, assay.ErrInvalid) {
			t.Errorf("%s: got %+v, %v", what, id, err)
		}
	}
}

func fulcio(ca *x509.Certificate, intermediates ...*x509.Certificate) *root.FulcioCertificateAuthority {
	return &root.FulcioCertificateAuthority{Root: ca, Intermediates: intermediates}
}
