// Package testscalibr reads the test tables of github.com/google/osv-scalibr, so that
// parsers here can be compared with what its authors expect of their test data.
//
// The module is not a dependency: the environment variable ASSAY_SCALIBR names the
// folder that it is unpacked in, and tests that need it are skipped without.
package testscalibr

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strconv"
	"testing"
)

// Case is one row of a table: a file, and the packages that are expected in it.
type Case struct {
	Name string
	// File is the path of the test data, Packages are "name@version" in order.
	File     string
	Packages []string
	// Fails tells that an error is expected.
	Fails bool
}

// Cases gives the rows about existing files in the tests of one folder of the module,
// such as "extractor/filesystem/language/javascript/yarnlock".
func Cases(tb testing.TB, folder string) []Case {
	tb.Helper()
	root := os.Getenv("ASSAY_SCALIBR")
	if root == "" {
		tb.Skip("ASSAY_SCALIBR names no folder with the module github.com/google/osv-scalibr")
	}
	dir := filepath.Join(root, filepath.FromSlash(folder))
	files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	if err != nil || len(files) == 0 {
		tb.Fatalf("no tests in %s: %v", dir, err)
	}
	var out []Case
	for _, f := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), f, nil, parser.SkipObjectResolution)
		if err != nil {
			tb.Fatal(err)
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			lit, ok := n.(*ast.CompositeLit)
			if !ok {
				return true
			}
			c, ok := row(lit)
			if !ok {
				return true
			}
			c.File = filepath.Join(dir, filepath.FromSlash(c.File))
			if _, err := os.Stat(c.File); err == nil {
				out = append(out, c)
			}
			return false
		})
	}
	if len(out) == 0 {
		tb.Fatalf("no rows in the tests of %s", dir)
	}
	return out
}

// row takes a literal that has the fields of a row.
func row(lit *ast.CompositeLit) (c Case, ok bool) {
	for key, value := range fields(lit) {
		switch key {
		case "Name", "name":
			c.Name = text(value)
		case "Path", "path":
			c.File = text(value)
		case "InputConfig", "inputConfig":
			if in, isLit := value.(*ast.CompositeLit); isLit {
				c.File = text(fields(in)["Path"])
			}
		case "WantErr", "wantErr":
			if id, isIdent := value.(*ast.Ident); !isIdent || id.Name != "nil" {
				c.Fails = true
			}
		case "WantPackages", "wantPackages":
			ok = true
			var list []ast.Expr // a list of packages, or one
			switch v := value.(type) {
			case *ast.CompositeLit:
				list = v.Elts
			case *ast.UnaryExpr:
				list = []ast.Expr{v.X}
			}
			for _, e := range list {
				if p, isLit := e.(*ast.CompositeLit); isLit {
					f := fields(p)
					c.Packages = append(c.Packages, text(f["Name"])+"@"+text(f["Version"]))
				}
			}
		}
	}
	return c, ok && c.File != ""
}

func fields(lit *ast.CompositeLit) map[string]ast.Expr {
	out := map[string]ast.Expr{}
	for _, e := range lit.Elts {
		if kv, ok := e.(*ast.KeyValueExpr); ok {
			if id, ok := kv.Key.(*ast.Ident); ok {
				out[id.Name] = kv.Value
			}
		}
	}
	return out
}

func text(e ast.Expr) string {
	if lit, ok := e.(*ast.BasicLit); ok && lit.Kind == token.STRING {
		if s, err := strconv.Unquote(lit.Value); err == nil {
			return s
		}
	}
	return ""
}
