// Package osv keeps security advisories in an index on disk, and matches the
// components of an image to them.
//
// An [Advisory] is one record of a database in the OSV format, or of a tracker that is
// read into the same fields. A [Database] is what matching asks.
package osv
