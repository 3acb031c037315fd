package deptest_test

import (
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"testing"
)

// entry are the names of functions that one begins with.
var entry = regexp.MustCompile(`^(New|Open|Read|Write|Encode|Decode|Parse|From|Load|Build|Update|Scan|Match|Merge|Attach|Publish|Sign|Verify|Evaluate|Assess|Record)`)

// TestExamples: every public package shows in examples that run what it is begun with,
// and says what each of its functions and types is for.
func TestExamples(t *testing.T) {
	for _, p := range public(graph(t)) {
		files := token.NewFileSet()
		parse := func(names []string) (out []*ast.File) {
			for _, name := range names {
				f, err := parser.ParseFile(files, filepath.Join(p.Dir, name), nil, parser.ParseComments)
				if err != nil {
					t.Fatal(err)
				}
				out = append(out, f)
			}
			return out
		}
		matches, err := filepath.Glob(filepath.Join(p.Dir, "*_test.go"))
		if err != nil {
			t.Fatal(err)
		}
		for i, m := range matches {
			matches[i] = filepath.Base(m)
		}
		tests := parse(matches)
		shown := map[string]bool{}
		for _, e := range doc.Examples(tests...) {
			if e.Output == "" && !e.EmptyOutput {
				t.Errorf("%s: Example%s has no output, so it does not run", rel(p.ImportPath), e.Name)
			}
			ast.Inspect(e.Code, func(n ast.Node) bool {
				if id, ok := n.(*ast.Ident); ok {
					shown[id.Name] = true
				}
				return true
			})
		}
		if len(shown) == 0 {
			t.Errorf("%s has no example", rel(p.ImportPath))
		}
		pkg, err := doc.NewFromFiles(files, parse(slices.Concat(p.GoFiles, p.CgoFiles)), p.ImportPath)
		if err != nil {
			t.Fatal(err)
		}
		functions := slices.Clone(pkg.Funcs)
		for _, typ := range pkg.Types {
			functions = append(functions, typ.Funcs...)
			if typ.Doc == "" {
				t.Errorf("%s: %s has no comment", rel(p.ImportPath), typ.Name)
			}
		}
		for _, f := range functions {
			if f.Doc == "" {
				t.Errorf("%s: %s has no comment", rel(p.ImportPath), f.Name)
			}
			if entry.MatchString(f.Name) && !shown[f.Name] {
				t.Errorf("%s: no example that runs calls %s", rel(p.ImportPath), f.Name)
			}
		}
	}
}
