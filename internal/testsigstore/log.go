package testsigstore

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/secure-systems-lab/go-securesystemslib/dsse"
	protocommon "github.com/sigstore/protobuf-specs/gen/pb-go/common/v1"
	protorekor "github.com/sigstore/protobuf-specs/gen/pb-go/rekor/v1"
	rekornote "github.com/sigstore/rekor-tiles/v2/pkg/note"
	"github.com/sigstore/sigstore/pkg/signature"
	"github.com/transparency-dev/merkle/rfc6962"
	"golang.org/x/mod/sumdb/note"
)

// RekorVersion is the kind of log entry.
type RekorVersion int

const (
	// RekorV2 entries (hashedrekord 0.0.2) have an inclusion proof under a
	// checkpoint and no time.
	RekorV2 RekorVersion = iota
	// RekorV1 entries (dsse 0.0.1) have the time of integration besides, signed
	// in an inclusion promise (SET).
	RekorV1
)

// transparencyLog is an append-only Merkle tree (RFC 6962) and its key.
type transparencyLog struct {
	version RekorVersion
	host    string // the hostname of its base URL
	origin  string // the first line of its checkpoints
	key     crypto.Signer
	keyID   []byte // the log id

	mu     sync.Mutex
	leaves [][]byte // hashed
}

func newLog(version RekorVersion, host string) (*transparencyLog, error) {
	l := &transparencyLog{version: version, host: host, origin: host}
	switch version {
	case RekorV1:
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			return nil, err
		}
		l.key = key
		// The numeric tree id after " - " is how verifiers tell a v1 checkpoint.
		l.origin = host + " - 1193050959916656506"
		der, err := x509.MarshalPKIXPublicKey(key.Public())
		if err != nil {
			return nil, err
		}
		id := sha256.Sum256(der)
		l.keyID = id[:]
	case RekorV2:
		pub, key, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			return nil, err
		}
		l.key = key
		if _, l.keyID, err = rekornote.KeyHash(host, pub); err != nil {
			return nil, err
		}
	default:
		return nil, fmt.Errorf("no Rekor version %d", version)
	}
	// Entries of others, so that proofs are longer than nothing.
	for i := range 5 {
		l.leaves = append(l.leaves, rfc6962.DefaultHasher.HashLeaf(fmt.Appendf(nil, "entry %d of another signer", i)))
	}
	return l, nil
}

// entry logs a DSSE signature made at a time.
func (l *transparencyLog) entry(leaf *x509.Certificate, payloadType string, payload, sig []byte, at time.Time) (*protorekor.TransparencyLogEntry, error) {
	if l.version == RekorV1 {
		body, err := dsseBody(&pem.Block{Type: "CERTIFICATE", Bytes: leaf.Raw}, payloadType, payload, sig)
		if err != nil {
			return nil, err
		}
		return l.add(&protorekor.KindVersion{Kind: "dsse", Version: "0.0.1"}, body, at)
	}
	digest := sha256.Sum256(dsse.PAE(payloadType, payload))
	return l.addHashedRekord("SHA2_256", digest[:], sig, map[string]any{
		"keyDetails":      "PKIX_ECDSA_P256_SHA_256",
		"x509Certificate": map[string]any{"rawBytes": leaf.Raw},
	})
}

// addHashedRekord logs what Rekor v2 logs of any signature: for a DSSE envelope
// the digest is that of the pre-authentication encoding.
func (l *transparencyLog) addHashedRekord(algorithm string, digest, sig []byte, verifier any) (*protorekor.TransparencyLogEntry, error) {
	return l.add(&protorekor.KindVersion{Kind: "hashedrekord", Version: "0.0.2"}, map[string]any{
		"apiVersion": "0.0.2",
		"kind":       "hashedrekord",
		"spec": map[string]any{"hashedRekordV002": map[string]any{
			"data":      map[string]any{"algorithm": algorithm, "digest": digest},
			"signature": map[string]any{"content": sig, "verifier": verifier},
		}},
	}, time.Time{})
}

// add appends an entry and proves it. Rekor v1 states the time.
func (l *transparencyLog) add(kind *protorekor.KindVersion, body any, at time.Time) (*protorekor.TransparencyLogEntry, error) {
	// Maps of ASCII strings: encoding/json writes them as RFC 8785 does.
	canonical, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.leaves = append(l.leaves, rfc6962.DefaultHasher.HashLeaf(canonical))
	index := len(l.leaves) - 1
	checkpoint, err := l.checkpoint()
	if err != nil {
		return nil, err
	}
	e := &protorekor.TransparencyLogEntry{
		LogIndex:          int64(index),
		LogId:             &protocommon.LogId{KeyId: l.keyID},
		KindVersion:       kind,
		CanonicalizedBody: canonical,
		InclusionProof: &protorekor.InclusionProof{
			LogIndex:   int64(index),
			TreeSize:   int64(len(l.leaves)),
			RootHash:   treeHash(l.leaves),
			Hashes:     auditPath(index, l.leaves),
			Checkpoint: &protorekor.Checkpoint{Envelope: checkpoint},
		},
	}
	if l.version == RekorV1 {
		e.IntegratedTime = at.Unix()
		set, err := l.promise(e)
		if err != nil {
			return nil, err
		}
		e.InclusionPromise = &protorekor.InclusionPromise{SignedEntryTimestamp: set}
	}
	return e, nil
}

// dsseBody is what Rekor v1 logs for a DSSE envelope.
func dsseBody(verifier *pem.Block, payloadType string, payload, sig []byte) (any, error) {
	envelope, err := json.Marshal(dsse.Envelope{
		PayloadType: payloadType,
		Payload:     base64.StdEncoding.EncodeToString(payload),
		Signatures:  []dsse.Signature{{Sig: base64.StdEncoding.EncodeToString(sig)}},
	})
	if err != nil {
		return nil, err
	}
	sha := func(b []byte) any {
		sum := sha256.Sum256(b)
		return map[string]any{"algorithm": "sha256", "value": hex.EncodeToString(sum[:])}
	}
	return map[string]any{
		"apiVersion": "0.0.1",
		"kind":       "dsse",
		"spec": map[string]any{
			"envelopeHash": sha(envelope),
			"payloadHash":  sha(payload),
			"signatures": []any{map[string]any{
				"signature": base64.StdEncoding.EncodeToString(sig),
				"verifier":  pem.EncodeToMemory(verifier),
			}},
		},
	}, nil
}

// promise is the signed entry timestamp of Rekor v1.
func (l *transparencyLog) promise(e *protorekor.TransparencyLogEntry) ([]byte, error) {
	payload, err := json.Marshal(map[string]any{
		"body":           base64.StdEncoding.EncodeToString(e.CanonicalizedBody),
		"integratedTime": e.IntegratedTime,
		"logID":          hex.EncodeToString(l.keyID),
		"logIndex":       e.LogIndex,
	})
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(payload)
	return l.key.Sign(rand.Reader, sum[:], crypto.SHA256)
}

// checkpoint is the signed note over the current tree (C2SP tlog-checkpoint).
func (l *transparencyLog) checkpoint() (string, error) {
	signer, err := signature.LoadSigner(l.key, crypto.SHA256)
	if err != nil {
		return "", err
	}
	by, err := rekornote.NewNoteSigner(context.Background(), l.host, signer)
	if err != nil {
		return "", err
	}
	var text strings.Builder
	fmt.Fprintf(&text, "%s\n%d\n%s\n", l.origin, len(l.leaves), base64.StdEncoding.EncodeToString(treeHash(l.leaves)))
	signed, err := note.Sign(&note.Note{Text: text.String()}, by)
	return string(signed), err
}

// split is the largest power of two below n (RFC 6962, section 2.1).
func split(n int) int {
	k := 1
	for k*2 < n {
		k *= 2
	}
	return k
}

func treeHash(leaves [][]byte) []byte {
	switch len(leaves) {
	case 0:
		return rfc6962.DefaultHasher.EmptyRoot()
	case 1:
		return leaves[0]
	}
	k := split(len(leaves))
	return rfc6962.DefaultHasher.HashChildren(treeHash(leaves[:k]), treeHash(leaves[k:]))
}

// auditPath is the inclusion proof of leaf i (RFC 6962, section 2.1.1).
func auditPath(i int, leaves [][]byte) [][]byte {
	if len(leaves) <= 1 {
		return nil
	}
	k := split(len(leaves))
	if i < k {
		return append(auditPath(i, leaves[:k]), treeHash(leaves[k:]))
	}
	return append(auditPath(i-k, leaves[k:]), treeHash(leaves[:k]))
}
