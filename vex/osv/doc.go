// Package osv keeps security advisories in an index on disk, and matches the
// components of an image to them.
//
// An [Advisory] is one record of a database in the OSV format, or of a tracker that is
// read into the same fields. A [Database] is what matching asks.
//
// # The index
//
// [Update] builds an [Index], or brings one up to date, of sources that are on this
// machine: dumps and folders of osv.dev's records, the trackers of Debian and Alpine,
// CISA's catalogue of what is exploited. Nothing is fetched. The index is one file that
// never changes: a new one takes the place of the old at once, or not at all. [Open]
// reads where things are, some 50 bytes for each 4 KiB of its tables, and each question
// the pieces that answer it. [Info] has the digest of all records and when each source
// was read, for scans to record.
//
// What cannot be read is told: a record is left out, counted and listed ([Skipped]), and
// a scan says so; a source that is cut off is an error, and the index stays as it was.
package osv
