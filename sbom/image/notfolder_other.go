//go:build !unix

package image

import "io/fs"

var errNotFolder = fs.ErrNotExist
