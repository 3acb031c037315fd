// Package image opens container images, wherever they are, as the types of
// go-containerregistry: [v1.Image] and [v1.ImageIndex].
//
// Start with [Open] and the reference grammar:
//
//	example.com/app:v1                  a registry; also host/repo@sha256:…
//	oci:PATH[:TAG][@DIGEST]             an OCI image layout in a folder
//	oci-archive:PATH[:TAG][@DIGEST]     an OCI image layout in a tar archive
//	docker-archive:PATH[:NAME:TAG]      what "docker save" writes
//	dir:PATH                            a plain folder
//
// # What is promised
//
// What was asked for by digest is what is opened: manifests and configurations are
// hashed when they are read, layers when they are read to their end. A mismatch is
// [assay.ErrRefuted]. An image that the source does not have is [assay.ErrAbsent];
// a source that could not answer (no network, no permission, too many requests, no
// answer in time) is [assay.ErrUnchecked] with the status in its message. The two
// are never confused.
//
// Layers that are read by their tables of contents (eStargz, zstd:chunked), which is an
// option of those who read them, are fetched from registries in parts; what is in the
// parts, the reader verifies. A registry that does not answer ranges exactly is asked
// for the whole layer.
//
// Nothing is unpacked or written to disk. Nothing is fetched from where a manifest
// says it can be had, unless Options.ForeignLayers allows the host.
//
// SBOMs that a build attached are read by [Opened.AttachedSBOMs], and its provenance by
// [Opened.AttachedProvenances]. They are claims without a signature, and never evidence.
//
// [Registry] is the configuration of everybody who talks to a registry.
package image
