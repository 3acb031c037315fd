package dpkg

// Paragraphs calls f for the paragraphs of a control file, for package managers that
// took its form over. want says which fields, in lowercase, are kept; the map is used
// again after f returns. The errors are the faults of single paragraphs, in order, of
// kind [assay.ErrInvalid], and name the line; those that f gives are among them. One of
// kind [assay.ErrBound] is the last, and ended the reading.
func Paragraphs(data []byte, want func(field string) bool, f func(fields map[string]string, line int) error) []error {
	return eachParagraph(data, want, func(p paragraph, line int) error { return f(p, line) })
}

// ParseDepends reads a dependency field, see [Package.Depends].
func ParseDepends(s string) []Group { return parseDepends(s) }

// ParseProvides reads a Provides field.
func ParseProvides(s string) []Provided { return parseProvides(s) }
