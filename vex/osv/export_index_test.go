package osv

// WithSortMemory makes the sorter write runs to its file at fewer bytes.
func WithSortMemory(o BuildOptions, n int) BuildOptions {
	o.sortMemory = n
	return o
}
