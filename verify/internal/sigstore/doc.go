// Package sigstore checks what sigstore's clients write: signatures with a
// certificate or a key, the transparency logs that recorded them, and the
// authorities that witnessed their time.
//
// A [Root] is read once and holds everything ready that does not depend on what is
// verified: parsed keys, and for each issuer the part of the certificate chain above
// it, verified. [ParseBundle] and its siblings take a signature apart into a
// [Signed], of which nothing is proven yet. The steps of the proof are methods of
// Root, to be taken in this order, because each rests on the ones before it:
//
//	Logs, Times, Certificate, and Signed.Verify
//
// Only bytes are looked at, and only witnessed times. No step reads a clock, opens a
// connection, or writes anything anywhere; what is kept between signatures is bounded.
package sigstore
