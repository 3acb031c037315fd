package tool

import (
	"bytes"
	"regexp"
	"slices"
)

// Parts of the expressions: a version of two to four numbers, and what programs add
// to it.
const (
	two   = `\d{1,4}\.\d{1,4}`
	three = two + `\.\d{1,4}`
	pre   = `(?:(?:-|\.)?(?:alpha|beta|rc|RC|dev|pre)[-.]?\d*)?`
	ends  = `[\x00\s"',;:)\]]`
)

// Patterns is the table. Each row says which text of the program's own source it
// rests on; the tests hold it against packages of Debian.
func Patterns() []Pattern {
	return []Pattern{
		// The inspector's answer to /json/version.
		{Name: "node", Vendor: "nodejs", Product: "node.js", Anchor: "node.js/v", Version: `(` + three + pre + `)` + ends},
		// The tag of compiled modules names the minor version; PY_VERSION is a text of its
		// own.
		{Name: "python", Vendor: "python", Product: "python", Anchor: "cpython-", Version: `([23]\d{1,2})\x00`,
			Also: []string{"PYTHONHOME"}, Whole: python, Folders: []string{"lib/python{minor}"}},
		// ruby_description.
		{Name: "ruby", Vendor: "ruby-lang", Product: "ruby", Anchor: " revision ", Before: `\x00ruby (` + three + `)(?:p\d+|dev|preview\d+|rc\d+)? \(\d{4}-\d\d-\d\d`, Folders: []string{"lib/ruby"}},
		// SAPI_PHP_VERSION_HEADER.
		{Name: "php", Vendor: "php", Product: "php", Anchor: "X-Powered-By: PHP/", Version: `(` + three + pre + `)`, Folders: []string{"lib/php"}},
		// PERL_INC_VERSION_LIST: the folder of what belongs to this version.
		{Name: "perl", Vendor: "perl", Product: "perl", Anchor: "PERL5LIB", Version: `()\x00`, Whole: search(`\x00v(5\.\d{1,3}\.\d{1,3})\x00`), Folders: []string{"lib/perl5"}},
		// HotSpot's own version string.
		{Name: "openjdk", Vendor: "oracle", Product: "openjdk", Anchor: " Server VM (",
			Version: `\d[-+.\w]*\) for [-\w]+ JRE \(([1-9]\d*(?:\.\d+){0,4}(?:_\d+)?)[^)\x00]*\)`, Also: []string{"JNI_CreateJavaVM"}},
		// LUA_COPYRIGHT.
		{Name: "lua", Vendor: "lua", Product: "lua", Anchor: "$LuaVersion: Lua ", Version: `(5\.\d\.\d{1,2}) `},
		// LUAJIT_VERSION.
		{Name: "luajit", Vendor: "luajit", Product: "luajit", Anchor: "LuaJIT 2.", Version: `(\d{1,2}\.\d{1,10}` + pre + `)\x00`, Whole: major("2.")},

		// NGINX_VER, as "nginx -v" prints it.
		{Name: "nginx", Vendor: "f5", Product: "nginx", Anchor: "nginx version: nginx/", Version: `(` + three + `)`},
		// AP_SERVER_BASEVERSION.
		{Name: "httpd", Vendor: "apache", Product: "http_server", Anchor: "Apache/2.", Version: `(\d{1,2}\.\d{1,3})[\x00 ]`,
			Also: []string{"Server built:"}, Whole: major("2."), Folders: []string{"modules"}},
		// PG_BACKEND_VERSIONSTR, and the like of the other programs.
		{Name: "postgresql", Vendor: "postgresql", Product: "postgresql", Anchor: " (PostgreSQL) ", Version: `(\d{1,2}(?:\.\d{1,3}){1,2}|\d{1,2}(?:beta|rc)\d+)[\s\x00]`, Folders: []string{"lib/postgresql"}},
		// REDIS_VERSION, which also begins the build id.
		{Name: "redis", Vendor: "redis", Product: "redis", Anchor: "redis_git_sha1:", Version: `()`, Whole: redis,
			None: []string{"valkey\x00", "valkey_", "valkey-", "valkey ", "valkey.", "valkey:"}},
		// The answer to the command "version".
		{Name: "memcached", Vendor: "memcached", Product: "memcached", Anchor: "VERSION ", Version: `(` + three + `)\x00`, Also: []string{"memcached ", "CLIENT_ERROR bad"}},
		// HAPROXY_VERSION and HAPROXY_DATE in what goes before the answers of the socket.
		{Name: "haproxy", Vendor: "haproxy", Product: "haproxy", Anchor: ", released 20", Before: ` version (\d\.\d{1,2}\.\d{1,3})[-.\w+~]*`, Also: []string{"haproxy"}},
		// MYSQL_SERVER_VERSION.
		{Name: "mariadb", Vendor: "mariadb", Product: "mariadb", Anchor: "-MariaDB", Before: `\x00(1[0-9]\.\d{1,2}\.\d{1,3})`},
		// SSH_RELEASE. Clients and servers list other versions, with wildcards.
		{Name: "openssh", Vendor: "openbsd", Product: "openssh", Anchor: "OpenSSH_", Version: `(\d{1,2}\.\d{1,2}p\d)[\x00 ]`},
		// LOCAL_IDENT.
		{Name: "dropbear", Vendor: "dropbear_ssh_project", Product: "dropbear_ssh", Anchor: "SSH-2.0-dropbear_", Version: `(20\d\d\.\d{1,2})`},

		// BB_BANNER.
		{Name: "busybox", Vendor: "busybox", Product: "busybox", Anchor: "BusyBox v", Version: `(` + three + `)[^\d.]`},
		// The sccs string of version.c.
		{Name: "bash", Vendor: "gnu", Product: "bash", Anchor: "@(#)Bash version ", Version: `(` + three + `)\(\d+\) `},
		// CURL_ID.
		{Name: "curl", Vendor: "haxx", Product: "curl", Anchor: "retry-max-time", Version: `()`, Whole: search(`curl (` + three + pre + `) \([-\w.]+\) %s`)},
		// git_user_agent.
		{Name: "git", Vendor: "git-scm", Product: "git", Anchor: "GIT_USER_AGENT", Version: `()`, Whole: search(`git/(\d{1,2}(?:\.\d{1,3}){2,3}(?:-rc\d+)?)[\x00.]`), Folders: []string{"libexec/git-core", "share/git-core"}},

		// OPENSSL_VERSION_TEXT: version and date of the release. Who includes its headers
		// has that too, but not the table of objects.
		{Name: "openssl", Vendor: "openssl", Product: "openssl", Library: true, Anchor: "OpenSSL ",
			Version: `((?:[3-9]\.\d{1,2}\.\d{1,2}|1\.[01]\.\d[a-z]{0,2}|0\.9\.\d[a-z]{0,2})` + pre + `)(?:[-+][-+.\w]+)? {1,2}\d{1,2} [A-Z][a-z]{2} 20\d\d[\x00 ]`,
			Also:    []string{"error:%08lX:", "rsaEncryption"}},
		// LIBCURL_NAME and LIBCURL_VERSION.
		{Name: "libcurl", Vendor: "haxx", Product: "libcurl", Library: true, Anchor: "libcurl/", Version: `(` + three + `)\x00`},
		// XML_ExpatVersion.
		{Name: "expat", Vendor: "libexpat_project", Product: "libexpat", Library: true, Anchor: "expat_2.", Version: `(\d{1,2}\.\d{1,2})\x00`, Whole: major("2.")},
		// deflate_copyright, which zlib asks to leave in.
		{Name: "zlib", Vendor: "zlib", Product: "zlib", Library: true, Anchor: " deflate ", Version: `(1\.\d{1,2}(?:\.\d{1,2}){0,2})(?:[-.][-.\w]*)? Copyright 19`},
		// PNG_HEADER_VERSION_STRING.
		{Name: "libpng", Vendor: "libpng", Product: "libpng", Library: true, Anchor: " libpng version ", Version: `(1\.\d\.\d{1,2}) - `},
		// SQLITE_FILE_HEADER; SQLITE_VERSION is a text of its own.
		{Name: "sqlite", Vendor: "sqlite", Product: "sqlite", Library: true, Anchor: "SQLite format 3", Version: `()\x00`,
			Also: []string{"sqlite_master"}, Whole: search(`\x00(3\.\d{1,2}\.\d{1,2}(?:\.\d)?)\x00`)},
		// The banner of libc.so.6.
		{Name: "glibc", Vendor: "gnu", Product: "glibc", Library: true, Anchor: " stable release version ", Version: `(2\.\d{1,2}(?:\.\d{1,3})?)\.\n`,
			Also: []string{"GNU C Library"}},
	}
}

// search finds the first version of that form.
func search(expr string) func([][]byte, string) string {
	re := regexp.MustCompile(expr)
	return func(texts [][]byte, _ string) string { return first(re, texts) }
}

func first(re *regexp.Regexp, texts [][]byte) string {
	for _, t := range texts {
		if m := re.FindSubmatch(t); m != nil {
			return string(m[1])
		}
	}
	return ""
}

// major puts back the part of the version that is in the anchor.
func major(v string) func([][]byte, string) string {
	return func(_ [][]byte, rest string) string { return v + rest }
}

func python(texts [][]byte, tag string) string {
	return first(regexp.MustCompile(`\x00(`+tag[:1]+`\.`+tag[1:]+`\.\d{1,2}(?:(?:a|b|rc)\d+)?\+?)\x00`), texts)
}

// redis finds the version that is a text of its own and begins the build id, in
// which nothing shows where the version ends. Valkey answers like Redis, but is not.
func redis(texts [][]byte, _ string) string {
	alone := regexp.MustCompile(`^\x00(\d{1,2}\.\d{1,2}\.\d{1,3})\x00`)
	build := regexp.MustCompile(`\d{1,2}\.\d{1,2}\.[-.\w]{0,80}\d{9}\w{8}\x00`)
	var ids [][]byte
	for _, t := range texts {
		if id := build.Find(t); id != nil && len(ids) < 16 {
			ids = append(ids, id)
		}
	}
	for _, t := range texts {
		if m := alone.FindSubmatch(t); m != nil && slices.ContainsFunc(ids, func(id []byte) bool { return bytes.HasPrefix(id, m[1]) }) {
			return string(m[1])
		}
	}
	return ""
}
