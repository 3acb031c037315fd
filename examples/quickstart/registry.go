package main

import (
	"context"
	"io"
	"log"
	"net"
	"net/http"

	"github.com/google/go-containerregistry/pkg/name"
	ggcr "github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/assaykit/assay"
	"github.com/assaykit/assay/sbom/image"
)

// registry is one of our own, in memory, on loopback. Any other serves as well.
type registry struct{ host string }

// place is an image in the registry.
type place struct {
	repository string
	digest     assay.Digest
	access     image.Registry
}

func (p place) String() string { return p.repository + "@" + p.digest.String() }

func startRegistry() (*registry, func(), error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, nil, err
	}
	server := &http.Server{Handler: ggcr.New(ggcr.WithReferrersSupport(true), ggcr.Logger(log.New(io.Discard, "", 0)))}
	go func() { _ = server.Serve(l) }() // ends with ErrServerClosed
	return &registry{l.Addr().String()}, func() { _ = server.Close() }, nil
}

// push puts the image into a repository of the registry.
func (r *registry) push(ctx context.Context, repository string, img v1.Image) (place, error) {
	repo, err := name.NewRepository(r.host + "/" + repository)
	if err != nil {
		return place{}, err
	}
	hash, err := img.Digest()
	if err != nil {
		return place{}, err
	}
	digest, err := assay.ParseDigest(hash.String())
	if err != nil {
		return place{}, err
	}
	if err := remote.Write(repo.Digest(hash.String()), img, remote.WithContext(ctx)); err != nil {
		return place{}, err
	}
	return place{repository: repo.Name(), digest: digest}, nil
}
