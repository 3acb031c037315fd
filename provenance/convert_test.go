package provenance_test

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/provenance"
)

const newType = "https://ci.example/workflow/v1"

func TestToV1(t *testing.T) {
	old, err := provenance.Read("old.json", assay.PredicateSLSA02, []byte(`{"buildType":"https://ci.example/workflow@v0","builder":{"id":"https://ci.example/b"},
		"invocation":{"configSource":{"uri":"git+https://git.example/r@refs/heads/main","digest":{"sha1":"`+commit+`"},"entryPoint":"w.yml"},"parameters":{"a":1,"b":2},"environment":{"a":"env","os":"linux"},"note":"x"},
		"buildConfig":{"steps":[]},"metadata":{"buildInvocationId":"7","completeness":{"materials":true},"reproducible":false},"materials":[{"uri":"oci://base","digest":{"sha256":"`+sum1+`","future":"99"}}]}`))
	if err != nil {
		t.Fatal(err)
	}
	p, losses, err := provenance.ToV1(old, newType)
	if err != nil {
		t.Fatal(err)
	}
	text, err := provenance.Encode(p)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"buildType":"` + newType + `"`, `"slsa02_completeness":{"materials":true}`, `"slsa02_reproducible":false`, `"slsa02_buildConfig":{"steps":[]}`,
		`"/buildType":"https://ci.example/workflow@v0"`, `"/invocation/environment/a":"env"`, `"/invocation/note":"x"`, `"source":"git+https://git.example/r@refs/heads/main"`, `"entryPoint":"w.yml"`, `"future":"99"`} {
		if !strings.Contains(string(text), want) {
			t.Errorf("no %s in %s", want, text)
		}
	}
	var fields []string
	for _, l := range losses {
		fields = append(fields, l.Field)
	}
	if got := fmt.Sprint(fields); got != "[/buildConfig /buildType /invocation/configSource /invocation/environment/a /invocation/note /metadata/completeness /metadata/reproducible]" {
		t.Errorf("losses: %s", got)
	}
	read, err := provenance.Read("new.json", assay.PredicateSLSA1, text)
	if err != nil {
		t.Fatal(err)
	}
	p.Source = assay.Source{} // as the losses say
	if d := diff(p, read); d != "" {
		t.Error(d)
	}
	again, losses, err := provenance.ToV1(read, newType)
	if err != nil || len(losses) != 0 || !reflect.DeepEqual(again, read) {
		t.Errorf("v1 to v1: %v, %v", losses, err)
	}
	for _, bad := range []string{"", "workflow", old.BuildType} {
		if _, _, err := provenance.ToV1(old, bad); !errors.Is(err, assay.ErrInvalid) || !strings.Contains(err.Error(), "P9") {
			t.Errorf("build type %q: %v", bad, err)
		}
	}
	bare, err := provenance.Read("bare.json", assay.PredicateSLSA01, []byte(`{"builder":{"id":"https://ci.example/b"},"recipe":{"type":"https://ci.example/t"}}`))
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := provenance.ToV1(bare, newType); !errors.Is(err, assay.ErrInvalid) || !strings.Contains(err.Error(), "P2") {
		t.Errorf("without parameters: %v", err)
	}
}

// The material that a v0.1 recipe is in is told by an index, which v1 does not have.
func TestToV1OfRecipe(t *testing.T) {
	const recipe = `{"builder":{"id":"https://ci.example/b"},"recipe":{"type":"https://ci.example/t"%s,"entryPoint":"w.yml"},"materials":[{"uri":"git+https://git.example/r@refs/heads/main","digest":{"sha1":"` + commit + `"}}]}`
	for defined, want := range map[string]string{
		`,"definedInMaterial":0`:    "[/materials /recipe/definedInMaterial /recipe/type]",
		`,"definedInMaterial":"0"`:  "[/materials /recipe/definedInMaterial /recipe/type]",
		`,"definedInMaterial":-1`:   "[/recipe/definedInMaterial /recipe/type]",
		`,"definedInMaterial":null`: "[/recipe/type]",
		"":                          "[/recipe/type]",
	} {
		old, err := provenance.Read("old.json", assay.PredicateSLSA01, fmt.Appendf(nil, recipe, defined))
		if err != nil {
			t.Fatal(err)
		}
		p, losses, err := provenance.ToV1(old, newType)
		if err != nil {
			t.Fatal(err)
		}
		text, err := provenance.Encode(p)
		if err != nil {
			t.Fatal(err)
		}
		var fields []string
		for _, l := range losses {
			fields = append(fields, l.Field)
		}
		if got := fmt.Sprint(fields); got != want {
			t.Errorf("%s: losses %s, want %s", defined, got, want)
		}
		if kept := strings.Replace(defined, `,"`, `"/recipe/`, 1); strings.Contains(want, "defined") != strings.Contains(string(text), kept) && defined != "" {
			t.Errorf("%s: %s", defined, text)
		}
	}
}
