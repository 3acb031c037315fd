//go:build !unix

package envelope_test

import (
	"testing"
	"time"
)

var began = time.Now()

// cpu is the time, where the processor time of a process is not to be had.
func cpu(testing.TB) float64 { return time.Since(began).Seconds() }
