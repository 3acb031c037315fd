//go:build !unix

package sbom_test

// residentPeak would be the most memory that this process had at a time.
func residentPeak() int64 { return 0 }
