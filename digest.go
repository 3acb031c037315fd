package assay

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
)

// Algorithm names a digest algorithm as the in-toto DigestSet does
// (in-toto attestation v1.2, spec/v1/digest_set.md).
type Algorithm string

// The algorithms whose digests are understood.
const (
	SHA256   Algorithm = "sha256"
	SHA384   Algorithm = "sha384"
	SHA512   Algorithm = "sha512"
	SHA224   Algorithm = "sha224"
	SHA3_224 Algorithm = "sha3_224"
	SHA3_256 Algorithm = "sha3_256"
	SHA3_384 Algorithm = "sha3_384"
	SHA3_512 Algorithm = "sha3_512"
	BLAKE2B  Algorithm = "blake2b" // 512 bits
	BLAKE2S  Algorithm = "blake2s" // 256 bits
	// BLAKE2B256 is no algorithm of in-toto; OpenVEX and CycloneDX have it.
	BLAKE2B256 Algorithm = "blake2b_256"
	BLAKE3     Algorithm = "blake3" // 256 bits
	SHA1       Algorithm = "sha1"
	MD5        Algorithm = "md5"
	GitCommit  Algorithm = "gitCommit" // SHA-1 or SHA-256 object id
	GitTree    Algorithm = "gitTree"
	GitBlob    Algorithm = "gitBlob"
	GitTag     Algorithm = "gitTag"
	// DirHash is the "h1:" sum of a Go module (golang.org/x/mod/sumdb/dirhash,
	// Hash1), in hexadecimal. The specification's example spells it dirHash1;
	// both are read, this one is written.
	DirHash Algorithm = "dirHash"
)

// hexLengths gives the accepted lengths of the hexadecimal form; the second is
// zero for most, both are for an algorithm that is not known.
func (a Algorithm) hexLengths() (int, int) {
	switch a {
	case MD5:
		return 32, 0
	case SHA1:
		return 40, 0
	case GitCommit, GitTree, GitBlob, GitTag:
		return 40, 64
	case SHA224, SHA3_224:
		return 56, 0
	case SHA256, SHA3_256, BLAKE2S, BLAKE2B256, BLAKE3, DirHash:
		return 64, 0
	case SHA384, SHA3_384:
		return 96, 0
	case SHA512, SHA3_512, BLAKE2B:
		return 128, 0
	}
	return 0, 0
}

// Known reports whether digests of this algorithm are understood.
func (a Algorithm) Known() bool { n, _ := a.hexLengths(); return n > 0 }

// Strong reports whether a match of this algorithm alone identifies content:
// collision resistant, and over the content itself. MD5, SHA-1 and the git object
// ids (SHA-1 for nearly all repositories) never do.
func (a Algorithm) Strong() bool {
	switch a {
	case SHA256, SHA384, SHA512, SHA3_256, SHA3_384, SHA3_512, BLAKE2B, BLAKE2B256, BLAKE2S, BLAKE3:
		return true
	}
	return false
}

// Digest is an algorithm and the lowercase hexadecimal digest. It is comparable;
// its zero value is no digest.
type Digest struct {
	alg Algorithm
	hex string
}

// ParseDigest reads "algorithm:hex" (OCI image-spec v1.1, descriptor.md#digests).
// The hexadecimal part must be lowercase and of the algorithm's length.
func ParseDigest(s string) (Digest, error) {
	alg, digits, ok := strings.Cut(s, ":")
	if !ok {
		return Digest{}, &Error{Op: "parse digest", Kind: ErrInvalid, Value: s, Bound: "algorithm:hex"}
	}
	return NewDigest(Algorithm(alg), digits)
}

// NewDigest makes a digest of its two parts, under the rules of [ParseDigest].
func NewDigest(alg Algorithm, digits string) (Digest, error) {
	short, long := alg.hexLengths()
	if short == 0 {
		return Digest{}, &Error{Op: "parse digest", Kind: ErrInvalid, Field: "algorithm", Value: string(alg), Bound: "a known algorithm"}
	}
	if len(digits) != short && (long == 0 || len(digits) != long) {
		want := strconv.Itoa(short)
		if long != 0 {
			want += " or " + strconv.Itoa(long)
		}
		return Digest{}, &Error{Op: "parse digest", Kind: ErrInvalid, Field: string(alg), Value: digits, Bound: want + " hexadecimal digits"}
	}
	for i := range len(digits) {
		if c := digits[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return Digest{}, &Error{Op: "parse digest", Kind: ErrInvalid, Field: string(alg), Value: digits, Bound: "lowercase hexadecimal digits"}
		}
	}
	return Digest{alg, digits}, nil
}

// SumSHA256 is the SHA-256 of the bytes.
func SumSHA256(b []byte) Digest {
	sum := sha256.Sum256(b)
	return Digest{SHA256, hex.EncodeToString(sum[:])}
}

// MustDigest is [ParseDigest] for constants; it panics where that gives an error.
func MustDigest(s string) Digest {
	d, err := ParseDigest(s)
	if err != nil {
		panic(err)
	}
	return d
}

// Algorithm is the part before the colon.
func (d Digest) Algorithm() Algorithm { return d.alg }

// Hex is the part after the colon.
func (d Digest) Hex() string { return d.hex }

// IsZero reports whether d is no digest.
func (d Digest) IsZero() bool { return d.hex == "" }

// String gives "algorithm:hex", or "" for no digest.
func (d Digest) String() string {
	if d.IsZero() {
		return ""
	}
	return string(d.alg) + ":" + d.hex
}

// Compare orders digests by algorithm, then by hex.
func (d Digest) Compare(o Digest) int {
	return cmp.Or(cmp.Compare(d.alg, o.alg), cmp.Compare(d.hex, o.hex))
}

// MarshalText implements [encoding.TextMarshaler].
func (d Digest) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler]; empty text is no digest.
func (d *Digest) UnmarshalText(b []byte) error {
	if len(b) == 0 {
		*d = Digest{}
		return nil
	}
	v, err := ParseDigest(string(b))
	if err == nil {
		*d = v
	}
	return err
}
