package osv

import (
	"encoding/binary"
	"slices"
	"strconv"

	"github.com/assaykit/assay"
)

const (
	// maxEcosystem bounds the name of an ecosystem with its release, in bytes. The
	// longest in the wild, of SUSE's products, have some 80.
	maxEcosystem = 512
	// maxReleases bounds how many an index is about. There are some 2,000.
	maxReleases = 1 << 16
)

// releaseSets remembers which releases each record is about until it is known which
// records stand. Most records are about the same few sets of them.
type releaseSets struct {
	number map[string]uint32 // of a release
	name   []string
	sets   map[string]uint32
	set    [][]uint32
	of     []uint32 // the set of each record
	stands []bool   // of the releases
	key    []byte
}

// note takes the releases of the next record.
func (s *releaseSets) note(releases []string) error {
	if s.number == nil {
		s.number, s.sets = map[string]uint32{}, map[string]uint32{}
	}
	s.key = s.key[:0]
	numbers := make([]uint32, 0, len(releases))
	for _, r := range releases {
		n, ok := s.number[r]
		if !ok {
			if n = uint32(len(s.name)); n == maxReleases {
				return &assay.Error{Op: buildOp, Kind: assay.ErrBound, Field: "releases", Value: r, Bound: "at most " + strconv.Itoa(maxReleases) + " releases of distributions"}
			}
			s.number[r] = n
			s.name = append(s.name, r)
			s.stands = append(s.stands, false)
		}
		numbers = append(numbers, n)
		s.key = binary.BigEndian.AppendUint32(s.key, n)
	}
	n, ok := s.sets[string(s.key)]
	if !ok {
		n = uint32(len(s.set))
		s.sets[string(s.key)] = n
		s.set = append(s.set, numbers)
	}
	s.of = append(s.of, n)
	return nil
}

// keep says that a record stands.
func (s *releaseSets) keep(record uint32) {
	for _, n := range s.set[s.of[record]] {
		s.stands[n] = true
	}
}

// kept are the releases of the records that stand, sorted.
func (s *releaseSets) kept() []string {
	var out []string
	for n, name := range s.name {
		if s.stands[n] {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}
