package main

import (
	"os"
	"strings"

	"github.com/assaykit/assay/attest"
)

const githubUsage = "also read GitHub's attestations API at `URL`, such as https://api.github.com/repos/OWNER/NAME (or orgs/NAME, users/NAME), with the token in GITHUB_TOKEN; may be repeated"

// fromGitHub makes the sources that --github names.
func fromGitHub(urls []string) ([]attest.Source, error) {
	var out []attest.Source
	for _, u := range urls {
		endpoint, of := "", ""
		for _, kind := range []string{"/repos/", "/orgs/", "/users/"} {
			if i := strings.LastIndex(u, kind); i >= 0 {
				endpoint, of = u[:i], u[i+1:]
			}
		}
		if endpoint == "" {
			return nil, misused("--github %s: want https://api.github.com/repos/OWNER/NAME", u)
		}
		out = append(out, attest.FromGitHub(endpoint, of, attest.GitHubOptions{Token: os.Getenv("GITHUB_TOKEN")}))
	}
	return out, nil
}

// isLayout tells an OCI layout in a folder, which can keep evidence beside the image.
func isLayout(ref string) bool { return strings.HasPrefix(ref, "oci:") }

// layoutFolder is the folder in "oci:PATH[:TAG][@DIGEST]".
func layoutFolder(ref string) string {
	path := strings.TrimPrefix(ref, "oci:")
	path, _, _ = strings.Cut(path, "@")
	if _, err := os.Stat(path); err == nil {
		return path
	}
	if i := strings.LastIndex(path, ":"); i > 0 {
		return path[:i]
	}
	return path
}
