package osv_test

import (
	"testing"

	"github.com/assaykit/assay/vex/osv"
)

func TestNormalName(t *testing.T) {
	for _, tt := range []struct{ ecosystem, name, want string }{
		{"PyPI", "Foo__Bar.-baz", "foo-bar-baz"},
		{"PyPI", "zope.interface", "zope-interface"},
		{"PyPI", "x_", "x-"},
		{"crates.io", "Serde_JSON", "serde-json"},
		{"Go", "github.com/Masterminds/semver/v3", "github.com/masterminds/semver/v3"},
		{"NuGet", "Newtonsoft.Json", "newtonsoft.json"},
		{"Packagist", "Symfony/HTTP-kernel", "symfony/http-kernel"},
		{"GitHub Actions", "Actions/Checkout", "actions/checkout"},
		{"SwiftURL", "https://github.com/Apple/swift-nio.git", "github.com/apple/swift-nio"},
		{"SwiftURL", "github.com/apple/swift-nio/", "github.com/apple/swift-nio"},
		{"Debian:12", "OpenSSL", "openssl"},
		{"npm", "JSONStream", "JSONStream"},
		{"Maven", "org.Example:Thing", "org.Example:Thing"},
		{"Red Hat:enterprise_linux:9::baseos", "NetworkManager", "NetworkManager"},
		{"Root:PyPI", "rootio_requests", "rootio-requests"},
		{"Nobody's", "Any_Thing", "Any_Thing"},
		{"", "", ""},
	} {
		if got := osv.NormalName(tt.ecosystem, tt.name); got != tt.want {
			t.Errorf("NormalName(%q, %q) = %q, want %q", tt.ecosystem, tt.name, got, tt.want)
		}
	}
}

// TestEcosystemInOtherCapitals finds what a record says of an ecosystem that it does not
// write as the schema does.
func TestEcosystemInOtherCapitals(t *testing.T) {
	for in, want := range map[string]string{"pypi": "PyPI", "PyPI": "PyPI", "NPM": "npm", "DEBIAN:12": "Debian:12", "red hat:enterprise_linux:9::baseos": "Red Hat:enterprise_linux:9::baseos", "Nobody's:A": "Nobody's:A", "git": "GIT"} {
		a, err := osv.ReadAdvisory("x", []byte(`{"id":"X-1","affected":[{"package":{"ecosystem":"`+in+`","name":"a"},"versions":["1"]}]}`))
		if err != nil || a.Affected[0].Ecosystem != want {
			t.Errorf("%s: got %+v, %v, want %s", in, a, err, want)
		}
	}
}

func FuzzNormalName(f *testing.F) {
	f.Add("PyPI", "a_.-B")
	f.Add("SwiftURL", "https://a/b.git/.git")
	f.Add("SwiftURL", "ssh://https://x")
	f.Add("crates.io", "_İ")
	f.Fuzz(func(t *testing.T, ecosystem, name string) {
		once := osv.NormalName(ecosystem, name)
		if twice := osv.NormalName(ecosystem, once); twice != once {
			t.Errorf("%q: %q became %q, then %q", ecosystem, name, once, twice)
		}
	})
}
