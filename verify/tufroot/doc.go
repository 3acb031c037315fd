// Package tufroot gets a sigstore trusted root, and a signing config, from a TUF
// repository (The Update Framework, specification 1.0.34), so that keys which are
// rotated reach who verifies without a release of their program.
//
// Start with [New] and [Client.Fetch]. What Fetch gives goes into verify.Trust and
// keyless.Options as it is. Whom to trust is the caller's decision: there is no
// built-in mirror and no built-in root of TUF.
//
// # What is promised
//
// The root of TUF that the caller gives is where trust starts, each time: later roots
// are followed one by one, each signed by the one before. Metadata and files are
// bounded in size and refused if they are rolled back, mixed, expired, or not what
// was signed. No redirect is followed.
//
// With [Options.Cache], what was seen is remembered, so that a mirror cannot go back
// to what was true before: without it, only metadata older than the root given, or
// expired, is refused. The cache is one file for each mirror, replaced whole: after a
// crash it is the one before or the one after. It is not believed: all that is in it
// is verified as if it came from the mirror. Who deletes it takes the memory away,
// and nothing else. A process does not
// replace what is newer than what it has. There is no lock: of two that do so in the same
// instant the last one wins, and if that has the older metadata, what the other saw is
// seen again with the next update.
//
// # Offline
//
// Where the mirror does not answer, the cache is used for as long as its metadata has
// not expired, and [Result.Unreached] says why; [Options.Offline] does not even ask.
// So what is given is never staler than the repository's owners allowed when they
// last signed: for sigstore's public repository, days. [Options.StaleUnsafe] goes
// beyond that. A report that must be replayed years later does not ask this package:
// it keeps the bytes of the trusted root.
//
// The package is apart from package verify, which does not pay for a client.
package tufroot
