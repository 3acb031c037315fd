package severity

import (
	"math"
	"strconv"
	"strings"

	gocvss20 "github.com/pandatix/go-cvss/20"
	gocvss30 "github.com/pandatix/go-cvss/30"
	gocvss31 "github.com/pandatix/go-cvss/31"
	gocvss40 "github.com/pandatix/go-cvss/40"

	"github.com/assaykit/assay"
)

// MaxVector bounds a vector, in bytes. One with every metric of CVSS v4.0 is shorter
// than half of that.
const MaxVector = 512

// CVSS is a vector that was read.
type CVSS struct {
	// Version is "2.0", "3.0", "3.1" or "4.0".
	Version string
	// Vector is in the specification's spelling and order, without metrics that are
	// not defined. Of version 2.0 it has no prefix.
	Vector string
	// Score is from 0 to 10 with one decimal. Of versions 2 and 3 it is the base score,
	// which is what databases publish; temporal and environmental metrics have to be
	// right, and do not count. Of version 4.0, which has a single score, all metrics
	// count.
	Score float64
}

// Parse reads a vector by the specification of its version: the case of letters
// counts, mandatory metrics are there, none is there twice, and in versions 2.0 and
// 4.0 they are in order. Version 2.0 is what has no "CVSS:" prefix; the parentheses
// of NVD around it and the prefixes "CVSS2#" and "CVSS:2.0/" are taken away.
//
// What is malformed is an [assay.ErrInvalid], a version that is not known an
// [assay.ErrUnchecked], more than [MaxVector] bytes an [assay.ErrBound].
func Parse(vector string) (CVSS, error) {
	if len(vector) > MaxVector {
		return CVSS{}, &assay.Error{Op: "parse CVSS vector", Kind: assay.ErrBound, Value: vector, Bound: "at most " + strconv.Itoa(MaxVector) + " bytes"}
	}
	prefix, _, _ := strings.Cut(vector, "/")
	switch {
	case prefix == "CVSS:4.0":
		v, err := gocvss40.ParseVector(vector)
		if err != nil {
			return CVSS{}, malformed(vector, "4.0", "CVSS v4.0, section 7", err)
		}
		return CVSS{Version: "4.0", Vector: v.Vector(), Score: tenth(v.Score())}, nil
	case prefix == "CVSS:3.1":
		v, err := gocvss31.ParseVector(vector)
		if err != nil {
			return CVSS{}, malformed(vector, "3.1", "CVSS v3.1, section 6", err)
		}
		return CVSS{Version: "3.1", Vector: v.Vector(), Score: tenth(v.BaseScore())}, nil
	case prefix == "CVSS:3.0":
		v, err := gocvss30.ParseVector(vector)
		if err != nil {
			return CVSS{}, malformed(vector, "3.0", "CVSS v3.0, section 6", err)
		}
		return CVSS{Version: "3.0", Vector: v.Vector(), Score: tenth(v.BaseScore())}, nil
	case strings.HasPrefix(prefix, "CVSS:") && prefix != "CVSS:2.0":
		return CVSS{}, &assay.Error{Op: "parse CVSS vector", Kind: assay.ErrUnchecked, Value: vector, Bound: "version 2.0, 3.0, 3.1 or 4.0"}
	}
	bare := vector
	if inner, ok := strings.CutPrefix(bare, "("); ok && strings.HasSuffix(inner, ")") {
		bare = strings.TrimSuffix(inner, ")")
	}
	for _, p := range [...]string{"CVSS2#", "CVSS:2.0/"} {
		if rest, ok := strings.CutPrefix(bare, p); ok {
			bare = rest
			break
		}
	}
	v, err := gocvss20.ParseVector(bare)
	if err != nil {
		return CVSS{}, malformed(vector, "2.0", "CVSS v2.0, section 2.4", err)
	}
	return CVSS{Version: "2.0", Vector: v.Vector(), Score: tenth(v.BaseScore())}, nil
}

func malformed(vector, version, rule string, err error) error {
	return &assay.Error{Op: "parse CVSS vector", Kind: assay.ErrInvalid, Value: vector, Bound: "a vector of version " + version, Rule: rule, Err: err}
}

// tenth drops the noise of binary arithmetic: 4.1 and not 4.1000000000000005. No
// formula gives less than zero, but one of version 2.0 gives a zero with a sign.
func tenth(score float64) float64 {
	return math.Max(0, math.Round(score*10)/10)
}
