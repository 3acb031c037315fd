package testserver_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assaykit/assay/internal/testserver"
)

func TestMissingBinary(t *testing.T) {
	dir := t.TempDir()
	t.Setenv(testserver.Env, dir)
	_, err := testserver.Start(testserver.Spec{Binary: "absent", Dir: dir})
	if err == nil || !strings.Contains(err.Error(), testserver.Env) || !strings.Contains(err.Error(), filepath.Join(dir, "absent")) {
		t.Errorf("error %v, want one that names %s and the file", err, testserver.Env)
	}
}

func TestServerThatExits(t *testing.T) {
	dir := t.TempDir()
	t.Setenv(testserver.Env, dir)
	script := "#!/bin/sh\necho cannot serve on $1\nexit 1\n"
	if err := os.WriteFile(filepath.Join(dir, "server"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	_, err := testserver.Start(testserver.Spec{
		Binary: "server", Dir: dir, Ports: 1, Args: func(p []string) []string { return p },
	})
	if err == nil || !strings.Contains(err.Error(), "exited") || !strings.Contains(err.Error(), "cannot serve on ") {
		t.Errorf("error %v, want that it exited and what it printed", err)
	}
}

func TestPortsDiffer(t *testing.T) {
	ports, err := testserver.Ports(20)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for _, p := range ports {
		seen[p]++
	}
	if diff := cmp.Diff(20, len(seen)); diff != "" {
		t.Errorf("different ports (-want +got):\n%s", diff)
	}
}
