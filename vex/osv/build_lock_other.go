//go:build !unix && !windows

package osv

import (
	"errors"
	"os"
)

// tryLock cannot tell here whether another process has the file.
func tryLock(*os.File) (bool, error) { return false, errors.ErrUnsupported }
