package imports

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assaykit/assay"
)

func TestJoin(t *testing.T) {
	type imports = []assay.Import
	for _, tt := range []struct {
		name      string
		all, want imports
	}{
		{"nothing", nil, nil},
		{"sorted, each once", imports{{Path: "b", Symbols: []string{"Y", "X", "Y"}}, {Path: "a"}}, imports{{Path: "a"}, {Path: "b", Symbols: []string{"X", "Y"}}}},
		{"symbols of two", imports{{Path: "a", Symbols: []string{"Y"}}, {Path: "a", Symbols: []string{"X"}}}, imports{{Path: "a", Symbols: []string{"X", "Y"}}}},
		{"all, and then some", imports{{Path: "a"}, {Path: "a", Symbols: []string{"X"}}}, imports{{Path: "a"}}},
		{"some, and then all", imports{{Path: "a", Symbols: []string{"X"}}, {Path: "a"}, {Path: "a", Symbols: []string{"Y"}}}, imports{{Path: "a"}}},
		{"other systems", imports{{Path: "a", GOOS: []string{"windows"}}, {Path: "a", Symbols: []string{"X"}}, {Path: "a", GOOS: []string{"linux", "darwin"}}},
			imports{{Path: "a", Symbols: []string{"X"}}, {Path: "a", GOOS: []string{"darwin", "linux"}}, {Path: "a", GOOS: []string{"windows"}}}},
	} {
		before := cmp.Diff(tt.all, nil)
		got := Join(tt.all)
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: %s", tt.name, diff)
		}
		if !Same(tt.want, got) || !Same(Join(got), got) || cmp.Diff(tt.all, nil) != before {
			t.Errorf("%s: not the same, or the arguments were changed", tt.name)
		}
	}
	one, two := imports{{Path: "a", Symbols: []string{"X"}}}, imports{{Path: "a", Symbols: []string{"Y"}}}
	if Same(one, two) || Same(one, nil) {
		t.Error("what differs is the same")
	}
}
