// Package layers is the engine that reads images: one forward pass over each
// layer serves everybody who wants to know something about the contents.
//
// # Where to start
//
// Implement [Visitor] (which files, and what to make of them), call [Pass] for an
// image or [PassFolder] for a folder, and read the facts back from the [Result]:
//
//	res, err := layers.Pass(ctx, img, layers.Options{Digest: want}, dpkg, gobinary)
//	for fact, pkg := range layers.Facts[*dpkg.Status](res, "dpkg") { … }
//	for f := range res.Tree.All() { … }
//
// # How facts become results
//
// A layer is a forward stream: a file is seen before it is known whether an upper
// layer deletes or replaces it, and layers are read in parallel. So a visitor
// answers for the one file in front of it and nothing else; the engine keeps what
// it answered with the layer and path. When all layers are read the merged tree
// decides: facts about files that are still there are in [Result.Facts], facts
// about files that were shadowed or deleted are in [Result.HistoryFacts], with the
// layer that introduced the file and the layer that removed it.
//
// A wanted name whose bytes went by under another one (a hard link, a symbolic
// link, a file written through a symbolically linked folder) is not lost: the
// layer that has the bytes is read a second time for exactly those files. This is
// rare, and [WantAnyName] makes it rarer.
//
// # What is promised
//
//   - Every byte scanned is a byte verified. Manifest, configuration and blob
//     digests and the diffID of each layer are recomputed while streaming,
//     whatever source the image has. A mismatch is an [assay.Error] of kind
//     [assay.ErrRefuted] and there is no result.
//     With Options.Cache a layer that was read before is not read again: see [Cache]
//     for what holds of it then. With Options.TrustTOC a layer can be read by its
//     table of contents, and what the table says is believed: see [Layer.TOC].
//   - Nothing is written to disk. Memory for contents is bounded by
//     [Options.Memory] (a large file that a [Streamer] wants is not held), all else by [Bounds]; exceeding a bound is an error of kind
//     [assay.ErrBound] that names the bound. What was left out (only what a
//     visitor said it could do without) is listed in [Result.Skipped].
//   - Same image, same result: nothing depends on which layer was done first.
//   - Input that breaks a rule is an error of kind [assay.ErrInvalid]; a source
//     that fails or hangs is [assay.ErrUnchecked]. No input panics.
//
// # Rules of merging
//
// OCI image-spec v1.1, layer.md, with what it leaves open settled so:
//
//   - A whiteout, plain or opaque, hides lower layers only, wherever in its own
//     layer it stands.
//   - A name that occurs twice in one layer: the last one counts, the first one is
//     history.
//   - Names are cleaned as rooted ones: "./a", "/a", "a/" and "a//b" are fine; a
//     name that climbs out of the root ("../a") is an error.
//   - Folders that are symbolic links are followed inside the root when something is
//     written through them. Runtimes differ here (an overlay file system whose
//     layers are unpacked one by one makes a folder that hides the link), therefore
//     each such entry is listed in [Result.Ambiguous].
//   - A hard link needs a target that is there already. It shares owner,
//     permissions and capabilities with it: the header that came last names the
//     owner, and a permission or capability that any of the headers gave counts,
//     because runtimes differ in which of them they apply.
package layers
