package layers

import (
	"os"

	"golang.org/x/sys/unix"
)

// fileCapabilities gives the raw capabilities of an open file.
func fileCapabilities(f *os.File) string {
	var buf [64]byte // the largest revision takes 24 bytes
	n, err := unix.Fgetxattr(int(f.Fd()), "security.capability", buf[:])
	if err != nil {
		return ""
	}
	return string(buf[:n])
}
