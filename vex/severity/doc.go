// Package severity turns what databases write about the severity of a vulnerability
// into a rating to decide by.
//
// Start with [Of], which gives the rating of a finding, and with [Rate], which fills
// in what one source left out. [Parse] reads CVSS vectors of versions 2.0, 3.0, 3.1
// and 4.0, [Word] the words of databases and distributions.
//
// What cannot be read is an error, and never a score of zero: a vulnerability of
// unknown severity is not a harmless one. Where sources differ the worst rating
// decides unless a [Preference] says otherwise, because a policy that guesses low
// lets through what it was to stop.
package severity
