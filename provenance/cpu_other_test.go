//go:build !unix

package provenance_test

import "time"

var processStart = time.Now()

// cpuTime is the time, where there is nothing better.
func cpuTime() time.Duration { return time.Since(processStart) }
