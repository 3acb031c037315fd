package osv_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/vex/osv"
)

// npm is a record of package a, with what is given besides.
func npm(id, more string) string {
	return fmt.Sprintf(`{"id":%q,%s"affected":[{"package":{"ecosystem":"npm","name":"a"},"versions":[%q]}]}`, id, more, id)
}

func TestRecordsOfOneID(t *testing.T) {
	older, newer := `"modified":"2026-01-01T00:00:00Z",`, `"modified":"2026-01-02T00:00:00Z",`
	other := strings.Replace(npm("X-1", newer), `["X-1"]`, `["other"]`, 1)
	for name, tt := range map[string]struct {
		first, second string
		versions      []string
		withdrawn     bool
	}{
		"the same":              {npm("X-1", newer), npm("X-1", newer), []string{"X-1"}, false},
		"newer second":          {npm("X-1", older), other, []string{"other"}, false},
		"newer first":           {other, npm("X-1", older), []string{"other"}, false},
		"as new":                {npm("X-1", newer), other, []string{"X-1", "other"}, false},
		"not dated":             {npm("X-1", ""), other, []string{"X-1", "other"}, false},
		"one withdrawn":         {npm("X-1", newer+`"withdrawn":"2026-01-03T00:00:00Z",`), other, []string{"X-1", "other"}, false},
		"newer withdrawn":       {npm("X-1", newer+`"withdrawn":"2026-01-03T00:00:00Z",`), npm("X-1", older), []string{"X-1"}, true},
		"newer of another name": {npm("X-1", older), `{"id":"X-1",` + newer + `"affected":[]}`, nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			x := built(t, records("one", tt.first), records("two", tt.second))
			var got []string
			e := entries(t, x, "npm", "a")
			for _, entry := range e {
				for _, a := range entry.Affected {
					got = append(got, a.Versions...)
				}
			}
			if d := diff(tt.versions, got); d != "" || len(e) > 1 {
				t.Errorf("%d entries, %s", len(e), d)
			}
			a := advisory(t, x, "X-1")
			if a.Withdrawn.IsZero() == tt.withdrawn || len(e) == 1 && e[0].Withdrawn != a.Withdrawn {
				t.Errorf("got %+v, %+v", a, e)
			}
			if i := x.Info(); i.Advisories != 1 || i.Sources[0].Advisories != 1 || i.Sources[1].Advisories != 1 {
				t.Errorf("got %+v", i)
			}
			if err := x.Check(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

// Names are unified over all records, in circles too; what is related is another
// vulnerability.
func TestAliases(t *testing.T) {
	x := built(t, records("s",
		`{"id":"GHSA-aaaa-bbbb-cccc","aliases":["CVE-2026-0001"]}`, `{"id":"GO-2026-0001","aliases":["CVE-2026-0001","GO-2026-0001"]}`,
		`{"id":"CVE-2026-0001","aliases":["GHSA-aaaa-bbbb-cccc"]}`, `{"id":"PYSEC-1","aliases":["GO-2026-0001"]}`,
		`{"id":"X-1","related":["CVE-2026-0001"],"upstream":["CVE-2026-0001"]}`,
		`{"id":"X-3","aliases":["CVE-2026-0001","X-1"],"withdrawn":"2026-01-01T00:00:00Z"}`))
	all := []assay.VulnID{"CVE-2026-0001", "GHSA-aaaa-bbbb-cccc", "GO-2026-0001", "PYSEC-1"}
	for i, id := range all {
		got, err := x.Names(id)
		if d := diff(all, got); d != "" || err != nil {
			t.Errorf("%s: %s, %v", id, d, err)
		}
		a := advisory(t, x, id)
		if d := diff(append(append([]assay.VulnID{}, all[:i]...), all[i+1:]...), a.Aliases); d != "" {
			t.Errorf("%s: %s", id, d)
		}
	}
	for _, id := range []assay.VulnID{"X-1", "X-2"} {
		if got, err := x.Names(id); err != nil || !cmp.Equal(got, []assay.VulnID{id}) {
			t.Errorf("%s: got %q, %v", id, got, err)
		}
	}
	if a := advisory(t, x, "X-2"); a != nil {
		t.Errorf("got %+v", a)
	}
	// What is withdrawn still says so, and makes one of nothing.
	if a := advisory(t, x, "X-3"); a.Withdrawn.IsZero() || len(a.Aliases) != 2 {
		t.Errorf("got %+v", a)
	}
}

// A record that names a hundred others its aliases does not make them one.
func TestGroupsAreBounded(t *testing.T) {
	var names []string
	for i := range 100 {
		names = append(names, fmt.Sprintf(`"CVE-2026-%04d"`, i))
	}
	s := records("s", `{"id":"X-1","aliases":[`+strings.Join(names, ",")+`]}`, `{"id":"CVE-2026-0099","aliases":["GO-1"]}`)
	path := filepath.Join(t.TempDir(), "index")
	build(t, path, s)
	for range 2 { // an update does not count it twice
		x := open(t, path)
		if got, err := x.Names("X-1"); err != nil || len(got) != 64 {
			t.Errorf("got %d, %v", len(got), err)
		}
		if got, err := x.Names("CVE-2026-0099"); err != nil || len(got) != 2 {
			t.Errorf("got %d, %v", len(got), err)
		}
		if a := advisory(t, x, "X-1"); len(a.Aliases) != 100 {
			t.Errorf("the record has lost its own: %d", len(a.Aliases))
		}
		if s := x.Apart(); len(s) != 1 || s[0].File != "X-1" || x.Info().Skipped != 0 {
			t.Errorf("got %+v, %+v", s, x.Info())
		}
		if _, err := osv.Update(t.Context(), path, osv.BuildOptions{Time: day}, records("t", npm("X-3", ""))); err != nil {
			t.Fatal(err)
		}
	}
}

func TestEntries(t *testing.T) {
	x := built(t, records("s",
		`{"id":"X-2","affected":[{"package":{"ecosystem":"PyPI","name":"Zope.Interface"},"versions":["1"]},{"package":{"ecosystem":"PyPI","name":"zope-interface"},"versions":["2"]}]}`,
		`{"id":"X-1","withdrawn":"2026-01-01T00:00:00Z","affected":[{"package":{"ecosystem":"PyPI","name":"zope_interface"},"versions":["3"]},{"package":{"ecosystem":"Debian:12","name":"zope"},"versions":["4"]}]}`,
		`{"id":"X-3","affected":[{"ranges":[{"type":"GIT","repo":"https://a/b","events":[{"introduced":"0"}]},{"type":"GIT","repo":"https://a/c","events":[{"introduced":"1"}]}]}]}`))
	e := entries(t, x, "PyPI", "zope-interface")
	if len(e) != 2 || e[0].Advisory != "X-1" || e[0].Withdrawn.IsZero() || len(e[0].Affected) != 1 || e[1].Advisory != "X-2" || len(e[1].Affected) != 2 || e[1].Affected[0].Name != "Zope.Interface" {
		t.Errorf("got %+v", e)
	}
	for _, repo := range []string{"https://a/b", "https://a/c"} {
		if e := entries(t, x, "GIT", repo); len(e) != 1 || e[0].Advisory != "X-3" || len(e[0].Affected[0].Ranges) != 2 {
			t.Errorf("got %+v", e)
		}
	}
	for _, none := range [][2]string{{"PyPI", "Zope.Interface"}, {"PyPI", ""}, {"", ""}, {"Debian:12", "zope"}, {"npm", "zope"}, {"\xff", "\xff"}} {
		if e := entries(t, x, none[0], none[1]); e != nil {
			t.Errorf("%q: got %+v", none, e)
		}
	}
	if d := diff([]string{"Debian", "GIT", "PyPI"}, x.Ecosystems()); d != "" {
		t.Error(d)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := x.Entries(ctx, "PyPI", "zope-interface"); !errors.Is(err, context.Canceled) || !errors.Is(err, assay.ErrUnchecked) {
		t.Errorf("got %v", err)
	}
	if _, err := x.Advisory(ctx, "X-1"); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if err := x.Check(ctx); err == nil {
		// Too few records to look at the context before the end.
		t.Log("checked")
	}
}

// The result of a question is the asker's, and questions can be asked at once.
func TestQuestionsAtOnce(t *testing.T) {
	x := built(t, records("s", npm("X-1", `"aliases":["X-2"],`), npm("X-2", ""), npm("X-3", "")))
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				e, err := x.Entries(context.Background(), "npm", "a")
				if err != nil || len(e) != 3 || e[0].Affected[0].Versions[0] != "X-1" {
					t.Errorf("got %+v, %v", e, err)
					return
				}
				e[0].Affected[0].Versions[0] = "changed"
				a, err := x.Advisory(context.Background(), "X-1")
				if err != nil || a.Aliases[0] != "X-2" {
					t.Errorf("got %+v, %v", a, err)
					return
				}
				a.Aliases[0] = "changed"
			}
		})
	}
	wg.Wait()
}

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	if _, err := osv.Open(filepath.Join(dir, "none")); !errors.Is(err, fs.ErrNotExist) || !errors.Is(err, assay.ErrUnchecked) {
		t.Errorf("got %v", err)
	}
	if _, err := osv.Open(dir); !errors.Is(err, assay.ErrInvalid) && !errors.Is(err, assay.ErrUnchecked) {
		t.Errorf("got %v", err)
	}
	path := filepath.Join(dir, "index")
	build(t, path, records("s", npm("X-1", "")))
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	newer := append([]byte{}, whole...)
	newer[11]++
	for name, tt := range map[string]struct {
		data []byte
		kind error
		says string
	}{
		"empty":      {nil, assay.ErrInvalid, "an advisory index"},
		"foreign":    {[]byte(strings.Repeat("SQLite format 3", 100)), assay.ErrInvalid, "an advisory index"},
		"newer":      {newer, assay.ErrUnchecked, fmt.Sprintf("got \"%d\"", newer[11])},
		"more":       {append(append([]byte{}, whole...), 0), assay.ErrInvalid, "whole"},
		"twice":      {append(append([]byte{}, whole...), whole...), assay.ErrInvalid, "size"},
		"other half": {append(append([]byte{}, whole[:12]...), whole[len(whole)/2:]...), assay.ErrInvalid, "size"},
	} {
		bad := written(t, "bad", tt.data)
		_, err := osv.Open(bad)
		if !errors.Is(err, tt.kind) || !strings.Contains(err.Error(), tt.says) || !strings.Contains(err.Error(), bad) {
			t.Errorf("%s: got %v", name, err)
		}
		// What is no index is not taken for one that has no sources yet.
		if _, err := osv.Update(t.Context(), bad, osv.BuildOptions{Time: day}, records("t", npm("X-2", ""))); !errors.Is(err, tt.kind) {
			t.Errorf("%s: updated: %v", name, err)
		}
		if got, _ := os.ReadFile(bad); string(got) != string(tt.data) {
			t.Errorf("%s: was changed", name)
		}
	}
	for n := range whole {
		if _, err := osv.Open(written(t, "cut", whole[:n])); !errors.Is(err, assay.ErrInvalid) {
			t.Fatalf("cut off after %d bytes: %v", n, err)
		}
	}
}

// A byte that is changed anywhere is found by Check, and what a question reads of it is
// an error and not another answer.
func TestChangedBytesAreFound(t *testing.T) {
	path := filepath.Join(t.TempDir(), "index")
	build(t, path, records("s", npm("X-1", `"aliases":["X-2"],`), npm("X-2", "")), folder("kev", osv.FormatKEV, "k.json", kev))
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	x := open(t, path)
	want, about := entries(t, x, "npm", "a"), advisory(t, x, "X-1")
	bad := filepath.Join(t.TempDir(), "bad")
	for i := range whole {
		data := append([]byte{}, whole...)
		data[i] ^= 0x10
		if err := os.WriteFile(bad, data, 0o644); err != nil {
			t.Fatal(err)
		}
		x, err := osv.Open(bad)
		if err != nil {
			continue
		}
		if err := x.Check(t.Context()); err == nil {
			t.Errorf("byte %d: not found", i)
		}
		if e, err := x.Entries(t.Context(), "npm", "a"); err == nil && diff(want, e) != "" {
			t.Errorf("byte %d: got %+v", i, e)
		}
		if a, err := x.Advisory(t.Context(), "X-1"); err == nil && diff(about, a) != "" {
			t.Errorf("byte %d: got %+v", i, a)
		}
		x.Close()
	}
}

// A file that shrinks while it is open gives errors, and does not end the process.
func TestIndexIsCutOffWhileItIsOpen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "index")
	build(t, path, records("s", npm("X-1", "")))
	x := open(t, path)
	if err := os.Truncate(path, 20); err != nil {
		t.Fatal(err)
	}
	if e, err := x.Entries(t.Context(), "npm", "a"); !errors.Is(err, assay.ErrInvalid) {
		t.Errorf("got %+v, %v", e, err)
	}
	if a, err := x.Advisory(t.Context(), "X-1"); !errors.Is(err, assay.ErrInvalid) {
		t.Errorf("got %+v, %v", a, err)
	}
	if err := x.Check(t.Context()); !errors.Is(err, assay.ErrInvalid) {
		t.Errorf("got %v", err)
	}
}

func TestInfo(t *testing.T) {
	x := built(t, records("s", npm("X-1", `"modified":"2026-01-02T00:00:00Z",`), npm("X-2", `"modified":"2026-01-01T00:00:00Z",`), `{"no":"id"}`))
	i := x.Info()
	modified := time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)
	want := osv.Info{Digest: i.Digest, Updated: day, Modified: modified, Advisories: 2, Skipped: 1,
		Sources: []osv.SourceInfo{{Name: "s", Format: "osv", Advisories: 2, Skipped: 1, Read: day, Modified: modified}}}
	if d := diff(want, i); d != "" || i.Digest.IsZero() {
		t.Error(d)
	}
}
