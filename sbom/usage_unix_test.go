//go:build unix

package sbom_test

import (
	"bytes"
	"os"
	"runtime"
	"strconv"
	"syscall"
)

// residentPeak is the most memory that this process had at a time, in bytes, 0 if that
// is not known. On Linux what wait and getrusage say of a child begins with what its
// parent had.
func residentPeak() int64 {
	if status, err := os.ReadFile("/proc/self/status"); err == nil {
		_, rest, _ := bytes.Cut(status, []byte("\nVmHWM:"))
		line, _, _ := bytes.Cut(rest, []byte("kB"))
		kb, _ := strconv.ParseInt(string(bytes.TrimSpace(line)), 10, 64)
		return kb << 10
	}
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	if runtime.GOOS == "darwin" {
		return u.Maxrss
	}
	return u.Maxrss << 10
}
