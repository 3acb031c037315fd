//go:build !unix

package osv_test

import "time"

var processStart = time.Now()

// cpuTime is the time since the tests began, where the process cannot be asked.
func cpuTime() time.Duration { return time.Since(processStart) }
