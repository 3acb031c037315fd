package cyclonedx

import (
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/assaykit/assay/sbom/internal/license"
)

// scalar is what a string, a number or a boolean may be.
type scalar struct {
	kind byte // of the JSON value: '"', '0', 't'
	// ok checks the value; of a number, its text. Nil allows all.
	ok       func(s string, version int) bool
	bytes    func(b []byte) bool // the same as ok, of what is frequent
	since    map[string]int      // and of an enumeration
	want     string
	collapse bool // in XML white space around it does not count
	label    string
	values   []string // of an enumeration
}

// Labels of strings that the check hands over.
const (
	labelDefined = "bom-ref"   // defines a reference
	labelUsed    = "reference" // must be defined in the document
)

var (
	serialPattern = regexp.MustCompile(`^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)
	mimePattern   = regexp.MustCompile(`^[-+a-z0-9.]+/[-+a-z0-9.]+$`)
	localePattern = regexp.MustCompile(`^([a-z]{2})(-[A-Z]{2})?$`)
	patentPattern = regexp.MustCompile(`^[A-Za-z0-9][-A-Za-z0-9/.()\s]{0,28}[A-Za-z0-9]$`)
	crePattern    = regexp.MustCompile(`^CRE:[0-9]+-[0-9]+$`)
	countryCode   = regexp.MustCompile(`^[A-Z]{2}$`)
)

var scalars = map[string]scalar{
	"str":          {kind: '"'},
	"url":          {kind: '"', collapse: true},
	"ref":          {kind: '"', ok: nonEmpty, bytes: hasBytes, want: "a reference of one character or more"},
	"defined":      {kind: '"', ok: nonEmpty, bytes: hasBytes, want: "a reference of one character or more", label: labelDefined},
	"used":         {kind: '"', ok: nonEmpty, bytes: hasBytes, want: "a reference of one character or more", label: labelUsed},
	"serial":       {kind: '"', ok: match(serialPattern), want: "urn:uuid: and a UUID in lower case"},
	"mime":         {kind: '"', ok: match(mimePattern), want: "type/subtype", collapse: true},
	"locale":       {kind: '"', ok: match(localePattern), want: "a language such as en, or en-US"},
	"patentNumber": {kind: '"', ok: match(patentPattern), want: "the number of a patent"},
	"jurisdiction": {kind: '"', ok: match(countryCode), want: "a code of two letters"},
	"algorithm":    {kind: '"', ok: isSignatureAlgorithm, want: "an algorithm of JSF, or a URI"},
	"openCre":      {kind: '"', ok: match(crePattern), want: "CRE: and an id such as 123-456"},
	"spdx":         {kind: '"', ok: func(s string, _ int) bool { return license.IsListed(s) }, want: "the id of a licence on the SPDX list"},
	"version":      {kind: '"', ok: func(s string, v int) bool { return v < 6 || utf8.RuneCountInString(s) <= 1024 }, want: "at most 1024 characters"},
	"range":        {kind: '"', ok: func(s string, _ int) bool { return s != "" && utf8.RuneCountInString(s) <= 4096 }, want: "1 to 4096 characters"},
	"time":         {kind: '"', ok: isTime, want: wantTime, collapse: true},
	"date":         {kind: '"', ok: isDate, want: "a date such as 2026-01-31", collapse: true},
	"digest":       {kind: '"', ok: func(s string, _ int) bool { return isDigest(s) }, bytes: isDigest[[]byte], want: "a hexadecimal digest", collapse: true},
	"bool":         {kind: 't', collapse: true},
	"num":          {kind: '0', collapse: true},
	"percent":      {kind: '0', ok: between(0, 1), want: "a number from 0 to 1", collapse: true},
	"int":          {kind: '0', ok: whole(-1<<53, 1<<53), want: "a whole number", collapse: true},
	"uint":         {kind: '0', ok: whole(0, 1<<53), want: "a whole number of 0 or more", collapse: true},
	"uint6":        {kind: '0', ok: whole(0, 6), want: "a whole number from 0 to 6", collapse: true},
	"int1":         {kind: '0', ok: whole(1, 1<<53), want: "a whole number of 1 or more", collapse: true},
}

const wantTime = "a date and time of RFC 3339"

// enum allows these values, each since the version before its colon.
func enum(words []string) scalar {
	since := make(map[string]int, len(words))
	names := make([]string, len(words))
	for i, w := range words {
		if len(w) > 2 && w[1] == ':' && w[0] >= '0' && w[0] <= '9' {
			names[i] = w[2:]
			since[names[i]] = int(w[0] - '0')
		} else {
			names[i] = w
			since[w] = 0
		}
	}
	return scalar{kind: '"', values: names, since: since, want: "one of " + strings.Join(names, ", "),
		ok: func(s string, version int) bool { v, ok := since[s]; return ok && v <= version }}
}

func match(p *regexp.Regexp) func(string, int) bool {
	return func(s string, _ int) bool { return p.MatchString(s) }
}

func isSignatureAlgorithm(s string, _ int) bool {
	u, err := url.Parse(s)
	return slices.Contains(signatureTypes, s) || err == nil && u.IsAbs()
}

func hasBytes(b []byte) bool { return len(b) > 0 }

func nonEmpty(s string, _ int) bool { return s != "" }

// isTime takes what RFC 3339 allows; XML Schema allows a time without a zone as
// well, which [canonicalTime] gives one.
func isTime(s string, _ int) bool {
	_, err := time.Parse(time.RFC3339, s)
	return err == nil
}

func isDate(s string, _ int) bool {
	_, err := time.Parse(time.DateOnly, s)
	return err == nil
}

func isDigest[T string | []byte](s T) bool {
	switch len(s) {
	case 32, 40, 64, 96, 128:
		for i := range len(s) {
			if c := s[i] | 0x20; (c < '0' || c > '9' || s[i] != c) && (c < 'a' || c > 'f') {
				return false
			}
		}
		return true
	}
	return false
}

func between(min, max float64) func(string, int) bool {
	return func(s string, _ int) bool {
		f, err := strconv.ParseFloat(s, 64)
		return err == nil && f >= min && f <= max
	}
}

func whole(min, max float64) func(string, int) bool {
	return func(s string, _ int) bool {
		f, err := strconv.ParseFloat(s, 64)
		return err == nil && f >= min && f <= max && f == float64(int64(f))
	}
}

var (
	versions       = []string{"1.2", "1.3", "1.4", "1.5", "1.6", "1.7"}
	phases         = []string{"design", "pre-build", "build", "post-build", "operations", "discovery", "decommission"}
	signatureTypes = []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "Ed25519", "Ed448", "HS256", "HS384", "HS512"}
)

// minor gives the 6 of "1.6".
func minor(version string) int {
	n, err := strconv.Atoi(strings.TrimPrefix(version, "1."))
	if err != nil || !strings.HasPrefix(version, "1.") || n < 0 || n > newest {
		return -1
	}
	return n
}

// rule is what members alone do not say of an object. It is told which of the
// members it watches are there and what they are, and gives what it wants, or "".
type rule struct {
	watch []string
	check func(has func(string) bool, value func(string) string, xml bool) string
}

var rules = map[string]*rule{
	// A range is of what is not shipped with the product.
	"external": {[]string{"versionRange", "isExternal"}, func(has func(string) bool, value func(string) string, _ bool) string {
		if has("versionRange") && value("isExternal") != "true" {
			return "isExternal to be true where there is a versionRange"
		}
		return ""
	}},
	"extension": {[]string{"commonExtensionName", "commonExtensionValue", "customExtensionName", "customExtensionValue"}, func(has func(string) bool, _ func(string) string, _ bool) string {
		if has("commonExtensionName") != has("commonExtensionValue") || has("customExtensionValue") && !has("customExtensionName") {
			return "the name of an extension with its value"
		}
		return ""
	}},
	// The schema of XML has no signatures of signatories, and asks for nothing.
	"signatory": {[]string{"signature", "externalReference", "organization"}, func(has func(string) bool, _ func(string) string, xml bool) string {
		if !xml && has("signature") == (has("externalReference") && has("organization")) {
			return "either a signature, or an externalReference and an organization"
		}
		return ""
	}},
	// JSF 0.82: many signatures, a chain of them, or one.
	"signature": {[]string{"signers", "chain", "algorithm", "value", "keyId", "publicKey", "certificatePath", "excludes"}, func(has func(string) bool, _ func(string) string, _ bool) string {
		several := has("signers") || has("chain")
		one := has("algorithm") || has("value") || has("keyId") || has("publicKey") || has("certificatePath") || has("excludes")
		switch {
		case has("signers") && has("chain") || several && one:
			return "one of signers, chain, and a signature"
		case one && !(has("algorithm") && has("value")):
			return "an algorithm and a value"
		}
		return ""
	}},
	"key": {[]string{"kty", "crv", "x", "y", "n", "e"}, func(has func(string) bool, value func(string) string, _ bool) string {
		want := map[string][]string{"EC": {"crv", "x", "y"}, "OKP": {"crv", "x"}, "RSA": {"n", "e"}}[value("kty")]
		for _, name := range []string{"crv", "x", "y", "n", "e"} {
			if has(name) != slices.Contains(want, name) {
				return "the members of a key of type " + value("kty") + ": " + strings.Join(want, ", ")
			}
		}
		return ""
	}},
}
