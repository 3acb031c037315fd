package java

import "strings"

// License gives the id of a licence that projects of Maven name in other words, or
// the name itself. Maven asks for SPDX ids since 2019; most projects are older.
func License(name string) string {
	n := strings.Join(strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return strings.ContainsRune(" ,-\t\n\"'", r) }), " ")
	n = strings.TrimPrefix(n, "the ")
	if id := licenses[n]; id != "" {
		return id
	}
	return strings.Join(strings.Fields(name), " ")
}

var licenses = map[string]string{
	"apache license version 2.0": "Apache-2.0", "apache license 2.0": "Apache-2.0", "apache software license version 2.0": "Apache-2.0",
	"apache 2.0": "Apache-2.0", "apache 2": "Apache-2.0", "apache license v2.0": "Apache-2.0", "apache 2.0 license": "Apache-2.0",
	"apache license 2": "Apache-2.0", "apache license version 2": "Apache-2.0", "apache software license 2.0": "Apache-2.0", "apache v2": "Apache-2.0",
	"http://www.apache.org/licenses/license 2.0.txt": "Apache-2.0", "https://www.apache.org/licenses/license 2.0.txt": "Apache-2.0",
	"https://www.apache.org/licenses/license 2.0": "Apache-2.0", "http://www.apache.org/licenses/license 2.0": "Apache-2.0",
	"mit license": "MIT", "mit": "MIT", "https://opensource.org/licenses/mit": "MIT",
	"bsd 3 clause license": "BSD-3-Clause", "bsd 3 clause": "BSD-3-Clause", "new bsd license": "BSD-3-Clause", "bsd license 3": "BSD-3-Clause",
	"bsd 2 clause license": "BSD-2-Clause", "bsd 2 clause": "BSD-2-Clause",
	"eclipse public license 1.0": "EPL-1.0", "eclipse public license v1.0": "EPL-1.0", "eclipse public license v. 1.0": "EPL-1.0",
	"eclipse public license 2.0": "EPL-2.0", "eclipse public license v2.0": "EPL-2.0", "eclipse public license v. 2.0": "EPL-2.0", "epl 2.0": "EPL-2.0",
	"mozilla public license version 2.0": "MPL-2.0", "mpl 2.0": "MPL-2.0",
	"gnu lesser general public license v2.1 only": "LGPL-2.1-only", "bouncy castle licence": "MIT",
}
