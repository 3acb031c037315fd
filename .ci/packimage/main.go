// Command packimage packs tar files, one a layer, as an OCI layout of one image.
//
// The layers are compressed with gzip and zstd in turn, so that both are read
// wherever the image is.
package main

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"time"

	"github.com/google/go-containerregistry/pkg/compression"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

func main() {
	out := flag.String("o", "", "folder of the layout, made new")
	created := flag.Int64("created", 0, "time of the image, seconds since 1970")
	flag.Parse()
	if *out == "" || flag.NArg() == 0 {
		fmt.Fprintln(os.Stderr, "usage: packimage -o DIR [-created SECONDS] LAYER.tar...")
		os.Exit(2)
	}
	if err := pack(*out, time.Unix(*created, 0).UTC(), flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "packimage:", err)
		os.Exit(1)
	}
}

func pack(out string, created time.Time, files []string) error {
	img := mutate.MediaType(empty.Image, types.OCIManifestSchema1)
	img = mutate.ConfigMediaType(img, types.OCIConfigJSON)
	var adds []mutate.Addendum
	for i, file := range files {
		media, option := types.OCILayer, tarball.WithCompression(compression.GZip)
		if i%2 == 1 {
			media, option = types.OCILayerZStd, tarball.WithCompression(compression.ZStd)
		}
		layer, err := tarball.LayerFromFile(file, tarball.WithMediaType(media), option)
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		adds = append(adds, mutate.Addendum{
			Layer:     layer,
			MediaType: media,
			History:   v1.History{Created: v1.Time{Time: created}, CreatedBy: fmt.Sprintf("layer %d", i+1)},
		})
	}
	img, err := mutate.Append(img, adds...)
	if err != nil {
		return err
	}
	config, err := img.ConfigFile()
	if err != nil {
		return err
	}
	config = config.DeepCopy()
	config.OS, config.Architecture = "linux", runtime.GOARCH
	config.Created = v1.Time{Time: created}
	config.Config = v1.Config{
		Entrypoint: []string{"/usr/bin/node", "/app/server.js"},
		Env:        []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
		WorkingDir: "/app",
		User:       "nobody",
	}
	if img, err = mutate.ConfigFile(img, config); err != nil {
		return err
	}
	p, err := layout.Write(out, empty.Index)
	if err != nil {
		return err
	}
	return p.AppendImage(img,
		layout.WithPlatform(v1.Platform{OS: config.OS, Architecture: config.Architecture}),
		layout.WithAnnotations(map[string]string{"org.opencontainers.image.ref.name": "latest"}))
}
