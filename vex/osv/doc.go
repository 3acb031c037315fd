// Package osv keeps security advisories in an index on disk, and matches the
// components of an image to them.
//
// [Build] and [Update] make an index of records in the OSV format, of trackers and of
// catalogues, which [Open] opens; it is a [Database]. [Match] asks one about the
// components of an SBOM. Its findings are what is decided, by the whole evaluation
// algorithm of the OSV schema and in each ecosystem's order of versions ([Compare]).
// Whatever could not be decided is told beside them: no component and no advisory is
// passed over in silence, because a scan that finds nothing is taken for a proof.
//
// An [Advisory] is one record of a database in the OSV format, or of a tracker that is
// read into the same fields.
package osv
