package osv_test

import (
	"testing"

	"github.com/assaykit/assay/vex/osv"
)

// TestMatchKubernetes asks about modules that are published as 0.26.3 of Kubernetes 1.26.3.
func TestMatchKubernetes(t *testing.T) {
	for _, tt := range []struct {
		name, events, version string
		want                  int
	}{
		{"of the module's numbers", "introduced 0.26.0, fixed 0.26.4", "v0.26.3", 1},
		{"of the module's numbers, fixed", "introduced 0.26.0, fixed 0.26.4", "v0.26.4", 0},
		{"of Kubernetes' numbers", "introduced 1.26.0, fixed 1.26.4", "v0.26.3", 1},
		{"of Kubernetes' numbers, fixed", "introduced 1.26.0, fixed 1.26.4", "v0.26.4", 0},
		{"from the beginning", "introduced 0, fixed 1.26.4", "v0.26.3", 1},
		{"from the beginning, fixed", "introduced 0, fixed 1.26.4", "v0.27.0", 0},
		{"with no end", "introduced 0", "v0.27.0", 1},
		{"up to one", "introduced 0, last_affected v1.26.3", "v0.26.3", 1},
		{"Kubernetes itself", "introduced 1.26.0, fixed 1.26.4", "v1.26.3", 1},
		{"Kubernetes itself, fixed", "introduced 1.26.0, fixed 1.26.4", "v1.27.0", 0},
	} {
		db := &memory{records: []osv.Advisory{
			{ID: "X-1", Affected: []osv.Affected{row("Kubernetes", "k8s.io/kubelet", tt.events)}},
			{ID: "X-2", Affected: []osv.Affected{row("Go", "example.com/other", "introduced 0")}},
		}}
		scan := match(t, db, sbomOf("pkg:golang/k8s.io/kubelet@"+tt.version))
		if len(scan.Findings) != tt.want || len(scan.Unevaluated) != 0 {
			t.Errorf("%s: got %v %v, want %d", tt.name, found(scan), scan.Unevaluated, tt.want)
		}
	}
}
