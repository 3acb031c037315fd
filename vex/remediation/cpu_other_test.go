//go:build !unix

package remediation_test

import "time"

var start = time.Now()

// cpuTime is the time, where there is nothing better.
func cpuTime() time.Duration { return time.Since(start) }
