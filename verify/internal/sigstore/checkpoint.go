package sigstore

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// checkpoint is the signed state of a log (c2sp.org/tlog-checkpoint), of which
// nothing is proven yet.
type checkpoint struct {
	text       string // what is signed
	origin     string
	size       uint64
	root       [sha256.Size]byte
	signatures []noteSignature
}

type noteSignature struct {
	name string
	hint uint32
	sig  []byte
}

// maxNoteSignatures bounds the signatures of a checkpoint: one of the log, and
// those of its witnesses.
const maxNoteSignatures = 100

func parseCheckpoint(note string) (*checkpoint, error) {
	bad := func(what string) (*checkpoint, error) { return nil, errors.New("checkpoint: " + what) }
	for _, r := range note {
		if r < 0x20 && r != '\n' || r == utf8.RuneError {
			return bad("a control character, or no UTF-8")
		}
	}
	i := strings.LastIndex(note, "\n\n")
	if i < 0 || !strings.HasSuffix(note, "\n") {
		return bad("no signatures")
	}
	c := &checkpoint{text: note[:i+1]}
	for line := range strings.Lines(note[i+2:]) {
		if len(c.signatures) == maxNoteSignatures {
			return bad("more than " + strconv.Itoa(maxNoteSignatures) + " signatures")
		}
		rest, ok := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "— ")
		name, b64, ok2 := strings.Cut(rest, " ")
		sig, err := base64.StdEncoding.DecodeString(b64)
		if !ok || !ok2 || err != nil || len(sig) < 5 || name == "" || strings.Contains(name, "+") || strings.IndexFunc(name, unicode.IsSpace) >= 0 {
			return bad("a malformed signature line")
		}
		c.signatures = append(c.signatures, noteSignature{name, bigEndian(sig), sig[4:]})
	}
	if len(c.signatures) == 0 {
		return bad("no signatures")
	}
	var lines [3]string
	rest := c.text
	for i := range lines {
		var ok bool
		if lines[i], rest, ok = strings.Cut(rest, "\n"); !ok {
			return bad("too few lines")
		}
	}
	c.origin = lines[0]
	if c.origin == "" {
		return bad("no origin")
	}
	var err error
	if c.size, err = strconv.ParseUint(lines[1], 10, 64); err != nil {
		return bad("the size is no number")
	}
	hash, err := base64.StdEncoding.DecodeString(lines[2])
	if err != nil || len(hash) != sha256.Size {
		return bad("the root is no SHA-256 hash")
	}
	c.root = [sha256.Size]byte(hash)
	return c, nil
}

// isV1 tells Rekor v1's checkpoints, whose origin ends with the number of the tree.
func (c *checkpoint) isV1() bool {
	i := strings.LastIndex(c.origin, " - ")
	if i < 0 || i+3 == len(c.origin) {
		return false
	}
	return strings.IndexFunc(c.origin[i+3:], func(r rune) bool { return r < '0' || r > '9' }) < 0
}

// verify proves that the log signed the checkpoint.
func (c *checkpoint) verify(l *transparencyLog) error {
	if c.isV1() {
		// Rekor v1 has no witnesses: each signature must be the log's.
		for _, s := range c.signatures {
			if s.hint != l.hintV1 {
				return errors.New("checkpoint: a signature by another key")
			}
			if err := verifyMessage(l.key, []byte(c.text), s.sig); err != nil {
				return fmt.Errorf("checkpoint: %w", err)
			}
		}
		return nil
	}
	if l.host == "" {
		return errors.New("checkpoint: the trusted root has no base URL for the log, which names it")
	}
	if c.origin != l.host {
		return fmt.Errorf("checkpoint: of %q, want %q", c.origin, l.host)
	}
	for _, s := range c.signatures {
		// Of several with one key id the first decides, as c2sp.org/signed-note has it.
		if s.name == l.host && s.hint == l.hint {
			if err := verifyMessage(l.key, []byte(c.text), s.sig); err != nil {
				return fmt.Errorf("checkpoint: %w", err)
			}
			return nil
		}
	}
	return errors.New("checkpoint: no signature by the log")
}

// leafHash and nodeHash are RFC 6962, section 2.1.
func leafHash(body []byte) (out [sha256.Size]byte) {
	h := sha256.New()
	h.Write([]byte{0})
	h.Write(body)
	h.Sum(out[:0])
	return out
}

func nodeHash(left, right []byte) [sha256.Size]byte {
	var b [1 + 2*sha256.Size]byte
	b[0] = 1
	copy(b[1:], left)
	copy(b[1+sha256.Size:], right)
	return sha256.Sum256(b[:])
}

// rootOf is the root of a tree that a proof leads to (RFC 9162, section 2.1.3.2).
func rootOf(index, size uint64, leaf [sha256.Size]byte, proof [][]byte) ([sha256.Size]byte, error) {
	if index >= size {
		return leaf, fmt.Errorf("the index %d is outside of the tree of %d", index, size)
	}
	node, last, r := index, size-1, leaf
	for _, p := range proof {
		if last == 0 || len(p) != sha256.Size {
			return leaf, errors.New("the inclusion proof is malformed")
		}
		if node&1 == 1 || node == last {
			r = nodeHash(p, r[:])
			for node&1 == 0 && node != 0 {
				node, last = node>>1, last>>1
			}
		} else {
			r = nodeHash(r[:], p)
		}
		node, last = node>>1, last>>1
	}
	if last != 0 {
		return leaf, errors.New("the inclusion proof is too short")
	}
	return r, nil
}

// verifyInclusion proves that the body is in the log.
func (e *Entry) verifyInclusion(l *transparencyLog) error {
	c, err := parseCheckpoint(e.Proof.Checkpoint)
	if err != nil {
		return err
	}
	index := e.Index
	if c.isV1() {
		// The index of the entry counts over all shards; the proof has that in this one.
		index = e.Proof.Index
		if e.Proof.Size < 0 || uint64(e.Proof.Size) != c.size || !bytes.Equal(e.Proof.Root, c.root[:]) {
			return errors.New("the inclusion proof is for another tree than the checkpoint")
		}
	}
	if index < 0 {
		return errors.New("a negative index")
	}
	root, err := rootOf(uint64(index), c.size, leafHash(e.Body), e.Proof.Hashes)
	if err != nil {
		return err
	}
	if root != c.root {
		return errors.New("the inclusion proof does not lead to the checkpoint's root")
	}
	return c.verify(l)
}
