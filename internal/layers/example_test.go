package layers_test

import (
	"context"
	"fmt"
	"strings"

	"github.com/assaykit/assay/internal/layers"
	"github.com/assaykit/assay/internal/testimage"
)

// releases wants the files that name the distribution.
type releases struct{}

func (releases) Name() string { return "releases" }

func (releases) Match(f *layers.File) layers.Want {
	if f.Path == "etc/os-release" {
		return layers.WantContent
	}
	return layers.WantNothing
}

func (releases) Visit(_ context.Context, _ *layers.File, c layers.Content) (any, error) {
	return strings.TrimSpace(string(c.Bytes)), nil
}

func ExamplePass() {
	img, err := testimage.Build(testimage.Options{},
		testimage.Layer{Files: []testimage.File{{Name: "etc/os-release", Body: "ID=debian\n"}, {Name: "bin/sh", Mode: 0o755}}},
		testimage.Layer{Files: []testimage.File{testimage.Whiteout("bin/sh")}},
	)
	if err != nil {
		fmt.Println(err)
		return
	}
	res, err := layers.Pass(context.Background(), img, layers.Options{Digest: img.ID()}, releases{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for fact, id := range layers.Facts[string](res, "releases") {
		fmt.Println(fact.Path, "says", id)
	}
	for _, h := range res.History {
		fmt.Println(h.File.Path, "of layer", h.File.Layer, "was removed by layer", h.By)
	}
	// Output:
	// etc/os-release says ID=debian
	// bin/sh of layer 0 was removed by layer 1
}
