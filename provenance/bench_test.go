package provenance_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
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
			againstPlain(b, document{assay.PredicateSLSA1, in})
		})
	}
}

// What reading costs by time depends on the machine; what is allocated does not. Less than
// one allocation for each material is what keeps it near plain structs.
func TestReadAllocations(t *testing.T) {
	const n = 1000
	v1 := large(n)
	list := v1[bytes.Index(v1, []byte(`"resolvedDependencies":`))+len(`"resolvedDependencies":`):]
	list = list[:bytes.IndexByte(list, ']')+1]
	for name, d := range map[string]document{
		"v1":      {assay.PredicateSLSA1, v1},
		"v0.2":    {assay.PredicateSLSA02, []byte(`{"buildType": "b:t", "builder": {"id": "b:i"}, "materials": ` + string(list) + `}`)},
		"v0.1":    {assay.PredicateSLSA01, []byte(`{"recipe": {"type": "b:t"}, "builder": {"id": "b:i"}, "materials": ` + string(list) + `}`)},
		"witness": {assay.PredicateSLSA1, []byte(`{"build_definition": {"build_type": "b:t", "external_parameters": {"a": 1}, "resolved_dependencies": ` + string(list) + `}, "run_details": {"builder": {"id": "b:i"}}}`)},
	} {
		p, err := provenance.Read(name, d.t, d.predicate)
		if err != nil || len(p.Materials) != n {
			t.Fatalf("%s: %d materials, %v", name, len(p.Materials), err)
		}
		if got := testing.AllocsPerRun(5, func() { _, _ = provenance.Read(name, d.t, d.predicate) }); got > n/2 {
			t.Errorf("%s: %.0f allocations for %d materials", name, got, n)
		}
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

// plainFirst is plain for v0.1.
type plainFirst struct {
	Builder struct {
		ID string `json:"id"`
	} `json:"builder"`
	Recipe struct {
		Type              string          `json:"type"`
		DefinedInMaterial json.RawMessage `json:"definedInMaterial"`
		EntryPoint        string          `json:"entryPoint"`
		Arguments         json.RawMessage `json:"arguments"`
		Environment       json.RawMessage `json:"environment"`
	} `json:"recipe"`
	Metadata  map[string]json.RawMessage `json:"metadata"`
	Materials plainMaterials             `json:"materials"`
}

// plainOf gives what encoding/json is to read the document into.
func plainOf(t assay.PredicateType, predicate []byte) any {
	switch {
	case bytes.Contains(predicate, []byte("build_definition")):
		return new(plainSnake)
	case t == assay.PredicateSLSA02:
		return new(plainOld)
	case t == assay.PredicateSLSA01:
		return new(plainFirst)
	}
	return new(plain)
}

type document struct {
	t         assay.PredicateType
	predicate []byte
}

// againstPlain reads all documents, both ways.
func againstPlain(b *testing.B, docs ...document) {
	b.Helper()
	var plains []any
	for _, d := range docs {
		plains = append(plains, plainOf(d.t, d.predicate))
	}
	rounds := 1 // so that even small ones take longer than the clock's grain
	for size := 0; size < 1<<20; rounds++ {
		for _, d := range docs {
			size += len(d.predicate)
		}
	}
	against(b, func() {
		for range rounds {
			for i, d := range docs {
				reflect.ValueOf(plains[i]).Elem().SetZero()
				if err := json.Unmarshal(d.predicate, plains[i]); err != nil {
					b.Fatal(err)
				}
			}
		}
	}, func() {
		for range rounds {
			for _, d := range docs {
				if _, err := provenance.ReadDocument("bench", d.t, d.predicate); err != nil {
					b.Fatal(err)
				}
			}
		}
	})
}

// Every dialect, with the materials of a build of some size, and as small as it is.
func BenchmarkReadDialects(b *testing.B) {
	var more strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&more, `{"uri":"pkg:npm/package%06d@1.2.3","digest":{"sha256":"%064x"}},`, (i*7919)%1000, i)
	}
	all := maps.Clone(dialects)
	v01 := all["SLSA v0.1"]
	v01.t, v01.predicate = assay.PredicateSLSA01, `{"builder": {"id": "https://cloudbuild.googleapis.com/GoogleHostedWorker@v0.3"},
		"recipe": {"type": "https://cloudbuild.googleapis.com/CloudBuildSteps@v0.1", "definedInMaterial": "-1", "arguments": {"steps": [{"name": "gcr.io/cloud-builders/docker", "args": ["build", "."]}]}},
		"metadata": {"buildInvocationId": "5da", "buildStartedOn": "2026-11-23T10:00:00Z", "buildFinishedOn": "2026-11-23T10:00:05.5Z"},
		"materials": [{"uri": "https://github.com/o/r", "digest": {"sha1": "`+commit+`"}}]}`
	all["SLSA v0.1"] = v01
	for _, name := range slices.Sorted(maps.Keys(all)) {
		d := all[name]
		name = strings.ReplaceAll(name, " ", "-")
		b.Run(name+"/small", func(b *testing.B) { againstPlain(b, document{d.t, []byte(d.predicate)}) })
		in := d.predicate
		for _, list := range []string{`"resolvedDependencies": [`, `"materials": [`, `"resolved_dependencies": [`} {
			in = strings.Replace(in, list, list+more.String(), 1)
		}
		b.Run(name+"/materials=1000", func(b *testing.B) { againstPlain(b, document{d.t, []byte(in)}) })
	}
}

// A whole statement, as it lies beside an image.
func BenchmarkReadStatement(b *testing.B) {
	for _, n := range []int{1, 1000} {
		b.Run(fmt.Sprintf("materials=%d", n), func(b *testing.B) {
			in := []byte(`{"_type": "https://in-toto.io/Statement/v1", "subject": [{"name": "x", "digest": {"sha256": "` + hash + `"}}], "predicateType": "` +
				string(assay.PredicateSLSA1) + `", "predicate": ` + string(large(n)) + `}`)
			rounds := 1 + 1<<20/len(in)
			against(b, func() {
				for range rounds {
					var st struct {
						Type    string `json:"_type"`
						Subject []struct {
							Name   string            `json:"name"`
							Digest map[string]string `json:"digest"`
						} `json:"subject"`
						PredicateType string `json:"predicateType"`
						Predicate     plain  `json:"predicate"`
					}
					if err := json.Unmarshal(in, &st); err != nil {
						b.Fatal(err)
					}
				}
			}, func() {
				for range rounds {
					if _, err := provenance.ReadStatement("bench", in); err != nil {
						b.Fatal(err)
					}
				}
			})
		})
	}
}

// What real builders wrote, by type.
func BenchmarkReadCorpus(b *testing.B) {
	root := os.Getenv("ASSAY_CORPORA")
	if root == "" {
		b.Skip("ASSAY_CORPORA is not set")
	}
	docs := map[assay.PredicateType][]document{}
	err := filepath.WalkDir(filepath.Join(root, "slsa-verifier"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		var v any
		if json.Unmarshal(data, &v) != nil {
			return nil
		}
		for _, payload := range payloads(v) {
			var st struct {
				PredicateType assay.PredicateType `json:"predicateType"`
				Predicate     json.RawMessage     `json:"predicate"`
			}
			if json.Unmarshal(payload, &st) == nil && st.PredicateType.Kind() == assay.KindProvenance {
				docs[st.PredicateType] = append(docs[st.PredicateType], document{st.PredicateType, st.Predicate})
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	for _, t := range slices.Sorted(maps.Keys(docs)) {
		b.Run(path.Base(string(t)), func(b *testing.B) { againstPlain(b, docs[t]...) })
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
