package vex

import (
	"maps"
	"slices"
	"strings"

	"github.com/assaykit/assay"
)

// hashLabel gives the label of Appendix A for an algorithm, or "" where OpenVEX
// has none (BLAKE3, git object ids, directory hashes, SHA-224).
func hashLabel(a assay.Algorithm) string {
	switch a {
	case assay.MD5:
		return "md5"
	case assay.SHA1:
		return "sha1"
	case assay.SHA256:
		return "sha-256"
	case assay.SHA384:
		return "sha-384"
	case assay.SHA512:
		return "sha-512"
	case assay.SHA3_224:
		return "sha3-224"
	case assay.SHA3_256:
		return "sha3-256"
	case assay.SHA3_384:
		return "sha3-384"
	case assay.SHA3_512:
		return "sha3-512"
	case assay.BLAKE2S:
		return "blake2s-256"
	case assay.BLAKE2B256:
		return "blake2b-256"
	case assay.BLAKE2B:
		return "blake2b-512"
	}
	return ""
}

// hashAlgorithm is the reverse of hashLabel.
func hashAlgorithm(label string) (assay.Algorithm, bool) {
	for _, a := range []assay.Algorithm{
		assay.SHA256, assay.SHA512, assay.SHA384, assay.SHA1, assay.MD5, assay.SHA3_224, assay.SHA3_256,
		assay.SHA3_384, assay.SHA3_512, assay.BLAKE2S, assay.BLAKE2B256, assay.BLAKE2B,
	} {
		if hashLabel(a) == label {
			return a, true
		}
	}
	return "", false
}

// readHashes is strict about labels; about values it repairs what circulates: a
// prefix that repeats the algorithm, and upper case.
func (r *reader) readHashes(m map[string]string) (assay.DigestSet, *assay.Error) {
	if len(m) == 0 {
		return nil, nil
	}
	var set []assay.Digest
	for _, label := range slices.Sorted(maps.Keys(m)) {
		alg, ok := hashAlgorithm(label)
		if !ok {
			return nil, broken(14, "/hashes/"+escapePointer(label), label, "a hash label of Appendix A, such as sha-256")
		}
		value := strings.ToLower(m[label])
		if prefix, hex, ok := strings.Cut(value, ":"); ok && (prefix == label || prefix == strings.ReplaceAll(label, "-", "") || prefix == string(alg)) {
			value = hex
		}
		d, err := assay.NewDigest(alg, value)
		if err != nil {
			e := broken(14, "/hashes/"+escapePointer(label), m[label], "a hexadecimal digest of the algorithm's length")
			e.Err = err
			return nil, e
		}
		if value != m[label] {
			r.warn(broken(14, "/hashes/"+escapePointer(label), m[label], value))
		}
		set = append(set, d)
	}
	ds, err := assay.NewDigestSet(set...)
	if err != nil { // labels are unique, and so are algorithms
		e := broken(14, "/hashes", "", "one digest for each algorithm")
		e.Err = err
		return nil, e
	}
	return ds, nil
}

func escapePointer(s string) string {
	return strings.NewReplacer("~", "~0", "/", "~1").Replace(s)
}
