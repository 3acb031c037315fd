//go:build unix

package provenance_test

import (
	"syscall"
	"time"
)

// cpuTime is what the process has used up to now. Other processes do not add to it.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
