package osv_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/vex/osv"
)

func update(t testing.TB, path string, at time.Time, sources ...osv.Source) *osv.Report {
	t.Helper()
	r, err := osv.Update(t.Context(), path, osv.BuildOptions{Time: at}, sources...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func content(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestUpdate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "index")
	next := day.Add(time.Hour)
	if r := update(t, path, day, records("b", npm("X-1", ""), npm("X-2", ""), `{}`), records("c", npm("X-3", ""))); r.Read != 3 || r.Kept+r.Gone != 0 || len(r.Skipped) != 1 {
		t.Errorf("got %+v", r)
	}
	before := open(t, path)
	// X-1 is unchanged, X-2 is changed, X-4 is new; c stays; a is new.
	r := update(t, path, next, records("b", npm("X-1", ""), npm("X-2", `"summary":"new",`), npm("X-4", "")), folder("a", osv.FormatKEV, "k.json", kev))
	if r.Read != 4 || r.Kept != 2 || r.Gone != 1 || len(r.Skipped) != 0 {
		t.Errorf("got %+v", r)
	}
	x := open(t, path)
	if got := entries(t, x, "npm", "a"); len(got) != 4 {
		t.Errorf("got %+v", got)
	}
	if a := advisory(t, x, "X-2"); a.Summary != "new" {
		t.Errorf("got %+v", a)
	}
	var read []string
	for _, s := range x.Info().Sources {
		read = append(read, s.Name+" "+s.Read.Format(time.TimeOnly)+" "+strconv.Itoa(s.Advisories)+" "+strconv.Itoa(s.Skipped))
	}
	if d := diff([]string{"a 01:00:00 2 0", "b 01:00:00 3 0", "c 00:00:00 1 0"}, read); d != "" || !x.Info().Updated.Equal(next) {
		t.Errorf("%s, %+v", d, x.Info())
	}
	// Who had the old one keeps it.
	if got := entries(t, before, "npm", "a"); len(got) != 3 {
		t.Errorf("got %+v", got)
	}
	// Removed records go.
	r = update(t, path, next, records("b", npm("X-1", "")))
	if x := open(t, path); r.Gone != 2 || advisory(t, x, "X-4") != nil || len(entries(t, x, "npm", "a")) != 2 {
		t.Errorf("got %+v", r)
	}
	// A clock that jumps back does not make the index older than its sources.
	update(t, path, day.Add(-time.Hour), records("c", npm("X-3", "")))
	if i := open(t, path).Info(); !i.Updated.Equal(next) {
		t.Errorf("got %v", i.Updated)
	}
	if err := open(t, path).Check(t.Context()); err != nil {
		t.Error(err)
	}
}

// The same sources at the same time give the same bytes, built or updated, by any
// number of workers and with any memory to sort in.
func TestBuildIsDeterministic(t *testing.T) {
	dir := t.TempDir()
	var list []string
	for i := range 500 {
		list = append(list, npm(fmt.Sprintf("X-%d", i), fmt.Sprintf(`"aliases":["Y-%d"],`, i/2)))
	}
	one, two := records("one", list...), records("two", npm("X-7", `"modified":"2026-01-02T00:00:00Z",`))
	path := func(s string) string { return filepath.Join(dir, s) }
	build(t, path("a"), one, two)
	want := content(t, path("a"))
	build(t, path("b"), two, one)
	update(t, path("b"), day, one)
	update(t, path("c"), day, two)
	update(t, path("c"), day, one)
	if _, err := osv.Build(t.Context(), path("d"), osv.BuildOptions{Time: day, Workers: 7}, one, two); err != nil {
		t.Fatal(err)
	}
	if _, err := osv.Build(t.Context(), path("e"), osv.WithSortMemory(osv.BuildOptions{Time: day}, 1<<10), one, two); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"b", "c", "d", "e"} {
		if !bytes.Equal(want, content(t, path(name))) {
			t.Errorf("%s differs", name)
		}
	}
	// The digest is over what records say, wherever they are and however written.
	build(t, path("f"), records("three", append([]string{npm("X-7", ` "modified" : "2026-01-02T00:00:00Z", "details": "more",`)}, list...)...))
	build(t, path("g"), records("three", append([]string{npm("X-7", `"modified":"2026-01-03T00:00:00Z",`)}, list...)...))
	digest := open(t, path("a")).Info().Digest
	if got := open(t, path("f")).Info().Digest; got != digest {
		t.Errorf("got %s, want %s", got, digest)
	}
	if got := open(t, path("g")).Info().Digest; got == digest {
		t.Error("another date of modification has the same digest")
	}
	left, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range left {
		if n := f.Name(); len(n) > 1 && !strings.HasSuffix(n, ".lock") {
			t.Errorf("%s was left", n)
		}
	}
}

func TestTimeOfTheEnvironment(t *testing.T) {
	t.Setenv("SOURCE_DATE_EPOCH", "1700000000")
	path := filepath.Join(t.TempDir(), "index")
	if _, err := osv.Build(t.Context(), path, osv.BuildOptions{}, records("s", npm("X-1", ""))); err != nil {
		t.Fatal(err)
	}
	if got := open(t, path).Info().Updated.Unix(); got != 1700000000 {
		t.Errorf("got %d", got)
	}
	t.Setenv("SOURCE_DATE_EPOCH", "soon")
	if _, err := osv.Build(t.Context(), path, osv.BuildOptions{}, records("s", npm("X-1", ""))); !errors.Is(err, assay.ErrInvalid) {
		t.Errorf("got %v", err)
	}
}

func TestSources(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "f/sub"), 0o755); err != nil {
		t.Fatal(err)
	}
	archive := zipped(t, "sub/X-1.json", npm("X-1", ""), "README.md", "no record", "X-2.json", npm("X-2", ""))
	for name, data := range map[string]string{"f/X-2.json": npm("X-2", ""), "f/sub/X-1.json": npm("X-1", ""), "f/LICENSE": "no record", "all.zip": string(archive), "noname": string(archive)} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(data), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for name, tt := range map[string]struct {
		source osv.Source
		want   int
	}{
		"file":            {osv.Source{Path: filepath.Join(dir, "f/X-2.json")}, 1},
		"folder":          {osv.Source{Path: filepath.Join(dir, "f")}, 2},
		"archive":         {osv.Source{Path: filepath.Join(dir, "all.zip")}, 2},
		"archive no name": {osv.Source{Path: filepath.Join(dir, "noname")}, 2},
		"fs":              {osv.Source{FS: os.DirFS(dir), Path: "f/sub"}, 1},
		"fs archive":      {osv.Source{FS: os.DirFS(dir), Path: "all.zip"}, 2},
		"fs file":         {osv.Source{FS: os.DirFS(dir), Path: "f/X-2.json"}, 1},
		"map":             {osv.Source{FS: fstest.MapFS{"a/b/c.json": {Data: []byte(npm("X-1", ""))}}}, 1},
		"map archive":     {osv.Source{FS: fstest.MapFS{"all.zip": {Data: archive}}, Path: "all.zip"}, 2},
	} {
		tt.source.Name, tt.source.Format = "s", osv.FormatOSV
		if r := build(t, filepath.Join(dir, "index"), tt.source); r.Read != tt.want || r.Info.Skipped != 0 {
			t.Errorf("%s: got %+v", name, r)
		}
	}
	for name, tt := range map[string]struct {
		sources []osv.Source
		kind    error
		says    string
	}{
		"absent":        {[]osv.Source{{Name: "s", Format: osv.FormatOSV, Path: filepath.Join(dir, "none")}}, assay.ErrUnchecked, "none"},
		"empty folder":  {[]osv.Source{{Name: "s", Format: osv.FormatOSV, FS: fstest.MapFS{"a/LICENSE": {}}}}, assay.ErrInvalid, "at least one record"},
		"all skipped":   {[]osv.Source{records("s", `{}`)}, assay.ErrInvalid, "/id"},
		"no name":       {[]osv.Source{records("", npm("X-1", ""))}, assay.ErrInvalid, "name"},
		"odd name":      {[]osv.Source{records("a\nb", npm("X-1", ""))}, assay.ErrInvalid, "name"},
		"name of bytes": {[]osv.Source{records("a\xff", npm("X-1", ""))}, assay.ErrInvalid, "name"},
		"no source":     {nil, assay.ErrInvalid, "at least one source"},
		"name twice":    {[]osv.Source{records("s", npm("X-1", "")), records("s", npm("X-1", ""))}, assay.ErrInvalid, "once"},
		"no format":     {[]osv.Source{{Name: "s", Path: dir}}, assay.ErrInvalid, "format"},
		"no archive":    {[]osv.Source{{Name: "s", Format: osv.FormatOSV, Path: written(t, "x.zip", []byte("no archive"))}}, assay.ErrInvalid, "x.zip"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "index")
			r, err := osv.Build(t.Context(), path, osv.BuildOptions{Time: day}, tt.sources...)
			if r != nil || !errors.Is(err, tt.kind) || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("got %+v, %v", r, err)
			}
			if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("published: %v", err)
			}
		})
	}
}

// A dump that is cut off anywhere, or changed, is an error, and the index before stays.
func TestDumpIsCutOff(t *testing.T) {
	var files []string
	for i := range 20 {
		files = append(files, fmt.Sprintf("X-%d.json", i), npm(fmt.Sprintf("X-%d", i), ""))
	}
	whole := zipped(t, files...)
	path := filepath.Join(t.TempDir(), "index")
	build(t, path, records("s", npm("X-1", "")))
	want := content(t, path)
	try := func(what string, data []byte) {
		t.Helper()
		_, err := osv.Update(t.Context(), path, osv.BuildOptions{Time: day}, osv.Source{Name: "s", Format: osv.FormatOSV, Path: written(t, "all.zip", data)})
		if !errors.Is(err, assay.ErrInvalid) || !strings.Contains(err.Error(), "all.zip") {
			t.Errorf("%s: got %v", what, err)
		}
		if !bytes.Equal(want, content(t, path)) {
			t.Fatalf("%s: the index has changed", what)
		}
	}
	for n := 0; n < len(whole); n += 97 {
		try("cut off after "+strconv.Itoa(n), whole[:n])
	}
	// The directory of the archive is whole, what it points to is not.
	middle := append([]byte{}, whole...)
	for i := 400; i < 500; i++ {
		middle[i] ^= 0xff
	}
	try("changed", middle)
}

func TestSkippedRecordsAreCounted(t *testing.T) {
	odd := built(t, osv.Source{Name: "s", Format: osv.FormatOSV, Path: written(t, "all.zip", zipped(t, "\xff.json", "{}", "a.json", npm("X-1", "")))})
	if got := odd.Skipped(); len(got) != 1 || got[0].File != "\ufffd.json" {
		t.Errorf("got %+v", got)
	}
	var files []string
	for i := range 150 {
		files = append(files, fmt.Sprintf("%03d.json", i), `{"id":`)
	}
	files = append(files, "999.json", npm("X-1", ""))
	x := built(t, folder("s", osv.FormatOSV, files...))
	if got := x.Skipped(); x.Info().Skipped != 150 || len(got) != 100 || got[0].File != "000.json" || got[0].Source != "s" || got[0].Reason == "" {
		t.Errorf("got %d, %+v", len(got), x.Info())
	}
}

// Two writers at once: one gets an error that says so, and readers see nothing of it.
func TestTwoWriters(t *testing.T) {
	path := filepath.Join(t.TempDir(), "index")
	build(t, path, records("s", npm("X-1", "")))
	tried := false
	opts := osv.BuildOptions{Time: day, Progress: func(osv.Progress) {
		if tried {
			return
		}
		tried = true
		_, err := osv.Update(t.Context(), path, osv.BuildOptions{Time: day}, records("s", npm("X-3", "")))
		if !errors.Is(err, osv.ErrBusy) || !errors.Is(err, assay.ErrUnchecked) || !strings.Contains(err.Error(), path) {
			t.Errorf("got %v", err)
		}
		if e := entries(t, open(t, path), "npm", "a"); len(e) != 1 || e[0].Advisory != "X-1" {
			t.Errorf("got %+v", e)
		}
	}}
	if _, err := osv.Update(t.Context(), path, opts, records("s", npm("X-2", ""))); err != nil {
		t.Fatal(err)
	}
	if e := entries(t, open(t, path), "npm", "a"); !tried || len(e) != 1 || e[0].Advisory != "X-2" {
		t.Errorf("got %+v", e)
	}
}

// steps is an update that tells of several stages: one source stays, one is replaced.
func steps(ctx context.Context, path string, progress func(osv.Progress)) error {
	_, err := osv.Update(ctx, path, osv.BuildOptions{Time: day, Progress: progress}, records("b", npm("X-2", `"summary":"new",`), npm("X-3", "")), folder("c", osv.FormatKEV, "k.json", kev))
	return err
}

func stepsBefore(t *testing.T) (path string, before []byte) {
	path = filepath.Join(t.TempDir(), "index")
	build(t, path, records("a", npm("X-1", "")), records("b", npm("X-2", "")))
	return path, content(t, path)
}

func TestProgressAndCancel(t *testing.T) {
	path, before := stepsBefore(t)
	var got []osv.Progress
	if err := steps(t.Context(), path, func(p osv.Progress) { got = append(got, p) }); err != nil {
		t.Fatal(err)
	}
	want := []osv.Progress{
		{Stage: osv.StageKeep, Source: "a"},
		{Stage: osv.StageRead, Source: "b"}, {Stage: osv.StageRead, Source: "b", Records: 2},
		{Stage: osv.StageRead, Source: "c"}, {Stage: osv.StageRead, Source: "c", Records: 2},
		{Stage: osv.StageIndex, Records: 5}, {Stage: osv.StagePublish, Records: 5},
	}
	if d := diff(want, got); d != "" {
		t.Error(d)
	}
	for n := range want {
		if err := os.WriteFile(path, before, 0o644); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		left := n
		err := steps(ctx, path, func(osv.Progress) {
			if left--; left < 0 {
				cancel()
			}
		})
		cancel()
		if !errors.Is(err, context.Canceled) || !errors.Is(err, assay.ErrUnchecked) {
			t.Errorf("step %d: got %v", n, err)
		}
		if !bytes.Equal(before, content(t, path)) {
			t.Errorf("step %d: the index has changed", n)
		}
		if _, err := os.Stat(path + ".new"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("step %d: something was left: %v", n, err)
		}
	}
}

// A process that is killed at any step leaves the index as it was, and the next one is
// neither locked out nor confused by what was left.
func TestKilled(t *testing.T) {
	if path := os.Getenv("ASSAY_OSV_KILLED_INDEX"); path != "" {
		left, _ := strconv.Atoi(os.Getenv("ASSAY_OSV_KILLED_STEP"))
		steps(context.Background(), path, func(osv.Progress) {
			if left--; left < 0 {
				self, _ := os.FindProcess(os.Getpid())
				self.Kill()
				select {}
			}
		})
		return
	}
	path, before := stepsBefore(t)
	for n := range 7 {
		cmd := exec.Command(os.Args[0], "-test.run=^TestKilled$")
		cmd.Env = append(os.Environ(), "ASSAY_OSV_KILLED_INDEX="+path, "ASSAY_OSV_KILLED_STEP="+strconv.Itoa(n))
		if out, err := cmd.CombinedOutput(); err == nil || runtime.GOOS != "windows" && cmd.ProcessState.ExitCode() != -1 {
			t.Fatalf("step %d: it was not killed: %v: %s", n, err, out) // -1 is by a signal
		}
		if !bytes.Equal(before, content(t, path)) {
			t.Fatalf("step %d: the index has changed", n)
		}
		if err := open(t, path).Check(t.Context()); err != nil {
			t.Errorf("step %d: %v", n, err)
		}
	}
	if err := steps(t.Context(), path, nil); err != nil {
		t.Fatal(err)
	}
	x := open(t, path)
	if err := x.Check(t.Context()); err != nil || len(entries(t, x, "npm", "a")) != 3 {
		t.Error(err)
	}
}
