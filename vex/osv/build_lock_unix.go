//go:build unix

package osv

import (
	"os"
	"syscall"
)

// tryLock takes the lock of an open file, false if another process, or another open of
// this one, has it. The system gives it back when the process ends, however it ends.
func tryLock(f *os.File) (bool, error) {
	for {
		switch err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err {
		case nil:
			return true, nil
		case syscall.EWOULDBLOCK:
			return false, nil
		case syscall.EINTR:
		default:
			return false, err
		}
	}
}
