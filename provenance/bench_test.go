package provenance_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/provenance"
)

// large is provenance with many materials, as of a build of a whole distribution.
func large(n int) []byte {
	var deps []string
	for i := range n {
		deps = append(deps, fmt.Sprintf(`{"uri":"pkg:golang/example.com/module%06d@v1.2.3","digest":{"dirHash":"%064x"}}`, (i*7919)%n, i))
	}
	return []byte(minimal(`{"uri":"https://example.com/d"}`, strings.Join(deps, ",")))
}

// plain is the least that a program would declare to read the same members.
type plain struct {
	BuildDefinition struct {
		BuildType            string                     `json:"buildType"`
		ExternalParameters   map[string]json.RawMessage `json:"externalParameters"`
		ResolvedDependencies []struct {
			URI    string            `json:"uri"`
			Digest map[string]string `json:"digest"`
		} `json:"resolvedDependencies"`
	} `json:"buildDefinition"`
	RunDetails struct {
		Builder struct {
			ID string `json:"id"`
		} `json:"builder"`
	} `json:"runDetails"`
}

func floor(b *testing.B, rounds int, f func()) float64 {
	f()
	start := time.Now()
	for range rounds {
		f()
	}
	b.ResetTimer()
	return float64(time.Since(start).Nanoseconds()) / float64(rounds)
}

// against runs both in turn and compares all their runs, by the clock ("x-floor") and by
// processor time ("x-cpu"). The latter counts what the collector does on other cores, and
// a busy machine changes it less; single runs are shorter than its grain.
func against(b *testing.B, base, f func()) {
	var took, cpu [2]time.Duration
	for b.Loop() {
		for i, run := range []func(){base, f} {
			start, before := time.Now(), cpuTime()
			run()
			took[i] += time.Since(start)
			cpu[i] += cpuTime() - before
		}
	}
	b.ReportMetric(float64(took[1])/float64(took[0]), "x-floor")
	if cpu[0] > 0 {
		b.ReportMetric(float64(cpu[1])/float64(cpu[0]), "x-cpu")
	}
	b.ReportMetric(float64(took[1].Nanoseconds())/float64(b.N), "ns/read")
}

func BenchmarkRead(b *testing.B) {
	for _, n := range []int{1, 100, 10000} {
		b.Run(fmt.Sprintf("materials=%d", n), func(b *testing.B) {
			in := large(n)
			against(b, func() {
				var p plain
				if err := json.Unmarshal(in, &p); err != nil {
					b.Fatal(err)
				}
			}, func() {
				if _, err := provenance.Read("bench", assay.PredicateSLSA1, in); err != nil {
					b.Fatal(err)
				}
			})
		})
	}
}

// plainOld and plainSnake are plain for the older predicates, and for go-witness.
type (
	plainMaterials []struct {
		URI    string            `json:"uri"`
		Digest map[string]string `json:"digest"`
	}
	plainOld struct {
		BuildType string `json:"buildType"`
		Builder   struct {
			ID string `json:"id"`
		} `json:"builder"`
		Invocation struct {
			ConfigSource struct {
				URI        string            `json:"uri"`
				Digest     map[string]string `json:"digest"`
				EntryPoint string            `json:"entryPoint"`
			} `json:"configSource"`
			Parameters  map[string]json.RawMessage `json:"parameters"`
			Environment map[string]json.RawMessage `json:"environment"`
		} `json:"invocation"`
		Metadata  map[string]json.RawMessage `json:"metadata"`
		Materials plainMaterials             `json:"materials"`
	}
	plainSnake struct {
		BuildDefinition struct {
			BuildType            string                     `json:"build_type"`
			ExternalParameters   map[string]json.RawMessage `json:"external_parameters"`
			InternalParameters   map[string]json.RawMessage `json:"internal_parameters"`
			ResolvedDependencies plainMaterials             `json:"resolved_dependencies"`
		} `json:"build_definition"`
		RunDetails struct {
			Builder struct {
				ID string `json:"id"`
			} `json:"builder"`
			Metadata map[string]json.RawMessage `json:"metadata"`
		} `json:"run_details"`
	}
)

// Every dialect, with the materials of a build of some size.
func BenchmarkReadDialects(b *testing.B) {
	var more strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&more, `{"uri":"pkg:npm/package%06d@1.2.3","digest":{"sha256":"%064x"}},`, (i*7919)%1000, i)
	}
	for _, name := range slices.Sorted(maps.Keys(dialects)) {
		d := dialects[name]
		in := d.predicate
		for _, list := range []string{`"resolvedDependencies": [`, `"materials": [`, `"resolved_dependencies": [`} {
			in = strings.Replace(in, list, list+more.String(), 1)
		}
		var v any
		switch {
		case strings.Contains(in, "resolved_dependencies"):
			v = new(plainSnake)
		case d.t == assay.PredicateSLSA02:
			v = new(plainOld)
		default:
			v = new(plain)
		}
		b.Run(strings.ReplaceAll(name, " ", "-"), func(b *testing.B) {
			against(b, func() {
				reflect.ValueOf(v).Elem().SetZero()
				if err := json.Unmarshal([]byte(in), v); err != nil {
					b.Fatal(err)
				}
			}, func() {
				if _, err := provenance.ReadDocument("bench", d.t, []byte(in)); err != nil {
					b.Fatal(err)
				}
			})
		})
	}
}

func BenchmarkEncode(b *testing.B) {
	in := large(10000)
	p, err := provenance.Read("bench", assay.PredicateSLSA1, in)
	if err != nil {
		b.Fatal(err)
	}
	var v plain
	if err := json.Unmarshal(in, &v); err != nil {
		b.Fatal(err)
	}
	base := floor(b, 20, func() {
		if err := json.NewEncoder(&bytes.Buffer{}).Encode(v); err != nil {
			b.Fatal(err)
		}
	})
	b.SetBytes(int64(len(in)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := provenance.Encode(p); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/base, "x-floor")
}

// BenchmarkGenerate states the provenance of a Go build of 1,000 modules, with go.sum as
// further materials, and writes it.
func BenchmarkGenerate(b *testing.B) {
	info := &debug.BuildInfo{GoVersion: "go1.26.3", Path: "example.com/app", Main: debug.Module{Path: "example.com/app", Version: "v1.0.0"},
		Settings: []debug.BuildSetting{{Key: "vcs", Value: "git"}, {Key: "vcs.revision", Value: strings.Repeat("a", 40)}, {Key: "vcs.modified", Value: "false"}}}
	var sums strings.Builder
	for i := range 1000 {
		sum := sha256.Sum256([]byte{byte(i), byte(i >> 8)})
		m := &debug.Module{Path: fmt.Sprintf("example.com/module%04d", i), Version: "v1.2.3", Sum: "h1:" + base64.StdEncoding.EncodeToString(sum[:])}
		info.Deps = append(info.Deps, m)
		fmt.Fprintf(&sums, "%s %s %s\n", m.Path, m.Version, m.Sum)
	}
	b.ReportAllocs()
	for b.Loop() {
		p, err := provenance.FromBuildInfo(info, provenance.BuildOptions{BuilderID: "https://ci.example/builder"})
		if err != nil {
			b.Fatal(err)
		}
		list, _, err := provenance.LockFile("go.sum", []byte(sums.String()))
		if err != nil {
			b.Fatal(err)
		}
		if p, err = provenance.WithMaterials(p, list...); err != nil {
			b.Fatal(err)
		}
		if _, err = provenance.Encode(p); err != nil || len(p.Materials) < 1000 {
			b.Fatal(len(p.Materials), err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(b.N), "ms/build")
}
