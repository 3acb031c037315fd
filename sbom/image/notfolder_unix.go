//go:build unix

package image

import "syscall"

var errNotFolder error = syscall.ENOTDIR
