// Package sourcedate reads SOURCE_DATE_EPOCH, by which a build asks for the same
// bytes every time (reproducible-builds.org/specs/source-date-epoch).
//
// [Epoch] is all there is. A value that does not parse is an error: to ignore it
// would make a build that asked to be reproducible silently not so.
package sourcedate

import (
	"os"
	"strconv"
	"time"

	"github.com/assaykit/assay"
)

const variable = "SOURCE_DATE_EPOCH"

// last is the last second of year 9999, the last that RFC 3339 can write.
const last = 253402300799

// Epoch is the time that the environment asks for, in UTC; zero if it asks for none.
func Epoch() (time.Time, error) {
	v := os.Getenv(variable)
	if v == "" {
		return time.Time{}, nil
	}
	sec, err := strconv.ParseInt(v, 10, 64)
	if err != nil || sec < 0 || sec > last {
		return time.Time{}, &assay.Error{Op: "read environment", Kind: assay.ErrInvalid, Field: variable, Value: v, Bound: "seconds since 1970, up to year 9999"}
	}
	return time.Unix(sec, 0).UTC(), nil
}
