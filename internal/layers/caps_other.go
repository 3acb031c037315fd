//go:build !linux

package layers

import "os"

// fileCapabilities: other systems have none.
func fileCapabilities(*os.File) string { return "" }
