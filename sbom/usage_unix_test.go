//go:build unix

package sbom_test

import (
	"os"
	"runtime"
	"syscall"
)

// residentPeak is the most memory that a process that ended had at a time, in bytes.
func residentPeak(p *os.ProcessState) int64 {
	u, ok := p.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0
	}
	if runtime.GOOS == "darwin" {
		return u.Maxrss
	}
	return u.Maxrss << 10
}
