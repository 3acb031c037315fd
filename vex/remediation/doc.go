// Package remediation records how vulnerabilities in the images of one stream were
// remediated over time, and says whether that was inside a deadline.
//
// # Where to start
//
// Make a record of the builds of a stream with [Record], attest it (its predicate type
// is [PredicateType]), and ask with [Evaluate] how it stands against a [Profile] at a
// time:
//
//	record, err := remediation.Record("registry.example/app:1", builds, remediation.Options{})
//	data, err := remediation.Encode(record)
//
//	record, err := remediation.Read(name, data)
//	profile, err := remediation.Named(remediation.ProfileDefault)
//	result, err := remediation.Evaluate(record, profile, now)
//
// A profile is data: [Named] has some, [ReadProfile] reads others from JSON. Hold the
// record to the statements that it rests on with [CheckAgainst], and its exclusions to
// their evidence with [EvaluateAgainst].
//
// # What is promised
//
//   - The record is evidence and has no verdict in it; whoever verifies computes that.
//   - A date that is not known, or that rests on nothing which counts, meets no
//     deadline. What stops a clock has to be witnessed by somebody else than its author
//     (Profile.AllowClaimedTimesUnsafe takes signed claims); what starts it can be
//     claimed, and the earliest date counts where several are given.
//   - What a scan could not show to be gone is not fixed. What is still there, and that
//     scanners with newer advisories report no more, was withdrawn: that is neither in
//     time nor late, and part of no percentile. A severity that nobody gave is
//     critical, a status of under_investigation is none, and a risk that was accepted
//     after the deadline is not.
//   - What is met stays met at any later clock, and what is breached stays breached.
//   - Nothing depends on the order of entries, scans or documents, on the machine's
//     clock, or on its time zone.
//
// # What a record cannot prove
//
// By itself a record is its signer's word. Whoever relies on it has to see to it that
// the signer may speak for the stream; that the image in question is its last one, or
// at least in it; that AsOf is recent; and that it says what the statements say which
// it rests on, as far as these are at hand ([CheckAgainst]). Beyond that it cannot be
// seen from a record that an image or a scan was left out, that a scan was made later
// than it could have been, or that a database knew of a vulnerability, or of its fix,
// later than others. A component that was renamed is another component: its old name is
// gone, and what the new one has is a finding of its own.
//
// # The predicate
//
// The predicate is the JSON of [assay.Remediation]; [Schema] is its JSON schema. All
// times are RFC 3339 in UTC, written to the nanosecond at most and without trailing
// zeros. No member is null or empty; one without value is left out. A date is
//
//	time      when. REQUIRED
//	basis     what it rests on. REQUIRED
//	            witnessed  somebody else than the author vouches for the time, such as a
//	                       transparency log or a timestamp authority
//	            signed     a signed statement claims it
//	            advisory   a vulnerability database has it, as a signed scan passes on
//	            unsigned   nobody signed it; it counts for nothing
//	evidence  where it can be looked up: a list of name, uri, digest and mediaType, with
//	          uri or digest. A statement is told by the SHA-256 of its signed bytes (the
//	          payload of the envelope). REQUIRED but for unsigned
//
// and the predicate has the members
//
//	stream    the name of the lineage of images, such as a repository and tag. REQUIRED
//	asOf      the end of the time that is covered. REQUIRED
//	images    the builds, oldest first. REQUIRED, at least one
//	  digest    of the manifest, "sha256:...". REQUIRED
//	  previous  the digest of the image before. REQUIRED but in the first
//	  built     date: the build finished, as the provenance claims
//	  signed    date: the image was signed
//	  scans     sorted by finished and statement
//	    statement  the scan as it was stated. REQUIRED
//	    scanner    URI. REQUIRED
//	    dbDigest   the database that was asked, algorithm to hex
//	    dbUpdated  when that was last changed, as the scan says
//	    finished   date: the scan ended, by its own word
//	    signed     date: the statement was signed
//	    coverage   components (their number), digest ([assay.CoverageDigest]) and
//	               ecosystems that were asked about; absent if that was not shown
//	entries   sorted by vulnerability, component, componentId, occurrence. REQUIRED
//	  vulnerability  id, and aliases, sorted. REQUIRED
//	  component      purl without version, qualifiers and subpath; or, where there is
//	  componentId    none, the identifier that the SBOMs give it. One is REQUIRED
//	  occurrence     1, and one more each time it comes back. REQUIRED
//	  versions       those found, sorted
//	  severities     changes, oldest first: severities (source, vector, score, rating;
//	                 sorted) and at, the date from which they were seen
//	  published      date: it became public
//	  fix            state (fixed, not-fixed, wont-fix), version, available (date) and
//	                 availableBy (advisory, release, commit, first-observed, ...)
//	  exploited      catalogue, added (date), due (date), sorted by catalogue
//	  firstSeen      date: the first scan that reported it ended
//	  lastSeen       date: the last scan that did ended
//	  firstImage     the first image that has it. REQUIRED
//	  lastImage      the last that is known to have it. REQUIRED
//	  fixedImage     the first after it that was shown not to
//	  firstClean     date: the first scan that shows this was signed, or ended
//	  withdrawn      date: the scan was signed, or ended, that with newer advisories does
//	                 not report it any more of a version that was reported; the advisory
//	                 was withdrawn or corrected. Without fixedImage
//	  undecided      image and reason, for each between the two of which nothing is known
//	  vex            status, justification and at (date) of each change of the VEX status,
//	                 oldest first; without status a statement was taken back
//	  exclusions     reason (end-of-life, disputed, risk-accepted), from (date), until,
//	                 evidence and note, sorted by from
//	  doubts         texts on dates that were left out because they cannot be true
//
// # Rules
//
// [Encode], [Read] and [Evaluate] refuse what breaks one, with its name in the error.
//
//	remediation R1   it has a stream, images and entries, not more than MaxImages and
//	                 MaxEntries
//	remediation R2   times are in UTC and of the years 1 to 9999; what happened did so
//	                 until asOf; images are in the order of their dates, and nothing is
//	                 signed before it was made, or scanned before it was built, by more
//	                 than MaxSkew ([Record]: by more than its skew)
//	remediation R3   a date has a time, a basis and, unless it is unsigned, evidence
//	remediation R4   evidence is told by uri or digest; lists of it are sorted
//	remediation R5   images are told by strong digests, each once, each the successor of
//	                 the one before; scans are sorted, and have a scanner
//	remediation R6   an entry is told by vulnerability, component and occurrence; these
//	                 count from 1, each after the last was fixed or withdrawn
//	remediation R7   the images of an entry are in the record, in its order; what was
//	                 withdrawn was not fixed
//	remediation R8   severities are sorted, with scores of 0 to 10 and known ratings
//	remediation R9   VEX statuses are known ones, at rising times
//	remediation R10  exclusions have a known reason and end after they begin
//	remediation R11  the bytes are what would be written, but for the order of members
//	                 and the space between them
package remediation
