package rpm_test

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/assaykit/assay/sbom/internal/catalog/rpm"
	"github.com/assaykit/assay/sbom/internal/catalog/rpm/bdb"
	"github.com/assaykit/assay/sbom/internal/catalog/rpm/ndb"
	"github.com/assaykit/assay/sbom/internal/catalog/rpm/rpmtest"
	"github.com/assaykit/assay/sbom/internal/catalog/rpm/sqlite"
)

// packages reads a database of any format.
func packages(tb testing.TB, data []byte) []*rpm.Package {
	tb.Helper()
	var out []*rpm.Package
	add := func(blob []byte) error {
		p, err := rpm.ParsePackage(blob)
		if err == nil {
			out = append(out, p)
		}
		return err
	}
	var err error
	switch {
	case bdb.Is(data):
		err = bdb.Each(data, func(_ uint32, b []byte) error { return add(b) })
	case ndb.Is(data):
		err = ndb.Each(data, func(_ uint32, b []byte) error { return add(b) })
	default:
		var db *sqlite.Database
		if db, err = sqlite.Open(data); err == nil {
			err = db.Keep("Packages", bytes.Clone).Each("Packages", func(_ int64, c [][]byte) error { return add(c[1]) })
		}
	}
	if err != nil {
		tb.Fatal(err)
	}
	return out
}

// databases are those of the test data of github.com/knqyf263/go-rpmdb, by folder.
func databases(tb testing.TB) (dir string, files map[string]string) {
	tb.Helper()
	dir = os.Getenv("ASSAY_RPMDB")
	if dir == "" {
		tb.Skip("ASSAY_RPMDB names no source of the module github.com/knqyf263/go-rpmdb")
	}
	found, err := filepath.Glob(filepath.Join(dir, "pkg", "testdata", "*", "*"))
	if err != nil || len(found) < 16 {
		tb.Fatalf("%d databases in %s: %v", len(found), dir, err)
	}
	files = map[string]string{}
	for _, f := range found {
		files[filepath.Base(filepath.Dir(f))] = f
	}
	return dir, files
}

func row(p *rpm.Package) string {
	src := p.SourceRPM
	if src == "(none)" {
		src = ""
	}
	return strings.Join([]string{p.Name, p.EVR(), p.Arch, src, p.License, p.Vendor, p.Modularity, p.Summary, p.SigMD5}, " | ")
}

// What the module's own tests say is in its databases, which is what rpm said where
// they were made.
func TestModuleLists(t *testing.T) {
	dir, files := databases(t)
	lists := moduleLists(t, filepath.Join(dir, "pkg", "rpmdb_testcase_test.go"))
	tested := 0
	for name, list := range moduleTests(t, filepath.Join(dir, "pkg", "rpmdb_test.go")) {
		tested++
		want := lists[list]
		data, err := os.ReadFile(files[name])
		if err != nil || len(want) == 0 {
			t.Fatal(name, list, err)
		}
		var got []string
		for _, p := range packages(t, data) {
			got = append(got, row(p))
		}
		slices.Sort(got)
		slices.Sort(want)
		// The module compares no more packages than its list has, and that of one
		// database is shorter; rpm has the rest, see TestRPMProgram.
		if name == "centos6-many" {
			got = slices.DeleteFunc(got, func(r string) bool { return !slices.Contains(want, r) })
		}
		if d := gocmp.Diff(want, got); d != "" {
			t.Errorf("%s (-module +own):\n%s", name, d)
		}
	}
	if tested < 14 {
		t.Errorf("%d databases with lists", tested)
	}
}

// moduleTests gives the name of the list of each folder.
func moduleTests(t *testing.T, file string) map[string]string {
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	ast.Inspect(f, func(n ast.Node) bool {
		lit, ok := n.(*ast.CompositeLit)
		if !ok {
			return true
		}
		var folder, list string
		for _, e := range lit.Elts {
			kv, ok := e.(*ast.KeyValueExpr)
			if !ok {
				continue
			}
			switch fmt.Sprint(kv.Key) {
			case "file":
				folder = filepath.Base(filepath.Dir(text(kv.Value)))
			case "pkgList":
				list = fmt.Sprint(kv.Value.(*ast.CallExpr).Fun)
			}
		}
		if list != "" {
			out[folder] = list
		}
		return true
	})
	return out
}

// moduleLists reads the literals {epoch, name, version, release, arch, source, size,
// license, vendor, modularity, summary, sigmd5}.
func moduleLists(t *testing.T, file string) map[string][]string {
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]string{}
	for _, d := range f.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok {
			continue
		}
		for _, s := range g.Specs {
			v, ok := s.(*ast.ValueSpec)
			if !ok {
				continue
			}
			ast.Inspect(v, func(n ast.Node) bool {
				lit, ok := n.(*ast.CompositeLit)
				if !ok || len(lit.Elts) != 12 {
					return true
				}
				p := &rpm.Package{}
				if e := lit.Elts[0].(*ast.CallExpr); len(e.Args) == 1 {
					p.Epoch = e.Args[0].(*ast.BasicLit).Value
				}
				p.Name, p.Version, p.Release, p.Arch = text(lit.Elts[1]), text(lit.Elts[2]), text(lit.Elts[3]), text(lit.Elts[4])
				p.SourceRPM, p.License, p.Vendor = text(lit.Elts[5]), text(lit.Elts[7]), text(lit.Elts[8])
				p.Modularity, p.Summary, p.SigMD5 = text(lit.Elts[9]), text(lit.Elts[10]), text(lit.Elts[11])
				out[v.Names[0].Name] = append(out[v.Names[0].Name], row(p))
				return false
			})
		}
	}
	return out
}

func text(e ast.Expr) string {
	s, _ := strconv.Unquote(e.(*ast.BasicLit).Value)
	return s
}

// rpm itself says what is in the databases whose format it can read, and which
// files and dependencies the packages have.
func TestRPMProgram(t *testing.T) {
	_, files := databases(t)
	program, err := exec.LookPath("rpm")
	if err != nil {
		t.Fatal("ASSAY_RPMDB is set, and there is no rpm to compare with:", err)
	}
	read := 0
	for _, name := range slices.Sorted(maps.Keys(files)) {
		t.Run(name, func(t *testing.T) {
			data, err := os.ReadFile(files[name])
			if err != nil {
				t.Fatal(err)
			}
			compareRPM(t, program, filepath.Base(files[name]), data, &read)
		})
	}
	// And what the tests build is what rpm takes for a database.
	generated := rpmtest.Headers(full, rpmtest.Package{Name: "b", Requires: []string{"bash 12 1", "(bash or c)"}, Files: []string{"/b"}})
	t.Run("generated", func(t *testing.T) {
		compareRPM(t, program, "Packages", rpmtest.BDB(binary.LittleEndian, generated...), &read)
	})
	if read < 15 {
		t.Errorf("rpm read %d databases", read)
	}
}

func compareRPM(t *testing.T, program, file string, data []byte, read *int) {
	if file == "Packages.db" {
		t.Log("Debian's rpm does not read this format; TestModuleLists does what it can")
		return
	}
	dir := t.TempDir() // rpm writes beside what it reads
	if err := os.WriteFile(filepath.Join(dir, file), data, 0o600); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range packages(t, data) {
		epoch, arch := cmp.Or(p.Epoch, "(none)"), cmp.Or(p.Arch, "(none)")
		got = append(got, fmt.Sprintf("%s %s %s %s %s %s", p.Name, epoch, p.Version, p.Release, arch, cmp.Or(p.SourceRPM, "(none)")))
	}
	// Signatures are not checked: the keys are not there.
	cmd := exec.Command(program, "-qa", "--nosignature", "--dbpath", dir, "--queryformat", `%{NAME} %{EPOCH} %{VERSION} %{RELEASE} %{ARCH} %{SOURCERPM}\n`)
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	*read++
	want := strings.Split(strings.TrimSpace(string(out)), "\n")
	slices.Sort(got)
	slices.Sort(want)
	if d := gocmp.Diff(want, got); d != "" {
		t.Errorf("(-rpm +own):\n%s", d)
	}
	compareFiles(t, program, dir, packages(t, data))
}

// compareFiles compares one list of all packages: their installed files, and what
// they require and provide.
func compareFiles(t *testing.T, program, dir string, pkgs []*rpm.Package) {
	var got []string
	for _, p := range pkgs {
		for f := range p.Files() {
			got = append(got, p.Name+"\tfile\t/"+f)
		}
		for _, d := range p.Requires {
			got = append(got, p.Name+"\trequires\t"+d.Name+" "+d.EVR)
		}
		for _, d := range p.Provides {
			got = append(got, p.Name+"\tprovides\t"+d.Name+" "+d.EVR)
		}
	}
	cmd := exec.Command(program, "-qa", "--nosignature", "--dbpath", dir, "--queryformat",
		`[%{=NAME}\tfile\t%{FILENAMES} %{FILESTATES}\n][%{=NAME}\trequires\t%{REQUIRENAME} %{REQUIREVERSION}\n][%{=NAME}\tprovides\t%{PROVIDENAME} %{PROVIDEVERSION}\n]`)
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for line := range strings.SplitSeq(strings.TrimRight(string(out), "\n"), "\n") {
		if name, rest, ok := strings.Cut(line, "\tfile\t"); ok {
			i := strings.LastIndexByte(rest, ' ')
			if rest[i+1:] != "0" || rest[:i] == "/" {
				continue
			}
			line = name + "\tfile\t" + rest[:i]
		}
		want = append(want, line)
	}
	slices.Sort(got)
	slices.Sort(want)
	got, want = slices.Compact(got), slices.Compact(want)
	if d := gocmp.Diff(want, got); d != "" {
		t.Errorf("files and dependencies (-rpm +own): %d and %d\n%.3000s", len(want), len(got), d)
	}
	t.Logf("%d packages, %d files and dependencies", len(pkgs), len(got))
}

// BenchmarkDatabase compares reading a database with hashing its bytes.
func BenchmarkDatabase(b *testing.B) {
	_, files := databases(b)
	for _, name := range []string{"centos8-modularitylabel", "sle15-bci", "fedora35"} {
		data, err := os.ReadFile(files[name])
		if err != nil {
			b.Fatal(err)
		}
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			start := time.Now()
			for range b.N {
				packages(b, data)
			}
			own := time.Since(start)
			start = time.Now()
			for range b.N {
				sha256.Sum256(data)
			}
			b.ReportMetric(float64(own)/float64(time.Since(start)), "x-floor")
		})
	}
}
