package assay

import (
	"encoding/json"
	"maps"
	"slices"
)

// DigestSet is the digests of one content by several algorithms, sorted, one for
// each algorithm (in-toto attestation v1.2, spec/v1/digest_set.md). Its JSON is an
// object from algorithm to hex.
type DigestSet []Digest

// NewDigestSet sorts the digests and drops repetitions; of no digests it makes nil.
// Two different digests of
// one algorithm contradict each other and are an error.
func NewDigestSet(digests ...Digest) (DigestSet, error) {
	if len(digests) == 0 {
		return nil, nil
	}
	s := slices.Clone(digests)
	slices.SortFunc(s, Digest.Compare)
	s = slices.Compact(s)
	for i, d := range s {
		if d.IsZero() {
			return nil, &Error{Op: "digest set", Kind: ErrInvalid, Bound: "digests that are not empty"}
		}
		if i > 0 && d.alg == s[i-1].alg {
			return nil, &Error{Op: "digest set", Kind: ErrInvalid, Field: string(d.alg), Value: d.hex, Bound: s[i-1].hex}
		}
	}
	return s, nil
}

// ParseDigestSet reads the object form. Unknown algorithms are ignored, as the
// specification asks; a malformed digest of a known one is an error.
func ParseDigestSet(m map[string]string) (DigestSet, error) {
	var s []Digest
	for _, alg := range slices.Sorted(maps.Keys(m)) { // so that of two errors the same one is told
		hex := m[alg]
		if alg == "dirHash1" {
			alg = string(DirHash)
		}
		if !Algorithm(alg).Known() {
			continue
		}
		d, err := NewDigest(Algorithm(alg), hex)
		if err != nil {
			return nil, err
		}
		if alg == string(DirHash) && len(s) > 0 && s[len(s)-1].alg == DirHash && s[len(s)-1] != d {
			return nil, &Error{Op: "digest set", Kind: ErrInvalid, Field: "dirHash1", Value: d.hex, Bound: "the dirHash, " + s[len(s)-1].hex, Rule: "in-toto S8"}
		}
		s = append(s, d)
	}
	return NewDigestSet(s...)
}

// Get gives the digest by one algorithm, or the zero Digest.
func (s DigestSet) Get(alg Algorithm) Digest {
	for _, d := range s {
		if d.alg == alg {
			return d
		}
	}
	return Digest{}
}

// Has reports whether d is one of the digests and its algorithm is strong enough
// to identify content by itself.
func (s DigestSet) Has(d Digest) bool {
	return d.alg.Strong() && slices.Contains(s, d)
}

// Match reports whether the sets share a digest of a strong algorithm. Any one
// suffices (in-toto attestation v1.2, spec/v1/digest_set.md). Sets without a strong
// digest match nothing, themselves included.
func (s DigestSet) Match(o DigestSet) bool {
	return slices.ContainsFunc(s, o.Has)
}

// Equal reports whether the sets hold the same digests.
func (s DigestSet) Equal(o DigestSet) bool { return slices.Equal(s, o) }

// Map gives the object form.
func (s DigestSet) Map() map[string]string {
	m := make(map[string]string, len(s))
	for _, d := range s {
		m[string(d.alg)] = d.hex
	}
	return m
}

// MarshalJSON implements [json.Marshaler].
func (s DigestSet) MarshalJSON() ([]byte, error) { return json.Marshal(s.Map()) }

// UnmarshalJSON implements [json.Unmarshaler], by [ParseDigestSet].
func (s *DigestSet) UnmarshalJSON(b []byte) error {
	var m map[string]string
	if err := json.Unmarshal(b, &m); err != nil {
		return err
	}
	v, err := ParseDigestSet(m)
	if err == nil {
		*s = v
	}
	return err
}
