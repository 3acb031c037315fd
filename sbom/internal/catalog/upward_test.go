package catalog

import (
	"path"
	"testing"
)

func TestUpward(t *testing.T) {
	asked := 0
	here := map[string]string{"a/b": "b", ".": "top", "x": "x"}
	u := upward[string]{at: func(dir string) (string, bool, bool) {
		asked++
		v, ok := here[dir]
		return v, ok, path.Base(dir) == "stop"
	}}
	for dir, want := range map[string]string{"a/b/c/d": "b", "a/b": "b", "a": "top", ".": "top", "x/stop/y": "", "x/stop": "", "x/y": "x", "q/r": "top"} {
		for range 2 {
			if got := u.find(dir); got != want {
				t.Errorf("%s: %q", dir, got)
			}
		}
	}
	before := asked
	if u.find("a/b/c/d"); asked != before {
		t.Error("asked again")
	}
	delete(here, "a/b")
	u.forget()
	if got := u.find("a/b/c/d"); got != "top" {
		t.Errorf("after that changed: %q", got)
	}
	for _, p := range []string{"a", "a/b", "a/b/c"} {
		if above(p) != path.Dir(p) {
			t.Error(p)
		}
	}
}
