package testserver_test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
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

// skipper notes that it was skipped, so that the run it is part of is not.
type skipper struct {
	testing.TB
	said string
}

func (s *skipper) Helper() {}

func (s *skipper) Skipf(format string, args ...any) {
	s.said = fmt.Sprintf(format, args...)
	runtime.Goexit()
}

func TestRequire(t *testing.T) {
	for value, want := range map[string]bool{"": true, "/nowhere": false} {
		t.Setenv(testserver.Env, value)
		s := &skipper{TB: t}
		done := make(chan struct{})
		go func() {
			defer close(done)
			testserver.Require(s)
		}()
		<-done
		if skipped := strings.Contains(s.said, testserver.Env); skipped != want {
			t.Errorf("with %s=%q said %q, want a skip %t", testserver.Env, value, s.said, want)
		}
	}
}
