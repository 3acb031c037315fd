package dpkg

// Paragraphs calls f for the paragraphs of a control file, for package managers that
// took its form over. want says which fields, in lowercase, are kept; the map is used
// again after f returns. Errors are of kind [assay.ErrInvalid] and name the line.
func Paragraphs(data []byte, want func(field string) bool, f func(fields map[string]string, line int) error) error {
	return eachParagraph(data, want, func(p paragraph, line int) error { return f(p, line) })
}

// ParseDepends reads a dependency field, see [Package.Depends].
func ParseDepends(s string) []Group { return parseDepends(s) }

// ParseProvides reads a Provides field.
func ParseProvides(s string) []Provided { return parseProvides(s) }
