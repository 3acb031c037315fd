package main

import (
	"os"

	"github.com/sigstore/sigstore-go/pkg/tuf"
)

// target reads a file that the caller names, or else fetches it from the TUF
// repository of the instance, whose first root sigstore's client carries.
func target(file, name string, staging bool) ([]byte, error) {
	if file != "" {
		return os.ReadFile(file)
	}
	o := tuf.DefaultOptions()
	if staging {
		o.Root, o.RepositoryBaseURL = tuf.StagingRoot(), tuf.StagingMirror
	}
	client, err := tuf.New(o)
	if err != nil {
		return nil, err
	}
	return client.GetTarget(name)
}

func trustedRoot(o options) ([]byte, error) {
	return target(o.trustedRoot, "trusted_root.json", o.staging)
}

func signingConfig(o options) ([]byte, error) {
	return target(o.signingConfig, "signing_config.v0.2.json", o.staging)
}
