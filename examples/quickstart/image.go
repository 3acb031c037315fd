package main

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/assaykit/assay/sbom/image"
)

// subject is the image that evidence is made about.
type subject struct {
	image  v1.Image
	origin string
	// build is how the program in it was built; nil for an image that was given.
	build *debug.BuildInfo
}

func theImage(ctx context.Context, args []string) (*subject, error) {
	switch len(args) {
	case 0:
		return packMyself()
	case 1:
		opened, err := image.Open(ctx, args[0], image.Options{})
		if err != nil {
			return nil, err
		}
		if opened.Image() == nil {
			return nil, fmt.Errorf("%s is a folder; a folder has no digest to attest", args[0])
		}
		return &subject{image: opened.Image(), origin: args[0]}, nil
	}
	return nil, fmt.Errorf("want at most one image, got %d", len(args))
}

// packMyself makes an image of the running executable: the program, and a user that
// is not root.
func packMyself() (*subject, error) {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return nil, fmt.Errorf("this executable carries no build information")
	}
	path, err := os.Executable()
	if err != nil {
		return nil, err
	}
	program, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	img, err := pack(file{"app/quickstart", 0o755, program})
	if err != nil {
		return nil, err
	}
	return &subject{image: img, origin: "packed from this program's own executable", build: info}, nil
}

// otherImage is some other image, for evidence that is about the wrong one.
func otherImage() (v1.Image, error) {
	return pack(file{"app/other", 0o755, []byte("another program\n")})
}

type file struct {
	name string
	mode int64
	data []byte
}

// pack makes an image of a layer with the user database and a layer with the program.
func pack(program file) (v1.Image, error) {
	base, err := layer(
		file{"etc/passwd", 0o644, []byte("nonroot:x:65532:65532:nonroot:/:/sbin/nologin\n")},
		file{"etc/group", 0o644, []byte("nonroot:x:65532:\n")},
	)
	if err != nil {
		return nil, err
	}
	app, err := layer(program)
	if err != nil {
		return nil, err
	}
	img := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	if img, err = mutate.AppendLayers(img, base, app); err != nil {
		return nil, err
	}
	config, err := img.ConfigFile()
	if err != nil {
		return nil, err
	}
	config = config.DeepCopy()
	config.OS, config.Architecture = "linux", runtime.GOARCH
	config.Config.User = "65532:65532"
	config.Config.Entrypoint = []string{"/" + program.name}
	config.Config.Env = []string{"PATH=/app"}
	return mutate.ConfigFile(img, config)
}

func layer(files ...file) (v1.Layer, error) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, f := range files {
		if err := w.WriteHeader(&tar.Header{Name: f.name, Mode: f.mode, Size: int64(len(f.data))}); err != nil {
			return nil, err
		}
		if _, err := w.Write(f.data); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b.Bytes())), nil },
		tarball.WithMediaType(types.OCILayer))
}
