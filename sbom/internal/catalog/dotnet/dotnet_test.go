package dotnet

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/assaykit/assay"
)

const app = `{"runtimeTarget":{"name":".NETCoreApp,Version=v8.0/linux-x64","signature":""},"compilationOptions":{},
"targets":{".NETCoreApp,Version=v8.0":{"Other/9":{}},".NETCoreApp,Version=v8.0/linux-x64":{
"App/1.0.0":{"dependencies":{"b":"2.0.0","gone":"1"},"runtime":{"App.dll":{}}},
"B/2.0.0":{"native":{"runtimes/linux-x64/native/libb.so":{"fileVersion":"0.0.0.0"}},"runtime":{"lib/netstandard2.0/_._":{}},"resources":{"lib/cs/B.resources.dll":{"locale":"cs"}}}}},
"libraries":{"App/1.0.0":{"type":"project","serviceable":false,"sha512":""},"B/2.0.0":{"type":"package","serviceable":true,"sha512":"sha512-z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg=="}}}`

func TestParse(t *testing.T) {
	got, faults, err := Parse("App.deps.json", []byte(app))
	if err != nil || len(faults) > 0 {
		t.Fatal(err, faults)
	}
	want := []Library{
		{Name: "App", Version: "1.0.0", Type: "project", Files: []string{"App.dll"}, Depends: []int{1}, Missing: 1},
		{Name: "B", Version: "2.0.0", Type: "package", SHA512: assay.MustDigest("sha512:cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e"),
			Files: []string{"lib/cs/B.resources.dll", "runtimes/linux-x64/native/libb.so"}},
	}
	if d := cmp.Diff(want, got, cmp.Comparer(func(a, b assay.Digest) bool { return a == b })); d != "" {
		t.Error(d)
	}
	pack := Library{Name: "runtimepack.Microsoft.NETCore.App.Runtime.linux-x64", Type: "runtimepack"}
	if got[0].Package() != "" || got[1].Package() != "B" || pack.Package() != "Microsoft.NETCore.App.Runtime.linux-x64" {
		t.Error("names in the registry")
	}
}

func TestParseRefuses(t *testing.T) {
	for in, names := range map[string]string{
		`{"libraries":{"a/1":{}}}`: "/targets",
		"{":                        "x.deps.json",
		`{"runtimeTarget":{"name":"u"},"targets":{"t":{}}}`: "/runtimeTarget/name",
		`{"targets":{"t":{}},"targets":{}}`:                 "targets",
	} {
		if got, _, err := Parse("x.deps.json", []byte(in)); got != nil || !errors.Is(err, assay.ErrInvalid) || !strings.Contains(err.Error(), names) || !strings.Contains(err.Error(), "x.deps.json") {
			t.Errorf("%s: %v %v", in, got, err)
		}
	}
	many := `{"targets":{"t":{}},"libraries":{` + strings.Repeat(" ", 10)
	var b strings.Builder
	b.WriteString(many)
	for i := range maxLibraries + 1 {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(`"` + strings.Repeat("a", 1+i%7) + string(rune('a'+i%26)) + "/" + strconv.Itoa(i) + `":{}`)
	}
	b.WriteString("}}")
	if _, _, err := Parse("x.deps.json", []byte(b.String())); !errors.Is(err, assay.ErrBound) || !strings.Contains(err.Error(), "100000") {
		t.Errorf("%v", err)
	}
}

// An entry that is broken does not hide the others.
func TestParseFaults(t *testing.T) {
	good := `"A/1":{"runtime":{"A.dll":{}},"dependencies":{"B":"1"}},"B/1":{"runtime":{"B.dll":{}}}`
	for name, tt := range map[string]struct {
		text, says string
		libraries  int
	}{
		"no version":         {`{"targets":{"t/x":{` + good + `,"noversion":{}}}}`, `/targets/t~1x: invalid: got "noversion"`, 2},
		"no name":            {`{"targets":{"t":{` + good + `,"/1":{}}}}`, `got "/1"`, 2},
		"an entry of a list": {`{"targets":{"t":{` + good + `,"C/1":[]}}}`, "/targets/t/C~11", 3},
		"a library of text":  {`{"targets":{"t":{` + good + `}},"libraries":{"B/1":"x","Z/1":7}}`, "/libraries/B~11", 2},
	} {
		t.Run(name, func(t *testing.T) {
			got, faults, err := Parse("x.deps.json", []byte(tt.text))
			if err != nil || len(got) != tt.libraries || got[0].Name != "A" || len(got[0].Depends) != 1 || got[got[0].Depends[0]].Name != "B" {
				t.Errorf("%+v, %v", got, err)
			}
			if len(faults) != 1 || !errors.Is(faults[0], assay.ErrInvalid) || !strings.Contains(faults[0].Error(), tt.says) || !strings.Contains(faults[0].Error(), "x.deps.json") {
				t.Errorf("%v", faults)
			}
		})
	}
	var b strings.Builder
	for i := range 300 {
		b.WriteString(`"` + strconv.Itoa(i) + `":0,`)
	}
	if got, faults, err := Parse("x", []byte(`{"targets":{"t":{`+b.String()+good+`}}}`)); err != nil || len(got) != 2 || len(faults) != maxFaults+1 {
		t.Errorf("%d libraries, %d faults, %v", len(got), len(faults), err)
	}
}

func TestScalibr(t *testing.T) {
	dir := os.Getenv("ASSAY_SCALIBR")
	if dir == "" {
		t.Skip("ASSAY_SCALIBR names no folder with the module github.com/google/osv-scalibr")
	}
	// Fewest libraries; 0 where nothing shows that the file is one of .NET (a plugin
	// for WordPress, an empty object), -1 where it is a broken one.
	for name, least := range map[string]int{"valid": 2, "editor.deps.json": 0, "empty": 0, "nopackagename": -1, "invalid": -1} {
		content, err := os.ReadFile(filepath.Join(dir, "extractor/filesystem/language/dotnet/depsjson/testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		got, faults, err := Parse(name, content)
		if least == 0 {
			if !errors.Is(err, ErrNotDotnet) {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if least < 0 {
			if len(faults) > 0 {
				err = faults[0]
			}
			if !errors.Is(err, assay.ErrInvalid) {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if err != nil || len(got) < least {
			t.Errorf("%s: %d libraries, %v", name, len(got), err)
		}
		for _, l := range got {
			if !strings.Contains(string(content), `"`+l.Name+"/"+l.Version+`"`) {
				t.Errorf("%s: %+v", name, l)
			}
		}
		t.Logf("%s: %d libraries", name, len(got))
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(app))
	f.Add([]byte(`{"targets":{"":{"a/":{"dependencies":{"A":""}}}}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		libs, faults, err := Parse("x", b)
		for _, err := range faults {
			if !errors.Is(err, assay.ErrInvalid) {
				t.Fatal(err)
			}
		}
		if err != nil {
			if libs != nil || !errors.Is(err, ErrNotDotnet) && !errors.Is(err, assay.ErrInvalid) && !errors.Is(err, assay.ErrBound) {
				t.Fatal(libs, err)
			}
			return
		}
		again, _, err := Parse("x", b)
		if d := cmp.Diff(libs, again, cmp.Comparer(func(a, b assay.Digest) bool { return a == b })); err != nil || d != "" {
			t.Fatal(d, err)
		}
		for i, l := range libs {
			for _, d := range l.Depends {
				if d < 0 || d >= len(libs) || d == i {
					t.Fatalf("%+v", l)
				}
			}
		}
	})
}
