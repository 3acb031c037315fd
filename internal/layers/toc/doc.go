// Package toc reads the tables of contents that some layers carry, so that a reader
// can fetch from a registry only what it needs: eStargz (a gzip layer of many
// members, github.com/containerd/stargz-snapshotter, docs/estargz.md) and
// zstd:chunked (a zstd layer of many frames, containers/storage,
// docs/containers-storage-zstd-chunked.md).
//
// Start with [Locate], which tells by the annotations of a layer's descriptor that it
// has a table and what its digest is, and [Read], which fetches the table, verifies
// it and checks its rules.
//
// # What is promised
//
// The table is the one whose digest the annotations state; whoever verified the
// manifest has the table by that. It is read strictly: no member twice or in another
// case, every chunk inside the part of the blob that has contents, chunks in the
// order of the blob and without overlap, each file covered without a gap, every
// chunk with a digest.
//
// That the table says the same as the tar archive in the blob is not checked, and
// cannot be without reading the whole blob.
package toc
