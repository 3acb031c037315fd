package posture

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/assaykit/assay"
)

// envSecrets names variables only; a value that is a secret must not get into
// evidence, which is published.
func envSecrets(im *image, found *finding) answer {
	if im.config == nil {
		return noConfig()
	}
	var list []assay.Location
	for _, kv := range im.config.Env {
		name, value, _ := strings.Cut(kv, "=")
		if secretValue(value) || secretName(name) && !plainValue(value) {
			list = append(list, configField("Env/"+name))
		}
	}
	found.addAll(list)
	if found.total > 0 {
		return answer{assay.Refuted, fmt.Sprintf("environment variables that look like secrets: %d", found.total)}
	}
	return answer{assay.Proven, "no environment variable looks like a secret"}
}

// secretName looks for whole words: TOKENIZERS_PARALLELISM is no token. KEY alone is
// none either, because images publish the keys they verify with (GPG_KEY).
func secretName(name string) bool {
	words := strings.FieldsFunc(strings.ToUpper(name), func(r rune) bool { return r == '_' || r == '-' || r == '.' })
	if len(words) == 0 {
		return false
	}
	switch words[len(words)-1] {
	// What is about a secret, or says where it is.
	case "FILE", "FILES", "PATH", "DIR", "URL", "URI", "ENDPOINT", "NAME", "TTL", "LENGTH", "EXPIRY", "EXPIRATION", "TIMEOUT", "TYPE", "ENABLED", "DISABLED", "REQUIRED",
		"HEADER", "ALGORITHM", "ISSUER", "AUDIENCE", "VERSION", "SHA256", "SHA512", "COUNT", "LIMIT", "POLICY", "COMMAND":
		return false
	}
	for i, w := range words {
		switch w {
		case "PASSWORD", "PASSWD", "PASSPHRASE", "PASS", "PWD", "SECRET", "SECRETS", "TOKEN", "APIKEY", "CREDENTIAL", "CREDENTIALS", "SECRETKEY", "ACCESSKEY", "PRIVATEKEY", "PASSKEY":
			// PWD and OLDPWD are the working directory; DB_PWD is not.
			return len(words) > 1 || w != "PWD"
		case "KEY":
			if i > 0 && slices.Contains([]string{"API", "ACCESS", "PRIVATE", "ENCRYPTION", "SIGNING", "MASTER", "AUTH", "LICENSE", "STORAGE", "ACCOUNT"}, words[i-1]) {
				return true
			}
		}
	}
	return false
}

// plainValue reports values that are no secret whatever the name is: none at all, a
// switch, a path, a reference that something else fills in.
func plainValue(v string) bool {
	switch strings.ToLower(v) {
	case "", "0", "1", "true", "false", "yes", "no", "on", "off", "none", "null", "unset", "disabled", "enabled":
		return true
	}
	return strings.HasPrefix(v, "/") && !strings.ContainsAny(v, "=+") || strings.HasPrefix(v, "${") && strings.HasSuffix(v, "}") || strings.HasPrefix(v, "file:")
}

// secretValue reports values that are a secret whatever the name is.
func secretValue(v string) bool {
	if strings.Contains(v, "PRIVATE KEY-----") {
		return true
	}
	for _, k := range [...]struct {
		prefix string
		min    int
	}{
		{"AKIA", 20}, {"ASIA", 20}, {"ghp_", 36}, {"gho_", 36}, {"ghs_", 36}, {"ghu_", 36}, {"github_pat_", 40}, {"glpat-", 20}, {"npm_", 40}, {"pypi-", 50},
		{"xoxb-", 20}, {"xoxp-", 20}, {"xoxa-", 20}, {"sk_live_", 20}, {"rk_live_", 20}, {"AIza", 39}, {"dckr_pat_", 20}, {"hvs.", 24}, {"SG.", 60},
	} {
		if strings.HasPrefix(v, k.prefix) && len(v) >= k.min && !strings.ContainsAny(v, " /") {
			return true
		}
	}
	if strings.HasPrefix(v, "eyJ") && strings.Count(v, ".") == 2 && len(v) > 60 { // a JSON web token
		return true
	}
	if strings.Contains(v, "://") {
		if u, err := url.Parse(v); err == nil && u.User != nil {
			if password, ok := u.User.Password(); ok && !plainValue(password) {
				return true
			}
		}
	}
	return false
}
