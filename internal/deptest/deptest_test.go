package deptest

import (
	"slices"
	"strings"
	"testing"
)

const self = "github.com/assaykit/assay/internal/deptest"

// recorder is a test that may fail.
type recorder struct {
	testing.TB
	said []string
}

func (r *recorder) Helper()           {}
func (r *recorder) Error(args ...any) { r.said = append(r.said, args[0].(string)) }

func TestBudget(t *testing.T) {
	g := Load(t, "github.com/google/go-containerregistry/pkg/name", self)
	const name = "github.com/google/go-containerregistry/pkg/name"
	packages, modules := g.Count(name)
	if want := []string{"github.com/opencontainers/go-digest"}; !slices.Equal(packages, want) || !slices.Equal(modules, want) {
		t.Fatalf("counted packages %v of modules %v, want %v of both", packages, modules, want)
	}
	for label, c := range map[string]struct {
		path   string
		limits Limits
		says   []string // one part of each message
	}{
		"within":       {name, Limits{Packages: len(packages), Modules: len(modules)}, nil},
		"packages":     {name, Limits{Packages: len(packages) - 1, Modules: 9}, []string{"its budget is"}},
		"modules":      {name, Limits{Packages: 99, Modules: len(modules) - 1}, []string{"github.com/opencontainers/go-digest"}},
		"forbidden":    {name, Limits{Packages: 99, Modules: 9, Forbid: []string{"net/url"}}, []string{name + " imports net/url"}},
		"not a prefix": {name, Limits{Packages: 99, Modules: 9, Forbid: []string{"net/ur"}}, nil},
		"absent":       {name + "/absent", Limits{}, []string{"no such package"}},
		"std only":     {self, Limits{}, nil},
	} {
		t.Run(label, func(t *testing.T) {
			r := &recorder{TB: t}
			g.Budget(r, c.path, c.limits)
			if len(r.said) != len(c.says) {
				t.Fatalf("said %q, want %d messages", r.said, len(c.says))
			}
			for i, s := range c.says {
				if !strings.Contains(r.said[i], s) {
					t.Errorf("said %q, want %q in it", r.said[i], s)
				}
			}
		})
	}
}

func TestBudgetOfOne(t *testing.T) {
	Budget(t, self, Limits{})
}
