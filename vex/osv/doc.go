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
//
// # The index
//
// An [Index] is built of sources that are on this machine: dumps and folders of osv.dev's
// records, the trackers of Debian and Alpine, CISA's catalogue of what is exploited.
// Nothing is fetched. It is one file that never changes: a new one takes the place of the
// old at once, or not at all. [Open] reads where things are, some 50 bytes for each 4 KiB
// of its tables, and each question the pieces that answer it. [Info] has the digest of
// all records and when each source was read, for scans to record.
//
// What cannot be read is told: a record is left out, counted and listed ([Skipped]), and
// a scan says so; a source that is cut off is an error, and the index stays as it was.
package osv
