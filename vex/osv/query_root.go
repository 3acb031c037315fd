package osv

import (
	"strings"

	"github.com/assaykit/assay/vex/internal/version"
)

// rootPrefix is what names of packages begin with that Root has patched: "rootio-openssl".
const rootPrefix = "rootio-"

// rootQueries asks about a package that Root has patched. Its records are about its own
// names, and only about what it has fixed: so the package that it patched is asked about
// too, in the version that it began with. What Root fixed may be reported by that one.
func rootQueries(q Query, patched, release string) []Query {
	base, _ := splitEcosystem(q.Ecosystem)
	root, beside := q, q
	root.Ecosystem, root.Release, root.Beside = "Root", base, false
	if release != "" {
		root.Release += ":" + release
	}
	root.Name = NormalName(root.Ecosystem, root.Name)
	beside.Name, beside.Version, beside.Beside = NormalName(q.Ecosystem, patched), withoutRoot(q.Version), true
	return []Query{root, beside}
}

// withoutRoot takes off ".root.io.1", "+root.io.1" and "-root.io.1".
func withoutRoot(v string) string {
	const mark = "root.io."
	i := strings.LastIndex(v, mark)
	if i < 2 || !version.IsNumber(v[i+len(mark):]) || strings.IndexByte(".+-", v[i-1]) < 0 {
		return v
	}
	return v[:i-1]
}

// rootName gives the name of what Root patched, "" if the package is not one of Root's.
func rootName(ecosystem, name string) string {
	for _, prefix := range [...]string{"npm\x00@rootio/", "PyPI\x00" + rootPrefix, "Maven\x00io.root."} {
		if patched, ok := strings.CutPrefix(ecosystem+"\x00"+name, prefix); ok {
			return patched
		}
	}
	return ""
}
